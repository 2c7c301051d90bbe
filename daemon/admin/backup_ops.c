/* Backups, in steps of idle work, so that the store thread is free in between.  backup.status says
 * how far it is; comityctl asks until it is done, and may go away meanwhile. */
#include "admin/ops.h"
#include "feed/peering.h"
#include "store/backup.h"
#include "store/store.h"

#include <stdio.h>
#include <string.h>

enum { STEP_MS = 3 }; /* others wait at most so long, and one step of backup_step() */

static enum status choose_path(struct admin *admin, const char *file, struct error *err)
{
    bool absolute = file[0] == '/';
    int size = snprintf(admin->backup.path, sizeof(admin->backup.path), "%s%s%s",
                        absolute ? "" : admin->directory, absolute ? "" : "/", file);
    if (size < 0 || (size_t)size >= sizeof(admin->backup.path))
        return error_set(err, ERR_LIMIT, "the path of the backup is too long");
    if (!absolute && strchr(file, '/') != NULL) {
        return error_set(err, ERR_INVALID,
                         "'%s' is neither a name nor an absolute path; next: give a name, and the "
                         "file lies in %s",
                         file, admin->directory);
    }
    return OK;
}

enum status backup_ops_create(void *context, struct control_call *call, struct error *err)
{
    struct admin *admin = context;
    if (admin->backup.running != NULL) {
        return error_set(err, ERR_WRONG_STATE,
                         "a backup to %s is under way; next: wait, comityctl status shows how far "
                         "it is",
                         admin->backup.path);
    }
    enum status status = choose_path(admin, argument_text(&call->arguments, "file"), err);
    if (status == OK)
        status = backup_start(admin->feed->store, admin->backup.path, &admin->backup.running, err);
    if (status != OK) {
        admin->backup.path[0] = '\0';
        return status;
    }
    admin->backup.pages = 0;
    admin->backup.pages_total = 0;
    admin->backup.result = (struct error)ERROR_INIT;
    admin->changed.idle = true;
    reply_fields(call->reply, "backup", "Backup");
    reply_field(call->reply, "file", "File", "%s", admin->backup.path);
    reply_field(call->reply, "state", "State", "running");
    return OK;
}

/* -- as idle work ------------------------------------------------------------------------------ */

static enum status step(struct admin *admin, bool *ret_done, struct error *err)
{
    struct clock *clock = admin->feed->clock;
    int64_t end_ms = clock->monotonic_ms(clock) + STEP_MS;
    enum status status = OK;
    do
        status = backup_step(admin->backup.running, ret_done, err);
    while (status == OK && !*ret_done && clock->monotonic_ms(clock) < end_ms);
    return status;
}

/* Nobody may be looking: what went wrong waits for an operator. */
static enum status raise_alarm(struct admin *admin, struct error *err)
{
    enum status status = store_begin(admin->feed->store, err);
    if (status == OK)
        status = peering_alarm(admin->feed, NULL, "backup", admin->backup.result.text, err);
    if (status == OK)
        return store_commit(admin->feed->store, err);
    store_rollback(admin->feed->store);
    return status;
}

enum status admin_idle(struct admin *admin, bool *ret_more, struct error *err)
{
    bool done = false;
    *ret_more = false;
    if (admin->backup.running == NULL)
        return OK;
    enum status status = step(admin, &done, &admin->backup.result);
    if (status == OK)
        backup_progress(admin->backup.running, &admin->backup.pages, &admin->backup.pages_total);
    if (status == OK && !done) {
        *ret_more = true;
        return OK;
    }
    backup_free(admin->backup.running);
    admin->backup.running = NULL;
    admin->backup.result.status = status;
    if (status == OK)
        return OK;
    if (store_is_lost(admin->feed->store))
        return error_set(err, ERR_IO, "%s", admin->backup.result.text);
    return raise_alarm(admin, err);
}

enum status backup_ops_status(void *context, struct control_call *call, struct error *err)
{
    const struct admin *admin = context;
    if (admin->backup.path[0] == '\0') {
        return error_set(err, ERR_WRONG_STATE,
                         "no backup was made since the node started; next: comityctl backup create "
                         "FILE");
    }
    if (admin->backup.result.status != OK)
        return error_set(err, admin->backup.result.status, "%s", admin->backup.result.text);
    bool done = admin->backup.running == NULL;
    reply_fields(call->reply, "backup", "Backup");
    reply_field(call->reply, "file", "File", "%s", admin->backup.path);
    reply_field(call->reply, "state", "State", "%s", done ? "done" : "running");
    reply_number(call->reply, "pages", "Pages copied", admin->backup.pages);
    reply_number(call->reply, "pages_total", "Pages in all", admin->backup.pages_total);
    if (done) {
        reply_note(
            call->reply,
            "The file holds no keys. They are in %s/keys.bundle: copy the bundle to the same "
            "place, over its older copies, never beside them.",
            admin->directory);
    }
    return OK;
}
