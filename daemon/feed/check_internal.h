/* For the files of check alone. */
#ifndef COMITY_FEED_CHECK_INTERNAL_H
#define COMITY_FEED_CHECK_INTERNAL_H

#include "feed/check.h"
#include "log/tree.h"
#include "store/feed_rows.h"
#include "store/peer_rows.h"

struct check {
    struct feed_context *feed;
    const struct check_pause *pause;
    struct check_result result;
    /* The feed at hand. */
    struct feed_row row;
    struct peer_row peer;
    struct tree tree;
    struct buf salt, body, plain, header;
    size_t entries_since, bytes_since; /* the last pause */
};

/* One more line of the result. */
MUST_CHECK enum status check_problem(struct check *check,
                                     struct error *err,
                                     const char *format,
                                     ...) PRINTF_LIKE(3, 4);
/* A failure that says something about the data is a problem; one of the machine ends the check. */
bool check_is_finding(enum status status);
/* Lets others have the database for a while; ERR_BUSY: given up. */
MUST_CHECK enum status check_breathe(struct check *check, struct error *err);

/* check_places.c */
MUST_CHECK enum status check_places(struct check *check, struct error *err);

#endif
