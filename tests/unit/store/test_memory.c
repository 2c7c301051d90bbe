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

/* -- the life of a node, from its making to the restoring of its backup --------------------------
 */

static uint64_t slot; /* of the key of the entry that is erased */

static enum status make(struct store **store)
{
    struct store_options a = options("/a");
    return store_create(&a, store, &err);
}

static enum status fill_and_read(struct store **store)
{
    enum status status = fill(*store, &slot);
    return status == OK ? read_all(*store) : status;
}

static enum status back_up_and_erase(struct store **store)
{
    struct keys_change nothing = { NULL, NULL };
    enum status status = back_up(*store);
    return status == OK ? keys_erase(*store, &slot, 1, nothing, &err) : status;
}

static enum status open_again(struct store **store)
{
    struct store_options a = options("/a");
    store_close(*store);
    *store = NULL;
    enum status status = store_open(&a, store, &err);
    store_close(*store);
    *store = NULL;
    return status;
}

static enum status restore(struct store **store)
{
    struct backup_info info;
    struct store_options b = options("/b");
    enum status status = backup_verify(&b, "/a/bulk", "/a/keys.bundle", &info, &err);
    (void)store;
    return status == OK ? backup_restore(&b, "/a/bulk", "/a/keys.bundle", NULL, &err) : status;
}

/* A stage begins from the disk that the one before left, so that no failure costs a whole life. */
static struct stage {
    const char *name;
    enum status (*run)(struct store **store);
    bool needs_store;
    struct vfs_fault_image *before;
} stages[] = {
    { "make", make, false, NULL },
    { "fill and read", fill_and_read, true, NULL },
    { "back up and erase", back_up_and_erase, true, NULL },
    { "open again", open_again, false, NULL },
    { "restore", restore, false, NULL },
};

enum { STAGES = sizeof(stages) / sizeof(stages[0]) };

static struct vfs_fault *disk;
static struct store *node;

static void start(const struct stage *stage, uint64_t seed)
{
    struct store_options a = options("/a");
    disk = vfs_fault_new("fault", seed);
    assert_non_null(disk);
    clock_fake_init(&now, INT64_C(1764000000000));
    random_seeded_init(&dice, seed);
    if (stage->before != NULL)
        vfs_fault_restore(disk, stage->before);
    if (stage->needs_store)
        CHECK_OK(store_open(&a, &node, &err), &err);
    err = (struct error)ERROR_INIT;
}

static void stop(void)
{
    store_close(node);
    node = NULL;
    vfs_fault_free(disk);
}

static int live_undisturbed(void **state)
{
    (void)state;
    struct sha256 *sha = NULL; /* the thread's own lives on */
    CHECK_OK(sha256_thread(&sha, &err), &err);
    for (size_t i = 0; i < STAGES; i++) {
        start(&stages[i], 1000 + i);
        CHECK_OK(stages[i].run(&node), &err);
        store_close(node);
        node = NULL;
        if (i + 1 < STAGES)
            stages[i + 1].before = vfs_fault_save(disk);
        stop();
    }
    return 0;
}

static int forget_disks(void **state)
{
    (void)state;
    for (size_t i = 1; i < STAGES; i++)
        vfs_fault_image_free(stages[i].before);
    return 0;
}

/* -- what fails, each time the nth of its kind --------------------------------------------------
 */

enum fault { FAULT_MEMORY, FAULT_NO_MEMORY, FAULT_STATEMENT, FAULT_CRYPTO, FAULT_DISK };

static void arm(enum fault fault, uint64_t nth)
{
    switch (fault) {
    case FAULT_MEMORY:
        mem_fail_at(nth, false);
        break;
    case FAULT_NO_MEMORY:
        mem_fail_at(nth, true);
        break;
    case FAULT_STATEMENT:
        call_fault_at(CALL_FAULT_SQL, nth, 0);
        break;
    case FAULT_CRYPTO:
        call_fault_at(CALL_FAULT_CRYPTO, nth, 0);
        break;
    case FAULT_DISK:
        vfs_fault_at(disk, VFS_FAULT_EIO, nth);
        break;
    }
}

static bool was_hit(enum fault fault)
{
    if (fault == FAULT_DISK)
        return vfs_fault_hit(disk);
    return fault <= FAULT_NO_MEMORY ? mem_fail_hit() : call_fault_hit();
}

static void disarm(void)
{
    mem_fail_at(0, false);
    call_fault_off();
    vfs_fault_at(disk, VFS_FAULT_NONE, 0);
}

/* Whether the stage reached the nth.  A life that goes on after the failure goes on to its end: it
 * has hidden nothing that it needed. */
static bool live_with(size_t first, enum fault fault, uint64_t nth)
{
    int64_t live_before = mem_live();
    start(&stages[first], nth);
    arm(fault, nth);
    enum status status = stages[first].run(&node);
    bool hit = was_hit(fault);
    for (size_t i = first + 1; hit && status == OK && i < STAGES; i++)
        status = stages[i].run(&node);
    disarm();
    bool memory = fault <= FAULT_NO_MEMORY;
    if (status != OK && (!hit || err.text[0] == '\0' || (memory && status != ERR_MEMORY)))
        fail_msg("%s: fault %d at %llu: %s: %s", stages[first].name, fault, (unsigned long long)nth,
                 status_name(status), err.text);
    stop();
    assert_int_equal(mem_live(), live_before);
    return hit;
}

static void sweep(enum fault fault)
{
    uint64_t points = 0;
    for (size_t i = 0; i < STAGES; i++)
        for (uint64_t nth = 1; live_with(i, fault, nth); nth++)
            points++;
    assert_true(points >= STAGES);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    sweep(FAULT_MEMORY);
}

static void memory_may_run_out_for_ever_at_every_allocation(void **state)
{
    (void)state;
    sweep(FAULT_NO_MEMORY);
}

static void every_statement_may_fail(void **state)
{
    (void)state;
    sweep(FAULT_STATEMENT);
}

static void every_call_of_openssl_may_fail(void **state)
{
    (void)state;
    sweep(FAULT_CRYPTO);
}

static void every_write_may_fail(void **state)
{
    (void)state;
    sweep(FAULT_DISK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(memory_may_run_out_for_ever_at_every_allocation),
        cmocka_unit_test(every_statement_may_fail),
        cmocka_unit_test(every_call_of_openssl_may_fail),
        cmocka_unit_test(every_write_may_fail),
    };
    return cmocka_run_group_tests(tests, live_undisturbed, forget_disks);
}
