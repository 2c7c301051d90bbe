#include "node/node.h"

#include "base/memory.h"
#include "node/log.h"
#include "node/node_internal.h"
#include "node/notify.h"
#include "store/backup.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    ALIVE_MAX_MS =
        90 * 1000,     /* a store thread that is silent for longer does not feed the watchdog */
    TIMER_LEAST_MS = 1 /* a libuv timer of zero, set in its own callback, starves I/O */
};

/* -- the store thread's messages --------------------------------------------------------------- */

static void on_notify(void *context)
{
    (void)uv_async_send(&((struct node *)context)->wake);
}

/* A sync failed: what is on the disk is unknown.  Starting again recovers by opening. */
static void on_fatal(void *context, const struct error *err)
{
    (void)context;
    log_event(
        LOG_LEVEL_ERROR, "disk_failed",
        "status=%s reason=\"%s\" next=\"the node stops at once and must be started again; see "
        "whether the disk is healthy and has room\"",
        status_name(err->status), err->text);
    abort();
}

static void on_changed(void *context)
{
    struct node *node = context;
    if (!node->stopping)
        exchange_wake(node->exchange);
}

static void start_network(struct node *node)
{
    struct error err = ERROR_INIT;
    uint16_t port = 0;
    const struct config *config = &node->config;
    if (config->listen_host != NULL &&
        net_listen(node->net, config->listen_host, config->listen_port, &port, &err) != OK) {
        log_event(LOG_LEVEL_ERROR, "listen_failed", "reason=\"%s\"", err.text);
        node->failed = true;
        (void)raise(SIGTERM);
        return;
    }
    node->network_started = true;
    log_event(LOG_LEVEL_INFO, "started", "code=%s realm=%s listen=%s port=%u version=%s",
              config->code.text, config->realm.text,
              config->listen_host == NULL ? "-" : config->listen_host, port, COMITY_VERSION);
    (void)notify_send("READY=1");
}

static void on_wake(uv_async_t *async)
{
    struct node *node = async->data;
    service_deliver_progress(node);
    if (node->worker != NULL)
        (void)worker_deliver(node->worker);
    if (node->directory_known && !node->network_started && !node->stopping && !node->failed)
        start_network(node);
}

/* -- time -------------------------------------------------------------------------------------- */

static int64_t now_ms(void)
{
    return clock_system()->monotonic_ms(clock_system());
}

static void on_timer(uv_timer_t *timer)
{
    struct node *node = timer->data;
    node->timer_due_ms = INT64_MAX;
    if (node->network_started && !node->stopping)
        exchange_tick(node->exchange);
}

static void end_if_idle(struct node *node)
{
    if (node->stopping && net_is_idle(node->net) && control_server_is_idle(node->control))
        uv_stop(&node->loop);
}

/* While it is started, the loop only looks at what came, and does not wait. */
static void on_assisting(uv_idle_t *idle)
{
    (void)idle;
}

/* Before the loop waits: whatever happened may have moved the exchange's deadline. */
static void on_prepare(uv_prepare_t *prepare)
{
    struct node *node = prepare->data;
    bool awake = node->worker != NULL && !node->stopping &&
                 (worker_assist(node->worker) || worker_is_ending(node->worker));
    if (awake)
        (void)uv_idle_start(&node->assisting, on_assisting);
    else
        (void)uv_idle_stop(&node->assisting);
    end_if_idle(node);
    if (!node->network_started || node->stopping)
        return;
    int64_t due_ms = exchange_deadline_ms(node->exchange);
    if (due_ms == node->timer_due_ms)
        return;
    node->timer_due_ms = due_ms;
    int64_t wait_ms = due_ms == INT64_MAX ? IDLE_TIMEOUT_MS : due_ms - now_ms();
    if (wait_ms < TIMER_LEAST_MS)
        wait_ms = TIMER_LEAST_MS;
    (void)uv_timer_start(&node->timer, on_timer, (uint64_t)wait_ms, 0);
}

static void on_watchdog(uv_timer_t *timer)
{
    const struct node *node = timer->data;
    if (now_ms() - worker_stats(node->worker).last_alive_ms < ALIVE_MAX_MS)
        (void)notify_send("WATCHDOG=1");
}

static void start_watchdog(struct node *node)
{
    uint64_t period_us = notify_watchdog_us();
    if (period_us > 0)
        (void)uv_timer_start(&node->watchdog, on_watchdog, 0, period_us / 2000);
}

/* -- signals ----------------------------------------------------------------------------------- */

static void on_stop(uv_signal_t *handle, int number)
{
    struct node *node = handle->data;
    if (node->stopping)
        return;
    if (node->failed) /* it sent the signal itself */
        log_event(LOG_LEVEL_INFO, "stopping", "reason=\"it could not start\"");
    else
        log_event(LOG_LEVEL_INFO, "stopping", "signal=%s", number == SIGINT ? "INT" : "TERM");
    (void)notify_send("STOPPING=1");
    node->stopping = true;
    exchange_stop(node->exchange, "the node is stopping");
    worker_stop(node->worker); /* finishes the group at work, and answers all that waits */
    service_deliver_progress(node);
    control_server_stop(node->control);
    net_stop(node->net);
}

static enum status reload(struct node *node, struct error *err)
{
    struct config config;
    struct buf problems = BUF_INIT;
    enum status status = config_read(node->config.path, &config, &problems, err);
    log_problems(&problems);
    buf_fini(&problems);
    if (status != OK)
        return status;
    status = config_check_reload(&node->config, &config, err);
    if (status == OK)
        status = renewal_start(node, err);
    if (status != OK) {
        config_fini(&config);
        return status;
    }
    config_take_reload(&node->config, &config);
    config_fini(&config);
    exchange_set_dial(node->exchange, node->config.dial);
    log_set_level(node->config.log_level);
    network_refresh(node);
    return OK;
}

static void on_reload(uv_signal_t *handle, int number)
{
    (void)number;
    struct node *node = handle->data;
    struct error err = ERROR_INIT;
    if (node->stopping)
        return;
    (void)notify_send("RELOADING=1");
    if (reload(node, &err) != OK) /* otherwise renewal.c says how it ended */
        log_event(LOG_LEVEL_ERROR, "reload_refused", "status=%s reason=\"%s\"",
                  status_name(err.status), err.text);
    (void)notify_send("READY=1");
}

/* -- start ------------------------------------------------------------------------------------- */

static enum status store_options_of(const struct config *config,
                                    struct credential *credential,
                                    struct store_options *ret_options,
                                    struct error *err)
{
    enum status status = credential_read(credential, err);
    if (status != OK)
        return status;
    *ret_options = (struct store_options){ .directory = config->storage_directory,
                                           .clock = clock_system(),
                                           .random = random_system(),
                                           .credential = credential_key(credential) };
    (void)snprintf(ret_options->owner, sizeof(ret_options->owner), "%s in %s", config->code.text,
                   config->realm.text);
    return OK;
}

/* What a restore or an old database means for what we hold, before anybody may ask. */
static enum status settle(struct node *node, struct error *err)
{
    enum status status = store_begin(node->store, err);
    if (status == OK)
        status = feed_settle(&node->feed, err);
    if (status == OK)
        status = store_commit(node->store, err);
    else
        store_rollback(node->store);
    return status;
}

static enum status open_store(struct node *node, struct error *err)
{
    struct store_options options;
    enum status status = store_options_of(&node->config, &node->credential, &options, err);
    if (status != OK)
        return status;
    status = store_open(&options, &node->store, err);
    if (status != OK)
        return error_prefix(err, "database in %s", node->config.storage_directory);
    node->feed = (struct feed_context){
        .store = node->store,
        .clock = clock_system(),
        .random = store_random(node->store),
        .realm = node->config.realm,
        .self = node->config.code,
        .log_key = node->identity.keys[ROLE_LOG],
        .receipt_key = node->identity.keys[ROLE_RECEIPT],
        .former_log_key = node->identity.former_log_key,
        .former_receipt_key = node->identity.former_receipt_key,
    };
    node->storage = (struct storage){
        .store = node->store, .feed = &node->feed, .more = service_idle, .more_self = node
    };
    enum status settled = settle(node, err);
    return settled == OK ? renewal_at_start(node, err) : settled;
}

static enum status start_loop(struct node *node, struct error *err)
{
    int failed = uv_loop_init(&node->loop);
    if (failed != 0)
        return error_set(err, ERR_FULL, "event loop: %s", uv_strerror(failed));
    node->has_loop = true;
    const struct {
        uv_signal_t *handle;
        uv_signal_cb callback;
        int number;
    } signals[] = {
        { &node->on_stop, on_stop, SIGTERM },
        { &node->on_interrupt, on_stop, SIGINT },
        { &node->on_reload, on_reload, SIGHUP },
    };
    for (size_t i = 0; failed == 0 && i < sizeof(signals) / sizeof(signals[0]); i++) {
        failed = uv_signal_init(&node->loop, signals[i].handle);
        signals[i].handle->data = node;
        if (failed == 0)
            failed = uv_signal_start(signals[i].handle, signals[i].callback, signals[i].number);
    }
    if (failed == 0)
        failed = uv_async_init(&node->loop, &node->wake, on_wake);
    node->wake.data = node;
    (void)uv_timer_init(&node->loop, &node->timer);
    (void)uv_timer_init(&node->loop, &node->watchdog);
    (void)uv_prepare_init(&node->loop, &node->prepare);
    (void)uv_idle_init(&node->loop, &node->assisting);
    node->timer.data = node;
    node->watchdog.data = node;
    node->prepare.data = node;
    (void)uv_prepare_start(&node->prepare, on_prepare);
    if (failed != 0)
        return error_set(err, ERR_FULL, "event loop: %s", uv_strerror(failed));
    return OK;
}

static enum status start_tls(struct node *node, struct error *err)
{
    struct trust *nobody = NULL; /* until the directory is read */
    enum status status = trust_new(&node->config.realm, &node->config.code, NULL, 0, &nobody, err);
    if (status != OK)
        return status;
    const struct tls_identity identity = { buf_span(&node->identity.certificates[ROLE_TLS]),
                                           node->identity.keys[ROLE_TLS] };
    return tls_context_new(&identity, nobody, clock_system(), &node->tls, err);
}

static void on_cards_changed(void *self)
{
    network_refresh(self);
}

static enum status start_exchange(struct node *node, struct error *err)
{
    struct exchange_config config = {
        .realm = node->config.realm,
        .self = node->config.code,
        .dial = node->config.dial,
        .clock = clock_system(),
        .random = random_system(),
        .worker = node->worker,
        .feed = network_feed(node),
        .io = network_io(node),
        .cards_changed = on_cards_changed,
    };
    enum status status =
        config.random->fill(config.random, config.boot_id, sizeof(config.boot_id), err);
    return status == OK ? exchange_new(&config, &node->exchange, err) : status;
}

static enum status start_parts(struct node *node, struct error *err)
{
    const struct control_config control = {
        .loop = &node->loop,
        .path = node->config.control_socket,
        .handlers = service_handlers(node),
    };
    const struct net_config net = {
        .loop = &node->loop,
        .tls = node->tls,
        .clock = clock_system(),
        .handlers = network_handlers(node),
    };
    const struct worker_config worker = {
        .storage = storage_of(&node->storage),
        .clock = clock_system(),
        .threaded = true,
        .context = node,
        .notify = on_notify,
        .changed = on_changed,
        .fatal = on_fatal,
    };
    enum status status = net_new(&net, &node->net, err);
    if (status == OK)
        status = control_server_new(&control, &node->control, err);
    if (status == OK)
        status = worker_new(&worker, &node->worker, err);
    if (status == OK)
        status = start_exchange(node, err);
    if (status != OK)
        return status;
    network_refresh(node); /* what it finds starts the network */
    return node->directory_asked
               ? OK
               : error_set(err, ERR_MEMORY, "no memory to read the directory of peers");
}

enum status node_start(struct config *config, struct node **ret_node, struct error *err)
{
    struct node *node = mem_calloc(1, sizeof(*node));
    if (node == NULL)
        return error_set(err, ERR_MEMORY, "no memory");
    (void)mallopt(M_ARENA_MAX, 2); /* two threads; each arena keeps what it once had */
    mem_keep_freed();
    (void)signal(SIGPIPE, SIG_IGN);
    (void)setenv("UV_THREADPOOL_SIZE", "1", 0); /* it resolves names, nothing else */
    pthread_mutex_init(&node->progress_mutex, NULL);
    node->config = config_move(config);
    node->timer_due_ms = INT64_MAX;
    log_set_level(node->config.log_level);
    int64_t wall_ms = clock_system()->wall_ms(clock_system());
    enum status status = identity_read(node->config.identity_directory, &node->config.realm,
                                       &node->config.code, wall_ms, &node->identity, err);
    if (status == OK)
        status = open_store(node, err);
    if (status == OK)
        status = service_init(node, err);
    if (status == OK)
        status = start_loop(node, err);
    if (status == OK)
        status = start_tls(node, err);
    if (status == OK)
        status = start_parts(node, err);
    if (status != OK) {
        node_stop(node);
        return status;
    }
    start_watchdog(node);
    *ret_node = node;
    return OK;
}

bool node_run(struct node *node)
{
    (void)uv_run(&node->loop, UV_RUN_DEFAULT);
    return !node->failed;
}

/* -- stop -------------------------------------------------------------------------------------- */

static void close_handle(uv_handle_t *handle, void *unused)
{
    (void)unused;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void node_stop(struct node *node)
{
    if (node == NULL)
        return;
    bool clean = node->stopping;
    node->stopping = true;
    if (node->worker != NULL)
        worker_stop(node->worker); /* it goes with the loop: a wake-up may still be on its way */
    if (node->net != NULL)
        net_stop(node->net);
    if (node->control != NULL)
        control_server_stop(node->control);
    while (node->has_loop && ((node->net != NULL && !net_is_idle(node->net)) ||
                              (node->control != NULL && !control_server_is_idle(node->control))))
        (void)uv_run(&node->loop, UV_RUN_ONCE);
    exchange_free(node->exchange);
    net_free(node->net);
    control_server_free(node->control);
    tls_context_free(node->tls);
    if (node->has_loop) {
        uv_walk(&node->loop, close_handle, NULL);
        (void)uv_run(&node->loop, UV_RUN_DEFAULT);
        (void)uv_loop_close(&node->loop);
    }
    worker_free(node->worker);
    service_fini(node);
    store_close(node->store);
    credential_fini(&node->credential);
    directory_fini(&node->directory);
    identity_fini(&node->identity);
    if (clean)
        log_event(LOG_LEVEL_INFO, "stopped", "code=%s", node->config.code.text);
    config_fini(&node->config);
    pthread_mutex_destroy(&node->progress_mutex);
    mem_free(node);
}

/* -- without running --------------------------------------------------------------------------- */

/* Where a database is to be made: what is wrong is the place, not the disk. */
static enum status check_place(const struct config *config, struct error *err)
{
    const char *place = config->storage_directory;
    if (access(place, R_OK | W_OK | X_OK) == 0)
        return OK;
    bool missing = errno == ENOENT;
    return error_set(err, missing ? ERR_NOT_FOUND : ERR_IO, "%s: %s; next: %s", place,
                     strerror(errno),
                     missing ? "make it (mkdir -m 0700) and give it to the user as whom comityd "
                               "runs, or correct [storage] directory"
                             : "give it to the user as whom comityd runs (chown), or correct "
                               "[storage] directory");
}

enum status node_create(const struct config *config, struct error *err)
{
    struct credential credential;
    struct store_options options;
    struct store *store = NULL;
    enum status status = check_place(config, err);
    if (status == OK)
        status = store_options_of(config, &credential, &options, err);
    if (status != OK)
        return status;
    status = store_create(&options, &store, err);
    store_close(store);
    credential_fini(&credential);
    return status == OK ? OK : error_prefix(err, "%s", config->storage_directory);
}

enum status node_restore(const struct config *config,
                         const char *backup,
                         struct backup_restored *ret_restored,
                         struct error *err)
{
    struct credential credential;
    struct store_options options;
    enum status status = check_place(config, err);
    if (status == OK)
        status = store_options_of(config, &credential, &options, err);
    if (status != OK)
        return status;
    char bundle[512];
    snprintf(bundle, sizeof(bundle), "%s/keys.bundle", config->storage_directory);
    status = backup_restore(&options, backup, bundle, ret_restored, err);
    credential_fini(&credential);
    return status;
}
