/* How consents end, what is recalled, and what the lists say, over a real database. */
#include "own_node.h"

static char kinds[256];

static enum status count_views(void *context, const struct records_view *view, struct error *e)
{
    (void)view;
    (void)e;
    ++*(int *)context;
    return OK;
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

/* -- revoke ------------------------------------------------------------------------------------ */

static struct consents_ended revoke(const struct id *consent)
{
    struct consents_ended ended = { 99, 99, 99 };
    CHECK_OK(consents_revoke(&own.feed, ANNE, consent, "by decision of today", &ended, &err), &err);
    assert_int_equal(own_state(consent), CONSENT_REVOKED);
    return ended;
}

static void what_is_revoked_before_it_was_sent_never_leaves(void **state)
{
    (void)state;
    struct id record = own_add_excerpt("Extradition", "16");
    own_add_peer("AU", PEER_ACCEPTED);
    struct id consent = own_give(&record, "AU", 10);
    assert_int_equal(own_waiting("AU"), 2);
    struct consents_ended ended = revoke(&consent);
    assert_int_equal(ended.never_left, 2); /* the terms as well */
    assert_int_equal(ended.recalled, 0);
    assert_int_equal(own_waiting("AU"), 0);
    struct consents_ended again;
    CHECK_STATUS(consents_revoke(&own.feed, ANNE, &consent, "again", &again, &err), ERR_WRONG_STATE,
                 &err);
    CHECK_STATUS(consents_revoke(&own.feed, ANNE, &consent, "", &again, &err), ERR_INVALID, &err);
}

static enum status keep_recall(void *context, const struct listing_recall *recall, struct error *e)
{
    (void)e;
    *(struct listing_recall *)context = *recall;
    return OK;
}

static void what_has_left_is_withdrawn_and_recalled(void **state)
{
    (void)state;
    struct id record = own_add_excerpt("Extradition", "16");
    own_add_peer("AU", PEER_ACCEPTED);
    struct id consent = own_give(&record, "AU", 10);
    own_deliver("AU", kinds, sizeof(kinds));
    struct consents_ended ended = revoke(&consent);
    assert_int_equal(ended.never_left, 0);
    assert_int_equal(ended.recalled, 1);
    own_deliver("AU", kinds, sizeof(kinds));
    assert_string_equal(kinds, "32 5"); /* WITHDRAWN, CONSENT_ENDED */
    struct listing_recall recall = { .state = NULL };
    CHECK_OK(listing_recalls(&own.feed, true, keep_recall, &recall, &err), &err);
    assert_string_equal(recall.holder.text, "AU");
    assert_false(recall.overdue);
    assert_int_equal(recall.row.due_ms - recall.row.started_ms, 7 * DAY_MS);
    clock_fake_advance(&own.place.clock, 7 * DAY_MS);
    CHECK_OK(listing_recalls(&own.feed, true, keep_recall, &recall, &err), &err);
    assert_true(recall.overdue);
    assert_string_equal(recall.state, "overdue");
}

static void a_record_stays_where_another_consent_in_force_covers_it(void **state)
{
    (void)state;
    struct id record = own_add_excerpt("Extradition", "16");
    own_add_peer("AU", PEER_ACCEPTED);
    struct id first = own_give(&record, "AU", 10);
    own_deliver("AU", kinds, sizeof(kinds));
    struct id second = own_give(&record, "AU", 20);
    own_deliver("AU", kinds, sizeof(kinds));
    assert_string_equal(kinds, "1 16");
    struct consents_ended ended = revoke(&second);
    assert_int_equal(ended.recalled, 0);
    assert_int_equal(ended.kept, 1);
    own_deliver("AU", kinds, sizeof(kinds));
    assert_string_equal(kinds, "5 16"); /* it ends, and the record comes again under the first */
    ended = revoke(&first);
    assert_int_equal(ended.recalled, 1);
    assert_int_equal(ended.kept, 0);
    own_deliver("AU", kinds, sizeof(kinds));
    assert_string_equal(kinds, "32 5");
    struct listing_recall recall = { .state = NULL };
    CHECK_OK(listing_recalls(&own.feed, true, keep_recall, &recall, &err), &err);
    assert_true(id_equal(&recall.row.consent_id, &first));
}

static void a_consent_that_covers_another_version_does_not_keep_this_one(void **state)
{
    (void)state;
    struct id record = own_add_excerpt("Extradition", "16");
    own_add_peer("AU", PEER_ACCEPTED);
    struct id first = own_give(&record, "AU", 10);
    own_deliver("AU", kinds, sizeof(kinds));
    struct excerpt excerpt;
    uint32_t version = 0;
    own_fill_excerpt(&excerpt, "Extradition, amended", "16");
    CHECK_OK(records_change_excerpt(&own.feed, ANNE, &record, &excerpt, &version, &err), &err);
    excerpt_fini(&excerpt);
    struct id second = own_give(&record, "AU", 20);
    own_deliver("AU", kinds, sizeof(kinds));
    struct consents_ended ended = revoke(&first);
    assert_int_equal(ended.recalled, 1);
    struct outbox_row row;
    struct buf body = BUF_INIT;
    CHECK_OK(outbox_rows_next(own.store, own_peer("AU").peer_id, OUTBOX_START, &row, &body, &err),
             &err);
    assert_int_equal(row.kind, KIND_WITHDRAWN);
    assert_int_equal(row.record_version, 1); /* not the version that stays */
    buf_fini(&body);
    assert_int_equal(own_state(&second), CONSENT_ACTIVE);
}

static void a_blocked_peer_is_still_recalled_and_a_hold_recalls_nothing_more(void **state)
{
    (void)state;
    struct id record = own_add_excerpt("Extradition", "16");
    own_add_peer("AU", PEER_ACCEPTED);
    struct id first = own_give(&record, "AU", 10);
    struct id second = own_give(&record, "AU", 10);
    own_deliver("AU", kinds, sizeof(kinds));
    change_hold(&record);
    struct consents_ended ended = revoke(&first);
    assert_int_equal(ended.kept, 1);
    assert_int_equal(ended.recalled, 0);
    change_block(&record);
    ended = revoke(&second);
    assert_int_equal(ended.recalled, 1);
}

static void a_draft_that_is_discarded_recalls_nothing(void **state)
{
    (void)state;
    struct id record = own_add_excerpt("Extradition", "16");
    own_add_peer("AU", PEER_ACCEPTED);
    own_give(&record, "AU", 10);
    own_deliver("AU", kinds, sizeof(kinds));
    struct id draft = own_draft(&record, "AU", 10);
    struct consents_ended ended = revoke(&draft);
    assert_int_equal(ended.recalled + ended.kept + ended.never_left, 0);
    assert_int_equal(own_waiting("AU"), 0);
}

/* -- expiry ------------------------------------------------------------------------------------ */

static size_t expire(int64_t *ret_next_ms)
{
    size_t count = 0;
    CHECK_OK(consents_expire(&own.feed, 100, &count, ret_next_ms, &err), &err);
    return count;
}

static void a_consent_ends_at_its_last_moment_and_not_before(void **state)
{
    (void)state;
    struct id record = own_add_excerpt("Extradition", "16");
    own_add_peer("AU", PEER_ACCEPTED);
    struct id consent = own_give(&record, "AU", 10);
    struct consent_row row;
    int64_t next_ms = 0;
    CHECK_OK(consent_rows_get(own.store, &consent, &row, &err), &err);
    own_deliver("AU", kinds, sizeof(kinds));
    clock_fake_advance(&own.place.clock, row.valid_until_ms - own_now() - 1);
    assert_int_equal(expire(&next_ms), 0);
    assert_int_equal(next_ms, row.valid_until_ms);
    assert_int_equal(own_state(&consent), CONSENT_ACTIVE);
    clock_fake_advance(&own.place.clock, 1);
    assert_int_equal(expire(&next_ms), 1);
    assert_int_equal(next_ms, INT64_MAX);
    assert_int_equal(own_state(&consent), CONSENT_EXPIRED);
    own_deliver("AU", kinds, sizeof(kinds));
    assert_string_equal(kinds, "32 5");
}

static void keep_until_ends_a_consent_before_its_validity(void **state)
{
    (void)state;
    struct id record = own_add_excerpt("Extradition", "16");
    own_add_peer("AU", PEER_ACCEPTED);
    struct code code = { "AU" };
    struct consents_request request = { .terms = own_terms(),
                                        .record_ids = &record,
                                        .record_id_count = 1,
                                        .recipients = &code,
                                        .recipient_count = 1 };
    struct id consent;
    int64_t next_ms = 0;
    request.terms.keep_until_ms = own_now() + DAY_MS;
    CHECK_OK(consents_draft(&own.feed, ANNE, &request, &consent, NULL, &err), &err);
    assert_int_equal(expire(&next_ms), 0);
    assert_int_equal(next_ms, request.terms.keep_until_ms);
    clock_fake_advance(&own.place.clock, DAY_MS);
    assert_int_equal(expire(&next_ms), 1);
    assert_int_equal(own_state(&consent), CONSENT_EXPIRED);
}

static void only_so_many_consents_end_in_one_call(void **state)
{
    (void)state;
    struct id record = own_add_excerpt("Extradition", "16");
    own_add_peer("AU", PEER_ACCEPTED);
    int64_t next_ms = 0;
    size_t count = 0;
    for (int i = 0; i < 5; i++)
        own_draft(&record, "AU", 1);
    clock_fake_advance(&own.place.clock, 2 * DAY_MS);
    CHECK_OK(consents_expire(&own.feed, 3, &count, &next_ms, &err), &err);
    assert_int_equal(count, 3);
    assert_true(next_ms <= own_now());
    assert_int_equal(expire(&next_ms), 2);
}

/* -- reading ----------------------------------------------------------------------------------- */

static enum status check_view(void *context, const struct consents_view *view, struct error *e)
{
    (void)e;
    assert_int_equal(view->record_count, 1);
    assert_int_equal(view->recipient_count, 1);
    assert_string_equal(view->recipients[0].code.text, "AU");
    assert_string_equal(view->terms.reference, "NV 1/2025");
    ++*(int *)context;
    return OK;
}

static enum status check_event(void *context, const struct consent_event_row *row, struct error *e)
{
    static const struct {
        uint32_t uid;
        uint8_t from, to;
        const char *text;
    } wanted[] = {
        { ANNE, 0, CONSENT_DRAFT, "drafted: 1 record to 1 recipient" },
        { ANNE, CONSENT_DRAFT, CONSENT_PROPOSED, "proposed" },
        { BERT, CONSENT_PROPOSED, CONSENT_ACTIVE, "approved" },
        { ANNE, CONSENT_ACTIVE, CONSENT_REVOKED, "revoked: by decision of today" },
    };
    int *at = context;
    (void)e;
    assert_int_equal(row->uid, wanted[*at].uid);
    assert_int_equal(row->from_state, wanted[*at].from);
    assert_int_equal(row->to_state, wanted[*at].to);
    assert_string_equal(row->text, wanted[*at].text);
    ++*at;
    return OK;
}

static void lists_and_history_say_who_did_what(void **state)
{
    (void)state;
    struct id record = own_add_excerpt("Extradition", "16");
    own_add_peer("AU", PEER_ACCEPTED);
    struct id consent = own_give(&record, "AU", 10);
    own_draft(&record, "AU", 10);
    int all = 0, active = 0, events = 0;
    CHECK_OK(consents_list(&own.feed, 0, check_view, &all, &err), &err);
    CHECK_OK(consents_list(&own.feed, CONSENT_ACTIVE, check_view, &active, &err), &err);
    assert_int_equal(all, 2);
    assert_int_equal(active, 1);
    revoke(&consent);
    CHECK_OK(consents_history(&own.feed, &consent, check_event, &events, &err), &err);
    assert_int_equal(events, 4);
    struct consent_row row;
    char text[ID_TEXT_SIZE];
    id_format(&consent, text);
    CHECK_OK(consents_find(&own.feed, text, &row, &err), &err);
    assert_true(id_equal(&row.consent_id, &consent));
    struct id unknown = { { 1 } };
    CHECK_STATUS(consents_history(&own.feed, &unknown, check_event, &events, &err), ERR_NOT_FOUND,
                 &err);
    CHECK_STATUS(consents_show(&own.feed, &unknown, check_view, &all, &err), ERR_NOT_FOUND, &err);
}

static void the_preview_shows_records_recipients_and_what_they_hold(void **state)
{
    (void)state;
    struct id record = own_add_excerpt("Extradition of nationals", "16");
    own_add_peer("AU", PEER_ACCEPTED);
    own_give(&record, "AU", 10);
    own_deliver("AU", kinds, sizeof(kinds));
    struct id consent = own_draft(&record, "AU", 10);
    struct consents_preview preview;
    CHECK_OK(consents_preview(&own.feed, &consent, &preview, &err), &err);
    assert_int_equal(preview.preview.record_count, 1);
    assert_int_equal(preview.preview.recipient_count, 1);
    assert_true(span_equal(preview.records[0].title, SPAN_LITERAL("Extradition of nationals")));
    assert_true(span_equal(preview.records[0].kind, SPAN_LITERAL("answer")));
    assert_true(span_equal(preview.recipients[0].name, SPAN_LITERAL("A State")));
    assert_non_null(preview.recipients[0].holds);
    assert_int_equal(preview.recipients[0].holds[0], 1);
    consents_preview_fini(&preview);
    consents_preview_fini(&preview);
    consents_preview_fini(NULL);
}

static enum status count_task(void *context, const struct listing_task *task, struct error *e)
{
    (void)e;
    assert_non_null(task->what);
    assert_string_not_equal(task->command, "");
    ++*(int *)context;
    return OK;
}

static void the_inbox_leaves_out_what_its_reader_may_not_do(void **state)
{
    (void)state;
    struct id record = own_add_excerpt("Extradition", "16");
    own_add_peer("AU", PEER_ACCEPTED);
    own_add_peer("GB", PEER_ADDED);
    own_add_peer("IE", PEER_PENDING);
    struct id consent = own_draft(&record, "AU", 10);
    own_propose(&consent);
    int anne = 0, bert = 0;
    CHECK_OK(listing_inbox(&own.feed, ANNE, count_task, &anne, &err), &err);
    CHECK_OK(listing_inbox(&own.feed, BERT, count_task, &bert, &err), &err);
    assert_int_equal(anne, 1); /* the stranger */
    assert_int_equal(bert, 3); /* and what Anne proposed and added */
}

static enum status count_consent(void *context, const struct consents_view *view, struct error *e)
{
    (void)view;
    (void)e;
    ++*(int *)context;
    return OK;
}

static enum status count_recall(void *context, const struct listing_recall *recall, struct error *e)
{
    (void)recall;
    (void)e;
    ++*(int *)context;
    return OK;
}

static enum status count_given(void *context, const struct listing_given *given, struct error *e)
{
    (void)given;
    (void)e;
    ++*(int *)context;
    return OK;
}

/* Lists are read page by page: none may be lost or doubled between two pages. */
static void long_lists_are_complete(void **state)
{
    (void)state;
    enum { MANY = 70 };
    struct id ids[MANY];
    char text[MANY * 8];
    int consents = 0, recalls = 0, given = 0, records = 0, tasks = 0;
    for (int i = 0; i < MANY; i++)
        ids[i] = own_add_excerpt("Extradition", "16");
    for (int second = 'A'; second <= 'L'; second++) {
        char code[3] = { 'A', (char)second, '\0' };
        own_add_peer(code, PEER_ACCEPTED);
    }
    struct id consent = own_give(&ids[0], "AC", 10);
    struct code recipient = { "AB" };
    struct consents_request request = { .terms = own_terms(),
                                        .record_ids = ids,
                                        .record_id_count = MANY,
                                        .recipients = &recipient,
                                        .recipient_count = 1 };
    struct consents_queued queued;
    struct consents_ended ended;
    CHECK_OK(consents_draft(&own.feed, ANNE, &request, &consent, NULL, &err), &err);
    struct digest digest = own_propose(&consent);
    CHECK_OK(consents_approve(&own.feed, BERT, &consent, &digest, &queued, NULL, &err), &err);
    assert_int_equal(queued.records, MANY);
    own_deliver("AB", text, sizeof(text));
    CHECK_OK(consents_records(&own.feed, &consent, count_views, &records, &err), &err);
    assert_int_equal(records, MANY);
    CHECK_OK(consents_revoke(&own.feed, ANNE, &consent, "all", &ended, &err), &err);
    assert_int_equal(ended.recalled, MANY);
    struct listing_given_filter all = { .recipient = NULL };
    CHECK_OK(listing_given(&own.feed, &all, count_given, &given, &err), &err);
    assert_int_equal(given, MANY);
    CHECK_OK(listing_recalls(&own.feed, true, count_recall, &recalls, &err), &err);
    assert_int_equal(recalls, MANY);
    for (int i = 0; i < MANY - 2; i++) {
        struct id more = own_draft(&ids[0], "AB", 10);
        own_propose(&more);
    }
    CHECK_OK(consents_list(&own.feed, 0, count_consent, &consents, &err), &err);
    assert_int_equal(consents, MANY);
    clock_fake_advance(&own.place.clock, 8 * DAY_MS);
    CHECK_OK(listing_inbox(&own.feed, BERT, count_task, &tasks, &err), &err);
    assert_int_equal(tasks, MANY - 2 + MANY); /* proposals, and recalls that are overdue */
    size_t expired = 0;
    int64_t next_ms = 0;
    clock_fake_advance(&own.place.clock, 8 * DAY_MS);
    CHECK_OK(consents_expire(&own.feed, 1000, &expired, &next_ms, &err), &err);
    assert_int_equal(expired, MANY - 1);
    assert_int_equal(next_ms, INT64_MAX);
}

static enum status check_given(void *context, const struct listing_given *given, struct error *e)
{
    (void)e;
    assert_string_equal(given->recipient.text, "AU");
    assert_string_equal(given->title, "Extradition");
    assert_string_equal(given->state, *(const char **)context);
    *(const char **)context = "seen";
    return OK;
}

static void given_says_what_left_and_what_became_of_it(void **state)
{
    (void)state;
    struct id record = own_add_excerpt("Extradition", "16");
    own_add_peer("AU", PEER_ACCEPTED);
    own_add_peer("GB", PEER_ACCEPTED);
    struct id consent = own_give(&record, "AU", 10);
    struct code au = { "AU" }, gb = { "GB" };
    struct listing_given_filter filter = { .recipient = &au };
    const char *wanted = "nothing yet";
    CHECK_OK(listing_given(&own.feed, &filter, check_given, &wanted, &err), &err);
    assert_string_equal(wanted, "nothing yet");
    own_deliver("AU", kinds, sizeof(kinds));
    wanted = "sent";
    CHECK_OK(listing_given(&own.feed, &filter, check_given, &wanted, &err), &err);
    assert_string_equal(wanted, "seen");
    filter.recipient = &gb;
    wanted = "nothing";
    CHECK_OK(listing_given(&own.feed, &filter, check_given, &wanted, &err), &err);
    assert_string_equal(wanted, "nothing");
    revoke(&consent);
    filter.recipient = NULL;
    wanted = "withdrawn";
    CHECK_OK(listing_given(&own.feed, &filter, check_given, &wanted, &err), &err);
    assert_string_equal(wanted, "seen");
    struct code nobody = { "ZZ" };
    filter.recipient = &nobody;
    CHECK_STATUS(listing_given(&own.feed, &filter, check_given, &wanted, &err), ERR_NOT_FOUND,
                 &err);
}

#define T(name) cmocka_unit_test_setup_teardown(name, own_set_up, own_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_is_revoked_before_it_was_sent_never_leaves),
        T(what_has_left_is_withdrawn_and_recalled),
        T(a_record_stays_where_another_consent_in_force_covers_it),
        T(a_consent_that_covers_another_version_does_not_keep_this_one),
        T(a_blocked_peer_is_still_recalled_and_a_hold_recalls_nothing_more),
        T(a_draft_that_is_discarded_recalls_nothing),
        T(a_consent_ends_at_its_last_moment_and_not_before),
        T(keep_until_ends_a_consent_before_its_validity),
        T(only_so_many_consents_end_in_one_call),
        T(lists_and_history_say_who_did_what),
        T(the_preview_shows_records_recipients_and_what_they_hold),
        T(the_inbox_leaves_out_what_its_reader_may_not_do),
        T(long_lists_are_complete),
        T(given_says_what_left_and_what_became_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
