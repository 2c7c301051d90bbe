#include "node/job.h"

/* -- lists and the queue ----------------------------------------------------------------------- */

void job_list_push(struct job_list *list, struct job *job)
{
    job->next = NULL;
    if (list->last != NULL)
        list->last->next = job;
    else
        list->first = job;
    list->last = job;
}

struct job *job_list_pop(struct job_list *list)
{
    struct job *job = list->first;
    if (job != NULL) {
        list->first = job->next;
        if (list->first == NULL)
            list->last = NULL;
        job->next = NULL;
    }
    return job;
}

void job_queue_put(struct job_queue *queue, struct job *job)
{
    queue->jobs++;
    queue->bytes += job->bytes;
    job_list_push(&queue->waiting[job->priority], job);
}

static struct job *pop(struct job_queue *queue, struct job_list *list)
{
    struct job *job = job_list_pop(list);
    if (job != NULL) {
        queue->jobs--;
        queue->bytes -= job->bytes;
    }
    return job;
}

struct job *job_queue_pop(struct job_queue *queue)
{
    struct job *job = NULL;
    for (size_t i = 0; job == NULL && i < JOB_PRIORITY_COUNT; i++)
        job = pop(queue, &queue->waiting[i]);
    return job;
}

static void add(struct job_group *group, struct job *job)
{
    group->count++;
    group->bytes += job->bytes + job->adds;
    job_list_push(&group->jobs, job);
}

static bool fits(const struct job_group *group, const struct job *job)
{
    return group->count == 0 || group->bytes + job->bytes + job->adds <= JOB_GROUP_BYTES;
}

void job_queue_take(struct job_queue *queue, struct job_group *group)
{
    for (size_t i = 0; i < JOB_PRIORITY_COUNT; i++) {
        struct job_list *list = &queue->waiting[i];
        for (const struct job *next = list->first; next != NULL; next = list->first) {
            if (!fits(group, next) || (next->alone && group->count > 0))
                return;
            bool alone = next->alone;
            add(group, pop(queue, list));
            if (alone)
                return;
        }
    }
}

void job_queue_take_others(struct job_queue *queue, struct job_group *group)
{
    bool full = false; /* what comes behind one that does not fit must not pass it */
    for (size_t i = 0; i < JOB_PRIORITY_COUNT; i++) {
        struct job_list kept = { NULL, NULL };
        struct job_list *list = &queue->waiting[i];
        while (list->first != NULL) {
            full = full || (!list->first->alone && !fits(group, list->first));
            if (full || list->first->alone)
                job_list_push(&kept, job_list_pop(list));
            else
                add(group, pop(queue, list));
        }
        *list = kept;
    }
}

/* -- a group ----------------------------------------------------------------------------------- */

void job_fail(struct job *job, const struct error *err)
{
    if (job->error.status == OK)
        job->error = *err;
}

static void fail_all(struct job_group *group, enum status status, struct error *err)
{
    err->status = status;
    for (struct job *job = group->jobs.first; job != NULL; job = job->next)
        job_fail(job, err);
}

static void run_step(struct job *job, enum status (*step)(struct job *, struct error *))
{
    struct error err = ERROR_INIT;
    if (job->error.status == OK && step != NULL && step(job, &err) != OK)
        job->error = err;
}

static bool has_work(const struct job *job)
{
    return job->error.status == OK && job->table->apply != NULL;
}

bool job_group_is_alone(const struct job_group *group)
{
    return group->jobs.first != NULL && group->jobs.first->alone;
}

void job_verify(struct job *job)
{
    if (job->verify == NULL)
        return;
    pthread_mutex_lock(&job->verifying);
    if (!job->verified)
        job->verify(job);
    job->verified = true;
    pthread_mutex_unlock(&job->verifying);
}

bool job_verify_unless_taken(struct job *job)
{
    if (pthread_mutex_trylock(&job->verifying) != 0)
        return false;
    bool mine = !job->verified;
    if (mine)
        job->verify(job);
    job->verified = true;
    pthread_mutex_unlock(&job->verifying);
    return mine;
}

void job_unverified_add(struct job_unverified *list, struct job *job)
{
    job->unverified_after = NULL;
    job->unverified_before = list->newest;
    if (list->newest != NULL)
        list->newest->unverified_after = job;
    list->newest = job;
}

void job_unverified_remove(struct job_unverified *list, struct job *job)
{
    if (list->newest == job)
        list->newest = job->unverified_before;
    if (job->unverified_before != NULL)
        job->unverified_before->unverified_after = job->unverified_after;
    if (job->unverified_after != NULL)
        job->unverified_after->unverified_before = job->unverified_before;
    job->unverified_before = job->unverified_after = NULL;
}

static void check_all(const struct job_group *group)
{
    for (struct job *job = group->jobs.first; job != NULL; job = job->next)
        run_step(job, job->table->check);
}

bool job_group_has_work(const struct job_group *group)
{
    for (const struct job *job = group->jobs.first; job != NULL; job = job->next)
        if (has_work(job))
            return true;
    return false;
}

static bool is_relaxed(const struct job_group *group)
{
    for (const struct job *job = group->jobs.first; job != NULL; job = job->next)
        if (has_work(job) && !job->relaxed)
            return false;
    return true;
}

/* One job in its own savepoint.  A failure here is the group's: the savepoint could not be made or
 * undone, as when SQLite has rolled back everything by itself. */
static enum status apply_one(const struct worker_storage *storage,
                             struct job *job,
                             struct error *err)
{
    enum status status = storage->savepoint(storage->self, err);
    if (status != OK)
        return status;
    run_step(job, job->table->apply);
    status = storage->savepoint_end(storage->self, job->error.status == OK, err);
    if (status != OK && job->error.status != OK)
        *err = job->error; /* the reason why everything was rolled back */
    return status;
}

/* The job behind this one; behind the last, the first of those that join. */
static struct job *next_job(struct job_group *group, struct job *job, const struct job_more *more)
{
    if (job->next != NULL || more == NULL)
        return job->next;
    more->take(more->self, group);
    for (struct job *added = job->next; added != NULL; added = added->next)
        run_step(added, added->table->check);
    return job->next;
}

static void tell_ending(const struct job_group *group, const struct job_more *more)
{
    if (more != NULL)
        more->ending(more->self, group);
}

static enum status commit(struct job_group *group,
                          const struct worker_storage *storage,
                          bool relaxed,
                          const struct job_more *more,
                          struct error *err)
{
    if (relaxed) /* it does not wait for the disk */
        tell_ending(group, more);
    enum status status = storage->commit(storage->self, err);
    if (!relaxed && status == OK)
        tell_ending(group, more);
    return status;
}

static enum status apply_all(struct job_group *group,
                             const struct worker_storage *storage,
                             const struct job_more *more,
                             struct error *err)
{
    bool relaxed = is_relaxed(group);
    enum status status = storage->begin(storage->self, relaxed, err);
    if (status != OK)
        return status;
    /* What must last does not join what may be lost. */
    const struct job_more *joining = relaxed ? NULL : more;
    struct job *job = group->jobs.first;
    while (status == OK && job != NULL) {
        if (has_work(job))
            status = apply_one(storage, job, err);
        if (status == OK)
            job = next_job(group, job, joining);
    }
    if (status == OK)
        status = commit(group, storage, relaxed, more, err);
    if (status != OK)
        storage->rollback(storage->self);
    return status;
}

static enum status complete(struct job_group *group,
                            const struct worker_storage *storage,
                            enum status status,
                            struct error *err)
{
    if (status == OK && job_group_has_work(group))
        status = storage->heads_save(storage->self, err);
    if (status != OK) {
        fail_all(group, status, err);
        return status;
    }
    for (struct job *job = group->jobs.first; job != NULL; job = job->next)
        run_step(job, job->table->sign);
    return OK;
}

enum status job_group_run(struct job_group *group,
                          const struct worker_storage *storage,
                          const struct job_more *more,
                          struct error *err)
{
    check_all(group);
    enum status status = job_group_has_work(group) ? apply_all(group, storage, more, err) : OK;
    return complete(group, storage, status, err);
}

enum status job_group_run_alone(struct job_group *group,
                                const struct worker_storage *storage,
                                struct error *err)
{
    check_all(group);
    run_step(group->jobs.first, group->jobs.first->table->apply);
    return complete(group, storage, OK, err);
}
