/* Batch and Heal: what is refused, and that our codec of them and protobuf-c say the same. */
#include "base/memory.h"
#include "support/check.h"
#include "support/peer_wire.h"
#include "wire/codec.h"
#include "wire/frame.h"

#include <comity.pb-c.h>

#define ORIGIN "comity.v1/training/feed/KE/AU/0123456789abcdef"

static struct span body_of(const struct buf *frame)
{
    return span_slice(buf_span(frame), FRAME_HEAD_SIZE, frame->size);
}

/* -- Batch ------------------------------------------------------------------------------------- */

struct entry_sizes { /* of one entry; a negative size leaves the field out */
    const char *what;
    int header, salt, body;
    bool withheld;
    enum status status;
    const char *says;
};

static void write_field(struct buf *entry, uint32_t number, int size)
{
    struct buf bytes = BUF_INIT;
    if (size < 0)
        return;
    assert_int_equal(buf_append_zeros(&bytes, (size_t)size, NULL), OK);
    peer_wire_nest(entry, number, &bytes);
}

static void write_entry(const struct entry_sizes *sizes, struct buf *batch)
{
    struct buf entry = BUF_INIT;
    write_field(&entry, 1, sizes->header);
    write_field(&entry, 2, sizes->salt);
    write_field(&entry, 3, sizes->body);
    if (sizes->withheld)
        peer_wire_number(&entry, 4, 1);
    peer_wire_nest(batch, 2, &entry);
}

static void codec_refuses_entries_that_break_a_rule(void **state)
{
    (void)state;
    static const struct entry_sizes table[] = {
        { "no header", -1, 32, 64, false, ERR_INVALID, "header is missing" },
        { "an empty header", 0, 32, 64, false, ERR_INVALID, "header of 0 bytes" },
        { "a long header", ENTRY_HEADER_MAX + 1, -1, -1, false, ERR_INVALID, "header of 1145" },
        { "salt without body", 120, 32, -1, false, ERR_INVALID, "salt without body" },
        { "body without salt", 120, -1, 64, false, ERR_INVALID, "body without salt" },
        { "a short salt", 120, 31, 64, false, ERR_INVALID, "salt of 31" },
        { "a long salt", 120, 33, 64, false, ERR_INVALID, "salt of 33" },
        { "withheld with a body", 120, 32, 64, true, ERR_INVALID, "withheld" },
        { "a long body", 120, 32, ENTRY_BODY_MAX + 1, false, ERR_LIMIT, "body of 1048577" },
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct buf batch = BUF_INIT;
        struct buf note = BUF_INIT;
        struct buf frame = BUF_INIT;
        struct message message;
        struct error err = ERROR_INIT;
        print_message("%s\n", table[i].what);
        peer_wire_number(&batch, 1, 0);
        write_entry(&table[i], &batch);
        peer_wire_note(&note, ORIGIN, 1, 'r');
        peer_wire_nest(&batch, 3, &note);
        peer_wire_nest(&frame, 2, &batch);
        int64_t live = mem_live();
        CHECK_STATUS(codec_decode(buf_span(&frame), &message, &err), table[i].status, &err);
        CHECK_CONTAINS(err.text, table[i].says);
        assert_int_equal(mem_live(), live);
        buf_fini(&frame);
    }
}

struct batch_numbers {
    const char *what;
    uint64_t first;
    size_t entries;
    int body;
    uint64_t checkpoint;
    enum status status;
    const char *says;
};

static void codec_refuses_batches_that_break_a_rule(void **state)
{
    (void)state;
    static const struct batch_numbers table[] = {
        { "no entries", 5, 0, -1, 5, ERR_INVALID, "0 entries" },
        { "4097 entries", 0, 4097, -1, 4097, ERR_LIMIT, "4097 entries" },
        { "more than 3 MiB", 0, 4, 800000, 4, ERR_LIMIT, "bytes of entries > 3145728" },
        { "a checkpoint that is larger", 5, 2, -1, 8, ERR_INVALID, "the batch ends at 7" },
        { "a checkpoint that is smaller", 5, 2, -1, 5, ERR_INVALID, "the batch ends at 7" },
        { "an index near 2^64", UINT64_MAX - 1, 2, -1, 0, ERR_LIMIT, "first index" },
        { "an index past the end of a feed", FEED_ENTRIES_MAX + 1, 1, -1, 0, ERR_LIMIT, "first" },
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct buf batch = BUF_INIT;
        struct buf note = BUF_INIT;
        struct buf frame = BUF_INIT;
        struct message message;
        struct error err = ERROR_INIT;
        print_message("%s\n", table[i].what);
        struct entry_sizes sizes = { .header = 120,
                                     .salt = table[i].body < 0 ? -1 : 32,
                                     .body = table[i].body };
        peer_wire_number(&batch, 1, table[i].first);
        for (size_t j = 0; j < table[i].entries; j++)
            write_entry(&sizes, &batch);
        peer_wire_note(&note, ORIGIN, table[i].checkpoint, 'r');
        peer_wire_nest(&batch, 3, &note);
        peer_wire_nest(&frame, 2, &batch);
        CHECK_STATUS(codec_decode(buf_span(&frame), &message, &err), table[i].status, &err);
        CHECK_CONTAINS(err.text, table[i].says);
        buf_fini(&frame);
    }
}

static void codec_gives_back_the_batch_that_it_was_given(void **state)
{
    (void)state;
    static const size_t counts[] = { 1, 16, 1000, BATCH_ENTRIES_MAX };
    for (size_t i = 0; i < COUNT(counts); i++) {
        struct batch batch = peer_wire_batch(ORIGIN, 300, counts[i], 500);
        struct buf frame = BUF_INIT;
        struct message message;
        struct error err = ERROR_INIT;
        CHECK_OK(codec_encode_batch(&batch, &frame, &err), &err);
        CHECK_OK(codec_decode(body_of(&frame), &message, &err), &err);
        assert_int_equal(message.kind, MESSAGE_BATCH);
        assert_true(peer_wire_batch_equal(&batch, &message.batch));
        message_fini(&message);
        buf_fini(&frame);
        batch_fini(&batch);
    }
}

/* protobuf-c, unguarded, reads what we wrote ... */
static void codec_writes_batches_that_protobuf_c_reads_alike(void **state)
{
    (void)state;
    struct batch batch = peer_wire_batch(ORIGIN, 7, 31, 100);
    struct buf frame = BUF_INIT;
    struct error err = ERROR_INIT;
    CHECK_OK(codec_encode_batch(&batch, &frame, &err), &err);
    struct span body = body_of(&frame);
    Comity__Peer__Envelope *envelope = comity__peer__envelope__unpack(NULL, body.size, body.data);
    assert_non_null(envelope);
    const Comity__Peer__Batch *read = envelope->batch;
    assert_non_null(read);
    assert_int_equal(read->first_index, 7);
    assert_int_equal(read->n_entries, 31);
    assert_true(span_equal(span_of(read->checkpoint.data, read->checkpoint.len), batch.checkpoint));
    for (size_t i = 0; i < read->n_entries; i++) {
        const Comity__Peer__Entry *entry = read->entries[i];
        assert_true(
            span_equal(span_of(entry->header.data, entry->header.len), batch.entries[i].header));
        assert_int_equal(entry->has_salt, batch.entries[i].salt.size > 0);
        assert_true(span_equal(span_of(entry->salt.data, entry->salt.len), batch.entries[i].salt));
        assert_int_equal(entry->has_body, batch.entries[i].body.size > 0);
        assert_true(span_equal(span_of(entry->body.data, entry->body.len), batch.entries[i].body));
        assert_int_equal(entry->has_withheld && entry->withheld, batch.entries[i].withheld);
    }
    /* ... and writes what we wrote, to the byte. */
    struct buf again = BUF_INIT;
    CHECK_OK(buf_append_zeros(&again, comity__peer__envelope__get_packed_size(envelope), &err),
             &err);
    comity__peer__envelope__pack(envelope, again.data);
    assert_true(span_equal(buf_span(&again), body));
    comity__peer__envelope__free_unpacked(envelope, NULL);
    buf_fini(&again);
    buf_fini(&frame);
    batch_fini(&batch);
}

static void codec_reads_a_batch_with_fields_in_another_order(void **state)
{
    (void)state;
    struct buf entry = BUF_INIT;
    struct buf batch = BUF_INIT;
    struct buf note = BUF_INIT;
    struct buf frame = BUF_INIT;
    peer_wire_text(&entry, 3, "body");
    peer_wire_number(&entry, 4, 0);
    peer_wire_text(&entry, 200, "of a later version");
    peer_wire_text(&entry, 2, "salt56789012345678901234567890ab");
    peer_wire_text(&entry, 1, "header");
    peer_wire_note(&note, ORIGIN, 10, 'r');
    peer_wire_nest(&batch, 3, &note);
    peer_wire_nest(&batch, 2, &entry);
    peer_wire_number(&batch, 1, 9);
    peer_wire_number(&frame, 99, 1);
    peer_wire_nest(&frame, 2, &batch);
    peer_wire_number(&frame, 98, 1);
    struct message message;
    struct error err = ERROR_INIT;
    CHECK_OK(codec_decode(buf_span(&frame), &message, &err), &err);
    assert_int_equal(message.batch.entry_count, 1);
    assert_true(span_equal(message.batch.origin, SPAN_LITERAL(ORIGIN)));
    assert_true(span_equal(message.batch.entries[0].header, SPAN_LITERAL("header")));
    assert_true(span_equal(message.batch.entries[0].body, SPAN_LITERAL("body")));
    assert_false(message.batch.entries[0].withheld);
    message_fini(&message);
    buf_fini(&frame);
}

static void codec_sends_no_batch_that_it_would_refuse(void **state)
{
    (void)state;
    struct batch batch = peer_wire_batch(ORIGIN, 7, 3, 100);
    struct buf frame = BUF_INIT;
    struct error err = ERROR_INIT;
    batch.first_index = 8;
    CHECK_STATUS(codec_encode_batch(&batch, &frame, &err), ERR_INTERNAL, &err);
    batch.first_index = 7;
    batch.origin = SPAN_LITERAL("another");
    CHECK_STATUS(codec_encode_batch(&batch, &frame, &err), ERR_INTERNAL, &err);
    CHECK_CONTAINS(err.text, "another feed");
    batch.entries[1].header = SPAN_EMPTY;
    CHECK_STATUS(codec_encode_batch(&batch, &frame, &err), ERR_INTERNAL, &err);
    CHECK_CONTAINS(err.text, "Batch to send: entry 2 of 3");
    batch.entry_count = 0;
    CHECK_STATUS(codec_encode_batch(&batch, &frame, &err), ERR_INTERNAL, &err);
    batch.entry_count = BATCH_ENTRIES_MAX + 1;
    CHECK_STATUS(codec_encode_batch(&batch, &frame, &err), ERR_INTERNAL, &err);
    assert_int_equal(frame.size, 0);
    batch_fini(&batch);
}

/* -- Heal -------------------------------------------------------------------------------------- */

static void codec_refuses_heals_that_break_a_rule(void **state)
{
    (void)state;
    struct {
        const char *what;
        const char *origin;
        uint64_t first;
        int header, headers, checkpoint; /* sizes, number, size; -1: none */
        bool last;
        enum status status;
        const char *says;
    } table[] = {
        { "no headers", ORIGIN, 0, 120, 0, -1, false, ERR_INVALID, "0 headers" },
        { "2049 headers", ORIGIN, 0, 120, 2049, -1, false, ERR_LIMIT, "2049 headers" },
        { "an empty header", ORIGIN, 0, 0, 1, -1, false, ERR_INVALID, "header 1 of 0 bytes" },
        { "a long header", ORIGIN, 0, 1145, 1, -1, false, ERR_INVALID, "header 1 of 1145" },
        { "no origin", "", 0, 120, 1, -1, false, ERR_INVALID, "origin of 0 bytes" },
        { "a late index", ORIGIN, UINT64_MAX, 120, 1, -1, false, ERR_LIMIT, "first index" },
        { "a long checkpoint", ORIGIN, 0, 120, 1, NOTE_MAX + 1, true, ERR_LIMIT, "checkpoint" },
        { "an end without checkpoint", ORIGIN, 0, 120, 1, -1, true, ERR_INVALID, "checkpoint" },
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct buf heal = BUF_INIT;
        struct buf frame = BUF_INIT;
        struct message message;
        struct error err = ERROR_INIT;
        print_message("%s\n", table[i].what);
        peer_wire_text(&heal, 1, table[i].origin);
        peer_wire_number(&heal, 2, table[i].first);
        for (int j = 0; j < table[i].headers; j++)
            write_field(&heal, 3, table[i].header);
        write_field(&heal, 4, table[i].checkpoint);
        if (table[i].last)
            peer_wire_number(&heal, 5, 1);
        peer_wire_nest(&frame, 4, &heal);
        CHECK_STATUS(codec_decode(buf_span(&frame), &message, &err), table[i].status, &err);
        CHECK_CONTAINS(err.text, table[i].says);
        buf_fini(&frame);
    }
}

static void codec_gives_back_the_heal_that_it_was_given(void **state)
{
    (void)state;
    for (int last = 0; last <= 1; last++) {
        struct heal heal = peer_wire_heal(ORIGIN, 90, 1600, last == 1);
        struct buf frame = BUF_INIT;
        struct message message;
        struct error err = ERROR_INIT;
        CHECK_OK(codec_encode_heal(&heal, &frame, &err), &err);
        CHECK_OK(codec_decode(body_of(&frame), &message, &err), &err);
        assert_int_equal(message.kind, MESSAGE_HEAL);
        assert_true(span_equal(message.heal.origin, heal.origin));
        assert_true(span_equal(message.heal.checkpoint, heal.checkpoint));
        assert_int_equal(message.heal.first_index, 90);
        assert_int_equal(message.heal.last, last);
        assert_int_equal(message.heal.header_count, 1600);
        for (size_t i = 0; i < 1600; i++)
            assert_true(span_equal(message.heal.headers[i], heal.headers[i]));
        struct span body = body_of(&frame);
        Comity__Peer__Envelope *envelope =
            comity__peer__envelope__unpack(NULL, body.size, body.data);
        assert_non_null(envelope);
        assert_int_equal(envelope->heal->n_headers, 1600);
        struct buf again = BUF_INIT;
        CHECK_OK(buf_append_zeros(&again, comity__peer__envelope__get_packed_size(envelope), &err),
                 &err);
        comity__peer__envelope__pack(envelope, again.data);
        assert_true(span_equal(buf_span(&again), body));
        comity__peer__envelope__free_unpacked(envelope, NULL);
        buf_fini(&again);
        message_fini(&message);
        buf_fini(&frame);
        heal_fini(&heal);
    }
}

static void codec_sends_no_heal_that_it_would_refuse(void **state)
{
    (void)state;
    struct heal heal = peer_wire_heal(ORIGIN, 0, 3, false);
    struct buf frame = BUF_INIT;
    struct error err = ERROR_INIT;
    heal.last = true;
    CHECK_STATUS(codec_encode_heal(&heal, &frame, &err), ERR_INTERNAL, &err);
    CHECK_CONTAINS(err.text, "Heal to send");
    heal.last = false;
    heal.origin = SPAN_EMPTY;
    CHECK_STATUS(codec_encode_heal(&heal, &frame, &err), ERR_INTERNAL, &err);
    assert_int_equal(frame.size, 0);
    heal_fini(&heal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codec_refuses_entries_that_break_a_rule),
        cmocka_unit_test(codec_refuses_batches_that_break_a_rule),
        cmocka_unit_test(codec_gives_back_the_batch_that_it_was_given),
        cmocka_unit_test(codec_writes_batches_that_protobuf_c_reads_alike),
        cmocka_unit_test(codec_reads_a_batch_with_fields_in_another_order),
        cmocka_unit_test(codec_sends_no_batch_that_it_would_refuse),
        cmocka_unit_test(codec_refuses_heals_that_break_a_rule),
        cmocka_unit_test(codec_gives_back_the_heal_that_it_was_given),
        cmocka_unit_test(codec_sends_no_heal_that_it_would_refuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
