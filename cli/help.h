/* Help at each level, and the manual page, from the command table. */
#ifndef COMITY_CLI_HELP_H
#define COMITY_CLI_HELP_H

#include "cli/parse.h"

/* The text for "--help": of the command, of the group, or of comityctl. */
MUST_CHECK enum status help_text(const struct command_group *group,
                                 const struct command *command,
                                 struct buf *append_to,
                                 struct error *err);
/* man/comityctl.1 */
MUST_CHECK enum status help_manual(struct buf *append_to, struct error *err);

struct exit_code {
    int code;
    const char *says;
};
extern const struct exit_code exit_codes[];
extern const size_t exit_code_count;

enum {
    EXIT_OK = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_UNREACHABLE = 3,
    EXIT_PROBLEMS = 4,
    EXIT_DENIED = 5,
    EXIT_AGAIN = 6,
    EXIT_UNTRUE = 7
};

#endif
