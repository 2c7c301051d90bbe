#include "base/memory.h"
#include "store/backup.h"
#include "store/bundle.h"
#include "store/heads.h"
#include "store/keys_tree.h"
#include "store/migration.h"
#include "store/opening.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static enum status copy_file(struct store *store,
                             const char *from,
                             const char *to,
                             struct error *err)
{
    enum { BLOCK = 65536 };
    struct file *source = NULL;
    struct file *target = NULL;
    uint64_t size = 0;
    uint8_t *block = mem_alloc(BLOCK);
    enum status status = block == NULL ? error_set(err, ERR_MEMORY, "no memory to copy %s", from)
                                       : file_open(store->vfs, from, FILE_READ, &source, err);
    if (status == OK)
        status = file_open(store->vfs, to, FILE_CREATE, &target, err);
    if (status == OK)
        status = file_size(source, &size, err);
    for (uint64_t at = 0; status == OK && at < size; at += BLOCK) {
        size_t part = size - at < BLOCK ? (size_t)(size - at) : BLOCK;
        status = file_read(source, at, block, part, err);
        if (status == OK)
            status = file_write(target, at, span_of(block, part), err);
    }
    if (status == OK)
        status = file_sync(target, err);
    file_close(source);
    file_close(target);
    mem_free(block);
    return status;
}

/* What the backup holds beyond the bundle would have no key. */
static enum status check_age(struct store *store,
                             const char *path,
                             const struct root_slot *head,
                             struct error *err)
{
    store->keys->loaded = false;
    enum status status = keys_tree_load(store, err);
    uint64_t wanted = store->keys->generation;
    store->keys->loaded = false;
    if (status != OK || head->tree_generation >= wanted)
        return status;
    return error_set(err, ERR_CONFLICT,
                     "%s is older than the backup: it has the keys up to change %" PRIu64
                     " of them, and the backup goes up to %" PRIu64
                     "; next: put the newest copy of "
                     "keys.bundle there, or take an older backup",
                     path, head->tree_generation, wanted);
}

/* A bundle from between the backup and an erasure would bring back what was erased.  Only the heads
 * of this node, where they were left or put back, can tell it from the newest one. */
static enum status check_erasures(struct store *store,
                                  const char *path,
                                  const struct root_slot *head,
                                  struct backup_restored *ret_restored,
                                  struct error *err)
{
    uint64_t done = 0;
    enum status status = heads_read_erasure(store, &done, err);
    if (status != OK)
        return status;
    if (done > head->generation)
        return error_set(err, ERR_CONFLICT,
                         "%s has the keys as they were after %" PRIu64
                         " erasures, and by its heads this node has made %" PRIu64
                         ": what was erased since could be read again; next: put the newest copy "
                         "of keys.bundle there, or, if none is newer, remove the file heads",
                         path, head->generation - 1, done - 1);
    *ret_restored = (struct backup_restored){ head->generation - 1, done != 0 };
    return OK;
}

/* The head of the bundle, and that it opens its top page.  store->keys is there. */
static enum status read_bundle(struct store *store,
                               const char *path,
                               struct file **ret_file,
                               struct root_slot *ret_head,
                               struct error *err)
{
    enum status status = file_open(store->vfs, path, FILE_READ, ret_file, err);
    if (status == ERR_NOT_FOUND)
        return error_set(err, status,
                         "%s does not exist; next: put the newest copy of keys.bundle there", path);
    if (status == OK)
        status = bundle_read_head(&store->keys->slots, *ret_file, ret_head, err);
    return status == OK ? check_age(store, path, ret_head, err) : status;
}

static enum status set_tree(struct store *store, const struct root_slot *head, struct error *err)
{
    struct query q = query_start(store, STATEMENT_KEY_TREE_SET);
    query_put_uint(&q, head->top_level);
    query_put_uint(&q, head->next_leaf);
    query_put_uint(&q, head->next_block);
    query_put_uint(&q, head->tree_generation);
    enum status status = query_run(&q, err);
    if (status != OK)
        return status;
    q = query_start(store, STATEMENT_KEY_GROUP_CLEAR); /* its places may be taken by later keys */
    return query_run(&q, err);
}

static enum status fill(struct store *store,
                        struct file *bundle,
                        const struct root_slot *head,
                        struct error *err)
{
    int64_t now_ms = store->clock->wall_ms(store->clock);
    enum status status = store_begin(store, err);
    if (status != OK)
        return status;
    status = set_tree(store, head, err);
    if (status == OK)
        status = bundle_load_pages(store, bundle, err);
    if (status == OK)
        status = store_meta_set(store, "restored_ms", span_of(&now_ms, sizeof(now_ms)), err);
    if (status == OK)
        return store_commit(store, err);
    store_rollback(store);
    return status;
}

static enum status check_root(struct store *store, const struct root_slot *head, struct error *err)
{
    bool opens = false;
    store->keys->loaded = false;
    enum status status = keys_tree_opens(store, &head->root, &opens, err);
    if (status == OK && !opens) {
        status = error_set(err, ERR_CORRUPT,
                           "the keys in the bundle do not open; next: take another copy of the "
                           "newest bundle");
    }
    return status;
}

/* root.slot with the bundle's root, and the heads as the backup has them. */
static enum status make_files(struct store *store, const struct root_slot *head, struct error *err)
{
    char path[FILE_PATH_MAX];
    struct root_slots *slots = &store->keys->slots;
    enum status status = file_path(store->directory, "root.slot", path, err);
    if (status == OK)
        status = file_open(store->vfs, path, FILE_CREATE, &slots->file, err);
    for (int i = 0; status == OK && i < ROOT_SLOT_COUNT; i++)
        status = root_slot_wipe(slots, i, err);
    if (status == OK)
        status = root_slot_write(slots, 0, head->generation, &head->root, err);
    if (status == OK)
        status = file_path(store->directory, "heads", path, err);
    if (status == OK && file_exists(store->vfs, path)) /* they have said what they know */
        file_delete(store->vfs, path);
    if (status == OK)
        status = heads_open(store, true, err);
    store->keys->done_generation = head->generation;
    return status == OK ? heads_write_all(store, err) : status;
}

static enum status connect_bulk(struct store *store,
                                const struct store_options *options,
                                const char *path,
                                struct error *err)
{
    enum status status = opening_connect(store, path, false, err);
    if (status == OK)
        status = opening_examine(store, err);
    if (status == OK)
        status = migration_apply(store, err);
    return status == OK ? opening_identify(store, options, err) : status;
}

/* NOLINTNEXTLINE(readability-function-size): what from, where to, and what came of it */
static enum status restore(struct store *store,
                           const struct store_options *options,
                           const char *bulk_path,
                           const char *bundle_path,
                           struct backup_restored *ret_restored,
                           struct error *err)
{
    char path[FILE_PATH_MAX];
    struct file *bundle = NULL;
    struct root_slot head = { 0 };
    enum status status = file_path(store->directory, "comity.db", path, err);
    if (status == OK)
        status = copy_file(store, bulk_path, path, err);
    if (status == OK)
        status = connect_bulk(store, options, path, err);
    if (status == ERR_CORRUPT)
        (void)error_set(err, status,
                        "%s is no backup of Comity, or it is damaged; next: take "
                        "another backup",
                        bulk_path);
    if (status == OK)
        status = read_bundle(store, bundle_path, &bundle, &head, err);
    if (status == OK)
        status = check_erasures(store, bundle_path, &head, ret_restored, err);
    if (status == OK) /* a page that is missed later is a record that nobody can read */
        status = bundle_check(store, bundle, &head, err);
    if (status == OK)
        status = fill(store, bundle, &head, err);
    if (status == OK)
        status = check_root(store, &head, err);
    if (status == OK)
        status = make_files(store, &head, err);
    if (status == OK)
        status = store_checkpoint(store, err);
    file_close(bundle);
    mem_wipe(&head, sizeof(head));
    return status;
}

enum status backup_restore(const struct store_options *options,
                           const char *bulk_path,
                           const char *bundle_path,
                           struct backup_restored *ret_restored,
                           struct error *err)
{
    struct store *store = NULL;
    struct opening_left left = { bundle_path, true };
    struct backup_restored restored = { 0 };
    enum status status = opening_new(options, &store, err);
    if (status != OK)
        return status;
    status = opening_refuse_existing(store, &left, err);
    if (status == OK) {
        status = restore(store, options, bulk_path, bundle_path, &restored, err);
        opening_disconnect(store);
        if (status != OK)
            opening_delete(store, &left);
    }
    store_close(store);
    if (status != OK)
        (void)error_prefix(err, "restore");
    else if (ret_restored != NULL)
        *ret_restored = restored;
    return status;
}

static enum status count(struct store *store,
                         const char *sql,
                         uint64_t *ret_count,
                         struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        *ret_count = (uint64_t)sqlite3_column_int64(stmt, 0);
    enum status status = rc == SQLITE_ROW ? OK : store_fail(store, rc, err);
    sqlite3_finalize(stmt);
    return status;
}

static enum status read_info(struct store *store, struct backup_info *ret_info, struct error *err)
{
    struct buf value = BUF_INIT;
    enum status status = store_meta_get(store, "backup_ms", &value, err);
    if (status == OK && value.size == sizeof(ret_info->made_ms))
        memcpy(&ret_info->made_ms, value.data, sizeof(ret_info->made_ms));
    buf_fini(&value);
    if (status == OK)
        status = count(store, "SELECT count(*) FROM feed", &ret_info->feeds, err);
    if (status == OK)
        status = count(store, "SELECT count(*) FROM entry", &ret_info->entries, err);
    if (status == OK)
        status = count(store, "SELECT count(*) FROM record", &ret_info->records, err);
    if (status == OK)
        status = migration_version(store, &ret_info->schema_version, err);
    return status;
}

enum status backup_verify(const struct store_options *options,
                          const char *bulk_path,
                          const char *bundle_path,
                          struct backup_info *ret_info,
                          struct error *err)
{
    struct store *store = NULL;
    struct file *bundle = NULL;
    struct root_slot head = { 0 };
    struct backup_info info = { 0 };
    enum status status = opening_new(options, &store, err);
    if (status != OK)
        return status;
    if (!file_exists(store->vfs, bulk_path))
        status = error_set(err, ERR_NOT_FOUND, "there is no backup %s", bulk_path);
    if (status == OK)
        status = opening_connect_read(store, bulk_path, err);
    if (status == OK)
        status = opening_examine(store, err);
    if (status == OK)
        status = opening_identify(store, options, err);
    if (status == OK)
        status = store_check(store, err);
    if (status == OK)
        status = read_info(store, &info, err);
    if (status == OK)
        status = read_bundle(store, bundle_path, &bundle, &head, err);
    if (status == OK)
        status = bundle_check(store, bundle, &head, err);
    if (status == OK)
        *ret_info = info;
    file_close(bundle);
    mem_wipe(&head, sizeof(head));
    store_close(store);
    if (status != OK)
        (void)error_prefix(err, "backup");
    return status;
}
