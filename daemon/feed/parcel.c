#include "feed/parcel.h"

#include "base/memory.h"

#include <string.h>

enum { FIRST_CAPACITY = 32 };

enum status parcel_init(struct parcel *parcel, struct span origin, struct error *err)
{
    *parcel = (struct parcel){ .memory = BUF_INIT_SECRET, .origin_size = origin.size };
    return buf_append(&parcel->memory, origin, err);
}

void parcel_fini(struct parcel *parcel)
{
    buf_fini(&parcel->memory);
    mem_free(parcel->items);
    *parcel = (struct parcel){ .memory = BUF_INIT_SECRET };
}

static enum status grow(struct parcel *parcel, struct error *err)
{
    if (parcel->count < parcel->capacity)
        return OK;
    size_t capacity = parcel->capacity == 0 ? FIRST_CAPACITY : 2 * parcel->capacity;
    struct parcel_item *items = mem_realloc(parcel->items, capacity * sizeof(*items));
    if (items == NULL)
        return error_set(err, ERR_MEMORY, "no memory for a batch of %zu entries", capacity);
    parcel->items = items;
    parcel->capacity = capacity;
    return OK;
}

enum status parcel_add(struct parcel *parcel,
                       struct span header,
                       struct span salt,
                       struct span body,
                       bool withheld,
                       struct error *err)
{
    enum status status = grow(parcel, err);
    if (status == OK)
        status = buf_reserve(&parcel->memory, header.size + salt.size + body.size, err);
    if (status == OK)
        status = buf_append(&parcel->memory, header, err);
    if (status == OK)
        status = buf_append(&parcel->memory, salt, err);
    if (status == OK)
        status = buf_append(&parcel->memory, body, err);
    if (status != OK)
        return status;
    parcel->items[parcel->count++] =
        (struct parcel_item){ header.size, salt.size, body.size, withheld };
    parcel->bytes += header.size + salt.size + body.size;
    return OK;
}

bool parcel_has_room(const struct parcel *parcel, size_t entry_bytes, size_t max_bytes)
{
    return parcel->count == 0 || parcel->bytes + entry_bytes <= max_bytes;
}

enum status parcel_finish(struct parcel *parcel,
                          uint64_t first_index,
                          struct batch *ret_batch,
                          struct error *err)
{
    struct batch batch = { .first_index = first_index, .entry_count = parcel->count };
    enum status status = buf_reserve(&parcel->memory, PARCEL_NOTE_ROOM, err);
    if (status != OK)
        return status;
    batch.entries = parcel->count == 0 ? NULL : mem_calloc(parcel->count, sizeof(*batch.entries));
    if (parcel->count > 0 && batch.entries == NULL)
        return error_set(err, ERR_MEMORY, "no memory for a batch of %zu entries", parcel->count);
    batch.memory = parcel->memory;
    parcel->memory = (struct buf)BUF_INIT_SECRET;
    batch.origin = span_of(batch.memory.data, parcel->origin_size);
    const uint8_t *at = batch.memory.data + parcel->origin_size;
    for (size_t i = 0; batch.entries != NULL && i < parcel->count; i++) {
        const struct parcel_item *item = &parcel->items[i];
        struct batch_entry *entry = &batch.entries[i];
        entry->header = span_of(at, item->header_size);
        entry->salt = span_of(at + item->header_size, item->salt_size);
        entry->body = span_of(at + item->header_size + item->salt_size, item->body_size);
        entry->withheld = item->withheld;
        at += item->header_size + item->salt_size + item->body_size;
    }
    parcel_fini(parcel);
    *ret_batch = batch;
    return OK;
}
