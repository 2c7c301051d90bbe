#include "feed/doubt.h"

#include "feed/consents.h"
#include "feed/peering.h"
#include "log/header.h"
#include "store/consent_rows.h"
#include "store/entry_rows.h"
#include "store/journal_rows.h"

#include <stdio.h>
#include <string.h>

static const char ALARM_KIND[] = "clock_ahead";

enum { RECEIPT_STEP_MS = 1000 }; /* receipts have whole seconds */

/* -- peers ------------------------------------------------------------------------------------- */

/* The times of receipts never go back.  So one counts only as long as no entry came after it: an
 * entry has the time of the clock by which it was signed, whatever that clock had said before.  And
 * an entry counts unless a receipt that came after it is of an earlier time. */
enum status doubt_confirmed(struct feed_context *feed,
                            int64_t peer_id,
                            int64_t at_ms,
                            bool *ret_confirmed,
                            struct error *err)
{
    struct feed_row out = { .feed_id = 0 };
    struct feed_row in = { .feed_id = 0 };
    struct entry_row entry;
    struct entry_header header = { .time_ms = 0 };
    enum status status = feed_rows_active(feed->store, peer_id, FEED_OUT, &out, err);
    if (status == OK || status == ERR_NOT_FOUND)
        status = feed_rows_active(feed->store, peer_id, FEED_IN, &in, err);
    if (status == ERR_NOT_FOUND)
        status = OK;
    if (status == OK && in.size > 0)
        status = entry_rows_get(feed->store, in.feed_id, in.size - 1, &entry, err);
    if (status == OK && in.size > 0)
        status = header_decode(entry.header, &header, err);
    if (status != OK)
        return status;
    bool receipt_is_last =
        out.receipt_after.feed_id == in.feed_id && out.receipt_after.size == in.size;
    bool entry_counts = in.size > 0 && header.time_ms >= at_ms &&
                        (!receipt_is_last || header.time_ms < out.receipt_ms + RECEIPT_STEP_MS);
    *ret_confirmed = entry_counts || (receipt_is_last && out.receipt_ms >= at_ms);
    return OK;
}

/* A peer after another; false: `each` has seen enough. */
typedef bool (*each_peer)(void *context, const struct peer_row *peer, struct error *err);

static enum status for_peers(struct feed_context *feed,
                             each_peer each,
                             void *context,
                             struct error *err)
{
    enum { PAGE = 8 };
    struct peer_row rows[PAGE];
    struct code after = { "" };
    enum status status = OK;
    bool more = true;
    for (size_t count = PAGE; status == OK && more && count == PAGE;) {
        status = peer_rows_list(feed->store, after.text[0] == '\0' ? NULL : &after, rows, PAGE,
                                &count, err);
        for (size_t i = 0; status == OK && more && i < count; i++) {
            after = rows[i].code;
            more = rows[i].state != PEER_ACCEPTED || each(context, &rows[i], err);
        }
    }
    return status;
}

static bool note_contact(void *context, const struct peer_row *peer, struct error *err)
{
    (void)err;
    int64_t *last_ms = context;
    if (peer->contact_ms > *last_ms)
        *last_ms = peer->contact_ms;
    return true;
}

struct question {
    struct feed_context *feed;
    int64_t at_ms;
    bool confirmed;
    enum status status;
};

static bool ask(void *context, const struct peer_row *peer, struct error *err)
{
    struct question *question = context;
    question->status =
        doubt_confirmed(question->feed, peer->peer_id, question->at_ms, &question->confirmed, err);
    return question->status == OK && !question->confirmed;
}

/* -- the alarm --------------------------------------------------------------------------------- */

static enum status raise_alarm(struct feed_context *feed,
                               int64_t ahead_ms,
                               const char *since,
                               struct error *err)
{
    char text[ALARM_TEXT_MAX + 1];
    int64_t alarm_id = 0;
    (void)snprintf(
        text, sizeof(text),
        "the clock of this node is %lld days further %s; what it calls over does not "
        "leave, and no consent ends by it before a peer confirms the time; next: look at "
        "the clock (date), set it right, or comityctl alarm close if it is right",
        (long long)(ahead_ms / DOUBT_DAY_MS), since);
    return alarm_rows_raise(feed->store, ALARM_KIND, NULL, text, &alarm_id, err);
}

static enum status find_alarm(struct feed_context *feed, int64_t *ret_alarm_id, struct error *err)
{
    enum { PAGE = 16 };
    struct alarm_row rows[PAGE];
    int64_t after = 0;
    size_t count = PAGE;
    *ret_alarm_id = 0;
    while (count == PAGE && *ret_alarm_id == 0) {
        enum status status = alarm_rows_list(feed->store, true, after, rows, PAGE, &count, err);
        if (status != OK)
            return status;
        for (size_t i = 0; i < count; i++) {
            after = rows[i].alarm_id;
            if (strcmp(rows[i].kind, ALARM_KIND) == 0)
                *ret_alarm_id = rows[i].alarm_id;
        }
    }
    return OK;
}

/* Compares the two clocks with what they were at the last call; may raise the alarm. */
static enum status look(struct feed_context *feed, struct error *err)
{
    struct feed_clock_seen *seen = &feed->clock_seen;
    struct feed_clock_seen now = { true, peering_now_ms(feed),
                                   feed->clock->monotonic_ms(feed->clock) };
    int64_t last_ms = 0;
    enum status status = OK;
    if (seen->any) {
        int64_t ahead_ms = now.wall_ms - seen->wall_ms - (now.monotonic_ms - seen->monotonic_ms);
        if (ahead_ms > DOUBT_JUMP_MS)
            status = raise_alarm(feed, ahead_ms, "than a moment ago", err);
    } else {
        status = for_peers(feed, note_contact, &last_ms, err);
        if (status == OK && last_ms > 0 && now.wall_ms - last_ms > DOUBT_AWAY_MS)
            status = raise_alarm(feed, now.wall_ms - last_ms, "than when a peer was last met", err);
    }
    if (status == OK)
        *seen = now;
    return status;
}

/* -- what waits -------------------------------------------------------------------------------- */

static enum status is_due(struct feed_context *feed,
                          int64_t now_ms,
                          bool *ret_due,
                          struct error *err)
{
    static const enum consent_state states[] = { CONSENT_ACTIVE, CONSENT_SUSPENDED };
    enum status status = OK;
    *ret_due = false;
    for (size_t i = 0; status == OK && i < sizeof(states) / sizeof(states[0]); i++) {
        int64_t next_ms = INT64_MAX;
        status = consent_rows_next_expiry(feed->store, (uint8_t)states[i], &next_ms, err);
        *ret_due = *ret_due || next_ms <= now_ms;
    }
    return status;
}

/* A consent would end now, and the alarm is open: whether it has to wait.  Closes the alarm when a
 * peer's signed time confirms the clock. */
static enum status waits(struct feed_context *feed, bool *ret_waits, struct error *err)
{
    struct question question = { .feed = feed };
    int64_t now_ms = peering_now_ms(feed);
    int64_t alarm_id = 0;
    bool due = false;
    enum status status = is_due(feed, now_ms, &due, err);
    if (status == OK && due)
        status = find_alarm(feed, &alarm_id, err);
    *ret_waits = status == OK && alarm_id != 0;
    if (!*ret_waits)
        return status;
    question.at_ms = now_ms - DOUBT_JUMP_MS;
    status = for_peers(feed, ask, &question, err);
    if (status == OK)
        status = question.status;
    if (status == OK && question.confirmed) {
        *ret_waits = false;
        status = alarm_rows_close(feed->store, alarm_id, CONSENTS_UID_CLOCK, err);
    }
    return status;
}

enum status doubt_expire(struct feed_context *feed,
                         size_t max,
                         size_t *ret_count,
                         int64_t *ret_next_ms,
                         struct error *err)
{
    bool must_wait = false;
    enum status status = look(feed, err);
    if (status == OK)
        status = waits(feed, &must_wait, err);
    if (status == OK && must_wait) {
        *ret_count = 0;
        *ret_next_ms = INT64_MAX; /* a tick comes by itself */
        return OK;
    }
    return status == OK ? consents_expire(feed, max, ret_count, ret_next_ms, err) : status;
}
