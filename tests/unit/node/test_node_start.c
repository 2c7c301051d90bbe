/* A whole node in this process: it starts, answers on its control socket and ends; whatever fails
 * on the way, it says why, leaves nothing behind, and the next start is well. */
#include "node_home.h"

#include "node/config.h"
#include "node/node.h"
#include "wire/frame.h"
#include "wire/reply.h"
#include "wire/request.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>

static struct pki_state ke;
static char asked_status[32]; /* of the last answer; empty: there was none */

/* Certificates that are valid by the real clock, which a whole node goes by. */
static void make_state(struct pki_state *state)
{
    int64_t now_ms = clock_system()->wall_ms(clock_system());
    *state = (struct pki_state){ .realm = { "training" }, .code = { "KE" } };
    struct certificate_subject subject = { state->realm, state->code, now_ms - PKI_DAY_MS,
                                           now_ms + ANCHOR_LIFE_MS };
    CHECK_OK(private_key_make(KEY_P256, &state->anchor_key, &err), &err);
    CHECK_OK(certificate_make_anchor(&subject, state->anchor_key, &state->anchor, &err), &err);
    struct certificate_issuer issuer = pki_issuer(state);
    struct crl_dates dates = { now_ms - PKI_DAY_MS, now_ms + CRL_LIFE_MS };
    subject.not_after_ms = now_ms + ROLE_LIFE_MS;
    for (int i = 0; i < ROLE_COUNT; i++) {
        enum role role = (enum role)i;
        CHECK_OK(private_key_make(certificate_key_kind(role), &state->keys[i], &err), &err);
        CHECK_OK(certificate_issue(&subject, role, state->keys[i], &issuer, &state->roles[i], &err),
                 &err);
    }
    CHECK_OK(crl_make(NULL, NULL, &issuer, &dates, &state->crl, &err), &err);
}

static struct config config_of(const char *listen)
{
    char text[1024];
    struct config config;
    struct buf problems = BUF_INIT;
    (void)snprintf(text, sizeof(text),
                   "[node]\nrealm = training\ncode = KE\nname = Kenya\n"
                   "[storage]\ndirectory = %s\n[identity]\ndirectory = %s\n"
                   "[network]\nlisten = %s\naddress =\ndial = yes\n"
                   "[control]\nsocket = %s/sock\noperators = %u\n[log]\nlevel = error\n",
                   home, home, listen, home, (unsigned)getuid());
    CHECK_OK(config_parse("c", span_text(text), &config, &problems, &err), &err);
    buf_fini(&problems);
    return config;
}

/* -- somebody who asks, and then ends the node --------------------------------------------------
 */

static atomic_bool asker_waits;

static bool transfer(int fd, uint8_t *bytes, size_t size)
{
    for (size_t at = 0; at < size;) {
        ssize_t got = recv(fd, bytes + at, size - at, 0);
        if (got <= 0)
            return false;
        at += (size_t)got;
    }
    return true;
}

static void ask_status(int fd)
{
    static const struct request request = { .operation = "status" };
    static uint8_t body[65536];
    struct buf frame = BUF_INIT;
    uint8_t head[FRAME_HEAD_SIZE];
    struct reply reply;
    if (request_encode(&request, &frame, NULL) == OK &&
        send(fd, frame.data, frame.size, MSG_NOSIGNAL) == (ssize_t)frame.size &&
        transfer(fd, head, sizeof(head))) {
        size_t size = (size_t)head[2] << 8 | head[3];
        if (transfer(fd, body, size) && reply_decode(span_of(body, size), &reply, NULL) == OK) {
            (void)snprintf(asked_status, sizeof(asked_status), "%s", reply.status);
            reply_release(&reply);
        }
    }
    buf_fini(&frame);
}

static void *ask_and_end(void *context)
{
    (void)context;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/sock", home);
    struct timeval patience = { 1, 0 };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
        ask_status(fd);
    (void)close(fd);
    if (atomic_load(&asker_waits))
        (void)usleep(50 * 1000);
    (void)kill(getpid(), SIGTERM);
    return NULL;
}

/* Whether the node ran without failing. */
static bool run_until_asked(struct node *node)
{
    pthread_t asker;
    asked_status[0] = '\0';
    assert_int_equal(pthread_create(&asker, NULL, ask_and_end, NULL), 0);
    bool good = node_run(node);
    assert_int_equal(pthread_join(asker, NULL), 0);
    return good;
}

static enum status start(const char *listen, struct node **ret_node)
{
    struct config config = config_of(listen);
    err = (struct error)ERROR_INIT;
    enum status status = node_start(&config, ret_node, &err);
    config_fini(&config);
    return status;
}

/* -- tests --------------------------------------------------------------------------------------
 */

static void a_node_without_a_database_says_how_to_get_one(void **state)
{
    (void)state;
    struct node *node = NULL;
    CHECK_STATUS(start("127.0.0.1:0", &node), ERR_NOT_FOUND, &err);
    CHECK_CONTAINS(err.text, "database in ");
    assert_null(node);
    node_stop(NULL);
}

static void a_database_needs_a_place(void **state)
{
    (void)state;
    static const struct {
        const char *place, *said;
    } rows[] = {
        { "/none/of/these", "/none/of/these: No such file or directory; next: make it" },
        { "/dev/null", "/dev/null: Permission denied; next: give it" },
        { "/dev/null/data", "/dev/null/data: Not a directory; next: give it" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct config config = config_of("");
        mem_free(config.storage_directory);
        config.storage_directory = mem_calloc(1, strlen(rows[i].place) + 1);
        assert_non_null(config.storage_directory);
        memcpy(config.storage_directory, rows[i].place, strlen(rows[i].place));
        assert_int_not_equal(node_create(&config, &err), OK);
        CHECK_CONTAINS(err.text, rows[i].said);
        assert_int_not_equal(node_restore(&config, "some.backup", NULL, &err), OK);
        CHECK_CONTAINS(err.text, rows[i].said);
        config_fini(&config);
    }
}

static void a_database_is_made_once(void **state)
{
    (void)state;
    struct config config = config_of("");
    CHECK_OK(node_create(&config, &err), &err);
    CHECK_STATUS(node_create(&config, &err), ERR_EXISTS, &err);
    CHECK_CONTAINS(err.text, home);
    assert_int_not_equal(node_restore(&config, home_path("no.such.bulk"), NULL, &err), OK);
    config_fini(&config);
}

static void it_answers_and_ends_by_a_signal(void **state)
{
    (void)state;
    static const char *const places[] = { "", "127.0.0.1:0", "localhost:0", "[::1]:0" };
    for (size_t i = 0; i < COUNT(places); i++) {
        struct node *node = NULL;
        if (i == 3) /* there may be no IPv6 here: then it says so and ends */
            atomic_store(&asker_waits, true);
        CHECK_OK(start(places[i], &node), &err);
        bool good = run_until_asked(node);
        assert_true(good || i == 3);
        assert_string_equal(asked_status, "ok");
        node_stop(node);
        atomic_store(&asker_waits, false);
    }
}

static void an_address_that_is_not_ours_ends_it_with_an_error(void **state)
{
    (void)state;
    static const char *const places[] = { "192.0.2.1:7700", "no-such-host.invalid:7700" };
    for (size_t i = 0; i < COUNT(places); i++) {
        struct node *node = NULL;
        CHECK_OK(start(places[i], &node), &err);
        atomic_store(&asker_waits, true);
        assert_false(run_until_asked(node));
        atomic_store(&asker_waits, false);
        node_stop(node);
    }
}

static void whatever_fails_at_the_start_is_told(void **state)
{
    (void)state;
    static const struct {
        unsigned kind; /* 0: memory */
        int number;
    } faults[] = { { 0, 0 },
                   { CALL_FAULT_CRYPTO, 0 },
                   { CALL_FAULT_SQL, 0 },
                   { CALL_FAULT_LOOP, 0 },
                   { CALL_FAULT_SYSTEM, EIO } };
    for (size_t i = 0; i < COUNT(faults); i++) {
        bool hit = true;
        for (uint64_t nth = 1; hit; nth++) {
            struct node *node = NULL;
            struct config config = config_of("127.0.0.1:0");
            if (faults[i].kind == 0)
                mem_fail_at(nth, false);
            else
                call_fault_at(faults[i].kind, nth, faults[i].number);
            err = (struct error)ERROR_INIT;
            enum status status = node_start(&config, &node, &err);
            hit = faults[i].kind == 0 ? mem_fail_hit() : call_fault_hit();
            mem_fail_at(0, false);
            call_fault_off();
            config_fini(&config);
            if (status != OK && (!hit || err.text[0] == '\0'))
                fail_msg("%s: %s: %s", call_fault_name(), status_name(status), err.text);
            node_stop(node);
        }
    }
}

static void whatever_fails_in_the_loop_the_node_ends_in_order(void **state)
{
    (void)state;
    static const unsigned kinds[] = { 0, CALL_FAULT_LOOP };
    for (size_t i = 0; i < COUNT(kinds); i++) {
        bool hit = true;
        for (uint64_t nth = 1; hit && nth < 400; nth++) {
            struct node *node = NULL;
            CHECK_OK(start("127.0.0.1:0", &node), &err);
            if (kinds[i] == 0)
                mem_fail_at(nth, false);
            else
                call_fault_at(kinds[i], nth, 0);
            (void)run_until_asked(node);
            hit = kinds[i] == 0 ? mem_fail_hit() : call_fault_hit();
            mem_fail_at(0, false);
            call_fault_off();
            node_stop(node);
        }
    }
    struct node *node = NULL; /* and all is well again */
    CHECK_OK(start("127.0.0.1:0", &node), &err);
    assert_true(run_until_asked(node));
    assert_string_equal(asked_status, "ok");
    node_stop(node);
}

static int set_up(void **state)
{
    (void)state;
    if (home_make() != 0)
        return -1;
    make_state(&ke);
    home_write_identity(&ke);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    pki_fini(&ke);
    return home_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_without_a_database_says_how_to_get_one),
        cmocka_unit_test(a_database_needs_a_place),
        cmocka_unit_test(a_database_is_made_once),
        cmocka_unit_test(it_answers_and_ends_by_a_signal),
        cmocka_unit_test(an_address_that_is_not_ours_ends_it_with_an_error),
        cmocka_unit_test(whatever_fails_at_the_start_is_told),
        cmocka_unit_test(whatever_fails_in_the_loop_the_node_ends_in_order),
    };
    return cmocka_run_group_tests_name("node start", tests, set_up, tear_down);
}
