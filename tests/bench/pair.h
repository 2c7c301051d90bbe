/* Real nodes for benchmarks: directories and keys as `comityctl node init` makes them, records and
 * consents prepared through the feed, then one process of comityd's own code for each node; it is
 * this program, executed anew, so that it has nothing of the memory in which all was prepared.
 *
 * What a benchmark must know of a running node it reads out of shared memory: the process hangs
 * itself between the exchange and its feed, counts, and changes nothing but the size of a batch
 * where the figure asks for one.
 */
#ifndef COMITY_BENCH_PAIR_H
#define COMITY_BENCH_PAIR_H

#include "bench.h"
#include "crypto/card.h"
#include "feed/feed.h"
#include "node/identity.h"
#include "record/sdmx.h"

#include <stdatomic.h>
#include <sys/types.h>

enum { PAIR_SAMPLES = 4096, PAIR_PATH = 300 };

struct pair_watch { /* shared with the process of the node */
    /* set before the start */
    size_t batch_bytes; /* at most so much to a batch; 0: as the feed likes */
    bool one_by_one;    /* one batch in flight, the next when its receipt is stored */
    uint64_t until;     /* count the bytes on sockets when so many entries are receipted */
    bool lag;           /* sample how late the loop comes to a timer of 1 ms */
    /* read at any time */
    _Atomic double dial_s;         /* when the first connection was asked for */
    _Atomic double receipt_s;      /* when the newest receipt was stored */
    _Atomic uint64_t receipted;    /* what it covers */
    _Atomic uint64_t socket_bytes; /* both directions, of all connections; see `until` */
    _Atomic unsigned connected;
    _Atomic double
        processor_s; /* of this process, when its first connection was asked for or came */
    double samples_s[PAIR_SAMPLES]; /* one_by_one: from waking to the stored receipt; or lags */
    _Atomic size_t sample_count;
    double asked_s; /* one_by_one: when the one in flight was asked for */
    bool in_flight;
};

struct pair_node {
    char directory[PAIR_PATH], configuration[PAIR_PATH];
    struct code code;
    struct card card;
    struct buf card_text;
    struct identity identity;
    struct store *store; /* while it is open here */
    struct feed_context feed;
    struct pair_watch *watch;
    int watch_fd;
    pid_t process; /* while it runs */
};

/* A new node; with port 0 it only dials. */
void pair_make(struct pair_node *node,
               const struct bench_place *place,
               const char *code,
               unsigned port);
void pair_remove(struct pair_node *node);                                /* with its directory */
void pair_accept(struct pair_node *node, const struct pair_node *other); /* `node` is open */
void pair_befriend(struct pair_node *one, struct pair_node *two);        /* both are open */
void pair_open(struct pair_node *node);
void pair_close(struct pair_node *node);

/* Records and a consent in force for them; the node is open. */
struct id *pair_add_excerpts(struct pair_node *node, size_t count, size_t bytes);
struct id *pair_add_releases(struct pair_node *node, const struct sdmx_release_list *list);
void pair_give(struct pair_node *node,
               const struct code *to,
               const struct id *records,
               size_t count);
/* Consents (and so entries without body) that pair_give() makes of so many records. */
size_t pair_consents(size_t records);

/* First in main(): does not return in the process of a node. */
void pair_serve_if_node(int argc, char **argv);
void pair_start(struct pair_node *node); /* the node is closed */
void pair_stop(struct pair_node *node);
/* Until that many entries are receipted; false after `seconds`. */
bool pair_wait(const struct pair_node *node, uint64_t receipted, double seconds);
bool pair_wait_connected(const struct pair_node *node, unsigned count, double seconds);

/* What the process has used of the processors since its first connection. */
double pair_processor_s(const struct pair_node *node);
/* kB of this line of /proc/PID/smaps_rollup ("Rss", "Private_Dirty"). */
double pair_memory_kb(pid_t process, const char *line);
unsigned pair_free_port(void);

#endif
