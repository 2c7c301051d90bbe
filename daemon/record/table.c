#include "record/table.h"

#include "base/memory.h"
#include "base/text.h"

#include <csv.h>
#include <string.h>

/* -- what kind of file it is ------------------------------------------------------------------ */

struct magic {
    struct span start;
    const char *rule, *hint;
};
static const char spreadsheet[] = "a spreadsheet, not text";
static const char save_as_csv[] = "open it and save the sheet as CSV UTF-8 (comma delimited)";
static const char utf16[] = "text in UTF-16, not in UTF-8";
static const char save_as_utf8[] = "save it as CSV with the encoding UTF-8";
static const struct magic magics[] = {
    { { (const uint8_t *)"PK\x03\x04", 4 }, spreadsheet, save_as_csv },       /* xlsx, ods */
    { { (const uint8_t *)"\xd0\xcf\x11\xe0", 4 }, spreadsheet, save_as_csv }, /* xls */
    { { (const uint8_t *)"\xff\xfe", 2 }, utf16, save_as_utf8 },
    { { (const uint8_t *)"\xfe\xff", 2 }, utf16, save_as_utf8 },
    { { (const uint8_t *)"%PDF", 4 }, "a PDF document, not a table", "take the table's CSV" },
};

static uint32_t line_at(struct span file, size_t at)
{
    uint32_t line = 1;
    for (size_t i = 0; i < at; i++)
        line += file.data[i] == '\n';
    return line;
}

/* Whether there is any sense in reading rows; says why not. */
static bool check_file(struct span file, struct problems *problems)
{
    struct problem_place whole = { 0, 0, NULL };
    for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
        struct span start = magics[i].start;
        if (span_equal(span_slice(file, 0, start.size), start)) {
            problems_add(problems, whole, SPAN_EMPTY, magics[i].hint, "this is %s", magics[i].rule);
            return false;
        }
    }
    if (file.size > CSV_FILE_MAX) {
        problems_add(problems, whole, SPAN_EMPTY, "split it", "%zu bytes are more than %d",
                     file.size, CSV_FILE_MAX);
        return false;
    }
    const uint8_t *nul = file.size == 0 ? NULL : memchr(file.data, 0, file.size);
    size_t bad = nul != NULL ? (size_t)(nul - file.data) : text_valid_size(file);
    if (bad == file.size)
        return true;
    problems_add(problems, (struct problem_place){ line_at(file, bad), 0, NULL },
                 span_slice(file, bad < 12 ? 0 : bad - 12, 24),
                 "save it as CSV with the encoding UTF-8 (it may be Windows-1252 or ISO 8859)",
                 nul != NULL ? "byte %zu is zero: this is not text" : "byte %zu is not UTF-8",
                 bad + 1);
    return false;
}

/* `;` where the header line has more of them than commas, outside quotes. */
static char find_separator(struct span file)
{
    size_t commas = 0, semicolons = 0;
    bool quoted = false;
    for (size_t i = 0; i < file.size && (quoted || file.data[i] != '\n'); i++) {
        quoted = quoted != (file.data[i] == '"');
        commas += !quoted && file.data[i] == ',';
        semicolons += !quoted && file.data[i] == ';';
    }
    return semicolons > commas ? ';' : ',';
}

/* -- rows -------------------------------------------------------------------------------------- */

struct table {
    struct csv_parser parser;
    struct buf bytes; /* of the row's fields, one after the other */
    size_t ends[TABLE_COLUMNS_MAX];
    uint32_t lines[TABLE_COLUMNS_MAX];
    size_t field_count;
    uint32_t line;       /* being fed */
    uint32_t field_line; /* on which the next field begins */
    char separator;
    bool too_wide;
    struct problems *problems;
    table_row_fn take_row;
    void *context;
    enum status status;
    struct error *err;
};

static int no_blanks(unsigned char c)
{
    (void)c;
    return 0; /* nothing is stripped */
}

static void start_parser(struct table *t)
{
    csv_init(&t->parser, CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL);
    csv_set_realloc_func(&t->parser, mem_realloc);
    csv_set_free_func(&t->parser, mem_free);
    csv_set_space_func(&t->parser, no_blanks);
    csv_set_delim(&t->parser, (unsigned char)t->separator);
    buf_clear(&t->bytes);
    t->field_count = 0;
    t->too_wide = false;
    t->field_line = t->line;
}

static void take_field(void *data, size_t size, void *context)
{
    struct table *t = context;
    uint32_t line = t->field_line;
    t->field_line = t->line;
    if (t->status != OK)
        return;
    if (t->field_count == TABLE_COLUMNS_MAX || size > CSV_FIELD_MAX ||
        t->bytes.size + size > TABLE_ROW_MAX) {
        t->too_wide = true;
        return;
    }
    t->status = buf_append(&t->bytes, span_of(data, size), t->err);
    t->lines[t->field_count] = line;
    t->ends[t->field_count++] = t->bytes.size;
}

static void hand_over_row(struct table *t)
{
    struct span fields[TABLE_COLUMNS_MAX];
    size_t start = 0;
    for (size_t i = 0; i < t->field_count; i++) {
        fields[i] = span_slice(buf_span(&t->bytes), start, t->ends[i] - start);
        start = t->ends[i];
    }
    struct table_row row = { t->lines[0], fields, t->lines, t->field_count, t->separator };
    t->status = t->take_row(t->context, &row, t->err);
}

static void take_row_end(int terminator, void *context)
{
    (void)terminator;
    struct table *t = context;
    if (t->status == OK && t->too_wide) {
        problems_add(t->problems, (struct problem_place){ t->line, 0, NULL }, SPAN_EMPTY, NULL,
                     "a row has at most %d fields of at most %d bytes, %d in all",
                     TABLE_COLUMNS_MAX, CSV_FIELD_MAX, TABLE_ROW_MAX);
    } else if (t->status == OK && t->field_count > 0) {
        hand_over_row(t);
    }
    buf_clear(&t->bytes);
    t->field_count = 0;
    t->too_wide = false;
    t->field_line = t->line + 1;
}

/* One line without its end.  A line that libcsv refuses is named and skipped. */
static void feed_line(struct table *t, struct span line)
{
    size_t used = csv_parse(&t->parser, line.data, line.size, take_field, take_row_end, t);
    if (used == line.size)
        used += csv_parse(&t->parser, "\n", 1, take_field, take_row_end, t);
    if (used == line.size + 1 || t->status != OK)
        return;
    if (csv_error(&t->parser) != CSV_EPARSE) {
        t->status = error_set(t->err, ERR_MEMORY, "no memory to read line %u", t->line);
        return;
    }
    problems_add(t->problems, (struct problem_place){ t->line, 0, NULL },
                 span_slice(line, used < 20 ? 0 : used - 20, 40),
                 "write a quote inside a quoted field twice",
                 "a quote (\") stands where none may stand, at byte %zu of the line", used + 1);
    csv_free(&t->parser);
    start_parser(t);
    t->field_line = t->line + 1;
}

static void feed(struct table *t, struct span file)
{
    for (t->line = 1; file.size > 0 && t->status == OK; t->line++) {
        const uint8_t *end = memchr(file.data, '\n', file.size);
        size_t size = end == NULL ? file.size : (size_t)(end - file.data);
        struct span line = span_slice(file, 0, size);
        if (line.size > 0 && line.data[line.size - 1] == '\r')
            line.size--;
        feed_line(t, line);
        file = span_slice(file, size + 1, file.size);
    }
}

/* libcsv swallows everything behind an open quote. */
static void finish(struct table *t)
{
    if (t->status == OK && csv_fini(&t->parser, take_field, take_row_end, t) != 0) {
        problems_add(t->problems, (struct problem_place){ t->field_line, 0, NULL }, SPAN_EMPTY,
                     "close it; a quote inside a quoted field is written twice",
                     "a quote (\") that opens here is never closed: the rest of the file could "
                     "not be read");
    }
}

enum status table_read(struct span file,
                       struct problems *problems,
                       table_row_fn take_row,
                       void *context,
                       struct error *err)
{
    static const struct span bom = { (const uint8_t *)"\xef\xbb\xbf", 3 };
    if (span_equal(span_slice(file, 0, bom.size), bom))
        file = span_slice(file, bom.size, file.size);
    if (!check_file(file, problems))
        return OK;
    struct table *t = mem_calloc(1, sizeof(*t));
    if (t == NULL)
        return error_set(err, ERR_MEMORY, "no memory to read a file");
    t->separator = find_separator(file);
    t->problems = problems;
    t->take_row = take_row;
    t->context = context;
    t->err = err;
    t->line = 1;
    start_parser(t);
    feed(t, file);
    finish(t);
    enum status status = t->status;
    csv_free(&t->parser);
    buf_fini(&t->bytes);
    mem_free(t);
    return status;
}
