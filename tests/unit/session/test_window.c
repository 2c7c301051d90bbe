/* What is in flight: places, receipts that cover several batches, time. */
#include "session/window.h"
#include "support/check.h"

static void window_refuses_a_ninth_batch_and_a_ninth_megabyte(void **state)
{
    (void)state;
    struct window window = { 0 };
    struct error err = ERROR_INIT;
    for (uint64_t i = 1; i <= SESSION_WINDOW_BATCHES; i++)
        CHECK_OK(window_arrived(&window, i, 10, &err), &err);
    CHECK_STATUS(window_arrived(&window, 9, 10, &err), ERR_LIMIT, &err);
    assert_true(window_stored(&window));
    CHECK_STATUS(window_arrived(&window, 9, SESSION_WINDOW_BYTES, &err), ERR_LIMIT, &err);
    CHECK_OK(window_arrived(&window, 9, SESSION_WINDOW_BYTES - 70, &err), &err);
    for (int i = 0; i < SESSION_WINDOW_BATCHES; i++)
        assert_true(window_stored(&window));
    assert_false(window_stored(&window));
    assert_int_equal(window.bytes, 0);
}

static void window_has_room_for_the_largest_batch_or_for_none(void **state)
{
    (void)state;
    struct window window = { 0 };
    assert_true(window_has_room(&window));
    window_sent(&window, 5, SESSION_WINDOW_BYTES - FRAME_BATCH_MAX, 0);
    assert_true(window_has_room(&window));
    window_sent(&window, 6, 1, 0);
    assert_false(window_has_room(&window));
    struct window many = { 0 };
    for (uint64_t i = 1; i <= SESSION_WINDOW_BATCHES; i++) {
        assert_true(window_has_room(&many));
        window_sent(&many, i, 1, 0);
    }
    assert_false(window_has_room(&many));
}

static void window_refuses_more_receipts_than_it_can_keep(void **state)
{
    (void)state;
    struct window window = { 0 };
    struct error err = ERROR_INIT;
    CHECK_STATUS(window_receipt(&window, 1, &err), ERR_INVALID, &err);
    /* Twenty batches were sent, and two receipts came for the first twelve. */
    for (uint64_t i = 1; i <= 12; i++) {
        window_sent(&window, i, 1, 0);
        if (i % 6 == 0) {
            CHECK_OK(window_receipt(&window, i, &err), &err);
            window_taken(&window, 0);
        }
    }
    for (uint64_t i = 13; i <= 20; i++)
        window_sent(&window, i, 1, 0);
    for (uint64_t i = 13; i <= 20; i++)
        CHECK_OK(window_receipt(&window, i, &err), &err);
    CHECK_STATUS(window_receipt(&window, 21, &err), ERR_INVALID, &err);
    CHECK_CONTAINS(err.text, "more receipts than batches");
}

static void window_lets_a_receipt_cover_what_is_sent_behind_it(void **state)
{
    (void)state;
    struct window window = { 0 };
    struct error err = ERROR_INIT;
    window_sent(&window, 4, 100, 0);
    window_sent(&window, 8, 100, 0);
    CHECK_OK(window_receipt(&window, 12, &err), &err);
    assert_true(window_expects_answer(&window));
    assert_int_equal(window.count, 2); /* not before it is verified */
    window_taken(&window, 0);
    assert_false(window_expects_answer(&window));
    assert_int_equal(window.count, 0);
    window_sent(&window, 12, 100, 0);
    assert_int_equal(window.count, 0);
    window_sent(&window, 13, 100, 0);
    assert_int_equal(window.count, 1);
    CHECK_STATUS(window_receipt(&window, 12, &err), ERR_INVALID, &err);
}

static void window_measures_the_wait_from_the_last_progress(void **state)
{
    (void)state;
    struct window window = { 0 };
    struct error err = ERROR_INIT;
    assert_true(window_deadline_ms(&window) == INT64_MAX);
    window_sent(&window, 1, 1, 1000);
    window_sent(&window, 2, 1, 5000);
    assert_true(window_deadline_ms(&window) == 1000 + RECEIPT_TIMEOUT_MS);
    CHECK_OK(window_receipt(&window, 1, &err), &err);
    assert_true(window_deadline_ms(&window) == INT64_MAX);
    window_taken(&window, 9000);
    assert_true(window_deadline_ms(&window) == 9000 + RECEIPT_TIMEOUT_MS);
    CHECK_OK(window_receipt(&window, 2, &err), &err);
    window_taken(&window, 9001);
    assert_true(window_deadline_ms(&window) == INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(window_refuses_a_ninth_batch_and_a_ninth_megabyte),
        cmocka_unit_test(window_has_room_for_the_largest_batch_or_for_none),
        cmocka_unit_test(window_refuses_more_receipts_than_it_can_keep),
        cmocka_unit_test(window_lets_a_receipt_cover_what_is_sent_behind_it),
        cmocka_unit_test(window_measures_the_wait_from_the_last_progress),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
