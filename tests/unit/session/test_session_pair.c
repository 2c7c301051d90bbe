/* Two sessions talk to each other: everything arrives once, in order, wherever the link breaks. */
#include "base/clock.h"
#include "base/memory.h"
#include "support/check.h"
#include "support/session_host.h"

#define A_TO_B "comity.v1/training/feed/AU/KE/0000000000000001"
#define B_TO_A "comity.v1/training/feed/KE/AU/0000000000000002"

struct pair {
    struct host_feed feed_a, feed_b;
    struct host a, b;
    int64_t now_ms;
};

static void pair_connect(struct pair *pair)
{
    struct session_config a = host_config("AU", "KE", true);
    struct session_config b = host_config("KE", "AU", false);
    struct error err = ERROR_INIT;
    CHECK_OK(host_init(&pair->a, &pair->feed_a, &a, &err), &err);
    CHECK_OK(host_init(&pair->b, &pair->feed_b, &b, &err), &err);
    host_start(&pair->a, pair->now_ms);
    host_start(&pair->b, pair->now_ms);
}

static void pair_disconnect(struct pair *pair)
{
    host_fini(&pair->a);
    host_fini(&pair->b);
}

static void pair_init(struct pair *pair, uint64_t from_a, uint64_t from_b, size_t batch_entries)
{
    *pair = (struct pair){ .now_ms = 1000 };
    pair->feed_a = (struct host_feed){ .origin_out = A_TO_B, .origin_in = B_TO_A };
    pair->feed_b = (struct host_feed){ .origin_out = B_TO_A, .origin_in = A_TO_B };
    pair->feed_a.queued = from_a;
    pair->feed_b.queued = from_b;
    pair->feed_a.batch_entries = pair->feed_b.batch_entries = batch_entries;
    pair->feed_a.body_size = pair->feed_b.body_size = 20;
    pair_connect(pair);
}

/* Moves up to `most` bytes; counts them. */
static size_t carry(struct host *from, struct host *to, size_t most, int64_t now_ms)
{
    struct span bytes = span_slice(buf_span(&from->out), 0, most);
    struct buf copy = BUF_INIT;
    assert_int_equal(buf_append(&copy, bytes, NULL), OK);
    size_t size = copy.size;
    memmove(from->out.data, from->out.data + size, from->out.size - size);
    from->out.size -= size;
    host_receive(to, now_ms, buf_span(&copy));
    buf_fini(&copy);
    return size;
}

/* Until nothing moves any more. */
static void pair_settle(struct pair *pair)
{
    bool moved = true;
    while (moved) {
        moved = host_answer(&pair->a, pair->now_ms) || host_answer(&pair->b, pair->now_ms);
        if (pair->a.out.size > 0)
            moved = carry(&pair->a, &pair->b, SIZE_MAX, pair->now_ms) > 0 || moved;
        if (pair->b.out.size > 0)
            moved = carry(&pair->b, &pair->a, SIZE_MAX, pair->now_ms) > 0 || moved;
    }
}

static void check_delivered(const struct pair *pair)
{
    assert_false(pair->a.closed);
    assert_false(pair->b.closed);
    assert_true(pair->feed_b.stored == pair->feed_a.queued);
    assert_true(pair->feed_b.applied == pair->feed_a.queued);
    assert_true(pair->feed_a.receipted == pair->feed_a.queued);
    assert_true(pair->feed_a.stored == pair->feed_b.queued);
    assert_true(pair->feed_a.applied == pair->feed_b.queued);
    assert_true(pair->feed_b.receipted == pair->feed_b.queued);
    assert_int_equal(session_stats(pair->a.session).window_batches, 0);
    assert_int_equal(session_stats(pair->b.session).window_bytes, 0);
}

static void pair_delivers_both_ways(void **state)
{
    (void)state;
    struct pair pair;
    pair_init(&pair, 100, 37, 3);
    pair_settle(&pair);
    check_delivered(&pair);
    assert_int_equal(session_state(pair.a.session), SESSION_RUNNING);
    assert_int_equal(pair.a.counts[EFFECT_GREETED], 1);
    /* What is queued later goes when the session is woken. */
    pair.feed_a.queued += 5;
    host_wake(&pair.a, pair.now_ms);
    pair_settle(&pair);
    check_delivered(&pair);
    pair_disconnect(&pair);
}

static void pair_of_empty_feeds_only_greets(void **state)
{
    (void)state;
    struct pair pair;
    pair_init(&pair, 0, 0, 3);
    pair_settle(&pair);
    check_delivered(&pair);
    assert_int_equal(pair.a.counts[EFFECT_SEND], 1);
    pair_disconnect(&pair);
}

static void pair_sends_large_batches_within_the_window(void **state)
{
    (void)state;
    struct pair pair;
    pair_init(&pair, 60, 0, 3);
    pair.feed_a.body_size = 900 * 1024;
    pair_settle(&pair);
    check_delivered(&pair);
    pair_disconnect(&pair);
}

/* Breaks the link after `a_bytes` from A or `b_bytes` from B, connects again and settles. */
static bool run_with_a_break(size_t a_bytes, size_t b_bytes, bool stores_finish)
{
    struct pair pair;
    pair_init(&pair, 7, 4, 2);
    size_t sent_a = 0;
    size_t sent_b = 0;
    bool broke = false;
    for (bool moved = true; moved && !broke;) {
        moved = host_answer(&pair.a, pair.now_ms) || host_answer(&pair.b, pair.now_ms);
        size_t from_a = carry(&pair.a, &pair.b, a_bytes - sent_a, pair.now_ms);
        size_t from_b = carry(&pair.b, &pair.a, b_bytes - sent_b, pair.now_ms);
        sent_a += from_a;
        sent_b += from_b;
        moved = moved || from_a > 0 || from_b > 0;
        broke = sent_a == a_bytes || sent_b == b_bytes;
    }
    if (stores_finish) { /* or the node died with its questions unanswered */
        host_answer_all(&pair.a, pair.now_ms);
        host_answer_all(&pair.b, pair.now_ms);
    }
    pair_disconnect(&pair);
    pair_connect(&pair);
    pair_settle(&pair);
    check_delivered(&pair);
    pair_disconnect(&pair);
    return broke;
}

static void pair_resumes_exactly_once_from_a_break_at_any_byte(void **state)
{
    (void)state;
    for (int stores_finish = 0; stores_finish <= 1; stores_finish++) {
        size_t breaks = 0;
        for (size_t at = 1; run_with_a_break(at, SIZE_MAX, stores_finish != 0); at++)
            breaks++;
        assert_true(breaks > 1000);
        for (size_t at = 1; run_with_a_break(SIZE_MAX, at, stores_finish != 0); at++)
            breaks++;
        assert_true(breaks > 2000);
    }
}

static void random_step(struct pair *pair, struct random_seeded *random)
{
    struct host *host = random_seeded_next(random) % 2 == 0 ? &pair->a : &pair->b;
    struct host *other = host == &pair->a ? &pair->b : &pair->a;
    switch (random_seeded_next(random) % 8) {
    case 0:
    case 1:
    case 2:
        carry(host, other, random_seeded_next(random) % 1500, pair->now_ms);
        break;
    case 3:
    case 4:
        host_answer(host, pair->now_ms);
        break;
    case 5:
        if (host->feed->queued < 200)
            host->feed->queued += random_seeded_next(random) % 4;
        host_wake(host, pair->now_ms);
        break;
    case 6:
        pair->now_ms += (int64_t)(random_seeded_next(random) % 3000);
        host_tick(host, pair->now_ms);
        break;
    default:
        if (random_seeded_next(random) % 20 == 0) {
            pair_disconnect(pair);
            pair_connect(pair);
        } else {
            session_probe(host->session, pair->now_ms);
            host_drain(host);
        }
        break;
    }
}

static void pair_survives_any_order_of_events(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 150; seed++) {
        struct random_seeded random;
        random_seeded_init(&random, seed);
        struct pair pair;
        int64_t live = mem_live();
        pair_init(&pair, 0, 0, 1 + random_seeded_next(&random) % 5);
        for (int step = 0; step < 600; step++) {
            random_step(&pair, &random);
            if (pair.a.closed || pair.b.closed) { /* a timeout: the only end that may come */
                enum status why = pair.a.closed ? pair.a.why.status : pair.b.why.status;
                if (why != ERR_EXPIRED)
                    print_error("seed %llu: %s%s\n", (unsigned long long)seed, pair.a.why.text,
                                pair.b.why.text);
                assert_int_equal(why, ERR_EXPIRED);
                pair_disconnect(&pair);
                pair_connect(&pair);
            }
        }
        pair_disconnect(&pair);
        pair_connect(&pair);
        pair_settle(&pair);
        check_delivered(&pair);
        pair_disconnect(&pair);
        assert_int_equal(mem_live(), live);
    }
}

static void pair_heals_the_node_that_lost_its_own_feed(void **state)
{
    (void)state;
    struct pair pair;
    pair_init(&pair, 10, 10, 4);
    pair.feed_b.heal_from = 2;
    pair.feed_b.heal_to = 12;
    pair.feed_a.heal_from = 0;
    pair.feed_a.heal_to = 3;
    pair_settle(&pair);
    check_delivered(&pair);
    assert_int_equal(pair.feed_a.healed, 10);
    assert_int_equal(pair.feed_b.healed, 3);
    assert_int_equal(pair.b.counts[EFFECT_READ_HEAL], 4);
    pair_disconnect(&pair);
}

static void pair_keeps_what_comes_while_it_still_compares(void **state)
{
    (void)state;
    struct pair pair;
    pair_init(&pair, 40, 3, 2);
    pair.feed_a.heal_to = 2;
    carry(&pair.a, &pair.b, SIZE_MAX, pair.now_ms);
    carry(&pair.b, &pair.a, SIZE_MAX, pair.now_ms);
    host_answer_all(&pair.a, pair.now_ms); /* A runs; B has not looked yet */
    carry(&pair.a, &pair.b, SIZE_MAX, pair.now_ms);
    assert_int_equal(session_state(pair.b.session), SESSION_COMPARING);
    assert_int_equal(session_stats(pair.b.session).inbound_batches, SESSION_WINDOW_BATCHES);
    assert_int_equal(pair.b.counts[EFFECT_INGEST], 0);
    assert_int_equal(pair.b.counts[EFFECT_APPLY_HEAL], 0);
    pair_settle(&pair);
    check_delivered(&pair);
    assert_int_equal(pair.feed_b.healed, 2);
    pair_disconnect(&pair);
}

static void pair_sends_one_receipt_for_a_group_of_batches(void **state)
{
    (void)state;
    struct pair pair;
    pair_init(&pair, 16, 0, 2);
    carry(&pair.a, &pair.b, SIZE_MAX, pair.now_ms);
    carry(&pair.b, &pair.a, SIZE_MAX, pair.now_ms);
    host_answer_all(&pair.b, pair.now_ms);
    host_answer_all(&pair.a, pair.now_ms);
    carry(&pair.a, &pair.b, SIZE_MAX, pair.now_ms);
    assert_int_equal(pair.b.pending_count, 8);
    pair.feed_b.stored = pair.feed_b.applied = 16; /* one commit for all eight */
    pair_settle(&pair);
    check_delivered(&pair);
    assert_int_equal(session_stats(pair.b.session).receipts_sent, 1);
    assert_int_equal(session_stats(pair.a.session).receipts_received, 1);
    assert_int_equal(session_stats(pair.a.session).batches_sent, 8);
    assert_int_equal(session_stats(pair.b.session).batches_received, 8);
    pair_disconnect(&pair);
}

/* The older connection's batch was stored after the Hello of the newer one was written. */
static void pair_takes_an_overlap_without_a_second_effect(void **state)
{
    (void)state;
    struct pair pair;
    pair_init(&pair, 20, 0, 4);
    pair.feed_a.published = 20;
    pair.feed_b.stored = pair.feed_b.applied = 11;
    pair_settle(&pair);
    check_delivered(&pair);
    pair_disconnect(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pair_resumes_exactly_once_from_a_break_at_any_byte),
        cmocka_unit_test(pair_survives_any_order_of_events),
        cmocka_unit_test(pair_keeps_what_comes_while_it_still_compares),
        cmocka_unit_test(pair_takes_an_overlap_without_a_second_effect),
        cmocka_unit_test(pair_sends_one_receipt_for_a_group_of_batches),
        cmocka_unit_test(pair_sends_large_batches_within_the_window),
        cmocka_unit_test(pair_heals_the_node_that_lost_its_own_feed),
        cmocka_unit_test(pair_of_empty_feeds_only_greets),
        cmocka_unit_test(pair_delivers_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
