/* One call of feed_ingest at work, and what each kind of entry does to the database. */
#ifndef COMITY_FEED_INGESTION_H
#define COMITY_FEED_INGESTION_H

#include "feed/leaves.h"
#include "feed/peering.h"
#include "log/header.h"
#include "store/holding_rows.h"

struct release_codec; /* record/release.h */

struct ingestion {
    struct feed_context *feed;
    struct peer_row peer;
    struct feed_row row; /* of the incoming feed; size is what was stored before this call */
    struct leaves leaves;
    int64_t now_ms;
    struct terms_row terms; /* read last: entries of a batch mostly share it */
    bool has_terms;
    struct release_codec *codec; /* made with the first release, for those of this batch */
};

struct ingestion_entry {
    uint64_t index;
    struct entry_header header;
    const struct batch_entry *entry;
};

/* apply.c: the effect of one entry that was just stored.  Content that cannot be accepted is
 * answered with REFUSED, and that is OK; only a failing database is not. */
MUST_CHECK enum status apply_entry(struct ingestion *ingestion,
                                   const struct ingestion_entry *entry,
                                   struct error *err);

/* ingest.c: our cosigned checkpoint of an incoming feed at its present size; appends nothing when
 * there is none yet. */
MUST_CHECK enum status feed_receipt_note(struct feed_context *feed,
                                         const struct feed_row *row,
                                         struct buf *append_to,
                                         struct error *err);

/* holdings.c: reasons of locks, over all holdings that match. */
typedef bool (*holdings_change)(void *context, struct holding_row *row); /* true: update it */
MUST_CHECK enum status holdings_each(struct store *store,
                                     const struct holding_filter *filter,
                                     holdings_change change,
                                     void *context,
                                     struct error *err);
/* A backup is older than its keys: what was erased in between is erased here too, without waiting
 * for a withdrawal that the publisher may have lost as well.  It is answered when it comes again.
 */
MUST_CHECK enum status holdings_erase_keyless(struct feed_context *feed, struct error *err);

void holdings_lock(struct holding_row *row, uint32_t reason);
void holdings_unlock(struct holding_row *row, uint32_t reason);

#endif
