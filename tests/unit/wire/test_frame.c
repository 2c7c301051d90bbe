/* Frames: lengths that are refused, streams cut anywhere, memory that follows what has arrived. */
#include "base/clock.h"
#include "base/memory.h"
#include "support/check.h"
#include "wire/frame.h"

struct refused {
    const char *what;
    uint8_t stream[8];
    size_t size;
    uint32_t max;
    enum status status;
};

static void frame_refuses_lengths_before_it_keeps_a_byte(void **state)
{
    (void)state;
    static const struct refused table[] = {
        { "length 0", { 0, 0, 0, 0, 'x' }, 5, 100, ERR_INVALID },
        { "one above the bound", { 0, 0, 0, 101 }, 4, 100, ERR_LIMIT },
        { "the largest length", { 0xff, 0xff, 0xff, 0xff }, 4, FRAME_BATCH_MAX, ERR_LIMIT },
        { "length 1 where nothing may come", { 0, 0, 0, 1, 'x' }, 5, 0, ERR_LIMIT },
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct frame_reader reader;
        frame_reader_init(&reader);
        struct error err = ERROR_INIT;
        struct span bytes = span_of(table[i].stream, table[i].size);
        struct span frame;
        int64_t live = mem_live();
        CHECK_STATUS(frame_reader_take(&reader, table[i].max, &bytes, &frame, &err),
                     table[i].status, &err);
        assert_null(frame.data);
        assert_int_equal(mem_live(), live);
        frame_reader_fini(&reader);
    }
}

static void frame_trusts_no_boundary_after_a_refused_length(void **state)
{
    (void)state;
    struct frame_reader reader;
    frame_reader_init(&reader);
    struct error err = ERROR_INIT;
    static const uint8_t stream[] = { 0, 0, 0, 0, 0, 0, 0, 1, 'x' };
    struct span bytes = SPAN_ARRAY(stream);
    struct span frame;
    CHECK_STATUS(frame_reader_take(&reader, 10, &bytes, &frame, &err), ERR_INVALID, &err);
    CHECK_STATUS(frame_reader_take(&reader, 10, &bytes, &frame, &err), ERR_INVALID, &err);
    CHECK_CONTAINS(err.text, "after a refused frame");
    frame_reader_fini(&reader);
    frame_reader_fini(NULL);
}

static void frame_of_a_promised_megabyte_costs_what_has_arrived(void **state)
{
    (void)state;
    struct frame_reader reader;
    frame_reader_init(&reader);
    struct error err = ERROR_INIT;
    static const uint8_t stream[] = { 0, 0x10, 0, 0, 'x', 'y' };
    struct span bytes = SPAN_ARRAY(stream);
    struct span frame;
    CHECK_OK(frame_reader_take(&reader, FRAME_BATCH_MAX, &bytes, &frame, &err), &err);
    assert_null(frame.data);
    assert_true(reader.body.capacity <= 64);
    frame_reader_fini(&reader);
}

static void frame_that_lies_whole_in_a_piece_is_not_copied(void **state)
{
    (void)state;
    struct frame_reader reader;
    frame_reader_init(&reader);
    struct error err = ERROR_INIT;
    static const uint8_t stream[] = { 0, 0, 0, 2, 'a', 'b', 0, 0, 0, 1, 'c' };
    struct span bytes = SPAN_ARRAY(stream);
    struct span frame;
    int64_t live = mem_live();
    CHECK_OK(frame_reader_take(&reader, 10, &bytes, &frame, &err), &err);
    assert_ptr_equal(frame.data, stream + 4);
    assert_int_equal(frame.size, 2);
    CHECK_OK(frame_reader_take(&reader, 10, &bytes, &frame, &err), &err);
    assert_ptr_equal(frame.data, stream + 10);
    assert_int_equal(bytes.size, 0);
    assert_int_equal(mem_live(), live);
    CHECK_OK(frame_reader_take(&reader, 10, &bytes, &frame, &err), &err);
    assert_null(frame.data);
    frame_reader_fini(&reader);
}

static void frame_gives_back_the_memory_of_a_large_one(void **state)
{
    (void)state;
    struct frame_reader reader;
    frame_reader_init(&reader);
    struct error err = ERROR_INIT;
    struct buf stream = BUF_INIT;
    size_t at = 0;
    CHECK_OK(frame_begin(&stream, &at, &err), &err);
    CHECK_OK(buf_append_zeros(&stream, 100000, &err), &err);
    CHECK_OK(frame_end(&stream, at, FRAME_BATCH_MAX, &err), &err);
    struct span frame;
    struct span head = span_slice(buf_span(&stream), 0, 50000);
    struct span tail = span_slice(buf_span(&stream), 50000, stream.size);
    CHECK_OK(frame_reader_take(&reader, FRAME_BATCH_MAX, &head, &frame, &err), &err);
    CHECK_OK(frame_reader_take(&reader, FRAME_BATCH_MAX, &tail, &frame, &err), &err);
    assert_int_equal(frame.size, 100000);
    CHECK_OK(frame_reader_take(&reader, FRAME_BATCH_MAX, &tail, &frame, &err), &err);
    assert_int_equal(reader.body.capacity, 0);
    frame_reader_fini(&reader);
    buf_fini(&stream);
}

/* Frames of random sizes, cut at random places and judged with a bound that fits exactly. */
static void check_stream(uint64_t seed)
{
    struct random_seeded random;
    random_seeded_init(&random, seed);
    struct buf stream = BUF_INIT;
    struct error err = ERROR_INIT;
    size_t sizes[20];
    for (size_t i = 0; i < COUNT(sizes); i++) {
        size_t at = 0;
        sizes[i] = 1 + random_seeded_next(&random) % (i % 5 == 0 ? 9000 : 20);
        CHECK_OK(frame_begin(&stream, &at, &err), &err);
        for (size_t j = 0; j < sizes[i]; j++) {
            uint8_t byte = (uint8_t)(i + j);
            CHECK_OK(buf_append(&stream, span_of(&byte, 1), &err), &err);
        }
        CHECK_OK(frame_end(&stream, at, FRAME_CONTROL_MAX, &err), &err);
    }
    struct frame_reader reader;
    frame_reader_init(&reader);
    struct span rest = buf_span(&stream);
    size_t got = 0;
    while (rest.size > 0) {
        struct span piece = span_slice(rest, 0, 1 + random_seeded_next(&random) % 700);
        rest = span_slice(rest, piece.size, rest.size);
        while (piece.size > 0) {
            struct span frame;
            uint32_t max = got < COUNT(sizes) ? (uint32_t)sizes[got] : 0;
            CHECK_OK(frame_reader_take(&reader, max, &piece, &frame, &err), &err);
            if (frame.data == NULL)
                continue;
            assert_int_equal(frame.size, sizes[got]);
            for (size_t j = 0; j < frame.size; j++)
                assert_int_equal(frame.data[j], (uint8_t)(got + j));
            got++;
        }
    }
    assert_int_equal(got, COUNT(sizes));
    frame_reader_fini(&reader);
    buf_fini(&stream);
}

static void frame_reads_any_stream_however_it_is_cut(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        check_stream(seed);
    }
}

static void frame_without_memory_fails_and_stays_failed(void **state)
{
    (void)state;
    struct frame_reader reader;
    frame_reader_init(&reader);
    struct error err = ERROR_INIT;
    static const uint8_t stream[] = { 0, 0, 0, 5, 'x' };
    struct span bytes = SPAN_ARRAY(stream);
    struct span frame;
    mem_fail_at(1, false);
    CHECK_STATUS(frame_reader_take(&reader, 10, &bytes, &frame, &err), ERR_MEMORY, &err);
    mem_fail_at(0, false);
    assert_null(frame.data);
    CHECK_STATUS(frame_reader_take(&reader, 10, &bytes, &frame, &err), ERR_INVALID, &err);
    frame_reader_fini(&reader);

    struct buf out = BUF_INIT;
    size_t at = 7;
    mem_fail_at(1, false);
    CHECK_STATUS(frame_begin(&out, &at, &err), ERR_MEMORY, &err);
    mem_fail_at(0, false);
    assert_int_equal(at, 7);
}

static void frame_is_not_sent_empty_or_too_long(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buf out = BUF_INIT;
    size_t at = 0;
    CHECK_OK(frame_begin(&out, &at, &err), &err);
    CHECK_STATUS(frame_end(&out, at, 10, &err), ERR_INTERNAL, &err);
    CHECK_OK(buf_append_zeros(&out, 11, &err), &err);
    CHECK_STATUS(frame_end(&out, at, 10, &err), ERR_INTERNAL, &err);
    CHECK_OK(frame_end(&out, at, 11, &err), &err);
    assert_memory_equal(out.data, "\0\0\0\x0b", 4);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frame_refuses_lengths_before_it_keeps_a_byte),
        cmocka_unit_test(frame_trusts_no_boundary_after_a_refused_length),
        cmocka_unit_test(frame_of_a_promised_megabyte_costs_what_has_arrived),
        cmocka_unit_test(frame_that_lies_whole_in_a_piece_is_not_copied),
        cmocka_unit_test(frame_gives_back_the_memory_of_a_large_one),
        cmocka_unit_test(frame_reads_any_stream_however_it_is_cut),
        cmocka_unit_test(frame_without_memory_fails_and_stays_failed),
        cmocka_unit_test(frame_is_not_sent_empty_or_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
