/* Peers: whatever widens trust takes two people and the right fingerprint. */
#include "admin_desk.h"

#include "store/peer_rows.h"

static struct pki_state au;
static struct buf card;
static char fingerprint[FINGERPRINT_TEXT_SIZE];

static int set_up(void **state)
{
    desk_set_up(state);
    pki_init(&au, "training", "AU");
    card = desk_card(&au, "Australia");
    desk_fingerprint(&au, fingerprint);
    return 0;
}

static int tear_down(void **state)
{
    buf_fini(&card);
    pki_fini(&au);
    return desk_tear_down(state);
}

static void add(const char *wanted, const struct buf *text)
{
    desk_attach("file", "au.card", buf_span(text));
    ASK_STATUS(wanted, "peer.add");
}

/* -- adding ------------------------------------------------------------------------------------ */

static void cards_that_are_not_what_they_must_be_are_refused_with_their_reason(void **state)
{
    (void)state;
    struct pki_state own;
    struct pki_state other_realm;
    struct pki_state other_anchor;
    pki_init(&own, "training", "KE");
    pki_init(&other_realm, "live", "GB");
    pki_init(&other_anchor, "training", "AU");
    add("ok", &card);
    struct buf text = desk_card(&own, "Kenya");
    add("denied", &text); /* one's own */
    assert_int_equal(desk.answer.problem_count, 1);
    CHECK_CONTAINS(desk.answer.problems[0].rule, "which is this node itself");
    assert_string_equal(desk.answer.error, "1 problem in the card; nothing was changed");
    buf_fini(&text);
    text = desk_card(&other_realm, "United Kingdom");
    desk_attach("file", "gb.card", buf_span(&text));
    assert_string_not_equal(ask("peer.add", NULL), "ok");
    CHECK_CONTAINS(desk.answer.problems[0].rule, "live");
    buf_fini(&text);
    text = desk_card(&other_anchor, "Australia");
    desk_attach("file", "au.card", buf_span(&text));
    assert_string_not_equal(ask("peer.add", NULL), "ok");
    assert_true(desk.answer.problem_count > 0);
    CHECK_CONTAINS(desk.answer.problems[0].rule, "anchor");
    assert_string_equal(desk.answer.problems[0].file, "au.card");
    buf_fini(&text);
    pki_fini(&own);
    pki_fini(&other_realm);
    pki_fini(&other_anchor);
}

static void a_broken_chain_and_a_swapped_role_are_refused(void **state)
{
    (void)state;
    struct pki_state gb;
    pki_init(&gb, "training", "GB");
    struct buf kept = buf_move(&gb.roles[ROLE_TLS]);
    CHECK_OK(buf_append(&gb.roles[ROLE_TLS], buf_span(&au.roles[ROLE_TLS]), &err), &err);
    struct buf text = desk_card(&gb, "United Kingdom");
    desk_attach("file", "gb.card", buf_span(&text));
    assert_string_not_equal(ask("peer.add", NULL), "ok");
    assert_true(desk.answer.problem_count > 0);
    buf_fini(&text);
    buf_clear(&gb.roles[ROLE_TLS]); /* a log certificate in the place of the tls one */
    CHECK_OK(buf_append(&gb.roles[ROLE_TLS], buf_span(&gb.roles[ROLE_LOG]), &err), &err);
    struct error spoilt = ERROR_INIT;
    struct card swapped = { .realm = gb.realm, .code = gb.code, .name = "United Kingdom" };
    swapped.anchor = gb.anchor;
    memcpy(swapped.roles, gb.roles, sizeof(swapped.roles));
    text = (struct buf)BUF_INIT;
    if (card_encode(&swapped, &text, &spoilt) == OK) { /* else it cannot even be written */
        desk_attach("file", "gb.card", buf_span(&text));
        assert_string_not_equal(ask("peer.add", NULL), "ok");
    }
    buf_fini(&text);
    desk_attach("file", "nonsense.card", SPAN_LITERAL("not\na\ncard\nat all"));
    ASK_STATUS("invalid", "peer.add");
    assert_int_equal(desk.answer.problem_count, 0); /* one sentence, not one for each line */
    CHECK_CONTAINS(desk.answer.error, "nonsense.card: this is no card");
    CHECK_CONTAINS(desk.answer.error, "next: give the card.pem");
    buf_fini(&gb.roles[ROLE_TLS]);
    gb.roles[ROLE_TLS] = buf_move(&kept);
    pki_fini(&gb);
    ASK_OK("peer.list");
    assert_int_equal(answered_rows("peers"), 0);
}

static void adding_shows_code_name_and_fingerprint_and_trusts_nobody(void **state)
{
    (void)state;
    add("ok", &card);
    assert_string_equal(answered("peer", "code"), "AU");
    assert_string_equal(answered("peer", "name"), "Australia");
    assert_string_equal(answered("peer", "fingerprint"), fingerprint);
    assert_false(desk.admin.changed.peers);
    ASK_OK("peer.list", "state", "added");
    assert_int_equal(answered_rows("peers"), 1);
    ASK_OK("peer.list", "state", "accepted");
    assert_int_equal(answered_rows("peers"), 0);
}

/* -- accepting --------------------------------------------------------------------------------- */

static void the_person_who_added_a_card_cannot_accept_it(void **state)
{
    (void)state;
    add("ok", &card);
    ASK_STATUS("denied", "peer.accept", "peer", "AU", "fingerprint", fingerprint);
    CHECK_CONTAINS(desk.answer.error, "takes another person");
}

static void an_operator_cannot_accept(void **state)
{
    (void)state;
    add("ok", &card);
    desk_as(BERT, PERMIT_PREPARE);
    ASK_STATUS("denied", "peer.accept", "peer", "AU", "fingerprint", fingerprint);
    CHECK_CONTAINS(desk.answer.error,
                   "peer accept needs an approver, and user user1002 is an operator");
}

static void a_wrong_fingerprint_names_the_groups_that_differ(void **state)
{
    (void)state;
    add("ok", &card);
    desk_as(BERT, PERMIT_APPROVE);
    char wrong[FINGERPRINT_TEXT_SIZE];
    memcpy(wrong, fingerprint, sizeof(wrong));
    wrong[0] = wrong[0] == '9' ? '0' : '9';
    ASK_STATUS("mismatch", "peer.accept", "peer", "AU", "fingerprint", wrong);
    CHECK_CONTAINS(desk.answer.error, "of the 12 groups, 1 differs; next");
    ASK_STATUS("invalid", "peer.accept", "peer", "AU", "fingerprint", "12345");
    ASK_OK("peer.list", "state", "added");
    assert_int_equal(answered_rows("peers"), 1);
}

static void two_people_and_the_right_fingerprint_accept_a_peer(void **state)
{
    (void)state;
    add("ok", &card);
    desk_as(BERT, PERMIT_APPROVE);
    ASK_OK("peer.accept", "peer", "AU", "fingerprint", fingerprint);
    assert_true(desk.admin.changed.peers);
    ASK_STATUS("state", "peer.accept", "peer", "AU", "fingerprint", fingerprint);
    ASK_OK("peer.show", "peer", "AU");
    assert_string_equal(answered("peer", "state"), "accepted");
    assert_string_equal(answered("peer", "accepted_by"), "1002");
    assert_string_equal(answered("peer", "fingerprint"), fingerprint);
    add("exists", &card);
}

static void a_card_that_expired_in_between_is_not_accepted(void **state)
{
    (void)state;
    add("ok", &card);
    desk_as(BERT, PERMIT_APPROVE);
    clock_fake_advance(&desk.place.clock, (int64_t)365 * 30 * PKI_DAY_MS);
    assert_string_not_equal(ask("peer.accept", "peer", "AU", "fingerprint", fingerprint, NULL),
                            "ok");
    assert_true(desk.answer.problem_count > 0);
}

static void peers_that_are_not_there_are_named(void **state)
{
    (void)state;
    static const char *const operations[] = { "peer.show", "peer.block", "peer.forget", "hold",
                                              "release" };
    for (size_t i = 0; i < COUNT(operations); i++) {
        ASK_STATUS("not-found", operations[i], "peer", "NZ");
        CHECK_CONTAINS(desk.answer.error, "there is no peer NZ here; next: ");
    }
    ASK_STATUS("not-found", "peer.accept", "peer", "NZ", "fingerprint", fingerprint);
}

/* -- narrowing --------------------------------------------------------------------------------- */

static void one_operator_can_block_and_only_an_approver_lets_in_again(void **state)
{
    (void)state;
    add("ok", &card);
    ASK_STATUS("state", "peer.block", "peer", "AU");
    desk_as(BERT, PERMIT_APPROVE);
    ASK_OK("peer.accept", "peer", "AU", "fingerprint", fingerprint);
    desk_as(CARLA, PERMIT_PREPARE);
    ASK_OK("peer.block", "peer", "AU", "reason", "key reported stolen");
    assert_true(desk.admin.changed.peers);
    ASK_STATUS("state", "peer.block", "peer", "AU");
    add("exists", &card);
    CHECK_CONTAINS(desk.answer.error, "is blocked");
    desk_as(BERT, PERMIT_APPROVE);
    ASK_OK("peer.accept", "peer", "AU", "fingerprint", fingerprint);
}

static void a_hold_is_quick_and_its_release_takes_an_approver(void **state)
{
    (void)state;
    add("ok", &card);
    ASK_STATUS("state", "hold", "peer", "AU");
    desk_as(BERT, PERMIT_APPROVE);
    ASK_OK("peer.accept", "peer", "AU", "fingerprint", fingerprint);
    ASK_STATUS("state", "release", "peer", "AU");
    desk_as(CARLA, PERMIT_PREPARE);
    ASK_OK("hold", "peer", "AU");
    ASK_STATUS("state", "hold", "peer", "AU");
    ASK_OK("status");
    assert_string_equal(answered("peers", "state"), "held");
    ASK_STATUS("denied", "release", "peer", "AU");
    desk_as(BERT, PERMIT_APPROVE);
    ASK_OK("release", "peer", "AU");
    assert_true(desk.admin.changed.queue);
}

static void a_forgotten_peer_can_come_back_with_the_same_anchor(void **state)
{
    (void)state;
    add("ok", &card);
    ASK_OK("peer.forget", "peer", "AU");
    ASK_STATUS("state", "peer.forget", "peer", "AU");
    desk_as(BERT, PERMIT_APPROVE);
    ASK_STATUS("state", "peer.accept", "peer", "AU", "fingerprint", fingerprint);
    desk_as(ANNE, PERMIT_PREPARE);
    add("ok", &card);
}

static void a_new_card_of_an_accepted_peer_takes_two_people_and_the_same_anchor(void **state)
{
    (void)state;
    struct pki_state other;
    add("ok", &card);
    desk_fingerprint(&au, fingerprint);
    desk_as(BERT, PERMIT_APPROVE);
    ASK_OK("peer.accept", "peer", "AU", "fingerprint", fingerprint);
    ASK_STATUS("state", "peer.accept", "peer", "AU", "fingerprint", fingerprint);
    pki_init(&other, "training", "AU"); /* another anchor */
    struct buf text = desk_card(&other, "Australia");
    desk_as(ANNE, PERMIT_PREPARE);
    add("conflict", &text);
    buf_fini(&text);
    pki_fini(&other);
    /* The same State under another name. */
    text = desk_card(&au, "Commonwealth of Australia");
    add("exists", &card);
    add("ok", &text);
    desk_as(ANNE, PERMIT_APPROVE);
    ASK_STATUS("denied", "peer.accept", "peer", "AU", "fingerprint", fingerprint);
    desk_as(BERT, PERMIT_APPROVE);
    ASK_OK("peer.accept", "peer", "AU", "fingerprint", fingerprint);
    ASK_STATUS("state", "peer.accept", "peer", "AU", "fingerprint", fingerprint);
    struct peer_row row;
    CHECK_OK(peer_rows_get(desk.store, &au.code, &row, &err), &err);
    assert_string_equal(row.name, "Commonwealth of Australia");
    assert_int_equal(row.state, PEER_ACCEPTED);
    buf_fini(&text);
}

static void live_facts_of_connections_are_shown(void **state)
{
    (void)state;
    add("ok", &card);
    const struct admin_link link = { .code = { "AU" }, .last_error = "connection refused" };
    desk.admin.links = &link;
    desk.admin.link_count = 1;
    ASK_OK("status");
    assert_string_equal(answered("peers", "problem"), "connection refused");
    assert_string_equal(answered("node", "code"), "KE");
    ASK_OK("peer.show", "peer", "AU");
    assert_string_equal(answered("peer", "last_error"), "connection refused");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(cards_that_are_not_what_they_must_be_are_refused_with_their_reason),
        TEST(a_broken_chain_and_a_swapped_role_are_refused),
        TEST(adding_shows_code_name_and_fingerprint_and_trusts_nobody),
        TEST(the_person_who_added_a_card_cannot_accept_it),
        TEST(an_operator_cannot_accept),
        TEST(a_wrong_fingerprint_names_the_groups_that_differ),
        TEST(two_people_and_the_right_fingerprint_accept_a_peer),
        TEST(a_card_that_expired_in_between_is_not_accepted),
        TEST(peers_that_are_not_there_are_named),
        TEST(one_operator_can_block_and_only_an_approver_lets_in_again),
        TEST(a_hold_is_quick_and_its_release_takes_an_approver),
        TEST(a_forgotten_peer_can_come_back_with_the_same_anchor),
        TEST(a_new_card_of_an_accepted_peer_takes_two_people_and_the_same_anchor),
        TEST(live_facts_of_connections_are_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
