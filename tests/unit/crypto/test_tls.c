/* Two ends in memory: accepted peers, judged again and again, and the bytes between them. */
#include "base/memory.h"
#include "support/check.h"
#include "support/tls_link.h"

#include <malloc.h>

/* Two States and the contexts of their nodes. */
static struct pki_state ke;
static struct pki_state gb;
static struct clock_fake now;

static int make_states(void **state)
{
    (void)state;
    clock_fake_init(&now, PKI_NOW_MS);
    pki_init(&ke, "training", "KE");
    pki_init(&gb, "training", "GB");
    return 0;
}

static int free_states(void **state)
{
    (void)state;
    pki_fini(&ke);
    pki_fini(&gb);
    return 0;
}

static struct tls_link good_link(void)
{
    struct tls_link link = {
        .contexts = { tls_link_context(&gb, &ke, &now.base),
                      tls_link_context(&ke, &gb, &now.base) },
    };
    tls_link_open(&link, &gb.code);
    tls_link_shake(&link);
    assert_int_equal(tls_state(link.ends[0]), TLS_OPEN);
    assert_int_equal(tls_state(link.ends[1]), TLS_OPEN);
    return link;
}

static void two_accepted_peers_know_each_other(void **state)
{
    (void)state;
    struct tls_link link = good_link();
    assert_string_equal(tls_peer(link.ends[TLS_SERVER])->code.text, "KE");
    assert_string_equal(tls_peer(link.ends[TLS_CLIENT])->code.text, "GB");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(tls_peer(link.ends[i])->verdict, VERDICT_GOOD);
        assert_int_equal(tls_error(link.ends[i])->status, OK);
    }
    assert_true(
        span_equal(tls_peer_certificate(link.ends[TLS_SERVER]), buf_span(&ke.roles[ROLE_TLS])));
    uint8_t a[32];
    uint8_t b[32];
    CHECK_OK(tls_exporter(link.ends[0], TLS_EXPORTER_HELLO, a, sizeof(a), NULL), NULL);
    CHECK_OK(tls_exporter(link.ends[1], TLS_EXPORTER_HELLO, b, sizeof(b), NULL), NULL);
    assert_memory_equal(a, b, sizeof(a));
    struct tls_link other = good_link();
    CHECK_OK(tls_exporter(other.ends[0], TLS_EXPORTER_HELLO, b, sizeof(b), NULL), NULL);
    assert_memory_not_equal(a, b, sizeof(a));
    tls_link_close(&other);
    tls_link_close(&link);
}

static void a_revoked_certificate_is_refused(void **state)
{
    (void)state;
    struct pki_state fr;
    pki_init(&fr, "training", "FR");
    pki_revoke(&fr, buf_span(&fr.roles[ROLE_TLS]), PKI_NOW_MS + CRL_LIFE_MS);
    struct tls_link link = {
        .contexts = { tls_link_context(&gb, &fr, &now.base),
                      tls_link_context(&fr, &gb, &now.base) },
    };
    tls_link_open(&link, &gb.code);
    tls_link_shake(&link);
    assert_int_equal(tls_peer(link.ends[TLS_SERVER])->verdict, VERDICT_REVOKED);
    CHECK_CONTAINS(tls_error(link.ends[TLS_SERVER])->text, "was revoked at 2026-09-20");
    CHECK_CONTAINS(tls_error(link.ends[TLS_SERVER])->text, "list number 2");
    /* The client learns of it by the alert. */
    assert_int_equal(tls_state(link.ends[TLS_CLIENT]), TLS_FAILED);
    CHECK_CONTAINS(tls_error(link.ends[TLS_CLIENT])->text, "refused us: certificate revoked");
    tls_link_close(&link);
    pki_fini(&fr);
}

static void a_client_refuses_wrong_servers_too(void **state)
{
    (void)state;
    struct pki_state fr;
    pki_init(&fr, "training", "FR");
    /* FR answers where GB was dialled; both are accepted peers. */
    struct tls_link link = {
        .contexts = { tls_link_context(&fr, &ke, &now.base),
                      tls_link_context(&ke, &fr, &now.base) },
    };
    tls_link_open(&link, &gb.code);
    tls_link_shake(&link);
    assert_int_equal(tls_state(link.ends[TLS_CLIENT]), TLS_FAILED);
    assert_int_equal(tls_peer(link.ends[TLS_CLIENT])->verdict, VERDICT_WRONG_CODE);
    assert_string_equal(tls_error(link.ends[TLS_CLIENT])->text, "FR answered where we dialled GB");
    assert_int_equal(tls_state(link.ends[TLS_SERVER]), TLS_FAILED);
    tls_link_close(&link);
    /* An unknown server. */
    link = (struct tls_link){
        .contexts = { tls_link_context(&fr, &ke, &now.base),
                      tls_link_context(&ke, &gb, &now.base) },
    };
    tls_link_open(&link, NULL);
    tls_link_shake(&link);
    assert_int_equal(tls_peer(link.ends[TLS_CLIENT])->verdict, VERDICT_UNKNOWN_NODE);
    CHECK_CONTAINS(tls_error(link.ends[TLS_SERVER])->text, "ask its administrators to accept");
    tls_link_close(&link);
    pki_fini(&fr);
}

static void a_made_up_anchor_for_a_known_code_is_refused(void **state)
{
    (void)state;
    struct pki_state impostor;
    pki_init(&impostor, "training", "KE");
    struct tls_link link = {
        .contexts = { tls_link_context(&gb, &ke, &now.base),
                      tls_link_context(&impostor, &gb, &now.base) },
    };
    tls_link_open(&link, NULL);
    tls_link_shake(&link);
    assert_int_equal(tls_peer(link.ends[TLS_SERVER])->verdict, VERDICT_WRONG_ANCHOR);
    assert_true(tls_peer(link.ends[TLS_SERVER])->named);
    tls_link_close(&link);
    pki_fini(&impostor);
}

static void a_live_session_is_judged_again(void **state)
{
    (void)state;
    struct pki_state fr;
    pki_init(&fr, "training", "FR");
    struct tls_link link = {
        .contexts = { tls_link_context(&gb, &fr, &now.base),
                      tls_link_context(&fr, &gb, &now.base) },
    };
    struct error err = ERROR_INIT;
    tls_link_open(&link, NULL);
    CHECK_OK(tls_recheck(link.ends[TLS_SERVER], &err), &err); /* nobody is there yet */
    tls_link_shake(&link);
    CHECK_OK(tls_recheck(link.ends[TLS_SERVER], &err), &err);
    pki_revoke(&fr, buf_span(&fr.roles[ROLE_TLS]), PKI_NOW_MS + CRL_LIFE_MS);
    tls_context_set_trust(link.contexts[TLS_SERVER], tls_link_trust(&gb, &fr));
    CHECK_STATUS(tls_recheck(link.ends[TLS_SERVER], &err), ERR_DENIED, &err);
    CHECK_CONTAINS(err.text, "was revoked");
    assert_int_equal(tls_state(link.ends[TLS_SERVER]), TLS_FAILED);
    tls_link_shake(&link); /* the close_notify */
    assert_int_equal(tls_state(link.ends[TLS_CLIENT]), TLS_CLOSED);
    tls_link_close(&link);
    pki_fini(&fr);
}

static void an_old_list_warns_and_then_lets_only_recalls_through(void **state)
{
    (void)state;
    struct tls_link link = good_link();
    struct tls *server = link.ends[TLS_SERVER];
    struct error err = ERROR_INIT;
    now.wall_now_ms = PKI_NOW_MS + CRL_LIFE_MS + 1;
    CHECK_OK(tls_recheck(server, &err), &err);
    assert_int_equal(tls_peer(server)->verdict, VERDICT_CRL_OLD);
    CHECK_CONTAINS(tls_peer(server)->reason.text, "should publish a new list");
    now.wall_now_ms += CRL_GRACE_MS;
    CHECK_OK(tls_recheck(server, &err), &err);
    assert_int_equal(tls_peer(server)->verdict, VERDICT_RECALLS_ONLY);
    CHECK_CONTAINS(tls_peer(server)->reason.text, "only recalls go through");
    assert_int_equal(tls_state(server), TLS_OPEN);
    now.wall_now_ms = PKI_NOW_MS + ROLE_LIFE_MS + 1000;
    CHECK_STATUS(tls_recheck(server, &err), ERR_EXPIRED, &err);
    now.wall_now_ms = PKI_NOW_MS;
    tls_link_close(&link);
}

static void a_new_identity_counts_for_new_connections(void **state)
{
    (void)state;
    struct tls_link link = good_link();
    struct pki_state fr;
    pki_init(&fr, "training", "FR");
    struct error err = ERROR_INIT;
    char uri[80];
    struct buf der = BUF_INIT;
    struct pki_forgery plan = pki_tls_plan(&ke, uri);
    plan.key = fr.keys[ROLE_TLS]; /* a fresh key, rotated in */
    pki_forge(&plan, &der);
    struct tls_identity fresh = { buf_span(&der), fr.keys[ROLE_TLS] };
    CHECK_OK(tls_context_set_identity(link.contexts[TLS_CLIENT], &fresh, &err), &err);
    CHECK_OK(tls_recheck(link.ends[TLS_SERVER], &err), &err);
    tls_free(link.ends[0]);
    tls_free(link.ends[1]);
    tls_link_open(&link, &gb.code);
    tls_link_shake(&link);
    assert_int_equal(tls_state(link.ends[TLS_SERVER]), TLS_OPEN);
    assert_true(span_equal(tls_peer_certificate(link.ends[TLS_SERVER]), buf_span(&der)));
    tls_link_close(&link);
    buf_fini(&der);
    pki_fini(&fr);
}

/* Sends `size` patterned bytes one way, as backpressure allows, and checks them. */
static void transfer(struct tls *from, struct tls *to, size_t size, size_t step)
{
    struct error err = ERROR_INIT;
    struct buf got = BUF_INIT;
    struct buf sent = BUF_INIT;
    CHECK_OK(buf_append_zeros(&sent, size, &err), &err);
    for (size_t i = 0; i < size; i++)
        sent.data[i] = (uint8_t)(i * 131 + i / 997);
    size_t at = 0;
    while (at < size || got.size < size) {
        size_t taken = 0;
        CHECK_OK(tls_send(from, span_slice(buf_span(&sent), at, step), &taken, &err), &err);
        at += taken;
        assert_true(tls_pending(from) <= TLS_OUTPUT_MAX + 64 * 64);
        if (taken == 0 || at == size)
            tls_link_carry(from, to, &got);
    }
    assert_true(span_equal(buf_span(&got), buf_span(&sent)));
    buf_fini(&got);
    buf_fini(&sent);
}

static void bytes_arrive_whole_whatever_their_number(void **state)
{
    (void)state;
    const struct {
        size_t size, step;
    } sizes[] = {
        { 1, 1 },           { 1000, 1 },          { 16384, 16384 },   { 16385, 16385 },
        { 1000000, 77777 }, { 3000000, 3000000 }, { 262144, 262144 }, { 262145, 1000000 },
    };
    struct tls_link link = good_link();
    for (size_t i = 0; i < COUNT(sizes); i++) {
        transfer(link.ends[0], link.ends[1], sizes[i].size, sizes[i].step);
        transfer(link.ends[1], link.ends[0], sizes[i].size, sizes[i].step);
    }
    tls_link_close(&link);
}

static void bytes_may_come_one_by_one_and_be_read_late(void **state)
{
    (void)state;
    struct tls_link link = {
        .contexts = { tls_link_context(&gb, &ke, &now.base),
                      tls_link_context(&ke, &gb, &now.base) },
    };
    tls_link_open(&link, NULL);
    struct error err = ERROR_INIT;
    uint8_t room[64];
    size_t size = 0;
    for (int turn = 0; turn < 6; turn++) { /* the whole handshake, byte by byte */
        struct tls *from = link.ends[turn % 2 == 0 ? TLS_CLIENT : TLS_SERVER];
        struct tls *to = link.ends[turn % 2 == 0 ? TLS_SERVER : TLS_CLIENT];
        struct buf bytes = tls_pull(from);
        for (size_t i = 0; i < bytes.size; i++)
            CHECK_OK(tls_receive(to, span_of(bytes.data + i, 1), &err), &err);
        buf_fini(&bytes);
    }
    assert_int_equal(tls_state(link.ends[TLS_SERVER]), TLS_OPEN);
    CHECK_OK(tls_send(link.ends[TLS_CLIENT], SPAN_LITERAL("first,"), &size, &err), &err);
    CHECK_OK(tls_send(link.ends[TLS_CLIENT], SPAN_LITERAL("second"), &size, &err), &err);
    struct buf bytes = tls_pull(link.ends[TLS_CLIENT]);
    CHECK_OK(tls_receive(link.ends[TLS_SERVER], span_of(bytes.data, 20), &err), &err);
    CHECK_OK(tls_settle(link.ends[TLS_SERVER], &err), &err);
    CHECK_OK(tls_receive(link.ends[TLS_SERVER], span_of(bytes.data + 20, bytes.size - 20), &err),
             &err);
    CHECK_OK(tls_settle(link.ends[TLS_SERVER], &err), &err);
    CHECK_OK(tls_settle(link.ends[TLS_SERVER], &err), &err);
    buf_fini(&bytes); /* the loan has ended */
    CHECK_OK(tls_read(link.ends[TLS_SERVER], room, 3, &size, &err), &err);
    assert_memory_equal(room, "fir", 3);
    CHECK_OK(tls_read(link.ends[TLS_SERVER], room, sizeof(room), &size, &err), &err);
    assert_int_equal(size, 9);
    assert_memory_equal(room, "st,second", 9);
    CHECK_OK(tls_read(link.ends[TLS_SERVER], room, sizeof(room), &size, &err), &err);
    assert_int_equal(size, 0);
    tls_link_close(&link);
}

static void a_changed_byte_ends_the_connection(void **state)
{
    (void)state;
    struct tls_link link = good_link();
    struct error err = ERROR_INIT;
    size_t size = 0;
    uint8_t room[16];
    CHECK_OK(tls_send(link.ends[TLS_CLIENT], SPAN_LITERAL("secret"), &size, &err), &err);
    struct buf bytes = tls_pull(link.ends[TLS_CLIENT]);
    bytes.data[bytes.size - 1] ^= 1;
    CHECK_OK(tls_receive(link.ends[TLS_SERVER], buf_span(&bytes), &err), &err);
    CHECK_STATUS(tls_read(link.ends[TLS_SERVER], room, sizeof(room), &size, &err), ERR_INVALID,
                 &err);
    assert_int_equal(tls_state(link.ends[TLS_SERVER]), TLS_FAILED);
    buf_fini(&bytes);
    tls_link_close(&link);
}

static void a_goodbye_reaches_the_other_end(void **state)
{
    (void)state;
    struct tls_link link = good_link();
    struct error err = ERROR_INIT;
    size_t size = 9;
    uint8_t room[16];
    CHECK_OK(tls_send(link.ends[TLS_CLIENT], SPAN_LITERAL("last words"), &size, &err), &err);
    tls_shutdown(link.ends[TLS_CLIENT]);
    tls_shutdown(link.ends[TLS_CLIENT]);
    assert_int_equal(tls_state(link.ends[TLS_CLIENT]), TLS_CLOSED);
    CHECK_STATUS(tls_send(link.ends[TLS_CLIENT], SPAN_LITERAL("x"), &size, &err), ERR_WRONG_STATE,
                 &err);
    CHECK_CONTAINS(err.text, "closed");
    CHECK_STATUS(tls_exporter(link.ends[TLS_CLIENT], "EXPORTER-x", room, 16, &err), ERR_WRONG_STATE,
                 &err);
    struct buf got = BUF_INIT;
    tls_link_carry(link.ends[TLS_CLIENT], link.ends[TLS_SERVER], &got);
    assert_true(span_equal(buf_span(&got), SPAN_LITERAL("last words")));
    assert_int_equal(tls_state(link.ends[TLS_SERVER]), TLS_CLOSED);
    CHECK_OK(tls_read(link.ends[TLS_SERVER], room, sizeof(room), &size, &err), &err);
    assert_int_equal(size, 0);
    CHECK_OK(tls_receive(link.ends[TLS_SERVER], SPAN_LITERAL("x"), &err), &err);
    CHECK_OK(tls_recheck(link.ends[TLS_SERVER], &err), &err);
    buf_fini(&got);
    tls_link_close(&link);
}

static void nothing_is_sent_before_the_handshake(void **state)
{
    (void)state;
    struct tls_context *context = tls_link_context(&ke, &gb, &now.base);
    struct tls *client = NULL;
    struct error err = ERROR_INIT;
    size_t size = 0;
    CHECK_OK(tls_new(context, TLS_CLIENT, &gb.code, &client, &err), &err);
    assert_true(tls_pending(client) > 0);
    CHECK_STATUS(tls_send(client, SPAN_LITERAL("x"), &size, &err), ERR_WRONG_STATE, &err);
    CHECK_CONTAINS(err.text, "handshaking");
    assert_int_equal(tls_peer(client)->verdict, VERDICT_NO_CERTIFICATE);
    assert_int_equal(tls_peer_certificate(client).size, 0);
    tls_shutdown(client);
    assert_int_equal(tls_state(client), TLS_CLOSED);
    tls_free(client);
    tls_free(NULL);
    tls_context_free(context);
    tls_context_free(NULL);
    assert_string_equal(tls_state_name((enum tls_state)99), "unknown");
}

static void a_failed_allocation_fails_one_call_alone(void **state)
{
    (void)state;
    struct tls_context *context = tls_link_context(&ke, &gb, &now.base);
    struct tls_identity identity = { buf_span(&ke.roles[ROLE_TLS]), ke.keys[ROLE_TLS] };
    struct error err = ERROR_INIT;
    int64_t live = mem_live();
    bool hit = true;
    for (uint64_t nth = 1; hit; nth++) {
        struct tls *client = NULL;
        struct tls_context *other = NULL;
        struct trust *trust = tls_link_trust(&ke, &gb);
        mem_fail_at(nth, false);
        enum status status = tls_context_new(&identity, trust, &now.base, &other, &err);
        if (status == OK)
            status = tls_new(other, TLS_CLIENT, NULL, &client, &err);
        hit = mem_fail_hit();
        mem_fail_at(0, false);
        assert_int_equal(status == OK, !hit);
        tls_free(client);
        tls_context_free(other);
        assert_int_equal(mem_live(), live);
    }
    tls_context_free(context);
}

static void an_idle_link_is_small(void **state)
{
    (void)state;
    enum { LINKS = 64 };
    static struct tls_link links[LINKS];
    struct tls_context *contexts[2] = { tls_link_context(&gb, &ke, &now.base),
                                        tls_link_context(&ke, &gb, &now.base) };
    struct mallinfo2 before = mallinfo2();
    for (int i = 0; i < LINKS; i++) {
        links[i] = (struct tls_link){
            .contexts = { contexts[0], contexts[1] },
        };
        tls_link_open(&links[i], NULL);
        tls_link_shake(&links[i]);
        transfer(links[i].ends[0], links[i].ends[1], 100000, 100000);
    }
    struct mallinfo2 after = mallinfo2();
    size_t each = (after.uordblks + after.hblkhd - before.uordblks - before.hblkhd) / (2 * LINKS);
    print_message("one idle end of a link: %zu bytes\n", each);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    assert_in_range(each, 1000, 30 * 1024);
#endif
    for (int i = 0; i < LINKS; i++) {
        tls_free(links[i].ends[0]);
        tls_free(links[i].ends[1]);
    }
    tls_context_free(contexts[0]);
    tls_context_free(contexts[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_revoked_certificate_is_refused),
        cmocka_unit_test(a_client_refuses_wrong_servers_too),
        cmocka_unit_test(a_made_up_anchor_for_a_known_code_is_refused),
        cmocka_unit_test(a_live_session_is_judged_again),
        cmocka_unit_test(an_old_list_warns_and_then_lets_only_recalls_through),
        cmocka_unit_test(a_new_identity_counts_for_new_connections),
        cmocka_unit_test(two_accepted_peers_know_each_other),
        cmocka_unit_test(bytes_arrive_whole_whatever_their_number),
        cmocka_unit_test(bytes_may_come_one_by_one_and_be_read_late),
        cmocka_unit_test(a_changed_byte_ends_the_connection),
        cmocka_unit_test(a_goodbye_reaches_the_other_end),
        cmocka_unit_test(nothing_is_sent_before_the_handshake),
        cmocka_unit_test(a_failed_allocation_fails_one_call_alone),
        cmocka_unit_test(an_idle_link_is_small),
    };
    return cmocka_run_group_tests_name("crypto/tls", tests, make_states, free_states);
}
