/* The heads file: how far every feed had come, kept outside the database and its backups.
 *
 * One slot of 128 bytes for each feed at feed_id * 128, slot 0 for the journal, each with its own
 * checksum, written in place after each commit.  No sync is needed: a head older than the database
 * is harmless.  A head newer than the database means that the database was rolled back or copied;
 * store_open compares, and marks such a feed `rolled_back` (feed_row, journal_head) before anything
 * can be signed.
 *
 *   0 magic "CMTYHEAD" · 8 database id (16) · 24 feed id · 32 epoch · 40 size · 48 root (32) ·
 *   80 zeros (16) · 96 SHA-256 of bytes 0..95
 *
 * Slot 0 has at 80 the generation of the root key (8) after the last erasure that was done: what a
 * restore finds of this file says whether there is a newer keys.bundle than the one it is given.
 */
#ifndef COMITY_STORE_HEADS_H
#define COMITY_STORE_HEADS_H

#include "store/store.h"

enum { HEADS_SLOT_SIZE = 128 };

/* Writes the heads that feed_rows_set_head and journal_rows_set_head changed since the last call;
 * right after store_commit.  Heads of a transaction that was rolled back are not written.  On
 * failure nothing may be signed: ERR_IO, ERR_FULL. */
MUST_CHECK enum status heads_save(struct store *store, struct error *err);

#endif
