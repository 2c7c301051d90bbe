/* The first two lines of a checkpoint (PROTOCOL 6.7): which log, and how large.
 *
 * Only enough to route it: whether the note is well formed and signed is judged in the log layer,
 * from the same bytes.
 */
#ifndef COMITY_WIRE_HEADING_H
#define COMITY_WIRE_HEADING_H

#include "base/limits.h"
#include "base/span.h"

struct heading {
    struct span origin; /* borrows from the note; 1 to ORIGIN_MAX visible ASCII characters */
    uint64_t size;      /* decimal without leading zeros, at most FEED_ENTRIES_MAX */
};

MUST_CHECK enum status heading_read(struct span note,
                                    struct heading *ret_heading,
                                    struct error *err);

#endif
