/* A holder whose clock jumps forward and back: locked while it is ahead, free when it is right, and
 * nothing that its publisher ended comes back. */
#include "two_nodes.h"

#include "log/tree.h"
#include "store/terms_rows.h"

static void tick(struct node *node)
{
    int64_t next_ms = 0;
    tx_begin(node);
    CHECK_OK(tx_end(node, feed_tick(&node->feed, &next_ms, &err)), &err);
    (void)erase_all(node);
}

static void jump(int64_t days)
{
    un.place.clock.wall_now_ms += days * DAY_MS;
    tick(&un);
}

static void the_lock_lifts_when_the_clock_is_right_again(void **state)
{
    (void)state;
    struct id record = add_excerpt(&ke, "One");
    (void)give(&ke, &un, &record, 1, 10);
    connect_nodes();
    jump(400);
    assert_int_equal(count_holdings(&un, HOLDING_LOCKED), 1);
    jump(-395); /* still 5 days ahead, and behind the end */
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 1);
    jump(-5);
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 1);
    pass_time(11 * DAY_MS); /* the end comes all the same */
    tick(&un);
    assert_int_equal(count_holdings(&un, HOLDING_LOCKED), 1);
    tick(&ke);
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ERASED), 1);
}

static void many_are_lifted_in_several_steps(void **state)
{
    (void)state;
    enum { RECORDS = 70 };
    struct id records[RECORDS];
    for (size_t i = 0; i < RECORDS; i++)
        records[i] = add_excerpt(&ke, "One of many");
    (void)give(&ke, &un, records, RECORDS, 10);
    connect_nodes();
    jump(400);
    tick(&un);
    struct holding_filter filter = { .state = HOLDING_LOCKED };
    struct holding_row rows[RECORDS];
    struct holding_place place = { 0 };
    size_t count = 0;
    CHECK_OK(holding_rows_list(un.store, &filter, &place, rows, RECORDS, &count, &err), &err);
    assert_int_equal(count, RECORDS);
    jump(-400);
    tick(&un);
    assert_int_equal(count_holdings(&un, HOLDING_LOCKED), 0);
}

/* Whoever puts the clock of a holder back gains nothing once the publisher has signed a later time.
 */
static void a_clock_that_was_put_back_frees_nothing_that_has_really_ended(void **state)
{
    (void)state;
    struct id records[2] = { add_excerpt(&ke, "One"), add_excerpt(&ke, "Two") };
    (void)give(&ke, &un, records, 1, 10);
    connect_nodes();
    pass_time(11 * DAY_MS);
    int64_t next_ms = 0;
    tx_begin(&un);
    CHECK_OK(tx_end(&un, feed_tick(&un.feed, &next_ms, &err)), &err);
    (void)give(&ke, &un, &records[1], 1, 10); /* its time says that the first is over */
    struct meeting_result result;
    meet(&result);
    (void)deliver(&ke, &un, result.ke.send_from);
    meeting_fini(&result);
    un.place.clock.wall_now_ms -= 11 * DAY_MS;
    tx_begin(&un);
    CHECK_OK(tx_end(&un, feed_tick(&un.feed, &next_ms, &err)), &err);
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 1);
    assert_int_equal(count_holdings(&un, HOLDING_LOCKED), 1);
    (void)erase_all(&un);
    assert_int_equal(count_holdings(&un, HOLDING_ERASED), 1);
}

static void what_comes_while_the_clock_is_ahead_is_locked_and_not_refused(void **state)
{
    (void)state;
    struct id records[2] = { add_excerpt(&ke, "One"), add_excerpt(&ke, "Two") };
    (void)give(&ke, &un, records, 2, 10);
    struct batch batch = { 0 };
    struct buf receipt = BUF_INIT;
    jump(400);
    tx_begin(&ke);
    CHECK_OK(tx_end(&ke, feed_publish(&ke.feed, &un.code, 0, BATCH_BYTES_MAX, &batch, &err)), &err);
    CHECK_OK(feed_publish_sign(&ke.feed, &batch, &err), &err);
    assert_int_equal(batch.entry_count, 3);
    CHECK_OK(ingest(&un, &ke, &batch, &receipt), &err);
    tick(&un);
    assert_int_equal(waiting_for(&un, &ke), 0); /* no REFUSED */
    assert_int_equal(count_holdings(&un, HOLDING_LOCKED), 2);
    struct id third = add_excerpt(&ke, "Three"); /* under terms that have ended by that clock */
    batch_fini(&batch);
    (void)take_receipt(&ke, &un, buf_span(&receipt));
    (void)give(&ke, &un, &third, 1, 10);
    CHECK_OK(publish(&ke, &un, 3, &batch), &err);
    buf_clear(&receipt);
    CHECK_OK(ingest(&un, &ke, &batch, &receipt), &err);
    tick(&un);
    assert_int_equal(count_holdings(&un, HOLDING_LOCKED), 3);
    jump(-400);
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 3);
    batch_fini(&batch);
    buf_fini(&receipt);
}

static void more_under_terms_that_the_clock_alone_ended_is_locked(void **state)
{
    (void)state;
    struct id records[2] = { add_excerpt(&ke, "One"), add_excerpt(&ke, "Two") };
    (void)give(&ke, &un, records, 2, 10);
    struct batch batch = { 0 };
    struct buf receipt = BUF_INIT;
    CHECK_OK(publish(&ke, &un, 0, &batch), &err);
    /* the terms and the first record; then the clock jumps; then the rest */
    struct batch whole = batch;
    struct checkpoint part = { span_text(feed_between(&ke, &un, FEED_OUT).origin), 2, { { 0 } } };
    struct buf note = BUF_INIT;
    struct tree tree;
    tree_init(&tree);
    for (size_t i = 0; i < 2; i++) {
        struct digest leaf;
        CHECK_OK(tree_leaf(whole.entries[i].header, &leaf, &err), &err);
        CHECK_OK(tree_append(&tree, &leaf, NULL, &err), &err);
    }
    CHECK_OK(tree_root(&tree, &part.root, &err), &err);
    CHECK_OK(checkpoint_sign(&part, ke.log_key, &note, &err), &err);
    struct batch first = whole;
    first.entry_count = 2;
    first.checkpoint = buf_span(&note);
    CHECK_OK(ingest(&un, &ke, &first, &receipt), &err);
    jump(400);
    buf_clear(&receipt);
    CHECK_OK(ingest(&un, &ke, &whole, &receipt), &err);
    assert_int_equal(waiting_for(&un, &ke), 0);
    assert_int_equal(count_holdings(&un, HOLDING_LOCKED), 2);
    jump(-400);
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 2);
    buf_fini(&note);
    buf_fini(&receipt);
    batch_fini(&batch);
}

static void what_its_publisher_ended_stays_ended(void **state)
{
    (void)state;
    struct id record = add_excerpt(&ke, "One");
    struct id consent = give(&ke, &un, &record, 1, 10);
    connect_nodes();
    jump(400);
    revoke(&ke, &consent);
    struct meeting_result result;
    meet(&result);
    (void)deliver(&ke, &un, result.ke.send_from);
    meeting_fini(&result);
    jump(-400);
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 0);
    assert_int_equal(count_holdings(&un, HOLDING_ERASED), 1);
    struct terms_row terms;
    struct id pair;
    CHECK_OK(
        pair_rows_get(ke.store, peer_of(&ke, &un).peer_id, PAIR_CONSENT, &consent, &pair, &err),
        &err);
    CHECK_OK(terms_rows_get(un.store, peer_of(&un, &ke).peer_id, &pair, &terms, &err), &err);
    assert_int_equal(terms.state, CONSENT_REVOKED);
    assert_false(terms.by_clock);
}

/* -- what confirms an end ---------------------------------------------------------------------- */

/* Something of UNODC's own: Kenya receipts it, by Kenya's clock. */
static void let_kenya_sign_a_receipt(void)
{
    struct id record = add_excerpt(&un, "Of UNODC");
    (void)give(&un, &ke, &record, 1, 1000);
    connect_nodes();
}

static void let_kenya_sign_a_receipt_of_400_days_later(void)
{
    ke.place.clock.wall_now_ms += 400 * DAY_MS;
    let_kenya_sign_a_receipt();
    ke.place.clock.wall_now_ms -= 400 * DAY_MS;
}

static void give_one_for_10_days(void)
{
    struct id record = add_excerpt(&ke, "One");
    (void)give(&ke, &un, &record, 1, 10);
    connect_nodes();
}

static void a_receipt_from_before_the_consent_confirms_no_end_of_it(void **state)
{
    (void)state;
    let_kenya_sign_a_receipt_of_400_days_later();
    give_one_for_10_days();
    jump(400);
    assert_int_equal(count_holdings(&un, HOLDING_LOCKED), 1);
    assert_int_equal(count_holdings(&un, HOLDING_ERASED), 0);
    let_kenya_sign_a_receipt(); /* its time does not go back: it is the former one again */
    jump(0);
    assert_int_equal(count_holdings(&un, HOLDING_LOCKED), 1);
    jump(-400);
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 1);
}

static void a_receipt_before_another_entry_confirms_no_end(void **state)
{
    (void)state;
    give_one_for_10_days();
    let_kenya_sign_a_receipt_of_400_days_later();
    give_one_for_10_days(); /* its clock is right again, it says */
    jump(400);
    assert_int_equal(count_holdings(&un, HOLDING_LOCKED), 2);
    jump(-400);
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 2);
}

static void an_entry_before_a_receipt_of_an_earlier_time_confirms_no_end(void **state)
{
    (void)state;
    give_one_for_10_days();
    ke.place.clock.wall_now_ms += 400 * DAY_MS;
    give_one_for_10_days();
    ke.place.clock.wall_now_ms -= 400 * DAY_MS;
    let_kenya_sign_a_receipt();
    jump(20);
    assert_int_equal(count_holdings(&un, HOLDING_LOCKED), 1);
    jump(-20);
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 2);
}

static void a_receipt_that_is_the_last_that_its_publisher_signed_confirms_the_end(void **state)
{
    (void)state;
    let_kenya_sign_a_receipt();
    give_one_for_10_days();
    pass_time(11 * DAY_MS);
    jump(0);
    assert_int_equal(count_holdings(&un, HOLDING_LOCKED), 1);
    let_kenya_sign_a_receipt();
    assert_int_equal(count_holdings(&un, HOLDING_ERASED), 1);
}

/* -- the publisher's clock --------------------------------------------------------------------- */

static int state_of(const struct id *consent)
{
    struct consent_row row;
    CHECK_OK(consent_rows_get(ke.store, consent, &row, &err), &err);
    return row.state;
}

static struct id given_to_unodc(void)
{
    struct id record = add_excerpt(&ke, "One");
    struct id consent = give(&ke, &un, &record, 1, 10);
    connect_nodes();
    tick(&ke);
    return consent;
}

static void a_publisher_whose_clock_went_ahead_ends_nothing_and_says_so(void **state)
{
    (void)state;
    struct id consent = given_to_unodc();
    ke.place.clock.wall_now_ms += 400 * DAY_MS;
    tick(&ke);
    tick(&ke);
    assert_int_equal(state_of(&consent), CONSENT_ACTIVE);
    assert_true(has_alarm(&ke, "clock_ahead"));
    assert_int_equal(waiting_for(&ke, &un), 0);
    ke.place.clock.wall_now_ms -= 400 * DAY_MS;
    tick(&ke);
    connect_nodes();
    assert_int_equal(state_of(&consent), CONSENT_ACTIVE);
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 1);
}

/* What waits, what is in flight, and what another consent covered. */
static void nothing_is_lost_while_the_publishers_clock_is_ahead(void **state)
{
    (void)state;
    struct id records[3] = { add_excerpt(&ke, "Held"), add_excerpt(&ke, "In flight"),
                             add_excerpt(&ke, "Waiting") };
    struct id first = give(&ke, &un, &records[0], 1, 10);
    (void)give(&ke, &un, &records[0], 1, 10);
    connect_nodes();
    tick(&ke);
    uint64_t size = feed_between(&ke, &un, FEED_OUT).size;
    (void)give(&ke, &un, &records[1], 1, 10);
    struct batch lost = { 0 };
    CHECK_OK(publish(&ke, &un, size, &lost), &err);
    batch_fini(&lost);
    (void)give(&ke, &un, &records[2], 1, 10);
    ke.place.clock.wall_now_ms += 400 * DAY_MS;
    tick(&ke);
    connect_nodes();
    revoke(&ke, &first);
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 0); /* the policy goes by the clock */
    ke.place.clock.wall_now_ms -= 400 * DAY_MS;
    tick(&ke);
    connect_nodes();
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 3);
}

static void the_consent_ends_when_somebody_says_that_the_clock_is_right(void **state)
{
    (void)state;
    struct alarm_row alarm;
    size_t count = 0;
    struct id consent = given_to_unodc();
    ke.place.clock.wall_now_ms += 400 * DAY_MS;
    tick(&ke);
    CHECK_OK(alarm_rows_list(ke.store, true, 0, &alarm, 1, &count, &err), &err);
    assert_int_equal(count, 1);
    CHECK_CONTAINS(alarm.text, "is 400 days further than a moment ago");
    tx_begin(&ke);
    CHECK_OK(alarm_rows_close(ke.store, alarm.alarm_id, ANNE, &err), &err);
    tx_commit(&ke);
    tick(&ke);
    assert_int_equal(state_of(&consent), CONSENT_EXPIRED);
    assert_false(has_alarm(&ke, "clock_ahead"));
}

static void the_consent_ends_when_a_peer_has_signed_such_a_time(void **state)
{
    (void)state;
    struct id consent = given_to_unodc();
    ke.place.clock.wall_now_ms += 400 * DAY_MS;
    tick(&ke);
    assert_int_equal(state_of(&consent), CONSENT_ACTIVE);
    un.place.clock.wall_now_ms += 400 * DAY_MS;
    (void)give_one(); /* whose receipt has a time */
    connect_nodes();
    tick(&ke);
    assert_int_equal(state_of(&consent), CONSENT_EXPIRED);
    assert_false(has_alarm(&ke, "clock_ahead"));
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ERASED), 1);
}

static void a_node_that_starts_long_after_it_met_anybody_asks_first(void **state)
{
    (void)state;
    struct id consent = given_to_unodc();
    struct peer_row row = peer_of(&ke, &un);
    row.contact_ms = ke.place.clock.wall_now_ms;
    set_peer(&ke, &row);
    ke.feed.clock_seen.any = false; /* it starts anew */
    ke.place.clock.wall_now_ms += 40 * DAY_MS;
    tick(&ke);
    assert_int_equal(state_of(&consent), CONSENT_ACTIVE);
    assert_true(has_alarm(&ke, "clock_ahead"));
}

static void a_node_that_was_off_for_a_holiday_goes_by_its_clock(void **state)
{
    (void)state;
    struct id consent = given_to_unodc();
    struct peer_row row = peer_of(&ke, &un);
    row.contact_ms = ke.place.clock.wall_now_ms;
    set_peer(&ke, &row);
    ke.feed.clock_seen.any = false;
    ke.place.clock.wall_now_ms += 20 * DAY_MS;
    tick(&ke);
    assert_int_equal(state_of(&consent), CONSENT_EXPIRED);
    assert_false(has_alarm(&ke, "clock_ahead"));
}

int main(void)
{
#define TWO(test) cmocka_unit_test_setup_teardown(test, two_set_up, two_tear_down)
    const struct CMUnitTest tests[] = {
        TWO(a_receipt_from_before_the_consent_confirms_no_end_of_it),
        TWO(a_receipt_before_another_entry_confirms_no_end),
        TWO(an_entry_before_a_receipt_of_an_earlier_time_confirms_no_end),
        TWO(a_receipt_that_is_the_last_that_its_publisher_signed_confirms_the_end),
        TWO(a_publisher_whose_clock_went_ahead_ends_nothing_and_says_so),
        TWO(nothing_is_lost_while_the_publishers_clock_is_ahead),
        TWO(the_consent_ends_when_somebody_says_that_the_clock_is_right),
        TWO(the_consent_ends_when_a_peer_has_signed_such_a_time),
        TWO(a_node_that_starts_long_after_it_met_anybody_asks_first),
        TWO(a_node_that_was_off_for_a_holiday_goes_by_its_clock),
        TWO(a_clock_that_was_put_back_frees_nothing_that_has_really_ended),
        TWO(what_its_publisher_ended_stays_ended),
        TWO(what_comes_while_the_clock_is_ahead_is_locked_and_not_refused),
        TWO(more_under_terms_that_the_clock_alone_ended_is_locked),
        TWO(the_lock_lifts_when_the_clock_is_right_again),
        TWO(many_are_lifted_in_several_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
