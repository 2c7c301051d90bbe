/* What the benchmarks share: time, medians, and the one table that all of them print.
 *
 * A row is a figure, the median of several runs, beside the floor that was measured in the same
 * runs and the target.  Programs are called as
 *
 *     bench_NAME DIRECTORY-OF-BINARIES PROJECT WORK-DIRECTORY [FIGURE]
 *
 * With FIGURE (a word of its program) they measure that one alone.
 */
#ifndef COMITY_BENCH_BENCH_H
#define COMITY_BENCH_BENCH_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

struct bench_place {
    const char *binaries, *project, *work;
    const char *only; /* FIGURE; NULL: all */
};
struct bench_place bench_place(int argc, char **argv); /* ends the program when one is missing */
bool bench_wanted(const struct bench_place *place, const char *figure);

void bench_must(enum status status, const struct error *err);
_Noreturn void bench_fail(const char *what); /* with errno */

double bench_now_s(void);
double bench_median(double *values, size_t count);                    /* sorts */
double bench_quantile(double *values, size_t count, double fraction); /* sorts */

enum bench_rule { BENCH_AT_LEAST, BENCH_AT_MOST, BENCH_NO_RULE };
struct bench_row {
    const char *figure;
    double value;
    const char *unit;
    const char *floor_name; /* NULL: none */
    double floor;
    enum bench_rule rule;
    double target;
    bool of_ratio; /* the target is value / floor, not the value */
};
void bench_print(const struct bench_row *row);

#endif
