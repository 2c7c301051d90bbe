#include "raw.h"

#include "base/memory.h"
#include "bench.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

/* -- SQLite ------------------------------------------------------------------------------------ */

static void run(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        bench_fail(sqlite3_errmsg(db));
}

static sqlite3 *open_raw(const char *directory, const char *name)
{
    sqlite3 *db = NULL;
    char path[300];
    (void)snprintf(path, sizeof(path), "%s/raw-%s.db", directory, name);
    if (sqlite3_open(path, &db) != SQLITE_OK)
        bench_fail(path);
    run(db, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; "
            "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA cell_size_check = ON; "
            "CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB)");
    return db;
}

static void close_raw(sqlite3 *db)
{
    char path[320];
    char wal[330];
    (void)snprintf(path, sizeof(path), "%s", sqlite3_db_filename(db, "main"));
    sqlite3_close(db);
    (void)snprintf(wal, sizeof(wal), "%s-wal", path);
    (void)unlink(path);
    (void)unlink(wal);
}

double raw_inserts(const char *directory,
                   const struct span *bodies,
                   size_t count,
                   size_t per_transaction)
{
    sqlite3 *db = open_raw(directory, "floor");
    sqlite3_stmt *insert = NULL;
    sqlite3_prepare_v2(db, "INSERT INTO t (v) VALUES (?)", -1, &insert, NULL);
    double start_s = bench_now_s();
    for (size_t i = 0; i < count; i++) {
        if (i % per_transaction == 0)
            run(db, "BEGIN");
        sqlite3_bind_blob(insert, 1, bodies[i].data, (int)bodies[i].size, SQLITE_STATIC);
        if (sqlite3_step(insert) != SQLITE_DONE)
            bench_fail(sqlite3_errmsg(db));
        sqlite3_reset(insert);
        if (i % per_transaction == per_transaction - 1 || i == count - 1)
            run(db, "COMMIT");
    }
    double seconds = bench_now_s() - start_s;
    sqlite3_finalize(insert);
    close_raw(db);
    return seconds;
}

/* In a WAL that has grown before, as a node's has: overwriting is quicker than growing. */
static void grow_wal(sqlite3 *db)
{
    run(db, "PRAGMA wal_autocheckpoint = 0; BEGIN; "
            "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 400) "
            "INSERT INTO t (v) SELECT randomblob(8192) FROM n; COMMIT; "
            "PRAGMA wal_checkpoint(PASSIVE)");
}

struct raw_table {
    sqlite3 *db;
    bool waits;
};

struct raw_table *raw_table_open(const char *directory, const char *name)
{
    struct raw_table *table = mem_calloc(1, sizeof(*table));
    if (table == NULL)
        bench_fail("table");
    table->db = open_raw(directory, name);
    table->waits = true;
    grow_wal(table->db);
    return table;
}

void raw_table_commit(struct raw_table *table, bool waits)
{
    if (table->waits != waits)
        run(table->db, waits ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    table->waits = waits;
    run(table->db, "BEGIN; INSERT INTO t (v) VALUES (randomblob(2048)); COMMIT");
}

void raw_table_close(struct raw_table *table)
{
    close_raw(table->db);
    mem_free(table);
}

/* -- an erasure -------------------------------------------------------------------------------- */

struct raw_eraser {
    sqlite3 *db;
    int slot;
};

struct raw_eraser *raw_eraser_new(const char *directory)
{
    static struct raw_eraser eraser;
    char slot[320];
    (void)snprintf(slot, sizeof(slot), "%s/raw.slot", directory);
    eraser.slot = open(slot, O_CREAT | O_RDWR, 0600);
    eraser.db = open_raw(directory, "floor");
    if (eraser.slot < 0)
        bench_fail(slot);
    run(eraser.db, "INSERT INTO t (id, v) VALUES (1, randomblob(4096))");
    return &eraser;
}

static void write_slot(struct raw_eraser *eraser, off_t at)
{
    static const char block[4096] = { 1 };
    if (pwrite(eraser->slot, block, sizeof(block), at) < 0 || fdatasync(eraser->slot) != 0)
        bench_fail("slot");
}

double raw_erase(struct raw_eraser *eraser)
{
    double start_s = bench_now_s();
    write_slot(eraser, 0);
    run(eraser->db, "UPDATE t SET v = randomblob(4096) WHERE id = 1");
    sqlite3_wal_checkpoint_v2(eraser->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    write_slot(eraser, 4096);
    return bench_now_s() - start_s;
}

void raw_eraser_free(struct raw_eraser *eraser)
{
    close(eraser->slot);
    close_raw(eraser->db);
}
