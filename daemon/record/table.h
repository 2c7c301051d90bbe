/* Rows of a CSV file (RFC 4180), with the line of every field.
 *
 * libcsv finds the fields; this reader does what libcsv leaves open: it refuses files that are no
 * UTF-8 text (naming what they are), takes a BOM off, finds the separator, counts lines, and names
 * the line of a quote that is never closed.  Blank lines are skipped.  Line breaks inside quotes
 * arrive as LF.
 */
#ifndef COMITY_RECORD_TABLE_H
#define COMITY_RECORD_TABLE_H

#include "record/problem.h"

enum {
    TABLE_COLUMNS_MAX = 256,
    TABLE_ROW_MAX = 2 * CSV_FIELD_MAX /* bytes of one row */
};

struct table_row {
    uint32_t line;             /* first is 1 */
    const struct span *fields; /* borrowed for the call */
    const uint32_t *lines;     /* on which each field begins */
    size_t field_count;        /* at least 1 */
    char separator;            /* `,` or `;` */
};
/* Any status but OK stops the reading and is returned. */
typedef enum status (*table_row_fn)(void *context, const struct table_row *row, struct error *err);

/* Calls take_row for the header line and each row.  What is wrong with the file goes into
 * `problems`; the status is not OK only for ERR_MEMORY, ERR_LIMIT and what take_row returned. */
MUST_CHECK enum status table_read(struct span file,
                                  struct problems *problems,
                                  table_row_fn take_row,
                                  void *context,
                                  struct error *err);

#endif
