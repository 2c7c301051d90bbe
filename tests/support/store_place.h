/* A directory of its own under /tmp for a test's database, and the options to open it. */
#ifndef COMITY_TESTS_STORE_PLACE_H
#define COMITY_TESTS_STORE_PLACE_H

#include "base/clock.h"
#include "base/span.h"

struct store_options; /* store/store.h */

enum { STORE_PLACE_PATH_MAX = 200 };

struct store_place {
    char directory[STORE_PLACE_PATH_MAX];
    struct clock_fake clock;
    struct random_seeded random;
};

void store_place_make(struct store_place *place, uint64_t seed);
void store_place_remove(struct store_place *place); /* with all files in it */
/* directory/name; the answer lives until the fourth call after it. */
const char *store_place_path(const struct store_place *place, const char *name);
/* The whole file; fails the test when it cannot be read.  buf_fini() it. */
struct buf store_place_read(const struct store_place *place, const char *name);
void store_place_write(const struct store_place *place, const char *name, struct span bytes);
void store_place_copy(const struct store_place *from,
                      const struct store_place *to,
                      const char *name);
/* How often the bytes occur in all files of the directory. */
size_t store_place_count(const struct store_place *place, struct span bytes);

#endif
