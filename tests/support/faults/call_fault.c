#include "support/call_fault.h"

#include <errno.h>
#include <pthread.h>

static struct {
    unsigned kinds; /* 0: off */
    uint64_t left;
    int number;
    bool for_ever;
    bool hit;
    const char *name;
    pthread_t thread;
} armed = { .name = "" };

void call_fault_at(unsigned kinds, uint64_t nth, int number)
{
    armed.kinds = kinds;
    armed.left = nth;
    armed.number = number;
    armed.for_ever = false;
    armed.hit = false;
    armed.name = "";
    armed.thread = pthread_self();
}

void call_fault_from(unsigned kinds, uint64_t nth, int number)
{
    call_fault_at(kinds, nth, number);
    armed.for_ever = true;
}

void call_fault_off(void)
{
    armed.kinds = 0;
}

bool call_fault_hit(void)
{
    return armed.hit;
}

const char *call_fault_name(void)
{
    return armed.name;
}

bool call_fault_now(enum call_fault_kind kind, const char *name)
{
    if ((armed.kinds & (unsigned)kind) == 0 || pthread_equal(armed.thread, pthread_self()) == 0)
        return false;
    if (armed.left > 1) {
        armed.left--;
        return false;
    }
    if (armed.left == 0 && !armed.for_ever)
        return false;
    armed.left = 0;
    armed.hit = true;
    armed.name = name;
    return true;
}

int call_fault_errno(void)
{
    errno = armed.number;
    return -1;
}
