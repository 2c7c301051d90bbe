#include "record/period.h"

#include <string.h>

enum { YEAR_FIRST = 1900, YEAR_LAST = 2199 }; /* no register is older, no plan reaches further */

/* `size` digits at `at` as a number; -1 when there is something else. */
static int digits(struct span text, size_t at, size_t size)
{
    int value = 0;
    if (at + size > text.size)
        return -1;
    for (size_t i = at; i < at + size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return -1;
        value = value * 10 + (text.data[i] - '0');
    }
    return value;
}

static bool has_at(struct span text, size_t at, const char *what)
{
    return span_equal(span_slice(text, at, strlen(what)), span_text(what));
}

static unsigned days_in_month(unsigned year, unsigned month)
{
    static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap ? 1U : 0U);
}

/* YYYY-MM-DD/P1Y and its kin. */
static bool parse_range(struct span text, struct period *period)
{
    static const struct {
        const char *duration;
        char frequency;
        unsigned months;
    } lengths[] = {
        { "/P1Y", 'A', 12 },
        { "/P6M", 'S', 6 },
        { "/P3M", 'Q', 3 },
        { "/P1M", 'M', 1 },
    };
    int month = digits(text, 5, 2), day = digits(text, 8, 2);
    if (text.size != 14 || text.data[7] != '-' || month < 1 || month > 12 || day < 1 ||
        (unsigned)day > days_in_month(period->year, (unsigned)month))
        return false;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        if (!has_at(text, 10, lengths[i].duration))
            continue;
        bool calendar = day == 1 && ((unsigned)month - 1) % lengths[i].months == 0;
        period->frequency = lengths[i].frequency;
        period->month = (uint16_t)month;
        period->day = (uint16_t)day;
        return !calendar; /* it has a shorter spelling */
    }
    return false;
}

/* YYYY-S1, YYYY-Q1, YYYY-MM. */
static bool parse_part(struct span text, struct period *period)
{
    int part = digits(text, 6, 1), month = digits(text, 5, 2);
    if (text.size != 7)
        return false;
    if (text.data[5] == 'S' && part >= 1 && part <= 2) {
        period->frequency = 'S';
        period->month = (uint16_t)(1 + 6 * (part - 1));
        return true;
    }
    if (text.data[5] == 'Q' && part >= 1 && part <= 4) {
        period->frequency = 'Q';
        period->month = (uint16_t)(1 + 3 * (part - 1));
        return true;
    }
    period->frequency = 'M';
    period->month = (uint16_t)month;
    return month >= 1 && month <= 12;
}

bool period_parse(struct span text, struct period *ret_period)
{
    int year = digits(text, 0, 4);
    if (year < YEAR_FIRST || year > YEAR_LAST)
        return false;
    struct period period = { 'A', (uint16_t)year, 1, 1 };
    bool fits = text.size == 4;
    if (!fits && has_at(text, 4, "-"))
        fits = parse_part(text, &period) || parse_range(text, &period);
    if (fits)
        *ret_period = period;
    return fits;
}

bool period_is_canonical(struct span text)
{
    struct period period;
    return period_parse(text, &period);
}
