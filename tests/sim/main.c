/* sim --seed N | --seeds A..B | --sweep | --mutations   [--steps K] [--verbose]
 *
 * The seed chooses the mix of faults as well.  The first seed that fails prints itself and how to
 * replay it, and ends the program.  A sweep uses all processors, one process each, and goes on with
 * the others' seeds. */
#include "sim.h"

#include "base/memory.h"
#include "crypto/digest.h"
#include "crypto/sign.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

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
      .block = 1,
      .rotate = 20 },
    { .name = "restores and all",
      .work = 50,
      .crash = 20,
      .cut = 20,
      .partition = 10,
      .disk = 10,
      .restore = 20,
      .block = 1,
      .rotate = 5 },
    { .name = "rotations",
      .work = 40,
      .crash = 15,
      .cut = 20,
      .partition = 15,
      .disk = 5,
      .restore = 25,
      .rotate = 80 },
    { .name = "leaps", .work = 40, .crash = 5, .cut = 20, .clock = 40, .leaps = true },
};
enum { MIX_COUNT = sizeof(MIXES) / sizeof(MIXES[0]) };

static struct sim_stats total;

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
    papers_make(sim);
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
        workload_calm(sim); /* what was put on hold since; people have looked */
        sim_sleep(sim, DAY_MS);
        sim_settle(sim, SETTLE_MS);
    }
    verdict_final(sim);
    add_stats(&sim->stats);
    for (size_t i = 0; i < HOSTS_MAX; i++)
        host_free(&sim->hosts[i]);
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

/* -- sweeping -----------------------------------------------------------------------------------
 */

enum { SWEEP_FIRST = 100000, SWEEP_PROCESSES_MAX = 64 };

struct share { /* what one process has done */
    uint64_t seeds;
    struct sim_stats stats;
};

static void sweep_share(uint64_t first, uint64_t every, double until, int to)
{
    struct share share = { 0 };
    for (uint64_t seed = first; seconds() < until; seed += every) {
        run_seed(seed, STEPS_DEFAULT, false);
        share.seeds++;
    }
    share.stats = total;
    _exit(write(to, &share, sizeof(share)) == (ssize_t)sizeof(share) ? 0 : 1);
}

static int sweep(double minutes)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t count = processors < 1 ? 1 : (uint64_t)processors;
    double start = seconds();
    uint64_t seeds = 0;
    int results[2];
    int failed = 0;
    if (count > SWEEP_PROCESSES_MAX)
        count = SWEEP_PROCESSES_MAX;
    printf("sim: seeds from %d on, %llu processes, %.0f minutes\n", SWEEP_FIRST,
           (unsigned long long)count, minutes);
    (void)fflush(stdout);
    if (pipe(results) != 0)
        abort();
    for (uint64_t i = 0; i < count; i++) {
        pid_t child = fork();
        if (child < 0)
            abort();
        if (child == 0)
            sweep_share(SWEEP_FIRST + i, count, start + 60.0 * minutes, results[1]);
    }
    close(results[1]);
    struct share share;
    while (read(results[0], &share, sizeof(share)) == (ssize_t)sizeof(share)) {
        seeds += share.seeds;
        add_stats(&share.stats);
    }
    close(results[0]);
    for (int status = 0; wait(&status) > 0;)
        failed += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    report(seeds, seconds() - start);
    return failed == 0 ? 0 : 1;
}

/* -- arguments ----------------------------------------------------------------------------------
 */

struct arguments {
    uint64_t first, last, steps;
    bool verbose, sweep, mutations;
};

static bool take_flag(struct arguments *arguments, const char *word)
{
    if (strcmp(word, "--verbose") == 0)
        arguments->verbose = true;
    else if (strcmp(word, "--sweep") == 0)
        arguments->sweep = true;
    else if (strcmp(word, "--mutations") == 0)
        arguments->mutations = true;
    else
        return false;
    return true;
}

static bool take_value(struct arguments *arguments, const char *word, const char *value)
{
    char *end = NULL;
    uint64_t number = strtoull(value, &end, 10);
    if (strcmp(word, "--seed") == 0) {
        arguments->first = arguments->last = number;
    } else if (strcmp(word, "--seeds") == 0) {
        arguments->first = number;
        arguments->last = strncmp(end, "..", 2) == 0 ? strtoull(end + 2, NULL, 10) : number;
    } else if (strcmp(word, "--mutation") == 0) {
        mutation = (enum mutation)number;
    } else if (strcmp(word, "--steps") == 0) {
        arguments->steps = number;
    } else {
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct arguments arguments = { .first = 1, .last = 1, .steps = STEPS_DEFAULT };
    for (int i = 1; i < argc; i++) {
        if (take_flag(&arguments, argv[i]))
            continue;
        if (i + 1 == argc || !take_value(&arguments, argv[i], argv[i + 1]))
            return usage();
        i++;
    }
    if (arguments.mutations)
        return mutate_all(argv[0]);
    if (arguments.sweep) {
        const char *minutes = getenv("COMITY_SWEEP_MINUTES");
        return sweep(minutes == NULL ? 1.0 : strtod(minutes, NULL));
    }
    double start = seconds();
    for (uint64_t seed = arguments.first; seed <= arguments.last; seed++)
        run_seed(seed, arguments.steps, arguments.verbose);
    report(arguments.last + 1 - arguments.first, seconds() - start);
    return 0;
}
