#include "record/sdmx_collect.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

struct sdmx_group {
    struct buf period, source; /* with the structure, the identity */
    const struct structure *structure;
    struct release_builder *builder;
    struct buf attributes[RELEASE_ATTRIBUTES_MAX];
    uint32_t lines[RELEASE_ATTRIBUTES_MAX]; /* where each was said first; 0: nowhere */
};

void sdmx_release_list_fini(struct sdmx_release_list *list)
{
    if (list == NULL)
        return;
    for (size_t i = 0; i < list->count; i++) {
        buf_fini(&list->items[i].bytes);
        buf_fini(&list->items[i].identity);
    }
    mem_free(list->items);
    *list = (struct sdmx_release_list){ NULL, 0, 0 };
}

static void group_fini(struct sdmx_group *group)
{
    buf_fini(&group->period);
    buf_fini(&group->source);
    release_builder_free(group->builder);
    for (unsigned i = 0; i < RELEASE_ATTRIBUTES_MAX; i++)
        buf_fini(&group->attributes[i]);
}

void sdmx_collect_fini(struct sdmx_collect *collect)
{
    for (size_t i = 0; i < collect->count; i++)
        group_fini(&collect->groups[i]);
    mem_free(collect->groups);
    collect->groups = NULL;
    collect->count = 0;
}

static bool group_is(const struct sdmx_group *group,
                     const struct structure *structure,
                     struct span period,
                     struct span source)
{
    return group->structure == structure && span_equal(buf_span(&group->period), period) &&
           span_equal(buf_span(&group->source), source);
}

static enum status new_group(struct sdmx_collect *collect,
                             const struct structure *structure,
                             struct span period,
                             struct span source,
                             struct error *err)
{
    if (collect->count == SDMX_RELEASES_MAX)
        return error_set(err, ERR_LIMIT, "more than %d releases in one file; next: split it",
                         SDMX_RELEASES_MAX);
    if ((collect->count & (collect->count - 1)) == 0) { /* full: capacities are powers of two */
        size_t capacity = collect->count == 0 ? 1 : collect->count * 2;
        struct sdmx_group *groups = mem_realloc(collect->groups, capacity * sizeof(*groups));
        if (groups == NULL)
            return error_set(err, ERR_MEMORY, "no memory for %zu releases", capacity);
        collect->groups = groups;
    }
    struct sdmx_group group = { .structure = structure };
    enum status status = buf_append(&group.period, period, err);
    if (status == OK)
        status = buf_append(&group.source, source, err);
    if (status == OK)
        status = release_builder_new(structure, &group.builder, err);
    if (status != OK) {
        group_fini(&group);
        return status;
    }
    collect->latest = collect->count;
    collect->groups[collect->count++] = group;
    return OK;
}

static enum status find_group(struct sdmx_collect *collect,
                              const struct structure *structure,
                              struct span period,
                              struct span source,
                              struct error *err)
{
    if (collect->count > 0 &&
        group_is(&collect->groups[collect->latest], structure, period, source))
        return OK;
    for (size_t i = 0; i < collect->count; i++) {
        if (group_is(&collect->groups[i], structure, period, source)) {
            collect->latest = i;
            return OK;
        }
    }
    return new_group(collect, structure, period, source, err);
}

/* An attribute of the release says the same on every row that says it. */
static enum status take_attribute(struct sdmx_collect *collect,
                                  struct sdmx_group *group,
                                  unsigned i,
                                  struct span text,
                                  uint32_t line,
                                  struct error *err)
{
    if (text.size == 0)
        return OK;
    if (group->lines[i] == 0) {
        group->lines[i] = line;
        return buf_append(&group->attributes[i], text, err);
    }
    if (!span_equal(buf_span(&group->attributes[i]), text)) {
        problems_add(collect->problems,
                     (struct problem_place){ line, 0, group->structure->release_attributes[i].id },
                     text, "write the same on every row of the release",
                     "an attribute of the whole release: line %u says something else",
                     group->lines[i]);
    }
    return OK;
}

enum status sdmx_collect_add(struct sdmx_collect *collect,
                             const struct structure *structure,
                             const struct observation *observation,
                             const struct span *release_attributes,
                             struct error *err)
{
    int source = structure_release_attribute(structure, SPAN_LITERAL("SOURCE_AUTH"));
    struct span period = observation->dimensions[structure->dimension_count - 1];
    enum status status = find_group(collect, structure, period,
                                    source < 0 ? SPAN_EMPTY : release_attributes[source], err);
    if (status != OK)
        return status;
    struct sdmx_group *group = &collect->groups[collect->latest];
    for (unsigned i = 0; i < structure->release_attribute_count && status == OK; i++)
        status = take_attribute(collect, group, i, release_attributes[i], observation->line, err);
    return status == OK ? release_builder_add(group->builder, observation, err) : status;
}

/* Packs one group.  Keys that stand twice become problems, and the bytes stay empty. */
static enum status finish_group(struct sdmx_collect *collect,
                                struct sdmx_group *group,
                                struct release_codec *codec,
                                struct sdmx_release *release,
                                struct error *err)
{
    enum status status = OK;
    for (unsigned i = 0; i < RELEASE_ATTRIBUTES_MAX && status == OK; i++)
        if (group->attributes[i].size > 0)
            status = release_builder_set(group->builder, i, buf_span(&group->attributes[i]), err);
    if (status == OK)
        status =
            release_builder_finish(group->builder, codec, collect->problems, &release->bytes, err);
    if (status == ERR_EXISTS)
        return OK; /* each pair is among the problems now */
    struct release decoded;
    if (status == OK)
        status = release_decode(codec, buf_span(&release->bytes), &decoded, err);
    if (status != OK)
        return status;
    release->observation_count = decoded.observation_count;
    status = release_identity(&decoded, &release->identity, err);
    release_fini(&decoded);
    return status;
}

static int compare_identities(const void *a, const void *b)
{
    const struct sdmx_release *x = a, *y = b;
    return span_compare(buf_span(&x->identity), buf_span(&y->identity));
}

enum status sdmx_collect_finish(struct sdmx_collect *collect,
                                struct sdmx_release_list *ret_list,
                                struct error *err)
{
    struct sdmx_release_list list = { NULL, 0, 0 };
    struct release_codec *codec = NULL;
    enum status status = release_codec_new(&codec, err);
    if (status == OK && collect->count > 0) {
        list.items = mem_calloc(collect->count, sizeof(*list.items));
        list.capacity = collect->count;
        if (list.items == NULL)
            status = error_set(err, ERR_MEMORY, "no memory for %zu releases", collect->count);
    }
    for (size_t i = 0; i < collect->count && status == OK; i++) {
        list.count = i + 1;
        status = finish_group(collect, &collect->groups[i], codec, &list.items[i], err);
    }
    if (status == OK && list.count == 0 && collect->problems->total == 0) {
        problems_add(collect->problems, (struct problem_place){ 0, 0, NULL }, SPAN_EMPTY,
                     "the first line names the columns, each other line is a figure",
                     "the file has no figure");
    }
    if (status == OK)
        status = problems_status(collect->problems, err);
    if (status == OK && list.count > 0) {
        qsort(list.items, list.count, sizeof(*list.items), compare_identities);
        *ret_list = list;
    } else {
        sdmx_release_list_fini(&list);
    }
    release_codec_free(codec);
    return status;
}
