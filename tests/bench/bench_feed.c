/* How fast one node numbers and another one stores: excerpts of 2 KB, one commit a batch, on the
 * directory that mkdtemp gives (a real disk or not: the commit's share says).  Each figure stands
 * beside what its hashing and sealing alone would allow. */
#include "unit/feed/two_nodes.h"

#include "crypto/seal.h"
#include "log/tree.h"

#include <stdlib.h>
#include <time.h>

enum { RECORDS = 8192, TEXT = 1500 };

static double now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void add_records(struct id *ids)
{
    static char text[TEXT + 1];
    memset(text, 'x', TEXT);
    struct excerpt excerpt;
    tx_begin(&ke);
    for (size_t i = 0; i < RECORDS; i++) {
        static const struct {
            enum excerpt_field field;
            const char *text;
        } fields[] = {
            { EXCERPT_KIND, "answer" },
            { EXCERPT_INSTRUMENT, "UNTOC" },
            { EXCERPT_ARTICLE, "16" },
            { EXCERPT_LANGUAGE, "en" },
            { EXCERPT_TEXT, text },
            { EXCERPT_TITLE, "Extradition" },
            { EXCERPT_ORIGINATOR, "Attorney-General" },
            { EXCERPT_DATE, "2025-03-01" },
            { EXCERPT_CONFIDENTIALITY, "restricted" },
        };
        excerpt_init(&excerpt);
        for (size_t f = 0; f < COUNT(fields); f++)
            CHECK_OK(excerpt_set(&excerpt, fields[f].field, span_text(fields[f].text), &err), &err);
        CHECK_OK(records_add_excerpt(&ke.feed, ANNE, &excerpt, &ids[i], &err), &err);
        excerpt_fini(&excerpt);
        pass_time(1);
    }
    tx_commit(&ke);
}

struct times {
    double publish, publish_commit, sign, check, ingest, ingest_commit, receipt;
};

static size_t one_batch(uint64_t from, struct times *times)
{
    struct batch batch = { 0 };
    struct buf receipt = BUF_INIT;
    double start = now_s();
    tx_begin(&ke);
    CHECK_OK(feed_publish(&ke.feed, &un.code, from, BATCH_BYTES_MAX, &batch, &err), &err);
    double published = now_s();
    tx_commit(&ke);
    double committed = now_s();
    size_t count = batch.entry_count;
    times->publish += published - start;
    times->publish_commit += committed - published;
    if (count > 0) {
        CHECK_OK(feed_publish_sign(&ke.feed, &batch, &err), &err);
        double sent = now_s();
        CHECK_OK(feed_ingest_check(&un.feed, &ke.code, &batch, &err), &err);
        double checked = now_s();
        tx_begin(&un);
        CHECK_OK(feed_ingest(&un.feed, &ke.code, &batch, &err), &err);
        double ingested = now_s();
        tx_commit(&un);
        double stored = now_s();
        CHECK_OK(feed_ingest_sign(&un.feed, &ke.code, &receipt, &err), &err);
        CHECK_OK(take_receipt(&ke, &un, buf_span(&receipt)), &err);
        times->sign += sent - committed;
        times->check += checked - sent;
        times->ingest += ingested - checked;
        times->ingest_commit += stored - ingested;
        times->receipt += now_s() - stored;
    }
    batch_fini(&batch);
    buf_fini(&receipt);
    return count;
}

/* The floor: one commitment over 2 KB, one leaf, one node, one seal. */
static double floor_per_entry(void)
{
    enum { ROUNDS = 20000 };
    static uint8_t body[2048];
    struct id id = { { 1 } };
    struct digest digest;
    struct seal_key key = { { 1 } };
    struct sealer *sealer = NULL;
    struct buf sealed = BUF_INIT;
    CHECK_OK(sealer_new(&ke.place.random.base, &sealer, &err), &err);
    double start = now_s();
    for (int i = 0; i < ROUNDS; i++) {
        buf_clear(&sealed);
        CHECK_OK(header_commit(SPAN_LITERAL("origin"), &id, span_of(body, 32), SPAN_ARRAY(body),
                               &digest, &err),
                 &err);
        CHECK_OK(tree_leaf(span_of(body, 120), &digest, &err), &err);
        CHECK_OK(tree_node(&digest, &digest, &digest, &err), &err);
        CHECK_OK(seal(sealer, &key, NULL, 0, SPAN_ARRAY(body), &sealed, &err), &err);
    }
    double seconds = (now_s() - start) / ROUNDS;
    buf_fini(&sealed);
    sealer_free(sealer);
    return seconds;
}

int main(void)
{
    static struct id ids[RECORDS];
    struct times times = { 0 };
    void *state = NULL;
    two_set_up(&state);
    add_records(ids);
    give(&ke, &un, ids, RECORDS, 30);
    uint64_t next = 0;
    size_t batches = 0;
    for (size_t count = 1; count > 0; batches++)
        next += count = one_batch(next, &times);
    double floor = floor_per_entry();
    const double n = (double)next;
    printf("%llu entries in %zu batches; hashing and sealing alone: %.1f us an entry\n",
           (unsigned long long)next, batches, 1e6 * floor);
    printf("publish  %6.1f us an entry (%.0f entries/s), its commits %.2f ms a batch, signing %.0f "
           "us\n",
           1e6 * times.publish / n, n / (times.publish + times.publish_commit + times.sign),
           1e3 * times.publish_commit / (double)batches, 1e6 * times.sign / (double)batches);
    printf(
        "ingest   %6.1f us an entry, check %.1f us (%.0f entries/s), its commits %.2f ms a batch\n",
        1e6 * times.ingest / n, 1e6 * times.check / n,
        n / (times.check + times.ingest + times.ingest_commit),
        1e3 * times.ingest_commit / (double)batches);
    printf("receipt  %6.2f ms a batch\n", 1e3 * times.receipt / (double)batches);
    two_tear_down(&state);
    return 0;
}
