/* evidence verify: one entry of a feed against the cards of both sides, offline. */
#include "cli/local.h"

#include "base/clock.h"
#include "base/counted.h"
#include "crypto/card.h"
#include "log/evidence.h"
#include "record/looks.h"

#include <inttypes.h>
#include <string.h>

enum { VERIFY_CARDS_MAX = 8 };

struct verify {
    struct local_call *call;
    struct evidence evidence;
    struct origin origin; /* as the file claims; proved by evidence_verify */
    struct card cards[VERIFY_CARDS_MAX];
    size_t card_count;
};

/* The second line of a note is its size, the first its origin. */
static enum status read_origin(struct verify *v, struct error *err)
{
    struct note note;
    struct checkpoint checkpoint;
    enum status status = note_parse(v->evidence.note, &note, err);
    if (status == OK)
        status = checkpoint_decode(note.text, &checkpoint, err);
    if (status == OK)
        status = origin_parse(checkpoint.origin, &v->origin, err);
    if (status == OK && v->origin.kind != ORIGIN_FEED)
        status = error_set(err, ERR_INVALID, "the evidence is of no feed");
    if (status == OK)
        v->call->realm = v->origin.realm;
    return status;
}

static enum status read_evidence(struct verify *v, struct error *err)
{
    const struct request_file *file = argument_file(&v->call->arguments, "file", 0);
    if (looks_check_evidence(file->bytes, err) != OK)
        return error_prefix(err, "%s", file->path);
    struct error why = ERROR_INIT;
    enum status status = evidence_decode(file->bytes, &v->evidence, &why);
    if (status == OK)
        status = read_origin(v, &why);
    if (status != OK) {
        return error_set(err, status,
                         "%s: %s; next: give the file just as comityctl evidence export wrote it",
                         file->path, why.text);
    }
    return OK;
}

static void report_card(struct verify *v, const char *path, const struct card_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        reply_problem(v->call->reply, &(struct reply_problem){ .file = path,
                                                               .field = "",
                                                               .value = "",
                                                               .rule = problems->items[i].text });
    }
}

/* Only that it is a card of this realm: dates are judged once it is known when the signature was
 * made. */
static enum status read_card(struct verify *v,
                             struct span text,
                             struct card_problems *problems,
                             struct error *err)
{
    struct card *card = &v->cards[v->card_count];
    enum status status = looks_check_card(text, err);
    if (status != OK) {
        problems->items[problems->count++] = *err;
        return status;
    }
    status = card_decode(text, card, problems, err);
    if (status != OK || strcmp(card->realm.text, v->origin.realm.text) == 0)
        return status;
    status = error_set(err, ERR_DENIED, "this card is of the realm '%s'; the evidence is of '%s'",
                       card->realm.text, v->origin.realm.text);
    problems->items[0] = *err;
    problems->count = 1;
    card_fini(card);
    return status;
}

static enum status read_cards(struct verify *v, struct error *err)
{
    size_t count = 0;
    while (argument_file(&v->call->arguments, "card", count) != NULL)
        count++;
    if (count > VERIFY_CARDS_MAX)
        return error_set(err, ERR_LIMIT, "%zu cards, more than %d; next: give two", count,
                         VERIFY_CARDS_MAX);
    enum status worst = OK;
    for (size_t i = 0; i < count; i++) {
        const struct request_file *file = argument_file(&v->call->arguments, "card", i);
        struct card_problems problems = { .count = 0 };
        struct error why = ERROR_INIT;
        enum status status = read_card(v, file->bytes, &problems, &why);
        if (status == OK) {
            v->card_count++;
            continue;
        }
        report_card(v, file->path, &problems);
        worst = error_set(err, status, "%s: %s", file->path, why.text);
    }
    size_t told = reply_problem_count(v->call->reply);
    if (worst != OK && told > 0) /* they are listed: not the first again */
        worst = error_set(err, worst, "%s in the cards; nothing was verified",
                          counted(told, "problem").text);
    return worst;
}

static const struct card *find_card(const struct verify *v, const struct code *code)
{
    for (size_t i = 0; i < v->card_count; i++)
        if (code_equal(&v->cards[i].code, code))
            return &v->cards[i];
    return NULL;
}

static enum status role_key(const struct card *card,
                            enum role role,
                            struct public_key *ret_key,
                            struct error *err)
{
    enum status status = certificate_public(buf_span(&card->roles[role]), ret_key, err);
    if (status != OK)
        return error_prefix(err, "card of %s", card->code.text);
    return OK;
}

static enum status show_card(struct verify *v, const struct card *card, struct error *err)
{
    struct fingerprint fingerprint;
    char text[FINGERPRINT_TEXT_SIZE];
    enum status status =
        fingerprint_of(&card->realm, &card->code, buf_span(&card->anchor), &fingerprint, err);
    if (status != OK)
        return status;
    fingerprint_format(&fingerprint, text);
    reply_cell(v->call->reply, "%s", card->code.text);
    reply_cell(v->call->reply, "%s", card->name);
    reply_cell(v->call->reply, "%s", text);
    return OK;
}

static enum status show_cards(struct verify *v, struct error *err)
{
    static const struct reply_column columns[] = {
        { "code", "Code", false },
        { "name", "Name", false },
        { "fingerprint", "Fingerprint", false },
    };
    reply_table(v->call->reply, "cards", "This rests on these cards; compare their fingerprints",
                columns, 3);
    enum status status = OK;
    for (size_t i = 0; status == OK && i < v->card_count; i++)
        status = show_card(v, &v->cards[i], err);
    return status;
}

/* When the checkpoint was signed, at the latest: the subscriber says so in its receipt.  Without
 * one, there is the time that the publisher put into the entry. */
static int64_t signed_ms(const struct evidence_verdict *verdict)
{
    if (!verdict->receipted)
        return verdict->header.time_ms;
    return verdict->receipt_time_s > INT64_MAX / 1000 ? INT64_MAX
                                                      : (int64_t)verdict->receipt_time_s * 1000;
}

static void show_verdict(struct verify *v, const struct evidence_verdict *verdict)
{
    struct reply_writer *w = v->call->reply;
    char time[TIME_TEXT_SIZE];
    char id[ID_TEXT_SIZE];
    reply_fields(w, "evidence", "The evidence holds");
    reply_field(w, "publisher", "Given by", "%s", verdict->origin.code.text);
    reply_field(w, "subscriber", "Given to", "%s", verdict->origin.subscriber.text);
    reply_number(w, "index", "Place in the feed", v->evidence.index);
    reply_number(w, "size", "Size of the feed then", verdict->tree_size);
    reply_field(w, "kind", "Kind", "%s", header_kind_word(verdict->header.kind));
    id_format(&verdict->header.entry_id, id);
    reply_field(w, "entry", "Entry", "%s", id);
    time_format(verdict->header.time_ms, time);
    reply_field(w, "time", "Time, by the publisher's clock", "%s", time);
    if (verdict->receipted)
        time_format((int64_t)verdict->receipt_time_s * 1000, time);
    reply_field(w, "receipted", "Receipt of the subscriber", "%s",
                verdict->receipted ? time : "not shown");
    time_format(signed_ms(verdict), time);
    reply_field(w, "judged_at", "Certificates judged at", "%s, %s", time,
                verdict->receipted ? "the time of the receipt"
                                   : "the time that the publisher gives");
    reply_field(w, "content", "Content", "%s",
                verdict->shown               ? "as committed to"
                : verdict->header.has_inline ? "stands in the entry"
                                             : "not shown");
    if (verdict->content.size > 0)
        reply_number(w, "content_bytes", "Bytes of content", verdict->content.size);
}

/* The certificates counted when they were used, whatever became of them since. */
static enum status judge_certificates(const struct card *publisher,
                                      const struct card *subscriber,
                                      const struct evidence_verdict *verdict,
                                      struct error *err)
{
    bool receipted = verdict->receipted;
    int64_t then_ms = signed_ms(verdict);
    enum status status = card_check_signed(publisher, ROLE_LOG, then_ms, receipted, err);
    if (status == OK && receipted)
        status = card_check_signed(subscriber, ROLE_RECEIPT, then_ms, true, err);
    return status;
}

/* With these two cards; `subscriber` NULL: its receipt is not looked at. */
static enum status judge_by(struct verify *v,
                            const struct card *publisher,
                            const struct card *subscriber,
                            struct evidence_verdict *ret_verdict,
                            struct error *err)
{
    struct public_key log_key;
    struct public_key receipt_key;
    enum status status = role_key(publisher, ROLE_LOG, &log_key, err);
    if (status == OK && subscriber != NULL)
        status = role_key(subscriber, ROLE_RECEIPT, &receipt_key, err);
    if (status == OK)
        status = evidence_verify(&v->evidence, &log_key, subscriber == NULL ? NULL : &receipt_key,
                                 ret_verdict, err);
    if (status == OK)
        status = judge_certificates(publisher, subscriber, ret_verdict, err);
    return status;
}

/* Card i may be the publisher's, and card j the subscriber's (without one, j is 0 and not used). */
static bool may_be_of(const struct verify *v, size_t i, size_t j, bool with_subscriber)
{
    if (!code_equal(&v->cards[i].code, &v->origin.code))
        return false;
    return with_subscriber ? code_equal(&v->cards[j].code, &v->origin.subscriber) : j == 0;
}

/* A node that replaced its keys has several cards: the evidence holds when it holds by one card of
 * each.  What is wrong is said of the first whose keys fit, or else of the first. */
static enum status judge_by_any(struct verify *v,
                                struct evidence_verdict *ret_verdict,
                                struct error *err)
{
    bool with_subscriber = find_card(v, &v->origin.subscriber) != NULL;
    enum status first = OK;
    for (size_t i = 0; i < v->card_count; i++) {
        for (size_t j = 0; j < v->card_count; j++) {
            struct error why = ERROR_INIT;
            if (!may_be_of(v, i, j, with_subscriber))
                continue;
            enum status status =
                judge_by(v, &v->cards[i], with_subscriber ? &v->cards[j] : NULL, ret_verdict, &why);
            if (status == OK)
                return OK;
            bool other_key = first == ERR_SIGNATURE || first == ERR_NOT_FOUND;
            if (first == OK || (other_key && status != ERR_SIGNATURE))
                first = error_set(err, status, "%s", why.text);
        }
    }
    return first;
}

static enum status judge(struct verify *v, struct error *err)
{
    struct evidence_verdict verdict;
    if (find_card(v, &v->origin.code) == NULL) {
        return error_set(err, ERR_NOT_FOUND,
                         "the card of the publisher, %s, is needed; next: add --card FILE with it",
                         v->origin.code.text);
    }
    enum status status = judge_by_any(v, &verdict, err);
    if (status != OK)
        return error_prefix(err, "the evidence does not hold");
    show_verdict(v, &verdict);
    if (find_card(v, &v->origin.subscriber) == NULL) {
        reply_note(v->call->reply,
                   "Without the card of %s its receipt was not looked at. Next: add --card FILE.",
                   v->origin.subscriber.text);
    }
    return show_cards(v, err);
}

enum status verify_run(struct local_call *call, struct error *err)
{
    struct verify v = { .call = call };
    enum status status = read_evidence(&v, err);
    if (status == OK)
        status = read_cards(&v, err);
    if (status == OK)
        status = judge(&v, err);
    for (size_t i = 0; i < v.card_count; i++)
        card_fini(&v.cards[i]);
    evidence_fini(&v.evidence);
    return status;
}
