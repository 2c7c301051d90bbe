#include "admin/ops.h"

#include "base/clock.h"

#include <string.h>

enum { LINE_MAX_SHOWN = 480 };

void ops_cell_id(struct reply_writer *w, const struct id *id)
{
    char text[ID_TEXT_SIZE] = "-";
    if (!id_is_none(id))
        id_format(id, text);
    reply_cell(w, "%s", text);
}

void ops_field_id(struct reply_writer *w, const char *name, const char *title, const struct id *id)
{
    char text[ID_TEXT_SIZE] = "-";
    if (!id_is_none(id))
        id_format(id, text);
    reply_field(w, name, title, "%s", text);
}

void ops_field_time(struct reply_writer *w, const char *name, const char *title, int64_t wall_ms)
{
    char text[TIME_TEXT_SIZE] = "-";
    if (wall_ms > 0 && wall_ms != INT64_MAX)
        time_format(wall_ms, text);
    reply_field(w, name, title, "%s", text);
}

void ops_cell_date(struct reply_writer *w, int64_t wall_ms)
{
    char text[DATE_TEXT_SIZE] = "-";
    if (wall_ms > 0 && wall_ms != INT64_MAX)
        date_format(wall_ms, text);
    reply_cell(w, "%s", text);
}

void ops_problem_lines(struct reply_writer *w, struct span lines)
{
    while (lines.size > 0) {
        const uint8_t *end = memchr(lines.data, '\n', lines.size);
        size_t size = end == NULL ? lines.size : (size_t)(end - lines.data);
        char line[LINE_MAX_SHOWN + 1];
        size_t shown = size < LINE_MAX_SHOWN ? size : LINE_MAX_SHOWN;
        memcpy(line, lines.data, shown);
        line[shown] = '\0';
        reply_problem(
            w, &(struct reply_problem){ .file = "", .field = "", .value = "", .rule = line });
        lines = span_slice(lines, size + 1, lines.size);
    }
}

struct admin_link ops_link(const struct admin *admin, const struct code *code)
{
    for (size_t i = 0; i < admin->link_count; i++)
        if (code_equal(&admin->links[i].code, code))
            return admin->links[i];
    return (struct admin_link){ .code = *code };
}
