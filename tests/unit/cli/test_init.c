/* node init: everything that a new node needs, or nothing at all. */
#include "cli_scene.h"

static void refused_without(const char *said, const char *const *words)
{
    assert_int_not_equal(ctl_words(words), EXIT_OK);
    CHECK_CONTAINS(messages, said);
    assert_int_not_equal(access(scene_path("KE/comity.conf"), F_OK), 0);
}

#define INIT(...)                                                                                 \
    CTL_WORDS("node", "init", "--code", "KE", "--name", "Kenya", "--directory", scene_path("KE"), \
              __VA_ARGS__)

static void wrong_values_are_told_at_once_and_nothing_is_made(void **state)
{
    (void)state;
    refused_without("is not a realm", INIT("--realm", "Training!"));
    refused_without("2 problems",
                    INIT("--realm", "training", "--listen", "nowhere", "--address", "also:none"));
    CHECK_CONTAINS(messages, "--listen");
    CHECK_CONTAINS(messages, "--address");
    CHECK_CONTAINS(messages, "2 problems");
    refused_without("3 problems", INIT("--realm", "training", "--operators", "nobody-of-that-name",
                                       "--approvers", "root 4294967295", "--auditors", "@no-such"));
    CHECK_CONTAINS(messages, "there is no user \"nobody-of-that-name\"");
    CHECK_CONTAINS(messages, "there is no user \"4294967295\"");
    CHECK_CONTAINS(messages, "there is no group \"no-such\"");
    static const struct {
        const char *directory, *said;
    } rows[] = {
        { "/dev/null/KE", "cannot be made" },
        { "/dev/null", "is no directory" },
        { "/none/of/these", "make the directory above it" },
        { "/tmp/1234567890123456789012345678901234567890123456789012345678901234567890123456789012"
          "345678901",
          "control socket" },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        refused_without(rows[i].said,
                        CTL_WORDS("node", "init", "--code", "KE", "--name", "Kenya", "--realm",
                                  "training", "--directory", rows[i].directory));
}

static void a_node_is_never_overwritten(void **state)
{
    (void)state;
    make_node("KE", "Kenya");
    struct buf before = scene_read("KE/identity/anchor.key");
    CTL(EXIT_FAILED, "node", "init", "--realm", "training", "--code", "KE", "--name", "Kenya",
        "--directory", scene_path("KE"));
    CHECK_CONTAINS(messages, "a node is never overwritten");
    static const char *const parts[] = { "comity.conf", "identity", "data" };
    for (size_t i = 0; i < COUNT(parts); i++) { /* any of them alone is enough */
        assert_int_equal(mkdir(scene_path("GB"), 0755), 0);
        scene_write("bin/other", SPAN_LITERAL("x"), 0644);
        char part[64];
        (void)snprintf(part, sizeof(part), "GB/%s", parts[i]);
        if (i == 0) {
            scene_write(part, SPAN_LITERAL("x"), 0644);
        } else {
            assert_int_equal(mkdir(scene_path(part), 0755), 0);
            (void)snprintf(part, sizeof(part), "GB/%s/file", parts[i]);
            scene_write(part, SPAN_LITERAL("x"), 0644);
        }
        CTL(EXIT_FAILED, "node", "init", "--realm", "training", "--code", "GB", "--name", "B",
            "--directory", scene_path("GB"));
        CHECK_CONTAINS(messages, parts[i]);
        scene_remove(scene_path("GB"));
    }
    struct buf after = scene_read("KE/identity/anchor.key");
    assert_true(span_equal(buf_span(&before), buf_span(&after)));
    buf_fini(&before);
    buf_fini(&after);
}

static void a_new_node_has_keys_of_its_owner_a_card_and_a_configuration(void **state)
{
    (void)state;
    struct stat about;
    make_node("KE", "Kenya");
    CHECK_CONTAINS(shown, "move ");
    CHECK_CONTAINS(shown, "anchor.key away from this server");
    assert_int_equal(stat(scene_path("KE/identity/anchor.key"), &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    struct buf config = scene_read("KE/comity.conf");
    CHECK_OK(buf_terminate(&config, &err), &err);
    CHECK_CONTAINS((const char *)config.data, "code = KE");
    CHECK_CONTAINS((const char *)config.data, "approvers = 2002");
    buf_fini(&config);
    CTL(EXIT_OK, "node", "init", "--realm", "training", "--code", "UNODC", "--name", "Office",
        "--directory", scene_path("UNODC"), "--json");
    CHECK_CONTAINS(shown, "name at least one approver");
}

static void a_database_that_cannot_be_made_takes_all_back(void **state)
{
    (void)state;
    scene_write("bin/comityd", SPAN_LITERAL("#!/bin/sh\nexit 1\n"), 0755);
    refused_without("comityd --create did not succeed", INIT("--realm", "training"));
    assert_int_not_equal(access(scene_path("KE"), F_OK), 0);
    scene_write("bin/comityd", SPAN_LITERAL("#!/bin/sh\nkill -9 $$\n"), 0755);
    refused_without("comityd --create did not succeed", INIT("--realm", "training"));
    assert_int_equal(unlink(scene_path("bin/comityd")), 0);
    assert_int_equal(setenv("PATH", scene_path("bin"), 1), 0);
    refused_without("next: install comityd", INIT("--realm", "training"));
    assert_int_not_equal(access(scene_path("KE"), F_OK), 0);
}

/* Whole (also when only the answer could not be shown), and then taken away for the next attempt;
 * or nothing. */
static void whole_or_nothing(int code, bool hit)
{
    (void)hit;
    bool whole = access(scene_path("KE/comity.conf"), F_OK) == 0;
    if (whole) {
        assert_int_equal(access(scene_path("KE/identity/card.pem"), F_OK), 0);
        scene_remove(scene_path("KE"));
    }
    assert_true(whole || code != EXIT_OK);
    assert_int_not_equal(access(scene_path("KE"), F_OK), 0);
}

static void whatever_fails_nothing_is_left(void **state)
{
    (void)state;
    char directory[SCENE_PATH_SIZE]; /* scene_path() would be another by then */
    (void)snprintf(directory, sizeof(directory), "%s", scene_path("KE"));
    const char *const *words = CTL_WORDS("node", "init", "--code", "KE", "--name", "Kenya",
                                         "--directory", directory, "--realm", "training");
    ctl_sweep(FAULT_MEMORY, 0, words, whole_or_nothing);
    ctl_sweep(CALL_FAULT_CRYPTO, 0, words, whole_or_nothing);
    ctl_sweep(CALL_FAULT_SYSTEM, EIO, words, whole_or_nothing);
}

static void a_restore_needs_its_file_and_says_what_comes_next(void **state)
{
    (void)state;
    CTL(EXIT_OK, "--config", scene_path("x.conf"), "backup", "restore", scene_path("bulk"));
    CHECK_CONTAINS(shown, "Next: start comityd");
    scene_write("bin/comityd", SPAN_LITERAL("#!/bin/sh\nexit 3\n"), 0755);
    CTL(EXIT_FAILED, "backup", "restore", scene_path("bulk"));
    CHECK_CONTAINS(messages, "comityd --restore did not succeed");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_set_up, scene_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(wrong_values_are_told_at_once_and_nothing_is_made),
        TEST(a_node_is_never_overwritten),
        TEST(a_new_node_has_keys_of_its_owner_a_card_and_a_configuration),
        TEST(a_database_that_cannot_be_made_takes_all_back),
        TEST(whatever_fails_nothing_is_left),
        TEST(a_restore_needs_its_file_and_says_what_comes_next),
    };
    return cmocka_run_group_tests_name("init", tests, NULL, NULL);
}
