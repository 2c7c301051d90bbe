/* What the operations of the control socket mean: who may, what is done, what is written down.
 *
 * Belongs to the store thread.  For each request the node runs
 *
 *     admin_serve()   inside the group's transaction, in the job's savepoint; or, when
 *                     admin_is_alone(), outside any transaction (the node sets job.alone)
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
    } changed;
    /* A backup under way, driven by backup.status; admin_fini() gives it up. */
    struct backup *backup;
    char backup_path[512];
};
void admin_fini(struct admin *admin);

/* Looks into a request that has not been checked yet: whether admin_serve() must run outside of any
 * transaction.  False for what cannot be decoded. */
bool admin_is_alone(struct span message);

/* Appends one reply frame to *append_to.  *ret_result (may be NULL): what it says, for the log. */
MUST_CHECK enum status admin_serve(struct admin *admin,
                                   const struct caller *caller,
                                   struct span message,
                                   struct control_listener listener,
                                   struct buf *append_to,
                                   struct error *ret_result,
                                   struct error *err);

#endif
