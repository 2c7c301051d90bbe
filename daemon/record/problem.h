/* A bounded list of problems: everything wrong with a file at once, in the file's order.
 *
 * The first PROBLEMS_MAX are kept, the rest are counted.  Texts are escaped (text.h), so that they
 * can be printed as they are.  Adding never fails for the caller: when memory runs out the problem
 * is still counted.
 */
#ifndef COMITY_RECORD_PROBLEM_H
#define COMITY_RECORD_PROBLEM_H

#include "base/limits.h"
#include "base/span.h"

enum {
    PROBLEM_FIELD_SIZE = 48,
    PROBLEM_VALUE_SIZE = 96, /* escaped and cut, ending in "..." when it was longer */
    PROBLEM_RULE_SIZE = 256,
    PROBLEM_HINT_SIZE = 256
};

struct problem {
    uint32_t line;                  /* first is 1; 0: the file as a whole */
    uint32_t column;                /* field of its row, first is 1; 0: the whole line */
    char field[PROBLEM_FIELD_SIZE]; /* name of the column or field, may be "" */
    char value[PROBLEM_VALUE_SIZE]; /* what stands there, may be "" */
    char rule[PROBLEM_RULE_SIZE];   /* which rule it breaks: a sentence without a full stop */
    char hint[PROBLEM_HINT_SIZE];   /* what to do, may be "" */
};

struct problems {
    char file[NAME_MAX_BYTES + 1]; /* name to print, may be "" */
    struct problem *items;         /* `count` of them, owned */
    size_t count;
    size_t capacity;
    size_t total; /* found in all, >= count */
};

struct problem_place {
    uint32_t line;
    uint32_t column;
    const char *field; /* may be NULL */
};

void problems_init(struct problems *problems, const char *file); /* file may be NULL */
void problems_fini(struct problems *problems);
/* hint may be NULL.  The rule is a format. */
void problems_add(struct problems *problems,
                  struct problem_place place,
                  struct span value,
                  const char *hint,
                  const char *rule,
                  ...) PRINTF_LIKE(5, 6);
/* OK when there are none; otherwise ERR_INVALID with a summary: number, and the first of them. */
MUST_CHECK enum status problems_status(const struct problems *problems, struct error *err);
/* One line of text: `FILE:3: OBS_VALUE: "n/a": not a number; next: write NaN`, without a break. */
MUST_CHECK enum status problem_format(const struct problems *problems,
                                      const struct problem *problem,
                                      struct buf *append_to,
                                      struct error *err);

#endif
