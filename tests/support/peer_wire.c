#include "support/peer_wire.h"

#include "base/cursor.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(enum status status)
{
    if (status == OK)
        return;
    fprintf(stderr, "peer_wire: no memory in a test\n");
    abort();
}

void peer_wire_varint(struct buf *out, uint64_t value)
{
    struct writer w = writer_init(out);
    writer_varint(&w, value);
    must(writer_done(&w, "varint", NULL));
}

void peer_wire_number(struct buf *out, uint32_t field, uint64_t value)
{
    peer_wire_varint(out, (uint64_t)field << 3);
    peer_wire_varint(out, value);
}

void peer_wire_bytes(struct buf *out, uint32_t field, struct span bytes)
{
    peer_wire_varint(out, (uint64_t)field << 3 | 2);
    peer_wire_varint(out, bytes.size);
    must(buf_append(out, bytes, NULL));
}

void peer_wire_text(struct buf *out, uint32_t field, const char *text)
{
    peer_wire_bytes(out, field, span_text(text));
}

void peer_wire_nest(struct buf *out, uint32_t field, struct buf *inside)
{
    peer_wire_bytes(out, field, buf_span(inside));
    buf_fini(inside);
}

void peer_wire_note(struct buf *out, const char *origin, uint64_t size, char root)
{
    char roots[44];
    memset(roots, root, sizeof roots - 1);
    roots[sizeof roots - 1] = 0;
    must(buf_printf(out, NULL, "%s\n%llu\n%s=\n\n\xe2\x80\x94 %s c2lnbmF0dXJl\n", origin,
                    (unsigned long long)size, roots, origin));
}

/* Spans are kept as offsets until the memory has its final place. */
static struct span placed(struct buf *memory, size_t size, uint8_t with)
{
    size_t at = memory->size;
    must(buf_append_zeros(memory, size, NULL));
    memset(memory->data + at, with, size);
    return span_of(memory->data + at, size);
}

struct batch peer_wire_batch(const char *origin, uint64_t first, size_t count, size_t body_size)
{
    struct batch batch = { .first_index = first, .entry_count = count };
    batch.entries = mem_calloc(count, sizeof *batch.entries);
    must(batch.entries == NULL ? ERR_MEMORY : OK);
    must(buf_reserve(&batch.memory, count * (120 + SALT_SIZE + body_size) + 1024, NULL));
    for (size_t i = 0; i < count; i++) {
        struct batch_entry *entry = &batch.entries[i];
        uint64_t index = first + i;
        entry->header = placed(&batch.memory, 120, (uint8_t)(1 + index));
        entry->withheld = index % 5 == 4;
        if (index % 3 == 2 || entry->withheld)
            continue;
        entry->salt = placed(&batch.memory, SALT_SIZE, (uint8_t)(2 + index));
        entry->body = placed(&batch.memory, body_size, (uint8_t)(3 + index));
    }
    size_t at = batch.memory.size;
    peer_wire_note(&batch.memory, origin, first + count, 'r');
    batch.checkpoint = span_of(batch.memory.data + at, batch.memory.size - at);
    batch.origin = span_slice(batch.checkpoint, 0, strlen(origin));
    return batch;
}

static bool entry_equal(const struct batch_entry *a, const struct batch_entry *b)
{
    return a->withheld == b->withheld && span_equal(a->header, b->header) &&
           span_equal(a->salt, b->salt) && span_equal(a->body, b->body);
}

bool peer_wire_batch_equal(const struct batch *a, const struct batch *b)
{
    bool equal = span_equal(a->origin, b->origin) && a->first_index == b->first_index &&
                 a->entry_count == b->entry_count && span_equal(a->checkpoint, b->checkpoint);
    for (size_t i = 0; equal && i < a->entry_count; i++)
        equal = entry_equal(&a->entries[i], &b->entries[i]);
    return equal;
}

struct heal peer_wire_heal(const char *origin, uint64_t first, size_t count, bool last)
{
    struct heal heal = { .first_index = first, .header_count = count, .last = last };
    heal.headers = mem_calloc(count, sizeof *heal.headers);
    must(heal.headers == NULL ? ERR_MEMORY : OK);
    must(buf_reserve(&heal.memory, count * 120 + 1024, NULL));
    for (size_t i = 0; i < count; i++)
        heal.headers[i] = placed(&heal.memory, 120, (uint8_t)(1 + first + i));
    size_t at = heal.memory.size;
    peer_wire_note(&heal.memory, origin, first + count, 'h');
    struct span note = span_of(heal.memory.data + at, heal.memory.size - at);
    heal.origin = span_slice(note, 0, strlen(origin));
    if (last)
        heal.checkpoint = note;
    return heal;
}
