/* Tables journal and alarm: every administrative action, and what an operator must look at. */
#ifndef COMITY_STORE_JOURNAL_ROWS_H
#define COMITY_STORE_JOURNAL_ROWS_H

#include "store/feed_rows.h"

enum { JOURNAL_LEAF_MAX = 4096, ALARM_KIND_MAX = 32, ALARM_TEXT_MAX = 300 };

/* The journal's head, like a feed's; subtrees are in subtree_rows with feed_id 0. */
struct journal_head {
    char origin[FEED_ORIGIN_MAX + 1];
    uint64_t epoch; /* 0: no journal was opened yet */
    uint64_t size;
    struct digest root;
    size_t frontier_size;
    uint8_t frontier[FEED_FRONTIER_MAX];
    bool rolled_back; /* heads.h; set false through journal_rows_set_head with a new epoch */
};
MUST_CHECK enum status journal_rows_head(struct store *store,
                                         struct journal_head *ret_head,
                                         struct error *err);
MUST_CHECK enum status journal_rows_set_head(struct store *store,
                                             const struct journal_head *head,
                                             struct error *err);
/* A new epoch begins at index 0 and its leaves replace nothing: key is (epoch, index). */
MUST_CHECK enum status journal_rows_append(
    struct store *store, uint64_t epoch, uint64_t index, struct span leaf, struct error *err);
/* Appends the leaf to *ret_leaf. */
MUST_CHECK enum status journal_rows_get(
    struct store *store, uint64_t epoch, uint64_t index, struct buf *ret_leaf, struct error *err);

struct alarm_row {
    int64_t alarm_id;
    char kind[ALARM_KIND_MAX + 1]; /* "clone", "fork", "rolled_back", ... */
    struct code peer;              /* empty: about ourselves */
    char text[ALARM_TEXT_MAX + 1];
    int64_t opened_ms, last_ms, closed_ms; /* closed 0: open */
    uint32_t times;
    uint32_t closed_by; /* uid */
};
/* An open alarm with the same kind and peer is counted up and gets the new text; otherwise one is
 * opened. */
MUST_CHECK enum status alarm_rows_raise(struct store *store,
                                        const char *kind,
                                        const struct code *peer, /* NULL: ourselves */
                                        const char *text,
                                        int64_t *ret_alarm_id,
                                        struct error *err);
MUST_CHECK enum status alarm_rows_close(struct store *store,
                                        int64_t alarm_id,
                                        uint32_t uid,
                                        struct error *err);
MUST_CHECK enum status alarm_rows_list(struct store *store,
                                       bool open_only,
                                       int64_t after,
                                       struct alarm_row *ret_rows,
                                       size_t max,
                                       size_t *ret_count,
                                       struct error *err);

#endif
