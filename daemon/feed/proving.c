#include "feed/proving.h"

#include "feed/compose.h"
#include "feed/ingestion.h"
#include "feed/keyring.h"
#include "log/evidence.h"
#include "store/card_rows.h"
#include "store/entry_rows.h"

enum { EXPORT_ENTRIES_MAX = 100 * 1000 };

/* -- one entry --------------------------------------------------------------------------------- */

/* Our receipt of an incoming feed, made again: the key of today would lie about a time before it
 * came into use, and evidence is judged by that time. */
static enum status receipt_again(struct feed_context *feed,
                                 const struct feed_row *row,
                                 struct buf *ret_note,
                                 struct error *err)
{
    struct public_key key;
    struct buf note = BUF_INIT;
    int64_t since_ms = 0;
    enum status status =
        feed_rows_get_note(feed->store, row->feed_id, FEED_NOTE_CHECKPOINT, &note, err);
    if (status == OK)
        status = private_key_public(feed->receipt_key, &key, err);
    if (status == OK)
        status = card_rows_receipt_key_since(feed->store, &key, &since_ms, err);
    int64_t time_s = (row->receipt_ms > since_ms ? row->receipt_ms : since_ms) / 1000;
    if (status == OK && note.size > 0)
        status = keyring_cosign(feed, buf_span(&note), (uint64_t)time_s, ret_note, err);
    buf_fini(&note);
    return status;
}

/* The checkpoint with the subscriber's cosignature that is at hand. */
static enum status receipt_of(struct feed_context *feed,
                              const struct feed_row *row,
                              struct buf *ret_note,
                              struct error *err)
{
    if (row->direction == FEED_IN)
        return receipt_again(feed, row, ret_note, err);
    return feed_rows_get_note(feed->store, row->feed_id, FEED_NOTE_RECEIPT, ret_note, err);
}

struct opened {
    struct buf header;
    struct buf salt;
    struct buf body; /* padded */
    struct buf plain;
};

static void opened_fini(struct opened *opened)
{
    buf_fini(&opened->header);
    buf_fini(&opened->salt);
    buf_fini(&opened->body);
    buf_fini(&opened->plain);
}

static enum status open_entry(struct feed_context *feed,
                              int64_t feed_id,
                              uint64_t index,
                              bool shown,
                              struct opened *opened,
                              struct error *err)
{
    struct entry_row entry;
    struct entry_header header;
    bool canonical = false;
    enum status status = entry_rows_get(feed->store, feed_id, index, &entry, err);
    if (status == OK)
        status = buf_append(&opened->header, entry.header, err);
    if (status != OK || !shown)
        return status;
    status = header_decode(buf_span(&opened->header), &header, err);
    if (status == OK)
        status =
            entry_rows_open(feed->store, &entry, &opened->salt, &opened->plain, &canonical, err);
    if (status == OK && canonical)
        status = header_pad(header.kind, buf_span(&opened->plain), &opened->body, err);
    else if (status == OK)
        status = buf_append(&opened->body, buf_span(&opened->plain), err);
    return status;
}

enum status proving_entry(struct feed_context *feed,
                          int64_t feed_id,
                          uint64_t index,
                          bool shown,
                          struct buf *append_to,
                          struct error *err)
{
    struct evidence evidence = { .index = index };
    struct opened opened = { .salt = BUF_INIT_SECRET,
                             .body = BUF_INIT_SECRET,
                             .plain = BUF_INIT_SECRET };
    struct buf receipt = BUF_INIT;
    struct note note;
    struct checkpoint checkpoint;
    struct feed_row row;
    struct leaves leaves = { .store = feed->store, .feed_id = feed_id };
    struct proof_source source = leaves_source(&leaves);
    enum status status = feed_rows_get(feed->store, feed_id, &row, err);
    if (status == OK)
        status = receipt_of(feed, &row, &receipt, err);
    if (status == OK && receipt.size == 0) {
        status = error_set(err, ERR_WRONG_STATE,
                           "nothing of this feed is receipted yet; next: repeat after the "
                           "recipient was connected");
    }
    if (status == OK)
        status = note_parse(buf_span(&receipt), &note, err);
    if (status == OK)
        status = checkpoint_decode(note.text, &checkpoint, err);
    if (status == OK && index >= checkpoint.size) {
        status = error_set(err, ERR_WRONG_STATE,
                           "entry %llu is not receipted yet; next: repeat after the recipient was "
                           "connected",
                           (unsigned long long)index);
    }
    if (status == OK)
        status = proof_inclusion(&source, index, checkpoint.size, &evidence.proof, err);
    if (status == OK)
        status = open_entry(feed, feed_id, index, shown, &opened, err);
    evidence.header = buf_span(&opened.header);
    evidence.salt = buf_span(&opened.salt);
    evidence.body = buf_span(&opened.body);
    evidence.note = buf_span(&receipt);
    if (status == OK)
        status = evidence_encode(&evidence, append_to, err);
    buf_fini(&receipt);
    opened_fini(&opened);
    return status;
}

/* -- export ------------------------------------------------------------------------------------ */

static enum status add_hex(struct buf *out,
                           const char *before,
                           struct span bytes,
                           struct error *err)
{
    enum status status = buf_append_text(out, before, err);
    if (status == OK && bytes.size == 0)
        return buf_append_text(out, "-", err);
    if (status == OK)
        status = buf_reserve(out, 2 * bytes.size + 1, err);
    if (status == OK) {
        hex_encode(bytes, (char *)out->data + out->size);
        out->size += 2 * bytes.size;
    }
    return status;
}

static enum status export_entry(struct feed_context *feed,
                                const struct feed_row *row,
                                uint64_t index,
                                bool shown,
                                struct buf *out,
                                struct error *err)
{
    struct opened opened = { .salt = BUF_INIT_SECRET,
                             .body = BUF_INIT_SECRET,
                             .plain = BUF_INIT_SECRET };
    enum status status = open_entry(feed, row->feed_id, index, shown, &opened, err);
    if (status == ERR_ERASED) { /* its header stays for ever */
        buf_clear(&opened.salt);
        buf_clear(&opened.body);
        status = OK;
    }
    if (status == OK)
        status = buf_printf(out, err, "entry %llu", (unsigned long long)index);
    if (status == OK)
        status = add_hex(out, " ", buf_span(&opened.header), err);
    if (status == OK)
        status = add_hex(out, " ", buf_span(&opened.salt), err);
    if (status == OK)
        status = add_hex(out, " ", buf_span(&opened.body), err);
    if (status == OK)
        status = buf_append_text(out, "\n", err);
    opened_fini(&opened);
    return status;
}

static enum status export_note(const char *name,
                               struct span note,
                               struct buf *out,
                               struct error *err)
{
    if (note.size == 0)
        return OK;
    return buf_printf(out, err, "note %s\n%.*s.\n", name, (int)note.size, (const char *)note.data);
}

static enum status checkpoint_of(struct feed_context *feed,
                                 const struct feed_row *row,
                                 struct buf *ret_note,
                                 struct error *err)
{
    struct checkpoint checkpoint = { span_text(row->origin), row->size, row->root };
    if (row->direction == FEED_IN)
        return feed_rows_get_note(feed->store, row->feed_id, FEED_NOTE_CHECKPOINT, ret_note, err);
    return keyring_sign(feed, &checkpoint, ret_note, err);
}

static enum status export_keys(struct feed_context *feed,
                               const struct feed_row *row,
                               struct buf *out,
                               struct error *err)
{
    struct peer_row peer;
    struct public_key log_key;
    struct public_key receipt_key;
    enum status status = peer_rows_get_id(feed->store, row->peer_id, &peer, err);
    if (status == OK)
        status = private_key_public(feed->log_key, &log_key, err);
    if (status == OK)
        status = private_key_public(feed->receipt_key, &receipt_key, err);
    if (status != OK)
        return status;
    if (row->direction == FEED_IN)
        log_key = peer.log_key;
    else
        receipt_key = peer.receipt_key;
    status = buf_printf(out, err, "comity.v1/export\nfeed %s\n", row->origin);
    if (status == OK)
        status = add_hex(out, "log-key ", SPAN_ARRAY(log_key.bytes), err);
    if (status == OK)
        status = add_hex(out, "\nreceipt-key ", SPAN_ARRAY(receipt_key.bytes), err);
    return status == OK ? buf_append_text(out, "\n", err) : status;
}

enum status proving_export(struct feed_context *feed,
                           const struct feed_row *row,
                           bool shown,
                           struct buf *append_to,
                           struct error *err)
{
    struct buf checkpoint = BUF_INIT;
    struct buf receipt = BUF_INIT;
    if (row->size > EXPORT_ENTRIES_MAX)
        return error_set(err, ERR_LIMIT, "%s has %llu entries, an export takes at most %d",
                         row->origin, (unsigned long long)row->size, EXPORT_ENTRIES_MAX);
    enum status status = export_keys(feed, row, append_to, err);
    for (uint64_t index = 0; status == OK && index < row->size; index++)
        status = export_entry(feed, row, index, shown, append_to, err);
    if (status == OK)
        status = checkpoint_of(feed, row, &checkpoint, err);
    if (status == OK)
        status = receipt_of(feed, row, &receipt, err);
    if (status == OK)
        status = export_note("checkpoint", buf_span(&checkpoint), append_to, err);
    if (status == OK)
        status = export_note("receipt", buf_span(&receipt), append_to, err);
    if (status == OK)
        status = buf_append_text(append_to, "end\n", err);
    buf_fini(&checkpoint);
    buf_fini(&receipt);
    return status;
}
