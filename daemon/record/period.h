/* Time periods of figures: SDMX time, one canonical spelling for each period.
 *
 *     2013            calendar year            FREQ A
 *     2013-S1         half-year 1 or 2         FREQ S
 *     2013-Q1         quarter 1-4              FREQ Q
 *     2013-01         month                    FREQ M
 *     2012-07-01/P1Y  a year, half-year (P6M), quarter (P3M) or month (P1M) that begins on that
 *                     day; refused where it is one of the periods above
 */
#ifndef COMITY_RECORD_PERIOD_H
#define COMITY_RECORD_PERIOD_H

#include "base/span.h"

struct period {
    char frequency;            /* A S Q M */
    uint16_t year, month, day; /* first day */
};
bool period_parse(struct span text, struct period *ret_period);
bool period_is_canonical(struct span text);

#endif
