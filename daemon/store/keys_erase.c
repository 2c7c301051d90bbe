/* The exact order of DESIGN 4; keys.h describes it. */
#include "base/memory.h"
#include "store/bundle.h"
#include "store/keys.h"
#include "store/keys_tree.h"

#include <string.h>

/* After the commit: the WAL emptied, the bundle following, the old root gone.  Repeated by the next
 * erasure, or at opening, when it fails half-way. */
static enum status finish(struct store *store, bool after_crash, struct error *err)
{
    struct keys *keys = store->keys;
    enum status status = store_checkpoint(store, err);
    if (status == OK)
        status = bundle_follow(store, after_crash, err);
    if (status == OK) { /* from here on no older bundle will do */
        keys->done_generation = keys->root_generation;
        status = heads_note_erasure(store, err);
    }
    if (status == OK)
        status = root_slot_wipe(&keys->slots, 1 - keys->slot, err);
    if (status == OK)
        keys->unfinished = false;
    else if (status == ERR_IO)
        status = store_lose(store, err);
    return status;
}

static enum status clear_slot(struct store *store, uint64_t slot, struct error *err)
{
    struct keys *keys = store->keys;
    uint64_t leaf = slot / KEYS_PER_PAGE;
    if (leaf >= keys->next_leaf)
        return error_set(err, ERR_NOT_FOUND, "there is no key in slot %llu",
                         (unsigned long long)slot);
    struct key_page *page = NULL;
    enum status status = keys_tree_page(store, 0, leaf, &page, err);
    if (status != OK)
        return status;
    mem_wipe(&page->keys[slot % KEYS_PER_PAGE], SEAL_KEY_SIZE);
    page->dirty = page->rekey = true;
    keys->changed = true;
    return OK;
}

/* Fresh page keys for all marked pages of `level`; their parents are marked. */
static enum status rekey_level(struct store *store, uint8_t level, struct error *err)
{
    struct keys *keys = store->keys;
    /* Loading a parent may move the array, but only clean pages leave it; new ones come last. */
    for (size_t i = 0; i < keys->page_count; i++) {
        struct key_page *page = keys->pages[i];
        if (!page->rekey || page->level != level)
            continue;
        struct key_page *parent = NULL;
        enum status status =
            keys_tree_page(store, (uint8_t)(level + 1), page->index / KEYS_PER_PAGE, &parent, err);
        if (status == OK)
            status = seal_key_make(store->random, &page->key, err);
        if (status != OK)
            return status;
        parent->keys[page->index % KEYS_PER_PAGE] = page->key;
        parent->dirty = parent->rekey = true;
    }
    return OK;
}

static enum status rekey(struct store *store,
                         const uint64_t *slots,
                         size_t count,
                         const struct seal_key *root,
                         struct error *err)
{
    struct keys *keys = store->keys;
    enum status status = keys_tree_load(store, err);
    for (size_t i = 0; status == OK && i < count; i++)
        status = clear_slot(store, slots[i], err);
    for (uint8_t level = 0; status == OK && level < keys->top_level; level++)
        status = rekey_level(store, level, err);
    struct key_page *top = NULL;
    if (status == OK)
        status = keys_tree_page(store, keys->top_level, 0, &top, err);
    if (status == OK)
        top->key = *root;
    return status;
}

static enum status change(struct store *store,
                          const uint64_t *slots,
                          size_t count,
                          const struct seal_key *root,
                          struct keys_change with,
                          struct error *err)
{
    enum status status = store_begin(store, err);
    if (status != OK)
        return status;
    if (count > 0)
        status = rekey(store, slots, count, root, err);
    if (status == OK && with.run != NULL)
        status = with.run(with.context, store, err);
    if (status != OK)
        store_rollback(store);
    else
        status = store_commit(store, err);
    return status;
}

enum status keys_erase(struct store *store,
                       const uint64_t *slots,
                       size_t count,
                       struct keys_change with,
                       struct error *err)
{
    struct keys *keys = store->keys;
    if (store_in_transaction(store))
        return error_set(err, ERR_INTERNAL, "keys: erasing inside a transaction");
    if (count > KEYS_ERASE_MAX)
        return error_set(err, ERR_LIMIT, "%zu keys to erase at once > %d", count, KEYS_ERASE_MAX);
    enum status status = keys->unfinished ? finish(store, true, err) : OK;
    if (status != OK || count == 0)
        return status != OK ? status : change(store, NULL, 0, NULL, with, err);
    struct seal_key root;
    int spare = 1 - keys->slot;
    status = seal_key_make(store->random, &root, err);
    if (status != OK)
        return status;
    status = root_slot_write(&keys->slots, spare, keys->root_generation + 1, &root, err);
    if (status == OK)
        status = change(store, slots, count, &root, with, err);
    if (status == OK) {
        keys->root = root;
        keys->root_generation++;
        keys->slot = spare;
        keys->unfinished = true;
        status = finish(store, false, err);
    } else if (!store_is_lost(store)) {
        /* Nothing was committed: the new root opens nothing and goes. */
        struct error local = ERROR_INIT;
        if (root_slot_wipe(&keys->slots, spare, &local) == ERR_IO)
            status = store_lose(store, err);
    }
    mem_wipe(&root, sizeof(root));
    return status;
}

static enum status refuse(const struct store *store,
                          const struct root_slot *slots,
                          struct error *err)
{
    const char *directory = store->directory;
    bool unreadable = false; /* sealed, and this credential does not open it */
    for (int i = 0; i < ROOT_SLOT_COUNT; i++)
        unreadable = unreadable || (slots[i].sealed && !slots[i].readable);
    if (unreadable && store->keys->slots.credential == NULL) {
        return error_set(err, ERR_CORRUPT,
                         "%s/root.slot is sealed by the credential comity-root, and there is none; "
                         "next: start comityd by its unit, with LoadCredentialEncrypted= as before",
                         directory);
    }
    if (unreadable) {
        return error_set(err, ERR_CORRUPT,
                         "%s/root.slot is sealed by another credential than this comity-root; "
                         "next: put back the credential that sealed it",
                         directory);
    }
    return error_set(err, ERR_CORRUPT,
                     "no key in %s/root.slot opens the database: the two do not belong together; "
                     "next: put both back as they were, or restore the last backup (comityd "
                     "--restore)",
                     directory);
}

/* A credential came after the database: the root is sealed into the other slot, and the open one
 * zeroed.  After a crash in between both open the database, and either may stay. */
static enum status seal_open_root(struct store *store,
                                  const struct root_slot *slot,
                                  struct error *err)
{
    struct keys *keys = store->keys;
    if (keys->slots.credential == NULL || slot->sealed)
        return OK;
    int spare = 1 - keys->slot;
    enum status status = root_slot_write(&keys->slots, spare, slot->generation, &slot->root, err);
    if (status == OK)
        status = root_slot_wipe(&keys->slots, keys->slot, err);
    if (status == OK)
        keys->slot = spare;
    return status;
}

enum status keys_erase_recover(struct store *store, struct error *err)
{
    struct keys *keys = store->keys;
    struct root_slot slots[ROOT_SLOT_COUNT] = { { 0 } };
    enum status status = OK;
    int winner = -1;
    for (int i = 0; status == OK && i < ROOT_SLOT_COUNT; i++)
        status = root_slot_read(&keys->slots, i, &slots[i], err);
    for (int i = 0; status == OK && i < ROOT_SLOT_COUNT && winner < 0; i++) {
        bool opens = false;
        if (slots[i].readable)
            status = keys_tree_opens(store, &slots[i].root, &opens, err);
        if (status == OK && opens)
            winner = i;
    }
    if (status == OK && winner < 0) {
        status = refuse(store, slots, err);
    } else if (status == OK) {
        keys->slot = winner;
        keys->root_generation = slots[winner].generation;
        keys->unfinished = slots[1 - winner].used;
        if (keys->unfinished)
            status = finish(store, true, err);
        else
            keys->done_generation = keys->root_generation;
        if (status == OK)
            status = seal_open_root(store, &slots[winner], err);
        if (status == OK)
            status = bundle_seal(store, err);
    }
    mem_wipe(slots, sizeof(slots));
    return status;
}
