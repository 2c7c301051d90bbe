#include "support/check.h"

#include "base/counted.h"

static void one_thing_is_not_called_by_the_word_for_many(void **state)
{
    (void)state;
    static const struct {
        uint64_t count;
        const char *noun, *text;
    } cases[] = {
        { 1, "recipient", "1 recipient" },
        { 0, "recipient", "0 recipients" },
        { 2, "recipient", "2 recipients" },
        { 1, "entry", "1 entry" },
        { 3, "entry", "3 entries" },
        { 1, "day", "1 day" },
        { 21, "day", "21 days" },
        { 2, "unknown field", "2 unknown fields" },
        { UINT64_MAX, "byte", "18446744073709551615 bytes" },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_string_equal(counted(cases[i].count, cases[i].noun).text, cases[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_thing_is_not_called_by_the_word_for_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
