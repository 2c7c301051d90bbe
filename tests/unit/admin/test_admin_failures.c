/* Every operation of an official while something fails in its middle: an allocation, a statement of
 * the database, a call of the library of cryptography, each in turn.  It is told, nothing leaks,
 * nothing is half done, and afterwards the same request is answered as before. */
#include "admin_pair.h"

#include "crypto/card.h"
#include "feed/check.h"
#include "support/pki.h"

static char excerpt[ID_TEXT_SIZE];
static char release[ID_TEXT_SIZE];
static char consent[ID_TEXT_SIZE];
static char figures[ID_TEXT_SIZE]; /* the consent under which they went */
static char held[ID_TEXT_SIZE];    /* the excerpt, as UNODC knows it */
static char entry[ID_TEXT_SIZE];

static void deliver_both(void)
{
    struct id record = add_excerpt(&ke, "Extradition of nationals");
    text_of(&record, excerpt);
    give_by_desk(excerpt, "peer-review", "unnamed", consent);
    import_figures(&at_ke, PAIR_CSV_HEAD PAIR_CSV_ROW("NEW", "2019", "93"), release);
    give_by_desk(release, "cooperation", "named", figures);
    connect_nodes();
    ASK(&at_un, "ok", "received");
    (void)snprintf(held, sizeof(held), "%s", answered(&at_un, "received", "record"));
    (void)snprintf(entry, sizeof(entry), "%s", answered(&at_un, "received", "entry"));
}

static void assert_healthy(struct side *side)
{
    struct check_result result = { 0 };
    CHECK_OK(feed_check(&side->node->feed, &result, &err), &err);
    if (result.problems > 0)
        fail_msg("%.*s", (int)result.text.size, (const char *)result.text.data);
    check_result_fini(&result);
}

static void what_travelled(void **state)
{
    (void)state;
    deliver_both();
    SWEEP(&at_ke, "given");
    SWEEP(&at_ke, "given", "to", "UNODC", "record", excerpt, "consent", consent);
    SWEEP(&at_un, "received", "all", "yes");
    SWEEP(&at_un, "received.show", "record", held, "from", "KE");
    SWEEP(&at_un, "evidence.export", "entry", entry, "with-content", "yes");
    SWEEP(&at_ke, "evidence.export", "given-to", "UNODC", "index", "1");
    SWEEP(&at_un, "report.cooperation");
    assert_healthy(&at_un);
}

static void the_node(void **state)
{
    (void)state;
    deliver_both();
    SWEEP(&at_ke, "status");
    SWEEP(&at_un, "status");
    SWEEP(&at_ke, "inbox");
    SWEEP(&at_ke, "journal.list");
    SWEEP(&at_ke, "peer.list");
    SWEEP(&at_ke, "peer.show", "peer", "UNODC");
    SWEEP(&at_ke, "peer.block", "peer", "UNODC", "reason", "a breach");
    SWEEP(&at_ke, "peer.forget", "peer", "UNODC");
    SWEEP(&at_ke, "hold", "peer", "UNODC");
    ASK(&at_ke, "ok", "hold", "peer", "UNODC");
    SWEEP(&at_ke, "release", "peer", "UNODC");
    assert_healthy(&at_ke);
}

static void records(void **state)
{
    (void)state;
    deliver_both();
    SWEEP(&at_ke, "excerpt.add", "kind", "good-practice", "instrument", "UNTOC", "article", "18",
          "language", "en", "title", "Liaison magistrates", "text", "They shorten requests.",
          "originator", "Ministry of Justice", "date", "2026-03-01", "confidentiality", "internal");
    SWEEP(&at_ke, "excerpt.add", "kind", "good-practice", "instrument", "UNTOC", "article", "18",
          "language", "en", "title", "Extradition", "text", "Another text.", "originator", "MoJ",
          "date", "2026-03-01", "confidentiality", "internal", "replaces", excerpt);
    SWEEP(&at_ke, "excerpt.list", "instrument", "UNTOC", "retired", "yes");
    SWEEP(&at_ke, "excerpt.show", "record", excerpt);
    SWEEP(&at_ke, "excerpt.retire", "record", excerpt);
    SWEEP(&at_ke, "stats.list");
    SWEEP(&at_ke, "stats.show", "record", release);
    SWEEP(&at_ke, "stats.export", "record", release);
    assert_healthy(&at_ke);
}

static void imports(void **state)
{
    (void)state;
    static const char csv[] =
        "kind,instrument,article,language,title,text,originator,date,confidentiality\n"
        "answer,UNTOC,16,en,Extradition,Yes,MoJ,2026-01-01,public\n"
        "answer,UNTOC,18,en,Assistance,Yes,MoJ,2026-01-01,public\n";
    at_ke.file = (struct request_file){ "file", "excerpts.csv", span_text(csv) };
    SWEEP(&at_ke, "excerpt.import");
    at_ke.file = (struct request_file){ "file", "figures.csv",
                                        SPAN_LITERAL(PAIR_CSV_HEAD PAIR_CSV_ROW("NEW", "2019", "93")
                                                         PAIR_CSV_ROW("NEW", "2020", "94")) };
    SWEEP(&at_ke, "stats.import", "source", "Registry");
    ASK(&at_ke, "ok", "excerpt.list");
    assert_int_equal(answered_rows(&at_ke, "excerpts"), 0);
}

static void consents(void **state)
{
    (void)state;
    char draft[ID_TEXT_SIZE];
    char digest[2 * DIGEST_SIZE + 1];
    deliver_both();
    SWEEP(&at_ke, "consent.draft", "to", "UNODC", "select", "kind=release", "record", excerpt,
          "purpose", "aggregate", "until", "2027-12-31", "authority", "AG", "reference", "2");
    ASK(&at_ke, "ok", "consent.draft", "to", "UNODC", "record", excerpt, "purpose", "aggregate",
        "until", "2027-12-31", "authority", "AG", "reference", "2");
    (void)snprintf(draft, sizeof(draft), "%s", answered(&at_ke, "consent", "id"));
    SWEEP(&at_ke, "consent.preview", "consent", draft);
    SWEEP(&at_ke, "consent.propose", "consent", draft);
    ASK(&at_ke, "ok", "consent.propose", "consent", draft);
    (void)snprintf(digest, sizeof(digest), "%s", answered(&at_ke, "consent", "digest"));
    side_as(&at_ke, BERT);
    SWEEP(&at_ke, "inbox");
    SWEEP(&at_ke, "consent.preview", "consent", draft);
    SWEEP(&at_ke, "consent.reject", "consent", draft, "reason", "too long");
    SWEEP(&at_ke, "consent.approve", "consent", draft, "digest", digest);
    SWEEP(&at_ke, "consent.revoke", "consent", consent, "reason", "an error");
    SWEEP(&at_ke, "consent.list");
    SWEEP(&at_ke, "consent.show", "consent", consent);
    SWEEP(&at_ke, "consent.history", "consent", consent);
    ASK(&at_ke, "ok", "consent.revoke", "consent", consent, "reason", "an error");
    SWEEP(&at_ke, "recalls", "all", "yes");
    assert_healthy(&at_ke);
}

/* -- cards ------------------------------------------------------------------------------------- */

static struct buf card_of(const struct pki_state *state)
{
    return pki_card(state, "Australia", "");
}

static void cards(void **state)
{
    (void)state;
    struct pki_state au;
    struct pki_state own;
    struct fingerprint fingerprint;
    char digits[FINGERPRINT_TEXT_SIZE];
    ke.place.clock.wall_now_ms = PKI_NOW_MS;
    un.place.clock.wall_now_ms = PKI_NOW_MS;
    pki_init(&au, "training", "AU");
    pki_init(&own, "training", "KE");
    struct buf card = card_of(&au);
    struct buf own_card = card_of(&own);
    at_ke.admin.card = buf_span(&own_card);
    SWEEP(&at_ke, "peer.card");
    at_ke.file = (struct request_file){ "file", "AU.card", buf_span(&card) };
    SWEEP(&at_ke, "peer.add");
    at_ke.file = (struct request_file){ "file", "AU.card", buf_span(&card) };
    ASK(&at_ke, "ok", "peer.add");
    CHECK_OK(fingerprint_of(&au.realm, &au.code, buf_span(&au.anchor), &fingerprint, &err), &err);
    fingerprint_format(&fingerprint, digits);
    side_as(&at_ke, BERT);
    SWEEP(&at_ke, "peer.accept", "peer", "AU", "fingerprint", digits);
    ASK(&at_ke, "ok", "peer.accept", "peer", "AU", "fingerprint", digits);
    SWEEP(&at_ke, "peer.show", "peer", "AU");
    /* a newer card of a known peer waits for two people again */
    struct buf newer = BUF_INIT;
    struct certificate_issuer issuer = pki_issuer(&au);
    struct certificate_subject subject = { au.realm, au.code, PKI_NOW_MS - 1000,
                                           PKI_NOW_MS + ROLE_LIFE_MS };
    CHECK_OK(certificate_issue(&subject, ROLE_TLS, au.keys[ROLE_TLS], &issuer, &au.roles[ROLE_TLS],
                               &err),
             &err);
    newer = card_of(&au);
    side_as(&at_ke, ANNE);
    at_ke.file = (struct request_file){ "file", "AU.card", buf_span(&newer) };
    SWEEP(&at_ke, "peer.add");
    at_ke.file = (struct request_file){ "file", "AU.card", buf_span(&newer) };
    ASK(&at_ke, "ok", "peer.add");
    side_as(&at_ke, BERT);
    SWEEP(&at_ke, "inbox");
    SWEEP(&at_ke, "peer.accept", "peer", "AU", "fingerprint", digits);
    ASK(&at_ke, "ok", "peer.accept", "peer", "AU", "fingerprint", digits);
    buf_fini(&newer);
    buf_fini(&own_card);
    buf_fini(&card);
    pki_fini(&own);
    pki_fini(&au);
}

static void alarms(void **state)
{
    (void)state;
    int64_t alarm_id = 0;
    char number[24];
    tx_begin(&ke);
    CHECK_OK(alarm_rows_raise(ke.store, "session", &un.code, "two boot ids", &alarm_id, &err),
             &err);
    tx_commit(&ke);
    (void)snprintf(number, sizeof(number), "%lld", (long long)alarm_id);
    SWEEP(&at_ke, "alarm.list", "all", "yes");
    SWEEP(&at_ke, "status");
    SWEEP(&at_ke, "alarm.close", "number", number, "reason", "looked into");
    ASK(&at_ke, "ok", "alarm.close", "number", number, "reason", "looked into");
    assert_false(has_alarm(&ke, "session"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_set_up, pair_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_travelled), TEST(the_node), TEST(records), TEST(imports),
        TEST(consents),       TEST(cards),    TEST(alarms),
    };
    return cmocka_run_group_tests_name("admin failures", tests, NULL, NULL);
}
