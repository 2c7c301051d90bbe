/* Cards that change: ours to every peer, theirs into what is known of them (docs/PROTOCOL.md,
 * Rotation).  Inside the caller's transaction.
 */
#ifndef COMITY_FEED_CARDS_H
#define COMITY_FEED_CARDS_H

#include "feed/feed.h"
#include "store/peer_rows.h"

/* Our card as it is now: remembered with its keys, and queued as a CARD entry for every accepted
 * peer that was given another one.  To be called when the node starts, when its card changes, and
 * when a peer was accepted.  *ret_queued entries. */
MUST_CHECK enum status cards_sync(struct feed_context *feed,
                                  struct span card,
                                  size_t *ret_queued,
                                  struct error *err);
/* Former cards of ours, one behind the other and the oldest first, as they stand in a file outside
 * of backups: those whose keys are not on record are put there.  A node that was restored knows by
 * them what it signed in the time that its database has lost.  Before cards_sync(). */
MUST_CHECK enum status cards_remember_former(struct feed_context *feed,
                                             struct span cards,
                                             struct error *err);
/* Peers that have not receipted our present card yet: as long as there are any, former keys of ours
 * must go on signing. */
MUST_CHECK enum status cards_outstanding(struct feed_context *feed,
                                         size_t *ret_count,
                                         struct error *err);
/* publish.c: a CARD entry got its place. */
MUST_CHECK enum status cards_note_numbered(struct feed_context *feed,
                                           int64_t peer_id,
                                           int64_t feed_id,
                                           uint64_t index,
                                           struct span card,
                                           struct error *err);
/* The peer's present keys (and card, if it is there) become former ones. */
MUST_CHECK enum status cards_record(struct feed_context *feed,
                                    const struct peer_row *peer,
                                    struct span card,
                                    struct error *err);
/* Another card of an accepted peer takes the place of the one that is known: its anchor, code and
 * realm must be the same, its list no older, its certificates not issued before those that they
 * replace.  Name, address, list and keys are taken; the former keys stay on record; *peer is
 * brought up to date; feed->cards_changed is set.  The same card again is fine. */
MUST_CHECK enum status cards_replace(struct feed_context *feed,
                                     struct peer_row *peer,
                                     struct span card,
                                     struct error *err);

#endif
