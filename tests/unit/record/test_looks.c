/* What a file seems to be, when it is not what it was given for. */
#include "support/check.h"

#include "record/looks.h"

static void a_file_is_known_by_its_first_line(void **state)
{
    (void)state;
    const struct {
        struct span file;
        enum looks looks;
    } cases[] = {
        { SPAN_LITERAL(""), LOOKS_UNKNOWN },
        { SPAN_LITERAL("\n\n"), LOOKS_UNKNOWN },
        { SPAN_LITERAL("Dear colleague, the kind answer"), LOOKS_UNKNOWN },
        { SPAN_LITERAL("kind"), LOOKS_UNKNOWN },
        { SPAN_LITERAL("a\0b"), LOOKS_BINARY },
        { SPAN_LITERAL("caf\xe9\n"), LOOKS_BINARY },
        { SPAN_LITERAL("kind,title"), LOOKS_EXCERPTS },
        { SPAN_LITERAL("\xef\xbb\xbf\"kind\";\"title\"\r\n"), LOOKS_EXCERPTS },
        { SPAN_LITERAL("REF_AREA,OBS_VALUE\n"), LOOKS_FIGURES },
        { SPAN_LITERAL("STRUCTURE;STRUCTURE_ID\nkind,title\n"), LOOKS_FIGURES },
        { SPAN_LITERAL("Comity-Card: 1\n"), LOOKS_CARD },
        { SPAN_LITERAL("comity.v1/evidence\r\n"), LOOKS_EVIDENCE },
        { SPAN_LITERAL("-----BEGIN CERTIFICATE-----\n"), LOOKS_PEM },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(looks_like(cases[i].file), cases[i].looks);
}

static void every_sort_has_a_name_and_some_a_command(void **state)
{
    (void)state;
    for (unsigned i = 0; i <= LOOKS_PEM; i++)
        assert_non_null(looks_name((enum looks)i));
    assert_string_equal(looks_command(LOOKS_FIGURES), "comityctl stats import");
    assert_null(looks_command(LOOKS_UNKNOWN));
    assert_null(looks_command(LOOKS_PEM));
}

static void what_is_no_card_and_no_evidence_says_what_it_seems_to_be(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    CHECK_OK(looks_check_card(SPAN_LITERAL("Comity-Card: 1\n"), &err), &err);
    CHECK_OK(looks_check_card(SPAN_LITERAL("-----BEGIN X-----\n"), &err), &err);
    CHECK_STATUS(looks_check_card(SPAN_LITERAL("kind,title\n"), &err), ERR_INVALID, &err);
    CHECK_CONTAINS(err.text, "seems to be excerpts (CSV); next: give the card.pem");
    CHECK_OK(looks_check_evidence(SPAN_LITERAL("comity.v1/evidence\n"), &err), &err);
    CHECK_STATUS(looks_check_evidence(SPAN_LITERAL("Comity-Card: 1\n"), &err), ERR_INVALID, &err);
    CHECK_CONTAINS(err.text, "seems to be a node's card; next: give the file that comityctl");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_known_by_its_first_line),
        cmocka_unit_test(every_sort_has_a_name_and_some_a_command),
        cmocka_unit_test(what_is_no_card_and_no_evidence_says_what_it_seems_to_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
