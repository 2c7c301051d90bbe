/* What a node does with its feeds, on the store thread, inside the caller's transaction.
 *
 * Life of a job (node/worker): apply_...() runs inside the group's transaction and changes only the
 * database; after the commit the worker saves the heads file, then calls the ..._sign() step, and
 * only then releases the answer.  So nothing is signed that is not durable, and nothing is sent
 * that is not signed.  Ed25519 is deterministic: after a crash the same head gives the same note.
 *
 * Every function takes the peer by code; an unknown, unaccepted or blocked peer gives ERR_DENIED.
 * To a held one only recalls leave.  Times are wall milliseconds.
 */
#ifndef COMITY_FEED_FEED_H
#define COMITY_FEED_FEED_H

#include "base/batch.h"
#include "base/clock.h"
#include "base/id.h"
#include "crypto/sign.h"

struct store; /* store/store.h */

/* A note that was signed here: whoever shows these bytes again shows our own signature. */
struct feed_signed {
    size_t size, text_size; /* of the note, and of the text that it signs */
    struct digest digest;   /* of the note */
};
/* Both clocks, as a tick saw them last (doubt.h). */
struct feed_clock_seen {
    bool any;
    int64_t wall_ms, monotonic_ms;
};
enum { FEED_SIGNED_KEPT = 64 }; /* the windows of eight busy peers */

/* Everything that feed functions need besides the database.  Lives as long as the store thread. */
struct feed_context {
    struct store *store;
    struct clock *clock;
    struct random_source *random;
    struct realm realm;
    struct code self;
    const struct private_key *log_key;     /* Ed25519, signs our checkpoints */
    const struct private_key *receipt_key; /* Ed25519, cosigns checkpoints of others */
    /* While a key is being replaced, the one before, which signs as well; otherwise NULL. */
    const struct private_key *former_log_key;
    const struct private_key *former_receipt_key;
    bool meet_again; /* set when a heal is done, and another one needs a new comparison */
    struct feed_clock_seen clock_seen;
    /* Set by feed_ingest; whoever acts on them clears them. */
    bool cards_changed; /* a peer's card was replaced */
    bool queued;        /* something waits for a peer now that did not: feed_waiting */
    struct feed_signed signed_notes[FEED_SIGNED_KEPT]; /* keyring.c; the next place is the oldest */
    size_t signed_next;
};

/* A signature that any thread may verify, without the database, while the store thread is at other
 * work on the same note: it finds out whether `key` has signed, and the store thread whether that
 * key counts.  What the store thread did meanwhile is undone when either is not so. */
struct feed_verification {
    bool has_key; /* in: one to try.  Out of feed_ingest and feed_take_receipt: the one that counts
                   */
    struct public_key key;
    bool good;                /* `key` has signed this note */
    void (*wait)(void *self); /* until `good` is final; NULL: it is */
    void *self;
};

/* -- at the start of a session ----------------------------------------------------------------- */

/* A database that came from a backup, or that is older than its heads: every outgoing feed gets a
 * new epoch when its subscriber is met, and nothing held may be used before its publisher has said
 * what we held.  Inside a transaction, at the start, before anything is shown; harmless later. */
MUST_CHECK enum status feed_settle(struct feed_context *feed, struct error *err);

/* The heads for our Hello to `peer`. */
MUST_CHECK enum status feed_heads(struct feed_context *feed,
                                  const struct code *peer,
                                  struct heads *ret_heads,
                                  struct error *err);
/* Compares the peer's (already authenticated) heads with ours; opens a new epoch, locks what a
 * rolled-back subscriber holds, raises alarms, decides where to send from (PROTOCOL, resume). */
MUST_CHECK enum status feed_resume(struct feed_context *feed,
                                   const struct code *peer,
                                   const struct heads *peer_heads,
                                   struct resume *ret_resume,
                                   struct error *err);

/* -- publishing -------------------------------------------------------------------------------- */

/* Fills a batch that starts at `from`: entries that are numbered already (sent again; the policy
 * decides on each body again), or, when all are, the next ones out of the queue, which get their
 * place here.  No entries: nothing waits; batch->is_last: nothing waits behind these, so that it
 * need not be asked before something is queued.  The checkpoint is empty until feed_publish_sign. A
 * batch may be smaller than max_bytes (publication.h says why), and larger when a body that may not
 * leave any more has to reach its withdrawal (resend.c), but never above BATCH_BYTES_MAX. */
MUST_CHECK enum status feed_publish(struct feed_context *feed,
                                    const struct code *peer,
                                    uint64_t from,
                                    size_t max_bytes,
                                    struct batch *ret_batch,
                                    struct error *err);
/* After the commit and after the heads file: fills batch->checkpoint; stores nothing. */
MUST_CHECK enum status feed_publish_sign(struct feed_context *feed,
                                         struct batch *batch,
                                         struct error *err);
/* The subscriber's cosigned checkpoint: verified, time not going back, stored.  `verification`
 * NULL: nobody else has looked at the signature. */
MUST_CHECK enum status feed_take_receipt(struct feed_context *feed,
                                         const struct code *peer,
                                         struct span note,
                                         struct feed_verification *verification,
                                         struct error *err);
/* Any thread: whether the subscriber's key in `verification` has cosigned the note. */
void feed_verify_receipt(const struct realm *realm,
                         const struct code *peer,
                         struct span note,
                         struct feed_verification *verification);

/* -- receiving --------------------------------------------------------------------------------- */

/* Pure checks that need no transaction: sizes, headers, commitments.  Runs before feed_ingest. */
MUST_CHECK enum status feed_ingest_check(struct feed_context *feed,
                                         const struct code *peer,
                                         const struct batch *batch,
                                         struct error *err);
/* Order, root, then stores and applies each entry (consents, holdings, locks; queues REFUSED where
 * content cannot be accepted).  An overlap with what is stored already must be identical and is
 * skipped.  The publisher's signature is asked for last, and decides before anything else does: a
 * batch that is not signed says nothing.  `verification` NULL: nobody else has looked at it.
 * ERR_MISMATCH: a fork; ERR_SIGNATURE, ERR_INVALID: the peer broke the format. */
MUST_CHECK enum status feed_ingest(struct feed_context *feed,
                                   const struct code *peer,
                                   const struct batch *batch,
                                   struct feed_verification *verification,
                                   struct error *err);
/* Any thread: whether the publisher's key in `verification` has signed the batch's checkpoint. */
void feed_verify_batch(const struct batch *batch, struct feed_verification *verification);
/* After the commit: our receipt (publisher's note + cosignature) for the feed's present size. */
MUST_CHECK enum status feed_ingest_sign(struct feed_context *feed,
                                        const struct code *peer,
                                        struct buf *ret_receipt,
                                        struct error *err);

/* -- healing ----------------------------------------------------------------------------------- */

MUST_CHECK enum status feed_heal_read(struct feed_context *feed,
                                      const struct code *peer,
                                      struct span origin,
                                      uint64_t from,
                                      size_t max_bytes,
                                      struct heal *ret_heal,
                                      struct error *err);
MUST_CHECK enum status feed_heal_apply(struct feed_context *feed,
                                       const struct code *peer,
                                       const struct heal *heal,
                                       struct error *err);

/* -- erasing, time ----------------------------------------------------------------------------- */

/* Erases what was withdrawn and locked (outside any transaction: the order of DESIGN 4), then
 * queues the ERASED entries.  *ret_count erased; call again while it is not zero. */
MUST_CHECK enum status feed_erase_pending(struct feed_context *feed,
                                          size_t max,
                                          size_t *ret_count,
                                          struct error *err);
/* What time brings: consents that expire, holdings at their `keep until`, overdue recalls.
 * *ret_next_ms is when to call again. */
MUST_CHECK enum status feed_tick(struct feed_context *feed,
                                 int64_t *ret_next_ms,
                                 struct error *err);
/* Peers for whom something waits in the queue (for session_wake). */
MUST_CHECK enum status feed_waiting(struct feed_context *feed,
                                    struct code *ret_peers,
                                    size_t max,
                                    size_t *ret_count,
                                    struct error *err);

#endif
