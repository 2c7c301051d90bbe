/* Connections to other nodes: TCP, mutual TLS, frames.  Bytes in, bytes out, no meaning.
 *
 *   dial:    RESOLVING ─▶ CONNECTING ─▶ HANDSHAKING ─▶ SECURED ─▶ GREETED
 *   accept:                             HANDSHAKING ─▶ SECURED ─▶ GREETED
 *                any ──▶ CLOSING (what is queued is written, bounded) ──▶ freed
 *
 * Everything runs on the loop's thread.  A connection belongs to net; its `owner` pointer is the
 * handler's.  handlers.opened is called once when the peer is authenticated; when it returned OK,
 * handlers.closed follows exactly once, and the connection is gone after it.
 *
 * A stranger gets little: a penalised address and a fifth connection of one address before Hello
 * are refused at once; HANDSHAKE_TIMEOUT_MS for TLS; frames of handlers.frame_max() at most.
 */
#ifndef COMITY_NET_NET_H
#define COMITY_NET_NET_H

#include "base/clock.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/span.h"
#include "crypto/tls.h"
#include "net/penalty.h"

struct uv_loop_s;
struct net;
struct connection;

enum {
    NET_BEFORE_HELLO_MAX = 64,  /* all addresses together */
    NET_PER_ADDRESS_MAX = 4,    /* before Hello */
    NET_DESCRIPTORS_SPARE = 64, /* for files, the store and the control socket */
    NET_QUEUE_MAX = 4 * 1024 * 1024 + FRAME_CONTROL_MAX, /* outbound plain text */
    NET_QUEUE_LOW = 1024 * 1024 - FRAME_CONTROL_MAX,     /* below it a new batch may be queued */
    NET_LINGER_MS = 2 * 1000,                            /* to write what is queued when closing */
    NET_DIAL_TIMEOUT_MS = 15 * 1000,
    NET_USER_TIMEOUT_MS = 30 * 1000, /* TCP_USER_TIMEOUT: unacknowledged bytes */
    NET_ADDRESS_TEXT = 64
};

struct net_handlers {
    void *self;
    MUST_CHECK enum status (*opened)(void *self, struct connection *connection, struct error *err);
    void (*frame)(void *self, struct connection *connection, struct span frame);
    uint32_t (*frame_max)(void *self, struct connection *connection);
    /* The frame reader refused a length; the handler closes. */
    void (*refused)(void *self, struct connection *connection, const struct error *why);
    /* connection_queued() fell below NET_QUEUE_LOW. */
    void (*drained)(void *self, struct connection *connection);
    void (*closed)(void *self, struct connection *connection, const struct error *why);
    void (*dial_failed)(void *self, const struct code *peer, const struct error *why);
    /* A well-formed node that nobody has accepted called from `address`. */
    void (*pending)(void *self,
                    const struct code *code,
                    struct span certificate,
                    const char *address);
    /* One event for the log; `fields` are key=value pairs. */
    void (*event)(void *self, const char *name, const char *fields);
};

struct net_config {
    struct uv_loop_s *loop;
    struct tls_context *tls; /* outlives the net */
    struct clock *clock;
    struct net_handlers handlers;
    size_t descriptors_max; /* 0: RLIMIT_NOFILE less NET_DESCRIPTORS_SPARE */
};

MUST_CHECK enum status net_new(const struct net_config *config,
                               struct net **ret_net,
                               struct error *err);
/* Port 0: the system picks one; *ret_port is the one bound. */
MUST_CHECK enum status net_listen(
    struct net *net, const char *host, uint16_t port, uint16_t *ret_port, struct error *err);
/* Answers with handlers.opened or handlers.dial_failed, later. */
void net_dial(struct net *net, const struct code *peer, const char *address);
/* Stops listening and closes every connection; then the loop must run until net_is_idle(). */
void net_stop(struct net *net);
bool net_is_idle(const struct net *net);
void net_free(struct net *net); /* idle */
/* Judges every live connection again, at once (trust changed). */
void net_recheck(struct net *net);

struct net_stats {
    size_t connections, before_hello;
    uint64_t accepted, refused, failed_handshakes;
};
struct net_stats net_stats(const struct net *net);

/* -- one connection ---------------------------------------------------------------------------- */

void connection_set_owner(struct connection *connection, void *owner);
void *connection_owner(const struct connection *connection);
void *connection_handler(const struct connection *connection);       /* handlers.self of its net */
bool connection_dialled(const struct connection *connection);        /* by us */
const char *connection_address(const struct connection *connection); /* as text, for the log */
struct tls *connection_tls(struct connection *connection);
const struct code *connection_peer(const struct connection *connection); /* authenticated */

/* The peer's Hello is authenticated: it no longer counts as a stranger.  Idempotent. */
void connection_greeted(struct connection *connection);
/* Takes the frame, length prefix included.  A peer that lets more than NET_QUEUE_MAX pile up is
 * cut. */
void connection_send(struct connection *connection, struct buf *frame);
size_t connection_queued(const struct connection *connection);
void connection_pause(struct connection *connection, bool paused);
/* Writes what is queued (at most NET_LINGER_MS), then closes.  Idempotent.  `offence`
 * OFFENCE_COUNT: none. */
void connection_close(struct connection *connection, const struct error *why, enum offence offence);

#endif
