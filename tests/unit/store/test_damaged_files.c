/* Files beside the database that were cut, changed or mixed up: refused by name or not believed,
 * never half used. */
#include "base/memory.h"
#include "store/backup.h"
#include "store/bundle.h"
#include "store/feed_rows.h"
#include "store/file.h"
#include "store/heads.h"
#include "store/peer_rows.h"
#include "store/record_rows.h"
#include "store/store.h"
#include "support/check.h"
#include "support/store_place.h"

#include <unistd.h>

enum { RECORDS = 300 }; /* several pages of keys */

static struct store_place place, target;
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
    store_place_make(&place, 31);
    store_place_make(&target, 32);
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

static void add_records(void)
{
    CHECK_OK(store_begin(store, &err), &err);
    for (unsigned n = 0; n < RECORDS; n++) {
        struct record_row row = { .kind = RECORD_ROW_EXCERPT };
        uint32_t version = 0;
        row.record_id.bytes[0] = (uint8_t)(1 + n / 250);
        row.record_id.bytes[15] = (uint8_t)n;
        row.record_id.bytes[14] = (uint8_t)(n >> 8);
        CHECK_OK(record_rows_add(store, &row, SPAN_LITERAL("text"), &version, &err), &err);
    }
    CHECK_OK(store_commit(store, &err), &err);
}

static void back_up(void)
{
    struct backup *backup = NULL;
    bool done = false;
    CHECK_OK(backup_start(store, store_place_path(&place, "bulk"), &backup, &err), &err);
    while (!done)
        CHECK_OK(backup_step(backup, &done, &err), &err);
    backup_free(backup);
}

/* -- the bundle -------------------------------------------------------------------------------- */

static enum status restore_with(struct span bundle)
{
    store_place_write(&place, "changed", bundle);
    struct store_options o = options_of(&target);
    return backup_restore(&o, store_place_path(&place, "bulk"), store_place_path(&place, "changed"),
                          NULL, &err);
}

static void assert_nothing_restored(void)
{
    static const char *const files[] = { "comity.db", "root.slot", "heads", "keys.bundle" };
    for (size_t i = 0; i < COUNT(files); i++)
        assert_int_not_equal(access(store_place_path(&target, files[i]), F_OK), 0);
}

static void a_bundle_that_was_cut_anywhere_is_refused_and_nothing_is_left(void **state)
{
    (void)state;
    add_records();
    back_up();
    struct buf bundle = store_place_read(&place, "keys.bundle");
    size_t blocks = bundle.size / BUNDLE_BLOCK_SIZE;
    assert_true(blocks >= 4);
    for (size_t block = 1; block < blocks; block++) {
        CHECK_STATUS(restore_with(span_of(bundle.data, block * BUNDLE_BLOCK_SIZE)), ERR_CORRUPT,
                     &err);
        CHECK_CONTAINS(err.text, "keys.bundle");
        assert_nothing_restored();
    }
    buf_fini(&bundle);
}

static void a_bundle_with_a_page_that_is_changed_or_in_anothers_place_is_refused(void **state)
{
    (void)state;
    enum { CHANGED, EMPTIED, COPIED, DAMAGES };
    add_records();
    back_up();
    struct buf bundle = store_place_read(&place, "keys.bundle");
    struct buf damaged = BUF_INIT;
    size_t blocks = bundle.size / BUNDLE_BLOCK_SIZE;
    for (size_t block = 1; block < blocks; block++) {
        for (int damage = CHANGED; damage < DAMAGES; damage++) {
            buf_clear(&damaged);
            CHECK_OK(buf_append(&damaged, buf_span(&bundle), &err), &err);
            uint8_t *at = damaged.data + block * BUNDLE_BLOCK_SIZE;
            const uint8_t *other = damaged.data + (block == 1 ? 2 : block - 1) * BUNDLE_BLOCK_SIZE;
            if (damage == CHANGED)
                at[1000] ^= 1;
            else if (damage == EMPTIED)
                memset(at, 0, BUNDLE_BLOCK_SIZE);
            else
                memcpy(at + 16, other + 16, BUNDLE_BLOCK_SIZE - 16); /* under its own number */
            CHECK_STATUS(restore_with(buf_span(&damaged)), ERR_CORRUPT, &err);
            CHECK_CONTAINS(err.text, "keys.bundle");
            assert_nothing_restored();
        }
    }
    CHECK_OK(restore_with(buf_span(&bundle)), &err); /* what was refused was the damage */
    buf_fini(&damaged);
    buf_fini(&bundle);
}

static void a_backup_is_begun_at_a_place_that_can_be_and_outside_a_transaction(void **state)
{
    (void)state;
    struct backup *backup = NULL;
    static char far[FILE_PATH_MAX + 2];
    memset(far, 'x', sizeof(far));
    far[0] = '/';
    far[sizeof(far) - 1] = '\0';
    CHECK_STATUS(backup_start(store, far, &backup, &err), ERR_LIMIT, &err);
    CHECK_OK(store_begin(store, &err), &err);
    CHECK_STATUS(backup_start(store, store_place_path(&place, "bulk"), &backup, &err), ERR_INTERNAL,
                 &err);
    store_rollback(store);
    assert_null(backup);
    CHECK_OK(backup_start(store, store_place_path(&place, "bulk"), &backup, &err), &err);
    bool done = false;
    CHECK_OK(store_begin(store, &err), &err);
    CHECK_STATUS(backup_step(backup, &done, &err), ERR_INTERNAL, &err);
    store_rollback(store);
    backup_free(backup);
    assert_int_not_equal(access(store_place_path(&place, "bulk"), F_OK), 0);
}

/* -- the heads --------------------------------------------------------------------------------- */

static int64_t add_feed(const char *code)
{
    int64_t peer_id = 0;
    int64_t id = 0;
    struct peer_row peer = { .state = PEER_ACCEPTED };
    struct feed_row feed = { .direction = FEED_OUT, .state = FEED_ACTIVE, .size = 7 };
    CHECK_OK(code_parse(code, &peer.code, &err), &err);
    (void)snprintf(feed.origin, sizeof(feed.origin), "feed/%s", code);
    CHECK_OK(store_begin(store, &err), &err);
    CHECK_OK(peer_rows_add(store, &peer, &peer_id, &err), &err);
    feed.peer_id = peer_id;
    CHECK_OK(feed_rows_add(store, &feed, &id, &err), &err);
    CHECK_OK(feed_rows_get(store, id, &feed, &err), &err);
    feed.size = 7;
    CHECK_OK(feed_rows_set_head(store, &feed, &err), &err);
    CHECK_OK(store_commit(store, &err), &err);
    CHECK_OK(heads_save(store, &err), &err);
    return id;
}

static bool is_rolled_back(int64_t feed_id)
{
    struct feed_row row;
    CHECK_OK(feed_rows_get(store, feed_id, &row, &err), &err);
    return row.rolled_back;
}

/* Opens the node again with these heads. */
static void open_with(struct span heads)
{
    store_close(store);
    store = NULL;
    store_place_write(&place, "heads", heads);
    struct store_options o = options_of(&place);
    CHECK_OK(store_open(&o, &store, &err), &err);
}

static void heads_that_were_cut_zeroed_or_mixed_up_accuse_nobody(void **state)
{
    (void)state;
    int64_t one = add_feed("KE");
    int64_t two = add_feed("GB");
    struct buf heads = store_place_read(&place, "heads");
    struct buf mixed = BUF_INIT;
    assert_true(heads.size >= (size_t)(two + 1) * HEADS_SLOT_SIZE);
    for (size_t size = 1; size < heads.size; size += HEADS_SLOT_SIZE / 2)
        open_with(span_of(heads.data, size));
    CHECK_OK(buf_append_zeros(&mixed, heads.size, &err), &err);
    open_with(buf_span(&mixed));
    memcpy(mixed.data + (size_t)one * HEADS_SLOT_SIZE, heads.data + (size_t)two * HEADS_SLOT_SIZE,
           HEADS_SLOT_SIZE);
    open_with(buf_span(&mixed)); /* a whole slot, in another's place */
    assert_false(is_rolled_back(one));
    assert_false(is_rolled_back(two));
    int64_t restored_ms = -1;
    CHECK_OK(store_restored(store, &restored_ms, &err), &err);
    assert_int_equal(restored_ms, 0);
    buf_fini(&mixed);
    buf_fini(&heads);
}

static void heads_of_another_database_accuse_nobody(void **state)
{
    (void)state;
    int64_t feed_id = add_feed("KE");
    struct store *other = NULL;
    struct store_options o = options_of(&target);
    CHECK_OK(store_create(&o, &other, &err), &err);
    struct store *mine = store;
    store = other;
    (void)add_feed("GB");
    store_close(store);
    store = mine;
    struct buf heads = store_place_read(&target, "heads");
    open_with(buf_span(&heads));
    assert_false(is_rolled_back(feed_id));
    buf_fini(&heads);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_bundle_that_was_cut_anywhere_is_refused_and_nothing_is_left),
        TEST(a_bundle_with_a_page_that_is_changed_or_in_anothers_place_is_refused),
        TEST(a_backup_is_begun_at_a_place_that_can_be_and_outside_a_transaction),
        TEST(heads_that_were_cut_zeroed_or_mixed_up_accuse_nobody),
        TEST(heads_of_another_database_accuse_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
