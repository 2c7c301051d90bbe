/* The nth call out of the project fails: of a statement of SQLite, of OpenSSL, of the system.
 *
 * The linker sends the calls of the layers under test through here (cmake/layer.cmake, --wrap), so
 * every branch behind `if (the call failed)` can be reached, and a sweep over n reaches them all:
 *
 *     for (uint64_t nth = 1; nth == 1 || call_fault_hit(); nth++) {
 *         call_fault_at(CALL_FAULT_SQL, nth, 0);
 *         status = work();
 *         call_fault_off();
 *     }
 *
 * A statement of SQLite that fails is interrupted for real, so that SQLite undoes the transaction
 * as it does when the disk fails, and is then reported as an I/O error of reading.  What OpenSSL is
 * not asked to do, it has not done.  A call of the system fails with the errno that was given.  One
 * thread only: calls of other threads than the one that armed it succeed.
 */
#ifndef COMITY_TESTS_CALL_FAULT_H
#define COMITY_TESTS_CALL_FAULT_H

#include <stdbool.h>
#include <stdint.h>

enum call_fault_kind {
    CALL_FAULT_SQL = 1,
    CALL_FAULT_CRYPTO = 2,
    CALL_FAULT_SYSTEM = 4,
    CALL_FAULT_LOOP = 8
};

/* The nth call of these kinds from now (1 = the next). */
void call_fault_at(unsigned kinds, uint64_t nth, int number);
/* The same, and all calls after it. */
void call_fault_from(unsigned kinds, uint64_t nth, int number);
void call_fault_off(void);
bool call_fault_hit(void); /* since it was armed; stays after call_fault_off */
/* Which function failed; "" when none did. */
const char *call_fault_name(void);

/* For the wrappers: whether this call, of function `name`, is the one. */
bool call_fault_now(enum call_fault_kind kind, const char *name);
int call_fault_errno(void);

#endif
