/* Catalogue, areas, periods, code lists: what is refused, and that the facts are there. */
#include "support/check.h"

#include "record/area.h"
#include "record/catalogue.h"
#include "record/period.h"
#include "record/release.h"
#include "record/structure.h"

static void catalogue_refuses_what_is_not_there(void **state)
{
    (void)state;
    enum instrument instrument;
    enum excerpt_kind kind;
    enum confidentiality class;
    static const char *const wrong[] = { "",        "untoc",  "UNCAC", "UNTOC ",
                                         "answer ", "ANSWER", "secret" };
    for (size_t i = 0; i < COUNT(wrong); i++) {
        assert_false(catalogue_instrument_parse(span_text(wrong[i]), &instrument));
        assert_false(catalogue_kind_parse(span_text(wrong[i]), &kind));
        assert_false(catalogue_confidentiality_parse(span_text(wrong[i]), &class));
    }
    assert_null(catalogue_article_title(INSTRUMENT_UNTOC, 0));
    assert_null(catalogue_article_title(INSTRUMENT_UNTOC, 42));
    assert_null(catalogue_article_title(INSTRUMENT_NONE, 1));
    assert_null(catalogue_cluster_name(0));
    assert_null(catalogue_cluster_name(5));
    assert_int_equal(catalogue_cluster(INSTRUMENT_UNTOC, 41), 0);
    assert_int_equal(catalogue_cluster(INSTRUMENT_UNTOC, 99), 0);
    assert_string_equal(catalogue_instrument_code((enum instrument)99), "");
    assert_string_equal(catalogue_kind_code((enum excerpt_kind)99), "");
}

static void catalogue_has_the_107_articles(void **state)
{
    (void)state;
    assert_int_equal(catalogue_article_count(INSTRUMENT_UNTOC), 41);
    unsigned total = 0;
    for (unsigned i = INSTRUMENT_UNTOC; i < INSTRUMENT_COUNT; i++) {
        enum instrument instrument = (enum instrument)i, parsed = INSTRUMENT_NONE;
        total += catalogue_article_count(instrument);
        assert_true(
            catalogue_instrument_parse(span_text(catalogue_instrument_code(instrument)), &parsed));
        assert_int_equal(parsed, instrument);
        assert_true(catalogue_instrument_name(instrument)[0] != '\0');
    }
    assert_int_equal(total, 107);
    assert_string_equal(catalogue_article_title(INSTRUMENT_UNTOC, 16), "Extradition");
    assert_string_equal(catalogue_article_title(INSTRUMENT_UNTOC, 18), "Mutual legal assistance");
    assert_int_equal(catalogue_cluster(INSTRUMENT_UNTOC, 16), 4);
    assert_int_equal(catalogue_cluster(INSTRUMENT_UNTOC, 5), 1);
    assert_non_null(catalogue_cluster_name(4));
    for (unsigned i = 1; i < KIND_COUNT; i++) {
        enum excerpt_kind kind = KIND_NONE;
        assert_true(
            catalogue_kind_parse(span_text(catalogue_kind_code((enum excerpt_kind)i)), &kind));
        assert_int_equal(kind, i);
        assert_true(catalogue_kind_name(kind)[0] != '\0');
    }
    for (unsigned i = 1; i < CONFIDENTIALITY_COUNT; i++) {
        enum confidentiality class = CONFIDENTIALITY_NONE;
        const char *code = catalogue_confidentiality_code((enum confidentiality)i);
        assert_true(catalogue_confidentiality_parse(span_text(code), &class));
        assert_int_equal(class, i);
    }
}

static void language_tags_have_their_usual_shape(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",       "e",      "EN",           "en-",
        "en_GB",  "en-gb",  "zh-hans",      "english",
        "en--GB", "en-GB-", "en-x-private", "a-very-long-language-tag-that-goes-on-and-on",
    };
    static const char *const right[] = { "en",     "sw",       "pt-BR",   "zh-Hans", "zh-Hans-CN",
                                         "es-419", "sl-rozaj", "de-1996", "gsw" };
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_false(catalogue_language_check(span_text(wrong[i])));
    for (size_t i = 0; i < COUNT(right); i++)
        assert_true(catalogue_language_check(span_text(right[i])));
    assert_true(catalogue_language_is_official(SPAN_LITERAL("zh-Hans")));
    assert_false(catalogue_language_is_official(SPAN_LITERAL("sw")));
    assert_false(catalogue_language_is_official(SPAN_LITERAL("EN")));
}

static void areas_have_one_canonical_spelling(void **state)
{
    (void)state;
    static const char *const wrong[] = { "",
                                         "ke",
                                         "XX",
                                         "QQQ",
                                         "000",
                                         "999",
                                         "12",
                                         "G_",
                                         "G__X",
                                         "G_w",
                                         "_X",
                                         "KE ",
                                         "G_ABCDEFGHIJKLMNOPQRSTUVWXYZ" };
    static const struct {
        const char *given, *canonical;
    } right[] = {
        { "KE", "KE" },  { "KEN", "KE" },          { "404", "KE" }, { "EL", "GR" },
        { "UK", "GB" },  { "NA", "NA" },           { "NAM", "NA" }, { "EU", "EU" },
        { "_T", "_T" },  { "_U", "_U" },           { "_W", "_W" },  { "G_EU", "G_EU" },
        { "036", "AU" }, { "G_W_XIE", "G_W_XIE" },
    };
    char code[AREA_CODE_SIZE];
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_false(area_canonical(span_text(wrong[i]), code));
    for (size_t i = 0; i < COUNT(right); i++) {
        assert_true(area_canonical(span_text(right[i].given), code));
        assert_string_equal(code, right[i].canonical);
        assert_true(area_is_canonical(span_text(code)));
    }
    assert_false(area_is_canonical(SPAN_LITERAL("UK")));
    assert_string_equal(area_name(SPAN_LITERAL("KE")), "Kenya");
    assert_string_equal(area_name(SPAN_LITERAL("EU")), "European Union");
    assert_null(area_name(SPAN_LITERAL("G_W_XIE")));
}

static void area_table_is_ordered_and_the_groups_are_complete(void **state)
{
    (void)state;
    size_t count = 0, in_groups = 0;
    const struct area *areas = area_all(&count);
    assert_int_equal(count, 249);
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(area_by_alpha2(span_text(areas[i].alpha2)), &areas[i]);
        in_groups += areas[i].region != REGION_NONE;
    }
    assert_int_equal(in_groups, 193);
    for (unsigned i = 1; i < REGION_COUNT; i++) {
        enum region region = REGION_NONE;
        assert_true(area_region_parse(span_text(area_region_code((enum region)i)), &region));
        assert_int_equal(region, i);
        assert_true(area_region_name(region)[0] != '\0');
    }
    enum region region;
    assert_false(area_region_parse(SPAN_LITERAL("africa"), &region));
}

static void an_area_belongs_to_itself_and_to_the_state_it_is_a_territory_of(void **state)
{
    (void)state;
    static const struct {
        const char *area, *publisher;
        bool belongs;
    } cases[] = {
        { "GB", "GB", true },  { "GI", "GB", true },  { "HK", "CN", true },  { "GI", "ES", false },
        { "GB", "GI", false }, { "_T", "GB", false }, { "IE", "GB", false }, { "EU", "EU", true },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct code publisher;
        struct error err = ERROR_INIT;
        CHECK_OK(code_parse(cases[i].publisher, &publisher, &err), &err);
        assert_int_equal(area_belongs_to(span_text(cases[i].area), &publisher), cases[i].belongs);
    }
}

static void a_period_has_one_spelling(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "13",
        "1850",
        "2200",
        "2013-13",
        "2013-00",
        "2013-1",
        "2013-S3",
        "2013-Q0",
        "2013-Q5",
        "2012-13",
        "2012/13",
        "2013-M01",
        "2012-07-01",
        "2012-07-01/P2Y",
        "2012-01-01/P1Y",
        "2012-07-01/P6M",
        "2012-04-01/P3M",
        "2012-02-01/P1M",
        "2013-02-29/P1Y",
        "2012-7-1/P1Y",
        "2012-07-01/P1Y ",
        "2012-07-00/P1Y",
        "2012 07-01/P1Y",
    };
    static const struct {
        const char *text;
        char frequency;
        unsigned month, day;
    } right[] = {
        { "2013", 'A', 1, 1 },           { "2013-S2", 'S', 7, 1 },
        { "2013-Q4", 'Q', 10, 1 },       { "2013-12", 'M', 12, 1 },
        { "2012-07-01/P1Y", 'A', 7, 1 }, { "2012-02-29/P1M", 'M', 2, 29 },
        { "2012-04-06/P1Y", 'A', 4, 6 }, { "2012-02-01/P3M", 'Q', 2, 1 },
        { "2012-04-01/P6M", 'S', 4, 1 },
    };
    struct period period;
    for (size_t i = 0; i < COUNT(wrong); i++)
        if (period_parse(span_text(wrong[i]), &period))
            fail_msg("took %s", wrong[i]);
    for (size_t i = 0; i < COUNT(right); i++) {
        assert_true(period_parse(span_text(right[i].text), &period));
        assert_int_equal(period.frequency, right[i].frequency);
        assert_int_equal(period.month, right[i].month);
        assert_int_equal(period.day, right[i].day);
    }
}

static void decimals_are_plain_numbers_in_their_shortest_form(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        ".",
        "1.",
        ".5",
        "-1",
        "+1",
        "1e3",
        "1,5",
        " 1",
        "1.2.3",
        "1234567890123456",
        "0.1234567",
        "0x10",
    };
    static const char *const right[][2] = {
        { "0", "0" },
        { "007", "7" },
        { "1.50", "1.5" },
        { "15.0", "15" },
        { "0.000001", "0.000001" },
        { "999999999999999", "999999999999999" },
    };
    struct decimal value;
    for (size_t i = 0; i < COUNT(wrong); i++)
        if (decimal_parse(span_text(wrong[i]), &value))
            fail_msg("took %s", wrong[i]);
    for (size_t i = 0; i < COUNT(right); i++) {
        char text[DECIMAL_TEXT_SIZE];
        assert_true(decimal_parse(span_text(right[i][0]), &value));
        decimal_format(value, text);
        assert_string_equal(text, right[i][1]);
    }
}

static void attributes_have_their_rules(void **state)
{
    (void)state;
    static const struct {
        int attribute, release_attribute;
        const char *text;
        bool fits;
    } cases[] = {
        { INTCOOP_NON_ADDITIVE, -1, "COUNTERPART_AREA OFFENCE", true },
        { INTCOOP_NON_ADDITIVE, -1, "COUNTERPART_AREA  OFFENCE", false },
        { INTCOOP_NON_ADDITIVE, -1, "OFFENCE ", false },
        { INTCOOP_NON_ADDITIVE, -1, "AREA", false },
        { INTCOOP_EMBARGO_TIME, -1, "2026-03-01T09:30:00Z", true },
        { INTCOOP_EMBARGO_TIME, -1, "1 March", false },
        { INTCOOP_UPPER_BOUND, -1, "4", true },
        { INTCOOP_UPPER_BOUND, -1, "<5", false },
        { INTCOOP_NATIONAL_TERM, -1, "one\ntwo", false },
        { INTCOOP_NATIONAL_TERM, -1, " blank", false },
        { INTCOOP_NATIONAL_TERM, -1, "ordre public", true },
        { INTCOOP_COMMENT_OBS, -1, "one\ntwo", true },
        { INTCOOP_COMMENT_OBS, -1, "a\xe2\x80\xae", false },
        { INTCOOP_UNIT_MULT, -1, "-3", true },
        { INTCOOP_OBS_STATUS, -1, "Z", false },
        { -1, INTCOOP_REPYEARSTART, "--07-01", true },
        { -1, INTCOOP_REPYEARSTART, "--13-01", false },
        { -1, INTCOOP_REPYEARSTART, "07-01", false },
        { -1, INTCOOP_LAST_UPDATE, "2026-03-01", true },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct component *component =
            cases[i].attribute >= 0
                ? &STRUCTURE_INTCOOP.attributes[cases[i].attribute]
                : &STRUCTURE_INTCOOP.release_attributes[cases[i].release_attribute];
        if (codelist_has(component->codes, span_text(cases[i].text)) != cases[i].fits)
            fail_msg("%s: %s", component->id, cases[i].text);
    }
}

static void structures_are_found_by_name(void **state)
{
    (void)state;
    const struct structure *s = structure_by_dataflow(SPAN_LITERAL("COMITY:DF_INTCOOP(1.0.0)"));
    assert_ptr_equal(s, &STRUCTURE_INTCOOP);
    assert_null(structure_by_dataflow(SPAN_LITERAL("COMITY:DF_INTCOOP(2.0.0)")));
    assert_int_equal(structure_dimension(s, SPAN_LITERAL("TIME_PERIOD")), INTCOOP_TIME_PERIOD);
    assert_int_equal(structure_dimension(s, SPAN_LITERAL("TIME")), -1);
    assert_int_equal(structure_attribute(s, SPAN_LITERAL("DECIMALS")), INTCOOP_DECIMALS);
    assert_int_equal(structure_release_attribute(s, SPAN_LITERAL("TITLE")), INTCOOP_TITLE);
    const struct codelist *offences = s->dimensions[INTCOOP_OFFENCE].codes;
    assert_true(codelist_has(offences, SPAN_LITERAL("ICCS0501")));
    assert_false(codelist_has(offences, SPAN_LITERAL("0501")));
    assert_false(codelist_has(offences, SPAN_LITERAL("ICCS050")));
    assert_false(codelist_has(offences, SPAN_LITERAL("ICCS05a1")));
    assert_string_equal(codelist_name(s->dimensions[INTCOOP_REF_AREA].codes, SPAN_LITERAL("IE")),
                        "Ireland");
    assert_null(codelist_name(offences, SPAN_LITERAL("ICCS0501")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(catalogue_refuses_what_is_not_there),
        cmocka_unit_test(catalogue_has_the_107_articles),
        cmocka_unit_test(language_tags_have_their_usual_shape),
        cmocka_unit_test(areas_have_one_canonical_spelling),
        cmocka_unit_test(area_table_is_ordered_and_the_groups_are_complete),
        cmocka_unit_test(an_area_belongs_to_itself_and_to_the_state_it_is_a_territory_of),
        cmocka_unit_test(a_period_has_one_spelling),
        cmocka_unit_test(decimals_are_plain_numbers_in_their_shortest_form),
        cmocka_unit_test(attributes_have_their_rules),
        cmocka_unit_test(structures_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
