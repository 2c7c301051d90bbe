/* Calling a peer: resolve its name, connect, then TLS.  A name with several addresses is tried at
 * another one with each call, so that one that does not answer costs one backoff. */
#include "base/memory.h"
#include "net/net_internal.h"

#include <assert.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

enum { HOST_SIZE = 256, PORT_SIZE = 6 };

struct dial {
    uv_getaddrinfo_t resolve;
    uv_connect_t connect;
    struct connection *connection;
    struct addrinfo *addresses;
    bool resolving;
};

void dial_free(struct dial *dial)
{
    if (dial == NULL)
        return;
    if (dial->addresses != NULL)
        uv_freeaddrinfo(dial->addresses);
    mem_free(dial);
}

void dial_cancel(struct connection *connection)
{
    if (connection->dial != NULL && connection->dial->resolving)
        (void)uv_cancel((uv_req_t *)&connection->dial->resolve);
}

/* "host:port" or "[address]:port". */
static bool split(const char *address, char host[static HOST_SIZE], char port[static PORT_SIZE])
{
    const char *colon = strrchr(address, ':');
    if (colon == NULL || strlen(colon + 1) >= PORT_SIZE || colon[1] == '\0')
        return false;
    const char *start = address;
    size_t size = (size_t)(colon - address);
    if (size >= 2 && start[0] == '[' && colon[-1] == ']') {
        start++;
        size -= 2;
    }
    if (size == 0 || size >= HOST_SIZE)
        return false;
    memcpy(host, start, size);
    host[size] = '\0';
    memcpy(port, colon + 1, strlen(colon + 1) + 1);
    return true;
}

static void on_connected(uv_connect_t *request, int status)
{
    struct dial *dial = request->data;
    struct connection *connection = dial->connection;
    if (connection->ended) {
        /* only its memory is left to count */
    } else if (status == 0) {
        connection_start(connection);
    } else {
        (void)error_set(&connection->why, ERR_IO, "%s: %s", connection->address,
                        uv_strerror(status));
        connection_fail(connection, ERR_IO, "");
    }
    connection_handle_closed(connection);
}

static const struct addrinfo *choose(const struct net *net, const struct addrinfo *addresses)
{
    assert(addresses != NULL);
    size_t count = 0;
    for (const struct addrinfo *at = addresses; at != NULL; at = at->ai_next)
        count++;
    size_t turn = net->dials % count;
    const struct addrinfo *at = addresses;
    for (; turn > 0; turn--)
        at = at->ai_next;
    return at;
}

static void connect_to(struct connection *connection, const struct sockaddr *address)
{
    struct dial *dial = connection->dial;
    connection->state = CONNECTION_CONNECTING;
    connection_name_peer(connection, address);
    dial->connect.data = dial;
    int failed = uv_tcp_connect(&dial->connect, &connection->tcp, address, on_connected);
    if (failed != 0)
        connection_fail(connection, ERR_IO, uv_strerror(failed));
    else
        connection->handles++;
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *addresses)
{
    struct dial *dial = request->data;
    struct connection *connection = dial->connection;
    dial->resolving = false;
    dial->addresses = addresses;
    if (connection->ended) {
        /* cancelled */
    } else if (status != 0) {
        (void)error_set(&connection->why, ERR_NOT_FOUND, "its address cannot be resolved: %s",
                        uv_strerror(status));
        connection_fail(connection, ERR_NOT_FOUND, "");
    } else {
        connect_to(connection, choose(connection->net, addresses)->ai_addr);
    }
    connection_handle_closed(connection);
}

static enum status start(struct connection *connection, const char *address, struct error *err)
{
    char host[HOST_SIZE], port[PORT_SIZE];
    if (!split(address, host, port))
        return error_set(err, ERR_INVALID, "\"%s\" is not HOST:PORT", address);
    struct dial *dial = mem_calloc(1, sizeof(*dial));
    if (dial == NULL)
        return error_set(err, ERR_MEMORY, "dial: no memory");
    connection->dial = dial;
    dial->connection = connection;
    dial->resolve.data = dial;
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
    int failed = uv_getaddrinfo(connection->net->config.loop, &dial->resolve, on_resolved, host,
                                port, &hints);
    if (failed != 0)
        return error_set(err, ERR_IO, "%s: %s", address, uv_strerror(failed));
    dial->resolving = true;
    connection->handles++;
    return OK;
}

void net_dial(struct net *net, const struct code *peer, const char *address)
{
    struct error err = ERROR_INIT;
    struct connection *connection = NULL;
    enum status status = OK;
    if (net->stopping)
        status = error_set(&err, ERR_BUSY, "the node is stopping");
    else if (net->open >= net->descriptors_max)
        status = error_set(&err, ERR_FULL, "no descriptor is free");
    if (status == OK)
        status = connection_new(net, true, &connection, &err);
    if (status != OK) {
        net->config.handlers.dial_failed(net->config.handlers.self, peer, &err);
        return;
    }
    net->dials++;
    connection->peer = *peer;
    connection_set_timer(connection, NET_DIAL_TIMEOUT_MS);
    if (start(connection, address, &err) != OK)
        connection_fail(connection, err.status, err.text);
}
