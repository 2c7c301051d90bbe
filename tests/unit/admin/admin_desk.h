/* The administrative side of a node over a real database: a person asks, the desk answers.
 *
 * ask("consent approve ...") sends what comityctl would send, as the person who was set with
 * desk_as(), and keeps the decoded answer in `answer`.
 */
#ifndef COMITY_TESTS_ADMIN_DESK_H
#define COMITY_TESTS_ADMIN_DESK_H

#include "admin/admin.h"
#include "base/memory.h"
#include "crypto/card.h"
#include "crypto/digest.h"
#include "store/store.h"
#include "support/check.h"
#include "support/pki.h"
#include "support/store_place.h"
#include "wire/frame.h"

enum { ANNE = 1001, BERT = 1002, CARLA = 1003, DESK_WORDS_MAX = 64 };

struct desk {
    struct store_place place;
    struct store *store;
    struct feed_context feed;
    struct admin admin;
    struct caller caller;
    struct reply answer;
    struct error result;
    struct request_file files[4]; /* sent with the next request */
    size_t file_count;
    struct private_key *log_key;
    struct private_key *receipt_key;
    int64_t live;
};

static struct desk desk;
static struct error err;

static inline void desk_as(uint32_t uid, enum permit permit)
{
    desk.caller = (struct caller){ .uid = uid, .permit = permit };
    (void)snprintf(desk.caller.name, sizeof(desk.caller.name), "user%u", uid);
}

static inline int desk_set_up(void **state)
{
    (void)state;
    struct sha256 *sha = NULL; /* the thread's own lives on */
    CHECK_OK(sha256_thread(&sha, &err), &err);
    memset(&desk, 0, sizeof(desk));
    desk.live = mem_live();
    store_place_make(&desk.place, 11);
    desk.place.clock.wall_now_ms = PKI_NOW_MS;
    struct store_options options = { .directory = desk.place.directory,
                                     .clock = &desk.place.clock.base,
                                     .random = &desk.place.random.base };
    CHECK_OK(store_create(&options, &desk.store, &err), &err);
    desk.feed = (struct feed_context){ .store = desk.store,
                                       .clock = &desk.place.clock.base,
                                       .random = &desk.place.random.base,
                                       .realm = { "training" },
                                       .self = { "KE" } };
    static const uint8_t log_seed[32] = { 1 };
    static const uint8_t receipt_seed[32] = { 2 };
    CHECK_OK(private_key_of_seed(log_seed, &desk.log_key, &err), &err);
    CHECK_OK(private_key_of_seed(receipt_seed, &desk.receipt_key, &err), &err);
    desk.feed.log_key = desk.log_key;
    desk.feed.receipt_key = desk.receipt_key;
    desk.admin = (struct admin){ .feed = &desk.feed,
                                 .name = "Kenya",
                                 .directory = desk.place.directory,
                                 .started_ms = PKI_NOW_MS };
    desk_as(ANNE, PERMIT_APPROVE);
    return 0;
}

static inline int desk_tear_down(void **state)
{
    (void)state;
    reply_release(&desk.answer);
    admin_fini(&desk.admin);
    store_close(desk.store);
    private_key_free(desk.log_key);
    private_key_free(desk.receipt_key);
    store_place_remove(&desk.place);
    assert_int_equal(mem_live(), desk.live);
    return 0;
}

/* As the worker does it: a savepoint in a transaction, or alone. */
static inline void desk_serve(struct span message)
{
    struct buf frame = BUF_INIT;
    struct control_listener nobody = { 0 };
    bool alone = admin_glance(message).alone;
    if (!alone) {
        CHECK_OK(store_begin(desk.store, &err), &err);
        CHECK_OK(store_savepoint(desk.store, &err), &err);
    }
    CHECK_OK(admin_serve(&desk.admin, &desk.caller, message, nobody, &frame, &desk.result, &err),
             &err);
    if (!alone) {
        CHECK_OK(store_release(desk.store, &err), &err);
        CHECK_OK(store_commit(desk.store, &err), &err);
    }
    reply_release(&desk.answer);
    CHECK_OK(
        reply_decode(span_slice(buf_span(&frame), FRAME_HEAD_SIZE, frame.size), &desk.answer, &err),
        &err);
    buf_fini(&frame);
    clock_fake_advance(&desk.place.clock, 1000);
}

/* "peer.accept", then pairs of name and value, then NULL. */
static inline const char *ask(const char *operation, ...)
{
    struct request_argument arguments[DESK_WORDS_MAX];
    struct request request = { .operation = operation, .arguments = arguments };
    va_list args;
    va_start(args, operation);
    const char *name = NULL;
    while ((name = va_arg(args, const char *)) != NULL) {
        assert_true(request.argument_count < DESK_WORDS_MAX);
        arguments[request.argument_count++] =
            (struct request_argument){ name, va_arg(args, const char *) };
    }
    va_end(args);
    request.files = desk.files;
    request.file_count = desk.file_count;
    struct buf frame = BUF_INIT;
    CHECK_OK(request_encode(&request, &frame, &err), &err);
    desk_serve(span_slice(buf_span(&frame), FRAME_HEAD_SIZE, frame.size));
    buf_fini(&frame);
    desk.file_count = 0;
    return desk.answer.status;
}

static inline void desk_attach(const char *name, const char *path, struct span bytes)
{
    desk.files[desk.file_count++] = (struct request_file){ name, path, bytes };
}

#define ASK_OK(...)             ask_status("ok", ask(__VA_ARGS__, NULL), __FILE__, __LINE__)
#define ASK_STATUS(status, ...) ask_status((status), ask(__VA_ARGS__, NULL), __FILE__, __LINE__)
static inline void ask_status(const char *wanted, const char *got, const char *file, int line)
{
    if (strcmp(wanted, got) == 0)
        return;
    print_error("%s instead of %s: %s\n", got, wanted, desk.answer.error);
    for (size_t i = 0; i < desk.answer.problem_count; i++)
        print_error("  %s %s: %s\n", desk.answer.problems[i].field, desk.answer.problems[i].value,
                    desk.answer.problems[i].rule);
    _fail(file, line);
}

/* The value of a field or, in a table, of the first row; fails when it is not there. */
static inline const char *answered(const char *section, const char *column)
{
    for (size_t i = 0; i < desk.answer.section_count; i++) {
        const struct reply_section *s = &desk.answer.sections[i];
        if (strcmp(s->name, section) != 0)
            continue;
        for (size_t j = 0; j < s->column_count; j++)
            if (strcmp(s->columns[j].name, column) == 0 && s->row_count > 0)
                return s->cells[j];
        if (strcmp(column, "") == 0)
            return (const char *)s->content.data;
    }
    fail_msg("no %s.%s in the answer", section, column);
    return NULL;
}

/* What is wrong with this field; fails when nothing was said of it. */
static inline const char *told_of(const char *field)
{
    for (size_t i = 0; i < desk.answer.problem_count; i++)
        if (strcmp(desk.answer.problems[i].field, field) == 0)
            return desk.answer.problems[i].rule;
    fail_msg("nothing was said of %s", field);
    return NULL;
}

static inline size_t answered_rows(const char *section)
{
    for (size_t i = 0; i < desk.answer.section_count; i++)
        if (strcmp(desk.answer.sections[i].name, section) == 0)
            return desk.answer.sections[i].row_count;
    fail_msg("no %s in the answer", section);
    return 0;
}

/* A State's card. */
static inline struct buf desk_card(const struct pki_state *state, const char *name)
{
    return pki_card(state, name, "");
}

static inline void desk_fingerprint(const struct pki_state *state,
                                    char text[static FINGERPRINT_TEXT_SIZE])
{
    struct fingerprint fingerprint;
    CHECK_OK(
        fingerprint_of(&state->realm, &state->code, buf_span(&state->anchor), &fingerprint, &err),
        &err);
    fingerprint_format(&fingerprint, text);
}

/* A peer that two people have accepted. */
static inline void desk_accept(const char *code)
{
    struct pki_state state;
    char fingerprint[FINGERPRINT_TEXT_SIZE];
    pki_init(&state, "training", code);
    struct buf card = desk_card(&state, "A State");
    struct caller before = desk.caller;
    desk_as(ANNE, PERMIT_PREPARE);
    desk_attach("file", "peer.card", buf_span(&card));
    ASK_OK("peer.add");
    desk_fingerprint(&state, fingerprint);
    desk_as(BERT, PERMIT_APPROVE);
    ASK_OK("peer.accept", "peer", code, "fingerprint", fingerprint);
    desk.caller = before;
    buf_fini(&card);
    pki_fini(&state);
}

static inline void desk_add_excerpt(char ret_id[static ID_TEXT_SIZE])
{
    ASK_OK("excerpt.add", "kind", "good-practice", "instrument", "UNTOC", "article", "18",
           "language", "en", "title", "Liaison magistrates", "text", "They shorten requests.",
           "originator", "Ministry of Justice", "date", "2026-03-01", "confidentiality",
           "internal");
    (void)snprintf(ret_id, ID_TEXT_SIZE, "%s", answered("record", "id"));
}

static inline void desk_draft(const char *record, const char *to, char ret_id[static ID_TEXT_SIZE])
{
    ASK_OK("consent.draft", "to", to, "record", record, "purpose", "peer-review", "until",
           "2027-12-31", "authority", "Attorney General", "reference", "AG/2026/117");
    (void)snprintf(ret_id, ID_TEXT_SIZE, "%s", answered("consent", "id"));
}

#endif
