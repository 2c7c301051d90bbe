#include "feed/listing.h"

#include "base/counted.h"
#include "base/memory.h"
#include "consent/lifecycle.h"
#include "feed/cards.h"
#include "feed/peering.h"
#include "log/header.h"
#include "store/consent_rows.h"
#include "store/entry_rows.h"
#include "store/journal_rows.h"
#include "store/peer_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PAGE = 32 };

/* -- given ------------------------------------------------------------------------------------- */

static const char *given_state(const struct delivery_row *row, const char *refused_why)
{
    if (row->erased_ms != 0)
        return "erased";
    if (row->withdrawn_ms != 0)
        return "withdrawn";
    if (refused_why[0] != '\0')
        return "refused";
    return row->receipted_ms != 0 ? "receipted" : "sent";
}

static enum status given_title(void *context, const struct records_view *view, struct error *err)
{
    struct listing_given *given = context;
    (void)err;
    memcpy(given->kind, view->kind, sizeof(given->kind));
    memcpy(given->title, view->title, sizeof(given->title));
    return OK;
}

/* The header of an entry, decoded; it borrows from the store until its next call. */
static enum status entry_id_of(struct feed_context *feed,
                               int64_t feed_id,
                               uint64_t index,
                               struct id *ret_id,
                               struct error *err)
{
    struct entry_row row;
    struct entry_header header;
    enum status status = entry_rows_get(feed->store, feed_id, index, &row, err);
    if (status == OK)
        status = header_decode(row.header, &header, err);
    if (status == OK)
        *ret_id = header.entry_id;
    return status;
}

static enum status visit_given(struct feed_context *feed,
                               const struct delivery_row *row,
                               listing_visit_given visit,
                               void *context,
                               struct error *err)
{
    struct listing_given given;
    struct peer_row peer;
    memset(&given, 0, sizeof(given));
    given.row = *row;
    enum status status = peer_rows_get_id(feed->store, row->peer_id, &peer, err);
    if (status == OK)
        status = refusal_rows_get(feed->store, row->feed_id, row->index, given.why, err);
    given.state = given_state(row, given.why);
    if (status == OK) {
        given.recipient = peer.code;
        status = entry_id_of(feed, row->feed_id, row->index, &given.entry_id, err);
    }
    if (status == OK) {
        status = records_show(feed, &row->record_id, row->version, given_title, &given, err);
        if (status == ERR_ERASED || status == ERR_NOT_FOUND) /* lost in a restore */
            status = OK;
    }
    return status == OK ? visit(context, &given, err) : status;
}

enum status listing_given(struct feed_context *feed,
                          const struct listing_given_filter *filter,
                          listing_visit_given visit,
                          void *context,
                          struct error *err)
{
    struct delivery_row rows[PAGE];
    struct delivery_filter wanted = { .record_id = filter->record_id,
                                      .consent_id = filter->consent_id,
                                      .live_only = filter->live_only };
    int64_t after = 0;
    enum status status = OK;
    if (filter->recipient != NULL) {
        struct peer_row peer;
        status = peer_rows_get(feed->store, filter->recipient, &peer, err);
        wanted.peer_id = peer.peer_id;
    }
    for (size_t count = PAGE; status == OK && count == PAGE;) {
        status = delivery_rows_list(feed->store, &wanted, after, rows, PAGE, &count, err);
        for (size_t i = 0; status == OK && i < count; i++) {
            after = rows[i].delivery_id;
            status = visit_given(feed, &rows[i], visit, context, err);
        }
    }
    return status;
}

/* -- recalls ----------------------------------------------------------------------------------- */

static const char *recall_state_name(const struct recall_row *row, bool overdue)
{
    switch (row->state) {
    case RECALL_ERASED:
        return "erased";
    case RECALL_HELD:
        return "held by a court";
    case RECALL_OPEN:
        break;
    }
    if (overdue)
        return "overdue";
    return id_is_none(&row->withdrawn) ? "waiting to be sent" : "open";
}

static enum status visit_recall(struct feed_context *feed,
                                const struct recall_row *row,
                                listing_visit_recall visit,
                                void *context,
                                struct error *err)
{
    struct peer_row peer;
    struct listing_recall recall = { .row = *row };
    enum status status = peer_rows_get_id(feed->store, row->peer_id, &peer, err);
    if (status != OK)
        return status;
    recall.holder = peer.code;
    recall.overdue =
        row->state != RECALL_ERASED && feed->clock->wall_ms(feed->clock) >= row->due_ms;
    recall.state = recall_state_name(row, recall.overdue);
    return visit(context, &recall, err);
}

static enum status each_recall(struct feed_context *feed,
                               bool open_only,
                               int64_t due_ms,
                               listing_visit_recall visit,
                               void *context,
                               struct error *err)
{
    struct recall_row rows[PAGE];
    int64_t after = 0;
    enum status status = OK;
    for (size_t count = PAGE; status == OK && count == PAGE;) {
        status = recall_rows_list(feed->store, open_only, due_ms, after, rows, PAGE, &count, err);
        for (size_t i = 0; status == OK && i < count; i++) {
            after = rows[i].recall_id;
            status = visit_recall(feed, &rows[i], visit, context, err);
        }
    }
    return status;
}

enum status listing_recalls(struct feed_context *feed,
                            bool open_only,
                            listing_visit_recall visit,
                            void *context,
                            struct error *err)
{
    return each_recall(feed, open_only, INT64_MAX, visit, context, err);
}

/* -- inbox ------------------------------------------------------------------------------------- */

struct inbox {
    struct feed_context *feed;
    uint32_t uid;
    listing_visit_task visit;
    void *context;
};

static enum status proposal_task(const struct inbox *inbox,
                                 const struct consent_row *row,
                                 struct error *err)
{
    char text[ID_TEXT_SIZE];
    struct listing_task task = { .what = "approve consent", .since_ms = row->proposed_ms };
    if (row->proposed_by == inbox->uid)
        return OK;
    id_format(&row->consent_id, text);
    (void)snprintf(task.subject, sizeof(task.subject), "%s", text);
    (void)snprintf(task.text, sizeof(task.text),
                   "a consent was proposed and waits for another person");
    (void)snprintf(task.command, sizeof(task.command), "comityctl consent preview %s", text);
    return inbox->visit(inbox->context, &task, err);
}

static enum status proposal_tasks(const struct inbox *inbox, struct error *err)
{
    struct consent_row rows[PAGE];
    struct id after = ID_NONE;
    enum status status = OK;
    for (size_t count = PAGE; status == OK && count == PAGE;) {
        status = consent_rows_list(inbox->feed->store, CONSENT_PROPOSED,
                                   id_is_none(&after) ? NULL : &after, rows, PAGE, &count, err);
        for (size_t i = 0; status == OK && i < count; i++) {
            after = rows[i].consent_id;
            status = proposal_task(inbox, &rows[i], err);
        }
    }
    return status;
}

static enum status peer_task(const struct inbox *inbox,
                             const struct peer_row *peer,
                             struct error *err)
{
    const char *code = peer->code.text;
    struct listing_task task = { .since_ms = peer->added_ms };
    (void)snprintf(task.subject, sizeof(task.subject), "%s", code);
    if (peer->state == PEER_PENDING) {
        task.what = "look at pending peer";
        task.since_ms = peer->contact_ms;
        (void)snprintf(task.text, sizeof(task.text),
                       "a node that calls itself %s tried to connect and was refused", code);
        (void)snprintf(task.command, sizeof(task.command), "comityctl peer add CARD");
    } else if (peer->state == PEER_ADDED && peer->added_by != inbox->uid) {
        task.what = "accept peer";
        (void)snprintf(task.text, sizeof(task.text),
                       "%s was added; another person compares its fingerprint and accepts it",
                       code);
        (void)snprintf(task.command, sizeof(task.command), "comityctl peer show %s", code);
    } else if (peer->state == PEER_ACCEPTED && peer->added_by != inbox->uid) {
        struct buf next = BUF_INIT;
        enum status status =
            peer_rows_get_file(inbox->feed->store, peer->peer_id, PEER_CARD_NEXT, &next, err);
        bool waits = next.size > 0;
        buf_fini(&next);
        if (status != OK || !waits)
            return status;
        task.what = "accept new card";
        (void)snprintf(task.text, sizeof(task.text),
                       "a new card of %s was added; another person compares its fingerprint and "
                       "accepts it",
                       code);
        (void)snprintf(task.command, sizeof(task.command), "comityctl peer accept %s", code);
    } else {
        return OK;
    }
    return inbox->visit(inbox->context, &task, err);
}

/* Keys that were replaced go on signing until every peer has our new card. */
static enum status key_task(const struct inbox *inbox, struct error *err)
{
    struct listing_task task = { .what = "replaced key", .since_ms = 0 };
    size_t count = 0;
    if (inbox->feed->former_log_key == NULL && inbox->feed->former_receipt_key == NULL)
        return OK;
    enum status status = cards_outstanding(inbox->feed, &count, err);
    if (status != OK)
        return status;
    task.since_ms = peering_now_ms(inbox->feed);
    (void)snprintf(task.subject, sizeof(task.subject), "this node");
    if (count == 0) {
        (void)snprintf(task.text, sizeof(task.text),
                       "every peer has the new card: delete the former key (log.old.key, "
                       "receipt.old.key) and reload");
    } else {
        (void)snprintf(task.text, sizeof(task.text),
                       "the new card is not receipted by %s: the former key must stay",
                       counted(count, "peer").text);
    }
    (void)snprintf(task.command, sizeof(task.command), "comityctl peer list");
    return inbox->visit(inbox->context, &task, err);
}

static enum status peer_tasks(const struct inbox *inbox, struct error *err)
{
    enum { PEERS_PAGE = 8 };
    struct peer_row rows[PEERS_PAGE];
    struct code after = { "" };
    enum status status = OK;
    for (size_t count = PEERS_PAGE; status == OK && count == PEERS_PAGE;) {
        status = peer_rows_list(inbox->feed->store, after.text[0] == '\0' ? NULL : &after, rows,
                                PEERS_PAGE, &count, err);
        for (size_t i = 0; status == OK && i < count; i++) {
            after = rows[i].code;
            status = peer_task(inbox, &rows[i], err);
        }
    }
    return status;
}

static enum status recall_task(void *context,
                               const struct listing_recall *recall,
                               struct error *err)
{
    const struct inbox *inbox = context;
    char id[ID_TEXT_SIZE];
    struct listing_task task = { .what = "recall overdue", .since_ms = recall->row.due_ms };
    if (!recall->overdue)
        return OK;
    id_format(&recall->row.record_id, id);
    (void)snprintf(task.subject, sizeof(task.subject), "%s", recall->holder.text);
    (void)snprintf(task.text, sizeof(task.text), "%s has not confirmed the erasure of record %s",
                   recall->holder.text, id);
    (void)snprintf(task.command, sizeof(task.command), "comityctl recalls");
    return inbox->visit(inbox->context, &task, err);
}

static enum status alarm_tasks(const struct inbox *inbox, struct error *err)
{
    struct alarm_row rows[PAGE];
    int64_t after = 0;
    enum status status = OK;
    for (size_t count = PAGE; status == OK && count == PAGE;) {
        status = alarm_rows_list(inbox->feed->store, true, after, rows, PAGE, &count, err);
        for (size_t i = 0; status == OK && i < count; i++) {
            struct listing_task task = { .what = "alarm", .since_ms = rows[i].opened_ms };
            after = rows[i].alarm_id;
            (void)snprintf(task.subject, sizeof(task.subject), "%s",
                           rows[i].peer.text[0] == '\0' ? "this node" : rows[i].peer.text);
            (void)snprintf(task.text, sizeof(task.text), "%s: %s", rows[i].kind, rows[i].text);
            (void)snprintf(task.command, sizeof(task.command),
                           "comityctl alarm close %" PRId64 " --reason WHY", rows[i].alarm_id);
            status = inbox->visit(inbox->context, &task, err);
        }
    }
    return status;
}

enum status listing_inbox(struct feed_context *feed,
                          uint32_t uid,
                          listing_visit_task visit,
                          void *context,
                          struct error *err)
{
    struct inbox inbox = { feed, uid, visit, context };
    int64_t now_ms = feed->clock->wall_ms(feed->clock);
    enum status status = alarm_tasks(&inbox, err);
    if (status == OK)
        status = proposal_tasks(&inbox, err);
    if (status == OK)
        status = peer_tasks(&inbox, err);
    if (status == OK)
        status = each_recall(feed, true, now_ms, recall_task, &inbox, err);
    if (status == OK)
        status = key_task(&inbox, err);
    return status;
}
