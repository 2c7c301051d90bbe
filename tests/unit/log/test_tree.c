/* The Merkle tree and its proofs, against published vectors and against a tree that is computed
 * from the recursive definition for every size. */
#include "base/memory.h"
#include "log/proof.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LEAVES = 70, LEVELS = 8 };

/* All perfect subtrees of the test log, as the sink reported them. */
struct shelf {
    struct digest hashes[LEVELS][LEAVES];
    unsigned fail_at_level; /* get() fails there */
    unsigned calls;
};

static enum status shelf_put(
    void *context, unsigned level, uint64_t index, const struct digest *hash, struct error *err)
{
    struct shelf *shelf = context;
    shelf->calls++;
    if (level == shelf->fail_at_level)
        return error_set(err, ERR_IO, "shelf is full");
    shelf->hashes[level][index] = *hash;
    return OK;
}

static enum status shelf_get(
    void *context, unsigned level, uint64_t index, struct digest *ret_hash, struct error *err)
{
    struct shelf *shelf = context;
    if (level == shelf->fail_at_level)
        return error_set(err, ERR_IO, "shelf is broken");
    *ret_hash = shelf->hashes[level][index];
    return OK;
}

static struct digest leaf_number(unsigned i)
{
    struct digest leaf;
    char text[16];
    snprintf(text, sizeof(text), "leaf %u", i);
    assert_int_equal(tree_leaf(span_text(text), &leaf, NULL), OK);
    return leaf;
}

/* RFC 9162 section 2.1.1, word for word. */
static struct digest defined_root(unsigned first, unsigned count)
{
    struct digest root;
    if (count == 0) {
        struct tree empty;
        tree_init(&empty);
        assert_int_equal(tree_root(&empty, &root, NULL), OK);
        return root;
    }
    if (count == 1)
        return leaf_number(first);
    unsigned k = 1;
    while (2 * k < count)
        k *= 2;
    struct digest left = defined_root(first, k);
    struct digest right = defined_root(first + k, count - k);
    assert_int_equal(tree_node(&left, &right, &root, NULL), OK);
    return root;
}

static struct tree log_of(unsigned size, struct shelf *shelf)
{
    struct tree_sink sink = { shelf, shelf_put };
    struct tree tree;
    tree_init(&tree);
    for (unsigned i = 0; i < size; i++) {
        struct digest leaf = leaf_number(i);
        assert_int_equal(tree_append(&tree, &leaf, shelf == NULL ? NULL : &sink, NULL), OK);
    }
    return tree;
}

static struct shelf full_shelf(void)
{
    struct shelf shelf = { .fail_at_level = LEVELS };
    (void)log_of(LEAVES, &shelf);
    return shelf;
}

static void append_refuses_more_than_a_feed_may_hold(void **state)
{
    (void)state;
    struct tree tree = { .size = FEED_ENTRIES_MAX };
    struct digest leaf = leaf_number(0);
    assert_int_equal(tree_append(&tree, &leaf, NULL, NULL), ERR_FULL);
    assert_true(tree.size == FEED_ENTRIES_MAX);
}

static void append_leaves_the_tree_alone_when_the_sink_fails(void **state)
{
    (void)state;
    struct shelf shelf = { .fail_at_level = 2 };
    struct tree_sink sink = { &shelf, shelf_put };
    struct tree tree = log_of(3, NULL);
    struct tree before = tree;
    struct digest leaf = leaf_number(3);
    assert_int_equal(tree_append(&tree, &leaf, &sink, NULL), ERR_IO);
    assert_memory_equal(&tree, &before, sizeof(tree));
    shelf.fail_at_level = 0;
    assert_int_equal(tree_append(&tree, &leaf, &sink, NULL), ERR_IO);
    assert_memory_equal(&tree, &before, sizeof(tree));
}

static void roots_are_those_of_the_definition(void **state)
{
    (void)state;
    for (unsigned size = 0; size <= LEAVES; size++) {
        struct tree tree = log_of(size, NULL);
        struct digest want = defined_root(0, size);
        struct digest root;
        assert_int_equal(tree_root(&tree, &root, NULL), OK);
        assert_memory_equal(root.bytes, want.bytes, DIGEST_SIZE);
    }
}

static void frontier_refuses_what_was_not_stored_by_it(void **state)
{
    (void)state;
    struct tree tree = log_of(21, NULL);
    struct tree back;
    struct buf bytes = BUF_INIT;
    assert_int_equal(tree_encode(&tree, &bytes, NULL), OK);
    assert_int_equal(bytes.size, 8 + 3 * DIGEST_SIZE);
    assert_int_equal(tree_decode(span_of(bytes.data, bytes.size - 1), &back, NULL), ERR_INVALID);
    assert_int_equal(tree_decode(buf_span(&bytes), &back, NULL), OK);
    assert_true(back.size == 21);
    assert_memory_equal(back.peaks, tree.peaks, 3 * sizeof(struct digest));
    bytes.data[0] = 1;
    assert_int_equal(tree_decode(buf_span(&bytes), &back, NULL), ERR_LIMIT);
    buf_fini(&bytes);
    mem_fail_at(1, false);
    assert_int_equal(tree_encode(&tree, &bytes, NULL), ERR_MEMORY);
    mem_fail_at(0, false);
}

static void fold_gives_the_root_of_a_perfect_subtree(void **state)
{
    (void)state;
    struct shelf shelf = full_shelf();
    struct digest hashes[16];
    struct digest root;
    memcpy(hashes, shelf.hashes[1], sizeof(hashes));
    assert_int_equal(tree_fold(hashes, 16, &root, NULL), OK);
    assert_memory_equal(&root, &shelf.hashes[5][0], sizeof(root));
}

static void proofs_refuse_sizes_that_cannot_be(void **state)
{
    (void)state;
    struct shelf shelf = full_shelf();
    struct proof_source source = { &shelf, shelf_get };
    struct proof proof = { .count = 0 };
    struct tree tree;
    struct digest zero = { { 0 } };
    uint64_t over = FEED_ENTRIES_MAX + 1;
    assert_int_equal(proof_inclusion(&source, 5, 5, &proof, NULL), ERR_NOT_FOUND);
    assert_int_equal(proof_inclusion(&source, 5, over, &proof, NULL), ERR_LIMIT);
    assert_int_equal(proof_consistency(&source, 0, 5, &proof, NULL), ERR_INVALID);
    assert_int_equal(proof_consistency(&source, 6, 5, &proof, NULL), ERR_INVALID);
    assert_int_equal(proof_consistency(&source, 6, over, &proof, NULL), ERR_LIMIT);
    assert_int_equal(proof_frontier(&source, over, &tree, NULL), ERR_LIMIT);
    assert_int_equal(proof_verify_inclusion(&proof, &zero, 5, 5, &zero, NULL), ERR_INVALID);
    assert_int_equal(proof_verify_consistency(&proof, 6, &zero, 5, &zero, NULL), ERR_INVALID);
    shelf.fail_at_level = 0;
    assert_int_equal(proof_inclusion(&source, 5, 6, &proof, NULL), ERR_IO);
    assert_int_equal(proof_consistency(&source, 5, 6, &proof, NULL), ERR_IO);
    assert_int_equal(proof_frontier(&source, 5, &tree, NULL), ERR_IO);
}

/* Every way to spoil one proof: each hash changed, one more, one fewer. */
static void spoil_inclusion(struct proof proof,
                            const struct digest *leaf,
                            uint64_t index,
                            uint64_t size,
                            const struct digest *root)
{
    for (size_t i = 0; i < proof.count; i++) {
        proof.hashes[i].bytes[i] ^= 1;
        assert_int_equal(proof_verify_inclusion(&proof, leaf, index, size, root, NULL),
                         ERR_MISMATCH);
        proof.hashes[i].bytes[i] ^= 1;
    }
    proof.hashes[proof.count++] = *root;
    assert_int_equal(proof_verify_inclusion(&proof, leaf, index, size, root, NULL), ERR_INVALID);
    proof.count--;
    if (proof.count > 0) {
        proof.count--;
        assert_int_equal(proof_verify_inclusion(&proof, leaf, index, size, root, NULL),
                         ERR_INVALID);
    }
}

static void every_leaf_is_proved_and_no_spoiled_proof_passes(void **state)
{
    (void)state;
    struct shelf shelf = full_shelf();
    struct proof_source source = { &shelf, shelf_get };
    for (unsigned size = 1; size <= LEAVES; size++) {
        struct digest root = defined_root(0, size);
        for (unsigned index = 0; index < size; index++) {
            struct proof proof;
            struct digest *leaf = &shelf.hashes[0][index];
            assert_int_equal(proof_inclusion(&source, index, size, &proof, NULL), OK);
            assert_int_equal(proof_verify_inclusion(&proof, leaf, index, size, &root, NULL), OK);
            if (size > 60)
                spoil_inclusion(proof, leaf, index, size, &root);
        }
    }
}

static void spoil_consistency(struct proof proof,
                              uint64_t old_size,
                              const struct digest *old_root,
                              uint64_t size,
                              const struct digest *root)
{
    for (size_t i = 0; i < proof.count; i++) {
        proof.hashes[i].bytes[0] ^= 1;
        assert_int_equal(proof_verify_consistency(&proof, old_size, old_root, size, root, NULL),
                         ERR_MISMATCH);
        proof.hashes[i].bytes[0] ^= 1;
    }
    proof.hashes[proof.count++] = *root;
    assert_int_equal(proof_verify_consistency(&proof, old_size, old_root, size, root, NULL),
                     ERR_INVALID);
    proof.count -= 2;
    assert_int_equal(proof_verify_consistency(&proof, old_size, old_root, size, root, NULL),
                     ERR_INVALID);
    proof.count++;
    assert_int_equal(proof_verify_consistency(&proof, old_size, root, size, root, NULL),
                     ERR_MISMATCH);
}

static void every_growth_is_proved_and_no_spoiled_proof_passes(void **state)
{
    (void)state;
    struct shelf shelf = full_shelf();
    struct proof_source source = { &shelf, shelf_get };
    struct digest roots[LEAVES + 1];
    for (unsigned size = 0; size <= LEAVES; size++)
        roots[size] = defined_root(0, size);
    for (unsigned size = 1; size <= LEAVES; size++) {
        for (unsigned old = 1; old <= size; old++) {
            struct proof proof;
            assert_int_equal(proof_consistency(&source, old, size, &proof, NULL), OK);
            assert_int_equal(
                proof_verify_consistency(&proof, old, &roots[old], size, &roots[size], NULL), OK);
            if (old < size && size > 60)
                spoil_consistency(proof, old, &roots[old], size, &roots[size]);
        }
    }
}

static void equal_sizes_need_equal_roots_and_no_proof(void **state)
{
    (void)state;
    struct digest a = defined_root(0, 5);
    struct digest b = defined_root(1, 5);
    struct digest none = defined_root(0, 0);
    struct proof proof = { .count = 0 };
    assert_int_equal(proof_verify_consistency(&proof, 5, &a, 5, &b, NULL), ERR_MISMATCH);
    assert_int_equal(proof_verify_consistency(&proof, 5, &a, 5, &a, NULL), OK);
    assert_int_equal(proof_verify_consistency(&proof, 0, &none, 5, &a, NULL), OK);
    assert_int_equal(proof_verify_consistency(&proof, 4, &a, 5, &b, NULL), ERR_INVALID);
    proof.count = 1;
    assert_int_equal(proof_verify_consistency(&proof, 0, &none, 5, &a, NULL), ERR_INVALID);
    assert_int_equal(proof_verify_consistency(&proof, 5, &a, 5, &a, NULL), ERR_INVALID);
}

static void an_earlier_frontier_grows_into_the_same_tree(void **state)
{
    (void)state;
    struct shelf shelf = full_shelf();
    struct proof_source source = { &shelf, shelf_get };
    for (unsigned size = 0; size <= LEAVES; size++) {
        struct tree tree;
        assert_int_equal(proof_frontier(&source, size, &tree, NULL), OK);
        struct tree want = log_of(size, NULL);
        assert_true(tree.size == want.size);
        assert_memory_equal(tree.peaks, want.peaks, tree_peak_count(size) * sizeof(struct digest));
    }
}

/* -- published vectors ------------------------------------------------------------------------- */

static struct proof proof_of_text(char *hashes)
{
    struct proof proof = { .count = 0 };
    char *save = NULL;
    for (char *hex = strtok_r(hashes, " \n", &save); hex != NULL;
         hex = strtok_r(NULL, " \n", &save))
        assert_int_equal(
            hex_decode(span_text(hex), proof.hashes[proof.count++].bytes, DIGEST_SIZE, NULL), OK);
    return proof;
}

static void vector_line(char *line, struct shelf *shelf, struct tree *tree, struct digest *roots)
{
    struct proof_source source = { shelf, shelf_get };
    struct tree_sink sink = { shelf, shelf_put };
    struct proof got = { .count = 0 };
    unsigned a = 0;
    unsigned b = 0;
    int at = 0;
    if (sscanf(line, "leaf %n", &at) == 0 && at > 0) {
        uint8_t bytes[16];
        size_t size = line[at] == '-' ? 0 : strcspn(line + at, "\n") / 2;
        struct digest leaf;
        assert_int_equal(hex_decode(span_of(line + at, 2 * size), bytes, size, NULL), OK);
        assert_int_equal(tree_leaf(span_of(bytes, size), &leaf, NULL), OK);
        assert_int_equal(tree_append(tree, &leaf, &sink, NULL), OK);
        assert_int_equal(tree_root(tree, &roots[tree->size], NULL), OK);
    } else if (sscanf(line, "root %u %n", &a, &at) == 1) {
        struct proof want = proof_of_text(line + at);
        assert_memory_equal(&roots[a], &want.hashes[0], DIGEST_SIZE);
    } else if (sscanf(line, "inclusion %u %u %n", &a, &b, &at) == 2) {
        struct proof want = proof_of_text(line + at);
        assert_int_equal(proof_inclusion(&source, a, b, &got, NULL), OK);
        assert_int_equal(got.count, want.count);
        assert_memory_equal(got.hashes, want.hashes, want.count * DIGEST_SIZE);
    } else if (sscanf(line, "consistency %u %u %n", &a, &b, &at) == 2) {
        struct proof want = proof_of_text(line + at);
        assert_int_equal(proof_consistency(&source, a, b, &got, NULL), OK);
        assert_int_equal(got.count, want.count);
        assert_memory_equal(got.hashes, want.hashes, want.count * DIGEST_SIZE);
    } else {
        assert_int_equal(line[0], '#');
    }
}

static void vectors_of_certificate_transparency_hold(void **state)
{
    (void)state;
    struct shelf shelf = { .fail_at_level = LEVELS };
    struct digest roots[9];
    struct tree tree;
    tree_init(&tree);
    assert_int_equal(tree_root(&tree, &roots[0], NULL), OK);
    FILE *file = fopen("tests/vectors/ct_tree.txt", "r");
    assert_non_null(file);
    char line[512];
    unsigned lines = 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        vector_line(line, &shelf, &tree, roots);
        lines++;
    }
    fclose(file);
    assert_int_equal(tree.size, 8);
    assert_true(lines > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(append_refuses_more_than_a_feed_may_hold),
        cmocka_unit_test(append_leaves_the_tree_alone_when_the_sink_fails),
        cmocka_unit_test(roots_are_those_of_the_definition),
        cmocka_unit_test(frontier_refuses_what_was_not_stored_by_it),
        cmocka_unit_test(fold_gives_the_root_of_a_perfect_subtree),
        cmocka_unit_test(proofs_refuse_sizes_that_cannot_be),
        cmocka_unit_test(every_leaf_is_proved_and_no_spoiled_proof_passes),
        cmocka_unit_test(every_growth_is_proved_and_no_spoiled_proof_passes),
        cmocka_unit_test(equal_sizes_need_equal_roots_and_no_proof),
        cmocka_unit_test(an_earlier_frontier_grows_into_the_same_tree),
        cmocka_unit_test(vectors_of_certificate_transparency_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
