/* One frame's body.  What is taken can be sent again and then says the same; of a Batch or a Heal,
 * protobuf-c thinks the same as our own codec. */
#include "fuzz.h"

#include "base/memory.h"
#include "support/peer_wire.h"
#include "wire/codec.h"
#include "wire/frame.h"

#include <comity.pb-c.h>
#include <string.h>

static enum status encode(const struct message *message, struct buf *frame)
{
    switch (message->kind) {
    case MESSAGE_HELLO:
        return codec_encode_hello(&message->hello, frame, NULL);
    case MESSAGE_BATCH:
        return codec_encode_batch(&message->batch, frame, NULL);
    case MESSAGE_RECEIPT:
        return codec_encode_receipt(buf_span(&message->note), frame, NULL);
    case MESSAGE_HEAL:
        return codec_encode_heal(&message->heal, frame, NULL);
    case MESSAGE_HEAL_TAKEN:
    case MESSAGE_PING:
    case MESSAGE_PONG:
        return codec_encode_number(message->kind, message->number, frame, NULL);
    case MESSAGE_GOODBYE:
        return codec_encode_goodbye((enum goodbye_reason)message->number, message->text, frame,
                                    NULL);
    case MESSAGE_KIND_COUNT:
        break;
    }
    return ERR_INTERNAL;
}

static void require_same(const struct message *a, const struct message *b)
{
    FUZZ_REQUIRE(a->kind == b->kind && a->number == b->number);
    FUZZ_REQUIRE(strcmp(a->text, b->text) == 0);
    FUZZ_REQUIRE(span_equal(buf_span(&a->note), buf_span(&b->note)));
    FUZZ_REQUIRE(span_equal(buf_span(&a->hello.signature), buf_span(&b->hello.signature)));
    FUZZ_REQUIRE(code_equal(&a->hello.code, &b->hello.code));
    FUZZ_REQUIRE(span_equal(buf_span(&a->hello.heads.mine), buf_span(&b->hello.heads.mine)));
    FUZZ_REQUIRE(
        span_equal(buf_span(&a->hello.heads.mine_receipt), buf_span(&b->hello.heads.mine_receipt)));
    FUZZ_REQUIRE(span_equal(buf_span(&a->hello.heads.yours), buf_span(&b->hello.heads.yours)));
    FUZZ_REQUIRE(span_equal(buf_span(&a->hello.heads.yours_receipt),
                            buf_span(&b->hello.heads.yours_receipt)));
    FUZZ_REQUIRE(peer_wire_batch_equal(&a->batch, &b->batch));
    FUZZ_REQUIRE(a->heal.header_count == b->heal.header_count);
    for (size_t i = 0; i < a->heal.header_count; i++)
        FUZZ_REQUIRE(span_equal(a->heal.headers[i], b->heal.headers[i]));
}

static void require_agreement(const struct message *message, struct span frame)
{
    if (message->kind != MESSAGE_BATCH && message->kind != MESSAGE_HEAL)
        return;
    Comity__Peer__Envelope *envelope = comity__peer__envelope__unpack(NULL, frame.size, frame.data);
    FUZZ_REQUIRE(envelope != NULL);
    if (message->kind == MESSAGE_HEAL) {
        FUZZ_REQUIRE(envelope->heal->n_headers == message->heal.header_count);
        FUZZ_REQUIRE(envelope->heal->first_index == message->heal.first_index);
    } else {
        const Comity__Peer__Batch *batch = envelope->batch;
        FUZZ_REQUIRE(batch->n_entries == message->batch.entry_count);
        FUZZ_REQUIRE(batch->first_index == message->batch.first_index);
        for (size_t i = 0; i < batch->n_entries; i++) {
            const Comity__Peer__Entry *entry = batch->entries[i];
            struct span body = span_of(entry->body.data, entry->body.len);
            FUZZ_REQUIRE(span_equal(body, message->batch.entries[i].body));
        }
    }
    comity__peer__envelope__free_unpacked(envelope, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span frame = span_of(data, size);
    struct message message;
    struct message again;
    struct error err = ERROR_INIT;
    int64_t live = mem_live();
    enum status status = codec_decode(frame, &message, &err);
    FUZZ_REQUIRE(status == OK || err.status == status);
    if (status == OK) {
        struct buf sent = BUF_INIT;
        FUZZ_REQUIRE(encode(&message, &sent) == OK);
        struct span body = span_slice(buf_span(&sent), FRAME_HEAD_SIZE, sent.size);
        FUZZ_REQUIRE(codec_decode(body, &again, NULL) == OK);
        require_same(&message, &again);
        require_agreement(&message, frame);
        message_fini(&again);
        message_fini(&message);
        buf_fini(&sent);
    }
    FUZZ_REQUIRE(mem_live() == live);
    return 0;
}
