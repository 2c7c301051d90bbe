/* States for tests: anchors, role certificates, lists, and certificates that break one rule. */
#ifndef COMITY_TESTS_SUPPORT_PKI_H
#define COMITY_TESTS_SUPPORT_PKI_H

#include "base/id.h"
#include "crypto/certificate.h"
#include "crypto/crl.h"
#include "crypto/sign.h"

#define PKI_NOW_MS ((int64_t)1790000000000) /* 2026-09-21 */
#define PKI_DAY_MS ((int64_t)86400 * 1000)

struct pki_state {
    struct realm realm;
    struct code code;
    struct private_key *anchor_key;
    struct buf anchor; /* DER */
    struct private_key *keys[ROLE_COUNT];
    struct buf roles[ROLE_COUNT]; /* DER */
    struct buf crl;               /* DER, number 1, empty */
};
/* Valid from a day before PKI_NOW_MS for years; the list ends CRL_LIFE_MS after it. */
void pki_init(struct pki_state *state, const char *realm, const char *code);
void pki_fini(struct pki_state *state);
struct certificate_issuer pki_issuer(const struct pki_state *state);
/* The next list, with this certificate on it, valid until `until_ms`. */
void pki_revoke(struct pki_state *state, struct span certificate, int64_t until_ms);

/* A certificate by hand.  NULL means: leave it out.  Zero dates: valid now. */
struct pki_forgery {
    const char *country;
    const char *uris; /* as OpenSSL's subjectAltName takes it: "URI:urn:comity:...,URI:..." */
    const char *basic_constraints;
    const char *key_usage;
    const char *extended_key_usage;
    const char *extra_oid; /* an extension of its own, critical */
    const struct private_key *key;
    const struct private_key *signer; /* and the anchor that is named as issuer */
    struct span issuer;               /* DER; empty: self-issued */
    int64_t not_before_ms;
    int64_t not_after_ms;
};
/* The plan of a right tls certificate of the State, to be spoilt by the test. */
struct pki_forgery pki_tls_plan(const struct pki_state *state, char uri[static 80]);
void pki_forge(const struct pki_forgery *plan, struct buf *ret_der);

/* The State's card as a PEM file; address "" for none.  buf_fini() it. */
struct buf pki_card(const struct pki_state *state, const char *name, const char *address);

#endif
