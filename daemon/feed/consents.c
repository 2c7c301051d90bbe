/* Propose, approve, reject: the steps that two people take, and the queue that follows. */
#include "feed/consents.h"

#include "base/memory.h"
#include "base/text.h"
#include "feed/consents_internal.h"
#include "log/header.h"

#include <stdio.h>
#include <string.h>

static_assert((int)TERMS_EXACT == FORM_EXACT && (int)TERMS_SUPPRESSED == FORM_SUPPRESSED &&
                  (int)TERMS_ROUNDED == FORM_ROUNDED &&
                  (int)TERMS_AGGREGATE_ONLY == FORM_AGGREGATE_ONLY,
              "forms in terms and in headers are the same numbers");

enum status consents_check_reason(const char *reason, struct error *err)
{
    size_t size = strnlen(reason, CONSENT_EVENT_TEXT_MAX);
    if (size == 0)
        return error_set(err, ERR_INVALID, "a reason must be given; it stands in the history");
    if (size > CONSENT_EVENT_TEXT_MAX - 40)
        return error_set(err, ERR_LIMIT, "the reason is longer than %d bytes",
                         CONSENT_EVENT_TEXT_MAX - 40);
    return text_check(span_of(reason, size), TEXT_LINE, "the reason", err);
}

enum status consents_step(struct feed_context *feed,
                          uint32_t uid,
                          struct consent_row *row,
                          enum consent_step step,
                          const char *text,
                          struct error *err)
{
    enum consent_state to = CONSENT_DRAFT;
    struct consent_event_row event = { .time_ms = feed->clock->wall_ms(feed->clock),
                                       .uid = uid,
                                       .from_state = row->state };
    enum status status = lifecycle_move((enum consent_state)row->state, step, &to, err);
    if (status != OK)
        return status;
    row->state = (uint8_t)to;
    event.to_state = (uint8_t)to;
    (void)snprintf(event.text, sizeof(event.text), "%s", text);
    status = consent_rows_update(feed->store, row, NULL, err);
    return status == OK ? consent_rows_add_event(feed->store, &row->consent_id, &event, err)
                        : status;
}

/* Only looks whether the step is possible. */
static enum status check_step(const struct consent_row *row,
                              enum consent_step step,
                              struct error *err)
{
    enum consent_state to = CONSENT_DRAFT;
    return lifecycle_move((enum consent_state)row->state, step, &to, err);
}

/* -- what stands against it now ---------------------------------------------------------------- */

struct standing {
    struct feed_context *feed;
    struct buf *lines;
    size_t count;
};

static enum status stand(struct standing *standing, struct error *err, const char *format, ...)
    PRINTF_LIKE(3, 4);
static enum status stand(struct standing *standing, struct error *err, const char *format, ...)
{
    char line[ERROR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    standing->count++;
    if (standing->lines == NULL || standing->count > PREVIEW_CHANGES_SHOWN)
        return OK;
    return buf_printf(standing->lines, err, "%s\n", line);
}

static enum status stand_record(void *context,
                                const struct consent_record_row *row,
                                struct error *err)
{
    struct standing *standing = context;
    char text[ID_TEXT_SIZE];
    struct record_row record;
    enum status status = record_rows_get(standing->feed->store, &row->record_id, &record, err);
    if (status != OK || record.state == RECORD_ROW_CURRENT)
        return status;
    id_format(&row->record_id, text);
    return stand(standing, err, "record %s: has been retired", text);
}

static enum status stand_recipient(struct standing *standing,
                                   const struct consent_recipient_row *row,
                                   struct error *err)
{
    struct peer_row peer;
    enum status status = peer_rows_get(standing->feed->store, &row->code, &peer, err);
    if (status == ERR_NOT_FOUND)
        return stand(standing, err, "recipient %s: is no peer any more", row->code.text);
    if (status != OK)
        return status;
    if (peer.state != PEER_ACCEPTED || peer.held)
        status = stand(standing, err, "recipient %s: is %s, not an accepted peer", row->code.text,
                       peer.held ? "held" : peer_state_name(peer.state));
    if (status == OK && !digest_equal(&peer.anchor_digest, &row->anchor)) {
        status = stand(standing, err,
                       "recipient %s: has another anchor certificate than when it was drafted",
                       row->code.text);
    }
    return status;
}

enum status consents_standing(struct feed_context *feed,
                              const struct id *consent_id,
                              struct buf *append_to,
                              size_t *ret_count,
                              struct error *err)
{
    struct consent_recipient_row rows[CONSENT_RECIPIENTS_MAX];
    struct standing standing = { feed, append_to, 0 };
    size_t count = 0;
    enum status status = consents_each_record(feed, consent_id, stand_record, &standing, err);
    if (status == OK)
        status = consent_rows_recipients(feed->store, consent_id, rows, CONSENT_RECIPIENTS_MAX,
                                         &count, err);
    for (size_t i = 0; status == OK && i < count; i++)
        status = stand_recipient(&standing, &rows[i], err);
    if (status == OK)
        *ret_count = standing.count;
    return status;
}

/* Its end may have passed while it waited. */
static enum status check_in_time(struct feed_context *feed,
                                 const struct consent_row *row,
                                 struct error *err)
{
    if (feed->clock->wall_ms(feed->clock) < row->valid_until_ms)
        return OK;
    return error_set(err, ERR_EXPIRED,
                     "the end of its validity has passed; next: comityctl consent draft");
}

/* -- propose ----------------------------------------------------------------------------------- */

static enum status check_standing(struct feed_context *feed,
                                  const struct id *consent_id,
                                  struct error *err)
{
    struct buf lines = BUF_INIT;
    size_t count = 0;
    enum status status = consents_standing(feed, consent_id, &lines, &count, err);
    if (status == OK && count > 0) {
        const char *end = memchr(lines.data, '\n', lines.size);
        status =
            error_set(err, ERR_CONFLICT, "%.*s%s; next: comityctl consent draft, to begin again",
                      (int)(end - (const char *)lines.data), (const char *)lines.data,
                      count > 1 ? " (and more)" : "");
    }
    buf_fini(&lines);
    return status;
}

enum status consents_propose(struct feed_context *feed,
                             uint32_t uid,
                             const struct id *consent_id,
                             struct digest *ret_digest,
                             struct error *err)
{
    struct consents_preview now;
    enum status status = consents_preview(feed, consent_id, &now, err);
    if (status != OK)
        return status;
    status = check_step(&now.row, STEP_PROPOSE, err);
    if (status == OK)
        status = check_in_time(feed, &now.row, err);
    if (status == OK)
        status = check_standing(feed, consent_id, err);
    if (status == OK) {
        now.row.digest = now.digest;
        now.row.proposed_by = uid;
        now.row.proposed_ms = feed->clock->wall_ms(feed->clock);
        status = consents_step(feed, uid, &now.row, STEP_PROPOSE, "proposed", err);
    }
    if (status == OK)
        status = consent_rows_set_preview(feed->store, consent_id, buf_span(&now.bytes), err);
    if (status == OK)
        *ret_digest = now.digest;
    consents_preview_fini(&now);
    return status;
}

/* -- queue ------------------------------------------------------------------------------------- */

struct queueing {
    struct feed_context *feed;
    struct outbox_row row; /* of the record; filled in for each */
    uint64_t records;
};

static enum status queue_record(void *context,
                                const struct consent_record_row *listed,
                                struct error *err)
{
    struct queueing *queueing = context;
    struct record_row record;
    int64_t outbox_id = 0;
    enum status status = record_rows_get(queueing->feed->store, &listed->record_id, &record, err);
    if (status != OK)
        return status;
    queueing->row.kind = record.kind == RECORD_ROW_EXCERPT ? KIND_EXCERPT : KIND_RELEASE;
    queueing->row.subject_id = listed->record_id;
    queueing->row.record_version = listed->version;
    queueing->row.form = listed->form;
    queueing->records++;
    return outbox_rows_add(queueing->feed->store, &queueing->row, &outbox_id, err);
}

static enum status queue_recipient(struct queueing *queueing,
                                   const struct id *consent_id,
                                   const struct code *code,
                                   struct span terms,
                                   struct error *err)
{
    struct peer_row peer;
    int64_t outbox_id = 0;
    enum status status = peer_rows_get(queueing->feed->store, code, &peer, err);
    if (status != OK)
        return status;
    queueing->row = (struct outbox_row){
        .peer_id = peer.peer_id,
        .priority = OUTBOX_TERMS,
        .kind = KIND_CONSENT_GIVEN,
        .consent_id = *consent_id,
        .queued_ms = queueing->feed->clock->wall_ms(queueing->feed->clock),
        .body = terms,
    };
    status = outbox_rows_add(queueing->feed->store, &queueing->row, &outbox_id, err);
    queueing->row.priority = OUTBOX_RECORD;
    queueing->row.body = SPAN_EMPTY;
    return status == OK
               ? consents_each_record(queueing->feed, consent_id, queue_record, queueing, err)
               : status;
}

enum status consents_queue(struct feed_context *feed,
                           const struct id *consent_id,
                           const struct terms *terms,
                           struct consents_queued *ret_queued,
                           struct error *err)
{
    struct consent_recipient_row rows[CONSENT_RECIPIENTS_MAX];
    struct queueing queueing = { .feed = feed };
    struct buf encoded = BUF_INIT;
    size_t count = 0;
    enum status status = terms_encode(terms, &encoded, err);
    if (status == OK)
        status = consent_rows_recipients(feed->store, consent_id, rows, CONSENT_RECIPIENTS_MAX,
                                         &count, err);
    for (size_t i = 0; status == OK && i < count; i++)
        status = queue_recipient(&queueing, consent_id, &rows[i].code, buf_span(&encoded), err);
    if (status == OK)
        *ret_queued = (struct consents_queued){ queueing.records, count };
    buf_fini(&encoded);
    return status;
}

/* -- approve ----------------------------------------------------------------------------------- */

static enum status check_approver(struct feed_context *feed,
                                  uint32_t uid,
                                  const struct consent_row *row,
                                  struct error *err)
{
    if (!realm_is_training(&feed->realm)) {
        return error_set(err, ERR_UNSUPPORTED,
                         "in the realm %s an approval is the approver's own signature over the "
                         "digest, which this version does not have yet; nothing can be approved "
                         "here; next: use a training realm",
                         feed->realm.text);
    }
    enum status status = check_step(row, STEP_APPROVE, err);
    if (status != OK)
        return status;
    if (uid == row->proposed_by)
        return error_set(err, ERR_DENIED,
                         "who proposed a consent cannot approve it; next: ask another approver");
    return check_in_time(feed, row, err);
}

/* Against the preview that was remembered when it was proposed. */
static enum status list_changes(struct feed_context *feed,
                                const struct consents_preview *now,
                                struct buf *lines,
                                size_t *ret_count,
                                struct error *err)
{
    struct buf former = BUF_INIT_SECRET;
    size_t changed = 0, standing = 0;
    enum status status = consent_rows_get_preview(feed->store, &now->row.consent_id, &former, err);
    if (status == OK)
        status = preview_compare(buf_span(&former), buf_span(&now->bytes), lines, &changed, err);
    if (status == OK)
        status = consents_standing(feed, &now->row.consent_id, lines, &standing, err);
    if (status == OK)
        *ret_count = changed + standing;
    buf_fini(&former);
    return status;
}

static enum status check_unchanged(struct feed_context *feed,
                                   const struct consents_preview *now,
                                   struct buf *append_changes,
                                   struct error *err)
{
    struct buf lines = BUF_INIT;
    size_t count = 0;
    enum status status = list_changes(feed, now, &lines, &count, err);
    bool same = digest_equal(&now->digest, &now->row.digest);
    if (status == OK && !same && count == 0) {
        status = error_set(err, ERR_CORRUPT,
                           "the remembered preview is not the one that was "
                           "proposed; next: comityctl check");
    }
    if (status == OK && count > 0) {
        const char *end = memchr(lines.data, '\n', lines.size);
        int size = end == NULL ? 0 : (int)(end - (const char *)lines.data);
        status = append_changes == NULL ? OK : buf_append(append_changes, buf_span(&lines), err);
        if (status == OK) {
            status = error_set(err, ERR_CONFLICT,
                               "something has changed since it was proposed: %.*s%s; next: "
                               "consent reject, then propose it again",
                               size < 300 ? size : 300, (const char *)lines.data,
                               count > 1 ? " (and more)" : "");
        }
    }
    buf_fini(&lines);
    return status;
}

/* NOLINTNEXTLINE(readability-function-size): who, what, which digest, and two outputs */
enum status consents_approve(struct feed_context *feed,
                             uint32_t uid,
                             const struct id *consent_id,
                             const struct digest *digest,
                             struct consents_queued *ret_queued,
                             struct buf *append_changes,
                             struct error *err)
{
    struct consents_preview now;
    struct consent_row row;
    enum status status = consent_rows_get(feed->store, consent_id, &row, err);
    if (status == OK)
        status = check_approver(feed, uid, &row, err);
    if (status == OK)
        status = consents_preview(feed, consent_id, &now, err);
    if (status != OK)
        return status;
    status = check_unchanged(feed, &now, append_changes, err);
    if (status == OK && !digest_equal(digest, &now.digest)) {
        status =
            error_set(err, ERR_MISMATCH,
                      "the digest is not that of the proposal; next: comityctl consent preview, "
                      "and "
                      "compare what it shows with what you were shown");
    }
    if (status == OK) {
        now.row.approved_by = uid;
        now.row.approved_ms = feed->clock->wall_ms(feed->clock);
        status = consents_step(feed, uid, &now.row, STEP_APPROVE, "approved", err);
    }
    if (status == OK)
        status = consents_queue(feed, consent_id, &now.terms, ret_queued, err);
    consents_preview_fini(&now);
    return status;
}

/* -- reject ------------------------------------------------------------------------------------ */

enum status consents_reject(struct feed_context *feed,
                            uint32_t uid,
                            const struct id *consent_id,
                            const char *reason,
                            struct error *err)
{
    struct consent_row row;
    char text[CONSENT_EVENT_TEXT_MAX + 1];
    enum status status = consents_check_reason(reason, err);
    if (status == OK)
        status = consent_rows_get(feed->store, consent_id, &row, err);
    if (status != OK)
        return status;
    (void)snprintf(text, sizeof(text), "rejected: %s", reason);
    row.digest = (struct digest){ { 0 } };
    status = consents_step(feed, uid, &row, STEP_REJECT, text, err);
    return status == OK ? consent_rows_set_preview(feed->store, consent_id, SPAN_EMPTY, err)
                        : status;
}
