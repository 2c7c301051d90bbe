/* Jobs for the store thread: what one is, the queue before it, and a group at work.
 *
 * The queue is plain data: whoever shares it between threads guards it (worker.c).  A group knows
 * nothing of threads: it runs in the caller's.
 */
#ifndef COMITY_NODE_JOB_H
#define COMITY_NODE_JOB_H

#include "base/status.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct job;

enum { JOB_GROUP_BYTES = 8 * 1024 * 1024 }; /* one commit stays within tens of ms */

enum job_priority { JOB_URGENT, JOB_NORMAL, JOB_BULK, JOB_PRIORITY_COUNT };

/* Steps of a kind of job; each may be NULL.  check (which changes nothing), apply and sign run on
 * the store thread, done on the loop thread and always, exactly once; it owns the job's memory.  An
 * apply that fails leaves outputs in the job untouched. */
struct job_table {
    const char *name; /* for log lines */
    MUST_CHECK enum status (*check)(struct job *job, struct error *err);
    MUST_CHECK enum status (*apply)(struct job *job, struct error *err);
    MUST_CHECK enum status (*sign)(struct job *job, struct error *err);
    void (*done)(struct job *job);
};

/* First member of the struct that holds a job's arguments and results. */
struct job {
    const struct job_table *table;
    enum job_priority priority;
    bool
        own_savepoint; /* apply brackets its changes itself (control); its failure is the group's */
    bool alone;        /* apply opens its own transactions (an erasure, a backup): no group */
    bool relaxed; /* what apply stores may be lost by a power cut, since the peer says it again;
                   * a commit of such jobs alone does not wait for the disk */
    size_t bytes; /* what it holds while it waits; counts in a group as well */
    size_t adds;  /* what its apply reads or writes besides; counts in a group only */
    struct error error; /* error.status OK when all steps succeeded */
    struct job *next;   /* the list's */
    /* Work on the job's own memory that need not wait for its turn: whichever thread comes first
     * does it, once (job_verify).  NULL: none. */
    void (*verify)(struct job *job);
    pthread_mutex_t verifying; /* set up by worker_submit, until done */
    bool verified;
    struct job *unverified_before, *unverified_after; /* job_unverified */
};
/* Does job->verify, unless it was done; returns when it is.  Any thread, until done. */
void job_verify(struct job *job);
/* The same, unless another thread is at it.  False: there was nothing to do here. */
bool job_verify_unless_taken(struct job *job);

/* What was submitted and perhaps not verified yet; for the thread that submits, and no other. */
struct job_unverified {
    struct job *newest;
};
void job_unverified_add(struct job_unverified *list, struct job *job);
void job_unverified_remove(struct job_unverified *list, struct job *job); /* it may be off it */

/* The database as a group sees it: a small table, for the store and for fakes. */
struct worker_idle;
struct worker_storage {
    void *self;
    /* Relaxed: the commit keeps what a process that is killed would keep, and no more. */
    MUST_CHECK enum status (*begin)(void *self, bool relaxed, struct error *err);
    MUST_CHECK enum status (*savepoint)(void *self, struct error *err);
    /* After `keep` the savepoint is part of the group; otherwise its changes are undone. */
    MUST_CHECK enum status (*savepoint_end)(void *self, bool keep, struct error *err);
    MUST_CHECK enum status (*commit)(void *self, struct error *err);
    void (*rollback)(void *self);
    MUST_CHECK enum status (*heads_save)(void *self, struct error *err);
    /* Called when the queue is empty (or when it was not for WORKER_IDLE_LATE_MS) and the time that
     * the last call gave has passed, and soon after a commit: one bounded step of erasing, expiry,
     * WAL checkpoint or backup.  ERR_IO is fatal. */
    MUST_CHECK enum status (*idle)(void *self,
                                   int64_t now_ms,
                                   struct worker_idle *ret_idle,
                                   struct error *err);
};

/* -- lists and the queue ----------------------------------------------------------------------- */

struct job_list {
    struct job *first, *last;
};
void job_list_push(struct job_list *list, struct job *job);
struct job *job_list_pop(struct job_list *list); /* NULL: empty */

struct job_queue {
    struct job_list waiting[JOB_PRIORITY_COUNT];
    size_t jobs, bytes;
};
void job_queue_put(struct job_queue *queue, struct job *job);
struct job *job_queue_pop(struct job_queue *queue); /* any, for the end; NULL: empty */

struct job_group {
    struct job_list jobs;
    size_t count, bytes;
};
/* Moves to the group what fits it: urgent jobs first, then normal, then bulk ones, each in the
 * order of submission, one at least when there is any.  One that is alone comes alone. */
void job_queue_take(struct job_queue *queue, struct job_group *group);
/* The same without those that are alone: they go on waiting, and others pass them. */
void job_queue_take_others(struct job_queue *queue, struct job_group *group);

/* -- a group ----------------------------------------------------------------------------------- */

bool job_group_is_alone(const struct job_group *group); /* its only job is */
/* Whoever runs a group: what comes while it is at work may still join it. */
struct job_more {
    void *self;
    void (*take)(void *self, struct job_group *group); /* moves jobs to the group's end; or none */
    /* The disk has been waited for; what is left takes some 50 us for each job. */
    void (*ending)(void *self, const struct job_group *group);
};
/* Whether any job has changes to make. */
bool job_group_has_work(const struct job_group *group);
/* Checks each job and applies it in its own savepoint, takes more (`more` may be NULL), commits,
 * saves the heads, signs each.  A job that fails is undone alone.  When this fails, every job
 * carries the error and nothing was signed. */
MUST_CHECK enum status job_group_run(struct job_group *group,
                                     const struct worker_storage *storage,
                                     const struct job_more *more,
                                     struct error *err);
/* The same for the job of a group that is alone. */
MUST_CHECK enum status job_group_run_alone(struct job_group *group,
                                           const struct worker_storage *storage,
                                           struct error *err);
void job_fail(struct job *job, const struct error *err); /* unless it has failed already */

#endif
