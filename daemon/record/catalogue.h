/* Facts about the Convention and its Protocols: instruments, articles, clusters, kinds, classes.
 *
 * Codes are parsed exactly as written here (upper case for instruments, lower case with hyphens
 * for kinds and classes).  Strings are static.
 */
#ifndef COMITY_RECORD_CATALOGUE_H
#define COMITY_RECORD_CATALOGUE_H

#include "base/span.h"

enum instrument { /* stored: never renumber */
                  INSTRUMENT_NONE = 0,
                  INSTRUMENT_UNTOC, /* United Nations Convention against Transnational Organized
                                       Crime */
                  INSTRUMENT_TIP,   /* Protocol on trafficking in persons */
                  INSTRUMENT_SOM,   /* Protocol on the smuggling of migrants */
                  INSTRUMENT_FA,    /* Protocol on firearms */
                  INSTRUMENT_COUNT
};
const char *catalogue_instrument_code(enum instrument instrument); /* "UNTOC"; "" for NONE */
const char *catalogue_instrument_name(enum instrument instrument);
bool catalogue_instrument_parse(struct span code, enum instrument *ret_instrument);

/* Articles are numbered from 1 without gaps. */
unsigned catalogue_article_count(enum instrument instrument);
const char *catalogue_article_title(enum instrument instrument, unsigned article); /* or NULL */
/* Thematic cluster 1-4 of the review; 0 when the article belongs to none.  The membership of the
 * articles is common knowledge of the field and was not read again in a source: advice, not law. */
unsigned catalogue_cluster(enum instrument instrument, unsigned article);
const char *catalogue_cluster_name(unsigned cluster); /* 1-4, or NULL */

enum excerpt_kind { /* stored: never renumber */
                    KIND_NONE = 0,
                    KIND_ANSWER,
                    KIND_LEGISLATION,
                    KIND_MEASURE,
                    KIND_GOOD_PRACTICE,
                    KIND_LESSON_LEARNED,
                    KIND_CHALLENGE,
                    KIND_ASSISTANCE_NEED,
                    KIND_CASE_EXAMPLE,
                    KIND_OBSERVATION,
                    KIND_REASON_FOR_NON_USE,
                    KIND_COUNT
};
const char *catalogue_kind_code(enum excerpt_kind kind); /* "good-practice" */
const char *catalogue_kind_name(enum excerpt_kind kind); /* "good practice" */
bool catalogue_kind_parse(struct span code, enum excerpt_kind *ret_kind);

enum confidentiality { /* the originator's own marking; what may leave is decided by consents */
                       CONFIDENTIALITY_NONE = 0,
                       CONFIDENTIALITY_PUBLIC,
                       CONFIDENTIALITY_INTERNAL,
                       CONFIDENTIALITY_RESTRICTED,
                       CONFIDENTIALITY_CONFIDENTIAL,
                       CONFIDENTIALITY_COUNT
};
const char *catalogue_confidentiality_code(enum confidentiality class);
bool catalogue_confidentiality_parse(struct span code, enum confidentiality *ret_class);

/* Shape of a BCP 47 tag in its usual spelling (`en`, `zh-Hans`, `pt-BR`), not the registry. */
bool catalogue_language_check(struct span tag);
bool catalogue_language_is_official(struct span tag); /* ar en es fr ru zh, with subtags */

#endif
