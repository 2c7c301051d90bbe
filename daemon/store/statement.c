#include "store/inside.h"
#include "store/prefix.h"

#include <string.h>

/* The SQL of each statement, in the order of enum statement_id. */
static const char *const sql[STATEMENT_COUNT] = {
#define X(name, text) [STATEMENT_##name] = (text),
    STATEMENTS
#undef X
};

enum status statement_prepare_all(struct store *store, struct error *err)
{
    for (int i = 0; i < STATEMENT_COUNT; i++) {
        int rc = sqlite3_prepare_v3(store->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT,
                                    &store->statements[i], NULL);
        if (rc != SQLITE_OK) {
            (void)store_fail(store, rc, err);
            return error_prefix(err, "statement %d", i);
        }
    }
    return OK;
}

void statement_finalize_all(struct store *store)
{
    for (int i = 0; i < STATEMENT_COUNT; i++) {
        sqlite3_finalize(store->statements[i]);
        store->statements[i] = NULL;
    }
}

struct query query_start(struct store *store, enum statement_id id)
{
    struct query q = { .store = store, .stmt = store->statements[id], .rc = SQLITE_OK };
    bool writes = q.stmt != NULL && sqlite3_stmt_readonly(q.stmt) == 0;
    if (store->sticky.status != OK || q.stmt == NULL)
        q.stmt = NULL;
    else if (sqlite3_stmt_busy(q.stmt) || (writes && store->phase == STORE_IDLE))
        q.rc = SQLITE_MISUSE; /* nested use, or a change outside a transaction: our own bug */
    return q;
}

static void put(struct query *q, int rc)
{
    if (q->rc == SQLITE_OK)
        q->rc = rc;
}

static bool can_put(struct query *q)
{
    q->bound++;
    return q->stmt != NULL && q->rc == SQLITE_OK;
}

void query_put_int(struct query *q, int64_t value)
{
    if (can_put(q))
        put(q, sqlite3_bind_int64(q->stmt, q->bound, value));
}

void query_put_uint(struct query *q, uint64_t value)
{
    query_put_int(q, (int64_t)value);
}

void query_put_blob(struct query *q, struct span value)
{
    if (can_put(q)) {
        put(q, value.size == 0
                   ? sqlite3_bind_zeroblob(q->stmt, q->bound, 0)
                   : sqlite3_bind_blob64(q->stmt, q->bound, value.data, value.size, SQLITE_STATIC));
    }
}

void query_put_null(struct query *q)
{
    if (can_put(q))
        put(q, sqlite3_bind_null(q->stmt, q->bound));
}

void query_put_text(struct query *q, const char *value)
{
    if (can_put(q))
        put(q, sqlite3_bind_text(q->stmt, q->bound, value, -1, SQLITE_STATIC));
}

void query_put_id(struct query *q, const struct id *value)
{
    query_put_blob(q, span_of(value->bytes, ID_SIZE));
}

void query_put_id_or_null(struct query *q, const struct id *value)
{
    if (id_is_none(value))
        query_put_null(q);
    else
        query_put_id(q, value);
}

void query_put_digest(struct query *q, const struct digest *value)
{
    query_put_blob(q, span_of(value->bytes, DIGEST_SIZE));
}

bool query_row(struct query *q)
{
    q->column = 0;
    if (q->stmt == NULL || q->rc != SQLITE_OK)
        return false;
    int rc = sqlite3_step(q->stmt);
    if (rc == SQLITE_ROW)
        return true;
    if (rc != SQLITE_DONE)
        q->rc = rc;
    return false;
}

int64_t query_int(struct query *q)
{
    return sqlite3_column_int64(q->stmt, q->column++);
}

uint64_t query_uint(struct query *q)
{
    return (uint64_t)query_int(q);
}

static uint64_t bounded(struct query *q, uint64_t max)
{
    uint64_t value = query_uint(q);
    if (value > max) {
        q->malformed = true;
        return 0;
    }
    return value;
}

uint32_t query_u32(struct query *q)
{
    return (uint32_t)bounded(q, UINT32_MAX);
}

uint8_t query_u8(struct query *q)
{
    return (uint8_t)bounded(q, UINT8_MAX);
}

bool query_bool(struct query *q)
{
    return bounded(q, 1) == 1;
}

struct span query_blob(struct query *q)
{
    const void *data = sqlite3_column_blob(q->stmt, q->column);
    int size = sqlite3_column_bytes(q->stmt, q->column++);
    return data == NULL ? SPAN_EMPTY : span_of(data, (size_t)size);
}

void query_bytes(struct query *q, void *ret_bytes, size_t size)
{
    struct span value = query_blob(q);
    if (value.size == size)
        memcpy(ret_bytes, value.data, size);
    else
        q->malformed = true;
}

void query_text(struct query *q, char *ret_text, size_t size)
{
    struct span value = query_blob(q);
    if (value.size >= size) {
        q->malformed = true;
        value.size = 0;
    }
    if (value.size > 0)
        memcpy(ret_text, value.data, value.size);
    ret_text[value.size] = '\0';
}

struct id query_id(struct query *q)
{
    struct id id = ID_NONE;
    query_bytes(q, id.bytes, ID_SIZE);
    return id;
}

struct digest query_digest(struct query *q)
{
    struct digest digest = { { 0 } };
    query_bytes(q, digest.bytes, DIGEST_SIZE);
    return digest;
}

enum status query_end(struct query *q, struct error *err)
{
    struct store *store = q->store;
    sqlite3_stmt *stmt = q->stmt;
    q->stmt = NULL;
    if (stmt == NULL) {
        if (store->sticky.status == OK)
            return error_set(err, ERR_INTERNAL, "store: the statement is not prepared");
        if (err != NULL)
            *err = store->sticky;
        return store->sticky.status;
    }
    enum status status = OK;
    if (q->rc == SQLITE_MISUSE) {
        return error_set(err, ERR_INTERNAL,
                         "store: statement used while in use, or outside a "
                         "transaction");
    }
    if (q->rc != SQLITE_OK)
        status = store_fail(store, sqlite3_extended_errcode(store->db), err);
    else if (q->malformed) {
        status = error_set(err, ERR_CORRUPT,
                           "store: a column does not have the size that was written; next: stop "
                           "the node, and restore the last backup");
    }
    (void)sqlite3_reset(stmt); /* its result is that of the last step */
    (void)sqlite3_clear_bindings(stmt);
    return status;
}

enum status query_found(struct query *q, bool found, const char *what, struct error *err)
{
    enum status status = query_end(q, err);
    if (status == OK && !found)
        status = error_set(err, ERR_NOT_FOUND, "no such %s", what);
    return status;
}

enum status query_append(struct query *q,
                         struct buf *ret_bytes,
                         const char *what,
                         struct error *err)
{
    enum status status = OK;
    bool found = query_row(q);
    if (found)
        status = buf_append(ret_bytes, query_blob(q), err);
    enum status ended = query_end(q, status == OK ? err : NULL);
    if (status == OK)
        status = ended;
    if (status == OK && !found && what != NULL)
        status = error_set(err, ERR_NOT_FOUND, "no such %s", what);
    return status;
}

enum status query_number(struct query *q, int64_t otherwise, int64_t *ret_value, struct error *err)
{
    int64_t value = query_row(q) ? query_int(q) : otherwise;
    enum status status = query_end(q, err);
    if (status == OK)
        *ret_value = value;
    return status;
}

enum status query_rows(
    struct query *q, query_read read, struct query_into into, size_t *ret_count, struct error *err)
{
    size_t count = 0;
    while (count < into.max && query_row(q))
        read(q, (char *)into.rows + into.row_size * count++);
    enum status status = query_end(q, err);
    if (status == OK)
        *ret_count = count;
    return status;
}

enum status query_find(struct store *store,
                       const struct query_search *search,
                       struct query_into two,
                       struct error *err)
{
    struct id first;
    struct id last;
    size_t count = 0;
    enum status status = prefix_range(search->prefix, &first, &last, err);
    if (status != OK)
        return status;
    struct query q = query_start(store, search->statement);
    query_put_id(&q, &first);
    query_put_id(&q, &last);
    status = query_rows(&q, search->read, two, &count, err);
    if (status != OK || count == 1)
        return status;
    if (count == 0)
        return error_set(err, ERR_NOT_FOUND, "no %s begins with %.32s", search->what,
                         search->prefix);
    return error_set(err, ERR_CONFLICT,
                     "more than one %s begins with %.32s; next: type more digits", search->what,
                     search->prefix);
}

enum status query_run(struct query *q, struct error *err)
{
    (void)query_row(q);
    return query_end(q, err);
}

enum status query_run_one(struct query *q, const char *what, struct error *err)
{
    sqlite3 *db = q->store->db;
    (void)query_row(q);
    return query_found(q, sqlite3_changes(db) > 0, what, err);
}
