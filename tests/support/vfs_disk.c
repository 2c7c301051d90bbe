#include "support/vfs_disk.h"

#include <stdlib.h>
#include <string.h>

/* Tests may run out of memory loudly. */
void *disk_sure(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

/* Sweeps make and drop thousands of disks alike.  What a dropped file held is kept for the next
 * one: fresh memory costs more than all else under ASan, which gets it from the kernel each time.
 */
enum { SPARES = 16 };
static struct disk_bytes spares[SPARES];

static void give_back(struct disk_bytes *bytes)
{
    for (int i = 0; i < SPARES; i++) {
        if (bytes->capacity > spares[i].capacity) {
            struct disk_bytes smaller = spares[i];
            spares[i] = *bytes;
            *bytes = smaller;
        }
    }
    free(bytes->data);
    *bytes = (struct disk_bytes){ NULL, 0, 0 };
}

/* The smallest spare one that suffices, or NULL. */
static struct disk_bytes *find_spare(uint64_t capacity)
{
    struct disk_bytes *found = NULL;
    for (int i = 0; i < SPARES && spares[i].capacity >= capacity; i++)
        found = &spares[i];
    return found;
}

static void grow(struct disk_bytes *bytes, uint64_t end)
{
    uint64_t capacity = bytes->capacity < 4096 ? 4096 : bytes->capacity;
    while (capacity < end)
        capacity *= 2;
    struct disk_bytes *spare = find_spare(capacity);
    struct disk_bytes grown = { NULL, bytes->size, capacity };
    if (spare != NULL) {
        grown.data = spare->data;
        grown.capacity = spare->capacity;
        for (; spare + 1 < spares + SPARES; spare++)
            spare[0] = spare[1];
        *spare = (struct disk_bytes){ NULL, 0, 0 };
    } else {
        grown.data = disk_sure(malloc(capacity));
    }
    if (bytes->size > 0)
        memcpy(grown.data, bytes->data, bytes->size);
    give_back(bytes);
    *bytes = grown;
}

void disk_bytes_put(struct disk_bytes *to, uint64_t at, const uint8_t *from, uint64_t size)
{
    uint64_t end = at + size;
    if (end > to->capacity)
        grow(to, end);
    if (at > to->size)
        memset(to->data + to->size, 0, at - to->size);
    if (size > 0)
        memcpy(to->data + at, from, size);
    if (end > to->size)
        to->size = end;
}

void disk_bytes_copy(struct disk_bytes *to, const struct disk_bytes *from)
{
    to->size = 0;
    disk_bytes_put(to, 0, from->data, from->size);
}

void disk_drop_changes(struct disk_file *file)
{
    for (struct disk_change *c = file->first; c != NULL;) {
        struct disk_change *next = c->next;
        free(c->bytes);
        free(c);
        c = next;
    }
    file->first = NULL;
    file->last = &file->first;
}

void disk_free_files(struct disk_file **files)
{
    while (*files != NULL) {
        struct disk_file *file = *files;
        *files = file->next;
        disk_drop_changes(file);
        give_back(&file->now);
        give_back(&file->synced);
        free(file);
    }
}

struct disk_file *disk_add_file(struct disk_file **files, const char *path)
{
    struct disk_file *file = disk_sure(calloc(1, sizeof(*file)));
    if (strlen(path) >= sizeof(file->path))
        abort();
    memcpy(file->path, path, strlen(path) + 1);
    file->last = &file->first;
    file->next = *files;
    *files = file;
    return file;
}

void disk_apply(struct disk_bytes *to, const struct disk_change *c, uint64_t from, uint64_t end)
{
    if (!c->truncate)
        disk_bytes_put(to, c->at + from, c->bytes + from, end - from);
    else if (c->at < to->size)
        to->size = c->at;
}
