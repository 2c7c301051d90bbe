/* Backups, in steps: each backup.status copies a little and says how far it is, so that the store
 * thread is free in between.  comityctl asks until it is done. */
#include "admin/ops.h"
#include "store/backup.h"
#include "store/store.h"

#include <stdio.h>
#include <string.h>

enum { STEP_MS = 3 }; /* others wait at most so long, and one step of backup_step() */

static enum status choose_path(struct admin *admin, const char *file, struct error *err)
{
    bool absolute = file[0] == '/';
    int size = snprintf(admin->backup_path, sizeof(admin->backup_path), "%s%s%s",
                        absolute ? "" : admin->directory, absolute ? "" : "/", file);
    if (size < 0 || (size_t)size >= sizeof(admin->backup_path))
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
    backup_free(admin->backup); /* one that nobody waited for */
    admin->backup = NULL;
    enum status status = choose_path(admin, argument_text(&call->arguments, "file"), err);
    if (status == OK)
        status = backup_start(admin->feed->store, admin->backup_path, &admin->backup, err);
    if (status != OK)
        return status;
    reply_fields(call->reply, "backup", "Backup");
    reply_field(call->reply, "file", "File", "%s", admin->backup_path);
    reply_field(call->reply, "state", "State", "running");
    return OK;
}

static enum status step(struct admin *admin, bool *ret_done, struct error *err)
{
    struct clock *clock = admin->feed->clock;
    int64_t end_ms = clock->monotonic_ms(clock) + STEP_MS;
    enum status status = OK;
    do
        status = backup_step(admin->backup, ret_done, err);
    while (status == OK && !*ret_done && clock->monotonic_ms(clock) < end_ms);
    return status;
}

enum status backup_ops_status(void *context, struct control_call *call, struct error *err)
{
    struct admin *admin = context;
    if (admin->backup == NULL)
        return error_set(err, ERR_WRONG_STATE,
                         "no backup is under way; next: comityctl backup create FILE");
    bool done = false;
    enum status status = step(admin, &done, err);
    uint64_t pages = 0;
    uint64_t total = 0;
    if (status == OK)
        backup_progress(admin->backup, &pages, &total);
    if (status != OK || done) {
        backup_free(admin->backup);
        admin->backup = NULL;
    }
    if (status != OK)
        return error_prefix(err, "backup to %s", admin->backup_path);
    reply_fields(call->reply, "backup", "Backup");
    reply_field(call->reply, "file", "File", "%s", admin->backup_path);
    reply_field(call->reply, "state", "State", "%s", done ? "done" : "running");
    reply_number(call->reply, "pages", "Pages copied", pages);
    reply_number(call->reply, "pages_total", "Pages in all", total);
    if (done) {
        reply_note(
            call->reply,
            "The file holds no keys. They are in %s/keys.bundle: copy the bundle to the same "
            "place, over its older copies, never beside them.",
            admin->directory);
    }
    return OK;
}
