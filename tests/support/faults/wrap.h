/* WRAP(kind, type, name, failure, parameters, arguments): __wrap_name, to which the linker sends
 * the calls of `name`, and which fails with `failure` when its turn has come. */
#ifndef COMITY_TESTS_WRAP_H
#define COMITY_TESTS_WRAP_H

#include "support/call_fault.h"

#define WRAP(kind, type, name, failure, parameters, arguments)                    \
    type __real_##name parameters;                                                \
    type __wrap_##name parameters;                                                \
    type __wrap_##name parameters                                                 \
    {                                                                             \
        return call_fault_now(kind, #name) ? (failure) : __real_##name arguments; \
    }

#endif
