#include "store/refusal_rows.h"

#include "store/inside.h"

enum { INDEX_BITS = 40 };

static int64_t entry_id(int64_t feed_id, uint64_t index)
{
    return (int64_t)((uint64_t)feed_id << INDEX_BITS | index);
}

enum status refusal_rows_put(struct store *store,
                             int64_t feed_id,
                             uint64_t index,
                             int64_t now_ms,
                             const char *why,
                             struct error *err)
{
    struct query q = query_start(store, STATEMENT_REFUSAL_PUT);
    query_put_int(&q, entry_id(feed_id, index));
    query_put_int(&q, now_ms);
    query_put_text(&q, why);
    return query_run(&q, err);
}

enum status refusal_rows_get(struct store *store,
                             int64_t feed_id,
                             uint64_t index,
                             char ret_why[static REFUSAL_WHY_MAX + 1],
                             struct error *err)
{
    struct query q = query_start(store, STATEMENT_REFUSAL_GET);
    query_put_int(&q, entry_id(feed_id, index));
    ret_why[0] = '\0';
    if (query_row(&q))
        query_text(&q, ret_why, REFUSAL_WHY_MAX + 1);
    return query_end(&q, err);
}
