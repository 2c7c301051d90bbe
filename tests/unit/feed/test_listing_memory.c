/* Reading what was received survives every failed allocation, ours and SQLite's. */
#include "sqlite_memory.h"
#include "two_nodes.h"

#include "feed/listing.h"

static enum status see(void *context, const struct listing_received *received, struct error *e)
{
    (void)e;
    *(size_t *)context += received->has_text;
    return OK;
}

static void every_failure_is_reported(bool in_sqlite)
{
    struct listing_received_filter filter = { .publisher = &ke.code };
    bool done = false;
    for (uint64_t nth = 0; !done; nth++) { /* 0: warm, so that caches are there */
        int64_t live = mem_live();
        size_t count = 0;
        if (in_sqlite)
            sqlite_memory_fail_at(nth);
        else
            mem_fail_at(nth, false);
        enum status got = listing_received(&un.feed, &filter, see, &count, &err);
        done = nth > 0 && !(in_sqlite ? sqlite_memory_hit : mem_fail_hit());
        sqlite_memory_fail_at(0);
        mem_fail_at(0, false);
        assert_true(got == OK || got == ERR_MEMORY);
        assert_true(got == ERR_MEMORY || count == 20);
        assert_true(nth == 0 || mem_live() <= live + 8);
        assert_true(nth < 20000);
    }
}

static void reading_what_was_received_survives_every_failed_allocation(void **state)
{
    (void)state;
    struct id records[20]; /* more than one page */
    for (size_t i = 0; i < COUNT(records); i++)
        records[i] = add_excerpt(&ke, "One");
    (void)give(&ke, &un, records, COUNT(records), 10);
    connect_nodes();
    every_failure_is_reported(false);
    every_failure_is_reported(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reading_what_was_received_survives_every_failed_allocation,
                                        two_set_up, two_tear_down),
    };
    sqlite_memory_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
