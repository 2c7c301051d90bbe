/* The node's journal: every administrative action, by whom, what and with what result.
 *
 * A Merkle log of its own, `comity.v1/<realm>/journal/<code>/<epoch>`.  A leaf, big-endian:
 *
 *   size field
 *    1   leaf version (1)
 *    8   time, Unix milliseconds
 *    4   uid
 *    2   result (enum status)
 *   2+n  user, as the system named the uid then  \
 *   2+n  action: "consent approve"                | UTF-8 with a length in front, cut at
 *   2+n  object: a code, an id, a file's name     | JOURNAL_TEXT_MAX
 *   2+n  detail: words, never text of a record   /
 *
 * Refused actions are journalled like the others.  Appending happens inside the action's own
 * transaction: what was done and that it was done are durable together.
 */
#ifndef COMITY_FEED_JOURNAL_H
#define COMITY_FEED_JOURNAL_H

#include "feed/feed.h"

enum { JOURNAL_TEXT_MAX = 500 };

struct journal_record {
    uint64_t index; /* set when read */
    int64_t time_ms;
    uint32_t uid;
    enum status result;
    char user[JOURNAL_TEXT_MAX + 1];
    char action[JOURNAL_TEXT_MAX + 1];
    char object[JOURNAL_TEXT_MAX + 1];
    char detail[JOURNAL_TEXT_MAX + 1];
};

/* Texts may be NULL (empty); time is the context's clock.  Opens the journal at its first use, and
 * a new epoch (whose first record says so) when the database was rolled back. */
MUST_CHECK enum status journal_append(struct feed_context *feed,
                                      uint32_t uid,
                                      const char *user,
                                      const char *action,
                                      const char *object,
                                      enum status result,
                                      const char *detail,
                                      struct error *err);
/* A record of its own with the heads of all feeds, so that the journal commits to them. */
MUST_CHECK enum status journal_append_heads(struct feed_context *feed, struct error *err);

/* Called for one record after the other; anything but OK ends the walk with that status. */
typedef enum status (*journal_visit)(void *context,
                                     const struct journal_record *record,
                                     struct error *err);
/* Records from..end-1 of the present epoch; end is cut to its size.  *ret_size (may be NULL). */
MUST_CHECK enum status journal_list(struct feed_context *feed,
                                    uint64_t from,
                                    uint64_t end,
                                    journal_visit visit,
                                    void *context,
                                    uint64_t *ret_size,
                                    struct error *err);
/* The head, signed: what a person keeps outside, or a peer's witness cosigns.  Only after a commit.
 * ERR_NOT_FOUND: nothing was journalled yet. */
MUST_CHECK enum status journal_checkpoint(struct feed_context *feed,
                                          struct buf *append_note,
                                          struct error *err);
/* Recomputes the tree from the stored leaves.  With a checkpoint kept from earlier (may be empty)
 * also that the journal still contains all that it had then.  ERR_MISMATCH, ERR_CORRUPT: it was
 * changed; the text says where. */
MUST_CHECK enum status journal_verify(struct feed_context *feed,
                                      struct span earlier_note,
                                      uint64_t *ret_size,
                                      struct error *err);
/* The same; `pause` (may be NULL) is called between steps of some milliseconds, outside of any
 * transaction.  False from it: ERR_BUSY.  What is appended meanwhile is not looked at. */
struct journal_pause {
    void *self;
    bool (*between)(void *self);
};
MUST_CHECK enum status journal_verify_in_steps(struct feed_context *feed,
                                               struct span earlier_note,
                                               const struct journal_pause *pause,
                                               uint64_t *ret_size,
                                               struct error *err);

#endif
