#include "store/backup.h"

#include "base/memory.h"
#include "store/bundle.h"
#include "store/inside.h"

#include <string.h>
#include <sys/stat.h>

/* COPYING ─▶ STRIPPING (the key pages leave the copy) ─▶ BUNDLING ─▶ DONE */
enum backup_phase { BACKUP_COPYING, BACKUP_STRIPPING, BACKUP_BUNDLING, BACKUP_DONE };

struct backup {
    struct store *store;
    enum backup_phase phase;
    sqlite3 *copy;
    sqlite3_backup *copying;
    struct bundle_update bundle;
    uint64_t total, left; /* pages */
    char path[FILE_PATH_MAX];
};

static enum status failed(const struct backup *backup, int rc, struct error *err)
{
    if (rc == SQLITE_FULL) {
        return error_set(err, ERR_FULL,
                         "backup %s: the disk is full; next: free space, then repeat",
                         backup->path);
    }
    return error_set(err, rc == SQLITE_NOMEM ? ERR_MEMORY : ERR_IO,
                     "backup %s: %s; next: look at the disk, then repeat", backup->path,
                     sqlite3_errstr(rc));
}

enum status backup_start(struct store *store,
                         const char *path,
                         struct backup **ret_backup,
                         struct error *err)
{
    if (store_in_transaction(store))
        return error_set(err, ERR_INTERNAL, "backup: started inside a transaction");
    if (strlen(path) >= FILE_PATH_MAX)
        return error_set(err, ERR_LIMIT, "the path of the backup is longer than %d bytes",
                         FILE_PATH_MAX);
    if (file_exists(store->vfs, path))
        return error_set(err, ERR_EXISTS, "%s exists already; next: choose another name", path);
    struct backup *backup = mem_calloc(1, sizeof(*backup));
    if (backup == NULL)
        return error_set(err, ERR_MEMORY, "no memory for a backup");
    backup->store = store;
    memcpy(backup->path, path, strlen(path) + 1);
    enum status status = OK;
    int rc = sqlite3_open_v2(path, &backup->copy,
                             SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                             store->vfs->zName);
    if (rc == SQLITE_OK) {
        rc =
            sqlite3_exec(backup->copy, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -1024",
                         NULL, NULL, NULL);
    }
    if (rc == SQLITE_OK) {
        (void)chmod(path, S_IRUSR | S_IWUSR);
        backup->copying = sqlite3_backup_init(backup->copy, "main", store->db, "main");
        rc = backup->copying != NULL ? SQLITE_OK : sqlite3_errcode(backup->copy);
    }
    if (rc != SQLITE_OK) {
        status = failed(backup, rc, err);
        backup_free(backup);
        return status;
    }
    *ret_backup = backup;
    return OK;
}

static enum status copy_some(struct backup *backup, struct error *err)
{
    int rc = sqlite3_backup_step(backup->copying, BACKUP_STEP_PAGES);
    backup->left = (uint64_t)sqlite3_backup_remaining(backup->copying);
    backup->total = (uint64_t)sqlite3_backup_pagecount(backup->copying);
    if (rc == SQLITE_OK || rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
        return OK;
    if (rc != SQLITE_DONE)
        return failed(backup, rc, err);
    rc = sqlite3_backup_finish(backup->copying);
    backup->copying = NULL;
    if (rc == SQLITE_OK) {
        rc = sqlite3_exec(backup->copy,
                          "PRAGMA secure_delete = ON; PRAGMA synchronous = FULL; "
                          "PRAGMA journal_mode = DELETE; DELETE FROM key_group",
                          NULL, NULL, NULL);
    }
    backup->phase = BACKUP_STRIPPING;
    return rc == SQLITE_OK ? OK : failed(backup, rc, err);
}

static enum status note_time(struct backup *backup, struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    struct clock *clock = backup->store->clock;
    int64_t now_ms = clock->wall_ms(clock);
    int rc = sqlite3_prepare_v2(backup->copy, "INSERT OR REPLACE INTO meta VALUES ('backup_ms', ?)",
                                -1, &stmt, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_blob(stmt, 1, &now_ms, sizeof(now_ms), SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt) == SQLITE_DONE ? SQLITE_OK : sqlite3_errcode(backup->copy);
    sqlite3_finalize(stmt);
    return rc == SQLITE_OK ? OK : failed(backup, rc, err);
}

static enum status strip_some(struct backup *backup, struct error *err)
{
    int rc = sqlite3_exec(backup->copy,
                          "DELETE FROM key_page WHERE id IN (SELECT id FROM key_page LIMIT 128)",
                          NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        return failed(backup, rc, err);
    if (sqlite3_changes(backup->copy) > 0)
        return OK;
    enum status status = note_time(backup, err);
    if (status != OK)
        return status;
    rc = sqlite3_close(backup->copy);
    backup->copy = NULL;
    if (rc != SQLITE_OK)
        return failed(backup, rc, err);
    backup->phase = BACKUP_BUNDLING;
    return bundle_begin(backup->store, false, &backup->bundle, err);
}

enum status backup_step(struct backup *backup, bool *ret_done, struct error *err)
{
    enum status status = OK;
    bool done = false;
    if (store_in_transaction(backup->store))
        return error_set(err, ERR_INTERNAL, "backup: a step inside a transaction");
    switch (backup->phase) {
    case BACKUP_COPYING:
        status = copy_some(backup, err);
        break;
    case BACKUP_STRIPPING:
        status = strip_some(backup, err);
        break;
    case BACKUP_BUNDLING:
        status = bundle_step(backup->store, &backup->bundle, &done, err);
        if (status == OK && done)
            backup->phase = BACKUP_DONE;
        break;
    case BACKUP_DONE:
        break;
    }
    if (status == OK)
        *ret_done = backup->phase == BACKUP_DONE;
    return status;
}

void backup_progress(const struct backup *backup, uint64_t *ret_pages, uint64_t *ret_total)
{
    *ret_pages = backup->total - backup->left;
    *ret_total = backup->total;
}

void backup_free(struct backup *backup)
{
    if (backup == NULL)
        return;
    if (backup->copying != NULL)
        (void)sqlite3_backup_finish(backup->copying);
    if (backup->copy != NULL)
        (void)sqlite3_close(backup->copy);
    bundle_end(&backup->bundle);
    /* Whether it is there cannot be asked: the VFS says no of an empty file, which a full disk
     * leaves. */
    if (backup->phase != BACKUP_DONE)
        file_delete(backup->store->vfs, backup->path);
    mem_free(backup);
}
