/* Power cuts, failing and full disks at every single operation: whole or absent, erased or not. */
#include "base/memory.h"
#include "store/backup.h"
#include "store/heads.h"
#include "store/inside.h"
#include "store/keys.h"
#include "store/keys_tree.h"
#include "store/record_rows.h"
#include "support/check.h"
#include "support/vfs_fault.h"

static struct vfs_fault *disk;
static struct clock_fake now;
static struct random_seeded dice;
static struct store *store;
static struct error err;

enum { SEEDS = 3, RECORDS = 150, VICTIM = 7 };

static struct store_options options(void)
{
    return (struct store_options){
        .directory = "/node", .clock = &now.base, .random = &dice.base, .vfs = "fault"
    };
}

static void start(uint64_t seed)
{
    disk = vfs_fault_new("fault", seed);
    assert_non_null(disk);
    clock_fake_init(&now, INT64_C(1764000000000));
    random_seeded_init(&dice, seed);
    struct store_options o = options();
    CHECK_OK(store_create(&o, &store, &err), &err);
}

static void stop(void)
{
    store_close(store);
    store = NULL;
    vfs_fault_free(disk);
    disk = NULL;
}

static void reopen(void)
{
    vfs_fault_at(disk, VFS_FAULT_NONE, 0);
    store_close(store);
    store = NULL;
    struct store_options o = options();
    CHECK_OK(store_open(&o, &store, &err), &err);
}

static struct id id_of(unsigned n)
{
    struct id id = { { 1 } };
    id.bytes[14] = (uint8_t)(n >> 8);
    id.bytes[15] = (uint8_t)n;
    return id;
}

/* One transaction; stops at the first error. */
static enum status add_records(unsigned first, unsigned end)
{
    enum status status = store_begin(store, &err);
    for (unsigned n = first; status == OK && n < end; n++) {
        struct record_row row = { .record_id = id_of(n), .kind = RECORD_ROW_EXCERPT };
        char text[64];
        uint32_t version = 0;
        (void)snprintf(text, sizeof(text), "plain text number %u", n);
        status = record_rows_add(store, &row, span_text(text), &version, &err);
    }
    if (status == OK)
        return store_commit(store, &err);
    store_rollback(store);
    return status;
}

static enum status read_record(unsigned n)
{
    struct id id = id_of(n);
    struct buf text = BUF_INIT;
    char wanted[64];
    (void)snprintf(wanted, sizeof(wanted), "plain text number %u", n);
    enum status status = record_rows_open(store, &id, 1, &text, &err);
    if (status == OK)
        assert_true(span_equal(buf_span(&text), span_text(wanted)));
    buf_fini(&text);
    return status;
}

static enum status erase_it(void *context, struct store *s, struct error *e)
{
    return record_rows_mark_erased(s, context, 1, e);
}

static enum status erase_record(unsigned n)
{
    struct id id = id_of(n);
    struct record_version_row row;
    CHECK_OK(record_rows_version(store, &id, 1, &row, &err), &err);
    struct keys_change change = { erase_it, &id };
    return keys_erase(store, &row.key_slot, 1, change, &err);
}

static unsigned used_slots(void)
{
    unsigned used = 0;
    for (int i = 0; i < ROOT_SLOT_COUNT; i++) {
        struct root_slot slot;
        CHECK_OK(root_slot_read(&store->keys->slots, i, &slot, &err), &err);
        used += slot.used;
    }
    return used;
}

static void make_backup(void)
{
    struct backup *backup = NULL;
    bool done = false;
    CHECK_OK(backup_start(store, "/node/bulk", &backup, &err), &err);
    while (!done)
        CHECK_OK(backup_step(backup, &done, &err), &err);
    backup_free(backup);
}

/* A node with RECORDS records, with and without a bundle, is made once. */
static struct vfs_fault_image *images[2];

static int make_images(void **state)
{
    (void)state;
    for (int bundle = 0; bundle < 2; bundle++) {
        start(1);
        CHECK_OK(add_records(0, RECORDS), &err);
        if (bundle != 0)
            make_backup();
        store_close(store);
        store = NULL;
        images[bundle] = vfs_fault_save(disk);
        stop();
    }
    return 0;
}

static int free_images(void **state)
{
    (void)state;
    vfs_fault_image_free(images[0]);
    vfs_fault_image_free(images[1]);
    return 0;
}

static void start_from(uint64_t seed, bool bundle)
{
    disk = vfs_fault_new("fault", seed);
    assert_non_null(disk);
    vfs_fault_restore(disk, images[bundle]);
    clock_fake_init(&now, INT64_C(1764000000000));
    random_seeded_init(&dice, seed + 1000);
    struct store_options o = options();
    CHECK_OK(store_open(&o, &store, &err), &err);
}

/* The erasure of one record, disturbed at its nth operation; false when it has fewer. */
static bool disturb_erasure(uint64_t seed, enum vfs_fault_kind kind, uint64_t nth, bool bundle)
{
    start_from(seed, bundle);
    struct seal_key old_root = store->keys->root;
    vfs_fault_at(disk, kind, nth);
    enum status told = erase_record(VICTIM);
    bool hit = vfs_fault_hit(disk);
    if (kind == VFS_FAULT_EIO && hit && told == ERR_IO && !store_is_lost(store))
        assert_int_equal(read_record(VICTIM + 1), OK); /* it goes on */
    reopen();
    enum status found = read_record(VICTIM);
    if (found != ERR_ERASED && (found != OK || told == OK))
        fail_msg("seed %llu, operation %llu: told %s, found %s", (unsigned long long)seed,
                 (unsigned long long)nth, status_name(told), status_name(found));
    for (unsigned n = 0; n < RECORDS; n++)
        if (n != VICTIM)
            assert_int_equal(read_record(n), OK);
    assert_int_equal(used_slots(), 1);
    if (found == ERR_ERASED)
        assert_int_equal(vfs_fault_count(disk, SPAN_ARRAY(old_root.bytes)), 0);
    CHECK_OK(add_records(RECORDS, RECORDS + 5), &err);
    CHECK_OK(erase_record(RECORDS + 1), &err);
    assert_int_equal(vfs_fault_count(disk, SPAN_ARRAY(old_root.bytes)), 0);
    if (bundle) {
        struct backup_info info;
        struct store_options o = options();
        CHECK_OK(backup_verify(&o, "/node/bulk", "/node/keys.bundle", &info, &err), &err);
    }
    CHECK_OK(store_check(store, &err), &err);
    stop();
    return hit;
}

static void sweep_erasure(enum vfs_fault_kind kind, bool bundle)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        uint64_t nth = 1;
        while (disturb_erasure(seed, kind, nth, bundle))
            nth++;
        assert_true(nth > 8); /* it was an erasure that was swept */
    }
}

static void an_erasure_survives_a_power_cut_at_every_operation(void **state)
{
    (void)state;
    sweep_erasure(VFS_FAULT_POWER_CUT, false);
}

static void an_erasure_with_a_bundle_survives_a_power_cut_at_every_operation(void **state)
{
    (void)state;
    sweep_erasure(VFS_FAULT_POWER_CUT, true);
}

static void an_erasure_survives_an_io_error_at_every_operation(void **state)
{
    (void)state;
    sweep_erasure(VFS_FAULT_EIO, true);
}

static void an_erasure_survives_a_full_disk_at_every_operation(void **state)
{
    (void)state;
    sweep_erasure(VFS_FAULT_FULL, true);
}

enum { FIRST = RECORDS, END = RECORDS + 200 };

static bool disturb_commit(uint64_t seed, enum vfs_fault_kind kind, uint64_t nth)
{
    start_from(seed, false);
    vfs_fault_at(disk, kind, nth);
    enum status told = add_records(FIRST, END);
    bool hit = vfs_fault_hit(disk);
    if (kind == VFS_FAULT_FULL && told != OK) {
        assert_int_equal(told, ERR_FULL);
        CHECK_CONTAINS(err.text, "; next: free space");
        assert_int_equal(read_record(3), OK);                /* serves what it has */
        assert_int_equal(read_record(FIRST), ERR_NOT_FOUND); /* and nothing half */
        vfs_fault_at(disk, VFS_FAULT_NONE, 0);
        CHECK_OK(add_records(1000, 1010), &err); /* recovers when there is space */
    }
    reopen();
    unsigned there = 0;
    for (unsigned n = FIRST; n < END; n++) {
        enum status found = read_record(n);
        assert_true(found == OK || found == ERR_NOT_FOUND);
        there += found == OK;
    }
    if (told == OK ? there != 200 : (there != 0 && there != 200))
        fail_msg("seed %llu, operation %llu: told %s, %u of 200 are there",
                 (unsigned long long)seed, (unsigned long long)nth, status_name(told), there);
    for (unsigned n = 0; n < FIRST; n++)
        assert_int_equal(read_record(n), OK);
    CHECK_OK(store_check(store, &err), &err);
    stop();
    return hit;
}

static void sweep_commit(enum vfs_fault_kind kind)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        for (uint64_t nth = 1; disturb_commit(seed, kind, nth); nth++)
            continue;
}

static void a_commit_is_whole_or_absent_after_a_power_cut(void **state)
{
    (void)state;
    sweep_commit(VFS_FAULT_POWER_CUT);
}

static void a_commit_is_whole_or_absent_after_an_io_error(void **state)
{
    (void)state;
    sweep_commit(VFS_FAULT_EIO);
}

static void a_full_disk_refuses_new_data_serves_the_old_and_recovers(void **state)
{
    (void)state;
    sweep_commit(VFS_FAULT_FULL);
}

/* A WAL that counts as full; the count of records. */
static unsigned fill_wal(void)
{
    unsigned count = 0;
    start(1);
    for (; count < 40; count += 20)
        CHECK_OK(add_records(count, count + 20), &err);
    assert_true(store->wal_pages > 0);
    store->wal_pages = STORE_WAL_IDLE_PAGES;
    return count;
}

static bool disturb_drain(enum vfs_fault_kind kind, uint64_t nth)
{
    unsigned count = fill_wal();
    vfs_fault_at(disk, kind, nth);
    enum status told = store_drain(store, &err);
    bool hit = vfs_fault_hit(disk);
    if (!hit) {
        assert_int_equal(told, OK);
        assert_int_equal(store->wal_pages, 0);
    }
    if (kind == VFS_FAULT_FULL && hit) {
        vfs_fault_at(disk, VFS_FAULT_NONE, 0);
        CHECK_OK(store_drain(store, &err), &err); /* when there is space */
    }
    reopen();
    for (unsigned n = 0; n < count; n++)
        assert_int_equal(read_record(n), OK);
    CHECK_OK(store_check(store, &err), &err);
    stop();
    return hit;
}

static void a_wal_that_is_moved_loses_nothing_whatever_the_disk_does(void **state)
{
    (void)state;
    static const enum vfs_fault_kind kinds[] = { VFS_FAULT_POWER_CUT, VFS_FAULT_EIO,
                                                 VFS_FAULT_FULL };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        for (uint64_t nth = 1; disturb_drain(kinds[i], nth); nth++)
            continue;
}

static void a_wal_that_was_moved_is_written_again_from_its_start(void **state)
{
    (void)state;
    unsigned count = fill_wal();
    struct store_stats before;
    struct store_stats after;
    CHECK_OK(store_drain(store, &err), &err);
    CHECK_OK(store_stats(store, &before, &err), &err);
    CHECK_OK(add_records(count, count + 20), &err);
    assert_true(store->wal_pages > 0 && store->wal_pages < STORE_WAL_IDLE_PAGES);
    CHECK_OK(store_stats(store, &after, &err), &err);
    assert_true(after.wal_bytes == before.wal_bytes);
    stop();
}

static void a_sync_that_fails_while_the_wal_is_moved_is_final(void **state)
{
    (void)state;
    bool lost = false;
    for (uint64_t nth = 1; !lost && nth < 1000; nth++) {
        (void)fill_wal();
        vfs_fault_at(disk, VFS_FAULT_EIO, nth);
        if (store_drain(store, &err) == ERR_IO && store_is_lost(store)) {
            lost = true;
            CHECK_CONTAINS(err.text, "fsync");
            CHECK_STATUS(add_records(0, 1), ERR_IO, &err);
        }
        stop();
    }
    assert_true(lost);
}

static void add_relaxed(unsigned n)
{
    struct record_row row = { .record_id = id_of(n), .kind = RECORD_ROW_EXCERPT };
    char text[64];
    uint32_t version = 0;
    (void)snprintf(text, sizeof(text), "plain text number %u", n);
    CHECK_OK(store_begin_relaxed(store, &err), &err);
    CHECK_OK(record_rows_add(store, &row, span_text(text), &version, &err), &err);
    CHECK_OK(store_commit(store, &err), &err);
}

static void what_a_relaxed_commit_stored_is_durable_with_the_next_one(void **state)
{
    (void)state;
    unsigned lost = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        start(seed);
        CHECK_OK(add_records(0, 10), &err);
        add_relaxed(10);
        if (seed % 2 == 0)
            CHECK_OK(add_records(11, 12), &err);
        vfs_fault_power_cut(disk);
        reopen();
        for (unsigned n = 0; n < 10; n++)
            assert_int_equal(read_record(n), OK);
        enum status found = read_record(10);
        if (seed % 2 == 0)
            assert_int_equal(found, OK);
        else
            assert_true(found == OK || found == ERR_NOT_FOUND);
        lost += found == ERR_NOT_FOUND;
        CHECK_OK(store_check(store, &err), &err);
        stop();
    }
    assert_true(lost > 0); /* it does not wait for the disk */
}

static void no_head_changes_in_a_relaxed_transaction(void **state)
{
    (void)state;
    start(1);
    CHECK_OK(store_begin_relaxed(store, &err), &err);
    CHECK_STATUS(heads_mark(store, 1, &err), ERR_INTERNAL, &err);
    store_rollback(store);
    CHECK_OK(store_begin(store, &err), &err);
    CHECK_OK(heads_mark(store, 1, &err), &err);
    store_rollback(store);
    stop();
}

static void a_failed_sync_is_final(void **state)
{
    (void)state;
    start(1);
    bool lost = false;
    for (uint64_t nth = 1; !lost && nth < 100; nth++) {
        vfs_fault_at(disk, VFS_FAULT_EIO, nth);
        (void)add_records((unsigned)nth * 10, (unsigned)nth * 10 + 2);
        lost = store_is_lost(store);
        vfs_fault_at(disk, VFS_FAULT_NONE, 0);
    }
    assert_true(lost);
    CHECK_STATUS(store_begin(store, &err), ERR_IO, &err);
    CHECK_CONTAINS(err.text, "fsync");
    CHECK_STATUS(read_record(10), ERR_IO, &err);
    stop();
}

static void creating_survives_a_power_cut_at_every_operation(void **state)
{
    (void)state;
    bool hit = true;
    for (uint64_t nth = 1; hit; nth++) {
        disk = vfs_fault_new("fault", nth);
        clock_fake_init(&now, INT64_C(1764000000000));
        random_seeded_init(&dice, nth);
        vfs_fault_at(disk, VFS_FAULT_POWER_CUT, nth);
        struct store_options o = options();
        enum status told = store_create(&o, &store, &err);
        hit = vfs_fault_hit(disk);
        vfs_fault_at(disk, VFS_FAULT_NONE, 0);
        if (told == OK)
            reopen();
        else
            assert_null(store);
        stop();
    }
}

static void no_plain_text_and_no_key_is_ever_written(void **state)
{
    (void)state;
    uint64_t slot = 0;
    struct seal_key key;
    start(1);
    vfs_fault_record(disk);
    CHECK_OK(add_records(0, RECORDS), &err);
    CHECK_OK(store_begin(store, &err), &err);
    CHECK_OK(keys_add(store, &ID_NONE, &slot, &key, &err), &err);
    CHECK_OK(store_commit(store, &err), &err);
    make_backup();
    CHECK_OK(erase_record(VICTIM), &err);
    struct id id = id_of(1);
    assert_true(vfs_fault_count_ever(disk, SPAN_ARRAY(id.bytes)) > 0); /* the scan can find */
    assert_int_equal(vfs_fault_count_ever(disk, SPAN_LITERAL("plain text number")), 0);
    assert_int_equal(vfs_fault_count_ever(disk, SPAN_ARRAY(key.bytes)), 0);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_erasure_survives_a_power_cut_at_every_operation),
        cmocka_unit_test(an_erasure_with_a_bundle_survives_a_power_cut_at_every_operation),
        cmocka_unit_test(an_erasure_survives_an_io_error_at_every_operation),
        cmocka_unit_test(an_erasure_survives_a_full_disk_at_every_operation),
        cmocka_unit_test(a_commit_is_whole_or_absent_after_a_power_cut),
        cmocka_unit_test(a_commit_is_whole_or_absent_after_an_io_error),
        cmocka_unit_test(a_full_disk_refuses_new_data_serves_the_old_and_recovers),
        cmocka_unit_test(a_wal_that_is_moved_loses_nothing_whatever_the_disk_does),
        cmocka_unit_test(a_wal_that_was_moved_is_written_again_from_its_start),
        cmocka_unit_test(a_sync_that_fails_while_the_wal_is_moved_is_final),
        cmocka_unit_test(what_a_relaxed_commit_stored_is_durable_with_the_next_one),
        cmocka_unit_test(no_head_changes_in_a_relaxed_transaction),
        cmocka_unit_test(a_failed_sync_is_final),
        cmocka_unit_test(creating_survives_a_power_cut_at_every_operation),
        cmocka_unit_test(no_plain_text_and_no_key_is_ever_written),
    };
    return cmocka_run_group_tests(tests, make_images, free_images);
}
