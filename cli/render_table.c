/* Tables of libsmartcols. */
#include "base/memory.h"
#include "cli/render_narrow.h"

#include <libsmartcols/libsmartcols.h>
#include <string.h>

static enum status no_table(struct error *err)
{
    return error_set(err, ERR_MEMORY, "no memory for a table");
}

static enum status put_cell(struct libscols_line *line,
                            size_t column,
                            const char *text,
                            struct error *err)
{
    struct buf escaped = BUF_INIT;
    const char *shown = render_escaped(&escaped, text, false, err);
    enum status status = shown == NULL && err != NULL ? err->status : OK;
    if (shown != NULL && scols_line_set_data(line, column, shown) != 0)
        status = no_table(err);
    buf_fini(&escaped);
    return status;
}

/* Two columns without a heading: what, and its value. */
static enum status fill_fields(struct libscols_table *table,
                               const struct reply_section *section,
                               struct error *err)
{
    scols_table_enable_noheadings(table, 1);
    if (scols_table_new_column(table, "what", 0, 0) == NULL ||
        scols_table_new_column(table, "value", 0, 0) == NULL)
        return no_table(err);
    enum status status = OK;
    for (size_t i = 0; status == OK && section->row_count == 1 && i < section->column_count; i++) {
        struct libscols_line *line = scols_table_new_line(table, NULL);
        if (line == NULL)
            return no_table(err);
        status = put_cell(line, 0, section->columns[i].title, err);
        if (status == OK)
            status = put_cell(line, 1, section->cells[i], err);
    }
    return status;
}

static enum status fill_rows(struct libscols_table *table,
                             const struct reply_section *section,
                             struct error *err)
{
    for (size_t i = 0; i < section->column_count; i++) {
        int flags = section->columns[i].number ? SCOLS_FL_RIGHT : 0;
        if (scols_table_new_column(table, section->columns[i].title, 0, flags) == NULL)
            return no_table(err);
    }
    enum status status = OK;
    for (size_t row = 0; status == OK && row < section->row_count; row++) {
        struct libscols_line *line = scols_table_new_line(table, NULL);
        if (line == NULL)
            return no_table(err);
        for (size_t i = 0; status == OK && i < section->column_count; i++)
            status = put_cell(line, i, section->cells[row * section->column_count + i], err);
    }
    return status;
}

static enum status print(const struct render *render,
                         struct libscols_table *table,
                         const struct reply_section *section,
                         struct error *err)
{
    scols_table_set_stream(table, render->out);
    scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER); /* it fits, or it may be wide */
    enum status status = section->kind == SECTION_FIELDS ? fill_fields(table, section, err)
                                                         : fill_rows(table, section, err);
    if (status == OK && scols_print_table(table) != 0)
        status = error_set(err, ERR_IO, "the answer could not be written");
    return status;
}

/* Fields as a table of two columns without titles. */
static enum status put_fields_narrow(const struct render *render,
                                     const struct reply_section *section,
                                     bool *ret_done,
                                     struct error *err)
{
    static struct reply_column columns[] = { { "what", "", false }, { "value", "", false } };
    const char **cells = mem_calloc(2 * section->column_count, sizeof(*cells));
    if (cells == NULL)
        return no_table(err);
    for (size_t i = 0; i < section->column_count; i++) {
        cells[2 * i] = section->columns[i].title;
        cells[2 * i + 1] = section->cells[i];
    }
    const struct reply_section table = { .kind = SECTION_TABLE,
                                         .columns = columns,
                                         .column_count = 2,
                                         .cells = cells,
                                         .row_count = section->column_count };
    enum status status = render_narrow(render, &table, ret_done, err);
    mem_free(cells);
    return status;
}

static enum status put_narrow(const struct render *render,
                              const struct reply_section *section,
                              bool *ret_done,
                              struct error *err)
{
    if (render->width == 0 || section->column_count == 0 || section->row_count == 0)
        return OK;
    return section->kind == SECTION_FIELDS ? put_fields_narrow(render, section, ret_done, err)
                                           : render_narrow(render, section, ret_done, err);
}

enum status render_table(const struct render *render,
                         const struct reply_section *section,
                         struct error *err)
{
    if (section->title[0] != '\0')
        (void)fprintf(render->out, "%s\n", section->title);
    if (section->kind == SECTION_TABLE && section->row_count == 0) {
        (void)fputs("(none)\n", render->out);
        return OK;
    }
    bool done = false;
    enum status status = put_narrow(render, section, &done, err);
    if (status != OK || done)
        return status;
    struct libscols_table *table = scols_new_table();
    if (table == NULL)
        return no_table(err);
    status = print(render, table, section, err);
    scols_unref_table(table);
    return status;
}
