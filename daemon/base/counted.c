#include "base/counted.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct counted counted(uint64_t count, const char *noun)
{
    struct counted made;
    size_t size = strlen(noun);
    /* entry, entries; but day, days */
    bool changes = size > 1 && noun[size - 1] == 'y' && strchr("aeiou", noun[size - 2]) == NULL;
    if (count != 1 && changes)
        size--;
    (void)snprintf(made.text, sizeof(made.text), "%" PRIu64 " %.*s%s", count, (int)size, noun,
                   count == 1 ? ""
                   : changes  ? "ies"
                              : "s");
    return made;
}
