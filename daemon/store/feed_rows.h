/* Table feed: one row for each log shared with a peer, each way, each epoch; and its receipts. */
#ifndef COMITY_STORE_FEED_ROWS_H
#define COMITY_STORE_FEED_ROWS_H

#include "base/limits.h"
#include "store/store.h"

enum feed_direction { FEED_OUT = 1 /* we publish to the peer */, FEED_IN = 2 };
enum feed_state {
    FEED_ACTIVE = 1, /* at most one for each peer and direction */
    FEED_OLD = 2     /* an earlier epoch: read and healed, never signed again */
};

enum {
    FEED_ORIGIN_MAX = 100,
    FEED_FRONTIER_MAX = 41 * DIGEST_SIZE, /* FEED_ENTRIES_MAX is 2^40 */
    FEED_ID_MAX = (1 << 22)               /* leaves 40 bits of an entry's row id to its index */
};

struct feed_place { /* zeros: no feed */
    int64_t feed_id;
    uint64_t size;
};

struct feed_row {
    int64_t feed_id; /* 1 .. FEED_ID_MAX */
    int64_t peer_id;
    enum feed_direction direction;
    enum feed_state state;
    char origin[FEED_ORIGIN_MAX + 1];
    uint64_t epoch;
    uint64_t size;      /* entries stored */
    struct digest root; /* over `size` entries */
    size_t frontier_size;
    uint8_t frontier[FEED_FRONTIER_MAX]; /* roots of the complete subtrees, as log encodes them */
    uint64_t receipt_size;               /* highest size that the subscriber cosigned */
    int64_t receipt_ms;                  /* its time */
    /* An old feed: how much of it is here again; less than `size` (FEED_OUT): from there on it was
     * queued again, for a peer that lost it.  An active one: the feed_id of the old one that
     * has to be healed first (FEED_OUT), or of which we had lost a part when this one began
     * (FEED_IN). */
    uint64_t healed_size;
    bool rolled_back; /* heads.h found more outside than the database holds */
    int64_t opened_ms;
    /* Of a FEED_OUT: where the active feed of the peer's stood when receipt_ms became what it is.
     * Read only: the receipt sets it. */
    struct feed_place receipt_after;
};

/* An empty active feed; root must be the hash of the empty tree.  ERR_EXISTS when the peer has an
 * active one in that direction or the origin is known. */
MUST_CHECK enum status feed_rows_add(struct store *store,
                                     const struct feed_row *row,
                                     int64_t *ret_feed_id,
                                     struct error *err);
MUST_CHECK enum status feed_rows_get(struct store *store,
                                     int64_t feed_id,
                                     struct feed_row *ret_row,
                                     struct error *err);
MUST_CHECK enum status feed_rows_active(struct store *store,
                                        int64_t peer_id,
                                        enum feed_direction direction,
                                        struct feed_row *ret_row,
                                        struct error *err);
/* The newest of a peer and direction, active or old, that holds an entry. */
MUST_CHECK enum status feed_rows_latest(struct store *store,
                                        int64_t peer_id,
                                        enum feed_direction direction,
                                        struct feed_row *ret_row,
                                        struct error *err);
MUST_CHECK enum status feed_rows_by_origin(struct store *store,
                                           struct span origin,
                                           struct feed_row *ret_row,
                                           struct error *err);
/* All feeds, in the order of their ids, after `after` (0 starts). */
MUST_CHECK enum status feed_rows_list(struct store *store,
                                      int64_t after,
                                      struct feed_row *ret_rows,
                                      size_t max,
                                      size_t *ret_count,
                                      struct error *err);
/* size, root, frontier after entries were appended; marks the feed for heads_save(). */
MUST_CHECK enum status feed_rows_set_head(struct store *store,
                                          const struct feed_row *row,
                                          struct error *err);
/* state, healed_size, rolled_back. */
MUST_CHECK enum status feed_rows_set_state(struct store *store,
                                           const struct feed_row *row,
                                           struct error *err);

/* FEED_NOTE_CHECKPOINT: the publisher's last signed note that is stored (of a FEED_IN: the peer's).
 * FEED_NOTE_RECEIPT: the highest one with the subscriber's cosignature. */
enum feed_note { FEED_NOTE_CHECKPOINT = 1, FEED_NOTE_RECEIPT = 2 };
/* A FEED_IN after a batch, in one update: size, root, frontier and receipt of `row` as they stand
 * in it, and the batch's checkpoint, which is the receipt's as well when `receipted`.  Marks the
 * feed for heads_save().  ERR_CONFLICT when the receipt's size or time went back. */
MUST_CHECK enum status feed_rows_set_received(struct store *store,
                                              const struct feed_row *row,
                                              struct span checkpoint,
                                              bool receipted,
                                              struct error *err);
/* Empty when there is none. */
MUST_CHECK enum status feed_rows_get_note(struct store *store,
                                          int64_t feed_id,
                                          enum feed_note which,
                                          struct buf *ret_note,
                                          struct error *err);
/* Of a FEED_OUT: the receipt note, receipt_size and receipt_ms, and one line in the history of
 * receipts, from which deliveries get their time of receipt.  ERR_CONFLICT when size or time went
 * back. */
MUST_CHECK enum status feed_rows_add_receipt(struct store *store,
                                             int64_t feed_id,
                                             uint64_t size,
                                             int64_t time_ms,
                                             struct span note,
                                             struct error *err);

/* Table subtree: roots of complete subtrees of 256^level leaves (level >= 1), so that proofs read
 * at most 255 leaves a level.  feed_id 0 is the journal. */
MUST_CHECK enum status subtree_rows_put(struct store *store,
                                        int64_t feed_id,
                                        uint8_t level,
                                        uint64_t index,
                                        const struct digest *hash,
                                        struct error *err);
MUST_CHECK enum status subtree_rows_get(struct store *store,
                                        int64_t feed_id,
                                        uint8_t level,
                                        uint64_t index,
                                        struct digest *ret_hash,
                                        struct error *err);

#endif
