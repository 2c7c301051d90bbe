#include "support/store_place.h"

#include "base/memory.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

void store_place_make(struct store_place *place, uint64_t seed)
{
    (void)snprintf(place->directory, sizeof(place->directory), "/tmp/comity-store-XXXXXX");
    assert_non_null(mkdtemp(place->directory));
    clock_fake_init(&place->clock, INT64_C(1764000000000));
    random_seeded_init(&place->random, seed);
}

const char *store_place_path(const struct store_place *place, const char *name)
{
    static char paths[4][STORE_PLACE_PATH_MAX + 300];
    static unsigned next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, sizeof(paths[0]), "%s/%s", place->directory, name);
    return path;
}

void store_place_remove(struct store_place *place)
{
    DIR *dir = opendir(place->directory);
    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
        if (entry->d_name[0] != '.')
            (void)unlink(store_place_path(place, entry->d_name));
    closedir(dir);
    assert_int_equal(rmdir(place->directory), 0);
}

struct buf store_place_read(const struct store_place *place, const char *name)
{
    struct buf bytes = BUF_INIT;
    uint8_t block[65536];
    FILE *file = fopen(store_place_path(place, name), "rb");
    assert_non_null(file);
    for (size_t got = 1; got > 0;) {
        got = fread(block, 1, sizeof(block), file);
        assert_int_equal(buf_append(&bytes, span_of(block, got), NULL), OK);
    }
    (void)fclose(file);
    return bytes;
}

void store_place_write(const struct store_place *place, const char *name, struct span bytes)
{
    FILE *file = fopen(store_place_path(place, name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.data, 1, bytes.size, file), bytes.size);
    assert_int_equal(fclose(file), 0);
}

void store_place_copy(const struct store_place *from,
                      const struct store_place *to,
                      const char *name)
{
    struct buf bytes = store_place_read(from, name);
    store_place_write(to, name, buf_span(&bytes));
    buf_fini(&bytes);
}

size_t store_place_count(const struct store_place *place, struct span bytes)
{
    size_t count = 0;
    DIR *dir = opendir(place->directory);
    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (entry->d_name[0] == '.')
            continue;
        struct buf all = store_place_read(place, entry->d_name);
        const uint8_t *at = all.data;
        size_t left = all.size;
        while (left > 0 && (at = memmem(at, left, bytes.data, bytes.size)) != NULL) {
            count++;
            at++;
            left = all.size - (size_t)(at - all.data);
        }
        buf_fini(&all);
    }
    closedir(dir);
    return count;
}
