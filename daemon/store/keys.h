/* Data keys in a tree of sealed pages, so that erasing one of a million re-keys a path.
 *
 *   root.slot ── opens ──▶ top page ── holds the keys of ──▶ ... ──▶ leaf pages: data keys
 *
 * A page holds KEYS_PER_PAGE keys of 32 bytes and is sealed as a whole under its parent's entry for
 * it (key_page.h).  A slot number names a data key for ever: leaf page = slot / KEYS_PER_PAGE.  The
 * tree grows at the top.  Slots are never used twice.
 *
 * Adding seals only the leaf page again (and its parent when the leaf is new), once, at the commit.
 * Erasing, in this order (DESIGN 4): a new root key into the spare slot, synced; one transaction
 * with fresh page keys along every path to an erased slot and the caller's own changes; the WAL
 * truncated; keys.bundle (if there is one) rewritten where it changed, synced; the old slot zeroed,
 * synced; only then keys_erase returns OK.  A crash at any point leaves either all or nothing
 * erased: on opening, the slot that opens the top page wins and the other one is wiped.
 */
#ifndef COMITY_STORE_KEYS_H
#define COMITY_STORE_KEYS_H

#include "crypto/seal.h"
#include "store/store.h"

enum { KEYS_PER_PAGE = 126, KEYS_PAGE_SIZE = KEYS_PER_PAGE * SEAL_KEY_SIZE + SEAL_OVERHEAD };

#define KEY_SLOT_NONE UINT64_MAX

/* Allots a slot with a fresh random key, inside a transaction.  Slots of one `group` lie on the
 * same leaf pages, which nobody else gets: use what is revoked together (a consent, a feed), never
 * a single record.  ID_NONE: the common group.  Wipe *ret_key.  A rolled-back savepoint loses its
 * slots and nothing else. */
MUST_CHECK enum status keys_add(struct store *store,
                                const struct id *group,
                                uint64_t *ret_slot,
                                struct seal_key *ret_key,
                                struct error *err);
/* ERR_ERASED when it was erased; ERR_NOT_FOUND on a page that was never made.  Wipe *ret_key. */
MUST_CHECK enum status keys_get(struct store *store,
                                uint64_t slot,
                                struct seal_key *ret_key,
                                struct error *err);

enum { KEYS_ERASE_MAX = 1024 /* slots at once: at most 4 MiB of opened pages */ };

/* What belongs to an erasure and happens in its transaction: bodies deleted, states set, ERASED
 * entries queued.  When it fails nothing is erased. */
struct keys_change {
    enum status (*run)(void *context, struct store *store, struct error *err); /* NULL: nothing */
    void *context;
};

/* Destroys the keys of `slots` (erased ones among them are fine), outside any transaction.  OK only
 * when nothing that is left can bring them back.  ERR_BUSY: committed, but the WAL could not be
 * emptied (an open cursor); the next call, or opening, completes it. */
MUST_CHECK enum status keys_erase(struct store *store,
                                  const uint64_t *slots,
                                  size_t count,
                                  struct keys_change with,
                                  struct error *err);

#endif
