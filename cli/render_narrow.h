/* A table that is wider than the terminal: ids are shortened to as many digits as commands need,
 * texts are broken between words within their column, and columns that find no room beside the
 * others stand below each row, as "Title: value".  Commands are never broken: people copy them.
 */
#ifndef COMITY_CLI_RENDER_NARROW_H
#define COMITY_CLI_RENDER_NARROW_H

#include "cli/render.h"

/* A SECTION_TABLE with at least one column; render->width > 0.  Without titles it has no heading.
 * *ret_done is false when the table fits as it is: then nothing was written. */
MUST_CHECK enum status render_narrow(const struct render *render,
                                     const struct reply_section *section,
                                     bool *ret_done,
                                     struct error *err);

#endif
