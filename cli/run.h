/* comityctl from its words to its exit code. */
#ifndef COMITY_CLI_RUN_H
#define COMITY_CLI_RUN_H

#include "base/status.h"

#include <stdbool.h>
#include <stdio.h>

/* Where an answer goes, so that tests can look at it. */
struct streams {
    FILE *out;
    FILE *messages;
};

int run(int argc, char **argv, const struct streams *streams);
/* The exit code for the word of a status ("ok", "denied"); `problems`: some were listed. */
int run_exit_code(const char *status, bool problems);

#endif
