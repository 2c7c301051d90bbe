/* The writing half of wire/reply.h. */
#include "wire/reply.h"

#include "base/clock.h"
#include "base/counted.h"
#include "wire/field.h"
#include "wire/reply_fields.h"

#include <inttypes.h>

static const char too_large[] = "the answer is larger than %d bytes; next: narrow the listing";

void reply_init(struct reply_writer *w)
{
    *w = (struct reply_writer){ .kind = SECTION_NONE };
}

void reply_fini(struct reply_writer *w)
{
    buf_fini(&w->out);
    buf_fini(&w->section);
    buf_fini(&w->row);
    buf_fini(&w->notes);
    buf_fini(&w->cell);
}

void reply_reset(struct reply_writer *w)
{
    reply_fini(w);
    reply_init(w);
}

static bool failed(const struct reply_writer *w)
{
    return w->error.status != OK;
}

/* Ends a writer over one of our buffers: keeps its error, and the bound of the whole reply. */
static void settle(struct reply_writer *w, const struct writer *part)
{
    if (failed(w))
        return;
    if (writer_done(part, "reply", &w->error) != OK)
        return;
    if (w->out.size + w->section.size + w->row.size + w->notes.size > CONTROL_REPLY_MAX - 64 * 1024)
        error_set(&w->error, ERR_LIMIT, too_large, CONTROL_REPLY_MAX);
}

static void element(struct reply_writer *w, struct buf *to, uint32_t number, struct span bytes)
{
    struct writer part = writer_init(to);
    field_put_element(&part, number, bytes);
    settle(w, &part);
}

static void end_row(struct reply_writer *w)
{
    element(w, &w->section, SECTION_FIELD_ROWS, buf_span(&w->row));
    buf_clear(&w->row);
    w->cell_count = 0;
}

static void end_section(struct reply_writer *w)
{
    if (failed(w) || w->kind == SECTION_NONE)
        return;
    if (w->kind == SECTION_FIELDS && w->column_count > 0)
        end_row(w);
    if (w->cell_count > 0)
        error_set(&w->error, ERR_INTERNAL, "a table row of %zu cells has only %zu", w->column_count,
                  w->cell_count);
    element(w, &w->out, REPLY_FIELD_SECTIONS, buf_span(&w->section));
    buf_clear(&w->section);
    w->kind = SECTION_NONE;
    w->column_count = 0;
}

static void begin_section(struct reply_writer *w,
                          const char *name,
                          const char *title,
                          enum section_kind kind)
{
    end_section(w);
    struct writer part = writer_init(&w->section);
    field_put_text(&part, SECTION_FIELD_NAME, name);
    field_put_text(&part, SECTION_FIELD_TITLE, title);
    field_put_number(&part, SECTION_FIELD_KIND, kind);
    settle(w, &part);
    w->kind = kind;
}

static void add_column(struct reply_writer *w, const struct reply_column *column)
{
    struct buf bytes = BUF_INIT;
    struct writer part = writer_init(&bytes);
    field_put_text(&part, COLUMN_FIELD_NAME, column->name);
    field_put_text(&part, COLUMN_FIELD_TITLE, column->title);
    field_put_number(&part, COLUMN_FIELD_NUMBER, column->number);
    settle(w, &part);
    element(w, &w->section, SECTION_FIELD_COLUMNS, buf_span(&bytes));
    buf_fini(&bytes);
    w->column_count++;
}

static void add_cell(struct reply_writer *w, struct span text)
{
    element(w, &w->row, ROW_FIELD_CELLS, text);
    if (w->kind == SECTION_FIELDS)
        return;
    w->cell_count++;
    if (w->cell_count == w->column_count)
        end_row(w);
}

static void add_formatted(struct reply_writer *w, const char *format, va_list args)
    PRINTF_LIKE(2, 0);

static void add_formatted(struct reply_writer *w, const char *format, va_list args)
{
    if (failed(w))
        return;
    buf_clear(&w->cell);
    if (buf_vprintf(&w->cell, &w->error, format, args) == OK)
        add_cell(w, buf_span(&w->cell));
}

void reply_fields(struct reply_writer *w, const char *name, const char *title)
{
    begin_section(w, name, title, SECTION_FIELDS);
}

void reply_field(
    struct reply_writer *w, const char *name, const char *title, const char *format, ...)
{
    add_column(w, &(struct reply_column){ name, title, false });
    va_list args;
    va_start(args, format);
    add_formatted(w, format, args);
    va_end(args);
}

void reply_number(struct reply_writer *w, const char *name, const char *title, uint64_t value)
{
    add_column(w, &(struct reply_column){ name, title, true });
    reply_cell_number(w, value);
}

void reply_table(struct reply_writer *w,
                 const char *name,
                 const char *title,
                 const struct reply_column *columns,
                 size_t column_count)
{
    begin_section(w, name, title, SECTION_TABLE);
    for (size_t i = 0; i < column_count; i++)
        add_column(w, &columns[i]);
}

void reply_cell(struct reply_writer *w, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_formatted(w, format, args);
    va_end(args);
}

void reply_cell_number(struct reply_writer *w, uint64_t value)
{
    reply_cell(w, "%" PRIu64, value);
}

void reply_cell_time(struct reply_writer *w, int64_t wall_ms)
{
    char text[TIME_TEXT_SIZE] = "-";
    if (wall_ms != 0)
        time_format(wall_ms, text);
    reply_cell(w, "%s", text);
}

static void add_content(struct reply_writer *w, struct span bytes)
{
    struct writer part = writer_init(&w->section);
    field_put_bytes(&part, SECTION_FIELD_CONTENT, bytes);
    settle(w, &part);
}

void reply_text(struct reply_writer *w, const char *name, const char *title, struct span text)
{
    begin_section(w, name, title, SECTION_TEXT);
    add_content(w, text);
    end_section(w);
}

void reply_blob(struct reply_writer *w, const char *name, const char *file_name, struct span bytes)
{
    if (bytes.size > CONTROL_REPLY_MAX) {
        error_set(&w->error, ERR_LIMIT, too_large, CONTROL_REPLY_MAX);
        return;
    }
    begin_section(w, name, NULL, SECTION_BLOB);
    struct writer part = writer_init(&w->section);
    field_put_text(&part, SECTION_FIELD_FILE_NAME, file_name);
    settle(w, &part);
    add_content(w, bytes);
    end_section(w);
}

void reply_note(struct reply_writer *w, const char *format, ...)
{
    if (failed(w))
        return;
    va_list args;
    va_start(args, format);
    enum status status = buf_vprintf(&w->notes, &w->error, format, args);
    va_end(args);
    if (status == OK && buf_append_text(&w->notes, "\n", &w->error) == OK) {
        struct writer nothing = writer_init(&w->notes);
        settle(w, &nothing);
    }
}

void reply_problem(struct reply_writer *w, const struct reply_problem *problem)
{
    if (failed(w))
        return;
    *(problem->warning ? &w->warning_count : &w->problem_count) += 1;
    if (w->warning_count + w->problem_count > PROBLEMS_MAX) {
        w->problems_left_out++;
        return;
    }
    buf_clear(&w->cell);
    struct writer part = writer_init(&w->cell);
    field_put_text(&part, PROBLEM_FIELD_FILE, problem->file);
    field_put_number(&part, PROBLEM_FIELD_LINE, problem->line);
    field_put_number(&part, PROBLEM_FIELD_COLUMN, problem->column);
    field_put_text(&part, PROBLEM_FIELD_FIELD, problem->field);
    field_put_text(&part, PROBLEM_FIELD_VALUE, problem->value);
    field_put_text(&part, PROBLEM_FIELD_RULE, problem->rule);
    field_put_number(&part, PROBLEM_FIELD_WARNING, problem->warning);
    settle(w, &part);
    element(w, &w->out, REPLY_FIELD_PROBLEMS, buf_span(&w->cell));
}

size_t reply_problem_count(const struct reply_writer *w)
{
    return w->problem_count;
}

enum status reply_status(const struct reply_writer *w, struct error *err)
{
    if (failed(w) && err != NULL)
        *err = w->error;
    return w->error.status;
}

/* -- whole messages ---------------------------------------------------------------------------- */

static enum status frame_end(struct buf *frame,
                             size_t start,
                             const struct writer *w,
                             struct error *err)
{
    enum status status = writer_done(w, "reply", err);
    if (status != OK) {
        frame->size = start;
        return status;
    }
    size_t size = frame->size - start - FRAME_HEAD_SIZE;
    for (size_t i = 0; i < FRAME_HEAD_SIZE; i++)
        frame->data[start + i] = (uint8_t)(size >> (8 * (FRAME_HEAD_SIZE - 1 - i)));
    return OK;
}

enum status reply_finish(struct reply_writer *w,
                         const char *realm,
                         const struct error *err,
                         struct buf *append_to,
                         struct error *ret_err)
{
    if (w->problems_left_out > 0)
        reply_note(w, "Not listed: %s.", counted(w->problems_left_out, "more problem").text);
    if (w->notes.size > 0)
        reply_text(w, "notes", NULL, buf_span(&w->notes));
    end_section(w);
    const struct error *result = failed(w) ? &w->error : err;
    bool good = result == NULL || result->status == OK;
    size_t start = append_to->size;
    struct writer frame = writer_init(append_to);
    writer_u32(&frame, 0);
    field_put_number(&frame, REPLY_FIELD_VERSION, REPLY_VERSION);
    field_put_text(&frame, REPLY_FIELD_REALM, realm);
    field_put_text(&frame, REPLY_FIELD_STATUS, status_name(good ? OK : result->status));
    field_put_text(&frame, REPLY_FIELD_ERROR, good ? "" : result->text);
    if (!failed(w))
        writer_bytes(&frame, buf_span(&w->out));
    return frame_end(append_to, start, &frame, ret_err);
}

enum status reply_progress(
    const char *text, uint64_t done, uint64_t total, struct buf *append_to, struct error *err)
{
    struct buf inner = BUF_INIT;
    struct writer part = writer_init(&inner);
    field_put_text(&part, PROGRESS_FIELD_TEXT, text);
    field_put_number(&part, PROGRESS_FIELD_DONE, done);
    field_put_number(&part, PROGRESS_FIELD_TOTAL, total);
    enum status status = writer_done(&part, "progress", err);
    size_t start = append_to->size;
    struct writer frame = writer_init(append_to);
    writer_u32(&frame, 0);
    field_put_number(&frame, REPLY_FIELD_VERSION, REPLY_VERSION);
    field_put_element(&frame, REPLY_FIELD_PROGRESS, buf_span(&inner));
    buf_fini(&inner);
    if (status == OK)
        status = frame_end(append_to, start, &frame, err);
    return status;
}
