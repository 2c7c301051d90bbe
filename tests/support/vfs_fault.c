#include "support/vfs_fault.h"

#include "base/clock.h"
#include "support/vfs_disk.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR = 512, NAME_SIZE = 40 };

struct vfs_fault {
    sqlite3_vfs base;
    char name[NAME_SIZE];
    struct random_seeded random;
    struct disk_file *files;
    unsigned life; /* counted up at each power cut; older open files are dead */
    uint64_t operations, fault_at;
    enum vfs_fault_kind fault;
    bool hit, full, record;
    struct disk_bytes ever;
};

struct vfs_fault_image {
    struct disk_file *files;
};

struct open_file {
    sqlite3_file base;
    struct vfs_fault *vfs;
    struct disk_file *file;
    unsigned life;
    int lock;
};

static struct disk_file *find(const struct vfs_fault *vfs, const char *path)
{
    for (struct disk_file *file = vfs->files; file != NULL; file = file->next)
        if (strcmp(file->path, path) == 0)
            return file;
    return NULL;
}

/* Kept, dropped, or torn: a run of whole sectors of it survives. */
static void survive(struct vfs_fault *vfs, struct disk_bytes *to, const struct disk_change *c)
{
    uint64_t dice = random_seeded_next(&vfs->random);
    switch (dice % 3) {
    case 0:
        return;
    case 1:
        disk_apply(to, c, 0, c->size);
        return;
    default:
        break;
    }
    uint64_t sectors = (c->size + SECTOR - 1) / SECTOR;
    if (sectors < 2) {
        disk_apply(to, c, 0, c->size);
        return;
    }
    uint64_t first = dice / 3 % sectors;
    uint64_t count = 1 + dice / 3 / sectors % (sectors - first);
    uint64_t end = (first + count) * SECTOR;
    disk_apply(to, c, first * SECTOR, end < c->size ? end : c->size);
}

void vfs_fault_power_cut(struct vfs_fault *vfs)
{
    vfs->life++;
    vfs->full = false;
    for (struct disk_file *file = vfs->files; file != NULL; file = file->next) {
        for (const struct disk_change *c = file->first; c != NULL; c = c->next)
            survive(vfs, &file->synced, c);
        disk_drop_changes(file);
        disk_bytes_copy(&file->now, &file->synced);
        file->owner = NULL;
    }
}

enum operation { OP_WRITE, OP_TRUNCATE, OP_SYNC, OP_DELETE };

/* Counts, and decides what happens instead. */
static int operate(struct vfs_fault *vfs, enum operation op)
{
    vfs->operations++;
    bool now = vfs->fault != VFS_FAULT_NONE && --vfs->fault_at == 0;
    enum vfs_fault_kind fault = now ? vfs->fault : VFS_FAULT_NONE;
    if (now) {
        vfs->hit = true;
        vfs->fault = VFS_FAULT_NONE;
    }
    if (fault == VFS_FAULT_FULL)
        vfs->full = true;
    if (fault == VFS_FAULT_POWER_CUT)
        vfs_fault_power_cut(vfs);
    if (fault == VFS_FAULT_POWER_CUT)
        return SQLITE_IOERR;
    if (vfs->full && op == OP_WRITE)
        return SQLITE_FULL;
    if (fault != VFS_FAULT_EIO)
        return SQLITE_OK;
    static const int failures[] = { [OP_WRITE] = SQLITE_IOERR_WRITE,
                                    [OP_TRUNCATE] = SQLITE_IOERR_TRUNCATE,
                                    [OP_SYNC] = SQLITE_IOERR_FSYNC,
                                    [OP_DELETE] = SQLITE_IOERR_DELETE };
    return failures[op];
}

static bool is_dead(const struct open_file *open)
{
    return open->life != open->vfs->life;
}

static void change(
    struct disk_file *file, uint64_t at, const void *bytes, size_t size, bool truncate)
{
    struct disk_change *c = disk_sure(calloc(1, sizeof(*c)));
    *c = (struct disk_change){ .at = at, .size = size, .truncate = truncate };
    if (size > 0)
        c->bytes = memcpy(disk_sure(malloc(size)), bytes, size);
    *file->last = c;
    file->last = &c->next;
    disk_apply(&file->now, c, 0, size);
}

static int do_close(sqlite3_file *base)
{
    struct open_file *open = (struct open_file *)base;
    if (!is_dead(open) && open->file->owner == open)
        open->file->owner = NULL;
    return SQLITE_OK;
}

static int do_read(sqlite3_file *base, void *to, int size, sqlite3_int64 at)
{
    const struct open_file *open = (const struct open_file *)base;
    if (is_dead(open))
        return SQLITE_IOERR_READ;
    const struct disk_bytes *now = &open->file->now;
    uint64_t from = (uint64_t)at;
    uint64_t have = from < now->size ? now->size - from : 0;
    if (have > (uint64_t)size)
        have = (uint64_t)size;
    if (have > 0)
        memcpy(to, now->data + from, have);
    memset((uint8_t *)to + have, 0, (size_t)size - have);
    return have == (uint64_t)size ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int do_write(sqlite3_file *base, const void *from, int size, sqlite3_int64 at)
{
    struct open_file *open = (struct open_file *)base;
    int rc = is_dead(open) ? SQLITE_IOERR_WRITE : operate(open->vfs, OP_WRITE);
    if (rc != SQLITE_OK)
        return rc;
    change(open->file, (uint64_t)at, from, (size_t)size, false);
    if (open->vfs->record)
        disk_bytes_put(&open->vfs->ever, open->vfs->ever.size, from, (uint64_t)size);
    return SQLITE_OK;
}

static int do_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    struct open_file *open = (struct open_file *)base;
    int rc = is_dead(open) ? SQLITE_IOERR_TRUNCATE : operate(open->vfs, OP_TRUNCATE);
    if (rc == SQLITE_OK)
        change(open->file, (uint64_t)size, NULL, 0, true);
    return rc;
}

static int do_sync(sqlite3_file *base, int flags)
{
    (void)flags;
    struct open_file *open = (struct open_file *)base;
    int rc = is_dead(open) ? SQLITE_IOERR_FSYNC : operate(open->vfs, OP_SYNC);
    if (rc != SQLITE_OK)
        return rc;
    for (const struct disk_change *c = open->file->first; c != NULL; c = c->next)
        disk_apply(&open->file->synced, c, 0, c->size);
    disk_drop_changes(open->file);
    return SQLITE_OK;
}

static int do_size(sqlite3_file *base, sqlite3_int64 *ret_size)
{
    const struct open_file *open = (const struct open_file *)base;
    if (is_dead(open))
        return SQLITE_IOERR_FSTAT;
    *ret_size = (sqlite3_int64)open->file->now.size;
    return SQLITE_OK;
}

static int do_lock(sqlite3_file *base, int level)
{
    struct open_file *open = (struct open_file *)base;
    if (is_dead(open))
        return SQLITE_IOERR_LOCK;
    if (open->file->owner != NULL && open->file->owner != open)
        return SQLITE_BUSY;
    if (level > SQLITE_LOCK_SHARED)
        open->file->owner = open;
    open->lock = level;
    return SQLITE_OK;
}

static int do_unlock(sqlite3_file *base, int level)
{
    struct open_file *open = (struct open_file *)base;
    if (!is_dead(open) && open->file->owner == open && level <= SQLITE_LOCK_SHARED)
        open->file->owner = NULL;
    open->lock = level;
    return SQLITE_OK;
}

static int do_check_lock(sqlite3_file *base, int *ret_reserved)
{
    *ret_reserved = ((struct open_file *)base)->file->owner != NULL;
    return SQLITE_OK;
}

static int do_control(sqlite3_file *base, int op, void *arg)
{
    (void)base;
    (void)op;
    (void)arg;
    return SQLITE_NOTFOUND;
}

static int do_sector_size(sqlite3_file *base)
{
    (void)base;
    return 4096;
}

static int do_characteristics(sqlite3_file *base)
{
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE; /* bytes outside a write are never harmed */
}

static int do_open(sqlite3_vfs *base, const char *path, sqlite3_file *to, int flags, int *ret_flags)
{
    static const sqlite3_io_methods methods = { .iVersion = 1,
                                                .xClose = do_close,
                                                .xRead = do_read,
                                                .xWrite = do_write,
                                                .xTruncate = do_truncate,
                                                .xSync = do_sync,
                                                .xFileSize = do_size,
                                                .xLock = do_lock,
                                                .xUnlock = do_unlock,
                                                .xCheckReservedLock = do_check_lock,
                                                .xFileControl = do_control,
                                                .xSectorSize = do_sector_size,
                                                .xDeviceCharacteristics = do_characteristics };
    struct vfs_fault *vfs = (struct vfs_fault *)base;
    struct open_file *open = (struct open_file *)to;
    memset(open, 0, sizeof(*open));
    if (path == NULL)
        return SQLITE_CANTOPEN; /* temporary files live in SQLite's own memory */
    struct disk_file *file = find(vfs, path);
    if (file == NULL && (flags & SQLITE_OPEN_CREATE) == 0)
        return SQLITE_CANTOPEN;
    if (file == NULL)
        file = disk_add_file(&vfs->files, path);
    open->base.pMethods = &methods;
    open->vfs = vfs;
    open->file = file;
    open->life = vfs->life;
    if (ret_flags != NULL)
        *ret_flags = flags;
    return SQLITE_OK;
}

static int do_delete(sqlite3_vfs *base, const char *path, int sync_directory)
{
    (void)sync_directory;
    struct vfs_fault *vfs = (struct vfs_fault *)base;
    struct disk_file *file = find(vfs, path);
    if (file == NULL)
        return SQLITE_IOERR_DELETE_NOENT;
    int rc = operate(vfs, OP_DELETE);
    if (rc != SQLITE_OK)
        return rc;
    /* The struct stays for handles that are still open; the file is empty, which is "missing". */
    disk_drop_changes(file);
    file->now.size = file->synced.size = 0;
    return SQLITE_OK;
}

static int do_access(sqlite3_vfs *base, const char *path, int flags, int *ret_found)
{
    (void)flags;
    *ret_found = vfs_fault_exists((struct vfs_fault *)base, path);
    return SQLITE_OK;
}

static int do_full_path(sqlite3_vfs *base, const char *path, int size, char *ret_path)
{
    (void)base;
    if (strlen(path) >= (size_t)size)
        return SQLITE_CANTOPEN;
    memcpy(ret_path, path, strlen(path) + 1);
    return SQLITE_OK;
}

static int do_random(sqlite3_vfs *base, int size, char *ret_bytes)
{
    struct random_source *random = &((struct vfs_fault *)base)->random.base;
    return random->fill(random, ret_bytes, (size_t)size, NULL) == OK ? size : 0;
}

static int do_sleep(sqlite3_vfs *base, int microseconds)
{
    (void)base;
    return microseconds;
}

static int do_time(sqlite3_vfs *base, double *ret_day)
{
    (void)base;
    *ret_day = 2460000.5;
    return SQLITE_OK;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the signature is that of sqlite3_vfs */
static int do_last_error(sqlite3_vfs *base, int size, char *ret_text)
{
    (void)base;
    (void)size;
    (void)ret_text;
    return 0;
}

struct vfs_fault *vfs_fault_new(const char *name, uint64_t seed)
{
    struct vfs_fault *vfs = calloc(1, sizeof(*vfs));
    if (vfs == NULL || strlen(name) >= sizeof(vfs->name)) {
        free(vfs);
        return NULL;
    }
    memcpy(vfs->name, name, strlen(name) + 1);
    random_seeded_init(&vfs->random, seed);
    vfs->base = (sqlite3_vfs){ .iVersion = 1,
                               .szOsFile = sizeof(struct open_file),
                               .mxPathname = PATH_SIZE - 1,
                               .zName = vfs->name,
                               .xOpen = do_open,
                               .xDelete = do_delete,
                               .xAccess = do_access,
                               .xFullPathname = do_full_path,
                               .xRandomness = do_random,
                               .xSleep = do_sleep,
                               .xCurrentTime = do_time,
                               .xGetLastError = do_last_error };
    if (sqlite3_vfs_register(&vfs->base, 0) != SQLITE_OK) {
        free(vfs);
        return NULL;
    }
    return vfs;
}

void vfs_fault_free(struct vfs_fault *vfs)
{
    if (vfs == NULL)
        return;
    sqlite3_vfs_unregister(&vfs->base);
    disk_free_files(&vfs->files);
    free(vfs->ever.data);
    free(vfs);
}

void vfs_fault_at(struct vfs_fault *vfs, enum vfs_fault_kind kind, uint64_t nth)
{
    vfs->fault = nth == 0 ? VFS_FAULT_NONE : kind;
    vfs->fault_at = nth;
    vfs->hit = false;
    vfs->full = false;
}

bool vfs_fault_hit(const struct vfs_fault *vfs)
{
    return vfs->hit;
}

uint64_t vfs_fault_operations(const struct vfs_fault *vfs)
{
    return vfs->operations;
}

static void copy_files(struct disk_file **to, const struct disk_file *from)
{
    for (; from != NULL; from = from->next) {
        struct disk_file *file = disk_add_file(to, from->path);
        disk_bytes_copy(&file->now, &from->now);
        disk_bytes_copy(&file->synced, &from->now);
    }
}

struct vfs_fault_image *vfs_fault_save(const struct vfs_fault *vfs)
{
    struct vfs_fault_image *image = disk_sure(calloc(1, sizeof(*image)));
    copy_files(&image->files, vfs->files);
    return image;
}

void vfs_fault_restore(struct vfs_fault *vfs, const struct vfs_fault_image *image)
{
    vfs->life++;
    for (struct disk_file *file = vfs->files; file != NULL; file = file->next) {
        disk_drop_changes(file);
        file->now.size = file->synced.size = 0;
        file->owner = NULL;
    }
    for (const struct disk_file *from = image->files; from != NULL; from = from->next) {
        struct disk_file *file = find(vfs, from->path);
        if (file == NULL)
            file = disk_add_file(&vfs->files, from->path);
        disk_bytes_copy(&file->now, &from->now);
        disk_bytes_copy(&file->synced, &from->now);
    }
}

void vfs_fault_image_free(struct vfs_fault_image *image)
{
    if (image == NULL)
        return;
    disk_free_files(&image->files);
    free(image);
}

struct span vfs_fault_content(const struct vfs_fault *vfs, const char *path)
{
    const struct disk_file *file = find(vfs, path);
    return file == NULL ? SPAN_EMPTY : span_of(file->now.data, file->now.size);
}

bool vfs_fault_exists(const struct vfs_fault *vfs, const char *path)
{
    return vfs_fault_content(vfs, path).size > 0; /* as SQLite's own VFS sees it */
}

static size_t count_in(const struct disk_bytes *in, struct span wanted)
{
    size_t count = 0;
    const uint8_t *at = in->data;
    uint64_t left = in->size;
    while (left > 0 && (at = memmem(at, left, wanted.data, wanted.size)) != NULL) {
        count++;
        at++;
        left = in->size - (uint64_t)(at - in->data);
    }
    return count;
}

size_t vfs_fault_count(const struct vfs_fault *vfs, struct span bytes)
{
    size_t count = 0;
    for (const struct disk_file *file = vfs->files; file != NULL; file = file->next)
        count += count_in(&file->now, bytes);
    return count;
}

void vfs_fault_record(struct vfs_fault *vfs)
{
    vfs->record = true;
}

size_t vfs_fault_count_ever(const struct vfs_fault *vfs, struct span bytes)
{
    return count_in(&vfs->ever, bytes);
}
