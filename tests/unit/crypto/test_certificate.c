/* Certificates, lists, PEM and accepted anchors, without TLS around them. */
#include "base/limits.h"
#include "base/memory.h"
#include "crypto/crl.h"
#include "crypto/pem.h"
#include "crypto/trust.h"
#include "support/check.h"
#include "support/pki.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <unistd.h>

static struct pki_state ke;
static struct pki_state unodc;

static int make_states(void **state)
{
    (void)state;
    pki_init(&ke, "training", "KE");
    pki_init(&unodc, "training", "UNODC");
    return 0;
}

static int free_states(void **state)
{
    (void)state;
    pki_fini(&ke);
    pki_fini(&unodc);
    return 0;
}

static struct certificate *parsed(const struct buf *der)
{
    struct error err = ERROR_INIT;
    struct certificate *certificate = NULL;
    CHECK_OK(certificate_parse(buf_span(der), &certificate, &err), &err);
    return certificate;
}

static void every_role_is_verified_as_what_it_is(void **state)
{
    (void)state;
    const struct pki_state *states[] = { &ke, &unodc };
    for (size_t s = 0; s < 2; s++) {
        struct certificate *anchor = parsed(&states[s]->anchor);
        struct error reason = ERROR_INIT;
        assert_int_equal(certificate_check_anchor(anchor, &states[s]->realm, &states[s]->code,
                                                  PKI_NOW_MS, &reason),
                         VERDICT_GOOD);
        for (unsigned is = 0; is < ROLE_COUNT; is++) {
            struct certificate *certificate = parsed(&states[s]->roles[is]);
            struct certificate_facts facts = certificate_facts(certificate);
            assert_int_equal(facts.role, is);
            assert_int_equal(facts.not_after_ms, PKI_NOW_MS + ROLE_LIFE_MS);
            for (unsigned as = 0; as < ROLE_COUNT; as++) {
                struct certificate_rule rule = {
                    states[s]->realm, states[s]->code, (enum role)as, anchor, NULL,
                    PKI_NOW_MS,       WHEN_NOW,
                };
                enum verdict verdict = certificate_verify(certificate, &rule, &reason);
                assert_int_equal(verdict, is == as ? VERDICT_CRL_OLD : VERDICT_WRONG_ROLE);
            }
            certificate_free(certificate);
        }
        certificate_free(anchor);
    }
    certificate_free(NULL);
}

static void anchors_that_break_a_rule_are_refused(void **state)
{
    (void)state;
    struct pki_forgery right = {
        .country = "KE",
        .uris = "URI:urn:comity:training:ke:anchor",
        .basic_constraints = "critical,CA:TRUE,pathlen:0",
        .key_usage = "critical,keyCertSign,cRLSign",
        .key = ke.anchor_key,
        .signer = ke.anchor_key,
    };
    struct pki_forgery plans[10];
    for (size_t i = 0; i < COUNT(plans); i++)
        plans[i] = right;
    plans[1].uris = "URI:urn:comity:training:ke:log";
    plans[2].uris = "URI:urn:comity:live:ke:anchor";
    plans[3].uris = "URI:urn:comity:training:gb:anchor";
    plans[4].country = "GB";
    plans[5].basic_constraints = "critical,CA:TRUE,pathlen:1";
    plans[6].key_usage = "critical,keyCertSign,cRLSign,digitalSignature";
    plans[7].signer = unodc.anchor_key;
    plans[8].key = plans[8].signer = ke.keys[ROLE_LOG];
    plans[9].not_after_ms = PKI_NOW_MS - 1000;
    const enum verdict wanted[] = { VERDICT_GOOD,       VERDICT_WRONG_ROLE,    VERDICT_WRONG_REALM,
                                    VERDICT_WRONG_CODE, VERDICT_WRONG_COUNTRY, VERDICT_WRONG_USE,
                                    VERDICT_WRONG_USE,  VERDICT_WRONG_ANCHOR,  VERDICT_WRONG_KEY,
                                    VERDICT_EXPIRED };
    for (size_t i = 0; i < COUNT(plans); i++) {
        struct buf der = BUF_INIT;
        struct error reason = ERROR_INIT;
        pki_forge(&plans[i], &der);
        struct certificate *anchor = parsed(&der);
        enum verdict verdict =
            certificate_check_anchor(anchor, &ke.realm, &ke.code, PKI_NOW_MS, &reason);
        if (verdict != wanted[i])
            fail_msg("row %zu: %s: %s", i, verdict_name(verdict), reason.text);
        assert_int_equal(reason.text[0] == '\0', i == 0);
        assert_int_equal(certificate_check_anchor(anchor, &ke.realm, &ke.code, PKI_NOW_MS, NULL),
                         wanted[i]);
        certificate_free(anchor);
        buf_fini(&der);
    }
}

static void what_is_no_certificate_is_refused(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct certificate *certificate = NULL;
    struct buf der = BUF_INIT;
    CHECK_STATUS(certificate_parse(SPAN_EMPTY, &certificate, &err), ERR_INVALID, &err);
    CHECK_OK(buf_append(&der, buf_span(&ke.anchor), &err), &err);
    for (size_t size = 1; size < der.size; size += 7)
        CHECK_STATUS(certificate_parse(span_of(der.data, size), &certificate, &err), ERR_INVALID,
                     &err);
    CHECK_OK(buf_append_zeros(&der, 1, &err), &err);
    CHECK_STATUS(certificate_parse(buf_span(&der), &certificate, &err), ERR_INVALID, &err);
    CHECK_OK(buf_append_zeros(&der, CERTIFICATE_MAX, &err), &err);
    CHECK_STATUS(certificate_parse(buf_span(&der), &certificate, &err), ERR_LIMIT, &err);
    struct public_key public;
    CHECK_STATUS(certificate_public(buf_span(&ke.roles[ROLE_TLS]), &public, &err), ERR_INVALID,
                 &err);
    CHECK_OK(certificate_public(buf_span(&ke.roles[ROLE_LOG]), &public, &err), &err);
    CHECK_STATUS(certificate_public(SPAN_LITERAL("x"), &public, &err), ERR_INVALID, &err);
    CHECK_STATUS(certificate_check_key(SPAN_LITERAL("x"), ke.anchor_key, &err), ERR_INVALID, &err);
    buf_fini(&der);
}

static void nothing_wrong_is_issued(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buf der = BUF_INIT;
    struct certificate_issuer issuer = pki_issuer(&ke);
    struct certificate_subject good = { ke.realm, ke.code, PKI_NOW_MS, PKI_NOW_MS + PKI_DAY_MS };
    struct certificate_subject bad = good;
    const struct private_key *key = ke.keys[ROLE_LOG];
    bad.not_after_ms = bad.not_before_ms;
    CHECK_STATUS(certificate_issue(&bad, ROLE_LOG, key, &issuer, &der, &err), ERR_INVALID, &err);
    CHECK_STATUS(certificate_make_anchor(&bad, ke.anchor_key, &der, &err), ERR_INVALID, &err);
    bad = good;
    bad.not_after_ms = PKI_NOW_MS + ANCHOR_LIFE_MS + PKI_DAY_MS;
    CHECK_STATUS(certificate_issue(&bad, ROLE_LOG, key, &issuer, &der, &err), ERR_INVALID, &err);
    CHECK_CONTAINS(err.text, "outlive its anchor");
    bad = good;
    bad.code = unodc.code;
    CHECK_STATUS(certificate_issue(&bad, ROLE_LOG, key, &issuer, &der, &err), ERR_DENIED, &err);
    bad.code = (struct code){ "kE" };
    CHECK_STATUS(certificate_issue(&bad, ROLE_LOG, key, &issuer, &der, &err), ERR_INVALID, &err);
    CHECK_STATUS(certificate_make_anchor(&good, key, &der, &err), ERR_INVALID, &err);
    CHECK_STATUS(certificate_issue(&good, ROLE_TLS, key, &issuer, &der, &err), ERR_INVALID, &err);
    CHECK_STATUS(certificate_issue(&good, ROLE_LOG, ke.keys[ROLE_TLS], &issuer, &der, &err),
                 ERR_INVALID, &err);
    issuer.key = unodc.anchor_key;
    CHECK_STATUS(certificate_issue(&good, ROLE_LOG, key, &issuer, &der, &err), ERR_MISMATCH, &err);
    assert_int_equal(der.size, 0);
}

static void a_list_is_numbered_and_never_goes_back(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct pki_state gb;
    struct crl *lists[3] = { NULL };
    pki_init(&gb, "training", "GB");
    for (int i = 0; i < 3; i++) {
        CHECK_OK(crl_parse(buf_span(&gb.crl), &lists[i], &err), &err);
        assert_int_equal(crl_facts(lists[i]).number, i + 1);
        assert_int_equal(crl_facts(lists[i]).revoked, i);
        pki_revoke(&gb, buf_span(&gb.roles[i]), PKI_NOW_MS + PKI_DAY_MS);
    }
    CHECK_OK(crl_check_newer(NULL, lists[0], &err), &err);
    CHECK_OK(crl_check_newer(lists[0], lists[2], &err), &err);
    CHECK_OK(crl_check_newer(lists[1], lists[1], &err), &err);
    CHECK_STATUS(crl_check_newer(lists[2], lists[1], &err), ERR_CONFLICT, &err);
    CHECK_CONTAINS(err.text, "numbers never go back");
    struct certificate *anchor = parsed(&gb.anchor);
    struct certificate *other = parsed(&ke.anchor);
    struct certificate *tls = parsed(&gb.roles[ROLE_TLS]);
    int64_t when_ms = 0;
    CHECK_OK(crl_check(lists[2], anchor, &err), &err);
    CHECK_STATUS(crl_check(lists[2], other, &err), ERR_SIGNATURE, &err);
    assert_false(crl_revokes(lists[0], tls, &when_ms));
    assert_true(crl_revokes(lists[1], tls, &when_ms));
    assert_int_equal(when_ms, PKI_NOW_MS - PKI_DAY_MS);
    /* What cannot be revoked, or not again. */
    struct certificate_issuer issuer = pki_issuer(&gb);
    struct crl_dates dates = { PKI_NOW_MS, PKI_NOW_MS + PKI_DAY_MS };
    struct buf der = BUF_INIT;
    CHECK_STATUS(crl_make(lists[1], tls, &issuer, &dates, &der, &err), ERR_EXISTS, &err);
    CHECK_STATUS(crl_make(lists[1], anchor, &issuer, &dates, &der, &err), ERR_INVALID, &err);
    struct certificate *foreign = parsed(&ke.roles[ROLE_TLS]);
    CHECK_STATUS(crl_make(lists[1], foreign, &issuer, &dates, &der, &err), ERR_INVALID, &err);
    dates.next_update_ms = dates.this_update_ms;
    CHECK_STATUS(crl_make(lists[1], NULL, &issuer, &dates, &der, &err), ERR_INVALID, &err);
    issuer = pki_issuer(&ke);
    CHECK_STATUS(crl_make(lists[1], NULL, &issuer, &dates, &der, &err), ERR_SIGNATURE, &err);
    certificate_free(anchor);
    certificate_free(other);
    certificate_free(tls);
    certificate_free(foreign);
    for (int i = 0; i < 3; i++)
        crl_free(lists[i]);
    crl_free(NULL);
    pki_fini(&gb);
}

/* A list by hand: with or without a number, next update and a critical extension. */
static void forge_list(bool numbered, bool ends, bool critical, struct buf *ret_der)
{
    X509_CRL *list = X509_CRL_new();
    ASN1_TIME *now = ASN1_TIME_set(NULL, (time_t)(PKI_NOW_MS / 1000));
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    ASN1_INTEGER_set(number, 5);
    X509_CRL_set_version(list, 1);
    X509_CRL_set1_lastUpdate(list, now);
    if (ends)
        X509_CRL_set1_nextUpdate(list, now);
    if (numbered)
        X509_CRL_add1_ext_i2d(list, NID_crl_number, number, 0, 0);
    if (critical)
        X509_CRL_add1_ext_i2d(list, NID_delta_crl, number, 1, 0);
    X509_CRL_sign(list, private_key_native(ke.anchor_key), EVP_sha256());
    unsigned char *der = NULL;
    int size = i2d_X509_CRL(list, &der);
    buf_clear(ret_der);
    CHECK_OK(buf_append(ret_der, span_of(der, (size_t)size), NULL), NULL);
    OPENSSL_free(der);
    ASN1_INTEGER_free(number);
    ASN1_TIME_free(now);
    X509_CRL_free(list);
}

static void what_is_no_list_of_ours_is_refused(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct crl *crl = NULL;
    struct buf der = BUF_INIT;
    forge_list(true, true, false, &der);
    CHECK_OK(crl_parse(buf_span(&der), &crl, &err), &err);
    assert_int_equal(crl_facts(crl).number, 5);
    crl_free(crl);
    forge_list(false, true, false, &der);
    CHECK_STATUS(crl_parse(buf_span(&der), &crl, &err), ERR_INVALID, &err);
    CHECK_CONTAINS(err.text, "has no number");
    forge_list(true, false, false, &der);
    CHECK_STATUS(crl_parse(buf_span(&der), &crl, &err), ERR_INVALID, &err);
    CHECK_CONTAINS(err.text, "dates");
    forge_list(true, true, true, &der);
    CHECK_STATUS(crl_parse(buf_span(&der), &crl, &err), ERR_INVALID, &err);
    CHECK_CONTAINS(err.text, "critical");
    CHECK_STATUS(crl_parse(SPAN_EMPTY, &crl, &err), ERR_INVALID, &err);
    CHECK_STATUS(crl_parse(SPAN_LITERAL("x"), &crl, &err), ERR_INVALID, &err);
    CHECK_OK(buf_append_zeros(&der, CRL_MAX, &err), &err);
    CHECK_STATUS(crl_parse(buf_span(&der), &crl, &err), ERR_LIMIT, &err);
    buf_fini(&der);
}

static void a_set_of_anchors_holds_only_right_ones(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct trust *trust = NULL;
    struct code gb = { "GB" };
    struct trust_node good = { ke.code, buf_span(&ke.anchor), buf_span(&ke.crl), false };
    struct trust_node rows[] = { good, good, good, good, good };
    rows[0].anchor = SPAN_LITERAL("x");
    rows[1].crl = SPAN_LITERAL("x");
    rows[2].crl = buf_span(&unodc.crl);
    rows[3].anchor = buf_span(&unodc.anchor);
    rows[4].anchor = buf_span(&ke.roles[ROLE_LOG]);
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_not_equal(trust_new(&ke.realm, &gb, &rows[i], 1, &trust, &err), OK);
        CHECK_CONTAINS(err.text, "accepted anchor of KE");
    }
    struct trust_node twice[] = { good, good };
    CHECK_STATUS(trust_new(&ke.realm, &gb, twice, 2, &trust, &err), ERR_EXISTS, &err);
    CHECK_STATUS(trust_new(&ke.realm, &ke.code, &good, 1, &trust, &err), ERR_INVALID, &err);
    CHECK_STATUS(trust_new(&ke.realm, &gb, &good, PEERS_MAX + 1, &trust, &err), ERR_LIMIT, &err);
    trust_free(NULL);
}

static void a_blocked_peer_is_refused_by_name(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct trust *trust = NULL;
    struct code gb = { "GB" };
    struct trust_answer answer;
    struct trust_node nodes[] = {
        { ke.code, buf_span(&ke.anchor), buf_span(&ke.crl), true },
        { unodc.code, buf_span(&unodc.anchor), SPAN_EMPTY, false },
    };
    CHECK_OK(trust_new(&ke.realm, &gb, nodes, 2, &trust, &err), &err);
    trust_judge(trust, buf_span(&ke.roles[ROLE_TLS]), ROLE_TLS, PKI_NOW_MS, &answer);
    assert_int_equal(answer.verdict, VERDICT_BLOCKED);
    assert_string_equal(answer.code.text, "KE");
    assert_int_equal(answer.reason.status, ERR_DENIED);
    trust_judge(trust, buf_span(&unodc.roles[ROLE_LOG]), ROLE_LOG, PKI_NOW_MS, &answer);
    assert_int_equal(answer.verdict, VERDICT_CRL_OLD);
    CHECK_CONTAINS(answer.reason.text, "no revocation list of UNODC is known");
    trust_judge(trust, SPAN_LITERAL("x"), ROLE_TLS, PKI_NOW_MS, &answer);
    assert_int_equal(answer.verdict, VERDICT_MALFORMED);
    assert_false(answer.named);
    trust_free(trust);
}

static void every_verdict_has_a_name_and_a_status(void **state)
{
    (void)state;
    for (int i = 0; i < VERDICT_COUNT; i++) {
        assert_non_null(verdict_name((enum verdict)i));
        assert_int_equal(verdict_allows((enum verdict)i), i <= VERDICT_RECALLS_ONLY);
    }
    assert_string_equal(verdict_name(VERDICT_COUNT), "unknown");
    assert_int_equal(verdict_status(VERDICT_COUNT), ERR_INTERNAL);
}

static void pem_files_hold_one_block(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buf text = BUF_INIT;
    struct buf der = BUF_INIT;
    char path[] = "/tmp/comity-pem-XXXXXX";
    int file = mkstemp(path);
    CHECK_OK(pem_encode(PEM_CERTIFICATE, buf_span(&ke.anchor), &text, &err), &err);
    assert_int_equal(write(file, text.data, text.size), (ssize_t)text.size);
    CHECK_OK(pem_read(PEM_CERTIFICATE, path, &der, &err), &err);
    assert_true(span_equal(buf_span(&der), buf_span(&ke.anchor)));
    CHECK_STATUS(pem_read(PEM_CRL, path, &der, &err), ERR_INVALID, &err);
    CHECK_CONTAINS(err.text, "a CERTIFICATE block where a X509 CRL belongs");
    assert_int_equal(write(file, text.data, text.size), (ssize_t)text.size);
    CHECK_STATUS(pem_read(PEM_CERTIFICATE, path, &der, &err), ERR_INVALID, &err);
    CHECK_CONTAINS(err.text, "more than one block");
    assert_int_equal(ftruncate(file, CARD_MAX + 1), 0);
    CHECK_STATUS(pem_read(PEM_CERTIFICATE, path, &der, &err), ERR_LIMIT, &err);
    assert_int_equal(ftruncate(file, 0), 0);
    CHECK_STATUS(pem_read(PEM_CERTIFICATE, path, &der, &err), ERR_INVALID, &err);
    CHECK_CONTAINS(err.text, path);
    close(file);
    unlink(path);
    CHECK_STATUS(pem_read(PEM_CERTIFICATE, path, &der, &err), ERR_NOT_FOUND, &err);
    CHECK_STATUS(pem_read(PEM_CERTIFICATE, "/", &der, &err), ERR_IO, &err);
    CHECK_STATUS(pem_decode(PEM_CRL, SPAN_LITERAL("words"), &der, &err), ERR_INVALID, &err);
    CHECK_STATUS(pem_decode(PEM_CRL, SPAN_LITERAL("-----BEGIN x-----\nAA==\n"), &der, &err),
                 ERR_INVALID, &err);
    CHECK_STATUS(
        pem_decode(PEM_CRL, SPAN_LITERAL("-----BEGIN A-----\n-----END A-----"), &der, &err),
        ERR_INVALID, &err);
    buf_fini(&text);
    buf_fini(&der);
}

static void issuing_without_memory_fails_cleanly(void **state)
{
    (void)state;
    struct certificate_issuer issuer = pki_issuer(&ke);
    struct certificate_subject subject = { ke.realm, ke.code, PKI_NOW_MS, PKI_NOW_MS + PKI_DAY_MS };
    struct crl_dates dates = { PKI_NOW_MS, PKI_NOW_MS + PKI_DAY_MS };
    int64_t live = mem_live();
    bool hit = true;
    for (uint64_t nth = 1; hit; nth++) {
        struct buf der = BUF_INIT;
        struct buf list = BUF_INIT;
        struct crl *crl = NULL;
        mem_fail_at(nth, false);
        enum status status =
            certificate_issue(&subject, ROLE_LOG, ke.keys[ROLE_LOG], &issuer, &der, NULL);
        if (status == OK)
            status = crl_make(NULL, NULL, &issuer, &dates, &list, NULL);
        if (status == OK)
            status = crl_parse(buf_span(&list), &crl, NULL);
        hit = mem_fail_hit();
        mem_fail_at(0, false);
        assert_int_equal(status, hit ? ERR_MEMORY : OK);
        crl_free(crl);
        buf_fini(&der);
        buf_fini(&list);
        assert_int_equal(mem_live(), live);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_role_is_verified_as_what_it_is),
        cmocka_unit_test(anchors_that_break_a_rule_are_refused),
        cmocka_unit_test(what_is_no_certificate_is_refused),
        cmocka_unit_test(nothing_wrong_is_issued),
        cmocka_unit_test(a_list_is_numbered_and_never_goes_back),
        cmocka_unit_test(what_is_no_list_of_ours_is_refused),
        cmocka_unit_test(a_set_of_anchors_holds_only_right_ones),
        cmocka_unit_test(a_blocked_peer_is_refused_by_name),
        cmocka_unit_test(every_verdict_has_a_name_and_a_status),
        cmocka_unit_test(pem_files_hold_one_block),
        cmocka_unit_test(issuing_without_memory_fails_cleanly),
    };
    return cmocka_run_group_tests_name("crypto/certificate", tests, make_states, free_states);
}
