#include "node/storage.h"

#include "base/memory.h"
#include "store/heads.h"
#include "store/store.h"

static enum status storage_begin(void *self, bool relaxed, struct error *err)
{
    struct store *store = ((struct storage *)self)->store;
    return relaxed ? store_begin_relaxed(store, err) : store_begin(store, err);
}

static enum status storage_savepoint(void *self, struct error *err)
{
    return store_savepoint(((struct storage *)self)->store, err);
}

static enum status storage_savepoint_end(void *self, bool keep, struct error *err)
{
    struct store *store = ((struct storage *)self)->store;
    return keep ? store_release(store, err) : store_rollback_to(store, err);
}

/* An ERR_IO is final only when it was a sync: otherwise the group failed and the next may work. */
static enum status judge(const struct storage *storage, enum status status, struct error *err)
{
    if (status != OK && store_is_lost(storage->store)) {
        if (err != NULL)
            err->status = ERR_IO;
        return ERR_IO;
    }
    if (status == ERR_IO) {
        if (err != NULL)
            err->status = ERR_FULL;
        return ERR_FULL;
    }
    return status;
}

static enum status storage_commit(void *self, struct error *err)
{
    struct storage *storage = self;
    struct clock *clock = store_clock(storage->store);
    storage->relax_due_ms = clock->monotonic_ms(clock) + STORAGE_RELAX_MS;
    return judge(storage, store_commit(storage->store, err), err);
}

static void storage_rollback(void *self)
{
    store_rollback(((struct storage *)self)->store);
}

static enum status storage_heads_save(void *self, struct error *err)
{
    return heads_save(((struct storage *)self)->store, err);
}

/* What time brings, in a transaction of its own. */
static enum status tick(struct storage *storage, struct error *err)
{
    int64_t next_ms = 0;
    enum status status = store_begin(storage->store, err);
    if (status == OK)
        status = feed_tick(storage->feed, &next_ms, err);
    if (status == OK)
        status = store_commit(storage->store, err);
    else
        store_rollback(storage->store);
    if (status == OK)
        status = heads_save(storage->store, err);
    if (status != OK)
        return status;
    struct clock *clock = store_clock(storage->store);
    int64_t now_ms = clock->wall_ms(clock);
    if (next_ms < now_ms + STORAGE_TICK_LEAST_MS)
        next_ms = now_ms + STORAGE_TICK_LEAST_MS;
    if (next_ms > now_ms + STORAGE_TICK_MAX_MS)
        next_ms = now_ms + STORAGE_TICK_MAX_MS;
    storage->tick_due_ms = next_ms;
    return OK;
}

/* While batches come and go their memory is kept (mem_keep_freed); nothing has come for a while. */
static void relax(struct storage *storage, int64_t now_ms, struct worker_idle *idle)
{
    if (storage->relax_due_ms == 0)
        return;
    if (now_ms >= storage->relax_due_ms) {
        store_relax(storage->store);
        mem_return_freed();
        storage->relax_due_ms = 0;
    } else if (storage->relax_due_ms < idle->next_ms) {
        idle->next_ms = storage->relax_due_ms;
    }
}

static enum status storage_idle(void *self,
                                int64_t now_ms,
                                struct worker_idle *ret_idle,
                                struct error *err)
{
    struct storage *storage = self;
    struct clock *clock = store_clock(storage->store);
    struct worker_idle idle = { now_ms + STORAGE_TICK_MAX_MS, false };
    size_t erased = 0;
    enum status status = feed_erase_pending(storage->feed, STORAGE_ERASE_STEP, &erased, err);
    /* Far ahead: the clock was put back since. */
    int64_t until_ms = storage->tick_due_ms - clock->wall_ms(clock);
    bool due = until_ms <= 0 || until_ms > STORAGE_TICK_MAX_MS;
    if (status == OK && erased == 0 && due)
        status = tick(storage, err);
    if (status == OK && erased == 0 && !due)
        status = store_drain(storage->store, err);
    bool more = false;
    if (status == OK && storage->more != NULL)
        status = storage->more(storage->more_self, &more, err);
    if (status != OK)
        return judge(storage, status, err);
    idle.changed = erased > 0 || due;
    if (idle.changed || more)
        idle.next_ms = now_ms + 1; /* there may be more: a tick locks what is then erased */
    else if (storage->tick_due_ms - clock->wall_ms(clock) < STORAGE_TICK_MAX_MS)
        idle.next_ms = now_ms + storage->tick_due_ms - clock->wall_ms(clock) + 1;
    if (!idle.changed && !more)
        relax(storage, now_ms, &idle);
    *ret_idle = idle;
    return OK;
}

struct worker_storage storage_of(struct storage *storage)
{
    return (struct worker_storage){
        .self = storage,
        .begin = storage_begin,
        .savepoint = storage_savepoint,
        .savepoint_end = storage_savepoint_end,
        .commit = storage_commit,
        .rollback = storage_rollback,
        .heads_save = storage_heads_save,
        .idle = storage_idle,
    };
}
