/* Tables former_card and card_given: cards that were replaced, and ours as each peer has it. */
#ifndef COMITY_STORE_CARD_ROWS_H
#define COMITY_STORE_CARD_ROWS_H

#include "crypto/sign.h"
#include "store/store.h"

enum {
    CARD_ROWS_OWN = 0
}; /* in the place of a peer_id: our own cards, the present one among them */

struct former_card {
    int64_t former_id; /* 0 in a row that is to be added */
    int64_t peer_id;
    int64_t time_ms; /* when it was replaced here; of ours, when it came into use */
    struct public_key log_key;
    struct public_key receipt_key;
    /* Of a peer: the feeds with it, and their sizes, when its card was replaced; 0: none. */
    int64_t in_feed_id, out_feed_id;
    uint64_t in_size, out_size;
};

MUST_CHECK enum status card_rows_add_former(struct store *store,
                                            const struct former_card *row,
                                            struct span card,
                                            struct error *err);
/* The last `max` of them, the newest first. */
MUST_CHECK enum status card_rows_list_former(struct store *store,
                                             int64_t peer_id,
                                             struct former_card *ret_rows,
                                             size_t max,
                                             size_t *ret_count,
                                             struct error *err);
/* The last `max` pairs of keys, the newest first, each once: as it stood in the last card that had
 * it. (A card changes with each revocation list, its keys every few years.) */
MUST_CHECK enum status card_rows_list_keys(struct store *store,
                                           int64_t peer_id,
                                           struct former_card *ret_rows,
                                           size_t max,
                                           size_t *ret_count,
                                           struct error *err);
/* When this receipt key of ours came into use; 0: no card on record has it. */
MUST_CHECK enum status card_rows_receipt_key_since(struct store *store,
                                                   const struct public_key *receipt_key,
                                                   int64_t *ret_ms,
                                                   struct error *err);
MUST_CHECK enum status card_rows_read_former(struct store *store,
                                             int64_t former_id,
                                             struct buf *ret_card,
                                             struct error *err);

struct card_given {
    int64_t peer_id;
    struct digest digest; /* SHA-256 of our card as it was queued, or as it was when the peer was
                             accepted */
    int64_t feed_id;      /* where its CARD entry stands; 0: not numbered yet, or given by hand */
    uint64_t index;
};
/* ERR_NOT_FOUND: nothing is known of it. */
MUST_CHECK enum status card_rows_get_given(struct store *store,
                                           int64_t peer_id,
                                           struct card_given *ret_given,
                                           struct error *err);
MUST_CHECK enum status card_rows_put_given(struct store *store,
                                           const struct card_given *given,
                                           struct error *err);

#endif
