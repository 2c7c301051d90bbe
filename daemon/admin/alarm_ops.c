/* Alarms: what somebody must look at.  An alarm stays open until a person says, with a reason that
 * the journal keeps, that it was dealt with; what goes on being wrong raises it anew. */
#include "admin/ops.h"
#include "store/journal_rows.h"

#include <inttypes.h>

enum { PAGE = 16 };

static void put_row(struct reply_writer *w, const struct alarm_row *row, bool open_only)
{
    reply_cell_number(w, (uint64_t)row->alarm_id);
    reply_cell_time(w, row->opened_ms);
    reply_cell_number(w, row->times);
    reply_cell(w, "%s", row->kind);
    reply_cell(w, "%s", row->peer.text[0] == '\0' ? "-" : row->peer.text);
    reply_cell(w, "%s", row->text);
    if (!open_only)
        reply_cell_time(w, row->closed_ms);
    if (row->closed_ms == 0)
        reply_cell(w, "comityctl alarm close %" PRId64 " --reason WHY", row->alarm_id);
    else
        reply_cell(w, "closed by uid %" PRIu32, row->closed_by);
}

enum status alarm_ops_put(struct admin *admin,
                          struct reply_writer *w,
                          bool open_only,
                          struct error *err)
{
    static const struct reply_column open_columns[] = {
        { "number", "No.", true },
        { "since", "Since", false },
        { "times", "Times", true },
        { "kind", "Kind", false },
        { "peer", "Peer", false },
        { "text", "Alarm", false },
        { "command", "When dealt with", false },
    };
    static const struct reply_column all_columns[] = {
        { "number", "No.", true },     { "since", "Since", false },
        { "times", "Times", true },    { "kind", "Kind", false },
        { "peer", "Peer", false },     { "text", "Alarm", false },
        { "closed", "Closed", false }, { "command", "When dealt with", false },
    };
    reply_table(w, "alarms", "Alarms", open_only ? open_columns : all_columns,
                open_only ? sizeof(open_columns) / sizeof(open_columns[0])
                          : sizeof(all_columns) / sizeof(all_columns[0]));
    struct alarm_row rows[PAGE];
    int64_t after = 0;
    enum status status = OK;
    for (size_t count = PAGE; status == OK && count == PAGE;) {
        status = alarm_rows_list(admin->feed->store, open_only, after, rows, PAGE, &count, err);
        for (size_t i = 0; status == OK && i < count; i++) {
            after = rows[i].alarm_id;
            put_row(w, &rows[i], open_only);
            status = reply_status(w, err);
        }
    }
    return status;
}

enum status alarm_ops_list(void *context, struct control_call *call, struct error *err)
{
    return alarm_ops_put(context, call->reply, !argument_given(&call->arguments, "all"), err);
}

enum status alarm_ops_close(void *context, struct control_call *call, struct error *err)
{
    struct admin *admin = context;
    int64_t number = (int64_t)argument_number(&call->arguments, "number", 0);
    struct error why = ERROR_INIT;
    enum status status = alarm_rows_close(admin->feed->store, number, call->caller->uid, &why);
    if (status == ERR_NOT_FOUND) {
        return error_set(err, ERR_NOT_FOUND,
                         "there is no open alarm %" PRId64 "; next: comityctl alarm list", number);
    }
    if (status != OK) {
        if (err != NULL)
            *err = why;
        return status;
    }
    reply_fields(call->reply, "alarm", "Alarm");
    reply_number(call->reply, "number", "No.", (uint64_t)number);
    reply_field(call->reply, "state", "State", "closed");
    reply_field(call->reply, "reason", "Reason", "%s", argument_text(&call->arguments, "reason"));
    return OK;
}
