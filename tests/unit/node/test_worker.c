/* Groups of jobs: what is committed when, what fails alone and what together, who goes first. */
#include "worker_fake.h"

static void worker_commits_before_it_signs_and_signs_before_it_answers(void **state)
{
    (void)state;
    struct fake fake;
    struct letter letters[3];
    struct worker *worker = make(&fake);
    submit(worker, letters, &fake, "abc");
    worker_run(worker);
    assert_string_equal(fake.trace,
                        "begin commit heads sign-a sign-b sign-c done-a done-b done-c ");
    assert_string_equal(fake.committed, "abc");
    worker_free(worker);
}

static void worker_undoes_a_failing_job_alone(void **state)
{
    (void)state;
    struct fake fake;
    struct letter letters[5];
    struct worker *worker = make(&fake);
    submit(worker, letters, &fake, "aB1cD");
    worker_run(worker);
    assert_string_equal(fake.committed, "ac");
    const enum status expected[] = { OK, ERR_DENIED, ERR_INVALID, OK, ERR_DENIED };
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(letters[i].outcome, expected[i]);
    assert_null(strstr(fake.trace, "sign-B"));
    worker_free(worker);
}

static void worker_opens_no_transaction_when_all_checks_fail(void **state)
{
    (void)state;
    struct fake fake;
    struct letter letters[2];
    struct worker *worker = make(&fake);
    submit(worker, letters, &fake, "12");
    worker_run(worker);
    assert_string_equal(fake.trace, "done-1 done-2 ");
    worker_free(worker);
}

static void worker_fails_the_whole_group_when_a_savepoint_is_gone(void **state)
{
    (void)state;
    struct fake fake;
    struct letter letters[3];
    struct worker *worker = make(&fake);
    fake.savepoint_end_fails = ERR_FULL;
    submit(worker, letters, &fake, "aBc");
    worker_run(worker);
    assert_string_equal(fake.committed, "");
    assert_string_equal(fake.trace, "begin rollback done-a done-B done-c ");
    assert_int_equal(letters[0].outcome, ERR_FULL);
    assert_int_equal(letters[1].outcome, ERR_DENIED);
    assert_int_equal(letters[2].outcome, ERR_FULL);
    assert_int_equal(fake.fatal.status, OK);
    worker_free(worker);
}

static void worker_survives_a_full_disk_and_says_so(void **state)
{
    (void)state;
    struct fake fake;
    struct letter letters[2];
    struct worker *worker = make(&fake);
    fake.commit_fails = ERR_FULL;
    submit(worker, letters, &fake, "a");
    worker_run(worker);
    assert_int_equal(letters[0].outcome, ERR_FULL);
    fake.commit_fails = OK;
    submit(worker, letters, &fake, "b");
    worker_run(worker);
    assert_string_equal(fake.committed, "b");
    worker_free(worker);
}

static void worker_stops_for_good_when_a_sync_fails(void **state)
{
    (void)state;
    static const struct {
        enum status commit, heads;
    } cases[] = {
        { ERR_IO, OK },
        { OK, ERR_IO },
    };
    for (size_t i = 0; i < 2; i++) {
        struct fake fake;
        struct letter letters[2];
        struct worker *worker = make(&fake);
        fake.commit_fails = cases[i].commit;
        fake.heads_fail = cases[i].heads;
        submit(worker, letters, &fake, "a");
        worker_run(worker);
        assert_int_equal(fake.fatal.status, ERR_IO);
        assert_int_equal(letters[0].outcome, ERR_IO);
        assert_null(strstr(fake.trace, "sign"));
        letter_init(&letters[1], &fake, 'b');
        struct error err = ERROR_INIT;
        assert_int_equal(worker_submit(worker, &letters[1].job, &err), ERR_BUSY);
        worker_free(worker);
    }
}

static void worker_takes_urgent_jobs_first_and_bulk_ones_last(void **state)
{
    (void)state;
    struct fake fake;
    struct letter letters[4];
    struct worker *worker = make(&fake);
    const enum job_priority priorities[] = { JOB_BULK, JOB_NORMAL, JOB_URGENT, JOB_NORMAL };
    for (size_t i = 0; i < 4; i++) {
        letter_init(&letters[i], &fake, (char)('a' + i));
        letters[i].job.priority = priorities[i];
        assert_int_equal(worker_submit(worker, &letters[i].job, NULL), OK);
    }
    worker_run(worker);
    assert_string_equal(fake.committed, "cbda");
    worker_free(worker);
}

static void worker_cuts_groups_at_their_bound_and_runs_an_alone_job_by_itself(void **state)
{
    (void)state;
    struct fake fake;
    struct letter letters[4];
    struct worker *worker = make(&fake);
    for (size_t i = 0; i < 4; i++) {
        letter_init(&letters[i], &fake, (char)('a' + i));
        letters[i].job.bytes = i < 2 ? JOB_GROUP_BYTES / 2 + 1 : 1;
        letters[i].job.alone = i == 2;
        assert_int_equal(worker_submit(worker, &letters[i].job, NULL), OK);
    }
    worker_run(worker);
    assert_string_equal(fake.trace, "begin commit heads sign-a done-a begin commit heads sign-b "
                                    "done-b heads sign-c done-c begin commit heads sign-d done-d ");
    worker_free(worker);
}

/* A job that is alone and breathes: its steps are in the trace. */
static struct worker *breathing;
static int breaths;

static enum status breathing_apply(struct job *job, struct error *err)
{
    struct letter *letter = (struct letter *)job;
    (void)err;
    for (int i = 0; i < breaths; i++) {
        trace(letter->fake, "step");
        if (!worker_breathe(breathing))
            return error_set(err, ERR_BUSY, "stopping");
    }
    return OK;
}

static const struct job_table BREATHING = { "breathing", NULL, breathing_apply, NULL, letter_done };

static void worker_lets_others_go_on_while_a_job_that_is_alone_breathes(void **state)
{
    (void)state;
    struct fake fake;
    struct letter letters[4];
    struct worker *worker = make(&fake);
    breathing = worker;
    breaths = 3;
    worker_run(worker); /* the first idle step */
    int idle_runs = fake.idle_runs;
    fake.trace[0] = '\0';
    for (size_t i = 0; i < 4; i++) {
        letter_init(&letters[i], &fake, (char)('a' + i));
        letters[i].job.alone = i == 0 || i == 2;
        if (letters[i].job.alone)
            letters[i].job.table = &BREATHING;
        assert_int_equal(worker_submit(worker, &letters[i].job, NULL), OK);
    }
    clock_fake_advance(&fake.clock, 10);
    worker_run(worker);
    /* b and d go in one group inside a; c is alone as well and waits for the end of a. */
    assert_string_equal(fake.trace, "step begin commit heads sign-b sign-d step step heads "
                                    "done-b done-d done-a step step step heads done-c ");
    assert_string_equal(fake.committed, "bd");
    clock_fake_advance(&fake.clock, 60 * 1000 + WORKER_IDLE_SOON_MS);
    worker_run(worker);
    assert_true(fake.idle_runs > idle_runs);
    worker_free(worker);
}

static void worker_shows_that_it_lives_while_a_job_breathes(void **state)
{
    (void)state;
    struct fake fake;
    struct worker *worker = make(&fake);
    clock_fake_advance(&fake.clock, 5000);
    assert_true(worker_breathe(worker)); /* outside a job that is alone nothing else is run */
    assert_int_equal(worker_stats(worker).last_alive_ms, fake.clock.monotonic_now_ms);
    worker_stop(worker);
    assert_false(worker_breathe(worker));
    worker_free(worker);
}

static void worker_refuses_what_its_queue_cannot_hold(void **state)
{
    (void)state;
    struct fake fake;
    struct letter big, small;
    struct worker *worker = make(&fake);
    letter_init(&big, &fake, 'a');
    big.job.bytes = WORKER_QUEUE_BYTES;
    letter_init(&small, &fake, 'b');
    assert_int_equal(worker_submit(worker, &big.job, NULL), OK);
    assert_true(worker_is_crowded(worker));
    struct error err = ERROR_INIT;
    assert_int_equal(worker_submit(worker, &small.job, &err), ERR_BUSY);
    assert_non_null(strstr(err.text, "store queue"));
    worker_run(worker);
    assert_false(worker_is_crowded(worker));
    assert_int_equal(worker_submit(worker, &small.job, NULL), OK);
    worker_stop(worker); /* answers what still waits */
    assert_int_equal(small.outcome, ERR_BUSY);
    worker_free(worker);
}

static void worker_refuses_more_jobs_than_its_bound(void **state)
{
    (void)state;
    struct fake fake;
    static struct letter letters[WORKER_QUEUE_JOBS + 1];
    struct worker *worker = make(&fake);
    for (size_t i = 0; i <= WORKER_QUEUE_JOBS; i++) {
        letter_init(&letters[i], &fake, '1');
        enum status status = worker_submit(worker, &letters[i].job, NULL);
        assert_int_equal(status, i < WORKER_QUEUE_JOBS ? OK : ERR_BUSY);
    }
    fake.trace[0] = '\0';
    worker_free(worker);
    assert_true(letters[WORKER_QUEUE_JOBS - 1].done);
    assert_false(letters[WORKER_QUEUE_JOBS].done);
}

static void worker_does_idle_work_when_due_and_soon_after_a_commit(void **state)
{
    (void)state;
    struct fake fake;
    struct letter letters[1];
    struct worker *worker = make(&fake);
    assert_int_equal(fake.idle_runs, 1);
    worker_run(worker);
    assert_int_equal(fake.idle_runs, 1); /* not due for a minute */
    submit(worker, letters, &fake, "a");
    worker_run(worker);
    clock_fake_advance(&fake.clock, WORKER_IDLE_SOON_MS);
    worker_run(worker);
    assert_int_equal(fake.idle_runs, 2);
    assert_int_equal(fake.told_changes, 0);
    fake.idle_changes = true;
    worker_hurry(worker);
    worker_run(worker);
    assert_int_equal(fake.idle_runs, 3);
    assert_int_equal(fake.told_changes, 1);
    worker_free(worker);
}

static void worker_lets_overdue_idle_work_pass_a_busy_queue(void **state)
{
    (void)state;
    struct fake fake;
    struct letter letters[1];
    struct worker *worker = make(&fake);
    worker_hurry(worker);
    clock_fake_advance(&fake.clock, WORKER_IDLE_LATE_MS);
    submit(worker, letters, &fake, "a");
    assert_true(worker_step(worker));
    assert_int_equal(fake.idle_runs, 2);
    assert_string_equal(fake.committed, "");
    worker_free(worker);
    assert_int_equal(letters[0].outcome, ERR_BUSY);
}

static void worker_reports_memory_that_runs_out(void **state)
{
    (void)state;
    struct fake fake = { 0 };
    clock_fake_init(&fake.clock, 0);
    struct worker_config config = { .clock = &fake.clock.base, .fatal = fake_fatal };
    struct worker *worker = NULL;
    mem_fail_at(1, false);
    assert_int_equal(worker_new(&config, &worker, NULL), ERR_MEMORY);
    mem_fail_at(0, false);
    assert_null(worker);
    worker_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worker_commits_before_it_signs_and_signs_before_it_answers),
        cmocka_unit_test(worker_undoes_a_failing_job_alone),
        cmocka_unit_test(worker_opens_no_transaction_when_all_checks_fail),
        cmocka_unit_test(worker_fails_the_whole_group_when_a_savepoint_is_gone),
        cmocka_unit_test(worker_survives_a_full_disk_and_says_so),
        cmocka_unit_test(worker_stops_for_good_when_a_sync_fails),
        cmocka_unit_test(worker_takes_urgent_jobs_first_and_bulk_ones_last),
        cmocka_unit_test(worker_lets_others_go_on_while_a_job_that_is_alone_breathes),
        cmocka_unit_test(worker_shows_that_it_lives_while_a_job_breathes),
        cmocka_unit_test(worker_cuts_groups_at_their_bound_and_runs_an_alone_job_by_itself),
        cmocka_unit_test(worker_refuses_what_its_queue_cannot_hold),
        cmocka_unit_test(worker_refuses_more_jobs_than_its_bound),
        cmocka_unit_test(worker_does_idle_work_when_due_and_soon_after_a_commit),
        cmocka_unit_test(worker_lets_overdue_idle_work_pass_a_busy_queue),
        cmocka_unit_test(worker_reports_memory_that_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
