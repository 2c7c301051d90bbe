#include "wire/request.h"

#include "base/arena.h"
#include "base/text.h"
#include "wire/field.h"

#include <assert.h>
#include <string.h>

enum { /* field numbers of proto/control.proto */
       REQUEST_FIELD_VERSION = 1,
       REQUEST_FIELD_OPERATION = 2,
       REQUEST_FIELD_ARGUMENTS = 3,
       REQUEST_FIELD_ATTACHMENTS = 4,
       PAIR_FIELD_NAME = 1,
       PAIR_FIELD_VALUE = 2, /* of an argument; the path of an attachment */
       PAIR_FIELD_BYTES = 3
};

/* Texts and structs of a request, beside the bytes of the message itself. */
enum { REQUEST_HEAP_EXTRA = MESSAGE_HEAP_CONTROL_MAX };

/* -- writing ----------------------------------------------------------------------------------- */

static size_t text_field_size(uint32_t number, const char *text)
{
    size_t size = span_text(text).size;
    return size == 0 ? 0 : field_element_size(number, size);
}

static void put_pair(
    struct writer *w, uint32_t number, const char *name, const char *value, struct span bytes)
{
    size_t size = text_field_size(PAIR_FIELD_NAME, name) + text_field_size(PAIR_FIELD_VALUE, value);
    size += bytes.size == 0 ? 0 : field_element_size(PAIR_FIELD_BYTES, bytes.size);
    writer_varint(w, (uint64_t)number << 3 | FIELD_BYTES);
    writer_varint(w, size);
    field_put_text(w, PAIR_FIELD_NAME, name);
    field_put_text(w, PAIR_FIELD_VALUE, value);
    field_put_bytes(w, PAIR_FIELD_BYTES, bytes);
}

enum status request_encode(const struct request *request, struct buf *append_to, struct error *err)
{
    size_t start = append_to->size;
    struct writer w = writer_init(append_to);
    writer_u32(&w, 0);
    field_put_number(&w, REQUEST_FIELD_VERSION, REQUEST_VERSION);
    field_put_text(&w, REQUEST_FIELD_OPERATION, request->operation);
    for (size_t i = 0; i < request->argument_count; i++)
        put_pair(&w, REQUEST_FIELD_ARGUMENTS, request->arguments[i].name,
                 request->arguments[i].value, SPAN_EMPTY);
    for (size_t i = 0; i < request->file_count; i++)
        put_pair(&w, REQUEST_FIELD_ATTACHMENTS, request->files[i].name, request->files[i].path,
                 request->files[i].bytes);
    enum status status = writer_done(&w, "request", err);
    size_t size = append_to->size - start - FRAME_HEAD_SIZE;
    if (status == OK && size > CONTROL_REQUEST_MAX) {
        status = error_set(err, ERR_LIMIT,
                           "the request has %zu bytes, more than %d; next: send fewer or smaller "
                           "files at once",
                           size, CONTROL_REQUEST_MAX);
    }
    if (status != OK) {
        append_to->size = start;
        return status;
    }
    for (size_t i = 0; i < FRAME_HEAD_SIZE; i++)
        append_to->data[start + i] = (uint8_t)(size >> (8 * (FRAME_HEAD_SIZE - 1 - i)));
    return OK;
}

/* -- reading ----------------------------------------------------------------------------------- */

struct decoder {
    struct arena arena;
    struct request request;
    size_t unknown;
    uint64_t version;
    struct error *err;
};

static enum status count_parts(struct span message, struct decoder *d)
{
    struct reader r = reader_init(message);
    struct field field;
    while (field_next(&r, &field)) {
        d->request.argument_count += field.number == REQUEST_FIELD_ARGUMENTS;
        d->request.file_count += field.number == REQUEST_FIELD_ATTACHMENTS;
    }
    if (r.failed)
        return error_set(d->err, ERR_INVALID, "request: malformed at byte %zu", r.at);
    if (d->request.argument_count > MESSAGE_FIELDS_MAX)
        return error_set(d->err, ERR_LIMIT, "request: %zu arguments, more than %d",
                         d->request.argument_count, MESSAGE_FIELDS_MAX);
    if (d->request.file_count > REQUEST_FILES_MAX) {
        return error_set(d->err, ERR_LIMIT,
                         "request: %zu files, more than %d; next: send them in several commands",
                         d->request.file_count, REQUEST_FILES_MAX);
    }
    d->request.arguments =
        arena_take(&d->arena, d->request.argument_count, sizeof(struct request_argument));
    d->request.files = arena_take(&d->arena, d->request.file_count, sizeof(struct request_file));
    return arena_done(&d->arena, "request", d->err);
}

/* A text that is checked for UTF-8 and copied; each field may come once. */
static enum status take_text(struct decoder *d,
                             const struct field *field,
                             const char *what,
                             const char **ret_text)
{
    if (field->type != FIELD_BYTES || *ret_text != NULL)
        return error_set(d->err, ERR_INVALID, "request: %s: %s", what,
                         *ret_text == NULL ? "wrong type" : "given twice");
    if (text_check(field->bytes, TEXT_ANY, what, d->err) != OK)
        return error_prefix(d->err, "request");
    *ret_text = arena_text(&d->arena, field->bytes);
    return arena_done(&d->arena, "request", d->err);
}

static enum status skip_unknown(struct decoder *d)
{
    if (++d->unknown <= MESSAGE_UNKNOWN_MAX)
        return OK;
    return error_set(d->err, ERR_LIMIT, "request: more than %d unknown fields",
                     MESSAGE_UNKNOWN_MAX);
}

static enum status take_bytes(struct decoder *d, const struct field *field, struct span *ret_bytes)
{
    if (field->type != FIELD_BYTES || ret_bytes->data != NULL)
        return error_set(d->err, ERR_INVALID, "request: a file's bytes: wrong type or given twice");
    const char *copy = arena_text(&d->arena, field->bytes);
    *ret_bytes = span_of(copy, field->bytes.size);
    return arena_done(&d->arena, "request", d->err);
}

/* An argument or an attachment; `ret_bytes` NULL for the former. */
static enum status take_pair(struct decoder *d,
                             struct span pair,
                             const char **ret_name,
                             const char **ret_value,
                             struct span *ret_bytes)
{
    struct reader r = reader_init(pair);
    struct field field;
    enum status status = OK;
    while (status == OK && field_next(&r, &field)) {
        if (field.number == PAIR_FIELD_NAME)
            status = take_text(d, &field, "an argument's name", ret_name);
        else if (field.number == PAIR_FIELD_VALUE)
            status = take_text(d, &field, "an argument's value", ret_value);
        else if (field.number == PAIR_FIELD_BYTES && ret_bytes != NULL)
            status = take_bytes(d, &field, ret_bytes);
        else
            status = skip_unknown(d);
    }
    if (status == OK && r.failed)
        status = error_set(d->err, ERR_INVALID, "request: an argument is malformed");
    if (status == OK && (*ret_name == NULL || **ret_name == '\0'))
        status = error_set(d->err, ERR_INVALID, "request: an argument without a name");
    if (status == OK && *ret_value == NULL)
        *ret_value = "";
    return status;
}

static enum status take_field(struct decoder *d,
                              const struct field *field,
                              size_t *arguments,
                              size_t *files)
{
    if (field->number == REQUEST_FIELD_VERSION) {
        d->version = field->type == FIELD_VARINT ? field->value : 0;
        return OK;
    }
    if (field->number == REQUEST_FIELD_OPERATION)
        return take_text(d, field, "operation", &d->request.operation);
    bool known =
        field->number == REQUEST_FIELD_ARGUMENTS || field->number == REQUEST_FIELD_ATTACHMENTS;
    if (!known)
        return skip_unknown(d);
    if (field->type != FIELD_BYTES)
        return error_set(d->err, ERR_INVALID, "request: an argument of the wrong type");
    /* They were counted before, and room was made for them. */
    if (field->number == REQUEST_FIELD_ARGUMENTS) {
        assert(d->request.arguments != NULL);
        struct request_argument *argument = &d->request.arguments[(*arguments)++];
        return take_pair(d, field->bytes, &argument->name, &argument->value, NULL);
    }
    assert(d->request.files != NULL);
    struct request_file *file = &d->request.files[(*files)++];
    return take_pair(d, field->bytes, &file->name, &file->path, &file->bytes);
}

enum status request_decode(struct span message, struct request *ret_request, struct error *err)
{
    if (message.size > CONTROL_REQUEST_MAX)
        return error_set(err, ERR_LIMIT, "request: %zu bytes, more than %d", message.size,
                         CONTROL_REQUEST_MAX);
    struct decoder d = { .err = err };
    arena_init(&d.arena, message.size + REQUEST_HEAP_EXTRA);
    enum status status = count_parts(message, &d);
    struct reader r = reader_init(message);
    struct field field;
    size_t arguments = 0;
    size_t files = 0;
    while (status == OK && field_next(&r, &field))
        status = take_field(&d, &field, &arguments, &files);
    if (status == OK && d.version != REQUEST_VERSION) {
        status = error_set(err, ERR_UNSUPPORTED,
                           "request: version %llu, this comityd speaks %d; next: use the comityctl "
                           "that came with it",
                           (unsigned long long)d.version, REQUEST_VERSION);
    }
    if (status == OK && (d.request.operation == NULL || *d.request.operation == '\0'))
        status = error_set(err, ERR_INVALID, "request: no operation");
    if (status != OK) {
        arena_fini(&d.arena);
        return status;
    }
    d.request.memory = arena_keep(&d.arena);
    *ret_request = d.request;
    return OK;
}

void request_fini(struct request *request)
{
    arena_release(request->memory);
    *request = (struct request){ 0 };
}
