/* What protobuf-c would let pass, and message_check does not. */
#include "base/memory.h"
#include "support/check.h"
#include "support/peer_wire.h"
#include "wire/message.h"

#include <comity.pb-c.h>

#define ENVELOPE (&comity__peer__envelope__descriptor)

struct bad_bytes {
    const char *what;
    const char *bytes;
    size_t size;
    enum status status;
    const char *says;
};

#define BYTES(text) text, sizeof(text) - 1

static void message_refuses_bytes_that_protobuf_c_takes(void **state)
{
    (void)state;
    static const struct bad_bytes table[] = {
        { "a tag that is cut", BYTES("\x80"), ERR_INVALID, "malformed" },
        { "field number 0", BYTES("\x02\x00"), ERR_INVALID, "malformed" },
        { "a tag longer than it must be", BYTES("\xb2\x00\x02\x08\x01"), ERR_INVALID, "malformed" },
        { "a field number above 2^29 - 1", BYTES("\x80\x80\x80\x80\x10\x01"), ERR_INVALID,
          "malformed" },
        { "a tag of 11 bytes", BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), ERR_INVALID,
          "malformed" },
        { "a length past the end", BYTES("\x32\x03\x08\x01"), ERR_INVALID, "malformed" },
        { "a length that is cut", BYTES("\x32\x80"), ERR_INVALID, "malformed" },
        { "a length near 2^64", BYTES("\x32\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), ERR_INVALID,
          "malformed" },
        { "a group", BYTES("\x33\x34"), ERR_INVALID, "malformed" },
        { "wire type 7", BYTES("\x37"), ERR_INVALID, "malformed" },
        { "a fixed 64 that is cut", BYTES("\x99\x06\x01\x02"), ERR_INVALID, "malformed" },
        { "a fixed 32 that is cut", BYTES("\x9d\x06\x01\x02"), ERR_INVALID, "malformed" },
        { "a message given as a number", BYTES("\x30\x01"), ERR_INVALID, "wire type 0, must be 2" },
        { "a number given as bytes", BYTES("\x32\x03\x0a\x01\x01"), ERR_INVALID,
          "ping: number: wire type 2, must be 0" },
        { "a message given twice", BYTES("\x32\x02\x08\x01\x32\x02\x08\x01"), ERR_INVALID,
          "ping is given twice" },
        { "a number given twice", BYTES("\x32\x04\x08\x01\x08\x02"), ERR_INVALID,
          "number is given twice" },
        { "a number that is missing", BYTES("\x32\x00"), ERR_INVALID, "number is missing" },
        { "a number longer than it must be", BYTES("\x32\x03\x08\x81\x00"), ERR_INVALID,
          "malformed" },
        { "a number above 2^64", BYTES("\x32\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
          ERR_INVALID, "malformed" },
        { "a uint32 above 2^32", BYTES("\x42\x06\x08\x80\x80\x80\x80\x10"), ERR_INVALID,
          "reason: number too large" },
        { "a bool of 2", BYTES("\x22\x02\x28\x02"), ERR_INVALID, "last: number too large" },
        { "text with NUL", BYTES("\x42\x05\x08\x01\x12\x01\x00"), ERR_INVALID,
          "text is not UTF-8" },
        { "text that is no UTF-8", BYTES("\x42\x05\x08\x01\x12\x01\xff"), ERR_INVALID,
          "text is not UTF-8" },
        { "a packed number that is cut", BYTES("\x0a\x03\x2a\x01\x80"), ERR_INVALID, "features" },
        { "a packed number above 2^32", BYTES("\x0a\x07\x2a\x05\x80\x80\x80\x80\x10"), ERR_INVALID,
          "features" },
        { "a packed field given in pieces", BYTES("\x0a\x02\x28\x01"), ERR_INVALID,
          "features: wire type 0, must be 2" },
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct error err = ERROR_INIT;
        struct span bytes = span_of(table[i].bytes, table[i].size);
        print_message("%s\n", table[i].what);
        CHECK_STATUS(message_check(ENVELOPE, bytes, &message_limits_control, &err), table[i].status,
                     &err);
        CHECK_CONTAINS(err.text, table[i].says);
        CHECK_CONTAINS(err.text, "Envelope");
    }
}

static void message_takes_unknown_fields_up_to_a_number(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buf bytes = BUF_INIT;
    peer_wire_bytes(&bytes, 6, SPAN_LITERAL("\x08\x01"));
    static const uint8_t fixed[] = { 0x99, 0x06, 1, 2, 3, 4, 5, 6, 7, 8, 0x9d, 0x06, 1, 2, 3, 4 };
    CHECK_OK(buf_append(&bytes, SPAN_ARRAY(fixed), &err), &err);
    for (size_t i = 2; i < MESSAGE_UNKNOWN_MAX; i++)
        peer_wire_number(&bytes, 100, i);
    CHECK_OK(message_check(ENVELOPE, buf_span(&bytes), &message_limits_control, &err), &err);
    peer_wire_text(&bytes, 101, "one too many");
    CHECK_STATUS(message_check(ENVELOPE, buf_span(&bytes), &message_limits_control, &err),
                 ERR_LIMIT, &err);
    CHECK_CONTAINS(err.text, "64 unknown fields");
    buf_fini(&bytes);
}

static void message_counts_the_fields_of_all_levels(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buf heal = BUF_INIT;
    peer_wire_text(&heal, 1, "origin");
    peer_wire_number(&heal, 2, 0);
    for (size_t i = 3; i < MESSAGE_FIELDS_CONTROL_MAX; i++)
        peer_wire_bytes(&heal, 3, SPAN_LITERAL("h"));
    struct buf bytes = BUF_INIT;
    peer_wire_bytes(&bytes, 4, buf_span(&heal));
    CHECK_OK(message_check(ENVELOPE, buf_span(&bytes), &message_limits_control, &err), &err);
    peer_wire_bytes(&heal, 3, SPAN_LITERAL("h"));
    buf_clear(&bytes);
    peer_wire_nest(&bytes, 4, &heal);
    CHECK_STATUS(message_check(ENVELOPE, buf_span(&bytes), &message_limits_control, &err),
                 ERR_LIMIT, &err);
    buf_clear(&bytes);
    struct buf packed = BUF_INIT;
    for (size_t i = 0; i <= MESSAGE_FIELDS_CONTROL_MAX; i++)
        peer_wire_varint(&packed, 1);
    struct buf hello = BUF_INIT;
    peer_wire_nest(&hello, 5, &packed);
    peer_wire_nest(&bytes, 1, &hello);
    CHECK_STATUS(message_check(ENVELOPE, buf_span(&bytes), &message_limits_control, &err),
                 ERR_LIMIT, &err);
    CHECK_CONTAINS(err.text, "features");
    buf_fini(&bytes);
}

/* No schema of Comity can nest deeper than the bound; one that contains itself is made up here. */
static void message_refuses_deeper_nesting_than_its_bound(void **state)
{
    (void)state;
    static ProtobufCMessageDescriptor type;
    static ProtobufCFieldDescriptor field;
    static const ProtobufCIntRange ranges[] = {
        { 1, 0 },
        { 0, 1 },
    };
    type = comity__peer__ping__descriptor;
    field = type.fields[0];
    field.name = "inner";
    field.label = PROTOBUF_C_LABEL_OPTIONAL;
    field.type = PROTOBUF_C_TYPE_MESSAGE;
    field.descriptor = &type;
    type.fields = &field;
    type.field_ranges = ranges;
    struct error err = ERROR_INIT;
    static const char deep[] = "\x0a\x06\x0a\x04\x0a\x02\x0a\x00";
    struct span bytes = span_of(deep, sizeof deep - 1);
    CHECK_STATUS(message_check(&type, bytes, &message_limits_control, &err), ERR_LIMIT, &err);
    CHECK_CONTAINS(err.text, "nested deeper than 4");
    bytes = span_slice(bytes, 2, bytes.size);
    CHECK_OK(message_check(&type, bytes, &message_limits_control, &err), &err);
}

static void message_keeps_to_its_budget(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buf note = BUF_INIT;
    CHECK_OK(buf_append_zeros(&note, 3000, &err), &err);
    struct buf receipt = BUF_INIT;
    peer_wire_nest(&receipt, 1, &note);
    struct buf bytes = BUF_INIT;
    peer_wire_nest(&bytes, 3, &receipt);
    int64_t live = mem_live();
    for (size_t budget = 0; budget < 4000; budget += 100) {
        struct message_limits limits = message_limits_control;
        limits.heap_max = budget;
        struct message_arena arena;
        ProtobufCMessage *message = NULL;
        enum status status =
            message_unpack(ENVELOPE, buf_span(&bytes), &limits, &arena, &message, &err);
        assert_int_equal(status, budget < 3200 ? ERR_LIMIT : OK);
        assert_true((message == NULL) == (status != OK));
        message_arena_fini(&arena);
        assert_int_equal(mem_live(), live);
    }
    buf_fini(&bytes);
}

static void message_without_memory_says_so(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    static const char ping[] = "\x32\x02\x08\x01";
    struct message_arena arena;
    ProtobufCMessage *message = NULL;
    mem_fail_at(1, false);
    CHECK_STATUS(
        message_unpack(ENVELOPE, span_of(ping, 4), &message_limits_control, &arena, &message, &err),
        ERR_MEMORY, &err);
    mem_fail_at(0, false);
    message_arena_fini(&arena);
    Comity__Peer__Ping out = COMITY__PEER__PING__INIT;
    struct buf packed = BUF_INIT;
    mem_fail_at(1, false);
    CHECK_STATUS(message_pack(&out.base, &packed, &err), ERR_MEMORY, &err);
    mem_fail_at(0, false);
    CHECK_OK(message_pack(&out.base, &packed, &err), &err);
    assert_int_equal(packed.size, 2);
    buf_fini(&packed);
}

static void message_arena_refuses_sizes_that_overflow(void **state)
{
    (void)state;
    struct message_arena arena;
    message_arena_init(&arena, 1000);
    assert_null(message_arena_alloc(&arena, SIZE_MAX - 3));
    assert_int_equal(arena.status, ERR_LIMIT);
    assert_null(message_arena_alloc(&arena, 0));
    uint8_t *a = message_arena_alloc(&arena, 3);
    uint8_t *b = message_arena_alloc(&arena, 5);
    assert_ptr_equal(a + 16, b);
    assert_null(message_arena_alloc(&arena, 1000));
    message_arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(message_refuses_bytes_that_protobuf_c_takes),
        cmocka_unit_test(message_takes_unknown_fields_up_to_a_number),
        cmocka_unit_test(message_counts_the_fields_of_all_levels),
        cmocka_unit_test(message_refuses_deeper_nesting_than_its_bound),
        cmocka_unit_test(message_keeps_to_its_budget),
        cmocka_unit_test(message_without_memory_says_so),
        cmocka_unit_test(message_arena_refuses_sizes_that_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
