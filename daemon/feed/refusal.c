#include "feed/refusal.h"

#include "base/text.h"
#include "store/delivery_rows.h"
#include "store/entry_rows.h"
#include "store/journal_rows.h"
#include "store/pair_rows.h"
#include "store/refusal_rows.h"

#include <string.h>

enum { PAGE = 16 };

enum status refusal_note(
    struct feed_context *feed, int64_t feed_id, uint64_t index, struct span why, struct error *err)
{
    char text[REFUSAL_WHY_MAX + 1];
    text_escape_cut(why, text, sizeof(text));
    return refusal_rows_put(feed->store, feed_id, index, peering_now_ms(feed), text, err);
}

/* Whether the entry of this delivery is the one that is answered. */
static enum status is_answered(struct ingestion *ingestion,
                               const struct delivery_row *row,
                               const struct id *entry_id,
                               bool *ret_answered,
                               struct error *err)
{
    struct entry_row entry;
    struct entry_header header;
    enum status status =
        entry_rows_get(ingestion->feed->store, row->feed_id, row->index, &entry, err);
    if (status == OK)
        status = header_decode(entry.header, &header, err);
    if (status == OK)
        *ret_answered = id_equal(&header.entry_id, entry_id);
    return status;
}

/* The delivery whose entry is answered; answers to other entries, and to nothing, find none.  A
 * record goes to one peer a few times at most: there is no index of entry ids to keep for this. */
static enum status find_delivery(struct ingestion *ingestion,
                                 const struct entry_header *header,
                                 struct delivery_row *ret_row,
                                 bool *ret_found,
                                 struct error *err)
{
    struct delivery_filter filter = { .peer_id = ingestion->peer.peer_id };
    struct delivery_row rows[PAGE];
    int64_t after = 0;
    *ret_found = false;
    if (id_is_none(&header->subject_id))
        return OK;
    enum status status = pair_rows_local(ingestion->feed->store, filter.peer_id, PAIR_SUBJECT,
                                         &header->subject_id, &filter.record_id, err);
    if (status == ERR_NOT_FOUND)
        return OK;
    for (size_t count = PAGE; status == OK && count == PAGE && !*ret_found;) {
        status =
            delivery_rows_list(ingestion->feed->store, &filter, after, rows, PAGE, &count, err);
        for (size_t i = 0; status == OK && i < count && !*ret_found; i++) {
            after = rows[i].delivery_id;
            *ret_row = rows[i];
            status = is_answered(ingestion, &rows[i], &header->in_reply_to, ret_found, err);
        }
    }
    return status;
}

enum status refusal_take(struct ingestion *ingestion,
                         const struct ingestion_entry *entry,
                         struct error *err)
{
    static const char what[] = "did not accept what we sent: ";
    char text[ALARM_TEXT_MAX + 1];
    struct span why = entry->header.inline_body;
    struct delivery_row row = { .feed_id = 0 };
    bool found = false;
    memcpy(text, what, sizeof(what));
    text_escape_cut(why, text + sizeof(what) - 1, sizeof(text) - sizeof(what) + 1);
    enum status status = find_delivery(ingestion, &entry->header, &row, &found, err);
    if (status == OK && found)
        status = refusal_note(ingestion->feed, row.feed_id, row.index, why, err);
    if (status == OK)
        status = peering_alarm(ingestion->feed, &ingestion->peer.code, "refused", text, err);
    return status;
}
