/* One call of feed_publish at work: the feed's row and tree, the composer, the batch that grows. */
#ifndef COMITY_FEED_PUBLICATION_H
#define COMITY_FEED_PUBLICATION_H

#include "feed/compose.h"
#include "feed/leaves.h"
#include "feed/parcel.h"
#include "feed/peering.h"
#include "store/delivery_rows.h"
#include "store/outbox_rows.h"

enum {
    /* What is in flight must fit one batch when a withdrawal makes it necessary (resend.c): 8
     * batches of this many entries, and a withdrawal for each of them. */
    PUBLICATION_ENTRIES = BATCH_ENTRIES_MAX / (2 * SESSION_WINDOW_BATCHES),
    /* Large enough that costs per batch vanish; a larger single entry goes alone. */
    PUBLICATION_BYTES = 256 * 1024,
    PUBLICATION_SKIPPED_MAX = 4096 /* rows that must wait, looked at in one call */
};
static_assert(PUBLICATION_BYTES * SESSION_WINDOW_BATCHES < BATCH_BYTES_MAX,
              "small entries in flight must fit one batch");

struct publication {
    struct feed_context *feed;
    struct peer_row peer;
    struct feed_row row;
    struct leaves leaves;
    struct composer composer;
    struct parcel parcel;
    struct outbox_list queued; /* rows at hand */
    size_t numbered, skipped;  /* by this call of publication_number */
    bool exhausted;            /* it looked at all that is queued */
};

/* `row` is an active outgoing feed; publication_fini() in any case. */
MUST_CHECK enum status publication_init(struct publication *publication,
                                        struct feed_context *feed,
                                        const struct peer_row *peer,
                                        const struct feed_row *row,
                                        struct error *err);
void publication_fini(struct publication *publication);

/* What to number out of the queue. */
struct publication_order {
    bool recalls_only;
    bool log_only;    /* into the log, not into the batch */
    size_t max_count; /* entries */
    size_t max_bytes; /* of the batch */
};
MUST_CHECK enum status publication_number(struct publication *publication,
                                          const struct publication_order *order,
                                          struct error *err);
/* Numbers one row that need not be in the queue (outbox_id 0).  *ret_outcome as compose(). */
MUST_CHECK enum status publication_number_row(struct publication *publication,
                                              const struct outbox_row *row,
                                              const struct publication_order *order,
                                              enum compose_outcome *ret_outcome,
                                              struct error *err);
/* Stores the new head when anything was numbered. */
MUST_CHECK enum status publication_save(struct publication *publication, struct error *err);

/* resend.c: entries from `from` on that are numbered already. */
MUST_CHECK enum status resend(struct publication *publication, uint64_t from, struct error *err);
/* Queues a record again that was withdrawn only because it did not fit, or may not leave now. */
MUST_CHECK enum status resend_queue_again(struct feed_context *feed,
                                          const struct delivery_row *delivery,
                                          struct error *err);

#endif
