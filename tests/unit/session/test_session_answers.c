/* The owner's answers: failures with and without blame, answers unasked, outcomes. */
#include "base/memory.h"
#include "support/check.h"
#include "support/peer_wire.h"
#include "support/session_scene.h"

/* -- failures ---------------------------------------------------------------------------------- */

/* Brings a scene to the point where the question of this kind waits for its answer. */
static void scene_ask(struct scene *scene, enum effect_kind kind)
{
    struct buf frame = BUF_INIT;
    scene_reach(scene, SESSION_COMPARING);
    if (kind == EFFECT_COMPARE)
        return;
    if (kind == EFFECT_TAKE_RECEIPT)
        scene->feed.queued = 1;
    if (kind == EFFECT_READ_HEAL)
        scene->feed.heal_to = 1;
    host_answer(&scene->ke, 0);
    if (kind == EFFECT_PUBLISH || kind == EFFECT_READ_HEAL)
        return;
    host_answer_all(&scene->ke, 0);
    if (kind == EFFECT_TAKE_RECEIPT)
        frame = scene_receipt(1);
    if (kind == EFFECT_INGEST)
        frame = scene_batch(AU_TO_KE, 0, 1, 10);
    if (kind == EFFECT_APPLY_HEAL)
        frame = scene_heal(KE_TO_AU, 0, 1, true);
    scene_hear(scene, &frame);
}

static void session_blames_the_peer_only_for_what_is_the_peers(void **state)
{
    (void)state;
    static const enum effect_kind kinds[] = { EFFECT_COMPARE,   EFFECT_PUBLISH,
                                              EFFECT_INGEST,    EFFECT_TAKE_RECEIPT,
                                              EFFECT_READ_HEAL, EFFECT_APPLY_HEAL };
    for (size_t i = 0; i < COUNT(kinds); i++) {
        bool ours = kinds[i] == EFFECT_PUBLISH || kinds[i] == EFFECT_READ_HEAL;
        for (unsigned status = ERR_INVALID; status < STATUS_COUNT; status++) {
            struct scene scene;
            scene_ask(&scene, kinds[i]);
            assert_true(scene.ke.pending_count > 0);
            assert_int_equal(scene.ke.pending[0].kind, kinds[i]);
            scene.ke.answer = (enum status)status;
            scene.ke.answer_text = "/srv/comity/comity.db: no space left";
            host_answer(&scene.ke, 0);
            bool blame = !ours && (status == ERR_MISMATCH || status == ERR_SIGNATURE ||
                                   status == ERR_INVALID);
            scene_check_closed(&scene, (enum status)status, blame,
                               blame || status == ERR_DENIED
                                   ? goodbye_reason_of((enum status)status)
                                   : GOODBYE_BUSY,
                               "no space left");
            /* Our own troubles stay with us. */
            struct message goodbye = scene_last_sent(&scene.ke);
            assert_string_equal(goodbye.text, blame ? scene.ke.answer_text : "");
            message_fini(&goodbye);
            scene_fini(&scene);
        }
    }
}

/* Every answer after the end frees what it was given and changes nothing. */
static void session_ignores_late_answers(void **state)
{
    (void)state;
    struct scene scene;
    int64_t live = mem_live();
    scene_reach(&scene, SESSION_CLOSED);
    struct session *session = scene.ke.session;
    struct resume resume = { .outcome = RESUME_IN_STEP };
    assert_int_equal(buf_append_text(&resume.heal_origin, "origin", NULL), OK);
    struct batch batch = peer_wire_batch(KE_TO_AU, 0, 1, 10);
    struct heal heal = peer_wire_heal(AU_TO_KE, 0, 1, true);
    struct heads heads = { 0 };
    assert_int_equal(buf_append_text(&heads.mine, "note", NULL), OK);
    session_on_resumed(session, 0, &resume, NULL);
    session_on_published(session, 0, &batch, NULL);
    session_on_ingested(session, 0, SPAN_EMPTY, NULL);
    session_on_receipt_taken(session, 0, NULL);
    session_on_heal_read(session, 0, &heal, NULL);
    session_on_healed(session, 0, NULL);
    session_start(session, 0, &heads);
    host_drain(&scene.ke);
    assert_int_equal(scene.ke.counts[EFFECT_CLOSE], 1);
    scene_fini(&scene);
    assert_int_equal(mem_live(), live);
}

static void answer_unasked(struct session *session, enum effect_kind kind)
{
    struct resume resume = { .outcome = RESUME_IN_STEP };
    struct batch batch = peer_wire_batch(KE_TO_AU, 0, 1, 10);
    struct heal heal = peer_wire_heal(AU_TO_KE, 0, 1, true);
    struct heads heads = { 0 };
    if (kind == EFFECT_COMPARE)
        session_on_resumed(session, 0, &resume, NULL);
    if (kind == EFFECT_PUBLISH)
        session_on_published(session, 0, &batch, NULL);
    if (kind == EFFECT_INGEST)
        session_on_ingested(session, 0, batch.checkpoint, NULL);
    if (kind == EFFECT_TAKE_RECEIPT)
        session_on_receipt_taken(session, 0, NULL);
    if (kind == EFFECT_READ_HEAL)
        session_on_heal_read(session, 0, &heal, NULL);
    if (kind == EFFECT_APPLY_HEAL)
        session_on_healed(session, 0, NULL);
    if (kind == EFFECT_SEND)
        session_start(session, 0, &heads);
    batch_fini(&batch);
    heal_fini(&heal);
}

static void session_reports_unasked_answers_as_our_own_bug(void **state)
{
    (void)state;
    static const enum effect_kind kinds[] = { EFFECT_COMPARE,   EFFECT_PUBLISH,
                                              EFFECT_INGEST,    EFFECT_TAKE_RECEIPT,
                                              EFFECT_READ_HEAL, EFFECT_APPLY_HEAL,
                                              EFFECT_SEND };
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct scene scene;
        scene_reach(&scene, SESSION_RUNNING);
        answer_unasked(scene.ke.session, kinds[i]);
        host_drain(&scene.ke);
        scene_check_closed(&scene, ERR_INTERNAL, false, GOODBYE_BUSY, "session: ");
        scene_fini(&scene);
    }
}

static void session_sends_nothing_that_was_not_asked_for(void **state)
{
    (void)state;
    struct scene scene;
    scene_ask(&scene, EFFECT_PUBLISH);
    struct batch batch = peer_wire_batch(KE_TO_AU, 1, 1, 10);
    session_on_published(scene.ke.session, 0, &batch, NULL);
    host_drain(&scene.ke);
    scene_check_closed(&scene, ERR_INTERNAL, false, GOODBYE_BUSY, "does not begin where");
    scene_fini(&scene);

    scene_ask(&scene, EFFECT_PUBLISH);
    batch = peer_wire_batch(KE_TO_AU, 0, 1, 10);
    batch.checkpoint = SPAN_LITERAL("no note");
    session_on_published(scene.ke.session, 0, &batch, NULL);
    host_drain(&scene.ke);
    scene_check_closed(&scene, ERR_INTERNAL, false, GOODBYE_BUSY, "Batch to send");
    scene_fini(&scene);

    scene_ask(&scene, EFFECT_READ_HEAL);
    struct heal heal = peer_wire_heal(AU_TO_KE, 1, 1, true);
    session_on_heal_read(scene.ke.session, 0, &heal, NULL);
    host_drain(&scene.ke);
    scene_check_closed(&scene, ERR_INTERNAL, false, GOODBYE_BUSY, "not those");
    scene_fini(&scene);

    scene_ask(&scene, EFFECT_READ_HEAL);
    heal = peer_wire_heal(AU_TO_KE, 0, 1, true);
    heal.checkpoint = SPAN_EMPTY;
    session_on_heal_read(scene.ke.session, 0, &heal, NULL);
    host_drain(&scene.ke);
    scene_check_closed(&scene, ERR_INTERNAL, false, GOODBYE_BUSY, "Heal to send");
    scene_fini(&scene);

    scene_ask(&scene, EFFECT_READ_HEAL);
    heal = (struct heal){ .last = true }; /* nothing to hand back after all */
    session_on_heal_read(scene.ke.session, 0, &heal, NULL);
    host_drain(&scene.ke);
    assert_false(scene.ke.closed);
    scene_fini(&scene);

    scene_ask(&scene, EFFECT_INGEST);
    session_on_ingested(scene.ke.session, 0, SPAN_LITERAL("no note"), NULL);
    host_drain(&scene.ke);
    scene_check_closed(&scene, ERR_INTERNAL, false, GOODBYE_BUSY, "no checkpoint");
    scene_fini(&scene);
}

/* -- outcomes of the comparison ---------------------------------------------------------------- */

struct outcome {
    enum resume_outcome outcome;
    const char *alarm;
    bool goes_on;
    enum status status;
    enum goodbye_reason reason;
};

static void session_stops_where_the_comparison_says_so(void **state)
{
    (void)state;
    static const struct outcome table[] = {
        { RESUME_FORK, "KE and AU hold different histories", false, ERR_MISMATCH,
          GOODBYE_MISMATCH },
        { RESUME_HELD, "", false, ERR_DENIED, GOODBYE_DENIED },
        { (enum resume_outcome)99, "", false, ERR_INTERNAL, GOODBYE_BUSY },
        { RESUME_RECOVERED, "a new epoch is open", true, OK, GOODBYE_CLOSING },
        { RESUME_IN_STEP, "", true, OK, GOODBYE_CLOSING },
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct scene scene;
        scene_ask(&scene, EFFECT_COMPARE);
        scene.ke.resume = (struct resume){ .outcome = table[i].outcome, .send_from = 3 };
        snprintf(scene.ke.resume.alarm, sizeof scene.ke.resume.alarm, "%s", table[i].alarm);
        scene.ke.resume_given = true;
        host_answer(&scene.ke, 0);
        assert_string_equal(scene.ke.alarm, table[i].alarm);
        if (table[i].goes_on) {
            assert_int_equal(session_state(scene.ke.session), SESSION_RUNNING);
            assert_int_equal(scene.ke.pending[0].kind, EFFECT_PUBLISH);
            assert_int_equal(scene.ke.pending[0].from, 3);
        } else {
            scene_check_closed(&scene, table[i].status, false, table[i].reason, "");
            assert_int_equal(scene.ke.pending_count, 0);
        }
        scene_fini(&scene);
    }
}

static void session_tells_the_owner_what_the_peer_announced(void **state)
{
    (void)state;
    struct scene scene;
    scene_reach(&scene, SESSION_GREETING);
    struct session_config au = host_config("AU", "KE", true);
    au.features[0] = 7;
    au.features[1] = 70000;
    au.feature_count = 2;
    struct buf hello = scene_hello_of(&au);
    scene_hear(&scene, &hello);
    assert_int_equal(scene.ke.feature_count, 2);
    assert_int_equal(scene.ke.features[1], 70000);
    scene_fini(&scene);
}

static void session_publishes_again_when_woken_in_between(void **state)
{
    (void)state;
    struct scene scene;
    scene_ask(&scene, EFFECT_PUBLISH);
    host_wake(&scene.ke, 0); /* while the database still says: nothing */
    host_answer(&scene.ke, 0);
    assert_int_equal(scene.ke.counts[EFFECT_PUBLISH], 2);
    host_answer(&scene.ke, 0);
    assert_int_equal(scene.ke.pending_count, 0);
    scene_fini(&scene);
}

static void session_asks_for_nothing_behind_the_last_batch_until_it_is_woken(void **state)
{
    (void)state;
    struct scene scene;
    scene_ask(&scene, EFFECT_PUBLISH);
    scene.feed.says_last = true;
    scene.feed.batch_entries = 2;
    scene.feed.queued = 3;
    host_answer(&scene.ke, 0);
    assert_int_equal(scene.ke.counts[EFFECT_PUBLISH], 2); /* one more is there */
    host_wake(&scene.ke, 0); /* for what was queued after the answer was made */
    host_answer(&scene.ke, 0);
    assert_int_equal(scene.ke.counts[EFFECT_PUBLISH], 3);
    scene.feed.queued = 4;
    host_answer(&scene.ke, 0);
    assert_int_equal(scene.ke.counts[EFFECT_PUBLISH], 3);
    assert_int_equal(scene.ke.pending_count, 0);
    scene.feed.queued = 5;
    host_wake(&scene.ke, 0);
    assert_int_equal(scene.ke.counts[EFFECT_PUBLISH], 4);
    scene_fini(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(session_blames_the_peer_only_for_what_is_the_peers),
        cmocka_unit_test(session_stops_where_the_comparison_says_so),
        cmocka_unit_test(session_reports_unasked_answers_as_our_own_bug),
        cmocka_unit_test(session_sends_nothing_that_was_not_asked_for),
        cmocka_unit_test(session_ignores_late_answers),
        cmocka_unit_test(session_tells_the_owner_what_the_peer_announced),
        cmocka_unit_test(session_publishes_again_when_woken_in_between),
        cmocka_unit_test(session_asks_for_nothing_behind_the_last_batch_until_it_is_woken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
