/* The Merkle tree of a feed or journal: RFC 6962 section 2.1 (the same in RFC 9162 section 2.1.1).
 *
 *   leaf = SHA-256(0x00 || bytes)    node = SHA-256(0x01 || left || right)    empty = SHA-256("")
 *
 * A struct tree is the frontier: the roots ("peaks") of the perfect subtrees that the binary digits
 * of the size name, largest first.  It is all that appending and the root need.  Leaves are never
 * removed; the size is a count of leaves.
 *
 * A perfect subtree is named by (level, index): the 2^level leaves from index * 2^level on.
 */
#ifndef COMITY_LOG_TREE_H
#define COMITY_LOG_TREE_H

#include "base/id.h"
#include "base/limits.h"
#include "base/span.h"

enum { TREE_PEAKS_MAX = 41 }; /* FEED_ENTRIES_MAX = 2^40 leaves */

struct tree {
    uint64_t size;
    struct digest peaks[TREE_PEAKS_MAX]; /* tree_peak_count() of them are set */
};

/* Told about every perfect subtree at the moment it is complete, leaves (level 0) included. */
struct tree_sink {
    void *context;
    MUST_CHECK enum status (*complete)(void *context,
                                       unsigned level,
                                       uint64_t index,
                                       const struct digest *hash,
                                       struct error *err);
};

MUST_CHECK enum status tree_leaf(struct span bytes, struct digest *ret_leaf, struct error *err);
MUST_CHECK enum status tree_node(const struct digest *left,
                                 const struct digest *right,
                                 struct digest *ret_node,
                                 struct error *err);

void tree_init(struct tree *tree); /* empty */
unsigned tree_peak_count(uint64_t size);
/* `leaf` is a leaf hash; `sink` may be NULL.  ERR_FULL at FEED_ENTRIES_MAX.  After a failure the
 * tree is as it was. */
MUST_CHECK enum status tree_append(struct tree *tree,
                                   const struct digest *leaf,
                                   const struct tree_sink *sink,
                                   struct error *err);
MUST_CHECK enum status tree_root(const struct tree *tree,
                                 struct digest *ret_root,
                                 struct error *err);
/* The root of a perfect subtree out of the `count` roots right below it on one level; `count` is a
 * power of two.  `hashes` is used up as scratch space. */
MUST_CHECK enum status tree_fold(struct digest *hashes,
                                 size_t count,
                                 struct digest *ret_root,
                                 struct error *err);

/* Stored form: u64 size, then the peaks (32 bytes each).  Strict. */
MUST_CHECK enum status tree_encode(const struct tree *tree,
                                   struct buf *append_to,
                                   struct error *err);
MUST_CHECK enum status tree_decode(struct span bytes, struct tree *ret_tree, struct error *err);

#endif
