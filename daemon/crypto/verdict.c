#include "crypto/verdict.h"

#include <stdio.h>

static const struct {
    const char *name;
    enum status status;
} verdicts[VERDICT_COUNT] = {
    [VERDICT_GOOD] = { "good", OK },
    [VERDICT_CRL_OLD] = { "list-old", OK },
    [VERDICT_RECALLS_ONLY] = { "recalls-only", OK },
    [VERDICT_NO_CERTIFICATE] = { "no-certificate", ERR_DENIED },
    [VERDICT_MALFORMED] = { "malformed", ERR_INVALID },
    [VERDICT_NO_IDENTITY] = { "no-identity", ERR_DENIED },
    [VERDICT_MANY_IDENTITIES] = { "many-identities", ERR_DENIED },
    [VERDICT_WRONG_REALM] = { "wrong-realm", ERR_DENIED },
    [VERDICT_WRONG_ROLE] = { "wrong-role", ERR_DENIED },
    [VERDICT_WRONG_CODE] = { "wrong-code", ERR_DENIED },
    [VERDICT_WRONG_COUNTRY] = { "wrong-country", ERR_DENIED },
    [VERDICT_WRONG_KEY] = { "wrong-key", ERR_DENIED },
    [VERDICT_WRONG_USE] = { "wrong-use", ERR_DENIED },
    [VERDICT_WRONG_CHAIN] = { "wrong-chain", ERR_DENIED },
    [VERDICT_WRONG_ANCHOR] = { "wrong-anchor", ERR_SIGNATURE },
    [VERDICT_BAD_CRL] = { "bad-list", ERR_SIGNATURE },
    [VERDICT_NOT_YET_VALID] = { "not-yet-valid", ERR_EXPIRED },
    [VERDICT_EXPIRED] = { "expired", ERR_EXPIRED },
    [VERDICT_REVOKED] = { "revoked", ERR_DENIED },
    [VERDICT_UNKNOWN_NODE] = { "unknown-node", ERR_NOT_FOUND },
    [VERDICT_OWN_CODE] = { "own-code", ERR_DENIED },
    [VERDICT_BLOCKED] = { "blocked", ERR_DENIED },
    [VERDICT_WRONG_PROTOCOL] = { "wrong-protocol", ERR_INVALID },
};

const char *verdict_name(enum verdict verdict)
{
    return (unsigned)verdict < VERDICT_COUNT ? verdicts[verdict].name : "unknown";
}

bool verdict_allows(enum verdict verdict)
{
    return verdict_status(verdict) == OK;
}

enum status verdict_status(enum verdict verdict)
{
    return (unsigned)verdict < VERDICT_COUNT ? verdicts[verdict].status : ERR_INTERNAL;
}

enum verdict verdict_set(enum verdict verdict, struct error *err, const char *format, ...)
{
    char text[ERROR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    error_set(err, verdict_status(verdict), "%s", text);
    return verdict;
}
