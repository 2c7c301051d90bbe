/* From the words of a command line to a request. */
#ifndef COMITY_CLI_PARSE_H
#define COMITY_CLI_PARSE_H

#include "cli/command.h"

/* Options that every command takes. */
struct options {
    const char *config; /* --config FILE */
    const char *socket; /* --socket PATH */
    const char *out;    /* --out FILE, of commands that give a file */
    bool json;
    bool plain;
    bool help;
    bool version;
};
struct option_text {
    const char *typed; /* "--config FILE" */
    const char *says;
};
extern const struct option_text option_help[]; /* ends with NULLs */

struct invocation {
    struct options options;
    const struct command_group *group; /* "comityctl consent --help" */
    const struct command *command;     /* NULL: none was named */
    struct request request;            /* values borrowed from argv; files not read yet */
};

/* Finds command and options and checks every value.  All problems go to *problems; then, or when
 * the command is unknown, ERR_INVALID.  With --help or --version nothing else is checked. */
MUST_CHECK enum status parse(int argc,
                             char **argv,
                             struct invocation *ret_invocation,
                             struct reply_writer *problems,
                             struct error *err);
void parse_fini(struct invocation *invocation);

/* The nearest of `count` words within two typing errors; NULL when none is near. */
const char *parse_nearest(const char *typed, const char *const *words, size_t count);

#endif
