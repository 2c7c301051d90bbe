#include "node/config.h"

#include "base/counted.h"
#include "base/memory.h"
#include "node/config_key.h"
#include "node/config_lines.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is collected while inih walks through the file. */
struct parse {
    struct config config;
    struct config_lines lines;
    unsigned line_of[CONFIG_KEYS_MAX]; /* where a key stands; 0: nowhere yet */
};

static size_t find_key(const char *section, const char *key)
{
    size_t count = 0;
    const struct config_key *keys = config_keys(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(keys[i].section, section) == 0 && strcmp(keys[i].key, key) == 0)
            return i;
    return count;
}

static void set_key(struct parse *parse, size_t index, const char *value)
{
    const struct config_key *key = &config_keys(&(size_t){ 0 })[index];
    struct error err = ERROR_INIT;
    if (key->set(&parse->config, value, &err) != OK) {
        config_lines_problem(&parse->lines, parse->line_of[index],
                             "[%s] %s = \"%s\": %s; the rule: %s", key->section, key->key, value,
                             err.text, key->rule);
    }
}

/* One key of the file, from inih.  Always 1: problems are collected, not inih's first one. */
static int on_key(void *user, const char *section, const char *name, const char *value)
{
    struct parse *parse = user;
    size_t count = 0;
    (void)config_keys(&count);
    if (section[0] == '\0') {
        config_lines_problem(&parse->lines, parse->lines.line,
                             "%s: a key stands before the first [section]", name);
        return 1;
    }
    if (!config_key_section_is_known(section))
        return 1; /* said at the section's own line */
    size_t index = find_key(section, name);
    if (index == count) {
        config_lines_problem(&parse->lines, parse->lines.line,
                             "[%s] %s: there is no such key; next: see docs/CONFIGURATION.md",
                             section, name);
    } else if (parse->line_of[index] != 0) {
        config_lines_problem(&parse->lines, parse->lines.line,
                             "[%s] %s = \"%s\": stands at line %u already; the rule: once", section,
                             name, value, parse->line_of[index]);
    } else {
        parse->line_of[index] = parse->lines.line;
        set_key(parse, index, value);
    }
    return 1;
}

static void set_fallbacks(struct parse *parse)
{
    size_t count = 0;
    const struct config_key *keys = config_keys(&count);
    for (size_t i = 0; i < count; i++) {
        if (parse->line_of[i] != 0)
            continue;
        if (keys[i].fallback == NULL) {
            config_lines_problem(&parse->lines, 0, "[%s] %s: is missing; the rule: %s",
                                 keys[i].section, keys[i].key, keys[i].rule);
        } else {
            set_key(parse, i, keys[i].fallback);
        }
    }
}

static void check_together(struct parse *parse)
{
    const struct config *config = &parse->config;
    if (parse->lines.count == 0 && config->listen_host == NULL && !config->dial) {
        config_lines_problem(&parse->lines, parse->line_of[find_key("network", "dial")],
                             "[network] dial = \"no\" with nothing to listen on: the node could "
                             "never meet a peer; the rule: listen, dial, or both");
    }
}

enum status config_parse(const char *path,
                         struct span text,
                         struct config *ret_config,
                         struct buf *ret_problems,
                         struct error *err)
{
    if (text.size > CONFIG_MAX) {
        return error_set(err, ERR_LIMIT,
                         "%s: %zu bytes are more than the %d that a configuration "
                         "may have",
                         path, text.size, CONFIG_MAX);
    }
    struct parse parse = { .lines = config_lines_init(path, text) };
    parse.config.path = mem_strdup(path);
    (void)ini_parse_stream(config_lines_read, &parse.lines, on_key, &parse);
    set_fallbacks(&parse);
    check_together(&parse);
    enum status status = OK;
    if (parse.config.path == NULL || parse.lines.no_memory)
        status = error_set(err, ERR_MEMORY, "%s: no memory", path);
    else if (parse.lines.count > 0) {
        status = error_set(err, ERR_INVALID,
                           "%s: %s; next: mend them all, then run "
                           "comityd --check-config",
                           path, counted(parse.lines.count, "problem").text);
    }
    if (status == ERR_INVALID)
        *ret_problems = buf_move(&parse.lines.problems);
    if (status == OK)
        *ret_config = parse.config;
    else
        config_fini(&parse.config);
    buf_fini(&parse.lines.problems);
    return status;
}

static enum status read_file(int fd, struct buf *ret_text, struct error *err)
{
    for (;;) {
        uint8_t part[4096];
        ssize_t got = read(fd, part, sizeof(part));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set(err, ERR_IO, "%s", strerror(errno));
        if (got == 0)
            return OK;
        if (ret_text->size + (size_t)got > CONFIG_MAX)
            return error_set(err, ERR_LIMIT,
                             "larger than the %d bytes that it may have; next: see "
                             "that it is the right file",
                             CONFIG_MAX);
        enum status status = buf_append(ret_text, span_of(part, (size_t)got), err);
        if (status != OK)
            return status;
    }
}

enum status config_read(const char *path,
                        struct config *ret_config,
                        struct buf *ret_problems,
                        struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return error_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s; next: %s", path,
                         strerror(errno),
                         errno == EACCES ? "let the user as whom comityd runs read it"
                                         : "give the configuration with --config FILE, or make "
                                           "one with comityctl node init");
    }
    struct stat info;
    struct buf text = BUF_INIT;
    enum status status = OK;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        status = error_set(err, ERR_INVALID,
                           "not a regular file; next: give the configuration with --config FILE");
    else if ((info.st_mode & S_IWOTH) != 0)
        status = error_set(err, ERR_DENIED, "everybody may write it; next: chmod o-w %s", path);
    if (status == OK)
        status = read_file(fd, &text, err);
    (void)close(fd);
    if (status != OK)
        (void)error_prefix(err, "%s", path);
    else
        status = config_parse(path, buf_span(&text), ret_config, ret_problems, err);
    buf_fini(&text);
    return status;
}

void config_fini(struct config *config)
{
    if (config == NULL)
        return;
    mem_free(config->path);
    mem_free(config->name);
    mem_free(config->storage_directory);
    mem_free(config->identity_directory);
    mem_free(config->listen_host);
    mem_free(config->address);
    mem_free(config->control_socket);
    people_fini(&config->operators);
    people_fini(&config->approvers);
    people_fini(&config->auditors);
    *config = (struct config){ 0 };
}

struct config config_move(struct config *from)
{
    struct config moved = *from;
    *from = (struct config){ 0 };
    return moved;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

void config_take_reload(struct config *running, struct config *wanted)
{
    struct config old = *running;
    running->address = wanted->address;
    running->dial = wanted->dial;
    running->operators = wanted->operators;
    running->approvers = wanted->approvers;
    running->auditors = wanted->auditors;
    running->log_level = wanted->log_level;
    wanted->address = old.address;
    wanted->operators = old.operators;
    wanted->approvers = old.approvers;
    wanted->auditors = old.auditors;
}

enum status config_check_reload(const struct config *running,
                                const struct config *wanted,
                                struct error *err)
{
    const struct {
        const char *key;
        bool same;
    } fixed[] = {
        { "[node] realm", strcmp(running->realm.text, wanted->realm.text) == 0 },
        { "[node] code", code_equal(&running->code, &wanted->code) },
        { "[node] name", same_text(running->name, wanted->name) },
        { "[storage] directory", same_text(running->storage_directory, wanted->storage_directory) },
        { "[identity] directory",
          same_text(running->identity_directory, wanted->identity_directory) },
        { "[network] listen", same_text(running->listen_host, wanted->listen_host) &&
                                  running->listen_port == wanted->listen_port },
        { "[control] socket", same_text(running->control_socket, wanted->control_socket) },
    };
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        if (!fixed[i].same) {
            return error_set(err, ERR_WRONG_STATE,
                             "%s: %s cannot change while the node runs; next: restart it",
                             wanted->path, fixed[i].key);
        }
    }
    return OK;
}
