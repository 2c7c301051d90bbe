/* Lists of users and groups: what is none is refused by its name; numbers need nobody to know them.
 */
#include "node/people.h"

#include "base/memory.h"
#include "support/check.h"

static struct error err;

static void what_names_nobody_is_refused_by_its_name(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        enum status status;
        const char *said;
    } rows[] = {
        { "root nobody-of-that-name", ERR_NOT_FOUND, "no user \"nobody-of-that-name\"" },
        { "@no-such-group", ERR_NOT_FOUND, "no group \"no-such-group\"" },
        { "@", ERR_NOT_FOUND, "no group \"\"" },
        { "-1", ERR_NOT_FOUND, "no user \"-1\"" },
        { "1002x", ERR_NOT_FOUND, "no user \"1002x\"" },
        { "4294967295", ERR_NOT_FOUND, "no user \"4294967295\"" }, /* (uid_t)-1 */
        { "@4294967295", ERR_NOT_FOUND, "no group" },
        { "99999999999999999999999999", ERR_NOT_FOUND, "no user" },
        { "1002, a-name-that-is-longer-than-any-user-of-any-system-may-have-it-be", ERR_LIMIT,
          "longer than 63 bytes" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct people people = { NULL, 0, NULL, 0 };
        CHECK_STATUS(people_parse(rows[i].list, &people, &err), rows[i].status, &err);
        CHECK_CONTAINS(err.text, rows[i].said);
        assert_null(people.uids);
        assert_null(people.gids);
    }
    assert_int_equal(mem_live(), 0);
}

static void more_people_than_a_list_holds_are_refused(void **state)
{
    (void)state;
    static const char *const marks[] = { "", "@" };
    for (size_t i = 0; i < COUNT(marks); i++) {
        char list[PEOPLE_MAX * 8 + 16];
        struct people people = { NULL, 0, NULL, 0 };
        size_t used = 0;
        for (int n = 0; n < PEOPLE_MAX; n++)
            used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%d ", marks[i], 1000 + n);
        CHECK_OK(people_parse(list, &people, &err), &err);
        people_fini(&people);
        (void)snprintf(list + used, sizeof(list) - used, "%s%d", marks[i], 1000 + PEOPLE_MAX);
        CHECK_STATUS(people_parse(list, &people, &err), ERR_LIMIT, &err);
        CHECK_CONTAINS(err.text, "at most 64");
    }
    assert_int_equal(mem_live(), 0);
}

static void names_numbers_and_groups_are_people_and_nobody_else_is(void **state)
{
    (void)state;
    struct people people = { NULL, 0, NULL, 0 };
    CHECK_OK(people_parse(" ,root\t1002,@root @1500 4294967294,", &people, &err), &err);
    assert_true(people_include(&people, 0, NULL, 0));
    assert_true(people_include(&people, 1002, NULL, 0));
    assert_true(people_include(&people, 4294967294U, NULL, 0));
    assert_true(people_include(&people, 7, (const gid_t[]){ 9, 1500 }, 2));
    assert_true(people_include(&people, 7, (const gid_t[]){ 0 }, 1));
    assert_false(people_include(&people, 7, (const gid_t[]){ 9, 1002 }, 2));
    assert_false(people_include(&people, 1500, NULL, 0));
    people_fini(&people);
    CHECK_OK(people_parse(" , ", &people, &err), &err);
    assert_false(people_include(&people, 0, (const gid_t[]){ 0 }, 1));
    people_fini(&people);
    people_fini(NULL);
}

static void memory_that_runs_out_leaves_no_half_a_list(void **state)
{
    (void)state;
    bool hit = true;
    for (uint64_t nth = 1; hit; nth++) {
        struct people people = { NULL, 0, NULL, 0 };
        mem_fail_at(nth, false);
        enum status status = people_parse("root 1002 @root @1500", &people, &err);
        hit = mem_fail_hit();
        mem_fail_at(0, false);
        assert_int_equal(status, hit ? ERR_MEMORY : OK);
        assert_int_equal(people.uid_count, hit ? 0 : 2);
        people_fini(&people);
        assert_int_equal(mem_live(), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_names_nobody_is_refused_by_its_name),
        cmocka_unit_test(more_people_than_a_list_holds_are_refused),
        cmocka_unit_test(names_numbers_and_groups_are_people_and_nobody_else_is),
        cmocka_unit_test(memory_that_runs_out_leaves_no_half_a_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
