/* Consents from draft to approval over a real database; refusals first. */
#include "own_node.h"

static char kinds[256];

/* -- draft ------------------------------------------------------------------------------------- */

static void a_draft_lists_everything_that_is_wrong_with_it_at_once(void **state)
{
    (void)state;
    struct id retired = own_add_excerpt("Extradition", "16");
    struct records_retired still;
    CHECK_OK(records_retire(&own.feed, ANNE, &retired, &still, &err), &err);
    own_add_peer("AU", PEER_ADDED);
    own_add_peer("GB", PEER_BLOCKED);
    struct peer_row held = own_peer("GB");
    struct records_selector nothing;
    records_selector_init(&nothing);
    CHECK_OK(records_selector_set(&nothing, "article", "UNTOC:18", &err), &err);
    struct id ids[2] = { retired, { { 0xab } } };
    struct code codes[] = { { "KE" }, { "AU" }, { "GB" }, { "IE" } };
    struct consents_request request = { .record_ids = ids,
                                        .record_id_count = 2,
                                        .selectors = &nothing,
                                        .selector_count = 1,
                                        .recipients = codes,
                                        .recipient_count = 4 };
    struct buf lines = BUF_INIT;
    struct id consent;
    (void)held;
    terms_init(&request.terms, own_now());
    CHECK_STATUS(consents_draft(&own.feed, ANNE, &request, &consent, &lines, &err), ERR_INVALID,
                 &err);
    CHECK_CONTAINS(err.text, "11 problems; the first: purpose");
    CHECK_OK(buf_terminate(&lines, &err), &err);
    static const char *const said[] = {
        "purpose: must be said",
        "until: an end is required",
        "authority: must",
        "reference: must",
        "it is retired",
        "there is no such record",
        "a selection finds none",
        "recipient KE: that is this node itself",
        "recipient AU: is added",
        "recipient GB: is blocked",
        "recipient IE: no such peer",
    };
    for (size_t i = 0; i < COUNT(said); i++)
        CHECK_CONTAINS((const char *)lines.data, said[i]);
    buf_fini(&lines);
}

static void a_draft_without_records_or_recipients_or_with_a_form_is_refused(void **state)
{
    (void)state;
    struct id record = own_add_excerpt("Extradition", "16");
    own_add_peer("AU", PEER_ACCEPTED);
    struct code codes[] = { { "AU" }, { "AU" } };
    struct consents_request request = { .terms = own_terms(),
                                        .recipients = codes,
                                        .recipient_count = 1 };
    struct id consent;
    CHECK_STATUS(consents_draft(&own.feed, ANNE, &request, &consent, NULL, &err), ERR_INVALID,
                 &err);
    CHECK_CONTAINS(err.text, "records: none is named; next: ");
    request.record_ids = &record;
    request.record_id_count = 1;
    request.recipient_count = 0;
    CHECK_STATUS(consents_draft(&own.feed, ANNE, &request, &consent, NULL, &err), ERR_INVALID,
                 &err);
    CHECK_CONTAINS(err.text, "recipients: none is named");
    request.recipient_count = 2;
    CHECK_STATUS(consents_draft(&own.feed, ANNE, &request, &consent, NULL, &err), ERR_EXISTS, &err);
    CHECK_CONTAINS(err.text, "recipient AU: is named twice");
    request.recipient_count = 1;
    request.terms.form = TERMS_ROUNDED;
    CHECK_STATUS(consents_draft(&own.feed, ANNE, &request, &consent, NULL, &err), ERR_UNSUPPORTED,
                 &err);
    CHECK_CONTAINS(err.text, "rounded: this version releases records exactly");
    request.terms.form = TERMS_EXACT;
    request.record_id_count = CONSENT_RECORDS_MAX + 1;
    CHECK_STATUS(consents_draft(&own.feed, ANNE, &request, &consent, NULL, &err), ERR_LIMIT, &err);
    request.record_id_count = 1;
    request.recipient_count = CONSENT_RECIPIENTS_MAX + 1;
    CHECK_STATUS(consents_draft(&own.feed, ANNE, &request, &consent, NULL, &err), ERR_LIMIT, &err);
    struct consent_row rows[1];
    size_t count = 9;
    CHECK_OK(consent_rows_list(own.store, 0, NULL, rows, 1, &count, &err), &err);
    assert_int_equal(count, 0); /* refused drafts left nothing */
}

static enum status count_views(void *context, const struct records_view *view, struct error *e)
{
    (void)view;
    (void)e;
    ++*(int *)context;
    return OK;
}

static void records_that_are_named_and_selected_are_given_once(void **state)
{
    (void)state;
    struct id ids[3] = { own_add_excerpt("One", "16"), own_add_excerpt("Two", "16"),
                         own_add_excerpt("Three", "18") };
    own_add_peer("AU", PEER_ACCEPTED);
    struct records_selector selector;
    records_selector_init(&selector);
    CHECK_OK(records_selector_set(&selector, "article", "UNTOC:16", &err), &err);
    struct code code = { "AU" };
    struct consents_request request = { .terms = own_terms(),
                                        .record_ids = ids,
                                        .record_id_count = 1,
                                        .selectors = &selector,
                                        .selector_count = 1,
                                        .recipients = &code,
                                        .recipient_count = 1 };
    struct id consent;
    int count = 0;
    CHECK_OK(consents_draft(&own.feed, ANNE, &request, &consent, NULL, &err), &err);
    CHECK_OK(consents_records(&own.feed, &consent, count_views, &count, &err), &err);
    assert_int_equal(count, 2);
    assert_int_equal(own_waiting("AU"), 0);
}

/* -- propose and approve ----------------------------------------------------------------------- */

static void nothing_is_queued_before_another_person_has_approved(void **state)
{
    (void)state;
    struct id record = own_add_excerpt("Extradition", "16");
    own_add_peer("AU", PEER_ACCEPTED);
    struct id consent = own_draft(&record, "AU", 10);
    struct digest digest = { { 0 } };
    struct consents_queued queued;
    CHECK_STATUS(consents_approve(&own.feed, BERT, &consent, &digest, &queued, NULL, &err),
                 ERR_WRONG_STATE, &err);
    CHECK_CONTAINS(err.text, "cannot approve a consent that is draft");
    digest = own_propose(&consent);
    assert_int_equal(own_waiting("AU"), 0);
    CHECK_STATUS(consents_approve(&own.feed, ANNE, &consent, &digest, &queued, NULL, &err),
                 ERR_DENIED, &err);
    CHECK_CONTAINS(err.text, "who proposed a consent cannot approve it");
    digest.bytes[31] ^= 1;
    CHECK_STATUS(consents_approve(&own.feed, BERT, &consent, &digest, &queued, NULL, &err),
                 ERR_MISMATCH, &err);
    CHECK_CONTAINS(err.text, "the digest is not that of the proposal");
    assert_int_equal(own_state(&consent), CONSENT_PROPOSED);
    assert_int_equal(own_waiting("AU"), 0);
    digest.bytes[31] ^= 1;
    CHECK_OK(consents_approve(&own.feed, BERT, &consent, &digest, &queued, NULL, &err), &err);
    assert_int_equal(queued.records, 1);
    assert_int_equal(queued.recipients, 1);
    own_deliver("AU", kinds, sizeof(kinds));
    assert_string_equal(kinds, "1 16"); /* the terms, then the record */
    CHECK_STATUS(consents_approve(&own.feed, BERT, &consent, &digest, &queued, NULL, &err),
                 ERR_WRONG_STATE, &err);
}

static void outside_of_a_training_realm_nothing_can_be_approved(void **state)
{
    (void)state;
    struct id record = own_add_excerpt("Extradition", "16");
    own_add_peer("AU", PEER_ACCEPTED);
    struct id consent = own_draft(&record, "AU", 10);
    struct digest digest = own_propose(&consent);
    struct consents_queued queued;
    own.feed.realm = (struct realm){ "live" };
    CHECK_STATUS(consents_approve(&own.feed, BERT, &consent, &digest, &queued, NULL, &err),
                 ERR_UNSUPPORTED, &err);
    CHECK_CONTAINS(err.text, "signature over the digest, which this version does not have yet");
    assert_int_equal(own_waiting("AU"), 0);
}

static void change_block(struct id *record)
{
    (void)record;
    struct peer_row peer = own_peer("AU");
    peer.state = PEER_BLOCKED;
    own_update_peer(&peer);
}

static void change_hold(struct id *record)
{
    (void)record;
    struct peer_row peer = own_peer("AU");
    peer.held = true;
    own_update_peer(&peer);
}

static void change_anchor(struct id *record)
{
    (void)record;
    struct peer_row peer = own_peer("AU");
    peer.anchor_digest.bytes[0] ^= 1;
    own_update_peer(&peer);
}

static void change_name(struct id *record)
{
    (void)record;
    struct peer_row peer = own_peer("AU");
    (void)snprintf(peer.name, sizeof(peer.name), "Another name");
    own_update_peer(&peer);
}

static void change_retire(struct id *record)
{
    struct records_retired still;
    CHECK_OK(records_retire(&own.feed, ANNE, record, &still, &err), &err);
}

static void change_holds(struct id *record)
{
    own_give(record, "AU", 5);
    own_deliver("AU", kinds, sizeof(kinds));
}

static void what_has_changed_since_the_proposal_refuses_the_approval_and_is_said(void **state)
{
    (void)state;
    static const struct {
        void (*change)(struct id *record);
        const char *says;
    } cases[] = {
        { change_block, "recipient AU: is blocked" },
        { change_hold, "recipient AU: is held" },
        { change_anchor, "recipient AU: its anchor certificate" },
        { change_name, "recipient AU: its name is not the same" },
        { change_retire, "has been retired" },
        { change_holds, "recipient AU: what it holds already" },
    };
    own_add_peer("AU", PEER_ACCEPTED);
    struct peer_row before = own_peer("AU");
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct id record = own_add_excerpt("Extradition", "16");
        struct id consent = own_draft(&record, "AU", 10);
        struct digest digest = own_propose(&consent);
        struct consents_queued queued;
        struct buf lines = BUF_INIT;
        cases[i].change(&record);
        CHECK_STATUS(consents_approve(&own.feed, BERT, &consent, &digest, &queued, &lines, &err),
                     ERR_CONFLICT, &err);
        CHECK_CONTAINS(err.text, "something has changed since it was proposed: ");
        CHECK_OK(buf_terminate(&lines, &err), &err);
        CHECK_CONTAINS((const char *)lines.data, cases[i].says);
        assert_int_equal(own_state(&consent), CONSENT_PROPOSED);
        assert_int_equal(own_waiting("AU"), 0);
        CHECK_STATUS(consents_approve(&own.feed, BERT, &consent, &digest, &queued, NULL, &err),
                     ERR_CONFLICT, &err);
        buf_fini(&lines);
        before.peer_id = own_peer("AU").peer_id;
        own_update_peer(&before);
    }
}

static void a_draft_whose_recipient_changed_cannot_be_proposed(void **state)
{
    (void)state;
    struct id record = own_add_excerpt("Extradition", "16");
    own_add_peer("AU", PEER_ACCEPTED);
    struct id consent = own_draft(&record, "AU", 10);
    struct digest digest;
    change_anchor(&record);
    CHECK_STATUS(consents_propose(&own.feed, ANNE, &consent, &digest, &err), ERR_CONFLICT, &err);
    CHECK_CONTAINS(err.text, "another anchor certificate than when it was drafted");
    assert_int_equal(own_state(&consent), CONSENT_DRAFT);
}

static void a_later_version_of_a_record_does_not_slip_into_what_was_approved(void **state)
{
    (void)state;
    struct id record = own_add_excerpt("Extradition", "16");
    own_add_peer("AU", PEER_ACCEPTED);
    struct id consent = own_draft(&record, "AU", 10);
    struct digest digest = own_propose(&consent);
    struct excerpt excerpt;
    struct consents_queued queued;
    uint32_t version = 0;
    own_fill_excerpt(&excerpt, "Extradition, amended", "16");
    CHECK_OK(records_change_excerpt(&own.feed, ANNE, &record, &excerpt, &version, &err), &err);
    excerpt_fini(&excerpt);
    assert_int_equal(version, 2);
    CHECK_OK(consents_approve(&own.feed, BERT, &consent, &digest, &queued, NULL, &err), &err);
    struct outbox_row row;
    struct buf body = BUF_INIT;
    struct outbox_place after_terms = { OUTBOX_TERMS, INT64_MAX };
    CHECK_OK(outbox_rows_next(own.store, own_peer("AU").peer_id, after_terms, &row, &body, &err),
             &err);
    assert_int_equal(row.record_version, 1);
    buf_fini(&body);
}

static void a_proposal_whose_time_is_over_cannot_be_approved(void **state)
{
    (void)state;
    struct id record = own_add_excerpt("Extradition", "16");
    own_add_peer("AU", PEER_ACCEPTED);
    struct id consent = own_draft(&record, "AU", 10);
    struct digest digest = own_propose(&consent);
    struct consents_queued queued;
    clock_fake_advance(&own.place.clock, 10 * DAY_MS);
    CHECK_STATUS(consents_approve(&own.feed, BERT, &consent, &digest, &queued, NULL, &err),
                 ERR_EXPIRED, &err);
    struct id late = own_draft(&record, "AU", 1);
    clock_fake_advance(&own.place.clock, DAY_MS);
    CHECK_STATUS(consents_propose(&own.feed, ANNE, &late, &digest, &err), ERR_EXPIRED, &err);
}

static void a_rejected_proposal_is_a_draft_again_and_says_why(void **state)
{
    (void)state;
    struct id record = own_add_excerpt("Extradition", "16");
    own_add_peer("AU", PEER_ACCEPTED);
    struct id consent = own_draft(&record, "AU", 10);
    CHECK_STATUS(consents_reject(&own.feed, BERT, &consent, "too wide", &err), ERR_WRONG_STATE,
                 &err);
    struct digest digest = own_propose(&consent);
    CHECK_STATUS(consents_reject(&own.feed, BERT, &consent, "", &err), ERR_INVALID, &err);
    CHECK_STATUS(consents_reject(&own.feed, BERT, &consent, "a\nb", &err), ERR_INVALID, &err);
    char long_reason[CONSENT_EVENT_TEXT_MAX + 1];
    memset(long_reason, 'x', sizeof(long_reason) - 1);
    long_reason[sizeof(long_reason) - 1] = '\0';
    CHECK_STATUS(consents_reject(&own.feed, BERT, &consent, long_reason, &err), ERR_LIMIT, &err);
    CHECK_OK(consents_reject(&own.feed, BERT, &consent, "too wide", &err), &err);
    assert_int_equal(own_state(&consent), CONSENT_DRAFT);
    struct digest again = own_propose(&consent);
    assert_true(digest_equal(&digest, &again)); /* nothing has changed in between */
}

#define T(name) cmocka_unit_test_setup_teardown(name, own_set_up, own_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_draft_lists_everything_that_is_wrong_with_it_at_once),
        T(a_draft_without_records_or_recipients_or_with_a_form_is_refused),
        T(records_that_are_named_and_selected_are_given_once),
        T(nothing_is_queued_before_another_person_has_approved),
        T(outside_of_a_training_realm_nothing_can_be_approved),
        T(what_has_changed_since_the_proposal_refuses_the_approval_and_is_said),
        T(a_draft_whose_recipient_changed_cannot_be_proposed),
        T(a_later_version_of_a_record_does_not_slip_into_what_was_approved),
        T(a_proposal_whose_time_is_over_cannot_be_approved),
        T(a_rejected_proposal_is_a_draft_again_and_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
