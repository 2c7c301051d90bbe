/* Peers: whom this node trusts, and how that widens: two people (peer_narrow.c: how it ends). */
#include "admin/card_file.h"
#include "admin/ops.h"
#include "admin/peer_known.h"
#include "admin/peer_renew.h"
#include "crypto/card.h"
#include "crypto/crl.h"
#include "crypto/digest.h"
#include "feed/cards.h"
#include "store/peer_rows.h"

#include <stdio.h>
#include <string.h>

enum { GROUPS_TEXT_SIZE = 80 };

static struct store *store_of(const struct admin *admin)
{
    return admin->feed->store;
}

static int64_t now_of(const struct admin *admin)
{
    return admin->feed->clock->wall_ms(admin->feed->clock);
}

/* -- cards ------------------------------------------------------------------------------------- */

/* What the card says of revocations; without a list nothing is known. */
static enum status take_list(struct span der, struct peer_row *row, struct error *err)
{
    struct crl *list = NULL;
    row->crl_number = 0;
    row->crl_expires_ms = 0;
    if (der.size == 0)
        return OK;
    enum status status = crl_parse(der, &list, err);
    if (status == OK) {
        row->crl_number = crl_facts(list).number;
        row->crl_expires_ms = crl_facts(list).next_update_ms;
    }
    crl_free(list);
    return status;
}

static enum status row_of_card(struct admin *admin,
                               const struct card *card,
                               uint32_t uid,
                               struct peer_row *row,
                               struct error *err)
{
    struct fingerprint fingerprint;
    struct span anchor = buf_span(&card->anchor);
    enum status status = fingerprint_of(&card->realm, &card->code, anchor, &fingerprint, err);
    if (status == OK)
        status = sha256_of(&anchor, 1, &row->anchor_digest, err);
    struct span digits = span_of(fingerprint.digits, FINGERPRINT_DIGITS);
    if (status == OK)
        status = sha256_of(&digits, 1, &row->fingerprint, err);
    if (status == OK)
        status = certificate_public(buf_span(&card->roles[ROLE_LOG]), &row->log_key, err);
    if (status == OK)
        status = certificate_public(buf_span(&card->roles[ROLE_RECEIPT]), &row->receipt_key, err);
    if (status == OK)
        status = take_list(buf_span(&card->crl), row, err);
    if (status != OK)
        return status;
    row->code = card->code;
    row->realm = card->realm;
    row->state = PEER_ADDED;
    row->held = false;
    (void)snprintf(row->name, sizeof(row->name), "%s", card->name);
    (void)snprintf(row->address, sizeof(row->address), "%s", card->address);
    row->added_by = uid;
    row->added_ms = now_of(admin);
    row->accepted_by = 0;
    row->accepted_ms = 0;
    return OK;
}

static enum status save_files(struct admin *admin,
                              int64_t peer_id,
                              const struct card *card,
                              struct span text,
                              struct error *err)
{
    struct store *store = store_of(admin);
    enum status status =
        peer_rows_set_file(store, peer_id, PEER_ANCHOR_DER, buf_span(&card->anchor), err);
    if (status == OK)
        status = peer_rows_set_file(store, peer_id, PEER_CARD_PEM, text, err);
    if (status == OK)
        status = peer_rows_set_file(store, peer_id, PEER_CRL_DER, buf_span(&card->crl), err);
    return status;
}

/* A card as two people compare it. */
static enum status show_card(const struct card *card,
                             struct reply_writer *w,
                             const char *name,
                             const char *title,
                             struct error *err)
{
    struct fingerprint fingerprint;
    char text[FINGERPRINT_TEXT_SIZE];
    enum status status =
        fingerprint_of(&card->realm, &card->code, buf_span(&card->anchor), &fingerprint, err);
    if (status != OK)
        return status;
    fingerprint_format(&fingerprint, text);
    reply_fields(w, name, title);
    reply_field(w, "code", "Code", "%s", card->code.text);
    reply_field(w, "name", "Name", "%s", card->name);
    reply_field(w, "address", "Address", "%s", card->address[0] == '\0' ? "-" : card->address);
    reply_field(w, "fingerprint", "Fingerprint", "%s", text);
    return OK;
}

enum status peer_ops_card(void *context, struct control_call *call, struct error *err)
{
    const struct admin *admin = context;
    if (admin->card.size == 0)
        return error_set(err, ERR_NOT_FOUND,
                         "this node has no card; next: put card.pem into its identity directory");
    struct card card = { .name = "" };
    struct card_problems problems = { .count = 0 };
    enum status status = card_decode(admin->card, &card, &problems, err);
    if (status == OK)
        status = show_card(&card, call->reply, "node", "This node's card", err);
    card_fini(&card);
    if (status != OK)
        return status;
    reply_note(call->reply,
               "Read the fingerprint to the other side over a channel that both of you "
               "trust; they type it at their comityctl peer accept.");
    char name[CODE_MAX + 8];
    (void)snprintf(name, sizeof(name), "%s.card", admin->feed->self.text);
    reply_blob(call->reply, "card", name, admin->card);
    return OK;
}

static enum status show_fingerprint(const struct card *card,
                                    struct reply_writer *w,
                                    struct error *err)
{
    enum status status = show_card(card, w, "peer", "Added, not accepted yet", err);
    if (status != OK)
        return status;
    reply_note(w,
               "Have the fingerprint read to you by %s over a channel that you both trust. Then "
               "another person types what was read: comityctl peer accept %s --fingerprint "
               "'...'",
               card->code.text, card->code.text);
    return OK;
}

/* What is known of the code already: its row, if any, and the anchor that goes with it. */
struct known {
    struct peer_row row;
    bool there;
    struct buf anchor;
};

static enum status look_up(struct admin *admin,
                           struct span text,
                           struct known *ret_known,
                           struct error *err)
{
    struct card card;
    memset(&card, 0, sizeof(card));
    struct error ignored = ERROR_INIT;
    if (card_decode(text, &card, NULL, &ignored) != OK)
        return OK; /* card_file_read says what is wrong with it */
    enum status status = peer_rows_get(store_of(admin), &card.code, &ret_known->row, &ignored);
    card_fini(&card);
    if (status == ERR_NOT_FOUND)
        return OK;
    if (status == OK)
        status = peer_rows_get_file(store_of(admin), ret_known->row.peer_id, PEER_ANCHOR_DER,
                                    &ret_known->anchor, err);
    ret_known->there = status == OK;
    return status;
}

static enum status check_addable(const struct known *known, struct error *err)
{
    if (!known->there)
        return OK;
    const struct peer_row *row = &known->row;
    if (row->state == PEER_BLOCKED) {
        return error_set(err, ERR_EXISTS,
                         "%s is blocked; next: an approver can accept it again with its "
                         "fingerprint: comityctl peer accept %s",
                         row->code.text, row->code.text);
    }
    return OK;
}

static enum status add_card(struct admin *admin,
                            struct control_call *call,
                            struct span text,
                            const struct card *card,
                            struct known *known,
                            struct error *err)
{
    struct peer_row row;
    if (known->there && known->row.state == PEER_ACCEPTED) {
        known->row.added_by = call->caller->uid;
        known->row.added_ms = now_of(admin);
        enum status renewed = peer_renew_add(admin, call, &known->row, text, err);
        return renewed == OK ? show_fingerprint(card, call->reply, err) : renewed;
    }
    if (known->there)
        row = known->row;
    else
        memset(&row, 0, sizeof(row));
    enum status status = OK;
    if (known->there && known->row.state == PEER_FORGOTTEN) /* what it signed stays provable */
        status = cards_record(admin->feed, &row, SPAN_EMPTY, err);
    if (status == OK)
        status = row_of_card(admin, card, call->caller->uid, &row, err);
    if (status == OK && known->there)
        status = peer_rows_update(store_of(admin), &row, err);
    else if (status == OK)
        status = peer_rows_add(store_of(admin), &row, &row.peer_id, err);
    if (status == OK)
        status = save_files(admin, row.peer_id, card, text, err);
    if (status == OK)
        status = show_fingerprint(card, call->reply, err);
    return status;
}

enum status peer_ops_add(void *context, struct control_call *call, struct error *err)
{
    struct admin *admin = context;
    const struct request_file *file = argument_file(&call->arguments, "file", 0);
    struct known known = { .there = false, .anchor = BUF_INIT };
    struct card card;
    memset(&card, 0, sizeof(card));
    enum status status = look_up(admin, file->bytes, &known, err);
    if (status == OK) {
        status = card_file_read(admin, call,
                                &(struct card_source){ .text = file->bytes,
                                                       .name = file->path,
                                                       .known_anchor = buf_span(&known.anchor) },
                                &card, err);
    }
    if (status == OK)
        status = check_addable(&known, err);
    if (status == OK)
        status = add_card(admin, call, file->bytes, &card, &known, err);
    card_fini(&card);
    buf_fini(&known.anchor);
    return status;
}

/* -- accepting --------------------------------------------------------------------------------- */

/* "3 differs", "3, 7 and 11 differ" for the bits of fingerprint_difference(). */
static void name_groups(uint16_t bits, char ret_text[static GROUPS_TEXT_SIZE])
{
    bool one = (bits & (bits - 1)) == 0;
    size_t used = 0;
    ret_text[0] = '\0';
    for (unsigned i = 0; bits >> i != 0 && used + 8 < GROUPS_TEXT_SIZE; i++) {
        if ((bits >> i & 1) == 0)
            continue;
        bool last = bits >> (i + 1) == 0;
        int added = snprintf(ret_text + used, GROUPS_TEXT_SIZE - used, "%s%u",
                             used == 0 ? ""
                             : last    ? " and "
                                       : ", ",
                             i + 1);
        used += added > 0 ? (size_t)added : 0;
    }
    (void)snprintf(ret_text + used, GROUPS_TEXT_SIZE - used, one ? " differs" : " differ");
}

static enum status compare(struct admin *admin,
                           const struct peer_row *row,
                           const char *typed,
                           struct span anchor,
                           struct error *err)
{
    struct fingerprint given;
    struct fingerprint held;
    if (fingerprint_parse(typed, &given, err) != OK)
        return error_prefix(err, "--fingerprint");
    enum status status = fingerprint_of(&admin->feed->realm, &row->code, anchor, &held, err);
    if (status != OK || fingerprint_equal(&given, &held))
        return status;
    char groups[GROUPS_TEXT_SIZE];
    name_groups(fingerprint_difference(&given, &held), groups);
    return error_set(err, ERR_MISMATCH,
                     "this is not the fingerprint of the card of %s: of the 12 groups, %s; "
                     "next: have them read again, and if they still differ, the card is not "
                     "theirs: ask for it anew over another way",
                     row->code.text, groups);
}

static enum status check_acceptable(const struct peer_row *row,
                                    const struct caller *caller,
                                    struct error *err)
{
    if (row->state == PEER_PENDING || row->state == PEER_FORGOTTEN)
        return error_set(err, ERR_WRONG_STATE,
                         "no card of %s was added; next: comityctl peer add FILE", row->code.text);
    if (row->added_by == caller->uid) {
        return error_set(err, ERR_DENIED,
                         "you added the card of %s, and accepting it takes another person; next: "
                         "ask another approver to compare the fingerprint",
                         row->code.text);
    }
    return OK;
}

/* The stored card, read by today's rules, and its anchor against what was typed. */
static enum status check_card(struct admin *admin,
                              struct control_call *call,
                              const struct peer_row *row,
                              enum peer_file file,
                              struct error *err)
{
    struct buf text = BUF_INIT;
    struct buf anchor = BUF_INIT;
    struct card card;
    memset(&card, 0, sizeof(card));
    struct store *store = store_of(admin);
    enum status status = peer_rows_get_file(store, row->peer_id, file, &text, err);
    if (status == OK)
        status = peer_rows_get_file(store, row->peer_id, PEER_ANCHOR_DER, &anchor, err);
    if (status == OK)
        status = compare(admin, row, argument_text(&call->arguments, "fingerprint"),
                         buf_span(&anchor), err);
    if (status == OK) {
        status = card_file_read(admin, call,
                                &(struct card_source){ .text = buf_span(&text),
                                                       .name = row->code.text,
                                                       .known_anchor = buf_span(&anchor) },
                                &card, err);
    }
    card_fini(&card);
    buf_fini(&text);
    buf_fini(&anchor);
    return status;
}

enum status peer_ops_accept(void *context, struct control_call *call, struct error *err)
{
    struct admin *admin = context;
    struct peer_row row;
    size_t queued = 0;
    enum status status = peer_known_find(admin, call, &row, err);
    bool renewal = status == OK && row.state == PEER_ACCEPTED;
    if (renewal)
        status = peer_renew_check(admin, &row, err);
    if (status == OK)
        status = check_acceptable(&row, call->caller, err);
    if (status == OK)
        status = check_card(admin, call, &row, renewal ? PEER_CARD_NEXT : PEER_CARD_PEM, err);
    if (status != OK)
        return status;
    row.state = PEER_ACCEPTED;
    row.held = renewal && row.held;
    row.accepted_by = call->caller->uid;
    row.accepted_ms = now_of(admin);
    status = peer_known_update(admin, &row, err);
    if (status == OK && renewal)
        status = peer_renew_take(admin, &row, err);
    if (status == OK && admin->card.size > 0)
        status = cards_sync(admin->feed, admin->card, &queued, err);
    if (status != OK)
        return status;
    admin->changed.queue = true;
    reply_fields(call->reply, "peer", "Accepted");
    reply_field(call->reply, "code", "Code", "%s", row.code.text);
    reply_field(call->reply, "name", "Name", "%s", row.name);
    reply_note(call->reply,
               "The nodes can connect now. Nothing leaves before a consent covers it: comityctl "
               "consent draft --help");
    return OK;
}
