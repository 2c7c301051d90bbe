#include "crypto/seal.h"

#include "base/limits.h"
#include "base/memory.h"

#include <openssl/evp.h>
#include <string.h>

struct sealer {
    EVP_CIPHER *cipher;
    EVP_CIPHER_CTX *context;
    struct random_source *random;
};

enum status sealer_new(struct random_source *random, struct sealer **ret_sealer, struct error *err)
{
    struct sealer *sealer = mem_calloc(1, sizeof(*sealer));
    if (sealer == NULL)
        return error_set(err, ERR_MEMORY, "no memory for a sealer");
    sealer->random = random;
    sealer->cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    sealer->context = EVP_CIPHER_CTX_new();
    /* The cipher is set once: given again it would be made anew for every message. */
    if (sealer->cipher == NULL || sealer->context == NULL ||
        EVP_CipherInit_ex2(sealer->context, sealer->cipher, NULL, NULL, 1, NULL) != 1) {
        sealer_free(sealer);
        return error_set(err, ERR_INTERNAL, "AES-256-GCM is not available in this OpenSSL");
    }
    *ret_sealer = sealer;
    return OK;
}

void sealer_free(struct sealer *sealer)
{
    if (sealer == NULL)
        return;
    EVP_CIPHER_CTX_free(sealer->context);
    EVP_CIPHER_free(sealer->cipher);
    mem_free(sealer);
}

enum status seal_key_make(struct random_source *random, struct seal_key *ret_key, struct error *err)
{
    return random->fill(random, ret_key->bytes, SEAL_KEY_SIZE, err);
}

static bool start(struct sealer *sealer,
                  const struct seal_key *key,
                  const uint8_t *nonce,
                  const struct span *associated,
                  size_t count,
                  int encrypt)
{
    int size = 0;
    bool good = EVP_CipherInit_ex2(sealer->context, NULL, key->bytes, nonce, encrypt, NULL) == 1;
    for (size_t i = 0; good && i < count; i++) {
        if (associated[i].size > 0) {
            good = associated[i].size <= INT32_MAX &&
                   EVP_CipherUpdate(sealer->context, NULL, &size, associated[i].data,
                                    (int)associated[i].size) == 1;
        }
    }
    return good;
}

/* NOLINTNEXTLINE(readability-function-size): all of GCM's inputs */
enum status seal(struct sealer *sealer,
                 const struct seal_key *key,
                 const struct span *associated,
                 size_t associated_count,
                 struct span plain,
                 struct buf *append_to,
                 struct error *err)
{
    if (plain.size > INT32_MAX - SEAL_OVERHEAD)
        return error_set(err, ERR_LIMIT, "%zu bytes are too many to seal at once", plain.size);
    enum status status = buf_reserve(append_to, plain.size + SEAL_OVERHEAD, err);
    if (status != OK)
        return status;
    uint8_t *nonce = append_to->data + append_to->size;
    uint8_t *body = nonce + SEAL_NONCE_SIZE;
    status = sealer->random->fill(sealer->random, nonce, SEAL_NONCE_SIZE, err);
    if (status != OK)
        return status;
    int size = 0;
    int tail = 0;
    bool good = start(sealer, key, nonce, associated, associated_count, 1);
    if (good && plain.size > 0)
        good = EVP_CipherUpdate(sealer->context, body, &size, plain.data, (int)plain.size) == 1;
    good = good && EVP_CipherFinal_ex(sealer->context, body + size, &tail) == 1 &&
           EVP_CIPHER_CTX_ctrl(sealer->context, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG_SIZE,
                               body + plain.size) == 1;
    if (!good)
        return error_set(err, ERR_INTERNAL, "sealing failed in the library");
    append_to->size += plain.size + SEAL_OVERHEAD;
    return OK;
}

/* NOLINTNEXTLINE(readability-function-size): all of GCM's inputs */
enum status seal_open(struct sealer *sealer,
                      const struct seal_key *key,
                      const struct span *associated,
                      size_t associated_count,
                      struct span sealed,
                      struct buf *append_to,
                      struct error *err)
{
    if (sealed.size < SEAL_OVERHEAD || sealed.size > INT32_MAX)
        return error_set(err, ERR_INVALID, "%zu bytes are no sealed message", sealed.size);
    size_t plain_size = sealed.size - SEAL_OVERHEAD;
    enum status status = buf_reserve(append_to, plain_size + 1, err);
    if (status != OK)
        return status;
    uint8_t *plain = append_to->data + append_to->size;
    const uint8_t *body = sealed.data + SEAL_NONCE_SIZE;
    uint8_t tag[SEAL_TAG_SIZE];
    memcpy(tag, body + plain_size, SEAL_TAG_SIZE);
    int size = 0;
    int tail = 0;
    bool good = start(sealer, key, sealed.data, associated, associated_count, 0);
    if (good && plain_size > 0)
        good = EVP_CipherUpdate(sealer->context, plain, &size, body, (int)plain_size) == 1;
    good = good &&
           EVP_CIPHER_CTX_ctrl(sealer->context, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG_SIZE, tag) == 1 &&
           EVP_CipherFinal_ex(sealer->context, plain + size, &tail) == 1;
    if (!good) {
        mem_wipe(plain, plain_size);
        return error_set(err, ERR_SIGNATURE, "sealed bytes do not open with this key");
    }
    append_to->size += plain_size;
    return OK;
}
