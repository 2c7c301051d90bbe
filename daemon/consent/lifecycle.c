#include "consent/lifecycle.h"

/* One row a state: what people read there, and where each step leads (0: not possible). */
struct life {
    const char *name;
    const char *why;  /* nothing else is possible here */
    const char *next; /* what is */
    enum consent_state to[CONSENT_STEP_COUNT];
};

static const struct life lives[CONSENT_STATE_COUNT] = {
    [CONSENT_DRAFT] = {
        "draft", "it is a draft that nobody has proposed yet",
        "comityctl consent propose, or comityctl consent revoke to discard it",
        { [STEP_PROPOSE] = CONSENT_PROPOSED, [STEP_REVOKE] = CONSENT_REVOKED,
          [STEP_EXPIRE] = CONSENT_EXPIRED },
    },
    [CONSENT_PROPOSED] = {
        "proposed", "it waits for the approval of another person",
        "comityctl consent approve or reject, or comityctl consent revoke to discard it",
        { [STEP_REJECT] = CONSENT_DRAFT, [STEP_APPROVE] = CONSENT_ACTIVE,
          [STEP_REVOKE] = CONSENT_REVOKED, [STEP_EXPIRE] = CONSENT_EXPIRED },
    },
    [CONSENT_ACTIVE] = {
        "active", "it is in force, as it was approved",
        "comityctl consent revoke, to end it",
        { [STEP_SUSPEND] = CONSENT_SUSPENDED, [STEP_REVOKE] = CONSENT_REVOKED,
          [STEP_EXPIRE] = CONSENT_EXPIRED, [STEP_SUPERSEDE] = CONSENT_SUPERSEDED },
    },
    [CONSENT_SUSPENDED] = {
        "suspended", "it is suspended, and what was given is locked",
        "comityctl consent revoke, to end it",
        { [STEP_RESUME] = CONSENT_ACTIVE, [STEP_REVOKE] = CONSENT_REVOKED,
          [STEP_EXPIRE] = CONSENT_EXPIRED, [STEP_SUPERSEDE] = CONSENT_SUPERSEDED },
    },
    [CONSENT_REVOKED] = { .name = "revoked", .why = "it was revoked, which is final",
                          .next = "comityctl consent draft, to give a new consent" },
    [CONSENT_EXPIRED] = { .name = "expired", .why = "it has expired, which is final",
                          .next = "comityctl consent draft, to give a new consent" },
    [CONSENT_SUPERSEDED] = { .name = "superseded", .why = "another consent has replaced it",
                             .next = "comityctl consent history, to see by which one" },
};

static const char *const step_names[CONSENT_STEP_COUNT] = {
    [STEP_PROPOSE] = "propose", [STEP_REJECT] = "reject",       [STEP_APPROVE] = "approve",
    [STEP_SUSPEND] = "suspend", [STEP_RESUME] = "resume",       [STEP_REVOKE] = "revoke",
    [STEP_EXPIRE] = "expire",   [STEP_SUPERSEDE] = "supersede",
};

static bool state_is_known(enum consent_state state)
{
    return (unsigned)state >= CONSENT_DRAFT && (unsigned)state < CONSENT_STATE_COUNT;
}

const char *lifecycle_state_name(enum consent_state state)
{
    return state_is_known(state) ? lives[state].name : "unknown";
}

const char *lifecycle_step_name(enum consent_step step)
{
    return (unsigned)step < CONSENT_STEP_COUNT ? step_names[step] : "unknown";
}

bool lifecycle_has_ended(enum consent_state state)
{
    return state == CONSENT_REVOKED || state == CONSENT_EXPIRED || state == CONSENT_SUPERSEDED;
}

enum status lifecycle_move(enum consent_state from,
                           enum consent_step step,
                           enum consent_state *ret_to,
                           struct error *err)
{
    if (!state_is_known(from) || (unsigned)step >= CONSENT_STEP_COUNT)
        return error_set(err, ERR_CORRUPT, "consent: state %d or step %d does not exist", (int)from,
                         (int)step);
    const struct life *life = &lives[from];
    if (life->to[step] == 0)
        return error_set(err, ERR_WRONG_STATE, "cannot %s a consent that is %s: %s; next: %s",
                         step_names[step], life->name, life->why, life->next);
    *ret_to = life->to[step];
    return OK;
}
