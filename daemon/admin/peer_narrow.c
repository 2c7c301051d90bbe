/* How trust in a peer narrows: by one person, at once. */
#include "admin/ops.h"
#include "admin/peer_known.h"

enum status peer_ops_block(void *context, struct control_call *call, struct error *err)
{
    struct admin *admin = context;
    struct peer_row row;
    enum status status = peer_known_find(admin, call, &row, err);
    if (status == OK && row.state == PEER_BLOCKED)
        status = error_set(err, ERR_WRONG_STATE, "%s is blocked already", row.code.text);
    if (status == OK && row.state != PEER_ACCEPTED) {
        status = error_set(err, ERR_WRONG_STATE,
                           "%s is %s: it is not spoken to anyway; next: comityctl peer forget %s",
                           row.code.text, peer_state_name(row.state), row.code.text);
    }
    if (status != OK)
        return status;
    row.state = PEER_BLOCKED;
    status = peer_known_update(admin, &row, err);
    if (status == OK) {
        reply_note(call->reply,
                   "%s is blocked: connections are closed and none is accepted. Recalls cannot "
                   "reach it either while this holds.",
                   row.code.text);
    }
    return status;
}

enum status peer_ops_forget(void *context, struct control_call *call, struct error *err)
{
    struct admin *admin = context;
    struct peer_row row;
    enum status status = peer_known_find(admin, call, &row, err);
    if (status == OK && row.state == PEER_FORGOTTEN)
        status = error_set(err, ERR_WRONG_STATE, "%s is forgotten already", row.code.text);
    if (status != OK)
        return status;
    row.state = PEER_FORGOTTEN;
    row.held = false;
    row.address[0] = '\0';
    status = peer_known_update(admin, &row, err);
    if (status == OK)
        status =
            peer_rows_set_file(admin->feed->store, row.peer_id, PEER_CARD_PEM, SPAN_EMPTY, err);
    if (status == OK) {
        reply_note(call->reply,
                   "%s is forgotten: its card and address are gone. What was exchanged stays "
                   "provable.",
                   row.code.text);
    }
    return status;
}

static enum status set_hold(struct admin *admin,
                            const struct control_call *call,
                            bool held,
                            struct error *err)
{
    struct peer_row row;
    enum status status = peer_known_find(admin, call, &row, err);
    if (status == OK && row.state != PEER_ACCEPTED) {
        status =
            error_set(err, ERR_WRONG_STATE, "%s is %s, not accepted: nothing goes to it anyway",
                      row.code.text, peer_state_name(row.state));
    }
    if (status == OK && row.held == held)
        status = error_set(err, ERR_WRONG_STATE, held ? "%s is held already" : "%s is not held",
                           row.code.text);
    if (status != OK)
        return status;
    row.held = held;
    status = peer_known_update(admin, &row, err);
    admin->changed.queue = status == OK && !held;
    return status;
}

enum status peer_ops_hold(void *context, struct control_call *call, struct error *err)
{
    enum status status = set_hold(context, call, true, err);
    if (status == OK) {
        reply_note(call->reply, "Held: only recalls go to %s now. To lift it: comityctl release %s",
                   argument_text(&call->arguments, "peer"),
                   argument_text(&call->arguments, "peer"));
    }
    return status;
}

enum status peer_ops_release(void *context, struct control_call *call, struct error *err)
{
    enum status status = set_hold(context, call, false, err);
    if (status == OK)
        reply_note(call->reply, "Released: what waited for %s goes out now.",
                   argument_text(&call->arguments, "peer"));
    return status;
}
