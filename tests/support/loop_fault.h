/* What a test of the loop cannot wait for, or cannot be: time, and another machine.
 * For programs that link net or node (tests/CMakeLists.txt); each setting stays until the next. */
#ifndef COMITY_TESTS_LOOP_FAULT_H
#define COMITY_TESTS_LOOP_FAULT_H

#include <stdint.h>

/* Timers of `from_ms` and more that are started from now on run out so many times sooner; 1: when
 * they should. */
void loop_fault_hurry(uint64_t from_ms, uint64_t times);
/* Connections seem to come from this IPv4 address (it outlives the setting); NULL: from where they
 * come. */
void loop_fault_pretend_from(const char *address);

#endif
