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

/* *ret_added is false where `local` has a pair id already. */
static enum status add(struct store *store,
                       int64_t peer_id,
                       enum pair_kind kind,
                       const struct id *local,
                       const struct id *pair,
                       bool *ret_added,
                       struct error *err)
{
    struct query q = query_start(store, STATEMENT_PAIR_ADD);
    query_put_int(&q, peer_id);
    query_put_int(&q, kind);
    query_put_id(&q, local);
    query_put_id(&q, pair);
    enum status status = query_run(&q, err);
    if (status == OK)
        *ret_added = sqlite3_changes(store->db) > 0;
    return status;
}

static enum status make(struct store *store, struct id *ret_id, struct error *err)
{
    return id_make(ret_id, store->clock->wall_ms(store->clock), store->random, err);
}

/* A subject has mostly none yet, a consent mostly one. */
enum status pair_rows_take(struct store *store,
                           int64_t peer_id,
                           enum pair_kind kind,
                           const struct id *local,
                           struct id *ret_pair,
                           struct error *err)
{
    struct id made;
    bool added = false;
    enum status status = ERR_NOT_FOUND;
    if (kind == PAIR_CONSENT) /* nobody reads the sentence that says: none */
        status = get(store, STATEMENT_PAIR_GET, peer_id, kind, local, ret_pair, NULL);
    if (status == OK)
        return OK;
    status = make(store, &made, err);
    if (status == OK)
        status = add(store, peer_id, kind, local, &made, &added, err);
    if (status == OK && !added)
        return get(store, STATEMENT_PAIR_GET, peer_id, kind, local, ret_pair, err);
    if (status == OK)
        *ret_pair = made;
    return status;
}

enum status pair_rows_adopt(struct store *store,
                            int64_t peer_id,
                            enum pair_kind kind,
                            const struct id *pair,
                            struct id *ret_local,
                            struct error *err)
{
    struct id made;
    bool added = false;
    enum status status = get(store, STATEMENT_PAIR_LOCAL, peer_id, kind, pair, ret_local, err);
    if (status != ERR_NOT_FOUND)
        return status;
    status = make(store, &made, err);
    if (status == OK)
        status = add(store, peer_id, kind, &made, pair, &added, err);
    if (status == OK)
        *ret_local = made;
    return status;
}
