/* The heads file: a database that is older than its heads is found out before it can sign. */
#include "base/memory.h"
#include "store/feed_rows.h"
#include "store/heads.h"
#include "store/journal_rows.h"
#include "store/peer_rows.h"
#include "store/store.h"
#include "support/check.h"
#include "support/store_place.h"
#include "support/vfs_fault.h"

#include <string.h>

static struct store_place place;
static struct store_place old;
static struct store *store;
static struct error err;
static int64_t feed_id;

static struct store_options options(void)
{
    return (struct store_options){ .directory = place.directory,
                                   .clock = &place.clock.base,
                                   .random = &place.random.base };
}

static void set_size(uint64_t size, uint8_t root)
{
    struct feed_row row;
    CHECK_OK(store_begin(store, &err), &err);
    CHECK_OK(feed_rows_get(store, feed_id, &row, &err), &err);
    row.size = size;
    row.root.bytes[0] = root;
    CHECK_OK(feed_rows_set_head(store, &row, &err), &err);
    CHECK_OK(store_commit(store, &err), &err);
}

static int64_t add_feed(const char *code, const char *origin)
{
    int64_t peer_id = 0;
    int64_t id = 0;
    struct peer_row peer = { .state = PEER_ACCEPTED };
    struct feed_row feed = { .direction = FEED_OUT, .state = FEED_ACTIVE };
    CHECK_OK(code_parse(code, &peer.code, &err), &err);
    (void)snprintf(feed.origin, sizeof(feed.origin), "%s", origin);
    CHECK_OK(store_begin(store, &err), &err);
    CHECK_OK(peer_rows_add(store, &peer, &peer_id, &err), &err);
    feed.peer_id = peer_id;
    CHECK_OK(feed_rows_add(store, &feed, &id, &err), &err);
    CHECK_OK(store_commit(store, &err), &err);
    CHECK_OK(heads_save(store, &err), &err);
    return id;
}

static int set_up(void **state)
{
    (void)state;
    store_place_make(&place, 21);
    store_place_make(&old, 22);
    struct store_options o = options();
    CHECK_OK(store_create(&o, &store, &err), &err);
    feed_id = add_feed("KE", "feed/KE");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    store_close(store);
    store = NULL;
    store_place_remove(&place);
    store_place_remove(&old);
    return 0;
}

static void reopen(void)
{
    store_close(store);
    store = NULL;
    struct store_options o = options();
    CHECK_OK(store_open(&o, &store, &err), &err);
}

static void keep_old_copy(void)
{
    store_close(store);
    store_place_copy(&place, &old, "comity.db");
    store = NULL;
    struct store_options o = options();
    CHECK_OK(store_open(&o, &store, &err), &err);
}

static void put_back_old_copy(void)
{
    store_close(store);
    store = NULL;
    store_place_copy(&old, &place, "comity.db");
    struct store_options o = options();
    CHECK_OK(store_open(&o, &store, &err), &err);
}

static bool rolled_back(void)
{
    struct feed_row row;
    CHECK_OK(feed_rows_get(store, feed_id, &row, &err), &err);
    return row.rolled_back;
}

static void a_database_of_yesterday_is_found_out(void **state)
{
    (void)state;
    set_size(5, 1);
    CHECK_OK(heads_save(store, &err), &err);
    keep_old_copy();
    set_size(9, 2);
    CHECK_OK(heads_save(store, &err), &err);
    put_back_old_copy();
    assert_true(rolled_back());
    reopen();
    assert_true(rolled_back());
}

static void another_history_of_the_same_length_is_found_out(void **state)
{
    (void)state;
    keep_old_copy();
    set_size(5, 1);
    CHECK_OK(heads_save(store, &err), &err);
    put_back_old_copy();
    set_size(5, 2); /* not saved: the file still says 5 with the other root */
    reopen();
    assert_true(rolled_back());
}

static void a_database_without_a_feed_that_had_a_head_is_taken_for_restored(void **state)
{
    (void)state;
    int64_t restored_ms = 0;
    keep_old_copy();
    (void)add_feed("AU", "feed/AU");
    put_back_old_copy();
    CHECK_OK(store_restored(store, &restored_ms, &err), &err);
    assert_int_not_equal(restored_ms, 0);
}

static void heads_that_are_older_than_the_database_are_harmless(void **state)
{
    (void)state;
    set_size(5, 1);
    CHECK_OK(heads_save(store, &err), &err);
    set_size(9, 2); /* a crash before heads_save */
    reopen();
    assert_false(rolled_back());
}

static void heads_of_a_rolled_back_transaction_are_not_written(void **state)
{
    (void)state;
    struct feed_row row;
    set_size(5, 1);
    CHECK_OK(heads_save(store, &err), &err);
    CHECK_OK(store_begin(store, &err), &err);
    CHECK_OK(feed_rows_get(store, feed_id, &row, &err), &err);
    row.size = 9;
    CHECK_OK(feed_rows_set_head(store, &row, &err), &err);
    store_rollback(store);
    CHECK_OK(heads_save(store, &err), &err);
    CHECK_OK(store_begin(store, &err), &err);
    CHECK_OK(store_savepoint(store, &err), &err);
    CHECK_OK(feed_rows_set_head(store, &row, &err), &err);
    CHECK_OK(store_rollback_to(store, &err), &err);
    CHECK_OK(store_commit(store, &err), &err);
    CHECK_OK(heads_save(store, &err), &err);
    reopen();
    assert_false(rolled_back());
}

static void a_torn_slot_is_no_head(void **state)
{
    (void)state;
    set_size(5, 1);
    CHECK_OK(heads_save(store, &err), &err);
    store_close(store);
    store = NULL;
    struct buf bytes = store_place_read(&place, "heads");
    assert_int_equal(bytes.size, 2 * HEADS_SLOT_SIZE);
    bytes.data[HEADS_SLOT_SIZE + 40] ^= 0x7f; /* the size, without its checksum */
    store_place_write(&place, "heads", buf_span(&bytes));
    buf_fini(&bytes);
    reopen();
    assert_false(rolled_back());
}

static void a_journal_of_yesterday_is_found_out(void **state)
{
    (void)state;
    struct journal_head head = { .epoch = 3, .size = 4 };
    CHECK_OK(store_begin(store, &err), &err);
    CHECK_OK(journal_rows_set_head(store, &head, &err), &err);
    CHECK_OK(store_commit(store, &err), &err);
    CHECK_OK(heads_save(store, &err), &err);
    keep_old_copy();
    head.size = 6;
    CHECK_OK(store_begin(store, &err), &err);
    CHECK_OK(journal_rows_set_head(store, &head, &err), &err);
    CHECK_OK(store_commit(store, &err), &err);
    CHECK_OK(heads_save(store, &err), &err);
    reopen();
    CHECK_OK(journal_rows_head(store, &head, &err), &err);
    assert_false(head.rolled_back);
    put_back_old_copy();
    CHECK_OK(journal_rows_head(store, &head, &err), &err);
    assert_true(head.rolled_back);
    assert_false(rolled_back());
}

/* A forged first batch opens a feed and is then refused; what others did in the same group counts.
 */
static void a_feed_that_was_opened_in_a_job_that_failed_does_not_spoil_the_others(void **state)
{
    (void)state;
    struct feed_row row;
    struct feed_row forged = { .direction = FEED_IN, .state = FEED_ACTIVE };
    int64_t id = 0;
    (void)snprintf(forged.origin, sizeof(forged.origin), "feed/forged");
    CHECK_OK(store_begin(store, &err), &err);
    CHECK_OK(feed_rows_get(store, feed_id, &row, &err), &err);
    forged.peer_id = row.peer_id;
    CHECK_OK(store_savepoint(store, &err), &err);
    CHECK_OK(feed_rows_add(store, &forged, &id, &err), &err);
    CHECK_OK(store_rollback_to(store, &err), &err);
    CHECK_OK(store_savepoint(store, &err), &err);
    row.size = 9;
    CHECK_OK(feed_rows_set_head(store, &row, &err), &err);
    CHECK_OK(store_release(store, &err), &err);
    CHECK_OK(store_commit(store, &err), &err);
    CHECK_OK(heads_save(store, &err), &err);
    store_close(store);
    struct store_options o = options();
    CHECK_OK(store_open(&o, &store, &err), &err);
    assert_false(rolled_back());
}

/* The transaction stands, so what is said must not make anybody repeat it; and the head is owed
 * until it is written, whatever is rolled back meanwhile. */
static void a_head_that_could_not_be_saved_is_owed(void **state)
{
    (void)state;
    static const struct {
        enum vfs_fault_kind kind;
        enum status status;
        const char *words;
    } cases[] = {
        { VFS_FAULT_FULL, ERR_FULL, "the disk is full" },
        { VFS_FAULT_EIO, ERR_IO, "start the node again" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct journal_head head = { .epoch = 3, .size = 4 };
        struct vfs_fault *disk = vfs_fault_new("fault", 1);
        struct store *on_disk = NULL;
        assert_non_null(disk);
        struct store_options o = options();
        o.directory = "/node";
        o.vfs = "fault";
        CHECK_OK(store_create(&o, &on_disk, &err), &err);
        CHECK_OK(store_begin(on_disk, &err), &err);
        CHECK_OK(journal_rows_set_head(on_disk, &head, &err), &err);
        CHECK_OK(store_commit(on_disk, &err), &err);
        vfs_fault_at(disk, cases[i].kind, 1);
        CHECK_STATUS(heads_save(on_disk, &err), cases[i].status, &err);
        CHECK_CONTAINS(err.text, "it is stored");
        CHECK_CONTAINS(err.text, cases[i].words);
        CHECK_CONTAINS(err.text, "before you repeat anything");
        assert_null(strstr(err.text, "then repeat"));
        vfs_fault_at(disk, VFS_FAULT_NONE, 0);
        CHECK_OK(store_begin(on_disk, &err), &err);
        store_rollback(on_disk);
        uint64_t before = vfs_fault_operations(disk);
        CHECK_OK(heads_save(on_disk, &err), &err);
        assert_int_equal(vfs_fault_operations(disk), before + 1);
        CHECK_OK(heads_save(on_disk, &err), &err);
        assert_int_equal(vfs_fault_operations(disk), before + 1);
        store_close(on_disk);
        vfs_fault_free(disk);
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_database_of_yesterday_is_found_out),
        T(another_history_of_the_same_length_is_found_out),
        T(a_database_without_a_feed_that_had_a_head_is_taken_for_restored),
        T(a_journal_of_yesterday_is_found_out),
        T(heads_that_are_older_than_the_database_are_harmless),
        T(heads_of_a_rolled_back_transaction_are_not_written),
        T(a_feed_that_was_opened_in_a_job_that_failed_does_not_spoil_the_others),
        T(a_torn_slot_is_no_head),
        T(a_head_that_could_not_be_saved_is_owed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
