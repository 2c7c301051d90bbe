/* The disk below vfs_fault: files in memory, and what no sync has made durable yet. */
#ifndef COMITY_TESTS_VFS_DISK_H
#define COMITY_TESTS_VFS_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PATH_SIZE = 512 };

/* A write or a truncation that no sync has reached. */
struct disk_change {
    struct disk_change *next;
    uint64_t at;
    size_t size;
    bool truncate; /* to `at` */
    uint8_t *bytes;
};

struct disk_bytes {
    uint8_t *data;
    uint64_t size, capacity;
};

struct disk_file {
    struct disk_file *next;
    char path[PATH_SIZE];
    struct disk_bytes now, synced;
    struct disk_change *first, **last;
    const void *owner; /* open file that holds a lock above SHARED */
};

void *disk_sure(void *memory);
void disk_bytes_put(struct disk_bytes *to, uint64_t at, const uint8_t *from, uint64_t size);
void disk_bytes_copy(struct disk_bytes *to, const struct disk_bytes *from);
void disk_drop_changes(struct disk_file *file);
void disk_free_files(struct disk_file **files);
struct disk_file *disk_add_file(struct disk_file **files, const char *path);
void disk_apply(struct disk_bytes *to, const struct disk_change *c, uint64_t from, uint64_t end);

#endif
