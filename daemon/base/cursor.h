/* Reading and writing big-endian fields with a sticky error, checked once at the end.
 *
 * reader_*: after the first read past the end every read gives zeros or an empty span, and
 * reader_done() reports it.  writer_*: appends to a buf that it does not own.
 */
#ifndef COMITY_BASE_CURSOR_H
#define COMITY_BASE_CURSOR_H

#include "base/span.h"

struct reader {
    struct span rest;
    size_t at;   /* offset of rest.data in what was given to reader_init */
    bool failed; /* a read went past the end, or a varint was malformed */
};

struct reader reader_init(struct span bytes);
uint8_t reader_u8(struct reader *r);
uint16_t reader_u16(struct reader *r);
uint32_t reader_u32(struct reader *r);
uint64_t reader_u64(struct reader *r);
uint64_t reader_varint(struct reader *r); /* LEB128, shortest form only, at most 10 bytes */
struct span reader_bytes(struct reader *r, size_t size);   /* borrows from the input */
void reader_copy(struct reader *r, void *to, size_t size); /* zeros on failure */
/* OK when nothing failed and nothing is left over; otherwise ERR_INVALID naming `what`. */
MUST_CHECK enum status reader_done(const struct reader *r, const char *what, struct error *err);

struct writer {
    struct buf *out;
    enum status status; /* sticky: OK, ERR_MEMORY or ERR_LIMIT */
};

struct writer writer_init(struct buf *out);
void writer_u8(struct writer *w, uint8_t value);
void writer_u16(struct writer *w, uint16_t value);
void writer_u32(struct writer *w, uint32_t value);
void writer_u64(struct writer *w, uint64_t value);
void writer_varint(struct writer *w, uint64_t value);
void writer_bytes(struct writer *w, struct span bytes);
MUST_CHECK enum status writer_done(const struct writer *w, const char *what, struct error *err);

#endif
