/* The terms of a consent: what travels as the body of CONSENT_GIVEN (BODY_TERMS), never erased.
 *
 * A struct terms is a plain value: copy it freely.  All times are Unix milliseconds, UTC; validity
 * is the half-open interval [valid_from_ms, valid_until_ms).
 *
 * Encoding, big-endian, one spelling for one value (docs/PROTOCOL.md, "Terms"):
 *
 *   size field
 *    1   terms version (1)
 *    1   purpose
 *    1   form of release
 *    1   attribution
 *    1   onward
 *    4   threshold k (form suppressed, otherwise 0)
 *    8   valid from
 *    8   valid until
 *    8   keep until
 *    2   days allowed for erasing
 *   2+n  deciding authority   \
 *   2+n  file reference        > UTF-8 with a length in front
 *   2+n  conditions in words  /
 */
#ifndef COMITY_CONSENT_TERMS_H
#define COMITY_CONSENT_TERMS_H

#include "base/id.h"
#include "base/limits.h"
#include "base/span.h"

enum {
    TERMS_VERSION = 1,
    TERMS_FIXED_SIZE = 41, /* with the three lengths, without the three texts */
    TERMS_THRESHOLD_MAX = 1000,
    TERMS_ERASE_DAYS_MAX = 365, /* longer, and a recall would be no recall */
    TERMS_ERASE_DAYS_DEFAULT = 7,
    TERMS_YEARS_MAX = 30, /* archives are measured in decades; a typing error in centuries */
    TERMS_ENCODED_MAX = TERMS_FIXED_SIZE + 2 * NAME_MAX_BYTES + CONDITION_MAX
};

/* Numbers travel and are for ever; 0 is "not said" and never valid. */
enum terms_purpose {
    PURPOSE_NONE = 0,
    PURPOSE_PEER_REVIEW = 1,
    PURPOSE_AGGREGATE = 2,
    PURPOSE_TECHNICAL_ASSISTANCE = 3,
    PURPOSE_COOPERATION = 4,
    PURPOSE_PUBLICATION = 5,
    PURPOSE_COUNT
};

/* The same numbers as enum release_form of log/header.h, which this layer may not include. */
enum terms_form {
    TERMS_FORM_NONE = 0,
    TERMS_EXACT = 1,
    TERMS_SUPPRESSED = 2,
    TERMS_ROUNDED = 3,
    TERMS_AGGREGATE_ONLY = 4,
    TERMS_FORM_COUNT
};

enum terms_attribution { ATTRIBUTION_UNNAMED = 0, ATTRIBUTION_NAMED = 1, ATTRIBUTION_COUNT };
enum terms_onward { ONWARD_NONE = 0, ONWARD_PUBLIC = 1, ONWARD_COUNT };

struct terms {
    enum terms_purpose purpose;
    enum terms_form form;
    uint32_t threshold; /* k of TERMS_SUPPRESSED, otherwise 0 */
    enum terms_attribution attribution;
    enum terms_onward onward;
    int64_t valid_from_ms;
    int64_t valid_until_ms;
    int64_t keep_until_ms; /* at most valid_until_ms: the holder locks here, consent or not */
    uint16_t erase_days;   /* after the end, before the recall is overdue; 0: at once */
    char authority[NAME_MAX_BYTES + 1]; /* who decided, as the file says it */
    char reference[NAME_MAX_BYTES + 1]; /* file or note verbale */
    char conditions[CONDITION_MAX + 1]; /* may be empty; may have several lines */
};

/* Defaults of a draft: exact, unnamed, onward none, from now, TERMS_ERASE_DAYS_DEFAULT; purpose,
 * end, authority and reference must be said. */
void terms_init(struct terms *terms, int64_t now_ms);

/* Sets one term from words: purpose, form (exact, suppressed:K, rounded, aggregate-only),
 * attribution, onward, from, until, keep-until, erase-days, authority, reference, conditions.
 * ERR_NOT_FOUND for another name, ERR_INVALID naming value and rule.  *terms is unchanged then. */
MUST_CHECK enum status terms_set(struct terms *terms,
                                 const char *name,
                                 const char *value,
                                 struct error *err);
extern const char *const TERMS_NAMES[]; /* what terms_set takes, in that order; NULL at the end */

/* All that is wrong with a draft at `now_ms`, each a line ("name: what; next: ...\n") appended to
 * *append_problems (may be NULL).  ERR_INVALID (or ERR_UNSUPPORTED when the only problem is a form
 * that this version does not release) with the first problem and how many there are.
 * keep_until_ms 0 is taken as valid_until_ms: see terms_settle(). */
MUST_CHECK enum status terms_check(const struct terms *terms,
                                   int64_t now_ms,
                                   struct buf *append_problems,
                                   struct error *err);
/* Fills in what follows from the rest (keep until); call it after terms_check(). */
void terms_settle(struct terms *terms);

MUST_CHECK enum status terms_encode(const struct terms *terms,
                                    struct buf *append_to,
                                    struct error *err);
/* Strict, for bytes from a peer: ERR_INVALID for anything that terms_encode() would not have
 * written, ERR_UNSUPPORTED for a later version or an unknown purpose, form or rule. */
MUST_CHECK enum status terms_decode(struct span bytes, struct terms *ret_terms, struct error *err);

/* Plain words, one term a line, in a fixed order ("Purpose: peer review\n"). */
MUST_CHECK enum status terms_render(const struct terms *terms,
                                    struct buf *append_to,
                                    struct error *err);

/* Stable words of options and --json: "peer-review", "exact", "unnamed", "none"; "?" otherwise. */
const char *terms_purpose_name(enum terms_purpose purpose);
const char *terms_form_name(enum terms_form form);
const char *terms_attribution_name(enum terms_attribution attribution);
const char *terms_onward_name(enum terms_onward onward);

#endif
