#include "log/checkpoint.h"

#include <string.h>

enum { ROOT_TEXT_SIZE = 44 }; /* base64 of 32 bytes */

enum status checkpoint_encode(const struct checkpoint *checkpoint,
                              struct buf *append_to,
                              struct error *err)
{
    enum status status =
        buf_printf(append_to, err, "%.*s\n%llu\n", (int)checkpoint->origin.size,
                   (const char *)checkpoint->origin.data, (unsigned long long)checkpoint->size);
    if (status == OK)
        status = base64_encode(SPAN_ARRAY(checkpoint->root.bytes), append_to, err);
    if (status == OK)
        status = buf_append_text(append_to, "\n", err);
    return status;
}

/* The next line without its newline; false at the end. */
static bool next_line(struct span *rest, struct span *ret_line)
{
    const uint8_t *end = rest->size == 0 ? NULL : memchr(rest->data, '\n', rest->size);
    if (end == NULL)
        return false;
    *ret_line = span_of(rest->data, (size_t)(end - rest->data));
    *rest = span_slice(*rest, ret_line->size + 1, rest->size);
    return true;
}

/* Printable ASCII without blanks: what can be the name of a key (note.h). */
static bool is_origin(struct span text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] <= 0x20 || text.data[i] >= 0x7f)
            return false;
    return text.size > 0;
}

/* Decimal, without sign, blanks or leading zeros, at most FEED_ENTRIES_MAX. */
static bool parse_size(struct span text, uint64_t *ret_size)
{
    bool good = text.size >= 1 && text.size <= 13 && (text.size == 1 || text.data[0] != '0');
    uint64_t size = 0;
    for (size_t i = 0; good && i < text.size; i++) {
        good = text.data[i] >= '0' && text.data[i] <= '9';
        size = size * 10 + (uint64_t)(text.data[i] - '0');
    }
    *ret_size = size;
    return good && size <= FEED_ENTRIES_MAX;
}

static enum status parse_root(struct span text, struct digest *ret_root, struct error *err)
{
    struct buf decoded = BUF_INIT;
    if (text.size != ROOT_TEXT_SIZE)
        return error_set(err, ERR_INVALID, "checkpoint: its root is not base64 of 32 bytes");
    enum status status = base64_decode(text, &decoded, err);
    if (status == OK && decoded.size != DIGEST_SIZE)
        status =
            error_set(err, ERR_INVALID, "checkpoint: its root has %zu bytes, not 32", decoded.size);
    if (status == OK)
        memcpy(ret_root->bytes, decoded.data, DIGEST_SIZE);
    buf_fini(&decoded);
    return status;
}

enum status checkpoint_decode(struct span text,
                              struct checkpoint *ret_checkpoint,
                              struct error *err)
{
    struct checkpoint checkpoint = { 0 };
    struct span size = SPAN_EMPTY;
    struct span root = SPAN_EMPTY;
    struct span rest = text;
    if (!next_line(&rest, &checkpoint.origin) || !next_line(&rest, &size) ||
        !next_line(&rest, &root) || rest.size > 0)
        return error_set(err, ERR_INVALID, "checkpoint: not the three lines origin, size, root");
    if (!is_origin(checkpoint.origin))
        return error_set(err, ERR_INVALID, "checkpoint: its origin is empty, or not a name");
    if (!parse_size(size, &checkpoint.size))
        return error_set(err, ERR_INVALID, "checkpoint: its size is not a number of entries");
    enum status status = parse_root(root, &checkpoint.root, err);
    if (status == OK)
        *ret_checkpoint = checkpoint;
    return status;
}

enum status checkpoint_sign(const struct checkpoint *checkpoint,
                            const struct private_key *log_key,
                            struct buf *append_to,
                            struct error *err)
{
    struct buf text = BUF_INIT;
    enum status status = checkpoint_encode(checkpoint, &text, err);
    if (status == OK)
        status = note_sign(buf_span(&text), checkpoint->origin, log_key, append_to, err);
    buf_fini(&text);
    return status;
}

static enum status open_note(const struct note *note,
                             struct span origin,
                             const struct public_key *log_key,
                             struct checkpoint *ret_checkpoint,
                             struct error *err)
{
    struct checkpoint checkpoint = { 0 };
    enum status status = checkpoint_decode(note->text, &checkpoint, err);
    if (status != OK)
        return status;
    if (origin.size > 0 && !span_equal(origin, checkpoint.origin)) {
        return error_set(err, ERR_MISMATCH, "checkpoint of %.*s where %.*s belongs",
                         (int)checkpoint.origin.size, (const char *)checkpoint.origin.data,
                         (int)origin.size, (const char *)origin.data);
    }
    if (log_key != NULL)
        status = note_verify(note, checkpoint.origin, log_key, err);
    if (status == OK)
        *ret_checkpoint = checkpoint;
    return status;
}

enum status checkpoint_open(struct span note,
                            struct span origin,
                            const struct public_key *log_key,
                            struct checkpoint *ret_checkpoint,
                            struct error *err)
{
    struct note parsed;
    enum status status = note_parse(note, &parsed, err);
    if (status == OK)
        status = open_note(&parsed, origin, log_key, ret_checkpoint, err);
    return status;
}

enum status checkpoint_cosign(struct span note,
                              const char *cosigner,
                              const struct private_key *key,
                              uint64_t time_s,
                              struct buf *append_to,
                              struct error *err)
{
    struct note parsed;
    enum status status = note_parse(note, &parsed, err);
    if (status == OK)
        status = buf_append(append_to, note, err);
    if (status == OK)
        status = note_cosign(parsed.text, span_text(cosigner), key, time_s, append_to, err);
    return status;
}

/* Two signers, each with a name and a key. */
enum status checkpoint_open_receipt(struct span note, /* NOLINT(readability-function-size) */
                                    struct span origin,
                                    const struct public_key *log_key,
                                    const char *cosigner,
                                    const struct public_key *cosigner_key,
                                    struct checkpoint *ret_checkpoint,
                                    uint64_t *ret_time_s,
                                    struct error *err)
{
    struct note parsed;
    struct checkpoint checkpoint = { 0 };
    uint64_t time_s = 0;
    enum status status = note_parse(note, &parsed, err);
    if (status == OK)
        status = open_note(&parsed, origin, log_key, &checkpoint, err);
    if (status == OK)
        status = note_verify_cosignature(&parsed, span_text(cosigner), cosigner_key, &time_s, err);
    if (status != OK)
        return status;
    *ret_checkpoint = checkpoint;
    *ret_time_s = time_s;
    return OK;
}
