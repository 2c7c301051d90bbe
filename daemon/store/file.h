/* The small files beside the database, through the same SQLite VFS as the database itself, so that
 * one set of injected faults reaches all of them.  Files are made with mode 0600. */
#ifndef COMITY_STORE_FILE_H
#define COMITY_STORE_FILE_H

#include "base/span.h"

#include <sqlite3.h>

struct file;

enum { FILE_PATH_MAX = 4000 };

/* The next step where the system lets comityd not open or write its own files. */
extern const char file_forbidden[];

bool file_exists(sqlite3_vfs *vfs, const char *path);
enum file_mode {
    FILE_READ,  /* ERR_NOT_FOUND when it does not exist */
    FILE_WRITE, /* reading and writing; the same */
    FILE_CREATE /* likewise; ERR_EXISTS when it does exist */
};
MUST_CHECK enum status file_open(sqlite3_vfs *vfs,
                                 const char *path,
                                 enum file_mode mode,
                                 struct file **ret_file,
                                 struct error *err);
void file_close(struct file *file);
/* Zeros for what lies behind the end. */
MUST_CHECK enum status file_read(
    struct file *file, uint64_t at, void *ret_bytes, size_t size, struct error *err);
MUST_CHECK enum status file_write(struct file *file,
                                  uint64_t at,
                                  struct span bytes,
                                  struct error *err);
/* ERR_IO is final: the caller must not go on with this file. */
MUST_CHECK enum status file_sync(struct file *file, struct error *err);
MUST_CHECK enum status file_size(struct file *file, uint64_t *ret_size, struct error *err);
void file_delete(sqlite3_vfs *vfs, const char *path);
/* directory/name into ret_path[FILE_PATH_MAX]. */
MUST_CHECK enum status file_path(const char *directory,
                                 const char *name,
                                 char *ret_path,
                                 struct error *err);

#endif
