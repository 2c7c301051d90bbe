/* Our own keys and certificates: each wrong file is refused with its name and what to do. */
#include "node_home.h"

#include "node/identity.h"

static struct pki_state ke;
static struct pki_state gb;

static enum status read_it(struct identity *identity)
{
    err = (struct error)ERROR_INIT;
    return identity_read(home, &ke.realm, &ke.code, PKI_NOW_MS, identity, &err);
}

static enum status read_once(void)
{
    struct identity identity = { 0 };
    enum status status = read_it(&identity);
    if (status == OK)
        identity_fini(&identity);
    return status;
}

/* -- refused ------------------------------------------------------------------------------------
 */

static void each_missing_file_is_named(void **state)
{
    (void)state;
    static const char *const names[] = { "anchor.crt",  "tls.crt",     "tls.key",     "log.crt",
                                         "log.key",     "receipt.crt", "receipt.key", "witness.crt",
                                         "witness.key", "card.pem" };
    for (size_t i = 0; i < COUNT(names); i++) {
        home_write_identity(&ke);
        assert_int_equal(remove(home_path(names[i])), 0);
        CHECK_STATUS(read_once(), ERR_NOT_FOUND, &err);
        CHECK_CONTAINS(err.text, names[i]);
        CHECK_CONTAINS(err.text, "; next: ");
    }
}

static void each_damaged_file_is_named(void **state)
{
    (void)state;
    static const char *const names[] = { "anchor.crt", "crl.pem", "tls.crt",
                                         "tls.key",    "log.key", "card.pem" };
    for (size_t i = 0; i < COUNT(names); i++) {
        home_write_identity(&ke);
        home_write(names[i], SPAN_LITERAL("no such thing\n"));
        assert_int_equal(chmod(home_path(names[i]), 0600), 0);
        assert_int_not_equal(read_once(), OK);
        CHECK_CONTAINS(err.text, names[i]);
        CHECK_CONTAINS(err.text, "; next: ");
    }
    static const char *const formers[] = { "log.old.key", "receipt.old.key" };
    for (size_t i = 0; i < COUNT(formers); i++) {
        home_write_identity(&ke);
        home_write(formers[i], SPAN_LITERAL("no such thing\n"));
        assert_int_equal(chmod(home_path(formers[i]), 0600), 0);
        assert_int_not_equal(read_once(), OK);
        CHECK_CONTAINS(err.text, formers[i]);
    }
}

static void what_belongs_to_another_state_is_refused(void **state)
{
    (void)state;
    home_write_identity(&ke);
    home_write_pem("anchor.crt", PEM_CERTIFICATE, buf_span(&gb.anchor));
    assert_int_not_equal(read_once(), OK);
    CHECK_CONTAINS(err.text, "anchor.crt");
    home_write_identity(&ke);
    home_write_pem("crl.pem", PEM_CRL, buf_span(&gb.crl));
    CHECK_STATUS(read_once(), ERR_SIGNATURE, &err);
    CHECK_CONTAINS(err.text, "crl.pem");
    home_write_identity(&ke);
    home_write_pem("log.crt", PEM_CERTIFICATE, buf_span(&gb.roles[ROLE_LOG]));
    assert_int_not_equal(read_once(), OK);
    CHECK_CONTAINS(err.text, "log.crt");
    home_write_identity(&ke);
    home_write_key("receipt.key", gb.keys[ROLE_RECEIPT]);
    CHECK_STATUS(read_once(), ERR_MISMATCH, &err);
    CHECK_CONTAINS(err.text, "does not belong to receipt.crt");
}

static void a_certificate_of_another_role_is_refused(void **state)
{
    (void)state;
    home_write_identity(&ke);
    home_write_pem("tls.crt", PEM_CERTIFICATE, buf_span(&ke.roles[ROLE_LOG]));
    assert_int_not_equal(read_once(), OK);
    CHECK_CONTAINS(err.text, "tls.crt");
}

static void a_key_that_others_can_read_is_refused(void **state)
{
    (void)state;
    home_write_identity(&ke);
    assert_int_equal(chmod(home_path("log.key"), 0644), 0);
    CHECK_STATUS(read_once(), ERR_DENIED, &err);
    CHECK_CONTAINS(err.text, "next: chmod 600");
}

static void a_former_key_that_is_the_present_one_is_refused(void **state)
{
    (void)state;
    home_write_identity(&ke);
    home_write_key("log.old.key", ke.keys[ROLE_LOG]);
    CHECK_STATUS(read_once(), ERR_INVALID, &err);
    CHECK_CONTAINS(err.text, "is the same key as log.key; next: remove it");
    home_write_key("log.old.key", ke.keys[ROLE_TLS]); /* of another kind */
    CHECK_STATUS(read_once(), ERR_INVALID, &err);
    CHECK_CONTAINS(err.text, "log.old.key");
}

static void a_card_that_speaks_of_other_keys_is_refused(void **state)
{
    (void)state;
    home_write_identity(&ke);
    home_write_card(&gb);
    CHECK_STATUS(read_once(), ERR_MISMATCH, &err);
    CHECK_CONTAINS(err.text, "its tls certificate is not tls.crt; next: make the card again");
    struct pki_state other = ke; /* the same roles beside another anchor */
    other.anchor = gb.anchor;
    home_write_card(&other);
    CHECK_STATUS(read_once(), ERR_MISMATCH, &err);
    CHECK_CONTAINS(err.text, "its anchor is not anchor.crt");
}

/* Twice as many as are read, or one of another State behind a right one. */
static void former_cards_that_are_not_ours_are_refused(void **state)
{
    (void)state;
    struct buf cards = BUF_INIT;
    home_write_identity(&ke);
    home_write("former-cards.pem", SPAN_LITERAL("no such thing\n"));
    assert_int_not_equal(read_once(), OK);
    CHECK_CONTAINS(err.text, "former-cards.pem: card 1");
    home_append_card(&ke, &cards);
    home_append_card(&gb, &cards);
    home_write("former-cards.pem", buf_span(&cards));
    CHECK_STATUS(read_once(), ERR_MISMATCH, &err);
    CHECK_CONTAINS(err.text, "former-cards.pem: card 2: its anchor is not anchor.crt; next: ");
    buf_clear(&cards);
    for (int i = 0; i < FORMER_KEYS_MAX; i++)
        home_append_card(&ke, &cards);
    home_write("former-cards.pem", buf_span(&cards));
    CHECK_STATUS(read_once(), ERR_LIMIT, &err);
    CHECK_CONTAINS(err.text, "more than 31 cards; next: remove the oldest");
    assert_int_equal(remove(home_path("former-cards.pem")), 0);
    buf_fini(&cards);
}

/* -- taken --------------------------------------------------------------------------------------
 */

static void a_whole_identity_is_read_with_the_card_that_peers_get(void **state)
{
    (void)state;
    struct identity identity = { 0 };
    struct card card = { 0 };
    home_write_identity(&ke);
    CHECK_OK(read_it(&identity), &err);
    CHECK_OK(card_decode(buf_span(&identity.card), &card, NULL, &err), &err);
    assert_true(span_equal(buf_span(&card.crl), buf_span(&ke.crl))); /* card.pem has none */
    assert_null(identity.former_log_key);
    card_fini(&card);
    identity_fini(&identity);
    assert_int_equal(remove(home_path("crl.pem")), 0);
    home_write_key("log.old.key", gb.keys[ROLE_LOG]);
    home_write_key("receipt.old.key", gb.keys[ROLE_RECEIPT]);
    struct buf cards = BUF_INIT;
    home_append_card(&ke, &cards);
    home_append_card(&ke, &cards);
    home_write("former-cards.pem", buf_span(&cards));
    CHECK_OK(read_it(&identity), &err);
    assert_true(span_equal(buf_span(&identity.former_cards), buf_span(&cards)));
    buf_fini(&cards);
    assert_int_equal(remove(home_path("former-cards.pem")), 0);
    assert_int_equal(identity.crl.size, 0);
    assert_non_null(identity.former_log_key);
    assert_non_null(identity.former_receipt_key);
    identity_fini(&identity);
    identity_fini(NULL);
}

static void whatever_fails_is_told_and_nothing_leaks(void **state)
{
    (void)state;
    home_write_identity(&ke);
    home_write_key("log.old.key", gb.keys[ROLE_LOG]);
    static const unsigned kinds[] = { 0, CALL_FAULT_CRYPTO, CALL_FAULT_SYSTEM };
    for (size_t i = 0; i < COUNT(kinds); i++) {
        bool hit = true;
        for (uint64_t nth = 1; hit; nth++) {
            int64_t live = mem_live();
            if (kinds[i] == 0)
                mem_fail_at(nth, false);
            else
                call_fault_at(kinds[i], nth, EIO);
            enum status status = read_once();
            hit = kinds[i] == 0 ? mem_fail_hit() : call_fault_hit();
            mem_fail_at(0, false);
            call_fault_off();
            if (status != OK && !hit)
                fail_msg("%s", err.text);
            if (status != OK)
                CHECK_CONTAINS(err.text, "; next: ");
            if (hit && status == OK) /* what was read is whole, or is looked for once more */
                assert_true(strcmp(call_fault_name(), "close") == 0 ||
                            strcmp(call_fault_name(), "stat") == 0);
            assert_int_equal(mem_live(), live);
        }
    }
}

static int set_up(void **state)
{
    (void)state;
    pki_init(&ke, "training", "KE");
    pki_init(&gb, "training", "GB");
    return home_make();
}

static int tear_down(void **state)
{
    (void)state;
    pki_fini(&ke);
    pki_fini(&gb);
    return home_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_missing_file_is_named),
        cmocka_unit_test(each_damaged_file_is_named),
        cmocka_unit_test(what_belongs_to_another_state_is_refused),
        cmocka_unit_test(a_certificate_of_another_role_is_refused),
        cmocka_unit_test(a_key_that_others_can_read_is_refused),
        cmocka_unit_test(a_former_key_that_is_the_present_one_is_refused),
        cmocka_unit_test(a_card_that_speaks_of_other_keys_is_refused),
        cmocka_unit_test(former_cards_that_are_not_ours_are_refused),
        cmocka_unit_test(a_whole_identity_is_read_with_the_card_that_peers_get),
        cmocka_unit_test(whatever_fails_is_told_and_nothing_leaks),
    };
    return cmocka_run_group_tests_name("identity", tests, set_up, tear_down);
}
