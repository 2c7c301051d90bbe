#include "record/release.h"

#include "base/memory.h"
#include "record/area.h"
#include "record/release_codec.h"

#include <stdio.h>
#include <string.h>

static const uint64_t powers[RELEASE_SCALE_MAX + 1] = { 1, 10, 100, 1000, 10000, 100000, 1000000 };

void decimal_format(struct decimal value, char text[static DECIMAL_TEXT_SIZE])
{
    int scale = value.scale <= RELEASE_SCALE_MAX ? value.scale : RELEASE_SCALE_MAX;
    uint64_t power = powers[scale];
    int used =
        snprintf(text, DECIMAL_TEXT_SIZE, "%llu", (unsigned long long)(value.mantissa / power));
    if (power > 1)
        (void)snprintf(text + used, DECIMAL_TEXT_SIZE - (size_t)used, ".%0*llu", scale,
                       (unsigned long long)(value.mantissa % power));
}

bool decimal_parse(struct span text, struct decimal *ret_value)
{
    struct decimal value = { 0, 0 };
    bool point = false;
    size_t digit_count = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9' || value.mantissa > RELEASE_MANTISSA_MAX / 10 ||
            (point && value.scale == RELEASE_SCALE_MAX))
            return false;
        value.mantissa = value.mantissa * 10 + (uint64_t)(c - '0');
        value.scale = (uint8_t)(value.scale + point);
        digit_count++;
    }
    bool bare_point = text.size > 0 && (text.data[0] == '.' || text.data[text.size - 1] == '.');
    if (digit_count == 0 || bare_point)
        return false;
    while (value.scale > 0 && value.mantissa % 10 == 0) {
        value.mantissa /= 10;
        value.scale--;
    }
    *ret_value = value;
    return true;
}

void release_fini(struct release *release)
{
    if (release == NULL)
        return;
    buf_fini(&release->plain);
    buf_fini(&release->tables);
    buf_fini(&release->numbers);
    *release = (struct release){ .structure = NULL };
}

struct release release_move(struct release *from)
{
    struct release moved = *from;
    moved.plain = buf_move(&from->plain); /* the memory stays where it is, so the spans hold */
    moved.tables = buf_move(&from->tables);
    moved.numbers = buf_move(&from->numbers);
    *from = (struct release){ .structure = NULL };
    return moved;
}

static size_t column_code(const struct release_column *column, size_t row)
{
    switch (column->width) {
    case 1:
        return column->codes[row];
    case 2:
        return (size_t)column->codes[2 * row] << 8 | column->codes[2 * row + 1];
    case 4: {
        const uint8_t *at = column->codes + 4 * row;
        return (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
    }
    }
    return 0;
}

static struct span column_value(const struct release_column *column, size_t row)
{
    return column->value_count == 0 ? SPAN_EMPTY : column->values[column_code(column, row)];
}

struct span release_dimension(const struct release *release, size_t row, unsigned dimension)
{
    return column_value(&release->dimensions[dimension], row);
}

struct span release_attribute(const struct release *release, size_t row, unsigned attribute)
{
    return column_value(&release->attributes[attribute], row);
}

bool release_value(const struct release *release, size_t row, struct decimal *ret_value)
{
    uint64_t stored = release->mantissas_plus_one[row];
    if (stored == 0)
        return false;
    *ret_value = (struct decimal){ stored - 1, release->scales == NULL ? 0 : release->scales[row] };
    return true;
}

enum status release_identity(const struct release *release,
                             struct buf *append_to,
                             struct error *err)
{
    const struct structure *structure = release->structure;
    struct span period = release_dimension(release, 0, structure->dimension_count - 1);
    int source = structure_release_attribute(structure, SPAN_LITERAL("SOURCE_AUTH"));
    struct span authority = source < 0 ? SPAN_EMPTY : release->release_attributes[source];
    return buf_printf(append_to, err, "%s\n%.*s\n%.*s\n", structure->dataflow, (int)period.size,
                      (const char *)period.data, (int)authority.size,
                      authority.size == 0 ? "" : (const char *)authority.data);
}

enum status release_check_publisher(const struct release *release,
                                    const struct code *publisher,
                                    struct error *err)
{
    int position = structure_dimension(release->structure, SPAN_LITERAL("REF_AREA"));
    if (position < 0)
        return OK;
    const struct release_column *areas = &release->dimensions[position];
    for (uint32_t i = 0; i < areas->value_count; i++) {
        if (!area_belongs_to(areas->values[i], publisher)) {
            return error_set(err, ERR_DENIED,
                             "REF_AREA: an area is neither %s nor one of its territories",
                             publisher->text);
        }
    }
    return OK;
}
