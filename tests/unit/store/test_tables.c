/* Records, pairs, consents, recalls, journal, alarms: what is put comes back. */
#include "tables.h"

#include "base/memory.h"
#include "store/consent_rows.h"
#include "store/inside.h"
#include "store/journal_rows.h"
#include "store/pair_rows.h"
#include "store/recall_rows.h"
#include "store/record_rows.h"

static void add_record(uint8_t n, enum record_row_kind kind, const char *text)
{
    uint32_t version = 0;
    struct record_row row = { .record_id = id_of(n), .kind = kind, .created_by = 1000 };
    CHECK_OK(record_rows_add(store, &row, span_text(text), &version, &err), &err);
}

static void a_record_has_versions_until_it_is_retired(void **state)
{
    (void)state;
    struct record_row row = { .record_id = id_of(1), .kind = RECORD_ROW_EXCERPT };
    struct record_version_row version_row;
    struct buf text = BUF_INIT;
    uint32_t version = 0;
    CHECK_OK(record_rows_add(store, &row, SPAN_LITERAL("one"), &version, &err), &err);
    assert_int_equal(version, 1);
    CHECK_OK(record_rows_add(store, &row, SPAN_LITERAL("two!"), &version, &err), &err);
    assert_int_equal(version, 2);
    row.kind = RECORD_ROW_RELEASE;
    CHECK_STATUS(record_rows_add(store, &row, SPAN_LITERAL("x"), &version, &err), ERR_INVALID,
                 &err);
    CHECK_OK(record_rows_open(store, &row.record_id, 1, &text, &err), &err);
    CHECK_OK(record_rows_open(store, &row.record_id, 2, &text, &err), &err);
    assert_true(span_equal(buf_span(&text), SPAN_LITERAL("onetwo!")));
    CHECK_OK(record_rows_version(store, &row.record_id, 2, &version_row, &err), &err);
    assert_int_equal(version_row.size, 4);
    CHECK_STATUS(record_rows_version(store, &row.record_id, 3, &version_row, &err), ERR_NOT_FOUND,
                 &err);
    CHECK_OK(record_rows_retire(store, &row.record_id, &err), &err);
    row.kind = RECORD_ROW_EXCERPT;
    CHECK_STATUS(record_rows_add(store, &row, SPAN_LITERAL("x"), &version, &err), ERR_WRONG_STATE,
                 &err);
    row.record_id = id_of(2);
    CHECK_STATUS(record_rows_retire(store, &row.record_id, &err), ERR_NOT_FOUND, &err);
    buf_fini(&text);
}

static void records_are_found_by_the_beginning_of_their_id(void **state)
{
    (void)state;
    struct record_row row;
    add_record(0x10, RECORD_ROW_EXCERPT, "a");
    add_record(0x11, RECORD_ROW_RELEASE, "b");
    CHECK_OK(record_rows_find(store, "110000", &row, &err), &err);
    assert_int_equal(row.kind, RECORD_ROW_RELEASE);
    CHECK_OK(record_rows_find(store, "1100000000000", &row, &err), &err);
    CHECK_STATUS(record_rows_find(store, "120000", &row, &err), ERR_NOT_FOUND, &err);
    CHECK_STATUS(record_rows_find(store, "11", &row, &err), ERR_INVALID, &err);
    static const char *const none[] = { "11000g", "11000/", "11000:", "11000`", "11000A" };
    for (size_t i = 0; i < COUNT(none); i++)
        CHECK_STATUS(record_rows_find(store, none[i], &row, &err), ERR_INVALID, &err);
    CHECK_STATUS(record_rows_find(store, "000000000000000000000000000000001", &row, &err),
                 ERR_INVALID, &err);
    struct record_row twin = { .record_id = id_of(0x10), .kind = RECORD_ROW_EXCERPT };
    uint32_t version = 0;
    twin.record_id.bytes[15] = 1;
    CHECK_OK(record_rows_add(store, &twin, SPAN_LITERAL("c"), &version, &err), &err);
    CHECK_STATUS(record_rows_find(store, "100000", &row, &err), ERR_CONFLICT, &err);
    CHECK_CONTAINS(err.text, "; next: type more digits");
}

static void records_are_listed_in_pages(void **state)
{
    (void)state;
    struct record_row rows[2];
    struct id after = ID_NONE;
    size_t count = 0;
    size_t total = 0;
    for (uint8_t n = 1; n <= 5; n++)
        add_record(n, n % 2 == 0 ? RECORD_ROW_EXCERPT : RECORD_ROW_RELEASE, "x");
    do {
        CHECK_OK(record_rows_list(store, 0, &after, rows, 2, &count, &err), &err);
        total += count;
        if (count > 0)
            after = rows[count - 1].record_id;
    } while (count == 2);
    assert_int_equal(total, 5);
    CHECK_OK(record_rows_list(store, RECORD_ROW_EXCERPT, NULL, rows, 2, &count, &err), &err);
    assert_int_equal(count, 2);
    assert_int_equal(rows[1].record_id.bytes[0], 4);
}

static void a_pair_id_is_made_once_and_read_both_ways(void **state)
{
    (void)state;
    struct id local = id_of(1);
    struct id pair;
    struct id again;
    struct id other;
    CHECK_STATUS(pair_rows_get(store, 1, PAIR_SUBJECT, &local, &pair, &err), ERR_NOT_FOUND, &err);
    CHECK_OK(pair_rows_take(store, 1, PAIR_SUBJECT, &local, &pair, &err), &err);
    CHECK_OK(pair_rows_take(store, 1, PAIR_SUBJECT, &local, &again, &err), &err);
    CHECK_OK(pair_rows_take(store, 2, PAIR_SUBJECT, &local, &other, &err), &err);
    assert_true(id_equal(&pair, &again));
    assert_false(id_equal(&pair, &other));
    assert_false(id_equal(&pair, &local));
    CHECK_OK(pair_rows_local(store, 1, PAIR_SUBJECT, &pair, &again, &err), &err);
    assert_true(id_equal(&again, &local));
    CHECK_STATUS(pair_rows_local(store, 1, PAIR_CONSENT, &pair, &again, &err), ERR_NOT_FOUND, &err);
    CHECK_STATUS(pair_rows_local(store, 2, PAIR_SUBJECT, &pair, &again, &err), ERR_NOT_FOUND, &err);
}

static void add_consent(uint8_t n, uint8_t state, int64_t until_ms)
{
    struct consent_row row = { .consent_id = id_of(n), .state = state, .valid_until_ms = until_ms };
    CHECK_OK(consent_rows_add(store, &row, SPAN_LITERAL("terms"), &err), &err);
}

static void a_consent_is_kept_whole(void **state)
{
    (void)state;
    struct consent_row row = { .consent_id = id_of(7), .state = DRAFT, .created_by = 1000 };
    struct consent_row got;
    struct buf terms = BUF_INIT;
    CHECK_OK(consent_rows_add(store, &row, SPAN_LITERAL("old terms"), &err), &err);
    CHECK_STATUS(consent_rows_add(store, &row, SPAN_LITERAL("x"), &err), ERR_EXISTS, &err);
    row.state = ACTIVE;
    row.approved_by = 1001;
    row.digest.bytes[0] = 5;
    CHECK_OK(consent_rows_update(store, &row, NULL, &err), &err);
    CHECK_OK(consent_rows_terms(store, &row.consent_id, &terms, &err), &err);
    assert_true(span_equal(buf_span(&terms), SPAN_LITERAL("old terms")));
    struct span fresh = SPAN_LITERAL("new terms");
    CHECK_OK(consent_rows_update(store, &row, &fresh, &err), &err);
    buf_clear(&terms);
    CHECK_OK(consent_rows_terms(store, &row.consent_id, &terms, &err), &err);
    assert_true(span_equal(buf_span(&terms), fresh));
    CHECK_OK(consent_rows_get(store, &row.consent_id, &got, &err), &err);
    assert_int_equal(got.approved_by, 1001);
    assert_int_equal(got.digest.bytes[0], 5);
    CHECK_OK(consent_rows_find(store, "070000", &got, &err), &err);
    CHECK_STATUS(consent_rows_find(store, "08", &got, &err), ERR_INVALID, &err);
    row.consent_id = id_of(8);
    CHECK_STATUS(consent_rows_update(store, &row, NULL, &err), ERR_NOT_FOUND, &err);
    CHECK_STATUS(consent_rows_get(store, &row.consent_id, &got, &err), ERR_NOT_FOUND, &err);
    CHECK_STATUS(consent_rows_terms(store, &row.consent_id, &terms, &err), ERR_NOT_FOUND, &err);
    buf_fini(&terms);
}

static void the_consents_that_cover_a_record_for_a_recipient_are_found(void **state)
{
    (void)state;
    struct id record = id_of(1);
    struct id ids[4];
    struct code ke;
    struct code au;
    size_t count = 0;
    add_record(1, RECORD_ROW_EXCERPT, "text");
    CHECK_OK(code_parse("KE", &ke, &err), &err);
    CHECK_OK(code_parse("AU", &au, &err), &err);
    for (uint8_t n = 1; n <= 3; n++) {
        struct id consent = id_of(n);
        struct consent_record_row row = { .record_id = record, .version = 1, .form = 2 };
        struct consent_recipient_row to = { .code = n == 3 ? au : ke };
        add_consent(n, n == 2 ? ENDED : ACTIVE, 100);
        CHECK_OK(consent_rows_add_record(store, &consent, &row, &err), &err);
        CHECK_OK(consent_rows_add_recipient(store, &consent, &to, &err), &err);
    }
    CHECK_OK(consent_rows_covering(store, &record, &ke, 0, NULL, ids, 4, &count, &err), &err);
    assert_int_equal(count, 2);
    CHECK_OK(consent_rows_covering(store, &record, &ke, ACTIVE, NULL, ids, 4, &count, &err), &err);
    assert_int_equal(count, 1);
    CHECK_OK(consent_rows_covering(store, &record, &ke, 0, &ids[0], ids, 4, &count, &err), &err);
    assert_int_equal(count, 1);
    record = id_of(9);
    CHECK_OK(consent_rows_covering(store, &record, &ke, 0, NULL, ids, 4, &count, &err), &err);
    assert_int_equal(count, 0);
}

static void scope_audience_and_history_of_a_consent_come_back(void **state)
{
    (void)state;
    struct id consent = id_of(1);
    struct consent_record_row row = { .record_id = id_of(1), .version = 1, .form = 1 };
    struct consent_record_row rows[4];
    struct consent_recipient_row to = { .anchor = { { 4 } } };
    struct consent_recipient_row recipients[4];
    struct consent_event_row event = { .time_ms = 5, .uid = 1000, .to_state = DRAFT };
    struct consent_event_row events[4];
    size_t count = 0;
    add_record(1, RECORD_ROW_EXCERPT, "text");
    CHECK_STATUS(consent_rows_add_record(store, &consent, &row, &err), ERR_NOT_FOUND, &err);
    add_consent(1, DRAFT, 100);
    CHECK_OK(consent_rows_add_record(store, &consent, &row, &err), &err);
    row.form = 3;
    CHECK_OK(consent_rows_add_record(store, &consent, &row, &err), &err);
    CHECK_OK(consent_rows_records(store, &consent, NULL, rows, 4, &count, &err), &err);
    assert_int_equal(count, 1);
    assert_int_equal(rows[0].form, 3);
    CHECK_OK(consent_rows_remove_record(store, &consent, &row.record_id, &err), &err);
    CHECK_STATUS(consent_rows_remove_record(store, &consent, &row.record_id, &err), ERR_NOT_FOUND,
                 &err);
    CHECK_OK(code_parse("KE", &to.code, &err), &err);
    CHECK_OK(consent_rows_add_recipient(store, &consent, &to, &err), &err);
    CHECK_OK(consent_rows_recipients(store, &consent, recipients, 4, &count, &err), &err);
    assert_int_equal(count, 1);
    assert_int_equal(recipients[0].anchor.bytes[0], 4);
    for (int i = 0; i < 3; i++) {
        (void)snprintf(event.text, sizeof(event.text), "event %d", i);
        CHECK_OK(consent_rows_add_event(store, &consent, &event, &err), &err);
    }
    CHECK_OK(consent_rows_events(store, &consent, 1, events, 4, &count, &err), &err);
    assert_int_equal(count, 2);
    assert_int_equal(events[1].sequence, 3);
    assert_string_equal(events[1].text, "event 2");
}

static void what_expires_is_found_in_order(void **state)
{
    (void)state;
    struct consent_row rows[4];
    struct id ids[4];
    size_t count = 0;
    int64_t next_ms = 0;
    CHECK_OK(consent_rows_next_expiry(store, ACTIVE, &next_ms, &err), &err);
    assert_true(next_ms == INT64_MAX);
    add_consent(1, ACTIVE, 300);
    add_consent(2, ACTIVE, 100);
    add_consent(3, ENDED, 50);
    CHECK_OK(consent_rows_next_expiry(store, ACTIVE, &next_ms, &err), &err);
    assert_int_equal(next_ms, 100);
    CHECK_OK(consent_rows_expiring(store, ACTIVE, 300, ids, 4, &count, &err), &err);
    assert_int_equal(count, 2);
    assert_int_equal(ids[0].bytes[0], 2);
    CHECK_OK(consent_rows_expiring(store, ACTIVE, 299, ids, 4, &count, &err), &err);
    assert_int_equal(count, 1);
    CHECK_OK(consent_rows_list(store, 0, NULL, rows, 4, &count, &err), &err);
    assert_int_equal(count, 3);
    CHECK_OK(consent_rows_list(store, ACTIVE, &ids[0], rows, 4, &count, &err), &err);
    assert_int_equal(count, 0);
}

static void a_recall_is_listed_until_the_holder_erased(void **state)
{
    (void)state;
    struct recall_row row = { .peer_id = 1, .state = RECALL_OPEN, .due_ms = 100 };
    struct recall_row rows[4];
    struct recall_row got;
    size_t count = 0;
    row.record_id = id_of(1);
    CHECK_OK(recall_rows_add(store, &row, &row.recall_id, &err), &err);
    CHECK_OK(recall_rows_list(store, true, 99, 0, rows, 4, &count, &err), &err);
    assert_int_equal(count, 0);
    CHECK_OK(recall_rows_list(store, true, 100, 0, rows, 4, &count, &err), &err);
    assert_int_equal(count, 1);
    CHECK_OK(recall_rows_open(store, 1, &row.record_id, &got, &err), &err);
    row.withdrawn = id_of(9);
    row.state = RECALL_HELD;
    CHECK_OK(recall_rows_update(store, &row, &err), &err);
    CHECK_OK(recall_rows_by_withdrawn(store, &row.withdrawn, &got, &err), &err);
    assert_int_equal(got.state, RECALL_HELD);
    CHECK_OK(recall_rows_list(store, true, INT64_MAX, 0, rows, 4, &count, &err), &err);
    assert_int_equal(count, 1);
    row.state = RECALL_ERASED;
    row.closed_index = 77;
    CHECK_OK(recall_rows_update(store, &row, &err), &err);
    CHECK_OK(recall_rows_list(store, true, INT64_MAX, 0, rows, 4, &count, &err), &err);
    assert_int_equal(count, 0);
    CHECK_OK(recall_rows_list(store, false, INT64_MAX, 0, rows, 4, &count, &err), &err);
    assert_int_equal(rows[0].closed_index, 77);
    CHECK_STATUS(recall_rows_open(store, 1, &row.record_id, &got, &err), ERR_NOT_FOUND, &err);
    row.recall_id = 99;
    CHECK_STATUS(recall_rows_update(store, &row, &err), ERR_NOT_FOUND, &err);
}

static void the_journal_grows_at_its_end_only(void **state)
{
    (void)state;
    struct buf leaf = BUF_INIT;
    static const uint8_t large[JOURNAL_LEAF_MAX + 1] = { 0 };
    CHECK_OK(journal_rows_append(store, 1, 0, SPAN_LITERAL("first"), &err), &err);
    CHECK_STATUS(journal_rows_append(store, 1, 0, SPAN_LITERAL("again"), &err), ERR_EXISTS, &err);
    CHECK_STATUS(journal_rows_append(store, 1, 1, SPAN_ARRAY(large), &err), ERR_LIMIT, &err);
    CHECK_OK(journal_rows_append(store, 2, 0, SPAN_LITERAL("next epoch"), &err), &err);
    CHECK_OK(journal_rows_get(store, 1, 0, &leaf, &err), &err);
    assert_true(span_equal(buf_span(&leaf), SPAN_LITERAL("first")));
    CHECK_STATUS(journal_rows_get(store, 1, 1, &leaf, &err), ERR_NOT_FOUND, &err);
    buf_fini(&leaf);
}

static void an_alarm_is_open_once_and_counted(void **state)
{
    (void)state;
    struct alarm_row rows[4];
    struct code ke;
    size_t count = 0;
    int64_t first = 0;
    int64_t again = 0;
    char text[ALARM_TEXT_MAX + 20];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    memcpy(text + ALARM_TEXT_MAX - 1, "\xc3\xa9", 2); /* the cut must not halve a character */
    CHECK_OK(code_parse("KE", &ke, &err), &err);
    CHECK_OK(alarm_rows_raise(store, "clone", &ke, "two boot ids", &first, &err), &err);
    CHECK_OK(alarm_rows_raise(store, "clone", &ke, text, &again, &err), &err);
    assert_int_equal(first, again);
    CHECK_OK(alarm_rows_raise(store, "clone", NULL, "ourselves", &again, &err), &err);
    CHECK_OK(alarm_rows_list(store, true, 0, rows, 4, &count, &err), &err);
    assert_int_equal(count, 2);
    assert_int_equal(rows[0].times, 2);
    assert_string_equal(rows[0].peer.text, "KE");
    assert_int_equal(strlen(rows[0].text), ALARM_TEXT_MAX - 1);
    CHECK_OK(alarm_rows_close(store, first, 1000, &err), &err);
    CHECK_STATUS(alarm_rows_close(store, first, 1000, &err), ERR_NOT_FOUND, &err);
    CHECK_OK(alarm_rows_list(store, true, 0, rows, 4, &count, &err), &err);
    assert_int_equal(count, 1);
    CHECK_OK(alarm_rows_list(store, false, 0, rows, 4, &count, &err), &err);
    assert_int_equal(count, 2);
    CHECK_OK(alarm_rows_raise(store, "clone", &ke, "anew", &again, &err), &err);
    assert_int_not_equal(first, again);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, tables_set_up, tables_tear_down)
    const struct CMUnitTest tests[] = {
        T(a_record_has_versions_until_it_is_retired),
        T(records_are_found_by_the_beginning_of_their_id),
        T(records_are_listed_in_pages),
        T(a_pair_id_is_made_once_and_read_both_ways),
        T(a_consent_is_kept_whole),
        T(the_consents_that_cover_a_record_for_a_recipient_are_found),
        T(scope_audience_and_history_of_a_consent_come_back),
        T(what_expires_is_found_in_order),
        T(a_recall_is_listed_until_the_holder_erased),
        T(the_journal_grows_at_its_end_only),
        T(an_alarm_is_open_once_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
