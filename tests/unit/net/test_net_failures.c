/* Two nets on one loop while an allocation, a call of libuv, of OpenSSL or of the system fails,
 * each in turn: a connection or a call fails alone, it is told or seen, everything is given back,
 * and the next one is well. */
#include "base/memory.h"
#include "crypto/digest.h"
#include "net/net.h"
#include "support/call_fault.h"
#include "support/check.h"
#include "support/tls_link.h"
#include "wire/frame.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

static struct error err;
static struct pki_state states[2]; /* 0 listens, 1 dials */
static struct clock_fake wall;

struct side {
    struct net *net;
    struct tls_context *tls;
    struct connection *connection;
    size_t opened, closed, dial_failed, frames, drained;
    size_t events;
};

static struct side sides[2];
static uv_loop_t loop;

/* -- what the owner does ------------------------------------------------------------------------
 */

static enum status on_opened(void *self, struct connection *connection, struct error *e)
{
    (void)e;
    struct side *side = self;
    struct buf frame = BUF_INIT;
    side->opened++;
    side->connection = connection;
    connection_set_owner(connection, side);
    static const uint8_t bytes[] = { 0, 0, 0, 5, 'h', 'e', 'l', 'l', 'o' };
    if (buf_append(&frame, SPAN_ARRAY(bytes), NULL) == OK)
        connection_send(connection, &frame);
    buf_fini(&frame);
    return OK;
}

static void on_frame(void *self, struct connection *connection, struct span frame)
{
    struct side *side = self;
    assert_true(span_equal(frame, SPAN_LITERAL("hello")));
    side->frames++;
    connection_greeted(connection);
    connection_pause(connection, true); /* and at once on again */
    connection_pause(connection, true);
    connection_pause(connection, false);
}

static uint32_t on_frame_max(void *self, struct connection *connection)
{
    (void)self;
    (void)connection;
    return FRAME_BATCH_MAX;
}

static void on_refused(void *self, struct connection *connection, const struct error *why)
{
    (void)self;
    connection_close(connection, why, OFFENCE_PROTOCOL);
}

static void on_drained(void *self, struct connection *connection)
{
    (void)connection;
    ((struct side *)self)->drained++;
}

static void on_closed(void *self, struct connection *connection, const struct error *why)
{
    (void)connection;
    struct side *side = self;
    assert_string_not_equal(why->text, "");
    side->closed++;
    side->connection = NULL;
}

static void on_dial_failed(void *self, const struct code *peer, const struct error *why)
{
    (void)peer;
    assert_string_not_equal(why->text, "");
    ((struct side *)self)->dial_failed++;
}

static void on_pending(void *self, const struct code *code, struct span der, const char *address)
{
    (void)self;
    (void)code;
    (void)der;
    (void)address;
}

static void on_event(void *self, const char *name, const char *fields)
{
    (void)name;
    (void)fields;
    ((struct side *)self)->events++;
}

/* -- one meeting --------------------------------------------------------------------------------
 */

static enum status side_open(int index)
{
    struct side *side = &sides[index];
    *side = (struct side){ .net = NULL };
    side->tls = tls_link_context(&states[index], &states[1 - index], &wall.base);
    return OK;
}

static enum status side_start(int index)
{
    struct side *side = &sides[index];
    const struct net_config config = {
        .loop = &loop,
        .tls = side->tls,
        .clock = &wall.base,
        .handlers = { side, on_opened, on_frame, on_frame_max, on_refused, on_drained, on_closed,
                      on_dial_failed, on_pending, on_event },
    };
    return net_new(&config, &side->net, &err);
}

static bool is_over(void)
{
    bool good = sides[0].frames > 0 && sides[1].frames > 0;
    return good || sides[1].dial_failed > 0 || sides[0].closed > 0 || sides[1].closed > 0;
}

enum { TURNS_MAX = 50000, TURNS_AFTER_FAULT_MAX = 200, TURN_US = 100 };

static void turn_until_over(void)
{
    int after_fault = 0;
    for (int i = 0; i < TURNS_MAX && !is_over(); i++) {
        (void)uv_run(&loop, UV_RUN_NOWAIT);
        if ((call_fault_hit() || mem_fail_hit()) && ++after_fault > TURNS_AFTER_FAULT_MAX)
            return; /* nobody hears of it: a timer would end it */
        (void)usleep(TURN_US);
    }
}

static void close_all(void)
{
    for (int i = 0; i < 2; i++) {
        if (sides[i].connection != NULL)
            connection_close(sides[i].connection, &err, OFFENCE_COUNT);
        if (sides[i].net != NULL)
            net_stop(sides[i].net);
    }
    for (int i = 0; i < 2; i++) {
        while (sides[i].net != NULL && !net_is_idle(sides[i].net))
            (void)uv_run(&loop, UV_RUN_ONCE);
        net_free(sides[i].net);
        tls_context_free(sides[i].tls);
    }
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static const char *host = "127.0.0.1";

/* Whether both got their frame. */
static bool meet(void (*arm)(uint64_t nth), uint64_t nth, bool *ret_hit)
{
    uint16_t port = 0;
    char address[64];
    assert_int_equal(uv_loop_init(&loop), 0);
    (void)side_open(0);
    (void)side_open(1);
    (void)error_set(&err, ERR_INTERNAL, "the test is over");
    arm(nth);
    enum status status = side_start(0);
    if (status == OK)
        status = side_start(1);
    if (status == OK)
        status = net_listen(sides[0].net, "127.0.0.1", 0, &port, &err);
    if (status == OK) {
        (void)snprintf(address, sizeof(address), "%s:%u", host, port);
        net_dial(sides[1].net, &states[0].code, address);
        turn_until_over();
    }
    bool good = sides[0].frames > 0 && sides[1].frames > 0;
    *ret_hit = call_fault_hit() || mem_fail_hit();
    mem_fail_at(0, false);
    call_fault_off();
    close_all();
    return good;
}

static void arm_memory(uint64_t nth)
{
    call_fault_at(0, 0, 0); /* forget */
    mem_fail_at(nth, false);
}

static void arm_loop(uint64_t nth)
{
    call_fault_at(CALL_FAULT_LOOP, nth, 0);
}

static void arm_crypto(uint64_t nth)
{
    call_fault_at(CALL_FAULT_CRYPTO, nth, 0);
}

static void arm_system(uint64_t nth)
{
    call_fault_at(CALL_FAULT_SYSTEM, nth, EMFILE);
}

static void sweep(void (*arm)(uint64_t nth))
{
    int64_t live = mem_live();
    bool hit = true;
    for (uint64_t nth = 1; hit; nth++) {
        bool good = meet(arm, nth, &hit);
        if (!hit && !good)
            fail_msg("attempt %llu: no fault, and still no frame", (unsigned long long)nth);
        assert_int_equal(mem_live(), live);
    }
}

/* -- tests --------------------------------------------------------------------------------------
 */

static void who_came_when_memory_failed_is_accepted_later(void **state)
{
    (void)state;
    uint16_t port = 0;
    assert_int_equal(uv_loop_init(&loop), 0);
    (void)side_open(0);
    sides[1] = (struct side){ .net = NULL };
    CHECK_OK(side_start(0), &err);
    CHECK_OK(net_listen(sides[0].net, host, 0, &port, &err), &err);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    mem_fail_at(1, false);
    for (int i = 0; i < TURNS_MAX && !mem_fail_hit(); i++)
        (void)uv_run(&loop, UV_RUN_NOWAIT);
    assert_true(mem_fail_hit());
    mem_fail_at(0, false);
    assert_int_equal(net_stats(sides[0].net).accepted, 0);
    for (int i = 0; i < TURNS_MAX && net_stats(sides[0].net).accepted == 0; i++) {
        (void)uv_run(&loop, UV_RUN_NOWAIT);
        (void)usleep(TURN_US);
    }
    assert_int_equal(net_stats(sides[0].net).accepted, 1);
    close(fd);
    close_all();
}

static void a_failed_allocation_ends_one_connection(void **state)
{
    (void)state;
    sweep(arm_memory);
}

static void a_failed_call_of_the_loop_ends_one_connection(void **state)
{
    (void)state;
    sweep(arm_loop);
}

static void a_failed_call_of_openssl_ends_one_connection(void **state)
{
    (void)state;
    sweep(arm_crypto);
}

static void a_failed_call_of_the_system_ends_nothing(void **state)
{
    (void)state;
    sweep(arm_system);
}

static void names_are_resolved_and_failures_of_it_are_told(void **state)
{
    (void)state;
    host = "localhost";
    sweep(arm_loop);
    sweep(arm_memory);
    host = "127.0.0.1";
}

static int set_up(void **state)
{
    (void)state;
    struct sha256 *sha = NULL; /* the thread's own lives on */
    if (sha256_thread(&sha, &err) != OK)
        return -1;
    clock_fake_init(&wall, PKI_NOW_MS);
    pki_init(&states[0], "training", "KE");
    pki_init(&states[1], "training", "UNODC");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    pki_fini(&states[0]);
    pki_fini(&states[1]);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_came_when_memory_failed_is_accepted_later),
        cmocka_unit_test(a_failed_allocation_ends_one_connection),
        cmocka_unit_test(a_failed_call_of_the_loop_ends_one_connection),
        cmocka_unit_test(a_failed_call_of_openssl_ends_one_connection),
        cmocka_unit_test(a_failed_call_of_the_system_ends_nothing),
        cmocka_unit_test(names_are_resolved_and_failures_of_it_are_told),
    };
    return cmocka_run_group_tests_name("net failures", tests, set_up, tear_down);
}
