/* The file root.slot: the root key of the key tree, outside the database, overwritten in place.
 *
 * Two preallocated slots of 4,096 bytes, so that each stands on sectors of its own:
 *
 *   0 magic "CMTYROOT" · 8 database id (16) · 24 generation · 32 flags: 1 sealed by a credential ·
 *   40 root key (32, then zeros) or sealed root key (60) · 100 four numbers of keys.bundle ·
 *   132 zeros · 4064 SHA-256 of 0..4063
 *
 * One slot is in use, the other zero; both are in use only while an erasure is under way.
 */
#ifndef COMITY_STORE_ROOT_SLOT_H
#define COMITY_STORE_ROOT_SLOT_H

#include "base/id.h"
#include "crypto/seal.h"
#include "store/file.h"

enum { ROOT_SLOT_COUNT = 2, ROOT_SLOT_SIZE = 4096 };

struct root_slots {
    struct file *file;
    struct sealer *sealer;             /* borrowed */
    const struct seal_key *credential; /* borrowed; NULL: none */
    struct id database_id;
};

struct root_slot {
    bool used; /* not zero; `root` is valid when `readable` */
    bool readable;
    bool sealed; /* by a credential */
    uint64_t generation;
    struct seal_key root; /* wipe */
    /* keys.bundle (bundle.h) only; zeros in root.slot. */
    uint64_t tree_generation; /* all key pages up to this one are in the bundle */
    uint64_t top_level, next_leaf, next_block;
};

/* Encodes one slot; also the first block of keys.bundle has this shape. */
MUST_CHECK enum status root_slot_encode(const struct root_slots *slots,
                                        const struct root_slot *slot,
                                        uint8_t ret_bytes[static ROOT_SLOT_SIZE],
                                        struct error *err);
/* Never fails for bad bytes: `readable` is false then. */
void root_slot_decode(const struct root_slots *slots,
                      const uint8_t bytes[static ROOT_SLOT_SIZE],
                      struct root_slot *ret_slot);

MUST_CHECK enum status root_slot_read(struct root_slots *slots,
                                      int index,
                                      struct root_slot *ret_slot,
                                      struct error *err);
/* In place, and synced. */
MUST_CHECK enum status root_slot_write(struct root_slots *slots,
                                       int index,
                                       uint64_t generation,
                                       const struct seal_key *root,
                                       struct error *err);
MUST_CHECK enum status root_slot_wipe(struct root_slots *slots, int index, struct error *err);

#endif
