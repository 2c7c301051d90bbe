/* What people and programs see of an answer, and that nothing from outside reaches a terminal. */
#include "cli/render.h"
#include "cli/run.h"

#include "base/memory.h"
#include "support/check.h"

static struct error err;
static struct reply_writer w;
static char shown[8192];
static char messages[8192];

static int set_up(void **state)
{
    (void)state;
    err = (struct error)ERROR_INIT;
    reply_init(&w);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    reply_fini(&w);
    assert_int_equal(mem_live(), 0);
    return 0;
}

static void read_back(FILE *file, char *text, size_t size)
{
    rewind(file);
    size_t got = fread(text, 1, size - 1, file);
    text[got] = '\0';
    (void)fclose(file);
}

static void show(enum render_mode mode, size_t width, const char *realm, const struct error *result)
{
    struct buf frame = BUF_INIT;
    struct reply reply;
    CHECK_OK(reply_finish(&w, realm, result, &frame, &err), &err);
    CHECK_OK(reply_decode(span_slice(buf_span(&frame), FRAME_HEAD_SIZE, frame.size), &reply, &err),
             &err);
    struct render render = {
        .out = tmpfile(),
        .messages = tmpfile(),
        .mode = mode,
        .width = width,
    };
    assert_non_null(render.out);
    assert_non_null(render.messages);
    CHECK_OK(render_reply(&render, &reply, &err), &err);
    read_back(render.out, shown, sizeof(shown));
    read_back(render.messages, messages, sizeof(messages));
    reply_release(&reply);
    buf_fini(&frame);
}

static const struct reply_column columns[] = {
    { "code", "Code", false },
    { "size", "Size", true },
};

static void write_peers(void)
{
    reply_fields(&w, "node", "This node");
    reply_field(&w, "name", "Name", "%s", "K\xc3\xb4te");
    reply_number(&w, "bytes", "Bytes", 12);
    reply_table(&w, "peers", "Peers", columns, 2);
    reply_cell(&w, "AU");
    reply_cell_number(&w, 7);
    reply_cell(&w, "GB");
    reply_cell(&w, "-");
    reply_note(&w, "do this next");
}

/* -- failures ---------------------------------------------------------------------------------- */

static const enum render_mode MODES[] = { RENDER_TABLE, RENDER_PLAIN, RENDER_JSON };

/* All kinds of sections, problems and an error, into `out`. */
static enum status render_all(enum render_mode mode, FILE *out, uint64_t failing, bool *ret_hit)
{
    struct buf frame = BUF_INIT;
    struct reply reply;
    struct error result = ERROR_INIT;
    reply_init(&w);
    write_peers();
    reply_text(&w, "terms", "Terms", SPAN_LITERAL("until 2027"));
    reply_blob(&w, "card", "KE.card", SPAN_LITERAL("CARD"));
    reply_problem(&w, &(struct reply_problem){ .file = "a.csv",
                                               .line = 3,
                                               .column = 18,
                                               .field = "OBS_VALUE",
                                               .value = "n/a",
                                               .rule = "is not a number",
                                               .warning = true });
    (void)error_set(&result, ERR_INVALID, "1 problem; next: mend it");
    CHECK_OK(reply_finish(&w, "training", &result, &frame, &err), &err);
    CHECK_OK(reply_decode(span_slice(buf_span(&frame), FRAME_HEAD_SIZE, frame.size), &reply, &err),
             &err);
    const struct render render = { .out = out, .messages = tmpfile(), .mode = mode, .width = 80 };
    assert_non_null(render.messages);
    mem_fail_at(failing, false);
    enum status status = render_reply(&render, &reply, &err);
    *ret_hit = mem_fail_hit();
    mem_fail_at(0, false);
    (void)fclose(render.messages);
    reply_release(&reply);
    buf_fini(&frame);
    reply_fini(&w);
    return status;
}

static void an_answer_that_cannot_be_written_whole_is_told_in_every_mode(void **state)
{
    (void)state;
    reply_fini(&w);
    for (size_t i = 0; i < COUNT(MODES); i++) {
        FILE *full = fopen("/dev/full", "w");
        assert_non_null(full);
        bool hit = false;
        CHECK_STATUS(render_all(MODES[i], full, 0, &hit), ERR_IO, &err);
        CHECK_CONTAINS(err.text, "could not be written");
        (void)fclose(full);
    }
}

static void an_answer_for_which_there_is_no_memory_is_told_in_every_mode(void **state)
{
    (void)state;
    reply_fini(&w);
    for (size_t i = 0; i < COUNT(MODES); i++) {
        bool hit = true;
        for (uint64_t nth = 1; hit; nth++) {
            FILE *out = tmpfile();
            assert_non_null(out);
            enum status status = render_all(MODES[i], out, nth, &hit);
            if (status != (hit ? ERR_MEMORY : OK))
                fail_msg("mode %zu, allocation %llu: %s", i, (unsigned long long)nth,
                         status_name(status));
            (void)fclose(out);
        }
    }
}

/* -- escapes ----------------------------------------------------------------------------------- */

#define NASTY                  \
    "a\x1b[31mred\xe2\x80\xae" \
    "txt\xff\xc2\x9b"          \
    "0m"

static void assert_harmless(const char *text)
{
    for (; *text != '\0'; text++) {
        uint8_t byte = (uint8_t)*text;
        assert_true(byte == '\n' || (byte >= 0x20 && byte != 0x7f));
        assert_false(byte == 0xe2 && (uint8_t)text[1] == 0x80);
        assert_false(byte == 0xc2 && (uint8_t)text[1] == 0x9b);
        assert_int_not_equal(byte, 0xff);
    }
}

static void control_and_direction_characters_are_escaped_in_every_mode(void **state)
{
    (void)state;
    struct error why = ERROR_INIT;
    (void)snprintf(why.text, sizeof(why.text), "%s; next: %s", NASTY, NASTY);
    why.status = ERR_DENIED;
    for (unsigned mode = RENDER_TABLE; mode <= RENDER_JSON; mode++) {
        reply_reset(&w);
        reply_fields(&w, "node", "This node");
        reply_field(&w, "name", "Name", "%s", NASTY);
        reply_table(&w, "peers", "Peers", columns, 2);
        reply_cell(&w, "%s", NASTY);
        reply_cell(&w, "%s", NASTY);
        reply_text(&w, "terms", "Terms", SPAN_LITERAL(NASTY "\n\ttwo"));
        reply_note(&w, "%s", NASTY);
        reply_problem(&w, &(struct reply_problem){
                              .file = NASTY, .field = NASTY, .value = NASTY, .rule = NASTY });
        show((enum render_mode)mode, 0, "live", &why);
        for (char *at = strchr(shown, '\t'); at != NULL; at = strchr(at, '\t'))
            *at = ' '; /* tabs of texts stay */
        assert_harmless(shown);
        assert_harmless(messages);
        CHECK_CONTAINS(shown, mode == RENDER_JSON ? "\\u001b[31mred\\u202e" : "\\u{1b}[31mred");
    }
}

static void what_comes_escaped_in_a_problem_is_not_escaped_again(void **state)
{
    (void)state;
    struct error why = ERROR_INIT;
    (void)error_set(&why, ERR_INVALID, "1 problem");
    reply_reset(&w);
    reply_problem(&w, &(struct reply_problem){ .file = "a\\u{7}.csv",
                                               .field = "text",
                                               .value = "a\\u{0}b\\\\c\x1b",
                                               .rule = "byte 2 is a control character" });
    show(RENDER_TABLE, 0, "live", &why);
    CHECK_CONTAINS(messages, "a\\u{7}.csv: text: \"a\\u{0}b\\\\c\\u{1b}\": byte 2 is");
}

/* -- modes ------------------------------------------------------------------------------------- */

static void plain_is_one_item_a_line(void **state)
{
    (void)state;
    write_peers();
    show(RENDER_PLAIN, 0, "live", NULL);
    assert_string_equal(shown, "This node\nName: K\xc3\xb4te\nBytes: 12\n\nPeers: 2\n"
                               "Code: AU; Size: 7\nCode: GB; Size: -\n\ndo this next\n");
}

static void json_is_one_object_with_numbers_and_nulls(void **state)
{
    (void)state;
    struct error why = { ERR_DENIED, "no; next: ask \"them\"" };
    write_peers();
    reply_blob(&w, "card", "ke.card", SPAN_LITERAL("abc"));
    show(RENDER_JSON, 0, "training", &why);
    assert_string_equal(
        shown, "{\"realm\": \"training\", \"status\": \"denied\", \"error\": \"no\", \"next\": "
               "\"ask \\\"them\\\"\", \"problems\": [], \"node\": {\"name\": \"K\xc3\xb4te\", "
               "\"bytes\": 12}, \"peers\": [{\"code\": \"AU\", \"size\": 7}, {\"code\": \"GB\", "
               "\"size\": null}], \"card\": {\"file\": \"ke.card\", \"bytes\": 3}, \"notes\": \"do "
               "this next\\n\"}\n");
    assert_string_equal(messages, "");
}

/* A script must not read another number than the one that stands there. */
static void json_gives_only_numbers_that_every_reader_holds_exactly(void **state)
{
    (void)state;
    static const struct {
        const char *cell, *wanted;
    } cases[] = {
        { "0", "\"size\": 0}" },
        { "10", "\"size\": 10}" },
        { "999999999999999", "\"size\": 999999999999999}" },
        { "9999999999999999", "\"size\": null}" },
        { "007", "\"size\": null}" },
        { "7 of 9", "\"size\": null}" },
        { "-1", "\"size\": null}" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        reply_reset(&w);
        reply_table(&w, "peers", "Peers", columns, 2);
        reply_cell(&w, "a\\b\"c");
        reply_cell(&w, "%s", cases[i].cell);
        show(RENDER_JSON, 0, "live", NULL);
        CHECK_CONTAINS(shown, "{\"code\": \"a\\\\b\\\"c\", ");
        CHECK_CONTAINS(shown, cases[i].wanted);
    }
}

static void tables_have_headings_and_errors_their_next_step_on_a_line(void **state)
{
    (void)state;
    struct error why = { ERR_INVALID, "wrong; next: mend it" };
    write_peers();
    reply_table(&w, "none", "Nothing", columns, 2);
    reply_problem(&w, &(struct reply_problem){ .file = "a.csv",
                                               .line = 3,
                                               .column = 18,
                                               .field = "OBS_VALUE",
                                               .value = "n/a",
                                               .rule = "is no number" });
    reply_problem(&w, &(struct reply_problem){ .field = "--x", .rule = "odd", .warning = true });
    show(RENDER_TABLE, 80, "live", &why);
    CHECK_CONTAINS(shown, "Peers\n");
    CHECK_CONTAINS(shown, "Code");
    CHECK_CONTAINS(shown, "Nothing\n(none)\n");
    assert_string_equal(messages, "a.csv: line 3: column 18: OBS_VALUE: \"n/a\": is no number\n"
                                  "warning: --x: odd\ncomityctl: wrong\nnext: mend it\n");
}

static void everything_of_a_training_realm_says_so(void **state)
{
    (void)state;
    write_peers();
    show(RENDER_TABLE, 0, "training", NULL);
    assert_int_equal(strncmp(shown, "TRAINING REALM", 14), 0);
    reply_reset(&w);
    reply_blob(&w, "card", "ke.card", SPAN_LITERAL("abc")); /* standard output is the file */
    show(RENDER_PLAIN, 0, "training", NULL);
    assert_string_equal(shown, "");
    assert_int_equal(strncmp(messages, "TRAINING REALM", 14), 0);
    reply_reset(&w);
    write_peers();
    show(RENDER_TABLE, 0, "live", NULL);
    assert_null(strstr(shown, "TRAINING"));
}

static void exit_codes_tell_apart_what_scripts_must(void **state)
{
    (void)state;
    assert_int_equal(run_exit_code("ok", false), 0);
    assert_int_equal(run_exit_code("not-found", false), 1);
    assert_int_equal(run_exit_code("something new", false), 1);
    assert_int_equal(run_exit_code("invalid", false), 4);
    assert_int_equal(run_exit_code("state", true), 4);
    assert_int_equal(run_exit_code("denied", false), 5);
    assert_int_equal(run_exit_code("conflict", false), 6);
    assert_int_equal(run_exit_code("mismatch", false), 7);
}

/* -- runs without a daemon --------------------------------------------------------------------- */

static int run_words(char **words)
{
    int count = 0;
    while (words[count] != NULL)
        count++;
    struct streams streams = { tmpfile(), tmpfile() };
    assert_non_null(streams.out);
    assert_non_null(streams.messages);
    int code = run(count, words, &streams);
    read_back(streams.out, shown, sizeof(shown));
    read_back(streams.messages, messages, sizeof(messages));
    return code;
}
#define RUN(...) run_words((char *[]){ (char[]){ "comityctl" }, __VA_ARGS__, NULL })
#define WORD(text) \
    (char[])       \
    {              \
        text       \
    }

static void a_daemon_that_is_not_there_and_files_that_are_missing_are_told(void **state)
{
    (void)state;
    assert_int_equal(RUN(WORD("--socket"), WORD("/nonexistent/socket"), WORD("status")), 3);
    CHECK_CONTAINS(messages, "comityd cannot be reached at /nonexistent/socket");
    CHECK_CONTAINS(messages, "\nnext: start it");
    assert_int_equal(RUN(WORD("--config"), WORD("/nonexistent/conf"), WORD("status")), 3);
    CHECK_CONTAINS(messages, "/nonexistent/conf: cannot be opened");
    assert_int_equal(RUN(WORD("stats"), WORD("import"), WORD("/nonexistent/a"), WORD("/tmp")), 4);
    CHECK_CONTAINS(messages, "/nonexistent/a: cannot be opened");
    CHECK_CONTAINS(messages, "/tmp: is a directory, not a file");
    CHECK_CONTAINS(messages, "2 of 2 files cannot be used; nothing was done");
}

static void wrong_words_end_with_two_and_help_with_zero(void **state)
{
    (void)state;
    assert_int_equal(RUN(WORD("dance")), 2);
    assert_int_equal(RUN(WORD("consent"), WORD("draft")), 2);
    CHECK_CONTAINS(messages, "--until: is needed");
    assert_int_equal(RUN(WORD("--json"), WORD("consent"), WORD("draft")), 2);
    CHECK_CONTAINS(shown, "\"field\": \"--until\"");
    assert_int_equal(RUN(WORD("--version")), 0);
    CHECK_CONTAINS(shown, "comityctl ");
    assert_int_equal(RUN(WORD("consent"), WORD("--help")), 0);
    CHECK_CONTAINS(shown, "consent approve");
    assert_int_equal(RUN(WORD("help")), 0);
    assert_int_equal(run_words((char *[]){ WORD("comityctl"), NULL }), 2);
    CHECK_CONTAINS(messages, "Commands:");
}

static void evidence_that_is_none_is_refused(void **state)
{
    (void)state;
    assert_int_equal(RUN(WORD("evidence"), WORD("verify"), WORD("docs/man/comityctl.1"),
                         WORD("--card"), WORD("docs/man/comityctl.1")),
                     4);
    CHECK_CONTAINS(messages, "docs/man/comityctl.1: ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_answer_that_cannot_be_written_whole_is_told_in_every_mode),
        TEST(an_answer_for_which_there_is_no_memory_is_told_in_every_mode),
        TEST(control_and_direction_characters_are_escaped_in_every_mode),
        TEST(what_comes_escaped_in_a_problem_is_not_escaped_again),
        TEST(plain_is_one_item_a_line),
        TEST(json_is_one_object_with_numbers_and_nulls),
        TEST(json_gives_only_numbers_that_every_reader_holds_exactly),
        TEST(tables_have_headings_and_errors_their_next_step_on_a_line),
        TEST(everything_of_a_training_realm_says_so),
        TEST(exit_codes_tell_apart_what_scripts_must),
        TEST(a_daemon_that_is_not_there_and_files_that_are_missing_are_told),
        TEST(wrong_words_end_with_two_and_help_with_zero),
        TEST(evidence_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
