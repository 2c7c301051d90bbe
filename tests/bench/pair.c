#include "pair.h"

#include "base/memory.h"
#include "crypto/digest.h"
#include "feed/consents.h"
#include "feed/records.h"
#include "log/checkpoint.h"
#include "node/exchange_internal.h"
#include "node/node_internal.h"
#include "sockets.h"
#include "store/heads.h"
#include "store/peer_rows.h"
#include "wire/heading.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PREPARER = 1001, APPROVER = 1002, CONSENT_RECORDS = 2000 };

static struct error err;

/* -- directories and keys ---------------------------------------------------------------------- */

unsigned pair_free_port(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (struct sockaddr *)&address, size) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        bench_fail("a free port");
    close(fd);
    return ntohs(address.sin_port);
}

static void run(const char *command)
{
    if (system(command) != 0) /* NOLINT: words of our own */
        bench_fail(command);
}

static void read_identity(struct pair_node *node)
{
    char path[PAIR_PATH + 16];
    struct realm realm = { "training" };
    (void)snprintf(path, sizeof(path), "%s/identity", node->directory);
    int64_t now_ms = clock_system()->wall_ms(clock_system());
    bench_must(identity_read(path, &realm, &node->code, now_ms, &node->identity, &err), &err);
    bench_must(identity_read_card(path, &node->card_text, &err), &err);
    bench_must(card_decode(buf_span(&node->card_text), &node->card, NULL, &err), &err);
}

static struct pair_watch *map_watch(int fd)
{
    void *memory = mmap(NULL, sizeof(struct pair_watch), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        bench_fail("shared memory");
    return memory;
}

void pair_make(struct pair_node *node,
               const struct bench_place *place,
               const char *code,
               unsigned port)
{
    static unsigned made;
    char command[4 * PAIR_PATH];
    char listen[100] = "";
    memset(node, 0, sizeof(*node));
    bench_must(code_parse(code, &node->code, &err), &err);
    (void)snprintf(node->directory, sizeof(node->directory), "%s/%s-%d-%u", place->work, code,
                   (int)getpid(), made++);
    (void)snprintf(node->configuration, sizeof(node->configuration), "%.280s/comity.conf",
                   node->directory);
    if (port != 0)
        (void)snprintf(listen, sizeof(listen), "--listen 127.0.0.1:%u --address 127.0.0.1:%u", port,
                       port);
    (void)snprintf(command, sizeof(command),
                   "'%s/comityctl' node init --realm training --code %s --name 'Node %s' "
                   "--directory '%s' --operators 0 --approvers 2002 %s >'%s.out' 2>&1",
                   place->binaries, code, code, node->directory, listen, node->directory);
    run(command);
    read_identity(node);
    node->watch_fd = memfd_create("watch", MFD_CLOEXEC);
    if (node->watch_fd < 0 || ftruncate(node->watch_fd, sizeof(*node->watch)) != 0)
        bench_fail("shared memory");
    node->watch = map_watch(node->watch_fd);
}

void pair_remove(struct pair_node *node)
{
    char command[2 * PAIR_PATH + 32];
    identity_fini(&node->identity);
    card_fini(&node->card);
    buf_fini(&node->card_text);
    (void)munmap(node->watch, sizeof(*node->watch));
    (void)close(node->watch_fd);
    (void)snprintf(command, sizeof(command), "rm -rf '%s' '%s.out'", node->directory,
                   node->directory);
    run(command);
}

/* -- preparing --------------------------------------------------------------------------------- */

void pair_open(struct pair_node *node)
{
    char path[PAIR_PATH + 16];
    (void)snprintf(path, sizeof(path), "%s/data", node->directory);
    struct store_options options = { .directory = path,
                                     .clock = clock_system(),
                                     .random = random_system() };
    bench_must(store_open(&options, &node->store, &err), &err);
    node->feed = (struct feed_context){ .store = node->store,
                                        .clock = clock_system(),
                                        .random = store_random(node->store),
                                        .realm = { "training" },
                                        .self = node->code,
                                        .log_key = node->identity.keys[ROLE_LOG],
                                        .receipt_key = node->identity.keys[ROLE_RECEIPT] };
}

void pair_close(struct pair_node *node)
{
    store_close(node->store);
    node->store = NULL;
}

static void begin(struct pair_node *node)
{
    bench_must(store_begin(node->store, &err), &err);
}

static void commit(struct pair_node *node)
{
    bench_must(store_commit(node->store, &err), &err);
    bench_must(heads_save(node->store, &err), &err);
}

void pair_accept(struct pair_node *node, const struct pair_node *other)
{
    const struct card *card = &other->card;
    int64_t peer_id = 0;
    struct span anchor = buf_span(&card->anchor);
    struct peer_row row = { .code = card->code,
                            .realm = card->realm,
                            .state = PEER_ACCEPTED,
                            .added_by = PREPARER,
                            .accepted_by = APPROVER };
    (void)snprintf(row.name, sizeof(row.name), "%s", card->name);
    (void)snprintf(row.address, sizeof(row.address), "%s", card->address);
    bench_must(sha256_of(&anchor, 1, &row.anchor_digest, &err), &err);
    bench_must(certificate_public(buf_span(&card->roles[ROLE_LOG]), &row.log_key, &err), &err);
    bench_must(certificate_public(buf_span(&card->roles[ROLE_RECEIPT]), &row.receipt_key, &err),
               &err);
    begin(node);
    bench_must(peer_rows_add(node->store, &row, &peer_id, &err), &err);
    bench_must(peer_rows_set_file(node->store, peer_id, PEER_ANCHOR_DER, anchor, &err), &err);
    bench_must(peer_rows_set_file(node->store, peer_id, PEER_CRL_DER, buf_span(&card->crl), &err),
               &err);
    commit(node);
}

void pair_befriend(struct pair_node *one, struct pair_node *two)
{
    pair_accept(one, two);
    pair_accept(two, one);
}

struct id *pair_add_excerpts(struct pair_node *node, size_t count, size_t bytes)
{
    static const struct {
        enum excerpt_field field;
        const char *text;
    } fields[] = {
        { EXCERPT_KIND, "answer" },       { EXCERPT_INSTRUMENT, "UNTOC" },
        { EXCERPT_ARTICLE, "16" },        { EXCERPT_LANGUAGE, "en" },
        { EXCERPT_TITLE, "Extradition" }, { EXCERPT_ORIGINATOR, "Attorney-General" },
        { EXCERPT_DATE, "2025-03-01" },   { EXCERPT_CONFIDENTIALITY, "restricted" },
    };
    struct id *ids = mem_calloc(count, sizeof(*ids));
    char *text = mem_calloc(bytes + 1, 1);
    if (ids == NULL || text == NULL)
        bench_fail("excerpts");
    begin(node);
    for (size_t i = 0; i < count; i++) {
        struct excerpt excerpt;
        for (size_t at = 0; at < bytes; at++)
            text[at] = (char)('a' + (at * 7 + i) % 26);
        excerpt_init(&excerpt);
        for (size_t f = 0; f < sizeof(fields) / sizeof(fields[0]); f++)
            bench_must(excerpt_set(&excerpt, fields[f].field, span_text(fields[f].text), &err),
                       &err);
        bench_must(excerpt_set(&excerpt, EXCERPT_TEXT, span_text(text), &err), &err);
        bench_must(records_add_excerpt(&node->feed, PREPARER, &excerpt, &ids[i], &err), &err);
        excerpt_fini(&excerpt);
    }
    commit(node);
    mem_free(text);
    return ids;
}

struct id *pair_add_releases(struct pair_node *node, const struct sdmx_release_list *list)
{
    struct id *ids = mem_calloc(list->count, sizeof(*ids));
    struct records_imported *imported = mem_calloc(list->count, sizeof(*imported));
    if (ids == NULL || imported == NULL)
        bench_fail("releases");
    begin(node);
    bench_must(records_import_releases(&node->feed, PREPARER, list, imported, &err), &err);
    commit(node);
    for (size_t i = 0; i < list->count; i++)
        ids[i] = imported[i].record_id;
    mem_free(imported);
    return ids;
}

size_t pair_consents(size_t records)
{
    return (records + CONSENT_RECORDS - 1) / CONSENT_RECORDS;
}

static void give(struct pair_node *node,
                 const struct code *to,
                 const struct id *records,
                 size_t count)
{
    static struct consents_request request;
    struct consents_queued queued;
    struct digest digest;
    struct id consent;
    int64_t now_ms = clock_system()->wall_ms(clock_system());
    request = (struct consents_request){
        .record_ids = records, .record_id_count = count, .recipients = to, .recipient_count = 1
    };
    terms_init(&request.terms, now_ms);
    request.terms.purpose = PURPOSE_PEER_REVIEW;
    request.terms.valid_until_ms = now_ms + INT64_C(30) * 86400 * 1000;
    (void)snprintf(request.terms.authority, sizeof(request.terms.authority), "Attorney-General");
    (void)snprintf(request.terms.reference, sizeof(request.terms.reference), "NV 1/2025");
    begin(node);
    bench_must(consents_draft(&node->feed, PREPARER, &request, &consent, NULL, &err), &err);
    bench_must(consents_propose(&node->feed, PREPARER, &consent, &digest, &err), &err);
    bench_must(consents_approve(&node->feed, APPROVER, &consent, &digest, &queued, NULL, &err),
               &err);
    commit(node);
}

void pair_give(struct pair_node *node,
               const struct code *to,
               const struct id *records,
               size_t count)
{
    for (size_t at = 0; at < count; at += CONSENT_RECORDS)
        give(node, to, records + at, count - at < CONSENT_RECORDS ? count - at : CONSENT_RECORDS);
}

/* -- inside the process of a node -------------------------------------------------------------- */

static struct pair_watch *watch;
static struct exchange *watched;
static struct exchange_feed true_feed;
static struct exchange_io true_io;
static _Atomic uint64_t newest; /* the receipt that the store thread took last */

static enum status publish(struct feed_context *feed,
                           const struct code *peer,
                           uint64_t from,
                           size_t max_bytes,
                           struct batch *ret_batch,
                           struct error *error)
{
    if (watch->one_by_one && watch->in_flight) {
        *ret_batch = (struct batch){ .first_index = from };
        return OK;
    }
    if (watch->batch_bytes != 0 && watch->batch_bytes < max_bytes)
        max_bytes = watch->batch_bytes;
    enum status status = true_feed.publish(feed, peer, from, max_bytes, ret_batch, error);
    watch->in_flight = status == OK && ret_batch->entry_count > 0;
    if (watch->one_by_one)
        ret_batch->is_last = true; /* as when nothing else was queued yet */
    return status;
}

static enum status take_receipt(struct feed_context *feed,
                                const struct code *peer,
                                struct span note,
                                struct feed_verification *verification,
                                struct error *error)
{
    struct heading heading;
    enum status status = true_feed.take_receipt(feed, peer, note, verification, error);
    if (status == OK && heading_read(note, &heading, error) == OK)
        newest = heading.size;
    return status;
}

static void note_sample(double seconds)
{
    size_t at = watch->sample_count;
    if (at < PAIR_SAMPLES) {
        watch->samples_s[at] = seconds;
        watch->sample_count = at + 1;
    }
}

static double processor_s(clockid_t clock)
{
    struct timespec used = { 0, 0 };
    (void)clock_gettime(clock, &used);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

static void note_start(void)
{
    if (watch->processor_s == 0)
        watch->processor_s = processor_s(CLOCK_PROCESS_CPUTIME_ID);
}

static void on_event(void *self, const char *name, const struct code *peer, const char *fields)
{
    true_io.event(self, name, peer, fields);
    if (strcmp(name, "peer_connected") == 0) {
        note_start();
        watch->connected++;
    }
    if (strcmp(name, "receipt") != 0)
        return;
    double now_s = bench_now_s();
    watch->receipt_s = now_s;
    if (newest >= watch->until)
        watch->socket_bytes = sockets_bytes();
    watch->receipted = newest;
    if (watch->one_by_one) {
        if (watch->asked_s > 0)
            note_sample(now_s - watch->asked_s);
        watch->in_flight = false;
        watch->asked_s = bench_now_s();
        exchange_wake(watched);
    }
}

static void dial(void *self, const struct code *peer, const char *address)
{
    note_start();
    if (watch->dial_s == 0)
        watch->dial_s = bench_now_s();
    true_io.dial(self, peer, address);
}

static void on_lag_timer(uv_timer_t *timer)
{
    static double due_s;
    double now_s = bench_now_s();
    if (due_s > 0)
        note_sample(now_s > due_s ? now_s - due_s : 0);
    due_s = now_s + 0.001;
    (void)uv_timer_start(timer, on_lag_timer, 1, 0);
}

static const char node_argument[] = "--node";

static void serve(const char *configuration, struct pair_watch *shared)
{
    struct config config;
    struct buf problems = BUF_INIT;
    struct node *node = NULL;
    uv_timer_t timer;
    bench_must(config_read(configuration, &config, &problems, &err), &err);
    bench_must(node_start(&config, &node, &err), &err);
    watch = shared;
    watched = node->exchange;
    true_feed = watched->config.feed;
    true_io = watched->config.io;
    watched->config.feed.publish = publish;
    watched->config.feed.take_receipt = take_receipt;
    watched->config.io.event = on_event;
    watched->config.io.dial = dial;
    if (watch->lag) {
        (void)uv_timer_init(&node->loop, &timer);
        (void)uv_timer_start(&timer, on_lag_timer, 1, 0);
    }
    bool fine = node_run(node);
    node_stop(node);
    _exit(fine ? 0 : 1);
}

void pair_serve_if_node(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], node_argument) == 0)
        serve(argv[2], map_watch((int)strtol(argv[3], NULL, 10)));
}

/* -- outside of it ----------------------------------------------------------------------------- */

void pair_start(struct pair_node *node)
{
    char log[PAIR_PATH + 16];
    (void)snprintf(log, sizeof(log), "%s/log", node->directory);
    (void)fflush(stdout);
    node->process = fork();
    if (node->process < 0)
        bench_fail("fork");
    if (node->process > 0)
        return;
    int fd = open(log, O_CREAT | O_WRONLY | O_APPEND, 0600);
    char watch_fd[16];
    (void)snprintf(watch_fd, sizeof(watch_fd), "%d", node->watch_fd);
    if (fd < 0 || dup2(fd, STDERR_FILENO) < 0 || fcntl(node->watch_fd, F_SETFD, 0) != 0)
        _exit(1);
    execl("/proc/self/exe", "comityd", node_argument, node->configuration, watch_fd, NULL);
    _exit(1);
}

void pair_stop(struct pair_node *node)
{
    int status = 0;
    if (node->process <= 0)
        return;
    (void)kill(node->process, SIGTERM);
    if (waitpid(node->process, &status, 0) != node->process || status != 0)
        fprintf(stderr, "bench: node %s ended with status %d\n", node->code.text, status);
    node->process = 0;
}

static void pause_ms(unsigned ms)
{
    (void)usleep(ms * 1000);
}

bool pair_wait(const struct pair_node *node, uint64_t receipted, double seconds)
{
    double end_s = bench_now_s() + seconds;
    while (node->watch->receipted < receipted) {
        if (bench_now_s() > end_s)
            return false;
        pause_ms(2);
    }
    return true;
}

bool pair_wait_connected(const struct pair_node *node, unsigned count, double seconds)
{
    double end_s = bench_now_s() + seconds;
    while (node->watch->connected < count) {
        if (bench_now_s() > end_s)
            return false;
        pause_ms(2);
    }
    return true;
}

double pair_processor_s(const struct pair_node *node)
{
    clockid_t clock;
    if (clock_getcpuclockid(node->process, &clock) != 0)
        return 0;
    return processor_s(clock) - node->watch->processor_s;
}

double pair_memory_kb(pid_t process, const char *line)
{
    char path[64];
    char text[256];
    double kb = -1;
    (void)snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)process);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return kb;
    while (fgets(text, sizeof(text), file) != NULL)
        if (strncmp(text, line, strlen(line)) == 0 && text[strlen(line)] == ':')
            kb = strtod(text + strlen(line) + 1, NULL);
    (void)fclose(file);
    return kb;
}
