/* The commands of comityctl as one table: it drives parsing, help, the man page and the tests. */
#ifndef COMITY_CLI_COMMAND_H
#define COMITY_CLI_COMMAND_H

#include "control/argument.h"

struct options; /* parse.h */

/* What a command that needs no daemon gets; it writes its answer as the daemon would. */
struct local_call {
    const struct options *options;
    struct arguments arguments;
    struct reply_writer *reply;
    struct realm realm; /* set by the command when it knows one */
};
typedef enum status command_fn(struct local_call *call, struct error *err);

struct command {
    const char *words;     /* "peer accept" */
    const char *operation; /* of control/operation.h; NULL: `run` does it here */
    command_fn *run;
    const struct argument_rule *rules; /* of a command without an operation */
    size_t rule_count;
    bool writes_file;            /* the answer may hold a file: takes --out */
    const char *summary;         /* one line, no full stop */
    const char *details;         /* paragraphs with a blank line between them */
    const char *const *examples; /* NULL-terminated; each works as typed */
};

struct command_group {
    const char *word;
    const char *summary;
};

const struct command *command_all(size_t *ret_count);
const struct command_group *command_groups(size_t *ret_count);

/* By its first word and, if it has two, its second (NULL: none).  A command of two words goes
 * before one of the first word alone. */
const struct command *command_find(const char *first, const char *second);
const struct command_group *command_group_find(const char *word); /* NULL when there is none */
bool command_has_two_words(const struct command *command);

const struct argument_rule *command_rules(const struct command *command, size_t *ret_count);
enum permit command_least(const struct command *command); /* PERMIT_NONE: needs no daemon */

#endif
