/* A database of an earlier schema, with rows, is the same database afterwards. */
#include "base/memory.h"
#include "store/delivery_rows.h"
#include "store/feed_rows.h"
#include "store/heads.h"
#include "store/holding_rows.h"
#include "store/inside.h"
#include "store/keys.h"
#include "store/migration.h"
#include "store/outbox_rows.h"
#include "store/peer_rows.h"
#include "support/check.h"
#include "support/store_place.h"

static struct store_place place;
static struct store *store;
static struct error err;
static int64_t peer_id, feed_out, feed_in;
static const struct id consent = { { 7 } };
static const struct id record = { { 8 } };

enum { DELIVERIES = 300 };

/* From the newest schema back to 6 and 5, and from 5 back to 4. */
static const char back_to_5[] =
    "ALTER TABLE feed DROP COLUMN receipt_after;"
    "CREATE TABLE old (outbox_id INTEGER PRIMARY KEY AUTOINCREMENT, peer_id INTEGER NOT NULL "
    "REFERENCES peer, priority INTEGER NOT NULL, kind INTEGER NOT NULL, in_reply_to BLOB NOT NULL, "
    "consent_id BLOB NOT NULL, subject_id BLOB NOT NULL, record_version INTEGER NOT NULL, form "
    "INTEGER NOT NULL, queued_ms INTEGER NOT NULL, body BLOB) STRICT;"
    "INSERT INTO old SELECT NULL, peer_id, priority, kind, in_reply_to, consent_id, subject_id, "
    "record_version, form, queued_ms, body FROM outbox ORDER BY kind;"
    "DROP TABLE outbox; ALTER TABLE old RENAME TO outbox;"
    "CREATE INDEX outbox_queue ON outbox (peer_id, priority, outbox_id);"
    "ALTER TABLE key_group ADD COLUMN used INTEGER NOT NULL DEFAULT 0;"
    "UPDATE key_group SET used = p.used FROM key_page p WHERE p.id = leaf << 4;"
    "ALTER TABLE key_page DROP COLUMN used;"
    "CREATE TABLE feed_note (feed_id INTEGER NOT NULL REFERENCES feed, which INTEGER NOT NULL, "
    "note BLOB NOT NULL, PRIMARY KEY (feed_id, which)) STRICT, WITHOUT ROWID;"
    "INSERT INTO feed_note SELECT feed_id, 1, checkpoint_note FROM feed WHERE checkpoint_note <> "
    "x'';"
    "INSERT INTO feed_note SELECT feed_id, 2, receipt_note FROM feed WHERE receipt_note <> x'';"
    "ALTER TABLE feed DROP COLUMN checkpoint_note; ALTER TABLE feed DROP COLUMN receipt_note;"
    "DROP TABLE delivery_block; DROP TABLE holding_block;"
    "CREATE INDEX delivery_consent ON delivery (consent_id);"
    "CREATE INDEX holding_consent ON holding (peer_id, consent_id);"
    "CREATE INDEX holding_expiry ON holding (keep_until_ms) WHERE state = 1 AND keep_until_ms < "
    "9223372036854775807;"
    "PRAGMA user_version = 5";
static const char back_to_4[] =
    "UPDATE delivery SET delivery_id = -number - 1;" /* none is where another one will be */
    "UPDATE delivery SET delivery_id = 1000 - number;"
    "CREATE UNIQUE INDEX delivery_entry ON delivery (feed_id, number);"
    "PRAGMA user_version = 4";

static void open_store(bool create)
{
    struct store_options o = { .directory = place.directory,
                               .clock = &place.clock.base,
                               .random = &place.random.base };
    CHECK_OK(create ? store_create(&o, &store, &err) : store_open(&o, &store, &err), &err);
    CHECK_OK(store_begin(store, &err), &err);
}

static void close_store(void)
{
    CHECK_OK(store_commit(store, &err), &err);
    CHECK_OK(heads_save(store, &err), &err);
    store_close(store);
    store = NULL;
}

static void edit(const char *sql)
{
    sqlite3 *db = NULL;
    char *message = NULL;
    assert_int_equal(sqlite3_open(store_place_path(&place, "comity.db"), &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s", message);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static int64_t add_feed(enum feed_direction direction, const char *origin)
{
    int64_t id = 0;
    struct feed_row row = { .peer_id = peer_id, .direction = direction, .state = FEED_ACTIVE };
    (void)snprintf(row.origin, sizeof(row.origin), "%s", origin);
    CHECK_OK(feed_rows_add(store, &row, &id, &err), &err);
    return id;
}

static void queue(enum outbox_priority priority, uint16_t kind)
{
    int64_t id = 0;
    struct outbox_row row = { .peer_id = peer_id, .priority = priority, .kind = kind };
    CHECK_OK(outbox_rows_add(store, &row, &id, &err), &err);
}

static void hold(uint64_t index, enum holding_state state, int64_t keep_until_ms)
{
    struct holding_row row = { .peer_id = peer_id,
                               .feed_id = feed_in,
                               .index = index,
                               .consent_id = consent,
                               .state = state,
                               .keep_until_ms = keep_until_ms };
    row.subject_id.bytes[0] = (uint8_t)(1 + index % 100);
    CHECK_OK(holding_rows_add(store, &row, &err), &err);
}

static int set_up(void **state)
{
    (void)state;
    struct peer_row peer = { .state = PEER_ACCEPTED, .name = "Kenya", .added_by = 1000 };
    CHECK_OK(code_parse("KE", &peer.code, &err), &err);
    CHECK_OK(realm_parse("training", &peer.realm, &err), &err);
    store_place_make(&place, 41);
    open_store(true);
    CHECK_OK(peer_rows_add(store, &peer, &peer_id, &err), &err);
    feed_out = add_feed(FEED_OUT, "comity.v1/training/feed/UNODC/KE/1");
    feed_in = add_feed(FEED_IN, "comity.v1/training/feed/KE/UNODC/1");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    store_close(store);
    store = NULL;
    store_place_remove(&place);
    return 0;
}

static void migrate_from(const char *sql, const char *before_that)
{
    close_store();
    edit(sql);
    if (before_that != NULL)
        edit(before_that);
    open_store(false);
    int version = 0;
    CHECK_OK(migration_version(store, &version, &err), &err);
    assert_int_equal(version, migration_count);
}

static void deliveries_stand_where_their_entries_do(void **state)
{
    (void)state;
    struct delivery_row row = { .peer_id = peer_id,
                                .feed_id = feed_out,
                                .record_id = record,
                                .consent_id = consent,
                                .version = 3 };
    int64_t id = 0;
    for (row.index = 0; row.index < DELIVERIES; row.index++)
        CHECK_OK(delivery_rows_add(store, &row, &id, &err), &err);
    migrate_from(back_to_5, back_to_4);
    struct delivery_filter filter = { .consent_id = consent };
    static struct delivery_row rows[DELIVERIES + 1];
    size_t count = 0;
    CHECK_OK(delivery_rows_list(store, &filter, 0, rows, DELIVERIES + 1, &count, &err), &err);
    assert_int_equal(count, DELIVERIES);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(rows[i].index, i);
        CHECK_OK(delivery_rows_by_entry(store, feed_out, i, &row, &err), &err);
        assert_int_equal(row.delivery_id, rows[i].delivery_id);
    }
    CHECK_OK(delivery_rows_list(store, &filter, rows[270].delivery_id, rows, 10, &count, &err),
             &err);
    assert_int_equal(count, 10);
    assert_int_equal(rows[0].index, 271);
}

static void the_queue_keeps_its_order(void **state)
{
    (void)state;
    static const enum outbox_priority order[] = { OUTBOX_RECORD, OUTBOX_RECALL, OUTBOX_TERMS,
                                                  OUTBOX_RECORD, OUTBOX_RECALL };
    static const uint16_t want[] = { 2, 5, 6, 3, 1, 4, 7 };
    for (uint16_t i = 0; i < COUNT(order); i++)
        queue(order[i], (uint16_t)(i + 1));
    migrate_from(back_to_5, NULL);
    queue(OUTBOX_RECALL, 6); /* what comes now stands behind what was there */
    queue(OUTBOX_RECORD, 7);
    struct outbox_list list = { .bodies = BUF_INIT };
    CHECK_OK(outbox_rows_list(store, peer_id, OUTBOX_START, 16, &list, &err), &err);
    assert_int_equal(list.count, COUNT(want));
    for (size_t i = 0; i < list.count; i++)
        assert_int_equal(list.rows[i].kind, want[i]);
    uint64_t count = 0;
    CHECK_OK(outbox_rows_count(store, peer_id, &count, &err), &err);
    assert_int_equal(count, COUNT(want));
    buf_fini(&list.bodies);
}

static void a_group_goes_on_in_its_leaf(void **state)
{
    (void)state;
    struct seal_key keys[3];
    struct seal_key again;
    uint64_t slots[3];
    CHECK_OK(keys_add(store, &consent, &slots[0], &keys[0], &err), &err);
    CHECK_OK(keys_add(store, &consent, &slots[1], &keys[1], &err), &err);
    migrate_from(back_to_5, NULL);
    CHECK_OK(keys_add(store, &consent, &slots[2], &keys[2], &err), &err);
    assert_int_equal(slots[2], slots[1] + 1);
    for (size_t i = 0; i < 3; i++) {
        CHECK_OK(keys_get(store, slots[i], &again, &err), &err);
        assert_memory_equal(&again, &keys[i], sizeof(again));
    }
}

static void the_notes_of_a_feed_stay(void **state)
{
    (void)state;
    struct buf note = BUF_INIT;
    struct feed_row row;
    CHECK_OK(feed_rows_get(store, feed_in, &row, &err), &err);
    row.receipt_size = 4;
    row.receipt_ms = 1000;
    CHECK_OK(feed_rows_set_received(store, &row, SPAN_LITERAL("ours"), true, &err), &err);
    CHECK_OK(feed_rows_set_received(store, &row, SPAN_LITERAL("their head"), false, &err), &err);
    CHECK_OK(feed_rows_add_receipt(store, feed_out, 5, 2000, SPAN_LITERAL("theirs"), &err), &err);
    migrate_from(back_to_5, NULL);
    CHECK_OK(feed_rows_get_note(store, feed_in, FEED_NOTE_CHECKPOINT, &note, &err), &err);
    assert_true(span_equal(buf_span(&note), SPAN_LITERAL("their head")));
    CHECK_OK(feed_rows_get_note(store, feed_in, FEED_NOTE_RECEIPT, &note, &err), &err);
    assert_true(span_equal(buf_span(&note), SPAN_LITERAL("ours")));
    CHECK_OK(feed_rows_get_note(store, feed_out, FEED_NOTE_RECEIPT, &note, &err), &err);
    assert_true(span_equal(buf_span(&note), SPAN_LITERAL("theirs")));
    CHECK_OK(feed_rows_get_note(store, feed_out, FEED_NOTE_CHECKPOINT, &note, &err), &err);
    assert_int_equal(note.size, 0);
    buf_fini(&note);
}

static void what_is_held_is_found_by_its_consent_and_ends_in_time(void **state)
{
    (void)state;
    struct holding_row rows[8];
    struct holding_place at = { 0, 0 };
    struct holding_filter filter = { .peer_id = peer_id, .consent_id = consent };
    size_t count = 0;
    int64_t next_ms = 0;
    hold(3, HOLDING_ACTIVE, INT64_MAX);
    hold(600, HOLDING_LOCKED, 100);
    hold(900, HOLDING_ACTIVE, 900);
    hold(300, HOLDING_ACTIVE, 700);
    migrate_from(back_to_5, NULL);
    CHECK_OK(holding_rows_list(store, &filter, &at, rows, 8, &count, &err), &err);
    assert_int_equal(count, 4);
    assert_int_equal(rows[0].index, 3);
    assert_int_equal(rows[3].index, 900);
    CHECK_OK(holding_rows_next_expiry(store, &next_ms, &err), &err);
    assert_int_equal(next_ms, 700);
    CHECK_OK(holding_rows_expiring(store, 800, rows, 8, &count, &err), &err);
    assert_int_equal(count, 1);
    assert_int_equal(rows[0].index, 300);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(deliveries_stand_where_their_entries_do),
        T(the_queue_keeps_its_order),
        T(a_group_goes_on_in_its_leaf),
        T(the_notes_of_a_feed_stay),
        T(what_is_held_is_found_by_its_consent_and_ends_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
