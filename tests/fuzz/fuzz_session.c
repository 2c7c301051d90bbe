/* The input is a script: what a peer says, in any order, and when the owner answers and the clock
 * goes on.  The host holds the session to its promises: bounds, one question of a kind, and CLOSE
 * exactly once and last. */
#include "fuzz.h"

#include "base/memory.h"
#include "support/peer_wire.h"
#include "support/session_host.h"
#include "wire/codec.h"

#include <string.h>

#define AU_TO_KE "comity.v1/training/feed/AU/KE/0000000000000001"
#define KE_TO_AU "comity.v1/training/feed/KE/AU/0000000000000002"

struct script {
    struct span rest;
    struct host ke;
    struct host_feed ke_feed;
    struct host au; /* only to speak a proper Hello */
    struct host_feed au_feed;
    int64_t now_ms;
};

static uint8_t next(struct script *script)
{
    uint8_t byte = script->rest.size > 0 ? script->rest.data[0] : 0;
    script->rest = span_slice(script->rest, 1, script->rest.size);
    return byte;
}

/* A well-formed message with numbers out of the script. */
static void say(struct script *script, enum message_kind kind)
{
    struct buf frame = BUF_INIT;
    uint64_t number = next(script);
    size_t count = next(script) % 4U + 1U;
    enum status status = OK;
    if (kind == MESSAGE_BATCH) {
        struct batch batch = peer_wire_batch(AU_TO_KE, number, count, 20);
        status = codec_encode_batch(&batch, &frame, NULL);
        batch_fini(&batch);
    } else if (kind == MESSAGE_HEAL) {
        struct heal heal = peer_wire_heal(KE_TO_AU, number, count, count == 1);
        status = codec_encode_heal(&heal, &frame, NULL);
        heal_fini(&heal);
    } else if (kind == MESSAGE_RECEIPT) {
        struct buf note = BUF_INIT;
        peer_wire_note(&note, KE_TO_AU, number, 'r');
        status = codec_encode_receipt(buf_span(&note), &frame, NULL);
        buf_fini(&note);
    } else if (kind == MESSAGE_GOODBYE) {
        status = codec_encode_goodbye((enum goodbye_reason)number, "so long", &frame, NULL);
    } else {
        status = codec_encode_number(kind, number, &frame, NULL);
    }
    FUZZ_REQUIRE(status == OK);
    host_receive(&script->ke, script->now_ms, buf_span(&frame));
    buf_fini(&frame);
}

static void say_raw(struct script *script, bool framed)
{
    struct span bytes = span_slice(script->rest, 0, next(script));
    script->rest = span_slice(script->rest, bytes.size, script->rest.size);
    if (framed)
        host_receive_frame(&script->ke, script->now_ms, bytes);
    else
        host_receive(&script->ke, script->now_ms, bytes);
}

static void step(struct script *script)
{
    static const enum status answers[] = { OK, OK, OK, ERR_BUSY, ERR_INVALID, ERR_IO };
    struct host *ke = &script->ke;
    uint8_t what = next(script);
    if (what % 16 < 8 && what % 16 > MESSAGE_HELLO) {
        say(script, (enum message_kind)(what % 16));
    } else if (what % 16 == 0) {
        host_start(ke, script->now_ms);
    } else if (what % 16 == MESSAGE_HELLO) {
        host_receive(ke, script->now_ms, buf_span(&script->au.out));
    } else if (what % 16 == 8) {
        say(script, MESSAGE_GOODBYE);
    } else if (what % 16 == 9) {
        say_raw(script, what >= 128);
    } else if (what % 16 == 10) {
        script->now_ms += next(script) * 500;
        host_tick(ke, script->now_ms);
    } else if (what % 16 == 11) {
        script->ke_feed.queued += next(script) % 8;
        host_wake(ke, script->now_ms);
    } else if (what % 16 == 12) {
        session_probe(ke->session, script->now_ms);
        host_drain(ke);
    } else {
        ke->answer = what % 16 == 13 ? answers[what / 16 % 6] : OK;
        host_answer(ke, script->now_ms);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t live = mem_live();
    struct script script = { .rest = span_of(data, size) };
    script.ke_feed = (struct host_feed){ .origin_out = KE_TO_AU, .origin_in = AU_TO_KE };
    script.au_feed = (struct host_feed){ .origin_out = AU_TO_KE, .origin_in = KE_TO_AU };
    script.ke_feed.batch_entries = 2;
    script.ke_feed.body_size = 20;
    script.ke_feed.heal_to = next(&script) % 8;
    struct session_config ke = host_config("KE", "AU", false);
    struct session_config au = host_config("AU", "KE", true);
    FUZZ_REQUIRE(host_init(&script.ke, &script.ke_feed, &ke, NULL) == OK);
    FUZZ_REQUIRE(host_init(&script.au, &script.au_feed, &au, NULL) == OK);
    host_start(&script.au, 0);
    for (int steps = 0; script.rest.size > 0 && steps < 500; steps++)
        step(&script);
    host_fini(&script.ke);
    host_fini(&script.au);
    FUZZ_REQUIRE(mem_live() == live);
    return 0;
}
