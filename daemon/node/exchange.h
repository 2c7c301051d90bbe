/* Sessions by peer: turns frames into sessions' effects, and effects into jobs for the store.
 *
 * No sockets and no libuv here: connections appear as `struct link`, and what must happen to them
 * goes out through `struct exchange_io`.  The daemon puts net behind it, the simulation its own
 * network; both drive this same code.  Everything runs on one thread (the loop's).
 *
 *   exchange_open ─▶ link ── exchange_receive* ──▶ exchange_closed (exactly once) ─▶ link is gone
 *
 * io->close() asks for an end; the owner answers with exchange_closed(), then or later.  Rules:
 *  - of two connections of one peer with one boot id, the dial of the smaller code stays;
 *  - two live boot ids of one code are a clone: the older connection is probed, and when it answers
 *    both are closed and both ends raise the alarm;
 *  - dials back off exponentially with jitter, bounded at minutes, and start over when the peer
 *    calls in.
 */
#ifndef COMITY_NODE_EXCHANGE_H
#define COMITY_NODE_EXCHANGE_H

#include "feed/feed.h"
#include "node/worker.h"
#include "session/session.h"

struct exchange;
struct link;

enum {
    LINKS_PER_PEER_MAX = 2,            /* one that is dying and its successor */
    CLONE_PROBE_MS = PROBE_TIMEOUT_MS, /* how long an older connection has to show that it lives */
    EXCHANGE_ADDRESS_SIZE = 301,
    /* Batches are read for a peer only while less waits for it: a slow one holds at most this,
     * those of one commit, and control frames. */
    EXCHANGE_QUEUE_LOW = 1024 * 1024 - FRAME_CONTROL_MAX,
    /* Batches that share a commit: another one is made while those before it have less. */
    EXCHANGE_PUBLISH_BYTES = 512 * 1024
};

/* The feed, as a table, so that tests can put fakes in its place. */
struct exchange_feed {
    struct feed_context *context;
    MUST_CHECK enum status (*heads)(struct feed_context *,
                                    const struct code *,
                                    struct heads *,
                                    struct error *);
    MUST_CHECK enum status (*resume)(struct feed_context *,
                                     const struct code *,
                                     const struct heads *,
                                     struct resume *,
                                     struct error *);
    MUST_CHECK enum status (*publish)(struct feed_context *,
                                      const struct code *,
                                      uint64_t,
                                      size_t,
                                      struct batch *,
                                      struct error *);
    MUST_CHECK enum status (*publish_sign)(struct feed_context *, struct batch *, struct error *);
    MUST_CHECK enum status (*take_receipt)(struct feed_context *,
                                           const struct code *,
                                           struct span,
                                           struct feed_verification *,
                                           struct error *);
    MUST_CHECK enum status (*ingest_check)(struct feed_context *,
                                           const struct code *,
                                           const struct batch *,
                                           struct error *);
    MUST_CHECK enum status (*ingest)(struct feed_context *,
                                     const struct code *,
                                     const struct batch *,
                                     struct feed_verification *,
                                     struct error *);
    MUST_CHECK enum status (*ingest_sign)(struct feed_context *,
                                          const struct code *,
                                          struct buf *,
                                          struct error *);
    MUST_CHECK enum status (*heal_read)(struct feed_context *,
                                        const struct code *,
                                        struct span,
                                        uint64_t,
                                        size_t,
                                        struct heal *,
                                        struct error *);
    MUST_CHECK enum status (*heal_apply)(struct feed_context *,
                                         const struct code *,
                                         const struct heal *,
                                         struct error *);
    MUST_CHECK enum status (*waiting)(
        struct feed_context *, struct code *, size_t, size_t *, struct error *);
    /* The peer's Hello is authenticated: remember when, and its boot id.  May be NULL. */
    MUST_CHECK enum status (*greeted)(struct feed_context *,
                                      const struct code *,
                                      const uint8_t boot_id[static BOOT_ID_SIZE],
                                      struct error *);
    /* An alarm of a session or of two live boot ids: into the journal.  May be NULL. */
    MUST_CHECK enum status (*alarm)(struct feed_context *,
                                    const struct code *,
                                    const char *text,
                                    struct error *);
};
/* The functions of feed.h over this context. */
struct exchange_feed exchange_feed(struct feed_context *context);

/* What the world does for the exchange.  `owner` is the value given to exchange_open. */
struct exchange_io {
    void *self;
    void (*send)(void *self, void *owner, struct buf *frame /* moved */);
    /* `why` is borrowed; `penalty`: the address misbehaved. */
    void (*close)(void *self, void *owner, const struct error *why, bool penalty);
    /* Stop or go on reading from this link (the store's queue is crowded). */
    void (*pause)(void *self, void *owner, bool paused);
    /* Bytes of frames that still wait to be written; exchange_drained() is called when they fall
     * below EXCHANGE_QUEUE_LOW. */
    size_t (*queued)(void *self, void *owner);
    /* Connect; the answer is exchange_open() or exchange_dial_failed(). */
    void (*dial)(void *self, const struct code *peer, const char *address);
    /* One event for the log, key=value pairs already in `fields`.  May be NULL. */
    void (*event)(void *self, const char *name, const struct code *peer, const char *fields);
};

struct exchange_config {
    struct realm realm;
    struct code self;
    uint8_t boot_id[BOOT_ID_SIZE];
    bool dial;
    struct clock *clock;
    struct random_source *random;
    struct worker *worker;
    struct exchange_feed feed;
    struct exchange_io io;
    /* A peer's card was replaced by one that came in its feed: address and revocation list may
     * differ.  Called with io.self; may be NULL. */
    void (*cards_changed)(void *self);
};

MUST_CHECK enum status exchange_new(const struct exchange_config *config,
                                    struct exchange **ret_exchange,
                                    struct error *err);
/* Every link must have been closed, and the worker be stopped; what remains is freed as well. */
void exchange_free(struct exchange *exchange);

/* The accepted peers and where to call them; replaces the list.  Links of peers that are no longer
 * on it are closed.  A held peer stays on it: what may pass then is the feed's decision. */
struct exchange_peer {
    struct code code;
    char address[EXCHANGE_ADDRESS_SIZE]; /* HOST:PORT; empty: it calls us */
};
MUST_CHECK enum status exchange_set_peers(struct exchange *exchange,
                                          const struct exchange_peer *peers,
                                          size_t count,
                                          struct error *err);

/* Whether this node calls its peers (configuration reloaded). */
void exchange_set_dial(struct exchange *exchange, bool dial);

struct link_config {
    struct code peer; /* as the certificate named it, verified */
    bool initiator;
    uint8_t exporter[EXPORTER_SIZE];
    void *owner;
    void *auth; /* see struct session_config; lives as long as the link */
    MUST_CHECK enum status (*auth_sign)(void *, struct span, struct buf *, struct error *);
    MUST_CHECK enum status (*auth_verify)(void *, struct span, struct span, struct error *);
};
/* A secured connection is there.  On failure the owner closes it and, when it dialled, calls
 * exchange_dial_failed(); no exchange_closed() then. */
MUST_CHECK enum status exchange_open(struct exchange *exchange,
                                     const struct link_config *config,
                                     struct link **ret_link,
                                     struct error *err);
void exchange_receive(struct link *link, struct span frame); /* without its length prefix */
/* io->queued() fell below EXCHANGE_QUEUE_LOW: a batch that was held back may be read now. */
void exchange_drained(struct link *link);
/* The frame reader refused a length (wire/frame.h). */
void exchange_refuse(struct link *link, const struct error *why);
void exchange_closed(struct link *link); /* the link is gone after this */
uint32_t exchange_frame_max(const struct link *link);
bool exchange_is_greeted(const struct link *link); /* the peer's Hello is authenticated */
void exchange_dial_failed(struct exchange *exchange,
                          const struct code *code,
                          const struct error *why);

/* Timers: call exchange_tick() at or after the deadline (monotonic). */
int64_t exchange_deadline_ms(const struct exchange *exchange);
void exchange_tick(struct exchange *exchange);
/* Something may have been queued for peers: ask the feed and wake their sessions. */
void exchange_wake(struct exchange *exchange);
/* Goodbye to all (clean stop). */
void exchange_stop(struct exchange *exchange, const char *text);

/* For status: how each peer stands. */
struct exchange_status {
    struct code code;
    bool connected; /* a link whose Hello is authenticated */
    enum session_state state;
    int64_t next_dial_ms; /* monotonic; INT64_MAX: none planned */
    uint32_t failed_dials;
    char last_error[256];
    struct session_stats stats;
};
size_t exchange_peers(const struct exchange *exchange,
                      struct exchange_status *ret_status,
                      size_t max);

#endif
