/* release_builder: observations in any order to the one plain form that they have.
 *
 * Every column keeps its distinct values once, in a hash table; a row is an array of their
 * numbers.  Finishing them is in release_encode.c.
 */
#include "record/release_builder.h"
#include "base/memory.h"
#include "record/period.h"

#include <string.h>

enum { SLOTS_FIRST = 64 };

/* -- dictionaries ------------------------------------------------------------------------------ */

static size_t entry_count(const struct dictionary *d)
{
    return d->entries.size / sizeof(struct entry);
}

static const struct entry *entry_at(const struct dictionary *d, size_t number)
{
    return (const struct entry *)(const void *)d->entries.data + number;
}

struct span release_builder_text(const struct dictionary *d, size_t number)
{
    const struct entry *entry = entry_at(d, number);
    return span_slice(buf_span(&d->text), entry->at, entry->size);
}

static uint32_t hash_of(struct span text) /* FNV-1a: values come from the node's own files */
{
    uint32_t hash = 2166136261U;
    for (size_t i = 0; i < text.size; i++)
        hash = (hash ^ text.data[i]) * 16777619U;
    return hash;
}

/* The slot that holds `text`, or the free one where it belongs. */
static size_t find_slot(const struct dictionary *d, struct span text, uint32_t hash)
{
    size_t slot = hash & (d->slot_count - 1);
    while (d->slots[slot] != 0) {
        size_t number = d->slots[slot] - 1;
        if (entry_at(d, number)->hash == hash && span_equal(release_builder_text(d, number), text))
            break;
        slot = (slot + 1) & (d->slot_count - 1);
    }
    return slot;
}

static enum status grow_slots(struct dictionary *d, struct error *err)
{
    size_t count = d->slot_count == 0 ? SLOTS_FIRST : d->slot_count * 2;
    uint32_t *slots = mem_calloc(count, sizeof(*slots));
    if (slots == NULL)
        return error_set(err, ERR_MEMORY, "no memory for the values of a release");
    mem_free(d->slots);
    d->slots = slots;
    d->slot_count = count;
    for (size_t i = 0; i < entry_count(d); i++) {
        size_t slot = entry_at(d, i)->hash & (count - 1);
        while (slots[slot] != 0)
            slot = (slot + 1) & (count - 1);
        slots[slot] = (uint32_t)i + 1;
    }
    return OK;
}

/* The number of `text` in the dictionary.  New ones are checked against the code list once. */
static enum status intern(struct dictionary *d,
                          const struct component *component,
                          bool may_be_empty,
                          struct span text,
                          uint32_t *ret_number,
                          struct error *err)
{
    enum status status = OK;
    if (2 * (entry_count(d) + 1) > d->slot_count && (status = grow_slots(d, err)) != OK)
        return status;
    uint32_t hash = hash_of(text);
    size_t slot = find_slot(d, text, hash);
    if (d->slots[slot] == 0) {
        if (text.size == 0 ? !may_be_empty : !codelist_has(component->codes, text))
            return error_set(err, ERR_INVALID, "%s: %s", component->id, component->codes->rule);
        struct entry entry = { d->text.size, text.size, hash };
        status = buf_append(&d->text, text, err);
        if (status == OK)
            status = buf_append(&d->entries, span_of(&entry, sizeof(entry)), err);
        if (status != OK)
            return status;
        d->slots[slot] = (uint32_t)entry_count(d);
    }
    *ret_number = d->slots[slot] - 1;
    return OK;
}

static void dictionary_fini(struct dictionary *d)
{
    buf_fini(&d->text);
    buf_fini(&d->entries);
    mem_free(d->slots);
    mem_free(d->ranks);
}

/* -- adding ------------------------------------------------------------------------------------ */

enum status release_builder_new(const struct structure *structure,
                                struct release_builder **ret_builder,
                                struct error *err)
{
    struct release_builder *b = mem_calloc(1, sizeof(*b));
    if (b == NULL)
        return error_set(err, ERR_MEMORY, "no memory for a release");
    b->structure = structure;
    b->column_count = structure->dimension_count + structure->attribute_count;
    *ret_builder = b;
    return OK;
}

void release_builder_free(struct release_builder *b)
{
    if (b == NULL)
        return;
    for (unsigned i = 0; i < COLUMNS_MAX; i++)
        dictionary_fini(&b->columns[i]);
    for (unsigned i = 0; i < RELEASE_ATTRIBUTES_MAX; i++)
        buf_fini(&b->release_attributes[i]);
    buf_fini(&b->codes);
    buf_fini(&b->values);
    mem_free(b);
}

size_t release_builder_count(const struct release_builder *b)
{
    return b->row_count;
}

const struct component *release_builder_component(const struct release_builder *b, unsigned column)
{
    unsigned dimensions = b->structure->dimension_count;
    return column < dimensions ? &b->structure->dimensions[column]
                               : &b->structure->attributes[column - dimensions];
}

enum status release_builder_set(struct release_builder *b,
                                unsigned attribute,
                                struct span text,
                                struct error *err)
{
    if (attribute >= b->structure->release_attribute_count)
        return error_set(err, ERR_INVALID, "release: no attribute %u", attribute);
    const struct component *component = &b->structure->release_attributes[attribute];
    if (text.size > 0 && !codelist_has(component->codes, text))
        return error_set(err, ERR_INVALID, "%s: %s", component->id, component->codes->rule);
    struct buf copy = BUF_INIT;
    enum status status = buf_append(&copy, text, err);
    if (status != OK)
        return status;
    buf_fini(&b->release_attributes[attribute]);
    b->release_attributes[attribute] = copy;
    return OK;
}

/* All rows have one period, and the frequency that belongs to it. */
static enum status check_period(const struct observation *o,
                                const struct structure *structure,
                                struct error *err)
{
    struct period period;
    struct span text = o->dimensions[structure->dimension_count - 1];
    struct span frequency = o->dimensions[0];
    if (period_parse(text, &period) && frequency.size == 1 &&
        frequency.data[0] == (uint8_t)period.frequency)
        return OK;
    return error_set(err, ERR_INVALID, "FREQ: %.*s is not the frequency of the period %.*s",
                     (int)frequency.size, (const char *)frequency.data, (int)text.size,
                     (const char *)text.data);
}

enum status release_builder_add(struct release_builder *b,
                                const struct observation *o,
                                struct error *err)
{
    if (b->row_count == RELEASE_OBSERVATIONS_MAX)
        return error_set(err, ERR_LIMIT, "a release has at most %d observations",
                         RELEASE_OBSERVATIONS_MAX);
    if (!o->missing &&
        (o->value.mantissa > RELEASE_MANTISSA_MAX || o->value.scale > RELEASE_SCALE_MAX ||
         (o->value.scale > 0 && o->value.mantissa % 10 == 0)))
        return error_set(err, ERR_INVALID, "OBS_VALUE: not a number in its shortest form");
    uint32_t codes[COLUMNS_MAX];
    unsigned dimensions = b->structure->dimension_count;
    for (unsigned i = 0; i < b->column_count; i++) {
        bool attribute = i >= dimensions;
        struct span text = attribute ? o->attributes[i - dimensions] : o->dimensions[i];
        enum status status = intern(&b->columns[i], release_builder_component(b, i), attribute,
                                    text, &codes[i], err);
        if (status != OK)
            return status;
    }
    struct row_value value = { o->missing ? 0 : o->value.mantissa + 1, o->line,
                               o->missing ? 0 : o->value.scale };
    size_t size = b->column_count * sizeof(codes[0]);
    enum status status = check_period(o, b->structure, err);
    if (status == OK)
        status = buf_reserve(&b->values, sizeof(value), err); /* so that both grow or none does */
    if (status == OK)
        status = buf_append(&b->codes, span_of(codes, size), err);
    if (status == OK)
        status = buf_append(&b->values, span_of(&value, sizeof(value)), err);
    if (status == OK)
        b->row_count++;
    return status;
}
