/* The Merkle tree of a stored log: appended to, and read back for proofs and earlier roots.
 *
 * Every root of a complete subtree of 256^k leaves is stored, so that any other hash is made out of
 * at most 255 of a level below.  A journal is log 0, with leaves of its own table.
 */
#ifndef COMITY_FEED_LEAVES_H
#define COMITY_FEED_LEAVES_H

#include "log/proof.h"
#include "store/feed_rows.h"

enum { LEAVES_JOURNAL = 0 };

struct leaves {
    struct store *store;
    int64_t feed_id;
    uint64_t journal_epoch; /* of log 0 */
    struct tree tree;
};

/* From the stored frontier: `frontier_size` bytes of peaks for `size` leaves.  ERR_CORRUPT when
 * they do not belong together. */
MUST_CHECK enum status leaves_init(struct leaves *leaves,
                                   struct store *store,
                                   int64_t feed_id,
                                   uint64_t size,
                                   struct span frontier,
                                   struct error *err);
MUST_CHECK enum status leaves_of_feed(struct leaves *leaves,
                                      struct store *store,
                                      const struct feed_row *row,
                                      struct error *err);
/* Stores what gets complete by it.  `bytes`: the leaf itself. */
MUST_CHECK enum status leaves_append(struct leaves *leaves, struct span bytes, struct error *err);
/* size, root and frontier of a feed's row. */
MUST_CHECK enum status leaves_head(const struct leaves *leaves,
                                   struct feed_row *row,
                                   struct error *err);
/* The same, and stores them (feed_rows_set_head). */
MUST_CHECK enum status leaves_save(const struct leaves *leaves,
                                   struct feed_row *row,
                                   struct error *err);

/* For proof_inclusion and so on; lives as long as `leaves`. */
struct proof_source leaves_source(struct leaves *leaves);
/* The root at an earlier (or the present) size of a feed. */
MUST_CHECK enum status leaves_root_at(struct store *store,
                                      const struct feed_row *row,
                                      uint64_t size,
                                      struct digest *ret_root,
                                      struct error *err);

#endif
