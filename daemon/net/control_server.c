#include "net/control_server.h"

#include "base/memory.h"
#include "wire/frame.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

enum {
    READ_SIZE = 64 * 1024,
    BACKLOG = 16,
    EVENT_TEXT_MAX = 256,
    ACCEPT_AGAIN_MS = 200 /* after memory failed */
};

struct control_client {
    struct control_server *server;
    struct control_client *next;
    uv_pipe_t pipe;
    uv_timer_t timer;
    unsigned uses; /* handles, writes, and the request at work */
    bool ended;
    bool at_work; /* a request is being answered */
    bool reading;
    struct caller caller;
    struct frame_reader frames;
};

struct control_server {
    struct control_config config;
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
    uv_pipe_t pipe;
    uv_timer_t again; /* libuv listens no more until a connection that came is accepted */
    bool bound;
    size_t open; /* clients, the listening pipe and its timer */
    size_t client_count;
    struct control_client *clients;
    char *read_buffer;
};

static void event(struct control_server *server, const char *name, const char *format, ...)
    PRINTF_LIKE(3, 4);
static void event(struct control_server *server, const char *name, const char *format, ...)
{
    char fields[EVENT_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fields, sizeof(fields), format, arguments);
    va_end(arguments);
    server->config.handlers.event(server->config.handlers.self, name, fields);
}

/* -- a client's life --------------------------------------------------------------------------- */

static void client_release(struct control_client *client)
{
    client->uses--;
    if (client->uses > 0)
        return;
    struct control_server *server = client->server;
    struct control_client **at = &server->clients;
    while (*at != client)
        at = &(*at)->next;
    *at = client->next;
    server->client_count--;
    server->open--;
    frame_reader_fini(&client->frames);
    mem_free(client);
}

static void on_client_closed(uv_handle_t *handle)
{
    client_release(handle->data);
}

static void client_end(struct control_client *client)
{
    if (client->ended)
        return;
    client->ended = true;
    uv_close((uv_handle_t *)&client->pipe, on_client_closed);
    uv_close((uv_handle_t *)&client->timer, on_client_closed);
}

static void on_timer(uv_timer_t *timer)
{
    client_end(timer->data);
}

static size_t buffered(const struct control_server *server)
{
    size_t bytes = 0;
    for (const struct control_client *client = server->clients; client != NULL;
         client = client->next)
        bytes += client->frames.body.capacity;
    return bytes;
}

/* -- requests ---------------------------------------------------------------------------------- */

static void start_reading(struct control_client *client);

/* The request's bytes, without a copy where the reader holds them (it may be 64 MiB). */
static enum status take_message(struct control_client *client,
                                struct span message,
                                struct buf *ret_message)
{
    if (message.data != client->frames.body.data)
        return buf_append(ret_message, message, NULL);
    *ret_message = buf_move(&client->frames.body);
    ret_message->size = message.size;
    return OK;
}

static void begin_request(struct control_client *client, struct span message)
{
    struct buf copy = BUF_INIT;
    if (take_message(client, message, &copy) != OK) {
        client_end(client);
        return;
    }
    client->at_work = true;
    client->uses++;
    if (client->reading)
        (void)uv_read_stop((uv_stream_t *)&client->pipe);
    client->reading = false;
    (void)uv_timer_stop(&client->timer);
    const struct control_handlers *handlers = &client->server->config.handlers;
    handlers->request(handlers->self, client, &copy);
    buf_fini(&copy);
}

static void take(struct control_client *client, struct span bytes)
{
    struct error err = ERROR_INIT;
    struct span message = SPAN_EMPTY;
    if (bytes.size == 0)
        return;
    if (frame_reader_take(&client->frames, CONTROL_REQUEST_MAX, &bytes, &message, &err) != OK) {
        event(client->server, "control_refused", "uid=%u reason=\"%s\"", client->caller.uid,
              err.text);
        client_end(client);
    } else if (message.data != NULL && bytes.size > 0) {
        event(client->server, "control_refused",
              "uid=%u reason=\"a second request before the "
              "answer to the first\"",
              client->caller.uid);
        client_end(client);
    } else if (message.data != NULL) {
        begin_request(client, message);
    } else if (buffered(client->server) > CONTROL_BUFFERED_MAX) {
        event(client->server, "control_refused",
              "uid=%u reason=\"requests of all clients are "
              "too large together\"",
              client->caller.uid);
        client_end(client);
    } else {
        (void)uv_timer_start(&client->timer, on_timer, client->server->config.sending_ms, 0);
    }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)suggested;
    const struct control_client *client = handle->data;
    *buffer = uv_buf_init(client->server->read_buffer, READ_SIZE);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct control_client *client = stream->data;
    if (count > 0)
        take(client, span_of(buffer->base, (size_t)count));
    else if (count < 0)
        client_end(client);
}

static void start_reading(struct control_client *client)
{
    if (client->ended || client->reading || client->at_work)
        return;
    client->reading = uv_read_start((uv_stream_t *)&client->pipe, on_alloc, on_read) == 0;
    if (!client->reading)
        client_end(client);
    else /* who only holds a place, or does not read its answer, loses it */
        (void)uv_timer_start(&client->timer, on_timer, client->server->config.sending_ms, 0);
}

void control_client_done(struct control_client *client)
{
    client->at_work = false;
    start_reading(client);
    client_release(client);
}

const struct caller *control_client_caller(const struct control_client *client)
{
    return &client->caller;
}

/* -- answers ----------------------------------------------------------------------------------- */

struct answer {
    uv_write_t request;
    struct control_client *client;
    struct buf bytes;
};

static void on_written(uv_write_t *request, int status)
{
    struct answer *answer = (struct answer *)request;
    struct control_client *client = answer->client;
    buf_fini(&answer->bytes);
    mem_free(answer);
    if (status != 0)
        client_end(client);
    client_release(client);
}

void control_client_send(struct control_client *client, struct buf *frames)
{
    if (client->ended || frames->size == 0) {
        buf_fini(frames);
        return;
    }
    struct answer *answer = mem_calloc(1, sizeof(*answer));
    if (answer == NULL) {
        buf_fini(frames);
        client_end(client);
        return;
    }
    answer->client = client;
    answer->bytes = buf_move(frames);
    uv_buf_t part = uv_buf_init((char *)answer->bytes.data, (unsigned)answer->bytes.size);
    if (uv_write(&answer->request, (uv_stream_t *)&client->pipe, &part, 1, on_written) != 0) {
        buf_fini(&answer->bytes);
        mem_free(answer);
        client_end(client);
        return;
    }
    client->uses++;
}

/* -- who is there ------------------------------------------------------------------------------ */

static bool identify(struct control_client *client)
{
    struct control_server *server = client->server;
    uv_os_fd_t fd = -1;
    struct ucred credentials;
    socklen_t size = sizeof(credentials);
    if (uv_fileno((uv_handle_t *)&client->pipe, &fd) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
        return false;
    gid_t groups[CONTROL_GROUPS_MAX + 1];
    socklen_t groups_size = CONTROL_GROUPS_MAX * sizeof(groups[0]);
    size_t count = 0; /* in more groups than that: only the primary one counts */
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &groups_size) == 0)
        count = groups_size / sizeof(groups[0]);
    groups[count++] = credentials.gid;
    client->caller.uid = credentials.uid;
    client->caller.gid = credentials.gid;
    const struct control_handlers *handlers = &server->config.handlers;
    handlers->admit(handlers->self, &client->caller, groups, count);
    return client->caller.permit != PERMIT_NONE;
}

static void on_connection(uv_stream_t *stream, int status);

static void on_accept_again(uv_timer_t *timer)
{
    struct control_server *server = timer->data;
    on_connection((uv_stream_t *)&server->pipe, 0);
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct control_server *server = stream->data;
    if (status != 0)
        return;
    struct control_client *client = mem_calloc(1, sizeof(*client));
    if (client == NULL) {
        event(server, "control_postponed", "reason=\"no memory for a connection\"");
        (void)uv_timer_start(&server->again, on_accept_again, ACCEPT_AGAIN_MS, 0);
        return;
    }
    client->server = server;
    client->uses = 2;
    frame_reader_init(&client->frames);
    (void)uv_pipe_init(server->config.loop, &client->pipe, 0);
    (void)uv_timer_init(server->config.loop, &client->timer);
    client->pipe.data = client;
    client->timer.data = client;
    client->next = server->clients;
    server->clients = client;
    server->client_count++;
    server->open++;
    if (uv_accept(stream, (uv_stream_t *)&client->pipe) != 0) {
        client_end(client);
    } else if (server->client_count > CONTROL_CLIENTS_MAX) {
        event(server, "control_refused", "reason=\"more than %d clients\"", CONTROL_CLIENTS_MAX);
        client_end(client);
    } else if (!identify(client)) {
        event(server, "control_refused",
              "uid=%u reason=\"in none of the lists of the "
              "configuration\"",
              client->caller.uid);
        client_end(client);
    } else {
        start_reading(client);
    }
}

/* -- the socket -------------------------------------------------------------------------------- */

/* Removes a socket that nobody listens on. */
static enum status clear_path(const char *path, struct error *err)
{
    struct stat info;
    if (lstat(path, &info) != 0)
        return OK;
    if (!S_ISSOCK(info.st_mode)) {
        return error_set(err, ERR_EXISTS,
                         "%s: is there and is no socket; next: move it away, or correct [control] "
                         "socket",
                         path);
    }
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    bool answered = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
    (void)close(fd);
    if (answered) {
        return error_set(err, ERR_BUSY,
                         "%s: another comityd answers on this socket; next: stop it first, or "
                         "correct [control] socket",
                         path);
    }
    if (unlink(path) != 0) {
        return error_set(err, ERR_IO,
                         "%s: an old socket that cannot be removed: %s; next: remove it, or let "
                         "comityd's user write in its directory (chown)",
                         path, strerror(errno));
    }
    return OK;
}

static void on_server_closed(uv_handle_t *handle)
{
    ((struct control_server *)handle->data)->open--;
}

static bool has_directory(const char *path)
{
    struct stat info;
    char directory[sizeof(((struct sockaddr_un *)0)->sun_path)];
    (void)snprintf(directory, sizeof(directory), "%s", path);
    char *end = strrchr(directory, '/');
    if (end == NULL || end == directory)
        return true;
    *end = '\0';
    return stat(directory, &info) == 0 || errno != ENOENT;
}

static enum status bind_path(struct control_server *server, struct error *err)
{
    if (!has_directory(server->path)) { /* libuv would call that a matter of permission */
        return error_set(err, ERR_NOT_FOUND,
                         "%s: there is no directory for the socket; next: make it (under systemd: "
                         "RuntimeDirectory=), or correct [control] socket",
                         server->path);
    }
    int failed = uv_pipe_bind(&server->pipe, server->path);
    server->bound = failed == 0;
    if (failed == 0)
        failed = uv_listen((uv_stream_t *)&server->pipe, BACKLOG, on_connection);
    if (failed == 0 && chmod(server->path, 0666) != 0)
        failed = -errno;
    if (failed != 0) {
        return error_set(err, ERR_IO,
                         "%s: %s; next: let comityd's user write in its directory (chown), or "
                         "correct [control] socket",
                         server->path, uv_strerror(failed));
    }
    return OK;
}

enum status control_server_new(const struct control_config *config,
                               struct control_server **ret_server,
                               struct error *err)
{
    if (strlen(config->path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
        return error_set(err, ERR_LIMIT, "%s: too long for a socket", config->path);
    enum status status = clear_path(config->path, err);
    if (status != OK)
        return status;
    struct control_server *server = mem_calloc(1, sizeof(*server));
    char *buffer = mem_alloc(READ_SIZE);
    if (server == NULL || buffer == NULL) {
        mem_free(server);
        mem_free(buffer);
        return error_set(err, ERR_MEMORY, "control socket: no memory");
    }
    server->config = *config;
    if (server->config.sending_ms == 0)
        server->config.sending_ms = CONTROL_SENDING_MS;
    server->read_buffer = buffer;
    snprintf(server->path, sizeof(server->path), "%s", config->path);
    (void)uv_pipe_init(config->loop, &server->pipe, 0);
    (void)uv_timer_init(config->loop, &server->again);
    server->pipe.data = server;
    server->again.data = server;
    server->open = 2;
    status = bind_path(server, err);
    if (status != OK) {
        control_server_stop(server);
        while (!control_server_is_idle(server))
            (void)uv_run(config->loop, UV_RUN_NOWAIT);
        control_server_free(server);
        return status;
    }
    *ret_server = server;
    return OK;
}

void control_server_stop(struct control_server *server)
{
    if (!uv_is_closing((uv_handle_t *)&server->pipe)) {
        uv_close((uv_handle_t *)&server->pipe, on_server_closed);
        uv_close((uv_handle_t *)&server->again, on_server_closed);
    }
    for (struct control_client *client = server->clients; client != NULL; client = client->next)
        client_end(client);
}

bool control_server_is_idle(const struct control_server *server)
{
    return server->open == 0;
}

void control_server_free(struct control_server *server)
{
    if (server == NULL)
        return;
    if (server->bound)
        (void)unlink(server->path);
    mem_free(server->read_buffer);
    mem_free(server);
}
