/* From the publisher's database to the subscriber's receipt: two real nodes over mutual TLS.
 *
 * Raw SQLite commits each batch by itself, as many entries to a transaction as a batch has.  A node
 * may put several batches that wait under one commit, so where batches are small the ratio flatters
 * it: the row "as the node batches" has raw transactions of that size beside it.
 */
#include "base/memory.h"
#include "chain.h"
#include "delivery.h"
#include "dublin.h"
#include "feed/publication.h"
#include "raw.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    RUNS = 3,
    RUNS_OF_LATENCY = 5,
    FLOOR_RECORDS = 100,
    RELEASES_OF_MEMORY = 18000,
    RELEASES = 6144,
    RELEASES_ALONE = 1024, /* one to a batch */
    EXCERPTS = 6144,
    ONE_BY_ONE = 300
};

static struct bench_place place;

static const double FIRST_RHYTHM_S = 0.002;

/* The same bodies, written raw in transactions of as many. */
static double write_raw(const struct delivery *delivery)
{
    size_t count = delivery_count(delivery);
    static uint8_t text[64 * 1024];
    struct span *bodies = mem_calloc(count, sizeof(*bodies));
    size_t per_transaction = delivery->entries_per_batch;
    if (bodies == NULL)
        bench_fail("bodies");
    for (size_t i = 0; i < count; i++)
        bodies[i] = delivery->releases != NULL ? buf_span(&delivery->releases->items[i].bytes)
                                               : span_of(text, delivery->excerpt_bytes);
    if (per_transaction == 0)
        per_transaction = PUBLICATION_BYTES / (delivery_entry_size(delivery));
    if (per_transaction > PUBLICATION_ENTRIES)
        per_transaction = PUBLICATION_ENTRIES;
    double seconds = raw_inserts(place.work, bodies, count, per_transaction);
    mem_free(bodies);
    return seconds;
}

static void print_processor(const char *figure, double each_us)
{
    const struct bench_row row = {
        .figure = figure, .value = each_us, .unit = "us/rec", .rule = BENCH_NO_RULE
    };
    bench_print(&row);
}

/* Things per second, `each` to a record; the floor in the same unit. */
static void measure_rate(const struct delivery *delivery,
                         double each,
                         struct bench_row *row,
                         struct bench_row *of_raw)
{
    double rates[RUNS];
    double floors[RUNS];
    double allowed[RUNS];
    double sending[RUNS];
    double receiving[RUNS];
    double things = each * (double)delivery_count(delivery);
    for (size_t run = 0; run < RUNS; run++) {
        floors[run] = things / write_raw(delivery);
        struct delivery_outcome outcome = deliver(&place, delivery);
        rates[run] = things / outcome.seconds;
        allowed[run] = 2 * things / (outcome.sending_s + outcome.receiving_s);
        sending[run] = 1e6 * outcome.sending_s / (double)delivery_count(delivery);
        receiving[run] = 1e6 * outcome.receiving_s / (double)delivery_count(delivery);
    }
    row->value = bench_median(rates, RUNS);
    row->floor_name = "raw SQLite, like transactions";
    row->floor = bench_median(floors, RUNS);
    bench_print(row);
    if (of_raw != NULL) {
        of_raw->value = row->value;
        of_raw->floor = row->floor;
        of_raw->floor_name = row->floor_name;
        bench_print(of_raw);
    }
    const struct bench_row allows = { .figure =
                                          "    what its processor time allows on 2 free cores",
                                      .value = bench_median(allowed, RUNS),
                                      .unit = row->unit,
                                      .rule = BENCH_NO_RULE };
    bench_print(&allows);
    print_processor("    processor time of the publisher", bench_median(sending, RUNS));
    print_processor("    processor time of the subscriber", bench_median(receiving, RUNS));
}

static void measure_many(void)
{
    struct sdmx_release_list list = dublin_releases(place.project, DUBLIN_THOUSANDS, RELEASES);
    struct delivery many = { .releases = &list, .entries_per_batch = 16 };
    struct bench_row rate = { .figure = "releases of 1,000 observations, 16 to a batch",
                              .unit = "obs/s",
                              .rule = BENCH_AT_LEAST,
                              .target = 6e6 };
    struct bench_row ratio = { .figure = "  beside raw SQLite",
                               .unit = "obs/s",
                               .rule = BENCH_AT_LEAST,
                               .target = 0.25,
                               .of_ratio = true };
    measure_rate(&many, 1000, &rate, &ratio);
    struct delivery free = { .releases = &list };
    struct bench_row own = { .figure = "  batches as the node makes them",
                             .unit = "obs/s",
                             .rule = BENCH_NO_RULE };
    measure_rate(&free, 1000, &own, NULL);
    sdmx_release_list_fini(&list);
}

static void measure_alone(void)
{
    struct sdmx_release_list list =
        dublin_releases(place.project, DUBLIN_THOUSANDS, RELEASES_ALONE);
    struct delivery alone = { .releases = &list, .entries_per_batch = 1 };
    struct bench_row one = { .figure = "  one release to a batch",
                             .unit = "obs/s",
                             .rule = BENCH_AT_LEAST,
                             .target = 1.5e6 };
    measure_rate(&alone, 1000, &one, NULL);
    sdmx_release_list_fini(&list);
}

static void measure_wire(const char *figure, enum dublin_cut cut, double target)
{
    struct sdmx_release_list list = dublin_releases(place.project, cut, 0);
    struct delivery delivery = { .releases = &list };
    double observations = 0;
    double bodies = 0;
    for (size_t i = 0; i < list.count; i++) {
        observations += (double)list.items[i].observation_count;
        bodies += (double)list.items[i].bytes.size;
    }
    struct bench_row row = { .figure = figure,
                             .value = deliver(&place, &delivery).socket_bytes / observations,
                             .unit = "B/obs",
                             .floor_name = "the bodies alone (zstd)",
                             .floor = bodies / observations,
                             .rule = BENCH_AT_MOST,
                             .target = target };
    bench_print(&row);
    sdmx_release_list_fini(&list);
}

static void measure_excerpts(void)
{
    struct delivery delivery = { .excerpts = EXCERPTS, .excerpt_bytes = 2048 };
    struct bench_row row = { .figure = "excerpts of 2 KB",
                             .unit = "rec/s",
                             .rule = BENCH_AT_LEAST,
                             .target = 0.4,
                             .of_ratio = true };
    measure_rate(&delivery, 1, &row, NULL);
}

/* Its floor, in the same moments: the commits of numbering and of storing, which must be durable
 * before anything is signed, and that of the receipt, which need not; the publisher signs and the
 * subscriber verifies; the subscriber signs, and both signatures of the receipt are verified. */
static void measure_latency(void)
{
    double medians[RUNS_OF_LATENCY];
    double floors[RUNS_OF_LATENCY];
    double ratios[RUNS_OF_LATENCY];
    struct delivery delivery = { .excerpts = ONE_BY_ONE,
                                 .excerpt_bytes = 2048,
                                 .one_by_one = true };
    double latency_s = FIRST_RHYTHM_S;
    for (size_t run = 0; run < RUNS_OF_LATENCY; run++) {
        double before_s = chain_floor(place.work, FLOOR_RECORDS, latency_s);
        latency_s = deliver(&place, &delivery).latency_s;
        medians[run] = 1000 * latency_s;
        floors[run] = 500 * (before_s + chain_floor(place.work, FLOOR_RECORDS, latency_s));
        ratios[run] = medians[run] / floors[run];
    }
    struct bench_row row = { .figure = "one record at a time, p50",
                             .value = bench_median(medians, RUNS_OF_LATENCY),
                             .unit = "ms",
                             .floor_name = "3 commits, 5 signatures, a round trip",
                             .floor = bench_median(floors, RUNS_OF_LATENCY),
                             .rule = BENCH_AT_MOST,
                             .target = 1.5,
                             .of_ratio = true };
    /* The disk changes from second to second: the ratio is the median of those of the runs. */
    row.floor = row.value / bench_median(ratios, RUNS_OF_LATENCY);
    bench_print(&row);
}

/* A node's caches fill at first: what counts is whether it goes on growing with what it receives.
 */
static void measure_memory(void)
{
    struct sdmx_release_list list =
        dublin_releases(place.project, DUBLIN_THOUSANDS, RELEASES_OF_MEMORY);
    struct delivery delivery = { .releases = &list };
    double thirds[2][RUNS];
    for (size_t run = 0; run < RUNS; run++) {
        struct delivery_outcome outcome = deliver(&place, &delivery);
        thirds[0][run] = outcome.grown_kb[0];
        thirds[1][run] = outcome.grown_kb[1];
    }
    struct bench_row rows[] = {
        { .figure = "memory of the subscriber: second third of 18,000 releases",
          .value = bench_median(thirds[0], RUNS),
          .unit = "KiB",
          .rule = BENCH_NO_RULE },
        { .figure = "  last third",
          .value = bench_median(thirds[1], RUNS),
          .unit = "KiB",
          .rule = BENCH_AT_MOST,
          .target = 256 },
    };
    bench_print(&rows[0]);
    bench_print(&rows[1]);
    sdmx_release_list_fini(&list);
}

int main(int argc, char **argv)
{
    pair_serve_if_node(argc, argv);
    place = bench_place(argc, argv);
    if (bench_wanted(&place, "releases"))
        measure_many();
    if (bench_wanted(&place, "alone"))
        measure_alone();
    if (bench_wanted(&place, "wire")) {
        measure_wire("bytes on the wire, releases of 1,000 rows and more", DUBLIN_YEARS, 1.5);
        measure_wire("  releases of one reporter and year", DUBLIN_REPORTER_YEARS, 6);
    }
    if (bench_wanted(&place, "excerpts"))
        measure_excerpts();
    if (bench_wanted(&place, "latency"))
        measure_latency();
    if (bench_wanted(&place, "memory"))
        measure_memory();
    return 0;
}
