/* Backups as idle work, and a check during which others go on. */
#include "admin_desk.h"

#include <sys/stat.h>
#include <unistd.h>

static void idle_until_done(void)
{
    bool more = true;
    for (int i = 0; more && i < 1000; i++)
        CHECK_OK(admin_idle(&desk.admin, &more, &err), &err);
    assert_false(more);
}

static void a_glance_at_bytes_that_are_no_request_says_nothing_of_them(void **state)
{
    (void)state;
    struct admin_glance glance = admin_glance(SPAN_LITERAL("\xff\xff nonsense"));
    assert_string_equal(glance.operation, "-");
    assert_false(glance.alone);
    assert_false(glance.reads);
}

static void a_glance_names_only_operations_that_there_are(void **state)
{
    (void)state;
    static const struct {
        const char *asked, *shown;
        bool alone, reads;
    } cases[] = {
        { "status", "status", false, true },
        { "consent.approve", "consent.approve", false, false },
        { "check", "check", true, true },
        { "backup.create", "backup.create", true, false },
        { "backup.status", "backup.status", false, true },
        { "no such \"operation", "-", false, false },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct request request = { .operation = cases[i].asked };
        struct buf frame = BUF_INIT;
        CHECK_OK(request_encode(&request, &frame, &err), &err);
        struct admin_glance glance =
            admin_glance(span_slice(buf_span(&frame), FRAME_HEAD_SIZE, frame.size));
        assert_string_equal(glance.operation, cases[i].shown);
        assert_int_equal(glance.alone, cases[i].alone);
        assert_int_equal(glance.reads, cases[i].reads);
        buf_fini(&frame);
    }
}

static void a_backup_is_refused_under_a_name_that_is_none_or_taken(void **state)
{
    (void)state;
    ASK_STATUS("state", "backup.status");
    ASK_STATUS("invalid", "backup.create", "file", "a/b");
    ASK_STATUS("state", "backup.status");
    ASK_OK("backup.create", "file", "monday.backup");
    idle_until_done();
    ASK_STATUS("exists", "backup.create", "file", "monday.backup");
}

static void a_backup_goes_on_by_itself_and_says_how_far_it_is(void **state)
{
    (void)state;
    ASK_OK("backup.create", "file", "monday.backup");
    assert_true(desk.admin.changed.idle);
    assert_string_equal(answered("backup", "state"), "running");
    ASK_STATUS("state", "backup.create", "file", "tuesday.backup");
    CHECK_CONTAINS(desk.answer.error, "is under way; next: wait");
    ASK_OK("status");
    CHECK_CONTAINS(answered("node", "backup"), "monday.backup");
    ASK_OK("backup.status");
    assert_string_equal(answered("backup", "state"), "running");
    idle_until_done();
    ASK_OK("backup.status");
    assert_string_equal(answered("backup", "state"), "done");
    assert_string_equal(answered("backup", "pages"), answered("backup", "pages_total"));
    ASK_OK("journal.list", "limit", "2");
    assert_string_equal(answered("actions", "object"), "monday.backup");
    ASK_OK("backup.create", "file", "tuesday.backup"); /* given up when the node stops */
}

static void a_backup_that_fails_raises_an_alarm_and_says_why(void **state)
{
    (void)state;
    ASK_OK("backup.create", "file", "monday.backup");
    char path[600];
    (void)snprintf(path, sizeof(path), "%s/keys.bundle", desk.place.directory);
    assert_int_equal(mkdir(path, 0700), 0); /* no bundle can be written there */
    idle_until_done();
    assert_string_not_equal(ask("backup.status", NULL), "ok");
    ASK_OK("alarm.list");
    assert_string_equal(answered("alarms", "kind"), "backup");
    assert_int_equal(rmdir(path), 0);
    ASK_OK("backup.create", "file", "monday.backup");
    idle_until_done();
    ASK_OK("backup.status");
}

/* -- check ------------------------------------------------------------------------------------- */

static size_t breaths;
static bool may_go_on;

static bool breathe(void *self)
{
    (void)self;
    breaths++;
    assert_false(store_in_transaction(desk.store));
    assert_true(desk.admin.check.running);
    return may_go_on;
}

static void a_check_lets_others_go_on_and_gives_up_when_the_node_stops(void **state)
{
    (void)state;
    desk_accept("AU");
    desk.admin.breathe = breathe;
    breaths = 0;
    may_go_on = true;
    ASK_OK("check");
    assert_true(breaths > 0);
    assert_false(desk.admin.check.running);
    may_go_on = false;
    ASK_STATUS("busy", "check");
    CHECK_CONTAINS(desk.answer.error, "given up before its end; next: repeat it");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, desk_set_up, desk_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_glance_at_bytes_that_are_no_request_says_nothing_of_them),
        TEST(a_glance_names_only_operations_that_there_are),
        TEST(a_backup_is_refused_under_a_name_that_is_none_or_taken),
        TEST(a_backup_goes_on_by_itself_and_says_how_far_it_is),
        TEST(a_backup_that_fails_raises_an_alarm_and_says_why),
        TEST(a_check_lets_others_go_on_and_gives_up_when_the_node_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
