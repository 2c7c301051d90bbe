/* Between SQLite and the VFS beneath it: what a commit writes to the WAL goes down in one piece.
 *
 * SQLite writes each page of a commit, and the frame header before it, by a call of its own: two
 * dozen for one record, which cost as much as waiting for the disk does.  Here they are joined
 * while each begins where the one before ended, and written before anything else is done with that
 * file: a sync, a read of them, a truncation, its closing.  So a commit that syncs is on the disk
 * as it was before, and a write that fails makes that sync, and so that commit, fail.  A commit
 * that does not sync has nothing behind it that would write, so nothing is joined for it.
 *
 * A commit that makes the file longer costs the disk twice what one does that overwrites, since the
 * file system has to note the size.  So a small commit at the end of the file puts zeros behind
 * itself, room for the next ones.  A truncated WAL (after an erasure) begins without.
 *
 * All other files are the VFS's own.
 */
#ifndef COMITY_STORE_WAL_JOIN_H
#define COMITY_STORE_WAL_JOIN_H

#include "base/status.h"

#include <sqlite3.h>
#include <stdbool.h>

enum {
    WAL_JOIN_BYTES = 128 * 1024,    /* a commit of one record has some 60 KiB */
    WAL_JOIN_ROOM = 512 * 1024,     /* a multiple of it: for eight or more of such commits */
    WAL_JOIN_ROOM_FROM = 256 * 1024 /* an erasure writes less, and truncates */
};

struct wal_join;

/* Registers a VFS over `base`, for one database. */
MUST_CHECK enum status wal_join_new(sqlite3_vfs *base,
                                    struct wal_join **ret_join,
                                    struct error *err);
void wal_join_free(struct wal_join *join); /* its files must be closed */
const char *wal_join_name(const struct wal_join *join);
/* Whether what is written from now on waits for a sync. */
void wal_join_set(struct wal_join *join, bool joining);

#endif
