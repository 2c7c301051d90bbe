/* C2SP tlog-checkpoint: three lines of text (origin, size, base64 root), as a signed note.
 *
 * The log's key bears the origin as its name.  A receipt is the same note with one more line: the
 * subscriber's cosignature/v1 (note.h).  Extension lines are refused: Comity has none.
 */
#ifndef COMITY_LOG_CHECKPOINT_H
#define COMITY_LOG_CHECKPOINT_H

#include "log/note.h"

struct checkpoint {
    struct span origin; /* borrows from what was parsed or given */
    uint64_t size;
    struct digest root;
};

/* The three lines. */
MUST_CHECK enum status checkpoint_encode(const struct checkpoint *checkpoint,
                                         struct buf *append_to,
                                         struct error *err);
MUST_CHECK enum status checkpoint_decode(struct span text,
                                         struct checkpoint *ret_checkpoint,
                                         struct error *err);

/* A whole note: the three lines, signed by the log's key under the origin's name. */
MUST_CHECK enum status checkpoint_sign(const struct checkpoint *checkpoint,
                                       const struct private_key *log_key,
                                       struct buf *append_to,
                                       struct error *err);
/* Parses, and verifies the log's signature.  `origin` empty: any origin (the key decides). */
MUST_CHECK enum status checkpoint_open(struct span note,
                                       struct span origin,
                                       const struct public_key *log_key,
                                       struct checkpoint *ret_checkpoint,
                                       struct error *err);

/* note || cosignature line: the receipt.  `note` is a signed checkpoint. */
MUST_CHECK enum status checkpoint_cosign(struct span note,
                                         const char *cosigner,
                                         const struct private_key *key,
                                         uint64_t time_s,
                                         struct buf *append_to,
                                         struct error *err);
/* checkpoint_open, and the cosigner's line too.  log_key NULL: the caller knows these bytes for its
 * own signed note, and only the cosigner's line is verified. */
MUST_CHECK enum status checkpoint_open_receipt(struct span note,
                                               struct span origin,
                                               const struct public_key *log_key,
                                               const char *cosigner,
                                               const struct public_key *cosigner_key,
                                               struct checkpoint *ret_checkpoint,
                                               uint64_t *ret_time_s,
                                               struct error *err);

#endif
