#include "crypto/digest.h"

#include "base/memory.h"

#include <openssl/evp.h>
#include <pthread.h>

struct sha256 {
    EVP_MD_CTX *context;
    bool failed;
};

static EVP_MD *algorithm;
static pthread_key_t thread_context;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void free_thread_context(void *sha)
{
    sha256_free(sha);
}

static void fetch(void)
{
    algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (pthread_key_create(&thread_context, free_thread_context) != 0) {
        EVP_MD_free(algorithm);
        algorithm = NULL;
    }
}

enum status sha256_new(struct sha256 **ret_sha, struct error *err)
{
    pthread_once(&once, fetch);
    if (algorithm == NULL)
        return error_set(err, ERR_INTERNAL, "SHA-256 is not available in this OpenSSL");
    struct sha256 *sha = mem_calloc(1, sizeof(*sha));
    if (sha == NULL || (sha->context = EVP_MD_CTX_new()) == NULL) {
        mem_free(sha);
        return error_set(err, ERR_MEMORY, "no memory for a SHA-256 context");
    }
    *ret_sha = sha;
    return OK;
}

void sha256_free(struct sha256 *sha)
{
    if (sha == NULL)
        return;
    EVP_MD_CTX_free(sha->context);
    mem_free(sha);
}

void sha256_start(struct sha256 *sha)
{
    sha->failed = EVP_DigestInit_ex2(sha->context, algorithm, NULL) != 1;
}

void sha256_add(struct sha256 *sha, struct span bytes)
{
    if (!sha->failed && bytes.size > 0)
        sha->failed = EVP_DigestUpdate(sha->context, bytes.data, bytes.size) != 1;
}

void sha256_add_u32(struct sha256 *sha, uint32_t value)
{
    uint8_t bytes[4] = { (uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                         (uint8_t)value };
    sha256_add(sha, SPAN_ARRAY(bytes));
}

enum status sha256_final(struct sha256 *sha, struct digest *ret_digest, struct error *err)
{
    unsigned size = 0;
    struct digest digest;
    if (sha->failed || EVP_DigestFinal_ex(sha->context, digest.bytes, &size) != 1 ||
        size != DIGEST_SIZE)
        return error_set(err, ERR_INTERNAL, "SHA-256 failed in the library");
    *ret_digest = digest;
    return OK;
}

enum status sha256_thread(struct sha256 **ret_sha, struct error *err)
{
    pthread_once(&once, fetch);
    struct sha256 *sha = algorithm == NULL ? NULL : pthread_getspecific(thread_context);
    if (sha == NULL) {
        enum status status = sha256_new(&sha, err);
        if (status != OK)
            return status;
        if (pthread_setspecific(thread_context, sha) != 0) {
            sha256_free(sha);
            return error_set(err, ERR_MEMORY, "no memory for a thread's SHA-256 context");
        }
    }
    *ret_sha = sha;
    return OK;
}

enum status sha256_of(const struct span *parts,
                      size_t count,
                      struct digest *ret_digest,
                      struct error *err)
{
    struct sha256 *sha = NULL;
    enum status status = sha256_thread(&sha, err);
    if (status != OK)
        return status;
    sha256_start(sha);
    for (size_t i = 0; i < count; i++)
        sha256_add(sha, parts[i]);
    return sha256_final(sha, ret_digest, err);
}
