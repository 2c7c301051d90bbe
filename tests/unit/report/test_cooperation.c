/* Figures side by side: never summed, never ranked, ordered by English short name. */
#include "base/memory.h"
#include "record/sdmx.h"
#include "report/cooperation.h"
#include "support/check.h"

static struct error err;
static struct cooperation *report;

#define HEAD                                                                            \
    "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,REF_AREA,COUNTERPART_AREA,DIRECTION,COOP_TYPE," \
    "ASSIST_TYPE,LEGAL_BASIS,OFFENCE,INDICATOR,REASON,PROCEDURE,COHORT,UNIT_MEASURE,"   \
    "TIME_PERIOD,OBS_VALUE,OBS_STATUS\n"
#define ROW(area, indicator, unit, value)                                           \
    "dataflow,COMITY:DF_INTCOOP(1.0.0),I,A," area ",_T,IN,EXTR,_Z,_T,_T," indicator \
    ",_Z,_T,FLOW," unit ",2019," value ",A\n"

static void begin(const struct cooperation_filter *filter)
{
    CHECK_OK(cooperation_new(filter, &report, &err), &err);
}

static void give(const char *code, const char *text)
{
    struct sdmx_import_options options = { .source = "MoJ" };
    struct sdmx_release_list list;
    struct problems problems;
    struct release release;
    struct code publisher;
    memset(&list, 0, sizeof(list));
    problems_init(&problems, "f.csv");
    CHECK_OK(sdmx_import(span_text(text), &options, &problems, &list, &err), &err);
    CHECK_OK(code_parse(code, &publisher, &err), &err);
    CHECK_OK(release_decode(NULL, buf_span(&list.items[0].bytes), &release, &err), &err);
    CHECK_OK(cooperation_add(report, &publisher, &release, &err), &err);
    release_fini(&release);
    sdmx_release_list_fini(&list);
    problems_fini(&problems);
}

static void give_three(void)
{
    give("KE", HEAD ROW("KE", "NEW", "REQ", "7") ROW("KE", "GRANT", "REQ", "NaN"));
    give("AU", HEAD ROW("AU", "NEW", "REQ", "31"));
    give("GB", HEAD ROW("GB", "NEW", "PERS", "12"));
}

static void states_stand_by_english_short_name_and_units_in_lines_of_their_own(void **state)
{
    (void)state;
    unsigned varying[DIMENSIONS_MAX];
    begin(&(struct cooperation_filter){ 0 });
    give_three();
    cooperation_finish(report);
    assert_int_equal(cooperation_states(report), 3);
    assert_string_equal(cooperation_state_code(report, 0), "AU");
    assert_string_equal(cooperation_state_code(report, 1), "KE");
    assert_string_equal(cooperation_state_code(report, 2), "GB"); /* United Kingdom ... */
    assert_int_equal(cooperation_lines(report), 3);
    assert_int_equal(cooperation_varying(report, varying), 3);
    assert_int_equal(varying[0], INTCOOP_INDICATOR);
    assert_string_equal(cooperation_value(report, 0, 1), "not available");
    assert_string_equal(cooperation_value(report, 0, 0), "");
    assert_string_equal(cooperation_dimension(report, 1, INTCOOP_UNIT_MEASURE), "PERS");
    assert_string_equal(cooperation_value(report, 1, 2), "12");
    assert_string_equal(cooperation_value(report, 1, 0), "");
    assert_string_equal(cooperation_value(report, 2, 0), "31");
    assert_string_equal(cooperation_value(report, 2, 1), "7");
    cooperation_free(report);
    assert_int_equal(mem_live(), 0);
}

static void two_sources_of_one_state_are_both_shown(void **state)
{
    (void)state;
    begin(&(struct cooperation_filter){ 0 });
    give("KE", HEAD ROW("KE", "NEW", "REQ", "7"));
    give("KE", HEAD ROW("KE", "NEW", "REQ", "8"));
    cooperation_finish(report);
    assert_int_equal(cooperation_lines(report), 2);
    cooperation_free(report);
}

static void a_filter_leaves_the_rest_out(void **state)
{
    (void)state;
    static const struct cooperation_filter filters[] = {
        { .indicator = "GRANT" }, { .type = "MLA" },  { .direction = "OUT" },
        { .period = "2018" },     { .period = "20" },
    };
    static const size_t lines[] = { 1, 0, 0, 0, 3 };
    for (size_t i = 0; i < COUNT(filters); i++) {
        begin(&filters[i]);
        give_three();
        cooperation_finish(report);
        assert_int_equal(cooperation_lines(report), lines[i]);
        cooperation_free(report);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_stand_by_english_short_name_and_units_in_lines_of_their_own),
        cmocka_unit_test(two_sources_of_one_state_are_both_shown),
        cmocka_unit_test(a_filter_leaves_the_rest_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
