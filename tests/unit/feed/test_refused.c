/* Entries that are in order and cannot be accepted: stored, receipted, answered with REFUSED. */
#include "two_nodes.h"

#include "consent/terms.h"
#include "log/tree.h"

static const char ORIGIN[] = "comity.v1/training/feed/KE/UNODC/00000000000000aa";

enum { ENTRIES_MAX = 4 };

/* A batch as a publisher makes it who does not keep to the rules of content. */
struct crafted {
    struct buf headers[ENTRIES_MAX];
    struct buf bodies[ENTRIES_MAX];
    struct batch_entry entries[ENTRIES_MAX];
    size_t count;
    struct tree tree;
    struct buf note;
};

static const uint8_t salt[SALT_SIZE] = { 1 };

static void craft(struct crafted *crafted, struct entry_header header, struct span content)
{
    size_t i = crafted->count++;
    struct digest leaf;
    header.entry_id.bytes[0] = (uint8_t)(i + 1);
    if (header.has_inline) {
        header.inline_body = content;
    } else {
        CHECK_OK(header_pad(header.kind, content, &crafted->bodies[i], &err), &err);
        header.body_size = (uint32_t)crafted->bodies[i].size;
        CHECK_OK(header_commit(SPAN_LITERAL(ORIGIN), &header.entry_id, SPAN_ARRAY(salt),
                               buf_span(&crafted->bodies[i]), &header.commitment, &err),
                 &err);
        crafted->entries[i].salt = SPAN_ARRAY(salt);
        crafted->entries[i].body = buf_span(&crafted->bodies[i]);
    }
    CHECK_OK(header_encode(&header, &crafted->headers[i], &err), &err);
    crafted->entries[i].header = buf_span(&crafted->headers[i]);
    CHECK_OK(tree_leaf(crafted->entries[i].header, &leaf, &err), &err);
    CHECK_OK(tree_append(&crafted->tree, &leaf, NULL, &err), &err);
}

static void send_crafted(struct crafted *crafted)
{
    struct checkpoint checkpoint = { SPAN_LITERAL(ORIGIN), crafted->count, { { 0 } } };
    struct buf receipt = BUF_INIT;
    CHECK_OK(tree_root(&crafted->tree, &checkpoint.root, &err), &err);
    CHECK_OK(checkpoint_sign(&checkpoint, ke.log_key, &crafted->note, &err), &err);
    struct batch batch = { .origin = SPAN_LITERAL(ORIGIN),
                           .entries = crafted->entries,
                           .entry_count = crafted->count,
                           .checkpoint = buf_span(&crafted->note) };
    CHECK_OK(ingest(&un, &ke, &batch, &receipt), &err);
    buf_fini(&receipt);
    for (size_t i = 0; i < crafted->count; i++) {
        buf_fini(&crafted->headers[i]);
        buf_fini(&crafted->bodies[i]);
    }
    buf_fini(&crafted->note);
}

static void craft_terms(struct crafted *crafted)
{
    struct entry_header header = { .critical = true,
                                   .kind = KIND_CONSENT_GIVEN,
                                   .body_format = BODY_TERMS,
                                   .consent_id = { { 7 } } };
    struct terms terms;
    struct buf bytes = BUF_INIT;
    int64_t now_ms = ke.place.clock.wall_now_ms;
    terms_init(&terms, now_ms);
    terms.purpose = PURPOSE_PEER_REVIEW;
    terms.valid_until_ms = now_ms + DAY_MS;
    (void)snprintf(terms.authority, sizeof(terms.authority), "Attorney-General");
    (void)snprintf(terms.reference, sizeof(terms.reference), "NV 1/2025");
    terms_settle(&terms);
    CHECK_OK(terms_encode(&terms, &bytes, &err), &err);
    craft(crafted, header, buf_span(&bytes));
    buf_fini(&bytes);
}

#define RECORD                                                                                    \
    .critical = true, .kind = KIND_EXCERPT, .body_format = BODY_EXCERPT, .consent_id = { { 7 } }, \
    .subject_id = { { 8 } }

struct refusal {
    const char *what;
    struct entry_header header;
    const char *content;
    const char *answer; /* NULL: none */
};

static const struct refusal refusals[] = {
    { "an excerpt that is none", { RECORD }, "no excerpt", "" },
    { "a record without a subject",
      { .critical = true,
        .kind = KIND_EXCERPT,
        .body_format = BODY_EXCERPT,
        .consent_id = { { 7 } } },
      "x",
      "it names no subject" },
    { "a record under another consent",
      { .kind = KIND_EXCERPT,
        .body_format = BODY_EXCERPT,
        .consent_id = { { 9 } },
        .subject_id = { { 8 } } },
      "x",
      "no terms of its consent came before" },
    { "an excerpt in the format of a release",
      { .kind = KIND_EXCERPT,
        .body_format = BODY_RELEASE,
        .consent_id = { { 7 } },
        .subject_id = { { 8 } } },
      "x",
      "body format 3 is not supported for EXCERPT" },
    { "a part",
      { .kind = KIND_PART, .consent_id = { { 7 } }, .subject_id = { { 8 } } },
      "x",
      "bodies in parts are not supported" },
    { "a record in the clear",
      { .has_inline = true,
        .kind = KIND_RELEASE,
        .consent_id = { { 7 } },
        .subject_id = { { 8 } } },
      "x",
      "a record must be in a sealed body" },
    { "terms in the clear",
      { .has_inline = true, .kind = KIND_CONSENT_GIVEN, .consent_id = { { 7 } } },
      "x",
      "terms must be in a sealed body" },
    { "terms without a consent",
      { .kind = KIND_CONSENT_GIVEN, .body_format = BODY_TERMS },
      "x",
      "no terms, or no consent id" },
    { "the end of an unknown consent",
      { .has_inline = true, .kind = KIND_CONSENT_ENDED, .consent_id = { { 9 } } },
      "",
      "no terms of that consent came before" },
    { "a withdrawal of nothing",
      { .has_inline = true, .kind = KIND_WITHDRAWN },
      "",
      "it names no subject" },
    { "RESTORED in the middle",
      { .has_inline = true, .kind = KIND_RESTORED },
      "",
      "RESTORED belongs at the start of an epoch" },
    { "an unknown critical kind",
      { .critical = true, .has_inline = true, .kind = 4711 },
      "",
      "a kind of entry that this version does not know" },
    { "an unknown optional kind", { .has_inline = true, .kind = 4712 }, "", NULL },
    { "an answer to nothing", { .has_inline = true, .kind = KIND_ERASED }, "", NULL },
};

static void each_is_stored_and_answered(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct crafted crafted = { .count = 0 };
        struct outbox_row row;
        struct buf body = BUF_INIT;
        const char *answer = refusals[i].answer;
        if (i > 0) {
            two_tear_down(state);
            two_set_up(state);
        }
        craft_terms(&crafted);
        craft(&crafted, refusals[i].header, span_text(refusals[i].content));
        send_crafted(&crafted);
        assert_int_equal(feed_between(&un, &ke, FEED_IN).receipt_size, 2);
        assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 0);
        enum status status =
            outbox_rows_next(un.store, peer_of(&un, &ke).peer_id, OUTBOX_START, &row, &body, &err);
        if (status != (answer == NULL ? ERR_NOT_FOUND : OK))
            fail_msg("%s: %s", refusals[i].what, status_name(status));
        if (answer != NULL) {
            assert_int_equal(row.kind, KIND_REFUSED);
            assert_int_equal(row.in_reply_to.bytes[0], 2);
            if (answer[0] != '\0' && !span_equal(row.body, span_text(answer)))
                fail_msg("%s: %.*s", refusals[i].what, (int)row.body.size,
                         (const char *)row.body.data);
        }
        buf_fini(&body);
    }
}

/* Nothing can come under a consent that has ended. */
static void a_record_under_an_ended_consent_is_refused(void **state)
{
    (void)state;
    struct crafted crafted = { .count = 0 };
    struct entry_header ended = { .has_inline = true,
                                  .kind = KIND_CONSENT_ENDED,
                                  .consent_id = { { 7 } } };
    struct entry_header record = { RECORD };
    struct outbox_row row;
    struct buf body = BUF_INIT;
    craft_terms(&crafted);
    craft(&crafted, ended, SPAN_LITERAL("\5\0\7"));
    craft(&crafted, record, SPAN_LITERAL("x"));
    send_crafted(&crafted);
    CHECK_OK(outbox_rows_next(un.store, peer_of(&un, &ke).peer_id, OUTBOX_START, &row, &body, &err),
             &err);
    assert_true(span_equal(row.body, SPAN_LITERAL("its consent has ended")));
    buf_fini(&body);
}

int main(void)
{
#define TWO(test) cmocka_unit_test_setup_teardown(test, two_set_up, two_tear_down)
    const struct CMUnitTest tests[] = {
        TWO(each_is_stored_and_answered),
        TWO(a_record_under_an_ended_consent_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
