#include "feed/leaves.h"

#include "base/memory.h"
#include "store/entry_rows.h"
#include "store/journal_rows.h"

#include <string.h>

enum { LEVEL_BITS = 8, LEVEL_FAN = 256 }; /* subtrees of 256^k leaves are stored */

enum status leaves_init(struct leaves *leaves,
                        struct store *store,
                        int64_t feed_id,
                        uint64_t size,
                        struct span frontier,
                        struct error *err)
{
    size_t want = (size_t)tree_peak_count(size) * DIGEST_SIZE;
    if (size > FEED_ENTRIES_MAX || frontier.size != want) {
        return error_set(err, ERR_CORRUPT,
                         "log %lld: a frontier of %zu bytes does not belong to %llu entries",
                         (long long)feed_id, frontier.size, (unsigned long long)size);
    }
    *leaves = (struct leaves){ .store = store, .feed_id = feed_id };
    leaves->tree.size = size;
    if (want > 0)
        memcpy(leaves->tree.peaks, frontier.data, want);
    return OK;
}

enum status leaves_of_feed(struct leaves *leaves,
                           struct store *store,
                           const struct feed_row *row,
                           struct error *err)
{
    return leaves_init(leaves, store, row->feed_id, row->size,
                       span_of(row->frontier, row->frontier_size), err);
}

static enum status store_subtree(
    void *context, unsigned level, uint64_t index, const struct digest *hash, struct error *err)
{
    struct leaves *leaves = context;
    if (level == 0 || level % LEVEL_BITS != 0)
        return OK;
    return subtree_rows_put(leaves->store, leaves->feed_id, (uint8_t)(level / LEVEL_BITS), index,
                            hash, err);
}

enum status leaves_append(struct leaves *leaves, struct span bytes, struct error *err)
{
    struct tree_sink sink = { leaves, store_subtree };
    struct digest leaf;
    enum status status = tree_leaf(bytes, &leaf, err);
    return status == OK ? tree_append(&leaves->tree, &leaf, &sink, err) : status;
}

enum status leaves_head(const struct leaves *leaves, struct feed_row *row, struct error *err)
{
    enum status status = tree_root(&leaves->tree, &row->root, err);
    if (status != OK)
        return status;
    row->size = leaves->tree.size;
    row->frontier_size = (size_t)tree_peak_count(row->size) * DIGEST_SIZE;
    memcpy(row->frontier, leaves->tree.peaks, row->frontier_size);
    return OK;
}

enum status leaves_save(const struct leaves *leaves, struct feed_row *row, struct error *err)
{
    enum status status = leaves_head(leaves, row, err);
    return status == OK ? feed_rows_set_head(leaves->store, row, err) : status;
}

/* -- reading back ------------------------------------------------------------------------------ */

static enum status journal_leaf(const struct leaves *leaves,
                                uint64_t index,
                                struct digest *ret_leaf,
                                struct error *err)
{
    struct buf bytes = BUF_INIT;
    enum status status = journal_rows_get(leaves->store, leaves->journal_epoch, index, &bytes, err);
    if (status == OK)
        status = tree_leaf(buf_span(&bytes), ret_leaf, err);
    buf_fini(&bytes);
    return status;
}

static enum status read_leaf(const struct leaves *leaves,
                             uint64_t index,
                             struct digest *ret_leaf,
                             struct error *err)
{
    struct entry_row entry;
    if (leaves->feed_id == LEAVES_JOURNAL)
        return journal_leaf(leaves, index, ret_leaf, err);
    enum status status = entry_rows_get(leaves->store, leaves->feed_id, index, &entry, err);
    return status == OK ? tree_leaf(entry.header, ret_leaf, err) : status;
}

/* A hash of one of the levels that are stored. */
static enum status read_stored(const struct leaves *leaves,
                               unsigned level,
                               uint64_t index,
                               struct digest *ret_hash,
                               struct error *err)
{
    if (level == 0)
        return read_leaf(leaves, index, ret_hash, err);
    return subtree_rows_get(leaves->store, leaves->feed_id, (uint8_t)(level / LEVEL_BITS), index,
                            ret_hash, err);
}

static enum status read_hash(
    void *context, unsigned level, uint64_t index, struct digest *ret_hash, struct error *err)
{
    const struct leaves *leaves = context;
    unsigned below = level / LEVEL_BITS * LEVEL_BITS;
    size_t count = (size_t)1 << (level - below);
    if (count == 1)
        return read_stored(leaves, level, index, ret_hash, err);
    struct digest hashes[LEVEL_FAN / 2];
    enum status status = OK;
    for (size_t i = 0; status == OK && i < count; i++)
        status = read_stored(leaves, below, index * count + i, &hashes[i], err);
    return status == OK ? tree_fold(hashes, count, ret_hash, err) : status;
}

struct proof_source leaves_source(struct leaves *leaves)
{
    return (struct proof_source){ leaves, read_hash };
}

enum status leaves_root_at(struct store *store,
                           const struct feed_row *row,
                           uint64_t size,
                           struct digest *ret_root,
                           struct error *err)
{
    if (size == row->size) {
        *ret_root = row->root;
        return OK;
    }
    if (size > row->size)
        return error_set(err, ERR_NOT_FOUND, "%s has %llu entries, not %llu", row->origin,
                         (unsigned long long)row->size, (unsigned long long)size);
    struct leaves leaves = { .store = store, .feed_id = row->feed_id };
    struct proof_source source = leaves_source(&leaves);
    struct tree tree;
    enum status status = proof_frontier(&source, size, &tree, err);
    return status == OK ? tree_root(&tree, ret_root, err) : status;
}
