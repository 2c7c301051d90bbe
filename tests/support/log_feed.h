/* A small finished feed from KE to UNODC in memory, with keys of fixed seeds: for tests of log. */
#ifndef COMITY_TESTS_SUPPORT_LOG_FEED_H
#define COMITY_TESTS_SUPPORT_LOG_FEED_H

#include "log/evidence.h"

enum { LOG_FEED_SIZE = 11 };

struct log_feed {
    char origin[ORIGIN_TEXT_SIZE];
    struct private_key *log_key;
    struct private_key *receipt_key;
    struct public_key log_public;
    struct public_key receipt_public;
    struct buf headers[LOG_FEED_SIZE]; /* every third one has an inline body */
    struct buf salts[LOG_FEED_SIZE];
    struct buf bodies[LOG_FEED_SIZE];
    struct buf note;    /* the checkpoint over all */
    struct buf receipt; /* with the subscriber's cosignature */
};

/* cmocka setup and teardown; *state is a struct log_feed. */
int log_feed_setup(void **state);
int log_feed_teardown(void **state);

/* Evidence of one entry; spans point into the feed. */
struct evidence log_feed_evidence(const struct log_feed *feed, unsigned index, bool shown);

#endif
