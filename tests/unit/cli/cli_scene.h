/* comityctl as a person runs it, with a directory of its own (daemon_scene.h: and a daemon).
 *
 *     RUN("node", "init", "--directory", scene_path("KE"), ...);     exit code
 *     `shown` and `messages` hold what was printed
 */
#ifndef COMITY_TESTS_CLI_SCENE_H
#define COMITY_TESTS_CLI_SCENE_H

#include "base/memory.h"
#include "cli/help.h"
#include "cli/run.h"
#include "support/call_fault.h"
#include "support/check.h"
#include "wire/frame.h"
#include "wire/reply.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SCENE_WORDS_MAX = 48, SCENE_PATH_SIZE = 300 };

static struct error err;
static char scene_directory[64];
static char shown[65536];
static char messages[16384];
static bool scene_hit; /* what was armed failed in the last run */

static inline const char *scene_path(const char *name)
{
    static char paths[8][SCENE_PATH_SIZE];
    static unsigned next;
    char *path = paths[next++ % 8];
    (void)snprintf(path, SCENE_PATH_SIZE, "%s/%s", scene_directory, name);
    return path;
}

static inline void scene_write(const char *name, struct span bytes, mode_t mode)
{
    FILE *file = fopen(scene_path(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.data, 1, bytes.size, file), bytes.size);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(scene_path(name), mode), 0);
}

static inline struct buf scene_read(const char *name)
{
    struct buf bytes = BUF_INIT;
    uint8_t part[4096];
    FILE *file = fopen(scene_path(name), "rb");
    assert_non_null(file);
    for (size_t got = 1; got > 0;) {
        got = fread(part, 1, sizeof(part), file);
        CHECK_OK(buf_append(&bytes, span_of(part, got), &err), &err);
    }
    (void)fclose(file);
    return bytes;
}

static inline void scene_remove(const char *path)
{
    char inside[SCENE_PATH_SIZE];
    DIR *directory = opendir(path);
    const struct dirent *entry = NULL;
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        (void)snprintf(inside, sizeof(inside), "%.200s/%.90s", path, entry->d_name);
        if (unlink(inside) != 0)
            scene_remove(inside);
    }
    if (directory != NULL)
        (void)closedir(directory);
    (void)rmdir(path);
}

/* A directory, and first in PATH a comityd that does nothing, and well. */
static inline int scene_set_up(void **state)
{
    (void)state;
    err = (struct error)ERROR_INIT;
    (void)snprintf(scene_directory, sizeof(scene_directory), "/tmp/comity-cli-XXXXXX");
    if (mkdtemp(scene_directory) == NULL || mkdir(scene_path("bin"), 0755) != 0)
        return -1;
    scene_write("bin/comityd", SPAN_LITERAL("#!/bin/sh\nexit 0\n"), 0755);
    char path[SCENE_PATH_SIZE];
    (void)snprintf(path, sizeof(path), "%s:/usr/bin:/bin", scene_path("bin"));
    return setenv("PATH", path, 1);
}

static inline int scene_tear_down(void **state)
{
    (void)state;
    scene_remove(scene_directory);
    return 0;
}

static inline void scene_take(FILE *file, char *text, size_t size)
{
    rewind(file);
    size_t got = fread(text, 1, size - 1, file);
    text[got] = '\0';
    (void)fclose(file);
}

static inline int ctl_words(const char *const *words)
{
    char *argv[SCENE_WORDS_MAX + 1];
    int argc = 0;
    for (; words[argc] != NULL; argc++) {
        assert_true(argc < SCENE_WORDS_MAX);
        memcpy(&argv[argc], &words[argc], sizeof(argv[argc])); /* run() writes to none of them */
    }
    argv[argc] = NULL;
    struct streams streams = { tmpfile(), tmpfile() };
    assert_non_null(streams.out);
    assert_non_null(streams.messages);
    int code = run(argc, argv, &streams);
    scene_hit = mem_fail_hit() || call_fault_hit();
    call_fault_off();
    mem_fail_at(0, false);
    scene_take(streams.out, shown, sizeof(shown));
    scene_take(streams.messages, messages, sizeof(messages));
    return code;
}

#define CTL_WORDS(...) ((const char *const[]){ "comityctl", __VA_ARGS__, NULL })
#define RUN(...)       ctl_words(CTL_WORDS(__VA_ARGS__))

#define CTL(code, ...) ctl_check((code), CTL_WORDS(__VA_ARGS__), __FILE__, __LINE__)
static inline void ctl_check(int wanted, const char *const *words, const char *file, int line)
{
    int got = ctl_words(words);
    if (got == wanted)
        return;
    print_error("exit code %d instead of %d\n%s%s", got, wanted, shown, messages);
    _fail(file, line);
}

static inline void make_node(const char *code, const char *name)
{
    CTL(EXIT_OK, "node", "init", "--realm", "training", "--code", code, "--name", name,
        "--directory", scene_path(code), "--listen", "127.0.0.1:7700", "--address",
        "127.0.0.1:7700", "--approvers", "2002");
}

/* -- sweeping ---------------------------------------------------------------------------------- */

enum { FAULT_MEMORY = 0 };

/* A daemon of the test's is a thread, and may still hold what it has answered. */
static inline void scene_await_live(int64_t live)
{
    for (int i = 0; i < 500 && mem_live() != live; i++)
        (void)usleep(10 * 1000);
    assert_int_equal(mem_live(), live);
}

/* Runs the words with the nth allocation (kind FAULT_MEMORY) or call failing, for every n until
 * none is reached.  `after` (may be NULL) looks at each outcome. */
static inline void ctl_sweep(unsigned kind,
                             int number,
                             const char *const *words,
                             void (*after)(int code, bool hit))
{
    bool hit = true;
    const int64_t live = mem_live();
    for (uint64_t nth = 1; hit; nth++) {
        if (kind == FAULT_MEMORY)
            mem_fail_at(nth, false);
        else
            call_fault_at(kind, nth, number);
        int code = ctl_words(words);
        hit = scene_hit;
        if (!hit && code != EXIT_OK)
            fail_msg("exit code %d: %s", code, messages);
        if (hit && code != EXIT_OK)
            assert_true(messages[0] != '\0' || strstr(shown, "\"error\": \"") != NULL);
        scene_await_live(live);
        if (after != NULL)
            after(code, hit);
    }
}

#endif
