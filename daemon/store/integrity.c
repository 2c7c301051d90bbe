/* The SQL of this file depends on the schema, and so is made from it: the one exception to
 * statements.h.  It only reads. */
#include "store/integrity.h"

#include "base/memory.h"
#include "store/inside.h"

#include <stdio.h>
#include <string.h>

enum {
    NAME_SIZE = 64,
    TABLES_MAX = 64,
    INDEXES_MAX = 8,  /* of one table; `holding` has 5 */
    COLUMNS_MAX = 8,  /* of one index, with the key of its table */
    WHERE_SIZE = 256, /* of a partial index */
    STEP_ROWS = 512,  /* on a clock that does not move */
    STEP_MS = 3
};

struct columns {
    char names[COLUMNS_MAX][NAME_SIZE];
    size_t count;
};

struct index_shape {
    char name[NAME_SIZE];
    char where[WHERE_SIZE]; /* "" when all rows are in it */
    struct columns columns; /* with those of the key behind them */
};

struct table_shape {
    char name[NAME_SIZE];
    bool has_rowid;
    struct columns key;
    struct index_shape indexes[INDEXES_MAX];
    size_t index_count;
};

struct integrity {
    struct store *store;
    char tables[TABLES_MAX][NAME_SIZE];
    size_t table_count, table_at;
    struct table_shape shape; /* of the table at hand */
    size_t walk;              /* 0: the table; n: its index n - 1 */
    sqlite3_value *after[COLUMNS_MAX];
    bool started;
    uint64_t rows;
};

static enum status fail(struct integrity *it, int rc, struct error *err)
{
    return store_fail(it->store, rc, err);
}

static enum status wrong(struct integrity *it, const char *what, struct error *err)
{
    return error_set(err, ERR_CORRUPT, "database %s: table %s: %s", it->store->directory,
                     it->shape.name, what);
}

/* -- the schema -------------------------------------------------------------------------------- */

/* Names go into SQL as they are: only such as our migrations have. */
static bool take_name(sqlite3_stmt *stmt, int column, char to[static NAME_SIZE])
{
    const char *name = (const char *)sqlite3_column_text(stmt, column);
    if (name == NULL)
        name = "rowid";
    size_t size = strlen(name);
    if (size == 0 || size >= NAME_SIZE ||
        strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789") != size)
        return false;
    memcpy(to, name, size + 1);
    return true;
}

typedef bool (*each_row)(struct integrity *it, sqlite3_stmt *stmt, void *context);

/* Runs a statement with one name in it; false from `each` means: not a schema of ours. */
static enum status for_rows(struct integrity *it,
                            const char *sql,
                            const char *name,
                            each_row each,
                            void *context,
                            struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    bool ours = true;
    int rc = sqlite3_prepare_v2(it->store->db, sql, -1, &stmt, NULL);
    if (rc == SQLITE_OK && name != NULL)
        rc = sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
    while (rc == SQLITE_OK && ours) {
        rc = sqlite3_step(stmt);
        if (rc != SQLITE_ROW)
            break;
        ours = each(it, stmt, context);
        rc = SQLITE_OK;
    }
    bool failed = rc != SQLITE_OK && rc != SQLITE_DONE;
    enum status status = failed ? fail(it, sqlite3_extended_errcode(it->store->db), err) : OK;
    sqlite3_finalize(stmt);
    return ours ? status : wrong(it, "its schema is not one that a migration made", err);
}

static bool add_table(struct integrity *it, sqlite3_stmt *stmt, void *context)
{
    (void)context;
    return it->table_count < TABLES_MAX && take_name(stmt, 0, it->tables[it->table_count++]);
}

static bool add_column(struct integrity *it, sqlite3_stmt *stmt, void *context)
{
    struct columns *columns = context;
    (void)it;
    return columns->count < COLUMNS_MAX && take_name(stmt, 0, columns->names[columns->count++]);
}

static bool set_rowid(struct integrity *it, sqlite3_stmt *stmt, void *context)
{
    (void)context;
    it->shape.has_rowid = sqlite3_column_int(stmt, 0) == 0;
    return true;
}

static bool add_index(struct integrity *it, sqlite3_stmt *stmt, void *context)
{
    struct index_shape *index = &it->shape.indexes[it->shape.index_count];
    const char *sql = (const char *)sqlite3_column_text(stmt, 1);
    const char *where = sql == NULL ? NULL : strstr(sql, "WHERE ");
    bool *has_key = context;
    if (it->shape.index_count == INDEXES_MAX || !take_name(stmt, 0, index->name))
        return false;
    bool is_key = sqlite3_column_int(stmt, 2) != 0;
    if (is_key && !it->shape.has_rowid) { /* that is the table itself */
        *has_key = true;
        return true;
    }
    index->where[0] = '\0';
    index->columns.count = 0;
    if (where != NULL && strlen(where) >= WHERE_SIZE + sizeof("WHERE ") - 1)
        return false;
    if (where != NULL)
        (void)snprintf(index->where, WHERE_SIZE, "%s", where + sizeof("WHERE ") - 1);
    it->shape.index_count++;
    return true;
}

static enum status load_shape(struct integrity *it, struct error *err)
{
    struct table_shape *shape = &it->shape;
    bool has_key = false;
    memset(shape, 0, sizeof(*shape));
    memcpy(shape->name, it->tables[it->table_at], NAME_SIZE);
    enum status status = for_rows(it, "SELECT wr FROM pragma_table_list WHERE name = ?1",
                                  shape->name, set_rowid, NULL, err);
    if (status == OK) {
        status = for_rows(it,
                          "SELECT l.name, s.sql, l.origin = 'pk' FROM pragma_index_list(?1) l "
                          "LEFT JOIN sqlite_schema s ON s.name = l.name",
                          shape->name, add_index, &has_key, err);
    }
    if (status == OK && shape->has_rowid) {
        (void)snprintf(shape->key.names[0], NAME_SIZE, "rowid");
        shape->key.count = 1;
    } else if (status == OK) {
        status = for_rows(it, "SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk",
                          shape->name, add_column, &shape->key, err);
    }
    for (size_t i = 0; status == OK && i < shape->index_count; i++)
        status = for_rows(it, "SELECT name FROM pragma_index_xinfo(?1) ORDER BY seqno",
                          shape->indexes[i].name, add_column, &shape->indexes[i].columns, err);
    return status;
}

/* -- making the statements --------------------------------------------------------------------- */

static enum status add_list(struct buf *sql,
                            const struct columns *columns,
                            const char *before,
                            struct error *err)
{
    enum status status = OK;
    for (size_t i = 0; status == OK && i < columns->count; i++)
        status = buf_printf(sql, err, "%s%s%s", i > 0 ? ", " : "", before, columns->names[i]);
    return status;
}

static enum status add_equal(struct buf *sql, const struct columns *columns, struct error *err)
{
    enum status status = OK;
    for (size_t i = 0; status == OK && i < columns->count; i++)
        status = buf_printf(sql, err, "%sthere.%s = here.%s", i > 0 ? " AND " : "",
                            columns->names[i], columns->names[i]);
    return status;
}

/* `... FROM ... [WHERE (key) > (?, ?)] ORDER BY key` */
static enum status add_place(struct integrity *it,
                             struct buf *sql,
                             const struct columns *key,
                             const char *where,
                             struct error *err)
{
    enum status status = OK;
    if (where[0] != '\0')
        status = buf_printf(sql, err, " WHERE (%s)", where);
    if (status == OK && it->started) {
        status = buf_printf(sql, err, "%s (", where[0] != '\0' ? " AND" : " WHERE");
        if (status == OK)
            status = add_list(sql, key, "here.", err);
        if (status == OK)
            status = buf_append_text(sql, ") > (", err);
        for (size_t i = 0; status == OK && i < key->count; i++)
            status = buf_append_text(sql, i > 0 ? ", ?" : "?", err);
        if (status == OK)
            status = buf_append_text(sql, ")", err);
    }
    if (status == OK)
        status = buf_append_text(sql, " ORDER BY ", err);
    return status == OK ? add_list(sql, key, "here.", err) : status;
}

/* What stands in place of an index (statements.h): a row must be found by its block.  A block of
 * holdings may stay behind what it stood for, and end too early: it is only looked at in vain. */
static const char *block_rule(const char *table)
{
    static const struct {
        const char *table, *rule;
    } rules[] = {
        { "delivery",
          " AND EXISTS (SELECT 1 FROM delivery_block b WHERE b.consent_id = here.consent_id "
          "AND b.block = here.delivery_id >> 8)" },
        { "delivery_block",
          " AND EXISTS (SELECT 1 FROM delivery d WHERE d.delivery_id >= here.block << 8 "
          "AND d.delivery_id < (here.block + 1) << 8 AND d.consent_id = here.consent_id)" },
        { "holding", " AND EXISTS (SELECT 1 FROM holding_block b WHERE b.peer_id = here.peer_id "
                     "AND b.consent_id = here.consent_id AND b.block = here.holding_id >> 8 "
                     "AND (here.state <> 1 OR b.keep_until_ms <= here.keep_until_ms))" },
    };
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (strcmp(rules[i].table, table) == 0)
            return rules[i].rule;
    return "";
}

/* Every row of the table, and whether each of its indexes knows it. */
static enum status table_walk(struct integrity *it, struct buf *sql, struct error *err)
{
    const struct table_shape *shape = &it->shape;
    enum status status = buf_append_text(sql, "SELECT ", err);
    if (status == OK)
        status = add_list(sql, &shape->key, "here.", err);
    if (status == OK)
        status = buf_append_text(sql, ", 1", err);
    for (size_t i = 0; status == OK && i < shape->index_count; i++) {
        const struct index_shape *index = &shape->indexes[i];
        bool partial = index->where[0] != '\0';
        status = buf_printf(sql, err,
                            " AND (%s%s%sEXISTS (SELECT 1 FROM %s there INDEXED BY %s "
                            "WHERE ",
                            partial ? "NOT (" : "", index->where, partial ? ") OR " : "",
                            shape->name, index->name);
        if (status == OK)
            status = add_equal(sql, &index->columns, err);
        if (status == OK && partial)
            status = buf_printf(sql, err, " AND (%s)", index->where);
        if (status == OK)
            status = buf_append_text(sql, "))", err);
    }
    if (status == OK)
        status = buf_append_text(sql, block_rule(shape->name), err);
    if (status == OK)
        status = buf_printf(sql, err, ", here.* FROM %s here%s", shape->name,
                            shape->has_rowid ? " NOT INDEXED" : "");
    return status == OK ? add_place(it, sql, &shape->key, "", err) : status;
}

/* Every entry of one index, and whether it has its row. */
static enum status index_walk(struct integrity *it,
                              const struct index_shape *index,
                              struct buf *sql,
                              struct error *err)
{
    const struct table_shape *shape = &it->shape;
    enum status status = buf_append_text(sql, "SELECT ", err);
    if (status == OK)
        status = add_list(sql, &index->columns, "here.", err);
    if (status == OK)
        status = buf_printf(sql, err, ", EXISTS (SELECT 1 FROM %s there%s WHERE ", shape->name,
                            shape->has_rowid ? " NOT INDEXED" : "");
    if (status == OK)
        status = add_equal(sql, &shape->key, err);
    if (status == OK)
        status = buf_append_text(sql, " AND ", err);
    if (status == OK)
        status = add_equal(sql, &index->columns, err);
    if (status == OK && index->where[0] != '\0')
        status = buf_printf(sql, err, " AND (%s)", index->where);
    if (status == OK)
        status = buf_printf(sql, err, ") FROM %s here INDEXED BY %s", shape->name, index->name);
    return status == OK ? add_place(it, sql, &index->columns, index->where, err) : status;
}

/* -- walking ----------------------------------------------------------------------------------- */

static void forget_place(struct integrity *it)
{
    for (size_t i = 0; i < COLUMNS_MAX; i++) {
        sqlite3_value_free(it->after[i]);
        it->after[i] = NULL;
    }
    it->started = false;
}

static enum status keep_place(struct integrity *it,
                              sqlite3_stmt *stmt,
                              size_t count,
                              struct error *err)
{
    forget_place(it);
    for (size_t i = 0; i < count; i++) {
        it->after[i] = sqlite3_value_dup(sqlite3_column_value(stmt, (int)i));
        if (it->after[i] == NULL)
            return error_set(err, ERR_MEMORY, "check: no memory");
    }
    it->started = true;
    return OK;
}

/* Some rows of one walk; *ret_over: there are no more. */
static enum status walk_rows(
    struct integrity *it, sqlite3_stmt *stmt, size_t key_count, bool *ret_over, struct error *err)
{
    struct clock *clock = it->store->clock;
    int64_t until_ms = clock->monotonic_ms(clock) + STEP_MS;
    for (size_t rows = 1;; rows++) {
        int rc = sqlite3_step(stmt);
        *ret_over = rc == SQLITE_DONE;
        if (rc == SQLITE_DONE)
            return OK;
        if (rc != SQLITE_ROW)
            return fail(it, rc, err);
        it->rows++;
        if (sqlite3_column_int(stmt, (int)key_count) == 0)
            return wrong(it, "a row and an index of it do not agree", err);
        if (rows >= STEP_ROWS || clock->monotonic_ms(clock) >= until_ms)
            return keep_place(it, stmt, key_count, err);
    }
}

static enum status walk(struct integrity *it, bool *ret_over, struct error *err)
{
    struct buf sql = BUF_INIT;
    sqlite3_stmt *stmt = NULL;
    const struct index_shape *index = it->walk == 0 ? NULL : &it->shape.indexes[it->walk - 1];
    const struct columns *key = index == NULL ? &it->shape.key : &index->columns;
    enum status status =
        index == NULL ? table_walk(it, &sql, err) : index_walk(it, index, &sql, err);
    int rc = SQLITE_OK;
    if (status == OK)
        rc = sqlite3_prepare_v2(it->store->db, (const char *)sql.data, (int)sql.size, &stmt, NULL);
    for (size_t i = 0; status == OK && rc == SQLITE_OK && it->started && i < key->count; i++)
        rc = sqlite3_bind_value(stmt, (int)i + 1, it->after[i]);
    if (status == OK && rc == SQLITE_OK)
        status = walk_rows(it, stmt, key->count, ret_over, err);
    else if (status == OK)
        status = fail(it, rc, err);
    sqlite3_finalize(stmt);
    buf_fini(&sql);
    return status;
}

enum status integrity_start(struct store *store,
                            struct integrity **ret_integrity,
                            struct error *err)
{
    struct integrity *it = mem_calloc(1, sizeof(*it));
    if (it == NULL)
        return error_set(err, ERR_MEMORY, "check: no memory");
    it->store = store;
    enum status status = for_rows(it,
                                  "SELECT name FROM sqlite_schema WHERE type = 'table' "
                                  "AND name NOT LIKE 'sqlite_%' AND name <> 'entry' ORDER BY name",
                                  NULL, add_table, NULL, err);
    if (status == OK && it->table_count > 0)
        status = load_shape(it, err);
    if (status != OK) {
        integrity_free(it);
        return status;
    }
    *ret_integrity = it;
    return OK;
}

enum status integrity_step(struct integrity *it, bool *ret_done, struct error *err)
{
    bool over = false;
    *ret_done = it->table_at >= it->table_count;
    if (*ret_done)
        return OK;
    enum status status = walk(it, &over, err);
    if (status != OK || !over)
        return status;
    forget_place(it);
    if (it->walk++ < it->shape.index_count)
        return OK;
    it->walk = 0;
    it->table_at++;
    *ret_done = it->table_at >= it->table_count;
    return *ret_done ? OK : load_shape(it, err);
}

uint64_t integrity_rows(const struct integrity *integrity)
{
    return integrity->rows;
}

void integrity_free(struct integrity *integrity)
{
    if (integrity != NULL)
        forget_place(integrity);
    mem_free(integrity);
}
