#include "sim.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    SILENCE_MS = 11 * 60 * 1000, /* longer than any node waits before it dials again */
    AROUND_END_MS = 3 * 60 * 1000
};

uint64_t sim_random(struct sim *sim, uint64_t below)
{
    return random_seeded_next(&sim->random) % below;
}

bool sim_chance(struct sim *sim, unsigned thousandths)
{
    return sim_random(sim, 1000) < thousandths;
}

void sim_trace(struct sim *sim, const char *format, ...)
{
    if (!sim->verbose)
        return;
    va_list arguments;
    va_start(arguments, format);
    printf("%8llu %9lld  ", (unsigned long long)sim->step, (long long)sim->now_ms);
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
}

_Noreturn void sim_fail(struct sim *sim, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fflush(stdout);
    fprintf(stderr, "sim: seed %llu (%s), step %llu, %lld ms: ", (unsigned long long)sim->seed,
            sim->mix->name, (unsigned long long)sim->step, (long long)sim->now_ms);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\nsim: replay: tests/sim/sim --seed %llu --verbose (in the build directory)\n",
            (unsigned long long)sim->seed);
    va_end(arguments);
    fflush(stderr);
    _Exit(1);
}

void sim_must(struct sim *sim, enum status status, const struct error *err, const char *what)
{
    if (status != OK)
        sim_fail(sim, "%s: %s: %s", what, status_name(status), err->text);
}

/* -- what can run now ---------------------------------------------------------------------------
 */

static bool has_jobs(const struct host *host)
{
    return host->up && worker_stats(host->worker).jobs > 0;
}

/* One thing that can happen at this moment, chosen by the seed; false when there is none. */
static bool run_something(struct sim *sim)
{
    size_t due = wires_due(sim, false, 0);
    size_t count = due;
    for (size_t i = 0; i < HOSTS_MAX; i++) {
        const struct host *host = &sim->hosts[i];
        count += (size_t)has_jobs(host) + (size_t)(host->up && host->ready);
    }
    if (count == 0)
        return false;
    size_t which = (size_t)sim_random(sim, count);
    if (which < due) {
        (void)wires_due(sim, true, which);
        return true;
    }
    which -= due;
    for (size_t i = 0; i < HOSTS_MAX; i++) {
        struct host *host = &sim->hosts[i];
        if (has_jobs(host) && which-- == 0) {
            host_work(host);
            return true;
        }
        if (host->up && host->ready && which-- == 0) {
            host_deliver(host);
            return true;
        }
    }
    return true;
}

/* -- time ---------------------------------------------------------------------------------------
 */

static int64_t next_event_ms(struct sim *sim, int64_t at_most_ms)
{
    int64_t next_ms = sim->now_ms + at_most_ms;
    int64_t wires_ms = wires_next_ms(sim);
    if (wires_ms < next_ms)
        next_ms = wires_ms;
    for (size_t i = 0; i < HOSTS_MAX; i++) {
        const struct host *host = &sim->hosts[i];
        int64_t host_ms = INT64_MAX;
        if (host->up)
            host_ms = exchange_deadline_ms(host->exchange);
        else if (host->waiting)
            host_ms = host->restart_ms;
        if (host_ms < next_ms)
            next_ms = host_ms;
    }
    return next_ms > sim->now_ms ? next_ms : sim->now_ms + 1;
}

static void pass(struct sim *sim, int64_t ms)
{
    sim->now_ms += ms;
    for (size_t i = 0; i < HOSTS_MAX; i++)
        clock_fake_advance(&sim->hosts[i].clock, ms);
    faults_tick(sim);
    for (size_t i = 0; i < HOSTS_MAX; i++) {
        struct host *host = &sim->hosts[i];
        if (host->up && exchange_deadline_ms(host->exchange) <= sim->now_ms)
            exchange_tick(host->exchange);
        if (host->up && !has_jobs(host))
            host_work(host); /* what it does when idle */
    }
}

static void advance(struct sim *sim, int64_t at_most_ms)
{
    pass(sim, next_event_ms(sim, at_most_ms) - sim->now_ms);
}

/* All machines stand still, and so does everything between them. */
void sim_sleep(struct sim *sim, int64_t ms)
{
    sim_trace(sim, "all sleep");
    pass(sim, ms);
}

void sim_run(struct sim *sim, uint64_t steps)
{
    for (uint64_t i = 0; i < steps; i++) {
        sim->step++;
        sim->stats.steps++;
        if (sim_chance(sim, sim->mix->work))
            workload_step(sim);
        faults_step(sim);
        if (run_something(sim))
            continue;
        static const int64_t paces[] = { 2, 5, 20, 50, 400, 3000, 20000 };
        advance(sim, paces[sim_random(sim, sizeof(paces) / sizeof(paces[0]))]);
    }
}

static void settle_step(struct sim *sim)
{
    sim->step++;
    sim->stats.steps++;
    if (!run_something(sim))
        advance(sim, 20000);
}

/* A consent ends about now: what that brings is on its way. */
static bool ends_now(const struct sim *sim)
{
    for (size_t i = 0; i < sim->model.consent_count; i++) {
        int64_t since_ms = SIM_START_MS + sim->now_ms - sim->model.consents[i].valid_until_ms;
        if (since_ms > -AROUND_END_MS && since_ms < AROUND_END_MS)
            return true;
    }
    return false;
}

void sim_settle(struct sim *sim, int64_t ms)
{
    int64_t until_ms = sim->now_ms + ms;
    sim->news_ms = sim->now_ms;
    bool waits = sim->mix->clock > 0; /* for a time that somebody's clock had seen too early */
    while (sim->now_ms < until_ms && (waits || sim->now_ms < sim->news_ms + SILENCE_MS))
        settle_step(sim);
    while (ends_now(sim))
        settle_step(sim);
}
