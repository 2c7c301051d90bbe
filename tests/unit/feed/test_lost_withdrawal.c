/* A publisher that was set back has a recall of a former epoch, and the answer that comes is for a
 * withdrawal that it has lost.
 */
#include "two_nodes.h"

#include "feed/listing.h"
#include "store/outbox_rows.h"

static enum status count_recall(void *context,
                                const struct listing_recall *recall,
                                struct error *error)
{
    (void)recall;
    (void)error;
    ++*(size_t *)context;
    return OK;
}

static size_t open_recalls(struct node *node)
{
    size_t count = 0;
    CHECK_OK(listing_recalls(&node->feed, true, count_recall, &count, &err), &err);
    return count;
}

/* Numbered, and never sent. */
static void number_what_waits(struct node *node, const struct node *to)
{
    struct batch batch = { 0 };
    CHECK_OK(publish(node, to, feed_between(node, to, FEED_OUT).size, &batch), &err);
    assert_true(batch.entry_count > 0);
    batch_fini(&batch);
    pass_time(1000);
}

static void the_answer_to_a_later_withdrawal_that_was_lost_closes_the_recall(void **state)
{
    (void)state;
    struct store_place before;
    struct store_place recalled;
    struct id consent = give_and_connect();
    node_save(&ke, &before);
    revoke(&ke, &consent);
    number_what_waits(&ke, &un);
    node_save(&ke, &recalled);
    node_roll_back(&ke, &before, false); /* its heads tell it */
    connect_nodes();
    revoke(&ke, &consent); /* once more, in another epoch */
    connect_nodes();
    assert_int_equal(open_recalls(&ke), 0);
    assert_int_equal(count_holdings(&un, HOLDING_ERASED), 1);
    node_roll_back(&ke, &recalled, true);
    assert_int_equal(open_recalls(&ke), 1);
    connect_nodes();
    connect_nodes();
    assert_int_equal(open_recalls(&ke), 0);
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 0);
}

/* UNODC says "erased" in reply to an entry that KE never made, about what KE has recalled. */
static void say_erased(const struct id *in_reply_to, uint64_t next)
{
    struct holding_row row;
    struct holding_filter filter = { .peer_id = peer_of(&un, &ke).peer_id };
    struct holding_place place = { 0 };
    size_t count = 0;
    int64_t outbox_id = 0;
    CHECK_OK(holding_rows_list(un.store, &filter, &place, &row, 1, &count, &err), &err);
    assert_int_equal(count, 1);
    struct outbox_row answer = { .peer_id = row.peer_id,
                                 .priority = OUTBOX_RECALL,
                                 .kind = KIND_ERASED,
                                 .in_reply_to = *in_reply_to,
                                 .subject_id = row.subject_id,
                                 .queued_ms = 1 };
    tx_begin(&un);
    CHECK_OK(outbox_rows_add(un.store, &answer, &outbox_id, &err), &err);
    tx_commit(&un);
    assert_int_equal(deliver(&un, &ke, next), 1);
}

static void an_answer_to_nothing_closes_no_recall_of_the_present_epoch(void **state)
{
    (void)state;
    struct id later;
    struct id earlier = ID_NONE;
    struct id consent = give_and_connect();
    revoke(&ke, &consent);
    memset(later.bytes, 0xff, sizeof(later.bytes));
    earlier.bytes[ID_SIZE - 1] = 1;
    say_erased(&later, 0); /* while the withdrawal waits to be numbered */
    assert_int_equal(open_recalls(&ke), 1);
    number_what_waits(&ke, &un);
    say_erased(&earlier, 1);
    say_erased(&later, 2);
    assert_int_equal(open_recalls(&ke), 1);
    connect_nodes();
    assert_int_equal(open_recalls(&ke), 0);
}

int main(void)
{
#define TWO(test) cmocka_unit_test_setup_teardown(test, two_set_up, two_tear_down)
    const struct CMUnitTest tests[] = {
        TWO(the_answer_to_a_later_withdrawal_that_was_lost_closes_the_recall),
        TWO(an_answer_to_nothing_closes_no_recall_of_the_present_epoch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
