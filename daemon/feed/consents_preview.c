/* The preview: what would leave, to whom, in what form, and what they hold already. */
#include "base/memory.h"
#include "crypto/digest.h"
#include "feed/consents_internal.h"
#include "store/delivery_rows.h"

#include <stdlib.h>
#include <string.h>

/* Records x recipients: bounds the table of what is held already (4 MiB), and how long an approval
 * or a revocation, each one transaction, keeps others waiting (10 us a cell). */
enum { CELLS_MAX = 1024 * 1024 };

static_assert((int)CELLS_MAX >= (int)CONSENT_RECORDS_MAX,
              "the largest consent must have a preview");

void consents_preview_fini(struct consents_preview *preview)
{
    if (preview == NULL)
        return;
    mem_free(preview->records);
    mem_free(preview->recipients);
    mem_free(preview->holds);
    buf_fini(&preview->texts);
    buf_fini(&preview->bytes);
    memset(preview, 0, sizeof(*preview));
}

/* -- records ----------------------------------------------------------------------------------- */

struct filling {
    struct consents_preview *preview;
    size_t count, capacity;
};

/* Texts move when their buffer grows: only sizes are kept until all are there. */
static enum status fill_record(void *context, const struct records_view *view, struct error *err)
{
    struct filling *filling = context;
    struct consents_preview *preview = filling->preview;
    if (filling->count == filling->capacity) {
        size_t capacity = filling->capacity == 0 ? 64 : filling->capacity * 2;
        struct preview_record *larger = mem_realloc(preview->records, capacity * sizeof(*larger));
        if (larger == NULL)
            return error_set(err, ERR_MEMORY, "preview: no memory for %zu records", capacity);
        preview->records = larger;
        filling->capacity = capacity;
    }
    preview->records[filling->count++] = (struct preview_record){
        .id = view->row.record_id,
        .version = view->version,
        .kind = { NULL, strlen(view->kind) },
        .title = { NULL, strlen(view->title) },
        .size = (uint32_t)view->size,
        .digest = view->digest,
    };
    enum status status = buf_append_text(&preview->texts, view->kind, err);
    return status == OK ? buf_append_text(&preview->texts, view->title, err) : status;
}

/* -- recipients -------------------------------------------------------------------------------- */

static enum status fill_recipient(struct feed_context *feed,
                                  struct consents_preview *preview,
                                  const struct consent_recipient_row *row,
                                  struct preview_recipient *recipient,
                                  struct error *err)
{
    struct peer_row peer;
    enum status status = peer_rows_get(feed->store, &row->code, &peer, err);
    recipient->code = row->code;
    if (status == ERR_NOT_FOUND)
        return OK; /* no name and no anchor: nothing like what was proposed */
    if (status != OK)
        return status;
    recipient->anchor = peer.anchor_digest;
    recipient->name = (struct span){ NULL, strlen(peer.name) };
    return buf_append_text(&preview->texts, peer.name, err);
}

static enum status fill_recipients(struct feed_context *feed,
                                   struct consents_preview *preview,
                                   struct error *err)
{
    struct consent_recipient_row rows[CONSENT_RECIPIENTS_MAX];
    size_t count = 0;
    enum status status = consent_rows_recipients(feed->store, &preview->row.consent_id, rows,
                                                 CONSENT_RECIPIENTS_MAX, &count, err);
    if (status == OK && count > 0) {
        preview->recipients = mem_calloc(count, sizeof(*preview->recipients));
        if (preview->recipients == NULL)
            return error_set(err, ERR_MEMORY, "preview: no memory for %zu recipients", count);
    }
    for (size_t i = 0; status == OK && i < count; i++)
        status = fill_recipient(feed, preview, &rows[i], &preview->recipients[i], err);
    preview->preview.recipient_count = count;
    return status;
}

/* -- what they hold already -------------------------------------------------------------------- */

static int compare_record_id(const void *id, const void *record)
{
    return id_compare(id, &((const struct preview_record *)record)->id);
}

static void mark_held(const struct consents_preview *preview,
                      const struct delivery_row *row,
                      uint32_t *holds,
                      bool *any)
{
    const struct preview_record *found =
        bsearch(&row->record_id, preview->records, preview->preview.record_count,
                sizeof(*preview->records), compare_record_id);
    if (found == NULL)
        return;
    uint32_t *held = &holds[found - preview->records];
    *held = row->version > *held ? row->version : *held;
    *any = true;
}

static enum status fill_holds_of(struct feed_context *feed,
                                 struct consents_preview *preview,
                                 struct preview_recipient *recipient,
                                 uint32_t *holds,
                                 struct error *err)
{
    enum { PAGE = 64 };
    struct delivery_row rows[PAGE];
    struct peer_row peer;
    bool any = false;
    int64_t after = 0;
    enum status status = peer_rows_get(feed->store, &recipient->code, &peer, err);
    if (status == ERR_NOT_FOUND)
        return OK;
    struct delivery_filter filter = { .peer_id = peer.peer_id, .live_only = true };
    for (size_t count = PAGE; status == OK && count == PAGE;) {
        status = delivery_rows_list(feed->store, &filter, after, rows, PAGE, &count, err);
        for (size_t i = 0; status == OK && i < count; i++) {
            after = rows[i].delivery_id;
            mark_held(preview, &rows[i], holds, &any);
        }
    }
    if (any)
        recipient->holds = holds;
    return status;
}

static enum status fill_holds(struct feed_context *feed,
                              struct consents_preview *preview,
                              struct error *err)
{
    size_t records = preview->preview.record_count;
    size_t recipients = preview->preview.recipient_count;
    enum status status = OK;
    if (records == 0 || recipients == 0)
        return OK; /* preview_encode() says so */
    if (records * recipients > CELLS_MAX) {
        return error_set(err, ERR_LIMIT,
                         "%zu records for %zu recipients are more than one consent can show; "
                         "next: make several consents",
                         records, recipients);
    }
    preview->holds = mem_calloc(records * recipients, sizeof(*preview->holds));
    if (preview->holds == NULL)
        return error_set(err, ERR_MEMORY, "preview: no memory");
    for (size_t i = 0; status == OK && i < recipients; i++)
        status = fill_holds_of(feed, preview, &preview->recipients[i], preview->holds + i * records,
                               err);
    return status;
}

/* -- together ---------------------------------------------------------------------------------- */

static struct span take(const uint8_t **at, size_t size)
{
    struct span taken = span_of(*at, size);
    if (size > 0)
        *at += size;
    return taken;
}

/* The texts stand in the buffer in the order in which they were filled in. */
static void point_into_texts(struct consents_preview *preview)
{
    const uint8_t *at = preview->texts.data;
    for (size_t i = 0; i < preview->preview.record_count; i++) {
        struct preview_record *record = &preview->records[i];
        record->kind = take(&at, record->kind.size);
        record->title = take(&at, record->title.size);
    }
    for (size_t i = 0; i < preview->preview.recipient_count; i++)
        preview->recipients[i].name = take(&at, preview->recipients[i].name.size);
}

static void finish(struct feed_context *feed, struct consents_preview *preview)
{
    struct preview *shown = &preview->preview;
    point_into_texts(preview);
    shown->consent_id = preview->row.consent_id;
    memcpy(shown->nonce, preview->row.nonce.bytes, PREVIEW_NONCE_SIZE);
    shown->publisher = feed->self;
    shown->realm = feed->realm;
    shown->terms = &preview->terms;
    shown->records = preview->records;
    shown->recipients = preview->recipients;
}

enum status consents_preview(struct feed_context *feed,
                             const struct id *consent_id,
                             struct consents_preview *ret_preview,
                             struct error *err)
{
    struct filling filling = { .preview = ret_preview };
    memset(ret_preview, 0, sizeof(*ret_preview));
    ret_preview->texts.secret = true;
    ret_preview->bytes.secret = true;
    enum status status =
        consents_load(feed, consent_id, &ret_preview->row, &ret_preview->terms, err);
    if (status == OK)
        status = consents_records(feed, consent_id, fill_record, &filling, err);
    ret_preview->preview.record_count = filling.count;
    if (status == OK)
        status = fill_recipients(feed, ret_preview, err);
    if (status == OK)
        status = fill_holds(feed, ret_preview, err);
    if (status == OK) {
        finish(feed, ret_preview);
        status = preview_encode(&ret_preview->preview, &ret_preview->bytes, err);
    }
    struct span bytes = buf_span(&ret_preview->bytes);
    if (status == OK)
        status = sha256_of(&bytes, 1, &ret_preview->digest, err);
    if (status != OK)
        consents_preview_fini(ret_preview);
    return status;
}
