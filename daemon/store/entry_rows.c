#include "store/entry_rows.h"

#include "base/memory.h"
#include "log/header.h"
#include "store/inside.h"
#include "store/keys.h"
#include "store/record_rows.h"

#include <string.h>

enum { INDEX_BITS = 40, HEADER_BYTES_MAX = 120 + ENTRY_INLINE_MAX };

static int64_t row_id(int64_t feed_id, uint64_t index)
{
    return (int64_t)((uint64_t)feed_id << INDEX_BITS | index);
}

static enum status find_origin(struct store *store, int64_t feed_id, struct error *err)
{
    if (store->origin_of == feed_id)
        return OK;
    struct feed_row feed;
    enum status status = feed_rows_get(store, feed_id, &feed, err);
    if (status == OK) {
        memcpy(store->origin, feed.origin, sizeof(store->origin));
        store->origin_of = feed_id;
    }
    return status;
}

/* Associated data: length of the origin, index, origin, header. */
struct about {
    uint8_t numbers[4 + 8];
    struct span spans[3];
};

static enum status about_entry(struct store *store,
                               int64_t feed_id,
                               uint64_t index,
                               struct span header,
                               struct about *ret_about,
                               struct error *err)
{
    enum status status = find_origin(store, feed_id, err);
    if (status != OK)
        return status;
    struct span origin = span_text(store->origin);
    for (size_t i = 0; i < 4; i++)
        ret_about->numbers[i] = (uint8_t)(origin.size >> (24 - 8 * i));
    for (size_t i = 0; i < 8; i++)
        ret_about->numbers[4 + i] = (uint8_t)(index >> (56 - 8 * i));
    ret_about->spans[0] = SPAN_ARRAY(ret_about->numbers);
    ret_about->spans[1] = origin;
    ret_about->spans[2] = header;
    return OK;
}

/* Padding is zeros, and the header says how long the body is with them: they are not stored. */
static struct span without_padding(struct span header, struct span body)
{
    uint64_t eight = 0;
    if (header_body_size(header) != body.size)
        return body;
    while (body.size >= sizeof(eight)) {
        memcpy(&eight, body.data + body.size - sizeof(eight), sizeof(eight));
        if (eight != 0)
            break;
        body.size -= sizeof(eight);
    }
    while (body.size > 0 && body.data[body.size - 1] == 0)
        body.size--;
    return body;
}

/* Salt and body into store->sealed; *ret_slot is the entry's own key. */
static enum status seal_entry(struct store *store,
                              const struct about *about,
                              const struct entry_append *entry,
                              uint64_t *ret_slot,
                              struct error *err)
{
    struct seal_key key;
    enum status status;
    if (id_is_none(&entry->version_of)) {
        status = keys_add(store, &entry->group, ret_slot, &key, err);
    } else {
        uint64_t slot = KEY_SLOT_NONE;
        status = record_rows_slot(store, &entry->version_of, entry->version, &slot, err);
        if (status == OK)
            status = keys_get(store, slot, &key, err);
    }
    if (status != OK)
        return status;
    buf_clear(&store->plain);
    buf_clear(&store->sealed);
    status = buf_append(&store->plain, entry->salt, err);
    if (status == OK)
        status = buf_append(&store->plain, without_padding(entry->header, entry->body), err);
    if (status == OK)
        status = seal(store->sealer, &key, about->spans, 3, buf_span(&store->plain), &store->sealed,
                      err);
    store_scratch_done(&store->plain);
    mem_wipe(&key, sizeof(key));
    return status;
}

static enum status check_append(uint64_t index, const struct entry_append *entry, struct error *err)
{
    if (index >= FEED_ENTRIES_MAX)
        return error_set(err, ERR_FULL, "the feed has no numbers left");
    if (entry->header.size == 0 || entry->header.size > HEADER_BYTES_MAX)
        return error_set(err, ERR_LIMIT, "header of %zu bytes (1 to %d)", entry->header.size,
                         HEADER_BYTES_MAX);
    if (entry->salt.size != 0 && entry->salt.size != SALT_SIZE)
        return error_set(err, ERR_INVALID, "salt of %zu bytes, not %d", entry->salt.size,
                         SALT_SIZE);
    bool foreign = !id_is_none(&entry->version_of);
    if (entry->body.size > 0 && (entry->salt.size == 0 || entry->withheld || foreign))
        return error_set(err, ERR_INVALID, "a body without a salt, or in two places");
    if (entry->salt.size > 0 && !foreign && entry->body.size < header_body_size(entry->header))
        return error_set(err, ERR_INVALID, "a body of %zu bytes, its header says %zu",
                         entry->body.size, header_body_size(entry->header));
    if (entry->body.size > ENTRY_BODY_MAX)
        return error_set(err, ERR_LIMIT, "body of %zu bytes > %d", entry->body.size,
                         ENTRY_BODY_MAX);
    return OK;
}

static enum status add_row(struct store *store,
                           int64_t entry_id,
                           const struct entry_append *entry,
                           uint64_t key_slot,
                           struct error *err)
{
    struct query q = query_start(store, STATEMENT_ENTRY_ADD);
    query_put_int(&q, entry_id);
    query_put_int(&q, entry->withheld ? ENTRY_WITHHELD : 0);
    query_put_uint(&q, key_slot);
    query_put_blob(&q, entry->header);
    query_put_id_or_null(&q, &entry->version_of);
    query_put_uint(&q, entry->version);
    if (store->sealed.size > 0)
        query_put_blob(&q, buf_span(&store->sealed));
    else
        query_put_null(&q);
    return query_run(&q, err);
}

enum status entry_rows_append(struct store *store,
                              int64_t feed_id,
                              uint64_t index,
                              const struct entry_append *entry,
                              struct error *err)
{
    enum status status = check_append(index, entry, err);
    if (status != OK)
        return status;
    struct about about;
    uint64_t slot = KEY_SLOT_NONE;
    buf_clear(&store->sealed);
    if (entry->salt.size > 0) {
        status = about_entry(store, feed_id, index, entry->header, &about, err);
        if (status == OK)
            status = seal_entry(store, &about, entry, &slot, err);
    }
    if (status == OK)
        status = add_row(store, row_id(feed_id, index), entry, slot, err);
    store_scratch_done(&store->sealed);
    if (status == ERR_EXISTS)
        status =
            error_set(err, ERR_EXISTS, "entry %llu is stored already", (unsigned long long)index);
    return status;
}

enum status entry_rows_append_header(
    struct store *store, int64_t feed_id, uint64_t index, struct span header, struct error *err)
{
    struct entry_append entry = { .header = header, .withheld = true };
    return entry_rows_append(store, feed_id, index, &entry, err);
}

static void read_row(struct query *q, struct entry_row *row)
{
    uint64_t id = query_uint(q);
    row->feed_id = (int64_t)(id >> INDEX_BITS);
    row->index = id & (FEED_ENTRIES_MAX - 1);
    row->flags = query_u8(q);
    row->key_slot = query_uint(q);
    row->header = query_blob(q);
    struct span version_of = query_blob(q);
    row->version_of = ID_NONE;
    if (version_of.size == ID_SIZE)
        memcpy(row->version_of.bytes, version_of.data, ID_SIZE);
    else if (version_of.size != 0)
        q->malformed = true;
    row->version = query_u32(q);
    row->sealed = query_blob(q);
}

enum status entry_rows_get(struct store *store,
                           int64_t feed_id,
                           uint64_t index,
                           struct entry_row *ret_row,
                           struct error *err)
{
    struct entry_row row;
    struct query q = query_start(store, STATEMENT_ENTRY_GET);
    query_put_int(&q, row_id(feed_id, index));
    buf_clear(&store->row_header);
    store_scratch_done(&store->row_sealed);
    enum status status = OK;
    bool found = query_row(&q);
    if (found) {
        read_row(&q, &row);
        status = buf_append(&store->row_header, row.header, err);
        if (status == OK)
            status = buf_append(&store->row_sealed, row.sealed, err);
    }
    enum status ended = query_found(&q, found, "entry", status == OK ? err : NULL);
    if (status == OK)
        status = ended;
    if (status != OK)
        return status;
    row.header = buf_span(&store->row_header);
    row.sealed = buf_span(&store->row_sealed);
    *ret_row = row;
    return OK;
}

/* The key that sealed the row: its own, or that of the record version. */
static enum status find_key(struct store *store,
                            const struct entry_row *row,
                            struct seal_key *ret_key,
                            struct error *err)
{
    if (id_is_none(&row->version_of))
        return keys_get(store, row->key_slot, ret_key, err);
    struct record_version_row version;
    enum status status = record_rows_version(store, &row->version_of, row->version, &version, err);
    return status == OK ? keys_get(store, version.key_slot, ret_key, err) : status;
}

static enum status open_sealed(struct store *store, const struct entry_row *row, struct error *err)
{
    struct about about;
    struct seal_key key;
    enum status status = find_key(store, row, &key, err);
    if (status == OK)
        status = about_entry(store, row->feed_id, row->index, row->header, &about, err);
    buf_clear(&store->plain);
    if (status == OK)
        status = seal_open(store->sealer, &key, about.spans, 3, row->sealed, &store->plain, err);
    if (status == ERR_SIGNATURE || (status == OK && store->plain.size < SALT_SIZE)) {
        status = error_set(err, ERR_CORRUPT,
                           "entry %llu of feed %lld does not open: its stored bytes were changed",
                           (unsigned long long)row->index, (long long)row->feed_id);
    }
    mem_wipe(&key, sizeof(key));
    return status;
}

static enum status append_body(const struct entry_row *row,
                               struct span body,
                               struct buf *ret_body,
                               struct error *err)
{
    size_t full = header_body_size(row->header);
    enum status status = buf_append(ret_body, body, err);
    if (status == OK && full > body.size)
        status = buf_append_zeros(ret_body, full - body.size, err);
    return status;
}

enum status entry_rows_open(struct store *store,
                            const struct entry_row *row,
                            struct buf *ret_salt,
                            struct buf *ret_body,
                            bool *ret_canonical,
                            struct error *err)
{
    if ((row->flags & ENTRY_ERASED) != 0)
        return error_set(err, ERR_ERASED, "entry %llu was erased", (unsigned long long)row->index);
    *ret_canonical = !id_is_none(&row->version_of);
    if (row->sealed.size == 0)
        return OK;
    enum status status = open_sealed(store, row, err);
    struct span plain = buf_span(&store->plain);
    if (status == OK)
        status = buf_append(ret_salt, span_slice(plain, 0, SALT_SIZE), err);
    if (status == OK && !*ret_canonical)
        status =
            append_body(row, span_slice(plain, SALT_SIZE, plain.size - SALT_SIZE), ret_body, err);
    store_scratch_done(&store->plain);
    if (status == OK && *ret_canonical)
        status = record_rows_open(store, &row->version_of, row->version, ret_body, err);
    return status;
}

enum status entry_rows_walk(struct store *store,
                            int64_t feed_id,
                            uint64_t first,
                            uint64_t end,
                            struct entry_cursor *ret_cursor,
                            struct error *err)
{
    if (first > end || end > FEED_ENTRIES_MAX)
        return error_set(err, ERR_INVALID, "entries %llu to %llu are no range",
                         (unsigned long long)first, (unsigned long long)end);
    struct query q = query_start(store, STATEMENT_ENTRY_WALK);
    query_put_int(&q, row_id(feed_id, first));
    query_put_int(&q, row_id(feed_id, 0) + (int64_t)end);
    if (q.stmt == NULL || q.rc != SQLITE_OK)
        return query_end(&q, err);
    *ret_cursor = (struct entry_cursor){ store, feed_id, first, end, true };
    return OK;
}

/* The query that walks: its state between two steps is in the statement and the cursor alone. */
static struct query walking(const struct entry_cursor *cursor)
{
    return (struct query){ .store = cursor->store,
                           .stmt = cursor->store->statements[STATEMENT_ENTRY_WALK],
                           .rc = SQLITE_OK };
}

enum status entry_rows_next(struct entry_cursor *cursor,
                            struct entry_row *ret_row,
                            bool *ret_found,
                            struct error *err)
{
    *ret_found = false;
    if (!cursor->open)
        return OK;
    struct query q = walking(cursor);
    bool found = query_row(&q);
    if (!found || cursor->next == cursor->end) {
        cursor->open = false;
        enum status status = query_end(&q, err);
        if (status == OK && cursor->next != cursor->end)
            status = error_set(err, ERR_CORRUPT, "entry %llu of feed %lld is missing",
                               (unsigned long long)cursor->next, (long long)cursor->feed_id);
        return status;
    }
    struct entry_row row;
    read_row(&q, &row);
    if (q.malformed || row.index != cursor->next) {
        entry_rows_stop(cursor);
        return error_set(err, ERR_CORRUPT, "entry %llu of feed %lld is missing or malformed",
                         (unsigned long long)cursor->next, (long long)cursor->feed_id);
    }
    cursor->next++;
    *ret_row = row;
    *ret_found = true;
    return OK;
}

void entry_rows_stop(struct entry_cursor *cursor)
{
    if (!cursor->open)
        return;
    cursor->open = false;
    struct query q = walking(cursor);
    enum status ended = query_end(&q, NULL); /* nothing is left to report to */
    (void)ended;
}

enum status entry_rows_mark_erased(struct store *store,
                                   int64_t feed_id,
                                   uint64_t index,
                                   struct error *err)
{
    struct query q = query_start(store, STATEMENT_ENTRY_ERASE);
    query_put_int(&q, row_id(feed_id, index));
    return query_run_one(&q, "entry", err);
}
