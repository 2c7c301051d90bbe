/* release_decode: bytes from anywhere to a release, or the rule that they break.
 *
 * Nothing is believed: each count is compared with the bytes that are left before memory is taken
 * for it, so that memory stays within a small multiple of the plain form (RELEASE_PLAIN_MAX).
 */
#include "base/cursor.h"
#include "base/memory.h"
#include "record/period.h"
#include "record/release_codec.h"

#include <string.h>

struct decode {
    struct reader r;
    struct release *release; /* being filled */
    struct buf *scratch;
    size_t dictionary_count;                             /* spans in tables so far */
    size_t first_value[DIMENSIONS_MAX + ATTRIBUTES_MAX]; /* of each column, in tables */
    struct error *err;
};

static enum status invalid(struct decode *d, const char *where, const char *what)
{
    return error_set(d->err, ERR_INVALID, "release: %s: %s (byte %zu)", where, what, d->r.at);
}

static enum status cut(struct decode *d, const char *where)
{
    return invalid(d, where, "cut short or malformed");
}

static struct span read_text(struct decode *d)
{
    uint64_t size = reader_varint(&d->r);
    if (size > d->r.rest.size)
        d->r.failed = true;
    return d->r.failed ? SPAN_EMPTY : reader_bytes(&d->r, (size_t)size);
}

/* -- columns ----------------------------------------------------------------------------------- */

/* Distinct values, ascending, each one of its code list. */
static enum status read_values(struct decode *d,
                               const struct component *component,
                               bool may_be_empty,
                               struct release_column *column)
{
    uint64_t count = reader_varint(&d->r);
    if (d->r.failed || count == 0 || count > d->r.rest.size ||
        count > d->release->observation_count)
        return cut(d, component->id);
    struct span before = SPAN_EMPTY;
    for (uint64_t i = 0; i < count; i++) {
        struct span value = read_text(d);
        if (d->r.failed)
            return cut(d, component->id);
        if (i > 0 && span_compare(before, value) >= 0)
            return invalid(d, component->id, "values are not ascending");
        if (value.size == 0 ? !may_be_empty : !codelist_has(component->codes, value))
            return invalid(d, component->id, component->codes->rule);
        enum status status =
            buf_append(&d->release->tables, span_of(&value, sizeof(value)), d->err);
        if (status != OK)
            return status;
        before = value;
    }
    if (count == 1 && before.size == 0)
        return invalid(d, component->id, "a column without any value");
    column->value_count = (uint32_t)count;
    d->dictionary_count += (size_t)count;
    return OK;
}

static uint32_t code_at(const struct release_column *column, size_t row)
{
    const uint8_t *at = column->codes + column->width * row;
    if (column->width == 1)
        return at[0];
    if (column->width == 2)
        return (uint32_t)at[0] << 8 | at[1];
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Every code names a value, and every value is named. */
static enum status check_codes(struct decode *d,
                               const struct component *component,
                               const struct release_column *column)
{
    size_t rows = d->release->observation_count;
    size_t room = column->value_count < 256 ? 256 : column->value_count;
    buf_clear(d->scratch);
    enum status status = buf_append_zeros(d->scratch, room, d->err);
    if (status != OK)
        return status;
    uint8_t *seen = d->scratch->data;
    if (column->width == 1) {
        for (size_t row = 0; row < rows; row++)
            seen[column->codes[row]] = 1;
    } else {
        for (size_t row = 0; row < rows; row++) {
            uint32_t code = code_at(column, row);
            if (code >= column->value_count)
                return invalid(d, component->id, "a code that names no value");
            seen[code] = 1;
        }
    }
    for (size_t i = 0; i < room; i++) {
        if (seen[i] != (i < column->value_count))
            return invalid(d, component->id,
                           seen[i] ? "a code that names no value" : "a value that nobody has");
    }
    return OK;
}

static enum status read_column(struct decode *d,
                               const struct component *component,
                               bool may_be_empty,
                               struct release_column *column)
{
    enum status status = read_values(d, component, may_be_empty, column);
    if (status != OK || column->value_count == 1)
        return status;
    column->width = column->value_count <= 256 ? 1 : column->value_count <= 65536 ? 2 : 4;
    size_t size = column->width * d->release->observation_count;
    column->codes = reader_bytes(&d->r, size).data;
    if (d->r.failed)
        return cut(d, component->id);
    return check_codes(d, component, column);
}

/* -- keys -------------------------------------------------------------------------------------- */

/* Rows are strictly ascending: column by column, so that the compiler can do many rows at once. */
static enum status check_order(struct decode *d)
{
    const struct release *release = d->release;
    size_t rows = release->observation_count;
    buf_clear(d->scratch);
    enum status status = buf_append_zeros(d->scratch, rows, d->err);
    if (status != OK)
        return status;
    uint8_t *above = d->scratch->data; /* row is above the one before it, by an earlier column */
    uint8_t below = 0;
    for (unsigned i = 0; i < release->structure->dimension_count; i++) {
        const struct release_column *column = &release->dimensions[i];
        if (column->width == 1) {
            const uint8_t *codes = column->codes;
            for (size_t row = 1; row < rows; row++) {
                below |= (uint8_t)((above[row] == 0) & (codes[row] < codes[row - 1]));
                above[row] |= (uint8_t)(codes[row] > codes[row - 1]);
            }
        } else if (column->width > 1) {
            for (size_t row = 1; row < rows; row++) {
                uint32_t code = code_at(column, row), before = code_at(column, row - 1);
                below |= (uint8_t)((above[row] == 0) & (code < before));
                above[row] |= (uint8_t)(code > before);
            }
        }
    }
    if (below)
        return invalid(d, "observations", "keys are not ascending");
    if (rows > 1 && memchr(above + 1, 0, rows - 1) != NULL)
        return invalid(d, "observations", "a key stands twice");
    return OK;
}

static enum status check_period(struct decode *d)
{
    const struct release *release = d->release;
    const struct release_column *frequency = &release->dimensions[0];
    const struct release_column *time =
        &release->dimensions[release->structure->dimension_count - 1];
    if (frequency->value_count != 1 || time->value_count != 1)
        return invalid(d, "TIME_PERIOD", "more than one period or frequency");
    const struct span *values = (const struct span *)(const void *)release->tables.data;
    struct span text = values[d->first_value[release->structure->dimension_count - 1]];
    struct span letter = values[d->first_value[0]];
    struct period period;
    if (!period_parse(text, &period) || letter.data[0] != (uint8_t)period.frequency)
        return invalid(d, "FREQ", "another frequency than that of the period");
    return OK;
}

/* -- values ------------------------------------------------------------------------------------ */

/* One varint in its shortest form below 2^56; NULL when there is none before `end`. */
static const uint8_t *take_varint(const uint8_t *at, const uint8_t *end, uint64_t *value)
{
    uint64_t sum = 0;
    for (unsigned shift = 0; shift < 56 && at < end; shift += 7) {
        uint8_t byte = *at++;
        sum |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *value = sum;
            return byte == 0 && shift > 0 ? NULL : at;
        }
    }
    return NULL;
}

static enum status read_mantissas(struct decode *d, uint64_t *mantissas)
{
    size_t rows = d->release->observation_count;
    struct span rest = d->r.rest;
    const uint8_t *at = rest.data, *end = rest.data + rest.size;
    for (size_t row = 0; row < rows; row++) {
        if (at < end && *at < 0x80) {
            mantissas[row] = *at++;
            continue;
        }
        at = take_varint(at, end, &mantissas[row]);
        if (at == NULL)
            return cut(d, "OBS_VALUE");
        if (mantissas[row] > RELEASE_MANTISSA_MAX + 1)
            return invalid(d, "OBS_VALUE", "a number with more than 15 digits");
    }
    (void)reader_bytes(&d->r, (size_t)(at - rest.data));
    return OK;
}

static enum status read_scales(struct decode *d, const uint64_t *mantissas)
{
    uint8_t has_scales = reader_u8(&d->r);
    if (d->r.failed || has_scales > 1)
        return cut(d, "OBS_VALUE");
    if (has_scales == 0)
        return OK;
    size_t rows = d->release->observation_count;
    const uint8_t *scales = reader_bytes(&d->r, rows).data;
    if (d->r.failed)
        return cut(d, "OBS_VALUE");
    bool any = false;
    for (size_t row = 0; row < rows; row++) {
        if (scales[row] == 0)
            continue;
        any = true;
        if (scales[row] > RELEASE_SCALE_MAX || mantissas[row] == 0 ||
            (mantissas[row] - 1) % 10 == 0)
            return invalid(d, "OBS_VALUE", "decimals that are not in their shortest form");
    }
    d->release->scales = scales;
    return any ? OK : invalid(d, "OBS_VALUE", "decimals that are not in their shortest form");
}

/* -- the whole --------------------------------------------------------------------------------- */

static enum status read_head(struct decode *d)
{
    struct span dataflow = read_text(d);
    if (d->r.failed)
        return cut(d, "dataflow");
    const struct structure *structure = structure_by_dataflow(dataflow);
    if (structure == NULL)
        return error_set(d->err, ERR_UNSUPPORTED, "release: its dataflow is not known here");
    d->release->structure = structure;
    unsigned count = reader_u8(&d->r);
    int before = -1;
    for (unsigned i = 0; i < count; i++) {
        int position = reader_u8(&d->r);
        struct span text = read_text(d);
        if (d->r.failed || position <= before ||
            (unsigned)position >= structure->release_attribute_count)
            return cut(d, "attributes of the release");
        const struct component *component = &structure->release_attributes[position];
        if (text.size == 0 || !codelist_has(component->codes, text))
            return invalid(d, component->id, component->codes->rule);
        d->release->release_attributes[position] = text;
        before = position;
    }
    uint64_t rows = reader_varint(&d->r);
    if (d->r.failed || rows == 0 || rows > RELEASE_OBSERVATIONS_MAX || rows > d->r.rest.size)
        return cut(d, "number of observations");
    d->release->observation_count = (size_t)rows;
    return OK;
}

static enum status read_dimensions(struct decode *d)
{
    const struct structure *structure = d->release->structure;
    for (unsigned i = 0; i < structure->dimension_count; i++) {
        d->first_value[i] = d->dictionary_count;
        enum status status =
            read_column(d, &structure->dimensions[i], false, &d->release->dimensions[i]);
        if (status != OK)
            return status;
    }
    enum status status = check_period(d);
    return status == OK ? check_order(d) : status;
}

static enum status read_attributes(struct decode *d)
{
    const struct structure *structure = d->release->structure;
    unsigned count = reader_u8(&d->r);
    int before = -1;
    for (unsigned i = 0; i < count; i++) {
        int position = reader_u8(&d->r);
        if (d->r.failed || position <= before || (unsigned)position >= structure->attribute_count)
            return cut(d, "attributes");
        d->first_value[DIMENSIONS_MAX + position] = d->dictionary_count;
        enum status status = read_column(d, &structure->attributes[position], true,
                                         &d->release->attributes[position]);
        if (status != OK)
            return status;
        before = position;
    }
    return OK;
}

/* The tables have stopped growing: columns can point into them. */
static void link_columns(struct decode *d)
{
    struct release *release = d->release;
    const struct span *values = (const struct span *)(const void *)release->tables.data;
    for (unsigned i = 0; i < DIMENSIONS_MAX; i++)
        if (release->dimensions[i].value_count > 0)
            release->dimensions[i].values = values + d->first_value[i];
    for (unsigned i = 0; i < ATTRIBUTES_MAX; i++)
        if (release->attributes[i].value_count > 0)
            release->attributes[i].values = values + d->first_value[DIMENSIONS_MAX + i];
}

static enum status read_plain(struct decode *d)
{
    struct release *release = d->release;
    enum status status = read_head(d);
    if (status == OK)
        status = read_dimensions(d);
    if (status != OK)
        return status;
    buf_clear(&release->numbers);
    status =
        buf_append_zeros(&release->numbers, release->observation_count * sizeof(uint64_t), d->err);
    if (status != OK)
        return status;
    uint64_t *mantissas = (uint64_t *)(void *)release->numbers.data;
    release->mantissas_plus_one = mantissas;
    status = read_mantissas(d, mantissas);
    if (status == OK)
        status = read_scales(d, mantissas);
    if (status == OK)
        status = read_attributes(d);
    if (status == OK)
        status = reader_done(&d->r, "release", d->err);
    if (status == OK)
        link_columns(d);
    return status;
}

/* Unpacks into `release`, whose memory is used again; half filled on failure. */
static enum status decode(struct release_codec *codec,
                          struct span bytes,
                          struct release *release,
                          struct error *err)
{
    struct reader r = reader_init(bytes);
    unsigned version = reader_u8(&r);
    uint64_t size = reader_varint(&r);
    if (r.failed)
        return reader_done(&r, "release", err);
    if (version != RELEASE_VERSION)
        return error_set(err, ERR_UNSUPPORTED, "release: format version %u, not %d", version,
                         RELEASE_VERSION);
    if (size == 0 || size > RELEASE_PLAIN_MAX)
        return error_set(err, ERR_LIMIT, "release: %llu bytes unpacked, not 1 to %d",
                         (unsigned long long)size, RELEASE_PLAIN_MAX);
    enum status status = release_codec_unpack(codec, r.rest, (size_t)size, &release->plain, err);
    if (status != OK)
        return status;
    struct decode d = { .r = reader_init(buf_span(&release->plain)),
                        .release = release,
                        .scratch = &codec->scratch,
                        .err = err };
    return read_plain(&d);
}

enum status release_decode(struct release_codec *codec,
                           struct span bytes,
                           struct release *ret_release,
                           struct error *err)
{
    struct release_codec *own = NULL;
    enum status status = codec == NULL ? release_codec_new(&own, err) : OK;
    struct release release = { .plain = BUF_INIT_SECRET };
    if (status == OK)
        status = decode(codec == NULL ? own : codec, bytes, &release, err);
    if (status == OK)
        *ret_release = release_move(&release);
    release_fini(&release);
    release_codec_free(own);
    return status;
}

enum status release_check(struct release_codec *codec,
                          struct span bytes,
                          const struct code *publisher,
                          size_t *ret_observations,
                          struct error *err)
{
    struct release_codec *own = NULL;
    if (codec == NULL) {
        enum status status = release_codec_new(&own, err);
        if (status != OK)
            return status;
        codec = own;
    }
    struct release fresh = { .structure = NULL }; /* all but the memory begins anew */
    fresh.plain = buf_move(&codec->kept.plain);
    fresh.tables = buf_move(&codec->kept.tables);
    fresh.numbers = buf_move(&codec->kept.numbers);
    buf_clear(&fresh.tables);
    enum status status = decode(codec, bytes, &fresh, err);
    if (status == OK && publisher != NULL)
        status = release_check_publisher(&fresh, publisher, err);
    if (status == OK)
        *ret_observations = fresh.observation_count;
    codec->kept = release_move(&fresh);
    release_codec_free(own);
    return status;
}
