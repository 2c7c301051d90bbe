/* What all connections have in common, declared in crypto/tls.h. */
#include "base/memory.h"
#include "crypto/certificate.h"
#include "crypto/tls_internal.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <string.h>

static const unsigned char alpn[] = "\x08" TLS_ALPN; /* one name with its length in front */
enum { ALPN_SIZE = sizeof(alpn) - 1 };

void tls_context_judge(struct tls *tls, struct trust_answer *ret_answer)
{
    struct clock *clock = tls->context->clock;
    trust_judge(tls->context->trust, buf_span(&tls->peer_certificate), ROLE_TLS,
                clock->wall_ms(clock), ret_answer);
    if (verdict_allows(ret_answer->verdict) && tls->has_expected &&
        !code_equal(&ret_answer->code, &tls->expected)) {
        ret_answer->verdict =
            verdict_set(VERDICT_WRONG_CODE, &ret_answer->reason, "%s answered where we dialled %s",
                        ret_answer->code.text, tls->expected.text);
    }
}

/* Chooses the alert that the peer gets to see. */
static int library_error(enum verdict verdict)
{
    if (verdict_allows(verdict))
        return X509_V_OK;
    if (verdict == VERDICT_EXPIRED || verdict == VERDICT_NOT_YET_VALID)
        return X509_V_ERR_CERT_HAS_EXPIRED;
    if (verdict == VERDICT_REVOKED)
        return X509_V_ERR_CERT_REVOKED;
    if (verdict == VERDICT_UNKNOWN_NODE || verdict == VERDICT_WRONG_ANCHOR)
        return X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY;
    return X509_V_ERR_CERT_REJECTED;
}

static enum status copy_der(X509 *native, struct buf *ret_der)
{
    unsigned char *der = NULL;
    int size = i2d_X509(native, &der);
    enum status status = size <= 0 ? ERR_INVALID : OK;
    buf_clear(ret_der);
    if (status == OK)
        status = buf_append(ret_der, span_of(der, (size_t)size), NULL);
    OPENSSL_free(der);
    return status;
}

/* In place of the library's own chain building: nothing but the State's anchor counts, nothing is
 * fetched, and no system store is asked. */
static int verify(X509_STORE_CTX *store, void *unused)
{
    (void)unused;
    SSL *native = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls *tls = SSL_get_app_data(native);
    struct trust_answer *answer = &tls->answer;
    int shown = sk_X509_num(X509_STORE_CTX_get0_untrusted(store));
    X509 *leaf = X509_STORE_CTX_get0_cert(store);
    if (leaf == NULL || copy_der(leaf, &tls->peer_certificate) != OK) {
        answer->verdict = verdict_set(VERDICT_MALFORMED, &answer->reason,
                                      "the other end's certificate could not be read");
    } else if (shown > 1) {
        answer->verdict = verdict_set(VERDICT_WRONG_CHAIN, &answer->reason,
                                      "the other end showed %d certificates; its tls certificate "
                                      "alone belongs there",
                                      shown);
    } else {
        tls_context_judge(tls, answer);
    }
    X509_STORE_CTX_set_error(store, library_error(answer->verdict));
    return verdict_allows(answer->verdict) ? 1 : 0;
}

static int refuse_alpn(struct tls *tls)
{
    tls->answer.verdict =
        verdict_set(VERDICT_WRONG_PROTOCOL, &tls->answer.reason,
                    "the other end does not offer the protocol " TLS_ALPN " (ALPN)");
    return SSL_AD_NO_APPLICATION_PROTOCOL;
}

/* A client that leaves ALPN out would never meet select_alpn(). */
static int client_hello(SSL *native, int *ret_alert, void *unused)
{
    (void)unused;
    const unsigned char *data = NULL;
    size_t size = 0;
    bool has_alpn =
        SSL_client_hello_get0_ext(native, TLSEXT_TYPE_application_layer_protocol_negotiation, &data,
                                  &size) == 1;
    bool is_13 =
        SSL_client_hello_get0_ext(native, TLSEXT_TYPE_supported_versions, &data, &size) == 1;
    if (has_alpn || !is_13) /* without 1.3 the library refuses by itself */
        return SSL_CLIENT_HELLO_SUCCESS;
    *ret_alert = refuse_alpn(SSL_get_app_data(native));
    return SSL_CLIENT_HELLO_ERROR;
}

static int select_alpn(SSL *native,
                       const unsigned char **ret_name,
                       unsigned char *ret_size,
                       const unsigned char *offered,
                       unsigned offered_size,
                       void *unused)
{
    (void)unused;
    unsigned char *name = NULL;
    if (SSL_select_next_proto(&name, ret_size, alpn, ALPN_SIZE, offered, offered_size) !=
        OPENSSL_NPN_NEGOTIATED) {
        refuse_alpn(SSL_get_app_data(native));
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *ret_name = name;
    return SSL_TLSEXT_ERR_OK;
}

/* Not const, because OpenSSL's macros cast that away. */
static char hybrid_groups[] = "X25519MLKEM768:X25519:P-256";
static char classic_groups[] = "X25519:P-256";
static char signatures[] = "ecdsa_secp256r1_sha256:ed25519";

/* The post-quantum hybrid comes first where the library has it (OpenSSL 3.5). */
static bool set_groups(SSL_CTX *native)
{
    if (SSL_CTX_set1_groups_list(native, hybrid_groups) == 1)
        return true;
    ERR_clear_error();
    return SSL_CTX_set1_groups_list(native, classic_groups) == 1;
}

static bool configure(SSL_CTX *native)
{
    SSL_CTX_set_options(native, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                    SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_CLEANSE_PLAINTEXT);
    SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_max_cert_list(native, TLS_CERTIFICATES_MAX);
    SSL_CTX_set_verify(native, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(native, verify, NULL);
    SSL_CTX_set_client_hello_cb(native, client_hello, NULL);
    SSL_CTX_set_alpn_select_cb(native, select_alpn, NULL);
    return SSL_CTX_set_min_proto_version(native, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(native, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_ciphersuites(native,
                                    "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256") == 1 &&
           set_groups(native) && SSL_CTX_set1_sigalgs_list(native, signatures) == 1 &&
           SSL_CTX_set1_client_sigalgs_list(native, signatures) == 1 &&
           SSL_CTX_set_num_tickets(native, 0) == 1 && SSL_CTX_set_max_early_data(native, 0) == 1 &&
           SSL_CTX_set_recv_max_early_data(native, 0) == 1 &&
           SSL_CTX_set_alpn_protos(native, alpn, ALPN_SIZE) == 0; /* 0 is success here */
}

enum status tls_context_new(const struct tls_identity *identity,
                            struct trust *trust,
                            struct clock *clock,
                            struct tls_context **ret_context,
                            struct error *err)
{
    struct tls_context *context = mem_calloc(1, sizeof(*context));
    if (context == NULL) {
        trust_free(trust);
        return error_set(err, ERR_MEMORY, "no memory for a TLS context");
    }
    context->trust = trust;
    context->clock = clock;
    context->native = SSL_CTX_new(TLS_method());
    enum status status = OK;
    if (context->native == NULL || !configure(context->native)) {
        status = error_set(err, ERR_UNSUPPORTED,
                           "this OpenSSL cannot do TLS 1.3 with the ciphers, groups and "
                           "signatures that Comity asks for");
    }
    if (status == OK)
        status = tls_context_set_identity(context, identity, err);
    ERR_clear_error();
    if (status != OK) {
        tls_context_free(context);
        return status;
    }
    *ret_context = context;
    return OK;
}

void tls_context_free(struct tls_context *context)
{
    if (context == NULL)
        return;
    SSL_CTX_free(context->native);
    trust_free(context->trust);
    mem_free(context);
}

void tls_context_set_trust(struct tls_context *context, struct trust *trust)
{
    trust_free(context->trust);
    context->trust = trust;
}

enum status tls_context_set_identity(struct tls_context *context,
                                     const struct tls_identity *identity,
                                     struct error *err)
{
    struct certificate *certificate = NULL;
    enum status status = certificate_check_key(identity->certificate, identity->key, err);
    if (status == OK)
        status = certificate_parse(identity->certificate, &certificate, err);
    if (status != OK)
        return status;
    struct certificate_facts facts = certificate_facts(certificate);
    if (facts.identities != 1 || facts.anchor || facts.role != ROLE_TLS) {
        status = error_set(err, ERR_INVALID,
                           "the certificate with serial %s is not a tls certificate of this "
                           "profile, and connections need one",
                           facts.serial);
    } else if (SSL_CTX_use_certificate(context->native, certificate_native(certificate)) != 1 ||
               SSL_CTX_use_PrivateKey(context->native, private_key_native(identity->key)) != 1) {
        status = error_set(err, ERR_INVALID, "the library does not take the tls certificate");
    }
    ERR_clear_error();
    certificate_free(certificate);
    return status;
}
