#include "wire/message.h"

#include "base/memory.h"
#include "base/text.h"

#include <assert.h>

const struct message_limits message_limits_control = {
    .fields_max = MESSAGE_FIELDS_CONTROL_MAX,
    .unknown_max = MESSAGE_UNKNOWN_MAX,
    .heap_max = MESSAGE_HEAP_CONTROL_MAX,
};
const struct message_limits message_limits_batch = {
    .fields_max = MESSAGE_FIELDS_MAX,
    .unknown_max = MESSAGE_UNKNOWN_MAX,
    .heap_max = 0, /* a batch is never unpacked by protobuf-c */
};

/* -- fields ------------------------------------------------------------------------------------ */

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };
enum { FIELD_NUMBER_MAX = (1 << 29) - 1, VARINT_BYTES_MAX = 10 };

static struct span drop(struct span span, size_t size)
{
    return span_slice(span, size, span.size);
}

/* LEB128 in its shortest form: what is longer says the same thing in a second way. */
static bool take_varint(struct span *rest, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (size_t i = 0; i < rest->size && i < VARINT_BYTES_MAX; i++) {
        uint8_t byte = rest->data[i];
        if ((i == VARINT_BYTES_MAX - 1 && byte > 1) || (i > 0 && byte == 0))
            return false;
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            *rest = drop(*rest, i + 1);
            *ret_value = value;
            return true;
        }
    }
    return false;
}

static bool take_fixed(struct span *rest, size_t size, uint64_t *ret_value)
{
    if (rest->size < size)
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)rest->data[i] << (8 * i);
    *rest = drop(*rest, size);
    *ret_value = value;
    return true;
}

static bool take_bytes(struct span *rest, struct span *ret_bytes)
{
    uint64_t size = 0;
    if (!take_varint(rest, &size) || size > rest->size)
        return false;
    *ret_bytes = span_of(rest->data, (size_t)size);
    *rest = drop(*rest, (size_t)size);
    return true;
}

static bool take_value(struct span *rest, struct message_field *field)
{
    switch (field->wire_type) {
    case WIRE_VARINT:
        return take_varint(rest, &field->value);
    case WIRE_FIXED64:
        return take_fixed(rest, 8, &field->value);
    case WIRE_BYTES:
        return take_bytes(rest, &field->bytes);
    case WIRE_FIXED32:
        return take_fixed(rest, 4, &field->value);
    default: /* groups, and types that no version of protobuf has */
        return false;
    }
}

bool message_next(struct span *rest, struct message_field *ret_field, enum status *ret_status)
{
    if (rest->size == 0)
        return false;
    struct message_field field = { .bytes = SPAN_EMPTY };
    struct span left = *rest;
    uint64_t tag = 0;
    bool good = take_varint(&left, &tag) && tag >> 3 >= 1 && tag >> 3 <= FIELD_NUMBER_MAX;
    if (good) {
        field.number = (uint32_t)(tag >> 3);
        field.wire_type = (uint8_t)(tag & 7);
        good = take_value(&left, &field);
    }
    if (!good) {
        *ret_status = ERR_INVALID;
        return false;
    }
    *rest = left;
    *ret_field = field;
    return true;
}

/* -- check ------------------------------------------------------------------------------------- */

struct walk {
    const struct message_limits *limits;
    size_t fields;
    size_t unknown;
};

/* By ProtobufCType.  Signed varints are not listed: no schema of Comity uses them. */
static const uint8_t wire_types[] = {
    [PROTOBUF_C_TYPE_SFIXED32] = WIRE_FIXED32, [PROTOBUF_C_TYPE_SFIXED64] = WIRE_FIXED64,
    [PROTOBUF_C_TYPE_UINT32] = WIRE_VARINT,    [PROTOBUF_C_TYPE_FIXED32] = WIRE_FIXED32,
    [PROTOBUF_C_TYPE_UINT64] = WIRE_VARINT,    [PROTOBUF_C_TYPE_FIXED64] = WIRE_FIXED64,
    [PROTOBUF_C_TYPE_FLOAT] = WIRE_FIXED32,    [PROTOBUF_C_TYPE_DOUBLE] = WIRE_FIXED64,
    [PROTOBUF_C_TYPE_BOOL] = WIRE_VARINT,      [PROTOBUF_C_TYPE_ENUM] = WIRE_VARINT,
    [PROTOBUF_C_TYPE_STRING] = WIRE_BYTES,     [PROTOBUF_C_TYPE_BYTES] = WIRE_BYTES,
    [PROTOBUF_C_TYPE_MESSAGE] = WIRE_BYTES,
};

/* The largest varint of a type, so that nothing is cut when it is stored. */
static uint64_t varint_max(ProtobufCType type)
{
    if (type == PROTOBUF_C_TYPE_BOOL)
        return 1;
    if (type == PROTOBUF_C_TYPE_UINT32 || type == PROTOBUF_C_TYPE_ENUM)
        return UINT32_MAX;
    return UINT64_MAX;
}

static enum status check_packed(struct walk *walk,
                                const ProtobufCFieldDescriptor *field,
                                struct span bytes,
                                struct error *err)
{
    struct span rest = bytes;
    while (rest.size > 0) {
        struct message_field element = { .wire_type = wire_types[field->type] };
        if (!take_value(&rest, &element) || element.value > varint_max(field->type))
            return error_set(err, ERR_INVALID, "%s: malformed number %zu bytes into it",
                             field->name, bytes.size - rest.size);
        if (++walk->fields > walk->limits->fields_max)
            return error_set(err, ERR_LIMIT, "%s: more than %zu fields", field->name,
                             walk->limits->fields_max);
    }
    return OK;
}

static enum status check_level(struct walk *walk,
                               const ProtobufCMessageDescriptor *type,
                               struct span bytes,
                               unsigned depth,
                               struct error *err);

/* Recursion is bounded by MESSAGE_DEPTH_MAX in check_level. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static enum status check_field(struct walk *walk,
                               const ProtobufCFieldDescriptor *type,
                               const struct message_field *field,
                               unsigned depth,
                               struct error *err)
{
    bool packed = (type->flags & PROTOBUF_C_FIELD_FLAG_PACKED) != 0;
    uint8_t expected = packed ? WIRE_BYTES : wire_types[type->type];
    if (field->wire_type != expected)
        return error_set(err, ERR_INVALID, "%s: wire type %u, must be %u", type->name,
                         (unsigned)field->wire_type, (unsigned)expected);
    if (packed)
        return check_packed(walk, type, field->bytes, err);
    if (expected == WIRE_VARINT && field->value > varint_max(type->type))
        return error_set(err, ERR_INVALID, "%s: number too large for its type", type->name);
    if (type->type == PROTOBUF_C_TYPE_STRING &&
        text_find_flaw(field->bytes, TEXT_ANY).kind != TEXT_PLAIN)
        return error_set(err, ERR_INVALID, "%s: text is not UTF-8, or contains NUL", type->name);
    if (type->type != PROTOBUF_C_TYPE_MESSAGE)
        return OK;
    enum status status = check_level(walk, type->descriptor, field->bytes, depth + 1, err);
    return status == OK ? OK : error_prefix(err, "%s", type->name);
}

static enum status check_missing(const ProtobufCMessageDescriptor *type,
                                 uint64_t seen,
                                 struct error *err)
{
    for (unsigned i = 0; i < type->n_fields; i++) {
        if (type->fields[i].label == PROTOBUF_C_LABEL_REQUIRED && (seen >> i & 1) == 0)
            return error_set(err, ERR_INVALID, "%s is missing", type->fields[i].name);
    }
    return OK;
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static enum status check_level(struct walk *walk,
                               const ProtobufCMessageDescriptor *type,
                               struct span bytes,
                               unsigned depth,
                               struct error *err)
{
    assert(type->n_fields <= 64); /* our own schemas; one bit each in `seen` */
    if (depth > MESSAGE_DEPTH_MAX)
        return error_set(err, ERR_LIMIT, "nested deeper than %d", MESSAGE_DEPTH_MAX);
    struct span rest = bytes;
    struct message_field field;
    enum status status = OK;
    uint64_t seen = 0;
    while (message_next(&rest, &field, &status)) {
        const ProtobufCFieldDescriptor *known =
            protobuf_c_message_descriptor_get_field(type, field.number);
        if (++walk->fields > walk->limits->fields_max)
            return error_set(err, ERR_LIMIT, "more than %zu fields", walk->limits->fields_max);
        if (known == NULL && ++walk->unknown > walk->limits->unknown_max)
            return error_set(err, ERR_LIMIT, "more than %zu unknown fields",
                             walk->limits->unknown_max);
        if (known == NULL)
            continue;
        uint64_t bit = (uint64_t)1 << (known - type->fields);
        if (known->label != PROTOBUF_C_LABEL_REPEATED && (seen & bit) != 0)
            return error_set(err, ERR_INVALID, "%s is given twice", known->name);
        seen |= bit;
        status = check_field(walk, known, &field, depth, err);
        if (status != OK)
            return status;
    }
    if (status != OK)
        return error_set(err, status, "malformed field at byte %zu of %zu", bytes.size - rest.size,
                         bytes.size);
    return check_missing(type, seen, err);
}

enum status message_check(const ProtobufCMessageDescriptor *type,
                          struct span bytes,
                          const struct message_limits *limits,
                          struct error *err)
{
    struct walk walk = { .limits = limits };
    enum status status = check_level(&walk, type, bytes, 1, err);
    return status == OK ? OK : error_prefix(err, "%s", type->short_name);
}

/* -- unpack ------------------------------------------------------------------------------------ */

enum { CHUNK_BYTES = 4 * 1024, ALIGNMENT = 16 };

struct message_chunk {
    struct message_chunk *next;
    _Alignas(ALIGNMENT) uint8_t bytes[];
};

static void *arena_alloc(void *data, size_t size)
{
    return message_arena_alloc(data, size);
}

static void arena_free(void *data, void *memory)
{
    (void)data; /* all of it goes at once, in message_arena_fini */
    (void)memory;
}

void message_arena_init(struct message_arena *arena, size_t budget)
{
    *arena = (struct message_arena){
        .allocator = { .alloc = arena_alloc, .free = arena_free, .allocator_data = arena },
        .left = budget,
        .status = OK,
    };
}

void message_arena_fini(struct message_arena *arena)
{
    while (arena->chunks != NULL) {
        struct message_chunk *chunk = arena->chunks;
        arena->chunks = chunk->next;
        mem_free(chunk);
    }
    arena->used = arena->size = arena->left = 0;
}

static bool arena_grow(struct message_arena *arena, size_t size)
{
    if (size > arena->left) {
        arena->status = ERR_LIMIT;
        return false;
    }
    size_t usual = arena->left < CHUNK_BYTES ? arena->left : CHUNK_BYTES;
    size_t chunk_size = size < usual ? usual : size;
    struct message_chunk *chunk = mem_alloc(sizeof *chunk + chunk_size);
    if (chunk == NULL) {
        arena->status = ERR_MEMORY;
        return false;
    }
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    arena->left -= chunk_size;
    arena->used = 0;
    arena->size = chunk_size;
    return true;
}

void *message_arena_alloc(struct message_arena *arena, size_t size)
{
    size_t rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (rounded < size) {
        arena->status = ERR_LIMIT;
        return NULL;
    }
    if (rounded > arena->size - arena->used && !arena_grow(arena, rounded))
        return NULL;
    void *memory = arena->chunks == NULL ? NULL : arena->chunks->bytes + arena->used;
    arena->used += rounded;
    return memory;
}

enum status message_unpack(const ProtobufCMessageDescriptor *type,
                           struct span bytes,
                           const struct message_limits *limits,
                           struct message_arena *arena,
                           ProtobufCMessage **ret_message,
                           struct error *err)
{
    message_arena_init(arena, limits->heap_max);
    enum status status = message_check(type, bytes, limits, err);
    if (status != OK)
        return status;
    ProtobufCMessage *message =
        protobuf_c_message_unpack(type, &arena->allocator, bytes.size, bytes.data);
    if (message != NULL) {
        *ret_message = message;
        return OK;
    }
    if (arena->status == OK)
        return error_set(err, ERR_INVALID, "%s: malformed", type->short_name);
    if (arena->status == ERR_MEMORY)
        return error_set(err, ERR_MEMORY, "%s: no memory to unpack it", type->short_name);
    return error_set(err, ERR_LIMIT, "%s: needs more than %zu bytes of memory", type->short_name,
                     limits->heap_max);
}

enum status message_pack(const ProtobufCMessage *message, struct buf *append_to, struct error *err)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    enum status status = buf_reserve(append_to, size, err);
    if (status != OK)
        return status;
    if (size > 0)
        append_to->size += protobuf_c_message_pack(message, append_to->data + append_to->size);
    return OK;
}
