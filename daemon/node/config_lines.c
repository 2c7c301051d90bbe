#include "node/config_lines.h"

#include "base/text.h"
#include "node/config_key.h"

#include <stdio.h>
#include <string.h>

enum { PROBLEM_TEXT_MAX = 1024, SHOWN_MAX = 60 };

struct config_lines config_lines_init(const char *path, struct span text)
{
    static const uint8_t mark[] = { 0xef, 0xbb, 0xbf };
    if (text.size >= sizeof(mark) && memcmp(text.data, mark, sizeof(mark)) == 0)
        text = span_slice(text, sizeof(mark), text.size);
    return (struct config_lines){ .path = path, .rest = text, .problems = BUF_INIT };
}

void config_lines_problem(struct config_lines *lines, unsigned line, const char *format, ...)
{
    lines->count++;
    if (lines->count > CONFIG_PROBLEMS_MAX)
        return;
    char text[PROBLEM_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    enum status status =
        line == 0 ? buf_printf(&lines->problems, NULL, "%s: %s\n", lines->path, text)
                  : buf_printf(&lines->problems, NULL, "%s:%u: %s\n", lines->path, line, text);
    if (status == OK && lines->count == CONFIG_PROBLEMS_MAX)
        status = buf_append_text(&lines->problems, "further problems are only counted\n", NULL);
    if (status != OK)
        lines->no_memory = true;
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

static struct span trim_end(struct span text)
{
    while (text.size > 0 && is_blank(text.data[text.size - 1]))
        text.size--;
    return text;
}

/* What is wrong with a "[section]" line; NULL when nothing is. */
static const char *check_section(struct span line)
{
    line = trim_end(line);
    char name[32];
    if (line.size < 3 || line.data[line.size - 1] != ']')
        return "a section is written [name], alone on its line";
    if (line.size - 2 >= sizeof(name))
        return "there is no such section; next: see docs/CONFIGURATION.md";
    memcpy(name, line.data + 1, line.size - 2);
    name[line.size - 2] = '\0';
    if (!config_key_section_is_known(name))
        return "there is no such section; next: see docs/CONFIGURATION.md";
    return NULL;
}

static const char *check_key(struct span line)
{
    size_t at = 0;
    while (at < line.size && line.data[at] != '=' && line.data[at] != ':')
        at++;
    if (at == line.size || line.data[at] != '=')
        return "a line is a [section], \"key = value\", or a comment after # or ;";
    if (trim_end(span_slice(line, 0, at)).size == 0)
        return "a key is missing before the =";
    for (; at + 1 < line.size; at++)
        if (is_blank(line.data[at]) && line.data[at + 1] == ';')
            return "a comment stands on a line of its own";
    return NULL;
}

/* What is wrong with a line; NULL when inih may have it. */
static const char *check_line(struct span line)
{
    if (text_check(line, TEXT_LINES, "line", NULL) != OK)
        return "not UTF-8, or it has characters that control a terminal";
    if (trim_end(line).size == 0 || line.data[0] == '#' || line.data[0] == ';')
        return NULL;
    if (is_blank(line.data[0]))
        return "begins with a blank; every key and section begins in the first column";
    return line.data[0] == '[' ? check_section(line) : check_key(line);
}

static struct span next_line(struct config_lines *lines)
{
    const uint8_t *end = memchr(lines->rest.data, '\n', lines->rest.size);
    size_t size = end == NULL ? lines->rest.size : (size_t)(end - lines->rest.data);
    struct span line = span_slice(lines->rest, 0, size);
    lines->rest = span_slice(lines->rest, end == NULL ? size : size + 1, lines->rest.size);
    lines->line++;
    if (line.size > 0 && line.data[line.size - 1] == '\r')
        line.size--;
    return line;
}

/* The line as far as a terminal can be trusted with it. */
static void show_line(struct span line, char shown[static SHOWN_MAX + 4])
{
    size_t size = line.size < SHOWN_MAX ? line.size : SHOWN_MAX;
    for (size_t i = 0; i < size; i++)
        shown[i] = (char)(line.data[i] >= 0x20 && line.data[i] < 0x7f ? line.data[i] : '?');
    snprintf(shown + size, 4, "%s", size < line.size ? "..." : "");
}

char *config_lines_read(char *line, int size, void *stream)
{
    struct config_lines *lines = stream;
    if (lines->rest.size == 0)
        return NULL;
    struct span text = next_line(lines);
    int room = size - 3; /* newline and NUL, and one that inih compares with */
    const char *problem = check_line(text);
    char shown[SHOWN_MAX + 4];
    show_line(text, shown);
    if (room < 0 || text.size > (size_t)room) {
        config_lines_problem(lines, lines->line,
                             "\"%s\": %zu bytes; the rule: a line has at most %d", shown, text.size,
                             room);
        text = SPAN_EMPTY;
    } else if (problem != NULL) {
        config_lines_problem(lines, lines->line, "\"%s\": %s", shown, problem);
        /* A wrong section still ends the one before, so that its keys are not judged there. */
        if (text.size == 0 || text.data[0] != '[')
            text = SPAN_EMPTY;
        else
            text = SPAN_LITERAL("[?]");
    }
    if (text.size > 0)
        memcpy(line, text.data, text.size);
    line[text.size] = '\n';
    line[text.size + 1] = '\0';
    return line;
}
