/* What two nodes that meet again hold of each other (docs/PROTOCOL.md, 8). */
#include "feed/feed.h"

#include "feed/resume_internal.h"
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

/* -- a meeting --------------------------------------------------------------------------------- */

void resume_say(struct meeting *meeting, const char *text)
{
    (void)snprintf(meeting->resume.alarm, sizeof(meeting->resume.alarm), "%s", text);
}

enum status resume_fork_found(struct meeting *meeting, struct error *err)
{
    meeting->resume.outcome = RESUME_FORK;
    resume_say(meeting,
               "the two nodes hold different histories of one feed: nothing more is exchanged; "
               "next: compare evidence of both sides");
    return peering_alarm(meeting->feed, &meeting->peer.code, "fork", meeting->resume.alarm, err);
}

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
        status = resume_as_subscriber(&meeting, err);
    if (status == OK && meeting.resume.outcome != RESUME_FORK)
        status = resume_as_publisher(&meeting, err);
    if (status != OK) {
        resume_fini(&meeting.resume);
        error_prefix(err, "resume %s", peer_code->text);
        return status;
    }
    *ret_resume = meeting.resume;
    return OK;
}
