/* An insider edits a database with SQLite's own tool: check finds it, and says what it is.  What is
 * only a failure of the machine is not taken for it. */
#include "tamper.h"

#include "feed/check.h"
#include "feed/journal.h"
#include "support/call_fault.h"

#include <sqlite3.h>

struct tampering {
    struct node *node;
    const char *what;
    const char *sql;
    const char *says;
};

/* UNODC holds, KE has given.  A place (holding_id, delivery_id) is feed << 40 | number. */
static const struct tampering TAMPERINGS[] = {
    { &un, "a header changed",
      "UPDATE entry SET header = zeroblob(length(header)) WHERE rowid = (SELECT min(rowid) FROM "
      "entry WHERE length(sealed) > 60)",
      "entry" },
    { &un, "a sealed body changed",
      "UPDATE entry SET sealed = zeroblob(length(sealed)) WHERE rowid = (SELECT max(rowid) FROM "
      "entry WHERE length(sealed) > 60)",
      "entry" },
    { &un, "an entry removed", "DELETE FROM entry WHERE rowid = (SELECT min(rowid) FROM entry)",
      "entry" },
    { &un, "another root", "UPDATE feed SET root = zeroblob(32) WHERE direction = 2", "root" },
    { &un, "an erased holding made active", "UPDATE holding SET state = 1 WHERE state = 3", NULL },
    { &un, "an active holding said to be erased",
      "UPDATE holding SET state = 3 WHERE rowid = (SELECT min(rowid) FROM holding WHERE state = 1)",
      "its key is here" },
    { &un, "a journal record changed",
      "UPDATE journal SET leaf = zeroblob(length(leaf)) WHERE number = 1", "journal" },
    { &un, "a journal record removed", "DELETE FROM journal WHERE number = 2", "journal" },
    { &un, "another frontier",
      "UPDATE feed SET frontier = zeroblob(length(frontier)) WHERE direction = 2", "frontier" },
    { &un, "a shorter feed", "UPDATE feed SET size = size - 1 WHERE direction = 2", "root" },
    { &un, "a feed of nobody", "UPDATE feed SET peer_id = 99 WHERE direction = 2",
      "belongs to no peer" },
    { &un, "a checkpoint of zeros",
      "UPDATE feed SET checkpoint_note = zeroblob(length(checkpoint_note))", "checkpoint" },
    { &ke, "a receipt of zeros", "UPDATE feed SET receipt_note = zeroblob(length(receipt_note))",
      "receipt" },
    { &un, "a receipt said to be for more",
      "UPDATE feed SET receipt_size = receipt_size + 1 WHERE direction = 2", "entries, the one" },
    { &un, "a receipt said to be for less",
      "UPDATE feed SET receipt_size = receipt_size - 1 WHERE direction = 2", "entries, the one" },
    { &un, "a receipt taken away", "UPDATE feed SET receipt_note = x'' WHERE direction = 2",
      "entries, none is here" },
    { &un, "a receipt said to be for nothing",
      "UPDATE feed SET receipt_size = 0 WHERE direction = 2", "entries, the one" },
    { &ke, "a receipt of theirs said to be for more",
      "UPDATE feed SET receipt_size = receipt_size + 1 WHERE direction = 1", "entries, the one" },
    { &ke, "a receipt of theirs said to be of another time",
      "UPDATE feed SET receipt_ms = receipt_ms + 1000 WHERE direction = 1", "another time" },
    { &un, "an erasure that is denied",
      "UPDATE entry SET flags = 0 WHERE entry_id = (SELECT holding_id FROM holding WHERE state = "
      "3)",
      NULL },
    { &un, "a holding with another entry's name",
      "UPDATE holding SET entry_id = zeroblob(16) WHERE state = 1", "is not of the entry" },
    { &un, "a holding of another subject",
      "UPDATE holding SET subject_id = zeroblob(16) WHERE state = 1", "is not of the entry" },
    { &un, "a holding of an entry that never came",
      "UPDATE holding SET holding_id = holding_id + 500 WHERE holding_id = (SELECT max(holding_id) "
      "FROM holding)",
      "names an entry that is not here" },
    { &un, "terms that never came", "UPDATE received_terms SET number = 500",
      "received terms name entry" },
    { &ke, "a delivery that never was",
      "UPDATE delivery SET delivery_id = delivery_id + 500, number = number + 500", "delivery" },
    { &ke, "a body given that is not there any more",
      "UPDATE entry SET sealed = NULL WHERE rowid = (SELECT max(rowid) FROM entry WHERE "
      "length(sealed) > 60)",
      "entry" },
    { &ke, "another root of what was given",
      "UPDATE feed SET root = zeroblob(32) WHERE direction = 1", "root" },
};

static void check_finds(const struct tampering *tampering)
{
    tamper(tampering->node, tampering->sql);
    struct check_result result = check(tampering->node);
    if (result.problems == 0)
        fail_msg("%s: not found", tampering->what);
    if (tampering->says != NULL && strstr((const char *)result.text.data, tampering->says) == NULL)
        fail_msg("%s: %s", tampering->what, (const char *)result.text.data);
    check_result_fini(&result);
}

static void every_tampering_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(TAMPERINGS); i++) {
        struct store_place saved;
        node_save(TAMPERINGS[i].node, &saved);
        check_finds(&TAMPERINGS[i]);
        node_roll_back(TAMPERINGS[i].node, &saved, true);
    }
}

static void a_machine_that_fails_is_not_taken_for_an_insider(void **state)
{
    (void)state;
    static const unsigned kinds[] = { 0, CALL_FAULT_SQL };
    for (size_t i = 0; i < COUNT(kinds); i++) {
        bool hit = true;
        for (uint64_t nth = 1; hit; nth++) {
            struct check_result result = { 0 };
            call_fault_at(kinds[i], nth, 0);
            mem_fail_at(kinds[i] == 0 ? nth : 0, false);
            enum status status = feed_check(&ke.feed, &result, &err);
            hit = kinds[i] == 0 ? mem_fail_hit() : call_fault_hit();
            mem_fail_at(0, false);
            call_fault_off();
            assert_true(hit || status == OK);
            if (result.problems > 0)
                fail_msg("call %llu: %.*s", (unsigned long long)nth, (int)result.text.size,
                         (const char *)result.text.data);
            check_result_fini(&result);
        }
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, two_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(every_tampering_is_found),
        TEST(a_machine_that_fails_is_not_taken_for_an_insider),
    };
    return cmocka_run_group_tests_name("tampering", tests, NULL, NULL);
}
