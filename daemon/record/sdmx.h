/* Figures from and to files: SDMX-CSV (2.0 written; 1.0, 2.0 and 2.1 read).
 *
 * Reading finds every problem of a file at once and takes all of it or nothing.  Columns are found
 * by name; separator `,` or `;` (then with decimal comma as well), UTF-8 with or without BOM.
 */
#ifndef COMITY_RECORD_SDMX_H
#define COMITY_RECORD_SDMX_H

#include "record/release.h"

/* One snapshot per (dataset, period, source) of the file, in the order of their identities. */
struct sdmx_release {
    struct buf bytes;    /* as release_builder_finish made them */
    struct buf identity; /* release_identity */
    size_t observation_count;
};
struct sdmx_release_list {
    struct sdmx_release *items; /* owned */
    size_t count;
    size_t capacity;
};
void sdmx_release_list_fini(struct sdmx_release_list *list);

struct sdmx_import_options {
    const struct code *publisher; /* whose figures these must be; NULL: not checked */
    const char *source;           /* SOURCE_AUTH where the file gives none; NULL: it must */
};
/* With any problem the status is that of problems_status and the list stays untouched. */
MUST_CHECK enum status sdmx_import(struct span file,
                                   const struct sdmx_import_options *options,
                                   struct problems *problems,
                                   struct sdmx_release_list *ret_list,
                                   struct error *err);

/* SDMX-CSV 2.0, LF line ends, all dimensions, the attributes that occur, in the structure's order;
 * importing it again gives the same plain form. */
MUST_CHECK enum status sdmx_export(const struct release *release,
                                   struct buf *append_to,
                                   struct error *err);
/* Several releases of one structure in one file, with the attributes that occur in any of them. */
MUST_CHECK enum status sdmx_export_all(const struct release *const *releases,
                                       size_t count,
                                       struct buf *append_to,
                                       struct error *err);

#endif
