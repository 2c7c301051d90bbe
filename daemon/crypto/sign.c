#include "crypto/sign.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_FILE_MAX = 8 * 1024 };

struct private_key {
    EVP_PKEY *native;
    uint8_t signing[crypto_sign_ed25519_SECRETKEYBYTES]; /* seed and public key; Ed25519 only */
};

/* What libsodium signs with, from what OpenSSL read. */
static bool expand(struct private_key *key)
{
    uint8_t seed[crypto_sign_ed25519_SEEDBYTES];
    uint8_t public[crypto_sign_ed25519_PUBLICKEYBYTES];
    size_t size = sizeof(seed);
    bool good = sodium_init() >= 0 && EVP_PKEY_get_raw_private_key(key->native, seed, &size) == 1 &&
                size == sizeof(seed) &&
                crypto_sign_ed25519_seed_keypair(public, key->signing, seed) == 0;
    mem_wipe(seed, sizeof(seed));
    return good;
}

static enum status wrap(EVP_PKEY *native, struct private_key **ret_key, struct error *err)
{
    struct private_key *key = native == NULL ? NULL : mem_calloc(1, sizeof(*key));
    bool good = key != NULL;
    if (good) {
        key->native = native;
        good = EVP_PKEY_get_id(native) != EVP_PKEY_ED25519 || expand(key);
    } else {
        EVP_PKEY_free(native);
    }
    if (!good) {
        private_key_free(key);
        return error_set(err, ERR_MEMORY, "no memory for a key, or the library refused it");
    }
    *ret_key = key;
    return OK;
}

enum status private_key_make(enum key_kind kind, struct private_key **ret_key, struct error *err)
{
    EVP_PKEY *native = kind == KEY_P256 ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256")
                                        : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    return wrap(native, ret_key, err);
}

enum status private_key_of_seed(const uint8_t seed[static 32],
                                struct private_key **ret_key,
                                struct error *err)
{
    return wrap(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32), ret_key, err);
}

static enum status read_secret(
    int file, const char *path, char *text, size_t *ret_size, struct error *err)
{
    struct stat info;
    if (fstat(file, &info) != 0)
        return error_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(info.st_mode) || (info.st_mode & 077) != 0) {
        return error_set(err, ERR_DENIED,
                         "%s: a private key must be a file that only its owner can read; "
                         "next: chmod 600 %s",
                         path, path);
    }
    ssize_t size = read(file, text, KEY_FILE_MAX);
    if (size < 0)
        return error_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    *ret_size = (size_t)size;
    return OK;
}

/* A key with a passphrase is refused: nobody is there to type it when a server starts. */
/* NOLINTNEXTLINE(readability-non-const-parameter): the library's signature */
static int no_passphrase(char *to, int size, int for_writing, void *user)
{
    (void)to;
    (void)size;
    (void)for_writing;
    (void)user;
    return -1;
}

enum status private_key_read(const char *path, struct private_key **ret_key, struct error *err)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (file < 0)
        return error_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path,
                         strerror(errno));
    char text[KEY_FILE_MAX];
    size_t size = 0;
    enum status status = read_secret(file, path, text, &size, err);
    close(file);
    if (status == OK) {
        BIO *memory = BIO_new_mem_buf(text, (int)size);
        EVP_PKEY *native =
            memory == NULL ? NULL : PEM_read_bio_PrivateKey(memory, NULL, no_passphrase, NULL);
        BIO_free(memory);
        if (native == NULL)
            status = error_set(err, ERR_INVALID, "%s: holds no private key in PEM", path);
        else
            status = wrap(native, ret_key, err);
    }
    mem_wipe(text, sizeof(text));
    return status;
}

static enum status write_all(int file, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t done = write(file, data, size);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return ERR_IO;
        data += done;
        size -= (size_t)done;
    }
    return fsync(file) == 0 ? OK : ERR_IO;
}

enum status private_key_write(const struct private_key *key, const char *path, struct error *err)
{
    enum status status = OK;
    int file = -1;
    BIO *memory = BIO_new(BIO_s_secmem());
    if (memory == NULL ||
        PEM_write_bio_PKCS8PrivateKey(memory, key->native, NULL, NULL, 0, NULL, NULL) != 1) {
        status = error_set(err, ERR_MEMORY, "%s: the key could not be encoded", path);
        goto out;
    }
    file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) {
        status =
            error_set(err, errno == EEXIST ? ERR_EXISTS : ERR_IO, "%s: %s", path, strerror(errno));
        goto out;
    }
    char *data = NULL;
    long size = BIO_get_mem_data(memory, &data);
    status = write_all(file, data, (size_t)size);
    if (status != OK) {
        status = error_set(err, status, "%s: %s", path, strerror(errno));
        unlink(path); /* half a key is no key */
    }
out:
    if (file >= 0)
        close(file);
    BIO_free(memory);
    return status;
}

void private_key_free(struct private_key *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_free(key->native);
    mem_wipe(key->signing, sizeof(key->signing));
    mem_free(key);
}

void *private_key_native(const struct private_key *key)
{
    return key->native;
}

enum status private_key_public(const struct private_key *key,
                               struct public_key *ret_public,
                               struct error *err)
{
    size_t size = ED25519_KEY_SIZE;
    struct public_key public;
    if (EVP_PKEY_get_raw_public_key(key->native, public.bytes, &size) != 1 ||
        size != ED25519_KEY_SIZE)
        return error_set(err, ERR_INVALID, "not an Ed25519 key");
    *ret_public = public;
    return OK;
}

enum status ed25519_sign(const struct private_key *key,
                         struct span message,
                         uint8_t ret_signature[static ED25519_SIGNATURE_SIZE],
                         struct error *err)
{
    bool good = EVP_PKEY_get_id(key->native) == EVP_PKEY_ED25519 &&
                crypto_sign_ed25519_detached(ret_signature, NULL, message.data, message.size,
                                             key->signing) == 0;
    return good ? OK : error_set(err, ERR_INTERNAL, "an Ed25519 signature could not be made");
}

enum status ed25519_verify(const struct public_key *key,
                           struct span message,
                           struct span signature,
                           struct error *err)
{
    bool good = sodium_init() >= 0 && signature.size == ED25519_SIGNATURE_SIZE &&
                crypto_sign_ed25519_verify_detached(signature.data, message.data, message.size,
                                                    key->bytes) == 0;
    return good ? OK : error_set(err, ERR_SIGNATURE, "the Ed25519 signature does not verify");
}

enum status p256_sign(const struct private_key *key,
                      struct span message,
                      struct buf *ret_signature,
                      struct error *err)
{
    uint8_t bytes[80];
    size_t size = sizeof(bytes);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good =
        context != NULL && EVP_PKEY_get_id(key->native) == EVP_PKEY_EC &&
        EVP_DigestSignInit_ex(context, NULL, "SHA256", NULL, NULL, key->native, NULL) == 1 &&
        EVP_DigestSign(context, bytes, &size, message.data, message.size) == 1;
    EVP_MD_CTX_free(context);
    if (!good)
        return error_set(err, ERR_INTERNAL, "a P-256 signature could not be made");
    return buf_append(ret_signature, span_of(bytes, size), err);
}

enum status p256_verify(struct span certificate_der,
                        struct span message,
                        struct span signature,
                        struct error *err)
{
    const unsigned char *at = certificate_der.data;
    X509 *certificate = d2i_X509(NULL, &at, (long)certificate_der.size);
    EVP_PKEY *native = certificate == NULL ? NULL : X509_get0_pubkey(certificate);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good =
        native != NULL && context != NULL && EVP_PKEY_get_id(native) == EVP_PKEY_EC &&
        EVP_DigestVerifyInit_ex(context, NULL, "SHA256", NULL, NULL, native, NULL) == 1 &&
        EVP_DigestVerify(context, signature.data, signature.size, message.data, message.size) == 1;
    EVP_MD_CTX_free(context);
    X509_free(certificate);
    return good ? OK : error_set(err, ERR_SIGNATURE, "the P-256 signature does not verify");
}
