/* Excerpts of this State. */
#include "admin/ops.h"
#include "admin/repeats.h"
#include "base/counted.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

/* -- adding ------------------------------------------------------------------------------------ */

/* The option of a field: its name with hyphens. */
static void option_of(enum excerpt_field field, char ret_name[static PROBLEM_FIELD_SIZE])
{
    const char *name = excerpt_field_name(field);
    size_t size = strnlen(name, PROBLEM_FIELD_SIZE - 1);
    for (size_t i = 0; i < size; i++)
        ret_name[i] = (char)(name[i] == '_' ? '-' : name[i]);
    ret_name[size] = '\0';
}

static struct span text_of(const struct arguments *arguments, enum excerpt_field field)
{
    char name[PROBLEM_FIELD_SIZE];
    option_of(field, name);
    const struct request_file *file =
        field == EXCERPT_TEXT ? argument_file(arguments, "text-file", 0) : NULL;
    return file != NULL ? file->bytes : span_text(argument_text(arguments, name));
}

/* A text that came in a file: its problems are those of --text-file. */
static void name_text_file(struct problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        struct problem *problem = &problems->items[i];
        if (strcmp(problem->field, excerpt_field_name(EXCERPT_TEXT)) == 0)
            (void)snprintf(problem->field, sizeof(problem->field), "text_file");
    }
}

static enum status take_fields(const struct arguments *arguments,
                               struct excerpt *excerpt,
                               struct problems *problems,
                               struct error *err)
{
    for (unsigned i = 0; i < EXCERPT_FIELD_COUNT; i++) {
        enum excerpt_field field = (enum excerpt_field)i;
        struct span text = text_of(arguments, field);
        struct error why = ERROR_INIT;
        if (text.size == 0)
            continue;
        enum status status = excerpt_set(excerpt, field, text, &why);
        if (status == ERR_MEMORY)
            return error_set(err, status, "%s", why.text);
        if (status != OK)
            problems_add(problems, (struct problem_place){ 0, 0, excerpt_field_name(field) },
                         SPAN_EMPTY, NULL, "%s", why.text);
    }
    if (problems->total == 0)
        excerpt_check(excerpt, 0, problems);
    if (argument_given(arguments, "text-file"))
        name_text_file(problems);
    return OK;
}

/* The same text for the same article, in another record than the one that is changed. */
static enum status refuse_repeat(struct admin *admin,
                                 const struct excerpt *excerpt,
                                 const struct id *changed,
                                 struct error *err)
{
    struct id here = ID_NONE;
    enum status status = repeats_find(admin, excerpt, &here, err);
    if (status != OK || id_is_none(&here) || id_equal(&here, changed))
        return status;
    char id[ID_TEXT_SIZE];
    id_format(&here, id);
    return error_set(err, ERR_EXISTS,
                     "the record %s is the same excerpt: title, text, language and article; next: "
                     "comityctl excerpt show %s; to change that one, comityctl excerpt add "
                     "--replaces %s",
                     id, id, id);
}

static enum status save(struct admin *admin,
                        struct control_call *call,
                        const struct excerpt *excerpt,
                        struct error *err)
{
    const char *replaces = argument_text(&call->arguments, "replaces");
    uint32_t uid = call->caller->uid;
    struct record_row row = { .record_id = ID_NONE };
    uint32_t version = 1;
    enum status status = OK;
    if (replaces != NULL)
        status = ops_find_record(admin, replaces, RECORD_EXCERPT, &row, err);
    struct id id = row.record_id;
    if (status == OK)
        status = refuse_repeat(admin, excerpt, &id, err);
    if (status == OK && replaces != NULL)
        status = records_change_excerpt(admin->feed, uid, &id, excerpt, &version, err);
    else if (status == OK)
        status = records_add_excerpt(admin->feed, uid, excerpt, &id, err);
    if (status != OK)
        return status;
    reply_fields(call->reply, "record", "Excerpt");
    ops_field_id(call->reply, "id", "Id", &id);
    reply_number(call->reply, "version", "Version", version);
    reply_note(call->reply, "It stays on this node until a consent covers it.");
    return OK;
}

enum status excerpt_ops_add(void *context, struct control_call *call, struct error *err)
{
    const struct arguments *arguments = &call->arguments;
    if (argument_given(arguments, "text") == argument_given(arguments, "text-file")) {
        reply_problem(call->reply,
                      &(struct reply_problem){ .file = "",
                                               .field = "--text",
                                               .value = "",
                                               .rule = "give either --text or --text-file" });
        return error_set(err, ERR_INVALID, "1 problem in the excerpt; nothing was added");
    }
    struct excerpt excerpt;
    struct problems problems;
    excerpt_init(&excerpt);
    problems_init(&problems, NULL);
    enum status status = take_fields(arguments, &excerpt, &problems, err);
    if (status == OK && problems.total > 0)
        status = error_set(err, ERR_INVALID, "%s in the excerpt; nothing was added",
                           counted(problems.total, "problem").text);
    ops_problems(call->reply, &problems);
    if (status == OK)
        status = save(context, call, &excerpt, err);
    problems_fini(&problems);
    excerpt_fini(&excerpt);
    return status;
}

/* -- importing --------------------------------------------------------------------------------- */

static enum status append_list(struct excerpt_list *to,
                               struct excerpt_list *from,
                               struct error *err)
{
    if (from->count == 0)
        return OK;
    struct excerpt *items = mem_realloc(to->items, (to->count + from->count) * sizeof(*items));
    if (items == NULL)
        return error_set(err, ERR_MEMORY, "no memory for %zu excerpts", to->count + from->count);
    to->items = items;
    for (size_t i = 0; i < from->count; i++)
        to->items[to->count++] = excerpt_move(&from->items[i]);
    to->capacity = to->count;
    return OK;
}

/* A file that is named twice, by whatever name, is one problem and not one for each line. */
static bool is_named_twice(struct control_call *call, size_t index)
{
    const struct request_file *file = argument_file(&call->arguments, "file", index);
    for (size_t i = 0; i < index; i++) {
        const struct request_file *other = argument_file(&call->arguments, "file", i);
        if (!span_equal(file->bytes, other->bytes))
            continue;
        char rule[NAME_MAX_BYTES + TITLE_MAX];
        (void)snprintf(rule, sizeof(rule), "the same as the file %.500s; next: name it once",
                       other->path);
        reply_problem(
            call->reply,
            &(struct reply_problem){ .file = file->path, .field = "", .value = "", .rule = rule });
        return true;
    }
    return false;
}

static enum status read_file(struct control_call *call,
                             const struct request_file *file,
                             struct excerpt_list *list,
                             struct error *err)
{
    struct problems problems;
    struct excerpt_list part;
    memset(&part, 0, sizeof(part));
    problems_init(&problems, file->path);
    enum status status = excerpt_import(file->bytes, &problems, &part, err);
    ops_problems(call->reply, &problems);
    problems_fini(&problems);
    if (status == OK)
        status = append_list(list, &part, err);
    excerpt_list_fini(&part);
    return status;
}

/* Reads all files before anything is stored: all problems of all of them, or all excerpts. */
static enum status read_files(struct control_call *call, struct repeats *repeats, struct error *err)
{
    enum status worst = OK;
    const struct request_file *file = NULL;
    for (size_t i = 0; (file = argument_file(&call->arguments, "file", i)) != NULL; i++) {
        struct error why = ERROR_INIT;
        enum status status =
            is_named_twice(call, i) ? ERR_INVALID : read_file(call, file, &repeats->list, &why);
        if (status != OK && worst == OK)
            worst = error_set(err, status, "%s: %s", file->path, why.text);
        repeats->ends[repeats->file_count++] = repeats->list.count;
    }
    if (worst == ERR_INVALID)
        return ops_not_imported(call->reply, err);
    return worst;
}

static enum status import(struct admin *admin,
                          struct control_call *call,
                          const struct excerpt_list *list,
                          struct error *err)
{
    struct id *ids = mem_calloc(list->count == 0 ? 1 : list->count, sizeof(*ids));
    if (ids == NULL)
        return error_set(err, ERR_MEMORY, "no memory for %zu ids", list->count);
    enum status status = records_import_excerpts(admin->feed, call->caller->uid, list, ids, err);
    if (status == OK) {
        static const struct reply_column columns[] = {
            { "id", "Id", false },
            { "article", "Article", false },
            { "title", "Title", false },
        };
        reply_table(call->reply, "records", "Imported", columns, 3);
        for (size_t i = 0; i < list->count; i++) {
            struct span title = excerpt_get(&list->items[i], EXCERPT_TITLE);
            ops_cell_id(call->reply, &ids[i]);
            reply_cell(call->reply, "%s %u",
                       catalogue_instrument_code(excerpt_instrument(&list->items[i])),
                       excerpt_article(&list->items[i]));
            reply_cell(call->reply, "%.*s", (int)title.size, (const char *)title.data);
        }
    }
    mem_free(ids);
    return status;
}

enum status excerpt_ops_import(void *context, struct control_call *call, struct error *err)
{
    struct repeats *repeats = mem_calloc(1, sizeof(*repeats));
    if (repeats == NULL)
        return error_set(err, ERR_MEMORY, "no memory to read files");
    enum status status = read_files(call, repeats, err);
    if (status == OK)
        status = repeats_check(context, call, repeats, err);
    if (status == OK)
        status = import(context, call, &repeats->list, err);
    excerpt_list_fini(&repeats->list);
    mem_free(repeats);
    return status;
}

/* -- reading ----------------------------------------------------------------------------------- */

static enum status put_row(void *context, const struct records_view *view, struct error *err)
{
    struct reply_writer *w = context;
    ops_cell_id(w, &view->row.record_id);
    reply_cell_number(w, view->version);
    reply_cell(w, "%s", view->row.state == RECORD_ROW_RETIRED ? "retired" : "current");
    reply_cell(w, "%s", view->kind);
    reply_cell(w, "%s %u", catalogue_instrument_code(view->instrument), view->article);
    reply_cell(w, "%s", view->language);
    reply_cell(w, "%s", view->title);
    return reply_status(w, err);
}

/* The rules have checked the words already. */
static void select_by(const struct arguments *arguments, struct records_selector *selector)
{
    records_selector_init(selector);
    selector->kind = RECORD_EXCERPT;
    selector->with_retired = argument_given(arguments, "retired");
    selector->article = (unsigned)argument_number(arguments, "article", 0);
    (void)catalogue_kind_parse(span_text(argument_text(arguments, "kind")),
                               &selector->excerpt_kind);
    (void)catalogue_instrument_parse(span_text(argument_text(arguments, "instrument")),
                                     &selector->instrument);
}

/* An article that nobody has would find nothing, as if nothing had been said about it. */
static enum status check_article(const struct records_selector *selector, struct error *err)
{
    enum instrument instrument =
        selector->instrument == INSTRUMENT_NONE ? INSTRUMENT_UNTOC : selector->instrument;
    unsigned last = catalogue_article_count(instrument);
    if (selector->article <= last)
        return OK;
    return error_set(err, ERR_INVALID, "%s has articles 1 to %u, and no article %u",
                     catalogue_instrument_code(instrument), last, selector->article);
}

enum status excerpt_ops_list(void *context, struct control_call *call, struct error *err)
{
    static const struct reply_column columns[] = {
        { "id", "Id", false },           { "version", "Version", true },
        { "state", "State", false },     { "kind", "Kind", false },
        { "article", "Article", false }, { "language", "Language", false },
        { "title", "Title", false },
    };
    struct admin *admin = context;
    struct records_selector selector;
    select_by(&call->arguments, &selector);
    enum status status = check_article(&selector, err);
    if (status != OK)
        return status;
    reply_table(call->reply, "excerpts", "Excerpts", columns, sizeof(columns) / sizeof(columns[0]));
    return records_list(admin->feed, &selector, put_row, call->reply, err);
}

/* All fields that are not empty, and the text below them. */
void excerpt_ops_put(struct reply_writer *w, const struct excerpt *excerpt)
{
    for (unsigned i = 0; i < EXCERPT_FIELD_COUNT; i++) {
        enum excerpt_field field = (enum excerpt_field)i;
        struct span text = excerpt_get(excerpt, field);
        if (field == EXCERPT_TEXT || text.size == 0)
            continue;
        char title[PROBLEM_FIELD_SIZE] = "";
        option_of(field, title);
        title[0] = (char)(title[0] - 'a' + 'A'); /* names of fields are lower case */
        for (char *at = title; *at != '\0'; at++)
            *at = (char)(*at == '-' ? ' ' : *at);
        reply_field(w, excerpt_field_name(field), title, "%.*s", (int)text.size,
                    (const char *)text.data);
    }
    reply_text(w, "text", "Text", excerpt_get(excerpt, EXCERPT_TEXT));
}

static enum status put_whole(void *context, const struct records_view *view, struct error *err)
{
    struct reply_writer *w = context;
    struct excerpt excerpt;
    char digest[2 * DIGEST_SIZE + 1];
    excerpt_init(&excerpt);
    enum status status = excerpt_decode(view->canonical, &excerpt, err);
    if (status == OK) {
        hex_encode(SPAN_ARRAY(view->digest.bytes), digest);
        reply_fields(w, "excerpt", "Excerpt");
        ops_field_id(w, "id", "Id", &view->row.record_id);
        reply_number(w, "version", "Version", view->version);
        reply_number(w, "latest", "Latest version", view->row.version);
        reply_field(w, "state", "State", "%s",
                    view->row.state == RECORD_ROW_RETIRED ? "retired" : "current");
        ops_field_time(w, "added", "Added", view->row.created_ms);
        reply_field(w, "digest", "Digest", "%s", digest);
        excerpt_ops_put(w, &excerpt);
    }
    excerpt_fini(&excerpt);
    return status;
}

enum status excerpt_ops_show(void *context, struct control_call *call, struct error *err)
{
    struct admin *admin = context;
    struct record_row row;
    enum status status = ops_find_record(admin, argument_text(&call->arguments, "record"),
                                         RECORD_EXCERPT, &row, err);
    uint32_t version = (uint32_t)argument_number(&call->arguments, "version", 0);
    if (status == OK)
        status = records_show(admin->feed, &row.record_id, version, put_whole, call->reply, err);
    return status;
}

static enum status retire(struct admin *admin,
                          struct control_call *call,
                          int kind,
                          struct error *err)
{
    struct record_row row;
    struct records_retired retired;
    enum status status =
        ops_find_record(admin, argument_text(&call->arguments, "record"), kind, &row, err);
    if (status == OK)
        status = records_retire(admin->feed, call->caller->uid, &row.record_id, &retired, err);
    if (status != OK)
        return status;
    reply_fields(call->reply, "record", "Retired");
    ops_field_id(call->reply, "id", "Id", &row.record_id);
    reply_number(call->reply, "consents", "Consents in force that list it",
                 retired.consents_in_force);
    reply_number(call->reply, "given", "Deliveries that recipients hold", retired.given);
    if (retired.given > 0)
        reply_note(call->reply, "What was given stays given. To take it back: comityctl given, "
                                "then comityctl consent revoke.");
    return OK;
}

enum status excerpt_ops_retire(void *context, struct control_call *call, struct error *err)
{
    return retire(context, call, RECORD_EXCERPT, err);
}

enum status stats_ops_retire(void *context, struct control_call *call, struct error *err)
{
    return retire(context, call, RECORD_RELEASE, err);
}
