/* Feeds and their entries: sealed in their place, walked without gaps, erased for good. */
#include "base/memory.h"
#include "store/delivery_rows.h"
#include "store/entry_rows.h"
#include "store/feed_rows.h"
#include "store/heads.h"
#include "store/inside.h"
#include "store/keys.h"
#include "store/peer_rows.h"
#include "store/record_rows.h"
#include "support/check.h"
#include "support/store_place.h"

static struct store_place place;
static struct store *store;
static struct error err;
static int64_t peer_id;
static int64_t feed_id;

static struct store_options options(void)
{
    return (struct store_options){ .directory = place.directory,
                                   .clock = &place.clock.base,
                                   .random = &place.random.base };
}

static struct peer_row peer_of(const char *code)
{
    struct peer_row row = { .state = PEER_ACCEPTED, .name = "Kenya", .added_by = 1000 };
    CHECK_OK(code_parse(code, &row.code, &err), &err);
    CHECK_OK(realm_parse("training", &row.realm, &err), &err);
    return row;
}

static struct feed_row feed_of(enum feed_direction direction, const char *origin)
{
    struct feed_row row = { .peer_id = peer_id, .direction = direction, .state = FEED_ACTIVE };
    (void)snprintf(row.origin, sizeof(row.origin), "%s", origin);
    return row;
}

static int set_up(void **state)
{
    (void)state;
    store_place_make(&place, 11);
    struct store_options o = options();
    CHECK_OK(store_create(&o, &store, &err), &err);
    CHECK_OK(store_begin(store, &err), &err);
    struct peer_row peer = peer_of("KE");
    CHECK_OK(peer_rows_add(store, &peer, &peer_id, &err), &err);
    struct feed_row feed = feed_of(FEED_OUT, "comity.v1/training/feed/UNODC/KE/1");
    CHECK_OK(feed_rows_add(store, &feed, &feed_id, &err), &err);
    CHECK_OK(store_commit(store, &err), &err);
    CHECK_OK(store_begin(store, &err), &err);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    store_close(store);
    store_place_remove(&place);
    return 0;
}

static const uint8_t salt[SALT_SIZE] = { 1, 2, 3 };
static const uint8_t header[120] = { 1, 0, 16 };

static struct entry_append entry_of(const char *body)
{
    return (struct entry_append){ .header = SPAN_ARRAY(header),
                                  .salt = SPAN_ARRAY(salt),
                                  .body = span_text(body) };
}

static void append(uint64_t index, const char *body)
{
    struct entry_append entry = entry_of(body);
    CHECK_OK(entry_rows_append(store, feed_id, index, &entry, &err), &err);
}

static enum status read_entry(uint64_t index, struct buf *ret_body)
{
    struct entry_row row;
    struct buf got_salt = BUF_INIT_SECRET;
    bool canonical = false;
    buf_clear(ret_body);
    CHECK_OK(entry_rows_get(store, feed_id, index, &row, &err), &err);
    enum status status = entry_rows_open(store, &row, &got_salt, ret_body, &canonical, &err);
    if (status == OK && got_salt.size > 0)
        assert_true(span_equal(buf_span(&got_salt), SPAN_ARRAY(salt)));
    buf_fini(&got_salt);
    return status;
}

/* Padding is not stored, and comes back; a body that ends with zeros of its own is as good. */
static void what_is_opened_has_its_padding_again(void **state)
{
    (void)state;
    static const size_t contents[] = { 0, 1, 7, 8, 9, 40, 63, 64 };
    uint8_t padded_header[120] = { 1, 0, 16 };
    uint8_t body[64];
    struct buf got = BUF_INIT_SECRET;
    struct entry_row row;
    padded_header[87] = sizeof(body);
    for (size_t i = 0; i < COUNT(contents); i++) {
        memset(body, 0, sizeof(body));
        memset(body, 7, contents[i]);
        struct entry_append entry = { .header = SPAN_ARRAY(padded_header),
                                      .salt = SPAN_ARRAY(salt),
                                      .body = SPAN_ARRAY(body) };
        CHECK_OK(entry_rows_append(store, feed_id, i, &entry, &err), &err);
        CHECK_OK(read_entry(i, &got), &err);
        assert_true(span_equal(buf_span(&got), SPAN_ARRAY(body)));
        CHECK_OK(entry_rows_get(store, feed_id, i, &row, &err), &err);
        assert_int_equal(row.sealed.size, SEAL_OVERHEAD + SALT_SIZE + contents[i]);
    }
    buf_fini(&got);
    struct entry_append cut = { .header = SPAN_ARRAY(padded_header),
                                .salt = SPAN_ARRAY(salt),
                                .body = span_of(body, 63) };
    CHECK_STATUS(entry_rows_append(store, feed_id, 9, &cut, &err), ERR_INVALID, &err);
    CHECK_CONTAINS(err.text, "64");
}

static void append_refuses_what_does_not_fit(void **state)
{
    (void)state;
    struct entry_append entry = entry_of("body");
    entry.salt.size = 31;
    CHECK_STATUS(entry_rows_append(store, feed_id, 0, &entry, &err), ERR_INVALID, &err);
    entry = entry_of("body");
    entry.salt = SPAN_EMPTY;
    CHECK_STATUS(entry_rows_append(store, feed_id, 0, &entry, &err), ERR_INVALID, &err);
    entry = entry_of("body");
    entry.withheld = true;
    CHECK_STATUS(entry_rows_append(store, feed_id, 0, &entry, &err), ERR_INVALID, &err);
    entry = entry_of("body");
    entry.header = SPAN_EMPTY;
    CHECK_STATUS(entry_rows_append(store, feed_id, 0, &entry, &err), ERR_LIMIT, &err);
    entry = entry_of("");
    entry.body = span_of(header, ENTRY_BODY_MAX + 1);
    CHECK_STATUS(entry_rows_append(store, feed_id, 0, &entry, &err), ERR_LIMIT, &err);
    entry = entry_of("body");
    CHECK_STATUS(entry_rows_append(store, feed_id, FEED_ENTRIES_MAX, &entry, &err), ERR_FULL, &err);
    CHECK_STATUS(entry_rows_append(store, 999, 0, &entry, &err), ERR_NOT_FOUND, &err);
    append(0, "first");
    CHECK_STATUS(entry_rows_append(store, feed_id, 0, &entry, &err), ERR_EXISTS, &err);
    entry = entry_of("");
    entry.version_of.bytes[0] = 1;
    entry.version = 1;
    CHECK_STATUS(entry_rows_append(store, feed_id, 1, &entry, &err), ERR_NOT_FOUND, &err);
}

static void entries_come_back_and_open(void **state)
{
    (void)state;
    struct buf body = BUF_INIT;
    append(0, "a body");
    append(1, "");
    struct entry_append entry = entry_of("");
    entry.salt = SPAN_EMPTY;
    CHECK_OK(entry_rows_append(store, feed_id, 2, &entry, &err), &err); /* inline */
    CHECK_OK(entry_rows_append_header(store, feed_id, 3, SPAN_ARRAY(header), &err), &err);
    CHECK_OK(store_commit(store, &err), &err);
    CHECK_OK(read_entry(0, &body), &err);
    assert_true(span_equal(buf_span(&body), SPAN_LITERAL("a body")));
    for (uint64_t i = 1; i < 4; i++) {
        CHECK_OK(read_entry(i, &body), &err);
        assert_int_equal(body.size, 0);
    }
    struct entry_row row;
    CHECK_OK(entry_rows_get(store, feed_id, 3, &row, &err), &err);
    assert_int_equal(row.flags, ENTRY_WITHHELD);
    assert_true(span_equal(row.header, SPAN_ARRAY(header)));
    CHECK_STATUS(entry_rows_get(store, feed_id, 4, &row, &err), ERR_NOT_FOUND, &err);
    assert_int_equal(store_place_count(&place, SPAN_LITERAL("a body")), 0);
    buf_fini(&body);
}

static void a_publishers_copy_stores_the_body_once(void **state)
{
    (void)state;
    struct record_row record = { .record_id = { { 9 } }, .kind = RECORD_ROW_RELEASE };
    uint32_t version = 0;
    struct buf body = BUF_INIT;
    struct buf got_salt = BUF_INIT;
    CHECK_OK(record_rows_add(store, &record, SPAN_LITERAL("canonical"), &version, &err), &err);
    struct entry_append entry = entry_of("");
    entry.version_of = record.record_id;
    entry.version = version;
    CHECK_OK(entry_rows_append(store, feed_id, 0, &entry, &err), &err);
    struct entry_row row;
    bool canonical = false;
    CHECK_OK(entry_rows_get(store, feed_id, 0, &row, &err), &err);
    assert_int_equal(row.sealed.size, SALT_SIZE + SEAL_OVERHEAD);
    assert_true(row.key_slot == KEY_SLOT_NONE);
    CHECK_OK(entry_rows_open(store, &row, &got_salt, &body, &canonical, &err), &err);
    assert_true(canonical);
    assert_true(span_equal(buf_span(&got_salt), SPAN_ARRAY(salt)));
    assert_true(span_equal(buf_span(&body), SPAN_LITERAL("canonical")));
    buf_fini(&body);
    buf_fini(&got_salt);
}

static void a_walk_gives_every_entry_once_and_can_open_them(void **state)
{
    (void)state;
    struct entry_cursor cursor;
    struct entry_row row;
    bool found = true;
    uint64_t count = 0;
    for (uint64_t i = 0; i < 300; i++)
        append(i, i % 2 == 0 ? "even" : "odd");
    CHECK_OK(entry_rows_walk(store, feed_id, 10, 290, &cursor, &err), &err);
    while (found) {
        CHECK_OK(entry_rows_next(&cursor, &row, &found, &err), &err);
        if (!found)
            break;
        struct buf got_salt = BUF_INIT;
        struct buf body = BUF_INIT;
        bool canonical = false;
        assert_int_equal(row.index, 10 + count);
        CHECK_OK(entry_rows_open(store, &row, &got_salt, &body, &canonical, &err), &err);
        assert_true(span_equal(buf_span(&body), span_text(row.index % 2 == 0 ? "even" : "odd")));
        assert_true(span_equal(row.header, SPAN_ARRAY(header)));
        buf_fini(&got_salt);
        buf_fini(&body);
        count++;
    }
    assert_int_equal(count, 280);
    CHECK_OK(entry_rows_next(&cursor, &row, &found, &err), &err);
    assert_false(found);
    CHECK_OK(entry_rows_walk(store, feed_id, 0, 300, &cursor, &err), &err);
    CHECK_OK(entry_rows_next(&cursor, &row, &found, &err), &err);
    struct entry_cursor second;
    CHECK_STATUS(entry_rows_walk(store, feed_id, 0, 1, &second, &err), ERR_INTERNAL, &err);
    entry_rows_stop(&cursor);
    entry_rows_stop(&cursor);
    CHECK_OK(store_commit(store, &err), &err);
}

static void a_gap_is_found_by_a_walk(void **state)
{
    (void)state;
    struct entry_cursor cursor;
    struct entry_row row;
    bool found = false;
    append(0, "a");
    append(2, "c");
    CHECK_OK(entry_rows_walk(store, feed_id, 0, 3, &cursor, &err), &err);
    CHECK_OK(entry_rows_next(&cursor, &row, &found, &err), &err);
    CHECK_STATUS(entry_rows_next(&cursor, &row, &found, &err), ERR_CORRUPT, &err);
    CHECK_OK(entry_rows_walk(store, feed_id, 2, 4, &cursor, &err), &err);
    CHECK_OK(entry_rows_next(&cursor, &row, &found, &err), &err);
    CHECK_STATUS(entry_rows_next(&cursor, &row, &found, &err), ERR_CORRUPT, &err);
    CHECK_STATUS(entry_rows_walk(store, feed_id, 4, 3, &cursor, &err), ERR_INVALID, &err);
}

static void an_entry_opens_only_in_its_own_place(void **state)
{
    (void)state;
    struct buf body = BUF_INIT;
    append(0, "moved");
    append(1, "stays");
    CHECK_OK(store_commit(store, &err), &err);
    CHECK_OK(store_begin(store, &err), &err);
    assert_int_equal(sqlite3_exec(store->db,
                                  "UPDATE entry SET entry_id = entry_id + 5 WHERE entry_id = "
                                  "(SELECT min(entry_id) FROM entry);"
                                  "UPDATE entry SET header = zeroblob(120) WHERE entry_id = "
                                  "(SELECT min(entry_id) FROM entry)",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    CHECK_OK(store_commit(store, &err), &err);
    CHECK_STATUS(read_entry(5, &body), ERR_CORRUPT, &err);
    CHECK_STATUS(read_entry(1, &body), ERR_CORRUPT, &err);
    buf_fini(&body);
}

static enum status erase_first(void *context, struct store *s, struct error *e)
{
    return entry_rows_mark_erased(s, *(int64_t *)context, 0, e);
}

static void an_erased_entry_keeps_its_header_alone(void **state)
{
    (void)state;
    struct buf body = BUF_INIT;
    struct entry_row row;
    append(0, "erased");
    append(1, "stays");
    CHECK_OK(store_commit(store, &err), &err);
    CHECK_OK(entry_rows_get(store, feed_id, 0, &row, &err), &err);
    struct buf sealed = BUF_INIT;
    CHECK_OK(buf_append(&sealed, row.sealed, &err), &err);
    assert_true(store_place_count(&place, buf_span(&sealed)) > 0);
    struct keys_change change = { erase_first, &feed_id };
    CHECK_OK(keys_erase(store, &row.key_slot, 1, change, &err), &err);
    CHECK_STATUS(read_entry(0, &body), ERR_ERASED, &err);
    CHECK_OK(read_entry(1, &body), &err);
    CHECK_OK(entry_rows_get(store, feed_id, 0, &row, &err), &err);
    assert_true(span_equal(row.header, SPAN_ARRAY(header)));
    assert_int_equal(row.sealed.size, 0);
    assert_int_equal(store_place_count(&place, buf_span(&sealed)), 0);
    buf_fini(&body);
    buf_fini(&sealed);
}

static void a_feed_is_active_once_for_each_way(void **state)
{
    (void)state;
    int64_t other = 0;
    struct feed_row row = feed_of(FEED_OUT, "comity.v1/training/feed/UNODC/KE/2");
    CHECK_STATUS(feed_rows_add(store, &row, &other, &err), ERR_EXISTS, &err);
    row.state = FEED_OLD;
    CHECK_OK(feed_rows_add(store, &row, &other, &err), &err);
    row = feed_of(FEED_IN, "comity.v1/training/feed/UNODC/KE/1");
    CHECK_STATUS(feed_rows_add(store, &row, &other, &err), ERR_EXISTS, &err);
    row = feed_of(FEED_IN, "comity.v1/training/feed/KE/UNODC/1");
    row.peer_id = 99;
    CHECK_STATUS(feed_rows_add(store, &row, &other, &err), ERR_NOT_FOUND, &err);
    row.peer_id = peer_id;
    CHECK_OK(feed_rows_add(store, &row, &other, &err), &err);
    struct feed_row got;
    CHECK_OK(feed_rows_active(store, peer_id, FEED_IN, &got, &err), &err);
    assert_int_equal(got.feed_id, other);
    CHECK_OK(feed_rows_by_origin(store, span_text(row.origin), &got, &err), &err);
    assert_int_equal(got.feed_id, other);
    CHECK_STATUS(feed_rows_by_origin(store, SPAN_LITERAL("none"), &got, &err), ERR_NOT_FOUND, &err);
    struct feed_row rows[8];
    size_t count = 0;
    CHECK_OK(feed_rows_list(store, 0, rows, 8, &count, &err), &err);
    assert_int_equal(count, 3);
    CHECK_OK(feed_rows_list(store, rows[0].feed_id, rows, 1, &count, &err), &err);
    assert_int_equal(count, 1);
}

static void a_head_and_its_subtrees_come_back(void **state)
{
    (void)state;
    struct feed_row row;
    struct digest hash = { { 7 } };
    CHECK_OK(feed_rows_get(store, feed_id, &row, &err), &err);
    row.size = 5;
    row.root.bytes[3] = 9;
    row.frontier_size = 64;
    row.frontier[63] = 1;
    CHECK_OK(feed_rows_set_head(store, &row, &err), &err);
    row.healed_size = 3;
    row.rolled_back = true;
    CHECK_OK(feed_rows_set_state(store, &row, &err), &err);
    struct feed_row got;
    CHECK_OK(feed_rows_get(store, feed_id, &got, &err), &err);
    assert_int_equal(got.size, 5);
    assert_int_equal(got.frontier_size, 64);
    assert_int_equal(got.frontier[63], 1);
    assert_true(got.rolled_back);
    row.feed_id = 77;
    CHECK_STATUS(feed_rows_set_head(store, &row, &err), ERR_NOT_FOUND, &err);
    CHECK_OK(subtree_rows_put(store, feed_id, 1, 4, &hash, &err), &err);
    struct digest back;
    CHECK_OK(subtree_rows_get(store, feed_id, 1, 4, &back, &err), &err);
    assert_true(digest_equal(&hash, &back));
    CHECK_STATUS(subtree_rows_get(store, feed_id, 2, 4, &back, &err), ERR_NOT_FOUND, &err);
}

static void a_receipt_never_goes_back(void **state)
{
    (void)state;
    struct buf note = BUF_INIT;
    struct feed_row row;
    CHECK_OK(feed_rows_get_note(store, feed_id, FEED_NOTE_RECEIPT, &note, &err), &err);
    assert_int_equal(note.size, 0);
    CHECK_OK(feed_rows_add_receipt(store, feed_id, 10, 1000, SPAN_LITERAL("ten"), &err), &err);
    CHECK_STATUS(feed_rows_add_receipt(store, feed_id, 9, 1001, SPAN_LITERAL("x"), &err),
                 ERR_CONFLICT, &err);
    CHECK_STATUS(feed_rows_add_receipt(store, feed_id, 11, 999, SPAN_LITERAL("x"), &err),
                 ERR_CONFLICT, &err);
    CHECK_OK(feed_rows_add_receipt(store, feed_id, 10, 1000, SPAN_LITERAL("ten"), &err), &err);
    CHECK_OK(feed_rows_get_note(store, feed_id, FEED_NOTE_RECEIPT, &note, &err), &err);
    assert_true(span_equal(buf_span(&note), SPAN_LITERAL("ten")));
    CHECK_OK(feed_rows_get(store, feed_id, &row, &err), &err);
    assert_int_equal(row.receipt_size, 10);
    CHECK_STATUS(feed_rows_set_received(store, &row, span_of(header, NOTE_MAX + 1), false, &err),
                 ERR_LIMIT, &err);
    row.size = 12;
    CHECK_OK(feed_rows_set_received(store, &row, SPAN_LITERAL("head"), false, &err), &err);
    CHECK_OK(feed_rows_get_note(store, feed_id, FEED_NOTE_RECEIPT, &note, &err), &err);
    assert_true(span_equal(buf_span(&note), SPAN_LITERAL("ten")));
    CHECK_OK(feed_rows_get_note(store, feed_id, FEED_NOTE_CHECKPOINT, &note, &err), &err);
    assert_true(span_equal(buf_span(&note), SPAN_LITERAL("head")));
    row.receipt_size = 9;
    CHECK_STATUS(feed_rows_set_received(store, &row, SPAN_LITERAL("x"), true, &err), ERR_CONFLICT,
                 &err);
    row.receipt_size = 12;
    row.receipt_ms = 999;
    CHECK_STATUS(feed_rows_set_received(store, &row, SPAN_LITERAL("x"), true, &err), ERR_CONFLICT,
                 &err);
    row.receipt_ms = 1000;
    CHECK_OK(feed_rows_set_received(store, &row, SPAN_LITERAL("twelve"), true, &err), &err);
    CHECK_OK(feed_rows_get_note(store, feed_id, FEED_NOTE_RECEIPT, &note, &err), &err);
    assert_true(span_equal(buf_span(&note), SPAN_LITERAL("twelve")));
    buf_fini(&note);
}

static void a_delivery_is_receipted_by_the_first_receipt_that_covers_it(void **state)
{
    (void)state;
    int64_t id = 0;
    struct delivery_row row = { .peer_id = peer_id, .feed_id = feed_id, .version = 1 };
    row.record_id.bytes[0] = 1;
    row.consent_id.bytes[0] = 2;
    for (row.index = 0; row.index < 6; row.index++)
        CHECK_OK(delivery_rows_add(store, &row, &id, &err), &err);
    CHECK_OK(feed_rows_add_receipt(store, feed_id, 2, 100, SPAN_LITERAL("2"), &err), &err);
    CHECK_OK(feed_rows_add_receipt(store, feed_id, 5, 200, SPAN_LITERAL("5"), &err), &err);
    static const int64_t want[] = { 100, 100, 200, 200, 200, 0 };
    struct delivery_row rows[10];
    size_t count = 0;
    static const struct delivery_filter all = { 0 };
    CHECK_OK(delivery_rows_list(store, &all, 0, rows, 10, &count, &err), &err);
    assert_int_equal(count, 6);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(rows[i].receipted_ms, want[i]);
    CHECK_OK(delivery_rows_withdraw(store, rows[1].delivery_id, 300, &err), &err);
    CHECK_OK(delivery_rows_mark_erased(store, peer_id, &row.record_id, 400, &err), &err);
    CHECK_OK(delivery_rows_by_entry(store, feed_id, 1, &row, &err), &err);
    assert_int_equal(row.withdrawn_ms, 300);
    assert_int_equal(row.erased_ms, 400);
    struct delivery_filter filter = { .record_id = row.record_id, .live_only = true };
    CHECK_OK(delivery_rows_list(store, &filter, 0, rows, 10, &count, &err), &err);
    assert_int_equal(count, 5);
    filter = (struct delivery_filter){ .consent_id = row.consent_id, .peer_id = peer_id };
    CHECK_OK(delivery_rows_list(store, &filter, 2, rows, 3, &count, &err), &err);
    assert_int_equal(count, 3);
    filter.peer_id = 55;
    CHECK_OK(delivery_rows_list(store, &filter, 0, rows, 3, &count, &err), &err);
    assert_int_equal(count, 0);
    CHECK_STATUS(delivery_rows_by_entry(store, feed_id, 99, &row, &err), ERR_NOT_FOUND, &err);
}

static void a_column_of_the_wrong_size_is_corrupt(void **state)
{
    (void)state;
    struct peer_row row;
    struct feed_row feed;
    CHECK_OK(store_commit(store, &err), &err);
    assert_int_equal(sqlite3_exec(store->db,
                                  "UPDATE peer SET log_key = x'00'; "
                                  "UPDATE feed SET frontier = zeroblob(5000)",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    CHECK_STATUS(peer_rows_get_id(store, peer_id, &row, &err), ERR_CORRUPT, &err);
    CHECK_STATUS(feed_rows_get(store, feed_id, &feed, &err), ERR_CORRUPT, &err);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(what_is_opened_has_its_padding_again),
        T(append_refuses_what_does_not_fit),
        T(an_entry_opens_only_in_its_own_place),
        T(a_gap_is_found_by_a_walk),
        T(a_column_of_the_wrong_size_is_corrupt),
        T(entries_come_back_and_open),
        T(a_publishers_copy_stores_the_body_once),
        T(a_walk_gives_every_entry_once_and_can_open_them),
        T(an_erased_entry_keeps_its_header_alone),
        T(a_feed_is_active_once_for_each_way),
        T(a_head_and_its_subtrees_come_back),
        T(a_receipt_never_goes_back),
        T(a_delivery_is_receipted_by_the_first_receipt_that_covers_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
