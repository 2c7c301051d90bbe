/* From a row of the outbox to an entry with its body, salt and commitment; and back again.
 *
 * Here the policy decides for the first time: a record whose consent does not cover it any more is
 * never composed.  A struct composer is used for many entries, one after the other.
 */
#ifndef COMITY_FEED_COMPOSE_H
#define COMITY_FEED_COMPOSE_H

#include "feed/cover.h"
#include "log/header.h"
#include "store/entry_rows.h"
#include "store/outbox_rows.h"

enum compose_outcome {
    COMPOSE_READY,
    COMPOSE_LATER, /* may not leave now: stays in the queue */
    COMPOSE_NEVER  /* may not leave any more: out of the queue */
};

struct composer {
    struct feed_context *feed;
    struct peer_row *peer;
    struct cover cover;
    int64_t now_ms;
    /* The entry composed last. */
    struct entry_header header;
    struct buf header_bytes;
    struct buf body; /* padded; secret; empty with an inline body */
    struct buf plain;
    uint8_t salt[SALT_SIZE];
    struct entry_append append; /* what the database gets; spans into the fields above */
    /* The pair id of one consent, remembered: entries of a batch mostly share it. */
    struct id local_consent, pair_consent;
};

void composer_init(struct composer *composer, struct feed_context *feed, struct peer_row *peer);
void composer_fini(struct composer *composer);

MUST_CHECK enum status compose(struct composer *composer,
                               struct span origin,
                               const struct outbox_row *row,
                               enum compose_outcome *ret_outcome,
                               struct error *err);
/* Salt and padded body of an entry that is stored (into composer->plain and ->body). */
MUST_CHECK enum status compose_again(struct composer *composer,
                                     const struct entry_row *entry,
                                     uint16_t kind,
                                     struct error *err);
/* Whether a record that was given under this consent of ours may (still) be there: COMPOSE_READY.
 * COMPOSE_LATER: not now (the peer is on hold, say), but the consent stands. */
MUST_CHECK enum status compose_may_stay(struct composer *composer,
                                        const struct id *consent_id,
                                        const struct id *record_id,
                                        uint32_t version,
                                        enum compose_outcome *ret_outcome,
                                        struct error *err);

/* What travels besides the header: both empty with an inline body. */
struct span compose_salt(const struct composer *composer);
struct span compose_body(const struct composer *composer);

bool compose_is_inline(uint16_t kind);
bool compose_is_record(uint16_t kind);
/* Kinds that speak of the peer's feed: their ids are the peer's and travel as they are. */
bool compose_is_reply(uint16_t kind);

#endif
