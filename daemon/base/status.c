#include "base/status.h"

#include <stdio.h>
#include <string.h>

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

enum status error_set(struct error *err, enum status status, const char *format, ...)
{
    if (err == NULL)
        return status;
    va_list args;
    va_start(args, format);
    err->status = status;
    vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
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
    if (at + 3 < sizeof(err->text)) { /* ": " and the NUL; a longer prefix stands alone */
        memcpy(err->text + at, ": ", 2);
        size_t room = sizeof(err->text) - at - 3;
        size_t size = strnlen(rest, sizeof(rest) - 1);
        size = size < room ? size : room;
        memcpy(err->text + at + 2, rest, size);
        err->text[at + 2 + size] = '\0';
    }
    return err->status;
}
