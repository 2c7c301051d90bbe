/* release_builder_finish: sorts the rows and writes the plain form, column by column.
 *
 * Distinct values are ranked by their bytes; rows are sorted by counting, from the last dimension
 * to the first, which is stable: rows with the same key stay in the order of the file.
 */
#include "base/cursor.h"
#include "base/memory.h"
#include "record/release_builder.h"

#include <stdlib.h>
#include <string.h>

struct encode {
    struct release_builder *b;
    uint32_t *order; /* rows by key */
    uint32_t *spare;
    uint32_t *marks; /* one per value of the largest dictionary, and one more */
    struct error *err;
};

static const uint32_t *row_codes(const struct release_builder *b, size_t row)
{
    return (const uint32_t *)(const void *)b->codes.data + row * b->column_count;
}

static const struct row_value *row_value(const struct release_builder *b, size_t row)
{
    return (const struct row_value *)(const void *)b->values.data + row;
}

static uint32_t rank_of(const struct release_builder *b, size_t row, unsigned column)
{
    return b->columns[column].ranks[row_codes(b, row)[column]];
}

/* -- order ------------------------------------------------------------------------------------- */

static int compare_ranked(const void *a, const void *b, void *context)
{
    return span_compare(release_builder_text(context, *(const uint32_t *)a),
                        release_builder_text(context, *(const uint32_t *)b));
}

/* Ranks the values that some row has; those of rows that were refused get none. */
static enum status rank_values(struct encode *e, unsigned column)
{
    struct release_builder *b = e->b;
    struct dictionary *d = &b->columns[column];
    size_t count = d->entries.size / sizeof(struct entry);
    mem_free(d->ranks);
    d->ranks = mem_calloc(count, sizeof(uint32_t));
    if (d->ranks == NULL)
        return error_set(e->err, ERR_MEMORY, "no memory to sort the values of a release");
    for (size_t row = 0; row < b->row_count; row++)
        d->ranks[row_codes(b, row)[column]] = 1;
    uint32_t used = 0;
    for (size_t i = 0; i < count; i++)
        if (d->ranks[i] != 0)
            e->marks[used++] = (uint32_t)i;
    qsort_r(e->marks, used, sizeof(uint32_t), compare_ranked, d);
    for (uint32_t i = 0; i < used; i++)
        d->ranks[e->marks[i]] = i;
    d->rank_count = used;
    return OK;
}

static void sort_by(struct encode *e, unsigned column)
{
    const struct release_builder *b = e->b;
    uint32_t count = b->columns[column].rank_count;
    memset(e->marks, 0, (count + 1) * sizeof(uint32_t));
    for (size_t i = 0; i < b->row_count; i++)
        e->marks[rank_of(b, i, column) + 1]++;
    for (uint32_t rank = 0; rank < count; rank++)
        e->marks[rank + 1] += e->marks[rank];
    for (size_t i = 0; i < b->row_count; i++)
        e->spare[e->marks[rank_of(b, e->order[i], column)]++] = e->order[i];
    uint32_t *sorted = e->spare;
    e->spare = e->order;
    e->order = sorted;
}

static enum status sort_rows(struct encode *e)
{
    struct release_builder *b = e->b;
    for (size_t row = 0; row < b->row_count; row++)
        e->order[row] = (uint32_t)row;
    for (unsigned column = 0; column < b->column_count; column++) {
        enum status status = rank_values(e, column);
        if (status != OK)
            return status;
    }
    for (unsigned column = b->structure->dimension_count; column-- > 0;)
        if (b->columns[column].rank_count > 1)
            sort_by(e, column);
    return OK;
}

static bool same_key(const struct release_builder *b, size_t row, size_t other)
{
    return memcmp(row_codes(b, row), row_codes(b, other),
                  b->structure->dimension_count * sizeof(uint32_t)) == 0;
}

/* Every two rows with one key, in pairs. */
static enum status check_keys(struct encode *e, struct problems *problems)
{
    const struct release_builder *b = e->b;
    size_t twice = 0;
    uint32_t first_line = 0;
    for (size_t i = 1; i < b->row_count; i++) {
        if (!same_key(b, e->order[i], e->order[i - 1]))
            continue;
        uint32_t line = row_value(b, e->order[i])->line;
        uint32_t before = row_value(b, e->order[i - 1])->line;
        first_line = twice++ == 0 ? line : first_line;
        if (problems != NULL)
            problems_add(problems, (struct problem_place){ line, 0, NULL }, SPAN_EMPTY,
                         "keep one of the two", "the row has the same key as line %u", before);
    }
    if (twice == 0)
        return OK;
    return error_set(e->err, ERR_EXISTS, "%zu keys stand twice; the first on line %u", twice,
                     first_line);
}

/* -- writing ----------------------------------------------------------------------------------- */

static void write_text(struct writer *w, struct span text)
{
    writer_varint(w, text.size);
    writer_bytes(w, text);
}

static void write_column(struct encode *e, struct writer *w, unsigned column)
{
    const struct release_builder *b = e->b;
    const struct dictionary *d = &b->columns[column];
    for (size_t row = 0; row < b->row_count; row++) /* ranks turned round */
        e->marks[rank_of(b, row, column)] = row_codes(b, row)[column];
    writer_varint(w, d->rank_count);
    for (uint32_t rank = 0; rank < d->rank_count; rank++)
        write_text(w, release_builder_text(d, e->marks[rank]));
    if (d->rank_count == 1)
        return;
    for (size_t i = 0; i < b->row_count; i++) {
        uint32_t rank = rank_of(b, e->order[i], column);
        if (d->rank_count <= 256)
            writer_u8(w, (uint8_t)rank);
        else if (d->rank_count <= 65536)
            writer_u16(w, (uint16_t)rank);
        else
            writer_u32(w, rank);
    }
}

static void write_values(struct encode *e, struct writer *w)
{
    const struct release_builder *b = e->b;
    bool scales = false;
    for (size_t i = 0; i < b->row_count; i++) {
        const struct row_value *value = row_value(b, e->order[i]);
        writer_varint(w, value->mantissa_plus_one);
        scales = scales || value->scale > 0;
    }
    writer_u8(w, scales);
    for (size_t i = 0; scales && i < b->row_count; i++)
        writer_u8(w, row_value(b, e->order[i])->scale);
}

/* Nobody has it: its only value is the empty one. */
static bool is_absent(const struct release_builder *b, unsigned column)
{
    const struct dictionary *d = &b->columns[column];
    return d->rank_count == 1 && release_builder_text(d, row_codes(b, 0)[column]).size == 0;
}

static enum status write_plain(struct encode *e, struct buf *plain)
{
    const struct release_builder *b = e->b;
    struct writer w = writer_init(plain);
    write_text(&w, span_text(b->structure->dataflow));
    uint8_t count = 0;
    for (unsigned i = 0; i < RELEASE_ATTRIBUTES_MAX; i++)
        count = (uint8_t)(count + (b->release_attributes[i].size > 0));
    writer_u8(&w, count);
    for (unsigned i = 0; i < RELEASE_ATTRIBUTES_MAX; i++) {
        if (b->release_attributes[i].size == 0)
            continue;
        writer_u8(&w, (uint8_t)i);
        write_text(&w, buf_span(&b->release_attributes[i]));
    }
    writer_varint(&w, b->row_count);
    unsigned dimensions = b->structure->dimension_count;
    for (unsigned column = 0; column < dimensions; column++)
        write_column(e, &w, column);
    write_values(e, &w);
    count = 0;
    for (unsigned column = dimensions; column < b->column_count; column++)
        count = (uint8_t)(count + !is_absent(b, column));
    writer_u8(&w, count);
    for (unsigned column = dimensions; column < b->column_count; column++) {
        if (is_absent(b, column))
            continue;
        writer_u8(&w, (uint8_t)(column - dimensions));
        write_column(e, &w, column);
    }
    return writer_done(&w, "release", e->err);
}

static enum status pack(struct encode *e, struct release_codec *codec, struct buf *append_to)
{
    struct buf plain = BUF_INIT_SECRET;
    enum status status = write_plain(e, &plain);
    if (status == OK && plain.size > RELEASE_PLAIN_MAX) {
        status = error_set(e->err, ERR_LIMIT,
                           "the release has %zu bytes > %d; next: shorten its comments", plain.size,
                           RELEASE_PLAIN_MAX);
    }
    size_t before = append_to->size;
    if (status == OK) {
        struct writer w = writer_init(append_to);
        writer_u8(&w, RELEASE_VERSION);
        writer_varint(&w, plain.size);
        status = writer_done(&w, "release", e->err);
    }
    if (status == OK)
        status = release_codec_pack(codec, buf_span(&plain), append_to, e->err);
    if (status != OK)
        append_to->size = before;
    buf_fini(&plain);
    return status;
}

static enum status check_shape(const struct release_builder *b, struct error *err)
{
    if (b->row_count == 0)
        return error_set(err, ERR_INVALID, "a release without observations");
    if (b->columns[b->structure->dimension_count - 1].rank_count > 1)
        return error_set(err, ERR_INVALID, "a release has one period; next: make one of each");
    return OK;
}

enum status release_builder_finish(struct release_builder *b,
                                   struct release_codec *codec,
                                   struct problems *problems,
                                   struct buf *append_to,
                                   struct error *err)
{
    if (b->row_count == 0)
        return check_shape(b, err);
    size_t marks = 0;
    for (unsigned i = 0; i < b->column_count; i++) {
        size_t entries = b->columns[i].entries.size / sizeof(struct entry);
        marks = entries > marks ? entries : marks;
    }
    struct encode e = { .b = b,
                        .order = mem_calloc(b->row_count, sizeof(uint32_t)),
                        .spare = mem_calloc(b->row_count, sizeof(uint32_t)),
                        .marks = mem_calloc(marks + 1, sizeof(uint32_t)),
                        .err = err };
    struct release_codec *own = NULL;
    enum status status = OK;
    if (e.order == NULL || e.spare == NULL || e.marks == NULL)
        status = error_set(err, ERR_MEMORY, "no memory to sort %zu observations", b->row_count);
    if (status == OK && codec == NULL)
        status = release_codec_new(&own, err);
    if (status == OK)
        status = sort_rows(&e);
    if (status == OK)
        status = check_shape(b, err);
    if (status == OK)
        status = check_keys(&e, problems);
    if (status == OK)
        status = pack(&e, codec == NULL ? own : codec, append_to);
    mem_free(e.order);
    mem_free(e.spare);
    mem_free(e.marks);
    release_codec_free(own);
    return status;
}
