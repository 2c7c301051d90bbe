#include "store/file.h"

#include "base/memory.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

const char file_forbidden[] =
    "; next: see that the directory and all files in it belong to comityd's user, which may write "
    "there (ls -l, chown), and that the disk is not mounted read-only";

struct file {
    char path[FILE_PATH_MAX];
    sqlite3_file *handle; /* vfs->szOsFile bytes */
};

static enum status io_error(const struct file *file, int rc, const char *doing, struct error *err)
{
    if (rc == SQLITE_FULL)
        return error_set(err, ERR_FULL, "%s %s: the disk is full; next: free space, then repeat",
                         doing, file->path);
    if (rc == SQLITE_NOMEM || rc == SQLITE_IOERR_NOMEM)
        return error_set(err, ERR_MEMORY, "%s %s: no memory", doing, file->path);
    int primary = rc & 0xff;
    bool forbidden = primary == SQLITE_READONLY || primary == SQLITE_CANTOPEN;
    return error_set(err, ERR_IO, "%s %s: %s%s", doing, file->path, sqlite3_errstr(primary),
                     forbidden ? file_forbidden
                               : "; next: look at the disk (dmesg), then start again");
}

bool file_exists(sqlite3_vfs *vfs, const char *path)
{
    int found = 0;
    return vfs->xAccess(vfs, path, SQLITE_ACCESS_EXISTS, &found) == SQLITE_OK && found != 0;
}

enum status file_open(sqlite3_vfs *vfs,
                      const char *path,
                      enum file_mode mode,
                      struct file **ret_file,
                      struct error *err)
{
    bool there = file_exists(vfs, path);
    bool create = mode == FILE_CREATE;
    if (create && there)
        return error_set(err, ERR_EXISTS, "%s exists already", path);
    if (!create && !there)
        return error_set(err, ERR_NOT_FOUND, "%s does not exist", path);
    struct file *file = mem_calloc(1, sizeof(*file));
    sqlite3_file *handle = mem_calloc(1, (size_t)vfs->szOsFile);
    if (file == NULL || handle == NULL || strlen(path) >= sizeof(file->path)) {
        mem_free(file);
        mem_free(handle);
        return error_set(err, ERR_MEMORY, "no memory to open %s", path);
    }
    memcpy(file->path, path, strlen(path) + 1);
    file->handle = handle;
    /* A super-journal to the VFS: no locks, and the first sync also syncs the directory. */
    int flags = SQLITE_OPEN_SUPER_JOURNAL |
                (mode == FILE_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
    if (create)
        flags |= SQLITE_OPEN_CREATE;
    int rc = vfs->xOpen(vfs, file->path, handle, flags, &flags);
    if (rc == SQLITE_OK && mode != FILE_READ && (flags & SQLITE_OPEN_READONLY) != 0)
        rc = SQLITE_CANTOPEN;
    if (rc != SQLITE_OK) {
        enum status status = io_error(file, rc, "opening", err);
        file_close(file);
        return status;
    }
    if (create)
        (void)chmod(path, S_IRUSR | S_IWUSR); /* no effect on a VFS in memory */
    *ret_file = file;
    return OK;
}

void file_close(struct file *file)
{
    if (file == NULL)
        return;
    if (file->handle->pMethods != NULL)
        (void)file->handle->pMethods->xClose(file->handle);
    mem_free(file->handle);
    mem_free(file);
}

enum status file_read(
    struct file *file, uint64_t at, void *ret_bytes, size_t size, struct error *err)
{
    int rc = file->handle->pMethods->xRead(file->handle, ret_bytes, (int)size, (sqlite3_int64)at);
    if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ)
        return io_error(file, rc, "reading", err);
    return OK;
}

enum status file_write(struct file *file, uint64_t at, struct span bytes, struct error *err)
{
    int rc = file->handle->pMethods->xWrite(file->handle, bytes.data, (int)bytes.size,
                                            (sqlite3_int64)at);
    return rc == SQLITE_OK ? OK : io_error(file, rc, "writing", err);
}

enum status file_sync(struct file *file, struct error *err)
{
    int rc = file->handle->pMethods->xSync(file->handle, SQLITE_SYNC_NORMAL);
    return rc == SQLITE_OK ? OK : io_error(file, rc, "syncing", err);
}

enum status file_size(struct file *file, uint64_t *ret_size, struct error *err)
{
    sqlite3_int64 size = 0;
    int rc = file->handle->pMethods->xFileSize(file->handle, &size);
    if (rc != SQLITE_OK)
        return io_error(file, rc, "measuring", err);
    *ret_size = (uint64_t)size;
    return OK;
}

void file_delete(sqlite3_vfs *vfs, const char *path)
{
    (void)vfs->xDelete(vfs, path, 1);
}

enum status file_path(const char *directory, const char *name, char *ret_path, struct error *err)
{
    int size = snprintf(ret_path, FILE_PATH_MAX, "%s/%s", directory, name);
    if (size < 0 || size >= FILE_PATH_MAX)
        return error_set(err, ERR_LIMIT, "the path of %s is longer than %d bytes", name,
                         FILE_PATH_MAX);
    return OK;
}
