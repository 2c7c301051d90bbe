#include "store/migration.h"

#include "store/inside.h"

#include <stdio.h>

static enum status run(struct store *store, const char *text, struct error *err)
{
    int rc = sqlite3_exec(store->db, text, NULL, NULL, NULL);
    return rc == SQLITE_OK ? OK : store_fail(store, sqlite3_extended_errcode(store->db), err);
}

enum status migration_version(struct store *store, int *ret_version, struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(store->db, "PRAGMA user_version", -1, &stmt, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    enum status status = OK;
    if (rc == SQLITE_ROW)
        *ret_version = sqlite3_column_int(stmt, 0);
    else
        status = store_fail(store, sqlite3_extended_errcode(store->db), err);
    sqlite3_finalize(stmt);
    return status;
}

static enum status apply_one(struct store *store, int number, struct error *err)
{
    char version[64];
    (void)snprintf(version, sizeof(version), "PRAGMA user_version = %d", number);
    enum status status = run(store, "BEGIN EXCLUSIVE", err);
    if (status == OK)
        status = run(store, migrations[number - 1].sql, err);
    if (status == OK)
        status = run(store, version, err);
    if (status == OK)
        status = run(store, "COMMIT", err);
    if (status != OK && sqlite3_get_autocommit(store->db) == 0)
        (void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    if (status != OK)
        (void)error_prefix(err, "migration %s", migrations[number - 1].name);
    return status;
}

enum status migration_apply(struct store *store, struct error *err)
{
    int version = 0;
    enum status status = migration_version(store, &version, err);
    if (status == OK && version > migration_count) {
        return error_set(
            err, ERR_UNSUPPORTED,
            "database %s was written by a newer Comity (schema %d, this one knows %d); "
            "next: install that version again",
            store->directory, version, migration_count);
    }
    for (int number = version + 1; status == OK && number <= migration_count; number++)
        status = apply_one(store, number, err);
    return status;
}
