/* The floor of one record: its steps and nothing else, one after the other, in two threads. */
#ifndef COMITY_BENCH_CHAIN_H
#define COMITY_BENCH_CHAIN_H

#include <stddef.h>

/* Seconds from the publisher's commit to the subscriber's receipt, the median of `count` records:
 * two databases, a connection over the loopback, and on it
 *
 *   publisher    commit (FULL), sign, send 2 KB
 *   subscriber   receive, verify, commit (FULL), sign, send
 *   publisher    receive, verify twice, commit (relaxed)
 *
 * Each step is made when its turn comes, as in a node: a processor or a disk that has waited for
 * a millisecond needs half as long again for the same step than one that is kept busy with it. */
double chain_floor(const char *directory, size_t count);

#endif
