#include "wire/codec.h"

#include "base/text.h"
#include "wire/codec_bulk.h"
#include "wire/frame.h"
#include "wire/heading.h"
#include "wire/message.h"

#include <comity.pb-c.h>
#include <string.h>

const char *message_kind_name(enum message_kind kind)
{
    static const char *const names[MESSAGE_KIND_COUNT] = {
        [MESSAGE_HELLO] = "Hello",
        [MESSAGE_BATCH] = "Batch",
        [MESSAGE_RECEIPT] = "Receipt",
        [MESSAGE_HEAL] = "Heal",
        [MESSAGE_HEAL_TAKEN] = "HealTaken",
        [MESSAGE_PING] = "Ping",
        [MESSAGE_PONG] = "Pong",
        [MESSAGE_GOODBYE] = "Goodbye",
    };
    const char *name = kind < MESSAGE_KIND_COUNT ? names[kind] : NULL;
    return name == NULL ? "unknown" : name;
}

/* -- reasons of a Goodbye ---------------------------------------------------------------------- */

static const enum goodbye_reason reasons[STATUS_COUNT] = {
    [OK] = GOODBYE_CLOSING,
    [ERR_INVALID] = GOODBYE_MALFORMED,
    [ERR_LIMIT] = GOODBYE_LIMIT,
    [ERR_MEMORY] = GOODBYE_BUSY,
    [ERR_NOT_FOUND] = GOODBYE_BUSY,
    [ERR_EXISTS] = GOODBYE_REPLACED,
    [ERR_DENIED] = GOODBYE_DENIED,
    [ERR_WRONG_STATE] = GOODBYE_ORDER,
    [ERR_CONFLICT] = GOODBYE_CLONE,
    [ERR_SIGNATURE] = GOODBYE_IDENTITY,
    [ERR_MISMATCH] = GOODBYE_MISMATCH,
    [ERR_CORRUPT] = GOODBYE_BUSY,
    [ERR_IO] = GOODBYE_BUSY,
    [ERR_FULL] = GOODBYE_BUSY,
    [ERR_BUSY] = GOODBYE_BUSY,
    [ERR_UNSUPPORTED] = GOODBYE_VERSION,
    [ERR_EXPIRED] = GOODBYE_TIMEOUT,
    [ERR_ERASED] = GOODBYE_BUSY,
    [ERR_INTERNAL] = GOODBYE_BUSY,
};

enum goodbye_reason goodbye_reason_of(enum status status)
{
    return status < STATUS_COUNT ? reasons[status] : GOODBYE_BUSY;
}

enum status goodbye_status_of(uint32_t reason)
{
    static const enum status statuses[GOODBYE_REASON_COUNT] = {
        [GOODBYE_CLOSING] = OK,
        [GOODBYE_MALFORMED] = ERR_INVALID,
        [GOODBYE_LIMIT] = ERR_LIMIT,
        [GOODBYE_VERSION] = ERR_UNSUPPORTED,
        [GOODBYE_IDENTITY] = ERR_SIGNATURE,
        [GOODBYE_DENIED] = ERR_DENIED,
        [GOODBYE_MISMATCH] = ERR_MISMATCH,
        [GOODBYE_TIMEOUT] = ERR_EXPIRED,
        [GOODBYE_BUSY] = ERR_BUSY,
        [GOODBYE_ORDER] = ERR_WRONG_STATE,
        [GOODBYE_REPLACED] = ERR_EXISTS,
        [GOODBYE_CLONE] = ERR_CONFLICT,
    };
    bool known = reason >= GOODBYE_CLOSING && reason < GOODBYE_REASON_COUNT;
    return known ? statuses[reason] : ERR_UNSUPPORTED;
}

/* -- lifetime ---------------------------------------------------------------------------------- */

void hello_fini(struct hello *hello)
{
    if (hello == NULL)
        return;
    buf_fini(&hello->signature);
    heads_fini(&hello->heads);
}

void message_fini(struct message *message)
{
    if (message == NULL)
        return;
    hello_fini(&message->hello);
    batch_fini(&message->batch);
    buf_fini(&message->note);
    heal_fini(&message->heal);
}

/* -- rules ------------------------------------------------------------------------------------- */

static enum status check_size(
    size_t size, size_t least, size_t most, const char *what, struct error *err)
{
    if (size >= least && size <= most)
        return OK;
    return error_set(err, size > most ? ERR_LIMIT : ERR_INVALID,
                     "%s of %zu bytes, allowed are %zu to %zu", what, size, least, most);
}

/* PROTOCOL 5.3: "features MUST be in rising order, none twice, none 0, at most 16." */
static enum status check_features(const uint32_t *features, size_t count, struct error *err)
{
    if (count > FEATURES_MAX)
        return error_set(err, ERR_LIMIT, "%zu features > %d", count, FEATURES_MAX);
    for (size_t i = 0; i < count; i++) {
        if (features[i] <= (i == 0 ? 0 : features[i - 1]))
            return error_set(err, ERR_INVALID, "features are not in rising order");
    }
    return OK;
}

static enum status check_heads(const struct heads *heads, struct error *err)
{
    enum status status = check_size(heads->mine.size, 0, HELLO_NOTE_MAX, "mine", err);
    if (status == OK)
        status = check_size(heads->mine_receipt.size, 0, HELLO_NOTE_MAX, "mine_receipt", err);
    if (status == OK)
        status = check_size(heads->yours.size, 0, HELLO_NOTE_MAX, "yours", err);
    if (status == OK)
        status = check_size(heads->yours_receipt.size, 0, HELLO_NOTE_MAX, "yours_receipt", err);
    return status;
}

static enum status check_hello(const struct hello *hello, struct error *err)
{
    enum status status =
        check_size(hello->signature.size, 1, HELLO_SIGNATURE_MAX, "signature", err);
    if (status == OK)
        status = check_features(hello->features, hello->feature_count, err);
    if (status == OK)
        status = check_heads(&hello->heads, err);
    return status;
}

static enum status check_receipt(struct span note, struct error *err)
{
    struct heading heading;
    return heading_read(note, &heading, err);
}

/* -- decoding ---------------------------------------------------------------------------------- */

/* Which message an Envelope holds.  Fields that this version does not know are passed over. */
static enum status find_kind(struct span frame, enum message_kind *ret_kind, struct error *err)
{
    struct message_field field;
    enum status status = OK;
    enum message_kind kind = MESSAGE_KIND_COUNT;
    size_t fields = 0;
    while (message_next(&frame, &field, &status)) {
        if (++fields > MESSAGE_UNKNOWN_MAX + 1)
            return error_set(err, ERR_LIMIT, "more than %d unknown fields", MESSAGE_UNKNOWN_MAX);
        if (field.number >= MESSAGE_KIND_COUNT)
            continue;
        /* PROTOCOL 5.2: "An Envelope MUST hold exactly one message." */
        if (kind != MESSAGE_KIND_COUNT)
            return error_set(err, ERR_INVALID, "two messages in one frame");
        kind = (enum message_kind)field.number;
    }
    if (status != OK)
        return error_set(err, status, "malformed Envelope");
    if (kind == MESSAGE_KIND_COUNT)
        return error_set(err, ERR_UNSUPPORTED, "no message that this version knows");
    *ret_kind = kind;
    return OK;
}

/* A note in a Hello: absent is "none"; there but empty is a mistake. */
static enum status copy_note(
    bool has, const ProtobufCBinaryData *bytes, const char *what, struct buf *to, struct error *err)
{
    if (!has)
        return OK;
    enum status status = check_size(bytes->len, 1, HELLO_NOTE_MAX, what, err);
    return status == OK ? buf_append(to, span_of(bytes->data, bytes->len), err) : status;
}

static enum status decode_hello_names(const Comity__Peer__Hello *from,
                                      struct hello *hello,
                                      struct error *err)
{
    hello->version = from->version;
    enum status status = check_size(from->boot_id.len, BOOT_ID_SIZE, BOOT_ID_SIZE, "boot_id", err);
    if (status == OK)
        memcpy(hello->boot_id, from->boot_id.data, BOOT_ID_SIZE);
    if (status == OK)
        status = realm_parse(from->realm, &hello->realm, err);
    if (status == OK)
        status = code_parse(from->code, &hello->code, err);
    return status;
}

static enum status decode_hello(const Comity__Peer__Hello *from,
                                struct hello *hello,
                                struct error *err)
{
    enum status status = decode_hello_names(from, hello, err);
    if (status == OK)
        status = check_features(from->features, from->n_features, err);
    for (size_t i = 0; status == OK && i < from->n_features; i++)
        hello->features[hello->feature_count++] = from->features[i];
    if (status == OK)
        status = check_size(from->signature.len, 1, HELLO_SIGNATURE_MAX, "signature", err);
    if (status == OK)
        status =
            buf_append(&hello->signature, span_of(from->signature.data, from->signature.len), err);
    if (status == OK)
        status = copy_note(from->has_mine, &from->mine, "mine", &hello->heads.mine, err);
    if (status == OK)
        status = copy_note(from->has_mine_receipt, &from->mine_receipt, "mine_receipt",
                           &hello->heads.mine_receipt, err);
    if (status == OK)
        status = copy_note(from->has_yours, &from->yours, "yours", &hello->heads.yours, err);
    if (status == OK)
        status = copy_note(from->has_yours_receipt, &from->yours_receipt, "yours_receipt",
                           &hello->heads.yours_receipt, err);
    return status;
}

static enum status decode_receipt(const Comity__Peer__Receipt *from,
                                  struct message *message,
                                  struct error *err)
{
    struct span note = span_of(from->note.data, from->note.len);
    enum status status = check_receipt(note, err);
    return status == OK ? buf_append(&message->note, note, err) : status;
}

static enum status decode_goodbye(const Comity__Peer__Goodbye *from,
                                  struct message *message,
                                  struct error *err)
{
    struct span text = span_text(from->text);
    message->number = from->reason;
    enum status status = check_size(text.size, 0, GOODBYE_TEXT_MAX, "text", err);
    if (status != OK)
        return status;
    /* PROTOCOL 5.9: "text MUST be one line of text (1)." */
    status = text_check(text, TEXT_LINE, "text", err);
    if (status != OK)
        return status;
    if (text.size > 0)
        memcpy(message->text, text.data, text.size);
    return OK;
}

static enum status decode_small(const Comity__Peer__Envelope *envelope,
                                struct message *message,
                                struct error *err)
{
    switch (message->kind) {
    case MESSAGE_HELLO:
        return decode_hello(envelope->hello, &message->hello, err);
    case MESSAGE_RECEIPT:
        return decode_receipt(envelope->receipt, message, err);
    case MESSAGE_GOODBYE:
        return decode_goodbye(envelope->goodbye, message, err);
    case MESSAGE_HEAL_TAKEN:
        message->number = envelope->heal_taken->next_index;
        return OK;
    case MESSAGE_PING:
        message->number = envelope->ping->number;
        return OK;
    case MESSAGE_PONG:
        message->number = envelope->pong->number;
        return OK;
    case MESSAGE_BATCH:
    case MESSAGE_HEAL:
    case MESSAGE_KIND_COUNT:
        break;
    }
    return error_set(err, ERR_INTERNAL, "not a message that is unpacked here");
}

static enum status unpack_small(struct span frame, struct message *message, struct error *err)
{
    struct message_arena arena;
    ProtobufCMessage *unpacked = NULL;
    enum status status = message_unpack(&comity__peer__envelope__descriptor, frame,
                                        &message_limits_control, &arena, &unpacked, err);
    if (status == OK) {
        status = decode_small((const Comity__Peer__Envelope *)unpacked, message, err);
        if (status != OK)
            error_prefix(err, "%s", message_kind_name(message->kind));
    }
    message_arena_fini(&arena);
    return status;
}

enum status codec_decode(struct span frame, struct message *ret_message, struct error *err)
{
    struct message message = { 0 };
    enum status status = find_kind(frame, &message.kind, err);
    if (status != OK)
        return status;
    /* PROTOCOL 4.2: "MUST refuse a larger message of another kind afterwards" */
    if (message.kind != MESSAGE_BATCH && frame.size > FRAME_CONTROL_MAX)
        return error_set(err, ERR_LIMIT, "%s of %zu bytes > %d", message_kind_name(message.kind),
                         frame.size, FRAME_CONTROL_MAX);
    if (message.kind == MESSAGE_BATCH)
        status = codec_bulk_decode_batch(frame, &message.batch, err);
    else if (message.kind == MESSAGE_HEAL)
        status = codec_bulk_decode_heal(frame, &message.heal, err);
    else
        status = unpack_small(frame, &message, err);
    if (status == OK)
        *ret_message = message;
    else
        message_fini(&message);
    return status;
}

/* -- encoding ---------------------------------------------------------------------------------- */

static enum status pack(const Comity__Peer__Envelope *envelope,
                        uint32_t max,
                        struct buf *frame,
                        struct error *err)
{
    size_t before = frame->size;
    size_t at = 0;
    enum status status = frame_begin(frame, &at, err);
    if (status == OK)
        status = message_pack(&envelope->base, frame, err);
    if (status == OK)
        status = frame_end(frame, at, max, err);
    if (status != OK)
        frame->size = before;
    return status;
}

static ProtobufCBinaryData binary(const struct buf *buf)
{
    return (ProtobufCBinaryData){ .len = buf->size, .data = buf->data };
}

enum status codec_encode_hello(const struct hello *hello, struct buf *frame, struct error *err)
{
    enum status status = codec_bulk_own_fault(check_hello(hello, err), "Hello", err);
    if (status != OK)
        return status;
    struct hello copy = *hello; /* protobuf-c takes no const; nothing is changed */
    Comity__Peer__Hello to = COMITY__PEER__HELLO__INIT;
    to.version = copy.version;
    to.realm = copy.realm.text;
    to.code = copy.code.text;
    to.boot_id = (ProtobufCBinaryData){ .len = BOOT_ID_SIZE, .data = copy.boot_id };
    to.n_features = copy.feature_count;
    to.features = copy.features;
    to.signature = binary(&copy.signature);
    to.mine = binary(&copy.heads.mine);
    to.has_mine = to.mine.len > 0;
    to.mine_receipt = binary(&copy.heads.mine_receipt);
    to.has_mine_receipt = to.mine_receipt.len > 0;
    to.yours = binary(&copy.heads.yours);
    to.has_yours = to.yours.len > 0;
    to.yours_receipt = binary(&copy.heads.yours_receipt);
    to.has_yours_receipt = to.yours_receipt.len > 0;
    Comity__Peer__Envelope envelope = COMITY__PEER__ENVELOPE__INIT;
    envelope.hello = &to;
    return pack(&envelope, FRAME_BEFORE_HELLO_MAX, frame, err);
}

enum status codec_encode_receipt(struct span note, struct buf *frame, struct error *err)
{
    enum status status = codec_bulk_own_fault(check_receipt(note, err), "Receipt", err);
    struct buf copy = BUF_INIT; /* protobuf-c takes no const */
    if (status == OK)
        status = buf_append(&copy, note, err);
    if (status == OK) {
        Comity__Peer__Receipt to = COMITY__PEER__RECEIPT__INIT;
        to.note = binary(&copy);
        Comity__Peer__Envelope envelope = COMITY__PEER__ENVELOPE__INIT;
        envelope.receipt = &to;
        status = pack(&envelope, FRAME_CONTROL_MAX, frame, err);
    }
    buf_fini(&copy);
    return status;
}

enum status codec_encode_number(enum message_kind kind,
                                uint64_t number,
                                struct buf *frame,
                                struct error *err)
{
    Comity__Peer__HealTaken taken = COMITY__PEER__HEAL_TAKEN__INIT;
    Comity__Peer__Ping ping = COMITY__PEER__PING__INIT;
    Comity__Peer__Pong pong = COMITY__PEER__PONG__INIT;
    taken.next_index = ping.number = pong.number = number;
    Comity__Peer__Envelope envelope = COMITY__PEER__ENVELOPE__INIT;
    if (kind == MESSAGE_HEAL_TAKEN)
        envelope.heal_taken = &taken;
    else if (kind == MESSAGE_PING)
        envelope.ping = &ping;
    else if (kind == MESSAGE_PONG)
        envelope.pong = &pong;
    else
        return error_set(err, ERR_INTERNAL, "%s is no message of one number",
                         message_kind_name(kind));
    return pack(&envelope, FRAME_CONTROL_MAX, frame, err);
}

/* The longest beginning that fits and ends with a whole character. */
static struct span fitting(struct span text)
{
    size_t size = text.size < GOODBYE_TEXT_MAX ? text.size : GOODBYE_TEXT_MAX;
    while (size > 0 && size < text.size && (text.data[size] & 0xc0) == 0x80)
        size--;
    return span_slice(text, 0, size);
}

enum status codec_encode_goodbye(enum goodbye_reason reason,
                                 const char *text,
                                 struct buf *frame,
                                 struct error *err)
{
    struct span cut = fitting(span_text(text));
    char copy[GOODBYE_TEXT_MAX + 1] = "";
    if (cut.size > 0 && text_find_flaw(cut, TEXT_LINE).kind == TEXT_PLAIN)
        memcpy(copy, cut.data, cut.size);
    Comity__Peer__Goodbye to = COMITY__PEER__GOODBYE__INIT;
    to.reason = reason;
    to.text = copy[0] == 0 ? NULL : copy;
    Comity__Peer__Envelope envelope = COMITY__PEER__ENVELOPE__INIT;
    envelope.goodbye = &to;
    return pack(&envelope, FRAME_BEFORE_HELLO_MAX, frame, err);
}
