#include "store/peer_rows.h"

#include "store/inside.h"

const char *peer_state_name(enum peer_state state)
{
    switch (state) {
    case PEER_PENDING:
        return "pending";
    case PEER_ADDED:
        return "added";
    case PEER_ACCEPTED:
        return "accepted";
    case PEER_BLOCKED:
        return "blocked";
    case PEER_FORGOTTEN:
        return "forgotten";
    }
    return "unknown";
}

static void put_row(struct query *q, const struct peer_row *row)
{
    query_put_text(q, row->code.text);
    query_put_text(q, row->realm.text);
    query_put_int(q, row->state);
    query_put_int(q, row->held);
    query_put_digest(q, &row->fingerprint);
    query_put_digest(q, &row->anchor_digest);
    query_put_text(q, row->name);
    query_put_text(q, row->address);
    query_put_blob(q, SPAN_ARRAY(row->log_key.bytes));
    query_put_blob(q, SPAN_ARRAY(row->receipt_key.bytes));
    query_put_blob(q, SPAN_ARRAY(row->boot_id));
    query_put_uint(q, row->recoveries);
    query_put_int(q, row->recovered_ms);
    query_put_uint(q, row->crl_number);
    query_put_int(q, row->crl_expires_ms);
    query_put_uint(q, row->added_by);
    query_put_uint(q, row->accepted_by);
    query_put_int(q, row->added_ms);
    query_put_int(q, row->accepted_ms);
    query_put_int(q, row->contact_ms);
}

static void read_row(struct query *q, void *ret_row)
{
    struct peer_row *row = ret_row;
    row->peer_id = query_int(q);
    query_text(q, row->code.text, sizeof(row->code.text));
    query_text(q, row->realm.text, sizeof(row->realm.text));
    row->state = (enum peer_state)query_u8(q);
    row->held = query_bool(q);
    row->fingerprint = query_digest(q);
    row->anchor_digest = query_digest(q);
    query_text(q, row->name, sizeof(row->name));
    query_text(q, row->address, sizeof(row->address));
    query_bytes(q, row->log_key.bytes, sizeof(row->log_key.bytes));
    query_bytes(q, row->receipt_key.bytes, sizeof(row->receipt_key.bytes));
    query_bytes(q, row->boot_id, sizeof(row->boot_id));
    row->recoveries = query_u32(q);
    row->recovered_ms = query_int(q);
    row->crl_number = query_uint(q);
    row->crl_expires_ms = query_int(q);
    row->added_by = query_u32(q);
    row->accepted_by = query_u32(q);
    row->added_ms = query_int(q);
    row->accepted_ms = query_int(q);
    row->contact_ms = query_int(q);
}

enum status peer_rows_add(struct store *store,
                          const struct peer_row *row,
                          int64_t *ret_peer_id,
                          struct error *err)
{
    struct query q = query_start(store, STATEMENT_PEER_ADD);
    put_row(&q, row);
    enum status status = query_run(&q, err);
    if (status == ERR_EXISTS)
        return error_set(err, ERR_EXISTS, "peer %s is known already", row->code.text);
    if (status == OK)
        *ret_peer_id = sqlite3_last_insert_rowid(store->db);
    return status;
}

enum status peer_rows_update(struct store *store, const struct peer_row *row, struct error *err)
{
    struct query q = query_start(store, STATEMENT_PEER_UPDATE);
    put_row(&q, row);
    return query_run_one(&q, "peer", err);
}

static enum status get(struct query *q,
                       const char *name,
                       struct peer_row *ret_row,
                       struct error *err)
{
    struct peer_row row;
    bool found = query_row(q);
    if (found)
        read_row(q, &row);
    enum status status = query_found(q, found, "peer", err);
    if (status == OK)
        *ret_row = row;
    else if (status == ERR_NOT_FOUND)
        (void)error_set(err, ERR_NOT_FOUND, "no peer %s is known here; next: comityctl peer list",
                        name);
    return status;
}

enum status peer_rows_get(struct store *store,
                          const struct code *code,
                          struct peer_row *ret_row,
                          struct error *err)
{
    struct query q = query_start(store, STATEMENT_PEER_GET);
    query_put_text(&q, code->text);
    return get(&q, code->text, ret_row, err);
}

enum status peer_rows_get_id(struct store *store,
                             int64_t peer_id,
                             struct peer_row *ret_row,
                             struct error *err)
{
    struct query q = query_start(store, STATEMENT_PEER_GET_ID);
    query_put_int(&q, peer_id);
    return get(&q, "of that number", ret_row, err);
}

enum status peer_rows_list(struct store *store,
                           const struct code *after,
                           struct peer_row *ret_rows,
                           size_t max,
                           size_t *ret_count,
                           struct error *err)
{
    struct query q = query_start(store, STATEMENT_PEER_LIST);
    query_put_text(&q, after == NULL ? "" : after->text);
    query_put_uint(&q, max);
    return query_rows(&q, read_row, QUERY_INTO(ret_rows, max), ret_count, err);
}

enum status peer_rows_set_file(
    struct store *store, int64_t peer_id, enum peer_file file, struct span bytes, struct error *err)
{
    if (bytes.size > CARD_MAX)
        return error_set(err, ERR_LIMIT, "a peer's file of %zu bytes > %d", bytes.size, CARD_MAX);
    struct query q = query_start(store, STATEMENT_PEER_FILE_SET);
    query_put_int(&q, peer_id);
    query_put_int(&q, file);
    query_put_blob(&q, bytes);
    return query_run(&q, err);
}

enum status peer_rows_get_file(struct store *store,
                               int64_t peer_id,
                               enum peer_file file,
                               struct buf *ret_bytes,
                               struct error *err)
{
    struct query q = query_start(store, STATEMENT_PEER_FILE_GET);
    query_put_int(&q, peer_id);
    query_put_int(&q, file);
    buf_clear(ret_bytes);
    return query_append(&q, ret_bytes, NULL, err);
}
