/* What this node shows of the two feeds in its Hello (docs/PROTOCOL.md, 5.3). */
#include "feed/feed.h"

#include "feed/ingestion.h"
#include "feed/keyring.h"

/* Says again what was signed before, or what is committed and in the heads file. */
static enum status sign_head(struct feed_context *feed,
                             const struct feed_row *row,
                             struct buf *append_to,
                             struct error *err)
{
    struct checkpoint checkpoint = { span_text(row->origin), row->size, row->root };
    return keyring_sign(feed, &checkpoint, append_to, err);
}

static enum status own_heads(struct feed_context *feed,
                             const struct peer_row *peer,
                             struct heads *heads,
                             struct error *err)
{
    struct feed_row row;
    enum status status = feed_rows_active(feed->store, peer->peer_id, FEED_OUT, &row, err);
    if (status == ERR_NOT_FOUND)
        return OK;
    /* While an old epoch is not healed, its head is what the peer must see. */
    if (status == OK && row.healed_size != 0)
        status = feed_rows_get(feed->store, (int64_t)row.healed_size, &row, err);
    if (status == OK)
        status = sign_head(feed, &row, &heads->mine, err);
    if (status == OK)
        status = feed_rows_get_note(feed->store, row.feed_id, FEED_NOTE_RECEIPT,
                                    &heads->mine_receipt, err);
    return status;
}

static enum status their_head(struct feed_context *feed,
                              const struct peer_row *peer,
                              struct heads *heads,
                              struct error *err)
{
    struct feed_row row;
    /* Of an epoch that we have lost from its first entry on, nothing can be shown: the one before
     * shows a publisher that was set back further than that where it stands. */
    enum status status = feed_rows_latest(feed->store, peer->peer_id, FEED_IN, &row, err);
    if (status == ERR_NOT_FOUND)
        return OK;
    return status == OK ? feed_receipt_note(feed, &row, &heads->yours, err) : status;
}

/* What we cosigned once, and have lost since: a publisher that was set back behind it learns of it
 * from nobody else. */
static enum status their_receipt(struct feed_context *feed,
                                 const struct peer_row *peer,
                                 struct heads *heads,
                                 struct error *err)
{
    struct feed_row row;
    struct buf note = BUF_INIT;
    enum status status = feed_rows_active(feed->store, peer->peer_id, FEED_IN, &row, err);
    if (status == ERR_NOT_FOUND || (status == OK && row.receipt_size <= row.size))
        return OK;
    if (status == OK)
        status = feed_rows_get_note(feed->store, row.feed_id, FEED_NOTE_RECEIPT, &note, err);
    if (status == OK)
        status = keyring_cosign_again(feed, buf_span(&note), (uint64_t)row.receipt_ms / 1000,
                                      &heads->yours_receipt, err);
    buf_fini(&note);
    return status;
}

enum status feed_heads(struct feed_context *feed,
                       const struct code *peer_code,
                       struct heads *ret_heads,
                       struct error *err)
{
    struct heads heads = { 0 };
    struct peer_row peer;
    enum status status = peering_find(feed, peer_code, &peer, err);
    if (status == OK)
        status = own_heads(feed, &peer, &heads, err);
    if (status == OK)
        status = their_head(feed, &peer, &heads, err);
    if (status == OK)
        status = their_receipt(feed, &peer, &heads, err);
    if (status != OK) {
        heads_fini(&heads);
        return status;
    }
    *ret_heads = heads;
    return OK;
}
