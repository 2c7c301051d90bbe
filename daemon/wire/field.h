/* Protocol Buffers fields one by one (the wire format of protobuf: tag, type, value), for messages
 * that are read and written without generated code: those of the control socket, which carry whole
 * files and listings and would cost several times their size as generated structs.
 *
 * Reading is strict: shortest varints, known types, numbers 1 to 2^29 - 1, no groups.
 */
#ifndef COMITY_WIRE_FIELD_H
#define COMITY_WIRE_FIELD_H

#include "base/cursor.h"

enum field_type { FIELD_VARINT = 0, FIELD_FIXED64 = 1, FIELD_BYTES = 2, FIELD_FIXED32 = 5 };

struct field {
    uint32_t number;
    enum field_type type;
    uint64_t value;    /* VARINT, FIXED32, FIXED64 */
    struct span bytes; /* BYTES; borrows from the input */
};

/* False at the end and at the first malformed byte; then r->failed tells which. */
bool field_next(struct reader *r, struct field *ret_field);

/* proto3 leaves out what has its default value; so do these. */
void field_put_bytes(struct writer *w, uint32_t number, struct span bytes);
void field_put_text(struct writer *w, uint32_t number, const char *text); /* NULL: left out */
void field_put_number(struct writer *w, uint32_t number, uint64_t value);
/* Also when it is empty: an element of a repeated field. */
void field_put_element(struct writer *w, uint32_t number, struct span bytes);
/* What field_put_element() takes for `size` bytes. */
size_t field_element_size(uint32_t number, size_t size);

#endif
