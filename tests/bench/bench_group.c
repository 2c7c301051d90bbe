/* Group commit: what one node receives of 64 peers, each with one record in flight, beside what it
 * receives of one.
 *
 * One peer with one record in flight is two real nodes: it commits and signs, sends, waits for the
 * receipt and stores it, and then has the next.  Of 64 peers that work lies on 64 other machines.
 * So their batches, real ones and signed, are made beforehand, and go through the store thread of
 * the one node as its exchange would send them (checked, verified, stored, committed, receipted),
 * without sockets: on two cores the publishers' own work would be most of what is measured.  The
 * second row has one peer in that same way.
 */
#include "base/memory.h"
#include "delivery.h"
#include "node/storage.h"
#include "store/store.h"

#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { PEERS = 64, RECORDS = 40, RECORDS_OF_ONE = 300, RUNS = 3 };

struct flow; /* what one peer sends */

struct flight {
    struct job job;
    struct flow *flow;
    struct feed_verification verification;
    struct buf receipt;
};

struct flow {
    struct pair_node peer;
    struct batch batches[RECORDS_OF_ONE + 1];
    size_t made;        /* batches */
    size_t count, next; /* to be sent in this run, and the one at hand */
    bool answered;      /* the one before has its receipt */
    struct flight flight;
};

static struct error err;
static struct bench_place place, place_of_peers;
static struct pair_node hub;
static struct flow flows[PEERS];
static struct worker *worker;
static int bell;
static size_t stored;

/* -- batches, made beforehand ------------------------------------------------------------------ */

static void make_flow(size_t number)
{
    struct flow *flow = &flows[number];
    size_t records = number == 0 ? RECORDS_OF_ONE : RECORDS;
    struct pair_node *peer = &flow->peer;
    char code[8];
    (void)snprintf(code, sizeof(code), "P%c%c", (char)('A' + number / 26),
                   (char)('A' + number % 26));
    pair_make(peer, &place_of_peers, code, 0);
    pair_open(peer);
    pair_accept(peer, &hub);
    struct id *ids = pair_add_excerpts(peer, records, 2048);
    pair_give(peer, &hub.code, ids, records);
    for (uint64_t from = 0; from <= records; from++) {
        struct batch *batch = &flow->batches[flow->made++];
        bench_must(store_begin(peer->store, &err), &err);
        bench_must(feed_publish(&peer->feed, &hub.code, from, 1, batch, &err), &err);
        bench_must(store_commit(peer->store, &err), &err);
        bench_must(feed_publish_sign(&peer->feed, batch, &err), &err);
    }
    mem_free(ids);
    pair_close(peer);
}

/* -- the node ---------------------------------------------------------------------------------- */

static enum status check(struct job *job, struct error *error)
{
    struct flow *flow = ((struct flight *)job)->flow;
    return feed_ingest_check(&hub.feed, &flow->peer.code, &flow->batches[flow->next], error);
}

static enum status apply(struct job *job, struct error *error)
{
    struct flow *flow = ((struct flight *)job)->flow;
    return feed_ingest(&hub.feed, &flow->peer.code, &flow->batches[flow->next],
                       &((struct flight *)job)->verification, error);
}

static void verify(struct job *job)
{
    struct flow *flow = ((struct flight *)job)->flow;
    feed_verify_batch(&flow->batches[flow->next], &((struct flight *)job)->verification);
}

static void wait_for_verdict(void *self)
{
    job_verify(self);
}

static enum status sign(struct job *job, struct error *error)
{
    struct flight *flight = (struct flight *)job;
    buf_clear(&flight->receipt);
    return feed_ingest_sign(&hub.feed, &flight->flow->peer.code, &flight->receipt, error);
}

static void done(struct job *job)
{
    struct flow *flow = ((struct flight *)job)->flow;
    bench_must(job->error.status, &job->error);
    flow->next++;
    flow->answered = true;
    stored++;
}

static const struct job_table INGEST = { "ingest", check, apply, sign, done };

static void send_next(struct flow *flow)
{
    flow->answered = false;
    flow->flight.flow = flow;
    flow->flight.verification.good = false;
    flow->flight.verification.wait = wait_for_verdict;
    flow->flight.verification.self = &flow->flight.job;
    flow->flight.job = (struct job){ .table = &INGEST,
                                     .verify = verify,
                                     .priority = JOB_NORMAL,
                                     .bytes = batch_bytes(&flow->batches[flow->next]) };
    bench_must(worker_submit(worker, &flow->flight.job, &err), &err);
}

/* Whoever has a receipt sends the next one, as the network would bring it: one by one. */
static void send_all(size_t peers)
{
    for (size_t i = 0; i < peers; i++)
        if (flows[i].answered && flows[i].next < flows[i].count)
            send_next(&flows[i]);
}

static void ring(void *context)
{
    (void)context;
    (void)eventfd_write(bell, 1);
}

static void fatal(void *context, const struct error *error)
{
    (void)context;
    bench_must(ERR_IO, error);
}

static double run(size_t peers)
{
    struct storage storage = { .store = hub.store, .feed = &hub.feed };
    struct worker_config config = { .storage = storage_of(&storage),
                                    .clock = clock_system(),
                                    .threaded = true,
                                    .notify = ring,
                                    .fatal = fatal };
    size_t all = 0;
    stored = 0;
    bench_must(worker_new(&config, &worker, &err), &err);
    double start_s = bench_now_s();
    for (size_t i = 0; i < peers; i++) {
        all += flows[i].count;
        flows[i].answered = true;
    }
    while (stored < all) {
        send_all(peers);
        struct pollfd wait = { .fd = bell, .events = POLLIN };
        int wait_ms = worker_assist(worker) ? 0 : -1;
        eventfd_t rung = 0;
        if (poll(&wait, 1, wait_ms) > 0 && eventfd_read(bell, &rung) == 0)
            (void)worker_deliver(worker);
    }
    double seconds = bench_now_s() - start_s;
    worker_free(worker);
    return (double)all / seconds;
}

static double measure(size_t peers, size_t records)
{
    pair_make(&hub, &place, "UNODC", 0);
    pair_open(&hub);
    for (size_t i = 0; i < peers; i++) {
        pair_accept(&hub, &flows[i].peer);
        flows[i].count = records + 1;
        flows[i].next = 0;
    }
    double rate = run(peers);
    pair_close(&hub);
    pair_remove(&hub);
    return rate;
}

static void make_flows(void)
{
    /* The publishers only prepare: memory is fine for them. */
    place_of_peers = place;
    if (access("/dev/shm", W_OK) == 0)
        place_of_peers.work = "/dev/shm";
    pair_make(&hub, &place_of_peers, "UNODC", 0);
    for (size_t i = 0; i < PEERS; i++)
        make_flow(i);
    pair_remove(&hub);
}

static void free_flows(void)
{
    for (size_t i = 0; i < PEERS; i++) {
        for (size_t j = 0; j < flows[i].made; j++)
            batch_fini(&flows[i].batches[j]);
        buf_fini(&flows[i].flight.receipt);
        pair_remove(&flows[i].peer);
    }
}

/* Records in a second, one after the other, between two nodes. */
static double measure_one(void)
{
    const struct delivery delivery = { .excerpts = RECORDS_OF_ONE,
                                       .excerpt_bytes = 2048,
                                       .one_by_one = true };
    return 1 / deliver(&place, &delivery).latency_s;
}

int main(int argc, char **argv)
{
    double many[RUNS];
    double one[RUNS];
    double one_stored[RUNS];
    pair_serve_if_node(argc, argv);
    place = bench_place(argc, argv);
    bell = eventfd(0, EFD_NONBLOCK);
    make_flows();
    for (size_t i = 0; i < RUNS; i++) {
        one[i] = measure_one();
        one_stored[i] = measure(1, RECORDS_OF_ONE);
        many[i] = measure(PEERS, RECORDS);
    }
    struct bench_row row = { .figure = "64 peers, one record of 2 KB in flight each",
                             .value = bench_median(many, RUNS),
                             .unit = "rec/s",
                             .floor_name = "one peer, one in flight, two nodes",
                             .floor = bench_median(one, RUNS),
                             .rule = BENCH_AT_LEAST,
                             .target = 10,
                             .of_ratio = true };
    bench_print(&row);
    const struct bench_row alone = { .figure = "  one peer, made beforehand in the same way",
                                     .value = bench_median(one_stored, RUNS),
                                     .unit = "rec/s",
                                     .rule = BENCH_NO_RULE };
    bench_print(&alone);
    free_flows();
    return 0;
}
