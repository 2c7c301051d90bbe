/* Command lines: what is refused, and with which words; and that help and table agree. */
#include "cli/help.h"
#include "cli/parse.h"

#include "base/memory.h"
#include "support/check.h"

enum { WORDS_MAX = 40, LINE_SIZE = 512 };

static struct error err;
static struct reply_writer problems;
static struct invocation in;
static char line_copy[LINE_SIZE];
static char *words[WORDS_MAX];

static int set_up(void **state)
{
    (void)state;
    err = (struct error)ERROR_INIT;
    memset(&in, 0, sizeof(in));
    reply_init(&problems);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    parse_fini(&in);
    reply_fini(&problems);
    assert_int_equal(mem_live(), 0);
    return 0;
}

/* Splits like a shell, with single quotes. */
static int split(const char *line)
{
    assert_true(strlen(line) < sizeof(line_copy));
    memcpy(line_copy, line, strlen(line) + 1);
    int count = 0;
    for (char *at = line_copy; *at != '\0';) {
        at += strspn(at, " ");
        if (*at == '\0')
            break;
        assert_true(count < WORDS_MAX - 1);
        words[count] = at;
        char *to = at;
        for (bool quoted = false; *at != '\0' && (quoted || *at != ' '); at++) {
            if (*at == '\'')
                quoted = !quoted;
            else
                *to++ = *at;
        }
        at += *at == ' ';
        *to = '\0';
        count++;
    }
    words[count] = NULL;
    return count;
}

static enum status parse_line(const char *line)
{
    parse_fini(&in);
    reply_fini(&problems);
    reply_init(&problems);
    return parse(split(line), words, &in, &problems, &err);
}

/* All problems as one text. */
static const char *told(void)
{
    static char text[4096];
    struct buf frame = BUF_INIT;
    struct reply reply = { 0 };
    text[0] = '\0';
    CHECK_OK(reply_finish(&problems, "", &err, &frame, NULL), NULL);
    CHECK_OK(reply_decode(span_slice(buf_span(&frame), FRAME_HEAD_SIZE, frame.size), &reply, &err),
             &err);
    size_t used = 0;
    for (size_t i = 0; i < reply.problem_count; i++) {
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s|%s|%s\n",
                                 reply.problems[i].field, reply.problems[i].value,
                                 reply.problems[i].rule);
    }
    reply_release(&reply);
    buf_fini(&frame);
    return text;
}

/* -- refusals ---------------------------------------------------------------------------------- */

static void a_command_that_does_not_exist_is_refused_with_the_nearest_one(void **state)
{
    (void)state;
    static const struct {
        const char *line, *said;
    } cases[] = {
        { "comityctl dance", "there is no command 'dance'; next: comityctl --help" },
        { "comityctl statsu", "next: comityctl status --help" },
        { "comityctl consent aprove 12", "next: comityctl consent approve --help" },
        { "comityctl consent dance", "there is no command 'consent dance'; next: comityctl "
                                     "consent --help" },
        { "comityctl consent", "'consent' needs another word; next: comityctl consent" },
        { "comityctl peer --json", "'peer' needs another word" },
        { "comityctl conset draft", "next: comityctl consent draft --help" },
        { "comityctl "
          "statusstatusstatusstatusstatusstatusstatusstatusstatusstatusstatusstatusstatusstatus",
          "next: comityctl --help" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        CHECK_STATUS(parse_line(cases[i].line), ERR_INVALID, &err);
        CHECK_CONTAINS(err.text, cases[i].said);
    }
}

static void every_problem_of_a_line_is_told_at_once_by_the_option_as_typed(void **state)
{
    (void)state;
    CHECK_STATUS(parse_line("comityctl consent draft --too KE --record zz --purpose dance --until "
                            "2026-02-30 --from tomorrow --erase-days 366 --form= --to ke"),
                 ERR_INVALID, &err);
    const char *text = told();
    static const char *const said[] = {
        "--too||no such option here; did you mean --to?",
        "--record|zz|must be an id as the listings show it",
        "--purpose|dance|must be one of: peer-review, aggregate",
        "--until|2026-02-30|'2026-02-30' is not a day of the calendar",
        "--from|tomorrow|'tomorrow' is not a date",
        "--erase-days|366|must be a whole number from 0 to 365",
        "--form||is empty",
        "--to|ke|'ke' is not a node's code",
        "--authority||is needed",
        "--reference||is needed",
    };
    for (size_t i = 0; i < COUNT(said); i++)
        CHECK_CONTAINS(text, said[i]);
    CHECK_CONTAINS(err.text, "10 problems in the command line; next: comityctl consent draft");
}

static void words_and_options_that_do_not_belong_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *line, *said;
    } cases[] = {
        { "comityctl status now", "now||one word too many" },
        { "comityctl peer show", "PEER||is needed" },
        { "comityctl peer show KE GB", "GB||one word too many" },
        { "comityctl peer show KE -x", "-x||no such option here; options have two" },
        { "comityctl given --to KE --to GB", "--to||can be given once only" },
        { "comityctl given --to", "--to||needs a value behind it" },
        { "comityctl given --to --json", "--to||needs a value behind it" },
        { "comityctl excerpt list --retired=maybe", "--retired|maybe|takes no value" },
        { "comityctl status --out x", "--out|x|this command gives no file" },
        { "comityctl status --json --plain", "--plain||does not go together with --json" },
        { "comityctl --config a --config b status", "--config||can be given once only" },
        { "comityctl --until 2026 status", "--until||no such option here; options of a" },
        { "comityctl consent approve 0123456 --digest 00", "--digest|00|must be a digest: 64" },
        { "comityctl peer accept KE", "--fingerprint||is needed" },
        { "comityctl peer accept Kenya --fingerprint 1",
          "PEER|Kenya|'Kenya' is not a node's code" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        CHECK_STATUS(parse_line(cases[i].line), ERR_INVALID, &err);
        CHECK_CONTAINS(told(), cases[i].said);
    }
}

/* -- what is taken ----------------------------------------------------------------------------- */

static void words_options_and_files_become_a_request(void **state)
{
    (void)state;
    CHECK_OK(
        parse_line("comityctl --plain stats import a.csv --source='Ministry' b.csv --config=x"),
        &err);
    assert_string_equal(in.request.operation, "stats.import");
    assert_true(in.options.plain);
    assert_string_equal(in.options.config, "x");
    assert_int_equal(in.request.file_count, 2);
    assert_string_equal(in.request.files[1].path, "b.csv");
    assert_int_equal(in.request.argument_count, 1);
    assert_string_equal(in.request.arguments[0].value, "Ministry");
}

static void behind_two_dashes_everything_is_a_word(void **state)
{
    (void)state;
    CHECK_OK(parse_line("comityctl peer add -- --odd.card"), &err);
    assert_string_equal(in.request.files[0].path, "--odd.card");
    CHECK_OK(parse_line("comityctl peer add -"), &err);
    assert_string_equal(in.request.files[0].path, "-");
}

static void a_command_of_two_words_goes_before_one_of_the_first_alone(void **state)
{
    (void)state;
    CHECK_OK(parse_line("comityctl received show 0123456"), &err);
    assert_string_equal(in.request.operation, "received.show");
    CHECK_OK(parse_line("comityctl received --from KE"), &err);
    assert_string_equal(in.request.operation, "received");
}

static void help_and_version_ask_for_nothing_else(void **state)
{
    (void)state;
    CHECK_OK(parse_line("comityctl consent draft --help"), &err);
    assert_true(in.options.help);
    CHECK_OK(parse_line("comityctl consent --help"), &err);
    assert_string_equal(in.group->word, "consent");
    CHECK_OK(parse_line("comityctl --version"), &err);
    CHECK_OK(parse_line("comityctl"), &err);
    assert_null(in.command);
}

/* -- the table --------------------------------------------------------------------------------- */

static void every_example_parses_as_typed(void **state)
{
    (void)state;
    size_t count = 0;
    const struct command *commands = command_all(&count);
    for (size_t i = 0; i < count; i++) {
        assert_non_null(commands[i].examples[0]);
        for (size_t j = 0; commands[i].examples[j] != NULL; j++) {
            enum status status = parse_line(commands[i].examples[j]);
            if (status != OK)
                print_error("%s\n%s%s\n", commands[i].examples[j], told(), err.text);
            assert_int_equal(status, OK);
            /* An example of "help" may show another command's --help. */
            assert_true(in.command == &commands[i] || in.options.help);
        }
    }
}

static void every_operation_has_a_command_and_every_command_an_operation(void **state)
{
    (void)state;
    size_t count = 0;
    size_t operation_count = 0;
    const struct command *commands = command_all(&count);
    const struct operation *operations = operation_all(&operation_count);
    for (size_t i = 0; i < operation_count; i++) {
        bool found = strcmp(operations[i].name, "backup.status") == 0; /* asked by backup create */
        for (size_t j = 0; !found && j < count; j++)
            found = commands[j].operation != NULL &&
                    strcmp(commands[j].operation, operations[i].name) == 0;
        if (!found)
            print_error("%s\n", operations[i].name);
        assert_true(found);
    }
    for (size_t i = 0; i < count; i++) {
        const struct command *command = &commands[i];
        assert_true((command->operation == NULL) == (command->run != NULL));
        assert_true(command->operation == NULL || operation_find(command->operation) != NULL);
    }
}

/* -- help -------------------------------------------------------------------------------------- */

static const char *help_of(const struct command_group *group, const struct command *command)
{
    static char copy[16 * 1024];
    struct buf text = BUF_INIT;
    CHECK_OK(help_text(group, command, &text, &err), &err);
    CHECK_OK(buf_terminate(&text, &err), &err);
    assert_true(text.size < sizeof(copy));
    memcpy(copy, text.data, text.size + 1);
    buf_fini(&text);
    return copy;
}

static void help_names_every_command_group_option_and_exit_code(void **state)
{
    (void)state;
    size_t count = 0;
    const struct command *commands = command_all(&count);
    for (size_t i = 0; i < count; i++)
        CHECK_CONTAINS(help_of(NULL, NULL), commands[i].words);
    for (size_t i = 0; option_help[i].typed != NULL; i++)
        CHECK_CONTAINS(help_of(NULL, NULL), option_help[i].typed);
    for (size_t i = 0; i < exit_code_count; i++) {
        char start[24]; /* the rest may stand in the next line */
        (void)snprintf(start, sizeof(start), "  %d   %.12s", exit_codes[i].code,
                       exit_codes[i].says);
        CHECK_CONTAINS(help_of(NULL, NULL), start);
    }
    size_t group_count = 0;
    const struct command_group *groups = command_groups(&group_count);
    for (size_t i = 0; i < group_count; i++)
        CHECK_CONTAINS(help_of(&groups[i], NULL), groups[i].summary);
}

static void help_of_a_command_names_every_argument_and_shows_examples(void **state)
{
    (void)state;
    size_t count = 0;
    const struct command *commands = command_all(&count);
    for (size_t i = 0; i < count; i++) {
        const char *text = help_of(NULL, &commands[i]);
        size_t rule_count = 0;
        const struct argument_rule *rules = command_rules(&commands[i], &rule_count);
        for (size_t j = 0; j < rule_count; j++) {
            char shown[64];
            argument_shown(&rules[j], shown, sizeof(shown));
            CHECK_CONTAINS(text, shown);
            assert_non_null(rules[j].help);
        }
        CHECK_CONTAINS(text, commands[i].examples[0]);
    }
}

static void no_line_of_help_but_an_example_is_wider_than_a_terminal(void **state)
{
    (void)state;
    const char *text = help_of(NULL, NULL);
    while (*text != '\0') {
        size_t size = strcspn(text, "\n");
        assert_true(size <= 79);
        assert_true(size == 0 || text[size - 1] != ' ');
        text += size + (text[size] == '\n');
    }
}

static void the_manual_page_is_current(void **state)
{
    (void)state;
    struct buf page = BUF_INIT;
    CHECK_OK(help_manual(&page, &err), &err);
    FILE *file = fopen("docs/man/comityctl.1", "rb");
    assert_non_null(file);
    char *stored = mem_alloc(page.size + 2);
    assert_non_null(stored);
    size_t size = fread(stored, 1, page.size + 1, file);
    (void)fclose(file);
    if (size != page.size || memcmp(stored, page.data, size) != 0)
        print_error("docs/man/comityctl.1 is old: build/dev/bin/comityctl help --man > it\n");
    assert_int_equal(size, page.size);
    assert_memory_equal(stored, page.data, size);
    mem_free(stored);
    buf_fini(&page);
}

static void any_failing_allocation_fails_the_parser_alone(void **state)
{
    (void)state;
    for (uint64_t nth = 1;; nth++) {
        parse_fini(&in);
        reply_fini(&problems);
        reply_init(&problems);
        int count = split("comityctl given --to KE --from x --record 01");
        mem_fail_at(nth, false);
        enum status status = parse(count, words, &in, &problems, &err);
        bool hit = mem_fail_hit();
        mem_fail_at(0, false);
        assert_int_not_equal(status, OK);
        if (!hit)
            break;
    }
}

static void an_option_of_the_command_goes_before_one_of_comityctl(void **state)
{
    (void)state;
    static const char *const lines[] = { "comityctl excerpt show 018f3a --version 2",
                                         "comityctl stats show 018f3a --version=2",
                                         "comityctl stats export --version 2 018f3a" };
    for (size_t i = 0; i < COUNT(lines); i++) {
        CHECK_OK(parse_line(lines[i]), &err);
        assert_false(in.options.version);
        struct arguments arguments = { .request = &in.request };
        assert_string_equal(argument_text(&arguments, "version"), "2");
    }
    CHECK_OK(parse_line("comityctl --version excerpt show 018f3a"), &err);
    assert_true(in.options.version);
    CHECK_STATUS(parse_line("comityctl status --json=yes"), ERR_INVALID, &err);
    CHECK_CONTAINS(told(), "--json|yes|takes no value");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_command_that_does_not_exist_is_refused_with_the_nearest_one),
        TEST(every_problem_of_a_line_is_told_at_once_by_the_option_as_typed),
        TEST(words_and_options_that_do_not_belong_are_named),
        TEST(words_options_and_files_become_a_request),
        TEST(an_option_of_the_command_goes_before_one_of_comityctl),
        TEST(behind_two_dashes_everything_is_a_word),
        TEST(a_command_of_two_words_goes_before_one_of_the_first_alone),
        TEST(help_and_version_ask_for_nothing_else),
        TEST(every_example_parses_as_typed),
        TEST(every_operation_has_a_command_and_every_command_an_operation),
        TEST(help_names_every_command_group_option_and_exit_code),
        TEST(help_of_a_command_names_every_argument_and_shows_examples),
        TEST(no_line_of_help_but_an_example_is_wider_than_a_terminal),
        TEST(the_manual_page_is_current),
        TEST(any_failing_allocation_fails_the_parser_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
