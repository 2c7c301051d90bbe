/* One value against its rule: what is refused, and with which words; then a request against all of
 * its rules. */
#include "base/memory.h"
#include "control/argument.h"
#include "support/check.h"

static struct error err;

static const char *const colours[] = { "red", "green", NULL };

static const struct argument_rule RULES[] = {
    { .name = "title", .kind = ARGUMENT_TEXT, .max = 8 },
    { .name = "peer", .kind = ARGUMENT_CODE },
    { .name = "since", .kind = ARGUMENT_TIME },
    { .name = "limit", .kind = ARGUMENT_NUMBER, .min = 1, .max = 99 },
    { .name = "record", .kind = ARGUMENT_ID },
    { .name = "digest", .kind = ARGUMENT_DIGEST },
    { .name = "colour", .kind = ARGUMENT_CHOICE, .choices = colours },
    { .name = "all", .kind = ARGUMENT_FLAG },
    { .name = "file", .kind = ARGUMENT_FILE },
};

static const struct argument_rule *rule_of(const char *name)
{
    for (size_t i = 0; i < COUNT(RULES); i++)
        if (strcmp(RULES[i].name, name) == 0)
            return &RULES[i];
    fail_msg("no rule %s", name);
    return NULL;
}

#define DIGITS_32 "0123456789abcdef0123456789abcdef"

static void values_that_break_their_rule_are_refused_with_its_bound(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value, *says;
        enum status status;
    } cases[] = {
        { "title", "", "is empty", ERR_INVALID },
        { "title", "ninebytes", "has 9 bytes, more than 8", ERR_LIMIT },
        { "title", "a\tb", "", ERR_INVALID },
        { "peer", "ke", "", ERR_INVALID },
        { "since", "yesterday", "", ERR_INVALID },
        { "limit", "", "from 1 to 99", ERR_INVALID },
        { "limit", "0", "from 1 to 99", ERR_INVALID },
        { "limit", "100", "from 1 to 99", ERR_INVALID },
        { "limit", "7x", "from 1 to 99", ERR_INVALID },
        { "limit", "-1", "from 1 to 99", ERR_INVALID },
        { "limit", " 7", "from 1 to 99", ERR_INVALID },
        { "limit", "99999999999999999999", "from 1 to 99", ERR_INVALID },
        { "record", "abcde", "6 to 32 of 0-9 and a-f", ERR_INVALID },
        { "record", "ABCDEF", "6 to 32 of 0-9 and a-f", ERR_INVALID },
        { "record", DIGITS_32 "0", "6 to 32 of 0-9 and a-f", ERR_INVALID },
        { "digest", DIGITS_32, "64 of 0-9 and a-f", ERR_INVALID },
        { "digest", DIGITS_32 DIGITS_32 "0", "64 of 0-9 and a-f", ERR_INVALID },
        { "colour", "blue", "must be one of: red, green", ERR_INVALID },
        { "all", "no", "takes no value", ERR_INVALID },
        { "file", "a.csv", "is a file", ERR_INVALID },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        err = (struct error)ERROR_INIT;
        enum status status = argument_check_value(rule_of(cases[i].name), cases[i].value, &err);
        if (status != cases[i].status)
            fail_msg("%s '%s': %s", cases[i].name, cases[i].value, status_name(status));
        CHECK_CONTAINS(err.text, cases[i].says);
    }
}

static void values_at_their_bound_are_taken(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "title", "8 bytes!" },   { "peer", "UNODC" },
        { "since", "2026-03-01" }, { "limit", "1" },
        { "limit", "99" },         { "record", "abcdef" },
        { "record", DIGITS_32 },   { "digest", DIGITS_32 ":" DIGITS_32 },
        { "colour", "green" },     { "all", "yes" },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK_OK(argument_check_value(rule_of(cases[i][0]), cases[i][1], &err), &err);
}

static void what_was_left_out_has_no_value_and_what_is_no_choice_its_fallback(void **state)
{
    (void)state;
    struct request_argument given[] = { { "colour", "green" },
                                        { "since", "2026-03-01" },
                                        { "limit", "12" } };
    const struct request request = { .operation = "test",
                                     .arguments = given,
                                     .argument_count = COUNT(given) };
    const struct request nothing = { .operation = "test" };
    const struct arguments arguments = { &request, RULES, COUNT(RULES) };
    const struct arguments none = { &nothing, RULES, COUNT(RULES) };
    struct code code;
    struct digest digest;
    int64_t time_ms = 0;
    assert_false(argument_code(&none, "peer", &code));
    assert_false(argument_time(&none, "since", &time_ms));
    assert_false(argument_digest(&none, "digest", &digest));
    assert_int_equal(argument_number(&none, "limit", 50), 50);
    assert_int_equal(argument_choice(&none, "colour", 7), 7);
    assert_null(argument_text(&none, "title"));
    assert_null(argument_file(&none, "file", 0));
    assert_true(argument_time(&arguments, "since", &time_ms));
    assert_true(time_ms > 0);
    assert_int_equal(argument_number(&arguments, "limit", 50), 12);
    assert_int_equal(argument_choice(&arguments, "colour", 7), 1);
    assert_int_equal(argument_choice(&arguments, "limit", 7), 7);   /* it is no choice */
    assert_int_equal(argument_choice(&arguments, "colours", 7), 7); /* nor is what has no rule */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_that_break_their_rule_are_refused_with_its_bound),
        cmocka_unit_test(values_at_their_bound_are_taken),
        cmocka_unit_test(what_was_left_out_has_no_value_and_what_is_no_choice_its_fallback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
