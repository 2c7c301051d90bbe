/* What a session does not take: from a stranger, out of order, beyond its bounds. */
#include "base/memory.h"
#include "support/check.h"
#include "support/session_scene.h"

/* -- Hello ------------------------------------------------------------------------------------- */

enum spoil {
    SPOIL_REALM,
    SPOIL_CODE,
    SPOIL_ROLE,
    SPOIL_EXPORTER,
    SPOIL_HEARER,
    SPOIL_VERSION,
    SPOIL_BOOT_ID,
    SPOIL_FEATURES,
    SPOIL_SIGNATURE
};

struct bad_hello {
    const char *what;
    enum spoil spoil;
    enum status status;
    bool penalty;
    enum goodbye_reason reason;
    const char *says;
};

static void spoil_config(struct session_config *config, enum spoil spoil)
{
    if (spoil == SPOIL_REALM)
        assert_int_equal(realm_parse("live", &config->realm, NULL), OK);
    if (spoil == SPOIL_CODE)
        assert_int_equal(code_parse("GB", &config->self, NULL), OK);
    if (spoil == SPOIL_HEARER)
        assert_int_equal(code_parse("GB", &config->peer, NULL), OK);
    if (spoil == SPOIL_ROLE)
        config->initiator = false;
    if (spoil == SPOIL_EXPORTER)
        config->exporter[31] ^= 1;
}

/* Changes what stands in the Hello after it was signed. */
static void spoil_message(struct buf *frame, enum spoil spoil)
{
    struct message message;
    assert_int_equal(codec_decode(buf_span(frame), &message, NULL), OK);
    if (spoil == SPOIL_VERSION)
        message.hello.version = 2;
    if (spoil == SPOIL_BOOT_ID)
        message.hello.boot_id[0] ^= 1;
    if (spoil == SPOIL_FEATURES)
        message.hello.features[message.hello.feature_count++] = 9;
    if (spoil == SPOIL_SIGNATURE)
        message.hello.signature.data[0] ^= 1;
    struct buf again = BUF_INIT;
    assert_int_equal(codec_encode_hello(&message.hello, &again, NULL), OK);
    buf_clear(frame);
    struct span body = span_slice(buf_span(&again), FRAME_HEAD_SIZE, again.size);
    assert_int_equal(buf_append(frame, body, NULL), OK);
    buf_fini(&again);
    message_fini(&message);
}

static void session_refuses_a_hello_that_is_not_the_peers(void **state)
{
    (void)state;
    static const struct bad_hello table[] = {
        { "version 2", SPOIL_VERSION, ERR_UNSUPPORTED, false, GOODBYE_VERSION, "version 2" },
        { "another realm", SPOIL_REALM, ERR_DENIED, false, GOODBYE_DENIED, "realm live" },
        { "another code than the certificate's", SPOIL_CODE, ERR_SIGNATURE, true, GOODBYE_IDENTITY,
          "code GB, but its certificate names AU" },
        { "signed for another hearer", SPOIL_HEARER, ERR_SIGNATURE, true, GOODBYE_IDENTITY, "sig" },
        { "signed for the other role", SPOIL_ROLE, ERR_SIGNATURE, true, GOODBYE_IDENTITY, "sig" },
        { "signed for another connection", SPOIL_EXPORTER, ERR_SIGNATURE, true, GOODBYE_IDENTITY,
          "sig" },
        { "boot id changed", SPOIL_BOOT_ID, ERR_SIGNATURE, true, GOODBYE_IDENTITY, "sig" },
        { "feature added", SPOIL_FEATURES, ERR_SIGNATURE, true, GOODBYE_IDENTITY, "sig" },
        { "signature changed", SPOIL_SIGNATURE, ERR_SIGNATURE, true, GOODBYE_IDENTITY, "sig" },
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct scene scene;
        print_message("%s\n", table[i].what);
        scene_reach(&scene, SESSION_GREETING);
        struct session_config au = host_config("AU", "KE", true);
        spoil_config(&au, table[i].spoil);
        struct buf hello = scene_hello_of(&au);
        spoil_message(&hello, table[i].spoil);
        scene_hear(&scene, &hello);
        scene_check_closed(&scene, table[i].status, table[i].penalty, table[i].reason,
                           table[i].says);
        /* Nothing that tells a stranger anything: no comparison, no words. */
        assert_int_equal(scene.ke.counts[EFFECT_COMPARE], 0);
        assert_int_equal(scene.ke.counts[EFFECT_GREETED], 0);
        assert_int_equal(scene.ke.counts[EFFECT_SEND], 2);
        struct message goodbye = scene_last_sent(&scene.ke);
        assert_string_equal(goodbye.text, "");
        message_fini(&goodbye);
        scene_fini(&scene);
    }
}

static void session_refuses_its_own_hello_sent_back(void **state)
{
    (void)state;
    struct scene scene;
    scene_reach(&scene, SESSION_GREETING);
    struct buf own = BUF_INIT;
    struct span body = span_slice(buf_span(&scene.ke.out), FRAME_HEAD_SIZE, scene.ke.out.size);
    assert_int_equal(buf_append(&own, body, NULL), OK);
    scene_hear(&scene, &own);
    scene_check_closed(&scene, ERR_SIGNATURE, true, GOODBYE_IDENTITY, "certificate names AU");
    scene_fini(&scene);
    /* And a peer that is certified under our own code. */
    struct session_config self = host_config("KE", "KE", true);
    struct session_config other = host_config("KE", "KE", false);
    struct host_feed feed = { .origin_out = AU_TO_KE, .origin_in = KE_TO_AU };
    struct host host;
    assert_int_equal(host_init(&host, &feed, &self, NULL), OK);
    host_start(&host, 0);
    struct buf hello = scene_hello_of(&other);
    host_receive_frame(&host, 0, buf_span(&hello));
    assert_int_equal(host.why.status, ERR_SIGNATURE);
    CHECK_CONTAINS(host.why.text, "own");
    buf_fini(&hello);
    host_fini(&host);
}

static void session_says_nothing_but_hello_before_the_peers_hello(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene);
    scene.feed.queued = 5;
    host_start(&scene.ke, 0);
    host_wake(&scene.ke, 0);
    session_probe(scene.ke.session, 0);
    host_drain(&scene.ke);
    assert_int_equal(scene.ke.counts[EFFECT_SEND], 1);
    assert_int_equal(scene.ke.pending_count, 0);
    session_stop(scene.ke.session, 0, ERR_DENIED, "not accepted: two people must look");
    host_drain(&scene.ke);
    struct message goodbye = scene_last_sent(&scene.ke);
    assert_string_equal(goodbye.text, "");
    message_fini(&goodbye);
    scene_fini(&scene);
}

/* -- what may come when ------------------------------------------------------------------------ */

static void scene_prepare(struct scene *scene, enum session_state state)
{
    scene_reach(scene, state == SESSION_RUNNING ? SESSION_COMPARING : state);
    if (state == SESSION_RUNNING) { /* one batch and one Heal on their way */
        scene->feed.queued = 1;
        scene->feed.heal_to = 1;
        host_answer_all(&scene->ke, 0);
    }
    session_probe(scene->ke.session, 0); /* Ping number 1, where a Ping may go */
    host_drain(&scene->ke);
}

static void session_takes_each_message_only_in_its_states(void **state)
{
    (void)state;
    /* '+' taken, '-' closes with blame, 'G' closes without, '.' kept or ignored.
     *                Hello Batch Receipt Heal HealTaken Ping Pong Goodbye */
    static const char *const table[SESSION_STATE_COUNT] = {
        [SESSION_NEW] = "........",       [SESSION_GREETING] = "+------G",
        [SESSION_COMPARING] = "-+-+-++G", [SESSION_RUNNING] = "-++++++G",
        [SESSION_CLOSED] = "........",
    };
    for (unsigned at = 0; at < SESSION_STATE_COUNT; at++) {
        for (unsigned kind = MESSAGE_HELLO; kind < MESSAGE_KIND_COUNT; kind++) {
            struct scene scene;
            char wanted = table[at][kind - MESSAGE_HELLO];
            scene_prepare(&scene, (enum session_state)at);
            bool was_closed = scene.ke.closed;
            struct buf frame = scene_sample((enum message_kind)kind);
            print_message("%s in %s: %c %s\n", message_kind_name((enum message_kind)kind),
                          session_state_name((enum session_state)at), wanted, scene.ke.why.text);
            scene_hear(&scene, &frame);
            if (wanted == '-')
                scene_check_closed(&scene, ERR_WRONG_STATE, true, GOODBYE_ORDER,
                                   "is not allowed while");
            if (wanted == 'G') {
                assert_true(scene.ke.closed);
                assert_int_equal(scene.ke.why.status, OK);
                assert_false(scene.ke.penalty);
                CHECK_CONTAINS(scene.ke.why.text, "good night");
            }
            if (wanted == '+')
                assert_false(scene.ke.closed);
            if (wanted == '.')
                assert_true(scene.ke.closed == was_closed);
            scene_fini(&scene);
        }
    }
}

static void session_keeps_one_early_frame_and_no_second(void **state)
{
    (void)state;
    struct scene scene;
    scene_reach(&scene, SESSION_NEW);
    struct buf hello = scene_sample(MESSAGE_HELLO);
    scene_hear(&scene, &hello);
    assert_int_equal(session_state(scene.ke.session), SESSION_NEW);
    host_start(&scene.ke, 0);
    assert_int_equal(session_state(scene.ke.session), SESSION_COMPARING);
    scene_fini(&scene);

    scene_reach(&scene, SESSION_NEW);
    hello = scene_sample(MESSAGE_HELLO);
    scene_hear(&scene, &hello);
    hello = scene_sample(MESSAGE_HELLO);
    scene_hear(&scene, &hello);
    scene_check_closed(&scene, ERR_WRONG_STATE, true, GOODBYE_ORDER, "two frames before our Hello");
    host_start(&scene.ke, 0); /* late, and without effect */
    assert_true(session_deadline_ms(scene.ke.session) == INT64_MAX);
    scene_fini(&scene);
}

static void session_refuses_frames_above_the_limit_of_the_moment(void **state)
{
    (void)state;
    static const enum session_state states[] = { SESSION_NEW, SESSION_GREETING };
    for (size_t i = 0; i < COUNT(states); i++) {
        struct scene scene;
        scene_reach(&scene, states[i]);
        assert_int_equal(session_frame_max(scene.ke.session), FRAME_BEFORE_HELLO_MAX);
        struct buf frame = BUF_INIT;
        assert_int_equal(buf_append_zeros(&frame, FRAME_BEFORE_HELLO_MAX + 1, NULL), OK);
        scene_hear(&scene, &frame);
        scene_check_closed(&scene, ERR_LIMIT, true, GOODBYE_LIMIT, "4097 bytes > 4096");
        scene_fini(&scene);
    }
    struct scene scene;
    scene_reach(&scene, SESSION_RUNNING);
    assert_int_equal(session_frame_max(scene.ke.session), FRAME_BATCH_MAX);
    static const uint8_t long_head[] = { 0xff, 0, 0, 0 };
    host_receive(&scene.ke, 0, SPAN_ARRAY(long_head));
    scene_check_closed(&scene, ERR_LIMIT, true, GOODBYE_LIMIT, "frame: length");
    scene_fini(&scene);
}

static void session_refuses_malformed_frames_in_every_state(void **state)
{
    (void)state;
    static const enum session_state states[] = { SESSION_GREETING, SESSION_COMPARING,
                                                 SESSION_RUNNING };
    for (size_t i = 0; i < COUNT(states); i++) {
        struct scene scene;
        scene_reach(&scene, states[i]);
        static const uint8_t noise[] = { 0xff, 0xff, 0xff };
        host_receive_frame(&scene.ke, 0, SPAN_ARRAY(noise));
        scene_check_closed(&scene, ERR_INVALID, true, GOODBYE_MALFORMED, "malformed");
        scene_fini(&scene);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(session_refuses_a_hello_that_is_not_the_peers),
        cmocka_unit_test(session_refuses_its_own_hello_sent_back),
        cmocka_unit_test(session_says_nothing_but_hello_before_the_peers_hello),
        cmocka_unit_test(session_takes_each_message_only_in_its_states),
        cmocka_unit_test(session_keeps_one_early_frame_and_no_second),
        cmocka_unit_test(session_refuses_frames_above_the_limit_of_the_moment),
        cmocka_unit_test(session_refuses_malformed_frames_in_every_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
