/* Table holding: what we hold of others (the terms: terms_rows.h).
 *
 * All ids are the pair ids of the peer's feed.
 */
#ifndef COMITY_STORE_HOLDING_ROWS_H
#define COMITY_STORE_HOLDING_ROWS_H

#include "store/store.h"
#include "store/terms_rows.h"

enum holding_state {
    HOLDING_ACTIVE = 1,
    HOLDING_LOCKED = 2, /* may not be used; reasons say why */
    HOLDING_ERASED = 3,
    HOLDING_REFUSED = 4 /* stored, not accepted */
};
enum holding_reason {                        /* bits; active again when none is left */
                      HOLDING_WITHDRAWN = 1, /* erase it */
                      HOLDING_SUSPENDED = 2,
                      HOLDING_EXPIRED = 4,
                      HOLDING_KEEP_UNTIL = 8,   /* erase it once peers' times confirm our clock */
                      HOLDING_ROLLED_BACK = 16, /* we were restored: locked until caught up */
                      HOLDING_UNCOVERED = 32,   /* no consent in force covers it */
                      HOLDING_REPLACED = 64     /* a later version came: erase it */
};

struct holding_row {
    int64_t peer_id; /* the publisher */
    int64_t feed_id; /* feed_id and index are the key */
    uint64_t index;
    struct id subject_id;
    struct id consent_id;
    struct id entry_id;
    uint16_t kind; /* enum entry_kind */
    uint32_t version;
    uint8_t form;
    uint8_t body_format;
    enum holding_state state;
    uint32_t reasons;          /* enum holding_reason */
    struct id withdrawn_entry; /* the WITHDRAWN entry that is to be answered, or none */
    int64_t received_ms;
    int64_t keep_until_ms; /* INT64_MAX: no date */
    int64_t erased_ms;
};

MUST_CHECK enum status holding_rows_add(struct store *store,
                                        const struct holding_row *row,
                                        struct error *err);
/* consent_id, state, reasons, withdrawn_entry, keep_until_ms, erased_ms. */
MUST_CHECK enum status holding_rows_update(struct store *store,
                                           const struct holding_row *row,
                                           struct error *err);
MUST_CHECK enum status holding_rows_get(struct store *store,
                                        int64_t feed_id,
                                        uint64_t index,
                                        struct holding_row *ret_row,
                                        struct error *err);

/* Whether anything of the subject is, or was, held. */
MUST_CHECK enum status holding_rows_has_subject(struct store *store,
                                                int64_t peer_id,
                                                const struct id *subject_id,
                                                bool *ret_has,
                                                struct error *err);

struct holding_place { /* (0, 0) stands before all */
    int64_t feed_id;
    uint64_t next_index;
};
/* Filters; zero or ID_NONE: any. */
struct holding_filter {
    int64_t peer_id;
    struct id subject_id; /* needs peer_id */
    struct id consent_id; /* needs peer_id */
    int state;            /* enum holding_state */
    uint32_t any_reason;  /* at least one of these bits */
};
/* By (feed, index), from *place on, which moves behind the last row returned. */
MUST_CHECK enum status holding_rows_list(struct store *store,
                                         const struct holding_filter *filter,
                                         struct holding_place *place,
                                         struct holding_row *ret_rows,
                                         size_t max,
                                         size_t *ret_count,
                                         struct error *err);
/* Of one peer, with subject ids from `first` to `last`, in their order; moves behind the last row
 * returned. */
struct holding_range {
    int64_t peer_id;
    struct id first, last;
    int64_t after; /* of `first`; 0 starts */
};
MUST_CHECK enum status holding_rows_range(struct store *store,
                                          struct holding_range *range,
                                          struct holding_row *ret_rows,
                                          size_t max,
                                          size_t *ret_count,
                                          struct error *err);
/* Locked ones with one of `reasons`, oldest first: what is to be erased. */
MUST_CHECK enum status holding_rows_to_erase(struct store *store,
                                             uint32_t reasons,
                                             struct holding_row *ret_rows,
                                             size_t max,
                                             size_t *ret_count,
                                             struct error *err);
/* Active ones with keep_until_ms <= until_ms, by that time. */
MUST_CHECK enum status holding_rows_expiring(struct store *store,
                                             int64_t until_ms,
                                             struct holding_row *ret_rows,
                                             size_t max,
                                             size_t *ret_count,
                                             struct error *err);
/* Locked with HOLDING_KEEP_UNTIL although keep_until_ms > now_ms: the clock was wrong then. */
MUST_CHECK enum status holding_rows_early(struct store *store,
                                          int64_t now_ms,
                                          struct holding_row *ret_rows,
                                          size_t max,
                                          size_t *ret_count,
                                          struct error *err);
/* What was due by then is looked at again, 32 blocks of numbers at most: those without an active
 * holding that ends are passed over from now on.  Before and after holding_rows_expiring. */
MUST_CHECK enum status holding_rows_settle(struct store *store,
                                           int64_t until_ms,
                                           struct error *err);
/* When to look again: not after the first end of an active holding, and possibly before it. */
MUST_CHECK enum status holding_rows_next_expiry(struct store *store,
                                                int64_t *ret_ms, /* INT64_MAX: none */
                                                struct error *err);
/* Adds the reason to (locks) everything that is held from this peer and not erased, or takes it
 * away again (what has no reason left becomes active). */
MUST_CHECK enum status holding_rows_lock_peer(struct store *store,
                                              int64_t peer_id,
                                              enum holding_reason reason,
                                              struct error *err);
MUST_CHECK enum status holding_rows_unlock_peer(struct store *store,
                                                int64_t peer_id,
                                                enum holding_reason reason,
                                                struct error *err);

#endif
