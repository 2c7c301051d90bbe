#include "wire/codec_bulk.h"

#include "base/cursor.h"
#include "base/memory.h"
#include "wire/codec.h"
#include "wire/frame.h"
#include "wire/heading.h"
#include "wire/message.h"

#include <comity.pb-c.h>

/* Field numbers, as in proto/comity.proto; test_codec_bulk holds both against each other. */
enum { ENTRY_HEADER = 1, ENTRY_SALT, ENTRY_BODY, ENTRY_WITHHELD };
enum { BATCH_FIRST_INDEX = 1, BATCH_ENTRIES, BATCH_CHECKPOINT };
enum { HEAL_ORIGIN = 1, HEAL_FIRST_INDEX, HEAL_HEADERS, HEAL_CHECKPOINT, HEAL_LAST };

/* -- rules ------------------------------------------------------------------------------------- */

static enum status check_entry(const struct batch_entry *entry, struct error *err)
{
    if (entry->header.size == 0 || entry->header.size > ENTRY_HEADER_MAX)
        return error_set(err, ERR_INVALID, "header of %zu bytes, allowed are 1 to %d",
                         entry->header.size, ENTRY_HEADER_MAX);
    /* PROTOCOL 5.4: "Salt and body come together or not at all." */
    bool has_salt = entry->salt.size > 0;
    if (has_salt != (entry->body.size > 0))
        return error_set(err, ERR_INVALID, "%s",
                         has_salt ? "salt without body" : "body without salt");
    if (has_salt && entry->withheld)
        return error_set(err, ERR_INVALID, "withheld, but its body is there");
    if (has_salt && entry->salt.size != SALT_SIZE)
        return error_set(err, ERR_INVALID, "salt of %zu bytes, must be %d", entry->salt.size,
                         SALT_SIZE);
    if (entry->body.size > ENTRY_BODY_MAX)
        return error_set(err, ERR_LIMIT, "body of %zu bytes > %d", entry->body.size,
                         ENTRY_BODY_MAX);
    return OK;
}

/* Everything about a batch but its numbers: decoding and encoding hold to the same rules. */
static enum status check_batch(const struct batch *batch, struct error *err)
{
    if (batch->entry_count == 0)
        return error_set(err, ERR_INVALID, "no entries");
    if (batch->entry_count > BATCH_ENTRIES_MAX)
        return error_set(err, ERR_LIMIT, "%zu entries > %d", batch->entry_count, BATCH_ENTRIES_MAX);
    for (size_t i = 0; i < batch->entry_count; i++) {
        if (check_entry(&batch->entries[i], err) != OK)
            return error_prefix(err, "entry %zu of %zu", i + 1, batch->entry_count);
    }
    size_t bytes = batch_bytes(batch);
    if (bytes > BATCH_BYTES_MAX)
        return error_set(err, ERR_LIMIT, "%zu bytes of entries > %d", bytes, BATCH_BYTES_MAX);
    return OK;
}

/* PROTOCOL 5.4: "The size of the checkpoint MUST be first_index plus the number of entries." */
static enum status check_batch_heading(const struct batch *batch,
                                       struct heading *ret_heading,
                                       struct error *err)
{
    if (batch->first_index > FEED_ENTRIES_MAX) {
        return error_set(err, ERR_LIMIT, "first index %llu > %llu",
                         (unsigned long long)batch->first_index,
                         (unsigned long long)FEED_ENTRIES_MAX);
    }
    enum status status = heading_read(batch->checkpoint, ret_heading, err);
    if (status == OK && ret_heading->size != batch_end(batch)) {
        return error_set(
            err, ERR_INVALID, "checkpoint over %llu entries, but the batch ends at %llu",
            (unsigned long long)ret_heading->size, (unsigned long long)batch_end(batch));
    }
    return status;
}

static enum status check_heal(const struct heal *heal, struct error *err)
{
    if (heal->origin.size == 0 || heal->origin.size > ORIGIN_MAX)
        return error_set(err, ERR_INVALID, "origin of %zu bytes, allowed are 1 to %d",
                         heal->origin.size, ORIGIN_MAX);
    if (heal->first_index > FEED_ENTRIES_MAX) {
        return error_set(err, ERR_LIMIT, "first index %llu > %llu",
                         (unsigned long long)heal->first_index,
                         (unsigned long long)FEED_ENTRIES_MAX);
    }
    if (heal->header_count == 0 || heal->header_count > HEAL_HEADERS_MAX)
        return error_set(err, ERR_INVALID, "%zu headers, allowed are 1 to %d", heal->header_count,
                         HEAL_HEADERS_MAX);
    if (heal->checkpoint.size > NOTE_MAX)
        return error_set(err, ERR_LIMIT, "checkpoint of %zu bytes > %d", heal->checkpoint.size,
                         NOTE_MAX);
    if (heal->last && heal->checkpoint.size == 0)
        return error_set(err, ERR_INVALID, "the last one has no checkpoint");
    for (size_t i = 0; i < heal->header_count; i++) {
        size_t size = heal->headers[i].size;
        if (size == 0 || size > ENTRY_HEADER_MAX)
            return error_set(err, ERR_INVALID, "header %zu of %zu bytes, allowed are 1 to %d",
                             i + 1, size, ENTRY_HEADER_MAX);
    }
    return OK;
}

/* -- decoding ---------------------------------------------------------------------------------- */

/* The bytes of the only message in a checked Envelope, unknown fields skipped. */
static struct span message_in(struct span envelope, uint32_t number)
{
    struct message_field field;
    enum status status = OK;
    while (message_next(&envelope, &field, &status)) {
        if (field.number == number)
            return field.bytes;
    }
    return SPAN_EMPTY;
}

static size_t count_fields(struct span message, uint32_t number)
{
    struct message_field field;
    enum status status = OK;
    size_t count = 0;
    while (message_next(&message, &field, &status))
        count += field.number == number ? 1 : 0;
    return count;
}

static struct batch_entry decode_entry(struct span message)
{
    struct batch_entry entry = { .withheld = false };
    struct message_field field;
    enum status status = OK;
    while (message_next(&message, &field, &status)) {
        if (field.number == ENTRY_HEADER)
            entry.header = field.bytes;
        else if (field.number == ENTRY_SALT)
            entry.salt = field.bytes;
        else if (field.number == ENTRY_BODY)
            entry.body = field.bytes;
        else if (field.number == ENTRY_WITHHELD)
            entry.withheld = field.value != 0;
    }
    return entry;
}

static void decode_batch_fields(struct span message, struct batch *batch)
{
    struct message_field field;
    enum status status = OK;
    while (message_next(&message, &field, &status)) {
        if (field.number == BATCH_FIRST_INDEX)
            batch->first_index = field.value;
        else if (field.number == BATCH_ENTRIES)
            batch->entries[batch->entry_count++] = decode_entry(field.bytes);
        else if (field.number == BATCH_CHECKPOINT)
            batch->checkpoint = field.bytes;
    }
}

static enum status decode_batch(struct batch *batch, struct error *err)
{
    struct span message = message_in(buf_span(&batch->memory), MESSAGE_BATCH);
    size_t count = count_fields(message, BATCH_ENTRIES);
    if (count == 0 || count > BATCH_ENTRIES_MAX)
        return error_set(err, count == 0 ? ERR_INVALID : ERR_LIMIT,
                         "%zu entries, allowed are 1 to %d", count, BATCH_ENTRIES_MAX);
    batch->entries = mem_calloc(count, sizeof *batch->entries);
    if (batch->entries == NULL)
        return error_set(err, ERR_MEMORY, "no memory for %zu entries", count);
    decode_batch_fields(message, batch);
    struct heading heading;
    enum status status = check_batch(batch, err);
    if (status == OK)
        status = check_batch_heading(batch, &heading, err);
    if (status == OK)
        batch->origin = heading.origin;
    return status;
}

enum status codec_bulk_decode_batch(struct span frame, struct batch *ret_batch, struct error *err)
{
    struct batch batch = { 0 };
    enum status status =
        message_check(&comity__peer__envelope__descriptor, frame, &message_limits_batch, err);
    if (status == OK)
        status = buf_append(&batch.memory, frame, err);
    if (status == OK) {
        status = decode_batch(&batch, err);
        if (status != OK)
            error_prefix(err, "Batch");
    }
    if (status == OK)
        *ret_batch = batch_move(&batch);
    batch_fini(&batch);
    return status;
}

static void decode_heal_fields(struct span message, struct heal *heal)
{
    struct message_field field;
    enum status status = OK;
    while (message_next(&message, &field, &status)) {
        if (field.number == HEAL_ORIGIN)
            heal->origin = field.bytes;
        else if (field.number == HEAL_FIRST_INDEX)
            heal->first_index = field.value;
        else if (field.number == HEAL_HEADERS)
            heal->headers[heal->header_count++] = field.bytes;
        else if (field.number == HEAL_CHECKPOINT)
            heal->checkpoint = field.bytes;
        else if (field.number == HEAL_LAST)
            heal->last = field.value != 0;
    }
}

static enum status decode_heal(struct heal *heal, struct error *err)
{
    struct span message = message_in(buf_span(&heal->memory), MESSAGE_HEAL);
    size_t count = count_fields(message, HEAL_HEADERS);
    if (count == 0 || count > HEAL_HEADERS_MAX)
        return error_set(err, count == 0 ? ERR_INVALID : ERR_LIMIT,
                         "%zu headers, allowed are 1 to %d", count, HEAL_HEADERS_MAX);
    heal->headers = mem_calloc(count, sizeof *heal->headers);
    if (heal->headers == NULL)
        return error_set(err, ERR_MEMORY, "no memory for %zu headers", count);
    decode_heal_fields(message, heal);
    return check_heal(heal, err);
}

enum status codec_bulk_decode_heal(struct span frame, struct heal *ret_heal, struct error *err)
{
    struct heal heal = { 0 };
    enum status status =
        message_check(&comity__peer__envelope__descriptor, frame, &message_limits_control, err);
    if (status == OK)
        status = buf_append(&heal.memory, frame, err);
    if (status == OK) {
        status = decode_heal(&heal, err);
        if (status != OK)
            error_prefix(err, "Heal");
    }
    if (status == OK)
        *ret_heal = heal_move(&heal);
    heal_fini(&heal);
    return status;
}

/* -- encoding ---------------------------------------------------------------------------------- */

enum { TAG_VARINT = 0, TAG_BYTES = 2 };

static size_t varint_size(uint64_t value)
{
    size_t size = 1;
    while (value >= 0x80) {
        value >>= 7;
        size++;
    }
    return size;
}

/* All field numbers here are below 16: one byte of tag. */
static size_t bytes_field_size(size_t size)
{
    return 1 + varint_size(size) + size;
}

static size_t optional_size(struct span bytes)
{
    return bytes.size == 0 ? 0 : bytes_field_size(bytes.size);
}

static void put_head(struct writer *w, uint32_t number, size_t size)
{
    writer_varint(w, number << 3 | TAG_BYTES);
    writer_varint(w, size);
}

static void put_bytes(struct writer *w, uint32_t number, struct span bytes)
{
    put_head(w, number, bytes.size);
    writer_bytes(w, bytes);
}

static void put_optional(struct writer *w, uint32_t number, struct span bytes)
{
    if (bytes.size > 0)
        put_bytes(w, number, bytes);
}

static void put_number(struct writer *w, uint32_t number, uint64_t value)
{
    writer_varint(w, number << 3 | TAG_VARINT);
    writer_varint(w, value);
}

static size_t entry_size(const struct batch_entry *entry)
{
    return bytes_field_size(entry->header.size) + optional_size(entry->salt) +
           optional_size(entry->body) + (entry->withheld ? 2 : 0);
}

static size_t batch_size(const struct batch *batch)
{
    size_t size = 1 + varint_size(batch->first_index) + bytes_field_size(batch->checkpoint.size);
    for (size_t i = 0; i < batch->entry_count; i++)
        size += bytes_field_size(entry_size(&batch->entries[i]));
    return size;
}

static void put_batch(struct writer *w, const struct batch *batch)
{
    put_head(w, MESSAGE_BATCH, batch_size(batch));
    put_number(w, BATCH_FIRST_INDEX, batch->first_index);
    for (size_t i = 0; i < batch->entry_count; i++) {
        const struct batch_entry *entry = &batch->entries[i];
        put_head(w, BATCH_ENTRIES, entry_size(entry));
        put_bytes(w, ENTRY_HEADER, entry->header);
        put_optional(w, ENTRY_SALT, entry->salt);
        put_optional(w, ENTRY_BODY, entry->body);
        if (entry->withheld)
            put_number(w, ENTRY_WITHHELD, 1);
    }
    put_bytes(w, BATCH_CHECKPOINT, batch->checkpoint);
}

enum status codec_bulk_own_fault(enum status status, const char *what, struct error *err)
{
    if (status == OK)
        return OK;
    error_prefix(err, "%s to send", what);
    if (err != NULL)
        err->status = ERR_INTERNAL;
    return ERR_INTERNAL;
}

/* The size is known before, so that the memory is taken once. */
static enum status begin(struct buf *frame, size_t size, size_t *ret_at, struct error *err)
{
    enum status status = buf_reserve(frame, FRAME_HEAD_SIZE + size, err);
    return status == OK ? frame_begin(frame, ret_at, err) : status;
}

enum status codec_encode_batch(const struct batch *batch, struct buf *frame, struct error *err)
{
    struct heading heading = { 0 };
    enum status status = codec_bulk_own_fault(check_batch(batch, err), "Batch", err);
    if (status == OK)
        status = codec_bulk_own_fault(check_batch_heading(batch, &heading, err), "Batch", err);
    if (status == OK && !span_equal(heading.origin, batch->origin))
        return error_set(err, ERR_INTERNAL, "Batch to send: its checkpoint names another feed");
    size_t at = 0;
    if (status == OK)
        status = begin(frame, bytes_field_size(batch_size(batch)), &at, err);
    if (status != OK)
        return status;
    struct writer writer = writer_init(frame);
    put_batch(&writer, batch);
    status = writer_done(&writer, "Batch", err);
    if (status == OK)
        status = frame_end(frame, at, FRAME_BATCH_MAX, err);
    if (status != OK)
        frame->size = at;
    return status;
}

static size_t heal_size(const struct heal *heal)
{
    size_t size = bytes_field_size(heal->origin.size) + 1 + varint_size(heal->first_index) +
                  optional_size(heal->checkpoint) + (heal->last ? 2 : 0);
    for (size_t i = 0; i < heal->header_count; i++)
        size += bytes_field_size(heal->headers[i].size);
    return size;
}

static void put_heal(struct writer *w, const struct heal *heal)
{
    put_head(w, MESSAGE_HEAL, heal_size(heal));
    put_bytes(w, HEAL_ORIGIN, heal->origin);
    put_number(w, HEAL_FIRST_INDEX, heal->first_index);
    for (size_t i = 0; i < heal->header_count; i++)
        put_bytes(w, HEAL_HEADERS, heal->headers[i]);
    put_optional(w, HEAL_CHECKPOINT, heal->checkpoint);
    if (heal->last)
        put_number(w, HEAL_LAST, 1);
}

enum status codec_encode_heal(const struct heal *heal, struct buf *frame, struct error *err)
{
    enum status status = codec_bulk_own_fault(check_heal(heal, err), "Heal", err);
    size_t at = 0;
    if (status == OK)
        status = begin(frame, bytes_field_size(heal_size(heal)), &at, err);
    if (status != OK)
        return status;
    struct writer writer = writer_init(frame);
    put_heal(&writer, heal);
    status = writer_done(&writer, "Heal", err);
    if (status == OK)
        status = frame_end(frame, at, FRAME_CONTROL_MAX, err);
    if (status != OK)
        frame->size = at;
    return status;
}
