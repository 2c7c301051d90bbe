/* Signatures that another thread verifies beside the store thread (feed.h). */
#include "two_nodes.h"

/* A verdict says who has signed; whether that key counts is decided here. */
static void a_signature_of_a_key_that_does_not_count_is_refused_however_good_it_is(void **state)
{
    (void)state;
    const uint8_t seed[32] = { 77 };
    struct private_key *impostor = NULL;
    struct feed_verification verdict = { .has_key = true };
    struct batch batch = first_batch();
    struct buf note = BUF_INIT;
    struct buf receipt = BUF_INIT;
    CHECK_OK(private_key_of_seed(seed, &impostor, &err), &err);
    CHECK_OK(private_key_public(impostor, &verdict.key, &err), &err);
    struct checkpoint checkpoint;
    struct span honest = batch.checkpoint;
    CHECK_OK(checkpoint_open(honest, SPAN_EMPTY, NULL, &checkpoint, &err), &err);
    CHECK_OK(checkpoint_sign(&checkpoint, impostor, &note, &err), &err);
    batch.checkpoint = buf_span(&note);
    feed_verify_batch(&batch, &verdict);
    assert_true(verdict.good);
    CHECK_OK(feed_ingest_check(&un.feed, &ke.code, &batch, &err), &err);
    tx_begin(&un);
    assert_int_equal(tx_end(&un, feed_ingest(&un.feed, &ke.code, &batch, &verdict, &err)),
                     ERR_SIGNATURE);
    CHECK_CONTAINS(err.text, "not signed by the log key of KE");

    batch.checkpoint = honest;
    CHECK_OK(ingest(&un, &ke, &batch, &receipt), &err);
    buf_clear(&receipt);
    CHECK_OK(checkpoint_cosign(honest, "comity.v1/training/receipt/UNODC", impostor, 1764000000,
                               &receipt, &err),
             &err);
    feed_verify_receipt(&ke.feed.realm, &un.code, buf_span(&receipt), &verdict);
    assert_true(verdict.good);
    tx_begin(&ke);
    assert_int_equal(
        tx_end(&ke, feed_take_receipt(&ke.feed, &un.code, buf_span(&receipt), &verdict, &err)),
        ERR_SIGNATURE);
    assert_int_equal(feed_between(&ke, &un, FEED_OUT).receipt_size, 0);
    private_key_free(impostor);
    buf_fini(&note);
    buf_fini(&receipt);
    batch_fini(&batch);
}

static void count_wait(void *self)
{
    ++*(unsigned *)self;
}

static void a_batch_is_not_kept_before_its_verdict_and_says_which_key_counts(void **state)
{
    (void)state;
    unsigned waits = 0;
    struct feed_verification verdict = { .wait = count_wait, .self = &waits };
    struct batch batch = first_batch();
    struct public_key key;
    feed_verify_batch(&batch, &verdict); /* without a key there is nothing to find out */
    assert_false(verdict.good);
    CHECK_OK(feed_ingest_check(&un.feed, &ke.code, &batch, &err), &err);
    tx_begin(&un);
    CHECK_OK(tx_end(&un, feed_ingest(&un.feed, &ke.code, &batch, &verdict, &err)), &err);
    assert_int_equal(waits, 1);
    CHECK_OK(private_key_public(ke.log_key, &key, &err), &err);
    assert_true(verdict.has_key);
    assert_memory_equal(&verdict.key, &key, sizeof(key));
    batch_fini(&batch);
}

int main(void)
{
#define TWO(test) cmocka_unit_test_setup_teardown(test, two_set_up, two_tear_down)
    const struct CMUnitTest tests[] = {
        TWO(a_signature_of_a_key_that_does_not_count_is_refused_however_good_it_is),
        TWO(a_batch_is_not_kept_before_its_verdict_and_says_which_key_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
