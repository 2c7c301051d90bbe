/* What people want, and what they are told.  How it is done: acts.c. */
#include "sim.h"

#include "base/memory.h"
#include "crypto/digest.h"
#include "store/heads.h"
#include "store/peer_rows.h"

#include <stdio.h>
#include <string.h>

/* -- the answer ---------------------------------------------------------------------------------
 */

static void remember_peer(struct op *op, bool done)
{
    struct host *host = op->host;
    if (!done)
        return;
    if (op->kind == OP_RENEW) {
        host->sim->stats.renewed++;
        host_tell_peers(host);
    } else if (op->kind == OP_BLOCK) {
        host->blocks[op->peer] = op->on;
        host->sim->stats.blocked += op->on;
        host_tell_peers(host);
    } else {
        host->sim->stats.held += op->on;
    }
}

static void remember(struct op *op, bool done)
{
    struct sim *sim = op->host->sim;
    struct model_record *record = &sim->model.records[op->record];
    struct model_consent *consent = &sim->model.consents[op->consent];
    enum status status = op->job.error.status;
    if ((status == ERR_FULL || status == ERR_IO) &&
        (op->kind == OP_CONSENT || op->kind == OP_REVOKE)) {
        model_look(op->host, consent);
        return;
    }
    switch (op->kind) {
    case OP_ADD:
        record->id = op->id;
        record->retired = !done;
        sim->stats.added += done;
        break;
    case OP_CHANGE:
        sim->stats.changed += done;
        break;
    case OP_CONSENT:
        consent->state = done ? MODEL_ACTIVE : MODEL_VOID;
        if (done)
            model_learn_versions(op->host, consent);
        sim->stats.approved += done;
        break;
    case OP_REVOKE:
        consent->state = done ? MODEL_ENDED : MODEL_ACTIVE;
        sim->stats.revoked += done;
        break;
    case OP_RETIRE:
        sim->stats.retired += done;
        break;
    case OP_HOLD:
    case OP_BLOCK:
    case OP_RENEW:
        remember_peer(op, done);
        break;
    case OP_KIND_COUNT:
        break;
    }
}

/* A consent may name a peer that is on hold or blocked by now, or a time that is over; a disk may
 * have failed that works again by the time of the answer. */
static bool is_rightly_refused(const struct op *op)
{
    enum status status = op->job.error.status;
    const char *text = op->job.error.text;
    if (op->host->sim->mix->disk > 0 && (status == ERR_FULL || status == ERR_IO))
        return true;
    const struct model_consent *consent = &op->host->sim->model.consents[op->consent];
    return op->kind == OP_CONSENT &&
           (strstr(text, "is held") != NULL || strstr(text, "blocked") != NULL ||
            strstr(text, "not accepted") != NULL ||
            op->host->clock.wall_now_ms >= consent->valid_until_ms);
}

static void op_done(struct job *job)
{
    struct op *op = (struct op *)job;
    struct host *host = op->host;
    if (host->up) { /* otherwise nobody got an answer: model_resolve() */
        size_t what = op->kind == OP_CONSENT || op->kind == OP_REVOKE ? op->consent : op->record;
        sim_trace(host->sim, "%s: %s %zu: %s %s", host->code.text, acts_name(op->kind), what,
                  status_name(job->error.status), job->error.text);
        bool done = job->error.status == OK;
        bool ended = op->kind == OP_REVOKE && job->error.status == ERR_WRONG_STATE; /* expired */
        if (!done && !ended && !is_rightly_refused(op) && host->fault == VFS_FAULT_NONE) {
            sim_fail(host->sim, "%s: %s: %s", host->code.text, acts_name(op->kind),
                     job->error.text);
        }
        host->sim->stats.refused += !done && !ended;
        remember(op, done || ended);
        if (op->note.size > 0) {
            buf_fini(&host->journal);
            host->journal = buf_move(&op->note);
        }
        if (done) {
            exchange_wake(host->exchange);
            worker_hurry(host->worker);
        }
    }
    buf_fini(&op->note);
    mem_free(op);
}

static enum status op_apply(struct job *job, struct error *err)
{
    return acts_apply((struct op *)job, err);
}

static enum status op_sign(struct job *job, struct error *err)
{
    return acts_sign((struct op *)job, err);
}

static const struct job_table OP_JOB = { "control", NULL, op_apply, op_sign, op_done };

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
    bool is_state = host->code.text[2] == '\0'; /* others have no figures of their own */
    model->records[op.record] =
        (struct model_record){ .party = host->party,
                               .retired = true,
                               .release = is_state && sim_chance(host->sim, 300),
                               .versions = 1 };
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

static void change(struct host *host)
{
    size_t record = own_record(host);
    if (record == RECORDS_MAX || host->sim->model.records[record].versions == VERSIONS_MAX)
        return;
    struct op op = { .host = host, .kind = OP_CHANGE, .record = record };
    host->sim->model.records[record].versions++;
    submit(&op);
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

static void treat_peer(struct host *host, enum op_kind kind, size_t peer, bool on)
{
    struct op op = { .host = host, .kind = kind, .peer = peer, .on = on };
    if (peer == host->party)
        return;
    if (kind == OP_BLOCK && !on)
        host->blocks[peer] = false; /* it may be spoken to before the answer comes */
    submit(&op);
}

void workload_renew(struct host *host, size_t peer)
{
    treat_peer(host, OP_RENEW, peer, true);
}

void workload_step(struct sim *sim)
{
    struct host *host = &sim->hosts[sim_random(sim, PARTIES)];
    if (!host->up)
        return;
    uint64_t dice = sim_random(sim, 100);
    size_t peer = (size_t)sim_random(sim, PARTIES);
    if (dice < 27)
        add(host);
    else if (dice < 35)
        change(host);
    else if (dice < 65)
        consent(host);
    else if (dice < 90)
        revoke(host);
    else if (dice < 93)
        retire(host);
    else if (dice < 98 || sim->mix->block == 0)
        treat_peer(host, OP_HOLD, peer, sim_chance(sim, 400));
    else
        treat_peer(host, OP_BLOCK, peer, sim_chance(sim, 400));
}

void workload_calm(struct sim *sim)
{
    for (size_t i = 0; i < PARTIES; i++) {
        for (size_t peer = 0; peer < PARTIES; peer++) {
            treat_peer(&sim->hosts[i], OP_HOLD, peer, false);
            treat_peer(&sim->hosts[i], OP_BLOCK, peer, false);
        }
    }
}

/* -- the beginning ------------------------------------------------------------------------------
 */

static void accept_peer(struct host *host, size_t other)
{
    struct sim *sim = host->sim;
    struct error err = ERROR_INIT;
    struct span anchor = papers_anchor(other);
    struct buf card = BUF_INIT;
    struct peer_row row = { .code = sim->hosts[other].code,
                            .realm = { "training" },
                            .state = PEER_ACCEPTED,
                            .name = "A State",
                            .address = "host:1",
                            .log_key = papers_key(other, ROLE_LOG, 0),
                            .receipt_key = papers_key(other, ROLE_RECEIPT, 0),
                            .added_by = ANNE,
                            .accepted_by = BERT };
    int64_t peer_id = 0;
    papers_card(&sim->hosts[other], &(struct papers){ .address = 0 }, &card);
    sim_must(sim, sha256_of(&anchor, 1, &row.anchor_digest, &err), &err, "anchor");
    sim_must(sim, peer_rows_add(host->store, &row, &peer_id, &err), &err, "peer");
    sim_must(sim, peer_rows_set_file(host->store, peer_id, PEER_ANCHOR_DER, anchor, &err), &err,
             "anchor");
    sim_must(sim, peer_rows_set_file(host->store, peer_id, PEER_CARD_PEM, buf_span(&card), &err),
             &err, "card");
    buf_fini(&card);
}

void workload_peers(struct host *host)
{
    struct error err = ERROR_INIT;
    sim_must(host->sim, store_begin(host->store, &err), &err, "begin");
    for (size_t i = 0; i < PARTIES; i++) {
        if (i != host->party)
            accept_peer(host, i);
    }
    sim_must(host->sim, store_commit(host->store, &err), &err, "commit");
    sim_must(host->sim, heads_save(host->store, &err), &err, "heads");
}
