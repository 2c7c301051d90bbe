/* The control socket: a Unix socket for the administrators of this machine.
 *
 * The kernel says who connects (SO_PEERCRED, SO_PEERGROUPS); whom handlers.admit does not know is
 * cut before a byte is read.  A client sends requests one after the other, each after the answer to
 * the one before.  A request is a frame (wire/frame.h) of at most CONTROL_REQUEST_MAX.
 *
 * A client may go away while its request is at work: it is freed with the last
 * control_client_done(), and what is sent to it until then is dropped.
 */
#ifndef COMITY_NET_CONTROL_SERVER_H
#define COMITY_NET_CONTROL_SERVER_H

#include "base/clock.h"
#include "base/limits.h"
#include "base/span.h"
#include "control/access.h"

#include <sys/types.h>

struct uv_loop_s;
struct control_server;
struct control_client;

enum {
    CONTROL_CLIENTS_MAX = 32,
    CONTROL_GROUPS_MAX = 256,
    CONTROL_SENDING_MS = 30 * 1000, /* a request must begin, and come on, and its answer be read */
    CONTROL_BUFFERED_MAX = CONTROL_REQUEST_MAX + 16 * 1024 * 1024 /* of all clients together */
};

struct control_handlers {
    void *self;
    /* Fills name and permit of *caller, whose uid and gid are set; PERMIT_NONE refuses. */
    void (*admit)(void *self, struct caller *caller, const gid_t *groups, size_t group_count);
    /* A whole request; `message` is moved.  Answer with control_client_send() and, exactly once,
     * control_client_done(). */
    void (*request)(void *self, struct control_client *client, struct buf *message);
    void (*event)(void *self, const char *name, const char *fields);
};

struct control_config {
    struct uv_loop_s *loop;
    const char *path;
    struct control_handlers handlers;
    uint64_t sending_ms; /* 0: CONTROL_SENDING_MS */
};

/* Makes the socket with mode 0666 (who may speak is decided by uid).  A stale socket that nobody
 * listens on is replaced; ERR_BUSY when somebody does. */
MUST_CHECK enum status control_server_new(const struct control_config *config,
                                          struct control_server **ret_server,
                                          struct error *err);
void control_server_stop(struct control_server *server); /* then run the loop until idle */
bool control_server_is_idle(const struct control_server *server);
void control_server_free(struct control_server *server); /* idle; removes the socket file */

const struct caller *control_client_caller(const struct control_client *client);
void control_client_send(struct control_client *client, struct buf *frames /* moved */);
/* The request is answered: the client may send the next one. */
void control_client_done(struct control_client *client);

#endif
