#include "crypto/certificate.h"

#include "base/memory.h"
#include "crypto/digest.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <strings.h>
#include <time.h>

struct certificate {
    X509 *native;
    struct buf der;
    struct certificate_facts facts;
};

static const char urn[] = "urn:comity:";
enum { URN_SIZE = sizeof(urn) - 1 };

/* Takes the text up to the next ':' or the end; false when it is empty or longer than `room`. */
static bool take_segment(struct span *rest, char *ret_text, size_t room)
{
    size_t size = 0;
    while (size < rest->size && rest->data[size] != ':')
        size++;
    if (size == 0 || size >= room)
        return false;
    memcpy(ret_text, rest->data, size);
    ret_text[size] = '\0';
    *rest = span_slice(*rest, size, SIZE_MAX);
    return true;
}

static bool take_colon(struct span *rest)
{
    bool found = rest->size > 0 && rest->data[0] == ':';
    *rest = span_slice(*rest, 1, SIZE_MAX);
    return found;
}

static bool code_of_lower(const char *lower, struct code *ret_code)
{
    char upper[CODE_MAX + 1] = "";
    for (size_t i = 0; lower[i] != '\0' && i < CODE_MAX; i++) {
        if (lower[i] < 'a' || lower[i] > 'z')
            return false;
        upper[i] = (char)(lower[i] - 'a' + 'A');
    }
    return code_parse(upper, ret_code, NULL) == OK;
}

static bool role_of_name(const char *name, struct certificate_facts *facts)
{
    facts->anchor = strcmp(name, "anchor") == 0;
    for (unsigned role = 0; role < ROLE_COUNT; role++) {
        if (strcmp(name, role_name((enum role)role)) == 0) {
            facts->role = (enum role)role;
            return true;
        }
    }
    return facts->anchor;
}

/* urn:comity:<realm>:<code>:<role>, all in lower case. */
static enum status parse_identity(struct span uri,
                                  struct certificate_facts *facts,
                                  struct error *err)
{
    char realm[REALM_MAX + 1];
    char code[CODE_MAX + 1];
    char role[16];
    struct span rest = span_slice(uri, URN_SIZE, SIZE_MAX);
    bool good = memcmp(uri.data, urn, URN_SIZE) == 0 && take_segment(&rest, realm, sizeof(realm)) &&
                take_colon(&rest) && take_segment(&rest, code, sizeof(code)) && take_colon(&rest) &&
                take_segment(&rest, role, sizeof(role)) && rest.size == 0 &&
                realm_parse(realm, &facts->realm, NULL) == OK &&
                code_of_lower(code, &facts->code) && role_of_name(role, facts);
    if (good)
        return OK;
    return error_set(err, ERR_INVALID,
                     "its URI '%.*s' is not urn:comity:<realm>:<code>:<role> in lower case%s",
                     (int)(uri.size < 80 ? uri.size : 80), (const char *)uri.data,
                     rest.size == 0 ? "" : "; was a '#' or another sign used in it?");
}

static enum status find_identity(X509 *native, struct certificate_facts *facts, struct error *err)
{
    int found = 0;
    GENERAL_NAMES *names = X509_get_ext_d2i(native, NID_subject_alt_name, &found, NULL);
    enum status status = OK;
    if (names == NULL && found != -1)
        return error_set(err, ERR_INVALID, "its alternative names are malformed or doubled");
    for (int i = 0; status == OK && i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_URI)
            continue;
        const ASN1_IA5STRING *text = name->d.uniformResourceIdentifier;
        struct span uri = span_of(ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text));
        if (uri.size < URN_SIZE || strncasecmp((const char *)uri.data, urn, URN_SIZE) != 0)
            continue;
        if (++facts->identities == 1)
            status = parse_identity(uri, facts, err);
    }
    GENERAL_NAMES_free(names);
    return status;
}

static bool time_ms(const ASN1_TIME *time, int64_t *ret_ms)
{
    struct tm parts;
    if (time == NULL || ASN1_TIME_to_tm(time, &parts) != 1)
        return false;
    *ret_ms = (int64_t)timegm(&parts) * 1000;
    return true;
}

static bool serial_text(const ASN1_INTEGER *serial, char text[static SERIAL_TEXT_SIZE])
{
    /* Positive and at most 20 bytes (RFC 5280 section 4.1.2.2). */
    if (ASN1_STRING_type(serial) != V_ASN1_INTEGER || ASN1_STRING_length(serial) > 20)
        return false;
    struct span bytes = span_of(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial));
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < bytes.size; i++) {
        text[2 * i] = digits[bytes.data[i] >> 4];
        text[2 * i + 1] = digits[bytes.data[i] & 15];
    }
    text[2 * bytes.size] = '\0';
    return bytes.size > 0;
}

static enum status digest_key(X509 *native, struct digest *ret_digest, struct error *err)
{
    unsigned char *der = NULL;
    int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(native), &der);
    if (size <= 0)
        return error_set(err, ERR_INVALID, "its public key is malformed");
    struct span part = span_of(der, (size_t)size);
    enum status status = sha256_of(&part, 1, ret_digest, err);
    OPENSSL_free(der);
    return status;
}

static enum status fill_facts(X509 *native, struct certificate_facts *facts, struct error *err)
{
    if (!time_ms(X509_get0_notBefore(native), &facts->not_before_ms) ||
        !time_ms(X509_get0_notAfter(native), &facts->not_after_ms))
        return error_set(err, ERR_INVALID, "its dates are malformed");
    if (!serial_text(X509_get0_serialNumber(native), facts->serial))
        return error_set(err, ERR_INVALID, "its serial number is not 1 to 20 positive bytes");
    enum status status = digest_key(native, &facts->key, err);
    return status == OK ? find_identity(native, facts, err) : status;
}

/* The library also reads some encodings that are not DER: they must come back byte for byte. */
static bool same_der(X509 *native, struct span der)
{
    unsigned char *again = NULL;
    int size = i2d_X509(native, &again);
    bool same = size > 0 && span_equal(span_of(again, (size_t)size), der);
    OPENSSL_free(again);
    return same;
}

enum status certificate_parse(struct span der,
                              struct certificate **ret_certificate,
                              struct error *err)
{
    if (der.size == 0)
        return error_set(err, ERR_INVALID, "certificate: empty");
    if (der.size > CERTIFICATE_MAX)
        return error_set(err, ERR_LIMIT, "certificate: %zu bytes are more than %d", der.size,
                         CERTIFICATE_MAX);
    struct certificate *certificate = mem_calloc(1, sizeof(*certificate));
    if (certificate == NULL)
        return error_set(err, ERR_MEMORY, "certificate: no memory");
    const unsigned char *at = der.data;
    certificate->native = d2i_X509(NULL, &at, (long)der.size);
    enum status status = OK;
    if (certificate->native == NULL || at != der.data + der.size ||
        !same_der(certificate->native, der))
        status = error_set(err, ERR_INVALID, "these %zu bytes are not one X.509 certificate in DER",
                           der.size);
    if (status == OK)
        status = buf_append(&certificate->der, der, err);
    if (status == OK)
        status = fill_facts(certificate->native, &certificate->facts, err);
    if (status != OK) {
        error_prefix(err, "certificate");
        certificate_free(certificate);
        return status;
    }
    *ret_certificate = certificate;
    return OK;
}

void certificate_free(struct certificate *certificate)
{
    if (certificate == NULL)
        return;
    X509_free(certificate->native);
    buf_fini(&certificate->der);
    mem_free(certificate);
}

struct certificate_facts certificate_facts(const struct certificate *certificate)
{
    return certificate->facts;
}

struct span certificate_der(const struct certificate *certificate)
{
    return buf_span(&certificate->der);
}

void *certificate_native(const struct certificate *certificate)
{
    return certificate->native;
}

enum key_kind certificate_key_kind(enum role role)
{
    return role == ROLE_TLS ? KEY_P256 : KEY_ED25519;
}

enum status certificate_public(struct span der, struct public_key *ret_public, struct error *err)
{
    struct certificate *certificate = NULL;
    enum status status = certificate_parse(der, &certificate, err);
    if (status != OK)
        return status;
    struct public_key public;
    size_t size = ED25519_KEY_SIZE;
    EVP_PKEY *key = X509_get0_pubkey(certificate->native);
    if (key == NULL || EVP_PKEY_get_id(key) != EVP_PKEY_ED25519 ||
        EVP_PKEY_get_raw_public_key(key, public.bytes, &size) != 1 || size != ED25519_KEY_SIZE)
        status = error_set(err, ERR_INVALID, "certificate: its key is not Ed25519");
    else
        *ret_public = public;
    certificate_free(certificate);
    return status;
}

enum status certificate_check_key(struct span der, const struct private_key *key, struct error *err)
{
    struct certificate *certificate = NULL;
    enum status status = certificate_parse(der, &certificate, err);
    if (status != OK)
        return status;
    EVP_PKEY *public = X509_get0_pubkey(certificate->native);
    if (public == NULL || EVP_PKEY_eq(public, private_key_native(key)) != 1) {
        status = error_set(err, ERR_MISMATCH,
                           "the private key is not that of the certificate with serial %s",
                           certificate->facts.serial);
    }
    certificate_free(certificate);
    return status;
}
