/* Requests of the control socket as jobs for the store thread. */
#include "base/memory.h"
#include "node/log.h"
#include "node/node_internal.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>

enum { NAME_SERVICE_MAX = 16 * 1024 };

struct request_job {
    struct job job;
    struct node *node;
    struct control_client *client;
    struct caller caller;
    struct buf message;
    struct buf reply;
    struct error result;
    struct admin_glance glance;
    bool peers_changed;
    bool queue_changed;
    bool has_idle;
    bool asked_again;
    size_t link_count;
    struct admin_link links[]; /* how the connections stood when it was asked */
};

/* -- who --------------------------------------------------------------------------------------- */

static void name_caller(struct caller *caller)
{
    struct passwd entry, *found = NULL;
    char *memory = mem_alloc(NAME_SERVICE_MAX);
    if (memory != NULL)
        (void)getpwuid_r(caller->uid, &entry, memory, NAME_SERVICE_MAX, &found);
    if (found != NULL)
        snprintf(caller->name, sizeof(caller->name), "%.63s", found->pw_name);
    else
        snprintf(caller->name, sizeof(caller->name), "%u", caller->uid);
    mem_free(memory);
}

static void on_admit(void *self, struct caller *caller, const gid_t *groups, size_t count)
{
    const struct config *config = &((struct node *)self)->config;
    caller->permit = PERMIT_NONE;
    if (people_include(&config->auditors, caller->uid, groups, count))
        caller->permit = PERMIT_READ;
    if (people_include(&config->operators, caller->uid, groups, count))
        caller->permit = PERMIT_PREPARE;
    if (people_include(&config->approvers, caller->uid, groups, count))
        caller->permit = PERMIT_APPROVE;
    if (caller->permit != PERMIT_NONE)
        name_caller(caller);
}

/* -- progress: from the store thread to the loop ----------------------------------------------- */

static void on_progress(void *self, struct span frame)
{
    struct request_job *job = self;
    struct node *node = job->node;
    struct progress *progress = mem_calloc(1, sizeof(*progress));
    if (progress == NULL || buf_append(&progress->frame, frame, NULL) != OK) {
        mem_free(progress);
        return; /* it is only a courtesy */
    }
    progress->client = job->client;
    pthread_mutex_lock(&node->progress_mutex);
    if (node->progress_last != NULL)
        node->progress_last->next = progress;
    else
        node->progress_first = progress;
    node->progress_last = progress;
    pthread_mutex_unlock(&node->progress_mutex);
    (void)uv_async_send(&node->wake);
}

void service_deliver_progress(struct node *node)
{
    pthread_mutex_lock(&node->progress_mutex);
    struct progress *first = node->progress_first;
    node->progress_first = NULL;
    node->progress_last = NULL;
    pthread_mutex_unlock(&node->progress_mutex);
    while (first != NULL) {
        struct progress *next = first->next;
        control_client_send(first->client, &first->frame);
        buf_fini(&first->frame);
        mem_free(first);
        first = next;
    }
}

/* -- requests ---------------------------------------------------------------------------------- */

static enum status request_apply(struct job *job, struct error *err)
{
    struct request_job *self = (struct request_job *)job;
    struct admin *admin = &self->node->admin;
    const struct control_listener listener = { self, on_progress };
    admin->links = self->links;
    admin->link_count = self->link_count;
    enum status status = admin_serve(admin, &self->caller, buf_span(&self->message), listener,
                                     &self->reply, &self->result, err);
    admin->links = NULL;
    admin->link_count = 0;
    self->peers_changed = status == OK && admin->changed.peers;
    self->queue_changed = status == OK && admin->changed.queue;
    self->has_idle = status == OK && admin->changed.idle;
    return status;
}

/* What only reads has nothing to do with a disk that is full, or whatever else its group failed of:
 * it is done once more. */
static bool ask_again(struct request_job *self)
{
    if (self->job.error.status == OK || !self->glance.reads || self->asked_again)
        return false;
    self->asked_again = true;
    buf_fini(&self->reply);
    self->result = (struct error)ERROR_INIT;
    return worker_submit(self->node->worker, &self->job, NULL) == OK;
}

static void request_done(struct job *job)
{
    struct request_job *self = (struct request_job *)job;
    struct node *node = self->node;
    struct error failure = job->error;
    if (ask_again(self))
        return;
    job->error = failure;
    if (job->error.status != OK) { /* the group failed: nothing of it happened */
        buf_fini(&self->reply);
        if (control_refuse(node->config.realm.text, &job->error, &self->reply, NULL) != OK)
            buf_fini(&self->reply);
        self->result = job->error;
    }
    /* Reading is polled, by people and monitors. */
    bool quiet = self->glance.reads && self->result.status == OK;
    log_event(quiet ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, "control",
              "operation=%s uid=%u user=\"%s\" status=%s", self->glance.operation, self->caller.uid,
              self->caller.name, status_name(self->result.status));
    control_client_send(self->client, &self->reply);
    control_client_done(self->client);
    bool done = job->error.status == OK && !node->stopping;
    if (done && self->peers_changed)
        network_refresh(node);
    if (done && self->queue_changed)
        exchange_wake(node->exchange);
    if (done && (self->queue_changed || self->has_idle))
        worker_hurry(node->worker);
    buf_fini(&self->message);
    buf_fini(&self->reply);
    mem_free(self);
}

static const struct job_table REQUEST_JOB = { "control", NULL, request_apply, NULL, request_done };

/* A job with room for how every peer's connection stands now. */
static struct request_job *request_new(struct node *node)
{
    struct exchange_status *peers = mem_calloc(PEERS_MAX, sizeof(*peers));
    struct request_job *job = mem_calloc(1, sizeof(*job) + PEERS_MAX * sizeof(job->links[0]));
    if (peers == NULL || job == NULL) {
        mem_free(peers);
        mem_free(job);
        return NULL;
    }
    job->node = node;
    job->link_count = exchange_peers(node->exchange, peers, PEERS_MAX);
    for (size_t i = 0; i < job->link_count; i++) {
        struct admin_link *link = &job->links[i];
        link->code = peers[i].code;
        link->connected = peers[i].connected;
        link->dialling = peers[i].next_dial_ms != INT64_MAX;
        snprintf(link->last_error, sizeof(link->last_error), "%.199s", peers[i].last_error);
    }
    mem_free(peers);
    return job;
}

static void on_request(void *self, struct control_client *client, struct buf *message)
{
    struct node *node = self;
    struct error err = ERROR_INIT;
    struct request_job *job = request_new(node);
    enum status status = job == NULL ? error_set(&err, ERR_MEMORY, "no memory") : OK;
    if (job != NULL) {
        job->glance = admin_glance(buf_span(message));
        job->job = (struct job){ .table = &REQUEST_JOB,
                                 .priority = JOB_URGENT,
                                 .alone = job->glance.alone,
                                 .bytes = sizeof(*job) + message->size };
        job->client = client;
        job->caller = *control_client_caller(client);
        job->message = buf_move(message);
        status = worker_submit(node->worker, &job->job, &err);
    }
    if (status == OK)
        return;
    if (job != NULL)
        buf_fini(&job->message);
    mem_free(job);
    struct buf reply = BUF_INIT;
    if (control_refuse(node->config.realm.text, &err, &reply, NULL) == OK)
        control_client_send(client, &reply);
    buf_fini(&reply);
    control_client_done(client);
}

static void on_event(void *self, const char *name, const char *fields)
{
    (void)self;
    log_fields(LOG_LEVEL_INFO, name, fields);
}

enum status service_idle(void *self, bool *ret_more, struct error *err)
{
    struct node *node = self;
    return admin_idle(&node->admin, ret_more, err);
}

static bool breathe(void *self)
{
    return worker_breathe(((struct node *)self)->worker);
}

enum status service_init(struct node *node, struct error *err)
{
    (void)err;
    node->admin = (struct admin){
        .feed = &node->feed,
        .name = node->config.name,
        .directory = node->config.storage_directory,
        .card = buf_span(&node->identity.card),
        .breathe = breathe,
        .breathe_self = node,
        .started_ms = clock_system()->wall_ms(clock_system()),
    };
    return OK;
}

void service_fini(struct node *node)
{
    service_deliver_progress(node);
    admin_fini(&node->admin);
}

struct control_handlers service_handlers(struct node *node)
{
    return (struct control_handlers){
        .self = node,
        .admit = on_admit,
        .request = on_request,
        .event = on_event,
    };
}
