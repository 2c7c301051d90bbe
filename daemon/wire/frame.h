/* Frames: a 4-byte big-endian length, then that many bytes (PROTOCOL 4).
 *
 * The reader takes bytes in whatever pieces the network gives and hands out whole frames.  A frame
 * that lies whole in the piece is not copied; otherwise the memory grows with what has arrived, not
 * with what the length promises, so that a stranger's four bytes cost four bytes.
 */
#ifndef COMITY_WIRE_FRAME_H
#define COMITY_WIRE_FRAME_H

#include "base/limits.h"
#include "base/span.h"

struct frame_reader {
    uint8_t head[FRAME_HEAD_SIZE];
    size_t head_size; /* bytes of head that are there */
    uint32_t size;    /* of the frame, once the head is whole */
    struct buf body;  /* what is there of a frame that came in several pieces */
    bool handed_out;  /* the last call gave a frame: the next one starts afresh */
    bool failed;      /* sticky: no boundary can be trusted after a bad length */
};

void frame_reader_init(struct frame_reader *reader);
void frame_reader_fini(struct frame_reader *reader);

/* Takes bytes from the front of *bytes (which moves on) until one frame is whole or all are taken.
 * ret_frame->data is NULL while none is whole; otherwise it borrows from *bytes or from the reader
 * until the next call.  `max` bounds the length that may be announced now.
 * ERR_LIMIT: length above max; ERR_INVALID: length 0; ERR_MEMORY; all of them final. */
MUST_CHECK enum status frame_reader_take(struct frame_reader *reader,
                                         uint32_t max,
                                         struct span *bytes,
                                         struct span *ret_frame,
                                         struct error *err);

/* Begins a frame at the end of *out; frame_end() writes the length of what was appended since.
 * frame_begin gives the position that frame_end needs. */
MUST_CHECK enum status frame_begin(struct buf *out, size_t *ret_at, struct error *err);
MUST_CHECK enum status frame_end(struct buf *out, size_t at, uint32_t max, struct error *err);

#endif
