/* Cards: what is read back, what is refused, and the number that is read over the telephone. */
#include "base/memory.h"
#include "crypto/card.h"
#include "crypto/pem.h"
#include "support/check.h"
#include "support/pki.h"

#include <stdlib.h>

static struct pki_state ke;
static struct pki_state gb;
static struct card_rule rule;

static int make_states(void **state)
{
    (void)state;
    pki_init(&ke, "training", "KE");
    pki_init(&gb, "training", "GB");
    rule = (struct card_rule){ .realm = gb.realm, .self = gb.code, .now_ms = PKI_NOW_MS };
    return 0;
}

static int free_states(void **state)
{
    (void)state;
    pki_fini(&ke);
    pki_fini(&gb);
    return 0;
}

static void copy(struct span from, struct buf *to)
{
    buf_clear(to);
    CHECK_OK(buf_append(to, from, NULL), NULL);
}

static struct card card_of(const struct pki_state *state)
{
    struct card card = { .realm = state->realm, .code = state->code };
    snprintf(card.name, sizeof(card.name), "Ken\xc3\xa9ya");
    snprintf(card.address, sizeof(card.address), "comity.example.go.ke:7400");
    copy(buf_span(&state->anchor), &card.anchor);
    for (unsigned i = 0; i < ROLE_COUNT; i++)
        copy(buf_span(&state->roles[i]), &card.roles[i]);
    copy(buf_span(&state->crl), &card.crl);
    return card;
}

static struct buf encoded(struct card *card)
{
    struct error err = ERROR_INIT;
    struct buf text = BUF_INIT;
    CHECK_OK(card_encode(card, &text, &err), &err);
    CHECK_OK(buf_terminate(&text, &err), &err);
    card_fini(card);
    return text;
}

static struct buf good_text(void)
{
    struct card card = card_of(&ke);
    return encoded(&card);
}

static void a_card_says_what_was_put_on_it(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buf text = good_text();
    struct card card = { 0 };
    struct card_problems problems;
    CHECK_OK(card_read(buf_span(&text), &rule, &card, &problems, &err), &err);
    assert_int_equal(problems.count, 0);
    assert_string_equal(card.code.text, "KE");
    assert_string_equal(card.realm.text, "training");
    assert_string_equal(card.name, "Ken\xc3\xa9ya");
    assert_string_equal(card.address, "comity.example.go.ke:7400");
    assert_true(span_equal(buf_span(&card.anchor), buf_span(&ke.anchor)));
    for (unsigned i = 0; i < ROLE_COUNT; i++)
        assert_true(span_equal(buf_span(&card.roles[i]), buf_span(&ke.roles[i])));
    assert_true(span_equal(buf_span(&card.crl), buf_span(&ke.crl)));
    struct buf again = encoded(&card);
    assert_true(span_equal(buf_span(&again), buf_span(&text)));
    buf_fini(&again);
    buf_fini(&text);
    card_fini(NULL);
}

/* A checkpoint is signed before it is cosigned, and its certificate may end between the two. */
static void a_log_certificate_that_ended_just_before_the_receipt_counts(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct certificate_issuer issuer = pki_issuer(&ke);
    struct card card = card_of(&ke);
    struct certificate *anchor = NULL;
    CHECK_OK(certificate_parse(buf_span(&ke.anchor), &anchor, &err), &err);
    int64_t from_ms = certificate_facts(anchor).not_before_ms;
    int64_t end_ms = from_ms + INT64_C(10) * 86400 * 1000;
    certificate_free(anchor);
    struct certificate_subject subject = { ke.realm, ke.code, from_ms, end_ms };
    for (enum role r = ROLE_LOG; r <= ROLE_RECEIPT; r++) {
        buf_clear(&card.roles[r]);
        CHECK_OK(certificate_issue(&subject, r, ke.keys[r], &issuer, &card.roles[r], &err), &err);
    }
    const struct {
        enum role role;
        int64_t then_ms;
        bool vouched;
        enum status status;
    } cases[] = {
        { ROLE_LOG, end_ms, false, OK },
        { ROLE_LOG, end_ms + 1, false, ERR_EXPIRED },
        { ROLE_LOG, end_ms + 1, true, OK },
        { ROLE_LOG, end_ms + CERTIFICATE_COSIGN_GRACE_MS, true, OK },
        { ROLE_LOG, end_ms + CERTIFICATE_COSIGN_GRACE_MS + 1, true, ERR_EXPIRED },
        { ROLE_LOG, from_ms - 1, true, ERR_EXPIRED },
        { ROLE_RECEIPT, end_ms + 1, true, ERR_EXPIRED }, /* it says itself when */
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK_STATUS(
            card_check_signed(&card, cases[i].role, cases[i].then_ms, cases[i].vouched, &err),
            cases[i].status, &err);
    card_fini(&card);
}

static void a_card_that_went_by_mail_is_read(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buf text = good_text();
    struct buf mailed = BUF_INIT;
    for (size_t i = 0; i < text.size; i++) {
        CHECK_OK(buf_append(&mailed,
                            text.data[i] == '\n' ? SPAN_LITERAL("\r\n") : span_of(text.data + i, 1),
                            &err),
                 &err);
    }
    CHECK_OK(buf_append_text(&mailed, "\r\n\r\n", &err), &err);
    struct card card = { 0 };
    CHECK_OK(card_read(buf_span(&mailed), &rule, &card, NULL, &err), &err);
    card_fini(&card);
    CHECK_OK(card_decode(buf_span(&mailed), &card, NULL, &err), &err);
    card_fini(&card);
    buf_fini(&mailed);
    buf_fini(&text);
}

static void a_card_may_leave_out_address_and_list(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct card card = card_of(&ke);
    card.address[0] = '\0';
    buf_fini(&card.crl);
    struct buf text = encoded(&card);
    CHECK_OK(card_read(buf_span(&text), &rule, &card, NULL, &err), &err);
    assert_string_equal(card.address, "");
    assert_int_equal(card.crl.size, 0);
    card_fini(&card);
    buf_fini(&text);
}

/* Refusals that come from changing the text. */
static const struct {
    const char *find; /* first occurrence, or NULL: the end */
    const char *put;
    enum status status;
    const char *says;
} edits[] = {
    { "Comity-Card: 1", "Comity-Card: 2", ERR_UNSUPPORTED, "line 1: card format '2'" },
    { "Comity-Card: 1\n", "", ERR_INVALID, "header Comity-Card is missing" },
    { "Comity-Realm: training\n", "", ERR_INVALID, "header Comity-Realm is missing" },
    { "Comity-Code: KE\n", "", ERR_INVALID, "header Comity-Code is missing" },
    { "Comity-Code: KE\n", "Comity-Code: KE\nComity-Code: KE\n", ERR_INVALID,
      "line 4: Comity-Code is there twice" },
    { "Comity-Code: KE", "Comity-Code: ke", ERR_INVALID, "'ke' is not a node's code" },
    { "Comity-Code: KE", "Comity-Code: FR", ERR_DENIED, "where one of FR belongs" },
    { "Comity-Code: KE", "Comity-Code: GB", ERR_DENIED, "which is this node itself" },
    { "training", "live", ERR_DENIED, "of the realm 'live'" },
    { "training", "Live!", ERR_INVALID, "'Live!' is not a realm" },
    { "Name: Ken", "Name: \xff", ERR_INVALID, "not UTF-8 at byte 1" },
    { "Name: Ken", "Name: \x1b[2J", ERR_INVALID, "U+001B" },
    { "Name: Ken", "Name: \xe2\x80\xae", ERR_INVALID, "U+202E" },
    { "\xc3\xa9ya", "\xc3", ERR_INVALID, "not UTF-8 at byte 4" },
    { "Name: Ken\xc3\xa9ya", "Name: ", ERR_INVALID, "1 to 200 bytes" },
    { "go.ke:7400", "go.ke", ERR_INVALID, "is not an address" },
    { "Comity-Name", "Comity-Motto", ERR_INVALID, "'Comity-Motto' is not a header" },
    { "Comity-Name: ", "just words ", ERR_INVALID, "neither a header nor PEM" },
    { "\n\n", "\n\nDear colleague,\n", ERR_INVALID, "line 7: text outside of the PEM blocks" },
    { NULL, "garbage", ERR_INVALID, "text outside of the PEM blocks" },
    { NULL, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", ERR_INVALID,
      "treat that private key as lost" },
    { NULL, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", ERR_INVALID,
      "not one X.509 certificate" },
    { NULL, "-----BEGIN SOMETHING-----\nAAAA\n-----END SOMETHING-----\n", ERR_INVALID,
      "a SOMETHING block does not belong in a card" },
    { NULL, "-----BEGIN CERTIFICATE-----\n", ERR_INVALID, "does not end with its END line" },
    { "-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE----", ERR_INVALID, "is none" },
    { "-----END CERTIFICATE-----", "-----END X509 CRL-----", ERR_INVALID, "does not end" },
    { "-----BEGIN CERTIFICATE-----\nMII", "-----BEGIN CERTIFICATE-----\nMI*", ERR_INVALID,
      "is not base64" },
    { "-----BEGIN CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\n\n", ERR_INVALID,
      "inside the CERTIFICATE block" },
    { "-----BEGIN CERTIFICATE-----", "-----BEGIN X509 CRL-----", ERR_INVALID, "line 7" },
};

static struct buf edit(const char *find, const char *put)
{
    struct error err = ERROR_INIT;
    struct buf text = good_text();
    struct buf changed = BUF_INIT;
    char *begin = (char *)text.data;
    char *at = find == NULL ? begin + text.size : strstr(begin, find);
    assert_non_null(at);
    CHECK_OK(buf_append(&changed, span_of(begin, (size_t)(at - begin)), &err), &err);
    CHECK_OK(buf_append_text(&changed, put, &err), &err);
    CHECK_OK(buf_append_text(&changed, at + (find == NULL ? 0 : strlen(find)), &err), &err);
    buf_fini(&text);
    return changed;
}

static bool said(const struct card_problems *problems, const char *part)
{
    for (size_t i = 0; i < problems->count; i++)
        if (strstr(problems->items[i].text, part) != NULL)
            return true;
    return false;
}

static void check_refused(struct span text,
                          const struct card_rule *by,
                          enum status status,
                          const char *says)
{
    struct error err = ERROR_INIT;
    struct card_problems problems;
    struct card card = { .name = "untouched" };
    enum status got = card_read(text, by, &card, &problems, &err);
    if (got != status || !said(&problems, says))
        fail_msg("%s (%s) does not say %s: \"%s\"", status_name(got), err.text, status_name(status),
                 says);
    assert_string_equal(card.name, "untouched");
    CHECK_STATUS(card_read(text, by, &card, NULL, NULL), status, NULL);
}

static void every_wrong_line_is_refused_with_its_reason(void **state)
{
    (void)state;
    int64_t live = mem_live();
    for (size_t i = 0; i < COUNT(edits); i++) {
        struct buf text = edit(edits[i].find, edits[i].put);
        check_refused(buf_span(&text), &rule, edits[i].status, edits[i].says);
        buf_fini(&text);
    }
    assert_int_equal(mem_live(), live);
}

static void what_is_no_card_at_all_is_refused(void **state)
{
    (void)state;
    check_refused(SPAN_EMPTY, &rule, ERR_INVALID, "the tls certificate is missing");
    check_refused(SPAN_LITERAL("\0\0\0"), &rule, ERR_INVALID, "holds a NUL");
    check_refused(SPAN_LITERAL("\n\n\n"), &rule, ERR_INVALID, "header Comity-Code is missing");
    static char long_line[1000];
    memset(long_line, 'x', sizeof(long_line));
    check_refused(span_of(long_line, sizeof(long_line)), &rule, ERR_INVALID, "too long");
    struct buf large = BUF_INIT;
    CHECK_OK(buf_append_zeros(&large, CARD_MAX + 1, NULL), NULL);
    check_refused(buf_span(&large), &rule, ERR_LIMIT, "65537 bytes are more than 65536");
    buf_fini(&large);
}

static void a_flood_of_problems_is_bounded(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buf text = BUF_INIT;
    for (int i = 0; i < 1000; i++)
        CHECK_OK(buf_append_text(&text, "x\n", &err), &err);
    struct card_problems problems;
    struct card card = { 0 };
    CHECK_STATUS(card_read(buf_span(&text), &rule, &card, &problems, &err), ERR_INVALID, &err);
    assert_int_equal(problems.count, CARD_PROBLEMS_MAX);
    assert_string_equal(err.text, "card: 16 problems, the first: line 1: 'x' is neither a header "
                                  "nor PEM");
    buf_fini(&text);
}

static void a_log_certificate_cannot_stand_for_tls(void **state)
{
    (void)state;
    struct card card = card_of(&ke);
    copy(buf_span(&ke.roles[ROLE_LOG]), &card.roles[ROLE_TLS]);
    struct buf text = encoded(&card);
    check_refused(buf_span(&text), &rule, ERR_INVALID, "a second log certificate");
    check_refused(buf_span(&text), &rule, ERR_INVALID, "the tls certificate is missing");
    buf_fini(&text);
}

static void two_anchors_are_refused(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buf text = good_text();
    CHECK_OK(pem_encode(PEM_CERTIFICATE, buf_span(&ke.anchor), &text, &err), &err);
    check_refused(buf_span(&text), &rule, ERR_INVALID, "a second anchor certificate");
    buf_fini(&text);
    text = good_text();
    CHECK_OK(pem_encode(PEM_CRL, buf_span(&ke.crl), &text, &err), &err);
    check_refused(buf_span(&text), &rule, ERR_INVALID, "a second revocation list");
    buf_fini(&text);
}

static void a_broken_chain_is_refused(void **state)
{
    (void)state;
    struct pki_state impostor;
    pki_init(&impostor, "training", "KE");
    struct card card = card_of(&ke);
    copy(buf_span(&impostor.roles[ROLE_RECEIPT]), &card.roles[ROLE_RECEIPT]);
    struct buf text = encoded(&card);
    check_refused(buf_span(&text), &rule, ERR_SIGNATURE,
                  "KE's receipt certificate was not issued by the anchor");
    buf_fini(&text);
    /* All parts are of the impostor, but we know KE's anchor. */
    card = card_of(&impostor);
    text = encoded(&card);
    struct card_rule knows = rule;
    knows.known_anchor = buf_span(&ke.anchor);
    check_refused(buf_span(&text), &knows, ERR_CONFLICT, "known here with another anchor");
    buf_fini(&text);
    card = card_of(&ke);
    copy(buf_span(&impostor.crl), &card.crl);
    text = encoded(&card);
    check_refused(buf_span(&text), &rule, ERR_SIGNATURE, "list number 1 is not signed by KE's");
    buf_fini(&text);
    pki_fini(&impostor);
}

static void one_key_in_two_roles_is_refused(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct card card = card_of(&ke);
    struct certificate_subject subject = { ke.realm, ke.code, PKI_NOW_MS - 1,
                                           PKI_NOW_MS + PKI_DAY_MS };
    struct certificate_issuer issuer = pki_issuer(&ke);
    CHECK_OK(certificate_issue(&subject, ROLE_WITNESS, ke.keys[ROLE_LOG], &issuer,
                               &card.roles[ROLE_WITNESS], &err),
             &err);
    struct buf text = encoded(&card);
    check_refused(buf_span(&text), &rule, ERR_DENIED,
                  "the log and the witness certificate have the same key");
    buf_fini(&text);
}

static void revoked_and_outdated_parts_are_all_named(void **state)
{
    (void)state;
    struct pki_state fr;
    pki_init(&fr, "training", "FR");
    pki_revoke(&fr, buf_span(&fr.roles[ROLE_LOG]), PKI_NOW_MS + CRL_LIFE_MS);
    pki_revoke(&fr, buf_span(&fr.roles[ROLE_WITNESS]), PKI_NOW_MS + CRL_LIFE_MS);
    struct card card = card_of(&fr);
    struct buf text = encoded(&card);
    check_refused(buf_span(&text), &rule, ERR_DENIED, "FR's log certificate with serial");
    check_refused(buf_span(&text), &rule, ERR_DENIED, "FR's witness certificate with serial");
    struct card_rule later = rule;
    later.now_ms = PKI_NOW_MS + ROLE_LIFE_MS + PKI_DAY_MS;
    check_refused(buf_span(&text), &later, ERR_EXPIRED, "FR's receipt certificate was valid until");
    buf_fini(&text);
    pki_fini(&fr);
}

static void a_node_may_check_its_own_card(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct card card = card_of(&gb);
    struct buf text = encoded(&card);
    check_refused(buf_span(&text), &rule, ERR_DENIED, "this is a card of GB");
    struct card_rule own = rule;
    own.accept_self = true;
    CHECK_OK(card_read(buf_span(&text), &own, &card, NULL, &err), &err);
    card_fini(&card);
    buf_fini(&text);
}

static void nothing_wrong_is_written_on_a_card(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buf text = BUF_INIT;
    struct card card = card_of(&ke);
    card.name[0] = '\0';
    CHECK_STATUS(card_encode(&card, &text, &err), ERR_INVALID, &err);
    snprintf(card.name, sizeof(card.name), "Kenya\nComity-Code: GB");
    CHECK_STATUS(card_encode(&card, &text, &err), ERR_INVALID, &err);
    snprintf(card.name, sizeof(card.name), "Kenya");
    snprintf(card.address, sizeof(card.address), "nowhere");
    CHECK_STATUS(card_encode(&card, &text, &err), ERR_INVALID, &err);
    card.address[0] = '\0';
    CHECK_OK(buf_append_zeros(&card.crl, CARD_MAX, &err), &err);
    CHECK_STATUS(card_encode(&card, &text, &err), ERR_LIMIT, &err);
    assert_int_equal(text.size, 0);
    card_fini(&card);
    buf_fini(&text);
}

static void a_card_without_memory_is_refused_whole(void **state)
{
    (void)state;
    struct buf text = good_text();
    int64_t live = mem_live();
    bool hit = true;
    for (uint64_t nth = 1; hit; nth++) {
        struct error err = ERROR_INIT;
        struct card card = { 0 };
        mem_fail_at(nth, false);
        enum status status = card_read(buf_span(&text), &rule, &card, NULL, &err);
        hit = mem_fail_hit();
        mem_fail_at(0, false);
        assert_int_equal(status == OK, !hit);
        card_fini(&card);
        assert_int_equal(mem_live(), live);
    }
    buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_card_says_what_was_put_on_it),
        cmocka_unit_test(a_log_certificate_that_ended_just_before_the_receipt_counts),
        cmocka_unit_test(a_card_that_went_by_mail_is_read),
        cmocka_unit_test(a_card_may_leave_out_address_and_list),
        cmocka_unit_test(every_wrong_line_is_refused_with_its_reason),
        cmocka_unit_test(what_is_no_card_at_all_is_refused),
        cmocka_unit_test(a_flood_of_problems_is_bounded),
        cmocka_unit_test(a_log_certificate_cannot_stand_for_tls),
        cmocka_unit_test(two_anchors_are_refused),
        cmocka_unit_test(a_broken_chain_is_refused),
        cmocka_unit_test(one_key_in_two_roles_is_refused),
        cmocka_unit_test(revoked_and_outdated_parts_are_all_named),
        cmocka_unit_test(a_node_may_check_its_own_card),
        cmocka_unit_test(nothing_wrong_is_written_on_a_card),
        cmocka_unit_test(a_card_without_memory_is_refused_whole),
    };
    return cmocka_run_group_tests_name("crypto/card", tests, make_states, free_states);
}
