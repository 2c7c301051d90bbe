/* How small a node is when nothing happens, and how quick its loop answers when much does. */
#include "base/memory.h"
#include "dublin.h"
#include "pair.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LINKS = 12, SETTLE_S = 4, BULK = 8192, WAIT_S = 30 };

static struct bench_place place;

/* -- memory ------------------------------------------------------------------------------------ */

/* The daemon itself, not this program. */
static pid_t start_daemon(const struct pair_node *node)
{
    char path[PAIR_PATH];
    (void)snprintf(path, sizeof(path), "%s/comityd", place.binaries);
    (void)fflush(stdout);
    pid_t process = fork();
    if (process == 0) {
        if (freopen("/dev/null", "w", stderr) != NULL)
            execl(path, path, "--config", node->configuration, (char *)NULL);
        _exit(1);
    }
    return process;
}

static void measure_memory(void)
{
    static struct pair_node peers[LINKS];
    struct pair_node hub;
    double before_kb = 0;
    pair_make(&hub, &place, "UNODC", pair_free_port());
    pair_open(&hub);
    for (size_t i = 0; i < LINKS; i++) {
        char code[8];
        (void)snprintf(code, sizeof(code), "PE%c", (char)('A' + i));
        pair_make(&peers[i], &place, code, 0);
        pair_open(&peers[i]);
        pair_befriend(&peers[i], &hub);
        pair_close(&peers[i]);
    }
    pair_close(&hub);
    pid_t daemon = start_daemon(&hub);
    (void)sleep(SETTLE_S);
    double rss_kb = pair_memory_kb(daemon, "Rss");
    double dirty_kb = pair_memory_kb(daemon, "Private_Dirty");
    for (size_t i = 0; i < LINKS; i++) {
        pair_start(&peers[i]);
        if (!pair_wait_connected(&peers[i], 1, WAIT_S))
            bench_fail("a peer did not connect");
        if (i == 1) { /* the first ones make what all share */
            (void)sleep(SETTLE_S);
            before_kb = pair_memory_kb(daemon, "Private_Dirty");
        }
    }
    (void)sleep(SETTLE_S);
    double after_kb = pair_memory_kb(daemon, "Private_Dirty");
    for (size_t i = 0; i < LINKS; i++)
        pair_stop(&peers[i]);
    (void)kill(daemon, SIGTERM);
    (void)waitpid(daemon, NULL, 0);
    const struct bench_row rows[] = {
        { .figure = "memory of an idle daemon: RSS",
          .value = rss_kb / 1024,
          .unit = "MiB",
          .rule = BENCH_AT_MOST,
          .target = 12 },
        { .figure = "  Private_Dirty",
          .value = dirty_kb / 1024,
          .unit = "MiB",
          .rule = BENCH_AT_MOST,
          .target = 3 },
        { .figure = "  for each idle link",
          .value = (after_kb - before_kb) / (LINKS - 2),
          .unit = "KiB",
          .rule = BENCH_AT_MOST,
          .target = 30 },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        bench_print(&rows[i]);
    for (size_t i = 0; i < LINKS; i++)
        pair_remove(&peers[i]);
    pair_remove(&hub);
}

/* -- delay ------------------------------------------------------------------------------------- */

static double lags_s[PAIR_SAMPLES];
static size_t lag_count;

/* The floor: this process does nothing but the same timer, on the same busy cores. */
static void sample_own_lag(void)
{
    const struct timespec wait = { 0, 1000 * 1000 };
    double due_s = bench_now_s() + 0.001;
    (void)nanosleep(&wait, NULL);
    if (lag_count < PAIR_SAMPLES)
        lags_s[lag_count++] = bench_now_s() - due_s;
}

static void back_up(const struct pair_node *node, unsigned number)
{
    char command[4 * PAIR_PATH];
    (void)snprintf(command, sizeof(command),
                   "setpriv --reuid 2002 --regid 2002 --clear-groups '%s/comityctl' --socket "
                   "'%s/control.sock' backup create backup-%u >'%s/backup.out' 2>&1 &",
                   place.binaries, node->directory, number, node->directory);
    if (system(command) != 0) /* NOLINT: words of our own */
        bench_fail(command);
}

static void measure_delay(void)
{
    struct pair_node from;
    struct pair_node to;
    struct sdmx_release_list list = dublin_releases(place.project, DUBLIN_THOUSANDS, BULK);
    pair_make(&from, &place, DUBLIN_PUBLISHER, 0);
    pair_make(&to, &place, "UNODC", pair_free_port());
    pair_open(&from);
    pair_open(&to);
    pair_befriend(&from, &to);
    struct id *ids = pair_add_releases(&from, &list);
    pair_give(&from, &to.code, ids, list.count);
    pair_close(&from);
    pair_close(&to);
    to.watch->lag = true;
    pair_start(&to);
    pair_start(&from);
    uint64_t all = list.count + pair_consents(list.count);
    double end_s = bench_now_s() + WAIT_S;
    for (unsigned backups = 0; from.watch->receipted < all && bench_now_s() < end_s;) {
        sample_own_lag();
        if (from.watch->receipted * 4 > all * (backups + 1) && backups < 2)
            back_up(&to, backups++);
    }
    pair_stop(&from);
    pair_stop(&to);
    struct bench_row row = {
        .figure = "loop's delay, large batches, checkpoints, a backup; p99",
        .value = 1e3 * bench_quantile(to.watch->samples_s, to.watch->sample_count, 0.99),
        .unit = "ms",
        .floor_name = "an idle process at the same time",
        .floor = 1e3 * bench_quantile(lags_s, lag_count, 0.99),
        .rule = BENCH_AT_MOST,
        .target = 5,
    };
    bench_print(&row);
    mem_free(ids);
    pair_remove(&from);
    pair_remove(&to);
    sdmx_release_list_fini(&list);
}

int main(int argc, char **argv)
{
    pair_serve_if_node(argc, argv);
    place = bench_place(argc, argv);
    measure_delay();
    measure_memory();
    return 0;
}
