#include "consent/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { FROM = 1000, UNTIL = 5000, KEEP = 4000 };

static const struct policy_record record = { { { 7 } }, 2 };
static const struct policy_recipient kenya = { { "KE" }, { { 0xaa } }, true };

/* A consent that allows it; each refusal below spoils one thing. */
struct made {
    struct terms terms;
    struct policy_record records[2];
    struct policy_party parties[2];
    struct policy_consent consent;
};

static void make(struct made *made, uint8_t id)
{
    memset(made, 0, sizeof(*made));
    made->terms.purpose = PURPOSE_PEER_REVIEW;
    made->terms.form = TERMS_EXACT;
    made->terms.valid_from_ms = FROM;
    made->terms.valid_until_ms = UNTIL;
    made->terms.keep_until_ms = KEEP;
    made->records[0] = (struct policy_record){ { { 3 } }, 2 };
    made->records[1] = record;
    made->parties[0] = (struct policy_party){ { "GB" }, { { 0xbb } } };
    made->parties[1] = (struct policy_party){ { "KE" }, { { 0xaa } } };
    made->consent = (struct policy_consent){
        .id = { { id } },
        .state = CONSENT_ACTIVE,
        .terms = &made->terms,
        .records = made->records,
        .record_count = 2,
        .recipients = made->parties,
        .recipient_count = 2,
    };
}

static struct policy_decision decide(const struct made *made, int64_t now_ms)
{
    return policy_decide(&made->consent, 1, &record, &kenya, PURPOSE_PEER_REVIEW, now_ms);
}

static void assert_denied(struct policy_decision decision,
                          enum policy_reason reason,
                          const char *says)
{
    assert_string_equal(policy_reason_name(decision.reason), policy_reason_name(reason));
    assert_non_null(strstr(decision.text, says));
    assert_int_equal(decision.form, TERMS_FORM_NONE);
    assert_int_equal(decision.until_ms, 0);
    assert_int_equal(decision.threshold, 0);
}

static void nothing_leaves_without_a_consent(void **state)
{
    (void)state;
    struct policy_decision decision =
        policy_decide(NULL, 0, &record, &kenya, PURPOSE_PEER_REVIEW, 2000);
    assert_denied(decision, POLICY_NO_CONSENT, "no consent covers the record");
    assert_true(id_is_none(&decision.consent_id));
    struct made made;
    make(&made, 1);
    made.consent.record_count = 1; /* lists another record only */
    decision = decide(&made, 2000);
    assert_denied(decision, POLICY_NO_CONSENT, "no consent covers the record");
    assert_true(id_is_none(&decision.consent_id));
    made.consent.record_count = 0;
    assert_denied(decide(&made, 2000), POLICY_NO_CONSENT, "no consent");
}

static void a_consent_for_another_version_does_not_cover_this_one(void **state)
{
    (void)state;
    struct made made;
    make(&made, 1);
    made.records[1].version = 1;
    assert_denied(decide(&made, 2000), POLICY_OTHER_VERSION, "version 2");
    made.records[0] = record; /* listed twice, one of them right */
    assert_int_equal(decide(&made, 2000).reason, POLICY_ALLOWED);
}

static void a_peer_that_the_consent_does_not_name_gets_nothing(void **state)
{
    (void)state;
    struct made made;
    make(&made, 1);
    made.consent.recipient_count = 1;
    assert_denied(decide(&made, 2000), POLICY_NOT_A_RECIPIENT, "names KE");
}

static void only_an_active_consent_allows(void **state)
{
    (void)state;
    static const struct {
        enum consent_state state;
        enum policy_reason reason;
        const char *says;
    } cases[] = {
        { CONSENT_DRAFT, POLICY_NOT_APPROVED, "is draft" },
        { CONSENT_PROPOSED, POLICY_NOT_APPROVED, "is proposed" },
        { CONSENT_SUSPENDED, POLICY_SUSPENDED, "is suspended" },
        { CONSENT_REVOKED, POLICY_ENDED, "is revoked" },
        { CONSENT_EXPIRED, POLICY_ENDED, "is expired" },
        { CONSENT_SUPERSEDED, POLICY_ENDED, "is superseded" },
        { CONSENT_STATE_COUNT, POLICY_NOT_APPROVED, "is unknown" },
        { (enum consent_state)99, POLICY_NOT_APPROVED, "is unknown" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct made made;
        make(&made, 1);
        made.consent.state = cases[i].state;
        assert_denied(decide(&made, 2000), cases[i].reason, cases[i].says);
    }
}

static void a_changed_anchor_is_another_recipient(void **state)
{
    (void)state;
    struct made made;
    make(&made, 1);
    made.parties[1].anchor.bytes[31] = 1;
    assert_denied(decide(&made, 2000), POLICY_OTHER_ANCHOR, "another anchor");
}

static void another_purpose_is_refused_even_while_suspended(void **state)
{
    (void)state;
    struct made made;
    make(&made, 1);
    struct policy_decision decision =
        policy_decide(&made.consent, 1, &record, &kenya, PURPOSE_PUBLICATION, 2000);
    assert_denied(decision, POLICY_OTHER_PURPOSE, "peer-review, not for publication");
    decision = policy_decide(&made.consent, 1, &record, &kenya, PURPOSE_NONE, 2000);
    assert_denied(decision, POLICY_OTHER_PURPOSE, "not for ?");
    made.terms.purpose = PURPOSE_NONE;
    decision = policy_decide(&made.consent, 1, &record, &kenya, PURPOSE_NONE, 2000);
    assert_denied(decision, POLICY_OTHER_PURPOSE, "");
    made.consent.state = CONSENT_SUSPENDED;
    assert_denied(decide(&made, 2000), POLICY_OTHER_PURPOSE, "");
}

static void it_holds_from_its_first_to_before_its_last_millisecond(void **state)
{
    (void)state;
    struct made made;
    make(&made, 1);
    assert_denied(decide(&made, FROM - 1), POLICY_NOT_YET, "only at 1970-01-01T00:00:01Z");
    assert_int_equal(decide(&made, FROM).reason, POLICY_ALLOWED);
    assert_int_equal(decide(&made, KEEP - 1).reason, POLICY_ALLOWED);
    assert_denied(decide(&made, KEEP), POLICY_OVER, "ended at 1970-01-01T00:00:04Z");
    made.terms.keep_until_ms = UNTIL + 1; /* never later than the consent itself */
    assert_int_equal(decide(&made, UNTIL - 1).reason, POLICY_ALLOWED);
    assert_denied(decide(&made, UNTIL), POLICY_OVER, "1970-01-01T00:00:05Z");
    assert_denied(decide(&made, INT64_MAX), POLICY_OVER, "");
}

static void a_peer_that_is_not_accepted_gets_nothing_whatever_the_consents_say(void **state)
{
    (void)state;
    struct made made;
    make(&made, 1);
    struct policy_recipient blocked = kenya;
    blocked.accepted = false;
    struct policy_decision decision =
        policy_decide(&made.consent, 1, &record, &blocked, PURPOSE_PEER_REVIEW, 2000);
    assert_denied(decision, POLICY_RECIPIENT_NOT_ACCEPTED, "KE is not an accepted peer");
}

static void an_active_consent_allows_in_its_form_until_its_end(void **state)
{
    (void)state;
    struct made made;
    make(&made, 9);
    made.terms.form = TERMS_SUPPRESSED;
    made.terms.threshold = 5;
    struct policy_decision decision = decide(&made, 2000);
    assert_int_equal(decision.reason, POLICY_ALLOWED);
    assert_int_equal(decision.form, TERMS_SUPPRESSED);
    assert_int_equal(decision.threshold, 5);
    assert_int_equal(decision.until_ms, KEEP);
    assert_int_equal(decision.consent_id.bytes[0], 9);
    assert_string_equal(decision.text, "an active consent allows it until 1970-01-01T00:00:04Z");
}

/* Two consents, both orders: the decision must not depend on the order. */
static struct policy_decision decide_two(const struct made *a, const struct made *b)
{
    const struct policy_consent ab[2] = { a->consent, b->consent };
    const struct policy_consent ba[2] = { b->consent, a->consent };
    struct policy_decision one = policy_decide(ab, 2, &record, &kenya, PURPOSE_PEER_REVIEW, 2000);
    struct policy_decision two = policy_decide(ba, 2, &record, &kenya, PURPOSE_PEER_REVIEW, 2000);
    assert_int_equal(one.reason, two.reason);
    assert_string_equal(one.text, two.text);
    assert_true(id_equal(&one.consent_id, &two.consent_id));
    assert_int_equal(one.form, two.form);
    assert_int_equal(one.until_ms, two.until_ms);
    return one;
}

static void of_two_that_deny_the_nearer_one_is_named(void **state)
{
    (void)state;
    struct made a, b;
    make(&a, 1);
    make(&b, 2);
    a.consent.state = CONSENT_REVOKED;
    b.consent.state = CONSENT_SUSPENDED;
    struct policy_decision decision = decide_two(&a, &b);
    assert_denied(decision, POLICY_SUSPENDED, "suspended");
    assert_int_equal(decision.consent_id.bytes[0], 2);
    b.consent.state = CONSENT_EXPIRED; /* equally near: the smaller id */
    decision = decide_two(&a, &b);
    assert_denied(decision, POLICY_ENDED, "revoked");
    assert_int_equal(decision.consent_id.bytes[0], 1);
}

static void of_two_that_allow_the_most_exact_then_longest_then_first_is_named(void **state)
{
    (void)state;
    struct made a, b;
    make(&a, 1);
    make(&b, 2);
    assert_int_equal(decide_two(&a, &b).consent_id.bytes[0], 1);
    b.terms.keep_until_ms = KEEP + 1;
    assert_int_equal(decide_two(&a, &b).consent_id.bytes[0], 2);
    b.terms.form = TERMS_ROUNDED;
    assert_int_equal(decide_two(&a, &b).consent_id.bytes[0], 1);
    a.consent.state = CONSENT_REVOKED; /* one that allows is enough */
    struct policy_decision decision = decide_two(&a, &b);
    assert_int_equal(decision.reason, POLICY_ALLOWED);
    assert_int_equal(decision.consent_id.bytes[0], 2);
}

static void reasons_have_stable_names(void **state)
{
    (void)state;
    for (int i = 0; i < POLICY_REASON_COUNT; i++)
        assert_string_not_equal(policy_reason_name((enum policy_reason)i), "unknown");
    assert_string_equal(policy_reason_name(POLICY_REASON_COUNT), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_leaves_without_a_consent),
        cmocka_unit_test(a_consent_for_another_version_does_not_cover_this_one),
        cmocka_unit_test(a_peer_that_the_consent_does_not_name_gets_nothing),
        cmocka_unit_test(only_an_active_consent_allows),
        cmocka_unit_test(a_changed_anchor_is_another_recipient),
        cmocka_unit_test(another_purpose_is_refused_even_while_suspended),
        cmocka_unit_test(it_holds_from_its_first_to_before_its_last_millisecond),
        cmocka_unit_test(a_peer_that_is_not_accepted_gets_nothing_whatever_the_consents_say),
        cmocka_unit_test(an_active_consent_allows_in_its_form_until_its_end),
        cmocka_unit_test(of_two_that_deny_the_nearer_one_is_named),
        cmocka_unit_test(of_two_that_allow_the_most_exact_then_longest_then_first_is_named),
        cmocka_unit_test(reasons_have_stable_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
