#include "cli/command.h"

#include "control/operation.h"

#include <string.h>

bool command_has_two_words(const struct command *command)
{
    return strchr(command->words, ' ') != NULL;
}

static bool matches(const struct command *command, const char *first, const char *second)
{
    const char *blank = strchr(command->words, ' ');
    if (blank == NULL)
        return strcmp(command->words, first) == 0;
    size_t size = (size_t)(blank - command->words);
    return second != NULL && strncmp(command->words, first, size) == 0 && first[size] == '\0' &&
           strcmp(blank + 1, second) == 0;
}

const struct command *command_find(const char *first, const char *second)
{
    size_t count = 0;
    const struct command *commands = command_all(&count);
    const struct command *found = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!matches(&commands[i], first, second))
            continue;
        if (found == NULL || command_has_two_words(&commands[i]))
            found = &commands[i];
    }
    return found;
}

const struct command_group *command_group_find(const char *word)
{
    size_t count = 0;
    const struct command_group *groups = command_groups(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(groups[i].word, word) == 0)
            return &groups[i];
    return NULL;
}

const struct argument_rule *command_rules(const struct command *command, size_t *ret_count)
{
    if (command->operation == NULL) {
        *ret_count = command->rule_count;
        return command->rules;
    }
    const struct operation *operation = operation_find(command->operation);
    *ret_count = operation == NULL ? 0 : operation->rule_count;
    return operation == NULL ? NULL : operation->rules;
}

enum permit command_least(const struct command *command)
{
    const struct operation *operation =
        command->operation == NULL ? NULL : operation_find(command->operation);
    return operation == NULL ? PERMIT_NONE : operation->least;
}
