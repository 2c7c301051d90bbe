#include "control/argument.h"

#include "base/clock.h"
#include "base/counted.h"
#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_SIZE = 64, CHOICES_TEXT_SIZE = 300, DIGEST_DIGITS = 2 * DIGEST_SIZE };

void argument_shown(const struct argument_rule *rule, char *ret_text, size_t size)
{
    if (rule->shown != NULL)
        (void)snprintf(ret_text, size, "%s", rule->shown);
    else
        (void)snprintf(ret_text, size, "--%s", rule->name);
}

/* -- one value against its rule ---------------------------------------------------------------- */

static enum status check_text(const struct argument_rule *rule,
                              const char *value,
                              struct error *err)
{
    size_t max = rule->max == 0 ? NAME_MAX_BYTES : (size_t)rule->max;
    struct span text = span_text(value);
    if (text.size == 0)
        return error_set(err, ERR_INVALID, "is empty");
    if (text.size > max)
        return error_set(err, ERR_LIMIT, "has %zu bytes, more than %zu", text.size, max);
    return text_check(text, max > TITLE_MAX ? TEXT_LINES : TEXT_LINE, "text", err);
}

static enum status check_number(const struct argument_rule *rule,
                                const char *value,
                                struct error *err)
{
    size_t digits = strspn(value, "0123456789");
    errno = 0;
    unsigned long long number = strtoull(value, NULL, 10);
    if (digits == 0 || value[digits] != '\0' || errno != 0 || number < rule->min ||
        number > rule->max)
        return error_set(err, ERR_INVALID, "must be a whole number from %" PRIu64 " to %" PRIu64,
                         rule->min, rule->max);
    return OK;
}

static enum status check_id(const char *value, struct error *err)
{
    size_t digits = strspn(value, "0123456789abcdef");
    if (value[digits] != '\0' || digits < ID_PREFIX_MIN || digits > (size_t)2 * ID_SIZE) {
        return error_set(err, ERR_INVALID,
                         "must be an id as the listings show it: %d to %d of 0-9 and a-f",
                         ID_PREFIX_MIN, 2 * ID_SIZE);
    }
    return OK;
}

static bool read_digest(const char *value, struct digest *ret_digest)
{
    char digits[DIGEST_DIGITS];
    size_t count = 0;
    for (; *value != '\0'; value++) {
        if (strchr(" :-", *value) != NULL)
            continue;
        if (count == DIGEST_DIGITS)
            return false;
        digits[count++] = *value;
    }
    struct error ignored;
    return hex_decode(span_of(digits, count), ret_digest->bytes, DIGEST_SIZE, &ignored) == OK;
}

static bool read_choice(const struct argument_rule *rule, const char *value, size_t *ret_index)
{
    for (size_t i = 0; rule->choices[i] != NULL; i++) {
        if (strcmp(rule->choices[i], value) == 0) {
            *ret_index = i;
            return true;
        }
    }
    return false;
}

static enum status check_choice(const struct argument_rule *rule,
                                const char *value,
                                struct error *err)
{
    size_t index = 0;
    if (read_choice(rule, value, &index))
        return OK;
    char all[CHOICES_TEXT_SIZE] = "";
    size_t used = 0;
    for (size_t i = 0; rule->choices[i] != NULL; i++) {
        int added =
            snprintf(all + used, sizeof(all) - used, "%s%s", i == 0 ? "" : ", ", rule->choices[i]);
        if (added < 0 || used + (size_t)added >= sizeof(all))
            break;
        used += (size_t)added;
    }
    return error_set(err, ERR_INVALID, "must be one of: %s", all);
}

enum status argument_check_value(const struct argument_rule *rule,
                                 const char *value,
                                 struct error *err)
{
    struct code code;
    struct digest digest;
    int64_t time = 0;
    switch (rule->kind) {
    case ARGUMENT_TEXT: {
        enum status status = check_text(rule, value, err);
        return status == OK && rule->check != NULL ? rule->check(value, err) : status;
    }
    case ARGUMENT_CODE:
        return code_parse(value, &code, err);
    case ARGUMENT_TIME:
        return time_parse(value, &time, err);
    case ARGUMENT_NUMBER:
        return check_number(rule, value, err);
    case ARGUMENT_ID:
        return check_id(value, err);
    case ARGUMENT_DIGEST:
        return read_digest(value, &digest)
                   ? OK
                   : error_set(err, ERR_INVALID, "must be a digest: %d of 0-9 and a-f",
                               DIGEST_DIGITS);
    case ARGUMENT_CHOICE:
        return check_choice(rule, value, err);
    case ARGUMENT_FLAG:
        return strcmp(value, "yes") == 0 ? OK : error_set(err, ERR_INVALID, "takes no value");
    case ARGUMENT_FILE:
        return error_set(err, ERR_INVALID, "is a file and takes no other value");
    }
    return error_set(err, ERR_INTERNAL, "a rule of unknown kind");
}

/* -- a request against its rules --------------------------------------------------------------- */

static void report(struct reply_writer *w, const char *field, const char *value, const char *rule)
{
    reply_problem(
        w, &(struct reply_problem){ .file = "", .field = field, .value = value, .rule = rule });
}

static const struct argument_rule *find_rule(const struct arguments *arguments, const char *name)
{
    for (size_t i = 0; i < arguments->rule_count; i++)
        if (strcmp(arguments->rules[i].name, name) == 0)
            return &arguments->rules[i];
    return NULL;
}

static void report_unknown(struct reply_writer *w, const char *name, const char *value)
{
    char field[SHOWN_SIZE];
    (void)snprintf(field, sizeof(field), "--%s", name);
    report(w, field, value, "no such option here");
}

static void check_argument(const struct arguments *arguments,
                           struct reply_writer *w,
                           const struct request_argument *argument)
{
    const struct argument_rule *rule = find_rule(arguments, argument->name);
    if (rule == NULL) {
        report_unknown(w, argument->name, argument->value);
        return;
    }
    struct error why = ERROR_INIT;
    if (argument_check_value(rule, argument->value, &why) == OK)
        return;
    char field[SHOWN_SIZE];
    argument_shown(rule, field, sizeof(field));
    report(w, field, argument->value, why.text);
}

static void check_count(const struct arguments *arguments,
                        struct reply_writer *w,
                        const struct argument_rule *rule)
{
    size_t count = argument_count(arguments, rule->name);
    char field[SHOWN_SIZE];
    argument_shown(rule, field, sizeof(field));
    if (count == 0 && rule->required)
        report(w, field, "", "is needed");
    if (count > 1 && !rule->repeatable)
        report(w, field, "", "can be given once only");
}

enum status argument_check(const struct arguments *arguments,
                           struct reply_writer *w,
                           struct error *err)
{
    size_t before = reply_problem_count(w);
    const struct request *request = arguments->request;
    for (size_t i = 0; i < request->argument_count; i++)
        check_argument(arguments, w, &request->arguments[i]);
    for (size_t i = 0; i < request->file_count; i++) {
        const struct argument_rule *rule = find_rule(arguments, request->files[i].name);
        if (rule == NULL || rule->kind != ARGUMENT_FILE)
            report_unknown(w, request->files[i].name, request->files[i].path);
    }
    for (size_t i = 0; i < arguments->rule_count; i++)
        check_count(arguments, w, &arguments->rules[i]);
    size_t found = reply_problem_count(w) - before;
    if (found == 0)
        return OK;
    return error_set(err, ERR_INVALID, "%s in what was asked for", counted(found, "problem").text);
}

/* -- getters ----------------------------------------------------------------------------------- */

const char *argument_text_at(const struct arguments *arguments, const char *name, size_t index)
{
    const struct request *request = arguments->request;
    for (size_t i = 0; i < request->argument_count; i++)
        if (strcmp(request->arguments[i].name, name) == 0 && index-- == 0)
            return request->arguments[i].value;
    return NULL;
}

const struct request_file *argument_file(const struct arguments *arguments,
                                         const char *name,
                                         size_t index)
{
    const struct request *request = arguments->request;
    for (size_t i = 0; i < request->file_count; i++)
        if (strcmp(request->files[i].name, name) == 0 && index-- == 0)
            return &request->files[i];
    return NULL;
}

size_t argument_count(const struct arguments *arguments, const char *name)
{
    size_t count = 0;
    while (argument_text_at(arguments, name, count) != NULL)
        count++;
    size_t files = 0;
    while (argument_file(arguments, name, files) != NULL)
        files++;
    return count + files;
}

bool argument_given(const struct arguments *arguments, const char *name)
{
    return argument_text_at(arguments, name, 0) != NULL ||
           argument_file(arguments, name, 0) != NULL;
}

const char *argument_text(const struct arguments *arguments, const char *name)
{
    return argument_text_at(arguments, name, 0);
}

bool argument_code(const struct arguments *arguments, const char *name, struct code *ret_code)
{
    const char *text = argument_text(arguments, name);
    struct error ignored;
    return text != NULL && code_parse(text, ret_code, &ignored) == OK;
}

bool argument_time(const struct arguments *arguments, const char *name, int64_t *ret_wall_ms)
{
    const char *text = argument_text(arguments, name);
    struct error ignored;
    return text != NULL && time_parse(text, ret_wall_ms, &ignored) == OK;
}

uint64_t argument_number(const struct arguments *arguments, const char *name, uint64_t fallback)
{
    const char *text = argument_text(arguments, name);
    return text == NULL ? fallback : strtoull(text, NULL, 10);
}

bool argument_digest(const struct arguments *arguments, const char *name, struct digest *ret_digest)
{
    const char *text = argument_text(arguments, name);
    return text != NULL && read_digest(text, ret_digest);
}

size_t argument_choice(const struct arguments *arguments, const char *name, size_t fallback)
{
    const char *text = argument_text(arguments, name);
    const struct argument_rule *rule = find_rule(arguments, name);
    size_t index = fallback;
    if (text != NULL && rule != NULL && rule->kind == ARGUMENT_CHOICE)
        read_choice(rule, text, &index);
    return index;
}
