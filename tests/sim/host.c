/* A node of the simulation: the product's database, worker and exchange over a disk that fails. */
#include "sim.h"

#include "node/directory.h"
#include "store/heads.h"
#include "store/journal_rows.h"
#include "store/peer_rows.h"

#include <stdio.h>
#include <string.h>

static const char *const CODES[PARTIES] = { "AT", "CO", "KE", "PT", "UNODC" };

const char *host_path(const struct host *host, const char *name)
{
    static char paths[4][96];
    static unsigned next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, sizeof(paths[0]), "/host%zu/%s", host->party, name);
    return path;
}

struct code host_code(size_t party)
{
    struct code code = { "" };
    (void)snprintf(code.text, sizeof(code.text), "%s", CODES[party]);
    return code;
}

struct host *host_of(struct sim *sim, const struct code *code)
{
    for (size_t i = 0; i < PARTIES; i++) {
        if (code_equal(&sim->hosts[i].code, code))
            return &sim->hosts[i];
    }
    sim_fail(sim, "there is no node %s", code->text);
}

/* -- what node/network.c adds to the feed -------------------------------------------------------
 */

static enum status note_greeted(struct feed_context *feed,
                                const struct code *code,
                                const uint8_t boot_id[static BOOT_ID_SIZE],
                                struct error *err)
{
    struct peer_row row;
    enum status status = peer_rows_get(feed->store, code, &row, err);
    if (status != OK)
        return status;
    memcpy(row.boot_id, boot_id, sizeof(row.boot_id));
    row.contact_ms = feed->clock->wall_ms(feed->clock);
    return peer_rows_update(feed->store, &row, err);
}

static enum status raise_alarm(struct feed_context *feed,
                               const struct code *code,
                               const char *text,
                               struct error *err)
{
    int64_t alarm_id = 0;
    return alarm_rows_raise(feed->store, "session", code, text, &alarm_id, err);
}

/* -- the worker's callbacks ---------------------------------------------------------------------
 */

static void on_notify(void *context)
{
    ((struct host *)context)->ready = true;
}

static void on_changed(void *context)
{
    struct host *host = context;
    if (host->up)
        exchange_wake(host->exchange);
}

static void on_fatal(void *context, const struct error *err)
{
    struct host *host = context;
    host->failed = true;
    sim_trace(host->sim, "%s: disk failed: %s", host->code.text, err->text);
}

/* -- life ---------------------------------------------------------------------------------------
 */

static void start_worker(struct host *host)
{
    struct sim *sim = host->sim;
    struct error err = ERROR_INIT;
    host->storage = (struct storage){ .store = host->store, .feed = &host->feed };
    const struct worker_config worker = {
        .storage = storage_of(&host->storage),
        .clock = &host->clock.base,
        .context = host,
        .notify = on_notify,
        .changed = on_changed,
        .fatal = on_fatal,
    };
    sim_must(sim, worker_new(&worker, &host->worker, &err), &err, "worker");
    struct exchange_config config = {
        .realm = { "training" },
        .self = host->code,
        .dial = true,
        .clock = &host->clock.base,
        .random = &host->random.base,
        .worker = host->worker,
        .feed = exchange_feed(&host->feed),
        .io = wires_io(host),
    };
    config.feed.greeted = note_greeted;
    config.feed.alarm = raise_alarm;
    sim_must(sim, host->random.base.fill(&host->random.base, config.boot_id, BOOT_ID_SIZE, &err),
             &err, "boot id");
    sim_must(sim, exchange_new(&config, &host->exchange, &err), &err, "exchange");
}

struct store_options host_options(struct host *host)
{
    static char directory[32];
    (void)snprintf(directory, sizeof(directory), "/host%zu", host->party);
    return (struct store_options){ .directory = directory,
                                   .clock = &host->clock.base,
                                   .random = &host->random.base,
                                   .vfs = host->vfs_name };
}

void host_make(struct sim *sim, size_t slot, size_t party)
{
    struct host *host = &sim->hosts[slot];
    *host = (struct host){ .sim = sim, .slot = slot, .party = party, .used = true };
    host->code = host_code(party);
    clock_fake_init(&host->clock, SIM_START_MS + sim->now_ms);
    host->clock.monotonic_now_ms = sim->now_ms;
    random_seeded_init(&host->random, sim->seed * 64 + slot);
    (void)snprintf(host->vfs_name, sizeof(host->vfs_name), "sim%zu", slot);
    host->vfs = vfs_fault_new(host->vfs_name, sim->seed * 64 + slot + 32);
    if (host->vfs == NULL)
        sim_fail(sim, "no memory for a disk");
}

/* As node/node.c does before anybody may ask. */
static enum status settle(struct host *host, struct error *err)
{
    enum status status = store_begin(host->store, err);
    if (status == OK)
        status = feed_settle(&host->feed, err);
    return status == OK ? store_commit(host->store, err) : status;
}

void host_start(struct host *host)
{
    struct sim *sim = host->sim;
    struct error err = ERROR_INIT;
    struct store_options options = host_options(host);
    bool create = !vfs_fault_exists(host->vfs, host_path(host, "comity.db"));
    enum status status = create ? store_create(&options, &host->store, &err)
                                : store_open(&options, &host->store, &err);
    sim_must(sim, status, &err, create ? "create" : "open after a crash");
    host->feed = (struct feed_context){ .store = host->store,
                                        .clock = &host->clock.base,
                                        .random = &host->random.base,
                                        .realm = { "training" },
                                        .self = host->code };
    papers_load(host, &host->papers);
    host->failed = host->ready = host->waiting = false;
    host->fault = VFS_FAULT_NONE;
    sim_must(sim, settle(host, &err), &err, "settle");
    if (create)
        workload_peers(host);
    papers_start(host);
    start_worker(host);
    host->up = true;
    host->starts++;
    host_tell_peers(host);
    if (!create) {
        model_resolve(host);
        verdict_started(host);
    }
    if (mutation == MUTATION_FORGET) {
        vfs_fault_image_free(host->earlier);
        host->earlier = vfs_fault_save(host->vfs);
    }
    sim_trace(sim, "%s%s: up", host->code.text, host->slot >= PARTIES ? "(copy)" : "");
}

void host_tell_peers(struct host *host)
{
    struct directory directory = { NULL, 0 };
    struct error err = ERROR_INIT;
    enum status status = directory_read(host->store, &directory, &err);
    if (status == OK)
        status = directory_tell(&directory, host->exchange, &err);
    directory_fini(&directory);
    if (status != OK && host->fault == VFS_FAULT_NONE)
        sim_fail(host->sim, "peers: %s", err.text);
}

/* The process is gone; with `power`, so is what was not synced. */
void host_crash(struct host *host, bool power)
{
    if (!host->up)
        return;
    sim_trace(host->sim, "%s%s: crash%s", host->code.text, host->slot >= PARTIES ? "(copy)" : "",
              power ? " and power cut" : "");
    host->sim->stats.crashes++;
    host->sim->stats.power_cuts += power;
    host->up = false;
    host->waiting = true;
    host->restart_ms = host->sim->now_ms + (int64_t)sim_random(host->sim, 60000);
    if (mutation == MUTATION_FORGET && host->earlier != NULL) {
        vfs_fault_restore(host->vfs, host->earlier);
    } else if (power) {
        vfs_fault_power_cut(host->vfs);
    } else {
        struct vfs_fault_image *image = vfs_fault_save(host->vfs);
        vfs_fault_restore(host->vfs, image);
        vfs_fault_image_free(image);
    }
    vfs_fault_at(host->vfs, VFS_FAULT_NONE, 0);
    worker_free(host->worker);
    wires_lose(host);
    exchange_free(host->exchange);
    store_close(host->store);
    host->worker = NULL;
    host->exchange = NULL;
    host->store = NULL;
    host->feed.store = NULL;
}

void host_free(struct host *host)
{
    if (!host->used)
        return;
    host_crash(host, false);
    vfs_fault_image_free(host->snapshot);
    vfs_fault_image_free(host->earlier);
    buf_fini(&host->journal);
    buf_fini(&host->former_cards);
    vfs_fault_free(host->vfs);
    *host = (struct host){ .sim = NULL };
}

void host_work(struct host *host)
{
    if (!host->ready)
        host->group_wall_ms = host->clock.wall_now_ms;
    if (host->clock.wall_now_ms < host->group_wall_ms)
        host->group_wall_ms = host->clock.wall_now_ms;
    host->sim->stats.groups += worker_step(host->worker);
    bool cut = host->fault == VFS_FAULT_POWER_CUT && vfs_fault_hit(host->vfs);
    host->sim->stats.crashes_in_commit += cut;
    if (cut || host->failed)
        host_crash(host, cut || sim_chance(host->sim, 500));
}

void host_deliver(struct host *host)
{
    host->ready = false;
    (void)worker_deliver(host->worker);
}
