/* Table received_terms: under what terms we hold, or held, what others gave.  Never erased.
 *
 * All ids are the pair ids of the peer's feed. */
#ifndef COMITY_STORE_TERMS_ROWS_H
#define COMITY_STORE_TERMS_ROWS_H

#include "store/store.h"

/* States of received terms are the numbers of the consent layer. */
struct terms_row {
    int64_t peer_id;
    struct id consent_id; /* key: peer and consent */
    uint8_t state;
    int64_t feed_id; /* entry with the terms in force */
    uint64_t index;
    struct id supersedes;
    int64_t valid_from_ms, valid_until_ms, keep_until_ms;
    uint32_t erase_days;
    int64_t received_ms;
    bool by_clock; /* the state is what our clock alone says, not the publisher */
};
/* Adds, or replaces all of the row with the same key. */
MUST_CHECK enum status terms_rows_put(struct store *store,
                                      const struct terms_row *row,
                                      struct error *err);
MUST_CHECK enum status terms_rows_get(struct store *store,
                                      int64_t peer_id,
                                      const struct id *consent_id,
                                      struct terms_row *ret_row,
                                      struct error *err);
/* By (peer, consent id); peer_id 0: of all peers; after (0, ID_NONE) starts. */
MUST_CHECK enum status terms_rows_list(struct store *store,
                                       int64_t peer_id,
                                       const struct terms_row *after, /* NULL starts */
                                       struct terms_row *ret_rows,
                                       size_t max,
                                       size_t *ret_count,
                                       struct error *err);
/* In `state` with valid_until_ms <= until_ms, by that time. */
MUST_CHECK enum status terms_rows_expiring(struct store *store,
                                           uint8_t state,
                                           int64_t until_ms,
                                           struct terms_row *ret_rows,
                                           size_t max,
                                           size_t *ret_count,
                                           struct error *err);
/* In `state` by our clock alone, with valid_until_ms > now_ms: the clock was wrong. */
MUST_CHECK enum status terms_rows_early(struct store *store,
                                        uint8_t state,
                                        int64_t now_ms,
                                        struct terms_row *ret_rows,
                                        size_t max,
                                        size_t *ret_count,
                                        struct error *err);
MUST_CHECK enum status terms_rows_next_expiry(struct store *store,
                                              uint8_t state,
                                              int64_t *ret_ms, /* INT64_MAX: none */
                                              struct error *err);

#endif
