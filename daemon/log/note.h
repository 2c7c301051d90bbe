/* C2SP signed notes: text, a blank line, and one line per signature.
 *
 *   text lines ... \n
 *   \n
 *   U+2014 SP <key name> SP base64(4 bytes key id || signature) \n
 *
 * key id = SHA-256(key name || 0x0A || type || public key)[:4].  Two types are used: 0x01, plain
 * Ed25519 over the text, and 0x04, `cosignature/v1`: signature = u64 Unix seconds || Ed25519 over
 * "cosignature/v1\ntime <seconds>\n" || text.  Lines of other keys and types are kept, not judged.
 * Stricter than C2SP asks: text and names are printable ASCII, and no key signs twice.
 */
#ifndef COMITY_LOG_NOTE_H
#define COMITY_LOG_NOTE_H

#include "base/id.h"
#include "base/limits.h"
#include "base/span.h"
#include "crypto/sign.h"

enum {
    NOTE_ED25519 = 0x01,
    NOTE_COSIGNATURE = 0x04,
    NOTE_KEY_ID_SIZE = 4,
    NOTE_SIGNATURES_MAX = 16, /* the log, its receipt, and witnesses */
    NOTE_SIGNATURE_MAX = 128  /* decoded, of the two types above 68 and 76 */
};

struct note_signature {
    struct span name;
    struct span base64;
    uint8_t key_id[NOTE_KEY_ID_SIZE];
};

struct note {
    struct span text; /* with its final newline; borrows from what was parsed */
    struct note_signature signatures[NOTE_SIGNATURES_MAX];
    size_t signature_count;
};

MUST_CHECK enum status note_key_id(struct span name,
                                   uint8_t type,
                                   const struct public_key *key,
                                   uint8_t ret_id[static NOTE_KEY_ID_SIZE],
                                   struct error *err);

/* ERR_INVALID: malformed; ERR_LIMIT: over NOTE_MAX or NOTE_SIGNATURES_MAX. */
MUST_CHECK enum status note_parse(struct span bytes, struct note *ret_note, struct error *err);
/* ERR_NOT_FOUND: no line of that key; ERR_SIGNATURE: there is one and it does not verify. */
MUST_CHECK enum status note_verify(const struct note *note,
                                   struct span name,
                                   const struct public_key *key,
                                   struct error *err);
/* The same for a cosignature; *ret_time_s is the cosigner's Unix time. */
MUST_CHECK enum status note_verify_cosignature(const struct note *note,
                                               struct span name,
                                               const struct public_key *key,
                                               uint64_t *ret_time_s,
                                               struct error *err);
/* The time alone, of a line that is known to verify. */
MUST_CHECK enum status note_cosignature_time(const struct note *note,
                                             struct span name,
                                             const struct public_key *key,
                                             uint64_t *ret_time_s,
                                             struct error *err);

/* Appends a whole note: text (which ends with a newline), blank line, one signature line. */
MUST_CHECK enum status note_sign(struct span text,
                                 struct span name,
                                 const struct private_key *key,
                                 struct buf *append_to,
                                 struct error *err);
/* Appends one more plain signature line, of another key of the same name (a key that is being
 * replaced); the caller has put the note in front of it. */
MUST_CHECK enum status note_sign_also(struct span text,
                                      struct span name,
                                      const struct private_key *key,
                                      struct buf *append_to,
                                      struct error *err);
/* Appends the text, the blank line, and of the signature lines those of this name. */
MUST_CHECK enum status note_keep(const struct note *note,
                                 struct span name,
                                 struct buf *append_to,
                                 struct error *err);
/* Appends one cosignature line over `text`; the caller has put the note in front of it. */
MUST_CHECK enum status note_cosign(struct span text,
                                   struct span name,
                                   const struct private_key *key,
                                   uint64_t time_s,
                                   struct buf *append_to,
                                   struct error *err);

#endif
