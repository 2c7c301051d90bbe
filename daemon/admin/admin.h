/* What the operations of the control socket mean: who may, what is done, what is written down.
 *
 * Belongs to the store thread.  For each request the node runs
 *
 *     admin_serve()   inside the group's transaction, in the job's savepoint; or, when
 *                     admin_glance() says alone, outside any transaction (the node sets job.alone)
 *
 * and, after the commit, sends the reply.  A refusal is an answer and not an error: it is
 * journalled in the same transaction, so admin_serve() gives OK.  Any other status means that
 * nothing of the job holds (the disk, memory, our own bug): the node undoes it and answers with
 * control_refuse(). After a commit the node looks at admin->changed.
 */
#ifndef COMITY_ADMIN_ADMIN_H
#define COMITY_ADMIN_ADMIN_H

#include "control/control.h"
#include "feed/feed.h"

struct backup; /* store/backup.h */

/* How a peer's connection stands, as only the loop thread knows. */
struct admin_link {
    struct code code;
    bool connected;
    bool dialling;        /* a call is planned or under way */
    char last_error[200]; /* of the last attempt; empty: none */
};

struct admin {
    struct feed_context *feed;
    const char *name;      /* [node] name */
    const char *directory; /* [storage] directory: where backups go by default */
    struct span card;      /* our own card, PEM */
    int64_t started_ms;    /* wall time */
    /* Set anew by the node before each call; borrowed for its time. */
    const struct admin_link *links;
    size_t link_count;
    /* What the last call changed that others keep copies of; cleared by admin_serve() itself. */
    struct {
        bool peers; /* trust, addresses, holds: read the directory anew */
        bool queue; /* something may wait for peers: exchange_wake(), worker_hurry() */
        bool idle;  /* there is idle work: worker_hurry() */
    } changed;
    /* Long work on the store thread lets others go on: called between its steps, outside of any
     * transaction; false: the node is stopping, give up.  NULL: nobody else is there. */
    bool (*breathe)(void *self);
    void *breathe_self;
    struct {
        bool running;
        uint64_t entries; /* checked so far */
        int64_t said_ms;  /* monotonic */
    } check;
    /* The last backup; driven by admin_idle(), given up by admin_fini(). */
    struct {
        struct backup *running; /* NULL: none is under way */
        char path[512];         /* empty: none was asked for since the node started */
        uint64_t pages, pages_total;
        struct error result; /* of the last one that ended */
    } backup;
};
void admin_fini(struct admin *admin);

/* A request that was not checked yet, before it is served. */
struct admin_glance {
    const char *operation; /* for the log; "-": none that there is */
    bool alone;            /* admin_serve() must run outside of any transaction */
    bool reads;            /* it changes nothing */
};
struct admin_glance admin_glance(struct span message);

/* One bounded step of a backup, outside of any transaction; *ret_more: come again soon.  A backup
 * that fails ends, raises an alarm and is no failure of the node. */
MUST_CHECK enum status admin_idle(struct admin *admin, bool *ret_more, struct error *err);

/* Appends one reply frame to *append_to.  *ret_result (may be NULL): what it says, for the log. */
MUST_CHECK enum status admin_serve(struct admin *admin,
                                   const struct caller *caller,
                                   struct span message,
                                   struct control_listener listener,
                                   struct buf *append_to,
                                   struct error *ret_result,
                                   struct error *err);

#endif
