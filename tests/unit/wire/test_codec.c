/* Small messages: what is refused in each; and memory that fails under any of them. */
#include "base/memory.h"
#include "support/check.h"
#include "support/peer_wire.h"
#include "wire/codec.h"
#include "wire/frame.h"

#define ORIGIN "comity.v1/training/feed/KE/AU/0123456789abcdef"

static struct span body_of(const struct buf *frame)
{
    return span_slice(buf_span(frame), FRAME_HEAD_SIZE, frame->size);
}

/* -- Hello ------------------------------------------------------------------------------------- */

struct hello_fields { /* NULL or 0: the good value; "-": left out */
    const char *what;
    const char *realm, *code;
    size_t boot_id, signature, mine;
    size_t features; /* how many of them */
    bool features_fall;
    enum status status;
    const char *says;
};

static void write_hello(const struct hello_fields *fields, struct buf *frame)
{
    static const uint8_t zeros[HELLO_NOTE_MAX + 1];
    struct buf hello = BUF_INIT;
    peer_wire_number(&hello, 1, 1);
    peer_wire_text(&hello, 2, fields->realm == NULL ? "training" : fields->realm);
    if (fields->code == NULL || strcmp(fields->code, "-") != 0)
        peer_wire_text(&hello, 3, fields->code == NULL ? "KE" : fields->code);
    peer_wire_bytes(&hello, 4, span_of(zeros, fields->boot_id == 0 ? 16 : fields->boot_id));
    struct buf features = BUF_INIT;
    for (size_t i = 0; i < fields->features; i++)
        peer_wire_varint(&features, fields->features_fall ? 20 - i : 1 + i);
    if (fields->features > 0)
        peer_wire_nest(&hello, 5, &features);
    peer_wire_bytes(&hello, 6, span_of(zeros, fields->signature == 0 ? 70 : fields->signature));
    if (fields->mine > 0) /* 1 means: there, but empty */
        peer_wire_bytes(&hello, 7, span_of(zeros, fields->mine - 1));
    peer_wire_nest(frame, 1, &hello);
}

static void codec_refuses_hellos_that_break_a_rule(void **state)
{
    (void)state;
    static const struct hello_fields table[] = {
        { .what = "no code", .code = "-", .status = ERR_INVALID, .says = "code is missing" },
        { .what = "small letters", .code = "ke", .status = ERR_INVALID, .says = "Hello" },
        { .what = "no realm", .realm = "", .status = ERR_INVALID, .says = "Hello" },
        { .what = "a realm like a path", .realm = "../x", .status = ERR_INVALID, .says = "Hello" },
        { .what = "a short boot id",
          .boot_id = 15,
          .status = ERR_INVALID,
          .says = "boot_id of 15" },
        { .what = "a long boot id", .boot_id = 17, .status = ERR_LIMIT, .says = "boot_id of 17" },
        { .what = "a long signature", .signature = 129, .status = ERR_LIMIT, .says = "signature" },
        { .what = "17 features", .features = 17, .status = ERR_LIMIT, .says = "17 features" },
        { .what = "features out of order",
          .features = 2,
          .features_fall = true,
          .status = ERR_INVALID,
          .says = "rising order" },
        { .what = "an empty note", .mine = 1, .status = ERR_INVALID, .says = "mine of 0 bytes" },
        { .what = "a long note", .mine = HELLO_NOTE_MAX + 2, .status = ERR_LIMIT, .says = "mine" },
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct buf frame = BUF_INIT;
        struct message message;
        struct error err = ERROR_INIT;
        print_message("%s\n", table[i].what);
        write_hello(&table[i], &frame);
        CHECK_STATUS(codec_decode(buf_span(&frame), &message, &err), table[i].status, &err);
        CHECK_CONTAINS(err.text, table[i].says);
        buf_fini(&frame);
    }
}

static struct hello full_hello(void)
{
    struct hello hello = { .version = 1, .feature_count = FEATURES_MAX };
    assert_int_equal(realm_parse("training", &hello.realm, NULL), OK);
    assert_int_equal(code_parse("UNODC", &hello.code, NULL), OK);
    memset(hello.boot_id, 0xb0, sizeof hello.boot_id);
    for (uint32_t i = 0; i < FEATURES_MAX; i++)
        hello.features[i] = 0xfffffff0U + i;
    assert_int_equal(buf_append_zeros(&hello.signature, HELLO_SIGNATURE_MAX, NULL), OK);
    assert_int_equal(buf_append_zeros(&hello.heads.mine, HELLO_NOTE_MAX, NULL), OK);
    assert_int_equal(buf_append_zeros(&hello.heads.mine_receipt, HELLO_NOTE_MAX, NULL), OK);
    assert_int_equal(buf_append_zeros(&hello.heads.yours, HELLO_NOTE_MAX, NULL), OK);
    assert_int_equal(buf_append_zeros(&hello.heads.yours_receipt, HELLO_NOTE_MAX, NULL), OK);
    return hello;
}

static void codec_carries_the_fullest_hello_in_what_a_stranger_may_send(void **state)
{
    (void)state;
    struct hello hello = full_hello();
    struct buf frame = BUF_INIT;
    struct error err = ERROR_INIT;
    CHECK_OK(codec_encode_hello(&hello, &frame, &err), &err);
    assert_true(frame.size <= FRAME_BEFORE_HELLO_MAX + FRAME_HEAD_SIZE);
    struct message message;
    CHECK_OK(codec_decode(body_of(&frame), &message, &err), &err);
    assert_int_equal(message.kind, MESSAGE_HELLO);
    assert_string_equal(message.hello.code.text, "UNODC");
    assert_string_equal(message.hello.realm.text, "training");
    assert_memory_equal(message.hello.boot_id, hello.boot_id, BOOT_ID_SIZE);
    assert_int_equal(message.hello.feature_count, FEATURES_MAX);
    assert_memory_equal(message.hello.features, hello.features, sizeof hello.features);
    assert_int_equal(message.hello.heads.yours.size, HELLO_NOTE_MAX);
    assert_int_equal(message.hello.heads.yours_receipt.size, HELLO_NOTE_MAX);
    message_fini(&message);
    buf_fini(&frame);
    hello_fini(&hello);
}

static void codec_sends_no_hello_that_it_would_refuse(void **state)
{
    (void)state;
    struct hello hello = full_hello();
    struct buf frame = BUF_INIT;
    struct error err = ERROR_INIT;
    hello.feature_count = FEATURES_MAX + 1;
    CHECK_STATUS(codec_encode_hello(&hello, &frame, &err), ERR_INTERNAL, &err);
    hello.feature_count = 0;
    CHECK_OK(buf_append_zeros(&hello.heads.yours_receipt, 1, &err), &err);
    CHECK_STATUS(codec_encode_hello(&hello, &frame, &err), ERR_INTERNAL, &err);
    CHECK_CONTAINS(err.text, "Hello to send: yours_receipt");
    CHECK_OK(buf_append_zeros(&hello.heads.yours, 1, &err), &err);
    CHECK_STATUS(codec_encode_hello(&hello, &frame, &err), ERR_INTERNAL, &err);
    CHECK_CONTAINS(err.text, "Hello to send: yours of");
    buf_fini(&hello.signature);
    CHECK_STATUS(codec_encode_hello(&hello, &frame, NULL), ERR_INTERNAL, &err);
    assert_int_equal(frame.size, 0);
    hello_fini(&hello);
    hello_fini(NULL);
}

/* -- small messages ---------------------------------------------------------------------------- */

struct raw_frame {
    const char *what;
    const char *bytes;
    size_t size;
    enum status status;
    const char *says;
};

#define BYTES(text) text, sizeof(text) - 1

static void codec_refuses_frames_without_one_message(void **state)
{
    (void)state;
    static const struct raw_frame table[] = {
        { "nothing", BYTES(""), ERR_UNSUPPORTED, "no message" },
        { "a kind of a later version", BYTES("\x4a\x00"), ERR_UNSUPPORTED, "no message" },
        { "two kinds", BYTES("\x32\x02\x08\x01\x3a\x02\x08\x01"), ERR_INVALID, "two messages" },
        { "one kind twice", BYTES("\x32\x02\x08\x01\x32\x02\x08\x01"), ERR_INVALID, "two" },
        { "noise", BYTES("\xff\xff"), ERR_INVALID, "malformed" },
        { "a Ping without number", BYTES("\x32\x00"), ERR_INVALID, "number is missing" },
        { "a receipt of no checkpoint", BYTES("\x1a\x03\x0a\x01x"), ERR_INVALID,
          "Receipt: checkpoint" },
        { "a control character", BYTES("\x42\x05\x08\x01\x12\x01\x1b"), ERR_INVALID,
          "a control character" },
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct message message;
        struct error err = ERROR_INIT;
        print_message("%s\n", table[i].what);
        CHECK_STATUS(codec_decode(span_of(table[i].bytes, table[i].size), &message, &err),
                     table[i].status, &err);
        CHECK_CONTAINS(err.text, table[i].says);
    }
}

static void codec_refuses_floods_and_large_control_frames(void **state)
{
    (void)state;
    struct buf frame = BUF_INIT;
    struct message message;
    struct error err = ERROR_INIT;
    for (size_t i = 0; i < MESSAGE_UNKNOWN_MAX + 2; i++)
        peer_wire_number(&frame, 50, i);
    CHECK_STATUS(codec_decode(buf_span(&frame), &message, &err), ERR_LIMIT, &err);
    buf_clear(&frame);
    struct buf pad = BUF_INIT;
    CHECK_OK(buf_append_zeros(&pad, FRAME_CONTROL_MAX, &err), &err);
    peer_wire_bytes(&frame, 6, SPAN_LITERAL("\x08\x01"));
    peer_wire_nest(&frame, 60, &pad);
    CHECK_STATUS(codec_decode(buf_span(&frame), &message, &err), ERR_LIMIT, &err);
    CHECK_CONTAINS(err.text, "Ping of 262153 bytes > 262144");
    buf_clear(&frame);
    struct buf goodbye = BUF_INIT;
    peer_wire_number(&goodbye, 1, 1);
    CHECK_OK(buf_append_zeros(&pad, GOODBYE_TEXT_MAX + 1, &err), &err);
    memset(pad.data, 'x', pad.size);
    peer_wire_nest(&goodbye, 2, &pad);
    peer_wire_nest(&frame, 8, &goodbye);
    CHECK_STATUS(codec_decode(buf_span(&frame), &message, &err), ERR_LIMIT, &err);
    CHECK_CONTAINS(err.text, "text of 201 bytes");
    buf_fini(&frame);
}

static void codec_carries_numbers(void **state)
{
    (void)state;
    static const enum message_kind kinds[] = { MESSAGE_HEAL_TAKEN, MESSAGE_PING, MESSAGE_PONG };
    struct error err = ERROR_INIT;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct buf frame = BUF_INIT;
        struct message message;
        CHECK_OK(codec_encode_number(kinds[i], UINT64_MAX - i, &frame, &err), &err);
        CHECK_OK(codec_decode(body_of(&frame), &message, &err), &err);
        assert_int_equal(message.kind, kinds[i]);
        assert_true(message.number == UINT64_MAX - i);
        message_fini(&message);
        buf_fini(&frame);
    }
    struct buf frame = BUF_INIT;
    CHECK_STATUS(codec_encode_number(MESSAGE_BATCH, 1, &frame, &err), ERR_INTERNAL, &err);
    CHECK_STATUS(codec_encode_receipt(SPAN_LITERAL("no note"), &frame, &err), ERR_INTERNAL, &err);
    assert_int_equal(frame.size, 0);
}

static void check_goodbye(const char *text, const char *wanted)
{
    struct error err = ERROR_INIT;
    struct buf frame = BUF_INIT;
    struct message message;
    CHECK_OK(codec_encode_goodbye(GOODBYE_DENIED, text, &frame, &err), &err);
    CHECK_OK(codec_decode(body_of(&frame), &message, &err), &err);
    assert_int_equal(message.number, GOODBYE_DENIED);
    assert_string_equal(message.text, wanted);
    message_fini(&message);
    buf_fini(&frame);
}

static void codec_cuts_the_text_of_a_goodbye_at_a_character(void **state)
{
    (void)state;
    char text[300];
    char wanted[300];
    check_goodbye(NULL, "");
    check_goodbye("refused", "refused");
    check_goodbye("two\nlines", "");
    memset(text, 'x', sizeof text);
    memcpy(text + 199, "\xe2\x82\xac and more", sizeof("\xe2\x82\xac and more"));
    memset(wanted, 'x', 199);
    wanted[199] = 0;
    check_goodbye(text, wanted);
    memset(text, 'x', 250);
    text[250] = 0;
    wanted[199] = 'x';
    wanted[200] = 0;
    check_goodbye(text, wanted);
}

static void codec_gives_each_status_a_reason_and_each_reason_a_status(void **state)
{
    (void)state;
    for (unsigned status = 0; status < STATUS_COUNT; status++) {
        enum goodbye_reason reason = goodbye_reason_of((enum status)status);
        assert_in_range(reason, GOODBYE_CLOSING, GOODBYE_REASON_COUNT - 1);
        enum status back = goodbye_status_of(reason);
        assert_int_equal(goodbye_reason_of(back), reason);
    }
    assert_int_equal(goodbye_reason_of(STATUS_COUNT), GOODBYE_BUSY);
    assert_int_equal(goodbye_status_of(GOODBYE_CLOSING), OK);
    assert_int_equal(goodbye_status_of(0), ERR_UNSUPPORTED);
    assert_int_equal(goodbye_status_of(GOODBYE_REASON_COUNT), ERR_UNSUPPORTED);
    for (unsigned kind = MESSAGE_HELLO; kind < MESSAGE_KIND_COUNT; kind++)
        assert_string_not_equal(message_kind_name((enum message_kind)kind), "unknown");
    assert_string_equal(message_kind_name(MESSAGE_KIND_COUNT), "unknown");
    assert_string_equal(message_kind_name((enum message_kind)0), "unknown");
}

/* -- memory ------------------------------------------------------------------------------------ */

/* Encodes one message of the kind that `which` names; the struct that it is made from stays. */
struct samples {
    struct hello hello;
    struct batch batch;
    struct heal heal;
    struct buf note;
};

static enum status encode_sample(const struct samples *s,
                                 enum message_kind kind,
                                 struct buf *frame,
                                 struct error *err)
{
    switch (kind) {
    case MESSAGE_HELLO:
        return codec_encode_hello(&s->hello, frame, err);
    case MESSAGE_BATCH:
        return codec_encode_batch(&s->batch, frame, err);
    case MESSAGE_RECEIPT:
        return codec_encode_receipt(buf_span(&s->note), frame, err);
    case MESSAGE_HEAL:
        return codec_encode_heal(&s->heal, frame, err);
    case MESSAGE_HEAL_TAKEN:
    case MESSAGE_PING:
    case MESSAGE_PONG:
        return codec_encode_number(kind, 5, frame, err);
    case MESSAGE_GOODBYE:
        return codec_encode_goodbye(GOODBYE_BUSY, "later", frame, err);
    case MESSAGE_KIND_COUNT:
        break;
    }
    return ERR_INTERNAL;
}

/* Fails the n-th allocation of encoding, then of decoding, for every n until none is left. */
static void sweep(const struct samples *samples, enum message_kind kind)
{
    struct error err = ERROR_INIT;
    struct buf frame = BUF_INIT;
    enum status status = ERR_MEMORY;
    for (uint64_t n = 1; status != OK; n++) {
        int64_t live = mem_live();
        mem_fail_at(n, n % 2 == 0);
        status = encode_sample(samples, kind, &frame, &err);
        bool hit = mem_fail_hit();
        mem_fail_at(0, false);
        assert_int_equal(status, hit ? ERR_MEMORY : OK);
        if (hit)
            assert_int_equal(frame.size, 0);
        if (status != OK)
            buf_fini(&frame);
        assert_int_equal(mem_live(), live + (status == OK ? 1 : 0));
    }
    status = ERR_MEMORY;
    for (uint64_t n = 1; status != OK; n++) {
        int64_t live = mem_live();
        struct message message;
        mem_fail_at(n, n % 2 == 0);
        status = codec_decode(body_of(&frame), &message, &err);
        bool hit = mem_fail_hit();
        mem_fail_at(0, false);
        assert_int_equal(status, hit ? ERR_MEMORY : OK);
        if (status == OK)
            message_fini(&message);
        assert_int_equal(mem_live(), live);
    }
    buf_fini(&frame);
}

static void codec_without_memory_leaves_nothing_behind(void **state)
{
    (void)state;
    struct samples samples = { .hello = full_hello(),
                               .batch = peer_wire_batch(ORIGIN, 0, 9, 50),
                               .heal = peer_wire_heal(ORIGIN, 0, 9, true) };
    peer_wire_note(&samples.note, ORIGIN, 12, 'n');
    for (unsigned kind = MESSAGE_HELLO; kind < MESSAGE_KIND_COUNT; kind++)
        sweep(&samples, (enum message_kind)kind);
    hello_fini(&samples.hello);
    batch_fini(&samples.batch);
    heal_fini(&samples.heal);
    buf_fini(&samples.note);
    message_fini(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codec_refuses_hellos_that_break_a_rule),
        cmocka_unit_test(codec_carries_the_fullest_hello_in_what_a_stranger_may_send),
        cmocka_unit_test(codec_sends_no_hello_that_it_would_refuse),
        cmocka_unit_test(codec_refuses_frames_without_one_message),
        cmocka_unit_test(codec_refuses_floods_and_large_control_frames),
        cmocka_unit_test(codec_carries_numbers),
        cmocka_unit_test(codec_cuts_the_text_of_a_goodbye_at_a_character),
        cmocka_unit_test(codec_gives_each_status_a_reason_and_each_reason_a_status),
        cmocka_unit_test(codec_without_memory_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
