#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

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
static const struct text_case cases[] = {
    CASE("\x80", TEXT_ANY, "not UTF-8 at byte 0"),
    CASE("ab\xc0\xaf", TEXT_ANY, "not UTF-8 at byte 2"), /* overlong slash */
    CASE("\xe0\x80\xaf", TEXT_ANY, "not UTF-8"),         /* overlong in three */
    CASE("\xf0\x80\x80\xaf", TEXT_ANY, "not UTF-8"),     /* overlong in four */
    CASE("\xed\xa0\x80", TEXT_ANY, "not UTF-8"),         /* surrogate */
    CASE("\xf4\x90\x80\x80", TEXT_ANY, "not UTF-8"),     /* beyond U+10FFFF */
    CASE("\xf5\x80\x80\x80", TEXT_ANY, "not UTF-8"),
    CASE("\xe2\x82", TEXT_ANY, "not UTF-8"), /* cut short */
    CASE("\xe2\x28\xa1", TEXT_ANY, "not UTF-8"),
    CASE("a\0b", TEXT_ANY, "U+0000 at byte 1"),
    CASE("a\nb", TEXT_LINE, "U+000A at byte 1"),
    CASE("\x1b[2J", TEXT_LINE, "U+001B"),
    CASE("\x1b[2J", TEXT_LINES, "U+001B"),
    CASE("\xc2\x9b", TEXT_LINE, "U+009B"),                /* C1 control sequence introducer */
    CASE("x\xe2\x80\xae", TEXT_LINE, "U+202E at byte 1"), /* right-to-left override */
    CASE("\xe2\x81\xa6", TEXT_LINES, "U+2066"),           /* isolate */
    CASE("\xd8\x9c", TEXT_LINE, "U+061C"),
    CASE("", TEXT_LINE, NULL),
    CASE("a\n\tb", TEXT_LINES, NULL),
    CASE("\x1b\xe2\x80\xae", TEXT_ANY, NULL),
    CASE("C\xc3\xb4te d\xe2\x80\x99Ivoire \xf0\x9f\x95\x8a", TEXT_LINE, NULL),
};
/* NOLINTEND(misc-misleading-bidirectional) */

static void text_check_refuses_what_is_not_text_and_says_where(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error err = ERROR_INIT;
        struct span text = span_of(cases[i].bytes, cases[i].size);
        enum status got = text_check(text, cases[i].rule, "title", &err);
        assert_int_equal(got, cases[i].says == NULL ? OK : ERR_INVALID);
        if (cases[i].says != NULL) {
            assert_non_null(strstr(err.text, cases[i].says));
            assert_memory_equal(err.text, "title: ", 7);
        }
    }
}

/* Any one byte at any place among 24 of plain text: the run of eights and the rule for single
 * characters must agree about it. */
static void text_plain_size_stops_at_every_byte_that_is_not_plain(void **state)
{
    (void)state;
    char text[24];
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_check_refuses_what_is_not_text_and_says_where),
        cmocka_unit_test(text_plain_size_stops_at_every_byte_that_is_not_plain),
        cmocka_unit_test(text_decode_gives_points_and_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
