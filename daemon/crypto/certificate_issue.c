/* Making anchors and role certificates, declared in crypto/certificate.h. */
#include "base/memory.h"
#include "crypto/certificate.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

static enum status library_failed(struct error *err)
{
    return error_set(err, ERR_INTERNAL, "the library could not make the certificate");
}

static bool set_serial(X509 *certificate)
{
    unsigned char bytes[16];
    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        return false;
    bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40); /* positive, always 16 bytes */
    BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
    bool good =
        number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
    BN_free(number);
    return good;
}

static bool set_dates(X509 *certificate, const struct certificate_subject *subject)
{
    return ASN1_TIME_set(X509_getm_notBefore(certificate),
                         (time_t)(subject->not_before_ms / 1000)) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)(subject->not_after_ms / 1000)) !=
               NULL;
}

static bool add_name(X509_NAME *name, const char *field, const char *text)
{
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_ASC, (const unsigned char *)text, -1,
                                      -1, 0) == 1;
}

/* [C=KE,] O=Comity, CN=comity training KE log */
static bool set_subject(X509 *certificate,
                        const struct certificate_subject *subject,
                        const char *role)
{
    char common[64];
    (void)snprintf(common, sizeof(common), "comity %s %s %s", subject->realm.text,
                   subject->code.text, role);
    X509_NAME *name = X509_get_subject_name(certificate);
    return (!code_is_state(&subject->code) || add_name(name, "C", subject->code.text)) &&
           add_name(name, "O", "Comity") && add_name(name, "CN", common);
}

static bool add_extension(X509 *certificate, X509V3_CTX *context, int kind, const char *text)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, context, kind, text);
    bool good = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return good;
}

static bool add_identity(X509 *certificate,
                         X509V3_CTX *context,
                         const struct certificate_subject *subject,
                         const char *role)
{
    char uri[80];
    char code[CODE_MAX + 1] = "";
    for (size_t i = 0; subject->code.text[i] != '\0'; i++)
        code[i] = (char)(subject->code.text[i] - 'A' + 'a');
    (void)snprintf(uri, sizeof(uri), "URI:urn:comity:%s:%s:%s", subject->realm.text, code, role);
    return add_extension(certificate, context, NID_subject_alt_name, uri);
}

static enum status check_subject(const struct certificate_subject *subject, struct error *err)
{
    struct code code;
    struct realm realm;
    enum status status = realm_parse(subject->realm.text, &realm, err);
    if (status == OK)
        status = code_parse(subject->code.text, &code, err);
    if (status == OK &&
        (subject->not_before_ms < 0 || subject->not_before_ms >= subject->not_after_ms))
        status = error_set(err, ERR_INVALID, "a certificate must end after it begins");
    return status;
}

static X509 *begin(const struct certificate_subject *subject, const char *role, EVP_PKEY *key)
{
    X509 *certificate = X509_new();
    if (certificate != NULL && X509_set_version(certificate, 2) == 1 && set_serial(certificate) &&
        set_dates(certificate, subject) && set_subject(certificate, subject, role) &&
        X509_set_pubkey(certificate, key) == 1)
        return certificate;
    X509_free(certificate);
    return NULL;
}

/* Appends nothing on failure. */
static enum status encode(X509 *certificate, struct buf *ret_der, struct error *err)
{
    unsigned char *der = NULL;
    int size = i2d_X509(certificate, &der);
    if (size <= 0)
        return library_failed(err);
    struct buf made = BUF_INIT;
    enum status status = buf_append(&made, span_of(der, (size_t)size), err);
    OPENSSL_free(der);
    if (status == OK) {
        buf_fini(ret_der);
        *ret_der = buf_move(&made);
    }
    return status;
}

enum status certificate_make_anchor(const struct certificate_subject *subject,
                                    const struct private_key *anchor_key,
                                    struct buf *ret_der,
                                    struct error *err)
{
    enum status status = check_subject(subject, err);
    if (status != OK)
        return status;
    EVP_PKEY *key = private_key_native(anchor_key);
    if (EVP_PKEY_get_id(key) != EVP_PKEY_EC)
        return error_set(err, ERR_INVALID, "an anchor has a P-256 key");
    X509 *anchor = begin(subject, "anchor", key);
    X509V3_CTX context;
    X509V3_set_ctx(&context, anchor, anchor, NULL, NULL, 0);
    bool good =
        anchor != NULL && X509_set_issuer_name(anchor, X509_get_subject_name(anchor)) == 1 &&
        add_extension(anchor, &context, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
        add_extension(anchor, &context, NID_key_usage, "critical,keyCertSign,cRLSign") &&
        add_extension(anchor, &context, NID_subject_key_identifier, "hash") &&
        add_identity(anchor, &context, subject, "anchor") &&
        X509_sign(anchor, key, EVP_sha256()) > 0;
    status = good ? encode(anchor, ret_der, err) : library_failed(err);
    X509_free(anchor);
    return status;
}

static bool add_role_extensions(X509 *certificate,
                                X509V3_CTX *context,
                                const struct certificate_subject *subject,
                                enum role role)
{
    static const char *const uses[ROLE_COUNT] = {
        [ROLE_TLS] = "critical,serverAuth,clientAuth",
        [ROLE_LOG] = "critical," CERTIFICATE_OID_LOG,
        [ROLE_RECEIPT] = "critical," CERTIFICATE_OID_RECEIPT,
        [ROLE_WITNESS] = "critical," CERTIFICATE_OID_WITNESS,
    };
    return add_extension(certificate, context, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(certificate, context, NID_key_usage, "critical,digitalSignature") &&
           add_extension(certificate, context, NID_ext_key_usage, uses[role]) &&
           add_extension(certificate, context, NID_subject_key_identifier, "hash") &&
           add_extension(certificate, context, NID_authority_key_identifier, "keyid:always") &&
           add_identity(certificate, context, subject, role_name(role));
}

static enum status check_issue(const struct certificate_subject *subject,
                               enum role role,
                               const struct private_key *role_key,
                               const struct certificate *anchor,
                               struct error *err)
{
    struct certificate_facts facts = certificate_facts(anchor);
    int wanted = certificate_key_kind(role) == KEY_P256 ? EVP_PKEY_EC : EVP_PKEY_ED25519;
    if (EVP_PKEY_get_id(private_key_native(role_key)) != wanted)
        return error_set(err, ERR_INVALID, "the role '%s' has a key of kind %s", role_name(role),
                         wanted == EVP_PKEY_EC ? "P-256" : "Ed25519");
    if (subject->not_after_ms > facts.not_after_ms)
        return error_set(err, ERR_INVALID, "the certificate would outlive its anchor");
    struct error reason = ERROR_INIT;
    enum verdict verdict = certificate_check_anchor(anchor, &subject->realm, &subject->code,
                                                    facts.not_before_ms, &reason);
    return verdict == VERDICT_GOOD ? OK
                                   : error_set(err, verdict_status(verdict), "%s", reason.text);
}

enum status certificate_issue(const struct certificate_subject *subject,
                              enum role role,
                              const struct private_key *role_key,
                              const struct certificate_issuer *issuer,
                              struct buf *ret_der,
                              struct error *err)
{
    struct certificate *anchor = NULL;
    X509 *certificate = NULL;
    enum status status = check_subject(subject, err);
    if (status == OK)
        status = certificate_parse(issuer->anchor, &anchor, err);
    if (status == OK)
        status = certificate_check_key(issuer->anchor, issuer->key, err);
    if (status == OK)
        status = check_issue(subject, role, role_key, anchor, err);
    if (status != OK)
        goto out;
    X509 *native = certificate_native(anchor);
    certificate = begin(subject, role_name(role), private_key_native(role_key));
    X509V3_CTX context;
    X509V3_set_ctx(&context, native, certificate, NULL, NULL, 0);
    bool good = certificate != NULL &&
                X509_set_issuer_name(certificate, X509_get_subject_name(native)) == 1 &&
                add_role_extensions(certificate, &context, subject, role) &&
                X509_sign(certificate, private_key_native(issuer->key), EVP_sha256()) > 0;
    status = good ? encode(certificate, ret_der, err) : library_failed(err);
out:
    X509_free(certificate);
    certificate_free(anchor);
    return status;
}
