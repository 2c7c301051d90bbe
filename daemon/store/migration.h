/* The numbered SQL files of migrations/, built in.  Append only: a file that was ever released is
 * never changed.  user_version of a database is the number of files that were applied. */
#ifndef COMITY_STORE_MIGRATION_H
#define COMITY_STORE_MIGRATION_H

#include "store/store.h"

struct migration {
    const char *name; /* "0001_foundation" */
    const char *sql;
};
extern const struct migration migrations[];
extern const int migration_count;

/* Applies those from user_version on, each in a transaction of its own with its number.
 * ERR_UNSUPPORTED when the database has seen more than we know. */
MUST_CHECK enum status migration_apply(struct store *store, struct error *err);
MUST_CHECK enum status migration_version(struct store *store, int *ret_version, struct error *err);

#endif
