/* What erasing costs: the key of one record of a million, beside as many durable steps. */
#include "base/clock.h"
#include "base/memory.h"
#include "bench.h"
#include "raw.h"
#include "store/keys.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>

enum { KEYS = 1000 * 1000, PER_COMMIT = 10000, ERASURES = 101 };

static struct error err;
static struct store *store;

static double add_keys(void)
{
    struct seal_key key;
    uint64_t slot = 0;
    double start_s = bench_now_s();
    bench_must(store_begin(store, &err), &err);
    for (int i = 0; i < PER_COMMIT; i++)
        bench_must(keys_add(store, &ID_NONE, &slot, &key, &err), &err);
    bench_must(store_commit(store, &err), &err);
    mem_wipe(&key, sizeof(key));
    return (bench_now_s() - start_s) / PER_COMMIT;
}

/* A floor after each erasure, so that both see the same disk. */
static void erase(const char *directory, size_t count, struct bench_row *row)
{
    static double times_ms[ERASURES];
    static double floors_ms[ERASURES];
    uint64_t slots[10];
    struct random_seeded dice;
    random_seeded_init(&dice, 1 + count);
    struct keys_change nothing = { NULL, NULL };
    struct raw_eraser *raw = raw_eraser_new(directory);
    for (size_t t = 0; t < ERASURES; t++) {
        for (size_t i = 0; i < count; i++)
            slots[i] = random_seeded_next(&dice) % KEYS;
        double start_s = bench_now_s();
        bench_must(keys_erase(store, slots, count, nothing, &err), &err);
        times_ms[t] = 1e3 * (bench_now_s() - start_s);
        floors_ms[t] = 1e3 * raw_erase(raw);
    }
    raw_eraser_free(raw);
    row->value = bench_median(times_ms, ERASURES);
    row->unit = "ms";
    row->floor_name = "raw update, checkpoint, 2 slot writes";
    row->floor = bench_median(floors_ms, ERASURES);
    bench_print(row);
}

int main(int argc, char **argv)
{
    static double times_us[KEYS / PER_COMMIT];
    struct bench_place place = bench_place(argc, argv);
    char directory[300];
    (void)snprintf(directory, sizeof(directory), "%s/keys-XXXXXX", place.work);
    if (mkdtemp(directory) == NULL)
        bench_fail(directory);
    struct store_options options = { .directory = directory,
                                     .clock = clock_system(),
                                     .random = random_system() };
    bench_must(store_create(&options, &store, &err), &err);
    for (size_t i = 0; i < KEYS / PER_COMMIT; i++)
        times_us[i] = 1e6 * add_keys();
    struct bench_row one = { .figure = "erasing one record of a million",
                             .rule = BENCH_AT_MOST,
                             .target = 2 };
    struct bench_row ten = { .figure = "  ten scattered ones together", .rule = BENCH_NO_RULE };
    erase(directory, 1, &one);
    erase(directory, 10, &ten);
    struct bench_row add = { .figure = "  adding a key, 10,000 to a commit",
                             .value = bench_median(times_us, KEYS / PER_COMMIT),
                             .unit = "us",
                             .rule = BENCH_NO_RULE };
    bench_print(&add);
    store_close(store);
    return 0;
}
