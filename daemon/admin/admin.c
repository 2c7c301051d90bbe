#include "admin/admin.h"

#include "admin/diary.h"
#include "admin/ops.h"
#include "base/memory.h"
#include "store/backup.h"
#include "store/heads.h"
#include "store/store.h"

#include <string.h>

static const struct control_handler handlers[] = {
    { "status", node_ops_status },
    { "inbox", node_ops_inbox },
    { "journal.list", node_ops_journal },
    { "check", node_ops_check },
    { "alarm.list", alarm_ops_list },
    { "alarm.close", alarm_ops_close },
    { "peer.card", peer_ops_card },
    { "peer.add", peer_ops_add },
    { "peer.accept", peer_ops_accept },
    { "peer.list", peer_ops_list },
    { "peer.show", peer_ops_show },
    { "peer.block", peer_ops_block },
    { "peer.forget", peer_ops_forget },
    { "hold", peer_ops_hold },
    { "release", peer_ops_release },
    { "excerpt.add", excerpt_ops_add },
    { "excerpt.import", excerpt_ops_import },
    { "excerpt.list", excerpt_ops_list },
    { "excerpt.show", excerpt_ops_show },
    { "excerpt.retire", excerpt_ops_retire },
    { "stats.import", stats_ops_import },
    { "stats.list", stats_ops_list },
    { "stats.show", stats_ops_show },
    { "stats.export", stats_ops_export },
    { "stats.retire", stats_ops_retire },
    { "consent.draft", consent_ops_draft },
    { "consent.preview", consent_ops_preview },
    { "consent.propose", consent_ops_propose },
    { "consent.approve", consent_ops_approve },
    { "consent.reject", consent_ops_reject },
    { "consent.revoke", consent_ops_revoke },
    { "consent.list", consent_ops_list },
    { "consent.show", consent_ops_show },
    { "consent.history", consent_ops_history },
    { "given", travel_ops_given },
    { "received", travel_ops_received },
    { "received.show", travel_ops_received_show },
    { "recalls", travel_ops_recalls },
    { "evidence.export", travel_ops_evidence },
    { "backup.create", backup_ops_create },
    { "backup.status", backup_ops_status },
    { "report.cooperation", report_ops_cooperation },
};

/* Those that open transactions of their own, or must not be inside one. */
static const char *const alone[] = { "backup.create", "check" };

static bool is_alone(const char *operation)
{
    for (size_t i = 0; i < sizeof(alone) / sizeof(alone[0]); i++)
        if (strcmp(alone[i], operation) == 0)
            return true;
    return false;
}

struct admin_glance admin_glance(struct span message)
{
    struct request request;
    struct error ignored;
    struct admin_glance glance = { .operation = "-" };
    if (request_decode(message, &request, &ignored) != OK)
        return glance;
    const struct operation *operation = operation_find(request.operation);
    if (operation != NULL) {
        glance.operation = operation->name;
        glance.alone = is_alone(operation->name);
        glance.reads = operation->least <= PERMIT_READ;
    }
    request_fini(&request);
    return glance;
}

void admin_fini(struct admin *admin)
{
    backup_free(admin->backup.running);
    admin->backup.running = NULL;
}

/* -- one request ------------------------------------------------------------------------------- */

struct serving {
    struct admin *admin;
    struct error failure; /* of the database: nothing of the job holds */
};

static enum status run_handler(void *context,
                               const struct control_handler *handler,
                               struct control_call *call,
                               struct error *err)
{
    struct serving *serving = context;
    struct admin *admin = serving->admin;
    enum status status = handler->run(admin, call, err);
    if (status == OK || !store_in_transaction(admin->feed->store))
        return status;
    /* Undo what a refused operation may have begun; the journal's line comes after. */
    memset(&admin->changed, 0, sizeof(admin->changed));
    bool undone = store_rollback_to(admin->feed->store, &serving->failure) == OK &&
                  store_savepoint(admin->feed->store, &serving->failure) == OK;
    (void)undone; /* why not stands in serving->failure */
    return status;
}

/* Written in the same transaction as what it tells of; alone, in one of its own. */
static void record(void *context,
                   const struct caller *caller,
                   const struct operation *operation,
                   const struct request *request,
                   const struct error *result)
{
    struct serving *serving = context;
    struct store *store = serving->admin->feed->store;
    struct error *err = &serving->failure;
    if (err->status != OK || !diary_wants(operation, result))
        return;
    bool own = !store_in_transaction(store);
    enum status status = own ? store_begin(store, err) : OK;
    if (status == OK)
        status = diary_write(serving->admin->feed, caller, request, result, err);
    if (own && status == OK)
        status = store_commit(store, err);
    else if (own)
        store_rollback(store);
    if (own && status == OK)
        status = heads_save(store, err);
    if (status != OK && err->status == OK)
        err->status = status;
}

enum status admin_serve(struct admin *admin,
                        const struct caller *caller,
                        struct span message,
                        struct control_listener listener,
                        struct buf *append_to,
                        struct error *ret_result,
                        struct error *err)
{
    struct serving serving = { .admin = admin, .failure = ERROR_INIT };
    struct control_service service = {
        .realm = admin->feed->realm.text,
        .handlers = handlers,
        .handler_count = sizeof(handlers) / sizeof(handlers[0]),
        .context = &serving,
        .run = run_handler,
        .record = record,
    };
    memset(&admin->changed, 0, sizeof(admin->changed));
    struct error result = ERROR_INIT;
    size_t start = append_to->size;
    enum status status = control_serve(&service, caller, message, listener, append_to, &result);
    if (status != OK) {
        if (err != NULL)
            *err = result;
        return status;
    }
    if (serving.failure.status != OK) {
        append_to->size = start;
        if (err != NULL)
            *err = serving.failure;
        return serving.failure.status;
    }
    if (ret_result != NULL)
        *ret_result = result;
    return OK;
}
