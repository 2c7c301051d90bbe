/* Table entry: the leaves of all feeds, headers in the clear, salts and bodies sealed.
 *
 * The row id is feed id << 40 | index, so appending goes to the end of one b-tree and reading a
 * range is one walk.  Sealing happens here: callers hand over plain salt and body and get them
 * back; keys never leave the store.  Associated data: origin, index, header.
 */
#ifndef COMITY_STORE_ENTRY_ROWS_H
#define COMITY_STORE_ENTRY_ROWS_H

#include "base/batch.h"
#include "store/store.h"

enum entry_flag {
    ENTRY_WITHHELD = 1, /* withdrawn before it arrived: neither salt nor body */
    ENTRY_ERASED = 2    /* its key was destroyed */
};

struct entry_append {
    struct span header;
    struct span salt; /* SALT_SIZE, or empty (inline body, withheld) */
    struct span body; /* padded as committed; empty with `version_of` set or without salt */
    bool withheld;
    struct id group; /* whose keys lie together: the consent, or ID_NONE */
    /* Publisher's copy: the body is header_pad() of this record version's canonical bytes, which
     * are stored once; the salt is sealed with that version's key.  ID_NONE: own body. */
    struct id version_of;
    uint32_t version;
};

/* `index` must be the feed's next one; the caller sets the new head afterwards
 * (feed_rows_set_head). */
MUST_CHECK enum status entry_rows_append(struct store *store,
                                         int64_t feed_id,
                                         uint64_t index,
                                         const struct entry_append *entry,
                                         struct error *err);

struct entry_row {
    int64_t feed_id;
    uint64_t index;
    struct span header; /* lives until the next call on its cursor, or of entry_rows_get */
    struct span sealed; /* the same; empty when withheld, erased or inline */
    uint64_t key_slot;  /* for keys_erase; KEY_SLOT_NONE when it has none of its own */
    uint8_t flags;      /* enum entry_flag */
    struct id version_of;
    uint32_t version;
};

MUST_CHECK enum status entry_rows_get(struct store *store,
                                      int64_t feed_id,
                                      uint64_t index,
                                      struct entry_row *ret_row,
                                      struct error *err);
/* Appends salt and padded body to *ret_salt and *ret_body (both secret); `origin` as when it was
 * appended.  For a publisher's copy, *ret_body gets the canonical bytes, NOT padded, and
 * *ret_canonical is true: the caller pads (header_pad), which the store does not know.
 * ERR_ERASED after erasing; an inline or withheld entry gives nothing and OK. */
MUST_CHECK enum status entry_rows_open(struct store *store,
                                       const struct entry_row *row,
                                       struct buf *ret_salt,
                                       struct buf *ret_body,
                                       bool *ret_canonical,
                                       struct error *err);

/* Walks entries first .. end-1 of one feed.  One cursor at a time; close it before a commit. */
struct entry_cursor {
    struct store *store;
    int64_t feed_id;
    uint64_t next, end;
    bool open;
};
MUST_CHECK enum status entry_rows_walk(struct store *store,
                                       int64_t feed_id,
                                       uint64_t first,
                                       uint64_t end,
                                       struct entry_cursor *ret_cursor,
                                       struct error *err);
/* *ret_found false: none left, and the cursor is closed.  A gap in the numbers is ERR_CORRUPT. */
MUST_CHECK enum status entry_rows_next(struct entry_cursor *cursor,
                                       struct entry_row *ret_row,
                                       bool *ret_found,
                                       struct error *err);
void entry_rows_stop(struct entry_cursor *cursor); /* idempotent */

/* Bodies gone, flag set; for use inside keys_erase. */
MUST_CHECK enum status entry_rows_mark_erased(struct store *store,
                                              int64_t feed_id,
                                              uint64_t index,
                                              struct error *err);
/* A healed old feed: headers only (as withheld), in order. */
MUST_CHECK enum status entry_rows_append_header(
    struct store *store, int64_t feed_id, uint64_t index, struct span header, struct error *err);

#endif
