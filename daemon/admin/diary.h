/* What of a request goes into the journal: who did what, and with what result; no text of records.
 */
#ifndef COMITY_ADMIN_DIARY_H
#define COMITY_ADMIN_DIARY_H

#include "control/control.h"
#include "feed/feed.h"

/* Whatever changes something or was refused; reading that succeeded is not an action. */
bool diary_wants(const struct operation *operation, const struct error *result);
/* "consent.approve consent=018f... digest=..." by uid and name, with the status and sentence. */
MUST_CHECK enum status diary_write(struct feed_context *feed,
                                   const struct caller *caller,
                                   const struct request *request,
                                   const struct error *result,
                                   struct error *err);

#endif
