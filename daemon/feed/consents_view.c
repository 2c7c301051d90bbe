/* Reading consents: find, list, show, their records, their history. */
#include "base/memory.h"
#include "feed/consents_internal.h"

#include <string.h>

enum status consents_load(struct feed_context *feed,
                          const struct id *consent_id,
                          struct consent_row *ret_row,
                          struct terms *ret_terms,
                          struct error *err)
{
    struct buf bytes = BUF_INIT;
    struct consent_row row;
    enum status status = consent_rows_get(feed->store, consent_id, &row, err);
    if (status == OK)
        status = consent_rows_terms(feed->store, consent_id, &bytes, err);
    if (status == OK && terms_decode(buf_span(&bytes), ret_terms, NULL) != OK) {
        status = error_set(err, ERR_CORRUPT,
                           "the stored terms of the consent are damaged; "
                           "next: comityctl check");
    }
    if (status == OK)
        *ret_row = row;
    buf_fini(&bytes);
    return status;
}

enum status consents_find(struct feed_context *feed,
                          const char *prefix,
                          struct consent_row *ret_row,
                          struct error *err)
{
    return consent_rows_find(feed->store, prefix, ret_row, err);
}

enum status consents_each_record(struct feed_context *feed,
                                 const struct id *consent_id,
                                 consents_visit_row visit,
                                 void *context,
                                 struct error *err)
{
    enum { PAGE = 64 };
    struct consent_record_row rows[PAGE];
    struct id after = ID_NONE;
    for (size_t count = PAGE; count == PAGE;) {
        enum status status = consent_rows_records(
            feed->store, consent_id, id_is_none(&after) ? NULL : &after, rows, PAGE, &count, err);
        for (size_t i = 0; status == OK && i < count; i++) {
            after = rows[i].record_id;
            status = visit(context, &rows[i], err);
        }
        if (status != OK)
            return status;
    }
    return OK;
}

static enum status count_row(void *context, const struct consent_record_row *row, struct error *err)
{
    (void)row;
    (void)err;
    ++*(uint64_t *)context;
    return OK;
}

enum status consents_show(struct feed_context *feed,
                          const struct id *consent_id,
                          consents_visit visit,
                          void *context,
                          struct error *err)
{
    struct consent_recipient_row recipients[CONSENT_RECIPIENTS_MAX];
    struct consents_view view;
    memset(&view, 0, sizeof(view));
    view.recipients = recipients;
    enum status status = consents_load(feed, consent_id, &view.row, &view.terms, err);
    if (status == OK)
        status = consent_rows_recipients(feed->store, consent_id, recipients,
                                         CONSENT_RECIPIENTS_MAX, &view.recipient_count, err);
    if (status == OK)
        status = consents_each_record(feed, consent_id, count_row, &view.record_count, err);
    return status == OK ? visit(context, &view, err) : status;
}

enum status consents_list(
    struct feed_context *feed, int state, consents_visit visit, void *context, struct error *err)
{
    enum { PAGE = 16 };
    struct consent_row rows[PAGE];
    struct id after = ID_NONE;
    for (size_t count = PAGE; count == PAGE;) {
        enum status status =
            consent_rows_list(feed->store, (uint8_t)state, id_is_none(&after) ? NULL : &after, rows,
                              PAGE, &count, err);
        for (size_t i = 0; status == OK && i < count; i++) {
            after = rows[i].consent_id;
            status = consents_show(feed, &after, visit, context, err);
        }
        if (status != OK)
            return status;
    }
    return OK;
}

/* -- its records ------------------------------------------------------------------------------- */

struct showing {
    struct feed_context *feed;
    records_visit visit;
    void *context;
};

/* The version is gone: what remains is that it was there. */
static enum status show_erased(const struct showing *showing,
                               const struct consent_record_row *row,
                               struct error *err)
{
    struct records_view view;
    memset(&view, 0, sizeof(view));
    enum status status = record_rows_get(showing->feed->store, &row->record_id, &view.row, err);
    view.version = row->version;
    return status == OK ? showing->visit(showing->context, &view, err) : status;
}

static enum status show_record(void *context,
                               const struct consent_record_row *row,
                               struct error *err)
{
    const struct showing *showing = context;
    enum status status = records_show(showing->feed, &row->record_id, row->version, showing->visit,
                                      showing->context, err);
    return status == ERR_ERASED ? show_erased(showing, row, err) : status;
}

enum status consents_records(struct feed_context *feed,
                             const struct id *consent_id,
                             records_visit visit,
                             void *context,
                             struct error *err)
{
    struct showing showing = { feed, visit, context };
    return consents_each_record(feed, consent_id, show_record, &showing, err);
}

enum status consents_history(struct feed_context *feed,
                             const struct id *consent_id,
                             consents_visit_event visit,
                             void *context,
                             struct error *err)
{
    enum { PAGE = 16 };
    struct consent_event_row rows[PAGE];
    struct consent_row row;
    uint32_t after = 0;
    enum status status = consent_rows_get(feed->store, consent_id, &row, err);
    for (size_t count = PAGE; status == OK && count == PAGE;) {
        status = consent_rows_events(feed->store, consent_id, after, rows, PAGE, &count, err);
        for (size_t i = 0; status == OK && i < count; i++) {
            after = rows[i].sequence;
            status = visit(context, &rows[i], err);
        }
    }
    return status;
}
