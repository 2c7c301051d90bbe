/* Records that were stored and not accepted: the words why, kept for both ends to see. */
#ifndef COMITY_FEED_REFUSAL_H
#define COMITY_FEED_REFUSAL_H

#include "feed/ingestion.h"

/* Of ours, or theirs, about an entry: one line that is safe to show. */
MUST_CHECK enum status refusal_note(
    struct feed_context *feed, int64_t feed_id, uint64_t index, struct span why, struct error *err);
/* The peer's REFUSED came: kept with the delivery that it answers, and an alarm either way. */
MUST_CHECK enum status refusal_take(struct ingestion *ingestion,
                                    const struct ingestion_entry *entry,
                                    struct error *err);

#endif
