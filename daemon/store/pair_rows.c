#include "store/pair_rows.h"

#include "store/inside.h"

static enum status get(struct store *store,
                       enum statement_id statement,
                       int64_t peer_id,
                       enum pair_kind kind,
                       const struct id *key,
                       struct id *ret_id,
                       struct error *err)
{
    struct id id = ID_NONE;
    struct query q = query_start(store, statement);
    query_put_int(&q, peer_id);
    query_put_int(&q, kind);
    query_put_id(&q, key);
    bool found = query_row(&q);
    if (found)
        id = query_id(&q);
    enum status status = query_found(&q, found, "id shared with this peer", err);
    if (status == OK)
        *ret_id = id;
    return status;
}

enum status pair_rows_get(struct store *store,
                          int64_t peer_id,
                          enum pair_kind kind,
                          const struct id *local,
                          struct id *ret_pair,
                          struct error *err)
{
    return get(store, STATEMENT_PAIR_GET, peer_id, kind, local, ret_pair, err);
}

enum status pair_rows_local(struct store *store,
                            int64_t peer_id,
                            enum pair_kind kind,
                            const struct id *pair,
                            struct id *ret_local,
                            struct error *err)
{
    return get(store, STATEMENT_PAIR_LOCAL, peer_id, kind, pair, ret_local, err);
}

static enum status add(struct store *store,
                       int64_t peer_id,
                       enum pair_kind kind,
                       const struct id *local,
                       const struct id *pair,
                       struct error *err)
{
    struct query q = query_start(store, STATEMENT_PAIR_ADD);
    query_put_int(&q, peer_id);
    query_put_int(&q, kind);
    query_put_id(&q, local);
    query_put_id(&q, pair);
    return query_run(&q, err);
}

/* `known` given, the other one found or made. */
static enum status find_or_make(struct store *store,
                                enum statement_id find,
                                int64_t peer_id,
                                enum pair_kind kind,
                                const struct id *known,
                                struct id *ret_other,
                                struct error *err)
{
    struct id made;
    /* Most are not there yet, and then nobody reads the sentence that says so. */
    enum status status = get(store, find, peer_id, kind, known, ret_other, NULL);
    if (status == OK)
        return OK;
    if (status != ERR_NOT_FOUND)
        return get(store, find, peer_id, kind, known, ret_other, err);
    status = id_make(&made, store->clock->wall_ms(store->clock), store->random, err);
    if (status == OK)
        status = find == STATEMENT_PAIR_GET ? add(store, peer_id, kind, known, &made, err)
                                            : add(store, peer_id, kind, &made, known, err);
    if (status == OK)
        *ret_other = made;
    return status;
}

enum status pair_rows_take(struct store *store,
                           int64_t peer_id,
                           enum pair_kind kind,
                           const struct id *local,
                           struct id *ret_pair,
                           struct error *err)
{
    return find_or_make(store, STATEMENT_PAIR_GET, peer_id, kind, local, ret_pair, err);
}

enum status pair_rows_adopt(struct store *store,
                            int64_t peer_id,
                            enum pair_kind kind,
                            const struct id *pair,
                            struct id *ret_local,
                            struct error *err)
{
    return find_or_make(store, STATEMENT_PAIR_LOCAL, peer_id, kind, pair, ret_local, err);
}
