/* {"realm", "status", "error", "next", "problems", and one member for each section}.
 *
 * A table is an array of objects, a block of fields an object, a text a string.  Control and
 * direction characters stand as \uXXXX, bytes that are no UTF-8 as U+FFFD.
 */
#include "cli/render.h"

#include "base/text.h"

#include <string.h>

static void put_point(FILE *out, uint32_t point)
{
    if (point >= 0x10000) { /* RFC 8259 section 7: a surrogate pair */
        (void)fprintf(out, "\\u%04x\\u%04x", 0xD800 + ((point - 0x10000) >> 10),
                      0xDC00 + ((point - 0x10000) & 0x3FF));
        return;
    }
    (void)fprintf(out, "\\u%04x", point);
}

static void put_string(FILE *out, struct span text)
{
    (void)fputc('"', out);
    while (text.size > 0) {
        uint32_t point = 0;
        size_t size = text_decode(text, &point);
        if (size == 0)
            (void)fputs("\\ufffd", out);
        else if (point == '"' || point == '\\')
            (void)fprintf(out, "\\%c", (char)point);
        else if (point == '\n')
            (void)fputs("\\n", out);
        else if (text_kind_of(point) != TEXT_PLAIN)
            put_point(out, point);
        else
            (void)fwrite(text.data, 1, size, out);
        text = span_slice(text, size == 0 ? 1 : size, text.size);
    }
    (void)fputc('"', out);
}

static void put_member(FILE *out, bool first, const char *name)
{
    if (!first)
        (void)fputs(", ", out);
    put_string(out, span_text(name));
    (void)fputs(": ", out);
}

/* A whole number that every JSON reader holds exactly (below 2^53, no leading zero). */
static bool is_number(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits > 0 && digits <= 15 && text[digits] == '\0' && (digits == 1 || text[0] != '0');
}

static void put_row(FILE *out, const struct reply_section *section, size_t row)
{
    (void)fputc('{', out);
    for (size_t i = 0; i < section->column_count; i++) {
        const char *cell = section->cells[row * section->column_count + i];
        put_member(out, i == 0, section->columns[i].name);
        if (section->columns[i].number && is_number(cell))
            (void)fputs(cell, out);
        else if (section->columns[i].number)
            (void)fputs("null", out);
        else
            put_string(out, span_text(cell));
    }
    (void)fputc('}', out);
}

static void put_section(FILE *out, const struct reply_section *section)
{
    put_member(out, false, section->name);
    switch (section->kind) {
    case SECTION_NONE:
        (void)fputs("null", out);
        break;
    case SECTION_FIELDS:
        if (section->row_count == 1)
            put_row(out, section, 0);
        else
            (void)fputs("{}", out);
        break;
    case SECTION_TABLE:
        (void)fputc('[', out);
        for (size_t i = 0; i < section->row_count; i++) {
            (void)fputs(i == 0 ? "" : ", ", out);
            put_row(out, section, i);
        }
        (void)fputc(']', out);
        break;
    case SECTION_TEXT:
        put_string(out, section->content);
        break;
    case SECTION_BLOB:
        (void)fputs("{\"file\": ", out);
        put_string(out, span_text(section->file_name));
        (void)fprintf(out, ", \"bytes\": %zu}", section->content.size);
        break;
    }
}

static void put_problem(FILE *out, const struct reply_problem *problem)
{
    (void)fputc('{', out);
    put_member(out, true, "file");
    put_string(out, span_text(problem->file));
    put_member(out, false, "line");
    (void)fprintf(out, "%u", (unsigned)problem->line);
    put_member(out, false, "column");
    (void)fprintf(out, "%u", (unsigned)problem->column);
    put_member(out, false, "field");
    put_string(out, span_text(problem->field));
    put_member(out, false, "value");
    put_string(out, span_text(problem->value));
    put_member(out, false, "rule");
    put_string(out, span_text(problem->rule));
    put_member(out, false, "warning");
    (void)fputs(problem->warning ? "true}" : "false}", out);
}

enum status render_json(const struct render *render, const struct reply *reply, struct error *err)
{
    FILE *out = render->out;
    size_t what_size = 0;
    const char *next = NULL;
    render_split(reply->error, &what_size, &next);
    (void)fputc('{', out);
    put_member(out, true, "realm");
    put_string(out, span_text(reply->realm));
    put_member(out, false, "status");
    put_string(out, span_text(reply->status));
    put_member(out, false, "error");
    put_string(out, span_of(reply->error, what_size));
    put_member(out, false, "next");
    put_string(out, span_text(next));
    put_member(out, false, "problems");
    (void)fputc('[', out);
    for (size_t i = 0; i < reply->problem_count; i++) {
        (void)fputs(i == 0 ? "" : ", ", out);
        put_problem(out, &reply->problems[i]);
    }
    (void)fputc(']', out);
    for (size_t i = 0; i < reply->section_count; i++)
        put_section(out, &reply->sections[i]);
    (void)fputs("}\n", out);
    if (ferror(out) || fflush(out) != 0)
        return error_set(err, ERR_IO, "the answer could not be written");
    return OK;
}
