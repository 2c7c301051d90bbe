/* What names an entry by its place: holdings, deliveries, received terms. */
#include "feed/check_internal.h"

#include "feed/ingestion.h"
#include "store/delivery_rows.h"
#include "store/entry_rows.h"
#include "store/keys.h"

enum { PAGE = 32 };

static enum status check_holding(struct check *check,
                                 const struct holding_row *row,
                                 struct error *err)
{
    struct entry_row entry;
    struct entry_header header;
    struct seal_key key;
    struct error why = ERROR_INIT;
    check->result.holdings++;
    enum status status = entry_rows_get(check->feed->store, row->feed_id, row->index, &entry, &why);
    if (status == OK)
        status = header_decode(entry.header, &header, &why);
    if (check_is_finding(status))
        return check_problem(check, err, "holding %lld/%llu names an entry that is not here",
                             (long long)row->feed_id, (unsigned long long)row->index);
    if (status != OK)
        return error_set(err, status, "%s", why.text);
    if (!id_equal(&header.entry_id, &row->entry_id) ||
        !id_equal(&header.subject_id, &row->subject_id))
        return check_problem(check, err, "holding %lld/%llu is not of the entry that it names",
                             (long long)row->feed_id, (unsigned long long)row->index);
    bool gone = (entry.flags & (ENTRY_ERASED | ENTRY_WITHHELD)) != 0;
    if (gone && row->state != HOLDING_ERASED && row->state != HOLDING_LOCKED)
        return check_problem(check, err,
                             "holding %lld/%llu is said to be here, its entry is erased",
                             (long long)row->feed_id, (unsigned long long)row->index);
    if (row->state != HOLDING_ERASED)
        return OK;
    if (!gone)
        return check_problem(check, err, "holding %lld/%llu is said to be erased, its key is here",
                             (long long)row->feed_id, (unsigned long long)row->index);
    if (entry.key_slot == KEY_SLOT_NONE)
        return OK;
    status = keys_get(check->feed->store, entry.key_slot, &key, &why);
    if (status == OK)
        return check_problem(check, err, "holding %lld/%llu is said to be erased, its key is here",
                             (long long)row->feed_id, (unsigned long long)row->index);
    return status == ERR_ERASED ? OK : error_set(err, status, "%s", why.text);
}

static enum status check_holdings(struct check *check, struct error *err)
{
    struct holding_row rows[PAGE];
    struct holding_filter all = { 0 };
    struct holding_place place = { 0 };
    size_t count = PAGE;
    enum status status = OK;
    while (status == OK && count == PAGE) {
        status = holding_rows_list(check->feed->store, &all, &place, rows, PAGE, &count, err);
        for (size_t i = 0; status == OK && i < count; i++)
            status = check_holding(check, &rows[i], err);
        if (status == OK)
            status = check_breathe(check, err);
    }
    return status;
}

static enum status check_deliveries(struct check *check, struct error *err)
{
    struct delivery_row rows[PAGE];
    struct delivery_filter all = { 0 };
    int64_t after = 0;
    size_t count = PAGE;
    enum status status = OK;
    while (status == OK && count == PAGE) {
        status = delivery_rows_list(check->feed->store, &all, after, rows, PAGE, &count, err);
        for (size_t i = 0; status == OK && i < count; i++) {
            struct entry_row entry;
            struct error why = ERROR_INIT;
            after = rows[i].delivery_id;
            check->result.deliveries++;
            status =
                entry_rows_get(check->feed->store, rows[i].feed_id, rows[i].index, &entry, &why);
            if (check_is_finding(status)) {
                status = check_problem(check, err, "delivery %lld names an entry that is not here",
                                       (long long)after);
            } else if (status != OK) {
                error_set(err, status, "%s", why.text);
            }
        }
        if (status == OK)
            status = check_breathe(check, err);
    }
    return status;
}

static enum status check_terms(struct check *check, struct error *err)
{
    struct terms_row row;
    struct terms_row after;
    bool started = false;
    size_t count = 1;
    enum status status = OK;
    while (status == OK && count == 1) {
        struct entry_row entry;
        struct error why = ERROR_INIT;
        status =
            terms_rows_list(check->feed->store, 0, started ? &after : NULL, &row, 1, &count, err);
        if (status != OK || count == 0)
            break;
        after = row;
        started = true;
        status = entry_rows_get(check->feed->store, row.feed_id, row.index, &entry, &why);
        if (check_is_finding(status)) {
            status =
                check_problem(check, err, "received terms name entry %lld/%llu, which is not here",
                              (long long)row.feed_id, (unsigned long long)row.index);
        } else if (status != OK) {
            error_set(err, status, "%s", why.text);
        }
    }
    return status;
}

enum status check_places(struct check *check, struct error *err)
{
    enum status status = check_holdings(check, err);
    if (status == OK)
        status = check_deliveries(check, err);
    if (status == OK)
        status = check_terms(check, err);
    return status;
}
