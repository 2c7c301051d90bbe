/* The store and the feed as the worker uses them: groups, heads file, and what is done when nothing
 * waits: erasing, what time brings, the WAL, a backup.  Belongs to the store thread.
 */
#ifndef COMITY_NODE_STORAGE_H
#define COMITY_NODE_STORAGE_H

#include "feed/feed.h"
#include "node/worker.h"

enum {
    STORAGE_ERASE_STEP = 64,         /* subjects in one transaction */
    STORAGE_TICK_LEAST_MS = 10,      /* many may expire at once: in steps */
    STORAGE_TICK_MAX_MS = 60 * 1000, /* clocks step: look at least every minute */
    STORAGE_RELAX_MS = 5 * 1000,     /* without a commit: memory goes back to the system */
};

struct storage {
    struct store *store;
    struct feed_context *feed;
    int64_t tick_due_ms;  /* wall */
    int64_t relax_due_ms; /* monotonic; 0: relaxed since the last commit */
    /* More idle work in bounded steps, the last in turn; may be NULL. */
    MUST_CHECK enum status (*more)(void *self, bool *ret_more, struct error *err);
    void *more_self;
};

/* Borrows *storage, which must outlive the worker. */
struct worker_storage storage_of(struct storage *storage);

#endif
