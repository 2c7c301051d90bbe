/* On its own because <linux/tcp.h> and <netinet/tcp.h> (which uv.h includes) do not go together. */
#include "sockets.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum { SOCKETS_MAX = 256 };

uint64_t sockets_bytes(void)
{
    uint64_t total = 0;
    for (int fd = 3; fd < SOCKETS_MAX; fd++) {
        struct tcp_info info;
        socklen_t size = sizeof(info);
        if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0)
            total += info.tcpi_bytes_acked + info.tcpi_bytes_received;
    }
    return total;
}
