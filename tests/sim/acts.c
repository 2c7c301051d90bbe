/* What people do, on the store's side: each is one job, as a request on the control socket is. */
#include "sim.h"

#include "feed/cards.h"
#include "feed/journal.h"
#include "feed/records.h"
#include "record/sdmx.h"
#include "store/peer_rows.h"
#include "support/sample_excerpt.h"

#include <stdio.h>
#include <string.h>

const char *acts_name(enum op_kind kind)
{
    switch (kind) {
    case OP_ADD:
        return "add";
    case OP_CHANGE:
        return "change";
    case OP_CONSENT:
        return "consent";
    case OP_REVOKE:
        return "revoke";
    case OP_RETIRE:
        return "retire";
    case OP_HOLD:
        return "hold";
    case OP_BLOCK:
        return "block";
    case OP_RENEW:
        return "renew";
    case OP_KIND_COUNT:
        break;
    }
    return "nothing";
}

/* -- records ------------------------------------------------------------------------------------
 */

static enum status write_excerpt(const struct op *op,
                                 uint32_t version,
                                 struct excerpt *excerpt,
                                 struct error *err)
{
    char title[24];
    char text[40];
    (void)snprintf(title, sizeof(title), "R%zu", op->record);
    (void)snprintf(text, sizeof(text), "Version %u.", version);
    return sample_excerpt(excerpt, title, span_text(text), err);
}

/* The next vintage of the same figures when there is one already. */
static enum status import_release(struct op *op, uint32_t version, struct error *err)
{
    struct feed_context *feed = &op->host->feed;
    struct sdmx_release_list list = { NULL, 0, 0 };
    struct sdmx_import_options options = { .publisher = &feed->self };
    struct records_imported imported;
    struct problems problems;
    char source[24];
    char csv[600];
    (void)snprintf(source, sizeof(source), "R%zu", op->record);
    (void)snprintf(csv, sizeof(csv),
                   "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,REF_AREA,COUNTERPART_AREA,DIRECTION,"
                   "COOP_TYPE,ASSIST_TYPE,LEGAL_BASIS,OFFENCE,INDICATOR,REASON,PROCEDURE,COHORT,"
                   "UNIT_MEASURE,TIME_PERIOD,OBS_VALUE,OBS_STATUS,COVERAGE\n"
                   "dataflow,COMITY:DF_INTCOOP(1.0.0),I,A,%s,_T,IN,EXTR,_Z,_T,_T,NEW,_Z,_T,FLOW,"
                   "REQ,2019,%u,A,\n",
                   feed->self.text, 100 + version);
    options.source = source;
    problems_init(&problems, "figures.csv");
    enum status status = sdmx_import(span_text(csv), &options, &problems, &list, err);
    problems_fini(&problems);
    if (status == OK)
        status = records_import_releases(feed, ANNE, &list, &imported, err);
    if (status == OK)
        op->id = imported.record_id;
    sdmx_release_list_fini(&list);
    return status;
}

static enum status apply_add(struct op *op, struct error *err)
{
    struct excerpt excerpt;
    if (op->host->sim->model.records[op->record].release)
        return import_release(op, 1, err);
    excerpt_init(&excerpt);
    enum status status = write_excerpt(op, 1, &excerpt, err);
    if (status == OK)
        status = records_add_excerpt(&op->host->feed, ANNE, &excerpt, &op->id, err);
    excerpt_fini(&excerpt);
    return status;
}

static enum status apply_change(struct op *op, struct error *err)
{
    const struct model_record *record = &op->host->sim->model.records[op->record];
    struct record_row row;
    struct excerpt excerpt;
    uint32_t version = 0;
    enum status status = record_rows_get(op->host->store, &record->id, &row, err);
    if (status != OK)
        return status;
    if (record->release)
        return import_release(op, row.version + 1, err);
    excerpt_init(&excerpt);
    status = write_excerpt(op, row.version + 1, &excerpt, err);
    if (status == OK) {
        status =
            records_change_excerpt(&op->host->feed, ANNE, &record->id, &excerpt, &version, err);
    }
    excerpt_fini(&excerpt);
    return status;
}

static enum status apply_retire(struct op *op, struct error *err)
{
    struct records_retired retired;
    return records_retire(&op->host->feed, ANNE, &op->host->sim->model.records[op->record].id,
                          &retired, err);
}

/* -- consents -----------------------------------------------------------------------------------
 */

static enum status apply_consent(struct op *op, struct error *err)
{
    struct sim *sim = op->host->sim;
    struct feed_context *feed = &op->host->feed;
    struct model_consent *consent = &sim->model.consents[op->consent];
    struct code recipients[PARTIES];
    struct id records[CONSENT_RECORDS_SIM];
    struct consents_request request = { .record_ids = records, .recipients = recipients };
    struct consents_queued queued;
    struct digest digest;
    for (size_t i = 0; i < PARTIES; i++) {
        if ((consent->recipients & (1U << i)) != 0)
            recipients[request.recipient_count++] = sim->hosts[i].code;
    }
    for (size_t i = 0; i < consent->record_count; i++)
        records[request.record_id_count++] = sim->model.records[consent->records[i]].id;
    terms_init(&request.terms, feed->clock->wall_ms(feed->clock));
    request.terms.purpose = PURPOSE_PEER_REVIEW;
    if (sim->mix->clock > 0) /* a clock that goes back does not make it "not yet" valid */
        request.terms.valid_from_ms -= 2 * SIM_DAY_MS + (sim->mix->leaps ? LEAP_MS : 0);
    request.terms.valid_until_ms = consent->valid_until_ms;
    (void)snprintf(request.terms.authority, sizeof(request.terms.authority), "Attorney-General");
    (void)snprintf(request.terms.reference, sizeof(request.terms.reference), "NV 1/2025");
    enum status status = consents_draft(feed, ANNE, &request, &consent->id, NULL, err);
    if (status == OK)
        status = consents_propose(feed, ANNE, &consent->id, &digest, err);
    if (status == OK)
        status = consents_approve(feed, BERT, &consent->id, &digest, &queued, NULL, err);
    return status;
}

static enum status apply_revoke(struct op *op, struct error *err)
{
    struct model_consent *consent = &op->host->sim->model.consents[op->consent];
    struct consents_ended ended;
    return consents_revoke(&op->host->feed, ANNE, &consent->id, "the simulation says so", &ended,
                           err);
}

/* -- peers --------------------------------------------------------------------------------------
 */

/* A peer that was accepted (again) gets the card that it has missed. */
static enum status offer_card(struct host *host, struct error *err)
{
    struct buf card = BUF_INIT;
    size_t queued = 0;
    papers_card(host, &host->loaded, &card);
    enum status status = cards_sync(&host->feed, buf_span(&card), &queued, err);
    buf_fini(&card);
    return status;
}

static enum status apply_peer(struct op *op, struct error *err)
{
    struct peer_row row;
    struct sim *sim = op->host->sim;
    enum status status = peer_rows_get(op->host->store, &sim->hosts[op->peer].code, &row, err);
    if (status != OK)
        return status;
    if (op->kind == OP_HOLD)
        row.held = op->on;
    else
        row.state = op->on ? PEER_BLOCKED : PEER_ACCEPTED;
    status = peer_rows_update(op->host->store, &row, err);
    if (status == OK && op->kind == OP_BLOCK && !op->on)
        status = offer_card(op->host, err);
    return status;
}

/* -- all ----------------------------------------------------------------------------------------
 */

static enum status apply(struct op *op, struct error *err)
{
    switch (op->kind) {
    case OP_ADD:
        return apply_add(op, err);
    case OP_CHANGE:
        return apply_change(op, err);
    case OP_CONSENT:
        return apply_consent(op, err);
    case OP_REVOKE:
        return apply_revoke(op, err);
    case OP_RETIRE:
        return apply_retire(op, err);
    case OP_HOLD:
    case OP_BLOCK:
        return apply_peer(op, err);
    case OP_RENEW:
        return papers_take(op->host, op->peer, err);
    case OP_KIND_COUNT:
        break;
    }
    return OK;
}

/* As admin does it: what was done and that it was done are durable together. */
enum status acts_apply(struct op *op, struct error *err)
{
    enum status status = apply(op, err);
    if (status == OK) {
        status =
            journal_append(&op->host->feed, ANNE, "anne", acts_name(op->kind), "", OK, "", err);
    }
    return status;
}

/* What somebody writes down of the journal, to hold it against it later. */
enum status acts_sign(struct op *op, struct error *err)
{
    return journal_checkpoint(&op->host->feed, &op->note, err);
}
