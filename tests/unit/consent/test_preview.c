#include "consent/preview.h"

#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { RECORDS = 3, RECIPIENTS = 2 };

struct made {
    struct terms terms;
    struct preview_record records[RECORDS];
    struct preview_recipient recipients[RECIPIENTS];
    uint32_t holds[RECORDS];
    struct preview preview;
};

static void make(struct made *made)
{
    memset(made, 0, sizeof(*made));
    made->terms.purpose = PURPOSE_PEER_REVIEW;
    made->terms.form = TERMS_EXACT;
    made->terms.valid_until_ms = 5000;
    for (int i = 0; i < RECORDS; i++) {
        made->records[i] = (struct preview_record){
            .id = { { (uint8_t)(i + 1) } },
            .version = 1,
            .kind = SPAN_LITERAL("answer"),
            .title = SPAN_LITERAL("Extradition of nationals"),
            .size = 100,
            .digest = { { (uint8_t)i } },
        };
    }
    made->holds[1] = 1;
    made->recipients[0] =
        (struct preview_recipient){ { "GB" }, SPAN_LITERAL("United Kingdom"), { { 0xaa } }, NULL };
    made->recipients[1] = (struct preview_recipient){
        { "UNODC" },
        SPAN_LITERAL("Secretariat"),
        { { 0xbb } },
        made->holds,
    };
    made->preview = (struct preview){
        .consent_id = { { 9 } },
        .nonce = { 1, 2, 3 },
        .publisher = { "KE" },
        .realm = { "training" },
        .terms = &made->terms,
        .records = made->records,
        .record_count = RECORDS,
        .recipients = made->recipients,
        .recipient_count = RECIPIENTS,
    };
}

static struct buf encoded(const struct made *made)
{
    struct buf bytes = BUF_INIT_SECRET;
    struct error err = ERROR_INIT;
    assert_int_equal(preview_encode(&made->preview, &bytes, &err), OK);
    return bytes;
}

static void spoil(struct made *made, int how)
{
    static char long_text[TITLE_MAX + 1];
    memset(long_text, 'x', sizeof(long_text));
    switch (how) {
    case 0:
        made->preview.record_count = 0;
        break;
    case 1:
        made->preview.recipient_count = 0;
        break;
    case 2:
        made->preview.record_count = CONSENT_RECORDS_MAX + 1;
        break;
    case 3:
        made->preview.recipient_count = CONSENT_RECIPIENTS_MAX + 1;
        break;
    case 4:
        made->records[1].id = made->records[0].id;
        break;
    case 5:
        made->records[2].id.bytes[0] = 0;
        break;
    case 6:
        made->recipients[1].code = made->recipients[0].code;
        break;
    case 7:
        made->recipients[1].code = (struct code){ "AU" };
        break;
    case 8:
        made->records[1].kind = span_of(long_text, PREVIEW_KIND_MAX + 1);
        break;
    case 9:
        made->records[1].title = span_of(long_text, TITLE_MAX + 1);
        break;
    case 10:
        made->recipients[1].name = span_of(long_text, NAME_MAX_BYTES + 1);
        break;
    case 11:
        made->records[0].title = SPAN_LITERAL("\x1b[2J");
        break;
    case 12:
        made->records[0].kind = SPAN_LITERAL("\xff");
        break;
    default:
        made->recipients[0].name = SPAN_LITERAL("a\nb");
        break;
    }
}

static void a_preview_that_is_not_canonical_is_refused(void **state)
{
    (void)state;
    static const char *const says[] = {
        "no record",    "no recipient",  "records > ",      "recipients > ", "out of order",
        "out of order", "recipient GB",  "recipient AU",    "too long",      "too long",
        "too long",     "title: U+001B", "kind: not UTF-8", "name: U+000A",
    };
    for (int how = 0; how < (int)(sizeof(says) / sizeof(says[0])); how++) {
        struct made made;
        struct buf bytes = BUF_INIT;
        struct error err = ERROR_INIT;
        make(&made);
        spoil(&made, how);
        assert_int_equal(buf_append_text(&bytes, "before", &err), OK);
        assert_int_not_equal(preview_encode(&made.preview, &bytes, &err), OK);
        assert_non_null(strstr(err.text, says[how]));
        assert_int_equal(bytes.size, 6);
        buf_fini(&bytes);
    }
}

static void the_same_consent_gives_the_same_bytes_and_any_change_others(void **state)
{
    (void)state;
    struct made made;
    make(&made);
    struct buf first = encoded(&made);
    struct buf again = encoded(&made);
    assert_true(span_equal(buf_span(&first), buf_span(&again)));
    buf_fini(&again);
    made.preview.nonce[15] ^= 1;
    again = encoded(&made);
    assert_false(span_equal(buf_span(&first), buf_span(&again)));
    buf_fini(&again);
    buf_fini(&first);
}

static void alter(struct made *made, int how)
{
    switch (how) {
    case 0:
        made->records[1].version = 2;
        break;
    case 1:
        made->records[1].digest.bytes[31] = 1;
        break;
    case 2:
        made->records[1].size = 101;
        break;
    case 3:
        made->records[1].title = SPAN_LITERAL("Another");
        break;
    case 4:
        made->records[1].kind = SPAN_LITERAL("measure");
        break;
    case 5:
        made->recipients[0].anchor.bytes[0] = 0;
        break;
    case 6:
        made->recipients[0].name = SPAN_LITERAL("UK");
        break;
    case 7:
        made->holds[1] = 2;
        break;
    case 8:
        made->terms.valid_until_ms++;
        break;
    case 9:
        made->preview.consent_id.bytes[0] = 8;
        break;
    case 10:
        made->preview.record_count = 2;
        break;
    case 11:
        made->preview.recipient_count = 1;
        break;
    case 12:
        made->records[1].id.bytes[1] = 1;
        break; /* one gone, one new */
    default:
        made->recipients[0].code = (struct code){ "AU" };
        break;
    }
}

static void a_comparison_says_what_is_different(void **state)
{
    (void)state;
    static const struct {
        size_t count;
        const char *there, *back; /* comparing former to now, and now to former */
    } cases[] = {
        { 1, ": version 2 instead of 1\n", ": version 1 instead of 2\n" },
        { 1, ": its content is not the same", "content" },
        { 1, ": its content is not the same", "content" },
        { 1, ": its kind or title", "kind or title" },
        { 1, ": its kind or title", "kind or title" },
        { 1, "recipient GB: its anchor", "recipient GB: its anchor" },
        { 1, "recipient GB: its name", "name" },
        { 1, "recipient UNODC: what it holds already", "holds already" },
        { 1, "the terms are not the same", "terms" },
        { 1, "another consent", "another consent" },
        { 1, ": no longer there", ": new\n" },
        { 1, "recipient UNODC: no longer there", "recipient UNODC: new" },
        { 2, ": new\n", ": no longer there" },
        { 2, "recipient AU: new", "recipient GB: new" },
    };
    for (int how = 0; how < (int)(sizeof(cases) / sizeof(cases[0])); how++) {
        struct made made;
        struct error err = ERROR_INIT;
        make(&made);
        struct buf former = encoded(&made);
        alter(&made, how);
        struct buf now = encoded(&made);
        for (int back = 0; back < 2; back++) {
            struct buf lines = BUF_INIT;
            size_t count = 99;
            assert_int_equal(preview_compare(buf_span(back ? &now : &former),
                                             buf_span(back ? &former : &now), &lines, &count, &err),
                             OK);
            assert_int_equal(buf_terminate(&lines, &err), OK);
            assert_int_equal(count, cases[how].count);
            assert_non_null(
                strstr((const char *)lines.data, back ? cases[how].back : cases[how].there));
            buf_fini(&lines);
        }
        buf_fini(&former);
        buf_fini(&now);
    }
}

static void damaged_previews_are_refused_at_every_cut(void **state)
{
    (void)state;
    struct made made;
    make(&made);
    struct buf whole = encoded(&made);
    struct error err = ERROR_INIT;
    size_t count = 7;
    for (size_t size = 0; size < whole.size; size++) {
        struct buf lines = BUF_INIT;
        struct span cut = span_of(whole.data, size);
        assert_int_equal(preview_compare(cut, buf_span(&whole), &lines, &count, &err), ERR_CORRUPT);
        assert_int_equal(preview_compare(buf_span(&whole), cut, &lines, &count, &err), ERR_CORRUPT);
        buf_fini(&lines);
    }
    assert_int_equal(count, 7);
    for (size_t at = 0; at < whole.size; at++) { /* any byte wrong: an answer, no crash */
        struct buf lines = BUF_INIT;
        uint8_t was = whole.data[at];
        whole.data[at] = 0xff;
        enum status got = preview_compare(buf_span(&whole), buf_span(&whole), &lines, &count, &err);
        assert_true(got == OK || got == ERR_CORRUPT);
        whole.data[at] = was;
        buf_fini(&lines);
    }
    buf_fini(&whole);
}

static void ten_thousand_records_take_less_than_two_seconds(void **state)
{
    (void)state;
    enum { MANY = 10000 };
    struct made made;
    make(&made);
    struct preview_record *records = mem_calloc(MANY, sizeof(*records));
    assert_non_null(records);
    for (uint32_t i = 0; i < MANY; i++) {
        records[i] = made.records[0];
        records[i].id.bytes[4] = (uint8_t)(i >> 8);
        records[i].id.bytes[5] = (uint8_t)i;
    }
    made.preview.records = records;
    made.preview.record_count = MANY;
    made.recipients[1].holds = NULL;
    clock_t start = clock();
    struct buf former = encoded(&made);
    for (uint32_t i = 0; i < MANY; i++)
        records[i].version = 2;
    struct buf now = encoded(&made);
    struct buf lines = BUF_INIT;
    struct error err = ERROR_INIT;
    size_t count = 0;
    assert_int_equal(preview_compare(buf_span(&former), buf_span(&now), &lines, &count, &err), OK);
    assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 2.0);
    assert_int_equal(count, MANY);
    assert_int_equal(buf_terminate(&lines, &err), OK);
    assert_non_null(strstr((const char *)lines.data, "and 9950 more changes\n"));
    buf_fini(&lines);
    buf_fini(&former);
    buf_fini(&now);
    mem_free(records);
}

static void a_preview_that_no_blob_could_hold_is_refused(void **state)
{
    (void)state;
    static char title[TITLE_MAX];
    struct made made;
    make(&made);
    memset(title, 't', sizeof(title));
    struct preview_record *records = mem_calloc(CONSENT_RECORDS_MAX, sizeof(*records));
    assert_non_null(records);
    for (uint32_t i = 0; i < CONSENT_RECORDS_MAX; i++) {
        records[i] = made.records[0];
        records[i].title = span_of(title, sizeof(title));
        for (int at = 0; at < 4; at++)
            records[i].id.bytes[at] = (uint8_t)(i >> (24 - 8 * at));
    }
    made.preview.records = records;
    made.preview.record_count = CONSENT_RECORDS_MAX;
    made.preview.recipient_count = 1; /* holds nothing */
    struct buf bytes = BUF_INIT;
    struct error err = ERROR_INIT;
    assert_int_equal(preview_encode(&made.preview, &bytes, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "make several consents"));
    assert_int_equal(bytes.size, 0);
    buf_fini(&bytes);
    mem_free(records);
}

/* Whatever an excerpt may be called (record/excerpt.h) can be approved under that title. */
static void a_title_in_arabic_with_its_marks_stands_in_a_preview(void **state)
{
    (void)state;
    struct made made;
    make(&made);
    made.records[0].title = SPAN_LITERAL("\xd8\xaa\xd8\xb3\xd9\x84\xd9\x8a\xd9\x85\xe2\x80\x8f");
    struct buf bytes = encoded(&made);
    buf_fini(&bytes);
}

static void a_failed_allocation_is_reported_and_leaves_the_buffer_as_it_was(void **state)
{
    (void)state;
    struct made made;
    make(&made);
    struct buf former = encoded(&made);
    made.records[0].version = 2;
    struct buf now = encoded(&made);
    int64_t live = mem_live();
    struct error err = ERROR_INIT;
    bool done = false;
    for (uint64_t nth = 1; !done; nth++) {
        struct buf bytes = BUF_INIT, lines = BUF_INIT;
        size_t count = 0;
        mem_fail_at(nth, false);
        enum status encode = preview_encode(&made.preview, &bytes, &err);
        enum status compare =
            preview_compare(buf_span(&former), buf_span(&now), &lines, &count, &err);
        done = !mem_fail_hit();
        mem_fail_at(0, false);
        assert_true(done == (encode == OK && compare == OK));
        assert_true(encode == OK || (encode == ERR_MEMORY && bytes.size == 0));
        assert_true(compare == OK || compare == ERR_MEMORY);
        buf_fini(&bytes);
        buf_fini(&lines);
        assert_int_equal(mem_live(), live);
    }
    buf_fini(&former);
    buf_fini(&now);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_preview_that_is_not_canonical_is_refused),
        cmocka_unit_test(the_same_consent_gives_the_same_bytes_and_any_change_others),
        cmocka_unit_test(a_comparison_says_what_is_different),
        cmocka_unit_test(damaged_previews_are_refused_at_every_cut),
        cmocka_unit_test(ten_thousand_records_take_less_than_two_seconds),
        cmocka_unit_test(a_title_in_arabic_with_its_marks_stands_in_a_preview),
        cmocka_unit_test(a_preview_that_no_blob_could_hold_is_refused),
        cmocka_unit_test(a_failed_allocation_is_reported_and_leaves_the_buffer_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
