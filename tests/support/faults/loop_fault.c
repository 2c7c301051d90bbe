/* Calls of libuv that fail.  What libuv has made before, it keeps. */
#include "support/loop_fault.h"

#include "support/faults/wrap.h"

#include <uv.h>

static uint64_t hurried_ms, times_faster = 1;
static const char *pretended;

void loop_fault_hurry(uint64_t from_ms, uint64_t times)
{
    hurried_ms = from_ms;
    times_faster = times;
}

void loop_fault_pretend_from(const char *address)
{
    pretended = address;
}

#define CALL(name, parameters, arguments) \
    WRAP(CALL_FAULT_LOOP, int, name, UV_ENOMEM, parameters, arguments)

CALL(uv_loop_init, (uv_loop_t * l), (l))
CALL(uv_async_init, (uv_loop_t * l, uv_async_t *a, uv_async_cb c), (l, a, c))
CALL(uv_signal_init, (uv_loop_t * l, uv_signal_t *s), (l, s))
CALL(uv_signal_start, (uv_signal_t * s, uv_signal_cb c, int n), (s, c, n))
CALL(uv_tcp_init, (uv_loop_t * l, uv_tcp_t *t), (l, t))
CALL(uv_tcp_bind, (uv_tcp_t * t, const struct sockaddr *a, unsigned f), (t, a, f))
CALL(uv_tcp_getsockname, (const uv_tcp_t *t, struct sockaddr *a, int *s), (t, a, s))
CALL(uv_tcp_connect,
     (uv_connect_t * r, uv_tcp_t *t, const struct sockaddr *a, uv_connect_cb c),
     (r, t, a, c))
CALL(uv_pipe_bind, (uv_pipe_t * p, const char *n), (p, n))
CALL(uv_listen, (uv_stream_t * s, int b, uv_connection_cb c), (s, b, c))
CALL(uv_accept, (uv_stream_t * s, uv_stream_t *c), (s, c))
CALL(uv_read_start, (uv_stream_t * s, uv_alloc_cb a, uv_read_cb r), (s, a, r))
CALL(uv_write,
     (uv_write_t * r, uv_stream_t *s, const uv_buf_t b[], unsigned n, uv_write_cb c),
     (r, s, b, n, c))
CALL(uv_getaddrinfo,
     (uv_loop_t * l,
      uv_getaddrinfo_t *r,
      uv_getaddrinfo_cb c,
      const char *n,
      const char *s,
      const struct addrinfo *h),
     (l, r, c, n, s, h))
CALL(uv_fileno, (const uv_handle_t *h, uv_os_fd_t *f), (h, f))

int __real_uv_tcp_getpeername(const uv_tcp_t *tcp, struct sockaddr *address, int *size);
int __wrap_uv_tcp_getpeername(const uv_tcp_t *tcp, struct sockaddr *address, int *size);
int __wrap_uv_tcp_getpeername(const uv_tcp_t *tcp, struct sockaddr *address, int *size)
{
    if (call_fault_now(CALL_FAULT_LOOP, "uv_tcp_getpeername"))
        return UV_ENOMEM;
    if (pretended == NULL)
        return __real_uv_tcp_getpeername(tcp, address, size);
    return uv_ip4_addr(pretended, 1024, (struct sockaddr_in *)(void *)address);
}

int __real_uv_timer_start(uv_timer_t *timer, uv_timer_cb call, uint64_t ms, uint64_t repeat_ms);
int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb call, uint64_t ms, uint64_t repeat_ms);
int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb call, uint64_t ms, uint64_t repeat_ms)
{
    uint64_t less = ms >= hurried_ms ? times_faster : 1;
    return __real_uv_timer_start(timer, call, ms / less, repeat_ms / less);
}
