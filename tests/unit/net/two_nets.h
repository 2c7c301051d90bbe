/* Two nets on one loop, over loopback, with real TLS: what the tests of net share. */
#ifndef COMITY_TESTS_TWO_NETS_H
#define COMITY_TESTS_TWO_NETS_H

#include "base/memory.h"
#include "net/net.h"
#include "support/check.h"
#include "support/tls_link.h"
#include "wire/frame.h"

#include <unistd.h>
#include <uv.h>

enum { SPIN_MS = 20 * 1000 };

struct side {
    struct net *net;
    struct tls_context *tls;
    struct connection *connection;
    size_t opened, closed, dial_failed, pending, refused, drained, events;
    bool turns_away; /* opened() says no */
    char told[512];  /* the last event */
    struct buf got;  /* bodies of frames */
    uint32_t frame_max;
    struct error why;
};

struct pair {
    uv_loop_t loop;
    struct clock_fake clock;
    struct pki_state states[2];
    struct side sides[2]; /* 0 listens, 1 dials */
    uint16_t port;
};

static inline enum status on_opened(void *self, struct connection *connection, struct error *err)
{
    struct side *side = self;
    if (side->turns_away)
        return error_set(err, ERR_DENIED, "not today");
    side->opened++;
    side->connection = connection;
    return OK;
}

static inline void on_frame(void *self, struct connection *connection, struct span frame)
{
    connection_greeted(connection);
    assert_int_equal(buf_append(&((struct side *)self)->got, frame, NULL), OK);
}

static inline uint32_t on_frame_max(void *self, struct connection *connection)
{
    (void)connection;
    return ((struct side *)self)->frame_max;
}

static inline void on_refused(void *self, struct connection *connection, const struct error *why)
{
    ((struct side *)self)->refused++;
    connection_close(connection, why, OFFENCE_PROTOCOL);
}

static inline void on_drained(void *self, struct connection *connection)
{
    (void)connection;
    ((struct side *)self)->drained++;
}

static inline void on_closed(void *self, struct connection *connection, const struct error *why)
{
    (void)connection;
    struct side *side = self;
    side->closed++;
    side->connection = NULL;
    side->why = *why;
}

static inline void on_dial_failed(void *self, const struct code *peer, const struct error *why)
{
    (void)peer;
    struct side *side = self;
    side->dial_failed++;
    side->why = *why;
}

static inline void on_pending(void *self,
                              const struct code *code,
                              struct span der,
                              const char *address)
{
    (void)address;
    assert_string_equal(code->text, "UNODC");
    assert_true(der.size > 0);
    ((struct side *)self)->pending++;
}

static inline void on_event(void *self, const char *name, const char *fields)
{
    struct side *side = self;
    side->events++;
    snprintf(side->told, sizeof(side->told), "%s %s", name, fields);
}

static inline void side_init(struct pair *pair, int index, bool trusts, size_t descriptors_max)
{
    struct side *side = &pair->sides[index];
    side->frame_max = FRAME_BATCH_MAX;
    side->tls = tls_link_context(&pair->states[index], trusts ? &pair->states[1 - index] : NULL,
                                 &pair->clock.base);
    const struct net_config config = {
        .loop = &pair->loop,
        .tls = side->tls,
        .clock = &pair->clock.base,
        .handlers = { side, on_opened, on_frame, on_frame_max, on_refused, on_drained, on_closed,
                      on_dial_failed, on_pending, on_event },
        .descriptors_max = descriptors_max,
    };
    assert_int_equal(net_new(&config, &side->net, NULL), OK);
}

/* `descriptors_max` 0: as many as the system gives. */
static inline struct pair *pair_with(bool listener_trusts, size_t descriptors_max)
{
    struct pair *pair = test_calloc(1, sizeof(*pair));
    assert_int_equal(uv_loop_init(&pair->loop), 0);
    clock_fake_init(&pair->clock, PKI_NOW_MS);
    pki_init(&pair->states[0], "training", "KE");
    pki_init(&pair->states[1], "training", "UNODC");
    side_init(pair, 0, listener_trusts, descriptors_max);
    side_init(pair, 1, true, descriptors_max);
    assert_int_equal(net_listen(pair->sides[0].net, "127.0.0.1", 0, &pair->port, NULL), OK);
    return pair;
}

static inline struct pair *pair_new(bool listener_trusts)
{
    return pair_with(listener_trusts, 0);
}

static inline void pair_dial(struct pair *pair)
{
    char address[32];
    snprintf(address, sizeof(address), "127.0.0.1:%u", pair->port);
    net_dial(pair->sides[1].net, &pair->states[0].code, address);
}

/* Runs the loop until it has counted so many, for some seconds at most. */
static inline void spin(struct pair *pair, const size_t *counter, size_t wanted)
{
    uint64_t end_ms = uv_hrtime() / 1000000 + SPIN_MS;
    while (*counter < wanted && uv_hrtime() / 1000000 < end_ms) {
        (void)uv_run(&pair->loop, UV_RUN_NOWAIT);
        (void)usleep(100);
    }
    assert_true(*counter >= wanted);
}

static inline void pair_free(struct pair *pair)
{
    net_stop(pair->sides[0].net);
    net_stop(pair->sides[1].net);
    while (!net_is_idle(pair->sides[0].net) || !net_is_idle(pair->sides[1].net))
        (void)uv_run(&pair->loop, UV_RUN_ONCE);
    for (int i = 0; i < 2; i++) {
        struct side *side = &pair->sides[i];
        assert_int_equal(side->opened, side->closed);
        net_free(side->net);
        tls_context_free(side->tls);
        buf_fini(&side->got);
        pki_fini(&pair->states[i]);
    }
    assert_int_equal(uv_loop_close(&pair->loop), 0);
    test_free(pair);
}

static inline void send_frame(struct connection *connection, size_t size, int byte)
{
    struct buf frame = BUF_INIT;
    size_t at = 0;
    assert_int_equal(frame_begin(&frame, &at, NULL), OK);
    assert_int_equal(buf_append_zeros(&frame, size, NULL), OK);
    memset(frame.data + 4, byte, size);
    assert_int_equal(frame_end(&frame, at, FRAME_BATCH_MAX, NULL), OK);
    connection_send(connection, &frame);
}

#endif
