#include "support/pki.h"

#include "crypto/card.h"

#include "support/check.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

void pki_init(struct pki_state *state, const char *realm, const char *code)
{
    struct error err = ERROR_INIT;
    *state = (struct pki_state){ 0 };
    CHECK_OK(realm_parse(realm, &state->realm, &err), &err);
    CHECK_OK(code_parse(code, &state->code, &err), &err);
    CHECK_OK(private_key_make(KEY_P256, &state->anchor_key, &err), &err);
    struct certificate_subject subject = { state->realm, state->code, PKI_NOW_MS - PKI_DAY_MS,
                                           PKI_NOW_MS + ANCHOR_LIFE_MS };
    CHECK_OK(certificate_make_anchor(&subject, state->anchor_key, &state->anchor, &err), &err);
    struct certificate_issuer issuer = pki_issuer(state);
    subject.not_after_ms = PKI_NOW_MS + ROLE_LIFE_MS;
    for (unsigned i = 0; i < ROLE_COUNT; i++) {
        enum role role = (enum role)i;
        CHECK_OK(private_key_make(certificate_key_kind(role), &state->keys[i], &err), &err);
        CHECK_OK(certificate_issue(&subject, role, state->keys[i], &issuer, &state->roles[i], &err),
                 &err);
    }
    struct crl_dates dates = { PKI_NOW_MS - PKI_DAY_MS, PKI_NOW_MS + CRL_LIFE_MS };
    CHECK_OK(crl_make(NULL, NULL, &issuer, &dates, &state->crl, &err), &err);
}

void pki_fini(struct pki_state *state)
{
    private_key_free(state->anchor_key);
    buf_fini(&state->anchor);
    for (unsigned i = 0; i < ROLE_COUNT; i++) {
        private_key_free(state->keys[i]);
        buf_fini(&state->roles[i]);
    }
    buf_fini(&state->crl);
    *state = (struct pki_state){ 0 };
}

struct certificate_issuer pki_issuer(const struct pki_state *state)
{
    return (struct certificate_issuer){ buf_span(&state->anchor), state->anchor_key };
}

void pki_revoke(struct pki_state *state, struct span certificate, int64_t until_ms)
{
    struct error err = ERROR_INIT;
    struct certificate *parsed = NULL;
    struct crl *current = NULL;
    struct certificate_issuer issuer = pki_issuer(state);
    struct crl_dates dates = { PKI_NOW_MS - PKI_DAY_MS, until_ms };
    if (certificate.size > 0)
        CHECK_OK(certificate_parse(certificate, &parsed, &err), &err);
    CHECK_OK(crl_parse(buf_span(&state->crl), &current, &err), &err);
    CHECK_OK(crl_make(current, parsed, &issuer, &dates, &state->crl, &err), &err);
    certificate_free(parsed);
    crl_free(current);
}

struct pki_forgery pki_tls_plan(const struct pki_state *state, char uri[static 80])
{
    char code[CODE_MAX + 1] = "";
    for (size_t i = 0; state->code.text[i] != '\0'; i++)
        code[i] = (char)(state->code.text[i] | 0x20);
    snprintf(uri, 80, "URI:urn:comity:%s:%s:tls", state->realm.text, code);
    return (struct pki_forgery){
        .country = code_is_state(&state->code) ? state->code.text : NULL,
        .uris = uri,
        .basic_constraints = "critical,CA:FALSE",
        .key_usage = "critical,digitalSignature",
        .extended_key_usage = "critical,serverAuth,clientAuth",
        .key = state->keys[ROLE_TLS],
        .signer = state->anchor_key,
        .issuer = buf_span(&state->anchor),
    };
}

static void extend(X509 *certificate, X509 *issuer, int kind, const char *text)
{
    X509V3_CTX context;
    if (text == NULL)
        return;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, text);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static void extend_unknown(X509 *certificate, const char *oid)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    assert_int_equal(ASN1_OCTET_STRING_set(value, (const unsigned char *)"\x05\x00", 2), 1);
    X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(NULL, object, 1, value);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(object);
}

static void name_it(X509 *certificate, const char *country)
{
    X509_NAME *name = X509_get_subject_name(certificate);
    for (; country != NULL && *country != '\0'; country += 2 + (country[2] == ','))
        X509_NAME_add_entry_by_txt(name, "C", MBSTRING_ASC, (const unsigned char *)country, 2, -1,
                                   0);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"forged", -1, -1,
                               0);
}

void pki_forge(const struct pki_forgery *plan, struct buf *ret_der)
{
    int64_t from_ms = plan->not_before_ms != 0 ? plan->not_before_ms : PKI_NOW_MS - PKI_DAY_MS;
    int64_t until_ms = plan->not_after_ms != 0 ? plan->not_after_ms : PKI_NOW_MS + ROLE_LIFE_MS;
    X509 *certificate = X509_new();
    const unsigned char *at = plan->issuer.data;
    X509 *issuer = at == NULL ? NULL : d2i_X509(NULL, &at, (long)plan->issuer.size);
    X509_set_version(certificate, 2);
    static int64_t serial = 0x10000;
    ASN1_INTEGER_set_int64(X509_get_serialNumber(certificate), ++serial);
    ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)(from_ms / 1000));
    ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)(until_ms / 1000));
    name_it(certificate, plan->country);
    X509_set_pubkey(certificate, private_key_native(plan->key));
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer == NULL ? certificate : issuer));
    extend(certificate, issuer, NID_subject_alt_name, plan->uris);
    extend(certificate, issuer, NID_basic_constraints, plan->basic_constraints);
    extend(certificate, issuer, NID_key_usage, plan->key_usage);
    extend(certificate, issuer, NID_ext_key_usage, plan->extended_key_usage);
    if (plan->extra_oid != NULL)
        extend_unknown(certificate, plan->extra_oid);
    EVP_PKEY *signer = private_key_native(plan->signer);
    const EVP_MD *md = EVP_PKEY_get_id(signer) == EVP_PKEY_ED25519 ? NULL : EVP_sha256();
    assert_true(X509_sign(certificate, signer, md) > 0);
    unsigned char *der = NULL;
    int size = i2d_X509(certificate, &der);
    assert_true(size > 0);
    buf_clear(ret_der);
    CHECK_OK(buf_append(ret_der, span_of(der, (size_t)size), NULL), NULL);
    OPENSSL_free(der);
    X509_free(certificate);
    X509_free(issuer);
}

struct buf pki_card(const struct pki_state *state, const char *name, const char *address)
{
    struct error err = ERROR_INIT;
    struct card card = { .realm = state->realm, .code = state->code };
    struct buf text = BUF_INIT;
    (void)snprintf(card.name, sizeof(card.name), "%s", name);
    (void)snprintf(card.address, sizeof(card.address), "%s", address);
    CHECK_OK(buf_append(&card.anchor, buf_span(&state->anchor), &err), &err);
    for (int i = 0; i < ROLE_COUNT; i++)
        CHECK_OK(buf_append(&card.roles[i], buf_span(&state->roles[i]), &err), &err);
    CHECK_OK(buf_append(&card.crl, buf_span(&state->crl), &err), &err);
    CHECK_OK(card_encode(&card, &text, &err), &err);
    card_fini(&card);
    return text;
}
