/* Consents as they are listed and shown. */
#include "admin/ops.h"
#include "feed/consents.h"
#include "feed/listing.h"

#include <stdio.h>
#include <string.h>

enum { CODES_TEXT_SIZE = 128, PREFIX_ROOM = 16 };

/* "GB IE UNODC", cut with the number of those left out. */
static void join_codes(const struct consents_view *view, char ret_text[static CODES_TEXT_SIZE])
{
    size_t used = 0;
    ret_text[0] = '\0';
    for (size_t i = 0; i < view->recipient_count; i++) {
        if (used + CODE_MAX + PREFIX_ROOM > CODES_TEXT_SIZE) {
            (void)snprintf(ret_text + used, CODES_TEXT_SIZE - used, " +%zu",
                           view->recipient_count - i);
            return;
        }
        int added = snprintf(ret_text + used, CODES_TEXT_SIZE - used, "%s%s", i == 0 ? "" : " ",
                             view->recipients[i].code.text);
        used += added > 0 ? (size_t)added : 0;
    }
}

/* -- list -------------------------------------------------------------------------------------- */

static enum status put_row(void *context, const struct consents_view *view, struct error *err)
{
    struct reply_writer *w = context;
    char codes[CODES_TEXT_SIZE];
    join_codes(view, codes);
    ops_cell_id(w, &view->row.consent_id);
    reply_cell(w, "%s", lifecycle_state_name(view->row.state));
    reply_cell(w, "%s", terms_purpose_name(view->terms.purpose));
    reply_cell(w, "%s", terms_form_name(view->terms.form));
    reply_cell_number(w, view->record_count);
    reply_cell(w, "%s", codes);
    ops_cell_date(w, view->terms.valid_until_ms);
    return reply_status(w, err);
}

enum status consent_ops_list(void *context, struct control_call *call, struct error *err)
{
    static const struct reply_column columns[] = {
        { "id", "Id", false },           { "state", "State", false },
        { "purpose", "Purpose", false }, { "form", "Form", false },
        { "records", "Records", true },  { "recipients", "Recipients", false },
        { "until", "Until", false },
    };
    struct admin *admin = context;
    bool all = !argument_given(&call->arguments, "state");
    /* The choices stand in the order of enum consent_state. */
    int state = all ? 0 : (int)argument_choice(&call->arguments, "state", 0) + CONSENT_DRAFT;
    reply_table(call->reply, "consents", "Consents", columns, sizeof(columns) / sizeof(columns[0]));
    return consents_list(admin->feed, state, put_row, call->reply, err);
}

/* -- one --------------------------------------------------------------------------------------- */

static enum status put_whole(void *context, const struct consents_view *view, struct error *err)
{
    struct reply_writer *w = context;
    char codes[CODES_TEXT_SIZE];
    struct buf text = BUF_INIT;
    join_codes(view, codes);
    reply_fields(w, "consent", "Consent");
    ops_field_id(w, "id", "Id", &view->row.consent_id);
    reply_field(w, "state", "State", "%s", lifecycle_state_name(view->row.state));
    reply_field(w, "recipients", "Recipients", "%s", codes);
    reply_number(w, "record_count", "Records", view->record_count);
    ops_field_time(w, "created", "Drafted", view->row.created_ms);
    reply_number(w, "created_by", "Drafted by user", view->row.created_by);
    ops_field_time(w, "proposed", "Proposed", view->row.proposed_ms);
    if (view->row.proposed_ms != 0)
        reply_number(w, "proposed_by", "Proposed by user", view->row.proposed_by);
    ops_field_time(w, "approved", "Approved", view->row.approved_ms);
    if (view->row.approved_ms != 0)
        reply_number(w, "approved_by", "Approved by user", view->row.approved_by);
    ops_field_time(w, "ended", "Ended", view->row.ended_ms);
    enum status status = terms_render(&view->terms, &text, err);
    if (status == OK)
        reply_text(w, "terms", "Terms", buf_span(&text));
    buf_fini(&text);
    return status;
}

static enum status put_record(void *context, const struct records_view *view, struct error *err)
{
    struct reply_writer *w = context;
    ops_cell_id(w, &view->row.record_id);
    reply_cell_number(w, view->version);
    reply_cell(w, "%s", view->kind);
    reply_cell(w, "%s", view->title[0] == '\0' ? "-" : view->title);
    return reply_status(w, err);
}

struct counts {
    uint64_t sent, receipted, withdrawn, erased;
};

static enum status count_given(void *context, const struct listing_given *given, struct error *err)
{
    struct counts *counts = context;
    (void)err;
    counts->sent++;
    counts->receipted += given->row.receipted_ms != 0;
    counts->withdrawn += given->row.withdrawn_ms != 0;
    counts->erased += given->row.erased_ms != 0;
    return OK;
}

static enum status put_deliveries(struct admin *admin,
                                  struct reply_writer *w,
                                  const struct id *id,
                                  struct error *err)
{
    struct listing_given_filter filter = { .consent_id = *id };
    struct counts counts = { 0 };
    enum status status = listing_given(admin->feed, &filter, count_given, &counts, err);
    reply_fields(w, "deliveries", "Deliveries");
    reply_number(w, "sent", "Sent", counts.sent);
    reply_number(w, "receipted", "Receipted", counts.receipted);
    reply_number(w, "withdrawn", "Withdrawn", counts.withdrawn);
    reply_number(w, "erased", "Erasure confirmed", counts.erased);
    return status;
}

enum status consent_ops_show(void *context, struct control_call *call, struct error *err)
{
    static const struct reply_column columns[] = {
        { "id", "Id", false },
        { "version", "Version", true },
        { "kind", "Kind", false },
        { "title", "Title", false },
    };
    struct admin *admin = context;
    struct consent_row row;
    enum status status = ops_find_consent(admin, call, &row, err);
    if (status == OK)
        status = consents_show(admin->feed, &row.consent_id, put_whole, call->reply, err);
    if (status == OK) {
        reply_table(call->reply, "records", "Records", columns, 4);
        status = consents_records(admin->feed, &row.consent_id, put_record, call->reply, err);
    }
    if (status == OK)
        status = put_deliveries(admin, call->reply, &row.consent_id, err);
    return status;
}

static enum status put_event(void *context,
                             const struct consent_event_row *event,
                             struct error *err)
{
    struct reply_writer *w = context;
    bool first = event->from_state == 0;
    reply_cell_time(w, event->time_ms);
    reply_cell_number(w, event->uid);
    reply_cell(w, "%s", first ? "-" : lifecycle_state_name(event->from_state));
    reply_cell(w, "%s", lifecycle_state_name(event->to_state));
    reply_cell(w, "%s", event->text);
    return reply_status(w, err);
}

enum status consent_ops_history(void *context, struct control_call *call, struct error *err)
{
    static const struct reply_column columns[] = {
        { "time", "Time", false }, { "user", "User", true },  { "from", "From", false },
        { "to", "To", false },     { "what", "What", false },
    };
    struct admin *admin = context;
    struct consent_row row;
    enum status status = ops_find_consent(admin, call, &row, err);
    if (status != OK)
        return status;
    reply_table(call->reply, "events", "History", columns, 5);
    return consents_history(admin->feed, &row.consent_id, put_event, call->reply, err);
}
