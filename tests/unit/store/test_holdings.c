/* Holdings and received terms: what is put comes back. */
#include "tables.h"

#include "store/holding_rows.h"
#include "store/inside.h"
#include "store/terms_rows.h"

static void hold(uint64_t index, uint8_t subject, int64_t keep_until_ms)
{
    struct holding_row row = { .peer_id = 1,
                               .feed_id = 3,
                               .index = index,
                               .state = HOLDING_ACTIVE,
                               .keep_until_ms = keep_until_ms };
    row.subject_id = id_of(subject);
    row.consent_id = id_of((uint8_t)(subject % 2));
    CHECK_OK(holding_rows_add(store, &row, &err), &err);
}

static size_t count_holdings(struct holding_filter filter)
{
    struct holding_row rows[2];
    struct holding_place at = { 0, 0 };
    size_t count = 0;
    size_t total = 0;
    do {
        CHECK_OK(holding_rows_list(store, &filter, &at, rows, 2, &count, &err), &err);
        total += count;
    } while (count > 0);
    return total;
}

static void holdings_are_found_by_what_is_asked(void **state)
{
    (void)state;
    struct holding_row row;
    struct holding_place at = { 0, 0 };
    size_t count = 0;
    for (uint64_t i = 0; i < 5; i++)
        hold(i, (uint8_t)(1 + i % 3), INT64_MAX);
    assert_int_equal(count_holdings((struct holding_filter){ 0 }), 5);
    assert_int_equal(count_holdings((struct holding_filter){ .peer_id = 2 }), 0);
    struct holding_filter filter = { .peer_id = 1, .subject_id = id_of(1) };
    assert_int_equal(count_holdings(filter), 2);
    filter = (struct holding_filter){ .peer_id = 1, .consent_id = id_of(1) };
    assert_int_equal(count_holdings(filter), 3);
    filter.peer_id = 0;
    CHECK_STATUS(holding_rows_list(store, &filter, &at, &row, 1, &count, &err), ERR_INTERNAL, &err);
    CHECK_OK(holding_rows_get(store, 3, 4, &row, &err), &err);
    row.state = HOLDING_LOCKED;
    row.reasons = HOLDING_WITHDRAWN;
    row.withdrawn_entry = id_of(8);
    CHECK_OK(holding_rows_update(store, &row, &err), &err);
    assert_int_equal(count_holdings((struct holding_filter){ .state = HOLDING_LOCKED }), 1);
    assert_int_equal(count_holdings((struct holding_filter){ .any_reason = HOLDING_WITHDRAWN }), 1);
    assert_int_equal(count_holdings((struct holding_filter){ .any_reason = HOLDING_EXPIRED }), 0);
    CHECK_OK(
        holding_rows_to_erase(store, HOLDING_WITHDRAWN | HOLDING_REPLACED, &row, 1, &count, &err),
        &err);
    assert_int_equal(count, 1);
    assert_int_equal(row.index, 4);
    CHECK_STATUS(holding_rows_get(store, 3, 5, &row, &err), ERR_NOT_FOUND, &err);
    row.index = 99;
    CHECK_STATUS(holding_rows_update(store, &row, &err), ERR_NOT_FOUND, &err);
}

static void a_peers_holdings_are_locked_and_unlocked_by_reason(void **state)
{
    (void)state;
    struct holding_row row;
    hold(0, 1, INT64_MAX);
    hold(1, 2, INT64_MAX);
    CHECK_OK(holding_rows_get(store, 3, 1, &row, &err), &err);
    row.state = HOLDING_LOCKED;
    row.reasons = HOLDING_SUSPENDED;
    CHECK_OK(holding_rows_update(store, &row, &err), &err);
    CHECK_OK(holding_rows_lock_peer(store, 1, HOLDING_ROLLED_BACK, &err), &err);
    assert_int_equal(count_holdings((struct holding_filter){ .state = HOLDING_LOCKED }), 2);
    CHECK_OK(holding_rows_unlock_peer(store, 1, HOLDING_ROLLED_BACK, &err), &err);
    CHECK_OK(holding_rows_get(store, 3, 0, &row, &err), &err);
    assert_int_equal(row.state, HOLDING_ACTIVE);
    CHECK_OK(holding_rows_get(store, 3, 1, &row, &err), &err);
    assert_int_equal(row.state, HOLDING_LOCKED);
    assert_int_equal(row.reasons, HOLDING_SUSPENDED);
}

/* A listing by the beginning of an id does not read everything that is held. */
static void holdings_of_a_range_are_found_by_their_index(void **state)
{
    (void)state;
    char sql[1000];
    char plan[200] = "";
    sqlite3_stmt *stmt = NULL;
    (void)snprintf(sql, sizeof(sql), "EXPLAIN QUERY PLAN %s",
                   sqlite3_sql(store->statements[STATEMENT_HOLDING_RANGE]));
    assert_int_equal(sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL), SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW)
        (void)snprintf(plan + strlen(plan), sizeof(plan) - strlen(plan), "%s;",
                       (const char *)sqlite3_column_text(stmt, 3));
    (void)sqlite3_finalize(stmt);
    assert_string_equal(plan, "SEARCH holding USING INDEX holding_subject "
                              "(peer_id=? AND subject_id>? AND subject_id<?);");
}

static void holdings_end_at_their_keep_until(void **state)
{
    (void)state;
    struct holding_row rows[4];
    size_t count = 0;
    int64_t next_ms = 0;
    hold(0, 1, INT64_MAX);
    CHECK_OK(holding_rows_next_expiry(store, &next_ms, &err), &err);
    assert_true(next_ms == INT64_MAX);
    hold(1, 2, 500);
    hold(2, 3, 400);
    CHECK_OK(holding_rows_next_expiry(store, &next_ms, &err), &err);
    assert_int_equal(next_ms, 400);
    CHECK_OK(holding_rows_expiring(store, 500, rows, 4, &count, &err), &err);
    assert_int_equal(count, 2);
    assert_int_equal(rows[0].index, 2);
    CHECK_OK(holding_rows_expiring(store, INT64_MAX, rows, 4, &count, &err), &err);
    assert_int_equal(count, 2);
    /* A block of numbers in which nothing active ends any more is passed over; one in which
     * something becomes active is not. */
    rows[0].state = HOLDING_LOCKED;
    rows[0].reasons = HOLDING_ROLLED_BACK;
    CHECK_OK(holding_rows_update(store, &rows[0], &err), &err);
    CHECK_OK(holding_rows_settle(store, 450, &err), &err);
    CHECK_OK(holding_rows_next_expiry(store, &next_ms, &err), &err);
    assert_int_equal(next_ms, 500);
    CHECK_OK(holding_rows_settle(store, 500, &err), &err);
    CHECK_OK(holding_rows_next_expiry(store, &next_ms, &err), &err);
    assert_int_equal(next_ms, 500);
    CHECK_OK(holding_rows_unlock_peer(store, 1, HOLDING_ROLLED_BACK, &err), &err);
    CHECK_OK(holding_rows_next_expiry(store, &next_ms, &err), &err);
    assert_int_equal(next_ms, 400);
    CHECK_OK(holding_rows_settle(store, 400, &err), &err);
    CHECK_OK(holding_rows_next_expiry(store, &next_ms, &err), &err);
    assert_int_equal(next_ms, 400);
}

/* Under another consent it is found there, and its end is known there. */
static void a_holding_moves_to_another_consent(void **state)
{
    (void)state;
    struct holding_row row;
    int64_t next_ms = 0;
    hold(7, 1, 500);
    CHECK_OK(holding_rows_get(store, 3, 7, &row, &err), &err);
    row.consent_id = id_of(9);
    row.keep_until_ms = 300;
    CHECK_OK(holding_rows_update(store, &row, &err), &err);
    struct holding_filter filter = { .peer_id = 1, .consent_id = id_of(9) };
    assert_int_equal(count_holdings(filter), 1);
    filter.consent_id = id_of(1);
    assert_int_equal(count_holdings(filter), 0);
    CHECK_OK(holding_rows_next_expiry(store, &next_ms, &err), &err);
    assert_int_equal(next_ms, 300);
}

static void received_terms_are_replaced_as_a_whole(void **state)
{
    (void)state;
    struct terms_row row = { .peer_id = 1, .state = ACTIVE, .valid_until_ms = 100 };
    struct terms_row rows[4];
    struct terms_row got;
    size_t count = 0;
    int64_t next_ms = 0;
    row.consent_id = id_of(1);
    CHECK_OK(terms_rows_put(store, &row, &err), &err);
    row.erase_days = 30;
    CHECK_OK(terms_rows_put(store, &row, &err), &err);
    CHECK_OK(terms_rows_get(store, 1, &row.consent_id, &got, &err), &err);
    assert_int_equal(got.erase_days, 30);
    CHECK_STATUS(terms_rows_get(store, 2, &row.consent_id, &got, &err), ERR_NOT_FOUND, &err);
    row.peer_id = 2;
    row.valid_until_ms = 50;
    CHECK_OK(terms_rows_put(store, &row, &err), &err);
    CHECK_OK(terms_rows_list(store, 0, NULL, rows, 4, &count, &err), &err);
    assert_int_equal(count, 2);
    CHECK_OK(terms_rows_list(store, 0, &rows[0], rows, 4, &count, &err), &err);
    assert_int_equal(count, 1);
    CHECK_OK(terms_rows_list(store, 1, NULL, rows, 4, &count, &err), &err);
    assert_int_equal(count, 1);
    CHECK_OK(terms_rows_expiring(store, ACTIVE, 99, rows, 4, &count, &err), &err);
    assert_int_equal(count, 1);
    CHECK_OK(terms_rows_next_expiry(store, ACTIVE, &next_ms, &err), &err);
    assert_int_equal(next_ms, 50);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, tables_set_up, tables_tear_down)
    const struct CMUnitTest tests[] = {
        T(holdings_are_found_by_what_is_asked),
        T(a_peers_holdings_are_locked_and_unlocked_by_reason),
        T(holdings_of_a_range_are_found_by_their_index),
        T(holdings_end_at_their_keep_until),
        T(a_holding_moves_to_another_consent),
        T(received_terms_are_replaced_as_a_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
