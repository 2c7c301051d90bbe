/* The life of a consent.
 *
 *             propose            approve             suspend
 *   DRAFT ─────────────▶ PROPOSED ─────────▶ ACTIVE ─────────▶ SUSPENDED
 *     ▲       reject        │                 │ │ ▲    resume    │
 *     └─────────────────────┤                 │ │ └──────────────┤
 *     │ revoke              │ revoke, expire  │ └── supersede ───┤
 *     ▼                     ▼                 ▼                  ▼
 *   ENDED: REVOKED | EXPIRED | SUPERSEDED      (for good; a new consent takes a new draft)
 *
 * Whatever narrows (revoke, suspend, expire) is possible from every state that is not ended.
 */
#ifndef COMITY_CONSENT_LIFECYCLE_H
#define COMITY_CONSENT_LIFECYCLE_H

#include "base/status.h"

#include <stdbool.h>

/* Numbers are stored and are for ever. */
enum consent_state {
    CONSENT_DRAFT = 1,
    CONSENT_PROPOSED = 2,
    CONSENT_ACTIVE = 3,
    CONSENT_SUSPENDED = 4,
    CONSENT_REVOKED = 5,
    CONSENT_EXPIRED = 6,
    CONSENT_SUPERSEDED = 7,
    CONSENT_STATE_COUNT
};

enum consent_step {
    STEP_PROPOSE,
    STEP_REJECT,
    STEP_APPROVE,
    STEP_SUSPEND,
    STEP_RESUME,
    STEP_REVOKE,
    STEP_EXPIRE,
    STEP_SUPERSEDE,
    CONSENT_STEP_COUNT
};

/* "draft", ..., "superseded"; "propose", ..., "supersede"; "unknown" outside. */
const char *lifecycle_state_name(enum consent_state state);
const char *lifecycle_step_name(enum consent_step step);
bool lifecycle_has_ended(enum consent_state state);

/* The only function that moves a consent.  ERR_WRONG_STATE names the state, why the step is not
 * possible there, and what is (for people: "...; next: ..."). */
MUST_CHECK enum status lifecycle_move(enum consent_state from,
                                      enum consent_step step,
                                      enum consent_state *ret_to,
                                      struct error *err);

#endif
