/* Effects of sessions as jobs for the store thread.
 *
 * check, apply and sign run there and touch only the job and the feed; done runs on the loop thread
 * and hands the result to the session, which may be closed by then (it takes late answers). */
#include "node/exchange_feed_job.h"

#include <stdio.h>
#include <string.h>

static void job_free(struct feed_job *job)
{
    effect_fini(&job->effect);
    heads_fini(&job->heads);
    resume_fini(&job->resume);
    for (size_t i = 0; i < SESSION_WINDOW_BATCHES; i++)
        batch_fini(&job->batches[i]);
    buf_fini(&job->receipt);
    heal_fini(&job->heal);
    mem_free(job->waiting);
    mem_free(job);
}

void exchange_job_finish(struct feed_job *job)
{
    struct link *link = job->link;
    job_free(job);
    exchange_pump(link);
    exchange_release(link);
}

/* -- heads: for our Hello ---------------------------------------------------------------------- */

static enum status heads_apply(struct job *job, struct error *err)
{
    struct feed_job *self = feed_job(job);
    const struct exchange_feed *feed = feed_of(self);
    return feed->heads(feed->context, &self->peer, &self->heads, err);
}

static void heads_done(struct job *job)
{
    struct feed_job *self = feed_job(job);
    int64_t now_ms = now_of(self);
    if (job->error.status == OK)
        session_start(self->link->session, now_ms, &self->heads);
    else
        session_stop(self->link->session, now_ms, job->error.status, "not ready");
    exchange_job_finish(self);
}

static const struct job_table HEADS_JOB = { "heads", NULL, heads_apply, NULL, heads_done };

/* -- compare ----------------------------------------------------------------------------------- */

static enum status compare_apply(struct job *job, struct error *err)
{
    struct feed_job *self = feed_job(job);
    const struct exchange_feed *feed = feed_of(self);
    return feed->resume(feed->context, &self->peer, &self->effect.peer_heads, &self->resume, err);
}

static void compare_done(struct job *job)
{
    struct feed_job *self = feed_job(job);
    if (job->error.status == OK) {
        self->link->was_useful =
            self->resume.outcome == RESUME_IN_STEP || self->resume.outcome == RESUME_RECOVERED;
        if (self->link->was_useful)
            exchange_dial_reset(self->exchange, &self->peer);
        /* The comparison has raised it in the database: it is logged, not raised again. */
        if (self->resume.alarm[0] != '\0')
            exchange_event(self->exchange, "alarm", &self->peer, "text=\"%s\"", self->resume.alarm);
        self->resume.alarm[0] = '\0';
    }
    session_on_resumed(self->link->session, now_of(self), &self->resume, outcome(self));
    exchange_ask_waiting(self->exchange);
    exchange_job_finish(self);
}

static const struct job_table COMPARE_JOB = { "compare", NULL, compare_apply, NULL, compare_done };

/* -- healing ----------------------------------------------------------------------------------- */

static enum status heal_read_apply(struct job *job, struct error *err)
{
    struct feed_job *self = feed_job(job);
    const struct exchange_feed *feed = feed_of(self);
    const struct effect *effect = &self->effect;
    return feed->heal_read(feed->context, &self->peer, buf_span(&effect->origin), effect->from,
                           effect->max_bytes, &self->heal, err);
}

static void heal_read_done(struct job *job)
{
    struct feed_job *self = feed_job(job);
    session_on_heal_read(self->link->session, now_of(self), &self->heal, outcome(self));
    exchange_job_finish(self);
}

static const struct job_table HEAL_READ_JOB = { "heal_read", NULL, heal_read_apply, NULL,
                                                heal_read_done };

static enum status heal_apply_apply(struct job *job, struct error *err)
{
    struct feed_job *self = feed_job(job);
    const struct exchange_feed *feed = feed_of(self);
    enum status status = feed->heal_apply(feed->context, &self->peer, &self->effect.heal, err);
    if (feed->context != NULL && feed->context->meet_again) {
        feed->context->meet_again = false;
        self->meet_again = true;
    }
    return status;
}

static void heal_apply_done(struct job *job)
{
    struct feed_job *self = feed_job(job);
    if (job->error.status == OK)
        exchange_event(self->exchange, "healed", &self->peer, "headers=%zu last=%s",
                       self->effect.heal.header_count, self->effect.heal.last ? "yes" : "no");
    session_on_healed(self->link->session, now_of(self), outcome(self));
    if (job->error.status == OK && self->meet_again) /* there is one series in a connection */
        session_stop(self->link->session, now_of(self), OK, "another epoch is to be healed");
    exchange_ask_waiting(self->exchange);
    exchange_job_finish(self);
}

static const struct job_table HEAL_APPLY_JOB = { "heal_apply", NULL, heal_apply_apply, NULL,
                                                 heal_apply_done };

/* -- what is not for one link ------------------------------------------------------------------ */

static enum status waiting_apply(struct job *job, struct error *err)
{
    struct feed_job *self = feed_job(job);
    const struct exchange_feed *feed = feed_of(self);
    return feed->waiting(feed->context, self->waiting, PEERS_MAX, &self->waiting_count, err);
}

static void waiting_done(struct job *job)
{
    struct feed_job *self = feed_job(job);
    struct exchange *exchange = self->exchange;
    exchange->waiting_asked = false;
    for (size_t i = 0; job->error.status == OK && i < self->waiting_count; i++)
        exchange_wake_links(exchange, &self->waiting[i]);
    job_free(self);
    if (exchange->waiting_again)
        exchange_ask_waiting(exchange);
}

static const struct job_table WAITING_JOB = { "waiting", NULL, waiting_apply, NULL, waiting_done };

static void quiet_done(struct job *job)
{
    struct feed_job *self = feed_job(job);
    if (job->error.status != OK)
        exchange_event(self->exchange, "not_journalled", &self->peer, "status=%s reason=\"%s\"",
                       status_name(job->error.status), job->error.text);
    job_free(self);
}

static enum status greeted_apply(struct job *job, struct error *err)
{
    struct feed_job *self = feed_job(job);
    const struct exchange_feed *feed = feed_of(self);
    return feed->greeted(feed->context, &self->peer, self->effect.peer_boot_id, err);
}

static const struct job_table GREETED_JOB = { "greeted", NULL, greeted_apply, NULL, quiet_done };

static enum status alarm_apply(struct job *job, struct error *err)
{
    struct feed_job *self = feed_job(job);
    const struct exchange_feed *feed = feed_of(self);
    return feed->alarm(feed->context, &self->peer, self->effect.error.text, err);
}

static const struct job_table ALARM_JOB = { "alarm", NULL, alarm_apply, NULL, quiet_done };

/* -- submitting -------------------------------------------------------------------------------- */

static struct feed_job *job_new(struct exchange *exchange,
                                const struct job_table *table,
                                enum job_priority priority,
                                const struct code *peer)
{
    struct feed_job *self = mem_calloc(1, sizeof(*self));
    if (self == NULL)
        return NULL;
    self->job.table = table;
    self->job.priority = priority;
    self->job.bytes = sizeof(*self);
    self->exchange = exchange;
    self->peer = *peer;
    return self;
}

/* Queues a link's job.  Without room its done step runs at once, with the error. */
static void submit_for_link(struct link *link, struct feed_job *self)
{
    struct error err = ERROR_INIT;
    self->link = link;
    exchange_travel_prepare(self);
    exchange_hold(link);
    if (worker_submit(link->exchange->config.worker, &self->job, &err) != OK) {
        self->job.error = err;
        self->job.table->done(&self->job);
    }
}

/* No memory for a job: the connection fails alone. */
static void give_up(struct link *link)
{
    session_stop(link->session, exchange_now_ms(link->exchange), ERR_MEMORY, "no memory");
}

void exchange_ask_heads(struct link *link)
{
    struct feed_job *self = job_new(link->exchange, &HEADS_JOB, JOB_NORMAL, &link->config.peer);
    const struct peer *peer = exchange_find_peer(link->exchange, &link->config.peer);
    if (peer != NULL)
        link->changes_at_hello = peer->changes;
    if (self == NULL)
        give_up(link);
    else
        submit_for_link(link, self);
}

/* Jobs of one priority are done in their order: counted here, it holds for heads asked before. */
static void count_change(struct link *link)
{
    struct peer *peer = exchange_find_peer(link->exchange, &link->config.peer);
    if (peer == NULL)
        return;
    peer->changes++;
    memcpy(peer->changed_by, link->peer_boot_id, BOOT_ID_SIZE);
}

/* Receipts and healing free others; reading old headers can wait.  A receipt that a power cut takes
 * from us comes again with the peer's next Hello. */
static const struct {
    const struct job_table *table;
    enum job_priority priority;
    bool relaxed;
} EFFECT_JOBS[EFFECT_KIND_COUNT] = {
    [EFFECT_COMPARE] = { &COMPARE_JOB, JOB_NORMAL, false },
    [EFFECT_PUBLISH] = { &EXCHANGE_PUBLISH_JOB, JOB_NORMAL, false },
    [EFFECT_INGEST] = { &EXCHANGE_INGEST_JOB, JOB_NORMAL, false },
    [EFFECT_TAKE_RECEIPT] = { &EXCHANGE_RECEIPT_JOB, JOB_URGENT, true },
    [EFFECT_READ_HEAL] = { &HEAL_READ_JOB, JOB_BULK, true },
    [EFFECT_APPLY_HEAL] = { &HEAL_APPLY_JOB, JOB_NORMAL, false },
};

void exchange_ask(struct link *link, struct effect *effect)
{
    struct feed_job *self = job_new(link->exchange, EFFECT_JOBS[effect->kind].table,
                                    EFFECT_JOBS[effect->kind].priority, &link->config.peer);
    if (self == NULL) {
        effect_fini(effect);
        give_up(link);
        return;
    }
    self->job.relaxed = EFFECT_JOBS[effect->kind].relaxed;
    self->effect = *effect;
    memset(effect, 0, sizeof(*effect));
    self->job.bytes +=
        batch_bytes(&self->effect.batch) + self->effect.note.size + self->effect.heal.memory.size;
    if (self->effect.kind != EFFECT_COMPARE && self->effect.kind != EFFECT_PUBLISH &&
        self->effect.kind != EFFECT_READ_HEAL)
        count_change(link);
    if (self->effect.kind == EFFECT_PUBLISH)
        self->job.adds = EXCHANGE_PUBLISH_BYTES; /* what it will read, more or less */
    submit_for_link(link, self);
}

void exchange_ask_waiting(struct exchange *exchange)
{
    if (exchange->stopping)
        return;
    exchange->waiting_again = exchange->waiting_asked;
    if (exchange->waiting_asked)
        return;
    struct feed_job *self = job_new(exchange, &WAITING_JOB, JOB_NORMAL, &exchange->config.self);
    if (self != NULL)
        self->waiting = mem_calloc(PEERS_MAX, sizeof(*self->waiting));
    if (self != NULL)
        self->job.relaxed = true; /* it only reads */
    if (self == NULL || self->waiting == NULL ||
        worker_submit(exchange->config.worker, &self->job, NULL) != OK) {
        if (self != NULL)
            job_free(self);
        return; /* asked again with the next thing that happens, and at the next tick */
    }
    exchange->waiting_asked = true;
}

static void submit_quietly(struct exchange *exchange, struct feed_job *self)
{
    struct error err = ERROR_INIT;
    if (worker_submit(exchange->config.worker, &self->job, &err) != OK) {
        self->job.error = err;
        self->job.table->done(&self->job);
    }
}

void exchange_tell_greeted(struct link *link)
{
    struct exchange *exchange = link->exchange;
    if (exchange->config.feed.greeted == NULL)
        return;
    struct feed_job *self = job_new(exchange, &GREETED_JOB, JOB_NORMAL, &link->config.peer);
    if (self == NULL)
        return;
    memcpy(self->effect.peer_boot_id, link->peer_boot_id, BOOT_ID_SIZE);
    submit_quietly(exchange, self);
}

void exchange_tell_alarm(struct exchange *exchange, const struct code *peer, const char *text)
{
    exchange_event(exchange, "alarm", peer, "text=\"%s\"", text);
    if (exchange->config.feed.alarm == NULL)
        return;
    struct feed_job *self = job_new(exchange, &ALARM_JOB, JOB_URGENT, peer);
    if (self == NULL)
        return;
    snprintf(self->effect.error.text, sizeof(self->effect.error.text), "%s", text);
    submit_quietly(exchange, self);
}
