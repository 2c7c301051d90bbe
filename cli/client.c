#include "cli/client.h"

#include "cli/file.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char default_config[] = "/etc/comity/comity.conf";
static const char default_socket[] = "/run/comity/control.sock";

/* -- where
 * ------------------------------------------------------------------------------------------
 */

static struct span trim(struct span text)
{
    while (text.size > 0 && strchr(" \t\r", text.data[0]) != NULL)
        text = span_slice(text, 1, text.size);
    while (text.size > 0 && strchr(" \t\r", text.data[text.size - 1]) != NULL)
        text.size--;
    return text;
}

/* The value of `key` in `section` of an INI file that comityd has checked; empty when absent. */
static struct span find_value(struct span text, const char *section, const char *key)
{
    bool inside = false;
    while (text.size > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.size);
        size_t size = end == NULL ? text.size : (size_t)(end - text.data);
        struct span line = trim(span_slice(text, 0, size));
        text = span_slice(text, size + 1, text.size);
        if (line.size >= 2 && line.data[0] == '[') {
            inside = span_equal(span_slice(line, 1, line.size - 2), span_text(section));
            continue;
        }
        const uint8_t *equals = line.size == 0 ? NULL : memchr(line.data, '=', line.size);
        if (!inside || equals == NULL)
            continue;
        size_t name_size = (size_t)(equals - line.data);
        if (span_equal(trim(span_slice(line, 0, name_size)), span_text(key)))
            return trim(span_slice(line, name_size + 1, line.size));
    }
    return SPAN_EMPTY;
}

static enum status finish_path(struct buf *path, struct span value, struct error *err)
{
    enum status status = buf_append(path, value, err);
    return status == OK ? buf_terminate(path, err) : status;
}

enum status client_socket_path(const char *config,
                               const char *socket,
                               struct buf *ret_path,
                               struct error *err)
{
    if (socket != NULL)
        return finish_path(ret_path, span_text(socket), err);
    if (config == NULL && access(default_config, R_OK) != 0)
        return finish_path(ret_path, span_text(default_socket), err);
    struct buf text = BUF_INIT;
    struct error why = ERROR_INIT;
    enum status status =
        file_read(config == NULL ? default_config : config, CONFIG_MAX, &text, &why);
    if (status != OK) {
        status = error_set(err, status,
                           "%s; next: name a configuration that you may read with --config, or the "
                           "socket itself with --socket",
                           why.text);
    }
    struct span value =
        status == OK ? find_value(buf_span(&text), "control", "socket") : SPAN_EMPTY;
    if (status == OK)
        status = finish_path(ret_path, value.size == 0 ? span_text(default_socket) : value, err);
    buf_fini(&text);
    return status;
}

static enum status unreachable(const char *path, int why, struct error *err)
{
    struct stat info;
    bool there = stat(path, &info) == 0;
    const char *what = strerror(why);
    const char *next =
        "start it (systemctl start comityd), or name another socket or configuration "
        "with --socket or --config";
    if (there && !S_ISSOCK(info.st_mode)) {
        what = "that is no socket";
        next = "name the socket or the configuration of the node with --socket or --config";
    } else if (why == ECONNREFUSED) {
        what = "nobody answers at the socket: comityd ended without removing it";
    } else if (why == EAGAIN) {
        what = "too many others wait there";
        next = "repeat it in a while";
    } else if (why == EACCES) {
        return error_set(err, ERR_IO,
                         "comityd cannot be reached at %s: %s (you are uid %u); next: ask who runs "
                         "the node to let you enter the directory of the socket, or name another "
                         "with --socket or --config",
                         path, what, (unsigned)getuid());
    }
    return error_set(err, ERR_IO, "comityd cannot be reached at %s: %s; next: %s", path, what,
                     next);
}

enum status client_connect(const char *path, int *ret_fd, struct error *err)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof(address.sun_path)) {
        return error_set(err, ERR_LIMIT,
                         "the socket's path has %zu bytes, more than the %zu of the system; next: "
                         "put the node's directory somewhere shorter",
                         strlen(path), sizeof(address.sun_path) - 1);
    }
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_set(err, ERR_IO, "no socket: %s", strerror(errno));
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0) {
        *ret_fd = fd;
        return OK;
    }
    int why = errno;
    close(fd);
    return unreachable(path, why, err);
}

/* -- what
 * -------------------------------------------------------------------------------------------
 */

static enum status send_all(int fd, struct span bytes, struct error *err)
{
    while (bytes.size > 0) {
        ssize_t sent = send(fd, bytes.data, bytes.size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && (errno == EPIPE || errno == ECONNRESET))
            return OK; /* it refused already: the answer, or its absence, says why */
        if (sent < 0)
            return error_set(err, ERR_IO, "the request could not be sent: %s", strerror(errno));
        bytes = span_slice(bytes, (size_t)sent, bytes.size);
    }
    return OK;
}

static enum status no_answer(struct error *err)
{
    return error_set(err, ERR_DENIED,
                     "comityd closed the connection without an answer, as it does with users that "
                     "its configuration does not list (you are uid %u); next: have yourself listed "
                     "under auditors, operators or approvers, or look at comityd's log",
                     (unsigned)getuid());
}

static enum status broken_off(struct error *err)
{
    return error_set(
        err, ERR_IO,
        "comityd closed the connection in the middle of its answer, so whether it has "
        "done what was asked is not known; next: look at comityd's log and at what the "
        "node shows, before you ask again");
}

/* Exactly `size` more bytes, as far as they come; memory grows with what has come.  `heard`:
 * comityd has begun to answer. */
static enum status receive(int fd, size_t size, bool heard, struct buf *to, struct error *err)
{
    enum { PIECE = 64 * 1024 };
    while (size > 0) {
        size_t want = size < PIECE ? size : PIECE;
        enum status status = buf_reserve(to, want, err);
        if (status != OK)
            return status;
        ssize_t got = recv(fd, to->data + to->size, want, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0 || (got < 0 && errno == ECONNRESET))
            return heard || to->size > 0 ? broken_off(err) : no_answer(err);
        if (got < 0)
            return error_set(err, ERR_IO, "the answer could not be read: %s", strerror(errno));
        to->size += (size_t)got;
        size -= (size_t)got;
    }
    return OK;
}

static enum status receive_reply(int fd, bool heard, struct reply *ret_reply, struct error *err)
{
    struct buf bytes = BUF_INIT;
    enum status status = receive(fd, FRAME_HEAD_SIZE, heard, &bytes, err);
    size_t size = 0;
    for (size_t i = 0; status == OK && i < FRAME_HEAD_SIZE; i++)
        size = size << 8 | bytes.data[i];
    buf_clear(&bytes);
    if (status == OK && size > CONTROL_REPLY_MAX)
        status = error_set(err, ERR_LIMIT, "the answer would have %zu bytes, more than %d", size,
                           CONTROL_REPLY_MAX);
    if (status == OK)
        status = receive(fd, size, true, &bytes, err);
    if (status == OK)
        status = reply_decode(buf_span(&bytes), ret_reply, err);
    buf_fini(&bytes);
    return status;
}

enum status client_ask(int fd,
                       const struct request *request,
                       void (*progress)(const struct reply *reply),
                       struct reply *ret_reply,
                       struct error *err)
{
    struct buf frame = BUF_INIT;
    enum status status = request_encode(request, &frame, err);
    if (status == OK)
        status = send_all(fd, buf_span(&frame), err);
    buf_fini(&frame);
    for (bool heard = false; status == OK; heard = true) {
        struct reply reply = { 0 };
        status = receive_reply(fd, heard, &reply, err);
        if (status == OK && !reply.is_progress) {
            *ret_reply = reply;
            return OK;
        }
        if (status == OK && progress != NULL)
            progress(&reply);
        reply_release(&reply);
    }
    return status;
}
