/* Is a record covered, for a peer, by the consents in the database?  The database's side of
 * consent/policy.h; used when something is numbered or sent again, and when a consent ends.
 *
 * When something queued is about to be numbered: POLICY_ALLOWED: number it; POLICY_NOT_YET,
 * POLICY_OVER, POLICY_SUSPENDED, POLICY_RECIPIENT_NOT_ACCEPTED: leave it in the queue, it may leave
 * later (a clock may be wrong, and the end of a consent empties the queue); any other reason: take
 * it out of the queue, it never leaves.
 *
 * A struct cover remembers the last consent it read, and some of its list, so that a batch of
 * entries under one consent reads it once.  It is valid within one transaction: make a new one for
 * the next.
 */
#ifndef COMITY_FEED_COVER_H
#define COMITY_FEED_COVER_H

#include "consent/policy.h"
#include "feed/feed.h"
#include "store/consent_rows.h"
#include "store/peer_rows.h"

enum { COVER_LIST_MAX = 16 };
struct cover {
    struct feed_context *feed;
    struct policy_recipient recipient; /* the peer as it stands */
    bool read;                         /* what follows is that of `row` */
    struct consent_row row;
    struct terms terms;
    struct policy_party party;
    bool has_party;
    struct id list_of; /* records listed by that consent, in their order; ID_NONE: none were read */
    struct consent_record_row list[COVER_LIST_MAX];
    size_t list_count, list_next;
};

void cover_init(struct cover *cover, struct feed_context *feed, const struct peer_row *peer);

/* Whether a consent lists a record, and in which version and form. */
MUST_CHECK enum status cover_listed(struct feed_context *feed,
                                    const struct id *consent_id,
                                    const struct id *record_id,
                                    struct consent_record_row *ret_row,
                                    bool *ret_listed,
                                    struct error *err);

/* Under this consent (ours), for its own purpose.  A consent that is not there denies; a status
 * other than OK means that the database could not be read. */
MUST_CHECK enum status cover_by(struct cover *cover,
                                const struct id *consent_id,
                                const struct policy_record *record,
                                int64_t now_ms,
                                struct policy_decision *ret_decision,
                                struct error *err);
/* Under any consent in force but `except` (ID_NONE: any at all), each for its own purpose.
 * POLICY_ALLOWED: under the one of them that ends last.  POLICY_SUSPENDED: only suspended ones
 * cover it, so it may stay, locked. */
MUST_CHECK enum status cover_by_any(struct cover *cover,
                                    const struct id *except,
                                    const struct policy_record *record,
                                    int64_t now_ms,
                                    struct policy_decision *ret_decision,
                                    struct error *err);

#endif
