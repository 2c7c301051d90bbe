#include "feed/keyring.h"

#include "base/memory.h"
#include "crypto/digest.h"
#include "log/note.h"
#include "log/origin.h"
#include "store/card_rows.h"

#include <string.h>

/* -- signing ----------------------------------------------------------------------------------- */

/* Receipts bring back what was signed a moment ago: comparing is a hundred times cheaper than
 * verifying one's own signature. */
static enum status remember(struct feed_context *feed, struct span signed_note, struct error *err)
{
    struct note note;
    struct feed_signed made = { .size = signed_note.size };
    enum status status = note_parse(signed_note, &note, err);
    if (status == OK)
        status = sha256_of(&signed_note, 1, &made.digest, err);
    if (status != OK)
        return status;
    made.text_size = note.text.size;
    feed->signed_notes[feed->signed_next] = made;
    feed->signed_next = (feed->signed_next + 1) % FEED_SIGNED_KEPT;
    return OK;
}

/* Whether `shown` begins with a note that was signed here, and its text is that note's. */
static enum status was_signed_here(const struct feed_context *feed,
                                   struct span shown,
                                   bool *ret_here,
                                   struct error *err)
{
    struct note note;
    struct digest digest = { { 0 } };
    size_t digested = 0;
    *ret_here = false;
    if (note_parse(shown, &note, NULL) != OK || note.text.data != shown.data)
        return OK; /* whoever opens it says so */
    for (size_t i = 0; i < FEED_SIGNED_KEPT && !*ret_here; i++) {
        const struct feed_signed *made = &feed->signed_notes[i];
        if (made->size == 0 || made->size > shown.size || made->text_size != note.text.size)
            continue;
        struct span head = span_slice(shown, 0, made->size);
        enum status status = digested == made->size ? OK : sha256_of(&head, 1, &digest, err);
        if (status != OK)
            return status;
        digested = made->size;
        *ret_here = digest_equal(&digest, &made->digest);
    }
    return OK;
}

static enum status sign(struct feed_context *feed,
                        const struct checkpoint *checkpoint,
                        struct buf *append_to,
                        struct error *err)
{
    size_t before = append_to->size;
    struct note note;
    enum status status = checkpoint_sign(checkpoint, feed->log_key, append_to, err);
    if (status != OK || feed->former_log_key == NULL)
        return status;
    /* What is appended to may move: the text is copied. */
    struct buf text = BUF_INIT;
    status = note_parse(span_slice(buf_span(append_to), before, append_to->size), &note, err);
    if (status == OK)
        status = buf_append(&text, note.text, err);
    if (status == OK)
        status = note_sign_also(buf_span(&text), checkpoint->origin, feed->former_log_key,
                                append_to, err);
    buf_fini(&text);
    return status;
}

enum status keyring_sign(struct feed_context *feed,
                         const struct checkpoint *checkpoint,
                         struct buf *append_to,
                         struct error *err)
{
    size_t before = append_to->size;
    enum status status = sign(feed, checkpoint, append_to, err);
    if (status == OK)
        status = remember(feed, span_slice(buf_span(append_to), before, append_to->size), err);
    return status;
}

enum status keyring_cosign(struct feed_context *feed,
                           struct span note,
                           uint64_t time_s,
                           struct buf *append_to,
                           struct error *err)
{
    struct note parsed;
    char cosigner[ORIGIN_TEXT_SIZE];
    origin_receipt(&feed->realm, &feed->self, cosigner);
    enum status status =
        checkpoint_cosign(note, cosigner, feed->receipt_key, time_s, append_to, err);
    if (status == OK && feed->former_receipt_key != NULL) {
        status = note_parse(note, &parsed, err);
        if (status == OK)
            status = note_cosign(parsed.text, span_text(cosigner), feed->former_receipt_key, time_s,
                                 append_to, err);
    }
    return status;
}

enum status keyring_cosign_again(struct feed_context *feed,
                                 struct span receipt,
                                 uint64_t time_s,
                                 struct buf *append_to,
                                 struct error *err)
{
    struct buf bare = BUF_INIT;
    struct note note;
    struct checkpoint checkpoint;
    enum status status = note_parse(receipt, &note, err);
    if (status == OK)
        status = checkpoint_decode(note.text, &checkpoint, err);
    if (status == OK)
        status = note_keep(&note, checkpoint.origin, &bare, err);
    if (status == OK)
        status = keyring_cosign(feed, buf_span(&bare), time_s, append_to, err);
    buf_fini(&bare);
    return status;
}

/* -- whose keys -------------------------------------------------------------------------------- */

struct candidate {
    struct public_key key;
    bool bounded; /* counts up to `size` of the feed `feed_id`, and for earlier feeds */
    int64_t feed_id;
    uint64_t size;
};

struct ring {
    struct candidate items[FORMER_KEYS_MAX + 1]; /* the present key first */
    size_t count;
    bool ours;
};

struct rings {
    struct ring log, receipt;
    struct former_card cards[FORMER_KEYS_MAX]; /* scratch */
    char cosigner[ORIGIN_TEXT_SIZE];
};

static void add(struct ring *ring, const struct candidate *candidate)
{
    ring->items[ring->count++] = *candidate;
}

static enum status load_ours(struct feed_context *feed,
                             bool log,
                             struct former_card *cards,
                             struct ring *ring,
                             struct error *err)
{
    struct candidate present = { .bounded = false };
    size_t count = 0;
    enum status status =
        private_key_public(log ? feed->log_key : feed->receipt_key, &present.key, err);
    if (status == OK)
        status =
            card_rows_list_keys(feed->store, CARD_ROWS_OWN, cards, FORMER_KEYS_MAX, &count, err);
    if (status != OK)
        return status;
    ring->ours = true;
    add(ring, &present);
    for (size_t i = 0; i < count; i++) {
        struct candidate former = { .key = log ? cards[i].log_key : cards[i].receipt_key };
        add(ring, &former);
    }
    return OK;
}

static enum status load_theirs(struct feed_context *feed,
                               const struct peer_row *peer,
                               bool log,
                               struct former_card *cards,
                               struct ring *ring,
                               struct error *err)
{
    struct candidate present = { .key = log ? peer->log_key : peer->receipt_key };
    size_t count = 0;
    enum status status =
        card_rows_list_keys(feed->store, peer->peer_id, cards, FORMER_KEYS_MAX, &count, err);
    if (status != OK)
        return status;
    add(ring, &present);
    for (size_t i = 0; i < count; i++) {
        struct candidate former = { .bounded = true };
        former.key = log ? cards[i].log_key : cards[i].receipt_key;
        former.feed_id = log ? cards[i].in_feed_id : cards[i].out_feed_id;
        former.size = log ? cards[i].in_size : cards[i].out_size;
        add(ring, &former);
    }
    return OK;
}

static enum status load(struct feed_context *feed,
                        const struct keyring_note *note,
                        struct rings *rings,
                        struct error *err)
{
    bool ours = note->direction == FEED_OUT;
    const struct peer_row *peer = note->peer;
    origin_receipt(&feed->realm, ours ? &peer->code : &feed->self, rings->cosigner);
    enum status status = ours ? load_ours(feed, true, rings->cards, &rings->log, err)
                              : load_theirs(feed, peer, true, rings->cards, &rings->log, err);
    if (status == OK)
        status = ours ? load_theirs(feed, peer, false, rings->cards, &rings->receipt, err)
                      : load_ours(feed, false, rings->cards, &rings->receipt, err);
    return status;
}

/* A peer's former key cannot make a feed longer than it was when the key was replaced. */
static enum status counts(struct feed_context *feed,
                          const struct candidate *candidate,
                          const struct checkpoint *checkpoint,
                          bool *ret_counts,
                          struct error *err)
{
    struct feed_row row;
    struct error why = ERROR_INIT;
    *ret_counts = !candidate->bounded;
    if (!candidate->bounded)
        return OK;
    enum status status = feed_rows_by_origin(feed->store, checkpoint->origin, &row, &why);
    if (status == ERR_NOT_FOUND)
        return OK;
    if (status != OK)
        return error_set(err, status, "%s", why.text);
    *ret_counts = row.feed_id < candidate->feed_id ||
                  (row.feed_id == candidate->feed_id && checkpoint->size <= candidate->size);
    return OK;
}

/* -- opening ----------------------------------------------------------------------------------- */

static enum status unsigned_note(const struct keyring_note *note,
                                 const struct ring *ring,
                                 struct error *err)
{
    if (ring->count > FORMER_KEYS_MAX) {
        return error_set(err, ERR_SIGNATURE,
                         "a note that none of the last %d former keys has signed; older ones do "
                         "not count any more; next: if this is a node that was restored from a "
                         "very old backup, restore a newer one",
                         FORMER_KEYS_MAX);
    }
    if (ring->ours) {
        return error_set(err, ERR_SIGNATURE,
                         "a note of ours that no key of our cards has signed; next: if keys of "
                         "this node were replaced, put the cards before into former-cards.pem in "
                         "its identity directory, and restart it");
    }
    return error_set(err, ERR_SIGNATURE,
                     "a note that no key of the cards known here has signed; next: if %s has "
                     "replaced its keys, comityctl peer add its new card",
                     note->peer->code.text);
}

/* What former keys opened. */
struct opened {
    struct checkpoint checkpoint;
    struct keyring_pair pair;
    uint64_t time_s;
    bool log_known; /* otherwise only the cosignature is judged */
};

/* The first key of the ring that signed and counts; ERR_SIGNATURE when there is none.  A line of a
 * known key that does not verify ends it as well. */
static enum status open_log(struct feed_context *feed,
                            const struct keyring_note *note,
                            const struct ring *ring,
                            struct opened *opened,
                            struct error *err)
{
    for (size_t i = 0; i < ring->count; i++) {
        struct error why = ERROR_INIT;
        bool good = false;
        enum status status = checkpoint_open(note->note, note->origin, &ring->items[i].key,
                                             &opened->checkpoint, &why);
        if (status == ERR_NOT_FOUND)
            continue;
        if (status != OK)
            return error_set(err, status, "%s", why.text);
        status = counts(feed, &ring->items[i], &opened->checkpoint, &good, err);
        if (status != OK)
            return status;
        opened->pair.log_key = ring->items[i].key;
        if (good)
            return OK;
    }
    return unsigned_note(note, ring, err);
}

static enum status open_receipt(struct feed_context *feed,
                                const struct keyring_note *note,
                                const struct keyring_pair *pair,
                                struct checkpoint *ret_checkpoint,
                                uint64_t *ret_time_s,
                                struct error *err)
{
    bool ours = note->direction == FEED_OUT;
    bool here = false;
    char cosigner[ORIGIN_TEXT_SIZE];
    origin_receipt(&feed->realm, ours ? &note->peer->code : &feed->self, cosigner);
    enum status status = ours ? was_signed_here(feed, note->note, &here, err) : OK;
    if (status != OK)
        return status;
    const struct public_key *log_key = here ? NULL : &pair->log_key;
    if (note->cosigned_by == NULL ||
        memcmp(note->cosigned_by, &pair->receipt_key, sizeof(pair->receipt_key)) != 0)
        return checkpoint_open_receipt(note->note, note->origin, log_key, cosigner,
                                       &pair->receipt_key, ret_checkpoint, ret_time_s, err);
    struct note parsed;
    status = checkpoint_open(note->note, note->origin, log_key, ret_checkpoint, err);
    if (status == OK)
        status = note_parse(note->note, &parsed, err);
    if (status == OK)
        status = note_cosignature_time(&parsed, span_text(cosigner), &pair->receipt_key, ret_time_s,
                                       err);
    return status;
}

/* With the keys of today, which is how nearly all notes come.  ERR_NOT_FOUND: signed by others.
 * `ret_time_s` NULL: without a cosignature. */
static enum status open_present(struct feed_context *feed,
                                const struct keyring_note *note,
                                struct checkpoint *ret_checkpoint,
                                uint64_t *ret_time_s,
                                struct keyring_pair *ret_pair,
                                struct error *err)
{
    bool ours = note->direction == FEED_OUT;
    struct keyring_pair pair = { note->peer->log_key, note->peer->receipt_key };
    enum status status = ours ? private_key_public(feed->log_key, &pair.log_key, err)
                              : private_key_public(feed->receipt_key, &pair.receipt_key, err);
    if (status == OK && ret_time_s == NULL)
        status = checkpoint_open(note->note, note->origin, &pair.log_key, ret_checkpoint, err);
    else if (status == OK)
        status = open_receipt(feed, note, &pair, ret_checkpoint, ret_time_s, err);
    if (status == OK)
        *ret_pair = pair;
    return status;
}

static enum status open_cosigned(struct feed_context *feed,
                                 const struct keyring_note *note,
                                 const struct rings *rings,
                                 struct opened *opened,
                                 struct error *err)
{
    const struct public_key *log_key = opened->log_known ? &opened->pair.log_key : NULL;
    for (size_t i = 0; i < rings->receipt.count; i++) {
        struct error why = ERROR_INIT;
        const struct candidate *candidate = &rings->receipt.items[i];
        bool good = false;
        enum status status =
            checkpoint_open_receipt(note->note, note->origin, log_key, rings->cosigner,
                                    &candidate->key, &opened->checkpoint, &opened->time_s, &why);
        if (status == ERR_NOT_FOUND)
            continue;
        if (status != OK)
            return error_set(err, status, "%s", why.text);
        status = counts(feed, candidate, &opened->checkpoint, &good, err);
        if (status != OK)
            return status;
        opened->pair.receipt_key = candidate->key;
        if (good)
            return OK;
    }
    return unsigned_note(note, &rings->receipt, err);
}

static enum status open_former(struct feed_context *feed,
                               const struct keyring_note *note,
                               bool cosigned,
                               struct opened *opened,
                               struct error *err)
{
    struct rings *rings = mem_calloc(1, sizeof(*rings));
    if (rings == NULL)
        return error_set(err, ERR_MEMORY, "keys: no memory");
    enum status status = load(feed, note, rings, err);
    if (status != OK)
        goto out;
    status = open_log(feed, note, &rings->log, opened, err);
    if (status == OK)
        opened->pair.receipt_key = rings->receipt.items[0].key;
    /* What we cosigned we had verified then, under a card that a restored database may have lost.
     */
    bool own_word = status == ERR_SIGNATURE && note->direction == FEED_IN;
    opened->log_known = status == OK;
    if (cosigned && (status == OK || own_word))
        status = open_cosigned(feed, note, rings, opened, err);
out:
    mem_free(rings);
    return status;
}

static enum status open_any(struct feed_context *feed,
                            const struct keyring_note *note,
                            struct checkpoint *ret_checkpoint,
                            uint64_t *ret_time_s,
                            struct keyring_pair *ret_pair,
                            struct error *err)
{
    struct opened opened = { .log_known = false };
    bool cosigned = ret_time_s != NULL;
    struct error why = ERROR_INIT;
    enum status status = open_present(feed, note, &opened.checkpoint,
                                      cosigned ? &opened.time_s : NULL, &opened.pair, &why);
    if (status == ERR_NOT_FOUND)
        status = open_former(feed, note, cosigned, &opened, err);
    else if (status != OK)
        return error_set(err, status, "%s", why.text);
    if (status != OK)
        return status;
    *ret_checkpoint = opened.checkpoint;
    if (cosigned)
        *ret_time_s = opened.time_s;
    if (ret_pair != NULL)
        *ret_pair = opened.pair;
    return OK;
}

enum status keyring_open(struct feed_context *feed,
                         const struct keyring_note *note,
                         struct checkpoint *ret_checkpoint,
                         struct keyring_pair *ret_pair,
                         struct error *err)
{
    return open_any(feed, note, ret_checkpoint, NULL, ret_pair, err);
}

enum status keyring_open_receipt(struct feed_context *feed,
                                 const struct keyring_note *note,
                                 struct checkpoint *ret_checkpoint,
                                 uint64_t *ret_time_s,
                                 struct keyring_pair *ret_pair,
                                 struct error *err)
{
    return open_any(feed, note, ret_checkpoint, ret_time_s, ret_pair, err);
}
