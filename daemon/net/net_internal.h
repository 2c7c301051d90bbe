/* What the files of net share; nobody else includes it. */
#ifndef COMITY_NET_NET_INTERNAL_H
#define COMITY_NET_NET_INTERNAL_H

#include "net/net.h"
#include "wire/frame.h"

#include <uv.h>

enum {
    NET_READ_SIZE = 64 * 1024,          /* one shared buffer for ciphertext */
    NET_PLAIN_SIZE = TLS_RECORD_MAX,    /* one shared buffer for plain text */
    NET_WRITES_MAX = 2 * TLS_OUTPUT_MAX /* ciphertext with the kernel at a time */
};

enum connection_state {
    CONNECTION_RESOLVING,
    CONNECTION_CONNECTING,
    CONNECTION_HANDSHAKING,
    CONNECTION_SECURED, /* the peer is authenticated, its Hello is not */
    CONNECTION_GREETED,
    CONNECTION_CLOSING
};

struct outgoing { /* a frame that waits for TLS */
    struct buf bytes;
    size_t taken;
    struct outgoing *next;
};

struct connection {
    struct net *net;
    struct connection *next, *previous;
    uv_tcp_t tcp;
    uv_timer_t timer;
    unsigned handles; /* open handles and requests: freed with the last */
    enum connection_state state;
    bool dialled;
    bool opened; /* handlers.opened returned OK: handlers.closed is owed */
    bool ended;  /* uv_close was called */
    bool paused;
    bool reading;
    bool in_input; /* inside the reading of frames: no second one below it */
    struct code peer;
    struct address_key key;
    char address[NET_ADDRESS_TEXT];
    void *owner;
    struct tls *tls;
    struct frame_reader frames;
    struct outgoing *first, *last;
    size_t queued;  /* plain text that waits */
    size_t writing; /* ciphertext with the kernel */
    struct error why;
    struct dial *dial; /* until connected */
};

struct listener {
    uv_tcp_t tcp;
    uv_timer_t again; /* libuv listens no more until a connection that came is accepted */
    bool open;
    bool waiting; /* a connection waits for a descriptor, or for memory */
};

struct net {
    struct net_config config;
    struct listener listener;
    struct penalties *penalties;
    struct connection *connections;
    struct net_stats stats;
    size_t open; /* connections and handles that are not freed */
    size_t descriptors_max;
    size_t dials; /* so far: chooses among the addresses of a name */
    bool stopping;
    char *read_buffer;
    uint8_t *plain_buffer;
};

/* net.c */
int64_t net_now_ms(const struct net *net);
void net_event(struct net *net, const char *name, const char *format, ...) PRINTF_LIKE(3, 4);
void net_connection_gone(struct net *net); /* a descriptor is free again */

/* connection.c */
MUST_CHECK enum status connection_new(struct net *net,
                                      bool dialled,
                                      struct connection **ret_connection,
                                      struct error *err);
void connection_name_peer(struct connection *connection, const struct sockaddr *address);
/* TCP is there: TLS begins. */
void connection_start(struct connection *connection);
void connection_fail(struct connection *connection, enum status status, const char *text);
void connection_end(struct connection *connection); /* closes the handles now */
void connection_set_timer(struct connection *connection, uint64_t ms);
/* Judges a live connection by the present trust; false: refused, said in the log, closing. */
bool connection_recheck(struct connection *connection);
void connection_handle_closed(struct connection *connection); /* one handle or request less */

/* output.c */
void connection_pump(struct connection *connection);

/* dial.c */
void dial_free(struct dial *dial);
void dial_cancel(struct connection *connection);

#endif
