/* The jobs that carry records: publish, ingest, receipts (exchange_job.c says how a job runs). */
#include "node/exchange_feed_job.h"
#include "wire/heading.h"

/* -- publish ----------------------------------------------------------------------------------- */

static enum status publish_one(struct feed_job *job, uint64_t from, struct error *err)
{
    const struct exchange_feed *feed = feed_of(job);
    struct batch batch = { .first_index = from };
    enum status status =
        feed->publish(feed->context, &job->peer, from, job->effect.max_bytes, &batch, err);
    if (status == OK && batch.entry_count > 0)
        job->batches[job->batch_count++] = batch_move(&batch);
    batch_fini(&batch);
    return status;
}

/* As many batches as the session has room for, under one commit. */
static enum status publish_apply(struct job *job, struct error *err)
{
    struct feed_job *self = feed_job(job);
    uint64_t from = self->effect.from;
    size_t bytes = 0;
    size_t before = 0;
    enum status status = publish_one(self, from, err);
    while (status == OK && self->batch_count > before) {
        const struct batch *last = &self->batches[before++];
        from = batch_end(last);
        bytes += batch_bytes(last);
        if (last->is_last || before == self->effect.max_batches || bytes >= EXCHANGE_PUBLISH_BYTES)
            break;
        status = publish_one(self, from, err);
    }
    return status;
}

static enum status publish_sign(struct job *job, struct error *err)
{
    struct feed_job *self = feed_job(job);
    const struct exchange_feed *feed = feed_of(self);
    enum status status = OK;
    for (size_t i = 0; status == OK && i < self->batch_count; i++)
        if (self->batches[i].checkpoint.size == 0)
            status = feed->publish_sign(feed->context, &self->batches[i], err);
    return status;
}

/* The first answers what was asked; then the session asks for the next one, which is there. */
static void publish_done(struct job *job)
{
    struct feed_job *self = feed_job(job);
    struct link *link = self->link;
    link->ready = self->batches + 1;
    bool more = job->error.status == OK && self->batch_count > 1;
    link->ready_count = more ? self->batch_count - 1 : 0;
    self->batches[0].first_index = self->effect.from;
    session_on_published(link->session, now_of(self), &self->batches[0], outcome(self));
    exchange_pump(link);
    link->ready_count = 0; /* what it did not want now is read again when it does */
    exchange_job_finish(self);
}

const struct job_table EXCHANGE_PUBLISH_JOB = { "publish", NULL, publish_apply, publish_sign,
                                                publish_done };

/* -- signatures ------------------------------------------------------------------------------- */

static void verify_batch(struct job *job)
{
    struct feed_job *self = feed_job(job);
    feed_verify_batch(&self->effect.batch, &self->verification);
}

static void verify_receipt(struct job *job)
{
    struct feed_job *self = feed_job(job);
    feed_verify_receipt(&self->exchange->config.realm, &self->peer, buf_span(&self->effect.note),
                        &self->verification);
}

static void wait_for_verdict(void *self)
{
    job_verify(self);
}

void exchange_travel_prepare(struct feed_job *job)
{
    bool is_receipt = job->effect.kind == EFFECT_TAKE_RECEIPT;
    if (!is_receipt && job->effect.kind != EFFECT_INGEST)
        return;
    job->verification = is_receipt ? job->link->receipt_key : job->link->log_key;
    job->verification.good = false;
    job->verification.wait = wait_for_verdict;
    job->verification.self = &job->job;
    if (job->verification.has_key)
        job->job.verify = is_receipt ? verify_receipt : verify_batch;
}

/* -- ingest ------------------------------------------------------------------------------------ */

static enum status ingest_check(struct job *job, struct error *err)
{
    struct feed_job *self = feed_job(job);
    const struct exchange_feed *feed = feed_of(self);
    return feed->ingest_check(feed->context, &self->peer, &self->effect.batch, err);
}

static enum status ingest_apply(struct job *job, struct error *err)
{
    struct feed_job *self = feed_job(job);
    const struct exchange_feed *feed = feed_of(self);
    enum status status =
        feed->ingest(feed->context, &self->peer, &self->effect.batch, &self->verification, err);
    if (feed->context == NULL) {
        self->queued = true; /* a feed that does not say */
        return status;
    }
    self->cards_changed = feed->context->cards_changed;
    self->queued = feed->context->queued;
    feed->context->cards_changed = feed->context->queued = false;
    return status;
}

/* One receipt for all batches of a connection that were stored by one commit: the first of them
 * signs for the size that all gave. */
static enum status ingest_sign(struct job *job, struct error *err)
{
    struct feed_job *self = feed_job(job);
    const struct exchange_feed *feed = feed_of(self);
    struct heading heading;
    if (batch_end(&self->effect.batch) <= self->link->receipted)
        return OK;
    enum status status = feed->ingest_sign(feed->context, &self->peer, &self->receipt, err);
    if (status == OK)
        status = heading_read(buf_span(&self->receipt), &heading, err);
    if (status == OK)
        self->link->receipted = heading.size;
    return status;
}

static void ingest_done(struct job *job)
{
    struct feed_job *self = feed_job(job);
    if (job->error.status == OK)
        self->link->log_key = self->verification;
    session_on_ingested(self->link->session, now_of(self), buf_span(&self->receipt), outcome(self));
    const struct exchange_config *config = &self->exchange->config;
    if (self->cards_changed && config->cards_changed != NULL)
        config->cards_changed(config->io.self);
    exchange_pump(self->link); /* the receipt first */
    if (job->error.status == OK)
        exchange_event(self->exchange, "ingested", &self->peer, "entries=%zu size=%llu",
                       self->effect.batch.entry_count,
                       (unsigned long long)batch_end(&self->effect.batch));
    if (self->queued) /* a refusal, or the receipt of an erasure */
        exchange_ask_waiting(self->exchange);
    exchange_job_finish(self);
}

const struct job_table EXCHANGE_INGEST_JOB = { "ingest", ingest_check, ingest_apply, ingest_sign,
                                               ingest_done };

/* -- receipts ---------------------------------------------------------------------------------- */

static enum status receipt_apply(struct job *job, struct error *err)
{
    struct feed_job *self = feed_job(job);
    const struct exchange_feed *feed = feed_of(self);
    return feed->take_receipt(feed->context, &self->peer, buf_span(&self->effect.note),
                              &self->verification, err);
}

static void receipt_done(struct job *job)
{
    struct feed_job *self = feed_job(job);
    if (job->error.status == OK) {
        self->link->receipt_key = self->verification;
        exchange_event(self->exchange, "receipt", &self->peer, "bytes=%zu", self->effect.note.size);
    }
    session_on_receipt_taken(self->link->session, now_of(self), outcome(self));
    exchange_job_finish(self);
}

const struct job_table EXCHANGE_RECEIPT_JOB = { "receipt", NULL, receipt_apply, NULL,
                                                receipt_done };
