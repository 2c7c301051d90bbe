#include "record/text.h"

#include "base/memory.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <utf8proc.h>

const char *text_flaw_name(enum text_flaw flaw)
{
    static const char *const names[] = {
        [TEXT_CLEAN] = "clean",
        [TEXT_NOT_UTF8] = "not UTF-8",
        [TEXT_CONTROL] = "a control character",
        [TEXT_DIRECTION] = "a character that changes the direction of text",
        [TEXT_INVISIBLE] = "an invisible character",
    };
    return names[flaw];
}

struct range {
    uint32_t first, last;
    enum text_flaw flaw;
};

/* Ascending.  TEXT_CLEAN: shown escaped, but no reason to refuse a text. */
static const struct range ranges[] = {
    { 0x00, 0x08, TEXT_CONTROL },       { 0x0b, 0x1f, TEXT_CONTROL },
    { 0x7f, 0x9f, TEXT_CONTROL },       { 0x061c, 0x061c, TEXT_CLEAN },
    { 0x200b, 0x200b, TEXT_INVISIBLE }, { 0x200e, 0x200f, TEXT_CLEAN },
    { 0x2028, 0x2029, TEXT_CONTROL },   { 0x202a, 0x202e, TEXT_DIRECTION },
    { 0x2060, 0x2064, TEXT_INVISIBLE }, { 0x2066, 0x2069, TEXT_DIRECTION },
    { 0xfeff, 0xfeff, TEXT_INVISIBLE }, { 0xfff9, 0xfffb, TEXT_INVISIBLE },
    { 0xfffe, 0xffff, TEXT_INVISIBLE }, { 0xe0000, 0xe007f, TEXT_INVISIBLE },
};

static const struct range *range_of(uint32_t code_point)
{
    if (code_point >= 0x20 && code_point < 0x7f)
        return NULL;
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (code_point >= ranges[i].first && code_point <= ranges[i].last)
            return &ranges[i];
    return NULL;
}

struct text_scan text_scan(struct span text)
{
    uint32_t code_point = 0;
    for (size_t at = 0, size; at < text.size; at += size) {
        size = text_plain_size(span_slice(text, at, text.size - at));
        if (size > 0)
            continue;
        size = text_decode(span_slice(text, at, 4), &code_point);
        if (size == 0)
            return (struct text_scan){ TEXT_NOT_UTF8, at, 0 };
        const struct range *range = range_of(code_point);
        if (range != NULL && range->flaw != TEXT_CLEAN)
            return (struct text_scan){ range->flaw, at, code_point };
    }
    return (struct text_scan){ TEXT_CLEAN, text.size, 0 };
}

size_t text_valid_size(struct span text)
{
    uint32_t code_point;
    size_t at = 0;
    for (size_t size; at < text.size; at += size)
        if ((size = text_decode(span_slice(text, at, 4), &code_point)) == 0)
            break;
    return at;
}

static bool is_ascii(struct span text)
{
    uint8_t any = 0;
    for (size_t i = text_plain_size(text); i < text.size; i++) {
        any |= text.data[i];
        if (text.data[i] < 0x20) /* a line ends: another run may begin */
            i += text_plain_size(span_slice(text, i + 1, text.size - i - 1));
    }
    return any < 0x80;
}

enum status text_normalise(struct span text, struct buf *append_to, struct error *err)
{
    if (is_ascii(text)) /* ASCII is its own NFC */
        return buf_append(append_to, text, err);
    utf8proc_option_t options = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
    utf8proc_ssize_t count =
        utf8proc_decompose(text.data, (utf8proc_ssize_t)text.size, NULL, 0, options);
    if (count < 0)
        return error_set(err, ERR_INVALID, "text is not UTF-8 after byte %zu",
                         text_valid_size(text));
    utf8proc_int32_t *points = mem_calloc((size_t)count + 1, sizeof(*points));
    if (points == NULL)
        return error_set(err, ERR_MEMORY, "no memory to normalise %zu bytes of text", text.size);
    utf8proc_decompose(text.data, (utf8proc_ssize_t)text.size, points, count, options);
    utf8proc_ssize_t size = utf8proc_reencode(points, count, options); /* in place, as UTF-8 */
    enum status status;
    if (size < 0)
        status = error_set(err, ERR_INTERNAL, "text could not be normalised");
    else
        status = buf_append(append_to, span_of(points, (size_t)size), err);
    mem_wipe(points, ((size_t)count + 1) * sizeof(*points));
    mem_free(points);
    return status;
}

/* The escaped form of the character at `at`: its size, and in *used the bytes that it stands for.
 * A character that is shown as it is gives 0. */
static size_t escape(struct span text, size_t at, bool keep_lines, char shown[16], size_t *used)
{
    uint32_t code_point = 0;
    *used = text_decode(span_slice(text, at, 4), &code_point);
    int size = 0;
    if (*used == 0) {
        *used = 1;
        size = snprintf(shown, 16, "\\x{%02x}", text.data[at]);
    } else if (code_point == '\\') {
        size = snprintf(shown, 16, "\\\\");
    } else if (code_point == '\n' || code_point == '\t') {
        size = keep_lines ? 0 : snprintf(shown, 16, "\\%c", code_point == '\n' ? 'n' : 't');
    } else if (range_of(code_point) != NULL) {
        size = snprintf(shown, 16, "\\u{%x}", code_point);
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
