/* What the files of consents.h share. */
#ifndef COMITY_FEED_CONSENTS_INTERNAL_H
#define COMITY_FEED_CONSENTS_INTERNAL_H

#include "feed/consents.h"
#include "store/outbox_rows.h"
#include "store/peer_rows.h"

/* Row and terms; ERR_CORRUPT when the stored terms cannot be read. */
MUST_CHECK enum status consents_load(struct feed_context *feed,
                                     const struct id *consent_id,
                                     struct consent_row *ret_row,
                                     struct terms *ret_terms,
                                     struct error *err);
/* Moves `row` by `step` (lifecycle_move), stores it and adds the event.  `terms` as stored. */
MUST_CHECK enum status consents_step(struct feed_context *feed,
                                     uint32_t uid,
                                     struct consent_row *row,
                                     enum consent_step step,
                                     const char *text,
                                     struct error *err);
/* A reason that people give: required, one line, at most CONSENT_EVENT_TEXT_MAX bytes. */
MUST_CHECK enum status consents_check_reason(const char *reason, struct error *err);

/* What stands against giving it now: recipients that are not accepted any more, or under another
 * anchor; records retired since.  A line each; *ret_count 0: nothing. */
MUST_CHECK enum status consents_standing(struct feed_context *feed,
                                         const struct id *consent_id,
                                         struct buf *append_to, /* may be NULL */
                                         size_t *ret_count,
                                         struct error *err);

/* Every record row of a consent, page by page. */
typedef enum status (*consents_visit_row)(void *context,
                                          const struct consent_record_row *row,
                                          struct error *err);
MUST_CHECK enum status consents_each_record(struct feed_context *feed,
                                            const struct id *consent_id,
                                            consents_visit_row visit,
                                            void *context,
                                            struct error *err);

/* Puts CONSENT_GIVEN and the records into the queues of all recipients. */
MUST_CHECK enum status consents_queue(struct feed_context *feed,
                                      const struct id *consent_id,
                                      const struct terms *terms,
                                      struct consents_queued *ret_queued,
                                      struct error *err);

#endif
