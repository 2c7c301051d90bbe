/* A connection to one database file with every guard of the node, before anything of Comity is
 * read from it.  For store_open and for the files of backups; inside the store only. */
#ifndef COMITY_STORE_OPENING_H
#define COMITY_STORE_OPENING_H

#include "store/inside.h"

/* A store with its directory, VFS and sealer, and nothing open. */
MUST_CHECK enum status opening_new(const struct store_options *options,
                                   struct store **ret_store,
                                   struct error *err);
/* Opens the file at `path`, one of ours (ERR_UNSUPPORTED otherwise), locks it for this process,
 * sets limits and pragmas.  With `create` the file is made with our page size and application id.
 */
MUST_CHECK enum status opening_connect(struct store *store,
                                       const char *path,
                                       bool create,
                                       struct error *err);
/* For looking only: nothing is changed, and no WAL is made. */
MUST_CHECK enum status opening_connect_read(struct store *store,
                                            const char *path,
                                            struct error *err);
/* It is not newer than this version, and passes quick_check. */
MUST_CHECK enum status opening_examine(struct store *store, struct error *err);
/* Statements, database id, and an empty key tree without a root. */
MUST_CHECK enum status opening_identify(struct store *store,
                                        const struct store_options *options,
                                        struct error *err);
/* The same, and root.slot and heads; `create` makes them. */
MUST_CHECK enum status opening_attach(struct store *store,
                                      const struct store_options *options,
                                      bool create,
                                      struct error *err);
void opening_disconnect(struct store *store); /* closes all files; what is left can be freed */
/* What a restore finds, and leaves where it is when it fails. */
struct opening_left {
    const char *bundle_path;
    bool heads; /* in: may be there.  Out: they are */
};
/* ERR_EXISTS naming the first file of a node's storage that is there.  `left` NULL: none may. */
MUST_CHECK enum status opening_refuse_existing(struct store *store,
                                               struct opening_left *left,
                                               struct error *err);
/* All files that we made. */
void opening_delete(struct store *store, const struct opening_left *left);

#endif
