/* The inside of a release_builder: filled by release_builder.c, packed by release_encode.c. */
#ifndef COMITY_RECORD_RELEASE_BUILDER_H
#define COMITY_RECORD_RELEASE_BUILDER_H

#include "record/release_codec.h"

enum { COLUMNS_MAX = DIMENSIONS_MAX + ATTRIBUTES_MAX };

struct entry {       /* one distinct value */
    size_t at, size; /* in text */
    uint32_t hash;
};
struct dictionary {
    struct buf text;
    struct buf entries; /* struct entry */
    uint32_t *slots;    /* entry number + 1; 0: free; slot_count of them, a power of two */
    size_t slot_count;
    uint32_t *ranks;     /* while finishing: of each entry that a row has */
    uint32_t rank_count; /* how many those are */
};

struct row_value {
    uint64_t mantissa_plus_one;
    uint32_t line;
    uint8_t scale;
};

struct release_builder {
    const struct structure *structure;
    unsigned column_count; /* dimensions, then attributes */
    struct dictionary columns[COLUMNS_MAX];
    struct buf release_attributes[RELEASE_ATTRIBUTES_MAX];
    struct buf codes;  /* column_count entry numbers per row, u32 */
    struct buf values; /* struct row_value */
    size_t row_count;
};

struct span release_builder_text(const struct dictionary *d, size_t number);
const struct component *release_builder_component(const struct release_builder *b, unsigned column);

#endif
