#include "base/batch.h"

#include "base/memory.h"

#include <string.h>

void batch_fini(struct batch *batch)
{
    if (batch == NULL)
        return;
    mem_free(batch->entries);
    buf_fini(&batch->memory);
    *batch = (struct batch){ 0 };
}

struct batch batch_move(struct batch *from)
{
    struct batch moved = *from;
    *from = (struct batch){ 0 };
    return moved;
}

size_t batch_bytes(const struct batch *batch)
{
    size_t bytes = 0;
    for (size_t i = 0; i < batch->entry_count; i++) {
        const struct batch_entry *entry = &batch->entries[i];
        bytes += entry->header.size + entry->salt.size + entry->body.size;
    }
    return bytes;
}

uint64_t batch_end(const struct batch *batch)
{
    return batch->first_index + batch->entry_count;
}

void heads_fini(struct heads *heads)
{
    if (heads == NULL)
        return;
    buf_fini(&heads->mine);
    buf_fini(&heads->mine_receipt);
    buf_fini(&heads->yours);
    buf_fini(&heads->yours_receipt);
}

struct heads heads_move(struct heads *from)
{
    struct heads moved = *from;
    *from = (struct heads){ 0 };
    return moved;
}

void resume_fini(struct resume *resume)
{
    if (resume != NULL)
        buf_fini(&resume->heal_origin);
}

struct resume resume_move(struct resume *from)
{
    struct resume moved = *from;
    *from = (struct resume){ 0 };
    return moved;
}

void heal_fini(struct heal *heal)
{
    if (heal == NULL)
        return;
    mem_free(heal->headers);
    buf_fini(&heal->memory);
    *heal = (struct heal){ 0 };
}

struct heal heal_move(struct heal *from)
{
    struct heal moved = *from;
    *from = (struct heal){ 0 };
    return moved;
}
