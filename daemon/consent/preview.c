#include "consent/preview.h"

#include "base/counted.h"
#include "base/cursor.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

static const char label[] = "comity.v1/preview";

/* -- encode ------------------------------------------------------------------------------------ */

static enum status check_counts(const struct preview *preview, struct error *err)
{
    if (preview->record_count == 0)
        return error_set(err, ERR_INVALID, "preview: the consent lists no record");
    if (preview->recipient_count == 0)
        return error_set(err, ERR_INVALID, "preview: the consent names no recipient");
    if (preview->record_count > CONSENT_RECORDS_MAX)
        return error_set(err, ERR_LIMIT, "preview: %zu records > %d; next: make several consents",
                         preview->record_count, CONSENT_RECORDS_MAX);
    if (preview->recipient_count > CONSENT_RECIPIENTS_MAX)
        return error_set(err, ERR_LIMIT, "preview: %zu recipients > %d", preview->recipient_count,
                         CONSENT_RECIPIENTS_MAX);
    return OK;
}

static enum status check_records(const struct preview *preview, struct error *err)
{
    const struct preview_record *records = preview->records;
    for (size_t i = 0; i < preview->record_count; i++) {
        if (i > 0 && id_compare(&records[i - 1].id, &records[i].id) >= 0)
            return error_set(err, ERR_INVALID,
                             "preview: record %zu is twice there, or out of order", i);
        if (records[i].kind.size > PREVIEW_KIND_MAX || records[i].title.size > TITLE_MAX)
            return error_set(err, ERR_LIMIT, "preview: record %zu: kind or title is too long", i);
        enum status status = text_check(records[i].title, TEXT_LINE, "preview: title", err);
        if (status == OK)
            status = text_check(records[i].kind, TEXT_LINE, "preview: kind", err);
        if (status != OK)
            return status;
    }
    return OK;
}

static enum status check_recipients(const struct preview *preview, struct error *err)
{
    const struct preview_recipient *recipients = preview->recipients;
    for (size_t i = 0; i < preview->recipient_count; i++) {
        if (i > 0 && strcmp(recipients[i - 1].code.text, recipients[i].code.text) >= 0) {
            return error_set(err, ERR_INVALID,
                             "preview: recipient %s is twice there, or out of order",
                             recipients[i].code.text);
        }
        if (recipients[i].name.size > NAME_MAX_BYTES)
            return error_set(err, ERR_LIMIT, "preview: the name of %s is too long",
                             recipients[i].code.text);
        enum status status = text_check(recipients[i].name, TEXT_LINE, "preview: name", err);
        if (status != OK)
            return status;
    }
    return OK;
}

static void write_field(struct writer *w, struct span bytes)
{
    writer_u16(w, (uint16_t)bytes.size);
    writer_bytes(w, bytes);
}

static void write_record(struct writer *w, const struct preview_record *record)
{
    writer_bytes(w, SPAN_ARRAY(record->id.bytes));
    writer_u32(w, record->version);
    write_field(w, record->kind);
    write_field(w, record->title);
    writer_u32(w, record->size);
    writer_bytes(w, SPAN_ARRAY(record->digest.bytes));
}

/* Only what it holds takes place: position in the list of records, version. */
static void write_holds(struct writer *w, const uint32_t *holds, size_t record_count)
{
    uint32_t count = 0;
    for (size_t i = 0; holds != NULL && i < record_count; i++)
        count += holds[i] != 0;
    writer_u32(w, count);
    for (size_t i = 0; count > 0 && i < record_count; i++) {
        if (holds[i] == 0)
            continue;
        writer_u32(w, (uint32_t)i);
        writer_u32(w, holds[i]);
    }
}

static bool is_too_large(const struct buf *bytes, size_t start)
{
    return bytes->size - start > PREVIEW_BYTES_MAX;
}

static enum status write_all(const struct preview *preview,
                             struct span terms,
                             struct buf *append_to,
                             struct error *err)
{
    size_t start = append_to->size;
    struct writer w = writer_init(append_to);
    write_field(&w, span_of(label, sizeof(label) - 1));
    writer_bytes(&w, SPAN_ARRAY(preview->nonce));
    write_field(&w, span_text(preview->realm.text));
    write_field(&w, span_text(preview->publisher.text));
    writer_bytes(&w, SPAN_ARRAY(preview->consent_id.bytes));
    write_field(&w, terms);
    writer_u32(&w, (uint32_t)preview->record_count);
    for (size_t i = 0; i < preview->record_count && !is_too_large(append_to, start); i++)
        write_record(&w, &preview->records[i]);
    writer_u32(&w, (uint32_t)preview->recipient_count);
    for (size_t i = 0; i < preview->recipient_count && !is_too_large(append_to, start); i++) {
        write_field(&w, span_text(preview->recipients[i].code.text));
        write_field(&w, preview->recipients[i].name);
        writer_bytes(&w, SPAN_ARRAY(preview->recipients[i].anchor.bytes));
        write_holds(&w, preview->recipients[i].holds, preview->record_count);
    }
    if (is_too_large(append_to, start)) {
        return error_set(err, ERR_LIMIT,
                         "preview: larger than %d bytes; next: make several consents",
                         PREVIEW_BYTES_MAX);
    }
    return writer_done(&w, "preview", err);
}

enum status preview_encode(const struct preview *preview, struct buf *append_to, struct error *err)
{
    struct buf terms = BUF_INIT;
    size_t before = append_to->size;
    enum status status = check_counts(preview, err);
    if (status == OK)
        status = check_records(preview, err);
    if (status == OK)
        status = check_recipients(preview, err);
    if (status == OK)
        status = terms_encode(preview->terms, &terms, err);
    if (status == OK)
        status = write_all(preview, buf_span(&terms), append_to, err);
    if (status != OK)
        append_to->size = before;
    buf_fini(&terms);
    return status;
}

/* -- compare: two readers side by side, as one merges two sorted lists ------------------------- */

struct side {
    struct reader r;
    struct span head; /* label to consent id */
    struct span terms;
    uint32_t left; /* records or recipients that have not been read */
    bool there;    /* `record` or `recipient` holds one that waits to be compared */
    struct preview_record record;
    struct preview_recipient recipient;
    struct span holds;
};

struct changes {
    struct buf *lines;
    size_t count;
    bool same_records;
    enum status status; /* sticky */
    struct error *err;
};

static void change(struct changes *changes, const char *format, ...) PRINTF_LIKE(2, 3);
static void change(struct changes *changes, const char *format, ...)
{
    char line[ERROR_TEXT_MAX];
    va_list args;
    changes->count++;
    if (changes->status != OK || changes->count > PREVIEW_CHANGES_SHOWN)
        return;
    va_start(args, format);
    (void)vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    changes->status = buf_printf(changes->lines, changes->err, "%s\n", line);
}

static struct span read_field(struct reader *r)
{
    uint16_t size = reader_u16(r);
    return reader_bytes(r, size);
}

static bool read_code(struct reader *r, struct code *code)
{
    struct span text = read_field(r);
    if (text.size > CODE_MAX)
        return false;
    memset(code, 0, sizeof(*code));
    if (text.size > 0)
        memcpy(code->text, text.data, text.size);
    return true;
}

static void open_side(struct side *side, struct span bytes)
{
    *side = (struct side){ .r = reader_init(bytes) };
    struct span found = read_field(&side->r);
    if (!span_equal(found, span_of(label, sizeof(label) - 1)))
        side->r.failed = true;
    reader_bytes(&side->r, PREVIEW_NONCE_SIZE);
    read_field(&side->r); /* realm */
    read_field(&side->r); /* publisher */
    reader_bytes(&side->r, ID_SIZE);
    side->head = span_slice(bytes, 0, side->r.at);
    side->terms = read_field(&side->r);
    side->left = reader_u32(&side->r);
}

static void next_record(struct side *side)
{
    side->there = side->left > 0 && !side->r.failed;
    if (!side->there)
        return;
    side->left--;
    reader_copy(&side->r, side->record.id.bytes, ID_SIZE);
    side->record.version = reader_u32(&side->r);
    side->record.kind = read_field(&side->r);
    side->record.title = read_field(&side->r);
    side->record.size = reader_u32(&side->r);
    reader_copy(&side->r, side->record.digest.bytes, DIGEST_SIZE);
    side->there = !side->r.failed;
}

static void next_recipient(struct side *side)
{
    side->there = side->left > 0 && !side->r.failed;
    if (!side->there)
        return;
    side->left--;
    if (!read_code(&side->r, &side->recipient.code))
        side->r.failed = true;
    side->recipient.name = read_field(&side->r);
    reader_copy(&side->r, side->recipient.anchor.bytes, DIGEST_SIZE);
    uint32_t count = reader_u32(&side->r);
    side->holds = reader_bytes(&side->r, (size_t)count * 8);
    side->there = !side->r.failed;
}

static void compare_record(struct changes *changes,
                           const struct preview_record *former,
                           const struct preview_record *now)
{
    char id[ID_TEXT_SIZE];
    id_format(&now->id, id);
    if (former->version != now->version) {
        change(changes, "record %s: version %u instead of %u", id, (unsigned)now->version,
               (unsigned)former->version);
    } else if (!digest_equal(&former->digest, &now->digest) || former->size != now->size) {
        change(changes, "record %s: its content is not the same", id);
    } else if (!span_equal(former->kind, now->kind) || !span_equal(former->title, now->title)) {
        change(changes, "record %s: its kind or title is not the same", id);
    }
}

static void compare_records(struct changes *changes, struct side *former, struct side *now)
{
    char id[ID_TEXT_SIZE];
    next_record(former);
    next_record(now);
    while (former->there || now->there) {
        int order = !former->there ? 1
                    : !now->there  ? -1
                                   : id_compare(&former->record.id, &now->record.id);
        if (order < 0) {
            id_format(&former->record.id, id);
            change(changes, "record %s: no longer there", id);
        } else if (order > 0) {
            id_format(&now->record.id, id);
            change(changes, "record %s: new", id);
        } else {
            compare_record(changes, &former->record, &now->record);
        }
        changes->same_records = changes->same_records && order == 0;
        if (order <= 0)
            next_record(former);
        if (order >= 0)
            next_record(now);
    }
}

static void compare_recipient(struct changes *changes,
                              const struct side *former,
                              const struct side *now)
{
    const char *code = now->recipient.code.text;
    if (!digest_equal(&former->recipient.anchor, &now->recipient.anchor))
        change(changes, "recipient %s: its anchor certificate is not the same", code);
    if (!span_equal(former->recipient.name, now->recipient.name))
        change(changes, "recipient %s: its name is not the same", code);
    if (changes->same_records && !span_equal(former->holds, now->holds))
        change(changes, "recipient %s: what it holds already is not the same", code);
}

static void compare_recipients(struct changes *changes, struct side *former, struct side *now)
{
    former->left = reader_u32(&former->r);
    now->left = reader_u32(&now->r);
    next_recipient(former);
    next_recipient(now);
    while (former->there || now->there) {
        int order = !former->there ? 1
                    : !now->there  ? -1
                                   : strcmp(former->recipient.code.text, now->recipient.code.text);
        if (order < 0)
            change(changes, "recipient %s: no longer there", former->recipient.code.text);
        else if (order > 0)
            change(changes, "recipient %s: new", now->recipient.code.text);
        else
            compare_recipient(changes, former, now);
        if (order <= 0)
            next_recipient(former);
        if (order >= 0)
            next_recipient(now);
    }
}

static enum status closed(const struct side *side, struct error *err)
{
    enum status status = reader_done(&side->r, "preview", err);
    if (status == OK && side->left > 0)
        status = error_set(err, ERR_CORRUPT, "preview: cut short");
    return status == OK ? OK : error_set(err, ERR_CORRUPT, "preview: stored bytes are damaged");
}

enum status preview_compare(struct span former,
                            struct span now,
                            struct buf *append_to,
                            size_t *ret_count,
                            struct error *err)
{
    struct side a, b;
    struct changes changes = { .lines = append_to, .same_records = true, .err = err };
    open_side(&a, former);
    open_side(&b, now);
    if (!span_equal(a.head, b.head))
        change(&changes, "it is a preview of another consent, or of another node");
    if (!span_equal(a.terms, b.terms))
        change(&changes, "the terms are not the same");
    compare_records(&changes, &a, &b);
    compare_recipients(&changes, &a, &b);
    enum status status = closed(&a, err);
    if (status == OK)
        status = closed(&b, err);
    if (status == OK && changes.count > PREVIEW_CHANGES_SHOWN && changes.status == OK)
        changes.status =
            buf_printf(append_to, err, "and %s\n",
                       counted(changes.count - PREVIEW_CHANGES_SHOWN, "more change").text);
    if (status == OK)
        status = changes.status;
    if (status == OK)
        *ret_count = changes.count;
    return status;
}
