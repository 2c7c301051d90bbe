/* The node's own records, as its administrators handle them: add, import, list, show, retire.
 *
 * Like all administrative functions of feed (consents.h, listing.h):
 *   - run on the store thread, inside the caller's transaction;
 *   - a refusal (any status but ERR_IO, ERR_FULL, ERR_MEMORY, ERR_CORRUPT, ERR_INTERNAL) comes
 *     before the first change, so the same transaction can go on and journal the refusal;
 *   - `uid` is who acts, already permitted by role; the caller journals action and outcome;
 *   - ids of records are typed as `records_find` takes them.
 */
#ifndef COMITY_FEED_RECORDS_H
#define COMITY_FEED_RECORDS_H

#include "feed/feed.h"
#include "record/excerpt.h"
#include "record/record.h"
#include "record/sdmx.h"
#include "store/record_rows.h"

enum { RECORDS_KIND_MAX = 40, RECORDS_WORD_MAX = 160 };

/* One record as lists show it; read by unsealing.  Texts as they are stored, not escaped. */
struct records_view {
    struct record_row row;
    uint32_t version;                /* the one that was opened */
    uint64_t size;                   /* bytes of its canonical form */
    struct digest digest;            /* SHA-256 of it */
    char kind[RECORDS_KIND_MAX + 1]; /* "answer", ..., or "release" */
    char title[TITLE_MAX + 1];       /* of a release without TITLE: its dataset, period, source */
    /* excerpts */
    enum excerpt_kind excerpt_kind;
    enum instrument instrument;
    unsigned article;
    unsigned cluster;
    char language[16];
    /* releases */
    char dataset[RECORDS_WORD_MAX + 1];
    char period[RECORDS_WORD_MAX + 1];
    char source[RECORDS_WORD_MAX + 1];
    size_t observations;
    /* Canonical bytes, borrowed for the time of the visit; excerpt_decode or release_decode. */
    struct span canonical;
};

/* Called for one thing after the other; anything but OK ends the walk with that status. */
typedef enum status (*records_visit)(void *context,
                                     const struct records_view *view,
                                     struct error *err);

/* Which records: every condition that is set must hold. */
struct records_selector {
    int kind; /* enum record_kind; 0: both */
    enum excerpt_kind excerpt_kind;
    enum instrument instrument;
    unsigned article;
    char dataset[RECORDS_WORD_MAX + 1]; /* dataflow id, or the part of it between ':' and '(' */
    char period[RECORDS_WORD_MAX + 1];
    char source[RECORDS_WORD_MAX + 1];
    bool with_retired;
};
void records_selector_init(struct records_selector *selector); /* everything that is current */
/* From words: kind (excerpt, release, or a kind of excerpt), instrument, article (with an
 * instrument, "UNTOC:16", or alone), dataset, period, source.  ERR_NOT_FOUND: another name. */
MUST_CHECK enum status records_selector_set(struct records_selector *selector,
                                            const char *name,
                                            const char *value,
                                            struct error *err);

/* -- changing ---------------------------------------------------------------------------------- */

MUST_CHECK enum status records_add_excerpt(struct feed_context *feed,
                                           uint32_t uid,
                                           const struct excerpt *excerpt,
                                           struct id *ret_record_id,
                                           struct error *err);
/* The next version; what was given of earlier ones stays as it is.  ERR_EXISTS when the bytes are
 * the same, ERR_WRONG_STATE when it is retired or no excerpt. */
MUST_CHECK enum status records_change_excerpt(struct feed_context *feed,
                                              uint32_t uid,
                                              const struct id *record_id,
                                              const struct excerpt *excerpt,
                                              uint32_t *ret_version,
                                              struct error *err);
/* All or nothing.  `ret_ids` has room for list->count. */
MUST_CHECK enum status records_import_excerpts(struct feed_context *feed,
                                               uint32_t uid,
                                               const struct excerpt_list *list,
                                               struct id *ret_ids,
                                               struct error *err);

enum records_outcome { RECORDS_NEW, RECORDS_NEXT_VERSION, RECORDS_UNCHANGED };
const char *records_outcome_name(enum records_outcome outcome); /* "new", "next version", ... */
struct records_imported {
    struct id record_id;
    uint32_t version;
    enum records_outcome outcome;
    size_t observations;
};
/* A release is a snapshot of one dataset, period and source: one that is here already gets a next
 * version (its next vintage), or, with the same figures, nothing.  `ret_imported` has room for
 * list->count. */
MUST_CHECK enum status records_import_releases(struct feed_context *feed,
                                               uint32_t uid,
                                               const struct sdmx_release_list *list,
                                               struct records_imported *ret_imported,
                                               struct error *err);

/* What still holds after a record was retired. */
struct records_retired {
    uint64_t consents_in_force; /* that list it: they stay, until they end or are revoked */
    uint64_t given;             /* deliveries that recipients still hold under them */
};
/* No new consent can name it; nothing that was given is withdrawn. */
MUST_CHECK enum status records_retire(struct feed_context *feed,
                                      uint32_t uid,
                                      const struct id *record_id,
                                      struct records_retired *ret_retired,
                                      struct error *err);

/* -- reading ----------------------------------------------------------------------------------- */

/* By whole id, or by a prefix of at least 6 digits that only one record has. */
MUST_CHECK enum status records_find(struct feed_context *feed,
                                    const char *prefix,
                                    struct record_row *ret_row,
                                    struct error *err);
/* version 0: the latest. */
MUST_CHECK enum status records_show(struct feed_context *feed,
                                    const struct id *record_id,
                                    uint32_t version,
                                    records_visit visit,
                                    void *context,
                                    struct error *err);
/* Latest versions, in order of creation. */
MUST_CHECK enum status records_list(struct feed_context *feed,
                                    const struct records_selector *selector,
                                    records_visit visit,
                                    void *context,
                                    struct error *err);
/* SDMX-CSV 2.0 of one release (version 0: the latest). */
MUST_CHECK enum status records_export(struct feed_context *feed,
                                      const struct id *record_id,
                                      uint32_t version,
                                      struct buf *append_to,
                                      struct error *err);
/* Fills in a view from canonical bytes (of anybody's record): kind, title and what follows. */
MUST_CHECK enum status records_describe(int kind,
                                        struct span canonical,
                                        struct records_view *ret_view,
                                        struct error *err);

#endif
