/* Table pair_id: our ids and the ids that stand for them in one peer's feeds, both ways.
 *
 * Ids in feeds are random for each pair, so that two recipients cannot compare notes.
 */
#ifndef COMITY_STORE_PAIR_ROWS_H
#define COMITY_STORE_PAIR_ROWS_H

#include "store/store.h"

enum pair_kind { PAIR_CONSENT = 1, PAIR_SUBJECT = 2 };

/* The pair id of our `local` id, made (id_make) when there is none yet. */
MUST_CHECK enum status pair_rows_take(struct store *store,
                                      int64_t peer_id,
                                      enum pair_kind kind,
                                      const struct id *local,
                                      struct id *ret_pair,
                                      struct error *err);
MUST_CHECK enum status pair_rows_get(struct store *store,
                                     int64_t peer_id,
                                     enum pair_kind kind,
                                     const struct id *local,
                                     struct id *ret_pair,
                                     struct error *err);
MUST_CHECK enum status pair_rows_local(struct store *store,
                                       int64_t peer_id,
                                       enum pair_kind kind,
                                       const struct id *pair,
                                       struct id *ret_local,
                                       struct error *err);
/* Our id for `pair`, an id that this node gave out and has lost: made when there is none. */
MUST_CHECK enum status pair_rows_adopt(struct store *store,
                                       int64_t peer_id,
                                       enum pair_kind kind,
                                       const struct id *pair,
                                       struct id *ret_local,
                                       struct error *err);

#endif
