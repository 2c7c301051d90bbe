#include "raw.h"

#include "bench.h"
#include "crypto/sign.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SIZE = 512, ROUNDS = 301 };

static struct error err;
static char path[300];

/* -- SQLite ------------------------------------------------------------------------------------ */

static void run(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        bench_fail(sqlite3_errmsg(db));
}

static sqlite3 *open_raw(const char *directory)
{
    sqlite3 *db = NULL;
    (void)snprintf(path, sizeof(path), "%s/raw.db", directory);
    if (sqlite3_open(path, &db) != SQLITE_OK)
        bench_fail(path);
    run(db, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; "
            "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA cell_size_check = ON; "
            "CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB)");
    return db;
}

static void close_raw(sqlite3 *db)
{
    char wal[320];
    sqlite3_close(db);
    (void)snprintf(wal, sizeof(wal), "%s-wal", path);
    (void)unlink(path);
    (void)unlink(wal);
}

double raw_inserts(const char *directory,
                   const struct span *bodies,
                   size_t count,
                   size_t per_transaction)
{
    sqlite3 *db = open_raw(directory);
    sqlite3_stmt *insert = NULL;
    sqlite3_prepare_v2(db, "INSERT INTO t (v) VALUES (?)", -1, &insert, NULL);
    double start_s = bench_now_s();
    for (size_t i = 0; i < count; i++) {
        if (i % per_transaction == 0)
            run(db, "BEGIN");
        sqlite3_bind_blob(insert, 1, bodies[i].data, (int)bodies[i].size, SQLITE_STATIC);
        if (sqlite3_step(insert) != SQLITE_DONE)
            bench_fail(sqlite3_errmsg(db));
        sqlite3_reset(insert);
        if (i % per_transaction == per_transaction - 1 || i == count - 1)
            run(db, "COMMIT");
    }
    double seconds = bench_now_s() - start_s;
    sqlite3_finalize(insert);
    close_raw(db);
    return seconds;
}

/* In a WAL that has grown before, as a node's has: overwriting is quicker than growing. */
static void grow_wal(sqlite3 *db)
{
    run(db, "PRAGMA wal_autocheckpoint = 0; BEGIN; "
            "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 400) "
            "INSERT INTO t (v) SELECT randomblob(8192) FROM n; COMMIT; "
            "PRAGMA wal_checkpoint(PASSIVE)");
}

double raw_commit(const char *directory, size_t count, bool waits)
{
    static double times_s[ROUNDS];
    sqlite3 *db = open_raw(directory);
    grow_wal(db);
    if (!waits)
        run(db, "PRAGMA synchronous = NORMAL");
    count = count < ROUNDS ? count : ROUNDS;
    for (size_t i = 0; i < count; i++) {
        double start_s = bench_now_s();
        run(db, "BEGIN; INSERT INTO t (v) VALUES (randomblob(2048)); COMMIT");
        times_s[i] = bench_now_s() - start_s;
    }
    close_raw(db);
    return bench_median(times_s, count);
}

/* -- an erasure -------------------------------------------------------------------------------- */

struct raw_eraser {
    sqlite3 *db;
    int slot;
};

struct raw_eraser *raw_eraser_new(const char *directory)
{
    static struct raw_eraser eraser;
    char slot[320];
    (void)snprintf(slot, sizeof(slot), "%s/raw.slot", directory);
    eraser.slot = open(slot, O_CREAT | O_RDWR, 0600);
    eraser.db = open_raw(directory);
    if (eraser.slot < 0)
        bench_fail(slot);
    run(eraser.db, "INSERT INTO t (id, v) VALUES (1, randomblob(4096))");
    return &eraser;
}

static void write_slot(struct raw_eraser *eraser, off_t at)
{
    static const char block[4096] = { 1 };
    if (pwrite(eraser->slot, block, sizeof(block), at) < 0 || fdatasync(eraser->slot) != 0)
        bench_fail("slot");
}

double raw_erase(struct raw_eraser *eraser)
{
    double start_s = bench_now_s();
    write_slot(eraser, 0);
    run(eraser->db, "UPDATE t SET v = randomblob(4096) WHERE id = 1");
    sqlite3_wal_checkpoint_v2(eraser->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    write_slot(eraser, 4096);
    return bench_now_s() - start_s;
}

void raw_eraser_free(struct raw_eraser *eraser)
{
    close(eraser->slot);
    close_raw(eraser->db);
}

/* -- signatures -------------------------------------------------------------------------------- */

static double signing(bool verify)
{
    static double times_s[ROUNDS];
    const uint8_t seed[32] = { 1 };
    const uint8_t text[200] = { 2 };
    struct private_key *key = NULL;
    struct public_key public;
    uint8_t signature[ED25519_SIGNATURE_SIZE];
    bench_must(private_key_of_seed(seed, &key, &err), &err);
    bench_must(private_key_public(key, &public, &err), &err);
    for (size_t i = 0; i < ROUNDS; i++) {
        double start_s = bench_now_s();
        if (!verify || i == 0)
            bench_must(ed25519_sign(key, SPAN_ARRAY(text), signature, &err), &err);
        if (verify)
            bench_must(ed25519_verify(&public, SPAN_ARRAY(text), SPAN_ARRAY(signature), &err),
                       &err);
        times_s[i] = bench_now_s() - start_s;
    }
    private_key_free(key);
    return bench_median(times_s, ROUNDS);
}

double raw_sign(void)
{
    return signing(false);
}

double raw_verify(void)
{
    return signing(true);
}

/* -- the loopback ------------------------------------------------------------------------------ */

static void pass_on(int fd, char *bytes, bool first)
{
    if (first && send(fd, bytes, SIZE, 0) != SIZE)
        bench_fail("send");
    if (recv(fd, bytes, SIZE, MSG_WAITALL) != SIZE)
        bench_fail("recv");
    if (!first && send(fd, bytes, SIZE, 0) != SIZE)
        bench_fail("send");
}

static void *echo(void *argument)
{
    char bytes[SIZE];
    int fd = accept(*(int *)argument, NULL, NULL);
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    for (size_t i = 0; i < ROUNDS; i++)
        pass_on(fd, bytes, false);
    close(fd);
    return NULL;
}

double raw_round_trip(void)
{
    static double times_s[ROUNDS];
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t size = sizeof(address);
    char bytes[SIZE] = { 1 };
    int on = 1;
    pthread_t thread;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0 ||
        pthread_create(&thread, NULL, echo, &listener) != 0 ||
        connect(fd, (struct sockaddr *)&address, size) != 0)
        bench_fail("loopback");
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    for (size_t i = 0; i < ROUNDS; i++) {
        double start_s = bench_now_s();
        pass_on(fd, bytes, true);
        times_s[i] = bench_now_s() - start_s;
    }
    pthread_join(thread, NULL);
    close(fd);
    close(listener);
    return bench_median(times_s, ROUNDS);
}
