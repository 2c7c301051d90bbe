#include "log/evidence.h"

#include "base/memory.h"

#include <string.h>

static const char first_line[] = "comity.v1/evidence";
static const char proof_line[] = "c2sp.org/tlog-proof@v1";

enum { COLUMNS = 76, HASH_TEXT_SIZE = 44 };

void evidence_fini(struct evidence *evidence)
{
    if (evidence != NULL)
        buf_fini(&evidence->memory);
}

/* -- writing ----------------------------------------------------------------------------------- */

static enum status write_section(const char *name,
                                 struct span bytes,
                                 struct buf *append_to,
                                 struct error *err)
{
    struct buf base64 = BUF_INIT;
    enum status status = base64_encode(bytes, &base64, err);
    if (status == OK)
        status = buf_printf(append_to, err, "--- %s\n", name);
    for (size_t at = 0; status == OK && at < base64.size; at += COLUMNS) {
        status = buf_append(append_to, span_slice(buf_span(&base64), at, COLUMNS), err);
        if (status == OK)
            status = buf_append_text(append_to, "\n", err);
    }
    buf_fini(&base64);
    return status;
}

static enum status write_proof(const struct evidence *evidence,
                               struct buf *append_to,
                               struct error *err)
{
    enum status status = buf_printf(append_to, err, "--- proof\n%s\nindex %llu\n", proof_line,
                                    (unsigned long long)evidence->index);
    for (size_t i = 0; status == OK && i < evidence->proof.count; i++) {
        status = base64_encode(SPAN_ARRAY(evidence->proof.hashes[i].bytes), append_to, err);
        if (status == OK)
            status = buf_append_text(append_to, "\n", err);
    }
    if (status == OK)
        status = buf_append_text(append_to, "\n", err);
    if (status == OK)
        status = buf_append(append_to, evidence->note, err);
    return status;
}

enum status evidence_encode(const struct evidence *evidence,
                            struct buf *append_to,
                            struct error *err)
{
    enum status status = buf_printf(append_to, err, "%s\n", first_line);
    if (status == OK)
        status = write_section("header", evidence->header, append_to, err);
    if (status == OK && evidence->salt.size > 0)
        status = write_section("salt", evidence->salt, append_to, err);
    if (status == OK && evidence->salt.size > 0)
        status = write_section("body", evidence->body, append_to, err);
    if (status == OK)
        status = write_proof(evidence, append_to, err);
    return status;
}

/* -- reading ----------------------------------------------------------------------------------- */

struct lines {
    struct span rest;
    size_t number; /* of the line last taken */
};

static struct span peek_line(const struct lines *lines)
{
    const struct span *rest = &lines->rest;
    const uint8_t *end = rest->size == 0 ? NULL : memchr(rest->data, '\n', rest->size);
    return end == NULL ? SPAN_EMPTY : span_of(rest->data, (size_t)(end - rest->data));
}

/* Also ends at a last line without a newline, which then reads as an empty one. */
static struct span take_line(struct lines *lines)
{
    struct span line = peek_line(lines);
    lines->rest = span_slice(lines->rest, line.size + 1, lines->rest.size);
    lines->number++;
    return line;
}

static enum status expect_line(struct lines *lines, const char *text, struct error *err)
{
    if (!span_equal(take_line(lines), span_text(text)))
        return error_set(err, ERR_INVALID, "evidence: line %zu is not '%s'", lines->number, text);
    return OK;
}

static bool begins(struct span line, const char *text)
{
    return span_equal(span_slice(line, 0, strlen(text)), span_text(text));
}

/* Full lines of COLUMNS and one shorter or equal; decoded bytes go behind *memory, whose space is
 * reserved, so that earlier spans stay. */
static enum status read_section(struct lines *lines,
                                const char *title,
                                struct buf *memory,
                                struct span *ret_bytes,
                                struct error *err)
{
    struct buf base64 = BUF_INIT;
    enum status status = expect_line(lines, title, err);
    bool more = true;
    while (status == OK && more) {
        struct span line = peek_line(lines);
        if (line.size == 0 || line.size > COLUMNS || begins(line, "---"))
            break;
        more = line.size == COLUMNS;
        status = buf_append(&base64, take_line(lines), err);
    }
    size_t at = memory->size;
    if (status == OK)
        status = base64_decode(buf_span(&base64), memory, err);
    if (status == OK && memory->size == at)
        status = error_set(err, ERR_INVALID, "nothing under '%s'", title);
    buf_fini(&base64);
    if (status != OK) {
        error_prefix(err, "evidence: line %zu", lines->number);
        return status;
    }
    *ret_bytes = span_of(memory->data + at, memory->size - at);
    return OK;
}

static enum status read_index(struct lines *lines, uint64_t *ret_index, struct error *err)
{
    struct span line = take_line(lines);
    struct span digits = begins(line, "index ") ? span_slice(line, 6, line.size) : SPAN_EMPTY;
    bool good =
        digits.size >= 1 && digits.size <= 13 && (digits.size == 1 || digits.data[0] != '0');
    uint64_t index = 0;
    for (size_t i = 0; good && i < digits.size; i++) {
        good = digits.data[i] >= '0' && digits.data[i] <= '9';
        index = index * 10 + (uint64_t)(digits.data[i] - '0');
    }
    if (!good)
        return error_set(err, ERR_INVALID, "evidence: line %zu is not 'index NUMBER'",
                         lines->number);
    *ret_index = index;
    return OK;
}

static enum status read_hash(struct lines *lines, struct proof *proof, struct error *err)
{
    struct buf decoded = BUF_INIT;
    struct span line = take_line(lines);
    enum status status = OK;
    if (proof->count == PROOF_HASHES_MAX)
        return error_set(err, ERR_LIMIT, "evidence: more than %d hashes in the proof",
                         PROOF_HASHES_MAX);
    if (line.size != HASH_TEXT_SIZE || base64_decode(line, &decoded, NULL) != OK ||
        decoded.size != DIGEST_SIZE) {
        status = error_set(err, ERR_INVALID, "evidence: line %zu is not a hash in base64",
                           lines->number);
    } else {
        memcpy(proof->hashes[proof->count++].bytes, decoded.data, DIGEST_SIZE);
    }
    buf_fini(&decoded);
    return status;
}

static enum status read_proof(struct lines *lines, struct evidence *evidence, struct error *err)
{
    enum status status = expect_line(lines, "--- proof", err);
    if (status == OK)
        status = expect_line(lines, proof_line, err);
    if (status == OK)
        status = read_index(lines, &evidence->index, err);
    while (status == OK && peek_line(lines).size > 0)
        status = read_hash(lines, &evidence->proof, err);
    if (status != OK)
        return status;
    (void)take_line(lines); /* the blank one behind the proof */
    size_t at = evidence->memory.size;
    status = buf_append(&evidence->memory, lines->rest, err);
    evidence->note = span_of(evidence->memory.data + at, lines->rest.size);
    return status;
}

enum status evidence_decode(struct span text, struct evidence *ret_evidence, struct error *err)
{
    struct evidence evidence = { 0 };
    struct lines lines = { .rest = text };
    if (text.size > EVIDENCE_MAX)
        return error_set(err, ERR_LIMIT, "evidence: %zu bytes > %d", text.size, EVIDENCE_MAX);
    /* All that is decoded is shorter than its text: memory never moves after this. */
    enum status status = buf_reserve(&evidence.memory, text.size + 1, err);
    if (status == OK)
        status = expect_line(&lines, first_line, err);
    if (status == OK)
        status = read_section(&lines, "--- header", &evidence.memory, &evidence.header, err);
    bool shown = status == OK && begins(peek_line(&lines), "--- salt");
    if (shown)
        status = read_section(&lines, "--- salt", &evidence.memory, &evidence.salt, err);
    if (shown && status == OK)
        status = read_section(&lines, "--- body", &evidence.memory, &evidence.body, err);
    if (status == OK)
        status = read_proof(&lines, &evidence, err);
    if (status != OK) {
        evidence_fini(&evidence);
        return status;
    }
    *ret_evidence = evidence;
    return OK;
}

/* -- verifying --------------------------------------------------------------------------------- */

/* What the note says, and who signed it. */
static enum status verify_note(const struct evidence *evidence,
                               const struct public_key *log_key,
                               const struct public_key *receipt_key,
                               struct evidence_verdict *verdict,
                               struct error *err)
{
    struct checkpoint checkpoint;
    enum status status = checkpoint_open(evidence->note, SPAN_EMPTY, log_key, &checkpoint, err);
    if (status == OK)
        status = origin_parse(checkpoint.origin, &verdict->origin, err);
    if (status == OK && verdict->origin.kind != ORIGIN_FEED)
        status = error_set(err, ERR_INVALID, "%.*s is not a feed", (int)checkpoint.origin.size,
                           (const char *)checkpoint.origin.data);
    if (status != OK)
        return status;
    verdict->tree_size = checkpoint.size;
    verdict->root = checkpoint.root;
    if (receipt_key == NULL)
        return OK;
    char cosigner[ORIGIN_TEXT_SIZE];
    origin_receipt(&verdict->origin.realm, &verdict->origin.subscriber, cosigner);
    status = checkpoint_open_receipt(evidence->note, SPAN_EMPTY, log_key, cosigner, receipt_key,
                                     &checkpoint, &verdict->receipt_time_s, err);
    if (status == OK)
        verdict->receipted = true;
    return status == ERR_NOT_FOUND ? OK : status;
}

static enum status verify_content(const struct evidence *evidence,
                                  struct evidence_verdict *verdict,
                                  struct error *err)
{
    if (verdict->header.has_inline) {
        verdict->content = verdict->header.inline_body;
        verdict->shown = true;
        return OK;
    }
    if (evidence->salt.size == 0)
        return OK;
    char origin[ORIGIN_TEXT_SIZE];
    origin_format(&verdict->origin, origin);
    enum status status =
        header_open(&verdict->header, span_text(origin), evidence->salt, evidence->body, err);
    if (status == OK)
        status = header_unpad(verdict->header.kind, evidence->body, &verdict->content, err);
    if (status == OK)
        verdict->shown = true;
    return status;
}

enum status evidence_verify(const struct evidence *evidence,
                            const struct public_key *log_key,
                            const struct public_key *receipt_key,
                            struct evidence_verdict *ret_verdict,
                            struct error *err)
{
    struct evidence_verdict verdict = { 0 };
    struct digest leaf;
    enum status status = verify_note(evidence, log_key, receipt_key, &verdict, err);
    if (status == OK)
        status = header_decode(evidence->header, &verdict.header, err);
    if (status == OK)
        status = tree_leaf(evidence->header, &leaf, err);
    if (status == OK)
        status = proof_verify_inclusion(&evidence->proof, &leaf, evidence->index, verdict.tree_size,
                                        &verdict.root, err);
    if (status == OK)
        status = verify_content(evidence, &verdict, err);
    if (status != OK) {
        error_prefix(err, "evidence");
        return status;
    }
    *ret_verdict = verdict;
    return OK;
}
