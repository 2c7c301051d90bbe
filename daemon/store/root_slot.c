#include "store/root_slot.h"

#include "base/cursor.h"
#include "base/memory.h"
#include "crypto/digest.h"

#include <string.h>

static const char magic[8] = "CMTYROOT";
enum { SUM_AT = ROOT_SLOT_SIZE - DIGEST_SIZE, FLAG_SEALED = 1, SEALED_SIZE = 60, NUMBERS_AT = 100 };

static enum status sum_of(const uint8_t *bytes, struct digest *ret_sum, struct error *err)
{
    struct span all = span_of(bytes, SUM_AT);
    return sha256_of(&all, 1, ret_sum, err);
}

enum status root_slot_encode(const struct root_slots *slots,
                             const struct root_slot *slot,
                             uint8_t ret_bytes[static ROOT_SLOT_SIZE],
                             struct error *err)
{
    struct buf out = BUF_INIT_SECRET;
    struct writer w = writer_init(&out);
    writer_bytes(&w, span_of(magic, sizeof(magic)));
    writer_bytes(&w, SPAN_ARRAY(slots->database_id.bytes));
    writer_u64(&w, slot->generation);
    writer_u64(&w, slots->credential != NULL ? FLAG_SEALED : 0);
    enum status status = writer_done(&w, "root slot", err);
    struct span plain = span_of(slot->root.bytes, SEAL_KEY_SIZE);
    struct span about = SPAN_ARRAY(slots->database_id.bytes);
    if (status == OK) {
        status = slots->credential == NULL
                     ? buf_append(&out, plain, err)
                     : seal(slots->sealer, slots->credential, &about, 1, plain, &out, err);
    }
    if (status == OK)
        status = buf_append_zeros(&out, NUMBERS_AT - out.size, err);
    writer_u64(&w, slot->tree_generation);
    writer_u64(&w, slot->top_level);
    writer_u64(&w, slot->next_leaf);
    writer_u64(&w, slot->next_block);
    if (status == OK)
        status = writer_done(&w, "root slot", err);
    if (status == OK)
        status = buf_append_zeros(&out, SUM_AT - out.size, err);
    struct digest sum;
    if (status == OK)
        status = sum_of(out.data, &sum, err);
    if (status == OK)
        status = buf_append(&out, SPAN_ARRAY(sum.bytes), err);
    if (status == OK)
        memcpy(ret_bytes, out.data, ROOT_SLOT_SIZE);
    buf_fini(&out);
    return status;
}

static bool unseal(const struct root_slots *slots, struct span sealed, struct seal_key *ret_root)
{
    struct buf plain = BUF_INIT_SECRET;
    struct span about = SPAN_ARRAY(slots->database_id.bytes);
    bool good =
        slots->credential != NULL &&
        seal_open(slots->sealer, slots->credential, &about, 1, sealed, &plain, NULL) == OK &&
        plain.size == SEAL_KEY_SIZE;
    if (good)
        memcpy(ret_root->bytes, plain.data, SEAL_KEY_SIZE);
    buf_fini(&plain);
    return good;
}

void root_slot_decode(const struct root_slots *slots,
                      const uint8_t bytes[static ROOT_SLOT_SIZE],
                      struct root_slot *ret_slot)
{
    *ret_slot = (struct root_slot){ 0 };
    for (size_t i = 0; i < ROOT_SLOT_SIZE && !ret_slot->used; i++)
        ret_slot->used = bytes[i] != 0;
    struct digest sum;
    if (!ret_slot->used || sum_of(bytes, &sum, NULL) != OK ||
        memcmp(sum.bytes, bytes + SUM_AT, DIGEST_SIZE) != 0)
        return;
    struct reader r = reader_init(span_of(bytes, ROOT_SLOT_SIZE));
    struct span found_magic = reader_bytes(&r, sizeof(magic));
    struct span id = reader_bytes(&r, ID_SIZE);
    ret_slot->generation = reader_u64(&r);
    ret_slot->sealed = reader_u64(&r) == FLAG_SEALED;
    if (!span_equal(found_magic, span_of(magic, sizeof(magic))) ||
        !span_equal(id, SPAN_ARRAY(slots->database_id.bytes)))
        return;
    if (ret_slot->sealed) {
        ret_slot->readable = unseal(slots, reader_bytes(&r, SEALED_SIZE), &ret_slot->root);
    } else {
        reader_copy(&r, ret_slot->root.bytes, SEAL_KEY_SIZE);
        ret_slot->readable = true;
    }
    r = reader_init(span_of(bytes + NUMBERS_AT, SUM_AT - NUMBERS_AT));
    ret_slot->tree_generation = reader_u64(&r);
    ret_slot->top_level = reader_u64(&r);
    ret_slot->next_leaf = reader_u64(&r);
    ret_slot->next_block = reader_u64(&r);
}

enum status root_slot_read(struct root_slots *slots,
                           int index,
                           struct root_slot *ret_slot,
                           struct error *err)
{
    uint8_t bytes[ROOT_SLOT_SIZE];
    enum status status =
        file_read(slots->file, (uint64_t)index * ROOT_SLOT_SIZE, bytes, sizeof(bytes), err);
    if (status == OK)
        root_slot_decode(slots, bytes, ret_slot);
    mem_wipe(bytes, sizeof(bytes));
    return status;
}

static enum status put(struct root_slots *slots, int index, const uint8_t *bytes, struct error *err)
{
    enum status status = file_write(slots->file, (uint64_t)index * ROOT_SLOT_SIZE,
                                    span_of(bytes, ROOT_SLOT_SIZE), err);
    return status == OK ? file_sync(slots->file, err) : status;
}

enum status root_slot_write(struct root_slots *slots,
                            int index,
                            uint64_t generation,
                            const struct seal_key *root,
                            struct error *err)
{
    uint8_t bytes[ROOT_SLOT_SIZE];
    struct root_slot slot = { .generation = generation, .root = *root };
    enum status status = root_slot_encode(slots, &slot, bytes, err);
    if (status == OK)
        status = put(slots, index, bytes, err);
    mem_wipe(&slot, sizeof(slot));
    mem_wipe(bytes, sizeof(bytes));
    return status;
}

enum status root_slot_wipe(struct root_slots *slots, int index, struct error *err)
{
    static const uint8_t zeros[ROOT_SLOT_SIZE] = { 0 };
    return put(slots, index, zeros, err);
}
