/* Statements, proofs and evidence while an allocation or a call of OpenSSL fails, each in turn: the
 * failure is told and nothing leaks; nothing is taken for true that could not be computed. */
#include "base/memory.h"
#include "crypto/digest.h"
#include "log/proof.h"
#include "support/call_fault.h"
#include "support/check.h"
#include "support/log_feed.h"

#include <pthread.h>

static struct error err;
static const struct log_feed *feed;
static const char cosigner[] = "comity.v1/training/receipt/UNODC";

typedef enum status (*operation)(void);

/* Each allocation, then each call of OpenSSL. */
static void sweep(operation run, const char *name)
{
    CHECK_OK(run(), &err);
    for (int crypto = 0; crypto < 2; crypto++) {
        bool hit = true;
        for (uint64_t nth = 1; hit; nth++) {
            int64_t live = mem_live();
            err = (struct error)ERROR_INIT;
            if (crypto == 1)
                call_fault_at(CALL_FAULT_CRYPTO, nth, 0);
            else
                mem_fail_at(nth, false);
            enum status status = run();
            hit = crypto == 1 ? call_fault_hit() : mem_fail_hit();
            call_fault_off();
            mem_fail_at(0, false);
            if (hit ? status == OK || err.text[0] == '\0' : status != OK)
                fail_msg("%s, %s: %s: %s", name, call_fault_name(), status_name(status), err.text);
            assert_int_equal(mem_live(), live);
        }
    }
}

/* -- operations -------------------------------------------------------------------------------- */

static enum status make_entry(void)
{
    struct entry_header header = { .kind = KIND_EXCERPT, .body_format = BODY_EXCERPT };
    struct buf body = BUF_INIT;
    struct buf bytes = BUF_INIT;
    static const uint8_t salt[32] = { 7 };
    enum status status = header_pad(KIND_PART, SPAN_EMPTY, &body, &err);
    buf_clear(&body);
    if (status == OK)
        status = header_pad(header.kind, SPAN_LITERAL("text"), &body, &err);
    header.body_size = (uint32_t)body.size;
    if (status == OK)
        status = header_commit(span_text(feed->origin), &header.entry_id, SPAN_ARRAY(salt),
                               buf_span(&body), &header.commitment, &err);
    if (status == OK)
        status = header_encode(&header, &bytes, &err);
    if (status == OK)
        status =
            header_open(&header, span_text(feed->origin), SPAN_ARRAY(salt), buf_span(&body), &err);
    buf_fini(&bytes);
    buf_fini(&body);
    return status;
}

static enum status keep(
    void *context, unsigned level, uint64_t index, const struct digest *hash, struct error *e)
{
    (void)e;
    struct digest(*shelf)[LOG_FEED_SIZE] = context;
    shelf[level][index] = *hash;
    return OK;
}

static enum status find(
    void *context, unsigned level, uint64_t index, struct digest *ret_hash, struct error *e)
{
    (void)e;
    struct digest(*shelf)[LOG_FEED_SIZE] = context;
    *ret_hash = shelf[level][index];
    return OK;
}

static enum status grow_tree(struct tree *tree, struct digest (*shelf)[LOG_FEED_SIZE])
{
    struct tree_sink sink = { shelf, keep };
    enum status status = OK;
    tree_init(tree);
    for (unsigned i = 0; status == OK && i < LOG_FEED_SIZE; i++) {
        status = tree_leaf(buf_span(&feed->headers[i]), &shelf[0][i], &err);
        if (status == OK)
            status = tree_append(tree, &shelf[0][i], &sink, &err);
    }
    return status;
}

static enum status prove(void)
{
    struct digest shelf[8][LOG_FEED_SIZE];
    struct digest roots[2];
    struct digest folded[4];
    struct tree tree;
    struct tree earlier;
    struct proof inclusion;
    struct proof consistency;
    struct proof_source source = { shelf, find };
    enum status status = grow_tree(&tree, shelf);
    if (status == OK)
        status = tree_root(&tree, &roots[1], &err);
    if (status == OK)
        status = proof_inclusion(&source, 5, LOG_FEED_SIZE, &inclusion, &err);
    if (status == OK)
        status =
            proof_verify_inclusion(&inclusion, &shelf[0][5], 5, LOG_FEED_SIZE, &roots[1], &err);
    if (status == OK)
        status = proof_frontier(&source, 6, &earlier, &err);
    if (status == OK)
        status = tree_root(&earlier, &roots[0], &err);
    if (status == OK)
        status = proof_consistency(&source, 6, LOG_FEED_SIZE, &consistency, &err);
    if (status == OK)
        status =
            proof_verify_consistency(&consistency, 6, &roots[0], LOG_FEED_SIZE, &roots[1], &err);
    for (int i = 0; status == OK && i < 4; i++)
        folded[i] = shelf[0][i];
    return status == OK ? tree_fold(folded, 4, &roots[0], &err) : status;
}

static enum status sign_and_open(void)
{
    struct buf note = BUF_INIT;
    struct buf receipt = BUF_INIT;
    struct checkpoint checkpoint = { span_text(feed->origin), 3, { { 1 } } };
    struct checkpoint opened;
    uint64_t time_s = 0;
    enum status status = checkpoint_sign(&checkpoint, feed->log_key, &note, &err);
    if (status == OK)
        status = checkpoint_open(buf_span(&note), span_text(feed->origin), &feed->log_public,
                                 &opened, &err);
    if (status == OK)
        status = checkpoint_cosign(buf_span(&note), cosigner, feed->receipt_key, 1772355700,
                                   &receipt, &err);
    if (status == OK) {
        status =
            checkpoint_open_receipt(buf_span(&receipt), span_text(feed->origin), &feed->log_public,
                                    cosigner, &feed->receipt_public, &opened, &time_s, &err);
    }
    buf_fini(&receipt);
    buf_fini(&note);
    return status;
}

static enum status sign_with_two_keys(void)
{
    struct buf note = BUF_INIT;
    struct span text = SPAN_LITERAL("a\n1\nb\n");
    enum status status = note_sign(text, SPAN_LITERAL("name"), feed->log_key, &note, &err);
    if (status == OK)
        status = note_sign_also(text, SPAN_LITERAL("name"), feed->receipt_key, &note, &err);
    buf_fini(&note);
    return status;
}

static struct evidence shown; /* made outside of the sweeps */

static enum status show_evidence(void)
{
    struct buf text = BUF_INIT;
    struct evidence read = { 0 };
    struct evidence_verdict verdict;
    enum status status = evidence_encode(&shown, &text, &err);
    if (status == OK)
        status = evidence_decode(buf_span(&text), &read, &err);
    if (status == OK)
        status = evidence_verify(&read, &feed->log_public, &feed->receipt_public, &verdict, &err);
    evidence_fini(&read);
    buf_fini(&text);
    return status;
}

/* -- tests ------------------------------------------------------------------------------------- */

static void an_entry_is_made_and_opened_or_not(void **state)
{
    feed = *state;
    sweep(make_entry, "entry");
}

static void a_proof_is_made_and_verified_or_not(void **state)
{
    feed = *state;
    sweep(prove, "proof");
}

static void a_second_key_does_not_sign_what_is_no_note(void **state)
{
    feed = *state;
    struct buf note = BUF_INIT;
    assert_int_equal(note_sign_also(SPAN_LITERAL("no end of line"), SPAN_LITERAL("name"),
                                    feed->log_key, &note, &err),
                     ERR_INVALID);
    assert_int_equal(note.size, 0);
}

static void a_statement_is_signed_and_opened_or_not(void **state)
{
    feed = *state;
    sweep(sign_and_open, "statement");
    sweep(sign_with_two_keys, "two keys");
}

static void evidence_is_written_read_and_judged_or_not(void **state)
{
    feed = *state;
    shown = log_feed_evidence(feed, 4, true);
    sweep(show_evidence, "evidence");
}

/* Whatever is being appended when the memory ends. */
static void evidence_that_outgrows_its_buffer_at_any_byte_is_not_written(void **state)
{
    feed = *state;
    struct buf whole = BUF_INIT;
    shown = log_feed_evidence(feed, 4, true);
    CHECK_OK(evidence_encode(&shown, &whole, &err), &err);
    for (size_t room = 1; room < whole.size; room++) {
        bool hit = true;
        for (uint64_t nth = 1; hit; nth++) {
            struct buf text = { .data = mem_alloc(room), .capacity = room };
            mem_fail_at(nth, false);
            enum status status = evidence_encode(&shown, &text, &err);
            hit = mem_fail_hit();
            mem_fail_at(0, false);
            assert_int_equal(status, hit ? ERR_MEMORY : OK);
            buf_fini(&text);
        }
    }
    buf_fini(&whole);
}

/* The first digest of a thread makes its context. */
static void *commit_in_a_new_thread(void *context)
{
    enum status *ret_status = context;
    struct digest digest;
    struct id id = { { 1 } };
    struct error why = ERROR_INIT;
    call_fault_at(CALL_FAULT_CRYPTO, 1, 0);
    *ret_status =
        header_commit(SPAN_LITERAL("o"), &id, SPAN_LITERAL("s"), SPAN_LITERAL("b"), &digest, &why);
    call_fault_off();
    return NULL;
}

static void a_thread_that_gets_no_digest_says_so(void **state)
{
    (void)state;
    pthread_t thread;
    enum status status = OK;
    assert_int_equal(pthread_create(&thread, NULL, commit_in_a_new_thread, &status), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(status, ERR_MEMORY);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, log_feed_setup, log_feed_teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_entry_is_made_and_opened_or_not),
        TEST(a_proof_is_made_and_verified_or_not),
        TEST(a_second_key_does_not_sign_what_is_no_note),
        TEST(a_statement_is_signed_and_opened_or_not),
        TEST(evidence_is_written_read_and_judged_or_not),
        TEST(evidence_that_outgrows_its_buffer_at_any_byte_is_not_written),
        TEST(a_thread_that_gets_no_digest_says_so),
    };
    return cmocka_run_group_tests_name("log failures", tests, NULL, NULL);
}
