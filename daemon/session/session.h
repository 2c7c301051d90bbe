/* One connection's protocol, without I/O: frames, results and time in; effects out.
 *
 *                    start            Hello ok           RESUMED
 *   NEW ──────────▶ GREETING ──────▶ COMPARING ──────▶ RUNNING ─────┐
 *                      │                 │                │         │ stop, error, timeout
 *                      └─────────────────┴────────────────┴──────▶ CLOSED
 *
 * The owner (node/exchange, or the simulation) calls session_start() with the heads that the
 * database holds, then session_receive() for each whole frame, session_tick() at or after
 * session_deadline_ms(), and the session_on_...() function that answers each effect.  After every
 * call it drains session_next_effect() until that gives false.  Nothing here blocks, sleeps, reads
 * a clock, draws a random number or touches a file.
 *
 * Time is monotonic milliseconds.  Ownership: session_receive() borrows the frame and copies what
 * it keeps (a BATCH is moved into its effect); effects are owned by the caller once taken
 * (effect_fini()).
 */
#ifndef COMITY_SESSION_SESSION_H
#define COMITY_SESSION_SESSION_H

#include "base/batch.h"
#include "base/id.h"
#include "base/span.h"

struct session;

enum session_state {
    SESSION_NEW,
    SESSION_GREETING,  /* our Hello is out, the peer's has not come */
    SESSION_COMPARING, /* both Hellos are there, the database compares them */
    SESSION_RUNNING,
    SESSION_CLOSED,
    SESSION_STATE_COUNT
};
const char *session_state_name(enum session_state state);

enum { BOOT_ID_SIZE = 16, EXPORTER_SIZE = 32, FEATURES_MAX = 16 };

struct session_config {
    struct realm realm;
    struct code self;
    struct code peer; /* as the TLS certificate named it; the Hello must agree */
    bool initiator;   /* we dialled */
    uint8_t boot_id[BOOT_ID_SIZE];
    uint8_t exporter[EXPORTER_SIZE]; /* TLS exporter, label "EXPORTER-comity-hello" */
    /* Signs / verifies the Hello's binding bytes with the TLS role keys (DESIGN 5.1); injected
     * because the session knows no cryptography.  Called synchronously. */
    void *auth;
    MUST_CHECK enum status (*auth_sign)(void *auth,
                                        struct span bytes,
                                        struct buf *ret_signature,
                                        struct error *err);
    MUST_CHECK enum status (*auth_verify)(void *auth,
                                          struct span bytes,
                                          struct span signature,
                                          struct error *err);
};

enum effect_kind {
    EFFECT_SEND,         /* frame: write these bytes (length prefix included) to the connection */
    EFFECT_COMPARE,      /* peer_heads: run feed_resume, answer session_on_resumed */
    EFFECT_PUBLISH,      /* from, max_bytes: number what is queued or read what is numbered from
                          * there, answer session_on_published */
    EFFECT_INGEST,       /* batch: check and store, answer session_on_ingested */
    EFFECT_TAKE_RECEIPT, /* note: verify and store, answer session_on_receipt_taken */
    EFFECT_READ_HEAL,    /* origin, from: read headers for the peer, answer session_on_heal_read */
    EFFECT_APPLY_HEAL,   /* heal: store our own lost headers, answer session_on_healed */
    EFFECT_GREETED,      /* peer_boot_id: the Hello is authenticated; the owner looks for a second
                          * live connection of the same code (a clone) */
    EFFECT_ALARM,        /* text: tell the operator, journal it */
    EFFECT_CLOSE         /* status, text: close the connection; always the last effect */
};

struct effect {
    enum effect_kind kind;
    struct buf frame;
    struct heads peer_heads;
    uint64_t from;
    size_t max_bytes;
    struct batch batch;
    struct buf note;
    struct buf origin;
    struct heal heal;
    uint8_t peer_boot_id[BOOT_ID_SIZE];
    struct error error; /* CLOSE: why; ALARM: text */
    bool penalty;       /* CLOSE: the peer misbehaved; its address pays (HOSTILE.md) */
};
void effect_fini(struct effect *effect);

MUST_CHECK enum status session_new(const struct session_config *config,
                                   struct session **ret_session,
                                   struct error *err);
void session_free(struct session *session);

void session_start(struct session *session, int64_t now_ms, struct heads *own_heads /* moved */);
/* `frame` is what stood behind the length prefix.  A bad frame closes with a typed error. */
void session_receive(struct session *session, int64_t now_ms, struct span frame);
void session_tick(struct session *session, int64_t now_ms);
/* More is queued for this peer: publish when the window allows. */
void session_wake(struct session *session, int64_t now_ms);
/* Asks the peer to answer at once (to learn whether an older connection is still alive). */
void session_probe(struct session *session, int64_t now_ms);
/* Goodbye with this reason, then CLOSE. */
void session_stop(struct session *session, int64_t now_ms, enum status why, const char *text);

/* Answers to effects.  `err` NULL means success.  ERR_BUSY, ERR_FULL, ERR_IO, ERR_MEMORY close the
 * connection without blame; ERR_MISMATCH, ERR_SIGNATURE and ERR_INVALID blame the peer. */
void session_on_resumed(struct session *session,
                        int64_t now_ms,
                        struct resume *resume /* moved */,
                        const struct error *err);
void session_on_published(struct session *session,
                          int64_t now_ms,
                          struct batch *batch /* moved; no entries: nothing to send */,
                          const struct error *err);
void session_on_ingested(struct session *session,
                         int64_t now_ms,
                         struct span receipt_note,
                         const struct error *err);
void session_on_receipt_taken(struct session *session, int64_t now_ms, const struct error *err);
void session_on_heal_read(struct session *session,
                          int64_t now_ms,
                          struct heal *heal /* moved */,
                          const struct error *err);
void session_on_healed(struct session *session, int64_t now_ms, const struct error *err);

bool session_next_effect(struct session *session, struct effect *ret_effect);
int64_t session_deadline_ms(const struct session *session); /* INT64_MAX when closed */
enum session_state session_state(const struct session *session);
/* Largest frame that may arrive now; the frame reader refuses a longer prefix before buffering. */
uint32_t session_frame_max(const struct session *session);
/* Bytes and batches in flight, last liveness, counters: for status and metrics. */
struct session_stats {
    size_t window_batches;
    size_t window_bytes;
    int64_t last_heard_ms;
    uint64_t batches_sent, batches_received, receipts_sent, receipts_received;
};
struct session_stats session_stats(const struct session *session);

#endif
