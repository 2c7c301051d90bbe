/* From a request's bytes to a reply's bytes: decode, permit, arguments, run, answer.
 *
 * For the owner of the socket (node): after the length prefix said at most CONTROL_REQUEST_MAX and
 * the whole message is there, give it to control_serve() together with the caller.  It answers
 * every input with exactly one reply frame, bad ones as well; an operation may send progress frames
 * before.  Runs where the operations run (the store thread, inside the worker's transaction); it
 * touches no socket.
 *
 *   uid unknown: close at once, read nothing      permit too small: refused, with the role needed
 *   bad bytes:   reply "invalid"                  bad arguments: reply with all problems
 */
#ifndef COMITY_CONTROL_CONTROL_H
#define COMITY_CONTROL_CONTROL_H

#include "control/access.h"
#include "control/argument.h"
#include "control/operation.h"

/* Whoever hears of progress: gets whole frames, before the reply.  Called on the thread that runs
 * control_serve(). */
struct control_listener {
    void *self;
    void (*progress)(void *self, struct span frame); /* NULL: nobody listens */
};

/* What an operation gets. */
struct control_call {
    const struct caller *caller;
    struct arguments arguments;
    struct reply_writer *reply;
    struct control_listener listener;
};

/* Who carries out an operation of control/operation.h. */
struct control_handler {
    const char *operation; /* "peer.accept" */
    enum status (*run)(void *context, struct control_call *call, struct error *err);
};

struct control_service {
    const char *realm;
    const struct control_handler *handlers;
    size_t handler_count;
    void *context;
    /* Called once for each request that named an operation, after it was run or refused. */
    void (*record)(void *context,
                   const struct caller *caller,
                   const struct operation *operation,
                   const struct request *request,
                   const struct error *result);
    /* Runs the handler: the owner's place for what comes before and after each. */
    enum status (*run)(void *context,
                       const struct control_handler *handler,
                       struct control_call *call,
                       struct error *err);
};

/* Appends one reply frame to *append_to.  The only failure is memory: close the connection.
 * *ret_result (may be NULL) is what the reply says, for the log. */
MUST_CHECK enum status control_serve(const struct control_service *service,
                                     const struct caller *caller,
                                     struct span message,
                                     struct control_listener listener,
                                     struct buf *append_to,
                                     struct error *ret_result);
/* A reply frame that only says why not (queue full, commit failed). */
MUST_CHECK enum status control_refuse(const char *realm,
                                      const struct error *why,
                                      struct buf *append_to,
                                      struct error *err);

/* For operations: says how far it is, at most a few times a second. */
void control_say(struct control_call *call, const char *text, uint64_t done, uint64_t total);

#endif
