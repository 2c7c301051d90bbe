/* Receiving: checks without a transaction, then order and root, then the entries (feed.h). */
#include "feed/feed.h"

#include "feed/compose.h"
#include "feed/control_body.h"
#include "feed/ingestion.h"
#include "feed/keyring.h"
#include "log/checkpoint.h"
#include "record/release.h"
#include "store/entry_rows.h"
#include "store/outbox_rows.h"

#include <stdio.h>
#include <string.h>

/* -- pure checks ------------------------------------------------------------------------------- */

static enum status check_entry(const struct batch *batch, size_t i, struct error *err)
{
    const struct batch_entry *entry = &batch->entries[i];
    struct entry_header header;
    enum status status = header_decode(entry->header, &header, err);
    bool bare = entry->salt.size == 0 && entry->body.size == 0;
    if (status == OK && (header.has_inline || entry->withheld) && !bare)
        status = error_set(err, ERR_INVALID, "salt or body where none belongs");
    if (status == OK && entry->withheld && !compose_is_record(header.kind))
        status = error_set(err, ERR_INVALID, "the body of %s is withheld",
                           header_kind_name(header.kind));
    if (status == OK && !header.has_inline && !entry->withheld) {
        if (entry->salt.size != SALT_SIZE) {
            status = error_set(err, ERR_INVALID, "salt of %zu bytes, must be %d", entry->salt.size,
                               SALT_SIZE);
        } else {
            status = header_open(&header, batch->origin, entry->salt, entry->body, err);
        }
    }
    if (status != OK)
        error_prefix(err, "entry %llu", (unsigned long long)batch->first_index + i);
    return status;
}

static enum status check_sizes(const struct batch *batch, struct error *err)
{
    if (batch->entry_count == 0 || batch->entry_count > BATCH_ENTRIES_MAX)
        return error_set(err, ERR_INVALID, "a batch of %zu entries, must be 1 to %d",
                         batch->entry_count, BATCH_ENTRIES_MAX);
    if (batch_bytes(batch) > BATCH_BYTES_MAX)
        return error_set(err, ERR_INVALID, "a batch of %zu bytes > %d", batch_bytes(batch),
                         BATCH_BYTES_MAX);
    if (batch->first_index > FEED_ENTRIES_MAX - batch->entry_count)
        return error_set(err, ERR_INVALID, "a batch that ends behind the largest index");
    return OK;
}

static enum status check_note(const struct batch *batch, struct error *err)
{
    struct checkpoint checkpoint;
    enum status status = checkpoint_open(batch->checkpoint, batch->origin, NULL, &checkpoint, err);
    if (status == OK && checkpoint.size != batch_end(batch)) {
        return error_set(err, ERR_INVALID, "its checkpoint is over %llu entries, it ends at %llu",
                         (unsigned long long)checkpoint.size, (unsigned long long)batch_end(batch));
    }
    return status;
}

enum status feed_ingest_check(struct feed_context *feed,
                              const struct code *peer_code,
                              const struct batch *batch,
                              struct error *err)
{
    struct peer_row peer;
    enum status status = peering_find(feed, peer_code, &peer, err);
    if (status == OK)
        status = check_sizes(batch, err);
    if (status == OK)
        status = peering_check_origin(feed, batch->origin, peer_code, &feed->self, err);
    if (status == OK)
        status = check_note(batch, err);
    for (size_t i = 0; status == OK && i < batch->entry_count; i++)
        status = check_entry(batch, i, err);
    if (status != OK)
        error_prefix(err, "ingest %s", peer_code->text);
    return status;
}

/* -- epochs ------------------------------------------------------------------------------------ */

/* The first entry of a new epoch must say what it goes on from, and that must be what we hold. */
static enum status check_restored(struct ingestion *ingestion,
                                  const struct batch *batch,
                                  struct error *err)
{
    struct entry_header header;
    struct control_restored restored;
    struct feed_row former;
    struct digest root;
    enum status status = header_decode(batch->entries[0].header, &header, err);
    if (status == OK && (header.kind != KIND_RESTORED || !header.has_inline))
        status =
            error_set(err, ERR_MISMATCH, "a new epoch that does not begin with RESTORED: a fork");
    if (status == OK)
        status = control_restored_decode(header.inline_body, &restored, err);
    if (status == OK)
        status = peering_check_origin(ingestion->feed, restored.origin, &ingestion->peer.code,
                                      &ingestion->feed->self, err);
    if (status != OK)
        return status;
    status = feed_rows_by_origin(ingestion->feed->store, restored.origin, &former, err);
    if (status == ERR_NOT_FOUND)
        return OK; /* it was rolled back further than we know it: healing shows */
    if (status == OK && restored.size <= former.size) {
        status = leaves_root_at(ingestion->feed->store, &former, restored.size, &root, err);
        if (status == OK && !digest_equal(&root, &restored.root))
            status = error_set(err, ERR_MISMATCH, "RESTORED names another history of %s: a fork",
                               former.origin);
    }
    return status;
}

/* Of an epoch that we have lost to the last entry we know by our own receipt alone, and a publisher
 * that was set back behind it as well does not know of it at all. */
static enum status check_beginning(struct ingestion *ingestion,
                                   const struct batch *batch,
                                   struct error *err)
{
    struct feed_row held;
    enum status status =
        feed_rows_latest(ingestion->feed->store, ingestion->peer.peer_id, FEED_IN, &held, err);
    if (status == ERR_NOT_FOUND)
        return OK;
    return status == OK ? check_restored(ingestion, batch, err) : status;
}

static enum status open_epoch(struct ingestion *ingestion,
                              const struct batch *batch,
                              struct error *err)
{
    struct feed_row active = { .feed_id = 0 };
    if (batch->first_index != 0)
        return error_set(err, ERR_MISMATCH, "an unknown feed that begins at %llu, not at 0",
                         (unsigned long long)batch->first_index);
    enum status status =
        feed_rows_active(ingestion->feed->store, ingestion->peer.peer_id, FEED_IN, &active, err);
    if (status == OK) {
        char text[160];
        (void)snprintf(text, sizeof(text), "was restored from a backup: it goes on in %.*s",
                       (int)batch->origin.size, (const char *)batch->origin.data);
        active.state = FEED_OLD;
        status = check_beginning(ingestion, batch, err);
        if (status == OK)
            status = feed_rows_set_state(ingestion->feed->store, &active, err);
        if (status == OK)
            status = peering_alarm(ingestion->feed, &ingestion->peer.code, "new_epoch", text, err);
    } else if (status == ERR_NOT_FOUND) {
        status = OK;
    }
    if (status == OK)
        status = peering_open(ingestion->feed, &ingestion->peer, FEED_IN, batch->origin,
                              &ingestion->row, err);
    /* What we lost of the former epoch comes in this one: the locks are this one's to lift. */
    bool behind = active.feed_id != 0 && (active.rolled_back || active.size < active.receipt_size);
    if (status != OK || !behind)
        return status;
    ingestion->row.rolled_back = true;
    ingestion->row.healed_size = (uint64_t)active.feed_id;
    return feed_rows_set_state(ingestion->feed->store, &ingestion->row, err);
}

static enum status find_feed(struct ingestion *ingestion,
                             const struct batch *batch,
                             struct error *err)
{
    struct feed_row *row = &ingestion->row;
    enum status status = feed_rows_by_origin(ingestion->feed->store, batch->origin, row, err);
    if (status == ERR_NOT_FOUND)
        return open_epoch(ingestion, batch, err);
    if (status != OK)
        return status;
    if (row->peer_id != ingestion->peer.peer_id || row->direction != FEED_IN)
        return error_set(err, ERR_MISMATCH, "%s is not a feed of %s", row->origin,
                         ingestion->peer.code.text);
    if (row->state != FEED_ACTIVE)
        return error_set(err, ERR_MISMATCH, "%s was closed when its publisher was restored",
                         row->origin);
    return OK;
}

/* -- entries ----------------------------------------------------------------------------------- */

static enum status check_overlap(struct ingestion *ingestion,
                                 const struct batch *batch,
                                 struct error *err)
{
    uint64_t first = batch->first_index;
    uint64_t end = batch_end(batch) < ingestion->row.size ? batch_end(batch) : ingestion->row.size;
    if (first > ingestion->row.size)
        return error_set(err, ERR_MISMATCH, "begins at %llu, we hold %llu",
                         (unsigned long long)first, (unsigned long long)ingestion->row.size);
    for (uint64_t index = first; index < end; index++) {
        struct entry_row stored;
        enum status status =
            entry_rows_get(ingestion->feed->store, ingestion->row.feed_id, index, &stored, err);
        if (status != OK)
            return status;
        if (!span_equal(stored.header, batch->entries[index - first].header))
            return error_set(err, ERR_MISMATCH, "entry %llu is not the one that we hold: a fork",
                             (unsigned long long)index);
    }
    return OK;
}

/* A body may be missing if we cosigned the entry once (and lost it), or if its withdrawal is under
 * the same checkpoint. */
static enum status check_withheld(const struct ingestion *ingestion,
                                  const struct batch *batch,
                                  size_t i,
                                  const struct entry_header *header,
                                  struct error *err)
{
    if (!batch->entries[i].withheld || batch->first_index + i < ingestion->row.receipt_size)
        return OK;
    for (size_t j = i + 1; j < batch->entry_count; j++) {
        struct entry_header later;
        if (header_decode(batch->entries[j].header, &later, err) == OK &&
            later.kind == KIND_WITHDRAWN && id_equal(&later.subject_id, &header->subject_id) &&
            (later.record_version == 0 || later.record_version == header->record_version))
            return OK;
    }
    return error_set(err, ERR_INVALID, "entry %llu is withheld, and not withdrawn in its batch",
                     (unsigned long long)batch->first_index + i);
}

static enum status store_entry(struct ingestion *ingestion,
                               const struct batch *batch,
                               size_t i,
                               struct error *err)
{
    const struct batch_entry *entry = &batch->entries[i];
    struct ingestion_entry at = { .index = batch->first_index + i, .entry = entry };
    enum status status = header_decode(entry->header, &at.header, err);
    if (status == OK)
        status = check_withheld(ingestion, batch, i, &at.header, err);
    if (status != OK)
        return status;
    struct entry_append append = { .header = entry->header,
                                   .salt = entry->salt,
                                   .body = entry->body,
                                   .withheld = entry->withheld };
    if (compose_is_record(at.header.kind))
        append.group = at.header.consent_id; /* revoked together, so keyed together */
    status =
        entry_rows_append(ingestion->feed->store, ingestion->row.feed_id, at.index, &append, err);
    if (status == OK)
        status = leaves_append(&ingestion->leaves, entry->header, err);
    if (status == OK)
        status = apply_entry(ingestion, &at, err);
    return status;
}

/* -- the head ---------------------------------------------------------------------------------- */

/* The receipt's time never goes back and is stored here, so that signing after the commit, or again
 * after a crash, gives the same bytes. */
static enum status store_head(struct ingestion *ingestion,
                              const struct batch *batch,
                              struct error *err)
{
    struct feed_row *row = &ingestion->row;
    int64_t time_ms = ingestion->now_ms / 1000 * 1000;
    bool receipted = row->size >= row->receipt_size; /* otherwise it catches up: we signed more */
    if (receipted) {
        row->receipt_size = row->size;
        row->receipt_ms = time_ms < row->receipt_ms ? row->receipt_ms : time_ms;
    }
    return feed_rows_set_received(ingestion->feed->store, row, batch->checkpoint, receipted, err);
}

/* What comes again up to our own receipt must be what that receipt is for: nothing else may be
 * cosigned after it. */
static enum status check_own_receipt(const struct ingestion *ingestion, struct error *err)
{
    const struct feed_row *row = &ingestion->row;
    struct buf bytes = BUF_INIT;
    struct note note;
    struct checkpoint checkpoint;
    struct digest root;
    enum status status =
        feed_rows_get_note(ingestion->feed->store, row->feed_id, FEED_NOTE_RECEIPT, &bytes, err);
    if (status == OK)
        status = note_parse(buf_span(&bytes), &note, err);
    if (status == OK)
        status = checkpoint_decode(note.text, &checkpoint, err);
    if (status == OK)
        status = leaves_root_at(ingestion->feed->store, row, checkpoint.size, &root, err);
    if (status == OK && !digest_equal(&root, &checkpoint.root))
        status = error_set(err, ERR_MISMATCH,
                           "the entries do not give the root over %llu of them that this node "
                           "receipted once, and lost: a fork",
                           (unsigned long long)checkpoint.size);
    buf_fini(&bytes);
    return status;
}

static enum status save_head(struct ingestion *ingestion,
                             const struct batch *batch,
                             struct error *err)
{
    struct note note; /* its signature: feed_ingest */
    struct checkpoint checkpoint;
    bool behind = ingestion->row.size < ingestion->row.receipt_size;
    enum status status = note_parse(batch->checkpoint, &note, err);
    if (status == OK)
        status = checkpoint_decode(note.text, &checkpoint, err);
    if (status == OK)
        status = leaves_head(&ingestion->leaves, &ingestion->row, err);
    if (status == OK && !digest_equal(&ingestion->row.root, &checkpoint.root))
        status = error_set(err, ERR_MISMATCH, "the entries do not give the checkpoint's root");
    bool caught_up = behind && ingestion->row.size >= ingestion->row.receipt_size;
    if (status == OK && caught_up)
        status = check_own_receipt(ingestion, err);
    if (status == OK)
        status = store_head(ingestion, batch, err);
    if (status != OK || !caught_up)
        return status;
    /* Caught up; without the mark, no later feed_settle() locks it again. */
    ingestion->row.rolled_back = false;
    status = feed_rows_set_state(ingestion->feed->store, &ingestion->row, err);
    if (status == OK)
        status = holding_rows_unlock_peer(ingestion->feed->store, ingestion->peer.peer_id,
                                          HOLDING_ROLLED_BACK, err);
    return status;
}

static enum status ingest(struct ingestion *ingestion, const struct batch *batch, struct error *err)
{
    enum status status = find_feed(ingestion, batch, err);
    if (status == OK)
        status = check_overlap(ingestion, batch, err);
    if (status != OK || batch_end(batch) <= ingestion->row.size)
        return status;
    status = leaves_of_feed(&ingestion->leaves, ingestion->feed->store, &ingestion->row, err);
    size_t first_new = (size_t)(ingestion->row.size - batch->first_index);
    for (size_t i = first_new; status == OK && i < batch->entry_count; i++)
        status = store_entry(ingestion, batch, i, err);
    if (status == OK)
        status = save_head(ingestion, batch, err);
    return status;
}

/* -- the publisher's signature ----------------------------------------------------------------- */

void feed_verify_batch(const struct batch *batch, struct feed_verification *verification)
{
    struct checkpoint checkpoint;
    verification->good =
        verification->has_key && checkpoint_open(batch->checkpoint, batch->origin,
                                                 &verification->key, &checkpoint, NULL) == OK;
}

static enum status confirm(const struct batch *batch,
                           const struct peer_row *peer,
                           struct feed_verification *verification,
                           struct error *err)
{
    struct checkpoint checkpoint;
    if (verification != NULL && verification->wait != NULL)
        verification->wait(verification->self);
    if (verification != NULL && verification->good &&
        memcmp(&verification->key, &peer->log_key, sizeof(peer->log_key)) == 0)
        return OK;
    enum status status =
        checkpoint_open(batch->checkpoint, batch->origin, &peer->log_key, &checkpoint, err);
    if (status == ERR_NOT_FOUND) {
        return error_set(err, ERR_SIGNATURE,
                         "its checkpoint is not signed by the log key of %s; next: if %s has "
                         "replaced that key, comityctl peer add its new card",
                         peer->code.text, peer->code.text);
    }
    if (status == OK && verification != NULL) {
        verification->has_key = true;
        verification->key = peer->log_key;
    }
    return status;
}

/* -- feed_ingest ------------------------------------------------------------------------------- */

enum status feed_ingest(struct feed_context *feed,
                        const struct code *peer_code,
                        const struct batch *batch,
                        struct feed_verification *verification,
                        struct error *err)
{
    struct ingestion ingestion = { .feed = feed, .now_ms = peering_now_ms(feed) };
    struct error why = ERROR_INIT;
    enum status status = peering_find(feed, peer_code, &ingestion.peer, err);
    if (status == OK) {
        const struct peer_row peer = ingestion.peer; /* a card in the batch may replace its key */
        uint64_t queued = outbox_rows_added(feed->store);
        enum status found = ingest(&ingestion, batch, &why);
        release_codec_free(ingestion.codec); /* nothing of the records stays in memory */
        status = confirm(batch, &peer, verification, err);
        if (status == OK && found != OK)
            status = error_set(err, found, "%s", why.text);
        feed->queued = feed->queued || outbox_rows_added(feed->store) != queued;
    }
    if (status != OK)
        error_prefix(err, "ingest %s", peer_code->text);
    return status;
}

enum status feed_receipt_note(struct feed_context *feed,
                              const struct feed_row *row,
                              struct buf *append_to,
                              struct error *err)
{
    struct buf note = BUF_INIT;
    enum status status =
        feed_rows_get_note(feed->store, row->feed_id, FEED_NOTE_CHECKPOINT, &note, err);
    if (status == OK && note.size > 0)
        status =
            keyring_cosign(feed, buf_span(&note), (uint64_t)row->receipt_ms / 1000, append_to, err);
    buf_fini(&note);
    return status;
}

enum status feed_ingest_sign(struct feed_context *feed,
                             const struct code *peer_code,
                             struct buf *ret_receipt,
                             struct error *err)
{
    struct peer_row peer;
    struct feed_row row;
    enum status status = peering_find(feed, peer_code, &peer, err);
    if (status == OK)
        status = feed_rows_active(feed->store, peer.peer_id, FEED_IN, &row, err);
    if (status == OK)
        status = feed_receipt_note(feed, &row, ret_receipt, err);
    if (status == OK && ret_receipt->size == 0)
        status =
            error_set(err, ERR_INTERNAL, "nothing of %s to give a receipt for", peer_code->text);
    return status;
}
