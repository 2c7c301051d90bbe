#include "store/feed_rows.h"

#include "store/inside.h"

#include <string.h>

enum { SIZE_BITS = 40 };

static void read_row(struct query *q, void *ret_row)
{
    struct feed_row *row = ret_row;
    row->feed_id = query_int(q);
    row->peer_id = query_int(q);
    row->direction = (enum feed_direction)query_u8(q);
    row->state = (enum feed_state)query_u8(q);
    query_text(q, row->origin, sizeof(row->origin));
    row->epoch = query_uint(q);
    row->size = query_uint(q);
    row->root = query_digest(q);
    struct span frontier = query_blob(q);
    if (frontier.size > sizeof(row->frontier)) {
        q->malformed = true;
        frontier.size = 0;
    }
    row->frontier_size = frontier.size;
    if (frontier.size > 0)
        memcpy(row->frontier, frontier.data, frontier.size);
    row->receipt_size = query_uint(q);
    row->receipt_ms = query_int(q);
    row->healed_size = query_uint(q);
    row->rolled_back = query_bool(q);
    row->opened_ms = query_int(q);
    uint64_t after = query_uint(q);
    row->receipt_after = (struct feed_place){ (int64_t)(after >> SIZE_BITS),
                                              after & (((uint64_t)1 << SIZE_BITS) - 1) };
}

enum status feed_rows_add(struct store *store,
                          const struct feed_row *row,
                          int64_t *ret_feed_id,
                          struct error *err)
{
    struct query q = query_start(store, STATEMENT_FEED_ADD);
    query_put_int(&q, row->peer_id);
    query_put_int(&q, row->direction);
    query_put_int(&q, row->state);
    query_put_text(&q, row->origin);
    query_put_uint(&q, row->epoch);
    query_put_uint(&q, row->size);
    query_put_digest(&q, &row->root);
    query_put_blob(&q, span_of(row->frontier, row->frontier_size));
    query_put_uint(&q, row->receipt_size);
    query_put_int(&q, row->receipt_ms);
    query_put_uint(&q, row->healed_size);
    query_put_int(&q, row->rolled_back);
    query_put_int(&q, row->opened_ms);
    enum status status = query_run(&q, err);
    if (status == ERR_EXISTS)
        return error_set(err, ERR_EXISTS, "feed %s is known already, or another one is active",
                         row->origin);
    if (status == OK) {
        int64_t feed_id = sqlite3_last_insert_rowid(store->db);
        status = heads_mark(store, feed_id, err);
        if (status == OK)
            *ret_feed_id = feed_id;
    }
    return status;
}

static enum status get(struct query *q, struct feed_row *ret_row, struct error *err)
{
    struct feed_row row;
    bool found = query_row(q);
    if (found)
        read_row(q, &row);
    enum status status = query_found(q, found, "feed", err);
    if (status == OK)
        *ret_row = row;
    return status;
}

enum status feed_rows_get(struct store *store,
                          int64_t feed_id,
                          struct feed_row *ret_row,
                          struct error *err)
{
    struct query q = query_start(store, STATEMENT_FEED_GET);
    query_put_int(&q, feed_id);
    return get(&q, ret_row, err);
}

enum status feed_rows_active(struct store *store,
                             int64_t peer_id,
                             enum feed_direction direction,
                             struct feed_row *ret_row,
                             struct error *err)
{
    struct query q = query_start(store, STATEMENT_FEED_ACTIVE);
    query_put_int(&q, peer_id);
    query_put_int(&q, direction);
    return get(&q, ret_row, err);
}

enum status feed_rows_latest(struct store *store,
                             int64_t peer_id,
                             enum feed_direction direction,
                             struct feed_row *ret_row,
                             struct error *err)
{
    struct query q = query_start(store, STATEMENT_FEED_LATEST);
    query_put_int(&q, peer_id);
    query_put_int(&q, direction);
    return get(&q, ret_row, err);
}

enum status feed_rows_by_origin(struct store *store,
                                struct span origin,
                                struct feed_row *ret_row,
                                struct error *err)
{
    struct query q = query_start(store, STATEMENT_FEED_BY_ORIGIN);
    query_put_blob(&q, origin);
    return get(&q, ret_row, err);
}

enum status feed_rows_list(struct store *store,
                           int64_t after,
                           struct feed_row *ret_rows,
                           size_t max,
                           size_t *ret_count,
                           struct error *err)
{
    struct query q = query_start(store, STATEMENT_FEED_LIST);
    query_put_int(&q, after);
    query_put_uint(&q, max);
    return query_rows(&q, read_row, QUERY_INTO(ret_rows, max), ret_count, err);
}

enum status feed_rows_set_head(struct store *store, const struct feed_row *row, struct error *err)
{
    struct query q = query_start(store, STATEMENT_FEED_SET_HEAD);
    query_put_uint(&q, row->size);
    query_put_digest(&q, &row->root);
    query_put_blob(&q, span_of(row->frontier, row->frontier_size));
    query_put_int(&q, row->feed_id);
    enum status status = query_run_one(&q, "feed", err);
    return status == OK ? heads_mark(store, row->feed_id, err) : status;
}

enum status feed_rows_set_state(struct store *store, const struct feed_row *row, struct error *err)
{
    struct query q = query_start(store, STATEMENT_FEED_SET_STATE);
    query_put_int(&q, row->state);
    query_put_uint(&q, row->healed_size);
    query_put_int(&q, row->rolled_back);
    query_put_int(&q, row->feed_id);
    return query_run_one(&q, "feed", err);
}

static enum status check_note(struct span note, struct error *err)
{
    if (note.size > NOTE_MAX)
        return error_set(err, ERR_LIMIT, "note of %zu bytes > %d", note.size, NOTE_MAX);
    return OK;
}

static enum status receipt_went_back(uint64_t size, struct error *err)
{
    return error_set(err, ERR_CONFLICT,
                     "receipt for size %llu: a later one is stored, or the feed is unknown",
                     (unsigned long long)size);
}

enum status feed_rows_set_received(struct store *store,
                                   const struct feed_row *row,
                                   struct span note,
                                   bool receipted,
                                   struct error *err)
{
    enum status status = check_note(note, err);
    if (status != OK)
        return status;
    struct query q = query_start(store, STATEMENT_FEED_SET_RECEIVED);
    query_put_int(&q, row->feed_id);
    query_put_uint(&q, row->size);
    query_put_digest(&q, &row->root);
    query_put_blob(&q, span_of(row->frontier, row->frontier_size));
    query_put_blob(&q, note);
    query_put_uint(&q, row->receipt_size);
    query_put_int(&q, row->receipt_ms);
    query_put_int(&q, receipted);
    status = query_run_one(&q, "feed", err);
    if (status == ERR_NOT_FOUND)
        return receipt_went_back(row->receipt_size, err);
    return status == OK ? heads_mark(store, row->feed_id, err) : status;
}

enum status feed_rows_get_note(struct store *store,
                               int64_t feed_id,
                               enum feed_note which,
                               struct buf *ret_note,
                               struct error *err)
{
    struct query q = query_start(store, which == FEED_NOTE_RECEIPT ? STATEMENT_FEED_GET_RECEIPT
                                                                   : STATEMENT_FEED_GET_CHECKPOINT);
    query_put_int(&q, feed_id);
    buf_clear(ret_note);
    return query_append(&q, ret_note, NULL, err);
}

static enum status set_receipt(struct store *store,
                               int64_t feed_id,
                               uint64_t size,
                               int64_t time_ms,
                               struct span note,
                               struct error *err)
{
    enum status status = check_note(note, err);
    if (status != OK)
        return status;
    struct query q = query_start(store, STATEMENT_FEED_SET_RECEIPT);
    query_put_uint(&q, size);
    query_put_int(&q, time_ms);
    query_put_blob(&q, note);
    query_put_int(&q, feed_id);
    status = query_run_one(&q, "feed", err);
    return status == ERR_NOT_FOUND ? receipt_went_back(size, err) : status;
}

enum status feed_rows_add_receipt(struct store *store,
                                  int64_t feed_id,
                                  uint64_t size,
                                  int64_t time_ms,
                                  struct span note,
                                  struct error *err)
{
    enum status status = set_receipt(store, feed_id, size, time_ms, note, err);
    if (status != OK)
        return status;
    struct query q = query_start(store, STATEMENT_FEED_RECEIPT_ADD);
    query_put_int(&q, feed_id);
    query_put_uint(&q, size);
    query_put_int(&q, time_ms);
    return query_run(&q, err);
}

enum status subtree_rows_put(struct store *store,
                             int64_t feed_id,
                             uint8_t level,
                             uint64_t index,
                             const struct digest *hash,
                             struct error *err)
{
    struct query q = query_start(store, STATEMENT_SUBTREE_PUT);
    query_put_int(&q, feed_id);
    query_put_int(&q, level);
    query_put_uint(&q, index);
    query_put_digest(&q, hash);
    return query_run(&q, err);
}

enum status subtree_rows_get(struct store *store,
                             int64_t feed_id,
                             uint8_t level,
                             uint64_t index,
                             struct digest *ret_hash,
                             struct error *err)
{
    struct digest hash = { { 0 } };
    struct query q = query_start(store, STATEMENT_SUBTREE_GET);
    query_put_int(&q, feed_id);
    query_put_int(&q, level);
    query_put_uint(&q, index);
    bool found = query_row(&q);
    if (found)
        hash = query_digest(&q);
    enum status status = query_found(&q, found, "subtree", err);
    if (status == OK)
        *ret_hash = hash;
    return status;
}
