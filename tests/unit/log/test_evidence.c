/* Evidence files: written, read strictly, and verified with public keys alone. */
#include "support/log_feed.h"

#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct buf text_of(const struct log_feed *feed, unsigned index, bool shown)
{
    struct evidence evidence = log_feed_evidence(feed, index, shown);
    struct buf text = BUF_INIT;
    assert_int_equal(evidence_encode(&evidence, &text, NULL), OK);
    assert_int_equal(buf_terminate(&text, NULL), OK);
    return text;
}

static enum status verify_text(const struct log_feed *feed, struct span text)
{
    struct evidence evidence;
    struct evidence_verdict verdict;
    enum status status = evidence_decode(text, &evidence, NULL);
    if (status != OK)
        return status;
    status = evidence_verify(&evidence, &feed->log_public, &feed->receipt_public, &verdict, NULL);
    evidence_fini(&evidence);
    return status;
}

/* `from` stands in the text once at least; the first one becomes `to`. */
static struct buf replaced(struct buf *text, const char *from, const char *to)
{
    struct buf out = BUF_INIT;
    assert_int_equal(buf_terminate(text, NULL), OK);
    const char *at = strstr((const char *)text->data, from);
    assert_non_null(at);
    size_t before = (size_t)(at - (const char *)text->data);
    assert_int_equal(buf_append(&out, span_of(text->data, before), NULL), OK);
    assert_int_equal(buf_append_text(&out, to, NULL), OK);
    assert_int_equal(buf_append_text(&out, at + strlen(from), NULL), OK);
    return out;
}

struct change {
    const char *what;
    const char *from, *to;
    enum status status;
};

static void evidence_refuses_every_other_layout(void **state)
{
    const struct log_feed *feed = *state;
    static const struct change table[] = {
        { "another format", "comity.v1/evidence", "comity.v2/evidence", ERR_INVALID },
        { "no header", "--- header\n", "--- proof\n", ERR_INVALID },
        { "blank line in a section", "--- salt\n", "--- salt\n\n", ERR_INVALID },
        { "salt without body", "--- body\n", "--- proof\n", ERR_INVALID },
        { "no proof section", "--- proof\n", "--- prove\n", ERR_INVALID },
        { "another proof format", "tlog-proof@v1", "tlog-proof@v2", ERR_INVALID },
        { "no index", "index 4\n", "", ERR_INVALID },
        { "index with a zero in front", "index 4", "index 04", ERR_INVALID },
        { "index that is no number", "index 4", "index x", ERR_INVALID },
        { "index with a sign", "index 4", "index -", ERR_INVALID },
        { "a line of a section that is too long", "--- salt\n",
          "--- "
          "salt\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
          "AAAAAAAAAAAAAAAAAAAAAAAA\n",
          ERR_INVALID },
        { "index of nothing", "index 4", "index ", ERR_INVALID },
        { "index out of bounds", "index 4", "index 99999999999999", ERR_INVALID },
        { "short hash", "index 4\n", "index 4\nAAAA\n", ERR_INVALID },
        { "hash of 33 bytes", "index 4\n",
          "index 4\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n", ERR_INVALID },
        { "hash that is not base64", "index 4\n",
          "index 4\n!AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", ERR_INVALID },
        { "one hash too many", "index 4\n",
          "index 4\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", ERR_INVALID },
        { "another entry", "index 4", "index 3", ERR_MISMATCH },
        { "an entry outside the log", "index 4", "index 11", ERR_INVALID },
        { "another size", "\n11\n", "\n12\n", ERR_SIGNATURE },
        { "another salt", "--- salt\nR", "--- salt\nS", ERR_MISMATCH },
        { "another header", "--- header\nAQ", "--- header\nAR", ERR_INVALID },
        { "another kind", "--- header\nAQEAE", "--- header\nAQEAF", ERR_MISMATCH },
    };
    struct buf text = text_of(feed, 4, true);
    assert_int_equal(verify_text(feed, buf_span(&text)), OK);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct buf other = replaced(&text, table[i].from, table[i].to);
        enum status status = verify_text(feed, buf_span(&other));
        if (status != table[i].status)
            fail_msg("%s: %s", table[i].what, status_name(status));
        buf_fini(&other);
    }
    buf_fini(&text);
}

static void evidence_refuses_every_cut(void **state)
{
    const struct log_feed *feed = *state;
    struct buf text = text_of(feed, 4, true);
    for (size_t size = 0; size < text.size; size++) {
        enum status status = verify_text(feed, span_of(text.data, size));
        /* Cut before its last line, the receipt is just a checkpoint: still true, and said so. */
        if (status == OK && !(size + 200 > text.size && text.data[size - 1] == '\n'))
            fail_msg("cut at %zu of %zu: %s", size, text.size, status_name(status));
    }
    buf_fini(&text);
}

static void evidence_refuses_what_is_too_large(void **state)
{
    const struct log_feed *feed = *state;
    struct buf text = text_of(feed, 4, true);
    char hashes[PROOF_HASHES_MAX + 2][46];
    char all[sizeof(hashes) + 16] = "index 4\n";
    for (size_t i = 0; i < PROOF_HASHES_MAX + 1; i++)
        strncat(all, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", 46);
    struct buf other = replaced(&text, "index 4\n", all);
    assert_int_equal(verify_text(feed, buf_span(&other)), ERR_LIMIT);
    assert_int_equal(buf_append_zeros(&text, EVIDENCE_MAX, NULL), OK);
    assert_int_equal(verify_text(feed, buf_span(&text)), ERR_LIMIT);
    buf_fini(&other);
    buf_fini(&text);
}

static void evidence_refuses_a_body_padded_otherwise(void **state)
{
    const struct log_feed *feed = *state;
    struct evidence evidence = log_feed_evidence(feed, 4, true);
    struct evidence_verdict verdict;
    struct buf body = BUF_INIT;
    assert_int_equal(buf_append(&body, evidence.body, NULL), OK);
    body.data[1000] = 1;
    evidence.body = buf_span(&body);
    assert_int_equal(evidence_verify(&evidence, &feed->log_public, NULL, &verdict, NULL),
                     ERR_MISMATCH);
    buf_fini(&body);
}

static void evidence_refuses_other_logs_and_keys(void **state)
{
    const struct log_feed *feed = *state;
    struct evidence evidence = log_feed_evidence(feed, 4, true);
    struct evidence_verdict verdict;
    struct error err = ERROR_INIT;
    assert_int_equal(evidence_verify(&evidence, &feed->receipt_public, NULL, &verdict, &err),
                     ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "evidence: "));
    static const char *const origins[] = { "example.com/log",
                                           "comity.v1/training/journal/KE/0000000000000001" };
    for (size_t i = 0; i < 2; i++) {
        struct checkpoint checkpoint = { span_text(origins[i]), LOG_FEED_SIZE, { { 0 } } };
        struct buf note = BUF_INIT;
        assert_int_equal(checkpoint_sign(&checkpoint, feed->log_key, &note, NULL), OK);
        evidence.note = buf_span(&note);
        assert_int_equal(evidence_verify(&evidence, &feed->log_public, NULL, &verdict, NULL),
                         ERR_INVALID);
        buf_fini(&note);
    }
}

static void verdict_says_what_is_proved_and_no_more(void **state)
{
    const struct log_feed *feed = *state;
    for (unsigned index = 0; index < LOG_FEED_SIZE; index++) {
        for (unsigned shown = 0; shown < 2; shown++) {
            struct buf text = text_of(feed, index, shown == 1);
            struct evidence evidence;
            struct evidence_verdict verdict;
            assert_int_equal(evidence_decode(buf_span(&text), &evidence, NULL), OK);
            assert_int_equal(evidence_verify(&evidence, &feed->log_public, &feed->receipt_public,
                                             &verdict, NULL),
                             OK);
            bool is_inline = index % 3 == 2;
            assert_true(verdict.receipted && verdict.receipt_time_s == 1772355700);
            assert_int_equal(verdict.shown, shown == 1 || is_inline);
            assert_string_equal(verdict.origin.subscriber.text, "UNODC");
            char want[64];
            snprintf(want, sizeof(want), "excerpt number %u", index);
            if (verdict.shown)
                assert_true(span_equal(verdict.content,
                                       is_inline ? SPAN_LITERAL("revoked") : span_text(want)));
            evidence_fini(&evidence);
            buf_fini(&text);
        }
    }
}

static void verdict_without_a_receipt_says_so(void **state)
{
    const struct log_feed *feed = *state;
    struct evidence evidence = log_feed_evidence(feed, 0, false);
    struct evidence_verdict verdict;
    evidence.note = buf_span(&feed->note);
    assert_int_equal(
        evidence_verify(&evidence, &feed->log_public, &feed->receipt_public, &verdict, NULL), OK);
    assert_false(verdict.receipted);
    evidence.note = buf_span(&feed->receipt);
    assert_int_equal(evidence_verify(&evidence, &feed->log_public, NULL, &verdict, NULL), OK);
    assert_false(verdict.receipted);
}

static void every_failed_allocation_is_reported_and_nothing_leaks(void **state)
{
    const struct log_feed *feed = *state;
    bool hit = true;
    for (uint64_t nth = 1; hit; nth++) {
        struct evidence evidence = log_feed_evidence(feed, 4, true);
        struct evidence decoded = { 0 };
        struct evidence_verdict verdict;
        struct buf text = BUF_INIT;
        int64_t live = mem_live();
        mem_fail_at(nth, false);
        enum status status = evidence_encode(&evidence, &text, NULL);
        if (status == OK)
            status = evidence_decode(buf_span(&text), &decoded, NULL);
        if (status == OK)
            status =
                evidence_verify(&decoded, &feed->log_public, &feed->receipt_public, &verdict, NULL);
        hit = mem_fail_hit();
        mem_fail_at(0, false);
        buf_fini(&text);
        evidence_fini(&decoded);
        evidence_fini(NULL);
        assert_int_equal(status == OK, !hit);
        assert_int_equal(mem_live(), live);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evidence_refuses_every_other_layout),
        cmocka_unit_test(evidence_refuses_every_cut),
        cmocka_unit_test(evidence_refuses_what_is_too_large),
        cmocka_unit_test(evidence_refuses_a_body_padded_otherwise),
        cmocka_unit_test(evidence_refuses_other_logs_and_keys),
        cmocka_unit_test(verdict_says_what_is_proved_and_no_more),
        cmocka_unit_test(verdict_without_a_receipt_says_so),
        cmocka_unit_test(every_failed_allocation_is_reported_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, log_feed_setup, log_feed_teardown);
}
