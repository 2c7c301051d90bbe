/* The floor of one record: its steps and nothing else, one after the other, in two threads. */
#ifndef COMITY_BENCH_CHAIN_H
#define COMITY_BENCH_CHAIN_H

#include <stddef.h>

/* Seconds of the steps from the publisher's commit to the subscriber's receipt, the median of
 * `count` records: two databases, a connection over the loopback, and on it
 *
 *   publisher    commit (FULL), sign, send 2 KB
 *   subscriber   receive, verify, commit (FULL), sign, send
 *   publisher    receive, verify twice, commit (relaxed)
 *
 * A record begins every `rhythm_s`, and its second commit half of that later, as with a node that
 * needs so long: a disk that was left alone for a millisecond takes half as long again as one that
 * is asked at once.  The time that is waited for it is not counted. */
double chain_floor(const char *directory, size_t count, double rhythm_s);

#endif
