#include "base/utf8.h"

static bool is_continuation(uint8_t byte)
{
    return (byte & 0xC0) == 0x80;
}

/* Size of the sequence that `lead` opens, and its payload bits; 0 when it opens none. */
static size_t sequence_size(uint8_t lead, uint32_t *ret_bits)
{
    static const struct {
        uint8_t mask, value;
        size_t size;
    } leads[] = {
        {0x80,  0x00, 1},
        { 0xE0, 0xC0, 2},
        { 0xF0, 0xE0, 3},
        { 0xF8, 0xF0, 4}
    };
    for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++)
        if ((lead & leads[i].mask) == leads[i].value) {
            *ret_bits = lead & (uint8_t)~leads[i].mask;
            return leads[i].size;
        }
    return 0;
}

size_t utf8_next(struct span text, size_t at, uint32_t *ret_point)
{
    static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
    if (at >= text.size)
        return 0;
    uint32_t point = 0;
    size_t size = sequence_size(text.data[at], &point);
    if (size == 0 || size > text.size - at)
        return 0;
    for (size_t i = 1; i < size; i++) {
        if (!is_continuation(text.data[at + i]))
            return 0;
        point = point << 6 | (text.data[at + i] & 0x3F);
    }
    bool surrogate = point >= 0xD800 && point <= 0xDFFF;
    if (point < smallest[size] || surrogate || point > 0x10FFFF)
        return 0;
    *ret_point = point;
    return size;
}

bool utf8_check(struct span text, size_t *ret_bad_at)
{
    for (size_t at = 0; at < text.size;) {
        uint32_t point = 0;
        size_t size = utf8_next(text, at, &point);
        if (size == 0 || point == 0) {
            if (ret_bad_at != NULL)
                *ret_bad_at = at;
            return false;
        }
        at += size;
    }
    return true;
}

bool utf8_is_unsafe(uint32_t point)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x0000,   0x001F }, /* C0 */
        { 0x007F,  0x009F }, /* DEL, C1 */
        { 0x061C,  0x061C }, /* Arabic letter mark */
        { 0x200B,  0x200B }, /* zero width space */
        { 0x200E,  0x200F }, /* left-to-right and right-to-left mark */
        { 0x2028,  0x202E }, /* line and paragraph separator, embeddings, overrides */
        { 0x2060,  0x206F }, /* word joiner, isolates, deprecated formats */
        { 0xFDD0,  0xFDEF }, /* noncharacters */
        { 0xFEFF,  0xFEFF }, /* byte order mark */
        { 0xFFF9,  0xFFFB }, /* interlinear annotation */
        { 0xE0000, 0xE007F}  /* tags */
    };
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (point >= ranges[i].first && point <= ranges[i].last)
            return true;
    return (point & 0xFFFE) == 0xFFFE;
}

enum status utf8_escape(struct span text, bool keep_lines, struct buf *append_to, struct error *err)
{
    enum status status = OK;
    for (size_t at = 0; status == OK && at < text.size;) {
        uint32_t point = 0;
        size_t size = utf8_next(text, at, &point);
        bool kept_line = keep_lines && (point == '\n' || point == '\t');
        if (size == 0)
            status = buf_printf(append_to, err, "\\x{%02X}", text.data[at]);
        else if (utf8_is_unsafe(point) && !kept_line)
            status = buf_printf(append_to, err, "\\u{%X}", point);
        else
            status = buf_append(append_to, span_slice(text, at, size), err);
        at += size == 0 ? 1 : size;
    }
    return status;
}
