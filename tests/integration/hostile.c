#include "hostile.h"

#include "base/clock.h"
#include "crypto/pem.h"
#include "session/session.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_SIZE = 32 * 1024 };

_Noreturn void hostile_give_up(const char *what, const struct error *err)
{
    fprintf(stderr, "hostile_peer: %s: %s\n", what, err == NULL ? "failed" : err->text);
    exit(2);
}

int64_t hostile_now_ms(void)
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

void hostile_listen_for(struct hostile *it, int64_t ms, bool until_open)
{
    static uint8_t bytes[READ_SIZE], plain[READ_SIZE];
    int64_t end_ms = hostile_now_ms() + ms;
    while (!it->closed && hostile_now_ms() < end_ms) {
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
        while (size > 0 && tls_state(it->tls) == TLS_OPEN) {
            if (tls_read(it->tls, plain, sizeof(plain), &size, &err) != OK)
                size = 0;
            if (size > 0 && it->hear != NULL)
                it->hear(it, span_of(plain, size));
        }
        if (tls_settle(it->tls, &err) != OK || tls_state(it->tls) == TLS_CLOSED)
            it->closed = true;
        flush(it);
        if (until_open && tls_state(it->tls) == TLS_OPEN)
            return;
        if (it->enough)
            return;
    }
}

void hostile_say(struct hostile *it, struct span bytes)
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

void hostile_greet(struct hostile *it, const struct realm *realm, const struct code codes[2])
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
        hostile_give_up("session", &err);
    session_start(it->session, hostile_now_ms(), &heads);
    while (session_next_effect(it->session, &effect)) {
        if (effect.kind == EFFECT_SEND &&
            buf_append(&it->hello, buf_span(&effect.frame), &err) != OK)
            hostile_give_up("hello", &err);
        effect_fini(&effect);
    }
    hostile_say(it, buf_span(&it->hello));
    hostile_listen_for(it, SETTLE_MS, false);
}

void hostile_connect_to(struct hostile *it, const char *port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    it->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (it->fd < 0 || connect(it->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        hostile_give_up("connect", NULL);
}

void hostile_secure(struct hostile *it,
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
        hostile_give_up("certificate", &err);
    (void)snprintf(path, sizeof(path), "%s/tls.key", identity);
    if (private_key_read(path, &it->key, &err) != OK)
        hostile_give_up("key", &err);
    const struct trust_node node = { .code = codes[1], .anchor = buf_span(&anchor) };
    const struct tls_identity own = { buf_span(&certificate), it->key };
    if (trust_new(realm, &codes[0], &node, 1, &trust, &err) != OK ||
        tls_context_new(&own, trust, clock_system(), &context, &err) != OK ||
        tls_new(context, TLS_CLIENT, &codes[1], &it->tls, &err) != OK)
        hostile_give_up("TLS", &err);
    buf_fini(&certificate);
    buf_fini(&anchor);
    flush(it);
    hostile_listen_for(it, WAIT_MS, true);
    if (tls_state(it->tls) != TLS_OPEN)
        hostile_give_up("handshake", tls_error(it->tls));
}
