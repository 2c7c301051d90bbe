/* The node's own records over a real database; refusals first. */
#include "own_node.h"

#define HEAD                                                                            \
    "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,REF_AREA,COUNTERPART_AREA,DIRECTION,COOP_TYPE," \
    "ASSIST_TYPE,LEGAL_BASIS,OFFENCE,INDICATOR,REASON,PROCEDURE,COHORT,UNIT_MEASURE,"   \
    "TIME_PERIOD,OBS_VALUE,OBS_STATUS,COVERAGE\n"
#define ROW(indicator, period, value)                                         \
    "dataflow,COMITY:DF_INTCOOP(1.0.0),I,A,KE,_T,IN,EXTR,_Z,_T,_T," indicator \
    ",_Z,_T,FLOW,REQ," period "," value ",A,\n"

static struct sdmx_release_list import(const char *csv, const char *source)
{
    struct sdmx_release_list list = { NULL, 0, 0 };
    struct problems problems;
    struct code self = { "KE" };
    struct sdmx_import_options options = { .publisher = &self, .source = source };
    problems_init(&problems, "figures.csv");
    enum status status = sdmx_import(span_text(csv), &options, &problems, &list, &err);
    if (status != OK && problems.count > 0)
        print_error("%s: %s\n", problems.items[0].field, problems.items[0].rule);
    problems_fini(&problems);
    check_status(status, OK, &err, "sdmx_import", __FILE__, __LINE__);
    return list;
}

static struct records_imported import_one(const char *csv, const char *source)
{
    struct sdmx_release_list list = import(csv, source);
    struct records_imported imported;
    assert_int_equal(list.count, 1);
    CHECK_OK(records_import_releases(&own.feed, ANNE, &list, &imported, &err), &err);
    sdmx_release_list_fini(&list);
    clock_fake_advance(&own.place.clock, 1);
    return imported;
}

struct seen {
    size_t count;
    char titles[200];
    char kind[RECORDS_KIND_MAX + 1];
    uint32_t version;
};

static enum status see(void *context, const struct records_view *view, struct error *e)
{
    struct seen *seen = context;
    size_t used = strlen(seen->titles);
    (void)e;
    seen->count++;
    seen->version = view->version;
    memcpy(seen->kind, view->kind, sizeof(seen->kind));
    (void)snprintf(seen->titles + used, sizeof(seen->titles) - used, "%s|", view->title);
    return OK;
}

static enum status stop_there(void *context, const struct records_view *view, struct error *e)
{
    (void)context;
    (void)view;
    return error_set(e, ERR_BUSY, "enough");
}

/* -- refusals ---------------------------------------------------------------------------------- */

static void an_excerpt_that_does_not_pass_its_check_is_not_stored(void **state)
{
    (void)state;
    struct excerpt excerpt;
    struct id id;
    struct seen seen = { 0 };
    struct records_selector all;
    excerpt_init(&excerpt);
    CHECK_STATUS(records_add_excerpt(&own.feed, ANNE, &excerpt, &id, &err), ERR_INVALID, &err);
    excerpt_fini(&excerpt);
    records_selector_init(&all);
    CHECK_OK(records_list(&own.feed, &all, see, &seen, &err), &err);
    assert_int_equal(seen.count, 0);
}

static void an_import_with_one_bad_excerpt_stores_none(void **state)
{
    (void)state;
    struct excerpt items[2];
    struct id ids[2];
    struct seen seen = { 0 };
    struct records_selector all;
    own_fill_excerpt(&items[0], "Good", "16");
    excerpt_init(&items[1]);
    struct excerpt_list list = { items, 2, 2 };
    CHECK_STATUS(records_import_excerpts(&own.feed, ANNE, &list, ids, &err), ERR_INVALID, &err);
    CHECK_CONTAINS(err.text, "excerpt 2 of 2");
    records_selector_init(&all);
    CHECK_OK(records_list(&own.feed, &all, see, &seen, &err), &err);
    assert_int_equal(seen.count, 0);
    excerpt_fini(&items[1]);
    own_fill_excerpt(&items[1], "Better", "18");
    CHECK_OK(records_import_excerpts(&own.feed, ANNE, &list, ids, &err), &err);
    CHECK_OK(records_list(&own.feed, &all, see, &seen, &err), &err);
    assert_int_equal(seen.count, 2);
    excerpt_fini(&items[0]);
    excerpt_fini(&items[1]);
}

static void selections_refuse_words_that_they_do_not_know(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value;
        enum status status;
        const char *says;
    } cases[] = {
        { "colour", "blue", ERR_NOT_FOUND, "'colour' is not a way" },
        { "kind", "opinion", ERR_INVALID, "kind: 'opinion' is neither" },
        { "kind", "", ERR_INVALID, "kind: is empty" },
        { "instrument", "UNCAC", ERR_INVALID, "'UNCAC' is not one of UNTOC" },
        { "article", "sixteen", ERR_INVALID, "is not a number" },
        { "article", "0", ERR_INVALID, "is not a number" },
        { "article", "1234", ERR_INVALID, "is not a number" },
        { "article", "UNTOC:", ERR_INVALID, "is not a number" },
        { "article", "UNTOC:99", ERR_INVALID, "UNTOC has 41 articles" },
        { "article", "XYZ:1", ERR_INVALID, "'XYZ' is not one of" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct records_selector selector, before;
        records_selector_init(&selector);
        before = selector;
        CHECK_STATUS(records_selector_set(&selector, cases[i].name, cases[i].value, &err),
                     cases[i].status, &err);
        CHECK_CONTAINS(err.text, cases[i].says);
        assert_memory_equal(&selector, &before, sizeof(selector));
    }
    struct records_selector selector;
    char long_word[RECORDS_WORD_MAX + 2];
    memset(long_word, 'x', sizeof(long_word) - 1);
    long_word[sizeof(long_word) - 1] = '\0';
    records_selector_init(&selector);
    CHECK_STATUS(records_selector_set(&selector, "dataset", long_word, &err), ERR_LIMIT, &err);
}

static void a_new_version_that_is_the_same_or_of_a_retired_record_is_refused(void **state)
{
    (void)state;
    struct id id = own_add_excerpt("Extradition", "16");
    struct excerpt excerpt;
    uint32_t version = 0;
    struct records_retired still;
    own_fill_excerpt(&excerpt, "Extradition", "16");
    CHECK_STATUS(records_change_excerpt(&own.feed, ANNE, &id, &excerpt, &version, &err), ERR_EXISTS,
                 &err);
    CHECK_CONTAINS(err.text, "the same as version 1, word for word");
    CHECK_OK(records_retire(&own.feed, ANNE, &id, &still, &err), &err);
    CHECK_STATUS(records_change_excerpt(&own.feed, ANNE, &id, &excerpt, &version, &err),
                 ERR_WRONG_STATE, &err);
    CHECK_STATUS(records_retire(&own.feed, ANNE, &id, &still, &err), ERR_WRONG_STATE, &err);
    struct id unknown = { { 1 } };
    CHECK_STATUS(records_change_excerpt(&own.feed, ANNE, &unknown, &excerpt, &version, &err),
                 ERR_NOT_FOUND, &err);
    CHECK_STATUS(records_retire(&own.feed, ANNE, &unknown, &still, &err), ERR_NOT_FOUND, &err);
    assert_int_equal(version, 0);
    excerpt_fini(&excerpt);
}

static void a_version_that_does_not_exist_is_not_shown(void **state)
{
    (void)state;
    struct id id = own_add_excerpt("Extradition", "16");
    struct id unknown = { { 1 } };
    struct seen seen = { 0 };
    struct buf csv = BUF_INIT;
    struct record_row row;
    CHECK_STATUS(records_show(&own.feed, &id, 2, see, &seen, &err), ERR_NOT_FOUND, &err);
    CHECK_CONTAINS(err.text, "has 1 version, no version 2");
    CHECK_STATUS(records_show(&own.feed, &unknown, 0, see, &seen, &err), ERR_NOT_FOUND, &err);
    CHECK_STATUS(records_show(&own.feed, &id, 0, stop_there, NULL, &err), ERR_BUSY, &err);
    CHECK_STATUS(records_export(&own.feed, &id, 0, &csv, &err), ERR_INVALID, &err);
    CHECK_CONTAINS(err.text, "it is an excerpt, not a release");
    CHECK_STATUS(records_find(&own.feed, "0123456789", &row, &err), ERR_NOT_FOUND, &err);
    assert_int_equal(csv.size, 0);
    struct records_view view;
    CHECK_STATUS(records_describe(9, SPAN_LITERAL("x"), &view, &err), ERR_UNSUPPORTED, &err);
    CHECK_STATUS(records_describe(RECORD_EXCERPT, SPAN_LITERAL("x"), &view, &err), ERR_UNSUPPORTED,
                 &err);
}

/* -- what works -------------------------------------------------------------------------------- */

static void no_plain_text_of_a_record_is_in_any_file_of_the_node(void **state)
{
    (void)state;
    struct span title = SPAN_LITERAL("Nobody may read this title");
    struct id id = own_add_excerpt("Nobody may read this title", "16");
    own_add_peer("AU", PEER_ACCEPTED);
    struct id consent = own_draft(&id, "AU", 10);
    own_propose(&consent);
    import_one(HEAD ROW("NEW", "2019", "93"), "Very secret registry");
    CHECK_OK(store_commit(own.store, &err), &err);
    assert_int_equal(store_place_count(&own.place, title), 0);
    assert_int_equal(store_place_count(&own.place, SPAN_LITERAL("Nationals are extradited")), 0);
    assert_int_equal(store_place_count(&own.place, SPAN_LITERAL("Very secret registry")), 0);
    assert_true(store_place_count(&own.place, SPAN_LITERAL("Attorney-General")) > 0); /* terms */
    CHECK_OK(store_begin(own.store, &err), &err);
}

static void records_are_listed_by_what_is_asked_for(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value, *titles;
    } cases[] = {
        { "kind", "excerpt", "One|Two|" },
        { "kind", "release", "International cooperation" },
        { "kind", "answer", "One|Two|" },
        { "kind", "challenge", "" },
        { "instrument", "UNTOC", "One|Two|" },
        { "instrument", "FA", "" },
        { "article", "18", "Two|" },
        { "article", "UNTOC:16", "One|" },
        { "dataset", "DF_INTCOOP", "nternational cooperation" },
        { "dataset", "COMITY:DF_INTCOOP(1.0.0)", "nternational cooperation" },
        { "dataset", "DF_OTHER", "" },
        { "period", "2019", "2019" },
        { "period", "2020", "" },
        { "source", "Registry", "Registry" },
        { "source", "Police", "" },
    };
    own_add_excerpt("One", "16");
    own_add_excerpt("Two", "18");
    import_one(HEAD ROW("NEW", "2019", "93"), "Registry");
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct records_selector selector;
        struct seen seen = { 0 };
        records_selector_init(&selector);
        CHECK_OK(records_selector_set(&selector, cases[i].name, cases[i].value, &err), &err);
        CHECK_OK(records_list(&own.feed, &selector, see, &seen, &err), &err);
        if (cases[i].titles[0] == '\0')
            assert_string_equal(seen.titles, "");
        else
            CHECK_CONTAINS(seen.titles, cases[i].titles);
    }
}

static void a_retired_record_is_listed_only_where_it_is_asked_for_and_says_what_holds(void **state)
{
    (void)state;
    char kinds[64];
    struct id id = own_add_excerpt("One", "16");
    struct records_selector selector;
    struct records_retired still;
    struct seen seen = { 0 };
    own_add_peer("AU", PEER_ACCEPTED);
    own_give(&id, "AU", 10);
    own_deliver("AU", kinds, sizeof(kinds));
    own_draft(&id, "AU", 10); /* a draft does not hold anything */
    CHECK_OK(records_retire(&own.feed, ANNE, &id, &still, &err), &err);
    assert_int_equal(still.consents_in_force, 1);
    assert_int_equal(still.given, 1);
    assert_int_equal(own_waiting("AU"), 0); /* nothing is withdrawn */
    records_selector_init(&selector);
    CHECK_OK(records_list(&own.feed, &selector, see, &seen, &err), &err);
    assert_int_equal(seen.count, 0);
    selector.with_retired = true;
    CHECK_OK(records_list(&own.feed, &selector, see, &seen, &err), &err);
    assert_int_equal(seen.count, 1);
}

static void a_new_version_leaves_the_earlier_one_readable(void **state)
{
    (void)state;
    struct id id = own_add_excerpt("First wording", "16");
    struct excerpt excerpt;
    uint32_t version = 0;
    struct seen seen = { 0 };
    char text[ID_TEXT_SIZE];
    struct record_row row;
    own_fill_excerpt(&excerpt, "Second wording", "16");
    CHECK_OK(records_change_excerpt(&own.feed, BERT, &id, &excerpt, &version, &err), &err);
    excerpt_fini(&excerpt);
    assert_int_equal(version, 2);
    CHECK_OK(records_show(&own.feed, &id, 1, see, &seen, &err), &err);
    CHECK_OK(records_show(&own.feed, &id, 0, see, &seen, &err), &err);
    assert_string_equal(seen.titles, "First wording|Second wording|");
    assert_string_equal(seen.kind, "answer");
    assert_int_equal(seen.version, 2);
    id_format(&id, text);
    CHECK_OK(records_find(&own.feed, text, &row, &err), &err);
    assert_int_equal(row.version, 2);
}

static void importing_the_same_figures_again_changes_nothing(void **state)
{
    (void)state;
    struct records_imported first = import_one(HEAD ROW("NEW", "2019", "93"), "Registry");
    struct records_imported again = import_one(HEAD ROW("NEW", "2019", "93"), "Registry");
    assert_int_equal(first.outcome, RECORDS_NEW);
    assert_int_equal(first.version, 1);
    assert_int_equal(first.observations, 1);
    assert_int_equal(again.outcome, RECORDS_UNCHANGED);
    assert_int_equal(again.version, 1);
    assert_true(id_equal(&first.record_id, &again.record_id));
    assert_string_equal(records_outcome_name(again.outcome), "unchanged");
    assert_string_equal(records_outcome_name((enum records_outcome)9), "unknown");
}

static void the_next_vintage_replaces_the_whole_snapshot_and_other_sources_stay(void **state)
{
    (void)state;
    struct records_imported first =
        import_one(HEAD ROW("NEW", "2019", "93") ROW("GRANT", "2019", "40"), "Registry");
    struct records_imported police = import_one(HEAD ROW("NEW", "2019", "12"), "Police");
    struct records_imported later = import_one(HEAD ROW("NEW", "2020", "12"), "Registry");
    struct records_imported next = import_one(HEAD ROW("NEW", "2019", "91"), "Registry");
    struct buf csv = BUF_INIT;
    assert_int_equal(police.outcome, RECORDS_NEW);
    assert_int_equal(later.outcome, RECORDS_NEW);
    assert_int_equal(next.outcome, RECORDS_NEXT_VERSION);
    assert_int_equal(next.version, 2);
    assert_true(id_equal(&first.record_id, &next.record_id));
    assert_false(id_equal(&first.record_id, &police.record_id));
    CHECK_OK(records_export(&own.feed, &next.record_id, 0, &csv, &err), &err);
    CHECK_OK(buf_terminate(&csv, &err), &err);
    CHECK_CONTAINS((const char *)csv.data, ",91,");
    assert_null(strstr((const char *)csv.data, "GRANT"));
    buf_clear(&csv);
    CHECK_OK(records_export(&own.feed, &next.record_id, 1, &csv, &err), &err);
    CHECK_OK(buf_terminate(&csv, &err), &err);
    CHECK_CONTAINS((const char *)csv.data, "GRANT");
    buf_fini(&csv);
    struct excerpt excerpt;
    uint32_t version = 0;
    own_fill_excerpt(&excerpt, "No release", "16");
    CHECK_STATUS(
        records_change_excerpt(&own.feed, ANNE, &first.record_id, &excerpt, &version, &err),
        ERR_WRONG_STATE, &err);
    CHECK_CONTAINS(err.text, "next: stats import");
    excerpt_fini(&excerpt);
}

static void after_a_release_was_retired_the_same_snapshot_is_a_new_record(void **state)
{
    (void)state;
    struct records_retired still;
    struct records_imported first = import_one(HEAD ROW("NEW", "2019", "93"), "Registry");
    CHECK_OK(records_retire(&own.feed, ANNE, &first.record_id, &still, &err), &err);
    struct records_imported again = import_one(HEAD ROW("NEW", "2019", "93"), "Registry");
    assert_int_equal(again.outcome, RECORDS_NEW);
    assert_false(id_equal(&first.record_id, &again.record_id));
}

static void damaged_releases_are_refused_before_anything_is_stored(void **state)
{
    (void)state;
    struct sdmx_release_list list = import(HEAD ROW("NEW", "2019", "93"), "Registry");
    struct records_imported imported;
    struct records_selector all;
    struct seen seen = { 0 };
    list.items[0].bytes.size--;
    assert_int_not_equal(records_import_releases(&own.feed, ANNE, &list, &imported, &err), OK);
    records_selector_init(&all);
    CHECK_OK(records_list(&own.feed, &all, see, &seen, &err), &err);
    assert_int_equal(seen.count, 0);
    sdmx_release_list_fini(&list);
}

static void a_release_that_one_entry_cannot_carry_is_refused_with_what_to_do(void **state)
{
    (void)state;
    struct sdmx_release_list list = import(HEAD ROW("NEW", "2019", "93"), "Registry");
    struct records_imported imported;
    while (list.items[0].bytes.size <= HEADER_CONTENT_MAX)
        CHECK_OK(buf_append_zeros(&list.items[0].bytes, 65536, &err), &err);
    CHECK_STATUS(records_import_releases(&own.feed, ANNE, &list, &imported, &err), ERR_LIMIT, &err);
    CHECK_CONTAINS(err.text, "next: split the file");
    sdmx_release_list_fini(&list);
}

static void records_of_one_moment_are_listed_in_the_order_of_their_import(void **state)
{
    (void)state;
    enum { MANY = 40 };
    struct excerpt items[MANY];
    struct id ids[MANY];
    for (size_t i = 0; i < MANY; i++)
        own_fill_excerpt(&items[i], "One of many", "16");
    struct excerpt_list list = { items, MANY, MANY };
    CHECK_OK(records_import_excerpts(&own.feed, ANNE, &list, ids, &err), &err);
    for (size_t i = 1; i < MANY; i++)
        assert_true(memcmp(ids[i - 1].bytes, ids[i].bytes, 8) < 0);
    for (size_t i = 0; i < MANY; i++)
        excerpt_fini(&items[i]);
}

#define T(name) cmocka_unit_test_setup_teardown(name, own_set_up, own_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_excerpt_that_does_not_pass_its_check_is_not_stored),
        T(an_import_with_one_bad_excerpt_stores_none),
        T(selections_refuse_words_that_they_do_not_know),
        T(a_new_version_that_is_the_same_or_of_a_retired_record_is_refused),
        T(a_version_that_does_not_exist_is_not_shown),
        T(no_plain_text_of_a_record_is_in_any_file_of_the_node),
        T(records_are_listed_by_what_is_asked_for),
        T(a_retired_record_is_listed_only_where_it_is_asked_for_and_says_what_holds),
        T(a_new_version_leaves_the_earlier_one_readable),
        T(importing_the_same_figures_again_changes_nothing),
        T(the_next_vintage_replaces_the_whole_snapshot_and_other_sources_stay),
        T(after_a_release_was_retired_the_same_snapshot_is_a_new_record),
        T(a_release_that_one_entry_cannot_carry_is_refused_with_what_to_do),
        T(records_of_one_moment_are_listed_in_the_order_of_their_import),
        T(damaged_releases_are_refused_before_anything_is_stored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
