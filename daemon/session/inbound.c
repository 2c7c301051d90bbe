/* What the peer sends: one function for each kind of message.
 *
 * Each gives OK, or the status that ends the connection; the caller does the closing.
 */
#include "session/internal.h"

#include "session/greeting.h"
#include "wire/heading.h"

#include <string.h>

/* Effects of the peer's messages wait while its Hello is being compared. */
static enum status want_when_running(struct session *session,
                                     struct effect *effect,
                                     struct error *err)
{
    if (session->state == SESSION_COMPARING)
        return effect_push(&session->held, effect, err);
    return effect_push(&session->effects, effect, err);
}

/* -- Hello ------------------------------------------------------------------------------------- */

static enum status inbound_hello(struct session *session, struct hello *hello, struct error *err)
{
    enum status status = greeting_check(&session->config, hello, err);
    if (status != OK)
        return status;
    struct effect greeted = { .kind = EFFECT_GREETED, .feature_count = hello->feature_count };
    memcpy(greeted.peer_boot_id, hello->boot_id, sizeof greeted.peer_boot_id);
    memcpy(greeted.features, hello->features, sizeof greeted.features);
    status = effect_push(&session->effects, &greeted, err);
    struct effect compare = { .kind = EFFECT_COMPARE, .peer_heads = heads_move(&hello->heads) };
    if (status == OK)
        status = effect_push(&session->effects, &compare, err);
    effect_fini(&compare);
    if (status != OK)
        return status;
    session->compare_out = true;
    session_move(session, SESSION_COMPARING);
    return OK;
}

/* What resume->outcome says when nobody may go on; OK otherwise. */
static enum status outcome_refused(const struct resume *resume, struct error *err)
{
    switch (resume->outcome) {
    case RESUME_IN_STEP:
    case RESUME_RECOVERED:
        return OK;
    case RESUME_FORK:
        return error_set(err, ERR_MISMATCH, "the two nodes hold different histories of one feed");
    case RESUME_HELD:
        return error_set(err, ERR_DENIED, "held until an operator decides");
    }
    return error_set(err, ERR_INTERNAL, "unknown outcome of the comparison");
}

static void resumed(struct session *session, int64_t now_ms, struct resume *resume)
{
    if (resume->alarm[0] != 0) {
        struct effect alarm = { .kind = EFFECT_ALARM };
        error_set(&alarm.error, OK, "%s", resume->alarm);
        session_want(session, &alarm);
    }
    struct error err = ERROR_INIT;
    if (outcome_refused(resume, &err) != OK) {
        session_close(session, &err, false, err.status, err.text);
        return;
    }
    if (session->state == SESSION_CLOSED) /* no memory for the alarm */
        return;
    session_move(session, SESSION_RUNNING);
    effect_move_all(&session->effects, &session->held);
    outbound_start(session, now_ms, resume);
}

void session_on_resumed(struct session *session,
                        int64_t now_ms,
                        struct resume *resume,
                        const struct error *err)
{
    if (session->state != SESSION_CLOSED && !session_answer_failed(session, err, true)) {
        if (session->compare_out) {
            session->compare_out = false;
            resumed(session, now_ms, resume);
        } else {
            session_internal(session, "the heads were compared unasked");
        }
    }
    resume_fini(resume);
}

/* -- Batch ------------------------------------------------------------------------------------- */

/* PROTOCOL 7.4: "All Batches of one connection MUST have the same origin, and each MUST begin where
 * the one before it ended." */
static enum status check_order(struct session *session,
                               const struct batch *batch,
                               struct error *err)
{
    if (session->origin.size == 0)
        return buf_append(&session->origin, batch->origin, err);
    if (!span_equal(batch->origin, buf_span(&session->origin)))
        return error_set(err, ERR_INVALID, "Batch of another feed than the ones before");
    if (batch->first_index != session->expected) {
        return error_set(err, ERR_INVALID, "Batch begins at %llu, must begin at %llu",
                         (unsigned long long)batch->first_index,
                         (unsigned long long)session->expected);
    }
    return OK;
}

static enum status inbound_batch(struct session *session,
                                 size_t frame_size,
                                 struct batch *batch,
                                 struct error *err)
{
    enum status status = check_order(session, batch, err);
    if (status == OK)
        status = window_arrived(&session->arrived, batch_end(batch), frame_size, err);
    if (status != OK)
        return status;
    session->expected = batch_end(batch);
    session->stats.batches_received++;
    struct effect effect = { .kind = EFFECT_INGEST, .batch = batch_move(batch) };
    return want_when_running(session, &effect, err);
}

/* A receipt may cover a whole group of batches; the ones behind it then have nothing to add. */
static void send_receipt(struct session *session, struct span note)
{
    struct error err = ERROR_INIT;
    struct heading heading;
    struct buf frame = BUF_INIT;
    if (note.size == 0)
        return;
    if (heading_read(note, &heading, &err) != OK) {
        session_internal(session, "the receipt to send is no checkpoint");
        return;
    }
    if (heading.size <= session->receipt_sent)
        return;
    if (codec_encode_receipt(note, &frame, &err) == OK) {
        session->receipt_sent = heading.size;
        session->stats.receipts_sent++;
        session_send(session, &frame);
    } else {
        session_fail(session, &err, false);
    }
    buf_fini(&frame);
}

void session_on_ingested(struct session *session,
                         int64_t now_ms,
                         struct span receipt_note,
                         const struct error *err)
{
    (void)now_ms;
    if (session->state == SESSION_CLOSED || session_answer_failed(session, err, true))
        return;
    if (window_stored(&session->arrived))
        send_receipt(session, receipt_note);
    else
        session_internal(session, "a batch was ingested unasked");
}

/* -- Heal -------------------------------------------------------------------------------------- */

static enum status check_heal(struct session *session, const struct heal *heal, struct error *err)
{
    /* PROTOCOL 9.2: "The next Heal MUST NOT be sent before the HealTaken of the one before." */
    if (session->healing)
        return error_set(err, ERR_LIMIT, "Heal before the one before it was taken");
    if (session->healed)
        return error_set(err, ERR_INVALID, "Heal after the last one of its series");
    if (session->healing_origin.size == 0)
        return buf_append(&session->healing_origin, heal->origin, err);
    if (!span_equal(heal->origin, buf_span(&session->healing_origin)))
        return error_set(err, ERR_INVALID, "Heal of another feed than the one before");
    if (heal->first_index != session->healing_next) {
        return error_set(err, ERR_INVALID, "Heal begins at %llu, must begin at %llu",
                         (unsigned long long)heal->first_index,
                         (unsigned long long)session->healing_next);
    }
    return OK;
}

static enum status inbound_heal(struct session *session, struct heal *heal, struct error *err)
{
    enum status status = check_heal(session, heal, err);
    if (status != OK)
        return status;
    session->healing = true;
    session->healed = heal->last;
    session->healing_next = heal->first_index + heal->header_count;
    struct effect effect = { .kind = EFFECT_APPLY_HEAL, .heal = heal_move(heal) };
    return want_when_running(session, &effect, err);
}

void session_on_healed(struct session *session, int64_t now_ms, const struct error *err)
{
    (void)now_ms;
    if (session->state == SESSION_CLOSED || session_answer_failed(session, err, true))
        return;
    if (!session->healing) {
        session_internal(session, "headers were stored unasked");
        return;
    }
    session->healing = false;
    session_send_number(session, MESSAGE_HEAL_TAKEN, session->healing_next);
}

/* -- Ping, Pong, Goodbye ----------------------------------------------------------------------- */

static enum status inbound_ping(struct session *session,
                                int64_t now_ms,
                                uint64_t number,
                                struct error *err)
{
    if (now_ms - session->pings_since_ms >= PING_INTERVAL_MS) {
        session->pings_since_ms = now_ms;
        session->pings = 0;
    }
    /* PROTOCOL 7.5: "A node that gets more than 16 Pings in 30 seconds MAY close." */
    if (++session->pings > PINGS_PER_INTERVAL_MAX)
        return error_set(err, ERR_LIMIT, "more than %d Pings in %d s", PINGS_PER_INTERVAL_MAX,
                         PING_INTERVAL_MS / 1000);
    session_send_number(session, MESSAGE_PONG, number);
    return OK;
}

static enum status inbound_pong(struct session *session, uint64_t number, struct error *err)
{
    if (!session->ping_out || number != session->ping_number)
        return error_set(err, ERR_INVALID, "Pong that answers no Ping");
    session->ping_out = false;
    if (number == session->probe_number)
        session->probe_answered = true;
    else if (number < session->probe_number)
        session_send_ping(session); /* the probe waited for an earlier Pong */
    return OK;
}

static void alarm_of_peer(struct session *session, enum status why, const char *text)
{
    struct effect alarm = { .kind = EFFECT_ALARM };
    const char *what = why == ERR_MISMATCH ? "the peer found that our histories of a feed differ"
                                           : "the peer found two nodes running under our code";
    error_set(&alarm.error, OK, "%s%s%s", what, text[0] == 0 ? "" : "; it says: ", text);
    session_want(session, &alarm);
}

/* The peer has said why and reads no more: no Goodbye of our own. */
static void inbound_goodbye(struct session *session, const struct message *message)
{
    uint32_t reason = message->number <= UINT32_MAX ? (uint32_t)message->number : 0;
    bool greeted = session->state != SESSION_GREETING;
    enum status why = goodbye_status_of(reason);
    effect_queue_fini(&session->held);
    /* PROTOCOL 5.9: "Reasons 7 and 12 MUST raise an alarm at the hearer as well" */
    if (greeted && (why == ERR_MISMATCH || why == ERR_CONFLICT))
        alarm_of_peer(session, why, message->text);
    if (session->state == SESSION_CLOSED) /* no memory for the alarm */
        return;
    session->close_due = true;
    error_set(&session->close_error, why, "the peer closed (%s)%s%s", status_name(why),
              message->text[0] == 0 ? "" : ": ", message->text);
    session_move(session, SESSION_CLOSED);
}

/* -- all --------------------------------------------------------------------------------------- */

static enum status dispatch(struct session *session,
                            int64_t now_ms,
                            size_t frame_size,
                            struct message *message,
                            struct error *err)
{
    switch (message->kind) {
    case MESSAGE_HELLO:
        return inbound_hello(session, &message->hello, err);
    case MESSAGE_BATCH:
        return inbound_batch(session, frame_size, &message->batch, err);
    case MESSAGE_RECEIPT:
        return outbound_take_receipt(session, message, err);
    case MESSAGE_HEAL:
        return inbound_heal(session, &message->heal, err);
    case MESSAGE_HEAL_TAKEN:
        return outbound_heal_taken(session, message->number, err);
    case MESSAGE_PING:
        return inbound_ping(session, now_ms, message->number, err);
    case MESSAGE_PONG:
        return inbound_pong(session, message->number, err);
    case MESSAGE_GOODBYE:
        inbound_goodbye(session, message);
        return OK;
    case MESSAGE_KIND_COUNT:
        break;
    }
    return error_set(err, ERR_INTERNAL, "no function for this kind of message");
}

/* PROTOCOL 7.2: the table of what may come when. */
static bool is_allowed(enum session_state state, enum message_kind kind)
{
    enum {
        ALWAYS = 1 << MESSAGE_GOODBYE,
        GREETED =
            ALWAYS | 1 << MESSAGE_BATCH | 1 << MESSAGE_HEAL | 1 << MESSAGE_PING | 1 << MESSAGE_PONG,
    };
    static const unsigned allowed[SESSION_STATE_COUNT] = {
        [SESSION_GREETING] = ALWAYS | 1 << MESSAGE_HELLO,
        [SESSION_COMPARING] = GREETED,
        [SESSION_RUNNING] = GREETED | 1 << MESSAGE_RECEIPT | 1 << MESSAGE_HEAL_TAKEN,
    };
    return (allowed[state] >> kind & 1) != 0;
}

void inbound_dispatch(struct session *session,
                      int64_t now_ms,
                      size_t frame_size,
                      struct message *message)
{
    struct error err = ERROR_INIT;
    enum status status = OK;
    if (!is_allowed(session->state, message->kind)) {
        status = error_set(&err, ERR_WRONG_STATE, "%s is not allowed while %s",
                           message_kind_name(message->kind), session_state_name(session->state));
    } else {
        status = dispatch(session, now_ms, frame_size, message, &err);
    }
    if (status != OK)
        session_fail(session, &err, true);
}
