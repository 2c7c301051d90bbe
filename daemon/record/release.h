/* A release: a snapshot of figures of one dataset, one period and one source, column by column.
 *
 * Stored and sent as
 *     u8 version 1, varint size of the plain form, one zstd frame of the plain form
 * plain form:
 *     varint size + dataflow id
 *     u8 count, then per release attribute that is not empty: u8 position, varint size, text
 *     varint number of observations (1..RELEASE_OBSERVATIONS_MAX)
 *     one column per dimension, in key order
 *     values: one varint per observation: 0 missing, otherwise mantissa + 1;
 *             u8 1 and one u8 decimal scale per observation if any has one, otherwise u8 0
 *     u8 count, then per attribute that any observation has: u8 position, column
 * column:
 *     varint number of distinct values, each varint size + text, strictly ascending by bytes
 *     their index per observation, big-endian, in 1, 2 or 4 bytes (up to 256, up to 65,536, more
 *     values); nothing at all when there is only one value
 * Observations are strictly ascending by key, every value of a column is used, so that the same
 * figures have one plain form.  The commitment is over the stored bytes: they are never re-encoded.
 */
#ifndef COMITY_RECORD_RELEASE_H
#define COMITY_RECORD_RELEASE_H

#include "base/id.h"
#include "base/limits.h"
#include "record/problem.h"
#include "record/structure.h"

/* A number of at least zero: mantissa / 10^scale; mantissa < 10^15, scale <= 6, no trailing zeros
 * behind the point. */
struct decimal {
    uint64_t mantissa;
    uint8_t scale;
};
enum { DECIMAL_TEXT_SIZE = 24 };
void decimal_format(struct decimal value, char text[static DECIMAL_TEXT_SIZE]);
/* Digits, at most one point; no sign, exponent, blank or thousands mark. */
bool decimal_parse(struct span text, struct decimal *ret_value);

struct release_column {
    const struct span *values; /* distinct values, strictly ascending; "" is "not given" */
    uint32_t value_count;
    uint8_t width;        /* bytes per observation in codes; 0: all have values[0] */
    const uint8_t *codes; /* big-endian */
};

/* Read only; made by release_decode. */
struct release {
    const struct structure *structure;
    size_t observation_count;
    struct release_column dimensions[DIMENSIONS_MAX];
    struct release_column attributes[ATTRIBUTES_MAX]; /* value_count 0: nobody has it */
    struct span release_attributes[RELEASE_ATTRIBUTES_MAX];
    const uint64_t *mantissas_plus_one; /* 0: missing */
    const uint8_t *scales;              /* NULL: all 0 */
    struct buf plain;                   /* what the spans and codes point into */
    struct buf tables;                  /* the spans of all columns */
    struct buf numbers;                 /* the mantissas */
};
void release_fini(struct release *release); /* wipes */
struct release release_move(struct release *from);

struct span release_dimension(const struct release *release, size_t row, unsigned dimension);
struct span release_attribute(const struct release *release, size_t row, unsigned attribute);
/* False when the value is missing. */
bool release_value(const struct release *release, size_t row, struct decimal *ret_value);

/* zstd contexts and scratch memory, kept between calls so that small releases are fast.  One per
 * thread; functions that take one accept NULL and then make their own. */
struct release_codec;
MUST_CHECK enum status release_codec_new(struct release_codec **ret_codec, struct error *err);
void release_codec_free(struct release_codec *codec);

/* Strict: everything above, every code in its code list, one period, nothing left over.  Memory
 * is bounded by RELEASE_PLAIN_MAX whatever the bytes say. */
MUST_CHECK enum status release_decode(struct release_codec *codec,
                                      struct span bytes,
                                      struct release *ret_release,
                                      struct error *err);
/* The same checks, keeping nothing, and release_check_publisher unless `publisher` is NULL. */
MUST_CHECK enum status release_check(struct release_codec *codec,
                                     struct span bytes,
                                     const struct code *publisher,
                                     size_t *ret_observations,
                                     struct error *err);

/* Which snapshot this is: the next release with the same identity replaces this one.  A text:
 * dataflow, period and source, each ended by a line feed.  (Plain text of a record: hash it with
 * a key before it goes into an index.) */
MUST_CHECK enum status release_identity(const struct release *release,
                                        struct buf *append_to,
                                        struct error *err);
/* Every REF_AREA must be the publisher or one of its territories; otherwise ERR_DENIED.  It does
 * not quote the area: the answer to a release travels and stays in the clear. */
MUST_CHECK enum status release_check_publisher(const struct release *release,
                                               const struct code *publisher,
                                               struct error *err);

/* -- making one -------------------------------------------------------------------------------- */

struct observation {
    struct span dimensions[DIMENSIONS_MAX];
    struct span attributes[ATTRIBUTES_MAX]; /* empty: not given */
    struct decimal value;
    bool missing;
    uint32_t line; /* for problems; 0 where there is no file */
};

struct release_builder;
MUST_CHECK enum status release_builder_new(const struct structure *structure,
                                           struct release_builder **ret_builder,
                                           struct error *err);
void release_builder_free(struct release_builder *builder);
/* An attribute of the release; empty removes it. */
MUST_CHECK enum status release_builder_set(struct release_builder *builder,
                                           unsigned release_attribute,
                                           struct span text,
                                           struct error *err);
/* Copies.  ERR_INVALID names a value that is not in its code list; ERR_LIMIT. */
MUST_CHECK enum status release_builder_add(struct release_builder *builder,
                                           const struct observation *observation,
                                           struct error *err);
size_t release_builder_count(const struct release_builder *builder);
/* Sorts, refuses keys that stand twice (each pair into `problems`, which may be NULL) and more
 * than one period, encodes. */
MUST_CHECK enum status release_builder_finish(struct release_builder *builder,
                                              struct release_codec *codec,
                                              struct problems *problems,
                                              struct buf *append_to,
                                              struct error *err);

#endif
