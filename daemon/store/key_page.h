/* One page of the key tree: KEYS_PER_PAGE keys, sealed as a whole under the page's own key.
 *
 * Associated data: database id, level, index; so a page opens only in its own place.
 */
#ifndef COMITY_STORE_KEY_PAGE_H
#define COMITY_STORE_KEY_PAGE_H

#include "store/keys.h"

struct key_page {
    uint8_t level; /* 0: leaf, whose keys are data keys */
    uint64_t index;
    uint64_t block;                      /* place in keys.bundle */
    uint32_t used;                       /* places of a leaf that its group has allotted */
    struct seal_key key;                 /* what seals this page; the parent holds it */
    struct seal_key keys[KEYS_PER_PAGE]; /* all zero: none, or erased */
    bool dirty;                          /* to be sealed at the commit */
    bool rekey;                          /* on the path of an erasure */
    uint64_t stamp;                      /* when it was used last */
};

enum { KEY_PAGE_LEVEL_MAX = 5 /* 126^6 keys */ };

uint64_t key_page_id(uint8_t level, uint64_t index); /* row id: index << 4 | level */
bool key_is_none(const struct seal_key *key);

/* Replaces what is in *ret_sealed. */
MUST_CHECK enum status key_page_seal(struct sealer *sealer,
                                     const struct id *database_id,
                                     const struct key_page *page,
                                     struct buf *ret_sealed,
                                     struct error *err);
/* level, index and key are set; fills keys.  ERR_SIGNATURE when it does not open. */
MUST_CHECK enum status key_page_open(struct sealer *sealer,
                                     const struct id *database_id,
                                     struct span sealed,
                                     struct key_page *page,
                                     struct error *err);

#endif
