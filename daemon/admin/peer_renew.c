#include "admin/peer_renew.h"

#include "feed/cards.h"

enum status peer_renew_add(struct admin *admin,
                           struct control_call *call,
                           const struct peer_row *row,
                           struct span card,
                           struct error *err)
{
    struct store *store = admin->feed->store;
    struct buf present = BUF_INIT;
    enum status status = peer_rows_get_file(store, row->peer_id, PEER_CARD_PEM, &present, err);
    if (status == OK && span_equal(buf_span(&present), card)) {
        status = error_set(err, ERR_EXISTS,
                           "%s is accepted already, with this card; next: comityctl peer show %s",
                           row->code.text, row->code.text);
    }
    buf_fini(&present);
    if (status == OK)
        status = peer_rows_set_file(store, row->peer_id, PEER_CARD_NEXT, card, err);
    if (status == OK)
        status = peer_rows_update(store, row, err);
    if (status == OK) {
        reply_note(call->reply,
                   "%s is accepted already; this is a new card of it, with the same anchor. The "
                   "present one stays in force until another person accepts this one.",
                   row->code.text);
    }
    return status;
}

enum status peer_renew_check(struct admin *admin, const struct peer_row *row, struct error *err)
{
    struct buf next = BUF_INIT;
    enum status status =
        peer_rows_get_file(admin->feed->store, row->peer_id, PEER_CARD_NEXT, &next, err);
    if (status == OK && next.size == 0)
        status = error_set(err, ERR_WRONG_STATE, "%s is accepted already", row->code.text);
    buf_fini(&next);
    return status;
}

enum status peer_renew_take(struct admin *admin, struct peer_row *row, struct error *err)
{
    struct store *store = admin->feed->store;
    struct buf next = BUF_INIT;
    enum status status = peer_rows_get_file(store, row->peer_id, PEER_CARD_NEXT, &next, err);
    if (status == OK)
        status = cards_replace(admin->feed, row, buf_span(&next), err);
    admin->feed->cards_changed = false; /* the caller's changed.peers says the same */
    if (status == OK)
        status = peer_rows_set_file(store, row->peer_id, PEER_CARD_NEXT, SPAN_EMPTY, err);
    buf_fini(&next);
    return status;
}
