/* Backups: bulk without keys, a bundle that follows erasures, and what a restored node knows. */
#include "base/memory.h"
#include "store/backup.h"
#include "store/entry_rows.h"
#include "store/feed_rows.h"
#include "store/heads.h"
#include "store/inside.h"
#include "store/keys.h"
#include "store/keys_tree.h"
#include "store/peer_rows.h"
#include "store/record_rows.h"
#include "support/check.h"
#include "support/store_place.h"

#include <unistd.h>

static struct store_place place;
static struct store_place target;
static struct store *store;
static struct error err;

static struct store_options options_of(struct store_place *p)
{
    return (struct store_options){ .directory = p->directory,
                                   .clock = &p->clock.base,
                                   .random = &p->random.base };
}

static int set_up(void **state)
{
    (void)state;
    store_place_make(&place, 3);
    store_place_make(&target, 4);
    struct store_options o = options_of(&place);
    CHECK_OK(store_create(&o, &store, &err), &err);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    store_close(store);
    store = NULL;
    store_place_remove(&place);
    store_place_remove(&target);
    return 0;
}

static struct id id_of(unsigned n)
{
    struct id id = { { 0 } };
    id.bytes[14] = (uint8_t)(n >> 8);
    id.bytes[15] = (uint8_t)n;
    id.bytes[0] = 1;
    return id;
}

/* A record whose text is "plain text number N". */
static void add_record(unsigned n)
{
    struct record_row row = { .record_id = id_of(n), .kind = RECORD_ROW_EXCERPT };
    char text[64];
    uint32_t version = 0;
    (void)snprintf(text, sizeof(text), "plain text number %u", n);
    CHECK_OK(record_rows_add(store, &row, span_text(text), &version, &err), &err);
}

static void add_records(unsigned first, unsigned end)
{
    CHECK_OK(store_begin(store, &err), &err);
    for (unsigned n = first; n < end; n++)
        add_record(n);
    CHECK_OK(store_commit(store, &err), &err);
}

static void assert_record(struct store *s, unsigned n, enum status want)
{
    struct id id = id_of(n);
    struct buf text = BUF_INIT;
    char wanted[64];
    (void)snprintf(wanted, sizeof(wanted), "plain text number %u", n);
    CHECK_STATUS(record_rows_open(s, &id, 1, &text, &err), want, &err);
    if (want == OK)
        assert_true(span_equal(buf_span(&text), span_text(wanted)));
    buf_fini(&text);
}

static enum status erase_it(void *context, struct store *s, struct error *e)
{
    return record_rows_mark_erased(s, context, 1, e);
}

static void erase_record(unsigned n)
{
    struct id id = id_of(n);
    struct record_version_row row;
    CHECK_OK(record_rows_version(store, &id, 1, &row, &err), &err);
    struct keys_change change = { erase_it, &id };
    CHECK_OK(keys_erase(store, &row.key_slot, 1, change, &err), &err);
}

static void back_up(const char *name)
{
    struct backup *backup = NULL;
    bool done = false;
    CHECK_OK(backup_start(store, store_place_path(&place, name), &backup, &err), &err);
    while (!done)
        CHECK_OK(backup_step(backup, &done, &err), &err);
    backup_free(backup);
}

static struct backup_restored restored; /* by the last restore_from() */

static enum status restore_from(const char *bulk, const char *bundle)
{
    struct store_options o = options_of(&target);
    return backup_restore(&o, store_place_path(&place, bulk), store_place_path(&place, bundle),
                          &restored, &err);
}

static struct store *open_target(void)
{
    struct store *later = NULL;
    struct store_options o = options_of(&target);
    CHECK_OK(store_open(&o, &later, &err), &err);
    return later;
}

static void backup_refuses_a_file_that_exists(void **state)
{
    (void)state;
    struct backup *backup = NULL;
    store_place_write(&place, "there", SPAN_LITERAL("x"));
    CHECK_STATUS(backup_start(store, store_place_path(&place, "there"), &backup, &err), ERR_EXISTS,
                 &err);
    CHECK_STATUS(backup_start(store, "/tmp/comity-no-such/bulk", &backup, &err), ERR_IO, &err);
}

static void restore_refuses_a_directory_with_a_database(void **state)
{
    (void)state;
    add_records(0, 3);
    back_up("bulk");
    struct store_options o = options_of(&place);
    CHECK_STATUS(backup_restore(&o, store_place_path(&place, "bulk"),
                                store_place_path(&place, "keys.bundle"), NULL, &err),
                 ERR_EXISTS, &err);
    assert_record(store, 1, OK);
}

static void restore_refuses_what_is_no_backup_and_leaves_nothing(void **state)
{
    (void)state;
    add_records(0, 3);
    back_up("bulk");
    store_place_write(&place, "junk", SPAN_LITERAL("this is no database at all, only text"));
    CHECK_STATUS(restore_from("junk", "keys.bundle"), ERR_CORRUPT, &err);
    CHECK_STATUS(restore_from("missing", "keys.bundle"), ERR_NOT_FOUND, &err);
    CHECK_STATUS(restore_from("bulk", "missing"), ERR_NOT_FOUND, &err);
    CHECK_STATUS(restore_from("bulk", "junk"), ERR_CORRUPT, &err);
    CHECK_CONTAINS(err.text, "keys.bundle");
    assert_int_not_equal(access(store_place_path(&target, "comity.db"), F_OK), 0);
    assert_int_not_equal(access(store_place_path(&target, "root.slot"), F_OK), 0);
}

static void restore_refuses_the_bundle_of_another_node(void **state)
{
    (void)state;
    struct store_place third;
    struct store *other = NULL;
    struct backup *backup = NULL;
    bool done = false;
    store_place_make(&third, 5);
    struct store_options o = options_of(&third);
    CHECK_OK(store_create(&o, &other, &err), &err);
    CHECK_OK(backup_start(other, store_place_path(&third, "bulk"), &backup, &err), &err);
    while (!done)
        CHECK_OK(backup_step(backup, &done, &err), &err);
    backup_free(backup);
    store_close(other);
    add_records(0, 3);
    back_up("bulk");
    store_place_copy(&third, &place, "keys.bundle");
    CHECK_STATUS(restore_from("bulk", "keys.bundle"), ERR_CORRUPT, &err);
    store_place_remove(&third);
}

static void restore_refuses_a_bundle_that_is_older_than_the_backup(void **state)
{
    (void)state;
    add_records(0, 3);
    back_up("monday");
    struct buf old = store_place_read(&place, "keys.bundle");
    add_records(3, 6);
    back_up("tuesday");
    store_place_write(&place, "old.bundle", buf_span(&old));
    buf_fini(&old);
    CHECK_STATUS(restore_from("tuesday", "old.bundle"), ERR_CONFLICT, &err);
    CHECK_CONTAINS(err.text, "older than the backup");
    CHECK_CONTAINS(err.text, "; next: ");
    assert_int_not_equal(access(store_place_path(&target, "comity.db"), F_OK), 0);
    CHECK_OK(restore_from("monday", "old.bundle"), &err);
}

/* The root key stood in the open in the bundle; the next erasure may be far away. */
static void a_credential_that_comes_later_seals_the_bundle_at_once(void **state)
{
    (void)state;
    struct store_options o = options_of(&place);
    struct seal_key credential = { { 42 } };
    add_records(1, 9);
    back_up("bulk");
    struct seal_key root = store->keys->root;
    store_close(store);
    o.credential = &credential;
    CHECK_OK(store_open(&o, &store, &err), &err);
    assert_int_equal(store_place_count(&place, SPAN_ARRAY(root.bytes)), 0);
    struct store_options to = options_of(&target);
    CHECK_STATUS(backup_restore(&to, store_place_path(&place, "bulk"),
                                store_place_path(&place, "keys.bundle"), NULL, &err),
                 ERR_CORRUPT, &err);
    CHECK_CONTAINS(err.text, "sealed by another credential");
    to.credential = &credential;
    CHECK_OK(backup_restore(&to, store_place_path(&place, "bulk"),
                            store_place_path(&place, "keys.bundle"), NULL, &err),
             &err);
}

/* How people do it: the newest bundle lies where the database will be. */
static void restore_takes_the_bundle_in_the_directory_itself_and_never_deletes_it(void **state)
{
    (void)state;
    add_records(0, 3);
    back_up("bulk");
    store_place_copy(&place, &target, "keys.bundle");
    struct store_options o = options_of(&target);
    const char *bundle = store_place_path(&target, "keys.bundle");
    store_place_write(&place, "junk", SPAN_LITERAL("this is no database at all, only text"));
    CHECK_STATUS(backup_restore(&o, store_place_path(&place, "junk"), bundle, NULL, &err),
                 ERR_CORRUPT, &err);
    bundle = store_place_path(&target, "keys.bundle");
    assert_int_equal(access(bundle, F_OK), 0);
    CHECK_OK(backup_restore(&o, store_place_path(&place, "bulk"), bundle, NULL, &err), &err);
    struct store *later = open_target();
    assert_record(later, 0, OK);
    store_close(later);
    CHECK_STATUS(backup_restore(&o, store_place_path(&place, "bulk"),
                                store_place_path(&target, "keys.bundle"), NULL, &err),
                 ERR_EXISTS, &err);
}

static void a_restored_node_reads_its_records_and_knows_that_it_was_restored(void **state)
{
    (void)state;
    add_records(0, 300);
    back_up("bulk");
    add_records(300, 400); /* after the bulk file: lost, as they must be */
    CHECK_OK(restore_from("bulk", "keys.bundle"), &err);
    struct store *later = open_target();
    for (unsigned n = 0; n < 300; n++)
        assert_record(later, n, OK);
    assert_record(later, 300, ERR_NOT_FOUND);
    int64_t restored_ms = 0;
    CHECK_OK(store_restored(later, &restored_ms, &err), &err);
    assert_int_equal(restored_ms, target.clock.wall_now_ms);
    CHECK_OK(store_begin(later, &err), &err);
    CHECK_OK(store_restored_clear(later, &err), &err);
    CHECK_OK(store_commit(later, &err), &err);
    CHECK_OK(store_restored(later, &restored_ms, &err), &err);
    assert_int_equal(restored_ms, 0);
    store_close(later);
    CHECK_OK(store_restored(store, &restored_ms, &err), &err);
    assert_int_equal(restored_ms, 0);
}

static void what_was_erased_after_the_backup_stays_erased(void **state)
{
    (void)state;
    add_records(0, 300);
    back_up("bulk");
    store_place_copy(&place, &target, "keys.bundle");
    (void)rename(store_place_path(&target, "keys.bundle"), store_place_path(&place, "old.bundle"));
    add_records(300, 1000);
    erase_record(7);
    erase_record(299);
    CHECK_OK(restore_from("bulk", "keys.bundle"), &err);
    struct store *later = open_target();
    assert_record(later, 6, OK);
    assert_record(later, 7, ERR_ERASED);
    assert_record(later, 299, ERR_ERASED);
    assert_record(later, 298, OK);
    store_close(later);
}

static void restore_refuses_a_bundle_that_the_heads_know_to_be_old(void **state)
{
    (void)state;
    add_records(0, 30);
    back_up("bulk");
    struct buf old = store_place_read(&place, "keys.bundle");
    store_place_write(&place, "old.bundle", buf_span(&old));
    buf_fini(&old);
    erase_record(7);
    store_place_copy(&place, &target, "heads");
    CHECK_STATUS(restore_from("bulk", "old.bundle"), ERR_CONFLICT, &err);
    CHECK_CONTAINS(err.text, "after 0 erasures, and by its heads this node has made 1: ");
    CHECK_CONTAINS(err.text, "; next: put the newest copy of keys.bundle there");
    assert_int_equal(access(store_place_path(&target, "heads"), F_OK), 0);
    assert_int_not_equal(access(store_place_path(&target, "comity.db"), F_OK), 0);
    CHECK_OK(restore_from("bulk", "keys.bundle"), &err);
    assert_true(restored.compared);
    assert_int_equal(restored.erasures, 1);
    for (int i = 0; i < 2; i++) { /* the heads that were there say nothing any more */
        int64_t restored_ms = 0;
        struct store *later = open_target();
        assert_record(later, 7, ERR_ERASED);
        CHECK_OK(store_restored(later, &restored_ms, &err), &err);
        assert_true((restored_ms != 0) == (i == 0));
        CHECK_OK(store_begin(later, &err), &err);
        CHECK_OK(store_restored_clear(later, &err), &err);
        CHECK_OK(store_commit(later, &err), &err);
        store_close(later);
    }
}

static void heads_know_of_erasures_after_a_start(void **state)
{
    (void)state;
    add_records(0, 30);
    back_up("bulk");
    erase_record(7);
    erase_record(8);
    struct store_options o = options_of(&place);
    store_close(store);
    CHECK_OK(store_open(&o, &store, &err), &err);
    store_place_copy(&place, &target, "heads");
    CHECK_OK(restore_from("bulk", "keys.bundle"), &err);
    assert_true(restored.compared);
    assert_int_equal(restored.erasures, 2);
}

/* The control for the test above: with a stale bundle it would come back, hence "newest". */
static void the_bundle_of_before_the_erasure_would_bring_it_back(void **state)
{
    (void)state;
    add_records(0, 30);
    back_up("bulk");
    struct buf old = store_place_read(&place, "keys.bundle");
    erase_record(7);
    store_place_write(&place, "old.bundle", buf_span(&old));
    buf_fini(&old);
    CHECK_OK(restore_from("bulk", "old.bundle"), &err);
    assert_false(restored.compared); /* nothing is there that could tell, and it says so */
    assert_int_equal(restored.erasures, 0);
    struct store *later = open_target();
    assert_record(later, 7, OK);
    store_close(later);
}

static void a_restored_node_goes_on_adding_keys(void **state)
{
    (void)state;
    add_records(0, 200);
    back_up("bulk");
    add_records(200, 20000); /* the tree of the bundle has a level more than that of the bulk */
    erase_record(150);
    CHECK_OK(restore_from("bulk", "keys.bundle"), &err);
    store_close(store);
    store = open_target();
    add_records(30000, 30300);
    erase_record(30100);
    for (unsigned n = 0; n < 200; n++)
        assert_record(store, n, n == 150 ? ERR_ERASED : OK);
    for (unsigned n = 30000; n < 30300; n++)
        assert_record(store, n, n == 30100 ? ERR_ERASED : OK);
}

static void the_bulk_file_holds_no_plain_text_no_key_and_no_key_page(void **state)
{
    (void)state;
    add_records(0, 300);
    back_up("bulk");
    assert_int_equal(store_place_count(&place, SPAN_LITERAL("plain text number")), 0);
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sqlite3_open(store_place_path(&place, "bulk"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT count(*) FROM key_page", -1, &stmt, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(stmt, 0), 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    struct seal_key root = store->keys->root;
    assert_int_equal(store_place_count(&place, SPAN_ARRAY(root.bytes)), 2); /* slot, bundle */
    erase_record(3);
    assert_int_equal(store_place_count(&place, SPAN_ARRAY(root.bytes)), 0);
}

static void writes_between_the_steps_are_in_the_backup_or_not_but_whole(void **state)
{
    (void)state;
    struct backup *backup = NULL;
    bool done = false;
    unsigned next = 3000;
    add_records(0, 3000);
    CHECK_OK(backup_start(store, store_place_path(&place, "bulk"), &backup, &err), &err);
    while (!done) {
        CHECK_OK(backup_step(backup, &done, &err), &err);
        add_records(next, next + 5);
        if (next == 3005)
            erase_record(100);
        next += 5;
    }
    backup_free(backup);
    struct backup_info info;
    struct store_options o = options_of(&target);
    CHECK_OK(backup_verify(&o, store_place_path(&place, "bulk"),
                           store_place_path(&place, "keys.bundle"), &info, &err),
             &err);
    assert_in_range(info.records, 3000, next);
    assert_int_equal(info.made_ms, place.clock.wall_now_ms);
    CHECK_OK(restore_from("bulk", "keys.bundle"), &err);
    struct store *later = open_target();
    assert_record(later, 99, OK);
    assert_record(later, 100, ERR_ERASED);
    assert_record(later, 2999, OK);
    CHECK_OK(store_check(later, &err), &err);
    store_close(later);
}

static void a_backup_that_is_given_up_leaves_no_file(void **state)
{
    (void)state;
    struct backup *backup = NULL;
    bool done = false;
    add_records(0, 3000);
    CHECK_OK(backup_start(store, store_place_path(&place, "bulk"), &backup, &err), &err);
    CHECK_OK(backup_step(backup, &done, &err), &err);
    assert_false(done);
    backup_free(backup);
    assert_int_not_equal(access(store_place_path(&place, "bulk"), F_OK), 0);
    assert_record(store, 5, OK);
}

static void verify_finds_a_changed_bundle_and_a_changed_bulk_file(void **state)
{
    (void)state;
    struct backup_info info;
    struct store_options o = options_of(&target);
    add_records(0, 300);
    back_up("bulk");
    const char *bulk = store_place_path(&place, "bulk");
    const char *bundle = store_place_path(&place, "keys.bundle");
    CHECK_OK(backup_verify(&o, bulk, bundle, &info, &err), &err);
    assert_int_equal(info.records, 300);
    struct buf bytes = store_place_read(&place, "keys.bundle");
    bytes.data[5000] ^= 1;
    store_place_write(&place, "bad.bundle", buf_span(&bytes));
    CHECK_STATUS(backup_verify(&o, store_place_path(&place, "bulk"),
                               store_place_path(&place, "bad.bundle"), &info, &err),
                 ERR_CORRUPT, &err);
    buf_fini(&bytes);
    bytes = store_place_read(&place, "bulk");
    memset(bytes.data + 3 * 8192, 0x11, 8192);
    store_place_write(&place, "bad", buf_span(&bytes));
    CHECK_STATUS(backup_verify(&o, store_place_path(&place, "bad"),
                               store_place_path(&place, "keys.bundle"), &info, &err),
                 ERR_CORRUPT, &err);
    buf_fini(&bytes);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(backup_refuses_a_file_that_exists),
        T(restore_refuses_a_directory_with_a_database),
        T(restore_refuses_what_is_no_backup_and_leaves_nothing),
        T(restore_refuses_the_bundle_of_another_node),
        T(restore_refuses_a_bundle_that_is_older_than_the_backup),
        T(a_credential_that_comes_later_seals_the_bundle_at_once),
        T(restore_takes_the_bundle_in_the_directory_itself_and_never_deletes_it),
        T(verify_finds_a_changed_bundle_and_a_changed_bulk_file),
        T(a_restored_node_reads_its_records_and_knows_that_it_was_restored),
        T(what_was_erased_after_the_backup_stays_erased),
        T(restore_refuses_a_bundle_that_the_heads_know_to_be_old),
        T(heads_know_of_erasures_after_a_start),
        T(the_bundle_of_before_the_erasure_would_bring_it_back),
        T(a_restored_node_goes_on_adding_keys),
        T(the_bulk_file_holds_no_plain_text_no_key_and_no_key_page),
        T(writes_between_the_steps_are_in_the_backup_or_not_but_whole),
        T(a_backup_that_is_given_up_leaves_no_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
