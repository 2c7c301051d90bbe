#include "feed/recovery.h"

#include "feed/control_body.h"
#include "feed/publication.h"
#include "store/delivery_rows.h"
#include "store/pair_rows.h"

#include <stdio.h>

/* -- what the peer never got ------------------------------------------------------------------- */

static enum status local_of(struct feed_context *feed,
                            int64_t peer_id,
                            enum pair_kind kind,
                            const struct id *pair,
                            struct id *ret_local,
                            struct error *err)
{
    if (id_is_none(pair)) {
        *ret_local = ID_NONE;
        return OK;
    }
    return pair_rows_local(feed->store, peer_id, kind, pair, ret_local, err);
}

static enum outbox_priority priority_of(uint16_t kind)
{
    if (kind == KIND_WITHDRAWN || kind == KIND_CONSENT_ENDED || compose_is_reply(kind))
        return OUTBOX_RECALL;
    if (compose_is_record(kind))
        return OUTBOX_RECORD;
    return kind < KIND_CONSENT_ENDED || kind == KIND_CARD ? OUTBOX_TERMS : OUTBOX_OTHER;
}

/* A delivery that never arrived is closed, so that nobody waits for its erasure. */
static enum status void_delivery(struct feed_context *feed,
                                 const struct feed_row *old,
                                 uint64_t index,
                                 int64_t now_ms,
                                 struct error *err)
{
    struct delivery_row delivery;
    enum status status = delivery_rows_by_entry(feed->store, old->feed_id, index, &delivery, err);
    if (status == ERR_NOT_FOUND)
        return OK;
    if (status == OK)
        status = delivery_rows_withdraw(feed->store, delivery.delivery_id, now_ms, err);
    if (status == OK)
        status = delivery_rows_mark_erased(feed->store, delivery.peer_id, &delivery.record_id,
                                           now_ms, err);
    return status;
}

/* Our own ids of what the header names; replies speak of the peer's feed, in its ids. */
static enum status set_local_ids(struct feed_context *feed,
                                 const struct entry_header *header,
                                 struct outbox_row *row,
                                 struct error *err)
{
    enum pair_kind kind = header->kind == KIND_CONSENT_CHANGED ? PAIR_CONSENT : PAIR_SUBJECT;
    row->consent_id = header->consent_id;
    row->subject_id = header->subject_id;
    if (compose_is_reply(header->kind))
        return OK;
    enum status status =
        local_of(feed, row->peer_id, PAIR_CONSENT, &header->consent_id, &row->consent_id, err);
    if (status == OK)
        status = local_of(feed, row->peer_id, kind, &header->subject_id, &row->subject_id, err);
    return status;
}

static enum status requeue_entry(struct composer *composer,
                                 const struct feed_row *old,
                                 uint64_t index,
                                 struct error *err)
{
    struct feed_context *feed = composer->feed;
    struct buf header_bytes = BUF_INIT;
    struct entry_row entry;
    struct entry_header header;
    struct span content = SPAN_EMPTY;
    struct outbox_row row = { .peer_id = old->peer_id, .queued_ms = composer->now_ms };
    enum status status = entry_rows_get(feed->store, old->feed_id, index, &entry, err);
    if (status == OK)
        status = buf_append(&header_bytes, entry.header, err);
    if (status == OK)
        status = header_decode(buf_span(&header_bytes), &header, err);
    bool sealed = status == OK && !header.has_inline && !compose_is_record(header.kind);
    if (sealed && (entry.flags & (ENTRY_WITHHELD | ENTRY_ERASED)) != 0)
        goto out; /* it came back by healing, without its body */
    if (sealed) {
        status = compose_again(composer, &entry, header.kind, err);
        if (status == OK)
            status = header_unpad(header.kind, buf_span(&composer->body), &content, err);
    }
    if (status != OK || header.kind == KIND_RESTORED)
        goto out;
    row.kind = header.kind;
    row.priority = priority_of(header.kind);
    row.in_reply_to = header.in_reply_to;
    row.record_version = header.record_version;
    row.form = header.form;
    row.body = header.has_inline ? header.inline_body : content;
    status = set_local_ids(feed, &header, &row, err);
    if (status == ERR_NOT_FOUND) {
        status = OK; /* of a consent or record that we have lost: nothing can be said of it */
        goto out;
    }
    int64_t outbox_id = 0;
    if (status == OK)
        status = outbox_rows_add(feed->store, &row, &outbox_id, err);
    if (status == OK && compose_is_record(header.kind))
        status = void_delivery(feed, old, index, composer->now_ms, err);
out:
    buf_fini(&header_bytes);
    return status;
}

/* Entries that were numbered in an epoch that has ended and are not with the peer go back into the
 * queue.  healed_size remembers from where on they did, so that they do so once. */
static enum status requeue(struct feed_context *feed,
                           struct peer_row *peer,
                           struct feed_row *old,
                           uint64_t from,
                           struct error *err)
{
    struct composer composer;
    uint64_t end = old->healed_size < old->size ? old->healed_size : old->size;
    enum status status = OK;
    if (from >= end)
        return OK;
    composer_init(&composer, feed, peer);
    for (uint64_t index = from; status == OK && index < end; index++)
        status = requeue_entry(&composer, old, index, err);
    composer_fini(&composer);
    if (status != OK || old->healed_size > old->size) /* healing is under way: it counts on it */
        return status;
    old->healed_size = from;
    return feed_rows_set_state(feed->store, old, err);
}

enum status recovery_requeue(struct feed_context *feed,
                             struct peer_row *peer,
                             int64_t feed_id,
                             uint64_t held,
                             struct error *err)
{
    enum { PAGE = 4 };
    struct feed_row rows[PAGE];
    int64_t after = feed_id > 0 ? feed_id - 1 : 0;
    size_t count = PAGE;
    enum status status = OK;
    while (status == OK && count == PAGE) {
        status = feed_rows_list(feed->store, after, rows, PAGE, &count, err);
        for (size_t i = 0; status == OK && i < count; i++) {
            struct feed_row *row = &rows[i];
            after = row->feed_id;
            if (row->peer_id == peer->peer_id && row->direction == FEED_OUT &&
                row->state == FEED_OLD)
                status = requeue(feed, peer, row, row->feed_id == feed_id ? held : 0, err);
        }
    }
    return status;
}

static enum status hold(struct feed_context *feed, struct peer_row *peer, struct error *err)
{
    peer->held = true;
    enum status status = peer_rows_update(feed->store, peer, err);
    if (status != OK)
        return status;
    return peering_alarm(feed, &peer->code, "lost_history",
                         "was set back, as this node was: the last part of what was given to it is "
                         "on neither side any more, and a consent that was ended then looks in "
                         "force. It is held; next: comityctl consent list, revoke what had ended, "
                         "then comityctl release",
                         err);
}

enum status recovery_give_up(struct feed_context *feed,
                             struct peer_row *peer,
                             struct feed_row *active,
                             int64_t feed_id,
                             uint64_t held,
                             struct error *err)
{
    struct feed_row awaited;
    if (active->healed_size == 0)
        return OK;
    enum status status = feed_rows_get(feed->store, (int64_t)active->healed_size, &awaited, err);
    if (status != OK || feed_id > awaited.feed_id ||
        (feed_id == awaited.feed_id && held > awaited.size))
        return status;
    active->healed_size = 0;
    status = feed_rows_set_state(feed->store, active, err);
    return status == OK ? hold(feed, peer, err) : status;
}

enum status recovery_lost(struct feed_context *feed,
                          struct peer_row *peer,
                          struct span origin,
                          struct error *err)
{
    struct feed_row row;
    enum status status = feed_rows_by_origin(feed->store, origin, &row, err);
    if (status == ERR_NOT_FOUND)
        status = peering_open_old(feed, peer, origin, &row, err);
    return status == OK ? hold(feed, peer, err) : status;
}

/* -- the new epoch ----------------------------------------------------------------------------- */

static enum status number_restored(struct feed_context *feed,
                                   struct peer_row *peer,
                                   const struct feed_row *row,
                                   const struct control_restored *restored,
                                   struct error *err)
{
    struct publication publication = { 0 };
    struct publication_order order = { .log_only = true };
    struct buf body = BUF_INIT;
    struct outbox_row queued = { .peer_id = peer->peer_id, .kind = KIND_RESTORED };
    enum compose_outcome outcome;
    enum status status = control_restored_encode(restored, &body, err);
    queued.body = buf_span(&body);
    if (status == OK)
        status = publication_init(&publication, feed, peer, row, err);
    if (status == OK)
        status = publication_number_row(&publication, &queued, &order, &outcome, err);
    if (status == OK)
        status = publication_save(&publication, err);
    publication_fini(&publication);
    buf_fini(&body);
    return status;
}

static enum status retire_active(struct feed_context *feed,
                                 const struct peer_row *peer,
                                 struct error *err)
{
    struct feed_row active;
    enum status status = feed_rows_active(feed->store, peer->peer_id, FEED_OUT, &active, err);
    if (status == ERR_NOT_FOUND)
        return OK;
    if (status != OK)
        return status;
    active.state = FEED_OLD;
    active.rolled_back = false;
    active.healed_size = active.size;
    return feed_rows_set_state(feed->store, &active, err);
}

/* The feed that the new epoch names; made, to be healed, when the database does not know it. */
static enum status find_old(struct feed_context *feed,
                            const struct peer_row *peer,
                            const struct recovery_shown *shown,
                            const struct feed_row *known,
                            struct feed_row *ret_old,
                            struct error *err)
{
    if (known != NULL) {
        *ret_old = *known;
        ret_old->state = FEED_OLD;
        return OK;
    }
    return peering_open_old(feed, peer, shown->checkpoint.origin, ret_old, err);
}

static enum status open_epoch(struct feed_context *feed,
                              struct peer_row *peer,
                              const struct recovery_shown *shown,
                              const struct feed_row *known,
                              struct error *err)
{
    struct feed_row old;
    struct feed_row row;
    enum status status = retire_active(feed, peer, err);
    if (status == OK)
        status = find_old(feed, peer, shown, known, &old, err);
    if (status == OK)
        status = peering_open_epoch(feed, peer, &row, err);
    if (status != OK)
        return status;
    uint64_t held = shown->any ? shown->checkpoint.size : 0;
    if (held > old.size) {
        row.healed_size = (uint64_t)old.feed_id; /* feed_rows.h: records wait for this */
        status = feed_rows_set_state(feed->store, &row, err);
    }
    struct control_restored restored = { span_text(old.origin), old.size, old.root };
    if (status == OK)
        status = number_restored(feed, peer, &row, &restored, err);
    if (status == OK)
        status = recovery_requeue(feed, peer, shown->any ? old.feed_id : 0, held, err);
    return status;
}

enum status recovery_open(struct feed_context *feed,
                          struct peer_row *peer,
                          const struct recovery_shown *shown,
                          const struct feed_row *known,
                          bool *ret_held,
                          struct error *err)
{
    int64_t now_ms = peering_now_ms(feed);
    bool same_day = peer->recovered_ms > now_ms - RECOVERY_DAY_MS;
    *ret_held = same_day && peer->recoveries >= RECOVERY_PER_DAY_MAX;
    if (*ret_held) {
        return peering_alarm(feed, &peer->code, "clone",
                             "this node had to recover again and again within a day: a second copy "
                             "of it may be running; next: stop the copy, then comityctl doctor",
                             err);
    }
    peer->recoveries = same_day ? peer->recoveries + 1 : 1;
    peer->recovered_ms = now_ms;
    enum status status = peer_rows_update(feed->store, peer, err);
    if (status == OK)
        status = open_epoch(feed, peer, shown, known, err);
    if (status == OK) {
        status = peering_alarm(feed, &peer->code, "rolled_back",
                               "this node was behind what the peer holds of it: restored from a "
                               "backup, or cloned; it goes on in a new epoch",
                               err);
    }
    return status;
}
