#include "base/id.h"
#include "base/memory.h"
#include "crypto/sign.h"
#include "support/check.h"
#include "support/pki.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* RFC 8032 section 7.1, tests 1 to 3. */
static const struct {
    const char *seed, *public, *message, *signature;
} vectors[] = {
    { "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9"
      "b4"
      "6bd25bf5f0595bbe24655141438e7a100b" },
    { "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
      "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f1"
      "1d"
      "8c387b2eaeb4302aeeb00d291612bb0c00" },
    { "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
      "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984d"
      "c6"
      "594a7c15e9716ed28dc027beceea1ec40a" },
};

static size_t from_hex(const char *hex, uint8_t *bytes)
{
    size_t size = strlen(hex) / 2;
    CHECK_OK(hex_decode(span_text(hex), bytes, size, NULL), NULL);
    return size;
}

static void ed25519_agrees_with_the_rfc(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(vectors); i++) {
        struct error err = ERROR_INIT;
        struct private_key *key = NULL;
        struct public_key public;
        uint8_t seed[32];
        uint8_t wanted[64];
        uint8_t text[8];
        uint8_t signature[ED25519_SIGNATURE_SIZE];
        from_hex(vectors[i].seed, seed);
        struct span message = span_of(text, from_hex(vectors[i].message, text));
        CHECK_OK(private_key_of_seed(seed, &key, &err), &err);
        CHECK_OK(private_key_public(key, &public, &err), &err);
        from_hex(vectors[i].public, wanted);
        assert_memory_equal(public.bytes, wanted, ED25519_KEY_SIZE);
        CHECK_OK(ed25519_sign(key, message, signature, &err), &err);
        from_hex(vectors[i].signature, wanted);
        assert_memory_equal(signature, wanted, sizeof(wanted));
        CHECK_OK(ed25519_verify(&public, message, SPAN_ARRAY(signature), &err), &err);
        for (size_t bit = 0; bit < sizeof(signature) * 8; bit += 37) {
            signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
            CHECK_STATUS(ed25519_verify(&public, message, SPAN_ARRAY(signature), &err),
                         ERR_SIGNATURE, &err);
            signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        CHECK_STATUS(ed25519_verify(&public, SPAN_LITERAL("other"), SPAN_ARRAY(signature), &err),
                     ERR_SIGNATURE, &err);
        CHECK_STATUS(ed25519_verify(&public, message, span_of(signature, 63), &err), ERR_SIGNATURE,
                     &err);
        private_key_free(key);
    }
}

static void p_256_signs_for_its_certificate_only(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct pki_state ke;
    struct pki_state gb;
    struct buf signature = BUF_INIT;
    struct span message = SPAN_LITERAL("binding");
    pki_init(&ke, "training", "KE");
    pki_init(&gb, "training", "GB");
    CHECK_OK(p256_sign(ke.keys[ROLE_TLS], message, &signature, &err), &err);
    assert_true(signature.size <= 72);
    struct span signed_by = buf_span(&signature);
    CHECK_OK(p256_verify(buf_span(&ke.roles[ROLE_TLS]), message, signed_by, &err), &err);
    CHECK_STATUS(p256_verify(buf_span(&gb.roles[ROLE_TLS]), message, signed_by, &err),
                 ERR_SIGNATURE, &err);
    CHECK_STATUS(p256_verify(buf_span(&ke.roles[ROLE_LOG]), message, signed_by, &err),
                 ERR_SIGNATURE, &err);
    CHECK_STATUS(p256_verify(SPAN_LITERAL("no certificate"), message, signed_by, &err),
                 ERR_SIGNATURE, &err);
    CHECK_STATUS(p256_verify(buf_span(&ke.roles[ROLE_TLS]), SPAN_LITERAL("x"), signed_by, &err),
                 ERR_SIGNATURE, &err);
    CHECK_STATUS(p256_verify(buf_span(&ke.roles[ROLE_TLS]), message,
                             span_slice(signed_by, 0, signed_by.size - 1), &err),
                 ERR_SIGNATURE, &err);
    /* Keys of the other kind. */
    uint8_t bytes[ED25519_SIGNATURE_SIZE];
    struct public_key public;
    CHECK_STATUS(p256_sign(ke.keys[ROLE_LOG], message, &signature, &err), ERR_INTERNAL, &err);
    CHECK_STATUS(ed25519_sign(ke.keys[ROLE_TLS], message, bytes, &err), ERR_INTERNAL, &err);
    CHECK_STATUS(private_key_public(ke.keys[ROLE_TLS], &public, &err), ERR_INVALID, &err);
    buf_fini(&signature);
    pki_fini(&ke);
    pki_fini(&gb);
}

static char directory[] = "/tmp/comity-sign-XXXXXX";
static char path[64];

static int make_directory(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/key", directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(directory);
}

static void write_file(const char *text, size_t size, mode_t mode)
{
    unlink(path);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    assert_true(file >= 0 && fchmod(file, mode) == 0);
    assert_int_equal(write(file, text, size), (ssize_t)size);
    close(file);
}

static void keys_come_back_from_their_files(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        struct error err = ERROR_INIT;
        struct private_key *key = NULL;
        struct private_key *back = NULL;
        struct stat info;
        CHECK_OK(private_key_make(kind == 0 ? KEY_ED25519 : KEY_P256, &key, &err), &err);
        unlink(path);
        CHECK_OK(private_key_write(key, path, &err), &err);
        assert_int_equal(stat(path, &info), 0);
        assert_int_equal(info.st_mode & 07777, 0600);
        CHECK_STATUS(private_key_write(key, path, &err), ERR_EXISTS, &err);
        CHECK_CONTAINS(err.text, path);
        CHECK_OK(private_key_read(path, &back, &err), &err);
        struct buf signature = BUF_INIT;
        struct public_key a;
        struct public_key b;
        if (kind == 0) {
            CHECK_OK(private_key_public(key, &a, &err), &err);
            CHECK_OK(private_key_public(back, &b, &err), &err);
            assert_memory_equal(a.bytes, b.bytes, sizeof(a.bytes));
        } else {
            CHECK_OK(p256_sign(back, SPAN_LITERAL("x"), &signature, &err), &err);
        }
        buf_fini(&signature);
        private_key_free(key);
        private_key_free(back);
    }
    private_key_free(NULL);
}

static void a_key_that_others_can_read_is_refused(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct private_key *key = NULL;
    const mode_t modes[] = { 0640, 0604, 0620, 0601 };
    for (size_t i = 0; i < COUNT(modes); i++) {
        write_file("x", 1, modes[i]);
        CHECK_STATUS(private_key_read(path, &key, &err), ERR_DENIED, &err);
        CHECK_CONTAINS(err.text, "next: chmod 600");
    }
    CHECK_STATUS(private_key_read(directory, &key, &err), ERR_DENIED, &err);
}

static void what_is_no_key_is_refused(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct private_key *key = NULL;
    static char large[9000];
    memset(large, 'x', sizeof(large));
    const struct span rows[] = {
        SPAN_LITERAL(""),
        SPAN_LITERAL("x"),
        SPAN_LITERAL("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
        SPAN_LITERAL("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIGj\n-----END ENCRYPTED PRIVATE "
                     "KEY-----\n"),
        { (const uint8_t *)large, sizeof(large) },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        write_file((const char *)rows[i].data, rows[i].size, 0600);
        enum status status = private_key_read(path, &key, &err);
        assert_true(status == ERR_INVALID || status == ERR_LIMIT);
        CHECK_CONTAINS(err.text, path);
        assert_null(key);
    }
    unlink(path);
    assert_int_not_equal(private_key_read(path, &key, &err), OK);
    CHECK_CONTAINS(err.text, strerror(ENOENT));
    CHECK_OK(private_key_make(KEY_ED25519, &key, &err), &err);
    CHECK_STATUS(private_key_write(key, "/nowhere/at/all", &err), ERR_IO, &err);
    private_key_free(key);
    mem_fail_at(1, false);
    CHECK_STATUS(private_key_make(KEY_ED25519, &key, &err), ERR_MEMORY, &err);
    mem_fail_at(0, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ed25519_agrees_with_the_rfc),
        cmocka_unit_test(p_256_signs_for_its_certificate_only),
        cmocka_unit_test(keys_come_back_from_their_files),
        cmocka_unit_test(a_key_that_others_can_read_is_refused),
        cmocka_unit_test(what_is_no_key_is_refused),
    };
    return cmocka_run_group_tests_name("crypto/sign", tests, make_directory, remove_directory);
}
