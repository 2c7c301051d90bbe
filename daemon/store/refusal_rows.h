/* Table refusal: why a subscriber does not accept an entry that it stored; in incoming feeds we are
 * that subscriber, in outgoing ones the peer is.
 */
#ifndef COMITY_STORE_REFUSAL_ROWS_H
#define COMITY_STORE_REFUSAL_ROWS_H

#include "store/store.h"

enum { REFUSAL_WHY_MAX = 500 }; /* a REFUSED says at most 400 bytes; escaped it may be longer */

/* The later words count.  `why` is safe to show. */
MUST_CHECK enum status refusal_rows_put(struct store *store,
                                        int64_t feed_id,
                                        uint64_t index,
                                        int64_t now_ms,
                                        const char *why,
                                        struct error *err);
/* Empty when the entry was not refused. */
MUST_CHECK enum status refusal_rows_get(struct store *store,
                                        int64_t feed_id,
                                        uint64_t index,
                                        char ret_why[static REFUSAL_WHY_MAX + 1],
                                        struct error *err);

#endif
