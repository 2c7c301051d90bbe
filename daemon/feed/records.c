#include "feed/records.h"

#include "base/cursor.h"
#include "base/memory.h"
#include "consent/lifecycle.h"
#include "crypto/digest.h"
#include "crypto/seal.h"
#include "feed/cover.h"
#include "log/header.h"
#include "store/consent_rows.h"
#include "store/delivery_rows.h"
#include "store/keys.h"

#include <string.h>

static_assert((int)RECORD_ROW_EXCERPT == RECORD_EXCERPT &&
                  (int)RECORD_ROW_RELEASE == RECORD_RELEASE,
              "the store's kinds are those of the record layer");

/* The name in the node's own table of small values, and the slot of the key that it holds. */
static const char identity_key[] = "records.identity_key";

const char *records_outcome_name(enum records_outcome outcome)
{
    static const char *const names[] = { "new", "next version", "unchanged" };
    return (unsigned)outcome < 3 ? names[outcome] : "unknown";
}

/* Ids of one import differ in their first 16 digits and rise: lists show records in the order in
 * which they came, and a few digits name one. */
static enum status make_id(struct feed_context *feed,
                           int64_t now_ms,
                           struct id *ret_id,
                           struct error *err)
{
    enum { RISING = 8 };
    struct id last = ID_NONE;
    struct error why = ERROR_INIT;
    enum status status = id_make(ret_id, now_ms, feed->random, err);
    if (status != OK)
        return status;
    status = record_rows_last(feed->store, &last, &why);
    if (status != OK)
        return status == ERR_NOT_FOUND ? OK : error_set(err, status, "%s", why.text);
    if (memcmp(ret_id->bytes, last.bytes, RISING) > 0)
        return OK;
    memcpy(ret_id->bytes, last.bytes, RISING);
    for (size_t i = RISING; i-- > 0;)
        if (++ret_id->bytes[i] != 0)
            break;
    return OK;
}

static enum status add(struct feed_context *feed,
                       struct record_row *row, /* record id ID_NONE: a new one, set here */
                       struct span canonical,
                       uint32_t *ret_version,
                       struct error *err)
{
    enum status status = OK;
    row->created_ms = feed->clock->wall_ms(feed->clock);
    if (id_is_none(&row->record_id))
        status = make_id(feed, row->created_ms, &row->record_id, err);
    if (status == OK)
        status = record_rows_add(feed->store, row, canonical, ret_version, err);
    return status;
}

/* -- excerpts ---------------------------------------------------------------------------------- */

enum status records_add_excerpt(struct feed_context *feed,
                                uint32_t uid,
                                const struct excerpt *excerpt,
                                struct id *ret_record_id,
                                struct error *err)
{
    struct buf canonical = BUF_INIT_SECRET;
    struct record_row row = { .kind = RECORD_ROW_EXCERPT, .created_by = uid };
    uint32_t version = 0;
    enum status status = excerpt_encode(excerpt, &canonical, err);
    if (status == OK)
        status = add(feed, &row, buf_span(&canonical), &version, err);
    if (status == OK)
        *ret_record_id = row.record_id;
    buf_fini(&canonical);
    return status;
}

static enum status check_changeable(const struct record_row *row, struct error *err)
{
    if (row->kind != RECORD_ROW_EXCERPT) {
        return error_set(err, ERR_WRONG_STATE,
                         "it is a release: its next version comes by importing the next vintage; "
                         "next: stats import");
    }
    if (row->state != RECORD_ROW_CURRENT)
        return error_set(err, ERR_WRONG_STATE,
                         "the record is retired; next: add a new record (excerpt add)");
    return OK;
}

enum status records_change_excerpt(struct feed_context *feed,
                                   uint32_t uid,
                                   const struct id *record_id,
                                   const struct excerpt *excerpt,
                                   uint32_t *ret_version,
                                   struct error *err)
{
    struct buf now = BUF_INIT_SECRET, former = BUF_INIT_SECRET;
    struct record_row row;
    enum status status = record_rows_get(feed->store, record_id, &row, err);
    if (status == OK)
        status = check_changeable(&row, err);
    if (status == OK)
        status = excerpt_encode(excerpt, &now, err);
    if (status == OK)
        status = record_rows_open(feed->store, record_id, row.version, &former, err);
    if (status == OK && span_equal(buf_span(&now), buf_span(&former)))
        status = error_set(err, ERR_EXISTS, "it is the same as version %u, word for word",
                           (unsigned)row.version);
    if (status == OK) {
        row.created_by = uid;
        status = add(feed, &row, buf_span(&now), ret_version, err);
    }
    buf_fini(&now);
    buf_fini(&former);
    return status;
}

enum status records_import_excerpts(struct feed_context *feed,
                                    uint32_t uid,
                                    const struct excerpt_list *list,
                                    struct id *ret_ids,
                                    struct error *err)
{
    struct buf canonical = BUF_INIT_SECRET;
    enum status status = OK;
    /* All are encoded once before the first is stored: a refusal must leave nothing behind. */
    for (size_t i = 0; status == OK && i < list->count; i++) {
        buf_clear(&canonical);
        status = excerpt_encode(&list->items[i], &canonical, err);
        if (status != OK)
            status = error_prefix(err, "excerpt %zu of %zu", i + 1, list->count);
    }
    for (size_t i = 0; status == OK && i < list->count; i++)
        status = records_add_excerpt(feed, uid, &list->items[i], &ret_ids[i], err);
    buf_fini(&canonical);
    return status;
}

/* -- releases ---------------------------------------------------------------------------------- */

/* The key that hides identities (titles of a kind) from a reader of the index; made once. */
static enum status take_identity_key(struct feed_context *feed,
                                     struct seal_key *ret_key,
                                     struct error *err)
{
    struct buf value = BUF_INIT;
    uint64_t slot = 0;
    enum status status = store_meta_get(feed->store, identity_key, &value, err);
    if (status == OK) {
        struct reader r = reader_init(buf_span(&value));
        slot = reader_u64(&r);
        status = reader_done(&r, identity_key, err);
        if (status == OK)
            status = keys_get(feed->store, slot, ret_key, err);
    } else if (status == ERR_NOT_FOUND) {
        status = keys_add(feed->store, &ID_NONE, &slot, ret_key, err);
        struct writer w = writer_init(&value);
        writer_u64(&w, slot);
        if (status == OK)
            status = writer_done(&w, identity_key, err);
        if (status == OK)
            status = store_meta_set(feed->store, identity_key, buf_span(&value), err);
    }
    buf_fini(&value);
    return status;
}

/* SHA-256(key || identity): never zeros in practice, so zeros mean "none" in the table. */
static enum status hash_identity(const struct seal_key *key,
                                 struct span identity,
                                 struct digest *ret_digest,
                                 struct error *err)
{
    const struct span parts[] = { SPAN_ARRAY(key->bytes), identity };
    return sha256_of(parts, 2, ret_digest, err);
}

/* The same figures, whatever the compression made of them. */
static enum status same_figures(struct span a, struct span b, bool *ret_same, struct error *err)
{
    struct release left, right;
    if (span_equal(a, b)) {
        *ret_same = true;
        return OK;
    }
    enum status status = release_decode(NULL, a, &left, err);
    if (status != OK)
        return status;
    status = release_decode(NULL, b, &right, err);
    if (status == OK) {
        *ret_same = span_equal(buf_span(&left.plain), buf_span(&right.plain));
        release_fini(&right);
    }
    release_fini(&left);
    return status;
}

static enum status import_next(struct feed_context *feed,
                               struct record_row *row,
                               struct span bytes,
                               struct records_imported *imported,
                               struct error *err)
{
    struct buf former = BUF_INIT_SECRET;
    bool same = false;
    enum status status = record_rows_open(feed->store, &row->record_id, row->version, &former, err);
    if (status == OK)
        status = same_figures(buf_span(&former), bytes, &same, err);
    imported->outcome = same ? RECORDS_UNCHANGED : RECORDS_NEXT_VERSION;
    imported->version = row->version;
    if (status == OK && !same)
        status = add(feed, row, bytes, &imported->version, err);
    buf_fini(&former);
    return status;
}

static enum status import_release(struct feed_context *feed,
                                  uint32_t uid,
                                  const struct seal_key *key,
                                  const struct sdmx_release *item,
                                  struct records_imported *ret_imported,
                                  struct error *err)
{
    struct digest identity;
    struct record_row row;
    struct records_imported imported = { .observations = item->observation_count };
    enum status status = hash_identity(key, buf_span(&item->identity), &identity, err);
    if (status == OK)
        status = record_rows_by_identity(feed->store, &identity, &row, err);
    if (status == OK) {
        row.created_by = uid;
        status = import_next(feed, &row, buf_span(&item->bytes), &imported, err);
    } else if (status == ERR_NOT_FOUND) {
        row = (struct record_row){ .kind = RECORD_ROW_RELEASE,
                                   .created_by = uid,
                                   .identity = identity };
        imported.outcome = RECORDS_NEW;
        status = add(feed, &row, buf_span(&item->bytes), &imported.version, err);
    }
    imported.record_id = row.record_id;
    if (status == OK)
        *ret_imported = imported;
    return status;
}

/* What is stored can be approved, and what was approved must be able to leave: one entry of a feed
 * carries a body whole. */
static enum status check_size(const struct sdmx_release *item, struct error *err)
{
    if (item->bytes.size <= HEADER_CONTENT_MAX)
        return OK;
    return error_set(err, ERR_LIMIT,
                     "a release of %zu observations takes %zu bytes packed; one entry of a feed "
                     "carries at most %d; next: split the file into releases of shorter periods, "
                     "or of one source each",
                     item->observation_count, item->bytes.size, HEADER_CONTENT_MAX);
}

enum status records_import_releases(struct feed_context *feed,
                                    uint32_t uid,
                                    const struct sdmx_release_list *list,
                                    struct records_imported *ret_imported,
                                    struct error *err)
{
    struct seal_key key;
    enum status status = OK;
    for (size_t i = 0; status == OK && i < list->count; i++) {
        size_t observations = 0;
        status = check_size(&list->items[i], err);
        if (status == OK)
            status = release_check(NULL, buf_span(&list->items[i].bytes), &feed->self,
                                   &observations, err);
    }
    if (status == OK)
        status = take_identity_key(feed, &key, err);
    for (size_t i = 0; status == OK && i < list->count; i++)
        status = import_release(feed, uid, &key, &list->items[i], &ret_imported[i], err);
    mem_wipe(&key, sizeof(key));
    return status;
}

/* -- retire ------------------------------------------------------------------------------------ */

static enum status count_consents(struct feed_context *feed,
                                  const struct id *record_id,
                                  enum consent_state state,
                                  uint64_t *count_up,
                                  struct error *err)
{
    enum { PAGE = 32 };
    struct consent_row rows[PAGE];
    struct id after = ID_NONE;
    for (size_t count = PAGE; count == PAGE;) {
        enum status status =
            consent_rows_list(feed->store, (uint8_t)state, id_is_none(&after) ? NULL : &after, rows,
                              PAGE, &count, err);
        for (size_t i = 0; status == OK && i < count; i++) {
            struct consent_record_row row;
            bool listed = false;
            after = rows[i].consent_id;
            status = cover_listed(feed, &after, record_id, &row, &listed, err);
            *count_up += listed;
        }
        if (status != OK)
            return status;
    }
    return OK;
}

static enum status count_given(struct feed_context *feed,
                               const struct id *record_id,
                               uint64_t *count_up,
                               struct error *err)
{
    enum { PAGE = 64 };
    struct delivery_row rows[PAGE];
    struct delivery_filter filter = { .record_id = *record_id, .live_only = true };
    int64_t after = 0;
    for (size_t count = PAGE; count == PAGE;) {
        enum status status =
            delivery_rows_list(feed->store, &filter, after, rows, PAGE, &count, err);
        if (status != OK)
            return status;
        *count_up += count;
        if (count > 0)
            after = rows[count - 1].delivery_id;
    }
    return OK;
}

enum status records_retire(struct feed_context *feed,
                           uint32_t uid,
                           const struct id *record_id,
                           struct records_retired *ret_retired,
                           struct error *err)
{
    (void)uid; /* who did it stands in the journal */
    struct record_row row;
    struct records_retired retired = { 0, 0 };
    enum status status = record_rows_get(feed->store, record_id, &row, err);
    if (status == OK && row.state != RECORD_ROW_CURRENT)
        status = error_set(err, ERR_WRONG_STATE, "the record is retired already");
    if (status == OK)
        status = count_consents(feed, record_id, CONSENT_ACTIVE, &retired.consents_in_force, err);
    if (status == OK)
        status =
            count_consents(feed, record_id, CONSENT_SUSPENDED, &retired.consents_in_force, err);
    if (status == OK)
        status = count_given(feed, record_id, &retired.given, err);
    if (status == OK)
        status = record_rows_retire(feed->store, record_id, err);
    if (status == OK)
        *ret_retired = retired;
    return status;
}
