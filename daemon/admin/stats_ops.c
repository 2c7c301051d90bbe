/* Releases of figures of this State. */
#include "admin/ops.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

enum { ROWS_SHOWN_MAX = 5000 };

/* -- importing --------------------------------------------------------------------------------- */

static enum status append_list(struct sdmx_release_list *to,
                               struct sdmx_release_list *from,
                               struct error *err)
{
    if (from->count == 0)
        return OK;
    struct sdmx_release *items = mem_realloc(to->items, (to->count + from->count) * sizeof(*items));
    if (items == NULL)
        return error_set(err, ERR_MEMORY, "no memory for %zu releases", to->count + from->count);
    to->items = items;
    for (size_t i = 0; i < from->count; i++) {
        struct sdmx_release *release = &to->items[to->count++];
        *release = (struct sdmx_release){ .observation_count = from->items[i].observation_count };
        release->bytes = buf_move(&from->items[i].bytes);
        release->identity = buf_move(&from->items[i].identity);
    }
    to->capacity = to->count;
    return OK;
}

static enum status read_files(struct admin *admin,
                              struct control_call *call,
                              struct sdmx_release_list *list,
                              struct error *err)
{
    const struct sdmx_import_options options = {
        .publisher = &admin->feed->self,
        .source = argument_text(&call->arguments, "source"),
    };
    enum status worst = OK;
    const struct request_file *file = NULL;
    for (size_t i = 0; (file = argument_file(&call->arguments, "file", i)) != NULL; i++) {
        struct problems problems;
        struct sdmx_release_list part;
        memset(&part, 0, sizeof(part));
        problems_init(&problems, file->path);
        struct error why = ERROR_INIT;
        enum status status = sdmx_import(file->bytes, &options, &problems, &part, &why);
        ops_problems(call->reply, &problems);
        problems_fini(&problems);
        if (status == OK)
            status = append_list(list, &part, &why);
        sdmx_release_list_fini(&part);
        if (status != OK && worst == OK)
            worst = error_set(err, status, "%s: %s", file->path, why.text);
        control_say(call, "files read", i + 1, call->arguments.request->file_count);
    }
    if (worst == ERR_INVALID)
        return ops_not_imported(call->reply, err);
    return worst;
}

/* The same snapshot in two files of one command: which one would count? */
static enum status refuse_twins(const struct sdmx_release_list *list, struct error *err)
{
    for (size_t i = 0; i < list->count; i++) {
        for (size_t j = i + 1; j < list->count; j++) {
            if (span_equal(buf_span(&list->items[i].identity),
                           buf_span(&list->items[j].identity))) {
                return error_set(
                    err, ERR_INVALID,
                    "two of the files hold the same dataset, period and source; "
                    "nothing was imported; next: put them into one file, or import one "
                    "after the other");
            }
        }
    }
    return OK;
}

static enum status put_imported(struct reply_writer *w,
                                const struct records_imported *imported,
                                struct span canonical,
                                struct error *err)
{
    struct records_view view;
    enum status status = records_describe(RECORD_RELEASE, canonical, &view, err);
    if (status != OK)
        return status;
    ops_cell_id(w, &imported->record_id);
    reply_cell_number(w, imported->version);
    reply_cell(w, "%s", records_outcome_name(imported->outcome));
    reply_cell(w, "%s", view.period);
    reply_cell(w, "%s", view.source);
    reply_cell_number(w, imported->observations);
    reply_cell(w, "%s", view.title);
    return OK;
}

static enum status import(struct admin *admin,
                          struct control_call *call,
                          const struct sdmx_release_list *list,
                          struct error *err)
{
    static const struct reply_column columns[] = {
        { "id", "Id", false },           { "version", "Version", true },
        { "outcome", "Outcome", false }, { "period", "Period", false },
        { "source", "Source", false },   { "observations", "Observations", true },
        { "title", "Title", false },
    };
    struct records_imported *imported =
        mem_calloc(list->count == 0 ? 1 : list->count, sizeof(*imported));
    if (imported == NULL)
        return error_set(err, ERR_MEMORY, "no memory for %zu releases", list->count);
    enum status status =
        records_import_releases(admin->feed, call->caller->uid, list, imported, err);
    if (status == OK)
        reply_table(call->reply, "releases", "Imported", columns,
                    sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; status == OK && i < list->count; i++)
        status = put_imported(call->reply, &imported[i], buf_span(&list->items[i].bytes), err);
    mem_free(imported);
    return status;
}

enum status stats_ops_import(void *context, struct control_call *call, struct error *err)
{
    struct admin *admin = context;
    struct sdmx_release_list list;
    memset(&list, 0, sizeof(list));
    enum status status = read_files(admin, call, &list, err);
    if (status == OK)
        status = refuse_twins(&list, err);
    if (status == OK)
        status = import(admin, call, &list, err);
    sdmx_release_list_fini(&list);
    return status;
}

/* -- reading ----------------------------------------------------------------------------------- */

static enum status put_row(void *context, const struct records_view *view, struct error *err)
{
    struct reply_writer *w = context;
    ops_cell_id(w, &view->row.record_id);
    reply_cell_number(w, view->version);
    reply_cell(w, "%s", view->row.state == RECORD_ROW_RETIRED ? "retired" : "current");
    reply_cell(w, "%s", view->dataset);
    reply_cell(w, "%s", view->period);
    reply_cell(w, "%s", view->source);
    reply_cell_number(w, view->observations);
    reply_cell(w, "%s", view->title);
    return reply_status(w, err);
}

enum status stats_ops_list(void *context, struct control_call *call, struct error *err)
{
    static const struct reply_column columns[] = {
        { "id", "Id", false },
        { "version", "Version", true },
        { "state", "State", false },
        { "dataset", "Dataset", false },
        { "period", "Period", false },
        { "source", "Source", false },
        { "observations", "Observations", true },
        { "title", "Title", false },
    };
    struct admin *admin = context;
    struct records_selector selector;
    records_selector_init(&selector);
    selector.kind = RECORD_RELEASE;
    selector.with_retired = argument_given(&call->arguments, "retired");
    reply_table(call->reply, "releases", "Releases", columns, sizeof(columns) / sizeof(columns[0]));
    return records_list(admin->feed, &selector, put_row, call->reply, err);
}

static void put_value(struct reply_writer *w, const struct release *release, size_t row)
{
    struct decimal value;
    char text[DECIMAL_TEXT_SIZE] = "not available";
    if (release_value(release, row, &value))
        decimal_format(value, text);
    reply_cell(w, "%s", text);
}

/* Fields for what is the same in all rows; gives the dimensions that vary. */
static size_t put_same(struct reply_writer *w,
                       const struct release *release,
                       unsigned ret_varying[static DIMENSIONS_MAX])
{
    const struct structure *structure = release->structure;
    size_t count = 0;
    for (unsigned i = 0; i < structure->dimension_count; i++) {
        if (release->dimensions[i].value_count != 1) {
            ret_varying[count++] = i;
            continue;
        }
        struct span only = release_dimension(release, 0, i);
        const char *name = codelist_name(structure->dimensions[i].codes, only);
        reply_field(w, structure->dimensions[i].id, structure->dimensions[i].name, "%.*s%s%s%s",
                    (int)only.size, (const char *)only.data, name == NULL ? "" : " (",
                    name == NULL ? "" : name, name == NULL ? "" : ")");
    }
    return count;
}

static void put_rows(struct reply_writer *w,
                     const struct release *release,
                     const unsigned *shown,
                     size_t count)
{
    for (size_t row = 0; row < release->observation_count && row < ROWS_SHOWN_MAX; row++) {
        for (size_t i = 0; i < count; i++) {
            struct span code = release_dimension(release, row, shown[i]);
            reply_cell(w, "%.*s", (int)code.size, (const char *)code.data);
        }
        put_value(w, release, row);
    }
}

/* Every dimension that varies, then the value: what is the same in all rows stands above. */
void stats_ops_put(struct reply_writer *w, const struct release *release)
{
    const struct structure *structure = release->structure;
    struct reply_column columns[DIMENSIONS_MAX + 1];
    unsigned shown[DIMENSIONS_MAX];
    size_t count = put_same(w, release, shown);
    for (size_t i = 0; i < count; i++) {
        const struct component *dimension = &structure->dimensions[shown[i]];
        columns[i] = (struct reply_column){ dimension->id, dimension->name, false };
    }
    columns[count] = (struct reply_column){ "OBS_VALUE", "Value", true };
    reply_table(w, "observations", "Observations", columns, count + 1);
    put_rows(w, release, shown, count);
    struct ops_legend legend = { .w = w };
    size_t rows = release->observation_count;
    for (size_t i = 0; i < count; i++) {
        for (size_t row = 0; row < rows && row < ROWS_SHOWN_MAX; row++) {
            ops_legend_add(&legend, &structure->dimensions[shown[i]],
                           release_dimension(release, row, shown[i]));
        }
    }
    if (rows > ROWS_SHOWN_MAX) {
        reply_note(w,
                   "The first %d of %zu observations are shown. All of them: comityctl stats "
                   "export.",
                   ROWS_SHOWN_MAX, rows);
    }
}

static enum status put_whole(void *context, const struct records_view *view, struct error *err)
{
    struct reply_writer *w = context;
    struct release release;
    enum status status = release_decode(NULL, view->canonical, &release, err);
    if (status != OK)
        return status;
    reply_fields(w, "release", "Release");
    ops_field_id(w, "id", "Id", &view->row.record_id);
    reply_number(w, "version", "Version", view->version);
    reply_number(w, "latest", "Latest version", view->row.version);
    reply_field(w, "title", "Title", "%s", view->title);
    reply_field(w, "dataset", "Dataset", "%s", view->dataset);
    reply_field(w, "source", "Source", "%s", view->source);
    ops_field_time(w, "added", "Added", view->row.created_ms);
    stats_ops_put(w, &release);
    release_fini(&release);
    return reply_status(w, err);
}

static enum status find(struct admin *admin,
                        struct control_call *call,
                        struct record_row *ret_row,
                        uint32_t *ret_version,
                        struct error *err)
{
    *ret_version = (uint32_t)argument_number(&call->arguments, "version", 0);
    return ops_find_record(admin, argument_text(&call->arguments, "record"), RECORD_RELEASE,
                           ret_row, err);
}

enum status stats_ops_show(void *context, struct control_call *call, struct error *err)
{
    struct admin *admin = context;
    struct record_row row;
    uint32_t version = 0;
    enum status status = find(admin, call, &row, &version, err);
    if (status == OK)
        status = records_show(admin->feed, &row.record_id, version, put_whole, call->reply, err);
    return status;
}

enum status stats_ops_export(void *context, struct control_call *call, struct error *err)
{
    struct admin *admin = context;
    struct record_row row;
    uint32_t version = 0;
    struct buf text = BUF_INIT_SECRET;
    enum status status = find(admin, call, &row, &version, err);
    if (status == OK)
        status = records_export(admin->feed, &row.record_id, version, &text, err);
    if (status == OK) {
        char id[ID_TEXT_SIZE];
        char name[ID_TEXT_SIZE + 8];
        id_format(&row.record_id, id);
        (void)snprintf(name, sizeof(name), "%s.csv", id);
        reply_blob(call->reply, "release", name, buf_span(&text));
    }
    buf_fini(&text);
    return status;
}
