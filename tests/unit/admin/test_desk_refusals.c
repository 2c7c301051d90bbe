/* What a person at the desk may take for granted and must not get: a guess which of two is meant, a
 * list that is cut unseen, an approval of what has changed. */
#include "admin_desk.h"

static char consent_id[ID_TEXT_SIZE];
static char digest_text[2 * DIGEST_SIZE + 1];

static void draft_and_propose(const char *record, const char *to)
{
    desk_as(ANNE, PERMIT_APPROVE);
    desk_draft(record, to, consent_id);
    ASK_OK("consent.propose", "consent", consent_id);
    (void)snprintf(digest_text, sizeof(digest_text), "%s", answered("consent", "digest"));
}

/* The digits that both begin with. */
static const char *common(const char *a, const char *b)
{
    static char digits[ID_TEXT_SIZE];
    size_t same = 0;
    while (a[same] != '\0' && a[same] == b[same])
        same++;
    assert_true(same >= 6); /* ids begin with the time */
    (void)snprintf(digits, sizeof(digits), "%.*s", (int)same, a);
    return digits;
}

static void a_selection_that_says_one_thing_twice_or_nothing_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *words, *rule;
    } rows[] = {
        { "article=16 instrument=UNTOC article=18", "'article' is given twice" },
        { "kind=answer  kind=answer", "'kind' is given twice" },
        { "   ", "at least one NAME=VALUE" },
        { "article=", "is empty" },
        { "article=UNTOC:41x", "not a number" },
        { "article=UNTOC:42", "has 41 articles" },
        { "article=ABC:4", "is not one of" },
        { "kind=rumour", "neither excerpt nor release" },
    };
    desk_accept("AU");
    for (size_t i = 0; i < COUNT(rows); i++) {
        ASK_STATUS("invalid", "consent.draft", "to", "AU", "select", rows[i].words, "purpose",
                   "peer-review", "until", "2027-12-31", "authority", "AG", "reference", "1");
        CHECK_CONTAINS(told_of("--select"), rows[i].rule);
    }
    ASK_OK("consent.list");
    assert_int_equal(answered_rows("consents"), 0);
}

static void digits_that_fit_two_change_neither(void **state)
{
    (void)state;
    char first[ID_TEXT_SIZE], second[ID_TEXT_SIZE], first_consent[ID_TEXT_SIZE];
    desk_accept("AU");
    desk_add_excerpt(first);
    ASK_OK("excerpt.add", "kind", "good-practice", "instrument", "UNTOC", "article", "18",
           "language", "en", "title", "Another", "text", "Text.", "originator", "MoJ", "date",
           "2026-03-01", "confidentiality", "internal");
    (void)snprintf(second, sizeof(second), "%s", answered("record", "id"));
    ASK_STATUS("conflict", "excerpt.retire", "record", common(first, second));
    CHECK_CONTAINS(desk.answer.error, "next: ");
    ASK_OK("excerpt.list");
    assert_int_equal(answered_rows("excerpts"), 2);
    desk_draft(first, "AU", first_consent);
    desk_draft(second, "AU", consent_id);
    ASK_STATUS("conflict", "consent.revoke", "consent", common(first_consent, consent_id), "reason",
               "which of them?");
    ASK_OK("consent.list", "state", "draft");
    assert_int_equal(answered_rows("consents"), 2);
}

static void a_list_of_many_recipients_is_cut_and_says_by_how_many(void **state)
{
    (void)state;
    enum { MANY = 12 };
    char record[ID_TEXT_SIZE], codes[MANY][16];
    struct request_argument words[MANY + 8];
    size_t count = 0;
    desk_add_excerpt(record);
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(codes[i], sizeof(codes[i]), "ASSOCIATION%c", 'A' + i);
        desk_accept(codes[i]);
        words[count++] = (struct request_argument){ "to", codes[i] };
    }
    static const struct request_argument rest[] = {
        { "purpose", "peer-review" },
        { "until", "2027-12-31" },
        { "authority", "AG" },
        { "reference", "1" },
    };
    for (size_t i = 0; i < COUNT(rest); i++)
        words[count++] = rest[i];
    words[count++] = (struct request_argument){ "record", record };
    const struct request request = { .operation = "consent.draft",
                                     .arguments = words,
                                     .argument_count = count };
    struct buf frame = BUF_INIT;
    CHECK_OK(request_encode(&request, &frame, &err), &err);
    desk_serve(span_slice(buf_span(&frame), FRAME_HEAD_SIZE, frame.size));
    buf_fini(&frame);
    assert_string_equal(desk.answer.status, "ok");
    ASK_OK("consent.list");
    CHECK_CONTAINS(answered("consents", "recipients"), "ASSOCIATIONA ASSOCIATIONB");
    CHECK_CONTAINS(answered("consents", "recipients"), " +4");
}

static void what_changed_since_it_was_proposed_is_named_and_not_approved(void **state)
{
    (void)state;
    char record[ID_TEXT_SIZE];
    desk_accept("AU");
    desk_add_excerpt(record);
    draft_and_propose(record, "AU");
    ASK_OK("consent.preview", "consent", consent_id);
    assert_string_equal(answered("consent", "digest"), digest_text);
    CHECK_CONTAINS(answered("notes", ""), "comityctl consent approve");
    ASK_OK("excerpt.add", "kind", "good-practice", "instrument", "UNTOC", "article", "18",
           "language", "en", "title", "Liaison magistrates", "text", "They lengthen requests.",
           "originator", "Ministry of Justice", "date", "2026-03-02", "confidentiality", "internal",
           "replaces", record);
    desk_as(BERT, PERMIT_APPROVE);
    ASK_OK("consent.approve", "consent", consent_id, "digest", digest_text);
    ASK_OK("consent.show", "consent", consent_id); /* a new version was not approved with it */
    assert_string_equal(answered("records", "version"), "1");
    draft_and_propose(record, "AU");
    ASK_OK("excerpt.retire", "record", record);
    desk_as(BERT, PERMIT_APPROVE);
    ASK_STATUS("conflict", "consent.approve", "consent", consent_id, "digest", digest_text);
    CHECK_CONTAINS(answered("changes", ""), "has been retired");
    ASK_OK("consent.show", "consent", consent_id);
    assert_string_equal(answered("consent", "state"), "proposed");
}

static void status_names_the_next_command_for_each_peer_and_not_for_forgotten_ones(void **state)
{
    (void)state;
    desk_accept("AU");
    desk_accept("GB");
    desk_accept("IE");
    desk_as(CARLA, PERMIT_PREPARE);
    ASK_OK("peer.block", "peer", "GB");
    ASK_OK("peer.forget", "peer", "IE");
    ASK_OK("status");
    assert_int_equal(answered_rows("peers"), 2);
    assert_string_equal(answered("peers", "code"), "AU");
    assert_string_equal(answered("peers", "command"), "-");
    ASK_OK("hold", "peer", "AU");
    ASK_OK("status");
    assert_string_equal(answered("peers", "command"), "comityctl release AU");
    ASK_OK("peer.forget", "peer", "AU");
    ASK_OK("status");
    assert_int_equal(answered_rows("peers"), 1);
    assert_string_equal(answered("peers", "state"), "blocked");
    assert_string_equal(answered("peers", "command"), "comityctl peer show GB");
}

static void a_filter_that_can_find_nothing_is_refused_and_not_answered_with_none(void **state)
{
    (void)state;
    static const struct {
        const char *operation, *name, *value, *rule;
    } rows[] = {
        { "report.cooperation", "indicator", "FOO", "an indicator is OPEN, NEW" },
        { "report.cooperation", "type", "EX", "a type of cooperation is EXTR" },
        { "report.cooperation", "direction", "UP", "a direction is OUT, IN" },
        { "report.cooperation", "period", "last year", "a period begins with its year, as 2019" },
        { "report.cooperation", "period", "20x9", "a period begins with its year, as 2019" },
        { "excerpt.list", "article", "0", "must be a whole number from 1 to 99" },
        { "journal.list", "limit", "0", "must be a whole number from 1 to 10000" },
    };
    char option[64];
    for (size_t i = 0; i < COUNT(rows); i++) {
        ASK_STATUS("invalid", rows[i].operation, rows[i].name, rows[i].value);
        (void)snprintf(option, sizeof(option), "--%s", rows[i].name);
        CHECK_CONTAINS(told_of(option), rows[i].rule);
    }
    ASK_STATUS("invalid", "excerpt.list", "article", "42");
    CHECK_CONTAINS(desk.answer.error, "UNTOC has articles 1 to 41, and no article 42");
    ASK_STATUS("invalid", "excerpt.list", "article", "21", "instrument", "TIP");
    CHECK_CONTAINS(desk.answer.error, "TIP has articles 1 to 20");
    ASK_OK("excerpt.list", "article", "41");
}

static void a_list_about_a_peer_that_is_not_there_begins_no_table(void **state)
{
    (void)state;
    static const struct {
        const char *operation, *name, *also, *value;
    } rows[] = {
        { "given", "to", "record", "0123456789" },
        { "received", "from", NULL, NULL },
        { "received.show", "from", "record", "0123456789" },
        { "report.cooperation", "from", "from", "AU" },
        { "evidence.export", "given-to", "index", "0" },
        { "evidence.export", "received-from", "index", "0" },
    };
    desk_accept("AU");
    for (size_t i = 0; i < COUNT(rows); i++) {
        ASK_STATUS("not-found", rows[i].operation, rows[i].name, "NZ", rows[i].also, rows[i].value);
        assert_int_equal(desk.answer.section_count, 0);
        CHECK_CONTAINS(desk.answer.error, "no peer NZ is known here; next: comityctl peer list");
        ASK_STATUS("not-found", rows[i].operation, rows[i].name, "KE", rows[i].also, rows[i].value);
        assert_int_equal(desk.answer.section_count, 0);
        CHECK_CONTAINS(desk.answer.error, "KE is this node itself; next: comityctl excerpt list");
    }
    ASK_STATUS("not-found", "report.cooperation", "from", "AU", "from", "NZ");
    CHECK_CONTAINS(desk.answer.error, "no peer NZ");
}

static void evidence_of_an_entry_takes_no_second_way_to_name_one(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value;
    } ways[] = { { "index", "3" }, { "given-to", "AU" }, { "received-from", "AU" } };
    for (size_t i = 0; i < COUNT(ways); i++) {
        ASK_STATUS("invalid", "evidence.export", "entry", "0123456789", ways[i].name,
                   ways[i].value);
        CHECK_CONTAINS(desk.answer.error, ways[i].name);
        CHECK_CONTAINS(desk.answer.error, "do not go together; next: give ENTRY alone");
    }
}

static void a_problem_of_a_draft_is_told_once(void **state)
{
    (void)state;
    char record[ID_TEXT_SIZE];
    desk_add_excerpt(record);
    ASK_STATUS("not-found", "consent.draft", "to", "NZ", "record", record, "purpose", "peer-review",
               "until", "2027-12-31", "authority", "AG", "reference", "1");
    assert_int_equal(desk.answer.problem_count, 1);
    CHECK_CONTAINS(desk.answer.problems[0].rule, "recipient NZ: no such peer is known");
    assert_string_equal(desk.answer.error, "1 problem in the consent; no draft was made");
}

static void a_command_for_releases_retires_no_excerpt(void **state)
{
    (void)state;
    char record[ID_TEXT_SIZE];
    desk_add_excerpt(record);
    ASK_STATUS("not-found", "stats.retire", "record", record);
    CHECK_CONTAINS(desk.answer.error, "is an excerpt; next: comityctl stats list");
    ASK_OK("excerpt.list");
    assert_int_equal(answered_rows("excerpts"), 1);
    ASK_OK("excerpt.retire", "record", record);
}

static void what_is_no_draft_is_refused_with_its_state_whatever_its_digest(void **state)
{
    (void)state;
    char record[ID_TEXT_SIZE];
    desk_accept("AU");
    desk_add_excerpt(record);
    draft_and_propose(record, "AU");
    digest_text[0] = digest_text[0] == '0' ? '1' : '0';
    ASK_STATUS("state", "consent.propose", "consent", consent_id, "digest", digest_text);
    CHECK_CONTAINS(desk.answer.error, "cannot propose a consent that is proposed");
    ASK_OK("peer.show", "peer", "AU");
    assert_string_equal(answered("peer", "crl_number"), "1"); /* as its card says */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, desk_set_up, desk_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_selection_that_says_one_thing_twice_or_nothing_is_refused),
        TEST(digits_that_fit_two_change_neither),
        TEST(a_filter_that_can_find_nothing_is_refused_and_not_answered_with_none),
        TEST(a_list_about_a_peer_that_is_not_there_begins_no_table),
        TEST(evidence_of_an_entry_takes_no_second_way_to_name_one),
        TEST(a_problem_of_a_draft_is_told_once),
        TEST(a_command_for_releases_retires_no_excerpt),
        TEST(what_is_no_draft_is_refused_with_its_state_whatever_its_digest),
        TEST(a_list_of_many_recipients_is_cut_and_says_by_how_many),
        TEST(what_changed_since_it_was_proposed_is_named_and_not_approved),
        TEST(status_names_the_next_command_for_each_peer_and_not_for_forgotten_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
