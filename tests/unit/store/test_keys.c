/* The tree of key pages: what is erased cannot be read from any byte that is left. */
#include "base/memory.h"
#include "crypto/digest.h"
#include "store/inside.h"
#include "store/key_page.h"
#include "store/keys.h"
#include "store/keys_tree.h"
#include "support/check.h"
#include "support/store_place.h"

#include <unistd.h>

static struct store_place place;
static struct store *store;
static struct error err;
static const struct keys_change nothing = { NULL, NULL };

static struct store_options options(void)
{
    return (struct store_options){ .directory = place.directory,
                                   .clock = &place.clock.base,
                                   .random = &place.random.base };
}

static int set_up(void **state)
{
    (void)state;
    store_place_make(&place, 7);
    struct store_options o = options();
    CHECK_OK(store_create(&o, &store, &err), &err);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    store_close(store);
    store_place_remove(&place);
    return 0;
}

static void reopen(void)
{
    store_close(store);
    store = NULL;
    struct store_options o = options();
    CHECK_OK(store_open(&o, &store, &err), &err);
}

static struct seal_key add(const struct id *group, uint64_t *ret_slot)
{
    struct seal_key key;
    CHECK_OK(keys_add(store, group, ret_slot, &key, &err), &err);
    return key;
}

static void assert_key(uint64_t slot, const struct seal_key *want)
{
    struct seal_key key;
    CHECK_OK(keys_get(store, slot, &key, &err), &err);
    assert_memory_equal(key.bytes, want->bytes, SEAL_KEY_SIZE);
}

static void assert_erased(uint64_t slot)
{
    struct seal_key key;
    CHECK_STATUS(keys_get(store, slot, &key, &err), ERR_ERASED, &err);
}

static void a_key_outside_a_transaction_is_refused(void **state)
{
    (void)state;
    uint64_t slot = 0;
    struct seal_key key;
    CHECK_STATUS(keys_add(store, &ID_NONE, &slot, &key, &err), ERR_INTERNAL, &err);
}

static void a_slot_that_was_never_allotted_is_not_found(void **state)
{
    (void)state;
    struct seal_key key;
    CHECK_STATUS(keys_get(store, 0, &key, &err), ERR_NOT_FOUND, &err);
    CHECK_STATUS(keys_get(store, KEY_SLOT_NONE, &key, &err), ERR_NOT_FOUND, &err);
    uint64_t slot = 12345;
    CHECK_STATUS(keys_erase(store, &slot, 1, nothing, &err), ERR_NOT_FOUND, &err);
}

static void erasing_inside_a_transaction_is_refused(void **state)
{
    (void)state;
    uint64_t slot = 0;
    CHECK_OK(store_begin(store, &err), &err);
    (void)add(&ID_NONE, &slot);
    CHECK_STATUS(keys_erase(store, &slot, 1, nothing, &err), ERR_INTERNAL, &err);
    CHECK_OK(store_commit(store, &err), &err);
}

static void too_many_at_once_are_refused(void **state)
{
    (void)state;
    static uint64_t slots[KEYS_ERASE_MAX + 1];
    CHECK_STATUS(keys_erase(store, slots, KEYS_ERASE_MAX + 1, nothing, &err), ERR_LIMIT, &err);
}

static void keys_come_back_after_opening(void **state)
{
    (void)state;
    uint64_t slots[300];
    struct seal_key keys[300];
    CHECK_OK(store_begin(store, &err), &err);
    for (size_t i = 0; i < 300; i++)
        keys[i] = add(&ID_NONE, &slots[i]);
    for (size_t i = 0; i < 300; i++)
        assert_key(slots[i], &keys[i]);
    CHECK_OK(store_commit(store, &err), &err);
    for (size_t i = 0; i < 300; i++)
        assert_key(slots[i], &keys[i]);
    reopen();
    for (size_t i = 0; i < 300; i++)
        assert_key(slots[i], &keys[i]);
}

static void groups_have_leaves_of_their_own(void **state)
{
    (void)state;
    struct id a = { { 1 } };
    struct id b = { { 2 } };
    uint64_t first_a = 0;
    uint64_t slot = 0;
    CHECK_OK(store_begin(store, &err), &err);
    (void)add(&a, &first_a);
    for (int i = 1; i < KEYS_PER_PAGE; i++) {
        (void)add(&b, &slot);
        assert_int_not_equal(slot / KEYS_PER_PAGE, first_a / KEYS_PER_PAGE);
        (void)add(&a, &slot);
        assert_int_equal(slot, first_a + (uint64_t)i);
    }
    CHECK_OK(store_commit(store, &err), &err);
    reopen();
    CHECK_OK(store_begin(store, &err), &err);
    (void)add(&a, &slot);
    assert_int_not_equal(slot / KEYS_PER_PAGE, first_a / KEYS_PER_PAGE);
    CHECK_OK(store_commit(store, &err), &err);
}

static void a_rolled_back_transaction_leaves_no_keys(void **state)
{
    (void)state;
    uint64_t slot = 0;
    uint64_t again = 0;
    struct seal_key key;
    CHECK_OK(store_begin(store, &err), &err);
    (void)add(&ID_NONE, &slot);
    store_rollback(store);
    CHECK_STATUS(keys_get(store, slot, &key, &err), ERR_NOT_FOUND, &err);
    CHECK_OK(store_begin(store, &err), &err);
    key = add(&ID_NONE, &again);
    CHECK_OK(store_commit(store, &err), &err);
    assert_int_equal(slot, again);
    assert_key(again, &key);
}

static void a_rolled_back_job_leaves_the_keys_of_others(void **state)
{
    (void)state;
    uint64_t slots[2];
    uint64_t lost = 0;
    struct seal_key keys[2];
    CHECK_OK(store_begin(store, &err), &err);
    CHECK_OK(store_savepoint(store, &err), &err);
    (void)add(&ID_NONE, &lost);
    CHECK_OK(store_rollback_to(store, &err), &err);
    CHECK_OK(store_savepoint(store, &err), &err);
    keys[0] = add(&ID_NONE, &slots[0]);
    CHECK_OK(store_release(store, &err), &err);
    CHECK_OK(store_commit(store, &err), &err);
    reopen();
    assert_key(slots[0], &keys[0]);
}

static enum status fails(void *context, struct store *s, struct error *e)
{
    (void)context;
    enum status status = store_meta_set(s, "touched", SPAN_LITERAL("x"), e);
    return status == OK ? error_set(e, ERR_CONFLICT, "no") : status;
}

static void an_erasure_whose_changes_fail_erases_nothing(void **state)
{
    (void)state;
    uint64_t slot = 0;
    struct buf value = BUF_INIT;
    CHECK_OK(store_begin(store, &err), &err);
    struct seal_key key = add(&ID_NONE, &slot);
    CHECK_OK(store_commit(store, &err), &err);
    struct keys_change change = { fails, NULL };
    CHECK_STATUS(keys_erase(store, &slot, 1, change, &err), ERR_CONFLICT, &err);
    assert_key(slot, &key);
    CHECK_STATUS(store_meta_get(store, "touched", &value, &err), ERR_NOT_FOUND, &err);
    reopen();
    assert_key(slot, &key);
    buf_fini(&value);
}

static void the_changes_of_an_erasure_are_made_without_keys_too(void **state)
{
    (void)state;
    struct keys_change change = { fails, NULL };
    CHECK_STATUS(keys_erase(store, NULL, 0, change, &err), ERR_CONFLICT, &err);
    CHECK_OK(keys_erase(store, NULL, 0, nothing, &err), &err);
}

enum { MANY = 20000 };

/* 20,000 keys need three levels.  Every 37th is erased, 500 at a time; all others stay. */
static void erased_keys_are_gone_and_all_others_stay(void **state)
{
    (void)state;
    static uint64_t slots[MANY];
    static struct seal_key keys[MANY];
    static uint64_t erase[MANY];
    size_t count = 0;
    CHECK_OK(store_begin(store, &err), &err);
    for (size_t i = 0; i < MANY; i++) {
        struct id group = { { (uint8_t)(i % 5) } };
        keys[i] = add(&group, &slots[i]);
    }
    CHECK_OK(store_commit(store, &err), &err);
    assert_int_equal(store->keys->top_level, 2);
    for (size_t i = 0; i < MANY; i += 37)
        erase[count++] = slots[i];
    for (size_t at = 0; at < count; at += 500)
        CHECK_OK(keys_erase(store, erase + at, count - at < 500 ? count - at : 500, nothing, &err),
                 &err);
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < MANY; i++) {
            if (i % 37 == 0)
                assert_erased(slots[i]);
            else
                assert_key(slots[i], &keys[i]);
        }
        reopen();
    }
    assert_true(store->keys->page_count <= KEYS_CACHE_PAGES);
}

/* Opens one stored version of a page with a key. */
static bool try_page(const struct key_page *like,
                     struct span sealed,
                     const struct seal_key *key,
                     struct key_page *page)
{
    *page = *like;
    page->key = *key;
    return key_page_open(store->sealer, &store->database_id, sealed, page, NULL) == OK;
}

/* Walks down the pages in `rows` (all versions that were ever written) from `root`; true when the
 * wanted key can be reached. */
struct version {
    uint8_t level;
    uint64_t index;
    struct buf sealed;
};

static bool reach(const struct version *versions,
                  size_t count,
                  uint8_t level,
                  uint64_t index,
                  const struct seal_key *key,
                  const struct seal_key *wanted)
{
    for (size_t i = 0; i < count; i++) {
        struct key_page like = { .level = versions[i].level, .index = versions[i].index };
        struct key_page page;
        if (versions[i].level != level || versions[i].index != index ||
            !try_page(&like, buf_span(&versions[i].sealed), key, &page))
            continue;
        for (uint64_t k = 0; k < KEYS_PER_PAGE; k++) {
            if (level == 0 && memcmp(page.keys[k].bytes, wanted->bytes, SEAL_KEY_SIZE) == 0)
                return true;
            if (level > 0 && !key_is_none(&page.keys[k]) &&
                reach(versions, count, (uint8_t)(level - 1), index * KEYS_PER_PAGE + k,
                      &page.keys[k], wanted))
                return true;
        }
    }
    return false;
}

static size_t take_versions(struct version *versions, size_t count)
{
    struct query q = query_start(store, STATEMENT_KEY_PAGE_SINCE);
    query_put_int(&q, -1);
    query_put_int(&q, 0);
    query_put_int(&q, 1000);
    while (query_row(&q)) {
        uint64_t id = query_uint(&q);
        (void)query_int(&q);
        (void)query_int(&q);
        versions[count].level = (uint8_t)(id & 15);
        versions[count].index = id >> 4;
        versions[count].sealed = (struct buf)BUF_INIT;
        CHECK_OK(buf_append(&versions[count].sealed, query_blob(&q), &err), &err);
        count++;
    }
    CHECK_OK(query_end(&q, &err), &err);
    return count;
}

/* With all old versions of all pages and the current root, an erased key does not come back; with
 * the old root (the control) it does. */
static void old_pages_and_the_current_root_give_nothing_back(void **state)
{
    (void)state;
    static struct version versions[64];
    uint64_t slots[400];
    struct seal_key keys[400];
    CHECK_OK(store_begin(store, &err), &err);
    for (size_t i = 0; i < 400; i++)
        keys[i] = add(&ID_NONE, &slots[i]);
    CHECK_OK(store_commit(store, &err), &err);
    struct seal_key old_root = store->keys->root;
    size_t count = take_versions(versions, 0);
    CHECK_OK(keys_erase(store, &slots[200], 1, nothing, &err), &err);
    count = take_versions(versions, count);
    struct seal_key root = store->keys->root;
    assert_false(reach(versions, count, 1, 0, &root, &keys[200]));
    assert_true(reach(versions, count, 1, 0, &root, &keys[201]));
    assert_true(reach(versions, count, 1, 0, &old_root, &keys[200]));
    /* ... and the old root is nowhere. */
    assert_int_equal(store_place_count(&place, SPAN_ARRAY(old_root.bytes)), 0);
    assert_int_equal(store_place_count(&place, SPAN_ARRAY(root.bytes)), 1);
    for (size_t i = 0; i < count; i++)
        buf_fini(&versions[i].sealed);
}

static void no_data_key_is_on_the_disk_in_the_clear(void **state)
{
    (void)state;
    uint64_t slot = 0;
    CHECK_OK(store_begin(store, &err), &err);
    struct seal_key key = add(&ID_NONE, &slot);
    CHECK_OK(store_commit(store, &err), &err);
    assert_int_equal(store_place_count(&place, SPAN_ARRAY(key.bytes)), 0);
}

static void a_credential_seals_the_root(void **state)
{
    (void)state;
    struct store_place other_place;
    struct store *other = NULL;
    struct seal_key credential = { { 42 } };
    struct seal_key wrong = { { 43 } };
    store_place_make(&other_place, 8);
    struct store_options o = { .directory = other_place.directory,
                               .clock = &other_place.clock.base,
                               .random = &other_place.random.base,
                               .credential = &credential };
    CHECK_OK(store_create(&o, &other, &err), &err);
    uint64_t slot = 0;
    struct seal_key key;
    CHECK_OK(store_begin(other, &err), &err);
    CHECK_OK(keys_add(other, &ID_NONE, &slot, &key, &err), &err);
    CHECK_OK(store_commit(other, &err), &err);
    struct seal_key root = other->keys->root;
    store_close(other);
    other = NULL;
    assert_int_equal(store_place_count(&other_place, SPAN_ARRAY(root.bytes)), 0);
    o.credential = &wrong;
    CHECK_STATUS(store_open(&o, &other, &err), ERR_CORRUPT, &err);
    CHECK_CONTAINS(err.text, "sealed by another credential");
    CHECK_CONTAINS(err.text, "; next: ");
    o.credential = NULL;
    CHECK_STATUS(store_open(&o, &other, &err), ERR_CORRUPT, &err);
    CHECK_CONTAINS(err.text, "and there is none; next: ");
    o.credential = &credential;
    CHECK_OK(store_open(&o, &other, &err), &err);
    store_close(other);
    store_place_remove(&other_place);
}

static void a_credential_that_comes_later_seals_the_root_at_once(void **state)
{
    (void)state;
    struct store_place later;
    struct store *other = NULL;
    struct seal_key credential = { { 42 } };
    store_place_make(&later, 9);
    struct store_options o = { .directory = later.directory,
                               .clock = &later.clock.base,
                               .random = &later.random.base };
    CHECK_OK(store_create(&o, &other, &err), &err);
    uint64_t slot = 0;
    struct seal_key key;
    CHECK_OK(store_begin(other, &err), &err);
    CHECK_OK(keys_add(other, &ID_NONE, &slot, &key, &err), &err);
    CHECK_OK(store_commit(other, &err), &err);
    struct seal_key root = other->keys->root;
    store_close(other);
    assert_int_equal(store_place_count(&later, SPAN_ARRAY(root.bytes)), 1);
    o.credential = &credential;
    for (int i = 0; i < 2; i++) { /* the second opening finds it sealed */
        CHECK_OK(store_open(&o, &other, &err), &err);
        store_close(other);
        assert_int_equal(store_place_count(&later, SPAN_ARRAY(root.bytes)), 0);
    }
    o.credential = NULL;
    CHECK_STATUS(store_open(&o, &other, &err), ERR_CORRUPT, &err);
    store_place_remove(&later);
}

static void a_changed_key_page_is_found(void **state)
{
    (void)state;
    uint64_t slot = 0;
    struct seal_key key;
    CHECK_OK(store_begin(store, &err), &err);
    (void)add(&ID_NONE, &slot);
    CHECK_OK(store_commit(store, &err), &err);
    CHECK_OK(store_begin(store, &err), &err);
    assert_int_equal(sqlite3_exec(store->db,
                                  "UPDATE key_page SET sealed = zeroblob(4060) WHERE id = 0", NULL,
                                  NULL, NULL),
                     SQLITE_OK);
    CHECK_OK(store_commit(store, &err), &err);
    reopen();
    CHECK_STATUS(keys_get(store, slot, &key, &err), ERR_CORRUPT, &err);
    CHECK_CONTAINS(err.text, "; next: ");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_key_outside_a_transaction_is_refused),
        T(a_slot_that_was_never_allotted_is_not_found),
        T(erasing_inside_a_transaction_is_refused),
        T(too_many_at_once_are_refused),
        T(keys_come_back_after_opening),
        T(groups_have_leaves_of_their_own),
        T(a_rolled_back_transaction_leaves_no_keys),
        T(a_rolled_back_job_leaves_the_keys_of_others),
        T(an_erasure_whose_changes_fail_erases_nothing),
        T(the_changes_of_an_erasure_are_made_without_keys_too),
        T(erased_keys_are_gone_and_all_others_stay),
        T(old_pages_and_the_current_root_give_nothing_back),
        T(no_data_key_is_on_the_disk_in_the_clear),
        T(a_credential_seals_the_root),
        T(a_credential_that_comes_later_seals_the_root_at_once),
        T(a_changed_key_page_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
