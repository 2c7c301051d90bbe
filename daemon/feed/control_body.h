/* Inline bodies of the entries that feed makes by itself (endings: ending.h).
 *
 *   RESTORED   u64 size, 32 bytes root, then the old origin: what the publisher has of it
 *   REFUSED    why, UTF-8, at most CONTROL_TEXT_MAX bytes; in reply to the refused entry
 *   HELD       why, the same; in reply to the WITHDRAWN
 *   ERASED     empty; in reply to the WITHDRAWN
 */
#ifndef COMITY_FEED_CONTROL_BODY_H
#define COMITY_FEED_CONTROL_BODY_H

#include "base/id.h"
#include "base/span.h"

enum { CONTROL_TEXT_MAX = 400 };

struct control_restored {
    struct span origin; /* borrows from what was decoded or given */
    uint64_t size;
    struct digest root;
};
MUST_CHECK enum status control_restored_encode(const struct control_restored *restored,
                                               struct buf *append_to,
                                               struct error *err);
MUST_CHECK enum status control_restored_decode(struct span bytes,
                                               struct control_restored *ret_restored,
                                               struct error *err);

#endif
