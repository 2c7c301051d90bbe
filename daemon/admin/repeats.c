#include "admin/repeats.h"

#include "admin/ops.h"
#include "base/memory.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char file_name[] = "file"; /* the argument */

/* One excerpt of the list, and what it is the same as. */
struct item {
    const struct excerpt *excerpt;
    size_t place;   /* in the list */
    size_t earlier; /* its twin's place; its own when there is none */
    struct id here; /* the record that holds the same; ID_NONE when there is none */
};

/* The order of items; the title first, since a list of records shows it without more work. */
static int compare_same(const struct excerpt *a, const struct excerpt *b)
{
    static const enum excerpt_field fields[] = { EXCERPT_TITLE, EXCERPT_LANGUAGE,
                                                 EXCERPT_INSTRUMENT, EXCERPT_ARTICLE,
                                                 EXCERPT_TEXT };
    int order = 0;
    for (size_t i = 0; order == 0 && i < sizeof(fields) / sizeof(fields[0]); i++)
        order = span_compare(excerpt_get(a, fields[i]), excerpt_get(b, fields[i]));
    return order;
}

static int compare_items(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    int order = compare_same(x->excerpt, y->excerpt);
    return order != 0 ? order : (x->place > y->place) - (x->place < y->place);
}

static int compare_places(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    return (x->place > y->place) - (x->place < y->place);
}

static struct item *sort_items(const struct excerpt_list *list, struct error *err)
{
    struct item *items = mem_calloc(list->count, sizeof(*items));
    if (items == NULL) {
        (void)error_set(err, ERR_MEMORY, "no memory to compare %zu excerpts", list->count);
        return NULL;
    }
    for (size_t i = 0; i < list->count; i++)
        items[i] = (struct item){ &list->items[i], i, i, ID_NONE };
    qsort(items, list->count, sizeof(*items), compare_items);
    for (size_t i = 1; i < list->count; i++)
        if (compare_same(items[i - 1].excerpt, items[i].excerpt) == 0)
            items[i].earlier = items[i - 1].earlier;
    return items;
}

/* -- what is here already ---------------------------------------------------------------------- */

struct search {
    struct item *items; /* sorted */
    size_t count;
};

/* The first item that is not below `key`; without a text, the first of its title. */
static size_t find(const struct search *search, const struct excerpt *key, struct span title)
{
    size_t low = 0, high = search->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct excerpt *excerpt = search->items[middle].excerpt;
        int order = key != NULL ? compare_same(excerpt, key)
                                : span_compare(excerpt_get(excerpt, EXCERPT_TITLE), title);
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static enum status compare_record(void *context, const struct records_view *view, struct error *err)
{
    struct search *search = context;
    struct span title = span_text(view->title);
    size_t at = find(search, NULL, title);
    if (at == search->count ||
        !span_equal(excerpt_get(search->items[at].excerpt, EXCERPT_TITLE), title))
        return OK;
    struct excerpt excerpt;
    excerpt_init(&excerpt);
    enum status status = excerpt_decode(view->canonical, &excerpt, err);
    if (status == OK) {
        for (at = find(search, &excerpt, title);
             at < search->count && compare_same(search->items[at].excerpt, &excerpt) == 0; at++)
            search->items[at].here = view->row.record_id;
    }
    excerpt_fini(&excerpt);
    return status;
}

static enum status search_records(struct admin *admin, struct search *search, struct error *err)
{
    struct records_selector selector;
    records_selector_init(&selector);
    selector.kind = RECORD_EXCERPT;
    return records_list(admin->feed, &selector, compare_record, search, err);
}

enum status repeats_find(struct admin *admin,
                         const struct excerpt *excerpt,
                         struct id *ret_here,
                         struct error *err)
{
    struct item item = { .excerpt = excerpt };
    struct search search = { &item, 1 };
    enum status status = search_records(admin, &search, err);
    if (status == OK)
        *ret_here = item.here;
    return status;
}

/* -- telling ----------------------------------------------------------------------------------- */

static const char *path_of(const struct control_call *call,
                           const struct repeats *repeats,
                           size_t place)
{
    size_t file = 0;
    while (file + 1 < repeats->file_count && place >= repeats->ends[file])
        file++;
    const struct request_file *found = argument_file(&call->arguments, file_name, file);
    return found == NULL ? "" : found->path;
}

static void tell(struct control_call *call, const struct repeats *repeats, const struct item *item)
{
    char rule[PROBLEM_RULE_SIZE + TITLE_MAX];
    const char *path = path_of(call, repeats, item->place);
    if (item->earlier != item->place) {
        const char *other = path_of(call, repeats, item->earlier);
        bool same_file = strcmp(path, other) == 0;
        (void)snprintf(rule, sizeof(rule),
                       "the same excerpt stands on line %u%s%.400s already; next: keep one of them",
                       repeats->list.items[item->earlier].line, same_file ? "" : " of ",
                       same_file ? "" : other);
    } else {
        char id[ID_TEXT_SIZE];
        id_format(&item->here, id);
        (void)snprintf(rule, sizeof(rule),
                       "the record %s is the same excerpt; next: leave the line out; to change "
                       "the record: comityctl excerpt add --replaces %s",
                       id, id);
    }
    char title[PROBLEM_VALUE_SIZE];
    text_escape_cut(excerpt_get(item->excerpt, EXCERPT_TITLE), title, sizeof(title));
    reply_problem(call->reply, &(struct reply_problem){ .file = path,
                                                        .line = item->excerpt->line,
                                                        .field = "title",
                                                        .value = title,
                                                        .rule = rule });
}

enum status repeats_check(struct admin *admin,
                          struct control_call *call,
                          const struct repeats *repeats,
                          struct error *err)
{
    size_t count = repeats->list.count;
    if (count == 0)
        return OK;
    struct item *items = sort_items(&repeats->list, err);
    if (items == NULL)
        return ERR_MEMORY;
    struct search search = { items, count };
    enum status status = search_records(admin, &search, err);
    size_t told = 0;
    if (status == OK)
        qsort(items, count, sizeof(*items), compare_places);
    for (size_t i = 0; status == OK && i < count; i++) {
        if (items[i].earlier == i && id_is_none(&items[i].here))
            continue;
        tell(call, repeats, &items[i]);
        told++;
    }
    mem_free(items);
    if (status == OK && told > 0)
        status = ops_not_imported(call->reply, err);
    return status;
}
