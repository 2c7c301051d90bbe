#include "log/proof.h"

#include <string.h>

/* Root of the leaves [first, first + count), any count: the perfect subtrees it falls into from the
 * left, folded from the right.  `first` is a multiple of a power of two that is >= count, as it is
 * for every range that RFC 9162 splits off. */
static enum status range_root(const struct proof_source *source,
                              uint64_t first,
                              uint64_t count,
                              struct digest *ret_root,
                              struct error *err)
{
    struct digest peaks[TREE_PEAKS_MAX];
    unsigned peak_count = 0;
    enum status status = OK;
    for (unsigned level = TREE_PEAKS_MAX; status == OK && level-- > 0;) {
        if ((count >> level & 1) == 0)
            continue;
        status = source->get(source->context, level, first >> level, &peaks[peak_count++], err);
        first += (uint64_t)1 << level;
    }
    for (; status == OK && peak_count > 1; peak_count--)
        status =
            tree_node(&peaks[peak_count - 2], &peaks[peak_count - 1], &peaks[peak_count - 2], err);
    if (status == OK)
        *ret_root = peaks[0];
    return status;
}

/* The largest power of two smaller than n (n > 1). */
static uint64_t split_of(uint64_t n)
{
    return (uint64_t)1 << (63 - __builtin_clzll(n - 1));
}

/* The ranges whose roots make up a proof, top down; a proof lists them bottom up. */
struct plan {
    uint64_t first[PROOF_HASHES_MAX];
    uint64_t count[PROOF_HASHES_MAX];
    size_t size;
};

static void plan_add(struct plan *plan, uint64_t first, uint64_t count)
{
    plan->first[plan->size] = first;
    plan->count[plan->size] = count;
    plan->size++;
}

static enum status plan_read(const struct plan *plan,
                             const struct proof_source *source,
                             struct proof *ret_proof,
                             struct error *err)
{
    struct proof proof;
    proof.count = 0;
    enum status status = OK;
    for (size_t i = plan->size; status == OK && i-- > 0;)
        status =
            range_root(source, plan->first[i], plan->count[i], &proof.hashes[proof.count++], err);
    if (status == OK)
        *ret_proof = proof;
    return status;
}

static enum status check_size(uint64_t size, struct error *err)
{
    if (size > FEED_ENTRIES_MAX)
        return error_set(err, ERR_LIMIT, "proof: a log of %llu entries is too large",
                         (unsigned long long)size);
    return OK;
}

/* RFC 9162 section 2.1.3.1. */
enum status proof_inclusion(const struct proof_source *source,
                            uint64_t index,
                            uint64_t size,
                            struct proof *ret_proof,
                            struct error *err)
{
    if (index >= size)
        return error_set(err, ERR_NOT_FOUND, "entry %llu is not in a log of %llu",
                         (unsigned long long)index, (unsigned long long)size);
    enum status status = check_size(size, err);
    if (status != OK)
        return status;
    struct plan plan;
    plan.size = 0;
    uint64_t first = 0;
    for (uint64_t count = size; count > 1;) {
        uint64_t split = split_of(count);
        if (index < first + split) {
            plan_add(&plan, first + split, count - split);
            count = split;
        } else {
            plan_add(&plan, first, split);
            first += split;
            count -= split;
        }
    }
    return plan_read(&plan, source, ret_proof, err);
}

/* RFC 9162 section 2.1.4.1. */
enum status proof_consistency(const struct proof_source *source,
                              uint64_t old_size,
                              uint64_t size,
                              struct proof *ret_proof,
                              struct error *err)
{
    if (old_size == 0 || old_size > size)
        return error_set(err, ERR_INVALID, "no consistency proof from %llu to %llu entries",
                         (unsigned long long)old_size, (unsigned long long)size);
    enum status status = check_size(size, err);
    if (status != OK)
        return status;
    struct plan plan;
    plan.size = 0;
    uint64_t first = 0;
    uint64_t count = size;
    uint64_t old = old_size;
    while (old < count) {
        uint64_t split = split_of(count);
        if (old <= split) {
            plan_add(&plan, first + split, count - split);
            count = split;
        } else {
            plan_add(&plan, first, split);
            first += split;
            count -= split;
            old -= split;
        }
    }
    if (first > 0) /* otherwise the old root itself, which the verifier has */
        plan_add(&plan, first, count);
    return plan_read(&plan, source, ret_proof, err);
}

enum status proof_frontier(const struct proof_source *source,
                           uint64_t size,
                           struct tree *ret_tree,
                           struct error *err)
{
    enum status status = check_size(size, err);
    if (status != OK)
        return status;
    struct tree tree;
    tree_init(&tree);
    unsigned peak_count = 0;
    for (unsigned level = TREE_PEAKS_MAX; status == OK && level-- > 0;) {
        if ((size >> level & 1) == 0)
            continue;
        status =
            source->get(source->context, level, tree.size >> level, &tree.peaks[peak_count++], err);
        tree.size += (uint64_t)1 << level;
    }
    if (status == OK)
        *ret_tree = tree;
    return status;
}

static enum status wrong_length(const struct proof *proof, struct error *err)
{
    return error_set(err, ERR_INVALID, "proof: %zu hashes are too many or too few", proof->count);
}

/* RFC 9162 section 2.1.3.2. */
enum status proof_verify_inclusion(const struct proof *proof,
                                   const struct digest *leaf,
                                   uint64_t index,
                                   uint64_t size,
                                   const struct digest *root,
                                   struct error *err)
{
    if (index >= size)
        return error_set(err, ERR_INVALID, "proof: entry %llu is not in a log of %llu",
                         (unsigned long long)index, (unsigned long long)size);
    uint64_t fn = index;
    uint64_t sn = size - 1;
    struct digest hash = *leaf;
    for (size_t i = 0; i < proof->count; i++) {
        if (sn == 0)
            return wrong_length(proof, err);
        bool from_left = (fn & 1) != 0 || fn == sn;
        enum status status = from_left ? tree_node(&proof->hashes[i], &hash, &hash, err)
                                       : tree_node(&hash, &proof->hashes[i], &hash, err);
        if (status != OK)
            return status;
        while (from_left && (fn & 1) == 0) { /* fn == sn here, so it has a bit that is set */
            fn >>= 1;
            sn >>= 1;
        }
        fn >>= 1;
        sn >>= 1;
    }
    if (sn != 0)
        return wrong_length(proof, err);
    if (!digest_equal(&hash, root))
        return error_set(err, ERR_MISMATCH, "proof: entry %llu does not lead to the root",
                         (unsigned long long)index);
    return OK;
}

/* The loop of RFC 9162 section 2.1.4.2, steps 4 to 7, over the hashes from `at` on. */
static enum status walk_consistency(const struct proof *proof,
                                    uint64_t fn,
                                    uint64_t sn,
                                    struct digest *fr,
                                    struct digest *sr,
                                    struct error *err)
{
    size_t at = fn == 0 ? 0 : 1;
    for (; at < proof->count; at++) {
        if (sn == 0)
            return wrong_length(proof, err);
        const struct digest *hash = &proof->hashes[at];
        bool both = (fn & 1) != 0 || fn == sn;
        enum status status = both ? tree_node(hash, fr, fr, err) : OK;
        if (status == OK)
            status = both ? tree_node(hash, sr, sr, err) : tree_node(sr, hash, sr, err);
        if (status != OK)
            return status;
        while (both && (fn & 1) == 0) { /* fn == sn here, so it has a bit that is set */
            fn >>= 1;
            sn >>= 1;
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 ? OK : wrong_length(proof, err);
}

/* Equal sizes, or nothing before: no proof is needed, and none may be there. */
static enum status verify_trivial(const struct proof *proof,
                                  bool roots_must_match,
                                  const struct digest *old_root,
                                  const struct digest *root,
                                  struct error *err)
{
    if (proof->count != 0)
        return wrong_length(proof, err);
    if (roots_must_match && !digest_equal(old_root, root))
        return error_set(err, ERR_MISMATCH, "proof: two roots of one size");
    return OK;
}

enum status proof_verify_consistency(const struct proof *proof,
                                     uint64_t old_size,
                                     const struct digest *old_root,
                                     uint64_t size,
                                     const struct digest *root,
                                     struct error *err)
{
    if (old_size > size)
        return error_set(err, ERR_INVALID, "proof: a log of %llu entries has shrunk to %llu",
                         (unsigned long long)old_size, (unsigned long long)size);
    if (old_size == 0 || old_size == size)
        return verify_trivial(proof, old_size == size, old_root, root, err);
    if (proof->count == 0)
        return wrong_length(proof, err);
    uint64_t fn = old_size - 1;
    uint64_t sn = size - 1;
    while ((fn & 1) != 0) {
        fn >>= 1;
        sn >>= 1;
    }
    /* An old size that is a power of two leaves out its own root: it is the first hash. */
    struct digest fr = fn == 0 ? *old_root : proof->hashes[0];
    struct digest sr = fr;
    enum status status = walk_consistency(proof, fn, sn, &fr, &sr, err);
    if (status != OK)
        return status;
    if (!digest_equal(&fr, old_root))
        return error_set(err, ERR_MISMATCH, "proof: does not lead to the earlier root");
    if (!digest_equal(&sr, root))
        return error_set(err, ERR_MISMATCH, "proof: does not lead to the later root");
    return OK;
}
