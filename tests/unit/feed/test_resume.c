/* Two nodes meet again: every outcome of the comparison, rollbacks on both sides, healing. */
#include "two_nodes.h"

#include "feed/control_body.h"
#include "log/tree.h"

/* -- claims ------------------------------------------------------------------------------------ */

static void notes_without_their_signatures_end_the_comparison(void **state)
{
    (void)state;
    give_and_connect();
    struct heads of_un = { 0 };
    struct resume resume = { 0 };
    struct buf bare = BUF_INIT;
    CHECK_OK(feed_heads(&un.feed, &ke.code, &of_un, &err), &err);
    struct feed_row out = feed_between(&ke, &un, FEED_OUT);
    struct checkpoint checkpoint = { span_text(out.origin), out.size, out.root };
    /* Signed by the log key, but without UNODC's cosignature; then by a key that is not KE's. */
    CHECK_OK(checkpoint_sign(&checkpoint, ke.log_key, &bare, &err), &err);
    buf_fini(&of_un.yours);
    of_un.yours = buf_move(&bare);
    assert_int_equal(meet_one(&ke, &un, &of_un, &resume), ERR_SIGNATURE);
    buf_fini(&of_un.yours);
    CHECK_OK(checkpoint_sign(&checkpoint, un.log_key, &of_un.yours, &err), &err);
    assert_int_equal(meet_one(&ke, &un, &of_un, &resume), ERR_SIGNATURE);
    buf_clear(&of_un.yours);
    CHECK_OK(buf_append_text(&of_un.yours, "I hold a million entries\n", &err), &err);
    assert_int_equal(meet_one(&ke, &un, &of_un, &resume), ERR_INVALID);
    heads_fini(&of_un);
    assert_int_equal(feed_between(&ke, &un, FEED_OUT).feed_id, out.feed_id);
}

static void a_checkpoint_of_another_realm_or_peer_proves_nothing(void **state)
{
    (void)state;
    give_and_connect();
    static const char *const origins[] = { "comity.v1/live/feed/KE/UNODC/0123456789abcdef",
                                           "comity.v1/training/feed/KE/AU/0123456789abcdef",
                                           "comity.v1/training/feed/AU/UNODC/0123456789abcdef" };
    for (size_t i = 0; i < COUNT(origins); i++) {
        struct heads heads = { 0 };
        struct resume resume = { 0 };
        struct buf note = BUF_INIT;
        struct checkpoint checkpoint = { span_text(origins[i]), 9, { { 1 } } };
        CHECK_OK(checkpoint_sign(&checkpoint, ke.log_key, &note, &err), &err);
        CHECK_OK(checkpoint_cosign(buf_span(&note), "comity.v1/training/receipt/UNODC",
                                   un.receipt_key, 1764000000, &heads.yours, &err),
                 &err);
        assert_int_equal(meet_one(&ke, &un, &heads, &resume), ERR_MISMATCH);
        buf_fini(&note);
        heads_fini(&heads);
    }
}

static void the_same_size_with_another_root_is_a_fork(void **state)
{
    (void)state;
    give_and_connect();
    struct feed_row out = feed_between(&ke, &un, FEED_OUT);
    struct heads heads = { 0 };
    struct resume resume = { 0 };
    struct buf note = BUF_INIT;
    struct checkpoint checkpoint = { span_text(out.origin), out.size, { { 1 } } };
    CHECK_OK(checkpoint_sign(&checkpoint, ke.log_key, &note, &err), &err);
    CHECK_OK(checkpoint_cosign(buf_span(&note), "comity.v1/training/receipt/UNODC", un.receipt_key,
                               1764000000, &heads.yours, &err),
             &err);
    CHECK_OK(meet_one(&ke, &un, &heads, &resume), &err);
    assert_int_equal(resume.outcome, RESUME_FORK);
    assert_true(has_alarm(&ke, "fork"));
    heads_fini(&heads);
    resume_fini(&resume);
    /* The subscriber finds it as well, in the publisher's own head. */
    CHECK_OK(buf_append(&heads.mine, buf_span(&note), &err), &err);
    CHECK_OK(meet_one(&un, &ke, &heads, &resume), &err);
    assert_int_equal(resume.outcome, RESUME_FORK);
    assert_true(has_alarm(&un, "fork"));
    heads_fini(&heads);
    resume_fini(&resume);
    buf_fini(&note);
}

static void two_that_never_met_are_in_step(void **state)
{
    (void)state;
    struct meeting_result result;
    meet(&result);
    assert_int_equal(result.ke.outcome, RESUME_IN_STEP);
    assert_int_equal(result.un.outcome, RESUME_IN_STEP);
    assert_int_equal(result.ke.send_from, 0);
    meeting_fini(&result);
}

static void a_receipt_that_was_lost_is_learned_from_the_hello(void **state)
{
    (void)state;
    give_one();
    struct batch batch = { 0 };
    struct buf receipt = BUF_INIT;
    CHECK_OK(publish(&ke, &un, 0, &batch), &err);
    CHECK_OK(ingest(&un, &ke, &batch, &receipt), &err); /* the receipt never comes back */
    struct meeting_result result;
    meet(&result);
    assert_int_equal(result.ke.outcome, RESUME_IN_STEP);
    assert_int_equal(result.ke.send_from, 2);
    assert_int_equal(feed_between(&ke, &un, FEED_OUT).receipt_size, 2);
    meeting_fini(&result);
    batch_fini(&batch);
    buf_fini(&receipt);
}

/* Otherwise a card, or a record, that it carried would look as if it never arrived. */
static void a_receipt_that_was_lost_is_learned_of_an_epoch_that_ends(void **state)
{
    (void)state;
    struct store_place saved;
    struct batch batch = { 0 };
    struct buf receipt = BUF_INIT;
    struct meeting_result result;
    give_one();
    CHECK_OK(publish(&ke, &un, 0, &batch), &err);
    CHECK_OK(ingest(&un, &ke, &batch, &receipt), &err); /* the receipt never comes back */
    batch_fini(&batch);
    node_save(&ke, &saved);
    give_one();
    CHECK_OK(publish(&ke, &un, 2, &batch), &err);
    node_roll_back(&ke, &saved, false); /* the heads file tells it */
    struct feed_row old = feed_between(&ke, &un, FEED_OUT);
    assert_int_equal(old.receipt_size, 0);
    meet(&result);
    assert_int_equal(result.ke.outcome, RESUME_RECOVERED);
    CHECK_OK(feed_rows_get(ke.store, old.feed_id, &old, &err), &err);
    assert_int_equal(old.state, FEED_OLD);
    assert_int_equal(old.receipt_size, 2);
    meeting_fini(&result);
    batch_fini(&batch);
    buf_fini(&receipt);
}

static void what_was_numbered_and_not_received_is_sent_from_there(void **state)
{
    (void)state;
    give_and_connect();
    give_one();
    struct batch lost = { 0 };
    CHECK_OK(publish(&ke, &un, 2, &lost), &err);
    batch_fini(&lost);
    struct meeting_result result;
    meet(&result);
    assert_int_equal(result.ke.outcome, RESUME_IN_STEP);
    assert_int_equal(result.ke.send_from, 2);
    assert_false(result.ke.peer_behind_receipt);
    meeting_fini(&result);
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 2);
}

/* -- the publisher was rolled back ------------------------------------------------------------- */

static void a_publisher_that_was_rolled_back_opens_a_new_epoch_and_is_healed(void **state)
{
    (void)state;
    struct store_place saved;
    give_and_connect();
    node_save(&ke, &saved);
    for (int i = 0; i < 4; i++)
        give_and_connect();
    struct feed_row before = feed_between(&un, &ke, FEED_IN);
    assert_int_equal(before.size, 10);
    node_roll_back(&ke, &saved, true); /* even the heads file: nothing but the peer knows */
    struct meeting_result result;
    meet(&result);
    assert_int_equal(result.ke.outcome, RESUME_RECOVERED);
    assert_int_equal(result.ke.send_from, 0);
    assert_true(result.un.heal_peer);
    assert_int_equal(result.un.heal_from, 2);
    assert_true(has_alarm(&ke, "rolled_back"));
    heal(&un, &ke, &result.un);
    struct feed_row old;
    CHECK_OK(feed_rows_by_origin(ke.store, span_text(before.origin), &old, &err), &err);
    assert_int_equal(old.state, FEED_OLD);
    assert_int_equal(old.size, 10);
    assert_memory_equal(&old.root, &before.root, sizeof(old.root));
    assert_true(has_alarm(&ke, "unknown_records"));
    (void)deliver(&ke, &un, result.ke.send_from);
    meeting_fini(&result);
    /* The subscriber goes on with both. */
    struct feed_row in = feed_between(&un, &ke, FEED_IN);
    assert_string_not_equal(in.origin, before.origin);
    assert_string_equal(kinds_of(&un, &in), "80"); /* RESTORED */
    assert_true(has_alarm(&un, "new_epoch"));
    give_and_connect();
    in = feed_between(&un, &ke, FEED_IN);
    assert_string_equal(kinds_of(&un, &in), "80 1 16");
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 6);
}

static void a_rolled_back_publisher_learns_that_a_consent_was_ended(void **state)
{
    (void)state;
    struct store_place saved;
    struct id consent = give_and_connect();
    node_save(&ke, &saved);
    revoke(&ke, &consent);
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ERASED), 1);
    node_roll_back(&ke, &saved, true);
    struct consent_row row;
    CHECK_OK(consent_rows_get(ke.store, &consent, &row, &err), &err);
    assert_int_equal(row.state, CONSENT_ACTIVE);
    connect_nodes();
    CHECK_OK(consent_rows_get(ke.store, &consent, &row, &err), &err);
    assert_int_equal(row.state, CONSENT_REVOKED);
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 0);
}

static void records_wait_until_the_old_epoch_is_healed(void **state)
{
    (void)state;
    struct store_place saved;
    give_around_copy(&saved);
    node_roll_back(&ke, &saved, true);
    give_one();
    struct meeting_result result;
    meet(&result);
    assert_int_equal(result.ke.outcome, RESUME_RECOVERED);
    assert_int_equal(deliver(&ke, &un, 0), 1); /* RESTORED, and no terms or record */
    meeting_fini(&result);
    connect_nodes(); /* this one heals */
    struct feed_row in = feed_between(&un, &ke, FEED_IN);
    assert_string_equal(kinds_of(&un, &in), "80 1 16");
}

static void the_heads_file_tells_of_a_rollback_that_no_peer_could_show(void **state)
{
    (void)state;
    struct store_place saved;
    give_and_connect();
    node_save(&ke, &saved);
    give_one();
    struct batch lost = { 0 };
    CHECK_OK(publish(&ke, &un, 2, &lost), &err); /* signed, and gone */
    batch_fini(&lost);
    node_roll_back(&ke, &saved, false);
    assert_true(feed_between(&ke, &un, FEED_OUT).rolled_back);
    struct meeting_result result;
    meet(&result);
    assert_int_equal(result.ke.outcome, RESUME_RECOVERED);
    assert_false(result.un.heal_peer);
    meeting_fini(&result);
    give_and_connect();
    struct feed_row in = feed_between(&un, &ke, FEED_IN);
    assert_string_equal(kinds_of(&un, &in), "80 1 16");
}

static void what_the_peer_never_got_is_queued_again_in_the_new_epoch(void **state)
{
    (void)state;
    struct store_place saved;
    give_and_connect();
    give_one();
    struct batch lost = { 0 };
    CHECK_OK(publish(&ke, &un, 2, &lost), &err);
    batch_fini(&lost);
    node_save(&ke, &saved);
    give_one();
    CHECK_OK(publish(&ke, &un, 4, &lost), &err);
    batch_fini(&lost);
    node_roll_back(&ke, &saved, false);
    connect_nodes();
    struct feed_row in = feed_between(&un, &ke, FEED_IN);
    assert_string_equal(kinds_of(&un, &in), "80 1 16");
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 2);
}

static void a_publisher_that_lost_its_newest_epoch_goes_on_in_another(void **state)
{
    (void)state;
    struct store_place later;
    begin_second_epoch(&later); /* second epoch */
    node_roll_back(&ke, &later, true);
    connect_nodes(); /* the peer shows an epoch that this database never heard of */
    give_and_connect();
    connect_nodes();
    struct feed_row in = feed_between(&un, &ke, FEED_IN);
    assert_string_equal(kinds_of(&un, &in), "80 1 16");
}

static void a_clone_is_held_when_it_recovers_again_and_again(void **state)
{
    (void)state;
    give_and_connect();
    for (int i = 0; i < 3; i++) {
        struct store_place saved;
        node_save(&ke, &saved);
        give_one();
        connect_nodes();
        struct peer_row peer = peer_of(&ke, &un);
        node_roll_back(&ke, &saved, true);
        struct peer_row rolled = peer_of(&ke, &un);
        rolled.recoveries = peer.recoveries; /* a clone keeps its own count */
        rolled.recovered_ms = peer.recovered_ms;
        set_peer(&ke, &rolled);
        struct meeting_result result;
        meet(&result);
        assert_int_equal(result.ke.outcome, RESUME_RECOVERED);
        heal(&un, &ke, &result.un);
        (void)deliver(&ke, &un, 0);
        meeting_fini(&result);
    }
    struct store_place saved;
    node_save(&ke, &saved);
    give_and_connect();
    node_roll_back(&ke, &saved, true);
    struct meeting_result result;
    meet(&result);
    assert_int_equal(result.ke.outcome, RESUME_HELD);
    assert_true(has_alarm(&ke, "clone"));
    meeting_fini(&result);
    pass_time(2 * DAY_MS);
    meet(&result);
    assert_int_equal(result.ke.outcome, RESUME_RECOVERED);
    meeting_fini(&result);
}

static void a_new_epoch_that_does_not_say_what_it_goes_on_from_is_a_fork(void **state)
{
    (void)state;
    give_and_connect();
    struct buf header = BUF_INIT;
    struct buf note = BUF_INIT;
    struct buf body = BUF_INIT;
    struct buf receipt = BUF_INIT;
    struct feed_row in = feed_between(&un, &ke, FEED_IN);
    struct control_restored restored = { span_text(in.origin), in.size, { { 7 } } };
    const char *origin = "comity.v1/training/feed/KE/UNODC/0123456789abcdef";
    for (unsigned i = 0; i < 3; i++) {
        struct entry_header entry_header = { .kind = i == 0 ? KIND_CLARIFY : KIND_RESTORED,
                                             .has_inline = true };
        buf_clear(&header);
        buf_clear(&note);
        buf_clear(&body);
        if (i == 2) /* the right origin, another root */
            CHECK_OK(control_restored_encode(&restored, &body, &err), &err);
        entry_header.inline_body = buf_span(&body);
        CHECK_OK(header_encode(&entry_header, &header, &err), &err);
        struct checkpoint checkpoint = { span_text(origin), 1, { { 0 } } };
        CHECK_OK(tree_leaf(buf_span(&header), &checkpoint.root, &err), &err);
        CHECK_OK(checkpoint_sign(&checkpoint, ke.log_key, &note, &err), &err);
        struct batch_entry entry = { .header = buf_span(&header) };
        struct batch batch = { .origin = span_text(origin),
                               .entries = &entry,
                               .entry_count = 1,
                               .checkpoint = buf_span(&note) };
        enum status status = ingest(&un, &ke, &batch, &receipt);
        assert_int_equal(status, i == 1 ? ERR_INVALID : ERR_MISMATCH);
    }
    assert_string_equal(feed_between(&un, &ke, FEED_IN).origin, in.origin);
    buf_fini(&header);
    buf_fini(&note);
    buf_fini(&body);
}

static void healing_takes_only_what_our_own_key_signed(void **state)
{
    (void)state;
    struct store_place saved;
    give_around_copy(&saved);
    struct feed_row in = feed_between(&un, &ke, FEED_IN);
    struct heal part = { 0 };
    CHECK_OK(feed_heal_read(&un.feed, &ke.code, span_text(in.origin), 2, 100000, &part, &err),
             &err);
    assert_true(part.last);
    assert_int_equal(part.header_count, 2);
    node_roll_back(&ke, &saved, true);
    struct meeting_result result;
    meet(&result);
    uint8_t *header = (uint8_t *)(uintptr_t)part.headers[1].data;
    header[79] ^= 1;
    tx_begin(&ke);
    assert_int_equal(tx_end(&ke, feed_heal_apply(&ke.feed, &un.code, &part, &err)), ERR_MISMATCH);
    CHECK_CONTAINS(err.text, "the root that we signed");
    header[79] ^= 1;
    part.first_index = 3;
    tx_begin(&ke);
    assert_int_equal(tx_end(&ke, feed_heal_apply(&ke.feed, &un.code, &part, &err)), ERR_MISMATCH);
    part.first_index = 2;
    struct span checkpoint = part.checkpoint;
    part.checkpoint = span_slice(checkpoint, 0, checkpoint.size - 130);
    tx_begin(&ke);
    assert_int_not_equal(tx_end(&ke, feed_heal_apply(&ke.feed, &un.code, &part, &err)), OK);
    part.checkpoint = checkpoint;
    tx_begin(&ke);
    CHECK_OK(tx_end(&ke, feed_heal_apply(&ke.feed, &un.code, &part, &err)), &err);
    tx_begin(&ke); /* twice is fine */
    CHECK_OK(tx_end(&ke, feed_heal_apply(&ke.feed, &un.code, &part, &err)), &err);
    heal_fini(&part);
    meeting_fini(&result);
    assert_int_equal(feed_heal_read(&ke.feed, &un.code, span_text(in.origin), 0, 1000, &part, &err),
                     ERR_NOT_FOUND); /* its own feed, not one of UNODC */
}

int main(void)
{
#define TWO(test) cmocka_unit_test_setup_teardown(test, two_set_up, two_tear_down)
    const struct CMUnitTest tests[] = {
        TWO(notes_without_their_signatures_end_the_comparison),
        TWO(a_checkpoint_of_another_realm_or_peer_proves_nothing),
        TWO(the_same_size_with_another_root_is_a_fork),
        TWO(two_that_never_met_are_in_step),
        TWO(a_receipt_that_was_lost_is_learned_from_the_hello),
        TWO(a_receipt_that_was_lost_is_learned_of_an_epoch_that_ends),
        TWO(what_was_numbered_and_not_received_is_sent_from_there),
        TWO(a_publisher_that_was_rolled_back_opens_a_new_epoch_and_is_healed),
        TWO(a_rolled_back_publisher_learns_that_a_consent_was_ended),
        TWO(records_wait_until_the_old_epoch_is_healed),
        TWO(the_heads_file_tells_of_a_rollback_that_no_peer_could_show),
        TWO(what_the_peer_never_got_is_queued_again_in_the_new_epoch),
        TWO(a_publisher_that_lost_its_newest_epoch_goes_on_in_another),
        TWO(a_clone_is_held_when_it_recovers_again_and_again),
        TWO(a_new_epoch_that_does_not_say_what_it_goes_on_from_is_a_fork),
        TWO(healing_takes_only_what_our_own_key_signed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
