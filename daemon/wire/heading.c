#include "wire/heading.h"

/* Up to the next line feed, which is taken as well; false when there is none. */
static bool take_line(struct span *rest, size_t max, struct span *ret_line)
{
    for (size_t i = 0; i < rest->size && i <= max; i++) {
        if (rest->data[i] != '\n')
            continue;
        *ret_line = span_slice(*rest, 0, i);
        *rest = span_slice(*rest, i + 1, rest->size);
        return true;
    }
    return false;
}

static bool origin_is_good(struct span origin)
{
    for (size_t i = 0; i < origin.size; i++) {
        if (origin.data[i] <= ' ' || origin.data[i] >= 0x7f)
            return false;
    }
    return origin.size > 0;
}

static bool parse_size(struct span digits, uint64_t *ret_size)
{
    uint64_t size = 0;
    if (digits.size == 0 || (digits.size > 1 && digits.data[0] == '0'))
        return false;
    for (size_t i = 0; i < digits.size; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9')
            return false;
        size = size * 10 + (uint64_t)(digits.data[i] - '0');
        if (size > FEED_ENTRIES_MAX)
            return false;
    }
    *ret_size = size;
    return true;
}

enum status heading_read(struct span note, struct heading *ret_heading, struct error *err)
{
    struct heading heading;
    struct span rest = note;
    struct span digits;
    if (note.size > NOTE_MAX)
        return error_set(err, ERR_LIMIT, "checkpoint of %zu bytes > %d", note.size, NOTE_MAX);
    if (!take_line(&rest, ORIGIN_MAX, &heading.origin) || !origin_is_good(heading.origin))
        return error_set(err, ERR_INVALID, "checkpoint: its first line is not an origin");
    if (!take_line(&rest, 20, &digits) || !parse_size(digits, &heading.size))
        return error_set(err, ERR_INVALID, "checkpoint: its second line is not a size");
    *ret_heading = heading;
    return OK;
}
