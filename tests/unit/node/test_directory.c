/* The directory of peers: strangers are remembered within a bound; equality sees every change. */
#include "node/directory.h"

#include "base/memory.h"
#include "crypto/digest.h"
#include "node/credential.h"
#include "node/storage.h"
#include "store/peer_rows.h"
#include "store/store.h"
#include "support/check.h"
#include "support/store_place.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct store_place place;
static struct store *store;
static struct error err;
static int64_t live;
static const struct realm training = { "training" };

static int set_up(void **state)
{
    (void)state;
    struct sha256 *sha = NULL; /* the thread's own lives on */
    CHECK_OK(sha256_thread(&sha, &err), &err);
    live = mem_live();
    store_place_make(&place, 5);
    struct store_options options = { .directory = place.directory,
                                     .clock = &place.clock.base,
                                     .random = &place.random.base };
    CHECK_OK(store_create(&options, &store, &err), &err);
    CHECK_OK(store_begin(store, &err), &err);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    store_close(store);
    store = NULL;
    store_place_remove(&place);
    assert_int_equal(mem_live(), live);
    return 0;
}

static enum status stranger(size_t number, const char *address)
{
    struct code code = { "" };
    (void)snprintf(code.text, sizeof(code.text), "ORG%c%c", (char)('A' + number / 26),
                   (char)('A' + number % 26));
    return directory_add_pending(store, &training, &code, address, &err);
}

/* -- strangers --------------------------------------------------------------------------------- */

static void strangers_are_remembered_up_to_a_bound_and_once_each(void **state)
{
    (void)state;
    for (size_t i = 0; i < DIRECTORY_PENDING_MAX; i++)
        CHECK_OK(stranger(i, "192.0.2.1"), &err);
    CHECK_STATUS(stranger(DIRECTORY_PENDING_MAX, "192.0.2.1"), ERR_FULL, &err);
    CHECK_CONTAINS(err.text, "64 strangers");
    CHECK_OK(stranger(3, "192.0.2.9"), &err); /* known already: only where from changes */
    struct peer_row row;
    CHECK_OK(peer_rows_get(store, &(struct code){ "ORGAD" }, &row, &err), &err);
    assert_string_equal(row.address, "192.0.2.9");
    assert_int_equal(row.state, PEER_PENDING);
}

static void a_stranger_is_not_in_the_directory(void **state)
{
    (void)state;
    struct directory directory;
    CHECK_OK(stranger(0, "192.0.2.1"), &err);
    CHECK_OK(directory_read(store, &directory, &err), &err);
    assert_int_equal(directory.count, 0);
    directory_fini(&directory);
    directory_fini(NULL);
}

/* A peer with an anchor that is none. */
static void add_peer(const char *text, enum peer_state peer_state)
{
    struct peer_row row = { .realm = training, .state = peer_state, .address = "au.example:7400" };
    int64_t peer_id = 0;
    CHECK_OK(code_parse(text, &row.code, &err), &err);
    CHECK_OK(peer_rows_add(store, &row, &peer_id, &err), &err);
    CHECK_OK(peer_rows_set_file(store, peer_id, PEER_ANCHOR_DER, SPAN_LITERAL("no anchor"), &err),
             &err);
}

static void who_calls_under_the_name_of_a_peer_changes_nothing_of_it(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        enum peer_state state;
    } cases[] = { { "AU", PEER_ACCEPTED }, { "NZ", PEER_BLOCKED }, { "IE", PEER_FORGOTTEN } };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct code code;
        struct peer_row row;
        add_peer(cases[i].code, cases[i].state);
        CHECK_OK(code_parse(cases[i].code, &code, &err), &err);
        CHECK_OK(directory_add_pending(store, &training, &code, "192.0.2.66", &err), &err);
        CHECK_OK(peer_rows_get(store, &code, &row, &err), &err);
        assert_int_equal(row.state, cases[i].state);
        assert_string_equal(row.address, "au.example:7400");
        assert_int_equal(row.contact_ms, 0);
    }
}

static enum status read_it(void)
{
    struct directory directory = { NULL, 0 };
    enum status status = directory_read(store, &directory, &err);
    assert_int_equal(directory.count, status == OK ? 2 : 0);
    directory_fini(&directory);
    return status;
}

static enum status trust_it(void)
{
    struct directory directory = { NULL, 0 };
    struct trust *trust = NULL;
    enum status status = directory_read(store, &directory, &err);
    if (status == OK)
        status = directory_trust(&directory, &training, &(struct code){ "KE" }, &trust, &err);
    assert_null(trust); /* the anchors are none */
    directory_fini(&directory);
    return status;
}

static enum status meet_a_stranger(void)
{
    return stranger(7, "192.0.2.7");
}

static void a_directory_without_memory_is_refused_whole(void **state)
{
    (void)state;
    static const struct {
        enum status (*run)(void);
        bool good;
    } cases[] = { { read_it, true }, { trust_it, false }, { meet_a_stranger, true } };
    add_peer("AU", PEER_ACCEPTED);
    add_peer("NZ", PEER_BLOCKED);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool hit = true;
        for (uint64_t nth = 1; hit; nth++) {
            err = (struct error)ERROR_INIT;
            mem_fail_at(nth, false);
            enum status status = cases[i].run();
            hit = mem_fail_hit();
            mem_fail_at(0, false);
            if (hit)
                assert_int_equal(status, ERR_MEMORY);
            else
                assert_int_equal(status == OK, cases[i].good);
        }
    }
}

static void equality_sees_every_change(void **state)
{
    (void)state;
    uint8_t one[] = { 1 }, two[] = { 2 };
    struct directory_peer base = { .known = { { "AU" }, "a:1" },
                                   .anchor = { .data = one, .size = 1 },
                                   .crl = { .data = one, .size = 1 } };
    struct directory_peer others[5] = { base, base, base, base, base };
    (void)snprintf(others[0].known.code.text, sizeof(others[0].known.code.text), "NZ");
    (void)snprintf(others[1].known.address, sizeof(others[1].known.address), "a:2");
    others[2].blocked = true;
    others[3].anchor.data = two;
    others[4].crl.data = two;
    const struct directory a = { &base, 1 };
    for (size_t i = 0; i < 5; i++)
        assert_false(directory_equal(&a, &(struct directory){ &others[i], 1 }));
    assert_false(directory_equal(&a, &(struct directory){ NULL, 0 }));
    assert_true(directory_equal(&a, &a));
}

/* -- idle work --------------------------------------------------------------------------------- */

static bool more;
static enum status outcome;

static enum status more_work(void *self, bool *ret_more, struct error *why)
{
    (void)self;
    *ret_more = more;
    return outcome == OK ? OK : error_set(why, outcome, "no room");
}

static void more_idle_work_comes_again_soon_and_its_failure_is_not_final(void **state)
{
    (void)state;
    store_rollback(store);
    struct feed_context feed = { .store = store,
                                 .clock = &place.clock.base,
                                 .random = &place.random.base,
                                 .realm = training,
                                 .self = { "KE" } };
    struct storage storage = { .store = store,
                               .feed = &feed,
                               .tick_due_ms = place.clock.wall_now_ms + 1000,
                               .more = more_work };
    const struct worker_storage worker = storage_of(&storage);
    struct worker_idle idle;
    more = true;
    outcome = OK;
    CHECK_OK(worker.idle(worker.self, 1000, &idle, &err), &err);
    assert_int_equal(idle.next_ms, 1001);
    assert_false(idle.changed);
    more = false;
    CHECK_OK(worker.idle(worker.self, 1000, &idle, &err), &err);
    assert_true(idle.next_ms > 1001);
    outcome = ERR_IO; /* no sync failed: the store is not lost */
    CHECK_STATUS(worker.idle(worker.self, 1000, &idle, &err), ERR_FULL, &err);
}

/* The clock was in 2099 when the last tick was planned, and is right again. */
static void a_clock_that_was_put_back_does_not_stop_the_ticks(void **state)
{
    (void)state;
    store_rollback(store);
    struct feed_context feed = { .store = store,
                                 .clock = &place.clock.base,
                                 .random = &place.random.base,
                                 .realm = training,
                                 .self = { "KE" } };
    struct storage storage = { .store = store, .feed = &feed };
    const struct worker_storage worker = storage_of(&storage);
    struct worker_idle idle;
    storage.tick_due_ms = place.clock.wall_now_ms + 70 * INT64_C(365) * 86400000;
    CHECK_OK(worker.idle(worker.self, 1000, &idle, &err), &err);
    assert_true(idle.changed);
    assert_true(storage.tick_due_ms <= place.clock.wall_now_ms + STORAGE_TICK_MAX_MS);
}

/* -- the credential ---------------------------------------------------------------------------- */

/* Where a credential should be and cannot be read, the node does not go on without one. */
static void a_credential_that_cannot_be_read_is_told_and_not_passed_over(void **state)
{
    (void)state;
    struct credential credential;
    char far[600];
    memset(far, 'x', sizeof(far));
    far[0] = '/';
    far[sizeof(far) - 1] = '\0';
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", far, 1), 0);
    CHECK_STATUS(credential_read(&credential, &err), ERR_LIMIT, &err);
    assert_null(credential_key(&credential));
    store_place_write(&place, "no-directory", SPAN_LITERAL("x"));
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", store_place_path(&place, "no-directory"), 1),
                     0);
    CHECK_STATUS(credential_read(&credential, &err), ERR_IO, &err);
    CHECK_CONTAINS(err.text, "; next: look at LoadCredentialEncrypted=");
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", place.directory, 1), 0);
    assert_int_equal(mkdir(store_place_path(&place, CREDENTIAL_NAME), 0700), 0);
    CHECK_STATUS(credential_read(&credential, &err), ERR_IO, &err);
    assert_int_equal(rmdir(store_place_path(&place, CREDENTIAL_NAME)), 0);
    static const uint8_t zeros[SEAL_KEY_SIZE];
    store_place_write(&place, CREDENTIAL_NAME, SPAN_ARRAY(zeros));
    CHECK_STATUS(credential_read(&credential, &err), ERR_INVALID, &err);
    CHECK_CONTAINS(err.text, "no secret");
    assert_null(credential_key(&credential));
    assert_int_equal(unlink(store_place_path(&place, CREDENTIAL_NAME)), 0);
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", "", 1), 0);
    CHECK_OK(credential_read(&credential, &err), &err);
    assert_null(credential_key(&credential));
    assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
}

static void a_credential_is_32_bytes_or_not_there(void **state)
{
    (void)state;
    struct credential credential;
    static const char bytes[] = "0123456789abcdef0123456789abcdef!";
    static const struct {
        size_t size;
        enum status wanted;
    } cases[] = { { 0, ERR_INVALID }, { 31, ERR_INVALID }, { 33, ERR_INVALID }, { 32, OK } };
    assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
    CHECK_OK(credential_read(&credential, &err), &err);
    assert_null(credential_key(&credential));
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", place.directory, 1), 0);
    CHECK_OK(credential_read(&credential, &err), &err);
    assert_null(credential_key(&credential));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        store_place_write(&place, CREDENTIAL_NAME, span_of(bytes, cases[i].size));
        CHECK_STATUS(credential_read(&credential, &err), cases[i].wanted, &err);
        if (cases[i].wanted != OK)
            CHECK_CONTAINS(err.text, "; next: ");
    }
    assert_memory_equal(credential_key(&credential)->bytes, bytes, SEAL_KEY_SIZE);
    credential_fini(&credential);
    assert_null(credential_key(&credential));
    assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(strangers_are_remembered_up_to_a_bound_and_once_each),
        TEST(a_stranger_is_not_in_the_directory),
        TEST(who_calls_under_the_name_of_a_peer_changes_nothing_of_it),
        TEST(a_directory_without_memory_is_refused_whole),
        TEST(equality_sees_every_change),
        TEST(a_clock_that_was_put_back_does_not_stop_the_ticks),
        TEST(more_idle_work_comes_again_soon_and_its_failure_is_not_final),
        TEST(a_credential_that_cannot_be_read_is_told_and_not_passed_over),
        TEST(a_credential_is_32_bytes_or_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
