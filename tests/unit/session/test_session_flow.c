/* Order and bounds of what flows, the answers of the owner, and time. */
#include "base/memory.h"
#include "support/check.h"
#include "support/peer_wire.h"
#include "support/session_scene.h"

static void hear_batch(struct scene *scene, uint64_t first, size_t count, size_t body_size)
{
    struct buf frame = scene_batch(AU_TO_KE, first, count, body_size);
    scene_hear(scene, &frame);
}

/* -- order and bounds -------------------------------------------------------------------------- */

static void session_refuses_more_batches_than_the_window(void **state)
{
    (void)state;
    static const enum session_state states[] = { SESSION_COMPARING, SESSION_RUNNING };
    for (size_t i = 0; i < COUNT(states); i++) {
        struct scene scene;
        scene_reach(&scene, states[i]);
        for (uint64_t first = 0; first < SESSION_WINDOW_BATCHES; first++)
            hear_batch(&scene, first, 1, 10);
        assert_false(scene.ke.closed);
        hear_batch(&scene, SESSION_WINDOW_BATCHES, 1, 10);
        scene_check_closed(&scene, ERR_LIMIT, true, GOODBYE_LIMIT, "more than 8 batches");
        scene_fini(&scene);
    }
}

static void session_refuses_more_bytes_than_the_window(void **state)
{
    (void)state;
    struct scene scene;
    scene_reach(&scene, SESSION_RUNNING);
    hear_batch(&scene, 0, 4, 1000 * 1000);  /* three bodies: one entry in three is inline, */
    hear_batch(&scene, 4, 6, 1000 * 1000);  /* two, since one in five is withheld, */
    hear_batch(&scene, 10, 4, 1000 * 1000); /* and three */
    assert_false(scene.ke.closed);
    hear_batch(&scene, 14, 3, 1000 * 1000);
    scene_check_closed(&scene, ERR_LIMIT, true, GOODBYE_LIMIT, "bytes in flight");
    scene_fini(&scene);
}

static void session_refuses_batches_out_of_order(void **state)
{
    (void)state;
    static const uint64_t firsts[] = { 0, 4, 6, 1000000 };
    for (size_t i = 0; i < COUNT(firsts); i++) {
        struct scene scene;
        scene_reach(&scene, SESSION_RUNNING);
        hear_batch(&scene, 0, 5, 10);
        hear_batch(&scene, firsts[i], 2, 10);
        scene_check_closed(&scene, ERR_INVALID, true, GOODBYE_MALFORMED, "must begin at 5");
        scene_fini(&scene);
    }
    struct scene scene;
    scene_reach(&scene, SESSION_RUNNING);
    hear_batch(&scene, 0, 5, 10);
    struct buf frame = scene_batch("comity.v1/training/feed/AU/KE/00000000000000ff", 5, 1, 10);
    scene_hear(&scene, &frame);
    scene_check_closed(&scene, ERR_INVALID, true, GOODBYE_MALFORMED, "Batch of another feed");
    scene_fini(&scene);
}

static void session_refuses_receipts_that_were_not_earned(void **state)
{
    (void)state;
    struct {
        const char *what;
        uint64_t queued; /* entries sent, one to a batch */
        uint64_t receipts[4];
    } table[] = {
        { "a receipt for nothing", 0, { 1 } },
        { "the same twice", 3, { 2, 2 } },
        { "a smaller one", 3, { 2, 1 } },
        { "more than batches", 2, { 1, 2, 3 } },
        { "a receipt of size 0", 2, { UINT64_MAX } },
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct scene scene;
        print_message("%s\n", table[i].what);
        scene_reach(&scene, SESSION_COMPARING);
        scene.feed.queued = table[i].queued;
        host_answer_all(&scene.ke, 0);
        for (size_t j = 0; table[i].receipts[j] != 0; j++) {
            assert_false(scene.ke.closed);
            uint64_t size = table[i].receipts[j];
            struct buf frame = scene_receipt(size == UINT64_MAX ? 0 : size);
            scene_hear(&scene, &frame);
        }
        scene_check_closed(&scene, ERR_INVALID, true, GOODBYE_MALFORMED, "receipt");
        scene_fini(&scene);
    }
}

static void session_refuses_heals_out_of_step(void **state)
{
    (void)state;
    struct scene scene;
    struct buf frame = BUF_INIT;

    scene_reach(&scene, SESSION_RUNNING);
    frame = scene_heal(KE_TO_AU, 0, 2, false);
    scene_hear(&scene, &frame);
    frame = scene_heal(KE_TO_AU, 2, 2, false);
    scene_hear(&scene, &frame);
    scene_check_closed(&scene, ERR_LIMIT, true, GOODBYE_LIMIT, "before the one before it");
    scene_fini(&scene);

    scene_reach(&scene, SESSION_RUNNING);
    frame = scene_heal(KE_TO_AU, 0, 2, false);
    scene_hear(&scene, &frame);
    host_answer_all(&scene.ke, 0);
    frame = scene_heal(KE_TO_AU, 3, 2, false);
    scene_hear(&scene, &frame);
    scene_check_closed(&scene, ERR_INVALID, true, GOODBYE_MALFORMED, "must begin at 2");
    scene_fini(&scene);

    scene_reach(&scene, SESSION_RUNNING);
    frame = scene_heal(KE_TO_AU, 0, 2, false);
    scene_hear(&scene, &frame);
    host_answer_all(&scene.ke, 0);
    frame = scene_heal("another", 2, 2, false);
    scene_hear(&scene, &frame);
    scene_check_closed(&scene, ERR_INVALID, true, GOODBYE_MALFORMED, "Heal of another feed");
    scene_fini(&scene);

    scene_reach(&scene, SESSION_RUNNING);
    frame = scene_heal(KE_TO_AU, 0, 2, true);
    scene_hear(&scene, &frame);
    host_answer_all(&scene.ke, 0);
    struct message taken = scene_last_sent(&scene.ke);
    assert_int_equal(taken.kind, MESSAGE_HEAL_TAKEN);
    assert_int_equal(taken.number, 2);
    message_fini(&taken);
    frame = scene_heal(KE_TO_AU, 2, 2, true);
    scene_hear(&scene, &frame);
    scene_check_closed(&scene, ERR_INVALID, true, GOODBYE_MALFORMED, "after the last one");
    scene_fini(&scene);
}

static void session_refuses_answers_to_no_question_of_its_own(void **state)
{
    (void)state;
    struct scene scene;
    struct buf frame = BUF_INIT;

    scene_reach(&scene, SESSION_RUNNING);
    frame = scene_number(MESSAGE_HEAL_TAKEN, 0);
    scene_hear(&scene, &frame);
    scene_check_closed(&scene, ERR_WRONG_STATE, true, GOODBYE_ORDER, "no Heal is on its way");
    scene_fini(&scene);

    scene_reach(&scene, SESSION_COMPARING);
    scene.feed.heal_to = 2;
    host_answer_all(&scene.ke, 0);
    frame = scene_number(MESSAGE_HEAL_TAKEN, 1);
    scene_hear(&scene, &frame);
    scene_check_closed(&scene, ERR_INVALID, true, GOODBYE_MALFORMED, "must be 2");
    scene_fini(&scene);

    scene_reach(&scene, SESSION_RUNNING);
    frame = scene_number(MESSAGE_PONG, 1);
    scene_hear(&scene, &frame);
    scene_check_closed(&scene, ERR_INVALID, true, GOODBYE_MALFORMED, "answers no Ping");
    scene_fini(&scene);

    scene_reach(&scene, SESSION_RUNNING);
    session_probe(scene.ke.session, 0);
    host_drain(&scene.ke);
    frame = scene_number(MESSAGE_PONG, 2);
    scene_hear(&scene, &frame);
    scene_check_closed(&scene, ERR_INVALID, true, GOODBYE_MALFORMED, "answers no Ping");
    scene_fini(&scene);
}

static void session_answers_pings_until_they_are_a_flood(void **state)
{
    (void)state;
    struct scene scene;
    scene_reach(&scene, SESSION_RUNNING);
    int64_t now_ms = 0;
    for (uint64_t i = 1; i <= 3 * PINGS_PER_INTERVAL_MAX; i++) {
        struct buf frame = scene_number(MESSAGE_PING, i);
        if (i % PINGS_PER_INTERVAL_MAX == 1)
            now_ms += PING_INTERVAL_MS;
        host_receive_frame(&scene.ke, now_ms, buf_span(&frame));
        buf_fini(&frame);
        assert_false(scene.ke.closed);
        struct message pong = scene_last_sent(&scene.ke);
        assert_int_equal(pong.kind, MESSAGE_PONG);
        assert_int_equal(pong.number, i);
        message_fini(&pong);
    }
    struct buf frame = scene_number(MESSAGE_PING, 99);
    host_receive_frame(&scene.ke, now_ms, buf_span(&frame));
    buf_fini(&frame);
    scene_check_closed(&scene, ERR_LIMIT, true, GOODBYE_LIMIT, "more than 16 Pings");
    scene_fini(&scene);
}

static void session_understands_every_goodbye(void **state)
{
    (void)state;
    for (unsigned reason = 0; reason <= GOODBYE_REASON_COUNT; reason++) {
        struct scene scene;
        scene_reach(&scene, SESSION_COMPARING);
        hear_batch(&scene, 0, 1, 10); /* held, and forgotten */
        size_t sent = scene.ke.counts[EFFECT_SEND];
        struct buf frame = scene_goodbye((enum goodbye_reason)reason, "words");
        scene_hear(&scene, &frame);
        assert_true(scene.ke.closed);
        assert_false(scene.ke.penalty);
        assert_int_equal(scene.ke.why.status, goodbye_status_of(reason));
        CHECK_CONTAINS(scene.ke.why.text, "words");
        assert_int_equal(scene.ke.counts[EFFECT_SEND], sent);
        assert_int_equal(scene.ke.counts[EFFECT_INGEST], 0);
        bool grave = reason == GOODBYE_MISMATCH || reason == GOODBYE_CLONE;
        assert_int_equal(scene.ke.counts[EFFECT_ALARM], grave);
        if (grave)
            CHECK_CONTAINS(scene.ke.alarm, "it says: words");
        scene_fini(&scene);
    }
    struct scene scene;
    scene_reach(&scene, SESSION_RUNNING);
    struct buf frame = scene_goodbye(GOODBYE_CLOSING, NULL);
    scene_hear(&scene, &frame);
    assert_string_equal(scene.ke.why.text, "the peer closed (ok)");
    scene_fini(&scene);
}

/* -- the end by our own wish ------------------------------------------------------------------- */

static void session_stops_with_a_word_once_greeted(void **state)
{
    (void)state;
    struct scene scene;
    scene_reach(&scene, SESSION_RUNNING);
    session_stop(scene.ke.session, 0, ERR_EXISTS, "another connection stays");
    host_drain(&scene.ke);
    scene_check_closed(&scene, ERR_EXISTS, false, GOODBYE_REPLACED, "another connection");
    struct message goodbye = scene_last_sent(&scene.ke);
    assert_string_equal(goodbye.text, "another connection stays");
    message_fini(&goodbye);
    session_stop(scene.ke.session, 0, OK, NULL); /* twice is no harm */
    session_tick(scene.ke.session, INT64_MAX);
    session_probe(scene.ke.session, 0);
    session_wake(scene.ke.session, 0);
    host_drain(&scene.ke);
    assert_int_equal(scene.ke.counts[EFFECT_CLOSE], 1);
    scene_fini(&scene);
}

/* -- time -------------------------------------------------------------------------------------- */

static void session_waits_five_seconds_for_a_hello(void **state)
{
    (void)state;
    struct scene scene;
    scene_reach(&scene, SESSION_NEW);
    assert_true(session_deadline_ms(scene.ke.session) == INT64_MAX);
    host_tick(&scene.ke, 1000000);
    host_start(&scene.ke, 1000);
    assert_true(session_deadline_ms(scene.ke.session) == 6000);
    host_tick(&scene.ke, 5999);
    assert_false(scene.ke.closed);
    host_tick(&scene.ke, 6000);
    scene_check_closed(&scene, ERR_EXPIRED, true, GOODBYE_TIMEOUT, "no Hello within 5 s");
    assert_true(session_deadline_ms(scene.ke.session) == INT64_MAX);
    scene_fini(&scene);
}

static void session_pings_a_silent_peer_and_then_gives_up(void **state)
{
    (void)state;
    static const enum session_state states[] = { SESSION_COMPARING, SESSION_RUNNING };
    for (size_t i = 0; i < COUNT(states); i++) {
        struct scene scene;
        scene_reach(&scene, states[i]);
        assert_true(session_deadline_ms(scene.ke.session) == PING_INTERVAL_MS);
        host_tick(&scene.ke, PING_INTERVAL_MS - 1);
        assert_int_equal(scene.ke.counts[EFFECT_SEND], 1);
        host_tick(&scene.ke, PING_INTERVAL_MS);
        assert_int_equal(scene.ke.counts[EFFECT_SEND], 2);
        assert_true(session_deadline_ms(scene.ke.session) == IDLE_TIMEOUT_MS);
        host_tick(&scene.ke, PING_INTERVAL_MS + 1);
        assert_int_equal(scene.ke.counts[EFFECT_SEND], 2);
        struct buf pong = scene_number(MESSAGE_PONG, 1);
        host_receive_frame(&scene.ke, 40000, buf_span(&pong));
        buf_fini(&pong);
        assert_true(session_deadline_ms(scene.ke.session) == 40000 + PING_INTERVAL_MS);
        assert_true(session_stats(scene.ke.session).last_heard_ms == 40000);
        host_tick(&scene.ke, 70000);
        host_tick(&scene.ke, 40000 + IDLE_TIMEOUT_MS);
        scene_check_closed(&scene, ERR_EXPIRED, false, GOODBYE_TIMEOUT, "nothing heard for 120 s");
        scene_fini(&scene);
    }
}

static void session_gives_a_probe_ten_seconds(void **state)
{
    (void)state;
    struct scene scene;
    scene_reach(&scene, SESSION_RUNNING);
    session_probe(scene.ke.session, 5000);
    session_probe(scene.ke.session, 9000); /* one at a time */
    host_drain(&scene.ke);
    assert_int_equal(scene.ke.counts[EFFECT_SEND], 2);
    assert_true(session_deadline_ms(scene.ke.session) == 5000 + PROBE_TIMEOUT_MS);
    struct buf ping = scene_number(MESSAGE_PING, 7); /* anything shows that it lives */
    host_receive_frame(&scene.ke, 6000, buf_span(&ping));
    buf_fini(&ping);
    session_probe(scene.ke.session, 7000); /* its Ping is still out: no second one */
    host_drain(&scene.ke);
    assert_int_equal(scene.ke.counts[EFFECT_SEND], 3);
    host_tick(&scene.ke, 7000 + PROBE_TIMEOUT_MS);
    scene_check_closed(&scene, ERR_EXPIRED, false, GOODBYE_TIMEOUT, "no answer to a probe");
    scene_fini(&scene);
}

static void session_waits_a_minute_for_a_receipt(void **state)
{
    (void)state;
    struct scene scene;
    scene_reach(&scene, SESSION_COMPARING);
    scene.feed.queued = 3;
    host_answer_all(&scene.ke, 0);
    for (int64_t now_ms = 0; now_ms < 50000; now_ms += 10000) { /* alive, but silent about it */
        struct buf ping = scene_number(MESSAGE_PING, 1);
        host_receive_frame(&scene.ke, now_ms, buf_span(&ping));
        buf_fini(&ping);
    }
    struct buf receipt = scene_receipt(1);
    host_receive_frame(&scene.ke, 50000, buf_span(&receipt));
    buf_fini(&receipt);
    /* It waits for our own database now: not the peer's delay. */
    host_tick(&scene.ke, RECEIPT_TIMEOUT_MS);
    assert_false(scene.ke.closed);
    host_answer_all(&scene.ke, 70000);
    host_tick(&scene.ke, 70000 + RECEIPT_TIMEOUT_MS - 1);
    assert_false(scene.ke.closed);
    host_tick(&scene.ke, 70000 + RECEIPT_TIMEOUT_MS);
    scene_check_closed(&scene, ERR_EXPIRED, false, GOODBYE_TIMEOUT, "no receipt for 60 s");
    scene_fini(&scene);
}

static void session_waits_a_minute_for_a_heal_to_be_taken(void **state)
{
    (void)state;
    struct scene scene;
    scene_reach(&scene, SESSION_COMPARING);
    scene.feed.heal_to = 2;
    host_answer_all(&scene.ke, 1000);
    host_tick(&scene.ke, PING_INTERVAL_MS);
    assert_true(session_deadline_ms(scene.ke.session) == 1000 + RECEIPT_TIMEOUT_MS);
    host_tick(&scene.ke, 1000 + RECEIPT_TIMEOUT_MS);
    scene_check_closed(&scene, ERR_EXPIRED, false, GOODBYE_TIMEOUT, "no receipt for 60 s");
    scene_fini(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(session_refuses_more_batches_than_the_window),
        cmocka_unit_test(session_refuses_more_bytes_than_the_window),
        cmocka_unit_test(session_refuses_batches_out_of_order),
        cmocka_unit_test(session_refuses_receipts_that_were_not_earned),
        cmocka_unit_test(session_refuses_heals_out_of_step),
        cmocka_unit_test(session_refuses_answers_to_no_question_of_its_own),
        cmocka_unit_test(session_answers_pings_until_they_are_a_flood),
        cmocka_unit_test(session_understands_every_goodbye),
        cmocka_unit_test(session_stops_with_a_word_once_greeted),
        cmocka_unit_test(session_waits_five_seconds_for_a_hello),
        cmocka_unit_test(session_pings_a_silent_peer_and_then_gives_up),
        cmocka_unit_test(session_gives_a_probe_ten_seconds),
        cmocka_unit_test(session_waits_a_minute_for_a_receipt),
        cmocka_unit_test(session_waits_a_minute_for_a_heal_to_be_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
