/* Alarms: raised by the node, shown with the command that deals with them, closed with a reason. */
#include "admin_desk.h"

#include "feed/peering.h"

static void raise_alarm(const char *kind, const char *text)
{
    CHECK_OK(store_begin(desk.store, &err), &err);
    CHECK_OK(peering_alarm(&desk.feed, NULL, kind, text, &err), &err);
    CHECK_OK(store_commit(desk.store, &err), &err);
}

static void what_is_no_open_alarm_cannot_be_closed(void **state)
{
    (void)state;
    ASK_STATUS("not-found", "alarm.close", "number", "1", "reason", "seen");
    CHECK_CONTAINS(desk.answer.error, "no open alarm 1; next: comityctl alarm list");
    ASK_STATUS("invalid", "alarm.close", "number", "one", "reason", "seen");
    ASK_STATUS("invalid", "alarm.close", "number", "1");
    CHECK_CONTAINS(told_of("--reason"), "");
    desk_as(CARLA, PERMIT_READ);
    ASK_STATUS("denied", "alarm.close", "number", "1", "reason", "seen");
}

static void an_alarm_names_the_command_that_deals_with_it(void **state)
{
    (void)state;
    raise_alarm("rolled_back", "the database is older than its heads");
    desk_as(CARLA, PERMIT_READ);
    static const char *const where[][2] = { { "status", "alarms" },
                                            { "alarm.list", "alarms" },
                                            { "inbox", "tasks" } };
    for (size_t i = 0; i < 3; i++) {
        ASK_OK(where[i][0]);
        assert_int_equal(answered_rows(where[i][1]), 1);
        assert_string_equal(answered(where[i][1], "command"),
                            "comityctl alarm close 1 --reason WHY");
    }
}

static void a_closed_alarm_is_off_the_lists_and_stays_in_the_journal(void **state)
{
    (void)state;
    raise_alarm("rolled_back", "the database is older than its heads");
    desk_as(BERT, PERMIT_PREPARE);
    ASK_OK("alarm.close", "number", "1", "reason", "restored on purpose");
    ASK_STATUS("not-found", "alarm.close", "number", "1", "reason", "again");
    ASK_OK("alarm.list");
    assert_int_equal(answered_rows("alarms"), 0);
    ASK_OK("inbox");
    assert_int_equal(answered_rows("tasks"), 0);
    ASK_OK("alarm.list", "all", "yes");
    assert_string_equal(answered("alarms", "command"), "closed by uid 1002");
    ASK_OK("journal.list", "limit", "2");
    assert_string_equal(answered("actions", "action"), "alarm close");
    assert_string_equal(answered("actions", "object"), "1");
    CHECK_CONTAINS(answered("actions", "detail"), "reason=restored on purpose");
}

static void what_happens_again_raises_a_new_alarm(void **state)
{
    (void)state;
    raise_alarm("clone", "two boot ids");
    raise_alarm("clone", "two boot ids");
    ASK_OK("alarm.list");
    assert_int_equal(answered_rows("alarms"), 1);
    assert_string_equal(answered("alarms", "times"), "2");
    ASK_OK("alarm.close", "number", "1", "reason", "one of them was a test");
    raise_alarm("clone", "two boot ids");
    ASK_OK("alarm.list");
    assert_string_equal(answered("alarms", "number"), "2");
}

static void a_peer_that_waits_for_somebody_names_the_command_in_status(void **state)
{
    (void)state;
    desk_accept("AU");
    ASK_OK("status");
    assert_string_equal(answered("peers", "command"), "-");
    ASK_OK("hold", "peer", "AU", "reason", "call from the ministry");
    ASK_OK("status");
    assert_string_equal(answered("peers", "command"), "comityctl release AU");
    ASK_OK("journal.list", "limit", "1");
    CHECK_CONTAINS(answered("actions", "detail"), "reason=call from the ministry");
    ASK_OK("peer.block", "peer", "AU");
    ASK_OK("status");
    assert_string_equal(answered("peers", "command"), "comityctl peer show AU");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, desk_set_up, desk_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_no_open_alarm_cannot_be_closed),
        TEST(an_alarm_names_the_command_that_deals_with_it),
        TEST(a_closed_alarm_is_off_the_lists_and_stays_in_the_journal),
        TEST(what_happens_again_raises_a_new_alarm),
        TEST(a_peer_that_waits_for_somebody_names_the_command_in_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
