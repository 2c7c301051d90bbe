#include "support/check.h"

static void every_status_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < STATUS_COUNT; i++) {
        const char *name = status_name((enum status)i);
        assert_non_null(name);
        for (int other = 0; other < i; other++)
            assert_string_not_equal(name, status_name((enum status)other));
    }
    assert_string_equal(status_name(STATUS_COUNT), "unknown");
}

static void an_error_may_be_ignored(void **state)
{
    (void)state;
    assert_int_equal(error_set(NULL, ERR_DENIED, "no %d", 1), ERR_DENIED);
    assert_int_equal(error_prefix(NULL, "feed"), ERR_INTERNAL);
}

static void each_layer_puts_its_words_in_front(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    assert_int_equal(error_set(&err, ERR_LIMIT, "body %d > %d", 5242881, 4194304), ERR_LIMIT);
    assert_int_equal(error_prefix(&err, "frame"), ERR_LIMIT);
    assert_int_equal(error_prefix(&err, "ingest %s", "KE"), ERR_LIMIT);
    assert_string_equal(err.text, "ingest KE: frame: body 5242881 > 4194304");
}

static void a_long_sentence_is_cut_at_the_bound(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    error_set(&err, ERR_INVALID, "%0600d", 7);
    assert_int_equal(strlen(err.text), ERROR_TEXT_MAX - 1);
    error_prefix(&err, "file");
    assert_int_equal(strlen(err.text), ERROR_TEXT_MAX - 1);
    assert_memory_equal(err.text, "file: 000", 9);
}

static void a_prefix_that_fills_the_bound_stands_alone(void **state)
{
    (void)state;
    for (int size = ERROR_TEXT_MAX - 5; size < ERROR_TEXT_MAX + 3; size++) {
        struct error err = ERROR_INIT;
        error_set(&err, ERR_INVALID, "rest");
        assert_int_equal(error_prefix(&err, "%0*d", size, 1), ERR_INVALID);
        assert_true(strlen(err.text) < ERROR_TEXT_MAX);
        assert_memory_equal(err.text, "0000", 4);
    }
}

static void a_character_is_never_cut_in_half(void **state)
{
    (void)state;
    for (int shift = 0; shift < 4; shift++) {
        char text[ERROR_TEXT_MAX + 16];
        memset(text, 'x', (size_t)shift);
        for (size_t at = (size_t)shift; at + 3 < sizeof(text); at += 3)
            memcpy(text + at, "\xe2\x82\xac", 4); /* the euro sign */
        struct error err = ERROR_INIT;
        error_set(&err, ERR_INVALID, "%s", text);
        size_t size = strlen(err.text);
        assert_int_equal((size - (size_t)shift) % 3, 0);
        assert_true(size > ERROR_TEXT_MAX - 5);
    }
}

static void a_sentence_is_one_line_whatever_it_quotes(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    error_set(&err, ERR_INVALID, "name '%s'", "a\nevent=forged\x1b[2J\x7f");
    assert_string_equal(err.text, "name 'a?event=forged?[2J?'");
    error_prefix(&err, "file '%s'", "b\r");
    assert_string_equal(err.text, "file 'b?': name 'a?event=forged?[2J?'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_a_name_of_its_own),
        cmocka_unit_test(an_error_may_be_ignored),
        cmocka_unit_test(each_layer_puts_its_words_in_front),
        cmocka_unit_test(a_long_sentence_is_cut_at_the_bound),
        cmocka_unit_test(a_prefix_that_fills_the_bound_stands_alone),
        cmocka_unit_test(a_character_is_never_cut_in_half),
        cmocka_unit_test(a_sentence_is_one_line_whatever_it_quotes),
    };
    return cmocka_run_group_tests_name("base/status", tests, NULL, NULL);
}
