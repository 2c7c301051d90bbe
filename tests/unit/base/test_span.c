#include "base/memory.h"
#include "support/check.h"

static void spans_compare_as_bytes_then_by_length(void **state)
{
    (void)state;
    const struct {
        const char *a, *b;
        int order;
    } rows[] = {
        { "", "", 0 },    { "a", "a", 0 }, { "a", "b", -1 },
        { "ab", "a", 1 }, { "", "a", -1 }, { "\xff", "a", 1 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct span a = span_text(rows[i].a);
        struct span b = span_text(rows[i].b);
        int order = span_compare(a, b);
        assert_int_equal((order > 0) - (order < 0), rows[i].order);
        assert_int_equal(span_equal(a, b), rows[i].order == 0);
        assert_int_equal(span_equal_secret(a, b), rows[i].order == 0);
    }
    assert_true(span_equal(span_text(NULL), SPAN_EMPTY));
}

static void a_slice_stays_inside_its_span(void **state)
{
    (void)state;
    struct span text = SPAN_LITERAL("comity");
    assert_true(span_equal(span_slice(text, 2, 3), SPAN_LITERAL("mit")));
    assert_true(span_equal(span_slice(text, 4, 99), SPAN_LITERAL("ty")));
    assert_true(span_equal(span_slice(text, 4, SIZE_MAX), SPAN_LITERAL("ty")));
    assert_int_equal(span_slice(text, 6, 1).size, 0);
    assert_int_equal(span_slice(text, SIZE_MAX, SIZE_MAX).size, 0);
}

static void a_buffer_keeps_what_is_appended(void **state)
{
    (void)state;
    int64_t live = mem_live();
    struct error err = ERROR_INIT;
    struct buf buf = BUF_INIT;
    for (int i = 0; i < 100; i++)
        CHECK_OK(buf_printf(&buf, &err, "%02d,", i), &err);
    CHECK_OK(buf_append_text(&buf, "end", &err), &err);
    CHECK_OK(buf_append_text(&buf, NULL, &err), &err);
    CHECK_OK(buf_append_zeros(&buf, 2, &err), &err);
    CHECK_OK(buf_append_zeros(&buf, 0, &err), &err);
    CHECK_OK(buf_terminate(&buf, &err), &err);
    assert_int_equal(buf.size, 305);
    assert_memory_equal(buf.data, "00,01,02,", 9);
    assert_memory_equal(buf.data + 297, "99,end\0\0", 9); /* the NUL is not counted */
    struct buf moved = buf_move(&buf);
    assert_null(buf.data);
    assert_int_equal(buf.size + buf.capacity, 0);
    buf_clear(&moved);
    assert_int_equal(buf_span(&moved).size, 0);
    buf_fini(&moved);
    buf_fini(&moved);
    buf_fini(NULL);
    assert_int_equal(mem_live(), live);
}

static void a_buffer_beyond_all_memory_is_refused(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buf buf = BUF_INIT;
    CHECK_OK(buf_append_text(&buf, "x", &err), &err);
    CHECK_STATUS(buf_reserve(&buf, SIZE_MAX, &err), ERR_LIMIT, &err);
    CHECK_STATUS(buf_reserve(&buf, SIZE_MAX - 1, &err), ERR_LIMIT, &err);
    CHECK_STATUS(buf_append_zeros(&buf, SIZE_MAX / 2 + 2, &err), ERR_LIMIT, &err);
    assert_int_equal(buf.size, 1);
    buf_fini(&buf);
}

static void a_failed_allocation_leaves_the_buffer_as_it_was(void **state)
{
    (void)state;
    for (int secret = 0; secret < 2; secret++) {
        struct error err = ERROR_INIT;
        struct buf buf = BUF_INIT;
        buf.secret = secret == 1;
        CHECK_OK(buf_append_text(&buf, "kept", &err), &err);
        mem_fail_at(1, false);
        CHECK_STATUS(buf_append_zeros(&buf, 100, &err), ERR_MEMORY, &err);
        assert_true(mem_fail_hit());
        mem_fail_at(1, false);
        CHECK_STATUS(buf_printf(&buf, &err, "%0100d", 1), ERR_MEMORY, &err);
        mem_fail_at(0, false);
        assert_true(span_equal(buf_span(&buf), SPAN_LITERAL("kept")));
        CHECK_OK(buf_append_zeros(&buf, 100, &err), &err);
        assert_memory_equal(buf.data, "kept\0", 5);
        buf_fini(&buf);
    }
}

static void a_secret_buffer_is_wiped_when_cleared(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buf buf = BUF_INIT_SECRET;
    buf_clear(&buf);
    CHECK_OK(buf_append_text(&buf, "root key", &err), &err);
    buf_clear(&buf);
    static const uint8_t zeros[8] = { 0 };
    assert_memory_equal(buf.data, zeros, sizeof(zeros));
    CHECK_OK(buf_append_text(&buf, "again", &err), &err);
    struct buf moved = buf_move(&buf);
    assert_true(moved.secret);
    assert_true(buf.secret);
    buf_fini(&moved);
}

static void an_allocation_fails_where_a_test_says(void **state)
{
    (void)state;
    int64_t live = mem_live();
    mem_fail_at(2, false);
    void *first = mem_alloc(1);
    assert_non_null(first);
    assert_false(mem_fail_hit());
    assert_null(mem_calloc(1, 1));
    assert_true(mem_fail_hit());
    void *third = mem_realloc(NULL, 8);
    assert_non_null(third);
    mem_fail_at(1, true);
    assert_null(mem_realloc(third, 16));
    assert_null(mem_alloc(1));
    assert_null(mem_strdup("x"));
    mem_fail_at(0, false);
    assert_int_equal(mem_live(), live + 2);
    mem_free(first);
    mem_free(third);
    mem_free(NULL);
    assert_int_equal(mem_live(), live);
}

static void nothing_costs_nothing(void **state)
{
    (void)state;
    volatile size_t none = 0; /* hidden from the compiler's own warnings */
    assert_null(mem_alloc(none));
    assert_null(mem_calloc(none, 8));
    assert_null(mem_calloc(8, none));
    char *copy = mem_strdup("copy");
    assert_string_equal(copy, "copy");
    assert_null(mem_realloc(copy, none));
    mem_wipe(copy, 4);
    assert_int_equal(copy[0] | copy[1] | copy[2] | copy[3], 0);
    mem_wipe(NULL, 4);
    mem_free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_compare_as_bytes_then_by_length),
        cmocka_unit_test(a_slice_stays_inside_its_span),
        cmocka_unit_test(a_buffer_keeps_what_is_appended),
        cmocka_unit_test(a_buffer_beyond_all_memory_is_refused),
        cmocka_unit_test(a_failed_allocation_leaves_the_buffer_as_it_was),
        cmocka_unit_test(a_secret_buffer_is_wiped_when_cleared),
        cmocka_unit_test(an_allocation_fails_where_a_test_says),
        cmocka_unit_test(nothing_costs_nothing),
    };
    return cmocka_run_group_tests_name("base/span and memory", tests, NULL, NULL);
}
