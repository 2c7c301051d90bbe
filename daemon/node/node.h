/* One running node: everything that a configuration makes, from start to clean stop.
 *
 *   node_start ──▶ node_run ──(SIGTERM, SIGINT)──▶ node_stop
 *                     │ SIGHUP: configuration, identity and trust are read again
 *
 * The loop thread owns all of it but the store, which the worker's thread uses alone.
 */
#ifndef COMITY_NODE_NODE_H
#define COMITY_NODE_NODE_H

#include "node/config.h"

struct node;
struct backup_restored;

/* Opens the database, reads the identity, binds the sockets.  Every failure says the next step. */
MUST_CHECK enum status node_start(struct config *config /* moved */,
                                  struct node **ret_node,
                                  struct error *err);
/* Until a signal asks for the end; false when something failed that had to work. */
bool node_run(struct node *node);
void node_stop(struct node *node); /* NULL and half-started are fine */

/* --create: an empty database with root slot and heads in the storage directory. */
MUST_CHECK enum status node_create(const struct config *config, struct error *err);
/* --restore: the database from a bulk backup and <storage>/keys.bundle; the node does not run. */
MUST_CHECK enum status node_restore(const struct config *config,
                                    const char *backup,
                                    struct backup_restored *ret_restored, /* store/backup.h */
                                    struct error *err);

#endif
