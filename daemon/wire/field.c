#include "wire/field.h"

enum { TYPE_BITS = 3, TYPE_MASK = 7, NUMBER_MAX = (1 << 29) - 1 };

static uint64_t read_fixed(struct reader *r, size_t size)
{
    uint8_t bytes[8] = { 0 };
    reader_copy(r, bytes, size);
    uint64_t value = 0;
    for (size_t i = size; i > 0; i--)
        value = value << 8 | bytes[i - 1]; /* little-endian, as protobuf has it */
    return value;
}

bool field_next(struct reader *r, struct field *ret_field)
{
    if (r->failed || r->rest.size == 0)
        return false;
    uint64_t tag = reader_varint(r);
    uint64_t number = tag >> TYPE_BITS;
    struct field field = { 0 };
    if (number == 0 || number > NUMBER_MAX)
        r->failed = true;
    field.number = (uint32_t)(number & NUMBER_MAX);
    uint64_t type = tag & TYPE_MASK;
    if (type == FIELD_VARINT) {
        field.value = reader_varint(r);
    } else if (type == FIELD_FIXED64) {
        field.value = read_fixed(r, 8);
    } else if (type == FIELD_FIXED32) {
        field.value = read_fixed(r, 4);
    } else if (type == FIELD_BYTES) {
        uint64_t size = reader_varint(r);
        if (size > r->rest.size)
            r->failed = true;
        else
            field.bytes = reader_bytes(r, (size_t)size);
    } else {
        r->failed = true; /* groups, and what was never given a meaning */
    }
    if (r->failed)
        return false;
    field.type = (enum field_type)type;
    *ret_field = field;
    return true;
}

static void put_tag(struct writer *w, uint32_t number, enum field_type type)
{
    writer_varint(w, (uint64_t)number << TYPE_BITS | (uint64_t)type);
}

void field_put_element(struct writer *w, uint32_t number, struct span bytes)
{
    put_tag(w, number, FIELD_BYTES);
    writer_varint(w, bytes.size);
    writer_bytes(w, bytes);
}

void field_put_bytes(struct writer *w, uint32_t number, struct span bytes)
{
    if (bytes.size > 0)
        field_put_element(w, number, bytes);
}

void field_put_text(struct writer *w, uint32_t number, const char *text)
{
    field_put_bytes(w, number, span_text(text));
}

void field_put_number(struct writer *w, uint32_t number, uint64_t value)
{
    if (value == 0)
        return;
    put_tag(w, number, FIELD_VARINT);
    writer_varint(w, value);
}

static size_t varint_size(uint64_t value)
{
    size_t size = 1;
    while (value >= 0x80) {
        value >>= 7;
        size++;
    }
    return size;
}

size_t field_element_size(uint32_t number, size_t size)
{
    return varint_size((uint64_t)number << TYPE_BITS) + varint_size(size) + size;
}
