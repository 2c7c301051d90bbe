#include "node/job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

/* -- taking ------------------------------------------------------------------------------------ */

struct taken {
    const char *put;   /* one letter a job: u n b urgent, normal, bulk; capitals are alone, */
    const char *first; /* digits fill three of ten parts of a group */
    const char *others;
};

struct named {
    struct job job;
    char name;
};

static void put(struct job_queue *queue, struct named *jobs, const char *names)
{
    for (size_t i = 0; names[i] != '\0'; i++) {
        char name = names[i];
        bool alone = name >= 'A' && name <= 'Z';
        bool large = name >= '0' && name <= '9';
        jobs[i] = (struct named){ .name = name };
        jobs[i].job.alone = alone;
        jobs[i].job.bytes = large ? JOB_GROUP_BYTES / 10 : 1;
        jobs[i].job.adds = large ? JOB_GROUP_BYTES / 5 : 0;
        jobs[i].job.priority = name == 'u' || name == 'U'   ? JOB_URGENT
                               : name == 'b' || name == 'B' ? JOB_BULK
                                                            : JOB_NORMAL;
        job_queue_put(queue, &jobs[i].job);
    }
}

static void names_of(const struct job_group *group, char text[static 32])
{
    size_t count = 0;
    for (const struct job *job = group->jobs.first; job != NULL; job = job->next)
        text[count++] = ((const struct named *)job)->name;
    text[count] = '\0';
    assert_int_equal(count, group->count);
}

static void a_group_takes_what_fits_in_its_order(void **state)
{
    (void)state;
    static const struct taken cases[] = {
        { "", "", "" },
        { "bnu", "unb", "unb" },
        { "nUn", "U", "nn" }, /* one that is alone comes alone, or is passed */
        { "nNb", "n", "nb" }, /* and nothing that is less urgent passes it unasked */
        { "123n", "123n", "123n" } /* nine parts of ten */,
        { "1234n", "123", "123" }, /* nothing behind one that does not fit passes it */
        { "1234bu", "u123", "u123" },
        { "N", "N", "" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct named jobs[16];
        char text[32];
        for (int others = 0; others < 2; others++) {
            struct job_queue queue = { 0 };
            struct job_group group = { 0 };
            put(&queue, jobs, cases[i].put);
            if (others)
                job_queue_take_others(&queue, &group);
            else
                job_queue_take(&queue, &group);
            names_of(&group, text);
            assert_string_equal(text, others ? cases[i].others : cases[i].first);
            assert_int_equal(queue.jobs, strlen(cases[i].put) - group.count);
            size_t left = 0;
            while (job_queue_pop(&queue) != NULL)
                left++;
            assert_int_equal(left, strlen(cases[i].put) - group.count);
            assert_int_equal(queue.jobs, 0);
            assert_int_equal(queue.bytes, 0);
        }
    }
}

/* -- relaxed ----------------------------------------------------------------------------------- */

static enum status storage_begin(void *self, bool relaxed, struct error *err)
{
    (void)err;
    *(bool *)self = relaxed;
    return OK;
}

static enum status storage_step(void *self, struct error *err)
{
    (void)self;
    (void)err;
    return OK;
}

static enum status storage_end(void *self, bool keep, struct error *err)
{
    (void)self;
    (void)keep;
    (void)err;
    return OK;
}

static enum status work(struct job *job, struct error *err)
{
    (void)job;
    (void)err;
    return OK;
}

static enum status refuse(struct job *job, struct error *err)
{
    (void)job;
    return error_set(err, ERR_INVALID, "no");
}

static void a_commit_waits_for_the_disk_unless_all_that_it_stores_comes_again(void **state)
{
    (void)state;
    static const struct job_table works = { "works", NULL, work, NULL, NULL };
    static const struct job_table refused = { "refused", refuse, work, NULL, NULL };
    static const struct job_table pure = { "pure", work, NULL, NULL, NULL };
    static const struct {
        struct job jobs[2];
        bool relaxed;
    } cases[] = {
        { { { .table = &works, .relaxed = true }, { .table = &works, .relaxed = true } }, true },
        { { { .table = &works, .relaxed = true }, { .table = &works } }, false },
        { { { .table = &works }, { .table = &works } }, false },
        { { { .table = &works, .relaxed = true }, { .table = &refused } }, true },
        { { { .table = &works, .relaxed = true }, { .table = &pure } }, true },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool relaxed = !cases[i].relaxed;
        struct error err = ERROR_INIT;
        struct worker_storage storage = { .self = &relaxed,
                                          .begin = storage_begin,
                                          .savepoint = storage_step,
                                          .savepoint_end = storage_end,
                                          .commit = storage_step,
                                          .heads_save = storage_step };
        struct job_queue queue = { 0 };
        struct job_group group = { 0 };
        struct job jobs[2] = { cases[i].jobs[0], cases[i].jobs[1] };
        job_queue_put(&queue, &jobs[0]);
        job_queue_put(&queue, &jobs[1]);
        job_queue_take(&queue, &group);
        assert_int_equal(job_group_run(&group, &storage, NULL, &err), OK);
        assert_int_equal(relaxed, cases[i].relaxed);
    }
}

/* -- joining ----------------------------------------------------------------------------------- */

struct coming {
    struct job jobs[3];
    size_t next;
    size_t applied, checked;
    unsigned commits, told, commits_when_told;
    size_t told_of;
};
static struct coming coming;

static enum status count_check(struct job *job, struct error *err)
{
    coming.checked++;
    return job == &coming.jobs[1] ? error_set(err, ERR_INVALID, "not this one") : OK;
}

static enum status count_apply(struct job *job, struct error *err)
{
    (void)job;
    (void)err;
    coming.applied++;
    return OK;
}

static void come(void *self, struct job_group *group)
{
    (void)self;
    struct job_queue queue = { 0 };
    if (coming.next == 3)
        return;
    job_queue_put(&queue, &coming.jobs[coming.next++]);
    job_queue_take(&queue, group);
}

static enum status count_commit(void *self, struct error *err)
{
    (void)self;
    (void)err;
    coming.commits++;
    return OK;
}

static void see_the_end(void *self, const struct job_group *group)
{
    (void)self;
    coming.told++;
    coming.told_of = group->count;
    coming.commits_when_told = coming.commits;
}

static void what_comes_while_a_group_applies_joins_it_checked_and_alone_in_its_failure(void **state)
{
    (void)state;
    static const struct job_table counted = { "counted", count_check, count_apply, NULL, NULL };
    for (int relaxed = 0; relaxed < 2; relaxed++) {
        struct error err = ERROR_INIT;
        bool was_relaxed = false;
        struct worker_storage storage = { .self = &was_relaxed,
                                          .begin = storage_begin,
                                          .savepoint = storage_step,
                                          .savepoint_end = storage_end,
                                          .commit = count_commit,
                                          .heads_save = storage_step };
        struct job_group group = { 0 };
        const struct job_more more = { NULL, come, see_the_end };
        coming = (struct coming){ .next = 0 };
        for (size_t i = 0; i < 3; i++)
            coming.jobs[i] = (struct job){ .table = &counted, .relaxed = relaxed == 1 };
        come(NULL, &group);
        assert_int_equal(job_group_run(&group, &storage, &more, &err), OK);
        assert_int_equal(group.count, relaxed ? 1 : 3); /* none joins what may be lost */
        assert_int_equal(coming.checked, relaxed ? 1 : 3);
        assert_int_equal(coming.applied, relaxed ? 1 : 2);
        assert_int_equal(coming.jobs[1].error.status, relaxed ? OK : ERR_INVALID);
        assert_int_equal(coming.jobs[2].error.status, OK);
        assert_int_equal(coming.told, 1); /* that only signing is left, or a commit that is quick */
        assert_int_equal(coming.told_of, group.count);
        assert_int_equal(coming.commits_when_told, relaxed ? 0 : 1);
    }
}

/* -- verifying --------------------------------------------------------------------------------- */

struct looked_at {
    struct job job;
    unsigned times;
};

static void look(struct job *job)
{
    ((struct looked_at *)job)->times++;
}

static void *look_too(void *job)
{
    job_verify(job);
    return NULL;
}

static void a_signature_is_verified_once_by_whichever_thread_comes_first(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 50; i++) {
        pthread_t thread;
        struct looked_at at = { .job = { .verify = look } };
        struct job without = { .verify = NULL };
        pthread_mutex_init(&at.job.verifying, NULL);
        assert_int_equal(pthread_create(&thread, NULL, look_too, &at.job), 0);
        job_verify(&at.job);
        assert_int_equal(at.times, 1); /* it is there when job_verify returns */
        pthread_join(thread, NULL);
        assert_int_equal(at.times, 1);
        pthread_mutex_destroy(&at.job.verifying);
        job_verify(&without);
    }
}

static void whoever_helps_takes_the_newest_and_leaves_what_is_taken_or_done(void **state)
{
    (void)state;
    struct looked_at at[4] = { { .times = 0 } };
    struct job_unverified list = { NULL };
    for (size_t i = 0; i < 4; i++) {
        at[i].job.verify = look;
        pthread_mutex_init(&at[i].job.verifying, NULL);
        job_unverified_add(&list, &at[i].job);
    }
    assert_ptr_equal(list.newest, &at[3].job);
    job_unverified_remove(&list, &at[1].job); /* from the middle, twice, and at both ends */
    job_unverified_remove(&list, &at[1].job);
    job_unverified_remove(&list, &at[3].job);
    job_unverified_remove(&list, &at[0].job);
    assert_ptr_equal(list.newest, &at[2].job);
    job_unverified_remove(&list, &at[2].job);
    assert_null(list.newest);
    assert_true(job_verify_unless_taken(&at[0].job));
    assert_false(job_verify_unless_taken(&at[0].job));
    assert_int_equal(at[0].times, 1);
    pthread_mutex_lock(&at[1].job.verifying); /* another thread is at it */
    assert_false(job_verify_unless_taken(&at[1].job));
    pthread_mutex_unlock(&at[1].job.verifying);
    assert_int_equal(at[1].times, 0);
    for (size_t i = 0; i < 4; i++)
        pthread_mutex_destroy(&at[i].job.verifying);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_takes_what_fits_in_its_order),
        cmocka_unit_test(a_commit_waits_for_the_disk_unless_all_that_it_stores_comes_again),
        cmocka_unit_test(
            what_comes_while_a_group_applies_joins_it_checked_and_alone_in_its_failure),
        cmocka_unit_test(a_signature_is_verified_once_by_whichever_thread_comes_first),
        cmocka_unit_test(whoever_helps_takes_the_newest_and_leaves_what_is_taken_or_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
