/* Memory that runs out at any allocation, statements, calls of OpenSSL and writes that fail, each
 * in turn: one call fails with a sentence, nothing leaks, nothing is half-done. */
#include "base/memory.h"
#include "crypto/digest.h"
#include "store/backup.h"
#include "store/entry_rows.h"
#include "store/feed_rows.h"
#include "store/heads.h"
#include "store/keys.h"
#include "store/outbox_rows.h"
#include "store/peer_rows.h"
#include "store/record_rows.h"
#include "support/call_fault.h"
#include "support/check.h"
#include "support/vfs_fault.h"

static struct clock_fake now;
static struct random_seeded dice;
static struct error err;

static struct store_options options(const char *directory)
{
    return (struct store_options){
        .directory = directory, .clock = &now.base, .random = &dice.base, .vfs = "fault"
    };
}

static const uint8_t salt[SALT_SIZE] = { 1 };
static const uint8_t header[120] = { 1 };

/* One transaction with a peer, a feed, an entry, a queued entry and a record. */
static enum status fill(struct store *store, uint64_t *ret_slot)
{
    int64_t peer_id = 0;
    int64_t feed_id = 0;
    int64_t outbox_id = 0;
    uint32_t version = 0;
    struct peer_row peer = { .state = PEER_ACCEPTED, .code = { "KE" } };
    struct feed_row feed = { .direction = FEED_OUT, .state = FEED_ACTIVE, .origin = "origin" };
    struct entry_append entry = { .header = SPAN_ARRAY(header),
                                  .salt = SPAN_ARRAY(salt),
                                  .body = SPAN_LITERAL("body") };
    struct record_row record = { .record_id = { { 1 } }, .kind = RECORD_ROW_EXCERPT };
    struct outbox_row queued = { .body = SPAN_LITERAL("queued") };
    struct entry_row row;
    enum status status = store_begin(store, &err);
    if (status == OK)
        status = peer_rows_add(store, &peer, &peer_id, &err);
    feed.peer_id = queued.peer_id = peer_id;
    if (status == OK)
        status = feed_rows_add(store, &feed, &feed_id, &err);
    if (status == OK)
        status = entry_rows_append(store, feed_id, 0, &entry, &err);
    if (status == OK)
        status = outbox_rows_add(store, &queued, &outbox_id, &err);
    if (status == OK)
        status = record_rows_add(store, &record, SPAN_LITERAL("text"), &version, &err);
    if (status == OK)
        status = store_commit(store, &err);
    else
        store_rollback(store);
    if (status == OK)
        status = heads_save(store, &err);
    if (status == OK)
        status = entry_rows_get(store, feed_id, 0, &row, &err);
    if (status == OK)
        *ret_slot = row.key_slot;
    return status;
}

static enum status read_all(struct store *store)
{
    struct buf one = BUF_INIT;
    struct buf two = BUF_INIT;
    struct entry_row row;
    struct id record_id = { { 1 } };
    bool canonical = false;
    enum status status = entry_rows_get(store, 1, 0, &row, &err);
    if (status == OK)
        status = entry_rows_open(store, &row, &one, &two, &canonical, &err);
    if (status == OK)
        status = record_rows_open(store, &record_id, 1, &two, &err);
    buf_fini(&one);
    buf_fini(&two);
    return status;
}

static enum status back_up(struct store *store)
{
    struct backup *backup = NULL;
    bool done = false;
    enum status status = backup_start(store, "/a/bulk", &backup, &err);
    while (status == OK && !done)
        status = backup_step(backup, &done, &err);
    backup_free(backup);
    return status;
}

/* The life of a node, from its making to the restoring of its backup. */
static enum status live(void)
{
    struct store *store = NULL;
    struct keys_change nothing = { NULL, NULL };
    struct backup_info info;
    uint64_t slot = 0;
    struct store_options a = options("/a");
    struct store_options b = options("/b");
    enum status status = store_create(&a, &store, &err);
    if (status == OK)
        status = fill(store, &slot);
    if (status == OK)
        status = read_all(store);
    if (status == OK)
        status = back_up(store);
    if (status == OK)
        status = keys_erase(store, &slot, 1, nothing, &err);
    store_close(store);
    store = NULL;
    if (status == OK)
        status = store_open(&a, &store, &err);
    store_close(store);
    if (status == OK)
        status = backup_verify(&b, "/a/bulk", "/a/keys.bundle", &info, &err);
    if (status == OK)
        status = backup_restore(&b, "/a/bulk", "/a/keys.bundle", &err);
    return status;
}

static void every_allocation_may_fail_once_or_for_ever(void **state)
{
    (void)state;
    struct sha256 *sha = NULL; /* the thread's own lives on */
    CHECK_OK(sha256_thread(&sha, &err), &err);
    int64_t live_before = mem_live();
    for (int for_ever = 0; for_ever < 2; for_ever++) {
        bool hit = true;
        for (uint64_t nth = 1; hit; nth++) {
            struct vfs_fault *disk = vfs_fault_new("fault", nth);
            assert_non_null(disk);
            clock_fake_init(&now, INT64_C(1764000000000));
            random_seeded_init(&dice, nth);
            mem_fail_at(nth, for_ever != 0);
            enum status status = live();
            hit = mem_fail_hit();
            mem_fail_at(0, false);
            if (status != (hit ? ERR_MEMORY : OK) && status != OK)
                fail_msg("allocation %llu: %s: %s", (unsigned long long)nth, status_name(status),
                         err.text);
            assert_int_equal(mem_live(), live_before);
            vfs_fault_free(disk);
        }
    }
}

/* -- what is no memory --------------------------------------------------------------------------
 */

enum fault { FAULT_STATEMENT, FAULT_CRYPTO, FAULT_DISK, FAULT_COUNT };

static void arm(enum fault fault, struct vfs_fault *disk, uint64_t nth)
{
    switch (fault) {
    case FAULT_STATEMENT:
        call_fault_at(CALL_FAULT_SQL, nth, 0);
        break;
    case FAULT_CRYPTO:
        call_fault_at(CALL_FAULT_CRYPTO, nth, 0);
        break;
    case FAULT_DISK:
        vfs_fault_at(disk, VFS_FAULT_EIO, nth);
        break;
    case FAULT_COUNT:
        break;
    }
}

/* Whether the nth was reached.  What was stored before it failed is there when it is opened again;
 * a life that went on after the failure has hidden nothing that it needed. */
static bool live_with(enum fault fault, uint64_t nth)
{
    int64_t live_before = mem_live();
    struct vfs_fault *disk = vfs_fault_new("fault", nth);
    assert_non_null(disk);
    clock_fake_init(&now, INT64_C(1764000000000));
    random_seeded_init(&dice, nth);
    err = (struct error)ERROR_INIT;
    arm(fault, disk, nth);
    enum status status = live();
    bool hit = fault >= FAULT_DISK ? vfs_fault_hit(disk) : call_fault_hit();
    call_fault_off();
    vfs_fault_at(disk, VFS_FAULT_NONE, 0);
    if (status != OK && (!hit || err.text[0] == '\0'))
        fail_msg("%s %llu: %s: %s", call_fault_name(), (unsigned long long)nth, status_name(status),
                 err.text);
    assert_int_equal(mem_live(), live_before);
    vfs_fault_free(disk);
    return hit;
}

static void every_statement_call_and_write_may_fail(void **state)
{
    (void)state;
    struct sha256 *sha = NULL; /* the thread's own lives on */
    CHECK_OK(sha256_thread(&sha, &err), &err);
    for (int fault = 0; fault < FAULT_COUNT; fault++)
        for (uint64_t nth = 1; live_with((enum fault)fault, nth);) /* then fewer and fewer */
            nth += nth < 200 ? 1 : 1 + nth / 20;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail_once_or_for_ever),
        cmocka_unit_test(every_statement_call_and_write_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
