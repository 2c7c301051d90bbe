#include "store/consent_rows.h"

#include "store/inside.h"

static void put_row(struct query *q, const struct consent_row *row)
{
    query_put_id(q, &row->consent_id);
    query_put_uint(q, row->state);
    query_put_id(q, &row->supersedes);
    query_put_digest(q, &row->digest);
    query_put_digest(q, &row->nonce);
    query_put_uint(q, row->created_by);
    query_put_uint(q, row->proposed_by);
    query_put_uint(q, row->approved_by);
    query_put_int(q, row->created_ms);
    query_put_int(q, row->proposed_ms);
    query_put_int(q, row->approved_ms);
    query_put_int(q, row->ended_ms);
    query_put_int(q, row->valid_from_ms);
    query_put_int(q, row->valid_until_ms);
}

static void read_row(struct query *q, void *ret_row)
{
    struct consent_row *row = ret_row;
    row->consent_id = query_id(q);
    row->state = query_u8(q);
    row->supersedes = query_id(q);
    row->digest = query_digest(q);
    row->nonce = query_digest(q);
    row->created_by = query_u32(q);
    row->proposed_by = query_u32(q);
    row->approved_by = query_u32(q);
    row->created_ms = query_int(q);
    row->proposed_ms = query_int(q);
    row->approved_ms = query_int(q);
    row->ended_ms = query_int(q);
    row->valid_from_ms = query_int(q);
    row->valid_until_ms = query_int(q);
}

enum status consent_rows_add(struct store *store,
                             const struct consent_row *row,
                             struct span terms,
                             struct error *err)
{
    struct query q = query_start(store, STATEMENT_CONSENT_ADD);
    put_row(&q, row);
    query_put_blob(&q, terms);
    return query_run(&q, err);
}

enum status consent_rows_update(struct store *store,
                                const struct consent_row *row,
                                const struct span *terms,
                                struct error *err)
{
    struct query q = query_start(store, STATEMENT_CONSENT_UPDATE);
    put_row(&q, row);
    if (terms == NULL)
        query_put_null(&q);
    else
        query_put_blob(&q, *terms);
    return query_run_one(&q, "consent", err);
}

enum status consent_rows_get(struct store *store,
                             const struct id *consent_id,
                             struct consent_row *ret_row,
                             struct error *err)
{
    struct consent_row row;
    struct query q = query_start(store, STATEMENT_CONSENT_GET);
    query_put_id(&q, consent_id);
    bool found = query_row(&q);
    if (found)
        read_row(&q, &row);
    enum status status = query_found(&q, found, "consent", err);
    if (status == OK)
        *ret_row = row;
    return status;
}

enum status consent_rows_terms(struct store *store,
                               const struct id *consent_id,
                               struct buf *ret_terms,
                               struct error *err)
{
    struct query q = query_start(store, STATEMENT_CONSENT_TERMS);
    query_put_id(&q, consent_id);
    return query_append(&q, ret_terms, "consent", err);
}

enum status consent_rows_find(struct store *store,
                              const char *prefix,
                              struct consent_row *ret_row,
                              struct error *err)
{
    struct consent_row rows[2];
    const struct query_search search = { STATEMENT_CONSENT_FIND, read_row, "consent", prefix };
    enum status status = query_find(store, &search, QUERY_INTO(rows, 2), err);
    if (status == OK)
        *ret_row = rows[0];
    return status;
}

enum status consent_rows_list(struct store *store,
                              uint8_t state,
                              const struct id *after,
                              struct consent_row *ret_rows,
                              size_t max,
                              size_t *ret_count,
                              struct error *err)
{
    struct query q = query_start(store, STATEMENT_CONSENT_LIST);
    query_put_uint(&q, state);
    query_put_id(&q, after == NULL ? &ID_NONE : after);
    query_put_uint(&q, max);
    return query_rows(&q, read_row, QUERY_INTO(ret_rows, max), ret_count, err);
}

static enum status take_ids(
    struct query *q, struct id *ret_ids, size_t max, size_t *ret_count, struct error *err)
{
    size_t count = 0;
    while (count < max && query_row(q))
        ret_ids[count++] = query_id(q);
    enum status status = query_end(q, err);
    if (status == OK)
        *ret_count = count;
    return status;
}

/* A record, a recipient and a state select; the rest is the page. */
// NOLINTNEXTLINE(readability-function-size)
enum status consent_rows_covering(struct store *store,
                                  const struct id *record_id,
                                  const struct code *recipient,
                                  uint8_t state,
                                  const struct id *after,
                                  struct id *ret_ids,
                                  size_t max,
                                  size_t *ret_count,
                                  struct error *err)
{
    struct query q = query_start(store, STATEMENT_CONSENT_COVERING);
    query_put_id(&q, record_id);
    query_put_text(&q, recipient->text);
    query_put_uint(&q, state);
    query_put_id(&q, after == NULL ? &ID_NONE : after);
    query_put_uint(&q, max);
    return take_ids(&q, ret_ids, max, ret_count, err);
}

enum status consent_rows_expiring(struct store *store,
                                  uint8_t state,
                                  int64_t until_ms,
                                  struct id *ret_ids,
                                  size_t max,
                                  size_t *ret_count,
                                  struct error *err)
{
    struct query q = query_start(store, STATEMENT_CONSENT_EXPIRING);
    query_put_uint(&q, state);
    query_put_int(&q, until_ms);
    query_put_uint(&q, max);
    return take_ids(&q, ret_ids, max, ret_count, err);
}

enum status consent_rows_next_expiry(struct store *store,
                                     uint8_t state,
                                     int64_t *ret_ms,
                                     struct error *err)
{
    struct query q = query_start(store, STATEMENT_CONSENT_NEXT_EXPIRY);
    query_put_uint(&q, state);
    return query_number(&q, INT64_MAX, ret_ms, err);
}

enum status consent_rows_add_record(struct store *store,
                                    const struct id *consent_id,
                                    const struct consent_record_row *row,
                                    struct error *err)
{
    struct query q = query_start(store, STATEMENT_CONSENT_RECORD_ADD);
    query_put_id(&q, consent_id);
    query_put_id(&q, &row->record_id);
    query_put_uint(&q, row->version);
    query_put_uint(&q, row->form);
    return query_run(&q, err);
}

enum status consent_rows_remove_record(struct store *store,
                                       const struct id *consent_id,
                                       const struct id *record_id,
                                       struct error *err)
{
    struct query q = query_start(store, STATEMENT_CONSENT_RECORD_REMOVE);
    query_put_id(&q, consent_id);
    query_put_id(&q, record_id);
    return query_run_one(&q, "record in this consent", err);
}

enum status consent_rows_records(struct store *store,
                                 const struct id *consent_id,
                                 const struct id *after,
                                 struct consent_record_row *ret_rows,
                                 size_t max,
                                 size_t *ret_count,
                                 struct error *err)
{
    size_t count = 0;
    struct query q = query_start(store, STATEMENT_CONSENT_RECORDS);
    query_put_id(&q, consent_id);
    query_put_id(&q, after == NULL ? &ID_NONE : after);
    query_put_uint(&q, max);
    while (count < max && query_row(&q)) {
        struct consent_record_row *row = &ret_rows[count++];
        row->record_id = query_id(&q);
        row->version = query_u32(&q);
        row->form = query_u8(&q);
    }
    enum status status = query_end(&q, err);
    if (status == OK)
        *ret_count = count;
    return status;
}

enum status consent_rows_add_recipient(struct store *store,
                                       const struct id *consent_id,
                                       const struct consent_recipient_row *row,
                                       struct error *err)
{
    struct query q = query_start(store, STATEMENT_CONSENT_RECIPIENT_ADD);
    query_put_id(&q, consent_id);
    query_put_text(&q, row->code.text);
    query_put_digest(&q, &row->anchor);
    return query_run(&q, err);
}

enum status consent_rows_recipients(struct store *store,
                                    const struct id *consent_id,
                                    struct consent_recipient_row *ret_rows,
                                    size_t max,
                                    size_t *ret_count,
                                    struct error *err)
{
    size_t count = 0;
    struct query q = query_start(store, STATEMENT_CONSENT_RECIPIENTS);
    query_put_id(&q, consent_id);
    query_put_uint(&q, max);
    while (count < max && query_row(&q)) {
        struct consent_recipient_row *row = &ret_rows[count++];
        query_text(&q, row->code.text, sizeof(row->code.text));
        row->anchor = query_digest(&q);
    }
    enum status status = query_end(&q, err);
    if (status == OK)
        *ret_count = count;
    return status;
}

enum status consent_rows_add_event(struct store *store,
                                   const struct id *consent_id,
                                   const struct consent_event_row *row,
                                   struct error *err)
{
    struct query q = query_start(store, STATEMENT_CONSENT_EVENT_ADD);
    query_put_id(&q, consent_id);
    query_put_int(&q, row->time_ms);
    query_put_uint(&q, row->uid);
    query_put_uint(&q, row->from_state);
    query_put_uint(&q, row->to_state);
    query_put_text(&q, row->text);
    return query_run(&q, err);
}

enum status consent_rows_events(struct store *store,
                                const struct id *consent_id,
                                uint32_t after,
                                struct consent_event_row *ret_rows,
                                size_t max,
                                size_t *ret_count,
                                struct error *err)
{
    size_t count = 0;
    struct query q = query_start(store, STATEMENT_CONSENT_EVENTS);
    query_put_id(&q, consent_id);
    query_put_uint(&q, after);
    query_put_uint(&q, max);
    while (count < max && query_row(&q)) {
        struct consent_event_row *row = &ret_rows[count++];
        row->sequence = query_u32(&q);
        row->time_ms = query_int(&q);
        row->uid = query_u32(&q);
        row->from_state = query_u8(&q);
        row->to_state = query_u8(&q);
        query_text(&q, row->text, sizeof(row->text));
    }
    enum status status = query_end(&q, err);
    if (status == OK)
        *ret_count = count;
    return status;
}
