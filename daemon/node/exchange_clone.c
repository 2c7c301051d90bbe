/* Two connections of one peer.
 *
 * PROTOCOL 7.7.  With one boot id both belong to the same process: the dial of the smaller code
 * stays, which both ends work out alike.  With two, the peer was restarted and the older connection
 * is dead, or two machines run under one code.  The older one is probed; if it has answered the
 * probe when the time is over, both are closed and both ends raise the alarm.  (Only the answer
 * counts: what a process sent before it died may still arrive.)
 *
 * What arrives so late may change a feed after our Hello of the newer connection was made.  If the
 * peer was set back in between, it would go on from a head that we do not have any more: so such a
 * connection ends, without blame, and the next one shows what is true. */
#include "node/exchange_internal.h"

#include <string.h>

static bool is_live(const struct link *link)
{
    return !link->closing && !link->gone && session_state(link->session) != SESSION_CLOSED;
}

static struct link *find_rival(const struct link *link)
{
    for (struct link *other = link->exchange->links; other != NULL; other = other->next) {
        if (other != link && other->greeted && !other->held && is_live(other) &&
            code_equal(&other->config.peer, &link->config.peer))
            return other;
    }
    return NULL;
}

static bool smaller_code_dialled(const struct link *link)
{
    bool self_is_smaller = strcmp(link->exchange->config.self.text, link->config.peer.text) < 0;
    return link->config.initiator == self_is_smaller;
}

static void stop(struct link *link, enum status why, const char *text)
{
    exchange_hold(link);
    session_stop(link->session, exchange_now_ms(link->exchange), why, text);
    exchange_pump(link);
    exchange_release(link);
}

static void free_compare(struct link *link)
{
    struct effect effect = link->compare;
    bool has = link->has_compare;
    link->held = false;
    link->has_compare = false;
    memset(&link->compare, 0, sizeof(link->compare));
    if (!has)
        return;
    if (is_live(link))
        exchange_compare(link, &effect);
    effect_fini(&effect);
}

bool exchange_is_outdated(const struct link *link)
{
    const struct peer *peer = exchange_find_peer(link->exchange, &link->config.peer);
    return peer != NULL && peer->changes != link->changes_at_hello &&
           memcmp(peer->changed_by, link->peer_boot_id, BOOT_ID_SIZE) != 0;
}

void exchange_stop_outdated(struct link *link)
{
    stop(link, ERR_EXISTS, "an older connection has changed the feed since the Hello; call again");
}

void exchange_judge_greeted(struct link *link)
{
    struct link *rival = find_rival(link);
    if (rival == NULL)
        return;
    if (memcmp(rival->peer_boot_id, link->peer_boot_id, BOOT_ID_SIZE) == 0) {
        bool newer_stays = smaller_code_dialled(link) || !smaller_code_dialled(rival);
        stop(newer_stays ? rival : link, ERR_EXISTS, "another connection of these two nodes stays");
        return;
    }
    int64_t now_ms = exchange_now_ms(link->exchange);
    link->held = true;
    link->held_until_ms = now_ms + CLONE_PROBE_MS;
    exchange_hold(rival);
    session_probe(rival->session, now_ms);
    exchange_pump(rival);
    exchange_release(rival);
}

void exchange_judge_gone(struct link *gone)
{
    for (struct link *link = gone->exchange->links; link != NULL; link = link->next) {
        if (link->held && link != gone && find_rival(link) == NULL) {
            free_compare(link);
            exchange_pump(link);
            return; /* the list may have changed; a second held link waits for its deadline */
        }
    }
}

static void judge(struct link *link)
{
    struct link *rival = find_rival(link);
    if (rival == NULL) {
        free_compare(link);
    } else if (session_probe_answered(rival->session)) {
        exchange_tell_alarm(link->exchange, &link->config.peer,
                            "two nodes run under this code at the same time (two boot ids are "
                            "alive); next: ask them which one is the copy, and have it stopped");
        const char *text = "two nodes of your code are connected at once: one is a copy";
        exchange_hold(rival);
        stop(link, ERR_MISMATCH, text);
        stop(rival, ERR_MISMATCH, text);
        exchange_release(rival);
    } else {
        stop(rival, ERR_EXPIRED, "not heard any more");
        free_compare(link);
    }
}

void exchange_judge_held(struct exchange *exchange)
{
    int64_t now_ms = exchange_now_ms(exchange);
    struct link *next = NULL;
    for (struct link *link = exchange->links; link != NULL; link = next) {
        exchange_hold(link);
        if (link->held && now_ms >= link->held_until_ms) {
            link->held_until_ms = INT64_MAX;
            judge(link);
            exchange_pump(link);
        }
        next = link->next;
        exchange_release(link);
    }
}

int64_t exchange_judge_deadline_ms(const struct exchange *exchange)
{
    int64_t deadline_ms = INT64_MAX;
    for (const struct link *link = exchange->links; link != NULL; link = link->next)
        if (link->held && link->held_until_ms < deadline_ms)
            deadline_ms = link->held_until_ms;
    return deadline_ms;
}
