/* The words of terms, by number: for terms.c and terms_set.c. */
#ifndef COMITY_CONSENT_WORDS_H
#define COMITY_CONSENT_WORDS_H

#include "consent/terms.h"

struct terms_word {
    const char *name; /* NULL: no such number; of options and --json */
    const char *says; /* in a sentence */
};

extern const struct terms_word TERMS_PURPOSES[PURPOSE_COUNT];
extern const struct terms_word TERMS_FORMS[TERMS_FORM_COUNT];
extern const struct terms_word TERMS_ATTRIBUTIONS[ATTRIBUTION_COUNT];
extern const struct terms_word TERMS_ONWARDS[ONWARD_COUNT];

#endif
