#include "crypto/crl.h"

#include "base/memory.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <time.h>

struct crl {
    X509_CRL *native;
    struct buf der;
    struct crl_facts facts;
};

static bool time_ms(const ASN1_TIME *time, int64_t *ret_ms)
{
    struct tm parts;
    if (time == NULL || ASN1_TIME_to_tm(time, &parts) != 1)
        return false;
    *ret_ms = (int64_t)timegm(&parts) * 1000;
    return true;
}

static bool read_number(X509_CRL *native, uint64_t *ret_number)
{
    ASN1_INTEGER *number = X509_CRL_get_ext_d2i(native, NID_crl_number, NULL, NULL);
    bool good = number != NULL && ASN1_INTEGER_get_uint64(ret_number, number) == 1 &&
                *ret_number > 0 && *ret_number <= INT64_MAX;
    ASN1_INTEGER_free(number);
    return good;
}

/* Deltas, indirect lists and partial ones (RFC 5280 section 5.2) say so by critical extensions:
 * none of them is ours, and to overlook one would be to overlook a revocation. */
static bool has_critical(X509_CRL *native)
{
    for (int i = 0; i < X509_CRL_get_ext_count(native); i++)
        if (X509_EXTENSION_get_critical(X509_CRL_get_ext(native, i)) != 0)
            return true;
    STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(native);
    for (int i = 0; i < sk_X509_REVOKED_num(entries); i++) {
        const X509_REVOKED *entry = sk_X509_REVOKED_value(entries, i);
        for (int j = 0; j < X509_REVOKED_get_ext_count(entry); j++)
            if (X509_EXTENSION_get_critical(X509_REVOKED_get_ext(entry, j)) != 0)
                return true;
    }
    return false;
}

static enum status fill_facts(X509_CRL *native, struct crl_facts *facts, struct error *err)
{
    if (!read_number(native, &facts->number))
        return error_set(err, ERR_INVALID, "revocation list: it has no number");
    if (!time_ms(X509_CRL_get0_lastUpdate(native), &facts->this_update_ms) ||
        !time_ms(X509_CRL_get0_nextUpdate(native), &facts->next_update_ms))
        return error_set(err, ERR_INVALID, "revocation list: its dates are missing or malformed");
    if (has_critical(native)) {
        return error_set(err, ERR_INVALID,
                         "revocation list: a critical extension; only complete lists of an anchor "
                         "itself are taken");
    }
    int revoked = sk_X509_REVOKED_num(X509_CRL_get_REVOKED(native));
    facts->revoked = revoked < 0 ? 0 : (size_t)revoked;
    return OK;
}

enum status crl_parse(struct span der, struct crl **ret_crl, struct error *err)
{
    if (der.size == 0)
        return error_set(err, ERR_INVALID, "revocation list: empty");
    if (der.size > CRL_MAX)
        return error_set(err, ERR_LIMIT, "revocation list: %zu bytes are more than %d", der.size,
                         CRL_MAX);
    struct crl *crl = mem_calloc(1, sizeof(*crl));
    if (crl == NULL)
        return error_set(err, ERR_MEMORY, "revocation list: no memory");
    const unsigned char *at = der.data;
    crl->native = d2i_X509_CRL(NULL, &at, (long)der.size);
    enum status status = OK;
    if (crl->native == NULL || at != der.data + der.size)
        status = error_set(err, ERR_INVALID, "revocation list: not one X.509 list in DER");
    if (status == OK)
        status = fill_facts(crl->native, &crl->facts, err);
    if (status == OK)
        status = buf_append(&crl->der, der, err);
    if (status != OK) {
        crl_free(crl);
        return status;
    }
    *ret_crl = crl;
    return OK;
}

void crl_free(struct crl *crl)
{
    if (crl == NULL)
        return;
    X509_CRL_free(crl->native);
    buf_fini(&crl->der);
    mem_free(crl);
}

struct crl_facts crl_facts(const struct crl *crl)
{
    return crl->facts;
}

enum status crl_check(const struct crl *crl, const struct certificate *anchor, struct error *err)
{
    X509 *issuer = certificate_native(anchor);
    EVP_PKEY *key = X509_get0_pubkey(issuer);
    struct certificate_facts facts = certificate_facts(anchor);
    if (key != NULL &&
        X509_NAME_cmp(X509_CRL_get_issuer(crl->native), X509_get_subject_name(issuer)) == 0 &&
        X509_CRL_get_signature_nid(crl->native) == NID_ecdsa_with_SHA256 &&
        X509_CRL_verify(crl->native, key) == 1)
        return OK;
    return error_set(err, ERR_SIGNATURE,
                     "the revocation list number %llu is not signed by %s's anchor",
                     (unsigned long long)crl->facts.number, facts.code.text);
}

enum status crl_check_newer(const struct crl *current, const struct crl *next, struct error *err)
{
    if (current == NULL || next->facts.number > current->facts.number)
        return OK;
    if (span_equal(buf_span(&current->der), buf_span(&next->der)))
        return OK;
    return error_set(err, ERR_CONFLICT,
                     "the revocation list has number %llu, and number %llu is known already; "
                     "numbers never go back",
                     (unsigned long long)next->facts.number,
                     (unsigned long long)current->facts.number);
}

static const X509_REVOKED *find(const struct crl *crl, const struct certificate *certificate)
{
    X509_REVOKED *entry = NULL;
    if (X509_CRL_get0_by_serial(crl->native, &entry,
                                X509_get_serialNumber(certificate_native(certificate))) == 0)
        return NULL;
    return entry; /* whatever reason it gives */
}

bool crl_revokes(const struct crl *crl, const struct certificate *certificate, int64_t *ret_when_ms)
{
    const X509_REVOKED *entry = find(crl, certificate);
    if (entry == NULL)
        return false;
    int64_t when_ms = 0;
    if (time_ms(X509_REVOKED_get0_revocationDate(entry), &when_ms))
        *ret_when_ms = when_ms;
    return true;
}

static bool set_dates(X509_CRL *native, int64_t now_ms, int64_t next_ms)
{
    ASN1_TIME *now = ASN1_TIME_set(NULL, (time_t)(now_ms / 1000));
    ASN1_TIME *next = ASN1_TIME_set(NULL, (time_t)(next_ms / 1000));
    bool good = now != NULL && next != NULL && X509_CRL_set1_lastUpdate(native, now) == 1 &&
                X509_CRL_set1_nextUpdate(native, next) == 1;
    ASN1_TIME_free(now);
    ASN1_TIME_free(next);
    return good;
}

static bool set_number(X509_CRL *native, uint64_t number)
{
    ASN1_INTEGER *value = ASN1_INTEGER_new();
    bool good = value != NULL && ASN1_INTEGER_set_uint64(value, number) == 1 &&
                X509_CRL_add1_ext_i2d(native, NID_crl_number, value, 0, 0) == 1;
    ASN1_INTEGER_free(value);
    return good;
}

static bool copy_entries(X509_CRL *native, const struct crl *current)
{
    STACK_OF(X509_REVOKED) *entries =
        current == NULL ? NULL : X509_CRL_get_REVOKED(current->native);
    for (int i = 0; i < sk_X509_REVOKED_num(entries); i++) {
        X509_REVOKED *copy = X509_REVOKED_dup(sk_X509_REVOKED_value(entries, i));
        if (copy == NULL || X509_CRL_add0_revoked(native, copy) != 1) {
            X509_REVOKED_free(copy);
            return false;
        }
    }
    return true;
}

static bool add_entry(X509_CRL *native, const struct certificate *revoke, int64_t now_ms)
{
    if (revoke == NULL)
        return true;
    X509_REVOKED *entry = X509_REVOKED_new();
    ASN1_TIME *now = ASN1_TIME_set(NULL, (time_t)(now_ms / 1000));
    bool good = entry != NULL && now != NULL &&
                X509_REVOKED_set_serialNumber(
                    entry, X509_get_serialNumber(certificate_native(revoke))) == 1 &&
                X509_REVOKED_set_revocationDate(entry, now) == 1 &&
                X509_CRL_add0_revoked(native, entry) == 1;
    if (!good)
        X509_REVOKED_free(entry);
    ASN1_TIME_free(now);
    return good;
}

static bool add_key_id(X509_CRL *native, X509 *issuer)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, NULL, NULL, native, 0);
    X509_EXTENSION *extension =
        X509V3_EXT_conf_nid(NULL, &context, NID_authority_key_identifier, "keyid:always");
    bool good = extension != NULL && X509_CRL_add_ext(native, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return good;
}

static enum status encode(X509_CRL *native, struct buf *ret_der, struct error *err)
{
    unsigned char *der = NULL;
    int size = i2d_X509_CRL(native, &der);
    struct buf made = BUF_INIT;
    enum status status =
        size <= 0 ? error_set(err, ERR_INTERNAL, "the library could not encode the list")
        : size > CRL_MAX
            ? error_set(err, ERR_LIMIT, "the list would have %d bytes, more than %d", size, CRL_MAX)
            : buf_append(&made, span_of(der, (size_t)size), err);
    OPENSSL_free(der);
    if (status == OK) {
        buf_fini(ret_der);
        *ret_der = buf_move(&made);
    }
    return status;
}

static enum status check_revoke(const struct crl *current,
                                const struct certificate *revoke,
                                const struct certificate *anchor,
                                struct error *err)
{
    if (revoke == NULL)
        return OK;
    struct certificate_facts facts = certificate_facts(revoke);
    X509 *issuer = certificate_native(anchor);
    EVP_PKEY *key = X509_get0_pubkey(issuer);
    if (facts.anchor || key == NULL || X509_verify(certificate_native(revoke), key) != 1) {
        return error_set(err, ERR_INVALID,
                         "the certificate with serial %s was not issued by this anchor",
                         facts.serial);
    }
    int64_t when_ms = 0;
    if (current != NULL && crl_revokes(current, revoke, &when_ms))
        return error_set(err, ERR_EXISTS, "the certificate with serial %s is revoked already",
                         facts.serial);
    return OK;
}

static bool fill(X509_CRL *native,
                 const struct crl *current,
                 const struct certificate *revoke,
                 const struct crl_dates *dates,
                 X509 *issuer)
{
    return X509_CRL_set_version(native, 1) == 1 &&
           X509_CRL_set_issuer_name(native, X509_get_subject_name(issuer)) == 1 &&
           set_dates(native, dates->this_update_ms, dates->next_update_ms) &&
           add_key_id(native, issuer) &&
           set_number(native, current == NULL ? 1 : current->facts.number + 1) &&
           copy_entries(native, current) && add_entry(native, revoke, dates->this_update_ms) &&
           X509_CRL_sort(native) == 1;
}

enum status crl_make(const struct crl *current,
                     const struct certificate *revoke,
                     const struct certificate_issuer *issuer,
                     const struct crl_dates *dates,
                     struct buf *ret_der,
                     struct error *err)
{
    struct certificate *anchor = NULL;
    X509_CRL *native = NULL;
    enum status status = certificate_parse(issuer->anchor, &anchor, err);
    if (status == OK)
        status = certificate_check_key(issuer->anchor, issuer->key, err);
    if (status == OK && current != NULL)
        status = crl_check(current, anchor, err);
    if (status == OK)
        status = check_revoke(current, revoke, anchor, err);
    if (status == OK && dates->next_update_ms <= dates->this_update_ms)
        status = error_set(err, ERR_INVALID, "a revocation list must end after it begins");
    if (status != OK)
        goto out;
    native = X509_CRL_new();
    if (native != NULL && fill(native, current, revoke, dates, certificate_native(anchor)) &&
        X509_CRL_sign(native, private_key_native(issuer->key), EVP_sha256()) > 0)
        status = encode(native, ret_der, err);
    else
        status = error_set(err, ERR_INTERNAL, "the library could not make the list");
out:
    X509_CRL_free(native);
    certificate_free(anchor);
    return status;
}
