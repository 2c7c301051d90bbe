/* A peer with a valid certificate that does not keep to the protocol, for hostile_peer.sh.
 *
 *   hostile_peer IDENTITY REALM SELF PEER PEER-ANCHOR PORT MODE
 *
 * Connects to 127.0.0.1:PORT with the tls key in IDENTITY, says Hello unless MODE begins with
 * "early-", misbehaves, and waits to be shown out.  Exit status 0: the other end closed within
 * WAIT_MS; 1: it did not; 2: it never came so far. */
#include "base/clock.h"
#include "crypto/pem.h"
#include "crypto/tls.h"
#include "session/session.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WAIT_MS = 12000, SETTLE_MS = 300, FLOOD = 200000, READ_SIZE = 32 * 1024 };

struct hostile {
    int fd;
    struct tls *tls;
    struct private_key *key;
    struct session *session;
    struct buf hello;
    bool closed;
};

static _Noreturn void give_up(const char *what, const struct error *err)
{
    fprintf(stderr, "hostile_peer: %s: %s\n", what, err == NULL ? "failed" : err->text);
    exit(2);
}

static int64_t now_ms(void)
{
    return clock_system()->monotonic_ms(clock_system());
}

static void flush(struct hostile *it)
{
    struct buf out = tls_pull(it->tls);
    size_t sent = 0;
    while (sent < out.size && !it->closed) {
        ssize_t n = send(it->fd, out.data + sent, out.size - sent, MSG_NOSIGNAL);
        if (n <= 0)
            it->closed = true;
        else
            sent += (size_t)n;
    }
    buf_fini(&out);
}

/* Takes what comes for so long, or until the end; what the peer says is of no interest. */
static void listen_for(struct hostile *it, int64_t ms, bool until_open)
{
    static uint8_t bytes[READ_SIZE], plain[READ_SIZE];
    int64_t end_ms = now_ms() + ms;
    while (!it->closed && now_ms() < end_ms) {
        struct pollfd waiting = { .fd = it->fd, .events = POLLIN };
        if (poll(&waiting, 1, 50) <= 0)
            continue;
        struct error err = ERROR_INIT;
        size_t size = 1;
        ssize_t n = recv(it->fd, bytes, sizeof(bytes), 0);
        if (n <= 0 || tls_receive(it->tls, span_of(bytes, (size_t)n), &err) != OK) {
            it->closed = true;
            return;
        }
        while (size > 0 && tls_state(it->tls) == TLS_OPEN)
            if (tls_read(it->tls, plain, sizeof(plain), &size, &err) != OK)
                size = 0;
        if (tls_settle(it->tls, &err) != OK || tls_state(it->tls) == TLS_CLOSED)
            it->closed = true;
        flush(it);
        if (until_open && tls_state(it->tls) == TLS_OPEN)
            return;
    }
}

static void say(struct hostile *it, struct span bytes)
{
    while (bytes.size > 0 && !it->closed) {
        struct error err = ERROR_INIT;
        size_t taken = 0;
        if (tls_send(it->tls, bytes, &taken, &err) != OK)
            return;
        bytes = span_of(bytes.data + taken, bytes.size - taken);
        flush(it);
    }
}

static enum status sign(void *self, struct span bytes, struct buf *ret, struct error *err)
{
    return p256_sign(((struct hostile *)self)->key, bytes, ret, err);
}

static enum status verify(void *self, struct span bytes, struct span signature, struct error *err)
{
    return p256_verify(tls_peer_certificate(((struct hostile *)self)->tls), bytes, signature, err);
}

static void greet(struct hostile *it, const struct realm *realm, const struct code codes[2])
{
    struct error err = ERROR_INIT;
    struct heads heads = { 0 };
    struct effect effect;
    struct session_config config = { .realm = *realm,
                                     .self = codes[0],
                                     .peer = codes[1],
                                     .initiator = true,
                                     .boot_id = { 7 },
                                     .auth = it,
                                     .auth_sign = sign,
                                     .auth_verify = verify };
    if (tls_exporter(it->tls, TLS_EXPORTER_HELLO, config.exporter, EXPORTER_SIZE, &err) != OK ||
        session_new(&config, &it->session, &err) != OK)
        give_up("session", &err);
    session_start(it->session, now_ms(), &heads);
    while (session_next_effect(it->session, &effect)) {
        if (effect.kind == EFFECT_SEND &&
            buf_append(&it->hello, buf_span(&effect.frame), &err) != OK)
            give_up("hello", &err);
        effect_fini(&effect);
    }
    say(it, buf_span(&it->hello));
    listen_for(it, SETTLE_MS, false);
}

/* -- what it does wrong -------------------------------------------------------------------------*/

static void noise(struct hostile *it)
{
    uint8_t frame[1004] = { 0, 0, 1000 >> 8, 1000 & 255 };
    for (size_t i = 4; i < sizeof(frame); i++)
        frame[i] = (uint8_t)(i * 2654435761U >> 13);
    say(it, SPAN_ARRAY(frame));
}

static void huge(struct hostile *it)
{
    static const uint8_t head[] = { 0x7f, 0xff, 0xff, 0xff };
    say(it, SPAN_ARRAY(head));
}

static void empty(struct hostile *it)
{
    static const uint8_t head[4];
    say(it, SPAN_ARRAY(head));
}

/* A message of a kind that the protocol does not have: "give me your records" (field 99). */
static void query(struct hostile *it)
{
    static const uint8_t frame[] = { 0, 0, 0, 8, 0x9a, 0x06, 5, 'q', 'u', 'e', 'r', 'y' };
    say(it, SPAN_ARRAY(frame));
}

static void hello_again(struct hostile *it)
{
    say(it, buf_span(&it->hello));
}

/* Nested as deep as a frame allows: protobuf-c would recurse. */
static void nested(struct hostile *it)
{
    static uint8_t frame[4004];
    frame[2] = 4000 >> 8;
    frame[3] = 4000 & 255;
    for (size_t i = 4; i + 2 < sizeof(frame); i += 3) {
        size_t left = sizeof(frame) - i - 3;
        frame[i] = 0x0a;
        frame[i + 1] = (uint8_t)(left % 128 + 128);
        frame[i + 2] = (uint8_t)(left / 128);
    }
    say(it, SPAN_ARRAY(frame));
}

/* The length of a frame that may come, and then nothing. */
static void unfinished(struct hostile *it)
{
    static const uint8_t head[] = { 0, 0, 8, 0, 0x0a };
    say(it, SPAN_ARRAY(head));
}

static void flood(struct hostile *it)
{
    for (int i = 0; i < FLOOD && !it->closed; i++) {
        hello_again(it);
        if (i % 64 == 0)
            listen_for(it, 1, false);
    }
}

static void silence(struct hostile *it)
{
    (void)it;
}

static const struct {
    const char *name;
    void (*act)(struct hostile *);
} modes[] = {
    { "noise", noise },           { "huge", huge },         { "empty", empty },
    { "query", query },           { "hello", hello_again }, { "nested", nested },
    { "unfinished", unfinished }, { "flood", flood },       { "silence", silence },
};

static void connect_to(struct hostile *it, const char *port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    it->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (it->fd < 0 || connect(it->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        give_up("connect", NULL);
}

static void secure(struct hostile *it,
                   const char *identity,
                   const struct realm *realm,
                   const struct code codes[2],
                   const char *anchor_path)
{
    struct error err = ERROR_INIT;
    char path[512];
    struct buf certificate = BUF_INIT, anchor = BUF_INIT;
    struct trust *trust = NULL;
    struct tls_context *context = NULL;
    (void)snprintf(path, sizeof(path), "%s/tls.crt", identity);
    if (pem_read(PEM_CERTIFICATE, path, &certificate, &err) != OK ||
        pem_read(PEM_CERTIFICATE, anchor_path, &anchor, &err) != OK)
        give_up("certificate", &err);
    (void)snprintf(path, sizeof(path), "%s/tls.key", identity);
    if (private_key_read(path, &it->key, &err) != OK)
        give_up("key", &err);
    const struct trust_node node = { .code = codes[1], .anchor = buf_span(&anchor) };
    const struct tls_identity own = { buf_span(&certificate), it->key };
    if (trust_new(realm, &codes[0], &node, 1, &trust, &err) != OK ||
        tls_context_new(&own, trust, clock_system(), &context, &err) != OK ||
        tls_new(context, TLS_CLIENT, &codes[1], &it->tls, &err) != OK)
        give_up("TLS", &err);
    buf_fini(&certificate);
    buf_fini(&anchor);
    flush(it);
    listen_for(it, WAIT_MS, true);
    if (tls_state(it->tls) != TLS_OPEN)
        give_up("handshake", tls_error(it->tls));
}

int main(int argc, char **argv)
{
    struct hostile it = { .hello = BUF_INIT };
    struct error err = ERROR_INIT;
    struct realm realm;
    struct code codes[2];
    if (argc != 8 || realm_parse(argv[2], &realm, &err) != OK ||
        code_parse(argv[3], &codes[0], &err) != OK || code_parse(argv[4], &codes[1], &err) != OK)
        give_up("usage", NULL);
    bool early = strncmp(argv[7], "early-", 6) == 0;
    const char *mode = argv[7] + (early ? 6 : 0);
    connect_to(&it, argv[6]);
    secure(&it, argv[1], &realm, codes, argv[5]);
    if (!early)
        greet(&it, &realm, codes);
    int64_t start_ms = now_ms();
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        if (strcmp(modes[i].name, mode) == 0)
            modes[i].act(&it);
    listen_for(&it, WAIT_MS, false);
    printf("%s after %lld ms\n", it.closed ? "closed" : "still open",
           (long long)(now_ms() - start_ms));
    return it.closed ? 0 : 1;
}
