#include "feed/check_internal.h"

#include "base/counted.h"
#include "feed/compose.h"
#include "feed/ingestion.h"
#include "feed/journal.h"
#include "feed/keyring.h"
#include "log/origin.h"
#include "store/entry_rows.h"
#include "store/integrity.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    ENTRIES_STEP = 64,       /* some ms, with bodies of usual size */
    BYTES_STEP = 1024 * 1024 /* or so much of larger ones */
};

void check_result_fini(struct check_result *result)
{
    if (result != NULL)
        buf_fini(&result->text);
}

enum status check_problem(struct check *check, struct error *err, const char *format, ...)
{
    char line[ERROR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    check->result.problems++;
    if (check->result.problems > CHECK_PROBLEMS_MAX)
        return OK;
    return buf_printf(&check->result.text, err, "%s\n", line);
}

bool check_is_finding(enum status status)
{
    return status != OK && status != ERR_IO && status != ERR_MEMORY && status != ERR_FULL &&
           status != ERR_BUSY && status != ERR_INTERNAL;
}

enum status check_breathe(struct check *check, struct error *err)
{
    const struct check_pause *pause = check->pause;
    check->entries_since = 0;
    check->bytes_since = 0;
    if (pause == NULL || pause->between(pause->self, &check->result))
        return OK;
    return error_set(err, ERR_BUSY, "given up before its end; next: repeat it");
}

/* -- entries ----------------------------------------------------------------------------------- */

static enum status open_body(struct check *check,
                             const struct entry_row *entry,
                             const struct entry_header *header,
                             struct error *err)
{
    bool canonical = false;
    buf_clear(&check->salt);
    buf_clear(&check->body);
    buf_clear(&check->plain);
    enum status status =
        entry_rows_open(check->feed->store, entry, &check->salt, &check->plain, &canonical, err);
    if (status == OK && canonical)
        status = header_pad(header->kind, buf_span(&check->plain), &check->body, err);
    else if (status == OK)
        status = buf_append(&check->body, buf_span(&check->plain), err);
    if (status == OK)
        status = header_open(header, span_text(check->row.origin), buf_span(&check->salt),
                             buf_span(&check->body), err);
    return status;
}

static enum status check_body(struct check *check,
                              const struct entry_row *entry,
                              const struct entry_header *header,
                              struct error *err)
{
    struct error why = ERROR_INIT;
    bool may_be_gone = (entry->flags & (ENTRY_WITHHELD | ENTRY_ERASED)) != 0;
    if (header->has_inline)
        return OK;
    if (may_be_gone) {
        check->result.erased++;
        return OK;
    }
    enum status status = open_body(check, entry, header, &why);
    if (status == ERR_ERASED) {
        check->result.erased++;
        return check->row.direction == FEED_OUT
                   ? OK
                   : check_problem(check, err,
                                   "%s entry %llu: its key is gone, but it is not erased",
                                   check->row.origin, (unsigned long long)entry->index);
    }
    if (check_is_finding(status))
        return check_problem(check, err, "%s entry %llu: %s", check->row.origin,
                             (unsigned long long)entry->index, why.text);
    if (status != OK)
        return error_set(err, status, "%s", why.text);
    check->result.opened++;
    return OK;
}

static enum status check_entry(struct check *check, uint64_t index, struct error *err)
{
    struct entry_row entry;
    struct entry_header header;
    struct digest leaf;
    struct error why = ERROR_INIT;
    enum status status =
        entry_rows_get(check->feed->store, check->row.feed_id, index, &entry, &why);
    buf_clear(&check->header);
    if (status == OK)
        status = buf_append(&check->header, entry.header, &why);
    if (status == OK)
        status = tree_leaf(buf_span(&check->header), &leaf, &why);
    if (status == OK)
        status = tree_append(&check->tree, &leaf, NULL, &why);
    if (status == OK)
        status = header_decode(buf_span(&check->header), &header, &why);
    if (check_is_finding(status))
        return check_problem(check, err, "%s entry %llu: %s", check->row.origin,
                             (unsigned long long)index, why.text);
    if (status != OK)
        return error_set(err, status, "%s", why.text);
    check->result.entries++;
    check->entries_since++;
    check->bytes_since += header.body_size;
    return check_body(check, &entry, &header, err);
}

/* -- one feed ---------------------------------------------------------------------------------- */

/* What the row says of the stored receipt.  Of our own the time stands in the row alone. */
static enum status check_receipt_row(const struct check *check,
                                     const struct checkpoint *checkpoint,
                                     uint64_t time_s,
                                     struct error *why)
{
    const struct feed_row *row = &check->row;
    if (checkpoint->size != row->receipt_size) {
        return error_set(
            why, ERR_MISMATCH, "said to be over %llu entries, the one here is over %llu",
            (unsigned long long)row->receipt_size, (unsigned long long)checkpoint->size);
    }
    if (row->direction == FEED_OUT && (uint64_t)row->receipt_ms / 1000 != time_s)
        return error_set(why, ERR_MISMATCH, "said to be of another time than the one here");
    return OK;
}

static enum status check_no_note(struct check *check, enum feed_note which, struct error *err)
{
    if (which != FEED_NOTE_RECEIPT || check->row.receipt_size == 0)
        return OK;
    return check_problem(check, err, "%s receipt: said to be over %llu entries, none is here",
                         check->row.origin, (unsigned long long)check->row.receipt_size);
}

/* A stored note: its signatures, and the root at its size by the leaves themselves. */
static enum status check_note(struct check *check,
                              enum feed_note which,
                              const struct tree *at_receipt,
                              struct error *err)
{
    struct buf note = BUF_INIT;
    struct checkpoint checkpoint = { 0 };
    struct digest root = { { 0 } };
    struct error why = ERROR_INIT;
    bool ours = check->row.direction == FEED_OUT;
    uint64_t time_s = 0;
    enum status status =
        feed_rows_get_note(check->feed->store, check->row.feed_id, which, &note, err);
    if (status != OK || note.size == 0) {
        buf_fini(&note);
        return status == OK ? check_no_note(check, which, err) : status;
    }
    const struct keyring_note stored = { &check->peer, check->row.direction, buf_span(&note),
                                         span_text(check->row.origin), NULL };
    if (ours && which == FEED_NOTE_RECEIPT)
        status = keyring_open_receipt(check->feed, &stored, &checkpoint, &time_s, NULL, &why);
    else
        status = keyring_open(check->feed, &stored, &checkpoint, NULL, &why);
    if (status == ERR_SIGNATURE && !ours && which == FEED_NOTE_RECEIPT) /* our own word for it */
        status = keyring_open_receipt(check->feed, &stored, &checkpoint, &time_s, NULL, &why);
    const struct tree *tree = checkpoint.size == check->tree.size ? &check->tree : at_receipt;
    bool comparable = status == OK && tree->size == checkpoint.size;
    if (comparable)
        status = tree_root(tree, &root, &why);
    if (comparable && status == OK && !digest_equal(&root, &checkpoint.root))
        status = error_set(&why, ERR_MISMATCH, "signed over another root than the entries give");
    if (status == OK && ours && checkpoint.size > check->row.size && !check->row.rolled_back) {
        status =
            error_set(&why, ERR_MISMATCH, "over %s, of which %llu are here",
                      counted(checkpoint.size, "entry").text, (unsigned long long)check->row.size);
    }
    if (status == OK && which == FEED_NOTE_RECEIPT)
        status = check_receipt_row(check, &checkpoint, time_s, &why);
    buf_fini(&note);
    if (status == OK)
        return OK;
    if (!check_is_finding(status))
        return error_set(err, status, "%s", why.text);
    return check_problem(check, err, "%s %s: %s", check->row.origin,
                         which == FEED_NOTE_RECEIPT ? "receipt" : "checkpoint", why.text);
}

static enum status check_head(struct check *check, struct error *err)
{
    struct digest root;
    enum status status = tree_root(&check->tree, &root, err);
    if (status != OK)
        return status;
    if (check->tree.size != check->row.size || !digest_equal(&root, &check->row.root))
        return check_problem(check, err, "%s: the entries do not give the root that is stored",
                             check->row.origin);
    size_t size = (size_t)tree_peak_count(check->tree.size) * DIGEST_SIZE;
    if (size != check->row.frontier_size ||
        (size > 0 && memcmp(check->row.frontier, check->tree.peaks, size) != 0))
        return check_problem(check, err,
                             "%s: the frontier that is stored is not that of the entries",
                             check->row.origin);
    return OK;
}

/* Stored subtrees must give the same root as the leaves, or proofs would be wrong. */
static enum status check_subtrees(struct check *check, struct error *err)
{
    struct leaves leaves = { .store = check->feed->store, .feed_id = check->row.feed_id };
    struct proof_source source = leaves_source(&leaves);
    struct error why = ERROR_INIT;
    struct tree tree;
    enum status status = proof_frontier(&source, check->row.size, &tree, &why);
    if (check_is_finding(status))
        return check_problem(check, err, "%s: a stored subtree: %s", check->row.origin, why.text);
    if (status != OK)
        return error_set(err, status, "%s", why.text);
    if (memcmp(tree.peaks, check->tree.peaks, (size_t)tree_peak_count(tree.size) * DIGEST_SIZE) !=
        0)
        return check_problem(check, err, "%s: a stored subtree is not that of the entries",
                             check->row.origin);
    return OK;
}

static enum status check_one_feed(struct check *check, struct error *err)
{
    struct tree at_receipt;
    tree_init(&check->tree);
    tree_init(&at_receipt);
    enum status status =
        peer_rows_get_id(check->feed->store, check->row.peer_id, &check->peer, err);
    if (status == ERR_NOT_FOUND)
        return check_problem(check, err, "%s: belongs to no peer", check->row.origin);
    for (uint64_t index = 0; status == OK && index < check->row.size; index++) {
        status = check_entry(check, index, err);
        if (check->tree.size == check->row.receipt_size)
            at_receipt = check->tree;
        if (status == OK &&
            (check->entries_since >= ENTRIES_STEP || check->bytes_since >= BYTES_STEP))
            status = check_breathe(check, err);
    }
    if (status == OK)
        status = check_head(check, err);
    if (status == OK && check->tree.size == check->row.size)
        status = check_subtrees(check, err);
    if (status == OK) /* the notes may be newer than what was read of the feed at first */
        status = feed_rows_get(check->feed->store, check->row.feed_id, &check->row, err);
    if (status == OK)
        status = peer_rows_get_id(check->feed->store, check->row.peer_id, &check->peer, err);
    if (status == OK)
        status = check_note(check, FEED_NOTE_CHECKPOINT, &at_receipt, err);
    if (status == OK)
        status = check_note(check, FEED_NOTE_RECEIPT, &at_receipt, err);
    check->result.feeds++;
    return status;
}

static enum status check_feeds(struct check *check, struct error *err)
{
    int64_t after = 0;
    size_t count = 1;
    enum status status = OK;
    while (status == OK && count == 1) {
        status = feed_rows_list(check->feed->store, after, &check->row, 1, &count, err);
        if (status != OK || count == 0)
            break;
        after = check->row.feed_id;
        status = check_one_feed(check, err);
        if (status == OK)
            status = check_breathe(check, err);
    }
    return status;
}

/* -- all --------------------------------------------------------------------------------------- */

static bool pause_of_journal(void *self)
{
    struct check *check = self;
    return check_breathe(check, NULL) == OK;
}

static enum status check_journal(struct check *check, struct error *err)
{
    struct error why = ERROR_INIT;
    const struct journal_pause pause = { check, pause_of_journal };
    enum status status = journal_verify_in_steps(check->feed, SPAN_EMPTY, &pause,
                                                 &check->result.journal_records, &why);
    if (check_is_finding(status))
        return check_problem(check, err, "%s", why.text);
    return status == OK ? OK : error_set(err, status, "%s", why.text);
}

/* SQLite's own check where it is short; the same in steps where it is not. */
static enum status check_whole(struct check *check, struct error *err)
{
    struct store_stats stats;
    enum status status = store_stats(check->feed->store, &stats, err);
    check->result.whole = status == OK && stats.database_bytes + stats.wal_bytes <= CHECK_WHOLE_MAX;
    return check->result.whole ? store_check(check->feed->store, err) : status;
}

static enum status check_database(struct check *check, struct error *err)
{
    struct error why = ERROR_INIT;
    struct integrity *integrity = NULL;
    bool done = false;
    enum status status = check_whole(check, &why);
    if (status == OK)
        status = integrity_start(check->feed->store, &integrity, &why);
    while (status == OK && !done) {
        status = integrity_step(integrity, &done, &why);
        check->result.rows = integrity_rows(integrity);
        if (status == OK)
            status = check_breathe(check, &why);
    }
    integrity_free(integrity);
    if (check_is_finding(status))
        return check_problem(check, err, "%s", why.text);
    return status == OK ? OK : error_set(err, status, "%s", why.text);
}

enum status feed_check(struct feed_context *feed,
                       struct check_result *ret_result,
                       struct error *err)
{
    return feed_check_in_steps(feed, NULL, ret_result, err);
}

enum status feed_check_in_steps(struct feed_context *feed,
                                const struct check_pause *pause,
                                struct check_result *ret_result,
                                struct error *err)
{
    struct check check = { .feed = feed, .pause = pause };
    check.salt.secret = true;
    check.body.secret = true;
    check.plain.secret = true;
    enum status status = check_database(&check, err);
    if (status == OK)
        status = check_feeds(&check, err);
    if (status == OK)
        status = check_places(&check, err);
    if (status == OK)
        status = check_journal(&check, err);
    buf_fini(&check.salt);
    buf_fini(&check.body);
    buf_fini(&check.plain);
    buf_fini(&check.header);
    if (status != OK) {
        check_result_fini(&check.result);
        error_prefix(err, "check");
        return status;
    }
    *ret_result = check.result;
    return OK;
}
