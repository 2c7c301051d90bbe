/* A peer and the feeds shared with it: looked up, checked, opened.  For the files of feed only. */
#ifndef COMITY_FEED_PEERING_H
#define COMITY_FEED_PEERING_H

#include "feed/feed.h"
#include "store/feed_rows.h"
#include "store/peer_rows.h"

/* ERR_DENIED unless two people accepted it.  A held peer is found: recalls pass a hold. */
MUST_CHECK enum status peering_find(struct feed_context *feed,
                                    const struct code *code,
                                    struct peer_row *ret_peer,
                                    struct error *err);
/* A new feed under this name, empty and active; the former active one, if any, must be old. */
MUST_CHECK enum status peering_open(struct feed_context *feed,
                                    const struct peer_row *peer,
                                    enum feed_direction direction,
                                    struct span origin,
                                    struct feed_row *ret_row,
                                    struct error *err);
/* The same, outgoing and old: one of ours that a peer shows and the database does not know. */
MUST_CHECK enum status peering_open_old(struct feed_context *feed,
                                        const struct peer_row *peer,
                                        struct span origin,
                                        struct feed_row *ret_row,
                                        struct error *err);
/* An active one, outgoing, under a fresh random epoch. */
MUST_CHECK enum status peering_open_epoch(struct feed_context *feed,
                                          const struct peer_row *peer,
                                          struct feed_row *ret_row,
                                          struct error *err);
/* ERR_MISMATCH unless `origin` names a feed of this realm from `publisher` to `subscriber`. */
MUST_CHECK enum status peering_check_origin(struct feed_context *feed,
                                            struct span origin,
                                            const struct code *publisher,
                                            const struct code *subscriber,
                                            struct error *err);
/* Raises an alarm that an operator sees until it is closed. */
MUST_CHECK enum status peering_alarm(struct feed_context *feed,
                                     const struct code *peer,
                                     const char *kind,
                                     const char *text,
                                     struct error *err);
int64_t peering_now_ms(const struct feed_context *feed);

#endif
