/* What the store thread does when it is idle (node/storage.h). */
#include "crypto/digest.h"
#include "node/storage.h"
#include "store/store.h"
#include "support/check.h"
#include "support/store_place.h"

struct place {
    struct store_place files;
    struct feed_context feed;
    struct storage storage;
    struct worker_storage table;
};

static void place_make(struct place *place)
{
    struct error err = ERROR_INIT;
    struct sha256 *sha = NULL;
    *place = (struct place){ 0 };
    CHECK_OK(sha256_thread(&sha, &err), &err);
    store_place_make(&place->files, 5);
    struct store_options options = { .directory = place->files.directory,
                                     .clock = &place->files.clock.base,
                                     .random = &place->files.random.base };
    CHECK_OK(store_create(&options, &place->storage.store, &err), &err);
    place->feed = (struct feed_context){ .store = place->storage.store,
                                         .clock = &place->files.clock.base,
                                         .random = &place->files.random.base,
                                         .realm = { "training" } };
    place->storage.feed = &place->feed;
    place->table = storage_of(&place->storage);
}

static void place_free(struct place *place)
{
    store_close(place->storage.store);
    store_place_remove(&place->files);
}

static struct worker_idle be_idle(struct place *place)
{
    struct error err = ERROR_INIT;
    struct worker_idle idle;
    struct clock *clock = &place->files.clock.base;
    CHECK_OK(place->table.idle(place->table.self, clock->monotonic_ms(clock), &idle, &err), &err);
    return idle;
}

static void time_is_looked_at_every_minute(void **state)
{
    (void)state;
    struct place place;
    place_make(&place);
    assert_true(be_idle(&place).changed);
    assert_false(be_idle(&place).changed);
    clock_fake_advance(&place.files.clock, STORAGE_TICK_MAX_MS);
    assert_true(be_idle(&place).changed);
    place_free(&place);
}

static void time_is_looked_at_again_when_the_clock_was_set_back(void **state)
{
    (void)state;
    struct place place;
    place_make(&place);
    assert_true(be_idle(&place).changed);
    place.files.clock.wall_now_ms -= 60 * STORAGE_TICK_MAX_MS;
    assert_true(be_idle(&place).changed);
    assert_false(be_idle(&place).changed);
    clock_fake_advance(&place.files.clock, STORAGE_TICK_MAX_MS);
    assert_true(be_idle(&place).changed);
    place_free(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_is_looked_at_every_minute),
        cmocka_unit_test(time_is_looked_at_again_when_the_clock_was_set_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
