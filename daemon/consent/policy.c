#include "consent/policy.h"

#include "base/clock.h"

#include <stdio.h>

const char *policy_reason_name(enum policy_reason reason)
{
    static const char *const names[POLICY_REASON_COUNT] = {
        [POLICY_ALLOWED] = "allowed",
        [POLICY_NO_CONSENT] = "no-consent",
        [POLICY_OTHER_VERSION] = "other-version",
        [POLICY_NOT_A_RECIPIENT] = "not-a-recipient",
        [POLICY_ENDED] = "ended",
        [POLICY_NOT_APPROVED] = "not-approved",
        [POLICY_OTHER_ANCHOR] = "other-anchor",
        [POLICY_OTHER_PURPOSE] = "other-purpose",
        [POLICY_SUSPENDED] = "suspended",
        [POLICY_NOT_YET] = "not-yet",
        [POLICY_OVER] = "over",
        [POLICY_RECIPIENT_NOT_ACCEPTED] = "recipient-not-accepted",
    };
    return (unsigned)reason < POLICY_REASON_COUNT ? names[reason] : "unknown";
}

/* -- one consent ------------------------------------------------------------------------------- */

static enum policy_reason judge_record(const struct policy_consent *consent,
                                       const struct policy_record *record)
{
    enum policy_reason reason = POLICY_NO_CONSENT;
    for (size_t i = 0; i < consent->record_count; i++) {
        if (!id_equal(&consent->records[i].id, &record->id))
            continue;
        if (consent->records[i].version == record->version)
            return POLICY_ALLOWED;
        reason = POLICY_OTHER_VERSION;
    }
    return reason;
}

static const struct policy_party *find_party(const struct policy_consent *consent,
                                             const struct code *code)
{
    for (size_t i = 0; i < consent->recipient_count; i++) {
        if (code_equal(&consent->recipients[i].code, code))
            return &consent->recipients[i];
    }
    return NULL;
}

static enum policy_reason judge_state(enum consent_state state)
{
    switch (state) {
    case CONSENT_ACTIVE:
        return POLICY_ALLOWED;
    case CONSENT_SUSPENDED:
        return POLICY_SUSPENDED;
    case CONSENT_REVOKED:
    case CONSENT_EXPIRED:
    case CONSENT_SUPERSEDED:
        return POLICY_ENDED;
    case CONSENT_DRAFT:
    case CONSENT_PROPOSED:
    case CONSENT_STATE_COUNT:
        break;
    }
    return POLICY_NOT_APPROVED;
}

static int64_t end_ms(const struct terms *terms)
{
    return terms->keep_until_ms < terms->valid_until_ms ? terms->keep_until_ms
                                                        : terms->valid_until_ms;
}

static enum policy_reason judge_terms(const struct terms *terms,
                                      enum terms_purpose purpose,
                                      int64_t now_ms)
{
    if (purpose == PURPOSE_NONE || terms->purpose != purpose)
        return POLICY_OTHER_PURPOSE;
    if (now_ms < terms->valid_from_ms)
        return POLICY_NOT_YET;
    if (now_ms >= end_ms(terms))
        return POLICY_OVER;
    return POLICY_ALLOWED;
}

/* Record, recipient, state, anchor, purpose, time: the first that says no is the reason. */
static enum policy_reason judge(const struct policy_consent *consent,
                                const struct policy_record *record,
                                const struct policy_recipient *recipient,
                                enum terms_purpose purpose,
                                int64_t now_ms)
{
    enum policy_reason of_record = judge_record(consent, record);
    if (of_record != POLICY_ALLOWED)
        return of_record;
    const struct policy_party *party = find_party(consent, &recipient->code);
    if (party == NULL)
        return POLICY_NOT_A_RECIPIENT;
    enum policy_reason of_state = judge_state(consent->state);
    if (of_state == POLICY_ENDED || of_state == POLICY_NOT_APPROVED)
        return of_state;
    if (!digest_equal(&party->anchor, &recipient->anchor))
        return POLICY_OTHER_ANCHOR;
    enum policy_reason of_terms = judge_terms(consent->terms, purpose, now_ms);
    if (of_terms == POLICY_OTHER_PURPOSE || of_state == POLICY_ALLOWED)
        return of_terms;
    return of_state;
}

/* -- of several, the best ---------------------------------------------------------------------- */

static bool is_better_grant(const struct policy_consent *a, const struct policy_consent *b)
{
    if (a->terms->form != b->terms->form)
        return a->terms->form < b->terms->form; /* the most exact form has the smallest number */
    int64_t end_a = end_ms(a->terms);
    int64_t end_b = end_ms(b->terms);
    if (end_a != end_b)
        return end_a > end_b;
    return id_compare(&a->id, &b->id) < 0;
}

static bool is_nearer_denial(enum policy_reason reason,
                             const struct policy_consent *consent,
                             enum policy_reason nearest,
                             const struct policy_consent *near)
{
    if (reason != nearest)
        return reason > nearest;
    return near != NULL && id_compare(&consent->id, &near->id) < 0;
}

/* -- words ------------------------------------------------------------------------------------- */

/* A sentence is `before`, one slot that is filled in, `after`. */
enum slot { SLOT_NONE, SLOT_CODE, SLOT_VERSION, SLOT_STATE, SLOT_PURPOSES, SLOT_FROM, SLOT_END };
enum { SLOT_COUNT = SLOT_END + 1, SLOT_MAX = 80 };

static const struct sentence {
    const char *before;
    enum slot slot;
    const char *after;
} sentences[POLICY_REASON_COUNT] = {
    [POLICY_ALLOWED] = { "an active consent allows it until ", SLOT_END, "" },
    [POLICY_NO_CONSENT] = { "no consent covers the record", SLOT_NONE, "" },
    [POLICY_OTHER_VERSION] = { "no consent lists version ", SLOT_VERSION,
                               " of the record, only another version of it" },
    [POLICY_NOT_A_RECIPIENT] = { "no consent for the record names ", SLOT_CODE, "" },
    [POLICY_ENDED] = { "the consent is ", SLOT_STATE, ", so it is not in force any more" },
    [POLICY_NOT_APPROVED] = { "the consent is ", SLOT_STATE, ", so it is not in force yet" },
    [POLICY_OTHER_ANCHOR] = { "the consent was given to ", SLOT_CODE,
                              " under another anchor certificate than the one it has now" },
    [POLICY_OTHER_PURPOSE] = { "the consent is for the purpose ", SLOT_PURPOSES, "" },
    [POLICY_SUSPENDED] = { "the consent for ", SLOT_CODE, " is suspended" },
    [POLICY_NOT_YET] = { "the consent begins only at ", SLOT_FROM, "" },
    [POLICY_OVER] = { "the consent ended at ", SLOT_END, "" },
    [POLICY_RECIPIENT_NOT_ACCEPTED] = { "", SLOT_CODE,
                                        " is not an accepted peer, or is held or blocked" },
};

static void say(enum policy_reason reason,
                const struct policy_consent *consent, /* NULL: none is concerned */
                uint32_t version,
                const struct code *recipient,
                enum terms_purpose purpose,
                char *text)
{
    char slots[SLOT_COUNT][SLOT_MAX] = { "" };
    (void)snprintf(slots[SLOT_CODE], SLOT_MAX, "%s", recipient->text);
    (void)snprintf(slots[SLOT_VERSION], SLOT_MAX, "%u", (unsigned)version);
    if (consent != NULL) {
        const struct terms *terms = consent->terms;
        (void)snprintf(slots[SLOT_STATE], SLOT_MAX, "%s", lifecycle_state_name(consent->state));
        (void)snprintf(slots[SLOT_PURPOSES], SLOT_MAX, "%s, not for %s",
                       terms_purpose_name(terms->purpose), terms_purpose_name(purpose));
        time_format(terms->valid_from_ms, slots[SLOT_FROM]);
        time_format(end_ms(terms), slots[SLOT_END]);
    }
    const struct sentence *sentence = &sentences[reason];
    (void)snprintf(text, POLICY_TEXT_MAX, "%s%s%s", sentence->before, slots[sentence->slot],
                   sentence->after);
}

struct policy_decision policy_decide(const struct policy_consent *consents,
                                     size_t consent_count,
                                     const struct policy_record *record,
                                     const struct policy_recipient *recipient,
                                     enum terms_purpose purpose,
                                     int64_t now_ms)
{
    const struct policy_consent *best = NULL; /* allows */
    const struct policy_consent *near = NULL; /* comes nearest to it */
    enum policy_reason nearest = POLICY_NO_CONSENT;
    for (size_t i = 0; i < consent_count && recipient->accepted; i++) {
        enum policy_reason one = judge(&consents[i], record, recipient, purpose, now_ms);
        if (one == POLICY_ALLOWED) {
            if (best == NULL || is_better_grant(&consents[i], best))
                best = &consents[i];
        } else if (is_nearer_denial(one, &consents[i], nearest, near)) {
            near = &consents[i];
            nearest = one;
        }
    }
    enum policy_reason reason = best != NULL ? POLICY_ALLOWED : nearest;
    if (!recipient->accepted)
        reason = POLICY_RECIPIENT_NOT_ACCEPTED;
    const struct policy_consent *named = best != NULL ? best : near;
    struct policy_decision decision = { .reason = reason };
    if (named != NULL)
        decision.consent_id = named->id;
    if (best != NULL) {
        decision.form = best->terms->form;
        decision.threshold = best->terms->threshold;
        decision.until_ms = end_ms(best->terms);
    }
    say(reason, named, record->version, &recipient->code, purpose, decision.text);
    return decision;
}
