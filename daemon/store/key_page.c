#include "store/key_page.h"

#include "base/memory.h"

#include <assert.h>
#include <string.h>

uint64_t key_page_id(uint8_t level, uint64_t index)
{
    return index << 4 | level;
}

bool key_is_none(const struct seal_key *key)
{
    uint8_t any = 0;
    for (size_t i = 0; i < SEAL_KEY_SIZE; i++)
        any |= key->bytes[i];
    return any == 0;
}

struct place {
    uint8_t bytes[ID_SIZE + 8];
};

static struct place place_of(const struct id *database_id, const struct key_page *page)
{
    struct place place;
    uint64_t id = key_page_id(page->level, page->index);
    memcpy(place.bytes, database_id->bytes, ID_SIZE);
    for (size_t i = 0; i < 8; i++)
        place.bytes[ID_SIZE + i] = (uint8_t)(id >> (56 - 8 * i));
    return place;
}

enum status key_page_seal(struct sealer *sealer,
                          const struct id *database_id,
                          const struct key_page *page,
                          struct buf *ret_sealed,
                          struct error *err)
{
    struct place place = place_of(database_id, page);
    struct span about = SPAN_ARRAY(place.bytes);
    buf_clear(ret_sealed);
    return seal(sealer, &page->key, &about, 1, span_of(page->keys, sizeof(page->keys)), ret_sealed,
                err);
}

enum status key_page_open(struct sealer *sealer,
                          const struct id *database_id,
                          struct span sealed,
                          struct key_page *page,
                          struct error *err)
{
    struct place place = place_of(database_id, page);
    struct span about = SPAN_ARRAY(place.bytes);
    struct buf plain = BUF_INIT_SECRET;
    enum status status = sealed.size == KEYS_PAGE_SIZE
                             ? seal_open(sealer, &page->key, &about, 1, sealed, &plain, err)
                             : error_set(err, ERR_SIGNATURE, "key page of %zu bytes, not %d",
                                         sealed.size, (int)KEYS_PAGE_SIZE);
    assert(status != OK || plain.data != NULL);
    if (status == OK)
        memcpy(page->keys, plain.data, sizeof(page->keys));
    buf_fini(&plain);
    return status;
}
