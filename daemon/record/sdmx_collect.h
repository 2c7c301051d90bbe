/* Rows of one file, sorted into releases: one per period and source (internal to sdmx). */
#ifndef COMITY_RECORD_SDMX_COLLECT_H
#define COMITY_RECORD_SDMX_COLLECT_H

#include "record/sdmx.h"

enum { SDMX_RELEASES_MAX = 1024 }; /* of one file: a century of months is 1200 */

struct sdmx_collect {
    struct problems *problems;
    struct sdmx_group *groups; /* owned */
    size_t count;
    size_t latest; /* rows of one release mostly stand together */
};

/* The observation is complete and checked cell by cell.  Says where attributes of a release differ
 * from row to row. */
MUST_CHECK enum status sdmx_collect_add(struct sdmx_collect *collect,
                                        const struct structure *structure,
                                        const struct observation *observation,
                                        const struct span *release_attributes,
                                        struct error *err);
/* Fills *ret_list only when there are no problems. */
MUST_CHECK enum status sdmx_collect_finish(struct sdmx_collect *collect,
                                           struct sdmx_release_list *ret_list,
                                           struct error *err);
void sdmx_collect_fini(struct sdmx_collect *collect);

#endif
