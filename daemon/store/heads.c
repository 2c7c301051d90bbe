#include "store/heads.h"

#include "base/cursor.h"
#include "base/memory.h"
#include "crypto/digest.h"
#include "store/inside.h"
#include "store/journal_rows.h"
#include "store/keys_tree.h"

#include <stdio.h>
#include <string.h>

static const char magic[8] = "CMTYHEAD";
enum { SUM_AT = HEADS_SLOT_SIZE - DIGEST_SIZE, ZEROS = 8, MARKS_FIRST = 16 };

struct heads_file {
    struct file *file;
    int64_t *marks; /* feeds whose head changed in this transaction; 0: the journal */
    size_t mark_count, mark_capacity;
    size_t committed; /* so many marks are of transactions that stand: they are owed */
};

struct head {
    int64_t feed_id;
    uint64_t epoch, size;
    struct digest root;
    uint64_t erasure; /* of the journal's slot */
};

enum status heads_open(struct store *store, bool create, struct error *err)
{
    char path[FILE_PATH_MAX];
    struct heads_file *heads = mem_calloc(1, sizeof(*heads));
    if (heads == NULL)
        return error_set(err, ERR_MEMORY, "no memory for the heads");
    enum status status = file_path(store->directory, "heads", path, err);
    if (status == OK)
        status = file_open(store->vfs, path, create ? FILE_CREATE : FILE_WRITE, &heads->file, err);
    if (status == OK && create) { /* SQLite's VFS takes an empty file for a missing one */
        static const uint8_t nothing[HEADS_SLOT_SIZE] = { 0 };
        status = file_write(heads->file, 0, SPAN_ARRAY(nothing), err);
        if (status == OK)
            status = file_sync(heads->file, err);
        if (status != OK)
            file_close(heads->file);
    }
    if (status == OK)
        store->heads = heads;
    else
        mem_free(heads);
    return status;
}

void heads_close(struct store *store)
{
    if (store->heads == NULL)
        return;
    file_close(store->heads->file);
    mem_free(store->heads->marks);
    mem_free(store->heads);
    store->heads = NULL;
}

void heads_forget(struct store *store)
{
    if (store->heads != NULL)
        store->heads->mark_count = store->heads->committed;
}

enum status heads_mark(struct store *store, int64_t feed_id, struct error *err)
{
    struct heads_file *heads = store->heads;
    if (store->relaxed)
        return error_set(err, ERR_INTERNAL, "a head in a transaction that may be lost");
    for (size_t i = 0; i < heads->mark_count; i++)
        if (heads->marks[i] == feed_id)
            return OK;
    if (heads->mark_count == heads->mark_capacity) {
        size_t capacity = heads->mark_capacity == 0 ? MARKS_FIRST : heads->mark_capacity * 2;
        int64_t *marks = mem_realloc(heads->marks, capacity * sizeof(*marks));
        if (marks == NULL)
            return error_set(err, ERR_MEMORY, "no memory for the heads");
        heads->marks = marks;
        heads->mark_capacity = capacity;
    }
    heads->marks[heads->mark_count++] = feed_id;
    return OK;
}

static enum status encode(const struct store *store,
                          const struct head *head,
                          struct buf *out,
                          struct error *err)
{
    buf_clear(out);
    struct writer w = writer_init(out);
    writer_bytes(&w, span_of(magic, sizeof(magic)));
    writer_bytes(&w, SPAN_ARRAY(store->database_id.bytes));
    writer_u64(&w, (uint64_t)head->feed_id);
    writer_u64(&w, head->epoch);
    writer_u64(&w, head->size);
    writer_bytes(&w, SPAN_ARRAY(head->root.bytes));
    writer_u64(&w, head->feed_id == 0 ? store->keys->done_generation : 0);
    enum status status = writer_done(&w, "head", err);
    if (status == OK)
        status = buf_append_zeros(out, ZEROS, err);
    struct digest sum;
    struct span all = buf_span(out);
    if (status == OK)
        status = sha256_of(&all, 1, &sum, err);
    return status == OK ? buf_append(out, SPAN_ARRAY(sum.bytes), err) : status;
}

/* False: an empty or a torn slot, or one of another database. */
static bool decode(const struct store *store, const uint8_t *bytes, struct head *ret_head)
{
    struct digest sum;
    struct span all = span_of(bytes, SUM_AT);
    if (sha256_of(&all, 1, &sum, NULL) != OK || memcmp(sum.bytes, bytes + SUM_AT, DIGEST_SIZE) != 0)
        return false;
    struct reader r = reader_init(all);
    struct span found = reader_bytes(&r, sizeof(magic));
    struct span id = reader_bytes(&r, ID_SIZE);
    ret_head->feed_id = (int64_t)reader_u64(&r);
    ret_head->epoch = reader_u64(&r);
    ret_head->size = reader_u64(&r);
    reader_copy(&r, ret_head->root.bytes, DIGEST_SIZE);
    ret_head->erasure = reader_u64(&r);
    return span_equal(found, span_of(magic, sizeof(magic))) &&
           span_equal(id, SPAN_ARRAY(store->database_id.bytes));
}

/* What the database says; ERR_NOT_FOUND when it has no such feed. */
static enum status read_row(struct store *store,
                            int64_t feed_id,
                            struct head *ret_head,
                            bool *ret_active,
                            struct error *err)
{
    enum status status;
    if (feed_id == 0) {
        struct journal_head journal;
        status = journal_rows_head(store, &journal, err);
        if (status == OK)
            *ret_head = (struct head){ 0, journal.epoch, journal.size, journal.root, 0 };
        *ret_active = true;
    } else {
        struct feed_row feed;
        status = feed_rows_get(store, feed_id, &feed, err);
        if (status == OK) {
            *ret_head = (struct head){ feed_id, feed.epoch, feed.size, feed.root, 0 };
            *ret_active = feed.state == FEED_ACTIVE;
        }
    }
    return status;
}

static enum status put(struct store *store, const struct head *head, struct error *err)
{
    struct buf out = BUF_INIT;
    enum status status = encode(store, head, &out, err);
    if (status == OK)
        status = file_write(store->heads->file, (uint64_t)head->feed_id * HEADS_SLOT_SIZE,
                            buf_span(&out), err);
    buf_fini(&out);
    return status;
}

static enum status save(struct store *store, struct error *err)
{
    struct heads_file *heads = store->heads;
    enum status status = OK;
    heads->committed = heads->mark_count;
    for (size_t i = 0; status == OK && i < heads->mark_count; i++) {
        struct head head;
        bool active = false;
        status = read_row(store, heads->marks[i], &head, &active, err);
        if (status == OK)
            status = put(store, &head, err);
        else if (status == ERR_NOT_FOUND)
            status = OK; /* the job that opened this feed was rolled back, the others were not */
    }
    if (status != OK)
        return status;
    heads->mark_count = 0;
    heads->committed = 0;
    return OK;
}

enum status heads_note_erasure(struct store *store, struct error *err)
{
    struct head journal;
    bool active = false;
    if (store->heads == NULL)
        return OK;
    enum status status = read_row(store, 0, &journal, &active, err);
    return status == OK ? put(store, &journal, err) : status;
}

enum status heads_read_erasure(struct store *store, uint64_t *ret_generation, struct error *err)
{
    char path[FILE_PATH_MAX];
    uint8_t bytes[HEADS_SLOT_SIZE];
    struct head head;
    struct file *file = NULL;
    *ret_generation = 0;
    enum status status = file_path(store->directory, "heads", path, err);
    if (status != OK || !file_exists(store->vfs, path))
        return status;
    status = file_open(store->vfs, path, FILE_READ, &file, err);
    if (status == OK)
        status = file_read(file, 0, bytes, sizeof(bytes), err);
    if (status == OK && decode(store, bytes, &head))
        *ret_generation = head.erasure;
    file_close(file);
    return status;
}

static const char *next_step(enum status status)
{
    if (status == ERR_FULL)
        return "free space";
    return status == ERR_IO ? "look at the disk (dmesg) and start the node again" : "wait a little";
}

/* The transaction stands: whoever reads this must not be told to do the same again. */
enum status heads_save(struct store *store, struct error *err)
{
    struct error why = ERROR_INIT;
    enum status status = save(store, &why);
    if (status == OK)
        return OK;
    const char *next = strstr(why.text, "; next: ");
    return error_set(err, status,
                     "it is stored, but its head outside the database is not (%.*s), and nothing "
                     "is signed before it is; next: %s, and see what is there before you repeat "
                     "anything",
                     next != NULL ? (int)(next - why.text) : (int)sizeof(why.text), why.text,
                     next_step(status));
}

enum status heads_write_all(struct store *store, struct error *err)
{
    struct feed_row feeds[8];
    size_t count = 1;
    enum status status = heads_mark(store, 0, err);
    for (int64_t after = 0; status == OK && count > 0;) {
        status = feed_rows_list(store, after, feeds, sizeof(feeds) / sizeof(feeds[0]), &count, err);
        for (size_t i = 0; status == OK && i < count; i++) {
            after = feeds[i].feed_id;
            status = heads_mark(store, after, err);
        }
    }
    return status == OK ? save(store, err) : status;
}

static enum status flag(struct store *store, int64_t feed_id, struct error *err)
{
    if (feed_id == 0) {
        struct journal_head journal;
        enum status status = journal_rows_head(store, &journal, err);
        journal.rolled_back = true;
        return status == OK ? journal_rows_set_head(store, &journal, err) : status;
    }
    struct feed_row feed;
    enum status status = feed_rows_get(store, feed_id, &feed, err);
    feed.rolled_back = true;
    return status == OK ? feed_rows_set_state(store, &feed, err) : status;
}

/* The whole database is older than its heads, in a way that no single row can say. */
static enum status flag_restored(struct store *store, struct error *err)
{
    int64_t now_ms = store->clock->wall_ms(store->clock);
    return store_meta_set(store, "restored_ms", span_of(&now_ms, sizeof(now_ms)), err);
}

static enum status compare_one(struct store *store, const struct head *outside, struct error *err)
{
    struct head inside = { 0 };
    bool active = false;
    struct error local = ERROR_INIT;
    enum status status = read_row(store, outside->feed_id, &inside, &active, &local);
    if (status == ERR_NOT_FOUND)
        return flag_restored(store, err);
    if (status != OK) {
        if (err != NULL)
            *err = local;
        return status;
    }
    bool same_epoch = inside.epoch == outside->epoch;
    bool behind = !same_epoch || inside.size < outside->size ||
                  (inside.size == outside->size && !digest_equal(&inside.root, &outside->root));
    /* A journal that moved on to a new epoch just before its head was saved is not behind. */
    if (outside->feed_id == 0 && !same_epoch)
        behind = false;
    return behind && active ? flag(store, outside->feed_id, err) : OK;
}

static enum status compare_all(struct store *store, struct error *err)
{
    uint64_t size = 0;
    enum status status = file_size(store->heads->file, &size, err);
    for (uint64_t at = 0; status == OK && at + HEADS_SLOT_SIZE <= size; at += HEADS_SLOT_SIZE) {
        uint8_t bytes[HEADS_SLOT_SIZE];
        struct head outside;
        status = file_read(store->heads->file, at, bytes, sizeof(bytes), err);
        if (status == OK && decode(store, bytes, &outside) &&
            (uint64_t)outside.feed_id * HEADS_SLOT_SIZE == at)
            status = compare_one(store, &outside, err);
    }
    return status;
}

enum status heads_compare(struct store *store, struct error *err)
{
    enum status status = store_begin(store, err);
    if (status != OK)
        return status;
    status = compare_all(store, err);
    if (status == OK)
        status = store_commit(store, err);
    else
        store_rollback(store);
    heads_forget(store);
    return status;
}
