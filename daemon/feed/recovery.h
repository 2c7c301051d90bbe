/* Recovery of a publisher that was rolled back or cloned: a new epoch, and what it takes along. */
#ifndef COMITY_FEED_RECOVERY_H
#define COMITY_FEED_RECOVERY_H

#include "feed/peering.h"
#include "log/checkpoint.h"

enum {
    RECOVERY_PER_DAY_MAX = 3, /* more are a live clone, or a backup that is restored in a loop */
    RECOVERY_DAY_MS = 24 * 60 * 60 * 1000
};

/* What the peer holds of ours, by its Hello. */
struct recovery_shown {
    bool any;
    struct checkpoint checkpoint; /* verified with our own key */
};

/* Opens a new epoch to `peer`.  `known`: the feed that the peer shows, as the database has it; NULL
 * when it does not know it.  *ret_held: too often, nothing was changed but an alarm raised. */
MUST_CHECK enum status recovery_open(struct feed_context *feed,
                                     struct peer_row *peer,
                                     const struct recovery_shown *shown,
                                     const struct feed_row *known,
                                     bool *ret_held,
                                     struct error *err);
/* Queues again, once, what a peer that was set back has lost of our epochs that have ended: of the
 * one that it shows (`feed_id`; 0: it shows nothing) what comes after the `held` entries, and all
 * of those after it. */
MUST_CHECK enum status recovery_requeue(struct feed_context *feed,
                                        struct peer_row *peer,
                                        int64_t feed_id,
                                        uint64_t held,
                                        struct error *err);
/* Records in our present epoch wait until a peer hands back what we lost of another one.  A peer
 * that shows no more than is here of that one (`feed_id` and `held` as above) was set back as well:
 * what was lost is nowhere any more, and with it, which consents had been ended.  Nothing waits for
 * it then; the peer is put on hold, with an alarm, until somebody has looked. */
MUST_CHECK enum status recovery_give_up(struct feed_context *feed,
                                        struct peer_row *peer,
                                        struct feed_row *active,
                                        int64_t feed_id,
                                        uint64_t held,
                                        struct error *err);
/* A peer that was set back shows what it once cosigned in the feed `origin`, and that is on neither
 * side any more: it is put on hold in the same way.  The feed is known from then on, as one that
 * ended, so that this happens once.  After recovery_open, if that was called for. */
MUST_CHECK enum status recovery_lost(struct feed_context *feed,
                                     struct peer_row *peer,
                                     struct span origin,
                                     struct error *err);

#endif
