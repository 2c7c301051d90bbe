/* Bytes of messages, good and bad, written by hand: what no encoder of ours would produce. */
#ifndef COMITY_TESTS_SUPPORT_PEER_WIRE_H
#define COMITY_TESTS_SUPPORT_PEER_WIRE_H

#include "base/batch.h"

/* Appends a field to *out; the test fails without memory. */
void peer_wire_varint(struct buf *out, uint64_t value);
void peer_wire_number(struct buf *out, uint32_t field, uint64_t value);
void peer_wire_bytes(struct buf *out, uint32_t field, struct span bytes);
void peer_wire_text(struct buf *out, uint32_t field, const char *text);
/* `inside` becomes a length-delimited field of *out and is emptied. */
void peer_wire_nest(struct buf *out, uint32_t field, struct buf *inside);

/* A note of the right shape: origin, size, a root made of `root`, and a line like a signature. */
void peer_wire_note(struct buf *out, const char *origin, uint64_t size, char root);

/* A batch of `count` entries from `first` on, with bodies of `body_size`; every third is inline and
 * every fifth withheld.  Entry i is recognisable: all of its bytes depend on i. */
struct batch peer_wire_batch(const char *origin, uint64_t first, size_t count, size_t body_size);
bool peer_wire_batch_equal(const struct batch *a, const struct batch *b);
struct heal peer_wire_heal(const char *origin, uint64_t first, size_t count, bool last);

#endif
