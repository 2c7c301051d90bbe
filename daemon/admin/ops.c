#include "admin/ops.h"

#include "base/clock.h"
#include "base/counted.h"

#include <stdio.h>
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

void ops_problems(struct reply_writer *w, const struct problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *problem = &problems->items[i];
        bool option = problems->file[0] == '\0' && problem->field[0] != '\0';
        char field[PROBLEM_FIELD_SIZE + 2];
        (void)snprintf(field, sizeof(field), "%s%s", option ? "--" : "", problem->field);
        for (char *at = field; option && *at != '\0'; at++)
            *at = (char)(*at == '_' ? '-' : *at);
        char rule[PROBLEM_RULE_SIZE + PROBLEM_HINT_SIZE + 8];
        (void)snprintf(rule, sizeof(rule), "%s%s%s", problem->rule,
                       problem->hint[0] == '\0' ? "" : "; next: ", problem->hint);
        reply_problem(w, &(struct reply_problem){ .file = problems->file,
                                                  .line = problem->line,
                                                  .column = problem->column,
                                                  .field = field,
                                                  .value = problem->value,
                                                  .rule = rule });
    }
    for (size_t i = problems->count; i < problems->total; i++)
        w->problems_left_out++;
}

enum status ops_find_record(struct admin *admin,
                            const char *prefix,
                            int kind,
                            struct record_row *ret_row,
                            struct error *err)
{
    struct error why = ERROR_INIT;
    struct record_row row;
    enum status status = records_find(admin->feed, prefix, &row, &why);
    const char *list = kind == RECORD_RELEASE ? "stats list" : "excerpt list";
    if (status == ERR_NOT_FOUND)
        return error_set(err, ERR_NOT_FOUND, "no record here begins with %s; next: comityctl %s",
                         prefix, list);
    if (status != OK) {
        if (err != NULL)
            *err = why;
        return status;
    }
    if (kind != 0 && (int)row.kind != kind)
        return error_set(err, ERR_NOT_FOUND, "%s is %s; next: comityctl %s", prefix,
                         row.kind == RECORD_ROW_EXCERPT ? "an excerpt" : "a release", list);
    *ret_row = row;
    return OK;
}

enum status ops_find_consent(struct admin *admin,
                             const struct control_call *call,
                             struct consent_row *ret_row,
                             struct error *err)
{
    const char *prefix = argument_text(&call->arguments, "consent");
    struct error why = ERROR_INIT;
    enum status status = consents_find(admin->feed, prefix, ret_row, &why);
    if (status == ERR_NOT_FOUND)
        return error_set(err, ERR_NOT_FOUND,
                         "no consent here begins with %s; next: comityctl consent list", prefix);
    if (status != OK && err != NULL)
        *err = why;
    return status;
}

enum status ops_find_consent_id(struct admin *admin,
                                const struct control_call *call,
                                struct id *ret_id,
                                struct error *err)
{
    struct consent_row row;
    struct error why = ERROR_INIT;
    enum status status = ops_find_consent(admin, call, &row, err);
    if (status == OK)
        *ret_id = row.consent_id;
    if (status == ERR_NOT_FOUND &&
        id_parse(argument_text(&call->arguments, "consent"), ret_id, &why) == OK)
        return OK;
    return status;
}

struct admin_link ops_link(const struct admin *admin, const struct code *code)
{
    for (size_t i = 0; i < admin->link_count; i++)
        if (code_equal(&admin->links[i].code, code))
            return admin->links[i];
    return (struct admin_link){ .code = *code };
}

enum status ops_not_imported(const struct reply_writer *reply, struct error *err)
{
    size_t count = reply_problem_count(reply) + reply->problems_left_out;
    return error_set(err, ERR_INVALID, "%s; nothing was imported", counted(count, "problem").text);
}

/* -- what codes mean --------------------------------------------------------------------------- */

void ops_legend_add(struct ops_legend *legend, const struct component *dimension, struct span code)
{
    static const struct reply_column columns[] = {
        { "dimension", "Column", false },
        { "code", "Code", false },
        { "name", "Meaning", false },
    };
    const char *name = codelist_name(dimension->codes, code);
    if (name == NULL || legend->count == OPS_LEGEND_MAX)
        return;
    for (size_t i = legend->count; i-- > 0;) /* the latest are the likeliest */
        if (legend->names[i] == name && legend->of[i] == dimension)
            return;
    if (legend->count == 0)
        reply_table(legend->w, "codes", "What the codes mean", columns, 3);
    legend->names[legend->count] = name;
    legend->of[legend->count++] = dimension;
    reply_cell(legend->w, "%s", dimension->name);
    reply_cell(legend->w, "%.*s", (int)code.size, (const char *)code.data);
    reply_cell(legend->w, "%s", name);
}
