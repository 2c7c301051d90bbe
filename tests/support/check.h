/* What every test program needs: cmocka with its includes, and checks of status and sentence. */
#ifndef COMITY_TESTS_SUPPORT_CHECK_H
#define COMITY_TESTS_SUPPORT_CHECK_H

#include "base/span.h"
#include "base/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
/* after those four */
#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Fails with the sentence of *err unless the call gave OK. */
#define CHECK_OK(call, err) check_status((call), OK, (err), #call, __FILE__, __LINE__)
#define CHECK_STATUS(call, status, err) \
    check_status((call), (status), (err), #call, __FILE__, __LINE__)

static inline void check_status(enum status got,
                                enum status wanted,
                                const struct error *err,
                                const char *call,
                                const char *file,
                                int line)
{
    if (got == wanted)
        return;
    print_error("%s: %s instead of %s: %s\n", call, status_name(got), status_name(wanted),
                err == NULL ? "" : err->text);
    _fail(file, line);
}

#define CHECK_CONTAINS(text, part) check_contains((text), (part), __FILE__, __LINE__)
static inline void check_contains(const char *text, const char *part, const char *file, int line)
{
    if (text != NULL && strstr(text, part) != NULL)
        return;
    print_error("\"%s\" does not say \"%s\"\n", text == NULL ? "(nothing)" : text, part);
    _fail(file, line);
}

#endif
