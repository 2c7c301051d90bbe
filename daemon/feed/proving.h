/* Evidence out of the database: log/evidence.h for one entry, an export for a whole feed.
 *
 * An export is text that tests/vectors/verify.py reads:
 *
 *   comity.v1/export
 *   feed <origin>
 *   log-key <hex>          the publisher's
 *   receipt-key <hex>      the subscriber's
 *   entry <index> <header hex> <salt hex or -> <body hex or ->
 *   note checkpoint | note receipt, then the note, then a line with a dot
 *   end
 */
#ifndef COMITY_FEED_PROVING_H
#define COMITY_FEED_PROVING_H

#include "feed/feed.h"
#include "store/feed_rows.h"

/* `shown`: with salt and body, so that a third party reads the content (mark *append_to secret).
 * ERR_WRONG_STATE: no receipt covers the entry yet; ERR_ERASED: shown, but erased. */
MUST_CHECK enum status proving_entry(struct feed_context *feed,
                                     int64_t feed_id,
                                     uint64_t index,
                                     bool shown,
                                     struct buf *append_to,
                                     struct error *err);
/* Feeds above 100,000 entries are ERR_LIMIT: an export is for inspection. */
MUST_CHECK enum status proving_export(struct feed_context *feed,
                                      const struct feed_row *row,
                                      bool shown,
                                      struct buf *append_to,
                                      struct error *err);

#endif
