/* The fields that a node says of itself, declared in crypto/card.h. */
#include "crypto/card.h"

#include <string.h>

static bool is_port(const char *text)
{
    unsigned value = 0;
    size_t size = strlen(text);
    if (size < 1 || size > 5 || text[0] == '0')
        return false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    return value <= 65535;
}

static bool all_of(struct span text, const char *allowed)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] == '\0' || strchr(allowed, text.data[i]) == NULL)
            return false;
    return true;
}

enum status card_check_address(const char *address, struct error *err)
{
    const char *colon = strrchr(address, ':');
    bool good = strnlen(address, ADDRESS_MAX + 1) <= ADDRESS_MAX && colon != NULL &&
                colon != address && is_port(colon + 1);
    struct span host = good ? span_of(address, (size_t)(colon - address)) : SPAN_EMPTY;
    if (good && host.data[0] == '[') {
        good = host.size > 3 && host.data[host.size - 1] == ']' &&
               all_of(span_slice(host, 1, host.size - 2), "0123456789abcdefABCDEF:.");
    } else if (good) {
        good = host.size <= 253 && host.data[0] != '-' && host.data[0] != '.' &&
               all_of(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.");
    }
    if (good)
        return OK;
    return error_set(err, ERR_INVALID,
                     "'%.80s' is not an address: host:port or [IPv6]:port with a port of 1 to "
                     "65535 belongs here",
                     address);
}

/* One character of UTF-8 (RFC 3629): its size, or 0 when it is malformed. */
static size_t decode(struct span text, uint32_t *ret_character)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    uint8_t first = text.data[0];
    size_t size = first < 0x80             ? 1
                  : (first & 0xe0) == 0xc0 ? 2
                  : (first & 0xf0) == 0xe0 ? 3
                  : (first & 0xf8) == 0xf0 ? 4
                                           : 0;
    if (size == 0 || size > text.size)
        return 0;
    uint32_t value = size == 1 ? first : first & (0x7fU >> size);
    for (size_t i = 1; i < size; i++) {
        if ((text.data[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (text.data[i] & 0x3fU);
    }
    bool good = value >= least[size] && value <= 0x10ffff && (value < 0xd800 || value > 0xdfff);
    *ret_character = value;
    return good ? size : 0;
}

/* Control characters, and those that change the direction or the lines of what is displayed. */
static bool is_deceptive(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x061c || c == 0x200e || c == 0x200f ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

enum status card_check_name(const char *name, struct error *err)
{
    struct span rest = span_of(name, strnlen(name, NAME_MAX_BYTES + 1));
    if (rest.size == 0 || rest.size > NAME_MAX_BYTES)
        return error_set(err, ERR_INVALID, "a name has 1 to %d bytes", NAME_MAX_BYTES);
    while (rest.size > 0) {
        uint32_t character = 0;
        size_t size = decode(rest, &character);
        if (size == 0)
            return error_set(err, ERR_INVALID, "the name is not UTF-8 at byte %zu",
                             (size_t)(rest.data - (const uint8_t *)name) + 1);
        if (is_deceptive(character)) {
            return error_set(err, ERR_INVALID,
                             "the name holds the character U+%04X, which is not shown as it is",
                             (unsigned)character);
        }
        rest = span_slice(rest, size, SIZE_MAX);
    }
    return OK;
}
