/* Memory that is given back all at once, with a budget: what a decoder hands out for one message.
 *
 * Pieces are zeroed and aligned for any type.  The first failure is sticky and reported by
 * arena_done(), so that a decoder checks once; a failed call gives NULL.
 */
#ifndef COMITY_BASE_ARENA_H
#define COMITY_BASE_ARENA_H

#include "base/span.h"

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks; /* newest first */
    uint8_t *at;                /* free part of the newest */
    size_t room;
    size_t budget; /* bytes that may still be taken from the heap */
    enum status status;
};

void arena_init(struct arena *arena, size_t budget);
void arena_fini(struct arena *arena);
void *arena_take(struct arena *arena, size_t count, size_t size);
/* A copy with a NUL behind it. */
char *arena_text(struct arena *arena, struct span bytes);
MUST_CHECK enum status arena_done(const struct arena *arena, const char *what, struct error *err);
/* What a message keeps of the arena that it was decoded into; given back by arena_release(). */
struct arena_chunk *arena_keep(struct arena *arena);
void arena_release(struct arena_chunk *chunks);

#endif
