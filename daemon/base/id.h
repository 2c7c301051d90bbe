/* Names of things: 16-byte ids, node codes, realms, roles, digests.
 *
 * An id is ordered in time: 6 bytes of Unix milliseconds, then 10 random bytes (the shape of
 * RFC 9562 version 7 without its version bits).  On screen: 32 lower-case hex digits; any unique
 * prefix of at least 6 digits is accepted where people type one.
 */
#ifndef COMITY_BASE_ID_H
#define COMITY_BASE_ID_H

#include "base/span.h"

struct random_source;

enum {
    ID_SIZE = 16,
    ID_TEXT_SIZE = 33,
    ID_PREFIX_MIN = 6,
    DIGEST_SIZE = 32,
    CODE_MAX = 12,
    REALM_MAX = 16
};

struct id {
    uint8_t bytes[ID_SIZE];
};

struct digest {
    uint8_t bytes[DIGEST_SIZE]; /* SHA-256 */
};

/* ISO 3166-1 alpha-2 (`KE`), `EU`, or 3-12 capitals for an organisation; NUL-terminated. */
struct code {
    char text[CODE_MAX + 1];
};

/* `live`, `training`, or another: 1-16 of a-z 0-9 -, beginning with a letter. */
struct realm {
    char text[REALM_MAX + 1];
};

enum role { ROLE_TLS = 0, ROLE_LOG, ROLE_RECEIPT, ROLE_WITNESS, ROLE_COUNT };
const char *role_name(enum role role); /* "tls", "log", "receipt", "witness" */

/* All zeros: "no such reference" in headers.
 * NOLINTNEXTLINE(readability-identifier-naming): it is a constant */
extern const struct id ID_NONE;

MUST_CHECK enum status id_make(struct id *ret_id,
                               int64_t now_ms,
                               struct random_source *random,
                               struct error *err);
bool id_equal(const struct id *a, const struct id *b);
bool id_is_none(const struct id *id);
int id_compare(const struct id *a, const struct id *b);
void id_format(const struct id *id, char text[static ID_TEXT_SIZE]);
MUST_CHECK enum status id_parse(const char *text, struct id *ret_id, struct error *err);

bool digest_equal(const struct digest *a, const struct digest *b); /* constant time */

MUST_CHECK enum status code_parse(const char *text, struct code *ret_code, struct error *err);
bool code_equal(const struct code *a, const struct code *b);
bool code_is_state(const struct code *code); /* two letters, and not EU */
MUST_CHECK enum status realm_parse(const char *text, struct realm *ret_realm, struct error *err);
bool realm_is_training(const struct realm *realm);

/* Hexadecimal and base64 (RFC 4648 section 4, padded, strict). */
MUST_CHECK enum status hex_decode(struct span text,
                                  uint8_t *ret_bytes,
                                  size_t size,
                                  struct error *err);
void hex_encode(struct span bytes, char *ret_text); /* 2 * size + 1 chars with the NUL */
MUST_CHECK enum status base64_decode(struct span text, struct buf *ret_bytes, struct error *err);
MUST_CHECK enum status base64_encode(struct span bytes, struct buf *append_to, struct error *err);

#endif
