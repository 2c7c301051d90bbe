/* The n-th allocation of a whole conversation fails, for every n: once, and from there on. */
#include "base/memory.h"
#include "support/check.h"
#include "support/peer_wire.h"
#include "support/session_scene.h"

/* All that comes from outside, made before any allocation fails. */
struct props {
    struct session_config config;
    struct heads heads;
    struct resume resume;
    struct batch batches[4]; /* published; the last is empty */
    struct heal heal;
    struct buf note;
    struct buf frames[7];
};

enum { HELLO, BATCH_HELD, BATCH, HEAL, RECEIPT, PING, HEAL_TAKEN };

static void props_make(struct props *props)
{
    *props = (struct props){ .config = host_config("KE", "AU", false) };
    peer_wire_note(&props->heads.yours, AU_TO_KE, 1, 'r');
    props->resume.heal_peer = true;
    assert_int_equal(buf_append_text(&props->resume.heal_origin, AU_TO_KE, NULL), OK);
    snprintf(props->resume.alarm, sizeof props->resume.alarm, "a new epoch is open");
    for (uint64_t i = 0; i < 3; i++)
        props->batches[i] = peer_wire_batch(KE_TO_AU, i, 1, 10);
    props->heal = peer_wire_heal(AU_TO_KE, 0, 2, false);
    peer_wire_note(&props->note, AU_TO_KE, 2, 'r');
    props->frames[HELLO] = scene_sample(MESSAGE_HELLO);
    props->frames[BATCH_HELD] = scene_batch(AU_TO_KE, 0, 2, 10);
    props->frames[BATCH] = scene_batch(AU_TO_KE, 2, 2, 10);
    props->frames[HEAL] = scene_heal(KE_TO_AU, 0, 1, true);
    props->frames[RECEIPT] = scene_receipt(3);
    props->frames[PING] = scene_number(MESSAGE_PING, 1);
    props->frames[HEAL_TAKEN] = scene_number(MESSAGE_HEAL_TAKEN, 2);
}

static void props_fini(struct props *props)
{
    heads_fini(&props->heads);
    resume_fini(&props->resume);
    for (size_t i = 0; i < COUNT(props->batches); i++)
        batch_fini(&props->batches[i]);
    heal_fini(&props->heal);
    buf_fini(&props->note);
    for (size_t i = 0; i < COUNT(props->frames); i++)
        buf_fini(&props->frames[i]);
}

struct ending {
    size_t closes;
    enum status why;
    bool penalty;
    size_t questions; /* of all kinds */
};

static void drain(struct session *session, struct ending *ending)
{
    struct effect effect;
    while (session_next_effect(session, &effect)) {
        if (effect.kind == EFFECT_CLOSE) {
            ending->closes++;
            ending->why = effect.error.status;
            ending->penalty = effect.penalty;
        } else if (effect.kind != EFFECT_SEND && effect.kind != EFFECT_ALARM) {
            ending->questions++;
        }
        effect_fini(&effect);
    }
}

static void receive(struct session *session, struct props *props, int frame, struct ending *ending)
{
    session_receive(session, 0, buf_span(&props->frames[frame]));
    drain(session, ending);
}

static void converse(struct session *session, struct props *props, struct ending *ending)
{
    receive(session, props, HELLO, ending); /* early */
    session_start(session, 0, &props->heads);
    drain(session, ending);
    receive(session, props, BATCH_HELD, ending);
    session_on_resumed(session, 0, &props->resume, NULL);
    drain(session, ending);
    for (size_t i = 0; i < COUNT(props->batches); i++) {
        session_on_published(session, 0, &props->batches[i], NULL);
        drain(session, ending);
    }
    session_on_heal_read(session, 0, &props->heal, NULL);
    drain(session, ending);
    session_on_ingested(session, 0, buf_span(&props->note), NULL);
    drain(session, ending);
    for (int frame = BATCH; frame <= HEAL_TAKEN; frame++)
        receive(session, props, frame, ending);
    session_on_receipt_taken(session, 0, NULL);
    session_on_healed(session, 0, NULL);
    session_probe(session, 0);
    drain(session, ending);
    session_stop(session, 0, ERR_EXISTS, "the end");
    drain(session, ending);
}

/* False when nothing was left to fail. */
static bool run(uint64_t nth, bool for_ever)
{
    struct props props;
    struct ending ending = { .why = OK };
    struct session *session = NULL;
    struct error err = ERROR_INIT;
    int64_t live = mem_live();
    props_make(&props);
    mem_fail_at(nth, for_ever);
    enum status status = session_new(&props.config, &session, &err);
    if (status == OK)
        converse(session, &props, &ending);
    bool hit = mem_fail_hit();
    mem_fail_at(0, false);
    if (status == OK) {
        assert_int_equal(ending.closes, 1);
        assert_false(ending.penalty);
        /* A Goodbye without memory is left out: then the end is the one that was asked for. */
        assert_true(ending.why == ERR_EXISTS || (hit && ending.why == ERR_MEMORY));
        if (!hit)
            assert_int_equal(ending.questions, 12);
    } else {
        assert_int_equal(status, ERR_MEMORY);
    }
    session_free(session);
    props_fini(&props);
    assert_int_equal(mem_live(), live);
    return hit;
}

static void session_without_memory_closes_and_leaves_nothing_behind(void **state)
{
    (void)state;
    uint64_t once = 1;
    while (run(once, false))
        once++;
    uint64_t for_ever = 1;
    while (run(for_ever, true))
        for_ever++;
    assert_int_equal(once, for_ever);
    assert_true(once > 50);
}

static void session_idle_takes_little_memory(void **state)
{
    (void)state;
    struct scene scene;
    int64_t live = mem_live();
    scene_reach(&scene, SESSION_RUNNING);
    buf_fini(&scene.ke.out);
    /* The session itself, and nothing beside it. */
    assert_int_equal(mem_live(), live + 1);
    scene_fini(&scene);
    session_free(NULL);
    effect_fini(NULL);
}

static void session_names_its_states_and_effects(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SESSION_STATE_COUNT; i++)
        assert_string_not_equal(session_state_name((enum session_state)i), "unknown");
    for (unsigned i = 0; i < EFFECT_KIND_COUNT; i++)
        assert_string_not_equal(effect_kind_name((enum effect_kind)i), "unknown");
    assert_string_equal(session_state_name(SESSION_STATE_COUNT), "unknown");
    assert_string_equal(effect_kind_name(EFFECT_KIND_COUNT), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(session_without_memory_closes_and_leaves_nothing_behind),
        cmocka_unit_test(session_idle_takes_little_memory),
        cmocka_unit_test(session_names_its_states_and_effects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
