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
/* The peers that this filter of a listing names, if it is given: each must be there.  Ask before
 * the table is begun: an empty one would look like the answer. */
MUST_CHECK enum status peer_known_filter(struct admin *admin,
                                         const struct control_call *call,
                                         const char *option,
                                         struct error *err);
/* Every peer in the order of codes, in whatever state. */
typedef enum status peer_known_visit(void *context, const struct peer_row *row, struct error *err);
MUST_CHECK enum status peer_known_each(struct admin *admin,
                                       peer_known_visit *visit,
                                       void *context,
                                       struct error *err);
/* Stores it, and lets the node know that its peers have changed. */
MUST_CHECK enum status peer_known_update(struct admin *admin,
                                         const struct peer_row *row,
                                         struct error *err);

#endif
