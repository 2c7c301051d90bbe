/* sdmx_export: SDMX-CSV 2.0. */
#include "record/sdmx.h"

#include <string.h>

/* RFC 4180: quoted where it must be. */
static enum status put_field(struct buf *out, struct span text, char end, struct error *err)
{
    bool quote = false;
    for (size_t i = 0; i < text.size && !quote; i++)
        quote = strchr(",;\"\n", text.data[i]) != NULL;
    enum status status = buf_reserve(out, 2 * text.size + 3, err);
    if (status != OK)
        return status;
    if (quote)
        out->data[out->size++] = '"';
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '"')
            out->data[out->size++] = '"';
        out->data[out->size++] = text.data[i];
    }
    if (quote)
        out->data[out->size++] = '"';
    out->data[out->size++] = (uint8_t)end;
    return OK;
}

struct columns { /* which of the optional columns are written */
    bool attributes[ATTRIBUTES_MAX];
    bool release_attributes[RELEASE_ATTRIBUTES_MAX];
};

static void add_columns(struct columns *columns, const struct release *release)
{
    for (unsigned i = 0; i < ATTRIBUTES_MAX; i++)
        columns->attributes[i] = columns->attributes[i] || release->attributes[i].value_count > 0;
    for (unsigned i = 0; i < RELEASE_ATTRIBUTES_MAX; i++)
        columns->release_attributes[i] =
            columns->release_attributes[i] || release->release_attributes[i].size > 0;
}

static enum status put_header(const struct structure *structure,
                              const struct columns *columns,
                              struct buf *out,
                              struct error *err)
{
    enum status status = buf_append_text(out, "STRUCTURE,STRUCTURE_ID,ACTION,", err);
    for (unsigned i = 0; i < structure->dimension_count && status == OK; i++)
        status = put_field(out, span_text(structure->dimensions[i].id), ',', err);
    if (status == OK)
        status = buf_append_text(out, "OBS_VALUE", err);
    for (unsigned i = 0; i < structure->attribute_count && status == OK; i++)
        if (columns->attributes[i])
            status = buf_printf(out, err, ",%s", structure->attributes[i].id);
    for (unsigned i = 0; i < structure->release_attribute_count && status == OK; i++)
        if (columns->release_attributes[i])
            status = buf_printf(out, err, ",%s", structure->release_attributes[i].id);
    return status == OK ? buf_append_text(out, "\n", err) : status;
}

static enum status put_row(const struct release *release,
                           size_t row,
                           const struct columns *columns,
                           struct buf *out,
                           struct error *err)
{
    const struct structure *structure = release->structure;
    enum status status = buf_printf(out, err, "dataflow,%s,I,", structure->dataflow);
    for (unsigned i = 0; i < structure->dimension_count && status == OK; i++)
        status = put_field(out, release_dimension(release, row, i), ',', err);
    struct decimal value;
    char text[DECIMAL_TEXT_SIZE] = "NaN";
    if (release_value(release, row, &value))
        decimal_format(value, text);
    if (status == OK)
        status = put_field(out, span_text(text), ',', err);
    for (unsigned i = 0; i < structure->attribute_count && status == OK; i++)
        if (columns->attributes[i])
            status = put_field(out, release_attribute(release, row, i), ',', err);
    for (unsigned i = 0; i < structure->release_attribute_count && status == OK; i++)
        if (columns->release_attributes[i])
            status = put_field(out, release->release_attributes[i], ',', err);
    if (status == OK)
        out->data[out->size - 1] = '\n'; /* instead of the last comma */
    return status;
}

static enum status put_rows(const struct release *release,
                            const struct columns *columns,
                            struct buf *out,
                            struct error *err)
{
    enum status status = OK;
    for (size_t row = 0; row < release->observation_count && status == OK; row++)
        status = put_row(release, row, columns, out, err);
    return status;
}

enum status sdmx_export_all(const struct release *const *releases,
                            size_t count,
                            struct buf *append_to,
                            struct error *err)
{
    if (count == 0)
        return error_set(err, ERR_INVALID, "no release to export");
    struct columns columns = { .attributes = { false } };
    for (size_t i = 0; i < count; i++) {
        if (releases[i]->structure != releases[0]->structure)
            return error_set(err, ERR_INVALID, "releases of %s and %s do not fit one file",
                             releases[0]->structure->dataflow, releases[i]->structure->dataflow);
        add_columns(&columns, releases[i]);
    }
    size_t before = append_to->size;
    enum status status = put_header(releases[0]->structure, &columns, append_to, err);
    for (size_t i = 0; i < count && status == OK; i++)
        status = put_rows(releases[i], &columns, append_to, err);
    if (status != OK)
        append_to->size = before;
    return status;
}

enum status sdmx_export(const struct release *release, struct buf *append_to, struct error *err)
{
    return sdmx_export_all(&release, 1, append_to, err);
}
