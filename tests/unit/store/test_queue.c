/* Peers, and the queues in which entries wait for them. */
#include "base/memory.h"
#include "store/outbox_rows.h"
#include "store/peer_rows.h"
#include "store/store.h"
#include "support/check.h"
#include "support/store_place.h"

static struct store_place place;
static struct store *store;
static struct error err;
static int64_t peer_id;
static const uint8_t zeros[16] = { 0 };

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

static int set_up(void **state)
{
    (void)state;
    store_place_make(&place, 12);
    struct store_options o = options();
    CHECK_OK(store_create(&o, &store, &err), &err);
    CHECK_OK(store_begin(store, &err), &err);
    struct peer_row peer = peer_of("KE");
    CHECK_OK(peer_rows_add(store, &peer, &peer_id, &err), &err);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    store_close(store);
    store_place_remove(&place);
    return 0;
}

static int64_t queue(enum outbox_priority priority, unsigned consent, const char *body)
{
    int64_t id = 0;
    struct outbox_row row = { .peer_id = peer_id, .priority = priority, .kind = 16 };
    row.consent_id.bytes[0] = (uint8_t)consent;
    row.subject_id.bytes[0] = 5;
    row.body = span_text(body);
    CHECK_OK(outbox_rows_add(store, &row, &id, &err), &err);
    return id;
}

static void recalls_overtake_in_the_queue(void **state)
{
    (void)state;
    static const char *const want[] = { "recall 1", "recall 2", "terms", "record 1", "record 2" };
    (void)queue(OUTBOX_RECORD, 1, "record 1");
    (void)queue(OUTBOX_RECALL, 1, "recall 1");
    (void)queue(OUTBOX_RECORD, 2, "record 2");
    (void)queue(OUTBOX_TERMS, 1, "terms");
    (void)queue(OUTBOX_RECALL, 1, "recall 2");
    struct outbox_place at = OUTBOX_START;
    struct outbox_row row;
    struct buf body = BUF_INIT;
    for (size_t i = 0; i < COUNT(want); i++) {
        CHECK_OK(outbox_rows_next(store, peer_id, at, &row, &body, &err), &err);
        assert_true(span_equal(row.body, span_text(want[i])));
        at = (struct outbox_place){ (int)row.priority, row.outbox_id };
    }
    CHECK_STATUS(outbox_rows_next(store, peer_id, at, &row, &body, &err), ERR_NOT_FOUND, &err);
    CHECK_OK(outbox_rows_remove(store, row.outbox_id, &err), &err);
    CHECK_STATUS(outbox_rows_remove(store, row.outbox_id, &err), ERR_NOT_FOUND, &err);
    buf_fini(&body);
}

static void what_is_revoked_leaves_the_queue_but_recalls_stay(void **state)
{
    (void)state;
    uint64_t count = 0;
    struct id consent = { { 1 } };
    struct id other = { { 6 } };
    (void)queue(OUTBOX_RECORD, 1, "record");
    (void)queue(OUTBOX_RECALL, 1, "recall");
    (void)queue(OUTBOX_RECORD, 2, "of another consent");
    CHECK_OK(outbox_rows_remove_records(store, &consent, &other, 0, &count, &err), &err);
    assert_int_equal(count, 0);
    CHECK_OK(outbox_rows_remove_records(store, &consent, &ID_NONE, 99, &count, &err), &err);
    assert_int_equal(count, 0);
    CHECK_OK(outbox_rows_remove_records(store, &consent, &ID_NONE, 0, &count, &err), &err);
    assert_int_equal(count, 1);
    CHECK_OK(outbox_rows_count(store, peer_id, &count, &err), &err);
    assert_int_equal(count, 2);
    CHECK_OK(outbox_rows_count(store, 0, &count, &err), &err);
    assert_int_equal(count, 2);
}

static void only_recalls_wait_for_a_held_peer_and_nothing_for_a_blocked_one(void **state)
{
    (void)state;
    struct code waiting[4];
    size_t count = 0;
    struct peer_row peer;
    struct outbox_row big = { .peer_id = peer_id };
    int64_t id = 0;
    big.body = span_of(zeros, ENTRY_BODY_MAX + 1);
    CHECK_STATUS(outbox_rows_add(store, &big, &id, &err), ERR_LIMIT, &err);
    CHECK_OK(outbox_rows_waiting(store, waiting, 4, &count, &err), &err);
    assert_int_equal(count, 0);
    (void)queue(OUTBOX_RECORD, 1, "record");
    CHECK_OK(outbox_rows_waiting(store, waiting, 4, &count, &err), &err);
    assert_int_equal(count, 1);
    assert_string_equal(waiting[0].text, "KE");
    CHECK_OK(peer_rows_get_id(store, peer_id, &peer, &err), &err);
    peer.held = true;
    CHECK_OK(peer_rows_update(store, &peer, &err), &err);
    CHECK_OK(outbox_rows_waiting(store, waiting, 4, &count, &err), &err);
    assert_int_equal(count, 0);
    (void)queue(OUTBOX_RECALL, 1, "recall");
    CHECK_OK(outbox_rows_waiting(store, waiting, 4, &count, &err), &err);
    assert_int_equal(count, 1);
    peer.state = PEER_BLOCKED;
    CHECK_OK(peer_rows_update(store, &peer, &err), &err);
    CHECK_OK(outbox_rows_waiting(store, waiting, 4, &count, &err), &err);
    assert_int_equal(count, 0);
}

static void peers_are_kept_whole(void **state)
{
    (void)state;
    struct peer_row row = peer_of("AU");
    struct peer_row got;
    struct peer_row rows[4];
    size_t count = 0;
    int64_t id = 0;
    struct buf file = BUF_INIT;
    row.state = PEER_ADDED;
    row.crl_number = 12;
    row.receipt_key.bytes[31] = 5;
    CHECK_OK(peer_rows_add(store, &row, &id, &err), &err);
    CHECK_STATUS(peer_rows_add(store, &row, &id, &err), ERR_EXISTS, &err);
    CHECK_OK(peer_rows_get(store, &row.code, &got, &err), &err);
    assert_int_equal(got.crl_number, 12);
    assert_int_equal(got.receipt_key.bytes[31], 5);
    assert_string_equal(peer_state_name(got.state), "added");
    CHECK_OK(peer_rows_list(store, NULL, rows, 4, &count, &err), &err);
    assert_int_equal(count, 2);
    assert_string_equal(rows[0].code.text, "AU");
    CHECK_OK(peer_rows_list(store, &rows[0].code, rows, 4, &count, &err), &err);
    assert_int_equal(count, 1);
    row = peer_of("GB");
    CHECK_STATUS(peer_rows_get(store, &row.code, &got, &err), ERR_NOT_FOUND, &err);
    CHECK_CONTAINS(err.text, "GB");
    CHECK_STATUS(peer_rows_update(store, &row, &err), ERR_NOT_FOUND, &err);
    CHECK_OK(peer_rows_get_file(store, id, PEER_CARD_PEM, &file, &err), &err);
    assert_int_equal(file.size, 0);
    CHECK_OK(peer_rows_set_file(store, id, PEER_CARD_PEM, SPAN_LITERAL("card"), &err), &err);
    CHECK_OK(peer_rows_set_file(store, id, PEER_CARD_PEM, SPAN_LITERAL("new card"), &err), &err);
    CHECK_OK(peer_rows_get_file(store, id, PEER_CARD_PEM, &file, &err), &err);
    assert_true(span_equal(buf_span(&file), SPAN_LITERAL("new card")));
    CHECK_STATUS(peer_rows_set_file(store, id, PEER_CARD_PEM, span_of(zeros, CARD_MAX + 1), &err),
                 ERR_LIMIT, &err);
    buf_fini(&file);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(recalls_overtake_in_the_queue),
        T(what_is_revoked_leaves_the_queue_but_recalls_stay),
        T(only_recalls_wait_for_a_held_peer_and_nothing_for_a_blocked_one),
        T(peers_are_kept_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
