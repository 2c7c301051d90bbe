/* What people do: add, consent, revoke, retire, hold.  Each is one job of the worker, as a request
 * on the control socket is. */
#include "sim.h"

#include "base/memory.h"
#include "feed/consents.h"
#include "feed/records.h"
#include "store/heads.h"
#include "store/peer_rows.h"

#include <stdio.h>
#include <string.h>

enum { ANNE = 1001, BERT = 1002 };

enum op_kind { OP_ADD, OP_CONSENT, OP_REVOKE, OP_RETIRE, OP_HOLD, OP_KIND_COUNT };

struct op {
    struct job job;
    struct host *host;
    enum op_kind kind;
    size_t record, consent; /* places in the model */
    size_t peer;            /* OP_HOLD */
    bool hold;
    struct id id;
};

/* -- on the store's side ------------------------------------------------------------------------
 */

static enum status apply_add(struct op *op, struct error *err)
{
    static const struct {
        enum excerpt_field field;
        const char *text;
    } fields[] = {
        { EXCERPT_KIND, "answer" },
        { EXCERPT_INSTRUMENT, "UNTOC" },
        { EXCERPT_ARTICLE, "16" },
        { EXCERPT_LANGUAGE, "en" },
        { EXCERPT_TEXT, "Nationals are extradited." },
        { EXCERPT_ORIGINATOR, "Attorney-General" },
        { EXCERPT_DATE, "2025-03-01" },
        { EXCERPT_CONFIDENTIALITY, "restricted" },
    };
    struct excerpt excerpt;
    char title[24];
    enum status status = OK;
    (void)snprintf(title, sizeof(title), "R%zu", op->record);
    excerpt_init(&excerpt);
    for (size_t i = 0; status == OK && i < sizeof(fields) / sizeof(fields[0]); i++)
        status = excerpt_set(&excerpt, fields[i].field, span_text(fields[i].text), err);
    if (status == OK)
        status = excerpt_set(&excerpt, EXCERPT_TITLE, span_text(title), err);
    if (status == OK)
        status = records_add_excerpt(&op->host->feed, ANNE, &excerpt, &op->id, err);
    excerpt_fini(&excerpt);
    return status;
}

static enum status apply_consent(struct op *op, struct error *err)
{
    struct sim *sim = op->host->sim;
    struct feed_context *feed = &op->host->feed;
    struct model_consent *consent = &sim->model.consents[op->consent];
    struct code recipients[PARTIES];
    struct id records[CONSENT_RECORDS_SIM];
    struct consents_request request = { .record_ids = records, .recipients = recipients };
    struct consents_queued queued;
    struct digest digest;
    for (size_t i = 0; i < PARTIES; i++)
        if ((consent->recipients & (1U << i)) != 0)
            recipients[request.recipient_count++] = sim->hosts[i].code;
    for (size_t i = 0; i < consent->record_count; i++)
        records[request.record_id_count++] = sim->model.records[consent->records[i]].id;
    terms_init(&request.terms, feed->clock->wall_ms(feed->clock));
    request.terms.purpose = PURPOSE_PEER_REVIEW;
    if (sim->mix->clock > 0) /* a clock that goes back does not make it "not yet" valid */
        request.terms.valid_from_ms -= 2 * SIM_DAY_MS;
    request.terms.valid_until_ms = consent->valid_until_ms;
    (void)snprintf(request.terms.authority, sizeof(request.terms.authority), "Attorney-General");
    (void)snprintf(request.terms.reference, sizeof(request.terms.reference), "NV 1/2025");
    enum status status = consents_draft(feed, ANNE, &request, &consent->id, NULL, err);
    if (status == OK)
        status = consents_propose(feed, ANNE, &consent->id, &digest, err);
    if (status == OK)
        status = consents_approve(feed, BERT, &consent->id, &digest, &queued, NULL, err);
    return status;
}

static enum status apply_revoke(struct op *op, struct error *err)
{
    struct model_consent *consent = &op->host->sim->model.consents[op->consent];
    struct consents_ended ended;
    return consents_revoke(&op->host->feed, ANNE, &consent->id, "the simulation says so", &ended,
                           err);
}

static enum status apply_hold(struct op *op, struct error *err)
{
    struct peer_row row;
    struct sim *sim = op->host->sim;
    enum status status = peer_rows_get(op->host->store, &sim->hosts[op->peer].code, &row, err);
    if (status != OK)
        return status;
    row.held = op->hold;
    return peer_rows_update(op->host->store, &row, err);
}

static enum status op_apply(struct job *job, struct error *err)
{
    struct op *op = (struct op *)job;
    struct records_retired retired;
    switch (op->kind) {
    case OP_ADD:
        return apply_add(op, err);
    case OP_CONSENT:
        return apply_consent(op, err);
    case OP_REVOKE:
        return apply_revoke(op, err);
    case OP_RETIRE:
        return records_retire(&op->host->feed, ANNE, &op->host->sim->model.records[op->record].id,
                              &retired, err);
    case OP_HOLD:
        return apply_hold(op, err);
    case OP_KIND_COUNT:
        break;
    }
    return OK;
}

/* -- the answer ---------------------------------------------------------------------------------
 */

static void remember(struct op *op, bool done)
{
    struct sim *sim = op->host->sim;
    struct model_record *record = &sim->model.records[op->record];
    struct model_consent *consent = &sim->model.consents[op->consent];
    switch (op->kind) {
    case OP_ADD:
        record->id = op->id;
        record->retired = !done;
        break;
    case OP_CONSENT:
        consent->state = done ? MODEL_ACTIVE : MODEL_VOID;
        sim->stats.approved += done;
        break;
    case OP_REVOKE:
        consent->state = done ? MODEL_ENDED : MODEL_ACTIVE;
        sim->stats.revoked += done;
        break;
    case OP_RETIRE:
    case OP_HOLD:
    case OP_KIND_COUNT:
        break;
    }
}

/* A consent may name a peer that is on hold by now, or a time that is over; a disk may have failed
 * that works again by the time of the answer. */
static bool is_rightly_refused(const struct op *op)
{
    enum status status = op->job.error.status;
    if (op->host->sim->mix->disk > 0 && (status == ERR_FULL || status == ERR_IO))
        return true;
    const struct model_consent *consent = &op->host->sim->model.consents[op->consent];
    return op->kind == OP_CONSENT && (strstr(op->job.error.text, "is held") != NULL ||
                                      op->host->clock.wall_now_ms >= consent->valid_until_ms);
}

static void op_done(struct job *job)
{
    struct op *op = (struct op *)job;
    struct host *host = op->host;
    static const char *const names[] = { "add", "consent", "revoke", "retire", "hold" };
    if (host->up) { /* otherwise nobody got an answer: model_resolve() */
        size_t what = op->kind == OP_CONSENT || op->kind == OP_REVOKE ? op->consent : op->record;
        sim_trace(host->sim, "%s: %s %zu: %s %s", host->code.text, names[op->kind], what,
                  status_name(job->error.status), job->error.text);
        bool done = job->error.status == OK;
        bool ended = op->kind == OP_REVOKE && job->error.status == ERR_WRONG_STATE; /* expired */
        if (!done && !ended && !is_rightly_refused(op) && host->fault == VFS_FAULT_NONE)
            sim_fail(host->sim, "%s: %s: %s", host->code.text, names[op->kind], job->error.text);
        remember(op, done || ended);
        if (done) {
            exchange_wake(host->exchange);
            worker_hurry(host->worker);
        }
    }
    mem_free(op);
}

static const struct job_table OP_JOB = { "control", NULL, op_apply, NULL, op_done };

static void submit(const struct op *wanted)
{
    struct op *op = mem_alloc(sizeof(*op));
    struct error err = ERROR_INIT;
    if (op == NULL)
        sim_fail(wanted->host->sim, "no memory for a request");
    *op = *wanted;
    op->job = (struct job){ .table = &OP_JOB, .priority = JOB_URGENT, .bytes = sizeof(*op) };
    sim_must(op->host->sim, worker_submit(op->host->worker, &op->job, &err), &err, "request");
}

/* -- choosing -----------------------------------------------------------------------------------
 */

static void add(struct host *host)
{
    struct model *model = &host->sim->model;
    if (model->record_count == RECORDS_MAX)
        return;
    struct op op = { .host = host, .kind = OP_ADD, .record = model->record_count++ };
    model->records[op.record] = (struct model_record){ .party = host->party, .retired = true };
    submit(&op);
}

static size_t own_record(struct host *host)
{
    struct model *model = &host->sim->model;
    if (model->record_count == 0)
        return RECORDS_MAX;
    size_t start = (size_t)sim_random(host->sim, model->record_count);
    for (size_t i = 0; i < model->record_count; i++) {
        size_t at = (start + i) % model->record_count;
        if (model->records[at].party == host->party && !model->records[at].retired)
            return at;
    }
    return RECORDS_MAX;
}

static void consent(struct host *host)
{
    struct sim *sim = host->sim;
    struct model *model = &sim->model;
    if (model->consent_count == CONSENTS_MAX)
        return;
    struct op op = { .host = host, .kind = OP_CONSENT, .consent = model->consent_count };
    struct model_consent wanted = { .party = host->party, .state = MODEL_MAYBE };
    for (size_t i = 0; i <= sim_random(sim, CONSENT_RECORDS_SIM); i++) {
        size_t record = own_record(host);
        bool twice = false;
        for (size_t k = 0; k < wanted.record_count; k++)
            twice = twice || wanted.records[k] == record;
        if (record != RECORDS_MAX && !twice)
            wanted.records[wanted.record_count++] = record;
    }
    wanted.recipients = (unsigned)sim_random(sim, 1U << PARTIES) & ~(1U << host->party);
    if (wanted.record_count == 0 || wanted.recipients == 0)
        return;
    int64_t length_ms =
        sim_chance(sim, 150) ? 20000 + (int64_t)sim_random(sim, 300000) : 300 * SIM_DAY_MS;
    wanted.valid_until_ms = host->clock.wall_now_ms + length_ms;
    model->consents[model->consent_count++] = wanted;
    submit(&op);
}

static void revoke(struct host *host)
{
    struct model *model = &host->sim->model;
    if (model->consent_count == 0)
        return;
    size_t start = (size_t)sim_random(host->sim, model->consent_count);
    for (size_t i = 0; i < model->consent_count; i++) {
        size_t at = (start + i) % model->consent_count;
        struct model_consent *wanted = &model->consents[at];
        if (wanted->party != host->party || wanted->state != MODEL_ACTIVE)
            continue;
        struct op op = { .host = host, .kind = OP_REVOKE, .consent = at };
        wanted->state = MODEL_MAYBE_ENDED;
        submit(&op);
        return;
    }
}

static void retire(struct host *host)
{
    size_t record = own_record(host);
    if (record == RECORDS_MAX)
        return;
    /* No request of this node may be under way that names it. */
    if (worker_stats(host->worker).jobs > 0)
        return;
    struct op op = { .host = host, .kind = OP_RETIRE, .record = record };
    host->sim->model.records[record].retired = true;
    submit(&op);
}

static void hold(struct host *host, size_t peer, bool held)
{
    struct op op = { .host = host, .kind = OP_HOLD, .peer = peer, .hold = held };
    if (peer != host->party)
        submit(&op);
}

void workload_step(struct sim *sim)
{
    struct host *host = &sim->hosts[sim_random(sim, PARTIES)];
    if (!host->up)
        return;
    uint64_t dice = sim_random(sim, 100);
    if (dice < 35)
        add(host);
    else if (dice < 65)
        consent(host);
    else if (dice < 90)
        revoke(host);
    else if (dice < 93)
        retire(host);
    else
        hold(host, (size_t)sim_random(sim, PARTIES), sim_chance(sim, 400));
}

void workload_calm(struct sim *sim)
{
    for (size_t i = 0; i < PARTIES; i++)
        for (size_t peer = 0; peer < PARTIES; peer++)
            hold(&sim->hosts[i], peer, false);
}

/* -- the beginning ------------------------------------------------------------------------------
 */

static void accept_peer(struct host *host, size_t other)
{
    struct sim *sim = host->sim;
    struct error err = ERROR_INIT;
    struct peer_row row = { .code = sim->hosts[other].code,
                            .realm = { "training" },
                            .state = PEER_ACCEPTED,
                            .name = "A State",
                            .address = "host:1",
                            .added_by = ANNE,
                            .accepted_by = BERT };
    int64_t peer_id = 0;
    memset(row.anchor_digest.bytes, (int)other + 1, DIGEST_SIZE);
    sim_must(sim, private_key_public(sim->log_keys[other], &row.log_key, &err), &err, "key");
    sim_must(sim, private_key_public(sim->receipt_keys[other], &row.receipt_key, &err), &err,
             "key");
    sim_must(sim, peer_rows_add(host->store, &row, &peer_id, &err), &err, "peer");
}

void workload_peers(struct host *host)
{
    struct error err = ERROR_INIT;
    sim_must(host->sim, store_begin(host->store, &err), &err, "begin");
    for (size_t i = 0; i < PARTIES; i++)
        if (i != host->party)
            accept_peer(host, i);
    sim_must(host->sim, store_commit(host->store, &err), &err, "commit");
    sim_must(host->sim, heads_save(host->store, &err), &err, "heads");
}
