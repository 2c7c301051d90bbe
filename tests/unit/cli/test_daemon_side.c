/* comityctl and a daemon that answers well, badly, in pieces, or not at all. */
#include "daemon_scene.h"

#include <fcntl.h>
#include <sys/ioctl.h>

/* -- where the daemon is ------------------------------------------------------------------------
 */

static void nobody_there_says_where_it_looked_and_what_to_do(void **state)
{
    (void)state;
    CTL(EXIT_UNREACHABLE, "--socket", scene_path("nothing"), "status");
    CHECK_CONTAINS(messages, "nothing");
    CHECK_CONTAINS(messages, "next: start it");
    char far[SCENE_PATH_SIZE];
    memset(far, 'x', sizeof(far) - 1);
    far[sizeof(far) - 1] = '\0';
    CTL(EXIT_UNREACHABLE, "--socket", far, "status");
    CHECK_CONTAINS(messages, "put the node's directory somewhere shorter");
    CTL(EXIT_UNREACHABLE, "--config", scene_path("none.conf"), "status");
    CHECK_CONTAINS(messages, "none.conf");
}

static void the_socket_is_found_in_the_configuration(void **state)
{
    (void)state;
    char text[600];
    answer_fields("none");
    (void)snprintf(text, sizeof(text),
                   "; a node\n[node]\nsocket = /wrong\n\n[ control ]\nsocket=/wrong\n[control]\n"
                   "operators anne\n  operators = anne\n \tsocket\t=  %s \r\n",
                   scene_path("sock"));
    scene_write("comity.conf", span_text(text), 0644);
    CTL(EXIT_OK, "--config", scene_path("comity.conf"), "status");
    assert_int_equal(daemon_side.clients, 1);
    scene_write("comity.conf", SPAN_LITERAL("[control]\nsocket ="), 0644);
    CTL(EXIT_UNREACHABLE, "--config", scene_path("comity.conf"), "status");
    CHECK_CONTAINS(messages, "/run/comity/control.sock"); /* where an installed one listens */
    scene_write("comity.conf", SPAN_LITERAL(""), 0644);
    CTL(EXIT_UNREACHABLE, "--config", scene_path("comity.conf"), "status");
    CHECK_CONTAINS(messages, "/run/comity/control.sock");
}

/* -- what it answers ----------------------------------------------------------------------------
 */

static void a_daemon_that_hangs_up_has_refused(void **state)
{
    (void)state;
    daemon_side.deaf = true;
    CTL(EXIT_DENIED, "--socket", scene_path("sock"), "status");
    CHECK_CONTAINS(messages, "closed the connection without an answer");
    CHECK_CONTAINS(messages, "next: have yourself listed");
}

static void an_answer_that_is_none_is_told(void **state)
{
    (void)state;
    static const struct {
        struct span bytes;
        const char *said;
        int code;
    } cases[] = {
        { { (const uint8_t *)"\x7f\xff\xff\xff", 4 }, "more than", EXIT_PROBLEMS },
        { { (const uint8_t *)"\0\0\0\x02\xff\xff", 6 }, "malformed", EXIT_PROBLEMS },
        { { (const uint8_t *)"\0\0\0\x09\x01", 5 }, "in the middle of its answer", EXIT_FAILED },
        { { (const uint8_t *)"\0\0", 2 }, "in the middle of its answer", EXIT_FAILED },
        { { (const uint8_t *)"\0\0\0\x09", 4 }, "next: look at comityd", EXIT_FAILED },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        buf_clear(&daemon_side.answers[0]);
        daemon_side.answer_count = 1;
        CHECK_OK(buf_append(&daemon_side.answers[0], cases[i].bytes, &err), &err);
        int code = RUN("--socket", scene_path("sock"), "status");
        assert_int_equal(code, cases[i].code);
        CHECK_CONTAINS(messages, cases[i].said);
    }
}

static void refusals_have_their_exit_codes(void **state)
{
    (void)state;
    static const struct {
        enum status status;
        int code;
    } cases[] = {
        { ERR_DENIED, EXIT_DENIED },    { ERR_CONFLICT, EXIT_AGAIN },
        { ERR_BUSY, EXIT_AGAIN },       { ERR_SIGNATURE, EXIT_UNTRUE },
        { ERR_MISMATCH, EXIT_UNTRUE },  { ERR_CORRUPT, EXIT_UNTRUE },
        { ERR_INVALID, EXIT_PROBLEMS }, { ERR_LIMIT, EXIT_PROBLEMS },
        { ERR_NOT_FOUND, EXIT_FAILED }, { ERR_FULL, EXIT_FAILED },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        daemon_side.answer_count = 0;
        buf_clear(&daemon_side.answers[0]);
        answer_error(cases[i].status, "it may not be; next: ask another");
        CTL(cases[i].code, "--socket", scene_path("sock"), "status");
        CHECK_CONTAINS(messages, "it may not be");
        CHECK_CONTAINS(messages, "ask another");
    }
}

static void an_answer_in_single_bytes_is_whole(void **state)
{
    (void)state;
    daemon_side.in_bytes = true;
    answer_fields("done");
    CTL(EXIT_OK, "--socket", scene_path("sock"), "--plain", "status");
    CHECK_CONTAINS(shown, "done");
}

static void progress_goes_before_the_answer(void **state)
{
    (void)state;
    CHECK_OK(reply_progress("entries", 1, 0, &daemon_side.answers[0], &err), &err);
    CHECK_OK(reply_progress("entries", 2, 4, &daemon_side.answers[0], &err), &err);
    answer_fields("done");
    CTL(EXIT_OK, "--socket", scene_path("sock"), "check");
    CHECK_CONTAINS(shown, "done");
    buf_clear(&daemon_side.answers[0]); /* and then it is killed: that is no refusal */
    CHECK_OK(reply_progress("entries", 1, 0, &daemon_side.answers[0], &err), &err);
    CTL(EXIT_FAILED, "--socket", scene_path("sock"), "check");
    CHECK_CONTAINS(messages, "in the middle of its answer");
}

static void a_backup_is_followed_until_it_is_done(void **state)
{
    (void)state;
    answer_fields("running");
    answer_fields("running");
    answer_fields("done");
    CTL(EXIT_OK, "--socket", scene_path("sock"), "backup", "create", "bulk");
    CHECK_CONTAINS(shown, "done");
    assert_string_equal(daemon_side.asked[0], "backup.create");
    assert_string_equal(daemon_side.asked[1], "backup.status");
    assert_string_equal(daemon_side.asked[2], "backup.status");
    daemon_side.answer_count = 1; /* the daemon ends in the middle */
    CTL(EXIT_FAILED, "--socket", scene_path("sock"), "backup", "create", "bulk");
    CHECK_CONTAINS(messages, "which is not whole");
}

static void a_file_goes_where_it_is_asked_to_go(void **state)
{
    (void)state;
    answer_file("-----CARD-----\n");
    CTL(EXIT_OK, "--socket", scene_path("sock"), "peer", "card");
    CHECK_CONTAINS(shown, "-----CARD-----");
    CTL(EXIT_OK, "--socket", scene_path("sock"), "peer", "card", "--json");
    assert_null(strstr(shown, "-----CARD-----"));
    CHECK_CONTAINS(shown, "\"code\"");
    CTL(EXIT_OK, "--socket", scene_path("sock"), "peer", "card", "--out", scene_path("KE.card"));
    CHECK_CONTAINS(messages, "wrote ");
    struct buf card = scene_read("KE.card");
    assert_true(span_equal(buf_span(&card), SPAN_LITERAL("-----CARD-----\n")));
    buf_fini(&card);
    CTL(EXIT_FAILED, "--socket", scene_path("sock"), "peer", "card", "--out",
        scene_path("KE.card"));
    CHECK_CONTAINS(messages, "is there already");
    CTL(EXIT_FAILED, "--socket", scene_path("sock"), "peer", "card", "--out", "/dev/null/x");
    CHECK_CONTAINS(messages, "cannot be made");
}

static void files_that_cannot_be_read_are_told_at_once(void **state)
{
    (void)state;
    scene_write("good.csv", SPAN_LITERAL("kind\n"), 0644);
    CTL(EXIT_PROBLEMS, "--socket", scene_path("sock"), "excerpt", "import", scene_path("good.csv"),
        scene_path("none.csv"), scene_path("bin"));
    CHECK_CONTAINS(messages, "2 of 3 files cannot be used; nothing was done");
    CHECK_CONTAINS(messages, "none.csv: cannot be opened");
    CHECK_CONTAINS(messages, "is a directory, not a file");
    assert_int_equal(daemon_side.clients, 0);
    FILE *file = fopen(scene_path("large.csv"), "wb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 80 * 1024 * 1024, SEEK_SET), 0);
    assert_int_equal(fputc('x', file), 'x');
    assert_int_equal(fclose(file), 0);
    CTL(EXIT_PROBLEMS, "--socket", scene_path("sock"), "excerpt", "import",
        scene_path("large.csv"));
    CHECK_CONTAINS(messages, "has more than");
}

/* -- on a terminal ------------------------------------------------------------------------------
 */

/* What is printed on a terminal of that width; progress as well when `err_too`. */
static void ctl_on_terminal(unsigned short columns, const char *const *words, bool err_too)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(master >= 0);
    assert_true(grantpt(master) == 0 && unlockpt(master) == 0);
    FILE *out = fopen(ptsname(master), "w");
    assert_non_null(out);
    struct winsize size = { .ws_row = 25, .ws_col = columns };
    assert_int_equal(ioctl(master, TIOCSWINSZ, &size), 0);
    int saved = dup(STDERR_FILENO);
    if (err_too)
        assert_true(dup2(fileno(out), STDERR_FILENO) >= 0);
    char *argv[SCENE_WORDS_MAX + 1] = { NULL };
    int argc = 0;
    for (; words[argc] != NULL; argc++)
        memcpy(&argv[argc], &words[argc], sizeof(argv[argc]));
    struct streams streams = { out, tmpfile() };
    int code = run(argc, argv, &streams);
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    (void)close(saved);
    assert_int_equal(code, EXIT_OK);
    (void)fclose(out); /* then read() ends behind all that was written */
    size_t used = 0;
    for (ssize_t got = 1; got > 0; used += got > 0 ? (size_t)got : 0)
        got = read(master, shown + used, sizeof(shown) - 1 - used);
    assert_true(used > 0);
    shown[used] = '\0';
    (void)fclose(streams.messages);
    (void)close(master);
}

static void a_file_that_a_terminal_would_obey_is_escaped(void **state)
{
    (void)state;
    answer_file("\033[2Jgone\n");
    ctl_on_terminal(30, CTL_WORDS("--socket", scene_path("sock"), "peer", "card"), false);
    CHECK_CONTAINS(shown, "gone");
    assert_null(strstr(shown, "\033[2J"));
    ctl_on_terminal(100, CTL_WORDS("--socket", scene_path("sock"), "peer", "card"), false);
    CHECK_CONTAINS(shown, "gone");
}

static void progress_is_shown_on_a_terminal_only(void **state)
{
    (void)state;
    CHECK_OK(reply_progress("entries", 1, 0, &daemon_side.answers[0], &err), &err);
    CHECK_OK(reply_progress("entries", 2, 4, &daemon_side.answers[0], &err), &err);
    answer_fields("running");
    answer_fields("done");
    ctl_on_terminal(100, CTL_WORDS("--socket", scene_path("sock"), "backup", "create", "x"), true);
    CHECK_CONTAINS(shown, "entries: 1\r");
    CHECK_CONTAINS(shown, "entries: 2 of 4");
    CHECK_CONTAINS(shown, "pages copied: 3 of 9\r                    \r"); /* then the answer */
}

/* -- failures -----------------------------------------------------------------------------------
 */

static void interrupted_calls_are_repeated(void **state)
{
    (void)state;
    char path[SCENE_PATH_SIZE];
    char csv[SCENE_PATH_SIZE];
    (void)snprintf(path, sizeof(path), "%s", scene_path("sock"));
    (void)snprintf(csv, sizeof(csv), "%s", scene_path("good.csv"));
    scene_write("good.csv", SPAN_LITERAL("kind\n"), 0644);
    answer_fields("done");
    bool hit = true;
    for (uint64_t nth = 1; hit; nth++) {
        call_fault_at(CALL_FAULT_SYSTEM, nth, EINTR);
        int code = RUN("--socket", path, "excerpt", "import", csv);
        hit = scene_hit;
        const char *name = call_fault_name();
        bool repeats =
            strcmp(name, "read") == 0 || strcmp(name, "send") == 0 || strcmp(name, "recv") == 0;
        if (repeats || !hit)
            assert_int_equal(code, EXIT_OK);
    }
}

static void whatever_fails_is_told(void **state)
{
    (void)state;
    char path[SCENE_PATH_SIZE];
    char csv[SCENE_PATH_SIZE];
    (void)snprintf(path, sizeof(path), "%s", scene_path("sock"));
    (void)snprintf(csv, sizeof(csv), "%s", scene_path("good.csv"));
    scene_write("good.csv", SPAN_LITERAL("kind\n"), 0644);
    answer_file("-----CARD-----\n");
    static const int numbers[] = { EIO, EPIPE, ECONNRESET, ENOSPC };
    daemon_side.unread = true;
    ctl_sweep(FAULT_MEMORY, 0, CTL_WORDS("--socket", path, "peer", "card"), NULL);
    ctl_sweep(FAULT_MEMORY, 0, CTL_WORDS("--socket", path, "peer", "card", "--plain"), NULL);
    ctl_sweep(FAULT_MEMORY, 0, CTL_WORDS("--socket", path, "peer", "card", "--json"), NULL);
    ctl_sweep(FAULT_MEMORY, 0, CTL_WORDS("--socket", path, "excerpt", "import", csv), NULL);
    ctl_sweep(FAULT_MEMORY, 0, CTL_WORDS("help"), NULL);
    ctl_sweep(FAULT_MEMORY, 0, CTL_WORDS("help", "--man"), NULL);
    for (size_t i = 0; i < COUNT(numbers); i++)
        ctl_sweep(CALL_FAULT_SYSTEM, numbers[i],
                  CTL_WORDS("--socket", path, "excerpt", "import", csv), NULL);
}

/* Whoever asked for JSON reads JSON, also of what went wrong before the daemon was heard. */
static void what_fails_here_is_told_as_json_where_that_was_asked_for(void **state)
{
    (void)state;
    answer_file("-----CARD-----\n");
    CTL(EXIT_FAILED, "--socket", scene_path("sock"), "peer", "card", "--json", "--out",
        scene_path("nowhere/KE.card"));
    CHECK_CONTAINS(shown, "{\"realm\": \"\", \"status\": \"io\", \"error\": \"");
    CHECK_CONTAINS(shown, "cannot be made: No such file or directory\", \"next\": \"name a file");
    assert_string_equal(messages, "");
    CTL(EXIT_UNREACHABLE, "--socket", scene_path("nobody"), "status", "--json");
    CHECK_CONTAINS(shown, "\"error\": \"comityd cannot be reached at ");
    assert_string_equal(messages, "");
}

static void remove_written(int code, bool hit)
{
    (void)code;
    (void)hit;
    (void)unlink(scene_path("KE.card"));
}

static void a_file_that_cannot_be_written_whole_is_told(void **state)
{
    (void)state;
    char path[SCENE_PATH_SIZE];
    char out[SCENE_PATH_SIZE];
    (void)snprintf(path, sizeof(path), "%s", scene_path("sock"));
    (void)snprintf(out, sizeof(out), "%s", scene_path("KE.card"));
    answer_file("-----CARD-----\n");
    static const int numbers[] = { EIO, ENOSPC, EINTR };
    for (size_t i = 0; i < COUNT(numbers); i++)
        ctl_sweep(CALL_FAULT_SYSTEM, numbers[i],
                  CTL_WORDS("--socket", path, "peer", "card", "--out", out), remove_written);
    struct streams full = { fopen("/dev/full", "w"), tmpfile() };
    char *argv[] = { (char[]){ "comityctl" }, (char[]){ "--socket" }, path,
                     (char[]){ "peer" },      (char[]){ "card" },     NULL };
    assert_int_equal(run(5, argv, &full), EXIT_FAILED);
    scene_take(full.messages, messages, sizeof(messages));
    CHECK_CONTAINS(messages, "could not be written");
    (void)fclose(full.out);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(nobody_there_says_where_it_looked_and_what_to_do),
        TEST(the_socket_is_found_in_the_configuration),
        TEST(a_daemon_that_hangs_up_has_refused),
        TEST(an_answer_that_is_none_is_told),
        TEST(refusals_have_their_exit_codes),
        TEST(an_answer_in_single_bytes_is_whole),
        TEST(progress_goes_before_the_answer),
        TEST(a_backup_is_followed_until_it_is_done),
        TEST(a_file_goes_where_it_is_asked_to_go),
        TEST(files_that_cannot_be_read_are_told_at_once),
        TEST(a_file_that_a_terminal_would_obey_is_escaped),
        TEST(progress_is_shown_on_a_terminal_only),
        TEST(interrupted_calls_are_repeated),
        TEST(whatever_fails_is_told),
        TEST(what_fails_here_is_told_as_json_where_that_was_asked_for),
        TEST(a_file_that_cannot_be_written_whole_is_told),
    };
    return cmocka_run_group_tests_name("daemon side", tests, NULL, NULL);
}
