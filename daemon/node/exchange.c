#include "node/exchange.h"

#include "base/memory.h"
#include "node/exchange_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { EVENT_TEXT_MAX = 768, CROWDED_LOOK_MS = 50 };

struct exchange_feed exchange_feed(struct feed_context *context)
{
    return (struct exchange_feed){
        .context = context,
        .heads = feed_heads,
        .resume = feed_resume,
        .publish = feed_publish,
        .publish_sign = feed_publish_sign,
        .take_receipt = feed_take_receipt,
        .ingest_check = feed_ingest_check,
        .ingest = feed_ingest,
        .ingest_sign = feed_ingest_sign,
        .heal_read = feed_heal_read,
        .heal_apply = feed_heal_apply,
        .waiting = feed_waiting,
    };
}

int64_t exchange_now_ms(const struct exchange *exchange)
{
    return exchange->config.clock->monotonic_ms(exchange->config.clock);
}

void exchange_event(
    struct exchange *exchange, const char *name, const struct code *peer, const char *format, ...)
{
    if (exchange->config.io.event == NULL)
        return;
    char fields[EVENT_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fields, sizeof(fields), format, arguments);
    va_end(arguments);
    exchange->config.io.event(exchange->config.io.self, name, peer, fields);
}

struct peer *exchange_find_peer(struct exchange *exchange, const struct code *code)
{
    for (size_t i = 0; i < exchange->peer_count; i++)
        if (code_equal(&exchange->peers[i].known.code, code))
            return &exchange->peers[i];
    return NULL;
}

enum status exchange_new(const struct exchange_config *config,
                         struct exchange **ret_exchange,
                         struct error *err)
{
    struct exchange *exchange = mem_calloc(1, sizeof(*exchange));
    if (exchange == NULL)
        return error_set(err, ERR_MEMORY, "exchange: no memory");
    exchange->config = *config;
    *ret_exchange = exchange;
    return OK;
}

/* -- links: memory ----------------------------------------------------------------------------- */

static void link_free(struct link *link)
{
    struct link **at = &link->exchange->links;
    while (*at != NULL && *at != link)
        at = &(*at)->next;
    if (*at == link)
        *at = link->next;
    if (link->has_compare)
        effect_fini(&link->compare);
    if (link->has_publish)
        effect_fini(&link->publish);
    session_free(link->session);
    mem_free(link);
}

void exchange_hold(struct link *link)
{
    link->uses++;
}

void exchange_release(struct link *link)
{
    link->uses--;
    if (link->uses == 0 && link->gone)
        link_free(link);
}

void exchange_free(struct exchange *exchange)
{
    if (exchange == NULL)
        return;
    while (exchange->links != NULL)
        link_free(exchange->links);
    mem_free(exchange->peers);
    mem_free(exchange);
}

/* -- dialling ---------------------------------------------------------------------------------- */

static bool has_link(const struct exchange *exchange, const struct code *code)
{
    for (const struct link *link = exchange->links; link != NULL; link = link->next)
        if (!link->gone && code_equal(&link->config.peer, code))
            return true;
    return false;
}

/* Half of the span is fixed, half is chance: a secretariat that comes back is not met by all of
 * its members in the same second. */
static int64_t backoff_ms(struct exchange *exchange, uint32_t failed_dials)
{
    int64_t span = BACKOFF_FIRST_MS;
    for (uint32_t i = 0; i < failed_dials && span < BACKOFF_MAX_MS; i++)
        span *= 2;
    if (span > BACKOFF_MAX_MS)
        span = BACKOFF_MAX_MS;
    uint32_t chance = 0;
    struct random_source *random = exchange->config.random;
    if (random->fill(random, &chance, sizeof(chance), NULL) != OK)
        return span;
    return span / 2 + (int64_t)(chance % (uint32_t)(span / 2 + 1));
}

static void plan_dial(struct exchange *exchange, struct peer *peer)
{
    peer->dialling = false;
    peer->next_dial_ms = exchange_now_ms(exchange) + backoff_ms(exchange, peer->failed_dials);
}

void exchange_dial_reset(struct exchange *exchange, const struct code *code)
{
    struct peer *peer = exchange_find_peer(exchange, code);
    if (peer == NULL)
        return;
    peer->failed_dials = 0;
    peer->last_error[0] = '\0';
}

static void note_failure(struct exchange *exchange, struct peer *peer, const struct error *why)
{
    if (peer->failed_dials < UINT32_MAX)
        peer->failed_dials++;
    snprintf(peer->last_error, sizeof(peer->last_error), "%.255s", why->text);
    plan_dial(exchange, peer);
}

void exchange_dial_failed(struct exchange *exchange,
                          const struct code *code,
                          const struct error *why)
{
    struct peer *peer = exchange_find_peer(exchange, code);
    if (peer == NULL)
        return;
    note_failure(exchange, peer, why);
    exchange_event(exchange, "dial_failed", code, "failures=%u next_ms=%lld reason=\"%s\"",
                   peer->failed_dials, (long long)(peer->next_dial_ms - exchange_now_ms(exchange)),
                   why->text);
}

static bool may_dial(const struct exchange *exchange, const struct peer *peer)
{
    return exchange->config.dial && !exchange->stopping && !peer->dialling &&
           peer->known.address[0] != '\0' && !has_link(exchange, &peer->known.code);
}

static void dial_due(struct exchange *exchange)
{
    int64_t now_ms = exchange_now_ms(exchange);
    for (size_t i = 0; i < exchange->peer_count; i++) {
        struct peer *peer = &exchange->peers[i];
        if (now_ms < peer->next_dial_ms || !may_dial(exchange, peer))
            continue;
        peer->dialling = true;
        struct exchange_peer known = peer->known; /* the list may be replaced meanwhile */
        exchange->config.io.dial(exchange->config.io.self, &known.code, known.address);
    }
}

/* -- peers ------------------------------------------------------------------------------------- */

static bool is_listed(const struct exchange *exchange, const struct code *code)
{
    for (size_t i = 0; i < exchange->peer_count; i++)
        if (code_equal(&exchange->peers[i].known.code, code))
            return true;
    return false;
}

static void close_strangers(struct exchange *exchange)
{
    struct link *next = NULL;
    for (struct link *link = exchange->links; link != NULL; link = next) {
        exchange_hold(link);
        if (!link->gone && !link->closing && !is_listed(exchange, &link->config.peer)) {
            session_stop(link->session, exchange_now_ms(exchange), ERR_DENIED,
                         "this peer is not accepted (any more)");
            exchange_pump(link);
        }
        next = link->next;
        exchange_release(link);
    }
}

enum status exchange_set_peers(struct exchange *exchange,
                               const struct exchange_peer *peers,
                               size_t count,
                               struct error *err)
{
    if (count > PEERS_MAX)
        return error_set(err, ERR_LIMIT, "%zu peers are more than %d", count, PEERS_MAX);
    struct peer *list = NULL;
    if (count > 0 && (list = mem_calloc(count, sizeof(*list))) == NULL)
        return error_set(err, ERR_MEMORY, "peers: no memory");
    int64_t now_ms = exchange_now_ms(exchange);
    for (size_t i = 0; i < count; i++) {
        const struct peer *old = exchange_find_peer(exchange, &peers[i].code);
        if (old != NULL)
            list[i] = *old;
        bool moved = old == NULL || strcmp(old->known.address, peers[i].address) != 0;
        list[i].known = peers[i];
        if (moved)
            list[i].next_dial_ms = now_ms; /* a new address is tried at once */
    }
    mem_free(exchange->peers);
    exchange->peers = list;
    exchange->peer_count = count;
    close_strangers(exchange);
    return OK;
}

void exchange_set_dial(struct exchange *exchange, bool dial)
{
    exchange->config.dial = dial;
}

/* -- links ------------------------------------------------------------------------------------- */

static size_t count_links(const struct exchange *exchange, const struct code *code)
{
    size_t count = 0;
    for (const struct link *link = exchange->links; link != NULL; link = link->next)
        if (!link->gone && code_equal(&link->config.peer, code))
            count++;
    return count;
}

static enum status check_open(struct exchange *exchange,
                              const struct link_config *config,
                              struct error *err)
{
    if (exchange->stopping)
        return error_set(err, ERR_BUSY, "the node is stopping");
    if (exchange_find_peer(exchange, &config->peer) == NULL)
        return error_set(err, ERR_DENIED, "%s is not an accepted peer", config->peer.text);
    if (count_links(exchange, &config->peer) >= LINKS_PER_PEER_MAX)
        return error_set(err, ERR_LIMIT, "%s has %d connections already", config->peer.text,
                         LINKS_PER_PEER_MAX);
    return OK;
}

static enum status make_session(struct link *link, struct error *err)
{
    const struct exchange_config *own = &link->exchange->config;
    struct session_config config = {
        .realm = own->realm,
        .self = own->self,
        .peer = link->config.peer,
        .initiator = link->config.initiator,
        .auth = link->config.auth,
        .auth_sign = link->config.auth_sign,
        .auth_verify = link->config.auth_verify,
    };
    memcpy(config.boot_id, own->boot_id, sizeof(config.boot_id));
    memcpy(config.exporter, link->config.exporter, sizeof(config.exporter));
    return session_new(&config, &link->session, err);
}

enum status exchange_open(struct exchange *exchange,
                          const struct link_config *config,
                          struct link **ret_link,
                          struct error *err)
{
    enum status status = check_open(exchange, config, err);
    if (status != OK)
        return status;
    struct link *link = mem_calloc(1, sizeof(*link));
    if (link == NULL)
        return error_set(err, ERR_MEMORY, "link: no memory");
    link->exchange = exchange;
    link->config = *config;
    status = make_session(link, err);
    if (status != OK) {
        mem_free(link);
        return status;
    }
    if (config->initiator)
        exchange_find_peer(exchange, &config->peer)->dialling = false;
    link->next = exchange->links;
    exchange->links = link;
    *ret_link = link;
    exchange_hold(link);
    exchange_ask_heads(link);
    exchange_pump(link);
    exchange_release(link);
    return OK;
}

void exchange_receive(struct link *link, struct span frame)
{
    if (link->gone || link->closing)
        return;
    session_receive(link->session, exchange_now_ms(link->exchange), frame);
    exchange_pump(link);
}

void exchange_drained(struct link *link)
{
    if (link->gone || !link->has_publish)
        return;
    exchange_hold(link);
    link->has_publish = false;
    exchange_ask(link, &link->publish);
    exchange_pump(link);
    exchange_release(link);
}

void exchange_refuse(struct link *link, const struct error *why)
{
    if (link->gone || link->closing)
        return;
    session_refuse(link->session, exchange_now_ms(link->exchange), why);
    exchange_pump(link);
}

void exchange_closed(struct link *link)
{
    struct exchange *exchange = link->exchange;
    if (link->gone)
        return;
    exchange_hold(link);
    link->gone = true;
    if (link->paused)
        exchange->paused_links--;
    session_stop(link->session, exchange_now_ms(exchange), OK, "the connection is gone");
    exchange_pump(link);
    struct peer *peer = exchange_find_peer(exchange, &link->config.peer);
    if (peer != NULL && !has_link(exchange, &link->config.peer)) {
        if (!link->was_useful && link->config.initiator && peer->failed_dials < UINT32_MAX)
            peer->failed_dials++;
        plan_dial(exchange, peer);
    }
    if (link->greeted)
        exchange_event(exchange, "peer_disconnected", &link->config.peer, "was_useful=%s",
                       link->was_useful ? "yes" : "no");
    exchange_judge_gone(link);
    exchange_release(link);
}

uint32_t exchange_frame_max(const struct link *link)
{
    return session_frame_max(link->session);
}

bool exchange_is_greeted(const struct link *link)
{
    return link->greeted;
}

/* -- time -------------------------------------------------------------------------------------- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t exchange_deadline_ms(const struct exchange *exchange)
{
    int64_t deadline_ms = exchange_judge_deadline_ms(exchange);
    for (const struct link *link = exchange->links; link != NULL; link = link->next)
        if (!link->gone)
            deadline_ms = earlier(deadline_ms, session_deadline_ms(link->session));
    for (size_t i = 0; i < exchange->peer_count; i++)
        if (may_dial(exchange, &exchange->peers[i]))
            deadline_ms = earlier(deadline_ms, exchange->peers[i].next_dial_ms);
    if (exchange->paused_links > 0)
        deadline_ms = earlier(deadline_ms, exchange_now_ms(exchange) + CROWDED_LOOK_MS);
    return deadline_ms;
}

static void go_on_reading(struct link *link)
{
    struct exchange *exchange = link->exchange;
    if (!link->paused || link->gone || worker_is_crowded(exchange->config.worker))
        return;
    link->paused = false;
    exchange->paused_links--;
    exchange->config.io.pause(exchange->config.io.self, link->config.owner, false);
}

void exchange_tick(struct exchange *exchange)
{
    exchange_judge_held(exchange);
    struct link *next = NULL;
    for (struct link *link = exchange->links; link != NULL; link = next) {
        exchange_hold(link);
        int64_t now_ms = exchange_now_ms(exchange);
        if (!link->gone && session_deadline_ms(link->session) <= now_ms) {
            session_tick(link->session, now_ms);
            exchange_pump(link);
        }
        go_on_reading(link);
        next = link->next;
        exchange_release(link);
    }
    dial_due(exchange);
}

void exchange_wake_links(struct exchange *exchange, const struct code *peer)
{
    struct link *next = NULL;
    for (struct link *link = exchange->links; link != NULL; link = next) {
        exchange_hold(link); /* pumping may end it */
        if (link->greeted && !link->closing &&
            (peer == NULL || code_equal(&link->config.peer, peer))) {
            session_wake(link->session, exchange_now_ms(exchange));
            exchange_pump(link);
        }
        next = link->next;
        exchange_release(link);
    }
}

void exchange_wake(struct exchange *exchange)
{
    enum { FEW = 8 }; /* to let each try is quicker than to ask first who has something */
    size_t count = 0;
    for (const struct link *link = exchange->links; link != NULL && count <= FEW; link = link->next)
        count++;
    if (count <= FEW)
        exchange_wake_links(exchange, NULL);
    else
        exchange_ask_waiting(exchange);
}

void exchange_stop(struct exchange *exchange, const char *text)
{
    exchange->stopping = true;
    struct link *next = NULL;
    for (struct link *link = exchange->links; link != NULL; link = next) {
        exchange_hold(link);
        session_stop(link->session, exchange_now_ms(exchange), OK, text);
        exchange_pump(link);
        next = link->next;
        exchange_release(link);
    }
}

size_t exchange_peers(const struct exchange *exchange,
                      struct exchange_status *ret_status,
                      size_t max)
{
    size_t count = 0;
    for (; count < exchange->peer_count && count < max; count++) {
        const struct peer *peer = &exchange->peers[count];
        struct exchange_status *status = &ret_status[count];
        *status = (struct exchange_status){
            .code = peer->known.code,
            .next_dial_ms = peer->next_dial_ms,
            .failed_dials = peer->failed_dials,
        };
        memcpy(status->last_error, peer->last_error, sizeof(status->last_error));
        if (!may_dial(exchange, peer))
            status->next_dial_ms = INT64_MAX;
        for (const struct link *link = exchange->links; link != NULL; link = link->next) {
            if (link->gone || !code_equal(&link->config.peer, &peer->known.code))
                continue;
            status->connected = status->connected || link->greeted;
            status->state = session_state(link->session);
            status->stats = session_stats(link->session);
        }
    }
    return count;
}
