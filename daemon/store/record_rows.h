/* Tables record and record_version: the node's own records, sealed, each version with its key.
 *
 * No plain text is in any column: titles, too, are read by unsealing.
 */
#ifndef COMITY_STORE_RECORD_ROWS_H
#define COMITY_STORE_RECORD_ROWS_H

#include "store/store.h"

enum record_row_kind { RECORD_ROW_EXCERPT = 1, RECORD_ROW_RELEASE = 2 };
enum record_row_state {
    RECORD_ROW_CURRENT = 1,
    RECORD_ROW_RETIRED = 2, /* no new consent may name it; what was given stays provable */
    RECORD_ROW_ERASED = 3   /* versions only: its key was destroyed */
};

struct record_row {
    struct id record_id;
    enum record_row_kind kind;
    enum record_row_state state;
    uint32_t version; /* the latest, from 1 */
    int64_t created_ms;
    uint32_t created_by; /* uid */
    /* Of a release: a keyed hash of its identity (release_identity), made by feed, so that the next
     * vintage finds its record; zeros: none.  Set by the first version, kept by later ones. */
    struct digest identity;
};

struct record_version_row {
    struct id record_id;
    uint32_t version;
    enum record_row_state state;
    uint64_t key_slot;
    uint64_t size; /* of the canonical bytes */
    int64_t created_ms;
    uint32_t created_by;
};

/* Version 1 of a new record, or (same id) the next version of a known one. */
MUST_CHECK enum status record_rows_add(struct store *store,
                                       const struct record_row *row, /* kind, id, created_... */
                                       struct span canonical,
                                       uint32_t *ret_version,
                                       struct error *err);
/* The largest id; ERR_NOT_FOUND: there are no records. */
MUST_CHECK enum status record_rows_last(struct store *store,
                                        struct id *ret_record_id,
                                        struct error *err);
MUST_CHECK enum status record_rows_get(struct store *store,
                                       const struct id *record_id,
                                       struct record_row *ret_row,
                                       struct error *err);
/* The one record whose id begins with these hex digits (id.h): ERR_NOT_FOUND, ERR_CONFLICT (more
 * than one). */
MUST_CHECK enum status record_rows_find(struct store *store,
                                        const char *prefix,
                                        struct record_row *ret_row,
                                        struct error *err);
/* In the order of ids, which is that of creation.  kind 0: both; after NULL starts. */
MUST_CHECK enum status record_rows_list(struct store *store,
                                        int kind,
                                        const struct id *after,
                                        struct record_row *ret_rows,
                                        size_t max,
                                        size_t *ret_count,
                                        struct error *err);
MUST_CHECK enum status record_rows_version(struct store *store,
                                           const struct id *record_id,
                                           uint32_t version,
                                           struct record_version_row *ret_row,
                                           struct error *err);
/* The slot of its key; without a query for the version that record_rows_open opened last. */
MUST_CHECK enum status record_rows_slot(struct store *store,
                                        const struct id *record_id,
                                        uint32_t version,
                                        uint64_t *ret_slot,
                                        struct error *err);
/* Appends the canonical bytes to *ret_canonical.  ERR_ERASED after erasing. */
MUST_CHECK enum status record_rows_open(struct store *store,
                                        const struct id *record_id,
                                        uint32_t version,
                                        struct buf *ret_canonical,
                                        struct error *err);
/* The current (not retired) record with this identity, which is not zeros; ERR_NOT_FOUND. */
MUST_CHECK enum status record_rows_by_identity(struct store *store,
                                               const struct digest *identity,
                                               struct record_row *ret_row,
                                               struct error *err);
MUST_CHECK enum status record_rows_retire(struct store *store,
                                          const struct id *record_id,
                                          struct error *err);
/* Sealed bytes gone, state erased; for use inside keys_erase. */
MUST_CHECK enum status record_rows_mark_erased(struct store *store,
                                               const struct id *record_id,
                                               uint32_t version,
                                               struct error *err);

#endif
