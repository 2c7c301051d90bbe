/* Runs a fuzz target once over every file of the folders and files that are named.
 *
 *     fuzz_NAME [--changed RUNS] PATH...
 *
 * With --changed, also over each file with one byte changed: each byte in turn becomes each of
 * those where rules of text begin and end, or is left out, or stands twice; when that would be more
 * than RUNS for all files together, only every so many bytes. An empty or missing corpus is a
 * failure: a test that runs over nothing says nothing.
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static size_t replayed;
static size_t bytes_in_all; /* of the files that were replayed */
static size_t changed_runs; /* 0: none */
static bool changing;       /* the second time round */

/* Ends of the ranges that rules speak of, and what separates. */
static const uint8_t interesting[] = { 0,    1,    9,    '\n', '\r', ' ',  '!', '"', '#', '\'',
                                       '(',  '*',  ',',  '-',  '.',  '/',  '0', '9', ':', ';',
                                       '=',  '@',  'A',  'Z',  '[',  '_',  'a', 'z', '{', 0x7f,
                                       0x80, 0xa0, 0xbf, 0xc2, 0xe2, 0xef, 0xff };

/* On an exact block, so that a sanitizer sees a read past the end. */
static void run_on(const uint8_t *head, size_t head_size, const uint8_t *tail, size_t tail_size)
{
    uint8_t *exact = malloc(head_size + tail_size > 0 ? head_size + tail_size : 1);
    if (exact == NULL)
        exit(1);
    if (head_size > 0)
        memcpy(exact, head, head_size);
    if (tail_size > 0)
        memcpy(exact + head_size, tail, tail_size);
    LLVMFuzzerTestOneInput(exact, head_size + tail_size);
    free(exact);
    replayed++;
}

static void run_changed(uint8_t *data, size_t size)
{
    size_t kinds = sizeof(interesting) + 2;
    size_t step = 1 + bytes_in_all * kinds / changed_runs;
    for (size_t at = 0; at < size; at += step) {
        uint8_t before = data[at];
        for (size_t i = 0; i < sizeof(interesting); i++) {
            data[at] = interesting[i];
            run_on(data, size, NULL, 0);
        }
        data[at] = before;
        run_on(data, at, data + at + 1, size - at - 1);
        run_on(data, at + 1, data + at, size - at);
    }
}

static void replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    size_t size = 0;
    size_t capacity = 1 << 16;
    uint8_t *data = malloc(capacity);
    while (data != NULL) {
        size_t got = fread(data + size, 1, capacity - size, file);
        size += got;
        if (got == 0)
            break;
        if (size == capacity)
            data = realloc(data, capacity *= 2);
    }
    if (data == NULL || ferror(file)) {
        perror(path);
        exit(1);
    }
    fclose(file);
    if (changing) {
        run_changed(data, size);
    } else {
        fprintf(stderr, "%s\n", path);
        bytes_in_all += size;
        run_on(data, size, NULL, 0);
    }
    free(data);
}

static void replay_folder(const char *path)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, NULL, alphasort);
    if (count < 0) {
        perror(path);
        exit(1);
    }
    for (int i = 0; i < count; i++) {
        char file[4096];
        snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.')
            replay_file(file);
        free(entries[i]);
    }
    free(entries);
}

static void replay(const char *path)
{
    struct stat info;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        replay_folder(path);
    else
        replay_file(path);
}

int main(int argc, char **argv)
{
    int first = 1;
    if (argc > 2 && strcmp(argv[1], "--changed") == 0) {
        changed_runs = strtoul(argv[2], NULL, 10);
        first = 3;
    }
    for (int i = first; i < argc; i++)
        replay(argv[i]);
    changing = true;
    for (int i = first; changed_runs > 0 && i < argc; i++)
        replay(argv[i]);
    printf("%zu inputs\n", replayed);
    return replayed > 0 ? 0 : 1;
}
