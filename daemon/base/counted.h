/* A number and its noun in a sentence for people: "1 entry", "2 entries". */
#ifndef COMITY_BASE_COUNTED_H
#define COMITY_BASE_COUNTED_H

#include <stdint.h>

enum { COUNTED_TEXT_SIZE = 64 };
struct counted {
    char text[COUNTED_TEXT_SIZE];
};
/* `noun` is one of them, and a regular English word (or several, of which the last counts).
 * The text lives until the end of the sentence that calls: printf("%s", counted(...).text). */
struct counted counted(uint64_t count, const char *noun);

#endif
