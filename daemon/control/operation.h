/* Every operation of the control socket: its name, the least permit, and what it takes.
 *
 * One table for both ends: comityctl builds its command line and its help from it, comityd checks
 * requests against it.  What an operation means is in admin.
 */
#ifndef COMITY_CONTROL_OPERATION_H
#define COMITY_CONTROL_OPERATION_H

#include "control/access.h"

enum argument_kind {
    ARGUMENT_TEXT,   /* UTF-8, at most `max` bytes (NAME_MAX_BYTES when 0) */
    ARGUMENT_CODE,   /* KE, UNODC */
    ARGUMENT_TIME,   /* 2026-03-01, or 2026-03-01T09:30:00Z */
    ARGUMENT_NUMBER, /* 0 to `max` */
    ARGUMENT_ID,     /* 6 to 32 hexadecimal digits: an id or the beginning of one */
    ARGUMENT_DIGEST, /* 64 hexadecimal digits; blanks, colons and dashes between them are ignored */
    ARGUMENT_CHOICE, /* one of `choices` */
    ARGUMENT_FLAG,   /* there or not */
    ARGUMENT_FILE    /* an attachment */
};

struct argument_rule {
    const char *name; /* "valid-until" */
    enum argument_kind kind;
    bool required;
    bool repeatable;
    uint64_t min; /* of a number */
    uint64_t max;
    const char *const *choices;                                 /* NULL-terminated */
    enum status (*check)(const char *value, struct error *err); /* of a text; NULL: any */
    const char
        *shown; /* NULL: typed as "--name"; otherwise "PEER", typed without dashes, in order */
    const char *help; /* one line, no full stop */
    bool journalled;  /* free text that stands in the journal, and says so */
};

struct operation {
    const char *name; /* "peer.accept" */
    enum permit least;
    const struct argument_rule *rules;
    size_t rule_count;
};

const struct operation *operation_find(const char *name); /* NULL when there is none */
const struct operation *operation_all(size_t *ret_count);

#endif
