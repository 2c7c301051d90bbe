#include "base/arena.h"

#include "base/memory.h"

#include <stddef.h>
#include <string.h>

enum { CHUNK_SIZE = 4 * 1024, ALIGNMENT = _Alignof(max_align_t) };

struct arena_chunk {
    struct arena_chunk *next;
    max_align_t bytes[]; /* aligned for whatever comes */
};

void arena_init(struct arena *arena, size_t budget)
{
    *arena = (struct arena){ .budget = budget };
}

void arena_release(struct arena_chunk *chunks)
{
    while (chunks != NULL) {
        struct arena_chunk *next = chunks->next;
        mem_free(chunks);
        chunks = next;
    }
}

void arena_fini(struct arena *arena)
{
    arena_release(arena_keep(arena));
}

struct arena_chunk *arena_keep(struct arena *arena)
{
    struct arena_chunk *chunks = arena->chunks;
    arena->chunks = NULL;
    arena->at = NULL;
    arena->room = 0;
    return chunks;
}

static bool add_chunk(struct arena *arena, size_t needed)
{
    size_t payload = needed < CHUNK_SIZE ? CHUNK_SIZE : needed;
    size_t total = sizeof(struct arena_chunk) + payload;
    if (total > arena->budget) {
        arena->status = ERR_LIMIT;
        return false;
    }
    struct arena_chunk *chunk = mem_calloc(1, total);
    if (chunk == NULL) {
        arena->status = ERR_MEMORY;
        return false;
    }
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    arena->at = (uint8_t *)chunk->bytes;
    arena->room = payload;
    arena->budget -= total;
    return true;
}

void *arena_take(struct arena *arena, size_t count, size_t size)
{
    if (arena->status != OK)
        return NULL;
    if (size != 0 && count > (SIZE_MAX / 2) / size) {
        arena->status = ERR_LIMIT;
        return NULL;
    }
    size_t needed = (count * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    needed = needed == 0 ? ALIGNMENT : needed;
    if (needed > arena->room && !add_chunk(arena, needed))
        return NULL;
    void *piece = arena->at;
    arena->at += needed;
    arena->room -= needed;
    return piece;
}

char *arena_text(struct arena *arena, struct span bytes)
{
    char *text = arena_take(arena, bytes.size + 1, 1);
    if (text != NULL && bytes.size > 0)
        memcpy(text, bytes.data, bytes.size);
    return text;
}

enum status arena_done(const struct arena *arena, const char *what, struct error *err)
{
    if (arena->status == OK)
        return OK;
    const char *why =
        arena->status == ERR_LIMIT ? "it would take more memory than allowed" : "no memory";
    return error_set(err, arena->status, "%s: %s", what, why);
}
