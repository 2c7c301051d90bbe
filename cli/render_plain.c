/* One item a line, labels before values, nothing drawn: for screen readers and for grep. */
#include "cli/render.h"

static enum status put_cell(const struct render *render,
                            const char *label,
                            const char *value,
                            struct error *err)
{
    struct buf line = BUF_INIT;
    const char *shown = render_escaped(&line, label, false, err);
    if (shown != NULL)
        (void)fprintf(render->out, "%s: ", shown);
    if (shown != NULL)
        shown = render_escaped(&line, value, false, err);
    if (shown != NULL)
        (void)fputs(shown[0] == '\0' ? "-" : shown, render->out);
    enum status status = shown == NULL && err != NULL ? err->status : OK;
    buf_fini(&line);
    return status;
}

static void put_title(const struct render *render, const struct reply_section *section)
{
    if (section->kind == SECTION_FIELDS)
        (void)fprintf(render->out, "%s\n", section->title);
    else
        (void)fprintf(render->out, "%s: %zu\n", section->title, section->row_count);
}

enum status render_plain(const struct render *render,
                         const struct reply_section *section,
                         struct error *err)
{
    bool fields = section->kind == SECTION_FIELDS;
    if (section->title[0] != '\0')
        put_title(render, section);
    enum status status = OK;
    size_t cells = section->row_count * section->column_count;
    for (size_t i = 0; status == OK && i < cells; i++) {
        size_t column = i % section->column_count;
        status = put_cell(render, section->columns[column].title, section->cells[i], err);
        bool last = column + 1 == section->column_count;
        (void)fputs(fields || last ? "\n" : "; ", render->out);
    }
    return status;
}
