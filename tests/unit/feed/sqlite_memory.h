/* SQLite's own allocations, failing at the nth: every statement of a function can be made to fail,
 * wherever it stands.  Install before the first database is opened. */
#ifndef COMITY_TESTS_SQLITE_MEMORY_H
#define COMITY_TESTS_SQLITE_MEMORY_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static sqlite3_mem_methods sqlite_memory_real;
static uint64_t sqlite_memory_left; /* 0: off; 1: the next one fails */
static bool sqlite_memory_hit;

static inline bool sqlite_memory_fails(void)
{
    if (sqlite_memory_left == 0 || --sqlite_memory_left > 0)
        return false;
    sqlite_memory_hit = true;
    return true;
}

static inline void *sqlite_memory_malloc(int size)
{
    return sqlite_memory_fails() ? NULL : sqlite_memory_real.xMalloc(size);
}

static inline void *sqlite_memory_realloc(void *memory, int size)
{
    return sqlite_memory_fails() ? NULL : sqlite_memory_real.xRealloc(memory, size);
}

static inline void sqlite_memory_install(void)
{
    sqlite3_mem_methods methods;
    (void)sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlite_memory_real);
    methods = sqlite_memory_real;
    methods.xMalloc = sqlite_memory_malloc;
    methods.xRealloc = sqlite_memory_realloc;
    (void)sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
    (void)sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0); /* else small ones never come here */
    (void)sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
}

static inline void sqlite_memory_fail_at(uint64_t nth)
{
    sqlite_memory_left = nth;
    sqlite_memory_hit = false;
}

#endif
