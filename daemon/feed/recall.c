/* Erasing what was withdrawn, and what time brings (feed.h). */
#include "feed/feed.h"

#include "consent/lifecycle.h"
#include "feed/doubt.h"
#include "feed/ingestion.h"
#include "store/delivery_rows.h"
#include "store/entry_rows.h"
#include "store/journal_rows.h"
#include "store/keys.h"
#include "store/outbox_rows.h"

#include <stdio.h>

enum {
    ERASE_MAX = 64, /* one erasure re-keys the paths of so many keys at most */
    TICK_MAX = 256, /* of each kind in one tick: a tick is one transaction among others */
    TICK_AGAIN_MS = 1000,
    OVERDUE_EVERY_MS = 60 * 60 * 1000 /* how often an overdue recall is counted up again */
};

/* -- erasing ----------------------------------------------------------------------------------- */

struct erasure {
    struct feed_context *feed;
    struct holding_row rows[ERASE_MAX];
    uint64_t slots[ERASE_MAX];
    size_t count;
    size_t slot_count;
};

static enum status choose(struct erasure *erasure, size_t max, struct error *err)
{
    struct holding_row rows[ERASE_MAX];
    size_t count = 0;
    enum status status = holding_rows_to_erase(
        erasure->feed->store, HOLDING_WITHDRAWN | HOLDING_REPLACED, rows, max, &count, err);
    for (size_t i = 0; status == OK && i < count; i++)
        erasure->rows[erasure->count++] = rows[i];
    if (status != OK || erasure->count > 0)
        return status;
    status = holding_rows_to_erase(erasure->feed->store, HOLDING_KEEP_UNTIL | HOLDING_EXPIRED, rows,
                                   max, &count, err);
    for (size_t i = 0; status == OK && i < count; i++) {
        bool confirmed = false;
        status =
            doubt_confirmed(erasure->feed, rows[i].peer_id, rows[i].keep_until_ms, &confirmed, err);
        if (confirmed)
            erasure->rows[erasure->count++] = rows[i];
    }
    return status;
}

static enum status find_slots(struct erasure *erasure, struct error *err)
{
    enum status status = OK;
    for (size_t i = 0; status == OK && i < erasure->count; i++) {
        struct entry_row entry;
        status = entry_rows_get(erasure->feed->store, erasure->rows[i].feed_id,
                                erasure->rows[i].index, &entry, err);
        if (status == OK && entry.key_slot != KEY_SLOT_NONE)
            erasure->slots[erasure->slot_count++] = entry.key_slot;
    }
    return status;
}

/* One ERASED for each withdrawal, when nothing of it is held any more. */
static enum status answer_withdrawal(struct erasure *erasure,
                                     const struct holding_row *row,
                                     struct error *err)
{
    struct holding_row left[1];
    struct holding_place place = { 0 };
    struct holding_filter filter = { .peer_id = row->peer_id,
                                     .subject_id = row->subject_id,
                                     .state = HOLDING_LOCKED,
                                     .any_reason = HOLDING_WITHDRAWN };
    size_t count = 0;
    int64_t outbox_id = 0;
    if (id_is_none(&row->withdrawn_entry))
        return OK;
    enum status status =
        holding_rows_list(erasure->feed->store, &filter, &place, left, 1, &count, err);
    if (status != OK || count > 0)
        return status;
    struct outbox_row answer = { .peer_id = row->peer_id,
                                 .priority = OUTBOX_RECALL,
                                 .kind = KIND_ERASED,
                                 .in_reply_to = row->withdrawn_entry,
                                 .consent_id = row->consent_id,
                                 .subject_id = row->subject_id,
                                 .record_version = row->version,
                                 .queued_ms = peering_now_ms(erasure->feed) };
    return outbox_rows_add(erasure->feed->store, &answer, &outbox_id, err);
}

/* Inside the erasing transaction. */
static enum status erase_rows(void *context, struct store *store, struct error *err)
{
    struct erasure *erasure = context;
    int64_t now_ms = peering_now_ms(erasure->feed);
    enum status status = OK;
    for (size_t i = 0; status == OK && i < erasure->count; i++) {
        struct holding_row *row = &erasure->rows[i];
        row->state = HOLDING_ERASED;
        row->erased_ms = now_ms;
        status = entry_rows_mark_erased(store, row->feed_id, row->index, err);
        if (status == OK)
            status = holding_rows_update(store, row, err);
        if (status == OK)
            status = answer_withdrawal(erasure, row, err);
    }
    return status;
}

enum status feed_erase_pending(struct feed_context *feed,
                               size_t max,
                               size_t *ret_count,
                               struct error *err)
{
    struct erasure erasure = { .feed = feed };
    enum status status = choose(&erasure, max < ERASE_MAX ? max : ERASE_MAX, err);
    if (status == OK)
        status = find_slots(&erasure, err);
    if (status == OK && erasure.count > 0)
        status = keys_erase(feed->store, erasure.slots, erasure.slot_count,
                            (struct keys_change){ erase_rows, &erasure }, err);
    if (status != OK) {
        error_prefix(err, "erase");
        return status;
    }
    *ret_count = erasure.count;
    return OK;
}

/* -- time -------------------------------------------------------------------------------------- */

static enum status lock_expired_holdings(struct feed_context *feed,
                                         int64_t now_ms,
                                         size_t *ret_count,
                                         struct error *err)
{
    struct holding_row rows[ERASE_MAX];
    enum status status = holding_rows_settle(feed->store, now_ms, err);
    if (status == OK)
        status = holding_rows_expiring(feed->store, now_ms, rows, ERASE_MAX, ret_count, err);
    for (size_t i = 0; status == OK && i < *ret_count; i++) {
        holdings_lock(&rows[i], HOLDING_KEEP_UNTIL);
        status = holding_rows_update(feed->store, &rows[i], err);
    }
    return status == OK ? holding_rows_settle(feed->store, now_ms, err) : status;
}

static bool add_expired(void *context, struct holding_row *row)
{
    (void)context;
    holdings_lock(row, HOLDING_EXPIRED);
    return true;
}

static enum status expire_received_terms(struct feed_context *feed,
                                         int64_t now_ms,
                                         size_t *ret_count,
                                         struct error *err)
{
    struct terms_row rows[ERASE_MAX];
    enum status status =
        terms_rows_expiring(feed->store, CONSENT_ACTIVE, now_ms, rows, ERASE_MAX, ret_count, err);
    for (size_t i = 0; status == OK && i < *ret_count; i++) {
        struct holding_filter filter = { .peer_id = rows[i].peer_id,
                                         .consent_id = rows[i].consent_id };
        rows[i].state = CONSENT_EXPIRED;
        rows[i].by_clock = true;
        status = terms_rows_put(feed->store, &rows[i], err);
        if (status == OK)
            status = holdings_each(feed->store, &filter, add_expired, NULL, err);
    }
    return status;
}

/* The clock is behind the end again, and no time that the publisher signed says that it is wrong
 * now: what the clock alone had locked is free again. */
static enum status lift_early_holdings(struct feed_context *feed,
                                       int64_t now_ms,
                                       size_t *ret_count,
                                       struct error *err)
{
    struct holding_row rows[ERASE_MAX];
    size_t count = 0;
    enum status status = holding_rows_early(feed->store, now_ms, rows, ERASE_MAX, &count, err);
    *ret_count = 0;
    for (size_t i = 0; status == OK && i < count; i++) {
        bool over = false;
        status = doubt_confirmed(feed, rows[i].peer_id, rows[i].keep_until_ms, &over, err);
        if (status != OK || over)
            continue;
        holdings_unlock(&rows[i], HOLDING_KEEP_UNTIL);
        status = holding_rows_update(feed->store, &rows[i], err);
        ++*ret_count;
    }
    return status;
}

static bool drop_expired(void *context, struct holding_row *row)
{
    (void)context;
    holdings_unlock(row, HOLDING_EXPIRED);
    return true;
}

static enum status lift_early_terms(struct feed_context *feed,
                                    int64_t now_ms,
                                    size_t *ret_count,
                                    struct error *err)
{
    struct terms_row rows[ERASE_MAX];
    size_t count = 0;
    enum status status =
        terms_rows_early(feed->store, CONSENT_EXPIRED, now_ms, rows, ERASE_MAX, &count, err);
    *ret_count = 0;
    for (size_t i = 0; status == OK && i < count; i++) {
        struct holding_filter filter = { .peer_id = rows[i].peer_id,
                                         .consent_id = rows[i].consent_id };
        bool over = false;
        status = doubt_confirmed(feed, rows[i].peer_id, rows[i].valid_until_ms, &over, err);
        if (status != OK || over)
            continue;
        rows[i].state = CONSENT_ACTIVE;
        rows[i].by_clock = false;
        status = terms_rows_put(feed->store, &rows[i], err);
        if (status == OK)
            status = holdings_each(feed->store, &filter, drop_expired, NULL, err);
        ++*ret_count;
    }
    return status;
}

/* An erasure receipt that does not come stays visible: an alarm for each peer that owes one. */
static enum status warn_overdue(struct feed_context *feed, int64_t now_ms, struct error *err)
{
    struct recall_row rows[ERASE_MAX];
    int64_t after = 0;
    int64_t last_peer = 0;
    size_t count = ERASE_MAX;
    enum status status = OK;
    while (status == OK && count == ERASE_MAX) {
        status = recall_rows_list(feed->store, true, now_ms, after, rows, ERASE_MAX, &count, err);
        for (size_t i = 0; status == OK && i < count; i++) {
            struct peer_row peer;
            after = rows[i].recall_id;
            if (rows[i].peer_id == last_peer)
                continue;
            last_peer = rows[i].peer_id;
            status = peer_rows_get_id(feed->store, last_peer, &peer, err);
            if (status == OK) {
                status = peering_alarm(feed, &peer.code, "overdue",
                                       "has not confirmed the erasure of what was withdrawn; next: "
                                       "comityctl recalls",
                                       err);
            }
        }
    }
    return status;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static enum status next_tick(struct feed_context *feed,
                             int64_t consent_ms,
                             bool again,
                             int64_t now_ms,
                             int64_t *ret_next_ms,
                             struct error *err)
{
    int64_t holding_ms = INT64_MAX;
    int64_t terms_ms = INT64_MAX;
    enum status status = holding_rows_next_expiry(feed->store, &holding_ms, err);
    if (status == OK)
        status = terms_rows_next_expiry(feed->store, CONSENT_ACTIVE, &terms_ms, err);
    if (status != OK)
        return status;
    int64_t next_ms = earlier(earlier(holding_ms, terms_ms), consent_ms);
    next_ms = earlier(next_ms, now_ms + OVERDUE_EVERY_MS);
    if (again || next_ms < now_ms + TICK_AGAIN_MS)
        next_ms = now_ms + TICK_AGAIN_MS;
    *ret_next_ms = next_ms;
    return OK;
}

enum status feed_tick(struct feed_context *feed, int64_t *ret_next_ms, struct error *err)
{
    int64_t now_ms = peering_now_ms(feed);
    int64_t consent_ms = INT64_MAX;
    size_t consents = 0;
    size_t holdings = 0;
    size_t terms = 0;
    size_t lifted = 0;
    size_t lifted_terms = 0;
    enum status status = doubt_expire(feed, TICK_MAX, &consents, &consent_ms, err);
    if (status == OK)
        status = lock_expired_holdings(feed, now_ms, &holdings, err);
    if (status == OK)
        status = expire_received_terms(feed, now_ms, &terms, err);
    if (status == OK)
        status = lift_early_terms(feed, now_ms, &lifted_terms, err);
    if (status == OK)
        status = lift_early_holdings(feed, now_ms, &lifted, err);
    if (status == OK)
        status = warn_overdue(feed, now_ms, err);
    bool again = consents == TICK_MAX || holdings == ERASE_MAX || terms == ERASE_MAX ||
                 lifted == ERASE_MAX || lifted_terms == ERASE_MAX;
    if (status == OK)
        status = next_tick(feed, consent_ms, again, now_ms, ret_next_ms, err);
    if (status != OK)
        error_prefix(err, "tick");
    return status;
}
