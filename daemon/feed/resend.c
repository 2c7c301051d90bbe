/* Sending again what is numbered already: the policy decides on every body again.
 *
 * Two cases, split at the peer's highest receipt:
 *
 *   below it   the peer held these entries once and lost them.  What it may not have any more goes
 *              with its body withheld: its withdrawal comes further on.
 *   above it   these are in flight: the peer may or may not have seen them.  A body that may not
 *              leave any more is withheld, and then the same batch must reach its withdrawal, so
 *              that nobody commits to content that he never shows.  What is in flight is bounded
 *              (publication.h), so that it fits; large bodies that do not are withdrawn and queued
 *              again, as new entries.
 */
#include "feed/publication.h"

#include "base/memory.h"
#include "feed/doubt.h"
#include "feed/ending.h"
#include "store/delivery_rows.h"

/* -- below the receipt ------------------------------------------------------------------------- */

/* Whether the body of the entry may still leave, or later; *ret_delivery says what it was. */
static enum status may_leave(struct publication *publication,
                             const struct entry_row *entry,
                             struct delivery_row *ret_delivery,
                             enum compose_outcome *ret_outcome,
                             struct error *err)
{
    enum status status = delivery_rows_by_entry(publication->feed->store, entry->feed_id,
                                                entry->index, ret_delivery, err);
    *ret_outcome = COMPOSE_NEVER;
    if (status == ERR_NOT_FOUND)
        return OK;
    if (status != OK || ret_delivery->withdrawn_ms != 0)
        return status;
    return compose_may_stay(&publication->composer, &ret_delivery->consent_id,
                            &ret_delivery->record_id, ret_delivery->version, ret_outcome, err);
}

/* Reads one entry into the batch, if there is room.  Its header is copied first: the row's spans
 * do not survive the next call. */
static enum status add_entry(struct publication *publication,
                             uint64_t index,
                             bool withheld,
                             size_t max_bytes,
                             bool *ret_added,
                             struct error *err)
{
    struct composer *composer = &publication->composer;
    struct entry_row entry;
    struct entry_header header;
    enum status status =
        entry_rows_get(publication->feed->store, publication->row.feed_id, index, &entry, err);
    if (status != OK)
        return status;
    buf_clear(&composer->header_bytes);
    status = buf_append(&composer->header_bytes, entry.header, err);
    if (status == OK)
        status = header_decode(buf_span(&composer->header_bytes), &header, err);
    composer->append = (struct entry_append){ 0 };
    if (status == OK && !withheld && !header.has_inline)
        status = compose_again(composer, &entry, header.kind, err);
    if (status != OK)
        return status;
    struct span salt = compose_salt(composer);
    struct span body = compose_body(composer);
    size_t bytes = composer->header_bytes.size + salt.size + body.size;
    *ret_added = parcel_has_room(&publication->parcel, bytes, max_bytes);
    if (*ret_added)
        status = parcel_add(&publication->parcel, buf_span(&composer->header_bytes), salt, body,
                            withheld, err);
    return status;
}

/* What is known of one entry before it is sent again. */
struct judged {
    struct id subject; /* pair id, of a record or a withdrawal */
    struct delivery_row delivery;
    uint32_t version; /* of a withdrawal: the one that goes, 0 for all */
    uint32_t body_size;
    bool is_record;
    bool is_withdrawal;
    bool withheld;
    bool later; /* withheld for now: its consent stands */
};

static enum status judge(struct publication *publication,
                         uint64_t index,
                         struct judged *ret_judged,
                         struct error *err)
{
    struct entry_row entry;
    struct entry_header header;
    enum status status =
        entry_rows_get(publication->feed->store, publication->row.feed_id, index, &entry, err);
    if (status == OK)
        status = header_decode(entry.header, &header, err);
    if (status != OK)
        return status;
    *ret_judged = (struct judged){ .subject = header.subject_id,
                                   .version = header.record_version,
                                   .body_size = header.body_size,
                                   .is_record = compose_is_record(header.kind),
                                   .is_withdrawal = header.kind == KIND_WITHDRAWN };
    if (!ret_judged->is_record)
        return OK;
    enum compose_outcome outcome = COMPOSE_NEVER;
    status = may_leave(publication, &entry, &ret_judged->delivery, &outcome, err);
    ret_judged->withheld = outcome != COMPOSE_READY;
    ret_judged->later = outcome == COMPOSE_LATER;
    return status;
}

/* -- in flight --------------------------------------------------------------------------------- */

/* Withdraws what one delivery gave, right now and into the log. */
static enum status withdraw(struct publication *publication,
                            const struct delivery_row *delivery,
                            bool for_now,
                            struct error *err)
{
    struct ending ending = { for_now ? CONSENT_ACTIVE : CONSENT_REVOKED, 0 };
    uint8_t body[ENDING_SIZE];
    ending_encode(&ending, body);
    struct outbox_row row = { .peer_id = publication->peer.peer_id,
                              .priority = OUTBOX_RECALL,
                              .kind = KIND_WITHDRAWN,
                              .consent_id = delivery->consent_id,
                              .subject_id = delivery->record_id,
                              .queued_ms = publication->composer.now_ms,
                              .body = SPAN_ARRAY(body) };
    struct publication_order order = { .log_only = true };
    enum compose_outcome outcome;
    enum status status = publication_number_row(publication, &row, &order, &outcome, err);
    if (status == OK)
        status = delivery_rows_withdraw(publication->feed->store, delivery->delivery_id,
                                        publication->composer.now_ms, err);
    return status;
}

enum status resend_queue_again(struct feed_context *feed,
                               const struct delivery_row *delivery,
                               struct error *err)
{
    int64_t outbox_id = 0;
    struct outbox_row row = { .peer_id = delivery->peer_id,
                              .priority = OUTBOX_RECORD,
                              .consent_id = delivery->consent_id,
                              .subject_id = delivery->record_id,
                              .record_version = delivery->version,
                              .form = delivery->form,
                              .queued_ms = peering_now_ms(feed) };
    struct entry_row entry;
    struct entry_header header;
    enum status status =
        entry_rows_get(feed->store, delivery->feed_id, delivery->index, &entry, err);
    if (status == OK)
        status = header_decode(entry.header, &header, err);
    if (status != OK)
        return status;
    row.kind = header.kind;
    return outbox_rows_add(feed->store, &row, &outbox_id, err);
}

/* To a peer on hold no body leaves, while the entries behind it may be recalls.  So what was
 * numbered is withdrawn, and given again when the hold is over. */
static enum status postpone(struct publication *publication,
                            const struct delivery_row *delivery,
                            struct error *err)
{
    enum status status = withdraw(publication, delivery, true, err);
    return status == OK ? resend_queue_again(publication->feed, delivery, err) : status;
}

/* As many as fit from `from` on.  Above the receipt it stops before a body that may not leave. */
static enum status resend_plain(struct publication *publication,
                                uint64_t from,
                                bool below_receipt,
                                struct error *err)
{
    uint64_t end = below_receipt ? publication->row.receipt_size : publication->row.size;
    enum status status = OK;
    bool more = true;
    for (uint64_t index = from; status == OK && more && index < end; index++) {
        struct judged judged;
        more = publication->parcel.count < PUBLICATION_ENTRIES;
        if (!more)
            break;
        status = judge(publication, index, &judged, err);
        if (status != OK || (judged.withheld && !below_receipt))
            break;
        if (judged.later)
            status = postpone(publication, &judged.delivery, err);
        if (status != OK)
            break;
        status = add_entry(publication, index, judged.withheld, PUBLICATION_BYTES, &more, err);
    }
    return status;
}

static bool is_withdrawn_behind(const struct judged *judged, size_t at, size_t count)
{
    for (size_t i = at + 1; i < count; i++) {
        bool goes = judged[i].version == 0 || judged[i].version == judged[at].version;
        if (judged[i].is_withdrawal && goes && id_equal(&judged[i].subject, &judged[at].subject))
            return true;
    }
    return false;
}

static enum status judge_range(struct publication *publication,
                               uint64_t from,
                               uint64_t first,
                               uint64_t end,
                               struct judged *judged,
                               struct error *err)
{
    enum status status = OK;
    for (uint64_t index = first; status == OK && index < end; index++)
        status = judge(publication, index, &judged[index - from], err);
    return status;
}

/* Bodies that are to be sent, headers included. */
static size_t bytes_of(const struct judged *judged, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes +=
            HEADER_FIXED_SIZE + SALT_SIZE + 16 + (judged[i].withheld ? 0 : judged[i].body_size);
    return bytes;
}

/* The withdrawal of another copy of it takes this one along: it is given again as well. */
static enum status go_along(struct publication *publication,
                            const struct delivery_row *delivery,
                            struct error *err)
{
    enum status status = delivery_rows_withdraw(publication->feed->store, delivery->delivery_id,
                                                publication->composer.now_ms, err);
    return status == OK ? resend_queue_again(publication->feed, delivery, err) : status;
}

/* Every body that is withheld gets its withdrawal into the log, unless it is there. */
static enum status complete_withdrawals(struct publication *publication,
                                        const struct judged *judged,
                                        size_t count,
                                        struct error *err)
{
    enum status status = OK;
    for (size_t i = 0; status == OK && i < count; i++) {
        const struct delivery_row *delivery = &judged[i].delivery;
        bool behind = is_withdrawn_behind(judged, i, count);
        if (!judged[i].withheld || delivery->delivery_id == 0 || (behind && !judged[i].later))
            continue;
        if (behind)
            status = go_along(publication, delivery, err);
        else if (judged[i].later)
            status = postpone(publication, delivery, err);
        else
            status = withdraw(publication, delivery, false, err);
    }
    return status;
}

/* What does not fit is postponed, as if its time had not come. */
static void withhold_all(struct judged *judged, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (judged[i].is_record && !judged[i].withheld)
            judged[i].withheld = judged[i].later = true;
    }
}

static enum status send_judged(struct publication *publication,
                               uint64_t from,
                               const struct judged *judged,
                               size_t count,
                               struct error *err)
{
    enum status status = OK;
    bool added = true;
    uint64_t end = publication->leaves.tree.size;
    for (uint64_t index = from; status == OK && added && index < end; index++) {
        size_t at = (size_t)(index - from);
        bool withheld = at < count && judged[at].withheld;
        status = add_entry(publication, index, withheld, BATCH_BYTES_MAX, &added, err);
    }
    if (status == OK && !added)
        status =
            error_set(err, ERR_LIMIT, "what is in flight and its withdrawals do not fit one batch");
    return status;
}

/* Everything from `from` on in one batch, with the withdrawals of what may not leave any more. */
static enum status resend_with_withdrawals(struct publication *publication,
                                           uint64_t from,
                                           struct error *err)
{
    struct publication_order recalls = { .recalls_only = true,
                                         .log_only = true,
                                         .max_count = BATCH_ENTRIES_MAX / 4 };
    size_t expired = 0;
    int64_t next_ms = 0;
    uint64_t former = publication->row.size;
    struct judged *judged = mem_calloc(BATCH_ENTRIES_MAX, sizeof(*judged));
    if (judged == NULL)
        return error_set(err, ERR_MEMORY, "no memory to send again");
    enum status status =
        doubt_expire(publication->feed, PUBLICATION_ENTRIES, &expired, &next_ms, err);
    if (status == OK)
        status = publication_number(publication, &recalls, err);
    uint64_t end = publication->leaves.tree.size;
    if (status == OK && end - from > BATCH_ENTRIES_MAX)
        status = error_set(err, ERR_LIMIT, "%llu entries in flight > %d",
                           (unsigned long long)(end - from), BATCH_ENTRIES_MAX);
    size_t count = (size_t)(end - from);
    if (status == OK)
        status = judge_range(publication, from, from, end, judged, err);
    if (status == OK && bytes_of(judged, count) > BATCH_BYTES_MAX - PUBLICATION_BYTES)
        withhold_all(judged, (size_t)(former - from));
    if (status == OK)
        status = complete_withdrawals(publication, judged, count, err);
    if (status == OK)
        status = send_judged(publication, from, judged, count, err);
    mem_free(judged);
    return status;
}

enum status resend(struct publication *publication, uint64_t from, struct error *err)
{
    bool below_receipt = from < publication->row.receipt_size;
    enum status status = resend_plain(publication, from, below_receipt, err);
    if (status == OK && publication->parcel.count == 0)
        status = resend_with_withdrawals(publication, from, err);
    return status;
}
