#include "record/problem.h"

#include "base/counted.h"
#include "base/memory.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

void problems_init(struct problems *problems, const char *file)
{
    *problems = (struct problems){ .items = NULL };
    text_escape_cut(span_text(file), problems->file, sizeof(problems->file));
}

void problems_fini(struct problems *problems)
{
    if (problems == NULL)
        return;
    mem_free(problems->items);
    problems->items = NULL;
    problems->count = problems->capacity = problems->total = 0;
}

/* NULL when the list is full, at its bound or for want of memory: the problem is then only counted.
 */
static struct problem *next_slot(struct problems *problems)
{
    if (problems->count == PROBLEMS_MAX)
        return NULL;
    if (problems->count == problems->capacity) {
        size_t capacity = problems->capacity == 0 ? 8 : problems->capacity * 2;
        struct problem *items = mem_realloc(problems->items, capacity * sizeof(*items));
        if (items == NULL)
            return NULL;
        problems->items = items;
        problems->capacity = capacity;
    }
    return &problems->items[problems->count++];
}

void problems_add(struct problems *problems,
                  struct problem_place place,
                  struct span value,
                  const char *hint,
                  const char *rule,
                  ...)
{
    problems->total++;
    struct problem *problem = next_slot(problems);
    if (problem == NULL)
        return;
    problem->line = place.line;
    problem->column = place.column;
    text_escape_cut(span_text(place.field), problem->field, sizeof(problem->field));
    text_escape_cut(value, problem->value, sizeof(problem->value));
    (void)snprintf(problem->hint, sizeof(problem->hint), "%s", hint == NULL ? "" : hint);
    va_list args;
    va_start(args, rule);
    (void)vsnprintf(problem->rule, sizeof(problem->rule), rule, args);
    va_end(args);
}

/* Where it stands and what it is, without a line break: the one wording for lists and errors. */
static void describe(const struct problems *problems,
                     const struct problem *p,
                     char *text,
                     size_t size)
{
    char place[2 * NAME_MAX_BYTES];
    int used = 0;
    if (problems->file[0] != '\0')
        used = snprintf(place, sizeof(place), "%s:", problems->file);
    if (p->line > 0)
        used += snprintf(place + used, sizeof(place) - (size_t)used,
                         "%s%u:", used > 0 ? "" : "line ", p->line);
    if (p->field[0] != '\0')
        used += snprintf(place + used, sizeof(place) - (size_t)used, "%s%s:", used > 0 ? " " : "",
                         p->field);
    place[used] = '\0';
    (void)snprintf(text, size, "%s%s%s%s%s%s%s%s", place, used > 0 ? " " : "",
                   p->value[0] != '\0' ? "\"" : "", p->value, p->value[0] != '\0' ? "\": " : "",
                   p->rule, p->hint[0] != '\0' ? "; next: " : "", p->hint);
}

enum status problem_format(const struct problems *problems,
                           const struct problem *problem,
                           struct buf *append_to,
                           struct error *err)
{
    char text[sizeof(struct problem) + 2 * (size_t)NAME_MAX_BYTES];
    describe(problems, problem, text, sizeof(text));
    return buf_append_text(append_to, text, err);
}

enum status problems_status(const struct problems *problems, struct error *err)
{
    if (problems->total == 0)
        return OK;
    if (problems->count == 0)
        return error_set(err, ERR_MEMORY, "%s, and no memory to list them",
                         counted(problems->total, "problem").text);
    char first[sizeof(struct problem) + 2 * (size_t)NAME_MAX_BYTES];
    describe(problems, &problems->items[0], first, sizeof(first));
    if (problems->total == 1)
        return error_set(err, ERR_INVALID, "%.*s", ERROR_TEXT_MAX - 1, first);
    return error_set(err, ERR_INVALID, "%zu problems; the first: %.*s", problems->total,
                     ERROR_TEXT_MAX - 50, first);
}
