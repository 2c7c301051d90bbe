/* Everything of log that reads bytes from outside: what is taken must be the one spelling of what
 * it says, so writing it again gives the same bytes. */
#include "fuzz.h"

#include "base/memory.h"
#include "log/evidence.h"

static void try_checkpoint(struct span text)
{
    struct checkpoint checkpoint;
    struct buf again = BUF_INIT;
    if (checkpoint_decode(text, &checkpoint, NULL) == OK) {
        FUZZ_REQUIRE(checkpoint_encode(&checkpoint, &again, NULL) == OK);
        FUZZ_REQUIRE(span_equal(buf_span(&again), text));
    }
    buf_fini(&again);
}

static void try_note(struct span bytes)
{
    static const struct public_key key = { { 1 } };
    struct note note;
    struct error err = ERROR_INIT;
    uint64_t time_s = 0;
    if (note_parse(bytes, &note, &err) != OK)
        return;
    FUZZ_REQUIRE(note.signature_count > 0);
    for (size_t i = 0; i < note.signature_count; i++) {
        FUZZ_REQUIRE(note_verify(&note, note.signatures[i].name, &key, &err) != OK);
        FUZZ_REQUIRE(note_verify_cosignature(&note, note.signatures[i].name, &key, &time_s, &err) !=
                     OK);
    }
    try_checkpoint(note.text);
}

static void try_header(struct span bytes)
{
    struct entry_header header;
    struct buf again = BUF_INIT;
    if (header_decode(bytes, &header, NULL) == OK) {
        FUZZ_REQUIRE(header_encode(&header, &again, NULL) == OK);
        FUZZ_REQUIRE(span_equal(buf_span(&again), bytes));
    }
    buf_fini(&again);
}

static void try_evidence(struct span text)
{
    static const struct public_key key = { { 1 } };
    struct evidence evidence;
    struct evidence_verdict verdict;
    struct error err = ERROR_INIT;
    if (evidence_decode(text, &evidence, &err) != OK)
        return;
    FUZZ_REQUIRE(evidence_verify(&evidence, &key, &key, &verdict, &err) != OK);
    evidence_fini(&evidence);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span bytes = span_of(data, size);
    struct origin origin;
    struct span content;
    struct tree tree;
    char text[ORIGIN_TEXT_SIZE];
    struct digest leaf; /* the thread's digest context is made once and stays */
    FUZZ_REQUIRE(tree_leaf(bytes, &leaf, NULL) == OK);
    int64_t live = mem_live();
    try_note(bytes);
    try_checkpoint(bytes);
    try_header(bytes);
    try_evidence(bytes);
    if (origin_parse(bytes, &origin, NULL) == OK) {
        origin_format(&origin, text);
        FUZZ_REQUIRE(span_equal(span_text(text), bytes));
    }
    if (header_unpad(KIND_EXCERPT, bytes, &content, NULL) == OK)
        FUZZ_REQUIRE(header_padded_size(KIND_EXCERPT, (uint32_t)content.size) == size);
    if (tree_decode(bytes, &tree, NULL) == OK)
        FUZZ_REQUIRE(size == 8 + 32 * tree_peak_count(tree.size));
    FUZZ_REQUIRE(mem_live() == live);
    return 0;
}
