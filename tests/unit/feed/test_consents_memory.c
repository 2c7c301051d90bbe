/* Every allocation, statement and call of OpenSSL of the administrative side fails once: an error,
 * no leak, nothing half done. */
#include "own_node.h"
#include "sqlite_memory.h"
#include "support/call_fault.h"

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

static enum status see_consent(void *context, const struct consents_view *view, struct error *e)
{
    (void)context;
    (void)view;
    (void)e;
    return OK;
}

static enum status see_event(void *context, const struct consent_event_row *row, struct error *e)
{
    (void)context;
    (void)row;
    (void)e;
    return OK;
}

static enum status see_record(void *context, const struct records_view *view, struct error *e)
{
    (void)context;
    (void)view;
    (void)e;
    return OK;
}

static enum status see_recall(void *context, const struct listing_recall *recall, struct error *e)
{
    (void)context;
    (void)recall;
    (void)e;
    return OK;
}

static struct id given; /* a consent under which the record has left */

static enum status reading(void)
{
    struct records_selector all;
    records_selector_init(&all);
    enum status status = consents_list(&own.feed, 0, see_consent, NULL, &err);
    if (status == OK)
        status = consents_history(&own.feed, &given, see_event, NULL, &err);
    if (status == OK)
        status = consents_records(&own.feed, &given, see_record, NULL, &err);
    if (status == OK)
        status = records_list(&own.feed, &all, see_record, NULL, &err);
    return status;
}

static enum status ending(void)
{
    struct consents_ended ended;
    enum status status = consents_revoke(&own.feed, ANNE, &given, "at once", &ended, &err);
    return status == OK ? listing_recalls(&own.feed, true, see_recall, NULL, &err) : status;
}

static enum status expiring(void)
{
    size_t count = 0;
    int64_t next_ms = 0;
    return consents_expire(&own.feed, 10, &count, &next_ms, &err);
}

static struct sdmx_release_list figures;

static enum status importing(void)
{
    struct records_imported imported;
    struct buf csv = BUF_INIT;
    enum status status = records_import_releases(&own.feed, ANNE, &figures, &imported, &err);
    if (status == OK) /* again: finds it unchanged */
        status = records_import_releases(&own.feed, ANNE, &figures, &imported, &err);
    if (status == OK)
        status = records_export(&own.feed, &imported.record_id, 0, &csv, &err);
    buf_fini(&csv);
    return status;
}

enum fault { FAULT_MEMORY, FAULT_SQLITE_MEMORY, FAULT_STATEMENT, FAULT_CRYPTO, FAULT_COUNT };

/* nth 0: none; whether what was armed before was reached. */
static bool arm(uint64_t nth, enum fault fault)
{
    bool hit = fault == FAULT_SQLITE_MEMORY ? sqlite_memory_hit
               : fault == FAULT_MEMORY      ? mem_fail_hit()
                                            : call_fault_hit();
    if (fault == FAULT_SQLITE_MEMORY)
        sqlite_memory_fail_at(nth);
    else if (fault == FAULT_MEMORY)
        mem_fail_at(nth, false);
    else
        call_fault_at(fault == FAULT_STATEMENT ? CALL_FAULT_SQL : CALL_FAULT_CRYPTO, nth, 0);
    return hit;
}

/* A failure inside SQLite may undo its transaction: what matters is that it is reported. */
static void sweep_one(enum status (*work)(void), enum fault fault)
{
    bool done = false;
    for (uint64_t nth = 0; !done; nth++) { /* 0: warm, so that caches are there */
        CHECK_OK(store_begin(own.store, &err), &err);
        int64_t live = mem_live();
        (void)arm(nth, fault);
        enum status got = work();
        done = !arm(0, fault) && nth > 0;
        if (done || nth == 0)
            assert_int_equal(got, OK);
        else if (fault >= FAULT_STATEMENT)
            assert_int_not_equal(got, OK); /* none is hidden */
        else
            assert_true(got == OK || got == ERR_MEMORY);
        store_rollback(own.store);
        if (nth > 0)
            assert_true(mem_live() <= live + 8); /* pages of the key tree that stay cached */
        assert_true(nth < 20000);
    }
}

static void sweep(enum status (*work)(void))
{
    CHECK_OK(store_commit(own.store, &err), &err);
    for (int fault = 0; fault < FAULT_COUNT; fault++)
        sweep_one(work, (enum fault)fault);
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

static void ending_and_reading_survive_every_failed_allocation(void **state)
{
    (void)state;
    char kinds[64];
    given = own_give(&record, "AU", 10);
    own_deliver("AU", kinds, sizeof(kinds));
    sweep(reading);
    sweep(ending);
    struct id other = own_give(&record, "AU", 5); /* covers the same record */
    own_deliver("AU", kinds, sizeof(kinds));
    sweep(ending);
    clock_fake_advance(&own.place.clock, 6 * DAY_MS);
    sweep(expiring);
    assert_int_equal(own_state(&other), CONSENT_ACTIVE); /* all of it was undone */
}

static void importing_figures_survives_every_failed_allocation(void **state)
{
    (void)state;
    static const char csv[] =
        "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,REF_AREA,COUNTERPART_AREA,DIRECTION,COOP_TYPE,"
        "ASSIST_TYPE,LEGAL_BASIS,OFFENCE,INDICATOR,REASON,PROCEDURE,COHORT,UNIT_MEASURE,"
        "TIME_PERIOD,OBS_VALUE,OBS_STATUS\n"
        "dataflow,COMITY:DF_INTCOOP(1.0.0),I,A,KE,_T,IN,EXTR,_Z,_T,_T,NEW,_Z,_T,FLOW,REQ,2019,93,"
        "A\n";
    struct problems problems;
    struct sdmx_import_options options = { .source = "Registry" };
    problems_init(&problems, NULL);
    CHECK_OK(sdmx_import(SPAN_LITERAL(csv), &options, &problems, &figures, &err), &err);
    sweep(importing);
    problems_fini(&problems);
    sdmx_release_list_fini(&figures);
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
    sqlite_memory_install();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_life_of_a_consent_survives_every_failed_allocation,
                                        set_up, own_tear_down),
        cmocka_unit_test_setup_teardown(ending_and_reading_survive_every_failed_allocation, set_up,
                                        own_tear_down),
        cmocka_unit_test_setup_teardown(importing_figures_survives_every_failed_allocation, set_up,
                                        own_tear_down),
        cmocka_unit_test_setup_teardown(records_and_listings_survive_every_failed_allocation,
                                        set_up, own_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
