/* Tables delivery and recall: what left, to whom, under which consent; and withdrawals on their
 * way.
 *
 * When a delivery was receipted is not stored with it: it is the time of the first receipt of its
 * feed that covers its index (feed_rows_add_receipt), so that one receipt costs one row.
 */
#ifndef COMITY_STORE_DELIVERY_ROWS_H
#define COMITY_STORE_DELIVERY_ROWS_H

#include "store/recall_rows.h"
#include "store/store.h"

struct delivery_row {
    int64_t delivery_id; /* feed and index in one number; unread in a row that is to be added */
    int64_t peer_id;
    struct id record_id;  /* ours */
    struct id consent_id; /* ours */
    uint32_t version;
    uint8_t form;
    int64_t feed_id;
    uint64_t index;
    int64_t queued_ms, numbered_ms;
    int64_t receipted_ms; /* read only; 0: no receipt yet */
    int64_t withdrawn_ms; /* 0: not */
    int64_t erased_ms;    /* 0: no erasure receipt yet */
};

MUST_CHECK enum status delivery_rows_add(struct store *store,
                                         const struct delivery_row *row,
                                         int64_t *ret_delivery_id,
                                         struct error *err);

/* Filters; zero or ID_NONE: any.  live_only: neither withdrawn nor erased. */
struct delivery_filter {
    int64_t peer_id;
    struct id record_id;
    struct id consent_id;
    bool live_only;
};
/* By delivery id, so by feed and index, after `after` (0 starts). */
MUST_CHECK enum status delivery_rows_list(struct store *store,
                                          const struct delivery_filter *filter,
                                          int64_t after,
                                          struct delivery_row *ret_rows,
                                          size_t max,
                                          size_t *ret_count,
                                          struct error *err);
MUST_CHECK enum status delivery_rows_by_entry(struct store *store,
                                              int64_t feed_id,
                                              uint64_t index,
                                              struct delivery_row *ret_row,
                                              struct error *err);
MUST_CHECK enum status delivery_rows_withdraw(struct store *store,
                                              int64_t delivery_id,
                                              int64_t now_ms,
                                              struct error *err);
/* Every withdrawn delivery of this record to this peer got its erasure receipt. */
MUST_CHECK enum status delivery_rows_mark_erased(struct store *store,
                                                 int64_t peer_id,
                                                 const struct id *record_id,
                                                 int64_t now_ms,
                                                 struct error *err);

#endif
