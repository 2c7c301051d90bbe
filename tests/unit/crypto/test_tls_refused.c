/* The certificate matrix through real handshakes: who is not let in, and what is said of it. */
#include "support/check.h"
#include "support/tls_link.h"

#include <openssl/ssl.h>

/* Two States and the contexts of their nodes. */
static struct pki_state ke;
static struct pki_state gb;
static struct clock_fake now;

static int make_states(void **state)
{
    (void)state;
    clock_fake_init(&now, PKI_NOW_MS);
    pki_init(&ke, "training", "KE");
    pki_init(&gb, "training", "GB");
    return 0;
}

static int free_states(void **state)
{
    (void)state;
    pki_fini(&ke);
    pki_fini(&gb);
    return 0;
}

/* What a refused client certificate looks like, and what must be said of it. */
struct row {
    const char *what;
    void (*spoil)(struct pki_forgery *plan);
    enum verdict verdict;
    enum status status;
    const char *says;
};

static void two_uris(struct pki_forgery *plan)
{
    plan->uris = "URI:urn:comity:training:ke:tls,URI:urn:comity:training:gb:tls";
}
static void same_uri_twice(struct pki_forgery *plan)
{
    plan->uris = "URI:urn:comity:training:ke:tls,URI:urn:comity:training:ke:tls";
}
static void no_uri(struct pki_forgery *plan)
{
    plan->uris = NULL;
}
static void other_uri(struct pki_forgery *plan)
{
    plan->uris = "DNS:node.example,URI:https://node.example";
}
static void upper_case_uri(struct pki_forgery *plan)
{
    plan->uris = "URI:urn:comity:training:KE:tls";
}
static void cut_uri(struct pki_forgery *plan)
{
    plan->uris = "URI:urn:comity:training:ke";
}
static void unknown_role(struct pki_forgery *plan)
{
    plan->uris = "URI:urn:comity:training:ke:admin";
}
static void log_role(struct pki_forgery *plan)
{
    plan->uris = "URI:urn:comity:training:ke:log";
}
static void anchor_role(struct pki_forgery *plan)
{
    plan->uris = "URI:urn:comity:training:ke:anchor";
}
static void other_realm(struct pki_forgery *plan)
{
    plan->uris = "URI:urn:comity:live:ke:tls";
}
static void other_state(struct pki_forgery *plan)
{
    plan->uris = "URI:urn:comity:training:fr:tls";
    plan->country = "FR";
}
static void own_code(struct pki_forgery *plan)
{
    plan->uris = "URI:urn:comity:training:gb:tls";
    plan->country = "GB";
}
static void other_country(struct pki_forgery *plan)
{
    plan->country = "FR";
}
static void two_countries(struct pki_forgery *plan)
{
    plan->country = "KE,KE";
}
static void no_country(struct pki_forgery *plan)
{
    plan->country = NULL;
}
static void expired(struct pki_forgery *plan)
{
    plan->not_before_ms = PKI_NOW_MS - 9 * PKI_DAY_MS;
    plan->not_after_ms = PKI_NOW_MS - PKI_DAY_MS;
}
static void not_yet_valid(struct pki_forgery *plan)
{
    plan->not_before_ms = PKI_NOW_MS + PKI_DAY_MS;
}
static void server_only(struct pki_forgery *plan)
{
    plan->extended_key_usage = "serverAuth";
}
static void client_only(struct pki_forgery *plan)
{
    plan->extended_key_usage = "clientAuth";
}
static void no_use(struct pki_forgery *plan)
{
    plan->extended_key_usage = NULL;
}
static void any_use(struct pki_forgery *plan)
{
    plan->extended_key_usage = "serverAuth,clientAuth,codeSigning";
}
static void log_use(struct pki_forgery *plan)
{
    plan->extended_key_usage = "critical," CERTIFICATE_OID_LOG;
}
static void may_issue(struct pki_forgery *plan)
{
    plan->basic_constraints = "critical,CA:TRUE";
    plan->key_usage = "critical,digitalSignature,keyCertSign";
}
static void no_constraints(struct pki_forgery *plan)
{
    plan->basic_constraints = NULL;
}
static void other_key_usage(struct pki_forgery *plan)
{
    plan->key_usage = "critical,digitalSignature,keyAgreement";
}
static void unknown_critical(struct pki_forgery *plan)
{
    plan->extra_oid = "1.3.6.1.4.1.99999.1";
}
static void self_signed(struct pki_forgery *plan)
{
    plan->signer = ke.keys[ROLE_TLS];
    plan->issuer = SPAN_EMPTY;
}
static void right_issuer_name_only(struct pki_forgery *plan)
{
    plan->signer = gb.anchor_key;
}
static void signed_by_other_state(struct pki_forgery *plan)
{
    plan->signer = gb.anchor_key;
    plan->issuer = buf_span(&gb.anchor);
}

static const struct row rows[] = {
    { "two URIs", two_uris, VERDICT_MANY_IDENTITIES, ERR_DENIED, "has 2 urn:comity URIs" },
    { "the same URI twice", same_uri_twice, VERDICT_MANY_IDENTITIES, ERR_DENIED, "exactly one" },
    { "no URI", no_uri, VERDICT_NO_IDENTITY, ERR_DENIED, "names no node" },
    { "another URI", other_uri, VERDICT_NO_IDENTITY, ERR_DENIED, "names no node" },
    { "capitals", upper_case_uri, VERDICT_MALFORMED, ERR_INVALID, "in lower case" },
    { "no role (the # trap)", cut_uri, VERDICT_MALFORMED, ERR_INVALID, "urn:comity:training:ke'" },
    { "a role nobody has", unknown_role, VERDICT_MALFORMED, ERR_INVALID, "ke:admin" },
    { "the log role", log_role, VERDICT_WRONG_ROLE, ERR_DENIED,
      "this is KE's log certificate, where a tls certificate belongs" },
    { "the anchor's role", anchor_role, VERDICT_WRONG_ROLE, ERR_DENIED, "KE's anchor certificate" },
    { "another realm", other_realm, VERDICT_WRONG_REALM, ERR_DENIED, "of the realm 'live'" },
    { "an unknown State", other_state, VERDICT_UNKNOWN_NODE, ERR_NOT_FOUND,
      "FR is not an accepted peer" },
    { "our own code", own_code, VERDICT_OWN_CODE, ERR_DENIED, "claims to be GB" },
    { "another country", other_country, VERDICT_WRONG_COUNTRY, ERR_DENIED, "C=KE belongs there" },
    { "two countries", two_countries, VERDICT_WRONG_COUNTRY, ERR_DENIED, "C=KE belongs there" },
    { "no country", no_country, VERDICT_WRONG_COUNTRY, ERR_DENIED, "C=KE belongs there" },
    { "expired", expired, VERDICT_EXPIRED, ERR_EXPIRED, "was valid until 2026-09-20" },
    { "not yet valid", not_yet_valid, VERDICT_NOT_YET_VALID, ERR_EXPIRED,
      "is valid from 2026-09-22" },
    { "serverAuth only", server_only, VERDICT_WRONG_USE, ERR_DENIED, "extended key usage" },
    { "clientAuth only", client_only, VERDICT_WRONG_USE, ERR_DENIED, "extended key usage" },
    { "no extended key usage", no_use, VERDICT_WRONG_USE, ERR_DENIED, "extended key usage" },
    { "a use too many", any_use, VERDICT_WRONG_USE, ERR_DENIED, "extended key usage" },
    { "the log's use", log_use, VERDICT_WRONG_USE, ERR_DENIED, "extended key usage" },
    { "a certificate that may issue", may_issue, VERDICT_WRONG_USE, ERR_DENIED, "CA:FALSE" },
    { "no basic constraints", no_constraints, VERDICT_WRONG_USE, ERR_DENIED, "CA:FALSE" },
    { "another key usage", other_key_usage, VERDICT_WRONG_USE, ERR_DENIED,
      "digitalSignature alone" },
    { "an unknown critical extension", unknown_critical, VERDICT_MALFORMED, ERR_INVALID,
      "critical and unknown" },
    { "self-signed", self_signed, VERDICT_WRONG_ANCHOR, ERR_SIGNATURE, "was not issued by" },
    { "the issuer's name only", right_issuer_name_only, VERDICT_WRONG_ANCHOR, ERR_SIGNATURE,
      "was not issued by" },
    { "signed by another State", signed_by_other_state, VERDICT_WRONG_ANCHOR, ERR_SIGNATURE,
      "was not issued by" },
};

/* A node of our own making would refuse to show such a certificate: this client is bare OpenSSL. */
struct stranger {
    SSL_CTX *context;
    SSL *ssl;
};

static struct stranger stranger_with(struct span certificate, const struct private_key *key)
{
    struct stranger it = { SSL_CTX_new(TLS_client_method()), NULL };
    if (certificate.size > 0) {
        SSL_CTX_use_certificate_ASN1(it.context, (int)certificate.size, certificate.data);
        SSL_CTX_use_PrivateKey(it.context, private_key_native(key));
    }
    SSL_CTX_set_alpn_protos(it.context,
                            (const unsigned char *)"\x08"
                                                   "comity/1",
                            9);
    return it;
}

static void stranger_start(struct stranger *it)
{
    it->ssl = SSL_new(it->context);
    SSL_set_bio(it->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(it->ssl);
}

/* One exchange each way until nothing moves. */
static void stranger_meets(struct stranger *it, struct tls *server)
{
    for (int i = 0; i < 6; i++) {
        char byte;
        SSL_do_handshake(it->ssl);
        char *data = NULL;
        long size = BIO_get_mem_data(SSL_get_wbio(it->ssl), &data);
        if (size > 0)
            (void)!tls_receive(server, span_of(data, (size_t)size), NULL);
        (void)BIO_reset(SSL_get_wbio(it->ssl));
        struct buf back = tls_pull(server);
        if (back.size > 0)
            BIO_write(SSL_get_rbio(it->ssl), back.data, (int)back.size);
        buf_fini(&back);
        SSL_read(it->ssl, &byte, 1);
    }
}

static void stranger_free(struct stranger *it)
{
    SSL_free(it->ssl);
    SSL_CTX_free(it->context);
}

static void check_refused(const char *what,
                          struct stranger *client,
                          enum verdict verdict,
                          enum status status,
                          const char *says)
{
    struct error err = ERROR_INIT;
    struct tls_context *context = tls_link_context(&gb, &ke, &now.base);
    struct tls *server = NULL;
    CHECK_OK(tls_new(context, TLS_SERVER, NULL, &server, &err), &err);
    stranger_start(client);
    stranger_meets(client, server);
    if (tls_state(server) != TLS_FAILED || tls_peer(server)->verdict != verdict ||
        tls_error(server)->status != status || strstr(tls_error(server)->text, says) == NULL) {
        fail_msg("%s: %s, %s, %s: %s", what, tls_state_name(tls_state(server)),
                 verdict_name(tls_peer(server)->verdict), status_name(tls_error(server)->status),
                 tls_error(server)->text);
    }
    size_t size = 7;
    CHECK_STATUS(tls_receive(server, SPAN_LITERAL("x"), &err), status, &err);
    CHECK_STATUS(tls_read(server, &size, 1, &size, &err), status, &err);
    CHECK_STATUS(tls_send(server, SPAN_LITERAL("x"), &size, &err), status, &err);
    CHECK_STATUS(tls_recheck(server, &err), status, &err);
    tls_shutdown(server);
    assert_int_equal(tls_state(server), TLS_FAILED);
    tls_free(server);
    tls_context_free(context);
    stranger_free(client);
}

static void every_wrong_certificate_is_refused_with_its_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char uri[80];
        struct buf der = BUF_INIT;
        struct pki_forgery plan = pki_tls_plan(&ke, uri);
        rows[i].spoil(&plan);
        pki_forge(&plan, &der);
        struct stranger client = stranger_with(buf_span(&der), ke.keys[ROLE_TLS]);
        check_refused(rows[i].what, &client, rows[i].verdict, rows[i].status, rows[i].says);
        buf_fini(&der);
    }
}

static void an_unspoilt_forgery_is_let_in(void **state)
{
    (void)state; /* so that each row above is refused for its one spoilt value */
    char uri[80];
    struct buf der = BUF_INIT;
    struct pki_forgery plan = pki_tls_plan(&ke, uri);
    pki_forge(&plan, &der);
    struct tls_context *context = tls_link_context(&gb, &ke, &now.base);
    struct tls *server = NULL;
    CHECK_OK(tls_new(context, TLS_SERVER, NULL, &server, NULL), NULL);
    struct stranger client = stranger_with(buf_span(&der), ke.keys[ROLE_TLS]);
    stranger_start(&client);
    stranger_meets(&client, server);
    assert_string_equal(tls_error(server)->text, "");
    assert_int_equal(tls_state(server), TLS_OPEN);
    stranger_free(&client);
    tls_free(server);
    tls_context_free(context);
    buf_fini(&der);
}

static void a_client_without_a_certificate_is_refused(void **state)
{
    (void)state;
    struct stranger client = stranger_with(SPAN_EMPTY, NULL);
    check_refused("none", &client, VERDICT_NO_CERTIFICATE, ERR_DENIED, "showed no certificate");
}

static void a_log_certificate_opens_no_connection(void **state)
{
    (void)state;
    struct stranger client = stranger_with(buf_span(&ke.roles[ROLE_LOG]), ke.keys[ROLE_LOG]);
    check_refused("log", &client, VERDICT_WRONG_ROLE, ERR_DENIED, "KE's log certificate");
    struct error err = ERROR_INIT;
    struct tls_context *context = NULL;
    struct tls_identity identity = { buf_span(&ke.roles[ROLE_LOG]), ke.keys[ROLE_LOG] };
    CHECK_STATUS(tls_context_new(&identity, tls_link_trust(&ke, &gb), &now.base, &context, &err),
                 ERR_INVALID, &err);
    CHECK_CONTAINS(err.text, "not a tls certificate");
    identity.key = ke.keys[ROLE_RECEIPT];
    CHECK_STATUS(tls_context_new(&identity, tls_link_trust(&ke, &gb), &now.base, &context, &err),
                 ERR_MISMATCH, &err);
}

static void a_chain_where_one_certificate_belongs_is_refused(void **state)
{
    (void)state;
    struct stranger client = stranger_with(buf_span(&ke.roles[ROLE_TLS]), ke.keys[ROLE_TLS]);
    const unsigned char *at = ke.anchor.data;
    X509 *anchor = d2i_X509(NULL, &at, (long)ke.anchor.size);
    SSL_CTX_add1_chain_cert(client.context, anchor);
    X509_free(anchor);
    check_refused("chain", &client, VERDICT_WRONG_CHAIN, ERR_DENIED, "showed 2 certificates");
}

static void a_flood_of_certificates_is_cut(void **state)
{
    (void)state;
    struct stranger client = stranger_with(buf_span(&ke.roles[ROLE_TLS]), ke.keys[ROLE_TLS]);
    const unsigned char *at = ke.anchor.data;
    X509 *anchor = d2i_X509(NULL, &at, (long)ke.anchor.size);
    for (int i = 0; i < 40; i++)
        SSL_CTX_add1_chain_cert(client.context, anchor);
    X509_free(anchor);
    check_refused("flood", &client, VERDICT_NO_CERTIFICATE, ERR_LIMIT, "more than 16384 bytes");
}

static void an_older_tls_is_refused(void **state)
{
    (void)state;
    struct stranger client = stranger_with(buf_span(&ke.roles[ROLE_TLS]), ke.keys[ROLE_TLS]);
    SSL_CTX_set_max_proto_version(client.context, TLS1_2_VERSION);
    check_refused("TLS 1.2", &client, VERDICT_WRONG_PROTOCOL, ERR_INVALID,
                  "does not speak TLS 1.3");
}

static void another_protocol_is_refused(void **state)
{
    (void)state;
    const struct span names[] = { SPAN_LITERAL(""),
                                  SPAN_LITERAL("\x08"
                                               "comity/2"),
                                  SPAN_LITERAL("\x09"
                                               "comity/11"),
                                  SPAN_LITERAL("\x02h2") };
    for (size_t i = 0; i < COUNT(names); i++) {
        struct stranger client = stranger_with(buf_span(&ke.roles[ROLE_TLS]), ke.keys[ROLE_TLS]);
        SSL_CTX_set_alpn_protos(client.context, names[i].data, (unsigned)names[i].size);
        check_refused("ALPN", &client, VERDICT_WRONG_PROTOCOL, ERR_INVALID, "comity/1 (ALPN)");
    }
}

static void what_is_not_tls_is_refused(void **state)
{
    (void)state;
    const struct span noise[] = { SPAN_LITERAL("GET / HTTP/1.1\r\n\r\n"),
                                  SPAN_LITERAL("\x16\x03\x01\xff\xff\x01\xff\xff\xff"),
                                  SPAN_LITERAL("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0") };
    struct tls_context *context = tls_link_context(&gb, &ke, &now.base);
    for (size_t i = 0; i < COUNT(noise); i++) {
        struct tls *server = NULL;
        struct error err = ERROR_INIT;
        CHECK_OK(tls_new(context, TLS_SERVER, NULL, &server, NULL), NULL);
        assert_int_not_equal(tls_receive(server, noise[i], &err), OK);
        assert_int_equal(tls_state(server), TLS_FAILED);
        assert_true(strlen(err.text) > 5);
        tls_free(server);
    }
    tls_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_wrong_certificate_is_refused_with_its_reason),
        cmocka_unit_test(an_unspoilt_forgery_is_let_in),
        cmocka_unit_test(a_client_without_a_certificate_is_refused),
        cmocka_unit_test(a_log_certificate_opens_no_connection),
        cmocka_unit_test(a_chain_where_one_certificate_belongs_is_refused),
        cmocka_unit_test(a_flood_of_certificates_is_cut),
        cmocka_unit_test(an_older_tls_is_refused),
        cmocka_unit_test(another_protocol_is_refused),
        cmocka_unit_test(what_is_not_tls_is_refused),
    };
    return cmocka_run_group_tests_name("crypto/tls refusals", tests, make_states, free_states);
}
