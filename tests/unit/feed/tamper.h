/* Two nodes to be checked, and an insider's hand in their databases, past the node. */
#ifndef COMITY_TESTS_TAMPER_H
#define COMITY_TESTS_TAMPER_H

#include "two_nodes.h"

#include "feed/check.h"
#include "feed/journal.h"

#include <sqlite3.h>

static struct id record_of_scene; /* the first of them */

/* KE gave UNODC three records, of which one was withdrawn and erased; both have journals. */
static inline int set_up(void **state)
{
    two_set_up(state);
    struct id records[3] = { add_excerpt(&ke, "One"), add_excerpt(&ke, "Two"),
                             add_excerpt(&ke, "Three") };
    record_of_scene = records[0];
    give(&ke, &un, records, 2, 10);
    struct id consent = give(&ke, &un, records + 2, 1, 10);
    connect_nodes();
    revoke(&ke, &consent);
    connect_nodes();
    for (int i = 0; i < 3; i++) {
        tx_begin(&un);
        CHECK_OK(journal_append(&un.feed, ANNE, "anne", "peer add", "KE", OK, "card 1234", &err),
                 &err);
        tx_commit(&un);
    }
    return 0;
}

static inline struct check_result check(struct node *node)
{
    struct check_result result = { 0 };
    CHECK_OK(feed_check(&node->feed, &result, &err), &err);
    CHECK_OK(buf_terminate(&result.text, &err), &err);
    return result;
}

/* Closes the node, runs the statement, which must change something, and opens the node again. */
static inline void tamper(struct node *node, const char *sql)
{
    sqlite3 *database = NULL;
    char *message = NULL;
    store_close(node->store);
    assert_int_equal(sqlite3_open(store_place_path(&node->place, "comity.db"), &database),
                     SQLITE_OK);
    if (sqlite3_exec(database, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
    assert_true(sqlite3_changes(database) > 0);
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
    node_open(node, false);
}

#endif
