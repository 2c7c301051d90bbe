#include "base/batch.h"
#include "base/clock.h"
#include "base/memory.h"
#include "support/check.h"

static void what_is_no_time_is_refused(void **state)
{
    (void)state;
    const char *rows[] = { "",
                           "2026",
                           "2026-3-1",
                           "2026-03-01 ",
                           " 2026-03-01",
                           "2026-02-29",
                           "2026-13-01",
                           "2026-00-01",
                           "2026-01-00",
                           "2026-04-31",
                           "1969-12-31",
                           "0000-01-01",
                           "2026-03-01T09:30",
                           "2026-03-01T09:30:00",
                           "2026-03-01T09:30:00+01:00",
                           "2026-03-01T24:00:00Z",
                           "2026-03-01T09:60:00Z",
                           "2026-03-01T09:30:60Z",
                           "2026-03-01t09:30:00Z",
                           "01-03-2026" };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct error err = ERROR_INIT;
        int64_t time = -7;
        CHECK_STATUS(time_parse(rows[i], &time, &err), ERR_INVALID, &err);
        assert_int_equal(time, -7);
        CHECK_CONTAINS(err.text, rows[i]);
    }
}

static void times_are_read_and_written_alike(void **state)
{
    (void)state;
    const struct {
        const char *text;
        int64_t ms;
        const char *date;
    } rows[] = {
        { "1970-01-01T00:00:00Z", 0, "1970-01-01" },
        { "2000-02-29T23:59:59Z", INT64_C(951868799000), "2000-02-29" },
        { "2026-03-01T09:30:00Z", INT64_C(1772357400000), "2026-03-01" },
        { "2038-01-19T03:14:08Z", INT64_C(2147483648000), "2038-01-19" },
        { "9999-12-31T23:59:59Z", INT64_C(253402300799000), "9999-12-31" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct error err = ERROR_INIT;
        int64_t ms = -1;
        char text[TIME_TEXT_SIZE];
        char date[DATE_TEXT_SIZE];
        CHECK_OK(time_parse(rows[i].text, &ms, &err), &err);
        assert_true(ms == rows[i].ms);
        time_format(ms + 999, text);
        assert_string_equal(text, rows[i].text);
        date_format(ms, date);
        assert_string_equal(date, rows[i].date);
        CHECK_OK(time_parse(rows[i].date, &ms, &err), &err);
        assert_true(ms == rows[i].ms / 86400000 * 86400000);
    }
}

static void times_outside_the_calendar_are_shown_as_a_dash(void **state)
{
    (void)state;
    const int64_t rows[] = { -1, INT64_MIN, INT64_C(253402300800000), INT64_MAX };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[TIME_TEXT_SIZE];
        char date[DATE_TEXT_SIZE];
        time_format(rows[i], text);
        date_format(rows[i], date);
        assert_string_equal(text, "-");
        assert_string_equal(date, "-");
    }
}

static void the_system_clock_moves_forward(void **state)
{
    (void)state;
    struct clock *clock = clock_system();
    assert_true(clock->wall_ms(clock) > INT64_C(1700000000000));
    int64_t before = clock->monotonic_ms(clock);
    assert_true(clock->monotonic_ms(clock) >= before);
}

static void a_fake_clock_moves_when_told(void **state)
{
    (void)state;
    struct clock_fake fake;
    clock_fake_init(&fake, 1000);
    assert_int_equal(fake.base.wall_ms(&fake.base), 1000);
    assert_int_equal(fake.base.monotonic_ms(&fake.base), 0);
    clock_fake_advance(&fake, 500);
    assert_int_equal(fake.base.wall_ms(&fake.base), 1500);
    assert_int_equal(fake.base.monotonic_ms(&fake.base), 500);
}

static void a_seed_repeats_its_numbers(void **state)
{
    (void)state;
    struct random_seeded a;
    struct random_seeded b;
    random_seeded_init(&a, 0);
    random_seeded_init(&b, 0);
    /* splitmix64 from seed 0, as published with its reference code */
    assert_true(random_seeded_next(&a) == UINT64_C(0xe220a8397b1dcdaf));
    assert_true(random_seeded_next(&a) == UINT64_C(0x6e789e6aa1b965f4));
    uint8_t bytes[11];
    CHECK_OK(b.base.fill(&b.base, bytes, sizeof(bytes), NULL), NULL);
    assert_int_equal(bytes[0], 0xaf);
    assert_int_equal(bytes[8], 0xf4);
    assert_true(random_seeded_next(&a) == random_seeded_next(&b));
}

static void system_randomness_fills_all_bytes(void **state)
{
    (void)state;
    uint8_t bytes[4096] = { 0 };
    struct random_source *random = random_system();
    CHECK_OK(random->fill(random, bytes, sizeof(bytes), NULL), NULL);
    CHECK_OK(random->fill(random, bytes, 0, NULL), NULL);
    size_t zeros = 0;
    for (size_t i = 0; i < sizeof(bytes); i++)
        zeros += bytes[i] == 0;
    assert_true(zeros < 200); /* 16 are expected */
    assert_int_not_equal(bytes[4094] | bytes[4095] | bytes[4093] | bytes[4092], 0);
}

struct counted { /* counts what is asked of it, and may refuse */
    struct random_source base;
    size_t calls, largest;
    uint8_t next;
    bool refuses;
};

static enum status counted_fill(struct random_source *self,
                                void *bytes,
                                size_t size,
                                struct error *err)
{
    struct counted *counted = (struct counted *)self;
    uint8_t *at = bytes;
    if (counted->refuses)
        return error_set(err, ERR_IO, "no random numbers");
    counted->calls++;
    counted->largest = size > counted->largest ? size : counted->largest;
    for (size_t i = 0; i < size; i++)
        at[i] = (uint8_t)(1 + counted->next++ % 255);
    return OK;
}

static bool is_wiped(const struct random_pool *pool)
{
    for (size_t i = 0; i < sizeof(pool->bytes); i++)
        if (pool->bytes[i] != 0)
            return false;
    return true;
}

static void a_closed_pool_keeps_nothing(void **state)
{
    struct counted counted = { .base = { counted_fill } };
    struct random_pool pool;
    struct error err = ERROR_INIT;
    uint8_t bytes[32];
    (void)state;
    random_pool_init(&pool, &counted.base);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pool.base.fill(&pool.base, bytes, sizeof(bytes), &err), OK);
    assert_int_equal(counted.calls, 3);
    assert_int_equal(counted.largest, sizeof(bytes));
    assert_true(is_wiped(&pool));
    random_pool_open(&pool);
    assert_int_equal(pool.base.fill(&pool.base, bytes, 10, &err), OK);
    assert_false(is_wiped(&pool));
    random_pool_close(&pool);
    assert_true(is_wiped(&pool));
}

static void an_open_pool_hands_out_each_byte_once_and_wipes_it(void **state)
{
    struct counted counted = { .base = { counted_fill } };
    struct random_pool pool;
    struct error err = ERROR_INIT;
    uint8_t bytes[300];
    uint8_t next = 0;
    (void)state;
    random_pool_init(&pool, &counted.base);
    random_pool_open(&pool);
    for (size_t size = 1; size <= RANDOM_POOL_FIRST; size++) {
        assert_int_equal(pool.base.fill(&pool.base, bytes, size, &err), OK);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(bytes[i], 1 + next++ % 255);
    }
    assert_true(counted.calls < 16);
    assert_int_equal(counted.largest, RANDOM_POOL_SIZE);
    for (size_t i = 0; i < pool.drawn - pool.left; i++)
        assert_int_equal(pool.bytes[i], 0);
    counted.calls = 0; /* a large piece is not worth a copy */
    assert_int_equal(pool.base.fill(&pool.base, bytes, sizeof(bytes), &err), OK);
    assert_int_equal(counted.calls, 1);
}

static void a_pool_passes_on_that_its_source_failed(void **state)
{
    struct counted counted = { .base = { counted_fill }, .refuses = true };
    struct random_pool pool;
    struct error err = ERROR_INIT;
    uint8_t bytes[32];
    (void)state;
    random_pool_init(&pool, &counted.base);
    random_pool_open(&pool);
    assert_int_equal(pool.base.fill(&pool.base, bytes, sizeof(bytes), &err), ERR_IO);
    assert_int_equal(err.status, ERR_IO);
    counted.refuses = false;
    assert_int_equal(pool.base.fill(&pool.base, bytes, sizeof(bytes), &err), OK);
}

static void a_batch_moves_as_one_thing(void **state)
{
    (void)state;
    int64_t live = mem_live();
    struct batch batch = { .first_index = 7, .entry_count = 2 };
    batch.entries = mem_calloc(2, sizeof(*batch.entries));
    CHECK_OK(buf_append_text(&batch.memory, "headersaltbody", NULL), NULL);
    batch.entries[0].header = span_slice(buf_span(&batch.memory), 0, 6);
    batch.entries[0].salt = span_slice(buf_span(&batch.memory), 6, 4);
    batch.entries[0].body = span_slice(buf_span(&batch.memory), 10, 4);
    batch.entries[1].header = batch.entries[0].header;
    assert_int_equal(batch_bytes(&batch), 20);
    assert_int_equal(batch_end(&batch), 9);
    struct batch moved = batch_move(&batch);
    assert_null(batch.entries);
    assert_int_equal(batch_bytes(&batch), 0);
    assert_true(span_equal(moved.entries[0].salt, SPAN_LITERAL("salt")));
    batch_fini(&moved);
    batch_fini(&moved);
    batch_fini(NULL);
    assert_int_equal(mem_live(), live);
}

static void other_units_of_travel_move_and_end_alike(void **state)
{
    (void)state;
    int64_t live = mem_live();
    struct heads heads = { 0 };
    CHECK_OK(buf_append_text(&heads.mine, "a", NULL), NULL);
    CHECK_OK(buf_append_text(&heads.mine_receipt, "b", NULL), NULL);
    CHECK_OK(buf_append_text(&heads.yours, "c", NULL), NULL);
    CHECK_OK(buf_append_text(&heads.yours_receipt, "d", NULL), NULL);
    struct heads heads_moved = heads_move(&heads);
    heads_fini(&heads);
    assert_int_equal(heads_moved.yours.size, 1);
    assert_int_equal(heads_moved.yours_receipt.size, 1);
    heads_fini(&heads_moved);
    heads_fini(NULL);
    struct resume resume = { .send_from = 3 };
    CHECK_OK(buf_append_text(&resume.heal_origin, "origin", NULL), NULL);
    struct resume resume_moved = resume_move(&resume);
    assert_int_equal(resume_moved.send_from, 3);
    resume_fini(&resume);
    resume_fini(&resume_moved);
    resume_fini(NULL);
    struct heal heal = { .header_count = 1, .headers = mem_calloc(1, sizeof(struct span)) };
    CHECK_OK(buf_append_text(&heal.memory, "header", NULL), NULL);
    struct heal heal_moved = heal_move(&heal);
    assert_null(heal.headers);
    heal_fini(&heal_moved);
    heal_fini(&heal_moved);
    heal_fini(NULL);
    assert_int_equal(mem_live(), live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(times_are_read_and_written_alike),
        cmocka_unit_test(times_outside_the_calendar_are_shown_as_a_dash),
        cmocka_unit_test(the_system_clock_moves_forward),
        cmocka_unit_test(a_fake_clock_moves_when_told),
        cmocka_unit_test(a_seed_repeats_its_numbers),
        cmocka_unit_test(system_randomness_fills_all_bytes),
        cmocka_unit_test(a_closed_pool_keeps_nothing),
        cmocka_unit_test(an_open_pool_hands_out_each_byte_once_and_wipes_it),
        cmocka_unit_test(a_pool_passes_on_that_its_source_failed),
        cmocka_unit_test(a_batch_moves_as_one_thing),
        cmocka_unit_test(other_units_of_travel_move_and_end_alike),
    };
    return cmocka_run_group_tests_name("base/clock and batch", tests, NULL, NULL);
}
