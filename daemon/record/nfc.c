#include "record/nfc.h"

#include "base/memory.h"
#include "base/text.h"

#include <utf8proc.h>

bool nfc_is_ascii(struct span text)
{
    uint8_t any = 0;
    for (size_t i = text_plain_size(text); i < text.size; i++) {
        any |= text.data[i];
        if (text.data[i] < 0x20) /* a line ends: another run may begin */
            i += text_plain_size(span_slice(text, i + 1, text.size - i - 1));
    }
    return any < 0x80;
}

enum status nfc_append(struct span text, struct buf *append_to, struct error *err)
{
    if (nfc_is_ascii(text))
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
