/* What costs most and says least: with --wrap the linker puts these in the place of the real ones.
 *
 * Two digests over the public key and the message cost a hundredth of the real thing.  They are not
 * secret, but nobody in the simulation forges; one seed in seventeen uses real keys all the same.
 */
#include "sim.h"

#include "crypto/digest.h"
#include "crypto/sign.h"

#include <string.h>

bool fake_sign_wanted;

/* The names are the linker's.
 * NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp,readability-identifier-naming)
 */

int __wrap_malloc_trim(size_t pad); /* an idle node gives memory back; five of them, every second */
int __wrap_malloc_trim(size_t pad)
{
    (void)pad;
    return 0;
}

enum status __real_ed25519_sign(const struct private_key *key,
                                struct span message,
                                uint8_t ret_signature[static ED25519_SIGNATURE_SIZE],
                                struct error *err);
enum status __real_ed25519_verify(const struct public_key *key,
                                  struct span message,
                                  struct span signature,
                                  struct error *err);
enum status __wrap_ed25519_sign(const struct private_key *key,
                                struct span message,
                                uint8_t ret_signature[static ED25519_SIGNATURE_SIZE],
                                struct error *err);
enum status __wrap_ed25519_verify(const struct public_key *key,
                                  struct span message,
                                  struct span signature,
                                  struct error *err);

static enum status make_mark(const struct public_key *key,
                             struct span message,
                             uint8_t ret_mark[static ED25519_SIGNATURE_SIZE],
                             struct error *err)
{
    struct digest digest;
    const struct span parts[] = { SPAN_LITERAL("a signature of the simulation"),
                                  SPAN_ARRAY(key->bytes), message };
    enum status status = sha256_of(parts, 3, &digest, err);
    for (size_t i = 0; status == OK && i < ED25519_SIGNATURE_SIZE; i++)
        ret_mark[i] = digest.bytes[i % DIGEST_SIZE];
    return status;
}

enum status __wrap_ed25519_sign(const struct private_key *key,
                                struct span message,
                                uint8_t ret_signature[static ED25519_SIGNATURE_SIZE],
                                struct error *err)
{
    struct public_key public;
    if (!fake_sign_wanted)
        return __real_ed25519_sign(key, message, ret_signature, err);
    enum status status = private_key_public(key, &public, err);
    return status == OK ? make_mark(&public, message, ret_signature, err) : status;
}

enum status __wrap_ed25519_verify(const struct public_key *key,
                                  struct span message,
                                  struct span signature,
                                  struct error *err)
{
    uint8_t mark[ED25519_SIGNATURE_SIZE];
    if (!fake_sign_wanted)
        return __real_ed25519_verify(key, message, signature, err);
    enum status status = make_mark(key, message, mark, err);
    if (status == OK && !span_equal(SPAN_ARRAY(mark), signature))
        status = error_set(err, ERR_SIGNATURE, "the signature does not verify");
    return status;
}

/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp,readability-identifier-naming)
 */
