/* What may stand on a card for an address and a name. */
#include "crypto/card.h"
#include "support/check.h"

#include <stdio.h>
#include <string.h>

static void addresses_follow_their_grammar(void **state)
{
    (void)state;
    const char *good[] = { "a:1",
                           "comity.example:65535",
                           "192.0.2.1:7400",
                           "[2001:db8::1]:7400",
                           "[::ffff:192.0.2.1]:1",
                           "a-b.c:80" };
    const char *bad[] = { "",         ":1",    "a",          "a:",       "a:0",
                          "a:65536",  "a:080", "a:1a",       "a b:1",    "[::1:1",
                          "[]:1",     "::1:1", "[x]:1",      "-a:1",     ".a:1",
                          "a:123456", "a/b:1", "http://a:1", "[::1]x:1", "caf\xc3\xa9:1" };
    struct error err = ERROR_INIT;
    for (size_t i = 0; i < COUNT(good); i++)
        CHECK_OK(card_check_address(good[i], &err), &err);
    for (size_t i = 0; i < COUNT(bad); i++)
        if (card_check_address(bad[i], &err) != ERR_INVALID)
            fail_msg("'%s' was taken", bad[i]);
    char text[400];
    memset(text, 'a', sizeof(text));
    memcpy(text + 253, ":7400", 6);
    CHECK_OK(card_check_address(text, &err), &err);
    memcpy(text + 254, ":7400", 6);
    text[253] = 'a';
    CHECK_STATUS(card_check_address(text, &err), ERR_INVALID, &err);
    memset(text, 'a', sizeof(text));
    memcpy(text + 394, ":7400", 6);
    CHECK_STATUS(card_check_address(text, &err), ERR_INVALID, &err);
}

static void names_are_utf_8_that_shows_what_it_is(void **state)
{
    (void)state;
    const char *good[] = {
        "Kenya", "C\xc3\xb4te d\xe2\x80\x99Ivoire",
        "\xd9\x85\xd8\xb5\xd8\xb1\xe2\x80\x8f", /* Egypt in Arabic, with its mark */
        "\xf0\x9f\x87\xb0\xf0\x9f\x87\xaa"
    };
    const char *bad[] = { "",
                          "a\tb",
                          "a\x7f",
                          "\xc2\x85",     /* next line */
                          "\xe2\x80\xa8", /* line separator */
                          "\xe2\x81\xa6", /* isolate */
                          "\xe2\x80\x8b", /* zero width space */
                          "\xef\xbb\xbf", /* byte order mark */
                          "\xc0\xaf",     /* overlong */
                          "\xe0\x80\xaf",
                          "\xed\xa0\x80",     /* surrogate */
                          "\xf4\x90\x80\x80", /* beyond U+10FFFF */
                          "\xf8\x88\x80\x80\x80",
                          "\xe2\x82",
                          "\xe2\x82z" };
    struct error err = ERROR_INIT;
    for (size_t i = 0; i < COUNT(good); i++)
        CHECK_OK(card_check_name(good[i], &err), &err);
    for (size_t i = 0; i < COUNT(bad); i++)
        CHECK_STATUS(card_check_name(bad[i], &err), ERR_INVALID, &err);
    char text[300];
    memset(text, 'a', sizeof(text));
    text[NAME_MAX_BYTES] = '\0';
    CHECK_OK(card_check_name(text, &err), &err);
    text[NAME_MAX_BYTES] = 'a';
    text[NAME_MAX_BYTES + 1] = '\0';
    CHECK_STATUS(card_check_name(text, &err), ERR_INVALID, &err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_follow_their_grammar),
        cmocka_unit_test(names_are_utf_8_that_shows_what_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
