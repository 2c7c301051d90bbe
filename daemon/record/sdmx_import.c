/* sdmx_import: a file of figures to releases, or every problem that it has. */
#include "base/counted.h"
#include "base/memory.h"
#include "record/area.h"
#include "record/looks.h"
#include "record/nfc.h"
#include "record/period.h"
#include "record/sdmx_cell.h"
#include "record/sdmx_collect.h"
#include "record/table.h"

#include <string.h>

enum column_role {
    IGNORED,
    STRUCTURE,
    STRUCTURE_ID,
    ACTION,
    DIMENSION,
    VALUE,
    ATTRIBUTE,
    OF_RELEASE
};

struct column {
    enum column_role role;
    unsigned position; /* in the structure's table */
};

struct import {
    const struct sdmx_import_options *options;
    struct problems *problems;
    struct span file;
    const struct structure *structure;
    bool has_header;
    bool source_missed; /* said of the header already */
    bool unusable;      /* the header is such that rows would only give the same problem again */
    struct column columns[TABLE_COLUMNS_MAX];
    size_t column_count;
    struct sdmx_collect collect;
    struct buf text; /* normal forms of one row's cells */
};

/* One row while it is read. */
struct figures {
    struct observation observation;
    struct span release_attributes[RELEASE_ATTRIBUTES_MAX];
    char areas[DIMENSIONS_MAX][AREA_CODE_SIZE];
    char numbers[ATTRIBUTES_MAX][DECIMAL_TEXT_SIZE];
    struct sdmx_value value;
    size_t value_column;
};

static struct problem_place place_of(const struct table_row *row, size_t column, const char *field)
{
    return (struct problem_place){ row->lines[column], (uint32_t)column + 1, field };
}

/* -- the header line --------------------------------------------------------------------------- */

static const struct structure *pick_structure(const struct table_row *row)
{
    size_t count = 0;
    const struct structure *all = structure_all(&count), *best = &all[0];
    unsigned best_hits = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned hits = 0;
        for (size_t c = 0; c < row->field_count; c++)
            hits += structure_dimension(&all[i], sdmx_cell_trim(row->fields[c])) >= 0;
        if (hits > best_hits) {
            best = &all[i];
            best_hits = hits;
        }
    }
    return best;
}

static bool find_column(const struct structure *structure, struct span name, struct column *ret)
{
    static const struct {
        const char *name;
        enum column_role role;
    } fixed[] = {
        { "STRUCTURE", STRUCTURE }, { "STRUCTURE_ID", STRUCTURE_ID }, { "DATAFLOW", STRUCTURE_ID },
        { "ACTION", ACTION },       { "OBS_VALUE", VALUE },           { "STRUCTURE_NAME", IGNORED },
    };
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        if (span_equal(name, span_text(fixed[i].name))) {
            *ret = (struct column){ fixed[i].role, 0 };
            return true;
        }
    }
    int position = structure_dimension(structure, name);
    enum column_role role = DIMENSION;
    if (position < 0) {
        position = structure_attribute(structure, name);
        role = ATTRIBUTE;
    }
    if (position < 0) {
        position = structure_release_attribute(structure, name);
        role = OF_RELEASE;
    }
    *ret = (struct column){ role, (unsigned)position };
    return position >= 0;
}

static int column_with(const struct import *import,
                       enum column_role role,
                       unsigned position,
                       size_t before)
{
    for (size_t i = 0; i < before; i++)
        if (import->columns[i].role == role && import->columns[i].position == position)
            return (int)i;
    return -1;
}

static void miss_column(struct import *import, const struct table_row *row, const char *name)
{
    import->unusable = true;
    problems_add(import->problems, (struct problem_place){ row->line, 0, name }, SPAN_EMPTY,
                 "the first line names the columns: STRUCTURE,STRUCTURE_ID,ACTION, the dimensions, "
                 "OBS_VALUE, attributes",
                 "the column %s is missing", name);
}

/* A first line without any column of figures: one sentence instead of one for each column. */
static bool is_other_file(struct import *import,
                          const struct structure *structure,
                          const struct table_row *row)
{
    struct column column;
    for (size_t i = 0; i < row->field_count; i++)
        if (find_column(structure, sdmx_cell_trim(row->fields[i]), &column))
            return false;
    enum looks looks = looks_like(import->file);
    const char *command = looks_command(looks);
    import->unusable = true;
    problems_add(import->problems, (struct problem_place){ row->line, 0, NULL }, SPAN_EMPTY,
                 command != NULL ? command
                                 : "name the columns on the first line: "
                                   "STRUCTURE,STRUCTURE_ID,ACTION, the dimensions, OBS_VALUE, "
                                   "attributes",
                 "this line names no column of figures: the file seems to be %s",
                 looks_name(looks));
    return true;
}

/* Whose figures these are is part of a release's identity: said on each row, or for all of them. */
static void check_source_column(struct import *import, const struct table_row *row)
{
    int source = structure_release_attribute(import->structure, SPAN_LITERAL("SOURCE_AUTH"));
    if (source < 0 || import->options->source != NULL ||
        column_with(import, OF_RELEASE, (unsigned)source, row->field_count) >= 0)
        return;
    import->source_missed = true;
    problems_add(import->problems, (struct problem_place){ row->line, 0, "SOURCE_AUTH" },
                 SPAN_EMPTY,
                 "name the authority whose figures these are: in the column SOURCE_AUTH, or with "
                 "--source for all rows",
                 "the column SOURCE_AUTH is missing, and a release needs a source");
}

static void take_header(struct import *import, const struct table_row *row)
{
    const struct structure *structure = pick_structure(row);
    import->structure = structure;
    import->has_header = true;
    import->column_count = row->field_count;
    if (is_other_file(import, structure, row))
        return;
    for (size_t i = 0; i < row->field_count; i++) {
        struct span name = sdmx_cell_trim(row->fields[i]);
        struct problem_place place = place_of(row, i, NULL);
        struct column *column = &import->columns[i];
        if (!find_column(structure, name, column)) {
            column->role = IGNORED;
            bool labelled = name.size > 0 && memchr(name.data, ':', name.size) != NULL;
            problems_add(import->problems, place, name,
                         labelled ? "export the file with codes only, without labels" : NULL,
                         "%s has no such column", structure->id);
        } else if (column->role != IGNORED &&
                   column_with(import, column->role, column->position, i) >= 0) {
            problems_add(import->problems, place, name, NULL,
                         "the column stands twice, here and as column %d",
                         column_with(import, column->role, column->position, i) + 1);
            import->unusable = true;
        }
    }
    for (unsigned i = 0; i < structure->dimension_count; i++)
        if (column_with(import, DIMENSION, i, row->field_count) < 0)
            miss_column(import, row, structure->dimensions[i].id);
    if (column_with(import, STRUCTURE_ID, 0, row->field_count) < 0)
        miss_column(import, row, "STRUCTURE_ID");
    if (column_with(import, VALUE, 0, row->field_count) < 0)
        miss_column(import, row, "OBS_VALUE");
    check_source_column(import, row);
}

/* -- cells ------------------------------------------------------------------------------------- */

static void take_dimension(struct import *import,
                           const struct table_row *row,
                           size_t i,
                           struct figures *figures)
{
    unsigned position = import->columns[i].position;
    const struct component *component = &import->structure->dimensions[position];
    struct problem_place place = place_of(row, i, component->id);
    struct span text = sdmx_cell_trim(row->fields[i]);
    bool is_area = strcmp(component->codes->id, "CL_AREA") == 0;
    if (is_area && area_canonical(text, figures->areas[position]))
        text = span_text(figures->areas[position]);
    figures->observation.dimensions[position] = text;
    const struct code *publisher = import->options->publisher;
    if (!codelist_has(component->codes, text)) {
        problems_add(import->problems, place, text, sdmx_cell_code_hint(component, text), "%s",
                     text.size == 0 ? "the cell is empty" : component->codes->rule);
    } else if (strcmp(component->id, "REF_AREA") == 0 && publisher != NULL &&
               !area_belongs_to(text, publisher)) {
        problems_add(import->problems, place, text, "leave out figures that another State reports",
                     "the reporter must be %s or one of its territories", publisher->text);
    }
}

/* NFC of a cell, in import->text, where there was room made for it. */
static enum status normal_form(struct import *import, struct span *text, struct error *err)
{
    size_t before = import->text.size;
    enum status status = nfc_append(*text, &import->text, err);
    if (status == OK)
        *text = span_slice(buf_span(&import->text), before, import->text.size - before);
    return status;
}

static enum status take_attribute(struct import *import,
                                  const struct table_row *row,
                                  size_t i,
                                  struct figures *figures,
                                  struct error *err)
{
    unsigned position = import->columns[i].position;
    bool of_release = import->columns[i].role == OF_RELEASE;
    const struct component *component = of_release
                                            ? &import->structure->release_attributes[position]
                                            : &import->structure->attributes[position];
    struct span text = sdmx_cell_trim(row->fields[i]);
    struct decimal number;
    if (strcmp(component->codes->id, "NUMBER") == 0 &&
        sdmx_cell_number(text, row->separator, &number)) {
        decimal_format(number, figures->numbers[position]);
        text = span_text(figures->numbers[position]);
    }
    enum status status = normal_form(import, &text, err);
    if (status != OK)
        return status;
    if (text.size > 0 && !codelist_has(component->codes, text)) {
        problems_add(import->problems, place_of(row, i, component->id), text,
                     sdmx_cell_code_hint(component, text), "%s", component->codes->rule);
    } else if (of_release) {
        figures->release_attributes[position] = text;
    } else {
        figures->observation.attributes[position] = text;
    }
    return OK;
}

static void take_word(struct import *import, const struct table_row *row, size_t i)
{
    struct span text = sdmx_cell_trim(row->fields[i]);
    enum column_role role = import->columns[i].role;
    struct problem_place place = place_of(row, i, NULL);
    if (role == STRUCTURE && !span_equal(text, SPAN_LITERAL("dataflow"))) {
        place.field = "STRUCTURE";
        problems_add(import->problems, place, text, NULL, "only dataflow may stand here");
    } else if (role == STRUCTURE_ID && !span_equal(text, span_text(import->structure->dataflow))) {
        place.field = "STRUCTURE_ID";
        problems_add(import->problems, place, text, NULL, "the dataflow is %s",
                     import->structure->dataflow);
    } else if (role == ACTION && span_equal(text, SPAN_LITERAL("D"))) {
        place.field = "ACTION";
        problems_add(import->problems, place, text,
                     "send the whole snapshot again without these rows",
                     "a release is replaced as a whole: single rows are not deleted");
    } else if (role == ACTION &&
               (text.size != 1 || strchr("IARM", text.data[0]) == NULL || text.data[0] == 0)) {
        place.field = "ACTION";
        problems_add(import->problems, place, text, NULL, "an action is I, A, R or M");
    }
}

/* -- a value and its bounds -------------------------------------------------------------------- */

static int attribute_named(const struct import *import, const char *id)
{
    return structure_attribute(import->structure, span_text(id));
}

/* A bound or mark that stood in OBS_VALUE goes where it belongs, unless something else is there. */
static void imply_attribute(struct import *import,
                            const struct table_row *row,
                            struct figures *figures,
                            const char *id,
                            const char *text)
{
    int position = attribute_named(import, id);
    struct span *there = position < 0 ? NULL : &figures->observation.attributes[position];
    if (there == NULL || (there->size > 0 && !span_equal(*there, span_text(text)))) {
        problems_add(import->problems, place_of(row, figures->value_column, "OBS_VALUE"),
                     row->fields[figures->value_column], "leave one of them out",
                     "the value says %s = %s, the column %s something else", id, text, id);
        return;
    }
    size_t size = strlen(text);
    char *copy = figures->numbers[position];
    memmove(copy, text, size + 1);
    *there = span_of(copy, size);
}

static bool status_says_missing(const struct import *import, const struct figures *figures)
{
    int position = attribute_named(import, "OBS_STATUS");
    struct span text = position < 0 ? SPAN_EMPTY : figures->observation.attributes[position];
    return text.size == 1 && strchr("HLMOQ", text.data[0]) != NULL;
}

static bool bound(const struct import *import,
                  const struct figures *figures,
                  const char *id,
                  struct decimal *ret_bound)
{
    int position = attribute_named(import, id);
    return position >= 0 && decimal_parse(figures->observation.attributes[position], ret_bound);
}

static bool is_above(struct decimal a, struct decimal b) /* mantissas stay below 10^15 */
{
    while (a.scale < b.scale) {
        if (a.mantissa > UINT64_MAX / 10)
            return true;
        a.mantissa *= 10;
        a.scale++;
    }
    while (b.scale < a.scale) {
        if (b.mantissa > UINT64_MAX / 10)
            return false;
        b.mantissa *= 10;
        b.scale++;
    }
    return a.mantissa > b.mantissa;
}

static void check_bounds(struct import *import,
                         const struct table_row *row,
                         struct figures *figures)
{
    struct decimal lower, upper, value = figures->observation.value;
    bool has_lower = bound(import, figures, "LOWER_BOUND", &lower);
    bool has_upper = bound(import, figures, "UPPER_BOUND", &upper);
    bool has_value = !figures->observation.missing;
    struct problem_place place = place_of(row, figures->value_column, "OBS_VALUE");
    struct span text = row->fields[figures->value_column];
    if (has_lower && has_upper && is_above(lower, upper))
        problems_add(import->problems, place, text, NULL, "LOWER_BOUND is above UPPER_BOUND");
    else if (has_value &&
             ((has_lower && is_above(lower, value)) || (has_upper && is_above(value, upper)))) {
        problems_add(import->problems, place, text, NULL,
                     "the value is outside LOWER_BOUND and UPPER_BOUND");
    } else if (figures->value.empty && !has_lower && !has_upper &&
               !status_says_missing(import, figures)) {
        problems_add(import->problems, place, SPAN_EMPTY,
                     "write NaN where a figure is not known, 0 where nothing happened",
                     "the cell is empty");
    }
}

static void take_value(struct import *import, const struct table_row *row, struct figures *figures)
{
    struct sdmx_fault fault;
    struct span text = row->fields[figures->value_column];
    if (!sdmx_cell_value(text, row->separator, &figures->value, &fault)) {
        problems_add(import->problems, place_of(row, figures->value_column, "OBS_VALUE"), text,
                     fault.hint, "%s", fault.rule);
        return;
    }
    char number[DECIMAL_TEXT_SIZE];
    figures->observation.value = figures->value.value;
    figures->observation.missing = figures->value.missing;
    if (figures->value.approximate)
        imply_attribute(import, row, figures, "APPROX", "Y");
    if (figures->value.has_lower) {
        decimal_format(figures->value.lower, number);
        imply_attribute(import, row, figures, "LOWER_BOUND", number);
    }
    if (figures->value.has_upper) {
        decimal_format(figures->value.upper, number);
        imply_attribute(import, row, figures, "UPPER_BOUND", number);
    }
    check_bounds(import, row, figures);
}
/* -- rows -------------------------------------------------------------------------------------- */

static void check_frequency(struct import *import,
                            const struct table_row *row,
                            const struct figures *figures)
{
    unsigned last = import->structure->dimension_count - 1;
    struct span text = figures->observation.dimensions[last];
    struct span frequency = figures->observation.dimensions[0];
    struct period period;
    if (!period_parse(text, &period) || frequency.size != 1 ||
        frequency.data[0] == (uint8_t)period.frequency)
        return;
    problems_add(import->problems, (struct problem_place){ row->line, 0, "FREQ" }, frequency, NULL,
                 "the period %.*s has the frequency %c", (int)text.size, (const char *)text.data,
                 period.frequency);
}

static void take_source(struct import *import, const struct table_row *row, struct figures *figures)
{
    int source = structure_release_attribute(import->structure, SPAN_LITERAL("SOURCE_AUTH"));
    if (source < 0 || figures->release_attributes[source].size > 0)
        return;
    figures->release_attributes[source] = span_text(import->options->source);
    int column = column_with(import, OF_RELEASE, (unsigned)source, import->column_count);
    if (import->options->source == NULL && !import->source_missed) {
        problems_add(import->problems,
                     (struct problem_place){ row->line, (uint32_t)column + 1, "SOURCE_AUTH" },
                     SPAN_EMPTY, "name the authority there, or with --source for all rows",
                     "the cell is empty, and a release needs a source");
    }
}

static enum status take_figures(struct import *import,
                                const struct table_row *row,
                                struct figures *figures,
                                struct error *err)
{
    size_t before = import->problems->total;
    enum status status = OK;
    for (size_t i = 0; i < row->field_count && status == OK; i++) {
        enum column_role role = import->columns[i].role;
        if (role == DIMENSION)
            take_dimension(import, row, i, figures);
        else if (role == ATTRIBUTE || role == OF_RELEASE)
            status = take_attribute(import, row, i, figures, err);
        else if (role == VALUE)
            figures->value_column = i;
        else if (role != IGNORED)
            take_word(import, row, i);
    }
    if (status != OK)
        return status;
    take_value(import, row, figures); /* after the attributes, which may hold its bounds */
    check_frequency(import, row, figures);
    take_source(import, row, figures);
    if (import->problems->total > before)
        return OK;
    figures->observation.line = row->line;
    return sdmx_collect_add(&import->collect, import->structure, &figures->observation,
                            figures->release_attributes, err);
}

static enum status take_row(void *context, const struct table_row *row, struct error *err)
{
    struct import *import = context;
    if (!import->has_header) {
        take_header(import, row);
        return OK;
    }
    if (import->unusable)
        return OK;
    if (row->field_count != import->column_count) {
        problems_add(import->problems, (struct problem_place){ row->line, 0, NULL }, SPAN_EMPTY,
                     "put text that has the separator in it in quotes",
                     "the row has %s, the first line %zu", counted(row->field_count, "field").text,
                     import->column_count);
        return OK;
    }
    size_t bytes = 0;
    for (size_t i = 0; i < row->field_count; i++)
        bytes += row->fields[i].size;
    buf_clear(&import->text);
    /* NFC makes UTF-8 at most three times as long; with the room made now, nothing moves later. */
    enum status status = buf_reserve(&import->text, 3 * bytes + 1, err);
    if (status != OK)
        return status;
    struct figures figures = { .value_column = 0 };
    return take_figures(import, row, &figures, err);
}

enum status sdmx_import(struct span file,
                        const struct sdmx_import_options *options,
                        struct problems *problems,
                        struct sdmx_release_list *ret_list,
                        struct error *err)
{
    struct import *import = mem_calloc(1, sizeof(*import));
    if (import == NULL)
        return error_set(err, ERR_MEMORY, "no memory to read a file");
    import->options = options;
    import->file = file;
    import->problems = problems;
    import->collect.problems = problems;
    enum status status = table_read(file, problems, take_row, import, err);
    if (status == OK)
        status = sdmx_collect_finish(&import->collect, ret_list, err);
    sdmx_collect_fini(&import->collect);
    buf_fini(&import->text);
    mem_free(import);
    return status;
}
