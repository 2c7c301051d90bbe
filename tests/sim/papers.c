/* Identity directories, and how they change: certs/README.md, 6, as people do it.
 *
 * All certificates that a seed may need are made once for the process, and are the same in every
 * process: while they are made, OpenSSL draws from a seeded source.  A directory is outside of
 * backups, so that neither a restore nor a snapshot brings an old key back (certs/README.md). */
#define OPENSSL_SUPPRESS_DEPRECATED /* RAND_METHOD has no successor for one process's tests */

#include "sim.h"

#include "base/memory.h"
#include "crypto/card.h"
#include "crypto/digest.h"
#include "feed/cards.h"
#include "store/heads.h"
#include "store/peer_rows.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct state { /* what the authority of a State has issued, and the keys to it */
    struct code code;
    struct buf anchor;
    struct private_key *anchor_key;
    struct private_key *keys[ROLE_COUNT][PAPERS_KEYS];
    struct buf certificates[ROLE_COUNT][PAPERS_KEYS];
};
static struct state states[PARTIES];

/* -- made once ----------------------------------------------------------------------------------
 */

static struct random_seeded drawn;

static int draw(unsigned char *bytes, int size)
{
    return drawn.base.fill(&drawn.base, bytes, (size_t)size, NULL) == OK;
}

static int is_ready(void)
{
    return 1;
}

static void make_key(struct sim *sim, size_t party, enum role role, unsigned number)
{
    struct private_key **key = &states[party].keys[role][number];
    uint8_t seed[32] = { (uint8_t)party, (uint8_t)role, (uint8_t)number };
    struct error err = ERROR_INIT;
    enum status status = certificate_key_kind(role) == KEY_P256
                             ? private_key_make(KEY_P256, key, &err)
                             : private_key_of_seed(seed, key, &err);
    sim_must(sim, status, &err, "key");
}

/* Valid long before and after, whatever a clock in the simulation says; each from a little later
 * than the one that it replaces. */
static void make_state(struct sim *sim, size_t party)
{
    struct state *state = &states[party];
    struct error err = ERROR_INIT;
    struct certificate_subject subject = { .realm = { "training" },
                                           .code = state->code,
                                           .not_before_ms = SIM_START_MS - 400 * SIM_DAY_MS,
                                           .not_after_ms = SIM_START_MS + 4000 * SIM_DAY_MS };
    sim_must(sim, private_key_make(KEY_P256, &state->anchor_key, &err), &err, "anchor");
    sim_must(sim, certificate_make_anchor(&subject, state->anchor_key, &state->anchor, &err), &err,
             "anchor");
    const struct certificate_issuer issuer = { buf_span(&state->anchor), state->anchor_key };
    for (unsigned number = 0; number < PAPERS_KEYS; number++) {
        subject.not_before_ms += SIM_DAY_MS;
        for (int role = 0; role < ROLE_COUNT; role++) {
            make_key(sim, party, (enum role)role, number);
            sim_must(sim,
                     certificate_issue(&subject, (enum role)role, state->keys[role][number],
                                       &issuer, &state->certificates[role][number], &err),
                     &err, "certificate");
        }
    }
}

void papers_make(struct sim *sim)
{
    static const RAND_METHOD seeded = { NULL, draw, NULL, NULL, draw, is_ready };
    if (states[0].anchor_key != NULL)
        return;
    random_seeded_init(&drawn, 1);
    (void)RAND_set_rand_method(&seeded);
    for (size_t i = 0; i < PARTIES; i++) {
        states[i].code = host_code(i);
        make_state(sim, i);
    }
    (void)RAND_set_rand_method(NULL);
}

void papers_free(void)
{
    for (size_t i = 0; i < PARTIES; i++) {
        for (int role = 0; role < ROLE_COUNT; role++) {
            for (unsigned number = 0; number < PAPERS_KEYS; number++) {
                private_key_free(states[i].keys[role][number]);
                buf_fini(&states[i].certificates[role][number]);
            }
        }
        private_key_free(states[i].anchor_key);
        buf_fini(&states[i].anchor);
        states[i] = (struct state){ .anchor_key = NULL };
    }
}

/* -- what is in the directory -------------------------------------------------------------------
 */

struct public_key papers_key(size_t party, enum role role, unsigned number)
{
    struct public_key key = { { 0 } };
    struct error err = ERROR_INIT;
    if (private_key_public(states[party].keys[role][number], &key, &err) != OK)
        abort();
    return key;
}

struct span papers_anchor(size_t party)
{
    return buf_span(&states[party].anchor);
}

void papers_card(const struct host *host, const struct papers *papers, struct buf *ret_text)
{
    struct card card = { .realm = { "training" }, .code = host->code, .name = "A State" };
    struct error err = ERROR_INIT;
    const struct state *state = &states[host->party];
    (void)snprintf(card.address, sizeof(card.address), "host:%u", 1 + papers->address);
    card.anchor = state->anchor; /* borrowed, as the others */
    for (int role = 0; role < ROLE_COUNT; role++)
        card.roles[role] = state->certificates[role][papers->number[role]];
    sim_must(host->sim, card_encode(&card, ret_text, &err), &err, "card");
}

static const struct private_key *key_of(const struct host *host,
                                        const struct papers *papers,
                                        enum role role)
{
    return states[host->party].keys[role][papers->number[role]];
}

static const struct private_key *former_of(const struct host *host,
                                           const struct papers *papers,
                                           enum role role)
{
    if (!papers->former[role])
        return NULL;
    return states[host->party].keys[role][papers->number[role] - 1];
}

/* As renewal_sign() and the start of a node do it. */
void papers_load(struct host *host, const struct papers *papers)
{
    host->feed.log_key = key_of(host, papers, ROLE_LOG);
    host->feed.receipt_key = key_of(host, papers, ROLE_RECEIPT);
    host->feed.former_log_key = former_of(host, papers, ROLE_LOG);
    host->feed.former_receipt_key = former_of(host, papers, ROLE_RECEIPT);
    host->loaded = *papers;
}

/* -- a node that starts (node/renewal.c) --------------------------------------------------------
 */

static enum status give_card(struct host *host,
                             struct span card,
                             size_t *ret_queued,
                             struct error *err)
{
    enum status status = store_begin(host->store, err);
    if (status != OK)
        return status;
    status = cards_remember_former(&host->feed, buf_span(&host->former_cards), err);
    if (status == OK)
        status = cards_sync(&host->feed, card, ret_queued, err);
    if (status != OK) {
        store_rollback(host->store);
        return status;
    }
    status = store_commit(host->store, err);
    return status == OK ? heads_save(host->store, err) : status;
}

void papers_start(struct host *host)
{
    struct buf card = BUF_INIT;
    struct error err = ERROR_INIT;
    size_t queued = 0;
    papers_card(host, &host->papers, &card);
    sim_must(host->sim, give_card(host, buf_span(&card), &queued, &err), &err, "card");
    buf_fini(&card);
    host->reload = false;
}

/* -- a node that is told to reload --------------------------------------------------------------
 */

struct reload {
    struct job job;
    struct host *host;
    struct papers papers;
    struct buf card;
    size_t queued;
};

static enum status reload_apply(struct job *job, struct error *err)
{
    struct reload *self = (struct reload *)job;
    return give_card(self->host, buf_span(&self->card), &self->queued, err);
}

static enum status reload_sign(struct job *job, struct error *err)
{
    (void)err;
    struct reload *self = (struct reload *)job;
    papers_load(self->host, &self->papers);
    return OK;
}

static void reload_done(struct job *job)
{
    struct reload *self = (struct reload *)job;
    struct host *host = self->host;
    if (host->up) {
        sim_trace(host->sim, "%s: reload: %s, the card queued for %zu", host->code.text,
                  job->error.status == OK ? "done" : job->error.text, self->queued);
        if (job->error.status == OK)
            exchange_wake(host->exchange);
        else if (host->fault == VFS_FAULT_NONE && host->sim->mix->disk == 0)
            sim_fail(host->sim, "%s: reload: %s", host->code.text, job->error.text);
        else
            host->reload = true; /* the administrator reads the log, and tries again */
    }
    buf_fini(&self->card);
    mem_free(self);
}

static const struct job_table RELOAD_JOB = { "renewal", NULL, reload_apply, reload_sign,
                                             reload_done };

static void reload(struct host *host)
{
    struct reload *self = mem_calloc(1, sizeof(*self));
    struct error err = ERROR_INIT;
    if (self == NULL)
        sim_fail(host->sim, "no memory for a reload");
    self->job = (struct job){
        .table = &RELOAD_JOB, .priority = JOB_URGENT, .alone = true, .bytes = sizeof(*self)
    };
    self->host = host;
    self->papers = host->papers;
    papers_card(host, &host->papers, &self->card);
    host->reload = false;
    sim_must(host->sim, worker_submit(host->worker, &self->job, &err), &err, "reload");
}

/* -- what people do -----------------------------------------------------------------------------
 */

static void replace(struct host *host, enum role role, bool keeps_former)
{
    struct papers *papers = &host->papers;
    if (papers->number[role] + 1 == PAPERS_KEYS || papers->former[role])
        return;
    papers_card(host, papers, &host->former_cards);
    papers->number[role]++;
    papers->former[role] = keeps_former;
    host->sim->stats.rotations++;
    sim_trace(host->sim, "%s: %s key number %u", host->code.text, role_name(role),
              papers->number[role]);
}

static bool has_former(const struct papers *papers)
{
    return papers->former[ROLE_LOG] || papers->former[ROLE_RECEIPT];
}

/* As `inbox` says it; a peer that is blocked hears nothing, and whoever wants it back waits. */
static bool all_have_the_card(struct host *host)
{
    struct error err = ERROR_INIT;
    size_t outstanding = 0;
    if (!host->up || host->fault != VFS_FAULT_NONE || host->reload ||
        memcmp(&host->loaded, &host->papers, sizeof(host->papers)) != 0)
        return false;
    for (size_t i = 0; i < PARTIES; i++) {
        struct peer_row row;
        if (i == host->party)
            continue;
        sim_must(host->sim, peer_rows_get(host->store, &host->sim->hosts[i].code, &row, &err), &err,
                 "peer");
        if (row.state != PEER_ACCEPTED)
            return false;
    }
    sim_must(host->sim, cards_outstanding(&host->feed, &outstanding, &err), &err, "outstanding");
    return outstanding == 0;
}

static void delete_former(struct host *host)
{
    sim_trace(host->sim, "%s: the former keys are deleted", host->code.text);
    host->papers.former[ROLE_LOG] = host->papers.former[ROLE_RECEIPT] = false;
    host->sim->stats.former_deleted++;
    host->reload = true;
}

void papers_step(struct sim *sim)
{
    struct host *host = &sim->hosts[sim_random(sim, PARTIES)];
    uint64_t dice = sim_random(sim, 10);
    bool both = sim_chance(sim, 300);
    for (size_t i = 0; i < PARTIES; i++) {
        if (has_former(&sim->hosts[i].papers) && all_have_the_card(&sim->hosts[i])) {
            delete_former(&sim->hosts[i]);
            return;
        }
    }
    if (dice < 3 || both)
        replace(host, ROLE_LOG, true);
    if ((dice >= 3 && dice < 6) || both)
        replace(host, ROLE_RECEIPT, true);
    if (dice >= 6 && dice < 8)
        replace(host, ROLE_TLS, false);
    if (dice >= 8)
        host->papers.address++;
    host->reload = true; /* at once, or when it is up again */
}

/* -- a card that is taken by hand ---------------------------------------------------------------
 */

static bool knows_card(struct host *host, const struct host *peer)
{
    struct peer_row row;
    struct error err = ERROR_INIT;
    struct buf known = BUF_INIT;
    struct buf card = BUF_INIT;
    sim_must(host->sim, peer_rows_get(host->store, &peer->code, &row, &err), &err, "peer");
    sim_must(host->sim, peer_rows_get_file(host->store, row.peer_id, PEER_CARD_PEM, &known, &err),
             &err, "card");
    papers_card(peer, &peer->loaded, &card); /* what it signs with */
    bool knows = span_equal(buf_span(&known), buf_span(&card));
    buf_fini(&known);
    buf_fini(&card);
    return knows;
}

/* The node has closed, since it does not know what the other one signs with.  That is right only
 * for a node that was set back behind the card, and then its people know what to do. */
bool papers_unknown(struct host *host, struct host *peer)
{
    bool excused = host->up && host->rolled_back && peer->slot < PARTIES && !knows_card(host, peer);
    host->renew[peer->party] = host->renew[peer->party] || excused;
    return excused;
}

enum status papers_take(struct host *host, size_t peer, struct error *err)
{
    struct peer_row row;
    struct buf card = BUF_INIT;
    papers_card(&host->sim->hosts[peer], &host->sim->hosts[peer].loaded, &card);
    enum status status = peer_rows_get(host->store, &host->sim->hosts[peer].code, &row, err);
    if (status == OK)
        status = cards_replace(&host->feed, &row, buf_span(&card), err);
    buf_fini(&card);
    return status;
}

void papers_tick(struct sim *sim)
{
    for (size_t i = 0; i < PARTIES; i++) {
        struct host *host = &sim->hosts[i];
        if (host->up && host->reload && (sim->calm || host->fault == VFS_FAULT_NONE))
            reload(host);
        for (size_t peer = 0; host->up && peer < PARTIES; peer++) {
            if (host->renew[peer])
                workload_renew(host, peer);
            host->renew[peer] = false;
        }
    }
}

/* -- when all is quiet --------------------------------------------------------------------------
 */

void papers_judge(struct host *host)
{
    struct sim *sim = host->sim;
    size_t outstanding = 0;
    struct error err = ERROR_INIT;
    for (size_t i = 0; i < PARTIES; i++) {
        struct host *peer = &sim->hosts[i];
        if (i == host->party || i == sim->cloned || host->party == sim->cloned)
            continue;
        sim->stats.checks_card++;
        if (!knows_card(host, peer))
            sim_fail(sim, "%s does not know the present card of %s", host->code.text,
                     peer->code.text);
    }
    sim_must(sim, cards_outstanding(&host->feed, &outstanding, &err), &err, "outstanding");
    if (outstanding > 0 && sim->cloned == PARTIES)
        sim_fail(sim, "%s: its card is outstanding with %zu peers", host->code.text, outstanding);
}
