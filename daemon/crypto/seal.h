/* AES-256-GCM (NIST SP 800-38D): sealed = nonce (12) || ciphertext || tag (16).
 *
 * The nonce is random; a key seals far fewer than 2^32 messages (one record, one page's life).
 * A struct sealer holds a reusable cipher context and belongs to one thread.
 */
#ifndef COMITY_CRYPTO_SEAL_H
#define COMITY_CRYPTO_SEAL_H

#include "base/clock.h"
#include "base/span.h"

enum { SEAL_KEY_SIZE = 32, SEAL_NONCE_SIZE = 12, SEAL_TAG_SIZE = 16, SEAL_OVERHEAD = 28 };

struct seal_key {
    uint8_t bytes[SEAL_KEY_SIZE]; /* wipe with mem_wipe() */
};

struct sealer;

MUST_CHECK enum status sealer_new(struct random_source *random,
                                  struct sealer **ret_sealer,
                                  struct error *err);
void sealer_free(struct sealer *sealer);

MUST_CHECK enum status seal_key_make(struct random_source *random,
                                     struct seal_key *ret_key,
                                     struct error *err);

/* Appends the sealed bytes to *append_to; `associated` spans are authenticated one after the other
 * (put lengths in front where they could be mistaken for each other). */
MUST_CHECK enum status seal(struct sealer *sealer,
                            const struct seal_key *key,
                            const struct span *associated,
                            size_t associated_count,
                            struct span plain,
                            struct buf *append_to,
                            struct error *err);
/* Appends the plain bytes; ERR_SIGNATURE when key, associated data or bytes are not those that
 * were sealed.  *append_to is unchanged on failure. */
MUST_CHECK enum status seal_open(struct sealer *sealer,
                                 const struct seal_key *key,
                                 const struct span *associated,
                                 size_t associated_count,
                                 struct span sealed,
                                 struct buf *append_to,
                                 struct error *err);

#endif
