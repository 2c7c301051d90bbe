/* What can go wrong, and the sentence that says so.
 *
 * Every function that can fail returns `enum status` and fills a caller's `struct error`: what
 * broke, where, against which bound.  Each layer adds its own words in front on the way up
 * (error_prefix), so that the last reader sees `ingest KE: frame: body 5242881 > 4194304`.
 * Outputs (`ret_...`) stay untouched on failure.
 */
#ifndef COMITY_BASE_STATUS_H
#define COMITY_BASE_STATUS_H

#include <stdarg.h>

#define MUST_CHECK          __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, a) __attribute__((format(printf, fmt, a)))

enum status {
    OK = 0,
    ERR_INVALID,     /* malformed: breaks a rule of its format */
    ERR_LIMIT,       /* well formed, but larger than limits.h allows */
    ERR_MEMORY,      /* an allocation failed */
    ERR_NOT_FOUND,   /* named thing is not here */
    ERR_EXISTS,      /* named thing is here already */
    ERR_DENIED,      /* policy, role or consent says no */
    ERR_WRONG_STATE, /* right request, wrong moment: says which transition is not allowed */
    ERR_CONFLICT,    /* something changed in between: look again and repeat */
    ERR_SIGNATURE,   /* a signature, certificate or tag does not verify */
    ERR_MISMATCH,    /* a hash, size, order or root is not what it must be: a fork or a tampering */
    ERR_CORRUPT,     /* our own stored bytes are not what we stored */
    ERR_IO,          /* the disk or the network failed */
    ERR_FULL,        /* no space, quota or slot left */
    ERR_BUSY,        /* try later: queue full, locked by another */
    ERR_UNSUPPORTED, /* known, but not by this version */
    ERR_EXPIRED,     /* was valid, is no more (or not yet) */
    ERR_ERASED,      /* the bytes were destroyed, as they had to be */
    ERR_INTERNAL,    /* our own bug, reported instead of asserted */
    STATUS_COUNT
};

enum { ERROR_TEXT_MAX = 512 };

struct error {
    enum status status;
    char text[ERROR_TEXT_MAX]; /* UTF-8, one line, no trailing full stop; cut at the bound */
};

#define ERROR_INIT \
    {              \
        OK, ""     \
    }

/* Stable lower-case name of a status: `denied`, `mismatch`; used in --json and log lines. */
const char *status_name(enum status status);

/* Sets *err (which may be NULL) and returns `status`, so that `return error_set(...)` reads. */
enum status error_set(struct error *err, enum status status, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* Puts "words: " in front of err->text; returns err->status (ERR_INTERNAL when err is NULL). */
enum status error_prefix(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

#ifdef __clang_analyzer__ /* which sees one file at a time, and not that a failure stays one */
static inline enum status status_failed(enum status status)
{
    return status == OK ? ERR_INTERNAL : status;
}
/* NOLINTBEGIN(readability-identifier-naming): they stand in for the functions */
#define error_set(...)    status_failed((error_set)(__VA_ARGS__))
#define error_prefix(...) status_failed((error_prefix)(__VA_ARGS__))
/* NOLINTEND(readability-identifier-naming) */
#endif

#endif
