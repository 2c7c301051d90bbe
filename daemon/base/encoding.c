/* Hexadecimal and base64, declared in base/id.h. */
#include "base/id.h"

#include <string.h>

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

enum status hex_decode(struct span text, uint8_t *ret_bytes, size_t size, struct error *err)
{
    if (text.size != 2 * size)
        return error_set(err, ERR_INVALID, "%zu hexadecimal digits where %zu belong", text.size,
                         2 * size);
    for (size_t i = 0; i < text.size; i++)
        if (hex_value(text.data[i]) < 0)
            return error_set(err, ERR_INVALID, "character %zu is not a hexadecimal digit", i + 1);
    for (size_t i = 0; i < size; i++) {
        unsigned high = (unsigned)hex_value(text.data[2 * i]);
        unsigned low = (unsigned)hex_value(text.data[2 * i + 1]);
        ret_bytes[i] = (uint8_t)(high << 4 | low);
    }
    return OK;
}

void hex_encode(struct span bytes, char *ret_text)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.size; i++) {
        ret_text[2 * i] = digits[bytes.data[i] >> 4];
        ret_text[2 * i + 1] = digits[bytes.data[i] & 15];
    }
    ret_text[2 * bytes.size] = '\0';
}

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

enum status base64_encode(struct span bytes, struct buf *append_to, struct error *err)
{
    if (bytes.size > SIZE_MAX / 2)
        return error_set(err, ERR_LIMIT, "%zu bytes are too many for base64", bytes.size);
    enum status status = buf_reserve(append_to, (bytes.size + 2) / 3 * 4, err);
    if (status != OK)
        return status;
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i;
        uint32_t group = (uint32_t)bytes.data[i] << 16;
        group |= left > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0;
        group |= left > 2 ? bytes.data[i + 2] : 0;
        uint8_t *to = append_to->data + append_to->size;
        to[0] = (uint8_t)alphabet[group >> 18];
        to[1] = (uint8_t)alphabet[group >> 12 & 63];
        to[2] = left > 1 ? (uint8_t)alphabet[group >> 6 & 63] : '=';
        to[3] = left > 2 ? (uint8_t)alphabet[group & 63] : '=';
        append_to->size += 4;
    }
    return OK;
}

static int base64_value(uint8_t c)
{
    const char *at = c == '\0' ? NULL : strchr(alphabet, c);
    return at == NULL ? -1 : (int)(at - alphabet);
}

enum status base64_decode(struct span text, struct buf *ret_bytes, struct error *err)
{
    size_t padding = 0;
    while (padding < 2 && padding < text.size && text.data[text.size - 1 - padding] == '=')
        padding++;
    if (text.size % 4 != 0)
        return error_set(err, ERR_INVALID, "base64 of %zu characters, not a multiple of 4",
                         text.size);
    size_t digits = text.size - padding;
    for (size_t i = 0; i < digits; i++)
        if (base64_value(text.data[i]) < 0)
            return error_set(err, ERR_INVALID, "character %zu is not base64", i + 1);
    int last = digits == 0 ? 0 : base64_value(text.data[digits - 1]);
    if ((padding == 1 && (last & 3) != 0) || (padding == 2 && (last & 15) != 0))
        return error_set(err, ERR_INVALID, "base64 with bits left over at its end");
    enum status status = buf_reserve(ret_bytes, text.size / 4 * 3, err);
    if (status != OK)
        return status;
    uint32_t group = 0;
    for (size_t i = 0; i < digits; i++) {
        group = group << 6 | (uint32_t)base64_value(text.data[i]);
        if (i % 4 != 0)
            ret_bytes->data[ret_bytes->size++] = (uint8_t)(group >> (6 - 2 * (i % 4)));
    }
    return OK;
}
