/* SHA-256 (FIPS 180-4) with the algorithm fetched once; EVP_sha256() would fetch at every call.
 *
 * A struct sha256 belongs to one thread.  Failure of the library is sticky and reported by
 * sha256_final(), so that callers check once.
 */
#ifndef COMITY_CRYPTO_DIGEST_H
#define COMITY_CRYPTO_DIGEST_H

#include "base/id.h"
#include "base/span.h"

struct sha256; /* a reusable context */

MUST_CHECK enum status sha256_new(struct sha256 **ret_sha, struct error *err);
void sha256_free(struct sha256 *sha);

void sha256_start(struct sha256 *sha);
void sha256_add(struct sha256 *sha, struct span bytes);
void sha256_add_u32(struct sha256 *sha, uint32_t value); /* big-endian */
MUST_CHECK enum status sha256_final(struct sha256 *sha,
                                    struct digest *ret_digest,
                                    struct error *err);

/* The digest of the spans one after the other, with a context of the calling thread. */
MUST_CHECK enum status sha256_of(const struct span *parts,
                                 size_t count,
                                 struct digest *ret_digest,
                                 struct error *err);
/* The calling thread's own context: made at first use, freed when the thread ends. */
MUST_CHECK enum status sha256_thread(struct sha256 **ret_sha, struct error *err);

#endif
