/* Keys and signatures: Ed25519 (RFC 8032) for statements, P-256 ECDSA with SHA-256 for sessions.
 *
 * A private key is opaque and wiped when freed.  On disk: PKCS #8 PEM, mode 0600; a file that
 * others can read is refused.  OpenSSL makes, reads and writes keys and does P-256; libsodium does
 * the arithmetic of Ed25519, in half of the time.
 */
#ifndef COMITY_CRYPTO_SIGN_H
#define COMITY_CRYPTO_SIGN_H

#include "base/span.h"

struct private_key;

enum key_kind { KEY_ED25519, KEY_P256 };
enum { ED25519_KEY_SIZE = 32, ED25519_SIGNATURE_SIZE = 64 };

struct public_key { /* Ed25519, raw (RFC 8032 section 5.1.5) */
    uint8_t bytes[ED25519_KEY_SIZE];
};

MUST_CHECK enum status private_key_make(enum key_kind kind,
                                        struct private_key **ret_key,
                                        struct error *err);
/* The reproducible Ed25519 key of a seed: for tests and simulation. */
MUST_CHECK enum status private_key_of_seed(const uint8_t seed[static 32],
                                           struct private_key **ret_key,
                                           struct error *err);
MUST_CHECK enum status private_key_read(const char *path,
                                        struct private_key **ret_key,
                                        struct error *err);
/* Creates the file (it must not exist), mode 0600, synced. */
MUST_CHECK enum status private_key_write(const struct private_key *key,
                                         const char *path,
                                         struct error *err);
void private_key_free(struct private_key *key);
/* ERR_INVALID when it is not an Ed25519 key. */
MUST_CHECK enum status private_key_public(const struct private_key *key,
                                          struct public_key *ret_public,
                                          struct error *err);
void *private_key_native(const struct private_key *key); /* EVP_PKEY, borrowed; crypto only */

MUST_CHECK enum status ed25519_sign(const struct private_key *key,
                                    struct span message,
                                    uint8_t ret_signature[static ED25519_SIGNATURE_SIZE],
                                    struct error *err);
MUST_CHECK enum status ed25519_verify(const struct public_key *key,
                                      struct span message,
                                      struct span signature,
                                      struct error *err);
/* DER-encoded ECDSA signature, at most 72 bytes. */
MUST_CHECK enum status p256_sign(const struct private_key *key,
                                 struct span message,
                                 struct buf *ret_signature,
                                 struct error *err);
/* `certificate_der` is the signer's certificate; its key must be P-256. */
MUST_CHECK enum status p256_verify(struct span certificate_der,
                                   struct span message,
                                   struct span signature,
                                   struct error *err);

#endif
