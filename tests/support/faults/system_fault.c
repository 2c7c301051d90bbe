/* Calls of the system that fail with an errno of the test's choice. */
#include "support/faults/wrap.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define CALL(type, name, parameters, arguments) \
    WRAP(CALL_FAULT_SYSTEM, type, name, call_fault_errno(), parameters, arguments)

CALL(ssize_t, read, (int f, void *b, size_t s), (f, b, s))
CALL(ssize_t, write, (int f, const void *b, size_t s), (f, b, s))
CALL(ssize_t, send, (int f, const void *b, size_t s, int o), (f, b, s, o))
CALL(ssize_t, recv, (int f, void *b, size_t s, int o), (f, b, s, o))
CALL(int, socket, (int d, int t, int p), (d, t, p))
CALL(int, connect, (int f, const struct sockaddr *a, socklen_t s), (f, a, s))
CALL(int, getsockopt, (int f, int l, int n, void *v, socklen_t *s), (f, l, n, v, s))
CALL(int, fstat, (int f, struct stat *i), (f, i))
CALL(int, stat, (const char *p, struct stat *i), (p, i))
CALL(int, fsync, (int f), (f))
CALL(int, mkdir, (const char *p, mode_t m), (p, m))
CALL(int, chmod, (const char *p, mode_t m), (p, m))
CALL(int, unlink, (const char *p), (p))
CALL(int, getrlimit, (__rlimit_resource_t r, struct rlimit *l), (r, l))
CALL(ssize_t, getrandom, (void *b, size_t s, unsigned o), (b, s, o))
WRAP(CALL_FAULT_SYSTEM,
     char *,
     realpath,
     (call_fault_errno(), NULL),
     (const char *p, char *r),
     (p, r))

int __real_close(int file);
int __wrap_close(int file);
int __wrap_close(int file)
{
    int result = __real_close(file); /* also when it says that it failed */
    return call_fault_now(CALL_FAULT_SYSTEM, "close") ? call_fault_errno() : result;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
    if (call_fault_now(CALL_FAULT_SYSTEM, "open"))
        return call_fault_errno();
    if ((flags & O_CREAT) == 0)
        return __real_open(path, flags);
    va_list args;
    va_start(args, flags);
    mode_t mode = va_arg(args, mode_t);
    va_end(args);
    return __real_open(path, flags, mode);
}
