#include "base/clock.h"
#include "base/id.h"
#include "base/memory.h"
#include "support/check.h"

static void codes_that_name_no_node_are_refused(void **state)
{
    (void)state;
    const char *rows[] = { "",   "K", "ke", "Ke", "K1", "KE ", " KE", "K\xc3\x89", "ABCDEFGHIJKLM",
                           "U-N" };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct error err = ERROR_INIT;
        struct code code = { "kept" };
        CHECK_STATUS(code_parse(rows[i], &code, &err), ERR_INVALID, &err);
        CHECK_CONTAINS(err.text, "not a node's code");
        assert_string_equal(code.text, "kept");
    }
}

static void only_alpha_2_codes_but_eu_are_states(void **state)
{
    (void)state;
    const struct {
        const char *text;
        bool is_state;
    } rows[] = {
        { "KE", true },   { "EU", false },           { "UNODC", false },
        { "AUC", false }, { "ABCDEFGHIJKL", false },
    };
    struct code last = { "" };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct error err = ERROR_INIT;
        struct code code;
        CHECK_OK(code_parse(rows[i].text, &code, &err), &err);
        assert_string_equal(code.text, rows[i].text);
        assert_int_equal(code_is_state(&code), rows[i].is_state);
        assert_true(code_equal(&code, &code));
        assert_false(code_equal(&code, &last));
        last = code;
    }
}

static void realms_follow_their_grammar(void **state)
{
    (void)state;
    const char *bad[] = {
        "", "Live", "1st", "-live", "a b", "a_b", "abcdefghijklmnopq", "caf\xc3",
    };
    struct realm realm;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct error err = ERROR_INIT;
        CHECK_STATUS(realm_parse(bad[i], &realm, &err), ERR_INVALID, &err);
    }
    const char *good[] = { "live", "x", "test-2026", "abcdefghijklmnop" };
    for (size_t i = 0; i < COUNT(good); i++) {
        CHECK_OK(realm_parse(good[i], &realm, NULL), NULL);
        assert_string_equal(realm.text, good[i]);
        assert_false(realm_is_training(&realm));
    }
    CHECK_OK(realm_parse("training", &realm, NULL), NULL);
    assert_true(realm_is_training(&realm));
}

static void roles_have_the_names_of_their_certificates(void **state)
{
    (void)state;
    assert_string_equal(role_name(ROLE_TLS), "tls");
    assert_string_equal(role_name(ROLE_LOG), "log");
    assert_string_equal(role_name(ROLE_RECEIPT), "receipt");
    assert_string_equal(role_name(ROLE_WITNESS), "witness");
    assert_string_equal(role_name(ROLE_COUNT), "unknown");
}

static void ids_are_ordered_by_their_time(void **state)
{
    (void)state;
    struct random_seeded random;
    random_seeded_init(&random, 1);
    struct id earlier;
    struct id later;
    struct error err = ERROR_INIT;
    CHECK_OK(id_make(&earlier, INT64_C(0x0123456789ab), &random.base, &err), &err);
    CHECK_OK(id_make(&later, INT64_C(0x0123456789ac), &random.base, &err), &err);
    assert_memory_equal(earlier.bytes, "\x01\x23\x45\x67\x89\xab", 6);
    assert_true(id_compare(&earlier, &later) < 0);
    assert_true(id_compare(&later, &earlier) > 0);
    assert_int_equal(id_compare(&later, &later), 0);
    assert_false(id_equal(&earlier, &later));
    assert_false(id_is_none(&earlier));
    assert_true(id_is_none(&ID_NONE));
}

static enum status no_randomness(struct random_source *self,
                                 void *bytes,
                                 size_t size,
                                 struct error *err)
{
    (void)self;
    (void)bytes;
    return error_set(err, ERR_IO, "no randomness for %zu bytes", size);
}

static void no_id_is_made_without_randomness(void **state)
{
    (void)state;
    struct random_source broken = { no_randomness };
    struct id id = ID_NONE;
    struct error err = ERROR_INIT;
    CHECK_STATUS(id_make(&id, 1, &broken, &err), ERR_IO, &err);
    assert_true(id_is_none(&id));
}

static void ids_are_typed_as_32_digits(void **state)
{
    (void)state;
    struct id id;
    struct error err = ERROR_INIT;
    char text[ID_TEXT_SIZE];
    CHECK_OK(id_parse("00ff10203040506070809A0B0C0D0E0F", &id, &err), &err);
    id_format(&id, text);
    assert_string_equal(text, "00ff10203040506070809a0b0c0d0e0f");
    CHECK_STATUS(id_parse("00ff", &id, &err), ERR_INVALID, &err);
    assert_string_equal(err.text, "4 hexadecimal digits where 32 belong");
    CHECK_STATUS(id_parse("00ff10203040506070809g0b0c0d0e0f", &id, &err), ERR_INVALID, &err);
    assert_string_equal(err.text, "character 22 is not a hexadecimal digit");
    id_format(&id, text);
    assert_string_equal(text, "00ff10203040506070809a0b0c0d0e0f");
}

static void digests_differ_in_any_byte(void **state)
{
    (void)state;
    struct digest a = {
        { 1, 2, 3 },
    };
    for (size_t i = 0; i < DIGEST_SIZE; i++) {
        struct digest b = a;
        assert_true(digest_equal(&a, &b));
        b.bytes[i] ^= 0x80;
        assert_false(digest_equal(&a, &b));
    }
}

/* RFC 4648 section 10. */
static const struct {
    const char *plain, *base64;
} vectors[] = {
    { "", "" },
    { "f", "Zg==" },
    { "fo", "Zm8=" },
    { "foo", "Zm9v" },
    { "foob", "Zm9vYg==" },
    { "fooba", "Zm9vYmE=" },
    { "foobar", "Zm9vYmFy" },
};

static void base64_agrees_with_the_rfc(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(vectors); i++) {
        struct error err = ERROR_INIT;
        struct buf text = BUF_INIT;
        struct buf back = BUF_INIT;
        CHECK_OK(base64_encode(span_text(vectors[i].plain), &text, &err), &err);
        assert_true(span_equal(buf_span(&text), span_text(vectors[i].base64)));
        CHECK_OK(base64_decode(buf_span(&text), &back, &err), &err);
        assert_true(span_equal(buf_span(&back), span_text(vectors[i].plain)));
        buf_fini(&text);
        buf_fini(&back);
    }
}

static void base64_carries_every_byte(void **state)
{
    (void)state;
    uint8_t bytes[256];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)i;
    struct buf text = BUF_INIT;
    struct buf back = BUF_INIT;
    CHECK_OK(base64_encode(SPAN_ARRAY(bytes), &text, NULL), NULL);
    CHECK_OK(base64_decode(buf_span(&text), &back, NULL), NULL);
    assert_true(span_equal(buf_span(&back), SPAN_ARRAY(bytes)));
    buf_fini(&text);
    buf_fini(&back);
}

static void base64_in_another_form_is_refused(void **state)
{
    (void)state;
    const struct span rows[] = { SPAN_LITERAL("Zg"),       SPAN_LITERAL("Zg="),
                                 SPAN_LITERAL("Zg==="),    SPAN_LITERAL("===="),
                                 SPAN_LITERAL("Z==="),     SPAN_LITERAL("Zh=="),
                                 SPAN_LITERAL("Zm9="),     SPAN_LITERAL("Zm9v\n"),
                                 SPAN_LITERAL("Zg==Zg=="), SPAN_LITERAL("Zm-_"),
                                 SPAN_LITERAL("Zm\0v"),    SPAN_LITERAL("Zm\xff\xff") };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf back = BUF_INIT;
        CHECK_STATUS(base64_decode(rows[i], &back, NULL), ERR_INVALID, NULL);
        assert_int_equal(back.size, 0);
        buf_fini(&back);
    }
}

static void encodings_without_memory_say_so(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buf out = BUF_INIT;
    mem_fail_at(1, true);
    CHECK_STATUS(base64_encode(SPAN_LITERAL("x"), &out, &err), ERR_MEMORY, &err);
    CHECK_STATUS(base64_decode(SPAN_LITERAL("Zg=="), &out, &err), ERR_MEMORY, &err);
    mem_fail_at(0, false);
    CHECK_STATUS(base64_encode(span_of("", SIZE_MAX), &out, &err), ERR_LIMIT, &err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_that_name_no_node_are_refused),
        cmocka_unit_test(only_alpha_2_codes_but_eu_are_states),
        cmocka_unit_test(realms_follow_their_grammar),
        cmocka_unit_test(roles_have_the_names_of_their_certificates),
        cmocka_unit_test(ids_are_ordered_by_their_time),
        cmocka_unit_test(no_id_is_made_without_randomness),
        cmocka_unit_test(ids_are_typed_as_32_digits),
        cmocka_unit_test(digests_differ_in_any_byte),
        cmocka_unit_test(base64_agrees_with_the_rfc),
        cmocka_unit_test(base64_carries_every_byte),
        cmocka_unit_test(base64_in_another_form_is_refused),
        cmocka_unit_test(encodings_without_memory_say_so),
    };
    return cmocka_run_group_tests_name("base/id and encoding", tests, NULL, NULL);
}
