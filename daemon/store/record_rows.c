#include "store/record_rows.h"

#include "base/memory.h"
#include "store/inside.h"
#include "store/keys.h"

/* Associated data of a version: record id, version. */
struct about {
    uint8_t version[4];
    struct span spans[2];
};

static void about_version(const struct id *record_id, uint32_t version, struct about *ret_about)
{
    for (size_t i = 0; i < 4; i++)
        ret_about->version[i] = (uint8_t)(version >> (24 - 8 * i));
    ret_about->spans[0] = span_of(record_id->bytes, ID_SIZE);
    ret_about->spans[1] = SPAN_ARRAY(ret_about->version);
}

static void read_row(struct query *q, void *ret_row)
{
    struct record_row *row = ret_row;
    row->record_id = query_id(q);
    row->kind = (enum record_row_kind)query_u8(q);
    row->state = (enum record_row_state)query_u8(q);
    row->version = query_u32(q);
    row->created_ms = query_int(q);
    row->created_by = query_u32(q);
    row->identity = query_digest(q);
}

/* The row of a new record, or the next version number of a known one. */
static enum status take_version(struct store *store,
                                const struct record_row *row,
                                uint32_t *ret_version,
                                struct error *err)
{
    struct record_row known;
    struct error local = ERROR_INIT;
    enum status status = record_rows_get(store, &row->record_id, &known, &local);
    struct query q;
    if (status == ERR_NOT_FOUND) {
        q = query_start(store, STATEMENT_RECORD_ADD);
        query_put_id(&q, &row->record_id);
        query_put_int(&q, row->kind);
        query_put_int(&q, row->created_ms);
        query_put_uint(&q, row->created_by);
        query_put_digest(&q, &row->identity);
        *ret_version = 1;
        return query_run(&q, err);
    }
    if (status != OK) {
        if (err != NULL)
            *err = local;
        return status;
    }
    if (known.state != RECORD_ROW_CURRENT)
        return error_set(err, ERR_WRONG_STATE, "the record is retired and takes no new version");
    if (known.kind != row->kind)
        return error_set(err, ERR_INVALID, "a record keeps its kind");
    *ret_version = known.version + 1;
    q = query_start(store, STATEMENT_RECORD_SET_VERSION);
    query_put_uint(&q, *ret_version);
    query_put_id(&q, &row->record_id);
    return query_run(&q, err);
}

static enum status add_version(struct store *store,
                               const struct record_row *row,
                               uint32_t version,
                               struct span canonical,
                               struct error *err)
{
    uint64_t slot = KEY_SLOT_NONE;
    struct seal_key key;
    struct about about;
    enum status status = keys_add(store, &ID_NONE, &slot, &key, err);
    if (status != OK)
        return status;
    about_version(&row->record_id, version, &about);
    buf_clear(&store->sealed);
    status = seal(store->sealer, &key, about.spans, 2, canonical, &store->sealed, err);
    mem_wipe(&key, sizeof(key));
    if (status != OK)
        return status;
    struct query q = query_start(store, STATEMENT_VERSION_ADD);
    query_put_id(&q, &row->record_id);
    query_put_uint(&q, version);
    query_put_uint(&q, slot);
    query_put_uint(&q, canonical.size);
    query_put_int(&q, row->created_ms);
    query_put_uint(&q, row->created_by);
    query_put_blob(&q, buf_span(&store->sealed));
    status = query_run(&q, err);
    store_scratch_done(&store->sealed);
    return status;
}

enum status record_rows_add(struct store *store,
                            const struct record_row *row,
                            struct span canonical,
                            uint32_t *ret_version,
                            struct error *err)
{
    uint32_t version = 0;
    enum status status = take_version(store, row, &version, err);
    if (status == OK)
        status = add_version(store, row, version, canonical, err);
    if (status == OK)
        *ret_version = version;
    return status;
}

enum status record_rows_last(struct store *store, struct id *ret_record_id, struct error *err)
{
    struct id id = ID_NONE;
    struct query q = query_start(store, STATEMENT_RECORD_LAST);
    bool found = query_row(&q);
    if (found)
        id = query_id(&q);
    enum status status = query_found(&q, found, "record", err);
    if (status == OK)
        *ret_record_id = id;
    return status;
}

enum status record_rows_get(struct store *store,
                            const struct id *record_id,
                            struct record_row *ret_row,
                            struct error *err)
{
    struct record_row row;
    struct query q = query_start(store, STATEMENT_RECORD_GET);
    query_put_id(&q, record_id);
    bool found = query_row(&q);
    if (found)
        read_row(&q, &row);
    enum status status = query_found(&q, found, "record", err);
    if (status == OK)
        *ret_row = row;
    return status;
}

enum status record_rows_by_identity(struct store *store,
                                    const struct digest *identity,
                                    struct record_row *ret_row,
                                    struct error *err)
{
    struct record_row row;
    struct query q = query_start(store, STATEMENT_RECORD_BY_IDENTITY);
    query_put_digest(&q, identity);
    bool found = query_row(&q);
    if (found)
        read_row(&q, &row);
    enum status status = query_found(&q, found, "release", err);
    if (status == OK)
        *ret_row = row;
    return status;
}

enum status record_rows_find(struct store *store,
                             const char *prefix,
                             struct record_row *ret_row,
                             struct error *err)
{
    struct record_row rows[2];
    const struct query_search search = { STATEMENT_RECORD_FIND, read_row, "record", prefix };
    enum status status = query_find(store, &search, QUERY_INTO(rows, 2), err);
    if (status == OK)
        *ret_row = rows[0];
    return status;
}

enum status record_rows_list(struct store *store,
                             int kind,
                             const struct id *after,
                             struct record_row *ret_rows,
                             size_t max,
                             size_t *ret_count,
                             struct error *err)
{
    struct query q = query_start(store, STATEMENT_RECORD_LIST);
    query_put_int(&q, kind);
    query_put_id(&q, after == NULL ? &ID_NONE : after);
    query_put_uint(&q, max);
    return query_rows(&q, read_row, QUERY_INTO(ret_rows, max), ret_count, err);
}

enum status record_rows_version(struct store *store,
                                const struct id *record_id,
                                uint32_t version,
                                struct record_version_row *ret_row,
                                struct error *err)
{
    struct record_version_row row = { .record_id = *record_id, .version = version };
    struct query q = query_start(store, STATEMENT_VERSION_GET);
    query_put_id(&q, record_id);
    query_put_uint(&q, version);
    bool found = query_row(&q);
    if (found) {
        row.state = (enum record_row_state)query_u8(&q);
        row.key_slot = query_uint(&q);
        row.size = query_uint(&q);
        row.created_ms = query_int(&q);
        row.created_by = query_u32(&q);
    }
    enum status status = query_found(&q, found, "version of the record", err);
    if (status == OK)
        *ret_row = row;
    return status;
}

/* The sealed bytes into store->sealed. */
static enum status read_sealed(struct store *store,
                               const struct id *record_id,
                               uint32_t version,
                               uint64_t *ret_slot,
                               struct error *err)
{
    enum status status = OK;
    buf_clear(&store->sealed);
    struct query q = query_start(store, STATEMENT_VERSION_BODY);
    query_put_id(&q, record_id);
    query_put_uint(&q, version);
    bool found = query_row(&q);
    bool erased = false;
    if (found) {
        erased = query_u8(&q) == RECORD_ROW_ERASED;
        *ret_slot = query_uint(&q);
        status = buf_append(&store->sealed, query_blob(&q), err);
    }
    enum status ended = query_found(&q, found, "version of the record", status == OK ? err : NULL);
    if (status == OK)
        status = ended;
    if (status == OK && erased)
        status = error_set(err, ERR_ERASED, "this version of the record was erased");
    if (status == OK) {
        store->opened = *record_id;
        store->opened_version = version;
        store->opened_slot = *ret_slot;
    }
    return status;
}

enum status record_rows_slot(struct store *store,
                             const struct id *record_id,
                             uint32_t version,
                             uint64_t *ret_slot,
                             struct error *err)
{
    struct record_version_row row;
    if (version == store->opened_version && id_equal(record_id, &store->opened)) {
        *ret_slot = store->opened_slot;
        return OK;
    }
    enum status status = record_rows_version(store, record_id, version, &row, err);
    if (status == OK)
        *ret_slot = row.key_slot;
    return status;
}

enum status record_rows_open(struct store *store,
                             const struct id *record_id,
                             uint32_t version,
                             struct buf *ret_canonical,
                             struct error *err)
{
    uint64_t slot = KEY_SLOT_NONE;
    struct seal_key key;
    struct about about;
    enum status status = read_sealed(store, record_id, version, &slot, err);
    if (status == OK)
        status = keys_get(store, slot, &key, err);
    if (status != OK)
        return status;
    about_version(record_id, version, &about);
    status = seal_open(store->sealer, &key, about.spans, 2, buf_span(&store->sealed), ret_canonical,
                       err);
    mem_wipe(&key, sizeof(key));
    store_scratch_done(&store->sealed);
    if (status == ERR_SIGNATURE) {
        status = error_set(err, ERR_CORRUPT,
                           "the record does not open: its stored bytes were changed; next: "
                           "restore the last backup (comityd --restore)");
    }
    return status;
}

enum status record_rows_retire(struct store *store, const struct id *record_id, struct error *err)
{
    struct query q = query_start(store, STATEMENT_RECORD_RETIRE);
    query_put_id(&q, record_id);
    return query_run_one(&q, "record", err);
}

enum status record_rows_mark_erased(struct store *store,
                                    const struct id *record_id,
                                    uint32_t version,
                                    struct error *err)
{
    struct query q = query_start(store, STATEMENT_VERSION_ERASE);
    query_put_id(&q, record_id);
    query_put_uint(&q, version);
    return query_run_one(&q, "version of the record", err);
}
