/* Keys were replaced after the backup that was restored. */
#include "kenya_cards.h"

/* It knew the key from before, and by hand the one of now; its publisher shows what the one between
 * has signed, and what it cosigned itself. */
static void a_restored_subscriber_takes_its_own_word_for_what_it_receipted(void **state)
{
    (void)state;
    struct store_place saved;
    struct meeting_result result;
    give_and_connect();
    node_save(&un, &saved);
    replace_key(ROLE_LOG, 1000);
    use_keys();
    ke.feed.former_log_key = kept[0];
    assert_int_equal(sync_card("Kenya"), 1);
    connect_nodes();
    ke.feed.former_log_key = NULL;
    give_and_connect();
    replace_key(ROLE_LOG, 2000);
    use_keys();
    assert_int_equal(sync_card("Kenya"), 1);
    node_roll_back(&un, &saved, true);
    struct buf text = card_of(&pki, "Kenya");
    struct peer_row row = peer_of(&un, &ke);
    tx_begin(&un);
    CHECK_OK(cards_replace(&un.feed, &row, buf_span(&text), &err), &err);
    tx_commit(&un);
    buf_fini(&text);
    meet(&result);
    assert_true(result.un.self_behind_receipt);
    meeting_fini(&result);
    connect_nodes();
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 2);
    check_both();
}

/* Both keys were replaced twice since the backup: the ones between are in no database any more. */
static void a_restored_node_knows_keys_of_the_lost_time_by_its_former_cards(void **state)
{
    (void)state;
    struct store_place saved;
    struct meeting_result result;
    struct buf former = BUF_INIT;
    give_and_connect();
    node_save(&ke, &saved);
    for (int64_t i = 1; i <= 2; i++) {
        struct buf text = card_of(&pki, "Kenya");
        CHECK_OK(buf_append(&former, buf_span(&text), &err), &err);
        buf_fini(&text);
        replace_key(ROLE_LOG, i * 1000);
        replace_key(ROLE_RECEIPT, i * 1000);
        ke.feed.former_log_key = kept[kept_count - 2];
        ke.feed.former_receipt_key = kept[kept_count - 1];
        use_keys();
        (void)sync_card("Kenya");
        if (i == 1) { /* the last note that UNODC gets has these keys, and none of them is kept */
            connect_nodes();
            ke.feed.former_log_key = ke.feed.former_receipt_key = NULL;
            give_one();
            connect_nodes();
        }
    }
    struct buf present = card_of(&pki, "Kenya");
    struct peer_row row = peer_of(&un, &ke);
    tx_begin(&un); /* by hand, so that no note bears the new keys yet */
    CHECK_OK(cards_replace(&un.feed, &row, buf_span(&present), &err), &err);
    tx_commit(&un);
    node_roll_back(&ke, &saved, true);
    use_keys();
    (void)sync_card("Kenya");
    struct heads heads = { 0 };
    CHECK_OK(feed_heads(&un.feed, &ke.code, &heads, &err), &err);
    assert_int_equal(meet_one(&ke, &un, &heads, &result.ke), ERR_SIGNATURE);
    CHECK_CONTAINS(err.text, "put the cards before into former-cards.pem");
    heads_fini(&heads);
    for (int twice = 0; twice < 2; twice++) {
        tx_begin(&ke);
        CHECK_OK(cards_remember_former(&ke.feed, buf_span(&former), &err), &err);
        tx_commit(&ke);
        (void)sync_card("Kenya");
    }
    meet(&result);
    assert_int_equal(result.ke.outcome, RESUME_RECOVERED);
    meeting_fini(&result);
    connect_nodes();
    connect_nodes();
    check_both();
    struct former_card cards[FORMER_KEYS_MAX];
    size_t count = 0;
    CHECK_OK(card_rows_list_former(ke.store, CARD_ROWS_OWN, cards, FORMER_KEYS_MAX, &count, &err),
             &err);
    assert_int_equal(count, 4); /* of then and now, the one between, and now again */
    tx_begin(&ke);
    CHECK_STATUS(cards_remember_former(&ke.feed, SPAN_LITERAL("no card"), &err), ERR_INVALID, &err);
    store_rollback(ke.store);
    buf_fini(&present);
    buf_fini(&former);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARDS(a_restored_subscriber_takes_its_own_word_for_what_it_receipted),
        CARDS(a_restored_node_knows_keys_of_the_lost_time_by_its_former_cards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
