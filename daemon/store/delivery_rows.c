#include "store/delivery_rows.h"

#include "store/inside.h"

/* As entries and holdings are numbered: appends go to one place of one b-tree. */
static int64_t place_of(int64_t feed_id, uint64_t index)
{
    return (int64_t)((uint64_t)feed_id << 40 | index);
}

static void read_row(struct query *q, void *ret_row)
{
    struct delivery_row *row = ret_row;
    row->delivery_id = query_int(q);
    row->peer_id = query_int(q);
    row->record_id = query_id(q);
    row->consent_id = query_id(q);
    row->version = query_u32(q);
    row->form = query_u8(q);
    row->feed_id = query_int(q);
    row->index = query_uint(q);
    row->queued_ms = query_int(q);
    row->numbered_ms = query_int(q);
    row->withdrawn_ms = query_int(q);
    row->erased_ms = query_int(q);
    row->receipted_ms = query_int(q); /* NULL, no receipt yet, reads as 0 */
}

/* What is given under a consent is found by the blocks of numbers in which there is any. */
static enum status note_block(struct store *store,
                              const struct id *consent_id,
                              int64_t block,
                              struct error *err)
{
    struct store_block *noted = &store->delivery_block;
    if (noted->block == block && id_equal(&noted->consent_id, consent_id))
        return OK;
    struct query q = query_start(store, STATEMENT_DELIVERY_BLOCK_PUT);
    query_put_id(&q, consent_id);
    query_put_int(&q, block);
    enum status status = query_run(&q, err);
    if (status == OK)
        *noted = (struct store_block){ .consent_id = *consent_id, .block = block };
    return status;
}

enum status delivery_rows_add(struct store *store,
                              const struct delivery_row *row,
                              int64_t *ret_delivery_id,
                              struct error *err)
{
    int64_t delivery_id = place_of(row->feed_id, row->index);
    struct query q = query_start(store, STATEMENT_DELIVERY_ADD);
    query_put_int(&q, delivery_id);
    query_put_int(&q, row->peer_id);
    query_put_id(&q, &row->record_id);
    query_put_id(&q, &row->consent_id);
    query_put_uint(&q, row->version);
    query_put_uint(&q, row->form);
    query_put_int(&q, row->feed_id);
    query_put_uint(&q, row->index);
    query_put_int(&q, row->queued_ms);
    query_put_int(&q, row->numbered_ms);
    query_put_int(&q, row->withdrawn_ms);
    query_put_int(&q, row->erased_ms);
    enum status status = query_run(&q, err);
    if (status == OK)
        status = note_block(store, &row->consent_id, delivery_id >> STORE_BLOCK_BITS, err);
    if (status == OK)
        *ret_delivery_id = delivery_id;
    return status;
}

enum status delivery_rows_list(struct store *store,
                               const struct delivery_filter *filter,
                               int64_t after,
                               struct delivery_row *ret_rows,
                               size_t max,
                               size_t *ret_count,
                               struct error *err)
{
    enum statement_id statement = STATEMENT_DELIVERY_LIST;
    if (!id_is_none(&filter->record_id))
        statement = STATEMENT_DELIVERY_OF_RECORD;
    else if (!id_is_none(&filter->consent_id))
        statement = STATEMENT_DELIVERY_OF_CONSENT;
    struct query q = query_start(store, statement);
    query_put_int(&q, filter->peer_id);
    query_put_id_or_null(&q, &filter->record_id);
    query_put_id_or_null(&q, &filter->consent_id);
    query_put_int(&q, filter->live_only);
    query_put_int(&q, after);
    query_put_uint(&q, max);
    return query_rows(&q, read_row, QUERY_INTO(ret_rows, max), ret_count, err);
}

enum status delivery_rows_by_entry(struct store *store,
                                   int64_t feed_id,
                                   uint64_t index,
                                   struct delivery_row *ret_row,
                                   struct error *err)
{
    struct delivery_row row;
    struct query q = query_start(store, STATEMENT_DELIVERY_BY_ENTRY);
    query_put_int(&q, place_of(feed_id, index));
    bool found = query_row(&q);
    if (found)
        read_row(&q, &row);
    enum status status = query_found(&q, found, "delivery", err);
    if (status == OK)
        *ret_row = row;
    return status;
}

enum status delivery_rows_withdraw(struct store *store,
                                   int64_t delivery_id,
                                   int64_t now_ms,
                                   struct error *err)
{
    struct query q = query_start(store, STATEMENT_DELIVERY_WITHDRAW);
    query_put_int(&q, now_ms);
    query_put_int(&q, delivery_id);
    return query_run(&q, err);
}

enum status delivery_rows_mark_erased(struct store *store,
                                      int64_t peer_id,
                                      const struct id *record_id,
                                      int64_t now_ms,
                                      struct error *err)
{
    struct query q = query_start(store, STATEMENT_DELIVERY_ERASED);
    query_put_int(&q, now_ms);
    query_put_int(&q, peer_id);
    query_put_id(&q, record_id);
    return query_run(&q, err);
}
