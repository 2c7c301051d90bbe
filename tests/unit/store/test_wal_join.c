/* What a commit writes goes down in one piece, and is there when it must be. */
#include "store/wal_join.h"

#include "support/vfs_fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
/* cmocka wants the four above first */
#include <cmocka.h>

static struct vfs_fault *disk;
static struct wal_join *join;
static sqlite3 *db;

static void run(const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
}

static void open_database(void)
{
    assert_int_equal(sqlite3_open_v2("/db", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                                     wal_join_name(join)),
                     SQLITE_OK);
    run("PRAGMA locking_mode = EXCLUSIVE; PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; "
        "PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = FULL; "
        "CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, v BLOB); "
        "CREATE INDEX IF NOT EXISTS i ON t (v)");
}

static int64_t number(const char *sql)
{
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

static int set_up(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    disk = vfs_fault_new("wal-join-disk", 7);
    assert_non_null(disk);
    assert_int_equal(wal_join_new(sqlite3_vfs_find("wal-join-disk"), &join, &err), OK);
    open_database();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)sqlite3_close(db);
    wal_join_free(join);
    vfs_fault_free(disk);
    return 0;
}

static uint64_t operations_of(const char *sql)
{
    uint64_t before = vfs_fault_operations(disk);
    run(sql);
    return vfs_fault_operations(disk) - before;
}

/* The power goes; what was not synced may be gone, and what is open is dead. */
static void cut_and_open(void)
{
    vfs_fault_power_cut(disk);
    (void)sqlite3_close(db);
    open_database();
}

static void a_commit_is_one_write_and_one_sync_and_survives_a_power_cut(void **state)
{
    (void)state;
    run("INSERT INTO t (v) VALUES ('first')");
    assert_int_equal(operations_of("INSERT INTO t (v) VALUES ('second')"), 2);
    cut_and_open();
    assert_int_equal(number("SELECT count(*) FROM t"), 2);
}

static void a_commit_that_does_not_sync_is_written_all_the_same(void **state)
{
    (void)state;
    run("INSERT INTO t (v) VALUES ('first')");
    wal_join_set(join, false);
    run("PRAGMA synchronous = NORMAL");
    size_t before = vfs_fault_content(disk, "/db-wal").size;
    run("INSERT INTO t (v) VALUES ('second')");
    assert_true(vfs_fault_content(disk, "/db-wal").size >= before + 2 * 8192);
    wal_join_set(join, true);
}

static void a_transaction_larger_than_the_buffer_is_whole_and_can_be_read_meanwhile(void **state)
{
    (void)state;
    run("PRAGMA cache_size = 10; BEGIN; "
        "WITH RECURSIVE n (x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n WHERE x < 200) "
        "INSERT INTO t (v) SELECT printf('%05d', x) || hex(zeroblob(1500)) FROM n");
    assert_int_equal(number("SELECT count(*) FROM t WHERE v > '00100'"), 101);
    run("COMMIT");
    cut_and_open();
    assert_int_equal(number("SELECT count(*) FROM t"), 200);
    assert_int_equal(number("SELECT count(*) FROM pragma_integrity_check "
                            "WHERE integrity_check = 'ok'"),
                     1);
}

static void a_write_that_fails_fails_the_commit_and_loses_nothing_else(void **state)
{
    (void)state;
    static const struct {
        enum vfs_fault_kind kind;
        uint64_t nth;
        int rc;
    } cases[] = {
        { VFS_FAULT_FULL, 1, SQLITE_FULL },
        { VFS_FAULT_EIO, 1, SQLITE_IOERR_WRITE },
        { VFS_FAULT_EIO, 2, SQLITE_IOERR_FSYNC },
    };
    run("INSERT INTO t (v) VALUES ('kept')");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        vfs_fault_at(disk, cases[i].kind, cases[i].nth);
        assert_int_not_equal(
            sqlite3_exec(db, "INSERT INTO t (v) VALUES ('lost')", NULL, NULL, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_extended_errcode(db), cases[i].rc);
        assert_true(vfs_fault_hit(disk));
        assert_int_equal(number("SELECT count(*) FROM t"), 1);
        cut_and_open();
        assert_int_equal(number("SELECT count(*) FROM t WHERE v = 'kept'"), 1);
        run("DELETE FROM t WHERE v = 'lost'"); /* a sync that failed says nothing of the write */
    }
    run("INSERT INTO t (v) VALUES ('again')");
    assert_int_equal(number("SELECT count(*) FROM t"), 2);
}

static size_t wal_size(void)
{
    return vfs_fault_content(disk, "/db-wal").size;
}

/* A commit here has some 24 KiB. */
static void commit_until_there_is_room(void)
{
    for (int i = 0; i < 100 && wal_size() < WAL_JOIN_ROOM; i++)
        run("INSERT INTO t (v) VALUES (hex(zeroblob(5000)))");
    assert_true(wal_size() >= WAL_JOIN_ROOM_FROM + WAL_JOIN_ROOM);
}

static void small_commits_find_room_and_make_the_file_no_longer(void **state)
{
    (void)state;
    run("INSERT INTO t (v) VALUES ('few')");
    assert_true(wal_size() < WAL_JOIN_ROOM_FROM);
    commit_until_there_is_room();
    size_t size = wal_size();
    int64_t rows = number("SELECT count(*) FROM t");
    for (int i = 0; i < 5; i++)
        assert_int_equal(operations_of("INSERT INTO t (v) VALUES ('in the room')"), 2);
    assert_int_equal(wal_size(), size);
    cut_and_open();
    assert_int_equal(number("SELECT count(*) FROM t"), rows + 5);
}

static void a_large_commit_makes_no_room(void **state)
{
    (void)state;
    run("INSERT INTO t (v) SELECT zeroblob(2000000)");
    assert_true(wal_size() > 2000000);
    assert_int_equal((wal_size() - 32) % (24 + 8192), 0); /* a header, and frames alone */
}

static void no_room_on_the_disk_fails_no_commit(void **state)
{
    (void)state;
    int failed = 0;
    for (int i = 0; i < 60 && failed == 0; i++) {
        vfs_fault_at(disk, VFS_FAULT_FULL, 2); /* the frames go down; the zeros, if any, do not */
        run("INSERT INTO t (v) VALUES (hex(zeroblob(5000)))");
        failed += vfs_fault_hit(disk);
    }
    assert_int_equal(failed, 1);
    int64_t rows = number("SELECT count(*) FROM t");
    cut_and_open();
    assert_int_equal(number("SELECT count(*) FROM t"), rows);
}

static void after_a_truncation_there_is_none_until_it_has_grown_again(void **state)
{
    (void)state;
    commit_until_there_is_room();
    run("PRAGMA wal_checkpoint(TRUNCATE)");
    assert_int_equal(wal_size(), 0);
    run("INSERT INTO t (v) VALUES ('few')");
    assert_true(wal_size() < WAL_JOIN_ROOM_FROM);
    commit_until_there_is_room();
}

static void what_was_rolled_back_is_never_seen(void **state)
{
    (void)state;
    run("PRAGMA cache_size = 10; INSERT INTO t (v) VALUES ('kept'); BEGIN; "
        "WITH RECURSIVE n (x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n WHERE x < 60) "
        "INSERT INTO t (v) SELECT printf('%05d', x) || hex(zeroblob(1500)) FROM n; ROLLBACK");
    run("INSERT INTO t (v) VALUES ('later')");
    cut_and_open();
    assert_int_equal(number("SELECT count(*) FROM t"), 2);
}

int main(void)
{
#define DISK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        DISK(a_write_that_fails_fails_the_commit_and_loses_nothing_else),
        DISK(no_room_on_the_disk_fails_no_commit),
        DISK(a_large_commit_makes_no_room),
        DISK(small_commits_find_room_and_make_the_file_no_longer),
        DISK(after_a_truncation_there_is_none_until_it_has_grown_again),
        DISK(what_was_rolled_back_is_never_seen),
        DISK(a_commit_is_one_write_and_one_sync_and_survives_a_power_cut),
        DISK(a_commit_that_does_not_sync_is_written_all_the_same),
        DISK(a_transaction_larger_than_the_buffer_is_whole_and_can_be_read_meanwhile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
