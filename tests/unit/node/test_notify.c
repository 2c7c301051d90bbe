/* The service manager is told by one datagram; without one, nothing happens. */
#include "node/notify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants these first */
#include <cmocka.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void nobody_is_told_through_a_name_that_is_none(void **state)
{
    (void)state;
    static char long_name[200] = "/";
    memset(long_name + 1, 'x', sizeof(long_name) - 2);
    const char *const names[] = { "", "/", "@", "relative", "/nowhere/at/all", long_name };
    assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
    assert_false(notify_send("READY=1"));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_equal(setenv("NOTIFY_SOCKET", names[i], 1), 0);
        assert_false(notify_send("READY=1"));
    }
}

static void hear_through(const char *name, bool abstract)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char heard[64] = "";
    memcpy(address.sun_path, name, strlen(name));
    if (abstract)
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
                     0);
    assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
    assert_true(notify_send("READY=1"));
    assert_int_equal(recv(fd, heard, sizeof(heard) - 1, 0), 7);
    assert_string_equal(heard, "READY=1");
    assert_int_equal(close(fd), 0);
}

static void a_path_and_an_abstract_name_are_told(void **state)
{
    (void)state;
    char name[64];
    (void)snprintf(name, sizeof(name), "/tmp/comity-notify.%d", (int)getpid());
    hear_through(name, false);
    assert_int_equal(unlink(name), 0);
    name[0] = '@';
    hear_through(name, true);
}

static void a_watchdog_counts_when_it_is_a_number_and_for_this_process(void **state)
{
    (void)state;
    char own[16];
    (void)snprintf(own, sizeof(own), "%d", (int)getpid());
    const struct {
        const char *period, *pid;
        uint64_t wanted_us;
    } cases[] = {
        { NULL, NULL, 0 },
        { "", NULL, 0 },
        { "-5", NULL, 0 },
        { "5s", NULL, 0 },
        { "99999999999999999999999", NULL, 0 },
        { "5000", "1", 0 },
        { "5000", own, 5000 },
        { "120000000", NULL, 120000000 },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(unsetenv("WATCHDOG_USEC") + unsetenv("WATCHDOG_PID"), 0);
        if (cases[i].period != NULL)
            assert_int_equal(setenv("WATCHDOG_USEC", cases[i].period, 1), 0);
        if (cases[i].pid != NULL)
            assert_int_equal(setenv("WATCHDOG_PID", cases[i].pid, 1), 0);
        assert_int_equal(notify_watchdog_us(), cases[i].wanted_us);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_told_through_a_name_that_is_none),
        cmocka_unit_test(a_path_and_an_abstract_name_are_told),
        cmocka_unit_test(a_watchdog_counts_when_it_is_a_number_and_for_this_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
