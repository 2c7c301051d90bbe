#include "store/journal_rows.h"

#include "store/inside.h"

#include <string.h>

enum status journal_rows_head(struct store *store, struct journal_head *ret_head, struct error *err)
{
    struct journal_head head = { 0 };
    struct query q = query_start(store, STATEMENT_JOURNAL_HEAD);
    bool found = query_row(&q);
    if (found) {
        query_text(&q, head.origin, sizeof(head.origin));
        head.epoch = query_uint(&q);
        head.size = query_uint(&q);
        head.root = query_digest(&q);
        struct span frontier = query_blob(&q);
        if (frontier.size <= sizeof(head.frontier)) {
            head.frontier_size = frontier.size;
            if (frontier.size > 0)
                memcpy(head.frontier, frontier.data, frontier.size);
        } else {
            q.malformed = true;
        }
        head.rolled_back = query_bool(&q);
    }
    enum status status = query_found(&q, found, "journal", err);
    if (status == OK)
        *ret_head = head;
    return status;
}

enum status journal_rows_set_head(struct store *store,
                                  const struct journal_head *head,
                                  struct error *err)
{
    struct query q = query_start(store, STATEMENT_JOURNAL_SET_HEAD);
    query_put_text(&q, head->origin);
    query_put_uint(&q, head->epoch);
    query_put_uint(&q, head->size);
    query_put_digest(&q, &head->root);
    query_put_blob(&q, span_of(head->frontier, head->frontier_size));
    query_put_int(&q, head->rolled_back);
    enum status status = query_run_one(&q, "journal", err);
    return status == OK ? heads_mark(store, 0, err) : status;
}

enum status journal_rows_append(
    struct store *store, uint64_t epoch, uint64_t index, struct span leaf, struct error *err)
{
    if (leaf.size > JOURNAL_LEAF_MAX)
        return error_set(err, ERR_LIMIT, "journal entry of %zu bytes > %d", leaf.size,
                         JOURNAL_LEAF_MAX);
    struct query q = query_start(store, STATEMENT_JOURNAL_ADD);
    query_put_uint(&q, epoch);
    query_put_uint(&q, index);
    query_put_blob(&q, leaf);
    return query_run(&q, err);
}

enum status journal_rows_get(
    struct store *store, uint64_t epoch, uint64_t index, struct buf *ret_leaf, struct error *err)
{
    struct query q = query_start(store, STATEMENT_JOURNAL_GET);
    query_put_uint(&q, epoch);
    query_put_uint(&q, index);
    return query_append(&q, ret_leaf, "journal entry", err);
}

/* As much of the text as the column takes, cut between characters of UTF-8. */
static void cut(const char *text, char *ret_text, size_t size)
{
    size_t length = strnlen(text, size);
    if (length == size) {
        length--;
        while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
            length--;
    }
    memcpy(ret_text, text, length);
    ret_text[length] = '\0';
}

enum status alarm_rows_raise(struct store *store,
                             const char *kind,
                             const struct code *peer,
                             const char *text,
                             int64_t *ret_alarm_id,
                             struct error *err)
{
    char short_kind[ALARM_KIND_MAX + 1];
    char short_text[ALARM_TEXT_MAX + 1];
    cut(kind, short_kind, sizeof(short_kind));
    cut(text, short_text, sizeof(short_text));
    int64_t alarm_id = 0;
    struct query q = query_start(store, STATEMENT_ALARM_RAISE);
    query_put_text(&q, short_kind);
    query_put_text(&q, peer == NULL ? "" : peer->text);
    query_put_text(&q, short_text);
    query_put_int(&q, store->clock->wall_ms(store->clock));
    while (query_row(&q))
        alarm_id = query_int(&q);
    enum status status = query_end(&q, err);
    if (status == OK)
        *ret_alarm_id = alarm_id;
    return status;
}

enum status alarm_rows_close(struct store *store, int64_t alarm_id, uint32_t uid, struct error *err)
{
    struct query q = query_start(store, STATEMENT_ALARM_CLOSE);
    query_put_int(&q, store->clock->wall_ms(store->clock));
    query_put_uint(&q, uid);
    query_put_int(&q, alarm_id);
    return query_run_one(&q, "open alarm", err);
}

enum status alarm_rows_list(struct store *store,
                            bool open_only,
                            int64_t after,
                            struct alarm_row *ret_rows,
                            size_t max,
                            size_t *ret_count,
                            struct error *err)
{
    size_t count = 0;
    struct query q = query_start(store, STATEMENT_ALARM_LIST);
    query_put_int(&q, open_only);
    query_put_int(&q, after);
    query_put_uint(&q, max);
    while (count < max && query_row(&q)) {
        struct alarm_row *row = &ret_rows[count++];
        row->alarm_id = query_int(&q);
        query_text(&q, row->kind, sizeof(row->kind));
        query_text(&q, row->peer.text, sizeof(row->peer.text));
        query_text(&q, row->text, sizeof(row->text));
        row->opened_ms = query_int(&q);
        row->last_ms = query_int(&q);
        row->closed_ms = query_int(&q);
        row->times = query_u32(&q);
        row->closed_by = query_u32(&q);
    }
    enum status status = query_end(&q, err);
    if (status == OK)
        *ret_count = count;
    return status;
}
