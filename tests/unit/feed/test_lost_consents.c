/* A publisher restored from a backup: what it gave since, under consents that it has no more. */
#include "two_nodes.h"

#include "feed/listing.h"

struct seen {
    struct listing_given last; /* of those whose record is lost */
    size_t known, lost;
};

static enum status look(void *context, const struct listing_given *given, struct error *e)
{
    struct seen *seen = context;
    (void)e;
    if (given->title[0] != '\0') {
        seen->known++;
        return OK;
    }
    seen->lost++;
    seen->last = *given;
    return OK;
}

static struct seen look_at_given(void)
{
    struct seen seen = { .known = 0 };
    struct listing_given_filter filter = { .recipient = &un.code };
    CHECK_OK(listing_given(&ke.feed, &filter, look, &seen, &err), &err);
    return seen;
}

/* One record is known after the restore; two, given under one consent, are lost. */
static int restored_set_up(void **state)
{
    int failed = two_set_up(state);
    struct store_place saved;
    struct id known = add_excerpt(&ke, "Known");
    give(&ke, &un, &known, 1, 30);
    connect_nodes();
    node_save(&ke, &saved);
    struct id lost[] = { add_excerpt(&ke, "Lost"), add_excerpt(&ke, "Lost as well") };
    give(&ke, &un, lost, 2, 30);
    connect_nodes();
    node_roll_back(&ke, &saved, true);
    connect_nodes();
    connect_nodes();
    return failed;
}

static void what_was_given_after_the_backup_is_listed(void **state)
{
    (void)state;
    struct seen seen = look_at_given();
    assert_int_equal(seen.known, 1);
    assert_int_equal(seen.lost, 2);
    assert_string_equal(seen.last.state, "receipted");
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 3);
    assert_true(has_alarm(&ke, "unknown_records"));
}

static struct consents_ended ended;

static enum status revoke_lost(const struct id *consent, const char *reason)
{
    tx_begin(&ke);
    return tx_end(&ke, consents_revoke(&ke.feed, ANNE, consent, reason, &ended, &err));
}

static void a_lost_consent_is_revoked_by_the_id_that_is_listed(void **state)
{
    (void)state;
    struct seen seen = look_at_given();
    struct id consent = seen.last.row.consent_id;
    struct id stranger = consent;
    stranger.bytes[ID_SIZE - 1] ^= 1;
    assert_int_equal(revoke_lost(&stranger, "a wrong id"), ERR_NOT_FOUND);
    assert_int_equal(revoke_lost(&consent, ""), ERR_INVALID);
    assert_int_equal(waiting_for(&ke, &un), 0);
    CHECK_OK(revoke_lost(&consent, "lost"), &err);
    assert_int_equal(ended.recalled, 2);
    assert_string_equal(look_at_given().last.state, "withdrawn");
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 1);
    assert_int_equal(count_holdings(&un, HOLDING_ERASED), 2);
    assert_string_equal(look_at_given().last.state, "erased");
    assert_int_equal(revoke_lost(&consent, "again"), ERR_NOT_FOUND);
}

static void a_consent_that_was_ended_before_the_restore_asks_nothing(void **state)
{
    assert_int_equal(two_set_up(state), 0);
    struct store_place saved;
    connect_nodes();
    struct id known = add_excerpt(&ke, "Known");
    give(&ke, &un, &known, 1, 30);
    connect_nodes();
    node_save(&ke, &saved);
    struct id lost = add_excerpt(&ke, "Lost");
    struct id consent = give(&ke, &un, &lost, 1, 30);
    connect_nodes();
    revoke(&ke, &consent);
    connect_nodes();
    assert_int_equal(count_holdings(&un, HOLDING_ERASED), 1);
    node_roll_back(&ke, &saved, true);
    connect_nodes();
    connect_nodes();
    assert_false(has_alarm(&ke, "unknown_records"));
    assert_string_equal(look_at_given().last.state, "erased");
    assert_int_equal(count_holdings(&un, HOLDING_ACTIVE), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_given_after_the_backup_is_listed, restored_set_up,
                                        two_tear_down),
        cmocka_unit_test_setup_teardown(a_lost_consent_is_revoked_by_the_id_that_is_listed,
                                        restored_set_up, two_tear_down),
        cmocka_unit_test_teardown(a_consent_that_was_ended_before_the_restore_asks_nothing,
                                  two_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
