/* A batch under construction: entries are copied in, spans are made when it is finished. */
#ifndef COMITY_FEED_PARCEL_H
#define COMITY_FEED_PARCEL_H

#include "base/batch.h"

/* Left free behind the entries, so that signing (feed_publish_sign) moves nothing: three lines of
 * checkpoint and two of signatures (while a key is replaced), of which an origin is the longest
 * part, three times. */
enum { PARCEL_NOTE_ROOM = 768 };

struct parcel_item {
    size_t header_size, salt_size, body_size;
    bool withheld;
};

struct parcel {
    struct buf memory; /* origin, then header, salt, body of each */
    size_t origin_size;
    struct parcel_item *items;
    size_t count, capacity;
    size_t bytes; /* headers, salts and bodies */
};

MUST_CHECK enum status parcel_init(struct parcel *parcel, struct span origin, struct error *err);
void parcel_fini(struct parcel *parcel);
/* salt and body empty: an inline body, or withheld. */
MUST_CHECK enum status parcel_add(struct parcel *parcel,
                                  struct span header,
                                  struct span salt,
                                  struct span body,
                                  bool withheld,
                                  struct error *err);
/* Whether one more entry of that size still belongs into a batch of at most max_bytes. */
bool parcel_has_room(const struct parcel *parcel, size_t entry_bytes, size_t max_bytes);
/* Empties the parcel. */
MUST_CHECK enum status parcel_finish(struct parcel *parcel,
                                     uint64_t first_index,
                                     struct batch *ret_batch,
                                     struct error *err);

#endif
