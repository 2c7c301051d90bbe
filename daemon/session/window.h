/* What is in flight in one direction, so that neither side needs unbounded memory (PROTOCOL 7.4).
 *
 * Outbound: batches that were sent and whose receipt was not taken yet.  Inbound: batches that came
 * and were not ingested yet.  Pure bookkeeping; sizes are those of the frames' bodies.
 */
#ifndef COMITY_SESSION_WINDOW_H
#define COMITY_SESSION_WINDOW_H

#include "base/limits.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct window_batch {
    uint64_t end; /* index after its last entry */
    size_t bytes;
};

struct window {
    struct window_batch batches[SESSION_WINDOW_BATCHES]; /* a ring; ends rise */
    size_t first, count, bytes;
    uint64_t pending[SESSION_WINDOW_BATCHES]; /* sizes of receipts on their way to the database */
    size_t pending_first, pending_count;
    uint64_t received; /* size of the newest receipt that came */
    uint64_t taken;    /* size of the newest receipt that was verified and stored */
    uint64_t sent_count, receipt_count;
    int64_t progress_ms; /* when something was last sent into an empty window, or released */
};

/* One more batch of the largest size may be in flight. */
bool window_has_room(const struct window *window);
/* Adds a batch; one that a taken receipt covers already takes no place. */
void window_sent(struct window *window, uint64_t end, size_t bytes, int64_t now_ms);
/* A receipt came: sizes rise, and there are never more receipts than batches.  ERR_INVALID. */
MUST_CHECK enum status window_receipt(struct window *window, uint64_t size, struct error *err);
bool window_expects_answer(const struct window *window);
/* The oldest receipt that came is stored: what it covers leaves the window. */
void window_taken(struct window *window, int64_t now_ms);
/* When the wait for a receipt is over; INT64_MAX while nothing is awaited from the peer. */
int64_t window_deadline_ms(const struct window *window);

/* Inbound. ERR_LIMIT: the peer sent more than may be in flight. */
MUST_CHECK enum status window_arrived(struct window *window,
                                      uint64_t end,
                                      size_t bytes,
                                      struct error *err);
/* The oldest was stored; false when there was none. */
bool window_stored(struct window *window);

#endif
