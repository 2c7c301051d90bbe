/* Locks on what we hold of others. */
#include "feed/ingestion.h"

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
