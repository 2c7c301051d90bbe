/* What a data key costs: adding it in batches, and erasing one of a million, beside the same number
 * of bytes in plain SQLite on the same disk. */
#include "base/clock.h"
#include "base/memory.h"
#include "store/keys.h"
#include "store/store.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { KEYS = 1000 * 1000, BATCH = 10000, ERASURES = 101 };

static struct error err;

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void must(enum status status)
{
    if (status == OK)
        return;
    fprintf(stderr, "bench_keys: %s\n", err.text);
    exit(1);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print(const char *what, double *times, size_t count, const char *unit)
{
    qsort(times, count, sizeof(*times), by_value);
    printf("%-58s %10.3f %s  (least %.3f, most %.3f)\n", what, times[count / 2], unit, times[0],
           times[count - 1]);
}

static double add_batch(struct store *store)
{
    struct seal_key key;
    uint64_t slot = 0;
    double start = now_us();
    must(store_begin(store, &err));
    for (int i = 0; i < BATCH; i++)
        must(keys_add(store, &ID_NONE, &slot, &key, &err));
    must(store_commit(store, &err));
    mem_wipe(&key, sizeof(key));
    return (now_us() - start) / BATCH;
}

/* The floor of an insert: rows of 32 bytes, appended in transactions of the same size. */
static void raw_inserts(const char *directory)
{
    static double times[20];
    char path[300];
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    (void)snprintf(path, sizeof(path), "%s/raw.db", directory);
    if (sqlite3_open(path, &db) != SQLITE_OK)
        exit(1);
    sqlite3_exec(db,
                 "PRAGMA locking_mode = EXCLUSIVE; PRAGMA page_size = 8192; PRAGMA journal_mode = "
                 "WAL; PRAGMA synchronous = FULL; CREATE TABLE k (id INTEGER PRIMARY KEY, v BLOB)",
                 NULL, NULL, NULL);
    sqlite3_prepare_v2(db, "INSERT INTO k (v) VALUES (?)", -1, &stmt, NULL);
    for (size_t t = 0; t < 20; t++) {
        double start = now_us();
        sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
        for (int i = 0; i < BATCH; i++) {
            uint8_t key[32] = { (uint8_t)i };
            sqlite3_bind_blob(stmt, 1, key, sizeof(key), SQLITE_TRANSIENT);
            sqlite3_step(stmt);
            sqlite3_reset(stmt);
        }
        sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
        times[t] = (now_us() - start) / BATCH;
    }
    print("floor: one raw row of 32 bytes, 10,000 to a commit", times, 20, "us");
    /* The floor of an erasure: as many durable steps, each changing almost nothing. */
    static double steps[ERASURES];
    char slot[300];
    (void)snprintf(slot, sizeof(slot), "%s/raw.slot", directory);
    FILE *file = fopen(slot, "w+b");
    if (file == NULL)
        exit(1);
    for (size_t t = 0; t < ERASURES; t++) {
        char block[4096] = { 1 };
        double start = now_us();
        for (int pass = 0; pass < 2; pass++) {
            if (pwrite(fileno(file), block, sizeof(block), pass * 4096) < 0 ||
                fdatasync(fileno(file)) != 0)
                exit(1);
            if (pass == 0) {
                sqlite3_exec(db, "UPDATE k SET v = zeroblob(32) WHERE id = 7", NULL, NULL, NULL);
                sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
            }
        }
        steps[t] = (now_us() - start) / 1000;
    }
    print("floor: raw update, truncating checkpoint, two slot writes", steps, ERASURES, "ms");
    (void)fclose(file);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    (void)unlink(path);
    (void)unlink(slot);
}

static void erase(struct store *store, size_t count, const char *what)
{
    static double times[ERASURES];
    uint64_t slots[10];
    struct random_seeded dice;
    random_seeded_init(&dice, 1 + count);
    struct keys_change nothing = { NULL, NULL };
    for (size_t t = 0; t < ERASURES; t++) {
        for (size_t i = 0; i < count; i++)
            slots[i] = random_seeded_next(&dice) % KEYS;
        double start = now_us();
        must(keys_erase(store, slots, count, nothing, &err));
        times[t] = (now_us() - start) / 1000;
    }
    print(what, times, ERASURES, "ms");
}

int main(void)
{
    static double times[KEYS / BATCH];
    char directory[] = "./bench-keys-XXXXXX";
    if (mkdtemp(directory) == NULL) {
        perror("bench_keys");
        return 1;
    }
    struct store_options options = { .directory = directory,
                                     .clock = clock_system(),
                                     .random = random_system() };
    struct store *store = NULL;
    must(store_create(&options, &store, &err));
    for (size_t i = 0; i < KEYS / BATCH; i++)
        times[i] = add_batch(store);
    print("add a data key, 10,000 to a commit, to a million", times, KEYS / BATCH, "us");
    erase(store, 1, "erase one of a million");
    erase(store, 10, "erase ten scattered ones of a million");
    store_close(store);
    raw_inserts(directory);
    static const char *const names[] = { "comity.db", "comity.db-wal", "root.slot", "heads" };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[300];
        (void)snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
        (void)unlink(path);
    }
    return rmdir(directory) == 0 ? 0 : 1;
}
