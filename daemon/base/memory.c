#include "base/memory.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static atomic_uint_fast64_t countdown; /* 0: off; 1: the next allocation fails */
static atomic_bool fail_for_ever;
static atomic_bool hit;
static atomic_int_fast64_t live;

static bool must_fail(void)
{
    uint_fast64_t left = atomic_load_explicit(&countdown, memory_order_relaxed);
    if (left == 0)
        return false;
    if (left > 1) {
        atomic_fetch_sub(&countdown, 1);
        return false;
    }
    atomic_store(&hit, true);
    if (!atomic_load(&fail_for_ever))
        atomic_store(&countdown, 0);
    return true;
}

static void *counted(void *memory)
{
    if (memory != NULL)
        atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
    return memory;
}

void *mem_alloc(size_t size)
{
    return size == 0 || must_fail() ? NULL : counted(malloc(size));
}

void *mem_calloc(size_t count, size_t size)
{
    return count == 0 || size == 0 || must_fail() ? NULL : counted(calloc(count, size));
}

void *mem_realloc(void *memory, size_t size)
{
    if (memory == NULL)
        return mem_alloc(size);
    return size == 0 || must_fail() ? NULL : realloc(memory, size);
}

void mem_free(void *memory)
{
    if (memory != NULL)
        atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
    free(memory);
}

void mem_wipe(void *memory, size_t size)
{
    if (memory != NULL)
        explicit_bzero(memory, size);
}

enum { KEEP_BYTES = 32 * 1024 * 1024 };

void mem_keep_freed(void)
{
    /* Both must be set: either one alone ends the dynamic threshold of the other. */
    mallopt(M_TRIM_THRESHOLD, KEEP_BYTES);
    mallopt(M_MMAP_THRESHOLD, KEEP_BYTES);
}

void mem_return_freed(void)
{
    malloc_trim(0);
}

char *mem_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = mem_alloc(size);
    return copy == NULL ? NULL : memcpy(copy, text, size);
}

void mem_fail_at(uint64_t nth, bool for_ever)
{
    atomic_store(&fail_for_ever, for_ever);
    atomic_store(&hit, false);
    atomic_store(&countdown, nth);
}

bool mem_fail_hit(void)
{
    return atomic_load(&hit);
}

int64_t mem_live(void)
{
    return (int64_t)atomic_load(&live);
}
