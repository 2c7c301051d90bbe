#include "cli/help.h"

#include <stdio.h>
#include <string.h>

enum { WIDTH = 79, LABEL_SIZE = 64, SAYS_SIZE = 256 };

const struct exit_code exit_codes[] = {
    { EXIT_OK, "done" },
    { EXIT_FAILED, "refused or failed; the message says why" },
    { EXIT_USAGE, "the command line is wrong; nothing was asked" },
    { EXIT_UNREACHABLE, "comityd cannot be reached" },
    { EXIT_PROBLEMS, "problems in what was given (a file, a card, a consent); all are listed" },
    { EXIT_DENIED, "this person may not do it, or it takes another person" },
    { EXIT_AGAIN, "something changed in between, or the node is busy: look and try again" },
    { EXIT_UNTRUE, "a hash, signature or proof does not hold" },
};
const size_t exit_code_count = sizeof(exit_codes) / sizeof(exit_codes[0]);

/* A text with a sticky error. */
struct page {
    struct buf *out;
    struct error *err;
    enum status status;
};

static void put(struct page *page, const char *text)
{
    if (page->status == OK)
        page->status = buf_append_text(page->out, text, page->err);
}

static void put_padded(struct page *page, const char *text, size_t width)
{
    put(page, text);
    for (size_t i = strlen(text); i < width; i++)
        put(page, " ");
}

/* `text` behind `indent` blanks, wrapped at WIDTH; the cursor stands at `indent` already. */
static void put_wrapped(struct page *page, const char *text, size_t indent)
{
    size_t column = indent;
    while (*text != '\0' && page->status == OK) {
        size_t size = strcspn(text, " \n");
        bool first = column == indent;
        if (!first && column + 1 + size > WIDTH) {
            put(page, "\n");
            put_padded(page, "", indent);
            column = indent;
        } else if (!first) {
            put(page, " ");
            column++;
        }
        page->status = buf_append(page->out, span_of(text, size), page->err);
        column += size;
        text += size;
        for (; *text == '\n'; text++) {
            put(page, "\n");
            column = indent;
        }
        text += *text == ' ';
    }
    put(page, "\n");
}

static void put_item(struct page *page, const char *label, const char *says, size_t width)
{
    put(page, "  ");
    put_padded(page, label, width);
    if (strlen(label) >= width) {
        put(page, "\n");
        put_padded(page, "", width + 2);
    }
    put_wrapped(page, says, width + 2);
}

/* "--until TIME", "PEER" */
static void label(const struct argument_rule *rule, char *ret_text, size_t size)
{
    static const char *const values[] = {
        [ARGUMENT_TEXT] = "TEXT", [ARGUMENT_CODE] = "CODE",     [ARGUMENT_TIME] = "DATE",
        [ARGUMENT_NUMBER] = "N",  [ARGUMENT_ID] = "ID",         [ARGUMENT_DIGEST] = "DIGEST",
        [ARGUMENT_FLAG] = NULL,   [ARGUMENT_CHOICE] = "CHOICE", [ARGUMENT_FILE] = "FILE",
    };
    char shown[LABEL_SIZE];
    argument_shown(rule, shown, sizeof(shown));
    bool bare = rule->shown != NULL || values[rule->kind] == NULL;
    (void)snprintf(ret_text, size, "%s%s%s", shown, bare ? "" : " ",
                   bare ? "" : values[rule->kind]);
}

static void say_what(const struct argument_rule *rule, char ret_text[static SAYS_SIZE])
{
    (void)snprintf(ret_text, SAYS_SIZE, "%s%s", rule->help, rule->required ? " (needed)" : "");
}

static void put_who(struct page *page, const struct command *command)
{
    enum permit least = command_least(command);
    if (least == PERMIT_NONE)
        return;
    put(page, "Who may: ");
    put(page, permit_name(least));
    put(page, least == PERMIT_APPROVE ? "\n" : " and above\n");
}

static void put_synopsis(struct page *page, const struct command *command)
{
    size_t count = 0;
    const struct argument_rule *rules = command_rules(command, &count);
    put(page, "comityctl ");
    put(page, command->words);
    for (size_t i = 0; i < count; i++) {
        char text[2 * LABEL_SIZE];
        label(&rules[i], text, sizeof(text));
        if (!rules[i].required)
            continue;
        put(page, " ");
        put(page, text);
        put(page, rules[i].repeatable ? "..." : "");
    }
    bool optional = command->writes_file;
    for (size_t i = 0; i < count; i++)
        optional = optional || !rules[i].required;
    put(page, optional ? " [OPTION...]\n" : "\n");
}

static void put_choices(struct page *page, const struct argument_rule *rule, size_t indent)
{
    if (rule->kind != ARGUMENT_CHOICE)
        return;
    put_padded(page, "", indent);
    struct buf line = BUF_INIT;
    enum status status = OK;
    for (size_t i = 0; status == OK && rule->choices[i] != NULL; i++)
        status = buf_printf(&line, page->err, "%s%s", i == 0 ? "" : " | ", rule->choices[i]);
    if (status == OK)
        status = buf_terminate(&line, page->err);
    if (status == OK)
        put_wrapped(page, (const char *)line.data, indent);
    else
        page->status = status;
    buf_fini(&line);
}

static void put_arguments(struct page *page, const struct command *command)
{
    size_t count = 0;
    const struct argument_rule *rules = command_rules(command, &count);
    if (count == 0)
        return;
    put(page, "\nArguments:\n");
    for (size_t i = 0; i < count; i++) {
        char text[2 * LABEL_SIZE], says[SAYS_SIZE];
        label(&rules[i], text, sizeof(text));
        say_what(&rules[i], says);
        put_item(page, text, says, 24);
        put_choices(page, &rules[i], 26);
    }
}

static void put_command(struct page *page, const struct command *command)
{
    put(page, command->words);
    put(page, ": ");
    put(page, command->summary);
    put(page, "\n\n  ");
    put_synopsis(page, command);
    put(page, "\n");
    put_wrapped(page, command->details, 0);
    put_arguments(page, command);
    put(page, "\nExamples:\n");
    for (size_t i = 0; command->examples[i] != NULL; i++) {
        put(page, "  ");
        put(page, command->examples[i]);
        put(page, "\n");
    }
    put(page, command_least(command) == PERMIT_NONE ? "" : "\n");
    put_who(page, command);
}

static void put_command_list(struct page *page, const char *group)
{
    size_t count = 0;
    const struct command *commands = command_all(&count);
    size_t size = group == NULL ? 0 : strlen(group);
    for (size_t i = 0; i < count; i++) {
        if (group == NULL || (strncmp(commands[i].words, group, size) == 0 &&
                              (commands[i].words[size] == ' ' || commands[i].words[size] == '\0')))
            put_item(page, commands[i].words, commands[i].summary, 20);
    }
}

static const char on_terminals[] =
    "On a terminal tables are made to fit: ids are cut to 16 digits, which commands take for the "
    "whole, and what has no room beside the rest stands below its row. Pipes and files, --plain "
    "and --json get everything in full.";

static void put_overview(struct page *page)
{
    put(page, "comityctl: decide what leaves this State's Comity node, and see what came\n\n"
              "  comityctl [OPTION...] COMMAND [ARGUMENT...]\n\nCommands:\n");
    put_command_list(page, NULL);
    put(page, "\nOptions of every command:\n");
    for (size_t i = 0; option_help[i].typed != NULL; i++)
        put_item(page, option_help[i].typed, option_help[i].says, 20);
    put(page, "\n");
    put_wrapped(page, on_terminals, 0);
    put(page, "\nExit codes:\n");
    for (size_t i = 0; i < exit_code_count; i++) {
        char code[LABEL_SIZE];
        (void)snprintf(code, sizeof(code), "%d", exit_codes[i].code);
        put_item(page, code, exit_codes[i].says, 4);
    }
    put(page, "\nEach command explains itself: comityctl consent draft --help\n");
}

enum status help_text(const struct command_group *group,
                      const struct command *command,
                      struct buf *append_to,
                      struct error *err)
{
    struct page page = { append_to, err, OK };
    if (command != NULL) {
        put_command(&page, command);
    } else if (group != NULL) {
        put(&page, "comityctl ");
        put(&page, group->word);
        put(&page, ": ");
        put(&page, group->summary);
        put(&page, "\n\n");
        put_command_list(&page, group->word);
    } else {
        put_overview(&page);
    }
    return page.status;
}

/* -- the manual page --------------------------------------------------------------------------- */

/* Text in roff: backslashes, hyphens and a leading dot or quote lose their meaning. */
static void put_roff(struct page *page, const char *text)
{
    if (*text == '.' || *text == '\'')
        put(page, "\\&");
    for (; *text != '\0' && page->status == OK; text++) {
        if (*text == '\\')
            put(page, "\\e");
        else if (*text == '-')
            put(page, "\\-");
        else if (*text == '\n')
            put(page, text[1] == '\n' ? "\n.PP" : "\n");
        else
            page->status = buf_append(page->out, span_of(text, 1), page->err);
    }
}

static void put_term(struct page *page, const char *term, const char *says)
{
    put(page, ".TP\n.B ");
    put_roff(page, term);
    put(page, "\n");
    put_roff(page, says);
    put(page, "\n");
}

static void put_manual_command(struct page *page, const struct command *command)
{
    put(page, ".SS ");
    put_roff(page, command->words);
    put(page, "\n");
    put_roff(page, command->summary);
    put(page, ".\n.PP\n");
    put_roff(page, command->details);
    put(page, "\n");
    size_t count = 0;
    const struct argument_rule *rules = command_rules(command, &count);
    for (size_t i = 0; i < count; i++) {
        char text[2 * LABEL_SIZE], says[SAYS_SIZE];
        label(&rules[i], text, sizeof(text));
        say_what(&rules[i], says);
        put_term(page, text, says);
        for (size_t j = 0; rules[i].kind == ARGUMENT_CHOICE && rules[i].choices[j] != NULL; j++) {
            put(page, j == 0 ? "(one of: " : ", ");
            put_roff(page, rules[i].choices[j]);
        }
        put(page, rules[i].kind == ARGUMENT_CHOICE ? ")\n" : "");
    }
    put(page, ".PP\n");
    put_who(page, command);
    put(page, ".PP\nFor example:\n.PP\n.nf\n");
    for (size_t i = 0; command->examples[i] != NULL; i++) {
        put(page, "    ");
        put_roff(page, command->examples[i]);
        put(page, "\n");
    }
    put(page, ".fi\n");
}

enum status help_manual(struct buf *append_to, struct error *err)
{
    struct page page = { append_to, err, OK };
    put(&page, ".TH COMITYCTL 1 \"\" \"Comity " COMITY_VERSION "\" \"Comity\"\n.SH NAME\n"
               "comityctl \\- decide what leaves this State's Comity node, and see what came\n"
               ".SH SYNOPSIS\n.B comityctl\n[OPTION...] COMMAND [ARGUMENT...]\n.SH DESCRIPTION\n"
               "comityctl asks the comityd of this machine over its control socket. Who asks is\n"
               "the user; what that user may do stands in the configuration: auditors read,\n"
               "operators prepare, approvers approve.\n.PP\n");
    put_roff(&page, on_terminals);
    put(&page, "\n.SH OPTIONS\n");
    for (size_t i = 0; option_help[i].typed != NULL; i++)
        put_term(&page, option_help[i].typed, option_help[i].says);
    put(&page, ".SH COMMANDS\n");
    size_t count = 0;
    const struct command *commands = command_all(&count);
    for (size_t i = 0; i < count; i++)
        put_manual_command(&page, &commands[i]);
    put(&page, ".SH EXIT STATUS\n");
    for (size_t i = 0; i < exit_code_count; i++) {
        char code[LABEL_SIZE];
        (void)snprintf(code, sizeof(code), "%d", exit_codes[i].code);
        put_term(&page, code, exit_codes[i].says);
    }
    put(&page, ".SH FILES\n.TP\n.I /etc/comity/comity.conf\nthe configuration of the node\n"
               ".TP\n.I /run/comity/control.sock\nthe control socket\n"
               ".SH SEE ALSO\n.BR comityd (8),\n.BR comity.conf (5)\n");
    return page.status;
}
