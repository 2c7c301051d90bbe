/* The database looked at in steps of some milliseconds, while the store works on in between:
 * every page of every table and index is read in its order, every row is found by every index of
 * its table, and every index entry finds its row.  So is every delivery and holding by the block of
 * numbers that stands in place of an index (0002, 14).  (SQLite's own integrity_check says the same
 * of a file that nobody uses meanwhile, and takes as long as the file is large.)
 *
 * The rows of `entry` are left out: it has no index, and whoever checks feeds reads all of it.
 */
#ifndef COMITY_STORE_INTEGRITY_H
#define COMITY_STORE_INTEGRITY_H

#include "store/store.h"

struct integrity;

MUST_CHECK enum status integrity_start(struct store *store,
                                       struct integrity **ret_integrity,
                                       struct error *err);
/* Outside of a transaction.  ERR_CORRUPT: the first thing that is wrong; there is no going on. */
MUST_CHECK enum status integrity_step(struct integrity *integrity,
                                      bool *ret_done,
                                      struct error *err);
uint64_t integrity_rows(const struct integrity *integrity); /* looked at so far */
void integrity_free(struct integrity *integrity);

#endif
