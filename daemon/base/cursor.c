#include "base/cursor.h"

#include <string.h>

struct reader reader_init(struct span bytes)
{
    return (struct reader){ .rest = bytes };
}

struct span reader_bytes(struct reader *r, size_t size)
{
    if (r->failed || size > r->rest.size) {
        r->failed = true;
        return SPAN_EMPTY;
    }
    struct span taken = span_of(r->rest.data, size);
    if (size > 0) {
        r->rest.data += size;
        r->rest.size -= size;
        r->at += size;
    }
    return taken;
}

static uint64_t read_be(struct reader *r, size_t size)
{
    struct span bytes = reader_bytes(r, size);
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.size; i++)
        value = value << 8 | bytes.data[i];
    return value;
}

uint8_t reader_u8(struct reader *r)
{
    return (uint8_t)read_be(r, 1);
}

uint16_t reader_u16(struct reader *r)
{
    return (uint16_t)read_be(r, 2);
}

uint32_t reader_u32(struct reader *r)
{
    return (uint32_t)read_be(r, 4);
}

uint64_t reader_u64(struct reader *r)
{
    return read_be(r, 8);
}

uint64_t reader_varint(struct reader *r)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < 10; i++) {
        uint8_t byte = reader_u8(r);
        if (r->failed)
            return 0;
        bool too_large = i == 9 && byte > 1;
        bool not_shortest = i > 0 && byte == 0;
        if (too_large || not_shortest)
            break;
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80)
            return value;
    }
    r->failed = true;
    return 0;
}

void reader_copy(struct reader *r, void *to, size_t size)
{
    struct span bytes = reader_bytes(r, size);
    if (bytes.size < size)
        memset(to, 0, size);
    else if (size > 0)
        memcpy(to, bytes.data, size);
}

enum status reader_done(const struct reader *r, const char *what, struct error *err)
{
    if (r->failed)
        return error_set(err, ERR_INVALID, "%s: cut short or malformed at byte %zu", what, r->at);
    if (r->rest.size > 0)
        return error_set(err, ERR_INVALID, "%s: %zu bytes too many after byte %zu", what,
                         r->rest.size, r->at);
    return OK;
}

struct writer writer_init(struct buf *out)
{
    return (struct writer){ .out = out, .status = OK };
}

void writer_bytes(struct writer *w, struct span bytes)
{
    if (w->status == OK)
        w->status = buf_append(w->out, bytes, NULL);
}

static void write_be(struct writer *w, uint64_t value, size_t size)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
    writer_bytes(w, span_of(bytes, size));
}

void writer_u8(struct writer *w, uint8_t value)
{
    write_be(w, value, 1);
}

void writer_u16(struct writer *w, uint16_t value)
{
    write_be(w, value, 2);
}

void writer_u32(struct writer *w, uint32_t value)
{
    write_be(w, value, 4);
}

void writer_u64(struct writer *w, uint64_t value)
{
    write_be(w, value, 8);
}

void writer_varint(struct writer *w, uint64_t value)
{
    uint8_t bytes[10];
    size_t size = 0;
    while (value >= 0x80) {
        bytes[size++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    bytes[size++] = (uint8_t)value;
    writer_bytes(w, span_of(bytes, size));
}

enum status writer_done(const struct writer *w, const char *what, struct error *err)
{
    if (w->status == OK)
        return OK;
    return error_set(err, w->status, "%s: no memory to write it", what);
}
