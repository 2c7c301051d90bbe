/* The one database of a node: the only place with SQL, and the only user of sqlite3.
 *
 * A directory holds comity.db (with its WAL), root.slot (the root of the key tree, root_slot.h),
 * heads (heads.h) and, once a backup was made, keys.bundle (backup.h).  One connection, one thread:
 * a struct store belongs to the store thread.
 *
 * Writing.  store_begin .. store_commit; every change is made inside.  Several jobs share one
 * transaction, each in its savepoint:
 *
 *     store_begin
 *       store_savepoint  job 1  store_release          (kept)
 *       store_savepoint  job 2  store_rollback_to      (undone alone)
 *     store_commit, then heads_save (heads.h)
 *
 * Errors are sticky: when the disk failed, was full or the database turned out corrupt, SQLite may
 * have undone the whole transaction, so every later call of it gives the same error, and
 * store_commit rolls back and reports it.  Reading needs no transaction.
 *
 * A failed fsync is final (what is on the disk is unknown and a second fsync would lie):
 * store_is_lost() is true from then on, every call gives ERR_IO, and the process must abort, start
 * again and recover by opening.
 *
 * Rows come as structs.  Spans in a row point into the database's memory and live until the next
 * call with the same store, unless its comment says otherwise; bufs belong to the caller.  Lists
 * take the last key of the page before (`after`) and fill at most `max` rows.
 */
#ifndef COMITY_STORE_STORE_H
#define COMITY_STORE_STORE_H

#include "base/clock.h"
#include "base/id.h"
#include "base/span.h"

struct store;
struct seal_key; /* crypto/seal.h */

struct store_options {
    const char *directory;
    struct clock *clock;
    struct random_source *random;
    const struct seal_key *credential; /* seals the root slot; NULL: file rights alone guard it */
    char owner[REALM_MAX + CODE_MAX + 5]; /* "KE in training": written into what is made, and looked
                                           * for in what is opened; empty: not looked at */
    const char *vfs; /* name of a registered SQLite VFS for all files; NULL: the system's own */
};

/* Makes an empty database with root slot and heads, and opens it.  The directory must exist.
 * ERR_EXISTS when any of the files is there. */
MUST_CHECK enum status store_create(const struct store_options *options,
                                    struct store **ret_store,
                                    struct error *err);
/* Opens, checks (quick_check), migrates, and completes an erasure that a crash interrupted.
 * ERR_NOT_FOUND: no database; ERR_BUSY: open in another process; ERR_UNSUPPORTED: written by a
 * newer version, or no database of Comity; ERR_CORRUPT: damaged, or root.slot does not belong to
 * it; ERR_FULL: no space.  Each text ends with the next step. */
MUST_CHECK enum status store_open(const struct store_options *options,
                                  struct store **ret_store,
                                  struct error *err);
void store_close(struct store *store); /* rolls back what is open; NULL is fine */

MUST_CHECK enum status store_begin(struct store *store, struct error *err);
/* For what a peer says again when it is lost: a commit that a killed process keeps, and that a
 * power cut may undo, with nothing before it.  The next store_commit() makes it durable.  No head
 * may change in it: a head must never be newer than its database. */
MUST_CHECK enum status store_begin_relaxed(struct store *store, struct error *err);
/* Writes the key pages and commits; durable when it returns OK.  On failure all is rolled back. */
MUST_CHECK enum status store_commit(struct store *store, struct error *err);
void store_rollback(struct store *store);
/* Savepoints do not nest. */
MUST_CHECK enum status store_savepoint(struct store *store, struct error *err);
MUST_CHECK enum status store_release(struct store *store, struct error *err);
/* Undoes the job.  An error that undid the whole transaction stays sticky and is returned. */
MUST_CHECK enum status store_rollback_to(struct store *store, struct error *err);
bool store_in_transaction(const struct store *store);
bool store_is_lost(const struct store *store);

struct clock *store_clock(const struct store *store);
/* That of the options, pooled inside a transaction (base/clock.h); for the store's thread. */
struct random_source *store_random(const struct store *store);

/* A database that came from a backup: feed opens new epochs for every outgoing feed, then clears
 * the mark inside the same transaction.  *ret_restored_ms 0: not restored. */
MUST_CHECK enum status store_restored(struct store *store,
                                      int64_t *ret_restored_ms,
                                      struct error *err);
MUST_CHECK enum status store_restored_clear(struct store *store, struct error *err);

/* Moves the WAL into the database and truncates it; outside a transaction.  ERR_BUSY when it could
 * not (an open cursor). */
MUST_CHECK enum status store_checkpoint(struct store *store, struct error *err);
enum {
    STORE_WAL_IDLE_PAGES = 512, /* moved when there is time, */
    STORE_WAL_MAX_PAGES = 2048  /* and at the latest with the commit that reaches this: 16 MiB */
};
/* Moves the WAL into the database when it has STORE_WAL_IDLE_PAGES.  Its file stays as long as it
 * was: a commit that overwrites it is quicker than one that makes it grow. */
MUST_CHECK enum status store_drain(struct store *store, struct error *err);
/* Gives the pages that are cached back to the heap: after a time of work, so that an idle node is
 * small. */
void store_relax(struct store *store);
/* The whole of SQLite's integrity_check; the first problem is the error's text. */
MUST_CHECK enum status store_check(struct store *store, struct error *err);

struct store_stats {
    uint64_t database_bytes, wal_bytes, keys_allotted;
    uint64_t erasures; /* each of some keys at once, done; a keys.bundle knows its number */
    int schema_version;
};
MUST_CHECK enum status store_stats(struct store *store,
                                   struct store_stats *ret_stats,
                                   struct error *err);

/* Small named numbers and blobs of the node itself (at most 4 KiB), e.g. "feed.next_tick". */
MUST_CHECK enum status store_meta_get(struct store *store,
                                      const char *name,
                                      struct buf *ret_value, /* ERR_NOT_FOUND when there is none */
                                      struct error *err);
MUST_CHECK enum status store_meta_set(struct store *store,
                                      const char *name,
                                      struct span value,
                                      struct error *err);

#endif
