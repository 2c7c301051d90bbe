#include "support/session_scene.h"

#include "support/check.h"
#include "support/peer_wire.h"

void scene_init(struct scene *scene)
{
    *scene = (struct scene){
        .feed = { .origin_out = KE_TO_AU,
                  .origin_in = AU_TO_KE,
                  .batch_entries = 1,
                  .body_size = 10 },
    };
    struct session_config config = host_config("KE", "AU", false);
    struct error err = ERROR_INIT;
    CHECK_OK(host_init(&scene->ke, &scene->feed, &config, &err), &err);
}

void scene_fini(struct scene *scene)
{
    host_fini(&scene->ke);
}

/* The Hello of a node with this configuration, without its length. */
struct buf scene_hello_of(const struct session_config *config)
{
    struct host_feed feed = { .origin_out = AU_TO_KE, .origin_in = KE_TO_AU };
    struct host host;
    assert_int_equal(host_init(&host, &feed, config, NULL), OK);
    host_start(&host, 0);
    struct buf hello = BUF_INIT;
    struct span body = span_slice(buf_span(&host.out), FRAME_HEAD_SIZE, host.out.size);
    assert_int_equal(buf_append(&hello, body, NULL), OK);
    host_fini(&host);
    return hello;
}

void scene_hear(struct scene *scene, struct buf *frame)
{
    host_receive_frame(&scene->ke, 0, buf_span(frame));
    buf_fini(frame);
}

void scene_reach(struct scene *scene, enum session_state state)
{
    struct session_config au = host_config("AU", "KE", true);
    scene_init(scene);
    if (state != SESSION_NEW)
        host_start(&scene->ke, 0);
    if (state == SESSION_COMPARING || state == SESSION_RUNNING) {
        struct buf hello = scene_hello_of(&au);
        scene_hear(scene, &hello);
    }
    if (state == SESSION_RUNNING)
        host_answer_all(&scene->ke, 0);
    if (state == SESSION_CLOSED) {
        session_stop(scene->ke.session, 0, OK, NULL);
        host_drain(&scene->ke);
    }
    assert_int_equal(session_state(scene->ke.session), state);
}

/* The last frame that the host sent. */
struct message scene_last_sent(const struct host *host)
{
    struct frame_reader reader;
    frame_reader_init(&reader);
    struct span rest = buf_span(&host->out);
    struct message message = { .kind = MESSAGE_KIND_COUNT };
    while (rest.size > 0) {
        struct span frame;
        assert_int_equal(frame_reader_take(&reader, FRAME_BATCH_MAX, &rest, &frame, NULL), OK);
        message_fini(&message);
        assert_int_equal(codec_decode(frame, &message, NULL), OK);
    }
    frame_reader_fini(&reader);
    return message;
}

void scene_check_closed(struct scene *scene,
                        enum status status,
                        bool penalty,
                        enum goodbye_reason reason,
                        const char *says)
{
    assert_true(scene->ke.closed);
    if (scene->ke.why.status != status)
        print_error("%s\n", scene->ke.why.text);
    assert_int_equal(scene->ke.why.status, status);
    assert_int_equal(scene->ke.penalty, penalty);
    CHECK_CONTAINS(scene->ke.why.text, says);
    struct message goodbye = scene_last_sent(&scene->ke);
    assert_int_equal(goodbye.kind, MESSAGE_GOODBYE);
    assert_int_equal(goodbye.number, reason);
    message_fini(&goodbye);
}

/* -- messages ---------------------------------------------------------------------------------- */

static struct buf body_of(struct buf *frame, enum status status)
{
    assert_int_equal(status, OK);
    memmove(frame->data, frame->data + FRAME_HEAD_SIZE, frame->size - FRAME_HEAD_SIZE);
    frame->size -= FRAME_HEAD_SIZE;
    return buf_move(frame);
}

struct buf scene_batch(const char *origin, uint64_t first, size_t count, size_t body_size)
{
    struct buf frame = BUF_INIT;
    struct batch batch = peer_wire_batch(origin, first, count, body_size);
    enum status status = codec_encode_batch(&batch, &frame, NULL);
    batch_fini(&batch);
    return body_of(&frame, status);
}

struct buf scene_receipt(uint64_t size)
{
    struct buf frame = BUF_INIT;
    struct buf note = BUF_INIT;
    peer_wire_note(&note, KE_TO_AU, size, 'r');
    enum status status = codec_encode_receipt(buf_span(&note), &frame, NULL);
    buf_fini(&note);
    return body_of(&frame, status);
}

struct buf scene_heal(const char *origin, uint64_t first, size_t count, bool last)
{
    struct buf frame = BUF_INIT;
    struct heal heal = peer_wire_heal(origin, first, count, last);
    enum status status = codec_encode_heal(&heal, &frame, NULL);
    heal_fini(&heal);
    return body_of(&frame, status);
}

struct buf scene_number(enum message_kind kind, uint64_t number)
{
    struct buf frame = BUF_INIT;
    enum status status = codec_encode_number(kind, number, &frame, NULL);
    return body_of(&frame, status);
}

struct buf scene_goodbye(enum goodbye_reason reason, const char *text)
{
    struct buf frame = BUF_INIT;
    enum status status = codec_encode_goodbye(reason, text, &frame, NULL);
    return body_of(&frame, status);
}

struct buf scene_sample(enum message_kind kind)
{
    struct session_config au = host_config("AU", "KE", true);
    switch (kind) {
    case MESSAGE_HELLO:
        return scene_hello_of(&au);
    case MESSAGE_BATCH:
        return scene_batch(AU_TO_KE, 0, 1, 10);
    case MESSAGE_RECEIPT:
        return scene_receipt(1);
    case MESSAGE_HEAL:
        return scene_heal(KE_TO_AU, 0, 1, true);
    case MESSAGE_HEAL_TAKEN:
    case MESSAGE_PING:
    case MESSAGE_PONG:
        return scene_number(kind, 1);
    case MESSAGE_GOODBYE:
        return scene_goodbye(GOODBYE_CLOSING, "good night");
    case MESSAGE_KIND_COUNT:
        break;
    }
    fail();
    return (struct buf)BUF_INIT;
}
