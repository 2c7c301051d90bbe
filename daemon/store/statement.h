/* Typed access to prepared statements: put the parameters in order, step, take columns in order.
 *
 *     struct query q = query_start(store, STATEMENT_PEER_GET);
 *     query_put_text(&q, code->text);
 *     bool found = query_row(&q);
 *     if (found)
 *         read_row(&q, &row);
 *     status = query_found(&q, found, "peer", err);     (or query_end, query_run)
 *
 * Errors are sticky in the query and come out of its end.  A blob of the wrong size is ERR_CORRUPT:
 * somebody edited the database.
 */
#ifndef COMITY_STORE_STATEMENT_H
#define COMITY_STORE_STATEMENT_H

#include "base/id.h"
#include "store/statements.h"
#include "store/store.h"

struct sqlite3_stmt;

struct query {
    struct store *store;
    struct sqlite3_stmt *stmt; /* NULL: refused at the start */
    int rc;                    /* of SQLite, sticky */
    int bound, column;
    bool malformed; /* a column does not have its type or size */
};

struct query query_start(struct store *store, enum statement_id id);
void query_put_int(struct query *q, int64_t value);
void query_put_uint(struct query *q, uint64_t value);    /* bit for bit */
void query_put_blob(struct query *q, struct span value); /* borrowed until the end */
void query_put_null(struct query *q);
void query_put_text(struct query *q, const char *value); /* borrowed until the end */
void query_put_id(struct query *q, const struct id *value);
void query_put_id_or_null(struct query *q, const struct id *value); /* NULL for ID_NONE */
void query_put_digest(struct query *q, const struct digest *value);

bool query_row(struct query *q); /* the next row; false: none, or an error */
int64_t query_int(struct query *q);
uint64_t query_uint(struct query *q);
uint32_t query_u32(struct query *q);
uint8_t query_u8(struct query *q);
bool query_bool(struct query *q);
struct span query_blob(struct query *q);                         /* until the next step */
void query_bytes(struct query *q, void *ret_bytes, size_t size); /* exactly so many */
void query_text(struct query *q, char *ret_text, size_t size);   /* with NUL; too long: malformed */
struct id query_id(struct query *q);
struct digest query_digest(struct query *q);

/* Reads a row's columns, in order, into a struct of the caller's. */
typedef void (*query_read)(struct query *q, void *ret_row);
struct query_into {
    void *rows;
    size_t row_size, max;
};
#define QUERY_INTO(rows, max) ((struct query_into){ (rows), sizeof(*(rows)), (max) })

/* Ends the query.  Every started query must come to one of these. */
MUST_CHECK enum status query_end(struct query *q, struct error *err);
/* The same; ERR_NOT_FOUND "no such WHAT" when nothing failed and nothing was found. */
MUST_CHECK enum status query_found(struct query *q,
                                   bool found,
                                   const char *what,
                                   struct error *err);
/* Steps to the only row, appends its first column to *ret_bytes, and ends.  No row: nothing is
 * appended, and it is ERR_NOT_FOUND "no such WHAT", or OK with `what` NULL. */
MUST_CHECK enum status query_append(struct query *q,
                                    struct buf *ret_bytes,
                                    const char *what,
                                    struct error *err);
/* Steps to the only row, takes its first column, and ends; `otherwise` when there is no row. */
MUST_CHECK enum status query_number(struct query *q,
                                    int64_t otherwise,
                                    int64_t *ret_value,
                                    struct error *err);
/* Steps to the rows, at most so many as there is room for, reads each, and ends. */
MUST_CHECK enum status query_rows(
    struct query *q, query_read read, struct query_into into, size_t *ret_count, struct error *err);
/* A row of which people typed the beginning of the id (prefix.h). */
struct query_search {
    enum statement_id statement; /* takes the first and the last id */
    query_read read;
    const char *what, *prefix;
};
/* Into rows[0] of `two`, which has room for two.  ERR_NOT_FOUND for none, ERR_CONFLICT for more. */
MUST_CHECK enum status query_find(struct store *store,
                                  const struct query_search *search,
                                  struct query_into two,
                                  struct error *err);
/* Steps a statement without rows, and ends it. */
MUST_CHECK enum status query_run(struct query *q, struct error *err);
/* The same; ERR_NOT_FOUND when it changed no row. */
MUST_CHECK enum status query_run_one(struct query *q, const char *what, struct error *err);

MUST_CHECK enum status statement_prepare_all(struct store *store, struct error *err);
void statement_finalize_all(struct store *store);

#endif
