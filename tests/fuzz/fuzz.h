/* What every fuzz target defines; libFuzzer or replay.c calls it.  Always gives 0. */
#ifndef COMITY_TESTS_FUZZ_FUZZ_H
#define COMITY_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* The name is libFuzzer's. NOLINTNEXTLINE(readability-identifier-naming) */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A broken promise: stops the program in a way that both drivers report. */
#define FUZZ_REQUIRE(condition) \
    do {                        \
        if (!(condition))       \
            __builtin_trap();   \
    } while (0)

#endif
