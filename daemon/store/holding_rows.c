#include "store/holding_rows.h"

#include "base/limits.h"
#include "store/inside.h"

enum { INDEX_BITS = 40 };

static int64_t holding_id(int64_t feed_id, uint64_t index)
{
    return (int64_t)((uint64_t)feed_id << INDEX_BITS | index);
}

static void read_row(struct query *q, void *ret_row)
{
    struct holding_row *row = ret_row;
    uint64_t id = query_uint(q);
    row->feed_id = (int64_t)(id >> INDEX_BITS);
    row->index = id & (FEED_ENTRIES_MAX - 1);
    row->peer_id = query_int(q);
    row->subject_id = query_id(q);
    row->consent_id = query_id(q);
    row->entry_id = query_id(q);
    row->kind = (uint16_t)query_u32(q);
    row->version = query_u32(q);
    row->form = query_u8(q);
    row->body_format = query_u8(q);
    row->state = (enum holding_state)query_u8(q);
    row->reasons = query_u32(q);
    row->withdrawn_entry = query_id(q);
    row->received_ms = query_int(q);
    row->keep_until_ms = query_int(q);
    row->erased_ms = query_int(q);
}

/* What is held under a consent, and what ends first, is found by blocks of numbers. */
static enum status note_block(struct store *store, const struct holding_row *row, struct error *err)
{
    struct store_block *noted = &store->holding_block;
    const struct store_block block = {
        .consent_id = row->consent_id,
        .block = holding_id(row->feed_id, row->index) >> STORE_BLOCK_BITS,
        .keep_until_ms = row->state == HOLDING_ACTIVE ? row->keep_until_ms : INT64_MAX,
    };
    if (noted->block == block.block && id_equal(&noted->consent_id, &block.consent_id) &&
        noted->keep_until_ms <= block.keep_until_ms)
        return OK;
    struct query q = query_start(store, STATEMENT_HOLDING_BLOCK_PUT);
    query_put_int(&q, row->peer_id);
    query_put_id(&q, &row->consent_id);
    query_put_int(&q, block.block);
    query_put_int(&q, block.keep_until_ms);
    enum status status = query_run(&q, err);
    if (status == OK)
        *noted = block;
    return status;
}

enum status holding_rows_add(struct store *store, const struct holding_row *row, struct error *err)
{
    struct query q = query_start(store, STATEMENT_HOLDING_ADD);
    query_put_int(&q, holding_id(row->feed_id, row->index));
    query_put_int(&q, row->peer_id);
    query_put_id(&q, &row->subject_id);
    query_put_id(&q, &row->consent_id);
    query_put_id(&q, &row->entry_id);
    query_put_uint(&q, row->kind);
    query_put_uint(&q, row->version);
    query_put_uint(&q, row->form);
    query_put_uint(&q, row->body_format);
    query_put_int(&q, row->state);
    query_put_uint(&q, row->reasons);
    query_put_id(&q, &row->withdrawn_entry);
    query_put_int(&q, row->received_ms);
    query_put_int(&q, row->keep_until_ms);
    query_put_int(&q, row->erased_ms);
    enum status status = query_run(&q, err);
    return status == OK ? note_block(store, row, err) : status;
}

enum status holding_rows_update(struct store *store,
                                const struct holding_row *row,
                                struct error *err)
{
    struct query q = query_start(store, STATEMENT_HOLDING_UPDATE);
    query_put_int(&q, holding_id(row->feed_id, row->index));
    query_put_id(&q, &row->consent_id);
    query_put_int(&q, row->state);
    query_put_uint(&q, row->reasons);
    query_put_id(&q, &row->withdrawn_entry);
    query_put_int(&q, row->keep_until_ms);
    query_put_int(&q, row->erased_ms);
    enum status status = query_run_one(&q, "holding", err);
    return status == OK ? note_block(store, row, err) : status;
}

enum status holding_rows_get(struct store *store,
                             int64_t feed_id,
                             uint64_t index,
                             struct holding_row *ret_row,
                             struct error *err)
{
    struct holding_row row;
    struct query q = query_start(store, STATEMENT_HOLDING_GET);
    query_put_int(&q, holding_id(feed_id, index));
    bool found = query_row(&q);
    if (found)
        read_row(&q, &row);
    enum status status = query_found(&q, found, "holding", err);
    if (status == OK)
        *ret_row = row;
    return status;
}

enum status holding_rows_has_subject(struct store *store,
                                     int64_t peer_id,
                                     const struct id *subject_id,
                                     bool *ret_has,
                                     struct error *err)
{
    struct query q = query_start(store, STATEMENT_HOLDING_HAS_SUBJECT);
    query_put_int(&q, peer_id);
    query_put_id(&q, subject_id);
    bool has = query_row(&q);
    enum status status = query_end(&q, err);
    if (status == OK)
        *ret_has = has;
    return status;
}

enum status holding_rows_list(struct store *store,
                              const struct holding_filter *filter,
                              struct holding_place *place,
                              struct holding_row *ret_rows,
                              size_t max,
                              size_t *ret_count,
                              struct error *err)
{
    bool subject = !id_is_none(&filter->subject_id);
    bool consent = !id_is_none(&filter->consent_id);
    if ((subject || consent) && filter->peer_id == 0)
        return error_set(err, ERR_INTERNAL, "holdings: ids of a feed are asked for without a peer");
    enum statement_id statement = STATEMENT_HOLDING_LIST;
    if (subject)
        statement = STATEMENT_HOLDING_OF_SUBJECT;
    else if (consent)
        statement = STATEMENT_HOLDING_OF_CONSENT;
    struct query q = query_start(store, statement);
    query_put_int(&q, filter->peer_id);
    query_put_id_or_null(&q, &filter->subject_id);
    query_put_id_or_null(&q, &filter->consent_id);
    query_put_int(&q, filter->state);
    query_put_uint(&q, filter->any_reason);
    query_put_int(&q, holding_id(place->feed_id, place->next_index));
    query_put_uint(&q, max);
    size_t count = 0;
    enum status status = query_rows(&q, read_row, QUERY_INTO(ret_rows, max), &count, err);
    if (status != OK)
        return status;
    *ret_count = count;
    if (count > 0)
        *place =
            (struct holding_place){ ret_rows[count - 1].feed_id, ret_rows[count - 1].index + 1 };
    return OK;
}

enum status holding_rows_range(struct store *store,
                               struct holding_range *range,
                               struct holding_row *ret_rows,
                               size_t max,
                               size_t *ret_count,
                               struct error *err)
{
    struct query q = query_start(store, STATEMENT_HOLDING_RANGE);
    query_put_int(&q, range->peer_id);
    query_put_id(&q, &range->first);
    query_put_int(&q, range->after);
    query_put_id(&q, &range->last);
    query_put_uint(&q, max);
    size_t count = 0;
    enum status status = query_rows(&q, read_row, QUERY_INTO(ret_rows, max), &count, err);
    if (status != OK)
        return status;
    *ret_count = count;
    if (count > 0) {
        range->first = ret_rows[count - 1].subject_id;
        range->after = holding_id(ret_rows[count - 1].feed_id, ret_rows[count - 1].index);
    }
    return OK;
}

enum status holding_rows_to_erase(struct store *store,
                                  uint32_t reasons,
                                  struct holding_row *ret_rows,
                                  size_t max,
                                  size_t *ret_count,
                                  struct error *err)
{
    struct query q = query_start(store, STATEMENT_HOLDING_TO_ERASE);
    query_put_uint(&q, reasons);
    query_put_uint(&q, max);
    return query_rows(&q, read_row, QUERY_INTO(ret_rows, max), ret_count, err);
}

enum status holding_rows_expiring(struct store *store,
                                  int64_t until_ms,
                                  struct holding_row *ret_rows,
                                  size_t max,
                                  size_t *ret_count,
                                  struct error *err)
{
    struct query q = query_start(store, STATEMENT_HOLDING_EXPIRING);
    query_put_int(&q, until_ms);
    query_put_uint(&q, max);
    return query_rows(&q, read_row, QUERY_INTO(ret_rows, max), ret_count, err);
}

static_assert(HOLDING_KEEP_UNTIL == 8, "as the statement and its index say");

enum status holding_rows_early(struct store *store,
                               int64_t now_ms,
                               struct holding_row *ret_rows,
                               size_t max,
                               size_t *ret_count,
                               struct error *err)
{
    struct query q = query_start(store, STATEMENT_HOLDING_EARLY);
    query_put_int(&q, now_ms);
    query_put_uint(&q, max);
    return query_rows(&q, read_row, QUERY_INTO(ret_rows, max), ret_count, err);
}

enum status holding_rows_settle(struct store *store, int64_t until_ms, struct error *err)
{
    struct query q = query_start(store, STATEMENT_HOLDING_BLOCK_SETTLE);
    query_put_int(&q, until_ms);
    store->holding_block.block = 0; /* what was noted last may be another end now */
    return query_run(&q, err);
}

enum status holding_rows_next_expiry(struct store *store, int64_t *ret_ms, struct error *err)
{
    struct query q = query_start(store, STATEMENT_HOLDING_NEXT_EXPIRY);
    return query_number(&q, INT64_MAX, ret_ms, err);
}

static enum status change_peer(struct store *store,
                               enum statement_id statement,
                               int64_t peer_id,
                               enum holding_reason reason,
                               struct error *err)
{
    struct query q = query_start(store, statement);
    query_put_int(&q, peer_id);
    query_put_int(&q, reason);
    return query_run(&q, err);
}

enum status holding_rows_lock_peer(struct store *store,
                                   int64_t peer_id,
                                   enum holding_reason reason,
                                   struct error *err)
{
    return change_peer(store, STATEMENT_HOLDING_LOCK_PEER, peer_id, reason, err);
}

enum status holding_rows_unlock_peer(struct store *store,
                                     int64_t peer_id,
                                     enum holding_reason reason,
                                     struct error *err)
{
    enum status status = change_peer(store, STATEMENT_HOLDING_UNLOCK_PEER, peer_id, reason, err);
    if (status != OK)
        return status;
    struct query q = query_start(store, STATEMENT_HOLDING_BLOCK_PEER);
    query_put_int(&q, peer_id);
    store->holding_block.block = 0;
    return query_run(&q, err);
}
