#include "net/penalty.h"

#include "base/memory.h"

#include <netinet/in.h>
#include <string.h>

struct penalty {
    struct address_key address;
    int64_t until_ms;
};

struct penalties {
    struct penalty *items;
    size_t count;
    size_t capacity;
};

static const int64_t OFFENCE_MS[OFFENCE_COUNT] = {
    [OFFENCE_PROTOCOL] = INT64_C(90) * 1000,
    [OFFENCE_AUTH] = INT64_C(5) * 1000,
    [OFFENCE_TIMEOUT] = INT64_C(10) * 1000,
};

struct address_key address_key_of(const struct sockaddr *address)
{
    static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
    struct address_key key = { { 0 }, false };
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof(in));
        memcpy(key.bytes, mapped, sizeof(mapped));
        memcpy(key.bytes + sizeof(mapped), &in.sin_addr, 4);
    } else if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in;
        memcpy(&in, address, sizeof(in));
        memcpy(key.bytes, &in.sin6_addr, sizeof(key.bytes));
    }
    static const struct in6_addr loopback = IN6ADDR_LOOPBACK_INIT;
    bool is_mapped = memcmp(key.bytes, mapped, sizeof(mapped)) == 0;
    key.is_local =
        memcmp(key.bytes, &loopback, sizeof(loopback)) == 0 || (is_mapped && key.bytes[12] == 127);
    if (!is_mapped && !key.is_local)
        memset(key.bytes + 8, 0, 8);
    return key;
}

bool address_key_equal(const struct address_key *a, const struct address_key *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

enum status penalties_new(struct penalties **ret_penalties, struct error *err)
{
    struct penalties *penalties = mem_calloc(1, sizeof(*penalties));
    if (penalties == NULL)
        return error_set(err, ERR_MEMORY, "penalties: no memory");
    *ret_penalties = penalties;
    return OK;
}

void penalties_free(struct penalties *penalties)
{
    if (penalties != NULL)
        mem_free(penalties->items);
    mem_free(penalties);
}

static struct penalty *find(const struct penalties *penalties, const struct address_key *address)
{
    for (size_t i = 0; i < penalties->count; i++)
        if (address_key_equal(&penalties->items[i].address, address))
            return &penalties->items[i];
    return NULL;
}

static struct penalty *soonest(const struct penalties *penalties)
{
    struct penalty *first = &penalties->items[0];
    for (size_t i = 1; i < penalties->count; i++)
        if (penalties->items[i].until_ms < first->until_ms)
            first = &penalties->items[i];
    return first;
}

static struct penalty *make_room(struct penalties *penalties)
{
    if (penalties->count < penalties->capacity)
        return &penalties->items[penalties->count++];
    if (penalties->capacity >= PENALTY_ADDRESSES_MAX)
        return soonest(penalties);
    size_t capacity = penalties->capacity == 0 ? 16 : penalties->capacity * 2;
    struct penalty *grown = mem_realloc(penalties->items, capacity * sizeof(*grown));
    if (grown == NULL)
        return NULL;
    penalties->items = grown;
    penalties->capacity = capacity;
    return &penalties->items[penalties->count++];
}

void penalties_add(struct penalties *penalties,
                   const struct address_key *address,
                   enum offence offence,
                   int64_t now_ms)
{
    if (address->is_local)
        return;
    struct penalty *penalty = find(penalties, address);
    if (penalty == NULL) {
        penalty = make_room(penalties);
        if (penalty == NULL)
            return;
        *penalty = (struct penalty){ *address, now_ms };
    }
    int64_t start_ms = penalty->until_ms > now_ms ? penalty->until_ms : now_ms;
    penalty->until_ms = start_ms + OFFENCE_MS[offence];
    if (penalty->until_ms > now_ms + PENALTY_MAX_MS)
        penalty->until_ms = now_ms + PENALTY_MAX_MS;
}

int64_t penalties_left_ms(const struct penalties *penalties,
                          const struct address_key *address,
                          int64_t now_ms)
{
    const struct penalty *penalty = find(penalties, address);
    return penalty != NULL && penalty->until_ms > now_ms ? penalty->until_ms - now_ms : 0;
}
