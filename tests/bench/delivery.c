#include "delivery.h"

#include "base/memory.h"
#include "pair.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    ENTRY_HEAD = 120 + 32, /* header and salt: what an entry adds to its body in a batch */
    EXCERPT_HEAD = 100,    /* the fields beside its text */
    WAIT_S = 60
};

size_t delivery_count(const struct delivery *delivery)
{
    return delivery->releases != NULL ? delivery->releases->count : delivery->excerpts;
}

size_t delivery_entry_size(const struct delivery *delivery)
{
    size_t total = 0;
    if (delivery->releases == NULL || delivery->releases->count == 0)
        return delivery->excerpt_bytes + EXCERPT_HEAD + ENTRY_HEAD;
    for (size_t i = 0; i < delivery->releases->count; i++)
        total += delivery->releases->items[i].bytes.size;
    return total / delivery->releases->count + ENTRY_HEAD;
}

static void prepare(const struct bench_place *place,
                    struct pair_node *from,
                    struct pair_node *to,
                    const struct delivery *delivery)
{
    pair_make(from, place, DUBLIN_PUBLISHER, 0);
    pair_make(to, place, "UNODC", pair_free_port());
    pair_open(from);
    pair_open(to);
    pair_befriend(from, to);
    struct id *ids = delivery->releases != NULL
                         ? pair_add_releases(from, delivery->releases)
                         : pair_add_excerpts(from, delivery->excerpts, delivery->excerpt_bytes);
    pair_give(from, &to->code, ids, delivery_count(delivery));
    mem_free(ids);
    pair_close(from);
    pair_close(to);
    from->watch->one_by_one = delivery->one_by_one;
    if (delivery->one_by_one)
        from->watch->batch_bytes = 1;
    else if (delivery->entries_per_batch > 0)
        from->watch->batch_bytes = delivery->entries_per_batch * (delivery_entry_size(delivery));
}

struct delivery_outcome deliver(const struct bench_place *place, const struct delivery *delivery)
{
    struct pair_node from;
    struct pair_node to;
    struct delivery_outcome outcome = { 0 };
    uint64_t all = delivery_count(delivery) + pair_consents(delivery_count(delivery));
    prepare(place, &from, &to, delivery);
    from.watch->until = all;
    pair_start(&to);
    pair_start(&from);
    double memory_kb[3];
    bool fine = true;
    for (size_t third = 0; third < 3; third++) {
        fine = fine && pair_wait(&from, all * (third + 1) / 3, WAIT_S);
        memory_kb[third] = pair_memory_kb(to.process, "Rss");
    }
    outcome.sending_s = pair_processor_s(&from);
    outcome.receiving_s = pair_processor_s(&to);
    outcome.grown_kb[0] = memory_kb[1] - memory_kb[0];
    outcome.grown_kb[1] = memory_kb[2] - memory_kb[1];
    outcome.seconds = from.watch->receipt_s - from.watch->dial_s;
    outcome.socket_bytes = (double)from.watch->socket_bytes;
    outcome.latency_s = bench_median(from.watch->samples_s, from.watch->sample_count);
    pair_stop(&from);
    pair_stop(&to);
    if (!fine) {
        fprintf(stderr, "bench: %llu of %llu entries after %d s; see %s/log\n",
                (unsigned long long)from.watch->receipted, (unsigned long long)all, WAIT_S,
                from.directory);
        exit(1);
    }
    pair_remove(&from);
    pair_remove(&to);
    return outcome;
}
