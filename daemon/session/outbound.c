/* Publishing to the peer within the window, and handing back what it lost. */
#include "session/internal.h"

#include "wire/heading.h"

#include <string.h>

/* -- publishing -------------------------------------------------------------------------------- */

void outbound_publish(struct session *session)
{
    bool may = session->state == SESSION_RUNNING && !session->publish_out;
    if (!may || !session->publish_wanted || !window_has_room(&session->sent))
        return;
    session->publish_wanted = false;
    session->publish_out = true;
    struct effect effect = {
        .kind = EFFECT_PUBLISH,
        .from = session->next_index,
        .max_bytes = BATCH_BYTES_MAX,
        .max_batches = SESSION_WINDOW_BATCHES - session->sent.count,
    };
    session_want(session, &effect);
}

void session_wake(struct session *session, int64_t now_ms)
{
    (void)now_ms;
    session->publish_wanted = true;
    outbound_publish(session);
}

static void send_batch(struct session *session, int64_t now_ms, const struct batch *batch)
{
    struct error err = ERROR_INIT;
    struct buf frame = BUF_INIT;
    uint64_t end = batch_end(batch);
    if (codec_encode_batch(batch, &frame, &err) != OK) {
        session_fail(session, &err, false);
        buf_fini(&frame);
        return;
    }
    window_sent(&session->sent, end, frame.size - FRAME_HEAD_SIZE, now_ms);
    session->next_index = end;
    session->stats.batches_sent++;
    if (!batch->is_last) /* otherwise a wake says when there is more */
        session->publish_wanted = true;
    session_send(session, &frame);
    outbound_publish(session);
}

void session_on_published(struct session *session,
                          int64_t now_ms,
                          struct batch *batch,
                          const struct error *err)
{
    if (session->state == SESSION_CLOSED || session_answer_failed(session, err, false)) {
        batch_fini(batch);
        return;
    }
    bool asked = session->publish_out;
    session->publish_out = false;
    if (!asked)
        session_internal(session, "a batch was published unasked");
    else if (batch->entry_count == 0)
        outbound_publish(session); /* something may have been queued in the meantime */
    else if (batch->first_index != session->next_index)
        session_internal(session, "the published batch does not begin where it was asked for");
    else
        send_batch(session, now_ms, batch);
    batch_fini(batch);
}

enum status outbound_take_receipt(struct session *session,
                                  struct message *message,
                                  struct error *err)
{
    struct heading heading;
    enum status status = heading_read(buf_span(&message->note), &heading, err);
    if (status == OK)
        status = window_receipt(&session->sent, heading.size, err);
    if (status != OK)
        return status;
    session->stats.receipts_received++;
    struct effect effect = { .kind = EFFECT_TAKE_RECEIPT, .note = buf_move(&message->note) };
    session_want(session, &effect);
    return OK;
}

void session_on_receipt_taken(struct session *session, int64_t now_ms, const struct error *err)
{
    if (session->state == SESSION_CLOSED || session_answer_failed(session, err, true))
        return;
    if (!window_expects_answer(&session->sent)) {
        session_internal(session, "a receipt was taken unasked");
        return;
    }
    window_taken(&session->sent, now_ms);
    outbound_publish(session);
}

/* -- healing the peer -------------------------------------------------------------------------- */

static void read_heal(struct session *session)
{
    struct error err = ERROR_INIT;
    struct effect effect = {
        .kind = EFFECT_READ_HEAL,
        .from = session->heal_next,
        .max_bytes = HEAL_BYTES_MAX,
    };
    if (buf_append(&effect.origin, buf_span(&session->heal_origin), &err) != OK) {
        session_fail(session, &err, false);
        return;
    }
    session->heal_read_out = true;
    session_want(session, &effect);
}

static void send_heal(struct session *session, int64_t now_ms, const struct heal *heal)
{
    struct error err = ERROR_INIT;
    struct buf frame = BUF_INIT;
    if (codec_encode_heal(heal, &frame, &err) != OK) {
        session_fail(session, &err, false);
        buf_fini(&frame);
        return;
    }
    session->heal_next += heal->header_count;
    session->heal_sent = true;
    session->heal_last = heal->last;
    session->heal_sent_ms = now_ms;
    session_send(session, &frame);
}

void session_on_heal_read(struct session *session,
                          int64_t now_ms,
                          struct heal *heal,
                          const struct error *err)
{
    if (session->state == SESSION_CLOSED || session_answer_failed(session, err, false)) {
        heal_fini(heal);
        return;
    }
    bool asked = session->heal_read_out;
    session->heal_read_out = false;
    bool nothing = heal->header_count == 0 && heal->last;
    bool fits = heal->first_index == session->heal_next &&
                span_equal(heal->origin, buf_span(&session->heal_origin));
    if (!asked)
        session_internal(session, "headers were read unasked");
    else if (!nothing && !fits)
        session_internal(session, "the headers are not those that were asked for");
    else if (!nothing)
        send_heal(session, now_ms, heal);
    heal_fini(heal);
}

enum status outbound_heal_taken(struct session *session, uint64_t next_index, struct error *err)
{
    if (!session->heal_sent)
        return error_set(err, ERR_WRONG_STATE, "HealTaken, but no Heal is on its way");
    if (next_index != session->heal_next)
        return error_set(err, ERR_INVALID, "HealTaken for %llu, must be %llu",
                         (unsigned long long)next_index, (unsigned long long)session->heal_next);
    session->heal_sent = false;
    if (!session->heal_last)
        read_heal(session);
    return OK;
}

/* -- both -------------------------------------------------------------------------------------- */

void outbound_start(struct session *session, int64_t now_ms, struct resume *resume)
{
    session->next_index = resume->send_from;
    session->heal_next = resume->heal_from;
    if (resume->heal_peer) {
        session->heal_origin = buf_move(&resume->heal_origin);
        read_heal(session);
    }
    session_wake(session, now_ms);
}

int64_t outbound_deadline_ms(const struct session *session)
{
    int64_t receipt = window_deadline_ms(&session->sent);
    int64_t heal = session->heal_sent ? session->heal_sent_ms + RECEIPT_TIMEOUT_MS : INT64_MAX;
    return receipt < heal ? receipt : heal;
}
