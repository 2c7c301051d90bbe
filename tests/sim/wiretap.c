/* Reads every frame that a node sends, and judges it by what the simulation knows. */
#include "sim.h"

#include "log/checkpoint.h"
#include "log/header.h"
#include "log/origin.h"
#include "record/excerpt.h"
#include "wire/codec.h"

#include <string.h>

/* -- checkpoints: one root for one size of one origin -------------------------------------------
 */

static size_t slot_of(struct span origin, uint64_t size)
{
    uint64_t hash = UINT64_C(14695981039346656037) ^ size;
    for (size_t i = 0; i < origin.size; i++)
        hash = (hash ^ origin.data[i]) * UINT64_C(1099511628211);
    return (size_t)(hash ^ (hash >> 29)) & (CHECKPOINTS_MAX - 1);
}

static struct seen_checkpoint *find_checkpoint(struct sim *sim, struct span origin, uint64_t size)
{
    size_t slot = slot_of(origin, size);
    for (size_t i = 0; i < CHECKPOINTS_MAX; i++) {
        struct seen_checkpoint *seen = &sim->checkpoints[(slot + i) & (CHECKPOINTS_MAX - 1)];
        if (!seen->used || (seen->size == size && span_equal(span_text(seen->origin), origin)))
            return seen;
    }
    sim_fail(sim, "more than %d checkpoints", CHECKPOINTS_MAX);
}

static bool read_note(struct sim *sim, struct span bytes, struct checkpoint *ret_checkpoint)
{
    struct note note;
    struct error err = ERROR_INIT;
    if (bytes.size == 0)
        return false;
    sim_must(sim, note_parse(bytes, &note, &err), &err, "a note that was sent");
    sim_must(sim, checkpoint_decode(note.text, ret_checkpoint, &err), &err, "a checkpoint");
    return true;
}

static size_t subscriber_of(struct sim *sim, struct span text)
{
    struct origin origin;
    struct error err = ERROR_INIT;
    sim_must(sim, origin_parse(text, &origin, &err), &err, "an origin");
    return host_of(sim, &origin.subscriber)->party;
}

/* It cannot show any more what it had stored; from what it still has, it will. */
void wiretap_forget(struct host *subscriber)
{
    struct sim *sim = subscriber->sim;
    for (size_t i = 0; i < CHECKPOINTS_MAX; i++) {
        if (sim->checkpoints[i].subscriber == subscriber->party)
            sim->checkpoints[i].stored = false;
    }
}

static void judge_note(struct host *from, struct span bytes)
{
    struct sim *sim = from->sim;
    struct checkpoint checkpoint;
    if (!read_note(sim, bytes, &checkpoint))
        return;
    struct seen_checkpoint *seen = find_checkpoint(sim, checkpoint.origin, checkpoint.size);
    if (!seen->used) {
        *seen = (struct seen_checkpoint){ .used = true,
                                          .size = checkpoint.size,
                                          .root = checkpoint.root };
        memcpy(seen->origin, checkpoint.origin.data, checkpoint.origin.size);
        seen->subscriber = subscriber_of(sim, checkpoint.origin);
        return;
    }
    if (sim->hosts[from->party].set_back && !seen->stored)
        seen->root = checkpoint.root; /* the first one is lost, and nobody can tell */
    sim->stats.checks_root++;
    if (!digest_equal(&seen->root, &checkpoint.root) && sim->cloned == PARTIES) {
        sim_fail(sim, "%s sends a second root for size %llu of %s", from->code.text,
                 (unsigned long long)checkpoint.size, seen->origin);
    }
}

/* The subscriber shows what it has stored. */
static void judge_stored(struct host *from, struct span bytes)
{
    struct checkpoint checkpoint;
    judge_note(from, bytes);
    if (read_note(from->sim, bytes, &checkpoint))
        find_checkpoint(from->sim, checkpoint.origin, checkpoint.size)->stored = true;
}

/* A cosigner's time never goes back. */
static void judge_receipt_time(struct host *from, struct span bytes, struct seen_receipt *receipt)
{
    struct sim *sim = from->sim;
    struct error err = ERROR_INIT;
    enum status status = ERR_NOT_FOUND;
    struct note note;
    char name[ORIGIN_TEXT_SIZE];
    uint64_t time_s = 0;
    origin_receipt(&from->feed.realm, &from->code, name);
    sim_must(sim, note_parse(bytes, &note, &err), &err, "a receipt");
    for (unsigned i = 0; status != OK && i <= from->papers.number[ROLE_RECEIPT]; i++) {
        struct public_key key = papers_key(from->party, ROLE_RECEIPT, i);
        err = (struct error)ERROR_INIT;
        status = note_verify_cosignature(&note, span_text(name), &key, &time_s, &err);
    }
    sim_must(sim, status, &err, "a receipt's cosignature");
    sim->stats.checks_receipt++;
    if (time_s < receipt->time_s && !from->rolled_back) {
        sim_fail(sim, "%s cosigns %s at %llu s after %llu s", from->code.text, receipt->origin,
                 (unsigned long long)time_s, (unsigned long long)receipt->time_s);
    }
    receipt->time_s = time_s;
}

static void judge_receipt(struct host *from, struct span bytes)
{
    struct sim *sim = from->sim;
    struct checkpoint checkpoint;
    judge_stored(from, bytes);
    if (!read_note(sim, bytes, &checkpoint))
        return;
    sim->stats.receipts++;
    struct seen_receipt *receipt = NULL;
    for (size_t i = 0; i < sim->receipt_count && receipt == NULL; i++) {
        if (sim->receipts[i].party == from->party &&
            span_equal(span_text(sim->receipts[i].origin), checkpoint.origin))
            receipt = &sim->receipts[i];
    }
    if (receipt == NULL) {
        if (sim->receipt_count == RECEIPTS_MAX)
            sim_fail(sim, "more than %d feeds", RECEIPTS_MAX);
        receipt = &sim->receipts[sim->receipt_count++];
        *receipt = (struct seen_receipt){ .party = from->party };
        memcpy(receipt->origin, checkpoint.origin.data, checkpoint.origin.size);
    }
    if (checkpoint.size < receipt->size && !from->rolled_back) {
        sim_fail(sim, "%s receipts size %llu of %s after %llu", from->code.text,
                 (unsigned long long)checkpoint.size, receipt->origin,
                 (unsigned long long)receipt->size);
    }
    judge_receipt_time(from, bytes, receipt);
    holder_receipted(from, checkpoint.origin, receipt->size, checkpoint.size);
    if (checkpoint.size > receipt->size)
        receipt->size = checkpoint.size;
}

/* -- bodies: only under a consent in force ------------------------------------------------------
 */

static bool read_body(const struct entry_header *header,
                      struct span body,
                      struct records_view *ret_view,
                      struct error *err)
{
    struct span content = SPAN_EMPTY;
    enum status status = header_unpad(header->kind, body, &content, err);
    int kind = header->kind == KIND_RELEASE ? RECORD_RELEASE : RECORD_EXCERPT;
    if (status == OK)
        status = records_describe(kind, content, ret_view, err);
    return status == OK;
}

static void judge_body(struct host *from, struct host *to, const struct batch_entry *entry)
{
    struct sim *sim = from->sim;
    struct entry_header header;
    struct error err = ERROR_INIT;
    static struct records_view view;
    sim_must(sim, header_decode(entry->header, &header, &err), &err, "a header that was sent");
    sim_trace(sim, "%s to %s: %s consent %02x%02x subject %02x%02x version %u%s", from->code.text,
              to->code.text, header_kind_name(header.kind), header.consent_id.bytes[14],
              header.consent_id.bytes[15], header.subject_id.bytes[14], header.subject_id.bytes[15],
              header.record_version, entry->withheld ? " withheld" : "");
    sim->stats.epochs += header.kind == KIND_RESTORED;
    bool is_record = header.kind == KIND_EXCERPT || header.kind == KIND_RELEASE;
    if (!is_record || entry->body.size == 0)
        return;
    if (!read_body(&header, entry->body, &view, &err))
        sim_fail(sim, "%s sends what cannot be read: %s", from->code.text, err.text);
    size_t record = model_record_seen(sim, &view);
    if (record == RECORDS_MAX || sim->model.records[record].party != from->party)
        sim_fail(sim, "%s sends %s, which is not its own", from->code.text, view.title);
    sim->stats.bodies++;
    sim->stats.releases += header.kind == KIND_RELEASE;
    sim_trace(sim, "%s sends R%zu to %s", from->code.text, record, to->code.text);
    if (from->slot >= PARTIES)
        return; /* a copy knows nothing of what was decided since */
    struct model_case it = { record, header.record_version, to->party, from->group_wall_ms };
    sim->stats.checks_body++;
    if (!model_allows(sim, &it)) {
        sim_fail(sim, "%s sends R%zu, version %u, to %s, and no consent in force covers it",
                 from->code.text, record, header.record_version, to->code.text);
    }
}

/* -- epochs: what was restored from a backup goes on in new ones --------------------------------
 */

static struct seen_origin *find_origin(struct host *from, struct span origin)
{
    struct sim *sim = from->sim;
    for (size_t i = 0; i < sim->origin_count; i++) {
        if (span_equal(span_text(sim->origins[i].origin), origin))
            return &sim->origins[i];
    }
    if (sim->origin_count == ORIGINS_MAX)
        sim_fail(sim, "more than %d origins", ORIGINS_MAX);
    struct seen_origin *seen = &sim->origins[sim->origin_count++];
    *seen = (struct seen_origin){ .life = from->life };
    memcpy(seen->origin, origin.data, origin.size);
    return seen;
}

static void judge_epoch(struct host *from, const struct batch *batch)
{
    const struct seen_origin *seen = find_origin(from, batch->origin);
    from->sim->stats.checks_epoch++;
    if (seen->life < from->life && from->sim->cloned == PARTIES) {
        sim_fail(from->sim, "%s was restored and goes on in %s, as if it were not", from->code.text,
                 seen->origin);
    }
}

static void judge_batch(struct host *from, struct host *to, const struct batch *batch)
{
    judge_epoch(from, batch);
    judge_note(from, batch->checkpoint);
    sim_trace(from->sim, "%s to %s: batch from %llu of %.*s", from->code.text, to->code.text,
              (unsigned long long)batch->first_index, (int)batch->origin.size,
              (const char *)batch->origin.data);
    for (size_t i = 0; i < batch->entry_count; i++)
        judge_body(from, to, &batch->entries[i]);
}

static void trace_head(struct host *from, struct host *to, const char *what, struct span bytes)
{
    struct checkpoint checkpoint;
    if (from->sim->verbose && read_note(from->sim, bytes, &checkpoint)) {
        sim_trace(from->sim, "%s to %s: Hello, %s: %llu of %.*s", from->code.text, to->code.text,
                  what, (unsigned long long)checkpoint.size, (int)checkpoint.origin.size,
                  (const char *)checkpoint.origin.data);
    }
}

void wiretap_frame(struct host *from, struct host *to, struct span frame)
{
    struct sim *sim = from->sim;
    struct message message = { .kind = MESSAGE_PING };
    struct error err = ERROR_INIT;
    sim_must(sim, codec_decode(frame, &message, &err), &err, "a frame that was sent");
    sim->stats.frames++;
    if (message.kind != MESSAGE_PING && message.kind != MESSAGE_PONG)
        sim->news_ms = sim->now_ms;
    if (from->blocks[to->party] && message.kind != MESSAGE_GOODBYE)
        sim_fail(sim, "%s has blocked %s and still speaks to it", from->code.text, to->code.text);
    switch (message.kind) {
    case MESSAGE_HELLO:
        trace_head(from, to, "mine", buf_span(&message.hello.heads.mine));
        trace_head(from, to, "mine_receipt", buf_span(&message.hello.heads.mine_receipt));
        trace_head(from, to, "yours", buf_span(&message.hello.heads.yours));
        trace_head(from, to, "yours_receipt", buf_span(&message.hello.heads.yours_receipt));
        judge_note(from, buf_span(&message.hello.heads.mine));
        judge_note(from, buf_span(&message.hello.heads.mine_receipt));
        judge_stored(from, buf_span(&message.hello.heads.yours));
        judge_stored(from, buf_span(&message.hello.heads.yours_receipt)); /* once; it shows it */
        break;
    case MESSAGE_BATCH:
        judge_batch(from, to, &message.batch);
        break;
    case MESSAGE_RECEIPT:
        judge_receipt(from, buf_span(&message.note));
        break;
    case MESSAGE_HEAL:
        judge_note(from, message.heal.checkpoint);
        break;
    case MESSAGE_HEAL_TAKEN:
    case MESSAGE_PING:
    case MESSAGE_PONG:
    case MESSAGE_GOODBYE:
    case MESSAGE_KIND_COUNT:
        break;
    }
    message_fini(&message);
}
