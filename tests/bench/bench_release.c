/* Packing and unpacking releases: the Dublin figures, beside memcpy and bare zstd of the same
 * bytes.
 *
 *     bench_release [PROJECT]      (default: the present folder)
 *
 * One figure per line: name, value, unit.  Each is the median of RUNS runs.
 */
#include "base/clock.h"
#include "record/release_codec.h"
#include "record/table.h"
#include "support/record_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS = 9, GROUPS_MAX = 256 };

struct group { /* one release: of a year, or of a year and a reporter */
    char name[16];
    struct release_builder *builder;
    struct buf bytes;
    size_t observations;
};
struct bench {
    bool by_reporter;
    const char *direction;
    bool has_header;
    struct group groups[GROUPS_MAX];
    size_t count;
    struct problems problems;
};

static void must(enum status status, const struct error *err)
{
    if (status == OK)
        return;
    fprintf(stderr, "%s\n", err->text);
    exit(1);
}

static struct release_builder *group_of(struct bench *b, struct span year, struct span reporter)
{
    char name[16];
    snprintf(name, sizeof(name), "%.4s%.2s", (const char *)year.data,
             b->by_reporter ? (const char *)reporter.data : "");
    for (size_t i = 0; i < b->count; i++)
        if (strcmp(b->groups[i].name, name) == 0)
            return b->groups[i].builder;
    struct group *group = &b->groups[b->count++];
    struct error err = ERROR_INIT;
    if (b->count > GROUPS_MAX)
        abort();
    memcpy(group->name, name, sizeof(name));
    must(release_builder_new(&STRUCTURE_INTCOOP, &group->builder, &err), &err);
    return group->builder;
}

static struct span area(struct span code)
{
    if (span_equal(code, SPAN_LITERAL("EL")))
        return SPAN_LITERAL("GR");
    if (span_equal(code, SPAN_LITERAL("UK")))
        return SPAN_LITERAL("GB");
    return span_equal(code, SPAN_LITERAL("TOTAL")) ? SPAN_LITERAL("_T") : code;
}

/* partner, geo, time, values[, decision] */
static enum status take_row(void *context, const struct table_row *row, struct error *err)
{
    struct bench *b = context;
    if (!b->has_header) {
        b->has_header = true;
        return OK;
    }
    static const char *const key[INTCOOP_DIMENSION_COUNT] = {
        "A", "", "", "", "OTH", "_Z", "REG", "_Z", "", "_Z", "_T", "FLOW", "REQ", "",
    };
    struct observation o = { .line = row->line };
    for (unsigned i = 0; i < INTCOOP_DIMENSION_COUNT; i++)
        o.dimensions[i] = span_text(key[i]);
    struct span decision = row->field_count > 4 ? row->fields[4] : SPAN_EMPTY;
    const char *indicator = decision.size == 0                          ? "NEW"
                            : span_equal(decision, SPAN_LITERAL("ACC")) ? "GRANT"
                            : span_equal(decision, SPAN_LITERAL("REF")) ? "REFUSE"
                                                                        : "DECIDED";
    struct span year = span_slice(row->fields[2], 0, 4);
    o.dimensions[INTCOOP_REF_AREA] = area(row->fields[1]);
    o.dimensions[INTCOOP_COUNTERPART_AREA] = area(row->fields[0]);
    o.dimensions[INTCOOP_DIRECTION] = span_text(b->direction);
    o.dimensions[INTCOOP_INDICATOR] = span_text(indicator);
    o.dimensions[INTCOOP_TIME_PERIOD] = year;
    if (!decimal_parse(row->fields[3], &o.value))
        return error_set(err, ERR_INVALID, "line %u: not a number", row->line);
    return release_builder_add(group_of(b, year, o.dimensions[INTCOOP_REF_AREA]), &o, err);
}

static void read_file(struct bench *b, const char *root, const char *name, const char *direction)
{
    char path[512];
    struct error err = ERROR_INIT;
    snprintf(path, sizeof(path), "%s/data/source/%s", root, name);
    struct buf file = record_file(path);
    b->direction = direction;
    b->has_header = false;
    must(table_read(buf_span(&file), &b->problems, take_row, b, &err), &err);
    must(problems_status(&b->problems, &err), &err);
    buf_fini(&file);
}

static double now_s(void)
{
    struct clock *clock = clock_system();
    return (double)clock->monotonic_ms(clock) / 1000;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double runs[RUNS])
{
    qsort(runs, RUNS, sizeof(double), compare);
    return runs[RUNS / 2];
}

static void print(const char *what, const char *name, double value, const char *unit)
{
    printf("release.%s.%s %.2f %s\n", what, name, value, unit);
}

/* Packs all groups; gives how many observations there are. */
static size_t pack_all(struct bench *b, struct release_codec *codec)
{
    struct error err = ERROR_INIT;
    size_t observations = 0;
    for (size_t i = 0; i < b->count; i++) {
        struct group *group = &b->groups[i];
        buf_clear(&group->bytes);
        must(release_builder_finish(group->builder, codec, NULL, &group->bytes, &err), &err);
        observations += release_builder_count(group->builder);
    }
    return observations;
}

typedef void (*work_fn)(struct bench *b, struct release_codec *codec, struct buf *plains);

static void work_pack(struct bench *b, struct release_codec *codec, struct buf *plains)
{
    (void)plains;
    (void)pack_all(b, codec);
}

static void work_check(struct bench *b, struct release_codec *codec, struct buf *plains)
{
    (void)plains;
    struct error err = ERROR_INIT;
    for (size_t i = 0; i < b->count; i++)
        must(release_check(codec, buf_span(&b->groups[i].bytes), &b->groups[i].observations, &err),
             &err);
}

/* Floor: zstd alone, of the same frames. */
static void work_unpack(struct bench *b, struct release_codec *codec, struct buf *plains)
{
    struct error err = ERROR_INIT;
    for (size_t i = 0; i < b->count; i++) {
        struct span bytes = buf_span(&b->groups[i].bytes);
        size_t head = 1; /* the version, then a varint */
        while (bytes.data[head++] >= 0x80)
            ;
        size_t size = plains[i].size;
        must(release_codec_unpack(codec, span_slice(bytes, head, bytes.size), size, &plains[i],
                                  &err),
             &err);
    }
}

/* Floor: copying the plain forms. */
static void work_copy(struct bench *b, struct release_codec *codec, struct buf *plains)
{
    (void)codec;
    static uint8_t to[1 << 22];
    for (size_t i = 0; i < b->count; i++) {
        memcpy(to, plains[i].data, plains[i].size);
        __asm__ volatile("" : : "r"(to) : "memory");
    }
}

static double rate(work_fn work,
                   struct bench *b,
                   struct release_codec *codec,
                   struct buf *plains,
                   size_t observations)
{
    double runs[RUNS];
    for (unsigned run = 0; run < RUNS; run++) {
        double start = now_s(), end = start;
        size_t rounds = 0;
        for (; end - start < 0.1; end = now_s(), rounds++)
            work(b, codec, plains);
        runs[run] = (double)(rounds * observations) / (end - start);
    }
    return median(runs);
}

static void measure(const char *what, bool by_reporter, const char *root)
{
    static struct bench b;
    static struct buf plains[GROUPS_MAX];
    struct release_codec *codec = NULL;
    struct error err = ERROR_INIT;
    memset(&b, 0, sizeof(b));
    b.by_reporter = by_reporter;
    problems_init(&b.problems, NULL);
    read_file(&b, root, "dublin_in.csv", "IN");
    read_file(&b, root, "dublin_out.csv", "OUT");
    read_file(&b, root, "dublin_decisions_in.csv", "IN");
    must(release_codec_new(&codec, &err), &err);
    size_t observations = pack_all(&b, codec), bytes = 0;
    for (size_t i = 0; i < b.count; i++) {
        struct release release;
        bytes += b.groups[i].bytes.size;
        must(release_decode(codec, buf_span(&b.groups[i].bytes), &release, &err), &err);
        plains[i] = buf_move(&release.plain);
        release_fini(&release);
    }
    print(what, "releases", (double)b.count, "");
    print(what, "observations", (double)observations, "");
    print(what, "size", (double)bytes / (double)observations, "bytes/observation");
    print(what, "pack", rate(work_pack, &b, codec, plains, observations) / 1e6, "M/s");
    print(what, "check", rate(work_check, &b, codec, plains, observations) / 1e6, "M/s");
    print(what, "floor_zstd", rate(work_unpack, &b, codec, plains, observations) / 1e6, "M/s");
    print(what, "floor_memcpy", rate(work_copy, &b, codec, plains, observations) / 1e6, "M/s");
    for (size_t i = 0; i < b.count; i++) {
        release_builder_free(b.groups[i].builder);
        buf_fini(&b.groups[i].bytes);
        buf_fini(&plains[i]);
    }
    problems_fini(&b.problems);
    release_codec_free(codec);
}

int main(int argc, char **argv)
{
    const char *root = argc > 1 ? argv[1] : ".";
    measure("year", false, root);
    measure("reporter_year", true, root);
    return 0;
}
