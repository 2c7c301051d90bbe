/* Inclusion and consistency proofs: RFC 9162 sections 2.1.3 and 2.1.4 (those of RFC 6962).
 *
 * Generation reads hashes of perfect subtrees through a callback, so that it does not know where
 * they are stored.  Verification needs nothing but its arguments.
 */
#ifndef COMITY_LOG_PROOF_H
#define COMITY_LOG_PROOF_H

#include "log/tree.h"

struct proof {
    struct digest hashes[PROOF_HASHES_MAX];
    size_t count;
};

/* Where hashes come from: get() gives the root of the perfect subtree (level, index), tree.h.
 * Only subtrees that are complete in a tree of the asked size are asked for. */
struct proof_source {
    void *context;
    MUST_CHECK enum status (*get)(
        void *context, unsigned level, uint64_t index, struct digest *ret_hash, struct error *err);
};

/* That leaf `index` is in the tree of `size` leaves.  ERR_NOT_FOUND when index >= size. */
MUST_CHECK enum status proof_inclusion(const struct proof_source *source,
                                       uint64_t index,
                                       uint64_t size,
                                       struct proof *ret_proof,
                                       struct error *err);
/* That the tree of `old_size` leaves is a prefix of that of `size`; 0 < old_size <= size. */
MUST_CHECK enum status proof_consistency(const struct proof_source *source,
                                         uint64_t old_size,
                                         uint64_t size,
                                         struct proof *ret_proof,
                                         struct error *err);
/* The frontier at an earlier (or the present) size. */
MUST_CHECK enum status proof_frontier(const struct proof_source *source,
                                      uint64_t size,
                                      struct tree *ret_tree,
                                      struct error *err);

/* ERR_MISMATCH when the proof does not lead to `root`; ERR_INVALID when its shape is wrong. */
MUST_CHECK enum status proof_verify_inclusion(const struct proof *proof,
                                              const struct digest *leaf,
                                              uint64_t index,
                                              uint64_t size,
                                              const struct digest *root,
                                              struct error *err);
/* Also takes old_size 0 (any tree extends the empty one; the proof must then be empty). */
MUST_CHECK enum status proof_verify_consistency(const struct proof *proof,
                                                uint64_t old_size,
                                                const struct digest *old_root,
                                                uint64_t size,
                                                const struct digest *root,
                                                struct error *err);

#endif
