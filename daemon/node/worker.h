/* The store thread (DESIGN 5): the only one that touches the database, and the queue before it.
 *
 *     loop thread                          store thread
 *     worker_submit ──▶ queue (bounded) ──▶ check each
 *       verify                              begin
 *                                             apply each      in its own savepoint
 *                                           commit
 *                                           heads file
 *                                           sign each
 *     worker_deliver ◀── done list ◀─────── (notify)
 *     done each
 *
 * When the thread is free it takes what waits, up to JOB_GROUP_BYTES, as one transaction; what
 * comes while it applies joins the group (up to WORKER_GROUP_MORE jobs).  A signature in a job is
 * verified by whichever thread is free first: the loop's, between two looks at its sockets
 * (worker_assist), or the store thread when it needs to know.
 * A job that fails in check or apply is undone alone and answers with its own error; nothing of a
 * group is signed before all of it is durable, and no `done` runs before that.  Urgent jobs go
 * before normal ones, these before bulk ones; within a priority the order is that of submission.
 *
 * A job that is alone runs by itself, outside of the group's transaction; when it is long it lets
 * others go on between its steps (worker_breathe).
 *
 * A commit or heads file that fails with ERR_IO is final (a retried fsync loses data silently):
 * `fatal` is called and nothing else happens after it.
 *
 * Without `threaded` there is no thread: worker_run() does the same work in the caller's, to
 * completion (simulation, tests).
 */
#ifndef COMITY_NODE_WORKER_H
#define COMITY_NODE_WORKER_H

#include "base/clock.h"
#include "node/job.h"

struct worker;

enum {
    WORKER_QUEUE_BYTES = 96 * 1024 * 1024, /* the largest request of a person and room for peers */
    WORKER_GROUP_MORE = 128,               /* jobs: while a group is smaller, it is filled up */
    WORKER_SMALL_GROUP = 4,                /* jobs: the loop is woken before they are signed */
    WORKER_QUEUE_JOBS = 8192,              /* 512 peers with a full window of batches each */
    WORKER_STACK_BYTES = 512 * 1024,
    WORKER_IDLE_SOON_MS = 20,   /* after a commit: it may have brought something to erase */
    WORKER_IDLE_LATE_MS = 1000, /* a busy queue may delay erasing by so much */
    WORKER_ALIVE_MS = 5 * 1000  /* how often a waiting thread shows that it lives */
};

struct worker_idle {
    int64_t next_ms; /* monotonic: when to come again */
    bool changed;    /* something was queued for peers: worker_config.changed is called */
};

struct worker_config {
    struct worker_storage storage; /* job.h */
    struct clock *clock;           /* monotonic time for idle work */
    bool threaded;
    void *context;
    void (*notify)(void *context);  /* store thread: call worker_deliver soon; may be NULL */
    void (*changed)(void *context); /* loop thread, in worker_deliver; may be NULL */
    void (*fatal)(void *context, const struct error *err); /* the daemon does not return from it */
};

struct worker_stats {
    size_t jobs, bytes; /* waiting now */
    uint64_t groups, committed, failed;
    int64_t last_alive_ms; /* monotonic; for the watchdog */
};

MUST_CHECK enum status worker_new(const struct worker_config *config,
                                  struct worker **ret_worker,
                                  struct error *err);
/* Finishes the group at work, answers ERR_BUSY to what still waits, delivers all, joins.  Called on
 * the loop thread; worker_free() includes it. */
void worker_stop(struct worker *worker);
void worker_free(struct worker *worker);

/* The queue owns *job until its done.  ERR_BUSY: full or stopping, the job stays the caller's. */
MUST_CHECK enum status worker_submit(struct worker *worker, struct job *job, struct error *err);
/* Loop thread, when nothing else is to be done: verifies one job that waits; whether there are more
 * (then come again, after a look at what came in). */
bool worker_assist(struct worker *worker);
/* Loop thread: a small group needs some ten microseconds more, so that it is quicker to look again
 * than to sleep. */
bool worker_is_ending(struct worker *worker);
/* Idle work is due at once (something was withdrawn, a backup was asked for). */
void worker_hurry(struct worker *worker);
/* Store thread, in the apply of a job that is alone, between its steps and outside of any
 * transaction: shows that the thread lives, and lets others go on: one group that waits, or idle
 * work that is due.  Other jobs that are alone keep waiting.  False: the worker is stopping, so
 * come to an end. */
bool worker_breathe(struct worker *worker);
/* Any thread: long work is at a place where nothing else can run, but it lives. */
void worker_is_alive(struct worker *worker);
/* Loop thread: runs `done` of all that is finished; the count of them.  What these submit waits
 * until the last of them has run, so that 64 peers who answer one group make one group again, and
 * not one of 1 and one of 63. */
size_t worker_deliver(struct worker *worker);
/* Synchronous mode: one group, or one step of idle work that is due, without delivering; false when
 * there was nothing to do.  A simulation crashes a node between this and worker_deliver(). */
bool worker_step(struct worker *worker);
/* Synchronous mode: steps and delivers until nothing is left. */
void worker_run(struct worker *worker);
/* Whether peers' bytes should wait outside (more than half of the queue is taken). */
bool worker_is_crowded(struct worker *worker);
struct worker_stats worker_stats(struct worker *worker);

#endif
