/* One connection's protocol, without I/O: frames, results and time in; effects out (PROTOCOL 7).
 *
 *                    start            Hello ok           resumed
 *   NEW ──────────▶ GREETING ──────▶ COMPARING ──────▶ RUNNING ─────┐
 *    │                 │                 │                │         │ stop, Goodbye, error, timeout
 *    └─────────────────┴─────────────────┴────────────────┴──────▶ CLOSED
 *
 *   takes:  (one early   Hello       Batch and Heal   everything
 *           frame,       Goodbye     (kept), Ping,    but Hello
 *           kept)                    Pong, Goodbye
 *
 * The owner (node/exchange, or the simulation) calls session_start() with the heads that the
 * database holds, then session_receive() for each whole frame, session_tick() at or after
 * session_deadline_ms(), and the session_on_...() function that answers each effect.  After every
 * call it drains session_next_effect() until that gives false.  Nothing here blocks, sleeps, reads
 * a clock, draws a random number or touches a file.
 *
 * Answers to effects of one kind come in the order of the effects.  After CLOSED every call is
 * allowed and does nothing (moved arguments are freed), so that late answers need no care.
 *
 * Time is monotonic milliseconds.  Ownership: session_receive() borrows the frame and copies what
 * it keeps (a BATCH is moved into its effect); effects are owned by the caller once taken
 * (effect_fini()).  Memory: at most SESSION_WINDOW_BYTES of batches that wait for the comparison,
 * besides effects that were not drained; an idle session takes about 2 KiB.
 */
#ifndef COMITY_SESSION_SESSION_H
#define COMITY_SESSION_SESSION_H

#include "base/batch.h"
#include "base/id.h"
#include "base/limits.h"
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

struct session_config {
    struct realm realm;
    struct code self;
    struct code peer; /* as the TLS certificate named it; the Hello must agree */
    bool initiator;   /* we dialled */
    uint8_t boot_id[BOOT_ID_SIZE];
    uint8_t exporter[EXPORTER_SIZE]; /* TLS exporter, label "EXPORTER-comity-hello" */
    uint32_t features[FEATURES_MAX]; /* what we announce (PROTOCOL 5.3); version 1 has none */
    size_t feature_count;
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
    EFFECT_GREETED,      /* peer_boot_id, features: the Hello is authenticated; the owner looks for
                          * a second live connection of the same code (a clone) */
    EFFECT_COMPARE,      /* peer_heads: run feed_resume, answer session_on_resumed */
    EFFECT_PUBLISH,      /* from, max_bytes: number what is queued or read what is numbered from
                          * there, answer session_on_published; one at a time.  So many as
                          * max_batches will be asked for in turn: they may be made together */
    EFFECT_INGEST,       /* batch: check and store, answer session_on_ingested */
    EFFECT_TAKE_RECEIPT, /* note: verify and store, answer session_on_receipt_taken */
    EFFECT_READ_HEAL,    /* origin, from, max_bytes: read headers for the peer, answer
                          * session_on_heal_read; one at a time */
    EFFECT_APPLY_HEAL,   /* heal: store our own lost headers, answer session_on_healed; one at a
                          * time */
    EFFECT_ALARM,        /* error.text: tell the operator, journal it (of the comparison, or of a
                          * peer that says goodbye for a fork or a clone) */
    EFFECT_CLOSE,        /* error, penalty: close the connection when what was sent before is
                          * written; always the last effect */
    EFFECT_KIND_COUNT
};
const char *effect_kind_name(enum effect_kind kind);

struct effect {
    enum effect_kind kind;
    struct buf frame;
    struct heads peer_heads;
    uint64_t from;
    size_t max_bytes;
    size_t max_batches;
    struct batch batch;
    struct buf note;
    struct buf origin;
    struct heal heal;
    uint8_t peer_boot_id[BOOT_ID_SIZE];
    uint32_t features[FEATURES_MAX];
    size_t feature_count;
    struct error error; /* CLOSE: why (OK: a clean end); ALARM: text */
    bool penalty;       /* CLOSE: the peer misbehaved; its address pays (HOSTILE.md) */
};
void effect_fini(struct effect *effect);

MUST_CHECK enum status session_new(const struct session_config *config,
                                   struct session **ret_session,
                                   struct error *err);
void session_free(struct session *session);

void session_start(struct session *session, int64_t now_ms, struct heads *own_heads /* moved */);
/* `frame` is what stood behind the length prefix.  A bad frame closes with a typed error.  One
 * frame that comes before session_start() is kept until then. */
void session_receive(struct session *session, int64_t now_ms, struct span frame);
/* The frame reader refused a length (frame_reader_take): closes, with blame unless ERR_MEMORY. */
void session_refuse(struct session *session, int64_t now_ms, const struct error *err);
void session_tick(struct session *session, int64_t now_ms);
/* More is queued for this peer: publish when the window allows. */
void session_wake(struct session *session, int64_t now_ms);
/* Asks the peer to answer at once (to learn whether an older connection is still alive); closes
 * without blame when nothing at all is heard for PROBE_TIMEOUT_MS. */
void session_probe(struct session *session, int64_t now_ms);
/* Whether the Pong to the Ping of the last probe came: a process that sent it was alive after the
 * probe.  (Anything else may have been under way when it died.) */
bool session_probe_answered(const struct session *session);
/* Goodbye with this reason, then CLOSE.  The text goes to the peer: nothing confidential. */
void session_stop(struct session *session, int64_t now_ms, enum status why, const char *text);

/* Answers to effects.  `err` NULL (or with status OK) means success.  ERR_BUSY, ERR_FULL, ERR_IO,
 * ERR_MEMORY and others close the connection without blame; ERR_MISMATCH, ERR_SIGNATURE and
 * ERR_INVALID blame the peer, except where only we can be wrong (published, heal_read). */
void session_on_resumed(struct session *session,
                        int64_t now_ms,
                        struct resume *resume /* moved */,
                        const struct error *err);
void session_on_published(struct session *session,
                          int64_t now_ms,
                          struct batch *batch /* moved; no entries: nothing to send */,
                          const struct error *err);
/* The receipt may cover later batches of the same group; one that says nothing new is not sent, and
 * may be empty. */
void session_on_ingested(struct session *session,
                         int64_t now_ms,
                         struct span receipt_note,
                         const struct error *err);
void session_on_receipt_taken(struct session *session, int64_t now_ms, const struct error *err);
void session_on_heal_read(struct session *session,
                          int64_t now_ms,
                          struct heal *heal /* moved; no headers and last: nothing to hand back */,
                          const struct error *err);
void session_on_healed(struct session *session, int64_t now_ms, const struct error *err);

bool session_next_effect(struct session *session, struct effect *ret_effect);
int64_t session_deadline_ms(const struct session *session); /* INT64_MAX: NEW, CLOSED */
enum session_state session_state(const struct session *session);
/* Largest frame that may arrive now; the frame reader refuses a longer prefix before buffering. */
uint32_t session_frame_max(const struct session *session);
/* Bytes and batches in flight, last liveness, counters: for status and metrics. */
struct session_stats {
    size_t window_batches; /* sent, and no receipt taken yet */
    size_t window_bytes;
    size_t inbound_batches; /* received, and not yet ingested */
    size_t inbound_bytes;
    int64_t last_heard_ms;
    uint64_t batches_sent, batches_received, receipts_sent, receipts_received;
};
struct session_stats session_stats(const struct session *session);

#endif
