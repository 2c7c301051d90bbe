/* One piece of review material: what a State says about one article of one instrument.
 *
 * All fields are text in NFC, empty when absent; a table in excerpt.c says for each its name (which
 * is its column in a CSV file), its bound and its check.  The canonical bytes (excerpt_encode) are
 * what is committed to and hashed: the same fields give the same bytes.
 */
#ifndef COMITY_RECORD_EXCERPT_H
#define COMITY_RECORD_EXCERPT_H

#include "record/catalogue.h"
#include "record/problem.h"

enum excerpt_field {                     /* numbers stand in the canonical bytes: never renumber */
                     EXCERPT_KIND = 0,   /* required; catalogue_kind_code */
                     EXCERPT_INSTRUMENT, /* required; UNTOC TIP SOM FA */
                     EXCERPT_ARTICLE,    /* required; its number */
                     EXCERPT_PARAGRAPH,  /* `3(a)` */
                     EXCERPT_APPLIED_UNDER,   /* Protocol under which an article of the Convention
                                                 applies */
                     EXCERPT_QUESTION,        /* reference in a questionnaire */
                     EXCERPT_CLUSTER,         /* I II III IV */
                     EXCERPT_CYCLE,           /* review cycle or phase */
                     EXCERPT_LANGUAGE,        /* required; BCP 47 */
                     EXCERPT_TITLE,           /* required */
                     EXCERPT_TEXT,            /* required; may have line breaks */
                     EXCERPT_SOURCE,          /* where it stands: law, report, address */
                     EXCERPT_ORIGINATOR,      /* required; authority that wrote it */
                     EXCERPT_DATE,            /* required; YYYY-MM-DD */
                     EXCERPT_CONFIDENTIALITY, /* required; catalogue_confidentiality_code */
                     EXCERPT_NATIONAL_TERM, /* the term of national law, beside the common codes */
                     EXCERPT_ITEM,          /* reference that translations of one item share */
                     EXCERPT_FIELD_COUNT
};
const char *excerpt_field_name(enum excerpt_field field); /* "kind", "applied_under", ... */
bool excerpt_field_parse(struct span name, enum excerpt_field *ret_field);
bool excerpt_field_required(enum excerpt_field field);

struct excerpt {
    struct buf fields[EXCERPT_FIELD_COUNT]; /* owned */
    uint32_t line; /* of the file that it was read from, first is 1; 0: of none */
};

void excerpt_init(struct excerpt *excerpt); /* all empty */
void excerpt_fini(struct excerpt *excerpt); /* wipes */
struct excerpt excerpt_move(struct excerpt *from);
/* Puts the NFC of `text`, CRLF as LF.  ERR_INVALID (not UTF-8), ERR_LIMIT, ERR_MEMORY. */
MUST_CHECK enum status excerpt_set(struct excerpt *excerpt,
                                   enum excerpt_field field,
                                   struct span text,
                                   struct error *err);
struct span excerpt_get(const struct excerpt *excerpt, enum excerpt_field field); /* borrows */

/* Adds every problem to `problems` at `line` (0 where there is no file). */
void excerpt_check(const struct excerpt *excerpt, uint32_t line, struct problems *problems);

/* What the codes mean; for an excerpt that passed its check (NONE and 0 otherwise). */
enum excerpt_kind excerpt_kind(const struct excerpt *excerpt);
enum instrument excerpt_instrument(const struct excerpt *excerpt);
unsigned excerpt_article(const struct excerpt *excerpt);
unsigned excerpt_cluster(const struct excerpt *excerpt); /* given, or that of the article */

/* Canonical bytes: u8 version 1, then for each field that is not empty, in ascending order:
 * u8 number, varint size, bytes.  Encode refuses what does not pass the check. */
MUST_CHECK enum status excerpt_encode(const struct excerpt *excerpt,
                                      struct buf *append_to,
                                      struct error *err);
/* Strict: known version and fields, ascending, no empty ones, and the check passes. */
MUST_CHECK enum status excerpt_decode(struct span bytes,
                                      struct excerpt *ret_excerpt,
                                      struct error *err);
/* Whether excerpt_decode would take it; nothing of it is copied. */
MUST_CHECK enum status excerpt_verify(struct span bytes, struct error *err);

/* -- many of them, from a file ----------------------------------------------------------------- */

struct excerpt_list {
    struct excerpt *items; /* owned */
    size_t count;
    size_t capacity;
};
void excerpt_list_fini(struct excerpt_list *list);

/* A CSV file whose first line names the columns (excerpt_field_name, any order).  All or nothing:
 * with any problem the status is that of problems_status and the list stays untouched. */
MUST_CHECK enum status excerpt_import(struct span file,
                                      struct problems *problems,
                                      struct excerpt_list *ret_list,
                                      struct error *err);

#endif
