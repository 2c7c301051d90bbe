/* Statements of SQLite that fail.
 * NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
#include "support/call_fault.h"

#include <sqlite3.h>
#include <stddef.h>

static int pending; /* the code of a call that failed, until it was asked for */

static int fail_with(int rc)
{
    pending = rc;
    return rc;
}

static int taken(int otherwise)
{
    int rc = pending == 0 ? otherwise : pending;
    pending = 0;
    return rc;
}

static int stop(void *context)
{
    (void)context;
    return 1;
}

int __real_sqlite3_step(sqlite3_stmt *stmt);
int __wrap_sqlite3_step(sqlite3_stmt *stmt);
int __wrap_sqlite3_step(sqlite3_stmt *stmt)
{
    pending = 0;
    if (!call_fault_now(CALL_FAULT_SQL, "sqlite3_step"))
        return __real_sqlite3_step(stmt);
    sqlite3 *db = sqlite3_db_handle(stmt);
    sqlite3_progress_handler(db, 1, stop, NULL);
    (void)__real_sqlite3_step(stmt);
    sqlite3_progress_handler(db, 0, NULL, NULL);
    return fail_with(SQLITE_IOERR_READ);
}

typedef int (*row_callback)(void *context, int count, char **values, char **names);
int __real_sqlite3_exec(sqlite3 *db, const char *sql, row_callback row, void *context, char **text);
int __wrap_sqlite3_exec(sqlite3 *db, const char *sql, row_callback row, void *context, char **text);
int __wrap_sqlite3_exec(sqlite3 *db, const char *sql, row_callback row, void *context, char **text)
{
    pending = 0;
    if (!call_fault_now(CALL_FAULT_SQL, "sqlite3_exec"))
        return __real_sqlite3_exec(db, sql, row, context, text);
    return fail_with(SQLITE_IOERR_READ);
}

int __real_sqlite3_prepare_v2(
    sqlite3 *db, const char *sql, int size, sqlite3_stmt **stmt, const char **tail);
int __wrap_sqlite3_prepare_v2(
    sqlite3 *db, const char *sql, int size, sqlite3_stmt **stmt, const char **tail);
int __wrap_sqlite3_prepare_v2(
    sqlite3 *db, const char *sql, int size, sqlite3_stmt **stmt, const char **tail)
{
    pending = 0;
    if (!call_fault_now(CALL_FAULT_SQL, "sqlite3_prepare_v2"))
        return __real_sqlite3_prepare_v2(db, sql, size, stmt, tail);
    *stmt = NULL;
    return fail_with(SQLITE_IOERR_READ);
}

int __real_sqlite3_prepare_v3(
    sqlite3 *db, const char *sql, int size, unsigned flags, sqlite3_stmt **stmt, const char **tail);
int __wrap_sqlite3_prepare_v3(
    sqlite3 *db, const char *sql, int size, unsigned flags, sqlite3_stmt **stmt, const char **tail);
int __wrap_sqlite3_prepare_v3(
    sqlite3 *db, const char *sql, int size, unsigned flags, sqlite3_stmt **stmt, const char **tail)
{
    pending = 0;
    if (!call_fault_now(CALL_FAULT_SQL, "sqlite3_prepare_v3"))
        return __real_sqlite3_prepare_v3(db, sql, size, flags, stmt, tail);
    *stmt = NULL;
    return fail_with(SQLITE_IOERR_READ);
}

int __real_sqlite3_wal_checkpoint_v2(sqlite3 *db, const char *name, int mode, int *log, int *done);
int __wrap_sqlite3_wal_checkpoint_v2(sqlite3 *db, const char *name, int mode, int *log, int *done);
int __wrap_sqlite3_wal_checkpoint_v2(sqlite3 *db, const char *name, int mode, int *log, int *done)
{
    pending = 0;
    if (!call_fault_now(CALL_FAULT_SQL, "sqlite3_wal_checkpoint_v2"))
        return __real_sqlite3_wal_checkpoint_v2(db, name, mode, log, done);
    return fail_with(SQLITE_IOERR_READ);
}

int __real_sqlite3_extended_errcode(sqlite3 *db);
int __wrap_sqlite3_extended_errcode(sqlite3 *db);
int __wrap_sqlite3_extended_errcode(sqlite3 *db)
{
    return taken(__real_sqlite3_extended_errcode(db));
}

int __real_sqlite3_errcode(sqlite3 *db);
int __wrap_sqlite3_errcode(sqlite3 *db);
int __wrap_sqlite3_errcode(sqlite3 *db)
{
    return taken(__real_sqlite3_errcode(db));
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
