/* sim --seed N | --seeds A..B | --sweep MINUTES   [--steps K] [--verbose]
 *
 * The seed chooses the mix of faults as well.  The first seed that fails prints itself and how to
 * replay it, and ends the program. */
#include "sim.h"

#include "base/memory.h"
#include "crypto/digest.h"
#include "crypto/sign.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    STEPS_DEFAULT = 6000,
    REAL_KEYS_EVERY = 17, /* prime to the count of mixes: every mix has some with real keys */
    SETTLE_MS = 40 * 60 * 1000,
    CLONE_MS = 10 * 60 * 1000,
    DAY_MS = 25 * 3600 * 1000 /* a node that recovered too often goes on after a day */
};

/* work in thousandths of a step, faults in ten thousandths */
static const struct mix MIXES[] = {
    { .name = "quiet", .work = 40 },
    { .name = "cuts", .work = 40, .cut = 60, .partition = 20, .block = 1 },
    { .name = "crashes", .work = 40, .crash = 30, .cut = 10 },
    { .name = "disks", .work = 40, .crash = 5, .disk = 40 },
    { .name = "restores", .work = 40, .crash = 10, .cut = 10, .restore = 25 },
    { .name = "clones", .work = 40, .cut = 5, .clone = 10 },
    { .name = "clocks", .work = 40, .cut = 20, .clock = 40 },
    { .name = "everything",
      .work = 50,
      .crash = 20,
      .cut = 30,
      .partition = 20,
      .disk = 20,
      .clock = 10,
      .block = 1 },
    { .name = "restores and all",
      .work = 50,
      .crash = 20,
      .cut = 20,
      .partition = 10,
      .disk = 10,
      .restore = 20,
      .block = 1 },
};
enum { MIX_COUNT = sizeof(MIXES) / sizeof(MIXES[0]) };

static struct sim_stats total;

static void make_keys(struct sim *sim)
{
    struct error err = ERROR_INIT;
    for (size_t i = 0; i < PARTIES; i++) {
        uint8_t log_seed[32] = { (uint8_t)i, 1 };
        uint8_t receipt_seed[32] = { (uint8_t)i, 2 };
        sim_must(sim, private_key_of_seed(log_seed, &sim->log_keys[i], &err), &err, "key");
        sim_must(sim, private_key_of_seed(receipt_seed, &sim->receipt_keys[i], &err), &err, "key");
    }
}

static void add_stats(const struct sim_stats *stats)
{
    uint64_t *to = (uint64_t *)(void *)&total;
    const uint64_t *from = (const uint64_t *)(const void *)stats;
    for (size_t i = 0; i < sizeof(total) / sizeof(*to); i++)
        to[i] += from[i];
}

static void run_seed(uint64_t seed, uint64_t steps, bool verbose)
{
    struct sim *sim = calloc(1, sizeof(*sim));
    struct seen_checkpoint *checkpoints = calloc(CHECKPOINTS_MAX, sizeof(*checkpoints));
    if (sim == NULL || checkpoints == NULL)
        abort();
    sim->seed = seed;
    fake_sign_wanted = seed % REAL_KEYS_EVERY != 0;
    sim->verbose = verbose;
    sim->mix = &MIXES[seed % MIX_COUNT];
    sim->slow = seed / MIX_COUNT % 3 == 1;
    sim->checkpoints = checkpoints;
    sim->cloned = PARTIES;
    random_seeded_init(&sim->random, seed);
    (void)sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, (int)(seed & 0xffff) + 1, NULL);
    make_keys(sim);
    for (size_t i = 0; i < PARTIES; i++)
        host_make(sim, i, i);
    for (size_t i = 0; i < PARTIES; i++)
        host_start(&sim->hosts[i]);
    for (uint64_t done = 0; done < steps; done += 500) {
        sim_run(sim, steps - done < 500 ? steps - done : 500);
        verdict_running(sim);
    }
    faults_stop(sim);
    if (sim->hosts[PARTIES].used) {
        sim_settle(sim, CLONE_MS);
        restore_stop_clone(sim);
    }
    sim_settle(sim, SETTLE_MS);
    if (sim->stats.restores + sim->stats.set_backs + sim->stats.clones > 0) {
        sim_sleep(sim, DAY_MS);
        sim_settle(sim, SETTLE_MS);
    }
    verdict_final(sim);
    add_stats(&sim->stats);
    for (size_t i = 0; i < HOSTS_MAX; i++)
        host_free(&sim->hosts[i]);
    for (size_t i = 0; i < PARTIES; i++) {
        private_key_free(sim->log_keys[i]);
        private_key_free(sim->receipt_keys[i]);
    }
    free(checkpoints);
    free(sim);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void report(uint64_t seeds, double took)
{
    printf("sim: %llu seeds, %llu steps in %.1f s (%.0f/s, %.2f s a seed)\n",
           (unsigned long long)seeds, (unsigned long long)total.steps, took,
           (double)total.steps / took, seeds > 0 ? took / (double)seeds : 0.0);
    unsigned column = 0;
#define SIM_COUNT_PRINT(name)                                        \
    printf("%s%s=%llu", column++ % 8 == 0 ? "\n   " : "", " " #name, \
           (unsigned long long)total.name);
    SIM_COUNTS(SIM_COUNT_PRINT)
#undef SIM_COUNT_PRINT
    printf("\n");
}

static int usage(void)
{
    fprintf(stderr,
            "sim --seed N | --seeds A..B | --sweep | --mutations   [--steps K] [--verbose]\n"
            "--sweep runs for COMITY_SWEEP_MINUTES (1)\n");
    return 2;
}

int main(int argc, char **argv)
{
    uint64_t first = 1, last = 1, steps = STEPS_DEFAULT;
    bool verbose = false, sweep = false;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        char *end = NULL;
        if (strcmp(argv[i], "--verbose") == 0) {
            verbose = true;
        } else if (strcmp(argv[i], "--sweep") == 0) {
            sweep = true;
        } else if (strcmp(argv[i], "--seed") == 0) {
            first = last = strtoull(value, NULL, 10);
            i++;
        } else if (strcmp(argv[i], "--seeds") == 0) {
            first = strtoull(value, &end, 10);
            last = strncmp(end, "..", 2) == 0 ? strtoull(end + 2, NULL, 10) : first;
            i++;
        } else if (strcmp(argv[i], "--mutations") == 0) {
            return mutate_all(argv[0]);
        } else if (strcmp(argv[i], "--mutation") == 0) {
            mutation = (enum mutation)strtoull(value, NULL, 10);
            i++;
        } else if (strcmp(argv[i], "--steps") == 0) {
            steps = strtoull(value, NULL, 10);
            i++;
        } else {
            return usage();
        }
    }
    double start = seconds();
    double until = start;
    if (sweep) {
        const char *minutes = getenv("COMITY_SWEEP_MINUTES");
        until = start + 60.0 * (minutes == NULL ? 1.0 : strtod(minutes, NULL));
        first = 100000;
        last = UINT64_MAX;
    }
    uint64_t seed = first;
    for (; seed <= last && (!sweep || seconds() < until); seed++)
        run_seed(seed, steps, verbose);
    report(seed - first, seconds() - start);
    return 0;
}
