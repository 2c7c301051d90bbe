#include "crypto/fingerprint.h"
#include "support/check.h"
#include "support/pki.h"

static const char text_of[] =
    "01234 56789 01234 56789 01234 56789 01234 56789 01234 56789 01234 56789";

static void a_fingerprint_is_read_as_people_write_it(void **state)
{
    (void)state;
    const char *rows[] = {
        text_of,
        "012345678901234567890123456789012345678901234567890123456789",
        "01234-56789-01234-56789 01234 56789\n01234 56789 01234 56789\r\n01234 56789\n",
        "  01234.56789.01234.56789.01234.56789.01234.56789.01234.56789.01234.56789\t",
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct error err = ERROR_INIT;
        struct fingerprint fingerprint;
        char text[FINGERPRINT_TEXT_SIZE];
        CHECK_OK(fingerprint_parse(rows[i], &fingerprint, &err), &err);
        fingerprint_format(&fingerprint, text);
        assert_string_equal(text, text_of);
    }
}

static void what_is_no_fingerprint_is_refused(void **state)
{
    (void)state;
    const struct {
        const char *text, *says;
    } rows[] = {
        { "", "these are 0" },
        { "01234", "these are 5" },
        { "0123456789012345678901234567890123456789012345678901234567890", "these are 61" },
        { "01234 5678O", "character 11" },
        { "ab", "digits only" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct error err = ERROR_INIT;
        struct fingerprint fingerprint;
        CHECK_STATUS(fingerprint_parse(rows[i].text, &fingerprint, &err), ERR_INVALID, &err);
        CHECK_CONTAINS(err.text, rows[i].says);
    }
}

static void the_groups_that_differ_are_named(void **state)
{
    (void)state;
    struct fingerprint a;
    struct error err = ERROR_INIT;
    CHECK_OK(fingerprint_parse(text_of, &a, &err), &err);
    assert_true(fingerprint_equal(&a, &a));
    for (size_t i = 0; i < FINGERPRINT_DIGITS; i++) {
        struct fingerprint b = a;
        b.digits[i] = b.digits[i] == '0' ? '1' : '0';
        assert_false(fingerprint_equal(&a, &b));
        assert_int_equal(fingerprint_difference(&a, &b), 1 << (i / 5));
    }
}

/* A certificate whose fingerprint was computed by another program (Python: hashlib and int). */
static void the_number_is_that_of_the_definition(void **state)
{
    (void)state;
    static const char anchor_hex[] =
        "308201f63082019ca003020102021407976775764fc0956e4ad54424a6341ca0ed95fa300a06082a"
        "8648ce3d0403023031310b3009060355040613024b453122302006035504030c19636f6d69747920"
        "747261696e696e67204b4520616e63686f72301e170d3236313132353030303235365a170d343631"
        "3132303030303235365a3031310b3009060355040613024b453122302006035504030c19636f6d69"
        "747920747261696e696e67204b4520616e63686f723059301306072a8648ce3d020106082a8648ce"
        "3d0301070342000437043c11b75d65cc71f89babc6a46c15d3b192cd126c25001fbcab80dad1acd3"
        "0980fa2a97b8566413acf2241f95441876751d952b5132b40bf3eee69165016ea3819130818e301d"
        "0603551d0e041604146fad7e4a58d0cd126b863567c97054bacaa59d1e301f0603551d2304183016"
        "80146fad7e4a58d0cd126b863567c97054bacaa59d1e30280603551d110421301f861d75726e3a63"
        "6f6d6974793a747261696e696e673a6b653a616e63686f7230120603551d130101ff040830060101"
        "ff020100300e0603551d0f0101ff040403020106300a06082a8648ce3d0403020348003045022100"
        "dc10e875e8bd69a5518caa767c55071724d5df9a2ad24f162debd7f5b8af0e3a022033a6ac9f0927"
        "32d17354bc0b09de9dd6ce42789e67699477d8c81c41e7e1eb44";
    uint8_t anchor[(sizeof(anchor_hex) - 1) / 2];
    struct error err = ERROR_INIT;
    CHECK_OK(hex_decode(SPAN_LITERAL(anchor_hex), anchor, sizeof(anchor), &err), &err);
    struct realm realm = { "training" };
    struct code code = { "KE" };
    struct fingerprint fingerprint;
    char text[FINGERPRINT_TEXT_SIZE];
    CHECK_OK(fingerprint_of(&realm, &code, SPAN_ARRAY(anchor), &fingerprint, &err), &err);
    fingerprint_format(&fingerprint, text);
    assert_string_equal(text,
                        "76825 97867 41445 10672 70069 25683 27186 65626 91671 17565 31490 66623");
    CHECK_STATUS(fingerprint_of(&realm, &code, SPAN_LITERAL("x"), &fingerprint, &err), ERR_INVALID,
                 &err);
}

static void realm_code_and_key_all_count(void **state)
{
    (void)state;
    struct pki_state ke;
    struct pki_state other;
    pki_init(&ke, "training", "KE");
    pki_init(&other, "training", "KE");
    struct realm live = { "live" };
    struct code gb = { "GB" };
    struct fingerprint prints[4];
    CHECK_OK(fingerprint_of(&ke.realm, &ke.code, buf_span(&ke.anchor), &prints[0], NULL), NULL);
    CHECK_OK(fingerprint_of(&live, &ke.code, buf_span(&ke.anchor), &prints[1], NULL), NULL);
    CHECK_OK(fingerprint_of(&ke.realm, &gb, buf_span(&ke.anchor), &prints[2], NULL), NULL);
    CHECK_OK(fingerprint_of(&ke.realm, &ke.code, buf_span(&other.anchor), &prints[3], NULL), NULL);
    for (size_t i = 0; i < COUNT(prints); i++)
        for (size_t j = 0; j < i; j++)
            assert_false(fingerprint_equal(&prints[i], &prints[j]));
    pki_fini(&ke);
    pki_fini(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fingerprint_is_read_as_people_write_it),
        cmocka_unit_test(what_is_no_fingerprint_is_refused),
        cmocka_unit_test(the_groups_that_differ_are_named),
        cmocka_unit_test(the_number_is_that_of_the_definition),
        cmocka_unit_test(realm_code_and_key_all_count),
    };
    return cmocka_run_group_tests_name("crypto/fingerprint", tests, NULL, NULL);
}
