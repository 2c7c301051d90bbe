/* An insider's hand in a database, past the node. */
#ifndef COMITY_TESTS_TAMPER_H
#define COMITY_TESTS_TAMPER_H

#include "two_nodes.h"

#include <sqlite3.h>

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
