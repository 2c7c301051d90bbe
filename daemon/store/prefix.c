#include "store/prefix.h"

#include <string.h>

enum { PREFIX_MIN = 6 };

/* As the listings show ids (control/argument.c takes no other). */
static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum status prefix_range(const char *prefix,
                         struct id *ret_first,
                         struct id *ret_last,
                         struct error *err)
{
    struct id first = ID_NONE;
    struct id last;
    memset(last.bytes, 0xff, ID_SIZE);
    size_t size = strlen(prefix);
    if (size < PREFIX_MIN || size > ID_TEXT_SIZE - 1)
        return error_set(err, ERR_INVALID, "'%.40s' is no id: 6 to 32 hex digits are needed",
                         prefix);
    for (size_t i = 0; i < size; i++) {
        int digit = digit_of(prefix[i]);
        if (digit < 0)
            return error_set(err, ERR_INVALID, "'%.40s' is no id: hex digits only", prefix);
        int shift = i % 2 == 0 ? 4 : 0;
        first.bytes[i / 2] = (uint8_t)(first.bytes[i / 2] | digit << shift);
        last.bytes[i / 2] = (uint8_t)((last.bytes[i / 2] & ~(0xf << shift)) | digit << shift);
    }
    *ret_first = first;
    *ret_last = last;
    return OK;
}
