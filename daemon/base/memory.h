/* All heap memory of Comity comes through here, so that a test can fail the i-th allocation.
 *
 * mem_alloc/mem_calloc/mem_realloc return NULL on failure, as malloc does; size 0 gives NULL.
 * mem_free(NULL) does nothing.  mem_wipe is never optimised away.
 */
#ifndef COMITY_BASE_MEMORY_H
#define COMITY_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *mem_alloc(size_t size) __attribute__((malloc, alloc_size(1)));
void *mem_calloc(size_t count, size_t size) __attribute__((malloc, alloc_size(1, 2)));
void *mem_realloc(void *memory, size_t size) __attribute__((alloc_size(2)));
void mem_free(void *memory);
void mem_wipe(void *memory, size_t size);
char *mem_strdup(const char *text);

/* Large batches come and go; giving their memory to the kernel each time costs 20 times what the
 * copying costs (3.7 instead of 0.2 us an entry of 2 KB, page faults).  mem_keep_freed(), once at
 * the start of the process, keeps up to 32 MiB; mem_return_freed(), called when nothing has been
 * going on for a while, gives it back, so that an idle daemon stays small. */
void mem_keep_freed(void);
void mem_return_freed(void);

/* Fault injection: the `nth` allocation from now (1 = the next) fails; with `for_ever` all after
 * it as well.  nth 0 switches it off.  mem_fail_hit() tells whether one was failed since.  Atomic,
 * process-wide; never called outside tests. */
void mem_fail_at(uint64_t nth, bool for_ever);
bool mem_fail_hit(void);
/* Live allocations made through this file, for leak checks in tests. */
int64_t mem_live(void);

#endif
