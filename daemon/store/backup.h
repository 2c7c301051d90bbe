/* Backups: bulk data without keys, and a small bundle of keys that follows every erasure.
 *
 * The bulk file is a copy of the database without its key pages; alone it opens nothing.  The
 * bundle, <directory>/keys.bundle, holds the key pages and the root key.  Once the first backup has
 * made it, every erasure rewrites it in place before it counts as done.  Restoring takes any bulk
 * file with the NEWEST bundle: what was erased since stays erased.  So copy the bundle over its
 * older copies, never beside them.
 */
#ifndef COMITY_STORE_BACKUP_H
#define COMITY_STORE_BACKUP_H

#include "store/store.h"

enum { BACKUP_STEP_PAGES = 256 };

struct backup; /* a backup in progress; the store works on between its steps */

/* `path` must not exist. */
MUST_CHECK enum status backup_start(struct store *store,
                                    const char *path,
                                    struct backup **ret_backup,
                                    struct error *err);
/* Copies some milliseconds' worth of pages; outside a transaction.  *ret_done: the bulk file is
 * complete, checked and synced, and keys.bundle is up to date. */
MUST_CHECK enum status backup_step(struct backup *backup, bool *ret_done, struct error *err);
void backup_progress(const struct backup *backup, uint64_t *ret_pages, uint64_t *ret_total);
/* Also gives up an unfinished one, whose file is deleted. */
void backup_free(struct backup *backup);

struct backup_info {
    int64_t made_ms;
    uint64_t feeds, entries, records;
    int schema_version;
};
/* Integrity of the bulk file, and that the bundle belongs to it and opens. */
MUST_CHECK enum status backup_verify(const struct store_options *options,
                                     const char *bulk_path,
                                     const char *bundle_path,
                                     struct backup_info *ret_info,
                                     struct error *err);
struct backup_restored {
    uint64_t erasures; /* as many the bundle has followed */
    bool compared;     /* and the heads of this node knew of no more */
};
/* Makes a database in options->directory, which holds none; the bundle may lie there already and
 * stays whatever happens, and so may the heads of this node as it ran last: ERR_CONFLICT when they
 * know of an erasure that the bundle has not followed.  Marks the database restored
 * (store_restored).  Opens nothing. */
MUST_CHECK enum status backup_restore(const struct store_options *options,
                                      const char *bulk_path,
                                      const char *bundle_path,
                                      struct backup_restored *ret_restored, /* may be NULL */
                                      struct error *err);

#endif
