/* The administrative sides of two nodes, KE and UNODC, between which things have travelled: people
 * of both ask, and every request can be made to fail in its middle.
 *
 *     ASK(&at_un, "received.show", "record", id);       status name of the answer
 *     SWEEP(&at_un, "received.show", "record", id);     fails each call in turn; undone each time
 */
#ifndef COMITY_TESTS_ADMIN_PAIR_H
#define COMITY_TESTS_ADMIN_PAIR_H

#include "../feed/two_nodes.h"

#include "admin/admin.h"
#include "support/call_fault.h"
#include "wire/frame.h"
#include "wire/reply.h"
#include "wire/request.h"

enum { PAIR_WORDS_MAX = 32, PAIR_STEPS_MAX = 3000, CACHED_MAX = 16 };

struct side {
    struct node *node;
    struct admin admin;
    struct caller caller;
    struct reply answer;
    struct request_file file; /* sent with the next request when its name is set */
};

static struct side at_ke, at_un;

static inline void side_as(struct side *side, uint32_t uid)
{
    side->caller = (struct caller){ .uid = uid, .permit = PERMIT_APPROVE };
    (void)snprintf(side->caller.name, sizeof(side->caller.name), "user%u", uid);
}

static inline void side_open(struct side *side, struct node *node, const char *name)
{
    *side = (struct side){ .node = node };
    side->admin = (struct admin){ .feed = &node->feed,
                                  .name = name,
                                  .directory = node->place.directory,
                                  .started_ms = node->place.clock.wall_now_ms };
    side_as(side, ANNE);
}

static inline int pair_set_up(void **state)
{
    (void)two_set_up(state);
    side_open(&at_ke, &ke, "Kenya");
    side_open(&at_un, &un, "UNODC");
    return 0;
}

static inline int pair_tear_down(void **state)
{
    reply_release(&at_ke.answer);
    reply_release(&at_un.answer);
    admin_fini(&at_ke.admin);
    admin_fini(&at_un.admin);
    return two_tear_down(state);
}

/* -- asking ------------------------------------------------------------------------------------ */

static inline struct buf message_of(struct side *side, const char *const *words)
{
    struct request_argument arguments[PAIR_WORDS_MAX];
    struct request request = { .operation = words[0], .arguments = arguments };
    for (size_t i = 1; words[i] != NULL; i += 2) {
        assert_true(request.argument_count < PAIR_WORDS_MAX);
        arguments[request.argument_count++] = (struct request_argument){ words[i], words[i + 1] };
    }
    request.files = &side->file;
    request.file_count = side->file.name != NULL ? 1 : 0;
    struct buf frame = BUF_INIT;
    CHECK_OK(request_encode(&request, &frame, &err), &err);
    return frame;
}

/* In a savepoint of a transaction, or alone; the transaction stays open. */
static inline enum status serve(struct side *side, struct span frame, struct buf *reply)
{
    struct span message = span_slice(frame, FRAME_HEAD_SIZE, frame.size);
    struct control_listener nobody = { 0 };
    return admin_serve(&side->admin, &side->caller, message, nobody, reply, NULL, &err);
}

static inline bool begin_for(struct side *side, const char *operation)
{
    bool alone = strcmp(operation, "check") == 0 || strcmp(operation, "backup.create") == 0;
    if (alone)
        return false;
    CHECK_OK(store_begin(side->node->store, &err), &err);
    CHECK_OK(store_savepoint(side->node->store, &err), &err);
    return true;
}

static inline void take_answer(struct side *side, struct span reply)
{
    reply_release(&side->answer);
    CHECK_OK(reply_decode(span_slice(reply, FRAME_HEAD_SIZE, reply.size), &side->answer, &err),
             &err);
}

static inline const char *ask_words(struct side *side, const char *const *words)
{
    struct buf frame = message_of(side, words);
    struct buf reply = BUF_INIT;
    bool inside = begin_for(side, words[0]);
    CHECK_OK(serve(side, buf_span(&frame), &reply), &err);
    if (inside) {
        CHECK_OK(store_release(side->node->store, &err), &err);
        tx_commit(side->node);
    }
    take_answer(side, buf_span(&reply));
    buf_fini(&reply);
    buf_fini(&frame);
    side->file = (struct request_file){ 0 };
    pass_time(1000);
    return side->answer.status;
}

static inline void check_answer(
    struct side *side, const char *wanted, const char *const *words, const char *file, int line)
{
    const char *got = ask_words(side, words);
    if (strcmp(wanted, got) == 0)
        return;
    print_error("%s: %s instead of %s: %s\n", words[0], got, wanted, side->answer.error);
    for (size_t i = 0; i < side->answer.problem_count; i++)
        print_error("  %s %s: %s\n", side->answer.problems[i].field, side->answer.problems[i].value,
                    side->answer.problems[i].rule);
    _fail(file, line);
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define ASK(side, wanted, ...) \
    check_answer((side), (wanted), WORDS(__VA_ARGS__), __FILE__, __LINE__)

/* A field, or a cell of that row of a table. */
static inline const char *answered_at(const struct side *side,
                                      const char *section,
                                      size_t row,
                                      const char *column)
{
    for (size_t i = 0; i < side->answer.section_count; i++) {
        const struct reply_section *s = &side->answer.sections[i];
        if (strcmp(s->name, section) != 0)
            continue;
        for (size_t j = 0; j < s->column_count; j++)
            if (strcmp(s->columns[j].name, column) == 0 && row < s->row_count)
                return s->cells[row * s->column_count + j];
        if (strcmp(column, "") == 0)
            return (const char *)s->content.data;
    }
    fail_msg("no %s.%s in line %zu of the answer", section, column, row);
    return NULL;
}

static inline const char *answered(const struct side *side, const char *section, const char *column)
{
    return answered_at(side, section, 0, column);
}

static inline size_t answered_rows(const struct side *side, const char *section)
{
    for (size_t i = 0; i < side->answer.section_count; i++)
        if (strcmp(side->answer.sections[i].name, section) == 0)
            return side->answer.sections[i].row_count;
    fail_msg("no %s in the answer", section);
    return 0;
}

/* -- sweeping ---------------------------------------------------------------------------------- */

enum fault { FAULT_MEMORY, FAULT_STATEMENT, FAULT_CRYPTO, FAULT_COUNT };

static inline void arm_fault(enum fault fault, uint64_t nth)
{
    if (fault == FAULT_MEMORY)
        mem_fail_at(nth, false);
    else
        call_fault_at(fault == FAULT_STATEMENT ? CALL_FAULT_SQL : CALL_FAULT_CRYPTO, nth, 0);
}

static inline bool disarm_fault(enum fault fault)
{
    bool hit = fault == FAULT_MEMORY ? mem_fail_hit() : call_fault_hit();
    mem_fail_at(0, false);
    call_fault_off();
    return hit;
}

/* Whether the nth was reached.  A failure is told: by the status, or by the answer. */
static inline bool attempt(
    struct side *side, struct span frame, const char *operation, enum fault fault, uint64_t nth)
{
    struct buf reply = BUF_INIT;
    int64_t live = mem_live();
    bool inside = begin_for(side, operation);
    arm_fault(fault, nth);
    enum status status = serve(side, frame, &reply);
    bool hit = disarm_fault(fault);
    if (inside)
        store_rollback(side->node->store);
    if (status == OK)
        take_answer(side, buf_span(&reply));
    bool told = status != OK || strcmp(side->answer.status, "ok") != 0;
    if (!hit && told)
        fail_msg("%s: %s: %s", operation, status != OK ? status_name(status) : side->answer.status,
                 status != OK ? err.text : side->answer.error);
    if (status == OK && told)
        assert_string_not_equal(side->answer.error, "");
    if (hit && fault == FAULT_STATEMENT && !told)
        fail_msg("%s hid that %s %llu failed", operation, call_fault_name(),
                 (unsigned long long)nth);
    reply_release(&side->answer);
    side->answer = (struct reply){ 0 };
    buf_fini(&reply);
    if (nth > 1)
        assert_true(mem_live() <= live + CACHED_MAX); /* pages of the key tree */
    return hit;
}

static inline void sweep_words(struct side *side, const char *const *words)
{
    struct buf frame = message_of(side, words);
    reply_release(&side->answer);
    side->answer = (struct reply){ 0 };
    for (int fault = 0; fault < FAULT_COUNT; fault++) {
        bool hit = true;
        uint64_t nth = 1;
        for (int i = 0; hit && i < PAIR_STEPS_MAX; i++) {
            hit = attempt(side, buf_span(&frame), words[0], (enum fault)fault, nth);
            nth++;
        }
        assert_false(hit);
    }
    buf_fini(&frame);
    side->file = (struct request_file){ 0 };
}

#define SWEEP(side, ...) sweep_words((side), WORDS(__VA_ARGS__))

/* -- what has travelled ------------------------------------------------------------------------ */

#define PAIR_CSV_HEAD                                                                   \
    "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,REF_AREA,COUNTERPART_AREA,DIRECTION,COOP_TYPE," \
    "ASSIST_TYPE,LEGAL_BASIS,OFFENCE,INDICATOR,REASON,PROCEDURE,COHORT,UNIT_MEASURE,"   \
    "TIME_PERIOD,OBS_VALUE,OBS_STATUS\n"
#define PAIR_CSV_ROW(indicator, year, value)                                                 \
    "dataflow,COMITY:DF_INTCOOP(1.0.0),I,A,KE,_T,IN,EXTR,_Z,_T,_T," indicator ",_Z,_T,FLOW," \
    "REQ," year "," value ",A\n"

static inline void import_figures(struct side *side, const char *csv, char ret_id[ID_TEXT_SIZE])
{
    side->file = (struct request_file){ "file", "figures.csv", span_text(csv) };
    ASK(side, "ok", "stats.import", "source", "Registry");
    (void)snprintf(ret_id, ID_TEXT_SIZE, "%s", answered(side, "releases", "id"));
}

/* From KE to UNODC, drafted by ANNE and approved by BERT; the consent's id. */
static inline void give_by_desk(const char *record,
                                const char *purpose,
                                const char *attribution,
                                char ret_consent[ID_TEXT_SIZE])
{
    char digest[2 * DIGEST_SIZE + 1];
    side_as(&at_ke, ANNE);
    ASK(&at_ke, "ok", "consent.draft", "to", "UNODC", "record", record, "purpose", purpose,
        "attribution", attribution, "until", "2027-12-31", "authority", "Attorney General",
        "reference", "AG/1");
    (void)snprintf(ret_consent, ID_TEXT_SIZE, "%s", answered(&at_ke, "consent", "id"));
    ASK(&at_ke, "ok", "consent.propose", "consent", ret_consent);
    (void)snprintf(digest, sizeof(digest), "%s", answered(&at_ke, "consent", "digest"));
    side_as(&at_ke, BERT);
    ASK(&at_ke, "ok", "consent.approve", "consent", ret_consent, "digest", digest);
    side_as(&at_ke, ANNE);
}

static inline void text_of(const struct id *id, char ret_text[ID_TEXT_SIZE])
{
    id_format(id, ret_text);
}

#endif
