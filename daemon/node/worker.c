#include "node/worker.h"

#include "base/memory.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

struct worker {
    struct worker_config config;
    pthread_t thread;
    bool started;                     /* the thread exists */
    bool running;                     /* synchronous mode: inside worker_run */
    bool alone;                       /* store thread: a job that is alone is at work */
    bool inside;                      /* store thread: others go on meanwhile */
    struct job_unverified unverified; /* loop thread */

    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t wake;
    struct job_queue queue;
    struct job_list finished;
    bool stopping;
    bool ending;         /* the group at work will be finished at once */
    bool delivering;     /* what `done` submits comes together into one group */
    bool changed;        /* by idle work, not told yet */
    int64_t idle_due_ms; /* monotonic */
    struct worker_stats stats;
};

static int64_t now_ms(const struct worker *worker)
{
    return worker->config.clock->monotonic_ms(worker->config.clock);
}

/* -- a group, on the store thread -------------------------------------------------------------- */

/* The disk failed: nothing that happens from here on could be relied upon. */
static void die(struct worker *worker, const struct error *err)
{
    pthread_mutex_lock(&worker->mutex);
    worker->stopping = true;
    pthread_mutex_unlock(&worker->mutex);
    worker->config.fatal(worker->config.context, err);
}

/* With the mutex held: what now waits and may come into this group. */
static void take_more(struct worker *worker, struct job_group *group)
{
    if (worker->inside)
        job_queue_take_others(&worker->queue, group);
    else
        job_queue_take(&worker->queue, group);
}

static void fill(void *self, struct job_group *group)
{
    struct worker *worker = self;
    if (group->count >= WORKER_GROUP_MORE)
        return;
    pthread_mutex_lock(&worker->mutex);
    if (!worker->delivering && !worker->stopping)
        take_more(worker, group);
    pthread_mutex_unlock(&worker->mutex);
}

/* A thread that sleeps takes as long to wake as what is left of a small group does. */
static void ending(void *self, const struct job_group *group)
{
    struct worker *worker = self;
    if (group->count > WORKER_SMALL_GROUP || worker->config.notify == NULL)
        return;
    pthread_mutex_lock(&worker->mutex);
    worker->ending = true;
    pthread_mutex_unlock(&worker->mutex);
    worker->config.notify(worker->config.context);
}

static void run_group(struct worker *worker, struct job_group *group)
{
    const struct worker_storage *storage = &worker->config.storage;
    struct error err = ERROR_INIT;
    enum status status = OK;
    if (job_group_is_alone(group)) {
        worker->alone = !worker->inside;
        status = job_group_run_alone(group, storage, &err);
        worker->alone = false;
    } else {
        const struct job_more more = { worker, fill, ending };
        status = job_group_run(group, storage, &more, &err);
    }
    if (status == ERR_IO)
        die(worker, &err);
}

/* With the mutex held. */
static void finish_group(struct worker *worker, struct job_group *group)
{
    worker->stats.groups++;
    worker->ending = false;
    int64_t soon = now_ms(worker) + WORKER_IDLE_SOON_MS;
    struct job *job;
    while ((job = job_list_pop(&group->jobs)) != NULL) {
        if (job->error.status == OK) {
            worker->stats.committed++;
            if (soon < worker->idle_due_ms)
                worker->idle_due_ms = soon;
        } else {
            worker->stats.failed++;
        }
        job_list_push(&worker->finished, job);
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
    struct job_group group = { { NULL, NULL }, 0, 0 };
    pthread_mutex_lock(&worker->mutex);
    int64_t now = now_ms(worker);
    worker->stats.last_alive_ms = now;
    bool late = now >= worker->idle_due_ms && now - worker->idle_due_ms >= WORKER_IDLE_LATE_MS;
    bool idle = now >= worker->idle_due_ms;
    bool stopping = worker->stopping;
    if (!stopping && !late && !worker->delivering)
        take_more(worker, &group);
    bool has_group = group.count > 0;
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

/* With the mutex held: until something is submitted, idle work is due, or to show signs of life. */
static void wait_for_work(struct worker *worker)
{
    int64_t now = now_ms(worker);
    bool has_work = worker->queue.jobs > 0 && !worker->delivering;
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
    (void)pthread_setname_np(pthread_self(), "store"); /* as ps -L shows it */
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
    struct job *job;
    while ((job = job_queue_pop(&worker->queue)) != NULL) {
        job_fail(job, &stopped);
        job_list_push(&worker->finished, job);
    }
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
    else if (worker->queue.jobs >= WORKER_QUEUE_JOBS)
        status = error_set(err, ERR_BUSY, "store queue: %d jobs wait already", WORKER_QUEUE_JOBS);
    else if (job->bytes > WORKER_QUEUE_BYTES - worker->queue.bytes)
        status =
            error_set(err, ERR_BUSY, "store queue: %zu bytes wait already", worker->queue.bytes);
    if (status == OK) {
        job->error = (struct error)ERROR_INIT;
        job->verified = false;
        pthread_mutex_init(&job->verifying, NULL);
        if (job->verify != NULL)
            job_unverified_add(&worker->unverified, job);
        job_queue_put(&worker->queue, job);
    }
    bool wake = status == OK && !worker->delivering;
    pthread_mutex_unlock(&worker->mutex);
    if (wake) /* without the mutex, which the woken thread wants at once */
        pthread_cond_signal(&worker->wake);
    return status;
}

/* The newest, since the store thread takes the oldest first.  They are there: it is this thread
 * that runs their done. */
bool worker_assist(struct worker *worker)
{
    struct job *job = worker->unverified.newest;
    bool verified = false;
    while (job != NULL && !verified) {
        job_unverified_remove(&worker->unverified, job);
        verified = job_verify_unless_taken(job);
        job = worker->unverified.newest;
    }
    return job != NULL;
}

bool worker_is_ending(struct worker *worker)
{
    pthread_mutex_lock(&worker->mutex);
    bool is_ending = worker->ending;
    pthread_mutex_unlock(&worker->mutex);
    return is_ending;
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
    for (struct job *job = job_list_pop(&finished); job != NULL; job = job_list_pop(&finished)) {
        job_unverified_remove(&worker->unverified, job);
        pthread_mutex_destroy(&job->verifying);
        job->table->done(job);
        count++;
    }
    pthread_mutex_lock(&worker->mutex);
    worker->delivering = false;
    bool wake = worker->queue.jobs > 0;
    pthread_mutex_unlock(&worker->mutex);
    if (wake)
        pthread_cond_signal(&worker->wake);
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
        worker->queue.jobs > WORKER_QUEUE_JOBS / 2 || worker->queue.bytes > WORKER_QUEUE_BYTES / 2;
    pthread_mutex_unlock(&worker->mutex);
    return crowded;
}

struct worker_stats worker_stats(struct worker *worker)
{
    pthread_mutex_lock(&worker->mutex);
    struct worker_stats stats = worker->stats;
    stats.jobs = worker->queue.jobs;
    stats.bytes = worker->queue.bytes;
    pthread_mutex_unlock(&worker->mutex);
    return stats;
}
