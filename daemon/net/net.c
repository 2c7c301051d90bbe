#include "net/net.h"

#include "base/memory.h"
#include "net/net_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum {
    BACKLOG = 128,
    EVENT_TEXT_MAX = 768,
    DESCRIPTORS_LEAST = 16,
    ACCEPT_AGAIN_MS = 200 /* after memory failed */
};

int64_t net_now_ms(const struct net *net)
{
    return net->config.clock->monotonic_ms(net->config.clock);
}

void net_event(struct net *net, const char *name, const char *format, ...)
{
    char fields[EVENT_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fields, sizeof(fields), format, arguments);
    va_end(arguments);
    net->config.handlers.event(net->config.handlers.self, name, fields);
}

/* libuv without descriptors closes clients and does not say so: we count, and stop before. */
static size_t descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return 1024 - NET_DESCRIPTORS_SPARE;
    if (limit.rlim_cur <= NET_DESCRIPTORS_SPARE + DESCRIPTORS_LEAST)
        return DESCRIPTORS_LEAST;
    return (size_t)limit.rlim_cur - NET_DESCRIPTORS_SPARE;
}

enum status net_new(const struct net_config *config, struct net **ret_net, struct error *err)
{
    struct net *net = mem_calloc(1, sizeof(*net));
    if (net == NULL)
        return error_set(err, ERR_MEMORY, "net: no memory");
    net->config = *config;
    net->descriptors_max =
        config->descriptors_max > 0 ? config->descriptors_max : descriptor_limit();
    net->read_buffer = mem_alloc(NET_READ_SIZE);
    net->plain_buffer = mem_alloc(NET_PLAIN_SIZE);
    enum status status = penalties_new(&net->penalties, err);
    if (status == OK && (net->read_buffer == NULL || net->plain_buffer == NULL))
        status = error_set(err, ERR_MEMORY, "net: no memory");
    if (status != OK)
        net_free(net);
    else
        *ret_net = net;
    return status;
}

void net_free(struct net *net)
{
    if (net == NULL)
        return;
    penalties_free(net->penalties);
    mem_free(net->read_buffer);
    if (net->plain_buffer != NULL)
        mem_wipe(net->plain_buffer, NET_PLAIN_SIZE);
    mem_free(net->plain_buffer);
    mem_free(net);
}

/* -- accepting --------------------------------------------------------------------------------- */

static size_t strangers_of(const struct net *net, const struct connection *newcomer)
{
    size_t count = 0;
    for (const struct connection *c = net->connections; c != NULL; c = c->next) {
        if (c != newcomer && !c->dialled && c->state < CONNECTION_GREETED &&
            address_key_equal(&c->key, &newcomer->key))
            count++;
    }
    return count;
}

/* Why this address may not even begin; NULL when it may. */
static const char *reason_to_refuse(const struct net *net, const struct connection *newcomer)
{
    if (net->stopping)
        return "stopping";
    if (penalties_left_ms(net->penalties, &newcomer->key, net_now_ms(net)) > 0)
        return "penalty";
    if (net->stats.before_hello > NET_BEFORE_HELLO_MAX) /* itself included */
        return "too_many_strangers";
    if (!newcomer->key.is_local && strangers_of(net, newcomer) >= NET_PER_ADDRESS_MAX)
        return "too_many_of_address";
    return NULL;
}

static void on_accept_again(uv_timer_t *timer);

static void accept_one(struct net *net)
{
    struct error err = ERROR_INIT;
    struct connection *connection = NULL;
    if (connection_new(net, false, &connection, &err) != OK) {
        net_event(net, "accept_failed", "reason=\"%s\"", err.text);
        net->listener.waiting = true;
        (void)uv_timer_start(&net->listener.again, on_accept_again, ACCEPT_AGAIN_MS, 0);
        return;
    }
    if (uv_accept((uv_stream_t *)&net->listener.tcp, (uv_stream_t *)&connection->tcp) != 0) {
        connection_end(connection);
        return;
    }
    struct sockaddr_storage address;
    int size = sizeof(address);
    if (uv_tcp_getpeername(&connection->tcp, (struct sockaddr *)&address, &size) == 0)
        connection_name_peer(connection, (struct sockaddr *)&address);
    net->stats.accepted++;
    const char *reason = reason_to_refuse(net, connection);
    if (reason != NULL) {
        net->stats.refused++;
        net_event(net, "refused", "address=%s reason=%s", connection->address, reason);
        connection_end(connection);
        return;
    }
    connection_start(connection);
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct net *net = stream->data;
    if (status != 0) {
        net_event(net, "accept_failed", "reason=\"%s\"", uv_strerror(status));
        return;
    }
    if (net->open >= net->descriptors_max) {
        if (!net->listener.waiting)
            net_event(net, "accept_paused", "connections=%zu max=%zu", net->open,
                      net->descriptors_max);
        net->listener.waiting = true; /* libuv stops listening until it is accepted */
        return;
    }
    accept_one(net);
}

static void accept_waiting(struct net *net)
{
    if (!net->listener.waiting || net->stopping || net->open >= net->descriptors_max)
        return;
    net->listener.waiting = false;
    accept_one(net);
}

static void on_accept_again(uv_timer_t *timer)
{
    accept_waiting(timer->data);
}

void net_connection_gone(struct net *net)
{
    net->open--;
    net->stats.connections--;
    accept_waiting(net);
}

/* -- listening --------------------------------------------------------------------------------- */

static void on_listener_closed(uv_handle_t *handle)
{
    struct net *net = handle->data;
    net->open--;
}

static void listener_close(struct net *net)
{
    net->listener.open = false;
    uv_close((uv_handle_t *)&net->listener.tcp, on_listener_closed);
    uv_close((uv_handle_t *)&net->listener.again, on_listener_closed);
}

static enum status bind_host(struct net *net, const char *host, uint16_t port, struct error *err)
{
    struct sockaddr_storage address;
    bool is_v6 = strchr(host, ':') != NULL;
    int failed = is_v6 ? uv_ip6_addr(host, port, (struct sockaddr_in6 *)&address)
                       : uv_ip4_addr(host, port, (struct sockaddr_in *)&address);
    if (failed != 0) { /* a name: only at the start, so it may block */
        uv_getaddrinfo_t request;
        const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
        char service[8];
        snprintf(service, sizeof(service), "%u", port);
        failed = uv_getaddrinfo(net->config.loop, &request, NULL, host, service, &hints);
        if (failed != 0)
            return error_set(err, ERR_INVALID, "listen on %s: %s", host, uv_strerror(failed));
        memcpy(&address, request.addrinfo->ai_addr, request.addrinfo->ai_addrlen);
        uv_freeaddrinfo(request.addrinfo);
    }
    failed = uv_tcp_bind(&net->listener.tcp, (struct sockaddr *)&address, 0);
    if (failed == 0)
        failed = uv_listen((uv_stream_t *)&net->listener.tcp, BACKLOG, on_connection);
    if (failed != 0) {
        const char *next = "look at the network of this machine";
        if (failed == UV_EADDRINUSE)
            next = "see who uses it with ss -ltnp, or set [network] listen to another port";
        else if (failed == UV_EADDRNOTAVAIL)
            next = "set [network] listen to an address of this machine (ip address shows them)";
        else if (failed == UV_EACCES) {
            next =
                "set [network] listen to a port above 1023, or give comityd the right to a lower "
                "one (AmbientCapabilities=CAP_NET_BIND_SERVICE)";
        }
        return error_set(err, failed == UV_EADDRINUSE ? ERR_BUSY : ERR_IO,
                         "listen on %s port %u: %s; next: %s", host, port, uv_strerror(failed),
                         next);
    }
    return OK;
}

enum status net_listen(
    struct net *net, const char *host, uint16_t port, uint16_t *ret_port, struct error *err)
{
    int failed = uv_tcp_init(net->config.loop, &net->listener.tcp);
    if (failed != 0)
        return error_set(err, ERR_IO, "listen: %s", uv_strerror(failed));
    (void)uv_timer_init(net->config.loop, &net->listener.again);
    net->listener.tcp.data = net;
    net->listener.again.data = net;
    net->listener.open = true;
    net->open += 2;
    enum status status = bind_host(net, host, port, err);
    struct sockaddr_storage bound;
    int size = sizeof(bound);
    if (status == OK) {
        failed = uv_tcp_getsockname(&net->listener.tcp, (struct sockaddr *)&bound, &size);
        if (failed != 0)
            status = error_set(err, ERR_IO, "listen: %s", uv_strerror(failed));
    }
    if (status != OK) {
        listener_close(net);
        return status;
    }
    /* The port is at the same place in both families (RFC 3493 section 3.3, POSIX). */
    *ret_port = ntohs(((struct sockaddr_in *)&bound)->sin_port);
    return OK;
}

/* -- all of them ------------------------------------------------------------------------------- */

void net_stop(struct net *net)
{
    net->stopping = true;
    if (net->listener.open)
        listener_close(net);
    const struct error why = { OK, "the node is stopping" };
    struct connection *next = NULL;
    for (struct connection *c = net->connections; c != NULL; c = next) {
        next = c->next; /* closing frees later, from the loop */
        connection_close(c, &why, OFFENCE_COUNT);
    }
}

bool net_is_idle(const struct net *net)
{
    return net->open == 0;
}

void net_recheck(struct net *net)
{
    struct connection *next = NULL;
    for (struct connection *c = net->connections; c != NULL; c = next) {
        next = c->next;
        bool live = c->state == CONNECTION_SECURED || c->state == CONNECTION_GREETED;
        if (live)
            (void)connection_recheck(c);
    }
}

struct net_stats net_stats(const struct net *net)
{
    return net->stats;
}
