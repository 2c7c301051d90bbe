/* What a receipt stands for at the holder: what was withdrawn, or has lost its consent, is locked
 * before the receipt leaves. */
#include "sim.h"

#include "log/header.h"
#include "store/entry_rows.h"
#include "store/feed_rows.h"
#include "store/holding_rows.h"

static bool is_ending(uint16_t kind)
{
    return kind == KIND_WITHDRAWN || kind == KIND_CONSENT_ENDED;
}

static void judge_ending(struct host *host,
                         const struct feed_row *feed,
                         uint64_t index,
                         const struct entry_header *header)
{
    struct sim *sim = host->sim;
    struct holding_row rows[8];
    struct holding_place place = { 0 };
    struct holding_filter filter = { .peer_id = feed->peer_id, .state = HOLDING_ACTIVE };
    struct error err = ERROR_INIT;
    if (header->kind == KIND_WITHDRAWN)
        filter.subject_id = header->subject_id;
    else
        filter.consent_id = header->consent_id;
    for (size_t count = 8; count == 8;) {
        sim_must(sim, holding_rows_list(host->store, &filter, &place, rows, 8, &count, &err), &err,
                 "holdings");
        for (size_t i = 0; i < count; i++) {
            bool later = rows[i].feed_id != feed->feed_id || rows[i].index > index;
            bool other = header->kind == KIND_WITHDRAWN && header->record_version != 0 &&
                         header->record_version != rows[i].version;
            if (!later && !other) {
                sim_fail(sim, "%s has receipted entry %llu of %s, a %s, and still uses entry %llu",
                         host->code.text, (unsigned long long)index, feed->origin,
                         header_kind_name(header->kind), (unsigned long long)rows[i].index);
            }
        }
    }
    sim->stats.checks_lock++;
}

void holder_receipted(struct host *host, struct span origin, uint64_t from, uint64_t size)
{
    struct sim *sim = host->sim;
    struct feed_row feed;
    struct error err = ERROR_INIT;
    sim_must(sim, feed_rows_by_origin(host->store, origin, &feed, &err), &err, "its feed");
    for (uint64_t index = from; index < size && index < feed.size; index++) {
        struct entry_row entry;
        struct entry_header header;
        sim_must(sim, entry_rows_get(host->store, feed.feed_id, index, &entry, &err), &err,
                 "an entry that was receipted");
        sim_must(sim, header_decode(entry.header, &header, &err), &err, "its header");
        if (is_ending(header.kind))
            judge_ending(host, &feed, index, &header);
    }
}
