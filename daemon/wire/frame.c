#include "wire/frame.h"

#include "base/memory.h"

#include <string.h>

/* What a reader keeps between frames: the usual ones need no new memory, an idle link little. */
enum { KEEP_BYTES = 4 * 1024 };

void frame_reader_init(struct frame_reader *reader)
{
    *reader = (struct frame_reader){ 0 };
}

void frame_reader_fini(struct frame_reader *reader)
{
    if (reader != NULL)
        buf_fini(&reader->body);
}

static struct span take(struct span *bytes, size_t size)
{
    struct span taken = span_slice(*bytes, 0, size);
    *bytes = span_slice(*bytes, taken.size, bytes->size);
    return taken;
}

static void start_afresh(struct frame_reader *reader)
{
    reader->handed_out = false;
    reader->head_size = 0;
    if (reader->body.capacity > KEEP_BYTES)
        buf_fini(&reader->body);
    buf_clear(&reader->body);
}

/* Collects the head; once it is whole, judges the length before any byte of the body is kept. */
static enum status take_head(struct frame_reader *reader,
                             uint32_t max,
                             struct span *bytes,
                             struct error *err)
{
    struct span part = take(bytes, FRAME_HEAD_SIZE - reader->head_size);
    if (part.size > 0)
        memcpy(reader->head + reader->head_size, part.data, part.size);
    reader->head_size += part.size;
    if (reader->head_size < FRAME_HEAD_SIZE)
        return OK;
    reader->size = (uint32_t)reader->head[0] << 24 | (uint32_t)reader->head[1] << 16 |
                   (uint32_t)reader->head[2] << 8 | reader->head[3];
    /* PROTOCOL 4.2: "A length of 0 MUST be refused." */
    if (reader->size == 0)
        return error_set(err, ERR_INVALID, "frame: length 0");
    /* PROTOCOL 4.2: "A length above the limit of the moment MUST be refused before any byte of the
     * body is kept." */
    if (reader->size > max)
        return error_set(err, ERR_LIMIT, "frame: length %u > %u", (unsigned)reader->size,
                         (unsigned)max);
    return OK;
}

static enum status take_body(struct frame_reader *reader,
                             struct span *bytes,
                             struct span *ret_frame,
                             struct error *err)
{
    struct span part = take(bytes, reader->size - reader->body.size);
    if (part.size == reader->size) { /* whole in this piece: no copy */
        *ret_frame = part;
        reader->handed_out = true;
        return OK;
    }
    enum status status = buf_append(&reader->body, part, err);
    if (status == OK && reader->body.size == reader->size) {
        *ret_frame = buf_span(&reader->body);
        reader->handed_out = true;
    }
    return status;
}

enum status frame_reader_take(struct frame_reader *reader,
                              uint32_t max,
                              struct span *bytes,
                              struct span *ret_frame,
                              struct error *err)
{
    *ret_frame = SPAN_EMPTY;
    if (reader->failed)
        return error_set(err, ERR_INVALID, "frame: bytes after a refused frame");
    if (reader->handed_out)
        start_afresh(reader);
    enum status status = OK;
    if (reader->head_size < FRAME_HEAD_SIZE)
        status = take_head(reader, max, bytes, err);
    if (status == OK && reader->head_size == FRAME_HEAD_SIZE)
        status = take_body(reader, bytes, ret_frame, err);
    reader->failed = status != OK;
    return status;
}

enum status frame_begin(struct buf *out, size_t *ret_at, struct error *err)
{
    size_t at = out->size;
    enum status status = buf_append_zeros(out, FRAME_HEAD_SIZE, err);
    if (status == OK)
        *ret_at = at;
    return status;
}

enum status frame_end(struct buf *out, size_t at, uint32_t max, struct error *err)
{
    size_t size = out->size - at - FRAME_HEAD_SIZE;
    if (size == 0 || size > max)
        return error_set(err, ERR_INTERNAL, "frame: %zu bytes to send, allowed are 1 to %u", size,
                         (unsigned)max);
    for (size_t i = 0; i < FRAME_HEAD_SIZE; i++)
        out->data[at + i] = (uint8_t)(size >> (8 * (FRAME_HEAD_SIZE - 1 - i)));
    return OK;
}
