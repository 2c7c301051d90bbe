#include "dublin.h"

#include "base/memory.h"
#include "bench.h"
#include "record/table.h"
#include "support/record_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 32 * 1024, ROWS_OF_ONE = 1000 };

struct row {
    char area[4], counterpart[4], year[5];
    const char *direction, *indicator;
    struct decimal value;
};

struct reading {
    struct row *rows;
    size_t count;
    const char *direction;
    bool has_header;
};

static struct error err;

/* The data name some areas in Eurostat's way. */
static void take_area(struct span code, char to[static 4])
{
    const char *renamed = span_equal(code, SPAN_LITERAL("EL"))      ? "GR"
                          : span_equal(code, SPAN_LITERAL("UK"))    ? "GB"
                          : span_equal(code, SPAN_LITERAL("TOTAL")) ? "_T"
                                                                    : NULL;
    if (renamed != NULL)
        (void)snprintf(to, 4, "%s", renamed);
    else
        (void)snprintf(to, 4, "%.*s", (int)code.size, (const char *)code.data);
}

/* partner, geo, time, values[, decision] */
static enum status take_row(void *context, const struct table_row *row, struct error *error)
{
    struct reading *reading = context;
    if (!reading->has_header) {
        reading->has_header = true;
        return OK;
    }
    if (reading->count == ROWS_MAX)
        return error_set(error, ERR_LIMIT, "more rows than expected");
    struct row *to = &reading->rows[reading->count++];
    struct span decision = row->field_count > 4 ? row->fields[4] : SPAN_EMPTY;
    to->indicator = decision.size == 0                          ? "NEW"
                    : span_equal(decision, SPAN_LITERAL("ACC")) ? "GRANT"
                    : span_equal(decision, SPAN_LITERAL("REF")) ? "REFUSE"
                                                                : "DECIDED";
    to->direction = reading->direction;
    take_area(row->fields[1], to->area);
    take_area(row->fields[0], to->counterpart);
    (void)snprintf(to->year, sizeof(to->year), "%.4s", (const char *)row->fields[2].data);
    return decimal_parse(row->fields[3], &to->value)
               ? OK
               : error_set(error, ERR_INVALID, "line %u: not a number", row->line);
}

static void read_file(struct reading *reading,
                      const char *project,
                      const char *name,
                      const char *direction)
{
    char path[512];
    struct problems problems;
    problems_init(&problems, NULL);
    (void)snprintf(path, sizeof(path), "%s/data/source/%s", project, name);
    struct buf file = record_file(path);
    reading->direction = direction;
    reading->has_header = false;
    bench_must(table_read(buf_span(&file), &problems, take_row, reading, &err), &err);
    problems_fini(&problems);
    buf_fini(&file);
}

static int by_year_and_area(const void *a, const void *b)
{
    const struct row *x = a;
    const struct row *y = b;
    int order = strcmp(x->year, y->year);
    return order != 0 ? order : strcmp(x->area, y->area);
}

/* A node publishes figures about its own State alone, and these are of many: the reporter's code
 * stands in the place of an offence, so that the figures and the number of different codes in each
 * column stay as they are. */
static void reporter_code(const char *area, char to[static 12])
{
    (void)snprintf(to, 12, "ICCS%02u%02u", (unsigned)(area[0] - '0'), (unsigned)(area[1] - '0'));
}

static void add_row(struct release_builder *builder, const struct row *row)
{
    char reporter[12];
    static const char *const key[INTCOOP_DIMENSION_COUNT] = {
        "A", "", "", "", "OTH", "_Z", "REG", "_Z", "", "_Z", "_T", "FLOW", "REQ", "",
    };
    struct observation o = { .value = row->value };
    for (unsigned i = 0; i < INTCOOP_DIMENSION_COUNT; i++)
        o.dimensions[i] = span_text(key[i]);
    reporter_code(row->area, reporter);
    o.dimensions[INTCOOP_REF_AREA] = SPAN_LITERAL(DUBLIN_PUBLISHER);
    o.dimensions[INTCOOP_OFFENCE] = span_text(reporter);
    o.dimensions[INTCOOP_COUNTERPART_AREA] = span_text(row->counterpart);
    o.dimensions[INTCOOP_DIRECTION] = span_text(row->direction);
    o.dimensions[INTCOOP_INDICATOR] = span_text(row->indicator);
    o.dimensions[INTCOOP_TIME_PERIOD] = span_text(row->year);
    bench_must(release_builder_add(builder, &o, &err), &err);
}

static void add_release(struct sdmx_release_list *list,
                        struct release_codec *codec,
                        const struct row *rows,
                        size_t count)
{
    struct release_builder *builder = NULL;
    struct release release;
    char source[64];
    struct sdmx_release *item = &list->items[list->count];
    (void)snprintf(source, sizeof(source), "Ministry of the Interior, register %zu", list->count);
    bench_must(release_builder_new(&STRUCTURE_INTCOOP, &builder, &err), &err);
    bench_must(release_builder_set(builder, INTCOOP_SOURCE_AUTH, span_text(source), &err), &err);
    for (size_t i = 0; i < count; i++)
        add_row(builder, &rows[i]);
    bench_must(release_builder_finish(builder, codec, NULL, &item->bytes, &err), &err);
    bench_must(release_decode(codec, buf_span(&item->bytes), &release, &err), &err);
    bench_must(release_identity(&release, &item->identity, &err), &err);
    item->observation_count = count;
    release_fini(&release);
    release_builder_free(builder);
    list->count++;
}

/* How many rows from `at` on make one release. */
static size_t cut_at(const struct reading *reading, enum dublin_cut cut, size_t at)
{
    size_t end = at + 1;
    while (end < reading->count && strcmp(reading->rows[end].year, reading->rows[at].year) == 0 &&
           (cut != DUBLIN_REPORTER_YEARS ||
            strcmp(reading->rows[end].area, reading->rows[at].area) == 0) &&
           (cut != DUBLIN_THOUSANDS || end - at < ROWS_OF_ONE))
        end++;
    return end - at;
}

struct sdmx_release_list dublin_releases(const char *project, enum dublin_cut cut, size_t count)
{
    struct reading reading = { .rows = mem_calloc(ROWS_MAX, sizeof(struct row)) };
    struct release_codec *codec = NULL;
    size_t max = cut == DUBLIN_THOUSANDS ? count : ROWS_MAX;
    struct sdmx_release_list list = { .items = mem_calloc(max, sizeof(struct sdmx_release)),
                                      .capacity = max };
    if (reading.rows == NULL || list.items == NULL)
        bench_fail("dublin");
    bench_must(release_codec_new(&codec, &err), &err);
    read_file(&reading, project, "dublin_in.csv", "IN");
    read_file(&reading, project, "dublin_out.csv", "OUT");
    read_file(&reading, project, "dublin_decisions_in.csv", "IN");
    qsort(reading.rows, reading.count, sizeof(struct row), by_year_and_area);
    for (size_t at = 0; list.count < max; at += cut_at(&reading, cut, at)) {
        if (at >= reading.count && cut != DUBLIN_THOUSANDS)
            break;
        at = at >= reading.count ? 0 : at;
        size_t rows = cut_at(&reading, cut, at);
        if (cut != DUBLIN_THOUSANDS || rows == ROWS_OF_ONE)
            add_release(&list, codec, &reading.rows[at], rows);
    }
    release_codec_free(codec);
    mem_free(reading.rows);
    return list;
}
