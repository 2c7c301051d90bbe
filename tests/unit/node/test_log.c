/* Log lines: one event is one line, whatever stands in its values. */
#include "node/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

static char line[8192]; /* what was written */

/* Writes with standard error in a pipe. */
static const char *write_event(enum log_level level, const char *name, const char *fields)
{
    int ends[2];
    int kept = dup(STDERR_FILENO);
    assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    log_fields(level, name, fields);
    assert_int_equal(dup2(kept, STDERR_FILENO), STDERR_FILENO);
    ssize_t size = read(ends[0], line, sizeof(line) - 1);
    line[size < 0 ? 0 : size] = '\0';
    close(kept);
    close(ends[0]);
    close(ends[1]);
    return line;
}

static void a_line_cannot_be_broken_from_inside(void **state)
{
    (void)state;
    static const struct {
        const char *fields, *written;
    } cases[] = {
        { "", "<6>event=e\n" },
        { "a=1 b=\"two words\"", "<6>event=e a=1 b=\"two words\"\n" },
        { "reason=\"x\nevent=forged\"", "<6>event=e reason=\"x?event=forged\"\n" },
        { "reason=\"\x1b[2Jx\x7f\"", "<6>event=e reason=\"?[2Jx?\"\n" },
        { "reason=\"say \"no\" to it\" b=2", "<6>event=e reason=\"say 'no' to it\" b=2\n" },
    };
    log_set_level(LOG_LEVEL_INFO);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(write_event(LOG_LEVEL_INFO, "e", cases[i].fields), cases[i].written);
}

static void a_line_is_bounded_and_ends(void **state)
{
    (void)state;
    static char fields[5000];
    memset(fields, 'x', sizeof(fields) - 1);
    const char *written = write_event(LOG_LEVEL_ERROR, "e", fields);
    assert_true(strlen(written) < 1200);
    assert_int_equal(written[strlen(written) - 1], '\n');
}

static void levels_have_their_priorities_and_what_is_below_is_not_written(void **state)
{
    (void)state;
    static const char *const marks[] = { "<3>", "<4>", "<6>", "<7>" };
    for (int wanted = LOG_LEVEL_ERROR; wanted <= LOG_LEVEL_DEBUG; wanted++) {
        log_set_level((enum log_level)wanted);
        for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++) {
            const char *written = write_event((enum log_level)level, "e", "");
            if (level <= wanted)
                assert_memory_equal(written, marks[level], 3);
            else
                assert_string_equal(written, "");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_cannot_be_broken_from_inside),
        cmocka_unit_test(a_line_is_bounded_and_ends),
        cmocka_unit_test(levels_have_their_priorities_and_what_is_below_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
