/* What an official is shown of a node that is not as it should be: damage, a feed that was set
 * back, a peer that is called in vain, records that are retired, more problems than anybody reads.
 */
#include "admin_pair.h"

#include <sqlite3.h>

/* An insider's hand in UNODC's database, past the node. */
static void tamper_at_un(const char *sql)
{
    sqlite3 *database = NULL;
    store_close(un.store);
    assert_int_equal(sqlite3_open(store_place_path(&un.place, "comity.db"), &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_true(sqlite3_changes(database) > 0);
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
    node_open(&un, false);
}

static void a_check_that_finds_damage_is_no_success(void **state)
{
    (void)state;
    give_one();
    connect_nodes();
    ASK(&at_un, "ok", "check");
    assert_string_equal(answered(&at_un, "check", "problems"), "0");
    tamper_at_un("UPDATE feed SET root = zeroblob(32) WHERE direction = 2");
    ASK(&at_un, "mismatch", "check");
    CHECK_CONTAINS(at_un.answer.error, "stored bytes are not what they must be; next: stop");
    assert_string_not_equal(answered(&at_un, "check", "problems"), "0");
    assert_true(strlen(answered(&at_un, "found", "")) > 0);
}

static void a_peer_that_is_called_in_vain_is_not_shown_as_connected(void **state)
{
    (void)state;
    struct admin_link links[] = {
        { .code = { "AU" }, .connected = true },
        { .code = un.code, .dialling = true, .last_error = "connection refused" },
    };
    at_ke.admin.links = links;
    at_ke.admin.link_count = COUNT(links);
    ASK(&at_ke, "ok", "status");
    assert_int_equal(answered_rows(&at_ke, "peers"), 1);
    assert_string_equal(answered(&at_ke, "peers", "connected"), "calling");
    assert_string_equal(answered(&at_ke, "peers", "problem"), "connection refused");
    ASK(&at_ke, "ok", "peer.list");
    assert_string_equal(answered(&at_ke, "peers", "connected"), "no");
    links[1].dialling = false;
    links[1].connected = true; /* and the error is one of before */
    ASK(&at_ke, "ok", "status");
    assert_string_equal(answered(&at_ke, "peers", "connected"), "yes");
    assert_string_equal(answered(&at_ke, "peers", "problem"), "-");
    ASK(&at_ke, "ok", "peer.list");
    assert_string_equal(answered(&at_ke, "peers", "connected"), "yes");
    ASK(&at_ke, "ok", "peer.show", "peer", "UNODC");
    assert_string_equal(answered(&at_ke, "peer", "connected"), "yes");
}

static void a_peer_without_name_and_address_is_shown_with_dashes(void **state)
{
    (void)state;
    struct peer_row row = peer_of(&ke, &un);
    row.name[0] = '\0';
    row.address[0] = '\0';
    set_peer(&ke, &row);
    ASK(&at_ke, "ok", "peer.list");
    assert_string_equal(answered(&at_ke, "peers", "name"), "-");
    assert_string_equal(answered(&at_ke, "peers", "address"), "-");
    ASK(&at_ke, "ok", "peer.show", "peer", "UNODC");
    assert_string_equal(answered(&at_ke, "peer", "name"), "-");
    (void)snprintf(row.address, sizeof(row.address), "unodc.example:7400");
    set_peer(&ke, &row);
    ASK(&at_ke, "ok", "peer.list");
    assert_string_equal(answered(&at_ke, "peers", "address"), "unodc.example:7400");
    ASK(&at_ke, "ok", "peer.show", "peer", "UNODC");
    assert_string_equal(answered(&at_ke, "peer", "address"), "unodc.example:7400");
}

static void every_one_of_many_peers_is_listed_with_what_is_to_do_about_it(void **state)
{
    (void)state;
    enum { MANY = 40 }; /* more than two pages */
    static const enum peer_state states[] = { PEER_PENDING, PEER_ADDED, PEER_BLOCKED,
                                              PEER_FORGOTTEN };
    size_t shown = 1; /* UNODC */
    for (int i = 0; i < MANY; i++) {
        struct peer_row row = { .realm = { "training" }, .state = states[i % 4] };
        int64_t peer_id = 0;
        (void)snprintf(row.code.text, sizeof(row.code.text), "ORG%c%c", 'A' + i / 26, 'A' + i % 26);
        tx_begin(&ke);
        CHECK_OK(peer_rows_add(ke.store, &row, &peer_id, &err), &err);
        tx_commit(&ke);
        shown += row.state == PEER_FORGOTTEN ? 0 : 1;
    }
    ASK(&at_ke, "ok", "status");
    assert_int_equal(answered_rows(&at_ke, "peers"), shown);
    static const char *const wanted[][2] = { { "ORGAA", "comityctl peer add CARD" },
                                             { "ORGAB", "comityctl peer show ORGAB" },
                                             { "ORGAC", "comityctl peer show ORGAC" } };
    for (size_t i = 0; i < COUNT(wanted); i++) {
        assert_string_equal(answered_at(&at_ke, "peers", i, "code"), wanted[i][0]);
        assert_string_equal(answered_at(&at_ke, "peers", i, "command"), wanted[i][1]);
    }
    ASK(&at_ke, "ok", "peer.list");
    assert_int_equal(answered_rows(&at_ke, "peers"), MANY + 1);
    assert_string_equal(answered_at(&at_ke, "peers", MANY, "code"), "UNODC");
}

static void a_feed_that_was_set_back_is_shown_as_such_until_its_next_epoch(void **state)
{
    (void)state;
    struct store_place saved;
    give_around_copy(&saved);
    node_roll_back(&ke, &saved, false); /* the heads file tells it */
    ASK(&at_ke, "ok", "peer.show", "peer", "UNODC");
    assert_string_equal(answered(&at_ke, "feeds", "direction"), "to it");
    assert_string_equal(answered(&at_ke, "feeds", "state"), "rolled back");
    connect_nodes();
    connect_nodes();
    ASK(&at_ke, "ok", "peer.show", "peer", "UNODC");
    assert_string_equal(answered_at(&at_ke, "feeds", 0, "state"), "old");
    assert_string_equal(answered_at(&at_ke, "feeds", 1, "state"), "active");
    ASK(&at_un, "ok", "peer.show", "peer", "KE");
    assert_string_equal(answered(&at_un, "feeds", "direction"), "from it");
}

static void records_that_are_retired_are_listed_only_when_asked_for(void **state)
{
    (void)state;
    char excerpt[ID_TEXT_SIZE], release[ID_TEXT_SIZE];
    struct id record = add_excerpt(&ke, "Extradition of nationals");
    text_of(&record, excerpt);
    import_figures(&at_ke, PAIR_CSV_HEAD PAIR_CSV_ROW("NEW", "2019", "93"), release);
    ASK(&at_ke, "not-found", "excerpt.retire", "record", release);
    CHECK_CONTAINS(at_ke.answer.error, "is a release; next: comityctl excerpt list");
    ASK(&at_ke, "ok", "excerpt.retire", "record", excerpt);
    ASK(&at_ke, "ok", "stats.retire", "record", release);
    ASK(&at_ke, "ok", "excerpt.list");
    assert_int_equal(answered_rows(&at_ke, "excerpts"), 0);
    ASK(&at_ke, "ok", "excerpt.list", "retired", "yes");
    assert_string_equal(answered(&at_ke, "excerpts", "state"), "retired");
    ASK(&at_ke, "ok", "stats.list", "retired", "yes");
    assert_string_equal(answered(&at_ke, "releases", "state"), "retired");
}

static void figures_that_were_withdrawn_stand_in_no_report(void **state)
{
    (void)state;
    static const char *const purposes[] = { "aggregate", "cooperation" };
    static const char *const values[] = { PAIR_CSV_HEAD PAIR_CSV_ROW("NEW", "2019", "93"),
                                          PAIR_CSV_HEAD PAIR_CSV_ROW("NEW", "2020", "95") };
    char excerpt[ID_TEXT_SIZE], release[ID_TEXT_SIZE], consents[2][ID_TEXT_SIZE];
    struct id record = add_excerpt(&ke, "Extradition of nationals");
    text_of(&record, excerpt);
    give_by_desk(excerpt, "peer-review", "named", consents[0]);
    for (size_t i = 0; i < COUNT(purposes); i++) {
        import_figures(&at_ke, values[i], release);
        give_by_desk(release, purposes[i], "named", consents[i]);
    }
    connect_nodes();
    ASK(&at_un, "ok", "report.cooperation");
    assert_int_equal(answered_rows(&at_un, "figures"), 2);
    ASK(&at_ke, "ok", "consent.revoke", "consent", consents[0], "reason", "an error");
    connect_nodes();
    ASK(&at_un, "ok", "report.cooperation");
    assert_int_equal(answered_rows(&at_un, "figures"), 1);
    assert_string_equal(answered(&at_un, "figures", "KE"), "95");
    ASK(&at_ke, "ok", "consent.revoke", "consent", consents[1], "reason", "an error");
    connect_nodes();
    ASK(&at_un, "ok", "report.cooperation");
    assert_int_equal(answered_rows(&at_un, "figures"), 0);
}

/* What one consent gave is still shown when another, of the same record, has ended. */
static void a_record_under_two_consents_is_shown_until_both_have_ended(void **state)
{
    (void)state;
    char excerpt[ID_TEXT_SIZE], consents[2][ID_TEXT_SIZE], held[ID_TEXT_SIZE];
    struct id record = add_excerpt(&ke, "Extradition of nationals");
    text_of(&record, excerpt);
    give_by_desk(excerpt, "peer-review", "named", consents[0]);
    connect_nodes();
    give_by_desk(excerpt, "aggregate", "named", consents[1]);
    connect_nodes();
    ASK(&at_un, "ok", "received");
    (void)snprintf(held, sizeof(held), "%s", answered(&at_un, "received", "record"));
    for (size_t i = 0; i < COUNT(consents); i++) {
        ASK(&at_un, "ok", "received.show", "record", held);
        ASK(&at_ke, "ok", "consent.revoke", "consent", consents[i], "reason", "an error");
        connect_nodes();
    }
    ASK(&at_un, "denied", "received.show", "record", held);
}

static void more_problems_than_are_listed_are_counted(void **state)
{
    (void)state;
    enum { LINES = PROBLEMS_MAX + 50 };
    struct buf csv = BUF_INIT;
    CHECK_OK(buf_append_text(
                 &csv,
                 "kind,instrument,article,language,title,text,originator,date,confidentiality\n",
                 &err),
             &err);
    for (int i = 0; i < LINES; i++)
        CHECK_OK(buf_append_text(&csv, "rumour,UNTOC,16,en,A,Yes,MoJ,2026-01-01,public\n", &err),
                 &err);
    at_ke.file = (struct request_file){ "file", "excerpts.csv", buf_span(&csv) };
    ASK(&at_ke, "invalid", "excerpt.import");
    CHECK_CONTAINS(at_ke.answer.error, "1050 problems; nothing was imported");
    assert_true(at_ke.answer.problem_count <= PROBLEMS_MAX);
    ASK(&at_ke, "ok", "excerpt.list");
    assert_int_equal(answered_rows(&at_ke, "excerpts"), 0);
    buf_fini(&csv);
}

static void a_path_of_a_backup_that_does_not_fit_is_refused_and_not_cut(void **state)
{
    (void)state;
    char name[500]; /* as long as an argument may be, and the directory comes in front */
    memset(name, 'b', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    ASK(&at_ke, "limit", "backup.create", "file", name);
    CHECK_CONTAINS(at_ke.answer.error, "the path of the backup is too long");
    ASK(&at_ke, "state", "backup.status");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_set_up, pair_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_check_that_finds_damage_is_no_success),
        TEST(a_peer_that_is_called_in_vain_is_not_shown_as_connected),
        TEST(a_peer_without_name_and_address_is_shown_with_dashes),
        TEST(every_one_of_many_peers_is_listed_with_what_is_to_do_about_it),
        TEST(a_feed_that_was_set_back_is_shown_as_such_until_its_next_epoch),
        TEST(records_that_are_retired_are_listed_only_when_asked_for),
        TEST(figures_that_were_withdrawn_stand_in_no_report),
        TEST(a_record_under_two_consents_is_shown_until_both_have_ended),
        TEST(more_problems_than_are_listed_are_counted),
        TEST(a_path_of_a_backup_that_does_not_fit_is_refused_and_not_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
