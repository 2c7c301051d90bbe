/* Doubt about the own clock.  A consent that the clock ends has ended: its withdrawals leave, and a
 * holder erases.  So a clock that went ahead at once ends none before a peer has signed such a
 * time, or somebody has looked and closed the alarm.  Until then the policy goes by the clock all
 * the same: what it calls over does not leave, and holders lock by their own clocks.
 *
 * Inside the caller's transaction, on the store thread.
 */
#ifndef COMITY_FEED_DOUBT_H
#define COMITY_FEED_DOUBT_H

#include "feed/feed.h"

#define DOUBT_DAY_MS ((int64_t)24 * 60 * 60 * 1000)
/* Under a running node, beyond what passed by the monotonic clock: no leap, zone or drift. */
#define DOUBT_JUMP_MS DOUBT_DAY_MS
/* At the start, since a peer was last met: a node may have been off for a holiday. */
#define DOUBT_AWAY_MS (30 * DOUBT_DAY_MS)

/* consents_expire(), unless the clock is in doubt. */
MUST_CHECK enum status doubt_expire(struct feed_context *feed,
                                    size_t max,
                                    size_t *ret_count,
                                    int64_t *ret_next_ms,
                                    struct error *err);
/* Is what the peer signed last, an entry or a receipt, of a time that is not before `at_ms`?  A
 * receipt with the time of the one before it says nothing. */
MUST_CHECK enum status doubt_confirmed(struct feed_context *feed,
                                       int64_t peer_id,
                                       int64_t at_ms,
                                       bool *ret_confirmed,
                                       struct error *err);

#endif
