/* Peers as they are listed and shown. */
#include "admin/ops.h"
#include "admin/peer_known.h"
#include "crypto/fingerprint.h"
#include "store/feed_rows.h"
#include "store/outbox_rows.h"
#include "store/peer_rows.h"

#include <string.h>

enum { PAGE = 16 };

static const char *state_of(const struct peer_row *row)
{
    return row->state == PEER_ACCEPTED && row->held ? "held" : peer_state_name(row->state);
}

struct peers_list {
    struct admin *admin;
    struct reply_writer *w;
    int state; /* 0: any */
};

static enum status put_row(void *context, const struct peer_row *row, struct error *err)
{
    const struct peers_list *list = context;
    struct admin *admin = list->admin;
    struct reply_writer *w = list->w;
    uint64_t waiting = 0;
    if (list->state != 0 && (int)row->state != list->state)
        return OK;
    enum status status = outbox_rows_count(admin->feed->store, row->peer_id, &waiting, err);
    struct admin_link link = ops_link(admin, &row->code);
    reply_cell(w, "%s", row->code.text);
    reply_cell(w, "%s", row->name[0] == '\0' ? "-" : row->name);
    reply_cell(w, "%s", state_of(row));
    reply_cell(w, "%s", link.connected ? "yes" : "no");
    reply_cell_number(w, waiting);
    reply_cell_time(w, row->contact_ms);
    reply_cell(w, "%s", row->address[0] == '\0' ? "-" : row->address);
    return status;
}

enum status peer_ops_list(void *context, struct control_call *call, struct error *err)
{
    static const struct reply_column columns[] = {
        { "code", "Code", false },       { "name", "Name", false },
        { "state", "State", false },     { "connected", "Connected", false },
        { "waiting", "Waiting", true },  { "contact", "Last contact", false },
        { "address", "Address", false },
    };
    struct peers_list list = { context, call->reply, 0 };
    /* The choices stand in the order of enum peer_state. */
    if (argument_given(&call->arguments, "state"))
        list.state = (int)argument_choice(&call->arguments, "state", 0) + PEER_PENDING;
    reply_table(call->reply, "peers", "Peers", columns, sizeof(columns) / sizeof(columns[0]));
    return peer_known_each(list.admin, put_row, &list, err);
}

/* -- one --------------------------------------------------------------------------------------- */

static enum status put_fingerprint(struct admin *admin,
                                   struct reply_writer *w,
                                   const struct peer_row *row,
                                   struct error *err)
{
    struct buf anchor = BUF_INIT;
    enum status status =
        peer_rows_get_file(admin->feed->store, row->peer_id, PEER_ANCHOR_DER, &anchor, err);
    struct fingerprint fingerprint;
    char text[FINGERPRINT_TEXT_SIZE] = "-";
    if (status == OK && anchor.size > 0) {
        status = fingerprint_of(&row->realm, &row->code, buf_span(&anchor), &fingerprint, err);
        if (status == OK)
            fingerprint_format(&fingerprint, text);
    }
    reply_field(w, "fingerprint", "Fingerprint", "%s", text);
    buf_fini(&anchor);
    return status;
}

static enum status put_facts(struct admin *admin,
                             struct reply_writer *w,
                             const struct peer_row *row,
                             struct error *err)
{
    struct admin_link link = ops_link(admin, &row->code);
    reply_fields(w, "peer", "Peer");
    reply_field(w, "code", "Code", "%s", row->code.text);
    reply_field(w, "name", "Name", "%s", row->name[0] == '\0' ? "-" : row->name);
    reply_field(w, "state", "State", "%s", state_of(row));
    enum status status = put_fingerprint(admin, w, row, err);
    reply_field(w, "address", "Address", "%s", row->address[0] == '\0' ? "-" : row->address);
    reply_field(w, "connected", "Connected", "%s", link.connected ? "yes" : "no");
    reply_field(w, "last_error", "Last failed attempt", "%s",
                link.last_error[0] == '\0' ? "-" : link.last_error);
    ops_field_time(w, "contact", "Last contact", row->contact_ms);
    ops_field_time(w, "added", "Card added", row->added_ms);
    if (row->added_ms != 0)
        reply_number(w, "added_by", "Added by user", row->added_by);
    ops_field_time(w, "accepted", "Accepted", row->accepted_ms);
    if (row->accepted_ms != 0)
        reply_number(w, "accepted_by", "Accepted by user", row->accepted_by);
    reply_number(w, "crl_number", "Revocation list number", row->crl_number);
    ops_field_time(w, "crl_expires", "Revocation list until", row->crl_expires_ms);
    reply_number(w, "recoveries", "Recoveries against it", row->recoveries);
    return status;
}

static void put_feed(struct reply_writer *w, const struct feed_row *feed)
{
    reply_cell(w, "%s", feed->direction == FEED_OUT ? "to it" : "from it");
    reply_cell(w, "%s",
               feed->rolled_back            ? "rolled back"
               : feed->state == FEED_ACTIVE ? "active"
                                            : "old");
    reply_cell_number(w, feed->size);
    reply_cell_number(w, feed->receipt_size);
    reply_cell_time(w, feed->receipt_ms);
    reply_cell(w, "%s", feed->origin);
}

static enum status put_feeds(struct admin *admin,
                             struct reply_writer *w,
                             int64_t peer_id,
                             struct error *err)
{
    static const struct reply_column columns[] = {
        { "direction", "Feed", false },
        { "state", "State", false },
        { "size", "Entries", true },
        { "receipted", "Receipted", true },
        { "receipted_time", "Receipt of", false },
        { "origin", "Origin", false },
    };
    reply_table(w, "feeds", "Feeds", columns, sizeof(columns) / sizeof(columns[0]));
    struct feed_row rows[PAGE];
    int64_t after = 0;
    enum status status = OK;
    for (size_t count = PAGE; status == OK && count == PAGE;) {
        status = feed_rows_list(admin->feed->store, after, rows, PAGE, &count, err);
        for (size_t i = 0; status == OK && i < count; i++) {
            after = rows[i].feed_id;
            if (rows[i].peer_id == peer_id)
                put_feed(w, &rows[i]);
        }
    }
    return status;
}

enum status peer_ops_show(void *context, struct control_call *call, struct error *err)
{
    struct admin *admin = context;
    struct peer_row row;
    enum status status = peer_known_find(admin, call, &row, err);
    if (status == OK)
        status = put_facts(admin, call->reply, &row, err);
    if (status == OK)
        status = put_feeds(admin, call->reply, row.peer_id, err);
    return status;
}
