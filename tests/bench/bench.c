#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct bench_place bench_place(int argc, char **argv)
{
    if (argc != 4 && argc != 5) {
        fprintf(stderr, "usage: %s DIRECTORY-OF-BINARIES PROJECT WORK-DIRECTORY [FIGURE]\n",
                argv[0]);
        exit(2);
    }
    return (struct bench_place){ argv[1], argv[2], argv[3], argc == 5 ? argv[4] : NULL };
}

bool bench_wanted(const struct bench_place *place, const char *figure)
{
    return place->only == NULL || strcmp(place->only, figure) == 0;
}

void bench_must(enum status status, const struct error *err)
{
    if (status == OK)
        return;
    fprintf(stderr, "bench: %s: %s\n", status_name(status), err->text);
    exit(1);
}

void bench_fail(const char *what)
{
    perror(what);
    exit(1);
}

double bench_now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_quantile(double *values, size_t count, double fraction)
{
    if (count == 0)
        return NAN;
    qsort(values, count, sizeof(*values), compare);
    size_t at = (size_t)(fraction * (double)count);
    return values[at < count ? at : count - 1];
}

double bench_median(double *values, size_t count)
{
    return bench_quantile(values, count, 0.5);
}

/* 12345678 as "12,346k": four digits say all that a noisy machine knows. */
static void format(double value, char text[static 24])
{
    if (isnan(value))
        (void)snprintf(text, 24, "-");
    else if (value >= 1e6)
        (void)snprintf(text, 24, "%.2f M", value / 1e6);
    else if (value >= 1e4)
        (void)snprintf(text, 24, "%.1f k", value / 1e3);
    else
        (void)snprintf(text, 24, "%.*f", value >= 100 ? 0 : 2, value);
}

void bench_print(const struct bench_row *row)
{
    char value[24];
    char floor[24];
    char target[24];
    double ratio = row->floor_name == NULL ? NAN : row->value / row->floor;
    double judged = row->of_ratio ? ratio : row->value;
    bool met = row->rule == BENCH_AT_LEAST ? judged >= row->target : judged <= row->target;
    format(row->value, value);
    format(row->floor_name == NULL ? NAN : row->floor, floor);
    format(row->target, target);
    printf("%-50s %10s %-6s | %9s %-34s | ", row->figure, value, row->unit, floor,
           row->floor_name == NULL ? "" : row->floor_name);
    if (isnan(ratio))
        printf("%6s | ", "-");
    else
        printf("%6.2f | ", ratio);
    if (row->rule == BENCH_NO_RULE)
        printf("%14s |\n", "-");
    else
        printf("%s %8s%s | %s\n", row->rule == BENCH_AT_LEAST ? ">=" : "<=", target,
               row->of_ratio ? " x" : "  ", met ? "met" : "NOT MET");
    (void)fflush(stdout);
}
