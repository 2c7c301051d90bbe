/* Floors: what SQLite can do at best, with the store's settings. */
#ifndef COMITY_BENCH_RAW_H
#define COMITY_BENCH_RAW_H

#include "base/span.h"

#include <stdbool.h>

/* Seconds to write these bodies into one table, `per_transaction` at a time. */
double raw_inserts(const char *directory,
                   const struct span *bodies,
                   size_t count,
                   size_t per_transaction);
/* A table, in a WAL that does not have to grow; a commit of one row of 2 KB to it waits for the
 * disk, or (relaxed) does not. */
struct raw_table;
struct raw_table *raw_table_open(const char *directory, const char *name);
void raw_table_commit(struct raw_table *table, bool waits);
void raw_table_close(struct raw_table *table);
/* As many durable steps as an erasure: a slot write, an update, a truncating checkpoint, a slot
 * write. */
struct raw_eraser;
struct raw_eraser *raw_eraser_new(const char *directory);
double raw_erase(struct raw_eraser *eraser); /* seconds */
void raw_eraser_free(struct raw_eraser *eraser);

#endif
