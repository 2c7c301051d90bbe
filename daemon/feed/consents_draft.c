/* Making a draft: what is wished, resolved and frozen, or all that is wrong with it at once. */
#include "base/counted.h"
#include "base/memory.h"
#include "feed/consents_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct chosen { /* a record in the version that is frozen */
    struct id id;
    uint32_t version;
};

struct draft {
    struct feed_context *feed;
    const struct consents_request *request;
    struct terms terms;
    struct chosen *chosen; /* owned */
    size_t chosen_count, chosen_capacity;
    struct consent_recipient_row recipients[CONSENT_RECIPIENTS_MAX];
    size_t recipient_count;
    /* problems */
    struct buf *lines; /* may be NULL */
    size_t problem_count;
    enum status problem_status; /* of the first */
    char first[ERROR_TEXT_MAX];
};

/* Notes what the requester did wrong; passes on what we could not do (memory, disk). */
static enum status note(struct draft *draft, enum status status, const struct error *problem)
{
    switch (status) {
    case OK:
        return OK;
    case ERR_MEMORY:
    case ERR_IO:
    case ERR_FULL:
    case ERR_CORRUPT:
    case ERR_INTERNAL:
        return status;
    case ERR_INVALID:
    case ERR_LIMIT:
    case ERR_NOT_FOUND:
    case ERR_EXISTS:
    case ERR_DENIED:
    case ERR_WRONG_STATE:
    case ERR_CONFLICT:
    case ERR_SIGNATURE:
    case ERR_MISMATCH:
    case ERR_BUSY:
    case ERR_UNSUPPORTED:
    case ERR_EXPIRED:
    case ERR_ERASED:
    case STATUS_COUNT:
        break;
    }
    if (draft->problem_count++ == 0) {
        draft->problem_status = status;
        memcpy(draft->first, problem->text, sizeof(draft->first));
    }
    return draft->lines == NULL ? OK : buf_printf(draft->lines, NULL, "%s\n", problem->text);
}

static enum status note_problem(struct draft *draft, enum status kind, const char *format, ...)
    PRINTF_LIKE(3, 4);
static enum status note_problem(struct draft *draft, enum status kind, const char *format, ...)
{
    struct error problem = { kind, "" };
    va_list args;
    va_start(args, format);
    (void)vsnprintf(problem.text, sizeof(problem.text), format, args);
    va_end(args);
    return note(draft, kind, &problem);
}

/* -- terms ------------------------------------------------------------------------------------- */

/* terms_check() lists its problems itself; here they are counted one by one. */
static enum status resolve_terms(struct draft *draft, struct error *err)
{
    struct buf lines = BUF_INIT;
    int64_t now_ms = draft->feed->clock->wall_ms(draft->feed->clock);
    draft->terms = draft->request->terms;
    enum status status = terms_check(&draft->terms, now_ms, &lines, err);
    if (status == OK)
        terms_settle(&draft->terms);
    enum status kind = status == ERR_MEMORY ? ERR_INVALID : status;
    enum status result = status == ERR_MEMORY ? status : OK;
    for (size_t at = 0; result == OK && at < lines.size;) {
        const char *line = (const char *)lines.data + at;
        const char *end = memchr(line, '\n', lines.size - at);
        size_t size = end == NULL ? lines.size - at : (size_t)(end - line);
        result = note_problem(draft, kind, "%.*s", (int)size, line);
        at += size + 1;
    }
    buf_fini(&lines);
    return result == OK ? OK : error_set(err, result, "draft: no memory");
}

/* -- records ----------------------------------------------------------------------------------- */

static enum status choose(struct draft *draft,
                          const struct id *id,
                          uint32_t version,
                          struct error *err)
{
    if (draft->chosen_count == draft->chosen_capacity) {
        size_t capacity = draft->chosen_capacity == 0 ? 64 : draft->chosen_capacity * 2;
        struct chosen *larger = NULL;
        if (capacity <= (size_t)2 * CONSENT_RECORDS_MAX)
            larger = mem_realloc(draft->chosen, capacity * sizeof(*larger));
        if (larger == NULL)
            return error_set(err, ERR_MEMORY, "draft: no memory for %zu records", capacity);
        draft->chosen = larger;
        draft->chosen_capacity = capacity;
    }
    draft->chosen[draft->chosen_count++] = (struct chosen){ *id, version };
    return OK;
}

static enum status choose_by_id(struct draft *draft, const struct id *id, struct error *err)
{
    char text[ID_TEXT_SIZE];
    struct record_row row;
    enum status status = record_rows_get(draft->feed->store, id, &row, err);
    id_format(id, text);
    if (status == ERR_NOT_FOUND)
        return note_problem(draft, status, "record %s: there is no such record", text);
    if (status != OK)
        return status;
    if (row.state != RECORD_ROW_CURRENT)
        return note_problem(draft, ERR_WRONG_STATE,
                            "record %s: it is retired, no new consent can give it", text);
    return choose(draft, id, row.version, err);
}

static enum status choose_visit(void *context, const struct records_view *view, struct error *err)
{
    struct draft *draft = context;
    if (draft->chosen_count > CONSENT_RECORDS_MAX)
        return error_set(err, ERR_LIMIT, "more than %d records; next: make several consents",
                         CONSENT_RECORDS_MAX);
    return choose(draft, &view->row.record_id, view->version, err);
}

static enum status choose_selected(struct draft *draft,
                                   const struct records_selector *selector,
                                   struct error *err)
{
    size_t before = draft->chosen_count;
    enum status status = records_list(draft->feed, selector, choose_visit, draft, err);
    if (status == ERR_LIMIT)
        return note(draft, status, err);
    if (status == OK && draft->chosen_count == before)
        return note_problem(draft, ERR_NOT_FOUND, "records: a selection finds none");
    return status;
}

static int compare_chosen(const void *a, const void *b)
{
    return id_compare(&((const struct chosen *)a)->id, &((const struct chosen *)b)->id);
}

/* Named twice, or named and selected: once is meant. */
static void unite_chosen(struct draft *draft)
{
    size_t kept = 0;
    if (draft->chosen_count > 1)
        qsort(draft->chosen, draft->chosen_count, sizeof(*draft->chosen), compare_chosen);
    for (size_t i = 0; i < draft->chosen_count; i++) {
        if (kept == 0 || !id_equal(&draft->chosen[kept - 1].id, &draft->chosen[i].id))
            draft->chosen[kept++] = draft->chosen[i];
    }
    draft->chosen_count = kept;
}

static enum status resolve_records(struct draft *draft, struct error *err)
{
    const struct consents_request *request = draft->request;
    enum status status = OK;
    if (request->record_id_count == 0 && request->selector_count == 0) {
        return note_problem(draft, ERR_INVALID,
                            "records: none is named; next: name records, or select them by kind, "
                            "instrument, article or dataset");
    }
    if (request->record_id_count > CONSENT_RECORDS_MAX)
        return note_problem(draft, ERR_LIMIT, "records: %zu are named, at most %d can be",
                            request->record_id_count, CONSENT_RECORDS_MAX);
    for (size_t i = 0; status == OK && i < request->record_id_count; i++)
        status = choose_by_id(draft, &request->record_ids[i], err);
    for (size_t i = 0; status == OK && i < request->selector_count; i++)
        status = choose_selected(draft, &request->selectors[i], err);
    unite_chosen(draft);
    return status;
}

/* -- recipients -------------------------------------------------------------------------------- */

static bool is_named(const struct draft *draft, const struct code *code)
{
    for (size_t i = 0; i < draft->recipient_count; i++) {
        if (code_equal(&draft->recipients[i].code, code))
            return true;
    }
    return false;
}

static enum status resolve_recipient(struct draft *draft,
                                     const struct code *code,
                                     struct error *err)
{
    struct peer_row peer;
    if (code_equal(code, &draft->feed->self))
        return note_problem(draft, ERR_INVALID, "recipient %s: that is this node itself",
                            code->text);
    if (is_named(draft, code))
        return note_problem(draft, ERR_EXISTS, "recipient %s: is named twice", code->text);
    enum status status = peer_rows_get(draft->feed->store, code, &peer, err);
    if (status == ERR_NOT_FOUND) {
        return note_problem(draft, status,
                            "recipient %s: no such peer is known; next: comityctl peer add, then "
                            "comityctl peer accept",
                            code->text);
    }
    if (status != OK)
        return status;
    if (peer.state != PEER_ACCEPTED || peer.held) {
        return note_problem(
            draft, ERR_DENIED,
            "recipient %s: is %s, not an accepted peer; next: comityctl peer show %s", code->text,
            peer.held ? "held" : peer_state_name(peer.state), code->text);
    }
    draft->recipients[draft->recipient_count++] =
        (struct consent_recipient_row){ peer.code, peer.anchor_digest };
    return OK;
}

static enum status resolve_recipients(struct draft *draft, struct error *err)
{
    const struct consents_request *request = draft->request;
    enum status status = OK;
    if (request->recipient_count == 0)
        return note_problem(draft, ERR_INVALID, "recipients: none is named");
    if (request->recipient_count > CONSENT_RECIPIENTS_MAX)
        return note_problem(draft, ERR_LIMIT, "recipients: %zu are named, at most %d can be",
                            request->recipient_count, CONSENT_RECIPIENTS_MAX);
    for (size_t i = 0; status == OK && i < request->recipient_count; i++)
        status = resolve_recipient(draft, &request->recipients[i], err);
    return status;
}

static enum status judge(const struct draft *draft, struct error *err)
{
    if (draft->problem_count == 0)
        return OK;
    if (draft->problem_count == 1)
        return error_set(err, draft->problem_status, "%s", draft->first);
    return error_set(err, ERR_INVALID, "the draft has %zu problems; the first: %.400s",
                     draft->problem_count, draft->first);
}

/* -- store ------------------------------------------------------------------------------------- */

static enum status store_lists(struct draft *draft, const struct id *consent_id, struct error *err)
{
    enum status status = OK;
    for (size_t i = 0; status == OK && i < draft->chosen_count; i++) {
        struct consent_record_row row = { draft->chosen[i].id, draft->chosen[i].version,
                                          (uint8_t)draft->terms.form };
        status = consent_rows_add_record(draft->feed->store, consent_id, &row, err);
    }
    for (size_t i = 0; status == OK && i < draft->recipient_count; i++)
        status =
            consent_rows_add_recipient(draft->feed->store, consent_id, &draft->recipients[i], err);
    return status;
}

static enum status store_draft(struct draft *draft,
                               uint32_t uid,
                               struct id *ret_consent_id,
                               struct error *err)
{
    struct feed_context *feed = draft->feed;
    const struct terms *terms = &draft->terms;
    struct buf encoded = BUF_INIT;
    struct consent_row row = {
        .state = CONSENT_DRAFT,
        .created_by = uid,
        .created_ms = feed->clock->wall_ms(feed->clock),
        .valid_from_ms = terms->valid_from_ms,
        .valid_until_ms = terms->keep_until_ms, /* the earlier of the two ends is for the timer */
    };
    struct consent_event_row event = { .time_ms = row.created_ms,
                                       .uid = uid,
                                       .to_state = CONSENT_DRAFT };
    (void)snprintf(event.text, sizeof(event.text), "drafted: %s to %s",
                   counted(draft->chosen_count, "record").text,
                   counted(draft->recipient_count, "recipient").text);
    enum status status = id_make(&row.consent_id, row.created_ms, feed->random, err);
    if (status == OK)
        status = feed->random->fill(feed->random, row.nonce.bytes, PREVIEW_NONCE_SIZE, err);
    if (status == OK)
        status = terms_encode(terms, &encoded, err);
    if (status == OK)
        status = consent_rows_add(feed->store, &row, buf_span(&encoded), err);
    if (status == OK)
        status = store_lists(draft, &row.consent_id, err);
    if (status == OK)
        status = consent_rows_add_event(feed->store, &row.consent_id, &event, err);
    if (status == OK)
        *ret_consent_id = row.consent_id;
    buf_fini(&encoded);
    return status;
}

enum status consents_draft(struct feed_context *feed,
                           uint32_t uid,
                           const struct consents_request *request,
                           struct id *ret_consent_id,
                           struct buf *append_problems,
                           struct error *err)
{
    struct draft *draft = mem_calloc(1, sizeof(*draft));
    if (draft == NULL)
        return error_set(err, ERR_MEMORY, "draft: no memory");
    draft->feed = feed;
    draft->request = request;
    draft->lines = append_problems;
    enum status status = resolve_terms(draft, err);
    if (status == OK)
        status = resolve_records(draft, err);
    if (status == OK)
        status = resolve_recipients(draft, err);
    if (status == ERR_MEMORY)
        status = error_set(err, status, "draft: no memory");
    if (status == OK)
        status = judge(draft, err);
    if (status == OK)
        status = store_draft(draft, uid, ret_consent_id, err);
    mem_free(draft->chosen);
    mem_free(draft);
    return status;
}
