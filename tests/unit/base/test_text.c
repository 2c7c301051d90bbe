#include "support/check.h"

#include "base/text.h"

struct text_case {
    const char *bytes;
    size_t size;
    enum text_rule rule;
    const char *says; /* NULL: accepted */
};

#define CASE(bytes, rule, says)                 \
    {                                           \
        (bytes), sizeof(bytes) - 1, rule, says, \
    }

/* NOLINTBEGIN(misc-misleading-bidirectional): that is what is refused */
static const struct text_case checked[] = {
    CASE("\x80", TEXT_ANY, "not UTF-8 at byte 1"),
    CASE("ab\xc0\xaf", TEXT_ANY, "not UTF-8 at byte 3"), /* overlong slash */
    CASE("\xe0\x80\xaf", TEXT_ANY, "not UTF-8"),         /* overlong in three */
    CASE("\xf0\x80\x80\xaf", TEXT_ANY, "not UTF-8"),     /* overlong in four */
    CASE("\xed\xa0\x80", TEXT_ANY, "not UTF-8"),         /* surrogate */
    CASE("\xf4\x90\x80\x80", TEXT_ANY, "not UTF-8"),     /* beyond U+10FFFF */
    CASE("\xf5\x80\x80\x80", TEXT_ANY, "not UTF-8"),
    CASE("\xe2\x82", TEXT_ANY, "not UTF-8"), /* cut short */
    CASE("\xe2\x28\xa1", TEXT_ANY, "not UTF-8"),
    CASE("a\0b", TEXT_ANY, "U+0000 at byte 2"),
    CASE("a\nb", TEXT_LINE, "U+000A at byte 2"),
    CASE("\x1b[2J", TEXT_LINE, "U+001B"),
    CASE("\x1b[2J", TEXT_LINES, "U+001B"),
    CASE("\xc2\x9b", TEXT_LINE, "U+009B"),                /* C1 control sequence introducer */
    CASE("x\xe2\x80\xae", TEXT_LINE, "U+202E at byte 2"), /* right-to-left override */
    CASE("\xe2\x81\xa6", TEXT_LINES, "U+2066"),           /* isolate */
    CASE("x\xe2\x80\x8b", TEXT_LINE, "U+200B at byte 2 is an invisible character"),
    CASE("x\xef\xbb\xbf", TEXT_LINES, "U+FEFF at byte 2 is an invisible character"),
    CASE("a\tb", TEXT_LINE, "U+0009 at byte 2 is a line break or a tab"),
    CASE("", TEXT_LINE, NULL),
    /* Arabic and its marks, and the joiner of Persian: languages need them */
    CASE("\xd8\xa7\xe2\x80\x8f\xd8\x9c\xe2\x80\x8c", TEXT_LINE, NULL),
    CASE("a\n\tb", TEXT_LINES, NULL),
    CASE("\x1b\xe2\x80\xae", TEXT_ANY, NULL),
    CASE("C\xc3\xb4te d\xe2\x80\x99Ivoire \xf0\x9f\x95\x8a", TEXT_LINE, NULL),
};
/* NOLINTEND(misc-misleading-bidirectional) */

static void text_check_refuses_what_is_not_text_and_says_where(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(checked); i++) {
        struct error err = ERROR_INIT;
        struct span text = span_of(checked[i].bytes, checked[i].size);
        enum status got = text_check(text, checked[i].rule, "title", &err);
        assert_int_equal(got, checked[i].says == NULL ? OK : ERR_INVALID);
        if (checked[i].says != NULL) {
            assert_non_null(strstr(err.text, checked[i].says));
            assert_memory_equal(err.text, "title: ", 7);
        }
    }
}

/* Any one byte at any place among 88 of plain text: the run of eights and the rule for single
 * characters must agree about it. */
static void text_plain_size_stops_at_every_byte_that_is_not_plain(void **state)
{
    (void)state;
    char text[88]; /* more than two runs of four eights */
    for (unsigned byte = 0; byte <= 0xff; byte++) {
        bool plain = byte >= 0x20 && byte <= 0x7e;
        for (size_t at = 0; at < sizeof(text); at++) {
            memset(text, '~' - (int)(at % 3), sizeof(text));
            text[at] = (char)byte;
            size_t want = plain ? sizeof(text) : at / 8 * 8;
            assert_int_equal(text_plain_size(span_of(text, sizeof(text))), want);
            struct error err = ERROR_INIT;
            bool fine = text_check(span_of(text, sizeof(text)), TEXT_LINE, "x", &err) == OK;
            assert_int_equal(fine, plain);
        }
    }
    for (size_t size = 0; size < 8; size++)
        assert_int_equal(text_plain_size(span_of("abcdefgh", size)), 0);
}

static void text_decode_gives_points_and_lengths(void **state)
{
    (void)state;
    uint32_t point = 7;
    assert_int_equal(text_decode(SPAN_EMPTY, &point), 0);
    assert_int_equal(point, 7);
    assert_int_equal(text_decode(SPAN_LITERAL("z"), &point), 1);
    assert_int_equal(point, 'z');
    assert_int_equal(text_decode(SPAN_LITERAL("\xf4\x8f\xbf\xbf"), &point), 4);
    assert_int_equal(point, 0x10ffff);
}

static void text_finds_what_hides_in_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t size, at;
        enum text_kind kind;
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
        { "", 0, 0, TEXT_PLAIN },
        { "a\tb\nc", 5, 5, TEXT_PLAIN },
        { "\xd8\xa7\xe2\x80\x8f", 5, 5, TEXT_PLAIN }, /* Arabic letter with its mark */
        { "\xf0\x9f\x95\x8a", 4, 4, TEXT_PLAIN },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct text_flaw flaw = text_find_flaw(span_of(cases[i].text, cases[i].size), TEXT_LINES);
        assert_int_equal(flaw.kind, cases[i].kind);
        assert_int_equal(flaw.at, cases[i].at);
        assert_true(text_kind_name(flaw.kind)[0] != '\0');
    }
}

/* The same among plain text, wherever its runs of eight bytes begin and end. */
static void text_finds_it_at_any_place_of_a_long_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum text_kind kind;
    } cases[] = { { "\xff", TEXT_NOT_UTF8 },
                  { "\x1b", TEXT_CONTROL },
                  { "\x7f", TEXT_CONTROL },
                  { "\xe2\x80\xae", TEXT_DIRECTION },
                  { "\xe2\x80\x8b", TEXT_INVISIBLE },
                  { "\xc3\xa9", TEXT_PLAIN },
                  { "\n", TEXT_PLAIN } };
    char text[40];
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t size = strlen(cases[i].text);
        for (size_t at = 0; at + size <= sizeof(text); at++) {
            memset(text, 'a', sizeof(text));
            memcpy(text + at, cases[i].text, size);
            struct text_flaw flaw = text_find_flaw(span_of(text, sizeof(text)), TEXT_LINES);
            assert_int_equal(flaw.kind, cases[i].kind);
            assert_int_equal(flaw.at, cases[i].kind == TEXT_PLAIN ? sizeof(text) : at);
        }
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
        cmocka_unit_test(text_check_refuses_what_is_not_text_and_says_where),
        cmocka_unit_test(text_plain_size_stops_at_every_byte_that_is_not_plain),
        cmocka_unit_test(text_decode_gives_points_and_lengths),
        cmocka_unit_test(text_finds_what_hides_in_text),
        cmocka_unit_test(text_finds_it_at_any_place_of_a_long_text),
        cmocka_unit_test(text_escape_shows_what_a_terminal_would_obey),
        cmocka_unit_test(text_escape_cut_never_cuts_a_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
