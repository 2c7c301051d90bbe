/* Files of excerpts: what is here already, what stands twice, and what is no such file. */
#include "admin_desk.h"

#define CSV_HEAD "kind,instrument,article,language,title,text,originator,date,confidentiality\n"
#define CSV_GOOD "answer,UNTOC,16,en,Extradition,Yes,MoJ,2026-01-01,public\n"
#define CSV_MORE "answer,UNTOC,18,en,Assistance,Yes,MoJ,2026-01-01,public\n"

static void excerpts_that_are_here_already_are_named_with_line_and_record(void **state)
{
    (void)state;
    char id[ID_TEXT_SIZE];
    desk_attach("file", "good.csv", SPAN_LITERAL(CSV_HEAD CSV_GOOD));
    ASK_OK("excerpt.import");
    (void)snprintf(id, sizeof(id), "%s", answered("records", "id"));
    desk_attach("file", "again.csv", SPAN_LITERAL(CSV_HEAD CSV_MORE CSV_GOOD));
    ASK_STATUS("invalid", "excerpt.import");
    assert_string_equal(desk.answer.error, "1 problem; nothing was imported");
    assert_int_equal(desk.answer.problem_count, 1);
    assert_string_equal(desk.answer.problems[0].file, "again.csv");
    assert_int_equal(desk.answer.problems[0].line, 3);
    assert_string_equal(desk.answer.problems[0].value, "Extradition");
    CHECK_CONTAINS(desk.answer.problems[0].rule, id);
    ASK_OK("excerpt.list");
    assert_int_equal(answered_rows("excerpts"), 1);
    ASK_OK("excerpt.retire", "record", id); /* what is retired may come again */
    desk_attach("file", "again.csv", SPAN_LITERAL(CSV_HEAD CSV_MORE CSV_GOOD));
    ASK_OK("excerpt.import");
    assert_int_equal(answered_rows("records"), 2);
}

static void excerpts_that_differ_in_one_thing_that_people_see_are_imported(void **state)
{
    (void)state;
    desk_attach("file", "good.csv", SPAN_LITERAL(CSV_HEAD CSV_GOOD));
    ASK_OK("excerpt.import");
    desk_attach("file", "near.csv",
                SPAN_LITERAL(CSV_HEAD "answer,TIP,16,en,Extradition,Yes,MoJ,2026-01-01,public\n"
                                      "answer,UNTOC,18,en,Extradition,Yes,MoJ,2026-01-01,public\n"
                                      "answer,UNTOC,16,fr,Extradition,Yes,MoJ,2026-01-01,public\n"
                                      "answer,UNTOC,16,en,Extraditions,Yes,MoJ,2026-01-01,public\n"
                                      "answer,UNTOC,16,en,Extradition,No,MoJ,2026-01-01,public\n"));
    ASK_OK("excerpt.import");
    assert_int_equal(answered_rows("records"), 5);
}

static void excerpts_that_stand_twice_in_files_are_named_in_pairs(void **state)
{
    (void)state;
    desk_attach("file", "a.csv", SPAN_LITERAL(CSV_HEAD CSV_GOOD CSV_MORE CSV_GOOD));
    desk_attach("file", "b.csv", SPAN_LITERAL(CSV_HEAD CSV_MORE));
    ASK_STATUS("invalid", "excerpt.import");
    assert_int_equal(desk.answer.problem_count, 2);
    assert_string_equal(desk.answer.problems[0].file, "a.csv");
    assert_int_equal(desk.answer.problems[0].line, 4);
    CHECK_CONTAINS(desk.answer.problems[0].rule, "stands on line 2 already");
    assert_string_equal(desk.answer.problems[1].file, "b.csv");
    assert_int_equal(desk.answer.problems[1].line, 2);
    CHECK_CONTAINS(desk.answer.problems[1].rule, "stands on line 3 of a.csv already");
    ASK_OK("excerpt.list");
    assert_int_equal(answered_rows("excerpts"), 0);
}

static void a_file_that_is_named_twice_is_one_problem(void **state)
{
    (void)state;
    desk_attach("file", "a.csv", SPAN_LITERAL(CSV_HEAD CSV_GOOD CSV_MORE));
    desk_attach("file", "./a.csv", SPAN_LITERAL(CSV_HEAD CSV_GOOD CSV_MORE));
    ASK_STATUS("invalid", "excerpt.import");
    assert_int_equal(desk.answer.problem_count, 1);
    assert_string_equal(desk.answer.problems[0].file, "./a.csv");
    CHECK_CONTAINS(desk.answer.problems[0].rule, "the same as the file a.csv; next: name it once");
    ASK_OK("excerpt.list");
    assert_int_equal(answered_rows("excerpts"), 0);
}

static void a_file_of_another_sort_is_one_sentence_with_the_command_that_takes_it(void **state)
{
    (void)state;
    static const char figures[] = "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,REF_AREA,OBS_VALUE\n"
                                  "dataflow,X,I,A,KE,1\ndataflow,X,I,A,KE,2\n";
    const struct {
        const char *operation;
        struct span file;
        const char *says;
    } cases[] = {
        { "excerpt.import", SPAN_LITERAL(figures),
          "the file seems to be figures (SDMX-CSV); next: comityctl stats import" },
        { "excerpt.import", SPAN_LITERAL("Dear colleague,\n\nthe file is \"attached\".\n"),
          "the file seems to be something else; next: name the columns on the first line" },
        { "excerpt.import", SPAN_LITERAL("Comity-Card: 1\nComity-Realm: training\n"),
          "the file seems to be a node's card; next: comityctl peer add" },
        { "stats.import", SPAN_LITERAL(CSV_HEAD CSV_GOOD CSV_MORE),
          "the file seems to be excerpts (CSV); next: comityctl excerpt import" },
        { "stats.import", SPAN_LITERAL("Dear colleague,\n\nthe file follows.\n"),
          "the file seems to be something else; next: name the columns on the first line" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        desk_attach("file", "f.csv", cases[i].file);
        ASK_STATUS("invalid", cases[i].operation);
        assert_int_equal(desk.answer.problem_count, 1);
        assert_int_equal(desk.answer.problems[0].line, 1);
        CHECK_CONTAINS(desk.answer.problems[0].rule, cases[i].says);
        assert_string_equal(desk.answer.error, "1 problem; nothing was imported");
    }
}

static const char *add_titled(const char *title, const char *replaces)
{
    return ask("excerpt.add", "kind", "good-practice", "instrument", "UNTOC", "article", "18",
               "language", "en", "title", title, "text", "They shorten requests.", "originator",
               "Ministry of Justice", "date", "2026-03-01", "confidentiality", "public",
               replaces == NULL ? NULL : "replaces", replaces, NULL);
}

static void an_excerpt_that_is_here_is_not_added_again(void **state)
{
    (void)state;
    char first[ID_TEXT_SIZE], other[ID_TEXT_SIZE], next[80];
    desk_add_excerpt(first);
    ask_status("exists", add_titled("Liaison magistrates", NULL), __FILE__, __LINE__);
    CHECK_CONTAINS(desk.answer.error, first);
    (void)snprintf(next, sizeof(next), "next: comityctl excerpt show %s", first);
    CHECK_CONTAINS(desk.answer.error, next);
    ask_status("ok", add_titled("Another title", NULL), __FILE__, __LINE__);
    (void)snprintf(other, sizeof(other), "%s", answered("record", "id"));
    ask_status("exists", add_titled("Liaison magistrates", other), __FILE__, __LINE__);
    CHECK_CONTAINS(desk.answer.error, first);
    /* its next version may differ in what does not make it another excerpt: here the class */
    ask_status("ok", add_titled("Liaison magistrates", first), __FILE__, __LINE__);
    assert_string_equal(answered("record", "version"), "2");
    ASK_OK("excerpt.retire", "record", first);
    ask_status("ok", add_titled("Liaison magistrates", NULL), __FILE__, __LINE__);
}

static void problems_of_a_text_are_told_of_the_option_that_gave_it(void **state)
{
    (void)state;
    struct buf large = BUF_INIT;
    CHECK_OK(buf_append_zeros(&large, CSV_FIELD_MAX + 1, &err), &err);
    const struct {
        struct span file;
        const char *says;
    } cases[] = {
        { SPAN_LITERAL("two\0words"), "byte 4 is a control character" },
        { SPAN_LITERAL(""), "text is missing" },
        { buf_span(&large), "text has 204801 bytes, and at most 204800 fit; next: shorten it" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        desk_attach("text-file", "t.txt", cases[i].file);
        ASK_STATUS("invalid", "excerpt.add", "kind", "answer", "instrument", "UNTOC", "article",
                   "9", "language", "en", "title", "T", "originator", "o", "date", "2026-03-01",
                   "confidentiality", "public");
        assert_int_equal(desk.answer.problem_count, 1);
        CHECK_CONTAINS(told_of("--text-file"), cases[i].says);
    }
    buf_fini(&large);
    ASK_STATUS("invalid", "excerpt.add", "kind", "answer", "instrument", "UNTOC", "article", "9",
               "language", "en", "title", "T", "text", " ", "originator", "o", "date", "2026-03-01",
               "confidentiality", "public");
    CHECK_CONTAINS(told_of("--text"), "only blanks");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, desk_set_up, desk_tear_down)
    const struct CMUnitTest tests[] = {
        T(excerpts_that_are_here_already_are_named_with_line_and_record),
        T(excerpts_that_differ_in_one_thing_that_people_see_are_imported),
        T(excerpts_that_stand_twice_in_files_are_named_in_pairs),
        T(a_file_that_is_named_twice_is_one_problem),
        T(an_excerpt_that_is_here_is_not_added_again),
        T(problems_of_a_text_are_told_of_the_option_that_gave_it),
        T(a_file_of_another_sort_is_one_sentence_with_the_command_that_takes_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
