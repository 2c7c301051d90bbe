/* A federation in one process, on fake time, from one seed.
 *
 *   main      seeds, steps, what is printed         sim      the scheduler: one thing at a time
 *   host      a node: database, worker, exchange    wires    connections that delay, stall, break
 *   workload  what people do                        faults   what goes wrong
 *   model     who allowed what, apart from the      wiretap  judges every frame that is sent
 *             product's own tables                  verdict  judges the nodes when all is quiet
 *
 * Everything over the wire and the database is the product's own code, in the worker's synchronous
 * mode; disks are support/vfs_fault.  Signatures are cheap fakes, but for one seed in seventeen
 * (fake_sign).  One seed gives one history, always.
 */
#ifndef COMITY_TESTS_SIM_SIM_H
#define COMITY_TESTS_SIM_SIM_H

#include "feed/consents.h"
#include "feed/feed.h"
#include "node/exchange.h"
#include "node/storage.h"
#include "node/worker.h"
#include "store/store.h"
#include "support/vfs_fault.h"
#include "wire/frame.h"

enum {
    PARTIES = 5,
    HOSTS_MAX = PARTIES + 1, /* the last one runs the copy of another */
    WIRES_MAX = 64,
    RECORDS_MAX = 160,
    CONSENTS_MAX = 160,
    CONSENT_RECORDS_SIM = 3,
    CHECKPOINTS_MAX = 1 << 15, /* a power of two: slots of a hash table */
    RECEIPTS_MAX = 512,
};
#define SIM_START_MS INT64_C(1764000000000)
#define SIM_DAY_MS   INT64_C(86400000)

/* How likely each thing is, in thousandths of a step. */
struct mix {
    const char *name;
    unsigned work;
    unsigned crash, cut, partition, disk, clock, restore, clone;
};

/* -- model.c: what people decided ---------------------------------------------------------------
 */

enum model_state {
    MODEL_MAYBE, /* a crash came before the answer: the database will tell */
    MODEL_ACTIVE,
    MODEL_MAYBE_ENDED,
    MODEL_ENDED,
    MODEL_VOID /* never came about */
};
struct model_record {
    size_t party;
    struct id id;
    bool retired;
};
struct model_consent {
    size_t party;
    struct id id;
    enum model_state state;
    size_t records[CONSENT_RECORDS_SIM];
    size_t record_count;
    unsigned recipients; /* bits of parties */
    int64_t valid_until_ms;
    bool forgotten; /* its end came after a backup that was restored since */
};
struct model {
    struct model_record records[RECORDS_MAX];
    size_t record_count;
    struct model_consent consents[CONSENTS_MAX];
    size_t consent_count;
};

/* -- wires.c ------------------------------------------------------------------------------------
 */

struct chunk {
    struct chunk *next;
    int64_t due_ms;
    bool end; /* the other side has closed */
    struct buf bytes;
};
struct wire_end {
    struct host *host;
    struct wire *wire;
    struct link *link; /* NULL: this side is gone */
    bool closing;
    struct frame_reader reader;
    struct chunk *first, **last; /* on their way to this end */
    int64_t last_due_ms;
};
struct wire {
    bool used;
    struct wire_end ends[2]; /* 0 has dialled */
};
struct call { /* a dial under way */
    bool used;
    struct host *from;
    size_t party;
    int64_t due_ms;
};

/* -- host.c -------------------------------------------------------------------------------------
 */

struct host {
    struct sim *sim;
    size_t slot, party;
    struct code code;
    bool up, used;
    bool failed;  /* the product gave up on its disk */
    bool ready;   /* finished jobs wait to be delivered */
    bool waiting; /* power comes back at restart_ms */
    int64_t restart_ms;
    struct clock_fake clock;
    struct random_seeded random;
    struct vfs_fault *vfs;
    char vfs_name[32];
    enum vfs_fault_kind fault; /* armed */
    struct store *store;
    struct feed_context feed;
    struct storage storage;
    struct worker *worker;
    struct exchange *exchange;
    int64_t group_wall_ms; /* its clock when the oldest undelivered group was run */
    unsigned alarms;
    unsigned starts;
    bool rolled_back; /* restored or cloned once: it may have to repeat itself */
    bool set_back;    /* with its heads file: nobody here remembers what was signed */
    bool has_backup;
    struct vfs_fault_image *snapshot; /* of the whole disk, some time ago */
};

/* -- wiretap.c ----------------------------------------------------------------------------------
 */

struct seen_checkpoint {
    bool used;
    bool stored; /* the subscriber has cosigned it, and can show it */
    char origin[ORIGIN_MAX];
    uint64_t size;
    struct digest root;
};
struct seen_receipt { /* the highest that a subscriber has sent of a feed */
    size_t party;
    char origin[ORIGIN_MAX];
    uint64_t size, time_s;
};

/* -- sim.c --------------------------------------------------------------------------------------
 */

struct sim_stats {
    uint64_t steps, frames, bodies, receipts, crashes, cuts, partitions, disk_faults, restores,
        clones, approved, revoked, erased, groups;
};
struct sim {
    uint64_t seed;
    uint64_t step;
    bool verbose;
    bool calm; /* no more faults and decisions: what is due must come about */
    const struct mix *mix;
    struct random_seeded random;
    int64_t now_ms; /* monotonic, for all */
    struct host hosts[HOSTS_MAX];
    struct private_key *log_keys[PARTIES], *receipt_keys[PARTIES];
    struct wire wires[WIRES_MAX];
    struct call calls[WIRES_MAX];
    bool blocked[PARTIES][PARTIES]; /* bytes from one to the other do not pass */
    struct model model;
    struct seen_checkpoint *checkpoints;
    struct seen_receipt receipts[RECEIPTS_MAX];
    size_t receipt_count;
    size_t cloned; /* the party that has a copy, or PARTIES */
    struct sim_stats stats;
};

extern bool fake_sign_wanted; /* fake_sign.c: no Ed25519 */

void sim_run(struct sim *sim, uint64_t steps);
void sim_settle(struct sim *sim, int64_t ms); /* without faults, for so long */
void sim_sleep(struct sim *sim, int64_t ms);
uint64_t sim_random(struct sim *sim, uint64_t below);
bool sim_chance(struct sim *sim, unsigned thousandths);
void sim_trace(struct sim *sim, const char *format, ...) PRINTF_LIKE(2, 3);
/* Prints seed, step and reason, and ends the program. */
_Noreturn void sim_fail(struct sim *sim, const char *format, ...) PRINTF_LIKE(2, 3);
void sim_must(struct sim *sim, enum status status, const struct error *err, const char *what);

void host_make(struct sim *sim, size_t slot, size_t party);
void host_free(struct host *host);
void host_start(struct host *host);
void host_crash(struct host *host, bool power);
void host_work(struct host *host);    /* one step of the worker */
void host_deliver(struct host *host); /* the answers */
void host_tell_peers(struct host *host);
struct host *host_of(struct sim *sim, const struct code *code); /* the original */
struct store_options host_options(struct host *host);
const char *host_path(const struct host *host, const char *name);

struct exchange_io wires_io(struct host *host);
void wires_lose(struct host *host); /* it crashed */
void wires_cut(struct wire *wire);
size_t wires_due(struct sim *sim, bool run, size_t which); /* counts, or does one of them */
int64_t wires_next_ms(const struct sim *sim);

void wiretap_frame(struct host *from, struct host *to, struct span frame);

void workload_step(struct sim *sim);
void workload_peers(struct host *host); /* accepts all the others, at the beginning */
void workload_calm(struct sim *sim);    /* lifts every hold */

void faults_step(struct sim *sim);
void faults_stop(struct sim *sim);
void restore_step(struct sim *sim); /* restore.c: backups, snapshots, copies */
void restore_clone_step(struct sim *sim);
void restore_stop_clone(struct sim *sim);
void faults_tick(struct sim *sim); /* power that comes back */

bool model_allows(const struct sim *sim, size_t record, size_t recipient, int64_t publisher_ms);
/* Whether it must be there: not when the end is near, which clocks may see as passed. */
#define MODEL_SURE_MS (100 * SIM_DAY_MS)
bool model_demands(const struct sim *sim, size_t record, size_t recipient, int64_t publisher_ms);
bool model_ever_allowed(const struct sim *sim, size_t record, size_t recipient);
void model_resolve(struct host *host); /* it was started again: what of the doubtful is true? */
size_t model_record_of(const struct sim *sim, struct span title);

void verdict_started(struct host *host); /* what it receipted is still there */
void verdict_running(struct sim *sim);   /* what must hold at any time */
void verdict_final(struct sim *sim);

#endif
