/* The fields that a node says of itself, declared in crypto/card.h. */
#include "crypto/card.h"

#include "base/text.h"

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

enum status card_check_name(const char *name, struct error *err)
{
    struct span text = span_of(name, strnlen(name, NAME_MAX_BYTES + 1));
    if (text.size == 0 || text.size > NAME_MAX_BYTES)
        return error_set(err, ERR_INVALID, "a name has 1 to %d bytes", NAME_MAX_BYTES);
    return text_check(text, TEXT_LINE, "the name", err);
}
