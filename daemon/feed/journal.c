#include "feed/journal.h"

#include "base/cursor.h"
#include "feed/keyring.h"
#include "feed/leaves.h"
#include "feed/peering.h"
#include "log/origin.h"
#include "store/journal_rows.h"

#include <stdio.h>
#include <string.h>

enum {
    LEAF_VERSION = 1,
    FEEDS_PAGE = 4,
    RECORDS_STEP = 64 /* some ms */
};

/* -- leaves ------------------------------------------------------------------------------------ */

static void write_text(struct writer *w, const char *text)
{
    struct span span = span_slice(span_text(text), 0, JOURNAL_TEXT_MAX);
    writer_u16(w, (uint16_t)span.size);
    writer_bytes(w, span);
}

static void read_text(struct reader *r, char text[static JOURNAL_TEXT_MAX + 1])
{
    uint16_t size = reader_u16(r);
    struct span bytes = reader_bytes(r, size);
    if (bytes.size > JOURNAL_TEXT_MAX)
        r->failed = true;
    else if (bytes.size > 0)
        memcpy(text, bytes.data, bytes.size);
}

static enum status leaf_decode(struct span bytes,
                               uint64_t index,
                               struct journal_record *ret_record,
                               struct error *err)
{
    struct journal_record record = { .index = index };
    struct reader r = reader_init(bytes);
    uint8_t version = reader_u8(&r);
    record.time_ms = (int64_t)reader_u64(&r);
    record.uid = reader_u32(&r);
    uint16_t result = reader_u16(&r);
    record.result = result < STATUS_COUNT ? (enum status)result : ERR_INTERNAL;
    read_text(&r, record.user);
    read_text(&r, record.action);
    read_text(&r, record.object);
    read_text(&r, record.detail);
    bool known = r.failed || version == LEAF_VERSION;
    if (!known || reader_done(&r, "journal", err) != OK)
        return error_set(err, ERR_CORRUPT, "journal record %llu cannot be read",
                         (unsigned long long)index);
    *ret_record = record;
    return OK;
}

/* -- the head ---------------------------------------------------------------------------------- */

static enum status open_leaves(struct feed_context *feed,
                               const struct journal_head *head,
                               struct leaves *ret_leaves,
                               struct error *err)
{
    enum status status = leaves_init(ret_leaves, feed->store, LEAVES_JOURNAL, head->size,
                                     span_of(head->frontier, head->frontier_size), err);
    ret_leaves->journal_epoch = head->epoch;
    return status;
}

/* The first journal of this node, or the next epoch after a rollback. */
static enum status open_epoch(struct feed_context *feed,
                              struct journal_head *ret_head,
                              struct error *err)
{
    struct journal_head head = { .epoch = 0 };
    struct tree empty;
    tree_init(&empty);
    enum status status = tree_root(&empty, &head.root, err);
    while (status == OK && head.epoch == 0) /* 0 stands for "no journal yet" */
        status = feed->random->fill(feed->random, &head.epoch, sizeof(head.epoch), err);
    if (status != OK)
        return status;
    origin_journal(&feed->realm, &feed->self, head.epoch, head.origin);
    *ret_head = head;
    return OK;
}

static enum status append_leaf(struct feed_context *feed,
                               struct journal_head *head,
                               struct span leaf,
                               struct error *err)
{
    struct leaves leaves;
    enum status status = open_leaves(feed, head, &leaves, err);
    if (status == OK)
        status = journal_rows_append(feed->store, head->epoch, head->size, leaf, err);
    if (status == OK)
        status = leaves_append(&leaves, leaf, err);
    if (status == OK)
        status = tree_root(&leaves.tree, &head->root, err);
    if (status != OK)
        return status;
    head->size = leaves.tree.size;
    head->frontier_size = (size_t)tree_peak_count(head->size) * DIGEST_SIZE;
    memcpy(head->frontier, leaves.tree.peaks, head->frontier_size);
    return journal_rows_set_head(feed->store, head, err);
}

static enum status append_record(struct feed_context *feed,
                                 struct journal_head *head,
                                 const struct journal_record *record,
                                 struct error *err)
{
    struct buf leaf = BUF_INIT;
    struct writer w = writer_init(&leaf);
    writer_u8(&w, LEAF_VERSION);
    writer_u64(&w, (uint64_t)record->time_ms);
    writer_u32(&w, record->uid);
    writer_u16(&w, (uint16_t)record->result);
    write_text(&w, record->user);
    write_text(&w, record->action);
    write_text(&w, record->object);
    write_text(&w, record->detail);
    enum status status = writer_done(&w, "journal", err);
    if (status == OK)
        status = append_leaf(feed, head, buf_span(&leaf), err);
    buf_fini(&leaf);
    return status;
}

/* The head to append to.  After a rollback the new epoch begins by naming the old one. */
static enum status take_head(struct feed_context *feed,
                             struct journal_head *ret_head,
                             struct error *err)
{
    struct journal_head former;
    enum status status = journal_rows_head(feed->store, &former, err);
    if (status != OK)
        return status;
    if (former.epoch != 0 && !former.rolled_back) {
        *ret_head = former;
        return OK;
    }
    status = open_epoch(feed, ret_head, err);
    if (status != OK || former.epoch == 0)
        return status;
    struct journal_record record = { .time_ms = peering_now_ms(feed), .result = OK };
    char root[2 * DIGEST_SIZE + 1];
    hex_encode(SPAN_ARRAY(former.root.bytes), root);
    (void)snprintf(record.action, sizeof(record.action), "journal restored");
    (void)snprintf(record.object, sizeof(record.object), "%s", former.origin);
    (void)snprintf(record.detail, sizeof(record.detail),
                   "the database was rolled back; size %llu root %s",
                   (unsigned long long)former.size, root);
    return append_record(feed, ret_head, &record, err);
}

static void set_text(char to[static JOURNAL_TEXT_MAX + 1], const char *text)
{
    (void)snprintf(to, JOURNAL_TEXT_MAX + 1, "%s", text == NULL ? "" : text);
}

/* As many parameters as a record has fields. */
enum status journal_append(struct feed_context *feed, /* NOLINT(readability-function-size) */
                           uint32_t uid,
                           const char *user,
                           const char *action,
                           const char *object,
                           enum status result,
                           const char *detail,
                           struct error *err)
{
    struct journal_head head;
    struct journal_record record = { .time_ms = peering_now_ms(feed),
                                     .uid = uid,
                                     .result = result };
    set_text(record.user, user);
    set_text(record.action, action);
    set_text(record.object, object);
    set_text(record.detail, detail);
    enum status status = take_head(feed, &head, err);
    if (status == OK)
        status = append_record(feed, &head, &record, err);
    if (status != OK)
        error_prefix(err, "journal");
    return status;
}

/* One record for each feed: its origin, size and root. */
enum status journal_append_heads(struct feed_context *feed, struct error *err)
{
    struct feed_row rows[FEEDS_PAGE];
    int64_t after = 0;
    size_t count = FEEDS_PAGE;
    enum status status = OK;
    while (status == OK && count == FEEDS_PAGE) {
        status = feed_rows_list(feed->store, after, rows, FEEDS_PAGE, &count, err);
        for (size_t i = 0; status == OK && i < count; i++) {
            char detail[128];
            char root[2 * DIGEST_SIZE + 1];
            after = rows[i].feed_id;
            hex_encode(SPAN_ARRAY(rows[i].root.bytes), root);
            (void)snprintf(detail, sizeof(detail), "size %llu root %s",
                           (unsigned long long)rows[i].size, root);
            status = journal_append(feed, 0, NULL, "feed head", rows[i].origin, OK, detail, err);
        }
    }
    return status;
}

/* -- reading ----------------------------------------------------------------------------------- */

enum status journal_list(struct feed_context *feed, /* NOLINT(readability-function-size) */
                         uint64_t from,
                         uint64_t end,
                         journal_visit visit,
                         void *context,
                         uint64_t *ret_size,
                         struct error *err)
{
    struct journal_head head;
    struct buf leaf = BUF_INIT;
    enum status status = journal_rows_head(feed->store, &head, err);
    if (status == OK && end > head.size)
        end = head.size;
    for (uint64_t index = from; status == OK && index < end; index++) {
        struct journal_record record;
        buf_clear(&leaf);
        status = journal_rows_get(feed->store, head.epoch, index, &leaf, err);
        if (status == OK)
            status = leaf_decode(buf_span(&leaf), index, &record, err);
        if (status == OK)
            status = visit(context, &record, err);
    }
    buf_fini(&leaf);
    if (status == OK && ret_size != NULL)
        *ret_size = head.size;
    return status;
}

enum status journal_checkpoint(struct feed_context *feed,
                               struct buf *append_note,
                               struct error *err)
{
    struct journal_head head;
    enum status status = journal_rows_head(feed->store, &head, err);
    if (status == OK && head.epoch == 0)
        return error_set(err, ERR_NOT_FOUND, "nothing was journalled yet");
    if (status == OK && head.rolled_back) {
        return error_set(err, ERR_WRONG_STATE,
                         "the journal was rolled back and goes on in a new epoch with the next "
                         "action");
    }
    if (status != OK)
        return status;
    struct checkpoint checkpoint = { span_text(head.origin), head.size, head.root };
    return keyring_sign(feed, &checkpoint, append_note, err);
}

/* -- verifying --------------------------------------------------------------------------------- */

static enum status breathe(const struct journal_pause *pause, struct error *err)
{
    if (pause == NULL || pause->between(pause->self))
        return OK;
    return error_set(err, ERR_BUSY, "given up before its end; next: repeat it");
}

/* Reads one record into *bytes, decodes it, and hangs it on the tree. */
static enum status take_leaf(struct feed_context *feed,
                             const struct journal_head *head,
                             uint64_t index,
                             struct buf *bytes,
                             struct tree *tree,
                             struct error *err)
{
    struct digest leaf;
    struct journal_record record;
    buf_clear(bytes);
    enum status status = journal_rows_get(feed->store, head->epoch, index, bytes, err);
    if (status == ERR_NOT_FOUND)
        status = error_set(err, ERR_MISMATCH, "journal record %llu is missing",
                           (unsigned long long)index);
    if (status == OK)
        status = leaf_decode(buf_span(bytes), index, &record, err);
    if (status == OK)
        status = tree_leaf(buf_span(bytes), &leaf, err);
    return status == OK ? tree_append(tree, &leaf, NULL, err) : status;
}

static enum status recompute(struct feed_context *feed,
                             const struct journal_head *head,
                             const struct checkpoint *earlier,
                             const struct journal_pause *pause,
                             struct error *err)
{
    struct tree tree;
    struct digest root;
    struct buf bytes = BUF_INIT;
    tree_init(&tree);
    enum status status = OK;
    for (uint64_t index = 0; status == OK && index < head->size; index++) {
        status = take_leaf(feed, head, index, &bytes, &tree, err);
        if (status == OK && index % RECORDS_STEP == RECORDS_STEP - 1)
            status = breathe(pause, err);
        bool at_earlier = status == OK && earlier != NULL && tree.size == earlier->size;
        if (at_earlier)
            status = tree_root(&tree, &root, err);
        if (status == OK && at_earlier && !digest_equal(&root, &earlier->root)) {
            status = error_set(err, ERR_MISMATCH,
                               "the first %llu records are not those of the checkpoint",
                               (unsigned long long)tree.size);
        }
    }
    buf_fini(&bytes);
    if (status == OK)
        status = tree_root(&tree, &root, err);
    if (status == OK && !digest_equal(&root, &head->root))
        status = error_set(err, ERR_MISMATCH, "the records do not give the root of the journal");
    return status;
}

static enum status open_earlier(struct feed_context *feed,
                                const struct journal_head *head,
                                struct span note,
                                struct checkpoint *ret_checkpoint,
                                struct error *err)
{
    const struct peer_row nobody = { .code = feed->self };
    const struct keyring_note own = { &nobody, FEED_OUT, note, span_text(head->origin), NULL };
    enum status status = keyring_open(feed, &own, ret_checkpoint, NULL, err);
    if (status == OK && ret_checkpoint->size > head->size) {
        status =
            error_set(err, ERR_MISMATCH, "the journal had %llu records at the checkpoint, now %llu",
                      (unsigned long long)ret_checkpoint->size, (unsigned long long)head->size);
    }
    return status;
}

enum status journal_verify(struct feed_context *feed,
                           struct span earlier_note,
                           uint64_t *ret_size,
                           struct error *err)
{
    return journal_verify_in_steps(feed, earlier_note, NULL, ret_size, err);
}

enum status journal_verify_in_steps(struct feed_context *feed,
                                    struct span earlier_note,
                                    const struct journal_pause *pause,
                                    uint64_t *ret_size,
                                    struct error *err)
{
    struct journal_head head;
    struct checkpoint earlier = { 0 };
    bool has_earlier = earlier_note.size > 0;
    enum status status = journal_rows_head(feed->store, &head, err);
    if (status == OK && has_earlier)
        status = open_earlier(feed, &head, earlier_note, &earlier, err);
    if (status == OK && head.epoch != 0)
        status = recompute(feed, &head, has_earlier ? &earlier : NULL, pause, err);
    if (status != OK) {
        error_prefix(err, "journal");
        return status;
    }
    *ret_size = head.size;
    return OK;
}
