/* X.509 certificates of the Comity profile (docs/PROTOCOL.md, Identity; RFC 5280).
 *
 * An anchor is a State's own root: P-256, self-signed, pathlen 0, URI SAN
 * `urn:comity:<realm>:<code>:anchor`.  It issues one certificate per role, URI SAN
 * `urn:comity:<realm>:<code>:<role>`, the code in lower case:
 *
 *   role     key      extended key usage
 *   tls      P-256    serverAuth and clientAuth
 *   log      Ed25519  CERTIFICATE_OID_LOG, critical, alone
 *   receipt  Ed25519  CERTIFICATE_OID_RECEIPT, critical, alone
 *   witness  Ed25519  CERTIFICATE_OID_WITNESS, critical, alone
 *
 * The OIDs stand under a UUID arc of ours (ITU-T X.667), which needs no registration.
 */
#ifndef COMITY_CRYPTO_CERTIFICATE_H
#define COMITY_CRYPTO_CERTIFICATE_H

#include "base/id.h"
#include "crypto/sign.h"
#include "crypto/verdict.h"

#define CERTIFICATE_ARC         "2.25.11617564862036963304998923620682681986"
#define CERTIFICATE_OID_LOG     CERTIFICATE_ARC ".1"
#define CERTIFICATE_OID_RECEIPT CERTIFICATE_ARC ".2"
#define CERTIFICATE_OID_WITNESS CERTIFICATE_ARC ".3"

enum {
    CERTIFICATE_MAX = 4 * 1024, /* DER; ours have about 600 bytes */
    SERIAL_TEXT_SIZE = 41       /* 20 bytes in hexadecimal (RFC 5280 section 4.1.2.2) */
};
/* Clocks differ: what is issued now is valid since an hour ago. */
#define CERTIFICATE_BACKDATE_MS ((int64_t)3600 * 1000)
#define ANCHOR_LIFE_MS          ((int64_t)20 * 365 * 86400 * 1000)
#define ROLE_LIFE_MS            ((int64_t)2 * 365 * 86400 * 1000)

struct certificate; /* parsed, immutable */
struct crl;         /* crl.h */

/* What a certificate says of itself; nothing here has been verified. */
struct certificate_facts {
    unsigned identities; /* urn:comity:... URIs; the fields below are set only when it is 1 */
    bool anchor;         /* last segment is "anchor"; role is then meaningless */
    struct realm realm;
    struct code code;
    enum role role;
    int64_t not_before_ms;
    int64_t not_after_ms;
    char serial[SERIAL_TEXT_SIZE]; /* upper-case hexadecimal, as OpenSSL's tools print it */
    struct digest key;             /* SHA-256 of the SubjectPublicKeyInfo */
};

/* ERR_INVALID or ERR_LIMIT.  A well-formed certificate of another profile parses; identities is
 * then 0, and a urn:comity: URI that breaks the grammar is an error. */
MUST_CHECK enum status certificate_parse(struct span der,
                                         struct certificate **ret_certificate,
                                         struct error *err);
void certificate_free(struct certificate *certificate);
struct certificate_facts certificate_facts(const struct certificate *certificate);
struct span certificate_der(const struct certificate *certificate); /* borrowed */
void *certificate_native(const struct certificate *certificate); /* X509, borrowed; crypto only */
/* The raw Ed25519 key of a log, receipt or witness certificate. */
MUST_CHECK enum status certificate_public(struct span der,
                                          struct public_key *ret_public,
                                          struct error *err);
/* ERR_MISMATCH unless `key` is the private half of the certificate's key. */
MUST_CHECK enum status certificate_check_key(struct span der,
                                             const struct private_key *key,
                                             struct error *err);

/* Between a checkpoint's signature and its receipt lies one exchange, and at most a broken
 * connection and two clocks: a certificate that ended meanwhile still counts. */
#define CERTIFICATE_COSIGN_GRACE_MS ((int64_t)86400 * 1000)

enum certificate_when {
    WHEN_NOW,      /* now_ms is the present: in use, on a connection */
    WHEN_SIGNED,   /* it signed something at now_ms: what became of it later does not count */
    WHEN_COSIGNED, /* another key signed at now_ms what this one had signed not long before */
    WHEN_CLAIMED   /* it signed something at now_ms, as only it says: a later revocation counts */
};
struct certificate_rule {
    struct realm realm;
    struct code code;
    enum role role;
    const struct certificate *anchor; /* of that State; checked by certificate_check_anchor() */
    const struct crl *crl;            /* NULL: none known, gives VERDICT_CRL_OLD */
    int64_t now_ms;
    enum certificate_when when;
};
/* Against exactly one State's anchor and list.  *reason always holds the sentence, also when the
 * verdict allows (then about the list, or empty). */
MUST_CHECK enum verdict certificate_verify(const struct certificate *certificate,
                                           const struct certificate_rule *rule,
                                           struct error *reason);
/* The same without an anchor: all that a certificate says of itself. */
MUST_CHECK enum verdict certificate_check_profile(const struct certificate *certificate,
                                                  const struct realm *realm,
                                                  enum role role,
                                                  int64_t now_ms,
                                                  struct error *reason);
/* Is this an anchor of that realm and code, by its profile, its own signature and the date? */
MUST_CHECK enum verdict certificate_check_anchor(const struct certificate *anchor,
                                                 const struct realm *realm,
                                                 const struct code *code,
                                                 int64_t now_ms,
                                                 struct error *reason);

/* Making: what `comityctl node init` and tests use; authorities use certs/ away from the server. */
struct certificate_subject {
    struct realm realm;
    struct code code;
    int64_t not_before_ms;
    int64_t not_after_ms;
};
MUST_CHECK enum status certificate_make_anchor(const struct certificate_subject *subject,
                                               const struct private_key *anchor_key,
                                               struct buf *ret_der,
                                               struct error *err);
struct certificate_issuer {        /* borrowed for the call */
    struct span anchor;            /* DER */
    const struct private_key *key; /* of that anchor */
};
/* `role_key`: only its public half is used; it must be of the role's kind. */
MUST_CHECK enum status certificate_issue(const struct certificate_subject *subject,
                                         enum role role,
                                         const struct private_key *role_key,
                                         const struct certificate_issuer *issuer,
                                         struct buf *ret_der,
                                         struct error *err);
enum key_kind certificate_key_kind(enum role role);

#endif
