/* An excerpt as a central authority might write it, for tests that need any. */
#ifndef COMITY_TESTS_SUPPORT_SAMPLE_EXCERPT_H
#define COMITY_TESTS_SUPPORT_SAMPLE_EXCERPT_H

#include "record/excerpt.h"

/* Fills an excerpt on UNTOC article 16. */
static inline enum status sample_excerpt(struct excerpt *excerpt,
                                         const char *title,
                                         struct span text,
                                         struct error *err)
{
    static const struct {
        enum excerpt_field field;
        const char *text;
    } fields[] = {
        { EXCERPT_KIND, "answer" },
        { EXCERPT_INSTRUMENT, "UNTOC" },
        { EXCERPT_ARTICLE, "16" },
        { EXCERPT_LANGUAGE, "en" },
        { EXCERPT_ORIGINATOR, "Attorney-General" },
        { EXCERPT_DATE, "2025-03-01" },
        { EXCERPT_CONFIDENTIALITY, "restricted" },
    };
    enum status status = excerpt_set(excerpt, EXCERPT_TITLE, span_text(title), err);
    if (status == OK)
        status = excerpt_set(excerpt, EXCERPT_TEXT, text, err);
    for (size_t i = 0; status == OK && i < sizeof(fields) / sizeof(fields[0]); i++)
        status = excerpt_set(excerpt, fields[i].field, span_text(fields[i].text), err);
    return status;
}

#endif
