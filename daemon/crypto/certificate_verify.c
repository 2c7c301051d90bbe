/* The rules by which a certificate is judged, declared in crypto/certificate.h. */
#include "base/clock.h"
#include "crypto/crl.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

/* What the two kinds of certificate are called in sentences. */
struct naming {
    const struct certificate *certificate;
    X509 *native;
    struct certificate_facts facts;
    char text[64]; /* "KE's log certificate" */
};

static struct naming name_it(const struct certificate *certificate)
{
    struct naming it = { certificate, certificate_native(certificate),
                         certificate_facts(certificate), "" };
    (void)snprintf(it.text, sizeof(it.text), "%s's %s certificate", it.facts.code.text,
                   it.facts.anchor ? "anchor" : role_name(it.facts.role));
    return it;
}

static enum verdict check_identity(const struct naming *it,
                                   const struct realm *realm,
                                   struct error *reason)
{
    const struct certificate_facts *facts = &it->facts;
    if (facts->identities == 0) {
        return verdict_set(VERDICT_NO_IDENTITY, reason,
                           "the certificate with serial %s names no node: it has no URI "
                           "urn:comity:<realm>:<code>:<role>",
                           facts->serial);
    }
    if (facts->identities > 1) {
        return verdict_set(VERDICT_MANY_IDENTITIES, reason,
                           "the certificate with serial %s has %u urn:comity URIs; exactly one "
                           "is allowed",
                           facts->serial, facts->identities);
    }
    if (strcmp(facts->realm.text, realm->text) != 0) {
        return verdict_set(VERDICT_WRONG_REALM, reason,
                           "%s is of the realm '%s'; this is '%s', and realms never connect",
                           it->text, facts->realm.text, realm->text);
    }
    return VERDICT_GOOD;
}

static enum verdict check_code(const struct naming *it,
                               const struct code *code,
                               struct error *reason)
{
    if (code_equal(&it->facts.code, code))
        return VERDICT_GOOD;
    return verdict_set(VERDICT_WRONG_CODE, reason, "this is %s, where one of %s belongs", it->text,
                       code->text);
}

/* One C= with the code itself, for States; organisations and the EU may have any or none. */
static enum verdict check_country(const struct naming *it, struct error *reason)
{
    if (!code_is_state(&it->facts.code))
        return VERDICT_GOOD;
    char country[8] = "";
    const X509_NAME *subject = X509_get_subject_name(it->native);
    int first = X509_NAME_get_index_by_NID(subject, NID_countryName, -1);
    int second = first < 0 ? -1 : X509_NAME_get_index_by_NID(subject, NID_countryName, first);
    if (first >= 0)
        X509_NAME_get_text_by_NID(subject, NID_countryName, country, sizeof(country));
    if (first >= 0 && second < 0 && strcmp(country, it->facts.code.text) == 0)
        return VERDICT_GOOD;
    return verdict_set(VERDICT_WRONG_COUNTRY, reason,
                       "%s says country '%s' in its subject; C=%s belongs there", it->text, country,
                       it->facts.code.text);
}

static bool key_is(X509 *native, enum key_kind kind)
{
    EVP_PKEY *key = X509_get0_pubkey(native);
    if (key == NULL)
        return false;
    if (kind == KEY_ED25519)
        return EVP_PKEY_get_id(key) == EVP_PKEY_ED25519;
    char group[32] = "";
    int explicit_curve = 1;
    return EVP_PKEY_get_id(key) == EVP_PKEY_EC &&
           EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
           strcmp(group, "prime256v1") == 0 &&
           EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
                                  &explicit_curve) == 1 &&
           explicit_curve == 0;
}

static enum verdict check_key(const struct naming *it, enum key_kind kind, struct error *reason)
{
    if (key_is(it->native, kind))
        return VERDICT_GOOD;
    return verdict_set(VERDICT_WRONG_KEY, reason, "%s has another key than %s", it->text,
                       kind == KEY_P256 ? "P-256" : "Ed25519");
}

static enum verdict check_form(const struct naming *it, struct error *reason)
{
    uint32_t flags = X509_get_extension_flags(it->native);
    if ((flags & (EXFLAG_INVALID | EXFLAG_CRITICAL)) != 0 || X509_get_version(it->native) != 2) {
        return verdict_set(VERDICT_MALFORMED, reason,
                           "%s has extensions that are malformed, or critical and unknown",
                           it->text);
    }
    if (X509_get_signature_nid(it->native) != NID_ecdsa_with_SHA256)
        return verdict_set(VERDICT_MALFORMED, reason,
                           "%s is not signed with ECDSA and SHA-256, as anchors sign", it->text);
    return VERDICT_GOOD;
}

/* What was signed in the past is judged by the dates of then. */
static enum verdict check_dates_then(const struct naming *it,
                                     int64_t then_ms,
                                     int64_t grace_ms,
                                     struct error *reason)
{
    char when[TIME_TEXT_SIZE];
    char then[TIME_TEXT_SIZE];
    bool early = then_ms < it->facts.not_before_ms;
    if (!early && then_ms - grace_ms <= it->facts.not_after_ms)
        return VERDICT_GOOD;
    time_format(early ? it->facts.not_before_ms : it->facts.not_after_ms, when);
    time_format(then_ms, then);
    return verdict_set(early ? VERDICT_NOT_YET_VALID : VERDICT_EXPIRED, reason,
                       "%s %s %s, and this was %s at %s", it->text,
                       early ? "is valid from" : "was valid until", when,
                       grace_ms > 0 ? "cosigned" : "signed", then);
}

static enum verdict check_dates(const struct naming *it,
                                int64_t now_ms,
                                enum certificate_when when,
                                struct error *reason)
{
    char from[TIME_TEXT_SIZE];
    char until[TIME_TEXT_SIZE];
    char now[TIME_TEXT_SIZE];
    if (when != WHEN_NOW)
        return check_dates_then(it, now_ms, when == WHEN_COSIGNED ? CERTIFICATE_COSIGN_GRACE_MS : 0,
                                reason);
    time_format(it->facts.not_before_ms, from);
    time_format(it->facts.not_after_ms, until);
    time_format(now_ms, now);
    if (now_ms < it->facts.not_before_ms) {
        return verdict_set(VERDICT_NOT_YET_VALID, reason,
                           "%s is valid from %s, and our clock says %s; next: compare the clocks "
                           "of both nodes",
                           it->text, from, now);
    }
    if (now_ms > it->facts.not_after_ms) {
        return verdict_set(VERDICT_EXPIRED, reason,
                           "%s was valid until %s, and our clock says %s; next: %s must issue "
                           "a new one",
                           it->text, until, now, it->facts.code.text);
    }
    return VERDICT_GOOD;
}

/* How many purposes the certificate has, and whether `oid` is among them. */
static int count_uses(X509 *native, const char *oid, bool *ret_has, bool *ret_critical)
{
    int critical = 0;
    EXTENDED_KEY_USAGE *uses = X509_get_ext_d2i(native, NID_ext_key_usage, &critical, NULL);
    int count = sk_ASN1_OBJECT_num(uses);
    *ret_has = false;
    *ret_critical = critical == 1;
    for (int i = 0; i < count; i++) {
        char text[80];
        int size = OBJ_obj2txt(text, sizeof(text), sk_ASN1_OBJECT_value(uses, i), 1);
        *ret_has = *ret_has || (size > 0 && strcmp(text, oid) == 0);
    }
    EXTENDED_KEY_USAGE_free(uses);
    return uses == NULL ? -1 : count;
}

static bool uses_are_right(X509 *native, enum role role)
{
    static const char *const oids[ROLE_COUNT] = {
        [ROLE_TLS] = "1.3.6.1.5.5.7.3.1", /* serverAuth */
        [ROLE_LOG] = CERTIFICATE_OID_LOG,
        [ROLE_RECEIPT] = CERTIFICATE_OID_RECEIPT,
        [ROLE_WITNESS] = CERTIFICATE_OID_WITNESS,
    };
    bool has = false;
    bool critical = false;
    int count = count_uses(native, oids[role], &has, &critical);
    if (role != ROLE_TLS)
        return count == 1 && has && critical;
    bool has_client = false;
    count_uses(native, "1.3.6.1.5.5.7.3.2", &has_client, &critical); /* clientAuth */
    return count == 2 && has && has_client;
}

static enum verdict check_use(const struct naming *it, enum role role, struct error *reason)
{
    /* Not X509_check_ca(): it takes CA:TRUE for false when the key usage does not allow signing. */
    if ((X509_get_extension_flags(it->native) & (EXFLAG_BCONS | EXFLAG_CA)) != EXFLAG_BCONS)
        return verdict_set(VERDICT_WRONG_USE, reason,
                           "%s does not say CA:FALSE; it could issue others", it->text);
    if ((X509_get_extension_flags(it->native) & EXFLAG_KUSAGE) == 0 ||
        X509_get_key_usage(it->native) != KU_DIGITAL_SIGNATURE)
        return verdict_set(VERDICT_WRONG_USE, reason,
                           "%s has another key usage than digitalSignature alone", it->text);
    if (!uses_are_right(it->native, role)) {
        return verdict_set(VERDICT_WRONG_USE, reason,
                           "%s has another extended key usage than the role '%s' has", it->text,
                           role_name(role));
    }
    return VERDICT_GOOD;
}

static enum verdict check_issuer(const struct naming *it,
                                 const struct certificate *anchor,
                                 struct error *reason)
{
    X509 *issuer = certificate_native(anchor);
    EVP_PKEY *key = X509_get0_pubkey(issuer);
    bool good =
        key != NULL &&
        X509_NAME_cmp(X509_get_issuer_name(it->native), X509_get_subject_name(issuer)) == 0 &&
        X509_verify(it->native, key) == 1;
    if (good)
        return VERDICT_GOOD;
    return verdict_set(VERDICT_WRONG_ANCHOR, reason,
                       "%s was not issued by the anchor that is accepted for %s; next: if %s has a "
                       "new anchor, compare fingerprints and accept its new card",
                       it->text, it->facts.code.text, it->facts.code.text);
}

static enum verdict check_revocation(const struct naming *it,
                                     const struct certificate_rule *rule,
                                     struct error *reason)
{
    const char *code = it->facts.code.text;
    if (rule->crl == NULL)
        return verdict_set(VERDICT_CRL_OLD, reason, "no revocation list of %s is known", code);
    struct error why = ERROR_INIT;
    if (crl_check(rule->crl, rule->anchor, &why) != OK)
        return verdict_set(VERDICT_BAD_CRL, reason, "%s", why.text);
    struct crl_facts list = crl_facts(rule->crl);
    char when[TIME_TEXT_SIZE];
    int64_t revoked_ms = 0;
    bool revoked = crl_revokes(rule->crl, it->certificate, &revoked_ms);
    if (revoked && rule->when == WHEN_CLAIMED && revoked_ms > rule->now_ms) {
        time_format(revoked_ms, when);
        return verdict_set(VERDICT_REVOKED, reason,
                           "%s was revoked at %s, and that something was signed before is the word "
                           "of its signer alone; next: show the receipt of the other side",
                           it->text, when);
    }
    if (revoked && (rule->when == WHEN_NOW || revoked_ms <= rule->now_ms)) {
        time_format(revoked_ms, when);
        return verdict_set(VERDICT_REVOKED, reason,
                           "%s with serial %s was revoked at %s by %s's list number %llu", it->text,
                           it->facts.serial, when, code, (unsigned long long)list.number);
    }
    if (rule->when != WHEN_NOW)
        return VERDICT_GOOD; /* a list that ended since tells no less about then */
    time_format(list.next_update_ms, when);
    if (rule->now_ms > list.next_update_ms + CRL_GRACE_MS) {
        return verdict_set(VERDICT_RECALLS_ONLY, reason,
                           "%s's revocation list number %llu ended at %s and its grace is over: "
                           "only recalls go through; next: %s must publish a new list",
                           code, (unsigned long long)list.number, when, code);
    }
    if (rule->now_ms > list.next_update_ms) {
        return verdict_set(VERDICT_CRL_OLD, reason,
                           "%s's revocation list number %llu ended at %s; next: %s should publish "
                           "a new list",
                           code, (unsigned long long)list.number, when, code);
    }
    return VERDICT_GOOD;
}

static enum verdict check_role(const struct naming *it, enum role role, struct error *reason)
{
    if (!it->facts.anchor && it->facts.role == role)
        return VERDICT_GOOD;
    return verdict_set(VERDICT_WRONG_ROLE, reason, "this is %s, where a %s certificate belongs",
                       it->text, role_name(role));
}

static enum verdict check_profile(const struct naming *it,
                                  const struct realm *realm,
                                  enum role role,
                                  int64_t now_ms,
                                  enum certificate_when when,
                                  struct error *reason)
{
    enum verdict verdict = check_identity(it, realm, reason);
    if (verdict == VERDICT_GOOD)
        verdict = check_role(it, role, reason);
    if (verdict == VERDICT_GOOD)
        verdict = check_country(it, reason);
    if (verdict == VERDICT_GOOD)
        verdict = check_form(it, reason);
    if (verdict == VERDICT_GOOD)
        verdict = check_key(it, certificate_key_kind(role), reason);
    if (verdict == VERDICT_GOOD)
        verdict = check_use(it, role, reason);
    return verdict == VERDICT_GOOD ? check_dates(it, now_ms, when, reason) : verdict;
}

enum verdict certificate_check_profile(const struct certificate *certificate,
                                       const struct realm *realm,
                                       enum role role,
                                       int64_t now_ms,
                                       struct error *reason)
{
    struct naming it = name_it(certificate);
    struct error ignored;
    reason = reason == NULL ? &ignored : reason;
    *reason = (struct error)ERROR_INIT;
    return check_profile(&it, realm, role, now_ms, WHEN_NOW, reason);
}

enum verdict certificate_verify(const struct certificate *certificate,
                                const struct certificate_rule *rule,
                                struct error *reason)
{
    struct naming it = name_it(certificate);
    struct naming anchor = name_it(rule->anchor);
    struct error ignored;
    reason = reason == NULL ? &ignored : reason;
    *reason = (struct error)ERROR_INIT;
    enum verdict verdict =
        check_profile(&it, &rule->realm, rule->role, rule->now_ms, rule->when, reason);
    if (verdict == VERDICT_GOOD)
        verdict = check_code(&it, &rule->code, reason);
    if (verdict == VERDICT_GOOD)
        verdict = check_issuer(&it, rule->anchor, reason);
    if (verdict == VERDICT_GOOD)
        verdict = check_dates(&anchor, rule->now_ms, rule->when, reason);
    return verdict == VERDICT_GOOD ? check_revocation(&it, rule, reason) : verdict;
}

static enum verdict check_anchor_form(const struct naming *it, struct error *reason)
{
    EVP_PKEY *key = X509_get0_pubkey(it->native);
    if (key == NULL ||
        X509_NAME_cmp(X509_get_issuer_name(it->native), X509_get_subject_name(it->native)) != 0 ||
        X509_verify(it->native, key) != 1)
        return verdict_set(VERDICT_WRONG_ANCHOR, reason, "%s is not signed by itself", it->text);
    uint32_t usage = X509_get_key_usage(it->native);
    if (X509_check_ca(it->native) != 1 || X509_get_pathlen(it->native) != 0 ||
        usage != (KU_KEY_CERT_SIGN | KU_CRL_SIGN)) {
        return verdict_set(VERDICT_WRONG_USE, reason,
                           "%s must be CA:TRUE with pathlen:0, for keyCertSign and cRLSign alone",
                           it->text);
    }
    return VERDICT_GOOD;
}

enum verdict certificate_check_anchor(const struct certificate *anchor,
                                      const struct realm *realm,
                                      const struct code *code,
                                      int64_t now_ms,
                                      struct error *reason)
{
    struct naming it = name_it(anchor);
    struct error ignored;
    reason = reason == NULL ? &ignored : reason;
    *reason = (struct error)ERROR_INIT;
    enum verdict verdict = check_identity(&it, realm, reason);
    if (verdict == VERDICT_GOOD)
        verdict = check_code(&it, code, reason);
    if (verdict == VERDICT_GOOD && !it.facts.anchor)
        verdict = verdict_set(VERDICT_WRONG_ROLE, reason, "this is %s, where the anchor belongs",
                              it.text);
    if (verdict == VERDICT_GOOD)
        verdict = check_country(&it, reason);
    if (verdict == VERDICT_GOOD)
        verdict = check_key(&it, KEY_P256, reason);
    if (verdict == VERDICT_GOOD)
        verdict = check_form(&it, reason);
    if (verdict == VERDICT_GOOD)
        verdict = check_anchor_form(&it, reason);
    return verdict == VERDICT_GOOD ? check_dates(&it, now_ms, WHEN_NOW, reason) : verdict;
}
