/* One job of the exchange, shared by the files that have its kinds: exchange_job.c and
 * exchange_travel.c.  Nobody else includes it. */
#ifndef COMITY_NODE_EXCHANGE_FEED_JOB_H
#define COMITY_NODE_EXCHANGE_FEED_JOB_H

#include "base/memory.h"
#include "node/exchange_internal.h"

struct feed_job {
    struct job job;
    struct exchange *exchange;
    struct link *link; /* NULL: not for a link */
    struct code peer;
    struct effect effect; /* arguments */
    /* results */
    struct heads heads;
    struct resume resume;
    struct batch batches[SESSION_WINDOW_BATCHES];
    size_t batch_count;
    struct buf receipt;
    struct heal heal;
    struct feed_verification verification;
    bool cards_changed, queued, meet_again;
    struct code *waiting;
    size_t waiting_count;
};

/* exchange_travel.c */
void exchange_travel_prepare(
    struct feed_job *job); /* what comes from a peer, before it is queued */
extern const struct job_table EXCHANGE_PUBLISH_JOB, EXCHANGE_INGEST_JOB, EXCHANGE_RECEIPT_JOB;

static inline struct feed_job *feed_job(struct job *job)
{
    return (struct feed_job *)job;
}

static inline const struct exchange_feed *feed_of(const struct feed_job *job)
{
    return &job->exchange->config.feed;
}

/* NULL for success, as the session wants it. */
static inline const struct error *outcome(const struct feed_job *job)
{
    return job->job.error.status == OK ? NULL : &job->job.error;
}

static inline int64_t now_of(const struct feed_job *job)
{
    return exchange_now_ms(job->exchange);
}

/* Every link's job ends so: what the session wants next is done, then the link may go. */
void exchange_job_finish(struct feed_job *job);

#endif
