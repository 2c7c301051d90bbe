/* Floors: what SQLite, signatures and the loopback can do at best, with the store's settings. */
#ifndef COMITY_BENCH_RAW_H
#define COMITY_BENCH_RAW_H

#include "base/span.h"

/* Seconds to write these bodies into one table, `per_transaction` at a time. */
double raw_inserts(const char *directory,
                   const struct span *bodies,
                   size_t count,
                   size_t per_transaction);
/* Seconds of one commit of a row of 2 KB that waits for the disk, or (relaxed) does not: the median
 * of `count`, in a WAL that does not have to grow. */
double raw_commit(const char *directory, size_t count, bool waits);
/* As many durable steps as an erasure: a slot write, an update, a truncating checkpoint, a slot
 * write. */
struct raw_eraser;
struct raw_eraser *raw_eraser_new(const char *directory);
double raw_erase(struct raw_eraser *eraser); /* seconds */
void raw_eraser_free(struct raw_eraser *eraser);
double raw_sign(void);       /* Ed25519, one signature over 200 bytes */
double raw_verify(void);     /* and its verification */
double raw_round_trip(void); /* 512 bytes to another thread over loopback TCP, and back */

#endif
