#include "cli/render.h"

#include "base/id.h"
#include "base/text.h"

#include <string.h>

static const char separator[] = "; next: ";

void render_split(const char *text, size_t *ret_what_size, const char **ret_next)
{
    const char *at = strstr(text, separator);
    *ret_what_size = at == NULL ? strlen(text) : (size_t)(at - text);
    *ret_next = at == NULL ? NULL : at + sizeof(separator) - 1;
}

const char *render_escaped(struct buf *line, const char *text, bool keep_lines, struct error *err)
{
    buf_clear(line);
    if (text_escape(span_text(text), keep_lines, line, err) != OK || buf_terminate(line, err) != OK)
        return NULL;
    return (const char *)line->data;
}

enum status render_error(FILE *out, const char *text, struct error *err)
{
    struct buf line = BUF_INIT;
    const char *shown = render_escaped(&line, text, false, err);
    if (shown != NULL) {
        size_t size = 0;
        const char *next = NULL;
        render_split(shown, &size, &next);
        (void)fprintf(out, "comityctl: %.*s\n", (int)size, shown);
        if (next != NULL)
            (void)fprintf(out, "next: %s\n", next);
    }
    enum status status = shown == NULL && err != NULL ? err->status : OK;
    buf_fini(&line);
    return status;
}

static void put_place(FILE *out, const struct reply_problem *problem)
{
    if (problem->line > 0)
        (void)fprintf(out, "line %u: ", (unsigned)problem->line);
    if (problem->column > 0)
        (void)fprintf(out, "column %u: ", (unsigned)problem->column);
}

/* Texts of problems come escaped (record/problem.h). What could harm a terminal is escaped here in
 * any case; their backslashes, doubled by that, become single again. */
static const char *escaped_once(struct buf *line, const char *text, struct error *err)
{
    if (render_escaped(line, text, false, err) == NULL)
        return NULL;
    size_t to = 0;
    for (size_t at = 0; at < line->size; at++) {
        line->data[to++] = line->data[at];
        if (line->data[at] == '\\' && at + 1 < line->size && line->data[at + 1] == '\\')
            at++;
    }
    line->size = to;
    line->data[to] = '\0';
    return (const char *)line->data;
}

/* `FILE: line 3: column 18: OBS_VALUE: "n/a": not a number` */
static enum status put_problem(const struct render *render,
                               const struct reply_problem *problem,
                               struct error *err)
{
    struct buf line = BUF_INIT;
    FILE *out = render->messages;
    const char *shown = escaped_once(&line, problem->file, err);
    if (problem->warning)
        (void)fputs("warning: ", out);
    if (shown != NULL && shown[0] != '\0')
        (void)fprintf(out, "%s: ", shown);
    put_place(out, problem);
    if (shown != NULL)
        shown = escaped_once(&line, problem->field, err);
    if (shown != NULL && shown[0] != '\0')
        (void)fprintf(out, "%s: ", shown);
    if (shown != NULL)
        shown = escaped_once(&line, problem->value, err);
    if (shown != NULL && shown[0] != '\0')
        (void)fprintf(out, "\"%s\": ", shown);
    if (shown != NULL)
        shown = render_escaped(&line, problem->rule, false, err);
    if (shown != NULL)
        (void)fprintf(out, "%s\n", shown);
    enum status status = shown == NULL && err != NULL ? err->status : OK;
    buf_fini(&line);
    return status;
}

static enum status put_text(const struct render *render,
                            const struct reply_section *section,
                            struct error *err)
{
    struct buf line = BUF_INIT;
    const char *shown = render_escaped(&line, section->title, false, err);
    enum status status = shown == NULL && err != NULL ? err->status : OK;
    if (shown != NULL && shown[0] != '\0')
        (void)fprintf(render->out, "%s\n", shown);
    buf_clear(&line);
    if (status == OK)
        status = text_escape(section->content, true, &line, err);
    if (status == OK) {
        (void)fwrite(line.data, 1, line.size, render->out);
        if (line.size > 0 && line.data[line.size - 1] != '\n')
            (void)fputc('\n', render->out);
    }
    buf_fini(&line);
    return status;
}

static enum status put_section(const struct render *render,
                               const struct reply_section *section,
                               bool first,
                               struct error *err)
{
    switch (section->kind) {
    case SECTION_NONE:
    case SECTION_BLOB:
        return OK;
    case SECTION_TEXT:
        if (!first)
            (void)fputc('\n', render->out);
        return put_text(render, section, err);
    case SECTION_FIELDS:
    case SECTION_TABLE:
        if (!first)
            (void)fputc('\n', render->out);
        return render->mode == RENDER_PLAIN ? render_plain(render, section, err)
                                            : render_table(render, section, err);
    }
    return OK;
}

static bool is_training(const char *name)
{
    struct realm realm;
    struct error ignored;
    return realm_parse(name, &realm, &ignored) == OK && realm_is_training(&realm);
}

static bool only_files(const struct reply *reply)
{
    for (size_t i = 0; i < reply->section_count; i++)
        if (reply->sections[i].kind != SECTION_BLOB)
            return false;
    return reply->section_count > 0;
}

enum status render_reply(const struct render *render, const struct reply *reply, struct error *err)
{
    if (render->mode == RENDER_JSON)
        return render_json(render, reply, err);
    if (is_training(reply->realm)) { /* a file on standard output must stay what it is */
        (void)fputs("TRAINING REALM: nothing here is official\n",
                    only_files(reply) || reply->section_count == 0 ? render->messages
                                                                   : render->out);
    }
    enum status status = OK;
    for (size_t i = 0; status == OK && i < reply->section_count; i++)
        status = put_section(render, &reply->sections[i], i == 0, err);
    (void)fflush(render->out); /* what was asked for stands before what is wrong with it */
    for (size_t i = 0; status == OK && i < reply->problem_count; i++)
        status = put_problem(render, &reply->problems[i], err);
    if (status == OK && reply->error[0] != '\0')
        status = render_error(render->messages, reply->error, err);
    if (status == OK && (ferror(render->out) || fflush(render->out) != 0))
        status = error_set(err, ERR_IO, "the answer could not be written");
    return status;
}
