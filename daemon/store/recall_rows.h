/* Table recall: withdrawals on their way, until the holder's erasure receipt closes them. */
#ifndef COMITY_STORE_RECALL_ROWS_H
#define COMITY_STORE_RECALL_ROWS_H

#include "store/store.h"

enum recall_state {
    RECALL_OPEN = 1,
    RECALL_ERASED = 2, /* closed by the holder's erasure receipt */
    RECALL_HELD = 3,   /* a court forbids erasing: stays visible */
};

struct recall_row {
    int64_t recall_id; /* 0 in a row that is to be added */
    int64_t peer_id;
    struct id record_id;
    struct id consent_id; /* the consent whose end caused it */
    struct id withdrawn;  /* entry id of the WITHDRAWN; none while it waits in the queue */
    enum recall_state state;
    int64_t started_ms;
    int64_t due_ms;
    int64_t closed_ms;
    int64_t closed_feed_id; /* the entry that closed it */
    uint64_t closed_index;
};

MUST_CHECK enum status recall_rows_add(struct store *store,
                                       const struct recall_row *row,
                                       int64_t *ret_recall_id,
                                       struct error *err);
/* state, withdrawn, closed_... */
MUST_CHECK enum status recall_rows_update(struct store *store,
                                          const struct recall_row *row,
                                          struct error *err);
/* The one that is not erased of this peer and record. */
MUST_CHECK enum status recall_rows_open(struct store *store,
                                        int64_t peer_id,
                                        const struct id *record_id,
                                        struct recall_row *ret_row,
                                        struct error *err);
MUST_CHECK enum status recall_rows_by_withdrawn(struct store *store,
                                                const struct id *withdrawn,
                                                struct recall_row *ret_row,
                                                struct error *err);
/* By recall id.  open_only: not erased.  due_ms: only those due until then (INT64_MAX: all). */
MUST_CHECK enum status recall_rows_list(struct store *store,
                                        bool open_only,
                                        int64_t due_ms,
                                        int64_t after,
                                        struct recall_row *ret_rows,
                                        size_t max,
                                        size_t *ret_count,
                                        struct error *err);

#endif
