/* What a subscriber cosigned once and has lost (yours_receipt of its Hello): its publisher believes
 * a signature only, and compares the root with its own history. */
#include "two_nodes.h"

enum { COSIGNED_S = 1764000000 };

/* A checkpoint of `origin`, signed by `log_key`, cosigned by `receipt_key` as UNODC. */
static struct buf receipt_over(struct span origin,
                               uint64_t size,
                               const struct digest *root,
                               struct private_key *log_key,
                               struct private_key *receipt_key)
{
    struct buf note = BUF_INIT;
    struct buf receipt = BUF_INIT;
    struct checkpoint checkpoint = { origin, size, *root };
    CHECK_OK(checkpoint_sign(&checkpoint, log_key, &note, &err), &err);
    CHECK_OK(checkpoint_cosign(buf_span(&note), "comity.v1/training/receipt/UNODC", receipt_key,
                               COSIGNED_S, &receipt, &err),
             &err);
    buf_fini(&note);
    return receipt;
}

/* KE's and UNODC's feed, of two entries, both receipted; `ret_heads`: UNODC's true ones. */
static struct feed_row meet_with_two_entries(struct heads *ret_heads)
{
    *ret_heads = (struct heads){ 0 };
    give_and_connect();
    CHECK_OK(feed_heads(&un.feed, &ke.code, ret_heads, &err), &err);
    assert_int_equal(ret_heads->yours_receipt.size, 0); /* it has lost nothing */
    struct feed_row out = feed_between(&ke, &un, FEED_OUT);
    assert_int_equal(out.size, 2);
    return out;
}

static void assert_untouched(const struct feed_row *before)
{
    struct feed_row out = feed_between(&ke, &un, FEED_OUT);
    assert_int_equal(out.feed_id, before->feed_id);
    assert_int_equal(out.size, before->size);
    assert_false(has_alarm(&ke, "fork"));
    assert_false(has_alarm(&ke, "rolled_back"));
    assert_false(has_alarm(&ke, "lost_history"));
    assert_false(peer_of(&ke, &un).held);
}

static void a_lost_receipt_without_both_signatures_changes_nothing(void **state)
{
    (void)state;
    struct heads heads;
    struct feed_row out = meet_with_two_entries(&heads);
    const struct {
        struct private_key *log_key, *receipt_key;
    } cases[] = {
        { ke.log_key, ke.receipt_key }, /* cosigned by the publisher itself */
        { ke.log_key, un.log_key },     /* by a key of UNODC's that cosigns nothing */
        { un.log_key, un.receipt_key }, /* of a checkpoint that the publisher never signed */
    };
    /* More than KE holds: were it believed, KE would open a new epoch. */
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct resume resume = { 0 };
        heads.yours_receipt = receipt_over(span_text(out.origin), out.size + 1, &out.root,
                                           cases[i].log_key, cases[i].receipt_key);
        CHECK_STATUS(meet_one(&ke, &un, &heads, &resume), ERR_SIGNATURE, &err);
        CHECK_CONTAINS(err.text, "resume UNODC: its receipt for our feed");
        buf_fini(&heads.yours_receipt);
        assert_untouched(&out);
    }
    heads_fini(&heads);
}

static void a_lost_receipt_that_was_altered_or_is_no_note_changes_nothing(void **state)
{
    (void)state;
    struct heads heads;
    struct resume resume = { 0 };
    struct feed_row out = meet_with_two_entries(&heads);
    heads.yours_receipt =
        receipt_over(span_text(out.origin), out.size + 1, &out.root, ke.log_key, un.receipt_key);
    /* The size, in the second line, after it was signed. */
    uint8_t *size = memchr(heads.yours_receipt.data, '\n', heads.yours_receipt.size);
    assert_non_null(size);
    assert_int_equal(size[1], '3');
    size[1] = '9';
    CHECK_STATUS(meet_one(&ke, &un, &heads, &resume), ERR_SIGNATURE, &err);
    CHECK_CONTAINS(err.text, "its receipt for our feed");
    assert_untouched(&out);
    buf_clear(&heads.yours_receipt);
    CHECK_OK(buf_append_text(&heads.yours_receipt, "I had a million entries\n", &err), &err);
    CHECK_STATUS(meet_one(&ke, &un, &heads, &resume), ERR_INVALID, &err);
    CHECK_CONTAINS(err.text, "its receipt for our feed");
    assert_untouched(&out);
    heads_fini(&heads);
}

static void a_lost_receipt_of_another_realm_or_feed_changes_nothing(void **state)
{
    (void)state;
    struct heads heads;
    struct feed_row out = meet_with_two_entries(&heads);
    static const char *const origins[] = { "comity.v1/live/feed/KE/UNODC/0123456789abcdef",
                                           "comity.v1/training/feed/KE/AU/0123456789abcdef",
                                           "comity.v1/training/feed/UNODC/KE/0123456789abcdef" };
    for (size_t i = 0; i < COUNT(origins); i++) {
        struct resume resume = { 0 };
        heads.yours_receipt =
            receipt_over(span_text(origins[i]), 9, &out.root, ke.log_key, un.receipt_key);
        CHECK_STATUS(meet_one(&ke, &un, &heads, &resume), ERR_MISMATCH, &err);
        buf_fini(&heads.yours_receipt);
        assert_untouched(&out);
    }
    heads_fini(&heads);
}

/* What UNODC shows of the feed is right; what it once cosigned is another history. */
static void a_lost_receipt_over_another_root_is_a_fork(void **state)
{
    (void)state;
    struct heads heads;
    struct feed_row out = meet_with_two_entries(&heads);
    const struct digest other = { { 1 } };
    for (uint64_t size = 1; size <= out.size; size++) {
        struct resume resume = { 0 };
        heads.yours_receipt =
            receipt_over(span_text(out.origin), size, &other, ke.log_key, un.receipt_key);
        CHECK_OK(meet_one(&ke, &un, &heads, &resume), &err);
        assert_int_equal(resume.outcome, RESUME_FORK);
        assert_non_null(strstr(resume.alarm, "different histories"));
        assert_int_equal(resume.send_from, 0); /* nothing is sent */
        assert_true(has_alarm(&ke, "fork"));
        assert_false(has_alarm(&ke, "rolled_back"));
        assert_int_equal(feed_between(&ke, &un, FEED_OUT).feed_id, out.feed_id);
        resume_fini(&resume);
        buf_fini(&heads.yours_receipt);
    }
    heads_fini(&heads);
}

static void a_lost_receipt_over_our_own_history_is_in_step(void **state)
{
    (void)state;
    struct heads heads;
    struct resume resume = { 0 };
    struct feed_row out = meet_with_two_entries(&heads);
    /* It holds nothing any more. */
    buf_fini(&heads.yours);
    heads.yours_receipt =
        receipt_over(span_text(out.origin), out.size, &out.root, ke.log_key, un.receipt_key);
    CHECK_OK(meet_one(&ke, &un, &heads, &resume), &err);
    assert_int_equal(resume.outcome, RESUME_IN_STEP);
    assert_int_equal(resume.send_from, 0); /* all of it, again */
    assert_true(resume.peer_behind_receipt);
    assert_untouched(&out);
    resume_fini(&resume);
    heads_fini(&heads);
}

/* The same receipt as `yours`: it holds what it shows, so nothing is lost, and healing can begin.
 */
static void a_receipt_that_is_no_more_than_what_is_held_loses_nothing(void **state)
{
    (void)state;
    struct store_place saved;
    struct heads heads = { 0 };
    struct resume resume = { 0 };
    give_around_copy(&saved);
    CHECK_OK(feed_heads(&un.feed, &ke.code, &heads, &err), &err);
    CHECK_OK(buf_append(&heads.yours_receipt, buf_span(&heads.yours), &err), &err);
    node_roll_back(&ke, &saved, true);
    CHECK_OK(meet_one(&ke, &un, &heads, &resume), &err);
    assert_int_equal(resume.outcome, RESUME_RECOVERED);
    assert_false(has_alarm(&ke, "lost_history"));
    assert_false(peer_of(&ke, &un).held);
    resume_fini(&resume);
    heads_fini(&heads);
}

/* Nor does the hearer of its own receipt, in mine_receipt, believe what nobody signed. */
static void a_forged_receipt_locks_nothing_at_the_subscriber(void **state)
{
    (void)state;
    struct heads heads = { 0 };
    struct resume resume = { 0 };
    give_and_connect();
    struct feed_row in = feed_between(&un, &ke, FEED_IN);
    heads.mine_receipt =
        receipt_over(span_text(in.origin), in.size + 5, &in.root, ke.log_key, ke.receipt_key);
    CHECK_STATUS(meet_one(&un, &ke, &heads, &resume), ERR_SIGNATURE, &err);
    CHECK_CONTAINS(err.text, "its note of our receipt");
    assert_int_equal(count_holdings(&un, HOLDING_LOCKED), 0);
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 1);
    assert_false(has_alarm(&un, "behind_receipt"));
    assert_int_equal(feed_between(&un, &ke, FEED_IN).receipt_size, in.receipt_size);
    heads_fini(&heads);
}

int main(void)
{
#define TWO(test) cmocka_unit_test_setup_teardown(test, two_set_up, two_tear_down)
    const struct CMUnitTest tests[] = {
        TWO(a_lost_receipt_without_both_signatures_changes_nothing),
        TWO(a_lost_receipt_that_was_altered_or_is_no_note_changes_nothing),
        TWO(a_lost_receipt_of_another_realm_or_feed_changes_nothing),
        TWO(a_lost_receipt_over_another_root_is_a_fork),
        TWO(a_lost_receipt_over_our_own_history_is_in_step),
        TWO(a_receipt_that_is_no_more_than_what_is_held_loses_nothing),
        TWO(a_forged_receipt_locks_nothing_at_the_subscriber),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
