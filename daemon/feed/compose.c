#include "feed/compose.h"

#include "store/pair_rows.h"
#include "store/record_rows.h"

#include <string.h>

bool compose_is_inline(uint16_t kind)
{
    return kind == KIND_CONSENT_SUSPENDED || kind == KIND_CONSENT_RESUMED ||
           kind == KIND_CONSENT_ENDED || kind == KIND_WITHDRAWN || kind == KIND_ERASED ||
           kind == KIND_HELD || kind == KIND_REFUSED || kind == KIND_RESTORED;
}

bool compose_is_record(uint16_t kind)
{
    return kind == KIND_EXCERPT || kind == KIND_RELEASE || kind == KIND_PART;
}

bool compose_is_reply(uint16_t kind)
{
    return kind == KIND_ERASED || kind == KIND_HELD || kind == KIND_REFUSED;
}

static bool is_critical(uint16_t kind)
{
    return compose_is_record(kind) || kind == KIND_WITHDRAWN || kind == KIND_RESTORED ||
           (kind >= KIND_CONSENT_GIVEN && kind <= KIND_CONSENT_ENDED);
}

static uint8_t format_of(uint16_t kind)
{
    if (kind == KIND_EXCERPT)
        return BODY_EXCERPT;
    if (kind == KIND_RELEASE)
        return BODY_RELEASE;
    if (kind == KIND_CONSENT_GIVEN || kind == KIND_CONSENT_CHANGED)
        return BODY_TERMS;
    if (kind == KIND_CARD)
        return BODY_CARD;
    return BODY_NONE;
}

void composer_init(struct composer *composer, struct feed_context *feed, struct peer_row *peer)
{
    *composer = (struct composer){ .feed = feed, .peer = peer };
    composer->body.secret = true;
    composer->plain.secret = true;
    composer->now_ms = feed->clock->wall_ms(feed->clock);
    cover_init(&composer->cover, feed, peer);
}

void composer_fini(struct composer *composer)
{
    buf_fini(&composer->header_bytes);
    buf_fini(&composer->body);
    buf_fini(&composer->plain);
}

struct span compose_salt(const struct composer *composer)
{
    return composer->append.salt;
}

struct span compose_body(const struct composer *composer)
{
    return composer->append.salt.size == 0 ? SPAN_EMPTY : buf_span(&composer->body);
}

/* -- ids --------------------------------------------------------------------------------------- */

static enum status pair_of(struct composer *composer,
                           enum pair_kind kind,
                           const struct id *local,
                           struct id *ret_pair,
                           struct error *err)
{
    if (id_is_none(local)) {
        *ret_pair = ID_NONE;
        return OK;
    }
    if (kind == PAIR_CONSENT && id_equal(local, &composer->local_consent)) {
        *ret_pair = composer->pair_consent;
        return OK;
    }
    enum status status =
        pair_rows_take(composer->feed->store, composer->peer->peer_id, kind, local, ret_pair, err);
    if (status == OK && kind == PAIR_CONSENT) {
        composer->local_consent = *local;
        composer->pair_consent = *ret_pair;
    }
    return status;
}

static enum status set_ids(struct composer *composer,
                           const struct outbox_row *row,
                           struct error *err)
{
    struct entry_header *header = &composer->header;
    enum status status = id_make(&header->entry_id, composer->now_ms, composer->feed->random, err);
    header->in_reply_to = row->in_reply_to;
    if (status == OK && compose_is_reply(row->kind)) {
        header->consent_id = row->consent_id;
        header->subject_id = row->subject_id;
        return OK;
    }
    /* A changed consent names the one that it supersedes in the place of a subject. */
    enum pair_kind subject_kind = row->kind == KIND_CONSENT_CHANGED ? PAIR_CONSENT : PAIR_SUBJECT;
    if (status == OK)
        status = pair_of(composer, PAIR_CONSENT, &row->consent_id, &header->consent_id, err);
    if (status == OK)
        status = pair_of(composer, subject_kind, &row->subject_id, &header->subject_id, err);
    return status;
}

/* -- bodies ------------------------------------------------------------------------------------ */

static enum compose_outcome outcome_of(const struct policy_decision *decision)
{
    switch (decision->reason) {
    case POLICY_ALLOWED:
        /* Only records as they are leave in this version; terms of another form are refused. */
        return decision->form == TERMS_EXACT ? COMPOSE_READY : COMPOSE_NEVER;
    case POLICY_NOT_YET:
    case POLICY_SUSPENDED:
    case POLICY_RECIPIENT_NOT_ACCEPTED:
    case POLICY_OVER: /* by a clock that may be wrong: what it ends goes out of the queue then */
        return COMPOSE_LATER;
    case POLICY_NO_CONSENT:
    case POLICY_OTHER_VERSION:
    case POLICY_NOT_A_RECIPIENT:
    case POLICY_ENDED:
    case POLICY_NOT_APPROVED:
    case POLICY_OTHER_ANCHOR:
    case POLICY_OTHER_PURPOSE:
    case POLICY_REASON_COUNT:
        return COMPOSE_NEVER;
    }
    return COMPOSE_NEVER;
}

/* Default deny: what cannot be opened, or is too large for one entry, does not leave. */
static enum status read_record(struct composer *composer,
                               const struct outbox_row *row,
                               enum compose_outcome *outcome,
                               struct error *err)
{
    struct policy_record record = { row->subject_id, row->record_version };
    struct policy_decision decision;
    enum status status =
        cover_by(&composer->cover, &row->consent_id, &record, composer->now_ms, &decision, err);
    if (status != OK)
        return status;
    *outcome = outcome_of(&decision);
    if (*outcome != COMPOSE_READY)
        return OK;
    composer->header.form = (uint8_t)decision.form;
    status = record_rows_open(composer->feed->store, &row->subject_id, row->record_version,
                              &composer->plain, err);
    bool gone = status == ERR_ERASED || status == ERR_NOT_FOUND;
    if (gone || (status == OK && composer->plain.size > HEADER_CONTENT_MAX)) {
        *outcome = COMPOSE_NEVER;
        return OK;
    }
    composer->append.version_of = row->subject_id;
    composer->append.version = row->record_version;
    composer->append.group = row->consent_id;
    return status;
}

static enum status seal_body(struct composer *composer,
                             struct span origin,
                             uint16_t kind,
                             struct error *err)
{
    struct entry_header *header = &composer->header;
    struct random_source *random = composer->feed->random;
    enum status status = header_pad(kind, buf_span(&composer->plain), &composer->body, err);
    if (status == OK)
        status = random->fill(random, composer->salt, SALT_SIZE, err);
    if (status == OK)
        status = header_commit(origin, &header->entry_id, SPAN_ARRAY(composer->salt),
                               buf_span(&composer->body), &header->commitment, err);
    header->body_size = (uint32_t)composer->body.size;
    composer->append.salt = SPAN_ARRAY(composer->salt);
    if (id_is_none(&composer->append.version_of)) /* otherwise it is stored once, as the record */
        composer->append.body = buf_span(&composer->body);
    return status;
}

static enum status make_body(struct composer *composer,
                             struct span origin,
                             const struct outbox_row *row,
                             enum compose_outcome *outcome,
                             struct error *err)
{
    enum status status = OK;
    composer->header.has_inline = compose_is_inline(row->kind);
    if (composer->header.has_inline) {
        composer->header.inline_body = row->body;
        return OK;
    }
    if (compose_is_record(row->kind))
        status = read_record(composer, row, outcome, err);
    else
        status = buf_append(&composer->plain, row->body, err);
    if (status == OK && *outcome == COMPOSE_READY)
        status = seal_body(composer, origin, row->kind, err);
    return status;
}

enum status compose(struct composer *composer,
                    struct span origin,
                    const struct outbox_row *row,
                    enum compose_outcome *ret_outcome,
                    struct error *err)
{
    enum compose_outcome outcome = COMPOSE_READY;
    buf_clear(&composer->header_bytes);
    buf_clear(&composer->body);
    buf_clear(&composer->plain);
    composer->append = (struct entry_append){ 0 };
    composer->header = (struct entry_header){ .critical = is_critical(row->kind),
                                              .kind = row->kind,
                                              .time_ms = composer->now_ms,
                                              .record_version = row->record_version,
                                              .form = row->form,
                                              .body_format = format_of(row->kind) };
    enum status status = set_ids(composer, row, err);
    if (status == OK)
        status = make_body(composer, origin, row, &outcome, err);
    if (status == OK && outcome == COMPOSE_READY)
        status = header_encode(&composer->header, &composer->header_bytes, err);
    if (status != OK)
        return status;
    composer->append.header = buf_span(&composer->header_bytes);
    *ret_outcome = outcome;
    return OK;
}

enum status compose_again(struct composer *composer,
                          const struct entry_row *entry,
                          uint16_t kind,
                          struct error *err)
{
    struct buf salt = BUF_INIT_SECRET;
    bool canonical = false;
    buf_clear(&composer->body);
    buf_clear(&composer->plain);
    composer->append = (struct entry_append){ 0 };
    enum status status =
        entry_rows_open(composer->feed->store, entry, &salt, &composer->plain, &canonical, err);
    if (status == OK && canonical)
        status = header_pad(kind, buf_span(&composer->plain), &composer->body, err);
    else if (status == OK)
        status = buf_append(&composer->body, buf_span(&composer->plain), err);
    if (status == OK && salt.size == SALT_SIZE) {
        memcpy(composer->salt, salt.data, SALT_SIZE);
        composer->append.salt = SPAN_ARRAY(composer->salt);
    }
    buf_fini(&salt);
    return status;
}

enum status compose_may_stay(struct composer *composer,
                             const struct id *consent_id,
                             const struct id *record_id,
                             uint32_t version,
                             enum compose_outcome *ret_outcome,
                             struct error *err)
{
    struct policy_record record = { *record_id, version };
    struct policy_decision own;
    struct policy_decision any = { .reason = POLICY_NO_CONSENT };
    enum status status =
        cover_by(&composer->cover, consent_id, &record, composer->now_ms, &own, err);
    if (status == OK && own.reason != POLICY_ALLOWED)
        status = cover_by_any(&composer->cover, consent_id, &record, composer->now_ms, &any, err);
    if (status != OK)
        return status;
    bool may = own.reason == POLICY_ALLOWED || any.reason == POLICY_ALLOWED;
    *ret_outcome = may ? COMPOSE_READY : outcome_of(&own);
    return OK;
}
