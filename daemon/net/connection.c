/* One connection: from the first byte to the last close callback. */
#include "base/memory.h"
#include "net/net_internal.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* -- memory ------------------------------------------------------------------------------------ */

static void unlink_connection(struct connection *connection)
{
    if (connection->previous != NULL)
        connection->previous->next = connection->next;
    else
        connection->net->connections = connection->next;
    if (connection->next != NULL)
        connection->next->previous = connection->previous;
}

static void connection_free(struct connection *connection)
{
    while (connection->first != NULL) {
        struct outgoing *next = connection->first->next;
        buf_fini(&connection->first->bytes);
        mem_free(connection->first);
        connection->first = next;
    }
    frame_reader_fini(&connection->frames);
    tls_free(connection->tls);
    dial_free(connection->dial);
    mem_free(connection);
}

/* The last handle or request is gone: so is the connection. */
void connection_handle_closed(struct connection *connection)
{
    connection->handles--;
    if (connection->handles > 0)
        return;
    struct net *net = connection->net;
    const struct net_handlers *handlers = &net->config.handlers;
    unlink_connection(connection);
    if (connection->opened)
        handlers->closed(handlers->self, connection, &connection->why);
    else if (connection->dialled)
        handlers->dial_failed(handlers->self, &connection->peer, &connection->why);
    connection_free(connection);
    net_connection_gone(net);
}

static void on_handle_closed(uv_handle_t *handle)
{
    connection_handle_closed(handle->data);
}

enum status connection_new(struct net *net,
                           bool dialled,
                           struct connection **ret_connection,
                           struct error *err)
{
    struct connection *connection = mem_calloc(1, sizeof(*connection));
    if (connection == NULL)
        return error_set(err, ERR_MEMORY, "connection: no memory");
    if (uv_tcp_init(net->config.loop, &connection->tcp) != 0) {
        mem_free(connection);
        return error_set(err, ERR_MEMORY, "connection: no memory");
    }
    (void)uv_timer_init(net->config.loop, &connection->timer);
    connection->tcp.data = connection;
    connection->timer.data = connection;
    connection->net = net;
    connection->handles = 2;
    connection->dialled = dialled;
    connection->state = dialled ? CONNECTION_RESOLVING : CONNECTION_HANDSHAKING;
    frame_reader_init(&connection->frames);
    snprintf(connection->address, sizeof(connection->address), "-");
    connection->next = net->connections;
    if (connection->next != NULL)
        connection->next->previous = connection;
    net->connections = connection;
    net->open++;
    net->stats.connections++;
    if (!dialled)
        net->stats.before_hello++;
    *ret_connection = connection;
    return OK;
}

void connection_name_peer(struct connection *connection, const struct sockaddr *address)
{
    char host[INET6_ADDRSTRLEN] = "?";
    unsigned port = 0;
    connection->key = address_key_of(address);
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof(in));
        (void)uv_ip4_name(&in, host, sizeof(host));
        port = ntohs(in.sin_port);
    } else if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in;
        memcpy(&in, address, sizeof(in));
        (void)uv_ip6_name(&in, host, sizeof(host));
        port = ntohs(in.sin6_port);
    }
    snprintf(connection->address, sizeof(connection->address),
             address->sa_family == AF_INET6 ? "[%s]:%u" : "%s:%u", host, port);
}

/* -- ending ------------------------------------------------------------------------------------ */

static void count_as_known(struct connection *connection)
{
    if (!connection->dialled && connection->state < CONNECTION_GREETED)
        connection->net->stats.before_hello--;
}

void connection_end(struct connection *connection)
{
    if (connection->ended)
        return;
    count_as_known(connection);
    connection->state = CONNECTION_CLOSING;
    connection->ended = true;
    dial_cancel(connection);
    uv_close((uv_handle_t *)&connection->tcp, on_handle_closed);
    uv_close((uv_handle_t *)&connection->timer, on_handle_closed);
}

void connection_fail(struct connection *connection, enum status status, const char *text)
{
    if (connection->ended)
        return;
    if (connection->why.text[0] == '\0')
        (void)error_set(&connection->why, status, "%s", text);
    connection_end(connection);
}

void connection_close(struct connection *connection, const struct error *why, enum offence offence)
{
    struct net *net = connection->net;
    if (connection->ended || connection->state == CONNECTION_CLOSING)
        return;
    if (offence != OFFENCE_COUNT && !connection->dialled)
        penalties_add(net->penalties, &connection->key, offence, net_now_ms(net));
    connection->why = *why;
    bool has_tls = connection->tls != NULL;
    count_as_known(connection);
    connection->state = CONNECTION_CLOSING;
    if (!has_tls) {
        connection_end(connection);
        return;
    }
    (void)uv_read_stop((uv_stream_t *)&connection->tcp);
    connection->reading = false;
    connection_set_timer(connection, NET_LINGER_MS);
    connection_pump(connection);
}

/* -- time -------------------------------------------------------------------------------------- */

bool connection_recheck(struct connection *connection)
{
    struct error err = ERROR_INIT;
    if (tls_recheck(connection->tls, &err) == OK)
        return true;
    net_event(connection->net, "certificate_refused", "address=%s peer=%s reason=\"%s\"",
              connection->address, connection->peer.text, err.text);
    connection_close(connection, &err, OFFENCE_COUNT);
    return false;
}

static void handshake_too_slow(struct connection *connection)
{
    const struct error why = { ERR_EXPIRED, "the TLS handshake took too long" };
    connection->net->stats.failed_handshakes++;
    net_event(connection->net, "handshake_failed", "address=%s reason=\"%s\"", connection->address,
              why.text);
    connection_close(connection, &why, OFFENCE_TIMEOUT);
}

static void on_timer(uv_timer_t *timer)
{
    struct connection *connection = timer->data;
    switch (connection->state) {
    case CONNECTION_RESOLVING:
    case CONNECTION_CONNECTING:
        connection_fail(connection, ERR_EXPIRED, "no answer at this address");
        break;
    case CONNECTION_HANDSHAKING:
        handshake_too_slow(connection);
        break;
    case CONNECTION_SECURED:
    case CONNECTION_GREETED:
        if (connection_recheck(connection))
            connection_set_timer(connection, RECHECK_CERTIFICATE_MS);
        break;
    case CONNECTION_CLOSING:
        connection_end(connection);
        break;
    }
}

void connection_set_timer(struct connection *connection, uint64_t ms)
{
    (void)uv_timer_start(&connection->timer, on_timer, ms, 0);
}

/* -- input ------------------------------------------------------------------------------------- */

static bool is_live(const struct connection *connection)
{
    return connection->state == CONNECTION_SECURED || connection->state == CONNECTION_GREETED;
}

static void report_unknown(struct connection *connection, const struct trust_answer *peer)
{
    struct net *net = connection->net;
    if (peer->verdict == VERDICT_UNKNOWN_NODE && peer->named)
        net->config.handlers.pending(net->config.handlers.self, &peer->code,
                                     tls_peer_certificate(connection->tls), connection->address);
}

static void handshake_failed(struct connection *connection)
{
    struct net *net = connection->net;
    const struct trust_answer *peer = tls_peer(connection->tls);
    struct error why = *tls_error(connection->tls);
    if (why.text[0] == '\0')
        (void)error_set(&why, ERR_IO, "the connection ended within the handshake");
    net->stats.failed_handshakes++;
    net_event(net, "handshake_failed", "address=%s verdict=%s reason=\"%s\"", connection->address,
              verdict_name(peer->verdict), why.text);
    report_unknown(connection, peer);
    connection_close(connection, &why, OFFENCE_AUTH);
}

/* The peer is authenticated: the handler takes over. */
static void secured(struct connection *connection)
{
    struct net *net = connection->net;
    struct error err = ERROR_INIT;
    connection->peer = tls_peer(connection->tls)->code;
    connection->state = CONNECTION_SECURED;
    connection_set_timer(connection, RECHECK_CERTIFICATE_MS);
    if (net->config.handlers.opened(net->config.handlers.self, connection, &err) != OK) {
        net_event(net, "refused", "address=%s peer=%s reason=\"%s\"", connection->address,
                  connection->peer.text, err.text);
        connection_close(connection, &err, OFFENCE_COUNT);
        return;
    }
    connection->opened = true;
}

/* Cuts plain text into frames and hands them over, one by one. */
static void take_frames(struct connection *connection, struct span bytes)
{
    const struct net_handlers *handlers = &connection->net->config.handlers;
    while (bytes.size > 0 && is_live(connection)) {
        struct error err = ERROR_INIT;
        struct span frame = SPAN_EMPTY;
        uint32_t max = handlers->frame_max(handlers->self, connection);
        if (frame_reader_take(&connection->frames, max, &bytes, &frame, &err) != OK) {
            handlers->refused(handlers->self, connection, &err);
            if (is_live(connection))
                connection_close(connection, &err, OFFENCE_PROTOCOL);
            return;
        }
        if (frame.data != NULL)
            handlers->frame(handlers->self, connection, frame);
    }
}

static void step_handshake(struct connection *connection)
{
    enum tls_state state = tls_state(connection->tls);
    if (state == TLS_FAILED || state == TLS_CLOSED)
        handshake_failed(connection);
    else if (state == TLS_OPEN)
        secured(connection);
}

static void input_ended(struct connection *connection)
{
    struct error why = *tls_error(connection->tls);
    if (why.text[0] == '\0')
        (void)error_set(&why, OK, "the peer closed the connection");
    connection_close(connection, &why, OFFENCE_COUNT);
}

/* Everything that TLS can give now, until it is empty or the handler wants a pause. */
static void drain_tls(struct connection *connection)
{
    struct net *net = connection->net;
    if (connection->state == CONNECTION_HANDSHAKING)
        step_handshake(connection);
    while (is_live(connection) && !connection->paused) {
        struct error err = ERROR_INIT;
        size_t size = 0;
        if (tls_read(connection->tls, net->plain_buffer, NET_PLAIN_SIZE, &size, &err) != OK) {
            connection_close(connection, &err, OFFENCE_COUNT);
            return;
        }
        if (size == 0) {
            if (tls_state(connection->tls) != TLS_OPEN)
                input_ended(connection);
            return;
        }
        take_frames(connection, span_of(net->plain_buffer, size));
    }
}

static void start_reading(struct connection *connection);

static void input(struct connection *connection, struct span ciphertext)
{
    struct error err = ERROR_INIT;
    connection->in_input = true;
    if (ciphertext.size > 0 && tls_receive(connection->tls, ciphertext, &err) != OK &&
        tls_state(connection->tls) != TLS_FAILED)
        connection_close(connection, &err, OFFENCE_COUNT);
    if (connection->state != CONNECTION_CLOSING)
        drain_tls(connection);
    if (!connection->ended && tls_settle(connection->tls, &err) != OK)
        connection_fail(connection, err.status, err.text);
    connection->in_input = false;
    connection_pump(connection);
    start_reading(connection);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)suggested;
    const struct connection *connection = handle->data;
    *buffer = uv_buf_init(connection->net->read_buffer, NET_READ_SIZE);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct connection *connection = stream->data;
    if (count > 0) {
        connection->handles++; /* the memory outlives what the handler does */
        input(connection, span_of(buffer->base, (size_t)count));
        connection_handle_closed(connection);
        return;
    }
    if (count == 0)
        return;
    if (connection->state == CONNECTION_HANDSHAKING) {
        connection_fail(connection, ERR_IO,
                        "the other end closed the connection within the handshake (it may not "
                        "have accepted this node yet)");
    } else {
        connection_fail(connection, count == UV_EOF ? OK : ERR_IO,
                        count == UV_EOF ? "the peer closed the connection"
                                        : uv_strerror((int)count));
    }
}

static void start_reading(struct connection *connection)
{
    bool wanted =
        !connection->ended && connection->state != CONNECTION_CLOSING && !connection->paused;
    if (wanted && !connection->reading) {
        int failed = uv_read_start((uv_stream_t *)&connection->tcp, on_alloc, on_read);
        if (failed != 0)
            connection_fail(connection, ERR_IO, uv_strerror(failed));
        else
            connection->reading = true;
    } else if (!wanted && connection->reading && !connection->ended) {
        (void)uv_read_stop((uv_stream_t *)&connection->tcp);
        connection->reading = false;
    }
}

void connection_pause(struct connection *connection, bool paused)
{
    if (connection->paused == paused)
        return;
    connection->paused = paused;
    if (connection->in_input || connection->ended)
        return;
    connection->handles++;
    input(connection, SPAN_EMPTY);
    connection_handle_closed(connection);
}

/* -- starting ---------------------------------------------------------------------------------- */

static void tune(struct connection *connection)
{
    uv_os_fd_t fd = -1;
    (void)uv_tcp_nodelay(&connection->tcp, 1);
    if (uv_fileno((uv_handle_t *)&connection->tcp, &fd) != 0)
        return;
    /* RFC 5482: a peer that does not acknowledge is gone; without it TCP tries for a quarter hour.
     * A kernel that refuses it leaves us with the pings of the session. */
    unsigned timeout_ms = NET_USER_TIMEOUT_MS;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof(timeout_ms));
}

void connection_start(struct connection *connection)
{
    struct error err = ERROR_INIT;
    connection->state = CONNECTION_HANDSHAKING;
    tune(connection);
    enum status status =
        tls_new(connection->net->config.tls, connection->dialled ? TLS_CLIENT : TLS_SERVER,
                connection->dialled ? &connection->peer : NULL, &connection->tls, &err);
    if (status != OK) {
        connection_fail(connection, status, err.text);
        return;
    }
    connection_set_timer(connection, HANDSHAKE_TIMEOUT_MS);
    connection_pump(connection);
    start_reading(connection);
}

void connection_greeted(struct connection *connection)
{
    if (connection->state != CONNECTION_SECURED)
        return;
    count_as_known(connection);
    connection->state = CONNECTION_GREETED;
}

void connection_set_owner(struct connection *connection, void *owner)
{
    connection->owner = owner;
}

void *connection_owner(const struct connection *connection)
{
    return connection->owner;
}

bool connection_dialled(const struct connection *connection)
{
    return connection->dialled;
}

void *connection_handler(const struct connection *connection)
{
    return connection->net->config.handlers.self;
}

const char *connection_address(const struct connection *connection)
{
    return connection->address;
}

struct tls *connection_tls(struct connection *connection)
{
    return connection->tls;
}

const struct code *connection_peer(const struct connection *connection)
{
    return &connection->peer;
}
