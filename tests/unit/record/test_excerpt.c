#include "support/check.h"

#include "base/clock.h"
#include "base/memory.h"
#include "record/excerpt.h"

#include <stdlib.h>

/* A good one, with one field changed: NULL leaves it out. */
static struct excerpt excerpt_with(enum excerpt_field changed, const char *text)
{
    static const char *const good[EXCERPT_FIELD_COUNT] = {
        [EXCERPT_KIND] = "good-practice",
        [EXCERPT_INSTRUMENT] = "UNTOC",
        [EXCERPT_ARTICLE] = "18",
        [EXCERPT_PARAGRAPH] = "3(a)",
        [EXCERPT_LANGUAGE] = "en",
        [EXCERPT_TITLE] = "A desk for early contact",
        [EXCERPT_TEXT] = "Drafts may be sent\nbefore they are formal.",
        [EXCERPT_ORIGINATOR] = "Central authority",
        [EXCERPT_DATE] = "2026-03-01",
        [EXCERPT_CONFIDENTIALITY] = "internal",
        [EXCERPT_NATIONAL_TERM] = "Rechtshilfe",
    };
    struct excerpt excerpt;
    struct error err = ERROR_INIT;
    excerpt_init(&excerpt);
    for (unsigned i = 0; i < EXCERPT_FIELD_COUNT; i++) {
        const char *value = i == (unsigned)changed ? text : good[i];
        CHECK_OK(excerpt_set(&excerpt, (enum excerpt_field)i, span_text(value), &err), &err);
    }
    return excerpt;
}

static void excerpt_check_names_each_broken_rule(void **state)
{
    (void)state;
    static const struct {
        enum excerpt_field field;
        const char *text, *says;
    } cases[] = {
        { EXCERPT_KIND, NULL, "kind: kind is missing" },
        { EXCERPT_KIND, "opinion", "\"opinion\": a kind is answer" },
        { EXCERPT_INSTRUMENT, "UNCAC", "an instrument is UNTOC, TIP, SOM or FA" },
        { EXCERPT_ARTICLE, "42", "UNTOC has articles 1 to 41" },
        { EXCERPT_ARTICLE, "article 18", "an article is a number" },
        { EXCERPT_ARTICLE, "018", "an article is a number" },
        { EXCERPT_ARTICLE, "0", "an article is a number" },
        { EXCERPT_ARTICLE, "1234", "an article is a number" },
        { EXCERPT_PARAGRAPH, "3(A)", "a paragraph is written" },
        { EXCERPT_APPLIED_UNDER, "UNTOC", "a Protocol under which" },
        { EXCERPT_CLUSTER, "5", "a cluster is I, II, III or IV" },
        { EXCERPT_LANGUAGE, "English", "a BCP 47 tag" },
        { EXCERPT_TITLE, NULL, "title is missing" },
        { EXCERPT_TITLE, "two\nlines", "a line break" },
        { EXCERPT_TITLE, "a\ttab", "a line break or a tab" },
        { EXCERPT_TITLE, " blank", "begins or ends with a blank" },
        { EXCERPT_TITLE,
          "a\xe2\x80\xae"
          "b",
          "byte 2 is a character that changes the direction" },
        { EXCERPT_TEXT, NULL, "text is missing" },
        { EXCERPT_TEXT, " \n\t", "only blanks" },
        { EXCERPT_TEXT, "bell \x07", "byte 6 is a control character" },
        { EXCERPT_TEXT, "zero\xe2\x80\x8bwidth", "an invisible character" },
        { EXCERPT_ORIGINATOR, NULL, "originator is missing" },
        { EXCERPT_DATE, "1 March 2026", "a day of the calendar" },
        { EXCERPT_DATE, "2026-02-30", "a day of the calendar" },
        { EXCERPT_CONFIDENTIALITY, "secret", "public, internal, restricted or confidential" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct excerpt excerpt = excerpt_with(cases[i].field, cases[i].text);
        struct problems problems;
        struct buf out = BUF_INIT, bytes = BUF_INIT;
        struct error err = ERROR_INIT;
        problems_init(&problems, "x.csv");
        excerpt_check(&excerpt, 7, &problems);
        assert_int_equal(problems.total, 1);
        assert_int_equal(problems.items[0].line, 7);
        CHECK_OK(problem_format(&problems, &problems.items[0], &out, &err), &err);
        CHECK_OK(buf_terminate(&out, &err), &err);
        CHECK_CONTAINS((const char *)out.data, cases[i].says);
        CHECK_CONTAINS((const char *)out.data, "x.csv:7: ");
        CHECK_STATUS(excerpt_encode(&excerpt, &bytes, &err), ERR_INVALID, &err);
        assert_int_equal(bytes.size, 0);
        problems_fini(&problems);
        buf_fini(&out);
        excerpt_fini(&excerpt);
    }
}

static void excerpt_check_lists_all_problems_at_once(void **state)
{
    (void)state;
    struct excerpt excerpt;
    struct problems problems;
    excerpt_init(&excerpt);
    problems_init(&problems, NULL);
    excerpt_check(&excerpt, 0, &problems);
    assert_int_equal(problems.total, 9); /* the required fields */
    struct error err = ERROR_INIT;
    CHECK_STATUS(problems_status(&problems, &err), ERR_INVALID, &err);
    CHECK_CONTAINS(err.text, "9 problems; the first: kind");
    problems_fini(&problems);
    excerpt_fini(&excerpt);
}

static void excerpt_check_refuses_what_is_too_long(void **state)
{
    (void)state;
    static const struct {
        enum excerpt_field field;
        size_t max;
    } cases[] = {
        { EXCERPT_TITLE, TITLE_MAX },
        { EXCERPT_TEXT, TEXT_MAX },
        { EXCERPT_ITEM, NAME_MAX_BYTES },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct excerpt excerpt = excerpt_with(EXCERPT_TITLE, "title");
        struct error err = ERROR_INIT;
        struct buf bytes = BUF_INIT;
        char *text = calloc(1, CSV_FIELD_MAX + 2);
        memset(text, 'x', cases[i].max);
        CHECK_OK(excerpt_set(&excerpt, cases[i].field, span_of(text, cases[i].max), &err), &err);
        CHECK_OK(excerpt_encode(&excerpt, &bytes, &err), &err);
        memset(text, 'x', CSV_FIELD_MAX + 1);
        if (cases[i].max < CSV_FIELD_MAX) {
            CHECK_OK(excerpt_set(&excerpt, cases[i].field, span_of(text, cases[i].max + 1), &err),
                     &err);
            CHECK_STATUS(excerpt_encode(&excerpt, &bytes, &err), ERR_INVALID, &err);
            CHECK_CONTAINS(err.text, "bytes are more than");
        }
        CHECK_STATUS(excerpt_set(&excerpt, cases[i].field, span_of(text, CSV_FIELD_MAX + 1), &err),
                     ERR_LIMIT, &err);
        free(text);
        buf_fini(&bytes);
        excerpt_fini(&excerpt);
    }
}

static void excerpt_set_refuses_what_is_no_text(void **state)
{
    (void)state;
    struct excerpt excerpt;
    struct error err = ERROR_INIT;
    excerpt_init(&excerpt);
    CHECK_STATUS(excerpt_set(&excerpt, EXCERPT_TITLE, SPAN_LITERAL("\xff"), &err), ERR_INVALID,
                 &err);
    CHECK_CONTAINS(err.text, "title: text is not UTF-8");
    CHECK_STATUS(excerpt_set(&excerpt, EXCERPT_FIELD_COUNT, SPAN_LITERAL("x"), &err), ERR_INVALID,
                 &err);
    excerpt_fini(&excerpt);
    excerpt_fini(NULL);
    assert_string_equal(excerpt_field_name(EXCERPT_FIELD_COUNT), "?");
    assert_int_equal(excerpt_get(&excerpt, EXCERPT_FIELD_COUNT).size, 0);
}

static void excerpt_decode_refuses_bytes_that_are_not_canonical(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        enum status status;
        const char *says;
    } cases[] = {
        { "", 0, ERR_INVALID, "cut short" },
        { "\x02", 1, ERR_UNSUPPORTED, "format version 2" },
        { "\x01", 1, ERR_INVALID, "kind is missing" },
        { "\x01\x00", 2, ERR_INVALID, "cut short" },
        { "\x01\x00\x06"
          "ans",
          6, ERR_INVALID, "cut short" },
        { "\x01\x11\x01x", 4, ERR_UNSUPPORTED, "field 17 is not known" },
        { "\x01\x00\x00", 3, ERR_INVALID, "empty or out of order" },
        { "\x01\x01\x03TIP\x00\x06"
          "answer",
          14, ERR_INVALID, "empty or out of order" },
        { "\x01\x01\x03TIP\x01\x03TIP", 11, ERR_INVALID, "empty or out of order" },
        { "\x01\x09\xff\xff\xff\xff\x0f", 7, ERR_LIMIT, "title" },
        { "\x01\x09\x03"
          "e\xcc\x81",
          6, ERR_INVALID, "not in its normal form" },
        { "\x01\x0a\x03"
          "a\r\n",
          6, ERR_INVALID, "not in its normal form" },
        { "\x01\x0a\x01\xff", 4, ERR_INVALID, "not UTF-8" },
        { "\x01\x00\x06"
          "answer",
          9, ERR_INVALID, "problems" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct excerpt excerpt;
        struct error err = ERROR_INIT;
        CHECK_STATUS(excerpt_decode(span_of(cases[i].bytes, cases[i].size), &excerpt, &err),
                     cases[i].status, &err);
        CHECK_CONTAINS(err.text, cases[i].says);
    }
}

/* What is said of it goes back to its publisher in the clear. */
static void what_is_refused_of_others_is_not_quoted(void **state)
{
    (void)state;
    static const uint8_t bytes[] = "\x01\x00\x06"
                                   "secret";
    struct excerpt excerpt;
    struct error err = ERROR_INIT;
    CHECK_STATUS(excerpt_decode(span_of(bytes, sizeof(bytes) - 1), &excerpt, &err), ERR_INVALID,
                 &err);
    CHECK_CONTAINS(err.text, "kind: ");
    assert_null(strstr(err.text, "secret"));
}

static void excerpt_decode_refuses_every_cut_and_survives_every_flip(void **state)
{
    (void)state;
    struct excerpt excerpt = excerpt_with(EXCERPT_ITEM, "DE-18-1"), decoded;
    struct buf bytes = BUF_INIT;
    struct error err = ERROR_INIT;
    CHECK_OK(excerpt_encode(&excerpt, &bytes, &err), &err);
    int64_t live = mem_live();
    size_t taken = 0; /* only the two optional fields at the end can be missing */
    for (size_t size = 0; size < bytes.size; size++) {
        if (excerpt_decode(span_of(bytes.data, size), &decoded, &err) == OK) {
            taken++;
            excerpt_fini(&decoded);
        }
    }
    assert_int_equal(taken, 2);
    for (size_t bit = 0; bit < 8 * bytes.size; bit++) {
        bytes.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        if (excerpt_decode(buf_span(&bytes), &decoded, &err) == OK) {
            struct buf again = BUF_INIT; /* what is taken is the one spelling of what it says */
            CHECK_OK(excerpt_encode(&decoded, &again, &err), &err);
            assert_true(span_equal(buf_span(&again), buf_span(&bytes)));
            buf_fini(&again);
            excerpt_fini(&decoded);
        }
        bytes.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    assert_int_equal(mem_live(), live);
    buf_fini(&bytes);
    excerpt_fini(&excerpt);
}

static void excerpt_decode_survives_every_failed_allocation(void **state)
{
    (void)state;
    struct excerpt excerpt = excerpt_with(EXCERPT_TITLE, "e\xcc\x81tat"), decoded;
    struct buf bytes = BUF_INIT;
    struct error err = ERROR_INIT;
    CHECK_OK(excerpt_encode(&excerpt, &bytes, &err), &err);
    int64_t live = mem_live();
    bool hit = true;
    for (uint64_t nth = 1; hit; nth++) {
        mem_fail_at(nth, nth % 2 == 0);
        enum status status = excerpt_decode(buf_span(&bytes), &decoded, &err);
        hit = mem_fail_hit();
        mem_fail_at(0, false);
        assert_int_equal(status, hit ? ERR_MEMORY : OK);
        if (status == OK)
            excerpt_fini(&decoded);
        assert_int_equal(mem_live(), live);
        assert_true(nth < 200);
    }
    buf_fini(&bytes);
    excerpt_fini(&excerpt);
}

static void an_excerpt_comes_back_as_it_went_in(void **state)
{
    (void)state;
    struct excerpt excerpt = excerpt_with(EXCERPT_TEXT, "one\r\ntwo\rthree e\xcc\x81"), decoded;
    struct buf bytes = BUF_INIT, again = BUF_INIT;
    struct error err = ERROR_INIT;
    CHECK_OK(excerpt_encode(&excerpt, &bytes, &err), &err);
    CHECK_OK(excerpt_decode(buf_span(&bytes), &decoded, &err), &err);
    CHECK_OK(excerpt_encode(&decoded, &again, &err), &err);
    assert_true(span_equal(buf_span(&bytes), buf_span(&again)));
    assert_true(
        span_equal(excerpt_get(&decoded, EXCERPT_TEXT), SPAN_LITERAL("one\ntwo\nthree \xc3\xa9")));
    assert_int_equal(excerpt_kind(&decoded), KIND_GOOD_PRACTICE);
    assert_int_equal(excerpt_instrument(&decoded), INSTRUMENT_UNTOC);
    assert_int_equal(excerpt_article(&decoded), 18);
    assert_int_equal(excerpt_cluster(&decoded), 4);
    CHECK_OK(excerpt_set(&decoded, EXCERPT_CLUSTER, SPAN_LITERAL("II"), &err), &err);
    assert_int_equal(excerpt_cluster(&decoded), 2);
    struct excerpt moved = excerpt_move(&decoded);
    assert_int_equal(excerpt_get(&decoded, EXCERPT_TITLE).size, 0);
    assert_int_equal(excerpt_kind(&decoded), KIND_NONE);
    excerpt_fini(&moved);
    excerpt_fini(&decoded);
    excerpt_fini(&excerpt);
    buf_fini(&bytes);
    buf_fini(&again);
}

static void a_convention_article_may_be_applied_under_a_protocol_only(void **state)
{
    (void)state;
    struct excerpt excerpt = excerpt_with(EXCERPT_APPLIED_UNDER, "TIP");
    struct buf bytes = BUF_INIT;
    struct error err = ERROR_INIT;
    CHECK_OK(excerpt_encode(&excerpt, &bytes, &err), &err);
    CHECK_OK(excerpt_set(&excerpt, EXCERPT_INSTRUMENT, SPAN_LITERAL("SOM"), &err), &err);
    CHECK_STATUS(excerpt_encode(&excerpt, &bytes, &err), ERR_INVALID, &err);
    CHECK_CONTAINS(err.text, "only an article of the Convention");
    buf_fini(&bytes);
    excerpt_fini(&excerpt);
}

static void random_excerpts_come_back_as_they_went_in(void **state)
{
    (void)state;
    struct random_seeded random;
    random_seeded_init(&random, 18);
    static const char *const pieces[] = {
        "a", "Z",  "\xc3\xa9", "e\xcc\x81", "\n", "\xe2\x80\x8f\xd8\xa7", "\xf0\x9f\x95\x8a",
        "0", "\"", ",",        "\t",
    };
    for (unsigned round = 0; round < 300; round++) {
        char text[256] = "x";
        for (unsigned i = 0; i < 30; i++)
            strncat(text, pieces[random_seeded_next(&random) % COUNT(pieces)], 8);
        struct excerpt excerpt = excerpt_with(EXCERPT_TEXT, text), decoded;
        struct buf bytes = BUF_INIT, again = BUF_INIT;
        struct error err = ERROR_INIT;
        CHECK_OK(excerpt_encode(&excerpt, &bytes, &err), &err);
        CHECK_OK(excerpt_decode(buf_span(&bytes), &decoded, &err), &err);
        CHECK_OK(excerpt_encode(&decoded, &again, &err), &err);
        assert_true(span_equal(buf_span(&bytes), buf_span(&again)));
        excerpt_fini(&excerpt);
        excerpt_fini(&decoded);
        buf_fini(&bytes);
        buf_fini(&again);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(excerpt_check_names_each_broken_rule),
        cmocka_unit_test(excerpt_check_lists_all_problems_at_once),
        cmocka_unit_test(excerpt_check_refuses_what_is_too_long),
        cmocka_unit_test(excerpt_set_refuses_what_is_no_text),
        cmocka_unit_test(excerpt_decode_refuses_bytes_that_are_not_canonical),
        cmocka_unit_test(what_is_refused_of_others_is_not_quoted),
        cmocka_unit_test(excerpt_decode_refuses_every_cut_and_survives_every_flip),
        cmocka_unit_test(excerpt_decode_survives_every_failed_allocation),
        cmocka_unit_test(an_excerpt_comes_back_as_it_went_in),
        cmocka_unit_test(a_convention_article_may_be_applied_under_a_protocol_only),
        cmocka_unit_test(random_excerpts_come_back_as_they_went_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
