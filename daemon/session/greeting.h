/* The Hello: what it says, what its signature covers, and who is believed (PROTOCOL 5.3). */
#ifndef COMITY_SESSION_GREETING_H
#define COMITY_SESSION_GREETING_H

#include "session/session.h"
#include "wire/codec.h"

/* Appends the frame of our Hello; the heads are left as they were. */
MUST_CHECK enum status greeting_encode(const struct session_config *config,
                                       struct heads *own_heads,
                                       struct buf *frame,
                                       struct error *err);
/* ERR_UNSUPPORTED (version), ERR_DENIED (realm), ERR_SIGNATURE (names, signature), ERR_MEMORY. */
MUST_CHECK enum status greeting_check(const struct session_config *config,
                                      const struct hello *hello,
                                      struct error *err);

#endif
