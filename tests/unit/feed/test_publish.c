/* Publishing and ingesting between two nodes; refusals first. */
#include "log/tree.h"
#include "two_nodes.h"

/* -- what a receiver refuses ------------------------------------------------------------------- */

static void change_body(struct batch *batch)
{
    ((uint8_t *)(uintptr_t)batch->entries[1].body.data)[10] ^= 1;
}

static void change_salt(struct batch *batch)
{
    ((uint8_t *)(uintptr_t)batch->entries[1].salt.data)[0] ^= 1;
}

static void change_header(struct batch *batch)
{
    ((uint8_t *)(uintptr_t)batch->entries[1].header.data)[79] ^= 1; /* record version */
}

static void change_signature(struct batch *batch)
{
    ((uint8_t *)(uintptr_t)batch->checkpoint.data)[batch->checkpoint.size - 20] ^= 1;
}

static void drop_last(struct batch *batch)
{
    batch->entry_count--;
}

static void swap_entries(struct batch *batch)
{
    struct batch_entry entry = batch->entries[1];
    batch->entries[1] = batch->entries[2];
    batch->entries[2] = entry;
}

static void withhold(struct batch *batch)
{
    batch->entries[1].salt = SPAN_EMPTY;
    batch->entries[1].body = SPAN_EMPTY;
    batch->entries[1].withheld = true;
}

static void withhold_terms(struct batch *batch)
{
    batch->entries[0].salt = SPAN_EMPTY;
    batch->entries[0].body = SPAN_EMPTY;
    batch->entries[0].withheld = true;
}

static void shift(struct batch *batch)
{
    batch->first_index = 1;
}

static void empty_it(struct batch *batch)
{
    batch->entry_count = 0;
}

static void name_another_realm(struct batch *batch)
{
    batch->origin = SPAN_LITERAL("comity.v1/live/feed/KE/UNODC/0123456789abcdef");
}

static void batches_that_break_the_format_change_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        void (*spoil)(struct batch *batch);
        enum status status;
    } table[] = {
        { "a body that does not open its commitment", change_body, ERR_MISMATCH },
        { "another salt", change_salt, ERR_MISMATCH },
        { "a header that the root does not cover", change_header, ERR_MISMATCH },
        { "a signature that does not verify", change_signature, ERR_SIGNATURE },
        { "an entry less than the checkpoint says", drop_last, ERR_INVALID },
        { "entries in another order", swap_entries, ERR_MISMATCH },
        { "a body withheld without a withdrawal", withhold, ERR_INVALID },
        { "terms withheld", withhold_terms, ERR_INVALID },
        { "a gap in front", shift, ERR_INVALID },
        { "no entries", empty_it, ERR_INVALID },
        { "a feed of another realm", name_another_realm, ERR_MISMATCH },
    };
    struct batch batch = first_batch();
    struct buf receipt = BUF_INIT;
    batch_fini(&batch);
    for (size_t i = 0; i < COUNT(table); i++) {
        batch = (struct batch){ 0 };
        CHECK_OK(publish(&ke, &un, 0, &batch), &err); /* sent again */
        assert_int_equal(batch.entry_count, 3);
        table[i].spoil(&batch);
        enum status status = ingest(&un, &ke, &batch, &receipt);
        if (status != table[i].status)
            fail_msg("%s: %s: %s", table[i].what, status_name(status), err.text);
        batch_fini(&batch);
    }
    struct feed_row row;
    assert_int_equal(feed_rows_active(un.store, peer_of(&un, &ke).peer_id, FEED_IN, &row, NULL),
                     ERR_NOT_FOUND);
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 0);
    buf_fini(&receipt);
}

static void nothing_goes_to_or_comes_from_a_peer_that_is_not_accepted(void **state)
{
    (void)state;
    struct batch batch = first_batch();
    struct batch other = { 0 };
    struct buf receipt = BUF_INIT;
    struct peer_row peer = peer_of(&un, &ke);
    peer.state = PEER_BLOCKED;
    set_peer(&un, &peer);
    assert_int_equal(ingest(&un, &ke, &batch, &receipt), ERR_DENIED);
    CHECK_CONTAINS(err.text, "not accepted");
    assert_int_equal(publish(&un, &ke, 0, &other), ERR_DENIED);
    struct node stranger = { .code = { "AU" } };
    assert_int_equal(publish(&un, &stranger, 0, &other), ERR_DENIED);
    CHECK_CONTAINS(err.text, "AU is not known here; next: ");
    batch_fini(&batch);
}

/* A receipt repeats the note that was signed here; a peer cannot change a byte of it, and a node
 * that started anew, and remembers no note, takes it as well. */
static void a_receipt_repeats_what_was_signed_byte_for_byte(void **state)
{
    (void)state;
    struct batch batch = first_batch();
    struct buf receipt = BUF_INIT;
    struct buf longer = BUF_INIT; /* our note as the beginning of another text */
    CHECK_OK(ingest(&un, &ke, &batch, &receipt), &err);
    assert_memory_equal(receipt.data, batch.checkpoint.data, batch.checkpoint.size);
    for (size_t at = 0; at < batch.checkpoint.size; at++) {
        receipt.data[at] ^= 1;
        assert_int_not_equal(take_receipt(&ke, &un, buf_span(&receipt)), OK);
        receipt.data[at] ^= 1;
    }
    CHECK_OK(buf_append(&longer, batch.checkpoint, &err), &err);
    CHECK_OK(buf_append_text(&longer, "\nmore\n\n", &err), &err);
    CHECK_OK(
        buf_append(&longer, span_slice(buf_span(&receipt), batch.checkpoint.size, NOTE_MAX), &err),
        &err);
    assert_int_not_equal(take_receipt(&ke, &un, buf_span(&longer)), OK);
    assert_int_equal(feed_between(&ke, &un, FEED_OUT).receipt_size, 0);
    memset(ke.feed.signed_notes, 0, sizeof(ke.feed.signed_notes));
    CHECK_OK(take_receipt(&ke, &un, buf_span(&receipt)), &err);
    assert_int_equal(feed_between(&ke, &un, FEED_OUT).receipt_size, 3);
    buf_fini(&longer);
    buf_fini(&receipt);
    batch_fini(&batch);
}

static void receipts_that_prove_nothing_are_refused(void **state)
{
    (void)state;
    struct batch batch = first_batch();
    struct buf receipt = BUF_INIT;
    struct buf forged = BUF_INIT;
    CHECK_OK(ingest(&un, &ke, &batch, &receipt), &err);
    assert_int_equal(take_receipt(&ke, &un, batch.checkpoint), ERR_SIGNATURE);
    CHECK_CONTAINS(err.text, "no key of the cards known here has signed");
    /* A cosignature over a checkpoint of the same size that KE never made. */
    struct checkpoint other = { batch.origin, 3, { { 1 } } };
    struct buf note = BUF_INIT;
    CHECK_OK(checkpoint_sign(&other, ke.log_key, &note, &err), &err);
    CHECK_OK(checkpoint_cosign(buf_span(&note), "comity.v1/training/receipt/UNODC", un.receipt_key,
                               1764000000, &forged, &err),
             &err);
    assert_int_equal(take_receipt(&ke, &un, buf_span(&forged)), ERR_MISMATCH);
    CHECK_CONTAINS(err.text, "another history");
    buf_clear(&note);
    buf_clear(&forged);
    other.size = 4;
    CHECK_OK(checkpoint_sign(&other, ke.log_key, &note, &err), &err);
    CHECK_OK(checkpoint_cosign(buf_span(&note), "comity.v1/training/receipt/UNODC", un.receipt_key,
                               1764000000, &forged, &err),
             &err);
    assert_int_equal(take_receipt(&ke, &un, buf_span(&forged)), ERR_MISMATCH);
    CHECK_OK(take_receipt(&ke, &un, buf_span(&receipt)), &err);
    CHECK_OK(take_receipt(&ke, &un, buf_span(&receipt)), &err); /* twice says nothing new */
    assert_int_equal(feed_between(&ke, &un, FEED_OUT).receipt_size, 3);
    buf_fini(&note);
    buf_fini(&forged);
    buf_fini(&receipt);
    batch_fini(&batch);
}

/* -- late numbering, revoked before and after -------------------------------------------------- */

static void what_was_revoked_before_it_was_sent_never_gets_a_number(void **state)
{
    (void)state;
    struct id record = add_excerpt(&ke, "One");
    struct id consent = give(&ke, &un, &record, 1, 10);
    revoke(&ke, &consent);
    connect_nodes();
    struct feed_row row;
    enum status status =
        feed_rows_active(ke.store, peer_of(&ke, &un).peer_id, FEED_OUT, &row, NULL);
    if (status == OK)
        assert_null(strstr(kinds_of(&ke, &row), "16"));
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 0);
    assert_int_equal(waiting_for(&ke, &un), 0);
}

static void nothing_is_sent_to_a_held_peer_but_recalls(void **state)
{
    (void)state;
    struct id records[2] = { add_excerpt(&ke, "One"), add_excerpt(&ke, "Two") };
    struct id consent = give(&ke, &un, records, 1, 10);
    connect_nodes();
    give(&ke, &un, records + 1, 1, 10);
    struct peer_row peer = peer_of(&ke, &un);
    peer.held = true;
    set_peer(&ke, &peer);
    revoke(&ke, &consent);
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 0);
    assert_int_equal(count_holdings(&un, HOLDING_ERASED), 1);
    peer.held = false;
    set_peer(&ke, &peer);
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 1);
}

static void what_was_approved_arrives_once_and_is_receipted(void **state)
{
    (void)state;
    struct id records[2] = { add_excerpt(&ke, "One"), add_excerpt(&ke, "Two") };
    give(&ke, &un, records, 2, 10);
    connect_nodes();
    struct feed_row out = feed_between(&ke, &un, FEED_OUT);
    struct feed_row in = feed_between(&un, &ke, FEED_IN);
    assert_string_equal(kinds_of(&un, &in), "1 16 16");
    assert_false(un.feed.queued); /* there is nothing to answer */
    assert_int_equal(out.receipt_size, 3);
    assert_int_equal(in.receipt_size, 3);
    assert_memory_equal(&out.root, &in.root, sizeof(out.root));
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 2);
    struct delivery_row rows[4];
    struct delivery_filter filter = { .live_only = true };
    size_t count = 0;
    CHECK_OK(delivery_rows_list(ke.store, &filter, 0, rows, 4, &count, &err), &err);
    assert_int_equal(count, 2);
    assert_true(rows[0].receipted_ms > 0);
    connect_nodes();
    assert_int_equal(feed_between(&un, &ke, FEED_IN).size, 3);
}

static void a_batch_that_comes_twice_is_stored_once(void **state)
{
    (void)state;
    struct batch batch = first_batch();
    struct buf first = BUF_INIT;
    struct buf second = BUF_INIT;
    CHECK_OK(ingest(&un, &ke, &batch, &first), &err);
    pass_time(5000);
    CHECK_OK(ingest(&un, &ke, &batch, &second), &err);
    assert_true(span_equal(buf_span(&first), buf_span(&second)));
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 2);
    buf_fini(&first);
    buf_fini(&second);
    batch_fini(&batch);
}

static void an_overlap_that_differs_is_a_fork(void **state)
{
    (void)state;
    struct batch batch = first_batch();
    struct buf receipt = BUF_INIT;
    CHECK_OK(ingest(&un, &ke, &batch, &receipt), &err);
    /* KE signs another history of the same feed. */
    struct buf header = BUF_INIT;
    struct buf note = BUF_INIT;
    struct entry_header other = { .kind = KIND_CLARIFY, .has_inline = true };
    CHECK_OK(header_encode(&other, &header, &err), &err);
    struct batch_entry entry = { .header = buf_span(&header) };
    struct checkpoint checkpoint = { batch.origin, 1, { { 0 } } };
    CHECK_OK(tree_leaf(buf_span(&header), &checkpoint.root, &err), &err);
    CHECK_OK(checkpoint_sign(&checkpoint, ke.log_key, &note, &err), &err);
    struct batch fork = {
        .origin = batch.origin,
        .entries = &entry,
        .entry_count = 1,
        .checkpoint = buf_span(&note),
    };
    assert_int_equal(ingest(&un, &ke, &fork, &receipt), ERR_MISMATCH);
    CHECK_CONTAINS(err.text, "a fork");
    buf_fini(&header);
    buf_fini(&note);
    buf_fini(&receipt);
    batch_fini(&batch);
}

static void what_was_revoked_in_flight_goes_without_its_body_and_with_its_withdrawal(void **state)
{
    (void)state;
    struct id records[2] = { add_excerpt(&ke, "One"), add_excerpt(&ke, "Two") };
    struct id first = give(&ke, &un, records, 1, 10);
    give(&ke, &un, records + 1, 1, 10);
    struct batch lost = { 0 };
    CHECK_OK(publish(&ke, &un, 0, &lost), &err); /* numbered and signed, never arrives */
    assert_int_equal(lost.entry_count, 4);
    batch_fini(&lost);
    revoke(&ke, &first);
    struct meeting_result result;
    meet(&result);
    struct batch batch = { 0 };
    CHECK_OK(publish(&ke, &un, result.ke.send_from, &batch), &err);
    size_t withheld = 0;
    for (size_t i = 0; i < batch.entry_count; i++) {
        withheld += batch.entries[i].withheld ? 1 : 0;
        if (batch.entries[i].withheld)
            assert_int_equal(batch.entries[i].body.size + batch.entries[i].salt.size, 0);
    }
    /* The terms and the other record came first, in a batch of their own, or all in one. */
    if (withheld == 0) {
        struct buf receipt = BUF_INIT;
        uint64_t next = batch_end(&batch);
        CHECK_OK(ingest(&un, &ke, &batch, &receipt), &err);
        CHECK_OK(take_receipt(&ke, &un, buf_span(&receipt)), &err);
        buf_fini(&receipt);
        batch_fini(&batch);
        CHECK_OK(publish(&ke, &un, next, &batch), &err);
        for (size_t i = 0; i < batch.entry_count; i++)
            withheld += batch.entries[i].withheld ? 1 : 0;
    }
    assert_int_equal(withheld, 1);
    batch_fini(&batch);
    meeting_fini(&result);
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 1);
    assert_int_equal(count_holdings(&un, HOLDING_ERASED), 1);
    struct recall_row recall;
    CHECK_STATUS(recall_rows_open(ke.store, peer_of(&ke, &un).peer_id, &records[0], &recall, &err),
                 ERR_NOT_FOUND, &err);
}

static void large_bodies_in_flight_are_withdrawn_and_given_again_when_they_do_not_fit(void **state)
{
    (void)state;
    enum { LARGE = 20, SIZE = 190 * 1024 }; /* more than one batch may hold */
    static char text[SIZE];
    struct id records[LARGE];
    memset(text, 'x', SIZE);
    for (size_t i = 0; i < LARGE; i++) {
        char title[32];
        (void)snprintf(title, sizeof(title), "Answer %zu", i);
        records[i] = add_excerpt_of(&ke, title, span_of(text, SIZE));
    }
    struct id first = give(&ke, &un, records, 1, 10);
    give(&ke, &un, records + 1, LARGE - 1, 10);
    uint64_t next = 0;
    for (bool more = true; more;) { /* all numbered and signed, nothing arrives */
        struct batch lost = { 0 };
        CHECK_OK(publish(&ke, &un, next, &lost), &err);
        more = lost.entry_count > 0;
        next = batch_end(&lost);
        batch_fini(&lost);
    }
    assert_int_equal(next, LARGE + 2);
    revoke(&ke, &first);
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), LARGE - 1);
    assert_int_equal(count_holdings(&un, HOLDING_LOCKED), 0);
    assert_int_equal(waiting_for(&ke, &un), 0);
    struct delivery_row rows[2 * LARGE];
    struct delivery_filter filter = { .live_only = true };
    size_t count = 0;
    CHECK_OK(delivery_rows_list(ke.store, &filter, 0, rows, 2 * LARGE, &count, &err), &err);
    assert_int_equal(count, LARGE - 1);
}

/* -- content that cannot be accepted ----------------------------------------------------------- */

/* Queues any entry at KE, past its administrative side. */
static void queue(uint16_t kind, enum outbox_priority priority, const char *body)
{
    int64_t outbox_id = 0;
    struct outbox_row row = { .peer_id = peer_of(&ke, &un).peer_id,
                              .priority = priority,
                              .kind = kind,
                              .consent_id = { { 9 } },
                              .subject_id = { { 8 } },
                              .body = span_text(body) };
    tx_begin(&ke);
    CHECK_OK(outbox_rows_add(ke.store, &row, &outbox_id, &err), &err);
    tx_commit(&ke);
}

static void content_that_cannot_be_accepted_is_answered_and_does_not_stop_the_feed(void **state)
{
    (void)state;
    queue(KIND_CONSENT_GIVEN, OUTBOX_TERMS, "no terms at all");
    queue(KIND_CONSENT_ENDED, OUTBOX_TERMS, "");
    queue(KIND_RESTORED, OUTBOX_TERMS, "");
    queue(KIND_ERASED, OUTBOX_OTHER, "");
    queue(KIND_CLARIFY, OUTBOX_OTHER, "an optional kind");
    queue(4711, OUTBOX_OTHER, "an unknown kind");
    struct id record = add_excerpt(&ke, "One");
    give(&ke, &un, &record, 1, 10);
    connect_nodes();
    struct feed_row in = feed_between(&un, &ke, FEED_IN);
    assert_int_equal(in.size, 8);
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 1);
    struct feed_row back = feed_between(&un, &ke, FEED_OUT);
    assert_true(un.feed.queued);
    assert_string_equal(kinds_of(&un, &back), "35 35 35"); /* REFUSED, three times */
    assert_true(has_alarm(&ke, "refused"));
}

static void many_entries_arrive_in_order_over_several_batches(void **state)
{
    (void)state;
    enum { MANY = 600 };
    static struct id records[MANY];
    for (size_t i = 0; i < MANY; i++) {
        char title[32];
        (void)snprintf(title, sizeof(title), "Answer %zu", i);
        records[i] = add_excerpt(&ke, title);
    }
    give(&ke, &un, records, MANY, 10);
    connect_nodes();
    struct feed_row in = feed_between(&un, &ke, FEED_IN);
    assert_int_equal(in.size, MANY + 1);
    assert_int_equal(feed_between(&ke, &un, FEED_OUT).receipt_size, MANY + 1);
}

static void a_batch_says_whether_something_waits_behind_it(void **state)
{
    (void)state;
    enum { MANY = 40 }; /* more than one list of queued rows */
    struct id records[MANY];
    struct batch batch = { 0 };
    for (size_t i = 0; i < MANY; i++)
        records[i] = add_excerpt(&ke, "A record");
    give(&ke, &un, records, MANY, 10);
    size_t batches = 0;
    for (uint64_t next = 0; next < MANY + 1; batches++) {
        tx_begin(&ke);
        /* So small that the first batch ends before its list, and others with it. */
        size_t bytes = 1200 * (batches + 1);
        CHECK_OK(feed_publish(&ke.feed, &un.code, next, bytes, &batch, &err), &err);
        tx_commit(&ke);
        next = batch_end(&batch);
        assert_int_equal(batch.is_last, next == MANY + 1);
        batch_fini(&batch);
    }
    assert_true(batches > 3);
    CHECK_OK(publish(&ke, &un, 0, &batch), &err); /* once more: it has not looked at the queue */
    assert_false(batch.is_last);
    batch_fini(&batch);
}

static void every_failed_allocation_is_reported_and_nothing_leaks(void **state)
{
    (void)state;
    struct batch batch = first_batch();
    struct buf receipt = BUF_INIT;
    bool hit = true;
    for (uint64_t nth = 1; hit && nth < 4000; nth++) {
        int64_t live = mem_live();
        buf_fini(&receipt);
        tx_begin(&un);
        CHECK_OK(store_savepoint(un.store, &err), &err);
        mem_fail_at(nth, false);
        enum status status = feed_ingest_check(&un.feed, &ke.code, &batch, &err);
        if (status == OK)
            status = feed_ingest(&un.feed, &ke.code, &batch, NULL, &err);
        hit = mem_fail_hit();
        mem_fail_at(0, false);
        if (hit && status != ERR_MEMORY && status != OK)
            fail_msg("allocation %llu: %s: %s", (unsigned long long)nth, status_name(status),
                     err.text);
        store_rollback(un.store);
        assert_true(mem_live() <= live + 8); /* statements and pages stay cached */
    }
    assert_false(hit);
    batch_fini(&batch);
}

int main(void)
{
#define TWO(test) cmocka_unit_test_setup_teardown(test, two_set_up, two_tear_down)
    const struct CMUnitTest tests[] = {
        TWO(batches_that_break_the_format_change_nothing),
        TWO(nothing_goes_to_or_comes_from_a_peer_that_is_not_accepted),
        TWO(a_receipt_repeats_what_was_signed_byte_for_byte),
        TWO(receipts_that_prove_nothing_are_refused),
        TWO(what_was_revoked_before_it_was_sent_never_gets_a_number),
        TWO(nothing_is_sent_to_a_held_peer_but_recalls),
        TWO(what_was_approved_arrives_once_and_is_receipted),
        TWO(a_batch_that_comes_twice_is_stored_once),
        TWO(an_overlap_that_differs_is_a_fork),
        TWO(what_was_revoked_in_flight_goes_without_its_body_and_with_its_withdrawal),
        TWO(large_bodies_in_flight_are_withdrawn_and_given_again_when_they_do_not_fit),
        TWO(content_that_cannot_be_accepted_is_answered_and_does_not_stop_the_feed),
        TWO(many_entries_arrive_in_order_over_several_batches),
        TWO(a_batch_says_whether_something_waits_behind_it),
        TWO(every_failed_allocation_is_reported_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
