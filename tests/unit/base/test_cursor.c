#include "base/cursor.h"
#include "base/memory.h"
#include "support/check.h"

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buf buf = BUF_INIT;
    struct writer w = writer_init(&buf);
    writer_u8(&w, 0x01);
    writer_u16(&w, 0x0203);
    writer_u32(&w, 0x04050607);
    writer_u64(&w, UINT64_C(0x08090a0b0c0d0e0f));
    writer_bytes(&w, SPAN_LITERAL("text"));
    writer_bytes(&w, SPAN_EMPTY);
    CHECK_OK(writer_done(&w, "record", &err), &err);
    static const uint8_t wanted[] = "\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\xd\xe\xftext";
    assert_int_equal(buf.size, sizeof(wanted) - 1);
    assert_memory_equal(buf.data, wanted, sizeof(wanted) - 1);

    struct reader r = reader_init(buf_span(&buf));
    assert_int_equal(reader_u8(&r), 0x01);
    assert_int_equal(reader_u16(&r), 0x0203);
    assert_int_equal(reader_u32(&r), 0x04050607);
    assert_int_equal(reader_u64(&r), UINT64_C(0x08090a0b0c0d0e0f));
    char text[4];
    reader_copy(&r, text, sizeof(text));
    assert_memory_equal(text, "text", 4);
    reader_copy(&r, text, 0);
    assert_int_equal(reader_bytes(&r, 0).size, 0);
    CHECK_OK(reader_done(&r, "record", &err), &err);
    buf_fini(&buf);
}

static void reading_past_the_end_fails_once_and_for_all(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct reader r = reader_init(SPAN_LITERAL("\1\2\3"));
    assert_int_equal(reader_u16(&r), 0x0102);
    assert_int_equal(reader_u32(&r), 0);
    assert_int_equal(reader_u8(&r), 0); /* one byte is left, but the reader has failed */
    uint8_t copy[2] = { 9, 9 };
    reader_copy(&r, copy, sizeof(copy));
    assert_int_equal(copy[0] | copy[1], 0);
    assert_null(reader_bytes(&r, 0).data);
    CHECK_STATUS(reader_done(&r, "header", &err), ERR_INVALID, &err);
    assert_string_equal(err.text, "header: cut short or malformed at byte 2");
}

static void bytes_left_over_are_an_error(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct reader r = reader_init(SPAN_LITERAL("\1\2\3"));
    assert_int_equal(reader_u8(&r), 1);
    CHECK_STATUS(reader_done(&r, "header", &err), ERR_INVALID, &err);
    assert_string_equal(err.text, "header: 2 bytes too many after byte 1");
}

static void varints_come_back_whatever_their_size(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    for (unsigned bit = 0; bit <= 64; bit++) {
        uint64_t value = bit == 64 ? UINT64_MAX : UINT64_C(1) << bit;
        for (uint64_t v = value - 1; v != value + 2; v++) {
            struct buf buf = BUF_INIT;
            struct writer w = writer_init(&buf);
            writer_varint(&w, v);
            CHECK_OK(writer_done(&w, "number", &err), &err);
            struct reader r = reader_init(buf_span(&buf));
            assert_true(reader_varint(&r) == v);
            CHECK_OK(reader_done(&r, "number", &err), &err);
            buf_fini(&buf);
        }
    }
}

static void varints_in_another_form_are_refused(void **state)
{
    (void)state;
    const struct span rows[] = {
        SPAN_LITERAL(""),
        SPAN_LITERAL("\x80"),
        SPAN_LITERAL("\x80\x00"),                                 /* 0 in two bytes */
        SPAN_LITERAL("\xff\x80\x00"),                             /* 127 in three */
        SPAN_LITERAL("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), /* 65 bits */
        SPAN_LITERAL("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct reader r = reader_init(rows[i]);
        assert_int_equal(reader_varint(&r), 0);
        CHECK_STATUS(reader_done(&r, "number", NULL), ERR_INVALID, NULL);
    }
}

static void a_writer_without_memory_says_so_at_the_end(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buf buf = BUF_INIT;
    struct writer w = writer_init(&buf);
    mem_fail_at(1, false);
    writer_u8(&w, 1);
    writer_u8(&w, 2); /* would succeed, and must not */
    mem_fail_at(0, false);
    CHECK_STATUS(writer_done(&w, "batch", &err), ERR_MEMORY, &err);
    CHECK_CONTAINS(err.text, "batch");
    assert_int_equal(buf.size, 0);
    buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(reading_past_the_end_fails_once_and_for_all),
        cmocka_unit_test(bytes_left_over_are_an_error),
        cmocka_unit_test(varints_come_back_whatever_their_size),
        cmocka_unit_test(varints_in_another_form_are_refused),
        cmocka_unit_test(a_writer_without_memory_says_so_at_the_end),
    };
    return cmocka_run_group_tests_name("base/cursor", tests, NULL, NULL);
}
