#include "store/opening.h"

#include "base/memory.h"
#include "store/keys_tree.h"
#include "store/migration.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char *const file_names[] = { "comity.db", "comity.db-wal", "root.slot", "heads",
                                          "keys.bundle" };
enum {
    FILE_COUNT = sizeof(file_names) / sizeof(file_names[0]),
    BLOB_MAX = 32 * 1024 * 1024, /* the largest record: a release of a million observations */
    HEAP_MAX = 128 * 1024 * 1024 /* of all SQLite in this process */
};

static const struct {
    int id, value;
} limits[] = {
    { SQLITE_LIMIT_LENGTH, BLOB_MAX },    { SQLITE_LIMIT_SQL_LENGTH, 64 * 1024 },
    { SQLITE_LIMIT_COLUMN, 64 },          { SQLITE_LIMIT_EXPR_DEPTH, 100 },
    { SQLITE_LIMIT_COMPOUND_SELECT, 8 },  { SQLITE_LIMIT_VDBE_OP, 25000 },
    { SQLITE_LIMIT_FUNCTION_ARG, 8 },     { SQLITE_LIMIT_ATTACHED, 0 },
    { SQLITE_LIMIT_VARIABLE_NUMBER, 32 }, { SQLITE_LIMIT_TRIGGER_DEPTH, 1 },
    { SQLITE_LIMIT_WORKER_THREADS, 0 },
};

enum status opening_new(const struct store_options *options,
                        struct store **ret_store,
                        struct error *err)
{
    struct store *store = mem_calloc(1, sizeof(*store));
    if (store == NULL)
        return error_set(err, ERR_MEMORY, "no memory for the store");
    store->clock = options->clock;
    random_pool_init(&store->pool, options->random);
    store->random = &store->pool.base;
    store->row_header = (struct buf)BUF_INIT;
    store->row_sealed = (struct buf)BUF_INIT;
    store->plain = (struct buf)BUF_INIT_SECRET;
    store->sealed = (struct buf)BUF_INIT;
    store->directory = mem_strdup(options->directory);
    enum status status = store->directory == NULL
                             ? error_set(err, ERR_MEMORY, "no memory for the store")
                             : sealer_new(store->random, &store->sealer, err);
    /* One thread at a time uses SQLite in this process (the store thread; before and after it the
     * one that opens and closes), so none of its mutexes is needed.  Without effect once it runs.
     */
    (void)sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
    (void)sqlite3_hard_heap_limit64(HEAP_MAX);
    if (status == OK && sqlite3_initialize() != SQLITE_OK)
        status = error_set(err, ERR_MEMORY, "SQLite does not start");
    if (status == OK) {
        store->vfs = sqlite3_vfs_find(options->vfs);
        if (store->vfs == NULL)
            status = error_set(err, ERR_INTERNAL, "there is no SQLite VFS of that name");
    }
    if (status == OK)
        status = wal_join_new(store->vfs, &store->wal, err);
    if (status == OK)
        *ret_store = store;
    else
        store_close(store);
    return status;
}

static enum status run(struct store *store, const char *sql, struct error *err)
{
    int rc = sqlite3_exec(store->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? OK : store_fail(store, sqlite3_extended_errcode(store->db), err);
}

/* The first column of the first row, as text of at most `size` - 1 bytes. */
static enum status ask(
    struct store *store, const char *sql, char *ret_text, size_t size, struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    enum status status = OK;
    if (rc == SQLITE_ROW)
        (void)snprintf(ret_text, size, "%s", (const char *)sqlite3_column_text(stmt, 0));
    else
        status = store_fail(store, sqlite3_extended_errcode(store->db), err);
    sqlite3_finalize(stmt);
    return status;
}

/* The order matters: EXCLUSIVE before WAL keeps the WAL's index in our memory, so that no second
 * process can open the file at all.  Pages are mostly written or read once: 2 MiB of them are kept,
 * which stay in the processor's caches, and more (to 8 MiB) only until a large commit is done. */
static const char *const pragmas[] = {
    "PRAGMA locking_mode = EXCLUSIVE", "PRAGMA page_size = 8192",    "PRAGMA cell_size_check = ON",
    "PRAGMA trusted_schema = OFF",     "PRAGMA mmap_size = 0",       "PRAGMA cache_size = -2048",
    "PRAGMA cache_spill = 1024",       "PRAGMA temp_store = MEMORY", "PRAGMA secure_delete = ON",
};

static enum status must_be_ours(struct store *store, struct error *err)
{
    char found[32] = "";
    char wanted[32];
    (void)snprintf(wanted, sizeof(wanted), "%d", STORE_APPLICATION_ID);
    enum status status = ask(store, "PRAGMA application_id", found, sizeof(found), err);
    if (status == OK && strcmp(found, wanted) != 0) {
        status = error_set(err, ERR_UNSUPPORTED,
                           "comity.db in %s is no database of Comity; next: check [storage] "
                           "directory",
                           store->directory);
    }
    return status;
}

static void set_limits(struct store *store)
{
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        (void)sqlite3_limit(store->db, limits[i].id, limits[i].value);
    (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
    (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
}

/* In place of SQLite's own checkpoints, which keep quiet about a sync that failed. */
static int on_commit(void *context, sqlite3 *db, const char *name, int pages)
{
    (void)db;
    (void)name;
    ((struct store *)context)->wal_pages = pages;
    return SQLITE_OK;
}

static enum status configure(struct store *store, bool create, struct error *err)
{
    set_limits(store);
    enum status status = OK;
    for (size_t i = 0; status == OK && i < sizeof(pragmas) / sizeof(pragmas[0]); i++)
        status = run(store, pragmas[i], err);
    if (status == OK && create) {
        char id[64];
        (void)snprintf(id, sizeof(id), "PRAGMA application_id = %d", STORE_APPLICATION_ID);
        status = run(store, id, err);
    } else if (status == OK) {
        status = must_be_ours(store, err); /* before anything changes the file */
    }
    char mode[16] = "";
    if (status == OK)
        status = ask(store, "PRAGMA journal_mode = WAL", mode, sizeof(mode), err);
    if (status == OK && strcmp(mode, "wal") != 0)
        status = error_set(err, ERR_IO, "database %s: no write-ahead log here (%s)",
                           store->directory, mode);
    if (status == OK)
        status = run(store, "PRAGMA synchronous = FULL", err);
    if (status == OK)
        (void)sqlite3_wal_hook(store->db, on_commit, store);
    return status;
}

enum status opening_connect(struct store *store, const char *path, bool create, struct error *err)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    if (create)
        flags |= SQLITE_OPEN_CREATE;
    int rc = sqlite3_open_v2(path, &store->db, flags, wal_join_name(store->wal));
    if (rc != SQLITE_OK && store->db == NULL)
        return error_set(err, ERR_MEMORY, "no memory to open %s", path);
    if (rc != SQLITE_OK)
        return store_fail(store, rc, err);
    if (create)
        (void)chmod(path, S_IRUSR | S_IWUSR); /* the WAL takes its rights from this file */
    return configure(store, create, err);
}

enum status opening_connect_read(struct store *store, const char *path, struct error *err)
{
    int rc = sqlite3_open_v2(path, &store->db,
                             SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                             wal_join_name(store->wal));
    if (rc != SQLITE_OK && store->db == NULL)
        return error_set(err, ERR_MEMORY, "no memory to open %s", path);
    if (rc != SQLITE_OK)
        return store_fail(store, rc, err);
    set_limits(store);
    enum status status =
        run(store, "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON", err);
    return status == OK ? must_be_ours(store, err) : status;
}

enum status opening_examine(struct store *store, struct error *err)
{
    char text[200] = "";
    int version = 0;
    enum status status = migration_version(store, &version, err);
    if (status == OK && version > migration_count) {
        return error_set(
            err, ERR_UNSUPPORTED,
            "database %s was written by a newer Comity (schema %d, this one knows %d); "
            "next: install that version again",
            store->directory, version, migration_count);
    }
    if (status == OK)
        status = ask(store, "PRAGMA quick_check(1)", text, sizeof(text), err);
    if (status == OK && strcmp(text, "ok") != 0) {
        status = error_set(err, ERR_CORRUPT,
                           "database %s is damaged (%.150s); next: stop the node, copy the "
                           "directory aside, and restore the last backup (comityd --restore)",
                           store->directory, text);
    }
    return status;
}

static enum status read_database_id(struct store *store, struct error *err)
{
    struct buf value = BUF_INIT;
    enum status status = store_meta_get(store, "database_id", &value, err);
    if (status == OK && value.size != ID_SIZE)
        status = error_set(err, ERR_CORRUPT, "database %s has no id", store->directory);
    if (status == OK)
        memcpy(store->database_id.bytes, value.data, ID_SIZE);
    buf_fini(&value);
    return status;
}

static enum status put_meta(struct store *store,
                            const char *name,
                            struct span value,
                            struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(store->db, "INSERT INTO meta VALUES (?, ?)", -1, &stmt, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_blob(stmt, 2, value.data, (int)value.size, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    enum status status = rc == SQLITE_DONE ? OK : store_fail(store, rc, err);
    sqlite3_finalize(stmt);
    return status;
}

static enum status make_names(struct store *store, const char *owner, struct error *err)
{
    struct id id;
    enum status status = id_make(&id, store->clock->wall_ms(store->clock), store->random, err);
    if (status == OK)
        status = put_meta(store, "database_id", SPAN_ARRAY(id.bytes), err);
    if (status == OK && owner[0] != '\0')
        status = put_meta(store, "owner", span_text(owner), err);
    return status;
}

/* Another node's database under our keys would sign that node's history as ours. */
static enum status check_owner(struct store *store, const char *owner, struct error *err)
{
    struct buf value = BUF_INIT;
    struct error why = ERROR_INIT;
    enum status status = store_meta_get(store, "owner", &value, &why);
    if (status == ERR_NOT_FOUND) /* made without one */
        status = OK;
    else if (status != OK)
        status = error_set(err, status, "%s", why.text);
    else if (owner[0] != '\0' && !span_equal(buf_span(&value), span_text(owner)))
        status = error_set(err, ERR_MISMATCH,
                           "this is the database of %.*s, and the configuration is that of %s; "
                           "next: take the database or the backup of this node",
                           (int)value.size, (const char *)value.data, owner);
    buf_fini(&value);
    return status;
}

static enum status make_root(struct store *store, struct error *err)
{
    struct root_slots *slots = &store->keys->slots;
    struct seal_key root;
    enum status status = seal_key_make(store->random, &root, err);
    for (int i = 0; status == OK && i < ROOT_SLOT_COUNT; i++)
        status = root_slot_wipe(slots, i, err);
    if (status == OK)
        status = root_slot_write(slots, 0, 1, &root, err);
    mem_wipe(&root, sizeof(root));
    return status;
}

static enum status missing(struct store *store,
                           const char *name,
                           enum status status,
                           struct error *err)
{
    if (status != ERR_NOT_FOUND)
        return status;
    return error_set(err, ERR_CORRUPT,
                     "database %s: the file %s is missing; next: put it back, or restore the last "
                     "backup (comityd --restore)",
                     store->directory, name);
}

enum status opening_identify(struct store *store,
                             const struct store_options *options,
                             struct error *err)
{
    enum status status = statement_prepare_all(store, err);
    if (status == OK)
        status = read_database_id(store, err);
    if (status == OK)
        status = check_owner(store, options->owner, err);
    return status == OK ? keys_tree_new(store, options->credential, err) : status;
}

enum status opening_attach(struct store *store,
                           const struct store_options *options,
                           bool create,
                           struct error *err)
{
    char path[FILE_PATH_MAX];
    enum status status = opening_identify(store, options, err);
    if (status == OK)
        status = file_path(store->directory, "keys.bundle", path, err);
    if (status == OK) {
        store->keys->bundled = store->keys->behind = file_exists(store->vfs, path);
        status = file_path(store->directory, "root.slot", path, err);
    }
    if (status == OK) {
        status = missing(store, "root.slot",
                         file_open(store->vfs, path, create ? FILE_CREATE : FILE_WRITE,
                                   &store->keys->slots.file, err),
                         err);
    }
    if (status == OK && create)
        status = make_root(store, err);
    if (status == OK)
        status = keys_erase_recover(store, err);
    if (status == OK)
        status = missing(store, "heads", heads_open(store, create, err), err);
    if (status == OK)
        status = heads_compare(store, err);
    return status;
}

void opening_disconnect(struct store *store)
{
    store_rollback(store);
    statement_finalize_all(store);
    keys_tree_free(store);
    heads_close(store);
    if (store->db != NULL)
        (void)sqlite3_close(store->db);
    store->db = NULL;
}

static bool stays(const struct opening_left *left, size_t i, const char *path)
{
    if (left == NULL)
        return false;
    return strcmp(path, left->bundle_path) == 0 ||
           (left->heads && strcmp(file_names[i], "heads") == 0);
}

enum status opening_refuse_existing(struct store *store,
                                    struct opening_left *left,
                                    struct error *err)
{
    char path[FILE_PATH_MAX];
    bool has_heads = false;
    for (size_t i = 0; i < FILE_COUNT; i++) {
        enum status status = file_path(store->directory, file_names[i], path, err);
        if (status != OK)
            return status;
        if (!file_exists(store->vfs, path))
            continue;
        if (!stays(left, i, path)) {
            return error_set(err, ERR_EXISTS,
                             "%s exists already, nothing was changed; next: use the database that "
                             "is there, or choose an empty directory",
                             path);
        }
        has_heads = has_heads || strcmp(file_names[i], "heads") == 0;
    }
    if (left != NULL)
        left->heads = has_heads;
    return OK;
}

void opening_delete(struct store *store, const struct opening_left *left)
{
    char path[FILE_PATH_MAX];
    for (size_t i = 0; i < FILE_COUNT; i++) {
        if (file_path(store->directory, file_names[i], path, NULL) == OK && !stays(left, i, path) &&
            file_exists(store->vfs, path))
            file_delete(store->vfs, path);
    }
}

enum status store_create(const struct store_options *options,
                         struct store **ret_store,
                         struct error *err)
{
    char path[FILE_PATH_MAX];
    struct store *store = NULL;
    enum status status = opening_new(options, &store, err);
    if (status == OK)
        status = opening_refuse_existing(store, NULL, err);
    if (status == OK)
        status = file_path(store->directory, "comity.db", path, err);
    if (status != OK) {
        store_close(store);
        return status;
    }
    status = opening_connect(store, path, true, err);
    if (status == OK)
        status = migration_apply(store, err);
    if (status == OK)
        status = make_names(store, options->owner, err);
    if (status == OK)
        status = opening_attach(store, options, true, err);
    if (status == OK) {
        *ret_store = store;
        return OK;
    }
    opening_disconnect(store);
    opening_delete(store, NULL);
    store_close(store);
    return status;
}

enum status store_open(const struct store_options *options,
                       struct store **ret_store,
                       struct error *err)
{
    char path[FILE_PATH_MAX];
    struct store *store = NULL;
    enum status status = opening_new(options, &store, err);
    if (status == OK)
        status = file_path(store->directory, "comity.db", path, err);
    if (status == OK && !file_exists(store->vfs, path)) {
        status = error_set(err, ERR_NOT_FOUND,
                           "there is no database in %s; next: make a node there (comityctl node "
                           "init), or correct [storage] directory",
                           store->directory);
    }
    if (status == OK)
        status = opening_connect(store, path, false, err);
    if (status == OK)
        status = opening_examine(store, err);
    if (status == OK)
        status = migration_apply(store, err);
    if (status == OK)
        status = opening_attach(store, options, false, err);
    if (status == OK)
        *ret_store = store;
    else
        store_close(store);
    return status;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    opening_disconnect(store);
    wal_join_free(store->wal);
    sealer_free(store->sealer);
    buf_fini(&store->row_header);
    buf_fini(&store->row_sealed);
    buf_fini(&store->plain);
    buf_fini(&store->sealed);
    mem_free(store->directory);
    mem_free(store);
}
