#include "support/record_file.h"

#include <stdio.h>
#include <stdlib.h>

struct buf record_file(const char *path)
{
    struct buf bytes = BUF_INIT;
    uint8_t chunk[16384];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fprintf(stderr, "cannot open %s\n", path);
        abort();
    }
    for (size_t size; (size = fread(chunk, 1, sizeof(chunk), file)) > 0;)
        if (buf_append(&bytes, span_of(chunk, size), NULL) != OK)
            abort();
    fclose(file);
    return bytes;
}
