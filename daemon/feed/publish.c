/* Publishing: late numbering out of the queue, and receipts (feed.h). */
#include "feed/feed.h"

#include "feed/cards.h"
#include "feed/keyring.h"
#include "feed/publication.h"
#include "log/checkpoint.h"
#include "log/note.h"
#include "log/origin.h"
#include "store/delivery_rows.h"

#include <string.h>

enum status publication_init(struct publication *publication,
                             struct feed_context *feed,
                             const struct peer_row *peer,
                             const struct feed_row *row,
                             struct error *err)
{
    publication->feed = feed;
    publication->peer = *peer;
    publication->row = *row;
    publication->queued.bodies = (struct buf)BUF_INIT;
    composer_init(&publication->composer, feed, &publication->peer);
    enum status status = parcel_init(&publication->parcel, span_text(row->origin), err);
    if (status == OK)
        status = leaves_of_feed(&publication->leaves, feed->store, row, err);
    return status;
}

void publication_fini(struct publication *publication)
{
    composer_fini(&publication->composer);
    parcel_fini(&publication->parcel);
    buf_fini(&publication->queued.bodies);
}

/* -- numbering --------------------------------------------------------------------------------- */

/* What left is remembered with its consent; a withdrawal learns its entry's id, which the holder
 * will name in its answer. */
static enum status note_departure(struct publication *publication,
                                  const struct outbox_row *row,
                                  uint64_t index,
                                  struct error *err)
{
    struct store *store = publication->feed->store;
    if (compose_is_record(row->kind)) {
        int64_t delivery_id = 0;
        struct delivery_row delivery = { .peer_id = row->peer_id,
                                         .record_id = row->subject_id,
                                         .consent_id = row->consent_id,
                                         .version = row->record_version,
                                         .form = publication->composer.header.form,
                                         .feed_id = publication->row.feed_id,
                                         .index = index,
                                         .queued_ms = row->queued_ms,
                                         .numbered_ms = publication->composer.now_ms };
        return delivery_rows_add(store, &delivery, &delivery_id, err);
    }
    if (row->kind == KIND_CARD)
        return cards_note_numbered(publication->feed, row->peer_id, publication->row.feed_id, index,
                                   row->body, err);
    if (row->kind != KIND_WITHDRAWN)
        return OK;
    struct recall_row recall;
    enum status status = recall_rows_open(store, row->peer_id, &row->subject_id, &recall, err);
    if (status == ERR_NOT_FOUND)
        return OK;
    if (status != OK)
        return status;
    recall.withdrawn = publication->composer.header.entry_id;
    return recall_rows_update(store, &recall, err);
}

/* Whether the smallest entry of this kind would fit: most batches end here, and composing an entry
 * only to find no room for it costs as much as sending it. */
static bool may_have_room(const struct publication *publication,
                          uint16_t kind,
                          const struct publication_order *order)
{
    size_t least = HEADER_FIXED_SIZE;
    if (!compose_is_inline(kind))
        least += SALT_SIZE + header_padded_size(kind, 0);
    return order->log_only || parcel_has_room(&publication->parcel, least, order->max_bytes);
}

enum status publication_number_row(struct publication *publication,
                                   const struct outbox_row *row,
                                   const struct publication_order *order,
                                   enum compose_outcome *ret_outcome,
                                   struct error *err)
{
    struct composer *composer = &publication->composer;
    struct store *store = publication->feed->store;
    uint64_t index = publication->leaves.tree.size;
    enum status status =
        compose(composer, span_text(publication->row.origin), row, ret_outcome, err);
    if (status == OK && *ret_outcome == COMPOSE_NEVER && row->outbox_id != 0)
        return outbox_rows_remove(store, row->outbox_id, err);
    if (status != OK || *ret_outcome != COMPOSE_READY)
        return status;
    struct span header = composer->append.header;
    size_t bytes = header.size + compose_salt(composer).size + compose_body(composer).size;
    if (!order->log_only && !parcel_has_room(&publication->parcel, bytes, order->max_bytes)) {
        *ret_outcome = COMPOSE_LATER;
        return OK;
    }
    status = entry_rows_append(store, publication->row.feed_id, index, &composer->append, err);
    if (status == OK)
        status = leaves_append(&publication->leaves, header, err);
    if (status == OK)
        status = note_departure(publication, row, index, err);
    if (status == OK && row->outbox_id != 0)
        status = outbox_rows_remove(store, row->outbox_id, err);
    if (status == OK && !order->log_only)
        status = parcel_add(&publication->parcel, header, compose_salt(composer),
                            compose_body(composer), false, err);
    return status;
}

/* The rows of one list, until one finds no room (*ret_full). */
static enum status number_list(struct publication *publication,
                               const struct publication_order *order,
                               struct outbox_place *place,
                               bool *ret_full,
                               struct error *err)
{
    const struct outbox_list *list = &publication->queued;
    for (size_t i = 0; i < list->count; i++) {
        const struct outbox_row *row = &list->rows[i];
        enum compose_outcome outcome = COMPOSE_LATER;
        bool stop = publication->numbered == order->max_count ||
                    publication->skipped == PUBLICATION_SKIPPED_MAX ||
                    (order->recalls_only && row->priority != OUTBOX_RECALL) ||
                    !may_have_room(publication, row->kind, order);
        enum status status =
            stop ? OK : publication_number_row(publication, row, order, &outcome, err);
        if (status != OK)
            return status;
        /* One that was composed, and waits all the same, found no room. */
        if (stop || (outcome == COMPOSE_LATER && publication->composer.append.header.size > 0)) {
            *ret_full = true;
            return OK;
        }
        *place = (struct outbox_place){ (int)row->priority, row->outbox_id };
        publication->numbered += outcome == COMPOSE_READY ? 1 : 0;
        publication->skipped += outcome == COMPOSE_READY ? 0 : 1;
    }
    return OK;
}

enum status publication_number(struct publication *publication,
                               const struct publication_order *order,
                               struct error *err)
{
    struct outbox_place place = OUTBOX_START;
    /* Doubled each time: a batch of one entry reads no more than it needs, and that none is behind.
     */
    size_t at_once = 2;
    bool full = false;
    publication->numbered = publication->skipped = 0;
    publication->exhausted = false;
    while (!full && !publication->exhausted) {
        enum status status = outbox_rows_list(publication->feed->store, publication->peer.peer_id,
                                              place, at_once, &publication->queued, err);
        if (status == OK)
            status = number_list(publication, order, &place, &full, err);
        if (status != OK)
            return status;
        publication->exhausted = !full && publication->queued.count < at_once;
        at_once = at_once * 2 < OUTBOX_LIST_MAX ? at_once * 2 : OUTBOX_LIST_MAX;
    }
    return OK;
}

enum status publication_save(struct publication *publication, struct error *err)
{
    if (publication->leaves.tree.size == publication->row.size)
        return OK;
    return leaves_save(&publication->leaves, &publication->row, err);
}

/* -- feed_publish ------------------------------------------------------------------------------ */

static enum status fill_batch(struct publication *publication,
                              uint64_t from,
                              size_t max_bytes,
                              struct batch *ret_batch,
                              struct error *err)
{
    struct publication_order order = {
        /* Before the lost part of an old epoch is back (heal.c), a consent may look in force that
         * was ended there: only recalls leave. */
        .recalls_only = publication->peer.held || publication->row.healed_size != 0,
        .max_count = PUBLICATION_ENTRIES,
        .max_bytes = max_bytes < PUBLICATION_BYTES ? max_bytes : PUBLICATION_BYTES,
    };
    bool again = from < publication->row.size;
    enum status status =
        again ? resend(publication, from, err) : publication_number(publication, &order, err);
    if (status == OK)
        status = publication_save(publication, err);
    if (status == OK)
        status = parcel_finish(&publication->parcel, from, ret_batch, err);
    if (status == OK)
        ret_batch->is_last = !again && publication->exhausted;
    if (status == OK && batch_end(ret_batch) == publication->row.size) {
        ret_batch->has_root = true;
        ret_batch->root = publication->row.root;
    }
    return status;
}

/* The active feed to a peer; opened when there is none and something waits for it. */
static enum status open_out(struct feed_context *feed,
                            const struct peer_row *peer,
                            struct feed_row *ret_row,
                            bool *ret_open,
                            struct error *err)
{
    uint64_t waiting = 0;
    enum status status = feed_rows_active(feed->store, peer->peer_id, FEED_OUT, ret_row, err);
    *ret_open = status == OK;
    if (status != ERR_NOT_FOUND)
        return status;
    status = outbox_rows_count(feed->store, peer->peer_id, &waiting, err);
    if (status != OK || waiting == 0)
        return status;
    status = peering_open_epoch(feed, peer, ret_row, err);
    *ret_open = status == OK;
    return status;
}

enum status feed_publish(struct feed_context *feed,
                         const struct code *peer_code,
                         uint64_t from,
                         size_t max_bytes,
                         struct batch *ret_batch,
                         struct error *err)
{
    struct publication publication = { 0 };
    struct peer_row peer;
    struct feed_row row;
    bool open = false;
    enum status status = peering_find(feed, peer_code, &peer, err);
    if (status == OK)
        status = open_out(feed, &peer, &row, &open, err);
    if (status == OK && open && from > row.size)
        status = error_set(err, ERR_INTERNAL, "%s has %llu entries, asked from %llu", row.origin,
                           (unsigned long long)row.size, (unsigned long long)from);
    if (status == OK && open) {
        status = publication_init(&publication, feed, &peer, &row, err);
        if (status == OK)
            status = fill_batch(&publication, from, max_bytes, ret_batch, err);
        publication_fini(&publication);
    } else if (status == OK) {
        *ret_batch = (struct batch){ .first_index = from };
    }
    if (status != OK)
        error_prefix(err, "publish to %s", peer_code->text);
    return status;
}

enum status feed_publish_sign(struct feed_context *feed, struct batch *batch, struct error *err)
{
    struct feed_row row;
    struct buf note = BUF_INIT;
    struct checkpoint checkpoint = { batch->origin, batch_end(batch), batch->root };
    enum status status = OK;
    if (!batch->has_root) {
        status = feed_rows_by_origin(feed->store, batch->origin, &row, err);
        if (status == OK)
            status = leaves_root_at(feed->store, &row, checkpoint.size, &checkpoint.root, err);
    }
    if (status == OK)
        status = keyring_sign(feed, &checkpoint, &note, err);
    /* The batch's spans point into its memory, which must not move. */
    if (status == OK && batch->memory.capacity - batch->memory.size < note.size)
        status = error_set(err, ERR_INTERNAL, "no room for a note of %zu bytes", note.size);
    if (status == OK) {
        size_t at = batch->memory.size;
        status = buf_append(&batch->memory, buf_span(&note), err);
        if (status == OK)
            batch->checkpoint = span_of(batch->memory.data + at, note.size);
    }
    buf_fini(&note);
    return status;
}

/* -- receipts ---------------------------------------------------------------------------------- */

static enum status check_receipt(struct feed_context *feed,
                                 const struct feed_row *row,
                                 const struct checkpoint *checkpoint,
                                 int64_t time_ms,
                                 struct error *err)
{
    struct digest root;
    if (checkpoint->size > row->size) {
        return error_set(err, ERR_MISMATCH, "receipt for %llu entries, %s has %llu",
                         (unsigned long long)checkpoint->size, row->origin,
                         (unsigned long long)row->size);
    }
    enum status status = leaves_root_at(feed->store, row, checkpoint->size, &root, err);
    if (status == OK && !digest_equal(&root, &checkpoint->root))
        return error_set(err, ERR_MISMATCH, "receipt for another history of %s", row->origin);
    if (status == OK && time_ms < row->receipt_ms)
        return error_set(err, ERR_INVALID, "receipt of a time before the one that came earlier");
    return status;
}

void feed_verify_receipt(const struct realm *realm,
                         const struct code *peer,
                         struct span note,
                         struct feed_verification *verification)
{
    struct note parsed;
    uint64_t time_s = 0;
    char cosigner[ORIGIN_TEXT_SIZE];
    origin_receipt(realm, peer, cosigner);
    verification->good = verification->has_key && note_parse(note, &parsed, NULL) == OK &&
                         note_verify_cosignature(&parsed, span_text(cosigner), &verification->key,
                                                 &time_s, NULL) == OK;
}

static enum status open_receipt(struct feed_context *feed,
                                const struct peer_row *peer,
                                struct span note,
                                struct feed_verification *verification,
                                struct checkpoint *ret_checkpoint,
                                uint64_t *ret_time_s,
                                struct error *err)
{
    struct keyring_pair pair;
    struct keyring_note receipt = { .peer = peer, .direction = FEED_OUT, .note = note };
    if (verification != NULL && verification->wait != NULL)
        verification->wait(verification->self);
    if (verification != NULL && verification->good)
        receipt.cosigned_by = &verification->key;
    enum status status =
        keyring_open_receipt(feed, &receipt, ret_checkpoint, ret_time_s, &pair, err);
    if (status == OK && verification != NULL) {
        verification->has_key = true;
        verification->key = pair.receipt_key;
    }
    return status;
}

static enum status take_receipt(struct feed_context *feed,
                                const struct code *peer_code,
                                struct span note,
                                struct feed_verification *verification,
                                struct error *err)
{
    struct peer_row peer;
    struct feed_row row;
    struct checkpoint checkpoint;
    uint64_t time_s = 0;
    enum status status = peering_find(feed, peer_code, &peer, err);
    if (status == OK)
        status = open_receipt(feed, &peer, note, verification, &checkpoint, &time_s, err);
    if (status == OK)
        status = feed_rows_by_origin(feed->store, checkpoint.origin, &row, err);
    if (status == OK && (row.peer_id != peer.peer_id || row.direction != FEED_OUT))
        status = error_set(err, ERR_MISMATCH, "a receipt of another feed");
    if (status != OK || checkpoint.size <= row.receipt_size)
        return status; /* one that says nothing new may come twice */
    int64_t time_ms = time_s > INT64_MAX / 1000 ? INT64_MAX : (int64_t)time_s * 1000;
    status = check_receipt(feed, &row, &checkpoint, time_ms, err);
    if (status == OK)
        status =
            feed_rows_add_receipt(feed->store, row.feed_id, checkpoint.size, time_ms, note, err);
    return status;
}

enum status feed_take_receipt(struct feed_context *feed,
                              const struct code *peer,
                              struct span note,
                              struct feed_verification *verification,
                              struct error *err)
{
    enum status status = take_receipt(feed, peer, note, verification, err);
    if (status != OK)
        error_prefix(err, "receipt of %s", peer->text);
    return status;
}

enum status feed_waiting(struct feed_context *feed,
                         struct code *ret_peers,
                         size_t max,
                         size_t *ret_count,
                         struct error *err)
{
    return outbox_rows_waiting(feed->store, ret_peers, max, ret_count, err);
}
