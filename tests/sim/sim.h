/* A federation in one process, on fake time, from one seed.
 *
 *   main      seeds, steps, what is printed         sim      the scheduler: one thing at a time
 *   host      a node: database, worker, exchange    wires    connections that delay, stall, break
 *   workload  what people want, acts: as done       faults   what goes wrong
 *   model     who allowed what, apart from the      wiretap  judges every frame that is sent
 *             product's own tables                  holder   judges what a receipt stands for
 *   restore   backups, snapshots, copies            verdict  judges the nodes when all is quiet
 *   papers    keys and cards that are replaced
 *   mutate    breaks each promise on purpose, to see that one of the three judges notices
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
    VERSIONS_MAX = 4,          /* of a record */
    CHECKPOINTS_MAX = 1 << 15, /* a power of two: slots of a hash table */
    RECEIPTS_MAX = 512,
    ORIGINS_MAX = 512,
    SLOW_CHUNKS = 2, /* frames on the way that a slow line calls a full queue */
};
#define SIM_START_MS INT64_C(1764000000000)
#define SIM_DAY_MS   INT64_C(86400000)
#define LEAP_MS      (400 * SIM_DAY_MS) /* behind the end of every consent */

/* How likely each thing is, in thousandths of a step. */
struct mix {
    const char *name;
    unsigned work;
    unsigned crash, cut, partition, disk, clock, restore, clone, block, rotate;
    bool leaps;
};

/* A promise that is broken on purpose, to see that the verdict notices (mutate.c). */
enum mutation {
    MUTATION_NONE,
    MUTATION_POLICY,  /* 1: what has no consent leaves */
    MUTATION_BODY,    /* 1: another record leaves than the one that was consented to */
    MUTATION_ROOT,    /* 4: now and then another root is signed */
    MUTATION_FORGET,  /* 5: a crash loses what was committed */
    MUTATION_LOSE,    /* 5: what was receipted is not kept */
    MUTATION_LOCK,    /* 6: a withdrawal locks nothing */
    MUTATION_ERASE,   /* 6: what was withdrawn is never erased */
    MUTATION_KEY,     /* 6: erased in the tables, and the key stays */
    MUTATION_RESTORE, /* 9: a restored node goes on in its old epoch */
    MUTATION_CLONE,   /* 9: two boot ids raise no alarm */
    MUTATION_CLOCK,   /* 6: what a clock that leapt calls over is ended */
    MUTATION_ROTATE,  /* 4: a new log key signs alone before it was announced */
    MUTATION_COSIGN,  /* 4: so does a new receipt key */
    MUTATION_CARD,    /* 4: a new card is not sent */
    MUTATION_COUNT
};
extern enum mutation mutation;

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
    bool release;      /* figures, not an excerpt */
    unsigned versions; /* asked for so far */
};
struct model_consent {
    size_t party;
    struct id id;
    enum model_state state;
    size_t records[CONSENT_RECORDS_SIM];
    uint32_t versions[CONSENT_RECORDS_SIM]; /* 0: not known before an answer; any */
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

/* What an identity directory holds: which of the certificates made for this party. */
enum { PAPERS_KEYS = 8 }; /* of a role, in one seed */
struct papers {
    unsigned number[ROLE_COUNT];
    bool former[ROLE_COUNT]; /* the key before is there as well, and signs */
    unsigned address;
};

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
    bool rolled_back;        /* restored or cloned once: it may have to repeat itself */
    bool set_back;           /* with its heads file: nobody here remembers what was signed */
    bool blocks[PARTIES];    /* the answer was that this peer is blocked */
    struct papers papers;    /* in its directory */
    struct papers loaded;    /* in its memory */
    struct buf former_cards; /* also there */
    int64_t leap_ms;         /* its clock is so far ahead */
    bool reload;             /* somebody is going to tell it to */
    bool renew[PARTIES];     /* somebody is going to take this peer's card by hand */
    bool has_backup;
    unsigned life, snapshot_life;     /* restores from a backup so far */
    struct buf journal;               /* a checkpoint of its journal, kept outside */
    struct vfs_fault_image *snapshot; /* of the whole disk, some time ago */
    struct vfs_fault_image *earlier;  /* MUTATION_FORGET */
};

/* -- wiretap.c ----------------------------------------------------------------------------------
 */

struct seen_checkpoint {
    bool used;
    bool stored; /* the subscriber has cosigned it, and can show it */
    size_t subscriber;
    char origin[ORIGIN_MAX];
    uint64_t size;
    struct digest root;
};
struct seen_receipt { /* the highest that a subscriber has sent of a feed */
    size_t party;
    char origin[ORIGIN_MAX];
    uint64_t size, time_s;
};
struct seen_origin { /* of a feed, and after how many restores of its publisher it began */
    char origin[ORIGIN_MAX];
    unsigned life;
};

/* -- sim.c --------------------------------------------------------------------------------------
 */

/* What happened, what was injected, what was judged: an empty test shows. */
#define SIM_COUNTS(X)    \
    X(steps)             \
    X(frames)            \
    X(groups)            \
    X(bodies)            \
    X(releases)          \
    X(receipts)          \
    X(added)             \
    X(changed)           \
    X(approved)          \
    X(revoked)           \
    X(expired)           \
    X(refused)           \
    X(retired)           \
    X(held)              \
    X(blocked)           \
    X(crashes)           \
    X(crashes_in_commit) \
    X(power_cuts)        \
    X(cuts)              \
    X(partitions)        \
    X(disk_faults)       \
    X(clock_steps)       \
    X(leaps)             \
    X(backups)           \
    X(restores)          \
    X(snapshots)         \
    X(set_backs)         \
    X(clones)            \
    X(rotations)         \
    X(former_deleted)    \
    X(renewed)           \
    X(slow_batches)      \
    X(epochs)            \
    X(heals)             \
    X(alarms)            \
    X(checks_body)       \
    X(checks_root)       \
    X(checks_receipt)    \
    X(checks_lock)       \
    X(checks_epoch)      \
    X(checks_start)      \
    X(checks_journal)    \
    X(checks_feed)       \
    X(checks_held)       \
    X(checks_gone)       \
    X(checks_unreadable) \
    X(checks_recall)     \
    X(checks_card)       \
    X(checks_node)
struct sim_stats {
#define SIM_COUNT_FIELD(name) uint64_t name;
    SIM_COUNTS(SIM_COUNT_FIELD)
#undef SIM_COUNT_FIELD
};
struct sim {
    uint64_t seed;
    uint64_t step;
    bool verbose;
    bool slow; /* lines are said to be full soon */
    bool calm; /* no more faults and decisions: what is due must come about */
    const struct mix *mix;
    struct random_seeded random;
    int64_t now_ms;  /* monotonic, for all */
    int64_t news_ms; /* when something was last said that is neither ping nor pong */
    struct host hosts[HOSTS_MAX];
    struct wire wires[WIRES_MAX];
    struct call calls[WIRES_MAX];
    bool blocked[PARTIES][PARTIES]; /* bytes from one to the other do not pass */
    struct model model;
    struct seen_checkpoint *checkpoints;
    struct seen_receipt receipts[RECEIPTS_MAX];
    size_t receipt_count;
    struct seen_origin origins[ORIGINS_MAX];
    size_t origin_count;
    size_t cloned; /* the party that has a copy, or PARTIES */
    struct sim_stats stats;
};

extern bool fake_sign_wanted; /* fake_sign.c: no Ed25519 */

void sim_run(struct sim *sim, uint64_t steps);
/* Without faults, for so long, or until nothing is said any more. */
void sim_settle(struct sim *sim, int64_t ms);
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
struct code host_code(size_t party);
struct store_options host_options(struct host *host);
const char *host_path(const struct host *host, const char *name);

struct exchange_io wires_io(struct host *host);
void wires_lose(struct host *host); /* it crashed */
void wires_cut(struct wire *wire);
size_t wires_due(struct sim *sim, bool run, size_t which); /* counts, or does one of them */
int64_t wires_next_ms(const struct sim *sim);

void wiretap_forget(struct host *subscriber);
void wiretap_frame(struct host *from, struct host *to, struct span frame);

void workload_step(struct sim *sim);
void workload_peers(struct host *host);              /* accepts all the others, at the beginning */
void workload_calm(struct sim *sim);                 /* lifts every hold */
void workload_renew(struct host *host, size_t peer); /* takes its card by hand */

void faults_step(struct sim *sim);
void faults_stop(struct sim *sim);
void restore_step(struct sim *sim); /* restore.c: backups, snapshots, copies */
void restore_clone_step(struct sim *sim);
void restore_stop_clone(struct sim *sim);
void faults_tick(struct sim *sim); /* power that comes back */

void papers_make(struct sim *sim); /* once for the process */
void papers_free(void);
void papers_card(const struct host *host, const struct papers *papers, struct buf *ret_text);
struct span papers_anchor(size_t party);
struct public_key papers_key(size_t party, enum role role, unsigned number);
void papers_load(struct host *host, const struct papers *papers);
void papers_start(struct host *host);
void papers_step(struct sim *sim);
void papers_tick(struct sim *sim);
bool papers_unknown(struct host *host, struct host *peer);
MUST_CHECK enum status papers_take(struct host *host, size_t peer, struct error *err);
void papers_judge(struct host *host);

/* One version of a record at one recipient; version 0: any. */
struct model_case {
    size_t record;
    uint32_t version;
    size_t recipient;
    int64_t publisher_ms;
};
bool model_allows(const struct sim *sim, const struct model_case *it);
/* Whether it must be there: not when the end is near, which clocks may see as passed. */
#define MODEL_SURE_MS (100 * SIM_DAY_MS)
bool model_demands(const struct sim *sim, const struct model_case *it);
bool model_ever_allowed(const struct sim *sim, const struct model_case *it);
void model_learn_versions(struct host *host, struct model_consent *consent);
void model_look(struct host *host, struct model_consent *consent);
void model_resolve(struct host *host); /* it was started again: what of the doubtful is true? */
size_t model_record_of(const struct sim *sim, struct span name);
/* By its title, or its source; RECORDS_MAX: nobody has written it. */
size_t model_record_seen(const struct sim *sim, const struct records_view *view);

/* acts.c: what people do, on the store's side */
enum op_kind {
    OP_ADD,
    OP_CHANGE,
    OP_CONSENT,
    OP_REVOKE,
    OP_RETIRE,
    OP_HOLD,
    OP_BLOCK,
    OP_RENEW,
    OP_KIND_COUNT
};
struct op {
    struct job job;
    struct host *host;
    enum op_kind kind;
    size_t record, consent; /* places in the model */
    size_t peer;            /* OP_HOLD, OP_BLOCK, OP_RENEW */
    bool on;
    struct id id;
    struct buf note; /* the journal's head after it */
};
enum { ANNE = 1001, BERT = 1002 };
enum status acts_apply(struct op *op, struct error *err);
enum status acts_sign(struct op *op, struct error *err);
const char *acts_name(enum op_kind kind);

/* holder.c: what a holder has receipted is locked and stays locked */
void holder_receipted(struct host *host, struct span origin, uint64_t from, uint64_t size);

/* mutate.c */
int mutate_all(const char *self); /* every mutation in a process of its own: 0 if all are caught */

void verdict_started(struct host *host); /* what it receipted is still there */
void verdict_running(struct sim *sim);   /* what must hold at any time */
void verdict_final(struct sim *sim);

#endif
