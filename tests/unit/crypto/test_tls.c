/* Real handshakes between two ends in memory: who is let in, who is not, and what is said. */
#include "base/clock.h"
#include "base/memory.h"
#include "crypto/tls.h"
#include "support/check.h"
#include "support/pki.h"

#include <malloc.h>
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

static struct trust *trust_of(const struct pki_state *self, const struct pki_state *peer)
{
    struct error err = ERROR_INIT;
    struct trust *trust = NULL;
    struct trust_node node = { 0 };
    if (peer != NULL)
        node =
            (struct trust_node){ peer->code, buf_span(&peer->anchor), buf_span(&peer->crl), false };
    CHECK_OK(trust_new(&self->realm, &self->code, &node, peer != NULL, &trust, &err), &err);
    return trust;
}

static struct tls_context *context_with(const struct pki_state *self,
                                        struct span certificate,
                                        const struct private_key *key,
                                        const struct pki_state *peer)
{
    struct error err = ERROR_INIT;
    struct tls_context *context = NULL;
    struct tls_identity identity = { certificate, key };
    CHECK_OK(tls_context_new(&identity, trust_of(self, peer), &now.base, &context, &err), &err);
    return context;
}

static struct tls_context *context_of(const struct pki_state *self, const struct pki_state *peer)
{
    return context_with(self, buf_span(&self->roles[ROLE_TLS]), self->keys[ROLE_TLS], peer);
}

/* Two ends and what is on its way between them. */
struct link {
    struct tls_context *contexts[2]; /* by enum tls_side */
    struct tls *ends[2];
};

static void link_open(struct link *link, const struct code *expected)
{
    struct error err = ERROR_INIT;
    CHECK_OK(tls_new(link->contexts[TLS_SERVER], TLS_SERVER, NULL, &link->ends[TLS_SERVER], &err),
             &err);
    CHECK_OK(
        tls_new(link->contexts[TLS_CLIENT], TLS_CLIENT, expected, &link->ends[TLS_CLIENT], &err),
        &err);
}

/* Carries what one end has written to the other; what comes out of it goes to *got (may be NULL).
 * False when there was nothing. */
static bool carry(struct tls *from, struct tls *to, struct buf *got)
{
    uint8_t room[4096];
    size_t size = 1;
    struct buf bytes = tls_pull(from);
    bool any = bytes.size > 0;
    enum status status = any ? tls_receive(to, buf_span(&bytes), NULL) : OK;
    while (any && status == OK && size > 0) {
        size = 0;
        status = tls_read(to, room, sizeof(room), &size, NULL);
        if (got != NULL)
            assert_int_equal(buf_append(got, span_of(room, size), NULL), OK);
    }
    buf_fini(&bytes);
    return any;
}

static void shake(struct link *link)
{
    struct tls *client = link->ends[TLS_CLIENT];
    struct tls *server = link->ends[TLS_SERVER];
    while (carry(client, server, NULL) | carry(server, client, NULL)) {
    }
}

static void link_close(struct link *link)
{
    for (int i = 0; i < 2; i++) {
        tls_free(link->ends[i]);
        tls_context_free(link->contexts[i]);
    }
    *link = (struct link){ 0 };
}

static struct link good_link(void)
{
    struct link link = {
        .contexts = {context_of(&gb, &ke), context_of(&ke, &gb)}
    };
    link_open(&link, &gb.code);
    shake(&link);
    assert_int_equal(tls_state(link.ends[0]), TLS_OPEN);
    assert_int_equal(tls_state(link.ends[1]), TLS_OPEN);
    return link;
}

static void two_accepted_peers_know_each_other(void **state)
{
    (void)state;
    struct link link = good_link();
    assert_string_equal(tls_peer(link.ends[TLS_SERVER])->code.text, "KE");
    assert_string_equal(tls_peer(link.ends[TLS_CLIENT])->code.text, "GB");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(tls_peer(link.ends[i])->verdict, VERDICT_GOOD);
        assert_int_equal(tls_error(link.ends[i])->status, OK);
    }
    assert_true(
        span_equal(tls_peer_certificate(link.ends[TLS_SERVER]), buf_span(&ke.roles[ROLE_TLS])));
    uint8_t a[32];
    uint8_t b[32];
    CHECK_OK(tls_exporter(link.ends[0], TLS_EXPORTER_HELLO, a, sizeof(a), NULL), NULL);
    CHECK_OK(tls_exporter(link.ends[1], TLS_EXPORTER_HELLO, b, sizeof(b), NULL), NULL);
    assert_memory_equal(a, b, sizeof(a));
    struct link other = good_link();
    CHECK_OK(tls_exporter(other.ends[0], TLS_EXPORTER_HELLO, b, sizeof(b), NULL), NULL);
    assert_memory_not_equal(a, b, sizeof(a));
    link_close(&other);
    link_close(&link);
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
    {"two URIs",                       two_uris,               VERDICT_MANY_IDENTITIES, ERR_DENIED,    "has 2 urn:comity URIs"     },
    { "the same URI twice",            same_uri_twice,         VERDICT_MANY_IDENTITIES, ERR_DENIED,    "exactly one"               },
    { "no URI",                        no_uri,                 VERDICT_NO_IDENTITY,     ERR_DENIED,    "names no node"             },
    { "another URI",                   other_uri,              VERDICT_NO_IDENTITY,     ERR_DENIED,    "names no node"             },
    { "capitals",                      upper_case_uri,         VERDICT_MALFORMED,       ERR_INVALID,   "in lower case"             },
    { "no role (the # trap)",          cut_uri,                VERDICT_MALFORMED,       ERR_INVALID,   "urn:comity:training:ke'"   },
    { "a role nobody has",             unknown_role,           VERDICT_MALFORMED,       ERR_INVALID,   "ke:admin"                  },
    { "the log role",                  log_role,               VERDICT_WRONG_ROLE,      ERR_DENIED,
     "this is KE's log certificate, where a tls certificate belongs"                                                               },
    { "the anchor's role",             anchor_role,            VERDICT_WRONG_ROLE,      ERR_DENIED,    "KE's anchor certificate"   },
    { "another realm",                 other_realm,            VERDICT_WRONG_REALM,     ERR_DENIED,    "of the realm 'live'"       },
    { "an unknown State",              other_state,            VERDICT_UNKNOWN_NODE,    ERR_NOT_FOUND,
     "FR is not an accepted peer"                                                                                                  },
    { "our own code",                  own_code,               VERDICT_OWN_CODE,        ERR_DENIED,    "claims to be GB"           },
    { "another country",               other_country,          VERDICT_WRONG_COUNTRY,   ERR_DENIED,    "C=KE belongs there"        },
    { "two countries",                 two_countries,          VERDICT_WRONG_COUNTRY,   ERR_DENIED,    "C=KE belongs there"        },
    { "no country",                    no_country,             VERDICT_WRONG_COUNTRY,   ERR_DENIED,    "C=KE belongs there"        },
    { "expired",                       expired,                VERDICT_EXPIRED,         ERR_EXPIRED,   "was valid until 2026-09-20"},
    { "not yet valid",                 not_yet_valid,          VERDICT_NOT_YET_VALID,   ERR_EXPIRED,
     "is valid from 2026-09-22"                                                                                                    },
    { "serverAuth only",               server_only,            VERDICT_WRONG_USE,       ERR_DENIED,    "extended key usage"        },
    { "clientAuth only",               client_only,            VERDICT_WRONG_USE,       ERR_DENIED,    "extended key usage"        },
    { "no extended key usage",         no_use,                 VERDICT_WRONG_USE,       ERR_DENIED,    "extended key usage"        },
    { "a use too many",                any_use,                VERDICT_WRONG_USE,       ERR_DENIED,    "extended key usage"        },
    { "the log's use",                 log_use,                VERDICT_WRONG_USE,       ERR_DENIED,    "extended key usage"        },
    { "a certificate that may issue",  may_issue,              VERDICT_WRONG_USE,       ERR_DENIED,    "CA:FALSE"                  },
    { "no basic constraints",          no_constraints,         VERDICT_WRONG_USE,       ERR_DENIED,    "CA:FALSE"                  },
    { "another key usage",             other_key_usage,        VERDICT_WRONG_USE,       ERR_DENIED,
     "digitalSignature alone"                                                                                                      },
    { "an unknown critical extension", unknown_critical,       VERDICT_MALFORMED,       ERR_INVALID,
     "critical and unknown"                                                                                                        },
    { "self-signed",                   self_signed,            VERDICT_WRONG_ANCHOR,    ERR_SIGNATURE, "was not issued by"         },
    { "the issuer's name only",        right_issuer_name_only, VERDICT_WRONG_ANCHOR,    ERR_SIGNATURE,
     "was not issued by"                                                                                                           },
    { "signed by another State",       signed_by_other_state,  VERDICT_WRONG_ANCHOR,    ERR_SIGNATURE,
     "was not issued by"                                                                                                           },
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
    struct tls_context *context = context_of(&gb, &ke);
    struct tls *server = NULL;
    CHECK_OK(tls_new(context, TLS_SERVER, NULL, &server, &err), &err);
    stranger_start(client);
    stranger_meets(client, server);
    if (tls_state(server) != TLS_FAILED || tls_peer(server)->verdict != verdict ||
        tls_error(server)->status != status || strstr(tls_error(server)->text, says) == NULL)
        fail_msg("%s: %s, %s, %s: %s", what, tls_state_name(tls_state(server)),
                 verdict_name(tls_peer(server)->verdict), status_name(tls_error(server)->status),
                 tls_error(server)->text);
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
    struct tls_context *context = context_of(&gb, &ke);
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
    CHECK_STATUS(tls_context_new(&identity, trust_of(&ke, &gb), &now.base, &context, &err),
                 ERR_INVALID, &err);
    CHECK_CONTAINS(err.text, "not a tls certificate");
    identity.key = ke.keys[ROLE_RECEIPT];
    CHECK_STATUS(tls_context_new(&identity, trust_of(&ke, &gb), &now.base, &context, &err),
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
    const struct span rows_[] = { SPAN_LITERAL("GET / HTTP/1.1\r\n\r\n"),
                                  SPAN_LITERAL("\x16\x03\x01\xff\xff\x01\xff\xff\xff"),
                                  SPAN_LITERAL("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0") };
    struct tls_context *context = context_of(&gb, &ke);
    for (size_t i = 0; i < COUNT(rows_); i++) {
        struct tls *server = NULL;
        struct error err = ERROR_INIT;
        CHECK_OK(tls_new(context, TLS_SERVER, NULL, &server, NULL), NULL);
        assert_int_not_equal(tls_receive(server, rows_[i], &err), OK);
        assert_int_equal(tls_state(server), TLS_FAILED);
        assert_true(strlen(err.text) > 5);
        tls_free(server);
    }
    tls_context_free(context);
}

static void a_revoked_certificate_is_refused(void **state)
{
    (void)state;
    struct pki_state fr;
    pki_init(&fr, "training", "FR");
    pki_revoke(&fr, buf_span(&fr.roles[ROLE_TLS]), PKI_NOW_MS + CRL_LIFE_MS);
    struct link link = {
        .contexts = {context_of(&gb, &fr), context_of(&fr, &gb)}
    };
    link_open(&link, &gb.code);
    shake(&link);
    assert_int_equal(tls_peer(link.ends[TLS_SERVER])->verdict, VERDICT_REVOKED);
    CHECK_CONTAINS(tls_error(link.ends[TLS_SERVER])->text, "was revoked at 2026-09-20");
    CHECK_CONTAINS(tls_error(link.ends[TLS_SERVER])->text, "list number 2");
    /* The client learns of it by the alert. */
    assert_int_equal(tls_state(link.ends[TLS_CLIENT]), TLS_FAILED);
    CHECK_CONTAINS(tls_error(link.ends[TLS_CLIENT])->text, "refused us: certificate revoked");
    link_close(&link);
    pki_fini(&fr);
}

static void a_client_refuses_wrong_servers_too(void **state)
{
    (void)state;
    struct pki_state fr;
    pki_init(&fr, "training", "FR");
    /* FR answers where GB was dialled; both are accepted peers. */
    struct link link = {
        .contexts = {context_of(&fr, &ke), context_of(&ke, &fr)}
    };
    link_open(&link, &gb.code);
    shake(&link);
    assert_int_equal(tls_state(link.ends[TLS_CLIENT]), TLS_FAILED);
    assert_int_equal(tls_peer(link.ends[TLS_CLIENT])->verdict, VERDICT_WRONG_CODE);
    assert_string_equal(tls_error(link.ends[TLS_CLIENT])->text, "FR answered where we dialled GB");
    assert_int_equal(tls_state(link.ends[TLS_SERVER]), TLS_FAILED);
    link_close(&link);
    /* An unknown server. */
    link = (struct link){
        .contexts = {context_of(&fr, &ke), context_of(&ke, &gb)}
    };
    link_open(&link, NULL);
    shake(&link);
    assert_int_equal(tls_peer(link.ends[TLS_CLIENT])->verdict, VERDICT_UNKNOWN_NODE);
    CHECK_CONTAINS(tls_error(link.ends[TLS_SERVER])->text, "ask its administrators to accept");
    link_close(&link);
    pki_fini(&fr);
}

static void a_made_up_anchor_for_a_known_code_is_refused(void **state)
{
    (void)state;
    struct pki_state impostor;
    pki_init(&impostor, "training", "KE");
    struct link link = {
        .contexts = {context_of(&gb, &ke), context_of(&impostor, &gb)}
    };
    link_open(&link, NULL);
    shake(&link);
    assert_int_equal(tls_peer(link.ends[TLS_SERVER])->verdict, VERDICT_WRONG_ANCHOR);
    assert_true(tls_peer(link.ends[TLS_SERVER])->named);
    link_close(&link);
    pki_fini(&impostor);
}

static void a_live_session_is_judged_again(void **state)
{
    (void)state;
    struct pki_state fr;
    pki_init(&fr, "training", "FR");
    struct link link = {
        .contexts = {context_of(&gb, &fr), context_of(&fr, &gb)}
    };
    struct error err = ERROR_INIT;
    link_open(&link, NULL);
    CHECK_OK(tls_recheck(link.ends[TLS_SERVER], &err), &err); /* nobody is there yet */
    shake(&link);
    CHECK_OK(tls_recheck(link.ends[TLS_SERVER], &err), &err);
    pki_revoke(&fr, buf_span(&fr.roles[ROLE_TLS]), PKI_NOW_MS + CRL_LIFE_MS);
    tls_context_set_trust(link.contexts[TLS_SERVER], trust_of(&gb, &fr));
    CHECK_STATUS(tls_recheck(link.ends[TLS_SERVER], &err), ERR_DENIED, &err);
    CHECK_CONTAINS(err.text, "was revoked");
    assert_int_equal(tls_state(link.ends[TLS_SERVER]), TLS_FAILED);
    shake(&link); /* the close_notify */
    assert_int_equal(tls_state(link.ends[TLS_CLIENT]), TLS_CLOSED);
    link_close(&link);
    pki_fini(&fr);
}

static void an_old_list_warns_and_then_lets_only_recalls_through(void **state)
{
    (void)state;
    struct link link = good_link();
    struct tls *server = link.ends[TLS_SERVER];
    struct error err = ERROR_INIT;
    now.wall_now_ms = PKI_NOW_MS + CRL_LIFE_MS + 1;
    CHECK_OK(tls_recheck(server, &err), &err);
    assert_int_equal(tls_peer(server)->verdict, VERDICT_CRL_OLD);
    CHECK_CONTAINS(tls_peer(server)->reason.text, "should publish a new list");
    now.wall_now_ms += CRL_GRACE_MS;
    CHECK_OK(tls_recheck(server, &err), &err);
    assert_int_equal(tls_peer(server)->verdict, VERDICT_RECALLS_ONLY);
    CHECK_CONTAINS(tls_peer(server)->reason.text, "only recalls go through");
    assert_int_equal(tls_state(server), TLS_OPEN);
    now.wall_now_ms = PKI_NOW_MS + ROLE_LIFE_MS + 1000;
    CHECK_STATUS(tls_recheck(server, &err), ERR_EXPIRED, &err);
    now.wall_now_ms = PKI_NOW_MS;
    link_close(&link);
}

static void a_new_identity_counts_for_new_connections(void **state)
{
    (void)state;
    struct link link = good_link();
    struct pki_state fr;
    pki_init(&fr, "training", "FR");
    struct error err = ERROR_INIT;
    char uri[80];
    struct buf der = BUF_INIT;
    struct pki_forgery plan = pki_tls_plan(&ke, uri);
    plan.key = fr.keys[ROLE_TLS]; /* a fresh key, rotated in */
    pki_forge(&plan, &der);
    struct tls_identity fresh = { buf_span(&der), fr.keys[ROLE_TLS] };
    CHECK_OK(tls_context_set_identity(link.contexts[TLS_CLIENT], &fresh, &err), &err);
    CHECK_OK(tls_recheck(link.ends[TLS_SERVER], &err), &err);
    tls_free(link.ends[0]);
    tls_free(link.ends[1]);
    link_open(&link, &gb.code);
    shake(&link);
    assert_int_equal(tls_state(link.ends[TLS_SERVER]), TLS_OPEN);
    assert_true(span_equal(tls_peer_certificate(link.ends[TLS_SERVER]), buf_span(&der)));
    link_close(&link);
    buf_fini(&der);
    pki_fini(&fr);
}

/* Sends `size` patterned bytes one way, as backpressure allows, and checks them. */
static void transfer(struct tls *from, struct tls *to, size_t size, size_t step)
{
    struct error err = ERROR_INIT;
    struct buf got = BUF_INIT;
    struct buf sent = BUF_INIT;
    CHECK_OK(buf_append_zeros(&sent, size, &err), &err);
    for (size_t i = 0; i < size; i++)
        sent.data[i] = (uint8_t)(i * 131 + i / 997);
    size_t at = 0;
    while (at < size || got.size < size) {
        size_t taken = 0;
        CHECK_OK(tls_send(from, span_slice(buf_span(&sent), at, step), &taken, &err), &err);
        at += taken;
        assert_true(tls_pending(from) <= TLS_OUTPUT_MAX + 64 * 64);
        if (taken == 0 || at == size)
            carry(from, to, &got);
    }
    assert_true(span_equal(buf_span(&got), buf_span(&sent)));
    buf_fini(&got);
    buf_fini(&sent);
}

static void bytes_arrive_whole_whatever_their_number(void **state)
{
    (void)state;
    const struct {
        size_t size, step;
    } sizes[] = {
        {1,        1      },
        { 1000,    1      },
        { 16384,   16384  },
        { 16385,   16385  },
        { 1000000, 77777  },
        { 3000000, 3000000},
        { 262144,  262144 },
        { 262145,  1000000},
    };
    struct link link = good_link();
    for (size_t i = 0; i < COUNT(sizes); i++) {
        transfer(link.ends[0], link.ends[1], sizes[i].size, sizes[i].step);
        transfer(link.ends[1], link.ends[0], sizes[i].size, sizes[i].step);
    }
    link_close(&link);
}

static void bytes_may_come_one_by_one_and_be_read_late(void **state)
{
    (void)state;
    struct link link = {
        .contexts = {context_of(&gb, &ke), context_of(&ke, &gb)}
    };
    link_open(&link, NULL);
    struct error err = ERROR_INIT;
    uint8_t room[64];
    size_t size = 0;
    for (int turn = 0; turn < 6; turn++) { /* the whole handshake, byte by byte */
        struct tls *from = link.ends[turn % 2 == 0 ? TLS_CLIENT : TLS_SERVER];
        struct tls *to = link.ends[turn % 2 == 0 ? TLS_SERVER : TLS_CLIENT];
        struct buf bytes = tls_pull(from);
        for (size_t i = 0; i < bytes.size; i++)
            CHECK_OK(tls_receive(to, span_of(bytes.data + i, 1), &err), &err);
        buf_fini(&bytes);
    }
    assert_int_equal(tls_state(link.ends[TLS_SERVER]), TLS_OPEN);
    CHECK_OK(tls_send(link.ends[TLS_CLIENT], SPAN_LITERAL("first,"), &size, &err), &err);
    CHECK_OK(tls_send(link.ends[TLS_CLIENT], SPAN_LITERAL("second"), &size, &err), &err);
    struct buf bytes = tls_pull(link.ends[TLS_CLIENT]);
    CHECK_OK(tls_receive(link.ends[TLS_SERVER], span_of(bytes.data, 20), &err), &err);
    CHECK_OK(tls_settle(link.ends[TLS_SERVER], &err), &err);
    CHECK_OK(tls_receive(link.ends[TLS_SERVER], span_of(bytes.data + 20, bytes.size - 20), &err),
             &err);
    CHECK_OK(tls_settle(link.ends[TLS_SERVER], &err), &err);
    CHECK_OK(tls_settle(link.ends[TLS_SERVER], &err), &err);
    buf_fini(&bytes); /* the loan has ended */
    CHECK_OK(tls_read(link.ends[TLS_SERVER], room, 3, &size, &err), &err);
    assert_memory_equal(room, "fir", 3);
    CHECK_OK(tls_read(link.ends[TLS_SERVER], room, sizeof(room), &size, &err), &err);
    assert_int_equal(size, 9);
    assert_memory_equal(room, "st,second", 9);
    CHECK_OK(tls_read(link.ends[TLS_SERVER], room, sizeof(room), &size, &err), &err);
    assert_int_equal(size, 0);
    link_close(&link);
}

static void a_changed_byte_ends_the_connection(void **state)
{
    (void)state;
    struct link link = good_link();
    struct error err = ERROR_INIT;
    size_t size = 0;
    uint8_t room[16];
    CHECK_OK(tls_send(link.ends[TLS_CLIENT], SPAN_LITERAL("secret"), &size, &err), &err);
    struct buf bytes = tls_pull(link.ends[TLS_CLIENT]);
    bytes.data[bytes.size - 1] ^= 1;
    CHECK_OK(tls_receive(link.ends[TLS_SERVER], buf_span(&bytes), &err), &err);
    CHECK_STATUS(tls_read(link.ends[TLS_SERVER], room, sizeof(room), &size, &err), ERR_INVALID,
                 &err);
    assert_int_equal(tls_state(link.ends[TLS_SERVER]), TLS_FAILED);
    buf_fini(&bytes);
    link_close(&link);
}

static void a_goodbye_reaches_the_other_end(void **state)
{
    (void)state;
    struct link link = good_link();
    struct error err = ERROR_INIT;
    size_t size = 9;
    uint8_t room[16];
    CHECK_OK(tls_send(link.ends[TLS_CLIENT], SPAN_LITERAL("last words"), &size, &err), &err);
    tls_shutdown(link.ends[TLS_CLIENT]);
    tls_shutdown(link.ends[TLS_CLIENT]);
    assert_int_equal(tls_state(link.ends[TLS_CLIENT]), TLS_CLOSED);
    CHECK_STATUS(tls_send(link.ends[TLS_CLIENT], SPAN_LITERAL("x"), &size, &err), ERR_WRONG_STATE,
                 &err);
    CHECK_CONTAINS(err.text, "closed");
    CHECK_STATUS(tls_exporter(link.ends[TLS_CLIENT], "EXPORTER-x", room, 16, &err), ERR_WRONG_STATE,
                 &err);
    struct buf got = BUF_INIT;
    carry(link.ends[TLS_CLIENT], link.ends[TLS_SERVER], &got);
    assert_true(span_equal(buf_span(&got), SPAN_LITERAL("last words")));
    assert_int_equal(tls_state(link.ends[TLS_SERVER]), TLS_CLOSED);
    CHECK_OK(tls_read(link.ends[TLS_SERVER], room, sizeof(room), &size, &err), &err);
    assert_int_equal(size, 0);
    CHECK_OK(tls_receive(link.ends[TLS_SERVER], SPAN_LITERAL("x"), &err), &err);
    CHECK_OK(tls_recheck(link.ends[TLS_SERVER], &err), &err);
    buf_fini(&got);
    link_close(&link);
}

static void nothing_is_sent_before_the_handshake(void **state)
{
    (void)state;
    struct tls_context *context = context_of(&ke, &gb);
    struct tls *client = NULL;
    struct error err = ERROR_INIT;
    size_t size = 0;
    CHECK_OK(tls_new(context, TLS_CLIENT, &gb.code, &client, &err), &err);
    assert_true(tls_pending(client) > 0);
    CHECK_STATUS(tls_send(client, SPAN_LITERAL("x"), &size, &err), ERR_WRONG_STATE, &err);
    CHECK_CONTAINS(err.text, "handshaking");
    assert_int_equal(tls_peer(client)->verdict, VERDICT_NO_CERTIFICATE);
    assert_int_equal(tls_peer_certificate(client).size, 0);
    tls_shutdown(client);
    assert_int_equal(tls_state(client), TLS_CLOSED);
    tls_free(client);
    tls_free(NULL);
    tls_context_free(context);
    tls_context_free(NULL);
    assert_string_equal(tls_state_name((enum tls_state)99), "unknown");
}

static void a_failed_allocation_fails_one_call_alone(void **state)
{
    (void)state;
    struct tls_context *context = context_of(&ke, &gb);
    struct tls_identity identity = { buf_span(&ke.roles[ROLE_TLS]), ke.keys[ROLE_TLS] };
    struct error err = ERROR_INIT;
    int64_t live = mem_live();
    bool hit = true;
    for (uint64_t nth = 1; hit; nth++) {
        struct tls *client = NULL;
        struct tls_context *other = NULL;
        struct trust *trust = trust_of(&ke, &gb);
        mem_fail_at(nth, false);
        enum status status = tls_context_new(&identity, trust, &now.base, &other, &err);
        if (status == OK)
            status = tls_new(other, TLS_CLIENT, NULL, &client, &err);
        hit = mem_fail_hit();
        mem_fail_at(0, false);
        assert_int_equal(status == OK, !hit);
        tls_free(client);
        tls_context_free(other);
        assert_int_equal(mem_live(), live);
    }
    tls_context_free(context);
}

static void an_idle_link_is_small(void **state)
{
    (void)state;
    enum { LINKS = 64 };
    static struct link links[LINKS];
    struct tls_context *contexts[2] = { context_of(&gb, &ke), context_of(&ke, &gb) };
    struct mallinfo2 before = mallinfo2();
    for (int i = 0; i < LINKS; i++) {
        links[i] = (struct link){
            .contexts = {contexts[0], contexts[1]}
        };
        link_open(&links[i], NULL);
        shake(&links[i]);
        transfer(links[i].ends[0], links[i].ends[1], 100000, 100000);
    }
    struct mallinfo2 after = mallinfo2();
    size_t each = (after.uordblks + after.hblkhd - before.uordblks - before.hblkhd) / (2 * LINKS);
    print_message("one idle end of a link: %zu bytes\n", each);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    assert_in_range(each, 1000, 30 * 1024);
#endif
    for (int i = 0; i < LINKS; i++) {
        tls_free(links[i].ends[0]);
        tls_free(links[i].ends[1]);
    }
    tls_context_free(contexts[0]);
    tls_context_free(contexts[1]);
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
        cmocka_unit_test(a_revoked_certificate_is_refused),
        cmocka_unit_test(a_client_refuses_wrong_servers_too),
        cmocka_unit_test(a_made_up_anchor_for_a_known_code_is_refused),
        cmocka_unit_test(a_live_session_is_judged_again),
        cmocka_unit_test(an_old_list_warns_and_then_lets_only_recalls_through),
        cmocka_unit_test(a_new_identity_counts_for_new_connections),
        cmocka_unit_test(two_accepted_peers_know_each_other),
        cmocka_unit_test(bytes_arrive_whole_whatever_their_number),
        cmocka_unit_test(bytes_may_come_one_by_one_and_be_read_late),
        cmocka_unit_test(a_changed_byte_ends_the_connection),
        cmocka_unit_test(a_goodbye_reaches_the_other_end),
        cmocka_unit_test(nothing_is_sent_before_the_handshake),
        cmocka_unit_test(a_failed_allocation_fails_one_call_alone),
        cmocka_unit_test(an_idle_link_is_small),
    };
    return cmocka_run_group_tests_name("crypto/tls", tests, make_states, free_states);
}
