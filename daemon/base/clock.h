/* Time and randomness come in as parameters: a small table, with a real and a fake implementation.
 *
 * Wall time is Unix milliseconds, UTC.  Monotonic time is for timers only and has no epoch.
 */
#ifndef COMITY_BASE_CLOCK_H
#define COMITY_BASE_CLOCK_H

#include "base/status.h"

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
