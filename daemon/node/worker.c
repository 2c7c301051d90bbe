#include "node/worker.h"

#include "base/memory.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

struct job_list {
    struct job *first, *last;
};

struct worker {
    struct worker_config config;
    pthread_t thread;
    bool started; /* the thread exists */
    bool running; /* synchronous mode: inside worker_run */
    bool alone;   /* store thread: a job that is alone is at work */
    bool inside;  /* store thread: others go on meanwhile */

    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t wake;
    struct job_list waiting[JOB_PRIORITY_COUNT];
    struct job_list finished;
    bool stopping;
    bool delivering;     /* what `done` submits comes together into one group */
    bool changed;        /* by idle work, not told yet */
    int64_t idle_due_ms; /* monotonic */
    struct worker_stats stats;
};

static void list_push(struct job_list *list, struct job *job)
{
    job->next = NULL;
    if (list->last != NULL)
        list->last->next = job;
    else
        list->first = job;
    list->last = job;
}

static struct job *list_pop(struct job_list *list)
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

static int64_t now_ms(const struct worker *worker)
{
    return worker->config.clock->monotonic_ms(worker->config.clock);
}

/* -- a group, on the store thread -------------------------------------------------------------- */

static void fail_job(struct job *job, const struct error *err)
{
    if (job->error.status == OK)
        job->error = *err;
}

static void fail_group(struct job_list *group, const struct error *err)
{
    for (struct job *job = group->first; job != NULL; job = job->next)
        fail_job(job, err);
}

/* The disk failed: nothing that happens from here on could be relied upon. */
static void die(struct worker *worker, const struct error *err)
{
    pthread_mutex_lock(&worker->mutex);
    worker->stopping = true;
    pthread_mutex_unlock(&worker->mutex);
    worker->config.fatal(worker->config.context, err);
}

static void run_step(struct job *job, enum status (*step)(struct job *, struct error *))
{
    struct error err = ERROR_INIT;
    if (job->error.status == OK && step != NULL && step(job, &err) != OK)
        job->error = err;
}

/* One job in its own savepoint.  A failure here is the group's: the savepoint could not be made or
 * undone, as when SQLite has rolled back everything by itself. */
static enum status apply_one(struct worker *worker, struct job *job, struct error *err)
{
    const struct worker_storage *storage = &worker->config.storage;
    enum status status = storage->savepoint(storage->self, err);
    if (status != OK)
        return status;
    run_step(job, job->table->apply);
    status = storage->savepoint_end(storage->self, job->error.status == OK, err);
    if (status != OK && job->error.status != OK)
        *err = job->error; /* the reason why everything was rolled back */
    return status;
}

static enum status apply_all(struct worker *worker, struct job_list *group, struct error *err)
{
    const struct worker_storage *storage = &worker->config.storage;
    enum status status = storage->begin(storage->self, err);
    if (status != OK)
        return status;
    for (struct job *job = group->first; status == OK && job != NULL; job = job->next)
        if (job->error.status == OK && job->table->apply != NULL)
            status = apply_one(worker, job, err);
    if (status == OK)
        status = storage->commit(storage->self, err);
    if (status != OK)
        storage->rollback(storage->self);
    return status;
}

static bool group_has_work(const struct job_list *group)
{
    for (const struct job *job = group->first; job != NULL; job = job->next)
        if (job->error.status == OK && job->table->apply != NULL)
            return true;
    return false;
}

static void run_group(struct worker *worker, struct job_list *group)
{
    const struct worker_storage *storage = &worker->config.storage;
    struct error err = ERROR_INIT;
    enum status status = OK;
    for (struct job *job = group->first; job != NULL; job = job->next)
        run_step(job, job->table->check);
    if (!group_has_work(group)) {
        /* nothing to commit */
    } else if (group->first->alone) {
        worker->alone = !worker->inside;
        run_step(group->first, group->first->table->apply);
        worker->alone = false;
    } else {
        status = apply_all(worker, group, &err);
    }
    if (status == OK && group_has_work(group))
        status = storage->heads_save(storage->self, &err);
    if (status != OK) {
        err.status = status;
        fail_group(group, &err);
        if (status == ERR_IO)
            die(worker, &err);
        return;
    }
    for (struct job *job = group->first; job != NULL; job = job->next)
        run_step(job, job->table->sign);
}

/* -- the queue --------------------------------------------------------------------------------- */

static void take_job(struct worker *worker, struct job_list *list, struct job_list *group)
{
    struct job *job = list_pop(list);
    worker->stats.jobs--;
    worker->stats.bytes -= job->bytes;
    list_push(group, job);
}

/* With the mutex held: those of a list that are not alone, while they fit, in their order. */
static size_t take_others(struct worker *worker,
                          struct job_list *list,
                          size_t bytes,
                          struct job_list *group)
{
    struct job_list kept = { NULL, NULL };
    while (list->first != NULL) {
        const struct job *next = list->first;
        bool fits = group->first == NULL || bytes + next->bytes <= WORKER_GROUP_BYTES;
        if (next->alone || !fits) {
            list_push(&kept, list_pop(list));
            continue;
        }
        bytes += next->bytes;
        take_job(worker, list, group);
    }
    *list = kept;
    return bytes;
}

/* With the mutex held, inside a job that is alone. */
static bool take_group_inside(struct worker *worker, struct job_list *ret_group)
{
    size_t bytes = 0;
    *ret_group = (struct job_list){ NULL, NULL };
    for (size_t i = 0; i < JOB_PRIORITY_COUNT; i++)
        bytes = take_others(worker, &worker->waiting[i], bytes, ret_group);
    return ret_group->first != NULL;
}

/* With the mutex held.  At least one job; more while they fit. */
static bool take_group(struct worker *worker, struct job_list *ret_group)
{
    if (worker->inside)
        return take_group_inside(worker, ret_group);
    size_t bytes = 0;
    *ret_group = (struct job_list){ NULL, NULL };
    for (size_t i = 0; i < JOB_PRIORITY_COUNT; i++) {
        struct job_list *list = &worker->waiting[i];
        while (list->first != NULL) {
            const struct job *next = list->first;
            bool fits = ret_group->first == NULL ||
                        (!next->alone && bytes + next->bytes <= WORKER_GROUP_BYTES);
            if (!fits)
                return true;
            bytes += next->bytes;
            take_job(worker, list, ret_group);
            if (next->alone)
                return true;
        }
    }
    return ret_group->first != NULL;
}

/* With the mutex held. */
static void finish_group(struct worker *worker, struct job_list *group)
{
    worker->stats.groups++;
    int64_t soon = now_ms(worker) + WORKER_IDLE_SOON_MS;
    for (struct job *job = list_pop(group); job != NULL; job = list_pop(group)) {
        if (job->error.status == OK) {
            worker->stats.committed++;
            if (soon < worker->idle_due_ms)
                worker->idle_due_ms = soon;
        } else {
            worker->stats.failed++;
        }
        list_push(&worker->finished, job);
    }
}

static void run_idle(struct worker *worker)
{
    const struct worker_storage *storage = &worker->config.storage;
    struct error err = ERROR_INIT;
    struct worker_idle idle = { INT64_MAX, false };
    pthread_mutex_lock(&worker->mutex);
    worker->idle_due_ms = INT64_MAX; /* worker_hurry() meanwhile must not be lost */
    pthread_mutex_unlock(&worker->mutex);
    enum status status = storage->idle(storage->self, now_ms(worker), &idle, &err);
    if (status == ERR_IO)
        die(worker, &err);
    else if (status != OK)
        idle.next_ms = now_ms(worker) + WORKER_IDLE_LATE_MS; /* a full disk, say: again later */
    pthread_mutex_lock(&worker->mutex);
    if (idle.next_ms < worker->idle_due_ms)
        worker->idle_due_ms = idle.next_ms;
    worker->changed = worker->changed || idle.changed;
    pthread_mutex_unlock(&worker->mutex);
    if (idle.changed && worker->config.notify != NULL)
        worker->config.notify(worker->config.context);
}

/* Does one piece of work; called and returning without the mutex. */
bool worker_step(struct worker *worker)
{
    struct job_list group;
    pthread_mutex_lock(&worker->mutex);
    int64_t now = now_ms(worker);
    worker->stats.last_alive_ms = now;
    bool late = now >= worker->idle_due_ms && now - worker->idle_due_ms >= WORKER_IDLE_LATE_MS;
    bool idle = now >= worker->idle_due_ms;
    bool stopping = worker->stopping;
    bool has_group = !stopping && !late && !worker->delivering && take_group(worker, &group);
    pthread_mutex_unlock(&worker->mutex);
    if (stopping)
        return false;
    if (has_group) {
        run_group(worker, &group);
        pthread_mutex_lock(&worker->mutex);
        finish_group(worker, &group);
        pthread_mutex_unlock(&worker->mutex);
        if (worker->config.notify != NULL)
            worker->config.notify(worker->config.context);
    } else if (idle) {
        run_idle(worker);
    }
    return has_group || idle;
}

bool worker_breathe(struct worker *worker)
{
    if (worker->alone && !worker->inside) {
        worker->inside = true;
        (void)worker_step(worker);
        worker->inside = false;
    }
    pthread_mutex_lock(&worker->mutex);
    worker->stats.last_alive_ms = now_ms(worker);
    bool stopping = worker->stopping;
    pthread_mutex_unlock(&worker->mutex);
    return !stopping;
}

void worker_is_alive(struct worker *worker)
{
    pthread_mutex_lock(&worker->mutex);
    worker->stats.last_alive_ms = now_ms(worker);
    pthread_mutex_unlock(&worker->mutex);
}

static bool has_waiting(const struct worker *worker)
{
    for (size_t i = 0; i < JOB_PRIORITY_COUNT; i++)
        if (worker->waiting[i].first != NULL)
            return true;
    return false;
}

/* With the mutex held: until something is submitted, idle work is due, or to show signs of life. */
static void wait_for_work(struct worker *worker)
{
    int64_t now = now_ms(worker);
    bool has_work = has_waiting(worker) && !worker->delivering;
    if (has_work || worker->stopping || now >= worker->idle_due_ms)
        return;
    int64_t wait_ms = worker->idle_due_ms - now;
    if (wait_ms > WORKER_ALIVE_MS)
        wait_ms = WORKER_ALIVE_MS;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(wait_ms / 1000);
    until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(&worker->wake, &worker->mutex, &until);
}

static void *thread_main(void *argument)
{
    struct worker *worker = argument;
    for (;;) {
        pthread_mutex_lock(&worker->mutex);
        wait_for_work(worker);
        bool stopping = worker->stopping;
        pthread_mutex_unlock(&worker->mutex);
        if (stopping)
            return NULL;
        (void)worker_step(worker);
    }
}

/* -- the loop's side --------------------------------------------------------------------------- */

static enum status start_thread(struct worker *worker, struct error *err)
{
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0)
        return error_set(err, ERR_MEMORY, "store thread: no memory");
    pthread_attr_setstacksize(&attributes, WORKER_STACK_BYTES);
    int failed = pthread_create(&worker->thread, &attributes, thread_main, worker);
    pthread_attr_destroy(&attributes);
    if (failed != 0)
        return error_set(err, ERR_FULL, "store thread: %s", strerror(failed));
    worker->started = true;
    return OK;
}

enum status worker_new(const struct worker_config *config,
                       struct worker **ret_worker,
                       struct error *err)
{
    struct worker *worker = mem_calloc(1, sizeof(*worker));
    if (worker == NULL)
        return error_set(err, ERR_MEMORY, "worker: no memory");
    worker->config = *config;
    worker->idle_due_ms = now_ms(worker);
    worker->stats.last_alive_ms = now_ms(worker);
    pthread_mutex_init(&worker->mutex, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&worker->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    if (config->threaded) {
        enum status status = start_thread(worker, err);
        if (status != OK) {
            worker_free(worker);
            return status;
        }
    }
    *ret_worker = worker;
    return OK;
}

static void refuse_waiting(struct worker *worker)
{
    const struct error stopped = { ERR_BUSY,
                                   "the node is stopping; next: repeat it after the start" };
    pthread_mutex_lock(&worker->mutex);
    for (size_t i = 0; i < JOB_PRIORITY_COUNT; i++) {
        struct job *job;
        while ((job = list_pop(&worker->waiting[i])) != NULL) {
            fail_job(job, &stopped);
            list_push(&worker->finished, job);
        }
    }
    worker->stats.jobs = 0;
    worker->stats.bytes = 0;
    pthread_mutex_unlock(&worker->mutex);
}

void worker_stop(struct worker *worker)
{
    pthread_mutex_lock(&worker->mutex);
    worker->stopping = true;
    pthread_cond_signal(&worker->wake);
    pthread_mutex_unlock(&worker->mutex);
    if (worker->started)
        pthread_join(worker->thread, NULL);
    worker->started = false;
    refuse_waiting(worker);
    (void)worker_deliver(worker);
}

void worker_free(struct worker *worker)
{
    if (worker == NULL)
        return;
    worker_stop(worker);
    pthread_cond_destroy(&worker->wake);
    pthread_mutex_destroy(&worker->mutex);
    mem_free(worker);
}

enum status worker_submit(struct worker *worker, struct job *job, struct error *err)
{
    pthread_mutex_lock(&worker->mutex);
    enum status status = OK;
    if (worker->stopping)
        status = error_set(err, ERR_BUSY, "the node is stopping");
    else if (worker->stats.jobs >= WORKER_QUEUE_JOBS)
        status = error_set(err, ERR_BUSY, "store queue: %d jobs wait already", WORKER_QUEUE_JOBS);
    else if (job->bytes > WORKER_QUEUE_BYTES - worker->stats.bytes)
        status =
            error_set(err, ERR_BUSY, "store queue: %zu bytes wait already", worker->stats.bytes);
    if (status == OK) {
        job->error = (struct error)ERROR_INIT;
        worker->stats.jobs++;
        worker->stats.bytes += job->bytes;
        list_push(&worker->waiting[job->priority], job);
        if (!worker->delivering)
            pthread_cond_signal(&worker->wake);
    }
    pthread_mutex_unlock(&worker->mutex);
    return status;
}

void worker_hurry(struct worker *worker)
{
    pthread_mutex_lock(&worker->mutex);
    worker->idle_due_ms = now_ms(worker);
    pthread_cond_signal(&worker->wake);
    pthread_mutex_unlock(&worker->mutex);
}

size_t worker_deliver(struct worker *worker)
{
    pthread_mutex_lock(&worker->mutex);
    struct job_list finished = worker->finished;
    worker->finished = (struct job_list){ NULL, NULL };
    bool changed = worker->changed;
    worker->changed = false;
    worker->delivering = true;
    pthread_mutex_unlock(&worker->mutex);
    size_t count = 0;
    if (changed && worker->config.changed != NULL)
        worker->config.changed(worker->config.context);
    for (struct job *job = list_pop(&finished); job != NULL; job = list_pop(&finished)) {
        job->table->done(job);
        count++;
    }
    pthread_mutex_lock(&worker->mutex);
    worker->delivering = false;
    if (has_waiting(worker))
        pthread_cond_signal(&worker->wake);
    pthread_mutex_unlock(&worker->mutex);
    return count;
}

void worker_run(struct worker *worker)
{
    if (worker->running)
        return; /* a `done` that submits more: the outer call takes it */
    worker->running = true;
    bool more = true;
    while (more) {
        more = worker_step(worker);
        if (worker_deliver(worker) > 0)
            more = true;
    }
    worker->running = false;
}

bool worker_is_crowded(struct worker *worker)
{
    pthread_mutex_lock(&worker->mutex);
    bool crowded =
        worker->stats.jobs > WORKER_QUEUE_JOBS / 2 || worker->stats.bytes > WORKER_QUEUE_BYTES / 2;
    pthread_mutex_unlock(&worker->mutex);
    return crowded;
}

struct worker_stats worker_stats(struct worker *worker)
{
    pthread_mutex_lock(&worker->mutex);
    struct worker_stats stats = worker->stats;
    pthread_mutex_unlock(&worker->mutex);
    return stats;
}
