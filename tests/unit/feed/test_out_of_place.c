/* Batches, headers and receipts that are right by themselves, and come where they do not belong. */
#include "two_nodes.h"

/* KE numbers what one more consent brings, from `first` on; it does not arrive. */
static struct batch number_one_more(uint64_t first)
{
    struct batch batch = { 0 };
    give_one();
    CHECK_OK(publish(&ke, &un, first, &batch), &err);
    assert_int_equal(batch.first_index, first);
    assert_int_equal(batch.entry_count, 2);
    return batch;
}

static void assert_batch_refused(struct batch *batch, const char *why)
{
    struct buf receipt = BUF_INIT;
    CHECK_STATUS(ingest(&un, &ke, batch, &receipt), ERR_MISMATCH, &err);
    CHECK_CONTAINS(err.text, why);
    assert_int_equal(receipt.size, 0);
    buf_fini(&receipt);
}

static void a_batch_behind_a_gap_is_refused_until_the_gap_is_closed(void **state)
{
    (void)state;
    struct buf receipt = BUF_INIT;
    give_and_connect();
    struct batch lost = number_one_more(2);
    struct batch next = number_one_more(4);
    assert_batch_refused(&next, "begins at 4, we hold 2");
    assert_int_equal(feed_between(&un, &ke, FEED_IN).size, 2);
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 1);
    CHECK_OK(ingest(&un, &ke, &lost, &receipt), &err);
    buf_fini(&receipt);
    CHECK_OK(ingest(&un, &ke, &next, &receipt), &err);
    buf_fini(&receipt);
    assert_int_equal(feed_between(&un, &ke, FEED_IN).size, 6);
    batch_fini(&lost);
    batch_fini(&next);
}

static void a_feed_that_nobody_has_begins_with_its_first_entry(void **state)
{
    (void)state;
    struct feed_row in;
    struct batch first = number_one_more(0);
    struct batch next = number_one_more(2);
    assert_batch_refused(&next, "an unknown feed that begins at 2, not at 0");
    assert_int_equal(feed_rows_latest(un.store, peer_of(&un, &ke).peer_id, FEED_IN, &in, NULL),
                     ERR_NOT_FOUND);
    batch_fini(&first);
    batch_fini(&next);
}

static void an_epoch_that_has_ended_takes_no_more_entries(void **state)
{
    (void)state;
    struct store_place saved;
    give_and_connect();
    node_save(&ke, &saved);
    struct batch late = number_one_more(2);
    node_roll_back(&ke, &saved, false); /* the heads file tells it */
    connect_nodes();
    struct feed_row in = feed_between(&un, &ke, FEED_IN);
    assert_false(span_equal(span_text(in.origin), late.origin));
    assert_batch_refused(&late, "was closed when its publisher was restored");
    assert_string_equal(feed_between(&un, &ke, FEED_IN).origin, in.origin);
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 1);
    batch_fini(&late);
}

/* -- headers that a publisher lost ------------------------------------------------------------- */

static void assert_heal_refused(const struct heal *part, enum status expected, const char *why)
{
    tx_begin(&ke);
    CHECK_STATUS(tx_end(&ke, feed_heal_apply(&ke.feed, &un.code, part, &err)), expected, &err);
    CHECK_CONTAINS(err.text, "heal from UNODC");
    CHECK_CONTAINS(err.text, why);
}

/* KE has lost entries 2 and 3 of four and waits for them; all four headers, as UNODC holds them. */
static struct heal lose_two_of_four(void)
{
    struct store_place saved;
    struct heal part = { 0 };
    struct meeting_result result;
    give_around_copy(&saved);
    struct feed_row in = feed_between(&un, &ke, FEED_IN);
    CHECK_OK(feed_heal_read(&un.feed, &ke.code, span_text(in.origin), 0, 100000, &part, &err),
             &err);
    assert_int_equal(part.header_count, 4);
    node_roll_back(&ke, &saved, true);
    meet(&result);
    assert_int_equal(result.ke.outcome, RESUME_RECOVERED);
    meeting_fini(&result);
    return part;
}

static void headers_that_are_not_those_of_the_feed_are_not_taken(void **state)
{
    (void)state;
    struct heal part = lose_two_of_four();
    uint8_t *first = (uint8_t *)(uintptr_t)part.headers[0].data;
    first[part.headers[0].size - 1] ^= 1;
    tx_begin(&ke);
    assert_int_not_equal(tx_end(&ke, feed_heal_apply(&ke.feed, &un.code, &part, &err)), OK);
    first[part.headers[0].size - 1] ^= 1;
    struct span kept = part.headers[0];
    part.headers[0] = part.headers[1];
    assert_heal_refused(&part, ERR_MISMATCH, "header 0 is not the one that is here");
    part.headers[0] = kept;
    part.header_count = 3; /* and yet the last part */
    assert_heal_refused(&part, ERR_MISMATCH, "checkpoint over 4 entries, 3 are here");
    part.header_count = 4;
    assert_int_not_equal(feed_between(&ke, &un, FEED_OUT).healed_size, 0); /* it still waits */
    tx_begin(&ke);
    CHECK_OK(tx_end(&ke, feed_heal_apply(&ke.feed, &un.code, &part, &err)), &err);
    assert_int_equal(feed_between(&ke, &un, FEED_OUT).healed_size, 0);
    heal_fini(&part);
}

static void only_a_feed_of_ours_that_has_ended_is_healed(void **state)
{
    (void)state;
    struct heal part = lose_two_of_four();
    struct feed_row current = feed_between(&ke, &un, FEED_OUT);
    struct span old = part.origin;
    part.origin = span_text(current.origin);
    assert_heal_refused(&part, ERR_MISMATCH, "is in use and needs no healing");
    part.origin = SPAN_LITERAL("comity.v1/training/feed/KE/UNODC/0123456789abcdef");
    assert_heal_refused(&part, ERR_NOT_FOUND, "");
    part.origin = old;
    connect_nodes(); /* heals it */
    assert_int_equal(feed_between(&ke, &un, FEED_OUT).healed_size, 0);
    heal_fini(&part);
}

/* A Hello may be older than what travelled since. */
static void headers_that_a_feed_in_use_has_already_are_no_harm(void **state)
{
    (void)state;
    struct heal part = { 0 };
    give_and_connect();
    struct feed_row in = feed_between(&un, &ke, FEED_IN);
    CHECK_OK(feed_heal_read(&un.feed, &ke.code, span_text(in.origin), 0, 100000, &part, &err),
             &err);
    tx_begin(&ke);
    CHECK_OK(tx_end(&ke, feed_heal_apply(&ke.feed, &un.code, &part, &err)), &err);
    heal_fini(&part);
    assert_int_equal(feed_between(&ke, &un, FEED_OUT).size, in.size);
    assert_false(has_alarm(&ke, "unknown_records"));
    /* And who lacks nothing is given the receipt alone. */
    CHECK_OK(feed_heal_read(&un.feed, &ke.code, span_text(in.origin), in.size, 100000, &part, &err),
             &err);
    assert_int_equal(part.header_count, 0);
    assert_true(part.last);
    assert_true(part.checkpoint.size > 0);
    heal_fini(&part);
}

int main(void)
{
#define TWO(test) cmocka_unit_test_setup_teardown(test, two_set_up, two_tear_down)
    const struct CMUnitTest tests[] = {
        TWO(a_batch_behind_a_gap_is_refused_until_the_gap_is_closed),
        TWO(a_feed_that_nobody_has_begins_with_its_first_entry),
        TWO(an_epoch_that_has_ended_takes_no_more_entries),
        TWO(headers_that_are_not_those_of_the_feed_are_not_taken),
        TWO(only_a_feed_of_ours_that_has_ended_is_healed),
        TWO(headers_that_a_feed_in_use_has_already_are_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
