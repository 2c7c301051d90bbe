/* What left, what came, what is being recalled, and the proof of an entry. */
#include "admin/ops.h"
#include "admin/peer_known.h"
#include "base/counted.h"
#include "feed/finding.h"
#include "feed/listing.h"
#include "feed/proving.h"
#include "log/header.h"
#include "store/feed_rows.h"

#include <stdio.h>
#include <string.h>

/* -- given ------------------------------------------------------------------------------------- */

static enum status put_given(void *context, const struct listing_given *given, struct error *err)
{
    struct reply_writer *w = context;
    reply_cell(w, "%s", given->recipient.text);
    reply_cell_number(w, given->row.index);
    ops_cell_id(w, &given->row.record_id);
    reply_cell_number(w, given->row.version);
    reply_cell(w, "%s", given->kind[0] == '\0' ? "-" : given->kind);
    reply_cell(w, "%s", given->title[0] == '\0' ? "-" : given->title);
    ops_cell_id(w, &given->row.consent_id);
    reply_cell(w, "%s", given->state);
    reply_cell_time(w, given->row.numbered_ms);
    reply_cell_time(w, given->row.receipted_ms);
    reply_cell_time(w, given->row.erased_ms);
    reply_cell(w, "%s", given->why[0] == '\0' ? "-" : given->why);
    ops_cell_id(w, &given->entry_id);
    return reply_status(w, err);
}

/* The id that a prefix names, or ID_NONE when the argument was left out. */
static enum status record_filter(struct admin *admin,
                                 const struct control_call *call,
                                 struct id *ret_id,
                                 struct error *err)
{
    const char *prefix = argument_text(&call->arguments, "record");
    struct record_row row;
    if (prefix == NULL)
        return OK;
    enum status status = ops_find_record(admin, prefix, 0, &row, err);
    if (status == OK)
        *ret_id = row.record_id;
    return status;
}

static enum status consent_filter(struct admin *admin,
                                  const struct control_call *call,
                                  struct id *ret_id,
                                  struct error *err)
{
    if (argument_text(&call->arguments, "consent") == NULL)
        return OK;
    return ops_find_consent_id(admin, call, ret_id, err);
}

enum status travel_ops_given(void *context, struct control_call *call, struct error *err)
{
    static const struct reply_column columns[] = {
        { "to", "To", false },           { "index", "Place", true },
        { "record", "Record", false },   { "version", "Version", true },
        { "kind", "Kind", false },       { "title", "Title", false },
        { "consent", "Consent", false }, { "state", "State", false },
        { "sent", "Sent", false },       { "receipted", "Receipted", false },
        { "erased", "Erased", false },   { "why", "Why", false },
        { "entry", "Entry", false },
    };
    struct admin *admin = context;
    struct listing_given_filter filter = { .recipient = NULL };
    struct code recipient;
    if (argument_code(&call->arguments, "to", &recipient))
        filter.recipient = &recipient;
    enum status status = peer_known_filter(admin, call, "to", err);
    if (status == OK)
        status = record_filter(admin, call, &filter.record_id, err);
    if (status == OK)
        status = consent_filter(admin, call, &filter.consent_id, err);
    if (status != OK)
        return status;
    reply_table(call->reply, "given", "Given", columns, sizeof(columns) / sizeof(columns[0]));
    return listing_given(admin->feed, &filter, put_given, call->reply, err);
}

/* -- received ---------------------------------------------------------------------------------- */

static enum status put_received(void *context,
                                const struct listing_received *received,
                                struct error *err)
{
    struct reply_writer *w = context;
    bool text = received->has_text;
    reply_cell(w, "%s", received->publisher.text);
    reply_cell_number(w, received->row.index);
    ops_cell_id(w, &received->row.subject_id);
    reply_cell_number(w, received->row.version);
    reply_cell(w, "%s", text ? received->view.kind : header_kind_word(received->row.kind));
    reply_cell(w, "%s", text ? received->view.title : "-");
    reply_cell(w, "%s", received->state);
    reply_cell(w, "%s", received->why[0] == '\0' ? "-" : received->why);
    reply_cell(w, "%s", received->has_terms ? terms_purpose_name(received->terms.purpose) : "-");
    ops_cell_date(w, received->row.keep_until_ms);
    reply_cell_time(w, received->row.received_ms);
    ops_cell_id(w, &received->row.entry_id);
    return reply_status(w, err);
}

enum status travel_ops_received(void *context, struct control_call *call, struct error *err)
{
    static const struct reply_column columns[] = {
        { "from", "From", false },         { "index", "Place", true },
        { "record", "Record", false },     { "version", "Version", true },
        { "kind", "Kind", false },         { "title", "Title", false },
        { "state", "State", false },       { "why", "Why", false },
        { "purpose", "For", false },       { "keep_until", "Keep until", false },
        { "received", "Received", false }, { "entry", "Entry", false },
    };
    struct admin *admin = context;
    struct listing_received_filter filter = { .active_only = false };
    struct code publisher;
    if (argument_code(&call->arguments, "from", &publisher))
        filter.publisher = &publisher;
    filter.hide_gone = !argument_given(&call->arguments, "all");
    enum status status = peer_known_filter(admin, call, "from", err);
    if (status != OK)
        return status;
    reply_table(call->reply, "received", "Held of others", columns,
                sizeof(columns) / sizeof(columns[0]));
    return listing_received(admin->feed, &filter, put_received, call->reply, err);
}

struct one {
    struct reply_writer *w;
    struct id subject;
    struct code publisher;
    size_t found;   /* things that may be used */
    size_t others;  /* locked, erased, refused */
    char state[64]; /* of the last of these */
    char why[REFUSAL_WHY_MAX + 1];
};

static enum status put_content(struct reply_writer *w,
                               const struct listing_received *received,
                               struct error *err)
{
    if (received->row.kind == KIND_EXCERPT) {
        struct excerpt excerpt;
        excerpt_init(&excerpt);
        enum status status = excerpt_decode(received->view.canonical, &excerpt, err);
        if (status == OK)
            excerpt_ops_put(w, &excerpt);
        excerpt_fini(&excerpt);
        return status;
    }
    struct release release;
    enum status status = release_decode(NULL, received->view.canonical, &release, err);
    if (status != OK)
        return status;
    stats_ops_put(w, &release);
    release_fini(&release);
    return OK;
}

static enum status put_one(void *context,
                           const struct listing_received *received,
                           struct error *err)
{
    struct one *one = context;
    if (received->row.state != HOLDING_ACTIVE || !received->has_text) {
        one->others++;
        (void)snprintf(one->state, sizeof(one->state), "%s", received->state);
        (void)snprintf(one->why, sizeof(one->why), "%s", received->why);
        return OK;
    }
    bool another = one->found > 0 && (!id_equal(&one->subject, &received->row.subject_id) ||
                                      !code_equal(&one->publisher, &received->publisher));
    if (another)
        return error_set(err, ERR_CONFLICT,
                         "more than one thing begins with these digits; next: type more of them");
    if (one->found++ > 0)
        return OK; /* the same, under another consent */
    one->subject = received->row.subject_id;
    one->publisher = received->publisher;
    reply_fields(one->w, "received", "Received");
    reply_field(one->w, "from", "From", "%s", received->publisher.text);
    ops_field_id(one->w, "id", "Id", &received->row.subject_id);
    reply_number(one->w, "version", "Version", received->row.version);
    ops_field_id(one->w, "entry", "Entry", &received->row.entry_id);
    ops_field_time(one->w, "time", "Received", received->row.received_ms);
    if (received->row.kind == KIND_RELEASE)
        reply_field(one->w, "source", "Source", "%s", received->view.source);
    enum status status = put_content(one->w, received, err);
    struct buf terms = BUF_INIT;
    if (status == OK && received->has_terms) {
        status = terms_render(&received->terms, &terms, err);
        if (status == OK)
            reply_text(one->w, "terms", "Held under these terms", buf_span(&terms));
    }
    buf_fini(&terms);
    return status;
}

enum status travel_ops_received_show(void *context, struct control_call *call, struct error *err)
{
    struct admin *admin = context;
    struct one one = { .w = call->reply };
    struct listing_received_filter filter = { .active_only = false };
    struct code publisher;
    if (argument_code(&call->arguments, "from", &publisher))
        filter.publisher = &publisher;
    filter.subject_prefix = argument_text(&call->arguments, "record");
    enum status status = peer_known_filter(admin, call, "from", err);
    if (status == OK)
        status = listing_received(admin->feed, &filter, put_one, &one, err);
    if (status != OK || one.found > 0)
        return status;
    if (one.others > 0)
        return error_set(err, ERR_DENIED, "it is %s and may not be used%s%s", one.state,
                         one.why[0] == '\0' ? "" : ": ", one.why);
    return error_set(err, ERR_NOT_FOUND,
                     "nothing that was received begins with %s; next: comityctl received --all",
                     filter.subject_prefix);
}

/* -- recalls ----------------------------------------------------------------------------------- */

static enum status put_recall(void *context, const struct listing_recall *recall, struct error *err)
{
    struct reply_writer *w = context;
    reply_cell(w, "%s", recall->holder.text);
    ops_cell_id(w, &recall->row.record_id);
    ops_cell_id(w, &recall->row.consent_id);
    reply_cell(w, "%s", recall->state);
    reply_cell_time(w, recall->row.started_ms);
    reply_cell_time(w, recall->row.due_ms);
    reply_cell_time(w, recall->row.closed_ms);
    return reply_status(w, err);
}

enum status travel_ops_recalls(void *context, struct control_call *call, struct error *err)
{
    static const struct reply_column columns[] = {
        { "holder", "Holder", false },    { "record", "Record", false },
        { "consent", "Consent", false },  { "state", "State", false },
        { "started", "Started", false },  { "due", "Due", false },
        { "closed", "Confirmed", false },
    };
    struct admin *admin = context;
    bool all = argument_given(&call->arguments, "all");
    reply_table(call->reply, "recalls", all ? "Recalls" : "Recalls not confirmed yet", columns,
                sizeof(columns) / sizeof(columns[0]));
    return listing_recalls(admin->feed, !all, put_recall, call->reply, err);
}

/* -- evidence ---------------------------------------------------------------------------------- */

struct place {
    int64_t feed_id;
    uint64_t index;
};

static enum status put_candidates(struct admin *admin,
                                  struct reply_writer *w,
                                  const struct finding *found,
                                  size_t count,
                                  struct error *err)
{
    static const struct reply_column columns[] = {
        { "entry", "Entry", false }, { "direction", "Direction", false }, { "peer", "Peer", false },
        { "index", "Place", true },  { "kind", "Kind", false },
    };
    reply_table(w, "candidates", "Entries that begin with it", columns, 5);
    for (size_t i = 0; i < count; i++) {
        struct peer_row peer;
        enum status status = peer_rows_get_id(admin->feed->store, found[i].peer_id, &peer, err);
        if (status != OK)
            return status;
        ops_cell_id(w, &found[i].entry_id);
        reply_cell(w, "%s", found[i].direction == FEED_OUT ? "given to" : "received from");
        reply_cell(w, "%s", peer.code.text);
        reply_cell_number(w, found[i].index);
        reply_cell(w, "%s", header_kind_word(found[i].kind));
    }
    return reply_status(w, err);
}

static enum status place_by_id(struct admin *admin,
                               const struct control_call *call,
                               const char *prefix,
                               struct place *place,
                               struct error *err)
{
    struct finding found[FINDING_MAX];
    size_t count = 0;
    enum status status = finding_entries(admin->feed, prefix, found, &count, err);
    if (status == OK && count == 0) {
        return error_set(err, ERR_NOT_FOUND,
                         "no entry that was given or received begins with %s; next: comityctl "
                         "given, or comityctl received --all, and then its place: --given-to or "
                         "--received-from, with --index",
                         prefix);
    }
    if (status == OK && count > 1)
        status = put_candidates(admin, call->reply, found, count, err);
    if (status == OK && count > 1) {
        return error_set(err, ERR_CONFLICT,
                         "more than one entry begins with %s: %s%zu are shown; next: type more of "
                         "its digits",
                         prefix, count == FINDING_MAX ? "the first " : "", count);
    }
    if (status == OK)
        *place = (struct place){ found[0].feed_id, found[0].index };
    return status;
}

static enum status place_by_index(struct admin *admin,
                                  const struct control_call *call,
                                  struct place *place,
                                  struct error *err)
{
    struct code code;
    bool given = argument_code(&call->arguments, "given-to", &code);
    bool received = argument_given(&call->arguments, "received-from");
    if (given == received || !argument_given(&call->arguments, "index")) {
        return error_set(err, ERR_INVALID,
                         "which entry? next: give ENTRY, or --index with either --given-to or "
                         "--received-from");
    }
    if (received && !argument_code(&call->arguments, "received-from", &code))
        return error_set(err, ERR_INTERNAL, "an argument lost its value");
    struct peer_row peer;
    struct feed_row feed;
    enum status status = peer_known_filter(admin, call, given ? "given-to" : "received-from", err);
    if (status != OK)
        return status;
    status = peer_rows_get(admin->feed->store, &code, &peer, err);
    if (status == OK)
        status = feed_rows_active(admin->feed->store, peer.peer_id, given ? FEED_OUT : FEED_IN,
                                  &feed, err);
    if (status == ERR_NOT_FOUND) {
        return error_set(err, ERR_NOT_FOUND,
                         "there is no feed %s %s yet; next: comityctl peer show %s",
                         given ? "to" : "from", code.text, code.text);
    }
    if (status != OK)
        return status;
    place->feed_id = feed.feed_id;
    place->index = argument_number(&call->arguments, "index", 0);
    if (place->index >= feed.size)
        return error_set(err, ERR_NOT_FOUND, "this feed has %s, from 0",
                         counted(feed.size, "entry").text);
    return OK;
}

enum status travel_ops_evidence(void *context, struct control_call *call, struct error *err)
{
    struct admin *admin = context;
    const char *prefix = argument_text(&call->arguments, "entry");
    struct place place;
    struct buf text = BUF_INIT_SECRET;
    static const char *const other_ways[] = { "index", "given-to", "received-from" };
    for (size_t i = 0; prefix != NULL && i < sizeof(other_ways) / sizeof(other_ways[0]); i++) {
        if (argument_given(&call->arguments, other_ways[i])) {
            return error_set(err, ERR_INVALID,
                             "ENTRY and --%s do not go together; next: give ENTRY "
                             "alone, or --index with either --given-to or --received-from",
                             other_ways[i]);
        }
    }
    enum status status = prefix != NULL ? place_by_id(admin, call, prefix, &place, err)
                                        : place_by_index(admin, call, &place, err);
    if (status == OK)
        status = proving_entry(admin->feed, place.feed_id, place.index,
                               argument_given(&call->arguments, "with-content"), &text, err);
    if (status == OK)
        reply_blob(call->reply, "evidence", "entry.evidence", buf_span(&text));
    buf_fini(&text);
    return status;
}
