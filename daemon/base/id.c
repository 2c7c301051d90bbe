#include "base/id.h"

#include "base/clock.h"

#include <string.h>

const struct id ID_NONE = { { 0 } };

const char *role_name(enum role role)
{
    static const char *const names[ROLE_COUNT] = { "tls", "log", "receipt", "witness" };
    return (unsigned)role < ROLE_COUNT ? names[role] : "unknown";
}

enum status id_make(struct id *ret_id,
                    int64_t now_ms,
                    struct random_source *random,
                    struct error *err)
{
    struct id id;
    for (int i = 0; i < 6; i++)
        id.bytes[i] = (uint8_t)((uint64_t)now_ms >> (8 * (5 - i)));
    enum status status = random->fill(random, id.bytes + 6, ID_SIZE - 6, err);
    if (status == OK)
        *ret_id = id;
    return status;
}

bool id_equal(const struct id *a, const struct id *b)
{
    return memcmp(a->bytes, b->bytes, ID_SIZE) == 0;
}

bool id_is_none(const struct id *id)
{
    return id_equal(id, &ID_NONE);
}

int id_compare(const struct id *a, const struct id *b)
{
    return memcmp(a->bytes, b->bytes, ID_SIZE);
}

void id_format(const struct id *id, char text[static ID_TEXT_SIZE])
{
    hex_encode(SPAN_ARRAY(id->bytes), text);
}

enum status id_parse(const char *text, struct id *ret_id, struct error *err)
{
    return hex_decode(span_text(text), ret_id->bytes, ID_SIZE, err);
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
    return span_equal_secret(SPAN_ARRAY(a->bytes), SPAN_ARRAY(b->bytes));
}

enum status code_parse(const char *text, struct code *ret_code, struct error *err)
{
    size_t size = strnlen(text, CODE_MAX + 1);
    bool good = size >= 2 && size <= CODE_MAX;
    for (size_t i = 0; good && i < size; i++)
        good = text[i] >= 'A' && text[i] <= 'Z';
    if (!good) {
        return error_set(err, ERR_INVALID,
                         "'%.40s' is not a node's code: two capitals for a State "
                         "(KE), EU, or 3 to 12 capitals for an organisation "
                         "(UNODC)",
                         text);
    }
    struct code code = { { 0 } };
    memcpy(code.text, text, size);
    *ret_code = code;
    return OK;
}

bool code_equal(const struct code *a, const struct code *b)
{
    return strcmp(a->text, b->text) == 0;
}

bool code_is_state(const struct code *code)
{
    return strlen(code->text) == 2 && strcmp(code->text, "EU") != 0;
}

enum status realm_parse(const char *text, struct realm *ret_realm, struct error *err)
{
    size_t size = strnlen(text, REALM_MAX + 1);
    bool good = size >= 1 && size <= REALM_MAX && text[0] >= 'a' && text[0] <= 'z';
    for (size_t i = 0; good && i < size; i++) {
        char c = text[i];
        good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    }
    if (!good) {
        return error_set(err, ERR_INVALID,
                         "'%.40s' is not a realm: 1 to 16 of a-z, 0-9 and -, "
                         "beginning with a letter (live, training)",
                         text);
    }
    struct realm realm = { { 0 } };
    memcpy(realm.text, text, size);
    *ret_realm = realm;
    return OK;
}

bool realm_is_training(const struct realm *realm)
{
    return strcmp(realm->text, "training") == 0;
}
