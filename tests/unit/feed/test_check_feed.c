/* check ends, goes on and finds nothing where nothing is wrong (test_check_tampering.c: where
 * something is); evidence and exports stand alone. */
#include "tamper.h"

#include "feed/check.h"
#include "feed/finding.h"
#include "feed/journal.h"
#include "feed/proving.h"
#include "log/evidence.h"
#include "store/card_rows.h"

#include <stdlib.h>

/* What happens between the steps of a check. */
static bool between(void *self, const struct check_result *so_far)
{
    int *steps = self;
    bool before = *steps == 0;
    *steps += so_far->feeds > 0;
    if (before && *steps == 1) { /* after one feed: new entries, receipts and an erasure in both */
        struct id consent = give(&ke, &un, &record_of_scene, 1, 10);
        connect_nodes();
        revoke(&ke, &consent);
        connect_nodes();
    }
    return true;
}

static bool gives_up(void *self, const struct check_result *so_far)
{
    (void)self;
    (void)so_far;
    return false;
}

static void a_check_that_is_given_up_says_so(void **state)
{
    (void)state;
    struct check_result result = { 0 };
    const struct check_pause pause = { NULL, gives_up };
    CHECK_STATUS(feed_check_in_steps(&ke.feed, &pause, &result, &err), ERR_BUSY, &err);
}

static void what_changes_during_a_check_is_no_problem(void **state)
{
    (void)state;
    struct node *nodes[] = { &ke, &un };
    for (size_t i = 0; i < 2; i++) {
        int steps = 0;
        struct check_result result = { 0 };
        const struct check_pause pause = { &steps, between };
        CHECK_OK(feed_check_in_steps(&nodes[i]->feed, &pause, &result, &err), &err);
        CHECK_OK(buf_terminate(&result.text, &err), &err);
        assert_string_equal((const char *)result.text.data, "");
        assert_int_equal(result.problems, 0);
        assert_true(steps > 1);
        check_result_fini(&result);
    }
}

static bool count_down(void *self)
{
    int *left = self;
    return --*left > 0;
}

static void a_long_journal_is_verified_in_steps_and_can_be_given_up(void **state)
{
    (void)state;
    uint64_t size = 0;
    int left = 3;
    const struct journal_pause pause = { &left, count_down };
    tx_begin(&un);
    for (int i = 0; i < 300; i++)
        CHECK_OK(journal_append(&un.feed, ANNE, "anne", "peer show", "KE", OK, "", &err), &err);
    tx_commit(&un);
    CHECK_STATUS(journal_verify_in_steps(&un.feed, SPAN_EMPTY, &pause, &size, &err), ERR_BUSY,
                 &err);
    left = 1000;
    CHECK_OK(journal_verify_in_steps(&un.feed, SPAN_EMPTY, &pause, &size, &err), &err);
    assert_int_equal(size, 303);
    assert_true(left <= 1000 - 4);
}

static void an_untouched_database_has_no_problems(void **state)
{
    (void)state;
    struct check_result of_ke = check(&ke);
    struct check_result of_un = check(&un);
    if (of_ke.problems + of_un.problems > 0)
        fail_msg("%s%s", (const char *)of_ke.text.data, (const char *)of_un.text.data);
    assert_int_equal(of_un.feeds, 2);
    assert_int_equal(of_un.holdings, 3);
    assert_int_equal(of_un.erased, 1);
    assert_int_equal(of_un.journal_records, 3);
    assert_int_equal(of_ke.deliveries, 3);
    assert_int_equal(of_ke.opened, 5);
    check_result_fini(&of_ke);
    check_result_fini(&of_un);
}

/* -- journal ----------------------------------------------------------------------------------- */

static enum status count_records(void *context,
                                 const struct journal_record *record,
                                 struct error *e)
{
    (void)e;
    size_t *count = context;
    assert_int_equal(record->index, *count);
    assert_int_equal(record->uid, ANNE);
    assert_string_equal(record->user, "anne");
    assert_string_equal(record->action, "peer add");
    assert_string_equal(record->object, "KE");
    assert_string_equal(record->detail, "card 1234");
    ++*count;
    return OK;
}

static void a_journal_lists_what_was_done_and_proves_that_nothing_was_changed(void **state)
{
    (void)state;
    size_t count = 0;
    uint64_t size = 0;
    struct buf note = BUF_INIT;
    CHECK_OK(journal_list(&un.feed, 0, UINT64_MAX, count_records, &count, &size, &err), &err);
    assert_int_equal(count, 3);
    assert_int_equal(size, 3);
    CHECK_OK(journal_checkpoint(&un.feed, &note, &err), &err);
    tx_begin(&un);
    CHECK_OK(journal_append_heads(&un.feed, &err), &err);
    tx_commit(&un);
    CHECK_OK(journal_verify(&un.feed, buf_span(&note), &size, &err), &err);
    assert_int_equal(size, 5);
    buf_fini(&note);
    CHECK_STATUS(journal_checkpoint(&ke.feed, &note, &err), ERR_NOT_FOUND, &err);
}

static void a_journal_that_was_rewritten_does_not_match_an_earlier_checkpoint(void **state)
{
    (void)state;
    struct store_place saved;
    struct buf note = BUF_INIT;
    uint64_t size = 0;
    node_save(&un, &saved);
    tx_begin(&un);
    CHECK_OK(journal_append(&un.feed, BERT, "bert", "peer accept", "KE", OK, NULL, &err), &err);
    tx_commit(&un);
    CHECK_OK(journal_checkpoint(&un.feed, &note, &err), &err);
    node_roll_back(&un, &saved, true); /* with its heads file: only the note remembers */
    CHECK_STATUS(journal_verify(&un.feed, buf_span(&note), &size, &err), ERR_MISMATCH, &err);
    CHECK_CONTAINS(err.text, "had 4 records");
    tx_begin(&un);
    CHECK_OK(journal_append(&un.feed, ANNE, "anne", "peer block", "KE", ERR_DENIED, "", &err),
             &err);
    tx_commit(&un);
    CHECK_STATUS(journal_verify(&un.feed, buf_span(&note), &size, &err), ERR_MISMATCH, &err);
    CHECK_CONTAINS(err.text, "are not those of the checkpoint");
    buf_fini(&note);
}

static enum status first_action(void *context, const struct journal_record *record, struct error *e)
{
    (void)e;
    if (record->index == 0)
        (void)snprintf(context, 64, "%.60s", record->action);
    return OK;
}

static void a_journal_that_was_rolled_back_goes_on_in_a_new_epoch(void **state)
{
    (void)state;
    struct store_place saved;
    struct buf note = BUF_INIT;
    uint64_t size = 0;
    char action[64] = "";
    node_save(&un, &saved);
    tx_begin(&un);
    CHECK_OK(journal_append(&un.feed, BERT, "bert", "peer accept", "KE", OK, NULL, &err), &err);
    tx_commit(&un);
    node_roll_back(&un, &saved, false);
    CHECK_STATUS(journal_checkpoint(&un.feed, &note, &err), ERR_WRONG_STATE, &err);
    tx_begin(&un);
    CHECK_OK(journal_append(&un.feed, ANNE, "anne", "peer block", "KE", OK, NULL, &err), &err);
    tx_commit(&un);
    CHECK_OK(journal_list(&un.feed, 0, 1, first_action, action, &size, &err), &err);
    assert_string_equal(action, "journal restored");
    assert_int_equal(size, 2);
    CHECK_OK(journal_verify(&un.feed, SPAN_EMPTY, &size, &err), &err);
}

/* -- evidence ---------------------------------------------------------------------------------- */

static void verify(struct node *node, int64_t feed_id, uint64_t index, bool shown)
{
    struct buf text = BUF_INIT_SECRET;
    struct evidence evidence;
    struct evidence_verdict verdict;
    struct public_key log_key;
    struct public_key receipt_key;
    CHECK_OK(private_key_public(ke.log_key, &log_key, &err), &err);
    CHECK_OK(private_key_public(un.receipt_key, &receipt_key, &err), &err);
    CHECK_OK(proving_entry(&node->feed, feed_id, index, shown, &text, &err), &err);
    CHECK_OK(evidence_decode(buf_span(&text), &evidence, &err), &err);
    CHECK_OK(evidence_verify(&evidence, &log_key, &receipt_key, &verdict, &err), &err);
    assert_true(verdict.receipted);
    assert_int_equal(verdict.shown, shown || verdict.header.has_inline);
    if (shown && verdict.header.kind == KIND_EXCERPT)
        assert_true(verdict.content.size > 40);
    evidence_fini(&evidence);
    buf_fini(&text);
}

static void both_sides_can_prove_every_entry(void **state)
{
    (void)state;
    struct feed_row out = feed_between(&ke, &un, FEED_OUT);
    struct feed_row in = feed_between(&un, &ke, FEED_IN);
    for (uint64_t index = 0; index < out.size; index++) {
        verify(&ke, out.feed_id, index, false);
        verify(&ke, out.feed_id, index, true); /* the publisher keeps its copy, of all */
        verify(&un, in.feed_id, index, false);
    }
    verify(&un, in.feed_id, 2, true);
}

static void what_is_erased_or_not_receipted_cannot_be_shown(void **state)
{
    (void)state;
    struct buf text = BUF_INIT;
    struct feed_row in = feed_between(&un, &ke, FEED_IN);
    size_t erased = 0;
    for (uint64_t index = 0; index < in.size; index++) {
        enum status status = proving_entry(&un.feed, in.feed_id, index, true, &text, &err);
        erased += status == ERR_ERASED ? 1 : 0;
    }
    assert_int_equal(erased, 1);
    give(&ke, &un, &record_of_scene, 1, 30);
    struct batch batch = { 0 };
    struct feed_row out = feed_between(&ke, &un, FEED_OUT);
    CHECK_OK(publish(&ke, &un, out.size, &batch), &err);
    CHECK_STATUS(proving_entry(&ke.feed, out.feed_id, out.size, false, &text, &err),
                 ERR_WRONG_STATE, &err);
    CHECK_CONTAINS(err.text, "not receipted yet; next: ");
    batch_fini(&batch);
    buf_fini(&text);
}

/* The key that signed the receipt is gone; the one of today says what is true of today. */
static void a_new_receipt_key_does_not_claim_the_time_of_the_former_one(void **state)
{
    (void)state;
    struct former_card now = { .peer_id = CARD_ROWS_OWN };
    struct feed_row in = feed_between(&un, &ke, FEED_IN);
    struct evidence evidence;
    struct evidence_verdict verdict;
    struct public_key log_key;
    struct buf text = BUF_INIT;
    pass_time(3 * DAY_MS);
    now.time_ms = un.place.clock.wall_now_ms;
    assert_true(now.time_ms > in.receipt_ms);
    CHECK_OK(private_key_public(ke.log_key, &log_key, &err), &err);
    CHECK_OK(private_key_public(un.receipt_key, &now.receipt_key, &err), &err);
    tx_begin(&un);
    CHECK_OK(card_rows_add_former(un.store, &now, SPAN_LITERAL("card"), &err), &err);
    tx_commit(&un);
    CHECK_OK(proving_entry(&un.feed, in.feed_id, 0, false, &text, &err), &err);
    CHECK_OK(evidence_decode(buf_span(&text), &evidence, &err), &err);
    CHECK_OK(evidence_verify(&evidence, &log_key, &now.receipt_key, &verdict, &err), &err);
    assert_int_equal(verdict.receipt_time_s, now.time_ms / 1000);
    evidence_fini(&evidence);
    buf_fini(&text);
}

static void an_entry_is_found_by_the_beginning_of_its_id(void **state)
{
    (void)state;
    struct feed_row in = feed_between(&un, &ke, FEED_IN);
    struct finding found[FINDING_MAX];
    size_t count = 0;
    char text[ID_TEXT_SIZE];
    for (uint64_t index = 0; index < in.size; index++) {
        struct entry_row entry;
        struct entry_header header;
        CHECK_OK(entry_rows_get(un.store, in.feed_id, index, &entry, &err), &err);
        CHECK_OK(header_decode(entry.header, &header, &err), &err);
        id_format(&header.entry_id, text);
        CHECK_OK(finding_entries(&un.feed, text, found, &count, &err), &err);
        assert_int_equal(count, 1);
        assert_int_equal(found[0].feed_id, in.feed_id);
        assert_int_equal(found[0].index, index);
        assert_int_equal(found[0].kind, header.kind);
        assert_int_equal(found[0].direction, FEED_IN);
    }
    text[ID_PREFIX_MIN] = '\0'; /* some hours: all of them */
    CHECK_OK(finding_entries(&un.feed, text, found, &count, &err), &err);
    assert_true(count > 1 && count <= FINDING_MAX);
    CHECK_OK(finding_entries(&un.feed, "fffffff", found, &count, &err), &err);
    assert_int_equal(count, 0);
    CHECK_STATUS(finding_entries(&un.feed, "ffff", found, &count, &err), ERR_INVALID, &err);
    CHECK_STATUS(finding_entries(&un.feed, "fffffg", found, &count, &err), ERR_INVALID, &err);
}

/* Its id is older than those before it: halves do not lead to it. */
static void an_entry_from_a_clock_that_was_put_back_is_found(void **state)
{
    (void)state;
    struct feed_row in = feed_between(&un, &ke, FEED_IN);
    struct finding found[FINDING_MAX];
    size_t count = 0;
    char text[ID_TEXT_SIZE];
    struct entry_row entry;
    struct entry_header header;
    char sql[256];
    CHECK_OK(entry_rows_get(un.store, in.feed_id, 1, &entry, &err), &err);
    CHECK_OK(header_decode(entry.header, &header, &err), &err);
    const uint8_t *id =
        memmem(entry.header.data, entry.header.size, header.entry_id.bytes, ID_SIZE);
    assert_non_null(id);
    int at = (int)(id - entry.header.data);
    (void)snprintf(
        sql, sizeof(sql),
        "UPDATE entry SET header = CAST(substr(header, 1, %d) || x'00' || substr(header, "
        "%d) AS BLOB) WHERE rowid = %lld",
        at, at + 2, (long long)(in.feed_id << 40 | 1));
    tamper(&un, sql);
    header.entry_id.bytes[0] = 0;
    id_format(&header.entry_id, text);
    CHECK_OK(finding_entries(&un.feed, text, found, &count, &err), &err);
    assert_int_equal(count, 1);
    assert_int_equal(found[0].index, 1);
}

/* The verifier in Python knows nothing of this code. */
static void exports_of_both_sides_pass_the_independent_verifier(void **state)
{
    (void)state;
    struct buf text = BUF_INIT_SECRET;
    struct feed_row rows[] = { feed_between(&ke, &un, FEED_OUT), feed_between(&un, &ke, FEED_IN),
                               feed_between(&un, &ke, FEED_OUT) };
    struct node *nodes[] = { &ke, &un, &un };
    static const char *const names[] = { "a.export", "b.export", "c.export" };
    char command[1024] = "python3 tests/vectors/verify.py";
    for (size_t i = 0; i < COUNT(rows); i++) {
        buf_clear(&text);
        CHECK_OK(proving_export(&nodes[i]->feed, &rows[i], true, &text, &err), &err);
        store_place_write(&ke.place, names[i], buf_span(&text));
        size_t used = strlen(command);
        (void)snprintf(command + used, sizeof(command) - used, " %s",
                       store_place_path(&ke.place, names[i]));
    }
    buf_clear(&text);
    CHECK_OK(proving_entry(&un.feed, rows[1].feed_id, 2, true, &text, &err), &err);
    store_place_write(&ke.place, "d.evidence", buf_span(&text));
    size_t used = strlen(command);
    (void)snprintf(command + used, sizeof(command) - used, " %s >/dev/null",
                   store_place_path(&ke.place, "d.evidence"));
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): our own script, fixed words */
    buf_fini(&text);
}

int main(void)
{
#define SCENE(test) cmocka_unit_test_setup_teardown(test, set_up, two_tear_down)
    const struct CMUnitTest tests[] = {
        SCENE(a_check_that_is_given_up_says_so),
        SCENE(a_long_journal_is_verified_in_steps_and_can_be_given_up),
        SCENE(what_changes_during_a_check_is_no_problem),
        SCENE(an_untouched_database_has_no_problems),
        SCENE(a_journal_that_was_rewritten_does_not_match_an_earlier_checkpoint),
        SCENE(a_journal_that_was_rolled_back_goes_on_in_a_new_epoch),
        SCENE(a_journal_lists_what_was_done_and_proves_that_nothing_was_changed),
        SCENE(what_is_erased_or_not_receipted_cannot_be_shown),
        SCENE(both_sides_can_prove_every_entry),
        SCENE(a_new_receipt_key_does_not_claim_the_time_of_the_former_one),
        SCENE(an_entry_is_found_by_the_beginning_of_its_id),
        SCENE(an_entry_from_a_clock_that_was_put_back_is_found),
        SCENE(exports_of_both_sides_pass_the_independent_verifier),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
