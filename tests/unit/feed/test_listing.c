/* What `given`, `received`, `recalls` say of records that really went from one node to another. */
#include "two_nodes.h"

#include "feed/cover.h"
#include "feed/ending.h"
#include "feed/listing.h"
#include "store/prefix.h"

enum { SEEN_MAX = 8 };

static struct {
    size_t count;
    struct listing_received items[SEEN_MAX];
} seen;

static enum status see(void *context, const struct listing_received *received, struct error *e)
{
    (void)context;
    (void)e;
    assert_true(seen.count < SEEN_MAX);
    seen.items[seen.count++] = *received;
    return OK;
}

static void look(const struct listing_received_filter *filter)
{
    seen.count = 0;
    CHECK_OK(listing_received(&un.feed, filter, see, NULL, &err), &err);
}

static enum status count_one(void *context,
                             const struct listing_received *received,
                             struct error *e)
{
    (void)received;
    (void)e;
    ++*(size_t *)context;
    return OK;
}

static enum status refuse_to_see(void *context,
                                 const struct listing_received *received,
                                 struct error *e)
{
    (void)context;
    (void)received;
    return error_set(e, ERR_BUSY, "enough");
}

static void nothing_is_received_before_it_was_given(void **state)
{
    (void)state;
    struct listing_received_filter all = { .publisher = NULL };
    (void)add_excerpt(&ke, "Not given");
    connect_nodes();
    look(&all);
    assert_int_equal(seen.count, 0);
    struct code nobody = { "ZZ" };
    struct listing_received_filter unknown = { .publisher = &nobody };
    CHECK_STATUS(listing_received(&un.feed, &unknown, see, NULL, &err), ERR_NOT_FOUND, &err);
}

static void what_is_held_is_shown_with_its_text_and_terms(void **state)
{
    (void)state;
    struct listing_received_filter all = { .publisher = NULL };
    struct id records[2] = { add_excerpt(&ke, "One"), add_excerpt(&ke, "Two") };
    (void)give(&ke, &un, records, 2, 10);
    connect_nodes();
    look(&all);
    assert_int_equal(seen.count, 2);
    const struct listing_received *first = &seen.items[0];
    assert_string_equal(first->publisher.text, "KE");
    assert_string_equal(first->state, "held");
    assert_string_equal(first->why, "");
    assert_true(first->has_text);
    assert_string_equal(first->view.title, "One");
    assert_string_equal(first->view.kind, "answer");
    assert_true(first->has_terms);
    assert_string_equal(first->terms.reference, "NV 1/2025");
    assert_false(id_equal(&first->row.subject_id, &records[0])); /* the pair's own name for it */
    CHECK_STATUS(listing_received(&un.feed, &all, refuse_to_see, NULL, &err), ERR_BUSY, &err);

    char subject[ID_TEXT_SIZE];
    id_format(&seen.items[1].row.subject_id, subject);
    struct listing_received_filter second = { .publisher = &ke.code, .subject_prefix = subject };
    look(&second);
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.items[0].view.title, "Two");
    struct listing_received_filter releases = { .kind = RECORD_RELEASE };
    look(&releases);
    assert_int_equal(seen.count, 0);
}

static void a_beginning_of_an_id_finds_what_begins_so_and_nothing_else(void **state)
{
    (void)state;
    enum { MANY = 40 }; /* more than one page */
    struct id records[MANY];
    char subject[ID_TEXT_SIZE];
    for (size_t i = 0; i < MANY; i++)
        records[i] = add_excerpt(&ke, "One of many");
    (void)give(&ke, &un, records, MANY, 10);
    connect_nodes();
    struct holding_row rows[MANY];
    struct holding_filter all = { 0 };
    struct holding_place place = { 0 };
    size_t count = 0;
    CHECK_OK(holding_rows_list(un.store, &all, &place, rows, MANY, &count, &err), &err);
    assert_int_equal(count, MANY);
    for (size_t digits = 6; digits <= 32; digits += 13) {
        size_t expected = 0;
        struct id first, last;
        id_format(&rows[7].subject_id, subject);
        subject[digits] = '\0';
        CHECK_OK(prefix_range(subject, &first, &last, &err), &err);
        for (size_t i = 0; i < MANY; i++)
            expected += memcmp(&rows[i].subject_id, &first, ID_SIZE) >= 0 &&
                        memcmp(&rows[i].subject_id, &last, ID_SIZE) <= 0;
        for (int named = 0; named < 2; named++) {
            struct listing_received_filter filter = { .subject_prefix = subject,
                                                      .publisher = named ? &ke.code : NULL };
            size_t found = 0;
            CHECK_OK(listing_received(&un.feed, &filter, count_one, &found, &err), &err);
            assert_int_equal(found, expected);
        }
        assert_true(digits == 6 ? expected > 16 : expected == 1);
    }
    struct listing_received_filter none = { .subject_prefix = "ffffffffff" };
    look(&none);
    assert_int_equal(seen.count, 0);
    struct listing_received_filter no_id = { .subject_prefix = "xyz" };
    CHECK_STATUS(listing_received(&un.feed, &no_id, see, NULL, &err), ERR_INVALID, &err);
}

static void what_was_withdrawn_is_locked_then_erased_and_never_shown(void **state)
{
    (void)state;
    struct listing_received_filter all = { .publisher = NULL };
    struct listing_received_filter active = { .active_only = true };
    struct listing_received_filter here = { .hide_gone = true };
    struct id record = add_excerpt(&ke, "One");
    struct id consent = give(&ke, &un, &record, 1, 10);
    connect_nodes();
    revoke(&ke, &consent);
    struct meeting_result result;
    meet(&result);
    (void)deliver(&ke, &un, result.ke.send_from);
    meeting_fini(&result);
    look(&all);
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.items[0].state, "locked");
    CHECK_CONTAINS(seen.items[0].why, "withdrawn by its publisher");
    assert_false(seen.items[0].has_text);
    look(&active);
    assert_int_equal(seen.count, 0);
    look(&here);
    assert_int_equal(seen.count, 1); /* locked is still here */
    connect_nodes();
    look(&here);
    assert_int_equal(seen.count, 0);
    look(&all);
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.items[0].state, "erased");
    assert_true(seen.items[0].has_terms); /* they are never erased */
}

static void every_reason_of_a_lock_is_said(void **state)
{
    (void)state;
    struct listing_received_filter all = { .publisher = NULL };
    struct id record = add_excerpt(&ke, "One");
    (void)give(&ke, &un, &record, 1, 10);
    connect_nodes();
    struct holding_row row;
    struct holding_place place = { 0, 0 };
    struct holding_filter filter = { 0 };
    size_t count = 0;
    CHECK_OK(holding_rows_list(un.store, &filter, &place, &row, 1, &count, &err), &err);
    row.state = HOLDING_LOCKED;
    row.reasons = 127;
    tx_begin(&un);
    CHECK_OK(holding_rows_update(un.store, &row, &err), &err);
    tx_commit(&un);
    look(&all);
    CHECK_CONTAINS(seen.items[0].why, "suspended; the consent has expired; it may not be kept");
    row.state = HOLDING_REFUSED;
    tx_begin(&un);
    CHECK_OK(holding_rows_update(un.store, &row, &err), &err);
    tx_commit(&un);
    look(&all);
    assert_string_equal(seen.items[0].state, "refused");
    assert_false(seen.items[0].has_text);
}

/* -- the publisher's side ---------------------------------------------------------------------- */

static const char *given_states[SEEN_MAX];
static size_t given_count;

static enum status see_given(void *context, const struct listing_given *given, struct error *e)
{
    (void)context;
    (void)e;
    given_states[given_count++ % SEEN_MAX] = given->state;
    assert_string_equal(given->recipient.text, "UNODC");
    assert_false(id_is_none(&given->entry_id));
    return OK;
}

static const char *recall_state;

static enum status see_recall(void *context, const struct listing_recall *recall, struct error *e)
{
    (void)context;
    (void)e;
    recall_state = recall->state;
    return OK;
}

static void the_publisher_sees_sent_receipted_withdrawn_erased(void **state)
{
    (void)state;
    struct listing_given_filter all = { .recipient = NULL };
    struct id record = add_excerpt(&ke, "One");
    struct id consent = give(&ke, &un, &record, 1, 10);
    struct batch batch = { 0 };
    CHECK_OK(publish(&ke, &un, 0, &batch), &err);
    batch_fini(&batch);
    given_count = 0;
    CHECK_OK(listing_given(&ke.feed, &all, see_given, NULL, &err), &err);
    assert_int_equal(given_count, 1);
    assert_string_equal(given_states[0], "sent");
    connect_nodes();
    given_count = 0;
    CHECK_OK(listing_given(&ke.feed, &all, see_given, NULL, &err), &err);
    assert_string_equal(given_states[0], "receipted");
    revoke(&ke, &consent);
    given_count = 0;
    CHECK_OK(listing_given(&ke.feed, &all, see_given, NULL, &err), &err);
    assert_string_equal(given_states[0], "withdrawn");
    CHECK_OK(listing_recalls(&ke.feed, true, see_recall, NULL, &err), &err);
    assert_string_equal(recall_state, "waiting to be sent");
    connect_nodes();
    given_count = 0;
    CHECK_OK(listing_given(&ke.feed, &all, see_given, NULL, &err), &err);
    assert_string_equal(given_states[0], "erased");
    recall_state = "none";
    CHECK_OK(listing_recalls(&ke.feed, true, see_recall, NULL, &err), &err);
    assert_string_equal(recall_state, "none");
    CHECK_OK(listing_recalls(&ke.feed, false, see_recall, NULL, &err), &err);
    assert_string_equal(recall_state, "erased");
}

static void a_recall_that_a_court_holds_up_says_so(void **state)
{
    (void)state;
    struct id record = add_excerpt(&ke, "One");
    struct id consent = give(&ke, &un, &record, 1, 10);
    struct recall_row row;
    connect_nodes();
    revoke(&ke, &consent);
    CHECK_OK(recall_rows_open(ke.store, peer_of(&ke, &un).peer_id, &record, &row, &err), &err);
    row.state = RECALL_HELD;
    tx_begin(&ke);
    CHECK_OK(recall_rows_update(ke.store, &row, &err), &err);
    tx_commit(&ke);
    CHECK_OK(listing_recalls(&ke.feed, true, see_recall, NULL, &err), &err);
    assert_string_equal(recall_state, "held by a court");
}

/* -- overlapping consents, with a holder that really holds ------------------------------------- */

static void the_end_of_the_later_consent_leaves_the_record_under_the_earlier_one(void **state)
{
    (void)state;
    struct listing_received_filter active = { .active_only = true };
    struct id record = add_excerpt(&ke, "One");
    struct id first = give(&ke, &un, &record, 1, 20);
    connect_nodes();
    struct id second = give(&ke, &un, &record, 1, 10);
    connect_nodes();
    look(&active);
    assert_int_equal(seen.count, 1);
    struct id under_second = seen.items[0].row.consent_id;
    revoke(&ke, &second);
    connect_nodes();
    look(&active);
    assert_int_equal(seen.count, 1); /* given again, under the first */
    assert_false(id_equal(&seen.items[0].row.consent_id, &under_second));
    assert_string_equal(seen.items[0].view.title, "One");
    revoke(&ke, &first);
    connect_nodes();
    look(&active);
    assert_int_equal(seen.count, 0);
}

static void a_consent_that_begins_later_leaves_later(void **state)
{
    (void)state;
    struct listing_received_filter active = { .active_only = true };
    struct id record = add_excerpt(&ke, "One");
    struct consents_request request = {
        .record_ids = &record,
        .record_id_count = 1,
        .recipients = &un.code,
        .recipient_count = 1,
    };
    struct consents_queued queued;
    struct digest digest;
    struct id consent;
    int64_t now_ms = ke.place.clock.wall_now_ms;
    terms_init(&request.terms, now_ms);
    request.terms.purpose = PURPOSE_PEER_REVIEW;
    request.terms.valid_from_ms = now_ms + 2 * DAY_MS;
    request.terms.valid_until_ms = now_ms + 9 * DAY_MS;
    (void)snprintf(request.terms.authority, sizeof(request.terms.authority), "A");
    (void)snprintf(request.terms.reference, sizeof(request.terms.reference), "R");
    tx_begin(&ke);
    CHECK_OK(consents_draft(&ke.feed, ANNE, &request, &consent, NULL, &err), &err);
    CHECK_OK(consents_propose(&ke.feed, ANNE, &consent, &digest, &err), &err);
    CHECK_OK(consents_approve(&ke.feed, BERT, &consent, &digest, &queued, NULL, &err), &err);
    tx_commit(&ke);
    connect_nodes();
    look(&active);
    assert_int_equal(seen.count, 0);
    pass_time(2 * DAY_MS);
    connect_nodes();
    look(&active);
    assert_int_equal(seen.count, 1);
}

static void an_ending_is_three_bytes_and_nothing_else(void **state)
{
    (void)state;
    struct ending ending = { CONSENT_REVOKED, 14 };
    struct ending got = { CONSENT_DRAFT, 0 };
    uint8_t bytes[ENDING_SIZE + 1] = { 0 };
    ending_encode(&ending, bytes);
    for (size_t size = 0; size <= ENDING_SIZE + 1; size++) {
        enum status status = ending_decode(span_of(bytes, size), &got, &err);
        assert_int_equal(status, size == ENDING_SIZE ? OK : ERR_INVALID);
    }
    assert_int_equal(got.why, CONSENT_REVOKED);
    assert_int_equal(got.erase_days, 14);
    bytes[0] = CONSENT_ACTIVE;
    CHECK_STATUS(ending_decode(span_of(bytes, ENDING_SIZE), &got, &err), ERR_UNSUPPORTED, &err);
    bytes[0] = CONSENT_EXPIRED;
    bytes[1] = 0xff;
    CHECK_STATUS(ending_decode(span_of(bytes, ENDING_SIZE), &got, &err), ERR_INVALID, &err);
}

/* -- what covers ------------------------------------------------------------------------------- */

static void a_consent_that_is_not_there_or_not_for_this_peer_covers_nothing(void **state)
{
    (void)state;
    struct cover cover;
    struct policy_decision decision;
    struct id unknown = { { 1 } };
    struct id records[2] = { add_excerpt(&ke, "One"), add_excerpt(&ke, "Two") };
    struct id consent = give(&ke, &un, records, 1, 10);
    struct policy_record one = { records[0], 1 }, two = { records[1], 1 };
    struct peer_row peer = peer_of(&ke, &un);
    int64_t now_ms = ke.place.clock.wall_now_ms;
    cover_init(&cover, &ke.feed, &peer);
    CHECK_OK(cover_by(&cover, &unknown, &one, now_ms, &decision, &err), &err);
    assert_int_equal(decision.reason, POLICY_NO_CONSENT);
    CHECK_OK(cover_by(&cover, &consent, &two, now_ms, &decision, &err), &err);
    assert_int_equal(decision.reason, POLICY_NO_CONSENT);
    CHECK_OK(cover_by(&cover, &consent, &one, now_ms, &decision, &err), &err);
    assert_int_equal(decision.reason, POLICY_ALLOWED);
    CHECK_OK(cover_by_any(&cover, &consent, &one, now_ms, &decision, &err), &err);
    assert_int_equal(decision.reason, POLICY_NO_CONSENT);
    CHECK_OK(cover_by_any(&cover, &ID_NONE, &one, now_ms, &decision, &err), &err);
    assert_int_equal(decision.reason, POLICY_ALLOWED);
    (void)snprintf(peer.code.text, sizeof(peer.code.text), "GB");
    cover_init(&cover, &ke.feed, &peer);
    CHECK_OK(cover_by(&cover, &consent, &one, now_ms, &decision, &err), &err);
    assert_int_equal(decision.reason, POLICY_NOT_A_RECIPIENT);
}

#define T(name) cmocka_unit_test_setup_teardown(name, two_set_up, two_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(nothing_is_received_before_it_was_given),
        T(what_is_held_is_shown_with_its_text_and_terms),
        T(a_beginning_of_an_id_finds_what_begins_so_and_nothing_else),
        T(what_was_withdrawn_is_locked_then_erased_and_never_shown),
        T(every_reason_of_a_lock_is_said),
        T(the_publisher_sees_sent_receipted_withdrawn_erased),
        T(a_recall_that_a_court_holds_up_says_so),
        T(the_end_of_the_later_consent_leaves_the_record_under_the_earlier_one),
        T(a_consent_that_begins_later_leaves_later),
        T(an_ending_is_three_bytes_and_nothing_else),
        T(a_consent_that_is_not_there_or_not_for_this_peer_covers_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
