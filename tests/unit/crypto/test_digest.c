#include "base/memory.h"
#include "crypto/digest.h"
#include "crypto/seal.h"
#include "support/check.h"

/* FIPS 180-2 appendix B, and the digest of nothing. */
static const struct {
    const char *text;
    const char *digest;
} digests[] = {
    { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
    { "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
    { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
};

static void check_hex(struct span bytes, const char *hex)
{
    char text[512];
    hex_encode(bytes, text);
    assert_string_equal(text, hex);
}

static void sha_256_agrees_with_the_standard(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct digest digest;
    for (size_t i = 0; i < COUNT(digests); i++) {
        struct span whole = span_text(digests[i].text);
        CHECK_OK(sha256_of(&whole, 1, &digest, &err), &err);
        check_hex(SPAN_ARRAY(digest.bytes), digests[i].digest);
        /* in two parts, cut anywhere */
        for (size_t cut = 0; cut <= whole.size; cut++) {
            struct span parts[] = { span_slice(whole, 0, cut), span_slice(whole, cut, SIZE_MAX) };
            CHECK_OK(sha256_of(parts, 2, &digest, &err), &err);
            check_hex(SPAN_ARRAY(digest.bytes), digests[i].digest);
        }
    }
}

static void a_context_is_used_again_and_again(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct sha256 *sha = NULL;
    struct digest digest;
    uint8_t block[1000];
    memset(block, 'a', sizeof(block));
    CHECK_OK(sha256_new(&sha, &err), &err);
    for (int turn = 0; turn < 2; turn++) {
        sha256_start(sha);
        for (int i = 0; i < 1000; i++)
            sha256_add(sha, SPAN_ARRAY(block));
        CHECK_OK(sha256_final(sha, &digest, &err), &err);
        check_hex(SPAN_ARRAY(digest.bytes),
                  "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    }
    sha256_start(sha);
    sha256_add_u32(sha, 0x61626300); /* "abc" and a NUL */
    CHECK_OK(sha256_final(sha, &digest, &err), &err);
    struct digest same;
    struct span four = { (const uint8_t *)"abc", 4 };
    CHECK_OK(sha256_of(&four, 1, &same, &err), &err);
    assert_true(digest_equal(&digest, &same));
    sha256_free(sha);
    sha256_free(NULL);
    mem_fail_at(1, false);
    CHECK_STATUS(sha256_new(&sha, &err), ERR_MEMORY, &err);
    mem_fail_at(0, false);
}

/* A source of "randomness" that gives the nonce of a test case. */
struct fixed {
    struct random_source base;
    uint8_t bytes[SEAL_NONCE_SIZE];
    bool broken;
};

static enum status fixed_fill(struct random_source *self,
                              void *bytes,
                              size_t size,
                              struct error *err)
{
    struct fixed *fixed = (struct fixed *)self;
    if (fixed->broken)
        return error_set(err, ERR_IO, "no randomness");
    memset(bytes, 0, size);
    memcpy(bytes, fixed->bytes, size < sizeof(fixed->bytes) ? size : sizeof(fixed->bytes));
    return OK;
}

/* McGrew, Viega: The Galois/Counter Mode of Operation, appendix B, test cases 13, 14 and 16. */
static const struct {
    const char *key, *nonce, *associated, *plain, *sealed;
} cases[] = {
    { "0000000000000000000000000000000000000000000000000000000000000000",
      "000000000000000000000000", "", "", "530f8afbc74536b9a963b4f1c4cb738b" },
    { "0000000000000000000000000000000000000000000000000000000000000000",
      "000000000000000000000000", "", "00000000000000000000000000000000",
      "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919" },
    { "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
      "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
      "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
      "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
      "76fc6ece0f4e1768cddf8853bb2d551b" },
};

static size_t from_hex(const char *hex, uint8_t *bytes)
{
    size_t size = strlen(hex) / 2;
    CHECK_OK(hex_decode(span_text(hex), bytes, size, NULL), NULL);
    return size;
}

static void sealing_agrees_with_the_mode(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct error err = ERROR_INIT;
        struct fixed random = { .base = { fixed_fill } };
        struct sealer *sealer = NULL;
        struct seal_key key;
        uint8_t associated[64];
        uint8_t plain[128];
        from_hex(cases[i].key, key.bytes);
        from_hex(cases[i].nonce, random.bytes);
        struct span text = span_of(plain, from_hex(cases[i].plain, plain));
        struct span with[] = { span_of(associated, from_hex(cases[i].associated, associated)),
                               SPAN_EMPTY };
        struct span split[] = { span_slice(with[0], 0, 5), span_slice(with[0], 5, SIZE_MAX) };
        struct buf sealed = BUF_INIT;
        struct buf opened = BUF_INIT_SECRET;
        CHECK_OK(sealer_new(&random.base, &sealer, &err), &err);
        CHECK_OK(seal(sealer, &key, with, 2, text, &sealed, &err), &err);
        assert_memory_equal(sealed.data, random.bytes, SEAL_NONCE_SIZE);
        check_hex(span_slice(buf_span(&sealed), SEAL_NONCE_SIZE, SIZE_MAX), cases[i].sealed);
        CHECK_OK(seal_open(sealer, &key, split, 2, buf_span(&sealed), &opened, &err), &err);
        assert_true(span_equal(buf_span(&opened), text));
        buf_fini(&sealed);
        buf_fini(&opened);
        sealer_free(sealer);
    }
}

static void nothing_changed_opens(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct random_seeded random;
    struct sealer *sealer = NULL;
    struct seal_key key;
    struct buf sealed = BUF_INIT;
    struct buf opened = BUF_INIT;
    struct span with = SPAN_LITERAL("origin");
    struct span other = SPAN_LITERAL("Origin");
    random_seeded_init(&random, 7);
    CHECK_OK(sealer_new(&random.base, &sealer, &err), &err);
    CHECK_OK(seal_key_make(&random.base, &key, &err), &err);
    CHECK_OK(seal(sealer, &key, &with, 1, SPAN_LITERAL("excerpt"), &sealed, &err), &err);
    CHECK_OK(buf_append_text(&opened, "kept", &err), &err);
    for (size_t i = 0; i < sealed.size; i++) {
        sealed.data[i] ^= 1;
        CHECK_STATUS(seal_open(sealer, &key, &with, 1, buf_span(&sealed), &opened, &err),
                     ERR_SIGNATURE, &err);
        sealed.data[i] ^= 1;
    }
    CHECK_STATUS(seal_open(sealer, &key, &other, 1, buf_span(&sealed), &opened, &err),
                 ERR_SIGNATURE, &err);
    key.bytes[31] ^= 1;
    CHECK_STATUS(seal_open(sealer, &key, &with, 1, buf_span(&sealed), &opened, &err), ERR_SIGNATURE,
                 &err);
    key.bytes[31] ^= 1;
    for (size_t size = 0; size < sealed.size; size++)
        assert_int_not_equal(
            seal_open(sealer, &key, &with, 1, span_of(sealed.data, size), &opened, &err), OK);
    assert_true(span_equal(buf_span(&opened), SPAN_LITERAL("kept")));
    CHECK_OK(seal_open(sealer, &key, &with, 1, buf_span(&sealed), &opened, &err), &err);
    assert_true(span_equal(buf_span(&opened), SPAN_LITERAL("keptexcerpt")));
    buf_fini(&sealed);
    buf_fini(&opened);
    sealer_free(sealer);
}

static void sealing_fails_without_memory_or_randomness(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct fixed random = { .base = { fixed_fill } };
    struct sealer *sealer = NULL;
    struct seal_key key = { { 1 } };
    struct buf sealed = BUF_INIT;
    mem_fail_at(1, false);
    CHECK_STATUS(sealer_new(&random.base, &sealer, &err), ERR_MEMORY, &err);
    CHECK_OK(sealer_new(&random.base, &sealer, &err), &err);
    mem_fail_at(1, false);
    CHECK_STATUS(seal(sealer, &key, NULL, 0, SPAN_LITERAL("x"), &sealed, &err), ERR_MEMORY, &err);
    CHECK_OK(seal(sealer, &key, NULL, 0, SPAN_LITERAL("x"), &sealed, &err), &err);
    struct buf opened = BUF_INIT;
    mem_fail_at(1, false);
    CHECK_STATUS(seal_open(sealer, &key, NULL, 0, buf_span(&sealed), &opened, &err), ERR_MEMORY,
                 &err);
    mem_fail_at(0, false);
    random.broken = true;
    size_t before = sealed.size;
    CHECK_STATUS(seal(sealer, &key, NULL, 0, SPAN_LITERAL("x"), &sealed, &err), ERR_IO, &err);
    CHECK_STATUS(seal_key_make(&random.base, &key, &err), ERR_IO, &err);
    CHECK_STATUS(seal(sealer, &key, NULL, 0, span_of("", (size_t)INT32_MAX), &sealed, &err),
                 ERR_LIMIT, &err);
    assert_int_equal(sealed.size, before);
    buf_fini(&sealed);
    buf_fini(&opened);
    sealer_free(sealer);
    sealer_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha_256_agrees_with_the_standard),
        cmocka_unit_test(a_context_is_used_again_and_again),
        cmocka_unit_test(sealing_agrees_with_the_mode),
        cmocka_unit_test(nothing_changed_opens),
        cmocka_unit_test(sealing_fails_without_memory_or_randomness),
    };
    return cmocka_run_group_tests_name("crypto/digest and seal", tests, NULL, NULL);
}
