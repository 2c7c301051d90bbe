/* Every allocation of the administrative side fails once: an error, no leak, nothing half done. */
#include "own_node.h"

static struct id record;
static struct excerpt excerpts[2];

/* Draft to revocation; stops at the first failure. */
static enum status whole_life(void)
{
    struct code code = { "AU" };
    struct records_selector selector;
    struct consents_request request = { .terms = own_terms(),
                                        .record_ids = &record,
                                        .record_id_count = 1,
                                        .selectors = &selector,
                                        .selector_count = 1,
                                        .recipients = &code,
                                        .recipient_count = 1 };
    struct buf lines = BUF_INIT;
    struct id consent;
    struct digest digest;
    struct consents_queued queued;
    struct consents_ended ended;
    records_selector_init(&selector);
    enum status status = consents_draft(&own.feed, ANNE, &request, &consent, &lines, &err);
    if (status == OK)
        status = consents_propose(&own.feed, ANNE, &consent, &digest, &err);
    if (status == OK)
        status = consents_approve(&own.feed, BERT, &consent, &digest, &queued, &lines, &err);
    if (status == OK)
        status = consents_revoke(&own.feed, ANNE, &consent, "at once", &ended, &err);
    buf_fini(&lines);
    return status;
}

static enum status refused_draft(void)
{
    struct consents_request request = { .record_ids = &record, .record_id_count = 1 };
    struct buf lines = BUF_INIT;
    struct id consent;
    terms_init(&request.terms, own_now());
    enum status status = consents_draft(&own.feed, ANNE, &request, &consent, &lines, &err);
    buf_fini(&lines);
    return status == ERR_INVALID ? OK : status;
}

static enum status records_life(void)
{
    struct id id;
    struct records_retired still;
    uint32_t version = 0;
    enum status status = records_add_excerpt(&own.feed, ANNE, &excerpts[0], &id, &err);
    if (status == OK)
        status = records_change_excerpt(&own.feed, ANNE, &id, &excerpts[1], &version, &err);
    if (status == OK)
        status = records_retire(&own.feed, ANNE, &id, &still, &err);
    return status;
}

static enum status see_given(void *context, const struct listing_given *given, struct error *e)
{
    (void)context;
    (void)given;
    (void)e;
    return OK;
}

static enum status see_task(void *context, const struct listing_task *task, struct error *e)
{
    (void)context;
    (void)task;
    (void)e;
    return OK;
}

static enum status listings(void)
{
    struct listing_given_filter filter = { .recipient = NULL };
    enum status status = listing_given(&own.feed, &filter, see_given, NULL, &err);
    return status == OK ? listing_inbox(&own.feed, BERT, see_task, NULL, &err) : status;
}

static void sweep(enum status (*work)(void))
{
    CHECK_OK(store_commit(own.store, &err), &err);
    bool done = false;
    for (uint64_t nth = 0; !done; nth++) { /* 0: warm, so that caches are there */
        CHECK_OK(store_begin(own.store, &err), &err);
        int64_t live = mem_live();
        mem_fail_at(nth, false);
        enum status got = work();
        done = nth > 0 && !mem_fail_hit();
        mem_fail_at(0, false);
        if (done || nth == 0)
            assert_int_equal(got, OK);
        else
            assert_true(got == OK || got == ERR_MEMORY);
        store_rollback(own.store);
        if (nth > 0)
            assert_true(mem_live() <= live + 8); /* pages of the key tree that stay cached */
        assert_true(nth < 5000);
    }
    CHECK_OK(store_begin(own.store, &err), &err);
}

static void the_life_of_a_consent_survives_every_failed_allocation(void **state)
{
    (void)state;
    sweep(whole_life);
    sweep(refused_draft);
    assert_int_equal(own_waiting("AU"), 0);
}

static void records_and_listings_survive_every_failed_allocation(void **state)
{
    (void)state;
    char kinds[64];
    own_give(&record, "AU", 10);
    own_deliver("AU", kinds, sizeof(kinds));
    sweep(listings);
    own_fill_excerpt(&excerpts[0], "Another", "18");
    own_fill_excerpt(&excerpts[1], "Changed", "18");
    sweep(records_life);
    excerpt_fini(&excerpts[0]);
    excerpt_fini(&excerpts[1]);
}

static int set_up(void **state)
{
    int got = own_set_up(state);
    record = own_add_excerpt("Extradition", "16");
    own_add_peer("AU", PEER_ACCEPTED);
    return got;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_life_of_a_consent_survives_every_failed_allocation,
                                        set_up, own_tear_down),
        cmocka_unit_test_setup_teardown(records_and_listings_survive_every_failed_allocation,
                                        set_up, own_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
