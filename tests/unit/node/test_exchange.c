#include "exchange_world.h"
#include "wire/codec.h"

static void exchange_delivers_what_waits_and_takes_its_receipt(void **state)
{
    (void)state;
    struct world *world = world_new();
    world->ke.queued = 5;
    assert_non_null(wire_open(world, &world->ke, &world->un));
    world_settle(world);
    assert_true(is_connected(&world->ke));
    assert_int_equal(world->un.stored, 5);
    assert_int_equal(world->ke.receipted, 5);
    world_free(world);
}

static void exchange_wakes_a_session_when_something_is_queued_later(void **state)
{
    (void)state;
    struct world *world = world_new();
    wire_open(world, &world->ke, &world->un);
    world_settle(world);
    world->un.queued = 3;
    world_settle(world);
    assert_int_equal(world->ke.stored, 0);
    exchange_wake(world->un.exchange);
    exchange_wake(world->un.exchange); /* asked once more while the first is under way */
    world_settle(world);
    assert_int_equal(world->ke.stored, 3);
    world_free(world);
}

static void exchange_refuses_strangers_and_a_third_connection(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct link_config config = { .auth_sign = auth_sign, .auth_verify = auth_verify };
    struct link *link = NULL;
    struct error err = ERROR_INIT;
    assert_int_equal(code_parse("GB", &config.peer, NULL), OK);
    assert_int_equal(exchange_open(world->ke.exchange, &config, &link, &err), ERR_DENIED);
    assert_non_null(strstr(err.text, "GB is not an accepted peer"));
    wire_open(world, &world->ke, &world->un)->silent = true;
    wire_open(world, &world->un, &world->ke)->silent = true;
    assert_null(wire_open(world, &world->un, &world->ke));
    world_free(world);
}

static void exchange_closes_without_blame_when_the_store_cannot(void **state)
{
    (void)state;
    static const struct {
        size_t field;
        enum status status;
        size_t penalties;
    } cases[] = {
        { offsetof(struct party, heads_status), ERR_IO, 0 },
        { offsetof(struct party, resume_status), ERR_FULL, 0 },
        { offsetof(struct party, publish_status), ERR_MEMORY, 0 },
        { offsetof(struct party, ingest_status), ERR_FULL, 0 },
        { offsetof(struct party, ingest_status), ERR_MISMATCH, 1 },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct world *world = world_new();
        world->ke.queued = 1;
        struct party *party =
            cases[i].field == offsetof(struct party, ingest_status) ? &world->un : &world->ke;
        *(enum status *)(void *)((char *)party + cases[i].field) = cases[i].status;
        wire_open(world, &world->ke, &world->un);
        world_settle(world);
        assert_int_equal(party->closes, 1);
        assert_int_equal(party->last_close, cases[i].status);
        assert_int_equal(party->penalties, cases[i].penalties);
        assert_int_equal(world->un.stored, 0);
        world_free(world);
    }
}

static void exchange_keeps_the_dial_of_the_smaller_code(void **state)
{
    (void)state;
    for (int first = 0; first < 2; first++) {
        struct world *world = world_new();
        struct party *parties[2] = { &world->ke, &world->un };
        struct wire *wires[2];
        wires[first] = wire_open(world, parties[first], parties[1 - first]);
        wires[1 - first] = wire_open(world, parties[1 - first], parties[first]);
        world_settle(world);
        assert_true(wires[0]->open); /* KE < UNODC: the one that KE dialled */
        assert_false(wires[1]->open);
        world->ke.queued = 2;
        exchange_wake(world->ke.exchange);
        world_settle(world);
        assert_int_equal(world->un.stored, 2);
        assert_int_equal(world->ke.alarms + world->un.alarms, 0);
        world_free(world);
    }
}

static void exchange_keeps_the_newer_of_two_dials_of_one_side(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct wire *old = wire_open(world, &world->ke, &world->un);
    world_settle(world);
    struct wire *new = wire_open(world, &world->ke, &world->un);
    world_settle(world);
    assert_false(old->open);
    assert_true(new->open);
    assert_true(is_connected(&world->un));
    world_free(world);
}

/* KE starts again with another boot id; UNODC does not see that the old connection is dead. */
static void start_again(struct world *world, struct wire *old)
{
    struct link *dead = old->ends[0].link;
    old->silent = true;
    old->ends[0].link = NULL;
    exchange_closed(dead);
    party_fini(&world->ke);
    party_init(world, &world->ke, "KE", "UNODC", 'X');
    world->ke.queued = 4;
}

static void exchange_takes_a_peer_that_was_restarted(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct wire *old = wire_open(world, &world->ke, &world->un);
    world_settle(world);
    start_again(world, old);
    struct wire *new = wire_open(world, &world->ke, &world->un);
    world_settle(world);
    assert_int_equal(world->un.stored, 0); /* held until the old one is judged */
    world_advance(world, CLONE_PROBE_MS + 1000);
    assert_false(old->open);
    assert_true(new->open);
    assert_int_equal(world->un.stored, 4);
    assert_int_equal(world->un.alarms, 0);
    world_free(world);
}

static void exchange_does_not_take_late_frames_of_a_dead_process_for_life(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct buf late = BUF_INIT;
    struct wire *old = wire_open(world, &world->ke, &world->un);
    world_settle(world);
    start_again(world, old);
    struct wire *new = wire_open(world, &world->ke, &world->un);
    world_settle(world);
    assert_int_equal(codec_encode_number(MESSAGE_PING, 1, &late, NULL), OK);
    exchange_receive(old->ends[1].link, span_slice(buf_span(&late), 4, late.size));
    buf_fini(&late);
    world_advance(world, CLONE_PROBE_MS + 1000);
    assert_int_equal(world->un.alarms, 0);
    assert_false(old->open);
    assert_true(new->open);
    assert_int_equal(world->un.stored, 4);
    world_free(world);
}

static void exchange_frees_a_held_connection_when_the_old_one_ends(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct wire *old = wire_open(world, &world->ke, &world->un);
    world_settle(world);
    start_again(world, old);
    wire_open(world, &world->ke, &world->un);
    world_settle(world);
    wire_cut(old);
    world_settle(world);
    assert_int_equal(world->un.stored, 4);
    world_free(world);
}

/* A batch of the dead process comes after our Hello of the new connection was made. */
static void exchange_asks_to_be_called_again_when_a_dead_process_changed_the_feed(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct buf late = BUF_INIT;
    struct wire *old = wire_open(world, &world->ke, &world->un);
    world_settle(world);
    start_again(world, old);
    struct wire *new = wire_open(world, &world->ke, &world->un);
    world_settle(world);
    struct batch batch = peer_wire_batch("origin", 0, 2, 8);
    assert_int_equal(codec_encode_batch(&batch, &late, NULL), OK);
    batch_fini(&batch);
    exchange_receive(old->ends[1].link, span_slice(buf_span(&late), 4, late.size));
    buf_fini(&late);
    world_settle(world);
    assert_int_equal(world->un.stored, 2);
    world_advance(world, CLONE_PROBE_MS + 1000);
    assert_false(new->open);
    assert_int_equal(world->un.last_close, ERR_EXISTS);
    assert_int_equal(world->un.penalties + world->ke.penalties, 0);
    assert_int_equal(world->un.stored, 2);
    wire_open(world, &world->ke, &world->un);
    world_settle(world);
    assert_int_equal(world->un.stored, 4);
    assert_int_equal(world->un.alarms, 0);
    world_free(world);
}

static void exchange_raises_the_alarm_at_both_ends_for_two_live_boot_ids(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct party clone;
    party_init(world, &clone, "KE", "UNODC", 'C');
    clone.queued = 9;
    struct wire *original = wire_open(world, &world->ke, &world->un);
    world_settle(world);
    struct wire *copy = wire_open(world, &clone, &world->un);
    for (int i = 0; i < 24; i++) {
        world_advance(world, 500);
        worker_run(clone.worker);
        world_settle(world);
    }
    assert_int_equal(world->un.alarms, 1);
    assert_non_null(strstr(world->un.last_alarm, "two nodes run under this code"));
    assert_false(original->open);
    assert_false(copy->open);
    assert_int_equal(world->un.stored, 0); /* nothing of the copy was taken */
    assert_int_equal(world->ke.last_close, ERR_MISMATCH);
    assert_int_equal(clone.last_close, ERR_MISMATCH);
    assert_int_equal(world->ke.alarms, 1);
    assert_int_equal(clone.alarms, 1);
    assert_non_null(strstr(world->ke.last_alarm, "two nodes of your code"));
    party_fini(&clone);
    world_free(world);
}

static int64_t next_dial_in_ms(struct party *party)
{
    struct exchange_status status;
    assert_int_equal(exchange_peers(party->exchange, &status, 1), 1);
    return status.next_dial_ms - party->world->clock.monotonic_now_ms;
}

static void exchange_dials_with_growing_bounded_pauses(void **state)
{
    (void)state;
    struct world *world = world_new();
    const struct error why = { ERR_IO, "no route" };
    exchange_tick(world->ke.exchange);
    assert_int_equal(world->ke.dials, 1);
    exchange_tick(world->ke.exchange);
    assert_int_equal(world->ke.dials, 1); /* under way */
    int64_t longest_ms = 0;
    for (int i = 1; i < 20; i++) {
        exchange_dial_failed(world->ke.exchange, &world->ke.other, &why);
        int64_t pause_ms = next_dial_in_ms(&world->ke);
        int64_t span_ms = (int64_t)BACKOFF_FIRST_MS << (i < 12 ? i : 12);
        if (span_ms > BACKOFF_MAX_MS)
            span_ms = BACKOFF_MAX_MS;
        assert_in_range(pause_ms, span_ms / 2, span_ms);
        longest_ms = pause_ms > longest_ms ? pause_ms : longest_ms;
        clock_fake_advance(&world->clock, pause_ms);
        exchange_tick(world->ke.exchange);
        assert_int_equal(world->ke.dials, (size_t)i + 1);
    }
    assert_true(longest_ms > BACKOFF_MAX_MS / 2);
    exchange_dial_failed(world->ke.exchange, &world->ke.other, &why);
    struct exchange_status status;
    exchange_peers(world->ke.exchange, &status, 1);
    assert_string_equal(status.last_error, "no route");
    /* The peer calls in: as if nothing had failed. */
    struct wire *wire = wire_open(world, &world->un, &world->ke);
    world_settle(world);
    wire_cut(wire);
    assert_in_range(next_dial_in_ms(&world->ke), 1, BACKOFF_FIRST_MS);
    world_free(world);
}

static void exchange_does_not_dial_when_it_may_not(void **state)
{
    (void)state;
    struct world *world = world_new();
    exchange_set_dial(world->ke.exchange, false);
    exchange_tick(world->ke.exchange);
    assert_int_equal(world->ke.dials, 0);
    exchange_set_dial(world->ke.exchange, true);
    struct exchange_peer peer = { .code = world->ke.other }; /* no address */
    assert_int_equal(exchange_set_peers(world->ke.exchange, &peer, 1, NULL), OK);
    exchange_tick(world->ke.exchange);
    assert_int_equal(world->ke.dials, 0);
    wire_open(world, &world->un, &world->ke);
    world_settle(world);
    exchange_tick(world->un.exchange);
    assert_int_equal(world->un.dials, 0); /* connected already */
    world_free(world);
}

static void exchange_backs_off_when_a_peer_hangs_up_after_the_handshake(void **state)
{
    (void)state;
    struct world *world = world_new();
    world->un.resume_status = ERR_DENIED;
    for (int i = 0; i < 4; i++) {
        wire_open(world, &world->ke, &world->un);
        world_settle(world);
    }
    struct exchange_status status;
    exchange_peers(world->un.exchange, &status, 1);
    assert_false(status.connected);
    world_free(world);
}

static void exchange_closes_links_of_peers_that_are_taken_off_the_list(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct wire *wire = wire_open(world, &world->ke, &world->un);
    world_settle(world);
    assert_int_equal(exchange_set_peers(world->ke.exchange, NULL, 0, NULL), OK);
    world_settle(world);
    assert_false(wire->open);
    assert_int_equal(world->ke.last_close, ERR_DENIED);
    struct error err = ERROR_INIT;
    assert_int_equal(exchange_set_peers(world->ke.exchange, NULL, PEERS_MAX + 1, &err), ERR_LIMIT);
    world_free(world);
}

static void exchange_makes_all_batches_that_the_window_takes_with_one_commit(void **state)
{
    (void)state;
    struct world *world = world_new();
    wire_open(world, &world->ke, &world->un);
    world_settle(world);
    size_t commits = world->ke.commits;
    world->ke.queued = SESSION_WINDOW_BATCHES;
    world->ke.batch_max = 1;
    exchange_wake(world->ke.exchange);
    world_settle(world);
    assert_int_equal(world->un.stored, SESSION_WINDOW_BATCHES);
    assert_int_equal(world->ke.receipted, SESSION_WINDOW_BATCHES);
    /* the batches, and a look whether there is more when they are receipted; receipts need none */
    assert_in_range(world->ke.commits - commits, 1, 2);
    assert_true(world->ke.relaxed > 0);
    world_free(world);
}

static void exchange_goes_on_where_a_full_window_stopped_it(void **state)
{
    (void)state;
    struct world *world = world_new();
    world->ke.queued = 5 * SESSION_WINDOW_BATCHES + 3;
    world->ke.batch_max = 1;
    wire_open(world, &world->ke, &world->un);
    world_settle(world);
    assert_int_equal(world->un.stored, world->ke.queued);
    assert_int_equal(world->ke.receipted, world->ke.queued);
    assert_int_equal(world->ke.closes, 0);
    world_free(world);
}

static void exchange_signs_one_receipt_for_what_one_commit_stored(void **state)
{
    (void)state;
    struct world *world = world_new();
    world->ke.queued = SESSION_WINDOW_BATCHES;
    world->ke.batch_max = 1;
    wire_open(world, &world->ke, &world->un);
    world_settle(world);
    assert_int_equal(world->ke.receipted, SESSION_WINDOW_BATCHES);
    assert_true(world->un.receipts_signed < SESSION_WINDOW_BATCHES);
    world_free(world);
}

static void exchange_holds_a_batch_back_until_the_peer_has_read(void **state)
{
    (void)state;
    struct world *world = world_new();
    world->ke.queued = 1;
    world->ke.queued_bytes = EXCHANGE_QUEUE_LOW;
    struct wire *wire = wire_open(world, &world->ke, &world->un);
    world_settle(world);
    assert_int_equal(world->ke.publishes, 0);
    world->ke.queued_bytes = 0;
    exchange_drained(wire->ends[0].link);
    world_settle(world);
    assert_int_equal(world->un.stored, 1);
    world_free(world);
}

static void exchange_says_goodbye_to_all_when_it_stops(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct wire *wire = wire_open(world, &world->ke, &world->un);
    world_settle(world);
    exchange_stop(world->ke.exchange, "the node is stopping");
    world_settle(world);
    assert_false(wire->open);
    assert_int_equal(world->ke.last_close, OK);
    assert_null(wire_open(world, &world->un, &world->ke));
    exchange_tick(world->ke.exchange);
    assert_int_equal(world->ke.dials, 0);
    world_free(world);
}

static void exchange_refuses_an_overlong_frame_with_blame(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct wire *wire = wire_open(world, &world->ke, &world->un);
    world_settle(world);
    const struct error why = { ERR_LIMIT, "frame: 5 > 4" };
    assert_true(exchange_frame_max(wire->ends[0].link) >= FRAME_CONTROL_MAX);
    exchange_refuse(wire->ends[0].link, &why);
    world_settle(world);
    assert_int_equal(world->ke.penalties, 1);
    assert_false(wire->open);
    world_free(world);
}

static void exchange_survives_memory_that_runs_out(void **state)
{
    (void)state;
    for (uint64_t i = 1;; i++) {
        struct world *world = world_new();
        mem_fail_at(i, false);
        struct wire *wire = wire_open(world, &world->ke, &world->un);
        if (wire != NULL)
            world_settle(world);
        bool hit = mem_fail_hit();
        mem_fail_at(0, false);
        assert_true(hit || is_connected(&world->ke));
        world_free(world);
        if (!hit)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exchange_delivers_what_waits_and_takes_its_receipt),
        cmocka_unit_test(exchange_wakes_a_session_when_something_is_queued_later),
        cmocka_unit_test(exchange_refuses_strangers_and_a_third_connection),
        cmocka_unit_test(exchange_closes_without_blame_when_the_store_cannot),
        cmocka_unit_test(exchange_keeps_the_dial_of_the_smaller_code),
        cmocka_unit_test(exchange_keeps_the_newer_of_two_dials_of_one_side),
        cmocka_unit_test(exchange_takes_a_peer_that_was_restarted),
        cmocka_unit_test(exchange_does_not_take_late_frames_of_a_dead_process_for_life),
        cmocka_unit_test(exchange_frees_a_held_connection_when_the_old_one_ends),
        cmocka_unit_test(exchange_asks_to_be_called_again_when_a_dead_process_changed_the_feed),
        cmocka_unit_test(exchange_raises_the_alarm_at_both_ends_for_two_live_boot_ids),
        cmocka_unit_test(exchange_dials_with_growing_bounded_pauses),
        cmocka_unit_test(exchange_does_not_dial_when_it_may_not),
        cmocka_unit_test(exchange_backs_off_when_a_peer_hangs_up_after_the_handshake),
        cmocka_unit_test(exchange_closes_links_of_peers_that_are_taken_off_the_list),
        cmocka_unit_test(exchange_makes_all_batches_that_the_window_takes_with_one_commit),
        cmocka_unit_test(exchange_goes_on_where_a_full_window_stopped_it),
        cmocka_unit_test(exchange_signs_one_receipt_for_what_one_commit_stored),
        cmocka_unit_test(exchange_holds_a_batch_back_until_the_peer_has_read),
        cmocka_unit_test(exchange_says_goodbye_to_all_when_it_stops),
        cmocka_unit_test(exchange_refuses_an_overlong_frame_with_blame),
        cmocka_unit_test(exchange_survives_memory_that_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
