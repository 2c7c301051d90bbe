/* How consents end: revoked by a person, or expired by the clock.
 *
 * First what waits is taken out of the queues; then, for each recipient and each record, what has
 * left is withdrawn unless another consent in force covers it there.
 */
#include "feed/consents_internal.h"
#include "feed/cover.h"
#include "feed/ending.h"
#include "log/header.h"
#include "store/delivery_rows.h"
#include "store/pair_rows.h"

#include <stdio.h>
#include <string.h>

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)

enum { PAGE = 16 };

struct work {
    struct feed_context *feed;
    const struct consent_row *row; /* already ended */
    uint16_t erase_days;
    int64_t now_ms;
    struct peer_row peer;
    struct cover cover;
    struct consents_ended ended;
};

/* -- queueing ---------------------------------------------------------------------------------- */

static enum status queue_ending(struct work *work,
                                enum entry_kind kind,
                                const struct id *record_id,
                                uint32_t version,
                                struct error *err)
{
    struct ending ending = { (enum consent_state)work->row->state, work->erase_days };
    uint8_t body[ENDING_SIZE];
    int64_t outbox_id = 0;
    ending_encode(&ending, body);
    struct outbox_row row = {
        .peer_id = work->peer.peer_id,
        .priority = OUTBOX_RECALL,
        .kind = (uint16_t)kind,
        .consent_id = work->row->consent_id,
        .subject_id = *record_id,
        .record_version = version,
        .queued_ms = work->now_ms,
        .body = SPAN_ARRAY(body),
    };
    return outbox_rows_add(work->feed->store, &row, &outbox_id, err);
}

/* One recall for a record and its holder is open at a time; it names the first consent's end. */
static enum status open_recall(struct work *work, const struct id *record_id, struct error *err)
{
    struct recall_row row;
    int64_t recall_id = 0;
    enum status status =
        recall_rows_open(work->feed->store, work->peer.peer_id, record_id, &row, err);
    if (status != ERR_NOT_FOUND)
        return status;
    row = (struct recall_row){
        .peer_id = work->peer.peer_id,
        .record_id = *record_id,
        .consent_id = work->row->consent_id,
        .state = RECALL_OPEN,
        .started_ms = work->now_ms,
        .due_ms = work->now_ms + work->erase_days * DAY_MS,
    };
    return recall_rows_add(work->feed->store, &row, &recall_id, err);
}

/* -- one record at one recipient --------------------------------------------------------------- */

struct at_holder {
    bool kept;                /* some version stays under another consent */
    bool withdrawn;           /* some version is withdrawn */
    uint32_t versions[8];     /* those withdrawn, each once */
    size_t version_count;     /* more than 8: all are withdrawn together */
    struct delivery_row last; /* of those that another consent covers */
    struct id postponed;      /* a consent whose time has not come again, as the clock has it */
    struct id again_under;    /* that consent */
    bool give_again;
};

static void note_version(struct at_holder *at, uint32_t version)
{
    size_t room = sizeof(at->versions) / sizeof(at->versions[0]);
    at->withdrawn = true;
    for (size_t i = 0; i < at->version_count && i < room; i++) {
        if (at->versions[i] == version)
            return;
    }
    if (at->version_count < room)
        at->versions[at->version_count] = version;
    at->version_count++;
}

/* The holder has one copy of a record, the one that came last.  When that one does not stay, or
 * stands under a consent that has ended, it gets a new copy under a consent in force. */
static enum status give_again(struct work *work, const struct at_holder *at, struct error *err)
{
    const struct delivery_row *delivery = &at->last;
    struct store *store = work->feed->store;
    struct record_row record;
    int64_t outbox_id = 0;
    bool waits = false;
    enum status status = outbox_rows_has_record(store, delivery->peer_id, &at->again_under,
                                                &delivery->record_id, &waits, err);
    if (status == OK && !waits)
        status = record_rows_get(store, &delivery->record_id, &record, err);
    if (status != OK || waits)
        return status;
    struct outbox_row row = {
        .peer_id = delivery->peer_id,
        .priority = OUTBOX_RECORD,
        .kind = record.kind == RECORD_ROW_EXCERPT ? KIND_EXCERPT : KIND_RELEASE,
        .consent_id = at->again_under,
        .subject_id = delivery->record_id,
        .record_version = delivery->version,
        .form = delivery->form,
        .queued_ms = work->now_ms,
    };
    return outbox_rows_add(store, &row, &outbox_id, err);
}

/* What was given under a consent whose time seems not to have come, or past, waits once more; what
 * other consents of that kind gave does so for itself, as it comes by. */
static enum status postpone(struct work *work,
                            const struct delivery_row *row,
                            struct at_holder *at,
                            struct error *err)
{
    struct at_holder again = { .last = *row, .again_under = row->consent_id };
    if (id_equal(&at->postponed, &row->consent_id))
        return OK;
    at->postponed = row->consent_id;
    return give_again(work, &again, err);
}

static bool stays(const struct policy_decision *decision)
{
    return decision->reason == POLICY_ALLOWED || decision->reason == POLICY_SUSPENDED;
}

static enum status end_delivery(struct work *work,
                                const struct delivery_row *row,
                                struct at_holder *at,
                                struct error *err)
{
    struct policy_decision decision;
    struct policy_decision own = { .reason = POLICY_ENDED };
    struct policy_record record = { row->record_id, row->version };
    enum status status =
        cover_by_any(&work->cover, &work->row->consent_id, &record, work->now_ms, &decision, err);
    if (status == OK && !id_equal(&row->consent_id, &work->row->consent_id))
        status = cover_by(&work->cover, &row->consent_id, &record, work->now_ms, &own, err);
    if (status != OK)
        return status;
    if (stays(&decision)) {
        at->last = *row;
        at->again_under = decision.consent_id;
        at->give_again = !stays(&own);
        at->kept = true;
        return OK;
    }
    at->give_again = at->give_again || at->kept;
    note_version(at, row->version);
    bool by_clock = own.reason == POLICY_NOT_YET || own.reason == POLICY_OVER;
    if (by_clock) /* which may be wrong: its consent has not ended */
        status = postpone(work, row, at, err);
    if (status != OK)
        return status;
    return delivery_rows_withdraw(work->feed->store, row->delivery_id, work->now_ms, err);
}

/* Version 0 withdraws all; single versions only where another one stays. */
static enum status withdraw(struct work *work,
                            const struct id *record_id,
                            const struct at_holder *at,
                            struct error *err)
{
    size_t room = sizeof(at->versions) / sizeof(at->versions[0]);
    enum status status = open_recall(work, record_id, err);
    if (!at->kept || at->version_count > room)
        return status == OK ? queue_ending(work, KIND_WITHDRAWN, record_id, 0, err) : status;
    for (size_t i = 0; status == OK && i < at->version_count; i++)
        status = queue_ending(work, KIND_WITHDRAWN, record_id, at->versions[i], err);
    return status;
}

static enum status end_record(struct work *work, const struct id *record_id, struct error *err)
{
    struct delivery_row rows[PAGE];
    struct at_holder at = { .version_count = 0 };
    struct delivery_filter filter = { .peer_id = work->peer.peer_id, .record_id = *record_id };
    int64_t after = 0;
    enum status status = OK;
    for (size_t count = PAGE; status == OK && count == PAGE;) {
        status = delivery_rows_list(work->feed->store, &filter, after, rows, PAGE, &count, err);
        for (size_t i = 0; status == OK && i < count; i++) {
            after = rows[i].delivery_id;
            if (rows[i].withdrawn_ms == 0 && rows[i].erased_ms == 0)
                status = end_delivery(work, &rows[i], &at, err);
            else /* it took the place of an earlier one, and went */
                at.give_again = at.give_again || at.kept;
        }
    }
    if (status == OK && at.withdrawn)
        status = withdraw(work, record_id, &at, err);
    if (status == OK && at.give_again)
        status = give_again(work, &at, err);
    work->ended.recalled += at.withdrawn;
    work->ended.kept += at.kept && !at.withdrawn;
    return status;
}

static enum status end_listed(void *context,
                              const struct consent_record_row *listed,
                              struct error *err)
{
    return end_record(context, &listed->record_id, err);
}

/* -- one recipient ----------------------------------------------------------------------------- */

/* The recipient hears of the end only if it ever heard of the consent. */
static enum status tell_end(struct work *work, struct error *err)
{
    struct id pair;
    enum status status = pair_rows_get(work->feed->store, work->peer.peer_id, PAIR_CONSENT,
                                       &work->row->consent_id, &pair, err);
    if (status == ERR_NOT_FOUND)
        return OK;
    return status == OK ? queue_ending(work, KIND_CONSENT_ENDED, &ID_NONE, 0, err) : status;
}

static void start_at(struct work *work)
{
    cover_init(&work->cover, work->feed, &work->peer);
    /* A hold or a block stops what goes out; it does not by itself recall what is there. */
    work->cover.recipient.accepted = true;
}

static enum status end_recipient(struct work *work, const struct code *code, struct error *err)
{
    enum status status = peer_rows_get(work->feed->store, code, &work->peer, err);
    if (status == ERR_NOT_FOUND)
        return OK; /* a peer that was never spoken to holds nothing */
    if (status != OK)
        return status;
    start_at(work);
    status = consents_each_record(work->feed, &work->row->consent_id, end_listed, work, err);
    return status == OK ? tell_end(work, err) : status;
}

/* -- the end ----------------------------------------------------------------------------------- */

struct cause { /* why it ends, and by whom */
    uint32_t uid;
    enum consent_step step;
    const char *text;
};

static enum status end(struct feed_context *feed,
                       const struct id *consent_id,
                       const struct cause *cause,
                       struct consents_ended *ret_ended,
                       struct error *err)
{
    struct consent_recipient_row rows[CONSENT_RECIPIENTS_MAX];
    struct consent_row row;
    struct terms terms;
    struct work work = { .feed = feed, .row = &row };
    size_t count = 0;
    enum status status = consents_load(feed, consent_id, &row, &terms, err);
    if (status != OK)
        return status;
    bool was_in_force = row.state == CONSENT_ACTIVE || row.state == CONSENT_SUSPENDED;
    work.now_ms = feed->clock->wall_ms(feed->clock);
    work.erase_days = terms.erase_days;
    row.ended_ms = work.now_ms;
    status = consents_step(feed, cause->uid, &row, cause->step, cause->text, err);
    if (status == OK)
        status = outbox_rows_remove_records(feed->store, consent_id, &ID_NONE, 0,
                                            &work.ended.never_left, err);
    if (status == OK)
        status = consent_rows_set_preview(feed->store, consent_id, SPAN_EMPTY, err);
    if (status == OK && was_in_force)
        status = consent_rows_recipients(feed->store, consent_id, rows, CONSENT_RECIPIENTS_MAX,
                                         &count, err);
    for (size_t i = 0; status == OK && i < count; i++)
        status = end_recipient(&work, &rows[i].code, err);
    if (status == OK)
        *ret_ended = work.ended;
    return status;
}

/* A consent that a restore lost, while the peer showed what was given under it (heal.c): each peer
 * has ids of its own, so it names one. */
static enum status end_lost(struct feed_context *feed,
                            const struct id *consent_id,
                            struct consents_ended *ret_ended,
                            struct error *err)
{
    struct delivery_row rows[PAGE];
    struct consent_row lost = { .consent_id = *consent_id, .state = CONSENT_REVOKED };
    struct work work = { .feed = feed,
                         .row = &lost,
                         .erase_days = TERMS_ERASE_DAYS_DEFAULT,
                         .now_ms = feed->clock->wall_ms(feed->clock) };
    struct delivery_filter filter = { .consent_id = *consent_id, .live_only = true };
    int64_t after = 0;
    enum status status = OK;
    for (size_t count = PAGE; status == OK && count == PAGE;) {
        status = delivery_rows_list(feed->store, &filter, after, rows, PAGE, &count, err);
        if (status == OK && after == 0) {
            status = count > 0
                         ? peer_rows_get_id(feed->store, rows[0].peer_id, &work.peer, err)
                         : error_set(err, ERR_NOT_FOUND, "nothing is held under this consent");
            if (status == OK)
                start_at(&work);
        }
        for (size_t i = 0; status == OK && i < count; i++) {
            after = rows[i].delivery_id;
            status = end_record(&work, &rows[i].record_id, err);
        }
    }
    if (status == OK)
        status = tell_end(&work, err);
    if (status == OK)
        *ret_ended = work.ended;
    return status;
}

enum status consents_revoke(struct feed_context *feed,
                            uint32_t uid,
                            const struct id *consent_id,
                            const char *reason,
                            struct consents_ended *ret_ended,
                            struct error *err)
{
    char text[CONSENT_EVENT_TEXT_MAX + 1];
    enum status status = consents_check_reason(reason, err);
    if (status != OK)
        return status;
    (void)snprintf(text, sizeof(text), "revoked: %s", reason);
    struct cause cause = { uid, STEP_REVOKE, text };
    struct consent_row row;
    struct error local_err = ERROR_INIT;
    if (consent_rows_get(feed->store, consent_id, &row, &local_err) == ERR_NOT_FOUND)
        return end_lost(feed, consent_id, ret_ended, err);
    return end(feed, consent_id, &cause, ret_ended, err);
}

/* -- the clock --------------------------------------------------------------------------------- */

static const enum consent_state can_expire[] = { CONSENT_ACTIVE, CONSENT_SUSPENDED,
                                                 CONSENT_PROPOSED, CONSENT_DRAFT };

static enum status expire_state(struct feed_context *feed,
                                enum consent_state state,
                                size_t max,
                                size_t *count_up,
                                struct error *err)
{
    static const struct cause expired = { CONSENTS_UID_CLOCK, STEP_EXPIRE, "expired" };
    struct id ids[PAGE];
    struct consents_ended ended;
    int64_t now_ms = feed->clock->wall_ms(feed->clock);
    enum status status = OK;
    for (size_t count = PAGE; status == OK && count == PAGE && *count_up < max;) {
        size_t room = max - *count_up < PAGE ? max - *count_up : PAGE;
        status = consent_rows_expiring(feed->store, (uint8_t)state, now_ms, ids, room, &count, err);
        for (size_t i = 0; status == OK && i < count; i++) {
            status = end(feed, &ids[i], &expired, &ended, err);
            ++*count_up;
        }
    }
    return status;
}

enum status consents_expire(struct feed_context *feed,
                            size_t max,
                            size_t *ret_count,
                            int64_t *ret_next_ms,
                            struct error *err)
{
    size_t expired = 0;
    int64_t next_ms = INT64_MAX;
    enum status status = OK;
    size_t states = sizeof(can_expire) / sizeof(can_expire[0]);
    for (size_t i = 0; status == OK && i < states; i++)
        status = expire_state(feed, can_expire[i], max, &expired, err);
    for (size_t i = 0; status == OK && i < states; i++) {
        int64_t one_ms = INT64_MAX;
        status = consent_rows_next_expiry(feed->store, (uint8_t)can_expire[i], &one_ms, err);
        next_ms = one_ms < next_ms ? one_ms : next_ms;
    }
    if (status == OK) {
        *ret_count = expired;
        *ret_next_ms = next_ms;
    }
    return status;
}
