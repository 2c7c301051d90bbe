#include "store/card_rows.h"

#include "store/inside.h"

enum status card_rows_add_former(struct store *store,
                                 const struct former_card *row,
                                 struct span card,
                                 struct error *err)
{
    struct query q = query_start(store, STATEMENT_FORMER_CARD_ADD);
    query_put_int(&q, row->peer_id);
    query_put_int(&q, row->time_ms);
    query_put_blob(&q, SPAN_ARRAY(row->log_key.bytes));
    query_put_blob(&q, SPAN_ARRAY(row->receipt_key.bytes));
    query_put_int(&q, row->in_feed_id);
    query_put_uint(&q, row->in_size);
    query_put_int(&q, row->out_feed_id);
    query_put_uint(&q, row->out_size);
    query_put_blob(&q, card);
    return query_run(&q, err);
}

static enum status list(struct store *store,
                        enum statement_id statement,
                        int64_t peer_id,
                        struct former_card *ret_rows,
                        size_t max,
                        size_t *ret_count,
                        struct error *err)
{
    size_t count = 0;
    struct query q = query_start(store, statement);
    query_put_int(&q, peer_id);
    query_put_uint(&q, max);
    while (count < max && query_row(&q)) {
        struct former_card *row = &ret_rows[count++];
        row->former_id = query_int(&q);
        row->peer_id = peer_id;
        row->time_ms = query_int(&q);
        query_bytes(&q, row->log_key.bytes, sizeof(row->log_key.bytes));
        query_bytes(&q, row->receipt_key.bytes, sizeof(row->receipt_key.bytes));
        row->in_feed_id = query_int(&q);
        row->in_size = query_uint(&q);
        row->out_feed_id = query_int(&q);
        row->out_size = query_uint(&q);
    }
    enum status status = query_end(&q, err);
    if (status == OK)
        *ret_count = count;
    return status;
}

enum status card_rows_list_former(struct store *store,
                                  int64_t peer_id,
                                  struct former_card *ret_rows,
                                  size_t max,
                                  size_t *ret_count,
                                  struct error *err)
{
    return list(store, STATEMENT_FORMER_CARD_LIST, peer_id, ret_rows, max, ret_count, err);
}

enum status card_rows_list_keys(struct store *store,
                                int64_t peer_id,
                                struct former_card *ret_rows,
                                size_t max,
                                size_t *ret_count,
                                struct error *err)
{
    return list(store, STATEMENT_FORMER_CARD_KEYS, peer_id, ret_rows, max, ret_count, err);
}

enum status card_rows_receipt_key_since(struct store *store,
                                        const struct public_key *receipt_key,
                                        int64_t *ret_ms,
                                        struct error *err)
{
    struct query q = query_start(store, STATEMENT_FORMER_CARD_SINCE);
    query_put_blob(&q, SPAN_ARRAY(receipt_key->bytes));
    return query_number(&q, 0, ret_ms, err); /* NULL, none, reads as 0 */
}

enum status card_rows_read_former(struct store *store,
                                  int64_t former_id,
                                  struct buf *ret_card,
                                  struct error *err)
{
    struct query q = query_start(store, STATEMENT_FORMER_CARD_READ);
    query_put_int(&q, former_id);
    buf_clear(ret_card);
    return query_append(&q, ret_card, "former card", err);
}

enum status card_rows_get_given(struct store *store,
                                int64_t peer_id,
                                struct card_given *ret_given,
                                struct error *err)
{
    struct card_given given = { .peer_id = peer_id };
    struct query q = query_start(store, STATEMENT_CARD_GIVEN_GET);
    query_put_int(&q, peer_id);
    bool found = query_row(&q);
    if (found) {
        given.digest = query_digest(&q);
        given.feed_id = query_int(&q);
        given.index = query_uint(&q);
    }
    enum status status = query_found(&q, found, "card given to this peer", err);
    if (status == OK)
        *ret_given = given;
    return status;
}

enum status card_rows_put_given(struct store *store,
                                const struct card_given *given,
                                struct error *err)
{
    struct query q = query_start(store, STATEMENT_CARD_GIVEN_PUT);
    query_put_int(&q, given->peer_id);
    query_put_digest(&q, &given->digest);
    query_put_int(&q, given->feed_id);
    query_put_uint(&q, given->index);
    return query_run(&q, err);
}
