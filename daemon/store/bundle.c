#include "store/bundle.h"

#include "base/cursor.h"
#include "base/memory.h"
#include "store/keys_tree.h"

#include <string.h>

static uint64_t block_at(uint64_t block)
{
    return (1 + block) * BUNDLE_BLOCK_SIZE;
}

enum status bundle_read_head(const struct root_slots *slots,
                             struct file *file,
                             struct root_slot *ret_head,
                             struct error *err)
{
    uint8_t bytes[ROOT_SLOT_SIZE];
    struct root_slot head;
    enum status status = file_read(file, 0, bytes, sizeof(bytes), err);
    if (status == OK) {
        root_slot_decode(slots, bytes, &head);
        if (head.readable)
            *ret_head = head;
        else {
            status = error_set(err, ERR_CORRUPT,
                               "keys.bundle does not belong to this database, is damaged, or was "
                               "sealed by another credential; next: take the newest bundle of "
                               "this node");
        }
        mem_wipe(&head, sizeof(head));
    }
    mem_wipe(bytes, sizeof(bytes));
    return status;
}

/* The root and the numbers of now: an erasure may have come between two steps. */
static enum status write_head(struct keys *keys, struct file *file, struct error *err)
{
    uint8_t bytes[ROOT_SLOT_SIZE];
    struct root_slot head = { .generation = keys->root_generation,
                              .root = keys->root,
                              .tree_generation = keys->generation,
                              .top_level = keys->top_level,
                              .next_leaf = keys->next_leaf,
                              .next_block = keys->next_block };
    enum status status = root_slot_encode(&keys->slots, &head, bytes, err);
    if (status == OK)
        status = file_write(file, 0, SPAN_ARRAY(bytes), err);
    if (status == OK)
        status = file_sync(file, err);
    if (status == OK)
        keys->written_count = 0;
    keys->begun = false; /* even if it failed: it may be in the file */
    mem_wipe(&head, sizeof(head));
    mem_wipe(bytes, sizeof(bytes));
    return status;
}

static enum status open_or_create(struct store *store,
                                  struct file **ret_file,
                                  bool *ret_created,
                                  struct error *err)
{
    static const uint8_t nothing[ROOT_SLOT_SIZE] = { 0 };
    char path[FILE_PATH_MAX];
    enum status status = file_path(store->directory, "keys.bundle", path, err);
    if (status != OK)
        return status;
    *ret_created = !file_exists(store->vfs, path);
    status = file_open(store->vfs, path, *ret_created ? FILE_CREATE : FILE_WRITE, ret_file, err);
    if (status != OK || !*ret_created)
        return status;
    status = file_write(*ret_file, 0, SPAN_ARRAY(nothing), err);
    if (status == OK)
        store->keys->bundled = store->keys->behind = true;
    return status;
}

enum status bundle_begin(struct store *store,
                         bool whole,
                         struct bundle_update *ret_update,
                         struct error *err)
{
    struct keys *keys = store->keys;
    struct bundle_update update = { .id = -1 };
    struct root_slot old = { 0 };
    bool created = false;
    enum status status = keys_tree_load(store, err);
    if (status == OK)
        status = open_or_create(store, &update.file, &created, err);
    if (status != OK) {
        bundle_end(&update);
        return status;
    }
    /* Only the bundle of this root, or of the one before it, is one that we kept. */
    bool known =
        !whole && !created && bundle_read_head(&keys->slots, update.file, &old, NULL) == OK &&
        old.generation + 1 >= keys->root_generation && old.generation <= keys->root_generation;
    if (known)
        update.generation = old.tree_generation;
    mem_wipe(&old, sizeof(old));
    update.scan = !known || keys->behind;
    update.overflows = keys->overflows;
    *ret_update = update;
    return OK;
}

void bundle_end(struct bundle_update *update)
{
    file_close(update->file);
    mem_wipe(update, sizeof(*update));
}

static enum status write_page(struct file *file,
                              struct query *q,
                              int64_t *ret_id,
                              struct error *err)
{
    uint8_t bytes[BUNDLE_BLOCK_SIZE] = { 0 };
    uint64_t id = query_uint(q);
    uint64_t block = query_uint(q);
    uint64_t generation = query_uint(q);
    struct span sealed = query_blob(q);
    if (sealed.size != KEYS_PAGE_SIZE || block > INT32_MAX)
        return error_set(err, ERR_CORRUPT, "a key page has %zu bytes", sealed.size);
    for (size_t i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(id >> (56 - 8 * i));
        bytes[8 + i] = (uint8_t)(generation >> (56 - 8 * i));
    }
    memcpy(bytes + 16, sealed.data, sealed.size);
    *ret_id = (int64_t)id;
    return file_write(file, block_at(block), SPAN_ARRAY(bytes), err);
}

/* Up to BUNDLE_STEP_PAGES rows that the query gives. */
static enum status write_pages(struct bundle_update *update,
                               struct query *q,
                               size_t *ret_count,
                               struct error *err)
{
    size_t count = 0;
    int64_t id = 0;
    enum status status = OK;
    while (status == OK && query_row(q)) {
        status = write_page(update->file, q, &id, err);
        count++;
    }
    enum status ended = query_end(q, status == OK ? err : NULL);
    if (status == OK)
        status = ended;
    if (status == OK && count > 0 && update->scan)
        update->id = id;
    if (status == OK)
        *ret_count = count;
    return status;
}

static enum status scan(struct store *store, struct bundle_update *update, struct error *err)
{
    size_t count = 0;
    struct query q = query_start(store, STATEMENT_KEY_PAGE_SINCE);
    query_put_int(&q, update->id);
    query_put_uint(&q, update->generation);
    query_put_int(&q, BUNDLE_STEP_PAGES);
    enum status status = write_pages(update, &q, &count, err);
    if (status == OK)
        status = file_sync(update->file, err);
    if (status != OK || count == BUNDLE_STEP_PAGES)
        return status;
    if (update->overflows == store->keys->overflows) {
        update->scan = false;
        store->keys->behind = false; /* what was written meanwhile is in the list */
    } else {
        update->overflows = store->keys->overflows;
        update->id = -1;
    }
    return OK;
}

static enum status write_listed(struct store *store,
                                struct bundle_update *update,
                                struct error *err)
{
    const struct keys *keys = store->keys;
    enum status status = OK;
    size_t count = 0;
    for (size_t i = 0; status == OK && i < keys->written_count; i++) {
        struct query q = query_start(store, STATEMENT_KEY_PAGE_ROW);
        query_put_uint(&q, keys->written[i]);
        status = write_pages(update, &q, &count, err);
    }
    return status;
}

enum status bundle_step(struct store *store,
                        struct bundle_update *update,
                        bool *ret_done,
                        struct error *err)
{
    *ret_done = false;
    if (update->scan)
        return scan(store, update, err);
    enum status status = write_listed(store, update, err);
    if (status == OK)
        status = file_sync(update->file, err);
    if (status == OK)
        status = write_head(store->keys, update->file, err);
    if (status == OK)
        *ret_done = true;
    return status;
}

enum status bundle_follow(struct store *store, bool whole, struct error *err)
{
    if (!store->keys->bundled)
        return OK;
    struct bundle_update update = { 0 };
    bool done = false;
    enum status status = bundle_begin(store, whole, &update, err);
    while (status == OK && !done)
        status = bundle_step(store, &update, &done, err);
    bundle_end(&update);
    return status;
}

enum status bundle_seal(struct store *store, struct error *err)
{
    const struct root_slots *slots = &store->keys->slots;
    char path[FILE_PATH_MAX];
    uint8_t bytes[ROOT_SLOT_SIZE];
    struct root_slot head = { 0 };
    struct file *file = NULL;
    if (!store->keys->bundled || slots->credential == NULL)
        return OK;
    enum status status = file_path(store->directory, "keys.bundle", path, err);
    if (status == OK)
        status = file_open(store->vfs, path, FILE_WRITE, &file, err);
    if (status != OK)
        return status;
    if (bundle_read_head(slots, file, &head, NULL) == OK && !head.sealed) {
        status = root_slot_encode(slots, &head, bytes, err);
        if (status == OK)
            status = file_write(file, 0, SPAN_ARRAY(bytes), err);
        if (status == OK)
            status = file_sync(file, err);
    }
    file_close(file);
    mem_wipe(&head, sizeof(head));
    mem_wipe(bytes, sizeof(bytes));
    return status;
}

enum status bundle_load_pages(struct store *store, struct file *file, struct error *err)
{
    uint64_t size = 0;
    enum status status = file_size(file, &size, err);
    for (uint64_t block = 0; status == OK && block_at(block) < size; block++) {
        uint8_t bytes[BUNDLE_BLOCK_SIZE];
        status = file_read(file, block_at(block), bytes, sizeof(bytes), err);
        if (status != OK)
            break;
        struct reader r = reader_init(SPAN_ARRAY(bytes));
        uint64_t id = reader_u64(&r);
        uint64_t generation = reader_u64(&r);
        if (generation == 0)
            continue; /* a block that was never written */
        struct query q = query_start(store, STATEMENT_KEY_PAGE_PUT);
        query_put_uint(&q, id);
        query_put_uint(&q, block);
        query_put_uint(&q, generation);
        query_put_blob(&q, reader_bytes(&r, KEYS_PAGE_SIZE));
        query_put_uint(&q, 0); /* its group is cleared, and takes another leaf */
        status = query_run(&q, err);
    }
    return status;
}

/* Row id of each block, so that pages are found by their place in the tree. */
struct block_map {
    uint64_t *ids;
    uint64_t count;
};

static enum status map_blocks(struct file *file, struct block_map *ret_map, struct error *err)
{
    uint64_t size = 0;
    enum status status = file_size(file, &size, err);
    if (status != OK || size < 2 * BUNDLE_BLOCK_SIZE) /* the head and a page */
        return status;
    uint64_t count = size / BUNDLE_BLOCK_SIZE - 1;
    uint64_t *ids = mem_calloc(count, sizeof(*ids));
    if (ids == NULL)
        return error_set(err, ERR_MEMORY, "no memory for %llu key pages",
                         (unsigned long long)count);
    *ret_map = (struct block_map){ ids, count };
    for (uint64_t block = 0; status == OK && block < count; block++) {
        uint8_t bytes[16];
        status = file_read(file, block_at(block), bytes, sizeof(bytes), err);
        struct reader r = reader_init(SPAN_ARRAY(bytes));
        uint64_t id = reader_u64(&r);
        ids[block] = reader_u64(&r) == 0 ? UINT64_MAX : id;
    }
    return status;
}

struct bundle_walk {
    struct store *store;
    struct file *file;
    struct block_map map;
};

/* Opens the page and, above the leaves, every page whose key it holds. */
// NOLINTNEXTLINE(misc-no-recursion): at most KEY_PAGE_LEVEL_MAX deep
static enum status check_page(struct bundle_walk *walk, struct key_page *page, struct error *err)
{
    uint8_t bytes[16 + KEYS_PAGE_SIZE];
    uint64_t block = 0;
    while (block < walk->map.count && walk->map.ids[block] != key_page_id(page->level, page->index))
        block++;
    if (block == walk->map.count)
        return error_set(err, ERR_CORRUPT,
                         "keys.bundle: page %u/%llu is missing; next: take another copy of the "
                         "newest bundle",
                         page->level, (unsigned long long)page->index);
    enum status status = file_read(walk->file, block_at(block), bytes, sizeof(bytes), err);
    if (status == OK)
        status = key_page_open(walk->store->sealer, &walk->store->database_id,
                               span_of(bytes + 16, KEYS_PAGE_SIZE), page, err);
    if (status == ERR_SIGNATURE)
        status = error_set(err, ERR_CORRUPT,
                           "keys.bundle: page %u/%llu does not open; next: take another copy of "
                           "the newest bundle",
                           page->level, (unsigned long long)page->index);
    for (uint64_t i = 0; status == OK && page->level > 0 && i < KEYS_PER_PAGE; i++) {
        if (key_is_none(&page->keys[i]))
            continue;
        struct key_page below = { .level = (uint8_t)(page->level - 1),
                                  .index = page->index * KEYS_PER_PAGE + i,
                                  .key = page->keys[i] };
        status = check_page(walk, &below, err);
        mem_wipe(&below, sizeof(below));
    }
    return status;
}

enum status bundle_check(struct store *store,
                         struct file *file,
                         const struct root_slot *head,
                         struct error *err)
{
    struct bundle_walk walk = { .store = store, .file = file };
    if (head->top_level < 1 || head->top_level > KEY_PAGE_LEVEL_MAX)
        return error_set(err, ERR_CORRUPT, "keys.bundle: a tree of %llu levels",
                         (unsigned long long)head->top_level);
    if (head->next_leaf == 0)
        return OK;
    enum status status = map_blocks(file, &walk.map, err);
    struct key_page top = { .level = (uint8_t)head->top_level, .key = head->root };
    if (status == OK)
        status = check_page(&walk, &top, err);
    mem_wipe(&top, sizeof(top));
    mem_free(walk.map.ids);
    return status;
}
