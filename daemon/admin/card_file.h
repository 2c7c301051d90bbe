/* A card out of a file, by the rules of a peer; for peer_ops.c only. */
#ifndef COMITY_ADMIN_CARD_FILE_H
#define COMITY_ADMIN_CARD_FILE_H

#include "admin/ops.h"
#include "crypto/card.h"

struct card_source {
    struct span text;
    const char *name;         /* path, or code of the peer */
    struct span known_anchor; /* of this peer; may be empty */
};
/* All that is wrong with it becomes problems of the reply, and their number the error; a file that
 * is no card is one sentence. */
MUST_CHECK enum status card_file_read(struct admin *admin,
                                      struct control_call *call,
                                      const struct card_source *source,
                                      struct card *ret_card,
                                      struct error *err);

#endif
