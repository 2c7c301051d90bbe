/* Locks on what we hold of others. */
#include "feed/ingestion.h"

#include "base/memory.h"
#include "store/entry_rows.h"
#include "store/keys.h"

enum { PAGE = 32 };

void holdings_lock(struct holding_row *row, uint32_t reason)
{
    row->reasons |= reason;
    if (row->state == HOLDING_ACTIVE)
        row->state = HOLDING_LOCKED;
    /* What was refused is not used, but a withdrawal must reach it all the same. */
    if (row->state == HOLDING_REFUSED && (reason & (HOLDING_WITHDRAWN | HOLDING_REPLACED)) != 0)
        row->state = HOLDING_LOCKED;
}

void holdings_unlock(struct holding_row *row, uint32_t reason)
{
    row->reasons &= ~reason;
    if (row->state == HOLDING_LOCKED && row->reasons == 0)
        row->state = HOLDING_ACTIVE;
}

enum status holdings_each(struct store *store,
                          const struct holding_filter *filter,
                          holdings_change change,
                          void *context,
                          struct error *err)
{
    struct holding_row rows[PAGE];
    struct holding_place place = { 0 };
    size_t count = PAGE;
    while (count == PAGE) {
        enum status status = holding_rows_list(store, filter, &place, rows, PAGE, &count, err);
        for (size_t i = 0; status == OK && i < count; i++)
            if (rows[i].state != HOLDING_ERASED && change(context, &rows[i]))
                status = holding_rows_update(store, &rows[i], err);
        if (status != OK)
            return status;
    }
    return OK;
}

/* -- after a restore --------------------------------------------------------------------------- */

static enum status erase_without_key(struct store *store,
                                     struct holding_row *row,
                                     int64_t now_ms,
                                     struct error *err)
{
    struct entry_row entry;
    struct seal_key key;
    struct error why = ERROR_INIT;
    enum status status = entry_rows_get(store, row->feed_id, row->index, &entry, err);
    if (status != OK || entry.key_slot == KEY_SLOT_NONE)
        return status;
    status = keys_get(store, entry.key_slot, &key, &why);
    mem_wipe(&key, sizeof(key));
    if (status == OK)
        return OK;
    if (status != ERR_ERASED)
        return error_set(err, status, "%s", why.text);
    row->state = HOLDING_ERASED;
    row->erased_ms = now_ms;
    status = holding_rows_update(store, row, err);
    return status == OK ? entry_rows_mark_erased(store, row->feed_id, row->index, err) : status;
}

enum status holdings_erase_keyless(struct feed_context *feed, struct error *err)
{
    struct holding_row rows[PAGE];
    struct holding_filter filter = { 0 };
    struct holding_place place = { 0 };
    int64_t now_ms = peering_now_ms(feed);
    size_t count = PAGE;
    enum status status = OK;
    while (status == OK && count == PAGE) {
        status = holding_rows_list(feed->store, &filter, &place, rows, PAGE, &count, err);
        for (size_t i = 0; status == OK && i < count; i++) {
            if (rows[i].state != HOLDING_ERASED)
                status = erase_without_key(feed->store, &rows[i], now_ms, err);
        }
    }
    return status;
}
