#include "node/directory.h"

#include "base/memory.h"
#include "store/peer_rows.h"

#include <stdio.h>
#include <string.h>

enum { PAGE = 32 };

void directory_fini(struct directory *directory)
{
    if (directory == NULL)
        return;
    for (size_t i = 0; i < directory->count; i++) {
        buf_fini(&directory->peers[i].anchor);
        buf_fini(&directory->peers[i].crl);
    }
    mem_free(directory->peers);
    *directory = (struct directory){ NULL, 0 };
}

bool directory_equal(const struct directory *a, const struct directory *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct directory_peer *x = &a->peers[i], *y = &b->peers[i];
        if (!code_equal(&x->known.code, &y->known.code) || x->blocked != y->blocked ||
            strcmp(x->known.address, y->known.address) != 0 ||
            !span_equal(buf_span(&x->anchor), buf_span(&y->anchor)) ||
            !span_equal(buf_span(&x->crl), buf_span(&y->crl)))
            return false;
    }
    return true;
}

static enum status add(struct store *store,
                       const struct peer_row *row,
                       struct directory *directory,
                       struct error *err)
{
    if (row->state != PEER_ACCEPTED && row->state != PEER_BLOCKED)
        return OK;
    if (directory->count >= PEERS_MAX)
        return error_set(err, ERR_LIMIT, "more than %d peers", PEERS_MAX);
    struct directory_peer *grown =
        mem_realloc(directory->peers, (directory->count + 1) * sizeof(*grown));
    if (grown == NULL)
        return error_set(err, ERR_MEMORY, "peers: no memory");
    directory->peers = grown;
    struct directory_peer *peer = &grown[directory->count++];
    *peer = (struct directory_peer){ .blocked = row->state == PEER_BLOCKED };
    peer->known.code = row->code;
    snprintf(peer->known.address, sizeof(peer->known.address), "%s", row->address);
    enum status status =
        peer_rows_get_file(store, row->peer_id, PEER_ANCHOR_DER, &peer->anchor, err);
    if (status == OK)
        status = peer_rows_get_file(store, row->peer_id, PEER_CRL_DER, &peer->crl, err);
    return status;
}

/* Calls `each` for every peer, page by page. */
static enum status for_each(struct store *store,
                            enum status (*each)(struct store *,
                                                const struct peer_row *,
                                                struct directory *,
                                                struct error *),
                            struct directory *directory,
                            struct error *err)
{
    struct peer_row *rows = mem_calloc(PAGE, sizeof(*rows));
    if (rows == NULL)
        return error_set(err, ERR_MEMORY, "peers: no memory");
    size_t count = 0;
    struct code last;
    const struct code *after = NULL;
    enum status status = OK;
    do {
        status = peer_rows_list(store, after, rows, PAGE, &count, err);
        for (size_t i = 0; status == OK && i < count; i++)
            status = each(store, &rows[i], directory, err);
        if (status == OK && count > 0) {
            last = rows[count - 1].code;
            after = &last;
        }
    } while (status == OK && count == PAGE);
    mem_free(rows);
    return status;
}

enum status directory_read(struct store *store, struct directory *ret_directory, struct error *err)
{
    struct directory directory = { NULL, 0 };
    enum status status = for_each(store, add, &directory, err);
    if (status != OK)
        directory_fini(&directory);
    else
        *ret_directory = directory;
    return status;
}

enum status directory_trust(const struct directory *directory,
                            const struct realm *realm,
                            const struct code *self,
                            struct trust **ret_trust,
                            struct error *err)
{
    struct trust_node *nodes = NULL;
    if (directory->count > 0) {
        nodes = mem_calloc(directory->count, sizeof(*nodes));
        if (nodes == NULL)
            return error_set(err, ERR_MEMORY, "trust: no memory");
    }
    for (size_t i = 0; i < directory->count; i++) {
        const struct directory_peer *peer = &directory->peers[i];
        nodes[i].code = peer->known.code;
        nodes[i].anchor = buf_span(&peer->anchor);
        nodes[i].crl = buf_span(&peer->crl);
        nodes[i].blocked = peer->blocked;
    }
    enum status status = trust_new(realm, self, nodes, directory->count, ret_trust, err);
    mem_free(nodes);
    return status;
}

enum status directory_tell(const struct directory *directory,
                           struct exchange *exchange,
                           struct error *err)
{
    struct exchange_peer *peers = NULL;
    size_t count = 0;
    if (directory->count > 0) {
        peers = mem_calloc(directory->count, sizeof(*peers));
        if (peers == NULL)
            return error_set(err, ERR_MEMORY, "peers: no memory");
    }
    for (size_t i = 0; i < directory->count; i++)
        if (!directory->peers[i].blocked)
            peers[count++] = directory->peers[i].known;
    enum status status = exchange_set_peers(exchange, peers, count, err);
    mem_free(peers);
    return status;
}

static enum status count_pending(struct store *store,
                                 const struct peer_row *row,
                                 struct directory *directory,
                                 struct error *err)
{
    (void)store;
    (void)err;
    if (row->state == PEER_PENDING)
        directory->count++;
    return OK;
}

enum status directory_add_pending(struct store *store,
                                  const struct realm *realm,
                                  const struct code *code,
                                  const char *address,
                                  struct error *err)
{
    struct peer_row *row = mem_calloc(1, sizeof(*row));
    if (row == NULL)
        return error_set(err, ERR_MEMORY, "pending peer: no memory");
    struct directory pending = { NULL, 0 };
    struct clock *clock = store_clock(store);
    int64_t peer_id = 0;
    enum status status = peer_rows_get(store, code, row, err);
    if (status == OK && row->state == PEER_PENDING) {
        row->contact_ms = clock->wall_ms(clock);
        snprintf(row->address, sizeof(row->address), "%s", address);
        status = peer_rows_update(store, row, err);
    } else if (status == ERR_NOT_FOUND) {
        status = for_each(store, count_pending, &pending, err);
        if (status == OK && pending.count >= DIRECTORY_PENDING_MAX)
            status =
                error_set(err, ERR_FULL, "%zu strangers are remembered already", pending.count);
        memset(row, 0, sizeof(*row));
        row->code = *code;
        row->realm = *realm;
        row->state = PEER_PENDING;
        row->added_ms = clock->wall_ms(clock);
        row->contact_ms = row->added_ms;
        snprintf(row->address, sizeof(row->address), "%s", address);
        if (status == OK)
            status = peer_rows_add(store, row, &peer_id, err);
    }
    mem_free(row);
    return status;
}
