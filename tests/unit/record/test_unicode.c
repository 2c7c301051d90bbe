#include "support/check.h"

#include "record/text.h"

static void text_scan_finds_what_hides_in_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t size, at;
        enum text_flaw flaw;
    } cases[] = {
        { "a\xff", 2, 1, TEXT_NOT_UTF8 },
        { "\xc0\xaf", 2, 0, TEXT_NOT_UTF8 },      /* overlong */
        { "a\xed\xa0\x80", 4, 1, TEXT_NOT_UTF8 }, /* surrogate */
        { "ab\xe2\x82", 4, 2, TEXT_NOT_UTF8 },    /* cut */
        { "a\0b", 3, 1, TEXT_CONTROL },
        { "a\rb", 3, 1, TEXT_CONTROL },
        { "a\x1b[2J", 5, 1, TEXT_CONTROL },
        { "a\x7f", 2, 1, TEXT_CONTROL },
        { "a\xc2\x9b", 3, 1, TEXT_CONTROL },
        { "a\xe2\x80\xa8", 4, 1, TEXT_CONTROL },   /* line separator */
        { "a\xe2\x80\xae", 4, 1, TEXT_DIRECTION }, /* right-to-left override */
        { "a\xe2\x81\xa9", 4, 1, TEXT_DIRECTION },
        { "a\xe2\x80\x8b", 4, 1, TEXT_INVISIBLE }, /* zero width space */
        { "a\xef\xbb\xbf", 4, 1, TEXT_INVISIBLE },
        { "a\xf3\xa0\x80\xa1", 5, 1, TEXT_INVISIBLE }, /* tag */
        { "", 0, 0, TEXT_CLEAN },
        { "a\tb\nc", 5, 5, TEXT_CLEAN },
        { "\xd8\xa7\xe2\x80\x8f", 5, 5, TEXT_CLEAN }, /* Arabic letter with its mark */
        { "\xf0\x9f\x95\x8a", 4, 4, TEXT_CLEAN },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct text_scan scan = text_scan(span_of(cases[i].text, cases[i].size));
        assert_int_equal(scan.flaw, cases[i].flaw);
        assert_int_equal(scan.at, cases[i].at);
        assert_true(text_flaw_name(scan.flaw)[0] != '\0');
    }
}

/* The same among plain text, wherever its runs of eight bytes begin and end. */
static void text_scan_finds_it_at_any_place_of_a_long_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum text_flaw flaw;
    } cases[] = { { "\xff", TEXT_NOT_UTF8 },
                  { "\x1b", TEXT_CONTROL },
                  { "\x7f", TEXT_CONTROL },
                  { "\xe2\x80\xae", TEXT_DIRECTION },
                  { "\xe2\x80\x8b", TEXT_INVISIBLE },
                  { "\xc3\xa9", TEXT_CLEAN },
                  { "\n", TEXT_CLEAN } };
    char text[40];
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t size = strlen(cases[i].text);
        for (size_t at = 0; at + size <= sizeof(text); at++) {
            memset(text, 'a', sizeof(text));
            memcpy(text + at, cases[i].text, size);
            struct text_scan scan = text_scan(span_of(text, sizeof(text)));
            assert_int_equal(scan.flaw, cases[i].flaw);
            assert_int_equal(scan.at, cases[i].flaw == TEXT_CLEAN ? sizeof(text) : at);
        }
    }
}

static void text_normalise_finds_an_accent_at_any_place(void **state)
{
    (void)state;
    char text[40];
    struct error err = ERROR_INIT;
    for (size_t at = 0; at + 3 <= sizeof(text); at++) {
        struct buf out = BUF_INIT;
        memset(text, at % 2 == 0 ? 'a' : '\n', sizeof(text));
        memcpy(text + at, "e\xcc\x81", 3); /* e and a combining acute: é, a byte less */
        CHECK_OK(text_normalise(span_of(text, sizeof(text)), &out, &err), &err);
        assert_int_equal(out.size, sizeof(text) - 1);
        assert_memory_equal(out.data + at, "\xc3\xa9", 2);
        buf_fini(&out);
    }
}

static void text_normalise_refuses_what_is_not_utf8(void **state)
{
    (void)state;
    struct buf out = BUF_INIT;
    struct error err = ERROR_INIT;
    CHECK_STATUS(text_normalise(SPAN_LITERAL("abc\xc3"), &out, &err), ERR_INVALID, &err);
    CHECK_CONTAINS(err.text, "after byte 3");
    assert_int_equal(out.size, 0);
}

static void text_normalise_gives_one_spelling(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        { "plain", "plain" },
        { "", "" },
        /* e and acute */
        { "e\xcc\x81", "\xc3\xa9" },
        { "\xc3\xa9", "\xc3\xa9" },
        /* Hangul */
        { "\xe1\x84\x80\xe1\x85\xa1", "\xea\xb0\x80" },
        /* Angstrom sign */
        { "\xe2\x84\xab", "\xc3\x85" },
    };
    for (size_t i = 0; i < COUNT(pairs); i++) {
        struct buf out = BUF_INIT;
        struct error err = ERROR_INIT;
        CHECK_OK(text_normalise(span_text(pairs[i][0]), &out, &err), &err);
        assert_true(span_equal(buf_span(&out), span_text(pairs[i][1])));
        buf_fini(&out);
    }
}

static void text_escape_shows_what_a_terminal_would_obey(void **state)
{
    (void)state;
    static const struct {
        const char *text, *shown, *with_lines;
    } cases[] = {
        { "plain \xc3\xa9", "plain \xc3\xa9", "plain \xc3\xa9" },
        { "a\nb\tc", "a\\nb\\tc", "a\nb\tc" },
        { "\x1b[31m", "\\u{1b}[31m", "\\u{1b}[31m" },
        { "\xe2\x80\xae"
          "dna",
          "\\u{202e}dna", "\\u{202e}dna" },
        { "\xe2\x80\x8f", "\\u{200f}", "\\u{200f}" },
        { "\xff", "\\x{ff}", "\\x{ff}" },
        { "C:\\x", "C:\\\\x", "C:\\\\x" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf out = BUF_INIT;
        struct error err = ERROR_INIT;
        CHECK_OK(text_escape(span_text(cases[i].text), false, &out, &err), &err);
        assert_true(span_equal(buf_span(&out), span_text(cases[i].shown)));
        buf_clear(&out);
        CHECK_OK(text_escape(span_text(cases[i].text), true, &out, &err), &err);
        assert_true(span_equal(buf_span(&out), span_text(cases[i].with_lines)));
        buf_fini(&out);
    }
}

static void text_escape_cut_never_cuts_a_character(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t size;
        const char *shown;
    } cases[] = {
        { "12345678", 9, "12345678" },
        { "123456789", 9, "12345..." },
        { "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac", 9, "\xe2\x82\xac..." },
        { "abc\xe2\x80\xae", 9, "abc..." },
        { "", 9, "" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char shown[16];
        text_escape_cut(span_text(cases[i].text), shown, cases[i].size);
        assert_string_equal(shown, cases[i].shown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_scan_finds_what_hides_in_text),
        cmocka_unit_test(text_scan_finds_it_at_any_place_of_a_long_text),
        cmocka_unit_test(text_normalise_finds_an_accent_at_any_place),
        cmocka_unit_test(text_normalise_refuses_what_is_not_utf8),
        cmocka_unit_test(text_normalise_gives_one_spelling),
        cmocka_unit_test(text_escape_shows_what_a_terminal_would_obey),
        cmocka_unit_test(text_escape_cut_never_cuts_a_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
