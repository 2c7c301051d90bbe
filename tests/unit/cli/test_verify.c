/* evidence verify: offline, against the cards of both sides, whatever the file claims. */
#include "cli_scene.h"

#include "base/clock.h"
#include "crypto/card.h"
#include "log/evidence.h"
#include "log/header.h"

static const char origin[] = "comity.v1/training/feed/KE/UNODC/00c0ffee00c0ffee";
static const char body_text[] = "Nationals are extradited.";
static struct buf written; /* the file */

static int64_t scene_now_ms(void) /* keys that were made by node init are valid from now on */
{
    return clock_system()->wall_ms(clock_system());
}

/* -- a feed of one entry ------------------------------------------------------------------------
 */

struct plan {
    const char *origin;
    bool shown, receipted, in_line;
};

static struct private_key *key_of(const char *code, const char *role)
{
    char name[64];
    struct private_key *key = NULL;
    (void)snprintf(name, sizeof(name), "%s/identity/%s.key", code, role);
    CHECK_OK(private_key_read(scene_path(name), &key, &err), &err);
    return key;
}

static void make_entry(const struct plan *plan,
                       struct buf *header,
                       struct buf *salt,
                       struct buf *body)
{
    struct entry_header entry = { .critical = true,
                                  .kind = plan->in_line ? KIND_WITHDRAWN : KIND_EXCERPT,
                                  .entry_id = { { 7 } },
                                  .time_ms = scene_now_ms(),
                                  .body_format = plan->in_line ? BODY_NONE : BODY_EXCERPT,
                                  .has_inline = plan->in_line,
                                  .inline_body =
                                      plan->in_line ? SPAN_LITERAL("revoked") : SPAN_EMPTY };
    if (!plan->in_line) {
        CHECK_OK(buf_append_zeros(salt, 32, &err), &err);
        CHECK_OK(header_pad(entry.kind, span_text(body_text), body, &err), &err);
        entry.body_size = (uint32_t)body->size;
        CHECK_OK(header_commit(span_text(plan->origin), &entry.entry_id, buf_span(salt),
                               buf_span(body), &entry.commitment, &err),
                 &err);
    }
    CHECK_OK(header_encode(&entry, header, &err), &err);
}

static void write_evidence(const char *name, struct plan plan)
{
    struct buf header = BUF_INIT;
    struct buf salt = BUF_INIT;
    struct buf body = BUF_INIT;
    struct buf note = BUF_INIT;
    struct buf receipt = BUF_INIT;
    if (plan.origin == NULL)
        plan.origin = origin;
    make_entry(&plan, &header, &salt, &body);
    struct checkpoint checkpoint = { .origin = span_text(plan.origin), .size = 1 };
    CHECK_OK(tree_leaf(buf_span(&header), &checkpoint.root, &err), &err);
    struct private_key *log_key = key_of("KE", "log");
    struct private_key *receipt_key = key_of("UNODC", "receipt");
    CHECK_OK(checkpoint_sign(&checkpoint, log_key, &note, &err), &err);
    CHECK_OK(checkpoint_cosign(buf_span(&note), "comity.v1/training/receipt/UNODC", receipt_key,
                               (uint64_t)(scene_now_ms() / 1000), &receipt, &err),
             &err);
    struct evidence evidence = { .header = buf_span(&header),
                                 .note = buf_span(plan.receipted ? &receipt : &note) };
    if (plan.shown) {
        evidence.salt = buf_span(&salt);
        evidence.body = buf_span(&body);
    }
    buf_clear(&written);
    CHECK_OK(evidence_encode(&evidence, &written, &err), &err);
    scene_write(name, buf_span(&written), 0644);
    private_key_free(log_key);
    private_key_free(receipt_key);
    buf_fini(&header);
    buf_fini(&salt);
    buf_fini(&body);
    buf_fini(&note);
    buf_fini(&receipt);
}

static int set_up(void **state)
{
    if (scene_set_up(state) != 0)
        return -1;
    make_node("KE", "Kenya");
    make_node("UNODC", "Office");
    make_node("GB", "Britain");
    write_evidence("entry", (struct plan){ .shown = true, .receipted = true });
    return 0;
}

static int tear_down(void **state)
{
    buf_fini(&written);
    return scene_tear_down(state);
}

static const char *card(const char *code)
{
    char name[64];
    (void)snprintf(name, sizeof(name), "%s/identity/card.pem", code);
    return scene_path(name);
}

#define VERIFY(code, ...) CTL((code), "evidence", "verify", __VA_ARGS__)

/* -- refused ------------------------------------------------------------------------------------
 */

static void what_is_no_evidence_is_refused_with_the_file(void **state)
{
    (void)state;
    scene_write("junk", SPAN_LITERAL("hello\n"), 0644);
    VERIFY(EXIT_PROBLEMS, scene_path("junk"), "--card", card("KE"));
    CHECK_CONTAINS(messages, "junk: this is no evidence");
    CHECK_CONTAINS(messages, "next: give the file that comityctl evidence export wrote");
    scene_write("cut", SPAN_LITERAL("comity.v1/evidence\n--- header\n"), 0644);
    VERIFY(EXIT_PROBLEMS, scene_path("cut"), "--card", card("KE"));
    CHECK_CONTAINS(messages, "next: give the file just as comityctl evidence export wrote it");
    static const struct {
        const char *origin;
        const char *said;
    } cases[] = {
        { "comity.v1/training/journal/KE/00c0ffee00c0ffee", "is of no feed" },
        { "somewhere/else", "is not the name of a log" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        write_evidence("other", (struct plan){ .origin = cases[i].origin, .receipted = true });
        VERIFY(EXIT_PROBLEMS, scene_path("other"), "--card", card("KE"));
        CHECK_CONTAINS(messages, cases[i].said);
    }
}

static void without_the_publishers_card_nothing_is_believed(void **state)
{
    (void)state;
    VERIFY(EXIT_FAILED, scene_path("entry"), "--card", card("UNODC"));
    CHECK_CONTAINS(messages, "the card of the publisher, KE, is needed");
}

static void a_card_with_flaws_is_told_by_its_file(void **state)
{
    (void)state;
    struct buf text = scene_read("UNODC/identity/card.pem");
    scene_write("broken.card", span_of(text.data, text.size / 2), 0644);
    buf_fini(&text);
    assert_int_not_equal(RUN("evidence", "verify", scene_path("entry"), "--card", card("KE"),
                             "--card", scene_path("broken.card")),
                         EXIT_OK);
    CHECK_CONTAINS(messages, "broken.card");
    VERIFY(EXIT_PROBLEMS, scene_path("entry"), "--card", scene_path("entry"));
    CHECK_CONTAINS(messages, "this is no card");
    CHECK_CONTAINS(messages, "seems to be evidence of an entry");
    CHECK_CONTAINS(messages, "1 problem in the cards; nothing was verified");
    const char *ke = card("KE");
    VERIFY(EXIT_PROBLEMS, scene_path("entry"), "--card", ke, "--card", ke, "--card", ke, "--card",
           ke, "--card", ke, "--card", ke, "--card", ke, "--card", ke, "--card", ke);
    CHECK_CONTAINS(messages, "next: give two");
}

static void what_was_changed_does_not_hold(void **state)
{
    (void)state;
    static const struct {
        const char *part;
        int code;
    } cases[] = {
        { "--- salt\n", EXIT_UNTRUE },
        { "--- body\nAAAA", EXIT_UNTRUE },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf text = BUF_INIT;
        CHECK_OK(buf_append(&text, buf_span(&written), &err), &err);
        CHECK_OK(buf_terminate(&text, &err), &err);
        char *at = strstr((char *)text.data, cases[i].part);
        assert_non_null(at);
        at += strlen(cases[i].part);
        *at = *at == 'B' ? 'C' : 'B';
        text.size = strlen((char *)text.data);
        scene_write("changed", buf_span(&text), 0644);
        int code = RUN("evidence", "verify", scene_path("changed"), "--card", card("KE"), "--card",
                       card("UNODC"));
        assert_int_not_equal(code, EXIT_OK);
        CHECK_CONTAINS(messages, "the evidence does not hold");
        buf_fini(&text);
    }
}

/* -- believed -----------------------------------------------------------------------------------
 */

static void it_says_what_is_proved_and_no_more(void **state)
{
    (void)state;
    VERIFY(EXIT_OK, scene_path("entry"), "--card", card("KE"), "--card", card("UNODC"));
    CHECK_CONTAINS(shown, "as committed to");
    CHECK_CONTAINS(shown, "Office");
    VERIFY(EXIT_OK, scene_path("entry"), "--card", card("KE"));
    CHECK_CONTAINS(shown, "its receipt was not looked at");
    write_evidence("bare", (struct plan){ .receipted = true });
    VERIFY(EXIT_OK, scene_path("bare"), "--card", card("KE"), "--card", card("UNODC"));
    CHECK_CONTAINS(shown, "not shown");
    write_evidence("inline", (struct plan){ .in_line = true });
    VERIFY(EXIT_OK, scene_path("inline"), "--card", card("KE"), "--card", card("UNODC"));
    CHECK_CONTAINS(shown, "withdrawn");
    CHECK_CONTAINS(shown, "not shown"); /* a receipt */
}

static void of_several_cards_of_one_node_one_must_fit(void **state)
{
    (void)state;
    scene_remove(scene_path("old"));
    assert_int_equal(rename(scene_path("KE"), scene_path("old")), 0);
    make_node("KE", "Kenya anew");
    VERIFY(EXIT_OK, scene_path("entry"), "--card", card("KE"), "--card",
           scene_path("old/identity/card.pem"), "--card", card("GB"), "--card", card("UNODC"));
    VERIFY(EXIT_FAILED, scene_path("entry"), "--card", card("KE"), "--card", card("UNODC"));
    CHECK_CONTAINS(messages, "the evidence does not hold");
}

static void whatever_fails_nothing_is_believed(void **state)
{
    (void)state;
    char entry[SCENE_PATH_SIZE];
    char ke[SCENE_PATH_SIZE];
    char unodc[SCENE_PATH_SIZE];
    (void)snprintf(entry, sizeof(entry), "%s", scene_path("entry"));
    (void)snprintf(ke, sizeof(ke), "%s", card("KE"));
    (void)snprintf(unodc, sizeof(unodc), "%s", card("UNODC"));
    const char *const *words =
        CTL_WORDS("evidence", "verify", entry, "--card", ke, "--card", unodc);
    ctl_sweep(FAULT_MEMORY, 0, words, NULL);
    ctl_sweep(CALL_FAULT_CRYPTO, 0, words, NULL);
    ctl_sweep(CALL_FAULT_SYSTEM, EIO, words, NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_is_no_evidence_is_refused_with_the_file),
        TEST(without_the_publishers_card_nothing_is_believed),
        TEST(a_card_with_flaws_is_told_by_its_file),
        TEST(what_was_changed_does_not_hold),
        TEST(it_says_what_is_proved_and_no_more),
        TEST(of_several_cards_of_one_node_one_must_fit),
        TEST(whatever_fails_nothing_is_believed),
    };
    return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
