/* What we hold of others, read by unsealing; nothing locked or erased is opened. */
#include "base/memory.h"
#include "feed/listing.h"
#include "log/header.h"
#include "store/entry_rows.h"
#include "store/feed_rows.h"
#include "store/peer_rows.h"
#include "store/prefix.h"

#include <stdio.h>
#include <string.h>

enum { PAGE = 16 };

static const char *holding_state_name(enum holding_state state)
{
    switch (state) {
    case HOLDING_ACTIVE:
        return "held";
    case HOLDING_LOCKED:
        return "locked";
    case HOLDING_ERASED:
        return "erased";
    case HOLDING_REFUSED:
        return "refused";
    }
    return "unknown";
}

static void say_why(uint32_t reasons, char *text, size_t size)
{
    static const struct {
        enum holding_reason reason;
        const char *says;
    } words[] = {
        { HOLDING_WITHDRAWN, "withdrawn by its publisher" },
        { HOLDING_SUSPENDED, "the consent is suspended" },
        { HOLDING_EXPIRED, "the consent has expired" },
        { HOLDING_KEEP_UNTIL, "it may not be kept longer" },
        { HOLDING_ROLLED_BACK, "this node was restored and catches up" },
        { HOLDING_UNCOVERED, "no consent in force covers it" },
        { HOLDING_REPLACED, "a later version came" },
    };
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if ((reasons & (uint32_t)words[i].reason) == 0)
            continue;
        int added = snprintf(text + used, size - used, "%s%s", used > 0 ? "; " : "", words[i].says);
        if (added < 0 || (size_t)added >= size - used)
            return;
        used += (size_t)added;
    }
}

/* Salt and content of one stored entry; the content borrows from *body. */
static enum status open_entry(struct feed_context *feed,
                              int64_t feed_id,
                              uint64_t index,
                              struct buf *body,
                              struct span *ret_content,
                              struct error *err)
{
    struct buf salt = BUF_INIT_SECRET;
    struct entry_row row;
    struct entry_header header;
    bool canonical = false;
    enum status status = entry_rows_get(feed->store, feed_id, index, &row, err);
    if (status == OK)
        status = header_decode(row.header, &header, err);
    uint16_t kind = status == OK ? header.kind : 0;
    if (status == OK)
        status = entry_rows_open(feed->store, &row, &salt, body, &canonical, err);
    buf_fini(&salt);
    if (status != OK)
        return status;
    if (canonical) {
        *ret_content = buf_span(body);
        return OK;
    }
    return header_unpad(kind, buf_span(body), ret_content, err);
}

static enum status read_terms(struct feed_context *feed,
                              struct listing_received *received,
                              struct error *err)
{
    struct buf body = BUF_INIT_SECRET;
    struct span content = SPAN_EMPTY;
    struct terms_row row;
    enum status status =
        terms_rows_get(feed->store, received->row.peer_id, &received->row.consent_id, &row, err);
    if (status == OK)
        status = open_entry(feed, row.feed_id, row.index, &body, &content, err);
    if (status == OK && terms_decode(content, &received->terms, NULL) == OK)
        received->has_terms = true;
    buf_fini(&body);
    return status == ERR_NOT_FOUND || status == ERR_ERASED ? OK : status;
}

static int record_kind_of(uint16_t kind)
{
    return kind == KIND_EXCERPT   ? (int)RECORD_EXCERPT
           : kind == KIND_RELEASE ? (int)RECORD_RELEASE
                                  : 0;
}

/* Fills in the text and visits while it is open. */
static enum status visit_open(struct feed_context *feed,
                              struct listing_received *received,
                              listing_visit_received visit,
                              void *context,
                              struct error *err)
{
    struct buf body = BUF_INIT_SECRET;
    struct span content = SPAN_EMPTY;
    enum status status = OK;
    if (received->row.state == HOLDING_ACTIVE) {
        status = open_entry(feed, received->row.feed_id, received->row.index, &body, &content, err);
        if (status == OK)
            status =
                records_describe(record_kind_of(received->row.kind), content, &received->view, err);
        received->has_text = status == OK;
    }
    if (status == OK || status == ERR_ERASED)
        status = visit(context, received, err);
    mem_wipe(&received->view, sizeof(received->view));
    buf_fini(&body);
    return status;
}

static bool is_wanted(const struct listing_received_filter *filter, const struct holding_row *row)
{
    if (filter->kind != 0 && record_kind_of(row->kind) != filter->kind)
        return false;
    if (filter->active_only)
        return row->state == HOLDING_ACTIVE;
    return !filter->hide_gone || (row->state != HOLDING_ERASED && row->state != HOLDING_REFUSED);
}

static enum status visit_received(struct feed_context *feed,
                                  const struct holding_row *row,
                                  listing_visit_received visit,
                                  void *context,
                                  struct error *err)
{
    struct listing_received received;
    struct peer_row peer;
    memset(&received, 0, sizeof(received));
    received.row = *row;
    received.state = holding_state_name(row->state);
    if (row->state == HOLDING_LOCKED)
        say_why(row->reasons, received.why, sizeof(received.why));
    enum status status = peer_rows_get_id(feed->store, row->peer_id, &peer, err);
    if (status == OK && row->state == HOLDING_REFUSED)
        status = refusal_rows_get(feed->store, row->feed_id, row->index, received.why, err);
    if (status == OK) {
        received.publisher = peer.code;
        status = read_terms(feed, &received, err);
    }
    return status == OK ? visit_open(feed, &received, visit, context, err) : status;
}

struct receiving {
    struct feed_context *feed;
    const struct listing_received_filter *filter;
    listing_visit_received visit;
    void *context;
};

static enum status visit_rows(const struct receiving *it,
                              const struct holding_row *rows,
                              size_t count,
                              struct error *err)
{
    enum status status = OK;
    for (size_t i = 0; status == OK && i < count; i++) {
        if (is_wanted(it->filter, &rows[i]))
            status = visit_received(it->feed, &rows[i], it->visit, it->context, err);
    }
    return status;
}

/* Of one publisher, by its index of subjects. */
static enum status visit_prefix(const struct receiving *it, int64_t peer_id, struct error *err)
{
    struct holding_row rows[PAGE];
    struct holding_range range = { .peer_id = peer_id };
    enum status status = prefix_range(it->filter->subject_prefix, &range.first, &range.last, err);
    for (size_t count = PAGE; status == OK && count == PAGE;) {
        status = holding_rows_range(it->feed->store, &range, rows, PAGE, &count, err);
        if (status == OK)
            status = visit_rows(it, rows, count, err);
    }
    return status;
}

static enum status visit_prefix_of_all(const struct receiving *it, struct error *err)
{
    enum { PEERS_PAGE = 8 };
    struct peer_row rows[PEERS_PAGE];
    struct code after = { "" };
    enum status status = OK;
    for (size_t count = PEERS_PAGE; status == OK && count == PEERS_PAGE;) {
        status = peer_rows_list(it->feed->store, after.text[0] == '\0' ? NULL : &after, rows,
                                PEERS_PAGE, &count, err);
        for (size_t i = 0; status == OK && i < count; i++) {
            after = rows[i].code;
            status = visit_prefix(it, rows[i].peer_id, err);
        }
    }
    return status;
}

static enum status visit_all(const struct receiving *it, int64_t peer_id, struct error *err)
{
    struct holding_row rows[PAGE];
    struct holding_filter wanted = { .peer_id = peer_id,
                                     .state = it->filter->active_only ? HOLDING_ACTIVE : 0 };
    struct holding_place place = { 0, 0 };
    enum status status = OK;
    for (size_t count = PAGE; status == OK && count == PAGE;) {
        status = holding_rows_list(it->feed->store, &wanted, &place, rows, PAGE, &count, err);
        if (status == OK)
            status = visit_rows(it, rows, count, err);
    }
    return status;
}

enum status listing_received(struct feed_context *feed,
                             const struct listing_received_filter *filter,
                             listing_visit_received visit,
                             void *context,
                             struct error *err)
{
    const struct receiving it = { feed, filter, visit, context };
    struct peer_row peer = { .peer_id = 0 };
    enum status status = OK;
    if (filter->publisher != NULL)
        status = peer_rows_get(feed->store, filter->publisher, &peer, err);
    if (status != OK)
        return status;
    if (filter->subject_prefix == NULL)
        return visit_all(&it, peer.peer_id, err);
    return filter->publisher == NULL ? visit_prefix_of_all(&it, err)
                                     : visit_prefix(&it, peer.peer_id, err);
}
