/* When all is quiet: is everything where it must be, and nothing where it must not? */
#include "sim.h"

#include "feed/check.h"
#include "feed/journal.h"
#include "feed/leaves.h"
#include "feed/listing.h"
#include "store/entry_rows.h"
#include "store/keys.h"
#include "store/peer_rows.h"

#include <stdio.h>
#include <string.h>

struct census { /* what one node holds, by record and version */
    struct host *host;
    unsigned held[RECORDS_MAX];                       /* readable and in use */
    unsigned readable[RECORDS_MAX][VERSIONS_MAX + 1]; /* also locked ones */
};

static enum status count_holding(void *context,
                                 const struct listing_received *received,
                                 struct error *err)
{
    (void)err;
    struct census *census = context;
    struct host *host = census->host;
    if (!received->has_text)
        return OK;
    size_t record = model_record_seen(host->sim, &received->view);
    uint32_t version = received->row.version;
    if (record == RECORDS_MAX || version > VERSIONS_MAX) {
        sim_fail(host->sim, "%s holds \"%s\", version %u, which nobody has written",
                 host->code.text, received->view.title, version);
    }
    census->readable[record][version]++;
    if (strcmp(received->state, "held") == 0)
        census->held[record]++;
    struct model_case it = { record, version, host->party, 0 };
    if (!model_ever_allowed(host->sim, &it)) {
        sim_fail(host->sim, "%s holds R%zu, version %u, which no consent ever covered",
                 host->code.text, record, version);
    }
    return OK;
}

static void take_census(struct host *host, struct census *census)
{
    struct listing_received_filter filter = { 0 };
    struct error err = ERROR_INIT;
    *census = (struct census){ .host = host };
    sim_must(host->sim, listing_received(&host->feed, &filter, count_holding, census, &err), &err,
             "listing");
}

/* -- what to print with a failure ---------------------------------------------------------------
 */

struct question {
    struct host *host;
    size_t record;
};

static enum status print_given(void *context, const struct listing_given *given, struct error *err)
{
    (void)err;
    const struct question *question = context;
    if (strcmp(given->kind, "release") != 0 &&
        model_record_of(question->host->sim, span_text(given->title)) == question->record) {
        fprintf(stderr, "  given to %s: %s, feed %lld entry %llu\n", given->recipient.text,
                given->state, (long long)given->row.feed_id, (unsigned long long)given->row.index);
    }
    return OK;
}

static enum status print_received(void *context,
                                  const struct listing_received *received,
                                  struct error *err)
{
    (void)err;
    const struct question *question = context;
    size_t record = received->has_text ? model_record_seen(question->host->sim, &received->view)
                                       : question->record;
    if (record == question->record) {
        fprintf(stderr, "  %s holds of %s: %s %s, feed %lld entry %llu%s\n",
                question->host->code.text, received->publisher.text, received->state, received->why,
                (long long)received->row.feed_id, (unsigned long long)received->row.index,
                received->has_text ? "" : " (no text)");
    }
    return OK;
}

static void explain(struct host *holder, size_t record)
{
    struct sim *sim = holder->sim;
    struct host *publisher = &sim->hosts[sim->model.records[record].party];
    struct question question = { publisher, record };
    struct listing_given_filter given = { .recipient = &holder->code };
    struct listing_received_filter received = { .publisher = &publisher->code };
    for (size_t i = 0; i < sim->model.consent_count; i++) {
        const struct model_consent *consent = &sim->model.consents[i];
        for (size_t k = 0; k < consent->record_count; k++) {
            if (consent->records[k] == record) {
                fprintf(stderr, "  consent %zu: state %d, recipients %x, until %lld\n", i,
                        (int)consent->state, consent->recipients,
                        (long long)consent->valid_until_ms - SIM_START_MS);
            }
        }
    }
    struct error err = ERROR_INIT;
    enum status status = listing_given(&publisher->feed, &given, print_given, &question, &err);
    question.host = holder;
    if (status == OK)
        status = listing_received(&holder->feed, &received, print_received, &question, &err);
    sim_must(sim, status, &err, "listing");
}

static void judge_record(struct census *census, size_t record)
{
    struct host *host = census->host;
    struct sim *sim = host->sim;
    struct host *publisher = &sim->hosts[sim->model.records[record].party];
    struct model_case it = { record, 0, host->party, publisher->clock.wall_now_ms };
    bool demanded = model_demands(sim, &it) && !publisher->rolled_back;
    sim->stats.checks_held += demanded;
    if (demanded && census->held[record] != 1) {
        explain(host, record);
        sim_fail(sim, "%s: R%zu of %s was consented to, and is %s after all", host->code.text,
                 record, publisher->code.text,
                 census->held[record] == 0 ? "not in use here" : "here twice");
    }
    for (it.version = 1; it.version <= VERSIONS_MAX; it.version++) {
        bool allowed = model_allows(sim, &it);
        sim->stats.checks_gone += !allowed && model_ever_allowed(sim, &it);
        if (allowed || census->readable[record][it.version] == 0)
            continue;
        explain(host, record);
        sim_fail(sim, "%s: R%zu, version %u, of %s can still be read after its consent has ended",
                 host->code.text, record, it.version, publisher->code.text);
    }
}

/* Everything consented is there, in use and once; nothing else is left that can be read. */
static void judge_holdings(struct host *host)
{
    struct sim *sim = host->sim;
    static struct census census;
    take_census(host, &census);
    for (size_t record = 0; record < sim->model.record_count; record++) {
        size_t publisher = sim->model.records[record].party;
        bool forked = publisher == sim->cloned || host->party == sim->cloned;
        if (publisher != host->party && !forked) /* two histories: people decide (PROTOCOL 8) */
            judge_record(&census, record);
    }
}

/* Nothing that was erased has a key left. */
static void judge_keys(struct host *host)
{
    struct sim *sim = host->sim;
    struct holding_row rows[16];
    struct holding_place place = { 0 };
    struct holding_filter filter = { .state = HOLDING_ERASED };
    struct error err = ERROR_INIT;
    for (size_t count = 16; count == 16;) {
        sim_must(sim, holding_rows_list(host->store, &filter, &place, rows, 16, &count, &err), &err,
                 "holdings");
        for (size_t i = 0; i < count; i++) {
            struct entry_row entry;
            struct seal_key key;
            sim_must(sim, entry_rows_get(host->store, rows[i].feed_id, rows[i].index, &entry, &err),
                     &err, "an entry");
            if (entry.key_slot == KEY_SLOT_NONE)
                continue;
            sim->stats.checks_unreadable++;
            if (keys_get(host->store, entry.key_slot, &key, &err) != ERR_ERASED) {
                sim_fail(sim, "%s: entry %llu was erased, and its key is still there",
                         host->code.text, (unsigned long long)rows[i].index);
            }
            err = (struct error)ERROR_INIT;
        }
    }
}

static enum status count_recall(void *context,
                                const struct listing_recall *recall,
                                struct error *err)
{
    (void)err;
    struct host *host = context;
    if (host_of(host->sim, &recall->holder)->party == host->sim->cloned)
        return OK;
    sim_fail(host->sim, "%s: a recall from %s is still \"%s\"", host->code.text,
             recall->holder.text, recall->state);
}

static void judge_recalls(struct host *host)
{
    struct error err = ERROR_INIT;
    host->sim->stats.checks_recall++;
    sim_must(host->sim, listing_recalls(&host->feed, true, count_recall, host, &err), &err,
             "recalls");
}

/* A feed that both know: the shorter is the beginning of the longer. */
static void judge_feed(struct host *subscriber, const struct feed_row *theirs)
{
    struct sim *sim = subscriber->sim;
    struct peer_row peer;
    struct feed_row own;
    struct digest a, b;
    struct error err = ERROR_INIT;
    sim_must(sim, peer_rows_get_id(subscriber->store, theirs->peer_id, &peer, &err), &err, "peer");
    struct host *publisher = host_of(sim, &peer.code);
    if (!publisher->up)
        return;
    enum status status =
        feed_rows_by_origin(publisher->store, span_text(theirs->origin), &own, &err);
    if (status == ERR_NOT_FOUND && publisher->rolled_back)
        return;
    sim_must(sim, status, &err, theirs->origin);
    uint64_t size = own.size < theirs->size ? own.size : theirs->size;
    sim_must(sim, leaves_root_at(publisher->store, &own, size, &a, &err), &err, "root");
    sim_must(sim, leaves_root_at(subscriber->store, theirs, size, &b, &err), &err, "root");
    sim->stats.checks_feed++;
    /* Of a copy and its original one may have signed what the other did not know of: both ends
     * raise the alarm, which restore_stop_clone() sees to. */
    if (!digest_equal(&a, &b) && publisher->party != sim->cloned) {
        sim_fail(sim, "%s is not one history: roots differ at size %llu", own.origin,
                 (unsigned long long)size);
    }
    if (own.size < theirs->size && !publisher->rolled_back) {
        sim_fail(sim, "%s: %s holds %llu entries and its publisher %llu", own.origin,
                 subscriber->code.text, (unsigned long long)theirs->size,
                 (unsigned long long)own.size);
    }
}

static void judge_feeds(struct host *host)
{
    enum { PAGE = 16 };
    static struct feed_row rows[PAGE];
    struct error err = ERROR_INIT;
    int64_t after = 0;
    size_t count = PAGE;
    while (count == PAGE) {
        sim_must(host->sim, feed_rows_list(host->store, after, rows, PAGE, &count, &err), &err,
                 "feeds");
        for (size_t i = 0; i < count; i++) {
            after = rows[i].feed_id;
            if (rows[i].direction == FEED_IN)
                judge_feed(host, &rows[i]);
        }
    }
}

static void judge_check(struct host *host)
{
    struct check_result result = { 0 };
    struct error err = ERROR_INIT;
    host->sim->stats.checks_node++;
    sim_must(host->sim, feed_check(&host->feed, &result, &err), &err, "check");
    if (result.problems > 0) {
        sim_fail(host->sim, "%s: check finds %llu problems: %.*s", host->code.text,
                 (unsigned long long)result.problems, (int)result.text.size,
                 (const char *)result.text.data);
    }
    check_result_fini(&result);
}

/* It still contains all that it had when somebody wrote down its head. */
static void judge_journal(struct host *host)
{
    uint64_t size = 0;
    struct error err = ERROR_INIT;
    host->sim->stats.checks_journal++;
    enum status status = journal_verify(&host->feed, buf_span(&host->journal), &size, &err);
    if (status != ERR_NOT_FOUND || host->journal.size > 0)
        sim_must(host->sim, status, &err, "the journal after a start");
}

void verdict_started(struct host *host)
{
    struct sim *sim = host->sim;
    judge_journal(host);
    for (size_t i = 0; i < sim->receipt_count; i++) {
        const struct seen_receipt *receipt = &sim->receipts[i];
        struct feed_row row;
        struct error err = ERROR_INIT;
        if (receipt->party != host->party || host->rolled_back)
            continue;
        sim_must(sim, feed_rows_by_origin(host->store, span_text(receipt->origin), &row, &err),
                 &err, receipt->origin);
        sim->stats.checks_start++;
        if (row.size < receipt->size) {
            sim_fail(sim, "%s receipted %llu entries of %s and holds %llu after a start",
                     host->code.text, (unsigned long long)receipt->size, receipt->origin,
                     (unsigned long long)row.size);
        }
    }
}

void verdict_running(struct sim *sim)
{
    for (size_t i = 0; i < PARTIES; i++) {
        static struct census census;
        if (!sim->hosts[i].up || sim->hosts[i].fault != VFS_FAULT_NONE)
            continue;
        take_census(&sim->hosts[i], &census);
        judge_feeds(&sim->hosts[i]);
    }
}

/* A clock ends what is over; one that leaps for a while ends nothing else. */
static void judge_expired(struct host *host)
{
    struct sim *sim = host->sim;
    for (size_t i = 0; i < sim->model.consent_count; i++) {
        const struct model_consent *consent = &sim->model.consents[i];
        struct consent_row row;
        struct error err = ERROR_INIT;
        if (consent->party != host->party ||
            consent_rows_get(host->store, &consent->id, &row, &err) != OK ||
            row.state != CONSENT_EXPIRED)
            continue;
        sim->stats.expired++;
        if (host->clock.wall_now_ms + MODEL_SURE_MS < consent->valid_until_ms)
            sim_fail(sim, "%s: consent %zu was ended by a clock that was wrong", host->code.text,
                     i);
    }
}

void verdict_final(struct sim *sim)
{
    for (size_t i = 0; i < PARTIES; i++) {
        struct host *host = &sim->hosts[i];
        if (!host->up)
            sim_fail(sim, "%s does not run any more", host->code.text);
        judge_feeds(host);
        judge_keys(host);
        judge_check(host);
        papers_judge(host);
        judge_expired(host);
    }
    for (size_t i = 0; i < PARTIES; i++)
        judge_holdings(&sim->hosts[i]);
    for (size_t i = 0; i < PARTIES; i++) {
        if (i != sim->cloned)
            judge_recalls(&sim->hosts[i]);
    }
}
