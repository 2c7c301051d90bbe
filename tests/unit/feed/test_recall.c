/* Withdrawals that reach their holder, erasing, and what time brings. */
#include "two_nodes.h"

#include "feed/check.h"
#include "feed/ending.h"
#include "feed/journal.h"
#include "store/backup.h"
#include "store/outbox_rows.h"

#include <stdlib.h>

static void tick(struct node *node, int64_t *ret_next_ms)
{
    tx_begin(node);
    CHECK_OK(tx_end(node, feed_tick(&node->feed, ret_next_ms, &err)), &err);
}

static void a_withdrawal_locks_in_the_same_transaction_and_erases_afterwards(void **state)
{
    (void)state;
    struct id record = add_excerpt(&ke, "One");
    struct id consent = give(&ke, &un, &record, 1, 10);
    connect_nodes();
    revoke(&ke, &consent);
    struct meeting_result result;
    meet(&result);
    (void)deliver(&ke, &un, result.ke.send_from);
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 0);
    assert_int_equal(count_holdings(&un, HOLDING_LOCKED), 1);
    assert_int_equal(waiting_for(&un, &ke), 0); /* no answer before it is erased */
    struct recall_row recall;
    CHECK_OK(recall_rows_open(ke.store, peer_of(&ke, &un).peer_id, &record, &recall, &err), &err);
    assert_int_equal(recall.state, RECALL_OPEN);
    assert_int_equal(erase_all(&un), 1);
    assert_int_equal(waiting_for(&un, &ke), 1);
    (void)deliver(&un, &ke, result.un.send_from);
    meeting_fini(&result);
    CHECK_OK(recall_rows_by_withdrawn(ke.store, &recall.withdrawn, &recall, &err), &err);
    assert_int_equal(recall.state, RECALL_ERASED);
    struct delivery_row given[2];
    struct delivery_filter filter = { .record_id = record };
    size_t count = 0;
    CHECK_OK(delivery_rows_list(ke.store, &filter, 0, given, 2, &count, &err), &err);
    assert_int_equal(count, 1);
    assert_true(given[0].withdrawn_ms > 0 && given[0].erased_ms > 0);
}

/* Of what is being erased the newest withdrawal is answered, whichever version it names: one
 * answer, when nothing is left. */
static void a_second_withdrawal_is_answered_when_the_first_one_has_been_carried_out(void **state)
{
    (void)state;
    struct id record = add_excerpt(&ke, "One");
    struct id consent = give(&ke, &un, &record, 1, 10);
    connect_nodes();
    revoke(&ke, &consent);
    struct meeting_result result;
    meet(&result);
    (void)deliver(&ke, &un, result.ke.send_from);
    struct ending ending = { CONSENT_REVOKED, 0 };
    uint8_t body[ENDING_SIZE];
    ending_encode(&ending, body);
    int64_t outbox_id = 0;
    struct outbox_row again = { .peer_id = peer_of(&ke, &un).peer_id,
                                .priority = OUTBOX_RECALL,
                                .kind = KIND_WITHDRAWN,
                                .consent_id = consent,
                                .subject_id = record,
                                .record_version = 7, /* which was never given */
                                .queued_ms = 1,
                                .body = SPAN_ARRAY(body) };
    tx_begin(&ke);
    CHECK_OK(outbox_rows_add(ke.store, &again, &outbox_id, &err), &err);
    tx_commit(&ke);
    assert_int_equal(deliver(&ke, &un, feed_between(&ke, &un, FEED_OUT).size), 1);
    assert_int_equal(waiting_for(&un, &ke), 0); /* it is not erased yet */
    assert_int_equal(erase_all(&un), 1);
    assert_int_equal(waiting_for(&un, &ke), 1);
    (void)deliver(&un, &ke, result.un.send_from);
    meeting_fini(&result);
    struct recall_row recall;
    assert_int_equal(recall_rows_open(ke.store, peer_of(&ke, &un).peer_id, &record, &recall, &err),
                     ERR_NOT_FOUND);
}

static void what_was_erased_cannot_be_opened_again(void **state)
{
    (void)state;
    struct id record = add_excerpt(&ke, "One");
    struct id consent = give(&ke, &un, &record, 1, 10);
    connect_nodes();
    struct feed_row in = feed_between(&un, &ke, FEED_IN);
    struct entry_row entry;
    struct buf salt = BUF_INIT_SECRET;
    struct buf body = BUF_INIT_SECRET;
    bool canonical = false;
    CHECK_OK(entry_rows_get(un.store, in.feed_id, 1, &entry, &err), &err);
    CHECK_OK(entry_rows_open(un.store, &entry, &salt, &body, &canonical, &err), &err);
    assert_true(body.size > 40);
    revoke(&ke, &consent);
    connect_nodes();
    CHECK_OK(entry_rows_get(un.store, in.feed_id, 1, &entry, &err), &err);
    assert_int_equal(entry.flags & ENTRY_ERASED, ENTRY_ERASED);
    CHECK_STATUS(entry_rows_open(un.store, &entry, &salt, &body, &canonical, &err), ERR_ERASED,
                 &err);
    buf_fini(&salt);
    buf_fini(&body);
}

static void a_later_version_replaces_and_erases_the_one_before(void **state)
{
    (void)state;
    struct id record = add_excerpt(&ke, "One");
    give(&ke, &un, &record, 1, 10);
    connect_nodes();
    give(&ke, &un, &record, 1, 20); /* the same record under another consent */
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 1);
    assert_int_equal(count_holdings(&un, HOLDING_ERASED), 1);
    assert_int_equal(waiting_for(&un, &ke), 0); /* nobody asked for an answer */
}

static void a_withdrawal_of_what_is_not_held_is_answered_at_once(void **state)
{
    (void)state;
    struct id record = add_excerpt(&ke, "One");
    struct id consent = give(&ke, &un, &record, 1, 10);
    connect_nodes();
    revoke(&ke, &consent);
    connect_nodes();
    int64_t outbox_id = 0;
    struct outbox_row row = { .peer_id = peer_of(&ke, &un).peer_id,
                              .priority = OUTBOX_RECALL,
                              .kind = KIND_WITHDRAWN,
                              .consent_id = consent,
                              .subject_id = record,
                              .body = SPAN_LITERAL("\5\0\0") };
    tx_begin(&ke);
    CHECK_OK(outbox_rows_add(ke.store, &row, &outbox_id, &err), &err);
    tx_commit(&ke);
    connect_nodes();
    struct feed_row back = feed_between(&un, &ke, FEED_OUT);
    assert_string_equal(kinds_of(&un, &back), "33 33");
}

/* -- time -------------------------------------------------------------------------------------- */

static void a_consent_that_expires_is_recalled_without_anybody(void **state)
{
    (void)state;
    struct id record = add_excerpt(&ke, "One");
    give(&ke, &un, &record, 1, 10);
    connect_nodes();
    int64_t next_ms = 0;
    tick(&ke, &next_ms);
    assert_int_equal(waiting_for(&ke, &un), 0);
    assert_true(next_ms <= ke.place.clock.wall_now_ms + 10 * DAY_MS);
    pass_time(11 * DAY_MS);
    tick(&ke, &next_ms);
    assert_true(waiting_for(&ke, &un) > 0);
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ERASED), 1);
}

static void a_holder_locks_by_itself_and_erases_when_the_publishers_time_confirms_it(void **state)
{
    (void)state;
    struct id record = add_excerpt(&ke, "One");
    give(&ke, &un, &record, 1, 10);
    connect_nodes();
    int64_t next_ms = 0;
    clock_fake_advance(&un.place.clock, 11 * DAY_MS); /* only the holder's clock: may be wrong */
    tick(&un, &next_ms);
    assert_int_equal(count_holdings(&un, HOLDING_LOCKED), 1);
    assert_int_equal(erase_all(&un), 0);
    clock_fake_advance(&ke.place.clock, 11 * DAY_MS);
    struct id other = add_excerpt(&ke, "Two"); /* something with a later time comes */
    give(&ke, &un, &other, 1, 10);
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ERASED), 1);
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 1);
}

static void an_erasure_that_is_not_confirmed_stays_visible(void **state)
{
    (void)state;
    struct id record = add_excerpt(&ke, "One");
    struct id consent = give(&ke, &un, &record, 1, 10);
    connect_nodes();
    revoke(&ke, &consent);
    int64_t next_ms = 0;
    tick(&ke, &next_ms);
    assert_false(has_alarm(&ke, "overdue"));
    pass_time(8 * DAY_MS); /* more than the days allowed for erasing */
    tick(&ke, &next_ms);
    assert_true(has_alarm(&ke, "overdue"));
    assert_true(next_ms <= ke.place.clock.wall_now_ms + 60 * 60 * 1000);
    connect_nodes();
    struct recall_row rows[2];
    size_t count = 9;
    CHECK_OK(recall_rows_list(ke.store, true, INT64_MAX, 0, rows, 2, &count, &err), &err);
    assert_int_equal(count, 0);
}

static void one_held_by_a_court_stays_open(void **state)
{
    (void)state;
    struct id record = add_excerpt(&ke, "One");
    struct id consent = give(&ke, &un, &record, 1, 10);
    connect_nodes();
    revoke(&ke, &consent);
    struct meeting_result result;
    meet(&result);
    (void)deliver(&ke, &un, result.ke.send_from);
    struct recall_row recall;
    CHECK_OK(recall_rows_open(ke.store, peer_of(&ke, &un).peer_id, &record, &recall, &err), &err);
    int64_t outbox_id = 0;
    struct outbox_row row = { .peer_id = peer_of(&un, &ke).peer_id,
                              .priority = OUTBOX_RECALL,
                              .kind = KIND_HELD,
                              .in_reply_to = recall.withdrawn,
                              .body = SPAN_LITERAL("High Court,\n\x1b[31mNairobi") };
    tx_begin(&un);
    CHECK_OK(outbox_rows_add(un.store, &row, &outbox_id, &err), &err);
    tx_commit(&un);
    (void)deliver(&un, &ke, result.un.send_from);
    meeting_fini(&result);
    CHECK_OK(recall_rows_open(ke.store, peer_of(&ke, &un).peer_id, &record, &recall, &err), &err);
    assert_int_equal(recall.state, RECALL_HELD);
    struct alarm_row alarms[4];
    size_t count = 0;
    CHECK_OK(alarm_rows_list(ke.store, true, 0, alarms, 4, &count, &err), &err);
    assert_int_equal(count, 1);
    assert_string_equal(alarms[0].text, "erasing is forbidden there: High Court,  [31mNairobi");
}

/* -- states of a consent that travel ----------------------------------------------------------- */

static void queue_state(uint16_t kind, const struct id *consent, const struct id *subject)
{
    int64_t outbox_id = 0;
    struct outbox_row row = { .peer_id = peer_of(&ke, &un).peer_id,
                              .priority = OUTBOX_TERMS,
                              .kind = kind,
                              .consent_id = *consent,
                              .subject_id = *subject };
    struct buf terms = BUF_INIT;
    tx_begin(&ke);
    if (kind == KIND_CONSENT_CHANGED)
        CHECK_OK(consent_rows_terms(ke.store, subject, &terms, &err), &err);
    row.body = buf_span(&terms);
    CHECK_OK(outbox_rows_add(ke.store, &row, &outbox_id, &err), &err);
    tx_commit(&ke);
    buf_fini(&terms);
}

static void suspending_locks_and_resuming_unlocks(void **state)
{
    (void)state;
    struct id records[2] = { add_excerpt(&ke, "One"), add_excerpt(&ke, "Two") };
    struct id consent = give(&ke, &un, records, 1, 10);
    connect_nodes();
    queue_state(KIND_CONSENT_SUSPENDED, &consent, &ID_NONE);
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_LOCKED), 1);
    assert_int_equal(erase_all(&un), 0);
    queue_state(KIND_CONSENT_RESUMED, &consent, &ID_NONE);
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 1);
}

static void a_changed_consent_takes_over_without_a_gap(void **state)
{
    (void)state;
    struct id record = add_excerpt(&ke, "One");
    struct id consent = give(&ke, &un, &record, 1, 10);
    struct id next = { { 0x55 } };
    connect_nodes();
    queue_state(KIND_CONSENT_CHANGED, &next, &consent);
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 1);
    struct holding_row row;
    struct holding_filter filter = { .state = HOLDING_ACTIVE };
    struct holding_place place = { 0 };
    size_t count = 0;
    struct id pair;
    CHECK_OK(holding_rows_list(un.store, &filter, &place, &row, 1, &count, &err), &err);
    CHECK_OK(pair_rows_get(ke.store, peer_of(&ke, &un).peer_id, PAIR_CONSENT, &next, &pair, &err),
             &err);
    assert_true(id_equal(&row.consent_id, &pair));
}

/* UNODC restores a backup from before the erasure; the keys in its bundle are of today. */
static void restore_from(const char *bulk)
{
    static const char *const files[] = { "comity.db", "comity.db-wal", "root.slot", "heads" };
    char bundle[200];
    struct store_options options = { .directory = un.place.directory,
                                     .clock = &un.place.clock.base,
                                     .random = &un.place.random.base };
    store_close(un.store);
    for (size_t i = 0; i < COUNT(files); i++)
        (void)remove(store_place_path(&un.place, files[i]));
    (void)snprintf(bundle, sizeof(bundle), "%s", store_place_path(&un.place, "keys.bundle"));
    CHECK_OK(backup_restore(&options, bulk, bundle, NULL, &err), &err);
    node_open(&un, false);
    tx_begin(&un);
    CHECK_OK(tx_end(&un, feed_settle(&un.feed, &err)), &err);
}

static void what_was_erased_after_a_backup_is_erased_in_what_it_restores(void **state)
{
    (void)state;
    struct backup *backup = NULL;
    struct check_result found = { 0 };
    char bulk[200];
    bool done = false;
    struct id record = add_excerpt(&ke, "One");
    struct id consent = give(&ke, &un, &record, 1, 10);
    connect_nodes();
    (void)snprintf(bulk, sizeof(bulk), "%s", store_place_path(&un.place, "bulk.db"));
    CHECK_OK(backup_start(un.store, bulk, &backup, &err), &err);
    while (!done)
        CHECK_OK(backup_step(backup, &done, &err), &err);
    backup_free(backup);
    revoke(&ke, &consent);
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ERASED), 1);
    restore_from(bulk);
    assert_int_equal(count_holdings(&un, HOLDING_ERASED), 1); /* no peer has said so yet */
    assert_int_equal(count_holdings(&un, HOLDING_LOCKED), 0);
    CHECK_OK(feed_check(&un.feed, &found, &err), &err);
    assert_int_equal(found.problems, 0);
    check_result_fini(&found);
    connect_nodes(); /* the withdrawal comes again, and is answered */
    assert_int_equal(count_holdings(&un, HOLDING_ERASED), 1);
    (void)remove(bulk);
}

int main(void)
{
#define TWO(test) cmocka_unit_test_setup_teardown(test, two_set_up, two_tear_down)
    const struct CMUnitTest tests[] = {
        TWO(what_was_erased_after_a_backup_is_erased_in_what_it_restores),
        TWO(a_withdrawal_locks_in_the_same_transaction_and_erases_afterwards),
        TWO(a_second_withdrawal_is_answered_when_the_first_one_has_been_carried_out),
        TWO(what_was_erased_cannot_be_opened_again),
        TWO(a_later_version_replaces_and_erases_the_one_before),
        TWO(a_withdrawal_of_what_is_not_held_is_answered_at_once),
        TWO(a_consent_that_expires_is_recalled_without_anybody),
        TWO(a_holder_locks_by_itself_and_erases_when_the_publishers_time_confirms_it),
        TWO(an_erasure_that_is_not_confirmed_stays_visible),
        TWO(one_held_by_a_court_stays_open),
        TWO(suspending_locks_and_resuming_unlocks),
        TWO(a_changed_consent_takes_over_without_a_gap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
