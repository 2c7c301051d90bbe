/* Operations from records to consents: who may, bad input for each of them, what is journalled. */
#include "admin_desk.h"
#include "control/operation.h"

#include "consent/terms.h"
#include "record/catalogue.h"

/* -- for all of them --------------------------------------------------------------------------- */

/* A value that the rule takes, so that only what is tested is wrong. */
static const char *good_value(const struct argument_rule *rule)
{
    switch (rule->kind) {
    case ARGUMENT_TEXT:
        return "words";
    case ARGUMENT_CODE:
        return "NZ";
    case ARGUMENT_TIME:
        return "2027-01-01";
    case ARGUMENT_NUMBER:
        return "1";
    case ARGUMENT_ID:
        return "012345";
    case ARGUMENT_DIGEST:
        return "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    case ARGUMENT_CHOICE:
        return rule->choices[0];
    case ARGUMENT_FLAG:
        return "yes";
    case ARGUMENT_FILE:
        break;
    }
    return NULL;
}

static const char *bad_value(const struct argument_rule *rule)
{
    switch (rule->kind) {
    case ARGUMENT_TEXT:
        return "turn\xe2\x80\xae"
               "around";
    case ARGUMENT_CODE:
        return "Kenya";
    case ARGUMENT_TIME:
        return "2027-02-29";
    case ARGUMENT_NUMBER:
        return "-1";
    case ARGUMENT_ID:
        return "012";
    case ARGUMENT_DIGEST:
        return "0123";
    case ARGUMENT_CHOICE:
        return "else";
    case ARGUMENT_FLAG:
        return "no";
    case ARGUMENT_FILE:
        return "not an attachment";
    }
    return NULL;
}

/* Sends the operation with all required arguments; `spoilt` gets a bad value. */
static const char *ask_rules(const struct operation *operation, const struct argument_rule *spoilt)
{
    struct request_argument arguments[DESK_WORDS_MAX];
    struct request request = { .operation = operation->name, .arguments = arguments };
    struct request_file files[4];
    request.files = files;
    for (size_t i = 0; i < operation->rule_count; i++) {
        const struct argument_rule *rule = &operation->rules[i];
        if (spoilt != NULL && rule == spoilt) {
            arguments[request.argument_count++] =
                (struct request_argument){ rule->name, bad_value(rule) };
        } else if (rule->required && rule->kind == ARGUMENT_FILE) {
            files[request.file_count++] =
                (struct request_file){ rule->name, "f", SPAN_LITERAL("nonsense") };
        } else if (rule->required) {
            arguments[request.argument_count++] =
                (struct request_argument){ rule->name, good_value(rule) };
        }
    }
    struct buf frame = BUF_INIT;
    CHECK_OK(request_encode(&request, &frame, &err), &err);
    desk_serve(span_slice(buf_span(&frame), FRAME_HEAD_SIZE, frame.size));
    buf_fini(&frame);
    return desk.answer.status;
}

static void every_operation_refuses_a_smaller_permit_than_it_needs(void **state)
{
    (void)state;
    size_t count = 0;
    const struct operation *operations = operation_all(&count);
    for (size_t i = 0; i < count; i++) {
        desk_as(CARLA, (enum permit)(operations[i].least - 1));
        assert_string_equal(ask_rules(&operations[i], NULL), "denied");
        char typed[64];
        (void)snprintf(typed, sizeof(typed), "%s needs an ", operations[i].name);
        for (char *dot = strchr(typed, '.'); dot != NULL; dot = strchr(typed, '.'))
            *dot = ' '; /* as people type it */
        CHECK_CONTAINS(desk.answer.error, typed);
        CHECK_CONTAINS(desk.answer.error, "next: ask somebody whom the configuration lists");
    }
}

static void every_operation_refuses_every_bad_value_by_the_option_as_typed(void **state)
{
    (void)state;
    size_t count = 0;
    const struct operation *operations = operation_all(&count);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < operations[i].rule_count; j++) {
            const struct argument_rule *rule = &operations[i].rules[j];
            char shown[64];
            argument_shown(rule, shown, sizeof(shown));
            assert_string_equal(ask_rules(&operations[i], rule), "invalid");
            assert_int_equal(desk.answer.problem_count, 1);
            assert_string_equal(desk.answer.problems[0].field, shown);
        }
    }
}

static void every_operation_refuses_unknown_and_missing_arguments_at_once(void **state)
{
    (void)state;
    size_t count = 0;
    const struct operation *operations = operation_all(&count);
    for (size_t i = 0; i < count; i++) {
        size_t required = 0;
        for (size_t j = 0; j < operations[i].rule_count; j++)
            required += operations[i].rules[j].required;
        desk_attach("colour", "x", SPAN_EMPTY);
        ASK_STATUS("invalid", operations[i].name, "shape", "round");
        assert_int_equal(desk.answer.problem_count, required + 2);
        assert_string_equal(desk.answer.problems[0].field, "--shape");
        assert_string_equal(desk.answer.problems[1].field, "--colour");
    }
}

static void every_operation_answers_whatever_is_not_there(void **state)
{
    (void)state;
    size_t count = 0;
    const struct operation *operations = operation_all(&count);
    for (size_t i = 0; i < count; i++) {
        const char *status = ask_rules(&operations[i], NULL);
        assert_string_not_equal(status, "internal");
        if (strcmp(status, "ok") != 0)
            assert_true(desk.answer.error[0] != '\0');
    }
}

static void an_unknown_operation_and_bytes_that_are_none_are_answered(void **state)
{
    (void)state;
    ASK_STATUS("unsupported", "consent.dance");
    desk_serve(SPAN_LITERAL("\xff\xff\xff"));
    assert_string_equal(desk.answer.status, "invalid");
    assert_string_equal(desk.answer.realm, "training");
}

static void the_choices_are_the_words_of_the_layers_that_know_them(void **state)
{
    (void)state;
    const struct operation *add = operation_find("excerpt.add");
    enum excerpt_kind kind;
    enum instrument instrument;
    for (size_t i = 0; add->rules[0].choices[i] != NULL; i++)
        assert_true(catalogue_kind_parse(span_text(add->rules[0].choices[i]), &kind));
    for (size_t i = 0; add->rules[1].choices[i] != NULL; i++)
        assert_true(catalogue_instrument_parse(span_text(add->rules[1].choices[i]), &instrument));
    const struct operation *draft = operation_find("consent.draft");
    struct terms terms;
    terms_init(&terms, PKI_NOW_MS);
    for (size_t i = 0; i < draft->rule_count; i++) {
        for (size_t j = 0; draft->rules[i].choices != NULL && draft->rules[i].choices[j] != NULL;
             j++)
            CHECK_OK(terms_set(&terms, draft->rules[i].name, draft->rules[i].choices[j], &err),
                     &err);
    }
}

/* -- records ----------------------------------------------------------------------------------- */

static void an_excerpt_with_problems_is_not_added(void **state)
{
    (void)state;
    ASK_STATUS("invalid", "excerpt.add", "kind", "answer", "instrument", "UNTOC", "article", "99",
               "language", "e n", "title", "T", "text", "t", "originator", "o", "date",
               "2026-03-01T10:00:00Z", "confidentiality", "public");
    assert_int_equal(desk.answer.problem_count, 3);
    CHECK_CONTAINS(told_of("--article"), "article");
    (void)told_of("--language");
    (void)told_of("--date");
    ASK_STATUS("invalid", "excerpt.add", "kind", "answer", "instrument", "UNTOC", "article", "9",
               "language", "en", "title", "T", "originator", "o", "date", "2026-03-01",
               "confidentiality", "public");
    CHECK_CONTAINS(desk.answer.problems[0].rule, "either --text or --text-file");
    ASK_OK("excerpt.list");
    assert_int_equal(answered_rows("excerpts"), 0);
}

static void an_excerpt_is_added_shown_replaced_and_retired(void **state)
{
    (void)state;
    char id[ID_TEXT_SIZE];
    desk_add_excerpt(id);
    ASK_OK("excerpt.show", "record", id);
    assert_string_equal(answered("excerpt", "title"), "Liaison magistrates");
    CHECK_CONTAINS(answered("text", ""), "They shorten requests.");
    desk_attach("text-file", "t.txt", SPAN_LITERAL("They shorten them by weeks."));
    ASK_OK("excerpt.add", "kind", "good-practice", "instrument", "UNTOC", "article", "18",
           "language", "en", "title", "Liaison magistrates", "originator", "Ministry of Justice",
           "date", "2026-03-02", "confidentiality", "internal", "replaces", id);
    assert_string_equal(answered("record", "version"), "2");
    ASK_OK("excerpt.show", "record", id, "version", "1");
    CHECK_CONTAINS(answered("text", ""), "They shorten requests.");
    ASK_STATUS("not-found", "stats.show", "record", id);
    CHECK_CONTAINS(desk.answer.error, "is an excerpt; next: comityctl stats list");
    ASK_OK("excerpt.retire", "record", id);
    ASK_OK("excerpt.list");
    assert_int_equal(answered_rows("excerpts"), 0);
    ASK_OK("excerpt.list", "retired", "yes", "instrument", "UNTOC", "article", "18");
    assert_int_equal(answered_rows("excerpts"), 1);
}

#define CSV_HEAD "kind,instrument,article,language,title,text,originator,date,confidentiality\n"
#define CSV_GOOD "answer,UNTOC,16,en,Extradition,Yes,MoJ,2026-01-01,public\n"
#define CSV_MORE "answer,UNTOC,18,en,Assistance,Yes,MoJ,2026-01-01,public\n"

static void all_problems_of_all_files_are_told_and_nothing_is_imported(void **state)
{
    (void)state;
    desk_attach("file", "good.csv", SPAN_LITERAL(CSV_HEAD CSV_GOOD));
    desk_attach("file", "bad.csv",
                SPAN_LITERAL(CSV_HEAD "answer,UNTOC,99,en,A,b,c,2026-01-01,public\n"
                                      "dance,UNTOC,16,en,A,b,c,yesterday,public\n"));
    ASK_STATUS("invalid", "excerpt.import");
    assert_true(desk.answer.problem_count >= 3);
    assert_string_equal(desk.answer.problems[0].file, "bad.csv");
    assert_int_equal(desk.answer.problems[0].line, 2);
    CHECK_CONTAINS(desk.answer.error, "nothing was imported");
    ASK_OK("excerpt.list");
    assert_int_equal(answered_rows("excerpts"), 0);
    desk_attach("file", "good.csv", SPAN_LITERAL(CSV_HEAD CSV_GOOD));
    desk_attach("file", "more.csv", SPAN_LITERAL(CSV_HEAD CSV_MORE));
    ASK_OK("excerpt.import");
    assert_int_equal(answered_rows("records"), 2);
}

#define SDMX_HEAD                                                                       \
    "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,REF_AREA,COUNTERPART_AREA,DIRECTION,COOP_TYPE," \
    "ASSIST_TYPE,LEGAL_BASIS,OFFENCE,INDICATOR,REASON,PROCEDURE,COHORT,UNIT_MEASURE,"   \
    "TIME_PERIOD,OBS_VALUE,OBS_STATUS\n"
#define SDMX_ROW(area, indicator, value)                                            \
    "dataflow,COMITY:DF_INTCOOP(1.0.0),I,A," area ",_T,IN,EXTR,_Z,_T,_T," indicator \
    ",_Z,_T,FLOW,REQ,2019," value ",A\n"

static void figures_are_imported_shown_exported_and_import_again_unchanged(void **state)
{
    (void)state;
    char id[ID_TEXT_SIZE];
    desk_attach("file", "au.csv", SPAN_LITERAL(SDMX_HEAD SDMX_ROW("AU", "NEW", "7")));
    assert_string_not_equal(ask("stats.import", "source", "MoJ", NULL), "ok"); /* not ours */
    desk_attach("file", "ke.csv",
                SPAN_LITERAL(SDMX_HEAD SDMX_ROW("KE", "NEW", "7") SDMX_ROW("KE", "GRANT", "x")));
    ASK_STATUS("invalid", "stats.import", "source", "MoJ");
    assert_int_equal(desk.answer.problems[0].line, 3);
    desk_attach("file", "ke.csv",
                SPAN_LITERAL(SDMX_HEAD SDMX_ROW("KE", "NEW", "7") SDMX_ROW("KE", "GRANT", "5")));
    ASK_STATUS("invalid", "stats.import");
    CHECK_CONTAINS(desk.answer.problems[0].rule, "the column SOURCE_AUTH is missing");
    desk_attach("file", "ke.csv",
                SPAN_LITERAL(SDMX_HEAD SDMX_ROW("KE", "NEW", "7") SDMX_ROW("KE", "GRANT", "5")));
    ASK_OK("stats.import", "source", "MoJ");
    (void)snprintf(id, sizeof(id), "%s", answered("releases", "id"));
    assert_string_equal(answered("releases", "observations"), "2");
    assert_string_equal(answered("releases", "period"), "2019");
    assert_string_equal(answered("releases", "source"), "MoJ");
    CHECK_CONTAINS(answered("releases", "title"), "2019, MoJ");
    ASK_OK("stats.show", "record", id);
    assert_int_equal(answered_rows("observations"), 2);
    ASK_OK("stats.export", "record", id);
    struct buf text = BUF_INIT;
    CHECK_OK(buf_append(&text, desk.answer.sections[0].content, &err), &err);
    desk_attach("file", "again.csv", buf_span(&text));
    ASK_OK("stats.import", "source", "MoJ");
    assert_string_equal(answered("releases", "outcome"), "unchanged");
    desk_attach("file", "a.csv", buf_span(&text));
    desk_attach("file", "b.csv", buf_span(&text));
    ASK_STATUS("invalid", "stats.import");
    CHECK_CONTAINS(desk.answer.error, "same dataset, period and source");
    buf_fini(&text);
    ASK_OK("report.cooperation");
    assert_int_equal(answered_rows("figures"), 0);
}

/* -- consents ---------------------------------------------------------------------------------- */

static void a_draft_tells_all_that_is_wrong_with_it(void **state)
{
    (void)state;
    ASK_STATUS("invalid", "consent.draft", "to", "AU", "record", "0123456789", "purpose",
               "peer-review", "until", "2027-12-31", "authority", "AG", "reference", "1", "form",
               "blurred", "select", "colour=red", "select", "words");
    assert_int_equal(desk.answer.problem_count, 4);
    CHECK_CONTAINS(desk.answer.error, "4 problems in the consent; no draft was made");
    ASK_STATUS("invalid", "consent.draft", "to", "AU", "purpose", "peer-review", "until",
               "2027-12-31", "authority", "AG", "reference", "1");
    CHECK_CONTAINS(desk.answer.problems[0].rule, "--record or --select");
    ASK_STATUS("invalid", "consent.draft", "to", "NZ", "select", "kind=excerpt", "purpose",
               "peer-review", "until", "2020-12-31", "authority", "AG", "reference", "1");
    assert_true(desk.answer.problem_count >= 3);
}

static void a_consent_goes_from_draft_to_revocation_by_two_people(void **state)
{
    (void)state;
    char record[ID_TEXT_SIZE];
    char consent[ID_TEXT_SIZE];
    char digest[2 * DIGEST_SIZE + 1];
    desk_accept("AU");
    desk_add_excerpt(record);
    desk_draft(record, "AU", consent);
    ASK_OK("consent.preview", "consent", consent);
    (void)snprintf(digest, sizeof(digest), "%s", answered("consent", "digest"));
    assert_string_equal(answered("records", "title"), "Liaison magistrates");
    assert_string_equal(answered("recipients", "code"), "AU");
    ASK_STATUS("state", "consent.approve", "consent", consent, "digest", digest);
    ASK_STATUS("conflict", "consent.propose", "consent", consent, "digest",
               "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
    ASK_OK("consent.propose", "consent", consent, "digest", digest);
    assert_string_equal(answered("consent", "digest"), digest);
    ASK_STATUS("denied", "consent.approve", "consent", consent, "digest", digest);
    desk_as(BERT, PERMIT_APPROVE);
    ASK_OK("inbox");
    assert_int_equal(answered_rows("tasks"), 1);
    ASK_OK("consent.reject", "consent", consent, "reason", "too long");
    desk_as(ANNE, PERMIT_PREPARE);
    ASK_OK("consent.propose", "consent", consent);
    (void)snprintf(digest, sizeof(digest), "%s", answered("consent", "digest"));
    desk_as(BERT, PERMIT_APPROVE);
    ASK_OK("consent.approve", "consent", consent, "digest", digest);
    assert_true(desk.admin.changed.queue);
    assert_string_equal(answered("consent", "queued"), "1");
    ASK_OK("consent.list", "state", "active");
    assert_string_equal(answered("consents", "recipients"), "AU");
    ASK_OK("consent.show", "consent", consent);
    assert_string_equal(answered("deliveries", "sent"), "0");
    ASK_OK("consent.revoke", "consent", consent, "reason", "published in error");
    assert_string_equal(answered("consent", "recalled"), "0");
    ASK_OK("consent.history", "consent", consent);
    assert_int_equal(answered_rows("events"), 6);
    ASK_OK("recalls", "all", "yes");
    ASK_OK("given");
    ASK_OK("journal.list", "limit", "1");
    assert_string_equal(answered("actions", "action"), "consent revoke");
    assert_string_equal(answered("actions", "result"), "ok");
}

/* -- journal, check, backup -------------------------------------------------------------------- */

static void actions_and_refusals_are_journalled_without_text_of_records(void **state)
{
    (void)state;
    char record[ID_TEXT_SIZE];
    desk_add_excerpt(record);
    desk_as(CARLA, PERMIT_READ);
    ASK_STATUS("denied", "peer.block", "peer", "AU");
    ASK_OK("excerpt.list");
    ASK_OK("journal.list");
    const struct reply_section *actions = &desk.answer.sections[0];
    assert_int_equal(actions->row_count, 2);
    const char **last = &actions->cells[actions->column_count];
    assert_string_equal(actions->cells[4], "excerpt add");
    CHECK_CONTAINS(actions->cells[7], "kind=good-practice");
    assert_null(strstr(actions->cells[7], "Liaison"));
    assert_string_equal(last[2], "1003");
    assert_string_equal(last[4], "peer block");
    assert_string_equal(last[5], "AU");
    assert_string_equal(last[6], "denied");
    ASK_OK("journal.list", "limit", "1");
    assert_int_equal(answered_rows("actions"), 1);
}

static void check_recomputes_and_finds_nothing_wrong(void **state)
{
    (void)state;
    char record[ID_TEXT_SIZE];
    desk_add_excerpt(record);
    ASK_OK("check");
    assert_string_equal(answered("check", "problems"), "0");
}

static void evidence_needs_to_know_which_entry(void **state)
{
    (void)state;
    ASK_STATUS("invalid", "evidence.export");
    CHECK_CONTAINS(desk.answer.error, "next: give ENTRY");
    ASK_STATUS("invalid", "evidence.export", "given-to", "AU", "received-from", "AU", "index", "0");
    ASK_STATUS("not-found", "evidence.export", "given-to", "AU", "index", "0");
    ASK_STATUS("not-found", "evidence.export", "entry", "0123456789");
    ASK_STATUS("not-found", "received.show", "record", "0123456789");
}

static void ones_own_card_comes_with_the_fingerprint_to_read_out(void **state)
{
    (void)state;
    struct pki_state pki;
    char fingerprint[FINGERPRINT_TEXT_SIZE];
    pki_init(&pki, "training", "KE");
    struct buf card = desk_card(&pki, "Kenya");
    desk.admin.card = SPAN_EMPTY;
    ASK_STATUS("not-found", "peer.card");
    CHECK_CONTAINS(desk.answer.error, "next: put card.pem");
    desk.admin.card = buf_span(&card);
    ASK_OK("peer.card");
    desk_fingerprint(&pki, fingerprint);
    const struct reply_section *node = &desk.answer.sections[0];
    assert_string_equal(node->name, "node");
    assert_string_equal(node->cells[node->column_count - 1], fingerprint);
    bool has_file = false;
    for (size_t i = 0; i < desk.answer.section_count; i++)
        has_file |= desk.answer.sections[i].kind == SECTION_BLOB &&
                    strcmp(desk.answer.sections[i].file_name, "KE.card") == 0;
    assert_true(has_file);
    desk.admin.card = SPAN_EMPTY;
    buf_fini(&card);
    pki_fini(&pki);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, desk_set_up, desk_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_operation_refuses_a_smaller_permit_than_it_needs),
        TEST(every_operation_refuses_every_bad_value_by_the_option_as_typed),
        TEST(every_operation_refuses_unknown_and_missing_arguments_at_once),
        TEST(every_operation_answers_whatever_is_not_there),
        TEST(an_unknown_operation_and_bytes_that_are_none_are_answered),
        TEST(the_choices_are_the_words_of_the_layers_that_know_them),
        TEST(an_excerpt_with_problems_is_not_added),
        TEST(an_excerpt_is_added_shown_replaced_and_retired),
        TEST(all_problems_of_all_files_are_told_and_nothing_is_imported),
        TEST(figures_are_imported_shown_exported_and_import_again_unchanged),
        TEST(a_draft_tells_all_that_is_wrong_with_it),
        TEST(a_consent_goes_from_draft_to_revocation_by_two_people),
        TEST(actions_and_refusals_are_journalled_without_text_of_records),
        TEST(check_recomputes_and_finds_nothing_wrong),
        TEST(evidence_needs_to_know_which_entry),
        TEST(ones_own_card_comes_with_the_fingerprint_to_read_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
