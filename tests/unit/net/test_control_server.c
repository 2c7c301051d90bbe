/* The control socket: who is cut off, and when; one request, one answer. */
#include "net/control_server.h"

#include "base/memory.h"
#include "support/check.h"
#include "wire/frame.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

enum { SLOW_MS = 400, PATIENT_MS = 20 * 1000, WAIT_MS = 10 * 1000 };

static uv_loop_t loop;
static struct control_server *server;
static struct control_client *at_work; /* the last that asked; answered by answer() */
static char path[64];
static char told[256]; /* of the last event */
static char asked[256];
static size_t requests, events;
static enum permit permit;
static struct error err;

static void on_admit(void *self, struct caller *caller, const gid_t *groups, size_t count)
{
    (void)self;
    assert_int_equal(caller->uid, getuid());
    assert_true(count > 0);
    assert_int_equal(groups[count - 1], getgid());
    caller->permit = permit;
}

static void on_request(void *self, struct control_client *client, struct buf *message)
{
    (void)self;
    requests++;
    (void)snprintf(asked, sizeof(asked), "%.*s", (int)message->size, (const char *)message->data);
    buf_fini(message);
    at_work = client;
}

static void on_event(void *self, const char *name, const char *fields)
{
    (void)self;
    events++;
    (void)snprintf(told, sizeof(told), "%s %s", name, fields);
}

static enum status start_with(uint64_t sending_ms)
{
    const struct control_config config = { .loop = &loop,
                                           .path = path,
                                           .handlers = { NULL, on_admit, on_request, on_event },

                                           .sending_ms = sending_ms };
    return control_server_new(&config, &server, &err);
}

static enum status start(void)
{
    return start_with(PATIENT_MS);
}

static void stop(void)
{
    if (server == NULL)
        return;
    control_server_stop(server);
    while (!control_server_is_idle(server))
        (void)uv_run(&loop, UV_RUN_ONCE);
    control_server_free(server);
    server = NULL;
}

static int set_up(void **state)
{
    (void)state;
    requests = events = 0;
    told[0] = asked[0] = '\0';
    at_work = NULL;
    permit = PERMIT_READ;
    (void)snprintf(path, sizeof(path), "/tmp/comity-control.%d", (int)getpid());
    assert_int_equal(uv_loop_init(&loop), 0);
    CHECK_OK(start(), &err);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    stop();
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    (void)unlink(path);
    assert_int_equal(mem_live(), 0);
    return 0;
}

static int dial(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

static void say(int fd, const char *bytes, size_t size)
{
    assert_int_equal(send(fd, bytes, size, MSG_NOSIGNAL), size);
}

static bool is_cut(int fd)
{
    char byte;
    ssize_t size = recv(fd, &byte, 1, 0);
    return size == 0 || (size < 0 && errno == ECONNRESET);
}

/* Runs the loop until the other end is closed; false when it stays open for `limit_ms`. */
static bool wait_for_cut(int fd, uint64_t limit_ms)
{
    uint64_t end_ms = uv_hrtime() / 1000000 + limit_ms;
    bool cut = false;
    while (!cut && uv_hrtime() / 1000000 < end_ms) {
        (void)uv_run(&loop, UV_RUN_NOWAIT);
        cut = is_cut(fd);
        (void)usleep(500);
    }
    return cut;
}

static void wait_for_request(size_t count)
{
    uint64_t end_ms = uv_hrtime() / 1000000 + WAIT_MS;
    while (requests < count && uv_hrtime() / 1000000 < end_ms)
        (void)uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(requests, count);
}

static void answer(const char *text)
{
    struct buf frame = BUF_INIT;
    CHECK_OK(buf_append(&frame, span_text(text), &err), &err);
    control_client_send(at_work, &frame);
    control_client_done(at_work);
    at_work = NULL;
}

/* -- refusals ---------------------------------------------------------------------------------- */

static void an_unknown_uid_is_cut_before_a_byte_is_read(void **state)
{
    (void)state;
    permit = PERMIT_NONE;
    int fd = dial();
    say(fd, "\0\0\0\2hi", 6);
    assert_true(wait_for_cut(fd, WAIT_MS));
    assert_int_equal(requests, 0);
    CHECK_CONTAINS(told, "in none of the lists");
    close(fd);
}

static void lengths_that_are_none_are_cut_at_their_four_bytes(void **state)
{
    (void)state;
    static const char *const lengths[] = { "\xff\xff\xff\xff", "\0\0\0\0" };
    for (size_t i = 0; i < 2; i++) {
        int fd = dial();
        say(fd, lengths[i], 4);
        assert_true(wait_for_cut(fd, WAIT_MS));
        assert_int_equal(events, i + 1);
        CHECK_CONTAINS(told, "control_refused uid=");
        close(fd);
    }
    assert_int_equal(requests, 0);
}

static void a_second_request_before_the_answer_is_cut(void **state)
{
    (void)state;
    int fd = dial();
    say(fd, "\0\0\0\2hi\0\0\0\2ho", 12);
    assert_true(wait_for_cut(fd, WAIT_MS));
    assert_int_equal(requests, 0);
    CHECK_CONTAINS(told, "a second request");
    close(fd);
}

static void who_says_nothing_stops_midway_or_asks_no_more_loses_its_place(void **state)
{
    (void)state;
    stop();
    CHECK_OK(start_with(SLOW_MS), &err);
    int silent = dial();
    assert_true(wait_for_cut(silent, WAIT_MS));
    int midway = dial();
    say(midway, "\0\0\0\2h", 5);
    assert_true(wait_for_cut(midway, WAIT_MS));
    int answered = dial();
    say(answered, "\0\0\0\2hi", 6);
    wait_for_request(1);
    assert_false(wait_for_cut(answered, 3 * SLOW_MS)); /* at work: no hurry */
    answer("");
    assert_true(wait_for_cut(answered, WAIT_MS));
    close(silent);
    close(midway);
    close(answered);
}

static void who_does_not_read_its_answer_loses_its_place(void **state)
{
    (void)state;
    stop();
    CHECK_OK(start_with(SLOW_MS), &err);
    int fd = dial();
    say(fd, "\0\0\0\2hi", 6);
    wait_for_request(1);
    struct buf frame = BUF_INIT;
    CHECK_OK(buf_append_zeros(&frame, (size_t)8 * 1024 * 1024, &err), &err);
    control_client_send(at_work, &frame);
    control_client_done(at_work);
    uint64_t end_ms = uv_hrtime() / 1000000 + WAIT_MS;
    while (mem_live() > 4 * 1024 * 1024 && uv_hrtime() / 1000000 < end_ms)
        (void)uv_run(&loop, UV_RUN_NOWAIT);
    assert_true(mem_live() < 4 * 1024 * 1024); /* who was cut holds nothing */
    close(fd);
}

/* Each may send as much as one request has; all of them together not as much as they like. */
static void requests_that_are_too_large_together_are_cut(void **state)
{
    (void)state;
    enum { PIECE = 1024 * 1024, SENDERS = 2, PIECES = 48 };
    static const char piece[PIECE];
    int fds[SENDERS];
    for (size_t i = 0; i < SENDERS; i++) {
        fds[i] = dial();
        say(fds[i], "\x03\xff\xff\xff", 4); /* nearly 64 MiB are to come */
    }
    bool cut = false;
    for (size_t sent = 0; !cut && sent < (size_t)PIECES * PIECE;) {
        size_t least = PIECE;
        for (size_t i = 0; i < SENDERS; i++) {
            ssize_t size = send(fds[i], piece, least, MSG_NOSIGNAL);
            cut = cut || (size < 0 && errno != EAGAIN);
            sent += i == 0 && size > 0 ? (size_t)size : 0;
            (void)uv_run(&loop, UV_RUN_NOWAIT);
        }
    }
    assert_true(cut);
    CHECK_CONTAINS(told, "too large together");
    assert_int_equal(requests, 0);
    for (size_t i = 0; i < SENDERS; i++)
        close(fds[i]);
}

static void more_clients_than_there_are_places_are_cut(void **state)
{
    (void)state;
    int fds[CONTROL_CLIENTS_MAX + 1];
    for (size_t i = 0; i <= CONTROL_CLIENTS_MAX; i++) {
        fds[i] = dial();
        (void)uv_run(&loop, UV_RUN_NOWAIT);
    }
    assert_true(wait_for_cut(fds[CONTROL_CLIENTS_MAX], WAIT_MS));
    CHECK_CONTAINS(told, "more than 32 clients");
    for (size_t i = 0; i <= CONTROL_CLIENTS_MAX; i++)
        close(fds[i]);
}

static void a_client_that_came_when_memory_failed_is_served_later(void **state)
{
    (void)state;
    int fd = dial();
    mem_fail_at(1, false);
    (void)uv_run(&loop, UV_RUN_NOWAIT);
    assert_true(mem_fail_hit());
    mem_fail_at(0, false);
    CHECK_CONTAINS(told, "no memory for a connection");
    say(fd, "\0\0\0\3one", 7);
    wait_for_request(1);
    assert_string_equal(asked, "one");
    answer("1");
    close(fd);
}

static void a_path_that_is_taken_or_too_long_is_refused(void **state)
{
    (void)state;
    struct control_server *first = server;
    CHECK_STATUS(start(), ERR_BUSY, &err);
    CHECK_CONTAINS(err.text, "next: stop it first");
    server = first;
    stop();
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    close(fd);
    CHECK_STATUS(start(), ERR_EXISTS, &err);
    CHECK_CONTAINS(err.text, "next: move it away");
    assert_int_equal(unlink(path), 0);
    char too_long[300];
    memset(too_long, 'x', sizeof(too_long));
    too_long[0] = '/';
    too_long[sizeof(too_long) - 1] = '\0';
    const struct control_config config = { .loop = &loop, .path = too_long };
    CHECK_STATUS(control_server_new(&config, &server, &err), ERR_LIMIT, &err);
}

/* -- service ----------------------------------------------------------------------------------- */

static void a_socket_that_nobody_listens_on_is_replaced(void **state)
{
    (void)state;
    stop();
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int stale = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(stale, (struct sockaddr *)&address, sizeof(address)), 0);
    close(stale);
    CHECK_OK(start(), &err);
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0666);
}

static void requests_are_answered_one_after_the_other(void **state)
{
    (void)state;
    int fd = dial();
    char got[16] = "";
    for (size_t i = 1; i <= 2; i++) {
        say(fd, "\0\0\0\2h", 5);
        (void)uv_run(&loop, UV_RUN_NOWAIT);
        say(fd, "i", 1);
        wait_for_request(i);
        assert_string_equal(asked, "hi");
        answer("ho");
        (void)uv_run(&loop, UV_RUN_NOWAIT);
        assert_int_equal(recv(fd, got, sizeof(got) - 1, 0), 2);
        assert_string_equal(got, "ho");
    }
    close(fd);
}

static void a_client_that_goes_away_while_its_request_is_at_work_costs_nothing(void **state)
{
    (void)state;
    int fd = dial();
    say(fd, "\0\0\0\2hi", 6);
    wait_for_request(1);
    close(fd);
    for (int i = 0; i < 5; i++)
        (void)uv_run(&loop, UV_RUN_NOWAIT);
    answer("nobody hears it");
    int next = dial();
    say(next, "\0\0\0\2hi", 6);
    wait_for_request(2);
    answer("");
    close(next);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_unknown_uid_is_cut_before_a_byte_is_read),
        TEST(lengths_that_are_none_are_cut_at_their_four_bytes),
        TEST(a_second_request_before_the_answer_is_cut),
        TEST(who_says_nothing_stops_midway_or_asks_no_more_loses_its_place),
        TEST(who_does_not_read_its_answer_loses_its_place),
        TEST(requests_that_are_too_large_together_are_cut),
        TEST(more_clients_than_there_are_places_are_cut),
        TEST(a_client_that_came_when_memory_failed_is_served_later),
        TEST(a_path_that_is_taken_or_too_long_is_refused),
        TEST(a_socket_that_nobody_listens_on_is_replaced),
        TEST(requests_are_answered_one_after_the_other),
        TEST(a_client_that_goes_away_while_its_request_is_at_work_costs_nothing),
    };
    (void)signal(SIGPIPE, SIG_IGN); /* as the daemon does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
