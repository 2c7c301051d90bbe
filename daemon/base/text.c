#include "base/text.h"

#include <string.h>

/* RFC 3629 section 3: length by first byte, and the smallest point that may take it. */
size_t text_decode(struct span text, uint32_t *ret_point)
{
    static const uint32_t smallest[5] = { 0, 0, 0x80, 0x800, 0x10000 };
    if (text.size == 0)
        return 0;
    uint8_t first = text.data[0];
    size_t size = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (size == 0 || first > 0xf4 || text.size < size)
        return 0;
    uint32_t point = size == 1 ? first : first & (0xffU >> (size + 1));
    for (size_t i = 1; i < size; i++) {
        if ((text.data[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (text.data[i] & 0x3fU);
    }
    bool surrogate = point >= 0xd800 && point <= 0xdfff;
    if (point < smallest[size] || point > 0x10ffff || surrogate)
        return 0;
    *ret_point = point;
    return size;
}

size_t text_plain_size(struct span text)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t high = 0x80 * ones;
    size_t at = 0;
    for (uint64_t eight; text.size - at >= sizeof(eight); at += sizeof(eight)) {
        memcpy(&eight, text.data + at, sizeof(eight));
        /* While no byte is above 0x7f none of these sums carries into the next byte. */
        uint64_t visible = (eight + 0x60 * ones) & high; /* 0x20 and above */
        uint64_t deleted = (eight + ones) & high;        /* 0x7f */
        if ((eight & high) != 0 || visible != high || deleted != 0)
            break;
    }
    return at;
}

bool text_is_control(uint32_t point)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        { 0x00, 0x1f },
        { 0x7f, 0x9f },
        /* Arabic letter mark */
        { 0x61c, 0x61c },
        /* left-to-right, right-to-left mark */
        { 0x200e, 0x200f },
        /* separators, embeddings, overrides */
        { 0x2028, 0x202e },
        /* isolates */
        { 0x2066, 0x2069 },
    };
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (point >= ranges[i].first && point <= ranges[i].last)
            return true;
    }
    return false;
}

static bool allowed(uint32_t point, enum text_rule rule)
{
    if (point == 0)
        return false;
    if (rule == TEXT_LINES && (point == '\n' || point == '\t'))
        return true;
    return rule == TEXT_ANY || !text_is_control(point);
}

enum status text_check(struct span text, enum text_rule rule, const char *what, struct error *err)
{
    for (size_t at = text_plain_size(text); at < text.size;) {
        uint32_t point = 0;
        size_t size = text_decode(span_slice(text, at, 4), &point);
        if (size == 0)
            return error_set(err, ERR_INVALID, "%s: not UTF-8 at byte %zu (0x%02x)", what, at,
                             text.data[at]);
        if (!allowed(point, rule)) {
            return error_set(err, ERR_INVALID,
                             "%s: U+%04X at byte %zu: control and direction-changing characters "
                             "are not allowed here",
                             what, (unsigned)point, at);
        }
        at += size;
        at += text_plain_size(span_slice(text, at, text.size - at));
    }
    return OK;
}
