/* What two nodes that meet again hold of each other (docs/PROTOCOL.md, 8). */
#include "feed/feed.h"

#include "feed/ingestion.h"
#include "feed/keyring.h"
#include "feed/recovery.h"
#include "store/journal_rows.h"

#include <stdio.h>

/* -- a database that came from a backup -------------------------------------------------------- */

static enum status settle_feed(struct feed_context *feed, struct feed_row *row, struct error *err)
{
    row->rolled_back = true;
    enum status status = feed_rows_set_state(feed->store, row, err);
    if (status == OK && row->direction == FEED_IN)
        status = holding_rows_lock_peer(feed->store, row->peer_id, HOLDING_ROLLED_BACK, err);
    return status;
}

static enum status tell_restored(struct feed_context *feed, struct error *err)
{
    int64_t alarm_id = 0;
    return alarm_rows_raise(feed->store, "restored", NULL,
                            "this node was restored from a backup: what it holds of others stays "
                            "locked until each of them has been met and has caught it up",
                            &alarm_id, err);
}

enum status feed_settle(struct feed_context *feed, struct error *err)
{
    enum { PAGE = 4 };
    struct feed_row rows[PAGE];
    int64_t restored_ms = 0;
    int64_t after = 0;
    size_t count = PAGE;
    enum status status = store_restored(feed->store, &restored_ms, err);
    while (status == OK && count == PAGE) {
        status = feed_rows_list(feed->store, after, rows, PAGE, &count, err);
        for (size_t i = 0; status == OK && i < count; i++) {
            after = rows[i].feed_id;
            if (rows[i].state == FEED_ACTIVE && (restored_ms != 0 || rows[i].rolled_back))
                status = settle_feed(feed, &rows[i], err);
        }
    }
    if (status == OK && restored_ms != 0)
        status = holdings_erase_keyless(feed, err);
    if (status == OK && restored_ms != 0)
        status = tell_restored(feed, err);
    if (status == OK && restored_ms != 0)
        status = store_restored_clear(feed->store, err);
    return status;
}

/* -- as publisher ------------------------------------------------------------------------------ */

struct meeting {
    struct feed_context *feed;
    struct peer_row peer;
    const struct heads *heads; /* of the peer's Hello */
    struct resume resume;
    bool in_step; /* we hold all that the publisher shows of its current feed */
    bool lost;    /* the peer cosigned what neither of us has any more */
    struct checkpoint lost_checkpoint;
};

static void say(struct meeting *meeting, const char *text)
{
    (void)snprintf(meeting->resume.alarm, sizeof(meeting->resume.alarm), "%s", text);
}

static enum status fork_found(struct meeting *meeting, struct error *err)
{
    meeting->resume.outcome = RESUME_FORK;
    say(meeting, "the two nodes hold different histories of one feed: nothing more is exchanged; "
                 "next: compare evidence of both sides");
    return peering_alarm(meeting->feed, &meeting->peer.code, "fork", meeting->resume.alarm, err);
}

/* Verified with our log key and the peer's receipt key; *ret_shown->any false: the note is empty.
 */
static enum status open_yours(struct meeting *meeting,
                              struct recovery_shown *ret_shown,
                              uint64_t *ret_time_s,
                              struct error *err)
{
    struct feed_context *feed = meeting->feed;
    *ret_shown = (struct recovery_shown){ 0 };
    if (meeting->heads->yours.size == 0)
        return OK;
    const struct keyring_note note = { &meeting->peer, FEED_OUT, buf_span(&meeting->heads->yours),
                                       SPAN_EMPTY, NULL };
    enum status status =
        keyring_open_receipt(feed, &note, &ret_shown->checkpoint, ret_time_s, NULL, err);
    if (status != OK)
        return error_prefix(err, "its note of our feed");
    if (status == OK)
        status = peering_check_origin(feed, ret_shown->checkpoint.origin, &feed->self,
                                      &meeting->peer.code, err);
    ret_shown->any = status == OK;
    return status;
}

static enum status open_yours_receipt(struct meeting *meeting,
                                      struct checkpoint *ret_checkpoint,
                                      struct error *err)
{
    struct feed_context *feed = meeting->feed;
    uint64_t time_s = 0;
    const struct keyring_note note = { &meeting->peer, FEED_OUT,
                                       buf_span(&meeting->heads->yours_receipt), SPAN_EMPTY, NULL };
    enum status status = keyring_open_receipt(feed, &note, ret_checkpoint, &time_s, NULL, err);
    if (status != OK)
        return error_prefix(err, "its receipt for our feed");
    return peering_check_origin(feed, ret_checkpoint->origin, &feed->self, &meeting->peer.code,
                                err);
}

/* What the peer once cosigned and does not hold: if we do not have it either, it is lost, and this
 * node was rolled back or cloned. */
static enum status judge_yours_receipt(struct meeting *meeting,
                                       const struct recovery_shown *shown,
                                       struct error *err)
{
    struct checkpoint checkpoint;
    struct feed_row row;
    struct digest root;
    if (meeting->heads->yours_receipt.size == 0)
        return OK;
    enum status status = open_yours_receipt(meeting, &checkpoint, err);
    if (status != OK)
        return status;
    bool held = shown->any && shown->checkpoint.size >= checkpoint.size &&
                span_equal(shown->checkpoint.origin, checkpoint.origin);
    meeting->lost_checkpoint = checkpoint;
    status = feed_rows_by_origin(meeting->feed->store, checkpoint.origin, &row, err);
    if (status == ERR_NOT_FOUND || (status == OK && checkpoint.size > row.size)) {
        /* Of a feed that has ended it is known already. */
        meeting->lost = !held && (status == ERR_NOT_FOUND || row.state == FEED_ACTIVE);
        return OK;
    }
    if (status == OK)
        status = leaves_root_at(meeting->feed->store, &row, checkpoint.size, &root, err);
    if (status == OK && !digest_equal(&root, &checkpoint.root))
        status = fork_found(meeting, err);
    return status;
}

static enum status recover(struct meeting *meeting,
                           const struct recovery_shown *shown,
                           const struct feed_row *known,
                           struct error *err)
{
    bool held = false;
    enum status status = recovery_open(meeting->feed, &meeting->peer, shown, known, &held, err);
    meeting->resume.outcome = held ? RESUME_HELD : RESUME_RECOVERED;
    meeting->resume.send_from = 0;
    say(meeting, held ? "recovered too often within a day: a second copy of this node may be "
                        "running; held until an operator decides"
                      : "this node was rolled back or cloned: it goes on in a new epoch");
    return status;
}

/* What it shows is a receipt as well, and the one that it sent may have been lost. */
static enum status note_receipt(struct meeting *meeting,
                                const struct recovery_shown *shown,
                                uint64_t time_s,
                                const struct feed_row *row,
                                bool *ret_same,
                                struct error *err)
{
    const struct checkpoint *checkpoint = &shown->checkpoint;
    struct digest root;
    int64_t time_ms = time_s > INT64_MAX / 1000 ? INT64_MAX : (int64_t)time_s * 1000;
    enum status status = leaves_root_at(meeting->feed->store, row, checkpoint->size, &root, err);
    if (status != OK)
        return status;
    *ret_same = digest_equal(&root, &checkpoint->root);
    if (!*ret_same || checkpoint->size <= row->receipt_size || time_ms < row->receipt_ms)
        return OK;
    return feed_rows_add_receipt(meeting->feed->store, row->feed_id, checkpoint->size, time_ms,
                                 buf_span(&meeting->heads->yours), err);
}

/* The peer shows our current feed: in step, behind, or ahead of us. */
static enum status compare_current(struct meeting *meeting,
                                   const struct recovery_shown *shown,
                                   uint64_t time_s,
                                   const struct feed_row *row,
                                   struct error *err)
{
    bool same = false;
    if (shown->checkpoint.size > row->size)
        return recover(meeting, shown, row, err);
    enum status status = note_receipt(meeting, shown, time_s, row, &same, err);
    if (status != OK)
        return status;
    if (!same)
        return fork_found(meeting, err);
    if (row->rolled_back || meeting->lost)
        return recover(meeting, shown, row, err);
    meeting->resume.send_from = shown->checkpoint.size;
    meeting->resume.peer_behind_receipt = shown->checkpoint.size < row->receipt_size;
    return OK;
}

static enum status compare_old(struct meeting *meeting,
                               const struct recovery_shown *shown,
                               const struct feed_row *old,
                               struct error *err)
{
    struct feed_row active;
    enum status status =
        feed_rows_active(meeting->feed->store, meeting->peer.peer_id, FEED_OUT, &active, err);
    if (status == ERR_NOT_FOUND || (status == OK && (active.rolled_back || meeting->lost)))
        return recover(meeting, shown, old, err);
    if (status == OK && shown->checkpoint.size > old->size && active.healed_size == 0) {
        active.healed_size = (uint64_t)old->feed_id;
        status = feed_rows_set_state(meeting->feed->store, &active, err);
    }
    if (status == OK)
        status = recovery_give_up(meeting->feed, &meeting->peer, &active, old->feed_id,
                                  shown->checkpoint.size, err);
    if (status == OK)
        status = recovery_requeue(meeting->feed, &meeting->peer, old->feed_id,
                                  shown->checkpoint.size, err);
    return status; /* send_from 0: the current feed from its start */
}

static enum status compare_nothing(struct meeting *meeting,
                                   const struct recovery_shown *shown,
                                   struct error *err)
{
    struct feed_row active;
    enum status status =
        feed_rows_active(meeting->feed->store, meeting->peer.peer_id, FEED_OUT, &active, err);
    if (status == ERR_NOT_FOUND)
        return OK;
    if (status != OK)
        return status;
    if (active.rolled_back || meeting->lost)
        return recover(meeting, shown, &active, err);
    meeting->resume.peer_behind_receipt = active.receipt_size > 0;
    status = recovery_give_up(meeting->feed, &meeting->peer, &active, 0, 0, err);
    return status == OK ? recovery_requeue(meeting->feed, &meeting->peer, 0, 0, err) : status;
}

static enum status compare_shown(struct meeting *meeting,
                                 const struct recovery_shown *shown,
                                 uint64_t time_s,
                                 struct error *err)
{
    struct feed_row row;
    if (!shown->any)
        return compare_nothing(meeting, shown, err);
    enum status status =
        feed_rows_by_origin(meeting->feed->store, shown->checkpoint.origin, &row, err);
    if (status == ERR_NOT_FOUND)
        return recover(meeting, shown, NULL, err);
    if (status != OK)
        return status;
    bool same = false;
    if (row.state == FEED_OLD && shown->checkpoint.size <= row.size)
        status = note_receipt(meeting, shown, time_s, &row, &same, err);
    if (status != OK)
        return status;
    if (row.state == FEED_OLD)
        return compare_old(meeting, shown, &row, err);
    return compare_current(meeting, shown, time_s, &row, err);
}

static bool goes_on(const struct meeting *meeting)
{
    return meeting->resume.outcome == RESUME_IN_STEP || meeting->resume.outcome == RESUME_RECOVERED;
}

static enum status compare_as_publisher(struct meeting *meeting, struct error *err)
{
    struct recovery_shown shown;
    uint64_t time_s = 0;
    enum status status = open_yours(meeting, &shown, &time_s, err);
    if (status == OK)
        status = judge_yours_receipt(meeting, &shown, err);
    if (status == OK && goes_on(meeting))
        status = compare_shown(meeting, &shown, time_s, err);
    if (status == OK && meeting->lost && goes_on(meeting))
        status = recovery_lost(meeting->feed, &meeting->peer, meeting->lost_checkpoint.origin, err);
    return status;
}

/* -- as subscriber ----------------------------------------------------------------------------- */

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
    say(meeting, "this node holds less than it once receipted: what it holds of the peer is locked "
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
        return fork_found(meeting, err);
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

static enum status compare_as_subscriber(struct meeting *meeting, struct error *err)
{
    enum status status = compare_own_receipt(meeting, err);
    if (status == OK)
        status = compare_their_head(meeting, err);
    if (status == OK)
        status = unlock_if_complete(meeting, err);
    return status;
}

/* -- both -------------------------------------------------------------------------------------- */

enum status feed_resume(struct feed_context *feed,
                        const struct code *peer_code,
                        const struct heads *peer_heads,
                        struct resume *ret_resume,
                        struct error *err)
{
    struct meeting meeting = { .feed = feed, .heads = peer_heads };
    enum status status = peering_find(feed, peer_code, &meeting.peer, err);
    if (status == OK)
        status = feed_settle(feed, err);
    if (status == OK)
        status = compare_as_subscriber(&meeting, err);
    if (status == OK && meeting.resume.outcome != RESUME_FORK)
        status = compare_as_publisher(&meeting, err);
    if (status != OK) {
        resume_fini(&meeting.resume);
        error_prefix(err, "resume %s", peer_code->text);
        return status;
    }
    *ret_resume = meeting.resume;
    return OK;
}
