/* Whose keys sign and count (docs/PROTOCOL.md, Rotation).  For the files of feed only.
 *
 * While a key is being replaced, this node signs with both, so that a peer finds the line of the
 * one that it knows.  What others signed counts under the key of their present card; what is
 * stored, or shown again in a Hello, may be older than that card, and counts under a former key as
 * well: ours, or one of the peer's up to the size that the feed had when the peer's card was
 * replaced.
 */
#ifndef COMITY_FEED_KEYRING_H
#define COMITY_FEED_KEYRING_H

#include "feed/feed.h"
#include "log/checkpoint.h"
#include "store/feed_rows.h"
#include "store/peer_rows.h"

MUST_CHECK enum status keyring_sign(struct feed_context *feed,
                                    const struct checkpoint *checkpoint,
                                    struct buf *append_to,
                                    struct error *err);
/* note || our cosignature, or two. */
MUST_CHECK enum status keyring_cosign(struct feed_context *feed,
                                      struct span note,
                                      uint64_t time_s,
                                      struct buf *append_to,
                                      struct error *err);
/* The same of a receipt: cosigned again, by the keys of today in the place of those of then. */
MUST_CHECK enum status keyring_cosign_again(struct feed_context *feed,
                                            struct span receipt,
                                            uint64_t time_s,
                                            struct buf *append_to,
                                            struct error *err);

/* The two keys under which a note was found good. */
struct keyring_pair {
    struct public_key log_key;
    struct public_key receipt_key;
};
struct keyring_note { /* what is to be opened */
    const struct peer_row *peer;
    enum feed_direction direction; /* FEED_OUT: our log, their receipt; FEED_IN: the reverse */
    struct span note;
    struct span origin;                   /* empty: any */
    const struct public_key *cosigned_by; /* known to have cosigned it, whether it counts or not;
                                           * NULL: not looked at yet */
};
/* ERR_SIGNATURE: no key that counts has signed it. */
MUST_CHECK enum status keyring_open(struct feed_context *feed,
                                    const struct keyring_note *note,
                                    struct checkpoint *ret_checkpoint,
                                    struct keyring_pair *ret_pair, /* may be NULL */
                                    struct error *err);
/* The same with the subscriber's cosignature. */
MUST_CHECK enum status keyring_open_receipt(struct feed_context *feed,
                                            const struct keyring_note *note,
                                            struct checkpoint *ret_checkpoint,
                                            uint64_t *ret_time_s,
                                            struct keyring_pair *ret_pair, /* may be NULL */
                                            struct error *err);

#endif
