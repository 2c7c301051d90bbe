/* The node as a whole: status, inbox, journal, check. */
#include "admin/ops.h"
#include "admin/peer_known.h"
#include "base/counted.h"
#include "feed/check.h"
#include "feed/journal.h"
#include "feed/listing.h"
#include "store/outbox_rows.h"
#include "store/peer_rows.h"
#include "store/store.h"

#include <inttypes.h>
#include <string.h>

enum { JOURNAL_DEFAULT = 50, SAY_MS = 250 };

/* -- status ------------------------------------------------------------------------------------ */

static enum status put_node(struct admin *admin, struct reply_writer *w, struct error *err)
{
    struct store_stats stats;
    struct feed_context *feed = admin->feed;
    enum status status = store_stats(feed->store, &stats, err);
    if (status != OK)
        return status;
    int64_t restored_ms = 0;
    status = store_restored(feed->store, &restored_ms, err);
    reply_fields(w, "node", "This node");
    reply_field(w, "code", "Code", "%s", feed->self.text);
    reply_field(w, "name", "Name", "%s", admin->name);
    reply_field(w, "realm", "Realm", "%s", feed->realm.text);
    reply_field(w, "version", "Version", "%s", COMITY_VERSION);
    ops_field_time(w, "started", "Running since", admin->started_ms);
    reply_number(w, "database_bytes", "Database, bytes", stats.database_bytes);
    reply_number(w, "wal_bytes", "Write-ahead log, bytes", stats.wal_bytes);
    reply_number(w, "erasures", "Erasures so far", stats.erasures);
    if (restored_ms != 0)
        ops_field_time(w, "restored", "Restored from a backup", restored_ms);
    if (admin->backup.running != NULL)
        reply_field(w, "backup", "Backup under way", "%s, %" PRIu64 " of %" PRIu64 " pages",
                    admin->backup.path, admin->backup.pages, admin->backup.pages_total);
    if (admin->check.running)
        reply_field(w, "checking", "Check under way", "%s so far",
                    counted(admin->check.entries, "entry").text);
    return status;
}

/* What waits for a person to do about a peer, if anything. */
static void put_peer_command(struct reply_writer *w, const struct peer_row *row)
{
    switch (row->state) {
    case PEER_PENDING:
        reply_cell(w, "comityctl peer add CARD");
        return;
    case PEER_ADDED:
    case PEER_BLOCKED:
        reply_cell(w, "comityctl peer show %s", row->code.text);
        return;
    case PEER_ACCEPTED:
        if (!row->held)
            break;
        reply_cell(w, "comityctl release %s", row->code.text);
        return;
    case PEER_FORGOTTEN:
        break;
    }
    reply_cell(w, "-");
}

struct peers_list {
    struct admin *admin;
    struct reply_writer *w;
};

static enum status put_peer(void *context, const struct peer_row *row, struct error *err)
{
    const struct peers_list *list = context;
    struct admin *admin = list->admin;
    struct reply_writer *w = list->w;
    uint64_t waiting = 0;
    if (row->state == PEER_FORGOTTEN)
        return OK;
    struct admin_link link = ops_link(admin, &row->code);
    enum status status = outbox_rows_count(admin->feed->store, row->peer_id, &waiting, err);
    reply_cell(w, "%s", row->code.text);
    reply_cell(w, "%s",
               row->state == PEER_ACCEPTED && row->held ? "held" : peer_state_name(row->state));
    reply_cell(w, "%s", link.connected ? "yes" : link.dialling ? "calling" : "no");
    reply_cell_number(w, waiting);
    reply_cell_time(w, row->contact_ms);
    reply_cell(w, "%s", link.connected || link.last_error[0] == '\0' ? "-" : link.last_error);
    put_peer_command(w, row);
    return status;
}

static enum status put_peers(struct admin *admin, struct reply_writer *w, struct error *err)
{
    static const struct reply_column columns[] = {
        { "code", "Peer", false },
        { "state", "State", false },
        { "connected", "Connected", false },
        { "waiting", "Waiting for it", true },
        { "contact", "Last contact", false },
        { "problem", "Last problem", false },
        { "command", "Next", false },
    };
    reply_table(w, "peers", "Peers", columns, sizeof(columns) / sizeof(columns[0]));
    struct peers_list list = { admin, w };
    return peer_known_each(admin, put_peer, &list, err);
}

static enum status count_task(void *context, const struct listing_task *task, struct error *err)
{
    (void)task;
    (void)err;
    ++*(size_t *)context;
    return OK;
}

enum status node_ops_status(void *context, struct control_call *call, struct error *err)
{
    struct admin *admin = context;
    struct reply_writer *w = call->reply;
    size_t tasks = 0;
    enum status status = put_node(admin, w, err);
    if (status == OK)
        status = put_peers(admin, w, err);
    if (status == OK)
        status = alarm_ops_put(admin, w, true, err);
    if (status == OK)
        status = listing_inbox(admin->feed, call->caller->uid, count_task, &tasks, err);
    if (status == OK && tasks > 0)
        reply_note(w, "%s %s for you: comityctl inbox", counted(tasks, "thing").text,
                   tasks == 1 ? "waits" : "wait");
    return status;
}

/* -- inbox ------------------------------------------------------------------------------------- */

static enum status put_task(void *context, const struct listing_task *task, struct error *err)
{
    struct reply_writer *w = context;
    reply_cell(w, "%s", task->what);
    reply_cell(w, "%s", task->subject);
    reply_cell_time(w, task->since_ms);
    reply_cell(w, "%s", task->text);
    reply_cell(w, "%s", task->command[0] == '\0' ? "-" : task->command);
    return reply_status(w, err);
}

enum status node_ops_inbox(void *context, struct control_call *call, struct error *err)
{
    static const struct reply_column columns[] = {
        { "what", "What", false },  { "subject", "Of", false },   { "since", "Since", false },
        { "text", "About", false }, { "command", "Next", false },
    };
    struct admin *admin = context;
    reply_table(call->reply, "tasks", "Waiting for you", columns, 5);
    return listing_inbox(admin->feed, call->caller->uid, put_task, call->reply, err);
}

/* -- journal ----------------------------------------------------------------------------------- */

static enum status put_record(void *context, const struct journal_record *record, struct error *err)
{
    struct reply_writer *w = context;
    reply_cell_number(w, record->index);
    reply_cell_time(w, record->time_ms);
    reply_cell_number(w, record->uid);
    reply_cell(w, "%s", record->user[0] == '\0' ? "-" : record->user);
    reply_cell(w, "%s", record->action);
    reply_cell(w, "%s", record->object[0] == '\0' ? "-" : record->object);
    reply_cell(w, "%s", status_name(record->result));
    reply_cell(w, "%s", record->detail[0] == '\0' ? "-" : record->detail);
    return reply_status(w, err);
}

static enum status skip_record(void *context,
                               const struct journal_record *record,
                               struct error *err)
{
    (void)context;
    (void)record;
    (void)err;
    return OK;
}

enum status node_ops_journal(void *context, struct control_call *call, struct error *err)
{
    static const struct reply_column columns[] = {
        { "index", "No.", true },      { "time", "Time", false },     { "uid", "Uid", true },
        { "user", "User", false },     { "action", "Action", false }, { "object", "Of", false },
        { "result", "Result", false }, { "detail", "Detail", false },
    };
    struct admin *admin = context;
    uint64_t limit = argument_number(&call->arguments, "limit", JOURNAL_DEFAULT);
    uint64_t size = 0;
    enum status status = journal_list(admin->feed, 0, 0, skip_record, NULL, &size, err);
    if (status != OK)
        return status;
    reply_table(call->reply, "actions", "Journal", columns, sizeof(columns) / sizeof(columns[0]));
    uint64_t from = size > limit ? size - limit : 0;
    return journal_list(admin->feed, from, size, put_record, call->reply, NULL, err);
}

/* -- check ------------------------------------------------------------------------------------- */

static void put_check(struct reply_writer *w, const struct check_result *result)
{
    reply_fields(w, "check", "Recomputed from the stored bytes");
    reply_number(w, "rows", "Rows of tables and indexes", result->rows);
    if (result->whole)
        reply_field(w, "sqlite", "SQLite's own check", "done");
    else {
        reply_field(w, "sqlite", "SQLite's own check",
                    "left out: the database is larger than %d MiB; every table and index was read "
                    "and compared instead, and only pages that belong to none were not looked at",
                    CHECK_WHOLE_MIB);
    }
    reply_number(w, "feeds", "Feeds", result->feeds);
    reply_number(w, "entries", "Entries", result->entries);
    reply_number(w, "opened", "Bodies opened", result->opened);
    reply_number(w, "erased", "Bodies erased, as they had to be", result->erased);
    reply_number(w, "holdings", "Holdings", result->holdings);
    reply_number(w, "deliveries", "Deliveries", result->deliveries);
    reply_number(w, "journal", "Actions in the journal", result->journal_records);
    reply_number(w, "problems", "Problems", result->problems);
    if (result->problems > 0)
        reply_text(w, "found", "What is wrong", buf_span(&result->text));
}

struct checking {
    struct admin *admin;
    struct control_call *call;
};

static bool between_steps(void *self, const struct check_result *so_far)
{
    const struct checking *checking = self;
    struct admin *admin = checking->admin;
    int64_t now_ms = admin->feed->clock->monotonic_ms(admin->feed->clock);
    admin->check.entries = so_far->entries;
    if (now_ms - admin->check.said_ms >= SAY_MS) {
        if (so_far->feeds + so_far->entries == 0)
            control_say(checking->call, "rows of the database checked", so_far->rows, 0);
        else if (so_far->journal_records == 0)
            control_say(checking->call, "entries checked", so_far->entries, 0);
        admin->check.said_ms = now_ms;
    }
    return admin->breathe == NULL || admin->breathe(admin->breathe_self);
}

enum status node_ops_check(void *context, struct control_call *call, struct error *err)
{
    struct admin *admin = context;
    struct check_result result;
    struct checking checking = { admin, call };
    const struct check_pause pause = { &checking, between_steps };
    memset(&result, 0, sizeof(result));
    control_say(call, "checking the database", 0, 0);
    memset(&admin->check, 0, sizeof(admin->check));
    admin->check.running = true;
    enum status status = feed_check_in_steps(admin->feed, &pause, &result, err);
    admin->check.running = false;
    if (status == OK)
        put_check(call->reply, &result);
    if (status == OK && result.problems > 0) {
        status = error_set(err, ERR_MISMATCH,
                           "%s: stored bytes are not what they must be; next: stop the "
                           "node, keep a copy of its directory as evidence, and restore a backup",
                           counted(result.problems, "problem").text);
    }
    check_result_fini(&result);
    return status;
}
