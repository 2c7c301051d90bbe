#include "feed/finding.h"

#include "log/header.h"
#include "store/entry_rows.h"
#include "store/prefix.h"

enum { FEEDS_PAGE = 4 };

struct search {
    struct feed_context *feed;
    struct id first, last; /* what the prefix may stand for */
    struct finding *found; /* FINDING_MAX */
    size_t count;
    uint64_t left; /* entries that may still be looked at one by one */
};

typedef enum status visit_fn(struct search *search, const struct feed_row *row, struct error *err);

static enum status read_header(const struct search *search,
                               const struct feed_row *row,
                               uint64_t index,
                               struct entry_header *ret_header,
                               struct error *err)
{
    struct entry_row entry;
    enum status status = entry_rows_get(search->feed->store, row->feed_id, index, &entry, err);
    return status == OK ? header_decode(entry.header, ret_header, err) : status;
}

static void take(struct search *search,
                 const struct feed_row *row,
                 uint64_t index,
                 const struct entry_header *header)
{
    if (search->count == FINDING_MAX)
        return;
    search->found[search->count++] = (struct finding){ .entry_id = header->entry_id,
                                                       .kind = header->kind,
                                                       .peer_id = row->peer_id,
                                                       .direction = row->direction,
                                                       .feed_id = row->feed_id,
                                                       .index = index };
}

/* The first entry that is not before search->first, and those behind it up to search->last. */
static enum status by_halves(struct search *search, const struct feed_row *row, struct error *err)
{
    struct entry_header header;
    enum status status = OK;
    uint64_t low = 0;
    for (uint64_t high = row->size; status == OK && low < high;) {
        uint64_t middle = low + (high - low) / 2;
        status = read_header(search, row, middle, &header, err);
        if (status == OK && id_compare(&header.entry_id, &search->first) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (bool more = true; status == OK && more && low < row->size; low++) {
        status = read_header(search, row, low, &header, err);
        more = status == OK && search->count < FINDING_MAX &&
               id_compare(&header.entry_id, &search->first) >= 0 &&
               id_compare(&header.entry_id, &search->last) <= 0;
        if (more)
            take(search, row, low, &header);
    }
    return status;
}

static enum status one_by_one(struct search *search, const struct feed_row *row, struct error *err)
{
    enum status status = OK;
    for (uint64_t index = row->size; status == OK && index > 0 && search->left > 0; index--) {
        struct entry_header header;
        search->left--;
        status = read_header(search, row, index - 1, &header, err);
        if (status == OK && id_compare(&header.entry_id, &search->first) >= 0 &&
            id_compare(&header.entry_id, &search->last) <= 0)
            take(search, row, index - 1, &header);
    }
    return status;
}

static enum status in_all_feeds(struct search *search, visit_fn *visit, struct error *err)
{
    struct feed_row rows[FEEDS_PAGE];
    size_t count = FEEDS_PAGE;
    enum status status = OK;
    for (int64_t after = 0; status == OK && count == FEEDS_PAGE;) {
        status = feed_rows_list(search->feed->store, after, rows, FEEDS_PAGE, &count, err);
        for (size_t i = 0; status == OK && i < count; i++) {
            after = rows[i].feed_id;
            status = visit(search, &rows[i], err);
        }
    }
    return status;
}

enum status finding_entries(struct feed_context *feed,
                            const char *prefix,
                            struct finding ret_found[static FINDING_MAX],
                            size_t *ret_count,
                            struct error *err)
{
    struct search search = { .feed = feed, .found = ret_found, .left = FINDING_WALK_MAX };
    enum status status = prefix_range(prefix, &search.first, &search.last, err);
    if (status == OK)
        status = in_all_feeds(&search, by_halves, err);
    if (status == OK && search.count == 0)
        status = in_all_feeds(&search, one_by_one, err);
    if (status == OK)
        *ret_count = search.count;
    return status;
}
