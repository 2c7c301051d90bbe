/* What net grants to whom it does not know yet, and what it does about who is slow, silent or gone.
 */
#include "two_nets.h"

#include "support/loop_fault.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HURRY = 1000, PATIENCE = 2000, CROWD_MAX = NET_BEFORE_HELLO_MAX + 1, PIECE = 500000 };

static int crowd[CROWD_MAX];
static size_t crowd_count;

/* One more TCP connection to the listener that says nothing. */
static int stranger(const struct pair *pair)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(pair->port) };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    assert_true(crowd_count < CROWD_MAX);
    crowd[crowd_count++] = fd;
    return fd;
}

static void crowd_goes(void)
{
    while (crowd_count > 0)
        close(crowd[--crowd_count]);
}

static void wait_until_accepted(struct pair *pair, uint64_t count)
{
    for (int i = 0; i < PATIENCE && net_stats(pair->sides[0].net).accepted < count; i++) {
        (void)uv_run(&pair->loop, UV_RUN_NOWAIT);
        (void)usleep(500);
    }
    assert_int_equal(net_stats(pair->sides[0].net).accepted, count);
}

static bool wait_until_cut(struct pair *pair, int fd)
{
    char bytes[256];
    for (int i = 0; i < PATIENCE; i++) {
        (void)uv_run(&pair->loop, UV_RUN_NOWAIT);
        ssize_t size = recv(fd, bytes, sizeof(bytes), 0);
        if (size == 0 || (size < 0 && errno == ECONNRESET))
            return true;
        (void)usleep(500);
    }
    return false;
}

static void wait_until_strangers(struct pair *pair, size_t count)
{
    for (int i = 0; i < PATIENCE && net_stats(pair->sides[0].net).before_hello != count; i++) {
        (void)uv_run(&pair->loop, UV_RUN_NOWAIT);
        (void)usleep(500);
    }
    assert_int_equal(net_stats(pair->sides[0].net).before_hello, count);
}

static int tear_down(void **state)
{
    (void)state;
    loop_fault_hurry(0, 1);
    loop_fault_pretend_from(NULL);
    crowd_goes();
    return 0;
}

/* -- strangers --------------------------------------------------------------------------------- */

static void a_fifth_connection_of_one_address_is_refused_until_one_of_them_goes(void **state)
{
    (void)state;
    struct pair *pair = pair_new(true);
    const struct side *listener = &pair->sides[0];
    loop_fault_pretend_from("192.0.2.1");
    int first = stranger(pair);
    for (int i = 1; i < NET_PER_ADDRESS_MAX; i++)
        (void)stranger(pair);
    wait_until_accepted(pair, NET_PER_ADDRESS_MAX);
    assert_int_equal(net_stats(listener->net).refused, 0);
    int fifth = stranger(pair);
    assert_true(wait_until_cut(pair, fifth));
    CHECK_CONTAINS(listener->told, "refused address=192.0.2.1:1024 reason=too_many_of_address");
    loop_fault_pretend_from("192.0.2.2");
    (void)stranger(pair);
    wait_until_accepted(pair, NET_PER_ADDRESS_MAX + 2);
    loop_fault_pretend_from("192.0.2.1");
    assert_int_equal(shutdown(first, SHUT_RDWR), 0);
    wait_until_strangers(pair, NET_PER_ADDRESS_MAX);
    (void)stranger(pair);
    wait_until_accepted(pair, NET_PER_ADDRESS_MAX + 3);
    assert_int_equal(net_stats(listener->net).refused, 1);
    pair_free(pair);
}

static void all_addresses_together_have_so_many_places_and_no_more(void **state)
{
    (void)state;
    struct pair *pair = pair_new(true);
    for (int i = 0; i < NET_BEFORE_HELLO_MAX; i++)
        (void)stranger(pair);
    wait_until_accepted(pair, NET_BEFORE_HELLO_MAX);
    assert_int_equal(net_stats(pair->sides[0].net).refused, 0);
    assert_true(wait_until_cut(pair, stranger(pair)));
    CHECK_CONTAINS(pair->sides[0].told, "reason=too_many_strangers");
    assert_int_equal(net_stats(pair->sides[0].net).before_hello, NET_BEFORE_HELLO_MAX);
    pair_free(pair);
}

static void who_has_greeted_takes_no_strangers_place(void **state)
{
    (void)state;
    struct pair *pair = pair_new(true);
    loop_fault_pretend_from("192.0.2.1");
    for (int i = 1; i < NET_PER_ADDRESS_MAX; i++)
        (void)stranger(pair);
    wait_until_accepted(pair, NET_PER_ADDRESS_MAX - 1);
    pair_dial(pair);
    spin(pair, &pair->sides[1].opened, 1);
    send_frame(pair->sides[1].connection, 10, 'h');
    spin(pair, &pair->sides[0].got.size, 10);
    (void)stranger(pair);
    wait_until_accepted(pair, NET_PER_ADDRESS_MAX + 1);
    assert_int_equal(net_stats(pair->sides[0].net).refused, 0);
    pair_free(pair);
}

static void who_is_silent_in_the_handshake_is_cut_and_has_to_wait_before_the_next(void **state)
{
    (void)state;
    struct pair *pair = pair_new(true);
    loop_fault_pretend_from("192.0.2.1");
    loop_fault_hurry(HANDSHAKE_TIMEOUT_MS, HURRY);
    assert_true(wait_until_cut(pair, stranger(pair)));
    wait_until_strangers(pair, 0);
    CHECK_CONTAINS(pair->sides[0].told, "handshake_failed address=192.0.2.1:1024 reason=\"the TLS");
    assert_int_equal(net_stats(pair->sides[0].net).failed_handshakes, 1);
    assert_true(wait_until_cut(pair, stranger(pair)));
    CHECK_CONTAINS(pair->sides[0].told, "reason=penalty");
    assert_int_equal(net_stats(pair->sides[0].net).refused, 1);
    loop_fault_hurry(0, 1);
    pair->clock.monotonic_now_ms += INT64_C(10) * 1000; /* of a timeout; penalty.c */
    (void)stranger(pair);
    wait_until_accepted(pair, 3);
    assert_int_equal(net_stats(pair->sides[0].net).refused, 1);
    pair_free(pair);
}

static void who_does_not_speak_tls_is_told_cut_and_has_to_wait(void **state)
{
    (void)state;
    struct pair *pair = pair_new(true);
    loop_fault_pretend_from("192.0.2.1");
    int fd = stranger(pair);
    static const char http[] = "GET / HTTP/1.1\r\nHost: comity\r\n\r\n";
    assert_int_equal(send(fd, http, sizeof(http) - 1, MSG_NOSIGNAL), sizeof(http) - 1);
    assert_true(wait_until_cut(pair, fd));
    CHECK_CONTAINS(pair->sides[0].told, "handshake_failed address=192.0.2.1:1024");
    assert_int_equal(net_stats(pair->sides[0].net).failed_handshakes, 1);
    assert_true(wait_until_cut(pair, stranger(pair)));
    CHECK_CONTAINS(pair->sides[0].told, "reason=penalty");
    pair_free(pair);
}

static void whom_the_owner_turns_away_is_cut_and_nothing_is_owed(void **state)
{
    (void)state;
    struct pair *pair = pair_new(true);
    pair->sides[0].turns_away = true;
    pair_dial(pair);
    spin(pair, &pair->sides[1].opened, 1);
    spin(pair, &pair->sides[1].closed, 1);
    assert_int_equal(pair->sides[0].opened, 0);
    assert_int_equal(pair->sides[0].closed, 0);
    CHECK_CONTAINS(pair->sides[0].told, "peer=UNODC reason=\"not today\"");
    pair_free(pair);
}

/* -- descriptors ------------------------------------------------------------------------------- */

static void without_a_descriptor_who_comes_waits_and_is_served_when_one_is_free(void **state)
{
    (void)state;
    struct pair *pair = pair_with(true, 4); /* two are the listener's */
    int first = stranger(pair), second = stranger(pair);
    wait_until_accepted(pair, 2);
    (void)stranger(pair);
    for (int i = 0; i < PATIENCE && pair->sides[0].events == 0; i++)
        (void)uv_run(&pair->loop, UV_RUN_NOWAIT);
    CHECK_CONTAINS(pair->sides[0].told, "accept_paused connections=4 max=4");
    assert_int_equal(net_stats(pair->sides[0].net).accepted, 2);
    net_dial(pair->sides[0].net, &pair->states[1].code, "127.0.0.1:1");
    assert_int_equal(pair->sides[0].dial_failed, 1);
    assert_string_equal(pair->sides[0].why.text, "no descriptor is free");
    (void)shutdown(second, SHUT_RDWR);
    wait_until_accepted(pair, 3);
    (void)shutdown(first, SHUT_RDWR);
    pair_free(pair);
}

/* -- who is slow ------------------------------------------------------------------------------- */

static void a_paused_connection_gives_nothing_until_it_goes_on(void **state)
{
    (void)state;
    struct pair *pair = pair_new(true);
    pair_dial(pair);
    spin(pair, &pair->sides[0].opened, 1);
    spin(pair, &pair->sides[1].opened, 1);
    connection_pause(pair->sides[1].connection, true);
    size_t sent = 0; /* until neither TLS nor the kernel takes more */
    while (connection_queued(pair->sides[0].connection) < NET_QUEUE_LOW) {
        send_frame(pair->sides[0].connection, PIECE, 'x');
        sent += PIECE;
        for (int i = 0; i < 10; i++) {
            (void)uv_run(&pair->loop, UV_RUN_NOWAIT);
            (void)usleep(100);
        }
    }
    assert_int_equal(pair->sides[1].got.size, 0);
    size_t drained = pair->sides[0].drained;
    connection_pause(pair->sides[1].connection, false);
    spin(pair, &pair->sides[1].got.size, sent);
    assert_int_equal(pair->sides[1].got.size, sent);
    assert_int_equal(pair->sides[0].drained, drained + 1);
    assert_int_equal(connection_queued(pair->sides[0].connection), 0);
    pair_free(pair);
}

static void who_reads_nothing_does_not_hold_up_the_end(void **state)
{
    (void)state;
    struct pair *pair = pair_new(true);
    pair_dial(pair);
    spin(pair, &pair->sides[0].opened, 1);
    spin(pair, &pair->sides[1].opened, 1);
    connection_pause(pair->sides[1].connection, true);
    struct connection *full = pair->sides[0].connection;
    send_frame(full, 4 * 1000 * 1000, 'x');
    (void)uv_run(&pair->loop, UV_RUN_NOWAIT);
    loop_fault_hurry(NET_LINGER_MS, HURRY);
    const struct error bye = { OK, "enough" };
    connection_close(full, &bye, OFFENCE_COUNT);
    connection_close(full, &bye, OFFENCE_COUNT);
    send_frame(full, 10, 'y'); /* of what comes after, nothing is sent */
    spin(pair, &pair->sides[0].closed, 1);
    assert_string_equal(pair->sides[0].why.text, "enough");
    pair_free(pair);
}

static void a_live_connection_is_judged_again_without_being_asked(void **state)
{
    (void)state;
    struct pair *pair = pair_new(true);
    loop_fault_hurry(RECHECK_CERTIFICATE_MS, HURRY);
    pair_dial(pair);
    spin(pair, &pair->sides[0].opened, 1);
    spin(pair, &pair->sides[1].opened, 1);
    for (int i = 0; i < 200; i++) { /* twice the time between two judgements, and more */
        (void)uv_run(&pair->loop, UV_RUN_NOWAIT);
        (void)usleep(1000);
    }
    assert_int_equal(pair->sides[0].closed, 0);
    tls_context_set_trust(pair->sides[0].tls, tls_link_trust(&pair->states[0], NULL));
    spin(pair, &pair->sides[0].closed, 1);
    CHECK_CONTAINS(pair->sides[0].told, "certificate_refused");
    pair_free(pair);
}

/* -- calls ------------------------------------------------------------------------------------- */

static void an_address_that_does_not_answer_is_given_up(void **state)
{
    (void)state;
    struct pair *pair = pair_new(true);
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t size = sizeof(address);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(listener, 0), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    int caller = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); /* takes the only place */
    assert_int_equal(connect(caller, (struct sockaddr *)&address, size), 0);
    loop_fault_hurry(NET_DIAL_TIMEOUT_MS, HURRY);
    char text[32];
    snprintf(text, sizeof(text), "127.0.0.1:%u", ntohs(address.sin_port));
    net_dial(pair->sides[1].net, &pair->states[0].code, text);
    spin(pair, &pair->sides[1].dial_failed, 1);
    assert_string_equal(pair->sides[1].why.text, "no answer at this address");
    close(caller);
    close(listener);
    pair_free(pair);
}

static void names_and_both_families_are_called_and_listened_on(void **state)
{
    (void)state;
    static const struct {
        const char *listen, *call;
    } rows[] = { { "localhost", "localhost" }, { "::1", "[::1]" } };
    int probe = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    bool has_six = probe >= 0 && bind(probe, (struct sockaddr *)&six, sizeof(six)) == 0;
    close(probe);
    for (size_t i = 0; i < (has_six ? 2 : 1); i++) {
        struct pair *pair = pair_new(true);
        struct net *host = pair->sides[1].net, *caller = pair->sides[0].net;
        struct error err = ERROR_INIT;
        char address[32];
        CHECK_OK(net_listen(host, rows[i].listen, 0, &pair->port, &err), &err);
        snprintf(address, sizeof(address), "%s:%u", rows[i].call, pair->port);
        net_dial(caller, &pair->states[1].code, address);
        spin(pair, &pair->sides[0].opened, 1);
        CHECK_CONTAINS(connection_address(pair->sides[0].connection), i == 0 ? "1" : "[::1]:");
        assert_true(connection_dialled(pair->sides[0].connection));
        spin(pair, &pair->sides[1].opened, 1);
        assert_false(connection_dialled(pair->sides[1].connection));
        pair_free(pair);
    }
}

static void a_place_to_listen_that_is_taken_or_none_is_refused_with_its_name(void **state)
{
    (void)state;
    struct pair *pair = pair_new(true);
    struct error err = ERROR_INIT;
    uint16_t port = 0;
    CHECK_STATUS(net_listen(pair->sides[1].net, "127.0.0.1", pair->port, &port, &err), ERR_BUSY,
                 &err);
    CHECK_CONTAINS(err.text, "next: see who uses it");
    (void)uv_run(&pair->loop, UV_RUN_NOWAIT);
    CHECK_STATUS(net_listen(pair->sides[1].net, "192.0.2.1", 0, &port, &err), ERR_IO, &err);
    CHECK_CONTAINS(err.text, "listen on 192.0.2.1 port 0");
    (void)uv_run(&pair->loop, UV_RUN_NOWAIT);
    CHECK_STATUS(net_listen(pair->sides[1].net, "no host", 0, &port, &err), ERR_INVALID, &err);
    CHECK_CONTAINS(err.text, "listen on no host");
    assert_int_equal(port, 0);
    pair_free(pair);
}

static void addresses_that_are_none_are_refused_before_anything_is_asked(void **state)
{
    (void)state;
    char too_long[400];
    memset(too_long, 'h', sizeof(too_long));
    memcpy(too_long + 300, ":80", 4);
    const char *const addresses[] = { "ke.example:123456", "[]:80", too_long, "", "[::1]" };
    struct pair *pair = pair_new(true);
    for (size_t i = 0; i < COUNT(addresses); i++) {
        net_dial(pair->sides[1].net, &pair->states[0].code, addresses[i]);
        spin(pair, &pair->sides[1].dial_failed, i + 1);
        assert_string_not_equal(pair->sides[1].why.text, "");
    }
    pair_free(pair);
}

static void a_net_that_stops_neither_calls_nor_takes_calls(void **state)
{
    (void)state;
    struct pair *pair = pair_new(true);
    pair_dial(pair); /* its name is still being looked up */
    net_stop(pair->sides[1].net);
    spin(pair, &pair->sides[1].dial_failed, 1);
    assert_string_equal(pair->sides[1].why.text, "the node is stopping");
    pair_dial(pair);
    assert_int_equal(pair->sides[1].dial_failed, 2);
    assert_string_equal(pair->sides[1].why.text, "the node is stopping");
    pair_free(pair);
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_fifth_connection_of_one_address_is_refused_until_one_of_them_goes),
        TEST(all_addresses_together_have_so_many_places_and_no_more),
        TEST(who_has_greeted_takes_no_strangers_place),
        TEST(who_is_silent_in_the_handshake_is_cut_and_has_to_wait_before_the_next),
        TEST(who_does_not_speak_tls_is_told_cut_and_has_to_wait),
        TEST(whom_the_owner_turns_away_is_cut_and_nothing_is_owed),
        TEST(without_a_descriptor_who_comes_waits_and_is_served_when_one_is_free),
        TEST(a_paused_connection_gives_nothing_until_it_goes_on),
        TEST(who_reads_nothing_does_not_hold_up_the_end),
        TEST(a_live_connection_is_judged_again_without_being_asked),
        TEST(an_address_that_does_not_answer_is_given_up),
        TEST(names_and_both_families_are_called_and_listened_on),
        TEST(a_place_to_listen_that_is_taken_or_none_is_refused_with_its_name),
        TEST(addresses_that_are_none_are_refused_before_anything_is_asked),
        TEST(a_net_that_stops_neither_calls_nor_takes_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
