/* Table outbox: what is to be sent, before it has a number.
 *
 * The queue of one peer is read in the order (priority, outbox_id); feed_publish takes rows from
 * its head, gives each its place in the feed and removes it in the same transaction.  The bodies of
 * records are not here: they are made when the entry is numbered.
 */
#ifndef COMITY_STORE_OUTBOX_ROWS_H
#define COMITY_STORE_OUTBOX_ROWS_H

#include "base/limits.h"
#include "store/store.h"

enum outbox_priority {
    OUTBOX_RECALL = 0, /* withdrawals, erasure receipts, refusals, RESTORED: they overtake */
    OUTBOX_TERMS = 1,  /* consents, cards, keys */
    OUTBOX_RECORD = 2,
    OUTBOX_OTHER = 3
};

struct outbox_row {
    int64_t outbox_id; /* 0 in a row that is to be added */
    int64_t peer_id;
    enum outbox_priority priority;
    uint16_t kind;         /* enum entry_kind */
    struct id in_reply_to; /* entry id of the other feed, or none */
    struct id consent_id;  /* our own consent id, or the pair id of the peer's consent */
    struct id subject_id;  /* likewise for the record */
    uint32_t record_version;
    uint8_t form;
    int64_t queued_ms;
    struct span body; /* inline body or terms, at most ENTRY_BODY_MAX; never a record */
};

struct outbox_place { /* (-1, 0) stands before all */
    int priority;
    int64_t outbox_id;
};
#define OUTBOX_START ((struct outbox_place){ -1, 0 })

MUST_CHECK enum status outbox_rows_add(struct store *store,
                                       const struct outbox_row *row,
                                       int64_t *ret_outbox_id,
                                       struct error *err);
/* How many were added since the database was opened (rolled-back ones count): whether work that was
 * done between two looks queued anything. */
uint64_t outbox_rows_added(const struct store *store);
/* The next rows of the peer behind `after`, at most `max` and OUTBOX_LIST_MAX; their bodies point
 * into list->bodies, which belongs to the caller and is replaced. */
enum { OUTBOX_LIST_MAX = 16 };
struct outbox_list {
    struct outbox_row rows[OUTBOX_LIST_MAX];
    size_t count;
    struct buf bodies;
};
MUST_CHECK enum status outbox_rows_list(struct store *store,
                                        int64_t peer_id,
                                        struct outbox_place after,
                                        size_t max,
                                        struct outbox_list *ret_list,
                                        struct error *err);
/* The first row of the peer behind `after`; ret_row->body points into *ret_body (replaced).
 * ERR_NOT_FOUND: none. */
MUST_CHECK enum status outbox_rows_next(struct store *store,
                                        int64_t peer_id,
                                        struct outbox_place after,
                                        struct outbox_row *ret_row,
                                        struct buf *ret_body,
                                        struct error *err);
MUST_CHECK enum status outbox_rows_remove(struct store *store,
                                          int64_t outbox_id,
                                          struct error *err);
/* Everything queued under one of our consents, for one record of it or (ID_NONE) for all and the
 * terms as well, to one peer or (0) to all: what is revoked before it was sent never leaves. */
MUST_CHECK enum status outbox_rows_remove_records(struct store *store,
                                                  const struct id *consent_id,
                                                  const struct id *subject_id,
                                                  int64_t peer_id,
                                                  uint64_t *ret_removed,
                                                  struct error *err);
/* Whether a record waits for a peer under this consent. */
MUST_CHECK enum status outbox_rows_has_record(struct store *store,
                                              int64_t peer_id,
                                              const struct id *consent_id,
                                              const struct id *record_id,
                                              bool *ret_has,
                                              struct error *err);
/* Rows waiting for a peer; 0 counts those of all peers. */
MUST_CHECK enum status outbox_rows_count(struct store *store,
                                         int64_t peer_id,
                                         uint64_t *ret_count,
                                         struct error *err);
/* Accepted peers for whom something waits (only recalls count for a held one), by code. */
MUST_CHECK enum status outbox_rows_waiting(
    struct store *store, struct code *ret_peers, size_t max, size_t *ret_count, struct error *err);

#endif
