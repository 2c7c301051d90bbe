/* KE has an anchor, certificates and a card of its own, which UNODC has by hand; its keys change.
 */
#ifndef COMITY_TESTS_KENYA_CARDS_H
#define COMITY_TESTS_KENYA_CARDS_H

#include "two_nodes.h"

#include "crypto/card.h"
#include "feed/cards.h"
#include "feed/check.h"
#include "store/card_rows.h"
#include "support/pki.h"

static struct pki_state pki;        /* of KE */
static struct private_key *kept[8]; /* former keys, freed at the end */
static size_t kept_count;

static inline struct buf card_of(const struct pki_state *state, const char *name)
{
    return pki_card(state, name, "ke.example:7400");
}

/* KE's card of now, as its node reads it at the start; the entries queued. */
static inline size_t sync_card(const char *name)
{
    struct buf text = card_of(&pki, name);
    size_t queued = 0;
    tx_begin(&ke);
    CHECK_OK(cards_sync(&ke.feed, buf_span(&text), &queued, &err), &err);
    tx_commit(&ke);
    buf_fini(&text);
    return queued;
}

static inline void use_keys(void)
{
    ke.feed.log_key = pki.keys[ROLE_LOG];
    ke.feed.receipt_key = pki.keys[ROLE_RECEIPT];
}

/* A new key and certificate of KE, issued `later_ms` after the first ones. */
static inline void replace_key(enum role role, int64_t later_ms)
{
    struct certificate_issuer issuer = pki_issuer(&pki);
    struct certificate_subject subject = { pki.realm, pki.code, PKI_NOW_MS - PKI_DAY_MS + later_ms,
                                           PKI_NOW_MS + ROLE_LIFE_MS };
    kept[kept_count++] = pki.keys[role];
    CHECK_OK(private_key_make(certificate_key_kind(role), &pki.keys[role], &err), &err);
    buf_fini(&pki.roles[role]);
    CHECK_OK(certificate_issue(&subject, role, pki.keys[role], &issuer, &pki.roles[role], &err),
             &err);
}

static inline int set_up(void **state)
{
    (void)two_set_up(state);
    kept_count = 0;
    ke.place.clock.wall_now_ms = PKI_NOW_MS;
    un.place.clock.wall_now_ms = PKI_NOW_MS;
    pki_init(&pki, "training", "KE");
    use_keys();
    struct peer_row row = peer_of(&un, &ke);
    CHECK_OK(private_key_public(pki.keys[ROLE_LOG], &row.log_key, &err), &err);
    CHECK_OK(private_key_public(pki.keys[ROLE_RECEIPT], &row.receipt_key, &err), &err);
    struct buf text = card_of(&pki, "Kenya");
    tx_begin(&un);
    CHECK_OK(peer_rows_update(un.store, &row, &err), &err);
    CHECK_OK(
        peer_rows_set_file(un.store, row.peer_id, PEER_ANCHOR_DER, buf_span(&pki.anchor), &err),
        &err);
    CHECK_OK(peer_rows_set_file(un.store, row.peer_id, PEER_CARD_PEM, buf_span(&text), &err), &err);
    CHECK_OK(peer_rows_set_file(un.store, row.peer_id, PEER_CRL_DER, buf_span(&pki.crl), &err),
             &err);
    tx_commit(&un);
    buf_fini(&text);
    assert_int_equal(sync_card("Kenya"), 0); /* UNODC has it by hand */
    return 0;
}

static inline int tear_down(void **state)
{
    for (size_t i = 0; i < kept_count; i++)
        private_key_free(kept[i]);
    pki_fini(&pki);
    return two_tear_down(state);
}

static inline void check_both(void)
{
    struct node *nodes[] = { &ke, &un };
    for (size_t i = 0; i < COUNT(nodes); i++) {
        struct check_result result;
        CHECK_OK(feed_check(&nodes[i]->feed, &result, &err), &err);
        if (result.text.size > 0)
            print_message("%.*s\n", (int)result.text.size, (const char *)result.text.data);
        assert_int_equal(result.problems, 0);
        check_result_fini(&result);
    }
}

#define CARDS(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
