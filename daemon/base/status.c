#include "base/status.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#undef error_set /* what stands in for them when code is analysed */
#undef error_prefix

static const char *const names[STATUS_COUNT] = {
    [OK] = "ok",
    [ERR_INVALID] = "invalid",
    [ERR_LIMIT] = "limit",
    [ERR_MEMORY] = "memory",
    [ERR_NOT_FOUND] = "not-found",
    [ERR_EXISTS] = "exists",
    [ERR_DENIED] = "denied",
    [ERR_WRONG_STATE] = "state",
    [ERR_CONFLICT] = "conflict",
    [ERR_SIGNATURE] = "signature",
    [ERR_MISMATCH] = "mismatch",
    [ERR_CORRUPT] = "corrupt",
    [ERR_IO] = "io",
    [ERR_FULL] = "full",
    [ERR_BUSY] = "busy",
    [ERR_UNSUPPORTED] = "unsupported",
    [ERR_EXPIRED] = "expired",
    [ERR_ERASED] = "erased",
    [ERR_INTERNAL] = "internal",
};

const char *status_name(enum status status)
{
    return (unsigned)status < STATUS_COUNT ? names[status] : "unknown";
}

/* One line of whole characters, whatever was quoted: a forged log line cannot hide in a name. */
static void tidy(char *text, bool cut)
{
    size_t size = strlen(text);
    while (cut && size > 0 && ((unsigned char)text[size - 1] & 0xc0) == 0x80)
        size--;
    if (cut && size > 0 && (unsigned char)text[size - 1] >= 0xc0)
        size--;
    if (cut)
        text[size] = '\0';
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            text[i] = '?';
}

enum status error_set(struct error *err, enum status status, const char *format, ...)
{
    if (err == NULL)
        return status;
    va_list args;
    va_start(args, format);
    err->status = status;
    int size = vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    tidy(err->text, size < 0 || (size_t)size >= sizeof(err->text));
    return status;
}

enum status error_prefix(struct error *err, const char *format, ...)
{
    if (err == NULL)
        return ERR_INTERNAL;
    char rest[ERROR_TEXT_MAX];
    memcpy(rest, err->text, sizeof(rest));
    va_list args;
    va_start(args, format);
    int used = vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    size_t at = used < 0 ? 0 : (size_t)used;
    bool cut = at >= sizeof(err->text);
    if (at + 3 < sizeof(err->text)) { /* ": " and the NUL; a longer prefix stands alone */
        memcpy(err->text + at, ": ", 2);
        size_t room = sizeof(err->text) - at - 3;
        size_t size = strnlen(rest, sizeof(rest) - 1);
        cut = size > room;
        size = cut ? room : size;
        memcpy(err->text + at + 2, rest, size);
        err->text[at + 2 + size] = '\0';
    }
    tidy(err->text, cut);
    return err->status;
}
