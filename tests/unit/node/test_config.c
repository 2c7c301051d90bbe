#include "node/config.h"

#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NODE    "[node]\nrealm = training\ncode = KE\nname = Kenya\n"
#define CONTROL "[control]\noperators = 1001\n"
#define MINIMAL NODE CONTROL

static enum status parse(const char *text, struct config *config, struct buf *problems)
{
    return config_parse("c", span_text(text), config, problems, NULL);
}

static void config_refuses(const char *text, const char *expected)
{
    struct config config;
    struct buf problems = BUF_INIT;
    assert_int_equal(parse(text, &config, &problems), ERR_INVALID);
    assert_int_equal(buf_terminate(&problems, NULL), OK);
    if (strstr((char *)problems.data, expected) == NULL)
        fail_msg("\"%s\" is not in:\n%s", expected, (char *)problems.data);
    buf_fini(&problems);
}

static void config_names_line_value_and_rule_of_each_problem(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        { MINIMAL "[network]\nlisten = here\n", "c:8: [network] listen = \"here\"" },
        { MINIMAL "[network]\nlisten = [::1:80\n", "c:8: [network] listen" },
        { MINIMAL "[network]\nlisten = a b:80\n", "no host name" },
        { MINIMAL "[network]\nlisten = x:65536\n", "no port from 0 to 65535" },
        { MINIMAL "[network]\naddress = x:0\n", "nobody can call port 0" },
        { MINIMAL "[network]\ndial = maybe\n", "yes or no" },
        { MINIMAL "[network]\ndial = no\n", "c:8: [network] dial" },
        { MINIMAL "[network]\nspeed = 1\n", "c:8: [network] speed: there is no" },
        { MINIMAL "[storage]\ndirectory = x\n", "is not an absolute path" },
        { MINIMAL "[log]\nlevel = loud\n", "error, warning, info or debug" },
        { MINIMAL "[nonsense]\nkey = 1\n", "c:7: \"[nonsense]\": there is no" },
        { MINIMAL "[log] x\n", "c:7:" },
        { MINIMAL "level info\n", "c:7: \"level info\": a line is" },
        { MINIMAL "level: info\n", "c:7:" },
        { MINIMAL "= info\n", "a key is missing" },
        { MINIMAL " auditors = 1\n", "c:7: \" auditors = 1\": begins" },
        { MINIMAL "auditors = 1 ; ana\n", "a comment stands on a line" },
        { MINIMAL "auditors = \xff\n", "not UTF-8" },
        { MINIMAL "auditors = \x1b[31m\n", "control a terminal" },
        { MINIMAL "auditors = nobody-here-x\n", "no user \"nobody-here-x\"" },
        { MINIMAL "auditors = @nobody-here-x\n", "no group \"nobody-here-x\"" },
        { MINIMAL "auditors = 4294967295\n", "auditors" },
        { MINIMAL "operators = 1\n", "c:7: [control] operators = \"1\": stands at line 6" },
        { "realm = live\n" MINIMAL, "c:1: realm: a key stands before" },
        { NODE, "[control] operators: is missing" },
        { CONTROL, "[node] code: is missing" },
        { "[node]\nrealm = Live\ncode = KE\nname = x\n" CONTROL, "c:2: [node] realm = \"Live\"" },
        { "[node]\nrealm = live\ncode = kenya\nname = x\n" CONTROL, "c:3: [node] code" },
        { "[node]\nrealm = live\ncode = KE\nname =\n" CONTROL, "c:4: [node] name" },
        { MINIMAL "[control]\nsocket = /0123456789012345678901234567890123456789012345678901234567"
                  "890123456789012345678901234567890123456789012345678901\n",
          "more than 107" },
        { MINIMAL "[log]\n# a comment\n; another\n\nlevel = x\n", "c:11: [log] level" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        config_refuses(cases[i].text, cases[i].expected);
}

static void config_refuses_a_line_that_inih_would_cut(void **state)
{
    (void)state;
    char text[1024];
    snprintf(text, sizeof(text), "%sauditors = %0250d\n", MINIMAL, 7);
    config_refuses(text, "c:7:");
    config_refuses(text, "the rule: a line has at most 197");
}

static void config_reports_all_problems_at_once(void **state)
{
    (void)state;
    struct config config;
    struct buf problems = BUF_INIT;
    struct error err = ERROR_INIT;
    const char *text = "[node]\nrealm = X\ncode = y\nname =\n[network]\nlisten = z\ndial = w\n";
    assert_int_equal(config_parse("f", span_text(text), &config, &problems, &err), ERR_INVALID);
    size_t lines = 0;
    for (size_t i = 0; i < problems.size; i++)
        lines += problems.data[i] == '\n';
    assert_int_equal(lines, 6); /* five values and the missing operators */
    assert_non_null(strstr(err.text, "6 problems"));
    buf_fini(&problems);
}

static void config_counts_what_it_does_not_print(void **state)
{
    (void)state;
    struct buf text = BUF_INIT, problems = BUF_INIT;
    struct config config;
    struct error err = ERROR_INIT;
    assert_int_equal(buf_append_text(&text, MINIMAL, NULL), OK);
    for (int i = 0; i < 150; i++)
        assert_int_equal(buf_append_text(&text, "nonsense\n", NULL), OK);
    assert_int_equal(config_parse("f", buf_span(&text), &config, &problems, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "150 problems"));
    size_t lines = 0;
    for (size_t i = 0; i < problems.size; i++)
        lines += problems.data[i] == '\n';
    assert_int_equal(lines, 101);
    buf_fini(&text);
    buf_fini(&problems);
}

static void config_refuses_a_file_that_is_too_large_or_not_there(void **state)
{
    (void)state;
    struct config config;
    struct buf problems = BUF_INIT, text = BUF_INIT;
    struct error err = ERROR_INIT;
    assert_int_equal(buf_append_zeros(&text, CONFIG_MAX + 1, NULL), OK);
    assert_int_equal(config_parse("f", buf_span(&text), &config, &problems, &err), ERR_LIMIT);
    buf_fini(&text);
    assert_int_equal(config_read("/nonexistent/c", &config, &problems, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "next: "));
    assert_int_equal(config_read("/dev", &config, &problems, &err), ERR_INVALID);
    assert_int_equal(config_read("/dev/null/c", &config, &problems, &err), ERR_IO);
    assert_non_null(strstr(err.text, "next: "));
    char path[] = "/tmp/comity-config-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, CONFIG_MAX + 1), 0);
    close(fd);
    assert_int_equal(config_read(path, &config, &problems, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "larger than the"));
    unlink(path);
}

static void config_refuses_a_file_that_everybody_may_write(void **state)
{
    (void)state;
    char path[] = "/tmp/comity-config-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, MINIMAL, sizeof(MINIMAL) - 1), sizeof(MINIMAL) - 1);
    assert_int_equal(fchmod(fd, 0666), 0);
    close(fd);
    struct config config;
    struct buf problems = BUF_INIT;
    struct error err = ERROR_INIT;
    assert_int_equal(config_read(path, &config, &problems, &err), ERR_DENIED);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(config_read(path, &config, &problems, &err), OK);
    assert_string_equal(config.path, path);
    config_fini(&config);
    unlink(path);
}

static void config_takes_a_whole_file(void **state)
{
    (void)state;
    struct config config;
    struct buf problems = BUF_INIT;
    const char *text =
        "\xef\xbb\xbf# comment\r\n[node]\r\nrealm = live\r\ncode=UNODC\r\nname = Office = "
        "one\r\n\r\n[storage]\ndirectory = /srv/db\n[identity]\ndirectory = /srv/id\n"
        "[network]\nlisten = [2001:db8::1]:7400\naddress = n.example:7400\n"
        "dial = no\n[control]\nsocket = /run/x\noperators = 1001, @1002\n"
        "approvers = root\nauditors =\n[log]\nlevel = debug";
    assert_int_equal(parse(text, &config, &problems), OK);
    assert_string_equal(config.realm.text, "live");
    assert_string_equal(config.code.text, "UNODC");
    assert_string_equal(config.name, "Office = one");
    assert_string_equal(config.storage_directory, "/srv/db");
    assert_string_equal(config.identity_directory, "/srv/id");
    assert_string_equal(config.listen_host, "2001:db8::1");
    assert_int_equal(config.listen_port, 7400);
    assert_string_equal(config.address, "n.example:7400");
    assert_false(config.dial);
    assert_string_equal(config.control_socket, "/run/x");
    assert_int_equal(config.log_level, LOG_LEVEL_DEBUG);
    assert_true(people_include(&config.operators, 1001, NULL, 0));
    assert_true(people_include(&config.operators, 7, (gid_t[]){ 5, 1002 }, 2));
    assert_false(people_include(&config.operators, 7, (gid_t[]){ 5 }, 1));
    assert_true(people_include(&config.approvers, 0, NULL, 0));
    assert_false(people_include(&config.auditors, 0, NULL, 0));
    config_fini(&config);
}

static void config_has_fallbacks_for_what_may_be_left_out(void **state)
{
    (void)state;
    struct config config;
    struct buf problems = BUF_INIT;
    assert_int_equal(parse(MINIMAL, &config, &problems), OK);
    assert_string_equal(config.storage_directory, "/var/lib/comity");
    assert_null(config.listen_host);
    assert_null(config.address);
    assert_true(config.dial);
    config_fini(&config);
}

static void config_reload_refuses_what_needs_a_restart(void **state)
{
    (void)state;
    static const struct {
        const char *text, *key;
    } cases[] = {
        { "[node]\nrealm = live\ncode = KE\nname = Kenya\n" CONTROL, "realm" },
        { "[node]\nrealm = training\ncode = GB\nname = Kenya\n" CONTROL, "code" },
        { "[node]\nrealm = training\ncode = KE\nname = K\n" CONTROL, "name" },
        { MINIMAL "[storage]\ndirectory = /x\n", "[storage] directory" },
        { MINIMAL "[identity]\ndirectory = /x\n", "[identity] directory" },
        { MINIMAL "[network]\nlisten = x:1\n", "listen" },
        { MINIMAL "socket = /x\n", "socket" },
    };
    struct config running;
    struct buf problems = BUF_INIT;
    assert_int_equal(parse(MINIMAL, &running, &problems), OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct config wanted;
        struct error err = ERROR_INIT;
        assert_int_equal(parse(cases[i].text, &wanted, &problems), OK);
        assert_int_equal(config_check_reload(&running, &wanted, &err), ERR_WRONG_STATE);
        assert_non_null(strstr(err.text, cases[i].key));
        config_fini(&wanted);
    }
    struct config wanted;
    assert_int_equal(parse(MINIMAL "auditors = 5\n[log]\nlevel = error\n", &wanted, &problems), OK);
    assert_int_equal(config_check_reload(&running, &wanted, NULL), OK);
    config_take_reload(&running, &wanted);
    config_fini(&wanted);
    assert_true(people_include(&running.auditors, 5, NULL, 0));
    assert_int_equal(running.log_level, LOG_LEVEL_ERROR);
    config_fini(&running);
}

/* docs/CONFIGURATION.md has a row for every key, with its rule and its default, and no other. */
static void config_documentation_has_every_key(void **state)
{
    (void)state;
    FILE *file = fopen("docs/CONFIGURATION.md", "r");
    assert_non_null(file);
    static char text[64 * 1024];
    size_t size = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[size] = '\0';
    size_t count = 0, rows = 0;
    const struct config_key *keys = config_keys(&count);
    for (size_t i = 0; i < count; i++) {
        char row[512];
        snprintf(row, sizeof(row), "| `%s` | `%s` | %s | %s%s%s |", keys[i].section, keys[i].key,
                 keys[i].rule, keys[i].fallback == NULL ? "required" : "`",
                 keys[i].fallback == NULL ? "" : keys[i].fallback,
                 keys[i].fallback == NULL ? "" : "`");
        if (keys[i].fallback != NULL && keys[i].fallback[0] == '\0')
            snprintf(row, sizeof(row), "| `%s` | `%s` | %s | empty |", keys[i].section, keys[i].key,
                     keys[i].rule);
        if (strstr(text, row) == NULL)
            fail_msg("docs/CONFIGURATION.md has no line\n%s", row);
    }
    for (const char *at = text; (at = strstr(at, "\n| `")) != NULL; at++)
        rows++;
    assert_int_equal(rows, count);
}

/* As text in roff. */
static void put_roff(char *out, size_t size, const char *text)
{
    size_t used = 0;
    for (; *text != '\0' && used + 3 < size; text++) {
        if (*text == '-')
            out[used++] = '\\';
        out[used++] = *text;
    }
    out[used] = '\0';
}

/* docs/man/comity.conf.5 has the same keys with the same rules and defaults, and no other. */
static void config_manual_page_has_every_key(void **state)
{
    (void)state;
    static char text[64 * 1024];
    FILE *file = fopen("docs/man/comity.conf.5", "r");
    assert_non_null(file);
    size_t size = fread(text, 1, sizeof(text) - 1, file);
    (void)fclose(file);
    text[size] = '\0';
    char *end = strstr(text, ".SH PEOPLE\n");
    assert_non_null(end);
    *end = '\0';
    size_t count = 0, terms = 0;
    const struct config_key *keys = config_keys(&count);
    for (size_t i = 0; i < count; i++) {
        char rule[512], fallback[256], term[1024];
        put_roff(rule, sizeof(rule), keys[i].rule);
        put_roff(fallback, sizeof(fallback), keys[i].fallback == NULL ? "" : keys[i].fallback);
        snprintf(term, sizeof(term), ".TP\n.B %s\n%s.\n%s%s\n", keys[i].key, rule,
                 keys[i].fallback == NULL      ? "Required."
                 : keys[i].fallback[0] == '\0' ? "Default: empty."
                                               : "Default: ",
                 fallback);
        if (fallback[0] != '\0')
            snprintf(term, sizeof(term), ".TP\n.B %s\n%s.\nDefault: %s.\n", keys[i].key, rule,
                     fallback);
        if (strstr(text, term) == NULL)
            fail_msg("docs/man/comity.conf.5 has no term\n%s", term);
    }
    for (const char *at = text; (at = strstr(at, "\n.TP\n")) != NULL; at++)
        terms++;
    assert_int_equal(terms, count);
}

static void config_survives_memory_that_runs_out(void **state)
{
    (void)state;
    const char *text = MINIMAL "nonsense\n[network]\nlisten = x:1\n[control]\nauditors = 1 @2\n";
    for (uint64_t i = 1;; i++) {
        struct config config;
        struct buf problems = BUF_INIT;
        int64_t before = mem_live();
        mem_fail_at(i, true);
        enum status status = parse(text, &config, &problems);
        bool hit = mem_fail_hit();
        mem_fail_at(0, false);
        assert_true(status != OK); /* the file has a problem */
        buf_fini(&problems);
        assert_int_equal(mem_live(), before);
        if (!hit)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(config_names_line_value_and_rule_of_each_problem),
        cmocka_unit_test(config_refuses_a_line_that_inih_would_cut),
        cmocka_unit_test(config_reports_all_problems_at_once),
        cmocka_unit_test(config_counts_what_it_does_not_print),
        cmocka_unit_test(config_refuses_a_file_that_is_too_large_or_not_there),
        cmocka_unit_test(config_refuses_a_file_that_everybody_may_write),
        cmocka_unit_test(config_takes_a_whole_file),
        cmocka_unit_test(config_has_fallbacks_for_what_may_be_left_out),
        cmocka_unit_test(config_reload_refuses_what_needs_a_restart),
        cmocka_unit_test(config_documentation_has_every_key),
        cmocka_unit_test(config_manual_page_has_every_key),
        cmocka_unit_test(config_survives_memory_that_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
