#include "cli/parse.h"

#include "base/counted.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

enum { NAME_SIZE = 64, RULE_SIZE = 160, NEAREST_MAX = 128 };

const struct option_text option_help[] = {
    { "--config FILE", "configuration of the node (default: /etc/comity/comity.conf)" },
    { "--socket PATH", "control socket, instead of the one that the configuration names" },
    { "--json", "answer as one JSON object" },
    { "--plain", "one item a line, without lines and columns, for screen readers" },
    { "--out FILE", "where a command gives a file: write it there (it must not exist)" },
    { "--help", "explain the command, the group or comityctl, and do nothing" },
    { "--version", "print the version, and do nothing" },
    { NULL, NULL },
};

struct parser {
    int argc;
    char **argv;
    int at;
    struct invocation in;
    struct reply_writer *problems;
    const struct argument_rule *rules;
    size_t rule_count;
    bool words_only; /* behind "--" */
};

static void report(struct parser *p, const char *field, const char *value, const char *rule)
{
    reply_problem(p->problems, &(struct reply_problem){
                                   .file = "", .field = field, .value = value, .rule = rule });
}

/* -- the nearest word -------------------------------------------------------------------------- */

static unsigned smaller(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Levenshtein distance; words longer than NAME_SIZE count as far away. */
static unsigned distance(const char *a, const char *b)
{
    size_t a_size = strnlen(a, NAME_SIZE);
    size_t b_size = strnlen(b, NAME_SIZE);
    if (a_size == NAME_SIZE || b_size == NAME_SIZE)
        return NAME_SIZE;
    unsigned row[NAME_SIZE + 1];
    for (size_t j = 0; j <= b_size; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= a_size; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_size; j++) {
            unsigned replaced = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = smaller(replaced, smaller(row[j], row[j - 1]) + 1);
        }
    }
    return row[b_size];
}

const char *parse_nearest(const char *typed, const char *const *words, size_t count)
{
    const char *best = NULL;
    unsigned best_distance = 3;
    for (size_t i = 0; i < count; i++) {
        unsigned d = distance(typed, words[i]);
        if (d < best_distance && d < strlen(words[i])) {
            best = words[i];
            best_distance = d;
        }
    }
    return best;
}

/* -- options ----------------------------------------------------------------------------------- */

/* The value of the option at p->at: behind '=', or the next word.  NULL when there is none. */
static const char *take_value(struct parser *p, const char *typed, const char *inline_value)
{
    if (inline_value != NULL)
        return inline_value;
    if (p->at < p->argc && strncmp(p->argv[p->at], "--", 2) != 0)
        return p->argv[p->at++];
    report(p, typed, "",
           "needs a value behind it (a value that begins with -- is written --x=--y)");
    return NULL;
}

static bool take_switch(struct parser *p, const char *name)
{
    const struct {
        const char *name;
        bool *to;
    } switches[] = {
        { "--json", &p->in.options.json },       { "--plain", &p->in.options.plain },
        { "--help", &p->in.options.help },       { "-h", &p->in.options.help },
        { "--version", &p->in.options.version },
    };
    for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
        if (strcmp(switches[i].name, name) == 0) {
            *switches[i].to = true;
            return true;
        }
    }
    return false;
}

static bool take_global(struct parser *p, const char *name, const char *inline_value)
{
    const struct {
        const char *name;
        const char **to;
    } values[] = {
        { "--config", &p->in.options.config },
        { "--socket", &p->in.options.socket },
        { "--out", &p->in.options.out },
    };
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        if (strcmp(values[i].name, name) != 0)
            continue;
        if (*values[i].to != NULL)
            report(p, name, "", "can be given once only");
        *values[i].to = take_value(p, name, inline_value);
        return true;
    }
    if (!take_switch(p, name))
        return false;
    if (inline_value != NULL)
        report(p, name, inline_value, "takes no value");
    return true;
}

/* The command has an option of this name (--version N of a record), which goes before ours. */
static bool is_own_option(const struct parser *p, const char *name)
{
    for (size_t i = 0; i < p->rule_count; i++) {
        if (p->rules[i].shown == NULL && strncmp(name, "--", 2) == 0 &&
            strcmp(p->rules[i].name, name + 2) == 0)
            return true;
    }
    return false;
}

static void report_unknown_option(struct parser *p, const char *name)
{
    const char *names[NEAREST_MAX];
    size_t count = 0;
    for (size_t i = 0; i < p->rule_count && count < NEAREST_MAX; i++)
        if (p->rules[i].shown == NULL)
            names[count++] = p->rules[i].name;
    const char *nearest = parse_nearest(name + 2, names, count);
    char rule[RULE_SIZE] = "no such option here";
    if (nearest != NULL)
        (void)snprintf(rule, sizeof(rule), "no such option here; did you mean --%s?", nearest);
    report(p, name, "", rule);
}

static void add_argument(struct parser *p, const struct argument_rule *rule, const char *value)
{
    struct request *request = &p->in.request;
    if (rule->kind == ARGUMENT_FILE) {
        request->files[request->file_count++] =
            (struct request_file){ rule->name, value, SPAN_EMPTY };
    } else {
        request->arguments[request->argument_count++] =
            (struct request_argument){ rule->name, value };
    }
}

static void take_option(struct parser *p, const char *name, const char *inline_value)
{
    for (size_t i = 0; i < p->rule_count; i++) {
        const struct argument_rule *rule = &p->rules[i];
        if (rule->shown != NULL || strcmp(rule->name, name + 2) != 0)
            continue;
        if (rule->kind == ARGUMENT_FLAG) {
            add_argument(p, rule, inline_value == NULL ? "yes" : inline_value);
            return;
        }
        const char *value = take_value(p, name, inline_value);
        if (value != NULL)
            add_argument(p, rule, value);
        return;
    }
    report_unknown_option(p, name);
    if (inline_value == NULL && p->at < p->argc && p->argv[p->at][0] != '-')
        p->at++; /* most likely its value: one typing error is one problem */
}

/* An option at p->at, split at '='. */
static void take_dashes(struct parser *p)
{
    const char *word = p->argv[p->at++];
    const char *equals = strchr(word, '=');
    char name[NAME_SIZE];
    int size = equals == NULL ? (int)strlen(word) : (int)(equals - word);
    (void)snprintf(name, sizeof(name), "%.*s", size, word);
    const char *inline_value = equals == NULL ? NULL : equals + 1;
    if (!is_own_option(p, name) && take_global(p, name, inline_value))
        return;
    if (p->in.command == NULL)
        report(p, name, "", "no such option here; options of a command stand behind it");
    else if (strncmp(name, "--", 2) != 0)
        report(p, name, "", "no such option here; options have two dashes and a whole word");
    else
        take_option(p, name, inline_value);
}

/* -- words ------------------------------------------------------------------------------------- */

static bool is_filled(const struct parser *p, const struct argument_rule *rule)
{
    struct arguments so_far = { &p->in.request, p->rules, p->rule_count };
    return !rule->repeatable && argument_given(&so_far, rule->name);
}

static void take_word(struct parser *p)
{
    const char *word = p->argv[p->at++];
    for (size_t i = 0; i < p->rule_count; i++) {
        if (p->rules[i].shown != NULL && !is_filled(p, &p->rules[i])) {
            add_argument(p, &p->rules[i], word);
            return;
        }
    }
    report(p, word, "", "one word too many");
}

static enum status unknown_command(const struct parser *p,
                                   const char *first,
                                   const char *second,
                                   struct error *err)
{
    const char *words[NEAREST_MAX];
    size_t found = 0;
    size_t count = 0;
    const struct command *commands = command_all(&count);
    for (size_t i = 0; i < count && found < NEAREST_MAX; i++)
        words[found++] = commands[i].words;
    char typed[2 * NAME_SIZE];
    (void)snprintf(typed, sizeof(typed), "%.60s%s%.60s", first, second == NULL ? "" : " ",
                   second == NULL ? "" : second);
    const char *nearest = parse_nearest(typed, words, found);
    if (nearest == NULL)
        nearest = parse_nearest(first, words, found);
    if (nearest != NULL)
        return error_set(err, ERR_INVALID, "there is no command '%s'; next: comityctl %s --help",
                         typed, nearest);
    return error_set(err, ERR_INVALID, "there is no command '%s'; next: comityctl %s%s--help",
                     typed, p->in.group == NULL ? "" : first, p->in.group == NULL ? "" : " ");
}

/* One or two words that name a command or a group. */
static enum status take_command(struct parser *p, struct error *err)
{
    const char *first = p->argv[p->at];
    const char *second = p->at + 1 < p->argc ? p->argv[p->at + 1] : NULL;
    const struct command *command = command_find(first, second);
    p->in.group = command_group_find(first);
    if (command == NULL && p->in.group != NULL && (second == NULL || second[0] == '-')) {
        p->at++;
        return OK; /* the group alone */
    }
    if (command == NULL)
        return unknown_command(p, first, second, err);
    p->at += command_has_two_words(command) ? 2 : 1;
    p->in.command = command;
    p->in.request.operation = command->operation == NULL ? command->words : command->operation;
    p->rules = command_rules(command, &p->rule_count);
    return OK;
}

static enum status take_all(struct parser *p, struct error *err)
{
    while (p->at < p->argc) {
        const char *word = p->argv[p->at];
        if (!p->words_only && strcmp(word, "--") == 0) {
            p->words_only = true;
            p->at++;
        } else if (!p->words_only && word[0] == '-' && word[1] != '\0') {
            take_dashes(p);
        } else if (p->in.command != NULL) {
            take_word(p);
        } else if (p->in.group != NULL) {
            return unknown_command(p, p->in.group->word, word, err);
        } else {
            enum status status = take_command(p, err);
            if (status != OK)
                return status;
        }
    }
    return OK;
}

/* -- the whole --------------------------------------------------------------------------------- */

static enum status check(struct parser *p, struct error *err)
{
    const struct options *options = &p->in.options;
    if (options->help || options->version)
        return OK;
    if (p->in.command == NULL && p->in.group != NULL)
        return error_set(err, ERR_INVALID, "'%s' needs another word; next: comityctl %s --help",
                         p->in.group->word, p->in.group->word);
    if (options->json && options->plain)
        report(p, "--plain", "", "does not go together with --json");
    if (p->in.command == NULL)
        return OK;
    if (options->out != NULL && !p->in.command->writes_file)
        report(p, "--out", options->out, "this command gives no file");
    struct arguments arguments = { &p->in.request, p->rules, p->rule_count };
    struct error ignored = ERROR_INIT;
    if (argument_check(&arguments, p->problems, &ignored) == OK &&
        reply_problem_count(p->problems) == 0)
        return OK;
    size_t count = reply_problem_count(p->problems);
    return error_set(err, ERR_INVALID, "%s in the command line; next: comityctl %s --help",
                     counted(count, "problem").text, p->in.command->words);
}

enum status parse(int argc,
                  char **argv,
                  struct invocation *ret_invocation,
                  struct reply_writer *problems,
                  struct error *err)
{
    struct parser p = { .argc = argc, .argv = argv, .at = 1, .problems = problems };
    size_t room = argc < 1 ? 1 : (size_t)argc;
    p.in.request.arguments = mem_calloc(room, sizeof(struct request_argument));
    p.in.request.files = mem_calloc(room, sizeof(struct request_file));
    enum status status = OK;
    if (p.in.request.arguments == NULL || p.in.request.files == NULL)
        status = error_set(err, ERR_MEMORY, "no memory for %d words", argc);
    if (status == OK)
        status = take_all(&p, err);
    if (status == OK)
        status = check(&p, err);
    if (status == OK && reply_problem_count(problems) > 0 && !p.in.options.help)
        status = error_set(err, ERR_INVALID, "%s in the command line; next: comityctl --help",
                           counted(reply_problem_count(problems), "problem").text);
    *ret_invocation = p.in; /* also on failure: how to show the problems stands in it */
    return status;
}

void parse_fini(struct invocation *invocation)
{
    for (size_t i = 0; i < invocation->request.file_count; i++) {
        struct buf bytes = BUF_INIT; /* what attach() read became a span */
        memcpy(&bytes.data, &invocation->request.files[i].bytes.data, sizeof(bytes.data));
        buf_fini(&bytes);
    }
    mem_free(invocation->request.arguments);
    mem_free(invocation->request.files);
    *invocation = (struct invocation){ 0 };
}
