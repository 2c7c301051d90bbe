/* Tables of libsmartcols. */
#include "cli/render.h"

#include <libsmartcols/libsmartcols.h>
#include <string.h>

enum { CELL_WRAP = 48 }; /* a longer cell may be broken to keep a table on the screen */

static enum status no_table(struct error *err)
{
    return error_set(err, ERR_MEMORY, "no memory for a table");
}

static bool has_long_cell(const struct reply_section *section, size_t column)
{
    for (size_t row = 0; row < section->row_count; row++)
        if (strlen(section->cells[row * section->column_count + column]) > CELL_WRAP)
            return true;
    return false;
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
        scols_table_new_column(table, "value", 0, SCOLS_FL_WRAP) == NULL)
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
        flags |= has_long_cell(section, i) ? SCOLS_FL_WRAP : 0;
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
    /* A table that is not for a terminal is as wide as it needs to be. */
    scols_table_set_termforce(table,
                              render->width == 0 ? SCOLS_TERMFORCE_NEVER : SCOLS_TERMFORCE_ALWAYS);
    if (render->width > 0)
        scols_table_set_termwidth(table, render->width);
    enum status status = section->kind == SECTION_FIELDS ? fill_fields(table, section, err)
                                                         : fill_rows(table, section, err);
    if (status == OK && scols_print_table(table) != 0)
        status = error_set(err, ERR_IO, "the answer could not be written");
    return status;
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
    struct libscols_table *table = scols_new_table();
    if (table == NULL)
        return no_table(err);
    enum status status = print(render, table, section, err);
    scols_unref_table(table);
    return status;
}
