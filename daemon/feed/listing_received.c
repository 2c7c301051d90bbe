/* What we hold of others, read by unsealing; nothing locked or erased is opened. */
#include "base/memory.h"
#include "feed/listing.h"
#include "log/header.h"
#include "store/entry_rows.h"
#include "store/feed_rows.h"
#include "store/peer_rows.h"

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
    char subject[ID_TEXT_SIZE];
    if (filter->kind != 0 && record_kind_of(row->kind) != filter->kind)
        return false;
    if (filter->subject_prefix == NULL)
        return true;
    id_format(&row->subject_id, subject);
    return strncmp(subject, filter->subject_prefix, strlen(filter->subject_prefix)) == 0;
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

enum status listing_received(struct feed_context *feed,
                             const struct listing_received_filter *filter,
                             listing_visit_received visit,
                             void *context,
                             struct error *err)
{
    struct holding_row rows[PAGE];
    struct holding_filter wanted = { .state = filter->active_only ? HOLDING_ACTIVE : 0 };
    struct holding_place place = { 0, 0 };
    enum status status = OK;
    if (filter->publisher != NULL) {
        struct peer_row peer;
        status = peer_rows_get(feed->store, filter->publisher, &peer, err);
        wanted.peer_id = peer.peer_id;
    }
    for (size_t count = PAGE; status == OK && count == PAGE;) {
        status = holding_rows_list(feed->store, &wanted, &place, rows, PAGE, &count, err);
        for (size_t i = 0; status == OK && i < count; i++) {
            if (is_wanted(filter, &rows[i]))
                status = visit_received(feed, &rows[i], visit, context, err);
        }
    }
    return status;
}
