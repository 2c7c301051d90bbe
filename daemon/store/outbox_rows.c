#include "store/outbox_rows.h"

#include "store/inside.h"

/* outbox_id = peer << 42 | priority << 40 | number: the queue stands in the order in which it is
 * read, that of one peer in one place. */
enum { PEER_BITS_AT = 42, PRIORITY_BITS_AT = 40 };

static int64_t place_of(int64_t peer_id, int priority)
{
    return (int64_t)(((uint64_t)peer_id << PEER_BITS_AT) +
                     ((uint64_t)priority << PRIORITY_BITS_AT));
}
static_assert(OUTBOX_OTHER < 1 << (PEER_BITS_AT - PRIORITY_BITS_AT), "priorities fit their bits");

enum status outbox_rows_add(struct store *store,
                            const struct outbox_row *row,
                            int64_t *ret_outbox_id,
                            struct error *err)
{
    if (row->body.size > ENTRY_BODY_MAX)
        return error_set(err, ERR_LIMIT, "queued body of %zu bytes > %d", row->body.size,
                         ENTRY_BODY_MAX);
    struct query q = query_start(store, STATEMENT_OUTBOX_ADD);
    query_put_int(&q, place_of(row->peer_id, (int)row->priority));
    query_put_int(&q, row->peer_id);
    query_put_int(&q, row->priority);
    query_put_uint(&q, row->kind);
    query_put_id(&q, &row->in_reply_to);
    query_put_id(&q, &row->consent_id);
    query_put_id(&q, &row->subject_id);
    query_put_uint(&q, row->record_version);
    query_put_uint(&q, row->form);
    query_put_int(&q, row->queued_ms);
    query_put_blob(&q, row->body);
    enum status status = query_run(&q, err);
    if (status == OK) {
        *ret_outbox_id = sqlite3_last_insert_rowid(store->db);
        store->outbox_added++;
    }
    return status;
}

uint64_t outbox_rows_added(const struct store *store)
{
    return store->outbox_added;
}

static enum status read_row(struct query *q,
                            struct outbox_row *row,
                            struct buf *bodies,
                            struct error *err)
{
    row->outbox_id = query_int(q);
    row->peer_id = query_int(q);
    row->priority = (enum outbox_priority)query_u8(q);
    row->kind = (uint16_t)query_u32(q);
    row->in_reply_to = query_id(q);
    row->consent_id = query_id(q);
    row->subject_id = query_id(q);
    row->record_version = query_u32(q);
    row->form = query_u8(q);
    row->queued_ms = query_int(q);
    row->body = query_blob(q); /* its size counts; the bytes move once more */
    return buf_append(bodies, row->body, err);
}

enum status outbox_rows_list(struct store *store,
                             int64_t peer_id,
                             struct outbox_place after,
                             size_t max,
                             struct outbox_list *ret_list,
                             struct error *err)
{
    size_t count = 0;
    enum status status = OK;
    int64_t last = place_of(peer_id, after.priority + 1) - 1; /* of that priority */
    if (after.priority < 0)
        after.outbox_id = last; /* from the first on */
    struct query q = query_start(store, STATEMENT_OUTBOX_NEXT);
    query_put_int(&q, after.outbox_id < last ? after.outbox_id : last);
    query_put_int(&q, place_of(peer_id + 1, 0));
    query_put_uint(&q, max);
    buf_clear(&ret_list->bodies);
    ret_list->count = 0;
    while (status == OK && count < max && count < OUTBOX_LIST_MAX && query_row(&q))
        status = read_row(&q, &ret_list->rows[count++], &ret_list->bodies, err);
    enum status ended = query_end(&q, status == OK ? err : NULL);
    if (status == OK)
        status = ended;
    if (status != OK)
        return status;
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        size_t size = ret_list->rows[i].body.size;
        ret_list->rows[i].body = span_slice(buf_span(&ret_list->bodies), at, size);
        at += size;
    }
    ret_list->count = count;
    return OK;
}

enum status outbox_rows_next(struct store *store,
                             int64_t peer_id,
                             struct outbox_place after,
                             struct outbox_row *ret_row,
                             struct buf *ret_body,
                             struct error *err)
{
    struct outbox_list list = { .bodies = *ret_body };
    enum status status = outbox_rows_list(store, peer_id, after, 1, &list, err);
    *ret_body = list.bodies;
    if (status == OK && list.count == 0)
        status = error_set(err, ERR_NOT_FOUND, "no such queued entry");
    if (status == OK)
        *ret_row = list.rows[0];
    return status;
}

enum status outbox_rows_remove(struct store *store, int64_t outbox_id, struct error *err)
{
    struct query q = query_start(store, STATEMENT_OUTBOX_REMOVE);
    query_put_int(&q, outbox_id);
    return query_run_one(&q, "queued entry", err);
}

enum status outbox_rows_remove_records(struct store *store,
                                       const struct id *consent_id,
                                       const struct id *subject_id,
                                       int64_t peer_id,
                                       uint64_t *ret_removed,
                                       struct error *err)
{
    struct query q = query_start(store, STATEMENT_OUTBOX_REMOVE_RECORDS);
    query_put_id(&q, consent_id);
    query_put_id_or_null(&q, subject_id);
    query_put_int(&q, peer_id);
    enum status status = query_run(&q, err);
    if (status == OK)
        *ret_removed = (uint64_t)sqlite3_changes64(store->db);
    return status;
}

enum status outbox_rows_has_record(struct store *store,
                                   int64_t peer_id,
                                   const struct id *consent_id,
                                   const struct id *record_id,
                                   bool *ret_has,
                                   struct error *err)
{
    struct query q = query_start(store, STATEMENT_OUTBOX_HAS_RECORD);
    query_put_int(&q, place_of(peer_id, OUTBOX_RECORD));
    query_put_id(&q, consent_id);
    query_put_id(&q, record_id);
    bool has = query_row(&q);
    enum status status = query_end(&q, err);
    if (status == OK)
        *ret_has = has;
    return status;
}

enum status outbox_rows_count(struct store *store,
                              int64_t peer_id,
                              uint64_t *ret_count,
                              struct error *err)
{
    uint64_t count = 0;
    struct query q = query_start(store, STATEMENT_OUTBOX_COUNT);
    query_put_int(&q, place_of(peer_id, 0));
    query_put_int(&q, peer_id == 0 ? INT64_MAX : place_of(peer_id + 1, 0));
    if (query_row(&q))
        count = query_uint(&q);
    enum status status = query_end(&q, err);
    if (status == OK)
        *ret_count = count;
    return status;
}

enum status outbox_rows_waiting(
    struct store *store, struct code *ret_peers, size_t max, size_t *ret_count, struct error *err)
{
    size_t count = 0;
    struct query q = query_start(store, STATEMENT_OUTBOX_WAITING);
    query_put_uint(&q, max);
    while (count < max && query_row(&q))
        query_text(&q, ret_peers[count++].text, sizeof(ret_peers->text));
    enum status status = query_end(&q, err);
    if (status == OK)
        *ret_count = count;
    return status;
}
