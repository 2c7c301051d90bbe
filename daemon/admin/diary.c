#include "admin/diary.h"

#include "feed/journal.h"

#include <stdio.h>
#include <string.h>

bool diary_wants(const struct operation *operation, const struct error *result)
{
    return operation->least > PERMIT_READ || result->status != OK;
}

/* Free text may be text of a record; what names things and people may stand in the journal, and so
 * may a word that is typed without an option (the name of a backup) and a reason of which the help
 * says that it will. */
static bool may_stand(const struct argument_rule *rule)
{
    switch (rule->kind) {
    case ARGUMENT_TEXT:
        return rule->shown != NULL || rule->journalled;
    case ARGUMENT_FILE:
        return false;
    case ARGUMENT_CODE:
    case ARGUMENT_TIME:
    case ARGUMENT_NUMBER:
    case ARGUMENT_ID:
    case ARGUMENT_DIGEST:
    case ARGUMENT_CHOICE:
    case ARGUMENT_FLAG:
        return true;
    }
    return false;
}

static const struct argument_rule *find_rule(const struct operation *operation, const char *name)
{
    for (size_t i = 0; operation != NULL && i < operation->rule_count; i++)
        if (strcmp(operation->rules[i].name, name) == 0)
            return &operation->rules[i];
    return NULL;
}

struct line {
    char text[JOURNAL_TEXT_MAX + 1];
    size_t used;
};

static void add(struct line *line, const char *separator, const char *name, const char *value)
{
    int added = snprintf(line->text + line->used, sizeof(line->text) - line->used, "%s%s%s%s",
                         line->used == 0 ? "" : separator, name, name[0] == '\0' ? "" : "=", value);
    size_t left = sizeof(line->text) - 1 - line->used;
    if (added > 0)
        line->used += (size_t)added < left ? (size_t)added : left;
}

static void take_arguments(const struct request *request, struct line *object, struct line *detail)
{
    const struct operation *operation = operation_find(request->operation);
    for (size_t i = 0; i < request->argument_count; i++) {
        const struct request_argument *argument = &request->arguments[i];
        const struct argument_rule *rule = find_rule(operation, argument->name);
        struct error ignored = ERROR_INIT;
        if (rule == NULL || !may_stand(rule) ||
            argument_check_value(rule, argument->value, &ignored) != OK)
            continue;
        if (rule->shown != NULL)
            add(object, " ", "", argument->value);
        else
            add(detail, " ", argument->name, argument->value);
    }
    for (size_t i = 0; i < request->file_count; i++)
        add(object, " ", "", request->files[i].path);
}

enum status diary_write(struct feed_context *feed,
                        const struct caller *caller,
                        const struct request *request,
                        const struct error *result,
                        struct error *err)
{
    struct line action = { .used = 0 };
    struct line object = { .used = 0 };
    struct line detail = { .used = 0 };
    add(&action, "", "", request->operation);
    for (char *at = action.text; *at != '\0'; at++)
        *at = (char)(*at == '.' ? ' ' : *at);
    take_arguments(request, &object, &detail);
    if (result->status != OK)
        add(&detail, "; ", "", result->text);
    return journal_append(feed, caller->uid, caller->name, action.text, object.text, result->status,
                          detail.text, err);
}
