/* May this record go to, or stay with, this recipient, for this purpose, now?  Pure; default deny.
 *
 * policy_decide() looks at every consent it is given and allows only if one of them is active, in
 * time, for this purpose, and lists both the record in this very version and the recipient with
 * this very anchor.  A caller may leave out consents that do not list the record (the answer is
 * the same, POLICY_NO_CONSENT at least), and, within a consent, rows of other records and other
 * recipients (the reason then may be less exact, never the decision).
 */
#ifndef COMITY_CONSENT_POLICY_H
#define COMITY_CONSENT_POLICY_H

#include "base/id.h"
#include "consent/lifecycle.h"
#include "consent/terms.h"

struct policy_record {
    struct id id;
    uint32_t version;
};

/* A recipient as a consent froze it. */
struct policy_party {
    struct code code;
    struct digest anchor; /* fingerprint of the anchor that was accepted then */
};

/* A recipient as it stands now. */
struct policy_recipient {
    struct code code;
    struct digest anchor;
    bool accepted; /* two people accepted it, and it is neither blocked nor held */
};

struct policy_consent {
    struct id id;
    enum consent_state state;
    const struct terms *terms;
    const struct policy_record *records;
    size_t record_count;
    const struct policy_party *recipients;
    size_t recipient_count;
};

/* In the order of how near a consent came to allowing: of several consents the nearest is named. */
enum policy_reason {
    POLICY_ALLOWED = 0,
    POLICY_NO_CONSENT,      /* none lists the record */
    POLICY_OTHER_VERSION,   /* one lists another version of it */
    POLICY_NOT_A_RECIPIENT, /* lists the record, not the recipient */
    POLICY_ENDED,           /* revoked, expired or superseded */
    POLICY_NOT_APPROVED,    /* draft or proposed */
    POLICY_OTHER_ANCHOR,    /* the recipient's anchor is not the one it was given to */
    POLICY_OTHER_PURPOSE,
    POLICY_SUSPENDED,
    POLICY_NOT_YET,                /* before valid from */
    POLICY_OVER,                   /* at or after valid until or keep until */
    POLICY_RECIPIENT_NOT_ACCEPTED, /* whatever the consents say: unknown, held or blocked */
    POLICY_REASON_COUNT
};

enum { POLICY_TEXT_MAX = 320 };

struct policy_decision {
    enum policy_reason reason;  /* POLICY_ALLOWED, or why not */
    enum terms_form form;       /* allowed: in this form; TERMS_FORM_NONE when denied */
    uint32_t threshold;         /* allowed: k of the form */
    struct id consent_id;       /* allowed: under which consent; denied: the nearest one or none */
    int64_t until_ms;           /* allowed: until when this consent lets it stay */
    char text[POLICY_TEXT_MAX]; /* the sentence for people, word for word */
};

/* Of several consents that allow, the one with the most exact form, then the latest end, then the
 * smallest id is named, so that the order of the array does not matter. */
struct policy_decision policy_decide(const struct policy_consent *consents,
                                     size_t consent_count,
                                     const struct policy_record *record,
                                     const struct policy_recipient *recipient,
                                     enum terms_purpose purpose,
                                     int64_t now_ms);

/* "allowed", "no-consent", ...: stable words for --json; "unknown" outside. */
const char *policy_reason_name(enum policy_reason reason);

#endif
