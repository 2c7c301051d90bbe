/* A Hello tells what was stored when it was made; another connection may have brought more since.
 */
#include "two_nodes.h"

static void a_heal_of_what_was_never_lost_changes_nothing(void **state)
{
    (void)state;
    struct heads early = { 0 };
    struct resume resume;
    struct id record = add_excerpt(&ke, "Extradition of nationals");
    give(&ke, &un, &record, 1, 100);
    connect_nodes();
    CHECK_OK(feed_heads(&ke.feed, &un.code, &early, &err), &err);
    give(&ke, &un, &record, 1, 200);
    connect_nodes();
    struct feed_row before = feed_between(&ke, &un, FEED_OUT);
    CHECK_OK(meet_one(&un, &ke, &early, &resume), &err);
    assert_true(resume.heal_peer); /* by what it was told, the publisher has lost something */
    heal(&un, &ke, &resume);
    struct feed_row after = feed_between(&ke, &un, FEED_OUT);
    assert_string_equal(after.origin, before.origin);
    assert_int_equal(after.size, before.size);
    assert_false(has_alarm(&ke, "rolled_back"));
    resume_fini(&resume);
    heads_fini(&early);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_heal_of_what_was_never_lost_changes_nothing, two_set_up,
                                        two_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
