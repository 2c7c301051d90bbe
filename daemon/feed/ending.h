/* The inline body of WITHDRAWN and CONSENT_ENDED: why, and how long the holder has.
 *
 *   size field
 *    1   why: the state of the consent that ended (enum consent_state: revoked, expired,
 * superseded) 2   days allowed for erasing, big-endian
 *
 * WITHDRAWN: subject id, and record version (0: every version); consent id is the consent that
 * ended, or, with CONSENT_ACTIVE as the reason, one that stands: what could not be sent again just
 * now is withdrawn, and given again later.  CONSENT_ENDED: consent id; no subject.
 * docs/PROTOCOL.md, "Endings".
 */
#ifndef COMITY_FEED_ENDING_H
#define COMITY_FEED_ENDING_H

#include "base/span.h"
#include "consent/lifecycle.h"

enum { ENDING_SIZE = 3 };

struct ending {
    enum consent_state why;
    uint16_t erase_days;
};

void ending_encode(const struct ending *ending, uint8_t ret_bytes[static ENDING_SIZE]);
/* Strict; ERR_UNSUPPORTED for a reason that this version does not know. */
MUST_CHECK enum status ending_decode(struct span bytes,
                                     struct ending *ret_ending,
                                     struct error *err);
/* Of a WITHDRAWN: its consent stands. */
bool ending_is_for_now(struct span bytes);

#endif
