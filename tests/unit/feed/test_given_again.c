/* What consents in force cover comes (back) to the recipient, whatever happened on the way. */
#include "two_nodes.h"

static void hold(struct node *node, const struct node *other, bool held)
{
    struct peer_row row = peer_of(node, other);
    row.held = held;
    set_peer(node, &row);
}

static void a_hold_over_what_is_in_flight_takes_nothing_away_for_good(void **state)
{
    (void)state;
    struct id record = add_excerpt(&ke, "Extradition of nationals");
    give(&ke, &un, &record, 1, 100);
    connect_nodes();
    give(&ke, &un, &record, 1, 200);
    struct batch lost = { 0 };
    CHECK_OK(publish(&ke, &un, 2, &lost), &err); /* numbered, and on its way when the link breaks */
    batch_fini(&lost);
    hold(&ke, &un, true);
    connect_nodes();
    hold(&ke, &un, false);
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 1);
}

static void a_hold_over_what_a_restored_node_lost_takes_nothing_away_for_good(void **state)
{
    (void)state;
    struct store_place saved;
    struct id record = add_excerpt(&ke, "Extradition of nationals");
    node_save(&un, &saved);
    give(&ke, &un, &record, 1, 100);
    connect_nodes();
    node_roll_back(&un, &saved, true);
    hold(&ke, &un, true);
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 0);
    hold(&ke, &un, false);
    connect_nodes();
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 1);
}

static void ending_the_consent_of_a_copy_that_still_waits_queues_another(void **state)
{
    (void)state;
    struct id record = add_excerpt(&ke, "Extradition of nationals");
    struct id first = give(&ke, &un, &record, 1, 100);
    connect_nodes();
    struct id second = give(&ke, &un, &record, 1, 150);
    connect_nodes(); /* its copy has replaced the first one */
    struct id third = give(&ke, &un, &record, 1, 300);
    revoke(&ke, &second); /* a new copy waits under the third */
    revoke(&ke, &third);
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 1);
    revoke(&ke, &first);
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 0);
    assert_int_equal(count_holdings(&un, HOLDING_LOCKED), 0);
}

static void a_consent_that_is_not_yet_valid_by_a_clock_set_back_gives_later(void **state)
{
    (void)state;
    struct id record = add_excerpt(&ke, "Extradition of nationals");
    struct id first = give(&ke, &un, &record, 1, 100);
    pass_time(10 * 60 * 1000);
    give(&ke, &un, &record, 1, 200);
    connect_nodes();
    ke.place.clock.wall_now_ms -= 5 * 60 * 1000;
    revoke(&ke, &first); /* the second begins in five minutes */
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 0);
    pass_time(6 * 60 * 1000);
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 1);
}

static void each_of_two_consents_that_are_not_yet_valid_by_a_clock_set_back_gives_later(
    void **state)
{
    (void)state;
    struct id record = add_excerpt(&ke, "Extradition of nationals");
    struct id first = give(&ke, &un, &record, 1, 100);
    pass_time(10 * 60 * 1000);
    struct id second = give(&ke, &un, &record, 1, 150);
    give(&ke, &un, &record, 1, 200);
    connect_nodes();
    ke.place.clock.wall_now_ms -= 5 * 60 * 1000;
    revoke(&ke, &first);
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 0);
    revoke(&ke, &second);
    ke.place.clock.wall_now_ms += 5 * 60 * 1000;
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 1);
}

/* The WITHDRAWN in the lost part of the feed ended nothing. */
static void a_restored_node_does_not_end_a_consent_whose_records_were_only_postponed(void **state)
{
    (void)state;
    struct store_place saved;
    struct consent_row row;
    struct id record = add_excerpt(&ke, "Extradition of nationals");
    give(&ke, &un, &record, 1, 100);
    connect_nodes();
    struct id second = give(&ke, &un, &record, 1, 200);
    struct batch lost = { 0 };
    CHECK_OK(publish(&ke, &un, 2, &lost), &err);
    batch_fini(&lost);
    node_save(&ke, &saved);
    hold(&ke, &un, true);
    connect_nodes(); /* withheld, and withdrawn for now */
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 0);
    node_roll_back(&ke, &saved, true);
    connect_nodes();
    connect_nodes();
    CHECK_OK(consent_rows_get(ke.store, &second, &row, &err), &err);
    assert_int_equal(row.state, CONSENT_ACTIVE);
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 1);
}

/* The second copy replaced the first and was withdrawn; the third, which was to take its place,
 * waits under a consent that ends as well. */
static void change_excerpt(struct node *node, const struct id *record, const char *title)
{
    struct record_row row;
    struct excerpt excerpt;
    struct buf canonical = BUF_INIT_SECRET;
    uint32_t version = 0;
    CHECK_OK(record_rows_get(node->store, record, &row, &err), &err);
    CHECK_OK(record_rows_open(node->store, record, row.version, &canonical, &err), &err);
    CHECK_OK(excerpt_decode(buf_span(&canonical), &excerpt, &err), &err);
    CHECK_OK(excerpt_set(&excerpt, EXCERPT_TITLE, span_text(title), &err), &err);
    tx_begin(node);
    CHECK_OK(records_change_excerpt(&node->feed, ANNE, record, &excerpt, &version, &err), &err);
    tx_commit(node);
    excerpt_fini(&excerpt);
    buf_fini(&canonical);
}

static void a_copy_that_was_to_replace_a_withdrawn_one_is_queued_under_the_consent_that_is_left(
    void **state)
{
    (void)state;
    struct id record = add_excerpt(&ke, "Extradition of nationals");
    struct id consents[3];
    for (size_t i = 0; i < 3; i++) {
        if (i == 2) /* which freezes the next version */
            change_excerpt(&ke, &record, "Extradition of nationals, amended");
        consents[i] = give(&ke, &un, &record, 1, 300);
        connect_nodes();
    }
    revoke(&ke, &consents[2]); /* the last copy; another one waits under the first or the second */
    bool first = false;
    CHECK_OK(outbox_rows_has_record(ke.store, peer_of(&ke, &un).peer_id, &consents[0], &record,
                                    &first, &err),
             &err);
    struct id left = consents[first ? 1 : 0];
    revoke(&ke, &consents[first ? 0 : 1]);
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 1);
    revoke(&ke, &left);
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 0);
}

/* Behind the body that is held back comes a withdrawal, of an older version of the record. */
static void a_hold_is_not_taken_for_the_end_of_another_version(void **state)
{
    (void)state;
    struct id record = add_excerpt(&ke, "Extradition of nationals");
    struct id first = give(&ke, &un, &record, 1, 100);
    connect_nodes();
    change_excerpt(&ke, &record, "Extradition of nationals, amended");
    give(&ke, &un, &record, 1, 200);
    struct batch lost = { 0 };
    CHECK_OK(publish(&ke, &un, 2, &lost), &err); /* numbered, and on its way when the link breaks */
    batch_fini(&lost);
    hold(&ke, &un, true);
    revoke(&ke, &first);
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 0);
    hold(&ke, &un, false);
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 1);
}

/* One copy was receipted and lost, the other one is in flight: a hold over both of them puts off
 * both, and the end of one consent does not take away what the other gives. */
static void a_hold_over_two_copies_puts_off_both(void **state)
{
    (void)state;
    struct store_place saved;
    struct id record = add_excerpt(&ke, "Extradition of nationals");
    node_save(&un, &saved);
    struct id first = give(&ke, &un, &record, 1, 100);
    connect_nodes();
    give(&ke, &un, &record, 1, 200);
    struct batch lost = { 0 };
    CHECK_OK(publish(&ke, &un, 2, &lost), &err);
    batch_fini(&lost);
    node_roll_back(&un, &saved, true);
    hold(&ke, &un, true);
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 0);
    revoke(&ke, &first);
    hold(&ke, &un, false);
    connect_nodes();
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 1);
}

static void a_restored_node_that_caught_up_stays_unlocked_when_it_meets_another_peer(void **state)
{
    (void)state;
    struct store_place saved;
    struct id record = add_excerpt(&ke, "Extradition of nationals");
    give(&ke, &un, &record, 1, 100);
    connect_nodes();
    node_save(&un, &saved);
    give(&ke, &un, &record, 1, 200);
    connect_nodes();
    node_roll_back(&un, &saved, false);
    struct meeting_result result;
    meet(&result);
    (void)deliver(&ke, &un, result.ke.send_from); /* over one long connection */
    meeting_fini(&result);
    tx_begin(&un); /* what every comparison does first, with whatever peer */
    CHECK_OK(tx_end(&un, feed_settle(&un.feed, &err)), &err);
    (void)erase_all(&un);
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 1);
    assert_int_equal(count_holdings(&un, HOLDING_LOCKED), 0);
}

/* Each end gives it again under what is left, and the holder loses it with the last one only. */
static void a_copy_is_given_again_under_the_consent_that_ends_last(void **state)
{
    (void)state;
    static const int days[] = { 100, 300, 200 };
    struct id record = add_excerpt(&ke, "Extradition of nationals");
    struct id consents[3];
    bool waits = false;
    for (size_t i = 0; i < 3; i++) {
        consents[i] = give(&ke, &un, &record, 1, days[i]);
        connect_nodes();
    }
    revoke(&ke, &consents[2]);
    CHECK_OK(outbox_rows_has_record(ke.store, peer_of(&ke, &un).peer_id, &consents[1], &record,
                                    &waits, &err),
             &err);
    assert_true(waits);
    connect_nodes();
    pass_time(150 * DAY_MS); /* cut off, and the first one is over */
    int64_t next_ms = 0;
    tx_begin(&un);
    CHECK_OK(tx_end(&un, feed_tick(&un.feed, &next_ms, &err)), &err);
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 1);
    tx_begin(&ke);
    CHECK_OK(tx_end(&ke, feed_tick(&ke.feed, &next_ms, &err)), &err);
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 1);
    revoke(&ke, &consents[1]);
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 0);
    assert_int_equal(count_holdings(&un, HOLDING_LOCKED), 0);
}

/* One that is not in force yet does not hide it. */
static void a_suspended_consent_keeps_the_record_at_its_holder(void **state)
{
    (void)state;
    struct id record = add_excerpt(&ke, "Extradition of nationals");
    struct consent_row row;
    struct delivery_row rows[4];
    struct delivery_filter filter = { .live_only = true };
    size_t count = 0;
    struct id first = give(&ke, &un, &record, 1, 100);
    connect_nodes();
    struct id second = give(&ke, &un, &record, 1, 300);
    CHECK_OK(consent_rows_get(ke.store, &second, &row, &err), &err);
    row.state = CONSENT_SUSPENDED;
    tx_begin(&ke);
    CHECK_OK(consent_rows_update(ke.store, &row, NULL, &err), &err);
    tx_commit(&ke);
    pass_time(10 * 60 * 1000);
    give(&ke, &un, &record, 1, 200);
    ke.place.clock.wall_now_ms -= 5 * 60 * 1000; /* the third begins in five minutes */
    revoke(&ke, &first);
    CHECK_OK(delivery_rows_list(ke.store, &filter, 0, rows, 4, &count, &err), &err);
    assert_int_equal(count, 1); /* not withdrawn */
}

#define TWO(test) cmocka_unit_test_setup_teardown(test, two_set_up, two_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TWO(a_copy_is_given_again_under_the_consent_that_ends_last),
        TWO(a_suspended_consent_keeps_the_record_at_its_holder),
        TWO(a_hold_over_what_is_in_flight_takes_nothing_away_for_good),
        TWO(a_hold_over_what_a_restored_node_lost_takes_nothing_away_for_good),
        TWO(ending_the_consent_of_a_copy_that_still_waits_queues_another),
        TWO(each_of_two_consents_that_are_not_yet_valid_by_a_clock_set_back_gives_later),
        TWO(a_restored_node_does_not_end_a_consent_whose_records_were_only_postponed),
        TWO(a_copy_that_was_to_replace_a_withdrawn_one_is_queued_under_the_consent_that_is_left),
        TWO(a_hold_is_not_taken_for_the_end_of_another_version),
        TWO(a_hold_over_two_copies_puts_off_both),
        TWO(a_restored_node_that_caught_up_stays_unlocked_when_it_meets_another_peer),
        TWO(a_consent_that_is_not_yet_valid_by_a_clock_set_back_gives_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
