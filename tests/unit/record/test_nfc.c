#include "support/check.h"

#include "record/nfc.h"

static void nfc_finds_an_accent_at_any_place(void **state)
{
    (void)state;
    char text[40];
    struct error err = ERROR_INIT;
    for (size_t at = 0; at + 3 <= sizeof(text); at++) {
        struct buf out = BUF_INIT;
        memset(text, at % 2 == 0 ? 'a' : '\n', sizeof(text));
        memcpy(text + at, "e\xcc\x81", 3); /* e and a combining acute: é, a byte less */
        CHECK_OK(nfc_append(span_of(text, sizeof(text)), &out, &err), &err);
        assert_int_equal(out.size, sizeof(text) - 1);
        assert_memory_equal(out.data + at, "\xc3\xa9", 2);
        buf_fini(&out);
    }
}

static void nfc_refuses_what_is_not_utf8(void **state)
{
    (void)state;
    struct buf out = BUF_INIT;
    struct error err = ERROR_INIT;
    CHECK_STATUS(nfc_append(SPAN_LITERAL("abc\xc3"), &out, &err), ERR_INVALID, &err);
    CHECK_CONTAINS(err.text, "after byte 3");
    assert_int_equal(out.size, 0);
}

static void nfc_gives_one_spelling(void **state)
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
        CHECK_OK(nfc_append(span_text(pairs[i][0]), &out, &err), &err);
        assert_true(span_equal(buf_span(&out), span_text(pairs[i][1])));
        buf_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nfc_finds_an_accent_at_any_place),
        cmocka_unit_test(nfc_refuses_what_is_not_utf8),
        cmocka_unit_test(nfc_gives_one_spelling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
