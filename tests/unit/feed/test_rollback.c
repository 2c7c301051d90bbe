/* A subscriber or both sides lost something, or a publisher lost a whole epoch: healing and
 * unlocking all the same.
 */
#include "two_nodes.h"

/* The comparison alone: the connection breaks behind it. */
static void assert_meets(enum resume_outcome of_ke)
{
    struct meeting_result result;
    meet(&result);
    assert_int_equal(result.ke.outcome, of_ke);
    meeting_fini(&result);
}

static void a_subscriber_that_was_rolled_back_locks_and_catches_up(void **state)
{
    (void)state;
    struct store_place saved;
    give_one();
    struct id second = give_and_connect();
    node_save(&un, &saved);
    give_one();
    revoke(&ke, &second);
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 2);
    assert_int_equal(count_holdings(&un, HOLDING_ERASED), 1);
    uint64_t size = feed_between(&un, &ke, FEED_IN).size;
    node_roll_back(&un, &saved, true);
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 2);
    struct meeting_result result;
    meet(&result);
    assert_true(result.un.self_behind_receipt);
    assert_true(result.ke.peer_behind_receipt);
    assert_int_equal(result.ke.outcome, RESUME_IN_STEP);
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 0);
    assert_true(has_alarm(&un, "behind_receipt"));
    (void)deliver(&ke, &un, result.ke.send_from);
    meeting_fini(&result);
    assert_int_equal(feed_between(&un, &ke, FEED_IN).size, size);
    (void)erase_all(&un);
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 2);
    assert_int_equal(count_holdings(&un, HOLDING_LOCKED), 0);
    assert_int_equal(count_holdings(&un, HOLDING_ERASED), 1);
    connect_nodes();
}

static void a_subscriber_that_lost_everything_gets_no_body_that_was_withdrawn(void **state)
{
    (void)state;
    struct store_place saved;
    node_save(&un, &saved); /* before the first contact */
    struct id first = give_one();
    give_and_connect();
    revoke(&ke, &first);
    connect_nodes();
    node_roll_back(&un, &saved, true);
    struct meeting_result result;
    meet(&result);
    assert_true(result.un.self_behind_receipt);
    assert_int_equal(result.ke.send_from, 0);
    struct batch batch = { 0 };
    CHECK_OK(publish(&ke, &un, 0, &batch), &err);
    size_t withheld = 0;
    for (size_t i = 0; i < batch.entry_count; i++)
        withheld += batch.entries[i].withheld ? 1 : 0;
    assert_int_equal(withheld, 1);
    batch_fini(&batch);
    (void)deliver(&ke, &un, 0);
    meeting_fini(&result);
    (void)erase_all(&un);
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 1);
    assert_int_equal(count_holdings(&un, HOLDING_ERASED), 1);
}

static void an_epoch_that_the_restored_publisher_never_knew_is_healed_at_once(void **state)
{
    (void)state;
    struct store_place later;
    begin_second_epoch(&later);
    connect_nodes(); /* second epoch, healed */
    struct id consent = give_and_connect();
    revoke(&ke, &consent);
    connect_nodes();
    node_roll_back(&ke, &later, true);
    struct meeting_result result;
    meet(&result); /* KE shows the first epoch, of which it has lost a part as well */
    assert_int_equal(result.ke.outcome, RESUME_RECOVERED);
    assert_true(result.un.heal_peer);
    heal(&un, &ke, &result.un);
    meeting_fini(&result);
    assert_true(ke.feed.meet_again); /* the connection ends, and the next one heals the second */
    ke.feed.meet_again = false;
    meet(&result);
    assert_true(result.un.heal_peer);
    struct feed_row in = feed_between(&un, &ke, FEED_IN);
    assert_true(span_equal(buf_span(&result.un.heal_origin), span_text(in.origin)));
    heal(&un, &ke, &result.un);
    meeting_fini(&result);
    assert_false(ke.feed.meet_again);
    assert_int_equal(feed_between(&ke, &un, FEED_OUT).healed_size, 0);
}

static void a_publisher_that_lost_every_epoch_is_healed_in_the_first_connection(void **state)
{
    (void)state;
    struct store_place saved;
    node_save(&ke, &saved); /* before the first contact */
    give_and_connect();
    node_roll_back(&ke, &saved, true);
    struct meeting_result result;
    meet(&result);
    assert_int_equal(result.ke.outcome, RESUME_RECOVERED);
    assert_true(result.un.heal_peer);
    assert_int_equal(result.un.heal_from, 0);
    assert_true(feed_between(&ke, &un, FEED_OUT).healed_size != 0);
    heal(&un, &ke, &result.un);
    assert_int_equal(feed_between(&ke, &un, FEED_OUT).healed_size, 0);
    assert_false(ke.feed.meet_again);
    meeting_fini(&result);
    give_and_connect();
}

/* The subscriber knows of the second epoch by its own receipt alone, when the publisher is set back
 * to the first one: what it holds of that one must still stop the publisher. */
static void a_publisher_set_back_twice_hears_of_an_epoch_that_the_subscriber_has_lost(void **state)
{
    (void)state;
    struct store_place first;
    struct store_place second;
    struct store_place of_un;
    struct meeting_result result;
    give_and_connect();
    node_save(&ke, &first);
    node_save(&ke, &second);
    give_and_connect();
    node_save(&un, &of_un);
    uint64_t held = feed_between(&un, &ke, FEED_IN).size;
    node_roll_back(&ke, &first, true);
    connect_nodes();
    node_roll_back(&un, &of_un, true);
    meet(&result);
    meeting_fini(&result);
    assert_int_equal(feed_between(&un, &ke, FEED_IN).size, 0);
    node_roll_back(&ke, &second, true);
    assert_true(feed_between(&ke, &un, FEED_OUT).size < held);
    meet(&result);
    assert_int_equal(result.ke.outcome, RESUME_RECOVERED);
    assert_true(result.un.heal_peer);
    meeting_fini(&result);
    connect_nodes();
    connect_nodes();
    assert_int_equal(feed_between(&ke, &un, FEED_OUT).healed_size, 0);
}

static void both_rolled_back_are_unlocked_in_the_new_epoch(void **state)
{
    (void)state;
    struct store_place of_ke;
    struct store_place of_un;
    give_and_connect();
    node_save(&ke, &of_ke);
    node_save(&un, &of_un);
    give_and_connect();
    /* The heads outside of the backups tell both of them. */
    node_roll_back(&ke, &of_ke, false);
    node_roll_back(&un, &of_un, false);
    struct node *nodes[] = { &ke, &un };
    for (size_t i = 0; i < COUNT(nodes); i++) {
        tx_begin(nodes[i]);
        CHECK_OK(tx_end(nodes[i], feed_settle(&nodes[i]->feed, &err)), &err);
    }
    assert_int_equal(count_holdings(&un, HOLDING_LOCKED), 1);
    assert_meets(RESUME_RECOVERED);
    connect_nodes();
    connect_nodes(); /* neither knows of more than it holds */
    assert_int_equal(count_holdings(&un, HOLDING_LOCKED), 0);
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 1);
    assert_false(feed_between(&un, &ke, FEED_IN).rolled_back);
}

static void what_a_rolled_back_subscriber_lost_comes_in_the_epoch_that_was_opened_meanwhile(
    void **state)
{
    (void)state;
    struct store_place of_ke;
    struct store_place of_un;
    struct id consent = give_and_connect();
    node_save(&un, &of_un);
    revoke(&ke, &consent);
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ERASED), 1);
    node_save(&ke, &of_ke);
    give_and_connect();
    node_roll_back(&ke, &of_ke, false); /* knows of the withdrawal, and that it lost something */
    node_roll_back(&un, &of_un, true);  /* holds again what was withdrawn */
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 1);
    struct meeting_result result;
    meet(&result);
    assert_int_equal(result.ke.outcome, RESUME_RECOVERED);
    assert_int_equal(count_holdings(&un, HOLDING_LOCKED), 1);
    (void)deliver(&ke, &un, result.ke.send_from);
    meeting_fini(&result);
    assert_true(feed_between(&un, &ke, FEED_IN).rolled_back); /* until it is in step */
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 0);
    assert_int_equal(count_holdings(&un, HOLDING_LOCKED), 0);
    assert_int_equal(count_holdings(&un, HOLDING_ERASED), 1);
    assert_false(feed_between(&un, &ke, FEED_IN).rolled_back);
}

/* It shows an epoch that has ended, and less of that one than it once had. */
static void a_subscriber_set_back_over_the_start_of_an_epoch_gets_what_it_lost_before(void **state)
{
    (void)state;
    struct store_place of_ke;
    struct store_place of_un;
    struct id consent = give_and_connect();
    node_save(&un, &of_un);
    revoke(&ke, &consent);
    connect_nodes();
    node_save(&ke, &of_ke);
    give_and_connect();
    node_roll_back(&ke, &of_ke, true);
    connect_nodes(); /* the next epoch: KE knows of the withdrawal, and so did UNODC */
    connect_nodes();
    node_roll_back(&un, &of_un, true); /* holds again what was withdrawn */
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 1);
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 0);
    assert_int_equal(count_holdings(&un, HOLDING_LOCKED), 0);
    assert_int_equal(count_holdings(&un, HOLDING_ERASED), 1);
    uint64_t size = feed_between(&ke, &un, FEED_OUT).size;
    connect_nodes(); /* and only once */
    assert_int_equal(feed_between(&ke, &un, FEED_OUT).size, size);
}

/* Somebody has looked. */
static void release_after_lost_history(void)
{
    struct peer_row row = peer_of(&ke, &un);
    assert_true(has_alarm(&ke, "lost_history"));
    assert_true(row.held);
    row.held = false;
    set_peer(&ke, &row);
}

static void assert_all_arrives_after_release(size_t count)
{
    release_after_lost_history();
    connect_nodes();
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), count);
    assert_int_equal(count_holdings(&un, HOLDING_LOCKED), 0);
}

static void both_that_lost_all_they_ever_had_of_a_feed_begin_another(void **state)
{
    (void)state;
    struct store_place of_ke;
    struct store_place of_un;
    struct meeting_result result;
    node_save(&ke, &of_ke);
    node_save(&un, &of_un);
    give_and_connect();
    node_roll_back(&un, &of_un, true);
    meet(&result); /* UNODC hears of its own receipt */
    meeting_fini(&result);
    node_roll_back(&ke, &of_ke, true);
    give_and_connect();
    assert_all_arrives_after_release(1);
}

/* UNODC has lost the end of a feed, and knows so by its own receipt alone. */
static void lose_the_end_of_a_feed(struct store_place *of_ke)
{
    struct store_place of_un;
    struct meeting_result result;
    give_and_connect();
    node_save(&un, &of_un);
    give_and_connect();
    node_save(&ke, of_ke);
    give_and_connect();
    node_roll_back(&un, &of_un, true);
    meet(&result); /* UNODC hears of its own receipt, and its disk is full */
    meeting_fini(&result);
}

static void a_publisher_set_back_behind_a_receipt_opens_a_new_epoch(void **state)
{
    (void)state;
    struct store_place of_ke;
    char old[FEED_ORIGIN_MAX + 1];
    lose_the_end_of_a_feed(&of_ke);
    node_roll_back(&ke, &of_ke, true); /* it has more than UNODC holds, less than it cosigned */
    struct feed_row out = feed_between(&ke, &un, FEED_OUT);
    struct feed_row in = feed_between(&un, &ke, FEED_IN);
    assert_true(in.size < out.size && out.size < in.receipt_size);
    memcpy(old, out.origin, sizeof(old));
    assert_meets(RESUME_RECOVERED);
    assert_string_not_equal(feed_between(&ke, &un, FEED_OUT).origin, old);
    assert_meets(RESUME_IN_STEP); /* the connection broke: it happens once */
    assert_all_arrives_after_release(2);
}

static void a_publisher_set_back_behind_an_epoch_that_was_cosigned_opens_another(void **state)
{
    (void)state;
    struct store_place first;
    struct store_place of_ke;
    struct store_place of_un;
    struct meeting_result result;
    give_and_connect();
    node_save(&un, &of_un);
    node_save(&ke, &first);
    give_and_connect();
    node_save(&ke, &of_ke); /* more of the first epoch than UNODC will hold */
    give_and_connect();
    node_roll_back(&ke, &first, true);
    connect_nodes();
    connect_nodes(); /* the second epoch, cosigned */
    node_roll_back(&un, &of_un, true);
    meet(&result); /* UNODC hears of it; it does not come again */
    meeting_fini(&result);
    assert_int_equal(feed_between(&un, &ke, FEED_IN).size, 0);
    node_roll_back(&ke, &of_ke, true);
    assert_meets(RESUME_RECOVERED);
    assert_meets(RESUME_IN_STEP);
    connect_nodes(); /* it is taken, not refused as an epoch that has ended */
    assert_all_arrives_after_release(2);
}

/* A publisher that does not hear of the receipt, and signs another history over the same places. */
static void entries_that_are_not_those_of_an_own_receipt_are_a_fork(void **state)
{
    (void)state;
    struct store_place of_ke;
    struct batch batch = { 0 };
    struct buf receipt = BUF_INIT;
    lose_the_end_of_a_feed(&of_ke);
    node_roll_back(&ke, &of_ke, true);
    give_one();
    give_one();
    uint64_t held = feed_between(&un, &ke, FEED_IN).size;
    CHECK_OK(publish(&ke, &un, held, &batch), &err); /* what is numbered */
    CHECK_OK(ingest(&un, &ke, &batch, &receipt), &err);
    uint64_t next = batch_end(&batch);
    batch_fini(&batch);
    buf_clear(&receipt);
    CHECK_OK(publish(&ke, &un, next, &batch), &err);
    assert_true(batch_end(&batch) >= feed_between(&un, &ke, FEED_IN).receipt_size);
    CHECK_STATUS(ingest(&un, &ke, &batch, &receipt), ERR_MISMATCH, &err);
    CHECK_CONTAINS(err.text, "receipted once");
    assert_int_equal(feed_between(&un, &ke, FEED_IN).size, next);
    batch_fini(&batch);
    buf_fini(&receipt);
}

/* KE waits for the headers that it lost; before it has them, UNODC loses them as well. */
static void what_is_lost_on_both_sides_holds_the_peer_until_somebody_has_looked(void **state)
{
    (void)state;
    struct store_place of_ke;
    struct store_place of_un;
    struct meeting_result result;
    give_and_connect();
    node_save(&un, &of_un);
    node_save(&ke, &of_ke);
    give_and_connect();
    node_roll_back(&ke, &of_ke, true);
    meet(&result);
    assert_int_equal(result.ke.outcome, RESUME_RECOVERED);
    meeting_fini(&result); /* the connection breaks */
    assert_int_not_equal(feed_between(&ke, &un, FEED_OUT).healed_size, 0);
    assert_false(peer_of(&ke, &un).held);
    node_roll_back(&un, &of_un, true);
    connect_nodes();
    assert_int_equal(feed_between(&ke, &un, FEED_OUT).healed_size, 0);
    release_after_lost_history();
    give_and_connect();
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 2);
}

int main(void)
{
#define TWO(test) cmocka_unit_test_setup_teardown(test, two_set_up, two_tear_down)
    const struct CMUnitTest tests[] = {
        TWO(a_subscriber_that_was_rolled_back_locks_and_catches_up),
        TWO(a_subscriber_that_lost_everything_gets_no_body_that_was_withdrawn),
        TWO(an_epoch_that_the_restored_publisher_never_knew_is_healed_at_once),
        TWO(a_publisher_that_lost_every_epoch_is_healed_in_the_first_connection),
        TWO(a_publisher_set_back_twice_hears_of_an_epoch_that_the_subscriber_has_lost),
        TWO(a_subscriber_set_back_over_the_start_of_an_epoch_gets_what_it_lost_before),
        TWO(both_that_lost_all_they_ever_had_of_a_feed_begin_another),
        TWO(a_publisher_set_back_behind_a_receipt_opens_a_new_epoch),
        TWO(a_publisher_set_back_behind_an_epoch_that_was_cosigned_opens_another),
        TWO(entries_that_are_not_those_of_an_own_receipt_are_a_fork),
        TWO(what_is_lost_on_both_sides_holds_the_peer_until_somebody_has_looked),
        TWO(both_rolled_back_are_unlocked_in_the_new_epoch),
        TWO(what_a_rolled_back_subscriber_lost_comes_in_the_epoch_that_was_opened_meanwhile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
