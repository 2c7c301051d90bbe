/* Our own keys, certificates and card, when they change while the node runs.
 *
 * The store thread signs with them, the loop thread speaks TLS with them.  A job on the store
 * thread queues the new card for the peers (apply) and, once that is durable, takes the new keys
 * (sign); its end, on the loop thread, gives TLS the new certificate and frees what was before.
 */
#include "base/memory.h"
#include "crypto/tls.h"
#include "feed/cards.h"
#include "node/log.h"
#include "node/node_internal.h"
#include "store/heads.h"

/* In a transaction of its own.  At the end of it the keys of this card sign: were it that of a
 * group, a peer that is accepted in the same group would get the card before, behind this one. */
static enum status give_card(struct node *node,
                             const struct identity *identity,
                             size_t *ret_queued,
                             struct error *err)
{
    enum status status = store_begin(node->store, err);
    if (status != OK)
        return status;
    status = cards_remember_former(&node->feed, buf_span(&identity->former_cards), err);
    if (status == OK)
        status = cards_sync(&node->feed, buf_span(&identity->card), ret_queued, err);
    if (status != OK) {
        store_rollback(node->store);
        return status;
    }
    status = store_commit(node->store, err);
    return status == OK ? heads_save(node->store, err) : status;
}

enum status renewal_at_start(struct node *node, struct error *err)
{
    size_t queued = 0;
    enum status status = give_card(node, &node->identity, &queued, err);
    if (status == OK && queued > 0)
        log_event(LOG_LEVEL_INFO, "card_queued", "peers=%zu", queued);
    return status;
}

struct renewal_job {
    struct job job;
    struct node *node;
    struct identity identity;
    size_t queued;
};

static enum status renewal_apply(struct job *job, struct error *err)
{
    struct renewal_job *self = (struct renewal_job *)job;
    return give_card(self->node, &self->identity, &self->queued, err);
}

static enum status renewal_sign(struct job *job, struct error *err)
{
    (void)err;
    struct renewal_job *self = (struct renewal_job *)job;
    struct node *node = self->node;
    node->feed.log_key = self->identity.keys[ROLE_LOG];
    node->feed.receipt_key = self->identity.keys[ROLE_RECEIPT];
    node->feed.former_log_key = self->identity.former_log_key;
    node->feed.former_receipt_key = self->identity.former_receipt_key;
    node->admin.card = buf_span(&self->identity.card);
    return OK;
}

static void renewal_done(struct job *job)
{
    struct renewal_job *self = (struct renewal_job *)job;
    struct node *node = self->node;
    struct error err = job->error;
    enum status status = err.status;
    const struct tls_identity tls = { buf_span(&self->identity.certificates[ROLE_TLS]),
                                      self->identity.keys[ROLE_TLS] };
    if (status == OK) { /* the store thread has the new keys: the old ones are nobody's now */
        struct identity old = node->identity;
        node->identity = self->identity;
        status = tls_context_set_identity(node->tls, &tls, &err);
        identity_fini(&old);
    } else {
        identity_fini(&self->identity);
    }
    if (status == OK) {
        log_event(LOG_LEVEL_INFO, "reloaded", "config=%s cards_queued=%zu", node->config.path,
                  self->queued);
    } else {
        log_event(LOG_LEVEL_ERROR, "reload_refused", "status=%s reason=\"%s\"", status_name(status),
                  err.text);
    }
    if (status == OK && !node->stopping) {
        network_refresh(node);
        exchange_wake(node->exchange);
    }
    mem_free(self);
}

static const struct job_table RENEWAL_JOB = { "renewal", NULL, renewal_apply, renewal_sign,
                                              renewal_done };

enum status renewal_start(struct node *node, struct error *err)
{
    struct renewal_job *self = mem_calloc(1, sizeof(*self));
    if (self == NULL)
        return error_set(err, ERR_MEMORY, "identity: no memory");
    int64_t wall_ms = clock_system()->wall_ms(clock_system());
    enum status status = identity_read(node->config.identity_directory, &node->config.realm,
                                       &node->config.code, wall_ms, &self->identity, err);
    if (status == OK &&
        !span_equal(buf_span(&self->identity.anchor), buf_span(&node->identity.anchor)))
        status = error_set(err, ERR_WRONG_STATE,
                           "the anchor cannot change while the node runs; next: restart it");
    if (status == OK) {
        self->job = (struct job){
            .table = &RENEWAL_JOB, .priority = JOB_URGENT, .alone = true, .bytes = sizeof(*self)
        };
        self->node = node;
        status = worker_submit(node->worker, &self->job, err);
    }
    if (status != OK) {
        identity_fini(&self->identity);
        mem_free(self);
    }
    return status;
}
