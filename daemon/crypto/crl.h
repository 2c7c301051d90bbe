/* Numbered revocation lists (RFC 5280 section 5) of one anchor.
 *
 * A list carries a number that only grows; whoever holds number 7 refuses number 6.  A list past
 * its date warns, and CRL_GRACE_MS later lets only recalls through: nobody is cut off because
 * somebody forgot a file, and nobody hides a revocation for ever by withholding one.
 */
#ifndef COMITY_CRYPTO_CRL_H
#define COMITY_CRYPTO_CRL_H

#include "crypto/certificate.h"

enum { CRL_MAX = 32 * 1024 }; /* DER; some 700 revocations */
#define CRL_LIFE_MS  ((int64_t)90 * 86400 * 1000)
#define CRL_GRACE_MS ((int64_t)30 * 86400 * 1000)

struct crl_facts {
    uint64_t number;
    int64_t this_update_ms;
    int64_t next_update_ms;
    size_t revoked;
};

MUST_CHECK enum status crl_parse(struct span der, struct crl **ret_crl, struct error *err);
void crl_free(struct crl *crl);
struct crl_facts crl_facts(const struct crl *crl);
/* ERR_SIGNATURE when the anchor did not sign it. */
MUST_CHECK enum status crl_check(const struct crl *crl,
                                 const struct certificate *anchor,
                                 struct error *err);
/* ERR_CONFLICT unless `next` may replace `current` (NULL: none yet): its number must be higher.
 * The same number with the same bytes is fine too. */
MUST_CHECK enum status crl_check_newer(const struct crl *current,
                                       const struct crl *next,
                                       struct error *err);
bool crl_revokes(const struct crl *crl,
                 const struct certificate *certificate,
                 int64_t *ret_when_ms);

/* An empty list (number 1) when `current` is NULL, else the next number with all of its entries;
 * `revoke` (may be NULL) is added.  ERR_EXISTS when it is on the list already. */
struct crl_dates {
    int64_t this_update_ms;
    int64_t next_update_ms;
};
MUST_CHECK enum status crl_make(const struct crl *current,
                                const struct certificate *revoke,
                                const struct certificate_issuer *issuer,
                                const struct crl_dates *dates,
                                struct buf *ret_der,
                                struct error *err);

#endif
