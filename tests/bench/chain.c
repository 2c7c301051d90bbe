#include "chain.h"

#include "bench.h"
#include "crypto/sign.h"
#include "raw.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BODY = 2048, NOTE = 200, RECORDS_MAX = 512 };

struct end {
    struct raw_table *table;
    struct private_key *key;
    struct public_key public;
    uint8_t signature[ED25519_SIGNATURE_SIZE];
    int fd;
    double next_s; /* when it commits next */
    double waited_s;
};

static struct error err;
static const uint8_t note[NOTE] = { 2 };
static size_t records;
static double period_s;

static void sign(struct end *end)
{
    bench_must(ed25519_sign(end->key, SPAN_ARRAY(note), end->signature, &err), &err);
}

static void verify(const struct end *end)
{
    bench_must(ed25519_verify(&end->public, SPAN_ARRAY(note), SPAN_ARRAY(end->signature), &err),
               &err);
}

static void pass_on(int fd, size_t size, bool sends)
{
    static _Thread_local char bytes[BODY];
    ssize_t passed = sends ? send(fd, bytes, size, 0) : recv(fd, bytes, size, MSG_WAITALL);
    if (passed != (ssize_t)size)
        bench_fail("loopback");
}

static void commit_in_time(struct end *end)
{
    double start_s = bench_now_s();
    double now_s = start_s;
    while (now_s < end->next_s) {
        (void)usleep((useconds_t)(1e6 * (end->next_s - now_s)));
        now_s = bench_now_s();
    }
    end->waited_s = now_s - start_s;
    raw_table_commit(end->table, true);
}

static void *subscribe(void *argument)
{
    struct end *end = argument;
    for (size_t i = 0; i < records; i++) {
        pass_on(end->fd, BODY, false);
        verify(end);
        commit_in_time(end);
        sign(end);
        pass_on(end->fd, NOTE, true);
    }
    return NULL;
}

static double publish(struct end *end, struct end *subscriber)
{
    double start_s = bench_now_s();
    subscriber->next_s = (end->next_s > start_s ? end->next_s : start_s) + period_s / 2;
    commit_in_time(end);
    end->next_s = subscriber->next_s + period_s / 2;
    sign(end);
    pass_on(end->fd, BODY, true);
    pass_on(end->fd, NOTE, false);
    verify(end);
    verify(end);
    raw_table_commit(end->table, false);
    return bench_now_s() - start_s - end->waited_s - subscriber->waited_s;
}

static void connect_ends(struct end *one, struct end *two)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t size = sizeof(address);
    int on = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    one->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0 ||
        connect(one->fd, (struct sockaddr *)&address, size) != 0)
        bench_fail("loopback");
    two->fd = accept(listener, NULL, NULL);
    (void)close(listener);
    (void)setsockopt(one->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(two->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void end_open(struct end *end, const char *directory, const char *name)
{
    const uint8_t seed[32] = { 1 };
    end->table = raw_table_open(directory, name);
    bench_must(private_key_of_seed(seed, &end->key, &err), &err);
    bench_must(private_key_public(end->key, &end->public, &err), &err);
    sign(end);
}

static void end_close(struct end *end)
{
    raw_table_close(end->table);
    private_key_free(end->key);
    (void)close(end->fd);
}

double chain_floor(const char *directory, size_t count, double rhythm_s)
{
    static double times_s[RECORDS_MAX];
    struct end publisher = { 0 };
    struct end subscriber = { 0 };
    pthread_t thread;
    period_s = rhythm_s;
    records = count < RECORDS_MAX ? count : RECORDS_MAX;
    end_open(&publisher, directory, "publisher");
    end_open(&subscriber, directory, "subscriber");
    connect_ends(&publisher, &subscriber);
    if (pthread_create(&thread, NULL, subscribe, &subscriber) != 0)
        bench_fail("thread");
    for (size_t i = 0; i < records; i++)
        times_s[i] = publish(&publisher, &subscriber);
    (void)pthread_join(thread, NULL);
    end_close(&publisher);
    end_close(&subscriber);
    return bench_median(times_s, records);
}
