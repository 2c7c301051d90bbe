/* excerpt_import: excerpts from a CSV file, all of them or every problem. */
#include "base/counted.h"
#include "base/memory.h"
#include "record/excerpt.h"
#include "record/looks.h"
#include "record/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct import {
    bool has_header;
    enum excerpt_field fields[TABLE_COLUMNS_MAX]; /* of each column */
    size_t column_count;
    int columns[EXCERPT_FIELD_COUNT]; /* of each field, first is 1; 0: none */
    struct excerpt_list list;
    struct problems *problems;
    struct span file;
    bool unusable; /* the first line names no column: what it is was said, nothing more is read */
};

void excerpt_list_fini(struct excerpt_list *list)
{
    if (list == NULL)
        return;
    for (size_t i = 0; i < list->count; i++)
        excerpt_fini(&list->items[i]);
    mem_free(list->items);
    *list = (struct excerpt_list){ NULL, 0, 0 };
}

static bool names_any_column(const struct table_row *row)
{
    enum excerpt_field field;
    for (size_t i = 0; i < row->field_count; i++)
        if (excerpt_field_parse(row->fields[i], &field))
            return true;
    return false;
}

static enum status refuse_file(struct import *import,
                               const struct table_row *row,
                               struct error *err)
{
    enum looks looks = looks_like(import->file);
    const char *command = looks_command(looks);
    char hint[PROBLEM_HINT_SIZE];
    (void)snprintf(hint, sizeof(hint), "%s%s",
                   command != NULL ? command
                                   : "name the columns on the first line, in small letters: ",
                   command != NULL ? ""
                                   : "kind, instrument, article, language, title, text, "
                                     "originator, date, confidentiality");
    import->unusable = true;
    problems_add(import->problems, (struct problem_place){ row->line, 0, NULL }, SPAN_EMPTY, hint,
                 "this line names no column of excerpts: the file seems to be %s",
                 looks_name(looks));
    return error_set(err, ERR_INVALID, "no file of excerpts");
}

static enum status take_header(struct import *import,
                               const struct table_row *row,
                               struct error *err)
{
    import->has_header = true;
    import->column_count = row->field_count;
    if (!names_any_column(row))
        return refuse_file(import, row, err);
    for (size_t i = 0; i < row->field_count; i++) {
        struct problem_place place = { row->line, (uint32_t)i + 1, NULL };
        import->fields[i] = EXCERPT_FIELD_COUNT;
        enum excerpt_field field;
        if (!excerpt_field_parse(row->fields[i], &field)) {
            problems_add(import->problems, place, row->fields[i],
                         "name the columns kind, instrument, article, language, title, text, "
                         "originator, date, confidentiality and others of the documentation",
                         "no column of excerpts has this name");
        } else if (import->columns[field] != 0) {
            problems_add(import->problems, place, row->fields[i], NULL,
                         "the column stands twice, here and as column %d", import->columns[field]);
        } else {
            import->columns[field] = (int)i + 1;
            import->fields[i] = field;
        }
    }
    for (unsigned i = 0; i < EXCERPT_FIELD_COUNT; i++) {
        if (excerpt_field_required((enum excerpt_field)i) && import->columns[i] == 0) {
            problems_add(
                import->problems,
                (struct problem_place){ row->line, 0, excerpt_field_name((enum excerpt_field)i) },
                SPAN_EMPTY, "the first line names the columns", "the column %s is missing",
                excerpt_field_name((enum excerpt_field)i));
        }
    }
    return OK;
}

/* Room for one more; the excerpt there is initialised, but not counted yet. */
static enum status next_excerpt(struct import *import, struct excerpt **ret, struct error *err)
{
    struct excerpt_list *list = &import->list;
    if (list->count == CONSENT_RECORDS_MAX)
        return error_set(err, ERR_LIMIT, "more than %d excerpts; next: split the file",
                         CONSENT_RECORDS_MAX);
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 16 : list->capacity * 2;
        struct excerpt *items = mem_realloc(list->items, capacity * sizeof(*items));
        if (items == NULL)
            return error_set(err, ERR_MEMORY, "no memory for %zu excerpts", capacity);
        list->items = items;
        list->capacity = capacity;
    }
    *ret = &list->items[list->count];
    excerpt_init(*ret);
    return OK;
}

/* The check knows fields; a file has columns, and fields that begin on later lines. */
static void place_problems(struct import *import, const struct table_row *row, size_t since)
{
    for (size_t i = since; i < import->problems->count; i++) {
        struct problem *problem = &import->problems->items[i];
        enum excerpt_field field;
        if (!excerpt_field_parse(span_text(problem->field), &field) || import->columns[field] == 0)
            continue;
        problem->column = (uint32_t)import->columns[field];
        problem->line = row->lines[problem->column - 1];
    }
}

static enum status take_excerpt(struct import *import,
                                const struct table_row *row,
                                struct error *err)
{
    struct excerpt *excerpt = NULL;
    enum status status = next_excerpt(import, &excerpt, err);
    if (status != OK)
        return status;
    size_t since = import->problems->count;
    for (size_t i = 0; i < row->field_count && status == OK; i++)
        if (import->fields[i] != EXCERPT_FIELD_COUNT)
            status = excerpt_set(excerpt, import->fields[i], row->fields[i], err);
    if (status != OK) {
        excerpt_fini(excerpt);
        return status;
    }
    excerpt_check(excerpt, row->line, import->problems);
    place_problems(import, row, since);
    excerpt->line = row->line;
    import->list.count++;
    return OK;
}

static enum status take_row(void *context, const struct table_row *row, struct error *err)
{
    struct import *import = context;
    if (!import->has_header)
        return take_header(import, row, err);
    if (row->field_count != import->column_count) {
        problems_add(import->problems, (struct problem_place){ row->line, 0, NULL }, SPAN_EMPTY,
                     "put text that has the separator in it in quotes",
                     "the row has %s, the first line %zu", counted(row->field_count, "field").text,
                     import->column_count);
        return OK;
    }
    return take_excerpt(import, row, err);
}

/* -- translations of one item ------------------------------------------------------------------ */

struct item_ref {
    const struct excerpt *excerpt;
};

static int compare_items(const void *a, const void *b)
{
    const struct excerpt *x = ((const struct item_ref *)a)->excerpt;
    const struct excerpt *y = ((const struct item_ref *)b)->excerpt;
    int order = span_compare(excerpt_get(x, EXCERPT_ITEM), excerpt_get(y, EXCERPT_ITEM));
    if (order == 0)
        order = span_compare(excerpt_get(x, EXCERPT_LANGUAGE), excerpt_get(y, EXCERPT_LANGUAGE));
    return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

/* One item has one excerpt per language. */
static enum status check_items(struct import *import, struct error *err)
{
    size_t count = import->list.count;
    if (count == 0)
        return OK;
    struct item_ref *refs = mem_calloc(count, sizeof(*refs));
    if (refs == NULL)
        return error_set(err, ERR_MEMORY, "no memory to compare %zu excerpts", count);
    for (size_t i = 0; i < count; i++)
        refs[i].excerpt = &import->list.items[i];
    qsort(refs, count, sizeof(*refs), compare_items);
    for (size_t i = 1; i < count; i++) {
        struct span item = excerpt_get(refs[i].excerpt, EXCERPT_ITEM);
        struct span language = excerpt_get(refs[i].excerpt, EXCERPT_LANGUAGE);
        if (item.size > 0 && span_equal(item, excerpt_get(refs[i - 1].excerpt, EXCERPT_ITEM)) &&
            span_equal(language, excerpt_get(refs[i - 1].excerpt, EXCERPT_LANGUAGE))) {
            problems_add(import->problems,
                         (struct problem_place){ refs[i].excerpt->line,
                                                 (uint32_t)import->columns[EXCERPT_ITEM], "item" },
                         item, "keep one of them",
                         "the item stands twice in one language, here and on line %u",
                         refs[i - 1].excerpt->line);
        }
    }
    mem_free(refs);
    return OK;
}

enum status excerpt_import(struct span file,
                           struct problems *problems,
                           struct excerpt_list *ret_list,
                           struct error *err)
{
    struct import *import = mem_calloc(1, sizeof(*import));
    if (import == NULL)
        return error_set(err, ERR_MEMORY, "no memory to read a file");
    import->problems = problems;
    import->file = file;
    size_t before = problems->total;
    enum status status = table_read(file, problems, take_row, import, err);
    if (status == OK)
        status = check_items(import, err);
    if (status == OK && problems->total == before && import->list.count == 0) {
        problems_add(problems, (struct problem_place){ 0, 0, NULL }, SPAN_EMPTY,
                     "the first line names the columns, each other line is an excerpt",
                     "the file has no excerpt");
    }
    if (status == OK || import->unusable)
        status = problems_status(problems, err);
    if (status == OK) {
        *ret_list = import->list;
        import->list = (struct excerpt_list){ NULL, 0, 0 };
    }
    excerpt_list_fini(&import->list);
    mem_free(import);
    return status;
}
