/* What a certificate, a card or a connection is worth, in one word, and the sentence for people.
 *
 * Everything from VERDICT_NO_CERTIFICATE on is a refusal.  The struct error that comes with a
 * verdict names the value and the rule.
 */
#ifndef COMITY_CRYPTO_VERDICT_H
#define COMITY_CRYPTO_VERDICT_H

#include "base/status.h"

#include <stdbool.h>

enum verdict {
    VERDICT_GOOD,
    VERDICT_CRL_OLD,      /* good, but the State's revocation list is missing or past its date */
    VERDICT_RECALLS_ONLY, /* the list is past its date and grace: only recalls go through */

    VERDICT_NO_CERTIFICATE,  /* the other end showed none */
    VERDICT_MALFORMED,       /* not DER, not X.509, too large, or breaks our profile */
    VERDICT_NO_IDENTITY,     /* no urn:comity:... URI */
    VERDICT_MANY_IDENTITIES, /* more than one */
    VERDICT_WRONG_REALM,
    VERDICT_WRONG_ROLE,    /* a log certificate used for TLS, say */
    VERDICT_WRONG_CODE,    /* another State than the one expected */
    VERDICT_WRONG_COUNTRY, /* C= contradicts the alpha-2 code */
    VERDICT_WRONG_KEY,     /* not the kind of key that the role has */
    VERDICT_WRONG_USE,     /* key usage or extended key usage */
    VERDICT_WRONG_CHAIN,   /* not issued directly by the anchor, or more certificates than one */
    VERDICT_WRONG_ANCHOR,  /* names a known State, but its anchor did not sign it */
    VERDICT_BAD_CRL,       /* the revocation list is not that anchor's */
    VERDICT_NOT_YET_VALID,
    VERDICT_EXPIRED,
    VERDICT_REVOKED,
    VERDICT_UNKNOWN_NODE,   /* well formed, but of no accepted State: pending */
    VERDICT_OWN_CODE,       /* it claims to be us */
    VERDICT_BLOCKED,        /* an operator blocked this peer */
    VERDICT_WRONG_PROTOCOL, /* not TLS 1.3, or not ALPN comity/1 */
    VERDICT_COUNT
};

const char *verdict_name(enum verdict verdict);   /* "revoked", "wrong-role": logs and --json */
bool verdict_allows(enum verdict verdict);        /* one of the first three */
enum status verdict_status(enum verdict verdict); /* OK, ERR_DENIED, ERR_EXPIRED, ... */
/* Sets *err (may be NULL) to verdict_status() and the sentence; returns the verdict. */
enum verdict verdict_set(enum verdict verdict, struct error *err, const char *format, ...)
    PRINTF_LIKE(3, 4);

#endif
