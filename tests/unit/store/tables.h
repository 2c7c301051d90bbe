/* A store in a transaction, for the tests of its tables. */
#ifndef COMITY_TESTS_STORE_TABLES_H
#define COMITY_TESTS_STORE_TABLES_H

#include "store/store.h"
#include "support/check.h"
#include "support/store_place.h"

enum { DRAFT = 1, ACTIVE = 3, ENDED = 5 }; /* states of a consent, as the store sees them */

static struct store_place place;
static struct store *store;
static struct error err;

static inline int tables_set_up(void **state)
{
    (void)state;
    store_place_make(&place, 31);
    struct store_options o = { .directory = place.directory,
                               .clock = &place.clock.base,
                               .random = &place.random.base };
    CHECK_OK(store_create(&o, &store, &err), &err);
    CHECK_OK(store_begin(store, &err), &err);
    return 0;
}

static inline int tables_tear_down(void **state)
{
    (void)state;
    store_close(store);
    store_place_remove(&place);
    return 0;
}

static inline struct id id_of(uint8_t n)
{
    struct id id = { { n } };
    return id;
}

#endif
