#include "feed/cards.h"

#include "crypto/card.h"
#include "crypto/digest.h"
#include "feed/peering.h"
#include "log/header.h"
#include "store/card_rows.h"
#include "store/feed_rows.h"
#include "store/outbox_rows.h"

#include <stdio.h>
#include <string.h>

/* -- ours -------------------------------------------------------------------------------------- */

static enum status keys_of(const struct card *card, struct former_card *row, struct error *err)
{
    enum status status = certificate_public(buf_span(&card->roles[ROLE_LOG]), &row->log_key, err);
    if (status == OK)
        status = certificate_public(buf_span(&card->roles[ROLE_RECEIPT]), &row->receipt_key, err);
    return status;
}

static enum status add_own(struct feed_context *feed,
                           struct span text,
                           struct former_card *row,
                           struct error *err)
{
    row->peer_id = CARD_ROWS_OWN;
    return card_rows_add_former(feed->store, row, text, err);
}

static bool has_keys(const struct former_card *rows, size_t count, const struct former_card *row)
{
    for (size_t i = 0; i < count; i++) {
        if (memcmp(&rows[i].log_key, &row->log_key, sizeof(row->log_key)) == 0 &&
            memcmp(&rows[i].receipt_key, &row->receipt_key, sizeof(row->receipt_key)) == 0)
            return true;
    }
    return false;
}

/* It came into use when its receipt key was certified, as far as anybody still knows. */
static enum status remember_former(struct feed_context *feed, struct span text, struct error *err)
{
    struct former_card known[FORMER_KEYS_MAX];
    struct former_card row = { .former_id = 0 };
    struct card card = { .name = "" };
    struct certificate *certificate = NULL;
    size_t count = 0;
    enum status status =
        card_rows_list_keys(feed->store, CARD_ROWS_OWN, known, FORMER_KEYS_MAX, &count, err);
    if (status == OK)
        status = card_decode(text, &card, NULL, err);
    if (status == OK)
        status = keys_of(&card, &row, err);
    if (status == OK && !has_keys(known, count, &row)) {
        status = certificate_parse(buf_span(&card.roles[ROLE_RECEIPT]), &certificate, err);
        if (status == OK) {
            row.time_ms = certificate_facts(certificate).not_before_ms + CERTIFICATE_BACKDATE_MS;
            status = add_own(feed, text, &row, err);
        }
    }
    certificate_free(certificate);
    card_fini(&card);
    return status;
}

enum status cards_remember_former(struct feed_context *feed, struct span cards, struct error *err)
{
    enum status status = OK;
    for (struct span card = card_next(&cards); status == OK && card.size > 0;
         card = card_next(&cards))
        status = remember_former(feed, card, err);
    return status == OK ? OK : error_prefix(err, "our former cards");
}

/* Puts our card on record when it is not the last one there.  *ret_first: it is the only one. */
static enum status remember(struct feed_context *feed,
                            struct span text,
                            bool *ret_first,
                            struct error *err)
{
    struct former_card rows[2];
    struct buf last = BUF_INIT;
    struct card card = { .name = "" };
    size_t count = 0;
    enum status status = card_rows_list_former(feed->store, CARD_ROWS_OWN, rows, 2, &count, err);
    if (status == OK && count > 0)
        status = card_rows_read_former(feed->store, rows[0].former_id, &last, err);
    bool known = status == OK && count > 0 && span_equal(buf_span(&last), text);
    if (status == OK && !known) {
        struct former_card row = { .time_ms = peering_now_ms(feed) };
        status = card_decode(text, &card, NULL, err);
        if (status == OK)
            status = keys_of(&card, &row, err);
        if (status == OK)
            status = add_own(feed, text, &row, err);
    }
    *ret_first = known ? count == 1 : count == 0;
    card_fini(&card);
    buf_fini(&last);
    return status;
}

struct offer {
    struct feed_context *feed;
    struct span card;
    struct digest digest;
    bool first; /* we never had another card */
    size_t count;
};

/* A peer that was accepted since has our card by hand, if there has only ever been one. */
static enum status offer_to(struct offer *offer, const struct peer_row *peer, struct error *err)
{
    struct store *store = offer->feed->store;
    struct error why = ERROR_INIT;
    struct card_given given = { .peer_id = peer->peer_id };
    int64_t outbox_id = 0;
    enum status status = card_rows_get_given(store, peer->peer_id, &given, &why);
    if (status != OK && status != ERR_NOT_FOUND)
        return error_set(err, status, "%s", why.text);
    if (status == OK && digest_equal(&given.digest, &offer->digest))
        return OK;
    bool by_hand = status == ERR_NOT_FOUND && offer->first;
    given = (struct card_given){ .peer_id = peer->peer_id, .digest = offer->digest };
    status = card_rows_put_given(store, &given, err);
    if (status != OK || by_hand)
        return status;
    struct outbox_row row = { .peer_id = peer->peer_id,
                              .priority = OUTBOX_TERMS,
                              .kind = KIND_CARD,
                              .queued_ms = peering_now_ms(offer->feed),
                              .body = offer->card };
    offer->count++;
    return outbox_rows_add(store, &row, &outbox_id, err);
}

typedef enum status (*each_peer)(void *context, const struct peer_row *peer, struct error *err);

static enum status for_accepted(struct feed_context *feed,
                                each_peer each,
                                void *context,
                                struct error *err)
{
    enum { PEERS_PAGE = 8 };
    struct peer_row rows[PEERS_PAGE];
    struct code after = { "" };
    enum status status = OK;
    for (size_t count = PEERS_PAGE; status == OK && count == PEERS_PAGE;) {
        status = peer_rows_list(feed->store, after.text[0] == '\0' ? NULL : &after, rows,
                                PEERS_PAGE, &count, err);
        for (size_t i = 0; status == OK && i < count; i++) {
            after = rows[i].code;
            if (rows[i].state == PEER_ACCEPTED)
                status = each(context, &rows[i], err);
        }
    }
    return status;
}

static enum status offer_each(void *context, const struct peer_row *peer, struct error *err)
{
    return offer_to(context, peer, err);
}

enum status cards_sync(struct feed_context *feed,
                       struct span card,
                       size_t *ret_queued,
                       struct error *err)
{
    struct offer offer = { .feed = feed, .card = card };
    enum status status = remember(feed, card, &offer.first, err);
    if (status == OK)
        status = sha256_of(&card, 1, &offer.digest, err);
    if (status == OK)
        status = for_accepted(feed, offer_each, &offer, err);
    if (status != OK)
        return error_prefix(err, "our card");
    *ret_queued = offer.count;
    return OK;
}

enum status cards_note_numbered(struct feed_context *feed, /* NOLINT(readability-function-size) */
                                int64_t peer_id,
                                int64_t feed_id,
                                uint64_t index,
                                struct span card,
                                struct error *err)
{
    struct card_given given = { .peer_id = peer_id, .feed_id = feed_id, .index = index };
    enum status status = sha256_of(&card, 1, &given.digest, err);
    return status == OK ? card_rows_put_given(feed->store, &given, err) : status;
}

struct outstanding {
    struct feed_context *feed;
    struct digest present; /* our card of today */
    size_t count;
};

static enum status count_outstanding(void *context, const struct peer_row *peer, struct error *err)
{
    struct outstanding *outstanding = context;
    struct store *store = outstanding->feed->store;
    struct error why = ERROR_INIT;
    struct card_given given;
    struct feed_row row;
    uint64_t waiting = 0;
    enum status status = card_rows_get_given(store, peer->peer_id, &given, &why);
    if (status == ERR_NOT_FOUND) {
        outstanding->count++;
        return OK;
    }
    if (status == OK && given.feed_id == 0) { /* by hand, or still in the queue */
        status = outbox_rows_count(store, peer->peer_id, &waiting, &why);
        outstanding->count += status == OK && waiting > 0 ? 1 : 0;
    } else if (status == OK) {
        status = feed_rows_get(store, given.feed_id, &row, &why);
        outstanding->count += status == OK && row.receipt_size <= given.index ? 1 : 0;
    }
    return status == OK ? OK : error_set(err, status, "%s", why.text);
}

enum status cards_outstanding(struct feed_context *feed, size_t *ret_count, struct error *err)
{
    struct outstanding outstanding = { .feed = feed };
    enum status status = for_accepted(feed, count_outstanding, &outstanding, err);
    if (status == OK)
        *ret_count = outstanding.count;
    return status;
}

/* -- theirs ------------------------------------------------------------------------------------ */

static enum status check_list(const struct card *former,
                              const struct card *card,
                              struct crl **ret_next,
                              struct error *err)
{
    struct crl *current = NULL;
    struct crl *next = NULL;
    enum status status = OK;
    if (former->crl.size > 0)
        status = crl_parse(buf_span(&former->crl), &current, err);
    if (status == OK && card->crl.size > 0)
        status = crl_parse(buf_span(&card->crl), &next, err);
    if (status == OK && current != NULL && next == NULL) {
        status = error_set(err, ERR_CONFLICT,
                           "the card has no revocation list; number %llu is known already",
                           (unsigned long long)crl_facts(current).number);
    }
    if (status == OK && next != NULL)
        status = crl_check_newer(current, next, err);
    crl_free(current);
    if (status == OK)
        *ret_next = next;
    else
        crl_free(next);
    return status;
}

/* An older card, sent again, must not bring back a key that was replaced. */
static enum status check_role(const struct card *former,
                              const struct card *card,
                              enum role role,
                              struct error *err)
{
    struct certificate *old = NULL;
    struct certificate *new = NULL;
    if (span_equal(buf_span(&former->roles[role]), buf_span(&card->roles[role])))
        return OK;
    enum status status = certificate_parse(buf_span(&former->roles[role]), &old, err);
    if (status == OK)
        status = certificate_parse(buf_span(&card->roles[role]), &new, err);
    if (status == OK &&
        certificate_facts(new).not_before_ms < certificate_facts(old).not_before_ms) {
        status = error_set(err, ERR_CONFLICT,
                           "its %s certificate was issued before the one that is known already",
                           role_name(role));
    }
    certificate_free(old);
    certificate_free(new);
    return status;
}

enum status cards_record(struct feed_context *feed,
                         const struct peer_row *peer,
                         struct span card,
                         struct error *err)
{
    struct former_card record = { .peer_id = peer->peer_id,
                                  .time_ms = peering_now_ms(feed),
                                  .log_key = peer->log_key,
                                  .receipt_key = peer->receipt_key };
    struct feed_row row;
    struct error why = ERROR_INIT;
    enum status status = feed_rows_active(feed->store, peer->peer_id, FEED_IN, &row, &why);
    if (status == OK) {
        record.in_feed_id = row.feed_id;
        record.in_size = row.size;
    }
    if (status == OK || status == ERR_NOT_FOUND)
        status = feed_rows_active(feed->store, peer->peer_id, FEED_OUT, &row, &why);
    if (status == OK) {
        record.out_feed_id = row.feed_id;
        record.out_size = row.size;
    }
    if (status != OK && status != ERR_NOT_FOUND)
        return error_set(err, status, "%s", why.text);
    return card_rows_add_former(feed->store, &record, card, err);
}

static enum status take(struct feed_context *feed,
                        struct peer_row *peer,
                        const struct card *card,
                        const struct crl *list,
                        struct span text,
                        struct error *err)
{
    struct former_card keys;
    enum status status = keys_of(card, &keys, err);
    if (status != OK)
        return status;
    struct peer_row next = *peer;
    next.log_key = keys.log_key;
    next.receipt_key = keys.receipt_key;
    (void)snprintf(next.name, sizeof(next.name), "%s", card->name);
    (void)snprintf(next.address, sizeof(next.address), "%s", card->address);
    if (list != NULL) {
        next.crl_number = crl_facts(list).number;
        next.crl_expires_ms = crl_facts(list).next_update_ms;
    }
    status = peer_rows_update(feed->store, &next, err);
    if (status == OK)
        status = peer_rows_set_file(feed->store, peer->peer_id, PEER_CARD_PEM, text, err);
    if (status == OK && card->crl.size > 0)
        status =
            peer_rows_set_file(feed->store, peer->peer_id, PEER_CRL_DER, buf_span(&card->crl), err);
    if (status == OK)
        *peer = next;
    return status;
}

enum status cards_replace(struct feed_context *feed,
                          struct peer_row *peer,
                          struct span text,
                          struct error *err)
{
    struct buf known = BUF_INIT;
    struct buf anchor = BUF_INIT;
    struct card former = { .name = "" };
    struct card card = { .name = "" };
    struct crl *list = NULL;
    enum status status = peer_rows_get_file(feed->store, peer->peer_id, PEER_CARD_PEM, &known, err);
    if (status == OK)
        status = peer_rows_get_file(feed->store, peer->peer_id, PEER_ANCHOR_DER, &anchor, err);
    if (status != OK || span_equal(buf_span(&known), text))
        goto out;
    const struct card_rule rule = { .realm = feed->realm,
                                    .self = feed->self,
                                    .known_anchor = buf_span(&anchor),
                                    .now_ms = peering_now_ms(feed) };
    status = card_decode(buf_span(&known), &former, NULL, err);
    if (status == OK)
        status = card_read(text, &rule, &card, NULL, err);
    if (status == OK && !code_equal(&card.code, &peer->code))
        status = error_set(err, ERR_DENIED, "it is a card of %s", card.code.text);
    if (status == OK && !span_equal(buf_span(&card.anchor), buf_span(&anchor)))
        status = error_set(err, ERR_CONFLICT, "it has another anchor");
    for (int role = 0; status == OK && role < ROLE_COUNT; role++)
        status = check_role(&former, &card, (enum role)role, err);
    if (status == OK)
        status = check_list(&former, &card, &list, err);
    if (status == OK)
        status = cards_record(feed, peer, buf_span(&known), err);
    if (status == OK)
        status = take(feed, peer, &card, list, text, err);
    if (status == OK)
        feed->cards_changed = true;
out:
    crl_free(list);
    card_fini(&former);
    card_fini(&card);
    buf_fini(&known);
    buf_fini(&anchor);
    return status;
}
