/* The store thread against a loop thread that submits and takes answers: under TSan, too. */
#include "node/worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

enum { JOBS = 2000, WINDOW = 64 };

struct counter { /* the "database": touched by the store thread alone */
    uint64_t committed, working, saved, heads;
    sem_t wake;
};

static enum status counter_begin(void *self, bool relaxed, struct error *err)
{
    (void)err;
    (void)relaxed;
    struct counter *counter = self;
    counter->working = counter->committed;
    return OK;
}

static enum status counter_savepoint(void *self, struct error *err)
{
    (void)err;
    struct counter *counter = self;
    counter->saved = counter->working;
    return OK;
}

static enum status counter_savepoint_end(void *self, bool keep, struct error *err)
{
    (void)err;
    struct counter *counter = self;
    if (!keep)
        counter->working = counter->saved;
    return OK;
}

static enum status counter_commit(void *self, struct error *err)
{
    (void)err;
    struct counter *counter = self;
    counter->committed = counter->working;
    return OK;
}

static void counter_rollback(void *self)
{
    (void)self;
}

static enum status counter_heads_save(void *self, struct error *err)
{
    (void)err;
    struct counter *counter = self;
    counter->heads = counter->committed;
    return OK;
}

static enum status counter_idle(void *self,
                                int64_t now_ms,
                                struct worker_idle *ret_idle,
                                struct error *err)
{
    (void)err;
    (void)self;
    *ret_idle = (struct worker_idle){ now_ms + 1, false };
    return OK;
}

static void counter_notify(void *context)
{
    struct counter *counter = context;
    sem_post(&counter->wake);
}

static void counter_fatal(void *context, const struct error *err)
{
    (void)context;
    fail_msg("%s", err->text);
}

struct add {
    struct job job;
    struct counter *counter;
    uint64_t number;      /* of submission */
    uint64_t seen;        /* committed value when it was signed */
    uint64_t *done_count; /* loop thread */
};

static enum status add_apply(struct job *job, struct error *err)
{
    struct add *add = (struct add *)job;
    add->counter->working++;
    return add->number % 7 == 3 ? error_set(err, ERR_DENIED, "every seventh") : OK;
}

static enum status add_sign(struct job *job, struct error *err)
{
    (void)err;
    struct add *add = (struct add *)job;
    add->seen = add->counter->heads;
    return OK;
}

static void add_done(struct job *job)
{
    struct add *add = (struct add *)job;
    assert_int_equal(add->number, *add->done_count); /* answers keep their order */
    assert_int_equal(job->error.status, add->number % 7 == 3 ? ERR_DENIED : OK);
    (*add->done_count)++;
}

static const struct job_table ADD = { "add", NULL, add_apply, add_sign, add_done };

static struct worker *start(struct counter *counter)
{
    *counter = (struct counter){ 0 };
    sem_init(&counter->wake, 0, 0);
    struct worker_config config = {
        .storage = { counter, counter_begin, counter_savepoint, counter_savepoint_end,
                     counter_commit, counter_rollback, counter_heads_save, counter_idle },
        .clock = clock_system(),
        .threaded = true,
        .context = counter,
        .notify = counter_notify,
        .fatal = counter_fatal,
    };
    struct worker *worker = NULL;
    assert_int_equal(worker_new(&config, &worker, NULL), OK);
    return worker;
}

/* A job whose check takes so long that another one comes meanwhile. */
static struct worker *checking;
static struct add late;

static enum status slow_check(struct job *job, struct error *err)
{
    (void)job;
    return worker_submit(checking, &late.job, err);
}

static void worker_takes_what_comes_while_it_checks_into_the_group(void **state)
{
    (void)state;
    static const struct job_table slow = { "slow", slow_check, add_apply, add_sign, add_done };
    struct counter counter;
    uint64_t done = 0;
    struct add first = { .counter = &counter, .number = 0, .done_count = &done };
    checking = start(&counter);
    late = (struct add){ .counter = &counter, .number = 1, .done_count = &done };
    first.job = (struct job){ .table = &slow, .priority = JOB_NORMAL };
    late.job = (struct job){ .table = &ADD, .priority = JOB_NORMAL };
    assert_int_equal(worker_submit(checking, &first.job, NULL), OK);
    while (done < 2) {
        sem_wait(&counter.wake);
        (void)worker_deliver(checking);
    }
    assert_int_equal(worker_stats(checking).groups, 1);
    assert_int_equal(first.seen, 2);
    worker_free(checking);
    sem_destroy(&counter.wake);
}

static bool was_ending;

static enum status look_at_the_end(struct job *job, struct error *err)
{
    was_ending = worker_is_ending(checking);
    return add_sign(job, err);
}

static void a_small_group_is_told_of_before_it_is_signed_and_not_after(void **state)
{
    (void)state;
    static const struct job_table looks = { "looks", NULL, add_apply, look_at_the_end, add_done };
    struct counter counter;
    uint64_t done = 0;
    struct add only = { .counter = &counter, .number = 0, .done_count = &done };
    checking = start(&counter);
    only.job = (struct job){ .table = &looks, .priority = JOB_NORMAL };
    assert_false(worker_is_ending(checking));
    assert_int_equal(worker_submit(checking, &only.job, NULL), OK);
    while (done < 1) {
        sem_wait(&counter.wake);
        (void)worker_deliver(checking);
    }
    assert_true(was_ending);
    assert_false(worker_is_ending(checking));
    worker_free(checking);
    sem_destroy(&counter.wake);
}

static void worker_thread_answers_everything_once_and_in_order(void **state)
{
    (void)state;
    static struct add jobs[JOBS];
    struct counter counter;
    struct worker *worker = start(&counter);
    uint64_t done = 0, submitted = 0;
    while (done < JOBS) {
        while (submitted < JOBS && submitted - done < WINDOW) {
            jobs[submitted] = (struct add){
                .job = { .table = &ADD, .priority = JOB_NORMAL, .bytes = 1000 },
                .counter = &counter,
                .number = submitted,
                .done_count = &done,
            };
            assert_int_equal(worker_submit(worker, &jobs[submitted].job, NULL), OK);
            submitted++;
        }
        sem_wait(&counter.wake);
        (void)worker_deliver(worker);
    }
    worker_hurry(worker);
    assert_true(worker_stats(worker).groups > 0);
    worker_free(worker);
    assert_int_equal(counter.committed, JOBS - JOBS / 7 - (JOBS % 7 > 3 ? 1 : 0));
    for (uint64_t i = 0; i < JOBS; i++)
        if (i % 7 != 3)
            assert_true(jobs[i].seen > 0 && jobs[i].seen <= counter.committed);
    sem_destroy(&counter.wake);
}

static void any_done(struct job *job)
{
    (*((struct add *)job)->done_count)++;
}

static const struct job_table ANY = { "any", NULL, add_apply, add_sign, any_done };

static void worker_thread_answers_also_what_waits_when_it_stops(void **state)
{
    (void)state;
    static struct add jobs[JOBS];
    struct counter counter;
    struct worker *worker = start(&counter);
    uint64_t done = 0;
    for (uint64_t i = 0; i < JOBS; i++) {
        jobs[i] = (struct add){
            .job = { .table = &ANY, .priority = JOB_NORMAL, .bytes = 1 },
            .counter = &counter,
            .number = i,
            .done_count = &done,
        };
        assert_int_equal(worker_submit(worker, &jobs[i].job, NULL), OK);
    }
    worker_stop(worker);
    assert_int_equal(done, JOBS);
    assert_int_equal(worker_submit(worker, &jobs[0].job, NULL), ERR_BUSY);
    worker_free(worker);
    sem_destroy(&counter.wake);
}

/* Its answer submits two more, with a pause in which an eager thread would take the first alone. */
struct parent {
    struct add add; /* first */
    struct worker *worker;
    struct add *children;
};

static void parent_done(struct job *job)
{
    struct parent *parent = (struct parent *)job;
    any_done(job);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(worker_submit(parent->worker, &parent->children[i].job, NULL), OK);
        (void)usleep(20 * 1000);
    }
}

static const struct job_table PARENT = { "parent", NULL, add_apply, add_sign, parent_done };

static void worker_thread_takes_what_one_delivery_submits_as_one_group(void **state)
{
    (void)state;
    struct counter counter;
    struct worker *worker = start(&counter);
    uint64_t done = 0;
    struct add children[2];
    struct parent parent = {
        .add = { .job = { .table = &PARENT, .priority = JOB_NORMAL, .bytes = 1 },
                 .counter = &counter,
                 .done_count = &done },
        .worker = worker,
        .children = children,
    };
    for (size_t i = 0; i < 2; i++) {
        children[i] = (struct add){ .job = { .table = &ANY, .priority = JOB_NORMAL, .bytes = 1 },
                                    .counter = &counter,
                                    .done_count = &done };
    }
    assert_int_equal(worker_submit(worker, &parent.add.job, NULL), OK);
    while (done < 3) {
        sem_wait(&counter.wake);
        (void)worker_deliver(worker);
    }
    assert_int_equal(worker_stats(worker).groups, 2);
    worker_free(worker);
    sem_destroy(&counter.wake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worker_takes_what_comes_while_it_checks_into_the_group),
        cmocka_unit_test(a_small_group_is_told_of_before_it_is_signed_and_not_after),
        cmocka_unit_test(worker_thread_answers_everything_once_and_in_order),
        cmocka_unit_test(worker_thread_answers_also_what_waits_when_it_stops),
        cmocka_unit_test(worker_thread_takes_what_one_delivery_submits_as_one_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
