/* What came from another node, as its people see it: shown, refused, proved, laid side by side. */
#include "admin_pair.h"

static char excerpt_id[ID_TEXT_SIZE]; /* at KE */
static char release_id[ID_TEXT_SIZE];
static char excerpt_consent[ID_TEXT_SIZE];
static char release_consent[ID_TEXT_SIZE];

/* An excerpt and figures have come to UNODC. */
static void deliver_both(const char *purpose, const char *attribution)
{
    struct id record = add_excerpt(&ke, "Extradition of nationals");
    text_of(&record, excerpt_id);
    give_by_desk(excerpt_id, "peer-review", "unnamed", excerpt_consent);
    import_figures(
        &at_ke, PAIR_CSV_HEAD PAIR_CSV_ROW("NEW", "2019", "93") PAIR_CSV_ROW("GRANT", "2019", "41"),
        release_id);
    give_by_desk(release_id, purpose, attribution, release_consent);
    connect_nodes();
}

/* The id, at UNODC, of what came of this kind. */
static const char *received_id(const char *kind)
{
    static char id[ID_TEXT_SIZE];
    ASK(&at_un, "ok", "received");
    for (size_t i = 0; i < answered_rows(&at_un, "received"); i++)
        if (strcmp(answered_at(&at_un, "received", i, "kind"), kind) == 0)
            (void)snprintf(id, sizeof(id), "%s", answered_at(&at_un, "received", i, "record"));
    return id;
}

static void common_digits(const char *a, const char *b, char ret_digits[ID_TEXT_SIZE])
{
    size_t same = 0;
    while (a[same] != '\0' && a[same] == b[same])
        same++;
    assert_true(same >= 6); /* ids of one pair begin with the time */
    (void)snprintf(ret_digits, ID_TEXT_SIZE, "%.*s", (int)same, a);
}

static void what_was_never_received_is_not_shown(void **state)
{
    (void)state;
    deliver_both("cooperation", "named");
    ASK(&at_un, "not-found", "received.show", "record", "abcdef0123456789");
    CHECK_CONTAINS(at_un.answer.error, "next: comityctl received --all");
    ASK(&at_un, "not-found", "received.show", "record", received_id("answer"), "from", "AU");
    CHECK_CONTAINS(at_un.answer.error, "no peer AU");
    ASK(&at_ke, "ok", "received");
    assert_int_equal(answered_rows(&at_ke, "received"), 0);
}

static void digits_that_fit_two_things_show_neither(void **state)
{
    (void)state;
    deliver_both("cooperation", "named");
    char digits[ID_TEXT_SIZE];
    ASK(&at_un, "ok", "received");
    common_digits(answered_at(&at_un, "received", 0, "entry"),
                  answered_at(&at_un, "received", 1, "entry"), digits);
    ASK(&at_un, "conflict", "evidence.export", "entry", digits);
    CHECK_CONTAINS(at_un.answer.error, "next: type more of its digits");
    assert_true(answered_rows(&at_un, "candidates") >= 2);
    assert_string_equal(answered_at(&at_un, "candidates", 0, "direction"), "received from");
    assert_string_equal(answered_at(&at_un, "candidates", 0, "peer"), "KE");
    ASK(&at_un, "ok", "received");
    common_digits(answered_at(&at_un, "received", 0, "record"),
                  answered_at(&at_un, "received", 1, "record"), digits);
    ASK(&at_un, "conflict", "received.show", "record", digits);
    CHECK_CONTAINS(at_un.answer.error, "next: type more of them");
}

static void an_excerpt_and_figures_are_shown_with_their_terms(void **state)
{
    (void)state;
    deliver_both("cooperation", "named");
    ASK(&at_un, "ok", "received.show", "record", received_id("answer"), "from", "KE");
    assert_string_equal(answered(&at_un, "received", "from"), "KE");
    CHECK_CONTAINS(answered(&at_un, "text", ""), "Nationals are extradited.");
    CHECK_CONTAINS(answered(&at_un, "terms", ""), "Attorney General");
    ASK(&at_un, "ok", "received.show", "record", received_id("release"));
    assert_int_equal(answered_rows(&at_un, "observations"), 2);
    ASK(&at_un, "ok", "received", "from", "KE", "all", "yes");
    assert_int_equal(answered_rows(&at_un, "received"), 2);
    ASK(&at_un, "not-found", "received", "from", "AU");
    CHECK_CONTAINS(answered_at(&at_ke, "consent", 0, "queued"), "1");
}

static void what_two_consents_cover_is_shown_once(void **state)
{
    (void)state;
    char again[ID_TEXT_SIZE];
    deliver_both("cooperation", "named");
    give_by_desk(excerpt_id, "cooperation", "named", again);
    connect_nodes();
    ASK(&at_un, "ok", "received.show", "record", received_id("answer"));
    CHECK_CONTAINS(answered(&at_un, "text", ""), "Nationals are extradited.");
}

static void what_was_revoked_says_that_it_may_not_be_used(void **state)
{
    (void)state;
    char id[ID_TEXT_SIZE];
    deliver_both("cooperation", "named");
    (void)snprintf(id, sizeof(id), "%s", received_id("answer"));
    ASK(&at_ke, "ok", "consent.revoke", "consent", excerpt_consent, "reason", "an error");
    ASK(&at_ke, "ok", "recalls");
    assert_int_equal(answered_rows(&at_ke, "recalls"), 1);
    assert_string_equal(answered(&at_ke, "recalls", "holder"), "UNODC");
    connect_nodes();
    ASK(&at_un, "denied", "received.show", "record", id);
    CHECK_CONTAINS(at_un.answer.error, "may not be used");
    ASK(&at_un, "ok", "received");
    assert_int_equal(answered_rows(&at_un, "received"), 1);
    ASK(&at_un, "ok", "received", "all", "yes");
    assert_int_equal(answered_rows(&at_un, "received"), 2);
    ASK(&at_ke, "ok", "recalls");
    assert_int_equal(answered_rows(&at_ke, "recalls"), 0);
    ASK(&at_ke, "ok", "recalls", "all", "yes");
    assert_int_equal(answered_rows(&at_ke, "recalls"), 1);
}

static void given_is_narrowed_by_recipient_record_and_consent(void **state)
{
    (void)state;
    deliver_both("cooperation", "named");
    static const struct {
        const char *name;
        const char *value;
        size_t rows;
    } cases[] = {
        { "to", "UNODC", 2 },
        { "record", excerpt_id, 1 },
        { "consent", release_consent, 1 },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        ASK(&at_ke, "ok", "given", cases[i].name, cases[i].value);
        assert_int_equal(answered_rows(&at_ke, "given"), cases[i].rows);
    }
    ASK(&at_ke, "ok", "given", "record", excerpt_id);
    assert_string_equal(answered(&at_ke, "given", "title"), "Extradition of nationals");
    ASK(&at_ke, "not-found", "given", "to", "AU");
    ASK(&at_ke, "not-found", "given", "record", "abcdef0123");
    ASK(&at_ke, "not-found", "given", "consent", "abcdef0123");
}

static void evidence_is_found_by_entry_and_by_place_from_both_sides(void **state)
{
    (void)state;
    char entry[ID_TEXT_SIZE];
    deliver_both("cooperation", "named");
    ASK(&at_ke, "ok", "given", "record", excerpt_id);
    (void)snprintf(entry, sizeof(entry), "%s", answered(&at_ke, "given", "entry"));
    const char *place = answered(&at_ke, "given", "index");
    ASK(&at_un, "ok", "evidence.export", "received-from", "KE", "index", place, "with-content",
        "yes");
    ASK(&at_ke, "ok", "evidence.export", "entry", entry);
    ASK(&at_ke, "ok", "evidence.export", "entry", entry, "with-content", "yes");
    ASK(&at_un, "ok", "evidence.export", "entry", entry);
    ASK(&at_ke, "ok", "evidence.export", "given-to", "UNODC", "index", "0");
    ASK(&at_ke, "not-found", "evidence.export", "given-to", "UNODC", "index", "99");
    CHECK_CONTAINS(at_ke.answer.error, "entries, from 0");
    ASK(&at_un, "not-found", "evidence.export", "given-to", "KE", "index", "99");
    ASK(&at_ke, "not-found", "evidence.export", "received-from", "AU", "index", "0");
    ASK(&at_ke, "invalid", "evidence.export", "given-to", "UNODC");
    ASK(&at_ke, "invalid", "evidence.export", "given-to", "UNODC", "received-from", "UNODC",
        "index", "0");
}

static void figures_stand_side_by_side_only_when_their_terms_allow_it(void **state)
{
    (void)state;
    deliver_both("cooperation", "named");
    ASK(&at_un, "ok", "report.cooperation");
    assert_int_equal(answered_rows(&at_un, "figures"), 2);
    assert_string_equal(answered_at(&at_un, "figures", 0, "KE"), "41"); /* GRANT before NEW */
    assert_string_equal(answered_at(&at_un, "figures", 1, "KE"), "93");
    CHECK_CONTAINS(answered(&at_un, "common", "COOP_TYPE"), "EXTR");
    ASK(&at_un, "ok", "report.cooperation", "indicator", "GRANT", "from", "KE");
    assert_int_equal(answered_rows(&at_un, "figures"), 1);
    assert_string_equal(answered(&at_un, "figures", "KE"), "41");
    ASK(&at_un, "not-found", "report.cooperation", "from", "KE", "from", "GB");
    ASK(&at_un, "ok", "report.cooperation", "type", "MLA", "direction", "OUT", "period", "2018");
    assert_int_equal(answered_rows(&at_un, "figures"), 0);
}

static void figures_of_an_unnamed_state_are_left_out_and_that_is_said(void **state)
{
    (void)state;
    deliver_both("cooperation", "unnamed");
    ASK(&at_un, "ok", "report.cooperation");
    assert_int_equal(answered_rows(&at_un, "figures"), 0);
    CHECK_CONTAINS(answered(&at_un, "notes", ""), "do not allow naming the State");
}

static void figures_for_another_purpose_are_left_out_and_that_is_said(void **state)
{
    (void)state;
    deliver_both("peer-review", "named");
    ASK(&at_un, "ok", "report.cooperation");
    assert_int_equal(answered_rows(&at_un, "figures"), 0);
    CHECK_CONTAINS(answered(&at_un, "notes", ""), "since given for another purpose");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_set_up, pair_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_was_never_received_is_not_shown),
        TEST(digits_that_fit_two_things_show_neither),
        TEST(an_excerpt_and_figures_are_shown_with_their_terms),
        TEST(what_two_consents_cover_is_shown_once),
        TEST(what_was_revoked_says_that_it_may_not_be_used),
        TEST(given_is_narrowed_by_recipient_record_and_consent),
        TEST(evidence_is_found_by_entry_and_by_place_from_both_sides),
        TEST(figures_stand_side_by_side_only_when_their_terms_allow_it),
        TEST(figures_of_an_unnamed_state_are_left_out_and_that_is_said),
        TEST(figures_for_another_purpose_are_left_out_and_that_is_said),
    };
    return cmocka_run_group_tests_name("received", tests, NULL, NULL);
}
