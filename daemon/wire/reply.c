/* The reading half of wire/reply.h. */
#include "wire/reply.h"

#include "base/arena.h"
#include "wire/field.h"
#include "wire/reply_fields.h"

/* Pointers and copies of short cells take up to this multiple of their bytes on the wire. */
enum { REPLY_HEAP_FACTOR = 20, REPLY_COLUMNS_MAX = 64 };

struct decoder {
    struct arena arena;
    struct error *err;
};

static enum status malformed(struct decoder *d, const char *what)
{
    return error_set(d->err, ERR_INVALID,
                     "the daemon's answer is malformed (%s); next: use the comityctl that came "
                     "with this comityd",
                     what);
}

static const char *text_of(struct decoder *d, const struct field *field)
{
    return arena_text(&d->arena, field->bytes);
}

/* How often each of up to three fields comes; false when the bytes are malformed or one of them is
 * not of type BYTES. */
static bool count_fields(struct span bytes, const uint32_t *numbers, size_t count, size_t *ret)
{
    struct reader r = reader_init(bytes);
    struct field field;
    while (field_next(&r, &field)) {
        for (size_t i = 0; i < count; i++) {
            if (field.number == numbers[i]) {
                ret[i]++;
                r.failed |= field.type != FIELD_BYTES;
            }
        }
    }
    return !r.failed;
}

static void take_problem(struct decoder *d, struct span bytes, struct reply_problem *problem)
{
    *problem = (struct reply_problem){ .file = "", .field = "", .value = "", .rule = "" };
    struct reader r = reader_init(bytes);
    struct field field;
    while (field_next(&r, &field)) {
        if (field.number == PROBLEM_FIELD_FILE)
            problem->file = text_of(d, &field);
        else if (field.number == PROBLEM_FIELD_LINE)
            problem->line = (uint32_t)field.value;
        else if (field.number == PROBLEM_FIELD_COLUMN)
            problem->column = (uint32_t)field.value;
        else if (field.number == PROBLEM_FIELD_FIELD)
            problem->field = text_of(d, &field);
        else if (field.number == PROBLEM_FIELD_VALUE)
            problem->value = text_of(d, &field);
        else if (field.number == PROBLEM_FIELD_RULE)
            problem->rule = text_of(d, &field);
        else if (field.number == PROBLEM_FIELD_WARNING)
            problem->warning = field.value != 0;
    }
}

static void take_column(struct decoder *d, struct span bytes, struct reply_column *column)
{
    *column = (struct reply_column){ "", "", false };
    struct reader r = reader_init(bytes);
    struct field field;
    while (field_next(&r, &field)) {
        if (field.number == COLUMN_FIELD_NAME)
            column->name = text_of(d, &field);
        else if (field.number == COLUMN_FIELD_TITLE)
            column->title = text_of(d, &field);
        else if (field.number == COLUMN_FIELD_NUMBER)
            column->number = field.value != 0;
    }
}

static void take_row(struct decoder *d, struct span bytes, const char **cells)
{
    struct reader r = reader_init(bytes);
    struct field field;
    while (field_next(&r, &field))
        if (field.number == ROW_FIELD_CELLS)
            *cells++ = text_of(d, &field);
}

/* Every row has a cell for every column, before room for the cells is taken. */
static bool rows_fit(struct span section, size_t column_count)
{
    static const uint32_t cells[] = { ROW_FIELD_CELLS };
    struct reader r = reader_init(section);
    struct field field;
    while (field_next(&r, &field)) {
        size_t count = 0;
        if (field.number == SECTION_FIELD_ROWS &&
            (!count_fields(field.bytes, cells, 1, &count) || count != column_count))
            return false;
    }
    return true;
}

static void take_section_field(struct decoder *d,
                               const struct field *field,
                               struct reply_section *section,
                               size_t *column,
                               size_t *row)
{
    if (field->number == SECTION_FIELD_NAME) {
        section->name = text_of(d, field);
    } else if (field->number == SECTION_FIELD_TITLE) {
        section->title = text_of(d, field);
    } else if (field->number == SECTION_FIELD_KIND) {
        section->kind =
            field->value <= SECTION_BLOB ? (enum section_kind)field->value : SECTION_NONE;
    } else if (field->number == SECTION_FIELD_COLUMNS) {
        take_column(d, field->bytes, &section->columns[(*column)++]);
    } else if (field->number == SECTION_FIELD_ROWS) {
        take_row(d, field->bytes, section->cells + *row * section->column_count);
        *row += 1;
    } else if (field->number == SECTION_FIELD_CONTENT) {
        section->content = span_of(text_of(d, field), field->bytes.size);
    } else if (field->number == SECTION_FIELD_FILE_NAME) {
        section->file_name = text_of(d, field);
    }
}

static enum status take_section(struct decoder *d, struct span bytes, struct reply_section *section)
{
    static const uint32_t numbers[] = { SECTION_FIELD_COLUMNS, SECTION_FIELD_ROWS,
                                        SECTION_FIELD_CONTENT };
    size_t counts[3] = { 0 };
    if (!count_fields(bytes, numbers, 3, counts) || counts[0] > REPLY_COLUMNS_MAX ||
        !rows_fit(bytes, counts[0]))
        return malformed(d, "a section");
    *section = (struct reply_section){ .name = "", .title = "", .file_name = "" };
    section->column_count = counts[0];
    section->row_count = counts[1];
    section->columns = arena_take(&d->arena, counts[0], sizeof(struct reply_column));
    section->cells = arena_take(&d->arena, counts[0] * counts[1], sizeof(const char *));
    enum status status = arena_done(&d->arena, "answer", d->err);
    struct reader r = reader_init(bytes);
    struct field field;
    size_t column = 0;
    size_t row = 0;
    while (status == OK && field_next(&r, &field)) {
        take_section_field(d, &field, section, &column, &row);
        status = arena_done(&d->arena, "answer", d->err);
    }
    if (status == OK && section->kind == SECTION_FIELDS && section->row_count != 1 &&
        section->column_count > 0)
        status = malformed(d, "a block of fields");
    return status;
}

static void take_progress(struct decoder *d, struct span bytes, struct reply *reply)
{
    reply->is_progress = true;
    struct reader r = reader_init(bytes);
    struct field field;
    while (field_next(&r, &field)) {
        if (field.number == PROGRESS_FIELD_TEXT)
            reply->progress_text = text_of(d, &field);
        else if (field.number == PROGRESS_FIELD_DONE)
            reply->progress_done = field.value;
        else if (field.number == PROGRESS_FIELD_TOTAL)
            reply->progress_total = field.value;
    }
}

static enum status take_field(struct decoder *d, const struct field *field, struct reply *reply)
{
    enum status status = OK;
    if (field->number == REPLY_FIELD_REALM)
        reply->realm = text_of(d, field);
    else if (field->number == REPLY_FIELD_STATUS)
        reply->status = text_of(d, field);
    else if (field->number == REPLY_FIELD_ERROR)
        reply->error = text_of(d, field);
    else if (field->number == REPLY_FIELD_PROBLEMS)
        take_problem(d, field->bytes, &reply->problems[reply->problem_count++]);
    else if (field->number == REPLY_FIELD_SECTIONS)
        status = take_section(d, field->bytes, &reply->sections[reply->section_count++]);
    else if (field->number == REPLY_FIELD_PROGRESS)
        take_progress(d, field->bytes, reply);
    return status == OK ? arena_done(&d->arena, "answer", d->err) : status;
}

static enum status take_fields(struct decoder *d, struct span message, struct reply *reply)
{
    static const uint32_t numbers[] = { REPLY_FIELD_PROBLEMS, REPLY_FIELD_SECTIONS,
                                        REPLY_FIELD_PROGRESS };
    size_t counts[3] = { 0 };
    if (!count_fields(message, numbers, 3, counts))
        return malformed(d, "not Protocol Buffers");
    reply->problems = arena_take(&d->arena, counts[0], sizeof(struct reply_problem));
    reply->sections = arena_take(&d->arena, counts[1], sizeof(struct reply_section));
    enum status status = arena_done(&d->arena, "answer", d->err);
    uint64_t version = 0;
    struct reader r = reader_init(message);
    struct field field;
    while (status == OK && field_next(&r, &field)) {
        if (field.number == REPLY_FIELD_VERSION)
            version = field.value;
        status = take_field(d, &field, reply);
    }
    if (status == OK && version != REPLY_VERSION)
        status = malformed(d, "another version");
    if (status == OK && !reply->is_progress && reply->status[0] == '\0')
        status = malformed(d, "no status");
    return status;
}

enum status reply_decode(struct span message, struct reply *ret_reply, struct error *err)
{
    if (message.size > CONTROL_REPLY_MAX)
        return error_set(err, ERR_LIMIT, "the daemon's answer has %zu bytes, more than %d",
                         message.size, CONTROL_REPLY_MAX);
    struct decoder d = { .err = err };
    arena_init(&d.arena, message.size * REPLY_HEAP_FACTOR + MESSAGE_HEAP_CONTROL_MAX);
    struct reply reply = { .realm = "", .status = "", .error = "", .progress_text = "" };
    enum status status = take_fields(&d, message, &reply);
    if (status != OK) {
        arena_fini(&d.arena);
        return status;
    }
    reply.memory = arena_keep(&d.arena);
    *ret_reply = reply;
    return OK;
}

void reply_release(struct reply *reply)
{
    arena_release(reply->memory);
    *reply = (struct reply){ 0 };
}
