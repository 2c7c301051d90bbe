/* The database checked in steps: what an insider or a broken disk did to it is found, and the store
 * works on in between. */
#include "base/memory.h"
#include "store/delivery_rows.h"
#include "store/holding_rows.h"
#include "store/integrity.h"
#include "store/pair_rows.h"
#include "support/check.h"
#include "support/store_place.h"

#include <sqlite3.h>

enum { HOLDINGS = 1500 }; /* more than one step */

static struct store_place place;
static struct store *store;
static struct error err;

static void open_store(bool create)
{
    struct store_options options = { .directory = place.directory,
                                     .clock = &place.clock.base,
                                     .random = &place.random.base };
    if (create)
        CHECK_OK(store_create(&options, &store, &err), &err);
    else
        CHECK_OK(store_open(&options, &store, &err), &err);
}

static void hold(uint64_t index)
{
    struct holding_row row = { .peer_id = 1,
                               .feed_id = 1,
                               .index = index,
                               .subject_id = { { (uint8_t)index, (uint8_t)(index >> 8) } },
                               .consent_id = { { 2 } },
                               .entry_id = { { 3, (uint8_t)index } },
                               .state = index % 3 == 0 ? HOLDING_LOCKED : HOLDING_ACTIVE,
                               .reasons = index % 3 == 0 ? HOLDING_KEEP_UNTIL : 0,
                               .keep_until_ms = 1000 + (int64_t)index };
    CHECK_OK(holding_rows_add(store, &row, &err), &err);
}

static int set_up(void **state)
{
    (void)state;
    struct id pair;
    store_place_make(&place, 5);
    open_store(true);
    CHECK_OK(store_begin(store, &err), &err);
    for (uint64_t i = 0; i < HOLDINGS; i++)
        hold(i);
    for (uint8_t i = 1; i < 100; i++) { /* a table without rowid, with an index */
        struct id local = { { i } };
        CHECK_OK(pair_rows_take(store, 1, PAIR_SUBJECT, &local, &pair, &err), &err);
    }
    CHECK_OK(store_commit(store, &err), &err);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    store_close(store);
    store_place_remove(&place);
    return 0;
}

static void edit(const char *sql)
{
    sqlite3 *database = NULL;
    char *message = NULL;
    assert_int_equal(sqlite3_open(store_place_path(&place, "comity.db"), &database), SQLITE_OK);
    if (sqlite3_exec(database, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
}

/* The index is taken out of the schema while the rows change, and put back. */
static void edit_behind_index(const char *index, const char *sql)
{
    char text[600];
    store_close(store);
    (void)snprintf(text, sizeof(text),
                   "CREATE TABLE kept AS SELECT * FROM sqlite_schema WHERE name = '%s'; "
                   "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE name = '%s';",
                   index, index);
    edit(text);
    edit(sql);
    edit("PRAGMA writable_schema = ON; INSERT INTO sqlite_schema SELECT * FROM kept; "
         "PRAGMA writable_schema = RESET; DROP TABLE kept;");
    open_store(false);
}

static enum status run(size_t *ret_steps, uint64_t *ret_rows)
{
    struct integrity *integrity = NULL;
    bool done = false;
    *ret_steps = 0;
    CHECK_OK(integrity_start(store, &integrity, &err), &err);
    enum status status = OK;
    while (status == OK && !done) {
        status = integrity_step(integrity, &done, &err);
        if (++*ret_steps == 2) { /* the store goes on */
            CHECK_OK(store_begin(store, &err), &err);
            hold(HOLDINGS);
            CHECK_OK(store_commit(store, &err), &err);
        }
    }
    *ret_rows = integrity_rows(integrity);
    integrity_free(integrity);
    return status;
}

static void a_good_database_is_found_good_while_it_changes(void **state)
{
    (void)state;
    size_t steps = 0;
    uint64_t rows = 0;
    CHECK_OK(run(&steps, &rows), &err);
    assert_true(steps > 50); /* every table and index, and several for the holdings */
    assert_true(rows >= 2 * (uint64_t)HOLDINGS);
}

static void whatever_an_index_does_not_know_is_found(void **state)
{
    static const struct {
        const char *index, *sql;
    } cases[] = {
        { "holding_subject", "DELETE FROM holding WHERE holding_id % 4096 = 1400" },
        { "holding_locked", "UPDATE holding SET state = 2 WHERE holding_id % 4096 = 1000" },
        { "holding_block_due", "UPDATE holding_block SET keep_until_ms = 77 WHERE block % 4 = 1" },
        { "holding_by_clock", "UPDATE holding SET reasons = 1 WHERE holding_id % 4096 = 999" },
        { "pair_id_back", "UPDATE pair_id SET pair = zeroblob(16) WHERE substr(local, 1, 1) = "
                          "x'32'" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t steps = 0;
        uint64_t rows = 0;
        tear_down(state);
        set_up(state);
        edit_behind_index(cases[i].index, cases[i].sql);
        enum status status = run(&steps, &rows);
        if (status != ERR_CORRUPT)
            fail_msg("%s: %s", cases[i].index, status_name(status));
        CHECK_CONTAINS(err.text, "do not agree");
    }
}

static void give(uint64_t index)
{
    int64_t delivery_id = 0;
    struct delivery_row row = { .peer_id = 1,
                                .feed_id = 2,
                                .index = index,
                                .record_id = { { 4, (uint8_t)index } },
                                .consent_id = { { 5 } } };
    CHECK_OK(delivery_rows_add(store, &row, &delivery_id, &err), &err);
}

/* Blocks of numbers stand in place of an index, and are rows of their own. */
static void whatever_its_block_does_not_know_is_found(void **state)
{
    static const struct {
        const char *what, *sql; /* NULL: nothing is wrong */
    } cases[] = {
        { NULL, "UPDATE holding_block SET keep_until_ms = 3 WHERE block % 4 = 1" },
        { "holding", "DELETE FROM holding_block WHERE block % 4 = 1" },
        { "holding", "UPDATE holding_block SET keep_until_ms = 1500 WHERE block % 4 = 1" },
        { "holding", "UPDATE holding_block SET consent_id = zeroblob(16) WHERE block % 4 = 1" },
        { "holding", "UPDATE holding SET consent_id = zeroblob(16) WHERE holding_id % 4096 = 7" },
        { "holding", "UPDATE holding SET keep_until_ms = 4 WHERE holding_id % 4096 = 7" },
        { "delivery", "DELETE FROM delivery_block WHERE block % 4 = 1" },
        { "delivery",
          "UPDATE delivery SET consent_id = zeroblob(16) WHERE delivery_id % 4096 = 7" },
        { "delivery_block", "DELETE FROM delivery WHERE delivery_id >> 8 & 3 = 1" },
        { "delivery_block",
          "INSERT INTO delivery_block SELECT consent_id, 9 FROM delivery LIMIT 1" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t steps = 0;
        uint64_t rows = 0;
        char table[80];
        tear_down(state);
        set_up(state);
        CHECK_OK(store_begin(store, &err), &err);
        for (uint64_t index = 0; index < 600; index++)
            give(index);
        CHECK_OK(store_commit(store, &err), &err);
        store_close(store);
        edit(cases[i].sql);
        open_store(false);
        enum status status = run(&steps, &rows);
        if (status != (cases[i].what == NULL ? OK : ERR_CORRUPT))
            fail_msg("%s: %s", cases[i].sql, status_name(status));
        if (cases[i].what == NULL)
            continue;
        (void)snprintf(table, sizeof(table), "table %s: a row and an index", cases[i].what);
        CHECK_CONTAINS(err.text, table);
    }
}

static void a_schema_that_no_migration_made_is_refused(void **state)
{
    (void)state;
    size_t steps = 0;
    uint64_t rows = 0;
    store_close(store);
    edit("CREATE TABLE \"x; DROP\" (a)");
    open_store(false);
    struct integrity *integrity = NULL;
    CHECK_STATUS(integrity_start(store, &integrity, &err), ERR_CORRUPT, &err);
    (void)steps;
    (void)rows;
}

static void it_survives_every_failed_allocation(void **state)
{
    (void)state;
    int64_t live = mem_live();
    bool hit = true;
    for (uint64_t nth = 1; hit && nth < 40; nth++) {
        struct integrity *integrity = NULL;
        bool done = false;
        mem_fail_at(nth, false);
        enum status status = integrity_start(store, &integrity, &err);
        for (int i = 0; status == OK && !done && i < 6; i++)
            status = integrity_step(integrity, &done, &err);
        hit = mem_fail_hit();
        mem_fail_at(0, false);
        if (!hit)
            CHECK_OK(status, &err);
        integrity_free(integrity);
        if (status != OK && status != ERR_MEMORY)
            fail_msg("%s: %s", status_name(status), err.text);
    }
    store_relax(store);
    (void)live;
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(whatever_an_index_does_not_know_is_found),
        T(whatever_its_block_does_not_know_is_found),
        T(a_schema_that_no_migration_made_is_refused),
        T(a_good_database_is_found_good_while_it_changes),
        T(it_survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
