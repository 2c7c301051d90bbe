#include "store/wal_join.h"

#include "base/memory.h"

#include <stdio.h>
#include <string.h>

struct wal_join {
    sqlite3_vfs vfs; /* first: SQLite hands it back */
    sqlite3_vfs *base;
    char name[64];
    bool joining;
};

struct wal {
    sqlite3_file file; /* first */
    struct wal_join *join;
    uint8_t *bytes; /* WAL_JOIN_BYTES; `size` of them are not written yet, and belong at `at` */
    size_t size;
    sqlite3_int64 at;
    sqlite3_int64 end;      /* of what was written last */
    sqlite3_int64 unsynced; /* bytes written since the last sync */
    sqlite3_int64 reserved; /* the file's size, room and all */
    /* behind it in memory: the file of the VFS beneath */
};

static struct wal_join *join_of(sqlite3_vfs *vfs)
{
    return (struct wal_join *)vfs;
}

static struct wal *wal_of(sqlite3_file *file)
{
    return (struct wal *)file;
}

static sqlite3_file *beneath(struct wal *wal)
{
    return (sqlite3_file *)(wal + 1);
}

/* -- the WAL ----------------------------------------------------------------------------------- */

static int write_down(struct wal *wal, const void *from, size_t size, sqlite3_int64 at)
{
    sqlite3_file *file = beneath(wal);
    wal->end = at + (sqlite3_int64)size;
    wal->unsynced += (sqlite3_int64)size;
    return file->pMethods->xWrite(file, from, (int)size, at);
}

static int flush(struct wal *wal)
{
    if (wal->size == 0)
        return SQLITE_OK;
    int rc = write_down(wal, wal->bytes, wal->size, wal->at);
    wal->size = 0; /* when it failed as well: SQLite undoes that commit, and writes it again */
    return rc;
}

/* Zeros are no frame: what reads the WAL ends before them.  Where there is no room, there is none.
 */
static void make_room(struct wal *wal)
{
    sqlite3_file *file = beneath(wal);
    bool is_small = wal->unsynced <= WAL_JOIN_BYTES;
    bool has_grown = wal->end > wal->reserved;
    if (has_grown)
        wal->reserved = wal->end;
    if (!has_grown || !is_small || wal->end < WAL_JOIN_ROOM_FROM)
        return;
    memset(wal->bytes, 0, WAL_JOIN_BYTES);
    for (int i = 0; i < WAL_JOIN_ROOM / WAL_JOIN_BYTES; i++) {
        if (file->pMethods->xWrite(file, wal->bytes, WAL_JOIN_BYTES, wal->reserved) != SQLITE_OK)
            return;
        wal->reserved += WAL_JOIN_BYTES;
    }
}

static int wal_close(sqlite3_file *self)
{
    struct wal *wal = wal_of(self);
    sqlite3_file *file = beneath(wal);
    int rc = flush(wal);
    int closed = file->pMethods->xClose(file);
    mem_free(wal->bytes);
    wal->bytes = NULL;
    return rc != SQLITE_OK ? rc : closed;
}

static int wal_read(sqlite3_file *self, void *to, int size, sqlite3_int64 at)
{
    struct wal *wal = wal_of(self);
    sqlite3_file *file = beneath(wal);
    bool touches = at < wal->at + (sqlite3_int64)wal->size && wal->at < at + size;
    int rc = touches ? flush(wal) : SQLITE_OK;
    return rc == SQLITE_OK ? file->pMethods->xRead(file, to, size, at) : rc;
}

static int wal_write(sqlite3_file *self, const void *from, int size, sqlite3_int64 at)
{
    struct wal *wal = wal_of(self);
    bool joins = wal->join->joining && size <= WAL_JOIN_BYTES;
    bool follows =
        at == wal->at + (sqlite3_int64)wal->size && wal->size + (size_t)size <= WAL_JOIN_BYTES;
    if (!joins || !follows) {
        int rc = flush(wal);
        if (rc != SQLITE_OK)
            return rc;
        wal->at = at;
    }
    if (!joins)
        return write_down(wal, from, (size_t)size, at);
    memcpy(wal->bytes + wal->size, from, (size_t)size);
    wal->size += (size_t)size;
    return SQLITE_OK;
}

static int wal_truncate(sqlite3_file *self, sqlite3_int64 size)
{
    struct wal *wal = wal_of(self);
    sqlite3_file *file = beneath(wal);
    int rc = flush(wal);
    if (rc == SQLITE_OK)
        rc = file->pMethods->xTruncate(file, size);
    if (rc == SQLITE_OK && size < wal->reserved)
        wal->reserved = size;
    return rc;
}

static int wal_sync(sqlite3_file *self, int flags)
{
    struct wal *wal = wal_of(self);
    sqlite3_file *file = beneath(wal);
    int rc = flush(wal);
    if (rc == SQLITE_OK) {
        make_room(wal);
        wal->unsynced = 0;
        rc = file->pMethods->xSync(file, flags);
    }
    return rc;
}

static int wal_size(sqlite3_file *self, sqlite3_int64 *ret_size)
{
    struct wal *wal = wal_of(self);
    sqlite3_file *file = beneath(wal);
    int rc = flush(wal);
    return rc == SQLITE_OK ? file->pMethods->xFileSize(file, ret_size) : rc;
}

static int wal_lock(sqlite3_file *self, int level)
{
    sqlite3_file *file = beneath(wal_of(self));
    return file->pMethods->xLock(file, level);
}

static int wal_unlock(sqlite3_file *self, int level)
{
    sqlite3_file *file = beneath(wal_of(self));
    return file->pMethods->xUnlock(file, level);
}

static int wal_is_reserved(sqlite3_file *self, int *ret_reserved)
{
    sqlite3_file *file = beneath(wal_of(self));
    return file->pMethods->xCheckReservedLock(file, ret_reserved);
}

static int wal_control(sqlite3_file *self, int op, void *argument)
{
    sqlite3_file *file = beneath(wal_of(self));
    return file->pMethods->xFileControl(file, op, argument);
}

static int wal_sector_size(sqlite3_file *self)
{
    sqlite3_file *file = beneath(wal_of(self));
    return file->pMethods->xSectorSize(file);
}

static int wal_characteristics(sqlite3_file *self)
{
    sqlite3_file *file = beneath(wal_of(self));
    return file->pMethods->xDeviceCharacteristics(file);
}

static const sqlite3_io_methods wal_methods = {
    .iVersion = 1,
    .xClose = wal_close,
    .xRead = wal_read,
    .xWrite = wal_write,
    .xTruncate = wal_truncate,
    .xSync = wal_sync,
    .xFileSize = wal_size,
    .xLock = wal_lock,
    .xUnlock = wal_unlock,
    .xCheckReservedLock = wal_is_reserved,
    .xFileControl = wal_control,
    .xSectorSize = wal_sector_size,
    .xDeviceCharacteristics = wal_characteristics,
};

/* -- the VFS ----------------------------------------------------------------------------------- */

static int vfs_open(
    sqlite3_vfs *self, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
    struct wal_join *join = join_of(self);
    sqlite3_vfs *base = join->base;
    if ((flags & SQLITE_OPEN_WAL) == 0)
        return base->xOpen(base, name, file, flags, ret_flags);
    struct wal *wal = wal_of(file);
    *wal = (struct wal){ .join = join, .bytes = mem_alloc(WAL_JOIN_BYTES) };
    if (wal->bytes == NULL)
        return SQLITE_NOMEM;
    int rc = base->xOpen(base, name, beneath(wal), flags, ret_flags);
    if (rc == SQLITE_OK)
        rc = beneath(wal)->pMethods->xFileSize(beneath(wal), &wal->reserved);
    if (rc == SQLITE_OK) {
        wal->file.pMethods = &wal_methods;
        return SQLITE_OK;
    }
    if (beneath(wal)->pMethods != NULL)
        (void)beneath(wal)->pMethods->xClose(beneath(wal));
    mem_free(wal->bytes);
    wal->bytes = NULL;
    return rc;
}

static int vfs_delete(sqlite3_vfs *self, const char *name, int sync_directory)
{
    sqlite3_vfs *base = join_of(self)->base;
    return base->xDelete(base, name, sync_directory);
}

static int vfs_access(sqlite3_vfs *self, const char *name, int flags, int *ret)
{
    sqlite3_vfs *base = join_of(self)->base;
    return base->xAccess(base, name, flags, ret);
}

static int vfs_full_path(sqlite3_vfs *self, const char *name, int size, char *ret_path)
{
    sqlite3_vfs *base = join_of(self)->base;
    return base->xFullPathname(base, name, size, ret_path);
}

static int vfs_randomness(sqlite3_vfs *self, int size, char *ret_bytes)
{
    sqlite3_vfs *base = join_of(self)->base;
    return base->xRandomness(base, size, ret_bytes);
}

static int vfs_sleep(sqlite3_vfs *self, int us)
{
    sqlite3_vfs *base = join_of(self)->base;
    return base->xSleep(base, us);
}

static int vfs_time(sqlite3_vfs *self, double *ret_day)
{
    sqlite3_vfs *base = join_of(self)->base;
    return base->xCurrentTime(base, ret_day);
}

static int vfs_last_error(sqlite3_vfs *self, int size, char *ret_text)
{
    sqlite3_vfs *base = join_of(self)->base;
    return base->xGetLastError == NULL ? 0 : base->xGetLastError(base, size, ret_text);
}

enum status wal_join_new(sqlite3_vfs *base, struct wal_join **ret_join, struct error *err)
{
    struct wal_join *join = mem_calloc(1, sizeof(*join));
    if (join == NULL)
        return error_set(err, ERR_MEMORY, "no memory for the store");
    (void)snprintf(join->name, sizeof(join->name), "comity-%p", (void *)join);
    join->base = base;
    join->joining = true;
    join->vfs = (sqlite3_vfs){
        .iVersion = 1,
        .szOsFile = (int)sizeof(struct wal) + base->szOsFile,
        .mxPathname = base->mxPathname,
        .zName = join->name,
        .xOpen = vfs_open,
        .xDelete = vfs_delete,
        .xAccess = vfs_access,
        .xFullPathname = vfs_full_path,
        .xRandomness = vfs_randomness,
        .xSleep = vfs_sleep,
        .xCurrentTime = vfs_time,
        .xGetLastError = vfs_last_error,
    };
    if (sqlite3_vfs_register(&join->vfs, 0) != SQLITE_OK) {
        mem_free(join);
        return error_set(err, ERR_MEMORY, "no memory for the store");
    }
    *ret_join = join;
    return OK;
}

void wal_join_free(struct wal_join *join)
{
    if (join == NULL)
        return;
    (void)sqlite3_vfs_unregister(&join->vfs);
    mem_free(join);
}

const char *wal_join_name(const struct wal_join *join)
{
    return join->name;
}

void wal_join_set(struct wal_join *join, bool joining)
{
    join->joining = joining;
}
