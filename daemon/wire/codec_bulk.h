/* The two messages that carry much: Batch and Heal.  Used by codec.c only. */
#ifndef COMITY_WIRE_CODEC_BULK_H
#define COMITY_WIRE_CODEC_BULK_H

#include "base/batch.h"

/* `frame` is a whole Envelope in which codec.c found exactly this message.  One copy of the frame
 * becomes the memory of what is given back; everything else points into it. */
MUST_CHECK enum status codec_bulk_decode_batch(struct span frame,
                                               struct batch *ret_batch,
                                               struct error *err);
MUST_CHECK enum status codec_bulk_decode_heal(struct span frame,
                                              struct heal *ret_heal,
                                              struct error *err);

/* Turns a broken rule of the format into what it is when we are the sender: ERR_INTERNAL. */
enum status codec_bulk_own_fault(enum status status, const char *what, struct error *err);

#endif
