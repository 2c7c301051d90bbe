#include "support/check.h"

#include "base/memory.h"
#include "record/sdmx.h"

#include <stdlib.h>

#define DIMENSIONS                                                                        \
    "FREQ,REF_AREA,COUNTERPART_AREA,DIRECTION,COOP_TYPE,ASSIST_TYPE,LEGAL_BASIS,OFFENCE," \
    "INDICATOR,REASON,PROCEDURE,COHORT,UNIT_MEASURE,TIME_PERIOD"
#define HEAD "STRUCTURE,STRUCTURE_ID,ACTION," DIMENSIONS ",OBS_VALUE"
#define FLOW "dataflow,COMITY:DF_INTCOOP(1.0.0),I,"
#define KEY(area, partner, period) \
    "A," area "," partner ",IN,EXTR,_Z,_T,_T,NEW,_Z,_T,FLOW,REQ," period ","
#define ROW(value) FLOW KEY("KE", "GB", "2013") value "\n"

static const char *source = "Central authority"; /* given with the command */

static enum status import(struct span file,
                          struct problems *problems,
                          struct sdmx_release_list *list,
                          struct error *err)
{
    static const struct code kenya = { "KE" };
    struct sdmx_import_options options = { &kenya, source };
    problems_init(problems, "f.csv");
    *list = (struct sdmx_release_list){ NULL, 0, 0 };
    return sdmx_import(file, &options, problems, list, err);
}

struct problem_case {
    const char *file;
    size_t total;
    uint32_t line, column;
    const char *says;
};

static void check_problem(const struct problem_case *c)
{
    struct problems problems;
    struct sdmx_release_list list;
    struct error err = ERROR_INIT;
    struct buf out = BUF_INIT;
    int64_t live = mem_live();
    enum status status = import(span_text(c->file), &problems, &list, &err);
    if (status != ERR_INVALID)
        fail_msg("%s: %s instead of: %s", status_name(status), err.text, c->says);
    assert_int_equal(list.count, 0);
    CHECK_OK(problem_format(&problems, &problems.items[0], &out, &err), &err);
    CHECK_OK(buf_terminate(&out, &err), &err);
    CHECK_CONTAINS((const char *)out.data, c->says);
    if (problems.total != c->total || problems.items[0].line != c->line ||
        problems.items[0].column != c->column)
        fail_msg("%zu problems, line %u, column %u: %s", problems.total, problems.items[0].line,
                 problems.items[0].column, (const char *)out.data);
    problems_fini(&problems);
    buf_fini(&out);
    assert_int_equal(mem_live(), live);
}

static void import_names_what_is_wrong_with_the_file(void **state)
{
    (void)state;
    /* Version 14 of clang-format crashes on this table. */
    /* clang-format off */
    static const struct problem_case cases[] = {
        { "", 1, 0, 0, "the file has no figure" },
        { HEAD "\n", 1, 0, 0, "the file has no figure" },
        { "PK\x03\x04rest", 1, 0, 0, "a spreadsheet, not text; next: open it and save the sheet" },
        { HEAD ",COLOUR\n" ROW("1,x"), 1, 1, 19, "COMITY:DSD_INTCOOP(1.0.0) has no such column" },
        { HEAD ",OBS_STATUS: Status\n" ROW("1,A"), 1, 1, 19, "with codes only, without labels" },
        { HEAD ",OBS_VALUE\n" ROW("1,2"), 1, 1, 19, "stands twice, here and as column 18" },
        { "DATAFLOW,FREQ,OBS_VALUE\nx,A,1\n", 13, 1, 0, "the column REF_AREA is missing" },
        { DIMENSIONS "\nx\n", 2, 1, 0, "the column STRUCTURE_ID is missing" },
        { HEAD "\n" FLOW "A,KE,1\n", 1, 2, 0, "the row has 6 fields, the first line 18" },
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT(cases); i++)
        check_problem(&cases[i]);
}

static void import_names_what_is_wrong_with_a_cell(void **state)
{
    (void)state;
    /* Version 14 of clang-format crashes on this table. */
    /* clang-format off */
    static const struct problem_case cases[] = {
        { HEAD "\ndatastructure,COMITY:DF_INTCOOP(1.0.0),I," KEY("KE", "GB", "2013") "1\n", 1, 2, 1,
          "only dataflow may stand here" },
        { HEAD "\ndataflow,COMITY:DF_OTHER(1.0.0),I," KEY("KE", "GB", "2013") "1\n", 1, 2, 2,
          "the dataflow is COMITY:DF_INTCOOP(1.0.0)" },
        { HEAD "\ndataflow,COMITY:DF_INTCOOP(1.0.0),D," KEY("KE", "GB", "2013") "1\n", 1, 2, 3,
          "send the whole snapshot again" },
        { HEAD "\ndataflow,COMITY:DF_INTCOOP(1.0.0),X," KEY("KE", "GB", "2013") "1\n", 1, 2, 3,
          "an action is I, A, R or M" },
        { HEAD "\n" FLOW KEY("GB", "KE", "2013") "1\n", 1, 2, 5,
          "the reporter must be KE or one of its territories" },
        { HEAD "\n" FLOW KEY("KE", "XX", "2013") "1\n", 1, 2, 6, "an area is an ISO 3166 code" },
        { HEAD "\n" FLOW KEY("KE", "gb", "2013") "1\n", 1, 2, 6, "write it in capitals" },
        { HEAD "\n" FLOW KEY("KE", "", "2013") "1\n", 1, 2, 6, "the cell is empty" },
        { HEAD "\n" FLOW KEY("KE", "GB", "2012-13") "1\n", 1, 2, 17,
          "next: a year from 1 July 2012 to 30 June 2013 is written 2012-07-01/P1Y" },
        { HEAD "\n" FLOW KEY("KE", "GB", "2013-Q1") "1\n", 1, 2, 0,
          "the period 2013-Q1 has the frequency Q" },
        { HEAD "\n" FLOW "A,KE,GB,IN,EXTR,_Z,_T,0501,NEW,_Z,_T,FLOW,REQ,2013,1\n", 1, 2, 11,
          "put ICCS in front" },
        { HEAD ",OBS_STATUS\n" ROW("1,Z"), 1, 2, 19, "CL_OBS_STATUS" },
        { HEAD ",LAST_UPDATE\n" ROW("1,yesterday"), 1, 2, 19, "a time is written" },
        { HEAD ",LOWER_BOUND,UPPER_BOUND\n" ROW("NaN,5,3"), 1, 2, 18,
          "LOWER_BOUND is above UPPER_BOUND" },
        { HEAD ",UPPER_BOUND\n" ROW("7,5"), 1, 2, 18, "the value is outside" },
        { HEAD ",LOWER_BOUND\n" ROW("7,7.5"), 1, 2, 18, "the value is outside" },
        { HEAD ",UPPER_BOUND\n" ROW("<5,5"), 1, 2, 18,
          "the value says UPPER_BOUND = 4, the column UPPER_BOUND something else" },
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT(cases); i++)
        check_problem(&cases[i]);
}

static void import_names_what_is_wrong_with_a_value(void **state)
{
    (void)state;
    /* Version 14 of clang-format crashes on this table. */
    /* clang-format off */
    static const char *const cases[][2] = {
        { ROW(""), "the cell is empty; next: write NaN" },
        { ROW("n/a"), "a missing value is written NaN; next: write NaN where" },
        { ROW("-"), "a missing value is written NaN" },
        { ROW(".."), "a missing value is written NaN" },
        { ROW("-5"), "has no sign" },
        { ROW("+5"), "has no sign" },
        { ROW("\"1,234\""), "without thousands marks" },
        { ROW("1234567890123456"), "at most 15 digits" },
        { ROW("12345678901234567890"), "at most 15 digits" },
        { ROW("1.2345678"), "at most 15 digits, 6 of them behind the point" },
        { ROW("123456789012345678901234567890"), "at most 15 digits" },
        { ROW("1 234"), "without thousands marks" },
        { ROW("1\xc2\xa0" "234"), "without thousands marks" },
        { ROW("93*"), "put footnotes and remarks into COMMENT_OBS" },
        { ROW("93 (a)"), "put footnotes and remarks into COMMENT_OBS" },
        { ROW("many"), "\"many\": a value is a number" },
        { ROW("<0"), "a value is a number" },
        { ROW("<2.5"), "a value is a number" },
        { ROW("<x"), "a value is a number" },
        { ROW("1e3"), "a value is a number" },
            };
    /* clang-format on */
    for (size_t i = 0; i < COUNT(cases); i++) {
        char file[1024];
        snprintf(file, sizeof(file), "%s\n%s", HEAD, cases[i][0]);
        struct problem_case c = { file, 1, 2, 18, cases[i][1] };
        check_problem(&c);
    }
}

static void import_lists_all_problems_and_names_double_keys_in_pairs(void **state)
{
    (void)state;
    struct problems problems;
    struct sdmx_release_list list;
    struct error err = ERROR_INIT;
    CHECK_STATUS(import(SPAN_LITERAL(HEAD "\n" ROW("1") ROW("2") ROW("x")
                                         FLOW KEY("KE", "XX", "201") "y\n" ROW("3")),
                        &problems, &list, &err),
                 ERR_INVALID, &err);
    assert_int_equal(problems.total, 6);
    static const struct {
        uint32_t line;
        const char *rule;
    } expected[] = {
        { 4, "a value is a number" },
        { 5, "an area is" },
        { 5, "a period is written" },
        { 5, "a value is a number" },
        { 3, "the row has the same key as line 2" },
        { 6, "the row has the same key as line 3" },
    };
    for (size_t i = 0; i < COUNT(expected); i++) {
        assert_int_equal(problems.items[i].line, expected[i].line);
        CHECK_CONTAINS(problems.items[i].rule, expected[i].rule);
    }
    problems_fini(&problems);
}

static void import_refuses_figures_that_nobody_stands_for(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct problem_case cases[] = {
        { HEAD "\n" ROW("1") ROW("1"), 2, 1, 0, "the column SOURCE_AUTH is missing" },
        { HEAD "\n" ROW("x"), 2, 1, 0, "in the column SOURCE_AUTH, or with --source for all rows" },
        { HEAD ",SOURCE_AUTH\n" ROW("1,Police") ROW("2,"), 1, 3, 19,
          "SOURCE_AUTH: the cell is empty, and a release needs a source" },
        { HEAD ",SOURCE_AUTH\n" ROW("1, ") ROW("2,"), 2, 2, 19, "name the authority there" },
    };
    /* clang-format on */
    source = NULL;
    for (size_t i = 0; i < COUNT(cases); i++)
        check_problem(&cases[i]);
    source = "Central authority";
}

static void import_refuses_release_attributes_that_differ(void **state)
{
    (void)state;
    struct problem_case c = { HEAD ",TITLE\n" FLOW KEY("KE", "GB", "2013") "1,One\n" FLOW KEY(
                                  "KE", "UG", "2013") "1,\n" FLOW KEY("KE", "TZ", "2013") "1,Two\n",
                              1, 4, 0,
                              "TITLE: \"Two\": an attribute of the whole release: line 2" };
    check_problem(&c);
}

/* Imports one row and gives its export, without the header line. */
static void check_export(const char *file, const char *row)
{
    struct problems problems;
    struct sdmx_release_list list, second;
    struct release release;
    struct error err = ERROR_INIT;
    struct buf out = BUF_INIT;
    CHECK_OK(import(span_text(file), &problems, &list, &err), &err);
    assert_int_equal(list.count, 1);
    CHECK_OK(release_decode(NULL, buf_span(&list.items[0].bytes), &release, &err), &err);
    CHECK_OK(sdmx_export(&release, &out, &err), &err);
    CHECK_OK(buf_terminate(&out, &err), &err);
    CHECK_CONTAINS((const char *)out.data, row);
    CHECK_OK(import(buf_span(&out), &problems, &second, &err), &err);
    assert_true(span_equal(buf_span(&list.items[0].bytes), buf_span(&second.items[0].bytes)));
    assert_true(span_equal(buf_span(&list.items[0].identity),
                           SPAN_LITERAL("COMITY:DF_INTCOOP(1.0.0)\n2013\nCentral authority\n")));
    release_fini(&release);
    sdmx_release_list_fini(&list);
    sdmx_release_list_fini(&second);
    problems_fini(&problems);
    buf_fini(&out);
}

static void import_takes_the_spellings_that_files_have(void **state)
{
    (void)state;
    /* Version 14 of clang-format crashes on this table. */
    /* clang-format off */
    static const char *const cases[][2] = {
        { HEAD "\n" ROW("12"), ",2013,12,Central authority\n" },
        { "\xef\xbb\xbf" HEAD "\r\n" ROW(" 12 "), ",2013,12,Central authority\n" },
        { HEAD "\n" FLOW KEY("KEN", "UK", "2013") "1.50\n", "I,A,KE,GB,IN" },
        { HEAD "\n" FLOW KEY("404", "EL", "2013") "1.50\n", "I,A,KE,GR,IN" },
        { HEAD "\n" FLOW KEY("KE", "NA", "2013") "1.50\n", "I,A,KE,NA,IN" }, /* Namibia */
        { HEAD "\n" ROW("1.50"), ",1.5,Central" },
        { HEAD "\n" ROW("NaN"), ",NaN,Central" },
        { HEAD "\n" ROW("#N/A"), ",NaN,Central" },
        { HEAD "\n" ROW("<5"), ",NaN,4,Central" },
        { HEAD "\n" ROW("\xe2\x89\xa4 5"), ",NaN,5,Central" },
        { HEAD "\n" ROW(">200"), ",NaN,201,Central" },
        { HEAD "\n" ROW(">=200"), ",NaN,200,Central" },
        { HEAD "\n" ROW("~1100"), ",1100,Y,Central" },
        { HEAD ",UPPER_BOUND\n" ROW("<5,4.0"), ",NaN,4,Central" },
        { HEAD ",OBS_STATUS\n" ROW(",M"), ",NaN,M,Central" },
        { HEAD ",COMMENT_OBS\n" ROW("1,\"a \"\"b\"\",\nc\""), ",1,\"a \"\"b\"\",\nc\",Central" },
        { HEAD ",NATIONAL_TERM\n" ROW("1,e\xcc\x81tat"), ",1,\xc3\xa9tat,Central" },
        { "STRUCTURE;STRUCTURE_ID;ACTION;FREQ;REF_AREA;COUNTERPART_AREA;DIRECTION;COOP_TYPE;"
          "ASSIST_TYPE;LEGAL_BASIS;OFFENCE;INDICATOR;REASON;PROCEDURE;COHORT;UNIT_MEASURE;"
          "TIME_PERIOD;OBS_VALUE\ndataflow;COMITY:DF_INTCOOP(1.0.0);R;A;KE;GB;IN;EXTR;_Z;_T;_T;"
          "MEAN_DAYS;_Z;_T;FLOW;REQ;2013;15,5\n",
          ",15.5,Central" },
        { "DATAFLOW," DIMENSIONS ",OBS_VALUE\nCOMITY:DF_INTCOOP(1.0.0)," KEY("KE", "GB", "2013") "0",
          ",2013,0,Central" }, /* SDMX-CSV 1.0 */
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT(cases); i++)
        check_export(cases[i][0], cases[i][1]);
}

static void import_makes_one_release_per_period_and_source(void **state)
{
    (void)state;
    struct problems problems;
    struct sdmx_release_list list;
    struct error err = ERROR_INIT;
    CHECK_OK(import(SPAN_LITERAL(
                        HEAD ",SOURCE_AUTH\n" FLOW KEY("KE", "GB", "2014") "1,B\n" FLOW KEY(
                            "KE", "GB", "2013") "1,B\n" FLOW KEY("KE", "GB", "2013") "2,A\n" FLOW
                            KEY("KE", "UG", "2013") "3,\n" FLOW KEY("KE", "UG", "2014") "4,B\n"),
                    &problems, &list, &err),
             &err);
    static const struct {
        const char *identity;
        size_t observations;
    } expected[] = {
        { "COMITY:DF_INTCOOP(1.0.0)\n2013\nA\n", 1 },
        { "COMITY:DF_INTCOOP(1.0.0)\n2013\nB\n", 1 },
        { "COMITY:DF_INTCOOP(1.0.0)\n2013\nCentral authority\n", 1 },
        { "COMITY:DF_INTCOOP(1.0.0)\n2014\nB\n", 2 },
    };
    assert_int_equal(list.count, COUNT(expected));
    for (size_t i = 0; i < COUNT(expected); i++) {
        assert_true(span_equal(buf_span(&list.items[i].identity), span_text(expected[i].identity)));
        assert_int_equal(list.items[i].observation_count, expected[i].observations);
    }
    sdmx_release_list_fini(&list);
    sdmx_release_list_fini(NULL);
    problems_fini(&problems);
}

static void the_order_of_rows_and_columns_changes_nothing(void **state)
{
    (void)state;
    struct problems problems;
    struct sdmx_release_list one, two;
    struct error err = ERROR_INIT;
    CHECK_OK(import(SPAN_LITERAL(HEAD ",TITLE,OBS_STATUS\n" FLOW KEY(
                        "KE", "GB", "2013") "1,T,A\n" FLOW KEY("KE", "UG", "2013") "2,T,\n"),
                    &problems, &one, &err),
             &err);
    CHECK_OK(import(SPAN_LITERAL("OBS_STATUS,TITLE," HEAD "\n,T," FLOW KEY(
                        "KE", "UG", "2013") "2\nA,," FLOW KEY("KE", "GB", "2013") "1\n"),
                    &problems, &two, &err),
             &err);
    assert_true(span_equal(buf_span(&one.items[0].bytes), buf_span(&two.items[0].bytes)));
    sdmx_release_list_fini(&one);
    sdmx_release_list_fini(&two);
    problems_fini(&problems);
}

static void import_survives_every_failed_allocation(void **state)
{
    (void)state;
    bool hit = true;
    int64_t live = mem_live();
    for (uint64_t nth = 1; hit; nth++) {
        struct problems problems;
        struct sdmx_release_list list;
        struct error err = ERROR_INIT;
        bool for_ever = nth % 2 == 0; /* libcsv is content with less when it is refused once */
        mem_fail_at(nth, for_ever);
        enum status status = import(SPAN_LITERAL(HEAD ",NATIONAL_TERM\n" ROW("1,e\xcc\x81tat")
                                                     FLOW KEY("KE", "GB", "2014") "2,\n"),
                                    &problems, &list, &err);
        hit = mem_fail_hit();
        mem_fail_at(0, false);
        assert_true(status == ERR_MEMORY || (status == OK && !(hit && for_ever)));
        sdmx_release_list_fini(&list);
        problems_fini(&problems);
        assert_int_equal(mem_live(), live);
        assert_true(nth < 2000);
    }
}

static void export_refuses_nothing_at_all(void **state)
{
    (void)state;
    struct buf out = BUF_INIT;
    struct error err = ERROR_INIT;
    CHECK_STATUS(sdmx_export_all(NULL, 0, &out, &err), ERR_INVALID, &err);
}

static void export_survives_every_failed_allocation(void **state)
{
    (void)state;
    struct problems problems;
    struct sdmx_release_list list;
    struct release release;
    struct error err = ERROR_INIT;
    CHECK_OK(import(SPAN_LITERAL(HEAD ",NATIONAL_TERM,TITLE\n" ROW("1,term,\"a, b\"")
                                     FLOW KEY("KE", "UG", "2013") "2,,\n"),
                    &problems, &list, &err),
             &err);
    CHECK_OK(release_decode(NULL, buf_span(&list.items[0].bytes), &release, &err), &err);
    int64_t live = mem_live();
    bool hit = true;
    for (uint64_t nth = 1; hit; nth++) {
        struct buf out = BUF_INIT;
        mem_fail_at(nth, nth % 2 == 0);
        enum status status = sdmx_export(&release, &out, &err);
        hit = mem_fail_hit();
        mem_fail_at(0, false);
        assert_int_equal(status, hit ? ERR_MEMORY : OK);
        if (hit)
            assert_int_equal(out.size, 0);
        buf_fini(&out);
        assert_int_equal(mem_live(), live);
    }
    release_fini(&release);
    sdmx_release_list_fini(&list);
    problems_fini(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(import_names_what_is_wrong_with_the_file),
        cmocka_unit_test(import_names_what_is_wrong_with_a_cell),
        cmocka_unit_test(import_names_what_is_wrong_with_a_value),
        cmocka_unit_test(import_lists_all_problems_and_names_double_keys_in_pairs),
        cmocka_unit_test(import_refuses_figures_that_nobody_stands_for),
        cmocka_unit_test(import_refuses_release_attributes_that_differ),
        cmocka_unit_test(import_takes_the_spellings_that_files_have),
        cmocka_unit_test(import_makes_one_release_per_period_and_source),
        cmocka_unit_test(the_order_of_rows_and_columns_changes_nothing),
        cmocka_unit_test(import_survives_every_failed_allocation),
        cmocka_unit_test(export_refuses_nothing_at_all),
        cmocka_unit_test(export_survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
