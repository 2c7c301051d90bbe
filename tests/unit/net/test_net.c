/* Two nets on one loop, over loopback, with real TLS; and what is refused before it. */
#include "net/net.h"

#include "two_nets.h"

#include <arpa/inet.h>

static struct address_key key_of(const char *text)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (uv_ip4_addr(text, 0, &v4) == 0)
        return address_key_of((struct sockaddr *)&v4);
    assert_int_equal(uv_ip6_addr(text, 0, &v6), 0);
    return address_key_of((struct sockaddr *)&v6);
}

static void penalty_adds_up_to_its_bound_and_ends(void **state)
{
    (void)state;
    struct penalties *penalties = NULL;
    assert_int_equal(penalties_new(&penalties, NULL), OK);
    struct address_key bad = key_of("192.0.2.1"), good = key_of("192.0.2.2");
    penalties_add(penalties, &bad, OFFENCE_AUTH, 1000);
    assert_int_equal(penalties_left_ms(penalties, &bad, 1000), 5000);
    penalties_add(penalties, &bad, OFFENCE_TIMEOUT, 1000);
    assert_int_equal(penalties_left_ms(penalties, &bad, 1000), 15000);
    assert_int_equal(penalties_left_ms(penalties, &bad, 16000), 0);
    assert_int_equal(penalties_left_ms(penalties, &good, 1000), 0);
    for (int i = 0; i < 20; i++)
        penalties_add(penalties, &bad, OFFENCE_PROTOCOL, 1000);
    assert_int_equal(penalties_left_ms(penalties, &bad, 1000), PENALTY_MAX_MS);
    penalties_free(penalties);
}

static void penalty_counts_a_prefix_as_one_host_and_spares_this_machine(void **state)
{
    (void)state;
    struct penalties *penalties = NULL;
    assert_int_equal(penalties_new(&penalties, NULL), OK);
    struct address_key one = key_of("2001:db8:1:2::1"), same = key_of("2001:db8:1:2:ffff::9"),
                       other = key_of("2001:db8:1:3::1");
    penalties_add(penalties, &one, OFFENCE_PROTOCOL, 0);
    assert_true(penalties_left_ms(penalties, &same, 0) > 0);
    assert_int_equal(penalties_left_ms(penalties, &other, 0), 0);
    struct address_key mapped = key_of("::ffff:192.0.2.7"), plain = key_of("192.0.2.7");
    assert_true(address_key_equal(&mapped, &plain));
    static const char *const local[] = { "127.0.0.1", "::1", "::ffff:127.0.0.9" };
    for (size_t i = 0; i < 3; i++) {
        struct address_key key = key_of(local[i]);
        penalties_add(penalties, &key, OFFENCE_PROTOCOL, 0);
        assert_int_equal(penalties_left_ms(penalties, &key, 0), 0);
    }
    penalties_free(penalties);
}

static void penalty_table_stays_bounded(void **state)
{
    (void)state;
    struct penalties *penalties = NULL;
    assert_int_equal(penalties_new(&penalties, NULL), OK);
    struct address_key key = key_of("192.0.2.1");
    for (uint32_t i = 0; i < PENALTY_ADDRESSES_MAX + 10; i++) {
        memcpy(key.bytes + 12, &i, sizeof(i));
        penalties_add(penalties, &key, OFFENCE_AUTH, i);
        assert_true(penalties_left_ms(penalties, &key, i) > 0);
    }
    penalties_free(penalties);
}

static void penalty_without_memory_leaves_the_others_as_they_are(void **state)
{
    (void)state;
    struct penalties *penalties = NULL;
    struct address_key first = key_of("192.0.2.1"), second = key_of("192.0.2.2");
    mem_fail_at(1, false);
    assert_int_equal(penalties_new(&penalties, NULL), ERR_MEMORY);
    mem_fail_at(0, false);
    assert_null(penalties);
    assert_int_equal(penalties_new(&penalties, NULL), OK);
    mem_fail_at(1, false);
    penalties_add(penalties, &first, OFFENCE_AUTH, 1000);
    mem_fail_at(0, false);
    assert_int_equal(penalties_left_ms(penalties, &first, 1000), 0);
    penalties_add(penalties, &first, OFFENCE_AUTH, 1000);
    penalties_add(penalties, &second, OFFENCE_TIMEOUT, 1000);
    assert_int_equal(penalties_left_ms(penalties, &first, 1000), 5000);
    assert_int_equal(penalties_left_ms(penalties, &second, 1000), 10000);
    penalties_free(penalties);
    penalties_free(NULL);
}

/* A socket of this machine alone: all of them are one address, which is none of the network. */
static void an_address_of_no_known_family_is_no_other_host(void **state)
{
    (void)state;
    struct sockaddr address = { .sa_family = AF_UNIX };
    struct address_key key = address_key_of(&address), other = key_of("192.0.2.1");
    assert_false(key.is_local);
    assert_false(address_key_equal(&key, &other));
}

/* -- two nets ---------------------------------------------------------------------------------- */

static void net_carries_frames_both_ways(void **state)
{
    (void)state;
    struct pair *pair = pair_new(true);
    pair_dial(pair);
    spin(pair, &pair->sides[0].opened, 1);
    spin(pair, &pair->sides[1].opened, 1);
    assert_string_equal(connection_peer(pair->sides[0].connection)->text, "UNODC");
    assert_int_equal(net_stats(pair->sides[0].net).before_hello, 1);
    send_frame(pair->sides[1].connection, 100, 'a');
    spin(pair, &pair->sides[0].got.size, 100);
    assert_int_equal(net_stats(pair->sides[0].net).before_hello, 0);
    send_frame(pair->sides[0].connection, 2 * 1024 * 1024, 'b');
    spin(pair, &pair->sides[1].got.size, 2 * 1024 * 1024);
    assert_int_equal(pair->sides[1].got.data[2 * 1024 * 1024 - 1], 'b');
    const struct error bye = { OK, "enough" };
    connection_close(pair->sides[0].connection, &bye, OFFENCE_COUNT);
    spin(pair, &pair->sides[0].closed, 1);
    spin(pair, &pair->sides[1].closed, 1);
    pair_free(pair);
}

static void net_shows_an_unknown_node_as_pending_and_refuses_it(void **state)
{
    (void)state;
    struct pair *pair = pair_new(false);
    pair_dial(pair);
    spin(pair, &pair->sides[0].pending, 1);
    assert_int_equal(pair->sides[0].opened, 0);
    assert_int_equal(net_stats(pair->sides[0].net).failed_handshakes, 1);
    pair_free(pair);
}

static void net_refuses_a_length_above_what_may_come_now(void **state)
{
    (void)state;
    struct pair *pair = pair_new(true);
    pair->sides[0].frame_max = FRAME_BEFORE_HELLO_MAX;
    pair_dial(pair);
    spin(pair, &pair->sides[0].opened, 1);
    spin(pair, &pair->sides[1].opened, 1);
    send_frame(pair->sides[1].connection, FRAME_BEFORE_HELLO_MAX + 1, 'x');
    spin(pair, &pair->sides[0].refused, 1);
    spin(pair, &pair->sides[0].closed, 1);
    assert_int_equal(pair->sides[0].why.status, ERR_LIMIT);
    assert_int_equal(pair->sides[0].got.size, 0);
    pair_free(pair);
}

static void net_cuts_a_peer_that_lets_too_much_pile_up(void **state)
{
    (void)state;
    struct pair *pair = pair_new(true);
    pair_dial(pair);
    spin(pair, &pair->sides[0].opened, 1);
    spin(pair, &pair->sides[1].opened, 1);
    connection_pause(pair->sides[1].connection, true);
    for (int i = 0; i < 4 && pair->sides[0].connection != NULL; i++)
        send_frame(pair->sides[0].connection, 3 * 1024 * 1024, 'y');
    spin(pair, &pair->sides[0].closed, 1);
    assert_int_equal(pair->sides[0].why.status, ERR_FULL);
    assert_non_null(strstr(pair->sides[0].why.text, "too slowly"));
    pair_free(pair);
}

static void net_says_why_a_call_failed(void **state)
{
    (void)state;
    struct pair *pair = pair_new(true);
    static const char *const addresses[] = { "nonsense", "127.0.0.1:", ":1", "127.0.0.1:1" };
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        net_dial(pair->sides[1].net, &pair->states[0].code, addresses[i]);
        spin(pair, &pair->sides[1].dial_failed, i + 1);
        assert_true(pair->sides[1].why.text[0] != '\0');
    }
    pair_free(pair);
}

static void net_cuts_a_live_connection_whose_trust_is_gone(void **state)
{
    (void)state;
    struct pair *pair = pair_new(true);
    pair_dial(pair);
    spin(pair, &pair->sides[0].opened, 1);
    spin(pair, &pair->sides[1].opened, 1);
    tls_context_set_trust(pair->sides[0].tls, tls_link_trust(&pair->states[0], NULL));
    net_recheck(pair->sides[0].net);
    spin(pair, &pair->sides[0].closed, 1);
    pair_free(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(penalty_adds_up_to_its_bound_and_ends),
        cmocka_unit_test(penalty_counts_a_prefix_as_one_host_and_spares_this_machine),
        cmocka_unit_test(penalty_table_stays_bounded),
        cmocka_unit_test(penalty_without_memory_leaves_the_others_as_they_are),
        cmocka_unit_test(an_address_of_no_known_family_is_no_other_host),
        cmocka_unit_test(net_carries_frames_both_ways),
        cmocka_unit_test(net_shows_an_unknown_node_as_pending_and_refuses_it),
        cmocka_unit_test(net_refuses_a_length_above_what_may_come_now),
        cmocka_unit_test(net_cuts_a_peer_that_lets_too_much_pile_up),
        cmocka_unit_test(net_says_why_a_call_failed),
        cmocka_unit_test(net_cuts_a_live_connection_whose_trust_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
