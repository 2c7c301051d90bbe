/* An answer for a person or a program: tables, one item a line, or JSON.
 *
 * Whatever came from outside is escaped: control characters and those that change the direction of
 * writing never reach a terminal.
 */
#ifndef COMITY_CLI_RENDER_H
#define COMITY_CLI_RENDER_H

#include "wire/reply.h"

#include <stdio.h>

enum render_mode { RENDER_TABLE, RENDER_PLAIN, RENDER_JSON };

struct render {
    FILE *out;      /* what was asked for */
    FILE *messages; /* errors, problems; not used by RENDER_JSON */
    enum render_mode mode;
    size_t width; /* of the terminal; 0: not one, lines may be long */
};

/* Files (SECTION_BLOB) are left to the caller, except in JSON, which says how large they are. */
MUST_CHECK enum status render_reply(const struct render *render,
                                    const struct reply *reply,
                                    struct error *err);
/* "comityctl: what\nnext: what to do\n"; escaped. */
MUST_CHECK enum status render_error(FILE *out, const char *text, struct error *err);

/* The three writers, and what they share. */
MUST_CHECK enum status render_json(const struct render *render,
                                   const struct reply *reply,
                                   struct error *err);
MUST_CHECK enum status render_table(const struct render *render,
                                    const struct reply_section *section,
                                    struct error *err);
MUST_CHECK enum status render_plain(const struct render *render,
                                    const struct reply_section *section,
                                    struct error *err);
/* `text` escaped into *line, which is emptied first; gives it as a C string, NULL on failure. */
const char *render_escaped(struct buf *line, const char *text, bool keep_lines, struct error *err);
/* Splits "what; next: do" at the separator; *ret_next is NULL when there is none. */
void render_split(const char *text, size_t *ret_what_size, const char **ret_next);

#endif
