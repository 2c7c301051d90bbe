/* Bytes that are borrowed (span) and bytes that are owned (buf).
 *
 * A span never frees; whoever hands one out says how long it lives.  A buf owns its memory:
 * buf_fini() frees it (and wipes it when it is marked secret), buf_move() empties its source.
 */
#ifndef COMITY_BASE_SPAN_H
#define COMITY_BASE_SPAN_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
    const uint8_t *data;
    size_t size;
};

#define SPAN_EMPTY         ((struct span){ NULL, 0 })
#define SPAN_LITERAL(text) ((struct span){ (const uint8_t *)(text), sizeof(text) - 1 })
#define SPAN_ARRAY(array)  ((struct span){ (array), sizeof(array) })

struct span span_of(const void *data, size_t size);
struct span span_text(const char *text); /* without the NUL; NULL gives the empty span */
struct span span_slice(struct span span, size_t at, size_t size); /* clamped to the span */
bool span_equal(struct span a, struct span b);                    /* not for secrets */
bool span_equal_secret(struct span a, struct span b); /* constant time for equal sizes */
int span_compare(struct span a, struct span b);       /* memcmp order, then shorter first */

struct buf {
    uint8_t *data;
    size_t size;
    size_t capacity;
    bool secret; /* wiped whenever its memory is given back or moved */
};

#define BUF_INIT          \
    {                     \
        NULL, 0, 0, false \
    }
#define BUF_INIT_SECRET  \
    {                    \
        NULL, 0, 0, true \
    }

void buf_fini(struct buf *buf);  /* NULL and half-built are fine; leaves *buf empty */
void buf_clear(struct buf *buf); /* size 0, keeps the memory; wipes when secret */
struct buf buf_move(struct buf *from);
struct span buf_span(const struct buf *buf); /* lives until *buf next changes */
MUST_CHECK enum status buf_reserve(struct buf *buf, size_t more, struct error *err);
MUST_CHECK enum status buf_append(struct buf *buf, struct span bytes, struct error *err);
MUST_CHECK enum status buf_append_text(struct buf *buf, const char *text, struct error *err);
MUST_CHECK enum status buf_append_zeros(struct buf *buf, size_t count, struct error *err);
MUST_CHECK enum status buf_printf(struct buf *buf, struct error *err, const char *format, ...)
    PRINTF_LIKE(3, 4);
MUST_CHECK enum status buf_vprintf(struct buf *buf,
                                   struct error *err,
                                   const char *format,
                                   va_list args) PRINTF_LIKE(3, 0);
/* A NUL after the last byte, not counted in size, so that data can be read as a C string. */
MUST_CHECK enum status buf_terminate(struct buf *buf, struct error *err);

#endif
