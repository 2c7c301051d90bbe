/* Promises broken on purpose.  The linker puts these in the place of the product's functions
 * (--wrap); without a mutation they do nothing of their own.  A simulation that does not notice is
 * worth nothing: `sim --mutations` runs each until one of the judges ends the program, and wants to
 * read why. */
#include "sim.h"

#include "consent/policy.h"
#include "feed/cards.h"
#include "feed/doubt.h"
#include "feed/ingestion.h"
#include "feed/keyring.h"
#include "feed/recovery.h"
#include "node/exchange_internal.h"
#include "store/holding_rows.h"
#include "store/keys.h"
#include "store/record_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum mutation mutation;

/* The names are the linker's.
 * NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp,readability-identifier-naming)
 */

#define MUTATED(type, name, parameters) \
    type __real_##name parameters;      \
    type __wrap_##name parameters;      \
    type __wrap_##name parameters

/* -- 1: default deny ----------------------------------------------------------------------------
 */

MUTATED(struct policy_decision,
        policy_decide,
        (const struct policy_consent *consents,
         size_t consent_count,
         const struct policy_record *record,
         const struct policy_recipient *recipient,
         enum terms_purpose purpose,
         int64_t now_ms))
{
    struct policy_decision decision =
        __real_policy_decide(consents, consent_count, record, recipient, purpose, now_ms);
    if (mutation == MUTATION_POLICY && consent_count > 0) {
        decision.reason = POLICY_ALLOWED;
        decision.form = TERMS_EXACT;
        decision.consent_id = consents[0].id;
    }
    return decision;
}

static bool publishing;

MUTATED(enum status,
        feed_publish,
        (struct feed_context * feed,
         const struct code *peer,
         uint64_t from,
         size_t max_bytes,
         struct batch *ret_batch,
         struct error *err))
{
    publishing = true;
    enum status status = __real_feed_publish(feed, peer, from, max_bytes, ret_batch, err);
    publishing = false;
    return status;
}

MUTATED(enum status,
        record_rows_open,
        (struct store * store,
         const struct id *record_id,
         uint32_t version,
         struct buf *ret_canonical,
         struct error *err))
{
    static struct id former;
    static struct store *of;
    struct id wanted = *record_id;
    uint32_t wanted_version = version;
    if (mutation == MUTATION_BODY && publishing && of == store) {
        wanted = former;
        wanted_version = 1;
    }
    of = store;
    former = *record_id;
    return __real_record_rows_open(store, &wanted, wanted_version, ret_canonical, err);
}

/* -- 4: one history -----------------------------------------------------------------------------
 */

MUTATED(enum status,
        keyring_sign,
        (struct feed_context * feed,
         const struct checkpoint *checkpoint,
         struct buf *append_to,
         struct error *err))
{
    static unsigned calls;
    struct checkpoint other = *checkpoint;
    const struct private_key *former = feed->former_log_key;
    if (mutation == MUTATION_ROOT && ++calls % 50 == 0)
        other.root.bytes[0] ^= 1;
    if (mutation == MUTATION_ROTATE)
        feed->former_log_key = NULL;
    enum status status = __real_keyring_sign(feed, &other, append_to, err);
    feed->former_log_key = former;
    return status;
}

MUTATED(enum status,
        keyring_cosign,
        (struct feed_context * feed,
         struct span note,
         uint64_t time_s,
         struct buf *append_to,
         struct error *err))
{
    const struct private_key *former = feed->former_receipt_key;
    if (mutation == MUTATION_COSIGN)
        feed->former_receipt_key = NULL;
    enum status status = __real_keyring_cosign(feed, note, time_s, append_to, err);
    feed->former_receipt_key = former;
    return status;
}

MUTATED(enum status,
        cards_sync,
        (struct feed_context * feed, struct span card, size_t *ret_queued, struct error *err))
{
    static unsigned calls;
    if (mutation != MUTATION_CARD || ++calls <= PARTIES)
        return __real_cards_sync(feed, card, ret_queued, err);
    *ret_queued = 0;
    return OK;
}

/* -- 5: receipted means durable -----------------------------------------------------------------
 */

MUTATED(enum status,
        holding_rows_add,
        (struct store * store, const struct holding_row *row, struct error *err))
{
    static unsigned calls;
    if (mutation == MUTATION_LOSE && ++calls % 10 == 0)
        return OK;
    return __real_holding_rows_add(store, row, err);
}

/* -- 6: withdrawal ------------------------------------------------------------------------------
 */

MUTATED(void, holdings_lock, (struct holding_row * row, uint32_t reason))
{
    if (mutation != MUTATION_LOCK)
        __real_holdings_lock(row, reason);
}

MUTATED(enum status,
        feed_erase_pending,
        (struct feed_context * feed, size_t max, size_t *ret_count, struct error *err))
{
    if (mutation != MUTATION_ERASE)
        return __real_feed_erase_pending(feed, max, ret_count, err);
    *ret_count = 0;
    return OK;
}

MUTATED(enum status,
        keys_erase,
        (struct store * store,
         const uint64_t *slots,
         size_t count,
         struct keys_change with,
         struct error *err))
{
    return __real_keys_erase(store, slots, mutation == MUTATION_KEY ? 0 : count, with, err);
}

MUTATED(enum status,
        doubt_expire,
        (struct feed_context * feed,
         size_t max,
         size_t *ret_count,
         int64_t *ret_next_ms,
         struct error *err))
{
    if (mutation != MUTATION_CLOCK)
        return __real_doubt_expire(feed, max, ret_count, ret_next_ms, err);
    return consents_expire(feed, max, ret_count, ret_next_ms, err);
}

/* -- 9: no silent fork --------------------------------------------------------------------------
 */

MUTATED(enum status,
        store_restored,
        (struct store * store, int64_t *ret_restored_ms, struct error *err))
{
    if (mutation != MUTATION_RESTORE)
        return __real_store_restored(store, ret_restored_ms, err);
    *ret_restored_ms = 0;
    return OK;
}

MUTATED(enum status,
        recovery_open,
        (struct feed_context * feed,
         struct peer_row *peer,
         const struct recovery_shown *shown,
         const struct feed_row *known,
         bool *ret_held,
         struct error *err))
{
    if (mutation != MUTATION_RESTORE)
        return __real_recovery_open(feed, peer, shown, known, ret_held, err);
    *ret_held = false;
    return OK;
}

MUTATED(void,
        exchange_tell_alarm,
        (struct exchange * exchange, const struct code *peer, const char *text))
{
    if (mutation != MUTATION_CLONE)
        __real_exchange_tell_alarm(exchange, peer, text);
}

/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp,readability-identifier-naming)
 */

/* -- running them -------------------------------------------------------------------------------
 */

static const struct {
    enum mutation mutation;
    int promise;
    const char *what;
    const char *seeds;   /* of a mix that can show it; the first did when this was written */
    const char *seen[3]; /* one of these is the reason that is printed */
} MUTATIONS[] = {
    { MUTATION_POLICY,
      1,
      "every consent that lists a record allows it, ended or not",
      "4..11",
      { "no consent in force covers it", "after its consent has ended" } },
    { MUTATION_BODY,
      1,
      "the body that leaves is that of another record",
      "1..8",
      { "no consent in force covers it", "which no consent ever covered", "cannot be read" } },
    { MUTATION_ROOT,
      4,
      "every 50th checkpoint has another root",
      "1..8",
      { "sends a second root", "is not one history", "which did nothing wrong" } },
    { MUTATION_FORGET,
      5,
      "a crash loses what was committed since the start",
      "2..18",
      { "after a start", "sends a second root" } },
    { MUTATION_LOSE,
      5,
      "every tenth record is receipted and not kept",
      "1..8",
      { "was consented to, and is not in use here", "check finds" } },
    { MUTATION_LOCK, 6, "a withdrawal locks nothing", "1..8", { "and still uses entry" } },
    { MUTATION_ERASE,
      6,
      "nothing that was withdrawn is erased",
      "1..8",
      { "can still be read", "a recall from" } },
    { MUTATION_KEY, 6, "what is erased keeps its key", "1..8", { "its key is still there" } },
    { MUTATION_RESTORE,
      9,
      "a restored node goes on in its old epoch",
      "9..48",
      { "as if it were not", "sends a second root", "which did nothing wrong" } },
    { MUTATION_CLOCK,
      6,
      "a clock that leapt ahead ends consents",
      "54..65",
      { "was consented to, and is not in use here", "by a clock that was wrong" } },
    { MUTATION_ROTATE,
      4,
      "a new log key signs alone before its card was sent",
      "9..19",
      { "which did nothing wrong" } },
    { MUTATION_COSIGN,
      4,
      "a new receipt key signs alone before its card was sent",
      "9..19",
      { "which did nothing wrong" } },
    { MUTATION_CARD,
      4,
      "a card that changed is not sent",
      "9..19",
      { "does not know the present card", "which did nothing wrong" } },
    { MUTATION_CLONE, 9, "two processes of one code raise no alarm", "5..44", { "ran twice" } },
};

/* Runs this program once more; its words are in `text`. */
static int run(const char *self, size_t which, char *text, size_t size)
{
    char command[300];
    (void)snprintf(command, sizeof(command), "'%s' --mutation %d --seeds %s 2>&1", self,
                   (int)MUTATIONS[which].mutation, MUTATIONS[which].seeds);
    FILE *pipe = popen(command, "r"); /* NOLINT(cert-env33-c): our own name and numbers */
    if (pipe == NULL)
        return -1;
    size_t used = fread(text, 1, size - 1, pipe);
    text[used] = '\0';
    int result = pclose(pipe);
    return WIFEXITED(result) ? WEXITSTATUS(result) : -1;
}

int mutate_all(const char *self)
{
    int missed = 0;
    for (size_t i = 0; i < sizeof(MUTATIONS) / sizeof(MUTATIONS[0]); i++) {
        static char text[64 * 1024];
        int result = run(self, i, text, sizeof(text));
        bool seen = false;
        for (size_t k = 0; k < 3 && MUTATIONS[i].seen[k] != NULL; k++)
            seen = seen || strstr(text, MUTATIONS[i].seen[k]) != NULL;
        bool caught = result == 1 && seen;
        missed += !caught;
        const char *why = strstr(text, "sim: seed ");
        why = why == NULL ? text : why;
        printf("promise %d broken (%s): %s\n    %.*s\n", MUTATIONS[i].promise, MUTATIONS[i].what,
               caught ? "caught" : "MISSED", (int)strcspn(why, "\n"), why);
        (void)fflush(stdout);
    }
    printf("sim: %d of %zu broken promises were missed\n", missed,
           sizeof(MUTATIONS) / sizeof(MUTATIONS[0]));
    return missed == 0 ? 0 : 1;
}
