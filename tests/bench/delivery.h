/* Records delivered from one real node to another, over mutual TLS, until the last receipt is
 * stored.
 */
#ifndef COMITY_BENCH_DELIVERY_H
#define COMITY_BENCH_DELIVERY_H

#include "bench.h"
#include "dublin.h"
#include "pair.h"

struct delivery {
    const struct sdmx_release_list *releases; /* or */
    size_t excerpts, excerpt_bytes;
    size_t entries_per_batch; /* 0: as the feed likes */
    bool one_by_one;
};

struct delivery_outcome {
    double seconds;
    double socket_bytes;
    double sending_s, receiving_s; /* processor time of the two nodes */
    double grown_kb[2];            /* the subscriber's memory, in the second third and the last */
    double latency_s;              /* one_by_one: median */
};

size_t delivery_count(const struct delivery *delivery);
size_t delivery_entry_size(const struct delivery *delivery); /* bytes in a batch, about */
/* Makes two nodes and ends them; the program ends when they do not come to an end. */
struct delivery_outcome deliver(const struct bench_place *place, const struct delivery *delivery);

#endif
