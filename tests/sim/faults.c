/* What goes wrong, by the seed. */
#include "sim.h"

static bool happens(struct sim *sim, unsigned ten_thousandths)
{
    return ten_thousandths > 0 && sim_random(sim, 10000) < ten_thousandths;
}

static struct host *any_host_up(struct sim *sim)
{
    struct host *host = &sim->hosts[sim_random(sim, PARTIES)];
    return host->up ? host : NULL;
}

/* At once, or at one of the next operations on its disk: in the middle of a commit. */
static void crash(struct sim *sim)
{
    struct host *host = any_host_up(sim);
    if (host == NULL)
        return;
    uint64_t dice = sim_random(sim, 4);
    if (dice < 2) {
        host_crash(host, dice == 0);
    } else if (host->fault == VFS_FAULT_NONE) {
        host->fault = VFS_FAULT_POWER_CUT;
        vfs_fault_at(host->vfs, VFS_FAULT_POWER_CUT, 1 + sim_random(sim, dice == 2 ? 10 : 60));
    }
}

static void cut(struct sim *sim)
{
    struct wire *wire = &sim->wires[sim_random(sim, WIRES_MAX)];
    for (size_t i = 0; i < WIRES_MAX && !wire->used; i++)
        wire = &sim->wires[i];
    if (!wire->used)
        return;
    sim->stats.cuts++;
    sim_trace(sim, "cut %s-%s", wire->ends[0].host->code.text, wire->ends[1].host->code.text);
    wires_cut(wire);
}

static void partition(struct sim *sim)
{
    size_t a = (size_t)sim_random(sim, PARTIES);
    size_t b = (size_t)sim_random(sim, PARTIES);
    bool block = sim_chance(sim, 400);
    sim->stats.partitions += block;
    sim->blocked[a][b] = block;
    if (sim_chance(sim, 600))
        sim->blocked[b][a] = block;
    if (!block) {
        for (size_t i = 0; i < PARTIES; i++)
            sim->blocked[a][i] = sim->blocked[i][a] = false;
    }
}

static void disk(struct sim *sim)
{
    struct host *host = any_host_up(sim);
    if (host == NULL || host->fault == VFS_FAULT_POWER_CUT)
        return;
    sim->stats.disk_faults++;
    if (host->fault != VFS_FAULT_NONE) {
        host->fault = VFS_FAULT_NONE; /* somebody made room */
        vfs_fault_at(host->vfs, VFS_FAULT_NONE, 0);
        return;
    }
    host->fault = sim_chance(sim, 500) ? VFS_FAULT_FULL : VFS_FAULT_EIO;
    vfs_fault_at(host->vfs, host->fault, 1 + sim_random(sim, 40));
    sim_trace(sim, "%s: its disk will %s", host->code.text,
              host->fault == VFS_FAULT_FULL ? "be full" : "fail");
}

static void step_clock(struct sim *sim)
{
    struct host *host = &sim->hosts[sim_random(sim, PARTIES)];
    int64_t ms = (int64_t)sim_random(sim, 2 * 3600000) - 3600000;
    if (sim->mix->leaps && sim_chance(sim, 150)) {
        /* Somebody sets the wrong year, and sees it.  One only: two that are wrong confirm each
         * other, and the times of receipts never go back (PROTOCOL 8). */
        host = &sim->hosts[sim->seed % PARTIES];
        ms = host->leap_ms != 0 ? -host->leap_ms : LEAP_MS;
        host->leap_ms += ms;
        sim->stats.leaps++;
    }
    host->clock.wall_now_ms += ms;
    sim->stats.clock_steps++;
    sim_trace(sim, "%s: clock steps by %lld ms", host->code.text, (long long)ms);
}

void faults_step(struct sim *sim)
{
    const struct mix *mix = sim->mix;
    if (happens(sim, mix->crash))
        crash(sim);
    if (happens(sim, mix->cut))
        cut(sim);
    if (happens(sim, mix->partition))
        partition(sim);
    if (happens(sim, mix->disk))
        disk(sim);
    if (happens(sim, mix->clock))
        step_clock(sim);
    if (happens(sim, mix->rotate))
        papers_step(sim);
    if (happens(sim, mix->restore))
        restore_step(sim);
    if (happens(sim, mix->clone))
        restore_clone_step(sim);
}

void faults_tick(struct sim *sim)
{
    for (size_t i = 0; i < HOSTS_MAX; i++) {
        struct host *host = &sim->hosts[i];
        if (host->waiting && host->restart_ms <= sim->now_ms)
            host_start(host);
    }
    papers_tick(sim);
}

void faults_stop(struct sim *sim)
{
    sim->calm = true;
    sim_trace(sim, "no more faults");
    for (size_t i = 0; i < PARTIES; i++) {
        struct host *host = &sim->hosts[i];
        for (size_t k = 0; k < PARTIES; k++)
            sim->blocked[i][k] = false;
        host->clock.wall_now_ms = SIM_START_MS + sim->now_ms;
        host->leap_ms = 0;
        if (!host->up)
            host_start(host);
        host->fault = VFS_FAULT_NONE;
        vfs_fault_at(host->vfs, VFS_FAULT_NONE, 0);
    }
    workload_calm(sim);
}
