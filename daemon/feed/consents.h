/* The node's own consents: draft, preview, propose, approve, reject, revoke; and their expiry.
 *
 * Rules as in records.h.  The life of a consent is consent/lifecycle.h; who may do what by role is
 * the caller's concern, that two people are needed is checked here.
 *
 * On approval each recipient's queue gets CONSENT_GIVEN and then the records.  When a consent ends,
 * what still waits in a queue is taken out and never leaves; for what has left, and no other
 * consent in force covers there, a WITHDRAWN goes to the recipient and a recall is opened.
 */
#ifndef COMITY_FEED_CONSENTS_H
#define COMITY_FEED_CONSENTS_H

#include "consent/lifecycle.h"
#include "consent/preview.h"
#include "consent/terms.h"
#include "feed/feed.h"
#include "feed/records.h"
#include "store/consent_rows.h"

#define CONSENTS_UID_CLOCK UINT32_MAX /* stands for "the clock" in a history */

struct consents_request {
    struct terms terms;
    const struct id *record_ids; /* record_id_count of them, may be none with selectors */
    size_t record_id_count;
    const struct records_selector *selectors; /* a record that any of them selects */
    size_t selector_count;
    const struct code *recipients;
    size_t recipient_count;
};

/* Makes a draft: resolves and freezes records (in their latest version) and recipients (with their
 * anchors).  All problems at once, each a line in *append_problems (may be NULL): terms, unknown or
 * retired records, selectors that select nothing, recipients that are not accepted, twice, or this
 * node itself. */
MUST_CHECK enum status consents_draft(struct feed_context *feed,
                                      uint32_t uid,
                                      const struct consents_request *request,
                                      struct id *ret_consent_id,
                                      struct buf *append_problems,
                                      struct error *err);

/* What an approver looks at.  Owns all that `preview` points to. */
struct consents_preview {
    struct consent_row row;
    struct terms terms;
    struct preview preview;
    struct digest digest; /* SHA-256 of `bytes`: what `approve` takes */
    struct buf bytes;     /* secret: has titles and the nonce */
    struct preview_record *records;
    struct preview_recipient *recipients;
    struct buf texts; /* what kind, title and name point into; secret */
    uint32_t *holds;
};
void consents_preview_fini(struct consents_preview *preview);
/* The present state of things, whatever the consent's state. */
MUST_CHECK enum status consents_preview(struct feed_context *feed,
                                        const struct id *consent_id,
                                        struct consents_preview *ret_preview,
                                        struct error *err);

/* draft -> proposed, with the digest of the present preview, which is remembered (sealed).
 * ERR_CONFLICT: a recipient or a record is not what it was when it was drafted. */
MUST_CHECK enum status consents_propose(struct feed_context *feed,
                                        uint32_t uid,
                                        const struct id *consent_id,
                                        struct digest *ret_digest,
                                        struct error *err);
struct consents_queued {
    uint64_t records;    /* entries with records, over all recipients */
    uint64_t recipients; /* each with one CONSENT_GIVEN */
};
/* proposed -> active.  ERR_UNSUPPORTED outside of a training realm; ERR_DENIED: the proposer
 * himself; ERR_MISMATCH: `digest` is not that of the proposal; ERR_CONFLICT: something has changed
 * since, and *append_changes (may be NULL) says what, a line each; ERR_EXPIRED: its end has passed.
 */
MUST_CHECK enum status consents_approve(struct feed_context *feed,
                                        uint32_t uid,
                                        const struct id *consent_id,
                                        const struct digest *digest,
                                        struct consents_queued *ret_queued,
                                        struct buf *append_changes,
                                        struct error *err);
/* proposed -> draft; `reason` (required) stands in the history. */
MUST_CHECK enum status consents_reject(struct feed_context *feed,
                                       uint32_t uid,
                                       const struct id *consent_id,
                                       const char *reason,
                                       struct error *err);

struct consents_ended {
    uint64_t never_left; /* entries taken out of queues */
    uint64_t recalled;   /* records for which a WITHDRAWN was queued, over all recipients */
    uint64_t kept;       /* records that stay because another consent covers them there */
};
/* any -> revoked, as a whole; `reason` (required) stands in the history, not in the feed.  Also for
 * a consent that a restore lost: the id is the one under which listing_given shows what was given;
 * ERR_NOT_FOUND when nothing is held under it. */
MUST_CHECK enum status consents_revoke(struct feed_context *feed,
                                       uint32_t uid,
                                       const struct id *consent_id,
                                       const char *reason,
                                       struct consents_ended *ret_ended,
                                       struct error *err);
/* Ends at most `max` consents whose time is over; *ret_count of them, call again when it is `max`.
 * *ret_next_ms: when the next one is due, INT64_MAX for none.  For feed_tick(). */
MUST_CHECK enum status consents_expire(struct feed_context *feed,
                                       size_t max,
                                       size_t *ret_count,
                                       int64_t *ret_next_ms,
                                       struct error *err);

/* -- reading ----------------------------------------------------------------------------------- */

struct consents_view {
    struct consent_row row;
    struct terms terms;
    uint64_t record_count;
    const struct consent_recipient_row *recipients; /* borrowed for the time of the visit */
    size_t recipient_count;
};
typedef enum status (*consents_visit)(void *context,
                                      const struct consents_view *view,
                                      struct error *err);
typedef enum status (*consents_visit_event)(void *context,
                                            const struct consent_event_row *event,
                                            struct error *err);

/* As records_find(). */
MUST_CHECK enum status consents_find(struct feed_context *feed,
                                     const char *prefix,
                                     struct consent_row *ret_row,
                                     struct error *err);
/* state 0: all; in order of creation. */
MUST_CHECK enum status consents_list(
    struct feed_context *feed, int state, consents_visit visit, void *context, struct error *err);
MUST_CHECK enum status consents_show(struct feed_context *feed,
                                     const struct id *consent_id,
                                     consents_visit visit,
                                     void *context,
                                     struct error *err);
/* The records it lists, in the versions it froze (an erased version has no title). */
MUST_CHECK enum status consents_records(struct feed_context *feed,
                                        const struct id *consent_id,
                                        records_visit visit,
                                        void *context,
                                        struct error *err);
MUST_CHECK enum status consents_history(struct feed_context *feed,
                                        const struct id *consent_id,
                                        consents_visit_event visit,
                                        void *context,
                                        struct error *err);

#endif
