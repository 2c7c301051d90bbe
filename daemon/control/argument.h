/* What an operation takes, as a table; and a request checked against it, all problems at once.
 *
 * A person sees an option the way it is typed: rule.shown, or "--name".  After argument_check()
 * found nothing, the getters below never fail: they give the typed value, or the stated default
 * when the argument was left out.
 */
#ifndef COMITY_CONTROL_ARGUMENT_H
#define COMITY_CONTROL_ARGUMENT_H

#include "base/id.h"
#include "control/operation.h"
#include "wire/reply.h"
#include "wire/request.h"

struct arguments {
    const struct request *request;
    const struct argument_rule *rules;
    size_t rule_count;
};

/* Writes every problem to *w: unknown, missing, repeated, and each value that breaks its rule.
 * ERR_INVALID with the number of problems when there was one. */
MUST_CHECK enum status argument_check(const struct arguments *arguments,
                                      struct reply_writer *w,
                                      struct error *err);

/* The one rule for one value, without a reply: used by argument_check() and by comityctl. */
MUST_CHECK enum status argument_check_value(const struct argument_rule *rule,
                                            const char *value,
                                            struct error *err);

/* "--name", or the word in capitals that stands for it. */
void argument_shown(const struct argument_rule *rule, char *ret_text, size_t size);

bool argument_given(const struct arguments *arguments, const char *name);
size_t argument_count(const struct arguments *arguments, const char *name);
/* NULL when left out; borrowed from the request. */
const char *argument_text(const struct arguments *arguments, const char *name);
const char *argument_text_at(const struct arguments *arguments, const char *name, size_t index);
bool argument_code(const struct arguments *arguments, const char *name, struct code *ret_code);
bool argument_time(const struct arguments *arguments, const char *name, int64_t *ret_wall_ms);
uint64_t argument_number(const struct arguments *arguments, const char *name, uint64_t fallback);
bool argument_digest(const struct arguments *arguments,
                     const char *name,
                     struct digest *ret_digest);
/* Index into the rule's choices; `fallback` when left out. */
size_t argument_choice(const struct arguments *arguments, const char *name, size_t fallback);
/* NULL when none; `index` counts the files under this name. */
const struct request_file *argument_file(const struct arguments *arguments,
                                         const char *name,
                                         size_t index);

#endif
