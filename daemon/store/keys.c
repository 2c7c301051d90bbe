#include "store/keys.h"

#include "base/memory.h"
#include "store/keys_tree.h"

/* The group's place in memory, read from its row; *ret_group is NULL when it has none yet. */
static enum status find_group(struct store *store,
                              const struct id *id,
                              struct key_group **ret_group,
                              struct error *err)
{
    struct keys *keys = store->keys;
    for (size_t i = keys->group_count; i > 0; i--) {
        if (id_equal(&keys->groups[i - 1].id, id)) {
            *ret_group = &keys->groups[i - 1];
            return OK;
        }
    }
    struct key_group group = { .id = *id, .used = KEYS_PER_PAGE }; /* full: takes a new leaf */
    struct query q = query_start(store, STATEMENT_KEY_GROUP_GET);
    query_put_id(&q, id);
    if (query_row(&q)) {
        group.leaf = query_uint(&q);
        group.used = query_u32(&q);
    }
    enum status status = query_end(&q, err);
    if (status != OK)
        return status;
    if (keys->group_count == keys->group_capacity) {
        size_t capacity = keys->group_capacity == 0 ? KEYS_GROUPS_KEPT : keys->group_capacity * 2;
        struct key_group *groups = mem_realloc(keys->groups, capacity * sizeof(*groups));
        if (groups == NULL) {
            (void)error_set(err, ERR_MEMORY, "no memory for key groups");
            return ERR_MEMORY; /* said twice, so that the compiler sees that this is no OK */
        }
        keys->groups = groups;
        keys->group_capacity = capacity;
    }
    keys->groups[keys->group_count] = group;
    *ret_group = &keys->groups[keys->group_count++];
    return OK;
}

/* The leaf in which the group's next key goes, in group->page, dirty. */
static enum status take_leaf(struct store *store, struct key_group *group, struct error *err)
{
    if (group->page != NULL && group->used < KEYS_PER_PAGE)
        return OK;
    struct key_page *page = NULL;
    enum status status = OK;
    if (group->used < KEYS_PER_PAGE) {
        status = keys_tree_page(store, 0, group->leaf, &page, err);
    } else {
        status = keys_tree_new_leaf(store, &page, err);
        if (status == OK) {
            group->leaf = page->index;
            group->used = 0;
            group->dirty = true;
        }
    }
    if (status != OK)
        return status;
    page->dirty = true; /* stays in the cache until the commit */
    group->page = page;
    store->keys->changed = true;
    return OK;
}

enum status keys_add(struct store *store,
                     const struct id *group_id,
                     uint64_t *ret_slot,
                     struct seal_key *ret_key,
                     struct error *err)
{
    if (!store_in_transaction(store))
        return error_set(err, ERR_INTERNAL, "keys: a key is added outside a transaction");
    struct key_group *group = NULL;
    struct seal_key key;
    enum status status = find_group(store, group_id, &group, err);
    if (status == OK)
        status = take_leaf(store, group, err);
    if (status == OK)
        status = seal_key_make(store->random, &key, err);
    if (status != OK)
        return status;
    group->page->keys[group->used] = key;
    *ret_slot = group->leaf * KEYS_PER_PAGE + group->used;
    group->page->used = ++group->used;
    *ret_key = key;
    mem_wipe(&key, sizeof(key));
    return OK;
}

enum status keys_get(struct store *store,
                     uint64_t slot,
                     struct seal_key *ret_key,
                     struct error *err)
{
    struct key_page *page = NULL;
    enum status status = keys_tree_load(store, err);
    if (status != OK)
        return status;
    if (slot / KEYS_PER_PAGE >= store->keys->next_leaf)
        return error_set(err, ERR_NOT_FOUND, "there is no key in slot %llu",
                         (unsigned long long)slot);
    status = keys_tree_page(store, 0, slot / KEYS_PER_PAGE, &page, err);
    if (status != OK)
        return status;
    const struct seal_key *key = &page->keys[slot % KEYS_PER_PAGE];
    if (key_is_none(key))
        return error_set(err, ERR_ERASED, "the key in slot %llu was destroyed",
                         (unsigned long long)slot);
    *ret_key = *key;
    return OK;
}
