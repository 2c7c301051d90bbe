/* evidence verify: certificates are judged when they signed, not today. */
#include "cli/local.h"

#include "base/memory.h"
#include "crypto/card.h"
#include "support/check.h"
#include "support/log_feed.h"

/* The feed of support/log_feed was receipted on 2026-03-01 at this second. */
#define RECEIPT_MS ((int64_t)1772355700 * 1000)
#define DAY_MS     ((int64_t)86400 * 1000)

struct state { /* whose certificates end when a test says so */
    struct code code;
    struct private_key *anchor_key;
    struct private_key *tls, *log, *receipt, *witness;
    struct buf anchor;
    struct buf roles[ROLE_COUNT];
    struct buf crl;
};

static struct log_feed *feed;
static struct state ke, un;
static struct error err;
static struct reply_writer reply;

static const struct private_key *key_of(const struct state *state, enum role role)
{
    const struct private_key *keys[ROLE_COUNT] = { [ROLE_TLS] = state->tls,
                                                   [ROLE_LOG] = state->log,
                                                   [ROLE_RECEIPT] = state->receipt,
                                                   [ROLE_WITNESS] = state->witness };
    return keys[role];
}

static struct certificate_subject subject_of(const struct state *state, int64_t from, int64_t until)
{
    return (struct certificate_subject){ .realm = { "training" },
                                         .code = state->code,
                                         .not_before_ms = RECEIPT_MS + from * DAY_MS,
                                         .not_after_ms = RECEIPT_MS + until * DAY_MS };
}

/* All are valid from 20 days before the receipt until 20 days after it: over since years. */
static void state_make(struct state *state, const char *code, const char *log_seed, int receipt)
{
    uint8_t seed[32] = { (uint8_t)receipt };
    *state = (struct state){ 0 };
    CHECK_OK(code_parse(code, &state->code, &err), &err);
    CHECK_OK(private_key_make(KEY_P256, &state->anchor_key, &err), &err);
    CHECK_OK(private_key_make(KEY_P256, &state->tls, &err), &err);
    CHECK_OK(private_key_make(KEY_ED25519, &state->witness, &err), &err);
    CHECK_OK(private_key_of_seed(seed, &state->receipt, &err), &err);
    memset(seed, 0, sizeof(seed));
    seed[0] = (uint8_t)log_seed[0];
    CHECK_OK(private_key_of_seed(seed, &state->log, &err), &err);
    struct certificate_subject subject = subject_of(state, -20, 20);
    CHECK_OK(certificate_make_anchor(&subject, state->anchor_key, &state->anchor, &err), &err);
}

static void issue(struct state *state, enum role role, int64_t from, int64_t until)
{
    struct certificate_subject subject = subject_of(state, from, until);
    struct certificate_issuer issuer = { buf_span(&state->anchor), state->anchor_key };
    buf_clear(&state->roles[role]);
    CHECK_OK(
        certificate_issue(&subject, role, key_of(state, role), &issuer, &state->roles[role], &err),
        &err);
}

/* The role is revoked `when` days after the receipt. */
static void revoke(struct state *state, enum role role, int64_t when)
{
    struct certificate *certificate = NULL;
    struct certificate_issuer issuer = { buf_span(&state->anchor), state->anchor_key };
    struct crl_dates dates = { RECEIPT_MS + when * DAY_MS, RECEIPT_MS + (when + 5) * DAY_MS };
    CHECK_OK(certificate_parse(buf_span(&state->roles[role]), &certificate, &err), &err);
    CHECK_OK(crl_make(NULL, certificate, &issuer, &dates, &state->crl, &err), &err);
    certificate_free(certificate);
}

static void state_free(struct state *state)
{
    private_key_free(state->anchor_key);
    private_key_free(state->tls);
    private_key_free(state->log);
    private_key_free(state->receipt);
    private_key_free(state->witness);
    buf_fini(&state->anchor);
    buf_fini(&state->crl);
    for (unsigned i = 0; i < ROLE_COUNT; i++)
        buf_fini(&state->roles[i]);
}

static int set_up(void **state)
{
    err = (struct error)ERROR_INIT;
    void *made = NULL;
    (void)state;
    assert_int_equal(log_feed_setup(&made), 0);
    feed = made;
    state_make(&ke, "KE", "\x0b", 99);
    state_make(&un, "UNODC", "\x63", 12);
    for (unsigned i = 0; i < ROLE_COUNT; i++) {
        issue(&ke, (enum role)i, -10, 10);
        issue(&un, (enum role)i, -10, 10);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    void *made = feed;
    state_free(&ke);
    state_free(&un);
    return log_feed_teardown(&made);
}

static void copy(const struct buf *from, struct buf *to)
{
    CHECK_OK(buf_append(to, buf_span(from), &err), &err);
}

static struct buf card_text(const struct state *state, const char *realm)
{
    struct buf text = BUF_INIT;
    struct card card = { .code = state->code, .name = "A State" };
    CHECK_OK(realm_parse(realm, &card.realm, &err), &err);
    copy(&state->anchor, &card.anchor);
    copy(&state->crl, &card.crl);
    for (unsigned i = 0; i < ROLE_COUNT; i++)
        copy(&state->roles[i], &card.roles[i]);
    CHECK_OK(card_encode(&card, &text, &err), &err);
    card_fini(&card);
    return text;
}

/* comityctl evidence verify FILE --card KE [--card UNODC] */
static enum status verify(unsigned index, const char *realm, bool with_subscriber)
{
    static const struct argument_rule rules[] = {
        { .name = "file", .kind = ARGUMENT_FILE, .required = true, .shown = "FILE" },
        { .name = "card", .kind = ARGUMENT_FILE, .required = true, .repeatable = true },
    };
    struct evidence evidence = log_feed_evidence(feed, index, true);
    struct buf text = BUF_INIT;
    CHECK_OK(evidence_encode(&evidence, &text, &err), &err);
    struct buf cards[2] = { card_text(&ke, realm), card_text(&un, realm) };
    struct request_file files[] = { { "file", "entry.evidence", buf_span(&text) },
                                    { "card", "ke.card", buf_span(&cards[0]) },
                                    { "card", "unodc.card", buf_span(&cards[1]) } };
    struct request request = { .files = files, .file_count = with_subscriber ? 3 : 2 };
    struct local_call call = { .arguments = { &request, rules, COUNT(rules) }, .reply = &reply };
    reply_init(&reply);
    err = (struct error)ERROR_INIT;
    enum status status = verify_run(&call, &err);
    reply_fini(&reply);
    buf_fini(&text);
    buf_fini(&cards[0]);
    buf_fini(&cards[1]);
    return status;
}

static void a_proof_holds_years_after_every_certificate_has_ended(void **state)
{
    (void)state;
    for (unsigned i = 0; i < LOG_FEED_SIZE; i++) {
        CHECK_OK(verify(i, "training", true), &err);
        CHECK_OK(verify(i, "training", false), &err);
    }
}

static void what_was_signed_outside_a_certificate_is_refused_with_the_reason(void **state)
{
    static const struct {
        enum role role;
        bool of_subscriber;
        int64_t from, until;
        const char *says;
    } cases[] = {
        { ROLE_LOG, false, 1, 10, "KE's log certificate is valid from 2026-03-02" },
        { ROLE_LOG, false, -10, -1, "KE's log certificate was valid until 2026-02-28" },
        { ROLE_RECEIPT, true, 1, 10, "UNODC's receipt certificate is valid from 2026-03-02" },
        { ROLE_RECEIPT, true, -10, -1, "UNODC's receipt certificate was valid until 2026-02-28" },
        { ROLE_TLS, false, 1, 10, NULL }, /* other roles do not count */
        { ROLE_RECEIPT, false, 1, 10, NULL },
        { ROLE_LOG, true, -10, -1, NULL },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        tear_down(state);
        set_up(state);
        issue(cases[i].of_subscriber ? &un : &ke, cases[i].role, cases[i].from, cases[i].until);
        enum status status = verify(3, "training", true);
        if ((status == OK) != (cases[i].says == NULL))
            fail_msg("case %zu: %s: %s", i, status_name(status), err.text);
        if (cases[i].says != NULL) {
            CHECK_CONTAINS(err.text, cases[i].says);
            CHECK_CONTAINS(err.text, "this was signed at 2026-03-01");
        }
    }
}

static void a_revocation_counts_from_its_day_on(void **state)
{
    (void)state;
    revoke(&ke, ROLE_LOG, 1);
    CHECK_OK(verify(3, "training", true), &err);
    buf_clear(&ke.crl);
    revoke(&ke, ROLE_LOG, -1);
    assert_int_not_equal(verify(3, "training", true), OK);
    CHECK_CONTAINS(err.text, "was revoked at 2026-02-28");
}

/* Whoever holds a stolen key can write any time into an entry. */
static void after_a_revocation_the_word_of_the_signer_alone_is_not_enough(void **state)
{
    (void)state;
    revoke(&ke, ROLE_LOG, 1);
    assert_int_not_equal(verify(3, "training", false), OK);
    CHECK_CONTAINS(err.text, "is the word of its signer alone");
}

static void a_card_of_another_realm_is_refused(void **state)
{
    (void)state;
    CHECK_STATUS(verify(3, "live", true), ERR_DENIED, &err);
    CHECK_CONTAINS(err.text, "of the realm 'live'; the evidence is of 'training'");
}

static void keys_of_another_state_prove_nothing(void **state)
{
    (void)state;
    private_key_free(ke.log);
    CHECK_OK(private_key_make(KEY_ED25519, &ke.log, &err), &err);
    issue(&ke, ROLE_LOG, -10, 10);
    assert_int_not_equal(verify(3, "training", true), OK);
    CHECK_CONTAINS(err.text, "the evidence does not hold");
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(what_was_signed_outside_a_certificate_is_refused_with_the_reason),
        T(a_revocation_counts_from_its_day_on),
        T(after_a_revocation_the_word_of_the_signer_alone_is_not_enough),
        T(a_card_of_another_realm_is_refused),
        T(keys_of_another_state_prove_nothing),
        T(a_proof_holds_years_after_every_certificate_has_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
