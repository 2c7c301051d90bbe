#include "store/recall_rows.h"

#include "store/inside.h"

static void read_row(struct query *q, void *ret_row)
{
    struct recall_row *row = ret_row;
    row->recall_id = query_int(q);
    row->peer_id = query_int(q);
    row->record_id = query_id(q);
    row->consent_id = query_id(q);
    row->withdrawn = query_id(q);
    row->state = (enum recall_state)query_u8(q);
    row->started_ms = query_int(q);
    row->due_ms = query_int(q);
    row->closed_ms = query_int(q);
    row->closed_feed_id = query_int(q);
    row->closed_index = query_uint(q);
}

enum status recall_rows_add(struct store *store,
                            const struct recall_row *row,
                            int64_t *ret_recall_id,
                            struct error *err)
{
    struct query q = query_start(store, STATEMENT_RECALL_ADD);
    query_put_int(&q, row->peer_id);
    query_put_id(&q, &row->record_id);
    query_put_id(&q, &row->consent_id);
    query_put_id(&q, &row->withdrawn);
    query_put_int(&q, row->state);
    query_put_int(&q, row->started_ms);
    query_put_int(&q, row->due_ms);
    query_put_int(&q, row->closed_ms);
    query_put_int(&q, row->closed_feed_id);
    query_put_uint(&q, row->closed_index);
    enum status status = query_run(&q, err);
    if (status == OK)
        *ret_recall_id = sqlite3_last_insert_rowid(store->db);
    return status;
}

enum status recall_rows_update(struct store *store, const struct recall_row *row, struct error *err)
{
    struct query q = query_start(store, STATEMENT_RECALL_UPDATE);
    query_put_int(&q, row->recall_id);
    query_put_id(&q, &row->withdrawn);
    query_put_int(&q, row->state);
    query_put_int(&q, row->closed_ms);
    query_put_int(&q, row->closed_feed_id);
    query_put_uint(&q, row->closed_index);
    return query_run_one(&q, "recall", err);
}

static enum status get(struct query *q, struct recall_row *ret_row, struct error *err)
{
    struct recall_row row;
    bool found = query_row(q);
    if (found)
        read_row(q, &row);
    enum status status = query_found(q, found, "recall", err);
    if (status == OK)
        *ret_row = row;
    return status;
}

enum status recall_rows_open(struct store *store,
                             int64_t peer_id,
                             const struct id *record_id,
                             struct recall_row *ret_row,
                             struct error *err)
{
    struct query q = query_start(store, STATEMENT_RECALL_OPEN);
    query_put_int(&q, peer_id);
    query_put_id(&q, record_id);
    return get(&q, ret_row, err);
}

enum status recall_rows_by_withdrawn(struct store *store,
                                     const struct id *withdrawn,
                                     struct recall_row *ret_row,
                                     struct error *err)
{
    struct query q = query_start(store, STATEMENT_RECALL_BY_WITHDRAWN);
    query_put_id(&q, withdrawn);
    return get(&q, ret_row, err);
}

// NOLINTNEXTLINE(readability-function-size): two filters, and the page
enum status recall_rows_list(struct store *store,
                             bool open_only,
                             int64_t due_ms,
                             int64_t after,
                             struct recall_row *ret_rows,
                             size_t max,
                             size_t *ret_count,
                             struct error *err)
{
    struct query q =
        query_start(store, open_only ? STATEMENT_RECALL_LIST_OPEN : STATEMENT_RECALL_LIST);
    query_put_int(&q, due_ms);
    query_put_int(&q, after);
    query_put_uint(&q, max);
    return query_rows(&q, read_row, QUERY_INTO(ret_rows, max), ret_count, err);
}
