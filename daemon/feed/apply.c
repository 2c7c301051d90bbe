/* What each kind of entry does at the node that receives it. */
#include "feed/ingestion.h"

#include "consent/lifecycle.h"
#include "consent/terms.h"
#include "feed/cards.h"
#include "feed/control_body.h"
#include "feed/ending.h"
#include "feed/finding.h"
#include "feed/refusal.h"
#include "record/record.h"
#include "record/release.h"
#include "store/delivery_rows.h"
#include "store/entry_rows.h"
#include "store/journal_rows.h"
#include "store/outbox_rows.h"
#include "store/pair_rows.h"

#include <stdio.h>
#include <string.h>

/* -- answers ----------------------------------------------------------------------------------- */

static enum status answer(struct ingestion *ingestion,
                          const struct entry_header *to,
                          enum entry_kind kind,
                          const char *text,
                          struct error *err)
{
    int64_t outbox_id = 0;
    struct span body = span_slice(span_text(text), 0, CONTROL_TEXT_MAX);
    struct outbox_row row = { .peer_id = ingestion->peer.peer_id,
                              .priority = OUTBOX_RECALL,
                              .kind = (uint16_t)kind,
                              .in_reply_to = to->entry_id,
                              .consent_id = to->consent_id,
                              .subject_id = to->subject_id,
                              .record_version = to->record_version,
                              .queued_ms = ingestion->now_ms,
                              .body = body };
    return outbox_rows_add(ingestion->feed->store, &row, &outbox_id, err);
}

static enum status refuse(struct ingestion *ingestion,
                          const struct ingestion_entry *entry,
                          const char *why,
                          struct error *err)
{
    return answer(ingestion, &entry->header, KIND_REFUSED, why, err);
}

/* Text of the other side, for an alarm: one line, nothing that moves a cursor. */
static void copy_text(struct span text, char *to, size_t size)
{
    size_t count = text.size < size - 1 ? text.size : size - 1;
    for (size_t i = 0; i < count; i++)
        to[i] = (char)(text.data[i] < 0x20 || text.data[i] == 0x7f ? (uint8_t)' ' : text.data[i]);
    to[count] = '\0';
}

/* -- terms ------------------------------------------------------------------------------------- */

static enum status find_terms(struct ingestion *ingestion,
                              const struct id *consent_id,
                              struct error *err)
{
    if (ingestion->has_terms && id_equal(&ingestion->terms.consent_id, consent_id))
        return OK;
    ingestion->has_terms = false;
    enum status status = terms_rows_get(ingestion->feed->store, ingestion->peer.peer_id, consent_id,
                                        &ingestion->terms, err);
    ingestion->has_terms = status == OK;
    return status;
}

struct move {
    const struct id *to;
    int64_t keep_until_ms;
};

static bool move_to_consent(void *context, struct holding_row *row)
{
    const struct move *move = context;
    row->consent_id = *move->to;
    row->keep_until_ms = move->keep_until_ms;
    /* Under the new terms the clock has not spoken yet. */
    holdings_unlock(row, HOLDING_EXPIRED | HOLDING_KEEP_UNTIL);
    return true;
}

static bool add_suspended(void *context, struct holding_row *row)
{
    (void)context;
    holdings_lock(row, HOLDING_SUSPENDED);
    holdings_unlock(row, HOLDING_EXPIRED);
    return true;
}

static bool drop_suspended(void *context, struct holding_row *row)
{
    (void)context;
    holdings_unlock(row, HOLDING_SUSPENDED | HOLDING_EXPIRED);
    return true;
}

static bool add_uncovered(void *context, struct holding_row *row)
{
    (void)context;
    holdings_lock(row, HOLDING_UNCOVERED);
    return true;
}

static enum status apply_terms(struct ingestion *ingestion,
                               const struct ingestion_entry *entry,
                               struct error *err)
{
    const struct entry_header *header = &entry->header;
    struct error why = ERROR_INIT;
    struct terms terms;
    struct span content;
    enum status status = header_unpad(header->kind, entry->entry->body, &content, &why);
    if (status == OK && (header->body_format != BODY_TERMS || id_is_none(&header->consent_id)))
        status = error_set(&why, ERR_INVALID, "no terms, or no consent id");
    if (status == OK)
        status = terms_decode(content, &terms, &why);
    if (status != OK)
        return status == ERR_MEMORY ? error_set(err, status, "%s", why.text)
                                    : refuse(ingestion, entry, why.text, err);
    struct terms_row row = { .peer_id = ingestion->peer.peer_id,
                             .consent_id = header->consent_id,
                             .state = CONSENT_ACTIVE,
                             .feed_id = ingestion->row.feed_id,
                             .index = entry->index,
                             .valid_from_ms = terms.valid_from_ms,
                             .valid_until_ms = terms.valid_until_ms,
                             .keep_until_ms = terms.keep_until_ms,
                             .erase_days = terms.erase_days,
                             .received_ms = ingestion->now_ms };
    ingestion->has_terms = false;
    if (header->kind == KIND_CONSENT_CHANGED)
        row.supersedes = header->subject_id;
    status = terms_rows_put(ingestion->feed->store, &row, err);
    if (status != OK || header->kind != KIND_CONSENT_CHANGED)
        return status;
    struct terms_row former;
    status = terms_rows_get(ingestion->feed->store, row.peer_id, &row.supersedes, &former, err);
    if (status == ERR_NOT_FOUND)
        return OK;
    if (status != OK)
        return status;
    former.state = CONSENT_SUPERSEDED;
    struct move move = { &row.consent_id, row.keep_until_ms };
    struct holding_filter filter = { .peer_id = row.peer_id, .consent_id = row.supersedes };
    status = terms_rows_put(ingestion->feed->store, &former, err);
    if (status == OK)
        status = holdings_each(ingestion->feed->store, &filter, move_to_consent, &move, err);
    return status;
}

static enum status apply_consent_state(struct ingestion *ingestion,
                                       const struct ingestion_entry *entry,
                                       struct error *err)
{
    const struct entry_header *header = &entry->header;
    enum status status = find_terms(ingestion, &header->consent_id, err);
    if (status == ERR_NOT_FOUND)
        return refuse(ingestion, entry, "no terms of that consent came before", err);
    if (status != OK)
        return status;
    holdings_change change = add_uncovered;
    ingestion->terms.by_clock = false; /* its publisher has spoken; the clock may again, later */
    struct ending ending = { CONSENT_REVOKED, 0 };
    if (header->kind == KIND_CONSENT_SUSPENDED) {
        ingestion->terms.state = CONSENT_SUSPENDED;
        change = add_suspended;
    } else if (header->kind == KIND_CONSENT_RESUMED) {
        ingestion->terms.state = CONSENT_ACTIVE;
        change = drop_suspended;
    } else {
        /* An ending that we cannot read is an ending all the same. */
        if (ending_decode(header->inline_body, &ending, NULL) != OK)
            ending.why = CONSENT_REVOKED;
        ingestion->terms.state = (uint8_t)ending.why;
    }
    struct holding_filter filter = { .peer_id = ingestion->peer.peer_id,
                                     .consent_id = header->consent_id };
    status = terms_rows_put(ingestion->feed->store, &ingestion->terms, err);
    if (status == OK)
        status = holdings_each(ingestion->feed->store, &filter, change, NULL, err);
    return status;
}

/* -- records ----------------------------------------------------------------------------------- */

/* Whether we can use it: under terms that are in force, and well formed.  `why` says why not. */
static enum status check_record(struct ingestion *ingestion,
                                const struct ingestion_entry *entry,
                                struct error *why)
{
    const struct entry_header *header = &entry->header;
    struct span content = SPAN_EMPTY;
    enum record_kind kind = header->kind == KIND_EXCERPT ? RECORD_EXCERPT : RECORD_RELEASE;
    uint8_t format = header->kind == KIND_EXCERPT ? BODY_EXCERPT : BODY_RELEASE;
    enum status status = find_terms(ingestion, &header->consent_id, why);
    if (status == ERR_NOT_FOUND)
        return error_set(why, ERR_DENIED, "no terms of its consent came before");
    bool ended = status == OK && lifecycle_has_ended((enum consent_state)ingestion->terms.state);
    if (ended && !ingestion->terms.by_clock) /* what our clock alone says may be wrong: it locks */
        return error_set(why, ERR_DENIED, "its consent has ended");
    if (status == OK && header->kind == KIND_PART)
        return error_set(why, ERR_UNSUPPORTED, "bodies in parts are not supported");
    if (status == OK && id_is_none(&header->subject_id))
        return error_set(why, ERR_INVALID, "it names no subject");
    if (status != OK || entry->entry->withheld)
        return status;
    if (header->body_format != format)
        return error_set(why, ERR_UNSUPPORTED, "body format %u is not supported for %s",
                         header->body_format, header_kind_name(header->kind));
    status = header_unpad(header->kind, entry->entry->body, &content, why);
    if (status == OK && kind == RECORD_RELEASE && ingestion->codec == NULL)
        status = release_codec_new(&ingestion->codec, why);
    return status == OK ? record_check(ingestion->codec, kind, content, &ingestion->peer.code, why)
                        : status;
}

static bool add_replaced(void *context, struct holding_row *row)
{
    (void)context;
    holdings_lock(row, HOLDING_REPLACED);
    return true;
}

/* A record is replaced as a whole: what is held of it is erased.  Mostly nothing is. */
static enum status replace(struct store *store, const struct holding_row *by, struct error *err)
{
    bool has = false;
    struct holding_filter filter = { .peer_id = by->peer_id, .subject_id = by->subject_id };
    enum status status = holding_rows_has_subject(store, by->peer_id, &by->subject_id, &has, err);
    return status == OK && has ? holdings_each(store, &filter, add_replaced, NULL, err) : status;
}

static enum status apply_record(struct ingestion *ingestion,
                                const struct ingestion_entry *entry,
                                struct error *err)
{
    const struct entry_header *header = &entry->header;
    struct error why = ERROR_INIT;
    struct holding_row row = { .peer_id = ingestion->peer.peer_id,
                               .feed_id = ingestion->row.feed_id,
                               .index = entry->index,
                               .subject_id = header->subject_id,
                               .consent_id = header->consent_id,
                               .entry_id = header->entry_id,
                               .kind = header->kind,
                               .version = header->record_version,
                               .form = header->form,
                               .body_format = header->body_format,
                               .state = HOLDING_ACTIVE,
                               .received_ms = ingestion->now_ms,
                               .keep_until_ms = INT64_MAX };
    enum status status = check_record(ingestion, entry, &why);
    if (status == ERR_MEMORY || status == ERR_IO || status == ERR_CORRUPT)
        return error_set(err, status, "%s", why.text);
    if (ingestion->has_terms && id_equal(&ingestion->terms.consent_id, &header->consent_id))
        row.keep_until_ms = ingestion->terms.keep_until_ms;
    if (status == OK && ingestion->terms.state == CONSENT_SUSPENDED)
        holdings_lock(&row, HOLDING_SUSPENDED);
    if (status == OK && ingestion->terms.by_clock)
        holdings_lock(&row, HOLDING_EXPIRED);
    if (ingestion->row.receipt_size > entry->index) /* lost once: locked until caught up */
        holdings_lock(&row, HOLDING_ROLLED_BACK);
    if (entry->entry->withheld)
        holdings_lock(&row, HOLDING_WITHDRAWN);
    else if (status != OK)
        row.state = HOLDING_REFUSED;
    enum status stored = OK;
    if (status == OK)
        stored = replace(ingestion->feed->store, &row, err);
    if (stored == OK)
        stored = holding_rows_add(ingestion->feed->store, &row, err);
    if (stored == OK && row.state == HOLDING_REFUSED)
        stored = refuse(ingestion, entry, why.text, err);
    if (stored == OK && row.state == HOLDING_REFUSED)
        stored = refusal_note(ingestion->feed, row.feed_id, row.index, span_text(why.text), err);
    return stored;
}

/* -- withdrawals ------------------------------------------------------------------------------- */

struct withdrawal {
    const struct entry_header *header;
    size_t found;
};

static bool withdraw(void *context, struct holding_row *row)
{
    struct withdrawal *withdrawal = context;
    uint32_t version = withdrawal->header->record_version;
    /* What is being erased already goes on, and the newest withdrawal has its answer. */
    bool is_going = (row->reasons & HOLDING_WITHDRAWN) != 0 && !id_is_none(&row->withdrawn_entry);
    if (version != 0 && version != row->version && !is_going)
        return false;
    holdings_lock(row, HOLDING_WITHDRAWN);
    row->withdrawn_entry = withdrawal->header->entry_id;
    withdrawal->found++;
    return true;
}

/* Locked at once; erased outside this transaction (recall.c).  Where nothing is held any more, the
 * answer is due at once. */
static enum status apply_withdrawn(struct ingestion *ingestion,
                                   const struct ingestion_entry *entry,
                                   struct error *err)
{
    struct withdrawal withdrawal = { &entry->header, 0 };
    struct holding_filter filter = { .peer_id = ingestion->peer.peer_id,
                                     .subject_id = entry->header.subject_id };
    if (id_is_none(&filter.subject_id))
        return refuse(ingestion, entry, "it names no subject", err);
    enum status status = holdings_each(ingestion->feed->store, &filter, withdraw, &withdrawal, err);
    if (status == OK && withdrawal.found == 0)
        status = answer(ingestion, &entry->header, KIND_ERASED, "", err);
    return status;
}

/* -- answers to our own feed ------------------------------------------------------------------- */

static enum status stands_in_active(struct ingestion *ingestion,
                                    const struct id *entry_id,
                                    bool *ret_stands,
                                    struct error *err)
{
    struct feed_context *feed = ingestion->feed;
    struct feed_row active;
    struct finding found[FINDING_MAX];
    size_t count = 0;
    char hex[ID_TEXT_SIZE];
    id_format(entry_id, hex);
    enum status status =
        feed_rows_active(feed->store, ingestion->peer.peer_id, FEED_OUT, &active, err);
    if (status == OK)
        status = finding_entries(feed, hex, found, &count, err);
    *ret_stands = false;
    for (size_t i = 0; status == OK && i < count; i++)
        *ret_stands = *ret_stands || found[i].feed_id == active.feed_id;
    return status;
}

/* The answer to a withdrawal that this node made after the backup from which it was restored, and
 * knows no more.  A holder has one copy of a record, and that is gone: so is what an earlier
 * withdrawal, of a former epoch, asked for.  Its own answer may never come: one answers for all
 * that came while the holder was erasing. */
static enum status find_earlier_recall(struct ingestion *ingestion,
                                       const struct entry_header *answer,
                                       struct recall_row *ret_recall,
                                       struct error *err)
{
    struct store *store = ingestion->feed->store;
    int64_t peer_id = ingestion->peer.peer_id;
    struct id record_id;
    bool stands = false;
    enum status status =
        pair_rows_local(store, peer_id, PAIR_SUBJECT, &answer->subject_id, &record_id, err);
    if (status == OK)
        status = recall_rows_open(store, peer_id, &record_id, ret_recall, err);
    if (status != OK)
        return status;
    if (id_is_none(&ret_recall->withdrawn) ||
        id_compare(&answer->in_reply_to, &ret_recall->withdrawn) <= 0)
        return ERR_NOT_FOUND;
    status = stands_in_active(ingestion, &ret_recall->withdrawn, &stands, err);
    return status == OK && stands ? ERR_NOT_FOUND : status;
}

static enum status close_recall(struct ingestion *ingestion,
                                const struct ingestion_entry *entry,
                                struct error *err)
{
    struct store *store = ingestion->feed->store;
    struct recall_row recall;
    enum status status = recall_rows_by_withdrawn(store, &entry->header.in_reply_to, &recall, err);
    if (status == ERR_NOT_FOUND && entry->header.kind == KIND_ERASED)
        status = find_earlier_recall(ingestion, &entry->header, &recall, err);
    bool theirs = status == OK && recall.peer_id == ingestion->peer.peer_id;
    if (status == ERR_NOT_FOUND || (status == OK && !theirs))
        return OK; /* an answer to nothing changes nothing */
    if (status != OK)
        return status;
    if (entry->header.kind == KIND_HELD) {
        char text[ALARM_TEXT_MAX + 1] = "erasing is forbidden there: ";
        size_t used = strlen(text);
        copy_text(entry->header.inline_body, text + used, sizeof(text) - used);
        recall.state = RECALL_HELD;
        status = recall_rows_update(store, &recall, err);
        if (status == OK)
            status = peering_alarm(ingestion->feed, &ingestion->peer.code, "held", text, err);
        return status;
    }
    recall.state = RECALL_ERASED;
    recall.closed_ms = ingestion->now_ms;
    recall.closed_feed_id = ingestion->row.feed_id;
    recall.closed_index = entry->index;
    status = recall_rows_update(store, &recall, err);
    if (status == OK)
        status = delivery_rows_mark_erased(store, recall.peer_id, &recall.record_id,
                                           ingestion->now_ms, err);
    return status;
}

/* -- all --------------------------------------------------------------------------------------- */

/* A new card of the publisher's.  While catching up, one that is older than what we know is passed
 * over; otherwise what may not replace the card is answered, and somebody has to look. */
static enum status apply_card(struct ingestion *ingestion,
                              const struct ingestion_entry *entry,
                              struct error *err)
{
    struct error why = ERROR_INIT;
    struct span text = SPAN_EMPTY;
    char alarm[ALARM_TEXT_MAX + 1];
    if (entry->header.has_inline || entry->header.body_format != BODY_CARD)
        return refuse(ingestion, entry, "a card must be in a sealed body, in the format of cards",
                      err);
    enum status status = header_unpad(entry->header.kind, entry->entry->body, &text, &why);
    if (status == OK)
        status = cards_replace(ingestion->feed, &ingestion->peer, text, &why);
    if (status == OK)
        return OK;
    if (status == ERR_MEMORY || status == ERR_IO || status == ERR_CORRUPT)
        return error_set(err, status, "%s", why.text);
    if (entry->index < ingestion->row.receipt_size)
        return OK;
    (void)snprintf(alarm, sizeof(alarm), "sent a card that was refused: ");
    size_t used = strlen(alarm);
    copy_text(span_text(why.text), alarm + used, sizeof(alarm) - used);
    status = refuse(ingestion, entry, why.text, err);
    if (status == OK)
        status = peering_alarm(ingestion->feed, &ingestion->peer.code, "card", alarm, err);
    return status;
}

static enum status apply_other(struct ingestion *ingestion,
                               const struct ingestion_entry *entry,
                               struct error *err)
{
    if (!entry->header.critical)
        return OK; /* stored; a later version understands it */
    return refuse(ingestion, entry, "a kind of entry that this version does not know", err);
}

enum status apply_entry(struct ingestion *ingestion,
                        const struct ingestion_entry *entry,
                        struct error *err)
{
    switch (entry->header.kind) {
    case KIND_CONSENT_GIVEN:
    case KIND_CONSENT_CHANGED:
        if (entry->header.has_inline)
            return refuse(ingestion, entry, "terms must be in a sealed body", err);
        return apply_terms(ingestion, entry, err);
    case KIND_CONSENT_SUSPENDED:
    case KIND_CONSENT_RESUMED:
    case KIND_CONSENT_ENDED:
        return apply_consent_state(ingestion, entry, err);
    case KIND_EXCERPT:
    case KIND_RELEASE:
    case KIND_PART:
        if (entry->header.has_inline)
            return refuse(ingestion, entry, "a record must be in a sealed body", err);
        return apply_record(ingestion, entry, err);
    case KIND_WITHDRAWN:
        return apply_withdrawn(ingestion, entry, err);
    case KIND_ERASED:
    case KIND_HELD:
        return close_recall(ingestion, entry, err);
    case KIND_REFUSED:
        return refusal_take(ingestion, entry, err);
    case KIND_CARD:
        return apply_card(ingestion, entry, err);
    case KIND_RESTORED:
        if (entry->index == 0)
            return OK; /* judged when the epoch was opened */
        return refuse(ingestion, entry, "RESTORED belongs at the start of an epoch", err);
    default: /* numbers that this version does not know, and kinds that it only keeps */
        return apply_other(ingestion, entry, err);
    }
}
