/* Every operation while something fails, each in turn: an allocation of ours or of the database, a
 * statement of the database, a call of the library of cryptography.  The failure is reported,
 * nothing leaks, the transaction is undone, and afterwards all is well. */
#include "failing.h"

#include "feed/journal.h"
#include "feed/proving.h"

/* -- the operations ---------------------------------------------------------------------------- */

static struct batch batch;
static struct heads heads;
static struct heal part;
static uint64_t from;
static struct id consent;

static enum status publish_it(void)
{
    struct batch made = { 0 };
    enum status status = feed_publish(&ke.feed, &un.code, from, BATCH_BYTES_MAX, &made, &err);
    if (status == OK && made.entry_count > 0)
        status = feed_publish_sign(&ke.feed, &made, &err);
    batch_fini(&made);
    return status;
}

static enum status ingest_it(void)
{
    struct buf receipt = BUF_INIT;
    enum status status = feed_ingest_check(&un.feed, &ke.code, &batch, &err);
    if (status == OK)
        status = feed_ingest(&un.feed, &ke.code, &batch, NULL, &err);
    if (status == OK)
        status = feed_ingest_sign(&un.feed, &ke.code, &receipt, &err);
    buf_fini(&receipt);
    return status;
}

static enum status heads_of_ke(void)
{
    struct heads made = { 0 };
    enum status status = feed_heads(&ke.feed, &un.code, &made, &err);
    heads_fini(&made);
    return status;
}

static enum status heads_of_un(void)
{
    struct heads made = { 0 };
    enum status status = feed_heads(&un.feed, &ke.code, &made, &err);
    heads_fini(&made);
    return status;
}

static enum status resume_at(struct node *node, const struct node *other)
{
    struct resume resume = { 0 };
    enum status status = feed_resume(&node->feed, &other->code, &heads, &resume, &err);
    resume_fini(&resume);
    return status;
}

static enum status resume_ke(void)
{
    return resume_at(&ke, &un);
}

static enum status resume_un(void)
{
    return resume_at(&un, &ke);
}

static enum status heal_read(void)
{
    struct heal made = { 0 };
    struct feed_row in = { 0 };
    struct peer_row peer;
    enum status status = peer_rows_get(un.store, &ke.code, &peer, &err);
    if (status == OK)
        status = feed_rows_active(un.store, peer.peer_id, FEED_IN, &in, &err);
    if (status == OK)
        status = feed_heal_read(&un.feed, &ke.code, span_text(in.origin), 1, 100000, &made, &err);
    heal_fini(&made);
    return status;
}

static enum status heal_apply(void)
{
    return feed_heal_apply(&ke.feed, &un.code, &part, &err);
}

static enum status erase(void)
{
    size_t count = 0;
    return feed_erase_pending(&un.feed, 16, &count, &err);
}

static enum status tick_ke(void)
{
    int64_t next_ms = 0;
    return feed_tick(&ke.feed, &next_ms, &err);
}

static enum status tick_un(void)
{
    int64_t next_ms = 0;
    return feed_tick(&un.feed, &next_ms, &err);
}

static enum status check_un(void)
{
    struct check_result result = { 0 };
    enum status status = feed_check(&un.feed, &result, &err);
    bool by_crypto = call_fault_hit() && call_fault_name()[0] != 's'; /* no sqlite3_... */
    if (result.problems > 0 && !by_crypto)                            /* the machine failed */
        fail_msg("%.*s", (int)result.text.size, (const char *)result.text.data);
    if (status == OK && result.problems > 0) /* what cannot be opened may have been changed */
        status = error_set(&err, ERR_CORRUPT, "%llu problems", (unsigned long long)result.problems);
    check_result_fini(&result);
    return status;
}

static enum status prove(void)
{
    struct buf text = BUF_INIT_SECRET;
    struct feed_row in = { 0 };
    struct peer_row peer;
    enum status status = peer_rows_get(un.store, &ke.code, &peer, &err);
    if (status == OK)
        status = feed_rows_active(un.store, peer.peer_id, FEED_IN, &in, &err);
    if (status == OK)
        status = proving_entry(&un.feed, in.feed_id, 1, true, &text, &err);
    if (status == OK)
        status = proving_export(&un.feed, &in, true, &text, &err);
    buf_fini(&text);
    return status;
}

static enum status journal_it(void)
{
    struct buf note = BUF_INIT;
    uint64_t size = 0;
    enum status status =
        journal_append(&un.feed, ANNE, "anne", "peer add", "KE", OK, "a card", &err);
    if (status == OK)
        status = journal_append_heads(&un.feed, &err);
    if (status == OK)
        status = journal_checkpoint(&un.feed, &note, &err);
    if (status == OK)
        status = journal_verify(&un.feed, buf_span(&note), &size, &err);
    buf_fini(&note);
    return status;
}

/* -- tests ------------------------------------------------------------------------------------- */

/* Terms and two records, of which one is revoked, the other not; numbered, not arrived. */
static void make_scene(void)
{
    struct id records[2] = { add_excerpt(&ke, "One"), add_excerpt(&ke, "Two") };
    consent = give(&ke, &un, records, 1, 10);
    give(&ke, &un, records + 1, 1, 10);
}

static void publishing_and_storing(void **state)
{
    (void)state;
    make_scene();
    from = 0;
    sweep(&ke, publish_it, "publish");
    CHECK_OK(publish(&ke, &un, 0, &batch), &err);
    sweep(&un, ingest_it, "ingest");
    revoke(&ke, &consent);
    from = 2; /* in flight, and one body may not leave any more */
    sweep(&ke, publish_it, "send again");
    struct buf receipt = BUF_INIT;
    CHECK_OK(ingest(&un, &ke, &batch, &receipt), &err);
    buf_fini(&receipt);
    batch_fini(&batch);
    CHECK_OK(publish(&ke, &un, 4, &batch), &err);
    sweep(&un, ingest_it, "ingest a withdrawal");
    CHECK_OK(ingest(&un, &ke, &batch, &receipt), &err);
    buf_fini(&receipt);
    batch_fini(&batch);
    sweep(NULL, erase, "erase");
    assert_int_equal(erase_all(&un), 0); /* the last attempt did it */
    connect_nodes();
    assert_healthy();
}

static void meeting_again(void **state)
{
    (void)state;
    struct store_place saved;
    make_scene();
    connect_nodes();
    sweep(NULL, heads_of_ke, "heads");
    node_save(&ke, &saved);
    struct id record = add_excerpt(&ke, "Three");
    give(&ke, &un, &record, 1, 10);
    revoke(&ke, &consent);
    connect_nodes();
    node_roll_back(&ke, &saved, true);
    CHECK_OK(feed_heads(&un.feed, &ke.code, &heads, &err), &err);
    sweep(&ke, resume_ke, "recover");
    heads_fini(&heads);
    CHECK_OK(feed_heads(&ke.feed, &un.code, &heads, &err), &err);
    sweep(&un, resume_un, "resume");
    heads_fini(&heads);
    sweep(NULL, heal_read, "read headers");
    struct meeting_result result;
    meet(&result);
    CHECK_OK(feed_heal_read(&un.feed, &ke.code, buf_span(&result.un.heal_origin),
                            result.un.heal_from, 100000, &part, &err),
             &err);
    sweep(&ke, heal_apply, "heal");
    heal_fini(&part);
    heal(&un, &ke, &result.un);
    (void)deliver(&ke, &un, result.ke.send_from);
    meeting_fini(&result);
    connect_nodes();
    assert_healthy();
}

static void a_subscriber_that_lost_its_last_entries(void **state)
{
    (void)state;
    struct store_place saved;
    make_scene();
    connect_nodes();
    node_save(&un, &saved);
    revoke(&ke, &consent);
    connect_nodes();
    node_roll_back(&un, &saved, true);
    CHECK_OK(feed_heads(&ke.feed, &un.code, &heads, &err), &err);
    sweep(&un, resume_un, "resume");
    heads_fini(&heads);
    connect_nodes();
    assert_healthy();
}

/* What was numbered and never arrived goes back into the queue, for a new epoch. */
static void a_publisher_that_lost_what_was_underway(void **state)
{
    (void)state;
    struct store_place saved;
    make_scene();
    connect_nodes();
    struct id records[2] = { add_excerpt(&ke, "Three"), add_excerpt(&ke, "Four") };
    consent = give(&ke, &un, records, 2, 10);
    from = feed_between(&ke, &un, FEED_OUT).size;
    CHECK_OK(publish(&ke, &un, from, &batch), &err); /* lost */
    batch_fini(&batch);
    revoke(&ke, &consent);
    CHECK_OK(publish(&ke, &un, feed_between(&ke, &un, FEED_OUT).size, &batch), &err);
    batch_fini(&batch);
    node_save(&ke, &saved);
    (void)give(&ke, &un, records, 1, 10);
    CHECK_OK(publish(&ke, &un, feed_between(&ke, &un, FEED_OUT).size, &batch), &err);
    batch_fini(&batch);
    node_roll_back(&ke, &saved, false); /* the heads are newer than the database */
    CHECK_OK(feed_heads(&un.feed, &ke.code, &heads, &err), &err);
    sweep(&ke, resume_ke, "take up what was underway");
    heads_fini(&heads);
    connect_nodes();
    assert_healthy();
}

/* UNODC shows a receipt over entries that it has lost: first KE has them under another root, then
 * it has lost a part of them as well. */
static void a_receipt_over_what_the_subscriber_has_lost(void **state)
{
    (void)state;
    struct store_place of_ke;
    struct store_place of_un;
    struct meeting_result result;
    struct buf other = BUF_INIT;
    make_scene();
    connect_nodes();
    node_save(&un, &of_un);
    (void)give_one();
    connect_nodes();
    node_save(&ke, &of_ke);
    (void)give_one();
    connect_nodes();
    node_roll_back(&un, &of_un, true);
    meet(&result); /* UNODC hears of its own receipt; nothing comes after it */
    meeting_fini(&result);
    sweep(NULL, heads_of_un, "heads with a receipt");
    CHECK_OK(feed_heads(&un.feed, &ke.code, &heads, &err), &err);
    assert_true(heads.yours_receipt.size > 0);
    struct feed_row out = feed_between(&ke, &un, FEED_OUT);
    struct checkpoint checkpoint = { span_text(out.origin), out.size, { { 1 } } };
    struct buf kept = buf_move(&heads.yours_receipt);
    CHECK_OK(checkpoint_sign(&checkpoint, ke.log_key, &other, &err), &err);
    CHECK_OK(checkpoint_cosign(buf_span(&other), "comity.v1/training/receipt/UNODC", un.receipt_key,
                               1764000000, &heads.yours_receipt, &err),
             &err);
    sweep(&ke, resume_ke, "find a fork");
    buf_fini(&other);
    buf_fini(&heads.yours_receipt);
    heads.yours_receipt = buf_move(&kept);
    node_roll_back(&ke, &of_ke, true);
    sweep(&ke, resume_ke, "learn what is lost");
    heads_fini(&heads);
    connect_nodes();
    assert_true(has_alarm(&ke, "lost_history"));
    assert_healthy();
}

/* It shows an epoch that has ended, and less of it than it once had. */
static void a_subscriber_that_shows_a_part_of_an_epoch_that_has_ended(void **state)
{
    (void)state;
    struct store_place of_ke;
    struct store_place of_un;
    make_scene();
    connect_nodes();
    node_save(&un, &of_un);
    revoke(&ke, &consent);
    connect_nodes();
    node_save(&ke, &of_ke);
    (void)give_one();
    connect_nodes();
    node_roll_back(&ke, &of_ke, true);
    connect_nodes(); /* the next epoch */
    connect_nodes();
    node_roll_back(&un, &of_un, true);
    CHECK_OK(feed_heads(&un.feed, &ke.code, &heads, &err), &err);
    sweep(&ke, resume_ke, "queue again");
    heads_fini(&heads);
    CHECK_OK(feed_heads(&ke.feed, &un.code, &heads, &err), &err);
    sweep(&un, resume_un, "open the epoch that is new");
    heads_fini(&heads);
    connect_nodes();
    assert_healthy();
}

static void time_and_proofs(void **state)
{
    (void)state;
    make_scene();
    connect_nodes();
    sweep(NULL, check_un, "check");
    sweep(NULL, prove, "prove");
    sweep(&un, journal_it, "journal");
    pass_time(11 * DAY_MS);
    sweep(&ke, tick_ke, "tick of the publisher");
    sweep(&un, tick_un, "tick of the holder");
    assert_healthy();
}

int main(void)
{
#define TWO(test) cmocka_unit_test_setup_teardown(test, two_set_up, two_tear_down)
    const struct CMUnitTest tests[] = {
        TWO(publishing_and_storing),
        TWO(meeting_again),
        TWO(a_subscriber_that_lost_its_last_entries),
        TWO(a_publisher_that_lost_what_was_underway),
        TWO(a_receipt_over_what_the_subscriber_has_lost),
        TWO(a_subscriber_that_shows_a_part_of_an_epoch_that_has_ended),
        TWO(time_and_proofs),
    };
    return cmocka_run_group_tests_name("failures", tests, configure_database, NULL);
}
