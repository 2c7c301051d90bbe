#include "feed/cover.h"

#include <string.h>

void cover_init(struct cover *cover, struct feed_context *feed, const struct peer_row *peer)
{
    memset(cover, 0, sizeof(*cover));
    cover->feed = feed;
    cover->recipient.code = peer->code;
    cover->recipient.anchor = peer->anchor_digest;
    cover->recipient.accepted = peer->state == PEER_ACCEPTED && !peer->held;
}

static enum status read_terms(struct cover *cover, const struct id *consent_id, struct error *err)
{
    struct buf bytes = BUF_INIT;
    enum status status = consent_rows_terms(cover->feed->store, consent_id, &bytes, err);
    if (status == OK && terms_decode(buf_span(&bytes), &cover->terms, err) != OK)
        status = error_set(err, ERR_CORRUPT, "the stored terms of a consent are damaged");
    buf_fini(&bytes);
    return status;
}

static enum status read_party(struct cover *cover, const struct id *consent_id, struct error *err)
{
    struct consent_recipient_row rows[CONSENT_RECIPIENTS_MAX];
    size_t count = 0;
    enum status status = consent_rows_recipients(cover->feed->store, consent_id, rows,
                                                 CONSENT_RECIPIENTS_MAX, &count, err);
    cover->has_party = false;
    for (size_t i = 0; status == OK && i < count; i++) {
        if (!code_equal(&rows[i].code, &cover->recipient.code))
            continue;
        cover->party = (struct policy_party){ rows[i].code, rows[i].anchor };
        cover->has_party = true;
    }
    return status;
}

/* ERR_NOT_FOUND: there is no such consent. */
static enum status read_consent(struct cover *cover, const struct id *consent_id, struct error *err)
{
    if (cover->read && id_equal(&cover->row.consent_id, consent_id))
        return OK;
    cover->read = false;
    enum status status = consent_rows_get(cover->feed->store, consent_id, &cover->row, err);
    if (status == OK)
        status = read_terms(cover, consent_id, err);
    if (status == OK)
        status = read_party(cover, consent_id, err);
    cover->read = status == OK;
    return status;
}

/* The largest id below: lists begin behind an id. */
static struct id before(const struct id *id)
{
    struct id below = *id;
    for (size_t i = ID_SIZE; i-- > 0;) {
        if (below.bytes[i]-- != 0)
            break;
    }
    return below;
}

enum status cover_listed(struct feed_context *feed,
                         const struct id *consent_id,
                         const struct id *record_id,
                         struct consent_record_row *ret_row,
                         bool *ret_listed,
                         struct error *err)
{
    struct consent_record_row row;
    struct id after = before(record_id);
    size_t count = 0;
    enum status status =
        consent_rows_records(feed->store, consent_id, &after, &row, 1, &count, err);
    if (status != OK)
        return status;
    *ret_listed = count == 1 && id_equal(&row.record_id, record_id);
    if (*ret_listed)
        *ret_row = row;
    return OK;
}

/* What is queued under a consent mostly stands in the order of its list: read in pieces, a first
 * one of a single record. */
static enum status find_listed(struct cover *cover,
                               const struct id *consent_id,
                               const struct id *record_id,
                               struct consent_record_row *ret_row,
                               bool *ret_listed,
                               struct error *err)
{
    bool more = id_equal(&cover->list_of, consent_id) && cover->list_next > 0;
    while (more && cover->list_next < cover->list_count) {
        const struct consent_record_row *row = &cover->list[cover->list_next++];
        if (id_equal(&row->record_id, record_id)) {
            *ret_row = *row;
            *ret_listed = true;
            return OK;
        }
    }
    struct id after = before(record_id);
    cover->list_of = ID_NONE;
    enum status status = consent_rows_records(cover->feed->store, consent_id, &after, cover->list,
                                              more ? COVER_LIST_MAX : 1, &cover->list_count, err);
    if (status != OK)
        return status;
    cover->list_of = *consent_id;
    cover->list_next = 1;
    *ret_listed = cover->list_count > 0 && id_equal(&cover->list[0].record_id, record_id);
    if (*ret_listed)
        *ret_row = cover->list[0];
    return OK;
}

enum status cover_by(struct cover *cover,
                     const struct id *consent_id,
                     const struct policy_record *record,
                     int64_t now_ms,
                     struct policy_decision *ret_decision,
                     struct error *err)
{
    const struct policy_recipient *recipient = &cover->recipient;
    struct consent_record_row row;
    bool listed = false;
    enum status status = read_consent(cover, consent_id, err);
    if (status == ERR_NOT_FOUND) {
        *ret_decision = policy_decide(NULL, 0, record, recipient, PURPOSE_NONE, now_ms);
        return OK;
    }
    if (status == OK)
        status = find_listed(cover, consent_id, &record->id, &row, &listed, err);
    if (status != OK)
        return status;
    struct policy_record found = { record->id, listed ? row.version : 0 };
    struct policy_consent consent = {
        .id = *consent_id,
        .state = (enum consent_state)cover->row.state,
        .terms = &cover->terms,
        .records = &found,
        .record_count = listed ? 1 : 0,
        .recipients = &cover->party,
        .recipient_count = cover->has_party ? 1 : 0,
    };
    *ret_decision = policy_decide(&consent, 1, record, recipient, cover->terms.purpose, now_ms);
    return OK;
}

struct search { /* for any consent that covers */
    struct cover *cover;
    const struct id *except;
    const struct policy_record *record;
    int64_t now_ms;
    struct policy_decision best;
    int64_t best_until_ms; /* of the one that allows */
};

/* Of those that allow the one that ends last: what is given under it need not be given again soon,
 * and a holder that is cut off may use it longest.  Then one that is suspended, under which it may
 * stay, locked; then the nearest reason. */
static bool is_better(const struct search *search,
                      const struct policy_decision *one,
                      int64_t until_ms)
{
    enum policy_reason best = search->best.reason;
    if (one->reason == POLICY_ALLOWED)
        return best != POLICY_ALLOWED || until_ms > search->best_until_ms;
    if (best == POLICY_ALLOWED || best == POLICY_SUSPENDED)
        return false;
    return one->reason == POLICY_SUSPENDED || one->reason > best;
}

/* All consents in `state` that list record and recipient. */
static enum status try_state(struct search *search, enum consent_state state, struct error *err)
{
    enum { PAGE = 16 };
    struct id ids[PAGE];
    struct id after = ID_NONE;
    struct cover *cover = search->cover;
    struct policy_decision one;
    for (size_t count = PAGE; count == PAGE;) {
        enum status status =
            consent_rows_covering(cover->feed->store, &search->record->id, &cover->recipient.code,
                                  (uint8_t)state, &after, ids, PAGE, &count, err);
        for (size_t i = 0; status == OK && i < count; i++) {
            after = ids[i];
            if (id_equal(&ids[i], search->except))
                continue;
            status = cover_by(cover, &ids[i], search->record, search->now_ms, &one, err);
            if (status != OK || !is_better(search, &one, cover->terms.valid_until_ms))
                continue;
            search->best = one;
            search->best_until_ms = cover->terms.valid_until_ms;
        }
        if (status != OK)
            return status;
    }
    return OK;
}

enum status cover_by_any(struct cover *cover,
                         const struct id *except,
                         const struct policy_record *record,
                         int64_t now_ms,
                         struct policy_decision *ret_decision,
                         struct error *err)
{
    struct search search = { .cover = cover, .except = except, .record = record, .now_ms = now_ms };
    search.best = policy_decide(NULL, 0, record, &cover->recipient, PURPOSE_NONE, now_ms);
    enum status status = try_state(&search, CONSENT_ACTIVE, err);
    if (status == OK && search.best.reason != POLICY_ALLOWED)
        status = try_state(&search, CONSENT_SUSPENDED, err);
    if (status == OK)
        *ret_decision = search.best;
    return status;
}
