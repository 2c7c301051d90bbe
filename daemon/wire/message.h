/* protobuf-c made safe: the bytes are judged before they are unpacked, and unpacked into a budget.
 *
 * protobuf-c has no limit on depth or memory, and lets pass what an official record must not
 * contain: a field given twice, text that is no UTF-8, numbers cut to 32 bits, spellings that are
 * not the shortest.  message_check() walks the bytes along the schema and refuses all of these
 * (PROTOCOL 5.1); only then message_unpack() lets protobuf-c see them.
 */
#ifndef COMITY_WIRE_MESSAGE_H
#define COMITY_WIRE_MESSAGE_H

#include "base/limits.h"
#include "base/span.h"

#include <protobuf-c/protobuf-c.h>

struct message_limits {
    size_t fields_max;  /* fields of all levels, elements of packed fields included */
    size_t unknown_max; /* fields that the schema does not name */
    size_t heap_max;    /* bytes that unpacking may take */
};

extern const struct message_limits message_limits_control; /* every message but a batch */
extern const struct message_limits message_limits_batch;

/* Pure. ERR_INVALID with the path of the field, or ERR_LIMIT. */
MUST_CHECK enum status message_check(const ProtobufCMessageDescriptor *type,
                                     struct span bytes,
                                     const struct message_limits *limits,
                                     struct error *err);

/* Memory for one unpacked message: freed as a whole, never more than its budget. */
struct message_arena {
    ProtobufCAllocator allocator;
    struct message_chunk *chunks; /* newest first */
    size_t used, size;            /* of the newest chunk */
    size_t left;                  /* of the budget */
    enum status status;           /* sticky: OK, ERR_LIMIT (over budget) or ERR_MEMORY */
};
void message_arena_init(struct message_arena *arena, size_t budget);
void message_arena_fini(struct message_arena *arena);
void *message_arena_alloc(struct message_arena *arena, size_t size); /* NULL: over, or no memory */

/* message_check, then unpacks into *arena (init'ed here, fini'd by the caller in every case);
 * *ret_message lives as long as the arena.  Required fields are there. */
MUST_CHECK enum status message_unpack(const ProtobufCMessageDescriptor *type,
                                      struct span bytes,
                                      const struct message_limits *limits,
                                      struct message_arena *arena,
                                      ProtobufCMessage **ret_message,
                                      struct error *err);
/* Appends the packed message. */
MUST_CHECK enum status message_pack(const ProtobufCMessage *message,
                                    struct buf *append_to,
                                    struct error *err);

/* Fields one after the other, for decoders that borrow instead of unpacking. */
struct message_field {
    uint32_t number;
    uint8_t wire_type; /* 0 varint, 1 fixed 64, 2 bytes, 5 fixed 32 */
    uint64_t value;    /* of types 0, 1 and 5 */
    struct span bytes; /* of type 2; borrows */
};
/* Takes one field off the front of *rest; false at the end.  Malformed bytes (a tag or number not
 * in its shortest form, a length past the end, a group) set *ret_status to ERR_INVALID. */
bool message_next(struct span *rest, struct message_field *ret_field, enum status *ret_status);

#endif
