#include "base/text.h"

#include <stdio.h>
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

/* 0 when all eight bytes are 0x20 to 0x7e.  While no byte is above 0x7f none of these sums carries
 * into the next byte. */
static uint64_t not_plain(const uint8_t *bytes)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t high = 0x80 * ones;
    uint64_t eight = 0;
    memcpy(&eight, bytes, sizeof(eight));
    return (eight | ~(eight + 0x60 * ones) | (eight + ones)) & high;
}

size_t text_plain_size(struct span text)
{
    size_t at = 0;
    /* Mostly there is much of it: four words to a branch, which a compiler makes one of. */
    for (; text.size - at >= 32; at += 32) {
        const uint8_t *bytes = text.data + at;
        if ((not_plain(bytes) | not_plain(bytes + 8) | not_plain(bytes + 16) |
             not_plain(bytes + 24)) != 0)
            break;
    }
    while (text.size - at >= 8 && not_plain(text.data + at) == 0)
        at += 8;
    return at;
}

size_t text_valid_size(struct span text)
{
    uint32_t point;
    size_t at = 0;
    for (size_t size; at < text.size; at += size) {
        size = text_plain_size(span_slice(text, at, text.size - at));
        if (size == 0 && (size = text_decode(span_slice(text, at, 4), &point)) == 0)
            break;
    }
    return at;
}

/* -- what may stand in a text ------------------------------------------------------------------ */

enum text_kind text_kind_of(uint32_t point)
{
    static const struct {
        uint32_t first, last;
        enum text_kind kind;
    } ranges[] = {
        /* ascending */
        { 0x00, 0x08, TEXT_CONTROL },         { 0x09, 0x0a, TEXT_BREAK },
        { 0x0b, 0x1f, TEXT_CONTROL },         { 0x7f, 0x9f, TEXT_CONTROL },
        { 0x061c, 0x061c, TEXT_MARK },        { 0x200b, 0x200b, TEXT_INVISIBLE },
        { 0x200e, 0x200f, TEXT_MARK },        { 0x2028, 0x2029, TEXT_CONTROL },
        { 0x202a, 0x202e, TEXT_DIRECTION },   { 0x2060, 0x2064, TEXT_INVISIBLE },
        { 0x2066, 0x2069, TEXT_DIRECTION },   { 0xfeff, 0xfeff, TEXT_INVISIBLE },
        { 0xfff9, 0xfffb, TEXT_INVISIBLE },   { 0xfffe, 0xffff, TEXT_INVISIBLE },
        { 0xe0000, 0xe007f, TEXT_INVISIBLE },
    };
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]) && point >= ranges[i].first; i++) {
        if (point <= ranges[i].last)
            return ranges[i].kind;
    }
    return TEXT_PLAIN;
}

const char *text_kind_name(enum text_kind kind)
{
    static const char *const names[] = {
        [TEXT_PLAIN] = "a plain character",
        [TEXT_BREAK] = "a line break or a tab",
        [TEXT_MARK] = "a mark of direction",
        [TEXT_CONTROL] = "a control character",
        [TEXT_DIRECTION] = "a character that changes the direction of text",
        [TEXT_INVISIBLE] = "an invisible character",
        [TEXT_NOT_UTF8] = "not UTF-8",
    };
    return names[kind];
}

static bool is_allowed(uint32_t point, enum text_kind kind, enum text_rule rule)
{
    if (rule == TEXT_ANY)
        return point != 0;
    return kind == TEXT_PLAIN || kind == TEXT_MARK || (kind == TEXT_BREAK && rule == TEXT_LINES);
}

struct text_flaw text_find_flaw(struct span text, enum text_rule rule)
{
    for (size_t at = 0, size; at < text.size; at += size) {
        uint32_t point = 0;
        size = text_plain_size(span_slice(text, at, text.size - at));
        if (size > 0)
            continue;
        size = text_decode(span_slice(text, at, 4), &point);
        if (size == 0)
            return (struct text_flaw){ TEXT_NOT_UTF8, at, 0 };
        enum text_kind kind = text_kind_of(point);
        if (!is_allowed(point, kind, rule))
            return (struct text_flaw){ kind, at, point };
    }
    return (struct text_flaw){ TEXT_PLAIN, text.size, 0 };
}

enum status text_check(struct span text, enum text_rule rule, const char *what, struct error *err)
{
    struct text_flaw flaw = text_find_flaw(text, rule);
    if (flaw.kind == TEXT_PLAIN)
        return OK;
    if (flaw.kind == TEXT_NOT_UTF8)
        return error_set(err, ERR_INVALID, "%s: not UTF-8 at byte %zu (0x%02x)", what, flaw.at + 1,
                         text.data[flaw.at]);
    return error_set(err, ERR_INVALID, "%s: U+%04X at byte %zu is %s, which is not allowed here",
                     what, (unsigned)flaw.point, flaw.at + 1, text_kind_name(flaw.kind));
}

/* -- for screens ------------------------------------------------------------------------------- */

/* The escaped form of the character at `at`: its size, and in *used the bytes that it stands for.
 * A character that is shown as it is gives 0. */
static size_t escape(struct span text, size_t at, bool keep_lines, char shown[16], size_t *used)
{
    uint32_t point = 0;
    *used = text_decode(span_slice(text, at, 4), &point);
    int size = 0;
    if (*used == 0) {
        *used = 1;
        size = snprintf(shown, 16, "\\x{%02x}", text.data[at]);
    } else if (point == '\\') {
        size = snprintf(shown, 16, "\\\\");
    } else if (text_kind_of(point) == TEXT_BREAK) {
        size = keep_lines ? 0 : snprintf(shown, 16, "\\%c", point == '\n' ? 'n' : 't');
    } else if (text_kind_of(point) != TEXT_PLAIN) {
        size = snprintf(shown, 16, "\\u{%x}", point);
    }
    return (size_t)size;
}

enum status text_escape(struct span text, bool keep_lines, struct buf *append_to, struct error *err)
{
    enum status status = OK;
    char shown[16];
    for (size_t at = 0, used; at < text.size && status == OK; at += used) {
        size_t size = escape(text, at, keep_lines, shown, &used);
        struct span piece = size > 0 ? span_of(shown, size) : span_slice(text, at, used);
        status = buf_append(append_to, piece, err);
    }
    return status;
}

void text_escape_cut(struct span text, char *ret_text, size_t size)
{
    char shown[16];
    size_t end = 0;      /* written */
    size_t safe_end = 0; /* the last place where "..." and the NUL still fit */
    for (size_t at = 0, used; at < text.size; at += used) {
        size_t escaped = escape(text, at, false, shown, &used);
        struct span piece = escaped > 0 ? span_of(shown, escaped) : span_slice(text, at, used);
        if (end + piece.size + 1 > size) {
            memcpy(ret_text + safe_end, "...", 4);
            return;
        }
        memcpy(ret_text + end, piece.data, piece.size);
        end += piece.size;
        if (end + 4 <= size)
            safe_end = end;
    }
    ret_text[end] = '\0';
}
