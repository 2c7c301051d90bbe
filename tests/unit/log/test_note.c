/* Signed notes, names of logs, checkpoints and cosignatures. */
#include "base/memory.h"
#include "log/checkpoint.h"
#include "log/origin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char NAME[] = "comity.v1/training/feed/KE/UNODC/0123456789abcdef";
static const char COSIGNER[] = "comity.v1/training/receipt/UNODC";

/* The published example of the note format (golang.org/x/mod/sumdb/note). */
static const char PETER_KEY[] = "GlzZBxQ8OExB6DDFvOEqqIF+xWSaqr8sMTiLNbLXRNY=";
static const char PETER_NOTE[] =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\xe2\x80\x94 PeterNeumann "
    "x08go/ZJkuBS9UG/"
    "SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

struct keys {
    struct private_key *log;
    struct private_key *receipt;
    struct public_key log_public;
    struct public_key receipt_public;
};

static int make_keys(void **state)
{
    static struct keys keys;
    static const uint8_t log_seed[32] = { 1 };
    static const uint8_t receipt_seed[32] = { 2 };
    if (private_key_of_seed(log_seed, &keys.log, NULL) != OK ||
        private_key_of_seed(receipt_seed, &keys.receipt, NULL) != OK ||
        private_key_public(keys.log, &keys.log_public, NULL) != OK ||
        private_key_public(keys.receipt, &keys.receipt_public, NULL) != OK)
        return -1;
    *state = &keys;
    return 0;
}

static int free_keys(void **state)
{
    struct keys *keys = *state;
    private_key_free(keys->log);
    private_key_free(keys->receipt);
    return 0;
}

static struct public_key peter_key(void)
{
    struct public_key key;
    struct buf bytes = BUF_INIT;
    assert_int_equal(base64_decode(span_text(PETER_KEY), &bytes, NULL), OK);
    memcpy(key.bytes, bytes.data, sizeof(key.bytes));
    buf_fini(&bytes);
    return key;
}

#define DASH "\xe2\x80\x94 "

struct bad_note {
    const char *why;
    const char *text;
    enum status status;
};

static void parse_refuses_what_is_not_a_note(void **state)
{
    (void)state;
    static const struct bad_note table[] = {
        { "empty", "", ERR_INVALID },
        { "no blank line", "text\n" DASH "a AAAAAAA=\n", ERR_INVALID },
        { "no signatures", "text\n\n", ERR_INVALID },
        { "no text", "\n\n" DASH "a AAAAAAA=\n", ERR_INVALID },
        { "text is one empty line", "\n\n\n" DASH "a AAAAAAA=\n", OK },
        { "tab in the text", "te\txt\n\n" DASH "a AAAAAAA=\n", ERR_INVALID },
        { "letter outside ASCII", "t\xc3\xa4xt\n\n" DASH "a AAAAAAA=\n", ERR_INVALID },
        { "hyphen for a dash", "text\n\n-   a AAAAAAA=\n", ERR_INVALID },
        { "dash alone", "text\n\n" DASH "\n", ERR_INVALID },
        { "no signature behind the name", "text\n\n" DASH "a\n", ERR_INVALID },
        { "name is empty", "text\n\n" DASH " AAAAAAA=\n", ERR_INVALID },
        { "plus in the name", "text\n\n" DASH "a+b AAAAAAA=\n", ERR_INVALID },
        { "letter outside ASCII in the name", "text\n\n" DASH "\xc3\xa4 AAAAAAA=\n", ERR_INVALID },
        { "no base64", "text\n\n" DASH "a AAA!AAA=\n", ERR_INVALID },
        { "two blanks", "text\n\n" DASH "a  AAAAAAA=\n", ERR_INVALID },
        { "nothing but a key id", "text\n\n" DASH "a AAAAAA==\n", ERR_INVALID },
        { "last line open", "text\n\n" DASH "a AAAAAAA=", ERR_INVALID },
        { "same key twice", "text\n\n" DASH "a AAAAAAA=\n" DASH "a AAAAAAE=\n", ERR_INVALID },
        { "two keys of one name", "text\n\n" DASH "a AAAAAAA=\n" DASH "a AAAAAQA=\n", OK },
        { "one key id under two names", "text\n\n" DASH "a AAAAAAA=\n" DASH "b AAAAAAA=\n", OK },
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct note note;
        struct error err = ERROR_INIT;
        enum status status = note_parse(span_text(table[i].text), &note, &err);
        if (status != table[i].status)
            fail_msg("%s: %s (%s)", table[i].why, status_name(status), err.text);
    }
}

static void parse_refuses_too_many_bytes_and_signatures(void **state)
{
    (void)state;
    struct buf bytes = BUF_INIT;
    struct note note;
    assert_int_equal(buf_append_text(&bytes, "text\n\n", NULL), OK);
    for (unsigned i = 0; i < NOTE_SIGNATURES_MAX; i++)
        assert_int_equal(buf_printf(&bytes, NULL, DASH "key%u AAAAAAA=\n", i), OK);
    assert_int_equal(note_parse(buf_span(&bytes), &note, NULL), OK);
    assert_int_equal(note.signature_count, NOTE_SIGNATURES_MAX);
    assert_int_equal(buf_append_text(&bytes, DASH "more AAAAAAA=\n", NULL), OK);
    assert_int_equal(note_parse(buf_span(&bytes), &note, NULL), ERR_LIMIT);
    assert_int_equal(buf_append_zeros(&bytes, NOTE_MAX, NULL), OK);
    assert_int_equal(note_parse(buf_span(&bytes), &note, NULL), ERR_LIMIT);
    buf_fini(&bytes);
}

static void the_published_example_verifies_and_its_variations_do_not(void **state)
{
    (void)state;
    struct public_key key = peter_key();
    struct note note;
    struct buf bytes = BUF_INIT;
    assert_int_equal(buf_append_text(&bytes, PETER_NOTE, NULL), OK);
    assert_int_equal(note_parse(buf_span(&bytes), &note, NULL), OK);
    assert_int_equal(note_verify(&note, SPAN_LITERAL("PeterNeumann"), &key, NULL), OK);
    assert_int_equal(note_verify(&note, SPAN_LITERAL("Peter"), &key, NULL), ERR_NOT_FOUND);
    uint64_t time_s = 0;
    assert_int_equal(
        note_verify_cosignature(&note, SPAN_LITERAL("PeterNeumann"), &key, &time_s, NULL),
        ERR_NOT_FOUND);
    assert_int_equal(
        note_cosignature_time(&note, SPAN_LITERAL("PeterNeumann"), &key, &time_s, NULL),
        ERR_NOT_FOUND);
    assert_int_equal(time_s, 0);
    bytes.data[0] = 'i';
    assert_int_equal(note_verify(&note, SPAN_LITERAL("PeterNeumann"), &key, NULL), ERR_SIGNATURE);
    key.bytes[0] ^= 1;
    assert_int_equal(note_verify(&note, SPAN_LITERAL("PeterNeumann"), &key, NULL), ERR_NOT_FOUND);
    buf_fini(&bytes);
}

static void signatures_of_a_wrong_length_do_not_verify(void **state)
{
    struct keys *keys = *state;
    struct buf bytes = BUF_INIT;
    struct note note;
    uint8_t line[7] = { 0 };
    assert_int_equal(note_key_id(SPAN_LITERAL("a"), NOTE_ED25519, &keys->log_public, line, NULL),
                     OK);
    assert_int_equal(buf_append_text(&bytes, "text\n\n" DASH "a ", NULL), OK);
    assert_int_equal(base64_encode(SPAN_ARRAY(line), &bytes, NULL), OK);
    assert_int_equal(buf_append_text(&bytes, "\n", NULL), OK);
    assert_int_equal(note_parse(buf_span(&bytes), &note, NULL), OK);
    assert_int_equal(note_verify(&note, SPAN_LITERAL("a"), &keys->log_public, NULL), ERR_SIGNATURE);
    buf_fini(&bytes);
}

static void sign_refuses_text_that_no_parser_would_take(void **state)
{
    struct keys *keys = *state;
    struct buf bytes = BUF_INIT;
    const struct span good = SPAN_LITERAL("text\n");
    assert_int_equal(note_sign(SPAN_LITERAL("text"), good, keys->log, &bytes, NULL), ERR_INVALID);
    assert_int_equal(note_sign(SPAN_LITERAL("\n"), SPAN_LITERAL("a"), keys->log, &bytes, NULL),
                     ERR_INVALID);
    assert_int_equal(note_sign(SPAN_LITERAL("t\t\n"), SPAN_LITERAL("a"), keys->log, &bytes, NULL),
                     ERR_INVALID);
    assert_int_equal(note_sign(good, SPAN_LITERAL("a b"), keys->log, &bytes, NULL), ERR_INVALID);
    assert_int_equal(note_cosign(good, SPAN_LITERAL(""), keys->log, 1, &bytes, NULL), ERR_INVALID);
    assert_int_equal(bytes.size, 0);
    buf_fini(&bytes);
}

/* -- origins ----------------------------------------------------------------------------------- */

static void origin_refuses_every_other_spelling(void **state)
{
    (void)state;
    static const char *const table[] = {
        "",
        "comity.v1",
        "comity.v2/training/feed/KE/UNODC/0123456789abcdef",
        "comity.v1/Training/feed/KE/UNODC/0123456789abcdef",
        "comity.v1/training/food/KE/UNODC/0123456789abcdef",
        "comity.v1/training/feed/ke/UNODC/0123456789abcdef",
        "comity.v1/training/feed/KE/unodc/0123456789abcdef",
        "comity.v1/training/feed/KE/UNODC/0123456789ABCDEF",
        "comity.v1/training/feed/KE/UNODC/0123456789abcde",
        "comity.v1/training/feed/KE/UNODC/0123456789abcdeg",
        "comity.v1/training/feed/KE/UNODC/0123456789abcdef/",
        "comity.v1/training/feed/KE/UNODC/0123456789abcdef/KE/UNODC",
        "comity.v1/training/feed/KE/0123456789abcdef",
        "comity.v1/training/journal/KE/UNODC/0123456789abcdef",
        "comity.v1/training/receipt/KE/0123456789abcdef",
        "comity.v1/training-of-a-realm-that-is-too-long/receipt/KE",
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct origin origin;
        if (origin_parse(span_text(table[i]), &origin, NULL) != ERR_INVALID)
            fail_msg("taken: %s", table[i]);
    }
    struct origin origin;
    assert_int_equal(origin_parse(SPAN_LITERAL("comity.v1/training/receipt/KE\0"), &origin, NULL),
                     ERR_INVALID);
}

static void origins_come_back_as_they_were_written(void **state)
{
    (void)state;
    struct realm realm = { "training" };
    struct code ke = { "KE" };
    struct code un = { "UNODC" };
    char texts[4][ORIGIN_TEXT_SIZE];
    origin_feed(&realm, &ke, &un, 0x0123456789abcdef, texts[ORIGIN_FEED]);
    origin_journal(&realm, &ke, 7, texts[ORIGIN_JOURNAL]);
    origin_receipt(&realm, &un, texts[ORIGIN_RECEIPT]);
    origin_witness(&realm, &un, texts[ORIGIN_WITNESS]);
    assert_string_equal(texts[ORIGIN_FEED], NAME);
    assert_string_equal(texts[ORIGIN_RECEIPT], COSIGNER);
    assert_string_equal(texts[ORIGIN_JOURNAL], "comity.v1/training/journal/KE/0000000000000007");
    assert_string_equal(texts[ORIGIN_WITNESS], "comity.v1/training/witness/UNODC");
    for (unsigned i = 0; i < 4; i++) {
        struct origin origin;
        char again[ORIGIN_TEXT_SIZE];
        assert_int_equal(origin_parse(span_text(texts[i]), &origin, NULL), OK);
        assert_int_equal(origin.kind, i);
        origin_format(&origin, again);
        assert_string_equal(again, texts[i]);
    }
}

/* -- checkpoints ------------------------------------------------------------------------------- */

#define ROOT "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static void checkpoint_refuses_every_other_text(void **state)
{
    (void)state;
    static const char *const table[] = {
        "",
        "origin\n",
        "origin\n1\n",
        "origin\n1\n" ROOT,
        "origin\n1\n" ROOT "\nextension\n",
        "\n1\n" ROOT "\n",
        "or igin\n1\n" ROOT "\n",
        "or\x14igin\n1\n" ROOT "\n",
        "or\x7figin\n1\n" ROOT "\n",
        "origin\n\n" ROOT "\n",
        "origin\n01\n" ROOT "\n",
        "origin\n-1\n" ROOT "\n",
        "origin\n1a\n" ROOT "\n",
        "origin\n9999999999999\n" ROOT "\n",
        "origin\n99999999999999\n" ROOT "\n",
        "origin\n1\nAAAA\n",
        "origin\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
        "origin\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n",
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct checkpoint checkpoint;
        if (checkpoint_decode(span_text(table[i]), &checkpoint, NULL) != ERR_INVALID)
            fail_msg("taken: %s", table[i]);
    }
}

static struct checkpoint example_checkpoint(void)
{
    struct checkpoint checkpoint = { .origin = SPAN_LITERAL(NAME), .size = 42 };
    memset(checkpoint.root.bytes, 9, DIGEST_SIZE);
    return checkpoint;
}

static struct buf example_receipt(const struct keys *keys)
{
    struct checkpoint checkpoint = example_checkpoint();
    struct buf note = BUF_INIT;
    struct buf receipt = BUF_INIT;
    assert_int_equal(checkpoint_sign(&checkpoint, keys->log, &note, NULL), OK);
    assert_int_equal(
        checkpoint_cosign(buf_span(&note), COSIGNER, keys->receipt, 1772355600, &receipt, NULL),
        OK);
    buf_fini(&note);
    return receipt;
}

static void open_refuses_another_log_another_key_and_changed_text(void **state)
{
    struct keys *keys = *state;
    struct buf note = example_receipt(keys);
    struct checkpoint checkpoint;
    uint64_t time_s = 0;
    struct span bytes = buf_span(&note);
    assert_int_equal(
        checkpoint_open(bytes, SPAN_LITERAL("other"), &keys->log_public, &checkpoint, NULL),
        ERR_MISMATCH);
    assert_int_equal(checkpoint_open(bytes, SPAN_EMPTY, &keys->receipt_public, &checkpoint, NULL),
                     ERR_NOT_FOUND);
    assert_int_equal(checkpoint_open_receipt(bytes, SPAN_EMPTY, &keys->log_public, COSIGNER,
                                             &keys->log_public, &checkpoint, &time_s, NULL),
                     ERR_NOT_FOUND);
    assert_int_equal(
        checkpoint_open(SPAN_LITERAL("text\n"), SPAN_EMPTY, &keys->log_public, &checkpoint, NULL),
        ERR_INVALID);
    assert_int_equal(
        checkpoint_open(span_text(PETER_NOTE), SPAN_EMPTY, &keys->log_public, &checkpoint, NULL),
        ERR_INVALID);
    note.data[sizeof(NAME)] = '5'; /* the size: 52 for 42 */
    assert_int_equal(checkpoint_open(bytes, SPAN_EMPTY, &keys->log_public, &checkpoint, NULL),
                     ERR_SIGNATURE);
    assert_int_equal(checkpoint_open_receipt(bytes, SPAN_EMPTY, &keys->log_public, COSIGNER,
                                             &keys->receipt_public, &checkpoint, &time_s, NULL),
                     ERR_SIGNATURE);
    buf_fini(&note);
    assert_int_equal(
        checkpoint_cosign(SPAN_LITERAL("text"), COSIGNER, keys->receipt, 1, &note, NULL),
        ERR_INVALID);
}

static void cosignature_binds_its_time(void **state)
{
    struct keys *keys = *state;
    struct checkpoint checkpoint = example_checkpoint();
    struct buf text = BUF_INIT;
    struct buf line = BUF_INIT;
    struct buf bytes = BUF_INIT;
    struct buf all = BUF_INIT;
    uint64_t time_s = 0;
    assert_int_equal(checkpoint_encode(&checkpoint, &text, NULL), OK);
    assert_int_equal(
        note_cosign(buf_span(&text), SPAN_LITERAL(COSIGNER), keys->receipt, 5, &line, NULL), OK);
    size_t prefix = strlen(DASH) + strlen(COSIGNER) + 1;
    struct span base64 = span_slice(buf_span(&line), prefix, line.size - prefix - 1);
    assert_int_equal(base64_decode(base64, &bytes, NULL), OK);
    for (unsigned changed = 0; changed < 2; changed++) {
        bytes.data[11] = (uint8_t)(5 + changed);
        buf_clear(&all);
        assert_int_equal(buf_append(&all, buf_span(&text), NULL), OK);
        assert_int_equal(buf_printf(&all, NULL, "\n" DASH "%s ", COSIGNER), OK);
        assert_int_equal(base64_encode(buf_span(&bytes), &all, NULL), OK);
        assert_int_equal(buf_append_text(&all, "\n", NULL), OK);
        struct note note;
        assert_int_equal(note_parse(buf_span(&all), &note, NULL), OK);
        assert_int_equal(note_verify_cosignature(&note, SPAN_LITERAL(COSIGNER),
                                                 &keys->receipt_public, &time_s, NULL),
                         changed == 0 ? OK : ERR_SIGNATURE);
    }
    assert_true(time_s == 5);
    buf_fini(&all);
    buf_fini(&bytes);
    buf_fini(&line);
    buf_fini(&text);
}

static void what_is_kept_of_a_receipt_is_the_line_of_its_log(void **state)
{
    struct keys *keys = *state;
    struct checkpoint checkpoint = example_checkpoint();
    struct buf signed_note = BUF_INIT;
    struct buf receipt = BUF_INIT;
    struct buf kept = BUF_INIT;
    struct note note;
    assert_int_equal(checkpoint_sign(&checkpoint, keys->log, &signed_note, NULL), OK);
    assert_int_equal(
        checkpoint_cosign(buf_span(&signed_note), COSIGNER, keys->receipt, 5, &receipt, NULL), OK);
    assert_int_equal(note_parse(buf_span(&receipt), &note, NULL), OK);
    assert_int_equal(note_keep(&note, checkpoint.origin, &kept, NULL), OK);
    assert_true(span_equal(buf_span(&kept), buf_span(&signed_note)));
    buf_fini(&kept);
    bool hit = true;
    for (uint64_t nth = 1; hit; nth++) {
        mem_fail_at(nth, false);
        enum status status = note_keep(&note, checkpoint.origin, &kept, NULL);
        hit = mem_fail_hit();
        mem_fail_at(0, false);
        assert_int_equal(status, hit ? ERR_MEMORY : OK);
        assert_true(hit || span_equal(buf_span(&kept), buf_span(&signed_note)));
        buf_fini(&kept);
    }
    buf_fini(&receipt);
    buf_fini(&signed_note);
}

static void receipt_opens_with_both_keys(void **state)
{
    struct keys *keys = *state;
    struct buf note = example_receipt(keys);
    struct buf again = example_receipt(keys);
    struct checkpoint want = example_checkpoint();
    struct checkpoint got;
    uint64_t time_s = 0;
    assert_true(span_equal(buf_span(&note), buf_span(&again))); /* deterministic */
    assert_int_equal(checkpoint_open(buf_span(&note), want.origin, &keys->log_public, &got, NULL),
                     OK);
    assert_int_equal(checkpoint_open_receipt(buf_span(&note), want.origin, &keys->log_public,
                                             COSIGNER, &keys->receipt_public, &got, &time_s, NULL),
                     OK);
    assert_true(span_equal(got.origin, want.origin));
    assert_true(got.size == 42 && time_s == 1772355600);
    assert_memory_equal(&got.root, &want.root, sizeof(got.root));
    buf_fini(&again);
    buf_fini(&note);
}

static void every_failed_allocation_is_reported_and_nothing_leaks(void **state)
{
    struct keys *keys = *state;
    struct checkpoint checkpoint = example_checkpoint();
    (void)example_checkpoint();
    bool hit = true;
    for (uint64_t nth = 1; hit; nth++) {
        struct buf note = BUF_INIT;
        struct buf receipt = BUF_INIT;
        struct checkpoint opened;
        uint64_t time_s = 0;
        int64_t live = mem_live();
        mem_fail_at(nth, false);
        enum status status = checkpoint_sign(&checkpoint, keys->log, &note, NULL);
        if (status == OK)
            status = checkpoint_cosign(buf_span(&note), COSIGNER, keys->receipt, 1, &receipt, NULL);
        if (status == OK) {
            status =
                checkpoint_open_receipt(buf_span(&receipt), SPAN_EMPTY, &keys->log_public, COSIGNER,
                                        &keys->receipt_public, &opened, &time_s, NULL);
        }
        hit = mem_fail_hit();
        mem_fail_at(0, false);
        buf_fini(&note);
        buf_fini(&receipt);
        assert_int_equal(status, hit ? ERR_MEMORY : OK);
        assert_int_equal(mem_live(), live);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_refuses_what_is_not_a_note),
        cmocka_unit_test(parse_refuses_too_many_bytes_and_signatures),
        cmocka_unit_test(the_published_example_verifies_and_its_variations_do_not),
        cmocka_unit_test(signatures_of_a_wrong_length_do_not_verify),
        cmocka_unit_test(sign_refuses_text_that_no_parser_would_take),
        cmocka_unit_test(origin_refuses_every_other_spelling),
        cmocka_unit_test(origins_come_back_as_they_were_written),
        cmocka_unit_test(checkpoint_refuses_every_other_text),
        cmocka_unit_test(open_refuses_another_log_another_key_and_changed_text),
        cmocka_unit_test(cosignature_binds_its_time),
        cmocka_unit_test(what_is_kept_of_a_receipt_is_the_line_of_its_log),
        cmocka_unit_test(receipt_opens_with_both_keys),
        cmocka_unit_test(every_failed_allocation_is_reported_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
