/* Opening refuses what it must; transactions keep what they say. */
#include "base/memory.h"
#include "crypto/digest.h"
#include "store/entry_rows.h"
#include "store/feed_rows.h"
#include "store/heads.h"
#include "store/outbox_rows.h"
#include "store/peer_rows.h"
#include "store/store.h"
#include "support/check.h"
#include "support/store_place.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct store_place place;
static struct store *store;
static struct error err;
static int64_t live_before;

static struct store_options options(void)
{
    return (struct store_options){ .directory = place.directory,
                                   .clock = &place.clock.base,
                                   .random = &place.random.base };
}

static int set_up(void **state)
{
    (void)state;
    struct sha256 *sha = NULL; /* the thread's own lives on */
    assert_int_equal(sha256_thread(&sha, &err), OK);
    live_before = mem_live();
    store_place_make(&place, 1);
    struct store_options o = options();
    assert_int_equal(store_create(&o, &store, &err), OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    store_close(store);
    store = NULL;
    store_place_remove(&place);
    assert_int_equal(mem_live(), live_before);
    return 0;
}

static void reopen(void)
{
    store_close(store);
    store = NULL;
    struct store_options o = options();
    if (store_open(&o, &store, &err) != OK)
        fail_msg("%s", err.text);
}

static void must(enum status status)
{
    if (status != OK)
        fail_msg("%s: %s", status_name(status), err.text);
}

static void assert_refused(enum status want, const char *words)
{
    struct store_options o = options();
    struct store *other = NULL;
    assert_int_equal(store_open(&o, &other, &err), want);
    assert_null(other);
    if (strstr(err.text, words) == NULL || strstr(err.text, "; next: ") == NULL)
        fail_msg("'%s' should say '%s' and the next step", err.text, words);
}

static void run_sql(const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(store_place_path(&place, "comity.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void close_store(void)
{
    store_close(store);
    store = NULL;
}

static void open_refuses_a_missing_database(void **state)
{
    (void)state;
    close_store();
    (void)unlink(store_place_path(&place, "comity.db"));
    assert_refused(ERR_NOT_FOUND, "there is no database");
}

static void open_refuses_a_newer_database(void **state)
{
    (void)state;
    close_store();
    run_sql("PRAGMA user_version = 1000");
    assert_refused(ERR_UNSUPPORTED, "newer Comity (schema 1000");
}

static void open_refuses_a_foreign_database_and_leaves_it_alone(void **state)
{
    (void)state;
    close_store();
    (void)unlink(store_place_path(&place, "comity.db"));
    run_sql("CREATE TABLE t (x)");
    struct buf before = store_place_read(&place, "comity.db");
    assert_refused(ERR_UNSUPPORTED, "no database of Comity");
    struct buf after = store_place_read(&place, "comity.db");
    assert_true(span_equal(buf_span(&before), buf_span(&after)));
    buf_fini(&before);
    buf_fini(&after);
}

static void open_refuses_a_damaged_database(void **state)
{
    (void)state;
    close_store();
    struct buf bytes = store_place_read(&place, "comity.db");
    struct buf cut = BUF_INIT;
    must(buf_append(&cut, span_slice(buf_span(&bytes), 0, bytes.size / 2), &err));
    store_place_write(&place, "comity.db", buf_span(&cut));
    assert_refused(ERR_CORRUPT, "");
    memset(bytes.data + 8192, 0x5a, bytes.size - 8192);
    store_place_write(&place, "comity.db", buf_span(&bytes));
    assert_refused(ERR_CORRUPT, "");
    memset(bytes.data, 0x5a, 100);
    store_place_write(&place, "comity.db", buf_span(&bytes));
    assert_refused(ERR_CORRUPT, "");
    buf_fini(&bytes);
    buf_fini(&cut);
}

static void open_refuses_a_database_that_another_process_has_open(void **state)
{
    (void)state;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct store_options o = options();
        struct store *other = NULL;
        enum status status = store_open(&o, &other, &err);
        _exit(status == ERR_BUSY && strstr(err.text, "; next: stop the other") != NULL ? 0 : 1);
    }
    int result = -1;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_int_equal(result, 0);
}

static void open_refuses_the_root_slot_of_another_database(void **state)
{
    (void)state;
    struct store_place other_place;
    struct store *other = NULL;
    store_place_make(&other_place, 2);
    struct store_options o = { .directory = other_place.directory,
                               .clock = &other_place.clock.base,
                               .random = &other_place.random.base };
    must(store_create(&o, &other, &err));
    store_close(other);
    close_store();
    store_place_copy(&other_place, &place, "root.slot");
    assert_refused(ERR_CORRUPT, "do not belong together");
    (void)unlink(store_place_path(&place, "root.slot"));
    assert_refused(ERR_CORRUPT, "root.slot is missing");
    store_place_remove(&other_place);
}

static void open_refuses_the_database_of_another_node(void **state)
{
    (void)state;
    struct store_place third;
    struct store *owned = NULL;
    store_place_make(&third, 9);
    struct store_options o = { .directory = third.directory,
                               .clock = &third.clock.base,
                               .random = &third.random.base,
                               .owner = "KE in training" };
    CHECK_OK(store_create(&o, &owned, &err), &err);
    store_close(owned);
    (void)snprintf(o.owner, sizeof(o.owner), "%s", "GB in training");
    CHECK_STATUS(store_open(&o, &owned, &err), ERR_MISMATCH, &err);
    CHECK_CONTAINS(err.text, "the database of KE in training, and the configuration is that of GB");
    CHECK_CONTAINS(err.text, "; next: ");
    (void)snprintf(o.owner, sizeof(o.owner), "%s", "KE in training");
    CHECK_OK(store_open(&o, &owned, &err), &err);
    store_close(owned);
    store_place_remove(&third);
}

static void open_refuses_without_heads(void **state)
{
    (void)state;
    close_store();
    (void)unlink(store_place_path(&place, "heads"));
    assert_refused(ERR_CORRUPT, "heads is missing");
}

static void create_refuses_an_existing_database_and_keeps_it(void **state)
{
    (void)state;
    struct store_options o = options();
    struct store *other = NULL;
    must(store_begin(store, &err));
    must(store_meta_set(store, "kept", SPAN_LITERAL("yes"), &err));
    must(store_commit(store, &err));
    assert_int_equal(store_create(&o, &other, &err), ERR_EXISTS);
    reopen();
    struct buf value = BUF_INIT;
    must(store_meta_get(store, "kept", &value, &err));
    assert_true(span_equal(buf_span(&value), SPAN_LITERAL("yes")));
    buf_fini(&value);
}

static void create_refuses_a_directory_that_does_not_exist(void **state)
{
    (void)state;
    struct store_options o = options();
    o.directory = "/tmp/comity-no-such-directory";
    struct store *other = NULL;
    assert_int_equal(store_create(&o, &other, &err), ERR_IO);
    assert_null(other);
}

static void files_can_be_read_by_their_owner_alone(void **state)
{
    (void)state;
    static const char *const names[] = { "comity.db", "comity.db-wal", "root.slot", "heads" };
    for (size_t i = 0; i < 4; i++) {
        struct stat info;
        assert_int_equal(stat(store_place_path(&place, names[i]), &info), 0);
        assert_int_equal(info.st_mode & 0777, 0600);
    }
}

static void writing_outside_a_transaction_is_refused(void **state)
{
    (void)state;
    assert_int_equal(store_meta_set(store, "a", SPAN_LITERAL("b"), &err), ERR_INTERNAL);
}

static void a_job_is_undone_alone(void **state)
{
    (void)state;
    struct buf value = BUF_INIT;
    must(store_begin(store, &err));
    must(store_savepoint(store, &err));
    must(store_meta_set(store, "first", SPAN_LITERAL("1"), &err));
    must(store_release(store, &err));
    must(store_savepoint(store, &err));
    must(store_meta_set(store, "second", SPAN_LITERAL("2"), &err));
    must(store_rollback_to(store, &err));
    must(store_commit(store, &err));
    reopen();
    must(store_meta_get(store, "first", &value, &err));
    assert_int_equal(store_meta_get(store, "second", &value, &err), ERR_NOT_FOUND);
    buf_fini(&value);
}

static void a_rolled_back_transaction_leaves_nothing(void **state)
{
    (void)state;
    struct buf value = BUF_INIT;
    must(store_begin(store, &err));
    must(store_meta_set(store, "a", SPAN_LITERAL("1"), &err));
    store_rollback(store);
    assert_int_equal(store_meta_get(store, "a", &value, &err), ERR_NOT_FOUND);
    buf_fini(&value);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(open_refuses_a_missing_database),
        T(open_refuses_a_newer_database),
        T(open_refuses_a_foreign_database_and_leaves_it_alone),
        T(open_refuses_a_damaged_database),
        T(open_refuses_a_database_that_another_process_has_open),
        T(open_refuses_the_root_slot_of_another_database),
        T(open_refuses_the_database_of_another_node),
        T(open_refuses_without_heads),
        T(create_refuses_an_existing_database_and_keeps_it),
        T(create_refuses_a_directory_that_does_not_exist),
        T(files_can_be_read_by_their_owner_alone),
        T(writing_outside_a_transaction_is_refused),
        T(a_job_is_undone_alone),
        T(a_rolled_back_transaction_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
