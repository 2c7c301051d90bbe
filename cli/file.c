#include "cli/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum status read_fd(
    int fd, const char *path, size_t max, struct buf *append_to, struct error *err)
{
    enum { PIECE = 64 * 1024 };
    size_t start = append_to->size;
    for (;;) {
        enum status status = buf_reserve(append_to, PIECE, err);
        if (status != OK)
            return status;
        ssize_t got = read(fd, append_to->data + append_to->size, PIECE);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set(err, ERR_IO, "%s: cannot be read: %s", path, strerror(errno));
        if (got == 0)
            return OK;
        append_to->size += (size_t)got;
        if (append_to->size - start > max)
            return error_set(err, ERR_LIMIT, "%s: has more than %zu bytes", path, max);
    }
}

enum status file_read(const char *path, size_t max, struct buf *append_to, struct error *err)
{
    if (strcmp(path, "-") == 0)
        return read_fd(STDIN_FILENO, "standard input", max, append_to, err);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not block */
    if (fd < 0)
        return error_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: cannot be opened: %s",
                         path, strerror(errno));
    struct stat about = { .st_mode = 0 };
    enum status status = OK;
    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode))
        status = error_set(err, ERR_INVALID, "%s: is %s", path,
                           S_ISDIR(about.st_mode) ? "a directory, not a file" : "not a file");
    if (status == OK)
        status = read_fd(fd, path, max, append_to, err);
    close(fd);
    return status;
}

static enum status write_all(int fd, const char *path, struct span bytes, struct error *err)
{
    while (bytes.size > 0) {
        ssize_t put = write(fd, bytes.data, bytes.size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return error_set(err, errno == ENOSPC ? ERR_FULL : ERR_IO, "%s: cannot be written: %s",
                             path, strerror(errno));
        bytes = span_slice(bytes, (size_t)put, bytes.size);
    }
    if (fsync(fd) != 0)
        return error_set(err, ERR_IO, "%s: cannot be brought to the disk: %s", path,
                         strerror(errno));
    return OK;
}

enum status file_write_new(const char *path, struct span bytes, unsigned mode, struct error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
    if (fd < 0 && errno == EEXIST) {
        return error_set(err, ERR_EXISTS,
                         "%s: is there already; next: name another file, or move that one away",
                         path);
    }
    if (fd < 0) {
        return error_set(err, ERR_IO,
                         "%s: cannot be made: %s; next: name a file in a directory "
                         "that is there and that you may write",
                         path, strerror(errno));
    }
    enum status status = write_all(fd, path, bytes, err);
    if (close(fd) != 0 && status == OK)
        status = error_set(err, ERR_IO, "%s: cannot be closed: %s", path, strerror(errno));
    if (status != OK)
        unlink(path);
    return status;
}
