/* The first two lines of a checkpoint: which are taken, and which are not. */
#include "support/check.h"
#include "wire/heading.h"

struct bad_heading {
    const char *note;
    enum status status;
    const char *says;
};

static void heading_refuses_what_is_no_checkpoint(void **state)
{
    (void)state;
    static const struct bad_heading table[] = {
        { "", ERR_INVALID, "first line" },
        { "comity.v1/live/feed/KE/AU/0", ERR_INVALID, "first line" },
        { "\n5\n", ERR_INVALID, "first line" },
        { "two words\n5\n", ERR_INVALID, "first line" },
        { "caf\xc3\xa9\n5\n", ERR_INVALID, "first line" },
        { "bell\x07\n5\n", ERR_INVALID, "first line" },
        { "origin\n", ERR_INVALID, "second line" },
        { "origin\n5", ERR_INVALID, "second line" },
        { "origin\n\n", ERR_INVALID, "second line" },
        { "origin\n05\n", ERR_INVALID, "second line" },
        { "origin\n+5\n", ERR_INVALID, "second line" },
        { "origin\n5 \n", ERR_INVALID, "second line" },
        { "origin\n1099511627777\n", ERR_INVALID, "second line" },
        { "origin\n18446744073709551616\n", ERR_INVALID, "second line" },
        { "origin\n100000000000000000000000\n", ERR_INVALID, "second line" },
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct heading heading;
        struct error err = ERROR_INIT;
        CHECK_STATUS(heading_read(span_text(table[i].note), &heading, &err), table[i].status, &err);
        CHECK_CONTAINS(err.text, table[i].says);
    }
}

static void heading_refuses_long_lines_and_long_notes(void **state)
{
    (void)state;
    struct heading heading;
    struct error err = ERROR_INIT;
    struct buf note = BUF_INIT;
    for (size_t size = ORIGIN_MAX; size <= ORIGIN_MAX + 1; size++) {
        buf_clear(&note);
        for (size_t i = 0; i < size; i++)
            CHECK_OK(buf_append_text(&note, "o", &err), &err);
        CHECK_OK(buf_append_text(&note, "\n7\n", &err), &err);
        CHECK_STATUS(heading_read(buf_span(&note), &heading, &err),
                     size > ORIGIN_MAX ? ERR_INVALID : OK, &err);
    }
    CHECK_OK(buf_append_zeros(&note, NOTE_MAX, &err), &err);
    CHECK_STATUS(heading_read(buf_span(&note), &heading, &err), ERR_LIMIT, &err);
    buf_fini(&note);
}

static void heading_reads_origin_and_size(void **state)
{
    (void)state;
    static const char *const sizes[] = { "0", "7", "1099511627776" };
    static const uint64_t values[] = { 0, 7, FEED_ENTRIES_MAX };
    for (size_t i = 0; i < COUNT(sizes); i++) {
        char note[100];
        snprintf(note, sizeof note, "comity.v1/x\n%s\nroot=\n\n", sizes[i]);
        struct heading heading;
        struct error err = ERROR_INIT;
        CHECK_OK(heading_read(span_text(note), &heading, &err), &err);
        assert_true(span_equal(heading.origin, SPAN_LITERAL("comity.v1/x")));
        assert_true(heading.size == values[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heading_refuses_what_is_no_checkpoint),
        cmocka_unit_test(heading_refuses_long_lines_and_long_notes),
        cmocka_unit_test(heading_reads_origin_and_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
