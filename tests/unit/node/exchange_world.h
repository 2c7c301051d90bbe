/* Exchanges in one process: fake feeds, fake time, wires that a test opens, cuts and silences.
 *
 * Included by one test program each; everything is static.
 */
#ifndef COMITY_TESTS_UNIT_NODE_EXCHANGE_WORLD_H
#define COMITY_TESTS_UNIT_NODE_EXCHANGE_WORLD_H

#include "node/exchange.h"

#include "feed/feed.h"

#include "base/memory.h"
#include "support/peer_wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

enum { WIRES_MAX = 16, FRAMES_MAX = 256 };

/* A party: its feed is a few counters, which outlive connections. */
struct party {
    struct feed_context feed; /* first: the exchange reads its flags; party_of() comes back */
    struct code code;
    struct exchange *exchange;
    struct worker *worker;
    struct world *world;
    struct code other; /* the one peer that it has */
    uint64_t queued;   /* entries of our feed, numbered when published */
    uint64_t receipted;
    uint64_t stored; /* of the peer's feed */
    enum status heads_status, resume_status, publish_status, ingest_status;
    size_t dials, closes, penalties, alarms, pauses, publishes;
    size_t queued_bytes; /* what io->queued says */
    uint64_t batch_max;  /* entries; 0: any number */
    size_t commits, relaxed, receipts_signed;
    enum status last_close;
    char last_event[64];
    char last_alarm[ERROR_TEXT_MAX];
};

struct end {
    struct party *party;
    struct link *link;
    struct wire *wire;
    bool closing;
    struct buf inbox[FRAMES_MAX];
    size_t inbox_count;
};

struct wire {
    struct world *world;
    bool open;
    bool silent; /* frames are lost, nobody notices */
    struct end ends[2];
};

struct world {
    struct clock_fake clock;
    struct random_seeded random;
    struct wire wires[WIRES_MAX];
    size_t wire_count;
    struct party ke, un;
};

/* -- the feed as counters ---------------------------------------------------------------------- */

static struct party *party_of(struct feed_context *feed)
{
    return (struct party *)feed;
}

static enum status fake(enum status status, struct error *err)
{
    return status == OK ? OK : error_set(err, status, "the feed says no");
}

static enum status feed_heads_fake(struct feed_context *feed,
                                   const struct code *peer,
                                   struct heads *ret,
                                   struct error *err)
{
    (void)peer;
    memset(ret, 0, sizeof(*ret));
    return fake(party_of(feed)->heads_status, err);
}

static enum status feed_resume_fake(struct feed_context *feed,
                                    const struct code *peer,
                                    const struct heads *heads,
                                    struct resume *ret,
                                    struct error *err)
{
    (void)peer;
    (void)heads;
    memset(ret, 0, sizeof(*ret));
    ret->send_from = party_of(feed)->receipted;
    return fake(party_of(feed)->resume_status, err);
}

static enum status feed_publish_fake(struct feed_context *feed,
                                     const struct code *peer,
                                     uint64_t from,
                                     size_t max,
                                     struct batch *ret,
                                     struct error *err)
{
    (void)peer;
    (void)max;
    struct party *party = party_of(feed);
    party->publishes++;
    memset(ret, 0, sizeof(*ret));
    uint64_t count = party->queued > from ? party->queued - from : 0;
    if (party->batch_max != 0 && count > party->batch_max)
        count = party->batch_max;
    if (party->publish_status == OK && count > 0)
        *ret = peer_wire_batch("origin", from, (size_t)count, 8);
    return fake(party->publish_status, err);
}

static enum status feed_publish_sign_fake(struct feed_context *feed,
                                          struct batch *batch,
                                          struct error *err)
{
    (void)feed;
    (void)batch;
    (void)err;
    return OK;
}

static enum status feed_receipt_fake(struct feed_context *feed,
                                     const struct code *peer,
                                     struct span note,
                                     struct feed_verification *verification,
                                     struct error *err)
{
    (void)peer;
    (void)note;
    (void)verification;
    (void)err;
    party_of(feed)->receipted = party_of(feed)->queued;
    return OK;
}

static enum status feed_check_fake(struct feed_context *feed,
                                   const struct code *peer,
                                   const struct batch *batch,
                                   struct error *err)
{
    (void)peer;
    (void)batch;
    return fake(party_of(feed)->ingest_status, err);
}

static enum status feed_ingest_fake(struct feed_context *feed,
                                    const struct code *peer,
                                    const struct batch *batch,
                                    struct feed_verification *verification,
                                    struct error *err)
{
    (void)peer;
    (void)verification;
    (void)err;
    party_of(feed)->stored = batch_end(batch);
    return OK;
}

static enum status feed_ingest_sign_fake(struct feed_context *feed,
                                         const struct code *peer,
                                         struct buf *ret,
                                         struct error *err)
{
    (void)peer;
    (void)err;
    party_of(feed)->receipts_signed++;
    peer_wire_note(ret, "origin", party_of(feed)->stored, 'r');
    return OK;
}

static enum status feed_waiting_fake(
    struct feed_context *feed, struct code *ret, size_t max, size_t *ret_count, struct error *err)
{
    (void)max;
    (void)err;
    struct party *party = party_of(feed);
    *ret_count = party->queued > party->receipted ? 1 : 0;
    ret[0] = party->other;
    return OK;
}

static enum status feed_alarm_fake(struct feed_context *feed,
                                   const struct code *peer,
                                   const char *text,
                                   struct error *err)
{
    (void)peer;
    (void)err;
    struct party *party = party_of(feed);
    party->alarms++;
    snprintf(party->last_alarm, sizeof(party->last_alarm), "%s", text);
    return OK;
}

/* -- the network ------------------------------------------------------------------------------- */

static struct end *other_end(struct end *end)
{
    return &end->wire->ends[end == &end->wire->ends[0] ? 1 : 0];
}

static void io_send(void *self, void *owner, struct buf *frame)
{
    (void)self;
    struct end *to = other_end(owner);
    if (to->wire->silent || to->link == NULL) {
        buf_fini(frame);
        return;
    }
    assert_true(to->inbox_count < FRAMES_MAX);
    to->inbox[to->inbox_count++] = buf_move(frame);
}

static void io_close(void *self, void *owner, const struct error *why, bool penalty)
{
    struct party *party = self;
    struct end *end = owner;
    assert_false(end->closing);
    end->closing = true;
    party->closes++;
    party->penalties += penalty;
    party->last_close = why->status;
}

static void io_pause(void *self, void *owner, bool paused)
{
    (void)owner;
    ((struct party *)self)->pauses += paused;
}

static size_t io_queued(void *self, void *owner)
{
    (void)owner;
    return ((struct party *)self)->queued_bytes;
}

static void io_dial(void *self, const struct code *peer, const char *address)
{
    (void)peer;
    (void)address;
    ((struct party *)self)->dials++;
}

static void io_event(void *self, const char *name, const struct code *peer, const char *fields)
{
    (void)peer;
    (void)fields;
    struct party *party = self;
    snprintf(party->last_event, sizeof(party->last_event), "%s", name);
}

static enum status auth_sign(void *auth, struct span bytes, struct buf *ret, struct error *err)
{
    (void)auth;
    return buf_append(ret, span_slice(bytes, 0, 32), err);
}

static enum status auth_verify(void *auth,
                               struct span bytes,
                               struct span signature,
                               struct error *err)
{
    (void)auth;
    if (!span_equal(span_slice(bytes, 0, 32), signature))
        return error_set(err, ERR_SIGNATURE, "not signed so");
    return OK;
}

/* -- the worker's storage: nothing ------------------------------------------------------------ */

static enum status begin_counting(void *self, bool relaxed, struct error *err)
{
    (void)err;
    struct party *party = self;
    party->commits += !relaxed;
    party->relaxed += relaxed;
    return OK;
}

static enum status nothing(void *self, struct error *err)
{
    (void)self;
    (void)err;
    return OK;
}

static enum status nothing_kept(void *self, bool keep, struct error *err)
{
    (void)self;
    (void)keep;
    (void)err;
    return OK;
}

static void nothing_undone(void *self)
{
    (void)self;
}

static enum status nothing_idle(void *self,
                                int64_t now_ms,
                                struct worker_idle *ret_idle,
                                struct error *err)
{
    (void)self;
    (void)err;
    *ret_idle = (struct worker_idle){ now_ms + 1000 * 1000, false };
    return OK;
}

/* -- putting it together ----------------------------------------------------------------------- */

static void party_init(
    struct world *world, struct party *party, const char *code, const char *other, char boot)
{
    *party = (struct party){ .world = world };
    assert_int_equal(code_parse(code, &party->code, NULL), OK);
    assert_int_equal(code_parse(other, &party->other, NULL), OK);
    const struct worker_config worker = {
        .storage = { party, begin_counting, nothing, nothing_kept, nothing, nothing_undone, nothing,
                     nothing_idle },
        .clock = &world->clock.base,
    };
    assert_int_equal(worker_new(&worker, &party->worker, NULL), OK);
    struct exchange_config config = {
        .self = party->code,
        .dial = true,
        .clock = &world->clock.base,
        .random = &world->random.base,
        .worker = party->worker,
        .feed = { &party->feed, feed_heads_fake, feed_resume_fake, feed_publish_fake,
                  feed_publish_sign_fake, feed_receipt_fake, feed_check_fake, feed_ingest_fake,
                  feed_ingest_sign_fake, NULL, NULL, feed_waiting_fake, NULL, feed_alarm_fake },
        .io = { party, io_send, io_close, io_pause, io_queued, io_dial, io_event },
    };
    assert_int_equal(realm_parse("training", &config.realm, NULL), OK);
    memset(config.boot_id, boot, sizeof(config.boot_id));
    assert_int_equal(exchange_new(&config, &party->exchange, NULL), OK);
    struct exchange_peer peer = { .code = party->other };
    snprintf(peer.address, sizeof(peer.address), "host:1");
    assert_int_equal(exchange_set_peers(party->exchange, &peer, 1, NULL), OK);
}

static void party_fini(struct party *party)
{
    worker_free(party->worker);
    exchange_free(party->exchange);
}

static struct world *world_new(void)
{
    struct world *world = test_calloc(1, sizeof(*world));
    clock_fake_init(&world->clock, 1000 * 1000);
    random_seeded_init(&world->random, 7);
    party_init(world, &world->ke, "KE", "UNODC", 'K');
    party_init(world, &world->un, "UNODC", "KE", 'U');
    return world;
}

static void end_clear(struct end *end)
{
    for (size_t i = 0; i < end->inbox_count; i++)
        buf_fini(&end->inbox[i]);
    end->inbox_count = 0;
}

static void end_close(struct end *end)
{
    struct link *link = end->link;
    end->link = NULL;
    end_clear(end);
    if (link != NULL)
        exchange_closed(link);
}

static void wire_cut(struct wire *wire)
{
    wire->open = false;
    end_close(&wire->ends[0]);
    end_close(&wire->ends[1]);
}

/* `from` has dialled `to`; NULL when one of them refuses. */
static struct wire *wire_open(struct world *world, struct party *from, struct party *to)
{
    assert_true(world->wire_count < WIRES_MAX);
    struct wire *wire = &world->wires[world->wire_count++];
    *wire = (struct wire){ .world = world, .open = true };
    struct party *parties[2] = { from, to };
    for (int i = 0; i < 2; i++)
        wire->ends[i] = (struct end){ .party = parties[i], .wire = wire };
    for (int i = 0; i < 2; i++) {
        struct end *end = &wire->ends[i];
        struct link_config config = {
            .peer = parties[1 - i]->code,
            .initiator = i == 0,
            .owner = end,
            .auth_sign = auth_sign,
            .auth_verify = auth_verify,
        };
        if (exchange_open(parties[i]->exchange, &config, &end->link, NULL) != OK) {
            wire_cut(wire);
            return NULL;
        }
    }
    return wire;
}

static bool end_step(struct end *end)
{
    bool moved = false;
    for (size_t i = 0; i < end->inbox_count; i++) {
        struct buf frame = buf_move(&end->inbox[i]);
        if (end->link != NULL && !end->closing && !end->wire->silent)
            exchange_receive(end->link, span_slice(buf_span(&frame), 4, frame.size));
        buf_fini(&frame);
        moved = true;
    }
    end->inbox_count = 0;
    return moved;
}

/* Until nobody has anything to do at this moment. */
static void world_settle(struct world *world)
{
    bool moved = true;
    while (moved) {
        moved = false;
        worker_run(world->ke.worker);
        worker_run(world->un.worker);
        for (size_t i = 0; i < world->wire_count; i++) {
            struct wire *wire = &world->wires[i];
            if (!wire->open)
                continue;
            moved = end_step(&wire->ends[0]) || moved;
            moved = end_step(&wire->ends[1]) || moved;
            worker_run(world->ke.worker);
            worker_run(world->un.worker);
            bool ends = wire->ends[0].closing || wire->ends[1].closing;
            if (ends && wire->ends[0].inbox_count + wire->ends[1].inbox_count == 0)
                wire_cut(wire);
        }
    }
}

static void world_advance(struct world *world, int64_t ms)
{
    while (ms > 0) {
        int64_t step = ms < 500 ? ms : 500;
        clock_fake_advance(&world->clock, step);
        ms -= step;
        exchange_tick(world->ke.exchange);
        exchange_tick(world->un.exchange);
        world_settle(world);
    }
}

static void world_free(struct world *world)
{
    for (size_t i = 0; i < world->wire_count; i++)
        if (world->wires[i].open)
            wire_cut(&world->wires[i]);
    party_fini(&world->ke);
    party_fini(&world->un);
    test_free(world);
}

static bool is_connected(const struct party *party)
{
    struct exchange_status status;
    return exchange_peers(party->exchange, &status, 1) == 1 && status.connected;
}

#endif
