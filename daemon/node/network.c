/* Between connections (net) and sessions (exchange): owners, keys, trust, events. */
#include "base/memory.h"
#include "node/log.h"
#include "node/node_internal.h"
#include "store/journal_rows.h"
#include "store/peer_rows.h"

#include <string.h>

/* -- the exchange's side: what must happen to a connection ------------------------------------- */

static void io_send(void *self, void *owner, struct buf *frame)
{
    (void)self;
    connection_send(owner, frame);
}

static void io_close(void *self, void *owner, const struct error *why, bool penalty)
{
    (void)self;
    enum offence offence = OFFENCE_COUNT;
    if (penalty)
        offence = why->status == ERR_EXPIRED ? OFFENCE_TIMEOUT : OFFENCE_PROTOCOL;
    connection_close(owner, why, offence);
}

static void io_pause(void *self, void *owner, bool paused)
{
    (void)self;
    connection_pause(owner, paused);
}

static size_t io_queued(void *self, void *owner)
{
    (void)self;
    return connection_queued(owner);
}

static void io_dial(void *self, const struct code *peer, const char *address)
{
    struct node *node = self;
    log_event(LOG_LEVEL_DEBUG, "dial", "peer=%s address=%s", peer->text, address);
    net_dial(node->net, peer, address);
}

static void io_event(void *self, const char *name, const struct code *peer, const char *fields)
{
    (void)self;
    bool bad = strcmp(name, "alarm") == 0 || strcmp(name, "not_journalled") == 0;
    bool detail = strcmp(name, "receipt") == 0;
    log_event(bad      ? LOG_LEVEL_WARNING
              : detail ? LOG_LEVEL_DEBUG
                       : LOG_LEVEL_INFO,
              name, "peer=%s %s", peer->text, fields);
}

struct exchange_io network_io(struct node *node)
{
    return (struct exchange_io){
        .self = node,
        .send = io_send,
        .close = io_close,
        .pause = io_pause,
        .queued = io_queued,
        .dial = io_dial,
        .event = io_event,
    };
}

/* -- net's side: what happened to a connection ------------------------------------------------- */

static enum status sign_hello(void *auth, struct span bytes, struct buf *ret, struct error *err)
{
    const struct node *node = connection_handler(auth);
    return p256_sign(node->identity.keys[ROLE_TLS], bytes, ret, err);
}

static enum status verify_hello(void *auth,
                                struct span bytes,
                                struct span signature,
                                struct error *err)
{
    return p256_verify(tls_peer_certificate(connection_tls(auth)), bytes, signature, err);
}

static enum status on_opened(void *self, struct connection *connection, struct error *err)
{
    struct node *node = self;
    struct link_config config = {
        .peer = *connection_peer(connection),
        .initiator = connection_dialled(connection),
        .owner = connection,
        .auth = connection,
        .auth_sign = sign_hello,
        .auth_verify = verify_hello,
    };
    enum status status = tls_exporter(connection_tls(connection), TLS_EXPORTER_HELLO,
                                      config.exporter, sizeof(config.exporter), err);
    struct link *link = NULL;
    if (status == OK)
        status = exchange_open(node->exchange, &config, &link, err);
    if (status == OK)
        connection_set_owner(connection, link);
    return status;
}

static void on_frame(void *self, struct connection *connection, struct span frame)
{
    (void)self;
    struct link *link = connection_owner(connection);
    exchange_receive(link, frame);
    if (exchange_is_greeted(link))
        connection_greeted(connection);
}

static uint32_t on_frame_max(void *self, struct connection *connection)
{
    (void)self;
    return exchange_frame_max(connection_owner(connection));
}

static void on_refused(void *self, struct connection *connection, const struct error *why)
{
    (void)self;
    exchange_refuse(connection_owner(connection), why);
}

static void on_drained(void *self, struct connection *connection)
{
    (void)self;
    exchange_drained(connection_owner(connection));
}

static void on_closed(void *self, struct connection *connection, const struct error *why)
{
    (void)self;
    log_event(LOG_LEVEL_DEBUG, "connection_closed", "peer=%s address=%s status=%s reason=\"%s\"",
              connection_peer(connection)->text, connection_address(connection),
              status_name(why->status), why->text);
    exchange_closed(connection_owner(connection));
}

static void on_dial_failed(void *self, const struct code *peer, const struct error *why)
{
    exchange_dial_failed(((struct node *)self)->exchange, peer, why);
}

static void on_event(void *self, const char *name, const char *fields)
{
    (void)self;
    log_fields(LOG_LEVEL_INFO, name, fields);
}

/* -- strangers --------------------------------------------------------------------------------- */

struct pending_job {
    struct job job;
    struct node *node;
    struct code code;
    char address[NET_ADDRESS_TEXT];
};

static enum status pending_apply(struct job *job, struct error *err)
{
    struct pending_job *self = (struct pending_job *)job;
    return directory_add_pending(self->node->store, &self->node->config.realm, &self->code,
                                 self->address, err);
}

static void pending_done(struct job *job)
{
    if (job->error.status != OK)
        log_event(LOG_LEVEL_WARNING, "pending_not_kept", "peer=%s reason=\"%s\"",
                  ((struct pending_job *)job)->code.text, job->error.text);
    mem_free(job);
}

static const struct job_table PENDING_JOB = { "pending", NULL, pending_apply, NULL, pending_done };

static void on_pending(void *self,
                       const struct code *code,
                       struct span certificate,
                       const char *address)
{
    (void)certificate;
    struct node *node = self;
    log_event(LOG_LEVEL_INFO, "peer_pending", "peer=%s address=%s", code->text, address);
    struct pending_job *job = mem_calloc(1, sizeof(*job));
    if (job == NULL)
        return;
    job->job = (struct job){ .table = &PENDING_JOB, .priority = JOB_BULK, .bytes = sizeof(*job) };
    job->node = node;
    job->code = *code;
    memcpy(job->address, address, strnlen(address, sizeof(job->address) - 1));
    if (worker_submit(node->worker, &job->job, NULL) != OK)
        mem_free(job);
}

struct net_handlers network_handlers(struct node *node)
{
    return (struct net_handlers){
        .self = node,
        .opened = on_opened,
        .frame = on_frame,
        .frame_max = on_frame_max,
        .refused = on_refused,
        .drained = on_drained,
        .closed = on_closed,
        .dial_failed = on_dial_failed,
        .pending = on_pending,
        .event = on_event,
    };
}

/* -- the feed, and what only the node adds to it ----------------------------------------------- */

static enum status note_greeted(struct feed_context *feed,
                                const struct code *code,
                                const uint8_t boot_id[static BOOT_ID_SIZE],
                                struct error *err)
{
    struct peer_row *row = mem_calloc(1, sizeof(*row));
    if (row == NULL)
        return error_set(err, ERR_MEMORY, "peer: no memory");
    enum status status = peer_rows_get(feed->store, code, row, err);
    if (status == OK) {
        memcpy(row->boot_id, boot_id, sizeof(row->boot_id));
        row->contact_ms = feed->clock->wall_ms(feed->clock);
        status = peer_rows_update(feed->store, row, err);
    }
    mem_free(row);
    return status;
}

static enum status raise_alarm(struct feed_context *feed,
                               const struct code *code,
                               const char *text,
                               struct error *err)
{
    int64_t alarm_id = 0;
    return alarm_rows_raise(feed->store, "session", code, text, &alarm_id, err);
}

struct exchange_feed network_feed(struct node *node)
{
    struct exchange_feed feed = exchange_feed(&node->feed);
    feed.greeted = note_greeted;
    feed.alarm = raise_alarm;
    return feed;
}

/* -- the directory ----------------------------------------------------------------------------- */

struct directory_job {
    struct job job;
    struct node *node;
    struct directory directory;
};

static enum status directory_apply(struct job *job, struct error *err)
{
    struct directory_job *self = (struct directory_job *)job;
    return directory_read(self->node->store, &self->directory, err);
}

static enum status use_directory(struct node *node, struct directory *directory, struct error *err)
{
    struct trust *trust = NULL;
    if (node->directory_known && directory_equal(&node->directory, directory))
        return OK;
    enum status status =
        directory_trust(directory, &node->config.realm, &node->config.code, &trust, err);
    if (status == OK)
        status = directory_tell(directory, node->exchange, err);
    if (status != OK) {
        trust_free(trust);
        return status;
    }
    tls_context_set_trust(node->tls, trust);
    directory_fini(&node->directory);
    node->directory = *directory;
    *directory = (struct directory){ NULL, 0 };
    node->directory_known = true;
    net_recheck(node->net);
    log_event(LOG_LEVEL_INFO, "trust_loaded", "peers=%zu", node->directory.count);
    return OK;
}

static void directory_done(struct job *job)
{
    struct directory_job *self = (struct directory_job *)job;
    struct node *node = self->node;
    struct error err = job->error;
    node->directory_asked = false;
    if (err.status == OK)
        (void)use_directory(node, &self->directory, &err);
    if (err.status != OK)
        log_event(LOG_LEVEL_ERROR, "trust_not_loaded", "status=%s reason=\"%s\"",
                  status_name(err.status), err.text);
    directory_fini(&self->directory);
    mem_free(self);
    if (node->directory_again)
        network_refresh(node);
}

static const struct job_table DIRECTORY_JOB = { "directory", NULL, directory_apply, NULL,
                                                directory_done };

void network_refresh(struct node *node)
{
    node->directory_again = node->directory_asked;
    if (node->directory_asked)
        return;
    struct error err = ERROR_INIT;
    struct directory_job *job = mem_calloc(1, sizeof(*job));
    enum status status = job == NULL ? error_set(&err, ERR_MEMORY, "no memory") : OK;
    if (status == OK) {
        job->job =
            (struct job){ .table = &DIRECTORY_JOB, .priority = JOB_URGENT, .bytes = sizeof(*job) };
        job->node = node;
        status = worker_submit(node->worker, &job->job, &err);
    }
    if (status != OK) {
        mem_free(job);
        log_event(LOG_LEVEL_ERROR, "trust_not_loaded", "reason=\"%s\"", err.text);
        return;
    }
    node->directory_asked = true;
}
