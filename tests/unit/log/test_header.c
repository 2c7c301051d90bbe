/* Entry headers: what is refused, what is kept, how bodies are padded, what a commitment binds. */
#include "base/memory.h"
#include "log/header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct entry_header sealed_header(void)
{
    struct entry_header header = { .critical = true,
                                   .kind = KIND_EXCERPT,
                                   .time_ms = 1772355600000,
                                   .record_version = 3,
                                   .form = FORM_EXACT,
                                   .body_format = BODY_EXCERPT,
                                   .body_size = 2048 };
    memset(header.entry_id.bytes, 1, ID_SIZE);
    memset(header.consent_id.bytes, 3, ID_SIZE);
    memset(header.subject_id.bytes, 4, ID_SIZE);
    memset(header.commitment.bytes, 5, DIGEST_SIZE);
    return header;
}

static struct entry_header inline_header(void)
{
    struct entry_header header = { .has_inline = true,
                                   .kind = KIND_WITHDRAWN,
                                   .time_ms = 1,
                                   .inline_body = SPAN_LITERAL("reason") };
    memset(header.in_reply_to.bytes, 2, ID_SIZE);
    return header;
}

static struct buf encoded(const struct entry_header *header)
{
    struct buf bytes = BUF_INIT;
    assert_int_equal(header_encode(header, &bytes, NULL), OK);
    return bytes;
}

struct spoiled_byte {
    const char *what;
    size_t at;
    uint8_t value;
    enum status status;
};

static void header_refuses_what_breaks_the_layout(void **state)
{
    (void)state;
    static const struct spoiled_byte table[] = {
        { "version 2", 0, 2, ERR_INVALID },
        { "unknown flag", 1, 4, ERR_INVALID },
        { "inline flag over a sealed body", 1, 2, ERR_INVALID },
        { "time before 1970", 36, 0x80, ERR_INVALID },
        { "inline size without bytes", 83, 1, ERR_INVALID },
        { "body larger than allowed", 84, 1, ERR_LIMIT },
    };
    struct entry_header header = sealed_header();
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct buf bytes = encoded(&header);
        bytes.data[table[i].at] = table[i].value;
        struct entry_header decoded;
        struct error err = ERROR_INIT;
        if (header_decode(buf_span(&bytes), &decoded, &err) != table[i].status)
            fail_msg("%s: %s", table[i].what, err.text);
        buf_fini(&bytes);
    }
}

static void header_refuses_every_shorter_and_longer_length(void **state)
{
    (void)state;
    struct entry_header header = inline_header();
    struct buf bytes = encoded(&header);
    struct entry_header decoded;
    for (size_t size = 0; size < bytes.size; size++)
        assert_int_equal(header_decode(span_of(bytes.data, size), &decoded, NULL), ERR_INVALID);
    assert_int_equal(buf_append_zeros(&bytes, 1, NULL), OK);
    assert_int_equal(header_decode(buf_span(&bytes), &decoded, NULL), ERR_INVALID);
    buf_fini(&bytes);
}

static void header_refuses_inline_bytes_without_their_flag(void **state)
{
    (void)state;
    struct entry_header header = inline_header();
    struct buf bytes = encoded(&header);
    struct entry_header decoded;
    bytes.data[1] = 0;
    assert_int_equal(header_decode(buf_span(&bytes), &decoded, NULL), ERR_INVALID);
    buf_fini(&bytes);
}

static void header_refuses_to_write_what_it_would_not_read(void **state)
{
    (void)state;
    static const uint8_t large[ENTRY_INLINE_MAX + 1];
    struct buf bytes = BUF_INIT;
    struct entry_header header = inline_header();
    header.inline_body = SPAN_ARRAY(large);
    assert_int_equal(header_encode(&header, &bytes, NULL), ERR_LIMIT);
    header = inline_header();
    header.body_size = 1024;
    assert_int_equal(header_encode(&header, &bytes, NULL), ERR_INVALID);
    header = inline_header();
    header.commitment.bytes[31] = 1;
    assert_int_equal(header_encode(&header, &bytes, NULL), ERR_INVALID);
    header = sealed_header();
    header.body_size = ENTRY_BODY_MAX + 1;
    assert_int_equal(header_encode(&header, &bytes, NULL), ERR_LIMIT);
    assert_int_equal(bytes.size, 0);
    mem_fail_at(1, false);
    header = sealed_header();
    assert_int_equal(header_encode(&header, &bytes, NULL), ERR_MEMORY);
    mem_fail_at(0, false);
    buf_fini(&bytes);
}

static void header_comes_back_as_it_was_written(void **state)
{
    (void)state;
    struct entry_header headers[] = { sealed_header(), inline_header() };
    for (size_t i = 0; i < 2; i++) {
        struct buf bytes = encoded(&headers[i]);
        struct entry_header decoded;
        assert_int_equal(bytes.size, HEADER_FIXED_SIZE + headers[i].inline_body.size);
        assert_int_equal(header_decode(buf_span(&bytes), &decoded, NULL), OK);
        assert_true(span_equal(decoded.inline_body, headers[i].inline_body));
        struct buf again = encoded(&decoded);
        assert_true(span_equal(buf_span(&bytes), buf_span(&again)));
        buf_fini(&again);
        buf_fini(&bytes);
    }
}

static void header_keeps_kinds_it_does_not_know(void **state)
{
    (void)state;
    struct entry_header header = sealed_header();
    header.kind = 4711;
    struct buf bytes = encoded(&header);
    struct entry_header decoded;
    assert_int_equal(header_decode(buf_span(&bytes), &decoded, NULL), OK);
    assert_int_equal(decoded.kind, 4711);
    assert_true(decoded.critical);
    assert_false(header_kind_is_known(4711));
    assert_string_equal(header_kind_name(4711), "UNKNOWN");
    assert_true(header_kind_is_known(KIND_RESTORED));
    assert_string_equal(header_kind_name(KIND_WITHDRAWN), "WITHDRAWN");
    assert_string_equal(header_kind_word(KIND_CONSENT_GIVEN), "consent-given");
    assert_string_equal(header_kind_word(4711), "unknown");
    buf_fini(&bytes);
}

static void padding_hides_the_size_of_small_answers(void **state)
{
    (void)state;
    uint32_t yes = header_padded_size(KIND_EXCERPT, 3);
    for (uint32_t size = 0; size <= 1020; size++)
        assert_int_equal(header_padded_size(KIND_EXCERPT, size), yes);
    assert_int_equal(yes, 1024);
    assert_int_equal(header_padded_size(KIND_EXCERPT, 1021), 2048);
    assert_int_equal(header_padded_size(KIND_RELEASE, 0), 512);
}

static void padding_of_releases_costs_little(void **state)
{
    (void)state;
    for (uint32_t size = 1000; size < HEADER_CONTENT_MAX; size += 997) {
        uint32_t padded = header_padded_size(KIND_RELEASE, size);
        assert_true(padded >= size + 4 && padded <= ENTRY_BODY_MAX);
        double overhead = (double)(padded - size - 4) / (size + 4);
        if (overhead > (size < 2048 ? 0.065 : 0.032))
            fail_msg("%u bytes become %u", size, padded);
    }
    assert_int_equal(header_padded_size(KIND_EXCERPT, HEADER_CONTENT_MAX), ENTRY_BODY_MAX);
}

static void unpad_refuses_what_pad_would_not_write(void **state)
{
    (void)state;
    struct span content;
    struct buf body = BUF_INIT;
    assert_int_equal(header_pad(KIND_EXCERPT, SPAN_LITERAL("yes"), &body, NULL), OK);
    assert_int_equal(body.size, 1024);
    body.data[1000] = 1;
    assert_int_equal(header_unpad(KIND_EXCERPT, buf_span(&body), &content, NULL), ERR_INVALID);
    body.data[1000] = 0;
    assert_int_equal(header_unpad(KIND_RELEASE, buf_span(&body), &content, NULL), ERR_INVALID);
    assert_int_equal(header_unpad(KIND_EXCERPT, span_of(body.data, 3), &content, NULL),
                     ERR_INVALID);
    body.data[2] = 0xff;
    assert_int_equal(header_unpad(KIND_EXCERPT, buf_span(&body), &content, NULL), ERR_INVALID);
    body.data[2] = 0;
    assert_int_equal(header_unpad(KIND_EXCERPT, buf_span(&body), &content, NULL), OK);
    assert_true(span_equal(content, SPAN_LITERAL("yes")));
    buf_clear(&body);
    assert_int_equal(buf_append_zeros(&body, 2 * ENTRY_BODY_MAX, NULL), OK);
    body.data[1] = 0x1f;
    assert_int_equal(header_unpad(KIND_EXCERPT, buf_span(&body), &content, NULL), ERR_INVALID);
    struct span large = span_of(body.data, HEADER_CONTENT_MAX + 1);
    struct buf padded = BUF_INIT;
    assert_int_equal(header_pad(KIND_EXCERPT, large, &padded, NULL), ERR_LIMIT);
    mem_fail_at(1, false);
    assert_int_equal(header_pad(KIND_EXCERPT, SPAN_LITERAL("x"), &padded, NULL), ERR_MEMORY);
    mem_fail_at(0, false);
    buf_fini(&padded);
    buf_fini(&body);
}

/* Computed by hand with Python's hashlib from the definition in header.h. */
static const char COMMITMENT[] = "4295b5985c6060df66746fd79064659b97508490455ebbdc1bbebf44ff201df0";

static void commitment_binds_origin_entry_salt_and_body(void **state)
{
    (void)state;
    struct span origin = SPAN_LITERAL("comity.v1/training/feed/KE/UNODC/0123456789abcdef");
    struct entry_header header = sealed_header();
    uint8_t salt_bytes[32];
    memset(salt_bytes, 7, sizeof(salt_bytes));
    struct span salt = SPAN_ARRAY(salt_bytes);
    struct buf body = BUF_INIT;
    assert_int_equal(header_pad(KIND_EXCERPT, SPAN_LITERAL("text"), &body, NULL), OK);
    header.body_size = (uint32_t)body.size;
    assert_int_equal(
        header_commit(origin, &header.entry_id, salt, buf_span(&body), &header.commitment, NULL),
        OK);
    char text[2 * DIGEST_SIZE + 1];
    hex_encode(SPAN_ARRAY(header.commitment.bytes), text);
    assert_string_equal(text, COMMITMENT);
    assert_int_equal(header_open(&header, origin, salt, buf_span(&body), NULL), OK);
    struct span other = SPAN_LITERAL("comity.v1/training/feed/KE/UNODC/0123456789abcdee");
    assert_int_equal(header_open(&header, other, salt, buf_span(&body), NULL), ERR_MISMATCH);
    struct span shorter = span_of(body.data, body.size - 1);
    assert_int_equal(header_open(&header, origin, salt, shorter, NULL), ERR_MISMATCH);
    salt_bytes[0] = 8;
    assert_int_equal(header_open(&header, origin, salt, buf_span(&body), NULL), ERR_MISMATCH);
    salt_bytes[0] = 7;
    header.entry_id.bytes[0]++;
    assert_int_equal(header_open(&header, origin, salt, buf_span(&body), NULL), ERR_MISMATCH);
    header.has_inline = true;
    assert_int_equal(header_open(&header, origin, salt, buf_span(&body), NULL), ERR_INVALID);
    buf_fini(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_refuses_what_breaks_the_layout),
        cmocka_unit_test(header_refuses_every_shorter_and_longer_length),
        cmocka_unit_test(header_refuses_inline_bytes_without_their_flag),
        cmocka_unit_test(header_refuses_to_write_what_it_would_not_read),
        cmocka_unit_test(header_comes_back_as_it_was_written),
        cmocka_unit_test(header_keeps_kinds_it_does_not_know),
        cmocka_unit_test(padding_hides_the_size_of_small_answers),
        cmocka_unit_test(padding_of_releases_costs_little),
        cmocka_unit_test(unpad_refuses_what_pad_would_not_write),
        cmocka_unit_test(commitment_binds_origin_entry_salt_and_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
