/* Backups that are restored, disks that are set back, and copies that run beside the original. */
#include "sim.h"

#include "store/backup.h"

#include <sqlite3.h>

static const char BULK[] = "backup.db";

/* What people wrote down of the time that is lost does not count any more. */
static void forget(struct host *host)
{
    host->rolled_back = true;
    wiretap_forget(host);
    buf_fini(&host->journal);
    for (size_t i = 0; i < PARTIES; i++)
        host->blocks[i] = false;
}

static void delete_file(struct host *host, const char *name)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(host->vfs_name);
    (void)vfs->xDelete(vfs, host_path(host, name), 1);
}

/* -- backups, as `backup create` and `--restore` make them --------------------------------------
 */

static void make_backup(struct host *host)
{
    struct backup *backup = NULL;
    struct error err = ERROR_INIT;
    bool done = false;
    host->has_backup = false;
    delete_file(host, BULK);
    enum status status = backup_start(host->store, host_path(host, BULK), &backup, &err);
    while (status == OK && !done)
        status = backup_step(backup, &done, &err);
    backup_free(backup);
    sim_must(host->sim, status, &err, "backup");
    host->has_backup = true;
    sim_trace(host->sim, "%s: backup made", host->code.text);
}

static void restore_backup(struct host *host)
{
    /* The heads stay: of the bundle that every erasure rewrote they may never know too much. */
    static const char *const files[] = { "comity.db", "comity.db-wal", "comity.db-journal",
                                         "root.slot" };
    struct store_options options = host_options(host);
    struct error err = ERROR_INIT;
    host_crash(host, false);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        delete_file(host, files[i]);
    sim_must(
        host->sim,
        backup_restore(&options, host_path(host, BULK), host_path(host, "keys.bundle"), NULL, &err),
        &err, "restore");
    sim_trace(host->sim, "%s: restored from a backup", host->code.text);
}

/* -- a virtual machine that is set back, with everything on it ----------------------------------
 */

static void take_snapshot(struct host *host)
{
    vfs_fault_image_free(host->snapshot);
    host->snapshot = vfs_fault_save(host->vfs);
    sim_trace(host->sim, "%s: snapshot taken", host->code.text);
}

static void set_back(struct host *host)
{
    host_crash(host, false);
    vfs_fault_restore(host->vfs, host->snapshot);
    host->has_backup = false; /* what was made since is not there; what was, may be newer */
    sim_trace(host->sim, "%s: set back to a snapshot", host->code.text);
}

void restore_step(struct sim *sim)
{
    struct host *host = &sim->hosts[sim_random(sim, PARTIES)];
    if (!host->up || host->fault != VFS_FAULT_NONE || sim->cloned == host->party)
        return;
    uint64_t dice = sim_random(sim, 10);
    if (dice < 4) {
        sim->stats.backups++;
        make_backup(host);
    } else if (dice < 6) {
        sim->stats.snapshots++;
        host->snapshot_life = host->life;
        take_snapshot(host);
    } else if (dice < 8 && host->has_backup) {
        forget(host);
        host->life++;
        sim->stats.restores++;
        restore_backup(host);
    } else if (dice >= 8 && host->snapshot != NULL) {
        forget(host);
        host->set_back = true;
        host->life = host->snapshot_life;
        sim->stats.set_backs++;
        set_back(host);
    }
}

/* -- a copy of the whole directory, running at the same time ------------------------------------
 */

void restore_clone_step(struct sim *sim)
{
    struct host *copy = &sim->hosts[PARTIES];
    struct host *host = &sim->hosts[sim_random(sim, PARTIES)];
    if (sim->cloned != PARTIES || !host->up || host->fault != VFS_FAULT_NONE)
        return;
    struct vfs_fault_image *image = vfs_fault_save(host->vfs);
    sim->cloned = host->party;
    sim->stats.clones++;
    forget(host);
    host_make(sim, PARTIES, host->party);
    copy->rolled_back = true;
    copy->papers = host->papers;
    struct error err = ERROR_INIT;
    sim_must(sim, buf_append(&copy->former_cards, buf_span(&host->former_cards), &err), &err,
             "former cards");
    vfs_fault_restore(copy->vfs, image);
    vfs_fault_image_free(image);
    sim_trace(sim, "%s: a copy starts", host->code.text);
    host_start(copy);
}

/* Somebody has stopped it; both ends must have heard of it by then. */
void restore_stop_clone(struct sim *sim)
{
    struct host *copy = &sim->hosts[PARTIES];
    if (!copy->used)
        return;
    unsigned own = copy->alarms + sim->hosts[copy->party].alarms;
    unsigned others = 0;
    for (size_t i = 0; i < PARTIES; i++)
        others += i == copy->party ? 0 : sim->hosts[i].alarms;
    if (own == 0 || others == 0) {
        sim_fail(sim, "%s ran twice, and %s raised an alarm", copy->code.text,
                 own + others == 0 ? "nobody"
                 : own == 0        ? "only its peers"
                                   : "only itself");
    }
    sim_trace(sim, "%s: the copy is stopped", copy->code.text);
    host_free(copy);
}
