#include "consent/lifecycle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The picture of lifecycle.h as a table: rows are states, columns are steps; 0 is a refusal. */
static const enum consent_state picture[CONSENT_STATE_COUNT][CONSENT_STEP_COUNT] = {
    /* propose, reject, approve, suspend, resume, revoke, expire, supersede */
    [CONSENT_DRAFT] = { CONSENT_PROPOSED, 0, 0, 0, 0, CONSENT_REVOKED, CONSENT_EXPIRED, 0 },
    [CONSENT_PROPOSED] = { 0, CONSENT_DRAFT, CONSENT_ACTIVE, 0, 0, CONSENT_REVOKED, CONSENT_EXPIRED,
                           0 },
    [CONSENT_ACTIVE] = { 0, 0, 0, CONSENT_SUSPENDED, 0, CONSENT_REVOKED, CONSENT_EXPIRED,
                         CONSENT_SUPERSEDED },
    [CONSENT_SUSPENDED] = { 0, 0, 0, 0, CONSENT_ACTIVE, CONSENT_REVOKED, CONSENT_EXPIRED,
                            CONSENT_SUPERSEDED },
};

static void every_step_that_is_not_in_the_picture_is_refused_with_the_next_one(void **state)
{
    (void)state;
    int refused = 0;
    for (int from = CONSENT_DRAFT; from < CONSENT_STATE_COUNT; from++) {
        for (int step = 0; step < CONSENT_STEP_COUNT; step++) {
            struct error err = ERROR_INIT;
            enum consent_state to = CONSENT_STATE_COUNT;
            enum status got =
                lifecycle_move((enum consent_state)from, (enum consent_step)step, &to, &err);
            if (picture[from][step] != 0) {
                assert_int_equal(got, OK);
                assert_int_equal(to, picture[from][step]);
                continue;
            }
            refused++;
            assert_int_equal(got, ERR_WRONG_STATE);
            assert_int_equal(to, CONSENT_STATE_COUNT);
            assert_non_null(strstr(err.text, lifecycle_state_name((enum consent_state)from)));
            assert_non_null(strstr(err.text, lifecycle_step_name((enum consent_step)step)));
            assert_non_null(strstr(err.text, "; next: "));
        }
    }
    assert_int_equal(refused, 7 * 8 - 3 - 4 - 4 - 4);
}

static void what_has_ended_never_begins_again(void **state)
{
    (void)state;
    for (int from = CONSENT_DRAFT; from < CONSENT_STATE_COUNT; from++) {
        bool ended = from >= CONSENT_REVOKED;
        assert_int_equal(lifecycle_has_ended((enum consent_state)from), ended);
        for (int step = 0; ended && step < CONSENT_STEP_COUNT; step++)
            assert_int_equal(picture[from][step], 0);
    }
}

static void states_and_steps_that_do_not_exist_are_refused(void **state)
{
    (void)state;
    enum consent_state to = CONSENT_STATE_COUNT;
    struct error err = ERROR_INIT;
    assert_int_equal(lifecycle_move((enum consent_state)0, STEP_REVOKE, &to, &err), ERR_CORRUPT);
    assert_int_equal(lifecycle_move(CONSENT_STATE_COUNT, STEP_REVOKE, &to, &err), ERR_CORRUPT);
    assert_int_equal(lifecycle_move(CONSENT_DRAFT, CONSENT_STEP_COUNT, &to, &err), ERR_CORRUPT);
    assert_int_equal(to, CONSENT_STATE_COUNT);
    assert_string_equal(lifecycle_state_name((enum consent_state)0), "unknown");
    assert_string_equal(lifecycle_state_name(CONSENT_STATE_COUNT), "unknown");
    assert_string_equal(lifecycle_step_name(CONSENT_STEP_COUNT), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_step_that_is_not_in_the_picture_is_refused_with_the_next_one),
        cmocka_unit_test(what_has_ended_never_begins_again),
        cmocka_unit_test(states_and_steps_that_do_not_exist_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
