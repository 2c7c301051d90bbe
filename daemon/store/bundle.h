/* The file keys.bundle: the key pages and the root key, for backups (backup.h).
 *
 * Block 0 has the shape of a root slot (root_slot.h) and holds the root and the numbers of the
 * tree; block 1 + n holds the key page whose row has block n: row id (8) · generation (8) · sealed
 * page, then zeros.  Blocks are 4,096 bytes and are rewritten in place, so that old ones do not
 * stay on the disk.  Pages of mixed generations open all the same: the key of a page changes only
 * in an erasure, which brings everything up to date before it is done.
 */
#ifndef COMITY_STORE_BUNDLE_H
#define COMITY_STORE_BUNDLE_H

#include "store/inside.h"
#include "store/root_slot.h"

enum { BUNDLE_STEP_PAGES = 256, BUNDLE_BLOCK_SIZE = ROOT_SLOT_SIZE };

/* In keys_erase: brings an existing bundle up to date, synced; nothing when there is none.  With
 * `whole` every page is written again, since a crash may have left some half-written. */
MUST_CHECK enum status bundle_follow(struct store *store, bool whole, struct error *err);

/* At opening: a bundle from before there was a credential has the root key in the open; it is
 * sealed where it lies.  Nothing when there is no bundle, no credential, or the bundle is not ours.
 */
MUST_CHECK enum status bundle_seal(struct store *store, struct error *err);

/* In a backup: the same in steps, and the file is made when there is none. */
struct bundle_update {
    struct file *file;
    bool scan;           /* all of key_page is looked at, not only what was written lately */
    uint64_t generation; /* pages up to this one are in the file already */
    int64_t id;          /* the scan's place */
    uint64_t overflows;  /* of the list when the scan began */
};
MUST_CHECK enum status bundle_begin(struct store *store,
                                    bool whole,
                                    struct bundle_update *ret_update,
                                    struct error *err);
MUST_CHECK enum status bundle_step(struct store *store,
                                   struct bundle_update *update,
                                   bool *ret_done,
                                   struct error *err);
void bundle_end(struct bundle_update *update); /* closes; finished or not */

/* For restoring: block 0, then every page that is there.  ERR_CORRUPT: not the bundle of this
 * database, damaged, or sealed by another credential. */
MUST_CHECK enum status bundle_read_head(const struct root_slots *slots,
                                        struct file *file,
                                        struct root_slot *ret_head,
                                        struct error *err);
/* Every page that hangs on the root is there and opens. */
MUST_CHECK enum status bundle_check(struct store *store,
                                    struct file *file,
                                    const struct root_slot *head,
                                    struct error *err);
/* Inserts the rows of key_page; inside a transaction. */
MUST_CHECK enum status bundle_load_pages(struct store *store, struct file *file, struct error *err);

#endif
