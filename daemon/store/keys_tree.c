#include "store/keys_tree.h"

#include "base/memory.h"

#include <assert.h>
#include <string.h>

enum status keys_tree_new(struct store *store, const struct seal_key *credential, struct error *err)
{
    struct keys *keys = mem_calloc(1, sizeof(*keys));
    if (keys == NULL)
        return error_set(err, ERR_MEMORY, "no memory for the key tree");
    keys->slots = (struct root_slots){ NULL, store->sealer, credential, store->database_id };
    keys->sealed = (struct buf)BUF_INIT;
    store->keys = keys;
    return OK;
}

static void free_page(struct key_page *page)
{
    mem_wipe(page, sizeof(*page));
    mem_free(page);
}

static void drop_pages(struct keys *keys, bool dirty_only)
{
    size_t kept = 0;
    for (size_t i = 0; i < keys->page_count; i++) {
        if (!dirty_only || keys->pages[i]->dirty)
            free_page(keys->pages[i]);
        else
            keys->pages[kept++] = keys->pages[i];
    }
    keys->page_count = kept;
}

void keys_tree_free(struct store *store)
{
    struct keys *keys = store->keys;
    if (keys == NULL)
        return;
    drop_pages(keys, false);
    mem_free(keys->pages);
    mem_free(keys->groups);
    mem_free(keys->written);
    buf_fini(&keys->sealed);
    file_close(keys->slots.file);
    mem_wipe(keys, sizeof(*keys));
    mem_free(keys);
    store->keys = NULL;
}

enum status keys_tree_load(struct store *store, struct error *err)
{
    struct keys *keys = store->keys;
    if (keys->loaded)
        return OK;
    struct query q = query_start(store, STATEMENT_KEY_TREE_GET);
    bool found = query_row(&q);
    if (found) {
        keys->top_level = query_u8(&q);
        keys->next_leaf = query_uint(&q);
        keys->next_block = query_uint(&q);
        keys->generation = query_uint(&q);
    }
    enum status status = query_found(&q, found, "key tree", err);
    if (status == OK && (keys->top_level < 1 || keys->top_level > KEY_PAGE_LEVEL_MAX))
        status = error_set(err, ERR_CORRUPT, "key tree of %d levels", keys->top_level);
    keys->loaded = status == OK;
    return status;
}

/* A cached page, or NULL. */
static struct key_page *cached(struct keys *keys, uint8_t level, uint64_t index)
{
    for (size_t i = keys->page_count; i > 0; i--) {
        struct key_page *page = keys->pages[i - 1];
        if (page->index == index && page->level == level) {
            page->stamp = ++keys->stamp;
            return page;
        }
    }
    return NULL;
}

static void evict_oldest(struct keys *keys)
{
    size_t clean = 0;
    size_t oldest = keys->page_count;
    for (size_t i = 0; i < keys->page_count; i++) {
        if (keys->pages[i]->dirty)
            continue;
        clean++;
        if (oldest == keys->page_count || keys->pages[i]->stamp < keys->pages[oldest]->stamp)
            oldest = i;
    }
    if (clean < KEYS_CACHE_PAGES)
        return;
    free_page(keys->pages[oldest]);
    keys->pages[oldest] = keys->pages[--keys->page_count];
}

/* An empty page in the cache. */
static enum status add_page(
    struct keys *keys, uint8_t level, uint64_t index, struct key_page **ret_page, struct error *err)
{
    evict_oldest(keys);
    if (keys->page_count == keys->page_capacity) {
        size_t capacity = keys->page_capacity == 0 ? KEYS_CACHE_PAGES : keys->page_capacity * 2;
        struct key_page **pages = mem_realloc(keys->pages, capacity * sizeof(struct key_page *));
        if (pages == NULL)
            return error_set(err, ERR_MEMORY, "no memory for key pages");
        keys->pages = pages;
        keys->page_capacity = capacity;
    }
    struct key_page *page = mem_calloc(1, sizeof(*page));
    if (page == NULL)
        return error_set(err, ERR_MEMORY, "no memory for a key page");
    page->level = level;
    page->index = index;
    page->stamp = ++keys->stamp;
    keys->pages[keys->page_count++] = page;
    *ret_page = page;
    return OK;
}

/* Reads and opens the page's row; page->key is set. */
static enum status load_page(struct store *store, struct key_page *page, struct error *err)
{
    struct query q = query_start(store, STATEMENT_KEY_PAGE_GET);
    query_put_uint(&q, key_page_id(page->level, page->index));
    bool found = query_row(&q);
    enum status status = OK;
    if (found) {
        page->block = query_uint(&q);
        page->used = query_u32(&q);
        status = key_page_open(store->sealer, &store->database_id, query_blob(&q), page, err);
    }
    enum status ended = query_found(&q, found, "key page", status == OK ? err : NULL);
    return status != OK ? status : ended;
}

static enum status damaged(enum status status, uint8_t level, uint64_t index, struct error *err)
{
    if (status != ERR_SIGNATURE && status != ERR_NOT_FOUND)
        return status;
    return error_set(err, ERR_CORRUPT,
                     "key page %u/%llu is missing or does not open; next: stop the node, and "
                     "restore the last backup (comityd --restore)",
                     level, (unsigned long long)index);
}

enum status keys_tree_page(struct store *store,
                           uint8_t level,
                           uint64_t index,
                           struct key_page **ret_page,
                           struct error *err)
{
    struct keys *keys = store->keys;
    enum status status = keys_tree_load(store, err);
    if (status != OK)
        return status;
    struct key_page *page = cached(keys, level, index);
    if (page != NULL) {
        *ret_page = page;
        return OK;
    }
    /* From the top down to the page: each step finds its parent in the cache. */
    struct seal_key key = keys->root;
    for (int at = keys->top_level; status == OK && at >= level; at--) {
        uint64_t here = index;
        for (int i = level; i < at; i++)
            here /= KEYS_PER_PAGE;
        page = cached(keys, (uint8_t)at, here);
        if (page == NULL) {
            status = add_page(keys, (uint8_t)at, here, &page, err);
            if (status != OK)
                break;
            page->key = key;
            status = load_page(store, page, err);
            if (status != OK) {
                free_page(page);
                keys->page_count--; /* it was added last */
                status = damaged(status, (uint8_t)at, here, err);
            }
        }
        uint64_t below = index;
        for (int i = level; i < at - 1; i++)
            below /= KEYS_PER_PAGE;
        if (status == OK && at > level)
            key = page->keys[below % KEYS_PER_PAGE];
    }
    mem_wipe(&key, sizeof(key));
    if (status == OK)
        *ret_page = page;
    return status;
}

/* A new, dirty page with a fresh key that nobody holds yet. */
static enum status make_page(struct store *store,
                             uint8_t level,
                             uint64_t index,
                             struct key_page **ret_page,
                             struct error *err)
{
    struct keys *keys = store->keys;
    struct seal_key key;
    struct key_page *page = NULL;
    enum status status = seal_key_make(store->random, &key, err);
    if (status == OK)
        status = add_page(keys, level, index, &page, err);
    assert(status != OK || page != NULL);
    if (status == OK) {
        page->key = key;
        page->block = keys->next_block++;
        page->dirty = true;
        keys->changed = keys->grown = true;
        *ret_page = page;
    }
    mem_wipe(&key, sizeof(key));
    return status;
}

/* One more level: a new top page, sealed by the root key, holds a fresh key for the old one. */
static enum status grow(struct store *store, struct error *err)
{
    struct keys *keys = store->keys;
    if (keys->top_level == KEY_PAGE_LEVEL_MAX)
        return error_set(err, ERR_FULL, "the key tree is full");
    struct key_page *old = NULL;
    struct key_page *top = NULL;
    enum status status = keys_tree_page(store, keys->top_level, 0, &old, err);
    if (status != OK)
        return status;
    old->dirty = true;
    status = make_page(store, (uint8_t)(keys->top_level + 1), 0, &top, err);
    if (status != OK)
        return status;
    old->key = top->key;
    top->keys[0] = top->key;
    top->key = keys->root;
    keys->top_level++;
    return OK;
}

static uint64_t leaves_below(uint8_t level)
{
    uint64_t leaves = 1;
    for (int i = 0; i < level; i++)
        leaves *= KEYS_PER_PAGE;
    return leaves;
}

/* The page at (level, index), made when leaf `leaf` is the first one below it. */
// NOLINTNEXTLINE(misc-no-recursion): at most KEY_PAGE_LEVEL_MAX deep
static enum status take_page(struct store *store,
                             uint8_t level,
                             uint64_t leaf,
                             struct key_page **ret_page,
                             struct error *err)
{
    struct keys *keys = store->keys;
    uint64_t index = leaf / leaves_below(level);
    if (leaf % leaves_below(level) != 0)
        return keys_tree_page(store, level, index, ret_page, err);
    struct key_page *page = NULL;
    struct key_page *parent = NULL;
    enum status status = make_page(store, level, index, &page, err);
    if (status != OK)
        return status;
    if (level == keys->top_level) {
        page->key = keys->root;
    } else {
        status = take_page(store, (uint8_t)(level + 1), leaf, &parent, err);
        if (status == OK) {
            parent->keys[index % KEYS_PER_PAGE] = page->key;
            parent->dirty = true;
        }
    }
    *ret_page = page;
    return status;
}

enum status keys_tree_new_leaf(struct store *store, struct key_page **ret_page, struct error *err)
{
    struct keys *keys = store->keys;
    enum status status = keys_tree_load(store, err);
    if (status == OK && keys->next_leaf == leaves_below(keys->top_level))
        status = grow(store, err);
    if (status == OK)
        status = take_page(store, 0, keys->next_leaf, ret_page, err);
    if (status == OK)
        keys->next_leaf++;
    else if (store->sticky.status == OK) /* half a path in memory: this transaction is over */
        (void)error_set(&store->sticky, status, "the key tree could not grow");
    return status;
}

enum status keys_tree_opens(struct store *store,
                            const struct seal_key *root,
                            bool *ret_opens,
                            struct error *err)
{
    struct keys *keys = store->keys;
    enum status status = keys_tree_load(store, err);
    if (status != OK)
        return status;
    struct key_page *top = NULL;
    drop_pages(keys, false);
    keys->root = *root;
    if (keys->next_leaf == 0) {
        *ret_opens = true;
        return OK;
    }
    struct error local = ERROR_INIT;
    status = keys_tree_page(store, keys->top_level, 0, &top, &local);
    *ret_opens = status == OK;
    if (status == OK || status == ERR_CORRUPT)
        return OK;
    if (err != NULL)
        *err = local;
    return status;
}

static enum status write_page(struct store *store, struct key_page *page, struct error *err)
{
    struct keys *keys = store->keys;
    enum status status =
        key_page_seal(store->sealer, &store->database_id, page, &keys->sealed, err);
    if (status != OK)
        return status;
    struct query q = query_start(store, STATEMENT_KEY_PAGE_PUT);
    query_put_uint(&q, key_page_id(page->level, page->index));
    query_put_uint(&q, page->block);
    query_put_uint(&q, keys->generation);
    query_put_blob(&q, buf_span(&keys->sealed));
    query_put_uint(&q, page->used);
    return query_run(&q, err);
}

static enum status write_group(struct store *store,
                               const struct key_group *group,
                               struct error *err)
{
    struct query q = query_start(store, STATEMENT_KEY_GROUP_PUT);
    query_put_id(&q, &group->id);
    query_put_uint(&q, group->leaf);
    return query_run(&q, err);
}

enum status keys_tree_write(struct store *store, struct error *err)
{
    struct keys *keys = store->keys;
    if (keys == NULL || !keys->changed)
        return OK;
    if (!keys->begun)
        keys->generation++;
    enum status status = OK;
    for (size_t i = 0; status == OK && i < keys->page_count; i++)
        if (keys->pages[i]->dirty)
            status = write_page(store, keys->pages[i], err);
    for (size_t i = 0; status == OK && i < keys->group_count; i++)
        if (keys->groups[i].dirty)
            status = write_group(store, &keys->groups[i], err);
    if (status != OK || (keys->begun && !keys->grown))
        return status;
    struct query q = query_start(store, STATEMENT_KEY_TREE_SET);
    query_put_uint(&q, keys->top_level);
    query_put_uint(&q, keys->next_leaf);
    query_put_uint(&q, keys->next_block);
    query_put_uint(&q, keys->generation);
    return query_run(&q, err);
}

/* For keys.bundle. */
static void note_written(struct keys *keys, uint64_t id)
{
    if (keys->written == NULL)
        keys->written = mem_calloc(KEYS_WRITTEN_MAX, sizeof(*keys->written));
    if (keys->written == NULL || keys->written_count == KEYS_WRITTEN_MAX) {
        keys->behind = true;
        keys->overflows++;
        return;
    }
    keys->written[keys->written_count++] = id;
}

void keys_tree_written(struct store *store)
{
    struct keys *keys = store->keys;
    if (keys == NULL || !keys->changed)
        return;
    for (size_t i = 0; i < keys->page_count; i++) {
        struct key_page *page = keys->pages[i];
        if (page->dirty && keys->bundled)
            note_written(keys, key_page_id(page->level, page->index));
        page->dirty = page->rekey = false;
    }
    while (keys->page_count > KEYS_CACHE_PAGES)
        evict_oldest(keys);
    for (size_t i = 0; i < keys->group_count; i++) {
        keys->groups[i].dirty = false;
        keys->groups[i].page = NULL;
    }
    if (keys->group_count > KEYS_GROUPS_KEPT)
        keys->group_count = 0;
    keys->changed = keys->grown = false;
    keys->begun = true;
}

void keys_tree_forget(struct store *store)
{
    struct keys *keys = store->keys;
    if (keys == NULL || !keys->changed)
        return;
    drop_pages(keys, true);
    keys->group_count = 0;
    keys->loaded = false;
    keys->changed = keys->grown = false;
}

enum status keys_tree_count(struct store *store, uint64_t *ret_slots, struct error *err)
{
    enum status status = keys_tree_load(store, err);
    if (status == OK)
        *ret_slots = store->keys->next_leaf * KEYS_PER_PAGE;
    return status;
}
