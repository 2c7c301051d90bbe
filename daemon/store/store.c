#include "store/store.h"

#include "base/memory.h"
#include "store/file.h"
#include "store/inside.h"
#include "store/keys_tree.h"
#include "store/migration.h"

#include <string.h>

static enum status of_primary(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_FULL:
        return ERR_FULL;
    case SQLITE_NOMEM:
        return ERR_MEMORY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERR_CORRUPT;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_BUSY;
    case SQLITE_TOOBIG:
        return ERR_LIMIT;
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
        return ERR_IO;
    case SQLITE_CONSTRAINT:
        return ERR_EXISTS;
    default:
        return ERR_INTERNAL;
    }
}

static const char *next_step(enum status status)
{
    if (status == ERR_FULL)
        return "; next: free space on that disk, then repeat";
    if (status == ERR_CORRUPT)
        return "; next: stop the node, copy the directory aside, and restore the last backup "
               "(comityd --restore)";
    if (status == ERR_IO)
        return "; next: look at the disk (dmesg), then start the node again";
    if (status == ERR_BUSY)
        return "; next: stop the other process that has it open";
    return "";
}

enum status store_fail(struct store *store, int rc, struct error *err)
{
    enum status status = of_primary(rc);
    if (rc == SQLITE_IOERR_NOMEM)
        status = ERR_MEMORY;
    if (rc == SQLITE_CONSTRAINT_FOREIGNKEY)
        status = ERR_NOT_FOUND;
    else if (status == ERR_EXISTS && rc != SQLITE_CONSTRAINT_UNIQUE &&
             rc != SQLITE_CONSTRAINT_PRIMARYKEY)
        status = ERR_INVALID;
    struct error local = ERROR_INIT;
    int primary = rc & 0xff;
    bool forbidden = primary == SQLITE_READONLY || primary == SQLITE_CANTOPEN;
    (void)error_set(&local, status, "database %s: %s%s", store->directory,
                    sqlite3_errmsg(store->db), forbidden ? file_forbidden : next_step(status));
    bool sync_failed = rc == SQLITE_IOERR_FSYNC || rc == SQLITE_IOERR_DIR_FSYNC;
    if (sync_failed)
        return store_lose(store, err);
    bool harmless = status == ERR_EXISTS || status == ERR_LIMIT || status == ERR_NOT_FOUND ||
                    status == ERR_INVALID;
    if (!harmless && store->phase != STORE_IDLE)
        store->sticky = local;
    if (err != NULL)
        *err = local;
    return status;
}

enum status store_lose(struct store *store, struct error *err)
{
    store->lost = true;
    (void)error_set(&store->sticky, ERR_IO,
                    "database %s: the disk did not confirm a write (fsync failed), so nothing is "
                    "known about what is stored; next: look at the disk (dmesg), then start the "
                    "node again",
                    store->directory);
    if (err != NULL)
        *err = store->sticky;
    return ERR_IO;
}

enum { SCRATCH_KEPT = 64 * 1024 };

void store_scratch_done(struct buf *scratch)
{
    if (scratch->capacity <= SCRATCH_KEPT) {
        buf_clear(scratch);
        return;
    }
    bool secret = scratch->secret;
    buf_fini(scratch);
    scratch->secret = secret;
}

static enum status sticky(const struct store *store, struct error *err)
{
    if (err != NULL)
        *err = store->sticky;
    return store->sticky.status;
}

static enum status run(struct store *store, const char *sql, struct error *err)
{
    int rc = sqlite3_exec(store->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? OK : store_fail(store, sqlite3_extended_errcode(store->db), err);
}

/* One of the statements around a transaction, which every batch needs: prepared, as the others. */
static enum status step(struct store *store, enum statement_id id, struct error *err)
{
    sqlite3_stmt *stmt = store->statements[id];
    int rc = sqlite3_step(stmt);
    if (rc != SQLITE_DONE)
        rc = sqlite3_extended_errcode(store->db);
    enum status status = rc == SQLITE_DONE ? OK : store_fail(store, rc, err);
    (void)sqlite3_reset(stmt); /* its result is that of the step */
    return status;
}

static enum status must_be(const struct store *store, enum store_phase phase, struct error *err)
{
    if (store->sticky.status != OK)
        return sticky(store, err);
    if (store->phase != phase)
        return error_set(err, ERR_INTERNAL, "store: call in phase %d, needs %d", (int)store->phase,
                         (int)phase);
    return OK;
}

static enum status begin(struct store *store, bool relaxed, struct error *err)
{
    enum status status = must_be(store, STORE_IDLE, err);
    if (status == OK && store->relaxed != relaxed) {
        const char *how = relaxed ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL";
        status = run(store, how, err);
        if (status == OK) {
            store->relaxed = relaxed;
            wal_join_set(store->wal, !relaxed);
        }
    }
    if (status == OK)
        status = step(store, STATEMENT_BEGIN, err);
    if (status == OK) {
        store->phase = STORE_IN_TRANSACTION;
        random_pool_open(&store->pool);
    }
    return status;
}

enum status store_begin(struct store *store, struct error *err)
{
    return begin(store, false, err);
}

enum status store_begin_relaxed(struct store *store, struct error *err)
{
    return begin(store, true, err);
}

/* What was remembered of rows may be gone, and its number come again. */
static void forget_rows(struct store *store)
{
    store->origin_of = 0;
    store->opened = ID_NONE;
    store->delivery_block.block = 0;
    store->holding_block.block = 0;
}

void store_rollback(struct store *store)
{
    if (store->phase == STORE_IDLE)
        return;
    for (int i = 0; i < STATEMENT_COUNT; i++)
        (void)sqlite3_reset(store->statements[i]);
    if (sqlite3_get_autocommit(store->db) == 0)
        (void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    store->phase = STORE_IDLE;
    random_pool_close(&store->pool);
    forget_rows(store);
    keys_tree_forget(store);
    heads_forget(store);
    if (!store->lost)
        store->sticky.status = OK;
}

/* SQLite resets the file by itself with the next write, once all of it is moved. */
static enum status drain(struct store *store, struct error *err)
{
    int pages = 0;
    int moved = 0;
    int rc = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, &moved);
    if (rc == SQLITE_OK && moved == pages)
        store->wal_pages = 0;
    if (rc == SQLITE_OK || rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
        return OK; /* a reader is open: at another time */
    return store_fail(store, sqlite3_extended_errcode(store->db), err);
}

enum status store_drain(struct store *store, struct error *err)
{
    enum status status = must_be(store, STORE_IDLE, err);
    return status == OK && store->wal_pages >= STORE_WAL_IDLE_PAGES ? drain(store, err) : status;
}

enum status store_commit(struct store *store, struct error *err)
{
    enum status status = must_be(store, STORE_IN_TRANSACTION, err);
    if (status == OK)
        status = keys_tree_write(store, err);
    if (status == OK)
        status = step(store, STATEMENT_COMMIT, err);
    if (status != OK) {
        store_rollback(store);
        return status;
    }
    store->phase = STORE_IDLE;
    random_pool_close(&store->pool);
    keys_tree_written(store);
    /* What is committed is durable, whatever a checkpoint says; but for a sync that failed. */
    if (store->wal_pages >= STORE_WAL_MAX_PAGES && drain(store, NULL) != OK && store->lost)
        return sticky(store, err);
    return OK;
}

enum status store_savepoint(struct store *store, struct error *err)
{
    enum status status = must_be(store, STORE_IN_TRANSACTION, err);
    if (status == OK)
        status = step(store, STATEMENT_SAVEPOINT, err);
    if (status == OK)
        store->phase = STORE_IN_JOB;
    return status;
}

enum status store_release(struct store *store, struct error *err)
{
    enum status status = must_be(store, STORE_IN_JOB, err);
    if (status == OK)
        status = step(store, STATEMENT_RELEASE, err);
    if (status == OK)
        store->phase = STORE_IN_TRANSACTION;
    return status;
}

enum status store_rollback_to(struct store *store, struct error *err)
{
    enum status status = must_be(store, STORE_IN_JOB, err);
    if (status != OK)
        return status;
    for (int i = 0; i < STATEMENT_COUNT; i++)
        (void)sqlite3_reset(store->statements[i]);
    forget_rows(store);
    status = run(store, "ROLLBACK TO job; RELEASE job", err);
    if (status == OK)
        store->phase = STORE_IN_TRANSACTION;
    return status;
}

bool store_in_transaction(const struct store *store)
{
    return store->phase != STORE_IDLE;
}

bool store_is_lost(const struct store *store)
{
    return store->lost;
}

struct clock *store_clock(const struct store *store)
{
    return store->clock;
}

struct random_source *store_random(const struct store *store)
{
    return store->random;
}

enum status store_checkpoint(struct store *store, struct error *err)
{
    enum status status = must_be(store, STORE_IDLE, err);
    if (status != OK)
        return status;
    int rc = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED) {
        return error_set(err, ERR_BUSY,
                         "database %s: the write-ahead log could not be emptied, a reader is open",
                         store->directory);
    }
    if (rc != SQLITE_OK)
        return store_fail(store, sqlite3_extended_errcode(store->db), err);
    store->wal_pages = 0;
    return OK;
}

void store_relax(struct store *store)
{
    (void)sqlite3_db_release_memory(store->db);
}

enum status store_check(struct store *store, struct error *err)
{
    enum status status = store->sticky.status != OK ? sticky(store, err) : OK;
    if (status != OK)
        return status;
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(store->db, "PRAGMA integrity_check(1)", -1, &stmt, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    if (rc != SQLITE_ROW)
        status = store_fail(store, rc, err);
    else if (strcmp((const char *)sqlite3_column_text(stmt, 0), "ok") != 0)
        status = error_set(err, ERR_CORRUPT, "database %s: %.200s%s", store->directory,
                           (const char *)sqlite3_column_text(stmt, 0), next_step(ERR_CORRUPT));
    sqlite3_finalize(stmt);
    return status;
}

enum status store_stats(struct store *store, struct store_stats *ret_stats, struct error *err)
{
    struct store_stats stats = { 0 };
    sqlite3_file *main_file = NULL;
    sqlite3_file *wal = NULL;
    sqlite3_int64 size = 0;
    (void)sqlite3_file_control(store->db, "main", SQLITE_FCNTL_FILE_POINTER, &main_file);
    (void)sqlite3_file_control(store->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal);
    if (main_file != NULL && main_file->pMethods != NULL &&
        main_file->pMethods->xFileSize(main_file, &size) == SQLITE_OK)
        stats.database_bytes = (uint64_t)size;
    if (wal != NULL && wal->pMethods != NULL && wal->pMethods->xFileSize(wal, &size) == SQLITE_OK)
        stats.wal_bytes = (uint64_t)size;
    stats.erasures = store->keys->done_generation - 1;
    enum status status = keys_tree_count(store, &stats.keys_allotted, err);
    if (status == OK)
        status = migration_version(store, &stats.schema_version, err);
    if (status == OK)
        *ret_stats = stats;
    return status;
}

enum { META_VALUE_MAX = 4096 };

enum status store_meta_get(struct store *store,
                           const char *name,
                           struct buf *ret_value,
                           struct error *err)
{
    struct query q = query_start(store, STATEMENT_META_GET);
    query_put_text(&q, name);
    buf_clear(ret_value);
    return query_append(&q, ret_value, name, err);
}

enum status store_meta_set(struct store *store,
                           const char *name,
                           struct span value,
                           struct error *err)
{
    if (value.size > META_VALUE_MAX)
        return error_set(err, ERR_LIMIT, "%s: %zu bytes > %d", name, value.size, META_VALUE_MAX);
    struct query q = query_start(store, STATEMENT_META_SET);
    query_put_text(&q, name);
    query_put_blob(&q, value);
    return query_run(&q, err);
}

static const char restored_name[] = "restored_ms";

enum status store_restored(struct store *store, int64_t *ret_restored_ms, struct error *err)
{
    struct buf value = BUF_INIT;
    struct error local = ERROR_INIT;
    enum status status = store_meta_get(store, restored_name, &value, &local);
    if (status == OK && value.size == sizeof(*ret_restored_ms))
        memcpy(ret_restored_ms, value.data, sizeof(*ret_restored_ms));
    else if (status == OK || status == ERR_NOT_FOUND)
        *ret_restored_ms = 0;
    else if (err != NULL)
        *err = local;
    buf_fini(&value);
    return status == ERR_NOT_FOUND ? OK : status;
}

enum status store_restored_clear(struct store *store, struct error *err)
{
    int64_t none = 0;
    return store_meta_set(store, restored_name, span_of(&none, sizeof(none)), err);
}
