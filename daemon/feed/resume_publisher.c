/* What the peer shows of our feed: in step, behind, or ahead of us (docs/PROTOCOL.md, 8.2). */
#include "feed/resume_internal.h"

#include "feed/keyring.h"
#include "feed/recovery.h"

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
        status = resume_fork_found(meeting, err);
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
    resume_say(meeting, held
                            ? "recovered too often within a day: a second copy of this node may be "
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
        return resume_fork_found(meeting, err);
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

enum status resume_as_publisher(struct meeting *meeting, struct error *err)
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
