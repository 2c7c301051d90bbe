/* The preview of a consent (consent_rows.h): sealed, with a key of the consent's own group. */
#include "base/memory.h"
#include "store/consent_rows.h"
#include "store/inside.h"
#include "store/keys.h"

static const char label[] = "consent preview";

/* ERR_NOT_FOUND: the consent never had one.  The sealed bytes into store->sealed. */
static enum status read_sealed(struct store *store,
                               const struct id *consent_id,
                               uint64_t *ret_slot,
                               struct error *err)
{
    enum status status = OK;
    buf_clear(&store->sealed);
    struct query q = query_start(store, STATEMENT_CONSENT_PREVIEW_GET);
    query_put_id(&q, consent_id);
    bool found = query_row(&q);
    if (found) {
        *ret_slot = query_uint(&q);
        status = buf_append(&store->sealed, query_blob(&q), err);
    }
    enum status ended = query_found(&q, found, "preview", status == OK ? err : NULL);
    return status == OK ? ended : status;
}

static enum status take_key(struct store *store,
                            const struct id *consent_id,
                            uint64_t *ret_slot,
                            struct seal_key *ret_key,
                            struct error *err)
{
    enum status status = read_sealed(store, consent_id, ret_slot, err);
    if (status == OK)
        return keys_get(store, *ret_slot, ret_key, err);
    return status == ERR_NOT_FOUND ? keys_add(store, consent_id, ret_slot, ret_key, err) : status;
}

enum status consent_rows_set_preview(struct store *store,
                                     const struct id *consent_id,
                                     struct span preview,
                                     struct error *err)
{
    const struct span about[] = { SPAN_LITERAL(label), SPAN_ARRAY(consent_id->bytes) };
    struct seal_key key;
    uint64_t slot = KEY_SLOT_NONE;
    struct query q;
    if (preview.size == 0) {
        q = query_start(store, STATEMENT_CONSENT_PREVIEW_REMOVE);
        query_put_id(&q, consent_id);
        return query_run(&q, err);
    }
    enum status status = take_key(store, consent_id, &slot, &key, err);
    if (status != OK)
        return status;
    buf_clear(&store->sealed);
    status = seal(store->sealer, &key, about, 2, preview, &store->sealed, err);
    mem_wipe(&key, sizeof(key));
    if (status != OK)
        return status;
    q = query_start(store, STATEMENT_CONSENT_PREVIEW_SET);
    query_put_id(&q, consent_id);
    query_put_uint(&q, slot);
    query_put_blob(&q, buf_span(&store->sealed));
    status = query_run(&q, err);
    store_scratch_done(&store->sealed);
    return status;
}

enum status consent_rows_get_preview(struct store *store,
                                     const struct id *consent_id,
                                     struct buf *ret_preview,
                                     struct error *err)
{
    const struct span about[] = { SPAN_LITERAL(label), SPAN_ARRAY(consent_id->bytes) };
    struct seal_key key;
    uint64_t slot = KEY_SLOT_NONE;
    enum status status = read_sealed(store, consent_id, &slot, err);
    if (status == OK && store->sealed.size == 0)
        status = error_set(err, ERR_NOT_FOUND, "the consent has no remembered preview");
    if (status == OK)
        status = keys_get(store, slot, &key, err);
    if (status != OK)
        return status;
    status = seal_open(store->sealer, &key, about, 2, buf_span(&store->sealed), ret_preview, err);
    mem_wipe(&key, sizeof(key));
    store_scratch_done(&store->sealed);
    if (status == ERR_SIGNATURE) {
        status = error_set(err, ERR_CORRUPT,
                           "the remembered preview does not open: its stored "
                           "bytes were changed");
    }
    return status;
}
