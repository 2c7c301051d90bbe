#include "log/header.h"

#include "base/cursor.h"
#include "crypto/digest.h"

#include <string.h>

enum { FLAG_CRITICAL = 1, FLAG_INLINE = 2, LENGTH_SIZE = 4 };

static const char commitment_label[] = "comity.v1/commitment";

struct kind_name {
    uint16_t kind;
    const char *name; /* as the protocol writes it */
    const char *word; /* as people read it */
};

static const struct kind_name kinds[] = {
    { KIND_CONSENT_GIVEN, "CONSENT_GIVEN", "consent-given" },
    { KIND_CONSENT_CHANGED, "CONSENT_CHANGED", "consent-changed" },
    { KIND_CONSENT_SUSPENDED, "CONSENT_SUSPENDED", "consent-suspended" },
    { KIND_CONSENT_RESUMED, "CONSENT_RESUMED", "consent-resumed" },
    { KIND_CONSENT_ENDED, "CONSENT_ENDED", "consent-ended" },
    { KIND_EXCERPT, "EXCERPT", "excerpt" },
    { KIND_RELEASE, "RELEASE", "release" },
    { KIND_PART, "PART", "part" },
    { KIND_WITHDRAWN, "WITHDRAWN", "withdrawn" },
    { KIND_ERASED, "ERASED", "erased" },
    { KIND_HELD, "HELD", "held" },
    { KIND_REFUSED, "REFUSED", "refused" },
    { KIND_CONCURRENCE, "CONCURRENCE", "concurrence" },
    { KIND_CLARIFY, "CLARIFY", "clarify" },
    { KIND_REVIEW, "REVIEW", "review" },
    { KIND_CARD, "CARD", "card" },
    { KIND_KEYS, "KEYS", "keys" },
    { KIND_ROSTER, "ROSTER", "roster" },
    { KIND_RESTORED, "RESTORED", "restored" },
};

static const struct kind_name *find_kind(uint16_t kind)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (kinds[i].kind == kind)
            return &kinds[i];
    return NULL;
}

const char *header_kind_name(uint16_t kind)
{
    const struct kind_name *found = find_kind(kind);
    return found == NULL ? "UNKNOWN" : found->name;
}

const char *header_kind_word(uint16_t kind)
{
    const struct kind_name *found = find_kind(kind);
    return found == NULL ? "unknown" : found->word;
}

bool header_kind_is_known(uint16_t kind)
{
    return find_kind(kind) != NULL;
}

/* The rules that hold for what we write and for what we read. */
static enum status check_sizes(const struct entry_header *header, struct error *err)
{
    static const struct digest no_commitment;
    if (header->inline_body.size > ENTRY_INLINE_MAX)
        return error_set(err, ERR_LIMIT, "entry header: inline body of %zu bytes > %d",
                         header->inline_body.size, ENTRY_INLINE_MAX);
    if (!header->has_inline && header->inline_body.size > 0)
        return error_set(err, ERR_INVALID, "entry header: inline body without the inline flag");
    if (header->has_inline &&
        (header->body_size != 0 || !digest_equal(&header->commitment, &no_commitment)))
        return error_set(err, ERR_INVALID, "entry header: inline flag and a sealed body at once");
    if (header->body_size > ENTRY_BODY_MAX)
        return error_set(err, ERR_LIMIT, "entry header: body of %u bytes > %d", header->body_size,
                         ENTRY_BODY_MAX);
    return OK;
}

enum status header_encode(const struct entry_header *header,
                          struct buf *append_to,
                          struct error *err)
{
    enum status status = check_sizes(header, err);
    if (status != OK)
        return status;
    struct writer w = writer_init(append_to);
    writer_u8(&w, HEADER_VERSION);
    writer_u8(&w, (uint8_t)((header->critical ? FLAG_CRITICAL : 0) |
                            (header->has_inline ? FLAG_INLINE : 0)));
    writer_u16(&w, header->kind);
    writer_bytes(&w, SPAN_ARRAY(header->entry_id.bytes));
    writer_bytes(&w, SPAN_ARRAY(header->in_reply_to.bytes));
    writer_u64(&w, (uint64_t)header->time_ms);
    writer_bytes(&w, SPAN_ARRAY(header->consent_id.bytes));
    writer_bytes(&w, SPAN_ARRAY(header->subject_id.bytes));
    writer_u32(&w, header->record_version);
    writer_u8(&w, header->form);
    writer_u8(&w, header->body_format);
    writer_u16(&w, (uint16_t)header->inline_body.size);
    writer_u32(&w, header->body_size);
    writer_bytes(&w, SPAN_ARRAY(header->commitment.bytes));
    writer_bytes(&w, header->inline_body);
    return writer_done(&w, "entry header", err);
}

static enum status read_flags(struct reader *r, struct entry_header *header, struct error *err)
{
    uint8_t version = reader_u8(r);
    uint8_t flags = reader_u8(r);
    if (!r->failed && version != HEADER_VERSION)
        return error_set(err, ERR_INVALID, "entry header: format version %u, this is %d", version,
                         HEADER_VERSION);
    if ((flags & ~(FLAG_CRITICAL | FLAG_INLINE)) != 0)
        return error_set(err, ERR_INVALID, "entry header: unknown flags 0x%02x", flags);
    header->critical = (flags & FLAG_CRITICAL) != 0;
    header->has_inline = (flags & FLAG_INLINE) != 0;
    return OK;
}

enum status header_decode(struct span bytes, struct entry_header *ret_header, struct error *err)
{
    struct entry_header header = { 0 };
    struct reader r = reader_init(bytes);
    enum status status = read_flags(&r, &header, err);
    if (status != OK)
        return status;
    header.kind = reader_u16(&r);
    reader_copy(&r, header.entry_id.bytes, ID_SIZE);
    reader_copy(&r, header.in_reply_to.bytes, ID_SIZE);
    uint64_t time_ms = reader_u64(&r);
    header.time_ms = (int64_t)time_ms;
    reader_copy(&r, header.consent_id.bytes, ID_SIZE);
    reader_copy(&r, header.subject_id.bytes, ID_SIZE);
    header.record_version = reader_u32(&r);
    header.form = reader_u8(&r);
    header.body_format = reader_u8(&r);
    uint16_t inline_size = reader_u16(&r);
    header.body_size = reader_u32(&r);
    reader_copy(&r, header.commitment.bytes, DIGEST_SIZE);
    header.inline_body = reader_bytes(&r, inline_size);
    status = reader_done(&r, "entry header", err);
    if (status == OK && time_ms > INT64_MAX)
        status = error_set(err, ERR_INVALID, "entry header: its time is not a time");
    if (status == OK)
        status = check_sizes(&header, err);
    if (status == OK)
        *ret_header = header;
    return status;
}

size_t header_body_size(struct span bytes)
{
    struct reader r = reader_init(bytes);
    (void)reader_bytes(&r, HEADER_FIXED_SIZE - DIGEST_SIZE - sizeof(uint32_t));
    return reader_u32(&r);
}

/* Padmé keeps as many leading bits of a size as its exponent has, so that the overhead shrinks as
 * bodies grow (Nikitin et al., Reducing Metadata Leakage, 2019).  One bit more here: bytes on the
 * wire count, and the step is at most 3.2 % of the size. */
static uint32_t padme_step(uint32_t size)
{
    uint32_t exponent = 31U - (uint32_t)__builtin_clz(size);
    uint32_t exponent_bits = 32U - (uint32_t)__builtin_clz(exponent);
    return 1U << (exponent - exponent_bits - 1);
}

uint32_t header_padded_size(uint16_t kind, uint32_t content_size)
{
    bool is_bulk = kind == KIND_RELEASE || kind == KIND_PART;
    uint32_t least = is_bulk ? 512 : 1024; /* one excerpt, one set of terms looks like another */
    uint32_t step = is_bulk ? 64 : 1024;
    uint32_t size = content_size + LENGTH_SIZE;
    if (size < least)
        return least;
    uint32_t padme = padme_step(size);
    if (padme > step)
        step = padme;
    return (size + step - 1) & ~(step - 1);
}

enum status header_pad(uint16_t kind, struct span content, struct buf *append_to, struct error *err)
{
    if (content.size > HEADER_CONTENT_MAX)
        return error_set(err, ERR_LIMIT, "body of %zu bytes > %d", content.size,
                         HEADER_CONTENT_MAX);
    uint32_t padded = header_padded_size(kind, (uint32_t)content.size);
    size_t at = append_to->size;
    enum status status = buf_append_zeros(append_to, padded, err);
    if (status != OK)
        return status;
    uint8_t *body = append_to->data + at;
    for (unsigned i = 0; i < LENGTH_SIZE; i++)
        body[i] = (uint8_t)(content.size >> (8 * (LENGTH_SIZE - 1 - i)));
    if (content.size > 0)
        memcpy(body + LENGTH_SIZE, content.data, content.size);
    return OK;
}

enum status header_unpad(uint16_t kind,
                         struct span body,
                         struct span *ret_content,
                         struct error *err)
{
    struct reader r = reader_init(body);
    uint32_t size = reader_u32(&r);
    struct span content = reader_bytes(&r, size);
    if (r.failed)
        return error_set(err, ERR_INVALID, "body: content of %u bytes in a body of %zu", size,
                         body.size);
    if (size > HEADER_CONTENT_MAX || body.size != header_padded_size(kind, size))
        return error_set(err, ERR_INVALID, "body: %u bytes are not padded to %zu", size, body.size);
    uint8_t padding = 0;
    for (size_t i = 0; i < r.rest.size; i++)
        padding |= r.rest.data[i];
    if (padding != 0)
        return error_set(err, ERR_INVALID, "body: padding that is not zero");
    *ret_content = content;
    return OK;
}

static void add_field(struct sha256 *sha, struct span field)
{
    sha256_add_u32(sha, (uint32_t)field.size);
    sha256_add(sha, field);
}

enum status header_commit(struct span origin,
                          const struct id *entry_id,
                          struct span salt,
                          struct span body,
                          struct digest *ret_commitment,
                          struct error *err)
{
    struct sha256 *sha = NULL;
    enum status status = sha256_thread(&sha, err);
    if (status != OK)
        return status;
    sha256_start(sha);
    add_field(sha, SPAN_LITERAL(commitment_label));
    add_field(sha, origin);
    add_field(sha, SPAN_ARRAY(entry_id->bytes));
    add_field(sha, salt);
    add_field(sha, body);
    return sha256_final(sha, ret_commitment, err);
}

enum status header_open(const struct entry_header *header,
                        struct span origin,
                        struct span salt,
                        struct span body,
                        struct error *err)
{
    if (header->has_inline)
        return error_set(err, ERR_INVALID, "an entry with an inline body has no commitment");
    if (body.size != header->body_size)
        return error_set(err, ERR_MISMATCH, "body of %zu bytes where the header says %u", body.size,
                         header->body_size);
    struct digest commitment;
    enum status status = header_commit(origin, &header->entry_id, salt, body, &commitment, err);
    if (status == OK && !digest_equal(&commitment, &header->commitment))
        status = error_set(err, ERR_MISMATCH, "body does not open its commitment");
    return status;
}
