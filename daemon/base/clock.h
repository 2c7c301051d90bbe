/* Time and randomness come in as parameters: a small table, with a real and a fake implementation.
 *
 * Wall time is Unix milliseconds, UTC.  Monotonic time is for timers only and has no epoch.
 */
#ifndef COMITY_BASE_CLOCK_H
#define COMITY_BASE_CLOCK_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct clock {
    int64_t (*wall_ms)(struct clock *self);
    int64_t (*monotonic_ms)(struct clock *self);
};

struct clock *clock_system(void); /* static; never freed */

struct clock_fake {
    struct clock base;
    int64_t wall_now_ms;
    int64_t monotonic_now_ms;
};
void clock_fake_init(struct clock_fake *fake, int64_t wall_ms);
void clock_fake_advance(struct clock_fake *fake, int64_t ms); /* both times */

struct random_source {
    MUST_CHECK enum status (*fill)(struct random_source *self,
                                   void *bytes,
                                   size_t size,
                                   struct error *err);
};
struct random_source *random_system(void); /* getrandom(2); static */

/* Draws from another source in larger pieces while it is open, and passes every call on while it is
 * closed: a transaction that needs a hundred salts, keys and nonces asks the kernel a few times.
 * What was handed out is wiped at once, what is left over when it closes; so a pool never outlives
 * what it was opened for, and a copy of the process at rest holds no byte of the future. */
enum { RANDOM_POOL_FIRST = 256, RANDOM_POOL_SIZE = 4096 };
struct random_pool {
    struct random_source base;
    struct random_source *from;
    bool open;
    size_t drawn; /* at the last time; the next is twice as large */
    size_t left;  /* the last bytes of what was drawn */
    uint8_t bytes[RANDOM_POOL_SIZE];
};
void random_pool_init(struct random_pool *pool, struct random_source *from);
void random_pool_open(struct random_pool *pool);
void random_pool_close(struct random_pool *pool);

struct random_seeded { /* splitmix64: reproducible, for tests and simulation only */
    struct random_source base;
    uint64_t state;
};
void random_seeded_init(struct random_seeded *random, uint64_t seed);
uint64_t random_seeded_next(struct random_seeded *random);

/* Dates as people and files write them.  ISO 8601 in UTC: "2026-03-01T09:30:00Z", "2026-03-01". */
enum { TIME_TEXT_SIZE = 25, DATE_TEXT_SIZE = 11 };
void time_format(int64_t wall_ms, char text[static TIME_TEXT_SIZE]); /* second precision */
void date_format(int64_t wall_ms, char text[static DATE_TEXT_SIZE]);
/* Takes both spellings; a bare date means 00:00:00Z of that day. */
MUST_CHECK enum status time_parse(const char *text, int64_t *ret_wall_ms, struct error *err);

#endif
