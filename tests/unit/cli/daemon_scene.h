/* A daemon for comityctl to talk to: it says what the test has put into its mouth, badly, in
 * pieces, or nothing.
 *
 *     answer_fields("running");          one answer after each request
 *     daemon_side.deaf = true;           or how it behaves
 */
#ifndef COMITY_TESTS_DAEMON_SCENE_H
#define COMITY_TESTS_DAEMON_SCENE_H

#include "cli_scene.h"
#include "wire/request.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

/* -- a daemon that says what it is told to ------------------------------------------------------
 */

enum { ANSWERS_MAX = 4 };

static struct {
    pthread_t thread;
    int listener;
    struct buf answers[ANSWERS_MAX]; /* one after each request; then the connection is closed */
    size_t answer_count;
    bool deaf;     /* closes without reading */
    bool in_bytes; /* sends each byte alone */
    bool unread;   /* does not look into requests: allocations are the client's alone */
    unsigned clients;
    char asked[ANSWERS_MAX][64]; /* operations */
    bool stopping;
} daemon_side;

static bool receive(int fd, uint8_t *bytes, size_t size)
{
    for (size_t at = 0; at < size;) {
        ssize_t got = recv(fd, bytes + at, size - at, 0);
        if (got <= 0)
            return false;
        at += (size_t)got;
    }
    return true;
}

static bool take_request(int fd, char *ret_operation, size_t size)
{
    uint8_t head[FRAME_HEAD_SIZE];
    static uint8_t body[65536];
    if (!receive(fd, head, sizeof(head)))
        return false;
    size_t length = (size_t)head[2] << 8 | head[3];
    struct request request;
    if (daemon_side.unread)
        return receive(fd, body, length);
    if (!receive(fd, body, length) || request_decode(span_of(body, length), &request, NULL) != OK)
        return false;
    (void)snprintf(ret_operation, size, "%s", request.operation);
    request_fini(&request);
    return true;
}

static void say(int fd, struct span answer)
{
    size_t step = daemon_side.in_bytes ? 1 : answer.size;
    for (size_t at = 0; at < answer.size; at += step)
        if (send(fd, answer.data + at, step, MSG_NOSIGNAL) <= 0)
            return;
}

static void *serve(void *context)
{
    (void)context;
    for (;;) {
        int fd = accept(daemon_side.listener, NULL, NULL);
        if (fd < 0 || daemon_side.stopping) {
            if (fd >= 0)
                (void)close(fd);
            return NULL;
        }
        daemon_side.clients++;
        struct timeval patience = { 3, 0 }; /* with a client whose sending was made to fail */
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        for (size_t i = 0; !daemon_side.deaf && i < daemon_side.answer_count; i++) {
            if (!take_request(fd, daemon_side.asked[i], sizeof(daemon_side.asked[i])))
                break;
            say(fd, buf_span(&daemon_side.answers[i]));
        }
        (void)close(fd);
    }
}

static void listen_at(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    memset(&daemon_side, 0, sizeof(daemon_side));
    daemon_side.listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_true(daemon_side.listener >= 0);
    assert_int_equal(bind(daemon_side.listener, (const struct sockaddr *)&address, sizeof(address)),
                     0);
    assert_int_equal(listen(daemon_side.listener, 8), 0);
    assert_int_equal(pthread_create(&daemon_side.thread, NULL, serve, NULL), 0);
}

static int set_up(void **state)
{
    if (scene_set_up(state) != 0)
        return -1;
    listen_at(scene_path("sock"));
    return 0;
}

static int tear_down(void **state)
{
    daemon_side.stopping = true;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", scene_path("sock"));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    (void)connect(fd, (const struct sockaddr *)&address, sizeof(address));
    (void)close(fd);
    (void)pthread_join(daemon_side.thread, NULL);
    (void)close(daemon_side.listener);
    for (size_t i = 0; i < ANSWERS_MAX; i++)
        buf_fini(&daemon_side.answers[i]);
    return scene_tear_down(state);
}

/* -- what it says -------------------------------------------------------------------------------
 */

static struct buf *next_answer(void)
{
    assert_true(daemon_side.answer_count < ANSWERS_MAX);
    return &daemon_side.answers[daemon_side.answer_count++];
}

static void answer_error(enum status status, const char *text)
{
    struct reply_writer w;
    struct error result = ERROR_INIT;
    reply_init(&w);
    (void)error_set(&result, status, "%s", text);
    CHECK_OK(reply_finish(&w, "training", &result, next_answer(), &err), &err);
    reply_fini(&w);
}

static void answer_fields(const char *state)
{
    struct reply_writer w;
    reply_init(&w);
    reply_fields(&w, "backup", "Backup");
    reply_field(&w, "state", "State", "%s", state);
    reply_number(&w, "pages", "Pages", 3);
    reply_number(&w, "pages_total", "Of", 9);
    CHECK_OK(reply_finish(&w, "training", NULL, next_answer(), &err), &err);
    reply_fini(&w);
}

static void answer_file(const char *bytes)
{
    struct reply_writer w;
    reply_init(&w);
    reply_fields(&w, "node", "Node");
    reply_field(&w, "code", "Code", "KE");
    reply_blob(&w, "card", "KE.card", span_text(bytes));
    reply_note(&w, "Compare the fingerprint.");
    CHECK_OK(reply_finish(&w, "", NULL, next_answer(), &err), &err);
    reply_fini(&w);
}

#endif
