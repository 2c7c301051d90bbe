#include "support/check.h"

#include "base/clock.h"
#include "base/cursor.h"
#include "base/memory.h"
#include "record/record.h"
#include "record/release_codec.h"

#include <stdlib.h>

static struct observation observation(const char *partner, const char *indicator, uint64_t value)
{
    static const char *const key[INTCOOP_DIMENSION_COUNT] = { "A",  "KE",   "",    "IN",  "EXTR",
                                                              "_Z", "_T",   "_T",  "",    "_Z",
                                                              "_T", "FLOW", "REQ", "2013" };
    struct observation o = {
        .value = { value, 0 },
    };
    for (unsigned i = 0; i < INTCOOP_DIMENSION_COUNT; i++)
        o.dimensions[i] = span_text(key[i]);
    o.dimensions[INTCOOP_COUNTERPART_AREA] = span_text(partner);
    o.dimensions[INTCOOP_INDICATOR] = span_text(indicator);
    return o;
}

static struct release_builder *builder(void)
{
    struct release_builder *b = NULL;
    struct error err = ERROR_INIT;
    CHECK_OK(release_builder_new(&STRUCTURE_INTCOOP, &b, &err), &err);
    return b;
}

/* -- making one ------------------------------------------------------------------------------- */

static void builder_refuses_what_is_no_observation(void **state)
{
    (void)state;
    struct release_builder *b = builder();
    struct error err = ERROR_INIT;
    struct buf bytes = BUF_INIT;
    CHECK_STATUS(release_builder_finish(b, NULL, NULL, &bytes, &err), ERR_INVALID, &err);
    CHECK_CONTAINS(err.text, "without observations");
    struct observation o = observation("XX", "NEW", 1);
    CHECK_STATUS(release_builder_add(b, &o, &err), ERR_INVALID, &err);
    CHECK_CONTAINS(err.text, "COUNTERPART_AREA: an area is");
    o = observation("", "NEW", 1);
    CHECK_STATUS(release_builder_add(b, &o, &err), ERR_INVALID, &err);
    o = observation("GB", "NEW", 1);
    o.dimensions[INTCOOP_FREQ] = SPAN_LITERAL("M");
    CHECK_STATUS(release_builder_add(b, &o, &err), ERR_INVALID, &err);
    CHECK_CONTAINS(err.text, "FREQ: M is not the frequency of the period 2013");
    o = observation("GB", "NEW", 1);
    o.attributes[INTCOOP_OBS_STATUS] = SPAN_LITERAL("Z");
    CHECK_STATUS(release_builder_add(b, &o, &err), ERR_INVALID, &err);
    static const struct decimal wrong[] = {
        { RELEASE_MANTISSA_MAX + 1, 0 },
        { 15, RELEASE_SCALE_MAX + 1 },
        { 10, 1 },
    };
    for (size_t i = 0; i < COUNT(wrong); i++) {
        o = observation("GB", "NEW", 1);
        o.value = wrong[i];
        CHECK_STATUS(release_builder_add(b, &o, &err), ERR_INVALID, &err);
    }
    CHECK_STATUS(release_builder_set(b, INTCOOP_LAST_UPDATE, SPAN_LITERAL("soon"), &err),
                 ERR_INVALID, &err);
    CHECK_STATUS(release_builder_set(b, 99, SPAN_LITERAL("x"), &err), ERR_INVALID, &err);
    assert_int_equal(release_builder_count(b), 0);

    o = observation("GB", "NEW", 1); /* what was refused left no trace */
    CHECK_OK(release_builder_add(b, &o, &err), &err);
    CHECK_OK(release_builder_finish(b, NULL, NULL, &bytes, &err), &err);
    struct release release;
    CHECK_OK(release_decode(NULL, buf_span(&bytes), &release, &err), &err);
    assert_int_equal(release.dimensions[INTCOOP_COUNTERPART_AREA].value_count, 1);
    assert_int_equal(release.attributes[INTCOOP_OBS_STATUS].value_count, 0);
    release_fini(&release);
    buf_fini(&bytes);
    release_builder_free(b);
    release_builder_free(NULL);
}

static void builder_refuses_double_keys_and_two_periods(void **state)
{
    (void)state;
    struct release_builder *b = builder();
    struct error err = ERROR_INIT;
    struct buf bytes = BUF_INIT;
    struct problems problems;
    problems_init(&problems, NULL);
    for (uint32_t line = 2; line < 5; line++) {
        struct observation o = observation("GB", "NEW", line);
        o.line = line;
        CHECK_OK(release_builder_add(b, &o, &err), &err);
    }
    CHECK_STATUS(release_builder_finish(b, NULL, &problems, &bytes, &err), ERR_EXISTS, &err);
    CHECK_CONTAINS(err.text, "2 keys stand twice; the first on line 3");
    CHECK_STATUS(release_builder_finish(b, NULL, NULL, &bytes, &err), ERR_EXISTS, &err);
    assert_int_equal(problems.total, 2);
    CHECK_CONTAINS(problems.items[1].rule, "same key as line 3");
    struct observation o = observation("GB", "NEW", 1);
    o.dimensions[INTCOOP_TIME_PERIOD] = SPAN_LITERAL("2014");
    CHECK_OK(release_builder_add(b, &o, &err), &err);
    CHECK_STATUS(release_builder_finish(b, NULL, NULL, &bytes, &err), ERR_INVALID, &err);
    CHECK_CONTAINS(err.text, "one period");
    assert_int_equal(bytes.size, 0);
    problems_fini(&problems);
    release_builder_free(b);
}

/* -- round trips ------------------------------------------------------------------------------- */

static void assert_row_comes_back(const struct release *release,
                                  size_t row,
                                  const struct observation *wanted)
{
    struct decimal value = { 0, 0 };
    assert_int_equal(release_value(release, row, &value), !wanted->missing);
    if (!wanted->missing) {
        assert_int_equal(value.mantissa, wanted->value.mantissa);
        assert_int_equal(value.scale, wanted->value.scale);
    }
    assert_true(span_equal(release_attribute(release, row, INTCOOP_OBS_STATUS),
                           wanted->attributes[INTCOOP_OBS_STATUS]));
}

static void assert_rows_come_back(const struct release *release,
                                  const struct observation *rows,
                                  size_t count)
{
    size_t found = 0;
    for (size_t row = 0; row < count; row++) {
        struct span partner = release_dimension(release, row, INTCOOP_COUNTERPART_AREA);
        struct span indicator = release_dimension(release, row, INTCOOP_INDICATOR);
        for (size_t i = 0; i < count; i++) {
            if (span_equal(partner, rows[i].dimensions[INTCOOP_COUNTERPART_AREA]) &&
                span_equal(indicator, rows[i].dimensions[INTCOOP_INDICATOR])) {
                found++;
                assert_row_comes_back(release, row, &rows[i]);
            }
        }
    }
    assert_int_equal(found, count);
}

/* What was put in, in any order, comes out in the order of its keys; the bytes depend on the
 * content alone. */
static void random_releases_come_back_whatever_the_order(void **state)
{
    (void)state;
    struct random_seeded random;
    random_seeded_init(&random, 16);
    static const char *const indicators[] = { "NEW", "GRANT", "REFUSE", "WITHDR", "MEAN_DAYS" };
    for (unsigned round = 0; round < 40; round++) {
        size_t count = 1 + random_seeded_next(&random) % (round % 8 == 0 ? 600 : 60);
        const struct span statuses[] = { SPAN_EMPTY, SPAN_LITERAL("A"), SPAN_LITERAL("P") };
        struct observation *rows = calloc(count, sizeof(*rows));
        char(*groups)[24] = calloc(count, sizeof(*groups)); /* G_0001 ...: as many as are wanted */
        struct release_builder *forward = builder(), *backward = builder();
        struct error err = ERROR_INIT;
        for (size_t i = 0; i < count; i++) {
            snprintf(groups[i], sizeof(groups[i]), "G_%04zu", i / COUNT(indicators));
            rows[i] = observation(groups[i], indicators[i % COUNT(indicators)],
                                  random_seeded_next(&random) % (i % 3 == 0 ? 100000 : 4));
            rows[i].missing = random_seeded_next(&random) % 5 == 0;
            rows[i].value.scale = rows[i].value.mantissa % 10 == 0 ? 0 : (uint8_t)(i % 3);
            rows[i].attributes[INTCOOP_OBS_STATUS] = statuses[random_seeded_next(&random) % 3];
            CHECK_OK(release_builder_add(forward, &rows[i], &err), &err);
        }
        for (size_t i = count; i-- > 0;)
            CHECK_OK(release_builder_add(backward, &rows[i], &err), &err);
        struct buf one = BUF_INIT, two = BUF_INIT;
        CHECK_OK(release_builder_finish(forward, NULL, NULL, &one, &err), &err);
        CHECK_OK(release_builder_finish(backward, NULL, NULL, &two, &err), &err);
        assert_true(span_equal(buf_span(&one), buf_span(&two)));
        struct release release;
        CHECK_OK(release_decode(NULL, buf_span(&one), &release, &err), &err);
        assert_int_equal(release.observation_count, count);
        assert_rows_come_back(&release, rows, count);
        release_fini(&release);
        release_builder_free(forward);
        release_builder_free(backward);
        buf_fini(&one);
        buf_fini(&two);
        free(rows);
        free(groups);
    }
}

static void columns_of_many_values_come_back(void **state)
{
    (void)state;
    enum { ROWS = 70000 }; /* more values than two bytes name */
    struct release_builder *b = builder();
    struct error err = ERROR_INIT;
    struct buf bytes = BUF_INIT;
    struct release release;
    for (unsigned i = 0; i < ROWS; i++) {
        char group[12], note[16];
        snprintf(group, sizeof(group), "G_%05u", i % 300);
        snprintf(note, sizeof(note), "note %05u", i);
        struct observation o = observation(group, "NEW", i);
        char offence[12];
        snprintf(offence, sizeof(offence), "ICCS%06u", i / 300);
        o.dimensions[INTCOOP_OFFENCE] = span_text(offence);
        o.attributes[INTCOOP_COMMENT_OBS] = span_text(note);
        CHECK_OK(release_builder_add(b, &o, &err), &err);
    }
    CHECK_OK(release_builder_finish(b, NULL, NULL, &bytes, &err), &err);
    CHECK_OK(release_decode(NULL, buf_span(&bytes), &release, &err), &err);
    assert_int_equal(release.dimensions[INTCOOP_COUNTERPART_AREA].width, 2);
    assert_int_equal(release.attributes[INTCOOP_COMMENT_OBS].width, 4);
    for (size_t row = 0; row < ROWS; row++) {
        struct decimal value = { 0, 0 };
        char note[16];
        assert_true(release_value(&release, row, &value));
        snprintf(note, sizeof(note), "note %05u", (unsigned)value.mantissa);
        assert_true(
            span_equal(release_attribute(&release, row, INTCOOP_COMMENT_OBS), span_text(note)));
    }
    release_fini(&release);
    release_builder_free(b);
    buf_fini(&bytes);
}

static void a_release_says_who_reports_and_which_snapshot_it_is(void **state)
{
    (void)state;
    struct release_builder *b = builder();
    struct error err = ERROR_INIT;
    struct buf bytes = BUF_INIT, identity = BUF_INIT;
    struct release release;
    struct observation o = observation("KE", "NEW", 1);
    o.dimensions[INTCOOP_REF_AREA] = SPAN_LITERAL("GI");
    CHECK_OK(release_builder_add(b, &o, &err), &err);
    o.dimensions[INTCOOP_REF_AREA] = SPAN_LITERAL("GB");
    CHECK_OK(release_builder_add(b, &o, &err), &err);
    CHECK_OK(release_builder_set(b, INTCOOP_SOURCE_AUTH, SPAN_LITERAL("Police"), &err), &err);
    CHECK_OK(release_builder_set(b, INTCOOP_SOURCE_AUTH, SPAN_EMPTY, &err), &err);
    CHECK_OK(release_builder_finish(b, NULL, NULL, &bytes, &err), &err);
    static const struct code gb = { "GB" }, ke = { "KE" };
    CHECK_OK(record_check(NULL, RECORD_RELEASE, buf_span(&bytes), &gb, &err), &err);
    CHECK_STATUS(record_check(NULL, RECORD_RELEASE, buf_span(&bytes), &ke, &err), ERR_DENIED, &err);
    CHECK_OK(release_decode(NULL, buf_span(&bytes), &release, &err), &err);
    CHECK_OK(release_check_publisher(&release, &gb, &err), &err);
    CHECK_STATUS(release_check_publisher(&release, &ke, &err), ERR_DENIED, &err);
    CHECK_CONTAINS(err.text, "an area is neither KE nor one of its territories");
    CHECK_OK(release_identity(&release, &identity, &err), &err);
    assert_true(
        span_equal(buf_span(&identity), SPAN_LITERAL("COMITY:DF_INTCOOP(1.0.0)\n2013\n\n")));
    struct release moved = release_move(&release);
    assert_int_equal(moved.observation_count, 2);
    assert_int_equal(release.observation_count, 0);
    release_fini(&release);
    release_fini(&moved);
    release_fini(NULL);
    release_builder_free(b);
    buf_fini(&bytes);
    buf_fini(&identity);
}

static void records_have_two_kinds(void **state)
{
    (void)state;
    enum record_kind kind;
    assert_false(record_kind_parse("Excerpt", &kind));
    assert_true(record_kind_parse("excerpt", &kind));
    assert_int_equal(kind, RECORD_EXCERPT);
    assert_true(record_kind_parse("release", &kind));
    assert_string_equal(record_kind_name(kind), "release");
    assert_string_equal(record_kind_name(RECORD_EXCERPT), "excerpt");
    assert_string_equal(record_kind_name((enum record_kind)9), "?");
}

/* -- memory ------------------------------------------------------------------------------------ */

static enum status make_and_decode(struct buf *bytes, struct error *err)
{
    struct release_builder *b = NULL;
    struct release release;
    enum status status = release_builder_new(&STRUCTURE_INTCOOP, &b, err);
    for (unsigned i = 0; status == OK && i < 40; i++) {
        char group[12];
        snprintf(group, sizeof(group), "G_%05u", i);
        struct observation o = observation(group, "NEW", i);
        status = release_builder_add(b, &o, err);
    }
    if (status == OK)
        status = release_builder_set(b, INTCOOP_TITLE, SPAN_LITERAL("Title"), err);
    if (status == OK)
        status = release_builder_finish(b, NULL, NULL, bytes, err);
    release_builder_free(b);
    size_t count;
    if (status == OK)
        status = release_check(NULL, buf_span(bytes), NULL, &count, err);
    if (status == OK)
        status = release_decode(NULL, buf_span(bytes), &release, err);
    if (status == OK)
        release_fini(&release);
    return status;
}

static void making_and_decoding_survive_every_failed_allocation(void **state)
{
    (void)state;
    bool hit = true;
    int64_t live = mem_live();
    for (uint64_t nth = 1; hit; nth++) {
        struct buf bytes = BUF_INIT;
        struct error err = ERROR_INIT;
        mem_fail_at(nth, nth % 2 == 0);
        enum status status = make_and_decode(&bytes, &err);
        hit = mem_fail_hit();
        mem_fail_at(0, false);
        assert_int_equal(status, hit ? ERR_MEMORY : OK);
        buf_fini(&bytes);
        assert_int_equal(mem_live(), live);
        assert_true(nth < 2000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builder_refuses_what_is_no_observation),
        cmocka_unit_test(builder_refuses_double_keys_and_two_periods),
        cmocka_unit_test(random_releases_come_back_whatever_the_order),
        cmocka_unit_test(columns_of_many_values_come_back),
        cmocka_unit_test(a_release_says_who_reports_and_which_snapshot_it_is),
        cmocka_unit_test(records_have_two_kinds),
        cmocka_unit_test(making_and_decoding_survive_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
