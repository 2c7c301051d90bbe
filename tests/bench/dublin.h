/* The Dublin figures of data/source as releases, for benchmarks. */
#ifndef COMITY_BENCH_DUBLIN_H
#define COMITY_BENCH_DUBLIN_H

#include "record/sdmx.h"

/* Whose figures they say they are: the node that gives them has this code. */
#define DUBLIN_PUBLISHER "EU"

enum dublin_cut {
    DUBLIN_YEARS,          /* one release a year: 1,000 rows and more */
    DUBLIN_REPORTER_YEARS, /* one of each reporter and year */
    DUBLIN_THOUSANDS       /* releases of exactly 1,000 rows, as many as asked for */
};

/* `count`: of DUBLIN_THOUSANDS; they repeat the figures under other names of their source.
 * sdmx_release_list_fini() it. */
struct sdmx_release_list dublin_releases(const char *project, enum dublin_cut cut, size_t count);

#endif
