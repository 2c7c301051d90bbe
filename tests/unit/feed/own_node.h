/* A node's administrative side over a real database in a directory of its own.  Peers are rows;
 * "delivering" numbers what waits for one, as publishing would, without a session. */
#ifndef COMITY_TESTS_OWN_NODE_H
#define COMITY_TESTS_OWN_NODE_H

#include "base/memory.h"
#include "crypto/digest.h"
#include "feed/consents.h"
#include "feed/listing.h"
#include "feed/records.h"
#include "log/header.h"
#include "store/delivery_rows.h"
#include "store/entry_rows.h"
#include "store/feed_rows.h"
#include "store/outbox_rows.h"
#include "store/pair_rows.h"
#include "store/peer_rows.h"
#include "store/store.h"
#include "support/check.h"
#include "support/sample_excerpt.h"
#include "support/store_place.h"

enum { ANNE = 1001, BERT = 1002, CARLA = 1003 }; /* uids */

#define DAY_MS INT64_C(86400000)

struct own_node {
    struct store_place place;
    struct store *store;
    struct feed_context feed;
    int64_t live;
};

static struct own_node own;
static struct error err;

static inline int64_t own_now(void)
{
    return own.place.clock.wall_now_ms;
}

static inline int own_set_up(void **state)
{
    (void)state;
    struct sha256 *sha = NULL; /* the thread's own lives on */
    err = (struct error)ERROR_INIT;
    CHECK_OK(sha256_thread(&sha, &err), &err);
    own.live = mem_live();
    store_place_make(&own.place, 7);
    struct store_options options = { .directory = own.place.directory,
                                     .clock = &own.place.clock.base,
                                     .random = &own.place.random.base };
    CHECK_OK(store_create(&options, &own.store, &err), &err);
    own.feed = (struct feed_context){ .store = own.store,
                                      .clock = &own.place.clock.base,
                                      .random = &own.place.random.base,
                                      .realm = { "training" },
                                      .self = { "KE" } };
    CHECK_OK(store_begin(own.store, &err), &err);
    return 0;
}

static inline int own_tear_down(void **state)
{
    (void)state;
    CHECK_OK(store_commit(own.store, &err), &err);
    store_close(own.store);
    store_place_remove(&own.place);
    assert_int_equal(mem_live(), own.live);
    return 0;
}

/* -- peers ------------------------------------------------------------------------------------- */

static inline int64_t own_add_peer(const char *code, enum peer_state peer_state)
{
    struct peer_row row = { .realm = { "training" },
                            .state = peer_state,
                            .name = "A State",
                            .added_by = ANNE,
                            .added_ms = own_now() };
    int64_t peer_id = 0;
    CHECK_OK(code_parse(code, &row.code, &err), &err);
    memset(row.anchor_digest.bytes, code[0], DIGEST_SIZE);
    CHECK_OK(peer_rows_add(own.store, &row, &peer_id, &err), &err);
    struct feed_row feed = { .peer_id = peer_id,
                             .direction = FEED_OUT,
                             .state = FEED_ACTIVE,
                             .epoch = 1,
                             .opened_ms = own_now() };
    int64_t feed_id = 0;
    CHECK_OK(sha256_of(NULL, 0, &feed.root, &err), &err);
    (void)snprintf(feed.origin, sizeof(feed.origin), "comity.v1/training/feed/KE/%s/1", code);
    CHECK_OK(feed_rows_add(own.store, &feed, &feed_id, &err), &err);
    return peer_id;
}

static inline struct peer_row own_peer(const char *code)
{
    struct peer_row row;
    struct code parsed;
    CHECK_OK(code_parse(code, &parsed, &err), &err);
    CHECK_OK(peer_rows_get(own.store, &parsed, &row, &err), &err);
    return row;
}

static inline void own_update_peer(const struct peer_row *row)
{
    CHECK_OK(peer_rows_update(own.store, row, &err), &err);
}

/* -- records ----------------------------------------------------------------------------------- */

static inline void own_fill_excerpt(struct excerpt *excerpt, const char *title, const char *article)
{
    excerpt_init(excerpt);
    CHECK_OK(sample_excerpt(excerpt, title, SPAN_LITERAL("Nationals are extradited."), &err), &err);
    CHECK_OK(excerpt_set(excerpt, EXCERPT_ARTICLE, span_text(article), &err), &err);
}

static inline struct id own_add_excerpt(const char *title, const char *article)
{
    struct excerpt excerpt;
    struct id id;
    own_fill_excerpt(&excerpt, title, article);
    CHECK_OK(records_add_excerpt(&own.feed, ANNE, &excerpt, &id, &err), &err);
    excerpt_fini(&excerpt);
    clock_fake_advance(&own.place.clock, 1); /* ids in the order of creation */
    return id;
}

/* -- consents ---------------------------------------------------------------------------------- */

static inline struct terms own_terms(void)
{
    struct terms terms;
    terms_init(&terms, own_now());
    terms.purpose = PURPOSE_PEER_REVIEW;
    terms.valid_until_ms = own_now() + 100 * DAY_MS;
    (void)snprintf(terms.authority, sizeof(terms.authority), "Attorney-General");
    (void)snprintf(terms.reference, sizeof(terms.reference), "NV 1/2025");
    return terms;
}

/* One record to one recipient, until `days` from now. */
static inline struct id own_draft(const struct id *record, const char *code, int days)
{
    struct consents_request request = {
        .terms = own_terms(),
        .record_ids = record,
        .record_id_count = 1,
        .recipient_count = 1,
    };
    struct code recipient;
    struct id consent;
    CHECK_OK(code_parse(code, &recipient, &err), &err);
    request.recipients = &recipient;
    request.terms.valid_until_ms = own_now() + days * DAY_MS;
    CHECK_OK(consents_draft(&own.feed, ANNE, &request, &consent, NULL, &err), &err);
    clock_fake_advance(&own.place.clock, 1);
    return consent;
}

static inline struct digest own_propose(const struct id *consent)
{
    struct digest digest;
    CHECK_OK(consents_propose(&own.feed, ANNE, consent, &digest, &err), &err);
    return digest;
}

static inline struct id own_give(const struct id *record, const char *code, int days)
{
    struct consents_queued queued;
    struct id consent = own_draft(record, code, days);
    struct digest digest = own_propose(&consent);
    CHECK_OK(consents_approve(&own.feed, BERT, &consent, &digest, &queued, NULL, &err), &err);
    return consent;
}

static inline uint8_t own_state(const struct id *consent)
{
    struct consent_row row;
    CHECK_OK(consent_rows_get(own.store, consent, &row, &err), &err);
    return row.state;
}

/* -- queue and delivery ------------------------------------------------------------------------ */

static inline uint64_t own_waiting(const char *code)
{
    uint64_t count = 0;
    CHECK_OK(outbox_rows_count(own.store, own_peer(code).peer_id, &count, &err), &err);
    return count;
}

static inline void own_number(struct feed_row *feed, const struct outbox_row *row)
{
    struct buf bytes = BUF_INIT;
    struct id pair;
    struct entry_header header = { .critical = true,
                                   .has_inline = true,
                                   .kind = row->kind,
                                   .time_ms = own_now(),
                                   .inline_body = SPAN_EMPTY };
    CHECK_OK(id_make(&header.entry_id, own_now(), own.feed.random, &err), &err);
    CHECK_OK(pair_rows_take(own.store, row->peer_id, PAIR_CONSENT, &row->consent_id, &pair, &err),
             &err);
    CHECK_OK(header_encode(&header, &bytes, &err), &err);
    struct entry_append entry = { .header = buf_span(&bytes) };
    CHECK_OK(entry_rows_append(own.store, feed->feed_id, feed->size, &entry, &err), &err);
    if (row->kind == KIND_EXCERPT || row->kind == KIND_RELEASE) {
        struct delivery_row delivery = { .peer_id = row->peer_id,
                                         .record_id = row->subject_id,
                                         .consent_id = row->consent_id,
                                         .version = row->record_version,
                                         .form = row->form,
                                         .feed_id = feed->feed_id,
                                         .index = feed->size,
                                         .queued_ms = row->queued_ms,
                                         .numbered_ms = own_now() };
        int64_t delivery_id = 0;
        CHECK_OK(delivery_rows_add(own.store, &delivery, &delivery_id, &err), &err);
    }
    feed->size++;
    CHECK_OK(feed_rows_set_head(own.store, feed, &err), &err);
    buf_fini(&bytes);
}

/* Numbers all that waits for the peer; kinds in order, as a text: "1 16 32". */
static inline void own_deliver(const char *code, char *ret_kinds, size_t size)
{
    struct feed_row feed;
    struct outbox_row row;
    struct buf body = BUF_INIT;
    size_t used = 0;
    int64_t peer_id = own_peer(code).peer_id;
    ret_kinds[0] = '\0';
    CHECK_OK(feed_rows_active(own.store, peer_id, FEED_OUT, &feed, &err), &err);
    while (outbox_rows_next(own.store, peer_id, OUTBOX_START, &row, &body, &err) == OK) {
        own_number(&feed, &row);
        CHECK_OK(outbox_rows_remove(own.store, row.outbox_id, &err), &err);
        used +=
            (size_t)snprintf(ret_kinds + used, size - used, "%s%u", used > 0 ? " " : "", row.kind);
        assert_true(used < size);
    }
    buf_fini(&body);
}

#endif
