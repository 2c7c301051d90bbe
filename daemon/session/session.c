/* Lifetime, states, time and the end of a session. */
#include "session/session.h"

#include "base/memory.h"
#include "session/greeting.h"
#include "session/internal.h"

#include <assert.h>
#include <string.h>

const char *session_state_name(enum session_state state)
{
    static const char *const names[SESSION_STATE_COUNT] = {
        [SESSION_NEW] = "new",
        [SESSION_GREETING] = "greeting",
        [SESSION_COMPARING] = "comparing",
        [SESSION_RUNNING] = "running",
        [SESSION_CLOSED] = "closed",
    };
    return state < SESSION_STATE_COUNT ? names[state] : "unknown";
}

/* The picture of session.h as a mask. */
void session_move(struct session *session, enum session_state to)
{
    static const unsigned next[SESSION_STATE_COUNT] = {
        [SESSION_NEW] = 1 << SESSION_GREETING | 1 << SESSION_CLOSED,
        [SESSION_GREETING] = 1 << SESSION_COMPARING | 1 << SESSION_CLOSED,
        [SESSION_COMPARING] = 1 << SESSION_RUNNING | 1 << SESSION_CLOSED,
        [SESSION_RUNNING] = 1 << SESSION_CLOSED,
    };
    bool allowed = (next[session->state] >> to & 1) != 0;
    assert(allowed);
    (void)allowed; /* where assertions are off */
    session->state = to;
}

enum status session_new(const struct session_config *config,
                        struct session **ret_session,
                        struct error *err)
{
    struct session *session = mem_calloc(1, sizeof *session);
    if (session == NULL)
        return error_set(err, ERR_MEMORY, "no memory for a session");
    session->config = *config;
    session->probe_deadline_ms = INT64_MAX;
    *ret_session = session;
    return OK;
}

void session_free(struct session *session)
{
    if (session == NULL)
        return;
    effect_queue_fini(&session->effects);
    effect_queue_fini(&session->held);
    buf_fini(&session->early);
    buf_fini(&session->heal_origin);
    buf_fini(&session->origin);
    buf_fini(&session->healing_origin);
    mem_wipe(session->config.exporter, sizeof session->config.exporter);
    mem_free(session);
}

/* -- effects ----------------------------------------------------------------------------------- */

void session_want(struct session *session, struct effect *effect)
{
    struct error err = ERROR_INIT;
    if (session->state == SESSION_CLOSED)
        effect_fini(effect);
    else if (effect_push(&session->effects, effect, &err) != OK)
        session_fail(session, &err, false);
}

void session_send(struct session *session, struct buf *frame)
{
    struct effect effect = { .kind = EFFECT_SEND, .frame = buf_move(frame) };
    session_want(session, &effect);
}

void session_send_number(struct session *session, enum message_kind kind, uint64_t number)
{
    struct error err = ERROR_INIT;
    struct buf frame = BUF_INIT;
    if (codec_encode_number(kind, number, &frame, &err) == OK)
        session_send(session, &frame);
    else
        session_fail(session, &err, false);
    buf_fini(&frame);
}

bool session_next_effect(struct session *session, struct effect *ret_effect)
{
    if (effect_pop(&session->effects, ret_effect))
        return true;
    if (!session->close_due)
        return false;
    session->close_due = false;
    *ret_effect = (struct effect){
        .kind = EFFECT_CLOSE,
        .error = session->close_error,
        .penalty = session->close_penalty,
    };
    return true;
}

/* -- the end ----------------------------------------------------------------------------------- */

/* A failure of the peer, if it can be one at all: of its bytes, or of their order. */
static bool is_blame(enum status status)
{
    return status == ERR_INVALID || status == ERR_LIMIT || status == ERR_SIGNATURE ||
           status == ERR_MISMATCH || status == ERR_WRONG_STATE;
}

/* Best effort: without memory for it the connection ends without a word. */
static void say_goodbye(struct session *session, enum status why, const char *text)
{
    struct effect effect = { .kind = EFFECT_SEND };
    enum status status = codec_encode_goodbye(goodbye_reason_of(why), text, &effect.frame, NULL);
    if (status == OK)
        status = effect_push(&session->effects, &effect, NULL);
    if (status != OK)
        effect_fini(&effect);
}

void session_close(struct session *session,
                   const struct error *err,
                   bool penalty,
                   enum status said,
                   const char *text)
{
    if (session->state == SESSION_CLOSED)
        return;
    /* PROTOCOL 5.9: "a sender leaves it out until the hearer's Hello is accepted" */
    bool greeted = session->state == SESSION_COMPARING || session->state == SESSION_RUNNING;
    say_goodbye(session, said, greeted ? text : NULL);
    effect_queue_fini(&session->held);
    session->close_due = true;
    session->close_error = *err;
    session->close_penalty = penalty;
    session_move(session, SESSION_CLOSED);
}

void session_fail(struct session *session, const struct error *err, bool peer_can_be_wrong)
{
    bool blame = peer_can_be_wrong && is_blame(err->status);
    /* Our own troubles may name paths and people: the peer learns only that there are some. */
    session_close(session, err, blame, err->status, blame ? err->text : NULL);
}

bool session_answer_failed(struct session *session, const struct error *err, bool peer_can_be_wrong)
{
    if (err == NULL || err->status == OK)
        return false;
    /* Any other status of our own database is not the peer's fault, and not for it to know. */
    bool blame = peer_can_be_wrong && (err->status == ERR_MISMATCH ||
                                       err->status == ERR_SIGNATURE || err->status == ERR_INVALID);
    bool may_know = blame || err->status == ERR_DENIED;
    session_close(session, err, blame, may_know ? err->status : ERR_BUSY, blame ? err->text : NULL);
    return true;
}

void session_internal(struct session *session, const char *what)
{
    struct error err = ERROR_INIT;
    error_set(&err, ERR_INTERNAL, "session: %s", what);
    session_fail(session, &err, false);
}

void session_stop(struct session *session, int64_t now_ms, enum status why, const char *text)
{
    (void)now_ms;
    struct error err = ERROR_INIT;
    error_set(&err, why, "%s", text == NULL ? "" : text);
    session_close(session, &err, false, why, text);
}

void session_refuse(struct session *session, int64_t now_ms, const struct error *err)
{
    (void)now_ms;
    session_fail(session, err, true);
}

/* -- frames ------------------------------------------------------------------------------------ */

void session_start(struct session *session, int64_t now_ms, struct heads *own_heads)
{
    if (session->state != SESSION_NEW) {
        heads_fini(own_heads);
        if (session->state != SESSION_CLOSED)
            session_internal(session, "started twice");
        return;
    }
    struct error err = ERROR_INIT;
    struct buf frame = BUF_INIT;
    enum status status = greeting_encode(&session->config, own_heads, &frame, &err);
    heads_fini(own_heads);
    if (status == OK) {
        session_move(session, SESSION_GREETING);
        session->started_ms = session->last_heard_ms = now_ms;
        session_send(session, &frame);
    } else {
        session_fail(session, &err, false);
    }
    buf_fini(&frame);
    if (session->early.size > 0)
        session_receive(session, now_ms, buf_span(&session->early));
    buf_fini(&session->early);
}

uint32_t session_frame_max(const struct session *session)
{
    bool greeted = session->state == SESSION_COMPARING || session->state == SESSION_RUNNING;
    return greeted ? FRAME_BATCH_MAX : FRAME_BEFORE_HELLO_MAX;
}

static enum status keep_early(struct session *session, struct span frame, struct error *err)
{
    if (session->early.size > 0)
        return error_set(err, ERR_WRONG_STATE, "two frames before our Hello");
    return buf_append(&session->early, frame, err);
}

static void judge(struct session *session, int64_t now_ms, struct span frame)
{
    struct error err = ERROR_INIT;
    struct message message;
    if (frame.size > session_frame_max(session)) {
        error_set(&err, ERR_LIMIT, "frame of %zu bytes > %u", frame.size,
                  (unsigned)session_frame_max(session));
    } else if (session->state == SESSION_NEW) {
        (void)!keep_early(session, frame, &err);
    } else if (codec_decode(frame, &message, &err) == OK) {
        inbound_dispatch(session, now_ms, frame.size, &message);
        message_fini(&message);
    }
    if (err.status != OK)
        session_fail(session, &err, true);
}

void session_receive(struct session *session, int64_t now_ms, struct span frame)
{
    if (session->state == SESSION_CLOSED)
        return;
    session->last_heard_ms = now_ms;
    session->probe_deadline_ms = INT64_MAX;
    judge(session, now_ms, frame);
}

/* -- time -------------------------------------------------------------------------------------- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static bool is_live(const struct session *session)
{
    return session->state == SESSION_COMPARING || session->state == SESSION_RUNNING;
}

static int64_t ping_due_ms(const struct session *session)
{
    return session->ping_out ? INT64_MAX : session->last_heard_ms + PING_INTERVAL_MS;
}

int64_t session_deadline_ms(const struct session *session)
{
    if (session->state == SESSION_GREETING)
        return session->started_ms + HELLO_TIMEOUT_MS;
    if (!is_live(session))
        return INT64_MAX;
    int64_t heard = earlier(session->last_heard_ms + IDLE_TIMEOUT_MS, session->probe_deadline_ms);
    return earlier(earlier(heard, ping_due_ms(session)), outbound_deadline_ms(session));
}

void session_send_ping(struct session *session)
{
    session->ping_out = true;
    session_send_number(session, MESSAGE_PING, ++session->ping_number);
}

static void time_out(struct session *session, bool penalty, const char *what)
{
    struct error err = ERROR_INIT;
    error_set(&err, ERR_EXPIRED, "%s", what);
    session_close(session, &err, penalty, err.status, err.text);
}

void session_tick(struct session *session, int64_t now_ms)
{
    if (now_ms < session_deadline_ms(session))
        return;
    if (session->state == SESSION_GREETING)
        time_out(session, true, "no Hello within 5 s");
    else if (now_ms >= session->last_heard_ms + IDLE_TIMEOUT_MS)
        time_out(session, false, "nothing heard for 120 s");
    else if (now_ms >= session->probe_deadline_ms)
        time_out(session, false, "no answer to a probe within 10 s");
    else if (now_ms >= outbound_deadline_ms(session))
        time_out(session, false, "no receipt for 60 s");
    else
        session_send_ping(session);
}

void session_probe(struct session *session, int64_t now_ms)
{
    if (!is_live(session) || session->probe_deadline_ms != INT64_MAX)
        return;
    session->probe_deadline_ms = now_ms + PROBE_TIMEOUT_MS;
    session->probe_answered = false;
    session->probe_number = session->ping_number + 1; /* a Pong on its way may be of a dead peer */
    if (!session->ping_out)
        session_send_ping(session);
}

bool session_probe_answered(const struct session *session)
{
    return session->probe_answered;
}

/* -- to look at -------------------------------------------------------------------------------- */

enum session_state session_state(const struct session *session)
{
    return session->state;
}

struct session_stats session_stats(const struct session *session)
{
    struct session_stats stats = session->stats;
    stats.window_batches = session->sent.count;
    stats.window_bytes = session->sent.bytes;
    stats.inbound_batches = session->arrived.count;
    stats.inbound_bytes = session->arrived.bytes;
    stats.last_heard_ms = session->last_heard_ms;
    return stats;
}
