/* When all is quiet: is everything where it must be, and nothing where it must not? */
#include "sim.h"

#include "feed/check.h"
#include "feed/leaves.h"
#include "feed/listing.h"
#include "store/peer_rows.h"

#include <stdio.h>
#include <string.h>

struct census { /* what one node holds */
    struct host *host;
    unsigned held[RECORDS_MAX];     /* readable and in use */
    unsigned readable[RECORDS_MAX]; /* also locked ones */
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
    size_t record = model_record_of(host->sim, span_text(received->view.title));
    if (record == RECORDS_MAX)
        sim_fail(host->sim, "%s holds \"%s\", which nobody has written", host->code.text,
                 received->view.title);
    census->readable[record]++;
    if (strcmp(received->state, "held") == 0)
        census->held[record]++;
    if (!model_ever_allowed(host->sim, record, host->party))
        sim_fail(host->sim, "%s holds R%zu, which no consent ever covered", host->code.text,
                 record);
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
    if (model_record_of(question->host->sim, span_text(given->title)) == question->record)
        fprintf(stderr, "  given to %s: %s, feed %lld entry %llu\n", given->recipient.text,
                given->state, (long long)given->row.feed_id, (unsigned long long)given->row.index);
    return OK;
}

static enum status print_received(void *context,
                                  const struct listing_received *received,
                                  struct error *err)
{
    (void)err;
    const struct question *question = context;
    size_t record = received->has_text
                        ? model_record_of(question->host->sim, span_text(received->view.title))
                        : question->record;
    if (record == question->record)
        fprintf(stderr, "  %s holds of %s: %s %s, feed %lld entry %llu%s\n",
                question->host->code.text, received->publisher.text, received->state, received->why,
                (long long)received->row.feed_id, (unsigned long long)received->row.index,
                received->has_text ? "" : " (no text)");
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
        for (size_t k = 0; k < consent->record_count; k++)
            if (consent->records[k] == record)
                fprintf(stderr, "  consent %zu: state %d, recipients %x, until %lld\n", i,
                        (int)consent->state, consent->recipients,
                        (long long)consent->valid_until_ms - SIM_START_MS);
    }
    struct error err = ERROR_INIT;
    enum status status = listing_given(&publisher->feed, &given, print_given, &question, &err);
    question.host = holder;
    if (status == OK)
        status = listing_received(&holder->feed, &received, print_received, &question, &err);
    sim_must(sim, status, &err, "listing");
}

/* Everything consented is there, in use and once; nothing else is left that can be read. */
static void judge_holdings(struct host *host)
{
    struct sim *sim = host->sim;
    struct census census;
    take_census(host, &census);
    for (size_t record = 0; record < sim->model.record_count; record++) {
        struct host *publisher = &sim->hosts[sim->model.records[record].party];
        bool forked = publisher->party == sim->cloned || host->party == sim->cloned;
        if (publisher == host || forked)
            continue; /* where two histories exist, people must decide (PROTOCOL 8) */
        int64_t now_ms = publisher->clock.wall_now_ms;
        bool allowed = model_allows(sim, record, host->party, now_ms);
        bool demanded = model_demands(sim, record, host->party, now_ms);
        bool missing = demanded && census.held[record] == 0 && !publisher->rolled_back;
        bool left = !allowed && census.readable[record] > 0;
        if (missing || left)
            explain(host, record);
        if (missing)
            sim_fail(sim, "%s: R%zu of %s was consented to, and is not in use here after all",
                     host->code.text, record, publisher->code.text);
        if (left)
            sim_fail(sim, "%s: R%zu of %s can still be read after its consent has ended",
                     host->code.text, record, publisher->code.text);
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
    if (!digest_equal(&a, &b))
        sim_fail(sim, "%s is not one history: roots differ at size %llu", own.origin,
                 (unsigned long long)size);
    if (own.size < theirs->size && !publisher->rolled_back)
        sim_fail(sim, "%s: %s holds %llu entries and its publisher %llu", own.origin,
                 subscriber->code.text, (unsigned long long)theirs->size,
                 (unsigned long long)own.size);
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
    sim_must(host->sim, feed_check(&host->feed, &result, &err), &err, "check");
    /* A restored subscriber whose publisher lost the feed as well: a key that was destroyed before
     * the restore, and a withdrawal that nobody has any more.  Locked, and rightly reported. */
    bool known = host->rolled_back && result.problems == 1 &&
                 memmem(result.text.data, result.text.size, "its key is gone", 15) != NULL;
    if (result.problems > 0 && !known)
        sim_fail(host->sim, "%s: check finds %llu problems: %.*s", host->code.text,
                 (unsigned long long)result.problems, (int)result.text.size,
                 (const char *)result.text.data);
    check_result_fini(&result);
}

void verdict_started(struct host *host)
{
    struct sim *sim = host->sim;
    for (size_t i = 0; i < sim->receipt_count; i++) {
        const struct seen_receipt *receipt = &sim->receipts[i];
        struct feed_row row;
        struct error err = ERROR_INIT;
        if (receipt->party != host->party || host->rolled_back)
            continue;
        sim_must(sim, feed_rows_by_origin(host->store, span_text(receipt->origin), &row, &err),
                 &err, receipt->origin);
        if (row.size < receipt->size)
            sim_fail(sim, "%s receipted %llu entries of %s and holds %llu after a start",
                     host->code.text, (unsigned long long)receipt->size, receipt->origin,
                     (unsigned long long)row.size);
    }
}

void verdict_running(struct sim *sim)
{
    for (size_t i = 0; i < PARTIES; i++) {
        struct census census;
        if (!sim->hosts[i].up || sim->hosts[i].fault != VFS_FAULT_NONE)
            continue;
        take_census(&sim->hosts[i], &census);
        judge_feeds(&sim->hosts[i]);
    }
}

void verdict_final(struct sim *sim)
{
    for (size_t i = 0; i < PARTIES; i++) {
        struct host *host = &sim->hosts[i];
        if (!host->up)
            sim_fail(sim, "%s does not run any more", host->code.text);
        judge_feeds(host);
        judge_check(host);
    }
    for (size_t i = 0; i < PARTIES; i++)
        judge_holdings(&sim->hosts[i]);
    for (size_t i = 0; i < PARTIES; i++)
        if (i != sim->cloned)
            judge_recalls(&sim->hosts[i]);
}
