#include "store/terms_rows.h"

#include "store/inside.h"

static void read_row(struct query *q, void *ret_row)
{
    struct terms_row *row = ret_row;
    row->peer_id = query_int(q);
    row->consent_id = query_id(q);
    row->state = query_u8(q);
    row->feed_id = query_int(q);
    row->index = query_uint(q);
    row->supersedes = query_id(q);
    row->valid_from_ms = query_int(q);
    row->valid_until_ms = query_int(q);
    row->keep_until_ms = query_int(q);
    row->erase_days = query_u32(q);
    row->received_ms = query_int(q);
    row->by_clock = query_bool(q);
}

enum status terms_rows_put(struct store *store, const struct terms_row *row, struct error *err)
{
    struct query q = query_start(store, STATEMENT_TERMS_PUT);
    query_put_int(&q, row->peer_id);
    query_put_id(&q, &row->consent_id);
    query_put_uint(&q, row->state);
    query_put_int(&q, row->feed_id);
    query_put_uint(&q, row->index);
    query_put_id(&q, &row->supersedes);
    query_put_int(&q, row->valid_from_ms);
    query_put_int(&q, row->valid_until_ms);
    query_put_int(&q, row->keep_until_ms);
    query_put_uint(&q, row->erase_days);
    query_put_int(&q, row->received_ms);
    query_put_int(&q, row->by_clock);
    return query_run(&q, err);
}

enum status terms_rows_get(struct store *store,
                           int64_t peer_id,
                           const struct id *consent_id,
                           struct terms_row *ret_row,
                           struct error *err)
{
    struct terms_row row;
    struct query q = query_start(store, STATEMENT_TERMS_GET);
    query_put_int(&q, peer_id);
    query_put_id(&q, consent_id);
    bool found = query_row(&q);
    if (found)
        read_row(&q, &row);
    enum status status = query_found(&q, found, "consent of that peer", err);
    if (status == OK)
        *ret_row = row;
    return status;
}

enum status terms_rows_list(struct store *store,
                            int64_t peer_id,
                            const struct terms_row *after,
                            struct terms_row *ret_rows,
                            size_t max,
                            size_t *ret_count,
                            struct error *err)
{
    struct query q = query_start(store, STATEMENT_TERMS_LIST);
    query_put_int(&q, peer_id);
    query_put_int(&q, after == NULL ? 0 : after->peer_id);
    query_put_id(&q, after == NULL ? &ID_NONE : &after->consent_id);
    query_put_uint(&q, max);
    return query_rows(&q, read_row, QUERY_INTO(ret_rows, max), ret_count, err);
}

enum status terms_rows_expiring(struct store *store,
                                uint8_t state,
                                int64_t until_ms,
                                struct terms_row *ret_rows,
                                size_t max,
                                size_t *ret_count,
                                struct error *err)
{
    struct query q = query_start(store, STATEMENT_TERMS_EXPIRING);
    query_put_uint(&q, state);
    query_put_int(&q, until_ms);
    query_put_uint(&q, max);
    return query_rows(&q, read_row, QUERY_INTO(ret_rows, max), ret_count, err);
}

enum status terms_rows_early(struct store *store,
                             uint8_t state,
                             int64_t now_ms,
                             struct terms_row *ret_rows,
                             size_t max,
                             size_t *ret_count,
                             struct error *err)
{
    struct query q = query_start(store, STATEMENT_TERMS_EARLY);
    query_put_uint(&q, state);
    query_put_int(&q, now_ms);
    query_put_uint(&q, max);
    return query_rows(&q, read_row, QUERY_INTO(ret_rows, max), ret_count, err);
}

enum status terms_rows_next_expiry(struct store *store,
                                   uint8_t state,
                                   int64_t *ret_ms,
                                   struct error *err)
{
    struct query q = query_start(store, STATEMENT_TERMS_NEXT_EXPIRY);
    query_put_uint(&q, state);
    return query_number(&q, INT64_MAX, ret_ms, err);
}
