#include "node/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 1024 };

static atomic_int current_level = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
    atomic_store(&current_level, (int)level);
}

/* The rest of a line begins a new field, or is empty: " key=". */
static bool ends_value(const char *rest)
{
    if (rest[0] == '\0')
        return true;
    if (rest[0] != ' ')
        return false;
    size_t size = strspn(rest + 1, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return size > 0 && rest[1 + size] == '=';
}

void log_clean(char *line)
{
    for (char *at = line; *at != '\0'; at++) {
        unsigned char byte = (unsigned char)*at;
        if (byte < 0x20 || byte == 0x7f)
            *at = '?';
        else if (byte == '"' && !(at > line && at[-1] == '=') && !ends_value(at + 1))
            *at = '\'';
    }
}

void log_fields(enum log_level level, const char *name, const char *fields)
{
    static const int priorities[] = { 3, 4, 6, 7 }; /* sd-daemon(3) */
    if ((int)level > atomic_load(&current_level))
        return;
    char text[LINE_MAX_BYTES];
    char line[LINE_MAX_BYTES + 64];
    snprintf(text, sizeof(text), "event=%s%s%s", name, fields[0] == '\0' ? "" : " ", fields);
    log_clean(text);
    int size = snprintf(line, sizeof(line), "<%d>%s\n", priorities[level], text);
    ssize_t written = write(STDERR_FILENO, line, (size_t)size);
    (void)written; /* a log that cannot be written must not stop the node */
}

void log_problems(const struct buf *problems)
{
    struct span rest = buf_span(problems);
    while (rest.size > 0) {
        const uint8_t *end = memchr(rest.data, '\n', rest.size);
        size_t size = end == NULL ? rest.size : (size_t)(end - rest.data);
        log_event(LOG_LEVEL_ERROR, "config_problem", "text=\"%.*s\"", (int)size,
                  (const char *)rest.data);
        rest = span_slice(rest, end == NULL ? size : size + 1, rest.size);
    }
}

void log_event(enum log_level level, const char *name, const char *format, ...)
{
    char fields[LINE_MAX_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fields, sizeof(fields), format, arguments);
    va_end(arguments);
    log_fields(level, name, fields);
}
