/* The file keys.bundle: the key pages and the root key, for backups (backup.h).
 *
 * Block 0 has the shape of a root slot (root_slot.h) and holds the root; block 1 + n holds the key
 * page whose row has block n: row id (8) · generation (8) · sealed page, then zeros.  Blocks are
 * 4,096 bytes and are rewritten in place, so that old ones do not stay on the disk.  Mixed
 * generations of pages open all the same: a page's key changes only in an erasure, which rewrites
 * all pages of its path.
 */
#ifndef COMITY_STORE_BUNDLE_H
#define COMITY_STORE_BUNDLE_H

#include "store/inside.h"

/* In keys_erase: brings an existing bundle up to date; nothing when there is none. */
MUST_CHECK enum status bundle_follow(struct store *store, struct error *err);

#endif
