/* Connections: bytes in order, in pieces, late, or not at all. */
#include "sim.h"

#include "base/memory.h"

#include <string.h>

static bool blocked(const struct sim *sim, const struct host *from, const struct host *to)
{
    return sim->blocked[from->party][to->party];
}

static struct wire_end *other_end(const struct wire_end *end)
{
    return &end->wire->ends[end == &end->wire->ends[0] ? 1 : 0];
}

/* -- queues -------------------------------------------------------------------------------------
 */

static void push(struct wire_end *to, struct buf *bytes, bool end)
{
    struct sim *sim = to->host->sim;
    struct chunk *chunk = mem_calloc(1, sizeof(*chunk));
    if (chunk == NULL)
        sim_fail(sim, "no memory for a piece of a frame");
    int64_t due_ms = sim->now_ms + (int64_t)sim_random(sim, sim_chance(sim, 50) ? 2000 : 40);
    if (due_ms < to->last_due_ms)
        due_ms = to->last_due_ms; /* TCP keeps the order */
    *chunk = (struct chunk){ .due_ms = due_ms, .end = end };
    if (bytes != NULL)
        chunk->bytes = buf_move(bytes);
    to->last_due_ms = due_ms;
    *to->last = chunk;
    to->last = &chunk->next;
}

static void pop(struct wire_end *end)
{
    struct chunk *chunk = end->first;
    end->first = chunk->next;
    if (end->first == NULL)
        end->last = &end->first;
    buf_fini(&chunk->bytes);
    mem_free(chunk);
}

static void end_clear(struct wire_end *end)
{
    while (end->first != NULL)
        pop(end);
    frame_reader_fini(&end->reader);
    frame_reader_init(&end->reader);
}

static void release_if_unused(struct wire *wire)
{
    if (wire->ends[0].link != NULL || wire->ends[1].link != NULL)
        return;
    end_clear(&wire->ends[0]);
    end_clear(&wire->ends[1]);
    frame_reader_fini(&wire->ends[0].reader);
    frame_reader_fini(&wire->ends[1].reader);
    wire->used = false;
}

/* This side is over; the other one hears of it when all before was read. */
static void hang_up(struct wire_end *end)
{
    struct link *link = end->link;
    if (link == NULL)
        return;
    end->link = NULL;
    end_clear(end);
    if (other_end(end)->link != NULL)
        push(other_end(end), NULL, true);
    exchange_closed(link);
    release_if_unused(end->wire);
}

void wires_cut(struct wire *wire)
{
    for (int i = 0; i < 2; i++)
        end_clear(&wire->ends[i]); /* what was under way is lost, in the middle of a frame */
    for (int i = 0; i < 2 && wire->used; i++)
        hang_up(&wire->ends[i]);
}

/* The process of `host` is gone.  Often the system says so to the other end, sometimes nobody. */
void wires_lose(struct host *host)
{
    struct sim *sim = host->sim;
    for (size_t i = 0; i < WIRES_MAX; i++) {
        struct wire *wire = &sim->wires[i];
        for (int side = 0; wire->used && side < 2; side++) {
            struct wire_end *end = &wire->ends[side];
            if (end->host != host || end->link == NULL)
                continue;
            end->link = NULL;
            end_clear(end);
            if (other_end(end)->link != NULL && sim_chance(sim, 600))
                push(other_end(end), NULL, true);
            release_if_unused(wire);
        }
    }
    for (size_t i = 0; i < WIRES_MAX; i++) {
        if (sim->calls[i].from == host)
            sim->calls[i].used = false;
    }
}

/* -- what the exchange asks for -----------------------------------------------------------------
 */

static void io_send(void *self, void *owner, struct buf *frame)
{
    struct host *host = self;
    struct wire_end *to = other_end(owner);
    if (!host->up || to->link == NULL) {
        buf_fini(frame);
        return;
    }
    wiretap_frame(host, to->host, span_slice(buf_span(frame), FRAME_HEAD_SIZE, frame->size));
    push(to, frame, false);
}

static void io_close(void *self, void *owner, const struct error *why, bool penalty)
{
    struct host *host = self;
    struct wire_end *end = owner;
    if (!host->up)
        return;
    end->closing = true;
    sim_trace(host->sim, "%s closes to %s: %s%s", host->code.text, other_end(end)->host->code.text,
              why->text, penalty ? " (penalty)" : "");
    /* Who says nothing in time pays a little, even when the line was dead (net/penalty.h). */
    if (why->status == ERR_SIGNATURE && papers_unknown(host, other_end(end)->host))
        return;
    if (penalty && why->status != ERR_EXPIRED && host->sim->cloned == PARTIES) {
        sim_fail(host->sim, "%s blames %s, which did nothing wrong: %s: %s", host->code.text,
                 other_end(end)->host->code.text, status_name(why->status), why->text);
    }
}

static void io_pause(void *self, void *owner, bool paused)
{
    (void)self;
    (void)owner;
    (void)paused;
}

static size_t count_chunks(const struct wire_end *end)
{
    size_t count = 0;
    for (const struct chunk *chunk = end->first; chunk != NULL; chunk = chunk->next)
        count++;
    return count;
}

static size_t io_queued(void *self, void *owner)
{
    struct sim *sim = ((struct host *)self)->sim;
    bool full = sim->slow && count_chunks(other_end(owner)) >= SLOW_CHUNKS;
    sim->stats.slow_batches += full;
    return full ? EXCHANGE_QUEUE_LOW : 0;
}

static void io_dial(void *self, const struct code *peer, const char *address)
{
    (void)address;
    struct host *host = self;
    struct sim *sim = host->sim;
    for (size_t i = 0; i < WIRES_MAX; i++) {
        struct call *call = &sim->calls[i];
        if (call->used)
            continue;
        *call = (struct call){ .used = true,
                               .from = host,
                               .party = host_of(sim, peer)->party,
                               .due_ms = sim->now_ms + 1 + (int64_t)sim_random(sim, 100) };
        return;
    }
    sim_fail(sim, "more than %d dials at once", WIRES_MAX);
}

static void io_event(void *self, const char *name, const struct code *peer, const char *fields)
{
    struct host *host = self;
    host->alarms += strcmp(name, "alarm") == 0;
    host->sim->stats.alarms += strcmp(name, "alarm") == 0;
    host->sim->stats.heals += strcmp(name, "healed") == 0;
    sim_trace(host->sim, "%s%s: %s peer=%s %s", host->code.text,
              host->slot >= PARTIES ? "(copy)" : "", name, peer->text, fields);
}

struct exchange_io wires_io(struct host *host)
{
    return (struct exchange_io){ host, io_send, io_close, io_pause, io_queued, io_dial, io_event };
}

/* -- opening ------------------------------------------------------------------------------------
 */

/* Stands for TLS keys, which are tested elsewhere. */
static enum status auth_sign(void *auth, struct span bytes, struct buf *ret, struct error *err)
{
    (void)auth;
    return buf_append(ret, span_slice(bytes, 0, 32), err);
}

static enum status auth_verify(void *auth, struct span bytes, struct span mark, struct error *err)
{
    (void)auth;
    if (!span_equal(span_slice(bytes, 0, 32), mark))
        return error_set(err, ERR_SIGNATURE, "not signed so");
    return OK;
}

static enum status open_end(struct wire_end *end, struct wire_end *other, struct error *err)
{
    struct link_config config = {
        .peer = other->host->code,
        .initiator = end == &end->wire->ends[0],
        .owner = end,
        .auth_sign = auth_sign,
        .auth_verify = auth_verify,
    };
    memset(config.exporter, (int)(end->wire - end->host->sim->wires), sizeof(config.exporter));
    return exchange_open(end->host->exchange, &config, &end->link, err);
}

static struct wire *unused_wire(struct sim *sim)
{
    for (size_t i = 0; i < WIRES_MAX; i++) {
        if (!sim->wires[i].used)
            return &sim->wires[i];
    }
    sim_fail(sim, "more than %d connections", WIRES_MAX);
}

static void answer(struct sim *sim, struct call *call)
{
    struct host *from = call->from;
    struct host *to = &sim->hosts[call->party];
    struct error err = ERROR_INIT;
    call->used = false;
    if (!from->up)
        return;
    if (!to->up || blocked(sim, from, to) || blocked(sim, to, from)) {
        err = (struct error){ ERR_IO, "no route" };
        exchange_dial_failed(from->exchange, &to->code, &err);
        return;
    }
    struct wire *wire = unused_wire(sim);
    *wire = (struct wire){ .used = true };
    for (int i = 0; i < 2; i++) {
        struct wire_end *end = &wire->ends[i];
        end->host = i == 0 ? from : to;
        end->wire = wire;
        end->last = &end->first;
        frame_reader_init(&end->reader);
    }
    if (open_end(&wire->ends[1], &wire->ends[0], &err) != OK) {
        exchange_dial_failed(from->exchange, &to->code, &err);
        release_if_unused(wire);
    } else if (open_end(&wire->ends[0], &wire->ends[1], &err) != OK) {
        exchange_dial_failed(from->exchange, &to->code, &err);
        hang_up(&wire->ends[1]);
    }
}

/* -- arriving -----------------------------------------------------------------------------------
 */

static bool is_due(const struct wire_end *end)
{
    const struct sim *sim = end->host->sim;
    return end->link != NULL && end->first != NULL && end->first->due_ms <= sim->now_ms &&
           !blocked(sim, other_end(end)->host, end->host);
}

/* A piece of what is there; the rest of it comes later. */
static void arrive(struct wire_end *end)
{
    struct sim *sim = end->host->sim;
    struct chunk *chunk = end->first;
    struct error err = ERROR_INIT;
    if (chunk->end) {
        hang_up(end);
        return;
    }
    size_t size = chunk->bytes.size;
    if (sim_chance(sim, 300))
        size = 1 + (size_t)sim_random(sim, size);
    struct buf piece = BUF_INIT;
    sim_must(sim, buf_append(&piece, span_slice(buf_span(&chunk->bytes), 0, size), &err), &err,
             "piece");
    if (size == chunk->bytes.size) {
        pop(end);
    } else {
        chunk->bytes.size -= size;
        memmove(chunk->bytes.data, chunk->bytes.data + size, chunk->bytes.size);
    }
    struct span rest = buf_span(&piece);
    while (end->link != NULL && !end->closing) {
        struct span frame = SPAN_EMPTY;
        if (frame_reader_take(&end->reader, exchange_frame_max(end->link), &rest, &frame, &err) !=
            OK)
            exchange_refuse(end->link, &err);
        else if (frame.data == NULL)
            break;
        else
            exchange_receive(end->link, frame);
    }
    buf_fini(&piece);
    struct wire_end *sender = other_end(end);
    if (sim->slow && sender->link != NULL && count_chunks(end) < SLOW_CHUNKS)
        exchange_drained(sender->link);
}

size_t wires_due(struct sim *sim, bool run, size_t which)
{
    size_t count = 0;
    for (size_t i = 0; i < WIRES_MAX; i++) {
        struct call *call = &sim->calls[i];
        if (call->used && call->due_ms <= sim->now_ms && count++ == which && run) {
            answer(sim, call);
            return 1;
        }
    }
    for (size_t i = 0; i < 2 * (size_t)WIRES_MAX; i++) {
        struct wire_end *end = &sim->wires[i / 2].ends[i % 2];
        if (!end->wire || !end->wire->used || end->link == NULL)
            continue;
        bool closing = end->closing;
        if (!closing && !is_due(end))
            continue;
        if (count++ != which || !run)
            continue;
        if (closing)
            hang_up(end);
        else
            arrive(end);
        return 1;
    }
    return count;
}

int64_t wires_next_ms(const struct sim *sim)
{
    int64_t next_ms = INT64_MAX;
    for (size_t i = 0; i < WIRES_MAX; i++) {
        const struct call *call = &sim->calls[i];
        if (call->used && call->due_ms < next_ms)
            next_ms = call->due_ms;
        for (int side = 0; sim->wires[i].used && side < 2; side++) {
            const struct wire_end *end = &sim->wires[i].ends[side];
            if (end->link != NULL && end->first != NULL && end->first->due_ms < next_ms &&
                !blocked(sim, other_end(end)->host, end->host))
                next_ms = end->first->due_ms;
        }
    }
    return next_ms;
}
