/* What a session asks for, done. */
#include "node/exchange_internal.h"

#include <string.h>

/* Reading stops while the store's queue is crowded; exchange_tick() lets it go on. */
static void pause_if_crowded(struct link *link)
{
    struct exchange *exchange = link->exchange;
    if (link->paused || !worker_is_crowded(exchange->config.worker))
        return;
    link->paused = true;
    exchange->paused_links++;
    exchange->config.io.pause(exchange->config.io.self, link->config.owner, true);
}

static void on_greeted(struct link *link, const struct effect *effect)
{
    link->greeted = true;
    memcpy(link->peer_boot_id, effect->peer_boot_id, BOOT_ID_SIZE);
    exchange_event(link->exchange, "peer_connected", &link->config.peer, "dialled_by=%s",
                   link->config.initiator ? "us" : "peer");
    if (!link->config.initiator)
        exchange_dial_reset(link->exchange, &link->config.peer); /* it calls in */
    exchange_judge_greeted(link);
    if (!link->closing)
        exchange_tell_greeted(link);
}

static void on_close(struct link *link, const struct effect *effect)
{
    struct exchange *exchange = link->exchange;
    if (link->closing || link->gone)
        return;
    link->closing = true;
    exchange_event(exchange, "session_closed", &link->config.peer,
                   "status=%s penalty=%s reason=\"%s\"", status_name(effect->error.status),
                   effect->penalty ? "yes" : "no", effect->error.text);
    exchange->config.io.close(exchange->config.io.self, link->config.owner, &effect->error,
                              effect->penalty);
}

void exchange_compare(struct link *link, struct effect *effect)
{
    if (link->held) {
        link->has_compare = true;
        link->compare = *effect;
        memset(effect, 0, sizeof(*effect));
        return;
    }
    if (exchange_is_outdated(link))
        exchange_stop_outdated(link);
    else
        exchange_ask(link, effect);
}

/* Several batches come from one commit: the session takes them one by one. */
static bool publish_ready(struct link *link, const struct effect *effect)
{
    if (link->ready_count == 0 || link->ready->first_index != effect->from)
        return false;
    struct batch *batch = link->ready++;
    link->ready_count--;
    session_on_published(link->session, exchange_now_ms(link->exchange), batch, NULL);
    return true;
}

static void publish(struct link *link, struct effect *effect)
{
    const struct exchange_io *io = &link->exchange->config.io;
    if (publish_ready(link, effect))
        return;
    if (link->gone || link->closing ||
        io->queued(io->self, link->config.owner) < EXCHANGE_QUEUE_LOW) {
        exchange_ask(link, effect);
        return;
    }
    link->has_publish = true;
    link->publish = *effect;
    memset(effect, 0, sizeof(*effect));
}

static void carry_out(struct link *link, struct effect *effect)
{
    struct exchange *exchange = link->exchange;
    switch (effect->kind) {
    case EFFECT_SEND:
        if (!link->gone && !link->closing)
            exchange->config.io.send(exchange->config.io.self, link->config.owner, &effect->frame);
        break;
    case EFFECT_GREETED:
        on_greeted(link, effect);
        break;
    case EFFECT_COMPARE:
        exchange_compare(link, effect);
        break;
    case EFFECT_PUBLISH:
        publish(link, effect);
        break;
    case EFFECT_TAKE_RECEIPT:
    case EFFECT_READ_HEAL:
    case EFFECT_APPLY_HEAL:
        exchange_ask(link, effect);
        break;
    case EFFECT_INGEST:
        exchange_ask(link, effect);
        pause_if_crowded(link);
        break;
    case EFFECT_ALARM:
        exchange_tell_alarm(exchange, &link->config.peer, effect->error.text);
        break;
    case EFFECT_CLOSE:
        on_close(link, effect);
        break;
    case EFFECT_KIND_COUNT:
        break;
    }
}

void exchange_pump(struct link *link)
{
    exchange_hold(link);
    struct effect effect;
    while (session_next_effect(link->session, &effect)) {
        carry_out(link, &effect);
        effect_fini(&effect);
    }
    exchange_release(link);
}
