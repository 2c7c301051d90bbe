/* Entries by the beginning of their id, in all feeds of this node, both ways.
 *
 * Ids are ordered in time and entries are numbered in time, so a feed is searched by halves.  Only
 * where a publisher's clock was put back does an entry stand elsewhere: when the halves find
 * nothing, the newest FINDING_WALK_MAX entries of all feeds are looked at one by one.
 */
#ifndef COMITY_FEED_FINDING_H
#define COMITY_FEED_FINDING_H

#include "feed/feed.h"
#include "store/feed_rows.h"

enum {
    FINDING_MAX = 8,             /* so many candidates are worth showing */
    FINDING_WALK_MAX = 16 * 1024 /* some ten milliseconds */
};

struct finding {
    struct id entry_id;
    uint16_t kind;
    int64_t peer_id;
    enum feed_direction direction;
    int64_t feed_id;
    uint64_t index;
};

/* `prefix`: 6 to 32 hex digits (store/prefix.h).  Up to FINDING_MAX entries, in the order of their
 * feeds; none is OK with *ret_count 0. */
MUST_CHECK enum status finding_entries(struct feed_context *feed,
                                       const char *prefix,
                                       struct finding ret_found[static FINDING_MAX],
                                       size_t *ret_count,
                                       struct error *err);

#endif
