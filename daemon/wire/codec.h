/* Frames of peers to messages and back, with every check that needs no knowledge of the session.
 *
 * Decoding a batch copies the frame once, into the batch's own memory, and borrows from there; the
 * other messages go through protobuf-c.  Both follow proto/comity.proto, and a test holds them
 * against each other.
 */
#ifndef COMITY_WIRE_CODEC_H
#define COMITY_WIRE_CODEC_H

#include "base/batch.h"
#include "base/id.h"

enum { PROTOCOL_VERSION = 1 };

enum message_kind { /* the numbers of Envelope's fields */
                    MESSAGE_HELLO = 1,
                    MESSAGE_BATCH,
                    MESSAGE_RECEIPT,
                    MESSAGE_HEAL,
                    MESSAGE_HEAL_TAKEN,
                    MESSAGE_PING,
                    MESSAGE_PONG,
                    MESSAGE_GOODBYE,
                    MESSAGE_KIND_COUNT
};
const char *message_kind_name(enum message_kind kind); /* "Hello" */

enum goodbye_reason { /* PROTOCOL 5.9; numbers are for ever */
                      GOODBYE_CLOSING = 1,
                      GOODBYE_MALFORMED = 2,
                      GOODBYE_LIMIT = 3,
                      GOODBYE_VERSION = 4,
                      GOODBYE_IDENTITY = 5,
                      GOODBYE_DENIED = 6,
                      GOODBYE_MISMATCH = 7,
                      GOODBYE_TIMEOUT = 8,
                      GOODBYE_BUSY = 9,
                      GOODBYE_ORDER = 10,
                      GOODBYE_REPLACED = 11,
                      GOODBYE_CLONE = 12,
                      GOODBYE_REASON_COUNT
};
enum goodbye_reason goodbye_reason_of(enum status status);
enum status goodbye_status_of(uint32_t reason); /* an unknown one gives ERR_UNSUPPORTED */

struct hello {
    uint32_t version;
    struct realm realm;
    struct code code;
    uint8_t boot_id[BOOT_ID_SIZE];
    uint32_t features[FEATURES_MAX];
    size_t feature_count;
    struct buf signature;
    struct heads heads;
};
void hello_fini(struct hello *hello);

struct message {
    enum message_kind kind; /* says which of the following is filled */
    struct hello hello;
    struct batch batch;
    struct buf note; /* Receipt */
    struct heal heal;
    uint64_t number; /* Ping, Pong: number; HealTaken: next index; Goodbye: reason */
    char text[GOODBYE_TEXT_MAX + 1]; /* Goodbye: plain UTF-8, may be empty */
};
void message_fini(struct message *message); /* NULL and half-built are fine */

/* `frame` is what stood behind the length prefix.  *ret_message is owned by the caller and holds no
 * borrowed bytes.  ERR_INVALID, ERR_LIMIT, ERR_UNSUPPORTED (no kind that this version knows),
 * ERR_MEMORY. */
MUST_CHECK enum status codec_decode(struct span frame,
                                    struct message *ret_message,
                                    struct error *err);

/* Each appends one whole frame, length included.  What breaks a rule of the format is our own bug
 * and gives ERR_INTERNAL; *frame is then as it was. */
MUST_CHECK enum status codec_encode_hello(const struct hello *hello,
                                          struct buf *frame,
                                          struct error *err);
MUST_CHECK enum status codec_encode_batch(const struct batch *batch,
                                          struct buf *frame,
                                          struct error *err);
MUST_CHECK enum status codec_encode_receipt(struct span note, struct buf *frame, struct error *err);
MUST_CHECK enum status codec_encode_heal(const struct heal *heal,
                                         struct buf *frame,
                                         struct error *err);
/* HealTaken, Ping or Pong. */
MUST_CHECK enum status codec_encode_number(enum message_kind kind,
                                           uint64_t number,
                                           struct buf *frame,
                                           struct error *err);
/* Text that is too long is cut at a character; text that is not plain is left out. */
MUST_CHECK enum status codec_encode_goodbye(enum goodbye_reason reason,
                                            const char *text,
                                            struct buf *frame,
                                            struct error *err);

#endif
