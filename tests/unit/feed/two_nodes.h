/* Two nodes, KE and UNODC, each with a real database, in one process.  Batches, receipts and heals
 * go from hand to hand; what a job of node/worker does in one group is one transaction here. */
#ifndef COMITY_TESTS_TWO_NODES_H
#define COMITY_TESTS_TWO_NODES_H

#include "base/memory.h"
#include "crypto/digest.h"
#include "crypto/sign.h"
#include "feed/consents.h"
#include "feed/feed.h"
#include "feed/records.h"
#include "log/checkpoint.h"
#include "log/header.h"
#include "log/origin.h"
#include "store/delivery_rows.h"
#include "store/entry_rows.h"
#include "store/feed_rows.h"
#include "store/heads.h"
#include "store/holding_rows.h"
#include "store/journal_rows.h"
#include "store/outbox_rows.h"
#include "store/pair_rows.h"
#include "store/peer_rows.h"
#include "store/recall_rows.h"
#include "store/store.h"
#include "support/check.h"
#include "support/sample_excerpt.h"
#include "support/store_place.h"

#include <stdio.h>
#include <string.h>

enum { ANNE = 1001, BERT = 1002 }; /* uids */

#define DAY_MS INT64_C(86400000)

struct node {
    struct code code;
    struct store_place place;
    struct store *store;
    struct feed_context feed;
    struct private_key *log_key, *receipt_key;
};

static struct node ke, un;
static struct error err;
static int64_t live_before;

/* -- transactions ------------------------------------------------------------------------------ */

static inline void tx_begin(struct node *node)
{
    CHECK_OK(store_begin(node->store, &err), &err);
}

static inline void tx_commit(struct node *node)
{
    CHECK_OK(store_commit(node->store, &err), &err);
    CHECK_OK(heads_save(node->store, &err), &err);
}

static inline enum status tx_end(struct node *node, enum status status)
{
    if (status == OK)
        tx_commit(node);
    else
        store_rollback(node->store);
    return status;
}

/* -- nodes ------------------------------------------------------------------------------------- */

static inline void node_open(struct node *node, bool create)
{
    struct store_options options = { .directory = node->place.directory,
                                     .clock = &node->place.clock.base,
                                     .random = &node->place.random.base };
    if (create)
        CHECK_OK(store_create(&options, &node->store, &err), &err);
    else
        CHECK_OK(store_open(&options, &node->store, &err), &err);
    node->feed = (struct feed_context){ .store = node->store,
                                        .clock = &node->place.clock.base,
                                        .random = &node->place.random.base,
                                        .realm = { "training" },
                                        .self = node->code,
                                        .log_key = node->log_key,
                                        .receipt_key = node->receipt_key };
}

static inline void node_make(struct node *node, const char *code, uint8_t seed)
{
    uint8_t log_seed[32] = { seed, 1 };
    uint8_t receipt_seed[32] = { seed, 2 };
    memset(node, 0, sizeof(*node));
    CHECK_OK(code_parse(code, &node->code, &err), &err);
    store_place_make(&node->place, seed);
    CHECK_OK(private_key_of_seed(log_seed, &node->log_key, &err), &err);
    CHECK_OK(private_key_of_seed(receipt_seed, &node->receipt_key, &err), &err);
    node_open(node, true);
}

static inline void node_free(struct node *node)
{
    store_close(node->store);
    private_key_free(node->log_key);
    private_key_free(node->receipt_key);
    store_place_remove(&node->place);
}

static inline struct peer_row peer_of(struct node *node, const struct node *other)
{
    struct peer_row row;
    CHECK_OK(peer_rows_get(node->store, &other->code, &row, &err), &err);
    return row;
}

static inline void set_peer(struct node *node, const struct peer_row *row)
{
    tx_begin(node);
    CHECK_OK(peer_rows_update(node->store, row, &err), &err);
    tx_commit(node);
}

static inline void node_accept(struct node *node, const struct node *other)
{
    struct peer_row row = { .code = other->code,
                            .realm = { "training" },
                            .state = PEER_ACCEPTED,
                            .name = "The other one",
                            .added_by = ANNE,
                            .accepted_by = BERT };
    int64_t peer_id = 0;
    memset(row.anchor_digest.bytes, other->code.text[0], DIGEST_SIZE);
    CHECK_OK(private_key_public(other->log_key, &row.log_key, &err), &err);
    CHECK_OK(private_key_public(other->receipt_key, &row.receipt_key, &err), &err);
    tx_begin(node);
    CHECK_OK(peer_rows_add(node->store, &row, &peer_id, &err), &err);
    tx_commit(node);
}

static inline int two_set_up(void **state)
{
    (void)state;
    struct sha256 *sha = NULL; /* the thread's own lives on */
    err = (struct error)ERROR_INIT;
    CHECK_OK(sha256_thread(&sha, &err), &err);
    live_before = mem_live();
    node_make(&ke, "KE", 7);
    node_make(&un, "UNODC", 8);
    node_accept(&ke, &un);
    node_accept(&un, &ke);
    return 0;
}

static inline int two_tear_down(void **state)
{
    (void)state;
    node_free(&ke);
    node_free(&un);
    assert_int_equal(mem_live(), live_before);
    return 0;
}

static inline void pass_time(int64_t ms)
{
    clock_fake_advance(&ke.place.clock, ms);
    clock_fake_advance(&un.place.clock, ms);
}

/* -- copies of a database ---------------------------------------------------------------------- */

static inline void copy_files(const struct store_place *from,
                              const struct store_place *to,
                              bool with_heads)
{
    store_place_copy(from, to, "comity.db");
    store_place_copy(from, to, "root.slot");
    if (with_heads)
        store_place_copy(from, to, "heads");
}

static inline void node_save(struct node *node, struct store_place *to)
{
    store_place_make(to, 99);
    store_close(node->store);
    copy_files(&node->place, to, true);
    node_open(node, false);
}

/* The saved database is back; `with_heads`: also the file that is kept outside of backups. */
static inline void node_roll_back(struct node *node, struct store_place *from, bool with_heads)
{
    store_close(node->store);
    (void)remove(store_place_path(&node->place, "comity.db-wal"));
    copy_files(from, &node->place, with_heads);
    store_place_remove(from);
    node_open(node, false);
}

/* -- records and consents ---------------------------------------------------------------------- */

static inline struct id add_excerpt_of(struct node *node, const char *title, struct span body)
{
    struct excerpt excerpt;
    struct id id;
    excerpt_init(&excerpt);
    CHECK_OK(sample_excerpt(&excerpt, title, body, &err), &err);
    tx_begin(node);
    CHECK_OK(records_add_excerpt(&node->feed, ANNE, &excerpt, &id, &err), &err);
    tx_commit(node);
    excerpt_fini(&excerpt);
    pass_time(1);
    return id;
}

static inline struct id add_excerpt(struct node *node, const char *title)
{
    return add_excerpt_of(node, title, SPAN_LITERAL("Nationals are extradited."));
}

/* A consent in force for these records, until `days` from now; its entries wait in the queue. */
static inline struct id give(
    struct node *node, const struct node *to, const struct id *records, size_t count, int days)
{
    struct consents_request request = { .record_ids = records,
                                        .record_id_count = count,
                                        .recipients = &to->code,
                                        .recipient_count = 1 };
    struct consents_queued queued;
    struct digest digest;
    struct id consent;
    int64_t now_ms = node->place.clock.wall_now_ms;
    terms_init(&request.terms, now_ms);
    request.terms.purpose = PURPOSE_PEER_REVIEW;
    request.terms.valid_until_ms = now_ms + days * DAY_MS;
    (void)snprintf(request.terms.authority, sizeof(request.terms.authority), "Attorney-General");
    (void)snprintf(request.terms.reference, sizeof(request.terms.reference), "NV 1/2025");
    tx_begin(node);
    CHECK_OK(consents_draft(&node->feed, ANNE, &request, &consent, NULL, &err), &err);
    CHECK_OK(consents_propose(&node->feed, ANNE, &consent, &digest, &err), &err);
    CHECK_OK(consents_approve(&node->feed, BERT, &consent, &digest, &queued, NULL, &err), &err);
    tx_commit(node);
    pass_time(1);
    return consent;
}

/* One more record of KE's, given to UNODC; it waits to be delivered. */
static inline struct id give_one(void)
{
    struct id record = add_excerpt(&ke, "A record");
    return give(&ke, &un, &record, 1, 30);
}

static inline void revoke(struct node *node, const struct id *consent)
{
    struct consents_ended ended;
    tx_begin(node);
    CHECK_OK(consents_revoke(&node->feed, ANNE, consent, "a test", &ended, &err), &err);
    tx_commit(node);
}

/* -- batches from hand to hand ----------------------------------------------------------------- */

static inline enum status publish(struct node *node,
                                  const struct node *to,
                                  uint64_t from,
                                  struct batch *ret_batch)
{
    tx_begin(node);
    enum status status =
        feed_publish(&node->feed, &to->code, from, BATCH_BYTES_MAX, ret_batch, &err);
    tx_end(node, status);
    if (status == OK && ret_batch->entry_count > 0)
        status = feed_publish_sign(&node->feed, ret_batch, &err);
    return status;
}

/* One batch with terms and two records, as KE sends it for the first time. */
static inline struct batch first_batch(void)
{
    struct batch batch = { 0 };
    struct id records[2] = { add_excerpt(&ke, "One"), add_excerpt(&ke, "Two") };
    give(&ke, &un, records, 2, 10);
    CHECK_OK(publish(&ke, &un, 0, &batch), &err);
    assert_int_equal(batch.entry_count, 3);
    return batch;
}

static inline enum status ingest(struct node *node,
                                 const struct node *from,
                                 const struct batch *batch,
                                 struct buf *ret_receipt)
{
    enum status status = feed_ingest_check(&node->feed, &from->code, batch, &err);
    if (status != OK)
        return status;
    struct feed_verification verification = { .has_key = true };
    CHECK_OK(private_key_public(from->log_key, &verification.key, &err), &err);
    feed_verify_batch(batch, &verification);
    tx_begin(node);
    status = tx_end(node, feed_ingest(&node->feed, &from->code, batch, &verification, &err));
    if (status == OK)
        status = feed_ingest_sign(&node->feed, &from->code, ret_receipt, &err);
    return status;
}

static inline enum status take_receipt(struct node *node, const struct node *from, struct span note)
{
    struct feed_verification verification = { .has_key = true };
    CHECK_OK(private_key_public(from->receipt_key, &verification.key, &err), &err);
    feed_verify_receipt(&node->feed.realm, &from->code, note, &verification);
    tx_begin(node);
    return tx_end(node, feed_take_receipt(&node->feed, &from->code, note, &verification, &err));
}

/* All that waits and is numbered from `next` on; the count of entries that arrived. */
static inline size_t deliver(struct node *from, struct node *to, uint64_t next)
{
    size_t count = 0;
    for (bool more = true; more;) {
        struct batch batch = { 0 };
        struct buf receipt = BUF_INIT;
        CHECK_OK(publish(from, to, next, &batch), &err);
        more = batch.entry_count > 0;
        if (more) {
            CHECK_OK(ingest(to, from, &batch, &receipt), &err);
            CHECK_OK(take_receipt(from, to, buf_span(&receipt)), &err);
            next = batch_end(&batch);
            count += batch.entry_count;
        }
        buf_fini(&receipt);
        batch_fini(&batch);
    }
    return count;
}

static inline enum status meet_one(struct node *node,
                                   const struct node *other,
                                   const struct heads *heads,
                                   struct resume *ret_resume)
{
    tx_begin(node);
    return tx_end(node, feed_resume(&node->feed, &other->code, heads, ret_resume, &err));
}

struct meeting_result {
    struct resume ke, un;
};

static inline void meet(struct meeting_result *ret)
{
    struct heads of_ke = { 0 };
    struct heads of_un = { 0 };
    memset(ret, 0, sizeof(*ret));
    CHECK_OK(feed_heads(&ke.feed, &un.code, &of_ke, &err), &err);
    CHECK_OK(feed_heads(&un.feed, &ke.code, &of_un, &err), &err);
    CHECK_OK(meet_one(&ke, &un, &of_un, &ret->ke), &err);
    CHECK_OK(meet_one(&un, &ke, &of_ke, &ret->un), &err);
    heads_fini(&of_ke);
    heads_fini(&of_un);
}

static inline void meeting_fini(struct meeting_result *result)
{
    resume_fini(&result->ke);
    resume_fini(&result->un);
}

/* `from` hands `to` the headers that it lost. */
static inline void heal(struct node *from, struct node *to, const struct resume *resume)
{
    uint64_t next = resume->heal_from;
    for (bool last = !resume->heal_peer; !last;) {
        struct heal part = { 0 };
        CHECK_OK(feed_heal_read(&from->feed, &to->code, buf_span(&resume->heal_origin), next, 700,
                                &part, &err),
                 &err);
        tx_begin(to);
        CHECK_OK(tx_end(to, feed_heal_apply(&to->feed, &from->code, &part, &err)), &err);
        next += part.header_count;
        last = part.last;
        heal_fini(&part);
    }
}

static inline size_t erase_all(struct node *node)
{
    size_t total = 0;
    size_t count = 1;
    while (count > 0) {
        CHECK_OK(feed_erase_pending(&node->feed, 16, &count, &err), &err);
        total += count;
    }
    return total;
}

/* One whole connection: comparison, healing, everything both ways, erasing, and its answers. */
static inline void connect_nodes(void)
{
    struct meeting_result result;
    meet(&result);
    heal(&ke, &un, &result.ke);
    heal(&un, &ke, &result.un);
    (void)deliver(&ke, &un, result.ke.send_from);
    (void)deliver(&un, &ke, result.un.send_from);
    meeting_fini(&result);
    (void)erase_all(&ke);
    (void)erase_all(&un);
    meet(&result);
    (void)deliver(&ke, &un, result.ke.send_from);
    (void)deliver(&un, &ke, result.un.send_from);
    meeting_fini(&result);
}

static inline struct id give_and_connect(void)
{
    struct id consent = give_one();
    connect_nodes();
    return consent;
}

/* KE is set back to before its second record.  *ret_later: a copy, to set it back once more. */
static inline void begin_second_epoch(struct store_place *ret_later)
{
    struct store_place saved;
    (void)give_and_connect();
    node_save(&ke, &saved);
    node_save(&ke, ret_later);
    (void)give_and_connect();
    node_roll_back(&ke, &saved, true);
    connect_nodes();
}

/* A record that the copy of KE's database has, and one that it does not; both have arrived. */
static inline void give_around_copy(struct store_place *saved)
{
    (void)give_and_connect();
    node_save(&ke, saved);
    (void)give_and_connect();
}

/* -- looking ----------------------------------------------------------------------------------- */

static inline struct feed_row feed_between(struct node *at,
                                           const struct node *other,
                                           enum feed_direction direction)
{
    struct feed_row row;
    CHECK_OK(feed_rows_active(at->store, peer_of(at, other).peer_id, direction, &row, &err), &err);
    return row;
}

static inline size_t count_holdings(struct node *node, enum holding_state holding_state)
{
    struct holding_row rows[64];
    struct holding_filter filter = { .state = (int)holding_state };
    struct holding_place place = { 0 };
    size_t count = 0;
    CHECK_OK(holding_rows_list(node->store, &filter, &place, rows, 64, &count, &err), &err);
    return count;
}

/* Kinds of the entries of a feed, as a text: "1 16 32". */
static inline const char *kinds_of(struct node *at, const struct feed_row *row)
{
    static char text[2048];
    size_t used = 0;
    text[0] = '\0';
    for (uint64_t i = 0; i < row->size; i++) {
        struct entry_row entry;
        struct entry_header header;
        CHECK_OK(entry_rows_get(at->store, row->feed_id, i, &entry, &err), &err);
        CHECK_OK(header_decode(entry.header, &header, &err), &err);
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%u", used > 0 ? " " : "",
                                 header.kind);
    }
    return text;
}

/* Whether an open alarm of this kind is there. */
static inline bool has_alarm(struct node *node, const char *kind)
{
    struct alarm_row rows[32];
    size_t count = 0;
    CHECK_OK(alarm_rows_list(node->store, true, 0, rows, 32, &count, &err), &err);
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].kind, kind) == 0)
            return true;
    return false;
}

static inline uint64_t waiting_for(struct node *node, const struct node *other)
{
    uint64_t count = 0;
    CHECK_OK(outbox_rows_count(node->store, peer_of(node, other).peer_id, &count, &err), &err);
    return count;
}

#endif
