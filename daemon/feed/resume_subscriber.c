/* What the peer shows of its own feed, and of our receipts for it (docs/PROTOCOL.md, 8.3). */
#include "feed/resume_internal.h"

#include "feed/keyring.h"

/* Our own cosignature over more than we hold: we were rolled back. */
static enum status lock_what_we_hold(struct meeting *meeting,
                                     struct feed_row *row,
                                     const struct checkpoint *checkpoint,
                                     uint64_t time_s,
                                     struct error *err)
{
    struct store *store = meeting->feed->store;
    int64_t time_ms = (int64_t)(time_s % (INT64_MAX / 1000)) * 1000;
    if (time_ms < row->receipt_ms)
        time_ms = row->receipt_ms;
    meeting->resume.self_behind_receipt = true;
    resume_say(meeting,
               "this node holds less than it once receipted: what it holds of the peer is locked "
               "until it has caught up");
    enum status status = OK;
    if (checkpoint->size > row->receipt_size)
        status = feed_rows_add_receipt(store, row->feed_id, checkpoint->size, time_ms,
                                       buf_span(&meeting->heads->mine_receipt), err);
    if (status == OK)
        status = holding_rows_lock_peer(store, meeting->peer.peer_id, HOLDING_ROLLED_BACK, err);
    if (status == OK)
        status = peering_alarm(meeting->feed, &meeting->peer.code, "behind_receipt",
                               meeting->resume.alarm, err);
    return status;
}

static enum status open_unknown_feed(struct meeting *meeting,
                                     struct span origin,
                                     struct feed_row *ret_row,
                                     struct error *err)
{
    struct feed_row active = { .feed_id = 0 };
    enum status status =
        feed_rows_active(meeting->feed->store, meeting->peer.peer_id, FEED_IN, &active, err);
    if (status == OK) {
        active.state = FEED_OLD;
        status = feed_rows_set_state(meeting->feed->store, &active, err);
    } else if (status == ERR_NOT_FOUND) {
        status = OK;
    }
    if (status == OK)
        status = peering_open(meeting->feed, &meeting->peer, FEED_IN, origin, ret_row, err);
    return status;
}

static enum status compare_own_receipt(struct meeting *meeting, struct error *err)
{
    struct feed_context *feed = meeting->feed;
    struct checkpoint checkpoint;
    struct feed_row row;
    uint64_t time_s = 0;
    if (meeting->heads->mine_receipt.size == 0)
        return OK;
    const struct keyring_note note = { &meeting->peer, FEED_IN,
                                       buf_span(&meeting->heads->mine_receipt), SPAN_EMPTY, NULL };
    enum status status = keyring_open_receipt(feed, &note, &checkpoint, &time_s, NULL, err);
    if (status != OK)
        return error_prefix(err, "its note of our receipt");
    if (status == OK)
        status =
            peering_check_origin(feed, checkpoint.origin, &meeting->peer.code, &feed->self, err);
    if (status != OK)
        return status;
    status = feed_rows_by_origin(feed->store, checkpoint.origin, &row, err);
    if (status == ERR_NOT_FOUND)
        status = open_unknown_feed(meeting, checkpoint.origin, &row, err);
    if (status == OK && checkpoint.size > row.size && row.state == FEED_ACTIVE)
        status = lock_what_we_hold(meeting, &row, &checkpoint, time_s, err);
    return status;
}

static enum status heal_from(struct meeting *meeting,
                             struct span origin,
                             uint64_t from,
                             struct error *err)
{
    meeting->resume.heal_peer = true;
    meeting->resume.heal_from = from;
    return buf_append(&meeting->resume.heal_origin, origin, err);
}

/* The publisher shows nothing, or an epoch that ended: it has lost the one that we hold. */
static enum status heal_unknown_epoch(struct meeting *meeting,
                                      const struct feed_row *shown, /* or NULL */
                                      struct error *err)
{
    struct feed_row row;
    enum status status =
        feed_rows_latest(meeting->feed->store, meeting->peer.peer_id, FEED_IN, &row, err);
    if (status == ERR_NOT_FOUND || (status == OK && shown != NULL && shown->feed_id == row.feed_id))
        return OK;
    return status == OK ? heal_from(meeting, span_text(row.origin), 0, err) : status;
}

static enum status compare_their_head(struct meeting *meeting, struct error *err)
{
    struct feed_context *feed = meeting->feed;
    struct checkpoint checkpoint;
    struct feed_row row;
    struct digest root;
    if (meeting->heads->mine.size == 0)
        return heal_unknown_epoch(meeting, NULL, err);
    const struct keyring_note note = { &meeting->peer, FEED_IN, buf_span(&meeting->heads->mine),
                                       SPAN_EMPTY, NULL };
    enum status status = keyring_open(feed, &note, &checkpoint, NULL, err);
    if (status != OK)
        return error_prefix(err, "its checkpoint");
    if (status == OK)
        status =
            peering_check_origin(feed, checkpoint.origin, &meeting->peer.code, &feed->self, err);
    if (status == OK)
        status = feed_rows_by_origin(feed->store, checkpoint.origin, &row, err);
    if (status == ERR_NOT_FOUND)
        return OK; /* a feed that we have nothing of yet */
    if (status != OK || checkpoint.size > row.size)
        return status;
    status = leaves_root_at(feed->store, &row, checkpoint.size, &root, err);
    if (status == OK && !digest_equal(&root, &checkpoint.root))
        return resume_fork_found(meeting, err);
    if (status != OK)
        return status;
    if (checkpoint.size < row.size)
        return heal_from(meeting, checkpoint.origin, checkpoint.size, err);
    meeting->in_step = row.state == FEED_ACTIVE;
    return row.state == FEED_OLD ? heal_unknown_epoch(meeting, &row, err) : OK;
}

/* A restored node that turns out to hold all it ever receipted may use it again.  Where the
 * publisher has opened a new epoch since, what we lost of the old one comes in the new one: then we
 * wait until we hold all that the publisher shows of it. */
static enum status unlock_if_complete(struct meeting *meeting, struct error *err)
{
    struct feed_row row;
    enum status status =
        feed_rows_active(meeting->feed->store, meeting->peer.peer_id, FEED_IN, &row, err);
    if (status == ERR_NOT_FOUND)
        return OK;
    bool successor = status == OK && row.healed_size != 0;
    if (status != OK || !row.rolled_back || row.size < row.receipt_size ||
        (successor && !meeting->in_step))
        return status;
    row.rolled_back = false;
    row.healed_size = 0;
    status = feed_rows_set_state(meeting->feed->store, &row, err);
    if (status == OK)
        status = holding_rows_unlock_peer(meeting->feed->store, meeting->peer.peer_id,
                                          HOLDING_ROLLED_BACK, err);
    return status;
}

enum status resume_as_subscriber(struct meeting *meeting, struct error *err)
{
    enum status status = compare_own_receipt(meeting, err);
    if (status == OK)
        status = compare_their_head(meeting, err);
    if (status == OK)
        status = unlock_if_complete(meeting, err);
    return status;
}
