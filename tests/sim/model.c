/* Who allowed what, as the people of the simulation remember it. */
#include "sim.h"

#include "store/consent_rows.h"
#include "store/record_rows.h"

#include <stdlib.h>
#include <string.h>

static bool covers(const struct model_consent *consent, const struct model_case *it)
{
    if ((consent->recipients & (1U << it->recipient)) == 0)
        return false;
    for (size_t i = 0; i < consent->record_count; i++) {
        if (consent->records[i] == it->record &&
            (it->version == 0 || consent->versions[i] == 0 || consent->versions[i] == it->version))
            return true;
    }
    return false;
}

static bool in_force(const struct model_consent *consent, int64_t publisher_ms)
{
    bool open = consent->state == MODEL_MAYBE || consent->state == MODEL_ACTIVE ||
                consent->state == MODEL_MAYBE_ENDED || consent->forgotten;
    return open && publisher_ms < consent->valid_until_ms;
}

bool model_allows(const struct sim *sim, const struct model_case *it)
{
    const struct model *model = &sim->model;
    for (size_t i = 0; i < model->consent_count; i++) {
        if (covers(&model->consents[i], it) && in_force(&model->consents[i], it->publisher_ms))
            return true;
    }
    return false;
}

/* The holder's one copy stands under the consent under which it came last.  If that one is near its
 * end, two clocks that were wrong alike may have erased it, and it comes again when it has ended.
 */
bool model_demands(const struct sim *sim, const struct model_case *it)
{
    const struct model *model = &sim->model;
    bool sure = false;
    for (size_t i = 0; i < model->consent_count; i++) {
        const struct model_consent *consent = &model->consents[i];
        if (!covers(consent, it))
            continue;
        bool is_near = consent->valid_until_ms <= it->publisher_ms + MODEL_SURE_MS;
        if (is_near && sim->mix->clock > 0 && in_force(consent, it->publisher_ms))
            return false;
        sure = sure || (!is_near && consent->state == MODEL_ACTIVE);
    }
    return sure;
}

bool model_ever_allowed(const struct sim *sim, const struct model_case *it)
{
    const struct model *model = &sim->model;
    for (size_t i = 0; i < model->consent_count; i++) {
        if (model->consents[i].state != MODEL_VOID && covers(&model->consents[i], it))
            return true;
    }
    return false;
}

/* Excerpts are titled "R<number>", figures come from the source "R<number>"; the number is the
 * record's place in the model. */
size_t model_record_of(const struct sim *sim, struct span name)
{
    size_t number = 0;
    if (name.size < 2 || name.data[0] != 'R')
        return RECORDS_MAX;
    for (size_t i = 1; i < name.size; i++) {
        if (name.data[i] < '0' || name.data[i] > '9')
            return RECORDS_MAX;
        number = number * 10 + (size_t)(name.data[i] - '0');
    }
    return number < sim->model.record_count ? number : RECORDS_MAX;
}

size_t model_record_seen(const struct sim *sim, const struct records_view *view)
{
    return model_record_of(sim, span_text(view->source[0] != '\0' ? view->source : view->title));
}

/* Which versions it froze, as its approver was shown. */
void model_learn_versions(struct host *host, struct model_consent *consent)
{
    struct consent_record_row rows[CONSENT_RECORDS_SIM];
    struct error err = ERROR_INIT;
    size_t count = 0;
    sim_must(host->sim,
             consent_rows_records(host->store, &consent->id, &ID_NONE, rows, CONSENT_RECORDS_SIM,
                                  &count, &err),
             &err, "records of a consent");
    for (size_t i = 0; i < consent->record_count; i++) {
        for (size_t k = 0; k < count; k++) {
            if (id_equal(&host->sim->model.records[consent->records[i]].id, &rows[k].record_id))
                consent->versions[i] = rows[k].version;
        }
    }
}

static enum model_state state_in_database(struct host *host, const struct model_consent *consent)
{
    struct consent_row row;
    struct error err = ERROR_INIT;
    enum status status = consent_rows_get(host->store, &consent->id, &row, &err);
    if (status == ERR_NOT_FOUND)
        return MODEL_VOID;
    sim_must(host->sim, status, &err, "consent after a start");
    switch ((enum consent_state)row.state) {
    case CONSENT_ACTIVE:
        return MODEL_ACTIVE;
    case CONSENT_REVOKED:
    case CONSENT_EXPIRED:
    case CONSENT_SUPERSEDED:
        return MODEL_ENDED;
    case CONSENT_DRAFT:
    case CONSENT_PROPOSED:
    case CONSENT_SUSPENDED:
    case CONSENT_STATE_COUNT:
        break;
    }
    return MODEL_VOID;
}

/* The answer was that the disk failed: before the commit, or after it. */
void model_look(struct host *host, struct model_consent *consent)
{
    consent->state = state_in_database(host, consent);
    if (consent->state == MODEL_ACTIVE)
        model_learn_versions(host, consent);
}

static void resolve_records(struct host *host)
{
    struct sim *sim = host->sim;
    for (size_t i = 0; i < sim->model.record_count; i++) {
        struct model_record *record = &sim->model.records[i];
        struct record_row row;
        struct error err = ERROR_INIT;
        if (record->party != host->party || record->retired)
            continue;
        enum status status = record_rows_get(host->store, &record->id, &row, &err);
        if (status == ERR_NOT_FOUND && host->rolled_back)
            record->retired = true; /* nobody can name it any more */
        else
            sim_must(sim, status, &err, "a record after a start");
    }
}

/* What was answered before the crash must still be so; what was not is as the database says. */
void model_resolve(struct host *host)
{
    struct sim *sim = host->sim;
    if (host->slot >= PARTIES)
        return; /* people work with the original */
    resolve_records(host);
    for (size_t i = 0; i < sim->model.consent_count; i++) {
        struct model_consent *consent = &sim->model.consents[i];
        if (consent->party != host->party || consent->state == MODEL_VOID)
            continue;
        enum model_state state = state_in_database(host, consent);
        if (host->rolled_back) { /* it was in force once, whatever an older database says */
            consent->forgotten = true;
            consent->state = state == MODEL_ACTIVE ? MODEL_ACTIVE : MODEL_ENDED;
            continue;
        }
        bool lost = (consent->state == MODEL_ACTIVE && state == MODEL_VOID) ||
                    (consent->state == MODEL_ENDED && state != MODEL_ENDED);
        if (lost) {
            sim_fail(sim, "%s: consent %zu was answered as %s and is not so after a start",
                     host->code.text, i, consent->state == MODEL_ACTIVE ? "active" : "ended");
        }
        consent->state = state;
        if (state == MODEL_ACTIVE)
            model_learn_versions(host, consent);
    }
}
