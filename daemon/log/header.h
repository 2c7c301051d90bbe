/* The header of one feed entry: the leaf of the Merkle tree, which stays for ever.
 *
 * Layout, big-endian, so that SHA-256 and a page of text suffice to check it (docs/PROTOCOL.md):
 *
 *   at size field
 *    0   1  format version (1)
 *    1   1  flags: bit 0 critical, bit 1 inline body; other bits zero
 *    2   2  kind
 *    4  16  entry id
 *   20  16  in reply to (an entry id of the other feed, or zeros)
 *   36   8  time, Unix milliseconds
 *   44  16  consent id (per pair), or zeros
 *   60  16  subject id (the record, per pair), or zeros
 *   76   4  record version
 *   80   1  form of release
 *   81   1  body format
 *   82   2  inline size (0 without the inline flag)
 *   84   4  padded body size (0 with the inline flag)
 *   88  32  commitment (zeros with the inline flag)
 *  120   n  inline body
 *
 * leaf hash = SHA-256(0x00 || header), RFC 6962 section 2.1.
 * commitment = SHA-256(len || "comity.v1/commitment" || len || origin || len || entry id ||
 *                      len || salt || len || body), each len a u32, body as padded.
 */
#ifndef COMITY_LOG_HEADER_H
#define COMITY_LOG_HEADER_H

#include "base/id.h"
#include "base/limits.h"
#include "base/span.h"

enum { HEADER_VERSION = 1, HEADER_FIXED_SIZE = 120 };

/* Kinds; numbers are for ever.  header_kind_word() is what people read. */
enum entry_kind {
    KIND_CONSENT_GIVEN = 1, /* body: the terms */
    KIND_CONSENT_CHANGED = 2,
    KIND_CONSENT_SUSPENDED = 3,
    KIND_CONSENT_RESUMED = 4,
    KIND_CONSENT_ENDED = 5,
    KIND_EXCERPT = 16,
    KIND_RELEASE = 17,
    KIND_PART = 18,
    KIND_WITHDRAWN = 32, /* inline: lock and erase the subject */
    KIND_ERASED = 33,    /* inline, reverse feed: in reply to the WITHDRAWN */
    KIND_HELD = 34,
    KIND_REFUSED = 35, /* inline, reverse feed: stored, not accepted, why */
    KIND_CONCURRENCE = 48,
    KIND_CLARIFY = 49,
    KIND_REVIEW = 50,
    KIND_CARD = 64,
    KIND_KEYS = 65,
    KIND_ROSTER = 66,
    KIND_RESTORED = 80 /* inline: first entry of an epoch after a rollback */
};

enum release_form {
    FORM_NONE = 0,
    FORM_EXACT = 1,
    FORM_SUPPRESSED = 2,
    FORM_ROUNDED = 3,
    FORM_AGGREGATE_ONLY = 4
};

enum body_format {
    BODY_NONE = 0,
    BODY_TERMS = 1,   /* consent/terms.h */
    BODY_EXCERPT = 2, /* record/excerpt.h */
    BODY_RELEASE = 3, /* record/release.h: packed, columnar, behind zstd */
    BODY_CARD = 4     /* crypto/card.h */
};

struct entry_header {
    bool critical; /* a receiver that does not know the kind must refuse to use it */
    bool has_inline;
    uint16_t kind; /* enum entry_kind, or one that this version does not know */
    struct id entry_id;
    struct id in_reply_to;
    int64_t time_ms;
    struct id consent_id;
    struct id subject_id;
    uint32_t record_version;
    uint8_t form;
    uint8_t body_format;
    uint32_t body_size; /* padded */
    struct digest commitment;
    struct span inline_body; /* borrows from what was decoded or given */
};

MUST_CHECK enum status header_encode(const struct entry_header *header,
                                     struct buf *append_to,
                                     struct error *err);
/* The padded size of the body, read from its place alone; 0 when the header is too short. */
size_t header_body_size(struct span bytes);
/* Strict: unknown version, unknown flags, sizes that do not fit and left-over bytes are refused;
 * an unknown kind is not. */
MUST_CHECK enum status header_decode(struct span bytes,
                                     struct entry_header *ret_header,
                                     struct error *err);
const char *header_kind_name(uint16_t kind); /* "EXCERPT", or "UNKNOWN" */
const char *header_kind_word(uint16_t kind); /* "excerpt", or "unknown" */
bool header_kind_is_known(uint16_t kind);

/* How a body is padded: u32 length, content, zeros up to header_padded_size(kind, length): the next
 * multiple of a step that grows with the size (Padmé and one bit: 1.6 to 3.2 %), never below 1024
 * (RELEASE and PART: never below 64, and 512 in all).  Content is at most HEADER_CONTENT_MAX. */
enum { HEADER_CONTENT_MAX = ENTRY_BODY_MAX - 4 };
uint32_t header_padded_size(uint16_t kind, uint32_t content_size);
MUST_CHECK enum status header_pad(uint16_t kind,
                                  struct span content,
                                  struct buf *append_to,
                                  struct error *err);
/* Checks the length and that all padding is zero; the content borrows from `body`. */
MUST_CHECK enum status header_unpad(uint16_t kind,
                                    struct span body,
                                    struct span *ret_content,
                                    struct error *err);

MUST_CHECK enum status header_commit(struct span origin,
                                     const struct id *entry_id,
                                     struct span salt,
                                     struct span body,
                                     struct digest *ret_commitment,
                                     struct error *err);
/* The commitment of `header` opens to salt and body under `origin`. */
MUST_CHECK enum status header_open(const struct entry_header *header,
                                   struct span origin,
                                   struct span salt,
                                   struct span body,
                                   struct error *err);

#endif
