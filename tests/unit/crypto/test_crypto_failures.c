/* Keys, certificates, lists, seals and sessions while an allocation, a call of OpenSSL or a call of
 * the system fails, each in turn: it is told, nothing leaks, no half-written key stays, and nobody
 * is let in who was not judged. */
#include "base/memory.h"
#include "crypto/card.h"
#include "crypto/digest.h"
#include "crypto/pem.h"
#include "crypto/seal.h"
#include "support/call_fault.h"
#include "support/check.h"
#include "support/tls_link.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static struct error err;
static struct pki_state ke;
static struct pki_state gb;
static struct clock_fake now;
static char directory[64];

typedef enum status (*operation)(void);
enum kind { FAIL_MEMORY, FAIL_CRYPTO, FAIL_SYSTEM, FAIL_COUNT };

/* Fails the nth of that kind, once or (`for_ever`) from there on. */
static bool attempt(operation run, enum kind kind, uint64_t nth, int number, const char *name)
{
    int64_t live = mem_live();
    err = (struct error)ERROR_INIT;
    if (kind == FAIL_MEMORY)
        mem_fail_at(nth, false);
    else
        call_fault_at(kind == FAIL_CRYPTO ? CALL_FAULT_CRYPTO : CALL_FAULT_SYSTEM, nth, number);
    enum status status = run();
    bool hit = kind == FAIL_MEMORY ? mem_fail_hit() : call_fault_hit();
    call_fault_off();
    mem_fail_at(0, false);
    if (status != OK && (!hit || err.text[0] == '\0'))
        fail_msg("%s, %s: %s: %s", name, call_fault_name(), status_name(status), err.text);
    assert_int_equal(mem_live(), live);
    return hit;
}

static void sweep(operation run, const char *name)
{
    CHECK_OK(run(), &err);
    for (int kind = 0; kind < FAIL_COUNT; kind++)
        for (uint64_t nth = 1; attempt(run, (enum kind)kind, nth, EIO, name); nth++)
            continue;
}

/* -- operations -------------------------------------------------------------------------------- */

static struct certificate_subject subject_of(const struct pki_state *state)
{
    return (struct certificate_subject){ state->realm, state->code, PKI_NOW_MS - PKI_DAY_MS,
                                         PKI_NOW_MS + ROLE_LIFE_MS };
}

static enum status make_anchor(void)
{
    struct private_key *key = NULL;
    struct buf der = BUF_INIT;
    struct certificate *anchor = NULL;
    struct certificate_subject subject = subject_of(&ke);
    subject.not_after_ms = PKI_NOW_MS + ANCHOR_LIFE_MS;
    enum status status = private_key_make(KEY_P256, &key, &err);
    if (status == OK)
        status = certificate_make_anchor(&subject, key, &der, &err);
    if (status == OK)
        status = certificate_parse(buf_span(&der), &anchor, &err);
    if (status == OK) {
        struct error why = ERROR_INIT;
        enum verdict verdict =
            certificate_check_anchor(anchor, &ke.realm, &ke.code, PKI_NOW_MS, &why);
        if (!verdict_allows(verdict))
            status = error_set(&err, verdict_status(verdict), "%s", why.text);
    }
    certificate_free(anchor);
    private_key_free(key);
    buf_fini(&der);
    return status;
}

static enum status issue(enum role role)
{
    struct private_key *key = NULL;
    struct buf der = BUF_INIT;
    struct public_key public;
    struct certificate_issuer issuer = pki_issuer(&ke);
    struct certificate_subject subject = subject_of(&ke);
    enum status status = private_key_make(certificate_key_kind(role), &key, &err);
    if (status == OK)
        status = certificate_issue(&subject, role, key, &issuer, &der, &err);
    if (status == OK)
        status = certificate_check_key(buf_span(&der), key, &err);
    if (status == OK && role != ROLE_TLS)
        status = certificate_public(buf_span(&der), &public, &err);
    private_key_free(key);
    buf_fini(&der);
    return status;
}

static enum status issue_tls(void)
{
    return issue(ROLE_TLS);
}

static enum status issue_log(void)
{
    return issue(ROLE_LOG);
}

/* `current` grows by one certificate. */
static enum status extend_list(void)
{
    struct certificate *victim = NULL;
    struct certificate *anchor = NULL;
    struct crl *current = NULL;
    struct crl *next = NULL;
    struct buf der = BUF_INIT;
    struct certificate_issuer issuer = pki_issuer(&gb);
    struct crl_dates dates = { PKI_NOW_MS, PKI_NOW_MS + CRL_LIFE_MS };
    enum status status = certificate_parse(buf_span(&gb.roles[ROLE_TLS]), &victim, &err);
    if (status == OK)
        status = certificate_parse(buf_span(&gb.anchor), &anchor, &err);
    if (status == OK)
        status = crl_parse(buf_span(&gb.crl), &current, &err);
    if (status == OK)
        status = crl_make(current, victim, &issuer, &dates, &der, &err);
    if (status == OK)
        status = crl_parse(buf_span(&der), &next, &err);
    if (status == OK)
        status = crl_check(next, anchor, &err);
    if (status == OK)
        status = crl_check_newer(current, next, &err);
    certificate_free(victim);
    certificate_free(anchor);
    crl_free(current);
    crl_free(next);
    buf_fini(&der);
    return status;
}

static enum status judge(void)
{
    struct certificate *certificate = NULL;
    struct certificate *anchor = NULL;
    struct crl *crl = NULL;
    enum status status = certificate_parse(buf_span(&ke.roles[ROLE_TLS]), &certificate, &err);
    if (status == OK)
        status = certificate_parse(buf_span(&ke.anchor), &anchor, &err);
    if (status == OK)
        status = crl_parse(buf_span(&ke.crl), &crl, &err);
    if (status == OK) {
        struct error why = ERROR_INIT;
        const struct certificate_rule rule = { .realm = ke.realm,
                                               .code = ke.code,
                                               .role = ROLE_TLS,
                                               .anchor = anchor,
                                               .crl = crl,
                                               .now_ms = PKI_NOW_MS };
        enum verdict verdict = certificate_verify(certificate, &rule, &why);
        if (!verdict_allows(verdict))
            status = error_set(&err, verdict_status(verdict), "%s", why.text);
    }
    certificate_free(certificate);
    certificate_free(anchor);
    crl_free(crl);
    return status;
}

static enum status sign_both_ways(void)
{
    struct span message = SPAN_LITERAL("message");
    struct buf signature = BUF_INIT;
    struct public_key public;
    uint8_t raw[ED25519_SIGNATURE_SIZE];
    enum status status = p256_sign(ke.keys[ROLE_TLS], message, &signature, &err);
    if (status == OK)
        status = p256_verify(buf_span(&ke.roles[ROLE_TLS]), message, buf_span(&signature), &err);
    if (status == OK)
        status = private_key_public(ke.keys[ROLE_LOG], &public, &err);
    if (status == OK)
        status = ed25519_sign(ke.keys[ROLE_LOG], message, raw, &err);
    if (status == OK)
        status = ed25519_verify(&public, message, SPAN_ARRAY(raw), &err);
    buf_fini(&signature);
    return status;
}

static enum status seal_and_open(void)
{
    struct random_seeded dice;
    struct sealer *sealer = NULL;
    struct seal_key key;
    struct buf sealed = BUF_INIT;
    struct buf plain = BUF_INIT;
    struct span associated[2] = { SPAN_LITERAL("a"), SPAN_EMPTY };
    random_seeded_init(&dice, 1);
    enum status status = sealer_new(&dice.base, &sealer, &err);
    if (status == OK)
        status = seal_key_make(&dice.base, &key, &err);
    if (status == OK)
        status = seal(sealer, &key, associated, 2, SPAN_LITERAL("plain"), &sealed, &err);
    if (status == OK)
        status = seal_open(sealer, &key, associated, 2, buf_span(&sealed), &plain, &err);
    sealer_free(sealer);
    buf_fini(&sealed);
    buf_fini(&plain);
    return status;
}

static const char *file_path(void)
{
    static char path[128];
    (void)snprintf(path, sizeof(path), "%s/file", directory);
    return path;
}

static enum status write_and_read_key(void)
{
    struct private_key *again = NULL;
    (void)remove(file_path());
    enum status status = private_key_write(ke.keys[ROLE_LOG], file_path(), &err);
    if (status != OK)
        assert_int_not_equal(access(file_path(), F_OK), 0); /* half a key is no key */
    if (status == OK)
        status = private_key_read(file_path(), &again, &err);
    private_key_free(again);
    return status;
}

static enum status read_pem(void)
{
    struct buf der = BUF_INIT;
    enum status status = pem_read(PEM_CERTIFICATE, file_path(), &der, &err);
    buf_fini(&der);
    return status;
}

static enum status encode_pem(void)
{
    struct buf pem = BUF_INIT;
    struct buf der = BUF_INIT;
    enum status status = pem_encode(PEM_CERTIFICATE, buf_span(&ke.anchor), &pem, &err);
    if (status == OK)
        status = pem_decode(PEM_CERTIFICATE, buf_span(&pem), &der, &err);
    buf_fini(&pem);
    buf_fini(&der);
    return status;
}

static enum status take_fingerprint(void)
{
    struct fingerprint fingerprint;
    return fingerprint_of(&ke.realm, &ke.code, buf_span(&ke.anchor), &fingerprint, &err);
}

static enum status trust_somebody(void)
{
    struct trust *trust = NULL;
    struct trust_node node = { gb.code, buf_span(&gb.anchor), buf_span(&gb.crl), false };
    enum status status = trust_new(&ke.realm, &ke.code, &node, 1, &trust, &err);
    trust_free(trust);
    return status;
}

/* -- sessions ---------------------------------------------------------------------------------- */

static enum status new_context(const struct pki_state *self,
                               const struct pki_state *peer,
                               struct tls_context **ret_context)
{
    struct trust *trust = NULL;
    struct trust_node node = { peer->code, buf_span(&peer->anchor), buf_span(&peer->crl), false };
    struct tls_identity identity = { buf_span(&self->roles[ROLE_TLS]), self->keys[ROLE_TLS] };
    enum status status = trust_new(&self->realm, &self->code, &node, 1, &trust, &err);
    if (status == OK)
        status = tls_context_new(&identity, trust, &now.base, ret_context, &err);
    if (status == OK)
        status = tls_context_set_identity(*ret_context, &identity, &err);
    return status;
}

/* Whoever is let in was judged, and good. */
static void assert_judged(struct tls *end)
{
    if (end != NULL && tls_state(end) == TLS_OPEN)
        assert_int_equal(tls_peer(end)->verdict, VERDICT_GOOD);
}

static enum status meet(void)
{
    struct tls_link link = { .contexts = { NULL, NULL } };
    uint8_t bytes[32];
    enum status status = new_context(&gb, &ke, &link.contexts[TLS_SERVER]);
    if (status == OK)
        status = new_context(&ke, &gb, &link.contexts[TLS_CLIENT]);
    if (status == OK)
        status = tls_new(link.contexts[TLS_SERVER], TLS_SERVER, NULL, &link.ends[TLS_SERVER], &err);
    if (status == OK)
        status =
            tls_new(link.contexts[TLS_CLIENT], TLS_CLIENT, &gb.code, &link.ends[TLS_CLIENT], &err);
    if (status == OK)
        tls_link_shake(&link);
    for (int i = 0; i < 2; i++) {
        assert_judged(link.ends[i]);
        if (status == OK && tls_state(link.ends[i]) != TLS_OPEN) {
            status =
                error_set(&err, ERR_INTERNAL, "end %d: %s: %s", i,
                          tls_state_name(tls_state(link.ends[i])), tls_error(link.ends[i])->text);
        }
    }
    if (status == OK)
        status = tls_exporter(link.ends[0], TLS_EXPORTER_HELLO, bytes, sizeof(bytes), &err);
    if (status == OK)
        status = tls_recheck(link.ends[0], &err);
    tls_link_close(&link);
    return status;
}

/* -- tests ------------------------------------------------------------------------------------- */

static void certificates_and_lists_are_made_or_not(void **state)
{
    (void)state;
    sweep(make_anchor, "anchor");
    sweep(issue_tls, "tls certificate");
    sweep(issue_log, "log certificate");
    sweep(extend_list, "list");
}

static void certificates_are_judged_or_refused(void **state)
{
    (void)state;
    sweep(judge, "judging");
    sweep(trust_somebody, "trust");
    sweep(take_fingerprint, "fingerprint");
}

static void signatures_and_seals_are_made_and_opened_or_not(void **state)
{
    (void)state;
    sweep(sign_both_ways, "signature");
    sweep(seal_and_open, "seal");
    sweep(encode_pem, "PEM");
}

static void a_key_is_written_whole_or_not_at_all(void **state)
{
    (void)state;
    sweep(write_and_read_key, "key file");
}

static void files_are_read_again_when_a_signal_came(void **state)
{
    (void)state;
    struct buf pem = BUF_INIT;
    CHECK_OK(pem_encode(PEM_CERTIFICATE, buf_span(&ke.anchor), &pem, &err), &err);
    FILE *file = fopen(file_path(), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(pem.data, 1, pem.size, file), pem.size);
    assert_int_equal(fclose(file), 0);
    buf_fini(&pem);
    sweep(read_pem, "PEM file");
    bool hit = true;
    for (uint64_t nth = 1; hit; nth++) {
        call_fault_at(CALL_FAULT_SYSTEM, nth, EINTR);
        enum status status = read_pem();
        hit = call_fault_hit();
        call_fault_off();
        if (strcmp(call_fault_name(), "read") == 0)
            assert_int_equal(status, OK);
    }
    hit = true;
    for (uint64_t nth = 1; hit; nth++) {
        (void)remove(file_path());
        call_fault_at(CALL_FAULT_SYSTEM, nth, EINTR);
        enum status status = private_key_write(ke.keys[ROLE_LOG], file_path(), &err);
        hit = call_fault_hit();
        call_fault_off();
        if (strcmp(call_fault_name(), "write") == 0)
            assert_int_equal(status, OK);
    }
}

static void nobody_is_let_in_unjudged_whatever_fails(void **state)
{
    (void)state;
    sweep(meet, "session");
}

/* The first digest of a thread makes its context. */
static void *digest_in_a_new_thread(void *context)
{
    const uint64_t *nth = context;
    struct digest digest;
    struct span part = SPAN_LITERAL("x");
    call_fault_at(CALL_FAULT_CRYPTO, *nth, 0);
    enum status status = sha256_of(&part, 1, &digest, NULL);
    bool hit = call_fault_hit();
    call_fault_off();
    return status == (hit ? ERR_MEMORY : OK) || (hit && status == ERR_INTERNAL) ? context : NULL;
}

static void a_thread_that_gets_no_digest_says_so(void **state)
{
    (void)state;
    for (uint64_t nth = 1; nth < 6; nth++) {
        pthread_t thread;
        void *same = NULL;
        assert_int_equal(pthread_create(&thread, NULL, digest_in_a_new_thread, &nth), 0);
        assert_int_equal(pthread_join(thread, &same), 0);
        assert_ptr_equal(same, &nth);
    }
}

static int set_up(void **state)
{
    (void)state;
    struct sha256 *sha = NULL; /* the thread's own lives on */
    (void)snprintf(directory, sizeof(directory), "/tmp/comity-crypto-XXXXXX");
    if (mkdtemp(directory) == NULL || sha256_thread(&sha, &err) != OK)
        return -1;
    clock_fake_init(&now, PKI_NOW_MS);
    pki_init(&ke, "training", "KE");
    pki_init(&gb, "training", "GB");
    pki_revoke(&gb, buf_span(&gb.roles[ROLE_LOG]), PKI_NOW_MS + CRL_LIFE_MS);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)remove(file_path());
    pki_fini(&ke);
    pki_fini(&gb);
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates_and_lists_are_made_or_not),
        cmocka_unit_test(certificates_are_judged_or_refused),
        cmocka_unit_test(signatures_and_seals_are_made_and_opened_or_not),
        cmocka_unit_test(a_key_is_written_whole_or_not_at_all),
        cmocka_unit_test(files_are_read_again_when_a_signal_came),
        cmocka_unit_test(nobody_is_let_in_unjudged_whatever_fails),
        cmocka_unit_test(a_thread_that_gets_no_digest_says_so),
    };
    return cmocka_run_group_tests_name("crypto failures", tests, set_up, tear_down);
}
