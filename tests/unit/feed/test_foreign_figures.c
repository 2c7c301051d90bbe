/* A publisher that gives figures about a State that is not its own, and an excerpt that breaks a
 * rule: refused by the subscriber, in words that both ends see, and nothing else is held up. */
#include "two_nodes.h"

#include "feed/listing.h"

static const char FIGURES[] =
    "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,REF_AREA,COUNTERPART_AREA,DIRECTION,COOP_TYPE,"
    "ASSIST_TYPE,LEGAL_BASIS,OFFENCE,INDICATOR,REASON,PROCEDURE,COHORT,UNIT_MEASURE,"
    "TIME_PERIOD,OBS_VALUE,OBS_STATUS,COVERAGE\n"
    "dataflow,COMITY:DF_INTCOOP(1.0.0),I,A,%s,_T,IN,EXTR,_Z,_T,_T,NEW,_Z,_T,FLOW,REQ,2019,93,A,\n";

/* KE takes figures of `area` into its records, if need be as a node that does not check. */
static enum status add_figures(const char *area, const char *self, struct id *ret_id)
{
    char csv[600];
    struct sdmx_release_list list = { NULL, 0, 0 };
    struct sdmx_import_options options = { .source = "Registry" };
    struct records_imported imported;
    struct problems problems;
    struct code honest = ke.feed.self;
    problems_init(&problems, "figures.csv");
    (void)snprintf(csv, sizeof(csv), FIGURES, area);
    CHECK_OK(sdmx_import(span_text(csv), &options, &problems, &list, &err), &err);
    problems_fini(&problems);
    if (self != NULL)
        CHECK_OK(code_parse(self, &ke.feed.self, &err), &err);
    tx_begin(&ke);
    enum status status = records_import_releases(&ke.feed, ANNE, &list, &imported, &err);
    (void)tx_end(&ke, status);
    ke.feed.self = honest;
    sdmx_release_list_fini(&list);
    if (status == OK)
        *ret_id = imported.record_id;
    pass_time(1);
    return status;
}

static struct listing_given given;
static struct listing_received received[3];
static size_t received_count;

static enum status see_given(void *context, const struct listing_given *it, struct error *e)
{
    const struct id *record = context;
    (void)e;
    if (id_equal(&it->row.record_id, record))
        given = *it;
    return OK;
}

static enum status see_received(void *context, const struct listing_received *it, struct error *e)
{
    (void)context;
    (void)e;
    assert_true(received_count < COUNT(received));
    received[received_count++] = *it;
    return OK;
}

static void look_at_both_ends(struct id *record)
{
    struct listing_given_filter all_given = { .recipient = &un.code };
    struct listing_received_filter all_received = { .publisher = &ke.code };
    memset(&given, 0, sizeof(given));
    received_count = 0;
    CHECK_OK(listing_given(&ke.feed, &all_given, see_given, record, &err), &err);
    CHECK_OK(listing_received(&un.feed, &all_received, see_received, NULL, &err), &err);
}

static void a_node_does_not_take_figures_of_another_state_into_its_own_records(void **state)
{
    (void)state;
    struct id record;
    CHECK_STATUS(add_figures("GB", NULL, &record), ERR_DENIED, &err);
    CHECK_CONTAINS(err.text, "an area is neither KE nor one of its territories");
}

static void figures_of_another_state_are_refused_and_the_feed_goes_on(void **state)
{
    (void)state;
    struct id records[2];
    CHECK_OK(add_figures("GB", "GB", &records[0]), &err);
    records[1] = add_excerpt(&ke, "An honest one");
    (void)give(&ke, &un, records, 2, 10);
    connect_nodes();
    look_at_both_ends(&records[0]);
    assert_int_equal(received_count, 2);
    assert_string_equal(received[0].state, "refused");
    CHECK_CONTAINS(received[0].why, "REF_AREA: an area is neither KE nor one of its territories");
    assert_false(received[0].has_text);
    assert_string_equal(received[1].state, "held");
    assert_string_equal(received[1].view.title, "An honest one");
    assert_string_equal(given.state, "refused");
    CHECK_CONTAINS(given.why, "REF_AREA: an area is neither KE nor one of its territories");
    assert_true(has_alarm(&ke, "refused"));
    struct feed_row feed = feed_between(&un, &ke, FEED_IN);
    assert_int_equal(feed.receipt_size, feed.size);
    look_at_both_ends(&records[1]);
    assert_string_equal(given.state, "receipted");
    assert_string_equal(given.why, "");
}

static void what_was_refused_can_still_be_withdrawn_and_is_erased(void **state)
{
    (void)state;
    struct id record;
    CHECK_OK(add_figures("GB", "GB", &record), &err);
    struct id consent = give(&ke, &un, &record, 1, 10);
    connect_nodes();
    revoke(&ke, &consent);
    connect_nodes();
    look_at_both_ends(&record);
    assert_string_equal(given.state, "erased");
    assert_string_equal(received[0].state, "erased");
}

static void figures_of_ones_own_and_of_ones_territory_are_held(void **state)
{
    (void)state;
    struct id record;
    CHECK_OK(add_figures("KE", NULL, &record), &err);
    (void)give(&ke, &un, &record, 1, 10);
    connect_nodes();
    look_at_both_ends(&record);
    assert_string_equal(received[0].state, "held");
    assert_string_equal(received[0].why, "");
    assert_string_equal(given.state, "receipted");
}

int main(void)
{
#define TWO(test) cmocka_unit_test_setup_teardown(test, two_set_up, two_tear_down)
    const struct CMUnitTest tests[] = {
        TWO(a_node_does_not_take_figures_of_another_state_into_its_own_records),
        TWO(figures_of_another_state_are_refused_and_the_feed_goes_on),
        TWO(what_was_refused_can_still_be_withdrawn_and_is_erased),
        TWO(figures_of_ones_own_and_of_ones_territory_are_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
