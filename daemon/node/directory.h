/* Who our peers are, read from the database for those that do not see it: TLS and the exchange.
 *
 * A snapshot is made on the store thread (directory_read) and used on the loop thread.
 */
#ifndef COMITY_NODE_DIRECTORY_H
#define COMITY_NODE_DIRECTORY_H

#include "crypto/trust.h"
#include "node/exchange.h"

struct store;

enum { DIRECTORY_PENDING_MAX = 64 }; /* strangers that are remembered */

struct directory_peer {
    struct exchange_peer known;
    bool blocked;
    struct buf anchor; /* DER */
    struct buf crl;
};

struct directory {
    struct directory_peer *peers;
    size_t count;
};

/* Accepted and blocked peers, with their anchors. */
MUST_CHECK enum status directory_read(struct store *store,
                                      struct directory *ret_directory,
                                      struct error *err);
bool directory_equal(const struct directory *a, const struct directory *b);
void directory_fini(struct directory *directory);
MUST_CHECK enum status directory_trust(const struct directory *directory,
                                       const struct realm *realm,
                                       const struct code *self,
                                       struct trust **ret_trust,
                                       struct error *err);
MUST_CHECK enum status directory_tell(const struct directory *directory,
                                      struct exchange *exchange,
                                      struct error *err);
/* A well-formed stranger called: remembered as pending, unless it is known in whatever state or
 * DIRECTORY_PENDING_MAX others are.  Inside a transaction. */
MUST_CHECK enum status directory_add_pending(struct store *store,
                                             const struct realm *realm,
                                             const struct code *code,
                                             const char *address,
                                             struct error *err);

#endif
