/* Cards that change: whose keys count, before, while and after they are replaced. */
#include "kenya_cards.h"

#include "support/call_fault.h"

/* A CARD entry with this text goes to UNODC and is answered with REFUSED. */
static void expect_refused(const struct buf *text, const char *why)
{
    struct peer_row before = peer_of(&un, &ke);
    struct outbox_row row = { .peer_id = peer_of(&ke, &un).peer_id,
                              .priority = OUTBOX_TERMS,
                              .kind = KIND_CARD,
                              .body = buf_span(text) };
    int64_t outbox_id = 0;
    tx_begin(&ke);
    CHECK_OK(outbox_rows_add(ke.store, &row, &outbox_id, &err), &err);
    tx_commit(&ke);
    connect_nodes();
    assert_true(has_alarm(&un, "card"));
    assert_true(has_alarm(&ke, "refused"));
    struct alarm_row alarms[8];
    size_t count = 0;
    bool said = false;
    CHECK_OK(alarm_rows_list(un.store, true, 0, alarms, 8, &count, &err), &err);
    for (size_t i = 0; i < count; i++)
        said = said || strstr(alarms[i].text, why) != NULL;
    assert_true(said);
    struct peer_row after = peer_of(&un, &ke);
    assert_memory_equal(&before.log_key, &after.log_key, sizeof(after.log_key));
    assert_string_equal(before.name, after.name);
    give_one(); /* the feed goes on */
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 1);
}

static void a_card_of_another_anchor_is_refused_and_raises_an_alarm(void **state)
{
    (void)state;
    struct pki_state other;
    pki_init(&other, "training", "KE");
    struct buf text = card_of(&other, "Kenya");
    expect_refused(&text, "another anchor");
    buf_fini(&text);
    pki_fini(&other);
}

static void a_card_of_another_state_is_refused(void **state)
{
    (void)state;
    struct pki_state other;
    pki_init(&other, "training", "GB");
    struct buf text = card_of(&other, "United Kingdom");
    expect_refused(&text, "anchor");
    buf_fini(&text);
    pki_fini(&other);
}

static void what_is_no_card_is_refused(void **state)
{
    (void)state;
    struct buf text = BUF_INIT;
    CHECK_OK(buf_append_text(&text, "a card\n", &err), &err);
    expect_refused(&text, "header");
    buf_fini(&text);
}

static void a_list_does_not_go_back(void **state)
{
    (void)state;
    struct buf old = card_of(&pki, "Kenya, before");
    pki_revoke(&pki, SPAN_EMPTY, PKI_NOW_MS + CRL_LIFE_MS);
    assert_int_equal(sync_card("Kenya"), 1);
    connect_nodes();
    assert_int_equal(peer_of(&un, &ke).crl_number, 2);
    expect_refused(&old, "number");
    buf_fini(&old);
}

static void a_certificate_from_before_does_not_come_back(void **state)
{
    (void)state;
    replace_key(ROLE_LOG, -1000);
    struct buf text = card_of(&pki, "Kenya");
    expect_refused(&text, "issued before");
    buf_fini(&text);
}

static void a_new_log_key_that_was_not_announced_is_refused(void **state)
{
    (void)state;
    give_and_connect();
    replace_key(ROLE_LOG, 1000);
    use_keys();
    give_one();
    struct batch batch = { 0 };
    struct buf receipt = BUF_INIT;
    CHECK_OK(publish(&ke, &un, 2, &batch), &err);
    assert_int_equal(ingest(&un, &ke, &batch, &receipt), ERR_SIGNATURE);
    CHECK_CONTAINS(err.text, "peer add its new card");
    batch_fini(&batch);
    struct heads heads = { 0 };
    struct resume resume = { 0 };
    CHECK_OK(feed_heads(&ke.feed, &un.code, &heads, &err), &err);
    assert_int_equal(meet_one(&un, &ke, &heads, &resume), ERR_SIGNATURE);
    heads_fini(&heads);
    /* Two people bring the card: nothing else is touched. */
    struct buf text = card_of(&pki, "Kenya");
    struct peer_row row = peer_of(&un, &ke);
    tx_begin(&un);
    CHECK_OK(cards_replace(&un.feed, &row, buf_span(&text), &err), &err);
    tx_commit(&un);
    assert_int_equal(sync_card("Kenya"), 1);
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 2);
    check_both();
    buf_fini(&text);
}

static void a_new_log_key_counts_once_it_came_under_the_former_one(void **state)
{
    (void)state;
    size_t outstanding = 9;
    give_and_connect();
    replace_key(ROLE_LOG, 1000);
    use_keys();
    ke.feed.former_log_key = kept[0];
    assert_int_equal(sync_card("Kenya"), 1);
    assert_int_equal(sync_card("Kenya"), 0); /* the same card is not given twice */
    CHECK_OK(cards_outstanding(&ke.feed, &outstanding, &err), &err);
    assert_int_equal(outstanding, 1);
    connect_nodes();
    CHECK_OK(cards_outstanding(&ke.feed, &outstanding, &err), &err);
    assert_int_equal(outstanding, 0);
    assert_true(un.feed.cards_changed);
    ke.feed.former_log_key = NULL;
    connect_nodes(); /* idle: stored notes bear the former key as well */
    give_and_connect();
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 2);
    assert_false(has_alarm(&un, "card"));
    check_both();
}

static void notes_from_before_the_replacement_still_count_when_nothing_was_sent_since(void **state)
{
    (void)state;
    give_and_connect();
    /* KE had both keys replaced by hand: every stored note is of the former ones. */
    replace_key(ROLE_LOG, 1000);
    replace_key(ROLE_RECEIPT, 1000);
    use_keys();
    struct buf text = card_of(&pki, "Kenya");
    struct peer_row row = peer_of(&un, &ke);
    tx_begin(&un);
    CHECK_OK(cards_replace(&un.feed, &row, buf_span(&text), &err), &err);
    tx_commit(&un);
    struct meeting_result result;
    meet(&result);
    assert_int_equal(result.ke.outcome, RESUME_IN_STEP);
    assert_int_equal(result.un.outcome, RESUME_IN_STEP);
    meeting_fini(&result);
    check_both();
    buf_fini(&text);
}

/* Lists are renewed every few weeks, keys every few years. */
static void cards_that_change_without_their_keys_do_not_push_a_former_key_out(void **state)
{
    (void)state;
    give_and_connect();
    replace_key(ROLE_LOG, 1000);
    use_keys();
    struct peer_row row = peer_of(&un, &ke);
    for (int i = 0; i < 40; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "Kenya %d", i);
        struct buf text = card_of(&pki, name);
        size_t queued = 0;
        tx_begin(&un);
        CHECK_OK(cards_replace(&un.feed, &row, buf_span(&text), &err), &err);
        tx_commit(&un);
        tx_begin(&ke);
        CHECK_OK(cards_sync(&ke.feed, buf_span(&text), &queued, &err), &err);
        tx_commit(&ke);
        buf_fini(&text);
    }
    struct meeting_result result;
    meet(&result);
    assert_int_equal(result.ke.outcome, RESUME_IN_STEP);
    assert_int_equal(result.un.outcome, RESUME_IN_STEP);
    meeting_fini(&result);
    check_both();
}

static void a_key_that_is_too_old_is_refused_and_it_is_said_why(void **state)
{
    (void)state;
    give_and_connect();
    struct heads heads = { 0 };
    struct resume resume = { 0 };
    CHECK_OK(feed_heads(&un.feed, &ke.code, &heads, &err), &err);
    replace_key(ROLE_LOG, 1000);
    use_keys();
    memset(ke.feed.signed_notes, 0, sizeof(ke.feed.signed_notes)); /* it started anew since */
    tx_begin(&ke);
    for (uint8_t i = 1; i <= FORMER_KEYS_MAX; i++) {
        struct former_card row = { .peer_id = CARD_ROWS_OWN,
                                   .time_ms = PKI_NOW_MS + i,
                                   .log_key = { { i } },
                                   .receipt_key = { { i } } };
        CHECK_OK(card_rows_add_former(ke.store, &row, SPAN_LITERAL("card"), &err), &err);
    }
    tx_commit(&ke);
    memset(ke.feed.signed_notes, 0, sizeof(ke.feed.signed_notes)); /* as after a restart */
    assert_int_equal(meet_one(&ke, &un, &heads, &resume), ERR_SIGNATURE);
    CHECK_CONTAINS(err.text, "none of the last 32 former keys has signed");
    heads_fini(&heads);
}

static void a_former_key_cannot_make_the_feed_longer(void **state)
{
    (void)state;
    give_and_connect();
    replace_key(ROLE_LOG, 1000);
    use_keys();
    ke.feed.former_log_key = kept[0];
    assert_int_equal(sync_card("Kenya"), 1);
    connect_nodes();
    /* A thief of the former key says that the feed is longer, and cosigned (whose key is not ours).
     */
    struct feed_row in = feed_between(&un, &ke, FEED_IN);
    struct checkpoint checkpoint = { span_text(in.origin), in.size + 5, { { 1 } } };
    struct heads heads = { 0 };
    struct resume resume = { 0 };
    struct buf note = BUF_INIT;
    CHECK_OK(checkpoint_sign(&checkpoint, kept[0], &note, &err), &err);
    CHECK_OK(checkpoint_cosign(buf_span(&note), "comity.v1/training/receipt/UNODC",
                               pki.keys[ROLE_RECEIPT], 1800000000, &heads.mine_receipt, &err),
             &err);
    assert_int_equal(meet_one(&un, &ke, &heads, &resume), ERR_SIGNATURE);
    heads_fini(&heads);
    CHECK_OK(buf_append(&heads.mine, buf_span(&note), &err), &err);
    assert_int_equal(meet_one(&un, &ke, &heads, &resume), ERR_SIGNATURE);
    heads_fini(&heads);
    buf_fini(&note);
}

static void a_new_receipt_key_is_cosigned_with_beside_the_former_one(void **state)
{
    (void)state;
    struct id record = add_excerpt(&un, "From the secretariat");
    (void)give(&un, &ke, &record, 1, 30);
    /* UNODC knows KE's receipt key; it is replaced while UNODC's feed goes on. */
    connect_nodes();
    replace_key(ROLE_RECEIPT, 1000);
    use_keys();
    ke.feed.former_receipt_key = kept[0];
    assert_int_equal(sync_card("Kenya"), 1);
    (void)give(&un, &ke, &record, 1, 30);
    (void)deliver(&un, &ke, feed_between(&un, &ke, FEED_OUT).size); /* before the card */
    connect_nodes();
    ke.feed.former_receipt_key = NULL;
    connect_nodes();
    (void)give(&un, &ke, &record, 1, 30);
    connect_nodes();
    struct feed_row out = feed_between(&un, &ke, FEED_OUT);
    assert_int_equal(out.receipt_size, out.size);
    check_both();
}

static void name_address_and_list_are_taken(void **state)
{
    (void)state;
    pki_revoke(&pki, SPAN_EMPTY, PKI_NOW_MS + CRL_LIFE_MS);
    assert_int_equal(sync_card("The Republic of Kenya"), 1);
    connect_nodes();
    struct peer_row row = peer_of(&un, &ke);
    struct buf list = BUF_INIT;
    assert_string_equal(row.name, "The Republic of Kenya");
    assert_string_equal(row.address, "ke.example:7400");
    assert_int_equal(row.crl_number, 2);
    CHECK_OK(peer_rows_get_file(un.store, row.peer_id, PEER_CRL_DER, &list, &err), &err);
    assert_true(span_equal(buf_span(&list), buf_span(&pki.crl)));
    struct former_card former[4];
    size_t count = 0;
    CHECK_OK(card_rows_list_former(un.store, row.peer_id, former, 4, &count, &err), &err);
    assert_int_equal(count, 1);
    buf_clear(&list);
    CHECK_OK(card_rows_read_former(un.store, former[0].former_id, &list, &err), &err);
    assert_true(list.size > 1000);
    buf_fini(&list);
}

/* -- while something fails ----------------------------------------------------------------------
 */

static struct buf new_card;
static struct batch underway;

static enum status sync_new_card(void)
{
    size_t queued = 0;
    return cards_sync(&ke.feed, buf_span(&new_card), &queued, &err);
}

static enum status ingest_new_card(void)
{
    struct buf receipt = BUF_INIT;
    enum status status = feed_ingest_check(&un.feed, &ke.code, &underway, &err);
    if (status == OK)
        status = feed_ingest(&un.feed, &ke.code, &underway, NULL, &err);
    if (status == OK)
        status = feed_ingest_sign(&un.feed, &ke.code, &receipt, &err);
    buf_fini(&receipt);
    return status;
}

/* Each allocation, statement and call of OpenSSL in turn; undone each time. */
static void sweep_cards(struct node *node, enum status (*run)(void))
{
    for (int kind = 0; kind < 3; kind++) {
        bool hit = true;
        for (uint64_t nth = 1; hit; nth++) {
            tx_begin(node);
            if (kind == 0)
                mem_fail_at(nth, false);
            else
                call_fault_at(kind == 1 ? CALL_FAULT_SQL : CALL_FAULT_CRYPTO, nth, 0);
            enum status status = run();
            hit = kind == 0 ? mem_fail_hit() : call_fault_hit();
            mem_fail_at(0, false);
            call_fault_off();
            store_rollback(node->store);
            if (!hit)
                CHECK_OK(status, &err);
            if (hit && kind == 1)
                assert_int_not_equal(status, OK); /* no failed statement is hidden */
        }
    }
}

static void a_new_card_is_taken_wholly_or_not_at_all(void **state)
{
    (void)state;
    replace_key(ROLE_LOG, 1000);
    use_keys();
    ke.feed.former_log_key = kept[0];
    new_card = card_of(&pki, "Kenya anew");
    sweep_cards(&ke, sync_new_card);
    assert_int_equal(sync_card("Kenya anew"), 1);
    CHECK_OK(publish(&ke, &un, 0, &underway), &err);
    sweep_cards(&un, ingest_new_card);
    batch_fini(&underway);
    buf_fini(&new_card);
    assert_string_equal(peer_of(&un, &ke).name, "The other one"); /* nothing of it stayed */
    connect_nodes();
    assert_string_equal(peer_of(&un, &ke).name, "Kenya anew");
    check_both();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARDS(a_card_of_another_anchor_is_refused_and_raises_an_alarm),
        CARDS(a_card_of_another_state_is_refused),
        CARDS(what_is_no_card_is_refused),
        CARDS(a_list_does_not_go_back),
        CARDS(a_certificate_from_before_does_not_come_back),
        CARDS(a_new_log_key_that_was_not_announced_is_refused),
        CARDS(a_new_log_key_counts_once_it_came_under_the_former_one),
        CARDS(notes_from_before_the_replacement_still_count_when_nothing_was_sent_since),
        CARDS(cards_that_change_without_their_keys_do_not_push_a_former_key_out),
        CARDS(a_key_that_is_too_old_is_refused_and_it_is_said_why),
        CARDS(a_former_key_cannot_make_the_feed_longer),
        CARDS(a_new_receipt_key_is_cosigned_with_beside_the_former_one),
        CARDS(name_address_and_list_are_taken),
        CARDS(a_new_card_is_taken_wholly_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
