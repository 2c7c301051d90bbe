#include "log/note.h"

#include "base/cursor.h"
#include "crypto/digest.h"

#include <stdio.h>
#include <string.h>

static const char line_start[] = "\xe2\x80\x94 "; /* U+2014, a space */
enum { LINE_START_SIZE = 4, TIME_SIZE = 8, PREFIX_MAX = 48 };

static bool is_printable(uint8_t c)
{
    return c >= 0x20 && c < 0x7f;
}

static bool is_text(struct span text)
{
    for (size_t i = 0; i < text.size; i++)
        if (!is_printable(text.data[i]) && text.data[i] != '\n')
            return false;
    return true;
}

static bool is_name(struct span name)
{
    for (size_t i = 0; i < name.size; i++)
        if (!is_printable(name.data[i]) || name.data[i] == ' ' || name.data[i] == '+')
            return false;
    return name.size > 0;
}

enum status note_key_id(struct span name,
                        uint8_t type,
                        const struct public_key *key,
                        uint8_t ret_id[static NOTE_KEY_ID_SIZE],
                        struct error *err)
{
    struct span parts[] = { name, SPAN_LITERAL("\n"), span_of(&type, 1), SPAN_ARRAY(key->bytes) };
    struct digest digest;
    enum status status = sha256_of(parts, 4, &digest, err);
    if (status == OK)
        memcpy(ret_id, digest.bytes, NOTE_KEY_ID_SIZE);
    return status;
}

/* Where the signature lines begin: behind the last blank line.  0: there is none. */
static size_t find_signatures(struct span bytes)
{
    for (size_t i = bytes.size; i-- > 1;)
        if (bytes.data[i] == '\n' && bytes.data[i - 1] == '\n')
            return i + 1;
    return 0;
}

static bool signs_twice(const struct note *note, const struct note_signature *signature)
{
    for (size_t i = 0; i < note->signature_count; i++) {
        const struct note_signature *other = &note->signatures[i];
        if (span_equal(other->name, signature->name) &&
            memcmp(other->key_id, signature->key_id, NOTE_KEY_ID_SIZE) == 0)
            return true;
    }
    return false;
}

/* `line` is without its newline. */
static enum status parse_line(struct note *note, struct span line, struct error *err)
{
    struct note_signature signature = { 0 };
    struct buf decoded = BUF_INIT;
    enum status status = OK;
    const uint8_t *space = NULL;
    struct span rest = span_slice(line, LINE_START_SIZE, line.size);
    if (span_equal(span_slice(line, 0, LINE_START_SIZE), SPAN_LITERAL(line_start)) && rest.size > 0)
        space = memchr(rest.data, ' ', rest.size);
    if (space == NULL)
        return error_set(err, ERR_INVALID, "note: a signature line does not read '— name base64'");
    signature.name = span_of(rest.data, (size_t)(space - rest.data));
    signature.base64 = span_slice(rest, signature.name.size + 1, rest.size);
    if (!is_name(signature.name))
        return error_set(err, ERR_INVALID, "note: a key's name is empty or not printable ASCII");
    status = base64_decode(signature.base64, &decoded, err);
    if (status != OK) {
        error_prefix(err, "note: signature of %.*s", (int)signature.name.size,
                     (const char *)signature.name.data);
    } else if (decoded.size <= NOTE_KEY_ID_SIZE) {
        status = error_set(err, ERR_INVALID, "note: a signature of %zu bytes", decoded.size);
    } else {
        memcpy(signature.key_id, decoded.data, NOTE_KEY_ID_SIZE);
        if (signs_twice(note, &signature)) {
            status = error_set(err, ERR_INVALID, "note: %.*s signs twice", (int)signature.name.size,
                               (const char *)signature.name.data);
        } else if (note->signature_count == NOTE_SIGNATURES_MAX) {
            status =
                error_set(err, ERR_LIMIT, "note: more than %d signatures", NOTE_SIGNATURES_MAX);
        } else {
            note->signatures[note->signature_count++] = signature;
        }
    }
    buf_fini(&decoded);
    return status;
}

enum status note_parse(struct span bytes, struct note *ret_note, struct error *err)
{
    struct note note = { 0 };
    if (bytes.size > NOTE_MAX)
        return error_set(err, ERR_LIMIT, "note: %zu bytes > %d", bytes.size, NOTE_MAX);
    size_t at = find_signatures(bytes);
    if (at < 2 || at == bytes.size)
        return error_set(err, ERR_INVALID, "note: no signatures behind a blank line");
    note.text = span_slice(bytes, 0, at - 1);
    if (note.text.size < 2 || !is_text(note.text))
        return error_set(err, ERR_INVALID, "note: its text is empty or not printable ASCII");
    while (at < bytes.size) {
        struct span rest = span_slice(bytes, at, bytes.size);
        const uint8_t *end = memchr(rest.data, '\n', rest.size);
        if (end == NULL)
            return error_set(err, ERR_INVALID, "note: its last line has no end");
        struct span line = span_of(rest.data, (size_t)(end - rest.data));
        enum status status = parse_line(&note, line, err);
        if (status != OK)
            return status;
        at += line.size + 1;
    }
    *ret_note = note;
    return OK;
}

/* The decoded signature of a key, without its id, at `to`; ERR_NOT_FOUND, ERR_SIGNATURE. */
static enum status find_signature(const struct note *note,
                                  struct span name,
                                  uint8_t type,
                                  const struct public_key *key,
                                  struct buf *decoded,
                                  struct error *err)
{
    uint8_t id[NOTE_KEY_ID_SIZE];
    enum status status = note_key_id(name, type, key, id, err);
    if (status != OK)
        return status;
    size_t want = NOTE_KEY_ID_SIZE + ED25519_SIGNATURE_SIZE;
    want += type == NOTE_COSIGNATURE ? TIME_SIZE : 0;
    for (size_t i = 0; i < note->signature_count; i++) {
        const struct note_signature *signature = &note->signatures[i];
        if (!span_equal(signature->name, name) ||
            memcmp(signature->key_id, id, NOTE_KEY_ID_SIZE) != 0)
            continue;
        status = base64_decode(signature->base64, decoded, err);
        if (status == OK && decoded->size != want)
            status = error_set(err, ERR_SIGNATURE, "note: signature of %.*s has %zu bytes, not %zu",
                               (int)name.size, (const char *)name.data, decoded->size, want);
        return status;
    }
    return error_set(err, ERR_NOT_FOUND, "note: not signed by that key of %.*s", (int)name.size,
                     (const char *)name.data);
}

enum status note_verify(const struct note *note,
                        struct span name,
                        const struct public_key *key,
                        struct error *err)
{
    struct buf decoded = BUF_INIT;
    enum status status = find_signature(note, name, NOTE_ED25519, key, &decoded, err);
    if (status == OK) {
        struct span all = buf_span(&decoded);
        status = ed25519_verify(key, note->text, span_slice(all, NOTE_KEY_ID_SIZE, all.size), err);
    }
    buf_fini(&decoded);
    return status;
}

/* The bytes that a cosignature signs: a line that names the format, the time, then the text. */
static enum status cosigned_message(struct span text,
                                    uint64_t time_s,
                                    struct buf *append_to,
                                    struct error *err)
{
    char prefix[PREFIX_MAX];
    (void)snprintf(prefix, sizeof(prefix), "cosignature/v1\ntime %llu\n",
                   (unsigned long long)time_s);
    enum status status = buf_append_text(append_to, prefix, err);
    if (status == OK)
        status = buf_append(append_to, text, err);
    return status;
}

enum status note_cosignature_time(const struct note *note,
                                  struct span name,
                                  const struct public_key *key,
                                  uint64_t *ret_time_s,
                                  struct error *err)
{
    struct buf decoded = BUF_INIT;
    enum status status = find_signature(note, name, NOTE_COSIGNATURE, key, &decoded, err);
    struct reader r = reader_init(buf_span(&decoded));
    (void)reader_bytes(&r, NOTE_KEY_ID_SIZE);
    if (status == OK)
        *ret_time_s = reader_u64(&r);
    buf_fini(&decoded);
    return status;
}

enum status note_verify_cosignature(const struct note *note,
                                    struct span name,
                                    const struct public_key *key,
                                    uint64_t *ret_time_s,
                                    struct error *err)
{
    struct buf decoded = BUF_INIT;
    struct buf message = BUF_INIT;
    uint64_t time_s = 0;
    enum status status = find_signature(note, name, NOTE_COSIGNATURE, key, &decoded, err);
    struct reader r = reader_init(buf_span(&decoded));
    (void)reader_bytes(&r, NOTE_KEY_ID_SIZE);
    time_s = reader_u64(&r);
    if (status == OK)
        status = cosigned_message(note->text, time_s, &message, err);
    if (status == OK)
        status = ed25519_verify(key, buf_span(&message), r.rest, err);
    if (status == OK)
        *ret_time_s = time_s;
    buf_fini(&message);
    buf_fini(&decoded);
    return status;
}

static enum status append_line(struct span name,
                               uint8_t type,
                               const struct public_key *key,
                               struct span signature,
                               struct buf *append_to,
                               struct error *err)
{
    uint8_t bytes[NOTE_SIGNATURE_MAX];
    enum status status = note_key_id(name, type, key, bytes, err);
    if (status != OK)
        return status;
    memcpy(bytes + NOTE_KEY_ID_SIZE, signature.data, signature.size);
    struct buf base64 = BUF_INIT;
    status = base64_encode(span_of(bytes, NOTE_KEY_ID_SIZE + signature.size), &base64, err);
    if (status == OK)
        status = buf_printf(append_to, err, "%s%.*s %.*s\n", line_start, (int)name.size,
                            (const char *)name.data, (int)base64.size, (const char *)base64.data);
    buf_fini(&base64);
    return status;
}

static enum status check_signable(struct span text, struct span name, struct error *err)
{
    bool ends = text.size > 1 && text.data[text.size - 1] == '\n';
    if (!ends || !is_text(text) || !is_name(name))
        return error_set(err, ERR_INVALID,
                         "note: text or name cannot be signed: printable ASCII, lines that end");
    return OK;
}

enum status note_sign_also(struct span text,
                           struct span name,
                           const struct private_key *key,
                           struct buf *append_to,
                           struct error *err)
{
    struct public_key public_key;
    uint8_t signature[ED25519_SIGNATURE_SIZE];
    enum status status = check_signable(text, name, err);
    if (status == OK)
        status = private_key_public(key, &public_key, err);
    if (status == OK)
        status = ed25519_sign(key, text, signature, err);
    if (status == OK)
        status =
            append_line(name, NOTE_ED25519, &public_key, SPAN_ARRAY(signature), append_to, err);
    return status;
}

enum status note_sign(struct span text,
                      struct span name,
                      const struct private_key *key,
                      struct buf *append_to,
                      struct error *err)
{
    enum status status = check_signable(text, name, err);
    if (status == OK)
        status = buf_append(append_to, text, err);
    if (status == OK)
        status = buf_append_text(append_to, "\n", err);
    return status == OK ? note_sign_also(text, name, key, append_to, err) : status;
}

enum status note_cosign(struct span text,
                        struct span name,
                        const struct private_key *key,
                        uint64_t time_s,
                        struct buf *append_to,
                        struct error *err)
{
    struct buf message = BUF_INIT;
    struct public_key public_key;
    uint8_t signature[TIME_SIZE + ED25519_SIGNATURE_SIZE];
    for (unsigned i = 0; i < TIME_SIZE; i++)
        signature[i] = (uint8_t)(time_s >> (8 * (TIME_SIZE - 1 - i)));
    enum status status = check_signable(text, name, err);
    if (status == OK)
        status = private_key_public(key, &public_key, err);
    if (status == OK)
        status = cosigned_message(text, time_s, &message, err);
    if (status == OK)
        status = ed25519_sign(key, buf_span(&message), signature + TIME_SIZE, err);
    if (status == OK)
        status =
            append_line(name, NOTE_COSIGNATURE, &public_key, SPAN_ARRAY(signature), append_to, err);
    buf_fini(&message);
    return status;
}

enum status note_keep(const struct note *note,
                      struct span name,
                      struct buf *append_to,
                      struct error *err)
{
    enum status status = buf_append(append_to, note->text, err);
    if (status == OK)
        status = buf_append_text(append_to, "\n", err);
    for (size_t i = 0; status == OK && i < note->signature_count; i++) {
        const struct note_signature *signature = &note->signatures[i];
        if (span_equal(signature->name, name))
            status = buf_printf(append_to, err, "%s%.*s %.*s\n", line_start, (int)name.size,
                                (const char *)name.data, (int)signature->base64.size,
                                (const char *)signature->base64.data);
    }
    return status;
}
