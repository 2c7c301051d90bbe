/* The lines of a configuration file, numbered, and cleared of what inih would take wrongly.
 *
 * inih has no line numbers for its errors, cuts a line at 199 bytes and reads the rest as the next
 * one, takes an indented line for more of the value before, accepts "key: value", cuts values at
 * " ;", ignores what follows a "]", and lets duplicates pass.  config_lines_read() is the reader
 * that it is given: it counts, says what is wrong with a line, and gives inih an empty one instead.
 */
#ifndef COMITY_NODE_CONFIG_LINES_H
#define COMITY_NODE_CONFIG_LINES_H

#include "base/span.h"

enum { CONFIG_PROBLEMS_MAX = 100 }; /* kept; the rest is counted */

struct config_lines {
    const char *path;
    struct span rest;
    unsigned line; /* number of the line that was given last */
    size_t count;  /* problems, also those without room in `problems` */
    struct buf problems;
    bool no_memory;
};

struct config_lines config_lines_init(const char *path, struct span text);
char *config_lines_read(char *line,
                        int size,
                        void *stream); /* an ini_reader: stream is a struct config_lines */
/* "PATH:LINE: text"; line 0 means the file as a whole. */
void config_lines_problem(struct config_lines *lines, unsigned line, const char *format, ...)
    PRINTF_LIKE(3, 4);

#endif
