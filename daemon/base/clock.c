#include "base/clock.h"

#include "base/memory.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static int64_t now_ms(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t system_wall_ms(struct clock *self)
{
    (void)self;
    return now_ms(CLOCK_REALTIME);
}

static int64_t system_monotonic_ms(struct clock *self)
{
    (void)self;
    return now_ms(CLOCK_MONOTONIC);
}

struct clock *clock_system(void)
{
    static struct clock system = { system_wall_ms, system_monotonic_ms };
    return &system;
}

static int64_t fake_wall_ms(struct clock *self)
{
    return ((struct clock_fake *)self)->wall_now_ms;
}

static int64_t fake_monotonic_ms(struct clock *self)
{
    return ((struct clock_fake *)self)->monotonic_now_ms;
}

void clock_fake_init(struct clock_fake *fake, int64_t wall_ms)
{
    *fake = (struct clock_fake){
        { fake_wall_ms, fake_monotonic_ms },
        wall_ms,
        0,
    };
}

void clock_fake_advance(struct clock_fake *fake, int64_t ms)
{
    fake->wall_now_ms += ms;
    fake->monotonic_now_ms += ms;
}

static enum status system_fill(struct random_source *self,
                               void *bytes,
                               size_t size,
                               struct error *err)
{
    (void)self;
    uint8_t *at = bytes;
    while (size > 0) {
        ssize_t got = getrandom(at, size, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return error_set(err, ERR_IO, "random numbers: %s", strerror(errno));
        at += got;
        size -= (size_t)got;
    }
    return OK;
}

struct random_source *random_system(void)
{
    static struct random_source system = { system_fill };
    return &system;
}

static enum status seeded_fill(struct random_source *self,
                               void *bytes,
                               size_t size,
                               struct error *err)
{
    (void)err;
    uint8_t *at = bytes;
    while (size > 0) {
        uint64_t value = random_seeded_next((struct random_seeded *)self);
        size_t part = size < sizeof(value) ? size : sizeof(value);
        memcpy(at, &value, part);
        at += part;
        size -= part;
    }
    return OK;
}

void random_seeded_init(struct random_seeded *random, uint64_t seed)
{
    *random = (struct random_seeded){ { seeded_fill }, seed };
}

static enum status draw(struct random_pool *pool, struct error *err)
{
    size_t size = pool->drawn == 0 ? RANDOM_POOL_FIRST : pool->drawn * 2;
    if (size > RANDOM_POOL_SIZE)
        size = RANDOM_POOL_SIZE;
    enum status status = pool->from->fill(pool->from, pool->bytes, size, err);
    if (status == OK)
        pool->drawn = pool->left = size;
    return status;
}

static enum status pool_fill(struct random_source *self,
                             void *bytes,
                             size_t size,
                             struct error *err)
{
    struct random_pool *pool = (struct random_pool *)self;
    uint8_t *to = bytes;
    if (!pool->open || size > RANDOM_POOL_FIRST)
        return pool->from->fill(pool->from, bytes, size, err);
    while (size > 0) {
        enum status status = pool->left == 0 ? draw(pool, err) : OK;
        if (status != OK)
            return status;
        size_t part = size < pool->left ? size : pool->left;
        uint8_t *at = pool->bytes + pool->drawn - pool->left;
        memcpy(to, at, part);
        mem_wipe(at, part);
        pool->left -= part;
        to += part;
        size -= part;
    }
    return OK;
}

void random_pool_init(struct random_pool *pool, struct random_source *from)
{
    *pool = (struct random_pool){ .base = { pool_fill }, .from = from };
}

void random_pool_open(struct random_pool *pool)
{
    pool->open = true;
}

void random_pool_close(struct random_pool *pool)
{
    mem_wipe(pool->bytes + pool->drawn - pool->left, pool->left);
    pool->open = false;
    pool->drawn = pool->left = 0;
}

/* Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators (2014), figure 17. */
uint64_t random_seeded_next(struct random_seeded *random)
{
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* Years beyond four digits and times before 1970 are shown as "-". */
static bool split(int64_t wall_ms, struct tm *ret_parts)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    return wall_ms >= 0 && gmtime_r(&seconds, ret_parts) != NULL &&
           ret_parts->tm_year <= 9999 - 1900;
}

void time_format(int64_t wall_ms, char text[static TIME_TEXT_SIZE])
{
    struct tm parts;
    if (!split(wall_ms, &parts) ||
        strftime(text, TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        (void)snprintf(text, TIME_TEXT_SIZE, "-");
}

void date_format(int64_t wall_ms, char text[static DATE_TEXT_SIZE])
{
    struct tm parts;
    if (!split(wall_ms, &parts) || strftime(text, DATE_TEXT_SIZE, "%Y-%m-%d", &parts) == 0)
        (void)snprintf(text, DATE_TEXT_SIZE, "-");
}

/* Exactly the digits of the pattern: '0' stands for a digit, all else for itself. */
static bool matches(const char *text, const char *pattern)
{
    for (; *pattern != '\0'; text++, pattern++) {
        bool digit = *text >= '0' && *text <= '9';
        if (*pattern == '0' ? !digit : *text != *pattern)
            return false;
    }
    return *text == '\0';
}

enum status time_parse(const char *text, int64_t *ret_wall_ms, struct error *err)
{
    struct tm parts = { .tm_mday = 1 };
    bool whole = matches(text, "0000-00-00T00:00:00Z");
    if (!whole && !matches(text, "0000-00-00")) {
        return error_set(err, ERR_INVALID,
                         "'%.40s' is not a date (2026-03-01) nor a time in UTC "
                         "(2026-03-01T09:30:00Z)",
                         text);
    }
    /* NOLINTNEXTLINE(cert-err34-c): the pattern was checked digit by digit above */
    int fields = sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d", &parts.tm_year, &parts.tm_mon,
                        &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &parts.tm_sec);
    if (fields < 3)
        return error_set(err, ERR_INVALID, "'%.40s' is not a date", text);
    struct tm wanted = parts;
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    time_t seconds = timegm(&parts);
    bool same = parts.tm_year == wanted.tm_year - 1900 && parts.tm_mon == wanted.tm_mon - 1 &&
                parts.tm_mday == wanted.tm_mday && parts.tm_hour == wanted.tm_hour &&
                parts.tm_min == wanted.tm_min && parts.tm_sec == wanted.tm_sec;
    if (!same || seconds < 0)
        return error_set(err, ERR_INVALID, "'%.40s' is not a day of the calendar since 1970", text);
    *ret_wall_ms = (int64_t)seconds * 1000;
    return OK;
}
