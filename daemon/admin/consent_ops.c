/* Consents: from draft to revocation. */
#include "admin/ops.h"
#include "base/counted.h"
#include "base/memory.h"
#include "feed/consents.h"

#include <assert.h>
#include <string.h>

static void put_digest(struct reply_writer *w, const struct digest *digest)
{
    char text[2 * DIGEST_SIZE + 1];
    hex_encode(SPAN_ARRAY(digest->bytes), text);
    reply_field(w, "digest", "Digest", "%s", text);
}

static void put_id(struct reply_writer *w, const char *title, const struct id *id)
{
    reply_fields(w, "consent", title);
    ops_field_id(w, "id", "Id", id);
}

/* -- drafting ---------------------------------------------------------------------------------- */

struct draft {
    struct consents_request request;
    struct id *records;
    struct records_selector *selectors;
    struct code *recipients;
};

static void draft_fini(struct draft *draft)
{
    mem_free(draft->records);
    mem_free(draft->selectors);
    mem_free(draft->recipients);
}

static void report(struct control_call *call,
                   const char *field,
                   const char *value,
                   const char *rule)
{
    reply_problem(call->reply, &(struct reply_problem){
                                   .file = "", .field = field, .value = value, .rule = rule });
}

/* The options that are terms go to terms_set() word by word. */
static void take_terms(struct admin *admin, struct control_call *call, struct terms *terms)
{
    terms_init(terms, admin->feed->clock->wall_ms(admin->feed->clock));
    for (size_t i = 0; TERMS_NAMES[i] != NULL; i++) {
        const char *value = argument_text(&call->arguments, TERMS_NAMES[i]);
        struct error why = ERROR_INIT;
        if (value != NULL && terms_set(terms, TERMS_NAMES[i], value, &why) != OK) {
            char field[NAME_MAX_BYTES];
            struct argument_rule rule = { .name = TERMS_NAMES[i] };
            argument_shown(&rule, field, sizeof(field));
            report(call, field, value, why.text);
        }
    }
}

static enum status take_records(struct admin *admin,
                                struct control_call *call,
                                struct draft *draft,
                                struct error *err)
{
    size_t count = argument_count(&call->arguments, "record");
    draft->records = mem_calloc(count == 0 ? 1 : count, sizeof(*draft->records));
    if (draft->records == NULL)
        return error_set(err, ERR_MEMORY, "no memory for %zu records", count);
    for (size_t i = 0; i < count; i++) {
        const char *prefix = argument_text_at(&call->arguments, "record", i);
        struct error why = ERROR_INIT;
        struct record_row row;
        if (ops_find_record(admin, prefix, 0, &row, &why) == OK)
            draft->records[draft->request.record_id_count++] = row.record_id;
        else
            report(call, "--record", prefix, why.text);
    }
    draft->request.record_ids = draft->records;
    return OK;
}

enum { SELECT_WORDS_MAX = 8 }; /* more names than records_selector_set() knows */

static bool is_among(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* "kind=release period=2019"; of two values for one name the second would win unseen. */
static enum status parse_selector(const char *words,
                                  struct records_selector *ret_selector,
                                  struct error *err)
{
    char copy[NAME_MAX_BYTES + 1] = "";
    memcpy(copy, words, strnlen(words, NAME_MAX_BYTES));
    records_selector_init(ret_selector);
    char *rest = copy;
    const char *names[SELECT_WORDS_MAX];
    size_t count = 0;
    for (char *word = strsep(&rest, " "); word != NULL; word = strsep(&rest, " ")) {
        if (word[0] == '\0')
            continue;
        char *equals = strchr(word, '=');
        if (equals == NULL)
            return error_set(err, ERR_INVALID, "'%s' is not NAME=VALUE", word);
        *equals = '\0';
        if (is_among(names, count, word))
            return error_set(err, ERR_INVALID, "'%s' is given twice", word);
        if (records_selector_set(ret_selector, word, equals + 1, err) != OK)
            return ERR_INVALID;
        assert(count < SELECT_WORDS_MAX);
        names[count++] = word;
    }
    if (count == 0)
        return error_set(err, ERR_INVALID, "needs at least one NAME=VALUE");
    return OK;
}

static enum status take_selectors(struct control_call *call, struct draft *draft, struct error *err)
{
    size_t count = argument_count(&call->arguments, "select");
    draft->selectors = mem_calloc(count == 0 ? 1 : count, sizeof(*draft->selectors));
    if (draft->selectors == NULL)
        return error_set(err, ERR_MEMORY, "no memory for %zu selections", count);
    for (size_t i = 0; i < count; i++) {
        const char *words = argument_text_at(&call->arguments, "select", i);
        struct error why = ERROR_INIT;
        if (parse_selector(words, &draft->selectors[draft->request.selector_count], &why) == OK)
            draft->request.selector_count++;
        else
            report(call, "--select", words, why.text);
    }
    draft->request.selectors = draft->selectors;
    if (count == 0 && !argument_given(&call->arguments, "record"))
        report(call, "--record", "", "give records with --record or --select");
    return OK;
}

static enum status take_recipients(struct control_call *call,
                                   struct draft *draft,
                                   struct error *err)
{
    size_t count = argument_count(&call->arguments, "to");
    draft->recipients = mem_calloc(count == 0 ? 1 : count, sizeof(*draft->recipients));
    if (draft->recipients == NULL)
        return error_set(err, ERR_MEMORY, "no memory for %zu recipients", count);
    for (size_t i = 0; i < count; i++) {
        const char *code = argument_text_at(&call->arguments, "to", i);
        struct error why = ERROR_INIT;
        if (code_parse(code, &draft->recipients[draft->request.recipient_count], &why) == OK)
            draft->request.recipient_count++;
    }
    draft->request.recipients = draft->recipients;
    return OK;
}

static enum status count_problems(const struct control_call *call,
                                  enum status kind,
                                  struct error *err)
{
    size_t count = reply_problem_count(call->reply);
    return error_set(err, kind, "%s in the consent; no draft was made",
                     counted(count, "problem").text);
}

static enum status take_draft(struct admin *admin,
                              struct control_call *call,
                              struct draft *draft,
                              struct error *err)
{
    take_terms(admin, call, &draft->request.terms);
    enum status status = take_records(admin, call, draft, err);
    if (status == OK)
        status = take_selectors(call, draft, err);
    if (status == OK)
        status = take_recipients(call, draft, err);
    if (status == OK && reply_problem_count(call->reply) > 0)
        status = count_problems(call, ERR_INVALID, err);
    return status;
}

enum status consent_ops_draft(void *context, struct control_call *call, struct error *err)
{
    struct admin *admin = context;
    struct draft draft;
    memset(&draft, 0, sizeof(draft));
    struct buf problems = BUF_INIT;
    struct id id = ID_NONE;
    enum status status = take_draft(admin, call, &draft, err);
    if (status == OK)
        status =
            consents_draft(admin->feed, call->caller->uid, &draft.request, &id, &problems, err);
    ops_problem_lines(call->reply, buf_span(&problems));
    if (status != OK && problems.size > 0)
        status = count_problems(call, status, err); /* they are listed: not the first again */
    buf_fini(&problems);
    draft_fini(&draft);
    if (status != OK)
        return status;
    char text[ID_TEXT_SIZE];
    id_format(&id, text);
    put_id(call->reply, "Draft", &id);
    reply_note(call->reply,
               "Nothing leaves yet. Look at what would: comityctl consent preview %.12s", text);
    return OK;
}

/* -- preview ----------------------------------------------------------------------------------- */

static void put_preview_record(struct reply_writer *w, const struct preview_record *record)
{
    ops_cell_id(w, &record->id);
    reply_cell_number(w, record->version);
    reply_cell(w, "%.*s", (int)record->kind.size, (const char *)record->kind.data);
    reply_cell_number(w, record->size);
    reply_cell(w, "%.*s", (int)record->title.size, (const char *)record->title.data);
}

static void put_preview_records(struct reply_writer *w, const struct preview *preview)
{
    static const struct reply_column columns[] = {
        { "id", "Id", false },      { "version", "Version", true }, { "kind", "Kind", false },
        { "bytes", "Bytes", true }, { "title", "Title", false },
    };
    reply_table(w, "records", "Records that would leave, to each recipient", columns, 5);
    for (size_t i = 0; i < preview->record_count; i++)
        put_preview_record(w, &preview->records[i]);
}

static uint64_t held_by(const struct preview *preview, const struct preview_recipient *recipient)
{
    uint64_t held = 0;
    for (size_t i = 0; recipient->holds != NULL && i < preview->record_count; i++)
        held += recipient->holds[i] != 0;
    return held;
}

static void put_preview_recipients(struct reply_writer *w, const struct preview *preview)
{
    static const struct reply_column columns[] = {
        { "code", "Code", false },
        { "name", "Name", false },
        { "held", "Records that it holds already", true },
    };
    reply_table(w, "recipients", "Recipients", columns, 3);
    for (size_t i = 0; i < preview->recipient_count; i++) {
        const struct preview_recipient *recipient = &preview->recipients[i];
        reply_cell(w, "%s", recipient->code.text);
        reply_cell(w, "%.*s", (int)recipient->name.size, (const char *)recipient->name.data);
        reply_cell_number(w, held_by(preview, recipient));
    }
}

static enum status put_terms(struct reply_writer *w, const struct terms *terms, struct error *err)
{
    struct buf text = BUF_INIT;
    enum status status = terms_render(terms, &text, err);
    if (status == OK)
        reply_text(w, "terms", "Terms", buf_span(&text));
    buf_fini(&text);
    return status;
}

static void put_next(struct reply_writer *w, const struct consents_preview *preview)
{
    char id[ID_TEXT_SIZE];
    char digest[2 * DIGEST_SIZE + 1];
    id_format(&preview->row.consent_id, id);
    hex_encode(SPAN_ARRAY(preview->digest.bytes), digest);
    if (preview->row.state == CONSENT_DRAFT) {
        reply_note(w, "To propose exactly this: comityctl consent propose %.12s --digest %s", id,
                   digest);
    } else if (preview->row.state == CONSENT_PROPOSED) {
        reply_note(w, "To approve exactly this: comityctl consent approve %.12s --digest %s", id,
                   digest);
    }
}

enum status consent_ops_preview(void *context, struct control_call *call, struct error *err)
{
    struct admin *admin = context;
    struct consent_row row;
    struct consents_preview preview;
    memset(&preview, 0, sizeof(preview));
    enum status status = ops_find_consent(admin, call, &row, err);
    if (status == OK)
        status = consents_preview(admin->feed, &row.consent_id, &preview, err);
    if (status == OK) {
        put_id(call->reply, "Preview", &row.consent_id);
        reply_field(call->reply, "state", "State", "%s", lifecycle_state_name(row.state));
        reply_number(call->reply, "records_count", "Records", preview.preview.record_count);
        put_digest(call->reply, &preview.digest);
        status = put_terms(call->reply, &preview.terms, err);
    }
    if (status == OK) {
        put_preview_records(call->reply, &preview.preview);
        put_preview_recipients(call->reply, &preview.preview);
        put_next(call->reply, &preview);
    }
    consents_preview_fini(&preview);
    return status;
}

/* -- steps ------------------------------------------------------------------------------------- */

/* With --digest: what is proposed must be what that person has seen. */
static enum status check_digest(struct admin *admin,
                                const struct control_call *call,
                                const struct consent_row *row,
                                struct error *err)
{
    struct digest wanted;
    struct consents_preview preview;
    if (row->state != CONSENT_DRAFT || !argument_digest(&call->arguments, "digest", &wanted))
        return OK; /* what cannot be proposed at all is refused with its state */
    memset(&preview, 0, sizeof(preview));
    enum status status = consents_preview(admin->feed, &row->consent_id, &preview, err);
    if (status == OK && !digest_equal(&wanted, &preview.digest)) {
        status = error_set(err, ERR_CONFLICT,
                           "the preview has another digest by now: something changed since it was "
                           "looked at; next: look at it again with comityctl consent preview");
    }
    consents_preview_fini(&preview);
    return status;
}

enum status consent_ops_propose(void *context, struct control_call *call, struct error *err)
{
    struct admin *admin = context;
    struct consent_row row;
    struct digest digest;
    enum status status = ops_find_consent(admin, call, &row, err);
    if (status == OK)
        status = check_digest(admin, call, &row, err);
    if (status == OK)
        status = consents_propose(admin->feed, call->caller->uid, &row.consent_id, &digest, err);
    if (status != OK)
        return status;
    put_id(call->reply, "Proposed", &row.consent_id);
    put_digest(call->reply, &digest);
    reply_note(call->reply, "Another person looks at the preview and approves it with this digest; "
                            "it stands in that person's comityctl inbox.");
    return OK;
}

enum status consent_ops_approve(void *context, struct control_call *call, struct error *err)
{
    struct admin *admin = context;
    struct consent_row row;
    struct digest digest;
    struct consents_queued queued;
    struct buf changes = BUF_INIT;
    enum status status = ops_find_consent(admin, call, &row, err);
    if (status == OK && !argument_digest(&call->arguments, "digest", &digest))
        status = error_set(err, ERR_INTERNAL, "an approval without its digest");
    if (status == OK)
        status = consents_approve(admin->feed, call->caller->uid, &row.consent_id, &digest, &queued,
                                  &changes, err);
    if (changes.size > 0)
        reply_text(call->reply, "changes", "What changed since", buf_span(&changes));
    buf_fini(&changes);
    if (status != OK)
        return status;
    admin->changed.queue = true;
    put_id(call->reply, "Approved", &row.consent_id);
    reply_number(call->reply, "recipients", "Recipients", queued.recipients);
    reply_number(call->reply, "queued", "Records on their way", queued.records);
    reply_note(call->reply, "See what arrives, and the receipts: comityctl given");
    return OK;
}

enum status consent_ops_reject(void *context, struct control_call *call, struct error *err)
{
    struct admin *admin = context;
    struct consent_row row;
    enum status status = ops_find_consent(admin, call, &row, err);
    if (status == OK)
        status = consents_reject(admin->feed, call->caller->uid, &row.consent_id,
                                 argument_text(&call->arguments, "reason"), err);
    if (status == OK)
        put_id(call->reply, "Back to a draft", &row.consent_id);
    return status;
}

enum status consent_ops_revoke(void *context, struct control_call *call, struct error *err)
{
    struct admin *admin = context;
    struct id consent_id;
    struct consents_ended ended;
    enum status status = ops_find_consent_id(admin, call, &consent_id, err);
    if (status == OK)
        status = consents_revoke(admin->feed, call->caller->uid, &consent_id,
                                 argument_text(&call->arguments, "reason"), &ended, err);
    if (status != OK)
        return status;
    admin->changed.queue = true;
    put_id(call->reply, "Revoked", &consent_id);
    reply_number(call->reply, "never_left", "Waiting entries that never leave", ended.never_left);
    reply_number(call->reply, "recalled", "Records recalled", ended.recalled);
    reply_number(call->reply, "kept", "Records that another consent still covers", ended.kept);
    if (ended.recalled > 0)
        reply_note(call->reply, "See who has confirmed erasure: comityctl recalls");
    return OK;
}
