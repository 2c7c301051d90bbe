/* What the files of the store share: the struct itself.  Nobody else includes this. */
#ifndef COMITY_STORE_INSIDE_H
#define COMITY_STORE_INSIDE_H

#include "crypto/seal.h"
#include "store/feed_rows.h"
#include "store/file.h"
#include "store/statement.h"
#include "store/store.h"
#include "store/wal_join.h"

#include <sqlite3.h>

enum { STORE_APPLICATION_ID = 0x434d5459 /* "CMTY" */, DATABASE_ID_SIZE = ID_SIZE };

struct keys;       /* keys_tree.h */
struct heads_file; /* heads.c */

enum store_phase { STORE_IDLE, STORE_IN_TRANSACTION, STORE_IN_JOB };

/* 256 numbers of one feed in which something stands under the consent. */
enum { STORE_BLOCK_BITS = 8 };
struct store_block {
    struct id consent_id;
    int64_t block; /* 0: none was noted; feeds are numbered from 1 on */
    int64_t keep_until_ms;
};

struct store {
    sqlite3 *db;
    sqlite3_vfs *vfs;
    struct wal_join *wal; /* over it, for the database itself */
    char *directory;
    struct clock *clock;
    struct random_source *random; /* &pool.base */
    struct random_pool pool;      /* open inside a transaction */
    struct sealer *sealer;
    struct id database_id;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    enum store_phase phase;
    struct error sticky; /* of this transaction; for ever when `lost` */
    bool lost;           /* a sync failed: nothing is known about the disk any more */
    bool relaxed;        /* commits do not wait for the disk: as store_begin_relaxed wants */
    int wal_pages;       /* in the WAL, and not moved into the database */
    struct keys *keys;
    struct heads_file *heads;
    struct buf row_header, row_sealed; /* what entry_rows_get hands out */
    struct buf plain, sealed;          /* scratch of entry_rows and record_rows */
    struct id opened;                  /* record whose version was opened last; ID_NONE: none */
    uint32_t opened_version;
    uint64_t opened_slot;
    struct store_block delivery_block, holding_block; /* noted last in their tables */
    uint64_t outbox_added;                            /* rows, since it was opened */
    int64_t origin_of;                                /* feed whose origin is here; 0: none */
    char origin[FEED_ORIGIN_MAX + 1];
};

/* Turns a result of SQLite into a status and a sentence; remembers what is sticky. */
enum status store_fail(struct store *store, int rc, struct error *err);
/* Empties a scratch buffer; gives large ones back, so that an idle node stays small. */
void store_scratch_done(struct buf *scratch);
/* A sync of a file beside the database failed (or the like): nothing works from now on. */
enum status store_lose(struct store *store, struct error *err);

/* heads.c: the file (made empty with `create`), what is to be saved, and the comparison. */
enum status heads_open(struct store *store, bool create, struct error *err);
void heads_close(struct store *store);
enum status heads_mark(struct store *store, int64_t feed_id, struct error *err);
void heads_forget(struct store *store); /* the transaction was rolled back */
enum status heads_write_all(struct store *store, struct error *err); /* after a restore */
/* An erasure is done.  Nothing before heads_open(). */
enum status heads_note_erasure(struct store *store, struct error *err);
/* Of the file that lies in the directory; 0: there is none, or it knows of no erasure. */
enum status heads_read_erasure(struct store *store, uint64_t *ret_generation, struct error *err);
/* At opening: marks rolled-back feeds in the database. */
enum status heads_compare(struct store *store, struct error *err);

#endif
