#include "support/session_host.h"

#include "base/memory.h"
#include "support/peer_wire.h"
#include "wire/heading.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A promise to the owner was broken. */
static void require(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "session_host: %s\n", what);
    abort();
}

/* -- authentication that costs nothing --------------------------------------------------------- */

static uint64_t mixed(struct span bytes)
{
    uint64_t hash = 14695981039346656037U;
    for (size_t i = 0; i < bytes.size; i++)
        hash = (hash ^ bytes.data[i]) * 1099511628211U;
    return hash;
}

static enum status fake_sign(void *auth, struct span bytes, struct buf *ret, struct error *err)
{
    (void)auth;
    uint64_t hash = mixed(bytes);
    return buf_append(ret, span_of(&hash, sizeof hash), err);
}

static enum status fake_verify(void *auth,
                               struct span bytes,
                               struct span signature,
                               struct error *err)
{
    (void)auth;
    uint64_t hash = mixed(bytes);
    if (span_equal(signature, span_of(&hash, sizeof hash)))
        return OK;
    return error_set(err, ERR_SIGNATURE, "signature does not verify");
}

struct session_config host_config(const char *self, const char *peer, bool initiator)
{
    struct session_config config = {
        .initiator = initiator,
        .auth_sign = fake_sign,
        .auth_verify = fake_verify,
    };
    require(realm_parse("training", &config.realm, NULL) == OK, "realm");
    require(code_parse(self, &config.self, NULL) == OK, "code");
    require(code_parse(peer, &config.peer, NULL) == OK, "code");
    memset(config.boot_id, self[0], sizeof config.boot_id);
    memset(config.exporter, 0xe7, sizeof config.exporter);
    return config;
}

/* -- lifetime ---------------------------------------------------------------------------------- */

enum status host_init(struct host *host,
                      struct host_feed *feed,
                      const struct session_config *config,
                      struct error *err)
{
    *host = (struct host){ .feed = feed };
    frame_reader_init(&host->reader);
    enum status status = session_new(config, &host->session, err);
    host->closed = status != OK;
    return status;
}

void host_fini(struct host *host)
{
    for (size_t i = 0; i < host->pending_count; i++)
        effect_fini(&host->pending[i]);
    host->pending_count = 0;
    session_free(host->session);
    host->session = NULL;
    frame_reader_fini(&host->reader);
    buf_fini(&host->out);
    resume_fini(&host->resume);
}

static void note_of(struct buf *out, const char *origin, uint64_t size)
{
    if (size > 0)
        peer_wire_note(out, origin, size, 'r');
}

void host_start(struct host *host, int64_t now_ms)
{
    struct heads heads = { 0 };
    note_of(&heads.mine, host->feed->origin_out, host->feed->published);
    note_of(&heads.mine_receipt, host->feed->origin_out, host->feed->receipted);
    note_of(&heads.yours, host->feed->origin_in, host->feed->stored);
    session_start(host->session, now_ms, &heads);
    require(heads.mine.data == NULL && heads.yours.data == NULL, "heads were not moved");
    host_drain(host);
}

/* -- effects ----------------------------------------------------------------------------------- */

static void keep(struct host *host, struct effect *effect)
{
    require(host->pending_count < HOST_PENDING_MAX, "too many questions at once");
    for (size_t i = 0; i < host->pending_count; i++) {
        bool one_at_a_time = effect->kind == EFFECT_PUBLISH || effect->kind == EFFECT_READ_HEAL ||
                             effect->kind == EFFECT_APPLY_HEAL || effect->kind == EFFECT_COMPARE;
        require(!one_at_a_time || host->pending[i].kind != effect->kind, "asked twice at once");
    }
    host->pending[host->pending_count++] = *effect;
}

static void take(struct host *host, struct effect *effect)
{
    require(!host->closed, "an effect after CLOSE");
    host->counts[effect->kind]++;
    switch (effect->kind) {
    case EFFECT_SEND:
        require(effect->frame.size > FRAME_HEAD_SIZE, "an empty frame");
        require(buf_append(&host->out, buf_span(&effect->frame), NULL) == OK, "memory");
        break;
    case EFFECT_GREETED:
        memcpy(host->features, effect->features, sizeof host->features);
        host->feature_count = effect->feature_count;
        break;
    case EFFECT_ALARM:
        snprintf(host->alarm, sizeof host->alarm, "%s", effect->error.text);
        break;
    case EFFECT_CLOSE:
        host->closed = true;
        host->penalty = effect->penalty;
        host->why = effect->error;
        break;
    case EFFECT_COMPARE:
    case EFFECT_PUBLISH:
    case EFFECT_INGEST:
    case EFFECT_TAKE_RECEIPT:
    case EFFECT_READ_HEAL:
    case EFFECT_APPLY_HEAL:
        keep(host, effect);
        return;
    case EFFECT_KIND_COUNT:
        break;
    }
    effect_fini(effect);
}

static void check_bounds(const struct host *host)
{
    struct session_stats stats = session_stats(host->session);
    require(stats.window_batches <= SESSION_WINDOW_BATCHES, "too many batches in flight");
    require(stats.window_bytes <= SESSION_WINDOW_BYTES, "too many bytes in flight");
    require(stats.inbound_batches <= SESSION_WINDOW_BATCHES, "too many batches taken");
    require(stats.inbound_bytes <= SESSION_WINDOW_BYTES, "too many bytes taken");
    require((session_state(host->session) == SESSION_CLOSED) == host->closed, "CLOSED says CLOSE");
}

void host_drain(struct host *host)
{
    struct effect effect;
    while (session_next_effect(host->session, &effect))
        take(host, &effect);
    check_bounds(host);
}

/* -- answers ----------------------------------------------------------------------------------- */

static void answer_compare(struct host *host,
                           int64_t now_ms,
                           const struct effect *effect,
                           const struct error *err)
{
    struct resume resume = { .outcome = RESUME_IN_STEP };
    struct heading heading = { .size = 0 };
    if (effect->peer_heads.yours.size > 0)
        require(heading_read(buf_span(&effect->peer_heads.yours), &heading, NULL) == OK, "note");
    resume.send_from = heading.size;
    if (err == NULL && heading.size > host->feed->receipted) /* a head is a receipt as well */
        host->feed->receipted = heading.size;
    resume.heal_peer = host->feed->heal_to > host->feed->heal_from;
    resume.heal_from = host->feed->heal_from;
    if (resume.heal_peer)
        require(buf_append_text(&resume.heal_origin, host->feed->origin_in, NULL) == OK, "memory");
    if (host->resume_given) {
        resume_fini(&resume);
        resume = resume_move(&host->resume);
        host->resume_given = false;
    }
    session_on_resumed(host->session, now_ms, &resume, err);
    require(resume.heal_origin.data == NULL, "resume was not moved");
}

static void answer_publish(struct host *host,
                           int64_t now_ms,
                           const struct effect *effect,
                           const struct error *err)
{
    struct host_feed *feed = host->feed;
    struct batch batch = { 0 };
    uint64_t left = feed->queued > effect->from ? feed->queued - effect->from : 0;
    size_t count = left < feed->batch_entries ? (size_t)left : feed->batch_entries;
    require(effect->max_bytes == BATCH_BYTES_MAX, "max_bytes");
    if (count > 0 && err == NULL) {
        batch = peer_wire_batch(feed->origin_out, effect->from, count, feed->body_size);
        if (feed->published < batch_end(&batch))
            feed->published = batch_end(&batch);
        batch.is_last = feed->says_last && count == left;
    }
    session_on_published(host->session, now_ms, &batch, err);
    require(batch.entries == NULL, "batch was not moved");
}

/* What a feed would find: a gap, or entries that are not those of this feed. */
static enum status judge_batch(const struct host_feed *feed,
                               const struct batch *got,
                               struct error *err)
{
    if (got->first_index > feed->stored)
        return error_set(err, ERR_MISMATCH, "a gap in the feed");
    struct batch wanted = peer_wire_batch(feed->origin_in, got->first_index, got->entry_count, 1);
    bool same = true;
    for (size_t i = 0; i < got->entry_count; i++)
        same = same && span_equal(got->entries[i].header, wanted.entries[i].header);
    batch_fini(&wanted);
    return same ? OK : error_set(err, ERR_MISMATCH, "another entry");
}

/* Stores what is new, in order; what overlaps must be the same and has no second effect. */
static void answer_ingest(struct host *host,
                          int64_t now_ms,
                          const struct effect *effect,
                          const struct error *err)
{
    struct host_feed *feed = host->feed;
    struct buf note = BUF_INIT;
    struct error found = ERROR_INIT;
    if (err == NULL && judge_batch(feed, &effect->batch, &found) != OK)
        err = &found;
    if (err == NULL) {
        uint64_t end = batch_end(&effect->batch);
        if (end > feed->stored) {
            feed->applied += end - feed->stored;
            feed->stored = end;
        }
        note_of(&note, feed->origin_in, feed->stored);
    }
    session_on_ingested(host->session, now_ms, buf_span(&note), err);
    buf_fini(&note);
}

static void answer_receipt(struct host *host,
                           int64_t now_ms,
                           const struct effect *effect,
                           const struct error *err)
{
    struct heading heading;
    struct error found = ERROR_INIT;
    require(heading_read(buf_span(&effect->note), &heading, NULL) == OK, "receipt");
    if (err == NULL && heading.size > host->feed->published) {
        error_set(&found, ERR_MISMATCH, "a receipt for what was not published");
        err = &found;
    }
    if (err == NULL && heading.size > host->feed->receipted)
        host->feed->receipted = heading.size;
    session_on_receipt_taken(host->session, now_ms, err);
}

enum { HEAL_STEP = 3 };

static void answer_heal_read(struct host *host,
                             int64_t now_ms,
                             const struct effect *effect,
                             const struct error *err)
{
    struct heal heal = { 0 };
    if (err == NULL) {
        uint64_t left = host->feed->heal_to - effect->from;
        size_t count = left < HEAL_STEP ? (size_t)left : HEAL_STEP;
        heal = peer_wire_heal(host->feed->origin_in, effect->from, count, count == left);
    }
    session_on_heal_read(host->session, now_ms, &heal, err);
    require(heal.headers == NULL, "heal was not moved");
}

static void answer_one(struct host *host,
                       int64_t now_ms,
                       const struct effect *effect,
                       const struct error *err)
{
    switch (effect->kind) {
    case EFFECT_COMPARE:
        answer_compare(host, now_ms, effect, err);
        break;
    case EFFECT_PUBLISH:
        answer_publish(host, now_ms, effect, err);
        break;
    case EFFECT_INGEST:
        answer_ingest(host, now_ms, effect, err);
        break;
    case EFFECT_TAKE_RECEIPT:
        answer_receipt(host, now_ms, effect, err);
        break;
    case EFFECT_READ_HEAL:
        answer_heal_read(host, now_ms, effect, err);
        break;
    case EFFECT_APPLY_HEAL:
        if (err == NULL)
            host->feed->healed += effect->heal.header_count;
        session_on_healed(host->session, now_ms, err);
        break;
    case EFFECT_SEND:
    case EFFECT_GREETED:
    case EFFECT_ALARM:
    case EFFECT_CLOSE:
    case EFFECT_KIND_COUNT:
        require(false, "not a question");
    }
}

bool host_answer(struct host *host, int64_t now_ms)
{
    if (host->pending_count == 0)
        return false;
    struct effect effect = host->pending[0];
    host->pending_count--;
    memmove(host->pending, host->pending + 1, host->pending_count * sizeof effect);
    struct error err = ERROR_INIT;
    if (host->answer != OK)
        error_set(&err, host->answer, "%s", host->answer_text == NULL ? "" : host->answer_text);
    answer_one(host, now_ms, &effect, host->answer == OK ? NULL : &err);
    effect_fini(&effect);
    host_drain(host);
    return true;
}

void host_answer_all(struct host *host, int64_t now_ms)
{
    while (host_answer(host, now_ms))
        continue;
}

/* -- the network and time ---------------------------------------------------------------------- */

void host_receive(struct host *host, int64_t now_ms, struct span bytes)
{
    while (bytes.size > 0 && !host->closed) {
        struct span frame;
        struct error err = ERROR_INIT;
        enum status status = frame_reader_take(&host->reader, session_frame_max(host->session),
                                               &bytes, &frame, &err);
        if (status != OK)
            session_refuse(host->session, now_ms, &err);
        else if (frame.data != NULL)
            session_receive(host->session, now_ms, frame);
        host_drain(host);
    }
}

void host_receive_frame(struct host *host, int64_t now_ms, struct span body)
{
    session_receive(host->session, now_ms, body);
    host_drain(host);
}

void host_tick(struct host *host, int64_t now_ms)
{
    session_tick(host->session, now_ms);
    host_drain(host);
}

void host_wake(struct host *host, int64_t now_ms)
{
    session_wake(host->session, now_ms);
    host_drain(host);
}
