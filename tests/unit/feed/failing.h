/* Every operation while something fails, each in turn: an allocation of ours or of the database, a
 * statement of the database, a call of the library of cryptography.  A group's set up is
 * configure_database. */
#ifndef COMITY_TESTS_FAILING_H
#define COMITY_TESTS_FAILING_H

#include "two_nodes.h"

#include "feed/check.h"
#include "support/call_fault.h"

#include <sqlite3.h>

/* -- a database whose memory fails ------------------------------------------------------------- */

static sqlite3_mem_methods real;
static uint64_t database_fail_at; /* 0: never */
static bool database_failed;

static inline bool database_fails(void)
{
    if (database_fail_at == 0 || --database_fail_at > 0)
        return false;
    database_failed = true;
    return true;
}

static inline void *failing_malloc(int size)
{
    return database_fails() ? NULL : real.xMalloc(size);
}

static inline void *failing_realloc(void *memory, int size)
{
    return database_fails() ? NULL : real.xRealloc(memory, size);
}

static inline int configure_database(void **state)
{
    (void)state;
    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real) != SQLITE_OK)
        return -1;
    sqlite3_mem_methods failing = real;
    failing.xMalloc = failing_malloc;
    failing.xRealloc = failing_realloc;
    /* Without its private pools every statement asks for memory. */
    return sqlite3_config(SQLITE_CONFIG_MALLOC, &failing) == SQLITE_OK &&
                   sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) == SQLITE_OK
               ? 0
               : -1;
}

/* -- sweeping ---------------------------------------------------------------------------------- */

typedef enum status (*operation)(void);

enum { STEPS_MAX = 20000 };

enum fault { FAULT_DATABASE_MEMORY, FAULT_MEMORY, FAULT_STATEMENT, FAULT_CRYPTO, FAULT_COUNT };

static const char *const fault_names[] = { "allocation of the database", "allocation", "statement",
                                           "call of OpenSSL" };

static inline void arm(enum fault fault, uint64_t nth)
{
    database_failed = false;
    if (fault == FAULT_DATABASE_MEMORY)
        database_fail_at = nth;
    else if (fault == FAULT_MEMORY)
        mem_fail_at(nth, false);
    else
        call_fault_at(fault == FAULT_STATEMENT ? CALL_FAULT_SQL : CALL_FAULT_CRYPTO, nth, 0);
}

/* Whether it was reached. */
static inline bool disarm(enum fault fault)
{
    bool hit = fault == FAULT_DATABASE_MEMORY ? database_failed
               : fault == FAULT_MEMORY        ? mem_fail_hit()
                                              : call_fault_hit();
    mem_fail_at(0, false);
    call_fault_off();
    database_fail_at = 0;
    return hit;
}

/* One attempt with the nth failing; whether it was reached. */
static inline bool attempt(
    struct node *node, operation run, uint64_t nth, enum fault fault, const char *name)
{
    if (node != NULL)
        tx_begin(node);
    err = (struct error)ERROR_INIT;
    arm(fault, nth);
    enum status status = run();
    bool hit = disarm(fault);
    if (status == OK && hit && fault >= FAULT_STATEMENT)
        fail_msg("%s hid that %s %llu failed", name, call_fault_name(), (unsigned long long)nth);
    if (status != OK && (!hit || err.text[0] == '\0'))
        fail_msg("%s, %s %llu: %s: %s", name, fault_names[fault], (unsigned long long)nth,
                 status_name(status), err.text);
    if (node != NULL)
        store_rollback(node->store);
    return hit;
}

/* Undone after each attempt; `node` NULL: `run` has no transaction, or makes its own. */
static inline void sweep(struct node *node, operation run, const char *name)
{
    for (int fault = 0; fault < FAULT_COUNT; fault++) {
        uint64_t nth = 1;
        bool hit = true;
        for (int i = 0; hit && i < STEPS_MAX; i++) {
            hit = attempt(node, run, nth, (enum fault)fault, name);
            /* all at first, then, of the database's allocations, one in fifty */
            nth += i < 200 || fault != FAULT_DATABASE_MEMORY ? 1 : 1 + nth / 50;
        }
        assert_false(hit);
    }
}

static inline void assert_healthy(void)
{
    struct node *nodes[] = { &ke, &un };
    for (size_t i = 0; i < 2; i++) {
        struct check_result result = { 0 };
        CHECK_OK(feed_check(&nodes[i]->feed, &result, &err), &err);
        if (result.problems > 0)
            fail_msg("%.*s", (int)result.text.size, (const char *)result.text.data);
        check_result_fini(&result);
    }
}

#endif
