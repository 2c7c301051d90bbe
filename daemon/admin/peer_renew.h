/* A new card of a peer that is accepted already, brought by people: when its keys were replaced and
 * the card could not come in its feed (docs/PROTOCOL.md, Rotation).  The same anchor, two people.
 */
#ifndef COMITY_ADMIN_PEER_RENEW_H
#define COMITY_ADMIN_PEER_RENEW_H

#include "admin/ops.h"
#include "store/peer_rows.h"

/* Keeps the card (which was checked) beside the one in force, and `row` as it is.  ERR_EXISTS: it
 * is the one in force. */
MUST_CHECK enum status peer_renew_add(struct admin *admin,
                                      struct control_call *call,
                                      const struct peer_row *row,
                                      struct span card,
                                      struct error *err);
/* ERR_WRONG_STATE when no card waits for a second person. */
MUST_CHECK enum status peer_renew_check(struct admin *admin,
                                        const struct peer_row *row,
                                        struct error *err);
/* The card that waits takes the place of the one in force. */
MUST_CHECK enum status peer_renew_take(struct admin *admin,
                                       struct peer_row *row,
                                       struct error *err);

#endif
