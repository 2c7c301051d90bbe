#include "base/span.h"

#include "base/memory.h"

#include <stdio.h>
#include <string.h>

struct span span_of(const void *data, size_t size)
{
    return (struct span){ data, size };
}

struct span span_text(const char *text)
{
    return text == NULL ? SPAN_EMPTY : span_of(text, strlen(text));
}

struct span span_slice(struct span span, size_t at, size_t size)
{
    if (at >= span.size)
        return SPAN_EMPTY;
    size_t left = span.size - at;
    return span_of(span.data + at, size < left ? size : left);
}

bool span_equal(struct span a, struct span b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

bool span_equal_secret(struct span a, struct span b)
{
    if (a.size != b.size)
        return false;
    volatile uint8_t difference = 0;
    for (size_t i = 0; i < a.size; i++)
        difference = (uint8_t)(difference | (a.data[i] ^ b.data[i]));
    return difference == 0;
}

int span_compare(struct span a, struct span b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common);
    if (order != 0)
        return order;
    return (a.size > b.size) - (a.size < b.size);
}

void buf_fini(struct buf *buf)
{
    if (buf == NULL)
        return;
    if (buf->secret && buf->data != NULL)
        mem_wipe(buf->data, buf->capacity);
    mem_free(buf->data);
    buf->data = NULL;
    buf->size = 0;
    buf->capacity = 0;
}

void buf_clear(struct buf *buf)
{
    if (buf->secret && buf->data != NULL)
        mem_wipe(buf->data, buf->size);
    buf->size = 0;
}

struct buf buf_move(struct buf *from)
{
    struct buf moved = *from;
    from->data = NULL;
    from->size = 0;
    from->capacity = 0;
    return moved;
}

struct span buf_span(const struct buf *buf)
{
    return span_of(buf->data, buf->size);
}

/* Grows by doubling.  A secret buffer is never handed to realloc, which may leave a copy behind. */
static enum status buf_grow(struct buf *buf, size_t needed, struct error *err)
{
    size_t capacity = buf->capacity < 64 ? 64 : buf->capacity;
    while (capacity < needed) {
        if (capacity > SIZE_MAX / 2)
            return error_set(err, ERR_LIMIT, "buffer of %zu bytes", needed);
        capacity *= 2;
    }
    uint8_t *data = NULL;
    if (!buf->secret) {
        data = mem_realloc(buf->data, capacity);
    } else if ((data = mem_alloc(capacity)) != NULL && buf->data != NULL) {
        memcpy(data, buf->data, buf->size);
        mem_wipe(buf->data, buf->capacity);
        mem_free(buf->data);
    }
    if (data == NULL)
        return error_set(err, ERR_MEMORY, "no memory for %zu bytes", capacity);
    buf->data = data;
    buf->capacity = capacity;
    return OK;
}

enum status buf_reserve(struct buf *buf, size_t more, struct error *err)
{
    if (more > SIZE_MAX - buf->size)
        return error_set(err, ERR_LIMIT, "buffer of more than %zu bytes", (size_t)SIZE_MAX);
    if (buf->size + more <= buf->capacity)
        return OK;
    return buf_grow(buf, buf->size + more, err);
}

enum status buf_append(struct buf *buf, struct span bytes, struct error *err)
{
    enum status status = buf_reserve(buf, bytes.size, err);
    if (status == OK && bytes.size > 0) {
        memcpy(buf->data + buf->size, bytes.data, bytes.size);
        buf->size += bytes.size;
    }
    return status;
}

enum status buf_append_text(struct buf *buf, const char *text, struct error *err)
{
    return buf_append(buf, span_text(text), err);
}

enum status buf_append_zeros(struct buf *buf, size_t count, struct error *err)
{
    enum status status = buf_reserve(buf, count, err);
    if (status == OK && count > 0) {
        memset(buf->data + buf->size, 0, count);
        buf->size += count;
    }
    return status;
}

enum status buf_vprintf(struct buf *buf, struct error *err, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    enum status status = OK;
    if (size < 0)
        status = error_set(err, ERR_INTERNAL, "a text could not be formatted");
    else
        status = buf_reserve(buf, (size_t)size + 1, err);
    if (status == OK) {
        (void)vsnprintf((char *)buf->data + buf->size, (size_t)size + 1, format, again);
        buf->size += (size_t)size;
    }
    va_end(again);
    return status;
}

enum status buf_printf(struct buf *buf, struct error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    enum status status = buf_vprintf(buf, err, format, args);
    va_end(args);
    return status;
}

enum status buf_terminate(struct buf *buf, struct error *err)
{
    enum status status = buf_reserve(buf, 1, err);
    if (status == OK)
        buf->data[buf->size] = 0;
    return status;
}
