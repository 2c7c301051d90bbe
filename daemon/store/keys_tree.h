/* The tree of key pages in memory: a bounded cache of opened pages, and what a transaction changed.
 * Inside the store only. */
#ifndef COMITY_STORE_KEYS_TREE_H
#define COMITY_STORE_KEYS_TREE_H

#include "store/inside.h"
#include "store/key_page.h"
#include "store/root_slot.h"

enum {
    KEYS_CACHE_PAGES = 64, /* 256 KiB of opened clean pages at most */
    KEYS_GROUPS_KEPT = 64,
    KEYS_WRITTEN_MAX = 4096
};

struct key_group {
    struct id id;
    uint64_t leaf;
    uint32_t used;         /* positions of the leaf that are allotted */
    bool dirty;            /* took another leaf */
    struct key_page *page; /* the leaf, while it is dirty; else NULL */
};

struct keys {
    struct root_slots slots;
    int slot; /* which one is in use */
    uint64_t root_generation;
    struct seal_key root;
    bool unfinished; /* an erasure was committed, but not completed (keys_erase.c) */
    /* The root_generation that a bundle has to have: of the last erasure that is done, as the heads
     * file remembers it. */
    uint64_t done_generation;
    bool bundled; /* keys.bundle exists, and every erasure follows it */
    /* Pages written since the bundle was last brought up to date; with `behind`, more than these.
     */
    uint64_t *written;
    size_t written_count;
    bool behind;
    uint64_t overflows; /* times that `written` was full */

    bool loaded; /* the row of key_tree */
    uint8_t top_level;
    uint64_t next_leaf, next_block;
    /* Pages are written with the generation in which they changed, and a bundle holds all up to its
     * own.  It goes on with the first commit after a start, and after a bundle was written. */
    uint64_t generation;
    bool begun;   /* this generation stands in key_tree, and is in no bundle */
    bool changed; /* in this transaction */
    bool grown;   /* likewise: by a page */

    struct key_page **pages;
    size_t page_count, page_capacity;
    uint64_t stamp;
    struct key_group *groups;
    size_t group_count, group_capacity;
    struct buf sealed; /* scratch */
};

MUST_CHECK enum status keys_tree_new(struct store *store,
                                     const struct seal_key *credential,
                                     struct error *err);
void keys_tree_free(struct store *store);

MUST_CHECK enum status keys_tree_load(struct store *store, struct error *err);
/* The opened page, in the cache until another page is asked for (a dirty one: until the commit). */
MUST_CHECK enum status keys_tree_page(struct store *store,
                                      uint8_t level,
                                      uint64_t index,
                                      struct key_page **ret_page,
                                      struct error *err);
/* The next new leaf, dirty, with all pages above it. */
MUST_CHECK enum status keys_tree_new_leaf(struct store *store,
                                          struct key_page **ret_page,
                                          struct error *err);
/* The top page opens with `root`; true as well while there is no page at all. */
MUST_CHECK enum status keys_tree_opens(struct store *store,
                                       const struct seal_key *root,
                                       bool *ret_opens,
                                       struct error *err);

/* At the commit: seals and writes dirty pages.  After it: they are clean.  At a rollback: gone. */
MUST_CHECK enum status keys_tree_write(struct store *store, struct error *err);
void keys_tree_written(struct store *store);
void keys_tree_forget(struct store *store);
MUST_CHECK enum status keys_tree_count(struct store *store, uint64_t *ret_slots, struct error *err);

/* keys_erase.c: at opening, finds the slot that opens the top page, and completes an erasure. */
MUST_CHECK enum status keys_erase_recover(struct store *store, struct error *err);

#endif
