/* Healing: handing a rolled-back publisher the headers of its own feed, and taking them back.
 *
 * What was handed back is put behind what the old epoch has (healed_size counts it), but belongs to
 * it only when the last part came and the root is that of a checkpoint which our own key signed.
 * Then it is read for what a restored node must know: records that were given, consents that were
 * ended.
 */
#include "feed/feed.h"

#include "base/counted.h"
#include "base/memory.h"
#include "feed/compose.h"
#include "feed/consents.h"
#include "feed/ending.h"
#include "feed/ingestion.h"
#include "feed/keyring.h"
#include "feed/publication.h"
#include "store/delivery_rows.h"
#include "store/entry_rows.h"
#include "store/journal_rows.h"
#include "store/pair_rows.h"

#include <stdio.h>

/* -- handing back ------------------------------------------------------------------------------ */

struct headers {
    struct buf memory; /* origin, headers, note */
    size_t sizes[HEAL_HEADERS_MAX];
    size_t count;
    size_t bytes;
};

static enum status collect(struct feed_context *feed,
                           const struct feed_row *row,
                           uint64_t from,
                           size_t max_bytes,
                           struct headers *headers,
                           struct error *err)
{
    struct entry_cursor cursor;
    enum status status = entry_rows_walk(feed->store, row->feed_id, from, row->size, &cursor, err);
    if (status != OK)
        return status;
    bool more = true;
    while (status == OK && more) {
        struct entry_row entry;
        status = entry_rows_next(&cursor, &entry, &more, err);
        if (status != OK || !more)
            break;
        more = headers->count < HEAL_HEADERS_MAX && headers->bytes + entry.header.size <= max_bytes;
        if (!more)
            break;
        status = buf_append(&headers->memory, entry.header, err);
        headers->sizes[headers->count++] = entry.header.size;
        headers->bytes += entry.header.size;
    }
    entry_rows_stop(&cursor);
    return status;
}

static enum status make_heal(struct headers *headers,
                             size_t origin_size,
                             uint64_t from,
                             bool last,
                             struct heal *ret_heal,
                             struct error *err)
{
    struct heal heal = { .first_index = from, .header_count = headers->count, .last = last };
    if (headers->count > 0) {
        heal.headers = mem_calloc(headers->count, sizeof(*heal.headers));
        if (heal.headers == NULL)
            return error_set(err, ERR_MEMORY, "no memory for %zu headers", headers->count);
    }
    heal.memory = buf_move(&headers->memory);
    heal.origin = span_of(heal.memory.data, origin_size);
    size_t at = origin_size;
    for (size_t i = 0; heal.headers != NULL && i < headers->count; i++) {
        heal.headers[i] = span_of(heal.memory.data + at, headers->sizes[i]);
        at += headers->sizes[i];
    }
    heal.checkpoint = span_of(heal.memory.data + at, heal.memory.size - at);
    *ret_heal = heal;
    return OK;
}

static enum status read_headers(struct feed_context *feed,
                                const struct feed_row *row,
                                uint64_t from,
                                size_t max_bytes,
                                struct heal *ret_heal,
                                struct error *err)
{
    struct headers *headers = mem_calloc(1, sizeof(*headers));
    if (headers == NULL)
        return error_set(err, ERR_MEMORY, "no memory to heal");
    struct span origin = span_text(row->origin);
    enum status status = buf_append(&headers->memory, origin, err);
    if (status == OK && from < row->size)
        status = collect(feed, row, from, max_bytes < HEAL_BYTES_MAX ? max_bytes : HEAL_BYTES_MAX,
                         headers, err);
    bool last = status == OK && from + headers->count >= row->size;
    if (last)
        status = feed_receipt_note(feed, row, &headers->memory, err);
    if (status == OK)
        status = make_heal(headers, origin.size, from, last, ret_heal, err);
    buf_fini(&headers->memory);
    mem_free(headers);
    return status;
}

/* One parameter more than functions have here: the contract of feed.h. */
enum status feed_heal_read(struct feed_context *feed, /* NOLINT(readability-function-size) */
                           const struct code *peer_code,
                           struct span origin,
                           uint64_t from,
                           size_t max_bytes,
                           struct heal *ret_heal,
                           struct error *err)
{
    struct peer_row peer;
    struct feed_row row;
    enum status status = peering_find(feed, peer_code, &peer, err);
    if (status == OK)
        status = feed_rows_by_origin(feed->store, origin, &row, err);
    if (status == OK && (row.peer_id != peer.peer_id || row.direction != FEED_IN))
        status =
            error_set(err, ERR_NOT_FOUND, "%s is not a feed of %s", row.origin, peer_code->text);
    return status == OK ? read_headers(feed, &row, from, max_bytes, ret_heal, err) : status;
}

/* -- taking back ------------------------------------------------------------------------------- */

struct healing {
    struct feed_context *feed;
    struct peer_row peer;
    struct feed_row row; /* the old epoch */
    uint64_t lost;       /* records given under consents that the restored database has not */
};

static enum status store_headers(struct healing *healing,
                                 const struct heal *heal,
                                 struct error *err)
{
    struct store *store = healing->feed->store;
    struct feed_row *row = &healing->row;
    if (row->healed_size < row->size)
        row->healed_size = row->size;
    if (heal->first_index > row->healed_size) {
        return error_set(err, ERR_MISMATCH, "begins at %llu, %s has %llu",
                         (unsigned long long)heal->first_index, row->origin,
                         (unsigned long long)row->healed_size);
    }
    for (size_t i = 0; i < heal->header_count; i++) {
        uint64_t index = heal->first_index + i;
        struct entry_row entry;
        struct entry_header header;
        enum status status = header_decode(heal->headers[i], &header, err);
        if (status == OK && index < row->healed_size) {
            status = entry_rows_get(store, row->feed_id, index, &entry, err);
            if (status == OK && !span_equal(entry.header, heal->headers[i]))
                status = error_set(err, ERR_MISMATCH, "header %llu is not the one that is here",
                                   (unsigned long long)index);
        } else if (status == OK) {
            status = entry_rows_append_header(store, row->feed_id, index, heal->headers[i], err);
            row->healed_size = index + 1;
        }
        if (status != OK)
            return status;
    }
    return feed_rows_set_state(store, row, err);
}

/* The tree over all that is here now must be the one that we signed once. */
static enum status adopt(struct healing *healing,
                         const struct checkpoint *checkpoint,
                         struct error *err)
{
    struct leaves leaves;
    struct entry_cursor cursor;
    struct digest root;
    struct feed_row *row = &healing->row;
    if (checkpoint->size != row->healed_size) {
        return error_set(err, ERR_MISMATCH, "checkpoint over %llu entries, %llu are here",
                         (unsigned long long)checkpoint->size,
                         (unsigned long long)row->healed_size);
    }
    enum status status = leaves_of_feed(&leaves, healing->feed->store, row, err);
    if (status == OK)
        status = entry_rows_walk(healing->feed->store, row->feed_id, row->size, row->healed_size,
                                 &cursor, err);
    if (status != OK)
        return status;
    for (bool more = true; status == OK && more;) {
        struct entry_row entry;
        status = entry_rows_next(&cursor, &entry, &more, err);
        if (status == OK && more)
            status = leaves_append(&leaves, entry.header, err);
    }
    entry_rows_stop(&cursor);
    if (status == OK)
        status = tree_root(&leaves.tree, &root, err);
    if (status == OK && !digest_equal(&root, &checkpoint->root))
        status = error_set(err, ERR_MISMATCH, "the headers do not give the root that we signed");
    return status == OK ? leaves_save(&leaves, row, err) : status;
}

/* A record that left in the lost part: known again, so that it shows as given and is withdrawn with
 * its consent.  Where its record or consent is lost, an id of ours stands for it from now on, by
 * which it can be revoked: the terms run on at the holder, and are the State's to end. */
static enum status note_given(struct healing *healing,
                              const struct entry_header *header,
                              uint64_t index,
                              struct error *err)
{
    struct store *store = healing->feed->store;
    struct consent_row consent;
    int64_t delivery_id = 0;
    struct delivery_row delivery = { .peer_id = healing->peer.peer_id,
                                     .version = header->record_version,
                                     .form = header->form,
                                     .feed_id = healing->row.feed_id,
                                     .index = index,
                                     .queued_ms = header->time_ms,
                                     .numbered_ms = header->time_ms };
    enum status status = pair_rows_adopt(store, delivery.peer_id, PAIR_SUBJECT, &header->subject_id,
                                         &delivery.record_id, err);
    if (status == OK)
        status = pair_rows_adopt(store, delivery.peer_id, PAIR_CONSENT, &header->consent_id,
                                 &delivery.consent_id, err);
    if (status == OK)
        status = delivery_rows_add(store, &delivery, &delivery_id, err);
    if (status == OK)
        status = consent_rows_get(store, &delivery.consent_id, &consent, err);
    if (status != ERR_NOT_FOUND)
        return status;
    healing->lost++;
    return OK;
}

/* A consent that was ended in the lost part must not look in force. */
static enum status note_ended(struct healing *healing,
                              const struct entry_header *header,
                              struct error *err)
{
    struct id consent_id;
    struct consents_ended ended;
    enum status status = pair_rows_local(healing->feed->store, healing->peer.peer_id, PAIR_CONSENT,
                                         &header->consent_id, &consent_id, err);
    if (status == OK) {
        status = consents_revoke(healing->feed, 0, &consent_id,
                                 "ended before the restore, as the recipient's copy of the feed "
                                 "shows",
                                 &ended, err);
    }
    if (status == OK && healing->lost >= ended.recalled) /* not of interest any more */
        healing->lost -= ended.recalled;
    return status == ERR_NOT_FOUND || status == ERR_WRONG_STATE ? OK : status;
}

/* A record that was withdrawn for now in the lost part waits again for its time.  (If it was given
 * again there as well, it is given twice, and the holder keeps the later copy.) */
static enum status note_postponed(struct healing *healing,
                                  const struct entry_header *header,
                                  uint64_t index,
                                  struct error *err)
{
    struct store *store = healing->feed->store;
    struct delivery_row rows[8];
    struct delivery_filter filter = { .peer_id = healing->peer.peer_id, .live_only = true };
    int64_t after = 0;
    size_t count = 8;
    enum status status = pair_rows_local(store, filter.peer_id, PAIR_SUBJECT, &header->subject_id,
                                         &filter.record_id, err);
    while (status == OK && count == 8) {
        status = delivery_rows_list(store, &filter, after, rows, 8, &count, err);
        for (size_t i = 0; status == OK && i < count; i++) {
            after = rows[i].delivery_id;
            if (rows[i].feed_id != healing->row.feed_id || rows[i].index >= index)
                continue;
            status = delivery_rows_withdraw(store, rows[i].delivery_id,
                                            peering_now_ms(healing->feed), err);
            if (status == OK)
                status = resend_queue_again(healing->feed, &rows[i], err);
        }
    }
    return status == ERR_NOT_FOUND ? OK : status;
}

static enum status learn(struct healing *healing, uint64_t from, struct error *err)
{
    enum status status = OK;
    for (uint64_t index = from; status == OK && index < healing->row.size; index++) {
        struct entry_row entry;
        struct entry_header header;
        status = entry_rows_get(healing->feed->store, healing->row.feed_id, index, &entry, err);
        if (status == OK)
            status = header_decode(entry.header, &header, err);
        if (status == OK && compose_is_record(header.kind))
            status = note_given(healing, &header, index, err);
        else if (status == OK && header.kind == KIND_WITHDRAWN &&
                 ending_is_for_now(header.inline_body))
            status = note_postponed(healing, &header, index, err);
        else if (status == OK &&
                 (header.kind == KIND_CONSENT_ENDED || header.kind == KIND_WITHDRAWN))
            status = note_ended(healing, &header, err);
    }
    return status;
}

/* Records may leave again in the epoch that waited for this one. */
static enum status release_epoch(struct healing *healing, struct error *err)
{
    struct feed_row active;
    char text[ALARM_TEXT_MAX + 1];
    enum status status =
        feed_rows_active(healing->feed->store, healing->peer.peer_id, FEED_OUT, &active, err);
    if (status == OK && active.healed_size == (uint64_t)healing->row.feed_id) {
        active.healed_size = 0;
        status = feed_rows_set_state(healing->feed->store, &active, err);
    } else if (status == OK && active.healed_size != 0) {
        healing->feed->meet_again = true;
    }
    if (status == ERR_NOT_FOUND)
        status = OK;
    if (status != OK || healing->lost == 0)
        return status;
    (void)snprintf(text, sizeof(text),
                   "holds %s given after the backup, under consents that this node lost; "
                   "to look: comityctl given --to %s; to take back: comityctl consent revoke",
                   counted(healing->lost, "record").text, healing->peer.code.text);
    return peering_alarm(healing->feed, &healing->peer.code, "unknown_records", text, err);
}

static enum status finish(struct healing *healing, const struct heal *heal, struct error *err)
{
    struct feed_context *feed = healing->feed;
    struct checkpoint checkpoint;
    uint64_t time_s = 0;
    uint64_t former = healing->row.size;
    const struct keyring_note note = { &healing->peer, FEED_OUT, heal->checkpoint,
                                       span_text(healing->row.origin), NULL };
    enum status status = keyring_open_receipt(feed, &note, &checkpoint, &time_s, NULL, err);
    if (status == OK)
        status = adopt(healing, &checkpoint, err);
    int64_t time_ms = (int64_t)(time_s % (INT64_MAX / 1000)) * 1000;
    if (status == OK && checkpoint.size > healing->row.receipt_size &&
        time_ms >= healing->row.receipt_ms)
        status = feed_rows_add_receipt(feed->store, healing->row.feed_id, checkpoint.size, time_ms,
                                       heal->checkpoint, err);
    if (status == OK)
        status = learn(healing, former, err);
    return status == OK ? release_epoch(healing, err) : status;
}

enum status feed_heal_apply(struct feed_context *feed,
                            const struct code *peer_code,
                            const struct heal *heal,
                            struct error *err)
{
    struct healing healing = { .feed = feed };
    enum status status = peering_find(feed, peer_code, &healing.peer, err);
    if (status == OK)
        status = feed_rows_by_origin(feed->store, heal->origin, &healing.row, err);
    if (status == OK &&
        (healing.row.peer_id != healing.peer.peer_id || healing.row.direction != FEED_OUT))
        status = error_set(err, ERR_MISMATCH, "%s is not our feed to it", healing.row.origin);
    /* A Hello may be older than what travelled over another connection since: we lost nothing. */
    if (status == OK && healing.row.state == FEED_ACTIVE &&
        heal->first_index + heal->header_count <= healing.row.size)
        return OK;
    if (status == OK && healing.row.state != FEED_OLD)
        status =
            error_set(err, ERR_MISMATCH, "%s is in use and needs no healing", healing.row.origin);
    if (status == OK)
        status = store_headers(&healing, heal, err);
    if (status == OK && heal->last)
        status = finish(&healing, heal, err);
    if (status != OK)
        error_prefix(err, "heal from %s", peer_code->text);
    return status;
}
