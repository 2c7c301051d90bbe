/* From frames to ciphertext to the kernel; each stage is bounded. */
#include "base/memory.h"
#include "net/net_internal.h"

struct write {
    uv_write_t request;
    struct connection *connection;
    struct buf bytes;
};

static void on_written(uv_write_t *request, int status)
{
    struct write *write = (struct write *)request;
    struct connection *connection = write->connection;
    connection->writing -= write->bytes.size;
    buf_fini(&write->bytes);
    mem_free(write);
    if (status != 0 && status != UV_ECANCELED)
        connection_fail(connection, ERR_IO, uv_strerror(status));
    else if (!connection->ended)
        connection_pump(connection);
    connection_handle_closed(connection);
}

static void write_out(struct connection *connection, struct buf *bytes)
{
    struct write *write = mem_calloc(1, sizeof(*write));
    if (write == NULL) {
        buf_fini(bytes);
        connection_fail(connection, ERR_MEMORY, "no memory");
        return;
    }
    write->connection = connection;
    write->bytes = buf_move(bytes);
    uv_buf_t part = uv_buf_init((char *)write->bytes.data, (unsigned)write->bytes.size);
    int failed = uv_write(&write->request, (uv_stream_t *)&connection->tcp, &part, 1, on_written);
    if (failed != 0) {
        buf_fini(&write->bytes);
        mem_free(write);
        connection_fail(connection, ERR_IO, uv_strerror(failed));
        return;
    }
    connection->writing += write->bytes.size;
    connection->handles++;
}

static void drop_first(struct connection *connection)
{
    struct outgoing *first = connection->first;
    connection->first = first->next;
    if (connection->first == NULL)
        connection->last = NULL;
    buf_fini(&first->bytes);
    mem_free(first);
}

static void flush_tls(struct connection *connection)
{
    if (tls_pending(connection->tls) == 0)
        return;
    struct buf bytes = tls_pull(connection->tls);
    if (bytes.size > 0)
        write_out(connection, &bytes);
    buf_fini(&bytes);
}

/* Gives TLS as much of the first frame as it takes; false when it takes no more. */
static bool encrypt_some(struct connection *connection)
{
    struct outgoing *first = connection->first;
    struct span rest = span_slice(buf_span(&first->bytes), first->taken, first->bytes.size);
    size_t taken = 0;
    struct error err = ERROR_INIT;
    if (tls_send(connection->tls, rest, &taken, &err) != OK) {
        connection_fail(connection, err.status, err.text);
        return false;
    }
    first->taken += taken;
    connection->queued -= taken;
    if (first->taken == first->bytes.size)
        drop_first(connection);
    return taken > 0;
}

void connection_pump(struct connection *connection)
{
    if (connection->tls == NULL || connection->ended)
        return;
    bool was_high = connection->queued >= NET_QUEUE_LOW;
    flush_tls(connection);
    while (connection->first != NULL && !connection->ended &&
           connection->writing < NET_WRITES_MAX && tls_state(connection->tls) == TLS_OPEN) {
        bool more = encrypt_some(connection);
        if (!connection->ended)
            flush_tls(connection);
        if (!more)
            break;
    }
    if (connection->ended)
        return;
    const struct net_handlers *handlers = &connection->net->config.handlers;
    if (was_high && connection->queued < NET_QUEUE_LOW && connection->opened &&
        connection->state != CONNECTION_CLOSING)
        handlers->drained(handlers->self, connection);
    if (connection->state == CONNECTION_CLOSING && connection->first == NULL) {
        tls_shutdown(connection->tls);
        flush_tls(connection);
        if (connection->writing == 0 && !connection->ended)
            connection_end(connection);
    }
}

void connection_send(struct connection *connection, struct buf *frame)
{
    if (connection->state != CONNECTION_SECURED && connection->state != CONNECTION_GREETED) {
        buf_fini(frame);
        return;
    }
    struct outgoing *outgoing = NULL;
    const char *why = "no memory";
    if (connection->queued + frame->size > NET_QUEUE_MAX)
        why = "the peer reads too slowly: more than the outbound queue may hold waits for it";
    else
        outgoing = mem_calloc(1, sizeof(*outgoing));
    if (outgoing == NULL) {
        buf_fini(frame);
        connection_fail(connection, ERR_FULL, why);
        return;
    }
    outgoing->bytes = buf_move(frame);
    if (connection->last != NULL)
        connection->last->next = outgoing;
    else
        connection->first = outgoing;
    connection->last = outgoing;
    connection->queued += outgoing->bytes.size;
    connection_pump(connection);
}

size_t connection_queued(const struct connection *connection)
{
    return connection->queued;
}
