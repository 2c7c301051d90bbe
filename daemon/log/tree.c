#include "log/tree.h"

#include "base/cursor.h"
#include "crypto/digest.h"

static enum status hash_prefixed(uint8_t prefix,
                                 struct span first,
                                 struct span second,
                                 struct digest *ret_hash,
                                 struct error *err)
{
    struct span parts[] = { span_of(&prefix, 1), first, second };
    return sha256_of(parts, 3, ret_hash, err);
}

enum status tree_leaf(struct span bytes, struct digest *ret_leaf, struct error *err)
{
    return hash_prefixed(0x00, bytes, SPAN_EMPTY, ret_leaf, err);
}

enum status tree_node(const struct digest *left,
                      const struct digest *right,
                      struct digest *ret_node,
                      struct error *err)
{
    return hash_prefixed(0x01, SPAN_ARRAY(left->bytes), SPAN_ARRAY(right->bytes), ret_node, err);
}

void tree_init(struct tree *tree)
{
    *tree = (struct tree){ 0 };
}

unsigned tree_peak_count(uint64_t size)
{
    return (unsigned)__builtin_popcountll(size);
}

static enum status tell(const struct tree_sink *sink,
                        unsigned level,
                        uint64_t index,
                        const struct digest *hash,
                        struct error *err)
{
    return sink == NULL ? OK : sink->complete(sink->context, level, index, hash, err);
}

/* As in a binary counter: every trailing one of the size is a peak that the carry swallows. */
enum status tree_append(struct tree *tree,
                        const struct digest *leaf,
                        const struct tree_sink *sink,
                        struct error *err)
{
    if (tree->size >= FEED_ENTRIES_MAX)
        return error_set(err, ERR_FULL, "log: %llu entries, no more fit",
                         (unsigned long long)tree->size);
    struct digest carry = *leaf;
    unsigned peaks = tree_peak_count(tree->size);
    enum status status = tell(sink, 0, tree->size, &carry, err);
    unsigned level = 0;
    for (; status == OK && (tree->size >> level & 1) != 0; level++) {
        peaks--;
        status = tree_node(&tree->peaks[peaks], &carry, &carry, err);
        if (status == OK)
            status = tell(sink, level + 1, tree->size >> (level + 1), &carry, err);
    }
    if (status != OK)
        return status;
    tree->peaks[peaks] = carry;
    tree->size++;
    return OK;
}

enum status tree_root(const struct tree *tree, struct digest *ret_root, struct error *err)
{
    if (tree->size == 0)
        return sha256_of(NULL, 0, ret_root, err);
    unsigned peaks = tree_peak_count(tree->size);
    struct digest root = tree->peaks[peaks - 1];
    enum status status = OK;
    for (unsigned i = peaks - 1; status == OK && i > 0; i--)
        status = tree_node(&tree->peaks[i - 1], &root, &root, err);
    if (status == OK)
        *ret_root = root;
    return status;
}

enum status tree_fold(struct digest *hashes,
                      size_t count,
                      struct digest *ret_root,
                      struct error *err)
{
    enum status status = OK;
    for (; status == OK && count > 1; count /= 2)
        for (size_t i = 0; status == OK && i < count / 2; i++)
            status = tree_node(&hashes[2 * i], &hashes[2 * i + 1], &hashes[i], err);
    if (status == OK)
        *ret_root = hashes[0];
    return status;
}

enum status tree_encode(const struct tree *tree, struct buf *append_to, struct error *err)
{
    struct writer w = writer_init(append_to);
    writer_u64(&w, tree->size);
    for (unsigned i = 0; i < tree_peak_count(tree->size); i++)
        writer_bytes(&w, SPAN_ARRAY(tree->peaks[i].bytes));
    return writer_done(&w, "tree frontier", err);
}

enum status tree_decode(struct span bytes, struct tree *ret_tree, struct error *err)
{
    struct tree tree = { 0 };
    struct reader r = reader_init(bytes);
    tree.size = reader_u64(&r);
    if (tree.size > FEED_ENTRIES_MAX)
        return error_set(err, ERR_LIMIT, "tree frontier: %llu entries are too many",
                         (unsigned long long)tree.size);
    for (unsigned i = 0; i < tree_peak_count(tree.size); i++)
        reader_copy(&r, tree.peaks[i].bytes, DIGEST_SIZE);
    enum status status = reader_done(&r, "tree frontier", err);
    if (status == OK)
        *ret_tree = tree;
    return status;
}
