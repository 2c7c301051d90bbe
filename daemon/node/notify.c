#include "node/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A path, or an abstract name that is written with a leading @. */
static bool address_of(const char *name, struct sockaddr_un *ret_address, socklen_t *ret_size)
{
    size_t size = strlen(name);
    *ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if ((name[0] != '/' && name[0] != '@') || size < 2 || size >= sizeof(ret_address->sun_path))
        return false;
    memcpy(ret_address->sun_path, name, size);
    if (name[0] == '@')
        ret_address->sun_path[0] = '\0';
    *ret_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
    return true;
}

bool notify_send(const char *state)
{
    const char *name = secure_getenv("NOTIFY_SOCKET");
    struct sockaddr_un address;
    socklen_t size = 0;
    if (name == NULL || !address_of(name, &address, &size))
        return false;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    ssize_t sent =
        sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address, size);
    (void)close(fd);
    return sent == (ssize_t)strlen(state);
}

static bool number_of(const char *name, uint64_t *ret_number)
{
    const char *text = secure_getenv(name);
    if (text == NULL || text[0] < '0' || text[0] > '9')
        return false;
    char *end = NULL;
    errno = 0;
    *ret_number = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0';
}

uint64_t notify_watchdog_us(void)
{
    uint64_t period_us = 0;
    uint64_t pid = 0;
    if (!number_of("WATCHDOG_USEC", &period_us))
        return 0;
    if (number_of("WATCHDOG_PID", &pid) && pid != (uint64_t)getpid())
        return 0; /* meant for another process */
    return period_us;
}
