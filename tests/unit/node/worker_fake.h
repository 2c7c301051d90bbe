/* A worker over a database that is a line of text. */
#ifndef COMITY_TESTS_NODE_WORKER_FAKE_H
#define COMITY_TESTS_NODE_WORKER_FAKE_H

#include "node/worker.h"

#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

/* A database that is a line of text: letters appended by jobs, undone by savepoints. */
struct fake {
    char committed[512];
    char working[512];
    char saved[512]; /* at the savepoint */
    char trace[2048];
    enum status commit_fails;
    enum status heads_fail;
    enum status savepoint_end_fails;
    int idle_runs;
    bool idle_changes;
    int told_changes;
    struct error fatal;
    struct clock_fake clock;
};

static inline void trace(struct fake *fake, const char *what)
{
    size_t used = strlen(fake->trace);
    snprintf(fake->trace + used, sizeof(fake->trace) - used, "%s ", what);
}

static inline enum status fake_begin(void *self, bool relaxed, struct error *err)
{
    (void)err;
    struct fake *fake = self;
    trace(fake, relaxed ? "begin-relaxed" : "begin");
    memcpy(fake->working, fake->committed, sizeof(fake->working));
    return OK;
}

static inline enum status fake_savepoint(void *self, struct error *err)
{
    (void)err;
    struct fake *fake = self;
    memcpy(fake->saved, fake->working, sizeof(fake->saved));
    return OK;
}

static inline enum status fake_savepoint_end(void *self, bool keep, struct error *err)
{
    struct fake *fake = self;
    if (!keep && fake->savepoint_end_fails != OK)
        return error_set(err, fake->savepoint_end_fails, "no such savepoint");
    if (!keep)
        memcpy(fake->working, fake->saved, sizeof(fake->working));
    return OK;
}

static inline enum status fake_commit(void *self, struct error *err)
{
    struct fake *fake = self;
    trace(fake, "commit");
    if (fake->commit_fails != OK)
        return error_set(err, fake->commit_fails, "commit: the disk says no");
    memcpy(fake->committed, fake->working, sizeof(fake->committed));
    return OK;
}

static inline void fake_rollback(void *self)
{
    trace(self, "rollback");
}

static inline enum status fake_heads_save(void *self, struct error *err)
{
    struct fake *fake = self;
    trace(fake, "heads");
    return fake->heads_fail == OK ? OK : error_set(err, fake->heads_fail, "heads: no");
}

static inline enum status fake_idle(void *self,
                                    int64_t now_ms,
                                    struct worker_idle *ret_idle,
                                    struct error *err)
{
    (void)err;
    struct fake *fake = self;
    fake->idle_runs++;
    *ret_idle = (struct worker_idle){ now_ms + 60 * 1000, fake->idle_changes };
    return OK;
}

static inline void fake_fatal(void *context, const struct error *err)
{
    ((struct fake *)context)->fatal = *err;
}

static inline void fake_changed(void *context)
{
    ((struct fake *)context)->told_changes++;
}

/* A job that appends its letter; upper case fails in apply, a digit in check. */
struct letter {
    struct job job;
    struct fake *fake;
    char letter;
    bool done;
    enum status outcome;
};

static inline enum status letter_check(struct job *job, struct error *err)
{
    const struct letter *letter = (struct letter *)job;
    if (letter->letter >= '0' && letter->letter <= '9')
        return error_set(err, ERR_INVALID, "a digit");
    return OK;
}

static inline enum status letter_apply(struct job *job, struct error *err)
{
    struct letter *letter = (struct letter *)job;
    size_t used = strlen(letter->fake->working);
    letter->fake->working[used] = letter->letter;
    letter->fake->working[used + 1] = '\0';
    if (letter->letter >= 'A' && letter->letter <= 'Z')
        return error_set(err, ERR_DENIED, "a capital");
    return OK;
}

static inline enum status letter_sign(struct job *job, struct error *err)
{
    (void)err;
    struct letter *letter = (struct letter *)job;
    char text[8];
    snprintf(text, sizeof(text), "sign-%c", letter->letter);
    trace(letter->fake, text);
    return OK;
}

static inline void letter_done(struct job *job)
{
    struct letter *letter = (struct letter *)job;
    char text[8];
    snprintf(text, sizeof(text), "done-%c", letter->letter);
    trace(letter->fake, text);
    letter->outcome = job->error.status;
    assert_false(letter->done);
    letter->done = true;
}

static const struct job_table LETTER = { "letter", letter_check, letter_apply, letter_sign,
                                         letter_done };

static inline void letter_init(struct letter *letter, struct fake *fake, char c)
{
    *letter = (struct letter){
        .job = { .table = &LETTER, .priority = JOB_NORMAL, .bytes = 1 },
        .fake = fake,
        .letter = c,
    };
}

static inline struct worker *make(struct fake *fake)
{
    memset(fake, 0, sizeof(*fake));
    clock_fake_init(&fake->clock, 1000);
    struct worker_config config = {
        .storage = { fake, fake_begin, fake_savepoint, fake_savepoint_end, fake_commit,
                     fake_rollback, fake_heads_save, fake_idle },
        .clock = &fake->clock.base,
        .context = fake,
        .fatal = fake_fatal,
        .changed = fake_changed,
    };
    struct worker *worker = NULL;
    assert_int_equal(worker_new(&config, &worker, NULL), OK);
    worker_run(worker); /* the first idle step */
    fake->trace[0] = '\0';
    return worker;
}

static inline void submit(struct worker *worker,
                          struct letter *letters,
                          struct fake *fake,
                          const char *text)
{
    for (size_t i = 0; text[i] != '\0'; i++) {
        letter_init(&letters[i], fake, text[i]);
        assert_int_equal(worker_submit(worker, &letters[i].job, NULL), OK);
    }
}

#endif
