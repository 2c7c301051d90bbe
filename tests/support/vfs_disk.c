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

void disk_bytes_put(struct disk_bytes *to, uint64_t at, const uint8_t *from, uint64_t size)
{
    uint64_t end = at + size;
    if (end > to->capacity) {
        uint64_t capacity = to->capacity < 4096 ? 4096 : to->capacity;
        while (capacity < end)
            capacity *= 2;
        to->data = disk_sure(realloc(to->data, capacity));
        to->capacity = capacity;
    }
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
        free(file->now.data);
        free(file->synced.data);
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
