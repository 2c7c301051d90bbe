/* One meeting of two nodes, as both sides of its comparison see it; for the files of resume alone.
 */
#ifndef COMITY_FEED_RESUME_INTERNAL_H
#define COMITY_FEED_RESUME_INTERNAL_H

#include "feed/ingestion.h"
#include "log/checkpoint.h"

struct meeting {
    struct feed_context *feed;
    struct peer_row peer;
    const struct heads *heads; /* of the peer's Hello */
    struct resume resume;
    bool in_step; /* we hold all that the publisher shows of its current feed */
    bool lost;    /* the peer cosigned what neither of us has any more */
    struct checkpoint lost_checkpoint;
};

/* What the outcome says to people. */
void resume_say(struct meeting *meeting, const char *text);
MUST_CHECK enum status resume_fork_found(struct meeting *meeting, struct error *err);

/* resume_publisher.c: what the peer holds of our feed (PROTOCOL 8.2). */
MUST_CHECK enum status resume_as_publisher(struct meeting *meeting, struct error *err);
/* resume_subscriber.c: what the peer has of its feed, and we of it (PROTOCOL 8.3). */
MUST_CHECK enum status resume_as_subscriber(struct meeting *meeting, struct error *err);

#endif
