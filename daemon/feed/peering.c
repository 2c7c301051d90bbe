#include "feed/peering.h"

#include "log/origin.h"
#include "log/tree.h"
#include "store/journal_rows.h"

#include <stdio.h>

int64_t peering_now_ms(const struct feed_context *feed)
{
    return feed->clock->wall_ms(feed->clock);
}

enum status peering_find(struct feed_context *feed,
                         const struct code *code,
                         struct peer_row *ret_peer,
                         struct error *err)
{
    struct peer_row peer;
    enum status status = peer_rows_get(feed->store, code, &peer, err);
    if (status == ERR_NOT_FOUND)
        return error_set(err, ERR_DENIED, "%s is not known here; next: comityctl peer add",
                         code->text);
    if (status == OK && peer.state != PEER_ACCEPTED)
        return error_set(err, ERR_DENIED, "%s is %s, not accepted; next: comityctl peer accept %s",
                         code->text, peer_state_name(peer.state), code->text);
    if (status == OK)
        *ret_peer = peer;
    return status;
}

/* An empty feed; the caller has filled in whose, which way, and its state. */
static enum status add_feed(struct feed_context *feed,
                            struct feed_row *row,
                            struct span origin,
                            struct error *err)
{
    struct tree empty;
    struct origin parsed;
    tree_init(&empty);
    enum status status = origin_parse(origin, &parsed, err);
    if (status == OK)
        status = tree_root(&empty, &row->root, err);
    if (status != OK)
        return status;
    row->opened_ms = peering_now_ms(feed);
    row->epoch = parsed.epoch;
    origin_format(&parsed, row->origin);
    return feed_rows_add(feed->store, row, &row->feed_id, err);
}

enum status peering_open(struct feed_context *feed,
                         const struct peer_row *peer,
                         enum feed_direction direction,
                         struct span origin,
                         struct feed_row *ret_row,
                         struct error *err)
{
    struct feed_row row = { .peer_id = peer->peer_id,
                            .direction = direction,
                            .state = FEED_ACTIVE };
    enum status status = add_feed(feed, &row, origin, err);
    if (status == OK)
        *ret_row = row;
    return status;
}

enum status peering_open_old(struct feed_context *feed,
                             const struct peer_row *peer,
                             struct span origin,
                             struct feed_row *ret_row,
                             struct error *err)
{
    struct feed_row row = { .peer_id = peer->peer_id, .direction = FEED_OUT, .state = FEED_OLD };
    enum status status = add_feed(feed, &row, origin, err);
    if (status == OK)
        *ret_row = row;
    return status;
}

enum status peering_open_epoch(struct feed_context *feed,
                               const struct peer_row *peer,
                               struct feed_row *ret_row,
                               struct error *err)
{
    uint64_t epoch = 0;
    char origin[ORIGIN_TEXT_SIZE];
    enum status status = feed->random->fill(feed->random, &epoch, sizeof(epoch), err);
    if (status != OK)
        return status;
    origin_feed(&feed->realm, &feed->self, &peer->code, epoch, origin);
    return peering_open(feed, peer, FEED_OUT, span_text(origin), ret_row, err);
}

enum status peering_check_origin(struct feed_context *feed,
                                 struct span origin,
                                 const struct code *publisher,
                                 const struct code *subscriber,
                                 struct error *err)
{
    struct origin parsed;
    enum status status = origin_parse(origin, &parsed, err);
    if (status != OK)
        return status;
    bool good = parsed.kind == ORIGIN_FEED && code_equal(&parsed.code, publisher) &&
                code_equal(&parsed.subscriber, subscriber) &&
                span_equal(span_text(parsed.realm.text), span_text(feed->realm.text));
    if (!good) {
        return error_set(err, ERR_MISMATCH, "'%.*s' is not a feed from %s to %s in realm %s",
                         (int)origin.size, (const char *)origin.data, publisher->text,
                         subscriber->text, feed->realm.text);
    }
    return OK;
}

enum status peering_alarm(struct feed_context *feed,
                          const struct code *peer,
                          const char *kind,
                          const char *text,
                          struct error *err)
{
    int64_t alarm_id = 0;
    return alarm_rows_raise(feed->store, kind, peer, text, &alarm_id, err);
}
