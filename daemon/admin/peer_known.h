/* The peer that an operation is about. */
#ifndef COMITY_ADMIN_PEER_KNOWN_H
#define COMITY_ADMIN_PEER_KNOWN_H

#include "admin/ops.h"
#include "store/peer_rows.h"

/* The one that the argument "peer" names; ERR_NOT_FOUND says what to do. */
MUST_CHECK enum status peer_known_find(struct admin *admin,
                                       const struct control_call *call,
                                       struct peer_row *ret_row,
                                       struct error *err);
/* Stores it, and lets the node know that its peers have changed. */
MUST_CHECK enum status peer_known_update(struct admin *admin,
                                         const struct peer_row *row,
                                         struct error *err);

#endif
