/* What cannot be accepted is stored, receipted and answered also while something fails; the answer
 * arrives, is shown as an alarm, and nothing is done twice. */
#include "failing.h"

static struct batch batch;
static struct node *giver, *taker;
static uint64_t from;

static enum status publish_it(void)
{
    struct batch made = { 0 };
    enum status status =
        feed_publish(&giver->feed, &taker->code, from, BATCH_BYTES_MAX, &made, &err);
    if (status == OK && made.entry_count > 0)
        status = feed_publish_sign(&giver->feed, &made, &err);
    batch_fini(&made);
    return status;
}

static enum status ingest_it(void)
{
    struct buf receipt = BUF_INIT;
    enum status status = feed_ingest_check(&taker->feed, &giver->code, &batch, &err);
    if (status == OK)
        status = feed_ingest(&taker->feed, &giver->code, &batch, NULL, &err);
    if (status == OK)
        status = feed_ingest_sign(&taker->feed, &giver->code, &receipt, &err);
    buf_fini(&receipt);
    return status;
}

/* What waits at `by` goes to `to`, with every failure on its way. */
static void travel(struct node *by, struct node *to, const char *publishing, const char *storing)
{
    struct buf receipt = BUF_INIT;
    giver = by;
    taker = to;
    sweep(giver, publish_it, publishing);
    CHECK_OK(publish(giver, taker, from, &batch), &err);
    assert_true(batch.entry_count > 0);
    sweep(taker, ingest_it, storing);
    CHECK_OK(ingest(taker, giver, &batch, &receipt), &err);
    buf_fini(&receipt);
    batch_fini(&batch);
}

static void queue(struct node *node, const struct node *to, int kind, const char *body)
{
    struct outbox_row row = { .peer_id = peer_of(node, to).peer_id,
                              .priority = OUTBOX_TERMS,
                              .kind = (uint8_t)kind,
                              .body = span_text(body) };
    int64_t outbox_id = 0;
    tx_begin(node);
    CHECK_OK(outbox_rows_add(node->store, &row, &outbox_id, &err), &err);
    tx_commit(node);
}

static void a_card_that_is_none_is_answered_whatever_fails(void **state)
{
    (void)state;
    from = 0;
    queue(&ke, &un, KIND_CARD, "this is no card");
    travel(&ke, &un, "publish a card", "store what is refused");
    assert_true(has_alarm(&un, "card"));
    travel(&un, &ke, "publish a refusal", "take a refusal");
    assert_true(has_alarm(&ke, "refused"));
    connect_nodes();
    assert_healthy();
}

static void a_withdrawal_is_done_and_confirmed_whatever_fails(void **state)
{
    (void)state;
    from = 0;
    struct id record = add_excerpt(&ke, "One");
    struct id consent = give(&ke, &un, &record, 1, 10);
    connect_nodes();
    revoke(&ke, &consent);
    from = feed_between(&ke, &un, FEED_OUT).size;
    travel(&ke, &un, "publish a withdrawal", "store a withdrawal");
    assert_true(erase_all(&un) > 0);
    from = 0;
    travel(&un, &ke, "publish an erasure receipt", "take an erasure receipt");
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 0);
    assert_healthy();
}

int main(void)
{
#define TWO(test) cmocka_unit_test_setup_teardown(test, two_set_up, two_tear_down)
    const struct CMUnitTest tests[] = {
        TWO(a_card_that_is_none_is_answered_whatever_fails),
        TWO(a_withdrawal_is_done_and_confirmed_whatever_fails),
    };
    return cmocka_run_group_tests_name("failures refused", tests, configure_database, NULL);
}
