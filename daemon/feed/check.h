/* Recomputes everything that can be recomputed from the stored bytes, and reports what is wrong.
 *
 * Every leaf, tree and root; commitments of every body that still opens; checkpoints and receipts
 * with their keys; holdings, terms, deliveries and recalls against the entries that they name; the
 * journal; the database file itself.
 */
#ifndef COMITY_FEED_CHECK_H
#define COMITY_FEED_CHECK_H

#include "feed/feed.h"

enum {
    CHECK_PROBLEMS_MAX = 1000,
    CHECK_WHOLE_MIB = 16, /* SQLite's own check reads such a database in some ms */
    CHECK_WHOLE_MAX = CHECK_WHOLE_MIB * 1024 * 1024
};

struct check_result {
    bool whole;    /* SQLite's own integrity_check ran as well */
    uint64_t rows; /* of the database, looked at as such */
    uint64_t feeds, entries, opened, erased, holdings, deliveries, journal_records;
    uint64_t problems; /* all, also those not in the text any more */
    struct buf text;   /* one line for each of the first CHECK_PROBLEMS_MAX */
};
void check_result_fini(struct check_result *result);

/* Called between steps of some milliseconds, outside of any transaction: the database may change
 * meanwhile.  False: give up. */
struct check_pause {
    void *self;
    bool (*between)(void *self, const struct check_result *so_far);
};

/* OK whenever the check could be done, also when it found problems; ERR_BUSY: given up.  Outside a
 * transaction; reads the whole database.  What is appended while it runs is not looked at. */
MUST_CHECK enum status feed_check_in_steps(struct feed_context *feed,
                                           const struct check_pause *pause,
                                           struct check_result *ret_result,
                                           struct error *err);
/* The same in one go. */
MUST_CHECK enum status feed_check(struct feed_context *feed,
                                  struct check_result *ret_result,
                                  struct error *err);

#endif
